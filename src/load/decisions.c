/* SPDX-License-Identifier: ISC */
/* What an operator decided about held submissions: once more, or refused. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "load/directory.h"
#include "load/outcome.h"
#include "model/ident.h"

struct decision {
	long long	 no;
	struct m_submission sub;
	char		 member[MEMBER_CODE_SIZE];
	struct m_submission_state answer;
	int		 reject;
};

static int
read_decision(const PGresult *res, int row, struct decision *x)
{
	memset(x, 0, sizeof(*x));
	x->no = strtoll(PQgetvalue(res, row, 0), NULL, 10);
	x->reject = strcmp(PQgetvalue(res, row, 3), "reject") == 0;
	if (str_copy(x->sub.id, sizeof(x->sub.id), PQgetvalue(res, row, 1)) == -1 ||
	    str_copy(x->sub.user, sizeof(x->sub.user), PQgetvalue(res, row, 2)) == -1 ||
	    str_copy(x->answer.id, sizeof(x->answer.id), PQgetvalue(res, row, 1)) == -1 ||
	    str_copy(x->answer.sha256, sizeof(x->answer.sha256), PQgetvalue(res, row, 4)) == -1)
		return -1;
	return user_code_member(x->sub.user, x->member);
}

static int
carry_out(struct directory *d, struct decision *x)
{
	struct outcome	 o = { .no = x->no, .sub = &x->sub, .member = x->member,
			     .sha256 = x->answer.sha256, .actor = "operator",
			     .event = x->reject ? EV_REJECT : EV_RETRY };
	struct reasons	 rs = { 0 };

	/* The notice names the digest; muhur submission reject fills it in. */
	if (x->reject && x->answer.sha256[0] == '\0') {
		log_alarm("submission %s: rejected by an operator, but its SHA-256 is "
		    "not recorded; it stays held", x->sub.id);
		return 0;
	}
	reasons_add(&rs, PROCESSING_FAILED, 0, NULL, "decided by the operator");
	o.reasons = &rs;
	if (directory_begin_durable(d) == -1 ||
	    outcome_operator(&d->link.db, &o, SUB_HELD, &x->answer.state) == -1 ||
	    db_commit(&d->link.db) == -1)
		return -1;
	log_info("submission %s: %s by an operator's decision", x->sub.id,
	    submission_state_name(x->answer.state));
	return 1;
}

static int
tell(struct directory *d, const struct m_submission_state *s)
{
	struct buf	 b = { 0 };
	int		 rc;

	put_m_submission_state(&b, s);
	rc = msg_send(&d->chan, M_SUB_STATE, 0, b.data, b.len, NULL, 0);
	buf_free(&b);
	return rc;
}

int
decisions_run(struct directory *d)
{
	struct decision	 x;
	PGresult	*res;
	int		 i, done, rc = 0;

	res = db_prepared(&d->link.db, "decisions",
	    "SELECT no, id, uploader, operator_decision, coalesce(sha256, '') "
	    "FROM muhur.submission WHERE state = 'held' AND operator_decision IS NOT NULL "
	    "ORDER BY no LIMIT 100", 0, NULL);
	if (res == NULL)
		return -1;
	for (i = 0; rc == 0 && i < PQntuples(res); i++) {
		if (read_decision(res, i, &x) == -1) {
			log_warnx("submission %s: unreadable row", PQgetvalue(res, i, 1));
			continue;
		}
		if ((done = carry_out(d, &x)) == -1)
			rc = -1;
		else if (done && tell(d, &x.answer) == -1)
			rc = -1;
	}
	PQclear(res);
	return rc;
}
