/* SPDX-License-Identifier: ISC */
/* muhur parameter: what the rules are set to, and from which business day on. */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "muhur/cmd.h"

/* The business day that is open now: no run of it can have been. */
static void
open_day(struct cmd *c, char day[DATE_SIZE])
{
	(void)cmd_conf(c);		/* the clock's offset */
	date_format(business_day(clock_now()), day);
}

static int
parameter_list(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "date", required_argument, NULL, 'd' },
		{ "history", no_argument, NULL, 'H' },
		{ NULL, 0, NULL, 0 }
	};
	static const char *const names[] = { "name", "value", "from", "-setAt", "note", "-form" };
	char today[DATE_SIZE];
	const char *params[2] = { NULL, "f" };
	PGresult *res;
	int ch;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (ch) {
		case 'd': params[0] = optarg; break;
		case 'H': params[1] = "t"; break;
		default: return cmd_usage(c);
		}
	}
	if (optind != argc || (params[0] != NULL && *params[1] == 't'))
		return cmd_usage(c);
	if (params[0] == NULL) {
		open_day(c, today);
		params[0] = today;
	} else if (cmd_date_ok(params[0]) == -1) {
		return EXIT_USAGE;
	}
	/* R2 before R10; the note is the shipped row's */
	res = cmd_query(c, "SELECT p.name, p.value, p.valid_from, " SQL_TIME("p.set_at") ", "
	    "(SELECT f.note FROM muhur.parameter f WHERE f.name = p.name ORDER BY f.valid_from LIMIT 1), f.words "
	    "FROM muhur.parameter p LEFT JOIN muhur.parameter_form f USING (name) "
	    "WHERE $2 OR p.valid_from = (SELECT max(v.valid_from) FROM muhur.parameter v "
	    "  WHERE v.name = p.name AND v.valid_from <= $1::date) "
	    "ORDER BY substring(p.name FROM '^R([0-9]+)')::integer, p.name COLLATE \"C\", p.valid_from", 2, params);
	cmd_rows(c, res, names);
	PQclear(res);
	return EXIT_YES;
}

/* The name is one of the rules', and the value has its form; complains where
 * not.  An exit code. */
static int
check_value(struct cmd *c, const char *const *params)
{
	PGresult *res;
	int rc = EXIT_NO;

	res = cmd_query(c, "SELECT coalesce($2 ~ ('^(' || f.form || ')$'), $2 <> ''), coalesce(f.words, 'not empty') "
	    "FROM (SELECT DISTINCT name FROM muhur.parameter WHERE name = $1) p "
	    "LEFT JOIN muhur.parameter_form f USING (name)", 2, params);
	if (PQntuples(res) == 0)
		log_warnx("%s: there is no such parameter; `muhur parameter list'", params[0]);
	else if (*PQgetvalue(res, 0, 0) != 't')
		log_warnx("%s: %s: must be %s", params[0], params[1], PQgetvalue(res, 0, 1));
	else
		rc = EXIT_YES;
	PQclear(res);
	return rc;
}

/* Days that were judged by another value than this one and lie in its time:
 * their runs stand until they are run again.  $1 name, $2 value, $3 from. */
static const char judged_otherwise[] =
	"SELECT count(*), min(d.day), max(d.day) "
	"FROM (SELECT DISTINCT business_date AS day FROM muhur.reconcile_run WHERE business_date >= $3::date) d "
	"WHERE muhur.parameter($1, d.day) IS DISTINCT FROM $2 AND NOT EXISTS (SELECT FROM muhur.parameter later "
	"  WHERE later.name = $1 AND later.valid_from > $3::date AND later.valid_from <= d.day)";

static void
tell_set(struct cmd *c, const char *const *params, const char *before, const PGresult *judged)
{
	const char *days = PQgetvalue(judged, 0, 0);

	if (c->json) {
		cmd_json(json_pack("{s:s, s:s, s:s, s:s, s:s?, s:o, s:s?, s:s?}", "did", "set", "what", params[0],
		    "value", params[1], "from", params[2], "before", before,
		    "reconciledDays", json_loads(days, JSON_DECODE_ANY, NULL),
		    "firstReconciled", PQgetisnull(judged, 0, 1) ? NULL : PQgetvalue(judged, 0, 1),
		    "lastReconciled", PQgetisnull(judged, 0, 2) ? NULL : PQgetvalue(judged, 0, 2)));
		return;
	}
	printf("set %s to %s from %s", params[0], params[1], params[2]);
	if (before != NULL)
		printf(", before %s", before);
	putchar('\n');
	if (strcmp(days, "0") != 0)
		printf("reconciled already with another value: %s day%s, %s to %s; what was found then stands "
		    "until `muhur reconcile run --date' runs the day again\n", days, strcmp(days, "1") == 0 ? "" : "s",
		    PQgetvalue(judged, 0, 1), PQgetvalue(judged, 0, 2));
}

static int
parameter_set(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "from", required_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 }
	};
	char today[DATE_SIZE], now[TIME_SIZE];
	const char *params[4] = { NULL }, *before;
	PGresult *held, *judged;
	int ch, rc;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (ch != 'f')
			return cmd_usage(c);
		params[2] = optarg;
	}
	if (optind + 2 != argc)
		return cmd_usage(c);
	params[0] = argv[optind];
	params[1] = argv[optind + 1];
	if (params[2] != NULL && cmd_date_ok(params[2]) == -1)
		return EXIT_USAGE;
	if (params[2] == NULL) {
		open_day(c, today);
		params[2] = today;
	}
	params[3] = cmd_now(c, now);
	cmd_begin(c);
	/* what it was before must be what the event says, whoever sets it too */
	PQclear(cmd_query(c, "SELECT pg_advisory_xact_lock(hashtext('muhur.parameter'))", 0, NULL));
	if ((rc = check_value(c, params)) != EXIT_YES)
		return rc;
	held = cmd_query(c, "SELECT muhur.parameter($1, $2::date)", 2, (const char *[]){ params[0], params[2] });
	before = PQgetisnull(held, 0, 0) ? NULL : PQgetvalue(held, 0, 0);
	judged = cmd_query(c, judged_otherwise, 3, params);
	cmd_exec(c, "INSERT INTO muhur.parameter (name, value, valid_from, set_at) VALUES ($1, $2, $3, $4) "
	    "ON CONFLICT (name, valid_from) DO UPDATE SET value = excluded.value, set_at = excluded.set_at", 4, params);
	cmd_event(c, "parameter-set", NULL, json_pack("{s:s, s:s, s:s, s:s?}", "name", params[0], "value", params[1],
	    "from", params[2], "before", before));
	cmd_commit(c);
	tell_set(c, params, before, judged);
	PQclear(held);
	PQclear(judged);
	return EXIT_YES;
}

int
cmd_parameter(struct cmd *c, int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
		{ "list", parameter_list, "parameter list [--date DATE | --history]" },
		{ "set", parameter_set, "parameter set NAME VALUE [--from DATE]" },
	};

	return cmd_dispatch(c, argc, argv, verbs, sizeof(verbs) / sizeof(verbs[0]));
}
