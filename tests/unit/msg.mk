# Unit tests of src/msg
if HAVE_CMOCKA
MSG_TEST_LIBS = src/msg/libmsg.a src/model/libmodel.a src/base/libbase.a $(CONFUSE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/msg/test_msg tests/unit/msg/test_proto tests/unit/msg/test_stream
TESTS += tests/unit/msg/test_msg tests/unit/msg/test_proto tests/unit/msg/test_stream
tests_unit_msg_test_msg_LDADD = $(MSG_TEST_LIBS)
tests_unit_msg_test_proto_LDADD = $(MSG_TEST_LIBS)
tests_unit_msg_test_stream_LDADD = $(MSG_TEST_LIBS)
endif
