/* SPDX-License-Identifier: ISC */
/*
 * The queue of days to reconcile, muhur.reconcile_job.  A day may wait more
 * than once: a submission that is accepted while its day is being reconciled
 * queues the day again, since that run's snapshot may not hold it.  The run
 * removes the entries that its snapshot shows and no others, so nothing that
 * came in between is lost and nothing waits for a run to end.
 */
#ifndef MUHUR_PG_QUEUE_H
#define MUHUR_PG_QUEUE_H

#include "base/clock.h"
#include "pg/db.h"

struct queue_job {
	long long	 no;
	date_t		 business_date;
	char		 cause[16];	/* complete, cut-off, correction, operator */
};

/* Queue a day and wake the workers (CHANNEL_JOB), when the caller's
 * transaction commits.  0 or -1. */
int  queue_add(struct db *db, date_t day, usec_t not_before, const char *cause);
/* The oldest business day that is due, locked until the caller's transaction ends: 1, 0
 * nothing is due or another worker has it, -1.  No other worker then takes the
 * same day.  Call it as the first statement of a REPEATABLE READ transaction. */
int  queue_take(struct db *db, usec_t now, struct queue_job *job);
/* In the same transaction: every entry of that day the snapshot shows is done. */
int  queue_done(struct db *db, const struct queue_job *job);

#endif
