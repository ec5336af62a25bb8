/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/fdio.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "muhur/crl.h"
#include "xml/openssl.h"

static void
add(struct crl_sources *s, const char *url, size_t len, int named)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (strlen(s->v[i].url) == len && memcmp(s->v[i].url, url, len) == 0)
			return;
	s->v = xreallocarray(s->v, s->n + 1, sizeof(*s->v));
	s->v[s->n++] = (struct crl_source){ xstrndup(url, len), named };
}

/* RFC 5280 4.2.1.13: http and https; an ldap: one has an http: one beside it
 * or is of no use to us. */
static void
add_name(struct crl_sources *s, const GENERAL_NAME *name)
{
	const ASN1_STRING *uri;
	const char *text;
	size_t len;
	int type;

	uri = GENERAL_NAME_get0_value(name, &type);
	if (type != GEN_URI)
		return;
	text = (const char *)ASN1_STRING_get0_data(uri);
	len = (size_t)ASN1_STRING_length(uri);
	if (memchr(text, '\0', len) == NULL && len > 8 &&
	    (strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0))
		add(s, text, len, 1);
}

static void
add_named(struct crl_sources *s, X509 *cert)
{
	CRL_DIST_POINTS *points = X509_get_ext_d2i(cert, NID_crl_distribution_points, NULL, NULL);
	const DIST_POINT *point;
	int i, k;

	for (i = 0; points != NULL && i < sk_DIST_POINT_num(points); i++) {
		point = sk_DIST_POINT_value(points, i);
		if (point->distpoint == NULL || point->distpoint->type != 0)
			continue;
		for (k = 0; k < sk_GENERAL_NAME_num(point->distpoint->name.fullname); k++)
			add_name(s, sk_GENERAL_NAME_value(point->distpoint->name.fullname, k));
	}
	CRL_DIST_POINTS_free(points);
}

/* The sub-CAs': a root has none that tells of itself. */
static void
add_of_anchors(struct crl_sources *s, const char *path)
{
	BIO *bio = NULL;
	char *pem = NULL;
	X509 *cert;
	size_t len;

	if (file_read_all(path, TRUST_MAX_ANCHORS, &pem, &len) == 0 &&
	    (bio = BIO_new_mem_buf(pem, (int)len)) != NULL) {
		while ((cert = PEM_read_bio_X509(bio, NULL, openssl_no_password, NULL)) != NULL) {
			add_named(s, cert);
			X509_free(cert);
		}
		ERR_clear_error();
	}
	BIO_free(bio);
	free(pem);
}

static void
add_of_enrolled(struct crl_sources *s, struct cmd *c)
{
	char now[TIME_SIZE];
	const char *params[] = { cmd_now(c, now) };
	PGresult *res;
	X509 *cert;
	int i;

	res = cmd_query(c, "SELECT der FROM muhur.certificate WHERE state <> 'withdrawn' "
	    "AND not_after > $1::timestamptz ORDER BY sha256", 1, params);
	for (i = 0; i < PQntuples(res); i++)
		if ((cert = crl_enrolled(res, i, 0)) != NULL) {
			add_named(s, cert);
			X509_free(cert);
		}
	PQclear(res);
}

void
crl_sources_find(struct cmd *c, struct crl_sources *s)
{
	const struct conf *conf = cmd_conf(c);
	size_t i;
	int k;

	for (i = 0; i < conf->ncrl_urls; i++)
		add(s, conf->crl_urls[i], strlen(conf->crl_urls[i]), 0);
	if (conf->crl_distribution_points) {
		add_of_anchors(s, conf->trust_anchors);
		for (k = 0; k < MEMBER_KIND_COUNT; k++)
			if (conf->trust[k].set)
				add_of_anchors(s, conf->trust[k].anchors);
		add_of_enrolled(s, c);
	}
}

void
crl_sources_free(struct crl_sources *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		free(s->v[i].url);
	free(s->v);
	memset(s, 0, sizeof(*s));
}
