/* SPDX-License-Identifier: ISC */
/* muhur break: what a reconciliation found, and its end. */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/ident.h"
#include "muhur/cmd.h"

#define REASON_MAX_BYTES	500

/*
 * The columns of a DiscrepancyReport in its order (schemas/xml), and what else
 * there is.  f: finding, b: its break, r: its run; sources, for CSV, says what
 * submissions says in JSON.
 */
#define BREAK_COLUMNS \
	"b.id, b.rule, b.rule_source, b.kind, b.platform, b.custodian, b.asset, trim_scale(f.platform_quantity), " \
	"trim_scale(f.custodian_quantity), trim_scale(f.difference), f.status, f.first_seen, f.detail, b.state, " \
	"(SELECT string_agg(concat_ws(':', s.id, s.sha256, (SELECT string_agg(n, ',' ORDER BY o) " \
	"  FROM jsonb_array_elements_text(f.records -> s.no::text) WITH ORDINALITY AS e (n, o))), ' ' ORDER BY s.no) " \
	"  FROM muhur.submission s WHERE s.no = ANY (f.submissions)), b.explanation, " \
	"r.business_date - f.first_seen, r.business_date, r.version, x.id, " \
	"coalesce((SELECT json_agg(json_build_object('id', s.id, 'sha256', s.sha256, " \
	"  'records', coalesce(f.records -> s.no::text, '[]')) ORDER BY s.no) " \
	"  FROM muhur.submission s WHERE s.no = ANY (f.submissions)), '[]') " \
	"FROM muhur.finding f JOIN muhur.break b ON b.id = f.break_id " \
	"JOIN muhur.reconcile_run r ON r.no = f.run LEFT JOIN muhur.submission x ON x.no = b.explained_by "

static const char *const list_names[] = {
	"id", "rule", "-source", "kind", "platform", "custodian", "asset", "platformQuantity", "custodianQuantity",
	"difference", "status", "firstSeen", "detail", "state", "+sources", "-explanation",
	"-#ageDays", "-businessDate", "-#version", "-explainedBy", "-@submissions"
};
/* The same of one break, whose record has said the most of it. */
static const char *const show_names[] = {
	"-id", "-rule", "-source", "-kind", "-platform", "-custodian", "-asset", "platformQuantity", "custodianQuantity",
	"difference", "status", "firstSeen", "detail", "-state", "+sources", "-explanation",
	"#ageDays", "businessDate", "#version", "-explainedBy", "-@submissions"
};

/* What the newest run of the day saw, or of the newest day. */
#define OF_RUN \
	"f.run = (SELECT no FROM muhur.reconcile_run WHERE $1::date IS NULL OR business_date = $1::date " \
	"ORDER BY business_date DESC, version DESC LIMIT 1)"
/* What was last seen of every break in a state: one of an earlier day's
 * missing report is open, and no run of a later day has anything to say of it. */
#define OF_STATE \
	"(f.run, f.break_id) IN (SELECT DISTINCT ON (l.break_id) l.run, l.break_id " \
	"FROM muhur.finding l JOIN muhur.reconcile_run m ON m.no = l.run JOIN muhur.break k ON k.id = l.break_id " \
	"WHERE k.state = $5 AND $1::date IS NULL " \
	"ORDER BY l.break_id, m.business_date DESC, m.version DESC)"

/* R4's key is type|member|day: of the registry's own report no party has a column. */
#define OWES "(b.rule = 'R4' AND split_part(b.key, '|', 2) = $4)"

struct filter {
	const char	*date, *rule, *member, *state;	/* NULL: any */
	int		 csv, all;
};

/* Of what was written on the command line; 1 good, 0 said what is wrong. */
static int
filter_ok(const struct filter *f)
{
	static const char *const states[] = { "open", "explained", "cured", "closed" };
	size_t i, n = sizeof(states) / sizeof(states[0]);

	if (f->date != NULL && cmd_date_ok(f->date) == -1)
		return 0;
	if (f->rule != NULL && (f->rule[0] != 'R' || strlen(f->rule) < 2 || strlen(f->rule) > 3 ||
	    strspn(f->rule + 1, "0123456789") != strlen(f->rule + 1))) {
		log_warnx("--rule %s: is no rule; R1 to R14", f->rule);
		return 0;
	}
	if (f->member != NULL && !member_code_ok(f->member)) {
		log_warnx("--member %s: is no member code", f->member);
		return 0;
	}
	for (i = 0; f->state != NULL && i < n && strcmp(f->state, states[i]) != 0; i++)
		;
	if (f->state != NULL && i == n) {
		log_warnx("--state %s: is no state; open, explained, cured or closed", f->state);
		return 0;
	}
	return 1;
}

static int
read_filter(struct cmd *c, int argc, char **argv, struct filter *f)
{
	static const struct option options[] = {
		{ "date", required_argument, NULL, 'd' },
		{ "csv", no_argument, NULL, 'c' },
		{ "all", no_argument, NULL, 'a' },
		{ "rule", required_argument, NULL, 'r' },
		{ "member", required_argument, NULL, 'm' },
		{ "state", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 }
	};
	int ch;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (ch) {
		case 'd': f->date = optarg; break;
		case 'c': f->csv = 1; break;
		case 'a': f->all = 1; break;
		case 'r': f->rule = optarg; break;
		case 'm': f->member = optarg; break;
		case 's': f->state = optarg; break;
		default: return cmd_usage(c);
		}
	}
	if (optind != argc)
		return cmd_usage(c);
	return filter_ok(f) ? EXIT_YES : EXIT_USAGE;
}

static int
break_list(struct cmd *c, int argc, char **argv)
{
	struct filter f = { 0 };
	const char *params[5];
	PGresult *res;
	char *sql;
	int rc;

	if ((rc = read_filter(c, argc, argv, &f)) != EXIT_YES)
		return rc;
	params[0] = f.date;
	params[1] = f.all || f.state != NULL ? "t" : "f";
	params[2] = f.rule;
	params[3] = f.member;
	params[4] = f.state;
	sql = xasprintf("SELECT " BREAK_COLUMNS "WHERE %s AND ($2::boolean OR f.status <> 'cured') "
	    "AND ($3::text IS NULL OR b.rule = $3) AND ($4::text IS NULL OR $4 IN (b.platform, b.custodian) OR " OWES ") "
	    "AND ($5::text IS NULL OR b.state = $5) ORDER BY length(b.rule), b.rule, b.kind, "
	    "b.platform COLLATE \"C\", b.custodian COLLATE \"C\", b.asset COLLATE \"C\", b.id COLLATE \"C\"",
	    f.state != NULL && f.date == NULL ? OF_STATE : OF_RUN);
	res = cmd_query(c, sql, 5, params);
	if (f.csv)
		cmd_csv(res, list_names);
	else
		cmd_rows(c, res, list_names);
	PQclear(res);
	free(sql);
	return EXIT_YES;
}

static int
no_such_break(const char *id)
{
	log_warnx("%s: there is no such break; `muhur break list'", id);
	return EXIT_NO;
}

/* What the operator wrote when it was closed stands in the trail. */
#define BREAK_RECORD \
	"SELECT b.id, b.rule, b.rule_source, b.kind, b.platform, b.custodian, b.asset, b.state, b.first_seen, " \
	"b.last_seen, b.explanation, x.id, x.member_code, " \
	"CASE WHEN b.state = 'closed' THEN " SQL_TIME("b.closed_at") " END, " \
	"CASE WHEN b.state = 'closed' THEN b.closed_by END, " \
	"(SELECT e.detail ->> 'reason' FROM muhur.event e WHERE b.state = 'closed' AND b.closed_by = 'operator' " \
	"  AND e.kind = 'break-closed' AND e.detail ->> 'break' = b.id ORDER BY e.no DESC LIMIT 1) " \
	"FROM muhur.break b LEFT JOIN muhur.submission x ON x.no = b.explained_by WHERE b.id = $1"

/* For people: what the newest finding came from, a line a submission. */
static void
show_sources(struct cmd *c, const char *id)
{
	static const char *const names[] = { "submission", "member", "fileName", "records" };
	const char *params[] = { id };
	PGresult *res = cmd_query(c, "SELECT s.id, s.member_code, s.file_name, "
	    "(SELECT string_agg(n, ',' ORDER BY o) "
	    "  FROM jsonb_array_elements_text(f.records -> s.no::text) WITH ORDINALITY AS e (n, o)) "
	    "FROM (SELECT l.submissions, l.records FROM muhur.finding l JOIN muhur.reconcile_run r ON r.no = l.run "
	    "  WHERE l.break_id = $1 ORDER BY r.business_date DESC, r.version DESC LIMIT 1) f "
	    "JOIN muhur.submission s ON s.no = ANY (f.submissions) ORDER BY s.no", 1, params);

	if (PQntuples(res) > 0) {
		puts("\nsubmissions and records of the newest run");
		cmd_rows(c, res, names);
	}
	PQclear(res);
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
		"id", "rule", "source", "kind", "platform", "custodian", "asset", "state", "firstSeen", "lastSeen",
		"explanation", "explainedBy", "explainedMember", "closedAt", "closedBy", "closedReason"
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
	res = cmd_query(c, BREAK_RECORD, 1, params);
	if (PQntuples(res) == 0) {
		PQclear(res);
		return no_such_break(params[0]);
	}
	findings = cmd_query(c, "SELECT " BREAK_COLUMNS "WHERE b.id = $1 ORDER BY r.business_date DESC, r.version DESC",
	    1, params);
	if (csv) {
		cmd_csv(findings, list_names);
		PQclear(findings);
	} else if (c->json) {
		o = cmd_row_json(res, 0, names);
		json_object_set_new(o, "findings", cmd_array(findings, list_names));
		cmd_json(o);
	} else {
		cmd_record(res, 0, names);
		putchar('\n');
		cmd_rows(c, findings, show_names);
		PQclear(findings);
		show_sources(c, params[0]);
	}
	PQclear(res);
	return EXIT_YES;
}

/* The operator's word that nothing is left to be done about it; a run that
 * finds it again opens it again. */
static int
break_close(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "reason", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 }
	};
	const char *reason = NULL, *params[2];
	char now[TIME_SIZE];
	PGresult *res;
	int ch, known;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (ch != 'r')
			return cmd_usage(c);
		reason = optarg;
	}
	if (optind + 1 != argc || reason == NULL)
		return cmd_usage(c);
	if (*reason == '\0' || strlen(reason) > REASON_MAX_BYTES || !text_ok(reason, strlen(reason))) {
		log_warnx("--reason: must be UTF-8 text of 1 to %d bytes without control characters", REASON_MAX_BYTES);
		return EXIT_USAGE;
	}
	params[0] = argv[optind];
	params[1] = cmd_now(c, now);
	cmd_begin(c);
	if (cmd_exec(c, "UPDATE muhur.break SET state = 'closed', closed_at = $2, closed_by = 'operator' "
	    "WHERE id = $1 AND state <> 'closed'", 2, params) == 1) {
		cmd_event(c, "break-closed", NULL, json_pack("{s:s, s:s}", "break", params[0], "reason", reason));
		cmd_commit(c);
		cmd_done(c, "closed", params[0]);
		return EXIT_YES;
	}
	res = cmd_query(c, "SELECT FROM muhur.break WHERE id = $1", 1, params);
	known = PQntuples(res) > 0;
	PQclear(res);
	if (!known)
		return no_such_break(params[0]);
	log_warnx("%s: is closed already", params[0]);
	return EXIT_NO;
}

int
cmd_break(struct cmd *c, int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
		{ "list", break_list, "break list [--date DATE] [--csv] [--all] [--rule RULE] [--member CODE]\n"
		    "             [--state STATE]" },
		{ "show", break_show, "break show [--csv] ID" },
		{ "close", break_close, "break close ID --reason TEXT" },
	};

	return cmd_dispatch(c, argc, argv, verbs, sizeof(verbs) / sizeof(verbs[0]));
}
