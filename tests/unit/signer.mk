# Unit tests of src/signer
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/signer/test_signer
tests_unit_signer_test_signer_SOURCES = tests/unit/signer/test_signer.c \
	src/signer/check.c src/signer/check.h src/signer/job.c src/signer/job.h tests/unit/xml/testpki.c tests/unit/xml/testpki.h
tests_unit_signer_test_signer_LDADD = src/document/libdocument.a src/xml/libxml.a \
	src/msg/libmsg.a src/model/libmodel.a src/base/libbase.a $(XMLSEC_LIBS) $(XML_LIBS) \
	$(CRYPTO_LIBS) $(P11KIT_LIBS) $(SECCOMP_LIBS) $(CONFUSE_LIBS) $(CMOCKA_LIBS) -lpthread
TESTS += tests/unit/signer/test_signer
endif
