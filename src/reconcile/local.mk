pkglibexec_PROGRAMS += src/reconcile/muhur-reconcile
src_reconcile_muhur_reconcile_SOURCES = \
	src/reconcile/carry.c \
	src/reconcile/main.c \
	src/reconcile/reports.c \
	src/reconcile/results.c \
	src/reconcile/rules.c \
	src/reconcile/rules.h \
	src/reconcile/run.c \
	src/reconcile/run.h \
	src/reconcile/schedule.c \
	src/reconcile/sieve.c \
	src/reconcile/sieve.h \
	src/reconcile/sieve_line.c \
	src/reconcile/sieve_line.h
src_reconcile_muhur_reconcile_LDADD = src/pg/libpg.a src/sort/libsort.a src/msg/libmsg.a src/model/libmodel.a src/base/libbase.a $(PQ_LIBS) $(SECCOMP_LIBS) $(CONFUSE_LIBS)
