/* SPDX-License-Identifier: ISC */
/* muhur status in its three forms. */
#ifndef MUHUR_MUHUR_STATUS_H
#define MUHUR_MUHUR_STATUS_H

#include "muhur/cmd.h"

/* A number of an object of the status; 0 where it is not known. */
long long status_number(const json_t *o, const char *key);
/* status_print.c: the same for people. */
void status_print(const json_t *status);
/* metrics.c: what `muhur status --json' says (status.c), and what only a graph is
 * interested in, as Prometheus text (exposition format 0.0.4). */
void metrics_print(struct cmd *c, const json_t *status);
/* summary.c: all about one business day.  An exit code. */
int  summary_print(struct cmd *c, const char *date);

#endif
