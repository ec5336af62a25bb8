/* SPDX-License-Identifier: ISC */
/* muhur reconcile: run a day's reconciliation, and read what ran. */
#include "config.h"

#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "muhur/cmd.h"
#include "pg/queue.h"

#define WAIT_LIMIT	(300 * USEC_PER_SEC)	/* for a run to end */
#define WAIT_STEP_MS	100

struct request {
	const char	*date;		/* NULL: not given */
	const char	*version;
	int		 fail_on_break;
	int		 values, limits, csv;	/* of show */
};

static const char *const run_names[] = {
	"businessDate", "#version", "cause", "startedAt", "#pairs", "#breaks", "#new", "#cured", "#submissions", "-#no"
};
#define RUN_COLUMNS \
	"r.business_date, r.version, r.cause, " SQL_TIME("r.started_at") ", r.pairs, r.breaks, " \
	"(SELECT count(*) FROM muhur.finding f WHERE f.run = r.no AND f.status = 'new'), " \
	"(SELECT count(*) FROM muhur.finding f WHERE f.run = r.no AND f.status = 'cured'), " \
	"(SELECT count(*) FROM muhur.reconcile_input i WHERE i.run = r.no), r.no FROM muhur.reconcile_run r "

/* What belongs to a run, one table each. */
struct part {
	const char		*key;		/* in JSON */
	const char *const	*names;
	const char		*sql;		/* $1: the run */
};

static const char *const pair_names[] = {
	"platform", "custodian", "asset", "platformQuantity", "custodianQuantity", "difference", "status"
};
static const struct part pairs_part = {
	"comparisons", pair_names,
	"SELECT platform, custodian, asset, trim_scale(platform_quantity), trim_scale(custodian_quantity), "
	"trim_scale(difference), status FROM muhur.pair WHERE run = $1 "
	"ORDER BY platform COLLATE \"C\", custodian COLLATE \"C\", asset COLLATE \"C\""
};
static const char *const input_names[] = { "id", "member", "messageType", "messageId", "sha256" };
static const struct part inputs_part = {
	"inputs", input_names,
	"SELECT s.id, s.member_code, s.message_type, s.message_id, s.sha256 "
	"FROM muhur.reconcile_input i JOIN muhur.submission s ON s.no = i.submission WHERE i.run = $1 "
	"ORDER BY s.member_code COLLATE \"C\", s.message_type, s.message_id COLLATE \"C\""
};
/* What an asset is worth at a platform, by the platform's own price (S0, m.42(4)). */
static const char *const value_names[] = {
	"platform", "asset", "priceTry", "customersQuantity", "houseQuantity", "custodiansQuantity", "valueTry",
	"valueUsd"
};
static const struct part values_part = {
	"values", value_names,
	"SELECT platform, asset, trim_scale(price_try), trim_scale(customers), trim_scale(house), "
	"trim_scale(custodians), trim_scale(value_try), trim_scale(value_usd) FROM muhur.asset_value WHERE run = $1 "
	"ORDER BY platform COLLATE \"C\", asset COLLATE \"C\""
};
static const char *const limit_names[] = {
	"rule", "platform", "custodian", "asset", "at", "-numerator", "-denominator", "ratio", "threshold", "status",
	"#occurrences", "cureBy", "detail", "-source"
};
static const struct part limits_part = {
	"limits", limit_names,
	"SELECT rule, platform, custodian, asset, " SQL_TIME("at") ", trim_scale(numerator), trim_scale(denominator), "
	"trim_scale(ratio), trim_scale(threshold), status, occurrences, cure_by, detail, rule_source "
	"FROM muhur.limit_result WHERE run = $1 ORDER BY no"
};

/* Options of all three; an exit code, EXIT_YES good. */
static int
read_options(struct cmd *c, int argc, char **argv, struct request *q, int show)
{
	static const struct option options[] = {
		{ "date", required_argument, NULL, 'd' },
		{ "version", required_argument, NULL, 'v' },
		{ "fail-on-break", no_argument, NULL, 'f' },
		{ "values", no_argument, NULL, 'V' },
		{ "limits", no_argument, NULL, 'L' },
		{ "csv", no_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 }
	};
	int ch;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (ch) {
		case 'd': q->date = optarg; break;
		case 'v': q->version = optarg; break;
		case 'f': q->fail_on_break = 1; break;
		case 'V': q->values = 1; break;
		case 'L': q->limits = 1; break;
		case 'c': q->csv = 1; break;
		default: return cmd_usage(c);
		}
	}
	if (optind != argc || (q->version != NULL && q->date == NULL) ||
	    (!show && (q->version != NULL || q->values || q->limits || q->csv)) ||
	    (q->csv && q->values && q->limits))	/* one table a file */
		return cmd_usage(c);
	if (q->version != NULL && (strlen(q->version) > 9 || *q->version == '\0' ||
	    q->version[strspn(q->version, "0123456789")] != '\0')) {
		log_warnx("--version %s: must be a number", q->version);
		return EXIT_USAGE;
	}
	return q->date != NULL && cmd_date_ok(q->date) == -1 ? EXIT_USAGE : EXIT_YES;
}

static json_t *
part_json(struct cmd *c, const struct part *part, const char *no)
{
	const char *params[] = { no };

	return cmd_array(cmd_query(c, part->sql, 1, params), part->names);
}

static void
print_part(struct cmd *c, const struct part *part, const char *no, int csv)
{
	const char *params[] = { no };
	PGresult *res = cmd_query(c, part->sql, 1, params);

	if (csv) {
		cmd_csv(res, part->names);
	} else {
		putchar('\n');
		cmd_rows(c, res, part->names);
	}
	PQclear(res);
}

/* What was asked for of a run; the comparisons where nothing was. */
static void
print_lines(struct cmd *c, const struct request *q, const char *no)
{
	if (!q->values && !q->limits)
		print_part(c, &pairs_part, no, q->csv);
	if (q->values)
		print_part(c, &values_part, no, q->csv);
	if (q->limits)
		print_part(c, &limits_part, no, q->csv);
}

/* Prints a run and what belongs to it; clears res. */
static int
print_run(struct cmd *c, PGresult *res, const struct request *q, int with_lines)
{
	const char *no = PQgetvalue(res, 0, PQnfields(res) - 1);
	int breaks = strcmp(PQgetvalue(res, 0, 5), "0") != 0;
	json_t *o;

	if (q->csv) {
		print_lines(c, q, no);
	} else if (c->json) {
		o = cmd_row_json(res, 0, run_names);
		if (with_lines) {
			json_object_set_new(o, pairs_part.key, part_json(c, &pairs_part, no));
			json_object_set_new(o, inputs_part.key, part_json(c, &inputs_part, no));
		}
		if (q->values)
			json_object_set_new(o, values_part.key, part_json(c, &values_part, no));
		if (q->limits)
			json_object_set_new(o, limits_part.key, part_json(c, &limits_part, no));
		cmd_json(o);
	} else {
		cmd_record(res, 0, run_names);
		if (with_lines)
			print_lines(c, q, no);
		if (breaks)
			printf("\n`muhur break list --date %s' shows the breaks\n", PQgetvalue(res, 0, 0));
	}
	PQclear(res);
	return breaks && q->fail_on_break ? EXIT_NO : EXIT_YES;
}

/* Newest version of a day; 0 where there is none. */
static int
newest_version(struct cmd *c, const char *date)
{
	const char *params[] = { date };
	PGresult *res;
	int version;

	res = cmd_query(c, "SELECT coalesce(max(version), 0) FROM muhur.reconcile_run WHERE business_date = $1",
	    1, params);
	version = (int)strtol(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	return version;
}

/* The job's number, so that its going tells that it is done. */
static void
ask_for_run(struct cmd *c, const char *date, char no[24])
{
	const char *params[] = { date };
	PGresult *res;
	date_t day;

	if (date_parse(date, &day) == -1 || db_begin(cmd_db(c)) == -1 ||
	    queue_add(cmd_db(c), day, clock_now(), "operator") == -1)
		exit(EXIT_ENVIRONMENT);
	res = cmd_query(c, "SELECT max(no) FROM muhur.reconcile_job WHERE business_date = $1 AND cause = 'operator'",
	    1, params);
	(void)snprintf(no, 24, "%s", PQgetvalue(res, 0, 0));
	PQclear(res);
	cmd_event(c, "reconcile-requested", NULL, json_pack("{s:s}", "businessDate", date));
	cmd_commit(c);
}

/* Waits until the job is gone, which happens with its run's commit. */
static int
wait_for_run(struct cmd *c, const char *date, const char *no)
{
	const char *params[] = { no };
	usec_t start = clock_monotonic(), waited;
	int tty = isatty(STDERR_FILENO), left;
	PGresult *res;

	do {
		res = cmd_query(c, "SELECT FROM muhur.reconcile_job WHERE no = $1", 1, params);
		left = PQntuples(res);
		PQclear(res);
		waited = clock_monotonic() - start;
		if (tty && left > 0)
			fprintf(stderr, "\rreconciling %s: %lld s", date, (long long)(waited / USEC_PER_SEC));
		else if (tty)
			fputs("\r\033[K", stderr);
		if (left == 0)
			return 0;
		poll(NULL, 0, WAIT_STEP_MS);
	} while (waited < WAIT_LIMIT);
	if (tty)
		fputc('\n', stderr);
	log_warnx("%s: no run within %lld s; the request stands, and is carried out when muhur-reconcile "
	    "works: is the gateway running? its log tells", date, (long long)(WAIT_LIMIT / USEC_PER_SEC));
	return -1;
}

static int
reconcile_run(struct cmd *c, int argc, char **argv)
{
	struct request q = { 0 };
	char no[24], day[DATE_SIZE], version[16];
	const char *params[] = { day, version };
	date_t d;
	PGresult *res;
	int rc, before;

	if ((rc = read_options(c, argc, argv, &q, 0)) != EXIT_YES)
		return rc;
	(void)cmd_conf(c);
	if (q.date == NULL)
		d = last_closed_day(clock_now());
	else if (date_parse(q.date, &d) == -1)
		return EXIT_USAGE;
	date_format(d, day);
	if (d > last_closed_day(clock_now())) {
		log_warnx("%s: is not over yet: a business day closes at 23:59 Europe/Istanbul", day);
		return EXIT_NO;
	}
	before = newest_version(c, day);
	ask_for_run(c, day, no);
	if (!cmd_gateway_runs(c))
		log_warnx("%s: the gateway is not running: the request stands, and is carried out when muhurd is started", day);
	if (wait_for_run(c, day, no) == -1)
		return EXIT_ENVIRONMENT;
	if (newest_version(c, day) == before) {
		log_warnx("%s: the request is gone but there is no new run", day);
		return EXIT_ENVIRONMENT;
	}
	(void)snprintf(version, sizeof(version), "%d", newest_version(c, day));
	res = cmd_query(c, "SELECT " RUN_COLUMNS "WHERE r.business_date = $1 AND r.version = $2", 2, params);
	return print_run(c, res, &q, 0);
}

static int
reconcile_show(struct cmd *c, int argc, char **argv)
{
	struct request q = { 0 };
	const char *params[2];
	PGresult *res;
	int rc;

	if ((rc = read_options(c, argc, argv, &q, 1)) != EXIT_YES)
		return rc;
	params[0] = q.date;
	params[1] = q.version;
	res = cmd_query(c, "SELECT " RUN_COLUMNS "WHERE ($1::date IS NULL OR r.business_date = $1::date) "
	    "AND ($2::integer IS NULL OR r.version = $2::integer) ORDER BY r.business_date DESC, r.version DESC LIMIT 1",
	    2, params);
	if (PQntuples(res) == 0) {
		log_warnx("%s: there is no such run; `muhur reconcile list', `muhur reconcile run'",
		    q.date != NULL ? q.date : "reconcile");
		PQclear(res);
		return EXIT_NO;
	}
	return print_run(c, res, &q, 1);
}

static int
reconcile_list(struct cmd *c, int argc, char **argv)
{
	struct request q = { 0 };
	const char *params[1];
	PGresult *res;
	int rc, breaks;

	if ((rc = read_options(c, argc, argv, &q, 0)) != EXIT_YES)
		return rc;
	params[0] = q.date;
	res = cmd_query(c, "SELECT " RUN_COLUMNS "WHERE $1::date IS NULL OR r.business_date = $1::date "
	    "ORDER BY r.business_date, r.version", 1, params);
	cmd_rows(c, res, run_names);
	/* the newest one is what counts */
	breaks = PQntuples(res) > 0 && strcmp(PQgetvalue(res, PQntuples(res) - 1, 5), "0") != 0;
	PQclear(res);
	return breaks && q.fail_on_break ? EXIT_NO : EXIT_YES;
}

int
cmd_reconcile(struct cmd *c, int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
		{ "run", reconcile_run, "reconcile run [--date DATE] [--fail-on-break]" },
		{ "show", reconcile_show, "reconcile show [--date DATE [--version N]] [--values] [--limits] [--csv]\n"
		    "             [--fail-on-break]" },
		{ "list", reconcile_list, "reconcile list [--date DATE] [--fail-on-break]" },
	};

	return cmd_dispatch(c, argc, argv, verbs, sizeof(verbs) / sizeof(verbs[0]));
}
