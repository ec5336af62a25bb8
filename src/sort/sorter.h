/* SPDX-License-Identifier: ISC */
/*
 * Sorts byte strings of any number in bounded memory: what does not fit goes
 * to a scratch file in sorted runs, which are merged as they are read.  The
 * order is memcmp's, a shorter one before a longer one that begins with it.
 * It is quickest where the first eight bytes are many different ones, and
 * right in any case.
 */
#ifndef MUHUR_SORT_SORTER_H
#define MUHUR_SORT_SORTER_H

#include <stddef.h>

#define SORTER_MEMORY_MIN	((size_t)4 * 1024 * 1024)	/* bytes */
#define SORTER_RECORD_MAX	((size_t)4096)			/* bytes of a record */

struct sorter;

/* scratch: open for reading and writing, this sorter's alone while it lives, and
 * the caller's to close.  memory: bytes it may take, at least SORTER_MEMORY_MIN
 * (less counts as that). */
struct sorter *sorter_new(int scratch, size_t memory);
/* The scratch file is empty afterwards.  NULL is fine. */
void	sorter_free(struct sorter *s);

/* rec is copied.  0, or -1 with errno: of the scratch file; EMSGSIZE: too long. */
int	sorter_add(struct sorter *s, const void *rec, size_t len);
/* No more are added: the first is next.  0, or -1 with errno. */
int	sorter_sort(struct sorter *s);
/* The next in order, valid until the call after: 1; 0 at the end; -1 with errno
 * (EIO: the scratch file is not what was written, which may show at the end only). */
int	sorter_next(struct sorter *s, const void **rec, size_t *len);

#endif
