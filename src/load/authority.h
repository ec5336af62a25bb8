/* SPDX-License-Identifier: ISC */
/*
 * Who may send what: the facts that the database holds about a submission's
 * uploader, sender and signer, and the reasons that follow from them (S2 A,
 * E, N3).  The sender must be the uploader's own member; the user named in
 * the header must be one of its users, hold the right for the message type
 * and be the one who signed.
 */
#ifndef MUHUR_LOAD_AUTHORITY_H
#define MUHUR_LOAD_AUTHORITY_H

#include "base/limits.h"
#include "model/header.h"
#include "model/job.h"
#include "model/reason.h"
#include "msg/proto.h"
#include "pg/db.h"

struct facts {
	long long	 no;				/* submission.no */
	enum submission_state state;
	char		 sha256[SHA256_HEX_SIZE];	/* where it is decided already */
	char		 member[MEMBER_CODE_SIZE];	/* the uploader's */
	char		 kind[16];			/* platform, custodian, ... */
	char		 member_state[16];
	char		 user_state[16];		/* of the header's user; "" none of the member */
	int		 has_right;			/* entry [giris], for the message type */
	char		 signer[USER_CODE_SIZE];	/* whose certificate it is; "" not enrolled */
	char		 signer_member[MEMBER_CODE_SIZE];
	char		 signer_state[16];
	char		 cert_state[16];
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
