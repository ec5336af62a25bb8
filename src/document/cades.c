/* SPDX-License-Identifier: ISC */
#include "document/cades.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/ess.h>
#include <openssl/objects.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "document/signature.h"
#include "model/ident.h"
#include "xml/cert.h"
#include "xml/openssl.h"

#define MAX_SIZE	(256 * 1024)	/* bytes of a signature that is read, DER */

/* --- making one ------------------------------------------------------------------- */

static int
by_bytes(const void *a, const void *b)
{
	const struct buf	*x = a, *y = b;
	int			 c = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);

	return c != 0 ? c : (x->len > y->len) - (x->len < y->len);
}

/* The signed attributes as they are signed: DER of a SET OF, in its order (RFC 5652 5.4). */
static void
attributes_der(CMS_SignerInfo *si, struct buf *out)
{
	int		 n = CMS_signed_get_attr_count(si), i, len;
	struct buf	*each = xcalloc((size_t)n, sizeof(*each));
	size_t		 total = 0;
	unsigned char	*der, *p, head[8];

	for (i = 0; i < n; i++) {
		der = NULL;
		if ((len = i2d_X509_ATTRIBUTE(CMS_signed_get_attr(si, i), &der)) <= 0)
			fatalx("signature: an attribute cannot be written");
		buf_append(&each[i], der, (size_t)len);
		total += (size_t)len;
		OPENSSL_free(der);
	}
	qsort(each, (size_t)n, sizeof(*each), by_bytes);
	p = head;
	ASN1_put_object(&p, 1, (int)total, V_ASN1_SET, V_ASN1_UNIVERSAL);
	buf_append(out, head, (size_t)(p - head));
	for (i = 0; i < n; i++) {
		buf_append(out, each[i].data, each[i].len);
		buf_free(&each[i]);
	}
	free(each);
}

static int
add_attributes(CMS_SignerInfo *si, const EVP_MD *md, const void *data, size_t len, usec_t at)
{
	unsigned char	 digest[EVP_MAX_MD_SIZE];
	unsigned int	 n;
	ASN1_TIME	*time = ASN1_TIME_set(NULL, (time_t)(at / USEC_PER_SEC));
	int		 ok;

	ok = time != NULL && EVP_Digest(data, len, digest, &n, md, NULL) == 1 &&
	    CMS_signed_add1_attr_by_NID(si, NID_pkcs9_contentType, V_ASN1_OBJECT,
	    OBJ_nid2obj(NID_pkcs7_data), -1) == 1 &&
	    CMS_signed_add1_attr_by_NID(si, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING, digest, (int)n) == 1 &&
	    CMS_signed_add1_attr_by_NID(si, NID_pkcs9_signingTime, ASN1_STRING_type(time), time, -1) == 1;
	ASN1_TIME_free(time);
	return ok ? 0 : -1;
}

/* By signature_value, since the key may be on a token, which signs digests alone. */
static int
fill_signature(CMS_SignerInfo *si, const struct signing_key *k)
{
	struct buf	 der = { 0 }, value = { 0 };
	int		 rc = -1;

	attributes_der(si, &der);
	if (signature_value(k, &der, &value) == 0 &&
	    ASN1_OCTET_STRING_set(CMS_SignerInfo_get0_signature(si), (unsigned char *)value.data,
	    (int)value.len) == 1)
		rc = 0;
	buf_free(&der);
	buf_free(&value);
	return rc;
}

static CMS_ContentInfo *
decode(const void *der, size_t len)
{
	const unsigned char	*p = der;
	CMS_ContentInfo		*cms = len <= MAX_SIZE ? d2i_CMS_ContentInfo(NULL, &p, (long)len) : NULL;

	if (cms != NULL && (p != (const unsigned char *)der + len ||
	    OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed)) {
		CMS_ContentInfo_free(cms);
		cms = NULL;
	}
	return cms;
}

/* Which certificate, the signature says itself (RFC 5035): that it is the signer's. */
static int
names_signer(CMS_ContentInfo *cms, X509 *signer)
{
	CMS_SignerInfo		*si = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);
	ASN1_STRING		*der = CMS_signed_get0_data_by_OBJ(si,
	    OBJ_nid2obj(NID_id_smime_aa_signingCertificateV2), -3, V_ASN1_SEQUENCE);
	const unsigned char	*p = der != NULL ? ASN1_STRING_get0_data(der) : NULL;
	ESS_SIGNING_CERT_V2	*ess = der != NULL ? d2i_ESS_SIGNING_CERT_V2(NULL, &p, ASN1_STRING_length(der)) : NULL;
	STACK_OF(X509)		*chain = CMS_get1_certs(cms);
	int			 ok = 0;

	/* the signer first; a second time behind does no harm */
	if (ess != NULL && chain != NULL && X509_up_ref(signer) == 1 && sk_X509_unshift(chain, signer) > 0)
		ok = OSSL_ESS_check_signing_certs(NULL, ess, chain, 1) > 0;
	ESS_SIGNING_CERT_V2_free(ess);
	sk_X509_pop_free(chain, X509_free);
	return ok;
}

/* All but whether its certificate is to be believed. */
static int
holds(CMS_ContentInfo *cms, const void *data, size_t len)
{
	STACK_OF(X509)	*who = NULL;
	BIO		*bio = BIO_new_mem_buf(data, (int)len);
	int		 ok;

	if (bio == NULL)
		fatalx("signature: out of memory");
	ok = CMS_verify(cms, NULL, NULL, bio, NULL, CMS_DETACHED | CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY) == 1 &&
	    (who = CMS_get0_signers(cms)) != NULL && sk_X509_num(who) == 1 && names_signer(cms, sk_X509_value(who, 0));
	sk_X509_free(who);
	BIO_free(bio);
	return ok;
}

int
cades_sign(const struct signing_key *k, const void *data, size_t len, usec_t at, struct buf *der)
{
	const unsigned	 flags = CMS_DETACHED | CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP | CMS_CADES;
	const EVP_MD	*md = EVP_get_digestbyname(dsig_digest_openssl(k->alg->digest));
	CMS_ContentInfo	*cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
	CMS_SignerInfo	*si;
	unsigned char	*out = NULL;
	size_t		 i;
	int		 n, rc = -1;

	if (cms == NULL || (si = CMS_add1_signer(cms, k->certs[0], k->key, md, flags)) == NULL)
		goto out;
	for (i = 1; i < k->ncerts; i++)
		if (CMS_add1_cert(cms, k->certs[i]) != 1)
			goto out;
	if (add_attributes(si, md, data, len, at) == -1 || fill_signature(si, k) == -1 ||
	    (n = i2d_CMS_ContentInfo(cms, &out)) <= 0)
		goto out;
	/* as it is read: only what was decoded has its attributes in order */
	CMS_ContentInfo_free(cms);
	if ((cms = decode(out, (size_t)n)) == NULL || !holds(cms, data, len))
		goto out;
	buf_append(der, out, (size_t)n);
	rc = 0;
out:
	if (rc == -1)
		openssl_log("signature");
	OPENSSL_free(out);
	CMS_ContentInfo_free(cms);
	return rc;
}

/* --- judging one ------------------------------------------------------------------- */

static usec_t
signing_time(CMS_SignerInfo *si)
{
	int		 i = CMS_signed_get_attr_by_NID(si, NID_pkcs9_signingTime, -1);
	X509_ATTRIBUTE	*a = i >= 0 ? CMS_signed_get_attr(si, i) : NULL;
	ASN1_TYPE	*v = a != NULL ? X509_ATTRIBUTE_get0_type(a, 0) : NULL;
	usec_t		 at = 0;

	if (v == NULL || (v->type != V_ASN1_UTCTIME && v->type != V_ASN1_GENERALIZEDTIME) ||
	    cert_time(v->value.asn1_string, &at) == -1)
		return 0;
	return at;
}

/* The digests that a document's signature may have, here as well. */
static int
digest_ok(CMS_SignerInfo *si)
{
	X509_ALGOR		*digest;
	const ASN1_OBJECT	*oid;
	int			 nid;

	CMS_SignerInfo_get0_algs(si, NULL, NULL, &digest, NULL);
	X509_ALGOR_get0(&oid, NULL, NULL, digest);
	nid = OBJ_obj2nid(oid);
	return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
}

static void
judge_certificate(X509 *cert, STACK_OF(X509) *others, const struct trust *t, usec_t at,
    struct cades_verdict *v)
{
	struct reasons	 rs = { 0 };
	enum revocation	 revocation;

	trust_judge(t, cert, others, at, 0, &revocation, &rs);
	if (rs.n > 0)
		(void)snprintf(v->why, sizeof(v->why), "%s: %s", reason_info(rs.v[0].code)->name, rs.v[0].detail);
}

int
cades_verify(const void *der, size_t der_len, const void *data, size_t len,
    const struct trust *t, struct cades_verdict *v)
{
	CMS_ContentInfo		*cms = decode(der, der_len);
	STACK_OF(CMS_SignerInfo) *signers = cms != NULL ? CMS_get0_SignerInfos(cms) : NULL;
	STACK_OF(X509)		*certs = cms != NULL ? CMS_get1_certs(cms) : NULL, *who = NULL;

	memset(v, 0, sizeof(*v));
	if (signers == NULL || sk_CMS_SignerInfo_num(signers) != 1)
		(void)str_copy(v->why, sizeof(v->why), "it is no CMS SignedData of one signer");
	else if (!holds(cms, data, len) || (who = CMS_get0_signers(cms)) == NULL || sk_X509_num(who) != 1)
		(void)str_copy(v->why, sizeof(v->why), "it does not verify over the manifest, or has no signingCertificateV2");
	else {
		(void)cert_name(X509_get_subject_name(sk_X509_value(who, 0)), v->signer, sizeof(v->signer));
		v->at = signing_time(sk_CMS_SignerInfo_value(signers, 0));
		if (!digest_ok(sk_CMS_SignerInfo_value(signers, 0)))
			(void)str_copy(v->why, sizeof(v->why), "it uses another digest than SHA-256, SHA-384 or SHA-512");
		else if (v->at == 0)
			(void)str_copy(v->why, sizeof(v->why), "it has no signing time");
		else if (t == NULL)
			(void)str_copy(v->why, sizeof(v->why), "no anchor is trusted for its certificate");
		else
			judge_certificate(sk_X509_value(who, 0), certs, t, v->at, v);
	}
	sk_X509_free(who);
	sk_X509_pop_free(certs, X509_free);
	CMS_ContentInfo_free(cms);
	ERR_clear_error();
	text_clean(v->why);
	return v->why[0] == '\0';
}
