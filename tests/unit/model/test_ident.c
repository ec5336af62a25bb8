/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/ident.h"

static void
all(int (*ok)(const char *), const char *const *list, int want)
{
	for (; *list != NULL; list++) {
		if (ok(*list) != want)
			fail_msg("\"%s\" should give %d", *list, want);
	}
}

/* Every other character of the alphabet at every place must be refused: the
 * check rules find each single wrong character. */
static void
substitutions(int (*ok)(const char *), const char *good, const char *alphabet,
    size_t from, size_t to)
{
	char s[64];
	const char *a;
	size_t i;

	assert_true(strlen(good) < sizeof(s));
	assert_true(ok(good));
	for (i = from; i < to; i++) {
		for (a = alphabet; *a != '\0'; a++) {
			if (*a == good[i])
				continue;
			snprintf(s, sizeof(s), "%s", good);
			s[i] = *a;
			if (ok(s))
				fail_msg("\"%s\" passes", s);
		}
	}
}

static void
test_codes(void **state)
{
	static const char *const members[] = { "PLA", "A12", "ABCDEFGHIJKL", NULL };
	static const char *const no_members[] = { "", "PL", "1AB", "pla", "PLa", "PL A",
	    "ABCDEFGHIJKLM", "P\xc3\x87""A", "PLA\n", "OWN", NULL };
	static const char *const users[] = { "PLA001", "PLA899", "PLA900", "PLA990",
	    "ABCDEFGHIJKL001", "A12345", "OWN1001", NULL };
	static const char *const no_users[] = { "", "PLA", "PLA000", "PLA991", "PLA999",
	    "PLA01", "PL001", "PLA 01", "pla001", "PLA0011x", "OWN001", "ABCDEFGHIJKLM001", NULL };
	char member[MEMBER_CODE_SIZE];

	(void)state;
	all(member_code_ok, members, 1);
	all(member_code_ok, no_members, 0);
	all(user_code_ok, users, 1);
	all(user_code_ok, no_users, 0);
	assert_false(user_code_is_main_authority("PLA899"));
	assert_true(user_code_is_main_authority("PLA900"));
	assert_true(user_code_is_main_authority("PLA990"));
	assert_false(user_code_is_main_authority("PLA991"));
	assert_int_equal(user_code_member("ABCDEFGHIJKL001", member), 0);
	assert_string_equal(member, "ABCDEFGHIJKL");
	assert_int_equal(user_code_member("A12345", member), 0);
	assert_string_equal(member, "A12");
	assert_int_equal(user_code_member("PLA000", member), -1);
}

static void
test_message_id(void **state)
{
	static const char *const good[] = { "a", "A.b_c-9", "123456789012345678901234567890123456", NULL };
	static const char *const bad[] = { "", " a", "a b", "a/b", "a\n", "\xc3\xa7",
	    "1234567890123456789012345678901234567", NULL };

	(void)state;
	all(message_id_ok, good, 1);
	all(message_id_ok, bad, 0);
}

/* Codes as the registration authority has given them. */
static void
test_dti(void **state)
{
	static const char *const given[] = { "X9J9K872S", "HWRGLMT9T", "20J63Z4N3",
	    "L6GTZC9G4", "820B7G1NL", "ZFP9K2W9F", "JGNDNLNNX", "WTX0G7K46", NULL };
	static const char *const no_form[] = { "", "X9J9K872", "X9J9K872SS", "09J9K872S",
	    "x9j9k872s", "X9J9K87AS", "X9J9K87YS", "X9J9 872S", NULL };

	(void)state;
	all(asset_ok, given, 1);
	all(dti_check_ok, given, 1);
	all(asset_ok, no_form, 0);
	all(dti_check_ok, no_form, 0);
	/* Bitcoin's is given although its check character is wrong. */
	assert_true(asset_ok("4H95J0R2X"));
	assert_false(dti_check_ok("4H95J0R2X"));
	assert_true(dti_check_ok("4H95J0R2T"));
	substitutions(dti_check_ok, "X9J9K872S", "0123456789BCDFGHJKLMNPQRSTVWXZ", 0, 9);
}

/* LEIs of Apple, Microsoft and Deutsche Bank. */
static void
test_lei(void **state)
{
	static const char *const good[] = { "HWUPKR0MPOU8FGXBT394",
	    "INR2EJN1ERAN0W5ZP974", "7LTWFZYICNSX8D621K86", NULL };
	static const char *const bad[] = { "", "HWUPKR0MPOU8FGXBT39", "HWUPKR0MPOU8FGXBT3944",
	    "hwupkr0mpou8fgxbt394", "HWUPKR0MPOU8FGXBT3A4", "HWUPKR0MPOU8FGXBT 94", NULL };

	(void)state;
	all(lei_ok, good, 1);
	all(lei_ok, bad, 0);
	substitutions(lei_ok, "HWUPKR0MPOU8FGXBT394", "0123456789", 18, 20);
	substitutions(lei_ok, "HWUPKR0MPOU8FGXBT394", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", 0, 6);
}

static void
test_tckn(void **state)
{
	static const char *const good[] = { "10000000146", "12345678950", "11111111110", NULL };
	static const char *const bad[] = { "", "1000000014", "100000001466", "00000000000",
	    "01234567890", "1000000014x", " 1000000146", "12345678901", NULL };

	(void)state;
	all(tckn_ok, good, 1);
	all(tckn_ok, bad, 0);
	substitutions(tckn_ok, "10000000146", "0123456789", 0, 11);
	substitutions(tckn_ok, "12345678950", "0123456789", 0, 11);
}

/* 1234567890 by hand: the terms of c * 2^i mod 9 are 0 (c = 0 for all of
 * 9..1, since d + i = 10), so the sum is 0 and the check digit 0. */
static void
test_vkn(void **state)
{
	static const char *const good[] = { "1234567890", "6220529513", NULL };
	static const char *const bad[] = { "", "123456789", "12345678900", "123456789x",
	    " 234567890", "6220529514", NULL };

	(void)state;
	all(vkn_ok, good, 1);
	all(vkn_ok, bad, 0);
	substitutions(vkn_ok, "1234567890", "0123456789", 0, 10);
	substitutions(vkn_ok, "6220529513", "0123456789", 0, 10);
}

static void
test_registry_no(void **state)
{
	static const char *const good[] = { "0000000000", "1000000001", NULL };
	static const char *const bad[] = { "", "100000000", "10000000146", "100000000x", " 000000001", NULL };

	(void)state;
	all(registry_no_ok, good, 1);
	all(registry_no_ok, bad, 0);
}

static void
test_uuid(void **state)
{
	static const char *const bad[] = { "", "018f4b2e-7a10-7c3d-8e21-0123456789a",
	    "018F4B2E-7A10-7C3D-8E21-0123456789AB", "018f4b2e07a10-7c3d-8e21-0123456789ab",
	    "018f4b2e-7a10-7c3d-8e21-0123456789abc", "018f4b2g-7a10-7c3d-8e21-0123456789ab", NULL };
	char a[UUID_SIZE], b[UUID_SIZE];
	long long t;
	int i;

	(void)state;
	all(uuid_ok, bad, 0);
	/* RFC 9562 A.6: this moment's milliseconds are 017F22E2-79B0. */
	uuid_v7(1645557742000000, a);
	assert_true(uuid_ok(a));
	assert_memory_equal(a, "017f22e2-79b0-7", 15);
	assert_non_null(strchr("89ab", a[19]));
	/* many within one microsecond, within one millisecond, and later */
	for (i = 0; i < 5000; i++) {
		t = 1645557742000000 + i / 100;
		uuid_v7(t, b);
		assert_true(uuid_ok(b));
		assert_true(strcmp(a, b) < 0);
		assert_int_equal(b[14], '7');
		memcpy(a, b, sizeof(a));
	}
	uuid_v7(1645557742999999, a);
	uuid_v7(1645557743000000, b);
	assert_true(strcmp(a, b) < 0);
}

static void
test_text(void **state)
{
	static const char *const good[] = { "", "abc", "\xc3\xa7\xc4\x9f\xc4\xb1", "\xf0\x9f\x98\x80",
	    "\xef\xbf\xbd", "a b", NULL };
	/* controls, C1, overlong, surrogate, beyond Unicode, cut, XML's two */
	static const char *const bad[] = { "\n", "\t", "\x1b[0m", "\x7f", "\xc2\x85", "\xc0\xaf",
	    "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
	    "\xc3", "a\xe2\x82", "\x80", "\xff", "\xef\xbf\xbe", "\xef\xbf\xbf", NULL };
	char s[16];
	size_t i;

	(void)state;
	for (i = 0; good[i] != NULL; i++)
		assert_true(text_ok(good[i], strlen(good[i])));
	for (i = 0; bad[i] != NULL; i++) {
		assert_false(text_ok(bad[i], strlen(bad[i])));
		snprintf(s, sizeof(s), "%s", bad[i]);
		text_clean(s);
		assert_true(text_ok(s, strlen(s)));
	}
	assert_false(text_ok("a\0b", 3));
	snprintf(s, sizeof(s), "a\nb\xff""c\xc3\xa7");
	text_clean(s);
	assert_string_equal(s, "a?b?c\xc3\xa7");
	snprintf(s, sizeof(s), "ab\xc3");
	text_clean(s);
	assert_string_equal(s, "ab");
}

static void
test_file_names(void **state)
{
	static const char *const good[] = { "a", "a.xml", "\xc3\xb6zet raporu.xml", "-x", "a..b", NULL };
	static const char *const bad[] = { "", ".", "..", ".hidden", "a/b", "/a", "a\n", "a\xff", NULL };
	char s[256];

	(void)state;
	all(file_name_ok, good, 1);
	all(file_name_ok, bad, 0);
	memset(s, 'a', sizeof(s));
	s[200] = '\0';
	assert_true(file_name_ok(s));
	s[200] = 'a';
	s[201] = '\0';
	assert_false(file_name_ok(s));
	assert_true(file_name_is_partial("a.xml.part"));
	assert_true(file_name_is_partial("a.tmp"));
	assert_true(file_name_is_partial("a.filepart"));
	assert_false(file_name_is_partial("a.xml"));
	assert_false(file_name_is_partial(".part"));
	assert_false(file_name_is_partial("a.part.xml"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_message_id),
		cmocka_unit_test(test_dti),
		cmocka_unit_test(test_lei),
		cmocka_unit_test(test_tckn),
		cmocka_unit_test(test_registry_no),
		cmocka_unit_test(test_vkn),
		cmocka_unit_test(test_uuid),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_file_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
