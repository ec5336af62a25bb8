/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "sequencer/published.h"
#include "sequencer/trouble.h"

/* The checkpoint of that size, 0: the newest; c->size 0 where there is none. */
static int
read_checkpoint(struct sequencer *s, uint64_t size, struct checkpoint *c)
{
	struct buf note = { 0 };
	const char *why;
	int rc = -1;

	memset(c, 0, sizeof(*c));
	if (tiles_checkpoint(s->trail, size, &note) == -1) {
		if (errno == ENOENT)
			rc = 0;
		else
			refuse(s, "the published checkpoint cannot be read: %s", strerror(errno));
	} else if (checkpoint_open(note.data, note.len, s->verifier, c, &why) == -1)
		refuse(s, "the published checkpoint is not one of trail_key and trail_origin: %s", why);
	else
		rc = 0;
	buf_free(&note);
	return rc;
}

/* What was shown: the newest checkpoint, and, where that is behind those that are kept (it was
 * lost, or put back from a copy), the newest of them. */
static int
read_published(struct sequencer *s, struct checkpoint *c, struct checkpoint *kept)
{
	uint64_t size;

	memset(kept, 0, sizeof(*kept));
	if (s->verifier == NULL) {
		refuse(s, "trail_key cannot be used: it must be an Ed25519 private key in PEM");
		s->lets_go = 1;
		return -1;
	}
	if (read_checkpoint(s, 0, c) == -1)
		return -1;
	if (stamps_greatest(s->trail, "", &size) == -1) {
		folder_trouble(s);
		return -1;
	}
	return size > c->size ? read_checkpoint(s, size, kept) : 0;
}

/* Was it made of this database?  It was recorded there before anybody saw it.
 * 1; 0 refused, and whoever works is told; -1. */
static int
is_of_database(struct sequencer *s, const struct checkpoint *c)
{
	unsigned long long size = c->size;
	struct recorded r;
	uint64_t count;
	int n;

	if (events_count(&s->link.db, &count) == -1 || (n = recorded_from(&s->link.db, c->size, &r, 1)) == -1)
		return -1;
	if (c->size == 0)
		return 1;
	if (count < c->size)
		refuse(s, "the published checkpoint has %llu leaves, the database %llu: it was restored from an earlier copy",
		    size, (unsigned long long)count);
	else if (n == 0 || r.size != c->size)
		refuse(s, "the published checkpoint of %llu leaves is not recorded in the database: it was restored from an "
		    "earlier copy, or is another one", size);
	else if (memcmp(r.root.b, c->root.b, SHA256_SIZE) != 0)
		refuse(s, "the published checkpoint of %llu leaves is recorded in the database with another root", size);
	else
		return 1;
	return contradiction_add(&s->link.db, s->conf->trail_origin, c->size, &c->root);
}

int
is_uncontradicted(struct sequencer *s)
{
	struct checkpoint c;
	int n = contradiction_find(&s->link.db, s->conf->trail_origin, &c.size, &c.root);

	return n == 1 ? is_of_database(s, &c) : n == 0 ? 1 : -1;
}

int
is_one_log(struct sequencer *s, struct checkpoint *c, struct checkpoint *kept)
{
	int rc;

	if (read_published(s, c, kept) == -1)
		return 0;
	if ((rc = is_of_database(s, c)) == 1 && (rc = is_of_database(s, kept)) == 1)
		rc = is_uncontradicted(s);
	if (rc == -1)
		database_trouble(s);
	return rc == 1;
}
