/* SPDX-License-Identifier: ISC */
/* What the database finds wrong with a submission's records, as reasons. */
#ifndef MUHUR_LOAD_FOUND_H
#define MUHUR_LOAD_FOUND_H

#include <libpq-fe.h>

#include "model/reason.h"

/* Rows of code, line, path, detail; res, which may be NULL, is cleared.  0, or -1
 * for NULL and for what is no reason (logged). */
int  found_reasons(PGresult *res, struct reasons *rs);

#endif
