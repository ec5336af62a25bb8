/* SPDX-License-Identifier: ISC */
/*
 * Paths as a member sees them.  There are only
 *	/  /inbox  /outbox  /archive  /archive/YYYY-MM-DD
 * and files in the last four; none of them is a path of this machine, and
 * only a checked base name ever reaches a system call.
 */
#ifndef MUHUR_SFTP_PATH_H
#define MUHUR_SFTP_PATH_H

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

enum vpath_kind {
	VP_NONE,		/* names nothing that could exist here */
	VP_ROOT, VP_INBOX, VP_OUTBOX, VP_ARCHIVE,
	VP_DAY,			/* a day of /archive */
	VP_INBOX_FILE, VP_OUTBOX_FILE, VP_ARCHIVE_FILE
};

struct vpath {
	enum vpath_kind	 kind;
	char		 text[SFTP_PATH_SIZE];	/* normalised, for REALPATH */
	char		 day[DATE_SIZE];	/* of VP_DAY and VP_ARCHIVE_FILE */
	char		 name[FILE_NAME_SIZE];	/* of the files */
	int		 in_inbox;	/* VP_NONE: directly below /inbox, with a name that may not be */
};

/* Normalise ("", ".", "..", "//"; relative means from /) and classify.  0, or
 * -1 where p is too long or holds a NUL byte: then no path at all. */
int vpath_parse(const uint8_t *p, size_t n, struct vpath *v);
int vpath_is_dir(const struct vpath *v);

#endif
