# Unit tests of src/depot
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/depot/test_depot
TESTS += tests/unit/depot/test_depot
tests_unit_depot_test_depot_LDADD = src/depot/libdepot.a src/model/libmodel.a src/base/libbase.a $(CRYPTO_LIBS) $(ZSTD_LIBS) $(CMOCKA_LIBS)
endif
