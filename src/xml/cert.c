/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "xml/cert.h"

#include <time.h>

int
cert_time(const ASN1_TIME *asn1, usec_t *t)
{
	struct tm	tm;

	if (ASN1_TIME_to_tm(asn1, &tm) != 1)
		return -1;
	*t = (usec_t)timegm(&tm) * USEC_PER_SEC;
	return 0;
}
