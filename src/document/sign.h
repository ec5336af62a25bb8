/* SPDX-License-Identifier: ISC */
/*
 * XAdES-BES (ETSI EN 319 132-1), enveloped, last child of the root: reference
 * URI="" with enveloped-signature and exclusive c14n, SHA-256
 * (SHA-384 with a P-384 key), and the SignedProperties reference with
 * SigningTime and SigningCertificateV2.
 */
#ifndef MUHUR_DOCUMENT_SIGN_H
#define MUHUR_DOCUMENT_SIGN_H

#include <openssl/x509.h>

#include "base/clock.h"
#include "model/reason.h"

struct signing_key;

/* PEM texts; certs: the signer's certificate first, then its chain (put into
 * KeyInfo after it).  Refuses a key that does not belong to the certificate,
 * RSA < 2048, curves other than P-256 and P-384.  NULL, cause logged. */
struct signing_key *signing_key_new(const char *key_pem, size_t key_len,
    const char *certs_pem, size_t certs_len);
void signing_key_free(struct signing_key *k);
/* Could it sign now?  A key in hardware may be away: 0, or -1 (logged once). */
int  signing_key_ready(struct signing_key *k);
/* The certificates, the signer's first; owned by k. */
X509 *const *signing_key_certificates(const struct signing_key *k, size_t *n);

/* Sign the document read from in (from its start; any size, bounded memory)
 * and write it to out.  Hostile or unsuitable input (not well-formed, DTD,
 * already signed, not UTF-8) gives reasons and 0; -1: our own trouble. */
int  document_sign(int in, int out, const struct signing_key *k, usec_t signing_time,
    struct reasons *rs);

#endif
