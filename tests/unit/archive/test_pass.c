/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include <zstd.h>

#include "archive/pass.h"
#include "store.h"

#define N	40
#define SIZE	10000
#define FAST	(1LL << 40)
#define STEPS	100000

/* The linker sends calls of the code under test through here (--wrap). */
static int	until_failure;		/* calls; 0 none fails */

struct dirent *__real_readdir(DIR *d);
struct dirent *__wrap_readdir(DIR *d);
struct dirent *
__wrap_readdir(DIR *d)
{
	if (until_failure == 0 || --until_failure > 0)
		return __real_readdir(d);
	errno = EIO;
	return NULL;
}

static char	names[N][SHA256_HEX_SIZE];
static usec_t	now;		/* of the passes; moves as they wait */

static int
setup(void **state)
{
	char *p;
	int i;

	if (store_setup(state) == -1)
		return -1;
	for (i = 0; i < N; i++) {
		p = bytes_of(i + 1, SIZE + (size_t)i, names[i]);
		put_document(names[i], "", p, SIZE + (size_t)i);
		free(p);
	}
	/* what is no document */
	put_document(names[0], ".tmp", "x", 1);
	now = clock_monotonic();
	return 0;
}

enum found { NOTHING, ROT, ENDED };

/* On to the next news; NOTHING where there were none in so many steps. */
static enum found
to_news(struct pass *p, int steps, struct m_pass *news)
{
	while (steps-- > 0) {
		if (pass_due(p) > now)
			now = pass_due(p);
		if (pass_step(p, now, news))
			return news->rot[0] != '\0' ? ROT : ENDED;
	}
	return NOTHING;
}

/* The same, and they are written. */
static enum found
on(struct pass *p, int steps, struct m_pass *news)
{
	enum found found = to_news(p, steps, news);

	if (found != NOTHING)
		pass_kept(p, now);
	return found;
}

static void
test_reads_all(void **state)
{
	struct pass *p = pass_new(store, FAST);
	struct m_pass news;

	(void)state;
	assert_int_equal(on(p, STEPS, &news), ENDED);
	assert_int_equal(news.documents, N);
	assert_int_equal(news.bytes, N * SIZE + N * (N - 1) / 2);
	assert_int_equal(news.rotten, 0);
	assert_int_equal(news.unread, 0);
	/* the next one is not due, for this process nor after a restart */
	assert_int_equal(on(p, 100, &news), NOTHING);
	pass_free(p);
	p = pass_new(store, FAST);
	assert_int_equal(on(p, 100, &news), NOTHING);
	pass_free(p);
}

/* What cannot be read is told: such a pass has not read all. */
static void
test_unread(void **state)
{
	struct pass *p = pass_new(store, FAST);
	char path[DEPOT_PATH_SIZE];
	struct m_pass news;

	(void)state;
	assert_int_equal(file_write_durable(store, "ff", "x", 1, 0440), 0);	/* no folder */
	depot_path(names[3], DEPOT_PLAIN, path);
	assert_int_equal(fchmodat(store, path, 0, 0), 0);
	assert_int_equal(on(p, 5, &news), NOTHING);
	pass_free(p);		/* the count is kept */
	p = pass_new(store, FAST);
	assert_int_equal(on(p, STEPS, &news), ENDED);
	assert_int_equal(news.documents, N - 1);
	assert_int_equal(news.unread, 2);
	pass_free(p);
	/* a shelf that ends with an error */
	assert_int_equal(unlinkat(store, ".cursor", 0), 0);
	p = pass_new(store, FAST);
	until_failure = 2;
	assert_int_equal(on(p, STEPS, &news), ENDED);
	assert_int_equal(until_failure, 0);
	assert_int_equal(news.unread, 3);
	pass_free(p);
}

static void
test_rot(void **state)
{
	struct pass *p = pass_new(store, FAST);
	struct m_pass news;
	int i, found = 0;
	char frame[2 * SIZE], *bytes;
	size_t len;

	(void)state;
	flip(names[7], DEPOT_PLAIN);
	put_document(names[9], ".zst", "no frame", 8);	/* beside the good plain one */
	bytes = bytes_of(12, SIZE + 11, names[11]);
	len = ZSTD_compress(frame, sizeof(frame), bytes, SIZE + 11, 1);
	free(bytes);
	put_document(names[11], ".zst", frame, len);
	put_document(names[11], "", "other", 5);	/* beside the good compressed one */
	for (i = 0; i < 3; i++) {
		assert_int_equal(on(p, STEPS, &news), ROT);
		found |= strcmp(news.rot, names[7]) == 0 ? 1 : strcmp(news.rot, names[9]) == 0 ? 2 :
		    strcmp(news.rot, names[11]) == 0 ? 4 : 8;
	}
	assert_int_equal(found, 7);
	assert_int_equal(on(p, STEPS, &news), ENDED);
	assert_int_equal(news.documents, N + 2);
	assert_int_equal(news.rotten, 3);
	pass_free(p);
}

/* News that are not written: nothing more is read, and a restart comes to them again. */
static void
test_untold(void **state)
{
	struct pass *p = pass_new(store, FAST);
	struct m_pass news;
	usec_t before;
	int i;

	(void)state;
	flip(names[7], DEPOT_PLAIN);
	for (i = 0; i < 3; i++) {
		assert_int_equal(to_news(p, STEPS, &news), ROT);
		assert_string_equal(news.rot, names[7]);
		before = now;
		assert_int_equal(to_news(p, 100, &news), NOTHING);
		now = before;		/* which it had put off for ever */
		pass_free(p);
		p = pass_new(store, FAST);
	}
	assert_int_equal(on(p, STEPS, &news), ROT);
	for (i = 0; i < 3; i++) {
		assert_int_equal(to_news(p, STEPS, &news), ENDED);
		assert_int_equal(news.documents, N);
		assert_int_equal(news.rotten, 1);
		before = now;
		assert_int_equal(to_news(p, 100, &news), NOTHING);
		now = before;
		pass_free(p);
		p = pass_new(store, FAST);
		/* behind the rot, if the cursor was saved there */
		if (to_news(p, STEPS, &news) == ROT)
			pass_kept(p, now);
		else {
			assert_int_equal(news.documents, N);
			pass_free(p);
			p = pass_new(store, FAST);
		}
	}
	pass_free(p);
}

/* Stopped again and again: each document is read once. */
static void
test_goes_on(void **state)
{
	struct m_pass news;
	struct pass *p;
	int i, rc;

	(void)state;
	for (i = 0; i < 1000; i++) {
		p = pass_new(store, FAST);
		rc = on(p, 10, &news);
		pass_free(p);
		if (rc == ENDED)
			break;
		assert_int_equal(rc, NOTHING);
	}
	assert_true(i > 5);
	assert_int_equal(rc, ENDED);
	assert_int_equal(news.documents, N);
	assert_int_equal(news.bytes, N * SIZE + N * (N - 1) / 2);
}

/* A cursor that nobody wrote: from the start, and none of it is believed. */
static void
test_cursor(void **state)
{
	static const char *const bad[] = { "", "muhur-archive-cursor 2\n", "muhur-archive-cursor 1\n",
		"muhur-archive-cursor 1\nstate reading\nstarted 2026-11-26T00:00:00Z\nname ../x\ndocuments 1\nbytes 1\nrotten 0\nunread 0\n",
		"muhur-archive-cursor 1\nstate reading\nstarted 2026-11-26T00:00:00Z\nname -\ndocuments 1\nbytes 1\nrotten 0\nunread 0\nmore\n",
		"muhur-archive-cursor 1\nstate reading\nstarted never\nname -\ndocuments 1\nbytes 1\nrotten 0\nunread 0\n" };
	struct m_pass news;
	struct pass *p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(file_write_durable(store, ".cursor", bad[i], strlen(bad[i]), 0640), 0);
		p = pass_new(store, FAST);
		assert_int_equal(on(p, STEPS, &news), ENDED);
		assert_int_equal(news.documents, N);
		pass_free(p);
	}
}

/* No faster than it may: N documents of some SIZE at 100,000 a second take 4 s. */
static void
test_rate(void **state)
{
	struct pass *p = pass_new(store, 100000);
	usec_t began = now;
	struct m_pass news;

	(void)state;
	assert_int_equal(on(p, STEPS, &news), ENDED);
	assert_true(now - began > 3 * USEC_PER_SEC);
	assert_true(now - began < 8 * USEC_PER_SEC);
	pass_free(p);
}

static void
test_two(void **state)
{
	struct pass *a = pass_new(store, FAST), *b = pass_new(store, FAST);
	struct m_pass news;

	(void)state;
	assert_int_equal(on(a, 5, &news), NOTHING);
	assert_int_equal(on(b, 100, &news), NOTHING);	/* it has no lock, and waits */
	pass_free(a);
	assert_int_equal(on(b, STEPS, &news), ENDED);
	assert_int_equal(news.documents, N);
	pass_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reads_all, setup, store_teardown),
		cmocka_unit_test_setup_teardown(test_unread, setup, store_teardown),
		cmocka_unit_test_setup_teardown(test_rot, setup, store_teardown),
		cmocka_unit_test_setup_teardown(test_untold, setup, store_teardown),
		cmocka_unit_test_setup_teardown(test_goes_on, setup, store_teardown),
		cmocka_unit_test_setup_teardown(test_cursor, setup, store_teardown),
		cmocka_unit_test_setup_teardown(test_rate, setup, store_teardown),
		cmocka_unit_test_setup_teardown(test_two, setup, store_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
