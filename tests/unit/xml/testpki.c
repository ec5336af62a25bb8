/* SPDX-License-Identifier: ISC */
#include "testpki.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"

#define MUST(x) do { if (!(x)) fatalx("%s:%d: %s", __FILE__, __LINE__, #x); } while (0)

EVP_PKEY *
pki_key(const char *type, unsigned bits)
{
	EVP_PKEY	*key;

	if (bits > 0)
		key = EVP_PKEY_Q_keygen(NULL, NULL, type, (size_t)bits);
	else
		key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", type);
	MUST(key != NULL);
	return key;
}

static void
add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX	 ctx;
	X509_EXTENSION	*e;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	MUST((e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value)) != NULL);
	MUST(X509_add_ext(cert, e, -1) == 1);
	X509_EXTENSION_free(e);
}

static void
set_name(X509_NAME *name, const char *cn)
{
	MUST(X509_NAME_add_entry_by_txt(name, "C", MBSTRING_UTF8,
	    (const unsigned char *)"TR", -1, -1, 0) == 1);
	MUST(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
	    (const unsigned char *)cn, -1, -1, 0) == 1);
}

X509 *
pki_cert(const char *cn, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key,
    enum pki_kind kind, long from, long to)
{
	static long	 serial = 0x1000;
	X509		*cert = X509_new();

	MUST(cert != NULL && X509_set_version(cert, X509_VERSION_3) == 1);
	MUST(ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial) == 1);
	MUST(X509_gmtime_adj(X509_getm_notBefore(cert), from) != NULL);
	MUST(X509_gmtime_adj(X509_getm_notAfter(cert), to) != NULL);
	set_name(X509_get_subject_name(cert), cn);
	MUST(X509_set_issuer_name(cert, X509_get_subject_name(issuer != NULL ? issuer : cert)) == 1);
	MUST(X509_set_pubkey(cert, key) == 1);
	if (issuer == NULL)
		issuer = cert;
	add_extension(cert, issuer, NID_basic_constraints,
	    kind == PKI_CA ? "critical,CA:TRUE" : "CA:FALSE");
	add_extension(cert, issuer, NID_subject_key_identifier, "hash");
	add_extension(cert, issuer, NID_authority_key_identifier, "keyid:always");
	if (kind != PKI_PLAIN)
		add_extension(cert, issuer, NID_key_usage,
		    kind == PKI_CA ? "critical,keyCertSign,cRLSign" :
		    kind == PKI_SIGNER ? "critical,digitalSignature,nonRepudiation" :
		    "critical,digitalSignature");
	MUST(X509_sign(cert, issuer_key != NULL ? issuer_key : key, EVP_sha256()) > 0);
	return cert;
}

X509_CRL *
pki_crl(X509 *issuer, EVP_PKEY *issuer_key, X509 *revoked, long from, long to)
{
	X509_CRL	*crl = X509_CRL_new();
	X509_REVOKED	*r;
	ASN1_TIME	*t = ASN1_TIME_new();
	ASN1_INTEGER	*number = ASN1_INTEGER_new();
	X509_EXTENSION	*e;
	X509V3_CTX	 ctx;

	MUST(crl != NULL && t != NULL && number != NULL);
	MUST(X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1);
	MUST(X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer)) == 1);
	MUST(X509_gmtime_adj(t, from) != NULL && X509_CRL_set1_lastUpdate(crl, t) == 1);
	if (revoked != NULL) {
		MUST((r = X509_REVOKED_new()) != NULL);
		MUST(X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(revoked)) == 1);
		MUST(X509_REVOKED_set_revocationDate(r, t) == 1);
		MUST(X509_CRL_add0_revoked(crl, r) == 1);
	}
	MUST(X509_gmtime_adj(t, to) != NULL && X509_CRL_set1_nextUpdate(crl, t) == 1);
	MUST(ASN1_INTEGER_set(number, 1) == 1);
	MUST(X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0) == 1);
	X509V3_set_ctx(&ctx, issuer, NULL, NULL, crl, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier, "keyid:always");
	MUST(e != NULL && X509_CRL_add_ext(crl, e, -1) == 1);
	X509_EXTENSION_free(e);
	MUST(X509_CRL_sort(crl) == 1 && X509_CRL_sign(crl, issuer_key, EVP_sha256()) > 0);
	ASN1_TIME_free(t);
	ASN1_INTEGER_free(number);
	return crl;
}

void
pki_extend(X509 **cert, X509 *issuer, EVP_PKEY *issuer_key, const char *name, const char *value)
{
	X509V3_CTX		 ctx;
	X509_EXTENSION		*e;
	unsigned char		*der = NULL;
	const unsigned char	*p;
	int			 i;

	X509V3_set_ctx(&ctx, issuer, *cert, NULL, NULL, 0);
	MUST((e = X509V3_EXT_conf(NULL, &ctx, name, value)) != NULL);
	if ((i = X509_get_ext_by_OBJ(*cert, X509_EXTENSION_get_object(e), -1)) >= 0)
		X509_EXTENSION_free(X509_delete_ext(*cert, i));
	MUST(X509_add_ext(*cert, e, -1) == 1);
	X509_EXTENSION_free(e);
	MUST(X509_sign(*cert, issuer_key, EVP_sha256()) > 0);
	MUST((i = i2d_X509(*cert, &der)) > 0);
	X509_free(*cert);
	p = der;
	MUST((*cert = d2i_X509(NULL, &p, i)) != NULL);
	OPENSSL_free(der);
}

void
pki_extend_crl(X509_CRL *crl, EVP_PKEY *issuer_key, const char *name, const char *value)
{
	X509V3_CTX	 ctx;
	X509_EXTENSION	*e;
	int		 i;

	X509V3_set_ctx(&ctx, NULL, NULL, NULL, crl, 0);
	MUST((e = X509V3_EXT_conf(NULL, &ctx, name, value)) != NULL);
	if ((i = X509_CRL_get_ext_by_OBJ(crl, X509_EXTENSION_get_object(e), -1)) >= 0)
		X509_EXTENSION_free(X509_CRL_delete_ext(crl, i));
	MUST(X509_CRL_add_ext(crl, e, -1) == 1);
	X509_EXTENSION_free(e);
	MUST(X509_CRL_sign(crl, issuer_key, EVP_sha256()) > 0);
}

static void
take_bio(struct buf *b, BIO *bio)
{
	char	*p;
	long	 n = BIO_get_mem_data(bio, &p);

	MUST(n > 0);
	buf_append(b, p, (size_t)n);
	BIO_free(bio);
}

void
pki_put_key(struct buf *b, EVP_PKEY *key)
{
	BIO	*bio = BIO_new(BIO_s_mem());

	MUST(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
	take_bio(b, bio);
}

void
pki_put_cert(struct buf *b, X509 *cert)
{
	BIO	*bio = BIO_new(BIO_s_mem());

	MUST(PEM_write_bio_X509(bio, cert) == 1);
	take_bio(b, bio);
}

void
pki_put_crl(struct buf *b, X509_CRL *crl)
{
	BIO	*bio = BIO_new(BIO_s_mem());

	MUST(PEM_write_bio_X509_CRL(bio, crl) == 1);
	take_bio(b, bio);
}
