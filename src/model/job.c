/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "model/job.h"

static const char *const states[SUB_STATE_COUNT] = {
	[SUB_RECEIVED] = "received",
	[SUB_HELD] = "held",
	[SUB_WAITING] = "waiting",
	[SUB_ACCEPTED] = "accepted",
	[SUB_REJECTED] = "rejected",
	[SUB_REPEATED] = "repeated",
	[SUB_REPLACED] = "replaced",
	[SUB_CANCELLED] = "cancelled",
};

static const char *const events[EV_COUNT] = {
	[EV_ACCEPT] = "accept",
	[EV_REJECT] = "reject",
	[EV_REPEAT] = "repeat",
	[EV_HOLD] = "hold",
	[EV_RETRY] = "retry",
	[EV_WAIT] = "wait",
	[EV_APPROVE] = "approve",
	[EV_CANCEL] = "cancel",
	[EV_EXPIRE] = "expire",
	[EV_REPLACE] = "replace",
};

/*
 * What may happen.  After approval nothing is cancelled or edited (S2 A):
 * an accepted one can only be replaced by a correcting submission, and what
 * was refused, repeated, replaced or cancelled stays so.
 */
static const struct {
	enum submission_state	from;
	enum submission_event	event;
	enum submission_state	to;
} transitions[] = {
	{ SUB_RECEIVED,	EV_ACCEPT,	SUB_ACCEPTED },
	{ SUB_RECEIVED,	EV_REJECT,	SUB_REJECTED },
	{ SUB_RECEIVED,	EV_REPEAT,	SUB_REPEATED },
	{ SUB_RECEIVED,	EV_HOLD,	SUB_HELD },
	{ SUB_RECEIVED,	EV_WAIT,	SUB_WAITING },
	{ SUB_HELD,	EV_RETRY,	SUB_RECEIVED },
	{ SUB_HELD,	EV_REJECT,	SUB_REJECTED },
	{ SUB_WAITING,	EV_APPROVE,	SUB_ACCEPTED },
	{ SUB_WAITING,	EV_CANCEL,	SUB_CANCELLED },
	{ SUB_WAITING,	EV_EXPIRE,	SUB_CANCELLED },
	{ SUB_ACCEPTED,	EV_REPLACE,	SUB_REPLACED },
};

const char *
submission_state_name(enum submission_state s)
{
	return states[s];
}

enum submission_state
submission_state_by_name(const char *name)
{
	int s;

	for (s = 0; s < SUB_STATE_COUNT; s++) {
		if (strcmp(states[s], name) == 0)
			break;
	}
	return (enum submission_state)s;
}

const char *
submission_event_name(enum submission_event e)
{
	return events[e];
}

enum submission_state
submission_next(enum submission_state s, enum submission_event e)
{
	size_t i;

	for (i = 0; i < sizeof(transitions) / sizeof(transitions[0]); i++) {
		if (transitions[i].from == s && transitions[i].event == e)
			return transitions[i].to;
	}
	return SUB_STATE_COUNT;
}
