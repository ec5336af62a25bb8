/* SPDX-License-Identifier: ISC */
/* The setting cutoff_types against the message types that there are. */
#ifndef MUHUR_MODEL_CUTOFFS_H
#define MUHUR_MODEL_CUTOFFS_H

#include "base/conf.h"

/* Each names a type that can be late, or wait: not Approval nor Cancellation,
 * which have the cut-off of what they decide about.  0, or -1 (logged). */
int cutoffs_check(const struct conf *conf);

#endif
