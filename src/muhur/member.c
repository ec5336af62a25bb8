/* SPDX-License-Identifier: ISC */
/* muhur member: institutions with a member code (S2 E). */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "model/ident.h"
#include "muhur/cmd.h"
#include "muhur/right.h"

#define NAME_MAX_BYTES	200

#define MEMBER_COLUMNS \
	"m.code, m.kind, m.state, m.name, m.lei, " \
	"(SELECT count(*) FROM muhur.member_user u WHERE u.member_code = m.code), " \
	"(SELECT string_agg(coalesce(d.message_type, 'all'), ' ' ORDER BY d.message_type NULLS FIRST) " \
	"FROM muhur.dual_control d WHERE d.member_code = m.code AND d.valid_to IS NULL), " \
	SQL_TIME("m.created_at") " FROM muhur.member m "
static const char *const member_names[] = {
	"code", "kind", "state", "name", "lei", "#users", "twoPersonsFor", "createdAt"
};

static int
kind_ok(const char *kind)
{
	static const char *const kinds[] = {
		"platform", "custodian", "regulator", "compliance", "registry"
	};
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i], kind) == 0)
			return 1;
	return 0;
}

/* Says what is wrong with what was given; 1 good, 0 not. */
static int
member_ok(const char *code, const char *kind, const char *name, const char *lei)
{
	if (!member_code_ok(code))
		log_warnx("%s: is no member code: 3 to 12 of A-Z 0-9, a letter first, not OWN", code);
	else if (!kind_ok(kind))
		log_warnx("--kind %s: is not known; platform, custodian, regulator, compliance or registry", kind);
	else if (*name == '\0' || strlen(name) > NAME_MAX_BYTES || !text_ok(name, strlen(name)))
		log_warnx("--name: must be UTF-8 text of 1 to %d bytes without control characters", NAME_MAX_BYTES);
	else if (lei != NULL && !lei_ok(lei))
		log_warnx("--lei %s: is no LEI (ISO 17442): 20 characters whose check digits hold", lei);
	else
		return 1;
	return 0;
}

static int
member_add(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "kind", required_argument, NULL, 'k' },
		{ "name", required_argument, NULL, 'n' },
		{ "lei", required_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 }
	};
	const char *params[5] = { NULL };	/* code, kind, name, lei, created_at */
	char now[TIME_SIZE];
	int ch;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (ch) {
		case 'k': params[1] = optarg; break;
		case 'n': params[2] = optarg; break;
		case 'l': params[3] = optarg; break;
		default: return cmd_usage(c);
		}
	}
	if (optind + 1 != argc || params[1] == NULL || params[2] == NULL)
		return cmd_usage(c);
	params[0] = argv[optind];
	if (!member_ok(params[0], params[1], params[2], params[3]))
		return EXIT_USAGE;
	params[4] = cmd_now(c, now);
	cmd_begin(c);
	if (cmd_exec(c, "INSERT INTO muhur.member (code, kind, name, lei, created_at) "
	    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING", 5, params) == 0) {
		log_warnx("%s: is a member already; `muhur member show %s'", params[0], params[0]);
		return EXIT_NO;
	}
	cmd_event(c, "member-added", NULL, json_pack("{s:s, s:s, s:s, s:s?}", "member", params[0],
	    "kind", params[1], "name", params[2], "lei", params[3]));
	cmd_commit(c);
	cmd_done(c, "added", params[0]);
	return EXIT_YES;
}

static int
member_list(struct cmd *c, int argc, char **argv)
{
	PGresult *res;

	(void)argv;
	if (argc != 1)
		return cmd_usage(c);
	res = cmd_query(c, "SELECT " MEMBER_COLUMNS "ORDER BY m.code COLLATE \"C\"", 0, NULL);
	cmd_rows(c, res, member_names);
	PQclear(res);
	return EXIT_YES;
}

static int
member_show(struct cmd *c, int argc, char **argv)
{
	static const char *const contract_names[] = { "platform", "custodian", "from", "to", "?fullCustody" };
	static const char *const user_names[] = { "code", "state" };
	const char *params[1];
	PGresult *res, *users, *contracts;
	json_t *o;

	if (argc != 2)
		return cmd_usage(c);
	params[0] = argv[1];
	res = cmd_query(c, "SELECT " MEMBER_COLUMNS "WHERE m.code = $1", 1, params);
	if (PQntuples(res) == 0) {
		log_warnx("%s: is no member; `muhur member list'", argv[1]);
		PQclear(res);
		return EXIT_NO;
	}
	users = cmd_query(c, "SELECT code, state FROM muhur.member_user WHERE member_code = $1 ORDER BY code", 1, params);
	contracts = cmd_query(c, "SELECT platform, custodian, valid_from, valid_to, full_custody FROM muhur.contract "
	    "WHERE $1 IN (platform, custodian) ORDER BY platform, custodian, valid_from", 1, params);
	if (c->json) {
		o = cmd_row_json(res, 0, member_names);
		json_object_set_new(o, "userList", cmd_array(users, user_names));
		json_object_set_new(o, "contracts", cmd_array(contracts, contract_names));
		cmd_json(o);
	} else {
		cmd_record(res, 0, member_names);
		if (PQntuples(users) > 0) {
			putchar('\n');
			cmd_rows(c, users, user_names);
		}
		if (PQntuples(contracts) > 0) {
			putchar('\n');
			cmd_rows(c, contracts, contract_names);
		}
		PQclear(users);
		PQclear(contracts);
	}
	PQclear(res);
	return EXIT_YES;
}

static int
member_suspend(struct cmd *c, int argc, char **argv)
{
	return cmd_set_state(c, argc, argv, "member", "active", "suspended", "member-suspended");
}

static int
member_resume(struct cmd *c, int argc, char **argv)
{
	return cmd_set_state(c, argc, argv, "member", "suspended", "active", "member-resumed");
}

/* For ever: nothing leads out of it. */
static int
member_close(struct cmd *c, int argc, char **argv)
{
	const char *params[1];

	if (argc != 2)
		return cmd_usage(c);
	params[0] = argv[1];
	cmd_begin(c);
	if (cmd_exec(c, "UPDATE muhur.member SET state = 'closed' WHERE code = $1 AND state <> 'closed'",
	    1, params) == 0) {
		log_warnx("%s: is no member, or is closed already", argv[1]);
		return EXIT_NO;
	}
	cmd_event(c, "member-closed", NULL, json_pack("{s:s}", "member", argv[1]));
	cmd_commit(c);
	cmd_done(c, "closed", argv[1]);
	return EXIT_YES;
}

int
cmd_member(struct cmd *c, int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
		{ "add", member_add, "member add CODE --kind platform|custodian|regulator|compliance|registry --name NAME [--lei LEI]" },
		{ "list", member_list, "member list" },
		{ "show", member_show, "member show CODE" },
		{ "suspend", member_suspend, "member suspend CODE" },
		{ "resume", member_resume, "member resume CODE" },
		{ "close", member_close, "member close CODE" },
		{ "dual-control", member_dual_control, "member dual-control CODE on|off [--type TYPE]" },
	};

	return cmd_dispatch(c, argc, argv, verbs, sizeof(verbs) / sizeof(verbs[0]));
}
