/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/decimal.h"

static const struct {
	const char	*a, *b, *shortest, *sum, *difference;
	int		 sign;
} table[] = {
#include "tests/unit/model/decimal_table.h"
};

static struct decimal
parse(const char *s)
{
	struct decimal d;

	assert_int_equal(decimal_parse(s, strlen(s), &d), 0);
	return d;
}

static void
assert_format(struct decimal d, const char *want)
{
	char buf[DECIMAL_SIZE];

	decimal_format(d, buf);
	assert_string_equal(buf, want);
}

/* What Python's decimal module says. */
static void
test_table(void **state)
{
	struct decimal a, b, r;
	size_t i;
	int sign;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		a = parse(table[i].a);
		b = parse(table[i].b);
		assert_format(a, table[i].shortest);
		sign = decimal_cmp(a, b);
		assert_int_equal((sign > 0) - (sign < 0), table[i].sign);
		r = a;
		if (table[i].sum != NULL) {
			assert_int_equal(decimal_add(&r, b), 0);
			assert_format(r, table[i].sum);
		} else {
			assert_int_equal(decimal_add(&r, b), -1);
			assert_int_equal(decimal_cmp(r, a), 0);
		}
		r = a;
		if (table[i].difference != NULL) {
			assert_int_equal(decimal_sub(&r, b), 0);
			assert_format(r, table[i].difference);
		} else {
			assert_int_equal(decimal_sub(&r, b), -1);
			assert_int_equal(decimal_cmp(r, a), 0);
		}
	}
}

static void
test_refused(void **state)
{
	static const char *const bad[] = { "", "-", ".", "-.", "1.", ".1", "-.1", "+1",
	    " 1", "1 ", "1e3", "1E3", "0x1", "1,5", "1.5.", "1..5", "--1", "1-", "NaN",
	    "INF", "1.0000000000000000000", "123456789012345678901", "000000000000000000000",
	    "\xd9\xa1" };
	struct decimal d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(decimal_parse(bad[i], strlen(bad[i]), &d), -1);
	assert_int_equal(decimal_parse("1\0", 2, &d), -1);
	assert_int_equal(decimal_parse("12", 1, &d), 0);	/* no NUL is needed */
	assert_format(d, "1");
}

static void
test_edges(void **state)
{
	struct decimal most = parse("99999999999999999999.999999999999999999");
	struct decimal least = parse("-99999999999999999999.999999999999999999");
	struct decimal one = parse("0.000000000000000001"), d;

	(void)state;
	assert_format(parse("-0"), "0");
	assert_format(parse("-0.000"), "0");
	assert_format(parse("007.50"), "7.5");
	d = most;
	assert_int_equal(decimal_add(&d, one), -1);
	assert_format(d, "99999999999999999999.999999999999999999");
	d = least;
	assert_int_equal(decimal_sub(&d, one), -1);
	assert_int_equal(decimal_add(&d, most), 0);
	assert_format(d, "0");
	/* the longest form fits DECIMAL_SIZE: the sanitizer watches */
	assert_format(least, "-99999999999999999999.999999999999999999");
	d = most;
	assert_int_equal(decimal_add(&d, most), -1);
}

/* The sum of terms is the same in every order, whatever it is on the way. */
static void
permute(struct decimal *terms, size_t n, size_t k)
{
	struct decimal_sum sum = { parse("0"), 0 };
	struct decimal swap;
	size_t i;

	if (k == n) {
		for (i = 0; i < n; i++)
			decimal_sum_add(&sum, terms[i]);
		assert_true(sum.carry == 0);
		assert_format(sum.low, "-1.5");
		return;
	}
	for (i = k; i < n; i++) {
		swap = terms[k]; terms[k] = terms[i]; terms[i] = swap;
		permute(terms, n, k + 1);
		swap = terms[k]; terms[k] = terms[i]; terms[i] = swap;
	}
}

static void
test_sums(void **state)
{
	const char *most = "99999999999999999999.999999999999999999";
	const char *least = "-99999999999999999999.999999999999999999";
	struct decimal terms[] = { parse(most), parse(most), parse(least), parse(least), parse("-1.5"),
	    parse("0") };
	struct decimal_sum sum = { parse(most), 0 };

	(void)state;
	permute(terms, sizeof(terms) / sizeof(terms[0]), 0);
	decimal_sum_add(&sum, parse("0.000000000000000001"));
	assert_true(sum.carry == 1);
	assert_format(sum.low, "0");
	decimal_sum_add(&sum, parse("-0.000000000000000001"));
	assert_true(sum.carry == 0);
	assert_format(sum.low, most);
	sum.low = parse(least);
	decimal_sum_add(&sum, parse(least));
	assert_true(sum.carry == -1);
	assert_false(decimal_sum_is_zero(&sum));
	decimal_sum_add(&sum, parse(most));
	assert_true(sum.carry == 0);
	assert_format(sum.low, least);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_sums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
