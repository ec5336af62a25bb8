noinst_LIBRARIES += src/msg/libmsg.a
src_msg_libmsg_a_SOURCES = \
	src/msg/msg.c src/msg/msg.h \
	src/msg/pack.c src/msg/pack.h \
	src/msg/proto.c src/msg/proto_fetch.c src/msg/proto_notice.c src/msg/proto_store.c src/msg/proto.h \
	src/msg/stream.c src/msg/stream.h
