/* SPDX-License-Identifier: ISC */
/*
 * Time.  Inside, a moment is an int64_t of microseconds since 1970 UTC
 * (PostgreSQL's resolution); text is RFC 3339 in UTC.  A business day is a
 * date in Europe/Istanbul: day D is [D-1 23:59, D 23:59) there (Communique
 * III-35/B.2 m.33(2)).  Dates are int32_t days since 1970-01-01.
 * The zone comes from the system's tz database: clock_init loads it, so call
 * it before the sandbox.
 */
#ifndef MUHUR_BASE_CLOCK_H
#define MUHUR_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

typedef int64_t usec_t;
typedef int32_t date_t;

#define USEC_PER_SEC	INT64_C(1000000)

/* offset_s is added to the system's clock: 0 but in tests and rehearsals
 * (setting clock_offset), where its use is logged as a warning. */
void clock_init(int64_t offset_s);
usec_t clock_now(void);
/* For timeouts: does not jump, has no relation to the date. */
usec_t clock_monotonic(void);
/* The same, and goes on while the machine sleeps. */
usec_t clock_boottime(void);
/* The pause after the next failure in a row: twice as long, most at the most. */
static inline usec_t
longer_pause(usec_t pause, usec_t most)
{
	return pause * 2 > most ? most : pause * 2;
}

/* buf takes TIME_SIZE bytes; "2026-11-21T21:27:24.123456Z". */
void time_format(usec_t t, char *buf);
/* xs:dateTime / RFC 3339.  *zoned tells whether a zone stood there; without
 * one the text is read as Europe/Istanbul.  0, or -1 where it is no time, or
 * one that time_format() cannot write: from the year 10000 on in UTC. */
int time_parse(const char *s, usec_t *t, int *zoned);

void date_format(date_t d, char *buf);		/* DATE_SIZE bytes */
int  date_parse(const char *s, date_t *d);	/* 0 or -1; a real calendar day only */

/* The business day that moment t belongs to, the last one closed at t, and
 * the moment a day closes; a time of day hh:mm in Istanbul on date d. */
date_t business_day(usec_t t);
date_t last_closed_day(usec_t t);
usec_t day_close(date_t d);
usec_t istanbul_time(date_t d, int hour, int minute);
/* The calendar date in Istanbul at t. */
date_t istanbul_date(usec_t t);

#endif
