noinst_LIBRARIES += src/msg/libmsg.a
src_msg_libmsg_a_SOURCES = \
	src/msg/msg.h \
	src/msg/proto.h \
	src/msg/stream.h
