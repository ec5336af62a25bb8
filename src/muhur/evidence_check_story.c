/* SPDX-License-Identifier: ISC */
/*
 * Of `muhur evidence verify': do the leaves, the files and what evidence.json
 * says tell one story; and the documents' own signatures, by the gateway's code.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/x509.h>

#include "base/log.h"
#include "document/pipeline.h"
#include "model/job.h"
#include "muhur/evidence_check.h"

static const char *
get(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

/* --- one story --------------------------------------------------------------------- */

/* An event that changed the submission's state is named after the new one. */
static int
is_state(const char *kind)
{
	return submission_state_by_name(kind) != SUB_STATE_COUNT;
}

/* The last one whose detail has that; NULL: the last one. */
static const json_t *
last_decision(const struct evidence_check *k, const char *has)
{
	const json_t *e, *last = NULL;
	size_t i;

	json_array_foreach(k->events, i, e)
		if (is_state(get(e, "kind")) && strcmp(get(e, "kind"), "received") != 0 && get(e, "notice")[0] == '\0' &&
		    (has == NULL || json_object_get(json_object_get(e, "detail"), has) != NULL) && (last == NULL || json_integer_value(json_object_get(e, "event")) >
		    json_integer_value(json_object_get(last, "event"))))
			last = e;
	return last;
}

static void
check_received(struct evidence_check *k)
{
	const json_t *e, *s = json_object_get(k->story, "submission");
	size_t i, n = 0;
	char at[TIME_SIZE];

	/* an operator who has it tried again makes such an event, too, without a file */
	json_array_foreach(k->events, i, e)
		if (strcmp(get(e, "kind"), "received") == 0 && json_object_get(json_object_get(e, "detail"), "file") != NULL) {
			k->received_at = json_integer_value(json_object_get(e, "at"));
			time_format(k->received_at, at);
			n++;
			if (strcmp(get(e, "actor"), get(s, "uploader")) != 0 ||
			    strcmp(get(json_object_get(e, "detail"), "file"), get(s, "fileName")) != 0 ||
			    strcmp(at, get(s, "receivedAt")) != 0)
				evidence_say(k, 0, "receipt", "evidence.json tells another sender, name or time than the log");
		}
	if (n == 1)
		evidence_say(k, 1, "receipt", "%s by %s", at, get(s, "uploader"));
	else {
		k->received_at = 0;
		evidence_say(k, 0, "receipt", "the log has %zu events of it here, not one", n);
	}
}

/* The decision is about these bytes, and is the one that is told. */
static void
check_decision(struct evidence_check *k)
{
	const json_t *last = last_decision(k, NULL), *s = json_object_get(k->story, "submission"), *e, *codes, *told, *r;
	const char *file = get(k->story, "document"), *sha256 = evidence_digest(k, file);
	size_t i, n = 0;

	if (sha256 == NULL || strncmp(file, "document/", 9) != 0 || strcmp(sha256, get(s, "sha256")) != 0) {
		evidence_say(k, 0, "document", "it is not the file that evidence.json tells of");
		return;
	}
	if (last == NULL || strcmp(get(last, "kind"), get(s, "state")) != 0) {
		evidence_say(k, 0, "verdict", "the log has %s, evidence.json tells %s", last != NULL ? get(last, "kind") : "none",
		    get(s, "state"));
		return;
	}
	json_array_foreach(k->events, i, e) {
		if (!is_state(get(e, "kind")) || json_object_get(json_object_get(e, "detail"), "sha256") == NULL)
			continue;
		n++;
		if (strcmp(get(json_object_get(e, "detail"), "sha256"), sha256) != 0) {
			evidence_say(k, 0, "document", "its SHA-256 is not the one that was %s", get(e, "kind"));
			return;
		}
	}
	if (n == 0) {
		evidence_say(k, 0, "document", "the log does not say what was %s", get(last, "kind"));
		return;
	}
	codes = json_object_get(json_object_get(last, "detail"), "reasons");
	told = json_object_get(k->story, "reasons");
	json_array_foreach(told, i, r)
		if (strcmp(get(r, "code"), json_string_value(json_array_get(codes, i)) != NULL ?
		    json_string_value(json_array_get(codes, i)) : "") != 0)
			break;
	if (i != json_array_size(codes) || i != json_array_size(told)) {
		evidence_say(k, 0, "verdict", "the log has other reasons than evidence.json tells");
		return;
	}
	evidence_say(k, 1, "document", "%s, SHA-256 %s", file, sha256);
	evidence_say(k, 1, "verdict", "%s", get(s, "state"));
}

/* What else is told of it is what its leaf has (load: outcome.c); a later one, that it was
 * replaced, has only by whom. */
static void
check_facts(struct evidence_check *k)
{
	static const struct { const char *told, *leaf; } facts[] = { { "member", "member" }, { "messageType", "messageType" },
	    { "messageId", "messageId" }, { "businessDate", "businessDate" }, { "signerCertificate", "certificate" },
	    { "signingTime", "signingTime" }, { "decidedBy", "by" }, { "replaces", "replaces" }, { "repeatOf", "repeatOf" },
	    { "material", "material" } };
	const json_t *e = last_decision(k, "sha256"), *last = last_decision(k, NULL), *s = json_object_get(k->story, "submission");
	const char *by = last != NULL && strcmp(get(last, "kind"), "replaced") == 0 ? get(json_object_get(last, "detail"), "by") : "";
	char at[TIME_SIZE];
	size_t i;

	if (e == NULL)
		return;		/* check_decision says so */
	for (i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		if (strcmp(get(s, facts[i].told), get(json_object_get(e, "detail"), facts[i].leaf)) != 0)
			evidence_say(k, 0, "verdict", "evidence.json tells another %s than the log", facts[i].told);
	time_format(json_integer_value(json_object_get(e, "at")), at);
	if (strcmp(get(s, "decidedAt"), at) != 0 || strcmp(get(s, "replacedBy"), by) != 0)
		evidence_say(k, 0, "verdict", "evidence.json tells another decidedAt or replacedBy than the log");
}

static const json_t *
signed_leaf(const struct evidence_check *k, const char *notice, size_t *n)
{
	const json_t *e, *found = NULL;
	size_t i;

	*n = 0;
	json_array_foreach(k->events, i, e)
		if (strcmp(get(e, "kind"), "signed") == 0 && strcmp(get(e, "notice"), notice) == 0) {
			found = e;
			++*n;
		}
	return found;
}

/* Its level stands in its name. */
static int
same_name(const json_t *n, const json_t *leaf)
{
	const char *name = get(json_object_get(leaf, "detail"), "file");
	char *end = xasprintf(".%s.xml", get(n, "level"));
	size_t len = strlen(name), endlen = strlen(end);
	int same = strcmp(get(n, "fileName"), name) == 0 &&
	    (get(n, "level")[0] == '\0' || (len > endlen && strcmp(name + len - endlen, end) == 0));

	free(end);
	return same;
}

/* Is its id or its file one of those before it?  So as many as there are files and leaves
 * are just those. */
static int
told_before(const json_t *list, size_t i)
{
	const json_t *n = json_array_get(list, i), *o;
	size_t j;

	json_array_foreach(list, j, o) {
		if (j == i)
			break;
		if (strcmp(get(o, "id"), get(n, "id")) == 0 || strcmp(get(o, "file"), get(n, "file")) == 0)
			return 1;
	}
	return 0;
}

static void
check_notices(struct evidence_check *k)
{
	const json_t *list = json_object_get(k->story, "notices"), *n, *e;
	const char *sha256;
	char at[TIME_SIZE];
	size_t i, times, files = 0, leaves = 0, bad = 0;

	json_array_foreach(list, i, n) {
		sha256 = evidence_digest(k, get(n, "file"));
		e = signed_leaf(k, get(n, "id"), &times);
		if (told_before(list, i)) {
			evidence_say(k, 0, "notice", "evidence.json tells of %s twice", get(n, "file"));
			bad++;
			continue;
		}
		if (sha256 == NULL || strncmp(get(n, "file"), "notices/", 8) != 0 || times != 1 ||
		    strcmp(get(e, "sha256"), sha256) != 0) {
			evidence_say(k, 0, "notice", "%s: the log does not say that these bytes were signed", get(n, "file"));
			bad++;
			continue;
		}
		time_format(json_integer_value(json_object_get(e, "at")), at);
		if (strcmp(get(n, "sha256"), sha256) != 0 || strcmp(get(n, "signedAt"), at) != 0 || !same_name(n, e)) {
			evidence_say(k, 0, "notice", "%s: evidence.json tells another SHA-256, time, name or level than the log", get(n, "file"));
			bad++;
		}
	}
	for (i = 0; i < asic_count(k->r); i++)
		files += strncmp(asic_entry(k->r, i), "notices/", 8) == 0;
	json_array_foreach(k->events, i, e)
		leaves += strcmp(get(e, "kind"), "signed") == 0;
	if (files != json_array_size(list) || leaves != files)
		evidence_say(k, 0, "notice", "the log has %zu signed notices, evidence.json tells of %zu, %zu are there",
		    leaves, json_array_size(list), files);
	else if (bad == 0)
		evidence_say(k, 1, "notices", "%zu, all of them those that the log has as signed", files);
}

void
evidence_check_story(struct evidence_check *k)
{
	check_received(k);
	check_decision(k);
	check_facts(k);
	check_notices(k);
}

/* --- the signatures ------------------------------------------------------------------ */

/* The lists in the container, and those given. */
static int
add_lists(struct evidence_check *k, struct trust *t)
{
	struct buf der = { 0 };
	const unsigned char *p;
	X509_CRL *crl;
	size_t i;
	int n = 0;

	for (i = 0; i < asic_count(k->r); i++) {
		buf_reset(&der);
		if (strncmp(asic_entry(k->r, i), "revocation/", 11) != 0 ||
		    asic_get(k->r, asic_entry(k->r, i), CRL_MAX_SIZE, &der) == -1 || der.len == 0)
			continue;
		p = (const unsigned char *)der.data;
		if ((crl = d2i_X509_CRL(NULL, &p, (long)der.len)) != NULL)
			n += trust_add_crl(t, crl) == 0;
		X509_CRL_free(crl);
	}
	buf_free(&der);
	if (k->crls.len > 0 && trust_add_crls(t, k->crls.data, k->crls.len) == 0)
		n++;
	return n;
}

static int
unpack(struct evidence_check *k, const char *name)
{
	char sha256[SHA256_HEX_SIZE];

	return ftruncate(k->temp, 0) == -1 || lseek(k->temp, 0, SEEK_SET) == -1 ||
	    asic_copy(k->r, name, k->temp, sha256) == -1 || lseek(k->temp, 0, SEEK_SET) == -1 ? -1 : 0;
}

/* 0, or -1: our own trouble. */
static int
judge_entry(struct evidence_check *k, const char *name, const struct document_settings *s, struct document_verdict *v)
{
	if (unpack(k, name) == -1 || document_judge(k->temp, s, NULL, v) == -1) {
		log_warnx("%s: could not be judged", name);
		k->trouble = 1;
		return -1;
	}
	return 0;
}

static const char *
first_code(const struct document_verdict *v)
{
	return v->reasons.n > 0 ? reason_info(v->reasons.v[0].code)->name : "VALID";
}

/* What the log says of a refused one, where that can be found again offline: not who is
 * enrolled, who may do what, nor what else was sent. */
static int
agrees(const struct evidence_check *k, const struct document_verdict *v)
{
	const json_t *told = json_object_get(k->story, "reasons");
	enum reason_code code = reason_by_name(get(json_array_get(told, 0), "code"));
	enum reason_stage stage;

	if (json_array_size(told) == 0 || code == REASON_COUNT)
		return v->reasons.n == 0;
	stage = reason_info(code)->stage;
	if ((stage <= STAGE_CERTIFICATE && code != CERT_NOT_ENROLLED) || stage == STAGE_SCHEMA)
		return reasons_has(&v->reasons, code);
	return v->reasons.n == 0 || reasons_stage(&v->reasons) >= stage;
}

/* The certificate that the log has with a decision, where it has one, and that evidence.json
 * tells of: of all of it, or of nothing. */
static int
same_certificate(const struct evidence_check *k, const struct document_verdict *v)
{
	const struct { const char *told, *is; } facts[] = { { "signerCertificate", v->cert_sha256 },
	    { "signerSubject", v->signer_subject }, { "signerIssuer", v->signer_issuer }, { "signerSerial", v->signer_serial } };
	const json_t *e, *s = json_object_get(k->story, "submission");
	const char *had = get(s, "signaturePolicy");
	size_t i, n = sizeof(facts) / sizeof(facts[0]), told = 0, same = 0;

	if (had[0] != '\0' && strcmp(had, v->policy) != 0)
		return 0;
	for (i = 0; i < n; i++) {
		told += get(s, facts[i].told)[0] != '\0';
		same += strcmp(get(s, facts[i].told), facts[i].is) == 0;
	}
	if (told > 0 && same != n)
		return 0;
	json_array_foreach(k->events, i, e) {
		had = get(json_object_get(e, "detail"), "certificate");
		if (is_state(get(e, "kind")) && had[0] != '\0' && strcmp(had, v->cert_sha256) != 0)
			return 0;
	}
	return 1;
}

static void
check_document(struct evidence_check *k, const struct trust *t)
{
	struct document_settings s = { .trust = t, .schemas = k->schemas, .at = k->received_at, .any_document = 1,
	    .signing_time_past = -1, .signing_time_future = -1 };
	const char *state = get(json_object_get(k->story, "submission"), "state"), *file = get(k->story, "document");
	struct document_verdict *v = xcalloc(1, sizeof(*v));

	if (judge_entry(k, file, &s, v) == 0) {
		if (get(json_object_get(k->story, "submission"), "signerCertificate")[0] != '\0')
			evidence_named(k, "signer", v->cert_sha256);
		if (!same_certificate(k, v))
			evidence_say(k, 0, "signature", "its certificate or policy is not the one that the log has, and "
			    "evidence.json tells of: %s", v->signer_subject);
		else if (strcmp(state, "repeated") == 0)
			evidence_note(k, "%s: a repeat; its bytes were judged when they came first: now %s", file, first_code(v));
		else if (agrees(k, v))
			evidence_say(k, 1, "signature", "%s at its receipt, as it was judged; %s; revocation %s", first_code(v),
			    v->signer_subject[0] != '\0' ? v->signer_subject : "no signer", revocation_name(v->revocation));
		else
			evidence_say(k, 0, "signature", "%s at its receipt; that is not what the log says: %s", first_code(v),
			    v->reasons.n > 0 ? v->reasons.v[0].detail : v->signer_subject);
	}
	free(v);
}

static void
check_notice(struct evidence_check *k, const json_t *n, const struct trust *t)
{
	struct document_settings s = { .trust = t, .schemas = k->schemas, .any_document = 1,
	    .signing_time_past = -1, .signing_time_future = -1 };
	struct document_verdict *v = xcalloc(1, sizeof(*v));
	size_t times;

	s.at = json_integer_value(json_object_get(signed_leaf(k, get(n, "id"), &times), "at"));
	if (times == 1 && judge_entry(k, get(n, "file"), &s, v) == 0) {
		evidence_named(k, "gateway", v->cert_sha256);
		evidence_say(k, v->reasons.n == 0, "notice", "%s: %s, %s", get(n, "file"), first_code(v), v->signer_subject);
	}
	free(v);
}

void
evidence_check_documents(struct evidence_check *k)
{
	const json_t *list = json_object_get(k->story, "notices"), *n;
	struct trust *own = NULL, *plain = NULL;
	size_t i;

	/* two, since the lists that judged a signer may know nothing of the gateway's issuer */
	if (k->trust == NULL) {
		evidence_note(k, "signatures are judged by the anchors in the container itself: give your own with --trust");
		own = evidence_anchors(k, "anchors/trust.pem", "material/anchors");
		plain = own != NULL ? evidence_anchors(k, "anchors/trust.pem", NULL) : NULL;
	}
	if (k->trust == NULL && (own == NULL || plain == NULL)) {
		evidence_say(k, 0, "signature", "no anchor to judge it by");
		goto out;
	}
	if (add_lists(k, own != NULL ? own : k->trust) == 0)
		evidence_note(k, "revocation is not judged: there is no list");
	if (k->received_at != 0 && evidence_digest(k, get(k->story, "document")) != NULL)
		check_document(k, own != NULL ? own : k->trust);
	json_array_foreach(list, i, n)
		if (evidence_digest(k, get(n, "file")) != NULL)
			check_notice(k, n, plain != NULL ? plain : k->trust_plain);
out:
	trust_free(own);
	trust_free(plain);
}
