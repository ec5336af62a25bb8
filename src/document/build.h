/* SPDX-License-Identifier: ISC */
/*
 * Outgoing XML, from typed fields only (model/notice.h).  The bulk lines are
 * parsed strictly: a field that is not of its type ends the build, so that
 * nothing but what the schema allows can get signed.
 */
#ifndef MUHUR_DOCUMENT_BUILD_H
#define MUHUR_DOCUMENT_BUILD_H

#include "model/notice.h"

/* Write the unsigned notice to out (UTF-8, indented for people).  lines: a
 * descriptor to read n->line_count bulk lines from until its end, -1 where the
 * kind has none.  issuer: the name of the registry as the notice's Issuer.
 * 0, or -1 with the cause logged. */
int  notice_build(const struct notice *n, const char *issuer, int lines, int out);

#endif
