/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/signalfd.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "muhurd/disk.h"
#include "muhurd/fetch.h"
#include "muhurd/flow.h"
#include "muhurd/keep.h"
#include "muhurd/loop.h"
#include "muhurd/notices.h"
#include "muhurd/pair.h"
#include "muhurd/proc.h"
#include "muhurd/publish.h"
#include "muhurd/session.h"
#include "muhurd/setup.h"
#include "muhurd/spool.h"
#include "muhurd/sweep.h"

#define TICK_EVERY	(USEC_PER_SEC / 10)
#define CRLS_EVERY	(USEC_PER_SEC / 4)	/* what was fetched is looked at */
#define POLL_MS		250	/* timers are looked at this often at least */
#define STOP_SECONDS	5
#define DISK_SECONDS	2	/* of these, for requests at work and their answers */
#define CLOSE_SECONDS	1	/* of these, for sessions to say what was fetched, and for recording it */
#define FIXED_POLLFDS	2	/* signals, disk */

enum stop_phase { RUNNING, ANSWERING, CLOSING, ENDING };

struct loop {
	struct gateway	*gw;
	int		 signals;
	struct pollfd	*pfds;
	size_t		 size;
	usec_t		 tick_at;
	enum stop_phase	 phase;
	usec_t		 end_at;	/* when answering ends */
};

int
loop_signals(void)
{
	static const int handled[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t set;
	size_t i;

	/* SIGIO: somebody wants to open a leased file for writing; that only makes
	 * it wait, or fail */
	if (sigaction(SIGPIPE, &ignore, NULL) == -1 || sigaction(SIGIO, &ignore, NULL) == -1)
		return -1;
	(void)sigemptyset(&set);
	for (i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
		(void)sigaddset(&set, handled[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* --- ready, stopping ----------------------------------------------------------- */

static void
remove_port(struct gateway *gw)
{
	if (unlinkat(gw->tree.state, "port", 0) == -1 && errno != ENOENT)
		log_warn("state_dir: port");
}

static void
become_ready(struct gateway *gw)
{
	char text[16];
	int n;

	n = snprintf(text, sizeof(text), "%d\n", gw->port);
	if (n < 0 || file_write_durable(gw->tree.state, "port", text, (size_t)n, 0644) == -1) {
		log_alarm("state_dir: the file port cannot be written: the gateway stops");
		gw->failed = 1;
		return;
	}
	gw->ready = 1;
	log_info("ready on %s port %d", gw->conf->listen_address, gw->port);
}

static void
begin_stop(struct loop *l)
{
	struct gateway *gw = l->gw;
	struct child *listener = children_of(gw, ROLE_LISTENER);
	usec_t now = clock_monotonic();

	log_info("stopping");
	gw->stopping = 1;
	gw->stop_by = now + STOP_SECONDS * USEC_PER_SEC;
	l->phase = ANSWERING;
	l->end_at = now + DISK_SECONDS * USEC_PER_SEC;
	remove_port(gw);
	sessions_stop(gw);
	if (listener != NULL)
		child_end(listener, STOP_SECONDS);
}

/* What was asked before is answered, then the sessions close, and when it is
 * recorded what they had fetched every other channel does. */
static void
go_on_stopping(struct loop *l, usec_t now)
{
	struct gateway *gw = l->gw;
	struct child *c;
	int waiting = disk_pending(gw->disk) > 0;

	if (l->phase == ENDING)
		return;
	for (c = children_first(gw); c != NULL; c = c->next)
		if (c->role == ROLE_SESSION && (l->phase == CLOSING ||
		    (msg_wants_write(&c->chan) && !c->eof)))
			waiting = 1;
	if (l->phase == CLOSING && fetches_waiting(gw) > 0)
		waiting = 1;
	if (waiting && now < l->end_at)
		return;
	if (l->phase == ANSWERING) {
		l->phase = CLOSING;
		l->end_at = now + CLOSE_SECONDS * USEC_PER_SEC;
		sessions_end(gw, CLOSE_SECONDS);
		return;
	}
	l->phase = ENDING;
	children_end_all(gw);
}

/* --- events ----------------------------------------------------------------------- */

static void
take_signals(struct loop *l)
{
	struct signalfd_siginfo info;

	while (read(l->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			children_reap(l->gw);
			break;
		case SIGHUP:
			if (l->gw->stopping)
				break;
			log_info("anchors and revocation lists are read again");
			if (setup_reopen_trust(l->gw)) {
				pairs_renew(l->gw);
				keep_material(l->gw);
			}
			break;
		default:
			if (l->phase == RUNNING)
				begin_stop(l);
			break;
		}
	}
}

/* `muhur crl refresh' need not know which gateways use what it fetched, nor have
 * the right to signal them: they look. */
static void
crls_tick(struct gateway *gw, usec_t now)
{
	if (now < gw->crls_at)
		return;
	gw->crls_at = now + CRLS_EVERY;
	if (setup_crls_changed(gw)) {
		log_info("fetched revocation lists are read again");
		pairs_renew(gw);
		keep_material(gw);
	}
}

static int
wait_for_events(struct loop *l)
{
	struct gateway *gw = l->gw;
	size_t need = children_count(gw) + FIXED_POLLFDS, n;
	int rc;

	if (need > l->size) {
		l->size = need + 64;
		l->pfds = xreallocarray(l->pfds, l->size, sizeof(*l->pfds));
	}
	l->pfds[0] = (struct pollfd){ .fd = l->signals, .events = POLLIN };
	l->pfds[1] = (struct pollfd){ .fd = disk_fd(gw->disk), .events = POLLIN };
	n = FIXED_POLLFDS + children_poll(gw, l->pfds + FIXED_POLLFDS, l->size - FIXED_POLLFDS);
	rc = poll(l->pfds, (nfds_t)n, POLL_MS);
	if (rc == -1 && errno != EINTR) {
		log_alarm("poll");
		return -1;
	}
	return rc;
}

static void
turn(struct loop *l)
{
	struct gateway *gw = l->gw;
	usec_t now;

	if (wait_for_events(l) > 0) {
		/* messages before deaths; answers of the disk before new requests */
		if (l->pfds[1].revents != 0)
			disk_reap(gw->disk);
		children_serve(gw);
		if (l->pfds[0].revents != 0)
			take_signals(l);
	}
	now = clock_monotonic();
	children_tick(gw, now);
	if (gw->failed && l->phase == RUNNING)
		begin_stop(l);
	if (l->phase != RUNNING)
		go_on_stopping(l, now);
	else if (now >= l->tick_at) {
		l->tick_at = now + TICK_EVERY;
		pairs_tick(gw, now);
		flow_tick(gw, now);
		notices_tick(gw, now);
		sessions_tick(gw, now);
		sweep_tick(gw, now);
		crls_tick(gw, now);
		if (!gw->ready && children_ready(gw) && pairs_ready(gw))
			become_ready(gw);
	}
}

int
loop_run(struct gateway *gw, int signals)
{
	struct loop l = { .gw = gw, .signals = signals };

	remove_port(gw);
	spool_clean_tmp(&gw->tree);
	flow_rescan(gw, 1);
	children_start_fixed(gw);
	while (l.phase != ENDING || children_count(gw) > 0)
		turn(&l);
	disk_stop(gw->disk);
	gw->disk = NULL;
	free(l.pfds);
	log_info("stopped");
	return gw->failed ? 3 : 0;
}
