/* SPDX-License-Identifier: ISC */
/* From what the rules found to breaks, findings, notices and the event. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "pg/store.h"
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
	"WITH hashed AS (SELECT *, rule || '-' || left(encode(sha256(convert_to(key, 'UTF8')), 'hex'), 12) AS brief, "
	"    rule || '-' || left(encode(sha256(convert_to(key, 'UTF8')), 'hex'), 24) AS full_id, "
	"    row_number() OVER (PARTITION BY rule, left(encode(sha256(convert_to(key, 'UTF8')), 'hex'), 12) "
	"        ORDER BY key COLLATE \"C\") AS nth FROM pg_temp.found) "
	"SELECT CASE WHEN known.id IS NOT NULL THEN known.id "
	"    WHEN h.nth = 1 AND taken.id IS NULL THEN h.brief ELSE h.full_id END AS id, h.* "
	"FROM hashed h "
	"LEFT JOIN muhur.break known ON known.id IN (h.brief, h.full_id) AND known.rule = h.rule AND known.key = h.key "
	"LEFT JOIN muhur.break taken ON taken.id = h.brief AND taken.key <> h.key",
	"CREATE UNIQUE INDEX ON pg_temp.identified (id)",
	"ANALYZE pg_temp.identified",
	NULL
};

/* The run to compare with: the day's previous version, else the last version
 * of the nearest earlier day. */
#define EARLIER "(SELECT no FROM muhur.reconcile_run WHERE no <> $1::bigint AND business_date <= $2::date " \
	"ORDER BY business_date DESC, version DESC LIMIT 1)"

/* R3's and R4's breaks are of one day each (schemas/rules/R03-roll-forward.sql,
 * R04-presence.sql): only runs of that day have anything to say of them. */
#define OF_ONE_DAY "b.rule IN ('R3', 'R4')"

static const char store_breaks[] =
	"INSERT INTO muhur.break (id, rule, rule_source, kind, key, platform, custodian, asset, "
	"    first_seen, last_seen) "
	"SELECT id, rule, rule_source, kind, key, platform, custodian, asset, $1::date, $1::date "
	"FROM pg_temp.identified ORDER BY id "
	"ON CONFLICT (id) DO UPDATE SET last_seen = greatest(muhur.break.last_seen, excluded.last_seen)";

static const char store_findings[] =
	"WITH earlier AS (SELECT f.break_id, f.first_seen FROM muhur.finding f "
	"    WHERE f.run = " EARLIER " AND f.status <> 'cured') "
	"INSERT INTO muhur.finding (run, break_id, status, first_seen, platform_quantity, "
	"    custodian_quantity, difference, detail, submissions, records) "
	"SELECT $1::bigint, i.id, CASE WHEN e.break_id IS NULL THEN 'new' ELSE 'continuing' END, "
	"    coalesce(e.first_seen, $2::date), " BOUNDED("i.platform_quantity") ", "
	    BOUNDED("i.custodian_quantity") ", " BOUNDED("i.difference") ", i.detail, i.submissions, i.records "
	"FROM pg_temp.identified i LEFT JOIN earlier e ON e.break_id = i.id ORDER BY i.id";

/* Cured: the earlier run has it and this one does not.  Both sides' values are
 * those that agree now, where R1 compared them; its sources what its parties
 * have in effect now. */
static const char store_cured[] =
	"INSERT INTO muhur.finding (run, break_id, status, first_seen, platform_quantity, "
	"    custodian_quantity, difference, detail, submissions) "
	"SELECT $1::bigint, f.break_id, 'cured', f.first_seen, p.platform_quantity, "
	"    p.custodian_quantity, p.difference, 'no longer found', "
	"    ARRAY(SELECT e.submission FROM pg_temp.in_effect e "
	"        WHERE e.member_code IN (b.platform, b.custodian) ORDER BY 1) "
	"FROM muhur.finding f JOIN muhur.break b ON b.id = f.break_id "
	"LEFT JOIN muhur.pair p ON b.rule = 'R1' AND p.run = $1::bigint AND p.platform = b.platform "
	"    AND p.custodian = b.custodian AND p.asset = b.asset "
	"WHERE f.run = " EARLIER " AND f.status <> 'cured' "
	"AND NOT EXISTS (SELECT FROM pg_temp.identified i WHERE i.id = f.break_id) "
	"AND (NOT " OF_ONE_DAY " OR EXISTS (SELECT FROM muhur.reconcile_run r "
	"    WHERE r.no = f.run AND r.business_date = $2::date)) "
	"ORDER BY f.break_id";

/* A break's state is what the newest day says of it, so that a late run of an
 * old day does not close what stands open today; where it is of one day, what
 * that day's newest run says, which is this one. */
static const char store_states[] =
	"WITH newest AS (SELECT no FROM muhur.reconcile_run "
	"    ORDER BY business_date DESC, version DESC LIMIT 1) "
	"UPDATE muhur.break b SET state = CASE WHEN NOT EXISTS (SELECT FROM muhur.finding n "
	"        WHERE n.run = CASE WHEN " OF_ONE_DAY " THEN f.run ELSE (SELECT no FROM newest) END "
	"        AND n.break_id = b.id AND n.status <> 'cured') "
	"    THEN 'cured' WHEN b.state = 'explained' THEN 'explained' ELSE 'open' END "
	"FROM muhur.finding f WHERE f.run = $1::bigint AND f.break_id = b.id";

static const char count_results[] =
	"UPDATE muhur.reconcile_run r SET "
	"    pairs = (SELECT count(*) FROM muhur.pair p WHERE p.run = r.no), "
	"    breaks = (SELECT count(*) FROM muhur.finding f WHERE f.run = r.no AND f.status <> 'cured') "
	"WHERE no = $1::bigint RETURNING pairs, breaks, "
	"    (SELECT count(*) FROM muhur.finding f WHERE f.run = r.no AND f.status = 'new'), "
	"    (SELECT count(*) FROM muhur.finding f WHERE f.run = r.no AND f.status = 'cured')";

static int
store_results(struct db *db, struct run *run)
{
	const char *no[] = { run->no_text }, *date[] = { run->date_text };
	const char *both[] = { run->no_text, run->date_text };
	PGresult *res;
	size_t i;

	for (i = 0; identify[i] != NULL; i++)
		if (db_exec(db, identify[i], 0, NULL) == -1)
			return -1;
	if (db_exec(db, store_breaks, 1, date) == -1 ||
	    db_exec(db, store_findings, 2, both) == -1 ||
	    db_exec(db, store_cured, 2, both) == -1 ||
	    db_exec(db, store_states, 1, no) == -1 ||
	    (res = db_query_row(db, count_results, 1, no)) == NULL)
		return -1;
	run->pairs = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	run->breaks = strtoll(PQgetvalue(res, 0, 1), NULL, 10);
	run->fresh = strtoll(PQgetvalue(res, 0, 2), NULL, 10);
	run->cured = strtoll(PQgetvalue(res, 0, 3), NULL, 10);
	PQclear(res);
	return 0;
}

/* ReconciliationResult to each party of a contract of the day,
 * DiscrepancyReport to each regulator; a suspended member still gets its
 * reports (S2 N3). */
static const char recipients[] =
	"SELECT m.code, m.kind FROM muhur.member m WHERE m.state <> 'closed' AND (m.kind = 'regulator' "
	"OR EXISTS (SELECT FROM pg_temp.contracted k WHERE m.code IN (k.platform, k.custodian))) "
	"ORDER BY m.code COLLATE \"C\"";

static int
store_reports(struct db *db, const struct run *run)
{
	struct store_notice n = { .run = run->no, .issued_at = run->started_at };
	char name[FILE_NAME_SIZE];
	PGresult *res;
	int i, rc = -1;

	if ((res = db_query(db, NULL, recipients, 0, NULL)) == NULL)
		return -1;
	for (i = 0; i < PQntuples(res); i++) {
		n.recipient = PQgetvalue(res, i, 0);
		n.kind = strcmp(PQgetvalue(res, i, 1), "regulator") == 0 ?
		    NK_DISCREPANCY_REPORT : NK_RECONCILIATION_RESULT;
		(void)snprintf(name, sizeof(name), "%s.%s.%d.xml", notice_kind_name(n.kind),
		    run->date_text, run->version);
		n.file_name = name;
		if (store_notice(db, &n, NULL) == -1)
			goto out;
	}
	rc = 0;
out:
	PQclear(res);
	return rc;
}

/* Level (iii) of S2 A: a submission's result, once, when it first took part. */
static const char first_included[] =
	"SELECT s.no, s.id, s.member_code FROM muhur.reconcile_input i "
	"JOIN muhur.submission s ON s.no = i.submission WHERE i.run = $1 "
	"AND NOT EXISTS (SELECT FROM muhur.notice n WHERE n.submission = s.no AND n.level = 'result') "
	"ORDER BY s.no";

static int
store_acknowledgements(struct db *db, const struct run *run)
{
	struct store_notice n = { .kind = NK_ACKNOWLEDGEMENT, .level = NL_RESULT,
	    .run = run->no, .issued_at = run->started_at };
	const char *params[] = { run->no_text };
	char name[FILE_NAME_SIZE];
	PGresult *res;
	int i, rc = -1;

	if ((res = db_query(db, NULL, first_included, 1, params)) == NULL)
		return -1;
	for (i = 0; i < PQntuples(res); i++) {
		n.submission = strtoll(PQgetvalue(res, i, 0), NULL, 10);
		n.recipient = PQgetvalue(res, i, 2);
		store_acknowledgement_name(PQgetvalue(res, i, 1), NL_RESULT, name);
		n.file_name = name;
		if (store_notice(db, &n, NULL) == -1)
			goto out;
	}
	rc = 0;
out:
	PQclear(res);
	return rc;
}

int
results_store(struct db *db, struct run *run)
{
	char *detail;
	int rc = -1;

	if (store_results(db, run) == -1 || store_reports(db, run) == -1 ||
	    store_acknowledgements(db, run) == -1)
		return -1;
	/* every value is a number, a date, or a word of our own */
	detail = xasprintf("{\"businessDate\":\"%s\",\"version\":%d,\"cause\":\"%s\",\"pairs\":%lld,"
	    "\"breaks\":%lld,\"new\":%lld,\"cured\":%lld}", run->date_text, run->version, run->cause,
	    run->pairs, run->breaks, run->fresh, run->cured);
	if (store_event(db, run->started_at, "reconciled", "gateway", 0, 0, detail) == 0 &&
	    store_notify(db, CHANNEL_NOTICE) == 0)
		rc = 0;
	free(detail);
	return rc;
}
