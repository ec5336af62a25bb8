/* SPDX-License-Identifier: ISC */
/*
 * Warnings that a certificate ends: 30, 7 and 1 days before, once each, as
 * signed notices to its user's member (S2 E: a member replaces an expiring
 * one).  Who was away for longer gets the nearest one only.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "load/directory.h"
#include "pg/store.h"

#define WARN_INTERVAL	(60 * USEC_PER_SEC)	/* between two looks */

/* Not of one that was replaced or is to be withdrawn: its end is known.  A
 * clock that was put back brings no earlier warning again. */
static const char due_sql[] =
    "SELECT c.sha256, u.member_code, d.days, u.code "
    "FROM muhur.certificate c JOIN muhur.member_user u ON u.code = c.user_code "
    "JOIN muhur.member m ON m.code = u.member_code "
    "CROSS JOIN LATERAL (SELECT min(x) AS days FROM unnest(ARRAY[1, 7, 30]) x"
    " WHERE c.not_after <= $1::timestamptz + x * interval '1 day') d "
    "WHERE c.state = 'good' AND c.good_until IS NULL AND c.not_after > $1::timestamptz"
    " AND d.days IS NOT NULL AND m.state <> 'closed'"
    " AND NOT EXISTS (SELECT FROM muhur.certificate_warning w"
    "  WHERE w.certificate = c.sha256 AND w.days <= d.days) "
    "ORDER BY c.not_after, c.sha256 LIMIT 200";

static int
warn(struct directory *d, const PGresult *res, int row, usec_t now)
{
	struct store_notice	 n = { .kind = NK_CERTIFICATE_EXPIRY, .issued_at = now };
	char			 name[FILE_NAME_SIZE], date[DATE_SIZE], no_text[24];
	const char		*params[] = { PQgetvalue(res, row, 0), PQgetvalue(res, row, 2), no_text };
	long long		 no;

	date_format(istanbul_date(now), date);
	(void)snprintf(name, sizeof(name), "%s.%s.%s-%.16s-%sd.xml", notice_kind_name(n.kind), date,
	    PQgetvalue(res, row, 3), params[0], params[1]);
	n.recipient = PQgetvalue(res, row, 1);
	n.file_name = name;
	if (store_notice(&d->link.db, &n, &no) == -1)
		return -1;
	(void)snprintf(no_text, sizeof(no_text), "%lld", no);
	return db_prepared_exec(&d->link.db, "certificate_warned",
	    "INSERT INTO muhur.certificate_warning (certificate, days, notice) VALUES ($1, $2, $3)",
	    3, params) == 1 ? 0 : -1;
}

static int
warn_all(struct directory *d, usec_t now, int *n)
{
	char		 when[TIME_SIZE];
	const char	*params[] = { when };
	PGresult	*res;
	int		 i, rc = -1;

	time_format(now, when);
	/* another gateway's directory may look at the same time */
	if (db_begin(&d->link.db) == -1 || db_exec(&d->link.db,
	    "SELECT pg_advisory_xact_lock(hashtext('muhur.certificate_warning'))", 0, NULL) == -1)
		return -1;
	if ((res = db_prepared(&d->link.db, "certificates_due", due_sql, 1, params)) == NULL)
		return -1;
	*n = PQntuples(res);
	for (i = 0; i < *n; i++)
		if (warn(d, res, i, now) == -1)
			goto out;
	rc = db_commit(&d->link.db);
out:
	PQclear(res);
	return rc;
}

int
expiry_warn(struct directory *d)
{
	int	 n;

	if (clock_monotonic() < d->next_expiry)
		return 0;
	if (warn_all(d, clock_now(), &n) == -1)
		return -1;
	if (n > 0)
		d->look_sign = 1;
	d->next_expiry = clock_monotonic() + WARN_INTERVAL;
	return 0;
}
