/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "depot/depot.h"
#include "muhurd/spool.h"

static int
remove_one(int dirfd, const char *name, void *arg)
{
	(void)arg;
	if (unlinkat(dirfd, name, 0) == -1 && errno != ENOENT)
		log_warn("store/tmp: a leftover");
	return 0;
}

void
spool_clean_tmp(const struct tree *t)
{
	if (tree_each(t->tmp, remove_one, NULL) == -1)
		log_warn("store/tmp");
}

int
spool_tmp_file(const struct tree *t, const char *id)
{
	/* one of an earlier try may be open in a signer that has not ended yet */
	(void)unlinkat(t->tmp, id, 0);
	return open_beneath(t->tmp, id, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
}

void
spool_tmp_remove(const struct tree *t, const char *id)
{
	if (unlinkat(t->tmp, id, 0) == -1 && errno != ENOENT)
		log_warn("store/tmp: a notice's file");
}

/* The folder of the store that holds sha256; -1 with errno. */
static int
shelf_of(const struct tree *t, const char *sha256, int make)
{
	char head[3] = { sha256[0], sha256[1], '\0' };

	return make ? tree_dir(t->store, head, TREE_SHARED) : tree_dir_existing(t->store, head);
}

/* Have the two the same bytes?  1, 0, or -1 with errno. */
static int
same_bytes(int a, int b)
{
	char x[16384], y[16384];
	struct stat sa, sb;
	ssize_t n, m;
	off_t pos;

	if (fstat(a, &sa) == -1 || fstat(b, &sb) == -1)
		return -1;
	if (same_file(&sa, &sb))
		return 1;
	if (sa.st_size != sb.st_size)
		return 0;
	for (pos = 0; pos < sa.st_size; pos += n) {
		if ((n = pread(a, x, sizeof(x), pos)) == -1 ||
		    (m = pread(b, y, sizeof(y), pos)) == -1)
			return -1;
		if (n != m || n == 0 || memcmp(x, y, (size_t)n) != 0)
			return 0;
	}
	return 1;
}

int
spool_same(int fd, int shelf, const char *sha256)
{
	int stored, rc, saved;

	if ((stored = open_beneath(shelf, sha256, O_RDONLY | O_NOFOLLOW, 0)) == -1)
		return -1;
	rc = same_bytes(fd, stored);
	saved = errno;
	(void)close(stored);
	errno = saved;
	return rc;
}

/* Link what out is open for as the signer says it is called.  That is its word,
 * and it knows other documents' names: one that bears it stays, compressed too. */
static int
link_notice(const struct tree *t, const char *id, int out, int shelf, const char *sha256)
{
	char packed[DEPOT_PATH_SIZE];
	struct stat st;
	int same = 0;

	depot_path(sha256, DEPOT_ZSTD, packed);
	if (fstatat(t->store, packed, &st, AT_SYMLINK_NOFOLLOW) == -1) {
		if (errno != ENOENT)
			return -1;
		if (linkat(t->tmp, id, shelf, sha256, 0) == 0)
			return 0;
		if (errno != EEXIST || (same = spool_same(out, shelf, sha256)) == -1)
			return -1;
	}
	errno = EBADMSG;
	return same ? 0 : -1;
}

int
spool_store_notice(const struct tree *t, const char *id, int out, const char *sha256,
    long long size)
{
	struct stat st, named;
	int shelf = -1, rc = -1, saved;

	if (fstat(out, &st) == -1 || fstatat(t->tmp, id, &named, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	/* linked by its name: that must still be what was written */
	if (!same_file(&named, &st)) {
		errno = ESTALE;
		return -1;
	}
	if (st.st_size != size || size == 0) {
		errno = EBADMSG;
		return -1;
	}
	if (fchmod(out, 0440) == -1 || fsync(out) == -1)
		return -1;
	if ((shelf = shelf_of(t, sha256, 1)) == -1)
		return -1;
	if (link_notice(t, id, out, shelf, sha256) == -1)
		goto out;
	if (fsync_dir(shelf) == -1)
		goto out;
	spool_tmp_remove(t, id);
	rc = 0;
out:
	saved = errno;
	(void)close(shelf);
	errno = saved;
	return rc;
}

/* The name is taken in the outbox: by the same document, or (never seen) by
 * another one, which then gives way, since the database names this one. */
static int
publish_over(const struct tree *t, int shelf, int outbox, const struct m_notice_publish *p)
{
	struct stat a, b;

	if (fstatat(shelf, p->sha256, &a, AT_SYMLINK_NOFOLLOW) == -1 ||
	    fstatat(outbox, p->file_name, &b, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	if (same_file(&a, &b))
		return 0;
	log_alarm("box of %s: %s was another document than the recorded one",
	    p->recipient, p->file_name);
	spool_tmp_remove(t, p->id);
	if (linkat(shelf, p->sha256, t->tmp, p->id, 0) == -1)
		return -1;
	return renameat(t->tmp, p->id, outbox, p->file_name);
}

/* boxes/<member>/archive/<day>, made where it is absent; -1 with errno. */
static int
day_folder(const struct tree *t, const struct m_notice_publish *p)
{
	const char *const path[] = { p->recipient, "archive" };
	int archive, day, saved;

	if ((archive = tree_path(t->boxes, path, 2, TREE_SHARED, TREE_OUTBOX)) == -1)
		return -1;
	day = tree_dir(archive, p->day, TREE_OUTBOX);
	saved = errno;
	(void)close(archive);
	errno = saved;
	return day;
}

/* What is shown again has been archived before: it is in one of the two, so when it
 * is durable in the outbox its link in the archive goes.  Another document that
 * bears the name there stays, and is for `muhur archive verify' to name. */
static int
leave_archive(const struct tree *t, int outbox, const struct m_notice_publish *p)
{
	const char *const path[] = { p->recipient, "archive", p->day };
	struct stat a, b;
	int dir = t->boxes, next, rc = -1, saved;
	size_t i;

	for (i = 0; i < sizeof(path) / sizeof(path[0]); i++) {
		next = tree_dir_existing(dir, path[i]);
		saved = errno;
		if (dir != t->boxes)
			(void)close(dir);
		errno = saved;
		if ((dir = next) == -1)
			return errno == ENOENT ? 0 : -1;
	}
	if (fstatat(dir, p->file_name, &a, AT_SYMLINK_NOFOLLOW) == -1)
		rc = errno == ENOENT ? 0 : -1;
	else if (fstatat(outbox, p->file_name, &b, AT_SYMLINK_NOFOLLOW) == 0) {
		rc = 0;
		if (same_file(&a, &b) &&
		    (unlinkat(dir, p->file_name, 0) == -1 || fsync_dir(dir) == -1))
			rc = -1;
	}
	saved = errno;
	(void)close(dir);
	errno = saved;
	return rc;
}

int
spool_publish(const struct tree *t, const struct m_notice_publish *p)
{
	const char *const path[] = { p->recipient, "outbox" };
	int shelf, folder = -1, rc = -1, saved;

	if ((shelf = shelf_of(t, p->sha256, 0)) == -1)
		return -1;
	folder = p->archived ? day_folder(t, p) :
	    tree_path(t->boxes, path, 2, TREE_SHARED, TREE_OUTBOX);
	if (folder == -1)
		goto out;
	if (linkat(shelf, p->sha256, folder, p->file_name, 0) == -1 &&
	    (errno != EEXIST || publish_over(t, shelf, folder, p) == -1))
		goto out;
	if ((rc = fsync_dir(folder)) == 0 && !p->archived)
		rc = leave_archive(t, folder, p);
out:
	saved = errno;
	(void)close(shelf);
	if (folder != -1)
		(void)close(folder);
	errno = saved;
	return rc;
}

int
spool_archive_day(const struct tree *t, const struct m_notice_publish *p)
{
	int day = day_folder(t, p);

	if (day == -1)
		return -1;
	(void)close(day);
	return 0;
}
