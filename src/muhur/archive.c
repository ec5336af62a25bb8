/* SPDX-License-Identifier: ISC */
/* muhur archive: every document that was received or signed, and its bytes. */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "depot/depot.h"
#include "model/ident.h"
#include "muhur/archive.h"

int
archive_day(const char *date, char from[TIME_SIZE], char to[TIME_SIZE])
{
	date_t d;

	if (cmd_date_ok(date) == -1)
		return -1;
	(void)date_parse(date, &d);
	time_format(istanbul_time(d, 0, 0), from);
	time_format(istanbul_time(d + 1, 0, 0), to);
	return 0;
}

void
archive_nothing_of(const char *date)
{
	log_warnx("nothing of %s: days here are those of receipt and issue in Istanbul", date);
}

int
archive_is_named(struct cmd *c, const char *sha256)
{
	const char *params[] = { sha256 };
	PGresult *res = cmd_query(c, "SELECT FROM muhur.submission WHERE sha256 = $1 AND purged_at IS NULL "
	    "UNION ALL SELECT FROM muhur.notice WHERE sha256 = $1 AND purged_at IS NULL LIMIT 1", 1, params);
	int n = PQntuples(res);

	PQclear(res);
	return n > 0;
}

static const char list_sql[] =
    "SELECT kind, day, member, id, file_name, size, sha256, kept FROM ("
    "SELECT 'submission' AS kind, (received_at AT TIME ZONE 'Europe/Istanbul')::date AS day,"
    " member_code AS member, id, file_name, size, sha256,"
    " CASE WHEN purged_at IS NOT NULL THEN 'purged' WHEN shelved_at IS NOT NULL THEN 'compressed'"
    "  ELSE 'plain' END AS kept, received_at AS at "
    "FROM muhur.submission WHERE sha256 IS NOT NULL AND " SQL_DECIDED
    " AND ($2::timestamptz IS NULL OR received_at >= $2 AND received_at < $3::timestamptz) "
    "UNION ALL "
    "SELECT 'notice', day, recipient, id, file_name, size, sha256,"
    " CASE WHEN purged_at IS NOT NULL THEN 'purged' WHEN archived_at IS NULL THEN 'outbox'"
    "  ELSE 'archive' END, issued_at "
    "FROM muhur.notice WHERE sha256 IS NOT NULL AND ($4::date IS NULL OR day = $4)) d "
    "WHERE ($1::text IS NULL OR member = $1) AND ($5::text IS NULL OR kind = $5) ORDER BY at, kind, id";

static int
archive_list(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "member", required_argument, NULL, 'm' },
		{ "date", required_argument, NULL, 'd' },
		{ "kind", required_argument, NULL, 'k' },
		{ NULL, 0, NULL, 0 }
	};
	static const char *const names[] = { "kind", "day", "member", "id", "fileName", "#size", "-sha256", "kept" };
	const char *params[5] = { NULL };
	char from[TIME_SIZE], to[TIME_SIZE];
	PGresult *res;
	int ch;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (ch) {
		case 'm': params[0] = optarg; break;
		case 'd': params[3] = optarg; break;
		case 'k': params[4] = optarg; break;
		default: return cmd_usage(c);
		}
	}
	if (optind != argc)
		return cmd_usage(c);
	if (params[4] != NULL && strcmp(params[4], "submission") != 0 && strcmp(params[4], "notice") != 0) {
		log_warnx("--kind %s: is neither submission nor notice", params[4]);
		return EXIT_USAGE;
	}
	if (params[3] != NULL) {
		if (archive_day(params[3], from, to) == -1)
			return EXIT_USAGE;
		params[1] = from;
		params[2] = to;
	}
	if (params[0] != NULL && cmd_member_ok(c, params[0]) == -1)
		return EXIT_NO;
	res = cmd_query(c, list_sql, 5, params);
	cmd_rows(c, res, names);
	if (PQntuples(res) == 0 && params[3] != NULL)
		archive_nothing_of(params[3]);
	PQclear(res);
	return EXIT_YES;
}

/* A SHA-256 needs no database: so a listing of material, and what it names, can be
 * had from any store. */
static int
archive_get(struct cmd *c, int argc, char **argv)
{
	const char *params[1], *out;
	PGresult *res;
	int rc = EXIT_NO;

	if (argc != 2 && argc != 3)
		return cmd_usage(c);
	out = argc == 3 ? argv[2] : NULL;
	if (depot_name_ok(argv[1]))
		return cmd_copy_out(c, argv[1], NULL, out);
	if (!uuid_ok(argv[1])) {
		log_warnx("%s: is neither a SHA-256 nor an id; `muhur archive list'", argv[1]);
		return EXIT_USAGE;
	}
	params[0] = argv[1];
	res = cmd_query(c, "SELECT sha256, purged_at IS NOT NULL FROM muhur.submission WHERE id = $1 AND " SQL_DECIDED
	    " UNION ALL SELECT sha256, purged_at IS NOT NULL FROM muhur.notice WHERE id = $1", 1, params);
	if (PQntuples(res) == 0 || PQgetisnull(res, 0, 0))
		log_warnx("%s: no such document; `muhur archive list'", argv[1]);
	else if (PQgetvalue(res, 0, 1)[0] == 't')
		log_warnx("%s: its document was purged", argv[1]);
	else
		rc = cmd_copy_out(c, PQgetvalue(res, 0, 0), NULL, out);
	PQclear(res);
	return rc;
}

int
cmd_archive(struct cmd *c, int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
		{ "list", archive_list, "archive list [--member CODE] [--date DATE] [--kind submission|notice]" },
		{ "get", archive_get, "archive get SHA256|ID [OUT]" },
		{ "verify", archive_verify, "archive verify [--date DATE] [--rate BYTES] [--store DIR]" },
		{ "purge", archive_purge, "archive purge --before DATE [--yes]" },
	};

	return cmd_dispatch(c, argc, argv, verbs, sizeof(verbs) / sizeof(verbs[0]));
}
