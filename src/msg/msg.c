/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "msg/msg.h"

/* Room for every kind of descriptor list that the table below allows. */
#define CONTROL_SIZE	CMSG_SPACE(sizeof(int) * MSG_MAX_FDS)
_Static_assert(CONTROL_SIZE == CMSG_LEN(sizeof(int) * MSG_MAX_FDS),
    "padding would let one descriptor more in than struct msg has room for");

struct packet_head {
	uint16_t	 type;
	uint16_t	 zero;
	uint32_t	 tag;
};

struct msg_out {
	struct msg_out	*next;
	int		 fds[MSG_MAX_FDS];
	int		 nfds;
	size_t		 len;		/* of packet */
	uint8_t		 packet[];
};

/*
 * Who may send what to whom, with how many descriptors.  M_READY may come
 * from every child; its sender is therefore given as ROLE_COUNT.
 */
static const struct {
	const char	*name;
	enum role	 from, to;
	int		 min_fds, max_fds;
} table[M_TYPE_COUNT] = {
	[M_READY]	   = { "ready", ROLE_COUNT, ROLE_MUHURD, 0, 0 },
	[M_SESSION_NEW]	   = { "session-new", ROLE_LISTENER, ROLE_MUHURD, 1, 1 },
	[M_SESSION_END]	   = { "session-end", ROLE_MUHURD, ROLE_LISTENER, 0, 0 },
	[M_SESSION_START]  = { "session-start", ROLE_MUHURD, ROLE_SESSION, 0, 0 },
	[M_LOGIN]	   = { "login", ROLE_SESSION, ROLE_MUHURD, 0, 0 },
	[M_LOGIN_RESULT]   = { "login-result", ROLE_MUHURD, ROLE_SESSION, 0, 4 },
	[M_BOX_OPEN]	   = { "box-open", ROLE_SESSION, ROLE_MUHURD, 0, 0 },
	[M_BOX_OPENED]	   = { "box-opened", ROLE_MUHURD, ROLE_SESSION, 0, 1 },
	[M_BOX_TAKE]	   = { "box-take", ROLE_SESSION, ROLE_MUHURD, 0, 0 },
	[M_BOX_RENAME]	   = { "box-rename", ROLE_SESSION, ROLE_MUHURD, 0, 0 },
	[M_BOX_REMOVE]	   = { "box-remove", ROLE_SESSION, ROLE_MUHURD, 0, 0 },
	[M_BOX_DONE]	   = { "box-done", ROLE_MUHURD, ROLE_SESSION, 0, 0 },
	[M_DIR_LOGIN]	   = { "dir-login", ROLE_MUHURD, ROLE_DIRECTORY, 0, 0 },
	[M_DIR_LOGIN_RESULT] = { "dir-login-result", ROLE_DIRECTORY, ROLE_MUHURD, 0, 0 },
	[M_SUB_RECEIVED]   = { "sub-received", ROLE_MUHURD, ROLE_DIRECTORY, 0, 0 },
	[M_SUB_HOLD]	   = { "sub-hold", ROLE_MUHURD, ROLE_DIRECTORY, 0, 0 },
	[M_SUB_STATE]	   = { "sub-state", ROLE_DIRECTORY, ROLE_MUHURD, 0, 0 },
	[M_NOTICE_NEXT]	   = { "notice-next", ROLE_MUHURD, ROLE_DIRECTORY, 0, 0 },
	[M_NOTICE_TO_SIGN] = { "notice-to-sign", ROLE_DIRECTORY, ROLE_MUHURD, 0, 0 },
	[M_NOTICE_SIGNED]  = { "notice-signed", ROLE_MUHURD, ROLE_DIRECTORY, 0, 0 },
	[M_NOTICE_FAILED]  = { "notice-failed", ROLE_MUHURD, ROLE_DIRECTORY, 0, 0 },
	[M_NOTICE_PUBLISH] = { "notice-publish", ROLE_DIRECTORY, ROLE_MUHURD, 0, 0 },
	[M_NOTICE_PUBLISHED] = { "notice-published", ROLE_MUHURD, ROLE_DIRECTORY, 0, 0 },
	[M_NOTICE_EXPIRE]  = { "notice-expire", ROLE_DIRECTORY, ROLE_MUHURD, 0, 0 },
	[M_NOTICE_ARCHIVED] = { "notice-archived", ROLE_MUHURD, ROLE_DIRECTORY, 0, 0 },
	[M_VERIFY]	   = { "verify", ROLE_MUHURD, ROLE_VERIFY, 2, 2 },
	[M_VERDICT]	   = { "verdict", ROLE_VERIFY, ROLE_MUHURD, 0, 0 },
	[M_LOAD_BEGIN]	   = { "load-begin", ROLE_MUHURD, ROLE_LOAD, 1, 1 },
	[M_LOAD_VERDICT]   = { "load-verdict", ROLE_MUHURD, ROLE_LOAD, 0, 0 },
	[M_LOAD_ABORT]	   = { "load-abort", ROLE_MUHURD, ROLE_LOAD, 0, 0 },
	[M_LOAD_DONE]	   = { "load-done", ROLE_LOAD, ROLE_MUHURD, 0, 0 },
	[M_LINES_SEND]	   = { "lines-send", ROLE_MUHURD, ROLE_LOAD, 1, 1 },
	[M_LINES_DONE]	   = { "lines-done", ROLE_LOAD, ROLE_MUHURD, 0, 0 },
	[M_SIGN]	   = { "sign", ROLE_MUHURD, ROLE_SIGNER, 1, 2 },
	[M_SIGNED]	   = { "signed", ROLE_SIGNER, ROLE_MUHURD, 0, 0 },
	[M_SIGN_FAILED]	   = { "sign-failed", ROLE_SIGNER, ROLE_MUHURD, 0, 0 },
	[M_ARCHIVE]	   = { "archive", ROLE_MUHURD, ROLE_ARCHIVE, 0, 0 },
	[M_ARCHIVED]	   = { "archived", ROLE_ARCHIVE, ROLE_MUHURD, 0, 0 },
	[M_DIR_CHANGED]	   = { "dir-changed", ROLE_DIRECTORY, ROLE_MUHURD, 0, 0 },
	[M_DIR_REVIEW]	   = { "dir-review", ROLE_MUHURD, ROLE_DIRECTORY, 0, 0 },
	[M_DIR_REVIEWED]   = { "dir-reviewed", ROLE_DIRECTORY, ROLE_MUHURD, 0, 0 },
	[M_COMPRESS]	   = { "compress", ROLE_DIRECTORY, ROLE_MUHURD, 0, 0 },
	[M_COMPRESS_FILE]  = { "compress-file", ROLE_MUHURD, ROLE_ARCHIVE, 0, 0 },
	[M_COMPRESSED]	   = { "compressed", ROLE_ARCHIVE, ROLE_MUHURD, 0, 0 },
	[M_DIR_COMPRESSED] = { "dir-compressed", ROLE_MUHURD, ROLE_DIRECTORY, 0, 0 },
	[M_MATERIAL]	   = { "material", ROLE_MUHURD, ROLE_ARCHIVE, 0, 1 },
	[M_MATERIAL_KEPT]  = { "material-kept", ROLE_ARCHIVE, ROLE_MUHURD, 0, 0 },
	[M_PASS]	   = { "pass", ROLE_ARCHIVE, ROLE_MUHURD, 0, 0 },
	[M_DIR_PASS]	   = { "dir-pass", ROLE_MUHURD, ROLE_DIRECTORY, 0, 0 },
	[M_DIR_PASS_KEPT]  = { "dir-pass-kept", ROLE_DIRECTORY, ROLE_MUHURD, 0, 0 },
	[M_PASS_KEPT]	   = { "pass-kept", ROLE_MUHURD, ROLE_ARCHIVE, 0, 0 },
	[M_SESSION_RIGHTS] = { "session-rights", ROLE_MUHURD, ROLE_SESSION, 0, 0 },
	[M_BOX_FETCHED]	   = { "box-fetched", ROLE_SESSION, ROLE_MUHURD, 0, 0 },
	[M_FETCHED]	   = { "fetched", ROLE_MUHURD, ROLE_DIRECTORY, 0, 0 },
	[M_FETCHED_KEPT]   = { "fetched-kept", ROLE_DIRECTORY, ROLE_MUHURD, 0, 0 },
};

const char *
msg_type_name(enum msg_type type)
{
	if ((unsigned)type >= M_TYPE_COUNT || table[type].name == NULL)
		return "unknown";
	return table[type].name;
}

static int
allowed(unsigned type, enum role from, enum role to, int nfds)
{
	if (type >= M_TYPE_COUNT || table[type].name == NULL)
		return 0;
	if (table[type].from != ROLE_COUNT ? table[type].from != from :
	    from == ROLE_MUHURD)
		return 0;
	return table[type].to == to && nfds >= table[type].min_fds &&
	    nfds <= table[type].max_fds;
}

static void
close_fds(const int *fds, int nfds)
{
	int i;

	for (i = 0; i < nfds; i++)
		close(fds[i]);
}

int
msg_pair(int fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds);
}

void
msg_init(struct msg_chan *c, int fd, enum role self, enum role peer)
{
	memset(c, 0, sizeof(*c));
	c->fd = fd;
	c->self = self;
	c->peer = peer;
	c->in = xcalloc(1, sizeof(struct packet_head) + MSG_MAX_PAYLOAD);
}

static void
drop_first(struct msg_chan *c)
{
	struct msg_out *o = c->outq;

	c->outq = o->next;
	if (c->outq == NULL)
		c->outq_tail = NULL;
	c->outq_len--;
	close_fds(o->fds, o->nfds);
	free(o);
}

void
msg_close(struct msg_chan *c)
{
	while (c->outq != NULL)
		drop_first(c);
	free(c->in);
	c->in = NULL;
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
}

/* 1 sent, 0 not now, -1 with errno. */
static int
send_packet(int fd, const struct iovec *iov, int niov, const int *fds, int nfds)
{
	union {
		struct cmsghdr	 head;
		char		 space[CONTROL_SIZE];
	} control;
	struct msghdr mh = { .msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)niov };
	struct cmsghdr *cm;
	ssize_t n;

	if (nfds > 0) {
		memset(&control, 0, sizeof(control));
		mh.msg_control = &control;
		mh.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)nfds);
		cm = CMSG_FIRSTHDR(&mh);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)nfds);
		memcpy(CMSG_DATA(cm), fds, sizeof(int) * (size_t)nfds);
	}
	do
		n = sendmsg(fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	if (n != -1)
		return 1;
	/* ETOOMANYREFS: descriptors in flight; they land when peers read. */
	return errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS ? 0 : -1;
}

static int
enqueue(struct msg_chan *c, const struct packet_head *head, const void *payload,
    size_t len, const int *fds, int nfds)
{
	struct msg_out *o;

	if (c->outq_len >= MSG_MAX_QUEUE) {
		close_fds(fds, nfds);
		errno = ENOBUFS;
		return -1;
	}
	o = xcalloc(1, sizeof(*o) + sizeof(*head) + len);
	o->len = sizeof(*head) + len;
	memcpy(o->packet, head, sizeof(*head));
	if (len > 0)
		memcpy(o->packet + sizeof(*head), payload, len);
	if (nfds > 0)
		memcpy(o->fds, fds, sizeof(int) * (size_t)nfds);
	o->nfds = nfds;
	if (c->outq_tail == NULL)
		c->outq = o;
	else
		c->outq_tail->next = o;
	c->outq_tail = o;
	c->outq_len++;
	return 0;
}

int
msg_send(struct msg_chan *c, enum msg_type type, uint32_t tag,
    const void *payload, size_t len, const int *fds, int nfds)
{
	struct packet_head head = { .type = (uint16_t)type, .tag = tag };
	struct iovec iov[2] = {
		{ .iov_base = &head, .iov_len = sizeof(head) },
		{ .iov_base = (void *)payload, .iov_len = len },
	};
	int n, saved;

	if (!allowed(type, c->self, c->peer, nfds) || len > MSG_MAX_PAYLOAD)
		fatalx("message %s with %d descriptors and %zu bytes from %s to %s: not in the table",
		    msg_type_name(type), nfds, len, role_name(c->self), role_name(c->peer));
	if (c->outq != NULL)	/* order is kept */
		return enqueue(c, &head, payload, len, fds, nfds);
	n = send_packet(c->fd, iov, len > 0 ? 2 : 1, fds, nfds);
	if (n == 0)
		return enqueue(c, &head, payload, len, fds, nfds);
	saved = errno;
	close_fds(fds, nfds);
	errno = saved;
	return n == 1 ? 0 : -1;
}

int
msg_wants_write(const struct msg_chan *c)
{
	return c->outq != NULL;
}

int
msg_flush(struct msg_chan *c)
{
	struct msg_out *o;
	struct iovec iov;
	int n;

	while ((o = c->outq) != NULL) {
		iov.iov_base = o->packet;
		iov.iov_len = o->len;
		if ((n = send_packet(c->fd, &iov, 1, o->fds, o->nfds)) != 1)
			return n;
		drop_first(c);
	}
	return 0;
}

/* Take the descriptors out of the control data; 0, or -1 where there is
 * anything else in it. */
static int
take_fds(struct msghdr *mh, struct msg *m)
{
	struct cmsghdr *cm;
	size_t n;
	int rc = 0;

	for (cm = CMSG_FIRSTHDR(mh); cm != NULL; cm = CMSG_NXTHDR(mh, cm)) {
		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS) {
			rc = -1;
			continue;
		}
		n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(m->fds + m->nfds, CMSG_DATA(cm), n * sizeof(int));
		m->nfds += (int)n;
	}
	return rc;
}

static int
broken(struct msg *m)
{
	msg_close_fds(m);
	errno = EPROTO;
	return -1;
}

int
msg_recv(struct msg_chan *c, struct msg *m)
{
	union {
		struct cmsghdr	 head;
		char		 space[CONTROL_SIZE];
	} control;
	struct packet_head head;
	struct iovec iov = { .iov_base = c->in, .iov_len = sizeof(head) + MSG_MAX_PAYLOAD };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = &control, .msg_controllen = sizeof(control) };
	ssize_t n;

	memset(m, 0, sizeof(*m));
	do
		n = recvmsg(c->fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return errno == EAGAIN ? 0 : -1;
	if (take_fds(&mh, m) == -1)
		return broken(m);
	if (n == 0 && m->nfds == 0) {
		errno = 0;
		return -1;
	}
	if ((mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || (size_t)n < sizeof(head))
		return broken(m);
	memcpy(&head, c->in, sizeof(head));
	if (head.zero != 0 || !allowed(head.type, c->peer, c->self, m->nfds))
		return broken(m);
	m->type = head.type;
	m->tag = head.tag;
	m->payload = c->in + sizeof(head);
	m->len = (size_t)n - sizeof(head);
	return 1;
}

int
msg_recv_wait(struct msg_chan *c, struct msg *m, int timeout_ms)
{
	usec_t end = clock_monotonic() + (usec_t)timeout_ms * 1000, left;
	struct pollfd p = { .fd = c->fd };
	int n, wait = -1;

	for (;;) {
		if ((n = msg_recv(c, m)) != 0)
			return n;
		if (timeout_ms >= 0) {
			if ((left = end - clock_monotonic()) <= 0)
				return 0;
			wait = (int)((left + 999) / 1000);
		}
		p.events = (short)(POLLIN | (msg_wants_write(c) ? POLLOUT : 0));
		if (poll(&p, 1, wait) == -1 && errno != EINTR)
			return -1;
		if ((p.revents & POLLOUT) && msg_flush(c) == -1)
			return -1;
	}
}

void
msg_close_fds(struct msg *m)
{
	close_fds(m->fds, m->nfds);
	m->nfds = 0;
}
