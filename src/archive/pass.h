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

enum pass_news { PASS_NOTHING, PASS_ROT, PASS_ENDED };
/* A bounded part of the work that is due.  Tells of what it found: one that has
 * rotted (*rot; logged), or that it has come to the end (*end). */
enum pass_news pass_step(struct pass *p, usec_t monotonic, struct m_document *rot, struct m_pass *end);
/* When there is something to do, clock_monotonic. */
usec_t	pass_due(const struct pass *p);

#endif
