/* SPDX-License-Identifier: ISC */
/* The encoding of a document, before the parser sees it. */
#ifndef MUHUR_XML_PULL_ENCODING_H
#define MUHUR_XML_PULL_ENCODING_H

#include <stddef.h>

#include "model/reason.h"

/* block: the document's beginning, all of it or some hundred bytes.  A
 * conversion that glibc would have to open a file for is refused, since a
 * sandboxed process cannot.  0, or -1 and what is wrong in fault. */
int  encoding_check(const char *block, size_t len, char fault[REASON_DETAIL_SIZE]);

#endif
