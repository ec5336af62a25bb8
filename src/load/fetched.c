/* SPDX-License-Identifier: ISC */
/* Downloads of notices, recorded. */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "load/array.h"
#include "load/directory.h"

/*
 * Which notice it was: the one of that member and file name, whose bytes never
 * change; of another size it is none of ours.  A user's first download of a
 * notice is an event, and so is the one that made it whole: not each, else a
 * client could fill the trail.  What fits no notice is the answer.
 */
static const char fetched_sql[] =
    "WITH v AS (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[],"
    "  $5::timestamptz[], $6::int8multirange[]) AS v (recipient, name, user_code, size, at, ranges)), "
    "g AS MATERIALIZED (SELECT n.no, n.submission, n.sha256, n.file_name, n.size, v.user_code,"
    "  min(v.at) AS first_at, max(v.at) AS last_at, count(*) AS fetches,"
    "  muhur.range_join(range_agg(v.ranges), '{}') AS ranges"
    " FROM v JOIN muhur.notice n ON n.recipient = v.recipient AND n.file_name = v.name"
    "  AND n.size = v.size AND n.sha256 IS NOT NULL GROUP BY n.no, v.user_code), "
    "old AS MATERIALIZED (SELECT f.notice, f.user_code, f.whole FROM muhur.notice_fetch f"
    " JOIN g ON g.no = f.notice AND g.user_code = f.user_code), "
    "u AS (INSERT INTO muhur.notice_fetch AS f (notice, user_code, first_at, last_at, whole_at,"
    "  fetches, size, ranges) SELECT no, user_code, first_at, last_at,"
    "  CASE WHEN muhur.range_bytes(ranges) >= size THEN last_at END, fetches, size, ranges"
    " FROM g ORDER BY no, user_code"
    " ON CONFLICT (notice, user_code) DO UPDATE SET last_at = greatest(f.last_at, excluded.last_at),"
    "  whole_at = CASE WHEN f.whole_at IS NOT NULL THEN f.whole_at"
    "   WHEN muhur.range_bytes(muhur.range_join(f.ranges, excluded.ranges)) >= f.size"
    "   THEN excluded.last_at END,"
    "  fetches = f.fetches + excluded.fetches, ranges = muhur.range_join(f.ranges, excluded.ranges)"
    " RETURNING f.notice, f.user_code, f.last_at, f.bytes, f.whole), "
    "e AS (INSERT INTO muhur.event (at, kind, actor, submission, notice, detail)"
    " SELECT u.last_at, 'fetched', u.user_code, g.submission, u.notice, jsonb_build_object("
    "  'user', u.user_code, 'sha256', g.sha256, 'file', g.file_name, 'bytes', u.bytes, 'whole', u.whole)"
    " FROM u JOIN g ON g.no = u.notice AND g.user_code = u.user_code"
    " LEFT JOIN old ON old.notice = u.notice AND old.user_code = u.user_code"
    " WHERE old.notice IS NULL OR u.whole AND NOT old.whole ORDER BY u.notice, u.user_code) "
    "SELECT v.recipient, v.name, v.user_code FROM v WHERE NOT EXISTS (SELECT FROM muhur.notice n"
    " WHERE n.recipient = v.recipient AND n.file_name = v.name AND n.size = v.size"
    " AND n.sha256 IS NOT NULL)";

int
fetched_keep(struct directory *d, const struct msg *m)
{
	if (d->nfetched == FETCHES_AT_ONCE || get_m_fetched(m, &d->fetched[d->nfetched]) == -1)
		return -1;
	d->fetched_tag = m->tag;
	d->nfetched++;
	return 0;
}

/* "{[0,100),[200,300)}" */
static void
add_ranges(struct buf *array, const struct byte_ranges *r)
{
	struct buf	 b = { 0 };
	unsigned	 i;

	for (i = 0; i < r->n; i++)
		(void)buf_printf(&b, "%c[%lld,%lld)", i == 0 ? '{' : ',', r->v[i].from, r->v[i].to);
	(void)buf_puts(&b, "}");
	array_add(array, b.data);
	buf_free(&b);
}

static PGresult *
write_fetched(struct directory *d)
{
	struct buf	 a[6] = { { 0 } };
	char		 when[TIME_SIZE];
	const char	*params[6];
	PGresult	*res;
	size_t		 i;

	for (i = 0; i < d->nfetched; i++) {
		const struct m_fetched *f = &d->fetched[i];

		time_format(f->at, when);
		array_add(&a[0], f->recipient);
		array_add(&a[1], f->file_name);
		array_add(&a[2], f->user);
		array_add_number(&a[3], f->size);
		array_add(&a[4], when);
		add_ranges(&a[5], &f->ranges);
	}
	for (i = 0; i < 6; i++)
		params[i] = array_end(&a[i]);
	res = db_prepared(&d->link.db, "fetched", fetched_sql, 6, params);
	for (i = 0; i < 6; i++)
		buf_free(&a[i]);
	return res;
}

int
fetched_write(struct directory *d)
{
	PGresult	*res;
	int		 i, rc;

	if (d->nfetched == 0)
		return 0;
	/* muhurd forgets them after our answer */
	if (directory_begin_durable(d) == -1 || (res = write_fetched(d)) == NULL)
		return -1;
	if ((rc = db_commit(&d->link.db)) == 0) {
		for (i = 0; i < PQntuples(res); i++)
			log_alarm("%s fetched %s of %s, which is no notice that was signed",
			    PQgetvalue(res, i, 2), PQgetvalue(res, i, 1), PQgetvalue(res, i, 0));
		d->nfetched = 0;
		if (msg_send(&d->chan, M_FETCHED_KEPT, d->fetched_tag, NULL, 0, NULL, 0) == -1)
			log_warn("muhurd");
	}
	PQclear(res);
	return rc;
}
