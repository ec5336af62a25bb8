/* SPDX-License-Identifier: ISC */
/*
 * What a member sees: attributes and listings.  All comes from the directory
 * descriptors that muhurd gave at login; after the sandbox none can be opened,
 * but those that are open can be read and looked into.
 */
#include "config.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "model/ident.h"
#include "model/tilepath.h"
#include "sftp/ops.h"

#define MODE_DIR	040555u
#define MODE_DIR_WRITE	040755u
#define MODE_FILE	0100444u
#define MODE_UPLOAD	0100644u
#define LONGNAME_SIZE	(FILE_NAME_SIZE + 128)

static void
fill_attrs(struct sftp_attrs *a, const struct stat *st, uint32_t perm)
{
	memset(a, 0, sizeof(*a));
	a->flags = ATTR_SIZE | ATTR_UIDGID | ATTR_PERM | ATTR_TIME;
	a->size = S_ISDIR(st->st_mode) ? 0 : (uint64_t)st->st_size;
	a->perm = perm;
	a->atime = (uint32_t)st->st_mtime;
	a->mtime = (uint32_t)st->st_mtime;
}

void
list_fill_attrs(struct sftp_attrs *a, const struct stat *st, int folder)
{
	fill_attrs(a, st, folder ? MODE_DIR : MODE_FILE);
	if (folder)
		a->size = 0;	/* also where st is of what stands for it */
}

static int
stat_dir(int fd, struct sftp_attrs *a, uint32_t perm)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -1;
	fill_attrs(a, &st, perm);
	return 0;
}

/* A file, or a day's folder, below one of the box's directories. */
static int
stat_entry(int fd, const char *name, mode_t type, struct sftp_attrs *a, uint32_t perm)
{
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	if ((st.st_mode & S_IFMT) != type) {
		errno = ENOENT;
		return -1;
	}
	fill_attrs(a, &st, perm);
	return 0;
}

int
list_stat(struct sftp *s, const struct vpath *v, struct sftp_attrs *a)
{
	char path[DATE_SIZE + FILE_NAME_SIZE];

	switch (v->kind) {
	case VP_ROOT:
		return stat_dir(s->dir[DIR_INBOX], a, MODE_DIR);
	case VP_INBOX:
		return stat_dir(s->dir[DIR_INBOX], a, MODE_DIR_WRITE);
	case VP_OUTBOX:
		return stat_dir(s->dir[DIR_OUTBOX], a, MODE_DIR);
	case VP_ARCHIVE:
		return stat_dir(s->dir[DIR_ARCHIVE], a, MODE_DIR);
	case VP_DAY:
		return stat_entry(s->dir[DIR_ARCHIVE], v->day, S_IFDIR, a, MODE_DIR);
	case VP_INBOX_FILE:
		if (stat_entry(s->dir[DIR_INBOX], v->name, S_IFREG, a, MODE_UPLOAD) == 0)
			return 0;
		if (errno != ENOENT)
			return -1;
		return stat_entry(s->dir[DIR_SENT], v->name, S_IFREG, a, MODE_FILE);
	case VP_OUTBOX_FILE:
		return stat_entry(s->dir[DIR_OUTBOX], v->name, S_IFREG, a, MODE_FILE);
	case VP_ARCHIVE_FILE:
		(void)snprintf(path, sizeof(path), "%s/%s", v->day, v->name);
		return stat_entry(s->dir[DIR_ARCHIVE], path, S_IFREG, a, MODE_FILE);
	case VP_NONE:
	case VP_MEMBER:
	case VP_TRAIL:
	case VP_TRAIL_FILE:
		break;		/* what muhurd opens for each look: remote.c */
	}
	errno = ENOENT;
	return -1;
}

int
list_fstat(struct sftp *s, const struct handle *h, struct sftp_attrs *a)
{
	struct stat st;

	if (h->kind == H_LISTING && remote_is(&h->path)) {
		memset(&st, 0, sizeof(st));
		st.st_mtime = h->mtime;
		list_fill_attrs(a, &st, 1);
		return 0;
	}
	if (h->kind == H_LISTING)
		return list_stat(s, &h->path, a);
	if (fstat(h->fd, &st) == -1)
		return -1;
	fill_attrs(a, &st, h->kind == H_UPLOAD ? MODE_UPLOAD : MODE_FILE);
	if (h->kind == H_FETCH)
		a->size = h->size;	/* of a partial tile, less than the file's */
	return 0;
}

int
list_upload_state(struct sftp *s, const char *name)
{
	struct sftp_attrs a;

	if (stat_entry(s->dir[DIR_INBOX], name, S_IFREG, &a, 0) == 0)
		return UP_UNFINISHED;
	if (stat_entry(s->dir[DIR_SENT], name, S_IFREG, &a, 0) == 0)
		return UP_TAKEN;
	return UP_NONE;
}

/* A stream over an open directory of the box.  The description is shared with
 * all others over it, hence each keeps its own place. */
static DIR *
open_stream(int fd)
{
	DIR *d;
	int copy;

	if ((copy = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1)
		return NULL;
	if ((d = fdopendir(copy)) == NULL) {
		(void)close(copy);
		return NULL;
	}
	rewinddir(d);
	return d;
}

uint64_t
list_inbox_bytes(struct sftp *s)
{
	struct dirent *e;
	struct stat st;
	uint64_t sum = 0;
	DIR *d;

	if ((d = open_stream(s->dir[DIR_INBOX])) == NULL) {
		log_alarm("listing the inbox of %s: %s", s->user, strerror(errno));
		return UINT64_MAX / 2;		/* nothing is taken blindly */
	}
	while ((e = readdir(d)) != NULL)
		if (fstatat(s->dir[DIR_INBOX], e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode))
			sum += (uint64_t)st.st_size;
	(void)closedir(d);
	return sum;
}

/* --- listings ------------------------------------------------------------ */

void
list_longname(struct sftp *s, const char *name, const struct sftp_attrs *a,
    char *buf, size_t size)
{
	static const char bits[] = "rwxrwxrwx";
	time_t t = (time_t)a->mtime, now = (time_t)(clock_now() / USEC_PER_SEC);
	char mode[11], when[32];
	struct tm tm;
	int i;

	mode[0] = (a->perm & 0170000u) == 040000u ? 'd' : '-';
	for (i = 0; i < 9; i++)
		mode[1 + i] = a->perm & (0400u >> i) ? bits[i] : '-';
	mode[10] = '\0';
	when[0] = '\0';
	if (localtime_r(&t, &tm) != NULL)
		(void)strftime(when, sizeof(when),
		    t > now || now - t > 180 * 86400 ? "%b %e  %Y" : "%b %e %H:%M", &tm);
	/* Longer than it is allowed to be it cannot get: both parts are bounded. */
	(void)snprintf(buf, size, "%s    1 %-8s %-8s %8llu %s %s", mode, s->user,
	    s->member, (unsigned long long)a->size, when, name);
}

static struct handle *
new_listing(struct sftp *s, uint32_t id, const struct vpath *v, int fd)
{
	struct handle *h;
	DIR *d = NULL;

	if (fd != -1 && (d = open_stream(fd)) == NULL) {
		reply_errno(s, id, "listing", v);
		return NULL;
	}
	if ((h = handle_new(&s->handles, H_LISTING, v)) == NULL)
		fatalx("no handle is left for a listing");
	h->dir = d;
	h->dir_pos = d != NULL ? telldir(d) : 0;
	sftp_put_handle(&s->out, id, (uint32_t)h->number);
	return h;
}

void
list_open(struct sftp *s, uint32_t id, const struct vpath *v)
{
	struct sftp_attrs a;

	switch (v->kind) {
	case VP_ROOT:
		if (s->may.sees_trail) {
			ask_begin(s, ASK_LIST, id, v);
			ask_open(s, BOX_TRAIL, v, BOX_READ | BOX_DIR);
		} else
			(void)new_listing(s, id, v, -1);
		break;
	case VP_INBOX:
		(void)new_listing(s, id, v, s->dir[DIR_INBOX]);
		break;
	case VP_OUTBOX:
		(void)new_listing(s, id, v, s->dir[DIR_OUTBOX]);
		break;
	case VP_ARCHIVE:
		if (s->may.sees_archives) {
			ask_begin(s, ASK_LIST, id, v);
			ask_open(s, BOX_MEMBERS, v, BOX_READ | BOX_DIR);
		} else
			(void)new_listing(s, id, v, s->dir[DIR_ARCHIVE]);
		break;
	case VP_DAY:
	case VP_MEMBER:
	case VP_TRAIL:
		remote_ask(s, ASK_LIST, id, v);
		break;
	case VP_TRAIL_FILE:
		reply(s, id, FX_FAILURE, "this is no folder");
		break;
	default:
		if (vpath_is_others(v))
			reply(s, id, FX_FAILURE, "this is no folder");
		else if (list_stat(s, v, &a) == -1)
			reply_errno(s, id, "looking at", v);
		else
			reply(s, id, FX_FAILURE, "this is no folder");
		break;
	}
}

void
list_opened_alone(struct sftp *s, const struct pending *p)
{
	(void)new_listing(s, p->id, &p->path,
	    p->path.kind == VP_ARCHIVE ? s->dir[DIR_ARCHIVE] : -1);
}

void
list_opened(struct sftp *s, const struct pending *p, int fd)
{
	struct handle *h;
	struct stat st;
	char *names;

	if (fstat(fd, &st) == -1) {
		reply_errno(s, p->id, "listing", &p->path);
		(void)close(fd);
		return;
	}
	names = remote_names(&p->path, fd, &st);
	if (p->path.kind == VP_ARCHIVE)
		h = new_listing(s, p->id, &p->path, s->dir[DIR_ARCHIVE]);
	else
		h = new_listing(s, p->id, &p->path, names != NULL ? -1 : fd);
	(void)close(fd);
	if (h == NULL) {
		free(names);
		return;
	}
	h->names = names;
	h->mtime = (uint32_t)st.st_mtime;
}

/* Is what a directory of ours holds to be shown, and as what? */
static int
entry_attrs(struct sftp *s, const struct handle *h, const char *name, struct sftp_attrs *a)
{
	char path[TILE_PATH_SIZE];
	struct sftp_attrs other;
	int fd = dirfd(h->dir), ok;
	date_t day;

	switch (h->path.kind) {
	case VP_INBOX:
		if (!file_name_ok(name))
			return -1;
		if (h->stage == 1)
			return stat_entry(fd, name, S_IFREG, a, MODE_UPLOAD);
		/* A new upload hides the taken one of its name. */
		if (stat_entry(s->dir[DIR_INBOX], name, S_IFREG, &other, 0) == 0)
			return -1;
		return stat_entry(fd, name, S_IFREG, a, MODE_FILE);
	case VP_ARCHIVE:
	case VP_MEMBER:
		if (date_parse(name, &day) == -1)
			return -1;
		return stat_entry(fd, name, S_IFDIR, a, MODE_DIR);
	case VP_TRAIL:
		if (snprintf(path, sizeof(path), "%s/%s", h->path.name, name) >= (int)sizeof(path) ||
		    (ok = trail_path_ok(path)) == 0)
			return -1;
		return ok == 2 ? stat_entry(fd, name, S_IFDIR, a, MODE_DIR) :
		    stat_entry(fd, name, S_IFREG, a, MODE_FILE);
	default:
		if (!file_name_ok(name))
			return -1;
		return stat_entry(fd, name, S_IFREG, a, MODE_FILE);
	}
}

static int
add_name(struct sftp *s, size_t mark, const char *name, const struct sftp_attrs *a)
{
	char longname[LONGNAME_SIZE];

	list_longname(s, name, a, longname, sizeof(longname));
	return sftp_name_add(&s->out, mark, name, longname, a);
}

/* The fixed entries: . and .., and in / the folders. */
static uint32_t
add_fixed(struct sftp *s, size_t mark, const struct handle *h)
{
	static const char *const names[] = { "inbox", "outbox", "archive" };
	static const enum vpath_kind kinds[] = { VP_INBOX, VP_OUTBOX, VP_ARCHIVE };
	struct sftp_attrs a;
	struct vpath v = { .kind = VP_ROOT };
	uint32_t n = 0;
	size_t i;

	if (list_fstat(s, h, &a) == 0)
		n += add_name(s, mark, ".", &a) == 0;
	if (list_stat(s, &v, &a) == 0)
		n += add_name(s, mark, "..", &a) == 0;
	for (i = 0; h->path.kind == VP_ROOT && i < 3; i++) {
		v.kind = kinds[i];
		if (list_stat(s, &v, &a) == 0)
			n += add_name(s, mark, names[i], &a) == 0;
	}
	return n;
}

/* From h's place on as many as fit; 1 when the directory is at its end. */
static int
add_entries(struct sftp *s, size_t mark, struct handle *h, uint32_t *count)
{
	struct sftp_attrs a;
	struct dirent *e;

	seekdir(h->dir, h->dir_pos);
	while ((e = readdir(h->dir)) != NULL) {
		if (entry_attrs(s, h, e->d_name, &a) == 0) {
			if (add_name(s, mark, e->d_name, &a) == -1)
				return 0;
			(*count)++;
		}
		h->dir_pos = telldir(h->dir);
	}
	return 1;
}

/* The names that muhurd told, or that stand for what is gone: as add_entries. */
static int
add_names(struct sftp *s, size_t mark, struct handle *h, uint32_t *count)
{
	char name[FILE_NAME_SIZE];
	struct sftp_attrs a;
	size_t next;

	while (remote_next(s, h, name, &a, &next) == 0) {
		if (add_name(s, mark, name, &a) == -1)
			return 0;
		(*count)++;
		h->names_at = next;
	}
	return 1;
}

/* In /inbox the taken uploads follow the unfinished ones. */
static void
next_stage(struct sftp *s, struct handle *h)
{
	if (h->dir != NULL)
		(void)closedir(h->dir);
	h->dir = NULL;
	if (h->path.kind == VP_INBOX && h->stage == 1 &&
	    (h->dir = open_stream(s->dir[DIR_SENT])) != NULL)
		h->dir_pos = telldir(h->dir);
	h->stage++;
}

void
list_read(struct sftp *s, uint32_t id, struct handle *h)
{
	uint32_t count = 0;
	size_t mark, before;

	before = s->out.len;
	mark = sftp_name_begin(&s->out, id);
	if (h->stage == 0) {
		count += add_fixed(s, mark, h);
		h->stage = 1;
	}
	while (h->dir != NULL && add_entries(s, mark, h, &count) == 1)
		next_stage(s, h);
	if (h->dir == NULL && h->names != NULL)
		(void)add_names(s, mark, h, &count);
	if (count > 0) {
		sftp_name_end(&s->out, mark, count);
		return;
	}
	s->out.len = before;	/* nothing was sent meanwhile */
	reply(s, id, FX_EOF, "end of the listing");
}

void
list_statvfs(struct sftp *s, uint32_t id)
{
	uint64_t quota = (uint64_t)s->conf->inbox_quota, used = list_inbox_bytes(s), n[11] = { 0 };

	/* what the user may hold: the disk, its size and its other uses are
	 * nobody's business, nor is there a number of files like a file system's */
	n[0] = n[1] = 1024;	/* bytes of a block */
	n[2] = quota / 1024;
	n[3] = n[4] = used < quota ? (quota - used) / 1024 : 0;
	n[10] = FILE_NAME_SIZE - 1;
	sftp_put_statvfs(&s->out, id, n);
}
