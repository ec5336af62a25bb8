/* SPDX-License-Identifier: ISC */
/* Keys, certificates and CRLs made when a test runs; failures abort it. */
#ifndef MUHUR_TESTS_UNIT_XML_TESTPKI_H
#define MUHUR_TESTS_UNIT_XML_TESTPKI_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/mem.h"

/* "RSA" with bits, or a curve's name ("P-256") with 0. */
EVP_PKEY *pki_key(const char *type, unsigned bits);

enum pki_kind {
	PKI_CA,			/* keyCertSign, cRLSign */
	PKI_SIGNER,		/* digitalSignature, nonRepudiation */
	PKI_NO_REPUDIATION,	/* digitalSignature only */
	PKI_PLAIN		/* no keyUsage at all */
};
/* issuer NULL: self-signed by key.  from, to: seconds from now. */
X509 *pki_cert(const char *cn, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key,
    enum pki_kind kind, long from, long to);
/* revoked may be NULL. */
X509_CRL *pki_crl(X509 *issuer, EVP_PKEY *issuer_key, X509 *revoked, long from, long to);
/* Set an extension (x509v3_config(5); an OID with "DER:" for one that nobody
 * knows) in the place of one of its kind, and sign again.  *cert is replaced:
 * OpenSSL keeps what it has once read of a certificate's extensions. */
void pki_extend(X509 **cert, X509 *issuer, EVP_PKEY *issuer_key, const char *name,
    const char *value);
void pki_extend_crl(X509_CRL *crl, EVP_PKEY *issuer_key, const char *name, const char *value);

/* Append PEM text. */
void pki_put_key(struct buf *b, EVP_PKEY *key);
void pki_put_cert(struct buf *b, X509 *cert);
void pki_put_crl(struct buf *b, X509_CRL *crl);

#endif
