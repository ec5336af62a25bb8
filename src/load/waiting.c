/* SPDX-License-Identifier: ISC */
/*
 * What waits for its approval is dropped, with a notice, at the cut-off of its
 * day; what came after that, at the next one (S2 A: without approval an entry has
 * no effect).
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "load/directory.h"
#include "load/outcome.h"

#define DECIDE_WAIT	(10 * 60 * USEC_PER_SEC)	/* after the cut-off */

struct waiting {
	long long	 no;
	struct m_submission sub;
	char		 member[MEMBER_CODE_SIZE];
	char		 sha256[SHA256_HEX_SIZE];
	struct header	 header;		/* its type and business date alone */
};

static int
read_waiting(const PGresult *res, int row, struct waiting *x)
{
#define TEXT(field, column) str_copy(x->field, sizeof(x->field), PQgetvalue(res, row, column))
	memset(x, 0, sizeof(*x));
	x->header.type = message_type_by_name(PQgetvalue(res, row, 7));
	x->no = strtoll(PQgetvalue(res, row, 0), NULL, 10);
	x->sub.received_at = strtoll(PQgetvalue(res, row, 6), NULL, 10);
	return x->header.type == MT_COUNT || TEXT(sub.id, 1) == -1 || TEXT(sub.user, 2) == -1 ||
	    TEXT(member, 3) == -1 || TEXT(sha256, 4) == -1 ||
	    date_parse(PQgetvalue(res, row, 5), &x->header.business_date) == -1 ? -1 : 0;
#undef TEXT
}

/* Has all that came before that moment been decided?  An Approval that was in
 * time counts, however long its verification takes; but what is stuck does not
 * hold everything for ever. */
static int
all_decided(struct directory *d, usec_t at)
{
	char		 when[TIME_SIZE];
	const char	*params[] = { when };
	PGresult	*res;
	int		 rc;

	if (clock_now() >= at + DECIDE_WAIT)
		return 1;
	time_format(at, when);
	res = db_prepared(&d->link.db, "waiting_undecided", "SELECT FROM muhur.submission "
	    "WHERE state = 'received' AND received_at < $1::timestamptz LIMIT 1", 1, params);
	rc = res == NULL ? -1 : PQntuples(res) == 0;
	PQclear(res);
	return rc;
}

static int
drop(struct directory *d, const struct waiting *x, usec_t at)
{
	struct outcome		 o = { .no = x->no, .sub = &x->sub, .member = x->member,
				     .sha256 = x->sha256, .header = &x->header,
				     .actor = "gateway", .event = EV_EXPIRE };
	struct reasons		 rs = { 0 };
	enum submission_state	 to;
	char			 when[TIME_SIZE];

	time_format(at, when);
	reasons_add(&rs, BUSINESS_DATE, 0, "Header/BusinessDate",
	    "it was not approved before the cut-off at %s", when);
	o.reasons = &rs;
	if (directory_begin_durable(d) == -1 ||
	    outcome_settle(&d->link.db, d->conf, &o, 0, &to) == -1 ||
	    db_commit(&d->link.db) == -1)
		return -1;
	log_info("submission %s: dropped, since it was not approved", x->sub.id);
	return 0;
}

int
waiting_expire(struct directory *d)
{
	struct waiting	 x;
	PGresult	*res;
	usec_t		 at;
	int		 i, rc = 0;

	res = db_prepared(&d->link.db, "waiting",
	    "SELECT no, id, uploader, member_code, sha256, business_date,"
	    " (extract(epoch FROM received_at) * 1000000)::bigint, message_type "
	    "FROM muhur.submission WHERE state = 'waiting' ORDER BY no", 0, NULL);
	if (res == NULL)
		return -1;
	for (i = 0; rc != -1 && i < PQntuples(res); i++) {
		if (read_waiting(res, i, &x) == -1)
			log_warnx("submission %s: unreadable row", PQgetvalue(res, i, 1));
		else if ((at = outcome_deadline(d->conf, PQgetvalue(res, i, 7), x.header.business_date,
		    x.sub.received_at)) <= clock_now() && (rc = all_decided(d, at)) == 1)
			rc = drop(d, &x, at);
	}
	PQclear(res);
	return rc == -1 ? -1 : 0;
}
