/* SPDX-License-Identifier: ISC */
/* PostgreSQL array literals ({"a","b"}) as one parameter for many rows. */
#ifndef MUHUR_LOAD_ARRAY_H
#define MUHUR_LOAD_ARRAY_H

#include "base/mem.h"

/* Zero-initialise b to start; array_end gives the literal, in b. */
void array_add(struct buf *b, const char *s);
void array_add_number(struct buf *b, long long n);
const char *array_end(struct buf *b);

#endif
