/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "reconcile/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "pg/queue.h"
#include "pg/store.h"

#define SCHEDULE_DAYS	"30"	/* how far back run_schedule looks */
#define RETRY_DELAY	(30 * USEC_PER_SEC)	/* until a failed day is tried again */
#define OVERTAKEN_MAX	3	/* tries at once where another worker was quicker */

/* Compiling takes longer than it saves.  work_mem is the operator's to set, for
 * the role: what a run may take of the machine is not for this program to say. */
#define RUN_SETTINGS	"SELECT set_config('jit', 'off', true)"

/* What a day is reconciled from: the types of class MC_DAY (model/header.h). */
#define DAY_TYPES	"'BalanceReport', 'CustodyReport', 'MovementReport', 'NettingReport', 'HoldingReport', " \
			"'ListingNotice', 'ReferenceData'"

/* Types of a rule's parameters: bigint, date.  Said to the server, so that a
 * statement may use one, both or none of them. */
static const Oid rule_types[] = { 20, 1082 };

static int
rule_statement(struct db *db, const struct rule *rule, const char *sql, const struct run *run)
{
	const char *params[] = { run->no_text, run->date_text };
	const char *state, *message;
	PGresult *res;
	int rc = 0;

	res = PQexecParams(db->conn, sql, 2, rule_types, params, NULL, NULL, 0);
	if (PQresultStatus(res) != PGRES_COMMAND_OK && PQresultStatus(res) != PGRES_TUPLES_OK) {
		state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
		(void)str_copy(db->sqlstate, sizeof(db->sqlstate), state != NULL ? state : "08006");
		message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
		log_warnx("rule %s: %s (SQLSTATE %s)", rule->name,
		    message != NULL ? message : "the connection was lost", db->sqlstate);
		rc = -1;
	}
	PQclear(res);
	return rc;
}

/* The run's row and its inputs: the accepted submissions of the day. */
static int
open_run(struct db *db, struct run *run)
{
	char when[TIME_SIZE];
	const char *params[] = { run->date_text, run->cause, when };
	const char *inputs[] = { run->no_text, run->date_text };
	PGresult *res;

	time_format(run->started_at, when);
	/* unique_violation: see overtaken */
	res = db_query(db, "23505", "INSERT INTO muhur.reconcile_run (business_date, version, cause, started_at) "
	    "SELECT $1::date, coalesce(max(version), 0) + 1, $2, $3::timestamptz "
	    "FROM muhur.reconcile_run WHERE business_date = $1::date RETURNING no, version", 3, params);
	if (res == NULL)
		return -1;
	run->no = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	run->version = (int)strtol(PQgetvalue(res, 0, 1), NULL, 10);
	PQclear(res);
	(void)snprintf(run->no_text, sizeof(run->no_text), "%lld", run->no);
	return db_exec(db, "INSERT INTO muhur.reconcile_input (run, submission) "
	    "SELECT $1::bigint, no FROM muhur.submission WHERE state = 'accepted' "
	    "AND business_date = $2 AND message_type IN (" DAY_TYPES ") "
	    "ORDER BY no", 2, inputs) == -1 ? -1 : 0;
}

/* The temporary tables that schemas/rules/R00-sides.sql describes. */
static const char *const run_tables[] = {
	"CREATE TEMPORARY TABLE in_effect (submission bigint PRIMARY KEY, member_code text NOT NULL, "
	"message_type text NOT NULL, message_id text NOT NULL, sequence bigint NOT NULL) ON COMMIT DROP",
	"CREATE TEMPORARY TABLE day_before (submission bigint PRIMARY KEY, member_code text NOT NULL, "
	"message_id text NOT NULL) ON COMMIT DROP",
	"CREATE TEMPORARY TABLE cutoff (message_type text PRIMARY KEY, at timestamptz NOT NULL, "
	"due boolean NOT NULL) ON COMMIT DROP",
	"CREATE TEMPORARY TABLE contracted (platform text NOT NULL, custodian text NOT NULL, "
	"platform_in boolean NOT NULL, custodian_in boolean NOT NULL, full_custody boolean NOT NULL, "
	"PRIMARY KEY (platform, custodian)) ON COMMIT DROP",
	"CREATE TEMPORARY TABLE found (rule text NOT NULL, rule_source text NOT NULL, kind text NOT NULL, "
	"key text NOT NULL, platform text, custodian text, asset text, platform_quantity numeric, "
	"custodian_quantity numeric, difference numeric, detail text NOT NULL, submissions bigint[] NOT NULL, "
	"records jsonb) ON COMMIT DROP",
	NULL
};

static const char fill_in_effect[] =
	"INSERT INTO pg_temp.in_effect "
	"SELECT s.no, s.member_code, s.message_type, s.message_id, s.sequence "
	"FROM muhur.reconcile_input i JOIN muhur.submission s ON s.no = i.submission WHERE i.run = $1";

static const char fill_day_before[] =
	"INSERT INTO pg_temp.day_before SELECT no, member_code, message_id FROM muhur.submission "
	"WHERE state = 'accepted' AND business_date = $1::date - 1 AND message_type = 'BalanceReport'";

static const char fill_cutoff[] =
	"INSERT INTO pg_temp.cutoff SELECT t, ($1::date + 1 + time '12:00') AT TIME ZONE 'Europe/Istanbul', true "
	"FROM unnest(ARRAY[" DAY_TYPES "]) t";

static const char fill_contracted[] =
	"INSERT INTO pg_temp.contracted SELECT k.platform, k.custodian, "
	"EXISTS (SELECT FROM pg_temp.in_effect e WHERE e.member_code = k.platform "
	"  AND e.message_type = 'BalanceReport'), "
	"EXISTS (SELECT FROM pg_temp.in_effect e WHERE e.member_code = k.custodian "
	"  AND e.message_type = 'CustodyReport'), bool_or(k.full_custody) "
	"FROM muhur.contract k WHERE k.valid_from <= $1::date "
	"AND (k.valid_to IS NULL OR k.valid_to >= $1::date) GROUP BY k.platform, k.custodian";

static int
make_tables(struct db *db, const struct run *run)
{
	const char *no[] = { run->no_text }, *date[] = { run->date_text };
	size_t i;

	for (i = 0; run_tables[i] != NULL; i++)
		if (db_exec(db, run_tables[i], 0, NULL) == -1)
			return -1;
	if (db_exec(db, fill_in_effect, 1, no) == -1 || db_exec(db, fill_day_before, 1, date) == -1 ||
	    db_exec(db, fill_cutoff, 1, date) == -1 || db_exec(db, fill_contracted, 1, date) == -1)
		return -1;
	return db_exec(db, "ANALYZE pg_temp.in_effect, pg_temp.day_before, pg_temp.contracted", 0, NULL) == -1 ?
	    -1 : 0;
}

static int
run_day(struct db *db, const struct rules *rules, struct run *run)
{
	size_t i, j;

	if (db_exec(db, RUN_SETTINGS, 0, NULL) == -1 || open_run(db, run) == -1 ||
	    make_tables(db, run) == -1)
		return -1;
	for (i = 0; i < rules->n; i++)
		for (j = 0; j < rules->v[i].nstatements; j++)
			if (rule_statement(db, &rules->v[i], rules->v[i].statement[j], run) == -1)
				return -1;
	return results_store(db, run);
}

/* A day that fails must not keep the others waiting: it goes to the back. */
static void
put_off(struct db *db, const struct queue_job *job)
{
	char no[24], when[TIME_SIZE];
	const char *params[] = { no, when };

	(void)snprintf(no, sizeof(no), "%lld", job->no);
	time_format(clock_now() + RETRY_DELAY, when);
	(void)db_exec(db, "UPDATE muhur.reconcile_job SET not_before = $2 WHERE no = $1", 2, params);
}

/*
 * Another worker's run of the day was committed after this snapshot and before
 * the lock on the day (src/pg/queue.c): the entry is gone (40001), or this
 * run's version is there already (23505; run->no is set once that has passed).
 */
static int
overtaken(const struct db *db, const struct run *run)
{
	return strcmp(db->sqlstate, "40001") == 0 ||
	    (run->no == 0 && strcmp(db->sqlstate, "23505") == 0);
}

/* run_next, or 2: overtaken, and a new snapshot will see more. */
static int
try_next(struct db *db, const struct rules *rules, struct run *run)
{
	struct queue_job job = { 0 };
	int took, late;

	memset(run, 0, sizeof(*run));
	if (db_exec(db, "BEGIN ISOLATION LEVEL REPEATABLE READ", 0, NULL) == -1)
		return -1;
	took = queue_take(db, clock_now(), &job);
	if (took != 1) {
		late = took == -1 && overtaken(db, run);
		(void)db_rollback(db);
		return late ? 2 : took;
	}
	run->business_date = job.business_date;
	date_format(job.business_date, run->date_text);
	(void)str_copy(run->cause, sizeof(run->cause), job.cause);
	run->started_at = clock_now();
	if (run_day(db, rules, run) == 0 && queue_done(db, &job) == 0 && db_commit(db) == 0)
		return 1;
	late = overtaken(db, run);
	if (db_ok(db)) {
		(void)db_rollback(db);
		if (!late)
			put_off(db, &job);
	}
	if (!late)
		log_alarm("%s: the reconciliation failed and will be tried again", run->date_text);
	return late ? 2 : -1;
}

int
run_next(struct db *db, const struct rules *rules, struct run *run)
{
	int i, rc = 2;

	for (i = 0; i < OVERTAKEN_MAX && rc == 2; i++)
		rc = try_next(db, rules, run);
	return rc == 2 ? 0 : rc;	/* the queue is looked at again later */
}

/*
 * A day is due at its cut-off where some contract was valid and both its
 * parties had been enrolled by then: what happened before a member joined is
 * nobody's missing report.
 */
#define DUE_AT_CUTOFF \
	"SELECT d.day, 'cut-off' FROM (SELECT generate_series($1::date - " SCHEDULE_DAYS ", $1::date, " \
	"  interval '1 day')::date AS day) d " \
	"WHERE EXISTS (SELECT FROM muhur.contract k " \
	"  JOIN muhur.member p ON p.code = k.platform JOIN muhur.member c ON c.code = k.custodian " \
	"  WHERE k.valid_from <= d.day AND (k.valid_to IS NULL OR k.valid_to >= d.day) " \
	"  AND p.state <> 'closed' AND c.state <> 'closed' AND greatest(p.created_at, c.created_at) " \
	"    <= ((d.day + 1) + $2::time) AT TIME ZONE 'Europe/Istanbul') " \
	"AND NOT EXISTS (SELECT FROM muhur.reconcile_run r WHERE r.business_date = d.day) " \
	"AND NOT EXISTS (SELECT FROM muhur.reconcile_job j WHERE j.business_date = d.day)"

/* Days of which the newest run holds other submissions than are in effect. */
#define OUT_OF_DATE \
	"SELECT r.business_date, 'correction' FROM (SELECT DISTINCT ON (business_date) no, business_date " \
	"  FROM muhur.reconcile_run WHERE business_date >= $1::date - " SCHEDULE_DAYS \
	"  ORDER BY business_date, version DESC) r " \
	"WHERE NOT EXISTS (SELECT FROM muhur.reconcile_job j WHERE j.business_date = r.business_date) " \
	"AND EXISTS ((SELECT no FROM muhur.submission s WHERE s.business_date = r.business_date " \
	"    AND s.state = 'accepted' AND s.message_type IN (" DAY_TYPES ") " \
	"    EXCEPT SELECT submission FROM muhur.reconcile_input i WHERE i.run = r.no) " \
	"  UNION ALL (SELECT submission FROM muhur.reconcile_input i WHERE i.run = r.no " \
	"    EXCEPT SELECT no FROM muhur.submission s WHERE s.business_date = r.business_date " \
	"    AND s.state = 'accepted'))"

int
run_schedule(struct db *db, const struct conf *conf)
{
	usec_t now = clock_now(), not_before = now + conf->reconcile_delay * USEC_PER_SEC;
	date_t day = last_closed_day(now), due;
	char date[DATE_SIZE], cutoff[16];
	const char *params[] = { date, cutoff };
	PGresult *res = NULL;
	int i, rc = -1;

	if (istanbul_time(day + 1, conf->cutoff_hour, conf->cutoff_minute) > now)
		day--;
	date_format(day, date);
	(void)snprintf(cutoff, sizeof(cutoff), "%02d:%02d", conf->cutoff_hour, conf->cutoff_minute);
	/* one worker looks at a time, so that a day is queued once */
	if (db_begin(db) == -1 || db_exec(db, "SELECT pg_advisory_xact_lock(hashtext('muhur.schedule'))",
	    0, NULL) == -1)
		goto out;
	res = db_query(db, NULL, DUE_AT_CUTOFF " UNION ALL " OUT_OF_DATE " ORDER BY 1", 2, params);
	if (res == NULL)
		goto out;
	for (i = 0; i < PQntuples(res); i++)
		if (date_parse(PQgetvalue(res, i, 0), &due) == -1 ||
		    queue_add(db, due, not_before, PQgetvalue(res, i, 1)) == -1)
			goto out;
	rc = db_commit(db);
out:
	PQclear(res);
	if (rc == -1)
		(void)db_rollback(db);
	return rc;
}
