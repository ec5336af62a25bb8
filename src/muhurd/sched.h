/* SPDX-License-Identifier: ISC */
/*
 * Whose document is verified next: turns go round the members, and the one
 * served longest ago comes first, however much another has sent.  Within a
 * member the oldest goes first; a small document passes large ones only when
 * no slot for a large one is free.  Pure, no I/O.
 */
#ifndef MUHUR_MUHURD_SCHED_H
#define MUHUR_MUHURD_SCHED_H

#include <stddef.h>
#include <stdint.h>

#define SCHED_SMALL	(1024 * 1024)	/* bytes: below it a document is small */

/* Embedded in what is queued; belongs to the queue between push and next. */
struct sched_item {
	struct sched_item *next;
	uint64_t	 order;
	int		 small;
};

struct sched;
struct sched *sched_new(void);
void sched_free(struct sched *s);	/* the items are the caller's */
/* item->small is set by the caller. */
void sched_push(struct sched *s, const char *member, struct sched_item *item);
/* The next one, NULL for none; large_ok = 0 asks for small ones only. */
struct sched_item *sched_next(struct sched *s, int large_ok);
size_t sched_length(const struct sched *s);

#endif
