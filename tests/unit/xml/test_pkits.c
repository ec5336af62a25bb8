/* SPDX-License-Identifier: ISC */
/*
 * NIST's Public Key Interoperability Test Suite against our trust module, with
 * the gateway's own settings: a CRL of every issuer is demanded, any policy
 * will do.  The suite is not ours to ship: it is read from where it lies beside
 * the sources, and skipped where it does not.
 *
 * What we must answer is derived here and nowhere recorded: the suite says which
 * paths are valid; `section' says what is wrong with those that are not, as the
 * suite's document describes them; `ours' and `narrowed' are the places where we
 * differ, each with its reason.
 */
#include "config.h"

#include <jansson.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/log.h"
#include "testpki.h"
#include "xml/trust.h"

#define JUDGED_AT	((usec_t)1699920000 * USEC_PER_SEC)	/* 2023-11-14T00:00:00Z */

struct answer {
	const char	*number;	/* of the cases; "4.8" is all of 4.8.* */
	enum reason_code code;
	const char	*words;		/* part of the detail */
};

/* What is wrong with the invalid cases: the first entry that fits counts. */
static const struct answer section[] = {
	/* 4.1 signatures: the one on the CA's or the end entity's certificate is wrong */
	{ "4.1", CERT_UNTRUSTED, "not signed with its issuer's key" },
	/* 4.2 validity: begins in 2047, or ended in 2011 or before 2000 */
	{ "4.2.1", CERT_EXPIRED, "above the signer's: not yet valid" },
	{ "4.2.2", CERT_EXPIRED, "signer's certificate: not yet valid" },
	{ "4.2.5", CERT_EXPIRED, "above the signer's: expired" },
	{ "4.2", CERT_EXPIRED, "signer's certificate: expired" },
	/* 4.3 names: the issuer's name is not the CA's, or in another order */
	{ "4.3", CERT_UNTRUSTED, "neither trusted nor in KeyInfo" },
	/* 4.4 CRLs: the CA's is missing, bears another name, ... */
	{ "4.4.1", CERT_REVOCATION_UNKNOWN, "no CRL of its issuer" },
	{ "4.4.5", CERT_REVOCATION_UNKNOWN, "no CRL of its issuer" },
	/* ... has a critical extension that nobody knows: then it may not be used,
	 * though it lists the certificate (RFC 5280 5.2), ... */
	{ "4.4.9", CERT_REVOCATION_UNKNOWN, "critical extension" },
	/* ... is of 2010, ... */
	{ "4.4.11", CERT_REVOCATION_UNKNOWN, "out of date" },
	/* ... or is signed with a key whose certificate is revoked, ... */
	{ "4.4.21", CERT_REVOCATION_UNKNOWN, "CRL's issuer is not trusted" },
	/* ... or names the certificate. */
	{ "4.4", CERT_REVOKED, "signer's certificate: revoked" },
	/* 4.5 self-issued: revoked, by a CRL under the CA's other key, ... */
	{ "4.5.2", CERT_REVOKED, "signer's certificate: revoked" },
	{ "4.5.5", CERT_REVOKED, "signer's certificate: revoked" },
	{ "4.5.7", CERT_REVOKED, "signer's certificate: revoked" },
	/* ... or issued with the key that is for CRLs only */
	{ "4.5.8", CERT_UNTRUSTED, "may not issue certificates" },
	/* 4.6 basicConstraints: none, cA FALSE, or too long a path */
	{ "4.6.1", CERT_UNTRUSTED, "may not issue certificates" },
	{ "4.6.2", CERT_UNTRUSTED, "may not issue certificates" },
	{ "4.6.3", CERT_UNTRUSTED, "may not issue certificates" },
	{ "4.6", CERT_UNTRUSTED, "pathLenConstraint" },
	/* 4.7 key usage of the CA: without keyCertSign, or without cRLSign */
	{ "4.7.1", CERT_UNTRUSTED, "may not issue certificates" },
	{ "4.7.2", CERT_UNTRUSTED, "may not issue certificates" },
	{ "4.7", CERT_REVOCATION_UNKNOWN, "may not sign CRLs" },
	/* 4.8 to 4.12 policies: a CA demands an explicit one, and what it names,
	 * maps or forbids leaves none.  anyPolicy may not be mapped at all. */
	{ "4.10.7", CERT_UNTRUSTED, "policy extension" },
	{ "4.10.8", CERT_UNTRUSTED, "policy extension" },
	{ "4.8", CERT_UNTRUSTED, "policy" },
	{ "4.9", CERT_UNTRUSTED, "policy" },
	{ "4.10", CERT_UNTRUSTED, "policy" },
	{ "4.11", CERT_UNTRUSTED, "policy" },
	{ "4.12", CERT_UNTRUSTED, "policy" },
	/* 4.16 private extensions: a critical one that nobody knows */
	{ "4.16", CERT_UNTRUSTED, "critical extension" },
};

/* What we demand beyond a valid path, whatever the suite expects. */
static const struct {
	struct answer	 answer;
	int		 instead;	/* of what section says: judging the path ends there */
} ours[] = {
	/* Contract, "what signatures are accepted": RSA and ECDSA.  DSA's
	 * signatures are therefore not looked at, good (4.1.4, 4.1.5) or bad. */
	{ { "4.1.4", SIG_ALGORITHM, "neither RSA nor EC" }, 1 },
	{ { "4.1.5", SIG_ALGORITHM, "neither RSA nor EC" }, 1 },
	{ { "4.1.6", SIG_ALGORITHM, "neither RSA nor EC" }, 1 },
	/* RFC 5280 4.2.1.9: a CA whose key validates certificates MUST mark the
	 * extension critical.  6.1 leaves it to the relying party whether to
	 * insist; X509_V_FLAG_X509_STRICT does. */
	{ { "4.6.4", CERT_UNTRUSTED, "not marked critical" }, 1 },
	/* These end in a CA's certificate, which may not sign documents. */
	{ { "4.6.6", CERT_USAGE, "a CA's certificate" }, 0 },
	{ { "4.6.8", CERT_USAGE, "a CA's certificate" }, 0 },
	{ { "4.6.10", CERT_USAGE, "a CA's certificate" }, 0 },
	{ { "4.6.12", CERT_USAGE, "a CA's certificate" }, 0 },
	{ { "4.6.14", CERT_USAGE, "a CA's certificate" }, 0 },
	{ { "4.8.6", CERT_USAGE, "a CA's certificate" }, 0 },
	{ { "4.8.7", CERT_USAGE, "a CA's certificate" }, 0 },
	{ { "4.8.8", CERT_USAGE, "a CA's certificate" }, 0 },
	{ { "4.12.10", CERT_USAGE, "a CA's certificate" }, 0 },
};

/*
 * Invalid only under other initial settings than ours (RFC 5280 6.1.1: ours are
 * any-policy, explicit policy not demanded, mapping and anyPolicy not inhibited).
 * Nothing in these paths demands a policy, so for us they are valid.  Such
 * settings only ever narrow: what is valid under them is valid without.
 */
static const char *const narrowed[] = {
	"Section8AllCertificatesSamePolicyTest1Subpart3",	/* other policy, explicit */
	"Section8AllCertificatesNoPoliciesTest2Subpart2",	/* explicit policy */
	"Section8DifferentPoliciesTest3Subpart2",
	"Section8DifferentPoliciesTest3Subpart3",
	"Section8OverlappingPoliciesTest6Subpart3",		/* policy 2 wanted, it is 1 */
	"Section8AnyPolicyTest14Subpart2",
	"Section10ValidPolicyMappingTest1Subpart2",
	"Section10ValidPolicyMappingTest1Subpart3",		/* mapping inhibited */
	"Section10ValidPolicyMappingTest3Subpart1",		/* policy 1 wanted, it is 2 */
	"Section10ValidPolicyMappingTest5Subpart2",		/* policy 6 wanted */
	"Section10ValidPolicyMappingTest6Subpart2",
	"Section10ValidPolicyMappingTest13Subpart3",
	"Section12inhibitAnyPolicyTest3Subpart2",		/* anyPolicy inhibited */
};

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static char	 folder[4096];
static int	 met_section[COUNT(section)], met_ours[COUNT(ours)], met_narrowed[COUNT(narrowed)];

static const char *
text(const json_t *c, const char *key)
{
	const char	*s = json_string_value(json_object_get(c, key));

	assert_non_null(s);
	return s;
}

static FILE *
open_file(const char *kind, const char *name)
{
	char	 path[8192];
	FILE	*f;

	(void)snprintf(path, sizeof(path), "%s/%ss/%s.%s", folder, kind, name,
	    strcmp(kind, "cert") == 0 ? "crt" : "crl");
	if ((f = fopen(path, "rb")) == NULL)
		fail_msg("%s is missing", path);
	return f;
}

static X509 *
read_cert(const json_t *name)
{
	FILE	*f = open_file("cert", json_string_value(name));
	X509	*cert = d2i_X509_fp(f, NULL);

	assert_non_null(cert);
	fclose(f);
	return cert;
}

static void
put_crls(struct buf *b, const json_t *names)
{
	X509_CRL	*crl;
	FILE		*f;
	size_t		 i;

	for (i = 0; i < json_array_size(names); i++) {
		f = open_file("crl", json_string_value(json_array_get(names, i)));
		assert_non_null(crl = d2i_X509_CRL_fp(f, NULL));
		pki_put_crl(b, crl);
		X509_CRL_free(crl);
		fclose(f);
	}
}

/* Is number the case's own, or one of the dotted parts it begins with? */
static int
fits(const char *number, const char *of_case)
{
	size_t	n = strlen(number);

	return strncmp(number, of_case, n) == 0 && (of_case[n] == '\0' || of_case[n] == '.');
}

static int
is_narrowed(const json_t *c)
{
	const json_t	*settings = json_object_get(c, "settings");
	const char	*setting;
	size_t		 i, j;

	for (i = 0; i < COUNT(narrowed); i++) {
		if (strcmp(narrowed[i], text(c, "name")) != 0)
			continue;
		/* it is one of the settings that path validation begins with */
		for (j = 0; j < json_array_size(settings); j++) {
			setting = json_string_value(json_array_get(json_array_get(settings, j), 0));
			if (strncmp(setting, "SetInitial", 10) == 0)
				met_narrowed[i] = 1;
		}
		assert_true(met_narrowed[i]);
		return 1;
	}
	return 0;
}

/* Into want, which has room for two: what we must answer to a case. */
static size_t
expected(const json_t *c, struct answer *want)
{
	const char	*number = text(c, "number");
	int		 valid = json_is_true(json_object_get(c, "should_validate"));
	size_t		 i, n = 0;

	if (is_narrowed(c)) {
		assert_false(valid);
		valid = 1;
	}
	for (i = 0; !valid && n == 0 && i < COUNT(section); i++) {
		if (fits(section[i].number, number)) {
			want[n++] = section[i];
			met_section[i] = 1;
		}
	}
	if (!valid && n == 0)
		fail_msg("what is wrong with %s is not said", number);
	for (i = 0; i < COUNT(ours); i++) {
		if (fits(ours[i].answer.number, number)) {
			if (ours[i].instead)
				n = 0;
			want[n++] = ours[i].answer;
			met_ours[i] = 1;
		}
	}
	return n;
}

static void
judge(const json_t *c, const char *anchors, size_t len, X509 *cert, STACK_OF(X509) *others,
    const struct buf *crls)
{
	struct trust	*t = trust_new(anchors, len);
	struct answer	 want[2];
	size_t		 i, n = expected(c, want);
	enum revocation	 r, status = REVOCATION_UNKNOWN;
	struct reasons	 rs = { 0 };

	assert_non_null(t);
	assert_int_equal(trust_add_crls(t, crls->data, crls->len), 0);
	trust_judge(t, cert, others, JUDGED_AT, 1, &r, &rs);
	for (i = 0; i < n || i < rs.n; i++) {
		if (i < n && i < rs.n && want[i].code == rs.v[i].code &&
		    strstr(rs.v[i].detail, want[i].words) != NULL)
			continue;
		fail_msg("%s (%s), but %s (%s) is expected",
		    i < rs.n ? reason_info(rs.v[i].code)->name : "no reason",
		    i < rs.n ? rs.v[i].detail : "",
		    i < n ? reason_info(want[i].code)->name : "none", i < n ? want[i].words : "");
	}
	/* the path is good where only our demands on its end are not met */
	if (n == 0 || want[0].code == CERT_USAGE)
		status = REVOCATION_GOOD;
	else if (want[0].code == CERT_REVOKED)
		status = REVOCATION_REVOKED;
	assert_string_equal(revocation_name(r), revocation_name(status));
	trust_free(t);
}

/* Twice: with the intermediate certificates from the anchors' file and from KeyInfo. */
static void
test_case(void **state)
{
	const json_t	*c = *state, *names = json_object_get(c, "certs");
	STACK_OF(X509)	*others = sk_X509_new_null();
	struct buf	 anchors = { 0 }, crls = { 0 };
	X509		*cert;
	size_t		 i, root = 0, n = json_array_size(names);

	assert_true(n >= 2);
	for (i = 0; i + 1 < n; i++) {
		cert = read_cert(json_array_get(names, i));
		pki_put_cert(&anchors, cert);
		if (i == 0) {
			root = anchors.len;
			X509_free(cert);
		} else
			assert_true(sk_X509_push(others, cert) > 0);
	}
	cert = read_cert(json_array_get(names, n - 1));
	put_crls(&crls, json_object_get(c, "crls"));
	judge(c, anchors.data, anchors.len, cert, NULL, &crls);
	judge(c, anchors.data, root, cert, others, &crls);
	buf_free(&anchors);
	buf_free(&crls);
	sk_X509_pop_free(others, X509_free);
	X509_free(cert);
}

/* An explanation that explains nothing is wrong. */
static void
test_tables(void **state)
{
	size_t	i;

	(void)state;
	for (i = 0; i < COUNT(section); i++)
		if (!met_section[i])
			fail_msg("no case %s is invalid", section[i].number);
	for (i = 0; i < COUNT(ours); i++)
		if (!met_ours[i])
			fail_msg("no case %s", ours[i].answer.number);
	for (i = 0; i < COUNT(narrowed); i++)
		if (!met_narrowed[i])
			fail_msg("no case %s", narrowed[i]);
}

static int
run(json_t *cases)
{
	size_t			 i, n = json_array_size(cases);
	struct CMUnitTest	*tests = xcalloc(n + 1, sizeof(*tests));
	char			 name[256];
	int			 failed;

	for (i = 0; i < n; i++) {
		const json_t	*c = json_array_get(cases, i);

		(void)snprintf(name, sizeof(name), "%s %s", text(c, "number"), text(c, "name"));
		tests[i].name = xstrdup(name);
		tests[i].test_func = test_case;
		tests[i].initial_state = json_array_get(cases, i);
	}
	tests[n].name = xstrdup("every explanation is needed");
	tests[n].test_func = test_tables;
	failed = _cmocka_run_group_tests("pkits", tests, n + 1, NULL, NULL);
	for (i = 0; i <= n; i++)
		free((char *)(uintptr_t)tests[i].name);
	free(tests);
	return failed;
}

int
main(void)
{
	const char	*srcdir = getenv("srcdir");	/* set by automake's test driver */
	char		 path[sizeof(folder) + 16];
	json_t		*cases;
	json_error_t	 e;
	int		 failed;

	(void)snprintf(folder, sizeof(folder), "%s/../shared/corpora/pkits",
	    srcdir == NULL ? "." : srcdir);
	(void)snprintf(path, sizeof(path), "%s/cases.json", folder);
	if (access(folder, F_OK) == -1) {
		puts("1..0 # SKIP PKITS is not beside the sources");
		return 77;
	}
	log_init("test_pkits", LOG_COMMAND, 0);
	clock_init(0);
	if ((cases = json_load_file(path, 0, &e)) == NULL || json_array_size(cases) == 0)
		fatalx("%s: %s", path, e.text);
	failed = run(cases);
	json_decref(cases);
	return failed;
}
