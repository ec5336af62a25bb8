/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zstd.h>

#include "base/fdio.h"
#include "base/mem.h"
#include "depot/depot.h"

/* SHA-256 of "abc" and of one million "a" (FIPS 180-2, appendices B.1 and B.3). */
#define ABC	"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define MILLION	"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
#define A_MILLION 1000000

static char	dir[] = "/tmp/muhur-depot.XXXXXX";
static int	store = -1;

static int
setup(void **state)
{
	(void)state;
	(void)memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
	if (mkdtemp(dir) == NULL || (store = open(dir, O_RDONLY | O_DIRECTORY)) == -1)
		return -1;
	return mkdirat(store, "ba", 0700) == -1 || mkdirat(store, "cd", 0700) == -1 ? -1 : 0;
}

static int
teardown(void **state)
{
	char cmd[64];

	(void)state;
	(void)close(store);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd);
}

static void
put(const char *sha256, enum depot_form form, const void *p, size_t n)
{
	char path[DEPOT_PATH_SIZE], *name;
	int shelf;

	depot_path(sha256, form, path);
	name = strchr(path, '/');
	*name++ = '\0';
	shelf = openat(store, path, O_RDONLY | O_DIRECTORY);
	assert_int_not_equal(shelf, -1);
	assert_int_equal(file_write_durable(shelf, name, p, n, 0440), 0);
	(void)close(shelf);
}

/* One frame of n bytes; *len is what it takes.  The caller's to free. */
static char *
squeeze(const char *p, size_t n, int window, size_t *len)
{
	ZSTD_CCtx *z = ZSTD_createCCtx();
	char *out = xcalloc(ZSTD_compressBound(n), 1);

	if (window != 0)
		assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(z, ZSTD_c_windowLog, window)));
	/* so that the frame tells its window, as one of a stream does */
	assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(z, ZSTD_c_contentSizeFlag, 0)));
	*len = ZSTD_compress2(z, out, ZSTD_compressBound(n), p, n);
	assert_false(ZSTD_isError(*len));
	ZSTD_freeCCtx(z);
	return out;
}

static char *
million(void)
{
	char *p = xcalloc(A_MILLION, 1);

	memset(p, 'a', A_MILLION);
	return p;
}

static void
test_names(void **state)
{
	static const char *const bad[] = { "", "..", "abc", ABC "0",
	    "BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	    "../816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" };
	char path[DEPOT_PATH_SIZE], sha256[SHA256_HEX_SIZE];
	enum depot_form form;
	size_t i;

	(void)state;
	assert_true(depot_name_ok(ABC));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(depot_name_ok(bad[i]));
		assert_null(depot_open(store, bad[i]));
		assert_int_equal(errno, ENOENT);
		assert_false(depot_parse_name(bad[i], sha256, &form));
	}
	assert_true(depot_parse_name(ABC, sha256, &form) && form == DEPOT_PLAIN);
	assert_true(depot_parse_name(ABC ".zst", sha256, &form) && form == DEPOT_ZSTD);
	assert_string_equal(sha256, ABC);
	assert_false(depot_parse_name(ABC ".tmp", sha256, &form));
	assert_false(depot_parse_name("." ABC ".zst", sha256, &form));
	depot_path(ABC, DEPOT_PLAIN, path);
	assert_string_equal(path, "ba/" ABC);
	depot_path(ABC, DEPOT_ZSTD, path);
	assert_string_equal(path, "ba/" ABC ".zst");
}

static void
test_plain(void **state)
{
	long long size = -1;
	char hex[SHA256_HEX_SIZE];
	int fd;

	(void)state;
	assert_int_equal(depot_check(store, ABC, &size), DEPOT_ABSENT);
	put(ABC, DEPOT_PLAIN, "abc", 3);
	assert_int_equal(depot_check(store, ABC, &size), DEPOT_GOOD);
	assert_int_equal(size, 3);
	fd = openat(store, "ba/" ABC, O_RDONLY);
	assert_int_equal(lseek(fd, 2, SEEK_SET), 2);	/* which does not matter */
	assert_int_equal(depot_hash_fd(fd, hex), 0);
	assert_string_equal(hex, ABC);
	(void)close(fd);
	put(ABC, DEPOT_PLAIN, "abd", 3);
	assert_int_equal(depot_check(store, ABC, &size), DEPOT_ROTTEN);
	put(ABC, DEPOT_PLAIN, "", 0);
	assert_int_equal(depot_check(store, ABC, &size), DEPOT_ROTTEN);
}

static void
test_compressed(void **state)
{
	char *p = million(), *z, *back = xcalloc(A_MILLION, 1);
	struct depot_file *f;
	long long size = -1;
	size_t len, at = 0;
	ssize_t n;
	int fd;

	(void)state;
	z = squeeze(p, A_MILLION, 0, &len);
	put(MILLION, DEPOT_ZSTD, z, len);
	assert_int_equal(depot_check(store, MILLION, &size), DEPOT_GOOD);
	assert_int_equal(size, A_MILLION);
	/* in odd pieces, and no more after the end */
	f = depot_open(store, MILLION);
	assert_non_null(f);
	assert_true(depot_compressed(f));
	while ((n = depot_read(f, back + at, A_MILLION - at < 977 ? A_MILLION - at : 977)) > 0)
		at += (size_t)n;
	assert_int_equal(n, 0);
	assert_int_equal(at, A_MILLION);
	assert_memory_equal(back, p, A_MILLION);
	depot_close(f);
	/* both forms: what is there as it is comes first */
	put(MILLION, DEPOT_PLAIN, p, A_MILLION);
	f = depot_open(store, MILLION);
	assert_false(depot_compressed(f));
	depot_close(f);
	fd = openat(store, "out", O_RDWR | O_CREAT, 0600);
	assert_int_equal(depot_copy(store, MILLION, fd, NULL), DEPOT_GOOD);
	assert_int_equal(lseek(fd, 0, SEEK_END), A_MILLION);
	(void)close(fd);
	free(p);
	free(z);
	free(back);
}

/* Both forms are there, and one of them is not good: the other is read. */
static void
test_one_good(void **state)
{
	struct depot_file *f;
	size_t len;
	char *z;
	int fd;

	(void)state;
	z = squeeze("abc", 3, 0, &len);
	put(ABC, DEPOT_ZSTD, z, len);
	put(ABC, DEPOT_PLAIN, "abd", 3);
	assert_int_equal(depot_check(store, ABC, NULL), DEPOT_GOOD);
	fd = openat(store, "out", O_RDWR | O_CREAT, 0600);
	assert_int_equal(depot_copy(store, ABC, fd, NULL), DEPOT_GOOD);
	assert_int_equal(lseek(fd, 0, SEEK_END), 3);
	(void)close(fd);
	f = depot_open_form(store, ABC, DEPOT_PLAIN);
	assert_int_equal(depot_finish(f, ABC, -1, NULL), DEPOT_ROTTEN);
	depot_close(f);
	put(ABC, DEPOT_PLAIN, "abc", 3);
	put(ABC, DEPOT_ZSTD, z, len - 1);
	assert_int_equal(depot_check(store, ABC, NULL), DEPOT_GOOD);
	put(ABC, DEPOT_PLAIN, "abd", 3);
	assert_int_equal(depot_check(store, ABC, NULL), DEPOT_ROTTEN);
	free(z);
}

/* Every way to cut or change a frame ends as rotten, and none as good. */
static void
test_broken(void **state)
{
	char *p = million(), *z, *more;
	size_t len, i;

	(void)state;
	z = squeeze(p, A_MILLION, 0, &len);
	for (i = 0; i < len; i++) {
		put(MILLION, DEPOT_ZSTD, z, i);
		assert_int_equal(depot_check(store, MILLION, NULL), DEPOT_ROTTEN);
	}
	more = xcalloc(2 * len, 1);
	memcpy(more, z, len);
	put(MILLION, DEPOT_ZSTD, more, len + 1);	/* a byte behind it */
	assert_int_equal(depot_check(store, MILLION, NULL), DEPOT_ROTTEN);
	memcpy(more + len, z, len);
	put(MILLION, DEPOT_ZSTD, more, 2 * len);	/* a second frame */
	assert_int_equal(depot_check(store, MILLION, NULL), DEPOT_ROTTEN);
	put(ABC, DEPOT_ZSTD, z, len);			/* a good frame of other bytes */
	assert_int_equal(depot_check(store, ABC, NULL), DEPOT_ROTTEN);
	put(ABC, DEPOT_ZSTD, "\x50\x2a\x4d\x18\0\0\0\0", 8);	/* a skippable frame */
	assert_int_equal(depot_check(store, ABC, NULL), DEPOT_ROTTEN);
	put(ABC, DEPOT_ZSTD, "not zstd at all", 15);
	assert_int_equal(depot_check(store, ABC, NULL), DEPOT_ROTTEN);
	free(p);
	free(z);
	free(more);
}

/* A frame that asks for more history than is given. */
static void
test_window(void **state)
{
	char *p = xcalloc(1 << 25, 1), *z;
	struct depot_file *f;
	char buf[16];
	size_t len;

	(void)state;
	z = squeeze(p, 1 << 25, DEPOT_WINDOW_LOG + 1, &len);
	put(ABC, DEPOT_ZSTD, z, len);
	f = depot_open(store, ABC);
	assert_int_equal(depot_read(f, buf, sizeof(buf)), -1);
	assert_int_equal(errno, EBADMSG);
	depot_close(f);
	free(z);
	z = squeeze(p, 1 << 25, DEPOT_WINDOW_LOG, &len);
	put(ABC, DEPOT_ZSTD, z, len);
	f = depot_open(store, ABC);
	assert_int_equal(depot_read(f, buf, sizeof(buf)), sizeof(buf));
	depot_close(f);
	free(z);
	free(p);
}

/* A frame of a few KiB that unpacks to 1 GiB costs the memory of its window. */
static void
test_bomb(void **state)
{
	struct rusage before, after;
	ZSTD_CCtx *c = ZSTD_createCCtx();
	char *zero = xcalloc(1 << 20, 1), *z = xcalloc(1 << 20, 1);
	ZSTD_outBuffer out = { .dst = z, .size = 1 << 20 };
	ZSTD_inBuffer in;
	long long size = 0;
	int i;

	(void)state;
	for (i = 0; i < 1024; i++) {
		in = (ZSTD_inBuffer){ .src = zero, .size = 1 << 20 };
		while (in.pos < in.size)
			assert_false(ZSTD_isError(ZSTD_compressStream2(c, &out, &in, ZSTD_e_continue)));
	}
	in = (ZSTD_inBuffer){ .src = zero };
	while (ZSTD_compressStream2(c, &out, &in, ZSTD_e_end) != 0)
		continue;
	put(ABC, DEPOT_ZSTD, z, out.pos);
	(void)getrusage(RUSAGE_SELF, &before);
	assert_int_equal(depot_check(store, ABC, &size), DEPOT_ROTTEN);
	(void)getrusage(RUSAGE_SELF, &after);
	assert_int_equal(size, 1LL << 30);
	assert_true(after.ru_maxrss - before.ru_maxrss < 64 * 1024);	/* KiB */
	ZSTD_freeCCtx(c);
	free(zero);
	free(z);
}

static void
test_not_a_file(void **state)
{
	(void)state;
	assert_int_equal(mkfifoat(store, "ba/" ABC, 0600), 0);
	assert_int_equal(depot_check(store, ABC, NULL), DEPOT_TROUBLE);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(unlinkat(store, "ba/" ABC, 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", store, "ba/" ABC), 0);
	assert_int_equal(depot_check(store, ABC, NULL), DEPOT_TROUBLE);
	assert_int_equal(errno, ELOOP);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_plain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_compressed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_good, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_window, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bomb, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_a_file, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
