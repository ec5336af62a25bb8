/* SPDX-License-Identifier: ISC */
/*
 * Sorted runs of records in a scratch file, and their merging (sort/sorter.h).
 */
#ifndef MUHUR_SORT_RUNS_H
#define MUHUR_SORT_RUNS_H

#include <stddef.h>
#include <stdint.h>

#define RUNS_BUFFER	((size_t)128 * 1024)	/* bytes, while a run is written */

/* The first bytes as a number in the same order; a shorter record is filled up with
 * zeros, so that where two are equal the records themselves are to be compared. */
uint64_t record_prefix(const void *rec, size_t len);
/* <0, 0, >0: the order of all. */
int	record_compare(const void *a, size_t alen, const void *b, size_t blen);

struct runs;
struct runs *runs_new(int scratch);
void	runs_free(struct runs *r);
size_t	runs_count(const struct runs *r);

/* A run is begun, gets its records in their order, and is ended.  0, or -1 with
 * errno. */
void	runs_begin(struct runs *r);
int	runs_put(struct runs *r, const void *rec, size_t len);
int	runs_end(struct runs *r);

/* All runs there are, with so many bytes for what is read of them; no run may
 * come after.  Then the next record: 1, valid until the call after; 0 at the end;
 * -1 with errno. */
int	runs_merge(struct runs *r, size_t memory);
int	runs_next(struct runs *r, const void **rec, size_t *len);

#endif
