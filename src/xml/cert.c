/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "xml/cert.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"

int
cert_name(const X509_NAME *name, char *dst, size_t size)
{
	BIO	*bio = BIO_new(BIO_s_mem());
	char	*text;
	long	 n;
	int	 rc = -1;

	if (bio == NULL)
		fatalx("certificate: out of memory");
	dst[0] = '\0';
	if (X509_NAME_print_ex(bio, name, 0,
	    XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0 &&
	    (n = BIO_get_mem_data(bio, &text)) >= 0) {
		rc = (size_t)n < size ? 0 : -1;
		if (rc == -1) {
			n = (long)size - 1;
			while (n > 0 && (text[n] & 0xc0) == 0x80)	/* whole characters */
				n--;
		}
		if (n > 0)
			memcpy(dst, text, (size_t)n);
		dst[n] = '\0';
	}
	BIO_free(bio);
	return rc;
}

int
cert_serial(const X509 *cert, char *dst, size_t size)
{
	BIGNUM	*bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	char	*hex = bn != NULL && !BN_is_negative(bn) ? BN_bn2hex(bn) : NULL, *p;
	int	 rc = -1;

	if (hex != NULL) {
		for (p = hex; *p != '\0'; p++)
			if (*p >= 'A' && *p <= 'F')
				*p = (char)(*p - 'A' + 'a');
		rc = str_copy(dst, size, hex);
	}
	if (rc == -1)
		dst[0] = '\0';
	OPENSSL_free(hex);
	BN_free(bn);
	return rc;
}

int
cert_time(const ASN1_TIME *asn1, usec_t *t)
{
	struct tm	tm;

	if (ASN1_TIME_to_tm(asn1, &tm) != 1)
		return -1;
	*t = (usec_t)timegm(&tm) * USEC_PER_SEC;
	return 0;
}
