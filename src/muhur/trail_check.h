/* SPDX-License-Identifier: ISC */
/*
 * muhur trail verify, in parts: the checkpoints (trail_heads.c), one pass over
 * leaves and tiles (trail_check.c), every file of a tile (trail_files.c), the documents
 * they are about (trail_payloads.c).  Memory: some MiB, 8 bytes a leaf, 110 bytes a checkpoint (32 of
 * them while they are listed), and 48 bytes for each document that is missing or was
 * purged.
 *
 * What the parts return is 0, or -1: the environment failed (logged).  What is
 * wrong with the log is a finding.
 */
#ifndef MUHUR_MUHUR_TRAIL_CHECK_H
#define MUHUR_MUHUR_TRAIL_CHECK_H

#include "muhur/trail_log.h"
#include "muhur/trail_stamps.h"

/* A signed checkpoint. */
struct head {
	uint64_t	 size;
	struct hash	 root;
	char		 day[DATE_SIZE];	/* its folder in checkpoints/; "" it is in none */
	const char	*file;			/* a checkpoint or proof beside the log; NULL: of the log */
	enum timestamp_state stamp;
	usec_t		 proved;		/* the earliest stamp of it and larger ones; 0 none */
};

struct missing;			/* of trail_payloads.c */
struct payloads {
	struct hash	*seen;		/* lately read and good */
	struct missing	*missing, *purged;
	size_t		 nmissing, npurged;
	uint64_t	 good, gone;	/* gone: purged, and that is in the log */
};

struct check {
	struct cmd	*c;
	const struct trail_log *log;
	json_t		*list;		/* findings, with --json */
	uint64_t	 findings;

	struct stamp_rules stamps;
	int		 require_stamps;
	long		 grace;		/* seconds that a checkpoint may be without */
	uint64_t	 stamped, stamps_good, excused;	/* excused: without, within grace */
	int		 no_times;	/* a rehearsal's clock is not the authority's */
	long		 late;		/* seconds from an event to its stamp; -1: as many as there are */
	usec_t		 oldest;	/* the first event since the checkpoint before; 0 none */
	usec_t		 worst;		/* from an event to its stamp; 0 none */
	size_t		 worst_head, nlate;

	struct head	*heads;		/* by size */
	size_t		 nheads, nkept;	/* nkept: files of checkpoints/ */
	size_t		 next;		/* the first that the pass has not met */
	uint64_t	 from, size;	/* from a checkpoint's tree to another's */
	uint64_t	 newest;	/* the size of the largest of the log's own */
	uint64_t	 met;		/* the size of the last one that the leaves meet */

	struct tiles	*tiles;
	uint64_t	*there;		/* numbers of lowest tiles that have a file, as often as they have */
	size_t		 nthere, next_there;
	uint64_t	 beyond;	/* files of tiles that no checkpoint signs yet */
	struct frontier	 leaves;	/* of the leaves' bytes */
	struct frontier	 hashes;	/* of the lowest tiles, once these differ */
	int		 split, lost;	/* lost: the tree cannot be made further */
	uint64_t	 changed_from, changed;		/* leaves in a row that were changed */
	size_t		 unmet_first, unmet;		/* heads in a row that were not met */
	long long	*events;	/* of every leaf that was read */
	size_t		 nevents, room;
	struct payloads	 payloads;
};

/* what: a word of trail_verify.c's list; where: a file, a leaf.  It is printed at once,
 * or kept for the JSON object. */
void	finding(struct check *k, const char *what, const char *where, const char *fmt, ...)
	    __attribute__((format(printf, 4, 5)));

/* Reads all checkpoints of the log that are no smaller than from; sets heads and size. */
int	heads_load(struct check *k);
/* One from elsewhere that the same key signed: it is one more of this log.  path is
 * kept, and stays the caller's. */
void	heads_take(struct check *k, const struct checkpoint *c, const char *path);
int	heads_take_file(struct check *k, const char *path);
/* When all are there: by size, one of each. */
void	heads_merge(struct check *k);
/* Is there one of that size? */
int	heads_have(const struct check *k, uint64_t size);

/* From from to size. */
int	check_leaves(struct check *k);

/* Each file of a tile from from to size. */
int	files_check(struct check *k);
/* Afterwards: the number of the next lowest tile behind n of which there is a file; else
 * of the one behind the last.  n does not fall from call to call. */
uint64_t files_next(struct check *k, uint64_t n);

void	payloads_begin(struct check *k);
int	payloads_leaf(struct check *k, uint64_t index, const struct leaf *l);
int	payloads_end(struct check *k);
void	payloads_free(struct payloads *p);

#endif
