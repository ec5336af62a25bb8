/* SPDX-License-Identifier: ISC */
/*
 * The bulk lines of a notice, for the signer: muhur.notice_lines in COPY's text
 * form, and behind the last of them a line that counts them.
 */
#ifndef MUHUR_LOAD_LINES_H
#define MUHUR_LOAD_LINES_H

#include "base/mem.h"
#include "base/clock.h"
#include "pg/db.h"

#define LINES_CHUNK	65536	/* bytes written at once */

struct lines {
	struct buf	 b;		/* whole lines, not written yet */
	int		 fd;
};
/* Write what is in the buffer, where it is LINES_CHUNK or more; or whatever is.
 * 0, or -1 (logged). */
int  lines_put(struct lines *l);
int  lines_flush(struct lines *l);

/* The lines to fd, which is closed.  scratch: base/child.h.  Where anything fails
 * (logged) the last line is missing, and the signer builds nothing. */
void lines_send(struct db *db, const char *notice_id, int scratch, int fd);

/* central.c: the lines of a CentralRegistryReport, which may be the whole day's
 * balances, as muhur.central_lines has them: added up and sorted here, in a
 * fraction of the server's time, within its work_mem.  How many there were, or
 * -1 (logged). */
long long central_lines(struct db *db, long long run, date_t day, int scratch, struct lines *l);

#endif
