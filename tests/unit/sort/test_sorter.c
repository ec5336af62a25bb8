/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/resource.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "sort/runs.h"
#include "sort/sorter.h"

static int	scratch;

static int
setup(void **state)
{
	(void)state;
	return (scratch = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)) == -1 ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	return close(scratch);
}

/* The same numbers in every run of the test. */
static uint64_t
number(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *seed >> 33;
}

struct text { uint8_t *p; size_t len; };

static int
by_bytes(const void *a, const void *b)
{
	const struct text *x = a, *y = b;
	int c = memcmp(x->p, y->p, x->len < y->len ? x->len : y->len);

	return c != 0 ? c : x->len < y->len ? -1 : x->len > y->len;
}

/* Some of them alike, in their beginnings or wholly. */
static struct text *
texts(size_t n, size_t longest, unsigned letters, uint64_t seed)
{
	struct text *t = xcalloc(n, sizeof(*t));
	size_t i, j;

	for (i = 0; i < n; i++) {
		t[i].len = number(&seed) % (longest + 1);
		t[i].p = xcalloc(t[i].len + 1, 1);
		for (j = 0; j < t[i].len; j++)
			t[i].p[j] = (uint8_t)(number(&seed) % letters * (256 / letters));
	}
	return t;
}

/* Sorted by the sorter as by qsort. */
static void
same_order(size_t n, size_t longest, unsigned letters, size_t memory)
{
	struct text *t = texts(n, longest, letters, n + letters);
	struct sorter *s = sorter_new(scratch, memory);
	const void *rec;
	size_t i, len;

	for (i = 0; i < n; i++)
		assert_int_equal(sorter_add(s, t[i].p, t[i].len), 0);
	qsort(t, n, sizeof(*t), by_bytes);
	assert_int_equal(sorter_sort(s), 0);
	for (i = 0; i < n; i++) {
		assert_int_equal(sorter_next(s, &rec, &len), 1);
		assert_int_equal(len, t[i].len);
		assert_memory_equal(rec, t[i].p, len);
		free(t[i].p);
	}
	assert_int_equal(sorter_next(s, &rec, &len), 0);
	assert_int_equal(sorter_next(s, &rec, &len), 0);
	sorter_free(s);
	free(t);
	assert_int_equal(lseek(scratch, 0, SEEK_END), 0);
}

static void
test_in_memory(void **state)
{
	(void)state;
	same_order(0, 10, 2, 0);
	same_order(1, 10, 2, 0);
	same_order(2, 0, 2, 0);
	same_order(1000, 3, 2, 0);	/* zeros, and shorter ones */
	same_order(1000, 20, 1, 0);	/* zeros alone */
	same_order(10000, 12, 3, 0);
	same_order(10000, 30, 256, 0);
	same_order(200, SORTER_RECORD_MAX, 256, 0);
}

static void
test_spilled(void **state)
{
	(void)state;
	same_order(300000, 60, 256, 0);
	same_order(300000, 60, 2, 0);
	same_order(300000, 4, 2, 0);		/* more entries than bytes */
	same_order(5000, SORTER_RECORD_MAX, 256, 0);
	same_order(300000, 60, 5, 2 * SORTER_MEMORY_MIN);
}

/* One key for all of them: no more than a longer way. */
static void
test_one_prefix(void **state)
{
	struct sorter *s = sorter_new(scratch, 0);
	uint64_t seed = 1, last = 0, v;
	uint8_t rec[16] = "12345678";
	const void *got;
	size_t len;
	int i, n = 200000;

	(void)state;
	for (i = 0; i < n; i++) {
		v = __builtin_bswap64(number(&seed));
		memcpy(rec + 8, &v, sizeof(v));
		assert_int_equal(sorter_add(s, rec, sizeof(rec)), 0);
	}
	assert_int_equal(sorter_sort(s), 0);
	for (i = 0; i < n; i++) {
		assert_int_equal(sorter_next(s, &got, &len), 1);
		memcpy(&v, (const uint8_t *)got + 8, sizeof(v));
		assert_true(__builtin_bswap64(v) >= last);
		last = __builtin_bswap64(v);
	}
	assert_int_equal(sorter_next(s, &got, &len), 0);
	sorter_free(s);
}

/* More runs than are merged at once. */
static void
test_many_runs(void **state)
{
	struct runs *r = runs_new(scratch);
	size_t i, j, len, n = 100, most = 37;
	const void *got;
	uint32_t v;

	(void)state;
	for (i = 0; i < n; i++) {
		runs_begin(r);
		for (j = 0; j < (i == 5 ? 0 : most); j++) {	/* one of them is empty */
			v = __builtin_bswap32((uint32_t)(j * n + i));
			assert_int_equal(runs_put(r, &v, sizeof(v)), 0);
		}
		assert_int_equal(runs_end(r), 0);
	}
	assert_int_equal(runs_count(r), n);
	assert_int_equal(runs_merge(r, (size_t)64 * 1024), 0);
	assert_int_equal(runs_count(r), 4);
	for (i = 0; i < n * most; i++) {
		if (i % n == 5)
			continue;
		assert_int_equal(runs_next(r, &got, &len), 1);
		assert_int_equal(len, sizeof(v));
		memcpy(&v, got, sizeof(v));
		assert_int_equal(__builtin_bswap32(v), i);
	}
	assert_int_equal(runs_next(r, &got, &len), 0);
	runs_free(r);
}

static void
test_errors(void **state)
{
	static const uint8_t rec[SORTER_RECORD_MAX + 1];
	struct rlimit old, small = { 100 * 1000, 100 * 1000 };	/* of the first write */
	struct sorter *s = sorter_new(scratch, 0);
	const void *got;
	size_t len;
	int i, rc = 0;

	(void)state;
	assert_int_equal(sorter_add(s, rec, sizeof(rec)), -1);
	assert_int_equal(errno, EMSGSIZE);
	/* the scratch file has no room */
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (i = 0; i < 10000 && rc == 0; i++)
		rc = sorter_add(s, rec, SORTER_RECORD_MAX);
	assert_int_equal(rc, -1);
	assert_int_equal(errno, EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_true(lseek(scratch, 0, SEEK_END) > 0);
	sorter_free(s);
	assert_int_equal(lseek(scratch, 0, SEEK_END), 0);
	/* it is shorter than what was written */
	s = sorter_new(scratch, 0);
	for (i = 0; i < 3000; i++)
		assert_int_equal(sorter_add(s, rec, SORTER_RECORD_MAX), 0);
	assert_int_equal(sorter_sort(s), 0);
	assert_int_equal(ftruncate(scratch, 4096), 0);
	while ((rc = sorter_next(s, &got, &len)) == 1)
		continue;
	assert_int_equal(rc, -1);
	assert_int_equal(errno, EIO);
	sorter_free(s);
}

/* A byte that has changed: it may come through, but never to a good end. */
static void
test_changed(void **state)
{
	uint64_t seed = 5;
	struct sorter *s;
	const void *got;
	uint8_t rec[40], byte;
	size_t len;
	off_t at;
	int i, j, rc;

	(void)state;
	for (i = 0; i < 20; i++) {
		s = sorter_new(scratch, 0);
		for (j = 0; j < 150000; j++) {
			memset(rec, (int)number(&seed), sizeof(rec));
			assert_int_equal(sorter_add(s, rec, sizeof(rec)), 0);
		}
		assert_int_equal(sorter_sort(s), 0);
		/* in the first run of some 2 MB, of which no more than 1.4 have been read */
		at = 1500000 + (off_t)number(&seed) % 300000;
		assert_int_equal(pread(scratch, &byte, 1, at), 1);
		byte ^= (uint8_t)(1 << i % 8);
		assert_int_equal(pwrite(scratch, &byte, 1, at), 1);
		while ((rc = sorter_next(s, &got, &len)) == 1)
			continue;
		assert_int_equal(rc, -1);
		assert_int_equal(errno, EIO);
		sorter_free(s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_memory),
		cmocka_unit_test(test_spilled),
		cmocka_unit_test(test_one_prefix),
		cmocka_unit_test(test_many_runs),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_changed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
