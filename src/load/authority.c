/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "load/authority.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

static const char facts_sql[] =
    "SELECT s.no, s.state, coalesce(s.sha256, ''), m.code, m.kind, m.state,"
    " coalesce(u.state, ''), r.user_code IS NOT NULL,"
    " coalesce(c.user_code, ''), coalesce(cu.member_code, ''), coalesce(cu.state, ''),"
    " coalesce(c.state, '') "
    "FROM muhur.submission s "
    "JOIN muhur.member m ON m.code = s.member_code "
    "LEFT JOIN muhur.member_user u ON u.code = $2 AND u.member_code = m.code "
    "LEFT JOIN muhur.user_right r ON r.user_code = u.code AND r.message_type = $3"
    " AND r.step = 'entry' "
    "LEFT JOIN muhur.certificate c ON c.sha256 = $4 "
    "LEFT JOIN muhur.member_user cu ON cu.code = c.user_code "
    "WHERE s.id = $1::uuid";

int
authority_facts(struct db *db, const char *submission, const struct header *h,
    const struct m_verdict *v, struct facts *f)
{
	const char	*params[4] = { submission, NULL, NULL, NULL };
	PGresult	*res;
	int		 rc = -1;

	memset(f, 0, sizeof(*f));
	if (h != NULL) {
		params[1] = h->user;
		params[2] = message_type_name(h->type);
	}
	if (v != NULL && v->cert_sha256[0] != '\0')
		params[3] = v->cert_sha256;
	if ((res = db_prepared(db, "load_facts", facts_sql, 4, params)) == NULL)
		return -1;
	if (PQntuples(res) == 0) {
		rc = 0;
		goto out;
	}
	f->no = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	f->state = submission_state_by_name(PQgetvalue(res, 0, 1));
	f->has_right = PQgetvalue(res, 0, 7)[0] == 't';
	if (f->state == SUB_STATE_COUNT ||
	    str_copy(f->sha256, sizeof(f->sha256), PQgetvalue(res, 0, 2)) == -1 ||
	    str_copy(f->member, sizeof(f->member), PQgetvalue(res, 0, 3)) == -1 ||
	    str_copy(f->kind, sizeof(f->kind), PQgetvalue(res, 0, 4)) == -1 ||
	    str_copy(f->member_state, sizeof(f->member_state), PQgetvalue(res, 0, 5)) == -1 ||
	    str_copy(f->user_state, sizeof(f->user_state), PQgetvalue(res, 0, 6)) == -1 ||
	    str_copy(f->signer, sizeof(f->signer), PQgetvalue(res, 0, 8)) == -1 ||
	    str_copy(f->signer_member, sizeof(f->signer_member), PQgetvalue(res, 0, 9)) == -1 ||
	    str_copy(f->signer_state, sizeof(f->signer_state), PQgetvalue(res, 0, 10)) == -1 ||
	    str_copy(f->cert_state, sizeof(f->cert_state), PQgetvalue(res, 0, 11)) == -1) {
		log_warnx("submission %s: unreadable row", submission);
		goto out;
	}
	rc = 1;
out:
	PQclear(res);
	return rc;
}

/* A certificate is a user's only after enrolment (S2 E). */
static void
judge_certificate(const struct facts *f, struct reasons *rs)
{
	if (f->signer[0] == '\0')
		reasons_add(rs, CERT_NOT_ENROLLED, 0, NULL,
		    "the signer's certificate is enrolled for no user");
	else if (strcmp(f->cert_state, "revoked") == 0)
		reasons_add(rs, CERT_REVOKED, 0, NULL,
		    "the certificate of %s was revoked", f->signer);
	else if (strcmp(f->cert_state, "good") != 0)
		reasons_add(rs, CERT_NOT_ENROLLED, 0, NULL,
		    "the certificate of %s was withdrawn", f->signer);
	else if (strcmp(f->signer_state, "active") != 0)
		reasons_add(rs, CERT_NOT_ENROLLED, 0, NULL,
		    "the certificate's user %s is suspended", f->signer);
	else if (strcmp(f->signer_member, f->member) != 0)
		reasons_add(rs, NOT_AUTHORISED, 0, NULL,
		    "the signer is not a user of %s", f->member);
}

static const char *
sender_kind(enum message_type type)
{
	switch (type) {
	case MT_BALANCE_REPORT:
		return "platform";
	case MT_CUSTODY_REPORT:
		return "custodian";
	case MT_COUNT:
		break;
	}
	return "";
}

static void
judge_header(const struct facts *f, const struct header *h, struct reasons *rs)
{
	const char	*type = message_type_name(h->type);

	if (strcmp(h->sender, f->member) != 0) {
		reasons_add(rs, NOT_AUTHORISED, 0, "Header/SenderMemberCode",
		    "%s: sent by a user of %s", h->sender, f->member);
	} else if (strcmp(f->kind, sender_kind(h->type)) != 0) {
		reasons_add(rs, NOT_AUTHORISED, 0, "Header/MessageType",
		    "a %s sends no %s", f->kind, type);
	} else if (f->user_state[0] == '\0') {
		reasons_add(rs, NOT_AUTHORISED, 0, "Header/UserCode",
		    "%s: no user of %s", h->user, f->member);
	} else if (strcmp(f->user_state, "active") != 0) {
		reasons_add(rs, NOT_AUTHORISED, 0, "Header/UserCode",
		    "%s is suspended", h->user);
	} else if (!f->has_right) {
		reasons_add(rs, NOT_AUTHORISED, 0, "Header/UserCode",
		    "%s holds no right for %s", h->user, type);
	} else if (f->signer[0] != '\0' && strcmp(f->signer, h->user) != 0) {
		reasons_add(rs, NOT_AUTHORISED, 0, "Header/UserCode",
		    "%s: signed by %s", h->user, f->signer);
	}
}

void
authority_judge(const struct facts *f, const struct header *h,
    const struct m_verdict *v, struct reasons *rs)
{
	/* Before the signature holds, its certificate says nothing; and one that
	 * no member could use need not be looked for among theirs. */
	if (v != NULL && v->cert_sha256[0] != '\0' && reasons_stage(rs) > STAGE_CERTIFICATE)
		judge_certificate(f, rs);
	if (strcmp(f->member_state, "active") != 0)
		reasons_add(rs, MEMBER_SUSPENDED, 0, NULL, "%s is %s", f->member,
		    f->member_state);
	/* One cause is enough: who signed, then what the header claims. */
	if (h != NULL && !reasons_has(rs, NOT_AUTHORISED))
		judge_header(f, h, rs);
}
