/* SPDX-License-Identifier: ISC */
/*
 * The background pass: reads every document of the store, in the order of their
 * names and no faster than it may, and compares it with its name.  Its place is
 * kept in store/.cursor, so that after a restart it goes on with the document at
 * which it was.  A pass begins a day after the one before it began.  Of several
 * archive processes on one store only one does it.
 */
#ifndef MUHUR_ARCHIVE_PASS_H
#define MUHUR_ARCHIVE_PASS_H

#include <stdint.h>

#include "base/clock.h"
#include "msg/proto.h"

struct pass;
/* store: the folder, stays the caller's; rate: bytes of documents a second. */
struct pass *pass_new(int store, int64_t rate);
void	pass_free(struct pass *p);

/* A bounded part of the work that is due: 1 where there are news, one that has
 * rotted (logged), or the pass's end.  Until pass_kept says that they are written
 * it does nothing more, and a restart comes to them again. */
int	pass_step(struct pass *p, usec_t monotonic, struct m_pass *news);
void	pass_kept(struct pass *p, usec_t monotonic);
/* When there is something to do, clock_monotonic. */
usec_t	pass_due(const struct pass *p);

#endif
