/* SPDX-License-Identifier: ISC */
/* The files that a log's tiles lie in: which are there, and is each what the tree has.
 * The pass reads one of each tile; a reader that follows an older checkpoint reads an
 * older, narrower one. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "muhur/trail_check.h"

/* How many hashes a tree of that size has in a level of tiles. */
static uint64_t
hashes_in(uint64_t size, int level)
{
	return level <= 0 ? size : size >> (TILE_HEIGHT * level);
}

/* The numbers of tiles that it has there: up to that one. */
static uint64_t
tiles_in(uint64_t size, int level)
{
	uint64_t n = hashes_in(size, level);

	return n / TILE_WIDTH + (n % TILE_WIDTH != 0);
}

static void
remember(struct check *k, uint64_t n)
{
	if ((k->nthere & (k->nthere - 1)) == 0)		/* room doubles */
		k->there = xreallocarray(k->there, k->nthere == 0 ? 1 : 2 * k->nthere, sizeof(*k->there));
	k->there[k->nthere++] = n;
}

static int
compare(struct check *k, int level, uint64_t n, unsigned width)
{
	char path[TILE_PATH_SIZE], other[TILE_PATH_SIZE];
	uint64_t left = hashes_in(k->size, level) - n * TILE_WIDTH;
	unsigned of_tree = left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH;
	int rc;

	if (width == of_tree)		/* the pass reads it */
		return 0;
	if ((rc = tiles_same(k->tiles, level, n, width)) == 1)
		return 0;
	if (rc == -1)			/* gone meanwhile; or the other, which the pass tells */
		return trail_trouble(errno) ? -1 : 0;
	tile_path(level, n, width, path);
	tile_path(level, n, of_tree, other);
	finding(k, "tile-changed", path, "it is not as long as its name says, or has other bytes than %s", other);
	return 0;
}

static int
take_file(void *arg, int level, uint64_t n, unsigned width)
{
	struct check *k = arg;
	char path[TILE_PATH_SIZE];

	if (level > 1 && tiles_in(k->newest, level - 1) == 0) {		/* one above the top may just have begun */
		tile_path(level, n, width, path);
		finding(k, "tile-changed", path, "a log of %llu leaves has no tiles of that level",
		    (unsigned long long)k->newest);
		return 0;
	}
	if (n >= tiles_in(k->newest, level)) {
		k->beyond++;
		return 0;
	}
	if (n < hashes_in(k->from, level) / TILE_WIDTH || n >= tiles_in(k->size, level))
		return 0;
	if (level <= 0)
		remember(k, n);
	return compare(k, level, n, width);
}

static int
by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int
files_check(struct check *k)
{
	if (tiles_each_file(k->log->dir, take_file, k) == -1)
		return -1;
	if (k->nthere > 0)
		qsort(k->there, k->nthere, sizeof(*k->there), by_number);
	return 0;
}

uint64_t
files_next(struct check *k, uint64_t n)
{
	while (k->next_there < k->nthere && k->there[k->next_there] <= n)
		k->next_there++;
	return k->next_there < k->nthere ? k->there[k->next_there] : tiles_in(k->size, 0);
}
