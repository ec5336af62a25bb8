/* SPDX-License-Identifier: ISC */
/* What has been given out, or is not to be given out again for a while: names
 * (a notice's id, a document's SHA-256), each until its time is over. */
#ifndef MUHUR_LOAD_GIVEN_H
#define MUHUR_LOAD_GIVEN_H

#include "base/clock.h"
#include "base/mem.h"
#include "model/ident.h"

struct given {
	char	 name[SHA256_HEX_SIZE];
	usec_t	 until;		/* clock_monotonic: forgotten then, so given anew */
};
struct given_list { struct given *v; size_t n; };	/* zero-initialised: empty */

void given_add(struct given_list *l, const char *name, usec_t duration);
/* 1 where it was there. */
int given_remove(struct given_list *l, const char *name);
/* How many there are whose time is not over; the others are dropped. */
size_t given_count(struct given_list *l);
/* Those names behind what is in b already (load/array.h). */
void given_to_array(struct given_list *l, struct buf *b);
void given_free(struct given_list *l);

#endif
