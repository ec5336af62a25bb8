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
	usec_t		next_look;	/* clock_monotonic */
	usec_t		next_alarm;
};

/* Where time-stamps are asked for, now and then: look at the folder and, in the
 * database, at what was signed since; what lacks its stamp for too long is an alarm, each
 * hour.  0, or -1 on a database error. */
int  stamps_look(struct stamps *st, struct db *db, const struct conf *conf, int trail);
/* The newest stamped checkpoint's size below the folder: 0 none. */
uint64_t stamps_newest(int trail);
/* The largest checkpoint in the newest day's folder that has any: 0 none. */
uint64_t stamps_newest_checkpoint(int trail);

#endif
