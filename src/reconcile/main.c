/* SPDX-License-Identifier: ISC */
/*
 * muhur-reconcile: reads records, writes results, by the rules it was given.
 * Its channel to muhurd says no more than that it is ready and, by its end,
 * that it is to stop; its work comes from the queue in the database.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/child.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sandbox.h"
#include "msg/msg.h"
#include "pg/link.h"
#include "pg/store.h"
#include "reconcile/rules.h"
#include "reconcile/run.h"

#define DB_ROLE		"muhur_reconcile"
#define PASSWORD_MAX	4096
#define POLL_TIME	2000	/* ms: looks at the queue unasked */
#define SCHEDULE_TIME	(15 * USEC_PER_SEC)	/* looks at the calendar */

struct worker {
	struct rules	*rules;
	struct link	 link, lane;
	struct run_means means;
	struct msg_chan	 chan;
	usec_t		 next_schedule;	/* clock_monotonic */
};

static int
listen_for_jobs(struct db *db)
{
	return store_listen(db, CHANNEL_JOB);
}

static void
open_link(struct worker *w, const struct conf *conf)
{
	char *password;
	size_t len;

	if (fd_read_all(FD_DB_PASSWORD, PASSWORD_MAX, &password, &len) == -1)
		fatal("the database password");
	link_init(&w->link, conf, DB_ROLE, password, listen_for_jobs);
	link_init(&w->lane, conf, DB_ROLE, password, NULL);
	w->lane.spare = 1;
	explicit_bzero(password, len);
	free(password);
}

static void
log_run(const struct run *run)
{
	log_info("%s version %d (%s): %lld pairs compared, %lld breaks, of them %lld new; %lld cured",
	    run->date_text, run->version, run->cause, run->pairs, run->breaks, run->fresh, run->cured);
}

/* One piece of work.  1 there may be more, 0 nothing to do now. */
static int
work(struct worker *w)
{
	struct run run;
	int rc;

	if (clock_monotonic() >= w->next_schedule) {
		w->next_schedule = clock_monotonic() + SCHEDULE_TIME;
		(void)run_schedule(&w->link.db, w->link.conf);
	}
	if ((rc = run_next(&w->means, &run)) == 1)
		log_run(&run);
	return rc == 1;
}

/* muhurd sends nothing; its end of the channel going away means: stop. */
static void
read_channel(struct worker *w)
{
	struct msg m;
	int rc;

	while ((rc = msg_recv(&w->chan, &m)) == 1) {
		msg_close_fds(&m);
		fatalx("muhurd sent %s, which is not for this process", msg_type_name(m.type));
	}
	if (rc == -1 && errno != 0)
		fatal("channel to muhurd");
	if (rc == -1)
		exit(0);
}

static void
wait_for_events(struct worker *w, int timeout_ms)
{
	struct pollfd p[2] = {
		{ .fd = w->chan.fd, .events = POLLIN },
		{ .fd = link_fd(&w->link), .events = POLLIN },
	};

	if (msg_wants_write(&w->chan))
		p[0].events |= POLLOUT;
	if (poll(p, 2, timeout_ms) == -1) {
		if (errno == EINTR)
			return;
		fatal("poll");
	}
	if (p[0].revents & POLLOUT && msg_flush(&w->chan) == -1)
		exit(0);
	if (p[0].revents & (POLLIN | POLLHUP | POLLERR))
		read_channel(w);
	if (p[1].revents != 0)
		link_input(&w->link, NULL, NULL);	/* it only wakes: the queue says what is to be done */
}

int
main(int argc, char *argv[])
{
	struct worker w = { 0 };
	struct conf *conf = child_init("muhur-reconcile", argc, argv);
	unsigned connects = 0;
	int more;

	open_link(&w, conf);
	if ((w.rules = rules_load(FD_RULES)) == NULL)
		fatalx("the rules cannot be used");
	w.means = (struct run_means){ .db = &w.link.db, .lane = &w.lane, .conf = conf, .rules = w.rules,
	    .scratch = FD_SCRATCH };
	/* Before the sandbox, so that libpq and OpenSSL have loaded what they
	 * load at first use; the connection may fail, later ones too. */
	(void)link_up(&w.link);
	if (sandbox_enter(conf->sandbox, SB_STDIO | SB_PASSFD | SB_SOCKIO | SB_UNIX | SB_FILEIO, NULL, 0) == -1)
		return 3;
	msg_init(&w.chan, FD_CHANNEL, ROLE_RECONCILE, ROLE_MUHURD);
	if (msg_send(&w.chan, M_READY, 0, NULL, 0, NULL, 0) == -1)
		fatalx("channel to muhurd");
	for (;;) {
		more = 0;
		if (link_up(&w.link)) {
			if (w.link.connects != connects)	/* what was due meanwhile */
				w.next_schedule = 0;
			connects = w.link.connects;
			more = work(&w);
		}
		wait_for_events(&w, more ? 0 : link_timeout(&w.link, POLL_TIME));
	}
}
