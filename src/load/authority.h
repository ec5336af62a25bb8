/* SPDX-License-Identifier: ISC */
/*
 * Who may send what: the facts that the database holds about a submission's
 * uploader, sender and signer, and the reasons that follow from them (S2 A,
 * E, N3).  Who signed is the user whom the header names, and holds the right
 * for the message type of the member that the header names as its sender: its
 * own, or another that lets it act.  The file comes from a user of either.
 *
 * Rights are those at the moment of receipt.  Entry [giris] lets a submission
 * in; what takes effect at once needs approval [onay] by the same hand.
 */
#ifndef MUHUR_LOAD_AUTHORITY_H
#define MUHUR_LOAD_AUTHORITY_H

#include "base/limits.h"
#include "model/header.h"
#include "model/job.h"
#include "model/reason.h"
#include "msg/proto.h"
#include "pg/db.h"

#define KIND_SIZE	16	/* "registry", "suspended" and their like */

struct facts {
	long long	 no;				/* submission.no */
	enum submission_state state;
	char		 sha256[SHA256_HEX_SIZE];	/* where it is decided already */
	char		 uploader[MEMBER_CODE_SIZE];	/* the uploader's member */
	char		 uploader_state[KIND_SIZE];
	char		 kind[KIND_SIZE];		/* of the sender: platform, ...; "" unknown */
	char		 sender_state[KIND_SIZE];
	char		 user_state[KIND_SIZE];		/* of the header's user; "" unknown */
	int		 may_enter;			/* the user, for the sender; where the type */
	int		 may_approve;			/* has a target: for any type */
	int		 needs_two;			/* entry and approval are not by one hand */
	char		 signer[USER_CODE_SIZE];	/* whose certificate it is; "" not enrolled */
	char		 signer_member[MEMBER_CODE_SIZE];
	char		 signer_state[KIND_SIZE];
	char		 signer_member_state[KIND_SIZE];
	char		 cert_state[KIND_SIZE];
	/* who answers for it and gets its notices: the sender where the user may
	 * speak for it, else the uploader's member */
	char		 member[MEMBER_CODE_SIZE];
};

/* h and v may be NULL while they are unknown.  1 found, 0 there is no such
 * submission, -1 (logged). */
int  authority_facts(struct db *db, const char *submission, const struct header *h,
    const struct m_verdict *v, struct facts *f);
/* Adds CERT_*, NOT_AUTHORISED, MEMBER_SUSPENDED reasons; what is not known
 * (h, v NULL) is not judged. */
void authority_judge(const struct facts *f, const struct header *h,
    const struct m_verdict *v, struct reasons *rs);

#endif
