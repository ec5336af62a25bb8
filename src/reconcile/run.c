/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "reconcile/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/header.h"
#include "pg/queue.h"
#include "pg/store.h"
#include "reconcile/sieve.h"

#define RETRY_DELAY	(30 * USEC_PER_SEC)	/* until a failed day is tried again */
#define OVERTAKEN_MAX	3	/* tries at once where another worker was quicker */

/* Compiling takes longer than it saves.  work_mem is the operator's to set, for
 * the role: what a run may take of the machine is not for this program to say. */
#define RUN_SETTINGS	"SELECT set_config('jit', 'off', true)"

/* Types of a rule's parameters: bigint, date, and two of bigint[].  Said to the
 * server, so that a statement may use any or none of them. */
#define RULE_PARAMS	4
static const Oid rule_types[RULE_PARAMS] = { 20, 1082, 1016, 1016 };

static int
rule_statement(struct db *db, const struct rule *rule, const char *sql, const char *const params[RULE_PARAMS])
{
	const char *state, *message;
	PGresult *res;
	int rc = 0;

	res = PQexecParams(db->conn, sql, RULE_PARAMS, rule_types, params, NULL, NULL, 0);
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

/* The newest run of the nearest earlier day, and its carry. */
static const char find_earlier[] =
	"SELECT no, carry FROM muhur.reconcile_run WHERE business_date < $1::date "
	"ORDER BY business_date DESC, version DESC LIMIT 1";

/* unique_violation: see overtaken */
static const char insert_run[] =
	"INSERT INTO muhur.reconcile_run (business_date, version, cause, started_at, earlier, earlier_carry, day_before) "
	"SELECT $1::date, coalesce(max(version), 0) + 1, $2, $3::timestamptz, $4::bigint, $5, "
	"    ARRAY(SELECT s.no FROM muhur.submission s WHERE s.state = 'accepted' "
	"        AND s.business_date = $1::date - 1 AND s.message_type = 'BalanceReport' ORDER BY 1) "
	"FROM muhur.reconcile_run WHERE business_date = $1::date RETURNING no, version";

/* The run's row and its inputs: the accepted submissions of the day. */
static int
open_run(struct db *db, struct run *run)
{
	char when[TIME_SIZE];
	const char *params[5] = { run->date_text, run->cause, when };
	const char *inputs[] = { run->no_text, run->date_text };
	PGresult *earlier, *res = NULL;

	time_format(run->started_at, when);
	if ((earlier = db_query(db, NULL, find_earlier, 1, params)) == NULL)
		return -1;
	if (PQntuples(earlier) == 1) {
		params[3] = PQgetvalue(earlier, 0, 0);
		params[4] = PQgetisnull(earlier, 0, 1) ? NULL : PQgetvalue(earlier, 0, 1);
	}
	res = db_query(db, "23505", insert_run, 5, params);
	PQclear(earlier);
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
	"CREATE TEMPORARY TABLE contracted (platform text NOT NULL, custodian text NOT NULL, "
	"platform_in boolean NOT NULL, custodian_in boolean NOT NULL, full_custody boolean NOT NULL, "
	"PRIMARY KEY (platform, custodian)) ON COMMIT DROP",
	"CREATE TEMPORARY TABLE found (rule text NOT NULL, rule_source text NOT NULL, kind text NOT NULL, "
	"key text NOT NULL, platform text, custodian text, asset text, platform_quantity numeric, "
	"custodian_quantity numeric, difference numeric, detail text NOT NULL, submissions bigint[] NOT NULL, "
	"records jsonb) ON COMMIT DROP",
	"CREATE TEMPORARY TABLE cutoff (message_type text PRIMARY KEY, at timestamptz NOT NULL, due boolean NOT NULL) "
	"ON COMMIT DROP",
	"CREATE TEMPORARY TABLE earlier (run bigint NOT NULL) ON COMMIT DROP",
	NULL
};

static const char fill_in_effect[] =
	"INSERT INTO pg_temp.in_effect "
	"SELECT s.no, s.member_code, s.message_type, s.message_id, s.sequence "
	"FROM muhur.reconcile_input i JOIN muhur.submission s ON s.no = i.submission WHERE i.run = $1";

static const char fill_day_before[] =
	"INSERT INTO pg_temp.day_before SELECT s.no, s.member_code, s.message_id "
	"FROM muhur.reconcile_run r JOIN muhur.submission s ON s.no = ANY (r.day_before) WHERE r.no = $1";

static const char fill_contracted[] =
	"INSERT INTO pg_temp.contracted SELECT k.platform, k.custodian, "
	"EXISTS (SELECT FROM pg_temp.in_effect e WHERE e.member_code = k.platform "
	"  AND e.message_type = 'BalanceReport'), "
	"EXISTS (SELECT FROM pg_temp.in_effect e WHERE e.member_code = k.custodian "
	"  AND e.message_type = 'CustodyReport'), bool_or(k.full_custody) "
	"FROM muhur.contract k WHERE k.valid_from <= $1::date "
	"AND (k.valid_to IS NULL OR k.valid_to >= $1::date) GROUP BY k.platform, k.custodian";

/* What the run saw is what its notices are made from, whatever becomes of it. */
static const char keep_contracted[] =
	"INSERT INTO muhur.reconcile_contract (run, platform, custodian) "
	"SELECT $1::bigint, platform, custodian FROM pg_temp.contracted";

/* Of an earlier day, never the day's own previous version: what was found there
 * has come from what was there then, and must not go on where that has changed. */
static const char fill_earlier[] =
	"INSERT INTO pg_temp.earlier SELECT earlier FROM muhur.reconcile_run "
	"WHERE no = $1 AND earlier IS NOT NULL";

/* An operator who asks wants to know what is missing now. */
static int
fill_cutoff(struct db *db, const struct conf *conf, const struct run *run)
{
	char when[TIME_SIZE];
	const char *params[3];
	int operator = strcmp(run->cause, "operator") == 0;
	enum message_type t;
	usec_t at;

	for (t = 0; t < MT_COUNT; t++) {
		if (message_type_class(t) != MC_DAY)
			continue;
		at = conf_cutoff(conf, message_type_name(t), run->business_date);
		time_format(at, when);
		params[0] = message_type_name(t);
		params[1] = when;
		params[2] = operator || at <= run->started_at ? "t" : "f";
		if (db_prepared_exec(db, "cutoff", "INSERT INTO pg_temp.cutoff VALUES ($1, $2, $3)", 3, params) == -1)
			return -1;
	}
	return 0;
}

static int
make_tables(struct db *db, const struct conf *conf, const struct run *run)
{
	const char *no[] = { run->no_text }, *date[] = { run->date_text };
	size_t i;

	for (i = 0; run_tables[i] != NULL; i++)
		if (db_exec(db, run_tables[i], 0, NULL) == -1)
			return -1;
	if (db_exec(db, fill_in_effect, 1, no) == -1 || db_exec(db, fill_day_before, 1, no) == -1 ||
	    db_exec(db, fill_contracted, 1, date) == -1 || db_exec(db, keep_contracted, 1, no) == -1 ||
	    db_exec(db, fill_earlier, 1, no) == -1 || fill_cutoff(db, conf, run) == -1)
		return -1;
	return db_exec(db, "ANALYZE pg_temp.in_effect, pg_temp.day_before, pg_temp.contracted, pg_temp.cutoff, "
	    "pg_temp.earlier", 0, NULL) == -1 ? -1 : 0;
}

/* The submissions of the day, and those of the day before that its roll-forward
 * begins with, as arrays: what is in them the planner sees, as it does not see how
 * many rows of a table belong to a run that no statistics know yet. */
static const char rule_arrays[] =
	"SELECT ARRAY(SELECT submission FROM pg_temp.in_effect ORDER BY 1), "
	"ARRAY(SELECT d.submission FROM pg_temp.day_before d WHERE EXISTS (SELECT FROM pg_temp.in_effect e "
	"  WHERE e.member_code = d.member_code AND e.message_type IN ('MovementReport', 'NettingReport')) ORDER BY 1)";

static int
run_rules(const struct run_means *m, const struct run *run)
{
	const char *params[RULE_PARAMS] = { run->no_text, run->date_text };
	PGresult *arrays;
	size_t i, j;
	int rc = 0;

	if ((arrays = db_query_row(m->db, rule_arrays, 0, NULL)) == NULL)
		return -1;
	params[2] = PQgetvalue(arrays, 0, 0);
	params[3] = PQgetvalue(arrays, 0, 1);
	rc = sieve_day(m, run, params[2], params[3]);
	for (i = 0; rc == 0 && i < m->rules->n; i++)
		for (j = 0; rc == 0 && j < m->rules->v[i].nstatements; j++)
			rc = rule_statement(m->db, &m->rules->v[i], m->rules->v[i].statement[j], params);
	PQclear(arrays);
	return rc;
}

static int
run_day(const struct run_means *m, struct run *run)
{
	struct db *db = m->db;

	if (db_exec(db, RUN_SETTINGS, 0, NULL) == -1 || open_run(db, run) == -1 ||
	    make_tables(db, m->conf, run) == -1)
		return -1;
	if (run_rules(m, run) == -1)
		return -1;
	if (results_store(db, run) == -1 || reports_store(db, run) == -1 || carry_store(db, run) == -1)
		return -1;
	return carry_on(db, run);
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
try_next(const struct run_means *m, struct run *run)
{
	struct db *db = m->db;
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
	if (run_day(m, run) == 0 && queue_done(db, &job) == 0 && db_commit(db) == 0)
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

/*
 * What is said of breaks goes into them between runs, or would end the run that
 * finds them (schemas/sql/012-findings.sql).  The lock is taken before the
 * transaction, whose snapshot is then of a moment at which nobody writes; the
 * server gives it up with the connection.
 */
#define BREAKS_LOCK "(hashtextextended('muhur.breaks', 0))"

static int
hold_breaks(struct db *db)
{
	if (db_exec(db, "SELECT muhur.explain_waiting()", 0, NULL) == -1)
		return -1;
	return db_exec(db, "SELECT pg_advisory_lock_shared" BREAKS_LOCK, 0, NULL) == -1 ? -1 : 0;
}

static void
release_breaks(struct db *db)
{
	if (db_ok(db))
		(void)db_exec(db, "SELECT pg_advisory_unlock_shared" BREAKS_LOCK, 0, NULL);
}

int
run_next(const struct run_means *m, struct run *run)
{
	int i, rc = 2;

	for (i = 0; i < OVERTAKEN_MAX && rc == 2; i++) {
		if (hold_breaks(m->db) == -1)
			return -1;
		rc = try_next(m, run);
		release_breaks(m->db);
	}
	return rc == 2 ? 0 : rc;	/* the queue is looked at again later */
}
