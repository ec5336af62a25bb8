/* SPDX-License-Identifier: ISC */
/*
 * Who may come in: by the key of an enrolled certificate, or one enrolled
 * beside it; not with a revoked or expired certificate, not when suspended,
 * not without any right (S2 E).  A suspended member may fetch, not send (N3).
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "load/directory.h"
#include "model/ident.h"

/* "good now" of a certificate at $3. */
#define GOOD(c) "(muhur.certificate_state(" c ".state, " c ".good_until, $3::timestamptz) = 'good' AND " c ".not_before <= $3::timestamptz AND " \
	"$3::timestamptz < " c ".not_after)"

static const char login_sql[] =
    "SELECT u.member_code, u.state, m.state,"
    " EXISTS (SELECT FROM muhur.login_key k WHERE k.user_code = u.code AND k.blob = $2::bytea),"
    " EXISTS (SELECT FROM muhur.login_key k LEFT JOIN muhur.certificate c ON c.sha256 = k.certificate"
    "  WHERE k.user_code = u.code AND k.blob = $2::bytea"
    "  AND (k.certificate IS NULL OR " GOOD("c") ")),"
    " EXISTS (SELECT FROM muhur.certificate c WHERE c.user_code = u.code AND " GOOD("c") "),"
    " EXISTS (SELECT FROM muhur.right_held r WHERE r.user_code = u.code"
    "  AND r.valid_from <= $3::timestamptz AND coalesce($3::timestamptz < r.valid_to, true)) "
    "FROM muhur.member_user u JOIN muhur.member m ON m.code = u.member_code "
    "WHERE u.code = $1";

static const char *
why_not(const PGresult *res)
{
	if (PQntuples(res) == 0)
		return "no such user";
	if (strcmp(PQgetvalue(res, 0, 1), "active") != 0)
		return "the user is suspended";
	if (strcmp(PQgetvalue(res, 0, 2), "closed") == 0)
		return "the member is closed";
	if (PQgetvalue(res, 0, 3)[0] != 't')
		return "the key is not enrolled for this user";
	if (PQgetvalue(res, 0, 4)[0] != 't')
		return "the key's certificate is revoked, withdrawn or expired";
	if (PQgetvalue(res, 0, 5)[0] != 't')
		return "the user has no good, unexpired certificate";
	if (PQgetvalue(res, 0, 6)[0] != 't')
		return "the user holds no right";
	return NULL;
}

/* Durable, unlike what muhurd would tell again after a crash of the database
 * (directory.c): synchronous_commit is set for this one statement, which so
 * costs no further round trip. */
static int
record_login(struct db *db, const char *user)
{
	char		 when[TIME_SIZE];
	const char	*params[] = { when, user };

	time_format(clock_now(), when);
	return db_prepared_exec(db, "login_event",
	    "INSERT INTO muhur.event (at, kind, actor, detail) SELECT $1::timestamptz, 'login',"
	    " $2, '{}' FROM set_config('synchronous_commit', 'on', true)", 2, params) == 1 ? 0 : -1;
}

static void
refuse(struct m_login_result *r, const char *why)
{
	r->ok = 0;
	r->may_send = 0;
	r->member[0] = '\0';
	(void)snprintf(r->why, sizeof(r->why), "%s", why);
}

void
login_judge(struct directory *d, const struct m_login *login, struct m_login_result *r)
{
	char		 blob[2 + 2 * SSH_MAX_KEY_BLOB + 1], now[TIME_SIZE];
	const char	*params[] = { login->user, blob, now };
	const char	*why;
	PGresult	*res = NULL;

	memset(r, 0, sizeof(*r));
	if (!user_code_ok(login->user)) {
		refuse(r, "not the form of a user code");
		return;
	}
	(void)str_copy(r->user, sizeof(r->user), login->user);
	(void)memcpy(blob, "\\x", 2);
	hex_encode(login->key, login->key_len, blob + 2);
	time_format(clock_now(), now);
	if (!link_up(&d->link) ||
	    (res = db_prepared(&d->link.db, "login", login_sql, 3, params)) == NULL) {
		link_recover(&d->link);
		refuse(r, "the database is away");
		return;
	}
	if ((why = why_not(res)) != NULL)
		refuse(r, why);
	else {
		r->ok = 1;
		(void)str_copy(r->member, sizeof(r->member), PQgetvalue(res, 0, 0));
		r->may_send = strcmp(PQgetvalue(res, 0, 2), "active") == 0;
		if (login->proved && record_login(&d->link.db, r->user) == -1) {
			link_recover(&d->link);
			refuse(r, "the login could not be recorded");
		}
	}
	PQclear(res);
}
