/* SPDX-License-Identifier: ISC */
/*
 * muhur-signer: holds the signing key, or speaks to the token that holds it.
 * It gets typed fields, never bytes to sign; it reads and writes only
 * descriptors it is handed.  A token's module does more than that; what, the
 * operator says, and only with such a key it may.
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

#define LONG_NOTICE	10000	/* lines: a thread's start is nothing beside them */

/* One M_SIGN: always answered, with M_SIGNED or M_SIGN_FAILED. */
static void
sign_one(const struct signer *s, struct msg_chan *c, struct msg *m)
{
	struct notice		*n = xcalloc(1, sizeof(*n));
	struct m_notice_file	 f;
	struct m_notice_id	 id = { 0 };
	struct buf		 b = { 0 };
	int			 lines;

	if (get_notice(m, n) == -1 || m->nfds != (n->line_count > 0 ? 2 : 1))
		fatalx("a malformed request to sign");
	lines = m->nfds == 2 ? m->fds[1] : -1;
	if (signer_run(s, n, m->fds[0], lines, &f) == 0) {
		put_m_notice_file(&b, &f);
		log_debug("notice %s: signed", n->id);
	} else {
		(void)str_copy(id.id, sizeof(id.id), n->id);
		put_m_notice_id(&b, &id);	/* muhurd says that it will be tried again */
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

static int
setup(struct signer *s, const struct conf *conf)
{
	size_t	i;

	if (!conf->signing_token)
		return signer_setup(s, FD_ANCHORS, FD_CRL, FD_SCHEMAS);
	for (i = 0; i < conf->signing_module_env.n; i++)
		if (putenv(conf->signing_module_env.v[i]) != 0)
			fatal("environment");
	return signer_setup_token(s, FD_ANCHORS, conf->signing_key, conf->signing_module,
	    conf->signing_pin_file != NULL ? FD_CRL : -1, (unsigned)conf->signing_timeout,
	    FD_SCHEMAS);
}

/* A thread checks a long notice; a token's module may be one that is not to have any. */
static int
may_thread(const struct conf *conf)
{
	return !conf->signing_token || conf->signing_module_thread;
}

/* With a key in PEM no file can be opened and no socket made. */
static int
enter_sandbox(const struct conf *conf)
{
	const struct conf_list	*r = &conf->signing_module_read, *w = &conf->signing_module_write;
	struct sandbox_path	*paths = NULL;
	unsigned		 promises = SB_STDIO | SB_PASSFD | SB_FILEIO |
	    (may_thread(conf) ? SB_THREAD : 0);
	size_t			 i, n = 0;
	int			 rc;

	if (conf->signing_token) {
		paths = xcalloc(r->n + w->n, sizeof(*paths));
		for (i = 0; i < r->n; i++)
			paths[n++] = (struct sandbox_path){ -1, r->v[i], SB_READ };
		for (i = 0; i < w->n; i++)
			paths[n++] = (struct sandbox_path){ -1, w->v[i], SB_READ | SB_WRITE };
		promises |= SB_RPATH | SB_GETDENTS | SB_FLOCK | (w->n > 0 ? SB_WPATH : 0) |
		    (conf->signing_module_unix ? SB_UNIX | SB_SOCKIO : 0);
	}
	rc = sandbox_enter(conf->sandbox, promises, paths, n);
	free(paths);
	return rc;
}

int
main(int argc, char *argv[])
{
	struct conf	*conf = child_init("muhur-signer", argc, argv);
	struct signer	 s;
	struct msg_chan	 c;

	if (setup(&s, conf) == -1)
		fatalx("the signer cannot work");
	close(FD_ANCHORS);
	close(FD_CRL);
	close(FD_SCHEMAS);
	msg_init(&c, FD_CHANNEL, ROLE_SIGNER, ROLE_MUHURD);
	if (enter_sandbox(conf) == -1)
		fatalx("no sandbox");
	s.check_from = may_thread(conf) ? LONG_NOTICE : 0;
	/* A token that is away is an alarm, and keeps no file from being taken:
	 * notices wait for it. */
	(void)signing_key_ready(s.key);
	if (msg_send(&c, M_READY, 0, NULL, 0, NULL, 0) == -1)
		fatal("channel");
	serve(&s, &c);
	msg_close(&c);
	signer_reset(&s);
	conf_free(conf);
	return 0;
}
