/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "muhur/enrol.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/fdio.h"
#include "base/log.h"
#include "xml/cert.h"
#include "xml/openssl.h"

#define RSA_MIN_BITS	2048
#define RSA_MAX_BITS	16384

/* --- the SSH wire form (RFC 4251 5) ------------------------------------- */

static void
put_string(struct buf *b, const void *p, size_t n)
{
	unsigned char len[4] = { (unsigned char)(n >> 24), (unsigned char)(n >> 16),
	    (unsigned char)(n >> 8), (unsigned char)n };

	buf_append(b, len, sizeof(len));
	buf_append(b, p, n);
}

/* A positive number: big-endian, a zero byte first where the top bit is set. */
static void
put_mpint(struct buf *b, const BIGNUM *bn)
{
	size_t n = (size_t)BN_num_bytes(bn);
	unsigned char *p = xcalloc(n + 1, 1);

	BN_bn2bin(bn, p + 1);
	if (n > 0 && p[1] & 0x80)
		put_string(b, p, n + 1);
	else
		put_string(b, p + 1, n);
	free(p);
}

static int
rsa_blob(EVP_PKEY *pkey, struct buf *b)
{
	BIGNUM *n = NULL, *e = NULL;
	int rc = -1;

	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
	    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1) {
		put_string(b, "ssh-rsa", 7);
		put_mpint(b, e);
		put_mpint(b, n);
		rc = 0;
	}
	BN_free(n);
	BN_free(e);
	return rc;
}

/* RFC 5656 3.1: the curve's name, and the point uncompressed (SEC 1 2.3.3). */
static int
ec_blob(EVP_PKEY *pkey, const char *curve, size_t size, struct buf *b)
{
	unsigned char point[1 + 2 * 48] = { 4 };
	BIGNUM *x = NULL, *y = NULL;
	int rc = -1;

	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
	    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1 &&
	    BN_bn2binpad(x, point + 1, (int)size) == (int)size &&
	    BN_bn2binpad(y, point + 1 + size, (int)size) == (int)size) {
		struct buf type = { 0 };

		buf_puts(&type, "ecdsa-sha2-");
		buf_puts(&type, curve);
		put_string(b, type.data, type.len);
		put_string(b, curve, strlen(curve));
		put_string(b, point, 1 + 2 * size);
		buf_free(&type);
		rc = 0;
	}
	BN_free(x);
	BN_free(y);
	return rc;
}

/* The blob of a certificate's key; 1 and a complaint where the key is not
 * among those allowed: RSA >= 2048, P-256, P-384. */
static int
key_blob(X509 *cert, const char *what, struct buf *b)
{
	EVP_PKEY *pkey = X509_get0_pubkey(cert);
	char group[64] = "";
	int bits, rc = 1;

	if (pkey != NULL && EVP_PKEY_is_a(pkey, "RSA")) {
		bits = EVP_PKEY_get_bits(pkey);
		if (bits >= RSA_MIN_BITS && bits <= RSA_MAX_BITS)
			rc = rsa_blob(pkey, b);
		else
			log_warnx("%s: SIG_ALGORITHM: an RSA key of %d bits; at least %d are needed",
			    what, bits, RSA_MIN_BITS);
	} else if (pkey != NULL && EVP_PKEY_is_a(pkey, "EC")) {
		(void)EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME,
		    group, sizeof(group), NULL);
		if (strcmp(group, "prime256v1") == 0)
			rc = ec_blob(pkey, "nistp256", 32, b);
		else if (strcmp(group, "secp384r1") == 0)
			rc = ec_blob(pkey, "nistp384", 48, b);
		else
			log_warnx("%s: SIG_ALGORITHM: an EC key on curve %s; P-256 and P-384 are allowed",
			    what, *group != '\0' ? group : "unknown");
	} else {
		log_warnx("%s: SIG_ALGORITHM: its key is neither RSA nor EC", what);
	}
	if (rc == -1)		/* an EC key that is no point, say */
		log_warnx("%s: SIG_ALGORITHM: its key cannot be used", what);
	return rc == 0 ? 0 : 1;
}

/* --- the certificate ------------------------------------------------------ */

/* What is written down of it. */
static int
describe(struct enrol_certificate *e, X509 *cert)
{
	unsigned char md[EVP_MAX_MD_SIZE], *der = NULL;
	unsigned int mdlen;
	int n;

	if ((n = i2d_X509(cert, &der)) <= 0)
		return -1;
	buf_append(&e->der, der, (size_t)n);
	OPENSSL_free(der);
	if (EVP_Digest(e->der.data, e->der.len, md, &mdlen, EVP_sha256(), NULL) != 1)
		return -1;
	hex_encode(md, SHA256_SIZE, e->sha256);
	return cert_name(X509_get_subject_name(cert), e->subject, sizeof(e->subject)) == 0 &&
	    cert_name(X509_get_issuer_name(cert), e->issuer, sizeof(e->issuer)) == 0 &&
	    cert_serial(cert, e->serial, sizeof(e->serial)) == 0 &&
	    cert_time(X509_get0_notBefore(cert), &e->not_before) == 0 &&
	    cert_time(X509_get0_notAfter(cert), &e->not_after) == 0 ? 0 : -1;
}

/* Chain, validity, usage: as a submission's signer is judged.  Whom a CRL names
 * is refused; there may be none yet when members are enrolled. */
static int
judge(X509 *cert, const char *what, const struct trust *trust, usec_t at)
{
	struct reasons *rs = xcalloc(1, sizeof(*rs));
	enum revocation revocation;
	size_t i;
	int rc = 0;

	trust_judge(trust, cert, NULL, at, 0, &revocation, rs);
	for (i = 0; i < rs->n; i++) {
		if (rs->v[i].code == CERT_REVOCATION_UNKNOWN)
			continue;
		rc = 1;
		log_warnx("%s: %s: %s", what, reason_info(rs->v[i].code)->name, *rs->v[i].detail != '\0' ?
		    rs->v[i].detail : reason_info(rs->v[i].code)->text_en);
	}
	free(rs);
	return rc;
}

struct trust *
enrol_anchors(const char *setting, const char *path)
{
	struct trust *trust;
	char *pem;
	size_t len;

	if (file_read_all(path, TRUST_MAX_ANCHORS, &pem, &len) == -1) {
		log_warn("%s: %s", setting, path);
		return NULL;
	}
	trust = trust_new(pem, len);
	free(pem);
	return trust;
}

struct trust *
enrol_trust(const struct conf *conf, enum member_kind kind)
{
	const struct conf_trust *own = &conf->trust[kind];
	struct trust *trust = enrol_anchors("trust anchors", own->set ? own->anchors : conf->trust_anchors);
	size_t i;

	for (i = 0; trust != NULL && i < own->npolicies; i++) {
		if (trust_add_policy(trust, own->policies[i]) == -1) {
			trust_free(trust);
			trust = NULL;
		}
	}
	return trust;
}

int
enrol_certificate(struct enrol_certificate *e, const char *what, const char *pem,
    size_t len, const struct trust *trust, usec_t at)
{
	BIO *bio = NULL;
	X509 *cert = NULL;
	int rc = -1;

	if (len > INT32_MAX || (bio = BIO_new_mem_buf(pem, (int)len)) == NULL)
		goto out;
	if ((cert = PEM_read_bio_X509(bio, NULL, openssl_no_password, NULL)) == NULL) {
		log_warnx("%s: holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)", what);
		rc = 1;
		goto out;
	}
	if ((rc = key_blob(cert, what, &e->key)) != 0 || (rc = judge(cert, what, trust, at)) != 0)
		goto out;
	if ((rc = describe(e, cert)) == -1) {
		log_warnx("%s: its names, serial number or times cannot be read, or are not as RFC 5280 wants them", what);
		rc = 1;
	}
out:
	ERR_clear_error();
	X509_free(cert);
	BIO_free(bio);
	return rc;
}

void
enrol_free(struct enrol_certificate *e)
{
	buf_free(&e->der);
	buf_free(&e->key);
}

/* --- an SSH public key ----------------------------------------------------- */

struct reader { const unsigned char *p; size_t left; };

static int
get_string(struct reader *r, const unsigned char **s, size_t *n)
{
	if (r->left < 4)
		return -1;
	*n = (size_t)r->p[0] << 24 | (size_t)r->p[1] << 16 | (size_t)r->p[2] << 8 | r->p[3];
	if (*n > r->left - 4)
		return -1;
	*s = r->p + 4;
	r->p += 4 + *n;
	r->left -= 4 + *n;
	return 0;
}

static int
is_text(const unsigned char *s, size_t n, const char *text)
{
	return n == strlen(text) && memcmp(s, text, n) == 0;
}

/* A blob is exactly what its type says, and of an allowed size. */
static int
blob_ok(const struct buf *blob, const char *type)
{
	struct reader r = { (const unsigned char *)blob->data, blob->len };
	const unsigned char *s, *curve;
	size_t n, curve_len, bits;

	if (get_string(&r, &s, &n) == -1 || !is_text(s, n, type))
		return 0;
	if (strcmp(type, "ssh-ed25519") == 0)
		return get_string(&r, &s, &n) == 0 && n == 32 && r.left == 0;
	if (strcmp(type, "ssh-rsa") == 0) {
		if (get_string(&r, &s, &n) == -1 || get_string(&r, &s, &n) == -1 || r.left != 0)
			return 0;
		for (; n > 0 && *s == 0; s++)
			n--;
		bits = n * 8;
		for (curve_len = n > 0 ? *s : 0x80; n > 0 && !(curve_len & 0x80); curve_len <<= 1)
			bits--;
		return bits >= RSA_MIN_BITS && bits <= RSA_MAX_BITS;
	}
	if (get_string(&r, &curve, &curve_len) == -1 || get_string(&r, &s, &n) == -1 || r.left != 0 ||
	    n == 0 || s[0] != 4)
		return 0;
	if (strcmp(type, "ecdsa-sha2-nistp256") == 0)
		return is_text(curve, curve_len, "nistp256") && n == 1 + 2 * 32;
	if (strcmp(type, "ecdsa-sha2-nistp384") == 0)
		return is_text(curve, curve_len, "nistp384") && n == 1 + 2 * 48;
	return 0;
}

/* Base64 of one word; 0 or -1. */
static int
decode_base64(const char *word, size_t len, struct buf *out)
{
	unsigned char *bytes;
	int n;

	if (len == 0 || len % 4 != 0 || len > 4 * SSH_MAX_KEY_BLOB)
		return -1;
	bytes = xcalloc(len, 1);
	n = EVP_DecodeBlock(bytes, (const unsigned char *)word, (int)len);
	if (n > 0) {
		n -= word[len - 1] == '=';
		n -= word[len - 2] == '=';
		buf_append(out, bytes, (size_t)n);
	}
	free(bytes);
	return n > 0 && out->len <= SSH_MAX_KEY_BLOB ? 0 : -1;
}

int
enrol_ssh_key(struct buf *blob, const char *what, const char *text)
{
	char type[32];
	size_t n = strcspn(text, " \t\r\n");
	const char *word = text + n + strspn(text + n, " \t");

	if (n < sizeof(type)) {
		memcpy(type, text, n);
		type[n] = '\0';
		if (decode_base64(word, strcspn(word, " \t\r\n"), blob) == 0 && blob_ok(blob, type))
			return 0;
	}
	log_warnx("%s: is no SSH public key of an allowed kind (ssh-ed25519, ssh-rsa of 2048 bits or "
	    "more, ecdsa-sha2-nistp256 or -nistp384); give the .pub file, one line", what);
	return 1;
}
