/* SPDX-License-Identifier: ISC */
/* Rows of a result as JSON, as CSV, or as a table for people. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/ident.h"
#include "muhur/cmd.h"

/* A column's name without its marks, and what they say. */
struct column {
	const char	*name;
	char		 type;		/* '#', '?', '@', '*', or 0: text */
	int		 json_only;	/* but for CSV */
	int		 csv_only;
};

static struct column
column_of(const char *name)
{
	struct column col = { .name = name };

	col.json_only = *col.name == '-';
	col.csv_only = *col.name == '+';
	if (col.json_only || col.csv_only)
		col.name++;
	if (*col.name != '\0' && strchr("#?@*", *col.name) != NULL)
		col.type = *col.name++;
	return col;
}

void
cmd_json(json_t *o)
{
	char *text;

	if (o == NULL || (text = json_dumps(o, JSON_COMPACT)) == NULL)
		fatalx("JSON: a value could not be written");
	puts(text);
	free(text);
	json_decref(o);
}

/* Words with a blank between them as a list. */
static json_t *
words_json(const char *s)
{
	json_t *list = json_array();
	size_t n;

	for (; *s != '\0'; s += n + (s[n] == ' ')) {
		n = strcspn(s, " ");
		if (json_array_append_new(list, json_stringn(s, n)) == -1)
			fatalx("JSON: a list could not be written");
	}
	return list;
}

static json_t *
value_json(const PGresult *res, int row, int i, char type)
{
	const char *s = PQgetvalue(res, row, i);

	if (PQgetisnull(res, row, i))
		return type == '*' ? json_array() : json_null();
	switch (type) {
	case '*':
		return words_json(s);
	case '#':
		return json_integer(strtoll(s, NULL, 10));
	case '?':
		return json_boolean(*s == 't');
	case '@':
		return json_loads(s, JSON_DECODE_ANY, NULL);
	default:
		return json_string(s);
	}
}

json_t *
cmd_row_json(const PGresult *res, int row, const char *const *names)
{
	json_t *o = json_object();
	int i;

	for (i = 0; i < PQnfields(res); i++) {
		struct column col = column_of(names[i]);

		if (col.csv_only)
			continue;
		if (json_object_set_new(o, col.name, value_json(res, row, i, col.type)) == -1)
			fatalx("JSON: column %s could not be written", col.name);
	}
	return o;
}

json_t *
cmd_array(PGresult *res, const char *const *names)
{
	json_t *a = json_array();
	int row;

	for (row = 0; row < PQntuples(res); row++)
		json_array_append_new(a, cmd_row_json(res, row, names));
	PQclear(res);
	return a;
}

/* Columns that text takes on a terminal: characters, not bytes. */
static int
width_of(const char *s)
{
	int n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* "receivedAt" becomes "RECEIVED AT"; caller frees. */
static char *
heading_of(const char *name)
{
	struct buf b = { 0 };
	char c[2] = "";

	for (; *name != '\0'; name++) {
		if (*name >= 'A' && *name <= 'Z')
			buf_append(&b, " ", 1);
		c[0] = *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name;
		buf_append(&b, c, 1);
	}
	return b.data;
}

/* A value for people: times without their fraction, no control characters
 * (a terminal would obey them), "-" for nothing; caller frees. */
static char *
cell_of(const PGresult *res, int row, int i, char type)
{
	const char *s = PQgetvalue(res, row, i);
	size_t len = strlen(s);
	char *cell;

	if (PQgetisnull(res, row, i) || *s == '\0')
		return xstrdup("-");
	if (type == '?')
		return xstrdup(*s == 't' ? "yes" : "no");
	cell = xstrdup(s);
	if (len == 27 && cell[10] == 'T' && cell[19] == '.' && cell[26] == 'Z') {
		cell[19] = 'Z';
		cell[20] = '\0';
	}
	text_clean(cell);
	return cell;
}

/* One cell, padded; numbers to the right, the last column not at all. */
static void
print_cell(const char *cell, int width, int right, int last)
{
	int pad = width - width_of(cell);

	if (right)
		printf("%*s%s", pad, "", cell);
	else
		printf("%s%*s", cell, last ? 0 : pad, "");
	fputs(last ? "\n" : "  ", stdout);
}

/* Quantities come as text, and are numbers to the eye. */
static int
is_quantity(const char *name)
{
	static const char *const names[] = {
		"difference", "locked", "priceTry", "valueTry", "valueUsd", "numerator", "denominator", "ratio", "threshold"
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return 1;
	return strstr(name, "uantity") != NULL;
}

static void
print_table(const PGresult *res, const char *const *names)
{
	int rows = PQntuples(res), cols = PQnfields(res), i, row, last = 0;
	char **cell = xcalloc((size_t)(rows + 1) * (size_t)cols, sizeof(*cell));
	int *width = xcalloc((size_t)cols, sizeof(*width));
	struct column col;

	for (i = 0; i < cols; i++) {
		col = column_of(names[i]);
		if (col.json_only || col.csv_only)
			continue;
		last = i;
		cell[i] = heading_of(col.name);
		for (row = 0; row < rows; row++)
			cell[(row + 1) * cols + i] = cell_of(res, row, i, col.type);
		for (row = 0; row <= rows; row++)
			if (width_of(cell[row * cols + i]) > width[i])
				width[i] = width_of(cell[row * cols + i]);
	}
	for (row = 0; row <= rows; row++) {
		for (i = 0; i < cols; i++) {
			col = column_of(names[i]);
			if (!col.json_only && !col.csv_only)
				print_cell(cell[row * cols + i], width[i],
				    col.type == '#' || is_quantity(col.name), i == last);
		}
	}
	for (i = 0; i < (rows + 1) * cols; i++)
		free(cell[i]);
	free(cell);
	free(width);
}

void
cmd_csv_field(struct buf *b, const char *s)
{
	int formula = *s != '\0' && strchr("=+@\t", *s) != NULL;

	if (*s == '-' && s[1 + strspn(s + 1, "0123456789.")] != '\0')
		formula = 1;
	if (!formula && s[strcspn(s, ",\"\r\n")] == '\0') {
		buf_puts(b, s);
		return;
	}
	buf_puts(b, formula ? "\"'" : "\"");
	for (; *s != '\0'; s++) {
		if (*s == '"')
			buf_puts(b, "\"");
		buf_append(b, s, 1);
	}
	buf_puts(b, "\"");
}

/* What is a JSON value has no field; NULL is empty. */
void
cmd_csv(const PGresult *res, const char *const *names)
{
	struct buf b = { 0 };
	int row, i;

	for (row = -1; row < PQntuples(res); row++) {
		const char *sep = "";

		for (i = 0; i < PQnfields(res); i++) {
			struct column col = column_of(names[i]);

			if (col.type == '@')
				continue;
			buf_puts(&b, sep);
			sep = ",";
			if (row == -1)
				buf_puts(&b, col.name);
			else if (col.type == '?' && !PQgetisnull(res, row, i))
				buf_puts(&b, *PQgetvalue(res, row, i) == 't' ? "true" : "false");
			else
				cmd_csv_field(&b, PQgetvalue(res, row, i));
		}
		buf_puts(&b, "\r\n");
		fwrite(b.data, 1, b.len, stdout);
		buf_reset(&b);
	}
	buf_free(&b);
}

void
cmd_rows(const struct cmd *c, const PGresult *res, const char *const *names)
{
	int row;

	if (!c->json) {
		print_table(res, names);
		return;
	}
	for (row = 0; row < PQntuples(res); row++)
		cmd_json(cmd_row_json(res, row, names));
}

void
cmd_record(const PGresult *res, int row, const char *const *names)
{
	int i;

	for (i = 0; i < PQnfields(res); i++) {
		struct column col = column_of(names[i]);
		char *cell, *name, *p;

		if (col.json_only || col.csv_only || PQgetisnull(res, row, i))
			continue;
		cell = cell_of(res, row, i, col.type);
		name = heading_of(col.name);
		for (p = name; *p != '\0'; p++)
			if (*p >= 'A' && *p <= 'Z')
				*p = (char)(*p - 'A' + 'a');
		printf("%-18s %s\n", name, cell);
		free(cell);
		free(name);
	}
}
