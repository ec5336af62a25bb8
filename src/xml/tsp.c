/* SPDX-License-Identifier: ISC */
#include "xml/tsp.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pkcs7.h>
#include <openssl/rand.h>
#include <openssl/ts.h>

#include "base/limits.h"
#include "base/log.h"

#define NONCE_SIZE	16	/* bytes */

static ASN1_INTEGER *
make_nonce(void)
{
	unsigned char	 nonce[NONCE_SIZE];
	ASN1_INTEGER	*n = NULL;
	BIGNUM		*bn;

	if (RAND_bytes(nonce, sizeof(nonce)) != 1)
		fatalx("time-stamp: no random numbers");
	if ((bn = BN_bin2bn(nonce, sizeof(nonce), NULL)) == NULL || (n = BN_to_ASN1_INTEGER(bn, NULL)) == NULL)
		fatalx("time-stamp: out of memory");
	BN_free(bn);
	return n;
}

static TS_MSG_IMPRINT *
imprint_of(const void *data, size_t len)
{
	TS_MSG_IMPRINT	*imprint = TS_MSG_IMPRINT_new();
	X509_ALGOR	*alg = X509_ALGOR_new();
	unsigned char	 md[SHA256_SIZE];

	if (imprint == NULL || alg == NULL ||
	    EVP_Digest(data, len, md, NULL, EVP_sha256(), NULL) != 1 ||
	    X509_ALGOR_set0(alg, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) != 1 ||
	    TS_MSG_IMPRINT_set_algo(imprint, alg) != 1 ||
	    TS_MSG_IMPRINT_set_msg(imprint, md, sizeof(md)) != 1)
		fatalx("time-stamp: the imprint cannot be made");
	X509_ALGOR_free(alg);
	return imprint;
}

ASN1_INTEGER *
tsp_ask(const void *data, size_t len, struct buf *out)
{
	TS_REQ		*req = TS_REQ_new();
	TS_MSG_IMPRINT	*imprint = imprint_of(data, len);
	ASN1_INTEGER	*nonce = make_nonce();
	unsigned char	*der = NULL;
	int		 der_len;

	if (req == NULL || TS_REQ_set_version(req, 1) != 1 ||
	    TS_REQ_set_msg_imprint(req, imprint) != 1 || TS_REQ_set_nonce(req, nonce) != 1 ||
	    TS_REQ_set_cert_req(req, 1) != 1 || (der_len = i2d_TS_REQ(req, &der)) <= 0)
		fatalx("time-stamp: the query cannot be made");
	buf_append(out, der, (size_t)der_len);
	OPENSSL_free(der);
	TS_MSG_IMPRINT_free(imprint);
	TS_REQ_free(req);
	return nonce;
}

int
tsp_token(const void *resp, size_t len, struct buf *out)
{
	const unsigned char	*p = resp;
	TS_RESP			*answer = len <= STAMP_MAX_TOKEN ? d2i_TS_RESP(NULL, &p, (long)len) : NULL;
	unsigned char		*der = NULL;
	int			 n = -1;

	if (answer != NULL && TS_RESP_get_token(answer) != NULL &&
	    (n = i2d_PKCS7(TS_RESP_get_token(answer), &der)) > 0)
		buf_append(out, der, (size_t)n);
	OPENSSL_free(der);
	TS_RESP_free(answer);
	ERR_clear_error();
	return n > 0 ? 0 : -1;
}

void
tsp_certificates(const void *token, size_t len, void (*fn)(void *arg, X509 *cert), void *arg)
{
	const unsigned char	*p = token;
	PKCS7			*cms = len <= STAMP_MAX_TOKEN ? d2i_PKCS7(NULL, &p, (long)len) : NULL;
	int			 i;

	if (cms != NULL && PKCS7_type_is_signed(cms))
		for (i = 0; i < sk_X509_num(cms->d.sign->cert); i++)
			fn(arg, sk_X509_value(cms->d.sign->cert, i));
	PKCS7_free(cms);
	ERR_clear_error();
}
