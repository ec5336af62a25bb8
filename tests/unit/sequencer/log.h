/* SPDX-License-Identifier: ISC */
/*
 * What the sequencer's tests share: a database that an earlier release made and
 * this one migrated, a folder with a log in it, and looking at both.
 */
#ifndef MUHUR_TESTS_SEQUENCER_LOG_H
#define MUHUR_TESTS_SEQUENCER_LOG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "pg/store.h"
#include "sequencer/sequencer.h"
#include "trail/leaf.h"
#include "unit/pgtest.h"

#define STEPS_MAX	2000

static struct conf conf;
static struct db owner;
static char folder[4096], *key;
static size_t key_len;

static inline void
shell(const char *fmt, ...)
{
	char command[8192];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	if (system(command) != 0)
		fail_msg("%s", command);
}

static inline void
sql(const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	assert_int_equal(db_script(&owner, "test", text), 0);
}

static inline long long
count(const char *query)
{
	PGresult *res = db_query_row(&owner, query, 0, NULL);
	long long n;

	assert_non_null(res);
	n = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	return n;
}

/* As an earlier release left it: no login role of ours, no migration from 015 on, an
 * event of then.  Now what `muhur db migrate' does. */
static inline void
install(void)
{
	char *now = conf.schema_dir, then[4096];

	(void)snprintf(then, sizeof(then), "%s/then", conf.secrets_dir);
	shell("mkdir -p %s/sql && cp %s/sql/00?-*.sql %s/sql/01[0-4]-*.sql %s/sql/", then, now, now, then);
	conf.schema_dir = then;
	pgtest_install(&conf);
	conf.schema_dir = now;
	assert_int_equal(admin_connect(&owner, &conf), 0);
	sql("REVOKE ALL ON DATABASE muhur FROM muhur_sequencer; DROP ROLE muhur_sequencer;"
	    "INSERT INTO muhur.event (at, kind, actor) VALUES (now(), 'login', 'PLA001')");
	shell("rm %s/muhur_sequencer.password", conf.secrets_dir);
	assert_int_equal(admin_create(&conf), 0);
	assert_true(migrations_apply(&owner, &conf, NULL) > 0);
	sql("INSERT INTO muhur.member (code, name, kind, created_at) VALUES ('PLA', 'A', 'platform', now());"
	    "INSERT INTO muhur.submission (id, uploader, member_code, file_name, size, received_at)"
	    " VALUES ('11111111-1111-4111-8111-111111111111', 'PLA001', 'PLA', 'a.xml', 1, now())");
}

static inline void
make_key(const char *name)
{
	char *path = xasprintf("%s/%s", conf.secrets_dir, name);

	shell("openssl genpkey -algorithm ed25519 -out %s", path);
	free(key);
	assert_int_equal(file_read_all(path, 65536, &key, &key_len), 0);
	free(path);
}

static inline void
add_events(int n)
{
	sql("INSERT INTO muhur.event (at, kind, actor, submission, detail) SELECT '2026-11-26 10:00:00.5+00'::timestamptz"
	    " + i * interval '1 second', CASE WHEN i %% 2 = 0 THEN 'received' ELSE 'accepted' END, 'PLA001',"
	    " (SELECT max(no) FROM muhur.submission), jsonb_build_object('file', 'a \"' || i || '\" ç.xml', 'sha256',"
	    " encode(sha256(i::text::bytea), 'hex')) FROM generate_series(1, %d) i", n);
}

/* --- a sequencer and its folder --------------------------------------------------- */

struct log { struct sequencer s; int trail, openings; };

static inline int
open_folder(const char *where, const char *name)
{
	char *path = xasprintf("%s/%s", where, name);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	free(path);
	return fd;
}

static inline void
log_open(struct log *l, const char *where)
{
	shell("mkdir -p %s/trail %s/openings", where, where);
	assert_int_not_equal(l->trail = open_folder(where, "trail"), -1);
	assert_int_not_equal(l->openings = open_folder(where, "openings"), -1);
	sequencer_init(&l->s, &conf, "x", key, key_len, l->trail, l->openings);
}

static inline void
log_close(struct log *l)
{
	sequencer_close(&l->s);
	close(l->trail);
	close(l->openings);
}

/* Step until it stands so.  0, or -1 after a number of steps. */
static inline int
log_until(struct log *l, int (*there)(const struct sequencer *))
{
	int i;

	for (i = 0; i < STEPS_MAX; i++) {
		if (there(&l->s))
			return 0;
		l->s.next_look = l->s.next_checkpoint = l->s.next_whole = 0;
		(void)sequencer_step(&l->s);
		/* until it tries again, or the server has given up the lock of who is gone */
		if (l->s.link.db.conn == NULL || l->s.state == SEQUENCER_WAITS)
			usleep(10000);
	}
	return -1;
}

static inline int
refuses(const struct sequencer *s)
{
	return s->state == SEQUENCER_REFUSES;
}

static inline int
waits(const struct sequencer *s)
{
	return s->state == SEQUENCER_WAITS && s->stands_by;
}

static inline int
works(const struct sequencer *s)
{
	return s->state == SEQUENCER_WORKS;
}

/* Every event is in a published checkpoint. */
static inline int
done(const struct sequencer *s)
{
	return s->state == SEQUENCER_WORKS &&
	    (long long)s->published == count("SELECT count(*) FROM muhur.event");
}

static inline void
refused_for(struct log *l, const char *why)
{
	assert_int_equal(log_until(l, refuses), 0);
	if (strstr(l->s.why, why) == NULL)
		fail_msg("it refuses for \"%s\" and not for \"%s\"", l->s.why, why);
}

/* --- what is published ------------------------------------------------------------- */

static inline void
read_checkpoint(int trail, const struct note_verifier *v, struct checkpoint *c)
{
	struct buf note = { 0 };
	const char *why;

	assert_int_equal(tiles_checkpoint(trail, 0, &note), 0);
	assert_int_equal(checkpoint_open(note.data, note.len, v, c, &why), 0);
	buf_free(&note);
}

/* Each leaf is the event that the database gave the number, opens, and the tree
 * over them is the one that was signed and recorded.  Its size. */
static inline uint64_t
assert_whole(int trail, const struct note_verifier *v)
{
	struct frontier f = { 0 };
	struct checkpoint c;
	struct recorded r;
	struct tiles *t;
	struct leaf leaf;
	struct hash h;
	const char *text, *why;
	PGresult *res;
	size_t len;
	uint64_t i;

	read_checkpoint(trail, v, &c);
	assert_non_null(res = db_query(&owner, NULL, "SELECT event FROM muhur.trail_leaf ORDER BY leaf_index", 0, NULL));
	assert_int_equal(PQntuples(res), c.size);
	t = tiles_open(trail, c.size);
	for (i = 0; i < c.size; i++) {
		assert_int_equal(tiles_entry(t, i, &text, &len), 0);
		assert_int_equal(leaf_parse(text, len, &leaf, &why), 0);
		assert_int_equal(leaf.event, strtoll(PQgetvalue(res, (int)i, 0), NULL, 10));
		merkle_leaf(text, len, &h);
		frontier_append(&f, &h);
	}
	tiles_close(t);
	PQclear(res);
	frontier_root(&f, &h);
	assert_memory_equal(h.b, c.root.b, SHA256_SIZE);
	assert_int_equal(recorded_from(&owner, c.size, &r, 1), 1);
	assert_int_equal(r.size, c.size);
	assert_memory_equal(r.root.b, c.root.b, SHA256_SIZE);
	return c.size;
}

#endif
