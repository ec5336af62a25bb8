/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/file.h>
#include <sys/resource.h>

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "archive/compress.h"
#include "store.h"

#define SIZE	3000000

static char	sha256[SHA256_HEX_SIZE];
static char	*document;

static int
setup(void **state)
{
	if (store_setup(state) == -1)
		return -1;
	document = bytes_of(1, SIZE, sha256);
	put_document(sha256, "", document, SIZE);
	return 0;
}

static int
teardown(void **state)
{
	free(document);
	return store_teardown(state);
}

/* Up to steps of it; -1 when it has not ended by then, else its result. */
static int
run(int steps)
{
	struct compress *c = compress_new(store, sha256);
	enum kept_result result = KEPT_RESULT_COUNT;
	int more = 1;

	while (more && steps-- > 0)
		more = compress_step(c, &result);
	compress_free(c);
	return more ? -1 : (int)result;
}

/* Names in the shelf. */
static int
names(void)
{
	char cmd[128];
	int n;

	(void)snprintf(cmd, sizeof(cmd), "exit $(ls -A %s/%.2s | wc -l)", dir, sha256);
	n = system(cmd);
	return n >> 8;
}

/* Within the shelf. */
static const char *
zst_name(void)
{
	static char path[DEPOT_PATH_SIZE];

	depot_path(sha256, DEPOT_ZSTD, path);
	return path + 3;
}

static void
is_compressed(void)
{
	long long size;
	char path[DEPOT_PATH_SIZE];
	struct stat st;

	assert_false(there(sha256, DEPOT_PLAIN));
	assert_true(there(sha256, DEPOT_ZSTD));
	assert_int_equal(names(), 1);
	assert_int_equal(depot_check(store, sha256, &size), DEPOT_GOOD);
	assert_int_equal(size, SIZE);
	depot_path(sha256, DEPOT_ZSTD, path);
	assert_int_equal(fstatat(store, path, &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0440);
	assert_true(st.st_size < SIZE / 5);
}

static void
test_compresses(void **state)
{
	(void)state;
	assert_int_equal(run(1000), KEPT_OK);
	is_compressed();
	/* again, as after a crash before the answer */
	assert_int_equal(run(1000), KEPT_OK);
	is_compressed();
}

/* Killed behind every step, then done again: the document is there all the time. */
static void
test_crash_points(void **state)
{
	struct compress *c;
	enum kept_result result;
	pid_t pid;
	int n, i, status;

	(void)state;
	for (n = 0;; n++) {
		put_document(sha256, "", document, SIZE);
		if ((pid = fork()) == 0) {
			c = compress_new(store, sha256);
			for (i = 0; i < n; i++)
				if (compress_step(c, &result) == 0)
					_exit(1);
			(void)raise(SIGKILL);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(depot_check(store, sha256, NULL), DEPOT_GOOD);
		assert_int_equal(run(1000), KEPT_OK);
		is_compressed();
		if (WIFEXITED(status))
			break;
		/* from the second round on both forms are there: the crash that comes
		 * between the two names */
		if (n % 2 == 0) {
			char cmd[160];

			(void)snprintf(cmd, sizeof(cmd), "rm -f %s/%.2s/*", dir, sha256);
			assert_int_equal(system(cmd), 0);
		}
	}
	assert_true(n > 10);
}

/* Both forms are there and good, and before the plain one goes somebody takes the
 * other away (a purge): the plain one may be all that there is, and stays. */
static void
test_other_form_gone(void **state)
{
	char path[DEPOT_PATH_SIZE];
	enum kept_result result;
	struct compress *c;
	int n = 1, i;

	(void)state;
	assert_int_equal(run(1000), KEPT_OK);
	put_document(sha256, "", document, SIZE);
	while (run(n) == -1)
		n++;
	is_compressed();
	put_document(sha256, "", document, SIZE);
	c = compress_new(store, sha256);
	for (i = 0; i < n - 1; i++)
		assert_int_equal(compress_step(c, &result), 1);
	depot_path(sha256, DEPOT_ZSTD, path);
	assert_int_equal(unlinkat(store, path, 0), 0);
	assert_int_equal(compress_step(c, &result), 0);
	assert_int_equal(result, KEPT_LATER);
	compress_free(c);
	assert_true(there(sha256, DEPOT_PLAIN));
	assert_int_equal(run(1000), KEPT_OK);
	is_compressed();
}

/* What a crash left under the temporary name is no obstacle, whatever it is. */
static void
test_leftover(void **state)
{
	char path[DEPOT_TMP_PATH_SIZE];
	static const mode_t modes[] = { 0600, 0440 };
	int shelf = shelf_of(sha256);
	size_t i;

	(void)state;
	depot_tmp_path(sha256, path);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		put_document(sha256, "", document, SIZE);
		assert_int_equal(unlinkat(shelf, zst_name(), 0) == 0, i > 0);
		assert_int_equal(file_write_durable(shelf, path + 3, document, SIZE, modes[i]), 0);
		assert_int_equal(names(), 2);
		assert_int_equal(run(1000), KEPT_OK);
		is_compressed();
	}
	(void)close(shelf);
}

/* Another archive process is at the same document: it is left to it. */
static void
test_two(void **state)
{
	struct compress *a = compress_new(store, sha256);
	enum kept_result result;

	(void)state;
	assert_int_equal(compress_step(a, &result), 1);
	assert_int_equal(compress_step(a, &result), 1);
	assert_int_equal(run(1000), KEPT_LATER);
	while (compress_step(a, &result) == 1)
		continue;
	assert_int_equal(result, KEPT_OK);
	compress_free(a);
	is_compressed();
}

static void
test_broken_old(void **state)
{
	(void)state;
	assert_int_equal(run(1000), KEPT_OK);
	put_document(sha256, "", document, SIZE);
	flip(sha256, DEPOT_ZSTD);
	assert_int_equal(run(1000), KEPT_OK);	/* the plain one is whole: made again */
	is_compressed();
	flip(sha256, DEPOT_ZSTD);
	assert_int_equal(run(1000), KEPT_ROTTEN);
	assert_true(there(sha256, DEPOT_ZSTD));
}

static void
test_rotten(void **state)
{
	(void)state;
	flip(sha256, DEPOT_PLAIN);
	assert_int_equal(run(1000), KEPT_ROTTEN);
	assert_true(there(sha256, DEPOT_PLAIN));
	assert_int_equal(names(), 1);
	/* other bytes beside a good compressed form stay: nothing else may have them */
	put_document(sha256, "", document, SIZE);
	assert_int_equal(run(1000), KEPT_OK);
	put_document(sha256, "", "other", 5);
	assert_int_equal(run(1000), KEPT_ROTTEN);
	assert_int_equal(names(), 2);
}

static void
test_absent(void **state)
{
	char path[DEPOT_PATH_SIZE];

	(void)state;
	depot_path(sha256, DEPOT_PLAIN, path);
	assert_int_equal(unlinkat(store, path, 0), 0);
	assert_int_equal(run(1000), KEPT_ABSENT);
}

/* No space: nothing half-written is left, the document is as it was. */
static void
test_no_space(void **state)
{
	struct rlimit r, small;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
	small = r;
	small.rlim_cur = 1000;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(run(1000), KEPT_LATER);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
	assert_int_equal(names(), 1);
	assert_int_equal(depot_check(store, sha256, NULL), DEPOT_GOOD);
	assert_int_equal(run(1000), KEPT_OK);
	is_compressed();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_compresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_crash_points, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_form_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_leftover, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_old, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rotten, setup, teardown),
		cmocka_unit_test_setup_teardown(test_absent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_space, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
