/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static void
test_strings(void **state)
{
	char small[4], *s;

	(void)state;
	assert_int_equal(str_copy(small, sizeof(small), "abc"), 0);
	assert_string_equal(small, "abc");
	assert_int_equal(str_copy(small, sizeof(small), "abcd"), -1);
	assert_string_equal(small, "");
	assert_int_equal(str_copy(small, 0, ""), -1);
	s = xstrndup("abcdef", 3);
	assert_string_equal(s, "abc");
	free(s);
	s = xstrdup("");
	assert_string_equal(s, "");
	free(s);
	s = xasprintf("%s-%d", "x", 7);
	assert_string_equal(s, "x-7");
	free(s);
	s = xcalloc(0, 8);
	assert_non_null(s);
	free(s);
}

static void
test_buf(void **state)
{
	struct buf b = { 0 };
	size_t i;

	(void)state;
	assert_int_equal(buf_puts(&b, ""), 0);
	assert_non_null(b.data);
	assert_string_equal(b.data, "");
	for (i = 0; i < 1000; i++)
		assert_int_equal(buf_printf(&b, "%03zu,", i), 0);
	assert_int_equal(b.len, 4000);
	assert_memory_equal(b.data, "000,001,", 8);
	assert_memory_equal(b.data + 3996, "999,", 5);
	buf_reset(&b);
	assert_int_equal(b.len, 0);
	assert_int_equal(buf_append(&b, "a\0b", 3), 0);
	assert_memory_equal(b.data, "a\0b", 4);
	buf_free(&b);
	assert_null(b.data);
}

static void
test_buf_cap(void **state)
{
	struct buf b = { .cap = 8 };

	(void)state;
	assert_int_equal(buf_puts(&b, "12345678"), 0);
	assert_int_equal(buf_puts(&b, "9"), -1);
	assert_int_equal(buf_printf(&b, "%d", 9), -1);
	assert_string_equal(b.data, "12345678");
	assert_int_equal(buf_append(&b, "", 0), 0);
	assert_int_equal(buf_append(&b, "x", SIZE_MAX), -1);
	buf_free(&b);
	assert_int_equal(b.cap, 8);
}

static void
test_hex(void **state)
{
	static const unsigned char bytes[] = { 0x00, 0x0f, 0xa5, 0xff };
	unsigned char back[4];
	char hex[9];

	(void)state;
	hex_encode(bytes, sizeof(bytes), hex);
	assert_string_equal(hex, "000fa5ff");
	assert_int_equal(hex_decode(hex, back, sizeof(back)), 0);
	assert_memory_equal(bytes, back, sizeof(back));
	assert_int_equal(hex_decode("000fa5f", back, 4), -1);
	assert_int_equal(hex_decode("000fa5ff0", back, 4), -1);
	assert_int_equal(hex_decode("000FA5FF", back, 4), -1);
	assert_int_equal(hex_decode("000fa5fg", back, 4), -1);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_buf),
		cmocka_unit_test(test_buf_cap),
		cmocka_unit_test(test_hex),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
