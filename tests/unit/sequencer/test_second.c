/* SPDX-License-Identifier: ISC */
/* Two gateways, and a database restored from an earlier copy: the one that works has an
 * empty folder, the other one's shows what the database has forgotten. */
#include "unit/sequencer/log.h"

#define FORGOTTEN	5	/* leaves */

static char here[8192], elsewhere[8192];
static long long size;

static void
restore_earlier(void)
{
	sql("CREATE TABLE public.leaf AS SELECT * FROM muhur.trail_leaf WHERE leaf_index >= %lld;"
	    "CREATE TABLE public.checkpoint AS SELECT * FROM muhur.trail_checkpoint WHERE size > %lld;"
	    "DELETE FROM muhur.trail_leaf WHERE leaf_index >= %lld; DELETE FROM muhur.trail_checkpoint WHERE size > %lld",
	    size - FORGOTTEN, size - FORGOTTEN, size - FORGOTTEN, size - FORGOTTEN);
}

static void
restore_right(void)
{
	sql("INSERT INTO muhur.trail_queue SELECT event FROM muhur.trail_leaf WHERE leaf_index >= %lld;"
	    "DELETE FROM muhur.trail_leaf WHERE leaf_index >= %lld; DELETE FROM muhur.trail_checkpoint WHERE size > %lld;"
	    "INSERT INTO muhur.trail_leaf SELECT * FROM public.leaf; DROP TABLE public.leaf;"
	    "INSERT INTO muhur.trail_checkpoint SELECT * FROM public.checkpoint; DROP TABLE public.checkpoint",
	    size - FORGOTTEN, size - FORGOTTEN, size - FORGOTTEN);
}

/* It has every leaf that has a number: but for the forgotten ones no event is without. */
static int
grown(const struct sequencer *s)
{
	return s->state == SEQUENCER_WORKS && count("SELECT count(*) FROM muhur.trail_queue") == 0 &&
	    (long long)s->published == count("SELECT count(*) FROM muhur.trail_leaf");
}

static void
assert_nothing_signed(long long checkpoints, long long leaves, long long waiting)
{
	assert_int_equal(count("SELECT count(*) FROM muhur.trail_checkpoint"), checkpoints);
	assert_int_equal(count("SELECT count(*) FROM muhur.trail_leaf"), leaves);
	assert_int_equal(count("SELECT count(*) FROM muhur.trail_queue"), waiting);
}

static void
test_second(void **state)
{
	static char other[] = "other.example/trail";
	char *origin = conf.trail_origin;
	long long checkpoints, leaves;
	struct log a, b, c;

	(void)state;
	restore_earlier();
	log_open(&b, elsewhere);
	add_events(2 * FORGOTTEN);
	assert_int_equal(log_until(&b, grown), 0);
	leaves = count("SELECT count(*) FROM muhur.trail_leaf");
	checkpoints = count("SELECT count(*) FROM muhur.trail_checkpoint");
	/* who stands by tells what it has, though the other one is beyond that; it keeps out of the way */
	log_open(&a, here);
	assert_int_equal(log_until(&a, waits), 0);
	assert_non_null(strstr(a.s.why, "is not recorded in the database"));
	add_events(3);
	refused_for(&b, "is not recorded in the database");
	assert_nothing_signed(checkpoints, leaves, 3);
	assert_int_equal(count("SELECT count(*) FROM muhur.trail_state WHERE why LIKE '%not recorded%'"), 1);
	/* whether or not it is still there; and who comes new has an empty folder, too */
	log_close(&a);
	b.s.state = SEQUENCER_WAITS;
	refused_for(&b, "is not recorded in the database");
	log_close(&b);
	shell("rm -r %s", elsewhere);
	log_open(&c, elsewhere);
	refused_for(&c, "is not recorded in the database");
	assert_nothing_signed(checkpoints, leaves, 3);
	log_close(&c);
	/* another name is another log */
	conf.trail_origin = other;
	log_open(&c, elsewhere);
	assert_int_equal(log_until(&c, grown), 0);
	log_close(&c);
	conf.trail_origin = origin;
	shell("rm -r %s", elsewhere);
	/* the right copy after all: nothing is left to be cleared */
	log_open(&a, here);
	refused_for(&a, "is not recorded in the database");
	restore_right();
	assert_int_equal(log_until(&a, done), 0);
	log_close(&a);
}

/* Who refused with the lock and has ended has told it. */
static void
test_ended(void **state)
{
	struct log a, b;

	(void)state;
	size = count("SELECT count(*) FROM muhur.trail_leaf");
	restore_earlier();
	log_open(&a, here);
	refused_for(&a, "restored from an earlier copy");
	log_open(&b, elsewhere);
	assert_int_equal(log_until(&b, waits), 0);
	log_close(&a);
	refused_for(&b, "restored from an earlier copy");
	restore_right();
	log_close(&b);
}

int
main(int argc, char *argv[])
{
	static char origin[] = "test.example/trail";
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_second), cmocka_unit_test(test_ended) };
	struct log l;
	int rc;

	(void)argc;
	pgtest_begin(argv);
	log_init("test_second", LOG_COMMAND, 0);
	clock_init(0);
	pgtest_conf(&conf);
	conf.trail_origin = origin;
	conf.trail_checkpoint_interval = 10;
	(void)snprintf(folder, sizeof(folder), "%s", conf.secrets_dir);
	(void)snprintf(here, sizeof(here), "%s/gateway", folder);
	(void)snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", folder);
	install();
	make_key("trail.key");
	add_events(20);
	log_open(&l, here);
	if (log_until(&l, done) == -1)
		return 1;
	log_close(&l);
	size = count("SELECT count(*) FROM muhur.trail_leaf");
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	free(key);
	db_close(&owner);
	return rc;
}
