/* SPDX-License-Identifier: ISC */
/*
 * Patterns of XML Schema (XSD 1.0 Part 2, appendix F) as tables: one step a
 * byte.  Only of ASCII, and only of what such patterns need: characters,
 * classes, groups, branches and quantifiers.  A table may know fewer values
 * than its pattern, never more: what it does not accept is for libxml2 to judge.
 */
#ifndef MUHUR_XML_PATTERN_H
#define MUHUR_XML_PATTERN_H

#include <stddef.h>

struct pattern;
/* NULL where the pattern is not of the kind, or too large, for a table. */
struct pattern *pattern_new(const char *text);
void pattern_free(struct pattern *p);
/* 1: the pattern takes these bytes, as a whole; 0: not known. */
int  pattern_accepts(const struct pattern *p, const unsigned char *s, size_t len);

#endif
