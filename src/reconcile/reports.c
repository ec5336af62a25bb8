/* SPDX-License-Identifier: ISC */
/* Who is told what a run found: notices, each with the number of its lines. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "pg/store.h"
#include "reconcile/run.h"

/*
 * ReconciliationResult to each party of a contract of the day and whoever has a
 * break, DiscrepancyReport to each regulator; LimitBreachNotice to regulators
 * and whom it concerns; CentralRegistryReport to the registry, and the same
 * document to regulators: it says the same to each, and may have millions of lines.
 * A suspended member still gets its reports (S2 N3).  The numbers are those of
 * the lines of muhur.notice_lines, counted once for all; of the central report's
 * lines, which are its balances summed up, the most that there can be.
 */
static const char recipients[] =
	"WITH own AS (SELECT code, count(*) AS n FROM ("
	"    SELECT member_code AS code FROM pg_temp.in_effect "
	"    UNION ALL SELECT platform FROM muhur.pair WHERE run = $1::bigint "
	"    UNION ALL SELECT custodian FROM muhur.pair WHERE run = $1::bigint AND custodian <> platform "
	"    UNION ALL SELECT member_code FROM muhur.finding_party WHERE run = $1::bigint "
	"    UNION ALL SELECT platform FROM muhur.limit_result WHERE run = $1::bigint "
	"    UNION ALL SELECT custodian FROM muhur.limit_result WHERE run = $1::bigint "
	"        AND custodian IS DISTINCT FROM platform) l GROUP BY code), "
	"party AS (SELECT platform AS code FROM pg_temp.contracted UNION SELECT custodian FROM pg_temp.contracted "
	"    UNION SELECT DISTINCT member_code FROM muhur.finding_party WHERE run = $1::bigint), "
	"breach AS (SELECT member_code AS code, count(*) AS n FROM muhur.breach_shown WHERE run = $1::bigint "
	"    GROUP BY member_code "
	"    UNION ALL SELECT m.code, count(*) FROM muhur.member m, muhur.limit_result l WHERE m.kind = 'regulator' "
	"        AND l.run = $1::bigint AND l.status = 'breach' GROUP BY m.code), "
	"central AS (SELECT coalesce(sum(s.record_count), 0) AS n FROM muhur.reconcile_input i "
	"    JOIN muhur.submission s ON s.no = i.submission WHERE i.run = $1::bigint AND s.message_type = 'BalanceReport' "
	"    HAVING muhur.parameter('report.central', $2::date) = 'run'), "
	"told AS (SELECT 'ReconciliationResult' AS kind, p.code, coalesce(o.n, 0) AS n "
	"        FROM party p LEFT JOIN own o USING (code) JOIN muhur.member m USING (code) WHERE m.kind <> 'regulator' "
	"    UNION ALL SELECT 'DiscrepancyReport', m.code, (SELECT count(*) FROM pg_temp.in_effect) "
	"        + (SELECT count(*) FROM muhur.finding f WHERE f.run = $1::bigint) "
	"        FROM muhur.member m WHERE m.kind = 'regulator' "
	"    UNION ALL SELECT 'LimitBreachNotice', code, n FROM breach "
	"    UNION ALL SELECT 'CentralRegistryReport', m.code, c.n FROM central c, muhur.member m "
	"        WHERE m.kind IN ('regulator', 'registry')) "
	"SELECT t.kind, t.code, t.n FROM told t JOIN muhur.member m USING (code) WHERE m.state <> 'closed' "
	/* what takes longest comes last, to the registry first */
	"ORDER BY t.kind = 'CentralRegistryReport', m.kind <> 'registry', t.code COLLATE \"C\", "
	"t.kind COLLATE \"C\" DESC";

static int
store_reports(struct db *db, const struct run *run)
{
	struct store_notice n = { .run = run->no, .issued_at = run->started_at, .counted = 1 };
	const char *params[] = { run->no_text, run->date_text };
	char name[FILE_NAME_SIZE];
	long long central = 0;
	PGresult *res;
	int i, rc = -1;

	if ((res = db_query(db, NULL, recipients, 2, params)) == NULL)
		return -1;
	for (i = 0; i < PQntuples(res); i++) {
		n.kind = notice_kind_by_name(PQgetvalue(res, i, 0));
		n.recipient = PQgetvalue(res, i, 1);
		n.line_count = strtoll(PQgetvalue(res, i, 2), NULL, 10);
		(void)snprintf(name, sizeof(name), "%s.%s.%d.xml", notice_kind_name(n.kind),
		    run->date_text, run->version);
		n.file_name = name;
		n.copy_of = n.kind == NK_CENTRAL_REGISTRY ? central : 0;
		if (store_notice(db, &n, n.kind == NK_CENTRAL_REGISTRY && central == 0 ? &central : NULL) == -1)
			goto out;
	}
	rc = 0;
out:
	PQclear(res);
	return rc;
}

/* Level (iii) of S2 A: a submission's result, once, when it first took part. */
static const char first_included[] =
	"SELECT s.no, s.id, s.member_code, coalesce(b.n, 0) FROM muhur.reconcile_input i "
	"JOIN muhur.submission s ON s.no = i.submission "
	"LEFT JOIN (SELECT u.no, count(DISTINCT f.break_id) AS n FROM muhur.finding f, unnest(f.submissions) AS u (no) "
	"    WHERE f.run = $1 AND f.status <> 'cured' GROUP BY u.no) b ON b.no = s.no "
	"WHERE i.run = $1 "
	"AND NOT EXISTS (SELECT FROM muhur.notice n WHERE n.submission = s.no AND n.level = 'result') "
	"ORDER BY s.no";

static int
store_acknowledgements(struct db *db, const struct run *run)
{
	struct store_notice n = { .kind = NK_ACKNOWLEDGEMENT, .level = NL_RESULT,
	    .run = run->no, .issued_at = run->started_at, .counted = 1 };
	const char *params[] = { run->no_text };
	char name[FILE_NAME_SIZE];
	PGresult *res;
	int i, rc = -1;

	if ((res = db_query(db, NULL, first_included, 1, params)) == NULL)
		return -1;
	for (i = 0; i < PQntuples(res); i++) {
		n.submission = strtoll(PQgetvalue(res, i, 0), NULL, 10);
		n.recipient = PQgetvalue(res, i, 2);
		n.break_count = strtoll(PQgetvalue(res, i, 3), NULL, 10);
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
reports_store(struct db *db, const struct run *run)
{
	char *detail;
	int rc = -1;

	if (store_reports(db, run) == -1 || store_acknowledgements(db, run) == -1)
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
