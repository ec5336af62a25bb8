/* SPDX-License-Identifier: ISC */
/*
 * What is asked of a time-stamp authority (RFC 3161), and the parts of what it
 * answers; what that is worth says xml/stamp.h.
 */
#ifndef MUHUR_XML_TSP_H
#define MUHUR_XML_TSP_H

#include <openssl/asn1.h>
#include <openssl/x509.h>

#include "base/mem.h"

#define TSP_QUERY_TYPE	"application/timestamp-query"	/* RFC 3161 3.4 */
#define TSP_REPLY_TYPE	"application/timestamp-reply"

/* A TimeStampReq over the SHA-256 of data, DER, appended to out; certificates are
 * asked for.  Its nonce, which is random, for ASN1_INTEGER_free. */
ASN1_INTEGER *tsp_ask(const void *data, size_t len, struct buf *out);

/* The TimeStampToken of a TimeStampResp, DER, appended.  0, or -1: there is none. */
int	tsp_token(const void *resp, size_t len, struct buf *out);
/* Each certificate in a token, to fn; it gets no reference. */
void	tsp_certificates(const void *token, size_t len, void (*fn)(void *arg, X509 *cert), void *arg);

#endif
