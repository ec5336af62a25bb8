/* SPDX-License-Identifier: ISC */
/*
 * Of `muhur evidence verify': the files under certificates/.  They are a help for
 * other programs; so each begins with one that a signature here was judged by, and
 * what stands behind it has signed it.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "muhur/evidence.h"
#include "muhur/evidence_check.h"
#include "xml/openssl.h"
#include "xml/tsp.h"

#define FOLDER	"certificates/"

void
evidence_named(struct evidence_check *k, const char *role, const char *sha256)
{
	if (!evidence_is_named(k, role, sha256))
		buf_printf(&k->named, "%s %s\n", role, sha256);
}

int
evidence_is_named(const struct evidence_check *k, const char *role, const char *sha256)
{
	char line[32 + SHA256_HEX_SIZE];

	(void)snprintf(line, sizeof(line), "%s %s\n", role, sha256);
	return k->named.len > 0 && strstr(k->named.data, line) != NULL;
}

static void
name_authority(void *check, X509 *cert)
{
	char sha256[SHA256_HEX_SIZE];

	evidence_certificate_digest(cert, sha256);
	evidence_named(check, "tsa", sha256);
}

static void
name_authorities(struct evidence_check *k)
{
	struct buf resp = { 0 }, token = { 0 };

	if (asic_get(k->r, "trail/checkpoint.tsr", STAMP_MAX_TOKEN, &resp) == 0 && resp.len > 0 &&
	    tsp_token(resp.data, resp.len, &token) == 0)
		tsp_certificates(token.data, token.len, name_authority, k);
	buf_free(&resp);
	buf_free(&token);
}

/* <role>.pem, or <role>-N.pem where there may be several. */
static int
role_of(const char *name, char role[16])
{
	static const char *const roles[] = { "signer", "gateway", "tsa" };
	size_t i, n;

	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		n = strlen(roles[i]);
		if (strncmp(name, roles[i], n) != 0)
			continue;
		(void)str_copy(role, 16, roles[i]);
		name += n;
		if (i > 0 && name[0] == '-' && name[1] >= '1' && name[1] <= '9')
			name += 1 + strspn(name + 1, "0123456789");
		return strcmp(name, ".pem") == 0 ? 0 : -1;
	}
	return -1;
}

/* Nothing but certificates, the first of them named, each next one its issuer's. */
static int
is_chain(const struct evidence_check *k, const char *role, const struct buf *pem)
{
	BIO *in = BIO_new_mem_buf(pem->data, (int)pem->len), *again = BIO_new(BIO_s_mem());
	X509 *cert, *last = NULL;
	char sha256[SHA256_HEX_SIZE], *data;
	int n = 0, ok = in != NULL && again != NULL;

	while (ok && n <= CHAIN_MAX_DEPTH && (cert = PEM_read_bio_X509(in, NULL, openssl_no_password, NULL)) != NULL) {
		evidence_certificate_digest(cert, sha256);
		ok = PEM_write_bio_X509(again, cert) == 1 &&
		    (n++ == 0 ? evidence_is_named(k, role, sha256) : evidence_issued(last, cert));
		X509_free(last);
		last = cert;
	}
	ok = ok && n > 0 && BIO_get_mem_data(again, &data) == (long)pem->len && memcmp(data, pem->data, pem->len) == 0;
	X509_free(last);
	BIO_free(in);
	BIO_free(again);
	ERR_clear_error();
	return ok;
}

void
evidence_check_certificates(struct evidence_check *k)
{
	struct buf pem = { 0 };
	const char *name;
	char role[16];
	size_t i;

	name_authorities(k);
	for (i = 0; i < asic_count(k->r); i++) {
		name = asic_entry(k->r, i);
		if (strncmp(name, FOLDER, strlen(FOLDER)) != 0)
			continue;
		buf_reset(&pem);
		if (role_of(name + strlen(FOLDER), role) == -1 || asic_get(k->r, name, TRUST_MAX_ANCHORS, &pem) == -1 ||
		    pem.len == 0 || !is_chain(k, role, &pem))
			evidence_say(k, 0, "certificates", "%s: is not what a signature here was judged by, with its chain", name);
	}
	buf_free(&pem);
}
