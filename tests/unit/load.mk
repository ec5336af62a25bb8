# Unit tests of src/load
EXTRA_DIST += tests/unit/load/drive.h tests/unit/load/market.h
if HAVE_CMOCKA
LOAD_TEST_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
LOAD_TEST_LIBS = src/pg/libpg.a src/msg/libmsg.a src/model/libmodel.a src/base/libbase.a $(PQ_LIBS) $(CRYPTO_LIBS) $(SECCOMP_LIBS) $(CONFUSE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/load/test_worker
TESTS += tests/unit/load/test_worker
tests_unit_load_test_worker_SOURCES = tests/unit/load/test_worker.c $(LOAD_SOURCES)
tests_unit_load_test_worker_CPPFLAGS = $(LOAD_TEST_CPPFLAGS)
tests_unit_load_test_worker_LDADD = $(LOAD_TEST_LIBS)
check_PROGRAMS += tests/unit/load/test_authority
TESTS += tests/unit/load/test_authority
tests_unit_load_test_authority_SOURCES = tests/unit/load/test_authority.c $(LOAD_SOURCES)
tests_unit_load_test_authority_CPPFLAGS = $(LOAD_TEST_CPPFLAGS)
tests_unit_load_test_authority_LDADD = $(LOAD_TEST_LIBS)
check_PROGRAMS += tests/unit/load/test_directory
TESTS += tests/unit/load/test_directory
tests_unit_load_test_directory_SOURCES = tests/unit/load/test_directory.c $(LOAD_SOURCES)
tests_unit_load_test_directory_CPPFLAGS = $(LOAD_TEST_CPPFLAGS)
tests_unit_load_test_directory_LDADD = $(LOAD_TEST_LIBS)
check_PROGRAMS += tests/unit/load/test_bulk
TESTS += tests/unit/load/test_bulk
tests_unit_load_test_bulk_SOURCES = tests/unit/load/test_bulk.c $(LOAD_SOURCES)
tests_unit_load_test_bulk_CPPFLAGS = $(LOAD_TEST_CPPFLAGS)
tests_unit_load_test_bulk_LDADD = $(LOAD_TEST_LIBS)
check_PROGRAMS += tests/unit/load/test_owed
TESTS += tests/unit/load/test_owed
tests_unit_load_test_owed_SOURCES = tests/unit/load/test_owed.c $(LOAD_SOURCES)
tests_unit_load_test_owed_CPPFLAGS = $(LOAD_TEST_CPPFLAGS)
tests_unit_load_test_owed_LDADD = $(LOAD_TEST_LIBS)
check_PROGRAMS += tests/unit/load/test_response
TESTS += tests/unit/load/test_response
tests_unit_load_test_response_SOURCES = tests/unit/load/test_response.c $(LOAD_SOURCES)
tests_unit_load_test_response_CPPFLAGS = $(LOAD_TEST_CPPFLAGS)
tests_unit_load_test_response_LDADD = $(LOAD_TEST_LIBS)
endif
