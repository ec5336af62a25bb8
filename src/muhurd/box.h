/* SPDX-License-Identifier: ISC */
/*
 * What a session may ask about files, judged by the user that the directory
 * let in, never by what the session says.  One checked base name a request.
 * Functions block on the disk: call them from a disk job of the user's lane.
 */
#ifndef MUHUR_MUHURD_BOX_H
#define MUHUR_MUHURD_BOX_H

#include "msg/proto.h"
#include "muhurd/tree.h"

struct box {
	char	 user[USER_CODE_SIZE];
	char	 member[MEMBER_CODE_SIZE];
	/* as in struct m_rights; set by the poll loop while jobs read them */
	_Atomic int may_send, sees_trail, sees_archives;
	const struct tree *tree;	/* not owned; NULL while the folders are not open */
	int	 inbox, sent, outbox, archive;	/* directories; -1 while not open */
	int	 refs;		/* poll loop only: the session, and each job at work */
};

struct box_limits {
	int64_t	 quota;		/* bytes of unfinished uploads */
	int	 max_files;	/* unfinished uploads */
};

/* All is copied; the folders are opened by box_folders. */
struct box *box_new(const char *user, const char *member, const struct m_rights *may);
/* 1: something is other than before. */
int box_set_rights(struct box *b, const struct m_rights *may);
struct box *box_ref(struct box *b);
void box_unref(struct box *b);	/* the last one closes and frees */

/* Open the four folders, made where absent.  0 or -1 with errno.  t stays the caller's
 * and outlives the box. */
int box_folders(struct box *b, const struct tree *t);

/*
 * *fd is set when BOX_OK is returned, else -1.
 *
 * BOX_MEMBERS gives a text, a line "<member code> <time> 0" for each member that has
 * an archive (time: st_mtime).  So a session never holds the folder of all boxes.
 * BOX_TRAIL: where a partial tile was removed because the whole one is there, that
 * one, for the file as for the folder of partial ones: a client that has seen the
 * partial one listed still gets what it came for.
 */
enum box_status box_open(const struct box *b, const struct box_limits *limits,
    const struct m_box_open *o, int *fd);
/* Closed by the session: take it, if the name still bears what the session
 * wrote (n->id), else BOX_BUSY.  m->id, user and received_at are set by the
 * caller; *taken tells whether there is a submission now (an empty upload is
 * none, and stays). */
enum box_status box_take(const struct box *b, const struct tree *t, const struct m_box_name *n,
    struct m_submission *m, int *taken);
/* Rename an unfinished upload; becoming final takes it, as above, but an empty
 * one is refused (BOX_EMPTY): its sender believes that it has sent something. */
enum box_status box_rename(const struct box *b, const struct tree *t,
    const struct m_box_rename *r, struct m_submission *m, int *taken);
/* BOX_NO_SUCH_FILE also where the name bears another file than n->id. */
enum box_status box_remove(const struct box *b, const struct m_box_name *n);

#endif
