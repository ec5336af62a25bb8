# Unit tests of src/muhurd
if HAVE_CMOCKA
muhurd_tests = tests/unit/muhurd/test_box tests/unit/muhurd/test_disk \
	tests/unit/muhurd/test_fetch tests/unit/muhurd/test_gateway tests/unit/muhurd/test_sched \
	tests/unit/muhurd/test_spool
check_PROGRAMS += $(muhurd_tests) tests/unit/muhurd/fake_child
TESTS += $(muhurd_tests)
muhurd_test_libs = src/muhurd/libmuhurd.a src/msg/libmsg.a src/depot/libdepot.a src/model/libmodel.a src/base/libbase.a $(SECCOMP_LIBS) $(CONFUSE_LIBS) -lpthread $(CMOCKA_LIBS)
tests_unit_muhurd_test_box_CPPFLAGS = -I$(top_srcdir)/tests/unit $(AM_CPPFLAGS)
tests_unit_muhurd_test_box_LDADD = $(muhurd_test_libs)
tests_unit_muhurd_test_disk_LDADD = $(muhurd_test_libs)
tests_unit_muhurd_test_fetch_LDADD = $(muhurd_test_libs)
tests_unit_muhurd_test_sched_LDADD = $(muhurd_test_libs)
tests_unit_muhurd_test_spool_CPPFLAGS = -I$(top_srcdir)/tests/unit $(AM_CPPFLAGS)
tests_unit_muhurd_test_spool_LDADD = $(muhurd_test_libs)
tests_unit_muhurd_test_gateway_CPPFLAGS = -I$(top_srcdir)/tests/unit $(AM_CPPFLAGS) \
	-DMUHURD='"$(abs_builddir)/src/muhurd/muhurd"' \
	-DFAKE_CHILD='"$(abs_builddir)/tests/unit/muhurd/fake_child"'
tests_unit_muhurd_test_gateway_LDADD = $(muhurd_test_libs)
tests_unit_muhurd_fake_child_LDADD = src/msg/libmsg.a src/model/libmodel.a src/base/libbase.a $(CONFUSE_LIBS)
endif
