/* SPDX-License-Identifier: ISC */
/* The documents that leaves show the SHA-256 of: read again, each once. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "depot/depot.h"
#include "muhur/trail_check.h"

#define SEEN_COUNT	(1U << 17)	/* 4 MiB; one that is forgotten is read once more */
#define YOUNG		(300 * USEC_PER_SEC)	/* an event may be ahead of its document */
#define WAIT_TRIES	50		/* of 0.1 s, for all that are young together */

struct missing {
	struct hash	sha256;
	uint64_t	index;
	usec_t		at;
};

void
payloads_begin(struct check *k)
{
	if (k->log->store == -1)
		return;
	k->payloads.seen = xcalloc(SEEN_COUNT, sizeof(*k->payloads.seen));
	k->payloads.seen[0].b[0] = 1;	/* belongs to another place: a hash of zeros was not seen */
}

static struct hash *
place_in_seen(struct payloads *p, const struct hash *sha256)
{
	uint32_t i;

	memcpy(&i, sha256->b, sizeof(i));
	return &p->seen[i % SEEN_COUNT];
}

static void
remember(struct missing **v, size_t *n, const struct hash *sha256, uint64_t index, usec_t at)
{
	if ((*n & (*n - 1)) == 0)	/* room doubles */
		*v = xreallocarray(*v, *n == 0 ? 1 : 2 * *n, sizeof(**v));
	(*v)[(*n)++] = (struct missing){ *sha256, index, at };
}

static int
read_one(struct check *k, uint64_t index, const struct leaf *l, const struct hash *sha256)
{
	struct payloads *p = &k->payloads;
	char where[32];

	switch (depot_check(k->log->store, l->sha256, NULL)) {
	case DEPOT_GOOD:
		p->good++;
		*place_in_seen(p, sha256) = *sha256;
		return 0;
	case DEPOT_ABSENT:
		remember(&p->missing, &p->nmissing, sha256, index, l->at);
		return 0;
	case DEPOT_ROTTEN:
		*place_in_seen(p, sha256) = *sha256;	/* said once */
		(void)snprintf(where, sizeof(where), "leaf %llu", (unsigned long long)index);
		finding(k, "payload-changed", where, "%s: store/%.2s/%s has other bytes", l->kind, l->sha256,
		    l->sha256);
		return 0;
	default:
		log_warn("store/%.2s/%s", l->sha256, l->sha256);
		return -1;
	}
}

int
payloads_leaf(struct check *k, uint64_t index, const struct leaf *l)
{
	struct payloads *p = &k->payloads;
	struct hash sha256;

	if (k->log->store == -1 || l->sha256[0] == '\0' || hex_decode(l->sha256, sha256.b, SHA256_SIZE) == -1)
		return 0;
	if (strcmp(l->kind, "purged") == 0)
		remember(&p->purged, &p->npurged, &sha256, index, l->at);
	if (leaf_kind_stored(l->kind) != 1 ||
	    memcmp(place_in_seen(p, &sha256), &sha256, sizeof(sha256)) == 0)
		return 0;
	return read_one(k, index, l, &sha256);
}

/* --- what the log says by now ---------------------------------------------------------- */

/* The leaves behind those that were read, up to size, whose root that is: 1.  0: they
 * are not there, or have another; -1. */
static int
read_behind(struct check *k, uint64_t size, const struct hash *root)
{
	struct payloads *p = &k->payloads;
	struct tiles *t = tiles_open(k->log->dir, size);
	struct frontier f = k->leaves;
	struct hash h, sha256;
	struct leaf l;
	const char *text, *why;
	size_t len;
	uint64_t i;

	for (i = k->size; i < size && tiles_entry(t, i, &text, &len) == 0; i++) {
		merkle_leaf(text, len, &h);
		frontier_append(&f, &h);
		if (leaf_parse(text, len, &l, &why) == 0 && strcmp(l.kind, "purged") == 0 &&
		    hex_decode(l.sha256, sha256.b, SHA256_SIZE) == 0)
			remember(&p->purged, &p->npurged, &sha256, i, l.at);
	}
	if (i < size && trail_trouble(errno)) {
		tiles_close(t);
		return -1;
	}
	tiles_close(t);
	frontier_root(&f, &h);
	return i == size && memcmp(&h, root, sizeof(h)) == 0;
}

/* A pass takes hours: what is missing may have been purged meanwhile.  Other leaves than
 * are signed say nothing. */
static int
purged_since(struct check *k)
{
	struct payloads *p = &k->payloads;
	struct buf note = { 0 };
	struct checkpoint c;
	const char *why;
	size_t before = p->npurged;
	int rc = 0;

	if (k->split || k->met != k->size)
		return 0;
	if (tiles_checkpoint(k->log->dir, 0, &note) == -1)
		rc = trail_trouble(errno) ? -1 : 0;
	else if (checkpoint_open(note.data, note.len, k->log->key, &c, &why) == 0 && c.size > k->size &&
	    (rc = read_behind(k, c.size, &c.root)) == 0)
		p->npurged = before;
	buf_free(&note);
	return rc == -1 ? -1 : 0;
}

/* --- the end ----------------------------------------------------------------------------- */

/* By hash, and the last leaf of each first. */
static int
last_first(const void *a, const void *b)
{
	const struct missing *x = a, *y = b;
	int c = memcmp(&x->sha256, &y->sha256, sizeof(x->sha256));

	return c != 0 ? c : (x->index < y->index) - (x->index > y->index);
}

/* Was it purged behind that leaf? */
static int
was_purged(const struct payloads *p, const struct missing *m)
{
	size_t lo = 0, hi = p->npurged, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (memcmp(&p->purged[mid].sha256, &m->sha256, sizeof(m->sha256)) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < p->npurged && memcmp(&p->purged[lo].sha256, &m->sha256, sizeof(m->sha256)) == 0 &&
	    p->purged[lo].index > m->index;
}

/* In a gateway that works, a document comes into the store moments after its event. */
static enum depot_state
look_again(const struct check *k, const struct missing *m, const char *hex, int *tries)
{
	const struct timespec moment = { .tv_nsec = 100 * 1000 * 1000 };
	enum depot_state state = depot_check(k->log->store, hex, NULL);

	while (state == DEPOT_ABSENT && m->at > clock_now() - YOUNG && (*tries)-- > 0) {
		(void)nanosleep(&moment, NULL);
		state = depot_check(k->log->store, hex, NULL);
	}
	return state;
}

int
payloads_end(struct check *k)
{
	struct payloads *p = &k->payloads;
	char hex[SHA256_HEX_SIZE], where[32];
	enum depot_state state;
	int tries = WAIT_TRIES;
	size_t i;

	if (p->nmissing > 0 && purged_since(k) == -1)
		return -1;
	if (p->npurged > 0)
		qsort(p->purged, p->npurged, sizeof(*p->purged), last_first);
	if (p->nmissing > 0)
		qsort(p->missing, p->nmissing, sizeof(*p->missing), last_first);
	for (i = 0; i < p->nmissing; i++) {
		if (i > 0 && memcmp(&p->missing[i].sha256, &p->missing[i - 1].sha256, SHA256_SIZE) == 0)
			continue;
		if (was_purged(p, &p->missing[i])) {
			p->gone++;
			continue;
		}
		hex_encode(p->missing[i].sha256.b, SHA256_SIZE, hex);
		if ((state = look_again(k, &p->missing[i], hex, &tries)) == DEPOT_TROUBLE) {
			log_warn("store/%.2s/%s", hex, hex);
			return -1;
		}
		(void)snprintf(where, sizeof(where), "leaf %llu", (unsigned long long)p->missing[i].index);
		if (state == DEPOT_GOOD)
			p->good++;
		else
			finding(k, state == DEPOT_ABSENT ? "payload-missing" : "payload-changed", where,
			    "store/%.2s/%s %s", hex, hex, state != DEPOT_ABSENT ? "has other bytes" :
			    "is not there, and no later leaf says that it was purged; one that was purged a moment ago "
			    "is in the next checkpoint: verify again then");
	}
	return 0;
}

void
payloads_free(struct payloads *p)
{
	free(p->seen);
	free(p->missing);
	free(p->purged);
}
