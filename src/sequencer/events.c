/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "sequencer/events.h"
#include "trail/leaf.h"

#define NUMBER_SIZE	24	/* of a long long in text */
#define RAW_MAX		(OPENING_MAX / 8)	/* bytes of a column's text in an opening, which may double there */

static const char *
number(uint64_t n, char buf[NUMBER_SIZE])
{
	(void)snprintf(buf, NUMBER_SIZE, "%llu", (unsigned long long)n);
	return buf;
}

/* Statistics lag far behind a table that grows by millions; the indexes are always
 * right: leaves come in their order, and each looks up its event. */
int
events_setup(struct db *db)
{
	static const char *const sql[] = {
		"SET synchronous_commit = on", "SET enable_seqscan = off", "SET enable_hashjoin = off",
		"SET enable_mergejoin = off", "SET enable_sort = on", "SET jit = off",
		"SET max_parallel_workers_per_gather = 0"
	};
	size_t i;

	for (i = 0; i < sizeof(sql) / sizeof(sql[0]); i++)
		if (db_exec(db, sql[i], 0, NULL) == -1)
			return -1;
	return 0;
}

int
events_count(struct db *db, uint64_t *count)
{
	PGresult *res = db_prepared(db, "trail_count",
	    "SELECT coalesce(max(leaf_index) + 1, 0) FROM muhur.trail_leaf", 0, NULL);

	if (res == NULL)
		return -1;
	*count = strtoull(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	return 0;
}

/* What a leaf is made of: the columns C_... of index i's rows l, events e. */
#define LEAF_COLUMNS	"e.no, e.at, e.kind, e.actor, s.id, n.id, e.detail, e.salt "
#define LEAF_JOINS	"JOIN muhur.event e ON e.no = l.event LEFT JOIN muhur.submission s ON s.no = e.submission " \
	"LEFT JOIN muhur.notice n ON n.no = e.notice "

enum { C_INDEX, C_EVENT, C_AT, C_KIND, C_ACTOR, C_SUBMISSION, C_NOTICE, C_DETAIL, C_SALT };

/* from: what was deleted would else be passed over again and again, for hours where a long
 * transaction elsewhere (a backup) keeps it from being cleared away. */
int
events_ask(struct db *db, long long from)
{
	char least[NUMBER_SIZE], most[NUMBER_SIZE];
	const char *params[] = { number((uint64_t)from, least), number(EVENTS_BATCH, most) };

	return db_prepared_send(db, "trail_number",
	    "WITH next AS (SELECT event FROM muhur.trail_queue WHERE event >= $1::bigint ORDER BY event LIMIT $2::bigint), "
	    "gone AS (DELETE FROM muhur.trail_queue q USING next n WHERE q.event = n.event RETURNING q.event), "
	    "base AS (SELECT coalesce(max(leaf_index) + 1, 0) AS size FROM muhur.trail_leaf), "
	    "l AS (INSERT INTO muhur.trail_leaf (leaf_index, event) "
	    " SELECT b.size + row_number() OVER (ORDER BY g.event) - 1, g.event FROM gone g, base b "
	    " RETURNING leaf_index, event) "
	    "SELECT l.leaf_index, " LEAF_COLUMNS "FROM l " LEAF_JOINS "ORDER BY l.leaf_index", 2, params);
}

PGresult *
events_take(struct db *db, long *n, long long *from)
{
	PGresult *res = db_take(db, "trail_number");

	if (res == NULL)
		return NULL;
	*n = PQntuples(res);
	if (*n > 0)
		*from = strtoll(PQgetvalue(res, (int)*n - 1, C_EVENT), NULL, 10);
	return res;
}

/* --- rows to leaves --------------------------------------------------------------- */

/* "2026-11-26 21:04:30.5+00", as DateStyle ISO and UTC give it. */
static int
read_moment(const char *s, usec_t *t)
{
	char text[TIME_SIZE];
	size_t len = strlen(s);
	int zoned;

	if (len < 22 || len >= sizeof(text) || s[10] != ' ' || strcmp(s + len - 3, "+00") != 0)
		return -1;
	(void)memcpy(text, s, len - 3);
	text[10] = 'T';
	(void)memcpy(text + len - 3, "Z", 2);
	return time_parse(text, t, &zoned);
}

static int
read_salt(const char *s, unsigned char salt[LEAF_SALT_SIZE])
{
	return strncmp(s, "\\x", 2) == 0 && strlen(s) == 2 + 2 * LEAF_SALT_SIZE &&
	    hex_decode(s + 2, salt, LEAF_SALT_SIZE) == 0 ? 0 : -1;
}

/* The leaf as it should be; -1 (logged): it cannot be. */
static int
make_leaf(const PGresult *res, int row, struct leaf *l, const unsigned char *salt, struct buf *opening)
{
	if (read_moment(PQgetvalue(res, row, C_AT), &l->at) == -1 ||
	    str_copy(l->kind, sizeof(l->kind), PQgetvalue(res, row, C_KIND)) == -1 ||
	    str_copy(l->actor, sizeof(l->actor), PQgetvalue(res, row, C_ACTOR)) == -1 ||
	    str_copy(l->submission, sizeof(l->submission), PQgetvalue(res, row, C_SUBMISSION)) == -1 ||
	    str_copy(l->notice, sizeof(l->notice), PQgetvalue(res, row, C_NOTICE)) == -1) {
		log_warnx("event %lld: a column of it cannot stand in a leaf", l->event);
		return -1;
	}
	return leaf_commit(l, PQgetvalue(res, row, C_DETAIL), salt, opening) == 0 && opening->len <= OPENING_MAX ? 0 : -1;
}

/* A column as it stands; of one that cannot be told its SHA-256. */
static void
add_raw(json_t *o, const char *name, const char *text)
{
	json_t *s = strlen(text) <= RAW_MAX ? json_string(text) : NULL;
	char hex[SHA256_HEX_SIZE], *key;
	struct hash h;

	if (s == NULL) {		/* too long, or no UTF-8 */
		hash_bytes(text, strlen(text), "", 0, &h);
		hex_encode(h.b, SHA256_SIZE, hex);
		key = xasprintf("%s-sha256", name);
		(void)json_object_set_new(o, key, json_string(hex));
		free(key);
	} else
		(void)json_object_set_new(o, name, s);
}

/* One event that nobody foresaw must not hold up all that come after it: its leaf says
 * that it could not be written, and is opened by what the database holds. */
static int
make_unreadable(const PGresult *res, int row, struct leaf *l, const unsigned char *salt, struct buf *opening)
{
	json_t *o = json_object();
	char *detail;
	int rc;

	log_alarm("trail: event %lld cannot be written as it is: its leaf is of the kind \"" LEAF_UNREADABLE "\", "
	    "what the database holds is in its opening", l->event);
	add_raw(o, "at", PQgetvalue(res, row, C_AT));
	add_raw(o, "kind", PQgetvalue(res, row, C_KIND));
	add_raw(o, "actor", PQgetvalue(res, row, C_ACTOR));
	add_raw(o, "detail", PQgetvalue(res, row, C_DETAIL));
	if ((detail = json_dumps(o, JSON_COMPACT)) == NULL)
		fatalx("trail: no memory");
	if (read_moment(PQgetvalue(res, row, C_AT), &l->at) == -1)
		l->at = 0;
	(void)str_copy(l->kind, sizeof(l->kind), LEAF_UNREADABLE);
	(void)str_copy(l->actor, sizeof(l->actor), "gateway");
	/* of the type uuid, or NULL */
	(void)str_copy(l->submission, sizeof(l->submission), PQgetvalue(res, row, C_SUBMISSION));
	(void)str_copy(l->notice, sizeof(l->notice), PQgetvalue(res, row, C_NOTICE));
	buf_reset(opening);
	rc = leaf_commit(l, detail, salt, opening);
	free(detail);
	json_decref(o);
	return rc;
}

static int
add_row(const PGresult *res, int row, uint64_t index, struct tile_writer *w, struct buf *text,
    struct buf *opening)
{
	struct leaf l = { .event = strtoll(PQgetvalue(res, row, C_EVENT), NULL, 10) };
	unsigned char salt[LEAF_SALT_SIZE];

	if (strtoull(PQgetvalue(res, row, C_INDEX), NULL, 10) != index) {
		log_alarm("trail: leaf %llu is missing in the database", (unsigned long long)index);
		return EVENTS_LEAF;
	}
	buf_reset(text);
	buf_reset(opening);
	/* a salt and a number that are none: somebody took the table's rules away */
	if (read_salt(PQgetvalue(res, row, C_SALT), salt) == -1 ||
	    (make_leaf(res, row, &l, salt, opening) == -1 && make_unreadable(res, row, &l, salt, opening) == -1)) {
		log_alarm("trail: event %lld cannot be written as a leaf", l.event);
		return EVENTS_LEAF;
	}
	leaf_text(&l, text);
	return tile_writer_add(w, text->data, text->len, opening->data, opening->len) == -1 ? EVENTS_TILES : 0;
}

int
events_put(const PGresult *res, uint64_t index, struct tile_writer *w)
{
	struct buf text = { 0 }, opening = { 0 };
	int row, rc = 0;

	for (row = 0; row < PQntuples(res) && rc == 0; row++)
		rc = add_row(res, row, index + (uint64_t)row, w, &text, &opening);
	buf_free(&text);
	buf_free(&opening);
	return rc;
}

int
events_add(struct db *db, uint64_t from, uint64_t to, struct tile_writer *w)
{
	char first[NUMBER_SIZE], end[NUMBER_SIZE];
	const char *params[] = { number(from, first), number(to, end) };
	PGresult *res;
	int rc;

	res = db_prepared(db, "trail_events", "SELECT l.leaf_index, " LEAF_COLUMNS "FROM muhur.trail_leaf l " LEAF_JOINS
	    "WHERE l.leaf_index >= $1::bigint AND l.leaf_index < $2::bigint ORDER BY l.leaf_index", 2, params);
	if (res == NULL)
		return -1;
	rc = events_put(res, from, w);
	if (rc == 0 && (uint64_t)PQntuples(res) != to - from) {
		log_alarm("trail: of the leaves %llu to %llu the database has %d",
		    (unsigned long long)from, (unsigned long long)to - 1, PQntuples(res));
		rc = EVENTS_LEAF;
	}
	PQclear(res);
	return rc;
}

/* --- checkpoints -------------------------------------------------------------------- */

#define RECORDED	"SELECT size, encode(root, 'hex'), signed_at FROM muhur.trail_checkpoint WHERE "

static int
recorded(struct db *db, const char *name, const char *sql, uint64_t bound, struct recorded *v, int max)
{
	char size[NUMBER_SIZE], most[NUMBER_SIZE];
	const char *params[] = { number(bound, size), number((uint64_t)max, most) };
	PGresult *res;
	int i, n;

	if ((res = db_prepared(db, name, sql, 2, params)) == NULL)
		return -1;
	n = PQntuples(res);
	for (i = 0; i < n; i++) {
		v[i].size = strtoull(PQgetvalue(res, i, 0), NULL, 10);
		if (hex_decode(PQgetvalue(res, i, 1), v[i].root.b, SHA256_SIZE) == -1 ||
		    read_moment(PQgetvalue(res, i, 2), &v[i].signed_at) == -1) {
			log_alarm("trail: the recorded checkpoint of size %s cannot be read", PQgetvalue(res, i, 0));
			n = -1;
		}
	}
	PQclear(res);
	return n;
}

int
recorded_from(struct db *db, uint64_t from, struct recorded *v, int max)
{
	return recorded(db, "trail_recorded", RECORDED "size >= $1::bigint ORDER BY size LIMIT $2::bigint", from, v, max);
}

int
recorded_newest(struct db *db, uint64_t after, struct recorded *v, int max)
{
	return recorded(db, "trail_newest", RECORDED "size > $1::bigint ORDER BY size DESC LIMIT $2::bigint", after, v, max);
}

int
recorded_add(struct db *db, const struct recorded *r)
{
	char size[NUMBER_SIZE], root[2 + SHA256_HEX_SIZE] = "\\x", at[TIME_SIZE];
	const char *params[] = { number(r->size, size), root, at };

	hex_encode(r->root.b, SHA256_SIZE, root + 2);
	time_format(r->signed_at, at);
	return db_prepared_exec(db, "trail_record", "INSERT INTO muhur.trail_checkpoint (size, root, signed_at) "
	    "VALUES ($1, $2::bytea, $3)", 3, params) == 1 ? 0 : -1;
}

int
contradiction_add(struct db *db, const char *origin, uint64_t size, const struct hash *root)
{
	char text[NUMBER_SIZE], hex[2 + SHA256_HEX_SIZE] = "\\x";
	const char *params[] = { origin, number(size, text), hex };

	hex_encode(root->b, SHA256_SIZE, hex + 2);
	return db_prepared_exec(db, "trail_contradict", "INSERT INTO muhur.trail_contradiction (origin, size, root) "
	    "VALUES ($1, $2, $3::bytea) ON CONFLICT DO NOTHING", 3, params) == -1 ? -1 : 0;
}

int
contradiction_find(struct db *db, const char *origin, uint64_t *size, struct hash *root)
{
	const char *params[] = { origin };
	PGresult *res;
	int n;

	res = db_prepared(db, "trail_contradicted", "SELECT t.size, encode(t.root, 'hex') FROM muhur.trail_contradiction t "
	    "WHERE t.origin = $1 AND NOT EXISTS (SELECT FROM muhur.trail_checkpoint c WHERE c.size = t.size AND c.root = t.root) "
	    "ORDER BY t.size DESC LIMIT 1", 1, params);
	if (res == NULL)
		return -1;
	if ((n = PQntuples(res)) == 1) {
		*size = strtoull(PQgetvalue(res, 0, 0), NULL, 10);
		if (hex_decode(PQgetvalue(res, 0, 1), root->b, SHA256_SIZE) == -1)
			n = -1;
	}
	PQclear(res);
	return n;
}
