/* SPDX-License-Identifier: ISC */
/*
 * Paths as a member sees them.  There are only
 *	/  /inbox  /outbox  /archive  /archive/YYYY-MM-DD
 *	/archive/MEMBER  /archive/MEMBER/YYYY-MM-DD	with the right Archive
 *	/trail and folders below it			with the right Trail
 * and files in them; none of them is a path of this machine, and only a checked
 * base name, or a path of the log's form (model/tilepath.h), ever reaches a
 * system call.
 */
#ifndef MUHUR_SFTP_PATH_H
#define MUHUR_SFTP_PATH_H

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

enum vpath_kind {
	VP_NONE,		/* names nothing that could exist here */
	VP_ROOT, VP_INBOX, VP_OUTBOX, VP_ARCHIVE,
	VP_MEMBER,		/* a member's archive */
	VP_DAY,			/* a day of an archive */
	VP_TRAIL,		/* /trail, or a folder of it */
	VP_INBOX_FILE, VP_OUTBOX_FILE, VP_ARCHIVE_FILE, VP_TRAIL_FILE
};

struct vpath {
	enum vpath_kind	 kind;
	char		 text[SFTP_PATH_SIZE];	/* normalised, for REALPATH */
	char		 member[MEMBER_CODE_SIZE];	/* VP_MEMBER, and what is below it;
						 * "" in the own archive */
	char		 day[DATE_SIZE];	/* of VP_DAY and VP_ARCHIVE_FILE */
	char		 name[FILE_NAME_SIZE];	/* of the files; VP_TRAIL*: the path below /trail */
	int		 in_inbox;	/* VP_NONE: directly below /inbox, with a name that may not be */
};

/* Normalise ("", ".", "..", "//"; relative means from /) and classify.  0, or
 * -1 where p is too long or holds a NUL byte: then no path at all. */
int vpath_parse(const uint8_t *p, size_t n, struct vpath *v);
int vpath_is_dir(const struct vpath *v);
/* Is it of what compliance and the regulator alone may see? */
int vpath_in_trail(const struct vpath *v);
int vpath_is_others(const struct vpath *v);	/* another's archive (or the own by its code) */

#endif
