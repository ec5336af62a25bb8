/* SPDX-License-Identifier: ISC */
/*
 * Does the wall clock go as time does?  It is compared with CLOCK_BOOTTIME, which
 * nobody sets.  Where the two have moved apart by more than CLOCK_JUMP at once,
 * the wall clock has jumped, and what cannot be undone (what is over by it) is
 * held, until it is back where it was or has run steadily for a while: then it
 * is the time.  Less than that at once is the slewing of an NTP client.
 */
#ifndef MUHUR_BASE_STEADY_H
#define MUHUR_BASE_STEADY_H

#include "base/clock.h"

struct steady {
	usec_t	 accepted;	/* wall clock - boot time, while it was believed */
	usec_t	 seen;		/* the same, at the last look */
	usec_t	 since;		/* boot time: it runs steadily since then */
	int	 held;
};

enum steady_news {
	STEADY_SAME,
	STEADY_JUMPED,		/* held from now on; or again, and the time begins anew */
	STEADY_BACK,		/* it is back where it was: nothing is held any more */
	STEADY_TAKEN		/* it has run steadily: as before, by the new time */
};

/* At a start: by is how far the wall clock is from what is known of the past,
 * 0 for not at all: then nothing is held. */
void steady_begin(struct steady *s, usec_t wall, usec_t boot, usec_t by);
/* settle: how long the clock has to run steadily. */
enum steady_news steady_look(struct steady *s, usec_t wall, usec_t boot, usec_t settle);
/* By how much it is held, or was before the news: forward where positive. */
usec_t steady_by(const struct steady *s);

#endif
