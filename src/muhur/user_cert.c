/* SPDX-License-Identifier: ISC */
/*
 * muhur user cert: a user's certificates (S2 E: the registry loads them, each
 * is matched to a user, an expiring one is replaced).  A replaced one stays
 * good until a moment, so that what is on its way is not lost.
 */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "document/pipeline.h"
#include "muhur/crl.h"
#include "muhur/user_cert.h"

#define PREFIX_MIN	8	/* digits of a certificate's SHA-256 that name it */
#define OVERLAP		(7 * 86400 * USEC_PER_SEC)	/* --until, where it is not given */

/* --- reading and storing ---------------------------------------------------- */

/* The kind of the user's member; MEMBER_UNKNOWN where there is none, which
 * whoever stores the certificate will find. */
static enum member_kind
kind_of(struct cmd *c, const char *user)
{
	const char *params[] = { user };
	PGresult *res = cmd_query(c, "SELECT kind FROM muhur.member WHERE code = left($1, -3)", 1, params);
	enum member_kind kind = PQntuples(res) == 1 ? member_kind_by_name(PQgetvalue(res, 0, 0)) : MEMBER_UNKNOWN;

	PQclear(res);
	return kind;
}

int
user_cert_read(struct cmd *c, const char *user, const char *path, struct enrol_certificate *e)
{
	const struct conf *conf = cmd_conf(c);
	struct crl_set set = { 0 };
	struct trust *trust = NULL;
	char *pem = NULL;
	size_t len, i;
	int rc = EXIT_ENVIRONMENT, judged;

	if (file_read_all(path, KEY_FILE_MAX, &pem, &len) == -1) {
		log_warn("%s", path);
		goto out;
	}
	if (document_init() == -1 || (trust = enrol_trust(conf, kind_of(c, user))) == NULL ||
	    crl_in_force(conf, &set) == -1)
		goto out;
	for (i = 0; i < set.n; i++)
		if (trust_add_crl(trust, set.v[i].x) == -1)
			goto out;
	judged = enrol_certificate(e, path, pem, len, trust, clock_now());
	rc = judged == 0 ? EXIT_YES : judged == 1 ? EXIT_NO : EXIT_ENVIRONMENT;
out:
	crl_set_free(&set);
	trust_free(trust);
	free(pem);
	return rc;
}

char *
user_bytea(const struct buf *b)
{
	char *text = xcalloc(2 * b->len + 3, 1);

	text[0] = '\\';
	text[1] = 'x';
	hex_encode(b->data, b->len, text + 2);
	return text;
}

/* Nobody else may hold the certificate, or its key under another one; and a key
 * whose certificate was revoked does not come back in a new one.  One enrolment
 * at a time: two operators would each find it free. */
static int
check_owner(struct cmd *c, const char *user, const char *path, const struct enrol_certificate *e,
    const char *key)
{
	const char *params[] = { e->sha256, user, key };
	PGresult *res;
	int rc = EXIT_NO;

	PQclear(cmd_query(c, "SELECT pg_advisory_xact_lock(hashtextextended('muhur.enrol', 0))", 0, NULL));
	res = cmd_query(c, "SELECT user_code, CASE WHEN state = 'good' THEN 'replaced' ELSE state END "
	    "FROM muhur.certificate WHERE sha256 = $1 "
	    "AND (user_code <> $2 OR state <> 'good' OR good_until IS NOT NULL) "
	    "UNION ALL SELECT user_code, 'key' FROM muhur.login_key "
	    "WHERE blob = $3::bytea AND certificate IS NOT NULL AND user_code <> $2 "
	    "UNION ALL SELECT k.user_code, 'key' FROM muhur.login_key k "
	    "JOIN muhur.certificate x ON x.sha256 = k.certificate AND x.state = 'revoked' "
	    "WHERE k.blob = $3::bytea AND k.user_code = $2 AND x.sha256 <> $1", 3, params);
	if (PQntuples(res) == 0)
		rc = EXIT_YES;
	else if (strcmp(PQgetvalue(res, 0, 1), "key") == 0 && strcmp(PQgetvalue(res, 0, 0), user) == 0)
		log_warnx("%s: its key is that of a revoked certificate of %s; a new key is needed", path, user);
	else if (strcmp(PQgetvalue(res, 0, 0), user) == 0)
		log_warnx("%s: this certificate of %s is %s; a new one is needed", path,
		    user, PQgetvalue(res, 0, 1));
	else
		log_warnx("%s: this certificate%s is user %s's; each user needs one of its own", path,
		    strcmp(PQgetvalue(res, 0, 1), "key") == 0 ? "'s key" : "", PQgetvalue(res, 0, 0));
	PQclear(res);
	return rc;
}

int
user_cert_store(struct cmd *c, const char *user, const char *path,
    const struct enrol_certificate *e, const char *now)
{
	char from[TIME_SIZE], to[TIME_SIZE], *der = user_bytea(&e->der), *key = user_bytea(&e->key);
	const char *params[] = { e->sha256, user, der, e->subject, e->issuer, e->serial, from, to, now };
	const char *login[] = { user, key, e->sha256, now };
	int rc;

	time_format(e->not_before, from);
	time_format(e->not_after, to);
	if ((rc = check_owner(c, user, path, e, key)) == EXIT_YES) {
		cmd_exec(c, "INSERT INTO muhur.certificate (sha256, user_code, der, subject, issuer, serial, "
		    "not_before, not_after, enrolled_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
		    "ON CONFLICT DO NOTHING", 9, params);
		/* a renewed certificate of the same key: the key goes with the newer one */
		cmd_exec(c, "INSERT INTO muhur.login_key (user_code, blob, certificate, enrolled_at) "
		    "VALUES ($1, $2, $3, $4) ON CONFLICT (user_code, blob) DO UPDATE "
		    "SET certificate = excluded.certificate", 4, login);
	}
	free(der);
	free(key);
	return rc;
}

/* --- which one ----------------------------------------------------------------- */

/* The user's row, locked until the transaction ends: two operators at once
 * would else each see the other's certificate as the one that stays. */
static int
lock_user(struct cmd *c, const char *user)
{
	const char *params[] = { user };
	PGresult *res = cmd_query(c, "SELECT FROM muhur.member_user WHERE code = $1 FOR NO KEY UPDATE", 1, params);
	int n = PQntuples(res);

	PQclear(res);
	if (n == 0)
		log_warnx("%s: is no user; `muhur user list'", user);
	return n == 0 ? EXIT_NO : EXIT_YES;
}

struct chosen {
	char	sha256[SHA256_HEX_SIZE];
	char	state[16];		/* now: one whose overlap is over is withdrawn */
};

/* The user's certificate whose SHA-256 begins so.  EXIT_NO (said) for none,
 * or more than one. */
static int
choose(struct cmd *c, const char *user, const char *prefix, const char *now, struct chosen *chosen)
{
	const char *params[] = { user, prefix, now };
	size_t len = strlen(prefix);
	PGresult *res;
	int rc = EXIT_NO;

	if (len < PREFIX_MIN || len >= SHA256_HEX_SIZE || strspn(prefix, "0123456789abcdef") != len) {
		log_warnx("%s: name a certificate by its SHA-256, %d digits of it at least; "
		    "`muhur user cert list %s'", prefix, PREFIX_MIN, user);
		return EXIT_USAGE;
	}
	res = cmd_query(c, "SELECT sha256, muhur.certificate_state(state, good_until, $3::timestamptz) "
	    "FROM muhur.certificate WHERE user_code = $1 AND starts_with(sha256, $2)", 3, params);
	if (PQntuples(res) != 1)
		log_warnx("%s: %s of user %s begins with %s; `muhur user cert list %s'", user,
		    PQntuples(res) == 0 ? "no certificate" : "more than one certificate", user, prefix, user);
	else if (str_copy(chosen->sha256, sizeof(chosen->sha256), PQgetvalue(res, 0, 0)) == 0 &&
	    str_copy(chosen->state, sizeof(chosen->state), PQgetvalue(res, 0, 1)) == 0)
		rc = EXIT_YES;
	PQclear(res);
	return rc;
}

/* --at, --until: a moment that is not over.  EXIT_USAGE (said) for others. */
static int
read_moment(const char *option, const char *text, usec_t now, usec_t *t)
{
	int zoned;

	if (time_parse(text, t, &zoned) == 0 && *t >= now)
		return EXIT_YES;
	log_warnx("%s %s: give a moment that is to come, as 2026-11-21T15:00:00Z; without a zone it is Istanbul's",
	    option, text);
	return EXIT_USAGE;
}

/* --- the verbs ------------------------------------------------------------------- */

static int
cert_assign(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "cert", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 }
	};
	struct enrol_certificate e = { 0 };
	const char *path = NULL, *user;
	char now[TIME_SIZE];
	int ch, rc;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (ch != 'c')
			return cmd_usage(c);
		path = optarg;
	}
	if (optind + 1 != argc || path == NULL)
		return cmd_usage(c);
	user = argv[optind];
	(void)cmd_now(c, now);
	if ((rc = user_cert_read(c, user, path, &e)) != EXIT_YES)
		goto out;
	cmd_begin(c);
	if ((rc = lock_user(c, user)) != EXIT_YES || (rc = user_cert_store(c, user, path, &e, now)) != EXIT_YES)
		goto out;	/* the open transaction ends with the connection */
	cmd_event(c, "certificate-assigned", NULL, json_pack("{s:s, s:s}", "user", user,
	    "certificate", e.sha256));
	cmd_commit(c);
	cmd_done(c, "certificate assigned", user);
out:
	enrol_free(&e);
	return rc;
}

static int
cert_list(struct cmd *c, int argc, char **argv)
{
	static const char *const names[] = { "user", "-certificate", "sha256", "state", "revocation", "-validFrom",
	    "validUntil", "goodUntil", "-stateSince", "-enrolledAt", "subject", "-issuer", "-serial" };
	char now[TIME_SIZE];
	const char *params[] = { argc == 2 ? argv[1] : NULL, now };
	PGresult *res;

	if (argc > 2)
		return cmd_usage(c);
	(void)cmd_now(c, now);
	res = cmd_query(c, "SELECT user_code, sha256, left(sha256, 16), "
	    "muhur.certificate_state(state, good_until, $2::timestamptz), revocation, " SQL_TIME("not_before") ", "
	    SQL_TIME("not_after") ", " SQL_TIME("good_until") ", "
	    SQL_TIME("CASE WHEN state = 'good' AND good_until <= $2::timestamptz THEN good_until ELSE state_since END") ", "
	    SQL_TIME("enrolled_at") ", subject, issuer, serial FROM muhur.certificate "
	    "WHERE $1::text IS NULL OR user_code = $1 ORDER BY user_code COLLATE \"C\", enrolled_at, sha256", 2, params);
	if (argc == 2 && PQntuples(res) == 0) {	/* a user without one is not enrolled */
		log_warnx("%s: is no user; `muhur user list'", argv[1]);
		PQclear(res);
		return EXIT_NO;
	}
	cmd_rows(c, res, names);
	PQclear(res);
	return EXIT_YES;
}

/* The good ones that are there (old: that one alone) end at until. */
static int
end_replaced(struct cmd *c, const char *user, const char *new, const char *old, const char *until, const char *now)
{
	const char *params[] = { user, new, old, until, now };

	if (cmd_exec(c, "UPDATE muhur.certificate SET good_until = least(good_until, $4::timestamptz) "
	    "WHERE user_code = $1 AND sha256 <> $2 AND ($3::text IS NULL OR sha256 = $3) "
	    "AND muhur.certificate_state(state, good_until, $5::timestamptz) = 'good'", 5, params) > 0)
		return EXIT_YES;
	log_warnx("%s: has no %scertificate but this one to be replaced; `muhur user cert assign' gives a first one", user,
	    old != NULL ? "such good " : "good ");
	return EXIT_NO;
}

static int
store_replacement(struct cmd *c, const char *user, const char *path, const char *prefix,
    const struct enrol_certificate *e, const char *until)
{
	struct chosen old = { .sha256 = "" };
	char now[TIME_SIZE];
	int rc;

	(void)cmd_now(c, now);
	cmd_begin(c);
	if ((rc = lock_user(c, user)) != EXIT_YES ||
	    (prefix != NULL && (rc = choose(c, user, prefix, now, &old)) != EXIT_YES) ||
	    (rc = user_cert_store(c, user, path, e, now)) != EXIT_YES ||
	    (rc = end_replaced(c, user, e->sha256, prefix != NULL ? old.sha256 : NULL, until, now)) != EXIT_YES)
		return rc;
	cmd_event(c, "certificate-replaced", NULL, json_pack("{s:s, s:s, s:s?, s:s}", "user", user,
	    "certificate", e->sha256, "old", prefix != NULL ? old.sha256 : NULL,
	    "goodUntil", until));
	cmd_commit(c);
	cmd_done(c, "certificate replaced", user);
	return EXIT_YES;
}

static int
cert_replace(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "cert", required_argument, NULL, 'c' },
		{ "old", required_argument, NULL, 'o' },
		{ "until", required_argument, NULL, 'u' },
		{ NULL, 0, NULL, 0 }
	};
	const char *path = NULL, *old = NULL, *until_text = NULL;
	struct enrol_certificate e = { 0 };
	char until[TIME_SIZE];
	usec_t now, t;
	int ch, rc;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (ch) {
		case 'c': path = optarg; break;
		case 'o': old = optarg; break;
		case 'u': until_text = optarg; break;
		default: return cmd_usage(c);
		}
	}
	if (optind + 1 != argc || path == NULL)
		return cmd_usage(c);
	(void)cmd_conf(c);		/* the clock's offset */
	now = clock_now();
	t = now + OVERLAP;
	if (until_text != NULL && (rc = read_moment("--until", until_text, now, &t)) != EXIT_YES)
		return rc;
	time_format(t, until);
	if ((rc = user_cert_read(c, argv[optind], path, &e)) == EXIT_YES)
		rc = store_replacement(c, argv[optind], path, old, &e, until);
	enrol_free(&e);
	return rc;
}

static int
cert_withdraw(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "at", required_argument, NULL, 'a' },
		{ NULL, 0, NULL, 0 }
	};
	char now[TIME_SIZE], at[TIME_SIZE];
	const char *params[3] = { NULL, at, now }, *at_text = NULL;
	struct chosen chosen;
	usec_t t;
	int ch, rc;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (ch != 'a')
			return cmd_usage(c);
		at_text = optarg;
	}
	if (optind + 2 != argc)
		return cmd_usage(c);
	(void)cmd_now(c, now);
	t = clock_now();
	if (at_text != NULL && (rc = read_moment("--at", at_text, t, &t)) != EXIT_YES)
		return rc;
	time_format(t, at);
	cmd_begin(c);
	if ((rc = lock_user(c, argv[optind])) != EXIT_YES ||
	    (rc = choose(c, argv[optind], argv[optind + 1], now, &chosen)) != EXIT_YES)
		return rc;
	if (strcmp(chosen.state, "good") != 0) {
		log_warnx("%s: the certificate %.16s is %s", argv[optind], chosen.sha256, chosen.state);
		return EXIT_NO;
	}
	params[0] = chosen.sha256;
	if (at_text != NULL)
		cmd_exec(c, "UPDATE muhur.certificate SET good_until = $2::timestamptz WHERE sha256 = $1", 2, params);
	else
		cmd_exec(c, "UPDATE muhur.certificate SET state = 'withdrawn', state_since = $2::timestamptz "
		    "WHERE sha256 = $1", 2, params);
	cmd_event(c, "certificate-withdrawn", NULL, json_pack("{s:s, s:s, s:s}", "user", argv[optind],
	    "certificate", chosen.sha256, "at", at));
	cmd_commit(c);
	cmd_done(c, at_text != NULL ? "certificate to be withdrawn" : "certificate withdrawn", argv[optind]);
	return EXIT_YES;
}

/* At once and for good: what is signed with it and not yet decided is refused
 * too.  One that was withdrawn may be revoked still; one on hold becomes final. */
static int
cert_revoke(struct cmd *c, int argc, char **argv)
{
	char now[TIME_SIZE];
	const char *params[2] = { NULL, now };
	struct chosen chosen;
	int rc;

	if (argc != 3)
		return cmd_usage(c);
	(void)cmd_now(c, now);
	cmd_begin(c);
	if ((rc = lock_user(c, argv[1])) != EXIT_YES || (rc = choose(c, argv[1], argv[2], now, &chosen)) != EXIT_YES)
		return rc;
	params[0] = chosen.sha256;
	if (cmd_exec(c, "UPDATE muhur.certificate SET state = 'revoked', revocation = 'local', "
	    "state_since = $2::timestamptz WHERE sha256 = $1 AND (state <> 'revoked' OR revocation = 'hold')",
	    2, params) == 0) {
		log_warnx("%s: the certificate %.16s is revoked already", argv[1], chosen.sha256);
		return EXIT_NO;
	}
	cmd_event(c, "certificate-revoked", NULL, json_pack("{s:s, s:s, s:s}", "user", argv[1],
	    "certificate", chosen.sha256, "by", "local"));
	cmd_commit(c);
	cmd_done(c, "certificate revoked", argv[1]);
	return EXIT_YES;
}

int
user_cert(struct cmd *c, int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
		{ "assign", cert_assign, "user cert assign USERCODE --cert PEM" },
		{ "list", cert_list, "user cert list [USERCODE]" },
		{ "replace", cert_replace, "user cert replace USERCODE --cert PEM [--old CERT] [--until TIME]" },
		{ "withdraw", cert_withdraw, "user cert withdraw USERCODE CERT [--at TIME]" },
		{ "revoke", cert_revoke, "user cert revoke USERCODE CERT" },
	};
	static char name[] = "user cert";

	argv[0] = name;		/* cmd_dispatch puts it before the verb's */
	return cmd_dispatch(c, argc, argv, verbs, sizeof(verbs) / sizeof(verbs[0]));
}
