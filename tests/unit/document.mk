# Unit tests of src/document
if HAVE_CMOCKA
DOCUMENT_TEST_LIBS = src/document/libdocument.a src/xml/libxml.a src/model/libmodel.a \
	src/base/libbase.a $(XMLSEC_LIBS) $(XML_LIBS) $(CRYPTO_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/document/test_cades
tests_unit_document_test_cades_SOURCES = tests/unit/document/test_cades.c \
	tests/unit/xml/testpki.c tests/unit/xml/testpki.h
tests_unit_document_test_cades_LDADD = $(DOCUMENT_TEST_LIBS)
TESTS += tests/unit/document/test_cades

check_PROGRAMS += tests/unit/document/test_sign
tests_unit_document_test_sign_SOURCES = tests/unit/document/test_sign.c \
	tests/unit/xml/testpki.c tests/unit/xml/testpki.h
tests_unit_document_test_sign_LDADD = $(DOCUMENT_TEST_LIBS)
TESTS += tests/unit/document/test_sign

check_PROGRAMS += tests/unit/document/test_xmlout
tests_unit_document_test_xmlout_SOURCES = tests/unit/document/test_xmlout.c
tests_unit_document_test_xmlout_LDADD = $(DOCUMENT_TEST_LIBS)
TESTS += tests/unit/document/test_xmlout

check_PROGRAMS += tests/unit/document/test_signatures
tests_unit_document_test_signatures_SOURCES = tests/unit/document/test_signatures.c \
	tests/unit/xml/testpki.c tests/unit/xml/testpki.h
tests_unit_document_test_signatures_LDADD = $(DOCUMENT_TEST_LIBS)
TESTS += tests/unit/document/test_signatures

check_PROGRAMS += tests/unit/document/test_timestamps
tests_unit_document_test_timestamps_SOURCES = tests/unit/document/test_timestamps.c \
	tests/unit/xml/testpki.c tests/unit/xml/testpki.h
tests_unit_document_test_timestamps_LDADD = $(DOCUMENT_TEST_LIBS)
TESTS += tests/unit/document/test_timestamps

check_PROGRAMS += tests/unit/document/test_extract
tests_unit_document_test_extract_SOURCES = tests/unit/document/test_extract.c
tests_unit_document_test_extract_LDADD = $(DOCUMENT_TEST_LIBS)
TESTS += tests/unit/document/test_extract

check_PROGRAMS += tests/unit/document/test_pipeline
tests_unit_document_test_pipeline_SOURCES = tests/unit/document/test_pipeline.c \
	tests/unit/xml/testpki.c tests/unit/xml/testpki.h
tests_unit_document_test_pipeline_CPPFLAGS = $(AM_CPPFLAGS) -DTOP_SRCDIR='"$(abs_top_srcdir)"'
tests_unit_document_test_pipeline_LDADD = $(DOCUMENT_TEST_LIBS)
TESTS += tests/unit/document/test_pipeline
endif
