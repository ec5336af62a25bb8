/* SPDX-License-Identifier: ISC */
/*
 * Big submissions: over own_table_records a submission is loaded into a table of
 * its own, which is attached to its day's when it is accepted, or waits.  Two
 * workers, as the gateway has them.
 */
#include "unit/load/drive.h"

#define THRESHOLD	3	/* records; the fourth makes a submission a big one */

static struct desk desks[2];

/* --- what they are given -------------------------------------------------------- */

static void
put_balances(int fd, int from, int to)
{
	static const char	 price[] = "1\t8\t4H95J0R2X\tTRY\t100.25\n";
	char			 line[128];

	assert_int_equal(stream_write_records(fd, REC_PRICE, price, strlen(price)), 0);
	for (; from <= to; from++) {
		(void)snprintf(line, sizeof(line), "%d\t%d\tR%d\tC%d\tCUA\t4H95J0R2X\t1.5\t0\n",
		    from + 1, from + 10, from, from);
		assert_int_equal(stream_write_records(fd, REC_BALANCE, line, strlen(line)), 0);
	}
}

static void
end_stream(int fd)
{
	assert_int_equal(stream_write_mark(fd, STREAM_END), 0);
	close(fd);
}

/* One document of n balances, from its header to the worker's answer. */
static struct m_submission_state
load(struct desk *d, const struct m_submission *s, const struct header *h, const struct m_verdict *v)
{
	int	 fd = begin(d, s);

	assert_int_equal(stream_write_header(fd, h), 0);
	put_balances(fd, 1, (int)h->record_count);
	end_stream(fd);
	give_verdict(d, v);
	return answer(d, M_LOAD_DONE);
}

/* --- what is there afterwards --------------------------------------------------- */

/* Tables of the submission's own, by their names alone. */
static long long
own_tables(const char *id)
{
	return count_of("SELECT count(*) FROM pg_class c JOIN muhur.submission s ON c.relkind = 'r'"
	    " AND c.relname ~ ('_[0-9]{8}_' || s.no || '$') WHERE s.id = $1::uuid", id);
}

/* Rows of it that lie in its own table, which is a partition of the day's. */
static long long
attached_rows(const char *id)
{
	return count_of("SELECT count(*) FROM muhur.balance b JOIN muhur.submission s ON s.no = b.submission"
	    " JOIN pg_class c ON c.oid = b.tableoid JOIN pg_inherits i ON i.inhrelid = c.oid"
	    " JOIN pg_class p ON p.oid = i.inhparent"
	    " WHERE s.id = $1::uuid AND c.relispartition AND c.relname = 'balance_20261120_' || s.no"
	    " AND p.relname = 'balance_20261120' AND b.bulk = s.no", id);
}

static long long
all_rows(const char *id)
{
	return count_of("SELECT count(*) FROM muhur.balance b JOIN muhur.submission s ON s.no = b.submission"
	    " WHERE s.id = $1::uuid", id);
}

/* --- tests ----------------------------------------------------------------------- */

static void
test_threshold(void **state)
{
	struct m_submission	 small = receive("PLA001"), big = receive("PLA001");
	struct header		 h = header_of(MT_BALANCE_REPORT, "PLA001", "b1", THRESHOLD);
	struct m_verdict	 v = fresh_verdict(&small, 'a');

	(void)state;
	assert_int_equal(load(&desks[0], &small, &h, &v).state, SUB_ACCEPTED);
	assert_int_equal(all_rows(small.id), THRESHOLD);
	assert_int_equal(own_tables(small.id), 0);
	h = header_of(MT_BALANCE_REPORT, "PLA001", "b2", THRESHOLD + 1);
	v = fresh_verdict(&big, 'a');
	assert_int_equal(load(&desks[0], &big, &h, &v).state, SUB_ACCEPTED);
	assert_int_equal(all_rows(big.id), THRESHOLD + 1);
	assert_int_equal(attached_rows(big.id), THRESHOLD + 1);
	/* its prices share the day's table as always */
	assert_int_equal(own_tables(big.id), 1);
	assert_int_equal(count_of("SELECT count(*) FROM muhur.price_20261120 p JOIN muhur.submission s"
	    " ON s.no = p.submission WHERE s.id = $1::uuid", big.id), 1);
	/* nobody but the owner may add to it any more */
	assert_int_equal(count_of("SELECT count(*) FROM muhur.submission s WHERE s.id = $1::uuid AND"
	    " has_table_privilege('muhur_load', 'muhur.balance_20261120_' || s.no, 'INSERT')", big.id), 0);
}

/* The database refuses what a role other than muhur_load might do with it. */
static void
test_grants(void **state)
{
	(void)state;
	assert_int_equal(count("SELECT count(*) FROM unnest(ARRAY['muhur_directory', 'muhur_reconcile', 'muhur_admin',"
	    " 'public']) r, unnest(ARRAY['own_table', 'attach_table']) f WHERE has_function_privilege(r,"
	    " 'muhur.' || f || '(text, date, bigint)', 'EXECUTE')"), 0);
	assert_int_equal(db_exec(&desks[0].w.link.db, "SELECT muhur.own_table('submission', '" DAY "', 1)", 0, NULL), -1);
	assert_string_equal(desks[0].w.link.db.sqlstate, "22023");
	assert_int_equal(db_exec(&desks[0].w.link.db, "SELECT muhur.own_table('balance', '" DAY "', 0)", 0, NULL), -1);
	/* what is attached already is no table to attach, nor to make, again */
	assert_int_equal(db_exec(&desks[0].w.link.db, "SELECT muhur.own_table('balance', '" DAY "', no)"
	    " FROM muhur.submission WHERE message_id = 'b2'", 0, NULL), -1);
	assert_string_equal(desks[0].w.link.db.sqlstate, "42P07");
}

static void
test_rejected(void **state)
{
	struct m_submission	 sub = receive("PLA001");
	struct header		 h = header_of(MT_BALANCE_REPORT, "PLA001", "b3", THRESHOLD + 1);
	struct m_verdict	 v = fresh_verdict(&sub, 'a');

	(void)state;
	reasons_add(&v.reasons, CONTROL_TOTAL, 0, "", "wrong");
	assert_int_equal(load(&desks[0], &sub, &h, &v).state, SUB_REJECTED);
	assert_int_equal(own_tables(sub.id), 0);
	assert_int_equal(all_rows(sub.id), 0);
}

/* Text that no column takes; the header's announcement alone makes no table. */
static void
test_unloadable(void **state)
{
	static const char	 bad[] = "1\t10\tR1\tC1\tCUA\t4H95J0R2X\tnonsense\t0\n";
	struct m_submission	 sub = receive("PLA001");
	struct header		 h = header_of(MT_BALANCE_REPORT, "PLA001", "b4", THRESHOLD + 1);
	struct m_verdict	 v = fresh_verdict(&sub, 'a');
	int			 fd = begin(&desks[0], &sub);

	(void)state;
	assert_int_equal(stream_write_header(fd, &h), 0);
	assert_int_equal(stream_write_records(fd, REC_BALANCE, bad, strlen(bad)), 0);
	end_stream(fd);
	give_verdict(&desks[0], &v);
	assert_int_equal(answer(&desks[0], M_LOAD_DONE).state, SUB_HELD);
	assert_int_equal(own_tables(sub.id), 0);
}

/* The document is read a second time, from its header on. */
static void
test_restart(void **state)
{
	struct m_submission	 sub = receive("PLA001");
	struct header		 h = header_of(MT_BALANCE_REPORT, "PLA001", "b5", THRESHOLD + 2);
	struct m_verdict	 v = fresh_verdict(&sub, 'a');
	int			 fd = begin(&desks[0], &sub);

	(void)state;
	assert_int_equal(stream_write_header(fd, &h), 0);
	put_balances(fd, 1, THRESHOLD);
	assert_int_equal(stream_write_mark(fd, STREAM_RESTART), 0);
	assert_int_equal(stream_write_header(fd, &h), 0);
	put_balances(fd, 1, THRESHOLD + 2);
	end_stream(fd);
	give_verdict(&desks[0], &v);
	assert_int_equal(answer(&desks[0], M_LOAD_DONE).state, SUB_ACCEPTED);
	assert_int_equal(own_tables(sub.id), 1);
	assert_int_equal(attached_rows(sub.id), THRESHOLD + 2);
}

/* A kind of record that comes in two parts goes on in the same table. */
static void
test_interrupted(void **state)
{
	struct m_submission	 sub = receive("PLA001");
	struct header		 h = header_of(MT_BALANCE_REPORT, "PLA001", "b6", THRESHOLD + 1);
	struct m_verdict	 v = fresh_verdict(&sub, 'a');
	int			 fd = begin(&desks[0], &sub);

	(void)state;
	assert_int_equal(stream_write_header(fd, &h), 0);
	put_balances(fd, 1, 2);
	put_balances(fd, 3, THRESHOLD + 1);
	end_stream(fd);
	give_verdict(&desks[0], &v);
	assert_int_equal(answer(&desks[0], M_LOAD_DONE).state, SUB_ACCEPTED);
	assert_int_equal(attached_rows(sub.id), THRESHOLD + 1);
}

/* It waits for its approval: its records are the day's, and not in effect. */
static void
test_waiting(void **state)
{
	struct m_submission	 sub = receive("PLA001");
	struct header		 h = header_of(MT_BALANCE_REPORT, "PLA001", "b7", THRESHOLD + 1);
	struct m_verdict	 v = fresh_verdict(&sub, 'a');

	(void)state;
	sql("UPDATE muhur.user_right SET valid_to = valid_from WHERE user_code = 'PLA001' AND step = 'approval'");
	assert_int_equal(load(&desks[0], &sub, &h, &v).state, SUB_WAITING);
	sql("UPDATE muhur.user_right SET valid_to = NULL WHERE user_code = 'PLA001' AND step = 'approval'");
	assert_int_equal(attached_rows(sub.id), THRESHOLD + 1);
}

/* A day from before there were such tables has one, and stays as it is. */
static void
test_old_day(void **state)
{
	struct m_submission	 sub = receive("PLA001");
	struct header		 h = header_of(MT_BALANCE_REPORT, "PLA001", "b12", THRESHOLD + 1);
	struct m_verdict	 v = fresh_verdict(&sub, 'a');

	(void)state;
	h.business_date = the_day("2026-11-18");
	sql("SELECT muhur.ensure_day('2026-11-18'); DROP TABLE muhur.balance_20261118;"
	    "CREATE TABLE muhur.balance_20261118 PARTITION OF muhur.balance FOR VALUES IN ('2026-11-18')");
	assert_int_equal(load(&desks[0], &sub, &h, &v).state, SUB_ACCEPTED);
	assert_int_equal(own_tables(sub.id), 0);
	assert_int_equal(all_rows(sub.id), THRESHOLD + 1);
}

/* Movements and nettings have tables of their own, too. */
static void
test_kinds(void **state)
{
	static const struct { enum message_type type; enum record_kind kind; const char *line, *id; }
	    kinds[] = {
		{ MT_MOVEMENT_REPORT, REC_MOVEMENT, "R1\tC1\t4H95J0R2X\tBUY\t1\t" DAY "T09:00:00Z\t\\N\t\\N\n", "b8" },
		{ MT_NETTING_REPORT, REC_NETTING, "C1\t4H95J0R2X\t0\t1\t1\n", "b9" },
	};
	struct m_submission	 sub;
	struct m_verdict	 v;
	struct header		 h;
	char			 line[128];
	size_t			 k;
	int			 fd, i;

	(void)state;
	for (k = 0; k < 2; k++) {
		sub = receive("PLA001");
		v = fresh_verdict(&sub, 'a');
		h = header_of(kinds[k].type, "PLA001", kinds[k].id, THRESHOLD + 1);
		fd = begin(&desks[0], &sub);
		assert_int_equal(stream_write_header(fd, &h), 0);
		for (i = 1; i <= THRESHOLD + 1; i++) {
			(void)snprintf(line, sizeof(line), "%d\t10\tX%d\t%s", i, i, kinds[k].line);
			assert_int_equal(stream_write_records(fd, kinds[k].kind, line, strlen(line)), 0);
		}
		end_stream(fd);
		give_verdict(&desks[0], &v);
		assert_int_equal(answer(&desks[0], M_LOAD_DONE).state, SUB_ACCEPTED);
		assert_int_equal(own_tables(sub.id), 1);
	}
	assert_int_equal(count("SELECT count(*) FROM muhur.movement WHERE bulk = submission"), THRESHOLD + 1);
	assert_int_equal(count("SELECT count(*) FROM muhur.netting WHERE bulk = submission"), THRESHOLD + 1);
}

/* While a big one loads, small ones of the same day come in, and another big one. */
static void
test_two_at_once(void **state)
{
	struct m_submission	 one = receive("PLA001"), small = receive("PLB001"), two = receive("PLB001");
	struct header		 h = header_of(MT_BALANCE_REPORT, "PLA001", "b10", THRESHOLD + 3), other;
	struct m_verdict	 v = fresh_verdict(&one, 'a'), w;
	int			 fd = begin(&desks[0], &one);

	(void)state;
	assert_int_equal(stream_write_header(fd, &h), 0);
	put_balances(fd, 1, THRESHOLD + 2);
	go_on(&desks[0]);	/* its table is made, and filling, in an open transaction */
	assert_int_equal(count("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY muhur.balance_%FREEZE)'"
	    " AND state = 'active'"), 1);

	other = header_of(MT_BALANCE_REPORT, "PLB001", "p1", THRESHOLD - 1);
	w = fresh_verdict(&small, 'b');
	assert_int_equal(load(&desks[1], &small, &other, &w).state, SUB_ACCEPTED);

	(void)str_copy(other.message_id, sizeof(other.message_id), "p2");
	other.record_count = THRESHOLD + 1;
	w = fresh_verdict(&two, 'b');
	assert_int_equal(load(&desks[1], &two, &other, &w).state, SUB_ACCEPTED);
	assert_int_equal(attached_rows(two.id), THRESHOLD + 1);

	put_balances(fd, THRESHOLD + 3, THRESHOLD + 3);
	end_stream(fd);
	give_verdict(&desks[0], &v);
	assert_int_equal(answer(&desks[0], M_LOAD_DONE).state, SUB_ACCEPTED);
	assert_int_equal(attached_rows(one.id), THRESHOLD + 3);
}

static long long
count_by(struct db *db, const char *query)
{
	PGresult	*res = db_query_row(db, query, 0, NULL);
	long long	 n;

	assert_non_null(res);
	n = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	return n;
}

/* A run reads the day in one snapshot for minutes: nobody waits for it.  The rows
 * were written frozen, and are there for it at once; the submission that it joins
 * them with is not. */
static void
test_reader(void **state)
{
	static const char	 rows[] = "SELECT count(*) FROM muhur.balance WHERE business_date = '" DAY "'";
	static const char	 in_effect[] = "SELECT count(*) FROM muhur.balance b JOIN muhur.submission s"
				    " ON s.no = b.submission AND s.state = 'accepted' WHERE b.business_date = '" DAY "'";
	struct m_submission	 sub = receive("PLA001");
	struct header		 h = header_of(MT_BALANCE_REPORT, "PLA001", "b11", THRESHOLD + 1);
	struct m_verdict	 v = fresh_verdict(&sub, 'a');
	struct db		 reader = { 0 };
	long long		 all, known;

	(void)state;
	assert_int_equal(db_connect_role(&reader, &conf, "muhur_reconcile"), 0);
	assert_int_equal(db_exec(&reader, "BEGIN ISOLATION LEVEL REPEATABLE READ", 0, NULL), 0);
	all = count_by(&reader, rows);
	known = count_by(&reader, in_effect);
	assert_int_equal(load(&desks[0], &sub, &h, &v).state, SUB_ACCEPTED);	/* waits for no lock */
	assert_int_equal(attached_rows(sub.id), THRESHOLD + 1);
	assert_int_equal(count(in_effect), known + THRESHOLD + 1);
	assert_int_equal(count_by(&reader, in_effect), known);
	assert_int_equal(count_by(&reader, rows), all + THRESHOLD + 1);
	db_close(&reader);
}

static int
setup(void **state)
{
	(void)state;
	conf.own_table_records = THRESHOLD;
	make_market();
	sql("INSERT INTO muhur.user_right (user_code, member_code, message_type, step, valid_from) "
	    "SELECT 'PLA001', 'PLA', t, s, '2026-01-01' FROM unnest(ARRAY['MovementReport', 'NettingReport']) t,"
	    " unnest(ARRAY['entry', 'approval']) s");
	desk_open(&desks[0]);
	desk_open(&desks[1]);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	desk_close(&desks[0]);
	desk_close(&desks[1]);
	db_close(&owner);
	return 0;
}

int
main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threshold),
		cmocka_unit_test(test_grants),
		cmocka_unit_test(test_rejected),
		cmocka_unit_test(test_unloadable),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_old_day),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_two_at_once),
		cmocka_unit_test(test_reader),
	};

	(void)argc;
	pgtest_begin(argv);
	log_init("test_bulk", LOG_COMMAND, 0);
	clock_init(0);
	pgtest_conf(&conf);
	return cmocka_run_group_tests(tests, setup, teardown);
}
