/* SPDX-License-Identifier: ISC */
/*
 * muhur status --day: what happened about one business day, whenever it
 * happened.  Of what has no readable business date the moment of receipt counts:
 * a day is reported about on the next one.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "muhur/status.h"

/* $1 the day; $2, $3 from when to when it is reported about. */
#define SUBMISSIONS "s AS MATERIALIZED (SELECT no, member_code, coalesce(message_type, '-') AS type, state " \
	"FROM muhur.submission WHERE business_date = $1::date OR (business_date IS NULL " \
	"AND received_at >= $2::timestamptz AND received_at < $3::timestamptz))"
/* Its notices: about those submissions, of its runs, and the others of its date. */
#define NOTICES SUBMISSIONS ", i AS (SELECT n.* FROM s JOIN muhur.notice n ON n.submission = s.no " \
	"UNION ALL SELECT n.* FROM muhur.reconcile_run r JOIN muhur.notice n ON n.run = r.no " \
	"WHERE r.business_date = $1::date AND n.submission IS NULL " \
	"UNION ALL SELECT n.* FROM muhur.notice n WHERE n.day = $1::date AND n.submission IS NULL AND n.run IS NULL), " \
	/* when a user of its member first had all of it */ \
	"x AS (SELECT i.*, (SELECT min(f.whole_at) FROM muhur.notice_fetch f WHERE f.notice = i.no AND f.whole " \
	"AND left(f.user_code, -3) = i.recipient) AS fetched_at FROM i)"

struct part {
	const char	*key;		/* in JSON */
	const char	*title;
	const char	*none;		/* said where there are no rows */
	const char	*sql;
	int		 nparams;
	const char	*const *names;	/* for JSON */
	const char	*const *people;	/* for the table; NULL: the same */
};

static const char *const submission_names[] = { "member", "messageType", "#received", "#accepted", "#rejected",
	"#waiting", "#other", "@reasons", "+reasonCodes" };
static const char *const submission_people[] = { "member", "messageType", "#received", "#accepted", "#rejected",
	"#waiting", "#other", "-reasons", "reasonCodes" };
static const char *const missing_names[] = { "member", "messageType", "memberState" };
static const char *const run_names[] = { "#version", "cause", "startedAt", "#pairs", "#breaks" };
static const char *const break_names[] = { "rule", "#new", "#continuing", "#cured" };
static const char *const notice_names[] = { "kind", "level", "#made", "#signed", "#published", "#fetched", "#archived" };
static const char *const late_names[] = { "member", "memberState", "#notices", "#fetchedLate", "oldest", "oldestSignedAt" };

static const struct part parts[] = {
	{ "submissions", "submissions", "none came",
	    "WITH " SUBMISSIONS ", c AS (SELECT x.member_code, x.type, r.code, count(DISTINCT r.submission) AS n "
	    "FROM s x JOIN muhur.submission_reason r ON r.submission = x.no WHERE x.state = 'rejected' GROUP BY 1, 2, 3) "
	    "SELECT s.member_code, s.type, count(*), count(*) FILTER (WHERE state IN ('accepted', 'replaced')), "
	    "count(*) FILTER (WHERE state = 'rejected'), count(*) FILTER (WHERE state IN ('received', 'held', 'waiting')), "
	    "count(*) FILTER (WHERE state IN ('repeated', 'cancelled')), "
	    "coalesce((SELECT json_object_agg(c.code, c.n ORDER BY c.code) FROM c "
	    "WHERE c.member_code = s.member_code AND c.type = s.type), '{}'), "
	    "(SELECT string_agg(c.code || ' ' || c.n, ', ' ORDER BY c.code) FROM c "
	    "WHERE c.member_code = s.member_code AND c.type = s.type) "
	    "FROM s GROUP BY s.member_code, s.type ORDER BY s.member_code COLLATE \"C\", s.type COLLATE \"C\"",
	    3, submission_names, submission_people },
	{ "missing", "reports that are missing", "none",
	    "SELECT o.member_code, o.message_type, m.state FROM muhur.owed($1::date) o "
	    "JOIN muhur.member m ON m.code = o.member_code WHERE NOT o.is_in "
	    "ORDER BY o.member_code COLLATE \"C\", o.message_type COLLATE \"C\"", 1, missing_names, NULL },
	{ "runs", "reconciliation", "no run yet",
	    "SELECT version, cause, " SQL_TIME("started_at") ", pairs, breaks FROM muhur.reconcile_run "
	    "WHERE business_date = $1::date ORDER BY version", 1, run_names, NULL },
	{ "breaks", "breaks in the newest run", "none",
	    "SELECT b.rule, count(*) FILTER (WHERE f.status = 'new'), count(*) FILTER (WHERE f.status = 'continuing'), "
	    "count(*) FILTER (WHERE f.status = 'cured') FROM muhur.finding f JOIN muhur.break b ON b.id = f.break_id "
	    "WHERE f.run = (SELECT no FROM muhur.reconcile_run WHERE business_date = $1::date ORDER BY version DESC LIMIT 1) "
	    "GROUP BY b.rule ORDER BY length(b.rule), b.rule COLLATE \"C\"", 1, break_names, NULL },
	{ "notices", "notices", "none",
	    "WITH " NOTICES " SELECT kind, level, count(*), count(sha256), "
	    "count(*) FILTER (WHERE published_at IS NOT NULL), count(fetched_at), count(archived_at) "
	    "FROM x GROUP BY kind, level ORDER BY kind COLLATE \"C\", level COLLATE \"C\"", 3, notice_names, NULL },
	{ "notFetchedInTime", "not fetched in time", "none",
	    "WITH " NOTICES " SELECT x.recipient, m.state, count(*), count(x.fetched_at), "
	    "(array_agg(x.file_name ORDER BY x.signed_at, x.no))[1], " SQL_TIME("min(x.signed_at)") " "
	    "FROM x JOIN muhur.member m ON m.code = x.recipient "
	    "WHERE x.signed_at + $4::bigint * interval '1 second' < coalesce(x.fetched_at, $5::timestamptz) "
	    "GROUP BY x.recipient, m.state ORDER BY x.recipient COLLATE \"C\"", 5, late_names, NULL },
};

int
summary_print(struct cmd *c, const char *date)
{
	char from[TIME_SIZE], until[TIME_SIZE], now[TIME_SIZE], within[24];
	const char *params[5] = { date, from, until, within, now };
	json_t *o = json_object();
	PGresult *res;
	date_t day;
	size_t i;

	if (cmd_date_ok(date) == -1 || date_parse(date, &day) == -1)
		return EXIT_USAGE;
	time_format(day_close(day), from);
	time_format(day_close(day + 1), until);
	(void)snprintf(within, sizeof(within), "%d", cmd_conf(c)->fetch_within);
	(void)cmd_now(c, now);
	json_object_set_new(o, "businessDate", json_string(date));
	json_object_set_new(o, "at", json_string(now));
	if (!c->json)
		printf("business day %s, as of %.19sZ\n", date, now);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const struct part *p = &parts[i];

		res = cmd_query(c, p->sql, p->nparams, params);
		if (c->json) {
			json_object_set_new(o, p->key, cmd_array(res, p->names));
			continue;
		}
		printf("\n%s%s%s\n", p->title, PQntuples(res) == 0 ? ": " : "", PQntuples(res) == 0 ? p->none : "");
		if (PQntuples(res) > 0)
			cmd_rows(c, res, p->people == NULL ? p->names : p->people);
		PQclear(res);
	}
	if (c->json)
		cmd_json(o);
	else
		json_decref(o);
	return EXIT_YES;
}
