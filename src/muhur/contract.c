/* SPDX-License-Identifier: ISC */
/* muhur contract: which platform keeps assets at which custodian, from when. */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "muhur/cmd.h"

/* The member of that code is of that kind; complains where not. */
static int
is_kind(struct cmd *c, const char *code, const char *kind)
{
	const char *params[] = { code };
	PGresult *res;
	int ok = 0;

	res = cmd_query(c, "SELECT kind FROM muhur.member WHERE code = $1", 1, params);
	if (PQntuples(res) == 0)
		log_warnx("%s: is no member; `muhur member add %s --kind %s'", code, code, kind);
	else if (strcmp(PQgetvalue(res, 0, 0), kind) != 0)
		log_warnx("%s: is a %s, not a %s", code, PQgetvalue(res, 0, 0), kind);
	else
		ok = 1;
	PQclear(res);
	return ok;
}

static int
contract_add(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "from", required_argument, NULL, 'f' },
		{ "full-custody", no_argument, NULL, 'F' },
		{ NULL, 0, NULL, 0 }
	};
	const char *params[4] = { NULL, NULL, NULL, "f" };
	char what[64];
	PGresult *res;
	int ch;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (ch) {
		case 'f': params[2] = optarg; break;
		case 'F': params[3] = "t"; break;
		default: return cmd_usage(c);
		}
	}
	if (optind + 2 != argc || params[2] == NULL)
		return cmd_usage(c);
	params[0] = argv[optind];
	params[1] = argv[optind + 1];
	if (cmd_date_ok(params[2]) == -1)
		return EXIT_USAGE;
	if (!is_kind(c, params[0], "platform") || !is_kind(c, params[1], "custodian"))
		return EXIT_NO;
	cmd_begin(c);
	/* two commands at once must not make two overlapping contracts */
	PQclear(cmd_query(c, "SELECT pg_advisory_xact_lock(hashtext('muhur.contract'))", 0, NULL));
	res = cmd_query(c, "SELECT valid_from FROM muhur.contract WHERE platform = $1 AND custodian = $2 "
	    "AND (valid_to IS NULL OR valid_to >= $3::date) ORDER BY 1 LIMIT 1", 3, params);
	if (PQntuples(res) > 0) {
		log_warnx("%s %s: a contract is there from %s; end it first: `muhur contract end %s %s --to DATE'",
		    params[0], params[1], PQgetvalue(res, 0, 0), params[0], params[1]);
		PQclear(res);
		return EXIT_NO;
	}
	PQclear(res);
	cmd_exec(c, "INSERT INTO muhur.contract (platform, custodian, valid_from, full_custody) "
	    "VALUES ($1, $2, $3, $4)", 4, params);
	cmd_event(c, "contract-added", NULL, json_pack("{s:s, s:s, s:s, s:b}", "platform", params[0],
	    "custodian", params[1], "from", params[2], "fullCustody", *params[3] == 't'));
	cmd_commit(c);
	(void)snprintf(what, sizeof(what), "%s %s", params[0], params[1]);
	cmd_done(c, "added", what);
	return EXIT_YES;
}

static int
contract_list(struct cmd *c, int argc, char **argv)
{
	static const char *const names[] = { "platform", "custodian", "from", "to", "?fullCustody" };
	PGresult *res;

	(void)argv;
	if (argc != 1)
		return cmd_usage(c);
	res = cmd_query(c, "SELECT platform, custodian, valid_from, valid_to, full_custody FROM muhur.contract "
	    "ORDER BY platform COLLATE \"C\", custodian COLLATE \"C\", valid_from", 0, NULL);
	cmd_rows(c, res, names);
	PQclear(res);
	return EXIT_YES;
}

/* The open contract ends: its last day is --to. */
static int
contract_end(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "to", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 }
	};
	const char *params[3] = { NULL };
	char what[64];
	int ch;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (ch != 't')
			return cmd_usage(c);
		params[2] = optarg;
	}
	if (optind + 2 != argc || params[2] == NULL)
		return cmd_usage(c);
	params[0] = argv[optind];
	params[1] = argv[optind + 1];
	if (cmd_date_ok(params[2]) == -1)
		return EXIT_USAGE;
	cmd_begin(c);
	if (cmd_exec(c, "UPDATE muhur.contract SET valid_to = $3::date WHERE platform = $1 AND custodian = $2 "
	    "AND valid_to IS NULL AND valid_from <= $3::date", 3, params) == 0) {
		log_warnx("%s %s: no open contract began by %s; `muhur contract list'", params[0], params[1], params[2]);
		return EXIT_NO;
	}
	cmd_event(c, "contract-ended", NULL, json_pack("{s:s, s:s, s:s}", "platform", params[0],
	    "custodian", params[1], "to", params[2]));
	cmd_commit(c);
	(void)snprintf(what, sizeof(what), "%s %s", params[0], params[1]);
	cmd_done(c, "ended", what);
	return EXIT_YES;
}

int
cmd_contract(struct cmd *c, int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
		{ "add", contract_add, "contract add PLATFORM CUSTODIAN --from DATE [--full-custody]" },
		{ "list", contract_list, "contract list" },
		{ "end", contract_end, "contract end PLATFORM CUSTODIAN --to DATE" },
	};

	return cmd_dispatch(c, argc, argv, verbs, sizeof(verbs) / sizeof(verbs[0]));
}
