# Unit tests of src/sort
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/sort/test_sorter
TESTS += tests/unit/sort/test_sorter
tests_unit_sort_test_sorter_LDADD = src/sort/libsort.a src/base/libbase.a $(CMOCKA_LIBS)
endif
