/* SPDX-License-Identifier: ISC */
/* muhur submission: what was received and what became of it. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "depot/depot.h"
#include "model/ident.h"
#include "model/job.h"
#include "muhur/cmd.h"
#include "pg/store.h"

static int
submission_list(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "date", required_argument, NULL, 'd' },
		{ "state", required_argument, NULL, 's' },
		{ "limit", required_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 }
	};
	static const char *const names[] = {
		"id", "state", "receivedAt", "uploader", "messageType", "businessDate", "messageId",
		"fileName", "-#size", "-sha256", "-member", "-#recordCount", "-?late", "*reasons"
	};
	const char *params[3] = { NULL };
	PGresult *res;
	int ch;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (ch) {
		case 'd': params[0] = optarg; break;
		case 's': params[1] = optarg; break;
		case 'l': params[2] = optarg; break;
		default: return cmd_usage(c);
		}
	}
	if (optind != argc)
		return cmd_usage(c);
	if (params[0] != NULL && cmd_date_ok(params[0]) == -1)
		return EXIT_USAGE;
	if (params[1] != NULL && submission_state_by_name(params[1]) == SUB_STATE_COUNT) {
		log_warnx("--state %s: is no state; received, held, waiting, accepted, rejected, repeated, "
		    "replaced or cancelled", params[1]);
		return EXIT_USAGE;
	}
	if (params[2] != NULL && (strlen(params[2]) > 9 || params[2][strspn(params[2], "0123456789")] != '\0' ||
	    *params[2] == '\0')) {
		log_warnx("--limit %s: must be a number", params[2]);
		return EXIT_USAGE;
	}
	res = cmd_query(c, "SELECT s.id, s.state, " SQL_TIME("s.received_at") ", s.uploader, s.message_type, "
	    "s.business_date, s.message_id, s.file_name, s.size, s.sha256, s.member_code, s.record_count, s.late, "
	    "(SELECT string_agg(r.code, ' ' ORDER BY r.ordinal) FROM muhur.submission_reason r WHERE r.submission = s.no) "
	    "FROM muhur.submission s WHERE ($1::date IS NULL OR s.business_date = $1::date) "
	    "AND ($2::text IS NULL OR s.state = $2) ORDER BY s.no DESC LIMIT $3::bigint", 3, params);
	cmd_rows(c, res, names);
	PQclear(res);
	return EXIT_YES;
}

/* The row of that id, or NULL after a complaint. */
static PGresult *
find_submission(struct cmd *c, const char *id, const char *sql)
{
	const char *params[] = { id };
	PGresult *res = NULL;

	if (uuid_ok(id)) {
		res = cmd_query(c, sql, 1, params);
		if (PQntuples(res) == 1)
			return res;
		PQclear(res);
	}
	log_warnx("%s: there is no such submission; `muhur submission list'", id);
	return NULL;
}

static const char *const show_names[] = {
	"-#no", "id", "state", "receivedAt", "decidedAt", "uploader", "member", "fileName", "#size", "sha256",
	"messageType", "messageId", "userCode", "businessDate", "#sequence", "#recordCount", "createdAt",
	"?late", "signerSubject", "signerIssuer", "signerSerial", "signingTime", "replaces", "replacedBy",
	"decidedBy", "decidesAbout", "repeatOf", "operatorDecision", "signaturePolicy", "timestampState", "timestampAt",
	"timestampAuthority", "timestampWhy", "material"
};

static const char show_sql[] =
	"SELECT s.no, s.id, s.state, " SQL_TIME("s.received_at") ", " SQL_TIME("s.decided_at") ", s.uploader, "
	"s.member_code, s.file_name, s.size, s.sha256, s.message_type, s.message_id, s.user_code, s.business_date, "
	"s.sequence, s.record_count, " SQL_TIME("s.created_at") ", s.late, s.signer_subject, s.signer_issuer, "
	"s.signer_serial, " SQL_TIME("s.signing_time") ", "
	"(SELECT r.id FROM muhur.submission r WHERE r.no = s.replaces), "
	"(SELECT min(r.id::text) FROM muhur.submission r WHERE r.replaces = s.no AND r.state IN ('accepted', 'replaced')), "
	"(SELECT r.id FROM muhur.submission r WHERE r.no = s.approved_by), "
	"(SELECT r.id FROM muhur.approval_target a JOIN muhur.submission r ON r.member_code = a.member_code "
	"AND r.message_id = a.message_id AND r.reserves_id AND r.approved_by = s.no WHERE a.submission = s.no), "
	"(SELECT r.id FROM muhur.submission r WHERE r.no = s.repeat_of), s.operator_decision, "
	"s.signature_policy, s.timestamp_state, " SQL_TIME("s.timestamp_at") ", s.timestamp_authority, "
	"s.timestamp_why, s.material FROM muhur.submission s WHERE s.id = $1";

/* One of the lists that belong to a submission: into o, or for people. */
static void
show_list(const struct cmd *c, json_t *o, const char *key, PGresult *res, const char *const *names)
{
	if (o != NULL) {
		json_object_set_new(o, key, cmd_array(res, names));
		return;
	}
	if (PQntuples(res) > 0) {
		printf("\n%s\n", key);
		cmd_rows(c, res, names);
	}
	PQclear(res);
}

static int
submission_show(struct cmd *c, int argc, char **argv)
{
	static const char *const reason_names[] = { "code", "#line", "path", "detail" };
	static const char *const finding_names[] = { "#record", "#line", "code", "registryNo", "detail" };
	static const char *const notice_names[] = { "id", "level", "fileName", "issuedAt", "signedAt", "publishedAt", "archivedAt" };
	static const char *const crl_names[] = { "sha256", "issuer", "number", "thisUpdate", "nextUpdate", "?kept" };
	static const char *const event_names[] = { "at", "kind", "actor", "@detail" };
	const char *no[1];
	json_t *o = NULL;
	PGresult *res;

	if (argc != 2)
		return cmd_usage(c);
	if ((res = find_submission(c, argv[1], show_sql)) == NULL)
		return EXIT_NO;
	no[0] = PQgetvalue(res, 0, 0);
	if (c->json)
		o = cmd_row_json(res, 0, show_names);
	else
		cmd_record(res, 0, show_names);
	show_list(c, o, "reasons", cmd_query(c, "SELECT code, line, path, detail FROM muhur.submission_reason "
	    "WHERE submission = $1 ORDER BY ordinal", 1, no), reason_names);
#define FINDING "record_no, line, code COLLATE \"C\" AS code, registry_no, detail FROM "
	/* level (ii), the first 1000: its notices have all that there are */
	show_list(c, o, "records", cmd_query(c, "SELECT " FINDING "muhur.record_finding WHERE submission = $1 "
	    "UNION ALL SELECT " FINDING "muhur.record_answer WHERE submission = $1 "
	    "ORDER BY record_no, code LIMIT 1000", 1, no), finding_names);
#undef FINDING
	show_list(c, o, "notices", cmd_query(c, "SELECT id, level, file_name, " SQL_TIME("issued_at") ", "
	    SQL_TIME("signed_at") ", " SQL_TIME("published_at") ", " SQL_TIME("archived_at")
	    " FROM muhur.notice WHERE submission = $1 ORDER BY no", 1, no), notice_names);
	show_list(c, o, "crls", cmd_query(c, "SELECT u.sha256, k.issuer, k.number, " SQL_TIME("k.this_update") ", "
	    SQL_TIME("k.next_update") ", k.sha256 IS NOT NULL FROM muhur.submission_crl u "
	    "LEFT JOIN muhur.crl k ON k.sha256 = u.sha256 WHERE u.submission = $1 ORDER BY k.issuer COLLATE \"C\", 1",
	    1, no), crl_names);
	show_list(c, o, "events", cmd_query(c, "SELECT " SQL_TIME("at") ", kind, actor, detail "
	    "FROM muhur.event WHERE submission = $1 ORDER BY no", 1, no), event_names);
	if (o != NULL)
		cmd_json(o);
	PQclear(res);
	return EXIT_YES;
}

static int
submission_get(struct cmd *c, int argc, char **argv)
{
	char *spooled;
	PGresult *res;
	int rc = EXIT_NO;

	if (argc != 2 && argc != 3)
		return cmd_usage(c);
	if ((res = find_submission(c, argv[1], "SELECT id, uploader, file_name, sha256, "
	    SQL_TIME("purged_at") " FROM muhur.submission WHERE id = $1")) == NULL)
		return EXIT_NO;
	if (!PQgetisnull(res, 0, 4)) {
		log_warnx("%s: its document was purged at %.19sZ: its row and its events stay", argv[1],
		    PQgetvalue(res, 0, 4));
		PQclear(res);
		return rc;
	}
	/* not judged yet: still in the spool, or half-way to the store */
	spooled = xasprintf("%s/spool/received/%s.%s/%s", cmd_conf(c)->state_dir, PQgetvalue(res, 0, 0),
	    PQgetvalue(res, 0, 1), PQgetvalue(res, 0, 2));
	rc = cmd_copy_out(c, PQgetisnull(res, 0, 3) ? NULL : PQgetvalue(res, 0, 3), spooled,
	    argc == 3 ? argv[2] : NULL);
	free(spooled);
	PQclear(res);
	return rc;
}

/* SHA-256 of a file's bytes, of any size; 0, or -1 with errno. */
static int
file_digest(const char *path, char hex[SHA256_HEX_SIZE])
{
	int fd, rc, saved;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) == -1)
		return -1;
	rc = depot_hash_fd(fd, hex);
	saved = errno;
	(void)close(fd);
	errno = saved;
	return rc;
}

/*
 * A held one that nothing could judge has no digest on record, but the notice
 * of its rejection names it: it is taken from the file in the spool.
 */
static const char *
held_digest(struct cmd *c, const PGresult *res, char hex[SHA256_HEX_SIZE])
{
	char *path;

	if (!PQgetisnull(res, 0, 5))
		return PQgetvalue(res, 0, 5);
	path = xasprintf("%s/spool/received/%s.%s/%s", cmd_conf(c)->state_dir, PQgetvalue(res, 0, 6),
	    PQgetvalue(res, 0, 3), PQgetvalue(res, 0, 4));
	if (file_digest(path, hex) == -1)
		fatal("%s", path);
	free(path);
	return hex;
}

/* An operator's decision about a held one; the directory carries it out. */
static int
decide(struct cmd *c, int argc, char **argv, const char *decision)
{
	char digest[SHA256_HEX_SIZE];
	const char *params[3];
	PGresult *res;

	if (argc != 2)
		return cmd_usage(c);
	if ((res = find_submission(c, argv[1], "SELECT no, state, operator_decision, uploader, "
	    "file_name, sha256, id FROM muhur.submission WHERE id = $1")) == NULL)
		return EXIT_NO;
	params[0] = PQgetvalue(res, 0, 0);
	params[1] = decision;
	params[2] = NULL;
	if (strcmp(decision, "reject") == 0 && strcmp(PQgetvalue(res, 0, 1), "held") == 0)
		params[2] = held_digest(c, res, digest);
	cmd_begin(c);
	if (cmd_exec(c, "UPDATE muhur.submission SET operator_decision = $2, sha256 = coalesce($3, sha256) "
	    "WHERE no = $1 AND state = 'held' AND operator_decision IS NULL", 3, params) == 0) {
		if (PQgetisnull(res, 0, 2))
			log_warnx("%s: is %s; an operator decides about held ones only", argv[1], PQgetvalue(res, 0, 1));
		else
			log_warnx("%s: \"%s\" was decided already; the gateway carries it out when it runs",
			    argv[1], PQgetvalue(res, 0, 2));
		PQclear(res);
		return EXIT_NO;
	}
	cmd_event(c, "operator-decision", params[0], json_pack("{s:s}", "decision", decision));
	if (store_notify(cmd_db(c), CHANNEL_DECISION) == -1)
		exit(EXIT_ENVIRONMENT);
	cmd_commit(c);
	cmd_done(c, decision, argv[1]);
	PQclear(res);
	return EXIT_YES;
}

static int
submission_retry(struct cmd *c, int argc, char **argv)
{
	return decide(c, argc, argv, "retry");
}

static int
submission_reject(struct cmd *c, int argc, char **argv)
{
	return decide(c, argc, argv, "reject");
}

int
cmd_submission(struct cmd *c, int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
		{ "list", submission_list, "submission list [--date DATE] [--state STATE] [--limit N]" },
		{ "show", submission_show, "submission show ID" },
		{ "get", submission_get, "submission get ID [OUT]" },
		{ "retry", submission_retry, "submission retry ID" },
		{ "reject", submission_reject, "submission reject ID" },
	};

	return cmd_dispatch(c, argc, argv, verbs, sizeof(verbs) / sizeof(verbs[0]));
}
