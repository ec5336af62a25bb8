noinst_LIBRARIES += src/xml/libxml.a
src_xml_libxml_a_SOURCES = \
	src/xml/alg.c \
	src/xml/alg.h \
	src/xml/c14n.c \
	src/xml/c14n.h \
	src/xml/cert.c \
	src/xml/cert.h \
	src/xml/crl.c \
	src/xml/crl.h \
	src/xml/dsig.c \
	src/xml/dsig.h \
	src/xml/dsig_hint.c \
	src/xml/dsig_read.c \
	src/xml/dsig_read.h \
	src/xml/node.c \
	src/xml/node.h \
	src/xml/openssl.c \
	src/xml/openssl.h \
	src/xml/pull.c \
	src/xml/pull.h \
	src/xml/pull_encoding.c \
	src/xml/pull_encoding.h \
	src/xml/schema.c \
	src/xml/schema.h \
	src/xml/skeleton.c \
	src/xml/skeleton.h \
	src/xml/stamp.c \
	src/xml/stamp.h \
	src/xml/trust.c \
	src/xml/trust.h \
	src/xml/tsp.c \
	src/xml/tsp.h \
	src/xml/xades.c \
	src/xml/xades.h \
	src/xml/xmlsec.c \
	src/xml/xmlsec.h
