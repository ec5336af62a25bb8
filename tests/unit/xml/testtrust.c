/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/log.h"
#include "testtrust.h"

EVP_PKEY	*root_key, *sub_key, *key;
X509		*root, *sub, *cert;

int
trust_setup(void **state)
{
	(void)state;
	log_init("test_trust", LOG_COMMAND, 0);
	clock_init(0);
	root_key = pki_key("P-384", 0);
	sub_key = pki_key("P-256", 0);
	key = pki_key("P-256", 0);
	root = pki_cert("Root", root_key, NULL, NULL, PKI_CA, -100 * DAY, 100 * DAY);
	sub = pki_cert("Sub", sub_key, root, root_key, PKI_CA, -90 * DAY, 90 * DAY);
	cert = pki_cert("User", key, sub, sub_key, PKI_SIGNER, -10 * DAY, 10 * DAY);
	return 0;
}

int
trust_teardown(void **state)
{
	(void)state;
	X509_free(cert);
	X509_free(sub);
	X509_free(root);
	EVP_PKEY_free(key);
	EVP_PKEY_free(sub_key);
	EVP_PKEY_free(root_key);
	return 0;
}

struct trust *
make_trust(int with_sub)
{
	struct buf	 b = { 0 };
	struct trust	*t;

	pki_put_cert(&b, root);
	if (with_sub)
		pki_put_cert(&b, sub);
	t = trust_new(b.data, b.len);
	assert_non_null(t);
	buf_free(&b);
	return t;
}

void
take_crl(struct trust *t, X509_CRL *crl)
{
	struct buf	 b = { 0 };

	pki_put_crl(&b, crl);
	assert_int_equal(trust_add_crls(t, b.data, b.len), 0);
	buf_free(&b);
	X509_CRL_free(crl);
}

void
add_crl(struct trust *t, X509 *issuer, EVP_PKEY *issuer_key, X509 *revoked, long from, long to)
{
	take_crl(t, pki_crl(issuer, issuer_key, revoked, from, to));
}

const char *
judged(const struct trust *t, X509 *c, STACK_OF(X509) *others, long days, int require)
{
	static char	 text[2048];
	enum revocation	 r;
	struct reasons	 rs = { 0 };
	size_t		 i, n;

	trust_judge(t, c, others, clock_now() + days * DAY * USEC_PER_SEC, require, &r, &rs);
	n = (size_t)snprintf(text, sizeof(text), "%s", revocation_name(r));
	for (i = 0; i < rs.n; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "; %s %s",
		    reason_info(rs.v[i].code)->name, rs.v[i].detail);
	return text;
}

void
expect(const struct trust *t, X509 *c, long days, int require, const char *want)
{
	assert_string_equal(judged(t, c, NULL, days, require), want);
}
