/* SPDX-License-Identifier: ISC */
/*
 * What was found of a signature's time-stamps (XAdES SignatureTimeStamp, ETSI
 * EN 319 132-1 5.3).  They are unsigned properties, which anybody may add, take
 * away or spoil: so this is told, and decides nothing (EN 319 102-1 5.6.3 drops
 * one that does not verify just so).
 */
#ifndef MUHUR_MODEL_TIMESTAMP_H
#define MUHUR_MODEL_TIMESTAMP_H

#include "base/clock.h"
#include "base/limits.h"

enum timestamp_state {
	TIMESTAMP_NONE,		/* there is none */
	TIMESTAMP_NOT_JUDGED,	/* no authority's anchors are known, or the signature failed */
	TIMESTAMP_GOOD,		/* all of them verify */
	TIMESTAMP_BAD,		/* one does not: why says why */
	TIMESTAMP_STATE_COUNT
};
const char *timestamp_state_name(enum timestamp_state s);	/* "none", "not-judged", ... */

struct timestamp {
	enum timestamp_state state;
	usec_t	 at;			/* of a good one: what the (earliest) token says; else 0 */
	char	 authority[DN_SIZE];	/* of that token: who signed it, RFC 4514; else "" */
	char	 why[TIMESTAMP_WHY_SIZE];	/* English, "" for a good one */
};

/* What is known of several, one after another: the worst counts, and of good
 * ones the earliest. */
void timestamp_merge(struct timestamp *all, const struct timestamp *one);

#endif
