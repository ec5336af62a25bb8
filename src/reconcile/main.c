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
#include "pg/db.h"
#include "pg/store.h"
#include "reconcile/rules.h"
#include "reconcile/run.h"

#define DB_ROLE		"muhur_reconcile"
#define PASSWORD_MAX	4096
#define POLL_TIME	(2 * USEC_PER_SEC)	/* looks at the queue unasked */
#define SCHEDULE_TIME	(15 * USEC_PER_SEC)	/* looks at the calendar */
#define BACKOFF_FIRST	(USEC_PER_SEC / 2)
#define BACKOFF_MOST	(30 * USEC_PER_SEC)

/* Moments are of clock_monotonic. */
struct worker {
	struct conf	*conf;
	struct rules	*rules;
	char		*password;
	struct db	 db;
	struct msg_chan	 chan;
	usec_t		 next_connect;
	usec_t		 backoff;
	usec_t		 next_schedule;
};

static char *
read_password(void)
{
	char *password;
	size_t len;

	if (fd_read_all(FD_DB_PASSWORD, PASSWORD_MAX, &password, &len) == -1)
		fatal("the database password");
	password[strcspn(password, "\r\n")] = '\0';
	return password;
}

/* Connect when it is time to; a database that is away is waited for. */
static void
try_connect(struct worker *w)
{
	if (db_ok(&w->db) || clock_monotonic() < w->next_connect)
		return;
	db_close(&w->db);
	if (db_connect(&w->db, w->conf, DB_ROLE, w->password) == 0 &&
	    store_listen(&w->db, CHANNEL_JOB) == 0) {
		w->backoff = BACKOFF_FIRST;
		w->next_schedule = 0;
		return;
	}
	db_close(&w->db);
	w->next_connect = clock_monotonic() + w->backoff;
	log_warnx("database: away; next try in %lld ms", (long long)(w->backoff / 1000));
	w->backoff *= 2;
	if (w->backoff > BACKOFF_MOST)
		w->backoff = BACKOFF_MOST;
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

	if (!db_ok(&w->db))
		return 0;
	if (clock_monotonic() >= w->next_schedule) {
		w->next_schedule = clock_monotonic() + SCHEDULE_TIME;
		(void)run_schedule(&w->db, w->conf);
	}
	if ((rc = run_next(&w->db, w->conf, w->rules, &run)) == 1)
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
read_database(struct worker *w)
{
	PGnotify *n;

	if (!PQconsumeInput(w->db.conn))
		log_warnx("database: the connection was lost");
	while ((n = PQnotifies(w->db.conn)) != NULL)
		PQfreemem(n);	/* it only wakes: the queue says what is to be done */
}

static void
wait_for_events(struct worker *w, int timeout_ms)
{
	struct pollfd p[2] = {
		{ .fd = w->chan.fd, .events = POLLIN },
		{ .fd = db_ok(&w->db) ? PQsocket(w->db.conn) : -1, .events = POLLIN },
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
		read_database(w);
}

int
main(int argc, char *argv[])
{
	struct worker w = { .backoff = BACKOFF_FIRST };
	usec_t wait;
	int more;

	w.conf = child_init("muhur-reconcile", argc, argv);
	w.password = read_password();
	if ((w.rules = rules_load(FD_RULES)) == NULL)
		fatalx("the rules cannot be used");
	/* Before the sandbox, so that libpq and OpenSSL have loaded what they
	 * load at first use; the connection may fail, later ones too. */
	try_connect(&w);
	if (sandbox_enter(w.conf->sandbox, SB_STDIO | SB_PASSFD | SB_SOCKIO | SB_UNIX, NULL, 0) == -1)
		return 3;
	msg_init(&w.chan, FD_CHANNEL, ROLE_RECONCILE, ROLE_MUHURD);
	if (msg_send(&w.chan, M_READY, 0, NULL, 0, NULL, 0) == -1)
		fatalx("channel to muhurd");
	for (;;) {
		try_connect(&w);
		more = work(&w);
		wait = POLL_TIME;
		if (!db_ok(&w.db) && w.next_connect - clock_monotonic() < wait)
			wait = w.next_connect - clock_monotonic();
		wait_for_events(&w, more || wait <= 0 ? 0 : (int)((wait + 999) / 1000));
	}
}
