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

struct signing_key {
	EVP_PKEY	*key;
	const struct signature_alg *alg;	/* its digest is also the references' */
	X509		*certs[XML_MAX_CERTIFICATES];
	size_t		 ncerts;
};

/* digest: of the document's exclusive canonical form, by alg->digest.  The
 * Ids in it derive from the digest.  0, or -1 with the cause logged. */
int	signature_text(const struct signing_key *k, const unsigned char *digest,
	    usec_t signing_time, struct buf *out);

#endif
