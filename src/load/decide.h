/* SPDX-License-Identifier: ISC */
/*
 * The content stage: what a submission says about itself against the days and
 * the earlier submissions of the same member (contract: duplicates, business
 * time).  References are read under the lock on the member, so nothing of
 * that member is decided meanwhile.
 */
#ifndef MUHUR_LOAD_DECIDE_H
#define MUHUR_LOAD_DECIDE_H

#include "base/clock.h"
#include "load/authority.h"
#include "model/header.h"
#include "model/reason.h"
#include "pg/db.h"

/* How far back a day may lie: each day has tables of its own. */
#define DECIDE_MAX_AGE	3660	/* days, ten years */

/* An earlier submission that this one meets. */
struct earlier {
	long long	 no;		/* 0: there is none */
	char		 id[UUID_SIZE];
	int		 accepted;	/* still in effect */
	char		 message_type[MESSAGE_TYPE_SIZE];
	char		 business_date[DATE_SIZE];
};
struct references {
	struct earlier	 same_bytes;	/* counted, of the same member */
	struct earlier	 same_id;	/* the MessageId is taken by other bytes */
	struct earlier	 replaced;	/* bears the ReplacesMessageId */
};

/* Nobody else decides about the member's submissions until the end of the
 * transaction.  0 or -1. */
int  decide_lock(struct db *db, const char *member);
/* h: NULL where there is no trusted header.  0 or -1. */
int  decide_references(struct db *db, const struct facts *f, const struct header *h,
    const char *sha256, struct references *refs);
/* BUSINESS_DATE: no forward-dated entries (S2 A); day D is closed at 23:59
 * (m.33(2)). */
void decide_date(const struct header *h, usec_t received_at, struct reasons *rs);
/* DUPLICATE, REFERENCE_UNKNOWN. */
void decide_content(const struct header *h, const struct references *refs, struct reasons *rs);

#endif
