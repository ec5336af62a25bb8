/* SPDX-License-Identifier: ISC */
/*
 * CAdES-BES (ETSI EN 319 122-1 4): a detached CMS signature with content type,
 * message digest, signing time and signingCertificateV2 (RFC 5035) as signed
 * attributes; with the key that signs documents.
 */
#ifndef MUHUR_DOCUMENT_CADES_H
#define MUHUR_DOCUMENT_CADES_H

#include <stddef.h>

#include "base/clock.h"
#include "base/mem.h"
#include "document/sign.h"
#include "xml/trust.h"

/* Over these bytes; DER, appended; verified before it is given out.  0, or -1 (logged). */
int	cades_sign(const struct signing_key *k, const void *data, size_t len, usec_t at, struct buf *der);

struct cades_verdict {
	char	 signer[DN_SIZE];	/* who claims to have signed; "" unknown */
	usec_t	 at;			/* when, as the signer says; 0 unknown */
	char	 why[REASON_DETAIL_SIZE + 64];	/* "" : it verifies */
};
/* Is der such a signature over data, with a digest of SHA-2 (256, 384, 512), and was its
 * certificate good by these anchors (NULL: nobody is trusted, the rest is judged) at v->at?
 * That is the signer's word: where it matters, a time-stamp stands beside.  1 or 0. */
int	cades_verify(const void *der, size_t der_len, const void *data, size_t len,
	    const struct trust *t, struct cades_verdict *v);

#endif
