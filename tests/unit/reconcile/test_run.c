/* SPDX-License-Identifier: ISC */
/*
 * Whole runs against a real server: markets small enough to be added up by
 * hand.  Every expected value is derived in the comment beside it.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/reconcile/worker.h"

/* --- tests -------------------------------------------------------------------- */

static void
test_agreement(void **state)
{
	struct run run;

	(void)state;
	agreeing_day(DAY, "A", 1);
	run_day_of(DAY, &run);
	assert_int_equal(run.version, 1);
	assert_int_equal(run.breaks, 0);
	/* PLA-CUA BTC, PLA-CUB ETH, PLB-CUB ETH */
	assert_int_equal(run.pairs, 3);
	expect("SELECT string_agg(concat_ws(' ', platform, custodian, asset, trim_scale(platform_quantity), "
	    "trim_scale(custodian_quantity), trim_scale(difference), status), E'\\n' ORDER BY 1, platform, custodian) "
	    "FROM muhur.pair",
	    "PLA CUA " BTC " 4 4 0 matched\nPLA CUB " ETH " 10 10 0 matched\nPLB CUB " ETH " 7 7 0 matched");
	expect("SELECT count(*) FROM muhur.reconcile_input", "4");
	expect("SELECT count(*) FROM muhur.reconcile_job", "0");
	/* parties of contracts, the regulator, the registry, and a result for each submission */
	expect("SELECT string_agg(kind || ' ' || recipient || ' ' || file_name, E'\\n' ORDER BY recipient, kind DESC) "
	    "FROM muhur.notice WHERE level IS NULL",
	    "ReconciliationResult CUA ReconciliationResult." DAY ".1.xml\n"
	    "ReconciliationResult CUB ReconciliationResult." DAY ".1.xml\n"
	    "CentralRegistryReport MKK CentralRegistryReport." DAY ".1.xml\n"
	    "ReconciliationResult PLA ReconciliationResult." DAY ".1.xml\n"
	    "ReconciliationResult PLB ReconciliationResult." DAY ".1.xml\n"
	    "DiscrepancyReport SPK DiscrepancyReport." DAY ".1.xml\n"
	    "CentralRegistryReport SPK CentralRegistryReport." DAY ".1.xml");
	expect("SELECT count(*) FROM muhur.notice n JOIN muhur.submission s ON s.no = n.submission "
	    "WHERE n.level = 'result' AND n.file_name = s.id || '.result.xml' AND n.recipient = s.member_code", "4");
	expect("SELECT string_agg(kind || ' ' || actor, ' ') FROM muhur.event", "reconciled gateway");
	/* again: a new version, but a submission's result is said once */
	run_day_of(DAY, &run);
	assert_int_equal(run.version, 2);
	expect("SELECT count(*) FROM muhur.notice WHERE level = 'result'", "4");
	expect("SELECT count(*) FROM muhur.notice WHERE level IS NULL", "14");
}

static void
test_bilateral(void **state)
{
	struct run run;
	long long no;

	(void)state;
	no = report("PLA", "A", DAY);
	bal(no, "1", "CUA", BTC, "1.000000000000000001");
	bal(no, "2", "CUA", BTC, "2");		/* sum 3.000000000000000001 against 3 */
	bal(no, "1", "CUA", ETH, "5");		/* CUA has no such line: 5 against 0 */
	bal(no, "1", "CUB", BTC, "-1");		/* a negative balance counts as it stands: -1 against 4; and R5 */
	no = report("PLB", "B", DAY);
	bal(no, "1", "CUB", ETH, "8");		/* two reports of CUB add up: 3 + 5 */
	no = report("CUA", "C", DAY);
	omn(no, "PLA", BTC, "HOT", "3");
	no = report("CUB", "D1", DAY);
	omn(no, "PLB", ETH, "HOT", "3");
	omn(no, "PLA", BTC, "HOT", "4");
	no = report("CUB", "D2", DAY);
	omn(no, "PLB", ETH, "COLD", "5");
	omn(no, "PLB", BTC, "COLD", "0.5");	/* PLB has no such line: 0 against 0.5 */
	run_day_of(DAY, &run);
	expect(FINDINGS(LAST),
	    "R1 QUANTITY_DIFFERENCE PLA CUA " BTC " 3.000000000000000001 3 0.000000000000000001 new " DAY "\n"
	    "R1 QUANTITY_DIFFERENCE PLA CUA " ETH " 5 0 5 new " DAY "\n"
	    "R1 QUANTITY_DIFFERENCE PLA CUB " BTC " -1 4 -5 new " DAY "\n"
	    "R1 QUANTITY_DIFFERENCE PLB CUB " BTC " 0 0.5 -0.5 new " DAY "\n"
	    "R5 NEGATIVE_BALANCE PLA - " BTC " -1 - - new " DAY);
	assert_int_equal(run.breaks, 5);
	assert_int_equal(run.fresh, 5);
	/* PLB-CUB BTC: its own report and both of CUB's would be cited, if both
	 * had a line; D2 alone has one.  PLB 2, D2 5. */
	expect("SELECT f.submissions::text FROM muhur.finding f JOIN muhur.break b ON b.id = f.break_id "
	    "WHERE b.key = 'PLB|CUB|" BTC "'", "{2,5}");
	/* the id as anybody can compute it */
	expect("SELECT bool_and(id = rule || '-' || left(encode(sha256(key::bytea), 'hex'), 12))::text FROM muhur.break",
	    "true");
}

/* CUB's report is missing: its pairs are not compared, and one break says so. */
static void
test_presence(void **state)
{
	struct run run;
	long long no;

	(void)state;
	no = report("PLA", "A", DAY);
	bal(no, "1", "CUA", BTC, "1");
	bal(no, "1", "CUB", BTC, "2");
	no = report("CUA", "C", DAY);
	omn(no, "PLA", BTC, "HOT", "1");
	run_day_of(DAY, &run);
	/* PLB, CUB owe reports; UYM, SPK, MKK owe none */
	expect(FINDINGS(LAST),
	    "R4 REPORT_MISSING PLB - - - - - new " DAY "\n"
	    "R4 REPORT_MISSING - CUB - - - - new " DAY);
	expect("SELECT string_agg(concat_ws(' ', platform, custodian, platform_quantity IS NULL, "
	    "custodian_quantity IS NULL, status), E'\\n' ORDER BY custodian) FROM muhur.pair",
	    "PLA CUA f f matched\nPLA CUB f t missing");
	expect("SELECT string_agg(detail, ', ' ORDER BY detail) FROM muhur.finding",
	    "BalanceReport of PLB is missing, CustodyReport of CUB is missing");
	/* who has no contract that day owes nothing; who is suspended still does */
	sql("UPDATE muhur.contract SET valid_to = '2026-11-18' WHERE platform = 'PLB'");
	sql("UPDATE muhur.member SET state = 'suspended' WHERE code = 'CUB'");
	run_day_of(DAY, &run);
	expect(FINDINGS(LAST) " AND f.status <> 'cured'", "R4 REPORT_MISSING - CUB - - - - continuing " DAY);
	assert_int_equal(run.cured, 1);
}

/* A missing report is one day's: the next day's report does not stand for it. */
static void
test_presence_over_days(void **state)
{
	struct run run;
	long long no;

	(void)state;
	agreeing_day(DAY, "A", 1);
	agreeing_day(NEXT, "B", 1);
	sql("UPDATE muhur.submission SET state = 'replaced' WHERE member_code = 'CUB'");
	run_day_of(DAY, &run);
	expect(FINDINGS(LAST), "R4 REPORT_MISSING - CUB - - - - new " DAY);
	/* missing the day after as well: a break of that day, new, and an id of its own */
	run_day_of(NEXT, &run);
	expect(FINDINGS(LAST), "R4 REPORT_MISSING - CUB - - - - new " NEXT);
	run_day_of(NEXT, &run);
	expect(FINDINGS(LAST), "R4 REPORT_MISSING - CUB - - - - continuing " NEXT);
	expect("SELECT string_agg(key || ' ' || state, E'\n' ORDER BY key) FROM muhur.break",
	    "CustodyReport|CUB|" DAY " open\nCustodyReport|CUB|" NEXT " open");
	/* the day after is reported: it is cured, the day before is not */
	no = report("CUB", "NEXT", NEXT);
	omn(no, "PLA", ETH, "COLD", "10");
	omn(no, "PLB", ETH, "COLD", "7");
	run_day_of(NEXT, &run);
	expect(FINDINGS(LAST), "R4 REPORT_MISSING - CUB - - - - cured " NEXT);
	expect("SELECT string_agg(key || ' ' || state, E'\n' ORDER BY key) FROM muhur.break",
	    "CustodyReport|CUB|" DAY " open\nCustodyReport|CUB|" NEXT " cured");
	/* a later run of the day before, still without it */
	run_day_of(DAY, &run);
	expect(FINDINGS(LAST), "R4 REPORT_MISSING - CUB - - - - continuing " DAY);
	expect("SELECT state FROM muhur.break WHERE key LIKE '%" DAY "'", "open");
	/* it comes late: cured once, though the newest day is another */
	no = report("CUB", "LATE", DAY);
	omn(no, "PLA", ETH, "HOT", "10");
	omn(no, "PLB", ETH, "HOT", "7");
	run_day_of(DAY, &run);
	assert_int_equal(run.breaks, 0);
	expect(FINDINGS(LAST), "R4 REPORT_MISSING - CUB - - - - cured " DAY);
	expect("SELECT string_agg(DISTINCT state, ',') FROM muhur.break", "cured");
	run_day_of(DAY, &run);
	expect(FINDINGS(LAST), "");
}

/* D lacks one report and D + 1 is complete: D's break is nobody's to cure there. */
static void
test_presence_day_after(void **state)
{
	struct run run;

	(void)state;
	agreeing_day(DAY, "A", 1);
	agreeing_day(NEXT, "B", 1);
	sql("UPDATE muhur.submission SET state = 'replaced' WHERE member_code = 'CUB' AND business_date = '" DAY "'");
	run_day_of(DAY, &run);
	run_day_of(NEXT, &run);
	assert_int_equal(run.cured, 0);
	expect(FINDINGS(LAST), "");
	expect("SELECT state FROM muhur.break", "open");
}

static void
test_contracts(void **state)
{
	struct run run;
	long long no;

	(void)state;
	agreeing_day(DAY, "A", 1);
	no = report("PLA", "A2", DAY);
	bal(no, "1", "XYZ", BTC, "1");		/* nobody's code: 1 + 2 = 3 */
	bal(no, "2", "XYZ", BTC, "2");
	bal(no, "1", "PLB", ETH, "4");		/* a member, but no custodian */
	no = report("PLB", "B2", DAY);
	bal(no, "1", "CUA", BTC, "6");		/* no contract; CUA reports 5 for PLB too */
	bal(no, "1", "CUA", ETH, "1");		/* no contract, PLB alone */
	no = report("CUA", "C2", DAY);
	omn(no, "PLB", BTC, "COLD", "5");
	omn(no, "QQQ", ETH, "COLD", "9");	/* nobody's code */
	omn(no, "CUB", ETH, "COLD", "2");	/* a member, but no platform */
	run_day_of(DAY, &run);
	expect(FINDINGS(LAST),
	    "R5 NO_CONTRACT CUB CUA " ETH " - 2 - new " DAY "\n"
	    "R5 NO_CONTRACT PLB CUA " BTC " 6 5 1 new " DAY "\n"
	    "R5 NO_CONTRACT PLB CUA " ETH " 1 - - new " DAY "\n"
	    "R5 NO_CONTRACT QQQ CUA " ETH " - 9 - new " DAY "\n"
	    "R5 UNKNOWN_CUSTODIAN PLA PLB " ETH " 4 - - new " DAY "\n"
	    "R5 UNKNOWN_CUSTODIAN PLA XYZ " BTC " 3 - - new " DAY);
	/* the contract's last day still counts, the day after does not */
	sql("UPDATE muhur.contract SET valid_to = '" DAY "' WHERE custodian = 'CUA'");
	run_day_of(DAY, &run);
	expect("SELECT count(*) FROM muhur.pair WHERE custodian = 'CUA' AND run = " LAST, "1");
	sql("UPDATE muhur.contract SET valid_to = '2026-11-18' WHERE custodian = 'CUA'");
	run_day_of(DAY, &run);
	expect("SELECT count(*) FROM muhur.pair WHERE custodian = 'CUA' AND run = " LAST, "0");
	expect("SELECT count(*) FROM muhur.finding f JOIN muhur.break b ON b.id = f.break_id WHERE f.run = " LAST
	    " AND b.key = 'NO_CONTRACT|PLA|CUA|" BTC "' AND f.platform_quantity = 4 AND f.custodian_quantity = 4", "1");
}

static void
test_duplicates(void **state)
{
	struct run run;
	long long no;

	(void)state;
	no = report("PLA", "A1", DAY);
	bal(no, "1", "CUA", BTC, "1");		/* record 1 */
	bal(no, "1", "CUA", BTC, "1");		/* record 2: the same key again */
	bal(no, "1", "CUA", ETH, "1");		/* another asset */
	bal(no, "2", "CUA", BTC, "1");		/* another customer */
	bal(no, "1", "OWN", BTC, "2");		/* another place, twice over two reports */
	no = report("PLA", "A2", DAY);
	bal(no, "1", "OWN", BTC, "3");
	bal(no, "1", "CUA", BTC, "1");		/* the third */
	no = report("PLB", "B", DAY);
	bal(no, "1", "CUB", BTC, "1");		/* the same customer at another platform */
	no = report("CUA", "C", DAY);
	/* PLA at CUA: BTC 1 + 1 + 1 + 1 = 4, duplicates added up as reported; ETH 1 */
	omn(no, "PLA", BTC, "HOT", "2");
	omn(no, "PLA", BTC, "HOT", "2");	/* the same wallet again */
	omn(no, "PLA", ETH, "HOT", "0.5");
	omn(no, "PLA", ETH, "COLD", "0.5");	/* another wallet */
	record("custody_direct", "registry_no, customer_no, asset, wallet, quantity", no, "'1000000001', 'D', '" BTC "', 'HOT', 7");
	record("custody_direct", "registry_no, customer_no, asset, wallet, quantity", no, "'1000000001', 'D', '" BTC "', 'HOT', 8");
	no = report("CUB", "D", DAY);
	omn(no, "PLB", BTC, "HOT", "1");
	run_day_of(DAY, &run);
	/* direct 7 + 8; own wallet 2 + 3; omnibus 2 + 2; CUA 1 + 1 + 1 */
	expect(FINDINGS(LAST),
	    "R5 DUPLICATE_LINE PLA CUA " BTC " 3 - - new " DAY "\n"
	    "R5 DUPLICATE_LINE PLA - " BTC " 5 - - new " DAY "\n"
	    "R5 DUPLICATE_LINE - CUA " BTC " - 15 - new " DAY "\n"
	    "R5 DUPLICATE_LINE PLA CUA " BTC " - 4 - new " DAY);
	expect("SELECT string_agg(f.detail, E'\\n' ORDER BY b.key) FROM muhur.finding f JOIN muhur.break b ON b.id = f.break_id",
	    "3 lines of one key: A1 record 1, A1 record 2, A2 record 2\n"
	    "2 lines of one key: A1 record 5, A2 record 1\n"
	    "2 lines of one key: C record 1, C record 2\n"
	    "2 lines of one key: C record 1, C record 2");
	/* no investor's number gets out in it */
	expect("SELECT count(*) FROM muhur.finding WHERE detail LIKE '%1000000001%'", "0");
}

/* The same reports in another order: the same ids, values, words. */
#define WHOLE "SELECT string_agg(concat_ws('|', b.*::text, f.status, f.first_seen, f.platform_quantity, " \
	"f.custodian_quantity, f.difference, f.detail, ARRAY(SELECT s.message_id FROM muhur.submission s " \
	"WHERE s.no = ANY (f.submissions) ORDER BY 1)), E'\\n' ORDER BY b.id) " \
	"FROM muhur.finding f JOIN muhur.break b ON b.id = f.break_id"

static void
permuted_day(int turn)
{
	long long no;
	int i;

	for (i = 0; i < 5; i++) {
		switch ((i * 3 + turn) % 5) {	/* 3 and 5 have no common factor: each once */
		case 0:
			no = report("PLA", "A1", DAY);
			bal(no, "1", "CUA", BTC, "1");
			bal(no, "1", "CUB", BTC, "2");
			break;
		case 1:
			no = report("PLA", "A2", DAY);
			bal(no, "1", "CUA", BTC, "1.5");
			bal(no, "7", "YYY", ETH, "1");
			break;
		case 2:
			no = report("PLB", "B", DAY);
			bal(no, "1", "CUA", ETH, "3");
			break;
		case 3:
			no = report("CUA", "C", DAY);
			omn(no, "PLA", BTC, "HOT", "2");
			omn(no, "PLA", BTC, "HOT", "0.25");
			break;
		case 4:
			no = report("CUA", "C0", DAY);
			omn(no, "PLA", BTC, "HOT", "1");
			break;
		}
	}
}

static void
test_permuted(void **state)
{
	char *first = NULL, *got;
	struct run run;
	int turn;

	for (turn = 0; turn < 5; turn++) {
		fresh_market(state);
		permuted_day(turn);
		run_day_of(DAY, &run);
		/* R1 2.5 against 3.25; CUB missing; PLB-CUA no contract; YYY; duplicates of
		 * customer 1 and of the hot wallet */
		assert_int_equal(run.breaks, 6);
		got = value(WHOLE);
		if (first == NULL)
			first = xstrdup(got);
		assert_string_equal(got, first);
		free(got);
	}
	free(first);
}

static void
test_correction(void **state)
{
	struct run run;
	long long no;
	char *before, *after;

	(void)state;
	agreeing_day(DAY, "A", 0);	/* CUA without its cold wallet: 4 against 1 */
	run_day_of(DAY, &run);
	expect(FINDINGS(LAST), "R1 QUANTITY_DIFFERENCE PLA CUA " BTC " 4 1 3 new " DAY);
	before = value("SELECT string_agg(f::text, E'\\n') FROM muhur.finding f WHERE run = 1");
	run_day_of(DAY, &run);
	expect(FINDINGS(LAST), "R1 QUANTITY_DIFFERENCE PLA CUA " BTC " 4 1 3 continuing " DAY);
	/* the corrected report takes the old one's place */
	sql("UPDATE muhur.submission SET state = 'replaced' WHERE message_id = 'A-2'");
	no = report("CUA", "A-2b", DAY);
	omn(no, "PLA", BTC, "HOT", "1");
	omn(no, "PLA", BTC, "COLD", "3");
	run_day_of(DAY, &run);
	assert_int_equal(run.version, 3);
	assert_int_equal(run.breaks, 0);
	assert_int_equal(run.cured, 1);
	expect(FINDINGS(LAST), "R1 QUANTITY_DIFFERENCE PLA CUA " BTC " 4 4 0 cured " DAY);
	expect("SELECT state FROM muhur.break", "cured");
	/* the corrected one gets its own result, nobody gets another */
	expect("SELECT count(*) FROM muhur.notice WHERE level = 'result'", "5");
	/* cured once; the old run reads as it did */
	run_day_of(DAY, &run);
	expect(FINDINGS(LAST), "");
	after = value("SELECT string_agg(f::text, E'\\n') FROM muhur.finding f WHERE run = 1");
	assert_string_equal(after, before);
	free(before);
	free(after);
}

static void
test_over_days(void **state)
{
	struct run run;

	(void)state;
	agreeing_day(DAY, "A", 0);
	agreeing_day(NEXT, "B", 0);
	run_day_of(DAY, &run);
	run_day_of(NEXT, &run);
	/* the same break the day after: it continues, and is one day old */
	expect(FINDINGS(LAST), "R1 QUANTITY_DIFFERENCE PLA CUA " BTC " 4 1 3 continuing " DAY);
	/* the old day corrected late: cured there, still open as of the newest */
	sql("UPDATE muhur.custody_omnibus SET quantity = 4 WHERE business_date = '" DAY "' AND asset = '" BTC "'");
	run_day_of(DAY, &run);
	expect(FINDINGS(LAST), "R1 QUANTITY_DIFFERENCE PLA CUA " BTC " 4 4 0 cured " DAY);
	expect("SELECT state || ' ' || last_seen FROM muhur.break", "open " NEXT);
	/* the newest day again: its version 1 told of it, and now it began on that day */
	run_day_of(NEXT, &run);
	expect(FINDINGS(LAST), "R1 QUANTITY_DIFFERENCE PLA CUA " BTC " 4 1 3 continuing " NEXT);
	/* cured and come again: it is new, its age begins anew */
	sql("UPDATE muhur.custody_omnibus SET quantity = 4 WHERE asset = '" BTC "'");
	run_day_of(NEXT, &run);
	sql("UPDATE muhur.custody_omnibus SET quantity = 1 WHERE asset = '" BTC "'");
	run_day_of(NEXT, &run);
	expect(FINDINGS(LAST), "R1 QUANTITY_DIFFERENCE PLA CUA " BTC " 4 1 3 new " NEXT);
	expect("SELECT state FROM muhur.break", "open");
}

/* Sums past 20 integer digits must not stop the day. */
static void
test_great_sums(void **state)
{
	struct run run;
	long long no;
	int i;

	(void)state;
	agreeing_day(DAY, "A", 1);
	for (i = 0; i < 2; i++) {
		char id[8];

		(void)snprintf(id, sizeof(id), "G%d", i);
		no = report("PLA", id, DAY);
		bal(no, i == 0 ? "5" : "6", "CUB", BTC, "99999999999999999999");
	}
	run_day_of(DAY, &run);
	/* 2 x (10^20 - 1) against 0: both written as the greatest number there is */
	expect(FINDINGS(LAST), "R1 QUANTITY_DIFFERENCE PLA CUB " BTC " 99999999999999999999.999999999999999999 0 "
	    "99999999999999999999.999999999999999999 new " DAY);
	expect("SELECT (detail LIKE '%more than 20 integer digits%')::text FROM muhur.finding", "true");
}

/* Somebody made a key whose first 12 digits are another break's. */
static void
test_collision(void **state)
{
	struct run run;

	(void)state;
	agreeing_day(DAY, "A", 0);
	sql("INSERT INTO muhur.break (id, rule, rule_source, kind, key, first_seen, last_seen) VALUES ('R1-' || "
	    "left(encode(sha256('PLA|CUA|" BTC "'), 'hex'), 12), 'R1', '-', '-', 'another', '" DAY "', '" DAY "')");
	run_day_of(DAY, &run);
	expect("SELECT (break_id = 'R1-' || left(encode(sha256('PLA|CUA|" BTC "'), 'hex'), 24))::text FROM muhur.finding",
	    "true");
	run_day_of(DAY, &run);
	expect("SELECT string_agg(status, ' ' ORDER BY run) FROM muhur.finding", "new continuing");
}

/* A run that dies in the middle leaves nothing, and its day waits a little. */
static void
test_death(void **state)
{
	char *statement = xstrdup("SELECT 1 / ($1 - $1)");
	struct rule *broken = &rules->v[rules->n - 1];
	struct run run;
	date_t d;

	(void)state;
	agreeing_day(DAY, "A", 0);
	broken->statement = xreallocarray(broken->statement, broken->nstatements + 1, sizeof(char *));
	broken->statement[broken->nstatements++] = statement;
	assert_int_equal(date_parse(DAY, &d), 0);
	assert_int_equal(queue_add(&owner, d, clock_now() - USEC_PER_SEC, "complete"), 0);
	assert_int_equal(run_next(&means, &run), -1);
	broken->nstatements--;
	free(statement);
	expect("SELECT (SELECT count(*) FROM muhur.reconcile_run) + (SELECT count(*) FROM muhur.pair) "
	    "+ (SELECT count(*) FROM muhur.break) + (SELECT count(*) FROM muhur.notice)", "0");
	/* it is still queued, but not at once, so that other days go on */
	expect("SELECT count(*) FROM muhur.reconcile_job", "1");
	assert_int_equal(run_next(&means, &run), 0);
	sql("UPDATE muhur.reconcile_job SET not_before = '2026-01-01'");
	assert_int_equal(run_next(&means, &run), 1);
	assert_int_equal(run.version, 1);
	assert_int_equal(run.breaks, 1);
	assert_string_equal(run.cause, "complete");
}

/* Another worker's run becomes visible after this one's snapshot: this one is
 * made again at once, as the next version. */
static void
test_overtaken(void **state)
{
	PGresult *res;
	struct run run;
	date_t d;

	(void)state;
	agreeing_day(DAY, "A", 1);
	assert_int_equal(date_parse(DAY, &d), 0);
	assert_int_equal(queue_add(&owner, d, clock_now() - USEC_PER_SEC, "operator"), 0);
	sql("BEGIN");
	sql("INSERT INTO muhur.reconcile_run (business_date, version, cause, started_at) "
	    "VALUES ('" DAY "', 1, 'complete', '2026-11-20')");
	assert_int_equal(PQsendQuery(owner.conn, "SELECT pg_sleep(0.5); COMMIT"), 1);
	assert_int_equal(run_next(&means, &run), 1);
	assert_int_equal(run.version, 2);
	while ((res = PQgetResult(owner.conn)) != NULL)
		PQclear(res);
	expect("SELECT count(*) FROM muhur.reconcile_job", "0");
	expect("SELECT count(*) FROM muhur.reconcile_run", "2");
}

/* What the calendar asks for.  The clock is the real one: days are relative
 * to it. */
static void
test_schedule(void **state)
{
	char day[DATE_SIZE], *text;
	date_t d = last_closed_day(clock_now());
	struct run run;

	(void)state;
	conf.reconcile_delay = 0;
	if (istanbul_time(d + 1, conf.cutoff_hour, conf.cutoff_minute) > clock_now())
		d--;
	date_format(d, day);
	/* members that came after the cut-off owe nothing for that day */
	sql("UPDATE muhur.member SET created_at = '2100-01-01'");
	assert_int_equal(run_schedule(&worker, &conf), 0);
	expect("SELECT count(*) FROM muhur.reconcile_job", "0");
	/* a contract of that day alone: one day is due, and once */
	text = xasprintf("UPDATE muhur.member SET created_at = '2020-01-01'; "
	    "UPDATE muhur.contract SET valid_from = '%s'", day);
	PQclear(PQexec(owner.conn, text));
	free(text);
	assert_int_equal(run_schedule(&worker, &conf), 0);
	assert_int_equal(run_schedule(&worker, &conf), 0);
	text = xasprintf("{%s} cut-off", day);
	expect("SELECT array_agg(business_date)::text || ' ' || min(cause) FROM muhur.reconcile_job", text);
	free(text);
	assert_int_equal(run_next(&means, &run), 1);
	assert_int_equal(run.business_date, d);
	assert_int_equal(run.breaks, 4);	/* all four reports are missing */
	assert_int_equal(run_schedule(&worker, &conf), 0);
	expect("SELECT count(*) FROM muhur.reconcile_job", "0");
	/* one comes after all: the day runs again */
	(void)report("PLA", "LATE", day);
	assert_int_equal(run_schedule(&worker, &conf), 0);
	assert_int_equal(run_next(&means, &run), 1);
	assert_int_equal(run.version, 2);
	assert_int_equal(run.breaks, 3);
	assert_int_equal(run.cured, 1);
	assert_int_equal(run_schedule(&worker, &conf), 0);
	assert_int_equal(run_next(&means, &run), 0);
}

/* Notices and lines: what each member is told is its own. */
static void
test_lines(void **state)
{
	struct run run;

	(void)state;
	agreeing_day(DAY, "A", 0);
	run_day_of(DAY, &run);
	expect("SELECT string_agg(concat_ws(' ', l.f1, l.f2, l.f3, l.f4, l.f5, l.f6, l.f7, l.f8), E'\\n') FROM "
	    "muhur.notice n, muhur.notice_lines(n.id) l WHERE n.recipient = 'PLB' AND n.level IS NULL AND l.f1 NOT IN ('source', 'limit')",
	    "pair PLB CUB " ETH " 7 7 0 matched");
	expect("SELECT count(*) FROM muhur.notice n, muhur.notice_lines(n.id) l WHERE n.recipient = 'PLA' "
	    "AND n.level IS NULL AND l.f1 <> 'limit'", "4");	/* its report, two pairs, one break */
	expect("SELECT count(*) FROM muhur.notice n, muhur.notice_lines(n.id) l WHERE n.recipient = 'SPK' "
	    "AND n.kind = 'DiscrepancyReport'", "5");	/* four sources, one break */
	/* a member is told its own files, and nobody else's */
	expect("SELECT string_agg(l.f4 || ' ' || (l.f7 = s.file_name AND l.f3 = s.sha256), ',') "
	    "FROM muhur.notice n, muhur.notice_lines(n.id) l, muhur.submission s "
	    "WHERE n.recipient = 'PLB' AND n.level IS NULL AND l.f1 = 'source' AND s.id = l.f2::uuid", "PLB true");
}

int
main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_agreement, fresh_market),
		cmocka_unit_test_setup(test_bilateral, fresh_market),
		cmocka_unit_test_setup(test_presence, fresh_market),
		cmocka_unit_test_setup(test_presence_over_days, fresh_market),
		cmocka_unit_test_setup(test_presence_day_after, fresh_market),
		cmocka_unit_test_setup(test_contracts, fresh_market),
		cmocka_unit_test_setup(test_duplicates, fresh_market),
		cmocka_unit_test(test_permuted),
		cmocka_unit_test_setup(test_correction, fresh_market),
		cmocka_unit_test_setup(test_over_days, fresh_market),
		cmocka_unit_test_setup(test_great_sums, fresh_market),
		cmocka_unit_test_setup(test_collision, fresh_market),
		cmocka_unit_test_setup(test_death, fresh_market),
		cmocka_unit_test_setup(test_overtaken, fresh_market),
		cmocka_unit_test_setup(test_schedule, fresh_market),
		cmocka_unit_test_setup(test_lines, fresh_market),
	};

	(void)argc;
	pgtest_begin(argv);
	log_init("test_run", LOG_COMMAND, 0);
	clock_init(0);
	pgtest_conf(&conf);
	return cmocka_run_group_tests(tests, make_database, close_database);
}
