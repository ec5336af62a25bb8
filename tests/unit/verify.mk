# Unit tests of src/verify
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/verify/test_verify
tests_unit_verify_test_verify_SOURCES = tests/unit/verify/test_verify.c \
	tests/unit/xml/testpki.c tests/unit/xml/testpki.h
tests_unit_verify_test_verify_CPPFLAGS = $(AM_CPPFLAGS) -DTOP_SRCDIR='"$(abs_top_srcdir)"' \
	-DMUHUR_VERIFY='"$(abs_top_builddir)/src/verify/muhur-verify"'
tests_unit_verify_test_verify_LDADD = src/document/libdocument.a src/xml/libxml.a src/msg/libmsg.a \
	src/model/libmodel.a src/base/libbase.a $(XMLSEC_LIBS) $(XML_LIBS) $(CRYPTO_LIBS) \
	$(SECCOMP_LIBS) $(CONFUSE_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/verify/test_verify
endif
