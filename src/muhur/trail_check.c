/* SPDX-License-Identifier: ISC */
/*
 * One pass over a log: each leaf against its hash in the lowest tile, each tile
 * against the hash of it in the tile above, and at each checkpoint's size the
 * tree that is made of the leaves against the root that was signed.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "muhur/progress.h"
#include "muhur/trail_check.h"

#define WHERE_SIZE	TILE_PATH_SIZE
#define CLOCK_SKEW	(300 * USEC_PER_SEC)	/* that the gateway's clock may be before others */

/* What belongs to one lowest tile. */
struct block {
	uint64_t	 first;		/* leaf */
	uint64_t	 next;		/* the first leaf of the next block to be read */
	unsigned	 width;
	int		 have_hashes, have_leaves;
	struct hash	 h[TILE_WIDTH];
	char		*openings, *line;	/* the file, and what is next in it; NULL none */
	size_t		 openings_len;
};

static void
name_head(const struct head *h, char where[WHERE_SIZE])
{
	if (h->day[0] == '\0')
		(void)snprintf(where, WHERE_SIZE, "%s", "checkpoint");
	else
		(void)snprintf(where, WHERE_SIZE, "checkpoints/%s/%llu", h->day, (unsigned long long)h->size);
}

/* --- what comes in rows -------------------------------------------------------------- */

static void
end_changed(struct check *k)
{
	char where[WHERE_SIZE];
	unsigned long long first = k->changed_from, last = k->changed_from + k->changed - 1;

	if (k->changed == 0)
		return;
	if (first == last)
		(void)snprintf(where, sizeof(where), "leaf %llu", first);
	else
		(void)snprintf(where, sizeof(where), "leaves %llu to %llu", first, last);
	finding(k, "leaf-changed", where, "%s not the hash that tile/0 has for %s",
	    first == last ? "it has" : "they have", first == last ? "it" : "them");
	k->changed = 0;
}

static void
leaf_changed(struct check *k, uint64_t index)
{
	if (k->changed == 0)
		k->changed_from = index;
	k->changed++;
}

static void
end_unmet(struct check *k)
{
	const struct head *h = &k->heads[k->unmet_first];
	char where[WHERE_SIZE];

	if (k->unmet == 0)
		return;
	name_head(h, where);
	finding(k, "rewritten", where, "the leaves have another root than was signed: one of the leaves %llu "
	    "to %llu was changed, removed, inserted or moved%s", (unsigned long long)k->met,
	    (unsigned long long)h->size - 1, k->unmet > 1 ? "; nor do later checkpoints hold" : "");
	k->unmet = 0;
}

/* --- checkpoints ----------------------------------------------------------------------- */

static int
meets(const struct check *k, const struct head *h)
{
	struct hash root;

	frontier_root(&k->leaves, &root);
	if (memcmp(&root, &h->root, sizeof(root)) == 0)
		return 1;
	if (!k->split)
		return 0;
	frontier_root(&k->hashes, &root);
	return memcmp(&root, &h->root, sizeof(root)) == 0;
}

/* Leaves exist when they are stamped; how long before, only the gateway says. */
static void
check_times(struct check *k, const struct head *h, usec_t at)
{
	char where[WHERE_SIZE], leaf[TIME_SIZE], stamp[TIME_SIZE];
	usec_t lag = h->proved - k->oldest;

	if (h->proved == 0 || k->no_times)
		return;
	if (at > h->proved + CLOCK_SKEW) {
		name_head(h, where);
		time_format(at, leaf);
		time_format(h->proved, stamp);
		finding(k, "stamp-bad", where, "its last leaf tells %s, a time-stamp over it %s", leaf, stamp);
	}
	if (k->oldest == 0)
		return;
	k->nlate += k->late != -1 && lag > k->late * USEC_PER_SEC;
	if (lag > k->worst) {
		k->worst = lag;
		k->worst_head = (size_t)(h - k->heads);
	}
}

/* After an outage there are thousands in a row: the worst is named. */
static void
end_late(struct check *k)
{
	char where[WHERE_SIZE];

	if (k->nlate == 0)
		return;
	name_head(&k->heads[k->worst_head], where);
	finding(k, "stamp-late", where, "no time-stamp is over its first event until %lld seconds after the time "
	    "that it tells; %zu checkpoints have events that are more than %ld older than their time-stamp",
	    (long long)(k->worst / USEC_PER_SEC), k->nlate, k->late);
}

/* at: of the last leaf; 0 unknown.  It was signed after that. */
static void
check_stamp(struct check *k, const struct head *h, usec_t at)
{
	char where[WHERE_SIZE];
	usec_t now = clock_now();

	if (h->file != NULL)
		return;
	check_times(k, h, at);
	k->oldest = 0;
	k->stamped += h->stamp == TIMESTAMP_GOOD || h->stamp == TIMESTAMP_NOT_JUDGED;
	k->stamps_good += h->stamp == TIMESTAMP_GOOD;
	if (!k->require_stamps || h->stamp != TIMESTAMP_NONE)
		return;
	if (at > now - (usec_t)k->grace * USEC_PER_SEC && at <= now + CLOCK_SKEW) {	/* a time to come excuses nothing */
		k->excused++;
		return;
	}
	name_head(h, where);
	finding(k, "stamp-missing", where, "it has no time-stamp");
}

static void
check_head(struct check *k, size_t i, usec_t at)
{
	const struct head *h = &k->heads[i];

	check_stamp(k, h, at);
	if (k->lost)
		return;
	if (meets(k, h)) {
		end_unmet(k);
		k->met = h->size;
		return;
	}
	if (h->file != NULL)
		finding(k, "forked", h->file, "at %llu leaves this log has another root, and both were signed by "
		    "the same key", (unsigned long long)h->size);
	else if (k->unmet++ == 0)
		k->unmet_first = i;
}

/* All of the size that the tree has now. */
static void
check_heads(struct check *k, uint64_t size, usec_t at)
{
	while (k->next < k->nheads && k->heads[k->next].size < size)
		k->next++;
	for (; k->next < k->nheads && k->heads[k->next].size == size; k->next++)
		check_head(k, k->next, at);
}

/* --- one block --------------------------------------------------------------------------- */

/* 0, or what is wrong with the tile; -1. */
static int
fault(int rc)
{
	return rc == 0 ? 0 : trail_trouble(errno) ? -1 : errno;
}

static void
tile_finding(struct check *k, int level, const struct block *b, int error)
{
	char where[WHERE_SIZE];
	int missing = error == ENOENT;

	tile_path(level, b->first / TILE_WIDTH, b->width, where);
	finding(k, missing ? "tile-missing" : "tile-changed", where, "%s", error == EBADMSG || error == EFBIG ?
	    "it holds more or less than its name says" : strerror(error));
}

/* Nothing is there of a block, and maybe of many more: up to the next of which something is. */
static void
tell_gap(struct check *k, struct block *b)
{
	char where[WHERE_SIZE];
	uint64_t n = b->first / TILE_WIDTH, next = files_next(k, n);
	uint64_t behind = next * TILE_WIDTH < k->size ? next * TILE_WIDTH : k->size;

	tile_path(0, n, b->width, where);
	finding(k, "tile-missing", where, "of the leaves %llu to %llu there are neither these nor their hashes",
	    (unsigned long long)b->first, (unsigned long long)behind - 1);
	b->next = next * TILE_WIDTH;
}

/* What there is of it; 1: nothing, and the log ends here (cut). */
static int
load_block(struct check *k, struct block *b, int cut)
{
	const char *text;
	size_t len;
	unsigned i;
	int hashes, leaves, rc = 0;

	for (i = 0; i < b->width && rc == 0; i++)
		rc = tiles_get(k->tiles, 0, b->first + i, &b->h[i]);
	hashes = fault(rc);
	leaves = fault(tiles_entry(k->tiles, b->first, &text, &len));
	if (hashes == -1 || leaves == -1)
		return -1;
	if (hashes == ENOENT && leaves == ENOENT) {
		if (cut)
			return 1;
		tell_gap(k, b);
	} else {
		if (hashes != 0)
			tile_finding(k, 0, b, hashes);
		if (leaves != 0)
			tile_finding(k, -1, b, leaves);
	}
	b->have_hashes = hashes == 0;
	b->have_leaves = leaves == 0;
	return 0;
}

static int
load_openings(struct check *k, struct block *b)
{
	char path[TILE_PATH_SIZE], where[WHERE_SIZE + 16];
	int fd, rc = 0;

	b->openings = b->line = NULL;
	if (k->log->openings == -1)
		return 0;
	tile_number(b->first / TILE_WIDTH, path);
	fd = open_beneath(k->log->openings, path, O_RDONLY | O_NONBLOCK, 0);
	if (fd == -1 || fd_read_all(fd, OPENINGS_MAX, &b->openings, &b->openings_len) == -1) {
		(void)snprintf(where, sizeof(where), "openings/%s", path);
		if (trail_trouble(errno)) {
			log_warn("%s", where);
			rc = -1;
		} else
			finding(k, "opening-missing", where, "%s", strerror(errno));
	}
	b->line = b->openings;
	if (fd != -1)
		(void)close(fd);
	return rc;
}

static void
check_opening(struct check *k, struct block *b, uint64_t index, const struct leaf *l)
{
	char where[32], *end;
	size_t left;

	if (b->line == NULL)
		return;
	(void)snprintf(where, sizeof(where), "leaf %llu", (unsigned long long)index);
	left = b->openings_len - (size_t)(b->line - b->openings);
	if ((end = memchr(b->line, '\n', left)) == NULL) {
		finding(k, "opening-missing", where, "what opens it and those behind it is missing");
		b->line = NULL;
		return;
	}
	if (l != NULL && !leaf_opens(l, b->line, (size_t)(end - b->line), NULL))
		finding(k, "opening-changed", where, "what should open it does not");
	b->line = end + 1;
}

static void
take_event(struct check *k, long long event)
{
	if (k->nevents == k->room) {
		k->room = k->room == 0 ? 4096 : 2 * k->room;
		k->events = xreallocarray(k->events, k->room, sizeof(*k->events));
	}
	k->events[k->nevents++] = event;
}

static void
grow(struct check *k, const struct hash *of_leaf, const struct hash *of_tile)
{
	if (k->lost)
		return;
	if (!k->split && memcmp(of_leaf, of_tile, sizeof(*of_leaf)) != 0) {
		k->hashes = k->leaves;
		k->split = 1;
	}
	frontier_append(&k->leaves, of_leaf);
	if (k->split)
		frontier_append(&k->hashes, of_tile);
}

static int
check_leaf(struct check *k, struct block *b, unsigned i, usec_t *at)
{
	char where[32];
	struct leaf l;
	struct hash h;
	const char *text, *why;
	size_t len;

	*at = 0;
	if (!b->have_leaves) {
		grow(k, &b->h[i], &b->h[i]);
		check_opening(k, b, b->first + i, NULL);
		return 0;
	}
	if (tiles_entry(k->tiles, b->first + i, &text, &len) == -1)
		return -1;
	merkle_leaf(text, len, &h);
	if (b->have_hashes && memcmp(&h, &b->h[i], sizeof(h)) != 0)
		leaf_changed(k, b->first + i);
	else
		end_changed(k);
	grow(k, &h, b->have_hashes ? &b->h[i] : &h);
	if (leaf_parse(text, len, &l, &why) == -1) {
		(void)snprintf(where, sizeof(where), "leaf %llu", (unsigned long long)(b->first + i));
		finding(k, "leaf-malformed", where, "it %s", why);
		check_opening(k, b, b->first + i, NULL);
		return 0;
	}
	*at = l.at;
	if (b->first + i >= k->from && (k->oldest == 0 || l.at < k->oldest))
		k->oldest = l.at;
	take_event(k, l.event);
	check_opening(k, b, b->first + i, &l);
	return payloads_leaf(k, b->first + i, &l);
}

/* --- events --------------------------------------------------------------------------- */

static int
by_number(const void *a, const void *b)
{
	const long long *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Each event was numbered once: one that is there again was put in. */
static void
check_events(struct check *k)
{
	char where[32];
	size_t i;

	if (k->nevents > 0)
		qsort(k->events, k->nevents, sizeof(*k->events), by_number);
	for (i = 1; i < k->nevents; i++)
		if (k->events[i] == k->events[i - 1] && (i == 1 || k->events[i] != k->events[i - 2])) {
			(void)snprintf(where, sizeof(where), "event %lld", k->events[i]);
			finding(k, "event-twice", where, "it has more than one leaf");
		}
}

/* --- tiles above ----------------------------------------------------------------------------- */

/* A whole tile's root is a hash of the tile above it. */
static int
check_above(struct check *k, unsigned level, uint64_t n)
{
	struct hash h[TILE_WIDTH], root, above;
	char where[WHERE_SIZE], below[WHERE_SIZE];
	uint64_t count = k->size >> (TILE_HEIGHT * (level + 1));
	unsigned i, width;

	for (i = 0; i < TILE_WIDTH; i++)
		if (tiles_get(k->tiles, TILE_HEIGHT * level, n * TILE_WIDTH + i, &h[i]) == -1)
			return trail_trouble(errno) ? -1 : 0;	/* was a finding */
	merkle_whole(h, TILE_WIDTH, &root);
	width = count - n / TILE_WIDTH * TILE_WIDTH < TILE_WIDTH ? (unsigned)(count % TILE_WIDTH) : TILE_WIDTH;
	tile_path((int)level + 1, n / TILE_WIDTH, width, where);
	if (tiles_get(k->tiles, TILE_HEIGHT * (level + 1), n, &above) == -1) {
		if (trail_trouble(errno))
			return -1;
		if (n % TILE_WIDTH == 0)	/* once for the tile */
			finding(k, errno == ENOENT ? "tile-missing" : "tile-changed", where, "%s", errno == EBADMSG ||
			    errno == EFBIG ? "it holds more or less than its name says" : strerror(errno));
		return 0;
	}
	if (memcmp(&root, &above, sizeof(root)) == 0)
		return 0;
	tile_path((int)level, n, TILE_WIDTH, below);
	finding(k, "tile-changed", where, "its hash %u is not that of %s", (unsigned)(n % TILE_WIDTH), below);
	return 0;
}

/* Behind each lowest tile: those that it completes. */
static int
check_tiles(struct check *k, uint64_t n)
{
	unsigned level;

	for (level = 0; level + 1 < TILE_LEVELS; level++) {
		if (check_above(k, level, n) == -1)
			return -1;
		if (n % TILE_WIDTH != TILE_WIDTH - 1)
			break;
		n /= TILE_WIDTH;
	}
	return 0;
}

/* --- the pass ---------------------------------------------------------------------------------- */

/* 1: there is nothing behind it. */
static int
check_block(struct check *k, struct block *b, int cut)
{
	usec_t at = 0;
	unsigned i;
	int rc;

	if ((rc = load_block(k, b, cut)) != 0)
		return rc;
	if (!b->have_hashes && !b->have_leaves) {
		k->lost = 1;
		return 0;
	}
	if (load_openings(k, b) == -1)
		return -1;
	for (i = 0; i < b->width; i++) {
		if (check_leaf(k, b, i, &at) == -1)
			return -1;
		if (b->first + i + 1 >= k->from)
			check_heads(k, b->first + i + 1, at);
	}
	end_changed(k);
	free(b->openings);
	b->openings = NULL;
	return b->width == TILE_WIDTH ? check_tiles(k, b->first / TILE_WIDTH) : 0;
}

/* Does the log end before its last leaf?  1, 0, or -1. */
static int
is_cut(struct check *k)
{
	const char *text;
	struct hash h;
	size_t len;

	if (tiles_get(k->tiles, 0, k->size - 1, &h) == 0 || tiles_entry(k->tiles, k->size - 1, &text, &len) == 0)
		return 0;
	if (trail_trouble(errno))
		return -1;
	return errno == ENOENT;
}

static int
begin(struct check *k, uint64_t first)
{
	k->tiles = tiles_open(k->log->dir, k->size);
	k->met = k->from;
	if (frontier_load(&k->leaves, first, tiles_get, k->tiles) == 0)
		return 0;
	if (trail_trouble(errno))
		return -1;
	finding(k, "tile-missing", "tile/", "the tree of %llu leaves cannot be read from its tiles",
	    (unsigned long long)first);
	k->lost = 1;
	return 0;
}

static int
pass(struct check *k, uint64_t first)
{
	struct block b = { .first = first };
	int cut, rc = 0;

	if ((cut = is_cut(k)) == -1)
		return -1;
	if (first == k->from)		/* a tree of whole tiles: no leaf of it is read */
		check_heads(k, first, 0);
	for (; rc == 0 && b.first < k->size; b.first = b.next) {
		b.next = b.first + TILE_WIDTH;
		b.width = k->size - b.first < TILE_WIDTH ? (unsigned)(k->size - b.first) : TILE_WIDTH;
		rc = check_block(k, &b, cut);
		free(b.openings);
		b.openings = NULL;
		progress_leaves((long long)b.first, (long long)k->size);
	}
	progress_end();
	end_changed(k);
	if (rc == -1)
		return -1;
	if (cut)
		finding(k, "truncated", "tile/", "the log has not the %llu leaves that its checkpoint signs; from "
		    "leaf %llu on nothing could be checked", (unsigned long long)k->size,
		    (unsigned long long)(rc == 1 ? b.first - TILE_WIDTH : k->size));
	end_unmet(k);
	end_late(k);
	return 0;
}

int
check_leaves(struct check *k)
{
	uint64_t first = k->from / TILE_WIDTH * TILE_WIDTH;
	int rc = -1;

	if (begin(k, first) == 0) {
		payloads_begin(k);
		if (files_check(k) == 0 && pass(k, first) == 0) {
			if (!k->split && k->met == k->size)	/* other leaves than were signed tell nothing */
				check_events(k);
			rc = payloads_end(k);
		}
	}
	payloads_free(&k->payloads);
	tiles_close(k->tiles);
	return rc;
}
