# Unit tests of src/sftp
SFTP_TEST_LIBS = src/sftp/libsftp.a src/msg/libmsg.a src/model/libmodel.a src/base/libbase.a $(SECCOMP_LIBS) $(CONFUSE_LIBS)
# Lets stock clients talk to the real muhur-sftp.
check_PROGRAMS += tests/unit/sftp/fake_muhurd
tests_unit_sftp_fake_muhurd_LDADD = $(SFTP_TEST_LIBS)
