/* SPDX-License-Identifier: ISC */
/*
 * What a main authority [ana yetkili] says of its member's users (S2 E): rights
 * granted and withdrawn, users suspended and resumed.  The database carries it out
 * and says what it does not: all of a message takes effect, or nothing.
 */
#ifndef MUHUR_LOAD_AUTHORIZATION_H
#define MUHUR_LOAD_AUTHORIZATION_H

#include "base/clock.h"
#include "model/reason.h"
#include "pg/db.h"

/* The changes of submission no, by that user, at that moment; what cannot be is
 * added to rs, and the caller takes all of it back.  0 or -1. */
int  authorization_apply(struct db *db, long long no, const char *by, usec_t at,
    struct reasons *rs);
/* The trail tells that submission no changed rights; which, its own text tells.  0 or -1. */
int  authorization_event(struct db *db, const char *actor, long long no, usec_t now);
/* A report of who may do what, a notice to sign, to the member and to those whose
 * users the changes of submission no concern.  0 or -1. */
int  authorization_report(struct db *db, const char *member, long long no, usec_t now);

#endif
