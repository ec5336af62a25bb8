/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "load/found.h"

#include <stdlib.h>

#include "base/log.h"

int
found_reasons(PGresult *res, struct reasons *rs)
{
	enum reason_code code;
	int		 i, rc = res == NULL ? -1 : 0;

	for (i = 0; rc == 0 && i < PQntuples(res); i++) {
		if ((code = reason_by_name(PQgetvalue(res, i, 0))) == REASON_COUNT) {
			log_warnx("%s: is no reason code", PQgetvalue(res, i, 0));
			rc = -1;
		} else
			reasons_add(rs, code, strtol(PQgetvalue(res, i, 1), NULL, 10),
			    PQgetvalue(res, i, 2), "%s", PQgetvalue(res, i, 3));
	}
	PQclear(res);
	return rc;
}
