/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/mem.h"
#include "sort/runs.h"
#include "sort/sorter.h"

#define PREFIX_SIZE	sizeof(uint64_t)
/* In the file a record is its length and its bytes. */
#define HEAD_SIZE	sizeof(uint16_t)
#define SOURCE_MIN	((size_t)16 * 1024)	/* bytes read of a run at once, at least */

_Static_assert(SOURCE_MIN > HEAD_SIZE + SORTER_RECORD_MAX, "a record must fit");
_Static_assert(SORTER_RECORD_MAX <= UINT16_MAX, "a length must fit");
_Static_assert(SORTER_MEMORY_MIN / 2 > 2 * SOURCE_MIN, "two runs at least must be merged at once");

struct run {
	off_t		 at, end;	/* in the file */
	uint64_t	 sum;		/* of its records, see mix */
};

/* A run that is being read. */
struct source {
	struct run	 left;		/* not read yet */
	uint8_t		*buf;
	size_t		 have, pos;	/* bytes in buf, behind the record */
	const uint8_t	*rec;		/* in buf */
	size_t		 len;
	uint64_t	 prefix;
	uint64_t	 sum;		/* of those that were read */
};

struct runs {
	int		 fd;
	struct run	*runs;		/* array that grows */
	size_t		 n;
	/* writing */
	uint8_t		*out;		/* RUNS_BUFFER bytes */
	size_t		 used;
	off_t		 end;		/* of the file */
	/* merging */
	uint8_t		*memory;	/* of all sources */
	size_t		 source_size;
	struct source	*sources;
	size_t		*heap;		/* of sources, the least first */
	size_t		 nheap;
	int		 given;		/* the first of the heap has been given out */
};

uint64_t
record_prefix(const void *rec, size_t len)
{
	uint8_t b[PREFIX_SIZE] = { 0 };
	uint64_t v = 0;
	size_t i;

	memcpy(b, rec, len < PREFIX_SIZE ? len : PREFIX_SIZE);
	for (i = 0; i < PREFIX_SIZE; i++)
		v = v << 8 | b[i];
	return v;
}

int
record_compare(const void *a, size_t alen, const void *b, size_t blen)
{
	int c = memcmp(a, b, alen < blen ? alen : blen);

	return c != 0 ? c : (alen > blen) - (alen < blen);
}

/* Bytes that a disk gives back otherwise than they were written, not an enemy's. */
static uint64_t
mix_word(uint64_t sum, const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return sum ^ sum >> 32;
}

/* The last word may have bytes of the one before again: it is there at once. */
static uint64_t
mix(uint64_t sum, const uint8_t *p, size_t len)
{
	uint8_t few[sizeof(uint64_t)] = { 0 };
	size_t i;

	if (len < sizeof(few)) {
		memcpy(few, p, len);
		return mix_word(sum, few);
	}
	for (i = 0; i + sizeof(few) <= len; i += sizeof(few))
		sum = mix_word(sum, p + i);
	return i < len ? mix_word(sum, p + len - sizeof(few)) : sum;
}

struct runs *
runs_new(int scratch)
{
	struct runs *r = xcalloc(1, sizeof(*r));

	r->fd = scratch;
	return r;
}

static void
free_sources(struct runs *r)
{
	free(r->memory);
	free(r->sources);
	free(r->heap);
	r->memory = NULL;
	r->sources = NULL;
	r->heap = NULL;
}

void
runs_free(struct runs *r)
{
	if (r == NULL)
		return;
	(void)!ftruncate(r->fd, 0);	/* a failed write may have left something, too */
	free_sources(r);
	free(r->runs);
	free(r->out);
	free(r);
}

size_t
runs_count(const struct runs *r)
{
	return r->n;
}

/* --- writing -------------------------------------------------------------------- */

static int
flush(struct runs *r)
{
	if (pwrite_full(r->fd, r->out, r->used, r->end) == -1)
		return -1;
	r->end += (off_t)r->used;
	r->used = 0;
	return 0;
}

void
runs_begin(struct runs *r)
{
	if (r->out == NULL)
		r->out = xreallocarray(NULL, RUNS_BUFFER, 1);
	r->runs = xreallocarray(r->runs, r->n + 1, sizeof(*r->runs));
	r->runs[r->n++] = (struct run){ .at = r->end, .end = r->end };
}

int
runs_put(struct runs *r, const void *rec, size_t len)
{
	uint16_t head = (uint16_t)len;

	if (RUNS_BUFFER - r->used < HEAD_SIZE + len && flush(r) == -1)
		return -1;
	memcpy(r->out + r->used, &head, HEAD_SIZE);
	memcpy(r->out + r->used + HEAD_SIZE, rec, len);
	r->used += HEAD_SIZE + len;
	r->runs[r->n - 1].sum = mix(r->runs[r->n - 1].sum, rec, len);
	return 0;
}

int
runs_end(struct runs *r)
{
	if (flush(r) == -1)
		return -1;
	r->runs[r->n - 1].end = r->end;
	return 0;
}

/* --- reading -------------------------------------------------------------------- */

/* More of the run, behind what is left in the buffer. */
static int
refill(struct runs *r, struct source *s)
{
	size_t room, want;
	ssize_t n;

	s->have -= s->pos;
	memmove(s->buf, s->buf + s->pos, s->have);
	s->pos = 0;
	room = r->source_size - s->have;
	want = s->left.end - s->left.at < (off_t)room ? (size_t)(s->left.end - s->left.at) : room;
	if ((n = pread_full(r->fd, s->buf + s->have, want, s->left.at)) == -1)
		return -1;
	s->have += (size_t)n;
	s->left.at += n;
	errno = EIO;
	return (size_t)n == want ? 0 : -1;
}

/* The run's next record: 1, 0 at its end, -1 with errno. */
static int
source_next(struct runs *r, struct source *s)
{
	uint16_t head;

	if (s->have - s->pos < HEAD_SIZE + SORTER_RECORD_MAX && s->left.at < s->left.end && refill(r, s) == -1)
		return -1;
	errno = EIO;
	if (s->pos == s->have)
		return s->sum == s->left.sum ? 0 : -1;
	if (s->have - s->pos < HEAD_SIZE)
		return -1;
	memcpy(&head, s->buf + s->pos, HEAD_SIZE);
	s->len = head;
	if (s->len > s->have - s->pos - HEAD_SIZE)
		return -1;
	s->rec = s->buf + s->pos + HEAD_SIZE;
	s->pos += HEAD_SIZE + s->len;
	s->prefix = record_prefix(s->rec, s->len);
	s->sum = mix(s->sum, s->rec, s->len);
	return 1;
}

/* --- merging -------------------------------------------------------------------- */

static int
before(const struct source *a, const struct source *b)
{
	if (a->prefix != b->prefix)
		return a->prefix < b->prefix;
	return record_compare(a->rec, a->len, b->rec, b->len) < 0;
}

static void
sift_down(struct runs *r, size_t i)
{
	size_t child, moved = r->heap[i];

	while ((child = 2 * i + 1) < r->nheap) {
		if (child + 1 < r->nheap && before(&r->sources[r->heap[child + 1]], &r->sources[r->heap[child]]))
			child++;
		if (!before(&r->sources[r->heap[child]], &r->sources[moved]))
			break;
		r->heap[i] = r->heap[child];
		i = child;
	}
	r->heap[i] = moved;
}

/* The first n runs, from their beginnings. */
static int
open_sources(struct runs *r, size_t n, size_t memory)
{
	size_t i;
	int rc;

	r->source_size = memory / n;
	r->memory = xreallocarray(NULL, n, r->source_size);
	r->sources = xcalloc(n, sizeof(*r->sources));
	r->heap = xcalloc(n, sizeof(*r->heap));
	r->nheap = 0;
	r->given = 0;
	for (i = 0; i < n; i++) {
		r->sources[i].left = r->runs[i];
		r->sources[i].buf = r->memory + i * r->source_size;
		if ((rc = source_next(r, &r->sources[i])) == -1)
			return -1;
		if (rc == 1)
			r->heap[r->nheap++] = i;
	}
	for (i = r->nheap / 2; i-- > 0;)
		sift_down(r, i);
	return 0;
}

int
runs_next(struct runs *r, const void **rec, size_t *len)
{
	struct source *s;
	int rc;

	if (r->given) {
		if ((rc = source_next(r, &r->sources[r->heap[0]])) == -1)
			return -1;
		if (rc == 0)
			r->heap[0] = r->heap[--r->nheap];
		sift_down(r, 0);
	}
	r->given = r->nheap > 0;
	if (r->nheap == 0)
		return 0;
	s = &r->sources[r->heap[0]];
	*rec = s->rec;
	*len = s->len;
	return 1;
}

/* The first n runs become one, the last. */
static int
merge_some(struct runs *r, size_t n, size_t memory)
{
	const void *rec;
	size_t len;
	int rc;

	if (open_sources(r, n, memory) == -1)
		return -1;
	runs_begin(r);
	while ((rc = runs_next(r, &rec, &len)) == 1)
		if (runs_put(r, rec, len) == -1)
			return -1;
	if (rc == -1 || runs_end(r) == -1)
		return -1;
	free_sources(r);
	r->n -= n;
	memmove(r->runs, r->runs + n, r->n * sizeof(*r->runs));
	return 0;
}

int
runs_merge(struct runs *r, size_t memory)
{
	size_t most = memory / SOURCE_MIN, n;

	/* no more of them than need be, since each is then in the file twice */
	while (r->n > most) {
		n = r->n - most + 1;
		if (merge_some(r, n < most ? n : most, memory) == -1)
			return -1;
	}
	free(r->out);
	r->out = NULL;
	return open_sources(r, r->n, memory);
}
