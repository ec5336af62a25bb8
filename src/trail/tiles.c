/* SPDX-License-Identifier: ISC */
/* Where things are in the published log, and reading it. */
#include "config.h"

#include "trail/tiles.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"

#define CACHE_TILES	16	/* of hashes: those of a proof in a tree of any size */
#define BUNDLE_MAX	((size_t)TILE_WIDTH * (2 + LEAF_MAX))	/* bytes of entries/<N> */

/* --- reading -------------------------------------------------------------------- */

struct cached {
	unsigned	 level, width;	/* width 0: nothing is here */
	uint64_t	 n, used;
	struct hash	 h[TILE_WIDTH];
};

struct tiles {
	int		 dir;
	uint64_t	 size;		/* of the tree */
	struct cached	 cache[CACHE_TILES];
	uint64_t	 uses;
	char		*bundle;	/* entries/<bundle_n>; NULL none */
	size_t		 bundle_len;
	uint64_t	 bundle_n;
	size_t		 at[TILE_WIDTH + 1];	/* where in it each leaf's length stands */
};

struct tiles *
tiles_open(int dir, uint64_t size)
{
	struct tiles *t = xcalloc(1, sizeof(*t));

	t->dir = dir;
	t->size = size;
	return t;
}

void
tiles_close(struct tiles *t)
{
	if (t == NULL)
		return;
	free(t->bundle);
	free(t);
}

/* What was read of a tile. */
struct tile_file {
	char	 path[TILE_PATH_SIZE];
	char	*data;
	size_t	 len;
};

/* A log may be anybody's: O_NONBLOCK, so that no pipe in a file's place is waited for. */
static int
read_file(int dir, const char *path, size_t max, char **data, size_t *len)
{
	int fd = open_beneath(dir, path, O_RDONLY | O_NONBLOCK, 0), rc, saved;

	*data = NULL;
	*len = 0;
	if (fd == -1)
		return -1;
	rc = fd_read_all(fd, max, data, len);
	saved = errno;
	(void)close(fd);
	errno = saved;
	return rc;
}

/* The narrowest partial tile that is as wide; 0: there is none. */
static unsigned
wider(int dir, int level, uint64_t n, unsigned width)
{
	char path[TILE_PATH_SIZE];
	unsigned best = 0;
	struct dirent *e;
	uint64_t w;
	DIR *d;

	tile_path(level, n, width, path);
	*strrchr(path, '/') = '\0';
	if ((d = open_list(dir, path)) == NULL)
		return 0;
	while ((e = readdir(d)) != NULL)
		if (size_parse(e->d_name, strlen(e->d_name), &w) == 0 && w > width &&
		    w < TILE_WIDTH && (best == 0 || w < best))
			best = (unsigned)w;
	(void)closedir(d);
	return best;
}

/* A tile of that width or wider: the tree may have grown since its checkpoint was
 * read, and a partial tile goes when the whole one is there.  The width that was found
 * and its path; 0 (logged, errno). */
static unsigned
read_tile(int dir, int level, uint64_t n, unsigned width, size_t max, struct tile_file *f)
{
	unsigned w;
	int saved;

	tile_path(level, n, width, f->path);
	if (read_file(dir, f->path, max, &f->data, &f->len) == 0)
		return width;
	if (errno == ENOENT && width < TILE_WIDTH) {
		if ((w = wider(dir, level, n, width)) == 0)
			w = TILE_WIDTH;
		tile_path(level, n, w, f->path);
		if (read_file(dir, f->path, max, &f->data, &f->len) == 0)
			return w;
		tile_path(level, n, TILE_WIDTH, f->path);
		if (errno == ENOENT && read_file(dir, f->path, max, &f->data, &f->len) == 0)
			return TILE_WIDTH;
		tile_path(level, n, width, f->path);	/* for the message */
	}
	saved = errno;
	log_warn("trail: %s", f->path);
	errno = saved;
	return 0;
}

/* How many hashes tile n of that level has in this tree; 0: it is beyond. */
static unsigned
width_of(const struct tiles *t, unsigned level, uint64_t n)
{
	uint64_t count = 8 * level < 64 ? t->size >> (8 * level) : 0, from = n * TILE_WIDTH;

	if (n > count / TILE_WIDTH || from >= count)
		return 0;
	return count - from < TILE_WIDTH ? (unsigned)(count - from) : TILE_WIDTH;
}

static struct cached *
load_tile(struct tiles *t, unsigned level, uint64_t n)
{
	struct cached *c, *oldest = &t->cache[0];
	struct tile_file f;
	unsigned width, found;

	for (c = t->cache; c < t->cache + CACHE_TILES; c++) {
		if (c->width > 0 && c->level == level && c->n == n) {
			c->used = ++t->uses;
			return c;
		}
		if (c->used < oldest->used)
			oldest = c;
	}
	c = oldest;
	if ((width = width_of(t, level, n)) == 0) {
		log_warnx("trail: a tree of %llu leaves has no tile %u/%llu", (unsigned long long)t->size,
		    level, (unsigned long long)n);
		errno = ERANGE;
		return NULL;
	}
	if ((found = read_tile(t->dir, (int)level, n, width, sizeof(c->h), &f)) == 0)
		return NULL;
	if (f.len != (size_t)found * SHA256_SIZE) {
		log_warnx("trail: %s: has not %u hashes", f.path, found);
		free(f.data);
		errno = EBADMSG;
		return NULL;
	}
	memcpy(c->h, f.data, (size_t)width * SHA256_SIZE);
	free(f.data);
	c->level = level;
	c->width = width;
	c->n = n;
	c->used = ++t->uses;
	return c;
}

int
tiles_get(void *tiles, unsigned level, uint64_t index, struct hash *out)
{
	struct tiles *t = tiles;
	unsigned below = level % TILE_HEIGHT;
	const struct cached *c;
	uint64_t first;
	size_t count;

	if (level >= 64 || index > UINT64_MAX >> below) {
		log_warnx("trail: there is no level %u of a tree", level);
		errno = ERANGE;
		return -1;
	}
	first = index << below;
	count = (size_t)1 << below;
	if ((c = load_tile(t, level / TILE_HEIGHT, first / TILE_WIDTH)) == NULL)
		return -1;
	if (first % TILE_WIDTH + count > c->width) {
		log_warnx("trail: a tree of %llu leaves has no whole subtree %llu of level %u",
		    (unsigned long long)t->size, (unsigned long long)index, level);
		errno = ERANGE;
		return -1;
	}
	merkle_whole(&c->h[first % TILE_WIDTH], count, out);
	return 0;
}

/* Where each leaf stands; 0, or -1: it has not so many of them. */
static int
index_bundle(const char *data, size_t len, unsigned width, size_t where[TILE_WIDTH + 1])
{
	const unsigned char *p = (const unsigned char *)data;
	size_t at = 0;
	unsigned n = 0;

	while (at < len && n < TILE_WIDTH) {
		if (len - at < 2)
			return -1;
		where[n] = at;
		at += 2 + ((size_t)p[at] << 8 | p[at + 1]);
		if (at > len)
			return -1;
		where[++n] = at;
	}
	return at == len && n == width ? 0 : -1;
}

static int
load_bundle(struct tiles *t, uint64_t n)
{
	struct tile_file f;
	unsigned found;

	if (t->bundle != NULL && t->bundle_n == n)
		return 0;
	free(t->bundle);
	t->bundle = NULL;
	if ((found = read_tile(t->dir, TILE_ENTRIES, n, width_of(t, 0, n), BUNDLE_MAX, &f)) == 0)
		return -1;
	t->bundle = f.data;
	t->bundle_len = f.len;
	t->bundle_n = n;
	if (index_bundle(t->bundle, t->bundle_len, found, t->at) == 0)
		return 0;
	log_warnx("trail: %s: has not %u leaves", f.path, found);
	free(t->bundle);
	t->bundle = NULL;
	errno = EBADMSG;
	return -1;
}

int
tiles_entry(struct tiles *t, uint64_t index, const char **leaf, size_t *len)
{
	unsigned i = (unsigned)(index % TILE_WIDTH);

	if (index >= t->size) {
		log_warnx("trail: a tree of %llu leaves has no leaf %llu", (unsigned long long)t->size,
		    (unsigned long long)index);
		errno = ERANGE;
		return -1;
	}
	if (load_bundle(t, index / TILE_WIDTH) == -1)
		return -1;
	*leaf = t->bundle + t->at[i] + 2;
	*len = t->at[i + 1] - t->at[i] - 2;
	return 0;
}

static int
same_hashes(struct tiles *t, unsigned level, uint64_t n, unsigned width, const char *data, size_t len)
{
	const struct cached *c = load_tile(t, level, n);

	if (c == NULL)
		return -1;
	return len == (size_t)width * SHA256_SIZE &&
	    memcmp(data, c->h, (size_t)(width < c->width ? width : c->width) * SHA256_SIZE) == 0;
}

static int
same_leaves(struct tiles *t, uint64_t n, unsigned width, const char *data, size_t len)
{
	size_t at[TILE_WIDTH + 1];
	unsigned of_tree = width_of(t, 0, n), both = width < of_tree ? width : of_tree;

	if (load_bundle(t, n) == -1)
		return -1;
	return index_bundle(data, len, width, at) == 0 && at[both] == t->at[both] &&
	    memcmp(data, t->bundle, at[both]) == 0;
}

int
tiles_same(struct tiles *t, int level, uint64_t n, unsigned width)
{
	char path[TILE_PATH_SIZE], *data;
	size_t len;
	int rc, saved;

	tile_path(level, n, width, path);
	if (read_file(t->dir, path, BUNDLE_MAX, &data, &len) == -1)
		return errno == EFBIG ? 0 : -1;
	rc = level < 0 ? same_leaves(t, n, width, data, len) :
	    same_hashes(t, (unsigned)level, n, width, data, len);
	saved = errno;
	free(data);
	errno = saved;
	return rc;
}

/* --- checkpoints ----------------------------------------------------------------- */

/* One that is there: its size, its day, and whether its stamp is. */
struct found {
	uint64_t	size;
	date_t		day;
	int		stamped;
};

struct list {
	struct found	*v;
	size_t		 n, room;
};

static int
by_size(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	if (x->day != y->day)
		return x->day < y->day ? -1 : 1;
	return x->stamped - y->stamped;		/* the file, then its stamp: list_day */
}

static struct found *
add(struct list *l)
{
	if (l->n == l->room) {
		l->room = l->room == 0 ? 256 : 2 * l->room;
		l->v = xreallocarray(l->v, l->room, sizeof(*l->v));
	}
	memset(&l->v[l->n], 0, sizeof(l->v[0]));
	return &l->v[l->n++];
}

/* Checkpoints and stamps alike, stamps with the flag set; 0 or -1 (errno). */
static int
list_day(int dir, const char *name, date_t day, struct list *l)
{
	struct dirent *e;
	struct found *f;
	uint64_t size;
	DIR *d = open_list(dir, name);
	size_t len;
	int stamp;

	if (d == NULL)
		return -1;
	for (errno = 0; (e = readdir(d)) != NULL; errno = 0) {
		len = strlen(e->d_name);
		stamp = len > 4 && strcmp(e->d_name + len - 4, ".tsr") == 0;
		if (size_parse(e->d_name, len - (stamp ? 4 : 0), &size) == -1)
			continue;
		f = add(l);
		f->size = size;
		f->day = day;
		f->stamped = stamp;
	}
	if (errno != 0) {
		(void)closedir(d);
		return -1;
	}
	(void)closedir(d);
	return 0;
}

static int
list_checkpoints(int dir, struct list *l)
{
	DIR *d = open_list(dir, "checkpoints");
	struct dirent *e;
	date_t day;
	int rc = 0;

	if (d == NULL && errno == ENOENT)
		return 0;
	if (d == NULL) {
		log_warn("trail: checkpoints");
		return -1;
	}
	for (errno = 0; rc == 0 && (e = readdir(d)) != NULL; errno = 0) {
		if (date_parse(e->d_name, &day) == -1)
			continue;
		if ((rc = list_day(dirfd(d), e->d_name, day, l)) == -1)
			log_warn("trail: checkpoints/%s", e->d_name);
	}
	if (rc == 0 && errno != 0) {
		log_warn("trail: checkpoints");
		rc = -1;
	}
	(void)closedir(d);
	return rc;
}

int
tiles_each_checkpoint(int dir, int (*fn)(void *arg, const char *day, uint64_t size, int stamped),
    void *arg)
{
	struct list l = { 0 };
	char day[DATE_SIZE];
	int rc, stamped;
	size_t i;

	rc = list_checkpoints(dir, &l);
	if (l.n > 0)
		qsort(l.v, l.n, sizeof(*l.v), by_size);
	for (i = 0; i < l.n && rc == 0; i++) {
		if (l.v[i].stamped)	/* whose file is gone */
			continue;
		stamped = i + 1 < l.n && l.v[i + 1].stamped && l.v[i + 1].size == l.v[i].size &&
		    l.v[i + 1].day == l.v[i].day;
		date_format(l.v[i].day, day);
		rc = fn(arg, day, l.v[i].size, stamped);
		i += (size_t)stamped;
	}
	free(l.v);
	return rc;
}

/* The note of that size, of whichever day. */
static int
find_checkpoint(int dir, uint64_t size, char **data, size_t *len)
{
	char path[TILE_PATH_SIZE];
	struct dirent *e;
	DIR *d = open_list(dir, "checkpoints");
	date_t day;
	int rc = -1;

	if (d == NULL)
		return -1;
	while (rc == -1 && (e = readdir(d)) != NULL) {
		if (date_parse(e->d_name, &day) == -1)
			continue;
		(void)snprintf(path, sizeof(path), "%.10s/%llu", e->d_name, (unsigned long long)size);
		rc = read_file(dirfd(d), path, CHECKPOINT_MAX, data, len);
		if (rc == -1 && errno != ENOENT)
			break;
	}
	if (rc == -1 && e == NULL)
		errno = ENOENT;
	(void)closedir(d);
	return rc;
}

int
tiles_checkpoint(int dir, uint64_t size, struct buf *note)
{
	char *data = NULL;
	size_t len;
	int rc, saved;

	rc = size == 0 ? read_file(dir, "checkpoint", CHECKPOINT_MAX, &data, &len) :
	    find_checkpoint(dir, size, &data, &len);
	saved = errno;
	if (rc == 0)
		rc = buf_append(note, data, len);
	free(data);
	errno = saved;
	return rc;
}
