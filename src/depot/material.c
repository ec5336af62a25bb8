/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/log.h"
#include "base/mem.h"
#include "depot/depot.h"
#include "depot/material.h"

#define SEPARATOR	"  "	/* sha256sum(1): two blanks, a file read as it is */

struct entry {
	char	 sha256[SHA256_HEX_SIZE];
	char	*name;
};

struct material {
	struct entry	*v;
	size_t		 n;
	const char	*twice;		/* a name that had two contents */
	struct buf	 listing;
};

const char *
material_name(unsigned slot, char buf[MATERIAL_NAME_SIZE])
{
	static const char *const names[MATERIAL_KIND] = {
		[MATERIAL_ANCHORS] = "anchors.pem", [MATERIAL_CRL] = "crl.pem",
		[MATERIAL_CRLS] = CRL_FETCHED, [MATERIAL_TSA] = "tsa.pem",
	};

	if (slot >= MATERIAL_SLOTS)
		fatalx("material: no file has the number %u", slot);
	if (slot < MATERIAL_KIND)
		(void)snprintf(buf, MATERIAL_NAME_SIZE, "%s", names[slot]);
	else
		(void)snprintf(buf, MATERIAL_NAME_SIZE, "anchors-%s.pem",
		    member_kind_name((enum member_kind)(slot - MATERIAL_KIND)));
	return buf;
}

const char *
material_schema_name(const char *file, char buf[MATERIAL_NAME_SIZE])
{
	int n = snprintf(buf, MATERIAL_NAME_SIZE, "schemas/%s", file);

	if (n < 0 || n >= MATERIAL_NAME_SIZE)
		fatalx("schema %s: its name is too long", file);
	return buf;
}

struct material *
material_new(void)
{
	return xcalloc(1, sizeof(struct material));
}

void
material_free(struct material *m)
{
	if (m == NULL)
		return;
	while (m->n > 0)
		free(m->v[--m->n].name);
	free(m->v);
	buf_free(&m->listing);
	free(m);
}

static void
hash(const void *p, size_t n, char hex[SHA256_HEX_SIZE])
{
	unsigned char md[EVP_MAX_MD_SIZE];

	if (EVP_Digest(p, n, md, NULL, EVP_sha256(), NULL) != 1)
		fatalx("SHA-256 failed");
	hex_encode(md, SHA256_SIZE, hex);
}

void
material_add(struct material *m, const char *name, const void *p, size_t n,
    char sha256[SHA256_HEX_SIZE])
{
	char hex[SHA256_HEX_SIZE];
	size_t i;

	hash(p, n, hex);
	if (sha256 != NULL)
		memcpy(sha256, hex, sizeof(hex));
	for (i = 0; i < m->n; i++)
		if (strcmp(m->v[i].name, name) == 0) {
			if (strcmp(m->v[i].sha256, hex) != 0)
				m->twice = m->v[i].name;
			return;
		}
	m->v = xreallocarray(m->v, m->n + 1, sizeof(*m->v));
	memcpy(m->v[m->n].sha256, hex, sizeof(hex));
	m->v[m->n++].name = xstrdup(name);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

int
material_end(struct material *m, char id[SHA256_HEX_SIZE], const char **listing, size_t *len)
{
	size_t i;

	if (m->twice != NULL) {
		log_warnx("%s: it was changed while it was read", m->twice);
		return -1;
	}
	if (m->n > 0)
		qsort(m->v, m->n, sizeof(*m->v), by_name);
	buf_reset(&m->listing);
	(void)buf_puts(&m->listing, "");
	for (i = 0; i < m->n; i++)
		(void)buf_printf(&m->listing, "%s" SEPARATOR "%s\n", m->v[i].sha256, m->v[i].name);
	hash(m->listing.data, m->listing.len, id);
	if (listing != NULL) {
		*listing = m->listing.data;
		*len = m->listing.len;
	}
	return 0;
}

int
material_each(const char *listing, size_t len,
    int (*fn)(void *arg, const char *sha256, const char *name), void *arg)
{
	const size_t head = SHA256_HEX_SIZE - 1 + strlen(SEPARATOR);
	char sha256[SHA256_HEX_SIZE], name[MATERIAL_NAME_SIZE];
	const char *end;
	size_t n;
	int rc;

	while (len > 0) {
		if ((end = memchr(listing, '\n', len)) == NULL)
			return -1;
		n = (size_t)(end - listing);
		if (n <= head || n - head >= sizeof(name) || memchr(listing, '\0', n) != NULL)
			return -1;
		memcpy(sha256, listing, SHA256_HEX_SIZE - 1);
		sha256[SHA256_HEX_SIZE - 1] = '\0';
		if (!depot_name_ok(sha256) ||
		    memcmp(listing + SHA256_HEX_SIZE - 1, SEPARATOR, strlen(SEPARATOR)) != 0)
			return -1;
		memcpy(name, listing + head, n - head);
		name[n - head] = '\0';
		if ((rc = fn(arg, sha256, name)) != 0)
			return rc;
		listing = end + 1;
		len -= n + 1;
	}
	return 0;
}
