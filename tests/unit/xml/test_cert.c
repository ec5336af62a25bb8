/* SPDX-License-Identifier: ISC */
/* What is written down of a certificate. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "testpki.h"
#include "xml/cert.h"

static EVP_PKEY	*key;

static int
setup(void **state)
{
	(void)state;
	log_init("test_cert", LOG_COMMAND, 0);
	key = pki_key("P-256", 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	return 0;
}

static void
test_name(void **state)
{
	X509	*cert = pki_cert("\xc4\xb0, A", key, NULL, NULL, PKI_SIGNER, 0, 60);
	char	 text[DN_SIZE], brief[5];

	(void)state;
	assert_int_equal(cert_name(X509_get_subject_name(cert), text, sizeof(text)), 0);
	assert_string_equal(text, "CN=\xc4\xb0\\, A,C=TR");
	/* cut: four bytes would end inside the character */
	assert_int_equal(cert_name(X509_get_subject_name(cert), brief, sizeof(brief)), -1);
	assert_string_equal(brief, "CN=");
	X509_free(cert);
}

static void
set_serial(X509 *cert, const char *hex, int negative)
{
	BIGNUM	*bn = NULL;

	assert_int_not_equal(BN_hex2bn(&bn, hex), 0);
	BN_set_negative(bn, negative);
	assert_non_null(BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(cert)));
	BN_free(bn);
}

static void
test_serial(void **state)
{
	X509	*cert = pki_cert("A", key, NULL, NULL, PKI_SIGNER, 0, 60);
	char	 text[SERIAL_SIZE], longest[] = "7FABCDEF0123456789ABCDEF0123456789ABCDEF";

	(void)state;
	set_serial(cert, "1F", 0);
	assert_int_equal(cert_serial(cert, text, sizeof(text)), 0);
	assert_string_equal(text, "1f");
	set_serial(cert, longest, 0);	/* 20 octets, as RFC 5280 allows */
	assert_int_equal(cert_serial(cert, text, sizeof(text)), 0);
	assert_string_equal(text, "7fabcdef0123456789abcdef0123456789abcdef");
	/* forbidden ones are told apart from every number */
	set_serial(cert, "1F", 1);
	assert_int_equal(cert_serial(cert, text, sizeof(text)), -1);
	assert_string_equal(text, "");
	set_serial(cert, "1F", 0);
	assert_int_equal(cert_serial(cert, text, 2), -1);
	assert_string_equal(text, "");
	X509_free(cert);
}

static void
test_time(void **state)
{
	ASN1_TIME	*t = ASN1_TIME_new();
	usec_t		 got;

	(void)state;
	assert_int_equal(ASN1_TIME_set_string(t, "20500101000000Z"), 1);
	assert_int_equal(cert_time(t, &got), 0);
	assert_true(got == INT64_C(2524608000) * USEC_PER_SEC);
	ASN1_TIME_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_serial),
		cmocka_unit_test(test_time),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
