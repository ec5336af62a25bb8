/* SPDX-License-Identifier: ISC */
/* What has been shown, and whether the database is the one that it was made of. */
#ifndef MUHUR_SEQUENCER_PUBLISHED_H
#define MUHUR_SEQUENCER_PUBLISHED_H

#include "sequencer/sequencer.h"

/* Is all that is known to be published of this database?  c: the newest checkpoint of
 * the folder; kept: the newest of those that are kept, where c is behind it (it was
 * lost, or put back from a copy); size 0 where there is none.  1, or 0: refused, or
 * trouble that passes. */
int	is_one_log(struct sequencer *s, struct checkpoint *c, struct checkpoint *kept);
/* And of what another gateway found in its folder?  1, 0 refused, or -1: the database. */
int	is_uncontradicted(struct sequencer *s);

#endif
