/* SPDX-License-Identifier: ISC */
/*
 * Of an evidence: every event of the submission and its notices, with the proof
 * that its leaf is in the trail.  All proofs lead to one checkpoint, the newest.
 */
#include "config.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "muhur/evidence.h"
#include "muhur/trail_log.h"
#include "xml/stamp.h"

struct trail {
	struct evidence		*e;
	struct trail_log	 log;
	struct tiles		*tiles;
	struct checkpoint	 head;
	struct buf		 note;
	json_t			*events;
};

/* --- the checkpoint -------------------------------------------------------------------- */

/* The stamp beside it, or, where there is none yet, one that is asked for now; without
 * an authority there is none, which the page says. */
static int
get_stamp(struct trail *t, struct buf *resp, struct timestamp *stamp)
{
	struct stamp_rules r = { .at = 0, .latest = INT64_MAX };
	char size[24], *path = NULL, *data = NULL;
	const char *params[] = { size };
	PGresult *res;
	size_t len;
	int fd = -1;

	(void)snprintf(size, sizeof(size), "%" PRIu64, t->head.size);
	res = cmd_query(t->e->c, "SELECT to_char(signed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') "
	    "FROM muhur.trail_checkpoint WHERE size = $1", 1, params);
	if (PQntuples(res) == 1) {
		path = xasprintf("checkpoints/%s/%s.tsr", PQgetvalue(res, 0, 0), size);
		fd = open_beneath(t->log.dir, path, O_RDONLY | O_CLOEXEC, 0);
	}
	if (fd != -1 && fd_read_all(fd, STAMP_MAX_TOKEN, &data, &len) == 0) {
		stamp_judge_response(data, len, t->note.data, t->note.len, NULL, &r, stamp);
		if (stamp->state == TIMESTAMP_NOT_JUDGED)	/* it fits; who made it, `muhur evidence verify' judges */
			buf_append(resp, data, len);
		else
			log_warnx("%s: %s; another one is taken", path, stamp->why);
	}
	if (fd != -1)
		(void)close(fd);
	PQclear(res);
	free(data);
	free(path);
	return resp->len > 0 || t->e->means->tsa == NULL ? 0 :
	    tsa_ask(t->e->means->tsa, t->note.data, t->note.len, resp, stamp);
}

static int
add_checkpoint(struct trail *t)
{
	struct buf resp = { 0 };
	struct timestamp stamp = { 0 };
	char root[SHA256_HEX_SIZE], at[TIME_SIZE] = "";
	json_t *o;
	int rc;

	if ((rc = get_stamp(t, &resp, &stamp)) == 0) {
		hex_encode(t->head.root.b, SHA256_SIZE, root);
		asic_add(&t->e->files, "trail/checkpoint", "text/plain", t->note.data, t->note.len);
		asic_add(&t->e->files, "trail/key", "text/plain", t->log.vkey, strlen(t->log.vkey));
		o = json_pack("{s:s, s:I, s:s, s:s}", "origin", t->head.origin, "size", (json_int_t)t->head.size,
		    "root", root, "key", t->log.vkey);
		if (resp.len > 0) {
			asic_add(&t->e->files, "trail/checkpoint.tsr", "application/timestamp-reply", resp.data, resp.len);
			time_format(stamp.at, at);
			json_object_set_new(o, "stampedAt", json_string(at));
		}
		json_object_set_new(t->e->story, "checkpoint", o);
	}
	buf_free(&resp);
	return rc == 0 ? EXIT_YES : EXIT_ENVIRONMENT;
}

/* --- the events ----------------------------------------------------------------------- */

enum { E_NO, E_INDEX, E_KIND };

/* Those that tell what was received, what became of it and what was answered; others
 * (it was fetched, an evidence was exported) may be too young for a checkpoint. */
static int
must_be_there(const char *kind)
{
	return strcmp(kind, "fetched") != 0 && strcmp(kind, "archived") != 0 && strcmp(kind, "evidence-exported") != 0;
}

static int
add_event(struct trail *t, const PGresult *res, int row)
{
	uint64_t index = strtoull(PQgetvalue(res, row, E_INDEX), NULL, 10);
	struct note_verifier *key = t->log.key;
	struct checkpoint head;
	struct buf detail = { 0 };
	struct leaf leaf;
	const char *why = "it has no opening";
	json_t *proof, *o;
	char *text, *file, at[TIME_SIZE];

	if ((proof = trail_proof(&t->log, t->tiles, index, &t->head, &t->note)) == NULL)
		return EXIT_ENVIRONMENT;
	/* nothing is handed out that does not hold */
	if (json_object_get(proof, "opening") == NULL || trail_proof_check(proof, key, &head, &leaf, &detail, &why) == -1 ||
	    leaf.event != strtoll(PQgetvalue(res, row, E_NO), NULL, 10)) {
		log_warnx("leaf %" PRIu64 ": does not prove event %s: %s; `muhur trail verify'", index,
		    PQgetvalue(res, row, E_NO), why != NULL ? why : "it is another event's");
		json_decref(proof);
		buf_free(&detail);
		return EXIT_ENVIRONMENT;
	}
	text = json_dumps(proof, JSON_INDENT(1) | JSON_SORT_KEYS);
	file = xasprintf("trail/%" PRIu64 ".json", index);
	if (text == NULL)
		fatalx("evidence: no memory");
	asic_add(&t->e->files, file, "application/json", text, strlen(text));
	/* what is told is what is proved */
	time_format(leaf.at, at);
	o = json_pack("{s:I, s:I, s:s, s:s, s:s, s:s?, s:s?, s:o, s:s}", "event", (json_int_t)leaf.event, "index",
	    (json_int_t)index, "at", at, "kind", leaf.kind, "actor", leaf.actor, "notice",
	    leaf.notice[0] != '\0' ? leaf.notice : NULL, "sha256", leaf.sha256[0] != '\0' ? leaf.sha256 : NULL,
	    "detail", json_loadb(detail.data, detail.len, 0, NULL), "file", file);
	if (o == NULL)
		fatalx("evidence: no memory");
	json_array_append_new(t->events, o);
	buf_free(&detail);
	json_decref(proof);
	free(text);
	free(file);
	return EXIT_YES;
}

static int
add_events(struct trail *t)
{
	const char *params[] = { t->e->no };
	PGresult *res = cmd_query(t->e->c, "SELECT e.no, l.leaf_index, e.kind "
	    "FROM muhur.event e LEFT JOIN muhur.trail_leaf l ON l.event = e.no "
	    "WHERE e.submission = $1 OR e.notice IN (SELECT no FROM muhur.notice WHERE submission = $1) "
	    "ORDER BY l.leaf_index NULLS LAST, e.no", 1, params);
	int i, rc = EXIT_YES;

	for (i = 0; rc == EXIT_YES && i < PQntuples(res); i++) {
		if (!PQgetisnull(res, i, E_INDEX) &&
		    strtoull(PQgetvalue(res, i, E_INDEX), NULL, 10) < t->head.size)
			rc = add_event(t, res, i);
		else if (must_be_there(PQgetvalue(res, i, E_KIND))) {
			log_warnx("%s: its event \"%s\" is in no checkpoint of the trail yet; try again in a minute, "
			    "`muhur status' tells whether the sequencer is at work", t->e->id, PQgetvalue(res, i, E_KIND));
			rc = EXIT_ENVIRONMENT;
		}
	}
	PQclear(res);
	return rc;
}

int
evidence_trail(struct evidence *e)
{
	struct trail t = { .e = e, .events = json_array() };
	struct trail_places places = { NULL };
	int rc;

	json_object_set_new(e->story, "events", t.events);
	if ((rc = trail_log_open(e->c, &places, &t.log)) != EXIT_YES) {
		log_warnx("the trail cannot be read; without it there is no proof (trail_key in the configuration)");
		rc = EXIT_ENVIRONMENT;
		goto out;
	}
	if ((rc = trail_log_checkpoint(&t.log, 0, &t.head, &t.note)) != EXIT_YES) {
		rc = EXIT_ENVIRONMENT;
		goto out;
	}
	t.tiles = tiles_open(t.log.dir, t.head.size);
	if ((rc = add_events(&t)) == EXIT_YES)
		rc = add_checkpoint(&t);
out:
	if (t.tiles != NULL)
		tiles_close(t.tiles);
	trail_log_close(&t.log);
	buf_free(&t.note);
	return rc;
}
