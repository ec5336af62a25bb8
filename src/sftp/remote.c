/* SPDX-License-Identifier: ISC */
/*
 * /trail, and the archives of other members: what compliance and the regulator
 * see.  No descriptor of it is held, muhurd opens each for each look and judges
 * by the rights of that moment, so that a right which is withdrawn ends at once.
 *
 * The log grows while it is mirrored.  A partial tile goes away when the whole
 * one is there; who saw it listed still gets it, cut from the whole one.
 */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/tilepath.h"
#include "sftp/ops.h"

#define MEMBERS_MAX	(4 * 1024 * 1024)	/* bytes of their list */
#define TILE_PARTIAL	(TILE_WIDTH - 1)	/* the widest partial tile */

int
remote_hidden(const struct sftp *s, const struct vpath *v)
{
	return (vpath_in_trail(v) && !s->may.sees_trail) ||
	    (vpath_is_others(v) && !s->may.sees_archives);
}

int
remote_is(const struct vpath *v)
{
	return vpath_in_trail(v) || vpath_is_others(v);
}

void
remote_ask(struct sftp *s, enum ask ask, uint32_t id, const struct vpath *v)
{
	enum box_folder folder = BOX_ARCHIVE;

	if (v->kind == VP_OUTBOX_FILE)
		folder = BOX_OUTBOX;
	else if (vpath_in_trail(v))
		folder = BOX_TRAIL;
	ask_begin(s, ask, id, v);
	ask_open(s, folder, v, vpath_is_dir(v) ? BOX_READ | BOX_DIR : BOX_READ);
}

/* Where the first width leaves of a tile of entries end: each stands behind its
 * 16-bit length (C2SP tlog-tiles). */
static uint64_t
entries_end(int fd, int width, uint64_t size)
{
	uint8_t len[2];
	uint64_t at = 0;
	int i;

	for (i = 0; i < width && at < size; i++) {
		if (pread(fd, len, 2, (off_t)at) != 2)
			return size;
		at += 2 + (uint64_t)(len[0] << 8 | len[1]);
	}
	return at < size ? at : size;
}

static uint64_t
tile_size(const char *path, int width, int fd, uint64_t size)
{
	uint64_t bytes = (uint64_t)width * SHA256_SIZE;

	if (strncmp(path, "tile/entries/", 13) == 0)
		return entries_end(fd, width, size);
	return bytes < size ? bytes : size;
}

uint64_t
remote_size(const struct vpath *v, int fd, const struct stat *st)
{
	char whole[TILE_PATH_SIZE];
	uint64_t size = (uint64_t)st->st_size;
	int width;

	if (v->kind != VP_TRAIL_FILE || (width = trail_path_partial(v->name, whole)) <= 0)
		return size;
	return tile_size(v->name, width, fd, size);
}

void
remote_looked(struct sftp *s, const struct pending *p, int fd)
{
	struct sftp_attrs a;
	struct stat st;

	if (fstat(fd, &st) == -1)
		reply_errno(s, p->id, "looking at", &p->path);
	else {
		list_fill_attrs(&a, &st, vpath_is_dir(&p->path));
		if (!vpath_is_dir(&p->path))
			a.size = remote_size(&p->path, fd, &st);
		sftp_put_attrs(&s->out, p->id, &a);
	}
	/* muhurd cannot tell looking from fetching */
	tell_fetched(s, &p->path, p->tag, NULL, 0);
	(void)close(fd);
}

/* --- names beside a directory's ------------------------------------------------- */

/* What is in /trail, the checkpoint first: a client that fetches in this order, one
 * after the other, has all that its checkpoint and the older ones speak of. */
static char *
trail_names(int fd)
{
	static const char *const names[] = { "checkpoint", "checkpoints", "key", "tile" };
	struct buf text = { 0 };
	struct stat st;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (fstatat(fd, names[i], &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    (st.st_mode & S_IFMT) == (trail_path_ok(names[i]) == 2 ? S_IFDIR : S_IFREG))
			(void)buf_printf(&text, "%s %lld %lld\n", names[i], (long long)st.st_mtime,
			    (long long)st.st_size);
	return text.data != NULL ? text.data : xstrdup("");
}

char *
remote_names(const struct vpath *v, int fd, const struct stat *st)
{
	char *names;
	size_t len;

	switch (v->kind) {
	case VP_ROOT:
		return xasprintf("trail %lld 0\n", (long long)st->st_mtime);
	case VP_ARCHIVE:
		if (fd_read_all(fd, MEMBERS_MAX, &names, &len) == 0)
			return names;
		log_alarm("the list of members' archives: %s", strerror(errno));
		return NULL;
	case VP_TRAIL:
		if (v->name[0] == '\0')
			return trail_names(fd);
		/* the whole tile, in place of the folder of its partial ones */
		if (S_ISREG(st->st_mode))
			return xasprintf("%d %lld %" PRIu64 "\n", TILE_PARTIAL, (long long)st->st_mtime,
			    tile_size(v->name, TILE_PARTIAL, fd, (uint64_t)st->st_size));
		return NULL;
	default:
		return NULL;
	}
}

/* The line at s; *next is where the one behind it begins.  0 or -1: no such line. */
static int
parse_line(const char *s, char name[FILE_NAME_SIZE], struct stat *st, const char **next)
{
	size_t n = strcspn(s, " \n");
	char *end;

	memset(st, 0, sizeof(*st));
	if (n == 0 || n >= FILE_NAME_SIZE || s[n] != ' ')
		return -1;
	memcpy(name, s, n);
	name[n] = '\0';
	st->st_mtime = (time_t)strtoll(s + n, &end, 10);
	st->st_size = (off_t)strtoll(end, &end, 10);
	if (*end != '\n')
		return -1;
	*next = end + 1;
	return 0;
}

int
remote_next(const struct sftp *s, const struct handle *h, char name[FILE_NAME_SIZE],
    struct sftp_attrs *a, size_t *next)
{
	const char *behind;
	struct stat st;
	int folder = 1;

	/* withdrawn since the listing began */
	if ((h->path.kind == VP_ROOT && !s->may.sees_trail) ||
	    (h->path.kind == VP_ARCHIVE && !s->may.sees_archives) ||
	    parse_line(h->names + h->names_at, name, &st, &behind) == -1)
		return -1;
	if (h->path.kind == VP_TRAIL)
		folder = h->path.name[0] == '\0' && trail_path_ok(name) == 2;
	list_fill_attrs(a, &st, folder);
	*next = (size_t)(behind - h->names);
	return 0;
}
