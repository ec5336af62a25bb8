/* SPDX-License-Identifier: ISC */
/*
 * DiscrepancyResponse: a party explains its breaks; one record that names none of
 * its own, and nothing of the message is kept (contract: REFERENCE_UNKNOWN of a
 * break id; m.32(4)).
 */
#include "unit/load/drive.h"

static struct desk desk;

/* PLA's and CUA's; PLB's; PLA's report that is missing; two that are over. */
static void
make_breaks(void)
{
	sql("INSERT INTO muhur.break (id, rule, rule_source, kind, key, platform, custodian, first_seen, last_seen, state) VALUES"
	    " ('R1-both', 'R1', 'm', 'QUANTITY_DIFFERENCE', 'PLA|CUA|A', 'PLA', 'CUA', '" DAY "', '" DAY "', 'open'),"
	    " ('R1-other', 'R1', 'm', 'QUANTITY_DIFFERENCE', 'PLB|CUA|A', 'PLB', 'CUA', '" DAY "', '" DAY "', 'open'),"
	    " ('R4-missing', 'R4', 'm', 'REPORT_MISSING', 'MovementReport|PLA|" DAY "', NULL, NULL, '" DAY "', '" DAY "', 'open'),"
	    " ('R5-key', 'R5', 'm', 'NEGATIVE_BALANCE', 'X|PLA|" DAY "', 'PLB', NULL, '" DAY "', '" DAY "', 'open'),"
	    " ('R5-named', 'R5', 'm', 'UNKNOWN_CUSTODIAN', 'UNKNOWN_CUSTODIAN|PLB|PLA|A', 'PLB', 'PLA', '" DAY "', '" DAY "', 'open'),"
	    " ('R5-twice', 'R5', 'm', 'DUPLICATE_LINE', 'Omn|CUA|PLA|A|COLD', 'PLA', 'CUA', '" DAY "', '" DAY "', 'open'),"
	    " ('R1-cured', 'R1', 'm', 'QUANTITY_DIFFERENCE', 'PLA|CUA|B', 'PLA', 'CUA', '" DAY "', '" DAY "', 'cured'),"
	    " ('R1-closed', 'R1', 'm', 'QUANTITY_DIFFERENCE', 'PLA|CUA|C', 'PLA', 'CUA', '" DAY "', '" DAY "', 'closed')");
}

/* "state explanation by" of a break, where something was said of it. */
static void
assert_break(const char *id, const char *want)
{
	const char	*params[] = { id };
	PGresult	*res = db_query_row(&owner, "SELECT b.state || coalesce(' ' || b.explanation || ' ' || s.message_id, '')"
			    " FROM muhur.break b LEFT JOIN muhur.submission s ON s.no = b.explained_by WHERE b.id = $1", 1, params);

	assert_non_null(res);
	assert_string_equal(PQgetvalue(res, 0, 0), want);
	PQclear(res);
}

static struct m_submission
respond(const char *user, char cert, const char *message_id, const char *lines, enum submission_state want)
{
	struct m_submission	 sub = receive(user);
	struct header		 h = header_of(MT_DISCREPANCY_RESPONSE, user, message_id, 1);
	struct m_verdict	 v = fresh_verdict(&sub, cert);

	assert_int_equal(load_lines(&desk, &sub, &h, &v, REC_RESPONSE, lines).state, want);
	return sub;
}

/* One reason, of that line; nothing of the message is kept. */
static void
assert_refused(const char *lines, int line)
{
	static int		 n;
	char			 id[16];
	struct m_submission	 sub;

	(void)snprintf(id, sizeof(id), "x%d", ++n);
	sub = respond("PLA001", 'a', id, lines, SUB_REJECTED);
	assert_int_equal(count_of("SELECT min(r.line) FROM muhur.submission_reason r JOIN muhur.submission s"
	    " ON s.no = r.submission WHERE s.id = $1::uuid AND r.code = 'REFERENCE_UNKNOWN'"
	    " AND r.path = '/DiscrepancyResponse/Responses/Rsp' HAVING count(*) = 1", sub.id), line);
	assert_int_equal(count_of("SELECT count(*) FROM muhur.response r JOIN muhur.submission s"
	    " ON s.no = r.submission WHERE s.id = $1::uuid", sub.id), 0);
	assert_int_equal(count("SELECT count(*) FROM muhur.break WHERE explanation IS NOT NULL"), 0);
	assert_int_equal(count("SELECT count(*) FROM muhur.event WHERE kind = 'explained'"), 0);
}

static void
test_refused(void **state)
{
	(void)state;
	make_breaks();
	assert_refused("1\t10\tR1-both\tours\t\\N\t\\N\n2\t11\tR1-none\tno such\t\\N\t\\N\n", 11);
	assert_refused("1\t10\tR1-other\tanother's\t\\N\t\\N\n2\t11\tR1-both\tours\t\\N\t\\N\n", 10);
	/* a key names the member that owes a report under R4 alone */
	assert_refused("1\t12\tR5-key\tanother's\t\\N\t\\N\n", 12);
	/* a report can name any member as the other side; a line twice is its reporter's fault */
	assert_refused("1\t13\tR5-named\tanother's\t\\N\t\\N\n", 13);
	assert_refused("1\t14\tR5-twice\tanother's\t\\N\t\\N\n", 14);
}

/* Each of the parties; what is over keeps its state. */
static void
test_explained(void **state)
{
	(void)state;
	respond("PLA001", 'a', "r1", "1\t10\tR1-both\tfirst\t1.5\tdoc 7\n2\t11\tR4-missing\tlate\t\\N\t\\N\n"
	    "3\t12\tR1-cured\twas it\t\\N\t\\N\n4\t13\tR1-closed\tover\t\\N\t\\N\n5\t14\tR1-both\tin short\t\\N\t\\N\n",
	    SUB_ACCEPTED);
	assert_break("R1-both", "explained in short r1");
	assert_break("R4-missing", "explained late r1");
	assert_break("R1-cured", "cured was it r1");
	assert_break("R1-closed", "closed over r1");
	assert_break("R1-other", "open");
	/* in the trail: who, which submission, which break; not what was said */
	assert_int_equal(count("SELECT count(*) FROM muhur.event e JOIN muhur.submission s ON s.no = e.submission"
	    " WHERE e.kind = 'explained' AND e.actor = 'PLA001' AND s.message_id = 'r1'"
	    " AND e.detail IN ('{\"break\": \"R1-both\"}', '{\"break\": \"R4-missing\"}',"
	    "  '{\"break\": \"R1-cured\"}', '{\"break\": \"R1-closed\"}')"), 4);
	respond("CUA001", 'c', "r2", "1\t10\tR1-both\tfrom the other side\t\\N\t\\N\n", SUB_ACCEPTED);
	assert_break("R1-both", "explained from the other side r2");
	assert_int_equal(count("SELECT count(*) FROM muhur.reconcile_job"), 0);
}

/* What waits explains nothing until its Approval. */
static void
test_approved(void **state)
{
	struct m_submission	 sub, by;
	struct header		 h;
	struct m_verdict	 v;
	char			 line[256];
	PGresult		*res;

	(void)state;
	sub = respond("CUA002", 'e', "r3", "1\t10\tR1-other\tapproved\t\\N\t\\N\n", SUB_WAITING);
	assert_break("R1-other", "open");
	res = db_query_row(&owner, "SELECT sha256 FROM muhur.submission WHERE message_id = 'r3'", 0, NULL);
	assert_non_null(res);
	(void)snprintf(line, sizeof(line), "1\t10\tr3\t%s\n", PQgetvalue(res, 0, 0));
	PQclear(res);
	by = receive("CUA001");
	h = header_of(MT_APPROVAL, "CUA001", "a3", 1);
	v = fresh_verdict(&by, 'c');
	assert_int_equal(load_lines(&desk, &by, &h, &v, REC_APPROVED, line).state, SUB_ACCEPTED);
	assert_break("R1-other", "explained approved r3");
	assert_int_equal(count_of("SELECT count(*) FROM muhur.event e JOIN muhur.submission s ON s.no = e.submission"
	    " WHERE s.id = $1::uuid AND e.kind = 'explained' AND e.actor = 'CUA002'", sub.id), 1);
	/* a break that is none of its own is refused at once, not at the approval */
	respond("CUA002", 'e', "r4", "1\t10\tR5-key\tno\t\\N\t\\N\n", SUB_REJECTED);
}

/* The loader's role alone explains nothing. */
static void
test_grants(void **state)
{
	(void)state;
	assert_int_equal(db_exec(&desk.w.link.db, "UPDATE muhur.break SET state = 'cured'", 0, NULL), -1);
	assert_string_equal(desk.w.link.db.sqlstate, "42501");
	/* a rejected response, one of another type, none at all */
	assert_int_equal(db_exec(&desk.w.link.db, "SELECT muhur.explain_breaks(no, now()) FROM muhur.submission"
	    " WHERE message_id = 'x1'", 0, NULL), -1);
	assert_string_equal(desk.w.link.db.sqlstate, "23514");
	assert_int_equal(db_exec(&desk.w.link.db, "SELECT muhur.explain_breaks(no, now()) FROM muhur.submission"
	    " WHERE message_id = 'a3'", 0, NULL), -1);
	assert_int_equal(db_exec(&desk.w.link.db, "SELECT muhur.explain_breaks(0, now())", 0, NULL), -1);
	/* rows that it added afterwards, of another's break */
	assert_int_equal(db_exec(&desk.w.link.db, "INSERT INTO muhur.response SELECT '" DAY "', no, 'CUA', 9, 9, 'R5-key',"
	    " 'x' FROM muhur.submission WHERE message_id = 'r2'", 0, NULL), 1);
	assert_int_equal(db_exec(&desk.w.link.db, "SELECT muhur.explain_breaks(no, now()) FROM muhur.submission"
	    " WHERE message_id = 'r2'", 0, NULL), -1);
	assert_break("R5-key", "open");
	assert_int_equal(count("SELECT count(*) FROM unnest(ARRAY['muhur_directory', 'muhur_reconcile', 'muhur_admin',"
	    " 'public']) r WHERE has_function_privilege(r, 'muhur.explain_breaks(bigint, timestamptz)', 'EXECUTE')"), 0);
}

static int
setup(void **state)
{
	(void)state;
	make_market();
	sql("INSERT INTO muhur.member_user (code, member_code, created_at) VALUES ('CUA002', 'CUA', '" NOW "');"
	    "INSERT INTO muhur.certificate (sha256, user_code, der, subject, issuer, serial, not_before, not_after, enrolled_at)"
	    " VALUES (repeat('e', 64), 'CUA002', '', 'CN=x', 'CN=CA', '05', '2026-01-01', '2099-01-01', '" NOW "');"
	    "INSERT INTO muhur.user_right (user_code, member_code, message_type, step, valid_from) "
	    "SELECT u, left(u, 3), 'DiscrepancyResponse', s, '2026-01-01' FROM unnest(ARRAY['PLA001', 'CUA001', 'CUA002']) u,"
	    " unnest(ARRAY['entry', 'approval']) s WHERE u <> 'CUA002' OR s = 'entry'");
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
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_explained),
		cmocka_unit_test(test_approved),
		cmocka_unit_test(test_grants),
	};

	(void)argc;
	pgtest_begin(argv);
	log_init("test_response", LOG_COMMAND, 0);
	clock_init(0);
	pgtest_conf(&conf);
	return cmocka_run_group_tests(tests, setup, teardown);
}
