bin_PROGRAMS += src/muhur/muhur
src_muhur_muhur_SOURCES = \
	src/muhur/main.c
src_muhur_muhur_LDADD = src/document/libdocument.a src/xml/libxml.a src/pg/libpg.a src/model/libmodel.a src/base/libbase.a $(XMLSEC_LIBS) $(XML_LIBS) $(CRYPTO_LIBS) $(PQ_LIBS) $(JANSSON_LIBS) $(SECCOMP_LIBS) $(CONFUSE_LIBS)
