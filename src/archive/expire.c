/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "archive/expire.h"
#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "depot/depot.h"
#include "model/ident.h"

/* What looking at one of the two places may tell. */
enum found { FOUND, ABSENT, WRONG, TROUBLE };

/* Is file there, a regular one, and do its bytes have the hash? */
static enum found
look(int dir, const char *file, const char *sha256)
{
	char hex[SHA256_HEX_SIZE];
	enum found found = TROUBLE;
	struct stat st;
	int fd;

	fd = open_beneath(dir, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd == -1)
		return errno == ENOENT ? ABSENT : TROUBLE;
	errno = EINVAL;		/* what is no regular file gives no other */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && depot_hash_fd(fd, hex) == 0)
		found = strcmp(hex, sha256) == 0 ? FOUND : WRONG;
	(void)close(fd);
	return found;
}

/* The verified file goes from one directory to the other.  Where it has been
 * there before (published again after its first days), both names are one
 * file and rename(2) does nothing: then the old name is removed. */
static int
move(int outbox, int day, const char *file)
{
	struct stat from, to;

	if (fstatat(day, file, &to, AT_SYMLINK_NOFOLLOW) == -1) {
		if (errno != ENOENT)
			return -1;
		return rename_durable(outbox, file, day, file);
	}
	if (fstatat(outbox, file, &from, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	if (!same_file(&from, &to))
		return rename_durable(outbox, file, day, file);
	if (fsync_dir(day) == -1 || unlinkat(outbox, file, 0) == -1)
		return -1;
	return fsync_dir(outbox);
}

/* After the outbox's answer "absent": a run before this one may have moved it. */
static int
moved_before(int day, const struct m_notice_publish *n)
{
	switch (look(day, n->file_name, n->sha256)) {
	case FOUND:
		/* the move may not have been made durable before a crash */
		if (fsync_dir(day) == 0)
			return 0;
		break;
	case ABSENT:
		log_warnx("archive: notice %s of %s: is neither in the outbox nor in "
		    "the archive; `muhur notice rebuild' makes it again",
		    n->file_name, n->recipient);
		return -1;
	case WRONG:
		log_warnx("archive: notice %s of %s: its bytes in the archive are not "
		    "those that were signed", n->file_name, n->recipient);
		return -1;
	case TROUBLE:
		break;
	}
	log_warn("archive: notice %s of %s", n->file_name, n->recipient);
	return -1;
}

static int
expire(int outbox, int day, const struct m_notice_publish *n)
{
	switch (look(outbox, n->file_name, n->sha256)) {
	case FOUND:
		if (move(outbox, day, n->file_name) == 0)
			return 0;
		break;
	case ABSENT:
		return moved_before(day, n);
	case WRONG:
		log_warnx("archive: notice %s of %s: its bytes in the outbox are not "
		    "those that were signed", n->file_name, n->recipient);
		return -1;
	case TROUBLE:
		break;
	}
	log_warn("archive: notice %s of %s", n->file_name, n->recipient);
	return -1;
}

/* The names come from the database by way of muhurd; they are to be one
 * component each all the same. */
static int
names_ok(const struct m_notice_publish *n)
{
	date_t date;

	return member_code_ok(n->recipient) && date_parse(n->day, &date) == 0 &&
	    n->file_name[0] != '\0' && n->file_name[0] != '.' &&
	    strchr(n->file_name, '/') == NULL;
}

/* What goes wrong is said here; the alarm is muhurd's, one a try. */
int
expire_notice(int boxes, const struct m_notice_publish *n)
{
	int box = -1, outbox = -1, archive = -1, day = -1, rc = -1;

	if (!names_ok(n)) {
		log_warnx("archive: notice %s: names that cannot be", n->id);
		return -1;
	}
	box = open_beneath(boxes, n->recipient, O_RDONLY | O_DIRECTORY, 0);
	if (box == -1 ||
	    (outbox = open_beneath(box, "outbox", O_RDONLY | O_DIRECTORY, 0)) == -1 ||
	    (archive = open_dir(box, "archive")) == -1 ||
	    (day = open_dir(archive, n->day)) == -1) {
		log_warn("archive: box of %s", n->recipient);
		goto out;
	}
	rc = expire(outbox, day, n);
out:
	if (day != -1)
		(void)close(day);
	if (archive != -1)
		(void)close(archive);
	if (outbox != -1)
		(void)close(outbox);
	if (box != -1)
		(void)close(box);
	return rc;
}
