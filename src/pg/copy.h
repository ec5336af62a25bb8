/* SPDX-License-Identifier: ISC */
/* COPY, in and out, in its text form. */
#ifndef MUHUR_PG_COPY_H
#define MUHUR_PG_COPY_H

#include "pg/db.h"

/* COPY ... FROM STDIN: start, put whole lines, end. 0 or -1 (logged). */
int  db_copy_in(struct db *db, const char *sql);
int  db_copy_put(struct db *db, const char *data, size_t len);
int  db_copy_end(struct db *db);		/* success */
int  db_copy_cancel(struct db *db, const char *why);

/*
 * COPY ... TO STDOUT.  With parameters it is not SQL: it must be built from
 * checked identifiers and numbers only.  Several of them, each by the next of the
 * connections that is free, so that the server's processes work side by side;
 * which: of sql.  Each row comes as the server writes it, with its newline; row
 * returns 0, or -1 to end early, and the others are cancelled then.
 * 0, or -1 (logged, or by row); no connection has a query running after.
 */
typedef int copy_row(void *arg, size_t which, const char *text, size_t len);
int  db_copy_out(struct db *const *lanes, size_t nlanes, const char *const *sql, size_t nsql, copy_row *row, void *arg);

/* Such a row's fields, as they are in it, escaped: *f is in text.  0, or -1 where
 * there are not n of them. */
struct db_field { const char *text; size_t len; };
int  db_split(const char *text, size_t len, struct db_field *f, size_t n);

#endif
