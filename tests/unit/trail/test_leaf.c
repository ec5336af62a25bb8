/* SPDX-License-Identifier: ISC */
/* Leaves: their one form, and what opens them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include <cmocka.h>

#include "trail/leaf.h"

#define SUBMISSION	"01936f5c-0000-7000-8000-000000000001"
#define NOTICE		"01936f5c-0000-7000-8000-000000000002"
#define SHA		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const unsigned char salt[LEAF_SALT_SIZE] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff };
#define SALT_HEX "000102030405060708090a0b0c0d0eff"

static void
fill(struct leaf *l, const char *kind)
{
	memset(l, 0, sizeof(*l));
	l->event = 42;
	assert_int_equal(time_parse("2026-11-21T21:27:24.000123Z", &l->at, &(int){ 0 }), 0);
	(void)str_copy(l->kind, sizeof(l->kind), kind);
	(void)str_copy(l->actor, sizeof(l->actor), "gateway");
}

static void
test_text(void **state)
{
	static const char canonical[] = "{\"a\":[1,-2,null,true,{}],\"file\":\"\xc4\xb1\\\"\\\\/\\u001f\\n\x7f.xml\",\"sha256\":\"" SHA "\"}";
	unsigned char in[LEAF_SALT_SIZE + sizeof(canonical) - 1], md[32];
	char hex[SHA256_HEX_SIZE], *want;
	struct buf text = { 0 }, opening = { 0 }, detail = { 0 };
	struct leaf l, again;
	const char *why;

	(void)state;
	fill(&l, "signed");
	(void)str_copy(l.submission, sizeof(l.submission), SUBMISSION);
	(void)str_copy(l.notice, sizeof(l.notice), NOTICE);
	assert_int_equal(leaf_commit(&l, "{ \"sha256\": \"" SHA "\", \"file\" : \"\\u0131\\\"\\\\\\/\\u001F\\u000a\x7f.xml\","
	    " \"a\": [1, -2, null, true, {}] }", salt, &opening), 0);
	memcpy(in, salt, sizeof(salt));
	memcpy(in + sizeof(salt), canonical, sizeof(canonical) - 1);
	SHA256(in, sizeof(in), md);
	hex_encode(md, 32, hex);
	leaf_text(&l, &text);
	want = xasprintf("{\"actor\":\"gateway\",\"at\":\"2026-11-21T21:27:24.000123Z\",\"detail\":\"%s\",\"event\":42,"
	    "\"kind\":\"signed\",\"notice\":\"" NOTICE "\",\"sha256\":\"" SHA "\",\"submission\":\"" SUBMISSION "\",\"v\":1}", hex);
	assert_string_equal(text.data, want);
	free(want);
	want = xasprintf("{\"detail\":%s,\"salt\":\"" SALT_HEX "\"}", canonical);
	assert_string_equal(opening.data, want);
	free(want);
	assert_int_equal(leaf_parse(text.data, text.len, &again, &why), 0);
	assert_memory_equal(&l, &again, sizeof(l));
	assert_true(leaf_opens(&again, opening.data, opening.len, &detail));
	assert_string_equal(detail.data, canonical);
	buf_free(&text);
	buf_free(&opening);
	buf_free(&detail);
}

/* What nobody may guess from is not shown. */
static void
test_shown(void **state)
{
	static const char *const hidden[] = { "received", "rejected", "held", "login", "replaced" };
	struct buf opening = { 0 };
	struct leaf l;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		fill(&l, hidden[i]);
		buf_reset(&opening);
		assert_int_equal(leaf_commit(&l, "{\"sha256\":\"" SHA "\"}", salt, &opening), 0);
		assert_string_equal(l.sha256, "");
		assert_true(leaf_opens(&l, opening.data, opening.len, NULL));
		assert_int_equal(leaf_kind_stored(hidden[i]), -1);
	}
	fill(&l, "accepted");
	buf_reset(&opening);
	assert_int_equal(leaf_commit(&l, "{\"sha256\":\"\"}", salt, &opening), 0);
	assert_string_equal(l.sha256, "");
	assert_int_equal(leaf_kind_stored("accepted"), 1);
	assert_int_equal(leaf_kind_stored("purged"), 0);
	/* one that should show it and does not opens nothing */
	buf_reset(&opening);
	assert_int_equal(leaf_commit(&l, "{\"sha256\":\"" SHA "\"}", salt, &opening), 0);
	assert_true(leaf_opens(&l, opening.data, opening.len, NULL));
	l.sha256[0] = '\0';
	assert_false(leaf_opens(&l, opening.data, opening.len, NULL));
	buf_free(&opening);
}

static void
test_details_refused(void **state)
{
	static const char *const bad[] = { "", "[]", "\"x\"", "1", "null", "{\"a\":1.5}", "{\"a\":1.0}", "{\"a\":1e3}",
	    "{\"a\":[[1.5]]}", "{\"a\":99999999999999999999}", "{\"a\":1,\"a\":2}", "{\"a\":\"\\u0000\"}", "{\"a\":1} x",
	    "{\"a\":\"\xff\"}", "{a:1}" };
	struct buf opening = { 0 };
	struct leaf l;
	char deep[200];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fill(&l, "received");
		if (leaf_commit(&l, bad[i], salt, &opening) == 0)
			fail_msg("%s is taken", bad[i]);
	}
	memset(deep, '[', 80);
	memset(deep + 80, ']', 80);
	deep[160] = '\0';
	{
		char *s = xasprintf("{\"a\":%s}", deep);
		assert_int_equal(leaf_commit(&l, s, salt, &opening), -1);
		free(s);
	}
	fill(&l, "no word");
	assert_int_equal(leaf_commit(&l, "{}", salt, &opening), -1);
	fill(&l, "received");
	(void)str_copy(l.actor, sizeof(l.actor), "a\"b");
	assert_int_equal(leaf_commit(&l, "{}", salt, &opening), -1);
	fill(&l, "received");
	l.event = 0;
	assert_int_equal(leaf_commit(&l, "{}", salt, &opening), -1);
	fill(&l, "received");
	(void)str_copy(l.notice, sizeof(l.notice), "x");
	assert_int_equal(leaf_commit(&l, "{}", salt, &opening), -1);
	buf_free(&opening);
}

#define AT	"\"at\":\"2026-11-21T21:27:24.000123Z\""
#define DETAIL	"\"detail\":\"" SHA "\""
#define GOOD	"{\"actor\":\"gateway\"," AT "," DETAIL ",\"event\":42,\"kind\":\"received\",\"v\":1}"

static void
test_parse_refuses(void **state)
{
	static const char *const bad[] = {
		"", "{}", GOOD " ", " " GOOD, GOOD "\n",
		"{\"actor\":\"gateway\"," AT "," DETAIL ",\"event\":42,\"kind\":\"received\",\"v\":2}",
		"{\"actor\":\"gateway\"," AT "," DETAIL ",\"event\":42,\"kind\":\"received\"}",
		"{\"actor\":\"gateway\", " AT "," DETAIL ",\"event\":42,\"kind\":\"received\",\"v\":1}",
		"{" AT ",\"actor\":\"gateway\"," DETAIL ",\"event\":42,\"kind\":\"received\",\"v\":1}",
		"{\"actor\":\"\"," AT "," DETAIL ",\"event\":42,\"kind\":\"received\",\"v\":1}",
		"{\"actor\":\"g\\u0061teway\"," AT "," DETAIL ",\"event\":42,\"kind\":\"received\",\"v\":1}",
		"{\"actor\":\"gateway\",\"at\":\"2026-11-21T21:27:24Z\"," DETAIL ",\"event\":42,\"kind\":\"received\",\"v\":1}",
		"{\"actor\":\"gateway\",\"at\":\"2026-11-21T24:27:24.000123+03:00\"," DETAIL ",\"event\":42,\"kind\":\"received\",\"v\":1}",
		"{\"actor\":\"gateway\",\"at\":\"2026-02-30T21:27:24.000123Z\"," DETAIL ",\"event\":42,\"kind\":\"received\",\"v\":1}",
		"{\"actor\":\"gateway\"," AT ",\"detail\":\"ab\",\"event\":42,\"kind\":\"received\",\"v\":1}",
		"{\"actor\":\"gateway\"," AT "," DETAIL ",\"event\":042,\"kind\":\"received\",\"v\":1}",
		"{\"actor\":\"gateway\"," AT "," DETAIL ",\"event\":0,\"kind\":\"received\",\"v\":1}",
		"{\"actor\":\"gateway\"," AT "," DETAIL ",\"event\":-1,\"kind\":\"received\",\"v\":1}",
		"{\"actor\":\"gateway\"," AT "," DETAIL ",\"event\":1.0,\"kind\":\"received\",\"v\":1}",
		"{\"actor\":\"gateway\"," AT "," DETAIL ",\"event\":9223372036854775808,\"kind\":\"received\",\"v\":1}",
		"{\"actor\":\"gateway\"," AT "," DETAIL ",\"event\":42,\"kind\":\"\",\"v\":1}",
		"{\"actor\":\"gateway\"," AT "," DETAIL ",\"event\":42,\"kind\":\"received\",\"notice\":\"\",\"v\":1}",
		"{\"actor\":\"gateway\"," AT "," DETAIL ",\"event\":42,\"kind\":\"received\",\"notice\":\"x\",\"v\":1}",
		"{\"actor\":\"gateway\"," AT "," DETAIL ",\"event\":42,\"kind\":\"received\",\"submission\":\"" SUBMISSION "\",\"notice\":\"" NOTICE "\",\"v\":1}",
		"{\"actor\":\"gateway\"," AT "," DETAIL ",\"event\":42,\"kind\":\"received\",\"sha256\":\"" SHA "\",\"v\":1}",
		"{\"actor\":\"gateway\"," AT "," DETAIL ",\"event\":42,\"kind\":\"signed\",\"sha256\":\"E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\",\"v\":1}",
		"{\"actor\":\"gateway\"," AT "," DETAIL ",\"event\":42,\"kind\":\"signed\",\"sha256\":\"e3b0\",\"v\":1}",
	};
	struct leaf l;
	const char *why;
	char copy[sizeof(GOOD)], again[2 * sizeof(GOOD)];
	struct buf b = { 0 };
	size_t i, k, n;

	(void)state;
	assert_int_equal(leaf_parse(GOOD, strlen(GOOD), &l, &why), 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (leaf_parse(bad[i], strlen(bad[i]), &l, &why) == 0 || why == NULL)
			fail_msg("%s is taken", bad[i]);
	/* whatever a byte becomes: what is taken is what would be written */
	for (i = 0; i < strlen(GOOD); i++)
		for (k = 0; k < 256; k++) {
			memcpy(copy, GOOD, sizeof(GOOD));
			copy[i] = (char)k;
			if (leaf_parse(copy, strlen(GOOD), &l, &why) == -1)
				continue;
			buf_reset(&b);
			leaf_text(&l, &b);
			assert_int_equal(b.len, strlen(GOOD));
			assert_memory_equal(b.data, copy, b.len);
		}
	for (n = 0; n < strlen(GOOD); n++)	/* cut short; the bytes behind are not looked at */
		assert_int_equal(leaf_parse(GOOD, n, &l, &why), -1);
	n = (size_t)snprintf(again, sizeof(again), "%s%s", GOOD, GOOD);
	assert_int_equal(leaf_parse(again, n, &l, &why), -1);
	buf_free(&b);
}

static void
test_opens(void **state)
{
	static const char opening[] = "{\"detail\":{\"a\":1},\"salt\":\"" SALT_HEX "\"}";
	static const char *const bad[] = {
		"{\"detail\":{\"a\":2},\"salt\":\"" SALT_HEX "\"}", "{\"detail\":{\"a\":1},\"salt\":\"100102030405060708090a0b0c0d0eff\"}",
		"{\"detail\":{\"a\":1}}", "{\"salt\":\"" SALT_HEX "\"}", "{\"detail\":{\"a\":1},\"salt\":\"00\"}", "[]", "", "{",
		"{\"detail\":{\"a\":1},\"salt\":\"" SALT_HEX "\",\"x\":1}", "{\"detail\":[1],\"salt\":\"" SALT_HEX "\"}",
		"{\"detail\":{\"a\":1.0},\"salt\":\"" SALT_HEX "\"}",
	};
	struct buf b = { 0 };
	struct leaf l;
	size_t i;

	(void)state;
	fill(&l, "received");
	assert_int_equal(leaf_commit(&l, "{\"a\":1}", salt, &b), 0);
	assert_string_equal(b.data, opening);
	assert_true(leaf_opens(&l, opening, strlen(opening), NULL));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (leaf_opens(&l, bad[i], strlen(bad[i]), NULL))
			fail_msg("%s opens it", bad[i]);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_shown),
		cmocka_unit_test(test_details_refused),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_opens),
	};

	clock_init(0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
