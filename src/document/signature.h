/* SPDX-License-Identifier: ISC */
/* Inside of sign: the key, and the text of one ds:Signature made with it. */
#ifndef MUHUR_DOCUMENT_SIGNATURE_H
#define MUHUR_DOCUMENT_SIGNATURE_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "xml/alg.h"

/*
 * A key that is elsewhere.  sign: of a digest by alg's; RSA as PKCS#1 1.5 has
 * it, ECDSA as r and s (XML Signature 1.1, 6.4.3) into sig (*sig_len bytes of
 * room, then what was made).  0, or -1 with the cause logged.  free(arg) ends it.
 */
struct remote_key {
	int	(*ready)(void *arg);
	int	(*sign)(void *arg, const struct signature_alg *alg, const unsigned char *md,
		    size_t md_len, unsigned char *sig, size_t *sig_len);
	void	(*free)(void *arg);
	void	*arg;
};

struct signing_key {
	EVP_PKEY	*key;		/* of a remote one the public half */
	struct remote_key remote;	/* sign is NULL where there is none */
	const struct signature_alg *alg;	/* its digest is also the references' */
	X509		*certs[XML_MAX_CERTIFICATES];
	size_t		 ncerts;
};

/* digest: of the document's exclusive canonical form, by alg->digest.  The
 * Ids in it derive from the digest.  0, or -1 with the cause logged. */
int	signature_text(const struct signing_key *k, const unsigned char *digest,
	    usec_t signing_time, struct buf *out);

/* The signature over these bytes as CMS has it (ECDSA: DER), appended; by the key, wherever
 * it is.  0, or -1 with the cause logged. */
int	signature_value(const struct signing_key *k, const struct buf *bytes, struct buf *out);

/* As signing_key_new; takes r->arg over in every case. */
struct signing_key *signing_key_new_remote(const struct remote_key *r,
	    const char *certs_pem, size_t certs_len);

#endif
