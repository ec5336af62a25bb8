/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "load/decide.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

int
decide_lock(struct db *db, const char *member)
{
	const char	*params[] = { member };

	return db_prepared_exec(db, "load_lock", "SELECT pg_advisory_xact_lock("
	    "hashtextextended('muhur.member:' || $1, 0))", 1, params) == -1 ? -1 : 0;
}

static int
read_earlier(const PGresult *res, int row, struct earlier *e)
{
	e->no = strtoll(PQgetvalue(res, row, 1), NULL, 10);
	e->accepted = strcmp(PQgetvalue(res, row, 3), "accepted") == 0;
	return str_copy(e->id, sizeof(e->id), PQgetvalue(res, row, 2)) == -1 ||
	    str_copy(e->message_type, sizeof(e->message_type), PQgetvalue(res, row, 4)) == -1 ||
	    str_copy(e->business_date, sizeof(e->business_date), PQgetvalue(res, row, 5)) == -1 ?
	    -1 : 0;
}

int
decide_references(struct db *db, const struct facts *f, const struct header *h,
    const char *sha256, struct references *refs)
{
	char		 no[24];
	const char	*params[5] = { f->member, no, sha256, NULL, NULL };
	PGresult	*res;
	int		 i, rc = 0;

	memset(refs, 0, sizeof(*refs));
	(void)snprintf(no, sizeof(no), "%lld", f->no);
	if (h != NULL) {
		params[3] = h->message_id;
		params[4] = h->replaces[0] == '\0' ? NULL : h->replaces;
	}
#define EARLIER "no, id, state, coalesce(message_type, ''), coalesce(business_date::text, '') " \
	"FROM muhur.submission WHERE member_code = $1 AND no <> $2::bigint AND "
	res = db_prepared(db, "load_references",
	    "SELECT 'b', " EARLIER "counted AND sha256 = $3 "
	    "UNION ALL SELECT 'i', " EARLIER "reserves_id AND message_id = $4 "
	    "UNION ALL SELECT 'r', " EARLIER "reserves_id AND message_id = $5", 5, params);
#undef EARLIER
	if (res == NULL)
		return -1;
	for (i = 0; i < PQntuples(res); i++) {
		switch (PQgetvalue(res, i, 0)[0]) {
		case 'b':
			rc |= read_earlier(res, i, &refs->same_bytes);
			break;
		case 'i':
			rc |= read_earlier(res, i, &refs->same_id);
			break;
		default:
			rc |= read_earlier(res, i, &refs->replaced);
		}
	}
	if (rc != 0)
		log_warnx("submission %lld: unreadable rows beside it", f->no);
	PQclear(res);
	return rc == 0 ? 0 : -1;
}

void
decide_date(const struct header *h, usec_t received_at, struct reasons *rs)
{
	char	 date[DATE_SIZE], closed[DATE_SIZE];
	date_t	 last = last_closed_day(received_at);

	date_format(h->business_date, date);
	date_format(last, closed);
	if (h->business_date > last)
		reasons_add(rs, BUSINESS_DATE, 0, "Header/BusinessDate",
		    "%s: the last closed day is %s", date, closed);
	else if (h->business_date < last - DECIDE_MAX_AGE)
		reasons_add(rs, BUSINESS_DATE, 0, "Header/BusinessDate",
		    "%s: more than %d days before the last closed day, %s", date,
		    DECIDE_MAX_AGE, closed);
}

void
decide_content(const struct header *h, const struct references *refs, struct reasons *rs)
{
	const struct earlier	*old = &refs->replaced;
	char			 date[DATE_SIZE];

	if (refs->same_id.no != 0)
		reasons_add(rs, DUPLICATE, 0, "Header/MessageId",
		    "%s is taken by submission %s", h->message_id, refs->same_id.id);
	if (h->replaces[0] == '\0' || reasons_has(rs, BUSINESS_DATE))
		return;
	date_format(h->business_date, date);
	/* What was done by it stays done: only reports are corrected (S2 A). */
	if (message_type_class(h->type) != MC_DAY)
		reasons_add(rs, REFERENCE_UNKNOWN, 0, "Header/ReplacesMessageId",
		    "%s: no %s is corrected", h->replaces, message_type_name(h->type));
	else if (old->no == 0)
		reasons_add(rs, REFERENCE_UNKNOWN, 0, "Header/ReplacesMessageId",
		    "%s: %s sent no such message", h->replaces, h->sender);
	else if (strcmp(old->message_type, message_type_name(h->type)) != 0 ||
	    strcmp(old->business_date, date) != 0)
		reasons_add(rs, REFERENCE_UNKNOWN, 0, "Header/ReplacesMessageId",
		    "%s is a %s of %s", h->replaces, old->message_type, old->business_date);
	else if (!old->accepted)
		reasons_add(rs, REFERENCE_UNKNOWN, 0, "Header/ReplacesMessageId",
		    "%s is not in effect", h->replaces);
}
