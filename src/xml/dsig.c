/* SPDX-License-Identifier: ISC */
#include "xml/dsig.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "xml/dsig_read.h"
#include "xml/node.h"
#include "xml/xmlsec.h"

#define BASE64_SIZE	(4 * ((EVP_MAX_MD_SIZE + 2) / 3) + 1)

void
dsig_demand_free(struct dsig_demand *d)
{
	size_t	i;

	for (i = 0; i < d->c14n.nprefixes; i++)
		free(d->c14n.prefixes[i]);
	d->c14n.nprefixes = 0;
}

int
dsig_demand_equal(const struct dsig_demand *a, const struct dsig_demand *b)
{
	size_t	i;

	if (a->digest != b->digest || a->c14n.method != b->c14n.method ||
	    a->c14n.with_comments != b->c14n.with_comments ||
	    a->c14n.nprefixes != b->c14n.nprefixes)
		return 0;
	for (i = 0; i < a->c14n.nprefixes; i++)
		if (strcmp(a->c14n.prefixes[i], b->c14n.prefixes[i]) != 0)
			return 0;
	return 1;
}

const struct dsig_demand *
dsig_demand(const struct dsig *d)
{
	return &d->document.demand;
}

X509 *
dsig_certificate(const struct dsig *d)
{
	if (d->too_many_certs)		/* no signature was tried with any of them */
		return NULL;
	return d->signer != NULL ? d->signer : d->ncerts > 0 ? d->certs[0] : NULL;
}

STACK_OF(X509) *
dsig_others(const struct dsig *d)
{
	return d->others;
}

xmlNode *
dsig_value(const struct dsig *d)
{
	return d->value;
}

usec_t
dsig_signing_time(const struct dsig *d)
{
	return d->xades.signing_time;
}

const char *
dsig_policy(const struct dsig *d, const struct signature_policy *list, size_t n,
    struct reasons *rs)
{
	return xades_policy_judge(&d->xades.policy, list, n, rs);
}

void
dsig_free(struct dsig *d)
{
	size_t	i;

	if (d == NULL)
		return;
	for (i = 0; i < d->ncerts; i++)
		X509_free(d->certs[i]);
	sk_X509_free(d->others);
	dsig_demand_free(&d->document.demand);
	dsig_demand_free(&d->properties.demand);
	xades_reset(&d->xades);
	free(d);
}

/* Both digests as DigestValue writes them, for who looks for the difference. */
static void
add_difference(const char *of, const struct reference *r, const unsigned char *found, size_t len,
    struct reasons *rs)
{
	unsigned char	is[BASE64_SIZE], says[BASE64_SIZE];

	(void)EVP_EncodeBlock(is, found, (int)len);
	(void)EVP_EncodeBlock(says, r->value, (int)r->len);
	reasons_add(rs, SIG_DIGEST, r->line, PATH_REF, "the digest of %s is %s, DigestValue says %s",
	    of, (char *)is, (char *)says);
}

/* SignedProperties canonicalise alone, in the skeleton, as in the document. */
static void
verify_properties(struct dsig *d, struct reasons *rs)
{
	struct reference *r = &d->properties;
	struct buf	 canonical = { 0 };
	unsigned char	 md[EVP_MAX_MD_SIZE];
	unsigned int	 len = 0;
	const EVP_MD	*type;

	type = EVP_get_digestbyname(dsig_digest_openssl(r->demand.digest));
	if (type == NULL ||
	    xmlsec_c14n(d->xades.signed_properties, r->transform, &canonical) == -1 ||
	    EVP_Digest(canonical.data, canonical.len, md, &len, type, NULL) != 1)
		reasons_add(rs, SIG_DIGEST, node_line(d->xades.signed_properties), PATH_REF,
		    "SignedProperties cannot be digested");
	else if (len != r->len || CRYPTO_memcmp(md, r->value, len) != 0)
		add_difference("SignedProperties", r, md, len, rs);
	buf_free(&canonical);
}

/* Does the signature value verify with the certificate's key? */
static int
verifies_with(const struct dsig *d, X509 *cert)
{
	EVP_PKEY	*key = X509_get0_pubkey(cert);

	if (key == NULL || EVP_PKEY_get_base_id(key) != d->alg->key_type)
		return 0;
	return xmlsec_verify(d->signed_info, d->c14n_method, d->signature_method,
	    d->value, key) == 1;
}

/* Find the certificate whose key made the signature: the one SignedProperties
 * name; where it is another of KeyInfo's, the names do not agree. */
static void
verify_value(struct dsig *d, struct reasons *rs)
{
	const char	*why;
	size_t		 i;

	for (i = 0; i < d->ncerts; i++)
		if (verifies_with(d, d->certs[i]))
			break;
	if (i == d->ncerts) {
		reasons_add(rs, SIG_VALUE, node_line(d->value), PATH_VALUE,
		    "the signature does not verify with the certificate's key");
		return;
	}
	if (!alg_key_ok(X509_get0_pubkey(d->certs[i]), &why))
		reasons_add(rs, SIG_ALGORITHM, node_line(d->value), PATH_KEY, "%s", why);
	if (d->is_xades && d->signer != d->certs[i])
		reasons_add(rs, CERT_UNTRUSTED, node_line(d->value), PATH_KEY,
		    "SigningCertificate names another certificate (EN 319 132-1, 5.2.2)");
	d->signer = d->certs[i];
}

static void
list_others(struct dsig *d)
{
	size_t	i;

	sk_X509_free(d->others);
	d->others = sk_X509_new_null();
	for (i = 0; d->others != NULL && i < d->ncerts; i++)
		if (d->certs[i] != d->signer)
			(void)sk_X509_push(d->others, d->certs[i]);
}

void
dsig_verify(struct dsig *d, const unsigned char *digest, size_t len, struct reasons *rs)
{
	const char	*why;

	if (len != d->document.len || CRYPTO_memcmp(digest, d->document.value, len) != 0)
		add_difference("the document", &d->document, digest, len, rs);
	if (d->is_xades)
		verify_properties(d, rs);
	if (d->too_many_certs || d->ncerts == 0)
		reasons_add(rs, CERT_UNTRUSTED, node_line(d->value), PATH_KEY,
		    d->ncerts == 0 ? "no certificate in KeyInfo" : "more than %d certificates",
		    XML_MAX_CERTIFICATES);
	else if (d->signer != NULL && !alg_key_ok(X509_get0_pubkey(d->signer), &why))
		reasons_add(rs, SIG_ALGORITHM, node_line(d->value), PATH_KEY, "%s", why);
	else
		verify_value(d, rs);
	list_others(d);
}
