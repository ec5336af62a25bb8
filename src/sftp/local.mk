pkglibexec_PROGRAMS += src/sftp/muhur-sftp
# What needs no SSH, apart so that tests and fuzz targets can link it.
noinst_LIBRARIES += src/sftp/libsftp.a
src_sftp_libsftp_a_SOURCES = \
	src/sftp/answer.c \
	src/sftp/codec.c \
	src/sftp/handle.c \
	src/sftp/listing.c \
	src/sftp/ops.c \
	src/sftp/path.c \
	src/sftp/remote.c \
	src/sftp/upload.c \
	src/sftp/codec.h \
	src/sftp/handle.h \
	src/sftp/ops.h \
	src/sftp/path.h
src_sftp_muhur_sftp_SOURCES = \
	src/sftp/auth.c \
	src/sftp/listener.c \
	src/sftp/main.c \
	src/sftp/server.c \
	src/sftp/session.c \
	src/sftp/session.h
src_sftp_muhur_sftp_LDADD = src/sftp/libsftp.a src/msg/libmsg.a src/model/libmodel.a src/base/libbase.a $(SSH_LIBS) $(SECCOMP_LIBS) $(CONFUSE_LIBS)
