/* SPDX-License-Identifier: ISC */
/* Of `muhur evidence verify': the manifest and what is over it, and the trail. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "document/cades.h"
#include "muhur/evidence_check.h"
#include "muhur/trail_log.h"
#include "xml/stamp.h"

/* --- the manifest ------------------------------------------------------------------- */

static int
in_meta_inf(const char *name)
{
	return strncmp(name, "META-INF/", 9) == 0 || strcmp(name, "mimetype") == 0;
}

/* Both ways: each reference has its file, and each file its reference, once. */
static int
complete(struct evidence_check *k, const char *manifest, const struct asic_refs *refs)
{
	const char *sha256;
	size_t i, j, times;

	for (i = 0; i < refs->n; i++) {
		if ((sha256 = evidence_digest(k, refs->v[i].name)) == NULL || in_meta_inf(refs->v[i].name)) {
			evidence_say(k, 0, manifest, "it names %s, which is not there", refs->v[i].name);
			return -1;
		}
		if (strcmp(sha256, refs->v[i].sha256) != 0) {
			evidence_say(k, 0, manifest, "%s has other bytes than it says", refs->v[i].name);
			return -1;
		}
	}
	for (i = 0; i < asic_count(k->r); i++) {
		for (j = times = 0; j < refs->n; j++)
			times += strcmp(refs->v[j].name, asic_entry(k->r, i)) == 0;
		if (!in_meta_inf(asic_entry(k->r, i)) && times != 1) {
			evidence_say(k, 0, manifest, "%s is named %s", asic_entry(k->r, i), times == 0 ? "nowhere in it" : "twice");
			return -1;
		}
	}
	evidence_say(k, 1, manifest, "all %zu files have the SHA-256 that it names", refs->n);
	return 0;
}

static struct trust *
tsa_of(struct evidence_check *k, struct trust **own)
{
	if (k->tsa != NULL)
		return k->tsa;
	if ((*own = evidence_anchors(k, "anchors/tsa.pem", "material/tsa.pem")) != NULL && !k->own_tsa) {
		k->own_tsa = 1;
		evidence_note(k, "time-stamps are judged by the anchors in the container itself: give your own with --tsa");
	}
	return *own;
}

static void
say_stamp(struct evidence_check *k, const char *what, const struct timestamp *t)
{
	char at[TIME_SIZE];

	if (t->state == TIMESTAMP_GOOD) {
		time_format(t->at, at);
		evidence_say(k, 1, what, "%.19sZ, by %s", at, t->authority);
	} else
		evidence_say(k, 0, what, "%s", t->why);
}

static void
over_manifest(struct evidence_check *k, const char *manifest, const char *reference, const struct buf *xml)
{
	struct stamp_rules rules = { .at = 0, .latest = INT64_MAX };
	struct trust *own = NULL;
	struct buf der = { 0 };
	struct timestamp t;
	struct cades_verdict v;
	char at[TIME_SIZE];

	if (asic_get(k->r, reference, STAMP_MAX_TOKEN * 4, &der) == -1) {
		evidence_say(k, 0, manifest, "%s, which should be over it, is not there", reference);
	} else if (strcmp(reference, ASIC_TIMESTAMP) == 0) {
		rules.tsa = tsa_of(k, &own);
		stamp_judge_token(der.data, der.len, xml->data, xml->len, &rules, &t);
		say_stamp(k, reference, &t);
	} else if (strcmp(reference, ASIC_SIGNATURE) == 0) {
		if (k->trust == NULL)
			own = evidence_anchors(k, "anchors/trust.pem", NULL);
		if (cades_verify(der.data, der.len, xml->data, xml->len, k->trust != NULL ? k->trust : own, &v)) {
			time_format(v.at, at);
			evidence_say(k, 1, reference, "by %s, at %.19sZ as the signer says", v.signer, at);
		} else
			evidence_say(k, 0, reference, "%s%s%s", v.signer, v.signer[0] != '\0' ? ": " : "", v.why);
	} else
		evidence_say(k, 0, manifest, "%s is neither a time-stamp nor a signature", reference);
	trust_free(own);
	buf_free(&der);
}

/* What is over it, appended to names with a blank. */
static void
check_manifest(struct evidence_check *k, const char *name, struct buf *names)
{
	struct asic_refs refs = { .n = 0 };
	struct buf xml = { 0 };
	const char *why = "it is too large";

	if (asic_get(k->r, name, EVIDENCE_MAX_SMALL, &xml) == -1 ||
	    asic_read_manifest(xml.data != NULL ? xml.data : "", xml.len, &refs, &why) == -1)
		evidence_say(k, 0, name, "%s", why);
	else if (complete(k, name, &refs) == 0)
		over_manifest(k, name, refs.reference, &xml);
	buf_printf(names, " %s %s ", name, refs.reference);
	asic_refs_free(&refs);
	buf_free(&xml);
}

void
evidence_check_manifest(struct evidence_check *k)
{
	struct buf names = { 0 };
	char *padded;
	size_t i;

	check_manifest(k, ASIC_MANIFEST, &names);
	if (!asic_has(k->r, ASIC_TIMESTAMP))
		evidence_note(k, "a signature alone closes the container: since when it exists, its signer alone says");
	if (asic_has(k->r, ASIC_MANIFEST2))
		check_manifest(k, ASIC_MANIFEST2, &names);
	for (i = 0; i < asic_count(k->r); i++) {
		padded = xasprintf(" %s ", asic_entry(k->r, i));
		if (strncmp(padded, " META-INF/", 10) == 0 && strstr(names.data, padded) == NULL)
			evidence_say(k, 0, asic_entry(k->r, i), "no manifest is under it");
		free(padded);
	}
	buf_free(&names);
}

/* --- the trail ---------------------------------------------------------------------- */

static void
check_stamp(struct evidence_check *k, const struct buf *note)
{
	const char *told = json_string_value(json_object_get(json_object_get(k->story, "checkpoint"), "stampedAt"));
	struct stamp_rules rules = { .at = 0, .latest = INT64_MAX };
	struct trust *own = NULL;
	struct buf resp = { 0 };
	struct timestamp t = { .at = 0 };
	char at[TIME_SIZE] = "";

	if (asic_get(k->r, "trail/checkpoint.tsr", STAMP_MAX_TOKEN, &resp) == -1)
		evidence_note(k, "the checkpoint has no time-stamp: since when it exists, its signer alone says");
	else {
		rules.tsa = tsa_of(k, &own);
		stamp_judge_response(resp.data, resp.len, note->data, note->len, NULL, &rules, &t);
		say_stamp(k, "trail/checkpoint.tsr", &t);
		time_format(t.at, at);
	}
	if (strcmp(told != NULL ? told : "", at) != 0)
		evidence_say(k, 0, "trail/checkpoint.tsr", "evidence.json tells of another time-stamp");
	trust_free(own);
	buf_free(&resp);
}

/* Keys are words; white space may stand around them. */
static int
same_key(const char *a, const char *b)
{
	static const char space[] = " \t\r\n";
	size_t n;

	a += strspn(a, space);
	b += strspn(b, space);
	n = strcspn(a, space);
	return n == strcspn(b, space) && strncmp(a, b, n) == 0;
}

/* text: the one that counts. */
static struct note_verifier *
get_key(struct evidence_check *k, struct buf *text)
{
	struct note_verifier *v;

	if (asic_get(k->r, "trail/key", CHECKPOINT_MAX, text) == -1)
		buf_reset(text);
	if (k->vkey != NULL) {
		if (text->len > 0 && !same_key(text->data, k->vkey))
			evidence_say(k, 0, "trail/key", "it is not the one that was given");
		buf_reset(text);
		buf_puts(text, k->vkey);
		return note_verifier_new(k->vkey);
	}
	if ((v = text->len > 0 ? note_verifier_new(text->data) : NULL) != NULL)
		evidence_note(k, "the log's key is the one in the container itself, of %s: give yours with --key",
		    note_verifier_name(v));
	return v;
}

static const char *
check_proof(struct evidence_check *k, const char *name, const struct note_verifier *key, const struct buf *note)
{
	struct buf text = { 0 }, detail = { 0 };
	struct checkpoint head;
	const char *why = NULL, *said;
	struct leaf l;
	json_t *proof = NULL, *opened = NULL;
	json_error_t e;
	char own[40];

	if (asic_get(k->r, name, EVIDENCE_MAX_SMALL, &text) == -1 ||
	    (proof = json_loadb(text.data != NULL ? text.data : "", text.len, JSON_REJECT_DUPLICATES, &e)) == NULL)
		why = "it is no JSON";
	else if (trail_proof_check(proof, key, &head, &l, &detail, &why) == -1)
		;
	else if ((said = json_string_value(json_object_get(proof, "checkpoint"))) == NULL ||
	    strlen(said) != note->len || memcmp(said, note->data, note->len) != 0)
		why = "it leads to another checkpoint";
	/* events of its notices name the submission, too */
	else if (strcmp(l.submission, k->submission) != 0)
		why = "its leaf is about something else";
	else if ((void)snprintf(own, sizeof(own), "trail/%lld.json",
	    (long long)json_integer_value(json_object_get(proof, "index"))), strcmp(own, name) != 0)
		why = "its name is not the number of its leaf";
	else if (detail.len == 0 || (opened = json_loadb(detail.data, detail.len, JSON_REJECT_DUPLICATES, &e)) == NULL)
		why = "its leaf is not opened";
	else {
		json_array_append_new(k->events, json_pack("{s:s, s:s, s:I, s:I, s:s, s:s, s:s, s:O}", "file", name,
		    "kind", l.kind, "at", (json_int_t)l.at, "event", (json_int_t)l.event, "actor", l.actor, "notice",
		    l.notice, "sha256", l.sha256, "detail", opened));
		why = NULL;
	}
	json_decref(opened);
	json_decref(proof);
	buf_free(&text);
	buf_free(&detail);
	return why;
}

static void
check_proofs(struct evidence_check *k, const struct note_verifier *key, const struct buf *note)
{
	const char *name, *why;
	size_t i, n = 0;

	for (i = 0; i < asic_count(k->r); i++) {
		name = asic_entry(k->r, i);
		if (strncmp(name, "trail/", 6) != 0 || strlen(name) < 11 || strcmp(name + strlen(name) - 5, ".json") != 0)
			continue;
		if ((why = check_proof(k, name, key, note)) != NULL)
			evidence_say(k, 0, name, "%s", why);
		else
			n++;
	}
	if (n > 0)
		evidence_say(k, 1, "trail", "%zu events are in the log, and opened", n);
}

/* What evidence.json and the page tell of it. */
static void
check_told(struct evidence_check *k, const struct checkpoint *head, const char *vkey)
{
	const json_t *told = json_object_get(k->story, "checkpoint");
	const char *origin = json_string_value(json_object_get(told, "origin"));
	const char *root = json_string_value(json_object_get(told, "root"));
	const char *key = json_string_value(json_object_get(told, "key"));
	char hex[SHA256_HEX_SIZE];

	hex_encode(head->root.b, SHA256_SIZE, hex);
	if (origin == NULL || strcmp(origin, head->origin) != 0 || root == NULL || strcmp(root, hex) != 0 ||
	    key == NULL || !same_key(key, vkey) ||
	    json_integer_value(json_object_get(told, "size")) != (json_int_t)head->size)
		evidence_say(k, 0, "trail/checkpoint", "evidence.json tells of another one");
}

void
evidence_check_trail(struct evidence_check *k)
{
	struct buf note = { 0 }, vkey = { 0 };
	struct note_verifier *key = get_key(k, &vkey);
	struct checkpoint head;
	const char *why = "there is none, or no key for it";

	if (key == NULL || asic_get(k->r, "trail/checkpoint", CHECKPOINT_MAX, &note) == -1 || note.len == 0 ||
	    checkpoint_open(note.data, note.len, key, &head, &why) == -1)
		evidence_say(k, 0, "trail/checkpoint", "%s", why);
	else {
		evidence_say(k, 1, "trail/checkpoint", "%s, %" PRIu64 " leaves, signed", head.origin, head.size);
		check_told(k, &head, vkey.data);
		check_stamp(k, &note);
		check_proofs(k, key, &note);
	}
	note_verifier_free(key);
	buf_free(&note);
	buf_free(&vkey);
}
