/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "muhur/right.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/header.h"
#include "model/ident.h"

/* What --type, --step, --role, --for, --from and --until say. */
struct grant {
	const char	*who;			/* a user, or a role */
	const char	*type, *step, *role;	/* step NULL: both */
	const char	*member;		/* NULL: the user's own */
	char		 own[MEMBER_CODE_SIZE];
	char		 from[TIME_SIZE], until[TIME_SIZE];	/* until "": open */
	int		 given;			/* from is --from's, and not now */
};

enum { TAKES_ROLE = 1, TAKES_FOR = 2, TAKES_TIME = 4 };

/* A moment, or a day's beginning, as text for a parameter; complains. */
static int
moment_arg(const char *s, char buf[TIME_SIZE])
{
	date_t	 d;
	usec_t	 t;
	int	 zoned;

	if (date_parse(s, &d) == 0)
		t = istanbul_time(d, 0, 0);
	else if (time_parse(s, &t, &zoned) == -1) {
		log_warnx("%s: is neither a date (YYYY-MM-DD) nor a time (RFC 3339)", s);
		return -1;
	}
	time_format(t, buf);
	return 0;
}

/* "-" is the right to read notices, for members who send nothing; there are two
 * more that are of no message. */
static int
type_ok(const char *s)
{
	enum message_type t = message_type_by_name(s);

	if (t == MT_AUTHORIZATION_CHANGE)
		log_warnx("%s: is for main authorities, by their codes", s);
	else if (strcmp(s, "-") == 0 || message_type_is_sight(s) || (t != MT_COUNT && !message_type_has_target(t)))
		return 1;
	else if (t != MT_COUNT)
		log_warnx("%s: the right is for the message type that is decided about, step approval", s);
	else
		log_warnx("%s: is no message type; BalanceReport, CustodyReport, or - to read notices, "
		    "Archive, Trail", s);
	return 0;
}

static int
read_options(struct cmd *c, int argc, char **argv, int takes, struct grant *g)
{
	static const struct option options[] = {
		{ "type", required_argument, NULL, 't' },
		{ "step", required_argument, NULL, 's' },
		{ "role", required_argument, NULL, 'r' },
		{ "for", required_argument, NULL, 'm' },
		{ "from", required_argument, NULL, 'f' },
		{ "until", required_argument, NULL, 'u' },
		{ NULL, 0, NULL, 0 }
	};
	int ch;

	memset(g, 0, sizeof(*g));
	(void)cmd_now(c, g->from);
	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (ch == 't')
			g->type = optarg;
		else if (ch == 's')
			g->step = optarg;
		else if (ch == 'r' && (takes & TAKES_ROLE))
			g->role = optarg;
		else if (ch == 'm' && (takes & TAKES_FOR))
			g->member = optarg;
		else if (ch == 'f' && (takes & TAKES_TIME)) {
			if (moment_arg(optarg, g->from) == -1)
				return EXIT_USAGE;
			g->given = 1;
		} else if (ch == 'u' && (takes & TAKES_TIME)) {
			if (moment_arg(optarg, g->until) == -1)
				return EXIT_USAGE;
		} else
			return cmd_usage(c);
	}
	if (optind + 1 != argc || (g->type == NULL) == (g->role == NULL) ||
	    (g->role != NULL && g->step != NULL))
		return cmd_usage(c);
	g->who = argv[optind];
	if (g->step != NULL && strcmp(g->step, "entry") != 0 && strcmp(g->step, "approval") != 0) {
		log_warnx("%s: is no step; entry or approval", g->step);
		return EXIT_USAGE;
	}
	if (g->type != NULL && !type_ok(g->type))
		return EXIT_USAGE;
	if (g->type != NULL && message_type_is_sight(g->type)) {
		if (g->step != NULL && strcmp(g->step, "approval") == 0) {
			log_warnx("%s: is read by; there is nothing to approve", g->type);
			return EXIT_USAGE;
		}
		g->step = "entry";
	}
	return EXIT_YES;
}

/* What was held until now stays told: nothing ends in the past. */
static int
end_ok(struct cmd *c, const struct grant *g)
{
	usec_t	 t;
	int	 zoned;

	(void)cmd_conf(c);		/* the clock's offset */
	if (g->given && time_parse(g->from, &t, &zoned) == 0 && t < clock_now()) {
		log_warnx("--from: %s is past; what was held until now stays told", g->from);
		return 0;
	}
	return 1;
}

/* What compliance and the regulator may see, another member cannot be let see. */
static int
sight_ok(struct cmd *c, const struct grant *g)
{
	const char *params[] = { g->who };
	PGresult *res;
	int ok;

	res = cmd_query(c, "SELECT muhur.may_be_given_sight(left($1, -3)) OR NOT EXISTS "
	    "(SELECT FROM muhur.member_user WHERE code = $1)", 1, params);
	ok = PQgetvalue(res, 0, 0)[0] == 't' && strncmp(g->who, g->member, strlen(g->member)) == 0 &&
	    strlen(g->who) == strlen(g->member) + 3;
	PQclear(res);
	if (!ok)
		log_warnx("%s: %s is for users of compliance and regulator members, in their own", g->who,
		    g->type);
	return ok;
}

/* The user, the role and the member are there. */
static int
names_ok(struct cmd *c, struct grant *g)
{
	const char *params[] = { g->who, g->role, NULL };
	PGresult *res;
	const char *wrong = NULL, *what = NULL;

	if (g->member == NULL) {
		if (user_code_member(g->who, g->own) == -1) {
			log_warnx("%s: is no user code: the member's code and 001 to 899, or 900 to 990 "
			    "for a main authority", g->who);
			return EXIT_USAGE;
		}
		g->member = g->own;
	}
	params[2] = g->member;
	if (g->type != NULL && message_type_is_sight(g->type) && !sight_ok(c, g))
		return EXIT_NO;
	res = cmd_query(c, "SELECT EXISTS (SELECT FROM muhur.member_user WHERE code = $1), "
	    "$2::text IS NULL OR EXISTS (SELECT FROM muhur.role WHERE name = $2), "
	    "EXISTS (SELECT FROM muhur.member WHERE code = $3)", 3, params);
	if (PQgetvalue(res, 0, 0)[0] != 't')
		wrong = g->who, what = "user";
	else if (PQgetvalue(res, 0, 1)[0] != 't')
		wrong = g->role, what = "role";
	else if (PQgetvalue(res, 0, 2)[0] != 't')
		wrong = g->member, what = "member";
	PQclear(res);
	if (wrong == NULL)
		return EXIT_YES;
	log_warnx("%s: is no %s; `muhur %s list'", wrong, what, what);
	return EXIT_NO;
}

static json_t *
describe(const struct grant *g)
{
	return json_pack("{s:s, s:s?, s:s?, s:s?, s:s?, s:s, s:s?}", "who", g->who,
	    "member", g->member, "messageType", g->type, "step", g->step, "role", g->role,
	    "from", g->from, "until", g->until[0] != '\0' ? g->until : NULL);
}

/* The change, its event, and the reports to those whom it concerns (NULL: none);
 * how many rows there were is the answer. */
static int
carry_out(struct cmd *c, const struct grant *g, const char *reported, const char *sql,
    int nparams, const char *const *params, const char *event, const char *did, const char *none)
{
	if (cmd_exec(c, sql, nparams, params) == 0) {
		log_warnx("%s: %s", g->who, none);
		return EXIT_NO;
	}
	cmd_event(c, event, NULL, describe(g));
	if (reported != NULL)
		cmd_report_rights(c, reported, g->who);
	cmd_commit(c);
	cmd_done(c, did, g->who);
	return EXIT_YES;
}

/* Members whom a change concerns: the user's own, and those for which it acts. */
#define OF_USER	"SELECT left($1, -3) UNION SELECT member_code FROM muhur.user_right WHERE user_code = $1 " \
	"UNION SELECT member_code FROM muhur.user_role WHERE user_code = $1"
#define OF_ROLE	"SELECT left(user_code, -3) FROM muhur.user_role WHERE role = $1 " \
	"UNION SELECT member_code FROM muhur.user_role WHERE role = $1"

int
user_grant(struct cmd *c, int argc, char **argv)
{
	struct grant g;
	int rc;

	if ((rc = read_options(c, argc, argv, TAKES_ROLE | TAKES_FOR | TAKES_TIME, &g)) != EXIT_YES)
		return rc;
	cmd_begin(c);
	if ((rc = names_ok(c, &g)) != EXIT_YES)
		return rc;
	const char *until = g.until[0] != '\0' ? g.until : NULL;
	const char *by_type[] = { g.who, g.member, g.type, g.step, g.from, until };
	const char *by_role[] = { g.who, g.member, g.role, g.from, until };
	if (g.role != NULL)
		return carry_out(c, &g, OF_USER, "INSERT INTO muhur.user_role "
		    "(user_code, member_code, role, valid_from, valid_to, granted_by) "
		    "VALUES ($1, $2, $3, $4, $5, 'operator') ON CONFLICT DO NOTHING", 5, by_role,
		    "role-granted", "granted", "holds this role already");
	return carry_out(c, &g, OF_USER, "INSERT INTO muhur.user_right "
	    "(user_code, member_code, message_type, step, valid_from, valid_to, granted_by) "
	    "SELECT $1, $2, $3, s, $5::timestamptz, $6::timestamptz, 'operator' "
	    "FROM unnest(ARRAY['entry', 'approval']) s WHERE s = coalesce($4, s) "
	    "AND ($3 <> '-' OR s = 'entry') ON CONFLICT DO NOTHING", 6, by_type,
	    "right-granted", "granted", "holds this right already");
}

/* What has not begun yet ends at its beginning: it never was. */
#define END(at) "valid_to = greatest(valid_from, " at "::timestamptz), ended_by = 'operator' "
#define OPEN(at) "(valid_to IS NULL OR valid_to > greatest(valid_from, " at "::timestamptz))"

int
user_withdraw(struct cmd *c, int argc, char **argv)
{
	struct grant g;
	int rc;

	if ((rc = read_options(c, argc, argv, TAKES_ROLE | TAKES_FOR | TAKES_TIME, &g)) != EXIT_YES)
		return rc;
	if (g.until[0] != '\0')
		return cmd_usage(c);
	if (!end_ok(c, &g))
		return EXIT_USAGE;
	cmd_begin(c);
	if ((rc = names_ok(c, &g)) != EXIT_YES)
		return rc;
	const char *by_type[] = { g.who, g.member, g.type, g.step, g.from };
	const char *by_role[] = { g.who, g.member, g.role, g.from };
	if (g.role != NULL)
		return carry_out(c, &g, OF_USER, "UPDATE muhur.user_role SET " END("$4")
		    "WHERE user_code = $1 AND member_code = $2 AND role = $3 AND " OPEN("$4"), 4,
		    by_role, "role-withdrawn", "withdrawn", "does not hold this role");
	return carry_out(c, &g, OF_USER, "UPDATE muhur.user_right SET " END("$5")
	    "WHERE user_code = $1 AND member_code = $2 AND message_type = $3 "
	    "AND step = coalesce($4, step) AND " OPEN("$5"), 5, by_type,
	    "right-withdrawn", "withdrawn", "does not hold this right by itself (`muhur user list --history')");
}

int
user_history(struct cmd *c)
{
	static const char *const names[] = {
		"user", "member", "messageType", "step", "role", "state", "from", "to", "grantedBy", "endedBy"
	};
	PGresult *res;

	/* rights, and the states that were set: each until the next one */
	res = cmd_query(c, "SELECT user_code, member_code, message_type, step, role, state, " SQL_TIME("valid_from")
	    ", " SQL_TIME("valid_to") ", granted_by, ended_by FROM ("
	    "SELECT user_code, member_code, message_type, step, role, NULL::text AS state, valid_from, valid_to, "
	    "granted_by, ended_by, 0 AS no FROM muhur.right_held UNION ALL "
	    "SELECT user_code, left(user_code, -3), NULL, NULL, NULL, state, changed_at, lead(changed_at) OVER w, "
	    "changed_by, lead(changed_by) OVER w, no FROM muhur.user_state_change "
	    "WINDOW w AS (PARTITION BY user_code ORDER BY no)) x "
	    "ORDER BY user_code COLLATE \"C\", member_code COLLATE \"C\", valid_from, message_type, step, role, no",
	    0, NULL);
	cmd_rows(c, res, names);
	PQclear(res);
	return EXIT_YES;
}

/* --- roles ------------------------------------------------------------------- */

static int
role_add(struct cmd *c, int argc, char **argv)
{
	char now[TIME_SIZE];
	const char *params[2];

	if (argc != 2)
		return cmd_usage(c);
	params[0] = argv[1];
	params[1] = cmd_now(c, now);
	if (strspn(argv[1], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") !=
	    strlen(argv[1]) || strlen(argv[1]) > 32 || strchr("0123456789_-", argv[1][0]) != NULL) {
		log_warnx("%s: is no name of a role: a letter, then up to 31 of A-Z a-z 0-9 _ -", argv[1]);
		return EXIT_USAGE;
	}
	cmd_begin(c);
	if (cmd_exec(c, "INSERT INTO muhur.role (name, created_at) VALUES ($1, $2) "
	    "ON CONFLICT DO NOTHING", 2, params) == 0) {
		log_warnx("%s: is a role already; `muhur role list'", argv[1]);
		return EXIT_NO;
	}
	cmd_event(c, "role-added", NULL, json_pack("{s:s}", "role", argv[1]));
	cmd_commit(c);
	cmd_done(c, "added", argv[1]);
	return EXIT_YES;
}

static int
role_change(struct cmd *c, int argc, char **argv, int grant)
{
	struct grant g;
	int rc;

	if ((rc = read_options(c, argc, argv, TAKES_TIME, &g)) != EXIT_YES)
		return rc;
	if (g.until[0] != '\0')
		return cmd_usage(c);
	if (!grant && !end_ok(c, &g))
		return EXIT_USAGE;
	const char *params[] = { g.who, g.type, g.step, g.from };
	cmd_begin(c);
	if (grant)
		return carry_out(c, &g, OF_ROLE, "INSERT INTO muhur.role_right "
		    "(role, message_type, step, valid_from, granted_by) "
		    "SELECT r.name, $2, s, $4::timestamptz, 'operator' FROM muhur.role r, "
		    "unnest(ARRAY['entry', 'approval']) s WHERE r.name = $1 AND s = coalesce($3, s) "
		    "ON CONFLICT DO NOTHING", 4, params, "role-right-granted", "granted",
		    "is no role (`muhur role add'), or holds this right already");
	return carry_out(c, &g, OF_ROLE, "UPDATE muhur.role_right SET " END("$4")
	    "WHERE role = $1 AND message_type = $2 AND step = coalesce($3, step) AND " OPEN("$4"), 4,
	    params, "role-right-withdrawn", "withdrawn", "is no role that holds this right");
}

static int
role_grant(struct cmd *c, int argc, char **argv)
{
	return role_change(c, argc, argv, 1);
}

static int
role_withdraw(struct cmd *c, int argc, char **argv)
{
	return role_change(c, argc, argv, 0);
}

static int
role_list(struct cmd *c, int argc, char **argv)
{
	static const char *const names[] = { "role", "*rights", "#users" };
	char now[TIME_SIZE];
	const char *params[] = { cmd_now(c, now) };
	PGresult *res;

	(void)argv;
	if (argc != 1)
		return cmd_usage(c);
	res = cmd_query(c, "SELECT o.name, (SELECT string_agg(message_type || ':' || step, ' ' "
	    " ORDER BY message_type, step) FROM muhur.role_right r WHERE r.role = o.name "
	    " AND r.valid_from <= $1::timestamptz AND coalesce(r.valid_to > $1::timestamptz, true)), "
	    "(SELECT count(DISTINCT user_code) FROM muhur.user_role u WHERE u.role = o.name "
	    " AND u.valid_from <= $1::timestamptz AND coalesce(u.valid_to > $1::timestamptz, true)) "
	    "FROM muhur.role o ORDER BY o.name COLLATE \"C\"", 1, params);
	cmd_rows(c, res, names);
	PQclear(res);
	return EXIT_YES;
}

int
cmd_role(struct cmd *c, int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
		{ "add", role_add, "role add NAME" },
		{ "list", role_list, "role list" },
		{ "grant", role_grant, "role grant NAME --type TYPE [--step entry|approval] [--from TIME]" },
		{ "withdraw", role_withdraw, "role withdraw NAME --type TYPE [--step entry|approval] [--from TIME]" },
	};

	return cmd_dispatch(c, argc, argv, verbs, sizeof(verbs) / sizeof(verbs[0]));
}

/* --- two persons --------------------------------------------------------------- */

int
member_dual_control(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "type", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 }
	};
	const char *params[3] = { NULL };
	char now[TIME_SIZE];
	struct grant g = { 0 };
	int ch, on;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (ch != 't')
			return cmd_usage(c);
		params[1] = g.type = optarg;
	}
	/* main authorities may be asked for two of them as well */
	if (optind + 2 != argc || (g.type != NULL &&
	    message_type_by_name(g.type) != MT_AUTHORIZATION_CHANGE && !type_ok(g.type)))
		return cmd_usage(c);
	params[0] = g.who = argv[optind];
	on = strcmp(argv[optind + 1], "on") == 0;
	if (!on && strcmp(argv[optind + 1], "off") != 0)
		return cmd_usage(c);
	params[2] = cmd_now(c, now);
	(void)cmd_now(c, g.from);
	cmd_begin(c);
	if (cmd_member_ok(c, g.who) == -1)
		return EXIT_NO;
	if (on)
		return carry_out(c, &g, NULL, "INSERT INTO muhur.dual_control "
		    "(member_code, message_type, valid_from, granted_by) "
		    "SELECT m.code, $2, $3::timestamptz, 'operator' FROM muhur.member m WHERE m.code = $1 "
		    "ON CONFLICT DO NOTHING", 3, params, "dual-control-on", "two persons from now on",
		    "is asked for two persons there already; `muhur member show' tells");
	return carry_out(c, &g, NULL, "UPDATE muhur.dual_control SET " END("$3") "WHERE member_code = $1 "
	    "AND message_type IS NOT DISTINCT FROM $2 AND valid_to IS NULL", 3, params,
	    "dual-control-off", "one person may do both", "is not asked for two persons there; `muhur member show' tells");
}
