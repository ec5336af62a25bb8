/* SPDX-License-Identifier: ISC */
/*
 * A small writer of XML: elements and attributes by name, values escaped, so
 * that no value can become markup.  What XML cannot hold (control characters,
 * bytes that are not UTF-8) is written as U+FFFD.  Errors stick: the first is
 * kept and everything after it is dropped; xmlout_finish reports it.
 */
#ifndef MUHUR_DOCUMENT_XMLOUT_H
#define MUHUR_DOCUMENT_XMLOUT_H

#include <stddef.h>

#include "base/limits.h"

#define XMLOUT_BUFFER	(64 * 1024)
#define XMLOUT_DEPTH	8

struct xmlout {
	int		 fd;
	int		 error;		/* errno of the first failure */
	int		 tag_open;	/* a start tag waits for its attributes' end */
	int		 has_children;	/* of the innermost open element */
	size_t		 depth;
	const char	*open[XMLOUT_DEPTH];
	size_t		 n;
	char		 buf[XMLOUT_BUFFER];
};

/* Element and attribute names are the program's own and are not copied. */
void	xmlout_init(struct xmlout *x, int fd);
void	xmlout_start(struct xmlout *x, const char *name);
void	xmlout_attr(struct xmlout *x, const char *name, const char *value);
void	xmlout_end(struct xmlout *x);
/* <name>value</name>; value is cut after max bytes, at a character. */
void	xmlout_text(struct xmlout *x, const char *name, const char *value, size_t max);
void	xmlout_number(struct xmlout *x, const char *name, long long value);
/* Closes what is open and writes it out.  0, or -1 with errno. */
int	xmlout_finish(struct xmlout *x);

/* The longest prefix of s of at most max bytes that ends at a character. */
size_t	xmlout_cut(const char *s, size_t max);

#endif
