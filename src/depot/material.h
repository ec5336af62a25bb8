/* SPDX-License-Identifier: ISC */
/*
 * What documents are judged by: trust anchors, revocation lists, schemas.  A
 * listing in sha256sum(1)'s format, "<sha256>  <name>\n" in order of the names,
 * names each file by its bytes; its own SHA-256 is the material's id, which a
 * judgement carries.  Files and listing are kept in the store.
 */
#ifndef MUHUR_DEPOT_MATERIAL_H
#define MUHUR_DEPOT_MATERIAL_H

#include <stddef.h>

#include "base/conf.h"
#include "base/limits.h"

/* The files beside the schemas, and under which names they are listed; of one kind
 * of member: MATERIAL_KIND + the kind, "anchors-platform.pem".  Into buf. */
enum material_slot { MATERIAL_ANCHORS, MATERIAL_CRL, MATERIAL_CRLS, MATERIAL_TSA, MATERIAL_KIND,
    MATERIAL_SLOTS = MATERIAL_KIND + MEMBER_KIND_COUNT };
#define MATERIAL_NAME_SIZE	256
const char *material_name(unsigned slot, char buf[MATERIAL_NAME_SIZE]);
const char *material_schema_name(const char *file, char buf[MATERIAL_NAME_SIZE]);

struct material;
struct material *material_new(void);
void	material_free(struct material *m);
/* A file, by the bytes that were read of it; a name that is there already is to
 * have the same ones, else material_end fails.  sha256, where not NULL, is told. */
void	material_add(struct material *m, const char *name, const void *p, size_t n,
	    char sha256[SHA256_HEX_SIZE]);
/* Ends it: the id, and the listing (m's, NUL-terminated).  0, or -1 where a name
 * had two contents, which is logged. */
int	material_end(struct material *m, char id[SHA256_HEX_SIZE], const char **listing, size_t *len);

/* Is it such a listing?  Calls fn for each line; 0, what fn returned, or -1. */
int	material_each(const char *listing, size_t len,
	    int (*fn)(void *arg, const char *sha256, const char *name), void *arg);

#endif
