/* SPDX-License-Identifier: ISC */
/*
 * The content-addressed store: store/<2 hex>/<sha256> is a document, as it is;
 * store/<2 hex>/<sha256>.zst the same, compressed (RFC 8878).  The name is the
 * SHA-256 of the document itself in both cases.
 */
#ifndef MUHUR_DEPOT_DEPOT_H
#define MUHUR_DEPOT_DEPOT_H

#include <sys/types.h>

#include <stddef.h>

#include "base/limits.h"

enum depot_form { DEPOT_PLAIN, DEPOT_ZSTD };

/* A name in the store: 64 lower-case hexadecimal digits. */
int	depot_name_ok(const char *s);
/* A file's name in a shelf, "<sha256>" or "<sha256>.zst": 1; 0 where it is neither.
 * form: may be NULL. */
int	depot_parse_name(const char *name, char sha256[SHA256_HEX_SIZE], enum depot_form *form);
/* "<2 hex>/<sha256>" and, compressed, ".zst": below the folder of the store. */
#define DEPOT_PATH_SIZE	(3 + SHA256_HEX_SIZE + 4)
void	depot_path(const char *sha256, enum depot_form form, char path[DEPOT_PATH_SIZE]);
/* "<2 hex>/.<sha256>.zst.tmp": the compressed form while it is being written. */
#define DEPOT_TMP_PATH_SIZE	(DEPOT_PATH_SIZE + 5)
void	depot_tmp_path(const char *sha256, char path[DEPOT_TMP_PATH_SIZE]);

/* A document that is being read, whichever way it is kept.  store: the folder, stays
 * the caller's.  NULL with errno (ENOENT: it is in neither way; EINVAL: it is no
 * regular file).  What is being compressed at this moment is found.  Where both forms
 * are there, the plain one is read through first, and the other taken where it is not good. */
struct depot_file;
struct depot_file *depot_open(int store, const char *sha256);
/* That form and no other, as it is. */
struct depot_file *depot_open_form(int store, const char *sha256, enum depot_form form);
/* The same of an open file, which is closed by depot_close.  Never NULL. */
struct depot_file *depot_of(int fd, enum depot_form form);
void	depot_close(struct depot_file *f);
/* Up to n bytes of the document; 0 at its end; -1: errno, EBADMSG where the
 * compressed form is broken: not one whole frame and nothing behind it, or one
 * that asks for more memory than DEPOT_WINDOW_LOG says. */
ssize_t	depot_read(struct depot_file *f, void *buf, size_t n);
int	depot_compressed(const struct depot_file *f);
/* SHA-256 of what has been read so far; once, at the end. */
void	depot_digest(struct depot_file *f, char hex[SHA256_HEX_SIZE]);

/* ROTTEN: other bytes than its name says, or a compressed form that is broken.
 * TROUBLE has errno. */
enum depot_state { DEPOT_GOOD, DEPOT_ABSENT, DEPOT_ROTTEN, DEPOT_TROUBLE };
/* Read all of it and compare with its name.  *size, where not NULL: of the document. */
enum depot_state depot_check(int store, const char *sha256, long long *size);
/* All of it to out, and compared; what was written is worthless but after GOOD. */
enum depot_state depot_copy(int store, const char *sha256, int out, long long *size);
/* The rest of an open document; out -1: to nowhere. */
enum depot_state depot_finish(struct depot_file *f, const char *sha256, int out, long long *size);

/* The SHA-256 of an open file as it is, from its start, as lower-case
 * hexadecimal.  0, or -1 with errno. */
int	depot_hash_fd(int fd, char hex[SHA256_HEX_SIZE]);

#endif
