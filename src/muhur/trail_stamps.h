/* SPDX-License-Identifier: ISC */
/* The time-stamps beside a log's checkpoints, judged. */
#ifndef MUHUR_MUHUR_TRAIL_STAMPS_H
#define MUHUR_MUHUR_TRAIL_STAMPS_H

#include "muhur/trail_log.h"
#include "xml/stamp.h"

/* By --tsa, or the configuration's anchors where the log is the configuration's; by
 * none: stamps must fit, who gave them is not judged.  An exit code (logged); r->tsa is
 * the caller's to free. */
int	trail_stamp_rules(struct cmd *c, const struct trail_places *p, struct stamp_rules *r);
/* The stamp of a checkpoint whose note this is, of whichever day: TIMESTAMP_NONE where
 * there is none. */
void	trail_stamp_of(int dir, uint64_t size, const struct buf *note, const struct stamp_rules *r,
	    struct timestamp *t);
/* The same, of the checkpoint in that day's folder. */
void	trail_stamp_in(int dir, const char *day, uint64_t size, const struct buf *note,
	    const struct stamp_rules *r, struct timestamp *t);

#endif
