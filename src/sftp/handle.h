/* SPDX-License-Identifier: ISC */
/*
 * What a client has open: a file being fetched, an upload, or a listing.
 * An upload remembers which bytes of it were written, so that one with gaps
 * is never taken for a whole one; a file being fetched which were read, for the
 * record.
 */
#ifndef MUHUR_SFTP_HANDLE_H
#define MUHUR_SFTP_HANDLE_H

#include <dirent.h>
#include <stdint.h>

#include "base/limits.h"
#include "sftp/path.h"

/* Written or read ranges, sorted, disjoint, not touching.  A client goes in order
 * but for what it has in flight, so there are few; of an upload more are refused,
 * of a download they do not count. */
struct extents {
	struct extent { uint64_t from, to; } e[SFTP_MAX_EXTENTS];
	int n;
};
int  extents_add(struct extents *x, uint64_t from, uint64_t to);	/* 0, -1 too many */
void extents_clip(struct extents *x, uint64_t size);	/* forget from size on */
/* From 0 on without a gap: that many bytes. */
uint64_t extents_prefix(const struct extents *x);
int  extents_have_gap(const struct extents *x, uint64_t size);

enum handle_kind { H_FREE, H_FETCH, H_UPLOAD, H_LISTING };

/* Fetching and sending share the descriptor; a listing has up to two
 * directories, read one after the other, or one and a list of names.
 * What was opened is told by path: its kind, member, day and name. */
struct handle {
	enum handle_kind kind;
	int		 number;
	struct vpath	 path;
	int		 fd;		/* owned; -1 none */
	/* H_FETCH */
	uint64_t	 size;		/* at opening; what is fetched never changes */
	uint32_t	 tag;		/* of the request by which muhurd opened it */
	/* both: which bytes were read, or written */
	struct extents	*extents;
	/* H_UPLOAD */
	uint64_t	 end;		/* the file's size as we made it */
	int		 append;
	int		 written;	/* at least one WRITE succeeded */
	int		 failed;	/* a write or fsync failed: never to be taken */
	int		 lost;		/* fsync failed: nor to be gone on with */
	/* H_LISTING */
	DIR		*dir;		/* owned, NULL for "/" */
	long		 dir_pos;	/* its place: others may read the same description */
	char		*names;		/* owned, NULL none: lines "<name> <mtime> <size>" that
					 * follow what dir has, see remote.c */
	size_t		 names_at;
	uint32_t	 mtime;		/* the folder's, at opening */
	int		 stage;		/* what of the listing comes next */
	/* what went through it, for the log */
	uint64_t	 bytes;
};

struct handles { struct handle h[SFTP_MAX_HANDLES]; };

void handles_init(struct handles *hs);
int  handles_full(const struct handles *hs);
/* A fresh one, or NULL when all are taken. */
struct handle *handle_new(struct handles *hs, enum handle_kind kind, const struct vpath *path);
struct handle *handle_get(struct handles *hs, int number);	/* NULL: no such */
/* The open upload of that name, or NULL. */
struct handle *handle_upload(struct handles *hs, const char *name);
/* Close what it owns, without any other effect. */
void handle_free(struct handle *h);

#endif
