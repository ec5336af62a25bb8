/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "load/response.h"

#include <stdio.h>

#include "load/found.h"

int
response_judge(struct db *db, long long no, struct reasons *rs)
{
	char		 number[24];
	const char	*params[] = { number };

	(void)snprintf(number, sizeof(number), "%lld", no);
	return found_reasons(db_prepared(db, "response_judge", "SELECT code, line, path, detail "
	    "FROM muhur.judge_response($1::bigint)", 1, params), rs);
}

int
response_apply(struct db *db, long long no, usec_t now)
{
	char		 number[24], when[TIME_SIZE];
	const char	*params[] = { number, when };

	(void)snprintf(number, sizeof(number), "%lld", no);
	time_format(now, when);
	return db_prepared_exec(db, "response_apply",
	    "SELECT muhur.explain_breaks($1::bigint, $2::timestamptz)", 2, params) == -1 ? -1 : 0;
}
