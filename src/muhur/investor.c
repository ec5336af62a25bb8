/* SPDX-License-Identifier: ISC */
/*
 * muhur investor: what one registry number [sicil numarası] has, over all
 * members (S1 m.32(3); S0).  Numbers alone: who it is, is not the command's.
 */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "muhur/cmd.h"

/* The newest day of which some balance is accepted. */
static const char newest_day[] =
	"SELECT max(business_date) FROM muhur.submission WHERE state = 'accepted' "
	"AND message_type IN ('BalanceReport', 'CustodyReport')";

/*
 * A platform's lines, and what custodians keep for customers of their own
 * (m.24(2)), whose place is the custodian itself.  The sums are taken in the
 * database, exactly.  $1 the number, $2 the day: a constant to the planner, so
 * that one day's partitions are read and no other.
 */
static const char all_lines[] =
	"WITH in_effect AS MATERIALIZED (SELECT no FROM muhur.submission WHERE state = 'accepted' "
	"    AND business_date = $2::date AND message_type IN ('BalanceReport', 'CustodyReport')), "
	"line AS (SELECT b.asset, b.member_code, b.held_at, b.customer_no, b.quantity, b.locked "
	"    FROM muhur.balance b WHERE b.business_date = $2::date AND b.registry_no = $1 "
	"    AND b.submission IN (SELECT no FROM in_effect) "
	"  UNION ALL SELECT d.asset, d.member_code, d.member_code, d.customer_no, d.quantity, 0 "
	"    FROM muhur.custody_direct d WHERE d.business_date = $2::date AND d.registry_no = $1 "
	"    AND d.submission IN (SELECT no FROM in_effect)) "
	"SELECT $1::text, $2::date, asset, member_code, held_at, customer_no, trim_scale(sum(quantity)), "
	"    trim_scale(sum(locked)), trim_scale(sum(sum(quantity)) OVER (PARTITION BY asset)), "
	"    trim_scale(sum(sum(locked)) OVER (PARTITION BY asset)) "
	"FROM line GROUP BY asset, member_code, held_at, customer_no "
	"ORDER BY asset COLLATE \"C\", member_code COLLATE \"C\", held_at COLLATE \"C\", customer_no COLLATE \"C\"";
enum { COL_ASSET = 2, COL_TOTAL = 8, COL_TOTAL_LOCKED };

static const char *const csv_names[] = {
	"registryNo", "businessDate", "asset", "member", "heldAt", "customerNo", "quantity", "locked",
	"totalQuantity", "totalLocked"
};
static const char *const table_names[] = {
	"-registryNo", "-businessDate", "asset", "member", "heldAt", "customerNo", "quantity", "locked",
	"totalQuantity", "totalLocked"
};

/* One asset's lines from *row on, which is moved behind them. */
static json_t *
asset_json(const PGresult *res, int *row)
{
	static const char *const names[] = { "member", "heldAt", "customerNo", "quantity", "locked" };
	const char *asset = PQgetvalue(res, *row, COL_ASSET);
	json_t *holdings = json_array(), *line, *o;
	size_t i;

	o = json_pack("{s:s, s:s, s:s}", "asset", asset, "quantity", PQgetvalue(res, *row, COL_TOTAL),
	    "locked", PQgetvalue(res, *row, COL_TOTAL_LOCKED));
	for (; *row < PQntuples(res) && strcmp(PQgetvalue(res, *row, COL_ASSET), asset) == 0; (*row)++) {
		line = json_object();
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			json_object_set_new(line, names[i],
			    json_string(PQgetvalue(res, *row, COL_ASSET + 1 + (int)i)));
		json_array_append_new(holdings, line);
	}
	json_object_set_new(o, "holdings", holdings);
	return o;
}

static void
print_json(const PGresult *res, const char *number, const char *day)
{
	json_t *assets = json_array();
	int row = 0;

	while (row < PQntuples(res))
		json_array_append_new(assets, asset_json(res, &row));
	cmd_json(json_pack("{s:s, s:s?, s:o}", "registryNo", number, "businessDate", day, "assets", assets));
}

static int
is_registered(struct cmd *c, const char *number)
{
	const char *params[] = { number };
	PGresult *res = cmd_query(c, "SELECT FROM muhur.registry_number WHERE registry_no = $1", 1, params);
	int found = PQntuples(res) > 0;

	PQclear(res);
	return found;
}

static int
show_number(struct cmd *c, const char *number, const char *date, int csv)
{
	const char *params[] = { number, date };
	PGresult *day, *res;
	int rc = EXIT_YES;

	day = cmd_query(c, newest_day, 0, NULL);
	if (date == NULL && !PQgetisnull(day, 0, 0))
		params[1] = PQgetvalue(day, 0, 0);
	res = cmd_query(c, all_lines, 2, params);
	if (PQntuples(res) == 0 && !is_registered(c, number)) {
		log_warnx("%s: no such registry number has been given, and nobody reports it%s%s", number,
		    params[1] != NULL ? " on " : "", params[1] != NULL ? params[1] : "");
		rc = EXIT_NO;
	} else if (csv) {
		cmd_csv(res, csv_names);
	} else if (c->json) {
		print_json(res, number, params[1]);
	} else {
		printf("%-18s %s\n%-18s %s\n\n", "registry no", number, "business date",
		    params[1] != NULL ? params[1] : "-");
		cmd_rows(c, res, table_names);
	}
	PQclear(res);
	PQclear(day);
	return rc;
}

static int
investor_show(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "date", required_argument, NULL, 'd' },
		{ "csv", no_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 }
	};
	const char *date = NULL, *number;
	int ch, csv = 0;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (ch) {
		case 'd': date = optarg; break;
		case 'c': csv = 1; break;
		default: return cmd_usage(c);
		}
	}
	if (optind + 1 != argc)
		return cmd_usage(c);
	number = argv[optind];
	if ((date != NULL && cmd_date_ok(date) == -1) || cmd_registry_no_ok(number) == -1)
		return EXIT_USAGE;
	return show_number(c, number, date, csv);
}

int
cmd_investor(struct cmd *c, int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
		{ "show", investor_show, "investor show REGISTRYNO [--date DATE] [--csv]" },
	};

	return cmd_dispatch(c, argc, argv, verbs, sizeof(verbs) / sizeof(verbs[0]));
}
