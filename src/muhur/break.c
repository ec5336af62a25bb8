/* SPDX-License-Identifier: ISC */
/* muhur break: what a reconciliation found. */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "muhur/cmd.h"

static const char *const break_names[] = {
	"id", "rule", "kind", "platform", "custodian", "asset", "platformQuantity", "custodianQuantity",
	"difference", "status", "firstSeen", "-#ageDays", "-businessDate", "-#version", "-state", "-source",
	"detail", "-@submissions"
};

/* f: finding, b: its break, r: its run. */
#define BREAK_COLUMNS \
	"b.id, b.rule, b.kind, b.platform, b.custodian, b.asset, trim_scale(f.platform_quantity), " \
	"trim_scale(f.custodian_quantity), trim_scale(f.difference), f.status, f.first_seen, " \
	"r.business_date - f.first_seen, r.business_date, r.version, b.state, b.rule_source, f.detail, " \
	"coalesce((SELECT json_agg(json_build_object('id', s.id, 'sha256', s.sha256) ORDER BY s.no) " \
	"  FROM muhur.submission s WHERE s.no = ANY (f.submissions)), '[]') " \
	"FROM muhur.finding f JOIN muhur.break b ON b.id = f.break_id " \
	"JOIN muhur.reconcile_run r ON r.no = f.run "

/* One field of RFC 4180; NULL is empty. */
static void
print_csv_field(const char *s)
{
	if (s[strcspn(s, ",\"\r\n")] == '\0') {
		fputs(s, stdout);
		return;
	}
	putchar('"');
	for (; *s != '\0'; s++) {
		if (*s == '"')
			putchar('"');
		putchar(*s);
	}
	putchar('"');
}

/* The plain columns; the list of submissions is JSON's. */
static void
print_csv(const PGresult *res, const char *const *names)
{
	int row, i, n = PQnfields(res) - 1;

	for (i = 0; i < n; i++)
		printf("%s%s", i > 0 ? "," : "", names[i] + strspn(names[i], "-#?@"));
	putchar('\n');
	for (row = 0; row < PQntuples(res); row++) {
		for (i = 0; i < n; i++) {
			if (i > 0)
				putchar(',');
			print_csv_field(PQgetvalue(res, row, i));
		}
		putchar('\n');
	}
}

/* The newest run of the day, or of the newest day. */
static int
break_list(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "date", required_argument, NULL, 'd' },
		{ "csv", no_argument, NULL, 'c' },
		{ "all", no_argument, NULL, 'a' },
		{ NULL, 0, NULL, 0 }
	};
	const char *params[2] = { NULL, "f" };
	PGresult *res;
	int ch, csv = 0;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (ch) {
		case 'd': params[0] = optarg; break;
		case 'c': csv = 1; break;
		case 'a': params[1] = "t"; break;
		default: return cmd_usage(c);
		}
	}
	if (optind != argc)
		return cmd_usage(c);
	if (params[0] != NULL && cmd_date_ok(params[0]) == -1)
		return EXIT_USAGE;
	res = cmd_query(c, "SELECT " BREAK_COLUMNS "WHERE f.run = (SELECT no FROM muhur.reconcile_run "
	    "WHERE $1::date IS NULL OR business_date = $1::date ORDER BY business_date DESC, version DESC LIMIT 1) "
	    "AND ($2::boolean OR f.status <> 'cured') ORDER BY b.rule, b.kind, b.platform COLLATE \"C\", "
	    "b.custodian COLLATE \"C\", b.asset COLLATE \"C\", b.id", 2, params);
	if (csv)
		print_csv(res, break_names);
	else
		cmd_rows(c, res, break_names);
	PQclear(res);
	return EXIT_YES;
}

/* One break with all that was ever found of it, the newest first. */
static int
break_show(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "csv", no_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 }
	};
	static const char *const names[] = {
		"id", "rule", "source", "kind", "platform", "custodian", "asset", "state", "firstSeen", "lastSeen"
	};
	const char *params[1];
	PGresult *res, *findings;
	json_t *o;
	int ch, csv = 0;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (ch != 'c')
			return cmd_usage(c);
		csv = 1;
	}
	if (optind + 1 != argc)
		return cmd_usage(c);
	params[0] = argv[optind];
	res = cmd_query(c, "SELECT id, rule, rule_source, kind, platform, custodian, asset, state, first_seen, last_seen "
	    "FROM muhur.break WHERE id = $1", 1, params);
	if (PQntuples(res) == 0) {
		log_warnx("%s: there is no such break; `muhur break list'", params[0]);
		PQclear(res);
		return EXIT_NO;
	}
	findings = cmd_query(c, "SELECT " BREAK_COLUMNS "WHERE b.id = $1 ORDER BY r.business_date DESC, r.version DESC",
	    1, params);
	if (csv) {
		print_csv(findings, break_names);
		PQclear(findings);
	} else if (c->json) {
		o = cmd_row_json(res, 0, names);
		json_object_set_new(o, "findings", cmd_array(findings, break_names));
		cmd_json(o);
	} else {
		static const char *const short_names[] = {
			"-id", "-rule", "-kind", "-platform", "-custodian", "-asset", "platformQuantity",
			"custodianQuantity", "difference", "status", "firstSeen", "#ageDays", "businessDate",
			"#version", "-state", "-source", "detail", "-@submissions"
		};

		cmd_record(res, 0, names);
		putchar('\n');
		cmd_rows(c, findings, short_names);
		PQclear(findings);
	}
	PQclear(res);
	return EXIT_YES;
}

int
cmd_break(struct cmd *c, int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
		{ "list", break_list, "break list [--date DATE] [--csv] [--all]" },
		{ "show", break_show, "break show [--csv] ID" },
	};

	return cmd_dispatch(c, argc, argv, verbs, sizeof(verbs) / sizeof(verbs[0]));
}
