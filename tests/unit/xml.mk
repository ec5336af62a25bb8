# Unit tests of src/xml
if HAVE_CMOCKA
XML_TEST_LIBS = src/xml/libxml.a src/model/libmodel.a src/base/libbase.a \
	$(XMLSEC_LIBS) $(XML_LIBS) $(CRYPTO_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/xml/test_c14n
tests_unit_xml_test_c14n_SOURCES = tests/unit/xml/test_c14n.c
tests_unit_xml_test_c14n_LDADD = $(XML_TEST_LIBS)
TESTS += tests/unit/xml/test_c14n

check_PROGRAMS += tests/unit/xml/test_cert
tests_unit_xml_test_cert_SOURCES = tests/unit/xml/test_cert.c \
	tests/unit/xml/testpki.c tests/unit/xml/testpki.h
tests_unit_xml_test_cert_LDADD = $(XML_TEST_LIBS)
TESTS += tests/unit/xml/test_cert

check_PROGRAMS += tests/unit/xml/test_crl
tests_unit_xml_test_crl_SOURCES = tests/unit/xml/test_crl.c \
	tests/unit/xml/testtrust.c tests/unit/xml/testtrust.h \
	tests/unit/xml/testpki.c tests/unit/xml/testpki.h
tests_unit_xml_test_crl_LDADD = $(XML_TEST_LIBS)
TESTS += tests/unit/xml/test_crl

check_PROGRAMS += tests/unit/xml/test_pkits
tests_unit_xml_test_pkits_SOURCES = tests/unit/xml/test_pkits.c \
	tests/unit/xml/testpki.c tests/unit/xml/testpki.h
tests_unit_xml_test_pkits_LDADD = $(XML_TEST_LIBS) $(JANSSON_LIBS)
TESTS += tests/unit/xml/test_pkits

check_PROGRAMS += tests/unit/xml/test_pull
tests_unit_xml_test_pull_SOURCES = tests/unit/xml/test_pull.c
tests_unit_xml_test_pull_LDADD = $(XML_TEST_LIBS)
TESTS += tests/unit/xml/test_pull

check_PROGRAMS += tests/unit/xml/test_revocation
tests_unit_xml_test_revocation_SOURCES = tests/unit/xml/test_revocation.c \
	tests/unit/xml/testtrust.c tests/unit/xml/testtrust.h \
	tests/unit/xml/testpki.c tests/unit/xml/testpki.h
tests_unit_xml_test_revocation_LDADD = $(XML_TEST_LIBS)
TESTS += tests/unit/xml/test_revocation

check_PROGRAMS += tests/unit/xml/test_schema
tests_unit_xml_test_schema_SOURCES = tests/unit/xml/test_schema.c
tests_unit_xml_test_schema_LDADD = $(XML_TEST_LIBS)
TESTS += tests/unit/xml/test_schema

check_PROGRAMS += tests/unit/xml/test_trust
tests_unit_xml_test_trust_SOURCES = tests/unit/xml/test_trust.c \
	tests/unit/xml/testtrust.c tests/unit/xml/testtrust.h \
	tests/unit/xml/testpki.c tests/unit/xml/testpki.h
tests_unit_xml_test_trust_LDADD = $(XML_TEST_LIBS)
TESTS += tests/unit/xml/test_trust

check_PROGRAMS += tests/unit/xml/test_dsig_hint
tests_unit_xml_test_dsig_hint_SOURCES = tests/unit/xml/test_dsig_hint.c
tests_unit_xml_test_dsig_hint_LDADD = $(XML_TEST_LIBS)
TESTS += tests/unit/xml/test_dsig_hint
endif
