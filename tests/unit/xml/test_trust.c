/* SPDX-License-Identifier: ISC */
/* Certificates and revocation judged at a stated time. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/log.h"
#include "testpki.h"
#include "xml/trust.h"

#define DAY	86400L

static EVP_PKEY	*root_key, *sub_key, *key;
static X509	*root, *sub, *cert;

static int
setup(void **state)
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

static int
teardown(void **state)
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

static struct trust *
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

static void
add_crl(struct trust *t, X509 *issuer, EVP_PKEY *issuer_key, X509 *revoked, long from, long to)
{
	X509_CRL	*crl = pki_crl(issuer, issuer_key, revoked, from, to);
	struct buf	 b = { 0 };

	pki_put_crl(&b, crl);
	assert_int_equal(trust_add_crls(t, b.data, b.len), 0);
	buf_free(&b);
	X509_CRL_free(crl);
}

static void
expect(const struct trust *t, X509 *c, long days, int require, enum revocation want,
    enum reason_code code)
{
	enum revocation	r = REVOCATION_NOT_JUDGED;
	struct reasons	rs = { 0 };

	trust_judge(t, c, NULL, clock_now() + days * DAY * USEC_PER_SEC, require, &r, &rs);
	if (code == REASON_COUNT ? rs.n != 0 : !reasons_has(&rs, code))
		fail_msg("%s: %s", rs.n > 0 ? reason_info(rs.v[0].code)->name : "no reason",
		    rs.n > 0 ? rs.v[0].detail : "");
	assert_int_equal(r, want);
}

static void
test_chain(void **state)
{
	struct trust	*t = make_trust(1), *bare = make_trust(0);
	STACK_OF(X509)	*others = sk_X509_new_null();
	enum revocation	 r;
	struct reasons	 rs = { 0 };

	(void)state;
	expect(t, cert, 0, 0, REVOCATION_NOT_JUDGED, REASON_COUNT);
	expect(t, cert, 20, 0, REVOCATION_NOT_JUDGED, CERT_EXPIRED);
	expect(t, cert, -20, 0, REVOCATION_NOT_JUDGED, CERT_EXPIRED);
	expect(t, cert, 0, 1, REVOCATION_UNKNOWN, CERT_REVOCATION_UNKNOWN);
	expect(bare, cert, 0, 0, REVOCATION_NOT_JUDGED, CERT_UNTRUSTED);
	/* KeyInfo's certificates help to build the chain */
	assert_true(sk_X509_push(others, sub) > 0);
	trust_judge(bare, cert, others, clock_now(), 0, &r, &rs);
	assert_int_equal(rs.n, 0);
	sk_X509_free(others);
	trust_free(t);
	trust_free(bare);
}

static void
test_revocation(void **state)
{
	struct trust	*t = make_trust(1);

	(void)state;
	add_crl(t, sub, sub_key, NULL, -DAY, DAY);
	/* the root's is missing */
	expect(t, cert, 0, 1, REVOCATION_UNKNOWN, CERT_REVOCATION_UNKNOWN);
	add_crl(t, root, root_key, NULL, -DAY, 5 * DAY);
	expect(t, cert, 0, 1, REVOCATION_GOOD, REASON_COUNT);
	/* stale, and not yet issued */
	expect(t, cert, 3, 1, REVOCATION_UNKNOWN, CERT_REVOCATION_UNKNOWN);
	expect(t, cert, -3, 1, REVOCATION_UNKNOWN, CERT_REVOCATION_UNKNOWN);
	trust_free(t);

	t = make_trust(1);
	add_crl(t, root, root_key, NULL, -DAY, DAY);
	add_crl(t, sub, sub_key, cert, -DAY, DAY);
	expect(t, cert, 0, 1, REVOCATION_REVOKED, CERT_REVOKED);
	expect(t, cert, 0, 0, REVOCATION_REVOKED, CERT_REVOKED);
	trust_free(t);

	t = make_trust(1);	/* the sub-CA itself */
	add_crl(t, root, root_key, sub, -DAY, DAY);
	add_crl(t, sub, sub_key, NULL, -DAY, DAY);
	expect(t, cert, 0, 1, REVOCATION_REVOKED, CERT_REVOKED);
	trust_free(t);

	t = make_trust(1);	/* signed by somebody else in the sub-CA's name */
	add_crl(t, root, root_key, NULL, -DAY, DAY);
	add_crl(t, sub, key, NULL, -DAY, DAY);
	expect(t, cert, 0, 1, REVOCATION_UNKNOWN, CERT_REVOCATION_UNKNOWN);
	trust_free(t);
}

/* A CRL that the authority signed with another key than the certificate's
 * (6.3.3 f): its issuer's path is judged beside the signer's, and a fault there
 * must end well.  Anybody can bring this about with a forged sub-CA. */
static void
test_crl_beside_path(void **state)
{
	struct trust	*t = make_trust(0);
	STACK_OF(X509)	*others = sk_X509_new_null();
	EVP_PKEY	*forger = pki_key("P-256", 0);
	X509		*fake, *c;
	enum revocation	 r;
	struct reasons	 rs = { 0 };

	(void)state;
	fake = pki_cert("Sub", forger, root, forger, PKI_CA, -DAY, DAY);
	c = pki_cert("User", key, fake, forger, PKI_SIGNER, -DAY, DAY);
	assert_true(sk_X509_push(others, fake) > 0 && sk_X509_push(others, sub) > 0);
	add_crl(t, sub, sub_key, NULL, -DAY, DAY);	/* and none of the root */
	trust_judge(t, c, others, clock_now(), 1, &r, &rs);
	assert_int_equal(rs.n, 2);
	assert_int_equal(rs.v[0].code, CERT_REVOCATION_UNKNOWN);
	assert_int_equal(rs.v[1].code, CERT_UNTRUSTED);
	assert_int_equal(r, REVOCATION_UNKNOWN);
	sk_X509_free(others);
	X509_free(c);
	X509_free(fake);
	EVP_PKEY_free(forger);
	trust_free(t);
}

static void
test_usage(void **state)
{
	struct trust	*t = make_trust(1);
	EVP_PKEY	*weak = pki_key("RSA", 1024);
	X509		*c;

	(void)state;
	c = pki_cert("No NR", key, sub, sub_key, PKI_NO_REPUDIATION, -DAY, DAY);
	expect(t, c, 0, 0, REVOCATION_NOT_JUDGED, CERT_USAGE);
	X509_free(c);
	c = pki_cert("Plain", key, sub, sub_key, PKI_PLAIN, -DAY, DAY);	/* no key usage at all */
	expect(t, c, 0, 0, REVOCATION_NOT_JUDGED, CERT_USAGE);
	X509_free(c);
	expect(t, sub, 0, 0, REVOCATION_NOT_JUDGED, CERT_USAGE);
	c = pki_cert("Weak", weak, sub, sub_key, PKI_SIGNER, -DAY, DAY);
	expect(t, c, 0, 0, REVOCATION_NOT_JUDGED, SIG_ALGORITHM);
	X509_free(c);
	/* issued by an end entity */
	c = pki_cert("Child", key, cert, key, PKI_SIGNER, -DAY, DAY);
	expect(t, c, 0, 0, REVOCATION_NOT_JUDGED, CERT_UNTRUSTED);
	X509_free(c);
	c = pki_cert("Self", key, NULL, NULL, PKI_SIGNER, -DAY, DAY);
	expect(t, c, 0, 0, REVOCATION_NOT_JUDGED, CERT_UNTRUSTED);
	X509_free(c);
	EVP_PKEY_free(weak);
	trust_free(t);
}

/* What a forger could make: a chain is as weak as its weakest link. */
static void
test_strength(void **state)
{
	struct trust	*t = make_trust(1);
	EVP_PKEY	*weak_key = pki_key("RSA", 1024);
	STACK_OF(X509)	*others = sk_X509_new_null();
	X509		*weak, *c;
	enum revocation	 r;
	struct reasons	 rs = { 0 };

	(void)state;
	c = pki_cert("SHA-1", key, sub, sub_key, PKI_SIGNER, -DAY, DAY);
	assert_true(X509_sign(c, sub_key, EVP_sha1()) > 0);
	expect(t, c, 0, 0, REVOCATION_NOT_JUDGED, CERT_UNTRUSTED);
	X509_free(c);
	weak = pki_cert("Weak CA", weak_key, root, root_key, PKI_CA, -DAY, DAY);
	c = pki_cert("User", key, weak, weak_key, PKI_SIGNER, -DAY, DAY);
	assert_true(sk_X509_push(others, weak) > 0);
	trust_judge(t, c, others, clock_now(), 0, &r, &rs);
	assert_true(reasons_has(&rs, CERT_UNTRUSTED));
	sk_X509_free(others);
	X509_free(c);
	X509_free(weak);
	EVP_PKEY_free(weak_key);
	trust_free(t);
}

static void
test_loading(void **state)
{
	struct buf	 b = { 0 };
	struct trust	*t = make_trust(1);

	(void)state;
	assert_null(trust_new("", 0));
	assert_null(trust_new("junk", 4));
	pki_put_cert(&b, sub);		/* no root among them */
	assert_null(trust_new(b.data, b.len));
	assert_int_equal(trust_add_crls(t, b.data, b.len), -1);
	assert_int_equal(trust_add_crls(t, "junk", 4), -1);
	buf_free(&b);
	trust_free(t);
	t = trust_new_partial(&cert, 1);
	assert_non_null(t);
	expect(t, cert, 0, 0, REVOCATION_NOT_JUDGED, REASON_COUNT);
	trust_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_revocation),
		cmocka_unit_test(test_crl_beside_path),
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_strength),
		cmocka_unit_test(test_loading),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
