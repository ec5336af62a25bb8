/* SPDX-License-Identifier: ISC */
/*
 * Are checkpoints time-stamped?  `muhur trail stamp' writes checkpoints/<day>/<size>.tsr;
 * the sequencer looks for the newest one.  A stamp covers what lies before it too, since
 * the log only grows: so what lacks one is every checkpoint after the newest stamped.
 */
#ifndef MUHUR_SEQUENCER_STAMPS_H
#define MUHUR_SEQUENCER_STAMPS_H

#include "base/conf.h"
#include "pg/db.h"

struct stamps {
	uint64_t	size;		/* of the newest checkpoint that has its stamp, 0 none */
	usec_t		unstamped_since;	/* the oldest after it, signed then; 0 none */
	int		looked;		/* size is known from the folder */
	usec_t		next_look;	/* clock_monotonic */
	usec_t		next_alarm;
};

/* Where time-stamps are asked for, now and then: look for the stamps of what the
 * database has recorded since the last one known; what lacks its stamp for too long is an alarm, each
 * hour.  0, or -1 on a database error. */
int  stamps_look(struct stamps *st, struct db *db, const struct conf *conf, int trail);
/* The greatest of checkpoints/<day>/<size><end>, 0 none: of all days, for a clock that
 * was wrong once has put one into a day that comes later.  0, or -1 (logged). */
int  stamps_greatest(int trail, const char *end, uint64_t *greatest);

#endif
