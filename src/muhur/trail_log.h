/* SPDX-License-Identifier: ISC */
/* A published log that is read offline: no database, no daemon.  And proofs of its
 * leaves, which stand alone. */
#ifndef MUHUR_MUHUR_TRAIL_LOG_H
#define MUHUR_MUHUR_TRAIL_LOG_H

#include "muhur/cmd.h"
#include "trail/leaf.h"
#include "trail/tiles.h"

/* Where things are; NULL: where the configuration has them, but for a log that was
 * named with dir, which has no more than what is named beside it. */
struct trail_places {
	const char	*dir;
	const char	*key;		/* a verifier's key, or a file that has one */
	const char	*openings, *store, *tsa;
};

/* For getopt_long, and what it gave: 0, or -1: it is none of these. */
#define TRAIL_PLACES_OPTIONS \
	{ "dir", required_argument, NULL, 'D' }, { "key", required_argument, NULL, 'K' }, \
	{ "openings", required_argument, NULL, 'O' }, { "store", required_argument, NULL, 'S' }, \
	{ "tsa", required_argument, NULL, 'T' }
int	trail_place(struct trail_places *p, int option, const char *value);

struct trail_log {
	int		 dir, openings, store;	/* -1: none */
	struct note_verifier *key;
	int		 key_from_log;	/* it was found in the log that it is to verify */
	char		 vkey[ORIGIN_SIZE + 64];
};

/* An exit code, EXIT_YES where all is open; else the cause is logged.  For trail_log_close
 * in any case. */
int	trail_log_open(struct cmd *c, const struct trail_places *p, struct trail_log *l);
void	trail_log_close(struct trail_log *l);
/* The checkpoint of that size (0: the newest), verified, its note appended.  An exit
 * code; EXIT_NO: it is not there, or does not verify (logged). */
int	trail_log_checkpoint(const struct trail_log *l, uint64_t size, struct checkpoint *head,
	    struct buf *note);

/* The line of openings that opens a leaf, appended without its line end.  0; 1: there
 * is none; -1 (logged). */
int	trail_opening(int openings, uint64_t index, struct buf *out);
/* Are these words for the environment's trouble, and not for what is in the log? */
int	trail_trouble(int error);

/* {"v":1, "index", "size", "leaf", "hashes", "checkpoint", and "opening" where there is
 * one}: that leaf is in the tree of head, whose note this is.  NULL (logged). */
json_t	*trail_proof(const struct trail_log *l, struct tiles *t, uint64_t index,
	    const struct checkpoint *head, const struct buf *note);
/* Does a proof hold, by that key alone?  0, with its checkpoint, leaf, and (appended) the
 * canonical detail where it is opened; -1, *why is a literal. */
int	trail_proof_check(const json_t *proof, const struct note_verifier *key,
	    struct checkpoint *head, struct leaf *l, struct buf *detail, const char **why);

/* Every leaf from first on (fn's text is valid for the call); fn returns 0 to go on.
 * 0, what fn returned, or -1 (logged). */
int	trail_each_leaf(struct tiles *t, uint64_t first, uint64_t size, int (*fn)(void *arg, uint64_t index,
	    const char *text, size_t len), void *arg);

#endif
