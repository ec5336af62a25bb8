/* SPDX-License-Identifier: ISC */
/* What the sieve leaves for R3 and R5 to look at, and what not. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "reconcile/sieve.h"
#include "reconcile/sieve_line.h"
#include "unit/reconcile/worker.h"

#define HUGE	"99999999999999999999.999999999999999999"	/* what a line may have at most */

/* Reports of PLA, or another platform, and their lines as SQL's VALUES; NULL: there is no
 * such report.  beside: one that has a BalanceReport and a NettingReport without any. */
struct market {
	const char	*platform, *beside;
	const char	*closing;	/* number, customer, place, asset, quantity */
	const char	*opening;	/* the same, of the day before */
	const char	*moved;		/* number, customer, asset, type, quantity */
	const char	*net;		/* number, customer, asset, opening, net, closing */
	const char	*direct;	/* of CUA: number */
	const char	*given;		/* numbers that the registry has given */
};

/* The report's number in the array that begins at *array; 0: there is none. */
static long long
report_in(struct buf *array, const char *type, const char *member, const char *day, const char *lines)
{
	static int n;
	char *id = xasprintf("S-%d", n++);
	long long no = lines != NULL ? report_of(type, member, id, day) : 0;

	if (no > 0)
		(void)buf_printf(array, "%s%lld", array->len > 1 ? "," : "", no);
	free(id);
	return no;
}

static void
lines_into(const char *table, const char *columns, const char *from, long long no, const char *lines)
{
	char *text;

	if (no == 0 || *lines == '\0')
		return;
	text = xasprintf("INSERT INTO muhur.%s (business_date, submission, member_code, record_no, line, %s) "
	    "SELECT s.business_date, s.no, s.member_code, row_number() OVER (), 1, %s "
	    "FROM muhur.submission s, (VALUES %s) v WHERE s.no = %lld", table, columns, from, lines, no);
	sql(text);
	free(text);
}

#define BALANCE_COLUMNS	"registry_no, customer_no, held_at, asset, quantity, locked", \
	"v.column1, v.column2, v.column3, v.column4, v.column5, 0"

/* Inserts the lines and returns the reports of the day and of the day before. */
static void
put_market(const struct market *m, struct buf *day, struct buf *before)
{
	const char *platform = m->platform != NULL ? m->platform : "PLA";
	long long no;

	(void)buf_puts(day, "{");
	(void)buf_puts(before, "{");
	if (m->beside != NULL) {
		(void)report_in(day, "BalanceReport", m->beside, DAY, "");
		(void)report_in(day, "NettingReport", m->beside, DAY, "");
	}
	no = report_in(day, "BalanceReport", platform, DAY, m->closing);
	lines_into("balance", BALANCE_COLUMNS, no, m->closing);
	no = report_in(before, "BalanceReport", platform, BEFORE, m->opening);
	lines_into("balance", BALANCE_COLUMNS, no, m->opening);
	no = report_in(day, "MovementReport", platform, DAY, m->moved);
	lines_into("movement", "movement_id, registry_no, customer_no, asset, type, quantity, occurred_at",
	    "row_number() OVER (), v.column1, v.column2, v.column3, v.column4, v.column5, '" DAY " 10:00Z'", no, m->moved);
	no = report_in(day, "NettingReport", platform, DAY, m->net);
	lines_into("netting", "registry_no, customer_no, asset, opening, net, closing",
	    "v.column1, v.column2, v.column3, v.column4, v.column5, v.column6", no, m->net);
	no = report_in(day, "CustodyReport", "CUA", DAY, m->direct);
	lines_into("custody_direct", "registry_no, customer_no, asset, wallet, quantity",
	    "v.column1, 'D', '" BTC "', 'HOT', 1", no, m->direct);
	sql("DELETE FROM muhur.registry_number");
	if (m->given != NULL) {
		char *text = xasprintf("INSERT INTO muhur.registry_number (registry_no, known_from) SELECT v.column1, '" DAY "' "
		    "FROM (VALUES %s) v", m->given);

		sql(text);
		free(text);
	}
	(void)buf_puts(day, "}");
	(void)buf_puts(before, "}");
}

/* Of what is in the tables: "<registry number> [roll] [doubled] [unknown]", a line each. */
static void
sieved(const struct buf *day, const struct buf *before, const char *want)
{
	const char *arrays[] = { day->data, before->data };
	struct run run = { .no = 1 };
	PGresult *res;

	assert_int_equal(date_parse(DAY, &run.business_date), 0);
	date_format(run.business_date, run.date_text);
	assert_int_equal(db_exec(&worker, "BEGIN ISOLATION LEVEL REPEATABLE READ", 0, NULL), 0);
	assert_true(db_exec(&worker, "CREATE TEMPORARY TABLE in_effect ON COMMIT DROP AS SELECT no AS submission, member_code, "
	    "message_type FROM muhur.submission WHERE no = ANY ($1::bigint[])", 1, &arrays[0]) >= 0);
	assert_true(db_exec(&worker, "CREATE TEMPORARY TABLE day_before ON COMMIT DROP AS SELECT no AS submission, member_code "
	    "FROM muhur.submission WHERE no = ANY ($1::bigint[])", 1, &arrays[1]) >= 0);
	assert_int_equal(sieve_day(&means, &run, day->data, before->data), 0);
	res = db_query_row(&worker, "SELECT coalesce(string_agg(registry_no || CASE WHEN roll THEN ' roll' ELSE '' END || "
	    "CASE WHEN doubled THEN ' doubled' ELSE '' END || CASE WHEN unknown THEN ' unknown' ELSE '' END, E'\\n' ORDER BY registry_no COLLATE \"C\"), '') FROM pg_temp.doubtful",
	    0, NULL);
	assert_non_null(res);
	assert_string_equal(PQgetvalue(res, 0, 0), want);
	PQclear(res);
	assert_int_equal(db_rollback(&worker), 0);
}

/* By one connection, by two, and by one where the second is not to be had. */
static void
left(const struct market *m, const char *want)
{
	static struct link lane, none;
	static struct conf nowhere;
	struct buf day = { 0 }, before = { 0 };

	(void)fresh_market(NULL);
	put_market(m, &day, &before);
	sieved(&day, &before, want);
	sql("UPDATE muhur.submission SET record_count = 1000000");	/* it says so */
	if (lane.role == NULL) {
		nowhere = conf;
		nowhere.db_host = xstrdup("/nonexistent");
		link_init(&lane, &conf, "muhur_reconcile", "x", NULL);
		link_init(&none, &nowhere, "muhur_reconcile", "x", NULL);
	}
	means.lane = &lane;
	sieved(&day, &before, want);
	assert_int_equal(lane.connects, 1);
	assert_int_equal(PQtransactionStatus(lane.db.conn), PQTRANS_IDLE);
	means.lane = &none;
	sieved(&day, &before, want);
	means.lane = NULL;
	buf_free(&day);
	buf_free(&before);
}

#define N1	"'1000000001'"
#define N2	"'1000000002'"
#define GIVEN	"(" N1 "), (" N2 ")"

static void
test_roll(void **state)
{
	const struct market fine = {
		.closing = "(" N1 ", 'C', 'CUA', '" BTC "', 3), (" N1 ", 'C', 'OWN', '" BTC "', 0.5), (" N2 ", 'C', 'OWN', '" BTC "', -1)",
		.opening = "(" N1 ", 'C', 'CUB', '" BTC "', 2), (" N2 ", 'D', 'OWN', '" ETH "', 7)",
		.moved = "(" N1 ", 'C', '" BTC "', 'BUY', 2), (" N1 ", 'C', '" BTC "', 'SELL', -0.5), (" N1 ", 'C', '" BTC "', 'LOCK', 9), "
		    "(" N2 ", 'C', '" BTC "', 'SELL', -1), (" N2 ", 'D', '" ETH "', 'SELL', -7)",
		.given = GIVEN };
	struct market m = fine;

	(void)state;
	left(&m, "");
	/* the smallest difference there is */
	m.closing = "(" N1 ", 'C', 'CUA', '" BTC "', 3.500000000000000001), (" N2 ", 'C', 'OWN', '" BTC "', -1)";
	left(&m, "1000000001 roll");
	/* one of the reports is not in: nothing to compare with */
	m.moved = NULL;
	left(&m, "");
	m = fine;
	m.opening = NULL;
	left(&m, "");
	m = fine;
	m.closing = NULL;
	left(&m, "");
	/* it is in and says nothing */
	m.closing = "";
	left(&m, "1000000001 roll\n1000000002 roll");
	/* another customer, another asset: they do not make up for each other */
	m = fine;
	m.closing = "(" N1 ", 'C', 'CUA', '" BTC "', 2.5), (" N1 ", 'B', 'CUA', '" BTC "', 1), (" N2 ", 'C', 'OWN', '" BTC "', -1)";
	left(&m, "1000000001 roll");
	m.closing = "(" N1 ", 'C', 'CUA', '" BTC "', 3.5), (" N2 ", 'C', 'OWN', '" ETH "', -1)";
	left(&m, "1000000002 roll");
}

/* Sums that no 128 bits hold are exact all the same. */
static void
test_huge(void **state)
{
	struct market m = {
		.closing = "(" N1 ", 'C', 'A', '" BTC "', " HUGE "), (" N1 ", 'C', 'B', '" BTC "', " HUGE "), "
		    "(" N1 ", 'C', 'D', '" BTC "', " HUGE "), (" N1 ", 'C', 'E', '" BTC "', " HUGE "), (" N1 ", 'C', 'F', '" BTC "', -1)",
		.opening = "(" N1 ", 'C', 'B', '" BTC "', " HUGE "), (" N1 ", 'C', 'C', '" BTC "', -1), (" N1 ", 'C', 'D', '" BTC "', " HUGE "), "
		    "(" N1 ", 'C', 'E', '" BTC "', " HUGE "), (" N1 ", 'C', 'G', '" BTC "', " HUGE ")",
		.moved = "", .given = GIVEN };

	(void)state;
	left(&m, "");
	m.moved = "(" N1 ", 'C', '" BTC "', 'BUY', 0.000000000000000001)";
	left(&m, "1000000001 roll");
}

static void
test_doubled(void **state)
{
	struct market m = { .closing = "(" N1 ", 'C', 'CUA', '" BTC "', 1), (" N1 ", 'C', 'CUB', '" BTC "', 1), "
	    "(" N1 ", 'C', 'CUA', '" ETH "', 1), (" N1 ", 'D', 'CUA', '" BTC "', 1), (" N2 ", 'C', 'CUA', '" BTC "', 1)", .given = GIVEN };

	(void)state;
	left(&m, "");
	m.closing = "(" N2 ", 'C', 'CUA', '" BTC "', 1), (" N2 ", 'C', 'CUB', '" BTC "', 2), (" N2 ", 'C', 'CUA', '" BTC "', -1)";
	left(&m, "1000000002 doubled");
	m = (struct market){ .net = "(" N1 ", 'C', '" BTC "', 0, 1, 1), (" N1 ", 'C', '" BTC "', 0, 0, 0)", .given = GIVEN };
	left(&m, "1000000001 roll");
}

static void
test_netting(void **state)
{
	const struct market fine = { .closing = "(" N1 ", 'C', 'CUA', '" BTC "', 3)", .opening = "(" N1 ", 'C', 'CUA', '" BTC "', 1)",
	    .moved = "(" N1 ", 'C', '" BTC "', 'BUY', 5), (" N1 ", 'C', '" BTC "', 'SELL', -3)",
	    .net = "(" N1 ", 'C', '" BTC "', 1, 2, 3)", .given = GIVEN };
	struct market m = fine;

	(void)state;
	left(&m, "");
	m.net = "(" N1 ", 'C', '" BTC "', 1, 2, 4)";	/* closing and arithmetic */
	left(&m, "1000000001 roll");
	m.net = "(" N1 ", 'C', '" BTC "', 2, 2, 4)";
	left(&m, "1000000001 roll");
	m.closing = NULL;			/* the opening alone */
	left(&m, "1000000001 roll");
	m.opening = NULL;
	left(&m, "");
	m = fine;
	m.net = "(" N1 ", 'C', '" BTC "', 1, 1, 3)";
	m.closing = m.opening = m.moved = NULL;	/* its own arithmetic */
	left(&m, "1000000001 roll");
	/* a movement without a line, a line without a movement, even one of nothing */
	m = fine;
	m.net = "";
	left(&m, "1000000001 roll");
	m.net = NULL;
	left(&m, "");
	m = fine;
	m.closing = m.opening = "(" N1 ", 'C', 'CUA', '" BTC "', 1)";
	m.net = "(" N1 ", 'C', '" BTC "', 1, 0, 1)";
	m.moved = "(" N1 ", 'C', '" BTC "', 'LOCK', 1)";
	left(&m, "1000000001 roll");
	m.moved = "(" N1 ", 'C', '" BTC "', 'BUY', 1), (" N1 ", 'C', '" BTC "', 'SELL', -1)";
	left(&m, "");
	m.moved = NULL;
	left(&m, "");
}

static void
test_unknown(void **state)
{
	struct market m = { .closing = "(" N1 ", 'C', 'CUA', '" BTC "', 1)", .given = "(" N2 ")" };

	(void)state;
	left(&m, "1000000001 unknown");
	m = (struct market){ .moved = "(" N1 ", 'C', '" BTC "', 'LOCK', 1)", .given = "(" N2 ")" };
	left(&m, "1000000001 unknown");
	m = (struct market){ .moved = "(" N1 ", 'C', '" BTC "', 'BUY', 1)", .given = "(" N2 ")" };
	left(&m, "1000000001 unknown");
	m = (struct market){ .net = "(" N1 ", 'C', '" BTC "', 1, 1, 1)", .given = "(" N2 ")" };
	left(&m, "1000000001 roll unknown");
	m.given = NULL;		/* not even one: R5 mostly does not ask */
	left(&m, "1000000001 roll");
	sql("UPDATE muhur.parameter SET value = 'all' WHERE name = 'R5.registry'");
	left(&m, "1000000001 roll unknown");
	sql("UPDATE muhur.parameter SET value = 'begun' WHERE name = 'R5.registry'");
	m = (struct market){ .direct = "(" N1 "), (" N2 "), (" N1 ")", .given = "(" N2 ")" };
	left(&m, "1000000001 unknown");
	/* the day before is judged by its own run */
	m = (struct market){ .opening = "(" N1 ", 'C', 'CUA', '" BTC "', 1)", .given = "(" N2 ")" };
	left(&m, "");
}

/* Which reports are in is asked of the line's own platform, whose code another may begin with. */
static void
test_platforms(void **state)
{
	static const char *const codes[] = { "PLA", "PLAA", "PLAAB", "PLAB", "PLB" };
	struct market m = { .closing = "(" N1 ", 'C', 'CUA', '" BTC "', 1)", .opening = "", .moved = "", .given = GIVEN };
	size_t i, j;

	(void)state;
	for (i = 0; i < 5; i++)
		for (j = 0; j < 5; j++) {
			m.platform = codes[i];
			m.beside = i != j ? codes[j] : NULL;
			left(&m, "1000000001 roll");
		}
	/* movements without a netting line are nothing where another one nets */
	m = (struct market){ .moved = "(" N1 ", 'C', '" BTC "', 'BUY', 1)", .platform = "PLAB", .beside = "PLA", .given = GIVEN };
	left(&m, "");
	m.net = "";
	left(&m, "1000000001 roll");
}

/* More than memory holds, all under one number. */
static void
test_one_number(void **state)
{
	struct buf lines = { 0 }, before = { 0 };
	struct market m = { .moved = "", .given = GIVEN };
	int i;

	(void)state;
	for (i = 0; i < 50000; i++) {
		(void)buf_printf(&lines, "%s(" N1 ", 'C%d', 'CUA', '" BTC "', %d)", i > 0 ? ", " : "", i, i);
		(void)buf_printf(&before, "%s(" N1 ", 'C%d', 'CUB', '" BTC "', %d)", i > 0 ? ", " : "", 49999 - i, 49999 - i);
	}
	m.closing = lines.data;
	m.opening = before.data;
	left(&m, "");
	(void)buf_puts(&before, ", (" N1 ", 'C77', 'OWN', '" BTC "', 1)");
	m.opening = before.data;
	left(&m, "1000000001 roll");
	buf_free(&lines);
	buf_free(&before);
}

/* What is written is read back; what is cut off or changed is refused, or is a line. */
static void
test_lines(void **state)
{
	static const char *const rows[SIEVE_KINDS] = {
		[SIEVE_KNOWN] = "1000000001\n", [SIEVE_NAMED] = "1000000001\n",
		[SIEVE_CLOSING] = "1000000001\tPLA\tA\tC\tCUA\t1.5\n", [SIEVE_OPENING] = "1000000001\tPLA\tA\tC\t-1.5\n",
		[SIEVE_MOVED] = "1000000001\tPLA\tA\tC\t0\n", [SIEVE_NET] = "1000000001\tPLA\tA\tC\t1\t-2\t" HUGE "\n" };
	uint8_t rec[SIEVE_LINE_MAX], changed[SIEVE_LINE_MAX];
	struct db_field f[8];
	struct sieve_line l;
	size_t len, i;
	unsigned bit;
	int kind;

	(void)state;
	for (kind = 0; kind < SIEVE_KINDS; kind++) {
		assert_int_equal(db_split(rows[kind], strlen(rows[kind]), f, sieve_fields(kind)), 0);
		assert_int_equal(sieve_line_put(kind, f, rec, &len), 0);
		assert_int_equal(sieve_line_get(rec, len, &l), 0);
		assert_true(l.registry == 1000000001 && l.kind == (enum sieve_kind)kind);
		assert_int_equal(l.key_len, kind > SIEVE_NAMED ? strlen("PLA\tA\tC\t") : 0);
		assert_memory_equal(l.key, "PLA\tA\tC\t", l.key_len);
		assert_int_equal(l.place_len, kind == SIEVE_CLOSING ? 3 : 0);
		for (i = 0; i < len; i++)
			assert_int_equal(sieve_line_get(rec, i, &l), -1);
		for (i = 0; i < len; i++)
			for (bit = 0; bit < 8; bit++) {
				memcpy(changed, rec, len);
				changed[i] ^= (uint8_t)(1u << bit);
				if (sieve_line_get(changed, len, &l) == 0)
					assert_true(l.key_len <= SIEVE_KEY_MAX && l.place_len <= SIEVE_PLACE_MAX);
			}
		f[0].len--;
		assert_int_equal(sieve_line_put(kind, f, rec, &len), -1);
	}
}

int
main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roll),
		cmocka_unit_test(test_huge),
		cmocka_unit_test(test_doubled),
		cmocka_unit_test(test_netting),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_platforms),
		cmocka_unit_test(test_one_number),
		cmocka_unit_test(test_lines),
	};

	(void)argc;
	pgtest_begin(argv);
	log_init("test_sieve", LOG_COMMAND, 0);
	clock_init(0);
	pgtest_conf(&conf);
	return cmocka_run_group_tests(tests, make_database, close_database);
}
