/* SPDX-License-Identifier: ISC */
/*
 * Writing the published log.  Files are written beside their place and wait;
 * when enough do, all are made durable together and then renamed: one by one a
 * disk would be asked to flush three times for every 256 leaves.
 */
#include "config.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "trail/tiles.h"

#define PENDING_MAX	96	/* open files that wait */
#define SURE_MAX	64	/* folders */

/* A file that is written but not in its place yet. */
struct pending {
	int	 fd;
	int	 dir;			/* its folder */
	char	 name[24], tmp[40];
};

struct level {
	struct hash	 h[TILE_WIDTH];
	unsigned	 n;		/* hashes in the tile that is not whole yet */
	uint64_t	 number;	/* that tile's */
	unsigned	 flushed;	/* as wide as it stands on the disk */
	int		 partial;	/* partial_number has a folder of partial tiles */
	uint64_t	 partial_number;
};

struct tile_writer {
	int		 dir, openings;
	struct frontier	 tree;
	struct level	 level[TILE_LEVELS];
	struct level	*entries;	/* &level[0]: leaves go with the lowest hashes */
	struct buf	 bundle;	/* of entries/<number> */
	struct buf	 lines;		/* of openings/<number> */
	struct pending	 pending[PENDING_MAX];
	unsigned	 npending;
	struct stat	 sure[SURE_MAX];	/* folders that are durable */
	unsigned	 next_sure;
	int		 broken;
	int		 tries;		/* hashes alone: no file is written */
};

/* --- files -------------------------------------------------------------------------- */

/* A folder below dir, made where it is not there, with that mode whatever the umask. */
static int
folder_in(int dir, const char *name, mode_t mode)
{
	int fd = open_beneath(dir, name, O_RDONLY | O_DIRECTORY, 0), made;

	if (fd != -1 || errno != ENOENT)
		return fd;
	if (make_dir(dir, name, mode, &made) == -1 || (made && fsync_dir(dir) == -1))
		return -1;
	fd = open_beneath(dir, name, O_RDONLY | O_DIRECTORY, 0);
	if (fd != -1 && made && fchmod(fd, mode) == -1) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

/* A folder that was there: who made it may have been killed before it was durable.  Once
 * for each, mostly: of the few that are in use at a time. */
static int
make_sure(struct tile_writer *w, int dir, int folder)
{
	struct stat at;
	unsigned i;

	if (fstat(folder, &at) == -1)
		return -1;
	for (i = 0; i < SURE_MAX; i++)
		if (same_file(&w->sure[i], &at))
			return 0;
	if (fsync_dir(dir) == -1)
		return -1;
	w->sure[w->next_sure++ % SURE_MAX] = at;
	return 0;
}

/* The folder of path below dir; *name: what is in it. */
static int
folder_of(struct tile_writer *w, int dir, const char *path, mode_t mode, const char **name)
{
	char part[TILE_PATH_SIZE];
	const char *slash;
	int at = dup(dir), next;

	while (at != -1 && (slash = strchr(path, '/')) != NULL) {
		(void)snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		next = folder_in(at, part, mode);
		if (next != -1 && make_sure(w, at, next) == -1) {
			(void)close(next);
			next = -1;
		}
		(void)close(at);
		at = next;
		path = slash + 1;
	}
	*name = path;
	return at;
}

static void
drop_pending(struct tile_writer *w)
{
	struct pending *p;

	for (p = w->pending; p < w->pending + w->npending; p++) {
		(void)unlinkat(p->dir, p->tmp, 0);
		(void)close(p->fd);
		(void)close(p->dir);
	}
	w->npending = 0;
}

/* The folders of all that waits, each once; openings may be of another file system. */
static int
sync_folders(const struct tile_writer *w)
{
	struct stat seen[PENDING_MAX], at;
	unsigned n = 0, i, k;

	for (i = 0; i < w->npending; i++) {
		if (fstat(w->pending[i].dir, &at) == -1)
			return -1;
		for (k = 0; k < n && !same_file(&seen[k], &at); k++)
			;
		if (k < n)
			continue;
		if (fsync(w->pending[i].dir) == -1)
			return -1;
		seen[n++] = at;
	}
	return 0;
}

/* What waits: to the disk, then into its place, then the folders. */
static int
settle(struct tile_writer *w)
{
	struct pending *p, *end = w->pending + w->npending;

	for (p = w->pending; p < end; p++)	/* all writing begins before any is waited for */
		(void)sync_file_range(p->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	for (p = w->pending; p < end; p++)
		if (fsync(p->fd) == -1)
			return -1;
	for (p = w->pending; p < end; p++)
		if (renameat(p->dir, p->tmp, p->dir, p->name) == -1)
			return -1;
	if (sync_folders(w) == -1)
		return -1;
	for (p = w->pending; p < end; p++) {
		(void)close(p->fd);
		(void)close(p->dir);
	}
	w->npending = 0;
	return 0;
}

static int
put_file(struct tile_writer *w, int dir, const char *path, const void *data, size_t len,
    mode_t mode, mode_t folder)
{
	struct pending *p = &w->pending[w->npending];
	const char *name;

	if (w->tries)
		return 0;
	if (w->npending == PENDING_MAX) {
		if (settle(w) == -1)
			goto fail;
		p = w->pending;
	}
	if ((p->dir = folder_of(w, dir, path, folder, &name)) == -1)
		goto fail;
	(void)snprintf(p->name, sizeof(p->name), "%s", name);
	(void)snprintf(p->tmp, sizeof(p->tmp), ".%s.tmp", p->name);
	p->fd = openat(p->dir, p->tmp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (p->fd == -1) {
		(void)close(p->dir);
		goto fail;
	}
	w->npending++;
	/* The wanted mode, whatever the umask. */
	if (write_full(p->fd, data, len) == -1 || fchmod(p->fd, mode) == -1)
		goto fail;
	return 0;
fail:
	log_warn("trail: %s", path);
	return -1;
}

static int
put_tile(struct tile_writer *w, int level, uint64_t n, unsigned width, const void *data, size_t len)
{
	char path[TILE_PATH_SIZE];

	tile_path(level, n, width, path);
	return put_file(w, w->dir, path, data, len, 0644, 0755);
}

/* Partial tiles of one whose whole file is durable. */
static void
drop_partial(struct tile_writer *w, int level, uint64_t n)
{
	char path[TILE_PATH_SIZE];
	struct dirent *e;
	const char *name;
	DIR *d = NULL;
	int dir;

	tile_path(level, n, 1, path);
	*strrchr(path, '/') = '\0';
	if ((dir = folder_of(w, w->dir, path, 0755, &name)) != -1)
		d = open_list(dir, name);
	while (d != NULL && (e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			(void)unlinkat(dirfd(d), e->d_name, 0);
	if (d != NULL)
		(void)closedir(d);
	/* What is left does no harm; but somebody should know. */
	if (dir != -1 && unlinkat(dir, name, AT_REMOVEDIR) == -1 && errno != ENOENT)
		log_warn("trail: %s", path);
	if (dir != -1)
		(void)close(dir);
}

/* --- going on ------------------------------------------------------------------------- */

/* The tiles that are not whole yet: their hashes, leaves and openings. */
static int
load_levels(struct tile_writer *w, struct tiles *t, uint64_t size)
{
	struct level *l;
	unsigned k, i;
	uint64_t count;

	for (k = 0; k < TILE_LEVELS; k++) {
		l = &w->level[k];
		count = size >> (TILE_HEIGHT * k);
		l->n = l->flushed = (unsigned)(count % TILE_WIDTH);
		l->number = count / TILE_WIDTH;
		l->partial = l->n > 0;
		l->partial_number = l->number;
		for (i = 0; i < l->n; i++)
			if (tiles_get(t, TILE_HEIGHT * k, l->number * TILE_WIDTH + i, &l->h[i]) == -1)
				return -1;
	}
	return 0;
}

static void
add_entry(struct tile_writer *w, const char *leaf, size_t len)
{
	const unsigned char n[2] = { (unsigned char)(len >> 8), (unsigned char)len };

	(void)buf_append(&w->bundle, n, sizeof(n));
	(void)buf_append(&w->bundle, leaf, len);
}

static int
load_entries(struct tile_writer *w, struct tiles *t)
{
	const char *leaf;
	struct hash h;
	size_t len;
	unsigned i;

	for (i = 0; i < w->entries->n; i++) {
		if (tiles_entry(t, w->entries->number * TILE_WIDTH + i, &leaf, &len) == -1)
			return -1;
		merkle_leaf(leaf, len, &h);
		if (memcmp(h.b, w->entries->h[i].b, SHA256_SIZE) != 0) {
			log_warnx("trail: leaf %llu has not the hash that its tile has",
			    (unsigned long long)(w->entries->number * TILE_WIDTH + i));
			errno = EBADMSG;
			return -1;
		}
		add_entry(w, leaf, len);
	}
	return 0;
}

/* As many lines as the tile has leaves; more were written for leaves that never
 * were published. */
static int
load_openings(struct tile_writer *w)
{
	char path[TILE_PATH_SIZE], *data = NULL, *end;
	size_t len = 0, left = w->entries->n;
	int fd, rc, saved;

	if (w->openings == -1 || left == 0)
		return 0;
	tile_number(w->entries->number, path);
	if ((fd = open_beneath(w->openings, path, O_RDONLY, 0)) == -1) {
		log_warn("trail: openings/%s", path);
		return -1;
	}
	if ((rc = fd_read_all(fd, OPENINGS_MAX, &data, &len)) == -1)
		log_warn("trail: openings/%s", path);
	saved = errno;
	(void)close(fd);
	for (end = data; rc == 0 && left > 0; left--) {
		if ((end = memchr(end, '\n', (size_t)(data + len - end))) == NULL) {
			log_warnx("trail: openings/%s: has not %u lines", path, w->entries->n);
			saved = EBADMSG;
			rc = -1;
			break;
		}
		end++;
	}
	if (rc == 0)
		(void)buf_append(&w->lines, data, (size_t)(end - data));
	free(data);
	errno = saved;
	return rc;
}

struct tile_writer *
tile_writer_new(int dir, int openings, uint64_t size)
{
	struct tile_writer *w = xcalloc(1, sizeof(*w));
	struct tiles *t = tiles_open(dir, size);
	int rc, saved;

	w->dir = dir;
	w->openings = openings;
	w->entries = &w->level[0];
	rc = frontier_load(&w->tree, size, tiles_get, t) == 0 && load_levels(w, t, size) == 0 &&
	    load_entries(w, t) == 0 && load_openings(w) == 0 ? 0 : -1;
	saved = errno;
	tiles_close(t);
	if (rc == -1) {
		tile_writer_free(w);
		w = NULL;
	}
	errno = saved;
	return w;
}

void
tile_writer_try(struct tile_writer *w)
{
	w->tries = 1;
}

void
tile_writer_free(struct tile_writer *w)
{
	if (w == NULL)
		return;
	drop_pending(w);
	buf_free(&w->bundle);
	buf_free(&w->lines);
	free(w);
}

const struct frontier *
tile_writer_tree(const struct tile_writer *w)
{
	return &w->tree;
}

/* --- growing ---------------------------------------------------------------------------- */

static int
put_openings(struct tile_writer *w)
{
	char path[TILE_PATH_SIZE];

	if (w->openings == -1)
		return 0;
	tile_number(w->entries->number, path);
	return put_file(w, w->openings, path, w->lines.data, w->lines.len, 0600, 0700);
}

/* The lowest tile is whole, perhaps those above it too. */
static int
put_whole(struct tile_writer *w)
{
	struct hash root;
	struct level *l;
	unsigned k;

	if (put_tile(w, TILE_ENTRIES, w->entries->number, TILE_WIDTH, w->bundle.data, w->bundle.len) == -1 ||
	    put_openings(w) == -1)
		return -1;
	buf_reset(&w->bundle);
	buf_reset(&w->lines);
	for (k = 0; k < TILE_LEVELS && w->level[k].n == TILE_WIDTH; k++) {
		l = &w->level[k];
		if (put_tile(w, (int)k, l->number, TILE_WIDTH, l->h, sizeof(l->h)) == -1)
			return -1;
		if (k + 1 < TILE_LEVELS) {
			merkle_whole(l->h, TILE_WIDTH, &root);
			w->level[k + 1].h[w->level[k + 1].n++] = root;
		}
		l->n = l->flushed = 0;
		l->number++;
	}
	return 0;
}

int
tile_writer_add(struct tile_writer *w, const char *leaf, size_t len, const char *opening,
    size_t opening_len)
{
	if (w->broken || len > LEAF_MAX || (w->openings != -1 &&
	    (opening_len > OPENING_MAX || memchr(opening, '\n', opening_len) != NULL))) {
		log_warnx("trail: leaf %llu: %s", (unsigned long long)w->tree.size, w->broken ?
		    "something before it could not be written" : "it is too long, or its opening is");
		w->broken = 1;
		return -1;
	}
	merkle_leaf(leaf, len, &w->entries->h[w->entries->n++]);
	frontier_append(&w->tree, &w->entries->h[w->entries->n - 1]);
	add_entry(w, leaf, len);
	if (w->openings != -1) {
		(void)buf_append(&w->lines, opening, opening_len);
		(void)buf_puts(&w->lines, "\n");
	}
	if (w->entries->n < TILE_WIDTH || put_whole(w) == 0)
		return 0;
	w->broken = 1;
	return -1;
}

static int
put_partial(struct tile_writer *w)
{
	struct level *l;
	unsigned k;

	l = w->entries;
	if (l->n > l->flushed && (put_tile(w, TILE_ENTRIES, l->number, l->n, w->bundle.data,
	    w->bundle.len) == -1 || put_openings(w) == -1))
		return -1;
	for (k = 0; k < TILE_LEVELS; k++) {
		l = &w->level[k];
		if (l->n > l->flushed && put_tile(w, (int)k, l->number, l->n, l->h,
		    l->n * sizeof(l->h[0])) == -1)
			return -1;
		l->flushed = l->n;
	}
	return 0;
}

int
tile_writer_flush(struct tile_writer *w)
{
	struct level *l;
	unsigned k;

	if (w->broken)
		return -1;
	if (put_partial(w) == -1 || settle(w) == -1) {
		log_warn("trail: tiles cannot be made durable");
		w->broken = 1;
		return -1;
	}
	for (k = 0; k < TILE_LEVELS; k++) {
		l = &w->level[k];
		if (l->partial && l->partial_number < l->number) {
			drop_partial(w, (int)k, l->partial_number);
			if (k == 0)
				drop_partial(w, TILE_ENTRIES, l->partial_number);
		}
		l->partial = l->n > 0;
		l->partial_number = l->number;
	}
	return 0;
}

/* --- checkpoints -------------------------------------------------------------------------- */

/* A size is signed once: the same note may be there, from before a crash. */
static int
keep_checkpoint(int days, const char *day, const char *name, const char *note, size_t len)
{
	int dir, fd = -1, rc = -1;
	char *old = NULL;
	size_t oldlen;

	if ((dir = folder_in(days, day, 0755)) == -1)
		goto out;
	if ((fd = open_beneath(dir, name, O_RDONLY, 0)) == -1) {
		if (errno == ENOENT)
			rc = file_write_durable(dir, name, note, len, 0644);
		goto out;
	}
	if (fd_read_all(fd, CHECKPOINT_MAX, &old, &oldlen) == -1)
		goto out;
	errno = EEXIST;
	if (oldlen == len && memcmp(old, note, len) == 0)
		rc = fsync_dir(dir);
out:
	/* who made the day's folder may have been killed just then */
	if (rc == 0)
		rc = fsync_dir(days);
	if (rc == -1)
		log_warn("trail: checkpoints/%s/%s", day, name);
	free(old);
	if (fd != -1)
		(void)close(fd);
	if (dir != -1)
		(void)close(dir);
	return rc;
}

int
tiles_publish(int dir, const struct checkpoint *c, const char *note, size_t len, usec_t at)
{
	char time[TIME_SIZE], day[DATE_SIZE], name[24];
	int days, rc;

	time_format(at, time);
	(void)snprintf(day, sizeof(day), "%.10s", time);
	(void)snprintf(name, sizeof(name), "%llu", (unsigned long long)c->size);
	if ((days = folder_in(dir, "checkpoints", 0755)) == -1) {
		log_warn("trail: checkpoints");
		return -1;
	}
	rc = keep_checkpoint(days, day, name, note, len);
	(void)close(days);
	if (rc == 0 && (rc = file_write_durable(dir, "checkpoint", note, len, 0644)) == -1)
		log_warn("trail: checkpoint");
	return rc;
}
