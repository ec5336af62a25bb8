/* SPDX-License-Identifier: ISC */
/*
 * What a day hands on to the days after it, as one digest.  A day that was
 * built on another digest than the day before has now is run again, and so on
 * until a day hands on what it did before: then everything is as if it had
 * come in order.
 */
#include "config.h"

#include "base/log.h"
#include "pg/queue.h"
#include "reconcile/run.h"

#define HASH(text)	"encode(sha256(convert_to(" text ", 'UTF8')), 'hex')"
#define JOINED		"coalesce((SELECT string_agg(l, E'\\n' ORDER BY l COLLATE \"C\") FROM line), '')"

/*
 * Whatever days later may still look back at: standing data, breaches, which are
 * counted by the month and have a day by which to be cured, and since when a
 * member sends what it then owes each day (muhur.owed).  A day with nothing of
 * its own hands on what it got, so that it makes no difference whether it was
 * ever run.
 */
static const char store_chain[] =
	"WITH line AS (SELECT concat_ws('|', 'standing', s.message_type, s.member_code, s.message_id, s.sha256) AS l "
	"    FROM muhur.submission s WHERE s.state = 'accepted' AND s.business_date = $2::date "
	"    AND s.message_type IN ('ListingNotice', 'ReferenceData', 'RegistrationRequest') "
	"  UNION ALL SELECT ROW('breach', b.rule, b.platform, b.custodian, b.asset, b.at, b.occurrences, b.cure_by)::text "
	"    FROM muhur.limit_result b WHERE b.run = $1::bigint AND b.status = 'breach' "
	"  UNION ALL SELECT DISTINCT concat_ws('|', 'begun', s.message_type, s.member_code) "
	"    FROM muhur.reconcile_input i JOIN muhur.submission s ON s.no = i.submission WHERE i.run = $1::bigint "
	"    AND s.message_type IN ('MovementReport', 'NettingReport', 'HoldingReport') "
	"    AND NOT EXISTS (SELECT FROM muhur.submission o WHERE o.message_type = s.message_type "
	"        AND o.member_code = s.member_code AND o.state = 'accepted' AND o.business_date < $2::date)), "
	"got AS (SELECT (SELECT e.chain FROM muhur.reconcile_run e WHERE e.no = r.earlier) AS chain "
	"    FROM muhur.reconcile_run r WHERE r.no = $1::bigint) "
	"UPDATE muhur.reconcile_run r SET chain = CASE WHEN EXISTS (SELECT FROM line) "
	"    THEN " HASH("concat_ws(E'\\n', got.chain, " JOINED ")") " ELSE got.chain END "
	"FROM got WHERE r.no = $1::bigint";

/* What the next day looks at: closing balances (R3), what custodians kept where R6
 * is judged within the day by it, what is found, since when and from which reports
 * (schemas/rules/R99-unjudged.sql), but for the breaks of one day, and the same of
 * assets (R13). */
static const char store_carry[] =
	"WITH line AS (SELECT concat_ws('|', 'kept', s.member_code, s.message_id, s.sha256) AS l "
	"    FROM muhur.reconcile_input i JOIN muhur.submission s ON s.no = i.submission "
	"    JOIN muhur.reconcile_run r ON r.no = i.run "
	"    WHERE i.run = $1::bigint AND (s.message_type = 'BalanceReport' OR (s.message_type = 'CustodyReport' "
	"        AND muhur.parameter('R6.intraday_custody', r.business_date + 1) = 'opening')) "
	"  UNION ALL SELECT concat_ws('|', 'found', f.break_id, f.first_seen, "
	"        (SELECT string_agg(concat_ws(' ', s.message_type, s.member_code, s.message_id, s.sha256), '|' "
	"            ORDER BY s.member_code COLLATE \"C\", s.message_id COLLATE \"C\") "
	"            FROM muhur.submission s WHERE s.no = ANY (f.submissions))) "
	"    FROM muhur.finding f JOIN muhur.break b ON b.id = f.break_id "
	"    WHERE f.run = $1::bigint AND f.status <> 'cured' AND NOT (" OF_ONE_DAY ") "
	"  UNION ALL SELECT concat_ws('|', 'since', a.platform, a.asset, a.since) "
	"    FROM muhur.platform_asset_since a WHERE a.run = $1::bigint) "
	"UPDATE muhur.reconcile_run r SET carry = " HASH("concat_ws(E'\\n', 'chain|' || r.chain, " JOINED ")")
	"WHERE r.no = $1::bigint";

int
carry_store(struct db *db, const struct run *run)
{
	const char *params[] = { run->no_text, run->date_text };

	return db_exec(db, store_chain, 2, params) == 1 && db_exec(db, store_carry, 1, params) == 1 ? 0 : -1;
}

static const char next_day[] =
	"SELECT n.business_date FROM (SELECT no, business_date FROM muhur.reconcile_run "
	"    WHERE business_date > $1::date AND business_date >= $2::date "
	"    ORDER BY business_date, version DESC LIMIT 1) n WHERE muhur.is_outdated(n.no)";

/* What another worker commits meanwhile is not seen here, but by run_schedule. */
int
carry_on(struct db *db, const struct run *run)
{
	char first[DATE_SIZE];
	const char *params[] = { run->date_text, first };
	PGresult *res;
	date_t day;
	int rc = 0;

	date_format(last_closed_day(run->started_at) - SCHEDULE_DAYS, first);
	if ((res = db_query(db, NULL, next_day, 2, params)) == NULL)
		return -1;
	if (PQntuples(res) == 1 && (date_parse(PQgetvalue(res, 0, 0), &day) == -1 ||
	    queue_add(db, day, run->started_at, "correction") == -1))
		rc = -1;
	PQclear(res);
	return rc;
}
