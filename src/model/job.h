/* SPDX-License-Identifier: ISC */
/*
 * A submission's states and the one table of its transitions.  Every change
 * goes through submission_next; an impossible one is a fault of ours.
 * The database holds the same names and the same table (a unit test compares
 * them with schemas/sql).
 */
#ifndef MUHUR_MODEL_JOB_H
#define MUHUR_MODEL_JOB_H

enum submission_state {
	SUB_RECEIVED,	/* on stable storage, not yet judged */
	SUB_HELD,	/* its verification died twice: an operator decides */
	SUB_WAITING,	/* verified, waits for approval [onay] */
	SUB_ACCEPTED,	/* its records are in effect */
	SUB_REJECTED,	/* refused with reasons; nothing of it is in the records */
	SUB_REPEATED,	/* the same bytes as an earlier one, whose notices were given again */
	SUB_REPLACED,	/* accepted, then corrected by a later one */
	SUB_CANCELLED,	/* [iptal] before approval, or not approved in time */
	SUB_STATE_COUNT
};

enum submission_event {
	EV_ACCEPT, EV_REJECT, EV_REPEAT, EV_HOLD, EV_RETRY, EV_WAIT, EV_APPROVE,
	EV_CANCEL, EV_EXPIRE, EV_REPLACE, EV_COUNT
};

const char *submission_state_name(enum submission_state s);	/* "received" */
enum submission_state submission_state_by_name(const char *name);
const char *submission_event_name(enum submission_event e);
/* The state after the event, SUB_STATE_COUNT where it may not happen. */
enum submission_state submission_next(enum submission_state s, enum submission_event e);

#endif
