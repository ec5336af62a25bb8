/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "document/pass.h"
#include "document/pipeline.h"
#include "model/ident.h"
#include "xml/cert.h"
#include "xml/dsig.h"
#include "xml/pull.h"
#include "xml/xmlsec.h"

int
document_init(void)
{
	pull_setup();
	if (OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CRYPTO_STRINGS | OPENSSL_INIT_ADD_ALL_DIGESTS |
	    OPENSSL_INIT_ADD_ALL_CIPHERS, NULL) != 1) {
		log_alarm("OpenSSL cannot be set up");
		return -1;
	}
	if (xmlsec_setup() == -1)
		return -1;
	pull_setup();		/* the entity loader stays ours, whatever xmlsec set */
	return 0;
}

/* --- small helpers ------------------------------------------------------- */

static void
add_reasons(struct reasons *to, const struct reasons *from)
{
	size_t i;

	for (i = 0; i < from->n; i++)
		reasons_add(to, from->v[i].code, from->v[i].line, from->v[i].path, "%s",
		    from->v[i].detail);
}

/* With the signature last, what it demands is not known when reading begins:
 * an untrusted guess from the file's head and tail, confirmed afterwards. */
static int
read_hint(int fd, struct dsig_demand *demand)
{
	char *head = NULL, *tail = NULL;
	ssize_t nh, nt = 0;
	off_t size;
	int rc = -1;

	head = xcalloc(1, XML_HINT_SIZE);
	tail = xcalloc(1, XML_HINT_SIZE);
	if ((size = lseek(fd, 0, SEEK_END)) == -1 || lseek(fd, 0, SEEK_SET) == -1 ||
	    (nh = read_full(fd, head, XML_HINT_SIZE)) == -1)
		goto out;
	if (size > XML_HINT_SIZE && (lseek(fd, size - XML_HINT_SIZE, SEEK_SET) == -1 ||
	    (nt = read_full(fd, tail, XML_HINT_SIZE)) == -1))
		goto out;
	dsig_hint(head, (size_t)nh, tail, (size_t)nt, demand);
	rc = 0;
out:
	if (rc == -1)
		log_alarm("document: read: %s", strerror(errno));
	free(head);
	free(tail);
	return rc;
}

/* --- the signer ---------------------------------------------------------- */

static void
describe_signer(struct document_verdict *v, const X509 *cert)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned len;

	if (X509_digest(cert, EVP_sha256(), md, &len) == 1)
		hex_encode(md, len, v->cert_sha256);
	/* what is too long or malformed is shown as far as it goes */
	(void)cert_name(X509_get_subject_name(cert), v->signer_subject, sizeof(v->signer_subject));
	(void)cert_name(X509_get_issuer_name(cert), v->signer_issuer, sizeof(v->signer_issuer));
	(void)cert_serial(cert, v->signer_serial, sizeof(v->signer_serial));
}

/* --- judging ------------------------------------------------------------- */

/* Contract: SigningTime from 48 h before to 5 min after receipt. */
static void
judge_signing_time(const struct document_settings *s, struct document_verdict *v)
{
	char at[TIME_SIZE], signed_at[TIME_SIZE];
	usec_t t = v->signing_time;

	if (s->signing_time_past < 0 || (t == 0 && s->profile == PROFILE_XMLDSIG))
		return;
	if (t == 0) {
		reasons_add(&v->reasons, SIGNING_TIME, 0, "", "there is not one SigningTime that is a time");
		return;
	}
	if (t >= s->at - s->signing_time_past * USEC_PER_SEC &&
	    t <= s->at + s->signing_time_future * USEC_PER_SEC)
		return;
	time_format(t, signed_at);
	time_format(s->at, at);
	reasons_add(&v->reasons, SIGNING_TIME, 0, "", "signed at %s, received at %s", signed_at, at);
}

/* Contract: unsigned properties are never trusted.  So no document is better or
 * worse for its time-stamps; what they are worth is said. */
static void
judge_timestamps(const struct document_settings *s, const struct stamps *st, const struct dsig *d,
    struct document_verdict *v)
{
	const struct stamp_rules rules = { s->tsa, s->at,
	    s->at + s->signing_time_future * USEC_PER_SEC, s->require_crl };
	struct timestamp *all = &v->timestamp, one;
	size_t i;

	if (st->n > 0 && reasons_stage(&v->reasons) == STAGE_SIGNATURE) {
		all->state = TIMESTAMP_NOT_JUDGED;
		(void)str_copy(all->why, sizeof(all->why), "the signature itself does not hold");
		return;
	}
	for (i = 0; i < st->n && i < XML_MAX_TIMESTAMPS; i++) {
		stamp_judge(&st->v[i], dsig_value(d), &rules, &one);
		timestamp_merge(all, &one);
	}
	if (st->n > XML_MAX_TIMESTAMPS && s->tsa != NULL) {
		memset(all, 0, sizeof(*all));
		all->state = TIMESTAMP_BAD;
		(void)snprintf(all->why, sizeof(all->why), "more than %d time-stamps", XML_MAX_TIMESTAMPS);
	}
}

/* Signature, certificate and signing time; v->reasons as they come. */
static void
judge_signature(const struct document_settings *s, const struct pass *p, struct dsig *d,
    struct document_verdict *v)
{
	const unsigned char *digest;
	const char *policy;
	X509 *cert;
	size_t len;

	digest = pass_digest(p, &len);
	dsig_verify(d, digest, len, &v->reasons);
	policy = dsig_policy(d, s->policies, s->npolicies, &v->reasons);
	judge_timestamps(s, pass_stamps(p), d, v);
	v->signing_time = dsig_signing_time(d);
	if ((cert = dsig_certificate(d)) != NULL)
		describe_signer(v, cert);
	if (reasons_stage(&v->reasons) == STAGE_SIGNATURE)
		return;
	(void)snprintf(v->policy, sizeof(v->policy), "%s", policy != NULL ? policy : "");
	text_clean(v->policy);
	if (cert != NULL)
		trust_judge_by(s->trust, cert, dsig_others(d), s->at, s->require_crl, &v->revocation,
		    &v->crls, &v->reasons);
	else if (v->reasons.n == 0)
		reasons_add(&v->reasons, CERT_UNTRUSTED, 0, "", "KeyInfo holds no certificate");
	judge_signing_time(s, v);
}

/* One pass, its facts into v.  NULL: our own trouble.  *d: the signature read,
 * NULL where there are reasons not to. */
static struct pass *
read_once(int fd, const struct document_settings *s, const struct document_sink *sink,
    const struct dsig_demand *demand, struct document_verdict *v, struct dsig **d)
{
	struct pass *p = pass_new(fd, s, sink, demand);

	*d = NULL;
	if (p == NULL || pass_run(p) == -1) {
		pass_free(p);
		return NULL;
	}
	pass_sha256(p, v->sha256);
	v->size = pass_size(p);
	(void)str_copy(v->root, sizeof(v->root), pass_root(p));
	add_reasons(&v->reasons, pass_xml_reasons(p));
	if (v->reasons.n == 0 && pass_structure(p, &v->reasons) == 0)
		*d = dsig_read(pass_signature(p), s->profile, &v->reasons);
	return p;
}

/* The hint was wrong: read the document again as its signature demands.  The
 * bytes must be the same, or what is judged is not what was read. */
static struct pass *
read_again(int fd, const struct document_settings *s, const struct document_sink *sink,
    const struct dsig_demand *demand, struct document_verdict *v, struct dsig **d)
{
	struct document_verdict again;
	struct pass *p;

	memset(&again, 0, sizeof(again));
	if (sink != NULL && sink->restart != NULL && sink->restart(sink->arg) == -1)
		return NULL;
	if ((p = read_once(fd, s, sink, demand, &again, d)) == NULL)
		return NULL;
	if (strcmp(again.sha256, v->sha256) != 0 || *d == NULL ||
	    !dsig_demand_equal(dsig_demand(*d), demand)) {
		log_alarm("document: it changed between two readings");
		dsig_free(*d);
		*d = NULL;
		pass_free(p);
		return NULL;
	}
	return p;
}

int
document_judge(int fd, const struct document_settings *s, const struct document_sink *sink,
    struct document_verdict *v)
{
	struct dsig_demand hint;
	struct pass *first = NULL, *second = NULL;
	struct dsig *d1 = NULL, *d2 = NULL;
	int rc = -1;

	memset(v, 0, sizeof(*v));
	v->revocation = REVOCATION_NOT_JUDGED;
	memset(&hint, 0, sizeof(hint));
	if (s->demand != NULL)
		hint = *s->demand;
	else if (read_hint(fd, &hint) == -1)
		goto out;
	if ((first = read_once(fd, s, sink, &hint, v, &d1)) == NULL)
		goto out;
	if (d1 != NULL && !dsig_demand_equal(dsig_demand(d1), &hint) &&
	    (second = read_again(fd, s, sink, dsig_demand(d1), v, &d2)) == NULL)
		goto out;
	if (second != NULL)
		judge_signature(s, second, d2, v);
	else if (d1 != NULL)
		judge_signature(s, first, d1, v);
	v->signature_valid = v->reasons.n == 0;
	if (reasons_stage(&v->reasons) != STAGE_XML)
		add_reasons(&v->reasons, pass_content_reasons(second != NULL ? second : first));
	reasons_first_stage(&v->reasons);
	rc = 0;
out:
	dsig_free(d1);		/* before the skeletons they point into */
	dsig_free(d2);
	pass_free(first);
	pass_free(second);
	dsig_demand_free(&hint);
	return rc;
}
