/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/ident.h"
#include "model/reason.h"

/* Nobody gets a reason without its rule, its texts and what to do about it. */
static void
test_complete(void **state)
{
	const struct reason_info *r;
	int i, stage = 0;

	(void)state;
	for (i = 0; i < REASON_COUNT; i++) {
		r = reason_info((enum reason_code)i);
		assert_non_null(r->name);
		assert_int_equal(reason_by_name(r->name), i);
		assert_true(strlen(r->rule) > 0);
		assert_true(strlen(r->text_en) > 0 && strlen(r->text_tr) > 0);
		assert_true(strlen(r->action_en) > 0 && strlen(r->action_tr) > 0);
		assert_string_not_equal(r->text_en, r->text_tr);
		assert_true(text_ok(r->text_tr, strlen(r->text_tr)));
		assert_true(text_ok(r->action_tr, strlen(r->action_tr)));
		/* codes stand in the order of their stages */
		assert_true((int)r->stage >= stage);
		stage = (int)r->stage;
	}
	assert_int_equal(reason_by_name("NO_SUCH"), REASON_COUNT);
	assert_int_equal(reason_by_name(""), REASON_COUNT);
}

/* Texts are sentences, said once, and plain: three markups quote them. */
static void
test_texts(void **state)
{
	const struct reason_info *r;
	const char *text[4];
	size_t i, k, j;

	(void)state;
	for (i = 0; i < REASON_COUNT; i++) {
		r = reason_info((enum reason_code)i);
		text[0] = r->text_en;
		text[1] = r->text_tr;
		text[2] = r->action_en;
		text[3] = r->action_tr;
		for (k = 0; k < 4; k++) {
			assert_int_equal(text[k][strlen(text[k]) - 1], '.');
			assert_null(strpbrk(text[k], "<>&*`|\\[]\n"));
			assert_null(strstr(text[k], "  "));
		}
		assert_string_not_equal(r->action_en, r->action_tr);
		assert_null(strpbrk(r->rule, "<>&*`|\\[]\n"));
		assert_int_not_equal(r->rule[strlen(r->rule) - 1], '.');
		for (j = 0; j < i; j++)
			assert_string_not_equal(r->text_en, reason_info((enum reason_code)j)->text_en);
	}
}

/* The codes of the contract, in the order of its stages, and whether bytes so
 * refused are counted: those of CERT_*, MEMBER_SUSPENDED and NOT_AUTHORISED are
 * judged anew, and only what had a valid signature and a signer who may act. */
static void
test_contract(void **state)
{
	static const struct { const char *name; enum reason_stage stage; int counts; } want[] = {
		{ "XML_MALFORMED", STAGE_XML, 0 },
		{ "XML_FORBIDDEN", STAGE_XML, 0 },
		{ "SIG_MISSING", STAGE_SIGNATURE, 0 },
		{ "SIG_MULTIPLE", STAGE_SIGNATURE, 0 },
		{ "SIG_COVERAGE", STAGE_SIGNATURE, 0 },
		{ "SIG_ALGORITHM", STAGE_SIGNATURE, 0 },
		{ "SIG_DIGEST", STAGE_SIGNATURE, 0 },
		{ "SIG_VALUE", STAGE_SIGNATURE, 0 },
		{ "CERT_UNTRUSTED", STAGE_CERTIFICATE, 0 },
		{ "CERT_EXPIRED", STAGE_CERTIFICATE, 0 },
		{ "CERT_REVOKED", STAGE_CERTIFICATE, 0 },
		{ "CERT_REVOCATION_UNKNOWN", STAGE_CERTIFICATE, 0 },
		{ "CERT_USAGE", STAGE_CERTIFICATE, 0 },
		{ "CERT_NOT_ENROLLED", STAGE_CERTIFICATE, 0 },
		{ "SIGNING_TIME", STAGE_SIGNING_TIME, 0 },
		{ "NOT_AUTHORISED", STAGE_AUTHORITY, 0 },
		{ "MEMBER_SUSPENDED", STAGE_AUTHORITY, 0 },
		{ "SCHEMA_INVALID", STAGE_SCHEMA, 1 },
		{ "CONTROL_TOTAL", STAGE_CONTENT, 1 },
		{ "BUSINESS_DATE", STAGE_CONTENT, 1 },
		{ "DUPLICATE", STAGE_CONTENT, 1 },
		{ "REFERENCE_UNKNOWN", STAGE_CONTENT, 1 },
		{ "PROCESSING_FAILED", STAGE_OURS, 0 },
	};
	size_t i;

	(void)state;
	assert_int_equal(sizeof(want) / sizeof(want[0]), REASON_COUNT);
	for (i = 0; i < REASON_COUNT; i++) {
		const struct reason_info *r = reason_info((enum reason_code)i);

		assert_string_equal(r->name, want[i].name);
		assert_int_equal(r->stage, want[i].stage);
		assert_int_equal(reason_stage_counts(r->stage), want[i].counts);
	}
}

static void
test_first_stage(void **state)
{
	struct reasons rs = { 0 };

	(void)state;
	assert_int_equal(reasons_stage(&rs), STAGE_NONE);
	reasons_add(&rs, DUPLICATE, 0, NULL, "x");
	reasons_add(&rs, SCHEMA_INVALID, 9, "/b", "two");
	reasons_add(&rs, SCHEMA_INVALID, 9, "/a", "two");
	reasons_add(&rs, SCHEMA_INVALID, 3, "/z", "one");
	assert_true(reasons_has(&rs, DUPLICATE));
	assert_int_equal(reasons_stage(&rs), STAGE_SCHEMA);
	reasons_first_stage(&rs);
	assert_int_equal(rs.n, 3);
	assert_int_equal(rs.v[0].line, 3);
	assert_string_equal(rs.v[1].path, "/a");
	assert_string_equal(rs.v[2].path, "/b");
	assert_false(reasons_has(&rs, DUPLICATE));
}

/* An earlier stage finds room among reasons of later ones, never the other way. */
static void
test_bounded(void **state)
{
	struct reasons rs = { 0 };
	int i;

	(void)state;
	for (i = 0; i < REASONS_MAX + 5; i++)
		reasons_add(&rs, SCHEMA_INVALID, i, NULL, "%d", i);
	assert_int_equal(rs.n, REASONS_MAX);
	assert_int_equal(rs.v[REASONS_MAX - 1].line, REASONS_MAX - 1);
	reasons_add(&rs, CONTROL_TOTAL, 0, NULL, "later");
	assert_false(reasons_has(&rs, CONTROL_TOTAL));
	reasons_add(&rs, SIG_DIGEST, 0, NULL, "earlier");
	assert_int_equal(rs.n, REASONS_MAX);
	reasons_first_stage(&rs);
	assert_int_equal(rs.n, 1);
	assert_int_equal(rs.v[0].code, SIG_DIGEST);
}

static void
test_hostile_detail(void **state)
{
	struct reasons rs = { 0 };
	char text[1024];

	(void)state;
	reasons_add(&rs, XML_MALFORMED, 1, "/a\nb", "a\r\n\x1b[2J\xff");
	assert_string_equal(rs.v[0].path, "/a?b");
	assert_string_equal(rs.v[0].detail, "a???[2J");
	memset(text, 'x', sizeof(text));
	memcpy(text + REASON_DETAIL_SIZE - 2, "\xc3\xa7", 2);	/* cut in the middle */
	text[sizeof(text) - 1] = '\0';
	reasons_add(&rs, XML_MALFORMED, 1, text, "%s", text);
	assert_int_equal(strlen(rs.v[1].detail), REASON_DETAIL_SIZE - 2);
	assert_true(text_ok(rs.v[1].detail, strlen(rs.v[1].detail)));
	assert_true(text_ok(rs.v[1].path, strlen(rs.v[1].path)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_contract),
		cmocka_unit_test(test_first_stage),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_hostile_detail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
