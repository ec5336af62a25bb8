/* SPDX-License-Identifier: ISC */
/*
 * Paths of the published log (C2SP tlog-tiles, and what we add to it), below
 * its folder.  Pure, and on this floor, since who serves the log over SFTP
 * knows no cryptography; what the files hold: trail/tiles.h.
 */
#ifndef MUHUR_MODEL_TILEPATH_H
#define MUHUR_MODEL_TILEPATH_H

#include <stddef.h>
#include <stdint.h>

#define TILE_WIDTH	256
#define TILE_HEIGHT	8	/* levels of the tree in one tile */
#define TILE_LEVELS	8	/* 64 bits of index, 8 a tile */
#define TILE_PATH_SIZE	80

#define TILE_ENTRIES	(-1)	/* in place of a level: the leaves themselves */

/* "tile/<level>/<n>", "tile/entries/<n>"; width 1..255 partial, 256 whole. */
void	tile_path(int level, uint64_t n, unsigned width, char path[TILE_PATH_SIZE]);
/* N alone: "x001/x234/067". */
void	tile_number(uint64_t n, char path[TILE_PATH_SIZE]);
/* Is that a path which the log may have, below its folder?  A file: 1; a folder
 * of such, "" too: 2; neither: 0.  For who serves them. */
int	trail_path_ok(const char *path);
/* Of a path that may be: its partial tile's folder (…/067.p: 0) or file (…/067.p/17: 17),
 * -1 where it is none.  whole: the path of the whole tile, …/067. */
int	trail_path_partial(const char *path, char whole[TILE_PATH_SIZE]);

#endif
