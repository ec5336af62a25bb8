/* SPDX-License-Identifier: ISC */
/*
 * Who may come in: by the key of an enrolled certificate, or one enrolled
 * beside it; not with a revoked or expired certificate, not when suspended,
 * not without any right (S2 E).  A suspended member may fetch, not send (N3);
 * what compliance and the regulator see beside is theirs by right (019-sight.sql).
 * The same judges, again and again, the sessions that are in.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "load/array.h"
#include "load/directory.h"
#include "model/ident.h"

/* "good now" of a certificate at $3. */
#define GOOD(c) "(muhur.certificate_state(" c ".state, " c ".good_until, $3::timestamptz) = 'good'" \
	" AND " c ".not_before <= $3::timestamptz AND " \
	"$3::timestamptz < " c ".not_after)"

/* A row for each of the users $1 with the keys $2. */
static const char login_sql[] =
    "SELECT u.member_code, u.state, m.state,"
    " EXISTS (SELECT FROM muhur.login_key k WHERE k.user_code = u.code AND k.blob = q.blob),"
    " EXISTS (SELECT FROM muhur.login_key k LEFT JOIN muhur.certificate c ON c.sha256 = k.certificate"
    "  WHERE k.user_code = u.code AND k.blob = q.blob"
    "  AND (k.certificate IS NULL OR " GOOD("c") ")),"
    " EXISTS (SELECT FROM muhur.certificate c WHERE c.user_code = u.code AND " GOOD("c") "),"
    " EXISTS (SELECT FROM muhur.right_held r WHERE r.user_code = u.code"
    "  AND r.valid_from <= $3::timestamptz AND coalesce($3::timestamptz < r.valid_to, true)),"
    " muhur.sees(u.code, 'Trail', $3::timestamptz), muhur.sees(u.code, 'Archive', $3::timestamptz) "
    "FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS q (code, blob, no)"
    " LEFT JOIN muhur.member_user u ON u.code = q.code"
    " LEFT JOIN muhur.member m ON m.code = u.member_code "
    "ORDER BY q.no";

static const char *
why_not(const PGresult *res, int row)
{
	if (PQgetisnull(res, row, 0))
		return "no such user";
	if (strcmp(PQgetvalue(res, row, 1), "active") != 0)
		return "the user is suspended";
	if (strcmp(PQgetvalue(res, row, 2), "closed") == 0)
		return "the member is closed";
	if (PQgetvalue(res, row, 3)[0] != 't')
		return "the key is not enrolled for this user";
	if (PQgetvalue(res, row, 4)[0] != 't')
		return "the key's certificate is revoked, withdrawn or expired";
	if (PQgetvalue(res, row, 5)[0] != 't')
		return "the user has no good, unexpired certificate";
	if (PQgetvalue(res, row, 6)[0] != 't')
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
	memset(&r->may, 0, sizeof(r->may));
	r->member[0] = '\0';
	(void)snprintf(r->why, sizeof(r->why), "%s", why);
}

/* What the database says of each of n logins; 0, or -1 where it is away. */
static int
judge(struct directory *d, const struct m_login *logins, struct m_login_result *results,
    size_t n)
{
	char		 blob[2 + 2 * SSH_MAX_KEY_BLOB + 1], now[TIME_SIZE];
	struct buf	 users = { 0 }, blobs = { 0 };
	const char	*params[3], *why;
	PGresult	*res;
	size_t		 i;

	(void)memcpy(blob, "\\x", 2);
	for (i = 0; i < n; i++) {
		hex_encode(logins[i].key, logins[i].key_len, blob + 2);
		array_add(&users, logins[i].user);
		array_add(&blobs, blob);
	}
	time_format(clock_now(), now);
	params[0] = array_end(&users);
	params[1] = array_end(&blobs);
	params[2] = now;
	res = db_prepared(&d->link.db, "login", login_sql, 3, params);
	buf_free(&users);
	buf_free(&blobs);
	if (res == NULL || (size_t)PQntuples(res) != n) {
		PQclear(res);
		return -1;
	}
	for (i = 0; i < n; i++) {
		memset(&results[i], 0, sizeof(results[i]));
		(void)str_copy(results[i].user, sizeof(results[i].user), logins[i].user);
		if ((why = why_not(res, (int)i)) != NULL) {
			refuse(&results[i], why);
			continue;
		}
		results[i].ok = 1;
		results[i].may.may_send = strcmp(PQgetvalue(res, (int)i, 2), "active") == 0;
		results[i].may.sees_trail = PQgetvalue(res, (int)i, 7)[0] == 't';
		results[i].may.sees_archives = PQgetvalue(res, (int)i, 8)[0] == 't';
		(void)str_copy(results[i].member, sizeof(results[i].member),
		    PQgetvalue(res, (int)i, 0));
	}
	PQclear(res);
	return 0;
}

void
login_judge(struct directory *d, const struct m_login *login, struct m_login_result *r)
{
	memset(r, 0, sizeof(*r));
	if (!user_code_ok(login->user)) {
		refuse(r, "not the form of a user code");
		return;
	}
	(void)str_copy(r->user, sizeof(r->user), login->user);
	if (!link_up(&d->link) || judge(d, login, r, 1) == -1) {
		link_recover(&d->link);
		refuse(r, "the database is away");
		return;
	}
	if (r->ok && login->proved && record_login(&d->link.db, r->user) == -1) {
		link_recover(&d->link);
		refuse(r, "the login could not be recorded");
	}
}

int
login_keep_review(struct directory *d, const struct msg *m)
{
	struct m_login	*login = &d->reviews[d->nreviews];

	if (d->nreviews == REVIEWS_MAX || get_m_login(m, login) == -1 ||
	    !user_code_ok(login->user))
		return -1;
	d->review_tags[d->nreviews++] = m->tag;
	return 0;
}

int
login_answer_reviews(struct directory *d)
{
	struct m_login_result	 results[REVIEWS_MAX];
	struct buf		 b = { 0 };
	size_t			 i;

	if (d->nreviews == 0 || (clock_monotonic() < d->review_after &&
	    d->link.connects == d->review_connects))
		return 0;
	if (judge(d, d->reviews, results, d->nreviews) == -1) {
		/* a lock, most likely: other work is not to wait for it again and again */
		d->review_after = clock_monotonic() + REVIEW_PAUSE;
		d->review_connects = d->link.connects;
		return -1;
	}
	for (i = 0; i < d->nreviews; i++) {
		buf_reset(&b);
		put_m_login_result(&b, &results[i]);
		/* muhurd's end is found by reading */
		(void)msg_send(&d->chan, M_DIR_REVIEWED, d->review_tags[i], b.data, b.len,
		    NULL, 0);
	}
	buf_free(&b);
	d->nreviews = 0;
	return 0;
}
