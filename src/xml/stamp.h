/* SPDX-License-Identifier: ISC */
/*
 * One SignatureTimeStamp (ETSI EN 319 132-1 5.3, TS 101 903 7.3): a token of
 * RFC 3161 over the canonical ds:SignatureValue, verified by OpenSSL against
 * anchors that are trusted for time-stamps and nothing else.
 */
#ifndef MUHUR_XML_STAMP_H
#define MUHUR_XML_STAMP_H

#include <libxml/tree.h>

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
	usec_t		 at;		/* when their certificates are judged */
	usec_t		 latest;	/* a token that tells a later time is bad */
	int		 require_crl;
};

/* What the time-stamp over value, a ds:SignatureValue in its document, is worth. */
void	stamp_judge(const struct stamp *s, xmlNode *value, const struct stamp_rules *r,
	    struct timestamp *t);

#endif
