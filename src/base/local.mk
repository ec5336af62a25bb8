noinst_LIBRARIES += src/base/libbase.a
src_base_libbase_a_SOURCES = \
	src/base/log.c \
	src/base/log.h \
	src/base/limits.h 
