/* SPDX-License-Identifier: ISC */
#include "xml/alg.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <string.h>

#include "base/mem.h"

#define DSIG_MORE	"http://www.w3.org/2001/04/xmldsig-more#"
#define XMLENC		"http://www.w3.org/2001/04/xmlenc#"

static const struct {
	const char	*uri, *openssl;
	size_t		 size;
} digests[] = {
	[DSIG_SHA256] = { XMLENC "sha256", "SHA256", 32 },
	[DSIG_SHA384] = { DSIG_MORE "sha384", "SHA384", 48 },
	[DSIG_SHA512] = { XMLENC "sha512", "SHA512", 64 },
};

static const struct signature_alg signatures[] = {
	{ DSIG_MORE "rsa-sha256", EVP_PKEY_RSA, DSIG_SHA256 },
	{ DSIG_MORE "rsa-sha384", EVP_PKEY_RSA, DSIG_SHA384 },
	{ DSIG_MORE "rsa-sha512", EVP_PKEY_RSA, DSIG_SHA512 },
	{ DSIG_MORE "ecdsa-sha256", EVP_PKEY_EC, DSIG_SHA256 },
	{ DSIG_MORE "ecdsa-sha384", EVP_PKEY_EC, DSIG_SHA384 },
	{ DSIG_MORE "ecdsa-sha512", EVP_PKEY_EC, DSIG_SHA512 },
};

#define NDIGESTS	(sizeof(digests) / sizeof(digests[0]))
#define NSIGNATURES	(sizeof(signatures) / sizeof(signatures[0]))

const char *
dsig_digest_openssl(enum dsig_digest d)
{
	return digests[d].openssl;
}

size_t
dsig_digest_size(enum dsig_digest d)
{
	return digests[d].size;
}

const char *
alg_digest_uri(enum dsig_digest d)
{
	return digests[d].uri;
}

int
alg_digest(const char *uri, enum dsig_digest *d)
{
	size_t	i;

	for (i = 0; i < NDIGESTS; i++) {
		if (strcmp(uri, digests[i].uri) == 0) {
			*d = (enum dsig_digest)i;
			return 0;
		}
	}
	return -1;
}

const char *
alg_c14n_uri(enum c14n_method m)
{
	return m == C14N_EXCLUSIVE ? ALG_EXC_C14N : ALG_C14N;
}

int
alg_c14n(const char *uri, enum c14n_method *m)
{
	if (strcmp(uri, ALG_EXC_C14N) == 0)
		*m = C14N_EXCLUSIVE;
	else if (strcmp(uri, ALG_C14N) == 0)
		*m = C14N_INCLUSIVE;
	else
		return -1;
	return 0;
}

const struct signature_alg *
alg_signature(const char *uri)
{
	size_t	i;

	for (i = 0; i < NSIGNATURES; i++)
		if (strcmp(uri, signatures[i].uri) == 0)
			return &signatures[i];
	return NULL;
}

const struct signature_alg *
alg_signature_for(int key_type, enum dsig_digest d)
{
	size_t	i;

	for (i = 0; i < NSIGNATURES; i++)
		if (signatures[i].key_type == key_type && signatures[i].digest == d)
			return &signatures[i];
	return NULL;
}

int
alg_prefixes(const char *list, struct c14n_params *params)
{
	static const char	 space[] = " \t\r\n";
	size_t			 n;

	for (list += strspn(list, space); *list != '\0'; list += strspn(list, space)) {
		n = strcspn(list, space);
		if (params->nprefixes == XML_MAX_PREFIX_LIST)
			return -1;
		if (n == 8 && memcmp(list, "#default", 8) == 0)
			params->prefixes[params->nprefixes++] = xstrdup("");
		else
			params->prefixes[params->nprefixes++] = xstrndup(list, n);
		list += n;
	}
	return 0;
}

/* PKCS #1, 3.1: n and e are odd, e is 3 or more.  With e = 1 everybody signs. */
static int
rsa_numbers_ok(const EVP_PKEY *key)
{
	BIGNUM	*n = NULL, *e = NULL;
	int	 ok;

	ok = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
	    BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e);
	BN_free(n);
	BN_free(e);
	return ok;
}

int
alg_key_ok(const EVP_PKEY *key, const char **why)
{
	char	group[64] = "";
	int	bits;

	*why = "the key is neither RSA nor EC";
	switch (key != NULL ? EVP_PKEY_get_base_id(key) : EVP_PKEY_NONE) {
	case EVP_PKEY_RSA:
		bits = EVP_PKEY_get_bits(key);
		*why = "the RSA key is shorter than 2048 or longer than 16384 bits";
		if (bits < 2048 || bits > 16384)
			return 0;
		*why = "the RSA key's modulus or exponent is none";
		return rsa_numbers_ok(key);
	case EVP_PKEY_EC:
		*why = "the EC key is not on P-256 or P-384";
		if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1)
			return 0;
		return strcmp(group, "prime256v1") == 0 || strcmp(group, "P-256") == 0 ||
		    strcmp(group, "secp384r1") == 0 || strcmp(group, "P-384") == 0;
	default:
		return 0;
	}
}
