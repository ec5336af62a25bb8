/* SPDX-License-Identifier: ISC */
#include "signer/job.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "document/build.h"
#include "document/token.h"
#include "document/xmlout.h"
#include "signer/check.h"
#include "xml/cert.h"

#define PEM_MAX		(1024 * 1024)
#define PIN_FILE_MAX	4096
#define DAY		(86400 * USEC_PER_SEC)
#define NOTICE_TIME	(30 * DAY)	/* before the end: time to get another certificate */

static int
load_key(struct signer *s, int cert_fd, int key_fd)
{
	char	*cert = NULL, *key = NULL;
	size_t	 cert_len, key_len = 0;

	if (fd_read_all(cert_fd, PEM_MAX, &cert, &cert_len) == -1)
		log_warn("signing certificate");
	else if (fd_read_all(key_fd, PEM_MAX, &key, &key_len) == -1)
		log_warn("signing key");
	else
		s->key = signing_key_new(key, key_len, cert, cert_len);
	if (key != NULL)
		OPENSSL_cleanse(key, key_len);
	free(key);
	free(cert);
	return s->key != NULL ? 0 : -1;
}

/* The notices' Issuer: the certificate's organisation, else its common name. */
static int
name_issuer(struct signer *s, X509 *cert)
{
	const int		 nids[] = { NID_organizationName, NID_commonName };
	const X509_NAME		*name = X509_get_subject_name(cert);
	const ASN1_STRING	*value;
	unsigned char		*utf8;
	size_t			 i;
	int			 at, n;

	for (i = 0; i < 2 && s->issuer[0] == '\0'; i++) {
		if ((at = X509_NAME_get_index_by_NID(name, nids[i], -1)) < 0)
			continue;
		value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
		if ((n = ASN1_STRING_to_UTF8(&utf8, value)) < 0)
			continue;
		(void)str_copy(s->issuer, sizeof(s->issuer), (const char *)utf8);
		OPENSSL_free(utf8);
	}
	if (s->issuer[0] == '\0')
		log_warnx("signing certificate: its subject has neither O nor CN");
	return s->issuer[0] != '\0' ? 0 : -1;
}

/*
 * What every notice's own check would find, said once at the start: a
 * certificate that may not sign never will; one out of its term is alarmed of,
 * while the gateway goes on taking files.
 */
static int
judge_certificate(const struct signer *s, X509 *cert)
{
	struct reasons	 rs = { 0 };
	enum revocation	 revocation;
	char		 end[TIME_SIZE] = "";
	usec_t		 now = clock_now(), not_after;
	size_t		 i;
	int		 rc = 0;

	trust_judge(s->trust, cert, NULL, now, 0, &revocation, &rs);
	for (i = 0; i < rs.n; i++) {
		log_alarm("signing certificate: %s: %s: no notice can be signed with it",
		    reason_info(rs.v[i].code)->name, rs.v[i].detail);
		if (rs.v[i].code != CERT_EXPIRED)
			rc = -1;
	}
	if (cert_time(X509_get0_notAfter(cert), &not_after) == -1)
		return rc;
	time_format(not_after, end);
	if (not_after > now && not_after - now < NOTICE_TIME)
		log_warnx("signing certificate: it ends at %s, in %lld days: renew it", end,
		    (long long)((not_after - now) / DAY));
	return rc;
}

static int
load_token(struct signer *s, int cert_fd, const char *uri, const char *module, int pin_fd,
    unsigned timeout)
{
	const char	*pin = NULL;
	char		*cert = NULL, *text = NULL;
	size_t		 cert_len, text_len = 0, pin_len = 0;

	if (fd_read_all(cert_fd, PEM_MAX, &cert, &cert_len) == -1)
		log_warn("signing certificate");
	else if (pin_fd != -1 && fd_read_all(pin_fd, PIN_FILE_MAX, &text, &text_len) == -1)
		log_warn("signing_pin_file");
	else if (text == NULL || token_pin(text, text_len, &pin, &pin_len) == 0)
		s->key = token_key_new(uri, module, pin, pin_len, timeout, cert, cert_len);
	if (text != NULL)
		OPENSSL_cleanse(text, text_len);
	free(text);
	free(cert);
	return s->key != NULL ? 0 : -1;
}

static int
setup_rest(struct signer *s, int schemas_fd)
{
	X509 *const	*certs;
	size_t		 n;

	certs = signing_key_certificates(s->key, &n);
	/* Its root is seldom in the file: the self-check trusts what is there. */
	if (name_issuer(s, certs[0]) == -1 || (s->trust = trust_new_partial(certs, n)) == NULL ||
	    judge_certificate(s, certs[0]) == -1 || (s->schemas = schema_set_load(schemas_fd)) == NULL)
		return -1;
	return 0;
}

int
signer_setup(struct signer *s, int cert_fd, int key_fd, int schemas_fd)
{
	memset(s, 0, sizeof(*s));
	if (document_init() == 0 && load_key(s, cert_fd, key_fd) == 0 &&
	    setup_rest(s, schemas_fd) == 0)
		return 0;
	signer_reset(s);
	return -1;
}

int
signer_setup_token(struct signer *s, int cert_fd, const char *uri, const char *module,
    int pin, unsigned timeout, int schemas_fd)
{
	memset(s, 0, sizeof(*s));
	if (document_init() == 0 && load_token(s, cert_fd, uri, module, pin, timeout) == 0 &&
	    setup_rest(s, schemas_fd) == 0)
		return 0;
	signer_reset(s);
	return -1;
}

void
signer_reset(struct signer *s)
{
	schema_set_free(s->schemas);
	trust_free(s->trust);
	signing_key_free(s->key);
	memset(s, 0, sizeof(*s));
}

int
signer_run(const struct signer *s, const struct notice *n, int out, int lines,
    struct m_notice_file *f)
{
	struct check		*c = NULL;
	struct xmlout_watch	 watch = { .written = check_written };
	usec_t			 at = 0;
	int			 built, rc;

	memset(f, 0, sizeof(*f));
	if (s->check_from > 0 && n->line_count >= s->check_from)
		watch.arg = c = check_begin(s, n, out);
	built = notice_build(n, s->issuer, s->key, lines, out, c != NULL ? &watch : NULL, &at) == 0;
	if (c != NULL)
		rc = check_end(c, built, at, f);
	else
		rc = built ? check_file(s, n, out, at, f) : -1;
	if (rc == -1)
		return -1;
	(void)str_copy(f->id, sizeof(f->id), n->id);
	f->signed_at = at;
	return 0;
}
