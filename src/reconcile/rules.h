/* SPDX-License-Identifier: ISC */
/*
 * The rules of reconciliation as they stand in schemas/rules: SQL, one rule a
 * file, run in the order of their names.  Read once, before the sandbox.
 */
#ifndef MUHUR_RECONCILE_RULES_H
#define MUHUR_RECONCILE_RULES_H

#include <stddef.h>

struct rule {
	char	*name;		/* "R01-bilateral.sql" */
	char	**statement;
	size_t	 nstatements;
};
struct rules {
	struct rule	*v;
	size_t		 n;
};

/* Every *.sql file of the directory; dirfd is read from its start and stays
 * open.  NULL with the cause logged; a directory without rules is an error. */
struct rules *rules_load(int dirfd);
void rules_free(struct rules *rules);

/* One statement of a text, from *p on; NULL at the end.  Knows comments,
 * quotes and dollar quotes.  The caller frees it. */
char *rules_next_statement(const char **p);

#endif
