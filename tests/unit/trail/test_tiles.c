/* SPDX-License-Identifier: ISC */
/* The published folder: names, growing in steps of any size, reading, a crash. */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fdio.h"
#include "trail/tiles.h"

static char	root[] = "/tmp/muhur-tiles-XXXXXX";

struct log {
	int	dir, openings;
};

/* Which folders were made durable: calls of the code under test come by here (--wrap). */
static ino_t	synced[4096];
static unsigned	nsynced;
static int	one_each;	/* each folder is the first of a file system of its own */

int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);
int
__wrap_fstat(int fd, struct stat *st)
{
	int rc = __real_fstat(fd, st);

	if (rc == 0 && one_each) {
		st->st_dev = st->st_ino;
		st->st_ino = 1;
	}
	return rc;
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int
__wrap_fsync(int fd)
{
	struct stat st;

	assert_int_equal(__real_fstat(fd, &st), 0);
	if (nsynced < sizeof(synced) / sizeof(synced[0]))
		synced[nsynced++] = st.st_ino;
	return __real_fsync(fd);
}

/* Since nsynced was 0. */
static void
is_synced(int dir, const char *path)
{
	struct stat st;
	unsigned i;

	assert_int_equal(fstatat(dir, path, &st, 0), 0);
	for (i = 0; i < nsynced && synced[i] != st.st_ino; i++)
		;
	if (i == nsynced)
		fail_msg("%s: is not durable", path);
}

static void
open_log(struct log *l, const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", root, name);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true((l->dir = open(path, O_RDONLY | O_DIRECTORY)) != -1);
	(void)snprintf(path, sizeof(path), "%s/%s-openings", root, name);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true((l->openings = open(path, O_RDONLY | O_DIRECTORY)) != -1);
}

static void
close_log(struct log *l)
{
	close(l->dir);
	close(l->openings);
}

static int
leaf_of(uint64_t i, char *s, size_t size)
{
	return snprintf(s, size, "leaf number %llu%.*s", (unsigned long long)i, (int)(i % 7), ".......");
}

static void
add(struct tile_writer *w, uint64_t from, uint64_t to)
{
	char leaf[64], opening[64];
	int n, o;

	for (; from < to; from++) {
		n = leaf_of(from, leaf, sizeof(leaf));
		o = snprintf(opening, sizeof(opening), "opening %llu", (unsigned long long)from);
		assert_int_equal(tile_writer_add(w, leaf, (size_t)n, opening, (size_t)o), 0);
	}
}

static void
tree_of(uint64_t n, struct hash *out)
{
	struct frontier f = { 0 };
	struct hash h;
	char leaf[64];
	uint64_t i;

	for (i = 0; i < n; i++) {
		merkle_leaf(leaf, (size_t)leaf_of(i, leaf, sizeof(leaf)), &h);
		frontier_append(&f, &h);
	}
	frontier_root(&f, out);
}

/* Grown from one size to the next, by a writer of its own. */
static void
grow(struct log *l, uint64_t from, uint64_t to)
{
	struct tile_writer *w = tile_writer_new(l->dir, l->openings, from);
	struct hash a, b;

	assert_non_null(w);
	add(w, from, to);
	assert_int_equal(tile_writer_flush(w), 0);
	frontier_root(tile_writer_tree(w), &a);
	tree_of(to, &b);
	assert_memory_equal(&a, &b, sizeof(a));
	tile_writer_free(w);
}

static void
test_paths(void **state)
{
	static const struct { int level; uint64_t n; unsigned width; const char *path; } t[] = {
		{ 0, 1234067, 256, "tile/0/x001/x234/067" },
		{ -1, 1234067, 8, "tile/entries/x001/x234/067.p/8" },
		{ 2, 0, 1, "tile/2/000.p/1" },
		{ 7, 999, 255, "tile/7/999.p/255" },
		{ 0, 1000, 256, "tile/0/x001/000" },
		{ 0, 70000, 256, "tile/0/x070/000" },
		{ 0, UINT64_C(72057594037927935), 255, "tile/0/x072/x057/x594/x037/x927/935.p/255" },
	};
	static const char *const files[] = { "checkpoint", "key", "tile/0/000", "tile/entries/x001/000", "checkpoints/2026-11-21/7",
	    "checkpoints/2026-11-21/7.tsr", "tile/7/067.p/12" };
	static const char *const folders[] = { "", "tile", "checkpoints", "tile/0", "tile/entries", "tile/0/x001", "tile/0/x001/x000",
	    "tile/0/x001/000.p", "checkpoints/2026-11-21" };
	static const char *const neither[] = { "..", ".", "/", "/tile", "tile/", "tile/8", "tile/00", "tile/-1", "tile/0/", "tile/0/00", "tile/0/0000",
	    "tile/0/x000", "tile/0/x000/001", "tile/0/001/002", "tile/0/x01/001", "tile/0/001.p/", "tile/0/001.p/0", "tile/0/001.p/256",
	    "tile/0/001.p/07", "tile/0/001.p/7/8", "tile/0/001.q", "tile/0/.001.tmp", "tile/0/../../key", "checkpoint/", "checkpoint.tmp",
	    "checkpoints/2026-02-30", "checkpoints/2026-11-21/", "checkpoints/2026-11-21/01", "checkpoints/2026-11-21/x", "checkpoints/2026-11-21/7.p7",
	    "checkpoints/2026-11-21/.tsr", "checkpoints/2026-11-21/7.tsr.tsr", "checkpoints/2026-11-21/7/8", "openings", "openings/000",
	    "tile/0/x001/x001/x001/x001/x001/x001/x001/000", "tile/entries0", "tile//000" };
	char path[TILE_PATH_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		tile_path(t[i].level, t[i].n, t[i].width, path);
		assert_string_equal(path, t[i].path);
		assert_int_equal(trail_path_ok(path), 1);
	}
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (trail_path_ok(files[i]) != 1)
			fail_msg("%s: should be a file", files[i]);
	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (trail_path_ok(folders[i]) != 2)
			fail_msg("%s: should be a folder", folders[i]);
	for (i = 0; i < sizeof(neither) / sizeof(neither[0]); i++)
		if (trail_path_ok(neither[i]) != 0)
			fail_msg("%s: should be refused", neither[i]);
}

static int	count;
static int	(*each)(const char *path);

static int
walk(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st;
	(void)f;
	if (flag == FTW_F) {
		count++;
		return each == NULL ? 0 : each(path);
	}
	return 0;
}

static int
walk_log(const char *name, int (*fn)(const char *))
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", root, name);
	count = 0;
	each = fn;
	assert_int_equal(nftw(path, walk, 8, FTW_PHYS), 0);
	return count;
}

static const char *twin;	/* the other log's name, of the same length */

/* The same file is in the twin log, with the same bytes. */
static int
in_twin(const char *path)
{
	char *other = xstrdup(path), *a, *b;
	size_t alen, blen;

	memcpy(other + sizeof(root), twin, strlen(twin));
	if (file_read_all(path, SIZE_MAX / 8, &a, &alen) == -1 || file_read_all(other, SIZE_MAX / 8, &b, &blen) == -1)
		fail_msg("%s: %s", other, strerror(errno));
	if (alen != blen || memcmp(a, b, alen) != 0)
		fail_msg("%s differs", other);
	free(a);
	free(b);
	free(other);
	return 0;
}

/* In steps or at once: the same tiles, but for partial ones in the last. */
static void
test_growing(void **state)
{
	static const uint64_t steps[] = { 0, 1, 2, 255, 256, 257, 300, 512, 513, 1500, 65535, 65536, 65537, 66000, 66048 };
	struct stat st;
	struct log a, b;
	size_t i;
	int n;

	(void)state;
	(void)umask(077);	/* what is published can be read whatever that is */
	open_log(&a, "steps1");
	for (i = 0; i + 1 < sizeof(steps) / sizeof(steps[0]); i++)
		grow(&a, steps[i], steps[i + 1]);
	open_log(&b, "steps2");
	grow(&b, 0, steps[i]);
	twin = "steps1";
	n = walk_log("steps2", in_twin);
	/* 66048 = 258 * 256: whole leaves and lowest hashes, 1 whole tile of level 1 and
	 * one of 2 hashes, 1 hash of level 2 */
	assert_int_equal(n, 258 + 258 + 2 + 1);
	/* level 1's tile 1 was flushed with one hash too (65792, of 66000) */
	assert_int_equal(walk_log("steps1", NULL), n + 1);
	twin = "steps1-openings";
	assert_int_equal(walk_log("steps2-openings", in_twin), 258);
	assert_int_equal(fstatat(a.dir, "tile/0/000", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(fstatat(a.dir, "tile/entries", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(fstatat(a.openings, "000", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	close_log(&a);
	close_log(&b);
}

static void
check_reading(int dir, uint64_t size, uint64_t step)
{
	struct tiles *t = tiles_open(dir, size);
	struct hash want, h;
	struct proof p;
	const char *leaf;
	char text[64];
	uint64_t i;
	size_t len;
	int n;

	tree_of(size, &want);
	for (i = 0; i < size; i += i + 1 < size && i + step >= size ? size - 1 - i : step) {
		assert_int_equal(tiles_entry(t, i, &leaf, &len), 0);
		n = leaf_of(i, text, sizeof(text));
		assert_int_equal(len, n);
		assert_memory_equal(leaf, text, len);
		merkle_leaf(leaf, len, &h);
		assert_int_equal(merkle_inclusion(i, size, tiles_get, t, &p), 0);
		assert_true(merkle_verify_inclusion(i, size, &h, &p, &want));
	}
	assert_int_equal(tiles_entry(t, size, &leaf, &len), -1);
	assert_int_equal(tiles_get(t, 0, size, &h), -1);
	assert_int_equal(tiles_get(t, 63, 1, &h), -1);
	tiles_close(t);
}

/* An older tree is read from what a newer one left: wider tiles do as well. */
static void
test_reading(void **state)
{
	struct log l;

	(void)state;
	open_log(&l, "read");
	grow(&l, 0, 100);
	grow(&l, 100, 200);
	check_reading(l.dir, 50, 1);	/* no checkpoint had it, .p/100 is wider */
	check_reading(l.dir, 100, 1);
	check_reading(l.dir, 200, 1);
	grow(&l, 200, 5000);
	check_reading(l.dir, 100, 1);	/* the partial ones are gone */
	check_reading(l.dir, 4999, 97);
	check_reading(l.dir, 5000, 97);
	close_log(&l);
}

/* Killed in the middle: what is published stays, and who goes on overwrites the rest. */
static void
test_crash(void **state)
{
	struct tile_writer *w;
	struct log a, b;

	(void)state;
	open_log(&a, "crash1");
	grow(&a, 0, 300);
	w = tile_writer_new(a.dir, a.openings, 300);
	assert_non_null(w);
	add(w, 300, 20000);		/* files of whole tiles stand already; no flush */
	tile_writer_free(w);
	check_reading(a.dir, 300, 1);
	grow(&a, 300, 400);
	check_reading(a.dir, 400, 1);
	grow(&a, 400, 20000);
	open_log(&b, "crash2");
	grow(&b, 0, 20000);
	twin = "crash1";
	(void)walk_log("crash2", in_twin);
	twin = "crash1-openings";
	(void)walk_log("crash2-openings", in_twin);
	close_log(&a);
	close_log(&b);
}

/* The folder of openings may be a mount. */
static void
test_mounts(void **state)
{
	struct log l;

	(void)state;
	open_log(&l, "mounts");
	nsynced = 0;
	one_each = 1;
	grow(&l, 0, 256);
	one_each = 0;
	is_synced(l.dir, "tile/entries");
	is_synced(l.dir, "tile/0");
	is_synced(l.openings, ".");
	close_log(&l);
}

static void
publish(int dir, uint64_t size, const char *note, const char *at, int want)
{
	struct checkpoint c = { .size = size };
	usec_t t;
	int zoned;

	assert_int_equal(time_parse(at, &t, &zoned), 0);
	assert_int_equal(tiles_publish(dir, &c, note, strlen(note), t), want);
}

/* What an earlier process renamed or made may be in the cache alone: it may have been
 * killed before it made that durable. */
static void
test_durable(void **state)
{
	struct log l;

	(void)state;
	open_log(&l, "durable");
	grow(&l, 0, 300);
	nsynced = 0;
	grow(&l, 300, 310);
	is_synced(l.dir, ".");
	is_synced(l.dir, "tile");
	is_synced(l.dir, "tile/0");
	is_synced(l.dir, "tile/0/001.p");
	publish(l.dir, 310, "note", "2026-11-21T00:00:00Z", 0);
	nsynced = 0;
	publish(l.dir, 310, "note", "2026-11-21T00:00:00Z", 0);
	is_synced(l.dir, ".");
	is_synced(l.dir, "checkpoints");
	is_synced(l.dir, "checkpoints/2026-11-21");
	nsynced = 0;
	publish(l.dir, 311, "other", "2026-11-21T00:00:01Z", 0);
	is_synced(l.dir, "checkpoints");
	close_log(&l);
}

static void
spoil(int dir, const char *path, off_t at)
{
	int fd = openat(dir, path, O_RDWR);
	char c;

	assert_true(fd != -1);
	assert_int_equal(pread(fd, &c, 1, at), 1);
	c ^= 1;
	assert_int_equal(pwrite(fd, &c, 1, at), 1);
	close(fd);
}

/* What is not whole is not gone on from. */
static void
test_refused(void **state)
{
	struct tile_writer *w;
	struct tiles *t;
	struct log l;
	struct hash h;
	const char *leaf;
	size_t len;

	(void)state;
	open_log(&l, "refused");
	grow(&l, 0, 300);
	assert_null(tile_writer_new(l.dir, l.openings, 301));	/* there are not so many */
	assert_null(tile_writer_new(l.dir, l.dir, 300));	/* no openings there */
	spoil(l.dir, "tile/entries/001.p/44", 5);
	assert_null(tile_writer_new(l.dir, l.openings, 300));
	spoil(l.dir, "tile/entries/001.p/44", 5);
	spoil(l.dir, "tile/entries/001.p/44", 0);		/* a length */
	assert_null(tile_writer_new(l.dir, l.openings, 300));
	spoil(l.dir, "tile/entries/001.p/44", 0);
	w = tile_writer_new(l.dir, l.openings, 300);
	assert_non_null(w);
	assert_int_equal(tile_writer_add(w, "x", LEAF_MAX + 1, "", 0), -1);
	assert_int_equal(tile_writer_add(w, "x", 1, "", 0), -1);	/* of no more use */
	assert_int_equal(tile_writer_flush(w), -1);
	tile_writer_free(w);
	w = tile_writer_new(l.dir, l.openings, 300);
	assert_int_equal(tile_writer_add(w, "x", 1, "a\nb", 3), -1);
	tile_writer_free(w);
	assert_int_equal(unlinkat(l.dir, "tile/0/000", 0), 0);
	t = tiles_open(l.dir, 300);
	assert_int_equal(tiles_get(t, 0, 3, &h), -1);
	assert_int_equal(tiles_get(t, 0, 299, &h), 0);
	assert_int_equal(tiles_entry(t, 3, &leaf, &len), 0);
	tiles_close(t);
	close_log(&l);
}

/* An empty leaf and the longest one. */
static void
test_lengths(void **state)
{
	char *longest = xcalloc(LEAF_MAX, 1);
	struct tile_writer *w;
	struct tiles *t;
	struct log l;
	const char *leaf;
	size_t len, i;

	(void)state;
	memset(longest, 'x', LEAF_MAX);
	open_log(&l, "lengths");
	w = tile_writer_new(l.dir, -1, 0);
	for (i = 0; i < 256; i++)
		assert_int_equal(tile_writer_add(w, longest, i == 7 ? 0 : LEAF_MAX, NULL, 0), 0);
	assert_int_equal(tile_writer_flush(w), 0);
	tile_writer_free(w);
	t = tiles_open(l.dir, 256);
	assert_int_equal(tiles_entry(t, 7, &leaf, &len), 0);
	assert_int_equal(len, 0);
	assert_int_equal(tiles_entry(t, 255, &leaf, &len), 0);
	assert_int_equal(len, LEAF_MAX);
	assert_memory_equal(leaf, longest, LEAF_MAX);
	tiles_close(t);
	free(longest);
	close_log(&l);
}

static int
collect(void *arg, const char *day, uint64_t size, int stamped)
{
	return buf_printf(arg, "%s/%llu%s ", day, (unsigned long long)size, stamped ? "+" : "");
}

static int
stop(void *arg, const char *day, uint64_t size, int stamped)
{
	(void)day;
	(void)stamped;
	*(uint64_t *)arg = size;
	return size == 9 ? 77 : 0;
}

static void
test_checkpoints(void **state)
{
	struct buf b = { 0 };
	struct log l;
	uint64_t last;

	(void)state;
	open_log(&l, "checkpoints");
	assert_int_equal(tiles_checkpoint(l.dir, 0, &b), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(tiles_checkpoint(l.dir, 7, &b), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(tiles_each_checkpoint(l.dir, collect, &b), 0);
	assert_int_equal(b.len, 0);
	publish(l.dir, 9, "nine", "2026-11-21T23:59:59.999999Z", 0);
	publish(l.dir, 9, "nine", "2026-11-21T23:59:59.999999Z", 0);	/* once more, after a crash */
	publish(l.dir, 9, "other", "2026-11-21T12:00:00Z", -1);		/* never another one */
	publish(l.dir, 10, "ten", "2026-11-22T00:00:00+03:00", 0);	/* UTC's day */
	publish(l.dir, 100, "hundred", "2026-11-20T00:00:00Z", 0);	/* the clock went back */
	publish(l.dir, 11, "eleven", "2026-11-22T00:00:00Z", 0);
	assert_int_equal(symlinkat("x", l.dir, "checkpoints/2026-11-22/notes"), 0);
	assert_int_equal(file_write_durable(l.dir, "x", "", 0, 0600), 0);
	assert_int_equal(renameat(l.dir, "x", l.dir, "checkpoints/2026-11-21/10.tsr"), 0);
	assert_int_equal(tiles_each_checkpoint(l.dir, collect, &b), 0);
	assert_string_equal(b.data, "2026-11-21/9 2026-11-21/10+ 2026-11-22/11 2026-11-20/100 ");
	assert_int_equal(tiles_each_checkpoint(l.dir, stop, &last), 77);
	assert_int_equal(last, 9);
	buf_reset(&b);
	assert_int_equal(tiles_checkpoint(l.dir, 0, &b), 0);
	assert_string_equal(b.data, "eleven");
	buf_reset(&b);
	assert_int_equal(tiles_checkpoint(l.dir, 100, &b), 0);
	assert_string_equal(b.data, "hundred");
	buf_free(&b);
	close_log(&l);
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st; (void)flag; (void)f;
	return remove(path);
}

static int
setup(void **state)
{
	(void)state;
	return mkdtemp(root) == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_growing),
		cmocka_unit_test(test_reading),
		cmocka_unit_test(test_crash),
		cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_durable),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_checkpoints),
	};

	clock_init(0);
	return cmocka_run_group_tests(tests, setup, teardown);
}
