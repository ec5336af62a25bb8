/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sort/runs.h"
#include "sort/sorter.h"

#define RADIX_BITS	8
#define RADIX_SIZE	(1 << RADIX_BITS)
#define INSERTION_MAX	16	/* entries; more are merged */

/* Of a record in memory: its prefix, and where it is, behind its length. */
struct entry {
	uint64_t	 prefix;
	const uint8_t	*at;
};

struct sorter {
	/* records from below, their entries from above, and as much again where the
	 * entries are sorted: memory for them is what a record takes beside itself */
	uint8_t		*arena;
	size_t		 used, size;
	struct entry	*entries, *other;
	size_t		 n, max;
	struct runs	*runs;		/* in the scratch file */
	size_t		 next;		/* entry, where there are no runs */
};

/* A record is some 60 bytes: entries for as many as the arena then holds. */
#define RECORD_GUESS	48
#define RECORD_COST	(RECORD_GUESS + sizeof(uint16_t) + 2 * sizeof(struct entry))

struct sorter *
sorter_new(int scratch, size_t memory)
{
	struct sorter *s = xcalloc(1, sizeof(*s));

	if (memory < SORTER_MEMORY_MIN)
		memory = SORTER_MEMORY_MIN;
	memory -= RUNS_BUFFER;
	s->max = memory / RECORD_COST;
	s->size = memory - s->max * 2 * sizeof(struct entry);
	s->arena = xreallocarray(NULL, s->size, 1);
	s->entries = xreallocarray(NULL, s->max, sizeof(*s->entries));
	s->other = xreallocarray(NULL, s->max, sizeof(*s->other));
	s->runs = runs_new(scratch);
	return s;
}

static void
free_memory(struct sorter *s)
{
	free(s->arena);
	free(s->entries);
	free(s->other);
	s->arena = NULL;
	s->entries = s->other = NULL;
}

void
sorter_free(struct sorter *s)
{
	if (s == NULL)
		return;
	free_memory(s);
	runs_free(s->runs);
	free(s);
}

/* --- in memory ---------------------------------------------------------------- */

static size_t
length(const struct entry *e)
{
	uint16_t len;

	memcpy(&len, e->at, sizeof(len));
	return len;
}

static int
compare(const struct entry *a, const struct entry *b)
{
	return record_compare(a->at + sizeof(uint16_t), length(a), b->at + sizeof(uint16_t), length(b));
}

static void
insertion_sort(struct entry *e, size_t n)
{
	struct entry moved;
	size_t i, j;

	for (i = 1; i < n; i++) {
		moved = e[i];
		for (j = i; j > 0 && compare(&e[j - 1], &moved) > 0; j--)
			e[j] = e[j - 1];
		e[j] = moved;
	}
}

/* Of entries with one prefix; room is for n / 2.  Not qsort(3), which takes
 * memory of its own. */
static void
sort_group(struct entry *e, size_t n, struct entry *room)
{
	size_t half = n / 2, i = 0, j = half, k = 0;

	if (n <= INSERTION_MAX) {
		insertion_sort(e, n);
		return;
	}
	sort_group(e, half, room);
	sort_group(e + half, n - half, room);
	memcpy(room, e, half * sizeof(*e));
	while (i < half && j < n)
		e[k++] = compare(&room[i], &e[j]) <= 0 ? room[i++] : e[j++];
	memcpy(e + k, room + i, (half - i) * sizeof(*e));
}

/* Least significant byte first; a byte that is the same in all is passed over. */
static void
radix_sort(struct sorter *s)
{
	size_t count[RADIX_SIZE], i, sum, n;
	struct entry *from, *to;
	unsigned shift, b;

	for (shift = 0; shift < 64; shift += RADIX_BITS) {
		from = s->entries;
		to = s->other;
		memset(count, 0, sizeof(count));
		for (i = 0; i < s->n; i++)
			count[from[i].prefix >> shift & (RADIX_SIZE - 1)]++;
		if (count[from[0].prefix >> shift & (RADIX_SIZE - 1)] == s->n)
			continue;
		for (b = 0, sum = 0; b < RADIX_SIZE; b++) {
			n = count[b];
			count[b] = sum;
			sum += n;
		}
		for (i = 0; i < s->n; i++)
			to[count[from[i].prefix >> shift & (RADIX_SIZE - 1)]++] = from[i];
		s->entries = to;
		s->other = from;
	}
}

static void
sort_entries(struct sorter *s)
{
	size_t i, first;

	if (s->n < 2)
		return;
	radix_sort(s);
	for (first = 0; first < s->n; first = i) {
		for (i = first + 1; i < s->n && s->entries[i].prefix == s->entries[first].prefix; i++)
			continue;
		sort_group(s->entries + first, i - first, s->other);
	}
}

/* --- adding ------------------------------------------------------------------- */

/* What is in memory becomes a run. */
static int
spill(struct sorter *s)
{
	size_t i;

	sort_entries(s);
	runs_begin(s->runs);
	for (i = 0; i < s->n; i++)
		if (runs_put(s->runs, s->entries[i].at + sizeof(uint16_t), length(&s->entries[i])) == -1)
			return -1;
	s->n = s->used = 0;
	return runs_end(s->runs);
}

int
sorter_add(struct sorter *s, const void *rec, size_t len)
{
	uint16_t head = (uint16_t)len;
	struct entry *e;

	if (len > SORTER_RECORD_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	if ((s->n == s->max || s->size - s->used < sizeof(head) + len) && spill(s) == -1)
		return -1;
	e = &s->entries[s->n++];
	e->prefix = record_prefix(rec, len);
	e->at = s->arena + s->used;
	memcpy(s->arena + s->used, &head, sizeof(head));
	memcpy(s->arena + s->used + sizeof(head), rec, len);
	s->used += sizeof(head) + len;
	return 0;
}

int
sorter_sort(struct sorter *s)
{
	size_t memory = s->size + s->max * 2 * sizeof(struct entry);

	if (runs_count(s->runs) == 0) {
		sort_entries(s);
		return 0;
	}
	if (s->n > 0 && spill(s) == -1)
		return -1;
	free_memory(s);
	return runs_merge(s->runs, memory);
}

int
sorter_next(struct sorter *s, const void **rec, size_t *len)
{
	const struct entry *e;

	if (runs_count(s->runs) > 0)
		return runs_next(s->runs, rec, len);
	if (s->next == s->n)
		return 0;
	e = &s->entries[s->next++];
	*rec = e->at + sizeof(uint16_t);
	*len = length(e);
	return 1;
}
