pkglibexec_PROGRAMS += src/load/muhur-load
LOAD_SOURCES = \
	src/load/approval.c src/load/approval.h \
	src/load/authority.c src/load/authority.h \
	src/load/authorization.c src/load/authorization.h \
	src/load/array.c src/load/array.h \
	src/load/central.c \
	src/load/clockwatch.c \
	src/load/copy.c \
	src/load/decide.c src/load/decide.h \
	src/load/decisions.c \
	src/load/directory.c src/load/directory.h \
	src/load/expiry.c \
	src/load/fetched.c \
	src/load/found.c src/load/found.h \
	src/load/given.c src/load/given.h \
	src/load/lines.c src/load/lines.h \
	src/load/login.c \
	src/load/notices.c \
	src/load/outcome.c src/load/outcome.h \
	src/load/response.c src/load/response.h \
	src/load/registration.c src/load/registration.h \
	src/load/store.c \
	src/load/verdict.c \
	src/load/waiting.c \
	src/load/worker.c src/load/worker.h
src_load_muhur_load_SOURCES = \
	src/load/main.c \
	$(LOAD_SOURCES)
src_load_muhur_load_LDADD = src/pg/libpg.a src/sort/libsort.a src/msg/libmsg.a src/model/libmodel.a src/base/libbase.a $(PQ_LIBS) $(CRYPTO_LIBS) $(SECCOMP_LIBS) $(CONFUSE_LIBS)
