/* SPDX-License-Identifier: ISC */
/*
 * The way of a document after it was taken: its row, verification and loading
 * (pair.c), deaths and second tries, the operator's decision, the store.  What
 * is known here may be forgotten at any moment: the spool directory and the
 * database say the same.
 */
#ifndef MUHUR_MUHURD_FLOW_H
#define MUHUR_MUHURD_FLOW_H

#include "msg/proto.h"
#include "muhurd/proc.h"
#include "muhurd/sched.h"

#define FLOW_MAX_KNOWN	10000	/* further ones wait in the spool for a rescan */

enum flow_phase {
	FLOW_ASK,	/* its row is to be made, or its state to be learnt */
	FLOW_ASKED,	/* the directory has the question */
	FLOW_QUEUED,	/* waits for a pair of processes, or has one */
	FLOW_HOLD,	/* to be held */
	FLOW_HOLDING,	/* the directory has been told */
	FLOW_HELD,	/* an operator decides (or, waiting, another member's user) */
	FLOW_STORE,	/* decided: into the store */
};

struct submission {
	struct sched_item item;		/* first; of whichever queue it is in */
	struct m_submission m;
	char	 member[MEMBER_CODE_SIZE];	/* uploader's: whose turn it uses */
	enum flow_phase phase;
	int	 strikes;		/* of processes that died over it */
	int	 alone;			/* its next try has the gateway for itself */
	int	 waiting;		/* in the list of those that wait for a moment */
	usec_t	 not_before;		/* clock_monotonic */
	usec_t	 pause;
	char	 sha256[SHA256_HEX_SIZE];	/* FLOW_STORE */
	struct submission *hash_next;
};

struct flow *flow_new(struct gateway *gw);
void flow_free(struct flow *f);

/* Read the spool; durable at start (spool_scan). */
void flow_rescan(struct gateway *gw, int durable);
void flow_taken(struct gateway *gw, const struct m_submission *m);

int  flow_sub_state(struct gateway *gw, struct msg *m);	/* M_SUB_STATE */
void flow_directory_up(struct gateway *gw);
void flow_directory_gone(struct gateway *gw);
void flow_tick(struct gateway *gw, usec_t now);

/* What came of a try, from pair.c; s is no longer the caller's. */
void flow_decided(struct gateway *gw, struct submission *s, const struct m_submission_state *st);
void flow_again(struct gateway *gw, struct submission *s);	/* our trouble: later */
/* A process died over it.  A crash counts FLOW_CRASH, giving up 1; from
 * FLOW_CRASH on it is tried alone, from FLOW_HOLD_AT on it is held. */
#define FLOW_CRASH	3
#define FLOW_HOLD_AT	6
void flow_strike(struct gateway *gw, struct submission *s, int strikes);

#endif
