/* SPDX-License-Identifier: ISC */
/*
 * Level (ii) of notices (S2 A): what is wrong with single records of an accepted
 * submission, by rule R5's questions (m.22(5), m.26, m.33(2); S2 G).
 *
 * The market: PLA has a contract with CUA; CUB is a custodian without one, PLB a
 * platform.  The registry gave 1000000001 and 1000000002 before DAY, 1000000003
 * after it.  PLA listed A and B, and delisted B from DAY on; PLB never listed any.
 */
#include "unit/load/drive.h"

#define A	"4H95J0R2X"
#define B	"6CB0PD1FG"

static struct desk desk;

static struct m_submission
load_as(const char *user, char cert, enum message_type type, enum record_kind kind, const char *lines, long long records)
{
	struct m_submission	 sub = receive(user);
	struct header		 h = header_of(type, user, sub.id, records);
	struct m_verdict	 v = fresh_verdict(&sub, cert);

	assert_int_equal(load_lines(&desk, &sub, &h, &v, kind, lines).state, SUB_ACCEPTED);
	return sub;
}

/* Every finding of a submission, "number line code registry detail", and the counts. */
static void
assert_findings(const struct m_submission *sub, const char *findings, const char *counts)
{
	const char	*params[] = { sub->id };
	PGresult	*res = db_query_row(&owner, "SELECT coalesce((SELECT string_agg(concat_ws(' ', f.record_no, f.line, f.code,"
			    " f.registry_no, f.detail), E'\\n' ORDER BY f.record_no, f.code) FROM muhur.record_finding f"
			    " WHERE f.submission = s.no), ''), coalesce((SELECT string_agg(c.code || ' ' || c.n, ', ' ORDER BY c.code)"
			    " FROM muhur.record_finding_count c WHERE c.submission = s.no), '')"
			    " FROM muhur.submission s WHERE s.id = $1::uuid", 1, params);

	assert_non_null(res);
	assert_string_equal(PQgetvalue(res, 0, 0), findings);
	assert_string_equal(PQgetvalue(res, 0, 1), counts);
	PQclear(res);
}

static const char balances[] =
    "1\t11\t1000000001\tC1\tCUA\t" A "\t1.5\t0\n"
    "2\t12\t1000000001\tC1\tZZZ\t" A "\t1\t0\n"		/* nobody */
    "3\t13\t1000000001\tC1\tCUB\t" A "\t1\t0\n"		/* no contract */
    "4\t14\t1000000001\tC1\tCUA\t" B "\t1\t0\n"		/* delisted */
    "5\t15\t1000000002\tC2\tCUA\t" A "\t-0.10\t0\n"	/* negative */
    "6\t16\t1000000003\tC3\tCUA\t" A "\t1\t0\n"		/* not yet given */
    "7\t17\t1000000001\tC1\tCUA\t" A "\t2\t0\n"		/* record 1 once more */
    "8\t18\t1000000001\tC1\tOWN\t" A "\t0\t0\n"		/* its own wallet; nothing in it */
    "9\t19\t1000000009\tC9\tPLB\t" B "\t-1\t0\n";	/* all at once; a platform is no custodian */
static const char balance_findings[] =
    "2 12 UNKNOWN_CUSTODIAN 1000000001 no custodian of the code ZZZ is a member\n"
    "3 13 NO_CONTRACT 1000000001 no contract with CUB is valid on the day\n"
    "4 14 NOT_LISTED 1000000001 " B " is not listed on the day\n"
    "5 15 NEGATIVE_BALANCE 1000000002 " A " -0.1\n"
    "6 16 UNKNOWN_REGISTRY_NO 1000000003\n"
    "7 17 DUPLICATE_LINE 1000000001 of the same key as record 1\n"
    "9 19 NEGATIVE_BALANCE 1000000009 " B " -1\n"
    "9 19 NOT_LISTED 1000000009 " B " is not listed on the day\n"
    "9 19 UNKNOWN_CUSTODIAN 1000000009 no custodian of the code PLB is a member\n"
    "9 19 UNKNOWN_REGISTRY_NO 1000000009";
static const char balance_counts[] = "DUPLICATE_LINE 1, NEGATIVE_BALANCE 2, NOT_LISTED 2, NO_CONTRACT 1, "
    "UNKNOWN_CUSTODIAN 2, UNKNOWN_REGISTRY_NO 2";

/* In the day's table, and in a table of its own, which is attached later. */
static void
test_balances(void **state)
{
	struct m_submission	 sub;

	(void)state;
	sub = load_as("PLA001", 'a', MT_BALANCE_REPORT, REC_BALANCE, balances, 9);
	assert_findings(&sub, balance_findings, balance_counts);
	conf.own_table_records = 8;
	sub = load_as("PLA001", 'a', MT_BALANCE_REPORT, REC_BALANCE, balances, 9);
	conf.own_table_records = 1000000;
	assert_int_equal(count_of("SELECT count(*) FROM muhur.balance b JOIN muhur.submission s ON s.no = b.bulk"
	    " WHERE s.id = $1::uuid", sub.id), 9);
	assert_findings(&sub, balance_findings, balance_counts);
}

/* What has not begun is not judged: PLB lists nothing; on DAY - 30 no number was given. */
static void
test_begun(void **state)
{
	struct m_submission	 sub = receive("PLB001");
	struct header		 h = header_of(MT_BALANCE_REPORT, "PLB001", "before", 1);
	struct m_verdict	 v = fresh_verdict(&sub, 'b');

	(void)state;
	h.business_date -= 30;
	assert_int_equal(load_lines(&desk, &sub, &h, &v, REC_BALANCE, "1\t11\t1000000009\tC1\tOWN\t" B "\t1\t0\n").state,
	    SUB_ACCEPTED);
	assert_findings(&sub, "", "");
	sub = load_as("PLB001", 'b', MT_BALANCE_REPORT, REC_BALANCE, "1\t11\t1000000001\tC1\tOWN\t" B "\t1\t0\n", 1);
	assert_findings(&sub, "", "");
	sql("INSERT INTO muhur.parameter (name, valid_from, value) VALUES ('R5.listing', '" DAY "', 'all'),"
	    " ('R5.registry', '" DAY "', 'none')");
	sub = load_as("PLB001", 'b', MT_BALANCE_REPORT, REC_BALANCE, "1\t11\t1000000009\tC1\tOWN\t" B "\t1\t0\n", 1);
	assert_findings(&sub, "1 11 NOT_LISTED 1000000009 " B " is not listed on the day", "NOT_LISTED 1");
	sql("DELETE FROM muhur.parameter WHERE valid_from > '2026-01-01'");
}

/* Of two notices that hold the newer one counts: its day, then its sequence, whatever
 * came first; one that begins later does not hold yet. */
static void
test_listed(void **state)
{
	PGresult	*res;

	(void)state;
	sql("INSERT INTO muhur.submission (id, uploader, member_code, file_name, size, received_at, state, message_type,"
	    "  message_id, business_date, sequence) "
	    "SELECT gen_random_uuid(), 'PLC001', 'PLC', 'x', 1, '" NOW "', st, 'ListingNotice', id, d::date, seq"
	    " FROM (VALUES ('l3', '2026-11-05', 2, 'accepted'), ('l2', '2026-11-05', 1, 'accepted'),"
	    "  ('l1', '2026-11-01', 9, 'accepted'), ('l4', '2026-11-06', 1, 'replaced'), ('l5', '2026-11-21', 1, 'accepted'))"
	    "  AS x (id, d, seq, st);"
	    "INSERT INTO muhur.listing SELECT s.business_date, s.no, 'PLC', n, 1, a, st, f::date"
	    " FROM muhur.submission s JOIN (VALUES ('l1', 1, 'P', 'LISTED', '2026-11-01'), ('l2', 1, 'P', 'DELISTED', '2026-11-05'),"
	    "  ('l3', 1, 'P', 'LISTED', '2026-11-05'), ('l1', 2, 'Q', 'LISTED', '2026-11-20'), ('l2', 2, 'R', 'LISTED', '2026-11-21'),"
	    "  ('l1', 3, 'S', 'LISTED', '2026-11-01'), ('l1', 4, 'S', 'DELISTED', '2026-11-01'), ('l4', 1, 'P', 'DELISTED', '2026-11-06'),"
	    "  ('l5', 1, 'P', 'DELISTED', '2026-11-06')) AS x (id, n, a, st, f) ON x.id = s.message_id AND s.member_code = 'PLC'");
	res = db_query_row(&owner, "SELECT string_agg(asset, ' ' ORDER BY asset) FROM muhur.listed('PLC', '" DAY "')", 0, NULL);
	assert_non_null(res);
	assert_string_equal(PQgetvalue(res, 0, 0), "P Q");
	PQclear(res);
}

/* Day D is [D-1 23:59, D 23:59) in Istanbul, UTC+3 (m.33(2)). */
static void
test_movements(void **state)
{
	struct m_submission	 sub = load_as("PLA001", 'a', MT_MOVEMENT_REPORT, REC_MOVEMENT,
	    "1\t11\tM1\t1000000001\tC1\t" A "\tBUY\t1\t2026-11-19T20:59:00Z\t\\N\t\\N\n"
	    "2\t12\tM2\t1000000001\tC1\t" A "\tBUY\t1\t2026-11-19T20:58:59.999999Z\t\\N\t\\N\n"
	    "3\t13\tM3\t1000000001\tC1\t" A "\tBUY\t-1\t2026-11-20T20:58:59.999999Z\t\\N\t\\N\n"
	    "4\t14\tM4\t1000000001\tC1\t" A "\tBUY\t1\t2026-11-20T20:59:00Z\t\\N\t\\N\n"
	    "5\t15\tM1\t1000000002\tC2\t" B "\tBUY\t1\t2026-11-20T09:00:00Z\t\\N\t\\N\n"
	    "6\t16\tM1\t1000000003\tC3\t" A "\tBUY\t1\t2026-11-20T09:00:00Z\t\\N\t\\N\n", 6);

	(void)state;
	assert_findings(&sub, "2 12 OUTSIDE_DAY 1000000001 2026-11-19T20:58:59Z\n"
	    "4 14 OUTSIDE_DAY 1000000001 2026-11-20T20:59:00Z\n"
	    "5 15 DUPLICATE_LINE 1000000002 of the same key as record 1\n"
	    "5 15 NOT_LISTED 1000000002 " B " is not listed on the day\n"
	    "6 16 DUPLICATE_LINE 1000000003 of the same key as record 1\n"
	    "6 16 UNKNOWN_REGISTRY_NO 1000000003",
	    "DUPLICATE_LINE 2, NOT_LISTED 1, OUTSIDE_DAY 2, UNKNOWN_REGISTRY_NO 1");
}

/* A closing below zero is R3's to compare. */
static void
test_nettings(void **state)
{
	struct m_submission	 sub = load_as("PLA001", 'a', MT_NETTING_REPORT, REC_NETTING,
	    "1\t11\t1000000001\tC1\t" A "\t1\t-1\t0\n2\t12\t1000000001\tC1\t" A "\t1\t1\t2\n"
	    "3\t13\t1000000004\tC4\t" B "\t1\t-3\t-2\n", 3);

	(void)state;
	assert_findings(&sub, "2 12 DUPLICATE_LINE 1000000001 of the same key as record 1\n"
	    "3 13 NOT_LISTED 1000000004 " B " is not listed on the day\n"
	    "3 13 UNKNOWN_REGISTRY_NO 1000000004",
	    "DUPLICATE_LINE 1, NOT_LISTED 1, UNKNOWN_REGISTRY_NO 1");
}

/* Both kinds of a custodian's records; its wallets of one asset are two keys. */
static void
test_custody(void **state)
{
	struct m_submission	 sub = receive("CUA001");
	struct header		 h = header_of(MT_CUSTODY_REPORT, "CUA001", sub.id, 8);
	struct m_verdict	 v = fresh_verdict(&sub, 'c');
	int			 fd = begin(&desk, &sub);
	static const char	 omnibus[] = "1\t11\tPLA\t" A "\tCOLD\t1.5\t0\n2\t12\tPLA\t" A "\tHOT\t1.5\t0\n"
				    "3\t13\tPLB\t" A "\tCOLD\t1\t0\n4\t14\tXYZ\t" A "\tCOLD\t1\t0\n5\t15\tPLA\t" A "\tHOT\t1\t0\n";
	static const char	 direct[] = "6\t16\t1000000001\tC1\t" A "\tCOLD\t1\n7\t17\t1000000003\tC3\t" B "\tCOLD\t1\n"
				    "8\t18\t1000000001\tC1\t" A "\tCOLD\t1\n";

	(void)state;
	assert_int_equal(stream_write_header(fd, &h), 0);
	assert_int_equal(stream_write_records(fd, REC_OMNIBUS, omnibus, strlen(omnibus)), 0);
	assert_int_equal(stream_write_records(fd, REC_DIRECT, direct, strlen(direct)), 0);
	assert_int_equal(stream_write_mark(fd, STREAM_END), 0);
	close(fd);
	give_verdict(&desk, &v);
	assert_int_equal(answer(&desk, M_LOAD_DONE).state, SUB_ACCEPTED);
	assert_findings(&sub, "3 13 NO_CONTRACT no contract with PLB is valid on the day\n"
	    "4 14 NO_CONTRACT no contract with XYZ is valid on the day\n"
	    "5 15 DUPLICATE_LINE of the same key as record 2\n"
	    "7 17 UNKNOWN_REGISTRY_NO 1000000003\n"
	    "8 18 DUPLICATE_LINE 1000000001 of the same key as record 6",
	    "DUPLICATE_LINE 2, NO_CONTRACT 2, UNKNOWN_REGISTRY_NO 1");
}

/* The first thousand are kept, in the order of the document, and all are counted. */
static void
test_limit(void **state)
{
	struct buf		 b = { 0 };
	struct m_submission	 sub;
	int			 i;

	(void)state;
	for (i = 1; i <= 700; i++)	/* two findings each */
		(void)buf_printf(&b, "%d\t%d\t1000000009\tC%d\tCUA\t" A "\t-1\t0\n", i, i + 10, i);
	sub = load_as("PLA001", 'a', MT_BALANCE_REPORT, REC_BALANCE, b.data, 700);
	assert_int_equal(count_of("SELECT count(*) FROM muhur.record_finding f JOIN muhur.submission s"
	    " ON s.no = f.submission WHERE s.id = $1::uuid", sub.id), RECORD_FINDINGS_MAX);
	assert_int_equal(count_of("SELECT max(f.record_no) FROM muhur.record_finding f JOIN muhur.submission s"
	    " ON s.no = f.submission WHERE s.id = $1::uuid", sub.id), 500);
	assert_int_equal(count_of("SELECT sum(c.n) FROM muhur.record_finding_count c JOIN muhur.submission s"
	    " ON s.no = c.submission WHERE s.id = $1::uuid", sub.id), 1400);
	buf_free(&b);
}

/* They are the lines of the notice that it is accepted, and of no other. */
static void
test_lines(void **state)
{
	struct m_submission	 sub = load_as("PLA001", 'a', MT_BALANCE_REPORT, REC_BALANCE,
	    "1\t11\t1000000003\tC1\tCUA\t" A "\t1\t0\n2\t12\t1000000001\tC1\tCUB\t" A "\t1\t0\n", 2);
	const char		*params[] = { sub.id };
	PGresult		*res;

	(void)state;
	res = db_query_row(&owner, "SELECT string_agg(concat_ws('|', n.level, l.f1, l.f2, l.f3, l.f4, coalesce(l.f5, '\\N'), l.f6,"
	    " l.f7), E'\\n' ORDER BY n.level, l.f2) FROM muhur.notice n JOIN muhur.submission s ON s.no = n.submission,"
	    " LATERAL muhur.notice_lines(n.id) l WHERE s.id = $1::uuid", 1, params);
	assert_non_null(res);
	assert_string_equal(PQgetvalue(res, 0, 0), "accepted|record|1|11|UNKNOWN_REGISTRY_NO|\\N|1000000003\n"
	    "accepted|record|2|12|NO_CONTRACT|no contract with CUB is valid on the day|1000000001");
	PQclear(res);
}

/* The loader's role writes no finding, and asks of no submission but an accepted one, once. */
static void
test_grants(void **state)
{
	(void)state;
	assert_int_equal(db_exec(&desk.w.link.db, "INSERT INTO muhur.record_finding VALUES (1, 1, 1, 'X')", 0, NULL), -1);
	assert_string_equal(desk.w.link.db.sqlstate, "42501");
	assert_int_equal(db_exec(&desk.w.link.db, "SELECT FROM muhur.balance", 0, NULL), -1);
	assert_string_equal(desk.w.link.db.sqlstate, "42501");
	assert_int_equal(db_exec(&desk.w.link.db, "SELECT muhur.check_records(0)", 0, NULL), -1);
	assert_string_equal(desk.w.link.db.sqlstate, "23514");
	assert_int_equal(db_exec(&desk.w.link.db, "SELECT muhur.check_records(max(submission)) FROM muhur.record_finding", 0, NULL), -1);
	assert_string_equal(desk.w.link.db.sqlstate, "23514");
	assert_int_equal(count("SELECT count(*) FROM pg_proc p, unnest(ARRAY['muhur_load', 'muhur_directory', 'muhur_reconcile',"
	    " 'muhur_admin', 'public']) r WHERE p.pronamespace = 'muhur'::regnamespace AND p.proname IN ('check_kind',"
	    " 'doubled_lines', 'records_of', 'record_questions') AND has_function_privilege(r, p.oid, 'EXECUTE')"), 0);
}

static int
setup(void **state)
{
	(void)state;
	make_market();
	sql("INSERT INTO muhur.member (code, kind, name, created_at) VALUES ('PLC', 'platform', 'P', '" NOW "'),"
	    " ('CUB', 'custodian', 'C', '" NOW "');"
	    "INSERT INTO muhur.registry_number (registry_no, known_from) VALUES ('1000000001', '2026-11-01'),"
	    " ('1000000002', '" DAY "'), ('1000000003', '2026-11-21');"
	    "INSERT INTO muhur.user_right (user_code, member_code, message_type, step, valid_from) "
	    "SELECT 'PLA001', 'PLA', t, s, '2026-01-01' FROM unnest(ARRAY['MovementReport', 'NettingReport', 'ListingNotice']) t,"
	    " unnest(ARRAY['entry', 'approval']) s");
	desk_open(&desk);
	(void)load_as("PLA001", 'a', MT_LISTING_NOTICE, REC_LISTING, "1\t10\t" A "\tLISTED\t2026-11-01\t\\N\n"
	    "2\t10\t" B "\tLISTED\t2026-11-01\t\\N\n3\t10\t" B "\tDELISTED\t" DAY "\t\\N\n", 3);
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
		cmocka_unit_test(test_balances),
		cmocka_unit_test(test_begun),
		cmocka_unit_test(test_listed),
		cmocka_unit_test(test_movements),
		cmocka_unit_test(test_nettings),
		cmocka_unit_test(test_custody),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_grants),
	};

	(void)argc;
	pgtest_begin(argv);
	log_init("test_findings", LOG_COMMAND, 0);
	clock_init(0);
	pgtest_conf(&conf);
	return cmocka_run_group_tests(tests, setup, teardown);
}
