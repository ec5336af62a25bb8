/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <cmocka.h>

#include "msg/msg.h"

static int
open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static int
some_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_int_not_equal(fd, -1);
	return fd;
}

/* parent's end talks to a child of that role, and the other way round */
static void
channel(struct msg_chan *parent, struct msg_chan *child, enum role role)
{
	int fds[2];

	assert_int_equal(msg_pair(fds), 0);
	assert_true(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
	msg_init(parent, fds[0], ROLE_MUHURD, role);
	msg_init(child, fds[1], role, ROLE_MUHURD);
}

/* A packet as a broken peer would send it. */
static void
inject(int fd, const void *p, size_t len, int nfds)
{
	union {
		struct cmsghdr	 head;
		char		 space[CMSG_SPACE(sizeof(int) * 16)];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)p, .iov_len = len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cm;
	int fds[16], i;

	for (i = 0; i < nfds; i++)
		fds[i] = some_fd();
	if (nfds > 0) {
		mh.msg_control = &control;
		mh.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)nfds);
		cm = CMSG_FIRSTHDR(&mh);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)nfds);
		memcpy(CMSG_DATA(cm), fds, sizeof(int) * (size_t)nfds);
	}
	assert_int_equal(sendmsg(fd, &mh, MSG_NOSIGNAL), (ssize_t)len);
	for (i = 0; i < nfds; i++)
		close(fds[i]);
}

static void
test_exchange(void **state)
{
	struct msg_chan p, c;
	struct msg m;
	int before = open_fds(), fds[2];

	(void)state;
	channel(&p, &c, ROLE_VERIFY);
	assert_int_equal(msg_recv(&p, &m), 0);
	assert_int_equal(msg_recv_wait(&p, &m, 10), 0);
	assert_int_equal(msg_send(&c, M_READY, 0, NULL, 0, NULL, 0), 0);
	assert_int_equal(msg_recv_wait(&p, &m, -1), 1);
	assert_int_equal(m.type, M_READY);
	assert_int_equal(m.len, 0);

	fds[0] = some_fd();
	fds[1] = some_fd();
	assert_int_equal(msg_send(&p, M_VERIFY, 77, "payload", 7, fds, 2), 0);
	assert_int_equal(fcntl(fds[0], F_GETFD), -1);	/* closed here */
	assert_int_equal(msg_recv(&c, &m), 1);
	assert_int_equal(m.type, M_VERIFY);
	assert_int_equal(m.tag, 77);
	assert_int_equal(m.len, 7);
	assert_memory_equal(m.payload, "payload", 7);
	assert_int_equal(m.nfds, 2);
	assert_true(fcntl(m.fds[0], F_GETFD) & FD_CLOEXEC);
	msg_close_fds(&m);
	assert_int_equal(m.nfds, 0);

	msg_close(&c);
	assert_int_equal(msg_recv(&p, &m), -1);
	assert_int_equal(errno, 0);
	fds[0] = some_fd();
	fds[1] = some_fd();
	assert_int_equal(msg_send(&p, M_VERIFY, 1, NULL, 0, fds, 2), -1);
	msg_close(&p);
	assert_int_equal(open_fds(), before);
}

/* A peer that does not read: messages wait in order with their descriptors,
 * and nothing leaks when the channel is closed on them. */
static void
test_queue(void **state)
{
	struct msg_chan p, c;
	struct msg m;
	uint32_t tag, sent = 0;
	int before = open_fds(), fd;

	(void)state;
	channel(&p, &c, ROLE_LOAD);
	while (p.outq_len < 20) {
		fd = some_fd();
		assert_int_equal(msg_send(&p, M_LOAD_BEGIN, sent++, &sent, sizeof(sent), &fd, 1), 0);
	}
	assert_true(msg_wants_write(&p));
	for (tag = 0; tag < sent; tag++) {
		assert_int_equal(msg_flush(&p), 0);
		assert_int_equal(msg_recv(&c, &m), 1);
		assert_int_equal(m.tag, tag);
		assert_int_equal(m.nfds, 1);
		msg_close_fds(&m);
	}
	assert_false(msg_wants_write(&p));
	assert_int_equal(msg_recv(&c, &m), 0);

	while (p.outq_len < 5) {
		fd = some_fd();
		assert_int_equal(msg_send(&p, M_LOAD_BEGIN, 1, NULL, 0, &fd, 1), 0);
	}
	msg_close(&p);
	msg_close(&c);
	assert_int_equal(open_fds(), before);
}

static void
assert_broken(struct msg_chan *to, int from, const void *p, size_t len, int nfds)
{
	struct msg m;
	int before;

	before = open_fds();
	inject(from, p, len, nfds);
	assert_int_equal(msg_recv(to, &m), -1);
	assert_int_equal(errno, EPROTO);
	assert_int_equal(m.nfds, 0);
	assert_int_equal(open_fds(), before);
}

static void
test_broken_peer(void **state)
{
	static uint8_t big[8 + MSG_MAX_PAYLOAD + 1];
	struct { uint16_t type, zero; uint32_t tag; } head = { M_LOGIN, 0, 0 };
	struct msg_chan p, c;
	struct msg m;
	size_t n;
	int fds;

	(void)state;
	channel(&p, &c, ROLE_SESSION);
	inject(c.fd, &head, sizeof(head), 0);
	assert_int_equal(msg_recv(&p, &m), 1);
	for (n = 1; n < sizeof(head); n++)
		assert_broken(&p, c.fd, &head, n, 0);
	for (fds = 1; fds <= 6; fds++)
		assert_broken(&p, c.fd, &head, sizeof(head), fds);
	head.zero = 1;
	assert_broken(&p, c.fd, &head, sizeof(head), 0);
	head.zero = 0;
	head.type = 0;
	assert_broken(&p, c.fd, &head, sizeof(head), 0);
	head.type = M_TYPE_COUNT;
	assert_broken(&p, c.fd, &head, sizeof(head), 0);
	head.type = UINT16_MAX;
	assert_broken(&p, c.fd, &head, sizeof(head), 0);
	head.type = M_LOGIN;
	memcpy(big, &head, sizeof(head));
	inject(c.fd, big, sizeof(big) - 1, 0);
	assert_int_equal(msg_recv(&p, &m), 1);
	assert_int_equal(m.len, MSG_MAX_PAYLOAD);
	assert_broken(&p, c.fd, big, sizeof(big), 0);
	msg_close(&p);
	msg_close(&c);
}

/* What each role may send to muhurd, by the house's page; all else is refused. */
static void
test_table(void **state)
{
	static const struct {
		enum role	 role;
		enum msg_type	 types[12];
		int		 fds;	/* of the first one */
	} may[] = {
		{ ROLE_LISTENER, { M_SESSION_NEW, M_READY }, 1 },
		{ ROLE_SESSION, { M_LOGIN, M_BOX_OPEN, M_BOX_TAKE, M_BOX_RENAME, M_BOX_REMOVE, M_BOX_FETCHED,
		    M_READY }, 0 },
		{ ROLE_VERIFY, { M_VERDICT, M_READY }, 0 },
		{ ROLE_LOAD, { M_LOAD_DONE, M_LINES_DONE, M_READY }, 0 },
		{ ROLE_DIRECTORY, { M_DIR_LOGIN_RESULT, M_SUB_STATE, M_NOTICE_TO_SIGN,
		    M_NOTICE_PUBLISH, M_NOTICE_EXPIRE, M_DIR_CHANGED, M_DIR_REVIEWED,
		    M_FETCHED_KEPT, M_COMPRESS, M_DIR_PASS_KEPT, M_READY }, 0 },
		{ ROLE_RECONCILE, { M_READY }, 0 },
		{ ROLE_SEQUENCER, { M_READY }, 0 },
		{ ROLE_SIGNER, { M_SIGNED, M_SIGN_FAILED, M_READY }, 0 },
		{ ROLE_ARCHIVE, { M_ARCHIVED, M_COMPRESSED, M_MATERIAL_KEPT, M_PASS, M_READY }, 0 },
	};
	struct { uint16_t type, zero; uint32_t tag; } head = { 0 };
	struct msg_chan p, c;
	struct msg m;
	size_t i, j;
	int type, ok, fds;

	(void)state;
	for (i = 0; i < sizeof(may) / sizeof(may[0]); i++) {
		channel(&p, &c, may[i].role);
		for (type = 0; type < M_TYPE_COUNT; type++) {
			for (ok = 0, j = 0; j < 12; j++)
				ok |= may[i].types[j] != 0 && (int)may[i].types[j] == type;
			fds = type == (int)may[i].types[0] ? may[i].fds : 0;
			head.type = (uint16_t)type;
			inject(c.fd, &head, sizeof(head), fds);
			if (msg_recv(&p, &m) != (ok ? 1 : -1))
				fail_msg("%s from %s", msg_type_name((enum msg_type)type), role_name(may[i].role));
			msg_close_fds(&m);
			/* and nothing that is a child's to send comes from muhurd */
			inject(p.fd, &head, sizeof(head), 0);
			if (msg_recv(&c, &m) == 1)
				assert_false(ok);
			msg_close_fds(&m);
		}
		msg_close(&p);
		msg_close(&c);
	}
	for (type = 1; type < M_TYPE_COUNT; type++)
		assert_string_not_equal(msg_type_name((enum msg_type)type), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exchange),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_broken_peer),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
