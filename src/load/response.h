/* SPDX-License-Identifier: ISC */
/*
 * What a party says of a break, a DiscrepancyResponse [farklilik aciklamasi]
 * (m.32(4)): each of its records names a break of the sender's, or the whole is
 * refused.
 */
#ifndef MUHUR_LOAD_RESPONSE_H
#define MUHUR_LOAD_RESPONSE_H

#include "base/clock.h"
#include "model/reason.h"
#include "pg/db.h"

/* REFERENCE_UNKNOWN for each record of submission no that names no break, or one
 * of others.  0 or -1. */
int  response_judge(struct db *db, long long no, struct reasons *rs);
/* It is accepted: its breaks are explained.  0 or -1. */
int  response_apply(struct db *db, long long no, usec_t now);

#endif
