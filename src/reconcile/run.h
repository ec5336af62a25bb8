/* SPDX-License-Identifier: ISC */
/*
 * One run of one business day, in one transaction: what it read is one
 * moment's state, and a run that dies leaves nothing (S1 m.32(3)).  The same
 * inputs give the same findings with the same ids, in whatever order they
 * came and whoever runs them.
 */
#ifndef MUHUR_RECONCILE_RUN_H
#define MUHUR_RECONCILE_RUN_H

#include "base/clock.h"
#include "base/conf.h"
#include "pg/db.h"
#include "reconcile/rules.h"

struct run {
	long long	 no;		/* reconcile_run.no */
	date_t		 business_date;
	int		 version;	/* from 1 within the day */
	char		 cause[16];
	usec_t		 started_at;
	long long	 pairs, breaks;	/* breaks: new and continuing */
	long long	 fresh, cured;	/* of findings: new, cured */
	/* no and business_date as parameters of a statement */
	char		 no_text[24];
	char		 date_text[DATE_SIZE];
};

/* Take the oldest due job and run its day.  1 it was run and committed (*run
 * says what), 0 nothing is due or other workers
 * were quicker, -1 trouble: logged, nothing was changed, the
 * job waits a little. */
int  run_next(struct db *db, const struct rules *rules, struct run *run);

/* Queue what is due by the calendar: closed days whose cut-off has passed and
 * that no run has seen, and days whose newest run does not hold exactly the
 * submissions in effect now (one came late, after a run for the cut-off). */
int  run_schedule(struct db *db, const struct conf *conf);

/* What the rules put into pg_temp.found becomes breaks, findings, notices and
 * the event, in the run's transaction.  0, or -1 (logged). */
int  results_store(struct db *db, struct run *run);

#endif
