/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "load/approval.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define PATH	"Targets/Target"

enum column {
	C_WANTED_ID, C_WANTED_SHA, C_NO, C_ID, C_UPLOADER, C_FILE, C_STATE, C_SHA, C_TYPE, C_USER,
	C_DATE, C_REPLACES, C_REPLACED, C_ENTER, C_APPROVE, C_ENTRY, C_TWO, C_RECEIVED, C_DECIDED
};

/* $1 the member, $2 the Approval's number, $3 its user; rights are those at its
 * receipt. */
static const char target_sql[] =
    "SELECT a.message_id, a.sha256, coalesce(t.no, 0), coalesce(t.id::text, ''),"
    " coalesce(t.uploader, ''), coalesce(t.file_name, ''), coalesce(t.state, 'received'),"
    " coalesce(t.sha256, ''), coalesce(t.message_type, ''), coalesce(t.user_code, ''),"
    " coalesce(t.business_date, date '1970-01-01'), coalesce(t.replaces, 0),"
    " coalesce(r.state = 'accepted', false),"
    " muhur.may($3, $1, t.message_type, 'entry', s.received_at),"
    " muhur.may($3, $1, t.message_type, 'approval', s.received_at),"
    " muhur.may(t.user_code, $1, t.message_type, 'entry', s.received_at)"
    "  AND u.state = 'active' AND m.state = 'active',"
    " coalesce(muhur.needs_two($1, t.message_type, s.received_at), false),"
    " coalesce((extract(epoch FROM t.received_at) * 1000000)::bigint, 0),"
    " (extract(epoch FROM s.received_at) * 1000000)::bigint "
    "FROM muhur.approval_target a "
    "JOIN muhur.submission s ON s.no = a.submission "
    "LEFT JOIN muhur.submission t ON t.member_code = $1 AND t.message_id = a.message_id"
    " AND t.reserves_id AND t.no <> s.no "
    "LEFT JOIN muhur.submission r ON r.no = t.replaces "
    "LEFT JOIN muhur.member_user u ON u.code = t.user_code "
    "LEFT JOIN muhur.member m ON m.code = u.member_code "
    "WHERE a.submission = $2::bigint";

static int
read_target(const PGresult *res, struct target *t)
{
#define TEXT(field, column) str_copy(t->field, sizeof(t->field), PQgetvalue(res, 0, column))
#define IS(column) (PQgetvalue(res, 0, column)[0] == 't')
	memset(t, 0, sizeof(*t));
	t->no = strtoll(PQgetvalue(res, 0, C_NO), NULL, 10);
	t->state = submission_state_by_name(PQgetvalue(res, 0, C_STATE));
	t->replaces = strtoll(PQgetvalue(res, 0, C_REPLACES), NULL, 10);
	t->replaces_in_effect = IS(C_REPLACED);
	t->may_enter = IS(C_ENTER);
	t->may_approve = IS(C_APPROVE);
	t->entry_right = IS(C_ENTRY);
	t->needs_two = IS(C_TWO);
	t->sub.received_at = strtoll(PQgetvalue(res, 0, C_RECEIVED), NULL, 10);
	t->decided_at = strtoll(PQgetvalue(res, 0, C_DECIDED), NULL, 10);
	return t->state == SUB_STATE_COUNT || TEXT(message_id, C_WANTED_ID) == -1 ||
	    TEXT(wanted, C_WANTED_SHA) == -1 || TEXT(sub.id, C_ID) == -1 ||
	    TEXT(sub.user, C_UPLOADER) == -1 || TEXT(sub.name, C_FILE) == -1 ||
	    TEXT(sha256, C_SHA) == -1 || TEXT(message_type, C_TYPE) == -1 ||
	    TEXT(user, C_USER) == -1 ||
	    date_parse(PQgetvalue(res, 0, C_DATE), &t->business_date) == -1 ? -1 : 0;
#undef IS
#undef TEXT
}

int
approval_target(struct db *db, const struct conf *conf, const struct facts *f,
    const struct header *h, struct target *t)
{
	char		 no[24];
	const char	*params[] = { f->member, no, h->user };
	PGresult	*res;
	int		 rc = -1;

	(void)snprintf(no, sizeof(no), "%lld", f->no);
	if ((res = db_prepared(db, "approval_target", target_sql, 3, params)) == NULL)
		return -1;
	/* one, says the schema */
	if (PQntuples(res) != 1 || read_target(res, t) == -1)
		log_warnx("submission %lld: what it decides about cannot be read", f->no);
	else {
		t->deadline = outcome_deadline(conf, t->message_type, t->business_date,
		    t->sub.received_at);
		rc = 0;
	}
	PQclear(res);
	return rc;
}

/* Does what it names exist, as it says, and does it wait? */
static void
judge_reference(const struct header *h, const struct target *t, struct reasons *rs)
{
	char	date[DATE_SIZE];

	date_format(t->business_date, date);
	if (t->no == 0)
		reasons_add(rs, REFERENCE_UNKNOWN, 0, PATH, "%s: %s sent no such message",
		    t->message_id, h->sender);
	else if (strcmp(t->sha256, t->wanted) != 0)
		reasons_add(rs, REFERENCE_UNKNOWN, 0, PATH, "%s has the SHA-256 %s",
		    t->message_id, t->sha256);
	else if (t->state != SUB_WAITING)
		reasons_add(rs, REFERENCE_UNKNOWN, 0, PATH, "%s is %s, and does not wait",
		    t->message_id, submission_state_name(t->state));
	else if (t->decided_at >= t->deadline)
		reasons_add(rs, REFERENCE_UNKNOWN, 0, PATH,
		    "the cut-off was before this came, and %s waits no more", t->message_id);
	else if (t->business_date != h->business_date)
		reasons_add(rs, REFERENCE_UNKNOWN, 0, "Header/BusinessDate", "%s is of %s",
		    t->message_id, date);
	else if (h->type == MT_APPROVAL && t->replaces != 0 && !t->replaces_in_effect)
		reasons_add(rs, REFERENCE_UNKNOWN, 0, PATH,
		    "what %s corrects is not in effect any more", t->message_id);
}

/* Approval is for who holds that right, cancellation for who holds either; an
 * entry whose right was withdrawn, or whose user or its member was suspended,
 * cannot take effect any more; and where two are asked for, two it must be. */
static void
judge_right(const struct header *h, const struct target *t, struct reasons *rs)
{
	int	may = t->may_approve || (h->type == MT_CANCELLATION && t->may_enter);

	if (!may)
		reasons_add(rs, NOT_AUTHORISED, 0, "Header/UserCode",
		    "%s may not %s the %s %s", h->user,
		    h->type == MT_APPROVAL ? "approve" : "cancel", t->message_type, t->message_id);
	else if (h->type != MT_APPROVAL)
		return;
	else if (!t->entry_right)
		reasons_add(rs, NOT_AUTHORISED, 0, PATH,
		    "%s, who entered %s, may not any more", t->user, t->message_id);
	else if (t->needs_two && strcmp(t->user, h->user) == 0)
		reasons_add(rs, NOT_AUTHORISED, 0, "Header/UserCode",
		    "%s was entered by %s, and another one has to approve it", t->message_id,
		    t->user);
}

void
approval_judge(const struct header *h, const struct target *t, struct reasons *rs)
{
	judge_reference(h, t, rs);
	if (t->no != 0)
		judge_right(h, t, rs);
}

int
approval_apply(struct db *db, const struct conf *conf, const struct outcome *by,
    const struct target *t)
{
	struct header		 own = { .type = message_type_by_name(t->message_type),
				     .business_date = t->business_date };
	struct outcome		 o = { .no = t->no, .sub = &t->sub, .member = by->member,
				     .sha256 = t->sha256, .header = &own,
				     .actor = by->header->user,	/* who signed, not who sent */
				     .replaces = t->replaces, .decided_at = t->decided_at,
				     .event = by->header->type == MT_APPROVAL ? EV_APPROVE : EV_CANCEL };
	enum submission_state	 to;

	return outcome_settle(db, conf, &o, by->no, &to);
}
