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

/* A name in the store: 64 lower-case hexadecimal digits. */
int	depot_name_ok(const char *s);

/* A document that is being read, whichever way it is kept.  store: the folder, stays
 * the caller's.  NULL with errno (ENOENT: it is in neither way). */
struct depot_file;
struct depot_file *depot_open(int store, const char *sha256);
void	depot_close(struct depot_file *f);
/* Up to n bytes of the document; 0 at its end; -1: errno, EBADMSG where the
 * compressed form is broken. */
ssize_t	depot_read(struct depot_file *f, void *buf, size_t n);
int	depot_compressed(const struct depot_file *f);

enum depot_state { DEPOT_GOOD, DEPOT_ABSENT, DEPOT_ROTTEN, DEPOT_TROUBLE };
/* Read all of it and compare with its name.  *size, where not NULL: of the document.
 * TROUBLE has errno. */
enum depot_state depot_check(int store, const char *sha256, long long *size);
/* All of it to out, and compared; what was written is worthless but after GOOD. */
enum depot_state depot_copy(int store, const char *sha256, int out, long long *size);

#endif
