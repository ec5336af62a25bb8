/* SPDX-License-Identifier: ISC */
#include "xml/stamp.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pkcs7.h>
#include <openssl/ts.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "model/ident.h"
#include "xml/alg.h"
#include "xml/cert.h"
#include "xml/node.h"
#include "xml/xmlsec.h"

static void __attribute__((format(printf, 2, 3)))
bad(struct timestamp *t, const char *fmt, ...)
{
	va_list	 ap;

	memset(t, 0, sizeof(*t));
	t->state = TIMESTAMP_BAD;
	va_start(ap, fmt);
	(void)vsnprintf(t->why, sizeof(t->why), fmt, ap);
	va_end(ap);
	text_clean(t->why);	/* OpenSSL quotes from the token */
}

static PKCS7 *
decode(const struct stamp *s, struct timestamp *t)
{
	unsigned char		*der = NULL;
	const unsigned char	*p;
	size_t			 len;
	PKCS7			*token = NULL;

	if (text_base64(s->token.data != NULL ? s->token.data : "", STAMP_MAX_TOKEN, &der,
	    &len) == -1) {
		bad(t, "EncapsulatedTimeStamp is not base64");
		return NULL;
	}
	p = der;
	token = d2i_PKCS7(NULL, &p, (long)len);
	if (token == NULL || p != der + len || !PKCS7_type_is_signed(token)) {
		PKCS7_free(token);
		token = NULL;
		bad(t, "EncapsulatedTimeStamp is no CMS SignedData (RFC 3161 2.4.2)");
	}
	free(der);
	ERR_clear_error();
	return token;
}

static int
is_sha2(const X509_ALGOR *alg)
{
	const ASN1_OBJECT	*oid;
	int			 nid;

	X509_ALGOR_get0(&oid, NULL, NULL, alg);
	nid = OBJ_obj2nid(oid);
	return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
}

/* The digests that the signature itself may have, here as well. */
static int
digests_ok(PKCS7 *token, TS_TST_INFO *info)
{
	STACK_OF(PKCS7_SIGNER_INFO)	*signers = PKCS7_get_signer_info(token);
	X509_ALGOR			*digest = NULL;

	if (!is_sha2(TS_MSG_IMPRINT_get_algo(TS_TST_INFO_get_msg_imprint(info))) ||
	    sk_PKCS7_SIGNER_INFO_num(signers) != 1)
		return 0;
	PKCS7_SIGNER_INFO_get0_algs(sk_PKCS7_SIGNER_INFO_value(signers, 0), NULL, &digest, NULL);
	return is_sha2(digest);
}

static BIO *
imprinted(const struct stamp *s, xmlNode *value)
{
	struct buf	 canonical = { 0 };
	xmlNode		*method = NULL;		/* none: inclusive */
	BIO		*bio = BIO_new(BIO_s_mem());

	if (s->c14n[0] != '\0' && ((method = xmlNewNode(NULL, BAD_CAST "Transform")) == NULL ||
	    xmlNewProp(method, BAD_CAST "Algorithm", BAD_CAST s->c14n) == NULL))
		fatalx("time-stamp: out of memory");
	if (bio == NULL || xmlsec_c14n(value, method, &canonical) == -1 ||
	    BIO_write(bio, canonical.data, (int)canonical.len) != (int)canonical.len)
		fatalx("time-stamp: the signature value cannot be canonicalised");
	xmlFreeNode(method);
	buf_free(&canonical);
	return bio;
}

/* OpenSSL's reason, with what it says besides: which fault of which certificate. */
static void
bad_token(struct timestamp *t)
{
	const char	*data = NULL, *reason;
	unsigned long	 e;
	int		 flags = 0;

	e = ERR_peek_last_error_all(NULL, NULL, NULL, &data, &flags);
	reason = e != 0 ? ERR_reason_error_string(e) : NULL;
	bad(t, "the token does not verify: %s%s%s", reason != NULL ? reason : "unknown error",
	    data != NULL && data[0] != '\0' && (flags & ERR_TXT_STRING) != 0 ? ": " : "",
	    data != NULL && (flags & ERR_TXT_STRING) != 0 ? data : "");
	ERR_clear_error();
}

/* Its signature, the authority's certificate with its purpose, its chain and its
 * lists, and the imprint: RFC 3161 2.3 and 2.4.2, RFC 5816. */
static int
verifies(PKCS7 *token, BIO *imprint, X509_STORE *store, STACK_OF(X509) *helpers)
{
	TS_VERIFY_CTX	*ctx = TS_VERIFY_CTX_new();
	int		 ok;

	if (ctx == NULL || X509_STORE_up_ref(store) != 1)
		fatalx("time-stamp: out of memory");
	(void)TS_VERIFY_CTX_set_flags(ctx, TS_VFY_VERSION | TS_VFY_SIGNATURE | TS_VFY_DATA);
	(void)TS_VERIFY_CTX_set_store(ctx, store);	/* the three are freed with it */
	(void)TS_VERIFY_CTX_set_certs(ctx, helpers);
	(void)TS_VERIFY_CTX_set_data(ctx, imprint);
	ERR_clear_error();
	ok = TS_RESP_verify_token(ctx, token) == 1;
	TS_VERIFY_CTX_free(ctx);
	return ok;
}

static void
name_authority(PKCS7 *token, struct timestamp *t)
{
	STACK_OF(X509)	*signers = PKCS7_get0_signers(token, NULL, 0);

	if (signers != NULL && sk_X509_num(signers) == 1)	/* cut where it is too long */
		(void)cert_name(X509_get_subject_name(sk_X509_value(signers, 0)), t->authority,
		    sizeof(t->authority));
	sk_X509_free(signers);
}

/* The token over what imprint reads, which is freed here. */
static void
judge_token(PKCS7 *token, BIO *imprint, const struct stamp_rules *r, struct timestamp *t)
{
	TS_TST_INFO	*info = PKCS7_to_TS_TST_INFO(token);
	usec_t		 at;
	int		 verified;

	if (info == NULL || cert_time(TS_TST_INFO_get_time(info), &at) == -1)
		bad(t, "the token holds no time-stamp (RFC 3161 2.4.2)");
	else if (!digests_ok(token, info))
		bad(t, "the token uses another digest than SHA-256, SHA-384 or SHA-512");
	else {
		verified = verifies(token, imprint, trust_store(r->tsa, r->at != 0 ? r->at : at,
		    r->require_crl), trust_helpers(r->tsa));
		imprint = NULL;
		if (!verified)
			bad_token(t);
		else if (at > r->latest)
			bad(t, "it tells a time after receipt");
		else {
			t->state = TIMESTAMP_GOOD;
			t->at = at;
			name_authority(token, t);
		}
	}
	BIO_free(imprint);
	TS_TST_INFO_free(info);
	ERR_clear_error();
}

void
stamp_judge(const struct stamp *s, xmlNode *value, const struct stamp_rules *r,
    struct timestamp *t)
{
	enum c14n_method	 method;
	PKCS7			*token;

	memset(t, 0, sizeof(*t));
	if (r->tsa == NULL) {
		t->state = TIMESTAMP_NOT_JUDGED;
		(void)str_copy(t->why, sizeof(t->why), "no time-stamp authority is trusted");
	} else if (s->odd != NULL)
		bad(t, "%s", s->odd);
	else if (s->c14n[0] != '\0' && alg_c14n(s->c14n, &method) == -1)
		bad(t, "canonicalisation %s is not allowed", s->c14n);
	else if ((token = decode(s, t)) != NULL) {
		judge_token(token, imprinted(s, value), r, t);
		PKCS7_free(token);
	}
}

/* Does it fit, whoever may have signed it?  OpenSSL hashes the bytes by the token's
 * own algorithm. */
static int
fits(PKCS7 *token, const void *data, size_t len)
{
	TS_VERIFY_CTX	*ctx = TS_VERIFY_CTX_new();
	BIO		*bio = BIO_new_mem_buf(data, (int)len);
	int		 ok;

	if (ctx == NULL || bio == NULL)
		fatalx("time-stamp: out of memory");
	(void)TS_VERIFY_CTX_set_flags(ctx, TS_VFY_VERSION | TS_VFY_DATA);
	(void)TS_VERIFY_CTX_set_data(ctx, bio);
	ok = TS_RESP_verify_token(ctx, token) == 1;
	TS_VERIFY_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

static void
judge_granted(PKCS7 *token, TS_TST_INFO *info, const void *data, size_t len,
    const ASN1_INTEGER *nonce, const struct stamp_rules *r, struct timestamp *t)
{
	BIO		*bio;

	if (nonce != NULL && (TS_TST_INFO_get_nonce(info) == NULL ||
	    ASN1_INTEGER_cmp(TS_TST_INFO_get_nonce(info), nonce) != 0))
		bad(t, "it answers another request: the nonce differs");
	else if (!fits(token, data, len))
		bad(t, "it is over other bytes");
	else if (r->tsa == NULL) {
		if (cert_time(TS_TST_INFO_get_time(info), &t->at) == -1)
			bad(t, "the token holds no time-stamp (RFC 3161 2.4.2)");
		else {
			t->state = TIMESTAMP_NOT_JUDGED;
			(void)str_copy(t->why, sizeof(t->why), "no time-stamp authority is trusted");
		}
	} else {
		if ((bio = BIO_new_mem_buf(data, (int)len)) == NULL)
			fatalx("time-stamp: out of memory");
		judge_token(token, bio, r, t);
	}
}

/* With the first of the texts that the authority gave (PKIFreeText, RFC 4210 D). */
static void
not_granted(struct timestamp *t, TS_STATUS_INFO *info, long status)
{
	const STACK_OF(ASN1_UTF8STRING)	*texts = TS_STATUS_INFO_get0_text(info);
	const ASN1_UTF8STRING		*s = NULL;
	int				 len = 0;

	if (texts != NULL && (s = sk_ASN1_UTF8STRING_value(texts, 0)) != NULL)
		len = ASN1_STRING_length(s) < 128 ? ASN1_STRING_length(s) : 128;
	bad(t, "the authority granted none: status %ld%s%.*s", status, len > 0 ? ", " : "", len,
	    len > 0 ? (const char *)ASN1_STRING_get0_data(s) : "");
}

void
stamp_judge_response(const void *der, size_t len, const void *data, size_t datalen,
    const ASN1_INTEGER *nonce, const struct stamp_rules *r, struct timestamp *t)
{
	const unsigned char	*p = der;
	TS_RESP			*resp = NULL;
	PKCS7			*token;
	TS_TST_INFO		*info;
	long			 status;

	memset(t, 0, sizeof(*t));
	if (len <= STAMP_MAX_TOKEN)
		resp = d2i_TS_RESP(NULL, &p, (long)len);
	token = resp != NULL ? TS_RESP_get_token(resp) : NULL;
	info = resp != NULL ? TS_RESP_get_tst_info(resp) : NULL;
	status = resp != NULL ? ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(TS_RESP_get_status_info(resp))) : -1;
	if (resp == NULL || p != (const unsigned char *)der + len)
		bad(t, "it is no TimeStampResp (RFC 3161 2.4.2)");
	else if (status != TS_STATUS_GRANTED && status != TS_STATUS_GRANTED_WITH_MODS)
		not_granted(t, TS_RESP_get_status_info(resp), status);
	else if (token == NULL || info == NULL)
		bad(t, "it holds no token (RFC 3161 2.4.2)");
	else
		judge_granted(token, info, data, datalen, nonce, r, t);
	TS_RESP_free(resp);
	ERR_clear_error();
}

void
stamp_judge_token(const void *der, size_t len, const void *data, size_t datalen,
    const struct stamp_rules *r, struct timestamp *t)
{
	const unsigned char	*p = der;
	PKCS7			*token = len <= STAMP_MAX_TOKEN ? d2i_PKCS7(NULL, &p, (long)len) : NULL;
	TS_TST_INFO		*info = NULL;

	memset(t, 0, sizeof(*t));
	if (token == NULL || p != (const unsigned char *)der + len || !PKCS7_type_is_signed(token) ||
	    (info = PKCS7_to_TS_TST_INFO(token)) == NULL)
		bad(t, "it is no TimeStampToken (RFC 3161 2.4.2)");
	else
		judge_granted(token, info, data, datalen, NULL, r, t);
	TS_TST_INFO_free(info);
	PKCS7_free(token);
	ERR_clear_error();
}
