/* SPDX-License-Identifier: ISC */
/*
 * Bulk lines of a notice (model/notice.h says of which fields) from a pipe
 * into elements.  Every field is checked against its type.
 */
#ifndef MUHUR_DOCUMENT_LINES_H
#define MUHUR_DOCUMENT_LINES_H

#include "document/xmlout.h"
#include "model/notice.h"

/* Read to the end of fd and write the lists of the notice's kind: Sources, Pairs,
 * Breaks and Limits, say, or Certificates.  0, or -1 with the cause logged: reading, a
 * malformed line, a wrong order, no last line that tells their number, another
 * number of lines than its line_count says. */
int	lines_write(struct xmlout *x, const struct notice *n, int fd);

#endif
