/* SPDX-License-Identifier: ISC */
/* Detached CMS signatures: ours, and such as others may make. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include <openssl/cms.h>
#include <openssl/ess.h>

#include "../xml/testpki.h"
#include "base/log.h"
#include "document/cades.h"
#include "xml/xmlsec.h"

#define DAY	86400L

static const char	 text[] = "a manifest";
static EVP_PKEY		*ca_key, *key;
static X509		*ca, *cert;
static struct trust	*trust;

static int
setup(void **state)
{
	struct buf	pem = { 0 };

	(void)state;
	log_init("test_cades", LOG_COMMAND, 0);
	clock_init(0);
	if (xmlsec_setup() == -1)
		return -1;
	ca_key = pki_key("P-256", 0);
	ca = pki_cert("Test Root", ca_key, NULL, NULL, PKI_CA, -DAY, DAY);
	key = pki_key("RSA", 2048);
	cert = pki_cert("Signer", key, ca, ca_key, PKI_SIGNER, -DAY, DAY);
	pki_put_cert(&pem, ca);
	trust = trust_new(pem.data, pem.len);
	buf_free(&pem);
	return trust != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	trust_free(trust);
	X509_free(cert);
	X509_free(ca);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
	return 0;
}

/* As OpenSSL makes one; at: seconds from now that it claims. */
static void
make(const EVP_MD *md, int at, struct buf *out)
{
	const unsigned	 flags = CMS_DETACHED | CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP;
	BIO		*bio = BIO_new_mem_buf(text, -1);
	CMS_ContentInfo	*cms = CMS_sign(NULL, NULL, NULL, bio, flags);
	CMS_SignerInfo	*si = CMS_add1_signer(cms, cert, key, md, flags);
	ASN1_TIME	*t = ASN1_TIME_set(NULL, (time_t)(clock_now() / USEC_PER_SEC) + at);
	ESS_SIGNING_CERT_V2 *ess = OSSL_ESS_signing_cert_v2_new_init(EVP_sha256(), cert, NULL, 0);
	unsigned char	*der = NULL;
	int		 n;

	assert_non_null(si);
	/* with SHA-1 OpenSSL would write a signingCertificate of version 1 */
	assert_true((n = i2d_ESS_SIGNING_CERT_V2(ess, &der)) > 0);
	assert_int_equal(CMS_signed_add1_attr_by_NID(si, NID_id_smime_aa_signingCertificateV2, V_ASN1_SEQUENCE, der, n), 1);
	OPENSSL_free(der);
	der = NULL;
	assert_int_equal(CMS_signed_add1_attr_by_NID(si, NID_pkcs9_signingTime, ASN1_STRING_type(t), t, -1), 1);
	assert_int_equal(CMS_final(cms, bio, NULL, flags), 1);
	assert_true((n = i2d_CMS_ContentInfo(cms, &der)) > 0);
	buf_reset(out);
	(void)buf_append(out, der, (size_t)n);
	OPENSSL_free(der);
	ASN1_TIME_free(t);
	ESS_SIGNING_CERT_V2_free(ess);
	CMS_ContentInfo_free(cms);
	BIO_free(bio);
}

static void
test_digests(void **state)
{
	const struct { const EVP_MD *md; int ok; } cases[] = { { EVP_sha256(), 1 }, { EVP_sha384(), 1 },
	    { EVP_sha512(), 1 }, { EVP_sha1(), 0 }, { EVP_md5(), 0 }, { EVP_sha224(), 0 } };
	struct cades_verdict	 v;
	struct buf		 der = { 0 };
	size_t			 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make(cases[i].md, 0, &der);
		assert_int_equal(cades_verify(der.data, der.len, text, strlen(text), trust, &v), cases[i].ok);
		assert_int_equal(strstr(v.why, "digest") == NULL, cases[i].ok);
		assert_string_equal(v.signer, "CN=Signer,C=TR");
	}
	buf_free(&der);
}

/* The certificate is judged when the signer says to have signed, which is told. */
static void
test_time(void **state)
{
	struct cades_verdict	v;
	struct buf		der = { 0 };

	(void)state;
	make(EVP_sha256(), -3600, &der);
	assert_int_equal(cades_verify(der.data, der.len, text, strlen(text), trust, &v), 1);
	assert_true(v.at < clock_now() - 3500 * USEC_PER_SEC && v.at > clock_now() - 3700 * USEC_PER_SEC);
	make(EVP_sha256(), -(int)(2 * DAY), &der);
	assert_int_equal(cades_verify(der.data, der.len, text, strlen(text), trust, &v), 0);
	assert_non_null(strstr(v.why, "CERT_"));
	make(EVP_sha256(), (int)(2 * DAY), &der);
	assert_int_equal(cades_verify(der.data, der.len, text, strlen(text), trust, &v), 0);
	buf_free(&der);
}

static void
test_own(void **state)
{
	struct buf		 k = { 0 }, c = { 0 }, der = { 0 };
	struct signing_key	*s;
	struct cades_verdict	 v;

	(void)state;
	pki_put_key(&k, key);
	pki_put_cert(&c, cert);
	assert_non_null(s = signing_key_new(k.data, k.len, c.data, c.len));
	assert_int_equal(cades_sign(s, text, strlen(text), clock_now(), &der), 0);
	assert_int_equal(cades_verify(der.data, der.len, text, strlen(text), trust, &v), 1);
	assert_int_equal(cades_verify(der.data, der.len, text, strlen(text), NULL, &v), 0);
	assert_int_equal(cades_verify(der.data, der.len, text, strlen(text) - 1, trust, &v), 0);
	assert_int_equal(cades_verify(der.data, der.len - 1, text, strlen(text), trust, &v), 0);
	signing_key_free(s);
	buf_free(&k);
	buf_free(&c);
	buf_free(&der);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digests),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_own),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
