/* SPDX-License-Identifier: ISC */
/*
 * A channel's packet as a process that was taken over could send it.  An
 * input is three bytes (the sender's role, the receiver's, the number of
 * descriptors), then the packet.  What the receiver takes must be in the
 * table's bounds; a payload that unpacks must pack to the very same bytes.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "fuzz.h"
#include "msg/msg.h"
#include "msg/proto.h"

#define HEAD_SIZE	3
#define FDS_MAX		(MSG_MAX_FDS + 1)	/* one more than any message may have */

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_init("fuzz_msg", LOG_COMMAND, 0);
	return 0;
}

/* --- payloads ------------------------------------------------------------- */

static void
check_same(const struct msg *m, struct buf *b)
{
	CHECK(b->len == m->len && (b->len == 0 || memcmp(b->data, m->payload, b->len) == 0));
	buf_free(b);
}

#define PAYLOAD(X)								\
static void									\
again_##X(const struct msg *m)							\
{										\
	struct buf b = { .cap = MSG_MAX_PAYLOAD };				\
	struct X *v = xcalloc(1, sizeof(*v));	/* sanitizers see its end */	\
										\
	if (get_##X(m, v) == 0) {						\
		put_##X(&b, v);							\
		check_same(m, &b);						\
	}									\
	free(v);								\
}
PAYLOAD(m_peer)
PAYLOAD(m_login)
PAYLOAD(m_login_result)
PAYLOAD(m_rights)
PAYLOAD(m_box_open)
PAYLOAD(m_box_name)
PAYLOAD(m_box_rename)
PAYLOAD(m_box_result)
PAYLOAD(m_submission)
PAYLOAD(m_submission_id)
PAYLOAD(m_submission_state)
PAYLOAD(m_verdict)
PAYLOAD(m_notice_id)
PAYLOAD(m_notice_file)
PAYLOAD(m_notice_publish)
PAYLOAD(m_notice_published)
PAYLOAD(m_archived)
PAYLOAD(m_document)
PAYLOAD(m_kept)
PAYLOAD(m_material)
PAYLOAD(m_pass)
PAYLOAD(m_box_fetched)
PAYLOAD(m_fetched)
PAYLOAD(notice)

/* What msg.h says of each type; NULL: no payload. */
static void (*const again[M_TYPE_COUNT])(const struct msg *) = {
	[M_SESSION_NEW] = again_m_peer,
	[M_SESSION_END] = again_m_peer,
	[M_SESSION_START] = again_m_peer,
	[M_LOGIN] = again_m_login,
	[M_LOGIN_RESULT] = again_m_login_result,
	[M_BOX_OPEN] = again_m_box_open,
	[M_BOX_OPENED] = again_m_box_result,
	[M_BOX_TAKE] = again_m_box_name,
	[M_BOX_RENAME] = again_m_box_rename,
	[M_BOX_REMOVE] = again_m_box_name,
	[M_BOX_DONE] = again_m_box_result,
	[M_DIR_LOGIN] = again_m_login,
	[M_DIR_LOGIN_RESULT] = again_m_login_result,
	[M_SUB_RECEIVED] = again_m_submission,
	[M_SUB_HOLD] = again_m_submission_id,
	[M_SUB_STATE] = again_m_submission_state,
	[M_NOTICE_TO_SIGN] = again_notice,
	[M_NOTICE_SIGNED] = again_m_notice_file,
	[M_NOTICE_FAILED] = again_m_notice_id,
	[M_NOTICE_PUBLISH] = again_m_notice_publish,
	[M_NOTICE_PUBLISHED] = again_m_notice_published,
	[M_NOTICE_EXPIRE] = again_m_notice_publish,
	[M_NOTICE_ARCHIVED] = again_m_notice_id,
	[M_VERIFY] = again_m_submission,
	[M_VERDICT] = again_m_verdict,
	[M_LOAD_BEGIN] = again_m_submission,
	[M_LOAD_VERDICT] = again_m_verdict,
	[M_LOAD_ABORT] = again_m_submission_id,
	[M_LOAD_DONE] = again_m_submission_state,
	[M_LINES_SEND] = again_m_notice_id,
	[M_LINES_DONE] = again_m_notice_id,
	[M_SIGN] = again_notice,
	[M_SIGNED] = again_m_notice_file,
	[M_SIGN_FAILED] = again_m_notice_id,
	[M_ARCHIVE] = again_m_notice_publish,
	[M_ARCHIVED] = again_m_archived,
	[M_DIR_REVIEW] = again_m_login,
	[M_DIR_REVIEWED] = again_m_login_result,
	[M_COMPRESS] = again_m_document,
	[M_COMPRESS_FILE] = again_m_document,
	[M_COMPRESSED] = again_m_kept,
	[M_DIR_COMPRESSED] = again_m_kept,
	[M_MATERIAL] = again_m_material,
	[M_MATERIAL_KEPT] = again_m_document,
	[M_PASS] = again_m_pass,
	[M_DIR_PASS] = again_m_pass,
	[M_SESSION_RIGHTS] = again_m_rights,
	[M_BOX_FETCHED] = again_m_box_fetched,
	[M_FETCHED] = again_m_fetched,
};

/* --- packets -------------------------------------------------------------- */

/* 0, or -1 where no socket takes a packet of that size. */
static int
send_raw(int fd, const uint8_t *p, size_t len, int nfds)
{
	union {
		struct cmsghdr	 head;
		char		 space[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	} control;
	struct iovec iov = { .iov_base = (void *)(uintptr_t)p, .iov_len = len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[FDS_MAX], i;

	memset(&control, 0, sizeof(control));
	if (nfds > 0) {
		for (i = 0; i < nfds; i++)
			fds[i] = fd;
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int) * (size_t)nfds);
		memcpy(CMSG_DATA(&control.head), fds, sizeof(int) * (size_t)nfds);
		mh.msg_control = &control;
		mh.msg_controllen = control.head.cmsg_len;
	}
	return sendmsg(fd, &mh, MSG_DONTWAIT) == (ssize_t)len ? 0 : -1;
}

/* What was taken is the packet that we send when we say the same. */
static void
check_sent(struct msg_chan *from, struct msg_chan *to, const struct msg *m, const uint8_t *p,
    size_t len)
{
	uint8_t *raw = xcalloc(len + 1, 1);
	struct msg got;
	int fds[MSG_MAX_FDS], i;

	for (i = 0; i < m->nfds; i++)
		CHECK((fds[i] = fcntl(m->fds[i], F_DUPFD_CLOEXEC, 0)) != -1);
	CHECK(msg_send(from, m->type, m->tag, m->payload, m->len, fds, m->nfds) == 0);
	CHECK(recv(to->fd, raw, len + 1, MSG_PEEK) == (ssize_t)len && memcmp(raw, p, len) == 0);
	CHECK(msg_recv(to, &got) == 1 && got.nfds == m->nfds);
	msg_close_fds(&got);
	free(raw);
}

static void
receive(struct msg_chan *from, struct msg_chan *to, const uint8_t *p, size_t len)
{
	struct msg m;
	int rc = msg_recv(to, &m);

	if (rc != 1) {
		CHECK(rc == -1 && (errno == EPROTO || errno == 0) && m.nfds == 0);
		return;
	}
	CHECK(strcmp(msg_type_name(m.type), "unknown") != 0);
	CHECK(m.nfds >= 0 && m.nfds <= MSG_MAX_FDS && m.len <= MSG_MAX_PAYLOAD);
	if (again[m.type] != NULL)
		again[m.type](&m);
	check_sent(from, to, &m, p, len);
	msg_close_fds(&m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct msg_chan from, to;
	enum role a, b;
	int fds[2], nfds;

	if (size < HEAD_SIZE)
		return 0;
	a = data[0] % ROLE_COUNT;
	b = data[1] % ROLE_COUNT;
	nfds = data[2] % (FDS_MAX + 1);
	if (msg_pair(fds) == -1)
		fatal("socketpair");
	msg_init(&from, fds[0], a, b);
	msg_init(&to, fds[1], b, a);
	if (send_raw(from.fd, data + HEAD_SIZE, size - HEAD_SIZE, nfds) == 0)
		receive(&from, &to, data + HEAD_SIZE, size - HEAD_SIZE);
	msg_close(&from);
	msg_close(&to);
	return 0;
}
