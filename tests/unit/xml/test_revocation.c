/* SPDX-License-Identifier: ISC */
/* Revocation judged at a stated time: which CRLs count, and what they say. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "testtrust.h"

#define NO_CRL		"no CRL of its issuer is at hand"

static void
test_revocation(void **state)
{
	struct trust	*t = make_trust(1);

	(void)state;
	expect(t, cert, 0, 1, "unknown; CERT_REVOCATION_UNKNOWN " SIGNERS NO_CRL);
	add_crl(t, sub, sub_key, NULL, -DAY, DAY);
	/* the root's is missing: demanded or not, for a CRL was given */
	expect(t, cert, 0, 1, "unknown; CERT_REVOCATION_UNKNOWN " ABOVE(1) NO_CRL);
	expect(t, cert, 0, 0, "unknown; CERT_REVOCATION_UNKNOWN " ABOVE(1) NO_CRL);
	add_crl(t, root, root_key, NULL, -5 * DAY, 5 * DAY);
	expect(t, cert, 0, 1, "good");
	expect(t, cert, 3, 1, "unknown; CERT_REVOCATION_UNKNOWN " SIGNERS
	    "the CRL of its issuer is out of date");
	expect(t, cert, -3, 1, "unknown; CERT_REVOCATION_UNKNOWN " SIGNERS
	    "the CRL of its issuer is not yet valid");
	trust_free(t);

	t = make_trust(1);
	add_crl(t, root, root_key, NULL, -DAY, DAY);
	expect(t, cert, 0, 1, "unknown; CERT_REVOCATION_UNKNOWN " SIGNERS NO_CRL);
	add_crl(t, sub, sub_key, cert, -DAY, DAY);
	expect(t, cert, 0, 1, "revoked; CERT_REVOKED " SIGNERS "revoked by its issuer");
	expect(t, cert, 0, 0, "revoked; CERT_REVOKED " SIGNERS "revoked by its issuer");
	/* what is revoked stays so: an old list tells it still */
	expect(t, cert, 3, 1, "revoked; CERT_REVOCATION_UNKNOWN " SIGNERS
	    "the CRL of its issuer is out of date; CERT_REVOKED " SIGNERS "revoked by its issuer");
	trust_free(t);

	t = make_trust(1);	/* the sub-CA itself */
	add_crl(t, root, root_key, sub, -DAY, DAY);
	add_crl(t, sub, sub_key, NULL, -DAY, DAY);
	expect(t, cert, 0, 1, "revoked; CERT_REVOKED " ABOVE(1) "revoked by its issuer");
	trust_free(t);
}

/* What `crl', of a sub-CA's name, says of the signer's certificate.  Taken over. */
static const char *
judged_by(X509_CRL *crl)
{
	struct trust	*t = make_trust(1);
	const char	*verdict;

	add_crl(t, root, root_key, NULL, -DAY, DAY);
	take_crl(t, crl);
	verdict = judged(t, cert, NULL, 0, 1);
	trust_free(t);
	return verdict;
}

/* CRLs that do not count.  All but one name the certificate, and that does not
 * count either (RFC 5280 5.2, 6.3.3): only that nothing is known. */
static void
test_void_crls(void **state)
{
	struct trust	*t;
	X509_CRL	*crl;
	X509		*mute, *c;

	(void)state;
	/* the other authority's, who may number its certificates as ours does */
	assert_string_equal(judged_by(pki_crl(root, root_key, cert, -DAY, DAY)),
	    "unknown; CERT_REVOCATION_UNKNOWN " SIGNERS NO_CRL);
	/* signed by somebody else in the sub-CA's name */
	assert_string_equal(judged_by(pki_crl(sub, key, cert, -DAY, DAY)),
	    "unknown; CERT_REVOCATION_UNKNOWN " SIGNERS
	    "the CRL was not signed with its issuer's key");
	assert_string_equal(judged_by(pki_crl(sub, key, NULL, -DAY, DAY)),
	    "unknown; CERT_REVOCATION_UNKNOWN " SIGNERS
	    "the CRL was not signed with its issuer's key");
	crl = pki_crl(sub, sub_key, cert, -DAY, DAY);
	pki_extend_crl(crl, sub_key, "1.2.3.4.5", "critical,DER:0500");
	assert_string_equal(judged_by(crl), "unknown; CERT_REVOCATION_UNKNOWN " SIGNERS
	    "the CRL has a critical extension that is not known");
	crl = pki_crl(sub, sub_key, cert, -DAY, DAY);
	pki_extend_crl(crl, sub_key, "issuingDistributionPoint", "critical,onlyCA:TRUE");
	assert_string_equal(judged_by(crl), "unknown; CERT_REVOCATION_UNKNOWN " SIGNERS
	    "the CRL is not meant for such certificates");

	/* by a CA that may issue certificates only */
	mute = pki_cert("Mute", sub_key, root, root_key, PKI_CA, -DAY, DAY);
	pki_extend(&mute, root, root_key, "keyUsage", "critical,keyCertSign");
	c = pki_cert("User", key, mute, sub_key, PKI_SIGNER, -DAY, DAY);
	t = trust_new_partial(&mute, 1);
	add_crl(t, mute, sub_key, c, -DAY, DAY);
	expect(t, c, 0, 1, "unknown; CERT_REVOCATION_UNKNOWN " SIGNERS
	    "its issuer's key may not sign CRLs (key usage)");
	trust_free(t);
	X509_free(c);
	X509_free(mute);
}

/* An authority that gives out what has changed since its last list (5.2.4). */
static void
test_delta(void **state)
{
	struct trust	*t = make_trust(1);
	X509_CRL	*base = pki_crl(sub, sub_key, NULL, -DAY, DAY);
	X509_CRL	*delta = pki_crl(sub, sub_key, cert, -DAY / 2, DAY);

	(void)state;
	pki_extend_crl(base, sub_key, "freshestCRL", "URI:http://ca.example/delta.crl");
	pki_extend_crl(delta, sub_key, "deltaCRL", "critical,DER:020101");	/* since 1 */
	pki_extend_crl(delta, sub_key, "crlNumber", "DER:020102");
	add_crl(t, root, root_key, NULL, -DAY, DAY);
	take_crl(t, base);
	expect(t, cert, 0, 1, "good");
	take_crl(t, delta);
	expect(t, cert, 0, 1, "revoked; CERT_REVOKED " SIGNERS "revoked by its issuer");
	trust_free(t);

	t = make_trust(1);	/* the change alone */
	add_crl(t, root, root_key, NULL, -DAY, DAY);
	delta = pki_crl(sub, sub_key, NULL, -DAY, DAY);
	pki_extend_crl(delta, sub_key, "deltaCRL", "critical,DER:020101");
	pki_extend_crl(delta, sub_key, "crlNumber", "DER:020102");
	take_crl(t, delta);
	expect(t, cert, 0, 1, "unknown; CERT_REVOCATION_UNKNOWN " SIGNERS NO_CRL);
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

	(void)state;
	fake = pki_cert("Sub", forger, root, forger, PKI_CA, -DAY, DAY);
	c = pki_cert("User", key, fake, forger, PKI_SIGNER, -DAY, DAY);
	assert_true(sk_X509_push(others, fake) > 0 && sk_X509_push(others, sub) > 0);
	add_crl(t, sub, sub_key, NULL, -DAY, DAY);	/* and none of the root */
	assert_string_equal(judged(t, c, others, 0, 1), "unknown; CERT_REVOCATION_UNKNOWN "
	    SIGNERS "the CRL's issuer is not trusted; "
	    "CERT_UNTRUSTED " ABOVE(1) "not signed with its issuer's key");
	sk_X509_free(others);
	X509_free(c);
	X509_free(fake);
	EVP_PKEY_free(forger);
	trust_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_revocation),
		cmocka_unit_test(test_void_crls),
		cmocka_unit_test(test_delta),
		cmocka_unit_test(test_crl_beside_path),
	};

	return cmocka_run_group_tests(tests, trust_setup, trust_teardown);
}
