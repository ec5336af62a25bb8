/* SPDX-License-Identifier: ISC */
/*
 * The outside check of identities [MERNİS, Maliye]: a program of the operator's,
 * asked on its standard input, a line each, fields with a tab between:
 *	no type country number name birth
 * (what is absent is empty), which answers on its standard output, in any order:
 *	no accepted|refused|unknown text
 * What it leaves out is unknown.  A run that fails, lasts too long, or says
 * anything else counts for nothing: all of it is asked again.
 */
#ifndef MUHUR_MUHUR_IDENTITY_CHECK_H
#define MUHUR_MUHUR_IDENTITY_CHECK_H

#include <stddef.h>

#include "base/mem.h"

/* Runs argv, which gets question and has timeout seconds for all of it; what it
 * says goes to answer, at most max bytes.  0, or -1 (logged); nothing of it, nor
 * of what it started in its process group, is left running. */
int  identity_program(char *const *argv, const struct buf *question, int timeout,
    size_t max, struct buf *answer);

struct identity_answer {
	long long	 no;
	const char	*verdict;	/* accepted, refused, unknown */
	const char	*text;		/* may be empty */
};
/* One line, without its line end and written into: 0, or -1 where it is none. */
int  identity_answer_parse(char *line, struct identity_answer *a);

#endif
