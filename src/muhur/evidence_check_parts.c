/* SPDX-License-Identifier: ISC */
/*
 * Of `muhur evidence verify': what stands beside document, notices and proofs. A
 * reader believes it for the company that it keeps, so it must belong to them.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "depot/material.h"
#include "muhur/evidence.h"
#include "muhur/evidence_check.h"
#include "xml/crl.h"

#define LISTING	"listing.sha256"

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

/* Named in evidence.h.  What is in most folders is judged by itself. */
static int
is_part(const struct evidence_check *k, size_t i)
{
	static const char *const names[] = { "mimetype", "index.html", "evidence.json", "trail/checkpoint",
	    "trail/checkpoint.tsr", "trail/key", "anchors/trust.pem", "anchors/tsa.pem" };
	static const char *const folders[] = { "META-INF/", "notices/", "material/", "certificates/" };
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

/* Where in that list the first of that file is; its size where it is not there. */
static size_t
find_file(const json_t *list, const char *file)
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
		if (find_file(told, get(t, "file")) != i ||		/* told twice */
		    !same_event(t, json_array_get(k->events, find_file(k->events, get(t, "file"))))) {
			evidence_say(k, 0, "events", "what evidence.json tells of %s is not what is proved", get(t, "file"));
			return;
		}
	}
	evidence_say(k, 1, "events", "evidence.json tells of the %zu that are proved", n);
}

/* --- material --------------------------------------------------------------------------- */

struct listed { struct evidence_check *k; char before[MATERIAL_NAME_SIZE]; size_t n; };

/* Lines stand in order of their names (depot/material.h), so none stands there twice. */
static int
check_line(void *arg, const char *sha256, const char *name)
{
	struct listed *l = arg;
	char *entry = xasprintf("material/%s", name);
	const char *is = evidence_digest(l->k, entry);

	free(entry);
	l->n++;
	if (is == NULL || strcmp(is, sha256) != 0 || strcmp(name, l->before) <= 0 || strcmp(name, LISTING) == 0)
		return -1;
	return str_copy(l->before, sizeof(l->before), name);
}

/* Each file is one that the listing names, each that it names is there, and the listing is
 * the one of the verdict. */
static void
check_material(struct evidence_check *k)
{
	const char *told = get(json_object_get(k->story, "submission"), "material");
	const char *is = evidence_digest(k, "material/" LISTING);
	struct listed l = { .k = k };
	struct buf text = { 0 };
	size_t i, files = 0;

	for (i = 0; i < asic_count(k->r); i++)
		files += begins(asic_entry(k->r, i), "material/");
	if (told[0] == '\0' && files == 0)
		return;
	if (is == NULL || strcmp(told, is) != 0 || asic_get(k->r, "material/" LISTING, EVIDENCE_MAX_SMALL, &text) == -1 ||
	    material_each(text.len > 0 ? text.data : "", text.len, check_line, &l) != 0 || l.n + 1 != files)
		evidence_say(k, 0, "material", "it is not what its listing names, or that is not the verdict's");
	buf_free(&text);
}

static int
same_schema(void *check, const char *sha256, const char *name)
{
	const struct evidence_check *k = check;
	char *entry = xasprintf("material/%s", name);
	const char *is = evidence_digest(k, entry);

	free(entry);
	return is == NULL || strcmp(is, sha256) != 0;
}

/* Schemas are read where files may still be opened, and a stranger's are not read at all: so
 * those of the container count only where they are given. */
static void
check_schemas(struct evidence_check *k)
{
	char id[SHA256_HEX_SIZE];
	const char *listing;
	size_t len;

	if (material_end(k->schemas_seen, id, &listing, &len) == -1)
		k->trouble = 1;
	else if (material_each(listing, len, same_schema, k) != 0)
		evidence_note(k, "schemas are judged by other ones than those in the container: "
		    "look at its material/schemas, unpacked, and give it with --schema-dir");
}

/* --- anchors --------------------------------------------------------------------------- */

/* Those that were given count, so others here are told of, and no fault. */
static void
compare_anchors(struct evidence_check *k, const char *name, const struct trust *given, const char *option)
{
	struct trust *own = NULL;

	if (given != NULL && asic_has(k->r, name) && ((own = evidence_anchors(k, name, NULL)) == NULL ||
	    !trust_within(own, given)))
		evidence_note(k, "%s has other roots than those of %s, by which it is judged", name, option);
	trust_free(own);
}

/* --- revocation lists ------------------------------------------------------------------ */

/* Is what is told of a list what stands in that file? */
static int
same_list(struct evidence_check *k, const json_t *told)
{
	char why[256], this_update[TIME_SIZE], next_update[TIME_SIZE];
	struct buf der = { 0 };
	struct crl crl;
	int same = 0;

	if (asic_get(k->r, get(told, "file"), CRL_MAX_SIZE, &der) == 0 && der.len > 0 &&
	    crl_read(&crl, der.data, der.len, why, sizeof(why)) == 0) {
		time_format(crl.this_update, this_update);
		time_format(crl.next_update, next_update);
		same = strcmp(get(told, "sha256"), crl.sha256) == 0 && strcmp(get(told, "issuer"), crl.issuer) == 0 &&
		    strcmp(get(told, "number"), crl.number) == 0 && strcmp(get(told, "thisUpdate"), this_update) == 0 &&
		    strcmp(get(told, "nextUpdate"), next_update) == 0;
		crl_free(&crl);
	}
	buf_free(&der);
	return same;
}

/* Each file is told of, once; of a list without a file no more than its digest. */
static void
check_lists(struct evidence_check *k)
{
	const json_t *told = json_object_get(k->story, "crls"), *t;
	size_t i, files = 0, there = 0;

	json_array_foreach(told, i, t) {
		if (get(t, "file")[0] == '\0' ? get(t, "issuer")[0] == '\0' && get(t, "thisUpdate")[0] == '\0' :
		    find_file(told, get(t, "file")) == i && begins(get(t, "file"), "revocation/") && same_list(k, t))
			files += get(t, "file")[0] != '\0';
		else
			evidence_say(k, 0, "revocation", "what evidence.json tells of the list %s is not what is there",
			    get(t, "sha256"));
	}
	for (i = 0; i < asic_count(k->r); i++)
		there += begins(asic_entry(k->r, i), "revocation/");
	if (files != there)
		evidence_say(k, 0, "revocation", "%zu lists are there, evidence.json tells of %zu", there, files);
}

/* --- the page -------------------------------------------------------------------------- */

/* Another release may have made it with other words: so that is told, and no fault. */
static void
check_page(struct evidence_check *k)
{
	struct asic files = { .v = xcalloc(asic_count(k->r), sizeof(*files.v)) };
	struct evidence_closing closing = { asic_has(k->r, ASIC_TIMESTAMP), asic_has(k->r, ASIC_SIGNATURE) };
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
	evidence_page(k->story, &files, closing, &should);
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
	check_material(k);
	check_schemas(k);
	compare_anchors(k, "anchors/trust.pem", k->trust_plain, "--trust");
	compare_anchors(k, "anchors/tsa.pem", k->tsa, "--tsa");
	check_lists(k);
	check_page(k);
}
