/* SPDX-License-Identifier: ISC */
/*
 * ASiC-E containers (ETSI EN 319 162-1 4.4): a zip file whose first entry says
 * what it is, the files, and in META-INF a manifest that names every file with
 * its SHA-256, under a time-stamp or a CAdES signature.  Nothing is compressed:
 * the bytes stand in it as they are, and the same files make the same container.
 */
#ifndef MUHUR_MUHUR_ASIC_H
#define MUHUR_MUHUR_ASIC_H

#include <stddef.h>

#include "base/limits.h"
#include "base/mem.h"

#define ASIC_TYPE	"application/vnd.etsi.asic-e+zip"
#define ASIC_MANIFEST	"META-INF/ASiCManifest.xml"
#define ASIC_TIMESTAMP	"META-INF/timestamp.tst"
/* With a time-stamp as well the signature has a manifest of its own (a manifest has
 * one SigReference). */
#define ASIC_MANIFEST2	"META-INF/ASiCManifest-signature.xml"
#define ASIC_SIGNATURE	"META-INF/signature.p7s"

/* May a container of ours have an entry of that name? */
int	asic_name_ok(const char *name);

/* --- making one ---------------------------------------------------------------- */

struct asic_file {
	char		*name;
	const char	*type;		/* media type, static */
	struct buf	 data;		/* where fd is -1 */
	int		 fd;		/* a temporary file, read from its start */
	long long	 size;
	char		 sha256[SHA256_HEX_SIZE];
};
struct asic { struct asic_file *v; size_t n; };

/* p is copied.  A name that is there already, or may not be, is fatal. */
void	asic_add(struct asic *a, const char *name, const char *type, const void *p, size_t n);
/* Takes fd over in every case.  0, or -1 (logged). */
int	asic_add_fd(struct asic *a, const char *name, const char *type, int fd);
const struct asic_file *asic_find(const struct asic *a, const char *name);
/* The manifest of all that is there outside of META-INF; reference, of type: what
 * is over the manifest. */
void	asic_manifest(const struct asic *a, const char *reference, const char *type, struct buf *xml);
/* The files in their order behind the entry mimetype, whole and durable, beside path; sha256:
 * of the container.  Its name, for free(), or NULL (logged): then nothing is there. */
char	*asic_write(const struct asic *a, const char *path, char sha256[SHA256_HEX_SIZE]);
/* It gets its own name, durably.  0, or -1 (logged). */
int	asic_show(const char *tmp, const char *path);
void	asic_free(struct asic *a);

/* --- reading one ---------------------------------------------------------------- */

struct asic_reader;
/* The structure of the container, which may be anybody's: fd is taken over.  NULL:
 * what is wrong stands in why. */
struct asic_reader *asic_open(int fd, char *why, size_t whysize);
void	asic_close(struct asic_reader *r);
size_t	asic_count(const struct asic_reader *r);
const char *asic_entry(const struct asic_reader *r, size_t i);	/* its name */
long long asic_size(const struct asic_reader *r, size_t i);	/* unpacked; more than that is not read of it */
int	asic_has(const struct asic_reader *r, const char *name);
/* An entry's bytes: appended to out, at most max; or written to fd (-1 nowhere), with
 * their digest.  0; -1: absent, too long or broken. */
int	asic_get(struct asic_reader *r, const char *name, size_t max, struct buf *out);
int	asic_copy(struct asic_reader *r, const char *name, int fd, char sha256[SHA256_HEX_SIZE]);

/* A manifest that was read. */
struct asic_ref { char name[256]; char sha256[SHA256_HEX_SIZE]; };
struct asic_refs {
	char		 reference[256];	/* what is over it */
	struct asic_ref	*v;
	size_t		 n;
};
/* 0, or -1 with why (a literal).  asic_refs_free in every case. */
int	asic_read_manifest(const char *xml, size_t len, struct asic_refs *refs, const char **why);
void	asic_refs_free(struct asic_refs *refs);

#endif
