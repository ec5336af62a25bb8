/* SPDX-License-Identifier: ISC */
/*
 * What a run leaves: the life of a break, and who is told what in which
 * notice.  Every expected value is derived in the comment beside it.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/reconcile/worker.h"

static int
one_day(void **state)
{
	clock_after(DAY, 13, 0);
	return fresh_market(state);
}

/* --- the life of a break ------------------------------------------------------------ */

#define LIFE "SELECT concat_ws(' ', state, cured_on, closed_by, explanation) FROM muhur.break WHERE rule = 'R1'"
#define BY_HOW_MUCH(day, quantity) \
	"UPDATE muhur.custody_omnibus SET quantity = " quantity " WHERE business_date = '" day "' AND asset = '" BTC "'"

/* What the loader does with a DiscrepancyResponse. */
static void
explain(const char *member, const char *message_id, const char *text)
{
	char *s;
	long long no = report_of("DiscrepancyResponse", member, message_id, DAY);

	s = xasprintf("UPDATE muhur.break SET state = CASE state WHEN 'open' THEN 'explained' ELSE state END, "
	    "explained_by = %lld, explanation = '%s' WHERE rule = 'R1'", no, text);
	sql(s);
	free(s);
}

static void
test_life(void **state)
{
	struct run run;

	(void)state;
	agreeing_day(BEFORE, "A", 0);	/* 4 against 1 */
	agreeing_day(DAY, "B", 0);
	agreeing_day(NEXT, "C", 1);
	agreeing_day(AFTER, "D", 1);
	run_day_of(BEFORE, &run);
	expect(LIFE, "open");
	explain("CUA", "X1", "a transfer under way");
	expect(LIFE, "explained a transfer under way");
	/* found on the next day too: it stays explained */
	run_day_of(DAY, &run);
	expect(LIFE, "explained a transfer under way");
	expect("SELECT state || ' ' || explanation FROM muhur.finding WHERE run = " LAST, "explained a transfer under way");
	/* gone on NEXT: cured; a later version of the same day does not close it */
	run_day_of(NEXT, &run);
	assert_int_equal(run.cured, 1);
	expect(LIFE, "cured " NEXT " a transfer under way");
	expect("SELECT status || ' ' || state FROM muhur.finding WHERE run = " LAST, "cured cured");
	run_day_of(NEXT, &run);
	expect(LIFE, "cured " NEXT " a transfer under way");
	/* nor does a later run of an earlier day that has it */
	run_day_of(DAY, &run);
	expect(LIFE, "cured " NEXT " a transfer under way");
	/* AFTER does not find it either */
	run_day_of(AFTER, &run);
	expect(LIFE, "closed " NEXT " gateway a transfer under way");
	expect("SELECT (closed_at = (SELECT started_at FROM muhur.reconcile_run WHERE no = " LAST "))::text FROM muhur.break",
	    "true");
	assert_int_equal(run.cured, 0);
	/* once more there: open, and what was said of it then is gone */
	sql(BY_HOW_MUCH(AFTER, "1"));
	run_day_of(AFTER, &run);
	expect(LIFE, "open");
	expect("SELECT (closed_at IS NULL AND explained_by IS NULL)::text FROM muhur.break", "true");
	expect("SELECT concat_ws(' ', status, state, explanation) FROM muhur.finding WHERE run = " LAST, "new open");
	/* an operator's closing holds until it is found again */
	sql("UPDATE muhur.break SET state = 'closed', closed_by = 'operator', closed_at = '2026-11-22'");
	run_day_of(AFTER, &run);
	expect(LIFE, "open");
}

/* A missing report is one day's: cured by that day, closed by the next run of
 * a later one, whatever that has. */
static void
test_life_of_one_day(void **state)
{
	struct run run;

	(void)state;
	agreeing_day(DAY, "A", 1);
	agreeing_day(NEXT, "B", 1);
	sql("UPDATE muhur.submission SET state = 'replaced' WHERE message_id = 'A-3'");
	run_day_of(DAY, &run);
	run_day_of(NEXT, &run);
	expect("SELECT state FROM muhur.break", "open");
	sql("ALTER TABLE muhur.submission DISABLE TRIGGER check_transition");
	sql("UPDATE muhur.submission SET state = 'accepted' WHERE message_id = 'A-3'");
	sql("ALTER TABLE muhur.submission ENABLE TRIGGER check_transition");
	run_day_of(DAY, &run);
	expect("SELECT state || ' ' || cured_on FROM muhur.break", "cured " DAY);
	run_day_of(DAY, &run);
	expect("SELECT state FROM muhur.break", "cured");
	run_day_of(NEXT, &run);
	expect("SELECT state || ' ' || closed_by FROM muhur.break", "closed gateway");
}

/* --- who is told what ------------------------------------------------------------------ */

/* A member's lines of the last run's result, without sources' ids. */
#define TOLD(member, kind, columns) \
	"SELECT coalesce(string_agg(concat_ws(' ', " columns "), E'\\n'), '') FROM muhur.notice n, muhur.notice_lines(n.id) l " \
	"WHERE n.run = " LAST " AND n.recipient = '" member "' AND n.kind = '" kind "'"
#define BREAKS(member) TOLD(member, "ReconciliationResult", "l.f3, l.f5, l.f6, l.f7") " AND l.f1 = 'break'"

/* Each notice has as many lines as are stored with it; a central report no more,
 * and the registry's and the Board's are announced alike. */
static void
expect_counts(void)
{
	expect("SELECT string_agg(n.kind || ' ' || n.recipient || ' ' || n.line_count || ' ' || c.n, ', ') FROM muhur.notice n, "
	    "LATERAL (SELECT count(*) AS n FROM muhur.notice_lines(n.id)) c WHERE n.line_count IS NULL OR n.line_count < c.n "
	    "OR (n.line_count > c.n AND n.kind <> 'CentralRegistryReport')", "");
}

static void
test_missing_report(void **state)
{
	struct run run;

	(void)state;
	/* CUB's is missing; PLA and PLB have contracts with it, CUA has none */
	agreeing_day(DAY, "A", 1);
	sql("UPDATE muhur.submission SET state = 'replaced' WHERE message_id = 'A-3'");
	run_day_of(DAY, &run);
	expect(BREAKS("CUB"), "R4 REPORT_MISSING CUB");
	expect(BREAKS("PLA"), "R4 REPORT_MISSING CUB");
	expect(BREAKS("PLB"), "R4 REPORT_MISSING CUB");
	expect(BREAKS("CUA"), "");
	/* a contract that ends afterwards changes nothing of what was told */
	sql("UPDATE muhur.contract SET valid_to = '" BEFORE "'");
	expect(BREAKS("PLA"), "R4 REPORT_MISSING CUB");
	expect_counts();
}

/* A break with records of both sides: each is told its own alone. */
static void
test_sources(void **state)
{
	struct run run;
	char *no, *rule;

	(void)state;
	agreeing_day(DAY, "A", 1);
	no = value("SELECT string_agg(format('\"%s\": [%s]', no, CASE member_code WHEN 'PLA' THEN '12, 3, 7' ELSE '5' END), ', ') "
	    "FROM muhur.submission WHERE message_id IN ('A-0', 'A-2')");
	rule = xasprintf("INSERT INTO pg_temp.found (rule, rule_source, kind, key, platform, custodian, detail, submissions, records) "
	    "SELECT 'R2', 's', 'OF_TEST', 'k', 'PLA', 'CUA', 'd', "
	    "ARRAY(SELECT no FROM muhur.submission WHERE message_id IN ('A-0', 'A-2', 'A-3') ORDER BY no DESC), '{%s}'", no);
	add_rule(rule);
	run_day_of(DAY, &run);
	explain("CUA", "X1", "customer 1000000001 moved");
	sql("UPDATE muhur.break SET state = 'explained', explanation = 'customer 1000000001 moved', explained_by = "
	    "(SELECT no FROM muhur.submission WHERE message_id = 'X1')");
	run_day_of(DAY, &run);
	drop_rule();
	sql("CREATE OR REPLACE FUNCTION pg_temp.by_message_id(t text) RETURNS text LANGUAGE plpgsql AS $$ DECLARE s record; BEGIN "
	    "FOR s IN SELECT id, message_id FROM muhur.submission LOOP t := replace(t, s.id::text, s.message_id); END LOOP; "
	    "RETURN t; END $$");
	/* numbers in order; A-3 is named, none of its records can be told */
	expect(TOLD("SPK", "DiscrepancyReport", "l.f12, l.f15, pg_temp.by_message_id(l.f16), l.f17") " AND l.f1 = 'break'",
	    "continuing explained A-2:5 A-3 A-0:3,7,12 customer 1000000001 moved");
	expect(TOLD("PLA", "ReconciliationResult", "pg_temp.by_message_id(l.f16), l.f17") " AND l.f1 = 'break'", "A-0:3,7,12");
	expect(TOLD("CUA", "ReconciliationResult", "pg_temp.by_message_id(l.f16), l.f17") " AND l.f1 = 'break'",
	    "A-2:5 customer 1000000001 moved");
	expect(TOLD("CUB", "ReconciliationResult", "l.f16") " AND l.f1 = 'break'", "");
	expect_counts();
	free(no);
	free(rule);
}

/* At most 100 numbers of a submission, at most 128 submissions. */
static void
test_many_sources(void **state)
{
	char id[16];
	int i;

	(void)state;
	for (i = 0; i < 130; i++) {
		(void)snprintf(id, sizeof(id), "M-%03d", i);
		(void)report("PLA", id, DAY);
	}
	expect("SELECT count(*) || ' ' || max(length(s) - length(replace(s, ',', ''))) FROM regexp_split_to_table("
	    "muhur.break_sources(ARRAY(SELECT no FROM muhur.submission), "
	    "jsonb_build_object('7', (SELECT jsonb_agg(g) FROM generate_series(1, 150) g)), NULL), ' ') s", "128 99");
}

static void
test_result_counts(void **state)
{
	struct run run;
	long long no;

	(void)state;
	agreeing_day(DAY, "A", 0);
	no = report("PLA", "A-5", DAY);
	bal(no, "5", "XYZ", BTC, "1");
	run_day_of(DAY, &run);
	/* are part of R1's difference, and A-5 of XYZ's */
	expect("SELECT string_agg(s.message_id || ' ' || n.break_count, ', ' ORDER BY s.message_id) FROM muhur.notice n "
	    "JOIN muhur.submission s ON s.no = n.submission WHERE n.level = 'result'", "A-0 1, A-1 0, A-2 1, A-3 0, A-5 1");
	expect_counts();
}

/* --- limits ---------------------------------------------------------------------------------- */

#define LIMIT(no, rule, platform, custodian, status, more) \
	"INSERT INTO muhur.limit_result (run, no, rule, rule_source, platform, custodian, numerator, denominator, ratio, " \
	"threshold, status, occurrences, cure_by, at, detail) SELECT $1, " no ", '" rule "', 's', " platform ", " custodian \
	", 6, 100, 0.06, 0.05, '" status "', " more ", 'd' WHERE $2 IS NOT NULL"
#define LIMITS(member, kind) TOLD(member, kind, "l.f2, l.f4, l.f5, l.f7, l.f8, l.f9, l.f10, l.f11, l.f12, l.f13, l.f14") \
	" AND l.f1 = 'limit' AND l.f3 = 's'"	/* and not those of the rules themselves */

static void
test_limits(void **state)
{
	struct run run;

	(void)state;
	agreeing_day(DAY, "A", 1);
	add_rule(LIMIT("9001", "R6", "'PLA'", "NULL::text", "breach", "NULL::integer, NULL::date, '2026-11-19 09:00Z'::timestamptz"));
	add_rule(LIMIT("9002", "R8", "'PLA'", "'CUA'", "breach", "NULL::integer, NULL::date, NULL::timestamptz"));
	add_rule(LIMIT("9003", "R6", "'PLB'", "NULL::text", "within", "NULL::integer, NULL::date, NULL::timestamptz"));
	add_rule(LIMIT("9004", "R9", "NULL::text", "'CUA'", "missing", "NULL::integer, NULL::date, NULL::timestamptz"));
	add_rule(LIMIT("9005", "R12", "'PLB'", "NULL::text", "breach", "3, '2027-01-04'::date, NULL::timestamptz"));
	add_rule(LIMIT("9006", "R12", "'PLA'", "'CUA'", "breach", "3, '2027-01-04'::date, NULL::timestamptz"));
	run_day_of(DAY, &run);
	/* PLA: its three; CUA: R8 and R12 that it is part of, and its own R9; PLB: its two */
	expect(LIMITS("PLA", "ReconciliationResult"), "R6 PLA 2026-11-19T09:00:00Z 6 100 0.06 0.05 breach\n"
	    "R8 PLA CUA 6 100 0.06 0.05 breach\nR12 PLA CUA 6 100 0.06 0.05 breach 3 2027-01-04");
	expect(LIMITS("CUA", "ReconciliationResult"), "R8 PLA CUA 6 100 0.06 0.05 breach\nR9 CUA 6 100 0.06 0.05 missing\n"
	    "R12 PLA CUA 6 100 0.06 0.05 breach 3 2027-01-04");
	expect(LIMITS("PLB", "ReconciliationResult"), "R6 PLB 6 100 0.06 0.05 within\n"
	    "R12 PLB 6 100 0.06 0.05 breach 3 2027-01-04");
	expect(LIMITS("CUB", "ReconciliationResult"), "");
	/* breaches: PLA of its three, PLB of R12 and, since the article makes custodians
	 * notify it, CUB, with which it has a contract; CUA of its own R12, of which CUB,
	 * with which PLA has a contract as well, is not told; regulators of all */
	expect(LIMITS("PLA", "LimitBreachNotice"), "R6 PLA 2026-11-19T09:00:00Z 6 100 0.06 0.05 breach\n"
	    "R8 PLA CUA 6 100 0.06 0.05 breach\nR12 PLA CUA 6 100 0.06 0.05 breach 3 2027-01-04");
	expect(LIMITS("CUA", "LimitBreachNotice"), "R12 PLA CUA 6 100 0.06 0.05 breach 3 2027-01-04");
	expect(LIMITS("PLB", "LimitBreachNotice"), "R12 PLB 6 100 0.06 0.05 breach 3 2027-01-04");
	expect(LIMITS("CUB", "LimitBreachNotice"), "R12 PLB 6 100 0.06 0.05 breach 3 2027-01-04");
	expect(LIMITS("SPK", "LimitBreachNotice"), "R6 PLA 2026-11-19T09:00:00Z 6 100 0.06 0.05 breach\n"
	    "R8 PLA CUA 6 100 0.06 0.05 breach\nR12 PLA CUA 6 100 0.06 0.05 breach 3 2027-01-04\n"
	    "R12 PLB 6 100 0.06 0.05 breach 3 2027-01-04");
	expect("SELECT string_agg(recipient || ' ' || file_name, ', ' ORDER BY recipient) FROM muhur.notice "
	    "WHERE kind = 'LimitBreachNotice'", "CUA LimitBreachNotice." DAY ".1.xml, "
	    "CUB LimitBreachNotice." DAY ".1.xml, PLA LimitBreachNotice." DAY ".1.xml, "
	    "PLB LimitBreachNotice." DAY ".1.xml, SPK LimitBreachNotice." DAY ".1.xml");
	expect_counts();
	drop_rule();
	drop_rule();
	drop_rule();
	drop_rule();
	drop_rule();
	drop_rule();
	run_day_of(DAY, &run);
	expect("SELECT count(*) FROM muhur.notice WHERE kind = 'LimitBreachNotice' AND run = " LAST, "0");
}

/* Amounts are cut, never rounded or refused. */
static void
test_figures(void **state)
{
	(void)state;
	expect("SELECT muhur.figure_text(1234567890123456789012345.6789012345678901239) || ' ' || "
	    "muhur.figure_text(-0.0000000000000000019) || ' ' || muhur.figure_text(2.50)",
	    "1234567890123456789012345.678901234567890123 -0.000000000000000001 2.5");
	expect("SELECT muhur.quantity_text(1e20) || ' ' || muhur.quantity_text(-1e30) || ' ' || muhur.quantity_text(7.10)",
	    "99999999999999999999.999999999999999999 -99999999999999999999.999999999999999999 7.1");
}

/* --- the central report ---------------------------------------------------------------------- */

static void
test_central(void **state)
{
	struct run run;
	long long no;

	(void)state;
	/* C1 at PLA: 1.5 BTC at CUA and 3 of its own, 10 ETH; C2 2.5 BTC; C9 7 ETH at PLB */
	agreeing_day(DAY, "A", 1);
	no = report("PLB", "A-5", DAY);
	record("balance", "registry_no, customer_no, held_at, asset, quantity, locked", no,
	    "'1000000001', 'other', 'OWN', '" BTC "', 2, 0.5");	/* C1 at PLB as well */
	bal(report("PLB", "A-6", BEFORE), "3", "OWN", BTC, "1");	/* of another day */
	no = report("PLA", "A-7", DAY);
	bal(no, "4", "OWN", BTC, "1");
	sql("UPDATE muhur.submission SET state = 'replaced' WHERE message_id = 'A-7'");
	run_day_of(DAY, &run);
	expect(TOLD("MKK", "CentralRegistryReport", "l.f2, l.f3, l.f4, l.f5, l.f6, l.f7"),
	    "1000000001 " BTC " PLA 4.5 0 6.5\n1000000001 " BTC " PLB 2 0.5 6.5\n1000000001 " ETH " PLA 10 0 10\n"
	    "1000000002 " BTC " PLA 2.5 0 2.5\n1000000009 " ETH " PLB 7 0 7");
	/* at most: six records, of which two are summed up */
	expect("SELECT string_agg(recipient || ' ' || line_count, ', ' ORDER BY recipient) FROM muhur.notice "
	    "WHERE kind = 'CentralRegistryReport'", "MKK 6, SPK 6");
	/* one document for both */
	expect("SELECT c.recipient || ' of ' || o.recipient FROM muhur.notice c JOIN muhur.notice o ON o.no = c.copy_of",
	    "SPK of MKK");
	expect_counts();
	sql("INSERT INTO muhur.parameter (name, valid_from, value) VALUES ('report.central', '" DAY "', 'none')");
	run_day_of(DAY, &run);
	expect("SELECT count(*) FROM muhur.notice WHERE kind = 'CentralRegistryReport' AND run = " LAST, "0");
	sql("DELETE FROM muhur.parameter WHERE name = 'report.central' AND valid_from = '" DAY "'");
}

/* As it is sent: with no function in the plan nothing is kept on the way. */
static void
test_central_streams(void **state)
{
	PGresult *res;
	int i;

	(void)state;
	assert_non_null(res = db_query(&owner, NULL, "EXPLAIN SELECT * FROM muhur.central_lines(1, '" DAY "')", 0, NULL));
	for (i = 0; i < PQntuples(res); i++)
		assert_null(strstr(PQgetvalue(res, i, 0), "Function Scan"));
	PQclear(res);
}

/* The roles that send lines see the report's sums and no balance. */
static void
test_rights(void **state)
{
	struct db load = { 0 };
	struct run run;

	(void)state;
	agreeing_day(DAY, "A", 0);
	add_rule(LIMIT("9001", "R6", "'PLA'", "NULL::text", "breach", "NULL::integer, NULL::date, NULL::timestamptz"));
	run_day_of(DAY, &run);
	drop_rule();
	assert_int_equal(db_connect(&load, &conf, "muhur_load", "x"), 0);
	assert_true(db_exec(&load, "SELECT * FROM muhur.notice n, muhur.notice_lines(n.id)", 0, NULL) > 10);
	assert_true(db_exec(&load, "SELECT * FROM muhur.central_lines(1, '" DAY "')", 0, NULL) == 4);
	assert_null(db_query(&load, "42501", "SELECT * FROM muhur.balance", 0, NULL));
	db_close(&load);
	assert_int_equal(db_connect(&load, &conf, "muhur_directory", "x"), 0);
	assert_true(db_exec(&load, "SELECT * FROM muhur.notice n, muhur.notice_lines(n.id)", 0, NULL) > 10);
	db_close(&load);
	/* the worker may end a break's life and rewrite no finding */
	assert_null(db_query(&worker, "42501", "UPDATE muhur.finding SET detail = 'x'", 0, NULL));
	assert_null(db_query(&worker, "42501", "UPDATE muhur.notice SET line_count = 1", 0, NULL));
}

int
main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_life, one_day),
		cmocka_unit_test_setup(test_life_of_one_day, one_day),
		cmocka_unit_test_setup(test_missing_report, one_day),
		cmocka_unit_test_setup(test_sources, one_day),
		cmocka_unit_test_setup(test_many_sources, one_day),
		cmocka_unit_test_setup(test_result_counts, one_day),
		cmocka_unit_test_setup(test_limits, one_day),
		cmocka_unit_test(test_figures),
		cmocka_unit_test_setup(test_central, one_day),
		cmocka_unit_test(test_central_streams),
		cmocka_unit_test_setup(test_rights, one_day),
	};

	(void)argc;
	pgtest_begin(argv);
	log_init("test_outputs", LOG_COMMAND, 0);
	clock_init(0);
	pgtest_conf(&conf);
	return cmocka_run_group_tests(tests, make_database, close_database);
}
