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
/* A sum of any number of terms, exact in whatever order they come: low + carry * 10^20.
 * It exceeds 20 integer digits where carry is not 0; all zero is 0. */
struct decimal_sum { struct decimal low; int64_t carry; };
void decimal_sum_add(struct decimal_sum *sum, struct decimal d);
void decimal_sum_sub(struct decimal_sum *sum, struct decimal d);
int  decimal_sum_is_zero(const struct decimal_sum *sum);
int  decimal_cmp(struct decimal a, struct decimal b);	/* <0, 0, >0 */
/* Shortest form: no trailing zeros, no "-0"; buf takes DECIMAL_SIZE bytes. */
void decimal_format(struct decimal d, char *buf);

#endif
