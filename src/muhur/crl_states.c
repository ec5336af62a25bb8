/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "muhur/crl.h"
#include "muhur/enrol.h"

struct states {
	struct cmd	*c;
	const struct crl_set *set;
	struct trust	*trust[MEMBER_KIND_COUNT];
	usec_t		 now;
	char		 now_text[TIME_SIZE];
	long		 unknown;	/* certificates of which the CRLs say nothing */
};

/* Content-addressed: what judged a submission stays readable. */
static void
keep(struct states *s, const struct crl *crl)
{
	char this_update[TIME_SIZE], next_update[TIME_SIZE], *text;
	struct buf der = { 0 };
	const char *params[] = { crl->sha256, crl->issuer, crl->number[0] != '\0' ? crl->number : NULL,
	    crl->delta ? "t" : "f", this_update, next_update, NULL, s->now_text };

	time_format(crl->this_update, this_update);
	time_format(crl->next_update, next_update);
	if (crl_der(crl, &der) == -1)
		fatalx("CRL of %s: cannot be written", crl->issuer);
	text = xcalloc(2 * der.len + 3, 1);
	memcpy(text, "\\x", 2);
	hex_encode(der.data, der.len, text + 2);
	params[6] = text;
	if (cmd_exec(s->c, "INSERT INTO muhur.crl (sha256, issuer, number, delta, this_update, next_update, der, "
	    "kept_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING", 8, params) == 1)
		cmd_event(s->c, "crl-kept", NULL, json_pack("{s:s, s:s, s:s?, s:s, s:s}", "sha256", crl->sha256,
		    "issuer", crl->issuer, "number", params[2], "thisUpdate", this_update, "nextUpdate", next_update));
	free(text);
	buf_free(&der);
}

/* As a submission's signer would be judged now.  NULL where the CRLs do not
 * tell: then the row stays as it is, and documents are refused anyway. */
static const char *
revocation_of(struct states *s, enum member_kind kind, X509 *cert)
{
	struct reasons *rs = xcalloc(1, sizeof(*rs));
	enum revocation revocation;

	trust_judge(s->trust[kind], cert, NULL, s->now, 1, &revocation, rs);
	free(rs);
	switch (revocation) {
	case REVOCATION_GOOD:
		return "";
	case REVOCATION_REVOKED:
		return crl_set_on_hold(s->set, cert) ? "hold" : "crl";
	case REVOCATION_UNKNOWN:
	case REVOCATION_NOT_JUDGED:
		break;
	}
	return NULL;
}

static void
change(struct states *s, const char *sha256, const char *user, const char *revocation)
{
	int good = revocation[0] == '\0';
	const char *params[] = { sha256, good ? "good" : "revoked", good ? NULL : revocation, s->now_text };

	cmd_exec(s->c, "UPDATE muhur.certificate SET state = $2, revocation = $3, state_since = $4 "
	    "WHERE sha256 = $1", 4, params);
	cmd_event(s->c, good ? "certificate-released" : "certificate-revoked", NULL,
	    json_pack("{s:s, s:s, s:s?}", "certificate", sha256, "user", user, "by", params[2]));
	if (s->c->json)
		cmd_json(json_pack("{s:s, s:s, s:s, s:s?}", "certificate", sha256, "user", user,
		    "state", params[1], "revocation", params[2]));
	else
		printf("%s: certificate %.16s: %s%s\n", user, sha256, good ? "good again" : "revoked",
		    strcmp(revocation, "hold") == 0 ? " (on hold)" : "");
}

/* Revoked once is revoked, though its issuer may drop it from its list when it
 * has expired (RFC 5280 3.3): only what was on hold is released. */
static void
judge(struct states *s, const char *sha256, const char *user, const char *before, enum member_kind kind,
    X509 *cert)
{
	const char *now = revocation_of(s, kind, cert);

	if (now == NULL)
		s->unknown++;
	else if (strcmp(now, before) != 0 && (before[0] == '\0' || strcmp(before, "hold") == 0))
		change(s, sha256, user, now);
}

X509 *
crl_enrolled(const PGresult *res, int row, int column)
{
	unsigned char *der;
	const unsigned char *p;
	X509 *cert = NULL;
	size_t len;

	der = PQunescapeBytea((const unsigned char *)PQgetvalue(res, row, column), &len);
	if ((p = der) != NULL)
		cert = d2i_X509(NULL, &p, (long)len);
	PQfreemem(der);
	return cert;
}

static void
judge_all(struct states *s)
{
	const char *params[] = { s->now_text };
	PGresult *res;
	X509 *cert;
	int i;

	/* what an operator has decided, no CRL takes back */
	res = cmd_query(s->c, "SELECT c.sha256, c.user_code, coalesce(c.revocation, ''), c.der, m.kind "
	    "FROM muhur.certificate c JOIN muhur.member m ON m.code = left(c.user_code, -3) "
	    "WHERE (c.state = 'good' OR c.revocation IN ('crl', 'hold')) AND c.not_after > $1::timestamptz "
	    "ORDER BY c.sha256 FOR UPDATE OF c", 1, params);
	for (i = 0; i < PQntuples(res); i++) {
		if ((cert = crl_enrolled(res, i, 3)) == NULL)
			fatalx("certificate %s: cannot be read", PQgetvalue(res, i, 0));
		judge(s, PQgetvalue(res, i, 0), PQgetvalue(res, i, 1), PQgetvalue(res, i, 2),
		    member_kind_by_name(PQgetvalue(res, i, 4)), cert);
		X509_free(cert);
	}
	PQclear(res);
	ERR_clear_error();
}

/* As the gateway's processes judge: the anchors of each kind of member. */
static int
load_trust(struct states *s)
{
	const struct conf *conf = cmd_conf(s->c);
	size_t i;
	int k;

	for (k = 0; k < MEMBER_KIND_COUNT; k++) {
		if ((s->trust[k] = enrol_trust(conf, (enum member_kind)k)) == NULL)
			return -1;
		trust_set_crl_grace(s->trust[k], conf->crl_grace);
		for (i = 0; i < s->set->n; i++)
			if (trust_add_crl(s->trust[k], s->set->v[i].x) == -1)
				return -1;
	}
	return 0;
}

int
crl_write_states(struct cmd *c, const struct crl_set *set)
{
	struct states s = { .c = c, .set = set, .now = clock_now() };
	int rc = EXIT_ENVIRONMENT, k;
	size_t i;

	time_format(s.now, s.now_text);
	if (load_trust(&s) == -1)
		goto out;
	cmd_begin(c);
	for (i = 0; i < set->n; i++)
		keep(&s, &set->v[i]);
	judge_all(&s);
	cmd_commit(c);
	if (s.unknown > 0)
		log_warnx("of %ld enrolled certificates nobody can tell whether they are revoked: "
		    "`muhur crl list' shows which CRLs there are", s.unknown);
	rc = s.unknown > 0 ? EXIT_NO : EXIT_YES;
out:
	for (k = 0; k < MEMBER_KIND_COUNT; k++)
		trust_free(s.trust[k]);
	return rc;
}
