/* SPDX-License-Identifier: ISC */
/*
 * Containers as they come: anybody's.  What a container may hold is named, each
 * name once; sizes are bounded before a byte is unpacked.
 */
#include "config.h"

#include <sys/stat.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <zip.h>

#include "base/fdio.h"
#include "base/log.h"
#include "muhur/asic.h"

#define BLOCK	(64 * 1024)

struct asic_reader {
	zip_t	*z;
	char	**name;
	size_t	 n;
};

static int __attribute__((format(printf, 3, 4)))
refuse(char *why, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return -1;
}

/* The first entry says what the file is, at a fixed place, for who knows no zip
 * (EN 319 162-1 A.1). */
static int
mimetype_ok(int fd)
{
	static const unsigned char magic[4] = { 'P', 'K', 3, 4 };
	unsigned char head[38 + sizeof(ASIC_TYPE) - 1];

	return pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
	    memcmp(head, magic, 4) == 0 && head[8] == 0 && head[9] == 0 &&	/* stored */
	    head[26] == 8 && head[27] == 0 && head[28] == 0 && head[29] == 0 &&
	    memcmp(head + 30, "mimetype" ASIC_TYPE, 8 + sizeof(ASIC_TYPE) - 1) == 0;
}

static int
entry_ok(struct asic_reader *r, zip_uint64_t i, long long *left, char *why, size_t size)
{
	const zip_uint64_t want = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD |
	    ZIP_STAT_ENCRYPTION_METHOD;
	zip_stat_t st;

	if (zip_stat_index(r->z, i, 0, &st) == -1 || (st.valid & want) != want)
		return refuse(why, size, "entry %llu cannot be read", (unsigned long long)i);
	if (!asic_name_ok(st.name))
		return refuse(why, size, "entry %llu has a name that such a container cannot have", (unsigned long long)i);
	if (zip_name_locate(r->z, st.name, 0) != (zip_int64_t)i)
		return refuse(why, size, "%s is there twice", st.name);
	if (st.encryption_method != ZIP_EM_NONE || (st.comp_method != ZIP_CM_STORE && st.comp_method != ZIP_CM_DEFLATE))
		return refuse(why, size, "%s is encrypted, or compressed in another way than deflate", st.name);
	if (st.size > (zip_uint64_t)*left || (st.size > EVIDENCE_FREE_SIZE && st.size / EVIDENCE_MAX_RATIO > st.comp_size))
		return refuse(why, size, "%s is larger than a container may hold, or than what it was made of", st.name);
	*left -= (long long)st.size;
	r->name[r->n++] = xstrdup(st.name);
	return 0;
}

static int
look(struct asic_reader *r, char *why, size_t size)
{
	zip_int64_t n = zip_get_num_entries(r->z, 0), i;
	long long left = EVIDENCE_MAX_SIZE;
	int len = 0;

	if (n < 1 || n > EVIDENCE_MAX_FILES)
		return refuse(why, size, "it has %lld entries", (long long)n);
	if (zip_get_archive_comment(r->z, &len, 0) != NULL && len > 0)
		return refuse(why, size, "it has a comment");
	r->name = xcalloc((size_t)n, sizeof(*r->name));
	for (i = 0; i < n; i++)
		if (entry_ok(r, (zip_uint64_t)i, &left, why, size) == -1)
			return -1;
	if (strcmp(r->name[0], "mimetype") != 0)
		return refuse(why, size, "its first entry is not mimetype");
	return 0;
}

struct asic_reader *
asic_open(int fd, char *why, size_t whysize)
{
	struct asic_reader *r = xcalloc(1, sizeof(*r));
	zip_error_t error;
	int e;

	if (!mimetype_ok(fd)) {
		(void)refuse(why, whysize, "it does not begin with the entry mimetype, stored, that says " ASIC_TYPE);
		(void)close(fd);
		goto fail;
	}
	if ((r->z = zip_fdopen(fd, ZIP_CHECKCONS, &e)) == NULL) {
		zip_error_init_with_code(&error, e);
		(void)refuse(why, whysize, "it is no sound zip file: %s", zip_error_strerror(&error));
		zip_error_fini(&error);
		(void)close(fd);
		goto fail;
	}
	if (look(r, why, whysize) == 0)
		return r;
fail:
	asic_close(r);
	return NULL;
}

void
asic_close(struct asic_reader *r)
{
	if (r == NULL)
		return;
	while (r->n > 0)
		free(r->name[--r->n]);
	free(r->name);
	if (r->z != NULL)
		zip_discard(r->z);
	free(r);
}

size_t
asic_count(const struct asic_reader *r)
{
	return r->n;
}

const char *
asic_entry(const struct asic_reader *r, size_t i)
{
	return r->name[i];
}

long long
asic_size(const struct asic_reader *r, size_t i)
{
	zip_stat_t st;

	return zip_stat_index(r->z, i, 0, &st) == 0 && (st.valid & ZIP_STAT_SIZE) != 0 ? (long long)st.size : 0;
}

int
asic_has(const struct asic_reader *r, const char *name)
{
	return zip_name_locate(r->z, name, 0) != -1;
}

/* Each block to fn; the whole must be what the directory says, with its CRC. */
static int
unpack(struct asic_reader *r, const char *name, int (*fn)(void *arg, const void *p, size_t n), void *arg)
{
	unsigned char *block = xcalloc(1, BLOCK);
	zip_uint64_t total = 0;
	zip_stat_t st;
	zip_file_t *f = NULL;
	zip_int64_t n = -1;
	int rc = -1;

	if (zip_stat(r->z, name, 0, &st) == 0 && (f = zip_fopen(r->z, name, 0)) != NULL)
		while ((n = zip_fread(f, block, BLOCK)) > 0) {
			total += (zip_uint64_t)n;
			if (total > st.size || fn(arg, block, (size_t)n) == -1)
				goto out;
		}
	if (f != NULL && n == 0 && total == st.size)
		rc = 0;
out:
	if (f != NULL && zip_fclose(f) != 0)
		rc = -1;
	free(block);
	return rc;
}

static int
to_buf(void *arg, const void *p, size_t n)
{
	return buf_append(arg, p, n);
}

int
asic_get(struct asic_reader *r, const char *name, size_t max, struct buf *out)
{
	struct buf b = { .cap = max };
	int rc = unpack(r, name, to_buf, &b);

	if (rc == 0 && b.len > 0)
		buf_append(out, b.data, b.len);
	buf_free(&b);
	return rc;
}

struct copy { int fd; EVP_MD_CTX *md; };

static int
to_fd(void *arg, const void *p, size_t n)
{
	struct copy *c = arg;

	if (EVP_DigestUpdate(c->md, p, n) != 1)
		return -1;
	if (c->fd != -1 && write_full(c->fd, p, n) == -1) {
		log_warn("temporary file");
		return -1;
	}
	return 0;
}

int
asic_copy(struct asic_reader *r, const char *name, int fd, char sha256[SHA256_HEX_SIZE])
{
	struct copy c = { .fd = fd, .md = EVP_MD_CTX_new() };
	unsigned char md[SHA256_SIZE];
	int rc = -1;

	if (c.md == NULL || EVP_DigestInit_ex(c.md, EVP_sha256(), NULL) != 1)
		fatalx("SHA-256 cannot be computed");
	if (unpack(r, name, to_fd, &c) == 0 && EVP_DigestFinal_ex(c.md, md, NULL) == 1) {
		hex_encode(md, sizeof(md), sha256);
		rc = 0;
	}
	EVP_MD_CTX_free(c.md);
	return rc;
}
