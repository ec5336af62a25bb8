sbin_PROGRAMS += src/muhurd/muhurd
src_muhurd_muhurd_SOURCES = \
	src/muhurd/main.c
src_muhurd_muhurd_LDADD = src/msg/libmsg.a src/model/libmodel.a src/base/libbase.a $(SECCOMP_LIBS) $(CONFUSE_LIBS) -lpthread
