/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/ident.h"

static int
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* Exactly n digits and no more. */
static int
all_digits(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!is_digit(s[i]))
			return 0;
	}
	return s[n] == '\0';
}

static int
member_part_ok(const char *s, size_t n)
{
	size_t i;

	if (n < 3 || n > MEMBER_CODE_SIZE - 1 || !is_upper(s[0]))
		return 0;
	for (i = 1; i < n; i++) {
		if (!is_upper(s[i]) && !is_digit(s[i]))
			return 0;
	}
	/* Held="OWN" is the platform's own wallet, so it is nobody's code. */
	return !(n == 3 && memcmp(s, "OWN", 3) == 0);
}

int
member_code_ok(const char *s)
{
	return member_part_ok(s, strlen(s));
}

/* The three digits of a user code, -1 where s is none. */
static int
user_number(const char *s)
{
	size_t n = strlen(s);
	const char *d;
	int number;

	if (n < 6 || n > USER_CODE_SIZE - 1 || !all_digits(s + n - 3, 3) ||
	    !member_part_ok(s, n - 3))
		return -1;
	d = s + n - 3;
	number = (d[0] - '0') * 100 + (d[1] - '0') * 10 + (d[2] - '0');
	return number >= 1 && number <= 990 ? number : -1;
}

int
user_code_ok(const char *s)
{
	return user_number(s) != -1;
}

int
user_code_is_main_authority(const char *s)
{
	return user_number(s) >= 900;
}

int
user_code_member(const char *s, char member[MEMBER_CODE_SIZE])
{
	size_t n;

	if (!user_code_ok(s))
		return -1;
	n = strlen(s) - 3;
	memcpy(member, s, n);
	member[n] = '\0';
	return 0;
}

int
message_id_ok(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789._-");

	return n >= 1 && n <= MESSAGE_ID_SIZE - 1 && s[n] == '\0';
}

/* ISO 24165-1: digits and consonants but Y, 30 in all. */
static const char dti_alphabet[] = "0123456789BCDFGHJKLMNPQRSTVWXZ";

int
asset_ok(const char *s)
{
	static const unsigned char known[256] = {
		['0' ... '9'] = 1, ['B' ... 'D'] = 1, ['F' ... 'H'] = 1, ['J' ... 'N'] = 1,
		['P' ... 'T'] = 1, ['V' ... 'X'] = 1, ['Z'] = 1,
	};
	int i;

	for (i = 0; i < ASSET_SIZE - 1; i++) {
		if (!known[(unsigned char)s[i]])
			return 0;
	}
	return s[0] != '0' && s[i] == '\0';
}

int
dti_check_ok(const char *s)
{
	const int m = 30;
	int i, p = m, sum;

	if (!asset_ok(s))
		return 0;
	/* ISO 7064, hybrid systems MOD M+1,M. */
	for (i = 0; i < ASSET_SIZE - 2; i++) {
		sum = (p + (int)(strchr(dti_alphabet, s[i]) - dti_alphabet)) % m;
		if (sum == 0)
			sum = m;
		p = 2 * sum % (m + 1);
	}
	return (p + (int)(strchr(dti_alphabet, s[i]) - dti_alphabet)) % m == 1;
}

int
lei_ok(const char *s)
{
	int i, rest = 0;

	if (strlen(s) != LEI_SIZE - 1 || !is_digit(s[LEI_SIZE - 3]) ||
	    !is_digit(s[LEI_SIZE - 2]))
		return 0;
	for (i = 0; i < LEI_SIZE - 1; i++) {
		if (is_digit(s[i]))
			rest = (rest * 10 + (s[i] - '0')) % 97;
		else if (is_upper(s[i]))
			rest = (rest * 100 + (s[i] - 'A' + 10)) % 97;
		else
			return 0;
	}
	return rest == 1;
}

int
tckn_ok(const char *s)
{
	int d[11], i, odd, even, sum = 0;

	if (!all_digits(s, 11) || s[0] == '0')
		return 0;
	for (i = 0; i < 11; i++)
		d[i] = s[i] - '0';
	odd = d[0] + d[2] + d[4] + d[6] + d[8];
	even = d[1] + d[3] + d[5] + d[7];
	for (i = 0; i < 10; i++)
		sum += d[i];
	/* + 40 keeps the remainder positive and is 0 mod 10. */
	return d[9] == (7 * odd - even + 40) % 10 && d[10] == sum % 10;
}

int
vkn_ok(const char *s)
{
	int i, c, term, sum = 0;

	if (!all_digits(s, 10))
		return 0;
	for (i = 1; i <= 9; i++) {
		c = (s[9 - i] - '0' + i) % 10;
		if (c == 0)
			continue;
		term = c * (1 << i) % 9;
		sum += term == 0 ? 9 : term;
	}
	return s[9] - '0' == (10 - sum % 10) % 10;
}

int
registry_no_ok(const char *s)
{
	return all_digits(s, REGISTRY_NO_SIZE - 1);
}

int
registry_no_parse(const char *s, size_t len, uint64_t *number)
{
	size_t i;

	if (len != REGISTRY_NO_SIZE - 1)
		return -1;
	for (*number = 0, i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		*number = *number * 10 + (uint64_t)(s[i] - '0');
	}
	return 0;
}

void
registry_no_format(uint64_t number, char s[REGISTRY_NO_SIZE])
{
	size_t i;

	for (i = REGISTRY_NO_SIZE - 1; i-- > 0; number /= 10)
		s[i] = (char)('0' + number % 10);
	s[REGISTRY_NO_SIZE - 1] = '\0';
}

int
uuid_ok(const char *s)
{
	int i;

	if (strlen(s) != UUID_SIZE - 1)
		return 0;
	for (i = 0; i < UUID_SIZE - 1; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (s[i] != '-')
				return 0;
		} else if (!is_digit(s[i]) && !(s[i] >= 'a' && s[i] <= 'f'))
			return 0;
	}
	return 1;
}

/*
 * RFC 9562 6.2: the 12 bits after the version are the fraction of the
 * millisecond (method 3); within one such step of 244 ns, or when the caller
 * steps back inside the millisecond, the random part counts on (method 2).
 */
void
uuid_v7(long long t_usec, char out[UUID_SIZE])
{
	static uint64_t last_stamp, last_random;
	uint64_t stamp, step;
	uint8_t b[16];
	char hex[33];
	int i;

	stamp = (uint64_t)(t_usec / 1000) << 12 | (uint64_t)(t_usec % 1000 * 4096 / 1000);
	if (getentropy(&step, sizeof(step)) == -1)
		fatal("getentropy");
	if (stamp >> 12 == last_stamp >> 12 && stamp <= last_stamp) {
		stamp = last_stamp;
		last_random += 1 + (step & UINT32_MAX);
		if (last_random >> 62 != 0) {
			stamp++;
			last_random = step >> 3;
		}
	} else
		last_random = step >> 3;	/* top bit clear: room to count */
	last_stamp = stamp;
	for (i = 0; i < 6; i++)
		b[i] = (uint8_t)(stamp >> (52 - 8 * i));
	b[6] = (uint8_t)(0x70 | (stamp >> 8 & 0x0f));
	b[7] = (uint8_t)stamp;
	for (i = 0; i < 8; i++)
		b[8 + i] = (uint8_t)(last_random >> (56 - 8 * i));
	b[8] = (uint8_t)(0x80 | (b[8] & 0x3f));
	hex_encode(b, sizeof(b), hex);
	snprintf(out, UUID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8,
	    hex + 12, hex + 16, hex + 20);
}

/* One character of UTF-8 (RFC 3629): its length, 0 where it is none. */
static size_t
utf8_next(const unsigned char *s, size_t len, uint32_t *c)
{
	size_t n, i;
	uint32_t least;

	if (s[0] < 0x80) {
		*c = s[0];
		return 1;
	}
	if ((s[0] & 0xe0) == 0xc0) {
		n = 2; least = 0x80; *c = s[0] & 0x1f;
	} else if ((s[0] & 0xf0) == 0xe0) {
		n = 3; least = 0x800; *c = s[0] & 0x0f;
	} else if ((s[0] & 0xf8) == 0xf0) {
		n = 4; least = 0x10000; *c = s[0] & 0x07;
	} else
		return 0;
	if (n > len)
		return 0;
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (s[i] & 0x3f);
	}
	if (*c < least || *c > 0x10ffff || (*c >= 0xd800 && *c <= 0xdfff))
		return 0;
	return n;
}

int
text_ok(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	uint32_t c;
	size_t i, n;

	for (i = 0; i < len; i += n) {
		if ((n = utf8_next(p + i, len - i, &c)) == 0)
			return 0;
		if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xfffe || c == 0xffff)
			return 0;
	}
	return 1;
}

void
text_clean(char *s)
{
	unsigned char *p = (unsigned char *)s;
	uint32_t c;
	size_t i, n, len = strlen(s);

	for (i = 0; i < len; i += n) {
		n = utf8_next(p + i, len - i, &c);
		if (n > 0 && text_ok(s + i, n))
			continue;
		if (n == 0 && len - i < 4 && p[i] >= 0xc0) {
			s[i] = '\0';
			return;
		}
		if (n == 0)
			n = 1;
		memset(s + i, '?', n);
	}
}

int
file_name_ok(const char *s)
{
	size_t n = strlen(s);

	return n >= 1 && n <= FILE_NAME_SIZE - 1 && s[0] != '.' &&
	    strchr(s, '/') == NULL && text_ok(s, n);
}

int
file_name_is_partial(const char *s)
{
	static const char *const endings[] = { ".part", ".tmp", ".filepart" };
	size_t i, n = strlen(s), e;

	for (i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		e = strlen(endings[i]);
		if (n > e && strcmp(s + n - e, endings[i]) == 0)
			return 1;
	}
	return 0;
}
