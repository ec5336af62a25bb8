/* SPDX-License-Identifier: ISC */
/*
 * What comes by the million, passed once through a sort of our own before the
 * rules (sort/sorter.h): the registry numbers that R3 and R5 have to look at
 * stay, the others are as they must be.  Which of those that stay are breaks is
 * for the rules to say.  Memory: the session's work_mem.
 *
 * Makes pg_temp.rolling: the platforms and which of their reports are in; and
 * pg_temp.doubtful: registry_no and why,
 *	roll	 a customer's balances of some asset, over all places, are not
 *		 those of the day before and its movements (where all three reports
 *		 are in); a netting line is contradicted by one of the reports that
 *		 are in, or by its own arithmetic; there are movements without a
 *		 netting line or the reverse, where both reports are in; more than
 *		 one netting line
 *	doubled	 a customer has more than one balance of one asset and place
 *	unknown	 it is in a report of the day and the registry had not given it by
 *		 then; not where it had given none at all and R5.registry is begun
 */
#ifndef MUHUR_RECONCILE_SIEVE_H
#define MUHUR_RECONCILE_SIEVE_H

#include "reconcile/run.h"

/* in_effect, day_before: the rules' $3 and $4 (schemas/rules/R00-sides.sql), as the
 * server writes a bigint[].  0 or -1 (logged). */
int  sieve_day(const struct run_means *m, const struct run *run, const char *in_effect, const char *day_before);

#endif
