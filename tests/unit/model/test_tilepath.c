/* SPDX-License-Identifier: ISC */
/* Paths of the published log, and what is none. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/tilepath.h"

/* The example of C2SP tlog-tiles, and both ends of each part. */
static void
writes(void **state)
{
	static const struct { int level; uint64_t n; unsigned width; const char *path; } t[] = {
		{ 0, 1234067, 256, "tile/0/x001/x234/067" },
		{ -1, 1234067, 17, "tile/entries/x001/x234/067.p/17" },
		{ 7, 0, 1, "tile/7/000.p/1" },
		{ 0, 999, 255, "tile/0/999.p/255" },
		{ 0, 1000, 256, "tile/0/x001/000" },
		{ -1, UINT64_MAX, 255, "tile/entries/x018/x446/x744/x073/x709/x551/615.p/255" },
	};
	char path[TILE_PATH_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		tile_path(t[i].level, t[i].n, t[i].width, path);
		assert_string_equal(path, t[i].path);
		assert_int_equal(trail_path_ok(path), 1);
	}
	tile_number(1234067, path);
	assert_string_equal(path, "x001/x234/067");
}

static void
all(const char *const *list, int want)
{
	for (; *list != NULL; list++)
		if (trail_path_ok(*list) != want)
			fail_msg("\"%s\" should give %d", *list, want);
}

static void
judges(void **state)
{
	static const char *const files[] = { "checkpoint", "key", "tile/0/000", "tile/7/999.p/255",
	    "tile/entries/x001/000.p/1", "tile/1/x123/x000/000", "checkpoints/2026-11-26/1234",
	    "checkpoints/2026-11-26/1234.tsr", "checkpoints/2024-02-29/0",
	    "checkpoints/2026-11-26/9223372036854775807", NULL };
	static const char *const folders[] = { "", "tile", "tile/0", "tile/7", "tile/entries",
	    "tile/0/x001", "tile/0/x001/x000", "tile/0/000.p", "tile/entries/x999/999.p",
	    "checkpoints", "checkpoints/2026-11-26", NULL };
	static const char *const neither[] = { "/", "checkpoint/", "checkpoint2", "keys", "key/", "Key", "tiles",
	    "tile/", "tile//0", "tile/8", "tile/63", "tile/00", "tile/-1", "tile/+1", "tile/0/", "tile/0/x000", "tile/0/x000/001",
	    "tile/0/x001/", "tile/0/67", "tile/0/0067", "tile/0/06a", "tile/0/x01", "tile/0/xx01", "tile/0/x0011",
	    "tile/0/001/002", "tile/0/001.p/", "tile/0/001.p/0", "tile/0/001.p/256", "tile/0/001.p/01",
	    "tile/0/001.p/1/", "tile/0/001.p/1/2", "tile/0/001.q/1", "tile/0/x001.p", "tile/0/x001.p/1",
	    "tile/0/..", "tile/../key", "tile/0/.001.tmp", "tile/entry/000", "tile/entries2/000", "tile/0/000.p1",
	    "tile/0/x001/x002/x003/x004/x005/x006/x007", "tile/0/x001/x002/x003/x004/x005/x006/x007/008",
	    "checkpoints/", "checkpoints/2026-02-30", "checkpoints/2026-11-26/", "checkpoints/2026-11-26/01",
	    "checkpoints/2026-11-26/1.ts", "checkpoints/2026-11-26/1.tsr.tmp", "checkpoints/2026-11-26/.tsr",
	    "checkpoints/2026-11-26/1.tsr/2", "checkpoints/2026-11-26/1/2", "checkpoints/2026-11-26/-1",
	    "checkpoints/2026-11-26/9223372036854775808", "checkpoints/2026-11-26/99999999999999999999", "checkpoints2", "checkpoints/2026-11-2", "openings/000",
	    "..", "../key", "\xc3\xb6", "tile/0/00\xd9\xa0", NULL };
	char path[TILE_PATH_SIZE + 1];

	(void)state;
	all(files, 1);
	all(folders, 2);
	all(neither, 0);
	memset(path, '1', sizeof(path));
	memcpy(path, "checkpoints/2026-11-26/", 23);
	path[TILE_PATH_SIZE] = '\0';
	assert_int_equal(trail_path_ok(path), 0);
}

static void
partials(void **state)
{
	char whole[TILE_PATH_SIZE];

	(void)state;
	assert_int_equal(trail_path_partial("tile/entries/x001/067.p/17", whole), 17);
	assert_string_equal(whole, "tile/entries/x001/067");
	assert_int_equal(trail_path_partial("tile/0/067.p", whole), 0);
	assert_string_equal(whole, "tile/0/067");
	assert_int_equal(trail_path_partial("tile/0/067", whole), -1);
	assert_int_equal(trail_path_partial("checkpoint", whole), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes), cmocka_unit_test(judges), cmocka_unit_test(partials),
	};

	return cmocka_run_group_tests_name("model/tilepath", tests, NULL, NULL);
}
