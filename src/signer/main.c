/* SPDX-License-Identifier: ISC */
/*
 * muhur-signer: holds the signing key.  It gets typed fields, never bytes to
 * sign; it reads and writes only descriptors it is handed.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/child.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sandbox.h"
#include "msg/msg.h"
#include "msg/proto.h"
#include "signer/job.h"

/* One M_SIGN: always answered, with M_SIGNED or M_SIGN_FAILED. */
static void
sign_one(const struct signer *s, struct msg_chan *c, struct msg *m)
{
	struct notice		*n = xcalloc(1, sizeof(*n));
	struct m_notice_file	 f;
	struct m_notice_id	 id = { 0 };
	struct buf		 b = { 0 };
	int			 lines;

	if (get_notice(m, n) == -1 || m->nfds != (n->line_count > 0 ? 3 : 2))
		fatalx("a malformed request to sign");
	lines = m->nfds == 3 ? m->fds[2] : -1;
	if (signer_run(s, n, m->fds[0], m->fds[1], lines, &f) == 0) {
		put_m_notice_file(&b, &f);
		log_debug("notice %s: signed", n->id);
	} else {
		(void)str_copy(id.id, sizeof(id.id), n->id);
		put_m_notice_id(&b, &id);
		log_alarm("notice %s for %s could not be signed", n->id, n->recipient);
	}
	msg_close_fds(m);
	if (msg_send(c, id.id[0] == '\0' ? M_SIGNED : M_SIGN_FAILED, m->tag, b.data, b.len,
	    NULL, 0) == -1)
		fatal("channel");
	buf_free(&b);
	free(n);
}

/* Waits for requests until muhurd closes the channel. */
static void
serve(const struct signer *s, struct msg_chan *c)
{
	struct msg	m;
	int		got;

	for (;;) {
		if ((got = msg_recv_wait(c, &m, -1)) == 0)
			continue;
		if (got == -1 && errno == 0)
			return;
		if (got == -1)
			fatal("channel");
		if (m.type != M_SIGN)
			fatalx("message %s is none of the signer's", msg_type_name(m.type));
		sign_one(s, c, &m);
	}
}

int
main(int argc, char *argv[])
{
	struct conf	*conf = child_init("muhur-signer", argc, argv);
	struct signer	 s;
	struct msg_chan	 c;

	if (signer_setup(&s, FD_ANCHORS, FD_CRL, FD_SCHEMAS) == -1)
		fatalx("the signer cannot work");
	close(FD_ANCHORS);
	close(FD_CRL);
	close(FD_SCHEMAS);
	msg_init(&c, FD_CHANNEL, ROLE_SIGNER, ROLE_MUHURD);
	if (sandbox_enter(conf->sandbox, SB_STDIO | SB_PASSFD | SB_FILEIO, NULL, 0) == -1)
		fatalx("no sandbox");
	if (msg_send(&c, M_READY, 0, NULL, 0, NULL, 0) == -1)
		fatal("channel");
	serve(&s, &c);
	msg_close(&c);
	signer_reset(&s);
	conf_free(conf);
	return 0;
}
