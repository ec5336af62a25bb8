/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "depot/depot.h"
#include "depot/material.h"
#include "muhur/archive.h"

#define LISTING_MAX	(1024 * 1024)	/* bytes of a listing of material */

static int
no_dots(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

static void
free_names(struct dirent **list, int n)
{
	while (n-- > 0)
		free(list[n]);
	free(list);
}

static int
each_of_shelf(int store, const char *shelf, int (*fn)(void *, const char *, const char *), void *arg)
{
	struct dirent **list;
	char *path;
	int i, n, rc = 0;

	if ((n = scandirat(store, shelf, &list, no_dots, alphasort)) == -1) {
		if (errno == ENOTDIR)
			return fn(arg, shelf, shelf);
		log_warn("store/%s", shelf);
		return -1;
	}
	for (i = 0; i < n && rc == 0; i++) {
		path = xasprintf("%s/%s", shelf, list[i]->d_name);
		rc = fn(arg, path, list[i]->d_name);
		free(path);
	}
	free_names(list, n);
	return rc;
}

int
archive_each_name(int store, int (*fn)(void *arg, const char *path, const char *name), void *arg)
{
	struct dirent **list;
	int i, n, rc = 0;

	if ((n = scandirat(store, ".", &list, no_dots, alphasort)) == -1) {
		log_warn("store");
		return -1;
	}
	for (i = 0; i < n && rc == 0; i++) {
		/* the gateway's own: what it is writing, and how far it has read */
		if (strcmp(list[i]->d_name, "tmp") == 0 || list[i]->d_name[0] == '.')
			continue;
		rc = each_of_shelf(store, list[i]->d_name, fn, arg);
	}
	free_names(list, n);
	return rc;
}

int
archive_listing(int store, const char *id, int (*fn)(void *, const char *, const char *), void *arg)
{
	struct depot_file *f;
	char *text;
	ssize_t n;
	int rc;

	if ((f = depot_open(store, id)) == NULL)
		return -1;
	text = xcalloc(LISTING_MAX, 1);
	n = depot_read(f, text, LISTING_MAX);
	depot_close(f);
	rc = n < 0 || n == LISTING_MAX ? -1 : material_each(text, (size_t)n, fn, arg);
	free(text);
	return rc;
}

/* --- a set of names ------------------------------------------------------------- */

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

int
name_set_add(struct name_set *s, const char *sha256)
{
	char *own = xstrdup(sha256), **at;

	if ((at = tsearch(own, &s->root, by_name)) == NULL)
		fatalx("no memory for names");
	if (*at == own)
		return 1;
	free(own);
	return 0;
}

int
name_set_has(const struct name_set *s, const char *sha256)
{
	return tfind(sha256, &s->root, by_name) != NULL;
}

void
name_set_free(struct name_set *s)
{
	tdestroy(s->root, free);
	s->root = NULL;
}
