/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "load/authorization.h"

#include <stdio.h>

#include "load/found.h"

int
authorization_apply(struct db *db, long long no, const char *by, usec_t at, struct reasons *rs)
{
	char		 number[24], when[TIME_SIZE];
	const char	*params[] = { number, by, when };

	(void)snprintf(number, sizeof(number), "%lld", no);
	time_format(at, when);
	return found_reasons(db_prepared(db, "authorization_apply", "SELECT code, line, path, detail "
	    "FROM muhur.apply_authorization($1::bigint, $2, $3::timestamptz)", 3, params), rs);
}

int
authorization_event(struct db *db, const char *actor, long long no, usec_t now)
{
	char		 when[TIME_SIZE], number[24];
	const char	*params[] = { when, actor, number };

	(void)snprintf(number, sizeof(number), "%lld", no);
	time_format(now, when);
	return db_prepared_exec(db, "authorization_event",
	    "INSERT INTO muhur.event (at, kind, actor, submission, detail) SELECT $1::timestamptz, 'rights-changed',"
	    " $2, $3::bigint, jsonb_build_object('changes', count(*)) FROM muhur.authorization_change"
	    " WHERE submission = $3::bigint", 3, params) == 1 ? 0 : -1;
}

int
authorization_report(struct db *db, const char *member, long long no, usec_t now)
{
	char		 when[TIME_SIZE], day[DATE_SIZE], number[24];
	const char	*params[] = { member, when, day, number };

	(void)snprintf(number, sizeof(number), "%lld", no);
	time_format(now, when);
	date_format(istanbul_date(now), day);
	return db_prepared_exec(db, "authorization_report",
	    "SELECT muhur.report_rights(m, $2::timestamptz, $3::date) FROM (SELECT $1 UNION"
	    " SELECT left(user_code, -3) FROM muhur.authorization_change"
	    " WHERE submission = $4::bigint ORDER BY 1) AS x (m)", 4, params) == -1 ? -1 : 0;
}
