/* SPDX-License-Identifier: ISC */
/* CRLs that take their place among those in force, or do not. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/x509v3.h>

#include "testtrust.h"
#include "xml/crl.h"

static char	why[768];

/* As it would be fetched: DER.  Takes x over. */
static struct crl
fetched(X509_CRL *x, const char *number)
{
	unsigned char	*der = NULL;
	struct crl	 c;
	int		 n;

	if (number != NULL)
		pki_extend_crl(x, sub_key, "crlNumber", number);
	n = i2d_X509_CRL(x, &der);
	assert_true(n > 0);
	assert_int_equal(crl_read(&c, (const char *)der, (size_t)n - 1, why, sizeof(why)), -1);
	assert_int_equal(crl_read(&c, (const char *)der, (size_t)n, why, sizeof(why)), 0);
	OPENSSL_free(der);
	X509_CRL_free(x);
	return c;
}

static enum crl_taken
take(struct crl_set *set, X509_CRL *x, const char *number)
{
	struct crl	c = fetched(x, number);
	enum crl_taken	rc = crl_set_take(set, &c, why, sizeof(why));

	crl_free(&c);
	return rc;
}

static void
test_order(void **state)
{
	struct crl_set	set = { 0 };

	(void)state;
	assert_int_equal(take(&set, pki_crl(sub, sub_key, NULL, -3 * DAY, DAY), "DER:020105"), CRL_TAKEN);
	assert_string_equal(set.v[0].number, "5");
	/* a later time does not make up for a lower number, nor a higher number for an earlier time */
	assert_int_equal(take(&set, pki_crl(sub, sub_key, NULL, -2 * DAY, DAY), "DER:020104"), CRL_NOT_NEWER);
	assert_non_null(strstr(why, "number 4, and 5 is in force"));
	assert_int_equal(take(&set, pki_crl(sub, sub_key, NULL, -4 * DAY, DAY), "DER:020106"), CRL_NOT_NEWER);
	assert_int_equal(take(&set, pki_crl(sub, sub_key, NULL, -2 * DAY, DAY), "DER:020106"), CRL_TAKEN);
	/* numbers are numbers: 256 follows 6 */
	assert_int_equal(take(&set, pki_crl(sub, sub_key, NULL, -DAY, DAY), "DER:02020100"), CRL_TAKEN);
	assert_int_equal(set.n, 1);
	/* one that lost its number is judged by its time */
	assert_int_equal(take(&set, pki_crl(sub, sub_key, NULL, -2 * DAY, DAY), NULL), CRL_NOT_NEWER);
	/* another authority's stands beside it */
	assert_int_equal(take(&set, pki_crl(root, root_key, NULL, -9 * DAY, DAY), NULL), CRL_TAKEN);
	assert_int_equal(set.n, 2);
	crl_set_free(&set);
}

static void
test_scope(void **state)
{
	struct crl_set	set = { 0 };
	X509_CRL	*delta = pki_crl(sub, sub_key, NULL, -DAY, DAY), *other_key, *part;

	(void)state;
	assert_int_equal(take(&set, pki_crl(sub, sub_key, NULL, -DAY / 2, DAY), "DER:020105"), CRL_TAKEN);
	pki_extend_crl(delta, sub_key, "deltaCRL", "critical,DER:020101");
	assert_int_equal(take(&set, delta, "DER:020104"), CRL_TAKEN);
	other_key = pki_crl(sub, sub_key, NULL, -DAY, DAY);
	pki_extend_crl(other_key, sub_key, "authorityKeyIdentifier", "DER:3006800401020304");
	assert_int_equal(take(&set, other_key, "DER:020104"), CRL_TAKEN);
	part = pki_crl(sub, sub_key, NULL, -DAY, DAY);
	pki_extend_crl(part, sub_key, "issuingDistributionPoint", "critical,onlyCA:TRUE");
	assert_int_equal(take(&set, part, "DER:020104"), CRL_TAKEN);
	assert_int_equal(set.n, 4);
	crl_set_free(&set);
}

static void
judged_as(X509_CRL *x, const char *want)
{
	struct trust	*t = make_trust(1);
	struct crl	 c = fetched(x, NULL);

	why[0] = '\0';
	assert_int_equal(crl_judge(&c, t, clock_now(), why, sizeof(why)), *want == '\0' ? 0 : -1);
	assert_non_null(strstr(why, want));
	crl_free(&c);
	trust_free(t);
}

static void
test_judge(void **state)
{
	X509	*other = pki_cert("Other", root_key, NULL, root_key, PKI_CA, -DAY, DAY);

	(void)state;
	judged_as(pki_crl(sub, sub_key, NULL, -DAY, DAY), "");
	judged_as(pki_crl(root, root_key, NULL, -DAY, DAY), "");
	/* an old one is judged by its time later, when it is asked about somebody */
	judged_as(pki_crl(sub, sub_key, NULL, -3 * DAY, -DAY), "");
	judged_as(pki_crl(sub, root_key, NULL, -DAY, DAY), "not signed with the key");
	judged_as(pki_crl(other, root_key, NULL, -DAY, DAY), "not among the trust anchors");
	judged_as(pki_crl(cert, key, NULL, -DAY, DAY), "not among the trust anchors");
	judged_as(pki_crl(sub, sub_key, NULL, 600, DAY), "of the future");
	judged_as(pki_crl(sub, sub_key, NULL, 60, DAY), "");
	X509_free(other);
}

static void
test_hold(void **state)
{
	struct crl_set	 set = { 0 };
	X509_CRL	*x = pki_crl(sub, sub_key, cert, -DAY, DAY);
	ASN1_ENUMERATED	*reason = ASN1_ENUMERATED_new();
	X509_REVOKED	*entry;

	(void)state;
	assert_int_equal(take(&set, pki_crl(sub, sub_key, cert, -2 * DAY, DAY), NULL), CRL_TAKEN);
	assert_false(crl_set_on_hold(&set, cert));
	assert_int_equal(ASN1_ENUMERATED_set(reason, CRL_REASON_CERTIFICATE_HOLD), 1);
	entry = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(x), 0);
	assert_int_equal(X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, reason, 0, 0), 1);
	assert_true(X509_CRL_sort(x) == 1 && X509_CRL_sign(x, sub_key, EVP_sha256()) > 0);
	assert_int_equal(take(&set, x, NULL), CRL_TAKEN);
	assert_true(crl_set_on_hold(&set, cert));
	assert_false(crl_set_on_hold(&set, sub));
	ASN1_ENUMERATED_free(reason);
	crl_set_free(&set);
}

static void
test_grace(void **state)
{
	struct trust	*t = make_trust(1);

	(void)state;
	add_crl(t, root, root_key, NULL, -5 * DAY, 5 * DAY);
	add_crl(t, sub, sub_key, cert, -DAY, DAY);
	trust_set_crl_grace(t, 2 * DAY);
	expect(t, cert, 2, 1, "revoked; CERT_REVOKED " SIGNERS "revoked by its issuer");
	trust_free(t);

	t = make_trust(1);
	add_crl(t, root, root_key, NULL, -5 * DAY, 5 * DAY);
	add_crl(t, sub, sub_key, NULL, -DAY, DAY - 60);	/* ends a minute before a day is over */
	expect(t, cert, 1, 1, "unknown; CERT_REVOCATION_UNKNOWN " SIGNERS "the CRL of its issuer is out of date");
	trust_set_crl_grace(t, DAY + 600);
	expect(t, cert, 1, 1, "good");
	expect(t, cert, 2, 1, "good");
	expect(t, cert, 3, 1, "unknown; CERT_REVOCATION_UNKNOWN " SIGNERS "the CRL of its issuer is out of date");
	/* late is not early */
	expect(t, cert, -2, 1, "unknown; CERT_REVOCATION_UNKNOWN " SIGNERS
	    "the CRL of its issuer is not yet valid");
	trust_free(t);
}

/* Which CRLs are noted, with which the judgement would come out the same again. */
static void
used_by(const struct trust *t, const char *const *want, size_t n)
{
	struct reasons		rs = { 0 };
	struct crls_used	used = { 0 };
	enum revocation		revocation;
	size_t			i, k, found = 0;

	trust_judge_by(t, cert, NULL, clock_now(), 1, &revocation, &used, &rs);
	for (i = 0; i < n; i++)
		for (k = 0; k < used.n; k++)
			found += strcmp(want[i], used.sha256[k]) == 0;
	assert_int_equal(used.n, n);
	assert_int_equal(found, n);
}

static void
test_used(void **state)
{
	X509_CRL	*delta = pki_crl(sub, sub_key, NULL, -DAY / 2, DAY), *base = pki_crl(sub, sub_key, NULL, -DAY, DAY);
	struct crl	 whole, changes, roots, others;
	struct trust	*t = make_trust(1);
	X509		*other = pki_cert("Other", key, NULL, key, PKI_CA, -DAY, DAY);

	(void)state;
	pki_extend_crl(base, sub_key, "freshestCRL", "URI:http://ca.example/delta.crl");
	pki_extend_crl(delta, sub_key, "deltaCRL", "critical,DER:020101");
	whole = fetched(base, NULL);
	changes = fetched(delta, "DER:020102");
	roots = fetched(pki_crl(root, root_key, NULL, -DAY, DAY), NULL);
	others = fetched(pki_crl(other, key, NULL, -DAY, DAY), NULL);
	used_by(t, NULL, 0);
	assert_int_equal(trust_add_crl(t, roots.x), 0);
	assert_int_equal(trust_add_crl(t, others.x), 0);
	used_by(t, (const char *[]){ roots.sha256 }, 1);
	assert_int_equal(trust_add_crl(t, whole.x), 0);
	used_by(t, (const char *[]){ roots.sha256, whole.sha256 }, 2);
	assert_int_equal(trust_add_crl(t, changes.x), 0);
	used_by(t, (const char *[]){ roots.sha256, whole.sha256, changes.sha256 }, 3);
	crl_free(&whole), crl_free(&changes), crl_free(&roots), crl_free(&others);
	X509_free(other);
	trust_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_scope),
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_grace),
		cmocka_unit_test(test_used),
	};

	return cmocka_run_group_tests(tests, trust_setup, trust_teardown);
}
