/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "muhurd/sched.h"

struct doc {
	struct sched_item item;
	char	 member;
	int	 number;
};

static void
push(struct sched *s, struct doc *d, char member, int number, int small)
{
	char code[] = "PLx";

	memset(d, 0, sizeof(*d));
	d->member = member;
	d->number = number;
	d->item.small = small;
	code[2] = member;
	sched_push(s, code, &d->item);
}

static void
expect(struct sched *s, int large_ok, char member, int number)
{
	struct doc *d = (struct doc *)sched_next(s, large_ok);

	assert_non_null(d);
	assert_int_equal(d->member, member);
	assert_int_equal(d->number, number);
}

/* One that sends a hundred first does not keep the others waiting. */
static void
round_robin(void **state)
{
	struct sched *s = sched_new();
	struct doc a[100], b[3], c[1];
	int i;

	(void)state;
	for (i = 0; i < 100; i++)
		push(s, &a[i], 'A', i, 1);
	expect(s, 1, 'A', 0);
	for (i = 0; i < 3; i++)
		push(s, &b[i], 'B', i, 1);
	push(s, &c[0], 'C', 0, 1);
	/* B and C have never been served, then it goes round */
	expect(s, 1, 'B', 0);
	expect(s, 1, 'C', 0);
	expect(s, 1, 'A', 1);
	expect(s, 1, 'B', 1);
	expect(s, 1, 'A', 2);
	expect(s, 1, 'B', 2);
	for (i = 3; i < 100; i++)
		expect(s, 1, 'A', i);
	assert_null(sched_next(s, 1));
	assert_int_equal(sched_length(s), 0);
	sched_free(s);
}

/* Running empty and coming back wins no turn. */
static void
no_turn_by_absence(void **state)
{
	struct sched *s = sched_new();
	struct doc a[2], b[3];
	int i;

	(void)state;
	push(s, &a[0], 'A', 0, 1);
	for (i = 0; i < 3; i++)
		push(s, &b[i], 'B', i, 1);
	expect(s, 1, 'A', 0);	/* neither was served: the first known */
	push(s, &a[1], 'A', 1, 1);	/* A was empty, and was served last */
	expect(s, 1, 'B', 0);
	expect(s, 1, 'A', 1);
	expect(s, 1, 'B', 1);
	expect(s, 1, 'B', 2);
	sched_free(s);
}

/* Where only small ones may start, large ones stay and keep their place. */
static void
small_passes(void **state)
{
	struct sched *s = sched_new();
	struct doc d[4];

	(void)state;
	push(s, &d[0], 'A', 0, 0);
	push(s, &d[1], 'A', 1, 1);
	push(s, &d[2], 'B', 2, 0);
	expect(s, 0, 'A', 1);
	assert_null(sched_next(s, 0));
	assert_int_equal(sched_length(s), 2);
	expect(s, 1, 'B', 2);
	push(s, &d[3], 'A', 3, 1);
	expect(s, 1, 'A', 0);	/* the older first, though large */
	expect(s, 1, 'A', 3);
	sched_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_robin),
		cmocka_unit_test(no_turn_by_absence),
		cmocka_unit_test(small_passes),
	};

	return cmocka_run_group_tests_name("muhurd/sched", tests, NULL, NULL);
}
