/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zstd.h>

#include "archive/compress.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "depot/depot.h"

#define CHUNK		(256 * 1024)	/* of the document, a step */
#define SYNC_EVERY	(64 * 1024 * 1024)	/* bytes written, so that no fsync takes long */
#define LEVEL		3		/* a tenth of the size, at what a disk reads; its window is 2 MiB */

enum phase {
	LOOK,		/* what is there? */
	CHECK_OLD,	/* a compressed one was there: is it whole? */
	CHECK_PLAIN,	/* and the plain one beside it? */
	WRITE,		/* compress */
	CHECK_NEW,	/* read what was written */
	FINISH		/* its name, and the plain one goes */
};

struct compress {
	char		 sha256[SHA256_HEX_SIZE];
	char		 path[DEPOT_PATH_SIZE], zst_path[DEPOT_PATH_SIZE];
	char		 tmp_path[DEPOT_TMP_PATH_SIZE];
	int		 store, shelf, tmp;
	int		 have_plain, have_old;
	int		 renamed;	/* tmp is the compressed form now */
	enum phase	 phase;
	struct depot_file *in;
	ZSTD_CCtx	*zstd;
	char		*from, *to;	/* CHUNK bytes; to_size */
	size_t		 to_size, unsynced;
};

/* Behind the two digits of the shelf. */
static const char *
base(const char *path)
{
	return path + 3;
}

struct compress *
compress_new(int store, const char *sha256)
{
	struct compress *c = xcalloc(1, sizeof(*c));

	(void)str_copy(c->sha256, sizeof(c->sha256), sha256);
	depot_path(sha256, DEPOT_PLAIN, c->path);
	depot_path(sha256, DEPOT_ZSTD, c->zst_path);
	depot_tmp_path(sha256, c->tmp_path);
	c->store = store;
	c->shelf = c->tmp = -1;
	c->from = xcalloc(CHUNK, 1);
	c->to_size = ZSTD_CStreamOutSize();
	c->to = xcalloc(c->to_size, 1);
	return c;
}

void
compress_free(struct compress *c)
{
	int saved = errno;

	if (c == NULL)
		return;
	depot_close(c->in);
	/* whoever holds the lock on it may remove it; nobody else writes to it */
	if (c->tmp != -1 && !c->renamed)
		(void)unlinkat(c->shelf, base(c->tmp_path), 0);
	if (c->tmp != -1)
		(void)close(c->tmp);
	if (c->shelf != -1)
		(void)close(c->shelf);
	ZSTD_freeCCtx(c->zstd);
	free(c->from);
	free(c->to);
	free(c);
	errno = saved;
}

static int
trouble(const struct compress *c, const char *what, enum kept_result *result)
{
	log_alarm("document %s: cannot be compressed: %s: %s: it will be tried again", c->sha256, what,
	    strerror(errno));
	*result = KEPT_LATER;
	return 0;
}

static int
rotten(const struct compress *c, const char *what, enum kept_result *result)
{
	log_alarm("document %s: %s in the store is not what its name says: restore it from a backup",
	    c->sha256, what);
	*result = KEPT_ROTTEN;
	return 0;
}

static int
open_form(struct compress *c, const char *path, enum depot_form form)
{
	int fd = open_beneath(c->store, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);

	depot_close(c->in);
	c->in = NULL;
	if (fd == -1)
		return -1;
	c->in = depot_of(fd, form);
	return 0;
}

static int
there(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

/* Is that file ours alone, and still the one of that name?  The lock goes with the file:
 * what another archive process has at this moment is left to it (EWOULDBLOCK). */
static int
own_tmp(const struct compress *c, int fd)
{
	struct stat a, b;

	if (flock(fd, LOCK_EX | LOCK_NB) == -1 || fstat(fd, &a) == -1 ||
	    fstatat(c->shelf, base(c->tmp_path), &b, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	errno = EWOULDBLOCK;	/* it has got its name while we waited */
	return same_file(&a, &b) && S_ISREG(a.st_mode) ? 0 : -1;
}

/* What a crash left; it is not written to again, as it may have its last mode already. */
static int
remove_leftover(const struct compress *c)
{
	int fd = open_beneath(c->shelf, base(c->tmp_path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0), rc, saved;

	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	rc = own_tmp(c, fd) == -1 ? -1 : unlinkat(c->shelf, base(c->tmp_path), 0);
	saved = errno;
	(void)close(fd);
	errno = saved;
	return rc;
}

/* The file to write. */
static int
open_tmp(struct compress *c)
{
	int saved;

	if (remove_leftover(c) == -1)
		return -1;
	c->tmp = open_beneath(c->shelf, base(c->tmp_path), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (c->tmp == -1) {
		if (errno == EEXIST)
			errno = EWOULDBLOCK;
		return -1;
	}
	if (own_tmp(c, c->tmp) == 0)
		return 0;
	saved = errno;
	(void)close(c->tmp);
	c->tmp = -1;
	errno = saved;
	return -1;
}

static int
begin_writing(struct compress *c, enum kept_result *result)
{
	struct stat st;

	if (open_tmp(c) == -1) {
		if (errno != EWOULDBLOCK)
			return trouble(c, "a new file", result);
		log_info("document %s: another archive process is compressing it", c->sha256);
		*result = KEPT_LATER;
		return 0;
	}
	if (open_form(c, c->path, DEPOT_PLAIN) == -1 ||
	    fstatat(c->store, c->path, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return trouble(c, "reading", result);
	if ((c->zstd = ZSTD_createCCtx()) == NULL ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_compressionLevel, LEVEL)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_checksumFlag, 1)) ||
	    ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(c->zstd, (unsigned long long)st.st_size)))
		fatalx("zstd: no memory");
	c->phase = WRITE;
	return 1;
}

static int
look(struct compress *c, enum kept_result *result)
{
	char head[3] = { c->sha256[0], c->sha256[1], '\0' };

	*result = KEPT_ABSENT;
	if ((c->shelf = open_beneath(c->store, head, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0)) == -1)
		return errno == ENOENT ? 0 : trouble(c, "its folder", result);
	c->have_plain = there(c->shelf, base(c->path));
	c->have_old = there(c->shelf, base(c->zst_path));
	/* another process may have finished between the two looks */
	if (!c->have_plain && !c->have_old)
		return 0;
	if (!c->have_old)
		return begin_writing(c, result);
	if (open_form(c, c->zst_path, DEPOT_ZSTD) == -1)
		return trouble(c, "reading", result);
	c->phase = CHECK_OLD;
	return 1;
}

/* Not our trouble, which passes: its bytes are gone. */
static int
unreadable(void)
{
	return errno == EBADMSG || errno == EIO;
}

/* A chunk of what is being compared: 1 more, 0 at the end, *good; -1 trouble. */
static int
check(struct compress *c, int *good)
{
	char hex[SHA256_HEX_SIZE];
	ssize_t n = depot_read(c->in, c->from, CHUNK);

	*good = 0;
	if (n > 0)
		return 1;
	if (n == -1)
		return unreadable() ? 0 : -1;
	depot_digest(c->in, hex);
	*good = strcmp(hex, c->sha256) == 0;
	return 0;
}

static int
check_old(struct compress *c, enum kept_result *result)
{
	int good, rc = check(c, &good);

	if (rc != 0)
		return rc == 1 ? 1 : trouble(c, "reading", result);
	if (!good && !c->have_plain)
		return rotten(c, "its compressed form", result);
	if (!good) {
		log_warnx("document %s: its compressed form is broken, and is made again", c->sha256);
		return begin_writing(c, result);
	}
	*result = KEPT_OK;
	if (!c->have_plain)	/* all was done; but perhaps not durable */
		return fsync_dir(c->shelf) == 0 ? 0 : trouble(c, "its folder", result);
	if (open_form(c, c->path, DEPOT_PLAIN) == -1)
		return trouble(c, "reading", result);
	c->phase = CHECK_PLAIN;
	return 1;
}

/* Both are there, from before a crash, or since the same bytes came once more.
 * Other bytes under this name may be all that there is of an upload: they stay. */
static int
check_plain(struct compress *c, enum kept_result *result)
{
	int good, rc = check(c, &good);

	if (rc != 0)
		return rc == 1 ? 1 : trouble(c, "reading", result);
	if (!good) {
		log_alarm("document %s: its compressed form in the store is good, but beside it, under its name, "
		    "lie other bytes", c->sha256);
		*result = KEPT_ROTTEN;
		return 0;
	}
	c->renamed = 1;
	c->phase = FINISH;
	return 1;
}

/* All that the compressor gives for these bytes.  0, or -1 with errno. */
static int
put(struct compress *c, size_t n, ZSTD_EndDirective end)
{
	ZSTD_inBuffer in = { .src = c->from, .size = n };
	ZSTD_outBuffer out;
	size_t left;

	do {
		out = (ZSTD_outBuffer){ .dst = c->to, .size = c->to_size };
		left = ZSTD_compressStream2(c->zstd, &out, &in, end);
		if (ZSTD_isError(left)) {
			errno = EBADMSG;	/* it has another size than a moment before */
			return -1;
		}
		if (write_full(c->tmp, out.dst, out.pos) == -1)
			return -1;
		c->unsynced += out.pos;
	} while (end == ZSTD_e_end ? left != 0 : in.pos < in.size);
	if (c->unsynced >= SYNC_EVERY) {
		c->unsynced = 0;
		return fsync(c->tmp);
	}
	return 0;
}

static int
write_part(struct compress *c, enum kept_result *result)
{
	char hex[SHA256_HEX_SIZE];
	ssize_t n;
	int fd;

	if ((n = depot_read(c->in, c->from, CHUNK)) == -1)
		return unreadable() ? rotten(c, "it", result) : trouble(c, "reading", result);
	if (n > 0)
		return put(c, (size_t)n, ZSTD_e_continue) == 0 ? 1 : trouble(c, "writing", result);
	depot_digest(c->in, hex);
	if (strcmp(hex, c->sha256) != 0)
		return rotten(c, "it", result);
	if (put(c, 0, ZSTD_e_end) == -1 || fchmod(c->tmp, 0440) == -1 || fsync(c->tmp) == -1 ||
	    lseek(c->tmp, 0, SEEK_SET) == -1 || (fd = fcntl(c->tmp, F_DUPFD_CLOEXEC, 0)) == -1)
		return trouble(c, "writing", result);
	depot_close(c->in);
	c->in = depot_of(fd, DEPOT_ZSTD);
	c->phase = CHECK_NEW;
	return 1;
}

static int
check_new(struct compress *c, enum kept_result *result)
{
	int good, rc = check(c, &good);

	if (rc != 0)
		return rc == 1 ? 1 : trouble(c, "reading what was written", result);
	errno = EIO;
	if (!good)
		return trouble(c, "what was written reads otherwise", result);
	c->phase = FINISH;
	return 1;
}

static int
finish(struct compress *c, enum kept_result *result)
{
	*result = KEPT_OK;
	if (!c->renamed && renameat(c->shelf, base(c->tmp_path), c->shelf, base(c->zst_path)) == -1)
		return trouble(c, "its name", result);
	c->renamed = 1;
	/* the new name first: never is the document under none */
	if (fsync_dir(c->shelf) == -1)
		return trouble(c, "its folder", result);
	/* purged meanwhile: what bears the plain name now may have come since */
	errno = ENOENT;
	if (!there(c->shelf, base(c->zst_path)))
		return trouble(c, "its compressed form is gone", result);
	if ((unlinkat(c->shelf, base(c->path), 0) == -1 && errno != ENOENT) ||
	    fsync_dir(c->shelf) == -1)
		return trouble(c, "its folder", result);
	return 0;
}

int
compress_step(struct compress *c, enum kept_result *result)
{
	switch (c->phase) {
	case LOOK:
		return look(c, result);
	case CHECK_OLD:
		return check_old(c, result);
	case CHECK_PLAIN:
		return check_plain(c, result);
	case WRITE:
		return write_part(c, result);
	case CHECK_NEW:
		return check_new(c, result);
	case FINISH:
		break;
	}
	return finish(c, result);
}
