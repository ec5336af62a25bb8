pkglibexec_PROGRAMS += src/archive/muhur-archive
src_archive_muhur_archive_SOURCES = \
	src/archive/compress.c src/archive/compress.h \
	src/archive/expire.c src/archive/expire.h \
	src/archive/main.c \
	src/archive/material.c src/archive/material.h \
	src/archive/pass.c src/archive/pass.h
src_archive_muhur_archive_LDADD = src/msg/libmsg.a src/depot/libdepot.a src/model/libmodel.a src/base/libbase.a $(CRYPTO_LIBS) $(ZSTD_LIBS) $(SECCOMP_LIBS) $(CONFUSE_LIBS)
