/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/steady.h"

#define S	USEC_PER_SEC
#define DAY	(86400 * S)
#define SETTLE	(600 * S)
#define START	(1795000000 * S)

static usec_t boot, wall;
static struct steady st;

/* Time goes on, the wall clock with it and jump besides. */
static enum steady_news
after(usec_t t, usec_t jump)
{
	boot += t;
	wall += t + jump;
	return steady_look(&st, wall, boot, SETTLE);
}

static void
begin(usec_t by)
{
	boot = 77 * S;
	wall = START;
	steady_begin(&st, wall, boot, by);
}

static void
test_goes(void **state)
{
	int i;

	(void)state;
	begin(0);
	assert_false(st.held);
	for (i = 0; i < 1000; i++)
		assert_int_equal(after(3 * S, 0), STEADY_SAME);
	/* days between two looks (asleep) are none of the clock's doing */
	assert_int_equal(after(30 * DAY, 0), STEADY_SAME);
	/* slewed, far in the end; and a step within the limit */
	for (i = 0; i < 1000; i++)
		assert_int_equal(after(3 * S, S), STEADY_SAME);
	assert_int_equal(after(3 * S, -60 * S), STEADY_SAME);
	assert_false(st.held);
}

static void
test_back(void **state)
{
	(void)state;
	begin(0);
	assert_int_equal(after(3 * S, 60 * S + 1), STEADY_JUMPED);
	assert_true(st.held);
	assert_int_equal(steady_by(&st), 60 * S + 1);
	assert_int_equal(after(500 * S, 0), STEADY_SAME);
	assert_true(st.held);
	assert_int_equal(after(3 * S, -59 * S), STEADY_BACK);
	assert_false(st.held);
	assert_int_equal(after(3 * S, 0), STEADY_SAME);
}

static void
test_taken(void **state)
{
	(void)state;
	begin(0);
	assert_int_equal(after(3 * S, -5 * DAY), STEADY_JUMPED);
	assert_int_equal(steady_by(&st), -5 * DAY);
	assert_int_equal(after(SETTLE - 1, 0), STEADY_SAME);
	assert_true(st.held);
	/* again: the time begins anew */
	assert_int_equal(after(1, 2 * DAY), STEADY_JUMPED);
	assert_int_equal(steady_by(&st), -3 * DAY);
	assert_int_equal(after(SETTLE - 1, 0), STEADY_SAME);
	assert_true(st.held);
	assert_int_equal(after(1, 0), STEADY_TAKEN);
	assert_false(st.held);
	assert_int_equal(steady_by(&st), -3 * DAY);
	/* from here on it is the time */
	assert_int_equal(after(3 * S, 0), STEADY_SAME);
	assert_int_equal(steady_by(&st), 0);
	assert_int_equal(after(3 * S, 3 * DAY), STEADY_JUMPED);
}

/* A clock that never stands still holds for ever. */
static void
test_restless(void **state)
{
	int i;

	(void)state;
	begin(0);
	for (i = 0; i < 100; i++)
		assert_int_equal(after(SETTLE - 1, DAY), STEADY_JUMPED);
	assert_true(st.held);
}

static void
test_start(void **state)
{
	(void)state;
	begin(-2 * DAY);
	assert_true(st.held);
	assert_int_equal(steady_by(&st), -2 * DAY);
	assert_int_equal(after(3 * S, 2 * DAY), STEADY_BACK);
	begin(8 * DAY);
	assert_true(st.held);
	assert_int_equal(after(SETTLE, 0), STEADY_TAKEN);
	begin(60 * S);
	assert_false(st.held);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goes),
		cmocka_unit_test(test_back),
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_restless),
		cmocka_unit_test(test_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
