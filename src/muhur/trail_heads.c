/* SPDX-License-Identifier: ISC */
/* Every checkpoint of a log: does it verify, is it the only one of its size, and does
 * its time-stamp fit. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "muhur/trail_check.h"

#define WHERE_SIZE	64

static struct head *
add(struct check *k, const struct checkpoint *c)
{
	struct head *h;

	if ((k->nheads & (k->nheads - 1)) == 0)		/* room doubles */
		k->heads = xreallocarray(k->heads, k->nheads == 0 ? 1 : 2 * k->nheads, sizeof(*h));
	h = &k->heads[k->nheads++];
	memset(h, 0, sizeof(*h));
	h->size = c->size;
	h->root = c->root;
	return h;
}

static void
judge_stamp(struct check *k, struct head *h, const struct buf *note, const char *where)
{
	struct timestamp t;

	trail_stamp_in(k->log->dir, h->day, h->size, note, &k->stamps, &t);
	h->stamp = t.state;
	if (t.state == TIMESTAMP_BAD)
		finding(k, "stamp-bad", where, "its time-stamp: %s", t.why);
	else
		h->proved = t.at;
}

/* One of checkpoints/. */
static int
take_kept(void *arg, const char *day, uint64_t size, int stamped)
{
	struct check *k = arg;
	char where[WHERE_SIZE], *data = NULL;
	struct checkpoint c;
	const char *why;
	struct buf note = { 0 };
	struct head *h;
	int fd, rc = -1;

	if (size < k->from)
		return 0;
	k->nkept++;
	(void)snprintf(where, sizeof(where), "checkpoints/%s/%llu", day, (unsigned long long)size);
	fd = open_beneath(k->log->dir, where, O_RDONLY | O_NONBLOCK, 0);
	if (fd == -1 || fd_read_all(fd, CHECKPOINT_MAX, &data, &note.len) == -1) {
		if (trail_trouble(errno)) {
			log_warn("%s", where);
			goto out;
		}
		finding(k, "checkpoint-bad", where, "it cannot be read: %s", strerror(errno));
		rc = 0;
		goto out;
	}
	rc = 0;
	note.data = data;
	if (checkpoint_open(data, note.len, k->log->key, &c, &why) == -1)
		finding(k, "checkpoint-bad", where, "%s", why);
	else if (c.size != size)
		finding(k, "checkpoint-bad", where, "it is one of %llu leaves", (unsigned long long)c.size);
	else {
		h = add(k, &c);
		(void)str_copy(h->day, sizeof(h->day), day);
		h->stamp = TIMESTAMP_NONE;
		if (stamped)
			judge_stamp(k, h, &note, where);
	}
out:
	if (fd != -1)
		(void)close(fd);
	free(data);
	return rc;
}

/* The newest one.  It is read after those that are kept: a log that grows meanwhile
 * cannot seem to have been set back. */
static int
take_newest(struct check *k)
{
	struct buf note = { 0 };
	struct checkpoint c;
	const char *why;
	uint64_t largest = 0;
	size_t i;
	int rc = -1;

	for (i = 0; i < k->nheads; i++)
		if (k->heads[i].size > largest)
			largest = k->heads[i].size;
	if (tiles_checkpoint(k->log->dir, 0, &note) == -1) {
		if (trail_trouble(errno)) {
			log_warn("the newest checkpoint");
			goto out;
		}
		finding(k, "checkpoint-bad", "checkpoint", "it cannot be read: %s", strerror(errno));
	} else if (checkpoint_open(note.data, note.len, k->log->key, &c, &why) == -1)
		finding(k, "checkpoint-bad", "checkpoint", "%s", why);
	else {
		(void)add(k, &c);
		if (c.size < largest)
			finding(k, "truncated", "checkpoint", "it is of %llu leaves, but one of %llu was signed: "
			    "the log was set back, or this file was copied before checkpoints/ was",
			    (unsigned long long)c.size, (unsigned long long)largest);
	}
	rc = 0;
out:
	buf_free(&note);
	return rc;
}

void
heads_take(struct check *k, const struct checkpoint *c, const char *path)
{
	add(k, c)->file = path;
}

int
heads_take_file(struct check *k, const char *path)
{
	struct checkpoint c;
	char *data;
	const char *why;
	size_t len;

	if (file_read_all(path, CHECKPOINT_MAX, &data, &len) == -1) {
		log_warn("%s", path);
		return -1;
	}
	if (checkpoint_open(data, len, k->log->key, &c, &why) == -1)
		finding(k, "checkpoint-bad", path, "%s", why);
	else
		heads_take(k, &c, path);
	free(data);
	return 0;
}

/* By size; the log's own before those from elsewhere, kept ones before the newest. */
static int
by_size(const void *a, const void *b)
{
	const struct head *x = a, *y = b;

	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	if ((x->file != NULL) != (y->file != NULL))
		return x->file != NULL ? 1 : -1;
	return strcmp(y->day, x->day);
}

static const char *
name_of(const struct head *h, char buf[WHERE_SIZE])
{
	if (h->file != NULL)
		return h->file;
	if (h->day[0] == '\0')
		return "checkpoint";
	(void)snprintf(buf, WHERE_SIZE, "checkpoints/%s/%llu", h->day, (unsigned long long)h->size);
	return buf;
}

static void
earlier(usec_t *t, usec_t other)
{
	if (other != 0 && (*t == 0 || other < *t))
		*t = other;
}

/* Of one size there may be one root: two of them, signed, are a fork, and proof of it.
 * Those that say the same become one. */
static void
merge(struct check *k)
{
	char a[WHERE_SIZE], b[WHERE_SIZE];
	struct head *h, *one;
	size_t i, n = 0;

	for (i = 0; i < k->nheads; i++) {
		h = &k->heads[i];
		one = n > 0 ? &k->heads[n - 1] : NULL;
		if (one == NULL || one->size != h->size) {
			k->heads[n++] = *h;
			continue;
		}
		if (memcmp(&one->root, &h->root, sizeof(h->root)) != 0) {
			finding(k, "forked", name_of(h, a), "it and %s are of %llu leaves, both signed, with "
			    "different roots", name_of(one, b), (unsigned long long)h->size);
			if (h->file == NULL)
				k->heads[n++] = *h;	/* the leaves meet one of them at the most */
		} else {
			if (one->stamp == TIMESTAMP_NONE)
				one->stamp = h->stamp;
			earlier(&one->proved, h->proved);
		}
	}
	k->nheads = n;
}

int
heads_load(struct check *k)
{
	size_t i;

	if (tiles_each_checkpoint(k->log->dir, take_kept, k) != 0 || take_newest(k) == -1)
		return -1;
	for (i = 0; i < k->nheads; i++)
		if (k->heads[i].size > k->size)
			k->size = k->heads[i].size;
	return 0;
}

void
heads_merge(struct check *k)
{
	size_t i;

	if (k->nheads > 0)
		qsort(k->heads, k->nheads, sizeof(*k->heads), by_size);
	merge(k);
	for (i = k->nheads; i-- > 1;)	/* a stamp is proof of all leaves before it */
		earlier(&k->heads[i - 1].proved, k->heads[i].proved);
	for (i = 0; i < k->nheads; i++)
		if (k->heads[i].size > k->size)
			finding(k, "truncated", k->heads[i].file, "it is of %llu leaves, the log has signed for %llu "
			    "at most", (unsigned long long)k->heads[i].size, (unsigned long long)k->size);
}

int
heads_have(const struct check *k, uint64_t size)
{
	size_t i;

	for (i = 0; i < k->nheads; i++)
		if (k->heads[i].size == size)
			return 1;
	return 0;
}
