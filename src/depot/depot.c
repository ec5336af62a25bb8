/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "depot/depot.h"

#define CHUNK	(64 * 1024)

struct depot_file {
	int		 fd;
	EVP_MD_CTX	*digest;	/* of the document, as far as it was read */
	ZSTD_DCtx	*zstd;		/* NULL: it is kept as it is */
	ZSTD_inBuffer	 in;
	char		*raw;		/* CHUNK bytes, what in looks at */
	int		 ended;		/* the frame is complete */
};

static void
digest_start(EVP_MD_CTX **ctx)
{
	if ((*ctx = EVP_MD_CTX_new()) == NULL ||
	    EVP_DigestInit_ex(*ctx, EVP_sha256(), NULL) != 1)
		fatalx("SHA-256 is not available");
}

static void
digest_end(EVP_MD_CTX *ctx, char hex[SHA256_HEX_SIZE])
{
	unsigned char md[EVP_MAX_MD_SIZE];

	if (EVP_DigestFinal_ex(ctx, md, NULL) != 1)
		fatalx("SHA-256 failed");
	hex_encode(md, SHA256_SIZE, hex);
}

struct depot_file *
depot_of(int fd, enum depot_form form)
{
	struct depot_file *f = xcalloc(1, sizeof(*f));

	f->fd = fd;
	digest_start(&f->digest);
	if (form == DEPOT_ZSTD) {
		f->raw = xcalloc(CHUNK, 1);
		f->in.src = f->raw;
		if ((f->zstd = ZSTD_createDCtx()) == NULL || ZSTD_isError(
		    ZSTD_DCtx_setParameter(f->zstd, ZSTD_d_windowLogMax, DEPOT_WINDOW_LOG)))
			fatalx("zstd: no memory");
	}
	return f;
}

struct depot_file *
depot_open_form(int store, const char *sha256, enum depot_form form)
{
	char path[DEPOT_PATH_SIZE];
	struct stat st;
	int fd;

	if (!depot_name_ok(sha256)) {
		errno = ENOENT;
		return NULL;
	}
	depot_path(sha256, form, path);
	if ((fd = open_beneath(store, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0)) == -1)
		return NULL;
	errno = EINVAL;		/* what is no regular file gives no other */
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		(void)close(fd);
		return NULL;
	}
	return depot_of(fd, form);
}

struct depot_file *
depot_open(int store, const char *sha256)
{
	/* compressing makes the second before it removes the first */
	struct depot_file *f = depot_open_form(store, sha256, DEPOT_PLAIN), *other;
	enum depot_state state;

	if (f == NULL)
		return errno == ENOENT ? depot_open_form(store, sha256, DEPOT_ZSTD) : NULL;
	if ((other = depot_open_form(store, sha256, DEPOT_ZSTD)) == NULL)
		return f;
	/* a plain one that came later has its name by the word of who read a stranger's document */
	state = depot_finish(f, sha256, -1, NULL);
	depot_close(f);
	if (state != DEPOT_GOOD || (f = depot_open_form(store, sha256, DEPOT_PLAIN)) == NULL)
		return other;
	depot_close(other);
	return f;
}

void
depot_close(struct depot_file *f)
{
	if (f == NULL)
		return;
	(void)close(f->fd);
	EVP_MD_CTX_free(f->digest);
	ZSTD_freeDCtx(f->zstd);
	free(f->raw);
	free(f);
}

int
depot_compressed(const struct depot_file *f)
{
	return f->zstd != NULL;
}

/* More of the file for the decompressor: 1, 0 at its end, -1. */
static int
refill(struct depot_file *f)
{
	ssize_t n = read_full(f->fd, f->raw, CHUNK);

	if (n == -1)
		return -1;
	f->in.size = (size_t)n;
	f->in.pos = 0;
	return n > 0;
}

static ssize_t
broken(int error)
{
	errno = error;
	return -1;
}

static ssize_t
decompress(struct depot_file *f, void *buf, size_t n)
{
	ZSTD_outBuffer out = { .dst = buf, .size = n };
	size_t left;
	int more;

	while (!f->ended && out.pos < n) {
		if (f->in.pos == f->in.size) {
			if ((more = refill(f)) == -1)
				return -1;
			if (more == 0)
				return broken(EBADMSG);
		}
		left = ZSTD_decompressStream(f->zstd, &out, &f->in);
		if (ZSTD_isError(left))
			return broken(ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation ?
			    ENOMEM : EBADMSG);
		f->ended = left == 0;
	}
	if (out.pos == 0 && n > 0) {
		if (f->in.pos < f->in.size)
			return broken(EBADMSG);
		if ((more = refill(f)) != 0)
			return more == -1 ? -1 : broken(EBADMSG);
	}
	return (ssize_t)out.pos;
}

ssize_t
depot_read(struct depot_file *f, void *buf, size_t n)
{
	ssize_t got = f->zstd != NULL ? decompress(f, buf, n) : read_full(f->fd, buf, n);

	if (got > 0 && EVP_DigestUpdate(f->digest, buf, (size_t)got) != 1)
		fatalx("SHA-256 failed");
	return got;
}

void
depot_digest(struct depot_file *f, char hex[SHA256_HEX_SIZE])
{
	digest_end(f->digest, hex);
}

enum depot_state
depot_finish(struct depot_file *f, const char *sha256, int out, long long *size)
{
	enum depot_state state = DEPOT_TROUBLE;
	char hex[SHA256_HEX_SIZE], *chunk = xcalloc(CHUNK, 1);
	long long total = 0;
	ssize_t n;

	while ((n = depot_read(f, chunk, CHUNK)) > 0) {
		if (out != -1 && write_full(out, chunk, (size_t)n) == -1)
			goto out;
		total += n;
	}
	if (n == -1) {
		if (errno == EBADMSG)
			state = DEPOT_ROTTEN;
		goto out;
	}
	depot_digest(f, hex);
	state = strcmp(hex, sha256) == 0 ? DEPOT_GOOD : DEPOT_ROTTEN;
	if (size != NULL)
		*size = total;
out:
	free(chunk);
	return state;
}

enum depot_state
depot_copy(int store, const char *sha256, int out, long long *size)
{
	struct depot_file *f;
	enum depot_state state;
	int saved;

	if ((f = depot_open(store, sha256)) == NULL)
		return errno == ENOENT ? DEPOT_ABSENT : DEPOT_TROUBLE;
	state = depot_finish(f, sha256, out, size);
	saved = errno;
	depot_close(f);
	errno = saved;
	return state;
}

enum depot_state
depot_check(int store, const char *sha256, long long *size)
{
	return depot_copy(store, sha256, -1, size);
}

int
depot_hash_fd(int fd, char hex[SHA256_HEX_SIZE])
{
	EVP_MD_CTX *ctx;
	char *chunk = xcalloc(CHUNK, 1);
	off_t pos = 0;
	ssize_t n;
	int saved;

	digest_start(&ctx);
	for (;;) {
		n = pread(fd, chunk, CHUNK, pos);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (EVP_DigestUpdate(ctx, chunk, (size_t)n) != 1)
			fatalx("SHA-256 failed");
		pos += n;
	}
	saved = errno;
	if (n == 0)
		digest_end(ctx, hex);
	EVP_MD_CTX_free(ctx);
	free(chunk);
	errno = saved;
	return n == 0 ? 0 : -1;
}
