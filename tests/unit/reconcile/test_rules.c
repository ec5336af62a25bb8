/* SPDX-License-Identifier: ISC */
/* The rule files as text: statements are found, nothing else is cut.  And the
 * types of messages that a run takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/header.h"
#include "reconcile/rules.h"
#include "reconcile/run.h"
#include "unit/pgtest.h"

/* The statements of text, put together with "//". */
static char *
statements(const char *text)
{
	struct buf b = { 0 };
	char *s;

	buf_puts(&b, "");
	while ((s = rules_next_statement(&text)) != NULL) {
		if (b.len > 0)
			buf_puts(&b, "//");
		buf_puts(&b, s);
		free(s);
	}
	return b.data;
}

static void
expect(const char *text, const char *want)
{
	char *got = statements(text);

	assert_string_equal(got != NULL ? got : "", want);
	free(got);
}

static void
test_statements(void **state)
{
	(void)state;
	expect("", "");
	expect("-- only; a comment\n", "");
	expect(" ; ;; ", "");
	expect("SELECT 1", "SELECT 1");
	expect("SELECT 1;\n\n-- x\nSELECT 2;", "SELECT 1//SELECT 2");
	/* a semicolon in quotes, in a comment or in a dollar quote ends nothing */
	expect("SELECT ';' ; SELECT 'it''s;'", "SELECT ';' //SELECT 'it''s;'");
	expect("SELECT \"a;b\"; SELECT 2", "SELECT \"a;b\"//SELECT 2");
	expect("SELECT 1 -- ;\n+ 2; SELECT 3", "SELECT 1 -- ;\n+ 2//SELECT 3");
	expect("SELECT /* ; */ 1; SELECT 2", "SELECT /* ; */ 1//SELECT 2");
	expect("DO $$ a; b; $$; SELECT $1;", "DO $$ a; b; $$//SELECT $1");
	expect("DO $x$ a; $$ b; $x$; SELECT $1, $2", "DO $x$ a; $$ b; $x$//SELECT $1, $2");
	/* what has no end goes to the end of the file, and fails in the server */
	expect("SELECT 'a; b", "SELECT 'a; b");
}

static void
write_file(int dir, const char *name, const char *text)
{
	assert_int_equal(file_write_durable(dir, name, text, strlen(text), 0644), 0);
}

static void
test_directory(void **state)
{
	char path[] = "/tmp/muhur-rules.XXXXXX";
	struct rules *rules;
	int dir;

	(void)state;
	assert_non_null(mkdtemp(path));
	assert_int_not_equal(dir = open(path, O_RDONLY | O_DIRECTORY), -1);
	assert_null(rules_load(dir));
	write_file(dir, "R10-c.sql", "SELECT 10;");
	write_file(dir, "R02-b.sql", "-- none");
	write_file(dir, "R01-a.sql", "SELECT 1; SELECT 2;");
	write_file(dir, "README", "SELECT 3;");
	write_file(dir, ".R03.sql", "SELECT 3;");
	assert_non_null(rules = rules_load(dir));
	assert_int_equal(rules->n, 3);
	assert_string_equal(rules->v[0].name, "R01-a.sql");
	assert_int_equal(rules->v[0].nstatements, 2);
	assert_int_equal(rules->v[1].nstatements, 0);
	assert_string_equal(rules->v[2].name, "R10-c.sql");
	rules_free(rules);
	unlinkat(dir, "R01-a.sql", 0);
	unlinkat(dir, "R02-b.sql", 0);
	unlinkat(dir, "R10-c.sql", 0);
	unlinkat(dir, "README", 0);
	unlinkat(dir, ".R03.sql", 0);
	close(dir);
	rmdir(path);
}

/* Each rule of ours says which article it carries out, and how, in words. */
static void
test_own_rules(void **state)
{
	char *path = xasprintf("%s/schemas/rules", pgtest_srcdir()), *file, *text;
	struct rules *rules;
	int dir, seen[100] = { 0 }, no;
	size_t i, len;

	(void)state;
	assert_int_not_equal(dir = open(path, O_RDONLY | O_DIRECTORY), -1);
	assert_non_null(rules = rules_load(dir));
	for (i = 0; i < rules->n; i++) {
		assert_int_equal(sscanf(rules->v[i].name, "R%2d-", &no), 1);
		seen[no] = 1;
		file = xasprintf("%s/%s", path, rules->v[i].name);
		assert_int_equal(file_read_all(file, 1 << 20, &text, &len), 0);
		if (no == 0 || no == 99) {	/* what rules share */
			assert_non_null(strstr(text, "No rule by itself."));
		} else {
			assert_non_null(strstr(text, "-- Source: "));
			assert_non_null(strstr(text, "-- In words: "));
		}
		assert_true(rules->v[i].nstatements >= 1);
		free(text);
		free(file);
	}
	for (no = 1; no <= 14; no++)
		assert_true(seen[no]);
	rules_free(rules);
	close(dir);
	free(path);
}

/* They stand in SQL once more: exactly those of their class. */
static void
test_day_types(void **state)
{
	struct buf b = { 0 };
	enum message_type t;

	(void)state;
	for (t = 0; t < MT_COUNT; t++)
		if (message_type_class(t) == MC_DAY)
			buf_printf(&b, "%s'%s'", b.len > 0 ? ", " : "", message_type_name(t));
	assert_string_equal(DAY_TYPES, b.data);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statements),
		cmocka_unit_test(test_directory),
		cmocka_unit_test(test_own_rules),
		cmocka_unit_test(test_day_types),
	};

	log_init("test_rules", LOG_COMMAND, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
