/* SPDX-License-Identifier: ISC */
/* What is written down of a certificate, the same wherever it is. */
#ifndef MUHUR_XML_CERT_H
#define MUHUR_XML_CERT_H

#include <openssl/x509.h>

#include "base/clock.h"

/* A name by RFC 4514, UTF-8 kept readable.  0, or -1: too long (dst is cut
 * between characters) or unreadable (""). */
int  cert_name(const X509_NAME *name, char *dst, size_t size);
/* The serial number in hexadecimal digits.  0, or -1 and "" for what RFC 5280
 * 4.1.2.2 forbids: negative, or longer than dst. */
int  cert_serial(const X509 *cert, char *dst, size_t size);
/* 0, or -1 where it cannot be read. */
int  cert_time(const ASN1_TIME *asn1, usec_t *t);

#endif
