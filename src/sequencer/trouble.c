/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/file.h>

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "sequencer/trouble.h"

#define RETRY_TIME	(5 * USEC_PER_SEC)	/* after trouble with the folder */

void
drop_writer(struct sequencer *s)
{
	/* what is numbered meanwhile is found again in the database */
	if (s->asked)
		PQclear(db_take(&s->link.db, "trail_number"));
	s->asked = 0;
	tile_writer_free(s->writer);
	s->writer = NULL;
}

void
refuse(struct sequencer *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
	drop_writer(s);
	if (s->refused_since == 0)
		s->refused_since = clock_now();
	s->state = SEQUENCER_REFUSES;
	s->next_look = clock_monotonic() + ALARM_TIME;
	s->next_report = 0;
	log_alarm("trail: %s: %s", s->stands_by ? "another one works, this one would not" :
	    "nothing is numbered or signed any more, events wait", s->why);
}

void
begin_again(struct sequencer *s, usec_t pause)
{
	drop_writer(s);
	s->state = SEQUENCER_WAITS;
	s->next_look = clock_monotonic() + pause;
}

void
database_trouble(struct sequencer *s)
{
	begin_again(s, LOOK_TIME);
	link_recover(&s->link);
}

void
folder_trouble(struct sequencer *s)
{
	if (clock_monotonic() >= s->next_alarm) {
		s->next_alarm = clock_monotonic() + ALARM_TIME;
		log_alarm("trail: cannot be written, events wait; it is tried again");
	}
	s->lets_go = 1;
	begin_again(s, RETRY_TIME);
}

void
let_go(struct sequencer *s)
{
	s->lets_go = 0;
	(void)flock(s->trail, LOCK_UN);
	/* all: it may have been taken more than once */
	if (db_prepared_exec(&s->link.db, "trail_unlock", "SELECT pg_advisory_unlock_all()", 0, NULL) == -1)
		database_trouble(s);
}
