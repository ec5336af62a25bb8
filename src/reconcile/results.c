/* SPDX-License-Identifier: ISC */
/* From what the rules found to breaks and findings. */
#include "config.h"

#include <stdlib.h>

#include "reconcile/run.h"

/* A quantity as the columns hold it: at most 20 integer digits, see R1. */
#define MOST	"99999999999999999999.999999999999999999"
#define BOUNDED(x) "CASE WHEN " x " IS NOT NULL THEN greatest(least(" x ", " MOST "), -" MOST ") END"

/*
 * A break's id is its rule and 12 hex digits of its key's SHA-256.  Members
 * choose parts of the key (customer numbers), so a collision can be made:
 * then the later key by bytes has 24 digits, and a break keeps the id it once
 * got.
 */
static const char *const identify[] = {
	"CREATE TEMPORARY TABLE identified ON COMMIT DROP AS "
	"WITH hashed AS (SELECT *, rule || '-' || left(hash, 12) AS brief, rule || '-' || left(hash, 24) AS full_id, "
	"    row_number() OVER (PARTITION BY rule, left(hash, 12) ORDER BY key COLLATE \"C\") AS nth "
	"    FROM (SELECT *, encode(sha256(convert_to(key, 'UTF8')), 'hex') AS hash FROM pg_temp.found) f) "
	"SELECT CASE WHEN b.key = h.key OR (b.id IS NULL AND f.id IS NULL AND h.nth = 1) THEN h.brief "
	"    ELSE h.full_id END AS id, h.* FROM hashed h "
	"LEFT JOIN muhur.break b ON b.id = h.brief "
	"LEFT JOIN muhur.break f ON f.id = h.full_id AND f.key = h.key",
	"CREATE UNIQUE INDEX ON pg_temp.identified (id)",
	/* what each member has in effect, for what is no longer found */
	"CREATE TEMPORARY TABLE sent ON COMMIT DROP AS "
	"SELECT member_code, array_agg(submission ORDER BY submission) AS submissions "
	"FROM pg_temp.in_effect GROUP BY member_code",
	"ANALYZE pg_temp.identified, pg_temp.sent",
	NULL
};

/* The run whose report was given last, the one that says what is new: the day's
 * previous version, else the last version of the nearest earlier day. */
#define TOLD "(SELECT no FROM muhur.reconcile_run WHERE no <> $1::bigint AND business_date <= $2::date " \
	"ORDER BY business_date DESC, version DESC LIMIT 1)"

static const char store_breaks[] =
	"INSERT INTO muhur.break (id, rule, rule_source, kind, key, platform, custodian, asset, "
	"    first_seen, last_seen) "
	"SELECT id, rule, rule_source, kind, key, platform, custodian, asset, $1::date, $1::date "
	"FROM pg_temp.identified ORDER BY id "
	"ON CONFLICT (id) DO UPDATE SET last_seen = excluded.last_seen WHERE excluded.last_seen > muhur.break.last_seen";

/* Since when it is found without a pause is what the day before says of it; not
 * the day's previous version, whose day before may have been another. */
static const char store_findings[] =
	"INSERT INTO muhur.finding (run, break_id, status, first_seen, platform_quantity, "
	"    custodian_quantity, difference, detail, submissions, records, state, explained_by, explanation) "
	"SELECT $1::bigint, i.id, CASE WHEN t.break_id IS NULL THEN 'new' ELSE 'continuing' END, "
	"    coalesce(e.first_seen, $2::date), " BOUNDED("i.platform_quantity") ", "
	    BOUNDED("i.custodian_quantity") ", " BOUNDED("i.difference") ", i.detail, i.submissions, i.records, "
	"    CASE b.state WHEN 'explained' THEN 'explained' ELSE 'open' END, "
	"    CASE b.state WHEN 'explained' THEN b.explained_by END, "
	"    CASE b.state WHEN 'explained' THEN b.explanation END "
	"FROM pg_temp.identified i JOIN muhur.break b ON b.id = i.id "
	"LEFT JOIN muhur.finding t ON t.run = " TOLD " AND t.break_id = i.id AND t.status <> 'cured' "
	"LEFT JOIN muhur.finding e ON e.run = (SELECT run FROM pg_temp.earlier) AND e.break_id = i.id "
	"    AND e.status <> 'cured' ORDER BY i.id";

/* Cured: the run told last has it and this one does not.  Both sides' values are
 * those that agree now, where R1 compared them; its sources what its parties
 * have in effect now. */
static const char store_cured[] =
	"INSERT INTO muhur.finding (run, break_id, status, first_seen, platform_quantity, "
	"    custodian_quantity, difference, detail, submissions, state, explained_by, explanation) "
	"SELECT $1::bigint, f.break_id, 'cured', f.first_seen, p.platform_quantity, "
	"    p.custodian_quantity, p.difference, CASE WHEN b.state = 'closed' AND b.closed_by = 'operator' "
	"        THEN 'closed by the registry' ELSE 'no longer found' END, "
	"    coalesce(m.submissions, '{}') || CASE WHEN b.custodian IS DISTINCT FROM b.platform "
	"        THEN coalesce(c.submissions, '{}') ELSE '{}' END, "
	"    CASE b.state WHEN 'closed' THEN 'closed' ELSE 'cured' END, b.explained_by, b.explanation "
	"FROM muhur.finding f JOIN muhur.break b ON b.id = f.break_id "
	"LEFT JOIN muhur.pair p ON b.rule = 'R1' AND p.run = $1::bigint AND p.platform = b.platform "
	"    AND p.custodian = b.custodian AND p.asset = b.asset "
	"LEFT JOIN pg_temp.sent m ON m.member_code = b.platform "
	"LEFT JOIN pg_temp.sent c ON c.member_code = b.custodian "
	"WHERE f.run = " TOLD " AND f.status <> 'cured' "
	"AND NOT EXISTS (SELECT FROM pg_temp.identified i WHERE i.id = f.break_id) "
	"AND (NOT (" OF_ONE_DAY ") OR EXISTS (SELECT FROM muhur.reconcile_run r "
	"    WHERE r.no = f.run AND r.business_date = $2::date)) "
	"ORDER BY f.break_id";

/*
 * The life of a break: open until it is explained (open -> explained is a
 * member's to say) or cured, cured once it is no longer found, closed once a
 * later day does not find it either; open again where it is found again, and
 * what was said of it then is no explanation of now.
 *
 * What the newest day says counts, so that a late run of an old day does not
 * cure what stands open today; where it is of one day, what that day's newest
 * run says, which is this one.
 */
static const char store_states[] =
	"WITH newest AS MATERIALIZED (SELECT no FROM muhur.reconcile_run "
	"    ORDER BY business_date DESC, version DESC LIMIT 1), "
	"said AS (SELECT f.break_id, CASE WHEN " OF_ONE_DAY " THEN f.status <> 'cured' "
	"        ELSE n.break_id IS NOT NULL END AS stands "
	"    FROM muhur.finding f JOIN muhur.break b ON b.id = f.break_id "
	"    LEFT JOIN muhur.finding n ON n.run = (SELECT no FROM newest) AND n.break_id = f.break_id "
	"        AND n.status <> 'cured' WHERE f.run = $1::bigint) "
	"UPDATE muhur.break b SET state = CASE WHEN s.stands THEN 'open' ELSE 'cured' END, "
	"    cured_on = CASE WHEN NOT s.stands THEN $2::date END, closed_at = NULL, closed_by = NULL, "
	"    explained_by = CASE WHEN NOT s.stands THEN b.explained_by END, "
	"    explanation = CASE WHEN NOT s.stands THEN b.explanation END "
	"FROM said s WHERE b.id = s.break_id AND s.stands <> (b.state IN ('open', 'explained'))";

static const char close_cured[] =
	"UPDATE muhur.break b SET state = 'closed', closed_at = $2::timestamptz, closed_by = 'gateway' "
	"WHERE b.state = 'cured' AND b.cured_on < $1::date "
	"AND NOT EXISTS (SELECT FROM pg_temp.identified i WHERE i.id = b.id)";

/* A report that is missing concerns who owes it (schemas/rules/R04-presence.sql
 * has the code in the key), and the other side of each of its contracts as well:
 * nothing of it was compared. */
static const char store_parties[] =
	"WITH b AS MATERIALIZED (SELECT b.id, b.rule, b.kind, b.key, b.platform, b.custodian "
	"    FROM muhur.finding f JOIN muhur.break b ON b.id = f.break_id WHERE f.run = $1::bigint) "
	"INSERT INTO muhur.finding_party (run, member_code, break_id) "
	"SELECT $1::bigint, m.code, p.id FROM ("
	"  SELECT b.id, v.code, v.kind FROM b, LATERAL (VALUES (b.platform, 'platform'), (b.custodian, 'custodian')) "
	"    AS v (code, kind) WHERE b.kind <> 'DUPLICATE_LINE' "
	"  UNION ALL SELECT b.id, split_part(b.key, '|', 2), NULL FROM b WHERE b.rule = 'R4' OR b.kind = 'DUPLICATE_LINE' "
	"  UNION ALL SELECT b.id, CASE b.platform WHEN k.platform THEN k.custodian ELSE k.platform END, NULL "
	"    FROM b JOIN pg_temp.contracted k ON k.platform = b.platform OR k.custodian = b.custodian "
	"    WHERE b.rule = 'R4') p "
	"JOIN muhur.member m ON m.code = p.code AND m.kind <> 'regulator' AND m.kind = coalesce(p.kind, m.kind) "
	"ON CONFLICT DO NOTHING";

static const char count_results[] =
	"UPDATE muhur.reconcile_run r SET "
	"    pairs = (SELECT count(*) FROM muhur.pair p WHERE p.run = r.no), "
	"    breaks = (SELECT count(*) FROM muhur.finding f WHERE f.run = r.no AND f.status <> 'cured') "
	"WHERE no = $1::bigint RETURNING pairs, breaks, "
	"    (SELECT count(*) FROM muhur.finding f WHERE f.run = r.no AND f.status = 'new'), "
	"    (SELECT count(*) FROM muhur.finding f WHERE f.run = r.no AND f.status = 'cured')";

static int
count_all(struct db *db, struct run *run)
{
	const char *no[] = { run->no_text };
	PGresult *res;

	if ((res = db_query_row(db, count_results, 1, no)) == NULL)
		return -1;
	run->pairs = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	run->breaks = strtoll(PQgetvalue(res, 0, 1), NULL, 10);
	run->fresh = strtoll(PQgetvalue(res, 0, 2), NULL, 10);
	run->cured = strtoll(PQgetvalue(res, 0, 3), NULL, 10);
	PQclear(res);
	return 0;
}

int
results_store(struct db *db, struct run *run)
{
	char when[TIME_SIZE];
	const char *date[] = { run->date_text, when }, *both[] = { run->no_text, run->date_text };
	size_t i;

	time_format(run->started_at, when);
	for (i = 0; identify[i] != NULL; i++)
		if (db_exec(db, identify[i], 0, NULL) == -1)
			return -1;
	if (db_exec(db, store_breaks, 1, date) == -1 || db_exec(db, store_findings, 2, both) == -1 ||
	    db_exec(db, store_cured, 2, both) == -1 || db_exec(db, store_states, 2, both) == -1 ||
	    db_exec(db, close_cured, 2, date) == -1 || db_exec(db, store_parties, 1, both) == -1)
		return -1;
	return count_all(db, run);
}
