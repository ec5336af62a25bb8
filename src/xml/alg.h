/* SPDX-License-Identifier: ISC */
/*
 * The algorithms that are allowed, by their identifiers (XML Signature 1.1,
 * RFC 9231), and nothing else: contract, "what signatures are accepted".
 */
#ifndef MUHUR_XML_ALG_H
#define MUHUR_XML_ALG_H

#include <openssl/evp.h>

#include "xml/c14n.h"
#include "xml/dsig.h"

#define ALG_C14N	"http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
#define ALG_EXC_C14N	"http://www.w3.org/2001/10/xml-exc-c14n#"
#define ALG_ENVELOPED	DSIG_NS "enveloped-signature"

struct signature_alg {
	const char	*uri;
	int		 key_type;	/* EVP_PKEY_RSA or EVP_PKEY_EC */
	enum dsig_digest digest;
};

/* 0, or -1 where the identifier is not of an allowed algorithm. */
int	 alg_digest(const char *uri, enum dsig_digest *d);
int	 alg_c14n(const char *uri, enum c14n_method *m);
const char *alg_digest_uri(enum dsig_digest d);
const char *alg_c14n_uri(enum c14n_method m);
/* NULL where it is not allowed, or no such algorithm is. */
const struct signature_alg *alg_signature(const char *uri);
const struct signature_alg *alg_signature_for(int key_type, enum dsig_digest d);

/* Split a PrefixList into params->prefixes; "#default" becomes "".  0, or -1
 * where there are too many.  Freed by dsig_demand_free. */
int	 alg_prefixes(const char *list, struct c14n_params *params);

/* Is the key strong enough to count: RSA of 2048 to 16384 bits with an exponent
 * that is one, EC on P-256 or P-384?  Else *why says in English why not. */
int	 alg_key_ok(const EVP_PKEY *key, const char **why);

#endif
