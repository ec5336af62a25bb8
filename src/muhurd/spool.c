/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "depot/depot.h"
#include "model/ident.h"
#include "muhurd/spool.h"

#define MODE_UPLOAD	0600
#define MODE_TAKEN	0440

/* <uuid>.<user> */
#define SUB_DIR_SIZE	(UUID_SIZE + USER_CODE_SIZE)

usec_t
spool_id_time(const char *uuid)
{
	unsigned long long high;
	unsigned low;

	/* 48 bits of milliseconds: 8 and 4 hexadecimal digits */
	if (sscanf(uuid, "%8llx-%4x", &high, &low) != 2)
		return 0;
	return (usec_t)((high << 16 | low) * 1000);
}

static void
sub_dir_name(const struct m_submission *m, char name[SUB_DIR_SIZE])
{
	int n = snprintf(name, SUB_DIR_SIZE, "%s.%s", m->id, m->user);

	if (n < 0 || (size_t)n >= SUB_DIR_SIZE)
		fatalx("spool: a folder's name does not fit");
}

/* It stays in the inbox. */
static enum box_status
not_taken(const struct m_submission *m, int error)
{
	if (error == ENOENT)
		return BOX_NO_SUCH_FILE;
	log_alarm("taking an upload of %s: %s", m->user, strerror(error));
	return error == ENOSPC || error == EDQUOT ? BOX_NO_SPACE : BOX_FAILURE;
}

/* A hole inside is a part that was never written.  File systems that cannot
 * tell say that the first hole is at the end. */
static int
has_gap(int fd, off_t size)
{
	off_t hole = lseek(fd, 0, SEEK_HOLE);

	return hole != -1 && hole < size;
}

/* The upload, nobody else's to write any more; -1 and *status. */
static int
lease_upload(int inbox, const char *name, const struct file_id *id, struct m_submission *m,
    enum box_status *status)
{
	struct stat st;
	int fd;

	fd = open_beneath(inbox, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0);
	if (fd == -1) {
		*status = not_taken(m, errno);
		return -1;
	}
	*status = BOX_DENIED;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) || st.st_nlink != 1 ||
	    st.st_size == 0)
		goto fail;
	/* fails while any descriptor or shared mapping can still write */
	if (fcntl(fd, F_SETLEASE, F_RDLCK) == -1) {
		*status = errno == EAGAIN ? BOX_BUSY : BOX_FAILURE;
		if (errno != EAGAIN)
			log_alarm("taking an upload: no lease: %s", strerror(errno));
		goto fail;
	}
	/* the size only counts now that it cannot change */
	if (fstat(fd, &st) == -1 || has_gap(fd, st.st_size))
		goto fail;
	/* nor can what was written; success is said to who wrote it */
	if (!file_id_is(id, &st)) {
		*status = BOX_BUSY;
		goto fail;
	}
	m->size = st.st_size;
	return fd;
fail:
	(void)close(fd);
	return -1;
}

/* Put an upload back whose taking failed: its client will be told so, and may
 * go on with it. */
static void
take_back(const struct tree *t, int inbox, const char *name, int subdir,
    const struct m_submission *m)
{
	char dir[SUB_DIR_SIZE];

	sub_dir_name(m, dir);
	if (renameat(subdir, m->name, inbox, name) == -1) {
		log_alarm("taking an upload: %s cannot go back to the inbox: %s: it will be "
		    "processed after the next start", m->id, strerror(errno));
		return;
	}
	if (fchmodat(inbox, name, MODE_UPLOAD, 0) == -1)
		log_warn("taking an upload: %s: it stays read-only in the inbox", m->id);
	(void)unlinkat(t->received, dir, AT_REMOVEDIR);
}

/* What its bytes or its place are on the disk nobody knows: let nothing go on
 * with it, or take it for durable. */
static void
lose(const struct tree *t, int inbox, int subdir, const struct m_submission *m)
{
	char dir[SUB_DIR_SIZE];

	log_alarm("taking an upload: %s of %s cannot be made durable: %s: its sender is told "
	    "to send it again", m->id, m->user, strerror(errno));
	sub_dir_name(m, dir);
	if (unlinkat(subdir, m->name, 0) == -1) {
		log_alarm("taking an upload: %s cannot be removed: %s: it will be processed "
		    "after the next start", m->id, strerror(errno));
		return;
	}
	(void)unlinkat(t->received, dir, AT_REMOVEDIR);
	(void)fsync_dir(t->received);
	(void)fsync_dir(inbox);
}

/* List it among the sent; only a convenience for clients that look at what
 * they just sent, so trouble here does not undo the taking. */
static void
list_sent(int subdir, int sent, const char *name)
{
	if (unlinkat(sent, name, 0) == -1 && errno != ENOENT)
		log_warn("sent listing: an older entry");
	if (linkat(subdir, name, sent, name, 0) == -1)
		log_warn("sent listing");
}

/* Takings at work: between the renaming and the end what stands in received
 * may still be lost, and is nobody's to verify. */
struct taking {
	const char	*id;
	struct taking	*next;
};
static struct taking *takings;
static pthread_mutex_t takings_lock = PTHREAD_MUTEX_INITIALIZER;

static void
taking_begin(struct taking *t, const char *id)
{
	t->id = id;
	(void)pthread_mutex_lock(&takings_lock);
	t->next = takings;
	takings = t;
	(void)pthread_mutex_unlock(&takings_lock);
}

static void
taking_end(struct taking *t)
{
	struct taking **p;

	(void)pthread_mutex_lock(&takings_lock);
	for (p = &takings; *p != t; p = &(*p)->next)
		;
	*p = t->next;
	(void)pthread_mutex_unlock(&takings_lock);
}

static int
being_taken(const char *id)
{
	const struct taking *t;

	(void)pthread_mutex_lock(&takings_lock);
	for (t = takings; t != NULL && strcmp(t->id, id) != 0; t = t->next)
		;
	(void)pthread_mutex_unlock(&takings_lock);
	return t != NULL;
}

static enum box_status
take(const struct tree *t, int inbox, int sent, const char *name, const struct file_id *id,
    struct m_submission *m)
{
	char dir[SUB_DIR_SIZE];
	enum box_status status = BOX_FAILURE;
	int fd, subdir = -1;

	if ((fd = lease_upload(inbox, name, id, m, &status)) == -1)
		return status;
	sub_dir_name(m, dir);
	if (mkdirat(t->received, dir, TREE_PRIVATE) == -1 ||
	    (subdir = tree_dir_existing(t->received, dir)) == -1) {
		status = not_taken(m, errno == ENOENT ? EIO : errno);
		goto out;
	}
	if (renameat(inbox, name, subdir, m->name) == -1) {
		status = not_taken(m, errno);
		(void)unlinkat(t->received, dir, AT_REMOVEDIR);
		goto out;
	}
	/* the session has fsync'd it, but that is its word; the mode too must last */
	if (fchmod(fd, MODE_TAKEN) == -1) {
		status = not_taken(m, errno);
		take_back(t, inbox, name, subdir, m);
		goto out;
	}
	if (fsync(fd) == -1 || fsync_dir(subdir) == -1 || fsync_dir(t->received) == -1 ||
	    fsync_dir(inbox) == -1) {
		status = BOX_LOST;
		lose(t, inbox, subdir, m);
		goto out;
	}
	list_sent(subdir, sent, m->name);
	status = BOX_OK;
out:
	if (subdir != -1)
		(void)close(subdir);
	(void)close(fd);	/* and with it the lease */
	return status;
}

enum box_status
spool_take(const struct tree *t, int inbox, int sent, const char *name,
    const struct file_id *id, struct m_submission *m)
{
	enum box_status status;
	struct taking self;

	taking_begin(&self, m->id);
	status = take(t, inbox, sent, name, id, m);
	taking_end(&self);
	return status;
}

int
spool_open(const struct tree *t, const struct m_submission *m)
{
	char dir[SUB_DIR_SIZE];
	int subdir, fd, saved;

	sub_dir_name(m, dir);
	if ((subdir = tree_dir_existing(t->received, dir)) == -1)
		return -1;
	fd = open_beneath(subdir, m->name, O_RDONLY | O_NOFOLLOW, 0);
	saved = errno;
	(void)close(subdir);
	errno = saved;
	return fd;
}

/* The name is taken in the store: 0 by the same bytes; 1 by others; -1. */
static int
taken_by_others(int subdir, const char *name, int shelf, const char *sha256)
{
	int fd, rc, saved;

	if ((fd = open_beneath(subdir, name, O_RDONLY | O_NOFOLLOW, 0)) == -1)
		return -1;
	rc = spool_same(fd, shelf, sha256);
	saved = errno;
	(void)close(fd);
	errno = saved;
	return rc == -1 ? -1 : !rc;
}

/* Link the document into the store, as sha256 or, where that is "", among the
 * held; *shelf is the folder that got it, the caller's to close.  0 or -1. */
static int
shelve(const struct tree *t, int subdir, const struct m_submission *m, const char *sha256,
    int *shelf)
{
	char head[3] = { 0 };
	int others;

	if (sha256[0] != '\0') {
		memcpy(head, sha256, 2);
		if ((*shelf = tree_dir(t->store, head, TREE_SHARED)) == -1)
			return -1;
		/* ENOENT: linked and unlinked before */
		if (linkat(subdir, m->name, *shelf, sha256, 0) == 0 || errno == ENOENT)
			return 0;
		if (errno != EEXIST)
			return -1;
		/* linked before, or the same bytes came before; but the digest is the
		 * word of a process that has read a stranger's document */
		if ((others = taken_by_others(subdir, m->name, *shelf, sha256)) != 1)
			return others;
		log_alarm("%s: the store holds other bytes as %s: it is kept as held/%s", m->id,
		    sha256, m->id);
		(void)close(*shelf);
	}
	if ((*shelf = tree_dir(t->store, "held", TREE_SHARED)) == -1)
		return -1;
	if (linkat(subdir, m->name, *shelf, m->id, 0) == 0 || errno == EEXIST || errno == ENOENT)
		return 0;
	return -1;
}

static int
in_store(const struct tree *t, const char *path)
{
	struct stat st;

	return fstatat(t->store, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Is it in the store, wherever shelve puts it? */
static int
is_stored(const struct tree *t, const struct m_submission *m, const char *sha256)
{
	char path[DEPOT_PATH_SIZE];

	if (sha256[0] != '\0') {
		depot_path(sha256, DEPOT_PLAIN, path);
		if (in_store(t, path))
			return 1;
		depot_path(sha256, DEPOT_ZSTD, path);
		if (in_store(t, path))
			return 1;
	}
	(void)snprintf(path, sizeof(path), "held/%s", m->id);
	return in_store(t, path);
}

int
spool_conclude(const struct tree *t, const struct m_submission *m, const char *sha256)
{
	char dir[SUB_DIR_SIZE];
	int subdir, shelf = -1, rc = -1, saved;

	sub_dir_name(m, dir);
	if ((subdir = tree_dir_existing(t->received, dir)) == -1) {
		if (errno != ENOENT)
			return -1;
		/* concluded before; trying again would bring nothing back */
		if (!is_stored(t, m, sha256))
			log_alarm("%s: its document is neither in the spool nor in the store",
			    m->id);
		return 0;
	}
	if (shelve(t, subdir, m, sha256, &shelf) == -1)
		goto out;
	if (fsync_dir(shelf) == -1)
		goto out;
	if (unlinkat(subdir, m->name, 0) == -1 && errno != ENOENT)
		goto out;
	if (unlinkat(t->received, dir, AT_REMOVEDIR) == -1 && errno != ENOENT)
		goto out;
	rc = fsync_dir(t->received);
out:
	saved = errno;
	if (shelf != -1)
		(void)close(shelf);
	(void)close(subdir);
	errno = saved;
	return rc;
}

struct scan {
	const struct tree *tree;
	struct m_submission *list;
	size_t	 n, size;
	int	 durable;
	/* of the folder being looked at */
	struct m_submission one;
	int	 files;
};

static int
scan_file(int dirfd, const char *name, void *arg)
{
	struct scan *s = arg;
	struct stat st;
	int fd;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1) {
		if (errno == ENOENT)
			return 0;	/* concluded at this moment */
		st.st_mode = 0;
	}
	if (!S_ISREG(st.st_mode) || !file_name_ok(name) || s->files++ != 0 ||
	    str_copy(s->one.name, sizeof(s->one.name), name) == -1) {
		log_alarm("spool: %s holds what muhurd did not put there", s->one.id);
		s->files = -1;
		return 1;
	}
	s->one.size = st.st_size;
	if (!s->durable)
		return 0;
	if (fchmodat(dirfd, name, MODE_TAKEN, 0) == -1 ||
	    (fd = open_beneath(dirfd, name, O_RDONLY | O_NOFOLLOW, 0)) == -1)
		return -1;
	if (fsync(fd) == -1 || fsync_dir(dirfd) == -1) {
		(void)close(fd);
		return -1;
	}
	(void)close(fd);
	return 0;
}

/* One folder of received; a crash may have left it empty. */
static int
scan_folder(int dirfd, const char *name, void *arg)
{
	struct scan *s = arg;
	int fd, rc;

	memset(&s->one, 0, sizeof(s->one));
	s->files = 0;
	if (strlen(name) < UUID_SIZE || name[UUID_SIZE - 1] != '.' ||
	    !user_code_ok(name + UUID_SIZE))
		goto strange;
	memcpy(s->one.id, name, UUID_SIZE - 1);
	if (!uuid_ok(s->one.id) ||
	    str_copy(s->one.user, sizeof(s->one.user), name + UUID_SIZE) == -1)
		goto strange;
	s->one.received_at = spool_id_time(s->one.id);
	/* whoever takes it also tells the flow of it, once it is durable */
	if (being_taken(s->one.id))
		return 0;
	if ((fd = tree_dir_existing(dirfd, name)) == -1)
		return errno == ENOENT ? 0 : -1;
	rc = tree_each(fd, scan_file, s);
	(void)close(fd);
	if (rc == -1)
		return -1;
	if (s->files == 0) {
		/* before the rename, or after the unlink; while the gateway runs it
		 * may also be about to be filled, so only at start */
		if (s->durable)
			(void)unlinkat(dirfd, name, AT_REMOVEDIR);
		return 0;
	}
	if (s->files != 1)
		return 0;
	if (s->n == s->size) {
		s->size = s->size == 0 ? 64 : s->size * 2;
		s->list = xreallocarray(s->list, s->size, sizeof(*s->list));
	}
	s->list[s->n++] = s->one;
	return 0;
strange:
	log_alarm("spool: received holds \"%s\", which muhurd did not put there", name);
	return 0;
}

static int
by_id(const void *a, const void *b)
{
	return strcmp(((const struct m_submission *)a)->id, ((const struct m_submission *)b)->id);
}

int
spool_scan(const struct tree *t, size_t max, int durable, struct m_submission **list,
    size_t *n, int *more)
{
	struct scan s = { .tree = t, .durable = durable };

	*list = NULL;
	*n = 0;
	*more = 0;
	if (tree_each(t->received, scan_folder, &s) == -1 ||
	    (durable && fsync_dir(t->received) == -1)) {
		free(s.list);
		return -1;
	}
	/* UUIDv7 sorts by time */
	if (s.n > 1)
		qsort(s.list, s.n, sizeof(*s.list), by_id);
	*more = s.n > max;
	*list = s.list;
	*n = s.n > max ? max : s.n;
	return 0;
}
