/* SPDX-License-Identifier: ISC */
#include "xml/xades.h"

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/mem.h"
#include "xml/alg.h"
#include "xml/node.h"

#define PATH_QP	"ds:Signature/ds:Object/xades:QualifyingProperties"
#define PATH_SP	PATH_QP "/xades:SignedProperties"
#define PATH_SSP PATH_SP "/xades:SignedSignatureProperties"
#define PATH_SC	PATH_SSP "/xades:SigningCertificate"
#define PATH_POLICY PATH_SSP "/xades:SignaturePolicyIdentifier"

/* The signature's one QualifyingProperties, wherever its Objects hold it. */
static xmlNode *
find_qualifying(const xmlNode *signature, struct reasons *rs)
{
	xmlNode	*object, *n, *found = NULL;
	int	 count = 0;

	for (object = node_first(signature); object != NULL; object = node_next(object)) {
		if (!node_is(object, DSIG_NS, "Object"))
			continue;
		for (n = node_first(object); n != NULL; n = node_next(n)) {
			if (node_is(n, XADES_NS, "QualifyingProperties")) {
				found = n;
				count++;
			}
		}
	}
	if (count != 1) {
		reasons_add(rs, SIG_COVERAGE, node_line(signature), PATH_QP,
		    count == 0 ? "no XAdES properties (EN 319 132-1, 4.3.1)" :
		    "more than one QualifyingProperties");
		return NULL;
	}
	return found;
}

/* EN 319 132-1, 4.3.1: Target shall refer to the Signature's Id. */
static int
target_ok(const xmlNode *qualifying, const xmlNode *signature)
{
	char	*target = node_attr(qualifying, "Target");
	char	*id = node_attr(signature, "Id");
	int	 ok;

	ok = target != NULL && id != NULL && id[0] != '\0' &&
	    target[0] == '#' && strcmp(target + 1, id) == 0;
	free(target);
	free(id);
	return ok;
}

/* 0, or -1 with a reason: holder has no digest of an allowed kind. */
static int
read_digest(const xmlNode *holder, const char *path, struct xades_digest *d, struct reasons *rs)
{
	xmlNode		*method, *value;
	unsigned char	*raw = NULL;
	char		*uri = NULL;
	int		 rc = -1;

	if ((method = node_only_child(holder, DSIG_NS, "DigestMethod")) == NULL ||
	    (value = node_only_child(holder, DSIG_NS, "DigestValue")) == NULL) {
		reasons_add(rs, SIG_COVERAGE, node_line(holder), path,
		    "%s without one digest", (const char *)holder->name);
		goto out;
	}
	uri = node_attr(method, "Algorithm");
	if (uri == NULL || alg_digest(uri, &d->type) == -1) {
		reasons_add(rs, SIG_ALGORITHM, node_line(method), path,
		    "digest algorithm %s", uri != NULL ? uri : "missing");
		goto out;
	}
	if (node_base64(value, sizeof(d->value), &raw, &d->len) == -1 ||
	    d->len != dsig_digest_size(d->type)) {
		reasons_add(rs, SIG_DIGEST, node_line(value), path,
		    "the digest value of %s is malformed", (const char *)holder->name);
		goto out;
	}
	memcpy(d->value, raw, d->len);
	rc = 0;
out:
	free(raw);
	free(uri);
	return rc;
}

static int
read_cert(const xmlNode *cert, int v2, struct xades_cert *xc, struct reasons *rs)
{
	const char	*name = v2 ? "IssuerSerialV2" : "IssuerSerial";
	xmlNode		*digest, *is, *serial;

	if ((digest = node_only_child(cert, XADES_NS, "CertDigest")) == NULL) {
		reasons_add(rs, SIG_COVERAGE, node_line(cert), PATH_SC, "a Cert without one CertDigest");
		return -1;
	}
	xc->v2 = v2;
	if (read_digest(digest, PATH_SC, &xc->digest, rs) == -1)
		return -1;
	is = node_only_child(cert, XADES_NS, name);
	if (is == NULL && node_child(cert, XADES_NS, name) == NULL)
		return 0;
	if (is != NULL && v2) {
		if (node_base64(is, XML_MAX_ISSUER_SERIAL, &xc->issuer_serial, &xc->issuer_serial_len) == 0)
			return 0;
	} else if (is != NULL) {
		serial = node_only_child(is, DSIG_NS, "X509SerialNumber");
		if (serial != NULL && (xc->serial = node_text(serial)) != NULL)
			return 0;
	}
	reasons_add(rs, CERT_UNTRUSTED, node_line(cert), PATH_SC, "issuer and serial are malformed");
	return -1;
}

static int
read_signing_certificate(const xmlNode *props, struct xades *x, struct reasons *rs)
{
	static const char *const name[2] = { "SigningCertificate", "SigningCertificateV2" };
	xmlNode	*list, *cert;
	int	 i;

	for (i = 0; i < 2; i++) {
		if ((list = node_child(props, XADES_NS, name[i])) == NULL)
			continue;
		if (node_only_child(props, XADES_NS, name[i]) == NULL) {
			reasons_add(rs, SIG_COVERAGE, node_line(list), PATH_SC, "more than one %s", name[i]);
			return -1;
		}
		for (cert = node_first(list); cert != NULL; cert = node_next(cert)) {
			if (!node_is(cert, XADES_NS, "Cert"))
				continue;
			if (x->ncerts == XML_MAX_CERTIFICATES) {
				reasons_add(rs, SIG_COVERAGE, node_line(cert), PATH_SC,
				    "more than %d certificates", XML_MAX_CERTIFICATES);
				return -1;
			}
			if (read_cert(cert, i == 1, &x->certs[x->ncerts++], rs) == -1)
				return -1;
		}
	}
	if (x->ncerts == 0) {
		reasons_add(rs, SIG_COVERAGE, node_line(props), PATH_SC,
		    "the signer's certificate is not among the signed properties "
		    "(EN 319 132-1, 5.2.2)");
		return -1;
	}
	return 0;
}

static void
read_time(const xmlNode *props, struct xades *x)
{
	xmlNode	*n = node_only_child(props, XADES_NS, "SigningTime");
	char	*text;
	int	 zoned;

	if (n == NULL || (text = node_text(n)) == NULL)
		return;
	if (time_parse(text, &x->signing_time, &zoned) == -1)
		x->signing_time = 0;
	free(text);
}

/* An OID stands as a URN (RFC 3061) or as it is: programs do not agree with their
 * own Qualifier, which adds nothing. */
static char *
read_identifier(const xmlNode *identifier)
{
	static const char	 urn[] = "urn:oid:";
	char			*text = node_text(identifier), *oid;

	if (text == NULL || strncasecmp(text, urn, strlen(urn)) != 0)
		return text;
	oid = xstrdup(text + strlen(urn));
	free(text);
	return oid;
}

/* The one SignaturePolicyIdentifier, or none.  What else is said of the policy
 * (SPURI, SPUserNotice) is for people. */
static int
read_policy(const xmlNode *props, struct xades_policy *p, struct reasons *rs)
{
	static const char	 name[] = "SignaturePolicyIdentifier";
	const xmlNode		*policy = node_child(props, XADES_NS, name), *n, *id, *identifier, *hash;

	if (policy == NULL)
		return 0;
	p->present = 1;
	p->line = node_line(policy);
	n = node_first(policy);
	if (node_only_child(props, XADES_NS, name) != NULL && n != NULL && node_next(n) == NULL) {
		if (node_is(n, XADES_NS, "SignaturePolicyImplied"))
			return 0;
		if (node_is(n, XADES_NS, "SignaturePolicyId") &&
		    (id = node_only_child(n, XADES_NS, "SigPolicyId")) != NULL &&
		    (identifier = node_only_child(id, XADES_NS, "Identifier")) != NULL &&
		    (hash = node_only_child(n, XADES_NS, "SigPolicyHash")) != NULL &&
		    (p->id = read_identifier(identifier)) != NULL)
			return read_digest(hash, PATH_POLICY, &p->digest, rs);
	}
	reasons_add(rs, SIG_COVERAGE, p->line, PATH_POLICY,
	    "not one signature policy as EN 319 132-1, 5.2.9 wants it");
	return -1;
}

int
xades_read(const xmlNode *signature, struct xades *x, struct reasons *rs)
{
	xmlNode	*qualifying, *sp, *props;

	memset(x, 0, sizeof(*x));
	if ((qualifying = find_qualifying(signature, rs)) == NULL)
		return -1;
	if (!target_ok(qualifying, signature)) {
		reasons_add(rs, SIG_COVERAGE, node_line(qualifying), PATH_QP,
		    "Target does not name this signature's Id (EN 319 132-1, 4.3.1)");
		return -1;
	}
	sp = node_only_child(qualifying, XADES_NS, "SignedProperties");
	if (sp == NULL || (x->id = node_attr(sp, "Id")) == NULL || x->id[0] == '\0') {
		reasons_add(rs, SIG_COVERAGE, node_line(qualifying), PATH_SP,
		    "not one SignedProperties with an Id");
		return -1;
	}
	x->signed_properties = sp;
	props = node_only_child(sp, XADES_NS, "SignedSignatureProperties");
	if (props == NULL) {
		reasons_add(rs, SIG_COVERAGE, node_line(sp), PATH_SP,
		    "not one SignedSignatureProperties");
		return -1;
	}
	read_time(props, x);
	if (read_policy(props, &x->policy, rs) == -1)
		return -1;
	return read_signing_certificate(props, x, rs);
}

void
xades_reset(struct xades *x)
{
	size_t	i;

	free(x->id);
	free(x->policy.id);
	for (i = 0; i < x->ncerts; i++) {
		free(x->certs[i].serial);
		free(x->certs[i].issuer_serial);
	}
	memset(x, 0, sizeof(*x));
}

/* The certificate's serial number against xs:integer text. */
static int
serial_is(X509 *cert, const char *decimal)
{
	BIGNUM	*bn = NULL;
	char	*text = NULL;
	int	 ok = 0;

	while (decimal[0] == '0' && decimal[1] != '\0')
		decimal++;
	bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	if (bn != NULL && (text = BN_bn2dec(bn)) != NULL)
		ok = strcmp(text, decimal) == 0;
	OPENSSL_free(text);
	BN_free(bn);
	return ok;
}

/* RFC 5035 IssuerSerial: SEQUENCE of GeneralNames and serial number. */
static int
issuer_serial_is(X509 *cert, const unsigned char *der, size_t len)
{
	STACK_OF(ASN1_TYPE)	*seq = NULL;
	GENERAL_NAMES		*names = NULL;
	const ASN1_TYPE		*first, *second;
	const GENERAL_NAME	*name;
	const unsigned char	*p = der;
	int			 i, ok = 0;

	seq = d2i_ASN1_SEQUENCE_ANY(NULL, &p, (long)len);
	if (seq == NULL || p != der + len || sk_ASN1_TYPE_num(seq) != 2)
		goto out;
	first = sk_ASN1_TYPE_value(seq, 0);
	second = sk_ASN1_TYPE_value(seq, 1);
	if (first->type != V_ASN1_SEQUENCE || second->type != V_ASN1_INTEGER ||
	    ASN1_INTEGER_cmp(second->value.integer, X509_get0_serialNumber(cert)) != 0)
		goto out;
	p = first->value.sequence->data;
	names = d2i_GENERAL_NAMES(NULL, &p, first->value.sequence->length);
	for (i = 0; names != NULL && i < sk_GENERAL_NAME_num(names); i++) {
		name = sk_GENERAL_NAME_value(names, i);
		if (name->type == GEN_DIRNAME && X509_NAME_cmp(name->d.directoryName,
		    X509_get_issuer_name(cert)) == 0)
			ok = 1;
	}
out:
	GENERAL_NAMES_free(names);
	sk_ASN1_TYPE_pop_free(seq, ASN1_TYPE_free);
	return ok;
}

/* The digest is over the whole certificate, its issuer included.  So v1's
 * issuer name, of which every program writes another text, is not compared. */
int
xades_cert_is(const struct xades_cert *xc, X509 *cert)
{
	unsigned char	 md[EVP_MAX_MD_SIZE];
	unsigned int	 len = 0;
	const EVP_MD	*type;

	type = EVP_get_digestbyname(dsig_digest_openssl(xc->digest.type));
	if (type == NULL || X509_digest(cert, type, md, &len) != 1 ||
	    len != xc->digest.len || memcmp(md, xc->digest.value, len) != 0)
		return 0;
	if (xc->serial != NULL && !serial_is(cert, xc->serial))
		return 0;
	return xc->issuer_serial == NULL ||
	    issuer_serial_is(cert, xc->issuer_serial, xc->issuer_serial_len);
}

int
xades_names(const struct xades *x, X509 *cert)
{
	int	there[2] = { 0, 0 }, named[2] = { 0, 0 };
	size_t	i;

	for (i = 0; i < x->ncerts; i++) {
		there[x->certs[i].v2] = 1;
		named[x->certs[i].v2] |= xades_cert_is(&x->certs[i], cert);
	}
	return (there[0] || there[1]) && named[0] == there[0] && named[1] == there[1];
}

/* A policy is its OID and its text, which the digest stands for: with another
 * text it is one that nobody here knows. */
const char *
xades_policy_judge(const struct xades_policy *p, const struct signature_policy *list, size_t n,
    struct reasons *rs)
{
	int	known = 0;
	size_t	i;

	if (!p->present)
		return "";
	if (p->id == NULL)
		return "implied";
	if (list == NULL)
		return p->id;
	for (i = 0; i < n; i++) {
		if (strcmp(list[i].oid, p->id) != 0)
			continue;
		known = 1;
		if (list[i].len == 0 || (list[i].len == p->digest.len &&
		    memcmp(list[i].digest, p->digest.value, p->digest.len) == 0))
			return list[i].oid;
	}
	reasons_add(rs, SIG_ALGORITHM, p->line, PATH_POLICY, known ?
	    "signature policy %s: its SigPolicyHash is of another text (EN 319 132-1, 5.2.9)" :
	    "signature policy %s is not allowed (EN 319 132-1, 5.2.9)", p->id);
	return NULL;
}
