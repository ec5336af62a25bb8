/* SPDX-License-Identifier: ISC */
/*
 * What comes in another order, late, or while a run is under way: in the end
 * everything is as if it had come in time.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "unit/reconcile/worker.h"

#define QUEUE "SELECT coalesce(string_agg(business_date || ' ' || cause, ', ' ORDER BY no), '') FROM muhur.reconcile_job"
/* Versions of each day, and since when its break is found. */
#define DAYS "SELECT string_agg(r.business_date || ' ' || r.version || coalesce(' ' || f.status || ' ' || f.first_seen, ''), " \
	"', ' ORDER BY r.business_date) FROM (SELECT DISTINCT ON (business_date) * FROM muhur.reconcile_run " \
	"ORDER BY business_date, version DESC) r LEFT JOIN muhur.finding f ON f.run = r.no"

static int
three_days(void **state)
{
	conf.reconcile_delay = 0;
	clock_after(NEXT, 13, 0);	/* all cut-offs have passed */
	(void)fresh_market(state);
	sql("UPDATE muhur.contract SET valid_from = '" BEFORE "'");
	return 0;
}

static void
schedule(void)
{
	assert_int_equal(run_schedule(&worker, &conf), 0);
}

/* A correction: the old one is replaced. */
static long long
correct(const char *old, const char *member, const char *message_id, const char *day)
{
	const char *params[] = { old };

	assert_int_equal(db_exec(&owner, "UPDATE muhur.submission SET state = 'replaced' WHERE message_id = $1", 1, params), 1);
	return report(member, message_id, day);
}

/* --- cascade -------------------------------------------------------------------- */

static void
test_cascade(void **state)
{
	long long no;

	(void)state;
	/* CUA has 1 of PLA's 4 BTC on all three days */
	agreeing_day(BEFORE, "A", 0);
	agreeing_day(DAY, "B", 0);
	agreeing_day(NEXT, "C", 0);
	schedule();
	assert_int_equal(run_all(), 3);
	expect(DAYS, BEFORE " 1 new " BEFORE ", " DAY " 1 continuing " BEFORE ", " NEXT " 1 continuing " BEFORE);
	expect("SELECT string_agg(coalesce(earlier::text, '-') || ' ' || (earlier_carry IS NULL OR earlier_carry = "
	    "(SELECT carry FROM muhur.reconcile_run e WHERE e.no = r.earlier)), ', ' ORDER BY no) FROM muhur.reconcile_run r",
	    "- true, 1 true, 2 true");
	schedule();
	expect(QUEUE, "");
	/* the first day is corrected: on the second the break is new, on the third
	 * it is one day old */
	no = correct("A-2", "CUA", "A-2b", BEFORE);
	omn(no, "PLA", BTC, "HOT", "4");
	schedule();
	expect(QUEUE, BEFORE " correction");
	assert_int_equal(run_all(), 3);
	expect(DAYS, BEFORE " 2 cured " BEFORE ", " DAY " 2 continuing " DAY ", " NEXT " 2 continuing " DAY);
	schedule();
	expect(QUEUE, "");
}

/* A change that later days do not look at ends where it is; and one that the
 * next day looks at, but hands on nothing of, ends there. */
static void
test_cascade_ends(void **state)
{
	long long no;

	(void)state;
	agreeing_day(BEFORE, "A", 1);
	agreeing_day(DAY, "B", 1);
	agreeing_day(NEXT, "C", 1);
	schedule();
	assert_int_equal(run_all(), 3);
	/* the same custody in another message */
	no = correct("A-2", "CUA", "A-2b", BEFORE);
	omn(no, "PLA", BTC, "COLD", "4");
	schedule();
	assert_int_equal(run_all(), 1);
	expect("SELECT max(version)::text FROM muhur.reconcile_run WHERE business_date <> '" BEFORE "'", "1");
	/* the same balances in another message: the next day's roll-forward begins
	 * with these; its own balances are as they were */
	no = correct("A-1", "PLB", "A-1b", BEFORE);
	bal(no, "9", "CUB", ETH, "7");
	schedule();
	assert_int_equal(run_all(), 2);
	expect("SELECT string_agg(business_date || ' ' || version, ', ' ORDER BY business_date) FROM "
	    "(SELECT business_date, max(version) AS version FROM muhur.reconcile_run GROUP BY business_date) r",
	    BEFORE " 3, " DAY " 2, " NEXT " 1");
	/* what a missing report is owed for is that day's alone */
	sql("UPDATE muhur.submission SET state = 'replaced' WHERE message_id = 'B-3'");
	schedule();
	assert_int_equal(run_all(), 1);
	expect(FINDINGS(LAST), "R4 REPORT_MISSING - CUB - - - - new " DAY);
}

#define SOURCES "SELECT string_agg(s.message_id, ' ' ORDER BY s.message_id) FROM muhur.finding f " \
	"JOIN muhur.submission s ON s.no = ANY (f.submissions) JOIN muhur.break b ON b.id = f.break_id " \
	"WHERE b.rule = 'R1' AND f.run = " LAST

/* A break that the next day cannot judge goes on there, with the sources that the
 * first day has now. */
static void
test_cascade_unjudged(void **state)
{
	long long no;

	(void)state;
	/* CUA has 1 of PLA's 4 BTC on DAY, and says nothing on NEXT */
	sql("UPDATE muhur.contract SET valid_from = '" DAY "'");
	agreeing_day(DAY, "A", 0);
	agreeing_day(NEXT, "B", 1);
	sql("UPDATE muhur.submission SET state = 'replaced' WHERE message_id = 'B-2'");
	schedule();
	assert_int_equal(run_all(), 2);
	expect(FINDINGS(LAST), "R1 QUANTITY_DIFFERENCE PLA CUA " BTC " - - - continuing " DAY "\n"
	    "R4 REPORT_MISSING - CUA - - - - new " NEXT);
	expect(SOURCES, "A-0 A-2");
	/* another difference, of another report: the same break since the same day */
	no = correct("A-2", "CUA", "A-2b", DAY);
	omn(no, "PLA", BTC, "HOT", "2");
	schedule();
	assert_int_equal(run_all(), 2);
	expect(SOURCES, "A-0 A-2b");
}

/* Where R6 is judged within the day by what custodians kept at its opening, the
 * next day looks at the custody of this one: it is run again, and hands on what
 * it did. */
static void
test_opening_custody(void **state)
{
	long long no;

	(void)state;
	sql("INSERT INTO muhur.parameter (name, value, valid_from) VALUES ('R6.intraday_custody', 'opening', '" BEFORE "')");
	agreeing_day(BEFORE, "A", 1);
	agreeing_day(DAY, "B", 1);
	agreeing_day(NEXT, "C", 1);
	schedule();
	assert_int_equal(run_all(), 3);
	no = correct("A-2", "CUA", "A-2b", BEFORE);
	omn(no, "PLA", BTC, "COLD", "4");
	schedule();
	assert_int_equal(run_all(), 2);
	expect("SELECT string_agg(business_date || ' ' || version, ', ' ORDER BY business_date) FROM "
	    "(SELECT business_date, max(version) AS version FROM muhur.reconcile_run GROUP BY business_date) r",
	    BEFORE " 2, " DAY " 2, " NEXT " 1");
	sql("DELETE FROM muhur.parameter WHERE name = 'R6.intraday_custody' AND valid_from = '" BEFORE "'");
}

/* Balances of a day that no run has seen. */
static void
test_day_before(void **state)
{
	struct run run;
	long long no;

	(void)state;
	agreeing_day(DAY, "B", 1);
	run_day_of(DAY, &run);
	expect("SELECT day_before::text FROM muhur.reconcile_run", "{}");
	no = report("PLA", "A-0", BEFORE);
	bal(no, "1", "CUA", BTC, "4");
	schedule();
	/* BEFORE: no run yet, its cut-off has passed, contracts were valid */
	expect("SELECT string_agg(business_date || ' ' || cause, ', ' ORDER BY business_date) FROM muhur.reconcile_job "
	    "WHERE business_date BETWEEN '" BEFORE "' AND '" DAY "'", BEFORE " cut-off, " DAY " correction");
	sql("DELETE FROM muhur.reconcile_job WHERE business_date <> '" DAY "'");
	assert_int_equal(run_all(), 1);
	expect("SELECT (day_before = ARRAY[(SELECT no FROM muhur.submission WHERE message_id = 'A-0')])::text "
	    "FROM muhur.reconcile_run WHERE no = " LAST, "true");
}

/* Of runs from before there were carries nothing is known: they stay. */
static void
test_without_carry(void **state)
{
	(void)state;
	agreeing_day(BEFORE, "A", 1);
	agreeing_day(DAY, "B", 1);
	agreeing_day(NEXT, "C", 1);
	schedule();
	assert_int_equal(run_all(), 3);
	sql("UPDATE muhur.reconcile_run SET carry = NULL, chain = NULL, earlier = NULL, earlier_carry = NULL, day_before = NULL");
	schedule();
	expect(QUEUE, "");
	sql("UPDATE muhur.reconcile_run SET carry = repeat('0', 64), earlier = 2 WHERE business_date = '" NEXT "'");
	schedule();
	expect(QUEUE, "");
	/* known, and another */
	sql("UPDATE muhur.reconcile_run SET carry = repeat('1', 64) WHERE business_date = '" DAY "'");
	sql("UPDATE muhur.reconcile_run SET earlier_carry = repeat('2', 64) WHERE business_date = '" NEXT "'");
	schedule();
	expect("SELECT string_agg(business_date || ' ' || cause, ', ' ORDER BY business_date) FROM muhur.reconcile_job",
	    DAY " correction, " NEXT " correction");
}

/* The queue gives the oldest day first, however long another has waited. */
static void
test_oldest_first(void **state)
{
	struct run run;
	date_t d;

	(void)state;
	assert_int_equal(date_parse(DAY, &d), 0);
	assert_int_equal(queue_add(&owner, d + 1, clock_now() - 60 * USEC_PER_SEC, "complete"), 0);
	assert_int_equal(queue_add(&owner, d, clock_now() - USEC_PER_SEC, "complete"), 0);
	assert_int_equal(queue_add(&owner, d - 1, clock_now() + 60 * USEC_PER_SEC, "complete"), 0);
	assert_int_equal(run_next(&means, &run), 1);
	assert_int_equal(run.business_date, d);
	assert_int_equal(run_next(&means, &run), 1);
	assert_int_equal(run.business_date, d + 1);
	assert_int_equal(run_next(&means, &run), 0);
}

/* A run answers all entries of its day: an operator's, though it came second, is
 * about what is missing now, before the cut-off. */
static void
test_operator_second(void **state)
{
	struct run run;

	(void)state;
	clock_after(DAY, 1, 0);
	assert_int_equal(date_parse(DAY, &run.business_date), 0);
	assert_int_equal(queue_add(&owner, run.business_date, clock_now() - 2 * USEC_PER_SEC, "correction"), 0);
	assert_int_equal(queue_add(&owner, run.business_date, clock_now() - USEC_PER_SEC, "operator"), 0);
	assert_int_equal(run_all(), 1);
	expect(QUEUE, "");
	expect("SELECT cause FROM muhur.reconcile_run", "operator");
	/* PLA, PLB, CUA, CUB */
	expect("SELECT count(*)::text FROM muhur.finding", "4");
}

static void
run_for(const char *cause)
{
	date_t d;

	assert_int_equal(date_parse(DAY, &d), 0);
	assert_int_equal(queue_add(&owner, d, clock_now() - USEC_PER_SEC, cause), 0);
	assert_int_equal(run_all(), 1);
}

/* What an operator was told is missing still is, in a run that a correction makes
 * before the cut-off; what nobody was told of yet is not due. */
static void
test_operator_then_correction(void **state)
{
	long long no;

	(void)state;
	sql("UPDATE muhur.contract SET valid_from = '" DAY "', valid_to = '" DAY "'");
	clock_after(DAY, 1, 0);
	agreeing_day(DAY, "A", 1);
	sql("UPDATE muhur.submission SET state = 'replaced' WHERE message_id IN ('A-1', 'A-3')");
	run_for("operator");
	expect(FINDINGS(LAST), "R4 REPORT_MISSING PLB - - - - - new " DAY "\nR4 REPORT_MISSING - CUB - - - - new " DAY);
	no = report("PLB", "A-1b", DAY);
	bal(no, "9", "CUB", ETH, "7");
	sql("INSERT INTO muhur.member (code, kind, name, created_at) VALUES ('CUC', 'custodian', 'c', '2026-01-01')");
	sql("INSERT INTO muhur.contract (platform, custodian, valid_from) VALUES ('PLB', 'CUC', '" DAY "')");
	run_for("correction");
	expect(FINDINGS(LAST), "R4 REPORT_MISSING PLB - - - - - cured " DAY "\n"
	    "R4 REPORT_MISSING - CUB - - - - continuing " DAY);
	/* and in the one after that */
	run_for("correction");
	expect(FINDINGS(LAST), "R4 REPORT_MISSING - CUB - - - - continuing " DAY);
}

/* --- cut-offs --------------------------------------------------------------------- */

static void
test_cutoffs(void **state)
{
	struct cutoff custody = { .message_type = "CustodyReport", .hour = 10 };
	struct run run;
	long long no;

	(void)state;
	conf.cutoffs = &custody;
	conf.ncutoffs = 1;
	sql("UPDATE muhur.contract SET valid_from = '" NEXT "'");
	clock_after(NEXT, 9, 59);
	schedule();
	expect(QUEUE, "");
	/* 10:00: the custodians' are missing, which is told, and once */
	clock_after(NEXT, 10, 1);
	schedule();
	expect(QUEUE, NEXT " cut-off");
	add_rule("INSERT INTO pg_temp.found (rule, rule_source, kind, key, detail, submissions) "
	    "SELECT 'R4', 's', 'CUT_OFF', message_type, at::text, '{}' FROM pg_temp.cutoff WHERE due");
	assert_int_equal(run_all(), 1);
	expect("SELECT string_agg(b.key || ' ' || f.detail, ', ') FROM muhur.finding f JOIN muhur.break b ON b.id = f.break_id "
	    "WHERE b.kind = 'CUT_OFF'", "CustodyReport 2026-11-21 07:00:00+00");
	schedule();
	expect(QUEUE, "");
	/* 12:00: those of the platforms */
	clock_after(NEXT, 12, 1);
	schedule();
	expect(QUEUE, NEXT " cut-off");
	assert_int_equal(run_all(), 1);
	expect("SELECT count(*)::text FROM muhur.finding f JOIN muhur.break b ON b.id = f.break_id "
	    "WHERE f.run = " LAST " AND b.kind = 'CUT_OFF'", "7");
	schedule();
	expect(QUEUE, "");
	/* an operator is told at any time */
	clock_after(NEXT, 9, 0);
	run_day_of(NEXT, &run);
	expect("SELECT count(*)::text FROM muhur.finding f JOIN muhur.break b ON b.id = f.break_id "
	    "WHERE f.run = " LAST " AND b.kind = 'CUT_OFF'", "7");
	drop_rule();
	/* where all is in by its cut-off, one run at the last of them */
	assert_int_equal(three_days(state), 0);
	sql("UPDATE muhur.contract SET valid_from = '" NEXT "'");
	agreeing_day(NEXT, "A", 1);
	clock_after(NEXT, 10, 1);
	schedule();
	expect(QUEUE, "");
	clock_after(NEXT, 12, 1);
	schedule();
	expect(QUEUE, NEXT " cut-off");
	assert_int_equal(run_all(), 1);
	/* taken back after it: the correction alone */
	no = correct("A-2", "CUA", "A-2b", NEXT);
	omn(no, "PLA", BTC, "HOT", "4");
	schedule();
	expect(QUEUE, NEXT " correction");
	conf.cutoffs = NULL;
	conf.ncutoffs = 0;
}

/* --- any order ----------------------------------------------------------------------- */

/* The market of three days, as messages in the order in which members made them.
 * replaces: an earlier one, which must have come before. */
static const struct message {
	const char *day, *type, *member, *id, *replaces;
	const char *lines[4];	/* "customer held asset quantity", "platform asset wallet quantity" */
} messages[] = {
	{ BEFORE, "BalanceReport", "PLA", "b1", NULL, { "1 CUA " BTC " 4", "1 OWN " BTC " 9" } },
	{ BEFORE, "CustodyReport", "CUA", "c1", NULL, { "PLA " BTC " COLD 3" } },	/* R1: 1 */
	{ BEFORE, "CustodyReport", "CUB", "d1", NULL, { "PLB " ETH " COLD 7" } },
	{ BEFORE, "BalanceReport", "PLB", "e1", NULL, { "9 CUB " ETH " 7" } },
	{ DAY, "BalanceReport", "PLA", "b2", NULL, { "1 CUA " BTC " 4", "1 OWN " BTC " 9" } },
	{ DAY, "CustodyReport", "CUA", "c2", NULL, { "PLA " BTC " COLD 3" } },		/* R1: 1, since BEFORE */
	{ DAY, "CustodyReport", "CUB", "d2", NULL, { "PLB " ETH " COLD 5" } },		/* R1: 2 */
	{ DAY, "BalanceReport", "PLB", "e2", NULL, { "9 CUB " ETH " 7", "9 CUB " BTC " 1" } },	/* R1: 1 */
	{ DAY, "BalanceReport", "PLA", "b2x", NULL, { "1 CUA " BTC " 0" } },		/* R5: a line twice */
	{ NEXT, "BalanceReport", "PLA", "b3", NULL, { "1 CUA " BTC " 4", "1 OWN " BTC " 2" } },
	{ NEXT, "CustodyReport", "CUA", "c3", NULL, { "PLA " BTC " COLD 3" } },
	{ NEXT, "CustodyReport", "CUB", "d3", NULL, { "PLB " ETH " COLD 5" } },
	/* NEXT: PLB's is missing for ever: its BTC are not judged, and were last from e2 and d2b */
	{ BEFORE, "CustodyReport", "CUA", "c1b", "c1", { "PLA " BTC " COLD 4" } },	/* so R1 begins on DAY */
	{ BEFORE, "BalanceReport", "PLA", "b1b", "b1", { "1 CUA " BTC " 4", "2 OWN " BTC " 1" } },
	{ DAY, "CustodyReport", "CUB", "d2b", "d2", { "PLB " ETH " COLD 7" } },		/* and agrees */
};
#define NMESSAGES	(sizeof(messages) / sizeof(messages[0]))

static void
send_message(const struct message *m)
{
	char *a, *b, *c, *d, *line;
	long long no;
	int i;

	if (m->replaces != NULL)
		no = correct(m->replaces, m->member, m->id, m->day);
	else
		no = report_of(m->type, m->member, m->id, m->day);
	for (i = 0; i < 4 && m->lines[i] != NULL; i++) {
		line = xstrdup(m->lines[i]);
		a = strtok(line, " ");
		b = strtok(NULL, " ");
		c = strtok(NULL, " ");
		d = strtok(NULL, " ");
		if (strcmp(m->type, "BalanceReport") == 0)
			bal(no, a, b, c, d);
		else
			omn(no, a, b, c, d);
		free(line);
	}
}

/* Numbers from 0 to n - 1 (Knuth's MMIX generator): the same in every run of the test. */
static size_t
dice(uint64_t *seed, size_t n)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (size_t)(*seed >> 33) % n;
}

/* A permutation in which a correction comes after what it corrects. */
static void
permute(size_t order[], uint64_t *seed)
{
	size_t i, j, k, t;

	for (i = 0; i < NMESSAGES; i++)
		order[i] = i;
	for (i = NMESSAGES - 1; i > 0; i--) {
		j = dice(seed, i + 1);
		t = order[i];
		order[i] = order[j];
		order[j] = t;
	}
	for (i = 0; i < NMESSAGES; i++)
		for (k = i + 1; k < NMESSAGES; k++)
			if (messages[order[i]].replaces != NULL &&
			    strcmp(messages[order[i]].replaces, messages[order[k]].id) == 0) {
				t = order[i];
				order[i] = order[k];
				order[k] = t;
			}
}

/* What the notices of each day's newest run say, submissions by their
 * MessageIds.  change: what a line says of the report before. */
static char *
told(int change)
{
	char *text, *query = xasprintf(
	    "SELECT pg_temp.by_message_id(string_agg(concat_ws(' ', r.business_date, n.kind, n.recipient, %s), E'\\n' "
	    "  ORDER BY r.business_date, n.recipient, n.kind, l.ordinality)) "
	    "FROM (SELECT DISTINCT ON (business_date) no, business_date FROM muhur.reconcile_run "
	    "  ORDER BY business_date, version DESC) r "
	    "JOIN muhur.notice n ON n.run = r.no AND n.level IS NULL, "
	    "muhur.notice_lines(n.id) WITH ORDINALITY l WHERE %s",
	    change ? "to_jsonb(l) - 'ordinality'" : "to_jsonb(l) - 'ordinality' - 'f12'",
	    change ? "true" : "(l.f1 <> 'break' OR l.f12 <> 'cured')");

	text = value(query);
	free(query);
	return text;
}

/* Limits whose judgement counts what was found before, as R12 does; 9 > 5 at
 * PLA on BEFORE until b1b, and on DAY. */
static void
add_limits(void)
{
	add_rule("INSERT INTO muhur.limit_result (run, no, rule, rule_source, platform, numerator, threshold, status, detail) "
	    "SELECT $1, 9001, 'R6', 's', 'PLA', q, 5, CASE WHEN q > 5 THEN 'breach' ELSE 'within' END, 'd' "
	    "FROM (SELECT coalesce(sum(quantity), 0) AS q FROM pg_temp.claimed WHERE platform = 'PLA' AND custodian = 'OWN') x");
	add_rule("INSERT INTO muhur.limit_result (run, no, rule, rule_source, platform, threshold, status, detail, occurrences) "
	    "SELECT $1, 9002, 'R12', 's', 'PLA', 0, CASE WHEN count(*) > 0 THEN 'breach' ELSE 'within' END, 'd', count(*) "
	    "FROM muhur.limit_result l JOIN (SELECT DISTINCT ON (business_date) no FROM muhur.reconcile_run "
	    "  WHERE business_date <= $2 ORDER BY business_date, version DESC) r ON r.no = l.run "
	    "WHERE l.no = 9001 AND l.status = 'breach'");
}

static void
repeat_days(void)
{
	struct run run;

	run_day_of(BEFORE, &run);
	run_day_of(DAY, &run);
	run_day_of(NEXT, &run);
}

static void
test_any_order(void **state)
{
	char *first = NULL, *first_repeated = NULL, *got;
	uint64_t seed = 20261119;
	size_t order[NMESSAGES], i;
	int turn;

	sql("CREATE FUNCTION pg_temp.by_message_id(t text) RETURNS text LANGUAGE plpgsql AS $$ DECLARE s record; BEGIN "
	    "FOR s IN SELECT id, message_id FROM muhur.submission LOOP t := replace(t, s.id::text, s.message_id); END LOOP; "
	    "RETURN t; END $$");
	add_limits();
	for (turn = 0; turn < 6; turn++) {
		assert_int_equal(three_days(state), 0);
		permute(order, &seed);
		for (i = 0; i < NMESSAGES; i++) {
			send_message(&messages[order[i]]);
			if (dice(&seed, 3) == 0) {
				schedule();
				(void)run_all();
			}
		}
		schedule();
		(void)run_all();
		schedule();
		expect(QUEUE, "");
		/* only what is new since the last report depends on when that was */
		got = told(0);
		if (first == NULL)
			first = xstrdup(got);
		assert_string_equal(got, first);
		free(got);
		/* told once more, there is nothing new, and every byte is the same */
		repeat_days();
		expect(QUEUE, "");
		got = told(1);
		if (first_repeated == NULL)
			first_repeated = xstrdup(got);
		assert_string_equal(got, first_repeated);
		free(got);
	}
	/* by hand: BEFORE agrees since c1b; DAY has 4 against 3, a line twice (b2, b2x)
	 * and PLB's 1 against 0, d2b agrees but for that; NEXT has 4 against 3 since
	 * DAY, and PLB missing, whose break goes on.  9 of PLA's own on DAY alone: one
	 * breach, which NEXT counts. */
	expect("SELECT string_agg(concat_ws(' ', r.business_date, b.rule, b.platform, b.custodian, f.first_seen), ', ' "
	    "ORDER BY r.business_date, b.rule, b.platform) FROM muhur.finding f JOIN muhur.break b ON b.id = f.break_id "
	    "JOIN muhur.reconcile_run r ON r.no = f.run WHERE r.no > " LAST " - 3",
	    DAY " R1 PLA CUA " DAY ", " DAY " R1 PLB CUB " DAY ", " DAY " R5 PLA CUA " DAY ", "
	    NEXT " R1 PLA CUA " DAY ", " NEXT " R1 PLB CUB " DAY ", " NEXT " R4 PLB " NEXT);
	expect("SELECT string_agg(status || coalesce(' ' || occurrences, ''), ', ' ORDER BY run, no) FROM muhur.limit_result "
	    "WHERE no > 9000 AND run > " LAST " - 3", "within, within 0, breach, breach 1, within, breach 1");
	drop_rule();
	drop_rule();
	free(first);
	free(first_repeated);
}

/* --- while a run is under way --------------------------------------------------------- */

#define GATE	"77"	/* an advisory lock that the run waits for at its end */

/* A worker process of its own, which runs what is due once. */
static pid_t
start_worker(void)
{
	struct run run;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		struct db db = { 0 };
		int own = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

		if (db_connect(&db, &conf, "muhur_reconcile", "x") == -1)
			_exit(2);
		_exit(own != -1 && run_next(&(struct run_means){ .db = &db, .conf = &conf, .rules = rules, .scratch = own }, &run) == 1 ? 0 : 1);
	}
	return pid;
}

/* Until the query says "t"; fails after a minute. */
static void
wait_until(const char *query)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	char *got;
	int i, done = 0;

	for (i = 0; i < 6000 && !done; i++) {
		got = value(query);
		done = got[0] == 't';
		free(got);
		if (!done)
			(void)nanosleep(&pause, NULL);
	}
	assert_true(done);
}

#define AT_THE_GATE "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = " GATE " AND NOT granted)"

static void
at_the_gate(void)
{
	sql("SELECT pg_advisory_lock(" GATE ")");
	add_rule("SELECT pg_advisory_xact_lock(" GATE ") WHERE $1 > 0");
}

static void
open_gate(void)
{
	sql("SELECT pg_advisory_unlock(" GATE ")");
}

static void
test_killed(void **state)
{
	struct run run;
	char *undisturbed, *after;
	int status;
	pid_t pid;

	agreeing_day(DAY, "A", 0);
	run_day_of(DAY, &run);
	undisturbed = value("SELECT string_agg(concat_ws(' ', n.kind, n.recipient, n.line_count, l.f3, l.f4, l.f5, l.f6, l.f9, l.f10, "
	    "l.f11, l.f12, l.f13, l.f14), E'\\n' ORDER BY n.recipient, n.kind, l.ordinality) FROM muhur.notice n, "
	    "muhur.notice_lines(n.id) WITH ORDINALITY l WHERE n.level IS NULL");
	assert_int_equal(three_days(state), 0);
	agreeing_day(DAY, "A", 0);
	assert_int_equal(queue_add(&owner, run.business_date, clock_now() - USEC_PER_SEC, "complete"), 0);
	at_the_gate();
	pid = start_worker();
	wait_until(AT_THE_GATE);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	open_gate();
	/* the server notices when it has something to tell */
	wait_until("SELECT count(*) = 1 FROM pg_stat_activity WHERE usename = 'muhur_reconcile'");
	expect("SELECT (SELECT count(*) FROM muhur.reconcile_run) + (SELECT count(*) FROM muhur.pair) "
	    "+ (SELECT count(*) FROM muhur.break) + (SELECT count(*) FROM muhur.notice) + (SELECT count(*) FROM muhur.event) "
	    "+ (SELECT count(*) FROM muhur.finding_party) + (SELECT count(*) FROM muhur.reconcile_contract)", "0");
	expect(QUEUE, DAY " complete");
	assert_int_equal(run_all(), 1);
	after = value("SELECT string_agg(concat_ws(' ', n.kind, n.recipient, n.line_count, l.f3, l.f4, l.f5, l.f6, l.f9, l.f10, "
	    "l.f11, l.f12, l.f13, l.f14), E'\\n' ORDER BY n.recipient, n.kind, l.ordinality) FROM muhur.notice n, "
	    "muhur.notice_lines(n.id) WITH ORDINALITY l WHERE n.level IS NULL");
	assert_string_equal(after, undisturbed);
	expect(QUEUE, "");
	drop_rule();
	free(undisturbed);
	free(after);
}

/* Corrections of the day and of the day before come while the day is run: it
 * sees neither, and both are in the end. */
static void
test_concurrent(void **state)
{
	struct run run;
	long long no;
	int status;
	pid_t pid;

	(void)state;
	agreeing_day(BEFORE, "A", 0);
	agreeing_day(DAY, "B", 0);
	run_day_of(BEFORE, &run);
	assert_int_equal(queue_add(&owner, run.business_date + 1, clock_now() - USEC_PER_SEC, "complete"), 0);
	at_the_gate();
	pid = start_worker();
	wait_until(AT_THE_GATE);
	no = correct("A-2", "CUA", "A-2b", BEFORE);
	omn(no, "PLA", BTC, "COLD", "4");
	no = correct("B-2", "CUA", "B-2b", DAY);
	omn(no, "PLA", BTC, "COLD", "2");
	open_gate();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	drop_rule();
	/* 4 against 1, as it was when the run began */
	expect(FINDINGS(LAST), "R1 QUANTITY_DIFFERENCE PLA CUA " BTC " 4 1 3 continuing " BEFORE);
	schedule();
	expect("SELECT string_agg(business_date || ' ' || cause, ', ' ORDER BY business_date) FROM muhur.reconcile_job "
	    "WHERE business_date <> '" NEXT "'", BEFORE " correction, " DAY " correction");
	sql("DELETE FROM muhur.reconcile_job WHERE business_date = '" NEXT "'");
	assert_int_equal(run_all(), 2);
	/* 4 against 2, and since DAY */
	expect(FINDINGS(LAST), "R1 QUANTITY_DIFFERENCE PLA CUA " BTC " 4 2 2 continuing " DAY);
}

/* Two days at once that have the same break: the second to end begins anew, and
 * knows what the first one found. */
static void
test_two_days_at_once(void **state)
{
	struct run run;
	long long no;
	int status;
	pid_t pid;

	(void)state;
	agreeing_day(BEFORE, "A", 0);
	agreeing_day(DAY, "B", 0);
	run_day_of(BEFORE, &run);
	assert_int_equal(queue_add(&owner, run.business_date + 1, clock_now() - USEC_PER_SEC, "complete"), 0);
	at_the_gate();
	pid = start_worker();
	wait_until(AT_THE_GATE);
	drop_rule();	/* the other process has its own */
	no = correct("A-2", "CUA", "A-2b", BEFORE);
	omn(no, "PLA", BTC, "COLD", "4");
	run_day_of(BEFORE, &run);
	open_gate();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	expect(DAYS, BEFORE " 2 cured " BEFORE ", " DAY " 1 new " DAY);
	expect("SELECT state FROM muhur.break", "open");
}

/* A DiscrepancyResponse of PLA's about the only break of R1, accepted. */
static void
explain(const char *message_id)
{
	long long no = report_of("DiscrepancyResponse", "PLA", message_id, DAY);
	char *values = xasprintf("(SELECT id FROM muhur.break WHERE rule = 'R1'), '%s'", message_id), *call;

	record("response", "break_id, explanation", no, values);
	call = xasprintf("SELECT muhur.explain_breaks(%lld, '2026-11-20 09:00Z')", no);
	sql(call);
	free(values);
	free(call);
}

#define EXPLAINED "SELECT concat_ws(' ', state, explanation) FROM muhur.break WHERE rule = 'R1'"

/* A break is explained while a run that finds it is under way: the run is not
 * disturbed, and the explanation is there afterwards; of several the last. */
static void
test_explained_meanwhile(void **state)
{
	struct run run;
	int status;
	pid_t pid;

	(void)state;
	agreeing_day(DAY, "A", 0);
	run_day_of(DAY, &run);
	explain("X1");
	expect(EXPLAINED, "explained X1");
	assert_int_equal(queue_add(&owner, run.business_date, clock_now() - USEC_PER_SEC, "operator"), 0);
	at_the_gate();
	pid = start_worker();
	wait_until(AT_THE_GATE);
	explain("X2");
	expect(EXPLAINED, "explained X1");
	open_gate();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	drop_rule();
	expect("SELECT version || ' ' || (SELECT explanation FROM muhur.finding f WHERE f.run = r.no) "
	    "FROM muhur.reconcile_run r WHERE no = " LAST, "2 X1");
	explain("X3");		/* X2 still waits, and must not come after it */
	expect(EXPLAINED, "explained X1");
	assert_int_equal(run_all(), 0);
	expect(EXPLAINED, "explained X3");
	expect("SELECT count(*) || ' ' || (SELECT count(*) FROM muhur.response_waiting) FROM muhur.event "
	    "WHERE kind = 'explained'", "3 0");
	/* nothing is held between runs */
	expect("SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory'", "0");
}

int
main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_cascade, three_days),
		cmocka_unit_test_setup(test_cascade_ends, three_days),
		cmocka_unit_test_setup(test_cascade_unjudged, three_days),
		cmocka_unit_test_setup(test_opening_custody, three_days),
		cmocka_unit_test_setup(test_day_before, three_days),
		cmocka_unit_test_setup(test_without_carry, three_days),
		cmocka_unit_test_setup(test_oldest_first, three_days),
		cmocka_unit_test_setup(test_operator_second, three_days),
		cmocka_unit_test_setup(test_operator_then_correction, three_days),
		cmocka_unit_test_setup(test_cutoffs, three_days),
		cmocka_unit_test(test_any_order),
		cmocka_unit_test_setup(test_killed, three_days),
		cmocka_unit_test_setup(test_concurrent, three_days),
		cmocka_unit_test_setup(test_two_days_at_once, three_days),
		cmocka_unit_test_setup(test_explained_meanwhile, three_days),
	};

	(void)argc;
	pgtest_begin(argv);
	log_init("test_order", LOG_COMMAND, 0);
	clock_init(0);
	pgtest_conf(&conf);
	return cmocka_run_group_tests(tests, make_database, close_database);
}
