/* SPDX-License-Identifier: ISC */
/*
 * Time-stamps of RFC 3161, verified by OpenSSL against anchors that are trusted
 * for time-stamps and nothing else: a SignatureTimeStamp (ETSI EN 319 132-1 5.3,
 * TS 101 903 7.3) over the canonical ds:SignatureValue, and an authority's answer
 * over any bytes.
 */
#ifndef MUHUR_XML_STAMP_H
#define MUHUR_XML_STAMP_H

#include <libxml/tree.h>
#include <openssl/asn1.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/timestamp.h"
#include "xml/trust.h"

struct stamp {
	char		 c14n[STAMP_URI_SIZE];	/* "": inclusive, as XML Signature has it */
	struct buf	 token;		/* base64 text of one EncapsulatedTimeStamp, as it stands */
	const char	*odd;		/* static: why it cannot be read; NULL */
};

struct stamp_rules {
	struct trust	*tsa;	/* authorities and their lists; NULL: nothing is judged */
	usec_t		 at;		/* when their certificates are judged; 0: when the
					 * token says that it was made */
	usec_t		 latest;	/* a token that tells a later time is bad */
	int		 require_crl;
};

/* What the time-stamp over value, a ds:SignatureValue in its document, is worth. */
void	stamp_judge(const struct stamp *s, xmlNode *value, const struct stamp_rules *r,
	    struct timestamp *t);

/* What an authority's answer (TimeStampResp, RFC 3161 2.4.2, DER) is worth that should
 * be over these bytes; nonce: the request's, NULL for none that is known.  Without
 * anchors (r->tsa NULL) it must be granted and fit the bytes, else it is bad; then it is
 * not judged, and t->at is what it says. */
void	stamp_judge_response(const void *der, size_t len, const void *data, size_t datalen,
	    const ASN1_INTEGER *nonce, const struct stamp_rules *r, struct timestamp *t);
/* The same of a token alone (TimeStampToken, DER). */
void	stamp_judge_token(const void *der, size_t len, const void *data, size_t datalen,
	    const struct stamp_rules *r, struct timestamp *t);

#endif
