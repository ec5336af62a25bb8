/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/material.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "depot/depot.h"
#include "depot/material.h"

#define PAUSE_FIRST	(5 * USEC_PER_SEC)
#define PAUSE_MOST	(60 * USEC_PER_SEC)
#define SCHEMAS_MAX	64
#define SHELF_MODE	0770	/* as muhurd makes them */

struct set {
	uint32_t	 tag;
	int		 fds[MATERIAL_SLOTS];
	int		 whole;		/* its last message has come */
	struct set	*next;
};

struct keeper {
	int		 store, schemas;
	struct set	*sets;		/* oldest first */
	usec_t		 not_before, pause;
};

struct keeper *
keeper_new(int store, int schemas)
{
	struct keeper *k = xcalloc(1, sizeof(*k));

	k->store = store;
	k->schemas = schemas;
	k->pause = PAUSE_FIRST;
	return k;
}

static void
drop_first(struct keeper *k)
{
	struct set *s = k->sets;
	size_t i;

	k->sets = s->next;
	for (i = 0; i < MATERIAL_SLOTS; i++)
		if (s->fds[i] != -1)
			(void)close(s->fds[i]);
	free(s);
}

void
keeper_free(struct keeper *k)
{
	while (k->sets != NULL)
		drop_first(k);
	free(k);
}

int
keeper_take(struct keeper *k, struct msg *m)
{
	struct m_material x;
	struct set **end, *s;
	size_t i;

	if (get_m_material(m, &x) == -1 || x.slot >= MATERIAL_SLOTS || m->nfds != (x.last ? 0 : 1))
		return -1;
	for (end = &k->sets; *end != NULL && (*end)->whole; end = &(*end)->next)
		;
	if ((s = *end) == NULL) {
		s = *end = xcalloc(1, sizeof(*s));
		s->tag = m->tag;
		for (i = 0; i < MATERIAL_SLOTS; i++)
			s->fds[i] = -1;
	}
	if (s->tag != m->tag || (!x.last && s->fds[x.slot] != -1))
		return -1;
	if (x.last)
		s->whole = 1;
	else {
		s->fds[x.slot] = m->fds[0];
		m->nfds = 0;
	}
	return 0;
}

/* The folder of the store that holds that name, for muhurd to write to as well. */
static int
shelf_of(int store, const char *sha256)
{
	char head[3] = { sha256[0], sha256[1], '\0' };
	mode_t mask = umask(0);	/* muhurd may link into it from its first moment */
	int rc = make_dir(store, head, SHELF_MODE, NULL);

	(void)umask(mask);
	/* who made it may have been killed before it was durable */
	if (rc == -1 || fsync_dir(store) == -1)
		return -1;
	return open_beneath(store, head, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
}

/* What is there and good stays; what has rotted is made good again, as these are
 * the bytes that belong there. */
static int
keep(int store, const char *sha256, const void *p, size_t n)
{
	int shelf, rc, saved;

	if ((shelf = shelf_of(store, sha256)) == -1)
		return -1;
	if (depot_check(store, sha256, NULL) == DEPOT_GOOD)
		rc = fsync_dir(shelf);	/* its name may be in the cache alone */
	else
		rc = file_write_durable(shelf, sha256, p, n, 0440);
	saved = errno;
	(void)close(shelf);
	errno = saved;
	return rc;
}

static int
keep_file(struct keeper *k, struct material *m, const char *name, int fd)
{
	char sha256[SHA256_HEX_SIZE], *data;
	size_t len;
	int rc;

	if (fd_read_all(fd, CRL_MAX_FILE, &data, &len) == -1)
		return -1;
	material_add(m, name, data, len, sha256);
	rc = keep(k->store, sha256, data, len);
	free(data);
	return rc;
}

/* As xml/schema.c takes them. */
static int
is_schema(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 4 && e->d_name[0] != '.' && strcmp(e->d_name + n - 4, ".xsd") == 0;
}

static int
keep_schemas(struct keeper *k, struct material *m)
{
	char name[MATERIAL_NAME_SIZE];
	struct dirent **list;
	int i, n, fd, rc = 0, saved = 0;

	if ((n = scandirat(k->schemas, ".", &list, is_schema, alphasort)) == -1)
		return -1;
	for (i = 0; i < n; i++) {
		if (rc == 0 && i < SCHEMAS_MAX) {
			fd = open_beneath(k->schemas, list[i]->d_name, O_RDONLY | O_NOFOLLOW, 0);
			rc = fd == -1 ? -1 : keep_file(k, m, material_schema_name(list[i]->d_name, name), fd);
			saved = errno;
			if (fd != -1)
				(void)close(fd);
		}
		free(list[i]);
	}
	free(list);
	errno = saved;
	return rc;
}

static int
keep_set(struct keeper *k, const struct set *s, struct m_document *done)
{
	struct material *m = material_new();
	char name[MATERIAL_NAME_SIZE];
	const char *listing;
	unsigned i;
	size_t len;
	int rc = -1, saved;

	for (i = 0; i < MATERIAL_SLOTS; i++)
		if (s->fds[i] != -1 && keep_file(k, m, material_name(i, name), s->fds[i]) == -1)
			goto out;
	if (keep_schemas(k, m) == -1)
		goto out;
	errno = EAGAIN;
	/* its files first: who finds the listing finds what it names */
	if (material_end(m, done->sha256, &listing, &len) == -1 ||
	    keep(k->store, done->sha256, listing, len) == -1)
		goto out;
	rc = 0;
out:
	saved = errno;
	material_free(m);
	errno = saved;
	return rc;
}

int
keeper_step(struct keeper *k, usec_t now, uint32_t *tag, struct m_document *done)
{
	if (now < keeper_due(k))
		return 0;
	if (keep_set(k, k->sets, done) == -1) {
		log_alarm("material: cannot be kept: %s: it will be tried again", strerror(errno));
		k->not_before = now + k->pause;
		k->pause = longer_pause(k->pause, PAUSE_MOST);
		return 0;
	}
	k->pause = PAUSE_FIRST;
	*tag = k->sets->tag;
	drop_first(k);
	return 1;
}

usec_t
keeper_due(const struct keeper *k)
{
	return k->sets == NULL || !k->sets->whole ? INT64_MAX : k->not_before;
}
