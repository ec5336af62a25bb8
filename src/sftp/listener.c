/* SPDX-License-Identifier: ISC */
/*
 * Takes connections and hands each to muhurd, which starts a session for it.
 * Counts them, in all and by address; reads nothing of what a peer sends.
 */
#include "config.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sandbox.h"
#include "sftp/session.h"

#define PAUSE_MS	1000	/* after accept4 found no descriptor or memory */
#define ACCEPT_BATCH	64	/* connections taken before muhurd is heard again */

struct listener {
	const struct conf *conf;
	struct msg_chan	 chan;
	struct m_peer	*peers;		/* conf->max_sessions of them */
	int		 count;
	int		 pause;		/* do not accept for PAUSE_MS */
	usec_t		 warned;	/* when a refusal was logged last */
};

static int
describe_peer(const struct sockaddr_storage *ss, struct m_peer *peer)
{
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;

	memset(peer, 0, sizeof(*peer));
	switch (ss->ss_family) {
	case AF_INET:
		peer->port = ntohs(in4->sin_port);
		return inet_ntop(AF_INET, &in4->sin_addr, peer->address,
		    sizeof(peer->address)) != NULL ? 0 : -1;
	case AF_INET6:
		peer->port = ntohs(in6->sin6_port);
		return inet_ntop(AF_INET6, &in6->sin6_addr, peer->address,
		    sizeof(peer->address)) != NULL ? 0 : -1;
	default:
		return -1;
	}
}

/* NULL when one more is welcome, else why not. */
static const char *
refuse(const struct listener *l, const struct m_peer *peer)
{
	int i, same = 0;

	if (l->count >= l->conf->max_sessions)
		return "there are max_sessions connections";
	for (i = 0; i < l->count; i++)
		same += strcmp(l->peers[i].address, peer->address) == 0;
	if (same >= l->conf->max_sessions_per_address)
		return "there are max_sessions_per_address connections from there";
	return NULL;
}

static void
take(struct listener *l, int fd, const struct m_peer *peer)
{
	struct buf b = { 0 };
	const char *why;

	if ((why = refuse(l, peer)) != NULL) {
		/* Once a second at most: a flood must not fill the log. */
		if (clock_monotonic() - l->warned > USEC_PER_SEC) {
			log_warnx("connection from %s refused: %s", peer->address, why);
			l->warned = clock_monotonic();
		}
		(void)close(fd);
		return;
	}
	l->peers[l->count++] = *peer;
	put_m_peer(&b, peer);
	if (msg_send(&l->chan, M_SESSION_NEW, 0, b.data, b.len, &fd, 1) == -1)
		fatalx("muhurd is gone");
	buf_free(&b);
}

static void
accept_some(struct listener *l)
{
	struct sockaddr_storage ss;
	struct m_peer peer;
	socklen_t len;
	int fd, i;

	for (i = 0; i < ACCEPT_BATCH; i++) {
		len = sizeof(ss);
		fd = accept4(FD_LISTEN, (struct sockaddr *)&ss, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd == -1) {
			if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO)
				continue;
			if (errno == EAGAIN || errno == EWOULDBLOCK)
				return;
			if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS &&
			    errno != ENOMEM && errno != EPERM)
				fatal("accept");
			log_alarm("a connection cannot be accepted: %s", strerror(errno));
			l->pause = 1;
			return;
		}
		if (describe_peer(&ss, &peer) == -1) {
			(void)close(fd);
			continue;
		}
		take(l, fd, &peer);
	}
}

static void
forget(struct listener *l, const struct m_peer *peer)
{
	int i;

	for (i = 0; i < l->count; i++)
		if (l->peers[i].port == peer->port &&
		    strcmp(l->peers[i].address, peer->address) == 0) {
			l->peers[i] = l->peers[--l->count];
			return;
		}
	log_warnx("muhurd ended a session that was not counted: %s", peer->address);
}

static void
read_muhurd(struct listener *l)
{
	struct m_peer peer;
	struct msg m;
	int rc;

	while ((rc = msg_recv(&l->chan, &m)) == 1) {
		if (m.type != M_SESSION_END || get_m_peer(&m, &peer) == -1)
			fatalx("muhurd sent what the listener does not take (%s)",
			    msg_type_name(m.type));
		forget(l, &peer);
	}
	if (rc == -1) {
		log_info("muhurd ended it");
		exit(0);
	}
}

int
listener_main(const struct conf *conf)
{
	struct listener l = { .conf = conf };
	struct pollfd p[2];

	l.peers = xcalloc((size_t)conf->max_sessions, sizeof(*l.peers));
	msg_init(&l.chan, FD_CHANNEL, ROLE_LISTENER, ROLE_MUHURD);
	if (set_nonblock(FD_LISTEN) == -1)
		fatal("the listening socket");
	if (sandbox_enter(conf->sandbox, SB_STDIO | SB_PASSFD | SB_ACCEPT | SB_SOCKIO,
	    NULL, 0) == -1)
		fatalx("the sandbox cannot be entered");
	if (msg_send(&l.chan, M_READY, 0, NULL, 0, NULL, 0) == -1)
		fatalx("muhurd is gone");
	for (;;) {
		p[0] = (struct pollfd){ .fd = l.chan.fd, .events = POLLIN };
		if (msg_wants_write(&l.chan))
			p[0].events |= POLLOUT;
		p[1] = (struct pollfd){ .fd = l.pause ? -1 : FD_LISTEN, .events = POLLIN };
		if (poll(p, 2, l.pause ? PAUSE_MS : -1) == -1) {
			if (errno == EINTR)
				continue;
			fatal("poll");
		}
		l.pause = 0;
		if (msg_wants_write(&l.chan) && msg_flush(&l.chan) == -1)
			fatalx("muhurd is gone");
		if (p[0].revents != 0)
			read_muhurd(&l);
		if (p[1].revents != 0)
			accept_some(&l);
	}
}
