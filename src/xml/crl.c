/* SPDX-License-Identifier: ISC */
#include "xml/crl.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "xml/cert.h"
#include "xml/openssl.h"

#define CLOCK_SLACK	(5 * 60 * USEC_PER_SEC)	/* an authority's clock may be that much ahead */

static int because(char *why, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int
because(char *why, size_t size, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return -1;
}

/* --- one ------------------------------------------------------------------ */

void
crl_free(struct crl *c)
{
	X509_CRL_free(c->x);
	memset(c, 0, sizeof(*c));
}

int
crl_der(const struct crl *c, struct buf *b)
{
	unsigned char	*der = NULL;
	int		 n = i2d_X509_CRL(c->x, &der);

	if (n <= 0)
		return -1;
	buf_append(b, der, (size_t)n);
	OPENSSL_free(der);
	return 0;
}

/* 5.2.3: not negative, 20 octets at the most. */
static int
describe_number(struct crl *c)
{
	ASN1_INTEGER	*number;
	char		*text;
	int		 critical, rc;

	number = X509_CRL_get_ext_d2i(c->x, NID_crl_number, &critical, NULL);
	if (number == NULL)
		return critical == -1 ? 0 : -1;		/* -1: there is none */
	text = i2s_ASN1_INTEGER(NULL, number);
	rc = text != NULL && text[0] != '-' ? str_copy(c->number, sizeof(c->number), text) : -1;
	OPENSSL_free(text);
	ASN1_INTEGER_free(number);
	return rc;
}

static int
describe(struct crl *c, char *why, size_t size)
{
	unsigned char	md[EVP_MAX_MD_SIZE];
	struct buf	der = { 0 };
	unsigned int	mdlen = 0;

	if (crl_der(c, &der) == 0)
		(void)EVP_Digest(der.data, der.len, md, &mdlen, EVP_sha256(), NULL);
	buf_free(&der);
	if (mdlen != SHA256_SIZE)
		return because(why, size, "its SHA-256 cannot be computed");
	hex_encode(md, SHA256_SIZE, c->sha256);
	if (cert_name(X509_CRL_get_issuer(c->x), c->issuer, sizeof(c->issuer)) == -1)
		return because(why, size, "its issuer's name cannot be read");
	if (describe_number(c) == -1)
		return because(why, size, "its number is none (RFC 5280 5.2.3)");
	if (cert_time(X509_CRL_get0_lastUpdate(c->x), &c->this_update) == -1)
		return because(why, size, "its time cannot be read");
	/* RFC 5280 5.1.2.5 demands it: without it nobody knows how long it holds */
	if (X509_CRL_get0_nextUpdate(c->x) == NULL ||
	    cert_time(X509_CRL_get0_nextUpdate(c->x), &c->next_update) == -1)
		return because(why, size, "it names no next update (RFC 5280 5.1.2.5)");
	c->delta = X509_CRL_get_ext_by_NID(c->x, NID_delta_crl, -1) != -1;
	return 0;
}

static X509_CRL *
read_der(const char *data, size_t len)
{
	const unsigned char	*p = (const unsigned char *)data;
	X509_CRL		*x = d2i_X509_CRL(NULL, &p, (long)len);

	if (x != NULL && p != (const unsigned char *)data + len) {
		X509_CRL_free(x);
		x = NULL;
	}
	return x;
}

/* Only white space may stand behind the one block. */
static X509_CRL *
read_pem(const char *data, size_t len)
{
	BIO		*bio = BIO_new_mem_buf(data, (int)len);
	X509_CRL	*x;
	char		 rest;

	if (bio == NULL)
		return NULL;
	x = PEM_read_bio_X509_CRL(bio, NULL, openssl_no_password, NULL);
	while (x != NULL && BIO_read(bio, &rest, 1) == 1) {
		if (rest != ' ' && rest != '\t' && rest != '\r' && rest != '\n') {
			X509_CRL_free(x);
			x = NULL;
		}
	}
	BIO_free(bio);
	return x;
}

int
crl_read(struct crl *c, const char *data, size_t len, char *why, size_t size)
{
	memset(c, 0, sizeof(*c));
	ERR_clear_error();
	if (len > 0 && len <= CRL_MAX_FILE)
		c->x = data[0] == '0' ? read_der(data, len) : read_pem(data, len);
	ERR_clear_error();
	if (c->x == NULL)
		return because(why, size, "is no CRL, or not the whole of one");
	if (describe(c, why, size) == 0)
		return 0;
	crl_free(c);
	return -1;
}

int
crl_judge(const struct crl *c, const struct trust *t, usec_t now, char *why, size_t size)
{
	switch (trust_crl_signature(t, c->x)) {
	case CRL_SIGNED:
		break;
	case CRL_ISSUER_UNKNOWN:
		return because(why, size, "its issuer %s is not among the trust anchors", c->issuer);
	case CRL_NOT_SIGNED:
		return because(why, size, "it was not signed with the key of %s", c->issuer);
	case CRL_ISSUER_MAY_NOT:
		return because(why, size, "%s may not sign CRLs (key usage, RFC 5280 4.2.1.3)", c->issuer);
	}
	if (c->this_update > now + CLOCK_SLACK)
		return because(why, size, "it is of the future");
	return 0;
}

/* --- the set ---------------------------------------------------------------- */

void
crl_set_free(struct crl_set *set)
{
	size_t	i;

	for (i = 0; i < set->n; i++)
		crl_free(&set->v[i]);
	free(set->v);
	memset(set, 0, sizeof(*set));
}

static void
add(struct crl_set *set, struct crl *c)
{
	set->v = xreallocarray(set->v, set->n + 1, sizeof(*set->v));
	set->v[set->n++] = *c;
	memset(c, 0, sizeof(*c));
}

int
crl_set_read(struct crl_set *set, const char *pem, size_t len)
{
	BIO		*bio = BIO_new_mem_buf(pem, (int)len);
	struct crl	 c = { 0 };
	char		 why[256] = "";
	unsigned long	 error;
	int		 n = 0;

	ERR_clear_error();
	if (bio == NULL)
		return -1;
	for (; (c.x = PEM_read_bio_X509_CRL(bio, NULL, openssl_no_password, NULL)) != NULL; n++) {
		if (describe(&c, why, sizeof(why)) == -1) {
			log_warnx("CRL of %s: %s", c.issuer[0] != '\0' ? c.issuer : "unknown", why);
			crl_free(&c);
			continue;
		}
		(void)crl_set_take(set, &c, why, sizeof(why));
		crl_free(&c);
	}
	BIO_free(bio);
	error = ERR_peek_last_error();
	if (ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE) {
		ERR_clear_error();
		if (n == 0)
			log_warnx("CRL: none in PEM");
		return n == 0 ? -1 : 0;
	}
	openssl_log("CRL");
	return -1;
}

void
crl_set_write(const struct crl_set *set, struct buf *pem)
{
	BIO	*bio = BIO_new(BIO_s_mem());
	char	*text;
	size_t	 i;
	long	 n;

	for (i = 0; i < set->n && bio != NULL; i++)
		if (PEM_write_bio_X509_CRL(bio, set->v[i].x) != 1)
			fatalx("CRL: out of memory");
	if (bio == NULL || ((n = BIO_get_mem_data(bio, &text)) <= 0 && set->n > 0))
		fatalx("CRL: out of memory");
	if (n > 0)
		buf_append(pem, text, (size_t)n);
	BIO_free(bio);
}

/* The extension's bytes, NULL where it is absent. */
static const ASN1_OCTET_STRING *
extension(const X509_CRL *x, int nid)
{
	int	at = X509_CRL_get_ext_by_NID(x, nid, -1);

	return at == -1 ? NULL : X509_EXTENSION_get_data(X509_CRL_get_ext(x, at));
}

static int
same_extension(const struct crl *a, const struct crl *b, int nid)
{
	const ASN1_OCTET_STRING	*x = extension(a->x, nid), *y = extension(b->x, nid);

	return x == NULL || y == NULL ? x == y : ASN1_OCTET_STRING_cmp(x, y) == 0;
}

/* Of one issuer and one key of it (5.2.1), about the same certificates (5.2.5),
 * both whole or both delta. */
static int
same_scope(const struct crl *a, const struct crl *b)
{
	return X509_NAME_cmp(X509_CRL_get_issuer(a->x), X509_CRL_get_issuer(b->x)) == 0 &&
	    a->delta == b->delta && same_extension(a, b, NID_authority_key_identifier) &&
	    same_extension(a, b, NID_issuing_distribution_point);
}

/* By number, which an authority raises with every list (5.2.3); 0 where one
 * has none. */
static int
compare_numbers(const struct crl *a, const struct crl *b)
{
	ASN1_INTEGER	*x = X509_CRL_get_ext_d2i(a->x, NID_crl_number, NULL, NULL);
	ASN1_INTEGER	*y = X509_CRL_get_ext_d2i(b->x, NID_crl_number, NULL, NULL);
	int		 rc = x != NULL && y != NULL ? ASN1_INTEGER_cmp(x, y) : 0;

	ASN1_INTEGER_free(x);
	ASN1_INTEGER_free(y);
	return rc;
}

enum crl_taken
crl_set_take(struct crl_set *set, struct crl *c, char *why, size_t size)
{
	struct crl	*old = NULL;
	char		 then[TIME_SIZE];
	size_t		 i;

	for (i = 0; i < set->n && old == NULL; i++)
		if (same_scope(&set->v[i], c))
			old = &set->v[i];
	if (old == NULL) {
		add(set, c);
		return CRL_TAKEN;
	}
	if (strcmp(old->sha256, c->sha256) == 0)
		return CRL_HELD_ALREADY;
	time_format(old->this_update, then);
	if (compare_numbers(c, old) < 0) {
		(void)because(why, size, "it is older: number %s, and %s is in force", c->number, old->number);
		return CRL_NOT_NEWER;
	}
	if (c->this_update < old->this_update ||
	    (c->this_update == old->this_update && compare_numbers(c, old) == 0)) {
		(void)because(why, size, "it is not newer than the one in force, of %s", then);
		return CRL_NOT_NEWER;
	}
	crl_free(old);
	*old = *c;
	memset(c, 0, sizeof(*c));
	return CRL_TAKEN;
}

int
crl_set_on_hold(const struct crl_set *set, X509 *cert)
{
	ASN1_ENUMERATED	*reason;
	X509_REVOKED	*entry;
	int		 hold = 0, found = 0;
	size_t		 i;

	for (i = 0; i < set->n; i++) {
		if (X509_NAME_cmp(X509_CRL_get_issuer(set->v[i].x), X509_get_issuer_name(cert)) != 0 ||
		    X509_CRL_get0_by_cert(set->v[i].x, &entry, cert) != 1)
			continue;
		reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
		hold = reason != NULL && ASN1_ENUMERATED_get(reason) == CRL_REASON_CERTIFICATE_HOLD;
		ASN1_ENUMERATED_free(reason);
		if (!hold)
			return 0;
		found = 1;
	}
	return found && hold;
}
