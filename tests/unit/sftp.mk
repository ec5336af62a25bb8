# Unit tests of src/sftp
SFTP_TEST_LIBS = src/sftp/libsftp.a src/msg/libmsg.a src/model/libmodel.a src/base/libbase.a $(SECCOMP_LIBS) $(CONFUSE_LIBS)
# Lets stock clients talk to the real muhur-sftp.
check_PROGRAMS += tests/unit/sftp/fake_muhurd
tests_unit_sftp_fake_muhurd_LDADD = $(SFTP_TEST_LIBS)
dist_check_SCRIPTS += tests/unit/sftp/test_clients.py
TESTS += tests/unit/sftp/test_clients.py
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/sftp/test_codec tests/unit/sftp/test_path tests/unit/sftp/test_handle \
	tests/unit/sftp/test_upload tests/unit/sftp/test_fetch
TESTS += tests/unit/sftp/test_codec tests/unit/sftp/test_path tests/unit/sftp/test_handle tests/unit/sftp/test_upload \
	tests/unit/sftp/test_fetch
tests_unit_sftp_test_codec_LDADD = $(SFTP_TEST_LIBS) $(CMOCKA_LIBS)
tests_unit_sftp_test_fetch_LDADD = $(SFTP_TEST_LIBS) $(CMOCKA_LIBS)
tests_unit_sftp_test_upload_LDADD = $(SFTP_TEST_LIBS) $(CMOCKA_LIBS)
tests_unit_sftp_test_path_LDADD = $(SFTP_TEST_LIBS) $(CMOCKA_LIBS)
tests_unit_sftp_test_handle_LDADD = $(SFTP_TEST_LIBS) $(CMOCKA_LIBS)
endif
