/* SPDX-License-Identifier: ISC */
/*
 * Of `muhur evidence verify': what stands beside document, notices and proofs. A
 * reader believes it for the company that it keeps, so it must belong to them.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/log.h"
#include "muhur/evidence.h"
#include "muhur/evidence_check.h"

static const char *
get(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static int
begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

/* --- entries ------------------------------------------------------------------------ */

/* Named in evidence.h.  Notices are counted, proofs and what META-INF holds are
 * judged elsewhere. */
static int
is_part(const struct evidence_check *k, size_t i)
{
	static const char *const names[] = { "mimetype", "index.html", "evidence.json", "trail/checkpoint",
	    "trail/checkpoint.tsr", "trail/key", "anchors/trust.pem", "anchors/tsa.pem" };
	static const char *const folders[] = { "META-INF/", "notices/", "material/", "certificates/signer",
	    "certificates/gateway", "certificates/tsa" };
	const char *name = asic_entry(k->r, i);
	char list[16 + SHA256_HEX_SIZE];
	size_t j;

	for (j = 0; j < sizeof(names) / sizeof(names[0]); j++)
		if (strcmp(name, names[j]) == 0)
			return 1;
	for (j = 0; j < sizeof(folders) / sizeof(folders[0]); j++)
		if (begins(name, folders[j]))
			return 1;
	if (begins(name, "trail/"))
		return strlen(name) > 11 && strcmp(name + strlen(name) - 5, ".json") == 0;
	(void)snprintf(list, sizeof(list), "revocation/%s.crl", k->sha256[i]);
	return strcmp(name, get(k->story, "document")) == 0 || strcmp(name, list) == 0;
}

static void
check_entries(struct evidence_check *k)
{
	size_t i;

	for (i = 0; i < asic_count(k->r); i++)
		if (!is_part(k, i))
			evidence_say(k, 0, "structure", "%s is no part of an evidence, or not under its own name",
			    asic_entry(k->r, i));
}

/* --- events -------------------------------------------------------------------------- */

static int
same_event(const json_t *told, const json_t *e)
{
	char at[TIME_SIZE];

	time_format(json_integer_value(json_object_get(e, "at")), at);
	return strcmp(get(told, "at"), at) == 0 && strcmp(get(told, "kind"), get(e, "kind")) == 0 &&
	    strcmp(get(told, "actor"), get(e, "actor")) == 0 && strcmp(get(told, "notice"), get(e, "notice")) == 0 &&
	    strcmp(get(told, "sha256"), get(e, "sha256")) == 0 &&
	    json_equal(json_object_get(told, "event"), json_object_get(e, "event")) &&
	    json_equal(json_object_get(told, "detail"), json_object_get(e, "detail"));
}

/* Where in that list the event of that file is; its size where it is not there. */
static size_t
find_event(const json_t *list, const char *file)
{
	const json_t *e;
	size_t i;

	json_array_foreach(list, i, e)
		if (strcmp(get(e, "file"), file) == 0)
			break;
	return i;
}

/* What evidence.json and the page list is what is proved: no more, no less. */
static void
check_events(struct evidence_check *k)
{
	const json_t *told = json_object_get(k->story, "events"), *t;
	size_t i, n = json_array_size(told);

	if (n != json_array_size(k->events)) {
		evidence_say(k, 0, "events", "evidence.json tells of %zu, %zu are proved", n, json_array_size(k->events));
		return;
	}
	json_array_foreach(told, i, t) {
		if (find_event(told, get(t, "file")) != i ||		/* told twice */
		    !same_event(t, json_array_get(k->events, find_event(k->events, get(t, "file"))))) {
			evidence_say(k, 0, "events", "what evidence.json tells of %s is not what is proved", get(t, "file"));
			return;
		}
	}
	evidence_say(k, 1, "events", "evidence.json tells of the %zu that are proved", n);
}

/* --- certificates --------------------------------------------------------------------- */

static int
is_that(const struct buf *pem, const char *sha256)
{
	BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
	X509 *cert = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	unsigned char md[EVP_MAX_MD_SIZE];
	char hex[SHA256_HEX_SIZE] = "";
	unsigned len;
	int same;

	if (cert != NULL && X509_digest(cert, EVP_sha256(), md, &len) == 1)
		hex_encode(md, len, hex);
	same = strcmp(hex, sha256) == 0;
	X509_free(cert);
	BIO_free(bio);
	ERR_clear_error();
	return same;
}

int
evidence_has_signer(struct evidence_check *k, const char *sha256)
{
	struct buf pem = { 0 };
	size_t i;
	int found = 0;

	for (i = 0; i < asic_count(k->r) && !found; i++) {
		buf_reset(&pem);
		found = begins(asic_entry(k->r, i), "certificates/signer") &&
		    asic_get(k->r, asic_entry(k->r, i), TRUST_MAX_ANCHORS, &pem) == 0 && pem.len > 0 && is_that(&pem, sha256);
	}
	buf_free(&pem);
	return found;
}

/* --- the page -------------------------------------------------------------------------- */

/* Another release may have made it with other words: so that is told, and no fault. */
static void
check_page(struct evidence_check *k)
{
	struct asic files = { .v = xcalloc(asic_count(k->r), sizeof(*files.v)) };
	struct buf is = { 0 }, should = { 0 };
	struct asic_file *f;
	const char *name;
	size_t i;

	for (i = 0; i < asic_count(k->r); i++) {
		name = asic_entry(k->r, i);
		if (begins(name, "META-INF/") || strcmp(name, "mimetype") == 0 || strcmp(name, "index.html") == 0)
			continue;
		f = &files.v[files.n++];
		f->name = (char *)(uintptr_t)name;
		(void)str_copy(f->sha256, sizeof(f->sha256), k->sha256[i]);
	}
	evidence_page(k->story, &files, &should);
	if (asic_get(k->r, "index.html", EVIDENCE_MAX_SMALL, &is) == -1 || is.len != should.len ||
	    memcmp(is.data, should.data, is.len) != 0)
		evidence_note(k, "index.html is not the page that this release makes of evidence.json: "
		    "what is verified is evidence.json");
	free(files.v);
	buf_free(&is);
	buf_free(&should);
}

void
evidence_check_parts(struct evidence_check *k)
{
	check_entries(k);
	check_events(k);
	check_page(k);
}
