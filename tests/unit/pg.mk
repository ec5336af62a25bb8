# Unit tests of src/pg
EXTRA_DIST += tests/unit/pgtest.sh tests/unit/pgtest.h
if HAVE_CMOCKA
PG_TEST_LIBS = src/pg/libpg.a src/model/libmodel.a src/base/libbase.a $(PQ_LIBS) $(CRYPTO_LIBS) $(SECCOMP_LIBS) $(CONFUSE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/pg/test_admin
TESTS += tests/unit/pg/test_admin
tests_unit_pg_test_admin_SOURCES = tests/unit/pg/test_admin.c
tests_unit_pg_test_admin_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_pg_test_admin_LDADD = $(PG_TEST_LIBS)
endif
