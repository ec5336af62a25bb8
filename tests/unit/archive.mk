# Unit tests of src/archive
if HAVE_CMOCKA
ARCHIVE_TEST_LIBS = src/msg/libmsg.a src/depot/libdepot.a src/model/libmodel.a src/base/libbase.a \
	$(CRYPTO_LIBS) $(ZSTD_LIBS) $(CONFUSE_LIBS) $(CMOCKA_LIBS)
ARCHIVE_TESTS = tests/unit/archive/test_compress tests/unit/archive/test_expire \
	tests/unit/archive/test_material tests/unit/archive/test_pass
check_PROGRAMS += $(ARCHIVE_TESTS)
TESTS += $(ARCHIVE_TESTS)
tests_unit_archive_test_compress_SOURCES = tests/unit/archive/test_compress.c tests/unit/archive/store.h \
	src/archive/compress.c
tests_unit_archive_test_compress_CPPFLAGS = -I$(srcdir)/tests/unit/archive $(AM_CPPFLAGS)
tests_unit_archive_test_compress_LDADD = $(ARCHIVE_TEST_LIBS)
tests_unit_archive_test_expire_SOURCES = tests/unit/archive/test_expire.c src/archive/expire.c
tests_unit_archive_test_expire_LDADD = $(ARCHIVE_TEST_LIBS)
tests_unit_archive_test_material_SOURCES = tests/unit/archive/test_material.c tests/unit/archive/store.h \
	src/archive/material.c
tests_unit_archive_test_material_CPPFLAGS = -I$(srcdir)/tests/unit/archive $(AM_CPPFLAGS)
tests_unit_archive_test_material_LDADD = $(ARCHIVE_TEST_LIBS)
tests_unit_archive_test_material_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=fsync,--wrap=mkdirat
tests_unit_archive_test_pass_SOURCES = tests/unit/archive/test_pass.c tests/unit/archive/store.h \
	src/archive/pass.c
tests_unit_archive_test_pass_CPPFLAGS = -I$(srcdir)/tests/unit/archive $(AM_CPPFLAGS)
tests_unit_archive_test_pass_LDADD = $(ARCHIVE_TEST_LIBS)
tests_unit_archive_test_pass_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=readdir
endif
