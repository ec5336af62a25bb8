/* SPDX-License-Identifier: ISC */
/* Certificates judged at a stated time: each fault with all that is said of it.
 * test_revocation has the CRLs, test_pkits the paths of others. */
#include "config.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "testtrust.h"
#include "xml/alg.h"

#define NAME_REFUSED	"a CA above it may not give such a name (name constraints)"

static void
test_chain(void **state)
{
	struct trust	*t = make_trust(1), *bare = make_trust(0);
	STACK_OF(X509)	*others = sk_X509_new_null();

	(void)state;
	expect(t, cert, 0, 0, "not-judged");
	expect(bare, cert, 0, 0, "not-judged; CERT_UNTRUSTED " SIGNERS NO_ISSUER);
	/* KeyInfo's certificates help to build the chain */
	assert_true(sk_X509_push(others, sub) > 0);
	assert_string_equal(judged(bare, cert, others, 0, 0), "not-judged");
	sk_X509_free(others);
	trust_free(t);
	trust_free(bare);
}

static void
test_time(void **state)
{
	struct trust	*t = make_trust(1);
	X509		*c;

	(void)state;
	expect(t, cert, 20, 0, "not-judged; CERT_EXPIRED " SIGNERS "expired");
	expect(t, cert, -20, 0, "not-judged; CERT_EXPIRED " SIGNERS "not yet valid");
	/* valid longer than who issued it */
	c = pki_cert("Long", key, sub, sub_key, PKI_SIGNER, -95 * DAY, 99 * DAY);
	expect(t, c, 0, 0, "not-judged");
	expect(t, c, 95, 0, "not-judged; CERT_EXPIRED " ABOVE(1) "expired");
	expect(t, c, -92, 0, "not-judged; CERT_EXPIRED " ABOVE(1) "not yet valid");
	X509_free(c);
	/* what is wrong besides is told at once */
	c = pki_cert("Forged", key, sub, root_key, PKI_SIGNER, -95 * DAY, 99 * DAY);
	expect(t, c, 95, 0, "not-judged; CERT_EXPIRED " ABOVE(1) "expired; "
	    "CERT_UNTRUSTED " SIGNERS "not signed with its issuer's key");
	add_crl(t, root, root_key, NULL, -DAY, 99 * DAY);
	add_crl(t, sub, sub_key, cert, -DAY, 99 * DAY);
	expect(t, cert, 20, 1, "revoked; CERT_REVOKED " SIGNERS "revoked by its issuer; "
	    "CERT_EXPIRED " SIGNERS "expired");
	X509_free(c);
	trust_free(t);
}

/* Somebody else's authority, and none at all. */
static void
test_strangers(void **state)
{
	struct trust	*t = make_trust(1);
	STACK_OF(X509)	*others = sk_X509_new_null();
	EVP_PKEY	*other_key = pki_key("P-256", 0);
	X509		*other, *c, *self;

	(void)state;
	other = pki_cert("Other", other_key, NULL, NULL, PKI_CA, -DAY, DAY);
	c = pki_cert("User", key, other, other_key, PKI_SIGNER, -DAY, DAY);
	assert_true(sk_X509_push(others, other) > 0);
	expect(t, c, 0, 0, "not-judged; CERT_UNTRUSTED " SIGNERS NO_ISSUER);
	assert_string_equal(judged(t, c, others, 0, 0),
	    "not-judged; CERT_UNTRUSTED " ABOVE(1) "a root that is not trusted");
	self = pki_cert("Self", key, NULL, NULL, PKI_SIGNER, -DAY, DAY);
	expect(t, self, 0, 0, "not-judged; CERT_UNTRUSTED " SIGNERS "self-signed, and not trusted");
	X509_free(c);
	/* in the sub-CA's name, with another's key */
	c = pki_cert("User", key, sub, other_key, PKI_SIGNER, -DAY, DAY);
	expect(t, c, 0, 0, "not-judged; CERT_UNTRUSTED " SIGNERS "not signed with its issuer's key");
	X509_free(self);
	X509_free(c);
	X509_free(other);
	EVP_PKEY_free(other_key);
	sk_X509_free(others);
	trust_free(t);
}

static void
test_usage(void **state)
{
	struct trust	*t = make_trust(1);
	X509		*c;

	(void)state;
	c = pki_cert("No NR", key, sub, sub_key, PKI_NO_REPUDIATION, -DAY, DAY);
	expect(t, c, 0, 0,
	    "not-judged; CERT_USAGE key usage without nonRepudiation (contentCommitment)");
	X509_free(c);
	c = pki_cert("Plain", key, sub, sub_key, PKI_PLAIN, -DAY, DAY);	/* no key usage at all */
	expect(t, c, 0, 0, "not-judged; CERT_USAGE no key usage, "
	    "where nonRepudiation (contentCommitment) is demanded");
	X509_free(c);
	/* a sub-CA, the root, and a CA that may sign documents by its key usage */
	expect(t, sub, 0, 0, "not-judged; CERT_USAGE a CA's certificate may not sign documents; "
	    "CERT_USAGE key usage without nonRepudiation (contentCommitment)");
	expect(t, root, 0, 0, "not-judged; CERT_USAGE a CA's certificate may not sign documents; "
	    "CERT_USAGE key usage without nonRepudiation (contentCommitment)");
	c = pki_cert("CA", key, sub, sub_key, PKI_CA, -DAY, DAY);
	pki_extend(&c, sub, sub_key, "keyUsage", "critical,keyCertSign,nonRepudiation");
	expect(t, c, 0, 0, "not-judged; CERT_USAGE a CA's certificate may not sign documents");
	X509_free(c);
	trust_free(t);
}

/* c, and what stands between it and the sub-CA (NULL: nothing) in KeyInfo. */
static const char *
judged_below(X509 *c, X509 *between)
{
	struct trust	*t = make_trust(1);
	STACK_OF(X509)	*others = sk_X509_new_null();
	const char	*verdict;

	if (between != NULL)
		assert_true(sk_X509_push(others, between) > 0);
	verdict = judged(t, c, others, 0, 0);
	sk_X509_free(others);
	trust_free(t);
	return verdict;
}

static void
test_critical_extensions(void **state)
{
	X509	*mid, *c;

	(void)state;
	c = pki_cert("User", key, sub, sub_key, PKI_SIGNER, -DAY, DAY);
	pki_extend(&c, sub, sub_key, "1.2.3.4.5", "DER:0500");
	assert_string_equal(judged_below(c, NULL), "not-judged");
	pki_extend(&c, sub, sub_key, "1.2.3.4.5", "critical,DER:0500");
	assert_string_equal(judged_below(c, NULL), "not-judged; CERT_UNTRUSTED " SIGNERS
	    "it has a critical extension that is not known");
	X509_free(c);
	mid = pki_cert("Mid", sub_key, sub, sub_key, PKI_CA, -DAY, DAY);
	pki_extend(&mid, sub, sub_key, "1.2.3.4.5", "critical,DER:0500");
	c = pki_cert("User", key, mid, sub_key, PKI_SIGNER, -DAY, DAY);
	assert_string_equal(judged_below(c, mid), "not-judged; CERT_UNTRUSTED " ABOVE(1)
	    "it has a critical extension that is not known");
	X509_free(c);
	X509_free(mid);
}

/* A chain root, sub, mid, low, user, mid's basicConstraints as given. */
static const char *
judged_with_length(const char *constraints)
{
	STACK_OF(X509)	*others = sk_X509_new_null();
	struct trust	*t = make_trust(1);
	EVP_PKEY	*mid_key = pki_key("P-256", 0);
	X509		*mid, *low, *c;
	const char	*verdict;

	mid = pki_cert("Mid", mid_key, sub, sub_key, PKI_CA, -DAY, DAY);
	pki_extend(&mid, sub, sub_key, "basicConstraints", constraints);
	low = pki_cert("Low", sub_key, mid, mid_key, PKI_CA, -DAY, DAY);
	c = pki_cert("User", key, low, sub_key, PKI_SIGNER, -DAY, DAY);
	assert_true(sk_X509_push(others, mid) > 0 && sk_X509_push(others, low) > 0);
	verdict = judged(t, c, others, 0, 0);
	X509_free(c);
	X509_free(low);
	X509_free(mid);
	EVP_PKEY_free(mid_key);
	trust_free(t);
	sk_X509_free(others);
	return verdict;
}

static void
test_path_length(void **state)
{
	X509	*c;

	(void)state;
	assert_string_equal(judged_with_length("critical,CA:TRUE"), "not-judged");
	assert_string_equal(judged_with_length("critical,CA:TRUE,pathlen:1"), "not-judged");
	assert_string_equal(judged_with_length("critical,CA:TRUE,pathlen:0"),
	    "not-judged; CERT_UNTRUSTED " ABOVE(2) "too many CAs below it (pathLenConstraint)");
	/* RFC 5280 4.2.1.9: a CA's has to be critical */
	assert_string_equal(judged_with_length("CA:TRUE"), "not-judged; CERT_UNTRUSTED "
	    ABOVE(2) "Basic Constraints of CA cert not marked critical");
	/* issued by an end entity */
	c = pki_cert("Child", key, cert, key, PKI_SIGNER, -DAY, DAY);
	assert_string_equal(judged_below(c, cert), "not-judged; CERT_UNTRUSTED " ABOVE(1)
	    "it may not issue certificates (basicConstraints, key usage)");
	X509_free(c);
}

static void
test_name_constraints(void **state)
{
	EVP_PKEY	*mid_key = pki_key("P-256", 0);
	X509		*mid, *c;

	(void)state;
	mid = pki_cert("Mid", mid_key, sub, sub_key, PKI_CA, -DAY, DAY);
	pki_extend(&mid, sub, sub_key, "nameConstraints",
	    "critical,permitted;email:.market.example,excluded;email:.old.market.example");
	c = pki_cert("User", key, mid, mid_key, PKI_SIGNER, -DAY, DAY);
	assert_string_equal(judged_below(c, mid), "not-judged");
	pki_extend(&c, mid, mid_key, "subjectAltName", "email:user@a.market.example");
	assert_string_equal(judged_below(c, mid), "not-judged");
	pki_extend(&c, mid, mid_key, "subjectAltName", "email:user@a.elsewhere.example");
	assert_string_equal(judged_below(c, mid),
	    "not-judged; CERT_UNTRUSTED " SIGNERS NAME_REFUSED);
	pki_extend(&c, mid, mid_key, "subjectAltName", "email:user@a.old.market.example");
	assert_string_equal(judged_below(c, mid),
	    "not-judged; CERT_UNTRUSTED " SIGNERS NAME_REFUSED);
	X509_free(c);
	X509_free(mid);
	EVP_PKEY_free(mid_key);
}

/* What a forger could make: a chain is as weak as its weakest link. */
static void
test_strength(void **state)
{
	EVP_PKEY	*weak = pki_key("RSA", 1024), *other = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	X509		*mid, *c;

	(void)state;
	c = pki_cert("Weak", weak, sub, sub_key, PKI_SIGNER, -DAY, DAY);
	assert_string_equal(judged_below(c, NULL), "not-judged; SIG_ALGORITHM " SIGNERS
	    "the RSA key is shorter than 2048 or longer than 16384 bits");
	X509_free(c);
	c = pki_cert("Ed25519", other, sub, sub_key, PKI_SIGNER, -DAY, DAY);
	assert_string_equal(judged_below(c, NULL),
	    "not-judged; SIG_ALGORITHM the key is neither RSA nor EC");
	X509_free(c);
	c = pki_cert("SHA-1", key, sub, sub_key, PKI_SIGNER, -DAY, DAY);
	assert_true(X509_sign(c, sub_key, EVP_sha1()) > 0);
	assert_string_equal(judged_below(c, NULL), "not-judged; CERT_UNTRUSTED " SIGNERS
	    "its issuer signed it with too weak a digest");
	X509_free(c);
	mid = pki_cert("SHA-1 CA", sub_key, sub, sub_key, PKI_CA, -DAY, DAY);
	assert_true(X509_sign(mid, sub_key, EVP_sha1()) > 0);
	c = pki_cert("User", key, mid, sub_key, PKI_SIGNER, -DAY, DAY);
	assert_string_equal(judged_below(c, mid), "not-judged; CERT_UNTRUSTED " ABOVE(1)
	    "its issuer signed it with too weak a digest");
	X509_free(c);
	X509_free(mid);
	mid = pki_cert("Weak CA", weak, sub, sub_key, PKI_CA, -DAY, DAY);
	c = pki_cert("User", key, mid, weak, PKI_SIGNER, -DAY, DAY);
	assert_string_equal(judged_below(c, mid),
	    "not-judged; CERT_UNTRUSTED " ABOVE(1) "its key is too weak");
	X509_free(c);
	X509_free(mid);
	EVP_PKEY_free(other);
	EVP_PKEY_free(weak);
}

/* Two authorities that certify each other: a search for a root among them alone
 * ends, and it finds the way out where there is one. */
static void
test_loop(void **state)
{
	struct trust	*t = make_trust(1);
	STACK_OF(X509)	*others = sk_X509_new_null();
	EVP_PKEY	*a_key = pki_key("P-256", 0), *b_key = pki_key("P-256", 0);
	X509		*a, *b, *a_by_b, *b_by_a, *a_by_sub, *c;

	(void)state;
	a = pki_cert("A", a_key, NULL, NULL, PKI_CA, -DAY, DAY);
	b = pki_cert("B", b_key, NULL, NULL, PKI_CA, -DAY, DAY);
	a_by_b = pki_cert("A", a_key, b, b_key, PKI_CA, -DAY, DAY);
	b_by_a = pki_cert("B", b_key, a, a_key, PKI_CA, -DAY, DAY);
	a_by_sub = pki_cert("A", a_key, sub, sub_key, PKI_CA, -DAY, DAY);
	c = pki_cert("User", key, a, a_key, PKI_SIGNER, -DAY, DAY);
	assert_true(sk_X509_push(others, a_by_b) > 0 && sk_X509_push(others, b_by_a) > 0);
	assert_string_equal(judged(t, c, others, 0, 0),
	    "not-judged; CERT_UNTRUSTED " ABOVE(2) NO_ISSUER);
	assert_true(sk_X509_push(others, a_by_sub) > 0);
	assert_string_equal(judged(t, c, others, 0, 0), "not-judged");
	sk_X509_free(others);
	X509_free(c);
	X509_free(a_by_sub);
	X509_free(b_by_a);
	X509_free(a_by_b);
	X509_free(b);
	X509_free(a);
	EVP_PKEY_free(b_key);
	EVP_PKEY_free(a_key);
	trust_free(t);
}

/* More than KeyInfo may hold (XML_MAX_CERTIFICATES): sub-CAs of one name, none
 * or one of which is the right one. */
static void
test_many(void **state)
{
	struct trust	*t = make_trust(0);
	STACK_OF(X509)	*others = sk_X509_new_null();
	EVP_PKEY	*other_key = pki_key("P-256", 0);
	int		 i;

	(void)state;
	for (i = 0; i < 100; i++)
		assert_true(sk_X509_push(others, pki_cert("Sub", other_key, root, other_key,
		    PKI_CA, -DAY, DAY)) > 0);
	assert_string_equal(judged(t, cert, others, 0, 0),
	    "not-judged; CERT_UNTRUSTED " SIGNERS NO_ISSUER);
	assert_true(X509_up_ref(sub) == 1 && sk_X509_push(others, sub) > 0);
	assert_string_equal(judged(t, cert, others, 0, 0), "not-judged");
	sk_X509_pop_free(others, X509_free);
	EVP_PKEY_free(other_key);
	trust_free(t);
}

/* A chain with n CAs between root and user. */
static const char *
judged_below_cas(int n)
{
	struct trust	*t = make_trust(0);
	STACK_OF(X509)	*others = sk_X509_new_null();
	X509		*c, *issuer = root;
	EVP_PKEY	*issuer_key = root_key;
	const char	*verdict;
	char		 name[32];
	int		 i;

	for (i = 0; i < n; i++) {
		(void)snprintf(name, sizeof(name), "Link %d", i);
		c = pki_cert(name, sub_key, issuer, issuer_key, PKI_CA, -DAY, DAY);
		assert_true(sk_X509_push(others, c) > 0);
		issuer = c;
		issuer_key = sub_key;
	}
	c = pki_cert("User", key, issuer, issuer_key, PKI_SIGNER, -DAY, DAY);
	verdict = judged(t, c, others, 0, 0);
	X509_free(c);
	sk_X509_pop_free(others, X509_free);
	trust_free(t);
	return verdict;
}

static void
test_long_chain(void **state)
{
	(void)state;
	assert_string_equal(judged_below_cas(8), "not-judged");
	assert_string_equal(judged_below_cas(9), "not-judged; CERT_UNTRUSTED " ABOVE(9)
	    "certificate chain too long");
	assert_string_equal(judged_below_cas(100), "not-judged; CERT_UNTRUSTED " ABOVE(9)
	    "certificate chain too long");
}

/* Certificates of which a part is no DER at all, under a good signature.  Where
 * one extension cannot be read, none is believed: no usage is named either. */
static void
test_garbage(void **state)
{
	static const unsigned char	 junk[] = "junk";
	unsigned char			*p;
	X509				*c;

	(void)state;
	c = pki_cert("User", key, sub, sub_key, PKI_SIGNER, -DAY, DAY);
	pki_extend(&c, sub, sub_key, "2.5.29.15", "critical,DER:ff");	/* keyUsage */
	assert_string_equal(judged_below(c, NULL), "not-judged; CERT_UNTRUSTED " SIGNERS
	    "an extension of it cannot be read; "
	    "CERT_USAGE key usage without nonRepudiation (contentCommitment)");
	X509_free(c);
	c = pki_cert("User", key, sub, sub_key, PKI_SIGNER, -DAY, DAY);
	pki_extend(&c, sub, sub_key, "2.5.29.19", "critical,DER:ff");	/* basicConstraints */
	assert_string_equal(judged_below(c, NULL), "not-judged; CERT_UNTRUSTED " SIGNERS
	    "an extension of it cannot be read; "
	    "CERT_USAGE key usage without nonRepudiation (contentCommitment)");
	X509_free(c);
	c = pki_cert("User", key, sub, sub_key, PKI_SIGNER, -DAY, DAY);
	assert_non_null(p = OPENSSL_memdup(junk, sizeof(junk)));
	assert_int_equal(X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(c),
	    OBJ_nid2obj(NID_rsaEncryption), V_ASN1_NULL, NULL, p, sizeof(junk)), 1);
	pki_extend(&c, sub, sub_key, "keyUsage", "critical,nonRepudiation");	/* read anew */
	assert_string_equal(judged_below(c, NULL),
	    "not-judged; SIG_ALGORITHM " SIGNERS "the key is neither RSA nor EC");
	X509_free(c);
}

static void
test_loading(void **state)
{
	static const char	 broken[] = "-----BEGIN CERTIFICATE-----\nanVuaw==\n"
				    "-----END CERTIFICATE-----\n";
	struct buf		 b = { 0 };
	struct trust		*t = make_trust(1), *two;
	EVP_PKEY		*k = pki_key("P-256", 0);
	X509			*stranger = pki_cert("Stranger", k, NULL, NULL, PKI_CA, -DAY, DAY);

	(void)state;
	assert_null(trust_new("", 0));
	assert_null(trust_new("junk", 4));
	pki_put_cert(&b, sub);		/* no root among them */
	assert_null(trust_new(b.data, b.len));
	assert_int_equal(trust_add_crls(t, b.data, b.len), -1);
	assert_int_equal(trust_add_crls(t, "junk", 4), -1);
	buf_free(&b);
	pki_put_cert(&b, root);
	pki_put_cert(&b, stranger);
	two = trust_new(b.data, b.len);
	add_crl(two, root, root_key, NULL, -DAY, DAY);
	assert_true(trust_within(t, t) && trust_within(t, two) && !trust_within(two, t));
	buf_free(&b);
	pki_put_cert(&b, root);		/* a root, and then a certificate that is none */
	buf_append(&b, broken, strlen(broken));
	assert_null(trust_new(b.data, b.len));
	buf_free(&b);
	trust_free(two);
	X509_free(stranger);
	EVP_PKEY_free(k);
	trust_free(t);
	t = trust_new_partial(&cert, 1);
	assert_non_null(t);
	expect(t, cert, 0, 0, "not-judged");
	trust_free(t);
}

/* An RSA key of another's modulus and that exponent, or of one more than it. */
static EVP_PKEY *
rsa_with(EVP_PKEY *of, unsigned long e, unsigned long more)
{
	BIGNUM		*n = NULL, *be = BN_new();
	OSSL_PARAM_BLD	*bld = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX	*ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM	*params;
	EVP_PKEY	*made = NULL;

	assert_int_equal(EVP_PKEY_get_bn_param(of, OSSL_PKEY_PARAM_RSA_N, &n), 1);
	assert_true(BN_add_word(n, more) && BN_set_word(be, e) &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, be));
	params = OSSL_PARAM_BLD_to_param(bld);
	assert_true(EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &made, EVP_PKEY_PUBLIC_KEY, params) == 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	EVP_PKEY_CTX_free(ctx);
	BN_free(n);
	BN_free(be);
	return made;
}

static void
test_rsa_numbers(void **state)
{
	static const struct { unsigned long e, more; int ok; } cases[] = {
		{ 65537, 0, 1 }, { 3, 0, 1 }, { 1, 0, 0 }, { 0, 0, 0 }, { 4, 0, 0 }, { 65537, 1, 0 },
	};
	EVP_PKEY	*good = pki_key("RSA", 2048), *k;
	const char	*why;
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		k = rsa_with(good, cases[i].e, cases[i].more);
		assert_int_equal(alg_key_ok(k, &why), cases[i].ok);
		EVP_PKEY_free(k);
	}
	EVP_PKEY_free(good);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rsa_numbers),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_critical_extensions),
		cmocka_unit_test(test_path_length),
		cmocka_unit_test(test_name_constraints),
		cmocka_unit_test(test_strength),
		cmocka_unit_test(test_loop),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_long_chain),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_loading),
	};

	return cmocka_run_group_tests(tests, trust_setup, trust_teardown);
}
