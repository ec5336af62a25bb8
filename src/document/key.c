/* SPDX-License-Identifier: ISC */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "document/sign.h"
#include "document/signature.h"
#include "xml/openssl.h"

static EVP_PKEY *
read_key(const char *pem, size_t len)
{
	BIO		*bio = BIO_new_mem_buf(pem, (int)len);
	EVP_PKEY	*key = NULL;

	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, openssl_no_password, NULL);
	if (key == NULL)
		openssl_log("signing key: not an unencrypted private key in PEM");
	BIO_free(bio);
	return key;
}

static int
read_certificates(const char *pem, size_t len, struct signing_key *k)
{
	BIO	*bio = BIO_new_mem_buf(pem, (int)len);
	X509	*cert;
	int	 rc = 0;

	while (bio != NULL && rc == 0 &&
	    (cert = PEM_read_bio_X509(bio, NULL, openssl_no_password, NULL)) != NULL) {
		if (k->ncerts == XML_MAX_CERTIFICATES) {
			log_warnx("signing certificate: more than %d in its chain",
			    XML_MAX_CERTIFICATES);
			X509_free(cert);
			rc = -1;
		} else
			k->certs[k->ncerts++] = cert;
	}
	BIO_free(bio);
	if (rc == 0 && k->ncerts == 0) {
		openssl_log("signing certificate: no certificate in PEM");
		rc = -1;
	}
	ERR_clear_error();	/* the end of the PEM text */
	return rc;
}

/* RSA signs with SHA-256, an EC key with the digest of its curve's strength. */
static const struct signature_alg *
algorithm_for(const EVP_PKEY *key)
{
	int	type = EVP_PKEY_get_base_id(key);

	return alg_signature_for(type, type == EVP_PKEY_EC && EVP_PKEY_get_bits(key) > 256 ?
	    DSIG_SHA384 : DSIG_SHA256);
}

static int
judge_key(struct signing_key *k)
{
	const char	*why;

	if (!alg_key_ok(k->key, &why)) {
		log_warnx("signing key: %s", why);
		return -1;
	}
	if ((k->alg = algorithm_for(k->key)) == NULL) {
		log_warnx("signing key: no signature algorithm for it");
		return -1;
	}
	return 0;
}

struct signing_key *
signing_key_new(const char *key_pem, size_t key_len, const char *certs_pem, size_t certs_len)
{
	struct signing_key	*k = xcalloc(1, sizeof(*k));

	if ((k->key = read_key(key_pem, key_len)) == NULL ||
	    read_certificates(certs_pem, certs_len, k) == -1 || judge_key(k) == -1)
		goto fail;
	if (X509_check_private_key(k->certs[0], k->key) != 1) {
		openssl_log("signing key: it does not belong to the certificate");
		goto fail;
	}
	return k;
fail:
	signing_key_free(k);
	return NULL;
}

struct signing_key *
signing_key_new_remote(const struct remote_key *r, const char *certs_pem, size_t certs_len)
{
	struct signing_key	*k = xcalloc(1, sizeof(*k));

	k->remote = *r;
	if (read_certificates(certs_pem, certs_len, k) == -1)
		goto fail;
	/* that it belongs to the certificate, each signature shows */
	if ((k->key = X509_get_pubkey(k->certs[0])) == NULL) {
		openssl_log("signing certificate: its key cannot be read");
		goto fail;
	}
	if (judge_key(k) == -1)
		goto fail;
	return k;
fail:
	signing_key_free(k);
	return NULL;
}

int
signing_key_ready(struct signing_key *k)
{
	return k->remote.sign == NULL ? 0 : k->remote.ready(k->remote.arg);
}

X509 *const *
signing_key_certificates(const struct signing_key *k, size_t *n)
{
	*n = k->ncerts;
	return k->certs;
}

void
signing_key_free(struct signing_key *k)
{
	size_t	i;

	if (k == NULL)
		return;
	if (k->remote.free != NULL)
		k->remote.free(k->remote.arg);
	EVP_PKEY_free(k->key);
	for (i = 0; i < k->ncerts; i++)
		X509_free(k->certs[i]);
	free(k);
}
