/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "model/cutoffs.h"

#include "base/log.h"
#include "model/header.h"

int
cutoffs_check(const struct conf *conf)
{
	const char *name;
	enum message_type t;
	size_t i;
	int rc = 0;

	for (i = 0; i < conf->ncutoffs; i++) {
		name = conf->cutoffs[i].message_type;
		t = message_type_by_name(name);
		if (t == MT_COUNT)
			log_warnx("cutoff_types: \"%s\" is no message type", name);
		else if (message_type_has_target(t))
			log_warnx("cutoff_types: \"%s\" has no cut-off of its own: that of what it decides about holds",
			    name);
		else
			continue;
		rc = -1;
	}
	return rc;
}
