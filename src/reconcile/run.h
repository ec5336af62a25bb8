/* SPDX-License-Identifier: ISC */
/*
 * One run of one business day, in one transaction: what it read is one
 * moment's state, and a run that dies leaves nothing (S1 m.32(3)).  What it
 * finds, since when, and in which words are the same for the same inputs,
 * in whatever order they came and whoever runs them.  New, continuing and
 * cured say what has changed since the report before; a correction makes a
 * report of its own, so these depend on when it came.
 */
#ifndef MUHUR_RECONCILE_RUN_H
#define MUHUR_RECONCILE_RUN_H

#include "base/clock.h"
#include "base/conf.h"
#include "pg/link.h"
#include "reconcile/rules.h"

/* What a day is reconciled from: the types of class MC_DAY (model/header.h). */
#define DAY_TYPES	"'BalanceReport', 'CustodyReport', 'MovementReport', 'NettingReport', 'HoldingReport', " \
			"'ListingNotice', 'ReferenceData'"
#define SCHEDULE_DAYS	30	/* older days run only where an operator asks */

/* R3's and R4's breaks are of one day each (schemas/rules): only runs of that
 * day have anything to say of them.  b: muhur.break. */
#define OF_ONE_DAY	"b.rule IN ('R3', 'R4')"

/* What runs are made with, all of it the caller's. */
struct run_means {
	struct db	*db;
	struct link	*lane;		/* as the same role, for half the reading of a large day; NULL: none */
	const struct conf *conf;
	const struct rules *rules;
	int		 scratch;	/* base/child.h */
};

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

/* Take the oldest due day and run it.  1 it was run and committed (*run says
 * what), 0 nothing is due or other workers were quicker, -1 trouble: logged,
 * nothing was changed, the job waits a little. */
int  run_next(const struct run_means *m, struct run *run);

/* schedule.c: queue what is due by the calendar: a day at each of its cut-offs
 * where a report that is owed by then is missing and no run has said so, at
 * the last one in any case; and days whose newest run does not hold exactly
 * what is in effect now, or was built on what has changed since. */
int  run_schedule(struct db *db, const struct conf *conf);

/* The rest work in the run's transaction: 0, or -1 (logged). */

/* results.c: what the rules put into pg_temp.found becomes breaks and findings. */
int  results_store(struct db *db, struct run *run);
/* reports.c: who is told of it: notices and the event. */
int  reports_store(struct db *db, const struct run *run);
/* carry.c: keep a digest of all that later days depend on. */
int  carry_store(struct db *db, const struct run *run);
/* Queue the next day that has a run where that was built on another one. */
int  carry_on(struct db *db, const struct run *run);

#endif
