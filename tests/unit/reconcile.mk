# Unit tests of src/reconcile
if HAVE_CMOCKA
RECONCILE_TEST_LIBS = src/pg/libpg.a src/sort/libsort.a src/model/libmodel.a src/base/libbase.a $(PQ_LIBS) $(CRYPTO_LIBS) $(SECCOMP_LIBS) $(CONFUSE_LIBS) $(CMOCKA_LIBS)
RECONCILE_WORKER = src/reconcile/carry.c src/reconcile/reports.c src/reconcile/results.c src/reconcile/rules.c \
	src/reconcile/run.c src/reconcile/schedule.c src/reconcile/sieve.c \
	src/reconcile/sieve_line.c
check_PROGRAMS += tests/unit/reconcile/test_rules tests/unit/reconcile/test_run
TESTS += tests/unit/reconcile/test_rules tests/unit/reconcile/test_run
tests_unit_reconcile_test_rules_SOURCES = tests/unit/reconcile/test_rules.c src/reconcile/rules.c
tests_unit_reconcile_test_rules_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_reconcile_test_rules_LDADD = $(RECONCILE_TEST_LIBS)
tests_unit_reconcile_test_run_SOURCES = tests/unit/reconcile/test_run.c tests/unit/reconcile/worker.h \
	$(RECONCILE_WORKER)
tests_unit_reconcile_test_run_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_reconcile_test_run_LDADD = $(RECONCILE_TEST_LIBS)
check_PROGRAMS += tests/unit/reconcile/test_order tests/unit/reconcile/test_outputs
TESTS += tests/unit/reconcile/test_order tests/unit/reconcile/test_outputs
tests_unit_reconcile_test_order_SOURCES = tests/unit/reconcile/test_order.c tests/unit/reconcile/worker.h \
	$(RECONCILE_WORKER)
tests_unit_reconcile_test_order_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_reconcile_test_order_LDADD = $(RECONCILE_TEST_LIBS)
tests_unit_reconcile_test_outputs_SOURCES = tests/unit/reconcile/test_outputs.c tests/unit/reconcile/worker.h \
	$(RECONCILE_WORKER)
tests_unit_reconcile_test_outputs_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_reconcile_test_outputs_LDADD = $(RECONCILE_TEST_LIBS)
check_PROGRAMS += tests/unit/reconcile/test_sieve
TESTS += tests/unit/reconcile/test_sieve
tests_unit_reconcile_test_sieve_SOURCES = tests/unit/reconcile/test_sieve.c tests/unit/reconcile/worker.h \
	$(RECONCILE_WORKER)
tests_unit_reconcile_test_sieve_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_reconcile_test_sieve_LDADD = $(RECONCILE_TEST_LIBS)
endif
reconcile_tests = tests/unit/reconcile/test_comparison.py \
	tests/unit/reconcile/test_market.py \
	tests/unit/reconcile/test_planted.py \
	tests/unit/reconcile/test_process.py \
	tests/unit/reconcile/test_random.py \
	tests/unit/reconcile/test_unjudged.py
dist_check_SCRIPTS += $(reconcile_tests)
TESTS += $(reconcile_tests)
limit_tests = tests/unit/reconcile/test_custody_limits.py tests/unit/reconcile/test_reserve_limits.py \
	tests/unit/reconcile/test_limits_random.py
dist_check_SCRIPTS += $(limit_tests)
TESTS += $(limit_tests)
