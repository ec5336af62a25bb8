# Unit tests of src/archive
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/archive/test_expire
TESTS += tests/unit/archive/test_expire
tests_unit_archive_test_expire_SOURCES = tests/unit/archive/test_expire.c src/archive/expire.c
tests_unit_archive_test_expire_LDADD = src/msg/libmsg.a src/depot/libdepot.a src/model/libmodel.a src/base/libbase.a $(CRYPTO_LIBS) $(ZSTD_LIBS) $(CMOCKA_LIBS)
endif
