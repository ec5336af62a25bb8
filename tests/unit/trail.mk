# Unit tests of src/trail
if HAVE_CMOCKA
TRAIL_TEST_LIBS = src/trail/libtrail.a src/model/libmodel.a src/base/libbase.a $(CRYPTO_LIBS) $(JANSSON_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/trail/test_merkle tests/unit/trail/test_note tests/unit/trail/test_leaf \
	tests/unit/trail/test_tiles
TESTS += tests/unit/trail/test_merkle tests/unit/trail/test_note tests/unit/trail/test_leaf \
	tests/unit/trail/test_tiles
tests_unit_trail_test_merkle_LDADD = $(TRAIL_TEST_LIBS)
tests_unit_trail_test_note_LDADD = $(TRAIL_TEST_LIBS)
tests_unit_trail_test_leaf_LDADD = $(TRAIL_TEST_LIBS)
tests_unit_trail_test_tiles_LDADD = $(TRAIL_TEST_LIBS)
tests_unit_trail_test_tiles_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=fstat,--wrap=fsync
endif
# Writes a log from lines, for tests in other languages.
check_PROGRAMS += tests/unit/trail/write_log
tests_unit_trail_write_log_LDADD = src/trail/libtrail.a src/model/libmodel.a src/base/libbase.a $(CRYPTO_LIBS) $(JANSSON_LIBS)
dist_check_SCRIPTS += tests/unit/trail/test_outsider.py
TESTS += tests/unit/trail/test_outsider.py
