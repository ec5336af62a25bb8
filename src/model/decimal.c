/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "model/decimal.h"

#define INTEGER_DIGITS	20
#define FRACTION_DIGITS	18

/* 128 bits are divided and multiplied slowly, and come by the million: digits are
 * read and written in parts that 64 hold. */
#define TEN18	UINT64_C(1000000000000000000)
#define TEN10	UINT64_C(10000000000)

static const uint64_t power[FRACTION_DIGITS + 1] = {
	1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, TEN10, 10 * TEN10,
	100 * TEN10, 1000 * TEN10, 10000 * TEN10, 100000 * TEN10, 1000000 * TEN10, 10000000 * TEN10, TEN18
};

/* 10^38: every |scaled| stays below it, so a sum of two fits 129 bits at
 * most and the overflow built-ins tell when it does not fit 128. */
static __int128
limit(void)
{
	return (__int128)TEN18 * TEN18 * 100;
}

static int
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The digits at s[*i] on, no more than FRACTION_DIGITS of them. */
static uint64_t
read_digits(const char *s, size_t len, size_t *i, size_t *digits)
{
	size_t from = *i, to = len - from > FRACTION_DIGITS ? from + FRACTION_DIGITS : len, k;
	uint64_t v = 0;

	for (k = from; k < to && is_digit(s[k]); k++)
		v = v * 10 + (uint64_t)(s[k] - '0');
	*digits = k - from;
	*i = k;
	return v;
}

int
decimal_parse(const char *s, size_t len, struct decimal *d)
{
	int negative = len > 0 && s[0] == '-';
	size_t i = (size_t)negative, digits;
	unsigned __int128 whole;
	uint64_t fraction = 0;

	whole = read_digits(s, len, &i, &digits);
	if (digits == 0)
		return -1;
	for (; i < len && is_digit(s[i]); i++) {
		if (++digits > INTEGER_DIGITS)
			return -1;
		whole = whole * 10 + (unsigned)(s[i] - '0');
	}
	if (i < len) {
		if (s[i++] != '.')
			return -1;
		fraction = read_digits(s, len, &i, &digits);
		if (digits == 0 || i != len)
			return -1;
		fraction *= power[FRACTION_DIGITS - digits];
	}
	d->scaled = (__int128)(whole * TEN18 + fraction);
	if (negative)
		d->scaled = -d->scaled;
	return 0;
}

int
decimal_add(struct decimal *sum, struct decimal d)
{
	__int128 v;

	if (__builtin_add_overflow(sum->scaled, d.scaled, &v) ||
	    v >= limit() || v <= -limit())
		return -1;
	sum->scaled = v;
	return 0;
}

int
decimal_sub(struct decimal *sum, struct decimal d)
{
	d.scaled = -d.scaled;
	return decimal_add(sum, d);
}

/* Terms of one sign could overflow, so 10^20 goes to the carry before; what is
 * left has the carry's sign afterwards, or none. */
void
decimal_sum_add(struct decimal_sum *sum, struct decimal d)
{
	__int128 v = sum->low.scaled;

	if (v > 0 && d.scaled > 0) {
		v -= limit();
		sum->carry++;
	} else if (v < 0 && d.scaled < 0) {
		v += limit();
		sum->carry--;
	}
	v += d.scaled;
	if (sum->carry > 0 && v < 0) {
		v += limit();
		sum->carry--;
	} else if (sum->carry < 0 && v > 0) {
		v -= limit();
		sum->carry++;
	}
	sum->low.scaled = v;
}

void
decimal_sum_sub(struct decimal_sum *sum, struct decimal d)
{
	d.scaled = -d.scaled;
	decimal_sum_add(sum, d);
}

int
decimal_sum_is_zero(const struct decimal_sum *sum)
{
	return sum->low.scaled == 0 && sum->carry == 0;
}

int
decimal_cmp(struct decimal a, struct decimal b)
{
	return (a.scaled > b.scaled) - (a.scaled < b.scaled);
}

static void
write_digits(uint64_t v, char *digits, size_t n)
{
	for (; n-- > 0; v /= 10)
		digits[n] = (char)('0' + v % 10);
}

void
decimal_format(struct decimal d, char *buf)
{
	char digits[INTEGER_DIGITS + FRACTION_DIGITS];
	unsigned __int128 v, whole;
	size_t first = 0, last = sizeof(digits), n = 0;

	v = d.scaled < 0 ? -(unsigned __int128)d.scaled : (unsigned __int128)d.scaled;
	whole = v / TEN18;
	write_digits((uint64_t)(whole / TEN10), digits, 10);
	write_digits((uint64_t)(whole % TEN10), digits + 10, 10);
	write_digits((uint64_t)(v % TEN18), digits + INTEGER_DIGITS, FRACTION_DIGITS);
	while (first < INTEGER_DIGITS - 1 && digits[first] == '0')
		first++;
	while (last > INTEGER_DIGITS && digits[last - 1] == '0')
		last--;
	if (d.scaled < 0)
		buf[n++] = '-';
	memcpy(buf + n, digits + first, INTEGER_DIGITS - first);
	n += INTEGER_DIGITS - first;
	if (last > INTEGER_DIGITS) {
		buf[n++] = '.';
		memcpy(buf + n, digits + INTEGER_DIGITS, last - INTEGER_DIGITS);
		n += last - INTEGER_DIGITS;
	}
	buf[n] = '\0';
}
