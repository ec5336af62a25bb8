/* SPDX-License-Identifier: ISC */
/*
 * The second step (S2 A): an Approval [onay] puts a submission that waits into
 * effect, a Cancellation [iptal] takes it back; what is not approved by the
 * cut-off is dropped.  The submission itself was judged when it came; here it is
 * judged who decides about it, and whether it can still take effect.
 */
#ifndef MUHUR_LOAD_APPROVAL_H
#define MUHUR_LOAD_APPROVAL_H

#include "base/conf.h"
#include "load/authority.h"
#include "load/outcome.h"
#include "model/header.h"
#include "model/reason.h"
#include "pg/db.h"

/* A submission that waits, or was meant to. */
struct target {
	long long	 no;			/* 0: there is none of that MessageId */
	struct m_submission sub;		/* id, uploader, file name */
	enum submission_state state;
	char		 sha256[SHA256_HEX_SIZE];
	char		 wanted[SHA256_HEX_SIZE];	/* what the approver saw */
	char		 message_id[MESSAGE_ID_SIZE];	/* as the approver writes it */
	char		 message_type[MESSAGE_TYPE_SIZE];
	char		 user[USER_CODE_SIZE];		/* who entered it */
	date_t		 business_date;
	usec_t		 deadline;		/* the cut-off until which it waits */
	usec_t		 decided_at;		/* when the Approval was received */
	long long	 replaces;
	int		 replaces_in_effect;	/* what it corrects is still accepted */
	/* at the moment of the approval, for the target's type */
	int		 may_enter, may_approve;	/* who approves */
	int		 entry_right;			/* who entered it, still */
	int		 needs_two;
};

/* What the records of the Approval f->no name; under the member's lock.  0 or -1. */
int  approval_target(struct db *db, const struct conf *conf, const struct facts *f,
    const struct header *h, struct target *t);
/* REFERENCE_UNKNOWN, NOT_AUTHORISED. */
void approval_judge(const struct header *h, const struct target *t, struct reasons *rs);
/* The Approval or Cancellation `by' is accepted: the target changes its state with
 * all that follows from it.  0 or -1. */
int  approval_apply(struct db *db, const struct conf *conf, const struct outcome *by,
    const struct target *t);

#endif
