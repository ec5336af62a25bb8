/* SPDX-License-Identifier: ISC */
/*
 * Trust: anchors, CRLs, and the judgement of a signer's certificate at a
 * stated time (RFC 5280, by OpenSSL).  Everything is loaded from memory
 * before the sandbox; judging opens nothing.
 */
#ifndef MUHUR_XML_TRUST_H
#define MUHUR_XML_TRUST_H

#include <openssl/x509.h>

#include "base/clock.h"
#include "model/crls.h"
#include "model/reason.h"

struct trust;

/* anchors: PEM, the roots (self-signed) are trusted, others help to build
 * chains.  crls: PEM, may be NULL/0.  NULL with the cause logged. */
struct trust *trust_new(const char *anchors, size_t anchors_len);
/* The given certificates are trusted whether or not they are roots: for the
 * signer's check of its own work.  They get a reference more. */
struct trust *trust_new_partial(X509 *const *certs, size_t n);
int  trust_add_crls(struct trust *t, const char *crls, size_t len);
/* One more; it gets a reference. */
int  trust_add_crl(struct trust *t, X509_CRL *crl);
/* Once or more: the path must hold for one of these certificate policies (RFC
 * 5280 6.1.1 c).  0, or -1 (logged): no OID. */
int  trust_add_policy(struct trust *t, const char *oid);
/* How long past its nextUpdate a CRL still tells that somebody is not revoked. */
void trust_set_crl_grace(struct trust *t, int seconds);

/* Whose CRL it is, by the anchors and their sub-CAs alone; the better, the
 * greater. */
enum crl_signature { CRL_ISSUER_UNKNOWN, CRL_NOT_SIGNED, CRL_ISSUER_MAY_NOT, CRL_SIGNED };
enum crl_signature trust_crl_signature(const struct trust *t, X509_CRL *crl);
/* Is each of t's roots one of the other's? */
int  trust_within(const struct trust *t, const struct trust *other);
void trust_free(struct trust *t);

/* The store, set to judge at that time as trust_judge does, for OpenSSL's own
 * verification of something that is no document; owned by t.  And the certificates
 * that help to build chains, the caller's to free with its certificates. */
X509_STORE *trust_store(struct trust *t, usec_t at, int require_crl);
STACK_OF(X509) *trust_helpers(const struct trust *t);

enum revocation { REVOCATION_GOOD, REVOCATION_REVOKED, REVOCATION_UNKNOWN, REVOCATION_NOT_JUDGED };
const char *revocation_name(enum revocation r);

/* Judge cert (with the untrusted others from KeyInfo, may be NULL) at time at.
 * Adds CERT_* reasons, each with its place in the chain.  require_crl: without a
 * current CRL of every issuer in the chain it is CERT_REVOCATION_UNKNOWN; else,
 * where no CRL was given at all, *revocation is NOT_JUDGED.  Whom an old CRL
 * names stays revoked; one that its issuer did not or may not sign, or that
 * cannot be understood, names nobody (RFC 5280 5.2, 6.3.3).  A certificate whose
 * key usage extension does not name nonRepudiation (RFC 5280 4.2.1.3), or that
 * has none, and a CA's are CERT_USAGE; a key that is too short is SIG_ALGORITHM. */
void trust_judge(const struct trust *t, X509 *cert, STACK_OF(X509) *others,
    usec_t at, int require_crl, enum revocation *revocation, struct reasons *rs);
/* The same, and by which CRLs (appended to used, which may be NULL). */
void trust_judge_by(const struct trust *t, X509 *cert, STACK_OF(X509) *others, usec_t at,
    int require_crl, enum revocation *revocation, struct crls_used *used, struct reasons *rs);

#endif
