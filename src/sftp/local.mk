pkglibexec_PROGRAMS += src/sftp/muhur-sftp
src_sftp_muhur_sftp_SOURCES = \
	src/sftp/main.c
src_sftp_muhur_sftp_LDADD = src/msg/libmsg.a src/model/libmodel.a src/base/libbase.a $(SSH_LIBS) $(SECCOMP_LIBS) $(CONFUSE_LIBS)
