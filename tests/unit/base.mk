# Unit tests of src/base
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/base/test_log tests/unit/base/test_mem \
	tests/unit/base/test_fdio tests/unit/base/test_clock tests/unit/base/test_conf \
	tests/unit/base/test_sandbox tests/unit/base/test_steady
TESTS += tests/unit/base/test_log tests/unit/base/test_mem \
	tests/unit/base/test_fdio tests/unit/base/test_clock tests/unit/base/test_conf \
	tests/unit/base/test_sandbox tests/unit/base/test_steady
tests_unit_base_test_steady_LDADD = src/base/libbase.a $(CMOCKA_LIBS)
tests_unit_base_test_log_LDADD = src/base/libbase.a $(CMOCKA_LIBS)
tests_unit_base_test_mem_LDADD = src/base/libbase.a $(CMOCKA_LIBS)
tests_unit_base_test_fdio_LDADD = src/base/libbase.a $(CMOCKA_LIBS)
tests_unit_base_test_clock_LDADD = src/base/libbase.a $(CMOCKA_LIBS)
tests_unit_base_test_conf_LDADD = src/base/libbase.a $(CONFUSE_LIBS) $(CMOCKA_LIBS)
tests_unit_base_test_sandbox_LDADD = src/base/libbase.a $(SECCOMP_LIBS) $(CRYPTO_LIBS) $(CMOCKA_LIBS) -lpthread
endif
