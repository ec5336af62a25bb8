noinst_LIBRARIES += src/xml/libxml.a
src_xml_libxml_a_SOURCES = \
	src/xml/c14n.c \
	src/xml/c14n.h \
	src/xml/dsig.h \
	src/xml/pull.c \
	src/xml/pull.h \
	src/xml/trust.h
