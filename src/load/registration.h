/* SPDX-License-Identifier: ISC */
/*
 * RegistrationRequests [sicil talebi]: what the loader adds to each record, and
 * the answer to them (S2 G).  An identity is looked up by HMAC-SHA-256 over
 * "type|country|number" (country of FOREIGN alone) with a key that the database
 * never sees, so that whoever has its tables cannot try out numbers.
 */
#ifndef MUHUR_LOAD_REGISTRATION_H
#define MUHUR_LOAD_REGISTRATION_H

#include <stddef.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/mem.h"
#include "pg/db.h"

/* The process's key, from the text of its file (hexadecimal): 0, or -1 where it
 * is none (logged). Before the sandbox: OpenSSL sets up its HMAC. */
int  registration_key(const char *hex);
void registration_forget_key(void);

/* The columns of registration_line, as they end COPY's list of columns. */
#define REGISTRATION_COLUMNS	", identity_hash, digits_ok"
/* One line of REC_INVESTOR in COPY's text form, with or without its line end, to
 * out, with the hash and whether the number's check digits are right behind it.
 * 0, or -1 where it has too few fields. */
int  registration_line(struct buf *out, const char *line, size_t len);

/* The answer to each record of submission no, just accepted: a number, asked, or
 * refused (muhur_identity.register), in the caller's transaction.  0 or -1. */
int  registration_answer(struct db *db, const struct conf *conf, long long no, usec_t at);

#endif
