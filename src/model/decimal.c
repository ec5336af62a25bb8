/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "model/decimal.h"

#define INTEGER_DIGITS	20
#define FRACTION_DIGITS	18

/* 10^38: every |scaled| stays below it, so a sum of two fits 129 bits at
 * most and the overflow built-ins tell when it does not fit 128. */
static __int128
limit(void)
{
	__int128 ten18 = INT64_C(1000000000000000000);

	return ten18 * ten18 * 100;
}

static int
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int
decimal_parse(const char *s, size_t len, struct decimal *d)
{
	__int128 v = 0;
	size_t i = 0, digits;
	int negative = 0;

	if (len > 0 && s[0] == '-') {
		negative = 1;
		i = 1;
	}
	for (digits = 0; i < len && is_digit(s[i]); i++) {
		if (++digits > INTEGER_DIGITS)
			return -1;
		v = v * 10 + (s[i] - '0');
	}
	if (digits == 0)
		return -1;
	digits = 0;
	if (i < len) {
		if (s[i++] != '.')
			return -1;
		for (; i < len && is_digit(s[i]); i++) {
			if (++digits > FRACTION_DIGITS)
				return -1;
			v = v * 10 + (s[i] - '0');
		}
		if (digits == 0 || i != len)
			return -1;
	}
	for (; digits < FRACTION_DIGITS; digits++)
		v *= 10;
	d->scaled = negative ? -v : v;
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
decimal_accumulate(struct decimal *low, int64_t *carry, struct decimal d)
{
	__int128 v = low->scaled;

	if (v > 0 && d.scaled > 0) {
		v -= limit();
		(*carry)++;
	} else if (v < 0 && d.scaled < 0) {
		v += limit();
		(*carry)--;
	}
	v += d.scaled;
	if (*carry > 0 && v < 0) {
		v += limit();
		(*carry)--;
	} else if (*carry < 0 && v > 0) {
		v -= limit();
		(*carry)++;
	}
	low->scaled = v;
}

int
decimal_cmp(struct decimal a, struct decimal b)
{
	return (a.scaled > b.scaled) - (a.scaled < b.scaled);
}

void
decimal_format(struct decimal d, char *buf)
{
	char digits[INTEGER_DIGITS + FRACTION_DIGITS];
	unsigned __int128 v;
	size_t i, first = 0, last = sizeof(digits), n = 0;

	v = d.scaled < 0 ? -(unsigned __int128)d.scaled : (unsigned __int128)d.scaled;
	for (i = sizeof(digits); i-- > 0; v /= 10)
		digits[i] = (char)('0' + (int)(v % 10));
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
