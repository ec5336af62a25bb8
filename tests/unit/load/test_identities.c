/* SPDX-License-Identifier: ISC */
/* Identities that the outside check has the last word of, and those that are
 * registered at the same moment. */
#include "unit/load/registry.h"

#include <pthread.h>

/* --- the outside check [Sorulacak] ------------------------------------------------------ */

/* As role muhur_identity: what the check said of the identity of that name. */
static void
say(struct db *db, const char *name, const char *verdict)
{
	const char	*who[] = { name }, *params[4];
	char		 no[24], version[24];
	PGresult	*res;

	res = db_query_row(db, "SELECT no, version FROM muhur_identity.identity WHERE name = $1", 1, who);
	assert_non_null(res);
	(void)str_copy(no, sizeof(no), PQgetvalue(res, 0, 0));
	(void)str_copy(version, sizeof(version), PQgetvalue(res, 0, 1));
	PQclear(res);
	params[0] = no;
	params[1] = version;
	params[2] = verdict;
	res = db_query_row(db, "SELECT muhur_identity.answer($1::bigint, $2::integer, $3, 'words', '" NOW "')",
	    3, params);
	assert_non_null(res);
	assert_string_equal(PQgetvalue(res, 0, 0), "t");
	PQclear(res);
	assert_int_equal(db_exec(db, "SELECT muhur_identity.answered('" NOW "')", 0, NULL), 1);
}

static long long
results(const char *message_id)
{
	char		*q = xasprintf("SELECT count(*) FROM muhur.notice n JOIN muhur.submission s ON s.no = n.submission"
			    " WHERE s.message_id = '%s' AND n.level = 'result'", message_id);
	long long	 n = count(q);

	free(q);
	return n;
}

/* The bulk lines of a notice: "record code", in their order. */
static void
assert_lines(const char *message_id, const char *level, const char *want)
{
	char	*q = xasprintf("SELECT coalesce(string_agg(l.f2 || ' ' || l.f4, ', '), 'none') FROM muhur.notice n"
		    " JOIN muhur.submission s ON s.no = n.submission, muhur.notice_lines(n.id) l"
		    " WHERE s.message_id = '%s' AND n.level = '%s'", message_id, level);
	char	*s = text(q);

	assert_string_equal(s, want);
	free(s);
	free(q);
}

static void
test_asked(void **state)
{
	struct db	 db;
	char		 a[12], b[12], *records;
	PGresult	*res;

	(void)state;
	ask("PLA001", "a0", "1\t10\tTCKN\t" TCKN "\t\\N\tAyşe Yeni\t1990-01-02\t\\N\n");
	conf.identity_check.n = 1;
	tckn(400000001, a);
	tckn(400000002, b);
	records = xasprintf("1\t10\tTCKN\t%s\t\\N\tWrong Name\t1980-01-01\t\\N\n"
	    "2\t11\tTCKN\t%s\t\\N\tIn Both\t1980-01-01\t\\N\n"
	    "3\t12\tTCKN\t" TCKN "\t\\N\tAyşe Yeni\t1990-01-02\t\\N\n", a, b);
	ask("PLA001", "a1", records);
	free(records);
	/* another member has the same two at another day, and the first one's right name */
	records = xasprintf("1\t10\tTCKN\t%s\t\\N\tRight Name\t1980-01-01\t\\N\n"
	    "2\t11\tTCKN\t%s\t\\N\tIN BOTH\t1980-01-01\t\\N\n"
	    "3\t12\tTCKN\t%s\t\\N\tIn None\t1980-01-01\t\\N\n", a, b, b);
	ask_on("2026-11-19", "PLB001", "a2", records);
	free(records);
	assert_finding("a1", 1, "ASKED");
	assert_finding("a1", 2, "ASKED");
	assert_finding("a1", 3, "REGISTERED");		/* accepted before */
	assert_finding("a2", 1, "ASKED");
	assert_finding("a2", 3, "ASKED");
	assert_int_equal(count("SELECT count(*) FROM muhur_identity.identity WHERE civil_state = 'asked'"
	    " AND registry_no IS NULL"), 2);
	assert_int_equal(results("a1"), 0);

	assert_int_equal(db_connect_role(&db, &conf, "muhur_identity"), 0);
	/* each once in a run, and again in the next one */
	res = db_query(&db, NULL, "SELECT name FROM muhur_identity.ask('" NOW "', '" NOW "', 1)", 0, NULL);
	assert_int_equal(PQntuples(res), 1);
	assert_string_equal(PQgetvalue(res, 0, 0), "Wrong Name");
	PQclear(res);
	res = db_query(&db, NULL, "SELECT name FROM muhur_identity.ask('" NOW "', '" NOW "', 10)", 0, NULL);
	assert_int_equal(PQntuples(res), 1);
	assert_string_equal(PQgetvalue(res, 0, 0), "In Both");
	PQclear(res);
	res = db_query(&db, NULL, "SELECT name FROM muhur_identity.ask('2026-11-22', '2026-11-22', 10)", 0, NULL);
	assert_int_equal(PQntuples(res), 2);
	PQclear(res);

	/* the later member's day has been reconciled, without that number */
	sql("INSERT INTO muhur.reconcile_run (business_date, version, cause, started_at)"
	    " VALUES ('2026-11-19', 1, 'operator', '" NOW "'); DELETE FROM muhur.reconcile_job");
	say(&db, "In Both", "unknown");
	assert_int_equal(count("SELECT count(*) FROM muhur.reconcile_job"), 0);
	assert_finding("a1", 2, "ASKED");
	say(&db, "In Both", "accepted");
	assert_finding("a1", 2, "ASKED, REGISTERED");
	assert_finding("a2", 2, "ASKED, REGISTERED");
	assert_finding("a2", 3, "ASKED, REFUSED: the name or the date of birth differs from the one known");
	assert_same_number("a1", 2, "a2", 2);
	assert_int_equal(count("SELECT count(*) FROM muhur.reconcile_job WHERE business_date = '2026-11-19'"
	    " AND cause = 'correction'"), 1);
	assert_int_equal(count("SELECT count(*) FROM muhur.reconcile_job"), 1);
	/* the earlier business day of the two that asked */
	assert_int_equal(count("SELECT count(*) FROM muhur.registry_number n JOIN muhur_identity.identity i"
	    " USING (registry_no) WHERE i.name = 'In Both' AND n.known_from = '2026-11-19'"), 1);
	assert_int_equal(results("a1"), 0);

	db_close(&db);
	conf.identity_check.n = 0;
}

/* One member's wrong name does not decide the other's right one. */
static void
test_refused(void **state)
{
	struct db	 db;
	PGresult	*res;

	(void)state;
	conf.identity_check.n = 1;
	assert_int_equal(db_connect_role(&db, &conf, "muhur_identity"), 0);
	say(&db, "Wrong Name", "refused");
	assert_finding("a1", 1, "ASKED, REFUSED: the outside check refused it");
	assert_finding("a2", 1, "ASKED");
	assert_int_equal(results("a1"), 1);
	assert_int_equal(results("a2"), 0);
	assert_int_equal(count("SELECT count(*) FROM muhur_identity.identity WHERE name = 'Right Name' AND state = 'asked'"
	    " AND asked_at IS NULL AND version = 2"), 1);
	/* an answer about the former name is none about this one */
	res = db_query_row(&db, "SELECT muhur_identity.answer(no, 1, 'accepted', '', '" NOW "')"
	    " FROM muhur_identity.identity WHERE name = 'Right Name'", 0, NULL);
	assert_string_equal(PQgetvalue(res, 0, 0), "f");
	PQclear(res);
	say(&db, "Right Name", "accepted");
	assert_finding("a2", 1, "ASKED, REGISTERED");
	assert_int_equal(results("a1"), 1);
	assert_int_equal(results("a2"), 1);
	/* the notice of the acceptance stays as it was; the result has what came later */
	assert_lines("a1", "accepted", "1 ASKED, 2 ASKED, 3 REGISTERED");
	assert_lines("a1", "result", "1 REFUSED, 2 REGISTERED");
	assert_lines("a2", "result", "1 REGISTERED, 2 REGISTERED, 3 REFUSED");
	assert_int_equal(count("SELECT sum(c.n) FROM muhur.record_finding_count c JOIN muhur.submission s ON s.no = c.submission"
	    " WHERE s.message_id = 'a1'"), 3);
	assert_int_equal(count("SELECT count(*) FROM muhur.event WHERE kind = 'registered'"
	    " AND detail = '{\"accepted\": 2, \"refused\": 1}'"), 2);	/* a1: 2, 3 and 1; a2: 1, 2 and 3 */
	db_close(&db);
	conf.identity_check.n = 0;
}

/* Refused is not for ever; and a number that the registry gives ends the asking. */
static void
test_after_refusal(void **state)
{
	struct db	 db;
	char		 a[12], b[12], *records;

	(void)state;
	tckn(500000001, a);
	tckn(500000002, b);
	conf.identity_check.n = 1;
	records = xasprintf("1\t10\tTCKN\t%s\t\\N\tFirst Try\t1980-01-01\t\\N\n"
	    "2\t10\tTCKN\t%s\t\\N\tImported Soon\t1980-01-01\t\\N\n", a, b);
	ask("PLA001", "f1", records);
	free(records);
	assert_int_equal(db_connect_role(&db, &conf, "muhur_identity"), 0);
	say(&db, "First Try", "refused");
	assert_int_equal(count("SELECT count(*) FROM muhur_identity.identity WHERE name = 'First Try' AND civil_state = 'refused'"), 1);
	records = xasprintf("1\t10\tTCKN\t%s\t\\N\tSecond Try\t1980-01-01\t\\N\n", a);
	ask("PLB001", "f2", records);
	free(records);
	assert_finding("f2", 1, "ASKED");
	say(&db, "Second Try", "accepted");
	assert_finding("f2", 1, "ASKED, REGISTERED");

	assert_int_equal(results("f1"), 0);
	records = xasprintf("1\t10\tTCKN\t%s\t\\N\tImported Soon\t1980-01-01\t0000000077\n", b);
	ask("MKK001", "f3", records);
	free(records);
	assert_finding("f1", 2, "ASKED, REGISTERED");
	assert_same_number("f1", 2, "f3", 1);
	assert_int_equal(results("f1"), 1);
	db_close(&db);
	conf.identity_check.n = 0;
}

/* --- at the same moment ------------------------------------------------------------------- */

/* An accepted submission of member with persons first..first+n-1, in that order or
 * backwards; its number. */
static long long
prepare(const char *member, int first, int n, int backwards)
{
	static int	 made;
	char		*q;
	long long	 no;

	q = xasprintf("INSERT INTO muhur.submission (id, uploader, file_name, size, received_at, state, member_code,"
	    " message_type, message_id, business_date) VALUES (gen_random_uuid(), '%s001', 'x', 1, '" NOW "',"
	    " 'accepted', '%s', 'RegistrationRequest', 'c%d', '" DAY "') RETURNING no", member, member, ++made);
	no = count(q);
	free(q);
	q = xasprintf("INSERT INTO muhur_identity.request (business_date, submission, member_code, record_no, line,"
	    " identity_type, identity_no, name, birth_date, identity_hash, digits_ok)"
	    " SELECT '" DAY "', %lld, '%s', CASE WHEN %d = 1 THEN -p ELSE p END, 1, 'TCKN', p::text, 'P' || p,"
	    " '1980-01-01', sha256(p::text::bytea), true FROM generate_series(%d, %d) AS g (p)",
	    no, member, backwards, first, first + n - 1);
	sql(q);
	free(q);
	return no;
}

struct session { struct db db; long long no; int rc; };

static void *
register_session(void *arg)
{
	struct session	*s = arg;

	s->rc = registration_answer(&s->db, &conf, s->no, the_time(NOW));
	return NULL;
}

/* Two members register the same person at the same moment: the second's transaction
 * is open, and in the function, before the first one's is committed. */
static void
test_same_moment(void **state)
{
	struct session	 a = { 0 }, b = { 0 };
	pthread_t	 thread;
	int		 i;
	long long	 waiting = 0;

	(void)state;
	a.no = prepare("PLA", 1000, 1, 0);
	b.no = prepare("PLB", 1000, 1, 0);
	assert_int_equal(db_connect_role(&a.db, &conf, "muhur_load"), 0);
	assert_int_equal(db_connect_role(&b.db, &conf, "muhur_load"), 0);
	assert_int_equal(db_begin(&a.db), 0);
	assert_int_equal(db_begin(&b.db), 0);
	assert_null(register_session(&a));
	assert_int_equal(a.rc, 0);
	assert_int_equal(pthread_create(&thread, NULL, register_session, &b), 0);
	for (i = 0; i < 1000 && waiting == 0; i++) {
		usleep(10000);
		waiting = count("SELECT count(*) FROM pg_stat_activity WHERE usename = 'muhur_load'"
		    " AND wait_event_type = 'Lock'");
	}
	assert_int_equal(waiting, 1);
	assert_int_equal(db_commit(&a.db), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(b.rc, 0);
	assert_int_equal(db_commit(&b.db), 0);
	db_close(&a.db);
	db_close(&b.db);
	assert_int_equal(count("SELECT count(*) FROM muhur_identity.identity WHERE name = 'P1000'"), 1);
	assert_int_equal(count("SELECT count(*) FROM muhur.record_finding f JOIN muhur_identity.identity i"
	    " USING (registry_no) WHERE i.name = 'P1000' AND f.code = 'REGISTERED'"), 2);
}

/* Many at once, in opposite orders: nobody waits for ever, and each person has one number. */
static void
test_many(void **state)
{
	struct session	 s[6] = { 0 };
	pthread_t	 thread[6];
	int		 i;

	(void)state;
	for (i = 0; i < 6; i++) {
		s[i].no = prepare(i % 2 == 0 ? "PLA" : "PLB", 2000 + 10 * i, 100, i % 2);
		assert_int_equal(db_connect_role(&s[i].db, &conf, "muhur_load"), 0);
	}
	for (i = 0; i < 6; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, register_session, &s[i]), 0);
	for (i = 0; i < 6; i++) {
		assert_int_equal(pthread_join(thread[i], NULL), 0);
		assert_int_equal(s[i].rc, 0);
		db_close(&s[i].db);
	}
	/* persons 2000..2149 */
	assert_int_equal(count("SELECT count(*) FROM muhur_identity.identity WHERE name BETWEEN 'P2000' AND 'P2149'"), 150);
	assert_int_equal(count("SELECT count(*) FROM muhur.record_finding f JOIN muhur_identity.request r"
	    " USING (submission, record_no) JOIN muhur_identity.identity i ON i.no = r.identity AND i.registry_no = f.registry_no"
	    " WHERE i.name BETWEEN 'P2000' AND 'P2149' AND i.name = r.name AND f.code = 'REGISTERED'"), 600);
	assert_int_equal(count("SELECT count(DISTINCT registry_no) FROM muhur_identity.identity WHERE name BETWEEN 'P2000' AND 'P2149'"), 150);
}

int
main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asked),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_after_refusal),
		cmocka_unit_test(test_same_moment),
		cmocka_unit_test(test_many),
	};

	(void)argc;
	pgtest_begin(argv);
	log_init("test_identities", LOG_COMMAND, 0);
	clock_init(0);
	pgtest_conf(&conf);
	return cmocka_run_group_tests(tests, registry_open, registry_close);
}
