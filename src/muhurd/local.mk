# muhurd; everything but main.c is a library, for its unit tests.
noinst_LIBRARIES += src/muhurd/libmuhurd.a
src_muhurd_libmuhurd_a_SOURCES = \
	src/muhurd/box.c src/muhurd/box.h \
	src/muhurd/disk.c src/muhurd/disk.h \
	src/muhurd/fetch.c src/muhurd/fetch.h \
	src/muhurd/flow.c src/muhurd/flow.h \
	src/muhurd/gateway.h \
	src/muhurd/keep.c src/muhurd/keep.h \
	src/muhurd/launch.c src/muhurd/launch.h \
	src/muhurd/loop.c src/muhurd/loop.h \
	src/muhurd/notices.c src/muhurd/notices.h \
	src/muhurd/pair.c src/muhurd/pair.h \
	src/muhurd/privs.c \
	src/muhurd/proc.c src/muhurd/proc.h \
	src/muhurd/publish.c src/muhurd/publish.h \
	src/muhurd/route.c src/muhurd/route.h \
	src/muhurd/sched.c src/muhurd/sched.h \
	src/muhurd/session.c src/muhurd/session.h \
	src/muhurd/setup.c src/muhurd/setup.h \
	src/muhurd/spool.c src/muhurd/spool.h \
	src/muhurd/store.c \
	src/muhurd/sweep.c src/muhurd/sweep.h \
	src/muhurd/tree.c src/muhurd/tree.h
sbin_PROGRAMS += src/muhurd/muhurd
src_muhurd_muhurd_SOURCES = \
	src/muhurd/main.c
src_muhurd_muhurd_LDADD = src/muhurd/libmuhurd.a src/msg/libmsg.a src/depot/libdepot.a src/model/libmodel.a src/base/libbase.a $(SECCOMP_LIBS) $(CONFUSE_LIBS) -lpthread
