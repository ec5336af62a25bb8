/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "load/authority.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/ident.h"

/* Any right of that step that the user holds for the sender, or, of other
 * types, the right for this type ($6: the type has a target). */
#define MAY(step) "CASE WHEN $6::boolean THEN EXISTS (SELECT FROM muhur.right_held r" \
	" WHERE r.user_code = $2 AND r.member_code = $5 AND r.step = '" step "'" \
	" AND r.valid_from <= s.received_at AND (r.valid_to IS NULL OR s.received_at < r.valid_to))" \
	" ELSE muhur.may($2, $5, $3, '" step "', s.received_at) END"

enum column {
	C_NO, C_STATE, C_SHA, C_UPLOADER, C_UPLOADER_STATE, C_KIND, C_SENDER_STATE, C_USER_STATE,
	C_ENTER, C_APPROVE, C_TWO, C_SIGNER, C_SIGNER_MEMBER, C_SIGNER_STATE,
	C_SIGNER_MEMBER_STATE, C_CERT_STATE
};

static const char facts_sql[] =
    "SELECT s.no, s.state, coalesce(s.sha256, ''), um.code, um.state,"
    " coalesce(sm.kind, ''), coalesce(sm.state, ''), coalesce(u.state, ''),"
    " " MAY("entry") ", " MAY("approval") ", coalesce(muhur.needs_two($5, $3, s.received_at), false),"
    " coalesce(c.user_code, ''), coalesce(cu.member_code, ''), coalesce(cu.state, ''),"
    " coalesce(cm.state, ''),"
    " coalesce(muhur.certificate_state(c.state, c.good_until, s.received_at), '') "
    "FROM muhur.submission s "
    "JOIN muhur.member um ON um.code = left(s.uploader, -3) "
    "LEFT JOIN muhur.member sm ON sm.code = $5 "
    "LEFT JOIN muhur.member_user u ON u.code = $2 "
    "LEFT JOIN muhur.certificate c ON c.sha256 = $4 "
    "LEFT JOIN muhur.member_user cu ON cu.code = c.user_code "
    "LEFT JOIN muhur.member cm ON cm.code = cu.member_code "
    "WHERE s.id = $1::uuid";

static int
read_facts(const PGresult *res, struct facts *f)
{
#define TEXT(field, column) str_copy(f->field, sizeof(f->field), PQgetvalue(res, 0, column))
	f->no = strtoll(PQgetvalue(res, 0, C_NO), NULL, 10);
	f->state = submission_state_by_name(PQgetvalue(res, 0, C_STATE));
	f->may_enter = PQgetvalue(res, 0, C_ENTER)[0] == 't';
	f->may_approve = PQgetvalue(res, 0, C_APPROVE)[0] == 't';
	f->needs_two = PQgetvalue(res, 0, C_TWO)[0] == 't';
	return f->state == SUB_STATE_COUNT || TEXT(sha256, C_SHA) == -1 ||
	    TEXT(uploader, C_UPLOADER) == -1 || TEXT(uploader_state, C_UPLOADER_STATE) == -1 ||
	    TEXT(kind, C_KIND) == -1 || TEXT(sender_state, C_SENDER_STATE) == -1 ||
	    TEXT(user_state, C_USER_STATE) == -1 || TEXT(signer, C_SIGNER) == -1 ||
	    TEXT(signer_member, C_SIGNER_MEMBER) == -1 ||
	    TEXT(signer_state, C_SIGNER_STATE) == -1 ||
	    TEXT(signer_member_state, C_SIGNER_MEMBER_STATE) == -1 ||
	    TEXT(cert_state, C_CERT_STATE) == -1 ? -1 : 0;
#undef TEXT
}

/* May the header's user say this for the sender?  What decides about another
 * message needs either step; which one, and for which type, the target tells. */
static int
holds_right(const struct facts *f, const struct header *h)
{
	return f->may_enter || (message_type_has_target(h->type) && f->may_approve);
}

/* The sender answers for what its own user sent, or the user's whom it lets act. */
static int
sender_answers(const struct facts *f, const struct header *h)
{
	char	own[MEMBER_CODE_SIZE];

	return f->kind[0] != '\0' && holds_right(f, h) && (strcmp(f->uploader, h->sender) == 0 ||
	    (user_code_member(h->user, own) == 0 && strcmp(f->uploader, own) == 0));
}

int
authority_facts(struct db *db, const char *submission, const struct header *h,
    const struct m_verdict *v, struct facts *f)
{
	const char	*params[6] = { submission, NULL, NULL, NULL, NULL, "f" };
	PGresult	*res;
	int		 rc = -1;

	memset(f, 0, sizeof(*f));
	if (h != NULL) {
		params[1] = h->user;
		params[2] = message_type_name(h->type);
		params[4] = h->sender;
		params[5] = message_type_has_target(h->type) ? "t" : "f";
	}
	if (v != NULL && v->cert_sha256[0] != '\0')
		params[3] = v->cert_sha256;
	if ((res = db_prepared(db, "load_facts", facts_sql, 6, params)) == NULL)
		return -1;
	if (PQntuples(res) == 0) {
		rc = 0;
		goto out;
	}
	if (read_facts(res, f) == -1) {
		log_warnx("submission %s: unreadable row", submission);
		goto out;
	}
	(void)str_copy(f->member, sizeof(f->member),
	    h != NULL && sender_answers(f, h) ? h->sender : f->uploader);
	rc = 1;
out:
	PQclear(res);
	return rc;
}

/* A certificate is a user's only after enrolment (S2 E). */
static void
judge_certificate(const struct facts *f, const struct header *h, struct reasons *rs)
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
	/* Another member's user signs only what is said for the uploader's member;
	 * judge_header asks for the right. */
	else if (strcmp(f->signer_member, f->uploader) != 0 &&
	    (h == NULL || strcmp(h->sender, f->uploader) != 0))
		reasons_add(rs, NOT_AUTHORISED, 0, NULL,
		    "the signer %s is not a user of %s, whose user sent it", f->signer, f->uploader);
}

static void
judge_header(const struct facts *f, const struct header *h, struct reasons *rs)
{
	const char	*type = message_type_name(h->type);

	if (f->kind[0] == '\0') {
		reasons_add(rs, NOT_AUTHORISED, 0, "Header/SenderMemberCode",
		    "%s: there is no such member", h->sender);
	} else if (!message_type_may_be_from(h->type, f->kind)) {
		reasons_add(rs, NOT_AUTHORISED, 0, "Header/MessageType",
		    "a %s sends no %s", f->kind, type);
	} else if (f->user_state[0] == '\0') {
		reasons_add(rs, NOT_AUTHORISED, 0, "Header/UserCode",
		    "%s: there is no such user", h->user);
	} else if (strcmp(f->user_state, "active") != 0) {
		reasons_add(rs, NOT_AUTHORISED, 0, "Header/UserCode",
		    "%s is suspended", h->user);
	} else if (!holds_right(f, h)) {
		reasons_add(rs, NOT_AUTHORISED, 0, "Header/UserCode",
		    "%s holds no right for %s of %s", h->user, type, h->sender);
	} else if (f->signer[0] != '\0' && strcmp(f->signer, h->user) != 0) {
		reasons_add(rs, NOT_AUTHORISED, 0, "Header/UserCode",
		    "%s: signed by %s", h->user, f->signer);
	}
}

static void
judge_state(const char *member, const char *state, struct reasons *rs)
{
	if (state[0] != '\0' && strcmp(state, "active") != 0 && !reasons_has(rs, MEMBER_SUSPENDED))
		reasons_add(rs, MEMBER_SUSPENDED, 0, NULL, "%s is %s", member, state);
}

void
authority_judge(const struct facts *f, const struct header *h,
    const struct m_verdict *v, struct reasons *rs)
{
	/* Before the signature holds, its certificate says nothing; and one that
	 * no member could use need not be looked for among theirs. */
	if (v != NULL && v->cert_sha256[0] != '\0' && reasons_stage(rs) > STAGE_CERTIFICATE)
		judge_certificate(f, h, rs);
	judge_state(f->uploader, f->uploader_state, rs);
	if (h != NULL && strcmp(h->sender, f->member) == 0)
		judge_state(h->sender, f->sender_state, rs);
	if (v != NULL)
		judge_state(f->signer_member, f->signer_member_state, rs);
	/* One cause is enough: who signed, then what the header claims. */
	if (h != NULL && !reasons_has(rs, NOT_AUTHORISED))
		judge_header(f, h, rs);
}
