noinst_LIBRARIES += src/base/libbase.a
src_base_libbase_a_SOURCES = \
	src/base/child.c \
	src/base/clock.c \
	src/base/conf.c \
	src/base/conf_defaults.c \
	src/base/conf_names.c \
	src/base/cutoff.c \
	src/base/fdio.c \
	src/base/landlock.c \
	src/base/log.c \
	src/base/mem.c \
	src/base/policy.c \
	src/base/sandbox.c \
	src/base/steady.c \
	src/base/child.h \
	src/base/clock.h \
	src/base/conf.h \
	src/base/conf_defaults.h \
	src/base/cutoff.h \
	src/base/fdio.h \
	src/base/landlock.h \
	src/base/limits.h \
	src/base/log.h \
	src/base/mem.h \
	src/base/policy.h \
	src/base/sandbox.h \
	src/base/steady.h
