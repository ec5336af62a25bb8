/* SPDX-License-Identifier: ISC */
/* muhur notice: what the gateway answered, and to whom. */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/ident.h"
#include "muhur/cmd.h"
#include "pg/store.h"

static int
notice_list(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "member", required_argument, NULL, 'm' },
		{ NULL, 0, NULL, 0 }
	};
	static const char *const names[] = {
		"id", "recipient", "kind", "level", "fileName", "issuedAt", "-signedAt", "publishedAt",
		"fetchedAt", "-*fetchedBy", "-outboxUntil", "archivedAt", "-#size", "-sha256", "-submissionId"
	};
	const char *params[1] = { NULL };
	PGresult *res;
	int ch;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (ch != 'm')
			return cmd_usage(c);
		params[0] = optarg;
	}
	if (optind != argc)
		return cmd_usage(c);
	if (params[0] != NULL && cmd_member_ok(c, params[0]) == -1)
		return EXIT_NO;
	res = cmd_query(c, "SELECT n.id, n.recipient, n.kind, n.level, n.file_name, " SQL_TIME("n.issued_at") ", "
	    SQL_TIME("n.signed_at") ", " SQL_TIME("n.published_at") ", " SQL_TIME("f.at") ", "
	    "f.users, " SQL_TIME("n.outbox_until") ", " SQL_TIME("n.archived_at") ", n.size, n.sha256, s.id "
	    "FROM muhur.notice n LEFT JOIN muhur.submission s ON s.no = n.submission "
	    /* as a whole, first by whom */
	    "LEFT JOIN LATERAL (SELECT min(x.whole_at) AS at, string_agg(x.user_code, ' ' ORDER BY x.whole_at, x.user_code) "
	    "AS users FROM muhur.notice_fetch x WHERE x.notice = n.no AND x.whole) f ON true "
	    "WHERE $1::text IS NULL OR n.recipient = $1 ORDER BY n.no", 1, params);
	cmd_rows(c, res, names);
	PQclear(res);
	return EXIT_YES;
}

static int
notice_get(struct cmd *c, int argc, char **argv)
{
	const char *params[1];
	PGresult *res;
	int rc = EXIT_NO;

	if (argc != 2 && argc != 3)
		return cmd_usage(c);
	params[0] = argv[1];
	res = uuid_ok(argv[1]) ? cmd_query(c, "SELECT sha256, "
	    SQL_TIME("purged_at") " FROM muhur.notice WHERE id = $1", 1, params) : NULL;
	if (res == NULL || PQntuples(res) == 0)
		log_warnx("%s: there is no such notice; `muhur notice list'", argv[1]);
	else if (PQgetisnull(res, 0, 0))
		log_warnx("%s: is not signed yet; `muhur status' tells whether the gateway is at work", argv[1]);
	else if (!PQgetisnull(res, 0, 1))
		log_warnx("%s: was purged at %.19sZ: its row and its events stay", argv[1], PQgetvalue(res, 0, 1));
	else
		rc = cmd_copy_out(c, PQgetvalue(res, 0, 0), NULL, argc == 3 ? argv[2] : NULL);
	PQclear(res);
	return rc;
}

/* What should be in the boxes is marked unpublished; the gateway links it again,
 * into the outbox or, where it had been moved there, into the archive. A link
 * that is there already stays as it is.  The time a notice stays in the outbox is
 * not made longer: one whose time is over goes on to the archive. */
static int
notice_rebuild(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "archive", no_argument, NULL, 'a' },
		{ "member", required_argument, NULL, 'm' },
		{ NULL, 0, NULL, 0 }
	};
	const char *params[] = { "f", NULL };
	char what[48];
	long n;
	int ch;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (ch == 'a')
			params[0] = "t";
		else if (ch == 'm')
			params[1] = optarg;
		else
			return cmd_usage(c);
	}
	if (optind != argc)
		return cmd_usage(c);
	if (params[1] != NULL && cmd_member_ok(c, params[1]) == -1)
		return EXIT_NO;
	cmd_begin(c);
	/* in the order in which the gateway locks them */
	n = cmd_exec(c, "WITH l AS MATERIALIZED (SELECT no FROM muhur.notice WHERE sha256 IS NOT NULL "
	    "AND purged_at IS NULL AND published_at IS NOT NULL AND (archived_at IS NULL OR $1::boolean) "
	    "AND ($2::text IS NULL OR recipient = $2) ORDER BY no FOR UPDATE) "
	    "UPDATE muhur.notice SET published_at = NULL WHERE no IN (SELECT no FROM l)", 2, params);
	cmd_event(c, "outbox-rebuilt", NULL, json_pack("{s:I, s:b, s:s*}", "notices", (json_int_t)n,
	    "archive", params[0][0] == 't', "member", params[1]));
	if (store_notify(cmd_db(c), CHANNEL_NOTICE) == -1)
		exit(EXIT_ENVIRONMENT);
	cmd_commit(c);
	(void)snprintf(what, sizeof(what), "%ld notices", n);
	if (c->json)
		cmd_json(json_pack("{s:s, s:I}", "did", "rebuild", "notices", (json_int_t)n));
	else
		printf("%s: to be published again\n", what);
	return EXIT_YES;
}

int
cmd_notice(struct cmd *c, int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
		{ "list", notice_list, "notice list [--member CODE]" },
		{ "get", notice_get, "notice get ID [OUT]" },
		{ "rebuild", notice_rebuild, "notice rebuild [--archive] [--member CODE]" },
	};

	return cmd_dispatch(c, argc, argv, verbs, sizeof(verbs) / sizeof(verbs[0]));
}
