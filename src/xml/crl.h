/* SPDX-License-Identifier: ISC */
/*
 * Revocation lists as they are fetched and kept: read one, ask whether it may
 * take its place among those in force (RFC 5280 5), write them down.  What they
 * say of a certificate is judged by xml/trust.h.
 */
#ifndef MUHUR_XML_CRL_H
#define MUHUR_XML_CRL_H

#include <openssl/x509.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "xml/trust.h"

struct crl {
	X509_CRL	*x;
	char		 sha256[SHA256_HEX_SIZE];	/* of the DER */
	char		 issuer[DN_SIZE];
	char		 number[CRL_NUMBER_SIZE];	/* decimal or 0x..; "" none */
	usec_t		 this_update, next_update;
	int		 delta;			/* changes since another one (5.2.4) */
};

struct crl_set { struct crl *v; size_t n; };

/* Exactly one CRL, DER or PEM, and nothing behind it.  0, or -1: what is wrong
 * stands in why.  Free with crl_free. */
int  crl_read(struct crl *c, const char *data, size_t len, char *why, size_t whysize);
/* All CRLs of a PEM file, each taken as by crl_set_take; one that cannot be
 * understood is left out, with a word.  0, or -1 with the cause logged. */
int  crl_set_read(struct crl_set *set, const char *pem, size_t len);
void crl_set_write(const struct crl_set *set, struct buf *pem);
void crl_free(struct crl *c);
void crl_set_free(struct crl_set *set);
/* The DER appended to b; 0 or -1. */
int  crl_der(const struct crl *c, struct buf *b);

/* May it be used at all: its issuer among the anchors, rightly signed, not of
 * the future?  0, or -1: why not. */
int  crl_judge(const struct crl *c, const struct trust *t, usec_t now, char *why, size_t whysize);

/* Takes c (then emptied) into the set: beside those of other issuers and
 * scopes, in the place of an older one of its own.  What is not newer by its
 * number and its time is not taken: somebody plays an old one back, or the
 * authority's clock or books are in disorder. */
enum crl_taken { CRL_TAKEN, CRL_HELD_ALREADY, CRL_NOT_NEWER };
enum crl_taken crl_set_take(struct crl_set *set, struct crl *c, char *why, size_t whysize);

/* Is the certificate, revoked by its issuer's list in the set, only on hold
 * there (5.3.1, certificateHold)? */
int  crl_set_on_hold(const struct crl_set *set, X509 *cert);

#endif
