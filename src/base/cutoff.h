/* SPDX-License-Identifier: ISC */
/*
 * Until when the reports of day D are in time: a time of day in Istanbul on D+1,
 * for all of them or for one message type.  The names of types are not known
 * here: see cutoffs_check in model/cutoffs.h.
 */
#ifndef MUHUR_BASE_CUTOFF_H
#define MUHUR_BASE_CUTOFF_H

#include "base/limits.h"

struct cutoff {
	char	 message_type[MESSAGE_TYPE_SIZE];	/* "": every other */
	int	 hour, minute;
};

/* "hh:mm", 00:00 to 23:59.  0, or -1 where it is none. */
int cutoff_parse_time(const char *text, int *hour, int *minute);
/* "MessageType=hh:mm".  0, or -1 where it is no such thing. */
int cutoff_parse(const char *text, struct cutoff *c);

#endif
