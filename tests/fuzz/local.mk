# Fuzz targets (tests/fuzz/README.md): libFuzzer programs with --enable-fuzz,
# else ordinary tests that run over their corpus.
fuzz_targets = tests/fuzz/fuzz_c14n tests/fuzz/fuzz_document tests/fuzz/fuzz_evidence \
	tests/fuzz/fuzz_msg tests/fuzz/fuzz_sftp tests/fuzz/fuzz_stamp tests/fuzz/fuzz_stream \
	tests/fuzz/fuzz_trail
check_PROGRAMS += $(fuzz_targets)
if FUZZ
fuzz_main =
else
fuzz_main = tests/fuzz/fuzz_main.c
TESTS += $(fuzz_targets)
endif
fuzz_cppflags = $(AM_CPPFLAGS) -DTOP_SRCDIR='"$(abs_top_srcdir)"'
fuzz_ldflags = $(AM_LDFLAGS) $(FUZZ_ENGINE)

tests_fuzz_fuzz_c14n_SOURCES = tests/fuzz/fuzz_c14n.c tests/fuzz/fuzz.h $(fuzz_main)
tests_fuzz_fuzz_c14n_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_c14n_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_c14n_LDADD = src/xml/libxml.a src/model/libmodel.a src/base/libbase.a \
	$(XMLSEC_LIBS) $(XML_LIBS) $(CRYPTO_LIBS)

tests_fuzz_fuzz_document_SOURCES = tests/fuzz/fuzz_document.c tests/fuzz/fuzz.h tests/fuzz/root.h $(fuzz_main)
tests_fuzz_fuzz_document_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_document_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_document_LDADD = src/document/libdocument.a src/xml/libxml.a \
	src/model/libmodel.a src/base/libbase.a $(XMLSEC_LIBS) $(XML_LIBS) $(CRYPTO_LIBS)

# the readers of the command itself, which is no library
tests_fuzz_fuzz_evidence_SOURCES = tests/fuzz/fuzz_evidence.c tests/fuzz/fuzz.h src/muhur/asic.c \
	src/muhur/asic_manifest.c src/muhur/asic_read.c src/muhur/trail_proof.c $(fuzz_main)
tests_fuzz_fuzz_evidence_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_evidence_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_evidence_LDADD = src/trail/libtrail.a src/model/libmodel.a src/base/libbase.a \
	$(XML_LIBS) $(CRYPTO_LIBS) $(JANSSON_LIBS) $(ZIP_LIBS)

tests_fuzz_fuzz_msg_SOURCES = tests/fuzz/fuzz_msg.c tests/fuzz/fuzz.h $(fuzz_main)
tests_fuzz_fuzz_msg_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_msg_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_msg_LDADD = src/msg/libmsg.a src/model/libmodel.a src/base/libbase.a $(CONFUSE_LIBS)

tests_fuzz_fuzz_sftp_SOURCES = tests/fuzz/fuzz_sftp.c tests/fuzz/fuzz.h $(fuzz_main)
tests_fuzz_fuzz_sftp_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_sftp_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_sftp_LDADD = $(SFTP_TEST_LIBS)

tests_fuzz_fuzz_stamp_SOURCES = tests/fuzz/fuzz_stamp.c tests/fuzz/fuzz.h tests/fuzz/root.h $(fuzz_main)
tests_fuzz_fuzz_stamp_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_stamp_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_stamp_LDADD = src/document/libdocument.a src/xml/libxml.a \
	src/model/libmodel.a src/base/libbase.a $(XMLSEC_LIBS) $(XML_LIBS) $(CRYPTO_LIBS)

tests_fuzz_fuzz_stream_SOURCES = tests/fuzz/fuzz_stream.c tests/fuzz/fuzz.h $(fuzz_main)
tests_fuzz_fuzz_stream_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_stream_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_stream_LDADD = src/msg/libmsg.a src/model/libmodel.a src/base/libbase.a

tests_fuzz_fuzz_trail_SOURCES = tests/fuzz/fuzz_trail.c tests/fuzz/fuzz.h $(fuzz_main)
tests_fuzz_fuzz_trail_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_trail_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_trail_LDADD = src/trail/libtrail.a src/model/libmodel.a src/base/libbase.a \
	$(CRYPTO_LIBS) $(JANSSON_LIBS)
