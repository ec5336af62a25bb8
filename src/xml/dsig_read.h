/* SPDX-License-Identifier: ISC */
/*
 * Inside of dsig: what dsig_read.c takes from the elements of a ds:Signature
 * and dsig.c verifies.  Not for others; xml/dsig.h is.
 */
#ifndef MUHUR_XML_DSIG_READ_H
#define MUHUR_XML_DSIG_READ_H

#include <openssl/evp.h>

#include "xml/alg.h"
#include "xml/dsig.h"
#include "xml/xades.h"

#define PATH_SIG	"ds:Signature"
#define PATH_SI		PATH_SIG "/ds:SignedInfo"
#define PATH_REF	PATH_SI "/ds:Reference"
#define PATH_VALUE	PATH_SIG "/ds:SignatureValue"
#define PATH_KEY	PATH_SIG "/ds:KeyInfo/ds:X509Data/ds:X509Certificate"

struct reference {
	int			 present;
	xmlNode			*transform;	/* the c14n Transform, NULL for none */
	struct dsig_demand	 demand;	/* owned */
	unsigned char		 value[EVP_MAX_MD_SIZE];
	size_t			 len;
	long			 line;		/* of its DigestValue */
};

struct dsig {
	xmlNode			*signed_info, *c14n_method, *signature_method, *value;
	const struct signature_alg *alg;
	struct reference	 document, properties;
	int			 is_xades;
	struct xades		 xades;
	X509			*certs[XML_MAX_CERTIFICATES];
	size_t			 ncerts;
	int			 too_many_certs;
	X509			*signer;	/* one of certs */
	STACK_OF(X509)		*others;	/* the rest of certs, not owned */
};

#endif
