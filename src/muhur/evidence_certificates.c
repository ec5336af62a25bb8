/* SPDX-License-Identifier: ISC */
/*
 * Of an evidence: the certificates, as files that other programs read.  A help for
 * them: what is judged stands in the documents and tokens themselves.
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
#include "muhur/evidence.h"
#include "xml/node.h"
#include "xml/tsp.h"

#define LOOK_SIZE	XML_MAX_SIGNATURE	/* bytes of a document's head and tail: a signature is first or last */
#define TAG		"X509Certificate>"

struct pool { X509 *v[EVIDENCE_CERTIFICATES]; size_t n; };

static void
pool_add(struct pool *p, X509 *cert)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (X509_cmp(p->v[i], cert) == 0)
			break;
	if (cert != NULL && i == p->n && i < sizeof(p->v) / sizeof(p->v[0]))
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

	while (bio != NULL && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		pool_add(p, cert);
	BIO_free(bio);
	ERR_clear_error();
}

/* Every X509Certificate in that text, which is cut anywhere. */
static void
pool_add_text(struct pool *p, char *text)
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
			pool_add(p, d2i_X509(NULL, &q, (long)len));
			free(der);
		}
		at = end + 1;
	}
	ERR_clear_error();
}

static void
pool_add_document(struct pool *p, const struct asic_file *f)
{
	char *text = xcalloc(1, LOOK_SIZE + 1);
	ssize_t n;

	if ((n = pread(f->fd, text, LOOK_SIZE, 0)) > 0) {
		text[n] = '\0';
		pool_add_text(p, text);
	}
	if (f->size > LOOK_SIZE && (n = pread(f->fd, text, LOOK_SIZE, (off_t)(f->size - LOOK_SIZE))) > 0) {
		text[n] = '\0';
		pool_add_text(p, text);
	}
	free(text);
}

static X509 *
issuer_of(X509 *cert, const struct pool *p)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (X509_check_issued(p->v[i], cert) == X509_V_OK)
			return p->v[i];
	return NULL;
}

static int
is_ca(X509 *cert)
{
	return X509_check_ca(cert) > 0;
}

/* One certificate with its chain behind it, up to its root. */
static void
add_chain(struct evidence *e, const char *name, X509 *cert, const struct pool *p)
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
		next = issuer_of(cert, p);
		cert = next == cert ? NULL : next;
	}
	len = BIO_get_mem_data(bio, &data);
	asic_add(&e->files, name, "application/x-pem-file", data, (size_t)len);
	BIO_free(bio);
}

/* All that are no authorities', as <role>.pem, <role>-2.pem and so on. */
static void
add_all(struct evidence *e, const char *role, const struct pool *found, const struct pool *anchors)
{
	struct pool all = *found;
	char name[64];
	size_t i;
	int n = 0;

	for (i = 0; i < anchors->n && all.n < sizeof(all.v) / sizeof(all.v[0]); i++)
		all.v[all.n++] = anchors->v[i];		/* borrowed */
	for (i = 0; i < found->n; i++) {
		if (is_ca(found->v[i]))
			continue;
		if (++n == 1)
			(void)snprintf(name, sizeof(name), "certificates/%s.pem", role);
		else
			(void)snprintf(name, sizeof(name), "certificates/%s-%d.pem", role, n);
		add_chain(e, name, found->v[i], &all);
	}
}

static void
take_from_token(void *pool, X509 *cert)
{
	if (X509_up_ref(cert) == 1)
		pool_add(pool, cert);
}

static void
pool_add_stamp(struct pool *p, const struct asic_file *f)
{
	struct buf token = { 0 };

	if (f != NULL && tsp_token(f->data.data, f->data.len, &token) == 0)
		tsp_certificates(token.data, token.len, take_from_token, p);
	buf_free(&token);
}

void
evidence_strike(int fd, X509 **v, size_t n)
{
	struct asic_file f = { .fd = fd, .size = lseek(fd, 0, SEEK_END) };
	struct pool p = { .n = 0 };
	size_t i, j;

	pool_add_document(&p, &f);
	for (i = 0; i < n; i++)
		for (j = 0; j < p.n && v[i] != NULL; j++)
			if (X509_cmp(p.v[j], v[i]) == 0) {
				X509_free(v[i]);
				v[i] = NULL;
			}
	pool_free(&p);
}

int
evidence_certificates(struct evidence *e)
{
	struct pool signer = { .n = 0 }, gateway = { .n = 0 }, tsa = { .n = 0 }, anchors = { .n = 0 };
	const struct asic_file *f;
	char *pem;
	size_t i, len;

	for (i = 0; i < e->files.n; i++) {
		f = &e->files.v[i];
		if (strncmp(f->name, "document/", 9) == 0)
			pool_add_document(&signer, f);
		else if (strncmp(f->name, "notices/", 8) == 0)
			pool_add_document(&gateway, f);
		else if (strncmp(f->name, "anchors/", 8) == 0)
			pool_add_pem(&anchors, f->data.data, f->data.len);
		else if (strncmp(f->name, "material/anchors", 16) == 0 &&
		    fd_read_all(f->fd, TRUST_MAX_ANCHORS, &pem, &len) == 0) {
			pool_add_pem(&anchors, pem, len);
			free(pem);
		}
	}
	pool_add_stamp(&tsa, asic_find(&e->files, "trail/checkpoint.tsr"));
	add_all(e, "signer", &signer, &anchors);
	add_all(e, "gateway", &gateway, &anchors);
	add_all(e, "tsa", &tsa, &anchors);
	pool_free(&tsa);
	pool_free(&signer);
	pool_free(&gateway);
	pool_free(&anchors);
	return EXIT_YES;
}
