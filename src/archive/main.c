/* SPDX-License-Identifier: ISC */
/*
 * muhur-archive: keeps the boxes and the store.  It may touch these and nothing
 * else: no network, no database, no keys.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "archive/compress.h"
#include "archive/expire.h"
#include "archive/material.h"
#include "archive/pass.h"
#include "base/child.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "msg/msg.h"
#include "msg/proto.h"

#define STEPS	8	/* of compressing, between two looks at the channel */

struct archive {
	struct msg_chan	 chan;
	struct keeper	*keeper;
	struct pass	*pass;
	struct compress	*compress;	/* the order that is carried out, NULL none */
	struct m_document order;
};

#define SEND(a, type, tag, name, value) do {					\
	struct buf send_buf = { 0 };						\
	put_##name(&send_buf, (value));						\
	if (msg_send(&(a)->chan, (type), (tag), send_buf.data, send_buf.len,	\
	    NULL, 0) == -1)							\
		fatal("channel");						\
	buf_free(&send_buf);							\
} while (0)

static _Noreturn void
out_of_place(const struct msg *m)
{
	fatalx("channel: %s is not what muhurd may send here", msg_type_name(m->type));
}

/* At once, in one piece: what costs time is to read the notice through. */
static void
move_notice(struct archive *a, const struct msg *m)
{
	struct m_notice_publish notice;
	struct m_archived done = { 0 };

	if (get_m_notice_publish(m, &notice) == -1)
		out_of_place(m);
	if (str_copy(done.id, sizeof(done.id), notice.id) == -1)
		fatalx("channel: an id that is too long");
	done.ok = expire_notice(FD_BOXES, &notice) == 0;
	SEND(a, M_ARCHIVED, m->tag, m_archived, &done);
}

static void
answer(struct archive *a, struct msg *m)
{
	switch (m->type) {
	case M_ARCHIVE:
		move_notice(a, m);
		break;
	case M_COMPRESS_FILE:
		if (a->compress != NULL || get_m_document(m, &a->order) == -1)
			out_of_place(m);
		a->compress = compress_new(FD_STORE, a->order.sha256);
		break;
	case M_MATERIAL:
		if (keeper_take(a->keeper, m) == -1)
			out_of_place(m);
		break;
	case M_PASS_KEPT:
		pass_kept(a->pass, clock_monotonic());
		break;
	default:
		out_of_place(m);
	}
	msg_close_fds(m);
}

static void
go_on_compressing(struct archive *a)
{
	struct m_kept k = { 0 };
	int i, more = 1;

	for (i = 0; a->compress != NULL && more && i < STEPS; i++)
		more = compress_step(a->compress, &k.result);
	if (a->compress == NULL || more)
		return;
	compress_free(a->compress);
	a->compress = NULL;
	(void)str_copy(k.sha256, sizeof(k.sha256), a->order.sha256);
	SEND(a, M_COMPRESSED, 0, m_kept, &k);
}

static void
work(struct archive *a)
{
	struct m_document d = { 0 };
	struct m_pass news;
	uint32_t tag;

	if (keeper_step(a->keeper, clock_monotonic(), &tag, &d))
		SEND(a, M_MATERIAL_KEPT, tag, m_document, &d);
	go_on_compressing(a);
	if (pass_step(a->pass, clock_monotonic(), &news))
		SEND(a, M_PASS, 0, m_pass, &news);
}

/* Milliseconds until there is work. */
static int
timeout(const struct archive *a)
{
	usec_t due = keeper_due(a->keeper), left;

	if (a->compress != NULL)
		return 0;
	if (pass_due(a->pass) < due)
		due = pass_due(a->pass);
	left = due - clock_monotonic();
	if (left <= 0)
		return 0;
	return left > 60 * USEC_PER_SEC ? 60000 : (int)((left + 999) / 1000);
}

/* 0, or -1 when muhurd is gone. */
static int
turn(struct archive *a)
{
	struct pollfd pfd = { .fd = a->chan.fd, .events = POLLIN };
	struct msg m;
	int n;

	if (msg_wants_write(&a->chan))
		pfd.events |= POLLOUT;
	if (poll(&pfd, 1, timeout(a)) == -1 && errno != EINTR)
		fatal("poll");
	if ((pfd.revents & POLLOUT) != 0 && msg_flush(&a->chan) == -1)
		fatal("channel");
	if ((pfd.revents & ~POLLOUT) != 0) {
		while ((n = msg_recv(&a->chan, &m)) == 1)
			answer(a, &m);
		if (n == -1 && errno != 0)
			fatal("channel");
		if (n == -1)
			return -1;
	}
	work(a);
	return 0;
}

int
main(int argc, char *argv[])
{
	static const struct sandbox_path paths[] = {
		{ .fd = FD_BOXES, .access = SB_READ | SB_WRITE },
		{ .fd = FD_STORE, .access = SB_READ | SB_WRITE },
		{ .fd = FD_ARCHIVE_SCHEMAS, .access = SB_READ },
	};
	struct archive a = { .compress = NULL };
	struct conf *conf;

	conf = child_init("muhur-archive", argc, argv);
	msg_init(&a.chan, FD_CHANNEL, ROLE_ARCHIVE, ROLE_MUHURD);
	if (sandbox_enter(conf->sandbox, SB_STDIO | SB_PASSFD | SB_RPATH | SB_WPATH | SB_FILEIO |
	    SB_GETDENTS | SB_FLOCK, paths, sizeof(paths) / sizeof(paths[0])) == -1)
		exit(3);
	a.keeper = keeper_new(FD_STORE, FD_ARCHIVE_SCHEMAS);
	a.pass = pass_new(FD_STORE, conf->archive_rehash_rate);
	if (msg_send(&a.chan, M_READY, 0, NULL, 0, NULL, 0) == -1)
		fatal("channel");
	while (turn(&a) == 0)
		continue;
	compress_free(a.compress);
	pass_free(a.pass);
	keeper_free(a.keeper);
	msg_close(&a.chan);
	conf_free(conf);
	return 0;
}
