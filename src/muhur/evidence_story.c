/* SPDX-License-Identifier: ISC */
/* Of an evidence: what the database and the store know of a submission. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "depot/depot.h"
#include "model/ident.h"
#include "muhur/evidence.h"
#include "muhur/temp.h"

/* What was rejected before it could be judged lies apart (muhurd: spool); its bytes are
 * those of the digest, or it is not taken.  0 or -1. */
static int
copy_held(const struct evidence *e, const char *sha256, int out)
{
	char *path = xasprintf("held/%s", e->id);
	int fd = open_beneath(e->store, path, O_RDONLY | O_CLOEXEC, 0), rc = -1;
	struct depot_file *f;

	if (fd != -1) {
		f = depot_of(fd, DEPOT_PLAIN);
		rc = depot_finish(f, sha256, out, NULL) == DEPOT_GOOD ? 0 : -1;
		depot_close(f);
	}
	free(path);
	return rc;
}

/* A file of the store under that name.  An exit code. */
static int
add_stored(struct evidence *e, const char *name, const char *type, const char *sha256)
{
	int fd = temp_file();

	if (fd == -1)
		return EXIT_ENVIRONMENT;
	switch (depot_copy(e->store, sha256, fd, NULL)) {
	case DEPOT_GOOD:
		if (asic_add_fd(&e->files, name, type, fd) == -1)
			return EXIT_ENVIRONMENT;
		return EXIT_YES;
	case DEPOT_ABSENT:
		if (strncmp(name, "document/", 9) == 0 && copy_held(e, sha256, fd) == 0)
			return asic_add_fd(&e->files, name, type, fd) == 0 ? EXIT_YES : EXIT_ENVIRONMENT;
		log_warnx("%s: %s is not in the store; `muhur archive verify'", name, sha256);
		break;
	case DEPOT_ROTTEN:
		log_warnx("%s: what the store has as %s are other bytes: restore it from a backup", name, sha256);
		break;
	case DEPOT_TROUBLE:
		log_warn("%s: %s", name, sha256);
		break;
	}
	(void)close(fd);
	return EXIT_ENVIRONMENT;
}

/* --- the submission and its file --------------------------------------------------- */

/* The uploaded name where it is one that every system takes; the page tells it in any case. */
static char *
document_name(const char *uploaded)
{
	char *name = xasprintf("document/%s", uploaded);

	if (!asic_name_ok(name)) {
		free(name);
		name = xstrdup("document/submission");
	}
	return name;
}

static const char *const submission_names[] = {
	"#no", "id", "state", "receivedAt", "decidedAt", "uploader", "member", "memberName", "fileName", "#size",
	"sha256", "messageType", "messageId", "userCode", "businessDate", "#sequence", "#recordCount", "createdAt",
	"?late", "signerSubject", "signerIssuer", "signerSerial", "signerCertificate", "signingTime",
	"signaturePolicy", "timestampState", "timestampAt", "timestampAuthority", "replaces", "replacedBy",
	"decidedBy", "repeatOf", "material", "+purgedAt"
};

#define S_PURGED	33

/* material: a column that rows of before have not. */
static const char submission_sql[] =
	"SELECT s.no, s.id, s.state, " SQL_TIME("s.received_at") ", " SQL_TIME("s.decided_at") ", s.uploader, "
	"s.member_code, m.name, s.file_name, s.size, s.sha256, s.message_type, s.message_id, s.user_code, "
	"s.business_date, s.sequence, s.record_count, " SQL_TIME("s.created_at") ", s.late, s.signer_subject, "
	"s.signer_issuer, s.signer_serial, s.signer_cert, " SQL_TIME("s.signing_time") ", s.signature_policy, "
	"s.timestamp_state, " SQL_TIME("s.timestamp_at") ", s.timestamp_authority, "
	"(SELECT r.id FROM muhur.submission r WHERE r.no = s.replaces), "
	"(SELECT min(r.id::text) FROM muhur.submission r WHERE r.replaces = s.no AND r.state IN ('accepted', 'replaced')), "
	"(SELECT r.id FROM muhur.submission r WHERE r.no = s.approved_by), "
	"(SELECT r.id FROM muhur.submission r WHERE r.no = s.repeat_of), to_jsonb(s) ->> 'material', "
	SQL_TIME(EVIDENCE_PURGED_AT("s")) " "
	"FROM muhur.submission s LEFT JOIN muhur.member m ON m.code = s.member_code WHERE s.id = $1";

static int
add_submission(struct evidence *e)
{
	const char *params[] = { e->id };
	PGresult *res = uuid_ok(e->id) ? cmd_query(e->c, submission_sql, 1, params) : NULL;
	int rc = EXIT_NO;
	char *name = NULL;
	json_t *o;

	if (res == NULL || PQntuples(res) == 0) {
		log_warnx("%s: there is no such submission; `muhur submission list'", e->id);
		goto out;
	}
	(void)str_copy(e->no, sizeof(e->no), PQgetvalue(res, 0, 0));
	o = cmd_row_json(res, 0, submission_names);
	json_object_set_new(e->story, "submission", o);
	if (PQgetisnull(res, 0, 4) || PQgetisnull(res, 0, 10)) {
		log_warnx("%s: is %s; there is evidence of it once it is decided", e->id, PQgetvalue(res, 0, 2));
		goto out;
	}
	if (!PQgetisnull(res, 0, S_PURGED)) {
		log_warnx("%s: was purged at %s: there is no evidence of it any more", e->id, PQgetvalue(res, 0, S_PURGED));
		goto out;
	}
	name = document_name(PQgetvalue(res, 0, 8));
	rc = add_stored(e, name, "application/octet-stream", PQgetvalue(res, 0, 10));
	json_object_set_new(e->story, "document", json_string(name));
out:
	free(name);
	PQclear(res);
	return rc;
}

/* --- what is kept with it ------------------------------------------------------------- */

static int
add_notices(struct evidence *e)
{
	static const char *const names[] = { "id", "kind", "level", "recipient", "fileName", "issuedAt", "signedAt",
	    "publishedAt", "archivedAt", "sha256", "#size" };
	const char *params[] = { e->no };
	PGresult *res = cmd_query(e->c, "SELECT id, kind, level, recipient, file_name, " SQL_TIME("issued_at") ", "
	    SQL_TIME("signed_at") ", " SQL_TIME("published_at") ", " SQL_TIME("archived_at") ", sha256, size "
	    "FROM muhur.notice WHERE submission = $1 ORDER BY no", 1, params);
	json_t *list = json_array(), *o;
	int i, rc = EXIT_YES;
	char *file;

	json_object_set_new(e->story, "notices", list);
	for (i = 0; rc == EXIT_YES && i < PQntuples(res); i++) {
		if (PQgetisnull(res, i, 9)) {
			log_warnx("%s: its notice %s is not signed yet; try again when it is, `muhur status'", e->id,
			    PQgetvalue(res, i, 4));
			rc = EXIT_ENVIRONMENT;
			break;
		}
		file = PQgetisnull(res, i, 2) ? xasprintf("notices/%s.xml", PQgetvalue(res, i, 0)) :
		    xasprintf("notices/%s.%s.xml", PQgetvalue(res, i, 0), PQgetvalue(res, i, 2));
		rc = add_stored(e, file, "text/xml", PQgetvalue(res, i, 9));
		o = cmd_row_json(res, i, names);
		json_object_set_new(o, "file", json_string(file));
		json_array_append_new(list, o);
		free(file);
	}
	PQclear(res);
	return rc;
}

static int
add_lists(struct evidence *e)
{
	static const char *const names[] = { "sha256", "issuer", "number", "thisUpdate", "nextUpdate", "der" };
	const char *params[] = { e->no };
	PGresult *res = cmd_query(e->c, "SELECT u.sha256, k.issuer, k.number, " SQL_TIME("k.this_update") ", "
	    SQL_TIME("k.next_update") ", k.der FROM muhur.submission_crl u LEFT JOIN muhur.crl k ON k.sha256 = u.sha256 "
	    "WHERE u.submission = $1 ORDER BY k.issuer COLLATE \"C\", 1", 1, params);
	json_t *list = json_array(), *o;
	unsigned char *der;
	size_t len;
	char *file;
	int i;

	json_object_set_new(e->story, "crls", list);
	for (i = 0; i < PQntuples(res); i++) {
		o = cmd_row_json(res, i, names);
		json_object_del(o, "der");	/* a file of its own */
		json_array_append_new(list, o);
		if (PQgetisnull(res, i, 5))	/* crl_file alone, never refreshed: it may be in the material */
			continue;
		if ((der = PQunescapeBytea((const unsigned char *)PQgetvalue(res, i, 5), &len)) == NULL)
			fatalx("evidence: no memory");
		file = xasprintf("revocation/%s.crl", PQgetvalue(res, i, 0));
		asic_add(&e->files, file, "application/pkix-crl", der, len);
		json_object_set_new(o, "file", json_string(file));
		PQfreemem(der);
		free(file);
	}
	PQclear(res);
	return EXIT_YES;
}

/* A listing as sha256sum(1) has it; a line a file. */
static int
add_material_line(struct evidence *e, char *line)
{
	char sha256[SHA256_HEX_SIZE], *name;
	int rc = EXIT_ENVIRONMENT;

	if (strlen(line) < SHA256_HEX_SIZE + 2 || strncmp(line + SHA256_HEX_SIZE - 1, "  ", 2) != 0) {
		log_warnx("material: \"%s\" is no line of its listing", line);
		return rc;
	}
	memcpy(sha256, line, SHA256_HEX_SIZE - 1);
	sha256[SHA256_HEX_SIZE - 1] = '\0';
	name = xasprintf("material/%s", line + SHA256_HEX_SIZE + 1);
	if (!asic_name_ok(name))
		log_warnx("material: \"%s\" is no name", name);
	else
		rc = add_stored(e, name, strstr(name, ".xsd") != NULL ? "text/xml" : "application/x-pem-file", sha256);
	free(name);
	return rc;
}

static int
add_material(struct evidence *e)
{
	const char *id = json_string_value(json_object_get(json_object_get(e->story, "submission"), "material"));
	char *text = NULL, *line, *save = NULL;
	const struct asic_file *f;
	size_t len;
	int rc;

	if (id == NULL)
		return EXIT_YES;
	if ((rc = add_stored(e, "material/listing.sha256", "text/plain", id)) != EXIT_YES)
		return rc;
	f = asic_find(&e->files, "material/listing.sha256");
	if (fd_read_all(f->fd, EVIDENCE_MAX_SMALL, &text, &len) == -1) {
		log_warn("material");
		return EXIT_ENVIRONMENT;
	}
	for (line = strtok_r(text, "\n", &save); rc == EXIT_YES && line != NULL; line = strtok_r(NULL, "\n", &save))
		rc = add_material_line(e, line);
	free(text);
	return rc;
}

/* What the gateway trusts now: for its own notices, and for stamps that are younger
 * than what judged the document. */
static int
add_anchors(struct evidence *e)
{
	const struct conf *conf = cmd_conf(e->c);
	const struct { const char *path, *name; } v[] = { { conf->trust_anchors, "anchors/trust.pem" },
	    { conf->tsa_anchors, "anchors/tsa.pem" } };
	char *pem;
	size_t i, len;

	for (i = 0; i < 2; i++) {
		if (v[i].path == NULL)
			continue;
		if (file_read_all(v[i].path, TRUST_MAX_ANCHORS, &pem, &len) == -1) {
			log_warn("%s", v[i].path);
			return EXIT_ENVIRONMENT;
		}
		asic_add(&e->files, v[i].name, "application/x-pem-file", pem, len);
		free(pem);
	}
	return EXIT_YES;
}

int
evidence_story(struct evidence *e)
{
	static const char *const reason_names[] = { "code", "#line", "path", "detail" };
	const char *params[1] = { e->no };
	int rc;

	json_object_set_new(e->story, "v", json_integer(1));
	if ((rc = add_submission(e)) != EXIT_YES)
		return rc;
	json_object_set_new(e->story, "reasons", cmd_array(cmd_query(e->c, "SELECT code, line, path, detail "
	    "FROM muhur.submission_reason WHERE submission = $1 ORDER BY ordinal", 1, params), reason_names));
	if ((rc = add_notices(e)) != EXIT_YES || (rc = add_lists(e)) != EXIT_YES || (rc = add_material(e)) != EXIT_YES)
		return rc;
	return add_anchors(e);
}
