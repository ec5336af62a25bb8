/* SPDX-License-Identifier: ISC */
/*
 * Nothing is over because the clock jumped: see base/steady.h.  Of the time
 * before a start the database knows: its newest event, and whether a jump is
 * still not settled.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "load/directory.h"
#include "pg/store.h"

#define HELD "nothing is archived, no waiting submission dropped, no certificate warned of"

/* After a jump that was not settled: is the clock back?  Forward it was put by
 * `by' seconds at that moment; a clock before it, but not before what was time
 * then, has been put back. */
static usec_t
still_by(usec_t wall, usec_t jumped_at, usec_t by)
{
	usec_t	 was = jumped_at - by, slack = CLOCK_JUMP * USEC_PER_SEC;

	if (wall < was - slack)
		return wall - was;
	return by > 0 && wall >= jumped_at - slack ? by : 0;
}

/* How far the clock is from where it may be after a stop: 0 where nothing
 * speaks against it.  *open: a jump is not settled. */
static int
look_back(struct directory *d, usec_t wall, usec_t *by, int *open)
{
	PGresult	*res;
	usec_t		 newest;

	res = db_prepared(&d->link.db, "clock_past", "SELECT (extract(epoch FROM newest) * 1000000)::bigint,"
	    " (extract(epoch FROM jumped_at) * 1000000)::bigint, seconds FROM muhur.clock_past()", 0, NULL);
	if (res == NULL)
		return -1;
	*by = 0;
	*open = !PQgetisnull(res, 0, 1);
	newest = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	if (*open)
		*by = still_by(wall, strtoll(PQgetvalue(res, 0, 1), NULL, 10),
		    strtoll(PQgetvalue(res, 0, 2), NULL, 10) * USEC_PER_SEC);
	else if (!PQgetisnull(res, 0, 0) &&
	    (wall < newest || wall - newest > CLOCK_QUIET * USEC_PER_SEC))
		*by = wall - newest;
	PQclear(res);
	return 0;
}

/* "3 days 4 h 5 min 6 s ahead" */
static void
distance(usec_t by, char *buf, size_t size)
{
	long long	 s = (by < 0 ? -by : by) / USEC_PER_SEC;

	(void)snprintf(buf, size, "%lld days %lld h %lld min %lld s %s", s / 86400, s / 3600 % 24,
	    s / 60 % 60, s % 60, by < 0 ? "behind" : "ahead");
}

static int
keep_event(struct directory *d, const char *kind, usec_t at)
{
	char	 detail[64];

	(void)snprintf(detail, sizeof(detail), "{\"seconds\": %lld}",
	    (long long)(steady_by(&d->steady) / USEC_PER_SEC));
	return store_event(&d->link.db, at, kind, "gateway", 0, 0, detail);
}

/* What was published by a clock that was ahead would stay for too long; what a clock
 * that was behind has cut short, and for longer than it was settled, is over as soon
 * as that is put right.  So each end is worked out anew from when it was shown. */
#define END "least(published_at, $1::timestamptz) + $2::bigint * interval '1 second'"
static int
set_ends(struct directory *d, usec_t wall)
{
	char		 now[TIME_SIZE], retention[24];
	const char	*params[] = { now, retention };

	time_format(wall, now);
	(void)snprintf(retention, sizeof(retention), "%lld", (long long)d->conf->outbox_retention);
	return db_prepared_exec(&d->link.db, "clock_ends",
	    "WITH l AS MATERIALIZED (SELECT no FROM muhur.notice WHERE archived_at IS NULL"
	    " AND published_at IS NOT NULL AND outbox_until <> " END " ORDER BY no FOR UPDATE) "
	    "UPDATE muhur.notice SET outbox_until = " END " WHERE no IN (SELECT no FROM l)",
	    2, params) == -1 ? -1 : 0;
}

/* Both or neither: a start that finds the event does not set the ends any more. */
static int
settled(struct directory *d, usec_t wall)
{
	return directory_begin_durable(d) == -1 || keep_event(d, "clock-settled", wall) == -1 ||
	    set_ends(d, wall) == -1 ? -1 : db_commit(&d->link.db);
}

static int
begin(struct directory *d, usec_t wall, usec_t boot)
{
	char	 how[96];
	usec_t	 by;
	int	 open;

	if (look_back(d, wall, &by, &open) == -1)
		return -1;
	steady_begin(&d->steady, wall, boot, by);
	if (d->steady.held) {
		distance(by, how, sizeof(how));
		log_alarm("clock: %s, by what the database knows: until it has run steadily for %d s, " HELD
		    "%s", how, d->conf->clock_settle,
		    by > 0 && !open ? " (after a stop that was so long all is well)" : "");
		if (keep_event(d, "clock-jumped", wall) == -1)
			return -1;
	} else if (open && settled(d, wall) == -1)
		return -1;
	d->steady_known = 1;
	return 0;
}

int
clock_watch(struct directory *d)
{
	usec_t	 wall = d->clock_wall(), boot = d->clock_boot();
	char	 how[96];

	if (d->conf->clock_settle == 0)
		return 0;
	if (!d->steady_known)
		return begin(d, wall, boot);
	if (d->steady_news == STEADY_SAME)
		d->steady_news = steady_look(&d->steady, wall, boot, d->conf->clock_settle * USEC_PER_SEC);
	distance(steady_by(&d->steady), how, sizeof(how));
	switch (d->steady_news) {
	case STEADY_SAME:
		return 0;
	case STEADY_JUMPED:
		log_alarm("clock: it jumped and is %s: until it is back, or has run steadily for %d s, " HELD,
		    how, d->conf->clock_settle);
		if (keep_event(d, "clock-jumped", wall) == -1)
			return -1;
		break;
	case STEADY_BACK:
	case STEADY_TAKEN:
		if (d->steady_news == STEADY_BACK)
			log_warnx("clock: it is back where it was; nothing is held any more");
		else
			log_warnx("clock: %s as before, it has run steadily: this is the time from now on", how);
		if (settled(d, wall) == -1)
			return -1;
		break;
	}
	d->steady_news = STEADY_SAME;	/* written; until then it is tried again */
	return 0;
}
