/* SPDX-License-Identifier: ISC */
/*
 * Exact quantities: plain decimals, no exponent, at most 20 integer and 18
 * fraction digits (domain: message types).  The value is an integer count of
 * 10^-18, which fits 128 bits; sums are checked.
 */
#ifndef MUHUR_MODEL_DECIMAL_H
#define MUHUR_MODEL_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

struct decimal { __int128 scaled; };

/* [-]digits[.digits]; a sign '+', an exponent, spaces, an empty integer or
 * fraction part, or too many digits are errors: -1. */
int  decimal_parse(const char *s, size_t len, struct decimal *d);
/* 0, or -1 where the sum exceeds 20 integer digits (*sum is then unchanged). */
int  decimal_add(struct decimal *sum, struct decimal d);
int  decimal_sub(struct decimal *sum, struct decimal d);
/* For sums in whatever order: the sum is *low + *carry * 10^20.  It exceeds 20
 * integer digits where *carry is not 0; both begin as 0. */
void decimal_accumulate(struct decimal *low, int64_t *carry, struct decimal d);
int  decimal_cmp(struct decimal a, struct decimal b);	/* <0, 0, >0 */
/* Shortest form: no trailing zeros, no "-0"; buf takes DECIMAL_SIZE bytes. */
void decimal_format(struct decimal d, char *buf);

#endif
