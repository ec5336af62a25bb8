/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/mem.h"
#include "muhurd/disk.h"

#define LANES	16
#define EACH	200

struct test_job {
	struct disk_job	 job;
	int		 lane, number;
};
static int last_worked[LANES];		/* each written by one thread at a time */
static int last_done[LANES];
static atomic_int disorder;
static int done_count;

static void
work(struct disk_job *job)
{
	struct test_job *t = (struct test_job *)job;

	if (last_worked[t->lane] != t->number - 1)
		atomic_store(&disorder, 1);
	last_worked[t->lane] = t->number;
	if (t->number % 7 == 0)
		(void)sched_yield();
}

static void
done(struct disk_job *job)
{
	struct test_job *t = (struct test_job *)job;

	if (last_done[t->lane] != t->number - 1)
		atomic_store(&disorder, 1);
	last_done[t->lane] = t->number;
	done_count++;
	free(t);
}

static void
submit(struct disk *d, int lane, int number)
{
	struct test_job *t = xcalloc(1, sizeof(*t));

	t->job.work = work;
	t->job.done = done;
	t->lane = lane;
	t->number = number;
	disk_submit(d, (uint64_t)lane, &t->job);
}

/* What shares a lane neither overtakes nor overlaps; all of it comes back. */
static void
lanes_keep_order(void **state)
{
	struct disk *d = disk_start(4);
	struct pollfd p;
	int lane, n;

	(void)state;
	assert_non_null(d);
	for (n = 1; n <= EACH; n++)
		for (lane = 0; lane < LANES; lane++)
			submit(d, lane, n);
	p.fd = disk_fd(d);
	p.events = POLLIN;
	while (disk_pending(d) > 0) {
		assert_int_equal(poll(&p, 1, 10000), 1);
		disk_reap(d);
	}
	assert_int_equal(done_count, LANES * EACH);
	assert_false(atomic_load(&disorder));
	disk_stop(d);
}

/* Stopping waits for what was handed in. */
static void
stop_waits(void **state)
{
	struct disk *d = disk_start(2);
	int lane, n, before = done_count;

	(void)state;
	for (lane = 0; lane < LANES; lane++)
		last_worked[lane] = last_done[lane] = 0;
	for (n = 1; n <= EACH; n++)
		submit(d, n % LANES, (n + LANES - 1) / LANES);
	disk_stop(d);
	assert_int_equal(done_count - before, EACH);
	disk_stop(NULL);
}

static void
lanes_differ(void **state)
{
	(void)state;
	/* FNV-1a of the empty string is its offset basis */
	assert_true(disk_lane("") == UINT64_C(14695981039346656037));
	assert_true(disk_lane("PLA001") != disk_lane("PLA002"));
	assert_true(disk_lane("PLA001") == disk_lane("PLA001"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lanes_keep_order),
		cmocka_unit_test(stop_waits),
		cmocka_unit_test(lanes_differ),
	};

	return cmocka_run_group_tests_name("muhurd/disk", tests, NULL, NULL);
}
