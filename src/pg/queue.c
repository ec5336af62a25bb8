/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "pg/queue.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "pg/store.h"

int
queue_add(struct db *db, date_t day, usec_t not_before, const char *cause)
{
	char		 date[DATE_SIZE], when[TIME_SIZE];
	const char	*params[] = { date, when, cause };

	date_format(day, date);
	time_format(not_before, when);
	if (db_prepared_exec(db, "queue_add",
	    "INSERT INTO muhur.reconcile_job (business_date, not_before, cause) "
	    "VALUES ($1, $2, $3)", 3, params) == -1)
		return -1;
	return store_notify(db, CHANNEL_JOB);
}

/*
 * The oldest day first: later ones are built on it.  The row lock alone would
 * let a second worker take another entry of the same day; the advisory lock on
 * the day (given up with the transaction) does not.  The run answers all entries
 * of the day: where an operator's is among them it is the operator's, who wants
 * to know what is missing now.
 */
int
queue_take(struct db *db, usec_t now, struct queue_job *job)
{
	char		 when[TIME_SIZE];
	const char	*params[] = { when };
	PGresult	*res;
	int		 rc = -1;

	time_format(now, when);
	res = db_prepared(db, "queue_take",
	    "WITH job AS MATERIALIZED (SELECT no, business_date, cause "
	    "  FROM muhur.reconcile_job WHERE not_before <= $1 "
	    "  ORDER BY business_date, not_before, no FOR UPDATE SKIP LOCKED LIMIT 1) "
	    "SELECT no, business_date, CASE WHEN EXISTS (SELECT FROM muhur.reconcile_job o "
	    "    WHERE o.business_date = job.business_date AND o.cause = 'operator') "
	    "  THEN 'operator' ELSE cause END FROM job WHERE pg_try_advisory_xact_lock("
	    "  hashtext('muhur.reconcile'), business_date - date '2000-01-01')", 1, params);
	if (res == NULL)
		return -1;
	if (PQntuples(res) == 0) {
		rc = 0;
		goto out;
	}
	job->no = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	if (date_parse(PQgetvalue(res, 0, 1), &job->business_date) == -1 ||
	    str_copy(job->cause, sizeof(job->cause), PQgetvalue(res, 0, 2)) == -1) {
		log_warnx("reconcile_job %lld: unreadable row", job->no);
		goto out;
	}
	rc = 1;
out:
	PQclear(res);
	return rc;
}

int
queue_done(struct db *db, const struct queue_job *job)
{
	char		 date[DATE_SIZE];
	const char	*params[] = { date };

	date_format(job->business_date, date);
	return db_prepared_exec(db, "queue_done",
	    "DELETE FROM muhur.reconcile_job WHERE business_date = $1", 1, params) == -1 ? -1 : 0;
}
