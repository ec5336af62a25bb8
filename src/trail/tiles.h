/* SPDX-License-Identifier: ISC */
/*
 * The published log, plain files below one folder (C2SP tlog-tiles):
 *	checkpoint			the newest one
 *	key				the verifier's key, one line
 *	tile/<L>/<N>[.p/<W>]		256 (W) hashes of level 8 L
 *	tile/entries/<N>[.p/<W>]	256 (W) leaves, each behind its 16-bit length
 *	checkpoints/<YYYY-MM-DD>/<size>		every checkpoint ever signed (UTC's day)
 *	checkpoints/<YYYY-MM-DD>/<size>.tsr	its RFC 3161 time-stamp, a TimeStampResp
 * N is written in groups of three digits: x001/x234/067.  And, in a folder that
 * is not published, what opens the leaves:
 *	openings/<N>			a line for each leaf of entries/<N>
 * Files are written whole beside their place and renamed (durable): who reads
 * sees a whole one.  A partial tile is removed once the whole one is there.
 */
#ifndef MUHUR_TRAIL_TILES_H
#define MUHUR_TRAIL_TILES_H

#include "base/clock.h"
#include "base/mem.h"
#include "model/tilepath.h"	/* where each file lies */
#include "trail/leaf.h"
#include "trail/merkle.h"
#include "trail/note.h"

#define OPENINGS_MAX	(TILE_WIDTH * (OPENING_MAX + 1))	/* bytes of one file of openings */

/* --- reading ------------------------------------------------------------- */

struct tiles;		/* an open log: a folder, and tiles read lately */

/* dir: the folder; stays the caller's.  size: of the tree that is read, which says how
 * wide the last tiles are; a wider partial or whole tile than needed does as well. */
struct tiles *tiles_open(int dir, uint64_t size);
void	tiles_close(struct tiles *t);
/* A merkle_get, arg is struct tiles *.  -1, logged: errno is ENOENT (no such file),
 * EBADMSG (not as many hashes as its name says), ERANGE (not in this tree), or what
 * reading it gave. */
int	tiles_get(void *tiles, unsigned level, uint64_t index, struct hash *out);
/* The bytes of one leaf.  They are valid until the next call.  0; -1 as above. */
int	tiles_entry(struct tiles *t, uint64_t index, const char **leaf, size_t *len);
/* Every file of a tile, in no order; level -1: entries.  What is named otherwise is none.
 * fn returns 0 to go on.  0, what fn returned, or -1 (logged). */
int	tiles_each_file(int dir, int (*fn)(void *arg, int level, uint64_t n, unsigned width), void *arg);
/* Has that file of a tile of this tree as many hashes (leaves) as its name says, and the
 * same ones, as far as this tree goes?  1, 0; -1 with errno: it, or the tree's, cannot be read. */
int	tiles_same(struct tiles *t, int level, uint64_t n, unsigned width);
/* The whole checkpoint note (at most CHECKPOINT_MAX bytes).  size 0: the newest, else
 * looked for in checkpoints/.  0; -1 with errno (ENOENT). */
int	tiles_checkpoint(int dir, uint64_t size, struct buf *note);
/* Every checkpoint in checkpoints/, by size; fn returns 0 to go on.  day: its folder;
 * stamped: its .tsr is there.  0, what fn returned, or -1 (logged). */
int	tiles_each_checkpoint(int dir, int (*fn)(void *arg, const char *day, uint64_t size,
	    int stamped), void *arg);

/* --- writing ------------------------------------------------------------- */

struct tile_writer;

/* Go on behind the tree of that size, whose edge is read from the tiles.
 * openings: folder, -1 none.  NULL (logged): the tiles cannot be read; errno as tiles_get,
 * EBADMSG or EFBIG where they, or the openings, are not what was written. */
struct tile_writer *tile_writer_new(int dir, int openings, uint64_t size);
void	tile_writer_free(struct tile_writer *w);
const struct frontier *tile_writer_tree(const struct tile_writer *w);
/* From now on leaves are hashed alone, to learn which tree they give: nothing is written. */
void	tile_writer_try(struct tile_writer *w);
/* Add one leaf; whole tiles are written as they become whole, in place of what stands
 * there: who begins before what was published tries first.  0 or -1 (errno logged): then
 * the writer is of no more use. */
int	tile_writer_add(struct tile_writer *w, const char *leaf, size_t len,
	    const char *opening, size_t opening_len);
/* The partial tiles too, and everything durable: a checkpoint of this size may be
 * shown.  0 or -1. */
int	tile_writer_flush(struct tile_writer *w);
/* After flush: the note into checkpoints/<day>/, then in place of checkpoint, durable. */
int	tiles_publish(int dir, const struct checkpoint *c, const char *note, size_t len, usec_t at);

#endif
