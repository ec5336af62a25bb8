/* SPDX-License-Identifier: ISC */
/*
 * muhur-archive: keeps the boxes.  It may touch the boxes and nothing else:
 * no network, no database, no keys.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "archive/expire.h"
#include "base/child.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "msg/msg.h"
#include "msg/proto.h"

static void
answer(struct msg_chan *chan, const struct msg *m)
{
	struct m_notice_publish notice;
	struct m_archived done = { 0 };
	struct buf b = { 0 };

	if (m->type != M_ARCHIVE || get_m_notice_publish(m, &notice) == -1)
		fatalx("channel: %s is not what muhurd may send here",
		    msg_type_name(m->type));
	if (str_copy(done.id, sizeof(done.id), notice.id) == -1)
		fatalx("channel: an id that is too long");
	done.ok = expire_notice(FD_BOXES, &notice) == 0;
	put_m_archived(&b, &done);
	if (msg_send(chan, M_ARCHIVED, m->tag, b.data, b.len, NULL, 0) == -1)
		fatal("channel");
	buf_free(&b);
}

int
main(int argc, char *argv[])
{
	static const struct sandbox_path paths[] = {
		{ .fd = FD_BOXES, .access = SB_READ | SB_WRITE },
		{ .fd = FD_STORE, .access = SB_READ },
	};
	struct conf *conf;
	struct msg_chan chan;
	struct msg m;
	int n;

	conf = child_init("muhur-archive", argc, argv);
	msg_init(&chan, FD_CHANNEL, ROLE_ARCHIVE, ROLE_MUHURD);
	if (sandbox_enter(conf->sandbox, SB_STDIO | SB_PASSFD | SB_RPATH | SB_WPATH |
	    SB_FILEIO, paths, sizeof(paths) / sizeof(paths[0])) == -1)
		exit(3);
	if (msg_send(&chan, M_READY, 0, NULL, 0, NULL, 0) == -1)
		fatal("channel");
	/* One notice at a time: moving one is a few system calls, and an answer
	 * is small, so the channel's queue is flushed by the waiting below. */
	while ((n = msg_recv_wait(&chan, &m, -1)) == 1)
		answer(&chan, &m);
	if (n == -1 && errno != 0)
		fatal("channel");
	msg_close(&chan);
	conf_free(conf);
	return 0;
}
