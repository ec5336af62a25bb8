pkglibexec_PROGRAMS += src/load/muhur-load
src_load_muhur_load_SOURCES = \
	src/load/main.c
src_load_muhur_load_LDADD = src/pg/libpg.a src/msg/libmsg.a src/model/libmodel.a src/base/libbase.a $(PQ_LIBS) $(SECCOMP_LIBS) $(CONFUSE_LIBS)
