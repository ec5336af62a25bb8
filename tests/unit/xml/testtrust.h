/* SPDX-License-Identifier: ISC */
/* A root, a sub-CA and a user, and what is said of certificates under them. */
#ifndef MUHUR_TESTS_UNIT_XML_TESTTRUST_H
#define MUHUR_TESTS_UNIT_XML_TESTTRUST_H

#include "testpki.h"
#include "xml/trust.h"

#define DAY	86400L

/* What `judged' gives of faults that stand in more than one test. */
#define SIGNERS		"the signer's certificate: "
#define ABOVE(n)	"the certificate " #n " above the signer's: "
#define NO_ISSUER	"its issuer's certificate is neither trusted nor in KeyInfo"

/* Made by the set-up: from 100, 90 and 10 days ago to as many days ahead. */
extern X509	*root, *sub, *cert;
extern EVP_PKEY	*root_key, *sub_key, *key;

/* cmocka's fixture of the group. */
int trust_setup(void **state);
int trust_teardown(void **state);

/* The root, perhaps with the sub-CA, as the anchors' file. */
struct trust *make_trust(int with_sub);
/* Takes the CRL over. */
void take_crl(struct trust *t, X509_CRL *crl);
/* As pki_crl. */
void add_crl(struct trust *t, X509 *issuer, EVP_PKEY *issuer_key, X509 *revoked, long from,
    long to);

/* The whole verdict, days from now, as "revocation; CODE detail; CODE detail";
 * until the next call.  others: KeyInfo's, may be NULL. */
const char *judged(const struct trust *t, X509 *c, STACK_OF(X509) *others, long days, int require);
/* That it is want, without others. */
void expect(const struct trust *t, X509 *c, long days, int require, const char *want);

#endif
