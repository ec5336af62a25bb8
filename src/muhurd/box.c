/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/ident.h"
#include "model/tilepath.h"
#include "muhurd/box.h"
#include "muhurd/spool.h"

#define BOX_FLAGS_ALL	(BOX_READ | BOX_WRITE | BOX_CREAT | BOX_TRUNC | BOX_EXCL | BOX_DIR)

struct box *
box_new(const char *user, const char *member, const struct m_rights *may)
{
	struct box *b = xcalloc(1, sizeof(*b));

	(void)str_copy(b->user, sizeof(b->user), user);
	(void)str_copy(b->member, sizeof(b->member), member);
	(void)box_set_rights(b, may);
	b->inbox = b->sent = b->outbox = b->archive = -1;
	b->refs = 1;
	return b;
}

int
box_set_rights(struct box *b, const struct m_rights *may)
{
	int changed = b->may_send != may->may_send || b->sees_trail != may->sees_trail ||
	    b->sees_archives != may->sees_archives;

	b->may_send = may->may_send;
	b->sees_trail = may->sees_trail;
	b->sees_archives = may->sees_archives;
	return changed;
}

struct box *
box_ref(struct box *b)
{
	b->refs++;
	return b;
}

void
box_unref(struct box *b)
{
	int *fds[4];
	size_t i;

	if (b == NULL || --b->refs > 0)
		return;
	fds[0] = &b->inbox;
	fds[1] = &b->sent;
	fds[2] = &b->outbox;
	fds[3] = &b->archive;
	for (i = 0; i < 4; i++)
		if (*fds[i] != -1)
			(void)close(*fds[i]);
	free(b);
}

int
box_folders(struct box *b, const struct tree *t)
{
	const char *const outbox[] = { b->member, "outbox" };
	const char *const archive[] = { b->member, "archive" };
	const char *const inbox[] = { "users", b->user, "inbox" };
	const char *const sent[] = { "users", b->user, "sent" };
	int member, rc = -1, saved;

	b->tree = t;
	if ((member = tree_dir(t->boxes, b->member, TREE_SHARED)) == -1)
		return -1;
	if ((b->outbox = tree_path(t->boxes, outbox, 2, TREE_SHARED, TREE_OUTBOX)) == -1 ||
	    (b->archive = tree_path(t->boxes, archive, 2, TREE_SHARED, TREE_OUTBOX)) == -1 ||
	    (b->inbox = tree_path(member, inbox, 3, TREE_PRIVATE, TREE_INBOX)) == -1 ||
	    (b->sent = tree_path(member, sent, 3, TREE_PRIVATE, TREE_INBOX)) == -1)
		goto out;
	rc = 0;
out:
	saved = errno;
	(void)close(member);
	errno = saved;
	return rc;
}

/* What is neither the client's doing nor another connection's is for the
 * operator to see. */
static enum box_status
status_of_errno(const struct box *b, int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return BOX_NO_SUCH_FILE;
	case EEXIST:
		return BOX_EXISTS;
	case EACCES:
	case ELOOP:
	case EISDIR:
	case EXDEV:
		return BOX_DENIED;
	case EAGAIN:
	case ETXTBSY:
		return BOX_BUSY;
	default:
		log_alarm("box of %s: %s", b->user, strerror(error));
		return error == ENOSPC || error == EDQUOT ? BOX_NO_SPACE : BOX_FAILURE;
	}
}

/* 1 a file is there, 0 none, -1 with errno. */
static int
file_there(int dirfd, const char *name)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : -1;
}

struct usage {
	int64_t	 bytes;
	int	 files;
};

static int
count_one(int dirfd, const char *name, void *arg)
{
	struct usage *u = arg;
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : -1;
	u->files++;
	u->bytes += st.st_size;
	return 0;
}

/* May there be one more upload (create), or more bytes in one? */
static enum box_status
within_limits(const struct box *b, const struct box_limits *limits, int create)
{
	struct usage u = { 0 };

	if (tree_each(b->inbox, count_one, &u) == -1)
		return status_of_errno(b, errno);
	if ((create && u.files >= limits->max_files) || u.bytes >= limits->quota)
		return BOX_FULL;
	return BOX_OK;
}

static enum box_status
open_upload(const struct box *b, const struct box_limits *limits,
    const struct m_box_open *o, int *fd)
{
	int flags = O_NOFOLLOW | O_NONBLOCK, there, sent;
	enum box_status status;

	flags |= (o->flags & BOX_READ) != 0 ? O_RDWR : O_WRONLY;
	if (!b->may_send)
		return BOX_DENIED;
	if ((there = file_there(b->inbox, o->name)) == -1)
		return status_of_errno(b, errno);
	if (there) {
		/* exclusive creation of what is there: let the kernel say so */
		if ((o->flags & BOX_CREAT) != 0 && (o->flags & BOX_EXCL) != 0)
			return BOX_EXISTS;
	} else {
		if ((sent = file_there(b->sent, o->name)) == -1)
			return status_of_errno(b, errno);
		/* a taken name begins anew only where the client says it wants that
		 * (contract: the drop-box) */
		if (sent && (o->flags & BOX_TRUNC) == 0 &&
		    (o->flags & (BOX_CREAT | BOX_EXCL)) != (BOX_CREAT | BOX_EXCL))
			return BOX_DENIED;
		if (!sent && (o->flags & BOX_CREAT) == 0)
			return BOX_NO_SUCH_FILE;
		flags |= O_CREAT | O_EXCL;
	}
	/* beginning again gives bytes back, so it is always possible */
	if (!there || (o->flags & BOX_TRUNC) == 0)
		if ((status = within_limits(b, limits, !there)) != BOX_OK)
			return status;
	/* A connection that is dead without knowing it may have the old one open,
	 * and no taking would succeed before it ends: it keeps an inode without a
	 * name, and what is written here has one of its own. */
	if (there && (o->flags & BOX_TRUNC) != 0) {
		if (unlinkat(b->inbox, o->name, 0) == -1 && errno != ENOENT)
			return status_of_errno(b, errno);
		flags |= O_CREAT | O_EXCL;
	}
	if ((*fd = open_beneath(b->inbox, o->name, flags, 0600)) == -1)
		return status_of_errno(b, errno);
	return BOX_OK;
}

/* --- what compliance and the regulator see ------------------------------------ */

static int
add_member(int dirfd, const char *name, void *arg)
{
	struct buf *text = arg;
	char path[MEMBER_CODE_SIZE + sizeof("/archive")];
	struct stat st;
	int fd, rc;

	if (!member_code_ok(name))
		return 0;
	(void)snprintf(path, sizeof(path), "%s/archive", name);
	if ((fd = open_beneath(dirfd, path, O_RDONLY | O_DIRECTORY, 0)) == -1)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -1;
	if ((rc = fstat(fd, &st)) == 0)
		rc = buf_printf(text, "%s %lld 0\n", name, (long long)st.st_mtime);
	(void)close(fd);
	return rc;
}

static enum box_status
list_members(const struct box *b, int *fd)
{
	struct buf text = { 0 };
	int rc;

	if (!b->sees_archives)
		return BOX_NO_SUCH_FILE;
	/* sealed: a session could else fill the memory with it */
	if ((rc = tree_each(b->tree->boxes, add_member, &text)) == 0)
		rc = *fd = fd_sealed("members", text.data, text.len);
	buf_free(&text);
	return rc == -1 ? status_of_errno(b, errno) : BOX_OK;
}

/* A member's archive, for who may read every member's. */
static int
archive_of(const struct box *b, const char *member)
{
	int box, dir, saved;

	errno = ENOENT;
	if (!b->sees_archives || !member_code_ok(member) ||
	    (box = tree_dir_existing(b->tree->boxes, member)) == -1)
		return -1;
	dir = tree_dir_existing(box, "archive");
	saved = errno;
	(void)close(box);
	errno = saved;
	return dir;
}

/* Never making anything, nor following a link: nothing of what lies there is a
 * member's doing, but what is served is what the log may have. */
static enum box_status
open_trail(const struct box *b, const struct m_box_open *o, int *fd)
{
	const int want_dir = (o->flags & BOX_DIR) != 0;
	const char *path = o->name[0] != '\0' ? o->name : ".";
	char whole[TILE_PATH_SIZE];
	struct stat st;
	int partial, is_dir;

	if (!b->sees_trail || trail_path_ok(o->name) != (want_dir ? 2 : 1))
		return BOX_NO_SUCH_FILE;
	*fd = open_beneath(b->tree->trail, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	partial = trail_path_partial(o->name, whole) != -1;
	is_dir = want_dir;
	if (*fd == -1 && errno == ENOENT && partial) {
		*fd = open_beneath(b->tree->trail, whole, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
		is_dir = 0;
	}
	if (*fd == -1)
		return status_of_errno(b, errno);
	if (fstat(*fd, &st) == 0 && (is_dir ? S_ISDIR(st.st_mode) : S_ISREG(st.st_mode)))
		return BOX_OK;
	(void)close(*fd);
	*fd = -1;
	return BOX_DENIED;
}

/* --- reading --------------------------------------------------------------------- */

/* A folder that is closed by who asked for it. */
static int
reopen(int dir)
{
	return dir == -1 ? -1 : fcntl(dir, F_DUPFD_CLOEXEC, 0);
}

/* The folder that a request for reading is about, the caller's to close. */
static int
read_folder(const struct box *b, const struct m_box_open *o)
{
	date_t day;
	int archive, dir = -1, saved;

	switch (o->folder) {
	case BOX_INBOX:
		return reopen(b->inbox);
	case BOX_SENT:
		return reopen(b->sent);
	case BOX_OUTBOX:
		return reopen(b->outbox);
	case BOX_ARCHIVE:
		archive = o->member[0] == '\0' ? reopen(b->archive) : archive_of(b, o->member);
		if (archive == -1 || o->day[0] == '\0')
			return archive;
		errno = ENOENT;
		if (date_parse(o->day, &day) == 0)
			dir = tree_dir_existing(archive, o->day);
		saved = errno;
		(void)close(archive);
		errno = saved;
		return dir;
	case BOX_MEMBERS:
	case BOX_TRAIL:
	case BOX_FOLDER_COUNT:
		break;
	}
	errno = ENOENT;
	return -1;
}

static enum box_status
open_for_reading(const struct box *b, const struct m_box_open *o, int *fd)
{
	enum box_status status = BOX_OK;
	struct stat st;
	int dir;

	if ((dir = read_folder(b, o)) == -1)
		return status_of_errno(b, errno);
	if ((o->flags & BOX_DIR) != 0)
		*fd = open_beneath(dir, ".", O_RDONLY | O_DIRECTORY, 0);
	else
		*fd = open_beneath(dir, o->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (*fd == -1)
		status = status_of_errno(b, errno);
	else if ((o->flags & BOX_DIR) == 0 &&
	    (fstat(*fd, &st) == -1 || !S_ISREG(st.st_mode))) {
		status = BOX_DENIED;
		(void)close(*fd);
		*fd = -1;
	}
	(void)close(dir);
	return status;
}

enum box_status
box_open(const struct box *b, const struct box_limits *limits, const struct m_box_open *o,
    int *fd)
{
	*fd = -1;
	if ((o->flags & ~BOX_FLAGS_ALL) != 0 || (o->flags & (BOX_READ | BOX_WRITE)) == 0)
		return BOX_DENIED;
	if (o->folder == BOX_TRAIL || o->folder == BOX_MEMBERS || o->member[0] != '\0') {
		if ((o->flags & ~(BOX_READ | BOX_DIR)) != 0)
			return BOX_DENIED;
		if (o->folder == BOX_TRAIL)
			return open_trail(b, o, fd);
		if (o->folder == BOX_MEMBERS)
			return o->flags == (BOX_READ | BOX_DIR) ? list_members(b, fd) : BOX_DENIED;
		if (o->folder != BOX_ARCHIVE)
			return BOX_DENIED;
	}
	if ((o->flags & BOX_DIR) != 0) {
		if (o->flags != (BOX_READ | BOX_DIR) || o->name[0] != '\0')
			return BOX_DENIED;
		return open_for_reading(b, o, fd);
	}
	if (!file_name_ok(o->name) || (o->folder != BOX_ARCHIVE && o->day[0] != '\0'))
		return BOX_NO_SUCH_FILE;
	if (o->folder == BOX_ARCHIVE && o->day[0] == '\0')
		return BOX_NO_SUCH_FILE;	/* only days are there */
	if ((o->flags & ~BOX_READ) == 0)
		return open_for_reading(b, o, fd);
	if (o->folder != BOX_INBOX || (o->flags & BOX_WRITE) == 0)
		return BOX_DENIED;
	return open_upload(b, limits, o, fd);
}

/* Take inbox/from as m->name, unless it is empty. */
static enum box_status
take(const struct box *b, const struct tree *t, const char *from, const struct file_id *id,
    struct m_submission *m, int *taken)
{
	enum box_status status;

	status = spool_take(t, b->inbox, b->sent, from, id, m);
	*taken = status == BOX_OK;
	return status;
}

enum box_status
box_take(const struct box *b, const struct tree *t, const struct m_box_name *n,
    struct m_submission *m, int *taken)
{
	struct stat st;

	*taken = 0;
	if (!file_name_ok(n->name) || file_name_is_partial(n->name) || !b->may_send)
		return BOX_DENIED;
	if (fstatat(b->inbox, n->name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return status_of_errno(b, errno);
	if (!file_id_is(&n->id, &st))
		return BOX_BUSY;
	if (st.st_size == 0)
		return BOX_OK;	/* not taken, nothing to store */
	(void)str_copy(m->name, sizeof(m->name), n->name);
	return take(b, t, n->name, &n->id, m, taken);
}

enum box_status
box_rename(const struct box *b, const struct tree *t, const struct m_box_rename *r,
    struct m_submission *m, int *taken)
{
	enum box_status status;
	struct stat st;

	*taken = 0;
	if (!b->may_send || !file_name_ok(r->from) || !file_name_ok(r->to))
		return BOX_DENIED;
	if (fstatat(b->inbox, r->from, &st, AT_SYMLINK_NOFOLLOW) == -1) {
		if (errno == ENOENT && file_there(b->sent, r->from) == 1)
			return BOX_DENIED;	/* it is taken */
		return status_of_errno(b, errno);
	}
	if (file_name_is_partial(r->from) && !file_name_is_partial(r->to)) {
		/* success would mean that there is a submission now */
		if (st.st_size == 0)
			return BOX_EMPTY;
		(void)str_copy(m->name, sizeof(m->name), r->to);
		status = take(b, t, r->from, &r->id, m, taken);
		/* renaming replaces: an unfinished upload of the final name goes */
		if (status == BOX_OK && unlinkat(b->inbox, r->to, 0) == -1 && errno != ENOENT)
			log_warn("box: an upload that was replaced");
		return status;
	}
	if (renameat(b->inbox, r->from, b->inbox, r->to) == -1 || fsync_dir(b->inbox) == -1)
		return status_of_errno(b, errno);
	return BOX_OK;
}

enum box_status
box_remove(const struct box *b, const struct m_box_name *n)
{
	struct stat st;

	if (!b->may_send || !file_name_ok(n->name))
		return BOX_DENIED;
	if (fstatat(b->inbox, n->name, &st, AT_SYMLINK_NOFOLLOW) == -1) {
		if (errno == ENOENT && file_there(b->sent, n->name) == 1)
			return BOX_DENIED;
		return status_of_errno(b, errno);
	}
	if (!file_id_is(&n->id, &st))
		return BOX_NO_SUCH_FILE;
	if (unlinkat(b->inbox, n->name, 0) == -1 || fsync_dir(b->inbox) == -1)
		return status_of_errno(b, errno);
	return BOX_OK;
}
