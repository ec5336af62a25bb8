/* SPDX-License-Identifier: ISC */
/* Which days are due by the calendar. */
#include "config.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/header.h"
#include "pg/queue.h"
#include "reconcile/run.h"

/* Literals of PostgreSQL arrays, one element for each day and message type. */
struct cutoffs {
	struct buf	 day, type, at;
};

static void
cutoffs_add(struct cutoffs *c, date_t day, enum message_type t, usec_t at)
{
	char date[DATE_SIZE], when[TIME_SIZE];
	const char *sep = c->day.len == 0 ? "{" : ",";

	date_format(day, date);
	time_format(at, when);
	(void)buf_printf(&c->day, "%s%s", sep, date);
	(void)buf_printf(&c->type, "%s%s", sep, message_type_name(t));
	(void)buf_printf(&c->at, "%s\"%s\"", sep, when);
}

static void
cutoffs_make(struct cutoffs *c, const struct conf *conf, date_t last)
{
	enum message_type t;
	date_t day;

	for (day = last - SCHEDULE_DAYS; day <= last; day++)
		for (t = 0; t < MT_COUNT; t++)
			if (message_type_class(t) == MC_DAY)
				cutoffs_add(c, day, t, conf_cutoff(conf, message_type_name(t), day));
	(void)buf_puts(&c->day, "}");
	(void)buf_puts(&c->type, "}");
	(void)buf_puts(&c->at, "}");
}

/*
 * $1 the first day, $2 now, $3 to $5 the cut-offs.  A day counts where some
 * contract was valid and both its parties had been enrolled by its last
 * cut-off: what happened before a member joined is nobody's missing report.
 */
#define DUE_AT_CUTOFF \
	"SELECT d.day, 'cut-off' FROM (SELECT day, max(at) AS last FROM cutoff GROUP BY day) d " \
	"WHERE NOT EXISTS (SELECT FROM muhur.reconcile_job j WHERE j.business_date = d.day) " \
	"AND EXISTS (SELECT FROM muhur.contract k " \
	"  JOIN muhur.member p ON p.code = k.platform JOIN muhur.member c ON c.code = k.custodian " \
	"  WHERE k.valid_from <= d.day AND (k.valid_to IS NULL OR k.valid_to >= d.day) " \
	"  AND p.state <> 'closed' AND c.state <> 'closed' AND greatest(p.created_at, c.created_at) <= d.last) " \
	"AND ((d.last <= $2 AND NOT EXISTS (SELECT FROM muhur.reconcile_run r WHERE r.business_date = d.day)) " \
	"  OR EXISTS (SELECT FROM muhur.owed(d.day) o JOIN cutoff c USING (message_type) " \
	"    WHERE NOT o.is_in AND c.day = d.day AND c.at <= $2 AND c.at > coalesce((SELECT max(r.started_at) " \
	"      FROM muhur.reconcile_run r WHERE r.business_date = d.day), '-infinity')))"

/* Days whose newest run holds other submissions than are in effect, or was
 * built on another day before it. */
#define OUT_OF_DATE \
	"SELECT r.business_date, 'correction' FROM (SELECT DISTINCT ON (business_date) no, business_date " \
	"  FROM muhur.reconcile_run WHERE business_date >= $1::date " \
	"  ORDER BY business_date, version DESC) r " \
	"WHERE NOT EXISTS (SELECT FROM muhur.reconcile_job j WHERE j.business_date = r.business_date) " \
	"AND (muhur.is_outdated(r.no) OR EXISTS ((SELECT no FROM muhur.submission s " \
	"    WHERE s.business_date = r.business_date AND s.state = 'accepted' AND s.message_type IN (" DAY_TYPES ") " \
	"    EXCEPT SELECT submission FROM muhur.reconcile_input i WHERE i.run = r.no) " \
	"  UNION ALL (SELECT submission FROM muhur.reconcile_input i WHERE i.run = r.no " \
	"    EXCEPT SELECT no FROM muhur.submission s WHERE s.business_date = r.business_date " \
	"    AND s.state = 'accepted')))"

static const char due[] =
	"WITH cutoff AS MATERIALIZED (SELECT * FROM unnest($3::date[], $4::text[], $5::timestamptz[]) "
	"  AS c (day, message_type, at)) "
	DUE_AT_CUTOFF " UNION ALL " OUT_OF_DATE " ORDER BY 1";

static int
queue_due(struct db *db, const struct conf *conf, usec_t now)
{
	usec_t not_before = now + conf->reconcile_delay * USEC_PER_SEC;
	date_t last = last_closed_day(now), day;
	char first[DATE_SIZE], when[TIME_SIZE];
	struct cutoffs c = { 0 };
	const char *params[5] = { first, when };
	PGresult *res;
	int i, rc = -1;

	date_format(last - SCHEDULE_DAYS, first);
	time_format(now, when);
	cutoffs_make(&c, conf, last);
	params[2] = c.day.data;
	params[3] = c.type.data;
	params[4] = c.at.data;
	if ((res = db_query(db, NULL, due, 5, params)) == NULL)
		goto out;
	for (i = 0; i < PQntuples(res); i++)
		if (date_parse(PQgetvalue(res, i, 0), &day) == -1 ||
		    queue_add(db, day, not_before, PQgetvalue(res, i, 1)) == -1)
			goto out;
	rc = 0;
out:
	PQclear(res);
	buf_free(&c.day);
	buf_free(&c.type);
	buf_free(&c.at);
	return rc;
}

int
run_schedule(struct db *db, const struct conf *conf)
{
	/* one worker looks at a time, so that a day is queued once */
	if (db_begin(db) == 0 && db_exec(db, "SELECT pg_advisory_xact_lock(hashtext('muhur.schedule'))",
	    0, NULL) != -1 && queue_due(db, conf, clock_now()) == 0 && db_commit(db) == 0)
		return 0;
	(void)db_rollback(db);
	return -1;
}
