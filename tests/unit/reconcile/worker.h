/* SPDX-License-Identifier: ISC */
/*
 * For tests that call the worker's functions against a real server: a market
 * made by the owner, the worker with its own role, the rules as they stand.
 */
#ifndef MUHUR_TESTS_RECONCILE_WORKER_H
#define MUHUR_TESTS_RECONCILE_WORKER_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/ident.h"
#include "pg/admin.h"
#include "pg/migrate.h"
#include "pg/queue.h"
#include "reconcile/rules.h"
#include "reconcile/run.h"
#include "unit/pgtest.h"

#define BEFORE	"2026-11-18"
#define DAY	"2026-11-19"
#define NEXT	"2026-11-20"
#define AFTER	"2026-11-21"
#define BTC	"4H95J0R2X"
#define ETH	"X9J9K872S"

static struct conf conf;
static struct db owner;		/* makes the market, looks at results */
static struct db worker;	/* muhur_reconcile, as in production */
static struct rules *rules;
static struct run_means means;	/* of these; the worker's own */

/* --- the market ------------------------------------------------------------- */

static inline void
sql(const char *text)
{
	assert_int_not_equal(db_exec(&owner, text, 0, NULL), -1);
}

/* One text value; caller frees. */
static inline char *
value(const char *text)
{
	PGresult *res = db_query_row(&owner, text, 0, NULL);
	char *v;

	assert_non_null(res);
	v = xstrdup(PQgetvalue(res, 0, 0));
	PQclear(res);
	return v;
}

static inline void
expect(const char *query, const char *want)
{
	char *got = value(query);

	assert_string_equal(got, want);
	free(got);
}

/* Members of the sample market; contracts PLA-CUA, PLA-CUB, PLB-CUB. */
static inline int
fresh_market(void **state)
{
	(void)state;
	sql("TRUNCATE muhur.member, muhur.member_user, muhur.contract, muhur.submission, muhur.notice, muhur.trail_queue, "
	    "muhur.event, muhur.balance, muhur.movement, muhur.netting, muhur.wallet, muhur.reserve, muhur.custody_omnibus, muhur.custody_direct, muhur.price, "
	    "muhur.reconcile_job, muhur.reconcile_run, muhur.reconcile_input, muhur.pair, muhur.break, "
	    "muhur.finding, muhur.finding_party, muhur.certificate, muhur.login_key, muhur.user_right, muhur.user_role, "
	    "muhur.dual_control, muhur.approval_target, muhur.submission_reason "
	    "RESTART IDENTITY CASCADE");
	sql("INSERT INTO muhur.member (code, kind, name, created_at) SELECT split_part(m, ':', 1), "
	    "split_part(m, ':', 2), m, '2026-01-01' FROM unnest(ARRAY['PLA:platform', 'PLB:platform', "
	    "'CUA:custodian', 'CUB:custodian', 'SPK:regulator', 'UYM:compliance', 'MKK:registry']) m");
	sql("INSERT INTO muhur.contract (platform, custodian, valid_from) VALUES "
	    "('PLA', 'CUA', '2026-01-01'), ('PLA', 'CUB', '2026-01-01'), ('PLB', 'CUB', '2026-01-01')");
	sql("SELECT muhur.ensure_day(d::date) FROM generate_series(timestamp '" BEFORE "', '" AFTER "', '1 day') d");
	return 0;
}

/* An accepted submission; its no.  Its SHA-256 is that of its MessageId. */
static inline long long
report_of(const char *type, const char *member, const char *message_id, const char *day)
{
	char id[UUID_SIZE], *user = xasprintf("%s001", member);
	const char *params[] = { id, user, member, type, message_id, day };
	PGresult *res;
	long long no;

	uuid_v7(clock_now(), id);
	res = db_query_row(&owner, "INSERT INTO muhur.submission (id, uploader, file_name, size, received_at, state, "
	    "sha256, counted, member_code, message_type, message_id, user_code, business_date, sequence) "
	    "VALUES ($1, $2, $5 || '.xml', 1, $6::date + 1, 'accepted', encode(sha256($5::bytea), 'hex'), true, $3, $4, $5, "
	    "$2, $6, 1) RETURNING no", 6, params);
	assert_non_null(res);
	no = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	free(user);
	return no;
}

static inline long long
report(const char *member, const char *message_id, const char *day)
{
	return report_of(strncmp(member, "PL", 2) == 0 ? "BalanceReport" : "CustodyReport", member, message_id, day);
}

/* A record of the submission, numbered after those before it. */
static inline void
record(const char *table, const char *columns, long long no, const char *values)
{
	char *text = xasprintf("INSERT INTO muhur.%s (business_date, submission, member_code, record_no, line, %s) "
	    "SELECT s.business_date, s.no, s.member_code, n.n, n.n + 10, %s FROM muhur.submission s, "
	    "(SELECT count(*) + 1 AS n FROM muhur.%s WHERE submission = %lld) n WHERE s.no = %lld",
	    table, columns, values, table, no, no);

	assert_int_equal(db_exec(&owner, text, 0, NULL), 1);
	free(text);
	text = xasprintf("UPDATE muhur.submission SET record_count = coalesce(record_count, 0) + 1 WHERE no = %lld", no);
	assert_int_equal(db_exec(&owner, text, 0, NULL), 1);
	free(text);
}

static inline void
bal(long long no, const char *customer, const char *held, const char *asset, const char *quantity)
{
	char *v = xasprintf("'100000000%s', 'C%s', '%s', '%s', %s, 0", customer, customer, held, asset, quantity);

	record("balance", "registry_no, customer_no, held_at, asset, quantity, locked", no, v);
	free(v);
}

static inline void
omn(long long no, const char *platform, const char *asset, const char *wallet, const char *quantity)
{
	char *v = xasprintf("'%s', '%s', '%s', %s, 0", platform, asset, wallet, quantity);

	record("custody_omnibus", "platform, asset, wallet, quantity, pending", no, v);
	free(v);
}

static inline void
run_day_of(const char *day, struct run *run)
{
	date_t d;

	assert_int_equal(date_parse(day, &d), 0);
	assert_int_equal(queue_add(&owner, d, clock_now() - USEC_PER_SEC, "operator"), 0);
	assert_int_equal(run_next(&means, run), 1);
	assert_int_equal(run->business_date, d);
}

/* The gateway's clock: that time of day in Istanbul, on the day after. */
static inline void
clock_after(const char *day, int hour, int minute)
{
	date_t d;

	assert_int_equal(date_parse(day, &d), 0);
	clock_init(0);
	clock_init((istanbul_time(d + 1, hour, minute) - clock_now()) / USEC_PER_SEC + 1);
}

/* Runs whatever is due; how many runs that were. */
static inline int
run_all(void)
{
	struct run run;
	int n = 0, rc;

	while ((rc = run_next(&means, &run)) == 1)
		assert_true(++n < 100);
	assert_int_equal(rc, 0);
	return n;
}

/* A rule of the test's own, after the others; take it away with drop_rule. */
static inline void
add_rule(const char *statement)
{
	struct rule *last = &rules->v[rules->n - 1];

	last->statement = xreallocarray(last->statement, last->nstatements + 1, sizeof(char *));
	last->statement[last->nstatements++] = xstrdup(statement);
}

static inline void
drop_rule(void)
{
	struct rule *last = &rules->v[rules->n - 1];

	free(last->statement[--last->nstatements]);
}

/* The findings of a run, without ids and numbers that depend on arrival. */
#define FINDINGS(run) \
	"SELECT coalesce(string_agg(concat_ws(' ', b.rule, b.kind, coalesce(b.platform, '-'), " \
	"coalesce(b.custodian, '-'), coalesce(b.asset, '-'), coalesce(trim_scale(f.platform_quantity)::text, '-'), " \
	"coalesce(trim_scale(f.custodian_quantity)::text, '-'), coalesce(trim_scale(f.difference)::text, '-'), " \
	"f.status, f.first_seen), E'\\n' ORDER BY b.rule, b.kind, b.key), '') FROM muhur.finding f " \
	"JOIN muhur.break b ON b.id = f.break_id WHERE f.run = " run
#define LAST "(SELECT max(no) FROM muhur.reconcile_run)"

/* A day on which everything agrees:
 *	PLA: C1 1.5 BTC at CUA, C2 2.5 BTC at CUA (sum 4), C1 10 ETH at CUB, 3 BTC of its own
 *	PLB: C9 7 ETH at CUB
 *	CUA: PLA BTC 1 hot + 3 cold = 4;  CUB: PLA ETH 10, PLB ETH 7 */
static inline void
agreeing_day(const char *day, const char *prefix, int with_btc_cold)
{
	char *id[4];
	long long no;
	int i;

	for (i = 0; i < 4; i++)
		id[i] = xasprintf("%s-%d", prefix, i);
	no = report("PLA", id[0], day);
	bal(no, "1", "CUA", BTC, "1.5");
	bal(no, "2", "CUA", BTC, "2.5");
	bal(no, "1", "CUB", ETH, "10");
	bal(no, "1", "OWN", BTC, "3");
	no = report("PLB", id[1], day);
	bal(no, "9", "CUB", ETH, "7");
	no = report("CUA", id[2], day);
	omn(no, "PLA", BTC, "HOT", "1");
	if (with_btc_cold)
		omn(no, "PLA", BTC, "COLD", "3");
	no = report("CUB", id[3], day);
	omn(no, "PLA", ETH, "COLD", "10");
	omn(no, "PLB", ETH, "COLD", "7");
	for (i = 0; i < 4; i++)
		free(id[i]);
}

static inline int
make_database(void **state)
{
	char *path = xasprintf("%s/schemas/rules", pgtest_srcdir());
	int dir = open(conf.secrets_dir, O_RDONLY | O_DIRECTORY);

	(void)state;
	assert_int_not_equal(dir, -1);
	assert_int_equal(file_write_durable(dir, "muhur_owner.password", "x\n", 2, 0600), 0);
	close(dir);
	assert_int_equal(admin_create(&conf), 0);
	assert_int_equal(admin_connect(&owner, &conf), 0);
	assert_true(migrations_apply(&owner, &conf, NULL) > 0);
	assert_int_equal(db_connect(&worker, &conf, "muhur_reconcile", "x"), 0);
	assert_int_not_equal(dir = open(path, O_RDONLY | O_DIRECTORY), -1);
	assert_non_null(rules = rules_load(dir));
	means = (struct run_means){ .db = &worker, .conf = &conf, .rules = rules,
	    .scratch = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) };
	assert_int_not_equal(means.scratch, -1);
	close(dir);
	free(path);
	return 0;
}

static inline int
close_database(void **state)
{
	(void)state;
	db_close(&owner);
	db_close(&worker);
	rules_free(rules);
	return 0;
}

#endif
