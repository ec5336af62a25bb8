pkglibexec_PROGRAMS += src/signer/muhur-signer
src_signer_muhur_signer_SOURCES = \
	src/signer/check.c \
	src/signer/check.h \
	src/signer/job.c \
	src/signer/job.h \
	src/signer/main.c
src_signer_muhur_signer_LDADD = src/document/libdocument.a src/xml/libxml.a src/msg/libmsg.a src/model/libmodel.a src/base/libbase.a $(XMLSEC_LIBS) $(XML_LIBS) $(CRYPTO_LIBS) $(P11KIT_LIBS) $(SECCOMP_LIBS) $(CONFUSE_LIBS) -lpthread
