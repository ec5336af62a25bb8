noinst_LIBRARIES += src/sort/libsort.a
src_sort_libsort_a_SOURCES = \
	src/sort/runs.c src/sort/runs.h \
	src/sort/sorter.c src/sort/sorter.h
