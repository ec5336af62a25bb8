/* SPDX-License-Identifier: ISC */
/*
 * The database's side of the log: which event has which number, and what its
 * leaf is made of.  A leaf depends on rows that nobody may change, so it can be
 * read again after a crash and is the same.  All return -1 on a database error,
 * which is logged.
 */
#ifndef MUHUR_SEQUENCER_EVENTS_H
#define MUHUR_SEQUENCER_EVENTS_H

#include <stdint.h>

#include "pg/db.h"
#include "trail/tiles.h"

#define EVENTS_BATCH	16384	/* numbered or read at once */

/* After each connect: a commit is durable, plans follow the indexes. */
int	events_setup(struct db *db);

/* Leaves that have a number: 0..*count-1. */
int	events_count(struct db *db, uint64_t *count);
/* Have the next numbers given to at most EVENTS_BATCH events that wait, in one durable
 * transaction.  from: the least event that is looked at.  0 or -1. */
int	events_ask(struct db *db, long long from);
/* Wait for that: the leaves, *n of them, for events_put, the caller's to PQclear; they
 * have their numbers now.  *from is moved on to the last of them: of what waits, lesser
 * ones are found by an asking from 0 alone.  NULL on error. */
PGresult *events_take(struct db *db, long *n, long long *from);

enum { EVENTS_TILES = -2, EVENTS_LEAF = -3 };
/* The leaves from index on into the writer, whose size is that.  As events_add. */
int	events_put(const PGresult *res, uint64_t index, struct tile_writer *w);
/* The leaves from <= index < to into the writer, whose size is from.  0; -1;
 * EVENTS_TILES: the writer failed; EVENTS_LEAF: one of them is none (logged). */
int	events_add(struct db *db, uint64_t from, uint64_t to, struct tile_writer *w);

struct recorded {
	uint64_t	size;
	struct hash	root;
	usec_t		signed_at;
};
/* The recorded checkpoints with from <= size, the least first, at most max.  How many. */
int	recorded_from(struct db *db, uint64_t from, struct recorded *v, int max);
/* Those with after < size, the greatest first. */
int	recorded_newest(struct db *db, uint64_t after, struct recorded *v, int max);
/* A new one, durable. */
int	recorded_add(struct db *db, const struct recorded *r);

/* A published checkpoint of that log, which is not recorded as it is: known to all from
 * now on.  0 or -1. */
int	contradiction_add(struct db *db, const char *origin, uint64_t size, const struct hash *root);
/* The greatest of them that still is not.  1; 0 there is none; -1. */
int	contradiction_find(struct db *db, const char *origin, uint64_t *size, struct hash *root);

#endif
