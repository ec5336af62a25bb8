/* SPDX-License-Identifier: ISC */
/* Which tiles a published log has, by their names alone. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fdio.h"
#include "base/log.h"
#include "trail/tiles.h"

struct walk {
	int	 dir, level;
	int	(*fn)(void *arg, int level, uint64_t n, unsigned width);
	void	*arg;
};

static int walk(const struct walk *w, const char *folder, uint64_t n);

/* One name in a folder of groups of tile n, or of partial tiles of it. */
static int
take(const struct walk *w, const char *folder, uint64_t n, const char *name)
{
	char path[TILE_PATH_SIZE], proper[TILE_PATH_SIZE];
	unsigned width = TILE_WIDTH;
	uint64_t number;
	int kind;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) >= sizeof(path) ||
	    (kind = trail_path_ok(path)) == 0)
		return 0;
	number = strtoull(name + (name[0] == 'x'), NULL, 10);
	if (strchr(folder, '.') != NULL)
		width = (unsigned)number;
	else
		n = n * 1000 + number;
	if (kind == 2)
		return walk(w, path, n);
	tile_path(w->level, n, width, proper);	/* another is none of 64 bits */
	return strcmp(path, proper) == 0 ? w->fn(w->arg, w->level, n, width) : 0;
}

static int
walk(const struct walk *w, const char *folder, uint64_t n)
{
	DIR *d = open_list(w->dir, folder);
	struct dirent *e;
	int rc = 0;

	if (d == NULL && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;	/* gone meanwhile, or no folder */
	if (d == NULL) {
		log_warn("trail: %s", folder);
		return -1;
	}
	for (errno = 0; rc == 0 && (e = readdir(d)) != NULL; errno = 0)
		rc = take(w, folder, n, e->d_name);
	if (rc == 0 && errno != 0) {
		log_warn("trail: %s", folder);
		rc = -1;
	}
	(void)closedir(d);
	return rc;
}

int
tiles_each_file(int dir, int (*fn)(void *arg, int level, uint64_t n, unsigned width), void *arg)
{
	struct walk w = { .dir = dir, .fn = fn, .arg = arg };
	char folder[16];
	int rc = 0;

	for (w.level = -1; rc == 0 && w.level < TILE_LEVELS; w.level++) {
		if (w.level < 0)
			(void)str_copy(folder, sizeof(folder), "tile/entries");
		else
			(void)snprintf(folder, sizeof(folder), "tile/%d", w.level);
		rc = walk(&w, folder, 0);
	}
	return rc;
}
