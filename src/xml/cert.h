/* SPDX-License-Identifier: ISC */
/* What is written down of a certificate, the same wherever it is. */
#ifndef MUHUR_XML_CERT_H
#define MUHUR_XML_CERT_H

#include <openssl/x509.h>

#include "base/clock.h"

/* 0, or -1 where it cannot be read. */
int  cert_time(const ASN1_TIME *asn1, usec_t *t);

#endif
