/* SPDX-License-Identifier: ISC */
/*
 * The state directory: its folders, made where they are absent, and their
 * modes.  muhurd owns all of it.  The archive process shares muhurd's group
 * and works in store and boxes, the sequencer in trail and openings; a session (other uid, other group) holds
 * descriptors of the innermost folders only, which others may search, while
 * no path leads there for it.  Call with umask 0.
 */
#ifndef MUHUR_MUHURD_TREE_H
#define MUHUR_MUHURD_TREE_H

#include <sys/types.h>

struct tree {
	int	 state;		/* <state_dir> */
	int	 received;	/* spool/received */
	int	 store;
	int	 tmp;		/* store/tmp */
	int	 boxes;
	int	 trail;		/* the published log (trail/tiles.h) */
	int	 openings;	/* what opens its leaves */
};

#define TREE_PRIVATE	0700	/* muhurd's alone */
#define TREE_SHARED	0770	/* and the archive's */
#define TREE_INBOX	0711	/* muhurd's, listed by a session through a descriptor */
#define TREE_OUTBOX	0771	/* shared, listed by a session through a descriptor */

/* state: a descriptor of the state directory, kept in the tree.  0, or -1
 * with the cause logged. */
int tree_open(struct tree *t, int state);
void tree_close(struct tree *t);
/* Where t->boxes was removed or moved away: the folder that has its name now, made
 * where there is none, under the same descriptor.  1 then; 0: it is there; -1 with
 * errno.  From any thread. */
int tree_renew_boxes(const struct tree *t);

/* A folder below dirfd, made durably with mode when absent.  Follows no
 * symbolic link.  A descriptor (O_RDONLY|O_DIRECTORY), or -1 with errno. */
int tree_dir(int dirfd, const char *name, mode_t mode);
/* The same, never making it. */
int tree_dir_existing(int dirfd, const char *name);
/* A whole path of folders; each name is one component. */
int tree_path(int dirfd, const char *const *names, size_t n, mode_t outer, mode_t innermost);

/* Call fn for each name in the folder but "." and ".."; dirfd stays open and
 * its offset is not used.  fn returns 0 to go on.  What fn returned last, or -1
 * with errno. */
int tree_each(int dirfd, int (*fn)(int dirfd, const char *name, void *arg), void *arg);

#endif
