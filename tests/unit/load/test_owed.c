/* SPDX-License-Identifier: ISC */
/* What is owed on a day (R4, m.32(1)), and when the day is complete. */
#include "unit/load/drive.h"

static struct desk desk;

/* What PLA, PLB, PLC, CUA, CUB and the registry owe on DAY, "-" where it is not in. */
static void
assert_owed(const char *want)
{
	PGresult	*res = db_query_row(&owner, "SELECT coalesce(string_agg(member_code || ' ' || message_type ||"
			    " CASE WHEN is_in THEN '' ELSE '-' END, ', '), '') FROM muhur.owed('" DAY "')", 0, NULL);

	assert_non_null(res);
	assert_string_equal(PQgetvalue(res, 0, 0), want);
	PQclear(res);
}

/* An accepted submission, as if it had been loaded. */
static void
accepted(const char *member, const char *type, const char *date)
{
	const char	*params[] = { member, type, date };

	assert_int_equal(db_exec(&owner, "INSERT INTO muhur.submission (id, uploader, member_code, file_name, size,"
	    " received_at, state, message_type, business_date) VALUES (gen_random_uuid(), $1 || '001', $1, 'x', 1, '"
	    NOW "', 'accepted', $2, $3::date)", 3, params), 1);
}

/* Who has a contract on the day owes its report, and nobody else. */
static void
test_contracts(void **state)
{
	(void)state;
	assert_owed("CUA CustodyReport-, PLA BalanceReport-");
	sql("INSERT INTO muhur.contract (platform, custodian, valid_from, valid_to) VALUES"
	    " ('PLB', 'CUA', '2026-01-01', '2026-11-19'), ('PLC', 'CUB', '2026-11-20', '2026-11-20'),"
	    " ('PLC', 'CUA', '2026-11-21', NULL)");
	assert_owed("CUA CustodyReport-, CUB CustodyReport-, PLA BalanceReport-, PLC BalanceReport-");
	sql("UPDATE muhur.member SET state = 'closed' WHERE code = 'CUB';"
	    "UPDATE muhur.member SET state = 'suspended' WHERE code = 'PLC'");
	assert_owed("CUA CustodyReport-, PLA BalanceReport-, PLC BalanceReport-");
	sql("DELETE FROM muhur.contract WHERE platform <> 'PLA'");
	accepted("PLA", "BalanceReport", "2026-11-19");
	assert_owed("CUA CustodyReport-, PLA BalanceReport-");
	accepted("PLA", "BalanceReport", DAY);
	assert_owed("CUA CustodyReport-, PLA BalanceReport");
	sql("UPDATE muhur.submission SET state = 'replaced'");
	assert_owed("CUA CustodyReport-, PLA BalanceReport-");
}

/* The further reports are owed from the first accepted one on; or by all; or by none. */
static void
test_begun(void **state)
{
	(void)state;
	accepted("PLA", "MovementReport", "2026-11-21");	/* begins after the day */
	accepted("PLA", "HoldingReport", "2026-11-01");
	accepted("PLB", "HoldingReport", "2026-11-01");		/* has no contract */
	accepted("MKK", "ReferenceData", DAY);
	assert_owed("CUA CustodyReport-, MKK ReferenceData, PLA BalanceReport-, PLA HoldingReport-");
	sql("UPDATE muhur.submission SET business_date = '" DAY "' WHERE message_type = 'MovementReport'");
	assert_owed("CUA CustodyReport-, MKK ReferenceData, PLA BalanceReport-, PLA HoldingReport-, PLA MovementReport");
	sql("INSERT INTO muhur.parameter (name, valid_from, value) VALUES ('R4.holding', '2026-11-20', 'none'),"
	    " ('R4.netting', '2026-11-20', 'all'), ('R4.movement', '2026-11-21', 'none')");
	assert_owed("CUA CustodyReport-, MKK ReferenceData, PLA BalanceReport-, PLA MovementReport, PLA NettingReport-");
	sql("DELETE FROM muhur.parameter WHERE valid_from > '2026-01-01'; DELETE FROM muhur.submission");
}

static void
load_one(const char *user, char cert, enum message_type type, enum record_kind kind, const char *line)
{
	struct m_submission	 sub = receive(user);
	struct header		 h = header_of(type, user, sub.id, 1);
	struct m_verdict	 v = fresh_verdict(&sub, cert);

	assert_int_equal(load_lines(&desk, &sub, &h, &v, kind, line).state, SUB_ACCEPTED);
}

/* The day is queued by whichever of the owed reports comes last, and not before. */
static void
test_complete(void **state)
{
	(void)state;
	accepted("PLA", "MovementReport", "2026-11-19");
	load_one("CUA001", 'c', MT_CUSTODY_REPORT, REC_OMNIBUS, "1\t10\tPLA\t4H95J0R2X\tCOLD\t1.5\t0\n");
	load_one("PLA001", 'a', MT_BALANCE_REPORT, REC_BALANCE, "1\t10\tR1\tC1\tCUA\t4H95J0R2X\t1.5\t0\n");
	load_one("PLA001", 'a', MT_LISTING_NOTICE, REC_LISTING, "1\t10\t4H95J0R2X\tLISTED\t" DAY "\t\\N\n");
	assert_int_equal(count("SELECT count(*) FROM muhur.reconcile_job"), 0);
	load_one("PLA001", 'a', MT_MOVEMENT_REPORT, REC_MOVEMENT,
	    "1\t10\tM1\tR1\tC1\t4H95J0R2X\tBUY\t1\t" DAY "T09:00:00Z\t\\N\t\\N\n");
	assert_int_equal(count("SELECT count(*) FROM muhur.reconcile_job WHERE business_date = '" DAY "'"
	    " AND cause = 'complete'"), 1);
	/* what a member that is suspended owes is not waited for */
	sql("DELETE FROM muhur.reconcile_job; DELETE FROM muhur.event;"
	    "INSERT INTO muhur.contract (platform, custodian, valid_from) VALUES ('PLB', 'CUA', '2026-01-01')");
	load_one("PLA001", 'a', MT_LISTING_NOTICE, REC_LISTING, "1\t10\t4H95J0R2X\tLISTED\t" DAY "\t\\N\n");
	assert_int_equal(count("SELECT count(*) FROM muhur.reconcile_job"), 0);
	sql("UPDATE muhur.member SET state = 'suspended' WHERE code = 'PLB'");
	load_one("PLA001", 'a', MT_LISTING_NOTICE, REC_LISTING, "1\t10\t4H95J0R2X\tLISTED\t" DAY "\t\\N\n");
	assert_int_equal(count("SELECT count(*) FROM muhur.reconcile_job"), 1);
}

static int
setup(void **state)
{
	(void)state;
	make_market();
	sql("INSERT INTO muhur.member (code, kind, name, created_at) VALUES ('PLC', 'platform', 'P', '" NOW "'),"
	    " ('CUB', 'custodian', 'C', '" NOW "'), ('MKK', 'registry', 'M', '" NOW "');"
	    "INSERT INTO muhur.user_right (user_code, member_code, message_type, step, valid_from) "
	    "SELECT 'PLA001', 'PLA', t, s, '2026-01-01' FROM unnest(ARRAY['MovementReport', 'ListingNotice']) t, "
	    "unnest(ARRAY['entry', 'approval']) s");
	desk_open(&desk);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	desk_close(&desk);
	db_close(&owner);
	return 0;
}

int
main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contracts),
		cmocka_unit_test(test_begun),
		cmocka_unit_test(test_complete),
	};

	(void)argc;
	pgtest_begin(argv);
	log_init("test_owed", LOG_COMMAND, 0);
	clock_init(0);
	pgtest_conf(&conf);
	return cmocka_run_group_tests(tests, setup, teardown);
}
