/* SPDX-License-Identifier: ISC */
/* muhur archive: what its files share. */
#ifndef MUHUR_MUHUR_ARCHIVE_H
#define MUHUR_MUHUR_ARCHIVE_H

#include "base/clock.h"
#include "muhur/cmd.h"

/* Submissions that have been decided: their documents are in the store. */
#define SQL_DECIDED	"state IN ('accepted', 'rejected', 'repeated', 'replaced', 'cancelled')"

/* What of a day was received: from its first moment to the next day's, in Istanbul,
 * as texts for parameters.  0, or -1 after a complaint. */
int archive_day(const char *date, char from[TIME_SIZE], char to[TIME_SIZE]);
/* On standard error: nothing was received or issued on that day. */
void archive_nothing_of(const char *date);

/* Does the row of a submission or a notice name it that was not purged? */
int archive_is_named(struct cmd *c, const char *sha256);

int archive_verify(struct cmd *, int, char **);
int archive_purge(struct cmd *, int, char **);

/* archive_store.c: the names in a store.  Calls fn with each file of each shelf and
 * of held, in order of the shelves; path is below the store.  What fn returned where
 * that is not 0; -1 with the cause logged. */
int archive_each_name(int store, int (*fn)(void *arg, const char *path, const char *name), void *arg);
/* What stands in a listing of material (depot/material.h), each line to fn.  0, what
 * fn returned, or -1: it is not there, or is none. */
int archive_listing(int store, const char *id, int (*fn)(void *arg, const char *sha256, const char *name),
    void *arg);
/* A set of SHA-256s, of any number; { NULL } is an empty one. */
struct name_set { void *root; };
int name_set_add(struct name_set *s, const char *sha256);	/* 1; 0: it was there */
int name_set_has(const struct name_set *s, const char *sha256);
void name_set_free(struct name_set *s);

#endif
