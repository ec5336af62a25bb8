/* SPDX-License-Identifier: ISC */
/*
 * Writing down what was decided about a submission: state, reasons, event,
 * notices, the day's place in the queue; all in the caller's transaction.
 * Used by the worker and, for an operator's decision, by the directory.
 */
#ifndef MUHUR_LOAD_OUTCOME_H
#define MUHUR_LOAD_OUTCOME_H

#include "base/conf.h"
#include "model/header.h"
#include "model/job.h"
#include "model/reason.h"
#include "msg/proto.h"
#include "pg/db.h"

struct outcome {
	long long	 no;			/* submission.no */
	const struct m_submission *sub;
	const char	*member;		/* who answers for it, gets the notices */
	enum submission_event event;		/* accept, wait, reject, repeat, hold */
	const struct m_verdict *verdict;	/* NULL: none (operator's rejection) */
	const char	*sha256;		/* of the bytes where there is no verdict; NULL unknown */
	const struct header *header;		/* NULL: none that could be trusted */
	const struct reasons *reasons;		/* EV_REJECT */
	int		 counted, reserves_id;
	long long	 replaces;		/* no of the corrected one, 0 none */
	long long	 repeat_of;		/* EV_REPEAT */
	const char	*actor;			/* of the event */
	usec_t		 decided_at;		/* EV_APPROVE: receipt of the Approval */
};
/* The state that the event leads to from `received' (or `from'), fatal where
 * the table of model/job.h knows no such way.  0 or -1 (logged). */
int  outcome_write(struct db *db, const struct conf *conf, const struct outcome *o,
    enum submission_state from, enum submission_state *to);
/* What waited is approved, cancelled or dropped (EV_APPROVE, EV_CANCEL,
 * EV_EXPIRE with its reasons): o->no, sub, member, sha256, replaces, actor and the
 * header's type and business date are its own; decided_by: no of the submission that
 * decided, 0 the clock.  Fails where it does not wait any more. */
int  outcome_settle(struct db *db, const struct conf *conf, const struct outcome *o,
    long long decided_by, enum submission_state *to);
/* The same for what needs no verdict (hold, retry, reject by an operator):
 * touches only what the directory's role may. */
int  outcome_operator(struct db *db, const struct outcome *o, enum submission_state from,
    enum submission_state *to);
/* Until when what waits has to be decided: the first cut-off of its type, of its
 * day's or a later day's, after it was received. */
usec_t outcome_deadline(const struct conf *conf, const char *message_type, date_t business_date,
    usec_t received_at);

#endif
