/* SPDX-License-Identifier: ISC */
/*
 * The text of a ds:Signature.  It is written three times with more of its
 * values filled in: to canonicalise SignedProperties, to canonicalise
 * SignedInfo, and as it goes out.  Exclusive c14n makes both canonical forms
 * independent of the document they stand in.
 */
#include "document/signature.h"

#include <libxml/parser.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "xml/node.h"
#include "xml/xades.h"
#include "xml/xmlsec.h"

#define ID_BYTES	16	/* of the document's digest, in the Ids */

struct values {
	const struct signing_key *k;
	char	 id[2 * ID_BYTES + 1];
	char	 time[TIME_SIZE];
	char	*document;	/* base64 of the digests and of the signature */
	char	*properties;
	char	*certificate;
	char	*signature;
};

static char *
base64(const unsigned char *p, size_t n)
{
	char	*s = xcalloc(n / 3 + 1, 5);

	(void)EVP_EncodeBlock((unsigned char *)s, p, (int)n);
	return s;
}

static int
digest64(const struct signing_key *k, const void *p, size_t n, char **out)
{
	unsigned char	md[EVP_MAX_MD_SIZE];
	unsigned int	len;

	if (EVP_Digest(p, n, md, &len,
	    EVP_get_digestbyname(dsig_digest_openssl(k->alg->digest)), NULL) != 1)
		return -1;
	*out = base64(md, len);
	return 0;
}

static const char *
or_empty(const char *s)
{
	return s != NULL ? s : "";
}

static void
put_signed_info(const struct values *v, struct buf *b)
{
	const char	*digest = alg_digest_uri(v->k->alg->digest);

	buf_printf(b, "<ds:SignedInfo><ds:CanonicalizationMethod Algorithm=\"%s\"/>"
	    "<ds:SignatureMethod Algorithm=\"%s\"/>", ALG_EXC_C14N, v->k->alg->uri);
	buf_printf(b, "<ds:Reference Id=\"R-%s\" URI=\"\"><ds:Transforms>"
	    "<ds:Transform Algorithm=\"%s\"/><ds:Transform Algorithm=\"%s\"/></ds:Transforms>"
	    "<ds:DigestMethod Algorithm=\"%s\"/><ds:DigestValue>%s</ds:DigestValue></ds:Reference>",
	    v->id, ALG_ENVELOPED, ALG_EXC_C14N, digest, or_empty(v->document));
	buf_printf(b, "<ds:Reference Type=\"%s\" URI=\"#P-%s\"><ds:Transforms>"
	    "<ds:Transform Algorithm=\"%s\"/></ds:Transforms>"
	    "<ds:DigestMethod Algorithm=\"%s\"/><ds:DigestValue>%s</ds:DigestValue></ds:Reference>"
	    "</ds:SignedInfo>",
	    XADES_TYPE, v->id, ALG_EXC_C14N, digest, or_empty(v->properties));
}

static int
put_key_info(const struct values *v, struct buf *b)
{
	unsigned char	*der;
	char		*text;
	size_t		 i;
	int		 len;

	buf_puts(b, "<ds:KeyInfo><ds:X509Data>");
	for (i = 0; i < v->k->ncerts; i++) {
		der = NULL;
		if ((len = i2d_X509(v->k->certs[i], &der)) <= 0)
			return -1;
		text = base64(der, (size_t)len);
		buf_printf(b, "<ds:X509Certificate>%s</ds:X509Certificate>", text);
		free(text);
		OPENSSL_free(der);
	}
	return buf_puts(b, "</ds:X509Data></ds:KeyInfo>");
}

/* EN 319 132-1, 5.2.1 SigningTime, 5.2.2 SigningCertificateV2, 5.2.4
 * DataObjectFormat. */
static void
put_properties(const struct values *v, struct buf *b)
{
	buf_printf(b, "<ds:Object><xades:QualifyingProperties xmlns:xades=\"%s\" Target=\"#S-%s\">"
	    "<xades:SignedProperties Id=\"P-%s\"><xades:SignedSignatureProperties>"
	    "<xades:SigningTime>%s</xades:SigningTime>", XADES_NS, v->id, v->id, v->time);
	buf_printf(b, "<xades:SigningCertificateV2><xades:Cert><xades:CertDigest>"
	    "<ds:DigestMethod Algorithm=\"%s\"/><ds:DigestValue>%s</ds:DigestValue>"
	    "</xades:CertDigest></xades:Cert></xades:SigningCertificateV2>"
	    "</xades:SignedSignatureProperties>",
	    alg_digest_uri(v->k->alg->digest), or_empty(v->certificate));
	buf_printf(b, "<xades:SignedDataObjectProperties>"
	    "<xades:DataObjectFormat ObjectReference=\"#R-%s\"><xades:MimeType>text/xml"
	    "</xades:MimeType></xades:DataObjectFormat></xades:SignedDataObjectProperties>"
	    "</xades:SignedProperties></xades:QualifyingProperties></ds:Object>", v->id);
}

static int
put_signature(const struct values *v, struct buf *b)
{
	buf_reset(b);
	buf_printf(b, "<ds:Signature xmlns:ds=\"%s\" Id=\"S-%s\">", DSIG_NS, v->id);
	put_signed_info(v, b);
	buf_printf(b, "<ds:SignatureValue>%s</ds:SignatureValue>", or_empty(v->signature));
	if (put_key_info(v, b) == -1)
		return -1;
	put_properties(v, b);
	return buf_puts(b, "</ds:Signature>");
}

/* Canonical bytes of SignedInfo, or of SignedProperties, of our own text. */
static int
canonical(const struct buf *text, int properties, struct buf *out)
{
	xmlDoc	*doc;
	xmlNode	*root, *n, *method;
	int	 rc = -1;

	buf_reset(out);
	doc = xmlReadMemory(text->data, (int)text->len, NULL, NULL, XML_PARSE_NONET);
	if (doc == NULL)
		return -1;
	root = xmlDocGetRootElement(doc);
	n = node_child(root, DSIG_NS, "SignedInfo");
	method = n != NULL ? node_child(n, DSIG_NS, "CanonicalizationMethod") : NULL;
	if (properties && (n = node_child(root, DSIG_NS, "Object")) != NULL &&
	    (n = node_child(n, XADES_NS, "QualifyingProperties")) != NULL)
		n = node_child(n, XADES_NS, "SignedProperties");
	if (n != NULL && method != NULL)
		rc = xmlsec_c14n(n, method, out);
	xmlFreeDoc(doc);
	return rc;
}

/* XML Signature 1.1, 6.4.3: r and s, each of the field's length. */
static int
raw_ecdsa(const struct signing_key *k, const unsigned char *der, size_t len, char **out)
{
	int			 field = (EVP_PKEY_get_bits(k->key) + 7) / 8;
	unsigned char		 raw[2 * 64];
	ECDSA_SIG		*sig;
	int			 rc = -1;

	if ((sig = d2i_ECDSA_SIG(NULL, &der, (long)len)) == NULL)
		return -1;
	if (field <= 64 && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, field) == field &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + field, field) == field) {
		*out = base64(raw, 2 * (size_t)field);
		rc = 0;
	}
	ECDSA_SIG_free(sig);
	return rc;
}

/* r and s, as OpenSSL wants them: DER, for it to free; its length, or -1. */
static int
der_ecdsa(const unsigned char *raw, size_t len, unsigned char **der)
{
	BIGNUM		*r = BN_bin2bn(raw, (int)(len / 2), NULL);
	BIGNUM		*s = BN_bin2bn(raw + len / 2, (int)(len / 2), NULL);
	ECDSA_SIG	*sig = ECDSA_SIG_new();
	int		 n = -1;

	if (r == NULL || s == NULL || sig == NULL || ECDSA_SIG_set0(sig, r, s) != 1) {
		BN_free(r);
		BN_free(s);
	} else
		n = i2d_ECDSA_SIG(sig, der);
	ECDSA_SIG_free(sig);
	return n;
}

/* A token may hold another key under the name that it was given. */
static int
verify_digest(const struct signing_key *k, const EVP_MD *type, const unsigned char *md,
    size_t md_len, const unsigned char *sig, size_t sig_len)
{
	EVP_PKEY_CTX	*ctx = EVP_PKEY_CTX_new(k->key, NULL);
	unsigned char	*der = NULL;
	int		 n, rc = -1;

	if (k->alg->key_type == EVP_PKEY_EC) {
		/* each of the field's length (raw_ecdsa) */
		if (sig_len != 2 * (((size_t)EVP_PKEY_get_bits(k->key) + 7) / 8) ||
		    (n = der_ecdsa(sig, sig_len, &der)) <= 0)
			goto out;
		sig = der;
		sig_len = (size_t)n;
	}
	if (ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_signature_md(ctx, type) == 1 &&
	    EVP_PKEY_verify(ctx, sig, sig_len, md, md_len) == 1)
		rc = 0;
	else
		log_alarm("signing key: it does not belong to the certificate");
out:
	ERR_clear_error();
	OPENSSL_free(der);
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

static int
sign_remotely(const struct signing_key *k, const struct buf *bytes, char **out)
{
	const EVP_MD	*type = EVP_get_digestbyname(dsig_digest_openssl(k->alg->digest));
	unsigned char	 md[EVP_MAX_MD_SIZE], *sig;
	unsigned int	 md_len;
	size_t		 room = (size_t)EVP_PKEY_get_size(k->key) + 64, len = room;
	int		 rc = -1;

	if (EVP_Digest(bytes->data, bytes->len, md, &md_len, type, NULL) != 1)
		return -1;
	sig = xcalloc(1, room);
	if (k->remote.sign(k->remote.arg, k->alg, md, md_len, sig, &len) == 0 &&
	    verify_digest(k, type, md, md_len, sig, len) == 0) {
		*out = base64(sig, len);
		rc = 0;
	}
	free(sig);
	return rc;
}

static int
sign_bytes(const struct signing_key *k, const struct buf *bytes, char **out)
{
	EVP_MD_CTX	*ctx;
	unsigned char	*value = NULL;
	size_t		 len = 0;
	int		 rc = -1;

	if (k->remote.sign != NULL)
		return sign_remotely(k, bytes, out);
	ctx = EVP_MD_CTX_new();
	if (ctx == NULL || EVP_DigestSignInit(ctx, NULL,
	    EVP_get_digestbyname(dsig_digest_openssl(k->alg->digest)), NULL, k->key) != 1 ||
	    EVP_DigestSign(ctx, NULL, &len, (unsigned char *)bytes->data, bytes->len) != 1)
		goto out;
	value = xcalloc(1, len);
	if (EVP_DigestSign(ctx, value, &len, (unsigned char *)bytes->data, bytes->len) != 1)
		goto out;
	if (k->alg->key_type == EVP_PKEY_EC)
		rc = raw_ecdsa(k, value, len, out);
	else {
		*out = base64(value, len);
		rc = 0;
	}
out:
	free(value);
	EVP_MD_CTX_free(ctx);
	return rc;
}

int
signature_value(const struct signing_key *k, const struct buf *bytes, struct buf *out)
{
	unsigned char	*raw = NULL, *der = NULL;
	char		*text = NULL;
	size_t		 len;
	int		 n, rc = -1;

	if (sign_bytes(k, bytes, &text) == -1 ||
	    text_base64(text, XML_MAX_SIGNATURE_VALUE, &raw, &len) == -1)
		goto out;
	if (k->alg->key_type != EVP_PKEY_EC)
		rc = buf_append(out, raw, len);
	else if ((n = der_ecdsa(raw, len, &der)) > 0)
		rc = buf_append(out, der, (size_t)n);
out:
	OPENSSL_free(der);
	free(raw);
	free(text);
	return rc;
}

static int
fill(struct values *v, const unsigned char *digest, usec_t signing_time)
{
	unsigned char	 md[EVP_MAX_MD_SIZE];
	unsigned int	 len;
	char		*point;

	hex_encode(digest, ID_BYTES, v->id);
	time_format(signing_time, v->time);
	if ((point = strchr(v->time, '.')) != NULL) {	/* whole seconds are enough */
		point[0] = 'Z';
		point[1] = '\0';
	}
	v->document = base64(digest, dsig_digest_size(v->k->alg->digest));
	if (X509_digest(v->k->certs[0],
	    EVP_get_digestbyname(dsig_digest_openssl(v->k->alg->digest)), md, &len) != 1)
		return -1;
	v->certificate = base64(md, len);
	return 0;
}

int
signature_text(const struct signing_key *k, const unsigned char *digest,
    usec_t signing_time, struct buf *out)
{
	struct values	v = { .k = k };
	struct buf	bytes = { 0 };
	int		rc = -1;

	if (fill(&v, digest, signing_time) == -1 || put_signature(&v, out) == -1 ||
	    canonical(out, 1, &bytes) == -1 ||
	    digest64(k, bytes.data, bytes.len, &v.properties) == -1 ||
	    put_signature(&v, out) == -1 || canonical(out, 0, &bytes) == -1 ||
	    sign_bytes(k, &bytes, &v.signature) == -1 || put_signature(&v, out) == -1) {
		log_warnx("signing: the signature could not be made: %s",
		    or_empty(ERR_reason_error_string(ERR_peek_last_error())));
		ERR_clear_error();
		goto out;
	}
	rc = 0;
out:
	free(v.document);
	free(v.properties);
	free(v.certificate);
	free(v.signature);
	buf_free(&bytes);
	return rc;
}
