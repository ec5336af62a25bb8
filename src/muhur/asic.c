/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "muhur/asic.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <zip.h>

#include "base/fdio.h"
#include "base/log.h"

#define BLOCK		(64 * 1024)
#define DOS_EPOCH	0x21	/* 1980-01-01, the first day that zip knows */
#define FILE_MODE	(0100644U << 16)	/* as unzip of Unix reads it */

/* A base name: what every file system and every shell can do with. */
static int
part_ok(const char *s, size_t len)
{
	return len > 0 && len <= 200 && s[0] != '.' && s[0] != '-' &&
	    strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") >= len;
}

int
asic_name_ok(const char *name)
{
	static const char *const alone[] = { "mimetype", "index.html", "evidence.json", ASIC_MANIFEST,
	    ASIC_MANIFEST2, ASIC_TIMESTAMP, ASIC_SIGNATURE };
	static const char *const folders[] = { "document/", "notices/", "certificates/", "revocation/",
	    "material/", "anchors/", "trail/" };
	size_t i, n;
	int depth;

	for (i = 0; i < sizeof(alone) / sizeof(alone[0]); i++)
		if (strcmp(name, alone[i]) == 0)
			return 1;
	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (strncmp(name, folders[i], strlen(folders[i])) == 0)
			break;
	if (i == sizeof(folders) / sizeof(folders[0]) || strlen(name) > 255)
		return 0;
	for (depth = 0; depth < 4; depth++) {
		n = strcspn(name, "/");
		if (!part_ok(name, n))
			return 0;
		if (name[n] == '\0')
			return depth > 0;
		name += n + 1;
	}
	return 0;
}

const struct asic_file *
asic_find(const struct asic *a, const char *name)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		if (strcmp(a->v[i].name, name) == 0)
			return &a->v[i];
	return NULL;
}

static struct asic_file *
new_file(struct asic *a, const char *name, const char *type)
{
	struct asic_file *f;

	if (!asic_name_ok(name) || asic_find(a, name) != NULL)
		fatalx("container: entry %s", name);
	a->v = xreallocarray(a->v, a->n + 1, sizeof(*a->v));
	f = &a->v[a->n++];
	memset(f, 0, sizeof(*f));
	f->name = xstrdup(name);
	f->type = type;
	f->fd = -1;
	return f;
}

static void
digest_bytes(const void *p, size_t n, char hex[SHA256_HEX_SIZE])
{
	unsigned char md[SHA256_SIZE];

	if (EVP_Digest(p, n, md, NULL, EVP_sha256(), NULL) != 1)
		fatalx("SHA-256 cannot be computed");
	hex_encode(md, sizeof(md), hex);
}

void
asic_add(struct asic *a, const char *name, const char *type, const void *p, size_t n)
{
	struct asic_file *f = new_file(a, name, type);

	buf_append(&f->data, n > 0 ? p : "", n);
	f->size = (long long)n;
	digest_bytes(n > 0 ? p : "", n, f->sha256);
}

/* Of all of fd; 0, or -1 with errno. */
static int
digest_fd(int fd, long long *size, char hex[SHA256_HEX_SIZE])
{
	unsigned char md[SHA256_SIZE], *block = xcalloc(1, BLOCK);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	ssize_t n = -1;

	*size = 0;
	if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)
		fatalx("SHA-256 cannot be computed");
	if (lseek(fd, 0, SEEK_SET) == 0)
		while ((n = read_full(fd, block, BLOCK)) > 0) {
			if (EVP_DigestUpdate(ctx, block, (size_t)n) != 1)
				fatalx("SHA-256 cannot be computed");
			*size += n;
		}
	if (EVP_DigestFinal_ex(ctx, md, NULL) != 1)
		fatalx("SHA-256 cannot be computed");
	hex_encode(md, sizeof(md), hex);
	EVP_MD_CTX_free(ctx);
	free(block);
	return n == 0 ? 0 : -1;
}

int
asic_add_fd(struct asic *a, const char *name, const char *type, int fd)
{
	struct asic_file *f = new_file(a, name, type);

	f->fd = fd;
	if (digest_fd(fd, &f->size, f->sha256) == -1) {
		log_warn("%s", name);
		return -1;
	}
	return 0;
}

void
asic_free(struct asic *a)
{
	while (a->n > 0) {
		a->n--;
		free(a->v[a->n].name);
		buf_free(&a->v[a->n].data);
		if (a->v[a->n].fd != -1)
			(void)close(a->v[a->n].fd);
	}
	free(a->v);
	a->v = NULL;
}

/* --- writing -------------------------------------------------------------------- */

static zip_source_t *
source_of(zip_t *z, const struct asic_file *f)
{
	FILE *fp;
	int fd;

	if (f->fd == -1)
		return zip_source_buffer(z, f->data.data != NULL ? f->data.data : "", f->data.len, 0);
	/* libzip goes on where the file stands */
	if ((fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 3)) == -1 || lseek(fd, 0, SEEK_SET) == -1 ||
	    (fp = fdopen(fd, "rb")) == NULL)
		fatal("%s", f->name);
	return zip_source_filep(z, fp, 0, (zip_int64_t)f->size);
}

/* The same bytes whoever makes it, whenever: no time of its own, nothing compressed. */
static int
put(zip_t *z, const char *name, zip_source_t *source)
{
	zip_int64_t i;

	if (source == NULL || (i = zip_file_add(z, name, source, ZIP_FL_ENC_GUESS)) == -1) {
		zip_source_free(source);
		return -1;
	}
	if (zip_set_file_compression(z, (zip_uint64_t)i, ZIP_CM_STORE, 0) == -1 ||
	    zip_file_set_dostime(z, (zip_uint64_t)i, 0, DOS_EPOCH, 0) == -1 ||
	    zip_file_set_external_attributes(z, (zip_uint64_t)i, 0, ZIP_OPSYS_UNIX, FILE_MODE) == -1)
		return -1;
	return 0;
}

static int
zip_all(const struct asic *a, const char *tmp)
{
	zip_error_t error;
	zip_t *z;
	size_t i;
	int e, rc = 0;

	if ((z = zip_open(tmp, ZIP_CREATE | ZIP_TRUNCATE, &e)) == NULL) {
		zip_error_init_with_code(&error, e);
		log_warnx("%s: %s", tmp, zip_error_strerror(&error));
		zip_error_fini(&error);
		return -1;
	}
	rc = put(z, "mimetype", zip_source_buffer(z, ASIC_TYPE, strlen(ASIC_TYPE), 0));
	for (i = 0; rc == 0 && i < a->n; i++)
		rc = put(z, a->v[i].name, source_of(z, &a->v[i]));
	if (rc == 0 && (rc = zip_close(z)) == 0)
		return 0;
	log_warnx("%s: %s", tmp, zip_strerror(z));
	zip_discard(z);
	return -1;
}

static char *
folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? xstrdup(".") : slash == path ? xstrdup("/") :
	    xstrndup(path, (size_t)(slash - path));
}

char *
asic_write(const struct asic *a, const char *path, char sha256[SHA256_HEX_SIZE])
{
	char *tmp = xasprintf("%s.XXXXXX", path);
	int fd = mkostemp(tmp, O_CLOEXEC), ok = 0;
	long long size;

	if (fd == -1) {
		log_warn("%s", path);
		free(tmp);
		return NULL;
	}
	(void)close(fd);
	fd = -1;
	if (zip_all(a, tmp) == 0) {
		ok = (fd = open(tmp, O_RDONLY | O_CLOEXEC)) != -1 && digest_fd(fd, &size, sha256) == 0 &&
		    fchmod(fd, 0640) == 0 && fsync(fd) == 0;
		if (!ok)
			log_warn("%s", path);
	}
	if (fd != -1)
		(void)close(fd);
	if (!ok) {
		(void)unlink(tmp);
		free(tmp);
		tmp = NULL;
	}
	return tmp;
}

int
asic_show(const char *tmp, const char *path)
{
	char *dir = folder_of(path);
	int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = -1;

	if (folder == -1 || rename(tmp, path) == -1)
		log_warn("%s", path);
	else if (fsync_dir(folder) == -1)
		log_warn("%s", dir);
	else
		rc = 0;
	if (folder != -1)
		(void)close(folder);
	free(dir);
	return rc;
}
