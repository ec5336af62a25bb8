/* SPDX-License-Identifier: ISC */
/* muhur user: who may log in and sign for a member, with what (S2 E). */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/header.h"
#include "model/ident.h"
#include "muhur/cmd.h"
#include "muhur/enrol.h"
#include "muhur/right.h"
#include "muhur/user_cert.h"

/* One `user add'. */
struct enrolment {
	const char	*code;
	char		 member[MEMBER_CODE_SIZE];
	char		 kind[16];		/* the member's */
	const char	*cert_path, *ssh_path;
	struct enrol_certificate cert;
	struct buf	 ssh;
	int		 is_new;		/* the user was not there before */
	char		 now[TIME_SIZE];
};

/* The files are read and judged; an exit code, EXIT_YES good. */
static int
read_keys(struct cmd *c, struct enrolment *e)
{
	char *ssh;
	size_t len;
	int rc;

	if (e->cert_path != NULL && (rc = user_cert_read(c, e->code, e->cert_path, &e->cert)) != EXIT_YES)
		return rc;
	if (e->ssh_path == NULL)
		return EXIT_YES;
	if (file_read_all(e->ssh_path, KEY_FILE_MAX, &ssh, &len) == -1) {
		log_warn("%s", e->ssh_path);
		return EXIT_ENVIRONMENT;
	}
	rc = enrol_ssh_key(&e->ssh, e->ssh_path, ssh) == 0 ? EXIT_YES : EXIT_NO;
	free(ssh);
	return rc;
}

/* The user's row, and whether it is new; EXIT_NO where that cannot be. */
static int
store_user(struct cmd *c, struct enrolment *e)
{
	const char *member[] = { e->member }, *params[] = { e->code, e->member, e->now };
	PGresult *res;
	int rc = EXIT_NO;

	res = cmd_query(c, "SELECT kind, state FROM muhur.member WHERE code = $1 FOR SHARE", 1, member);
	if (PQntuples(res) == 0) {
		log_warnx("%s: its member %s is not enrolled; `muhur member add %s ...' first",
		    e->code, e->member, e->member);
		goto out;
	}
	if (strcmp(PQgetvalue(res, 0, 1), "closed") == 0) {
		log_warnx("%s: its member %s is closed", e->code, e->member);
		goto out;
	}
	(void)str_copy(e->kind, sizeof(e->kind), PQgetvalue(res, 0, 0));
	e->is_new = cmd_exec(c, "INSERT INTO muhur.member_user (code, member_code, created_at) "
	    "VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", 3, params) == 1;
	if (e->is_new && e->cert_path == NULL) {
		log_warnx("%s: is a new user and needs a certificate: --cert PEM", e->code);
		goto out;
	}
	rc = EXIT_YES;
out:
	PQclear(res);
	return rc;
}

static void
store_ssh_key(struct cmd *c, const struct enrolment *e)
{
	char *key = user_bytea(&e->ssh);
	const char *params[] = { e->code, key, e->now };

	cmd_exec(c, "INSERT INTO muhur.login_key (user_code, blob, enrolled_at) VALUES ($1, $2, $3) "
	    "ON CONFLICT DO NOTHING", 3, params);
	free(key);
}

/* A new user may enter and approve what its member's kind sends; of other
 * kinds it is a reader of notices ('-'), of some of the trail and all archives too. */
static void
store_rights(struct cmd *c, const struct enrolment *e)
{
	const char *params[3] = { e->code, NULL, e->now };
	struct buf types = { 0 };
	enum message_type t;

	(void)buf_puts(&types, "{");
	for (t = 0; t < MT_COUNT; t++)
		if (message_type_class(t) != MC_DECISION && message_type_class(t) != MC_AUTHORITY &&
		    message_type_may_be_from(t, e->kind))
			(void)buf_printf(&types, "%s%s", types.len > 1 ? "," : "", message_type_name(t));
	if (message_kind_has_sight(e->kind))
		(void)buf_printf(&types, "%sArchive,Trail", types.len > 1 ? "," : "");
	if (types.len == 1 || message_kind_has_sight(e->kind))
		(void)buf_puts(&types, types.len > 1 ? ",-" : "-");
	(void)buf_puts(&types, "}");
	params[1] = types.data;
	cmd_exec(c, "INSERT INTO muhur.user_right (user_code, member_code, message_type, step, "
	    "valid_from, granted_by) SELECT $1, left($1, -3), t, s, $3::timestamptz, 'operator' "
	    "FROM unnest($2::text[]) t, unnest(ARRAY['entry', 'approval']) s "
	    "WHERE t NOT IN ('-', 'Archive', 'Trail') OR s = 'entry' ON CONFLICT DO NOTHING", 3, params);
	buf_free(&types);
}

/* Every member has a main authority (S2 E); its other users may come first. */
static void
warn_without_authority(struct cmd *c, const char *member)
{
	const char *params[] = { member };
	PGresult *res;

	res = cmd_query(c, "SELECT EXISTS (SELECT FROM muhur.member_user WHERE member_code = $1 "
	    "AND right(code, 3) BETWEEN '900' AND '990')", 1, params);
	if (PQgetvalue(res, 0, 0)[0] != 't')
		log_warnx("%s: has no main authority yet; enrol one, %s900 to %s990 (S2 E)", member, member, member);
	PQclear(res);
}

static int
store_enrolment(struct cmd *c, struct enrolment *e)
{
	int rc;

	(void)cmd_now(c, e->now);
	cmd_begin(c);
	if ((rc = store_user(c, e)) != EXIT_YES ||
	    (e->cert_path != NULL &&
	    (rc = user_cert_store(c, e->code, e->cert_path, &e->cert, e->now)) != EXIT_YES))
		return rc;	/* the open transaction ends with the connection */
	if (e->ssh_path != NULL)
		store_ssh_key(c, e);
	if (e->is_new)
		store_rights(c, e);
	cmd_event(c, e->is_new ? "user-added" : "user-keys-added", NULL,
	    json_pack("{s:s, s:s?, s:b}", "user", e->code,
	    "certificate", e->cert_path != NULL ? e->cert.sha256 : NULL, "sshKey", e->ssh_path != NULL));
	cmd_commit(c);
	warn_without_authority(c, e->member);
	cmd_done(c, e->is_new ? "added" : "keys added", e->code);
	return EXIT_YES;
}

static int
user_add(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "cert", required_argument, NULL, 'c' },
		{ "ssh-key", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 }
	};
	struct enrolment e = { 0 };
	int ch, rc;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (ch) {
		case 'c': e.cert_path = optarg; break;
		case 's': e.ssh_path = optarg; break;
		default: return cmd_usage(c);
		}
	}
	if (optind + 1 != argc || (e.cert_path == NULL && e.ssh_path == NULL))
		return cmd_usage(c);
	e.code = argv[optind];
	if (!user_code_ok(e.code) || user_code_member(e.code, e.member) == -1) {
		log_warnx("%s: is no user code: the member's code and 001 to 899, or 900 to 990 "
		    "for a main authority (S2 E)", e.code);
		return EXIT_USAGE;
	}
	if ((rc = read_keys(c, &e)) == EXIT_YES)
		rc = store_enrolment(c, &e);
	enrol_free(&e.cert);
	buf_free(&e.ssh);
	return rc;
}

/* The certificate c at $1. */
#define GOOD(c) "muhur.certificate_state(" c ".state, " c ".good_until, $1::timestamptz) = 'good'"

static int
user_list(struct cmd *c, int argc, char **argv)
{
	static const char *const names[] = {
		"code", "member", "state", "#certificates", "validUntil", "#keys", "rights", "-createdAt", "-@subjects"
	};
	char now[TIME_SIZE];
	const char *params[] = { cmd_now(c, now) };
	PGresult *res;

	if (argc == 2 && strcmp(argv[1], "--history") == 0)
		return user_history(c);
	if (argc != 1)
		return cmd_usage(c);
	res = cmd_query(c, "SELECT u.code, u.member_code, u.state, "
	    "(SELECT count(*) FROM muhur.certificate x WHERE x.user_code = u.code AND " GOOD("x") "), "
	    "(SELECT " SQL_TIME("max(x.not_after)") " FROM muhur.certificate x WHERE x.user_code = u.code AND " GOOD("x") "), "
	    "(SELECT count(*) FROM muhur.login_key k WHERE k.user_code = u.code), "
	    "(SELECT string_agg(r.whose || r.message_type || ':' || r.steps, ' ' ORDER BY r.whose, r.message_type) FROM "
	    "  (SELECT CASE WHEN r.member_code = u.member_code THEN '' ELSE r.member_code || '/' END AS whose, "
	    "   r.message_type, string_agg(DISTINCT step, '+' ORDER BY step DESC) AS steps FROM muhur.right_held r "
	    "   WHERE r.user_code = u.code AND r.valid_from <= $1::timestamptz "
	    "   AND coalesce(r.valid_to > $1::timestamptz, true) GROUP BY 1, 2) r), " SQL_TIME("u.created_at") ", "
	    "coalesce((SELECT json_agg(x.subject ORDER BY x.enrolled_at, x.sha256) FROM muhur.certificate x "
	    "  WHERE x.user_code = u.code), '[]') "
	    "FROM muhur.member_user u ORDER BY u.code COLLATE \"C\"", 1, params);
	cmd_rows(c, res, names);
	PQclear(res);
	return EXIT_YES;
}

/* Every member has a main authority (S2 E): the last one stays.  Two must not go
 * at the same moment, each for the other's sake: the member's lock is that of
 * src/load/decide.c. */
static int
is_last_authority(struct cmd *c, const char *code)
{
	const char *params[] = { code };
	PGresult *res;
	int last;

	PQclear(cmd_query(c, "SELECT pg_advisory_xact_lock("
	    "hashtextextended('muhur.member:' || left($1, -3), 0))", 1, params));
	res = cmd_query(c, "SELECT muhur.is_last_authority($1)", 1, params);
	last = PQgetvalue(res, 0, 0)[0] == 't';
	PQclear(res);
	return last;
}

static int
user_suspend(struct cmd *c, int argc, char **argv)
{
	if (argc != 2)
		return cmd_usage(c);
	cmd_begin(c);
	if (is_last_authority(c, argv[1])) {
		log_warnx("%s: is the only main authority of its member that is active; enrol or resume "
		    "another one first (S2 E)", argv[1]);
		return EXIT_NO;
	}
	return cmd_change_state(c, argv, "user", "active", "suspended", "user-suspended");
}

static int
user_resume(struct cmd *c, int argc, char **argv)
{
	return cmd_set_state(c, argc, argv, "user", "suspended", "active", "user-resumed");
}

int
cmd_user(struct cmd *c, int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
		{ "add", user_add, "user add USERCODE --cert PEM [--ssh-key PUB]" },
		{ "list", user_list, "user list [--history]" },
		{ "cert", user_cert, "user cert assign|list|replace|withdraw|revoke ..." },
		{ "grant", user_grant, "user grant USERCODE --type TYPE [--step entry|approval] | --role ROLE\n"
		    "             [--for MEMBER] [--from TIME] [--until TIME]" },
		{ "withdraw", user_withdraw, "user withdraw USERCODE --type TYPE [--step entry|approval] | --role ROLE\n"
		    "             [--for MEMBER] [--from TIME]" },
		{ "suspend", user_suspend, "user suspend USERCODE" },
		{ "resume", user_resume, "user resume USERCODE" },
	};

	return cmd_dispatch(c, argc, argv, verbs, sizeof(verbs) / sizeof(verbs[0]));
}
