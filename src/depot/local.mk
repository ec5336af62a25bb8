noinst_LIBRARIES += src/depot/libdepot.a
src_depot_libdepot_a_SOURCES = \
	src/depot/depot.c src/depot/depot.h \
	src/depot/material.c src/depot/material.h \
	src/depot/name.c
