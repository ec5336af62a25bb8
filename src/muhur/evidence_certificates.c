/* SPDX-License-Identifier: ISC */
/*
 * Of an evidence: the certificates, as files that other programs read.  A help for
 * them: what is judged stands in the documents and tokens themselves.  In those a
 * member may write any certificate anywhere; so the one that was judged is known by
 * its SHA-256, and what stands behind it has signed it.
 */
#include "config.h"

#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/fdio.h"
#include "base/log.h"
#include "document/pipeline.h"
#include "muhur/evidence.h"
#include "xml/node.h"
#include "xml/openssl.h"
#include "xml/tsp.h"

#define LOOK_SIZE	XML_MAX_SIGNATURE	/* bytes of a document's head and tail: a signature is first or last */
#define TAG		"X509Certificate>"
#define MANY		256

struct pool { X509 *v[MANY]; size_t n; };
struct certificates {
	struct pool	 signer, gateway, tsa;		/* whom files are made for */
	struct pool	 authorities, anchors;		/* what may stand behind them */
};

static void
pool_add(struct pool *p, X509 *cert)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (X509_cmp(p->v[i], cert) == 0)
			break;
	if (cert != NULL && i == p->n && i < MANY)
		p->v[p->n++] = cert;
	else
		X509_free(cert);
}

static void
pool_free(struct pool *p)
{
	while (p->n > 0)
		X509_free(p->v[--p->n]);
}

static void
pool_add_pem(struct pool *p, const char *pem, size_t len)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	X509 *cert;

	while (bio != NULL && (cert = PEM_read_bio_X509(bio, NULL, openssl_no_password, NULL)) != NULL)
		pool_add(p, cert);
	BIO_free(bio);
	ERR_clear_error();
}

static int
is_ca(X509 *cert)
{
	return X509_check_ca(cert) > 0;
}

void
evidence_certificate_digest(const X509 *cert, char hex[SHA256_HEX_SIZE])
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned len;

	if (X509_digest(cert, EVP_sha256(), md, &len) != 1)
		fatalx("SHA-256 cannot be computed");
	hex_encode(md, SHA256_SIZE, hex);
}

/* --- in documents -------------------------------------------------------------------- */

/* The certificate of that digest to p, authorities to theirs. */
static void
take(struct certificates *c, struct pool *p, const char *sha256, X509 *cert)
{
	char hex[SHA256_HEX_SIZE] = "";

	if (cert != NULL)
		evidence_certificate_digest(cert, hex);
	if (cert != NULL && strcmp(hex, sha256) == 0)
		pool_add(p, cert);
	else if (cert != NULL && is_ca(cert))
		pool_add(&c->authorities, cert);
	else
		X509_free(cert);
}

/* Every X509Certificate in that text, which is cut anywhere. */
static void
take_text(struct certificates *c, struct pool *p, const char *sha256, char *text)
{
	unsigned char *der;
	const unsigned char *q;
	char *at = text, *end;
	size_t len;

	while ((at = strstr(at, TAG)) != NULL) {
		at += strlen(TAG);
		if ((end = strchr(at, '<')) == NULL)
			break;
		*end = '\0';
		if (text_base64(at, XML_MAX_CERTIFICATE, &der, &len) == 0) {
			q = der;
			take(c, p, sha256, d2i_X509(NULL, &q, (long)len));
			free(der);
		}
		at = end + 1;
	}
	ERR_clear_error();
}

static void
take_document(struct certificates *c, struct pool *p, const char *sha256, const struct asic_file *f)
{
	char *text = xcalloc(1, LOOK_SIZE + 1);
	ssize_t n;

	if ((n = pread(f->fd, text, LOOK_SIZE, 0)) > 0) {
		text[n] = '\0';
		take_text(c, p, sha256, text);
	}
	if (f->size > LOOK_SIZE && (n = pread(f->fd, text, LOOK_SIZE, (off_t)(f->size - LOOK_SIZE))) > 0) {
		text[n] = '\0';
		take_text(c, p, sha256, text);
	}
	free(text);
}

/* Which one a notice's signature names; the database does not tell. */
static void
take_notice(struct certificates *c, const struct trust *t, const struct asic_file *f)
{
	struct document_settings s = { .trust = t, .at = clock_now(), .any_document = 1, .signing_time_past = -1,
	    .signing_time_future = -1 };
	struct document_verdict *v = xcalloc(1, sizeof(*v));

	if (t != NULL && document_judge(f->fd, &s, NULL, v) == 0 && v->cert_sha256[0] != '\0')
		take_document(c, &c->gateway, v->cert_sha256, f);
	free(v);
}

static void
take_from_token(void *certificates, X509 *cert)
{
	struct certificates *c = certificates;

	if (X509_up_ref(cert) == 1)
		pool_add(is_ca(cert) ? &c->authorities : &c->tsa, cert);
}

static void
take_stamp(struct certificates *c, const struct asic_file *f)
{
	struct buf token = { 0 };

	if (f != NULL && tsp_token(f->data.data, f->data.len, &token) == 0)
		tsp_certificates(token.data, token.len, take_from_token, c);
	buf_free(&token);
}

/* --- files ----------------------------------------------------------------------------- */

int
evidence_issued(X509 *cert, X509 *by)
{
	int ok = X509_check_issued(by, cert) == X509_V_OK && X509_verify(cert, X509_get0_pubkey(by)) == 1;

	ERR_clear_error();
	return ok;
}

static X509 *
issuer_of(X509 *cert, const struct pool *p)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (evidence_issued(cert, p->v[i]))
			return p->v[i];
	return NULL;
}

/* One certificate with its chain behind it, up to its root. */
static void
add_chain(struct evidence *e, const char *name, X509 *cert, const struct certificates *c)
{
	BIO *bio = BIO_new(BIO_s_mem());
	X509 *next;
	char *data;
	long len;
	int depth;

	if (bio == NULL)
		fatalx("evidence: no memory");
	for (depth = 0; cert != NULL && depth <= CHAIN_MAX_DEPTH; depth++) {
		if (PEM_write_bio_X509(bio, cert) != 1)
			fatalx("evidence: a certificate cannot be written");
		if ((next = issuer_of(cert, &c->anchors)) == NULL)
			next = issuer_of(cert, &c->authorities);
		cert = next == NULL || X509_cmp(next, cert) == 0 ? NULL : next;
	}
	len = BIO_get_mem_data(bio, &data);
	asic_add(&e->files, name, "application/x-pem-file", data, (size_t)len);
	BIO_free(bio);
}

/* As <role>.pem, <role>-2.pem and so on. */
static void
add_all(struct evidence *e, const char *role, const struct pool *p, const struct certificates *c)
{
	char name[64];
	size_t i;

	for (i = 0; i < p->n; i++) {
		if (i == 0)
			(void)snprintf(name, sizeof(name), "certificates/%s.pem", role);
		else
			(void)snprintf(name, sizeof(name), "certificates/%s-%zu.pem", role, i + 1);
		add_chain(e, name, p->v[i], c);
	}
}

static void
take_anchors(const struct evidence *e, struct certificates *c)
{
	const struct asic_file *f;
	char *pem;
	size_t i, len;

	for (i = 0; i < e->files.n; i++) {
		f = &e->files.v[i];
		if (strncmp(f->name, "anchors/", 8) == 0)
			pool_add_pem(&c->anchors, f->data.data, f->data.len);
		else if (strncmp(f->name, "material/anchors", 16) == 0 &&
		    fd_read_all(f->fd, TRUST_MAX_ANCHORS, &pem, &len) == 0) {
			pool_add_pem(&c->anchors, pem, len);
			free(pem);
		}
	}
}

int
evidence_certificates(struct evidence *e)
{
	struct certificates *c = xcalloc(1, sizeof(*c));
	const char *told = json_string_value(json_object_get(json_object_get(e->story, "submission"), "signerCertificate"));
	const struct asic_file *f = asic_find(&e->files, "anchors/trust.pem");
	struct trust *t = f != NULL ? trust_new(f->data.data, f->data.len) : NULL;
	size_t i;

	take_anchors(e, c);
	for (i = 0; i < e->files.n; i++) {
		f = &e->files.v[i];
		if (strncmp(f->name, "document/", 9) == 0 && told != NULL)
			take_document(c, &c->signer, told, f);
		else if (strncmp(f->name, "notices/", 8) == 0)
			take_notice(c, t, f);
	}
	take_stamp(c, asic_find(&e->files, "trail/checkpoint.tsr"));
	add_all(e, "signer", &c->signer, c);
	add_all(e, "gateway", &c->gateway, c);
	add_all(e, "tsa", &c->tsa, c);
	pool_free(&c->signer);
	pool_free(&c->gateway);
	pool_free(&c->tsa);
	pool_free(&c->authorities);
	pool_free(&c->anchors);
	trust_free(t);
	free(c);
	return EXIT_YES;
}
