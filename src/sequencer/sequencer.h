/* SPDX-License-Identifier: ISC */
/*
 * The one that numbers events, writes their leaves and signs the tree.
 *
 * Of all that know one database one works: who has its advisory lock, and that of
 * its own trail folder.  What the log is stands in the database (events.h) before
 * any of it is shown, so that every step can be repeated: leaves get their numbers,
 * the tiles follow, a checkpoint is recorded, then signed and published; the same
 * tree gives the same bytes.
 *
 * It refuses to go on where the published checkpoint is none of this database's:
 * one restored from an earlier copy would give numbers anew that are given already,
 * and two logs of one name would have been signed.  It then keeps the locks, tells
 * so each minute, and looks whether it is still so.  Who stands by compares what its own
 * folder has published, too, and leaves what is not recorded in the database: who works looks
 * there, and refuses for it as for its own.  Trouble that is this gateway's alone
 * (its folder, its key) makes it let go of them: another one may go on.
 *
 * Tiles that are lost are made again from the database.  What still stands of them may
 * be what proves that an event was changed: before any is written over, the leaves must
 * have given every root that is recorded.
 */
#ifndef MUHUR_SEQUENCER_SEQUENCER_H
#define MUHUR_SEQUENCER_SEQUENCER_H

#include "pg/link.h"
#include "sequencer/events.h"
#include "sequencer/stamps.h"
#include "trail/note.h"
#include "trail/tiles.h"

enum sequencer_state {
	SEQUENCER_WAITS,	/* for the database, or another one works */
	SEQUENCER_FOLLOWS,	/* has the locks; the tiles are behind the database */
	SEQUENCER_WORKS,
	SEQUENCER_REFUSES
};

/* Moments are of clock_monotonic but for refused_since. */
struct sequencer {
	const struct conf	*conf;
	struct link		 link;
	unsigned		 connect;	/* link.connects that the state is about */
	int			 trail, openings;	/* folders, the caller's */
	struct note_signer	*signer;	/* NULL: the key cannot be used */
	struct note_verifier	*verifier;
	char			*vkey;
	enum sequencer_state	 state;
	struct tile_writer	*writer;
	uint64_t		 begin;		/* leaves that it began behind */
	int			 tries;		/* it writes nothing: do the leaves give the recorded roots? */
	int			 made_again;	/* tiles that were lost; told */
	int			 lets_go;	/* of the locks, at the end of this step */
	int			 stands_by;	/* another one works; told */
	uint64_t		 published;	/* size of the newest checkpoint shown */
	long long		 least;		/* events_ask */
	int			 asked;		/* and not taken yet: the connection is busy */
	usec_t			 next_look;	/* at events, at the lock */
	usec_t			 next_compare;	/* standing by: what is published with the database */
	usec_t			 next_checkpoint;
	usec_t			 next_whole;	/* look at events from the first that waits */
	usec_t			 next_alarm;
	usec_t			 next_report;
	char			 why[256];	/* "" or why it refuses */
	usec_t			 refused_since;	/* clock_now; 0: it does not */
	struct stamps		 stamps;
};

/* password, key: texts of their files, not kept.  A key that cannot be used is a
 * reason to refuse, not to end. */
void sequencer_init(struct sequencer *s, const struct conf *conf, const char *password,
    const char *key, size_t key_len, int trail, int openings);
/* What is to be done now, a bounded part of it.  1: there is more. */
int  sequencer_step(struct sequencer *s);
/* Milliseconds until there may be something to do. */
int  sequencer_timeout(const struct sequencer *s);
void sequencer_close(struct sequencer *s);

#endif
