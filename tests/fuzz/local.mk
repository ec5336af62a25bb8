# Fuzz targets: libFuzzer programs with --enable-fuzz,
# else ordinary tests that run over their corpus.
fuzz_targets = tests/fuzz/fuzz_document tests/fuzz/fuzz_sftp
check_PROGRAMS += $(fuzz_targets)
if FUZZ
fuzz_main =
else
fuzz_main = tests/fuzz/fuzz_main.c
TESTS += $(fuzz_targets)
endif
fuzz_cppflags = $(AM_CPPFLAGS) -DTOP_SRCDIR='"$(abs_top_srcdir)"'
fuzz_ldflags = $(AM_LDFLAGS) $(FUZZ_ENGINE)

tests_fuzz_fuzz_document_SOURCES = tests/fuzz/fuzz_document.c tests/fuzz/fuzz.h $(fuzz_main)
tests_fuzz_fuzz_document_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_document_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_document_LDADD = src/document/libdocument.a src/xml/libxml.a \
	src/model/libmodel.a src/base/libbase.a $(XMLSEC_LIBS) $(XML_LIBS) $(CRYPTO_LIBS)

tests_fuzz_fuzz_sftp_SOURCES = tests/fuzz/fuzz_sftp.c tests/fuzz/fuzz.h $(fuzz_main)
tests_fuzz_fuzz_sftp_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_sftp_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_sftp_LDADD = $(SFTP_TEST_LIBS)
