/* SPDX-License-Identifier: ISC */
/* The model's tables, and that the database and the schemas say the same. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fdio.h"
#include "base/mem.h"
#include "model/cutoffs.h"
#include "model/header.h"
#include "model/job.h"
#include "model/notice.h"
#include "model/reason.h"
#include "model/record.h"

static char *
slurp(const char *name)
{
	const char *srcdir = getenv("srcdir");
	char *path = xasprintf("%s/schemas/%s", srcdir != NULL ? srcdir : ".", name);
	char *data;
	size_t len;

	if (file_read_all(path, 1 << 20, &data, &len) == -1)
		fail_msg("cannot read %s", path);
	free(path);
	return data;
}

/* The transitions that one file brings into the database; returns how many. */
static int
count_transitions(const char *sql)
{
	char *p = strstr(sql, "INSERT INTO muhur.submission_transition");
	char from[32], event[32], to[32];
	int e, in_sql = 0;

	assert_non_null(p);
	p = strchr(p, '\n');
	while (p != NULL && sscanf(p, "\n ('%31[a-z]', '%31[a-z]', '%31[a-z]')", from, event, to) == 3) {
		for (e = 0; e < EV_COUNT; e++) {
			if (strcmp(submission_event_name((enum submission_event)e), event) == 0)
				break;
		}
		assert_true(e < EV_COUNT);
		assert_int_equal(submission_next(submission_state_by_name(from),
		    (enum submission_event)e), submission_state_by_name(to));
		assert_true(submission_state_by_name(to) < SUB_STATE_COUNT);
		in_sql++;
		p = strchr(p + 1, '\n');
	}
	return in_sql;
}

static void
test_transitions(void **state)
{
	char *sql = slurp("sql/001-core.sql"), *more = slurp("sql/006-authority.sql"), names[256];
	int s, e, in_sql = count_transitions(sql) + count_transitions(more), in_table = 0;

	(void)state;
	free(more);
	for (s = 0; s < SUB_STATE_COUNT; s++) {
		assert_int_equal(submission_state_by_name(submission_state_name((enum submission_state)s)), s);
		snprintf(names, sizeof(names), "'%s'", submission_state_name((enum submission_state)s));
		assert_non_null(strstr(sql, names));
		for (e = 0; e < EV_COUNT; e++) {
			if (submission_next((enum submission_state)s, (enum submission_event)e) != SUB_STATE_COUNT)
				in_table++;
		}
	}
	assert_int_equal(in_sql, in_table);
	/* S2 A: after approval nothing is cancelled */
	assert_int_equal(submission_next(SUB_ACCEPTED, EV_CANCEL), SUB_STATE_COUNT);
	assert_int_equal(submission_next(SUB_REJECTED, EV_ACCEPT), SUB_STATE_COUNT);
	assert_int_equal(submission_state_by_name("nothing"), SUB_STATE_COUNT);
	free(sql);
}

/* Every field has its column, in this order, in its table. */
static void
test_records(void **state)
{
	char *reports = slurp("sql/002-records.sql"), *more = slurp("sql/006-authority.sql");
	char *messages = slurp("sql/010-messages.sql"), *identity = slurp("sql/011-identity.sql");
	char *sql = xasprintf("%s%s%s%s", reports, more, messages, identity), *p, *end, name[80];
	const struct record_info *r;
	size_t f;
	int k;

	(void)state;
	for (k = 0; k < REC_COUNT; k++) {
		r = record_info((enum record_kind)k);
		assert_int_equal(record_by_element(r->type, r->element), k);
		snprintf(name, sizeof(name), "CREATE TABLE %s (", r->table);
		p = strstr(sql, name);
		assert_non_null(p);
		end = strstr(p, ";\n");
		p = strstr(p, "\n\tline");
		assert_non_null(p);
		for (f = 0; f < r->nfields; f++) {
			snprintf(name, sizeof(name), "\n\t%s\t", r->field[f].column);
			p = strstr(p, name);
			if (p == NULL || p > end)
				fail_msg("%s.%s", r->table, r->field[f].column);
		}
		if (r->asset_field >= 0) {
			assert_string_equal(r->field[r->asset_field].column, "asset");
			assert_string_equal(r->field[r->quantity_field].column,
			    k == REC_NETTING ? "closing" : "quantity");
		}
	}
	assert_int_equal(record_by_element(MT_CUSTODY_REPORT, "Bal"), REC_COUNT);
	assert_int_equal(record_by_element(MT_BALANCE_REPORT, "Nothing"), REC_COUNT);
	free(reports);
	free(more);
	free(messages);
	free(identity);
	free(sql);
}

static void
assert_schema(const char *file, const char *namespace, const char *root)
{
	char *name = xasprintf("xml/%s", file), *xsd = slurp(name), *want;

	want = xasprintf("targetNamespace=\"%s\"", namespace);
	assert_non_null(strstr(xsd, want));
	free(want);
	want = xasprintf("<xs:element name=\"%s\">", root);
	assert_non_null(strstr(xsd, want));
	free(want);
	free(xsd);
	free(name);
}

static void
test_names(void **state)
{
	char *xsd = slurp("xml/common-1.xsd"), *want;
	int i;

	(void)state;
	for (i = 0; i < MT_COUNT; i++) {
		assert_int_equal(message_type_by_name(message_type_name((enum message_type)i)), i);
		assert_schema(message_type_schema((enum message_type)i),
		    message_type_namespace((enum message_type)i), message_type_name((enum message_type)i));
	}
	for (i = 0; i < NK_COUNT; i++) {
		assert_int_equal(notice_kind_by_name(notice_kind_name((enum notice_kind)i)), i);
		assert_schema(notice_kind_schema((enum notice_kind)i),
		    notice_kind_namespace((enum notice_kind)i), notice_kind_name((enum notice_kind)i));
	}
	for (i = 0; i < NL_COUNT; i++)
		assert_int_equal(notice_level_by_name(notice_level_name((enum notice_level)i)), i);
	for (i = 0; i < REASON_COUNT; i++) {
		want = xasprintf("<xs:enumeration value=\"%s\"/>", reason_info((enum reason_code)i)->name);
		assert_non_null(strstr(xsd, want));
		free(want);
	}
	assert_int_equal(message_type_by_name("Acknowledgement"), MT_COUNT);
	assert_int_equal(notice_kind_by_name("BalanceReport"), NK_COUNT);
	assert_int_equal(notice_level_by_name(""), NL_COUNT);
	free(xsd);
}

/* A cut-off is of a type that can be late, or wait. */
static void
test_cutoffs(void **state)
{
	struct cutoff cutoffs[] = { { .message_type = "CustodyReport" }, { .message_type = "RegistrationRequest" },
	    { .message_type = "Approval" }, { .message_type = "custodyreport" } };
	struct conf conf = { .cutoffs = cutoffs, .ncutoffs = 2 };

	(void)state;
	assert_int_equal(cutoffs_check(&conf), 0);
	conf.ncutoffs = 3;
	assert_int_equal(cutoffs_check(&conf), -1);
	cutoffs[2] = cutoffs[3];
	assert_int_equal(cutoffs_check(&conf), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_transitions),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_cutoffs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
