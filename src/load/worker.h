/* SPDX-License-Identifier: ISC */
/*
 * A load worker: one submission at a time.  Its records come through the pipe
 * from muhur-verify and are copied within a transaction; the verdict comes
 * through muhurd; then everything is committed or rolled back together.
 *
 * Whatever fails on our side (the database is away), the pipe is drained all
 * the same, so that verify can finish, and the answer is "retry later".
 */
#ifndef MUHUR_LOAD_WORKER_H
#define MUHUR_LOAD_WORKER_H

#include "base/mem.h"
#include "load/authority.h"
#include "pg/link.h"
#include "msg/msg.h"
#include "msg/proto.h"
#include "msg/stream.h"

#define KNOWN_DAYS	64	/* business days whose partitions are known to exist */
#define OWN_TABLE_SIZE	64	/* "muhur.<kind>_<day>_<submission no>" */
#define PREFIX_SIZE	80	/* date, submission no, member code, three tabs, NUL */

struct job {
	int		 active;
	struct m_submission sub;
	int		 pipe;		/* -1 when it is read to its end */
	struct stream_reader in;	/* a frame, as far as it has come */
	int		 ended;		/* its end came: E was read */
	int		 drain;		/* no COPY (any more): records are not wanted */
	int		 trouble;	/* ours: answer retry_later */
	int		 unloadable;	/* the database refused the records' text */
	int		 savepoint;	/* "records" is set, in an open transaction */
	int		 copying;	/* a COPY of kind is running */
	enum record_kind kind;
	char		 own_table[OWN_TABLE_SIZE];	/* of own_kind's records: made, not yet
							 * attached to the day's; "" none */
	enum record_kind own_kind;
	int		 have_header;
	struct header	 header;
	struct facts	 facts;
	struct reasons	 faults;	/* of its records, once they are taken back */
	int		 have_verdict;
	struct m_verdict verdict;
	char		 prefix[PREFIX_SIZE];
	size_t		 prefix_len;
	struct buf	 lines;		/* a frame's lines with their prefix */
};

struct worker {
	const struct conf *conf;
	struct msg_chan	 chan;
	struct link	 link;
	int		 scratch;	/* base/child.h */
	struct job	 job;
	date_t		 days[KNOWN_DAYS];
	size_t		 ndays;		/* ever put into days, a ring */
	unsigned	 days_of;	/* the connection they were seen in: link.connects */
};

/* scratch stays the caller's. */
void worker_init(struct worker *w, const struct conf *conf, int channel, const char *password, int scratch);
void worker_close(struct worker *w);
/* Wait for and handle what comes, up to timeout_ms; 0, or -1 when muhurd is
 * gone (or broke the protocol, which is logged). */
int  worker_step(struct worker *w, int timeout_ms);

/* copy.c: one frame of the pipe, or its end. */
void copy_frame(struct worker *w, const struct stream_frame *f);
/* Ends a running COPY; 0, or -1 where job.trouble or .unloadable was set. */
int  copy_end(struct worker *w);
/* Takes back every record of the job; 0 or -1 (trouble is set). */
int  copy_forget(struct worker *w);
/* A table of its own, where there is one, becomes a part of the day's: last before
 * the commit, since others that attach wait from here on.  0 or -1. */
int  copy_attach(struct worker *w);

/* verdict.c: the whole stream and the verdict are there: decide, and fill the
 * answer for muhurd. */
void verdict_conclude(struct worker *w, struct m_submission_state *answer);

#endif
