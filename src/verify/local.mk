pkglibexec_PROGRAMS += src/verify/muhur-verify
src_verify_muhur_verify_SOURCES = \
	src/verify/main.c
src_verify_muhur_verify_LDADD = src/document/libdocument.a src/xml/libxml.a src/msg/libmsg.a src/depot/libdepot.a src/model/libmodel.a src/base/libbase.a $(XMLSEC_LIBS) $(XML_LIBS) $(CRYPTO_LIBS) $(SECCOMP_LIBS) $(CONFUSE_LIBS)
