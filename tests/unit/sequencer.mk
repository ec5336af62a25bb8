# Unit tests of src/sequencer
if HAVE_CMOCKA
SEQUENCER_TEST_LIBS = src/pg/libpg.a src/trail/libtrail.a src/model/libmodel.a src/base/libbase.a $(PQ_LIBS) $(CRYPTO_LIBS) $(JANSSON_LIBS) $(SECCOMP_LIBS) $(CONFUSE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/sequencer/test_sequencer
TESTS += tests/unit/sequencer/test_sequencer
tests_unit_sequencer_test_sequencer_SOURCES = tests/unit/sequencer/test_sequencer.c tests/unit/sequencer/log.h \
	$(SEQUENCER_SOURCES)
tests_unit_sequencer_test_sequencer_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_sequencer_test_sequencer_LDADD = $(SEQUENCER_TEST_LIBS)
check_PROGRAMS += tests/unit/sequencer/test_second
TESTS += tests/unit/sequencer/test_second
tests_unit_sequencer_test_second_SOURCES = tests/unit/sequencer/test_second.c tests/unit/sequencer/log.h \
	$(SEQUENCER_SOURCES)
tests_unit_sequencer_test_second_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_sequencer_test_second_LDADD = $(SEQUENCER_TEST_LIBS)
check_PROGRAMS += tests/unit/sequencer/test_kill
TESTS += tests/unit/sequencer/test_kill
tests_unit_sequencer_test_kill_SOURCES = tests/unit/sequencer/test_kill.c tests/unit/sequencer/log.h \
	$(SEQUENCER_SOURCES)
tests_unit_sequencer_test_kill_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_sequencer_test_kill_LDADD = $(SEQUENCER_TEST_LIBS)
tests_unit_sequencer_test_kill_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=PQexecPrepared,--wrap=PQsendQueryPrepared,--wrap=PQgetResult,--wrap=fsync,--wrap=renameat \
	-Wl,--wrap=unlinkat,--wrap=mkdirat,--wrap=write_full
endif
