/* SPDX-License-Identifier: ISC */
/*
 * trail_alone DIR LEAVES KEY: src/trail without a database, for bench-trail.  Appends
 * LEAVES leaves like those of a market's events in batches as the sequencer does, below DIR,
 * and prints what it took as one JSON object: appending; hashing the same
 * leaves and nothing else; proofs; checkpoints.  Every proof is verified.
 */
#include "config.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "trail/leaf.h"
#include "trail/tiles.h"

#define PROOFS		1000
#define CHECKPOINTS	100
#define BATCH		16384	/* leaves between two checkpoints, while appending */

static int dir;
static uint64_t leaves;
static struct note_signer *signer;

static uint64_t
pick(uint64_t below)
{
	static uint64_t x = 88172645463325252ULL;	/* xorshift64: the same in every run */

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x % below;
}

/* What a market's events are like: one in four is a signed notice. */
static void
make_leaf(uint64_t n, struct buf *text, struct buf *opening)
{
	struct leaf l = { .event = (long long)n + 1, .at = (usec_t)(INT64_C(1790000000000000) + (int64_t)n * 997) };
	unsigned char salt[LEAF_SALT_SIZE];
	char detail[256];

	buf_reset(text);
	buf_reset(opening);
	(void)snprintf(l.submission, sizeof(l.submission), "%08x-0000-4000-8000-%012x", (unsigned)(n / 4), (unsigned)(n / 4));
	if (n % 4 == 3)
		(void)snprintf(l.notice, sizeof(l.notice), "%08x-0000-4000-9000-%012x", (unsigned)n, (unsigned)n);
	(void)snprintf(l.kind, sizeof(l.kind), "%s", n % 4 == 3 ? "signed" : n % 4 == 1 ? "accepted" : "received");
	(void)snprintf(l.actor, sizeof(l.actor), "%s", n % 4 == 3 ? "gateway" : "PLA001");
	(void)snprintf(detail, sizeof(detail), "{\"file\": \"BalanceReport-%llu.xml\", \"sha256\": \"%064llx\"}",
	    (unsigned long long)n, (unsigned long long)n);
	(void)memset(salt, (int)(n & 0xff), sizeof(salt));
	if (leaf_commit(&l, detail, salt, opening) == -1)
		errx(1, "leaf");
	leaf_text(&l, text);
}

static double
seconds(usec_t from)
{
	return (double)(clock_monotonic() - from) / 1e6;
}

static void
publish(struct tile_writer *w)
{
	const struct frontier *tree = tile_writer_tree(w);
	struct checkpoint c = { .size = tree->size };
	struct buf note = { 0 };

	(void)snprintf(c.origin, sizeof(c.origin), "bench/trail");
	frontier_root(tree, &c.root);
	if (tile_writer_flush(w) == -1 || checkpoint_sign(&c, signer, &note) == -1 ||
	    tiles_publish(dir, &c, note.data, note.len, clock_now()) == -1)
		errx(1, "checkpoint");
	buf_free(&note);
}

static void
add(struct tile_writer *w, uint64_t n, struct buf *text, struct buf *opening)
{
	make_leaf(n, text, opening);
	if (tile_writer_add(w, text->data, text->len, opening->data, opening->len) == -1)
		errx(1, "append");
}

static double
append_all(struct tile_writer *w, struct buf *text, struct buf *opening)
{
	usec_t start = clock_monotonic();
	uint64_t n;

	for (n = 0; n < leaves; n++) {
		add(w, n, text, opening);
		if ((n + 1) % BATCH == 0)
			publish(w);
	}
	publish(w);
	return seconds(start);
}

/* The yardstick: what any such log has to hash. */
static double
hash_all(struct buf *text, struct buf *opening)
{
	struct frontier f = { 0 };
	struct hash h;
	usec_t start = clock_monotonic();
	uint64_t n;

	for (n = 0; n < leaves; n++) {
		make_leaf(n, text, opening);
		merkle_leaf(text->data, text->len, &h);
		frontier_append(&f, &h);
	}
	frontier_root(&f, &h);
	return seconds(start);
}

/* The page cache forgets the tiles of that leaf and of the tree's edge. */
static void
forget(uint64_t index)
{
	char path[TILE_PATH_SIZE];
	uint64_t edge, n[2];
	unsigned k, width;
	int level, fd;

	for (level = -1; level < TILE_LEVELS; level++) {
		edge = (leaves - 1) >> (TILE_HEIGHT * (level < 0 ? 0 : level));
		n[0] = (index >> (TILE_HEIGHT * (level < 0 ? 0 : level))) / TILE_WIDTH;
		n[1] = edge / TILE_WIDTH;
		for (k = 0; k < 2; k++) {
			width = n[k] == n[1] ? (unsigned)((leaves >> (TILE_HEIGHT * (level < 0 ? 0 : level))) % TILE_WIDTH) : 0;
			tile_path(level, n[k], width == 0 ? TILE_WIDTH : width, path);
			if ((fd = openat(dir, path, O_RDONLY)) == -1)
				continue;
			(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
			(void)close(fd);
		}
	}
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void
print_times(const char *name, double *t, size_t n)
{
	qsort(t, n, sizeof(*t), by_size);
	printf(", \"%s\": {\"p50\": %.7f, \"p99\": %.7f, \"max\": %.7f}", name, t[n / 2], t[n * 99 / 100], t[n - 1]);
}

static void
inclusion(const char *name, int cold, const struct hash *root)
{
	static double t[PROOFS];
	struct tiles *kept = cold ? NULL : tiles_open(dir, leaves), *tiles;
	struct buf text = { 0 }, opening = { 0 };
	struct proof p;
	struct hash h;
	uint64_t index;
	usec_t start;
	int i;

	for (i = 0; i < PROOFS; i++) {
		index = pick(leaves);
		if (cold)
			forget(index);
		start = clock_monotonic();
		tiles = cold ? tiles_open(dir, leaves) : kept;
		if (merkle_inclusion(index, leaves, tiles_get, tiles, &p) == -1)
			errx(1, "inclusion");
		if (cold)
			tiles_close(tiles);
		t[i] = seconds(start);
		make_leaf(index, &text, &opening);
		merkle_leaf(text.data, text.len, &h);
		if (!merkle_verify_inclusion(index, leaves, &h, &p, root))
			errx(1, "leaf %llu: its proof does not hold", (unsigned long long)index);
	}
	tiles_close(kept);
	buf_free(&text);
	buf_free(&opening);
	print_times(name, t, PROOFS);
}

static void
consistency(const struct hash *root)
{
	static double t[PROOFS];
	struct tiles *tiles;
	struct frontier f;
	struct hash from;
	struct proof p;
	uint64_t size;
	usec_t start;
	int i;

	for (i = 0; i < PROOFS; i++) {
		size = 1 + pick(leaves);
		start = clock_monotonic();
		tiles = tiles_open(dir, leaves);
		if (merkle_consistency(size, leaves, tiles_get, tiles, &p) == -1)
			errx(1, "consistency");
		tiles_close(tiles);
		t[i] = seconds(start);
		tiles = tiles_open(dir, leaves);
		if (frontier_load(&f, size, tiles_get, tiles) == -1)
			errx(1, "consistency");
		frontier_root(&f, &from);
		tiles_close(tiles);
		if (!merkle_verify_consistency(size, leaves, &from, root, &p))
			errx(1, "size %llu: its proof does not hold", (unsigned long long)size);
	}
	print_times("consistency", t, PROOFS);
}

/* A few leaves each, as on a quiet day. */
static void
checkpoints(struct buf *text, struct buf *opening)
{
	static double t[CHECKPOINTS];
	struct tile_writer *w = tile_writer_new(dir, -1, leaves);
	usec_t start;
	int i, k;

	if (w == NULL)
		errx(1, "writer");
	for (i = 0; i < CHECKPOINTS; i++) {
		for (k = 0; k < 10; k++)
			add(w, leaves + (uint64_t)(10 * i + k), text, opening);
		start = clock_monotonic();
		publish(w);
		t[i] = seconds(start);
	}
	tile_writer_free(w);
	print_times("checkpoint", t, CHECKPOINTS);
}

int
main(int argc, char *argv[])
{
	struct buf text = { 0 }, opening = { 0 };
	struct tile_writer *w;
	struct rusage usage;
	struct hash root;
	char *key;
	size_t len;
	int openings;

	if (argc != 4)
		errx(2, "usage: trail_alone DIR LEAVES KEY");
	log_init("trail_alone", LOG_COMMAND, 0);
	leaves = strtoull(argv[2], NULL, 10);
	if ((dir = open(argv[1], O_RDONLY | O_DIRECTORY)) == -1 || mkdirat(dir, "openings", 0700) == -1 ||
	    (openings = openat(dir, "openings", O_RDONLY | O_DIRECTORY)) == -1)
		err(1, "%s", argv[1]);
	if (file_read_all(argv[3], 65536, &key, &len) == -1 || (signer = note_signer_new("bench/trail", key, len)) == NULL)
		err(1, "%s", argv[3]);
	if ((w = tile_writer_new(dir, openings, 0)) == NULL)
		errx(1, "writer");
	printf("{\"leaves\": %llu, \"append\": %.4f", (unsigned long long)leaves, append_all(w, &text, &opening));
	frontier_root(tile_writer_tree(w), &root);
	tile_writer_free(w);
	(void)getrusage(RUSAGE_SELF, &usage);
	printf(", \"hash\": %.4f, \"memory\": %ld", hash_all(&text, &opening), usage.ru_maxrss * 1024);
	inclusion("inclusionCold", 1, &root);
	inclusion("inclusionWarm", 0, &root);
	consistency(&root);
	checkpoints(&text, &opening);
	printf("}\n");
	buf_free(&text);
	buf_free(&opening);
	note_signer_free(signer);
	free(key);
	return 0;
}
