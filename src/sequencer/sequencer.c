/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "sequencer/published.h"
#include "sequencer/sequencer.h"
#include "sequencer/trouble.h"

#define COMPARE_TIME	(3600 * USEC_PER_SEC)	/* standing by; years of checkpoints/ are listed for it */
#define REPORT_TIME	(30 * USEC_PER_SEC)	/* a sign of life in trail_state */
#define VKEY_MAX	1024

/* One for all gateways of a database; the number is of no meaning. */
#define LOCK_SQL	"SELECT pg_try_advisory_lock(hashtext('muhur.trail'), 0)"

void
sequencer_init(struct sequencer *s, const struct conf *conf, const char *password,
    const char *key, size_t key_len, int trail, int openings)
{
	struct buf vkey = { 0 };

	memset(s, 0, sizeof(*s));
	s->conf = conf;
	s->trail = trail;
	s->openings = openings;
	link_init(&s->link, conf, "muhur_sequencer", password, events_setup);
	if ((s->signer = note_signer_new(conf->trail_origin, key, key_len)) == NULL)
		return;
	note_signer_public(s->signer, &vkey);
	s->vkey = xstrndup(vkey.data, vkey.len);
	buf_free(&vkey);
	s->verifier = note_verifier_new(s->vkey);
}

void
sequencer_close(struct sequencer *s)
{
	drop_writer(s);
	db_close(&s->link.db);
	free(s->link.password);
	note_signer_free(s->signer);
	note_verifier_free(s->verifier);
	free(s->vkey);
}

/* --- taking up the work -------------------------------------------------------------- */

/* Both locks, tried again each second: 1, 0 another one works, -1. */
static int
take_locks(struct sequencer *s)
{
	PGresult *res;
	int got;

	if (flock(s->trail, LOCK_EX | LOCK_NB) == -1) {
		if (errno == EWOULDBLOCK)
			return 0;
		log_warn("trail: lock of the folder");
		return -1;
	}
	if ((res = db_prepared(&s->link.db, "trail_lock", LOCK_SQL, 0, NULL)) == NULL)
		return -1;
	got = PQgetvalue(res, 0, 0)[0] == 't';
	PQclear(res);
	return got;
}

/* The verifier's key lies beside what it verifies. */
static int
show_key(struct sequencer *s)
{
	char *line = xasprintf("%s\n", s->vkey), *old = NULL;
	int fd = open_beneath(s->trail, "key", O_RDONLY, 0), rc = 0;
	size_t len;

	if (fd == -1 || fd_read_all(fd, VKEY_MAX, &old, &len) == -1 || strcmp(old, line) != 0)
		rc = file_write_durable(s->trail, "key", line, strlen(line), 0644);
	if (rc == -1)
		log_warn("trail: key");
	if (fd != -1)
		(void)close(fd);
	free(old);
	free(line);
	return rc;
}

/* Are they lost, or not what was written?  All else is trouble that passes. */
static int
open_published(struct sequencer *s, const struct checkpoint *c, int *lost)
{
	struct hash root;

	s->writer = tile_writer_new(s->trail, s->openings, c->size);
	*lost = s->writer == NULL && (errno == ENOENT || errno == EBADMSG || errno == EFBIG);
	if (s->writer == NULL)
		return -1;
	frontier_root(tile_writer_tree(s->writer), &root);
	if (c->size == 0 || memcmp(root.b, c->root.b, SHA256_SIZE) == 0)
		return 0;
	*lost = 1;
	drop_writer(s);
	return -1;
}

/* Behind what is published; from the start where the tiles are not what they should
 * be: the database has every leaf, and knows the roots.  shown: the most that ever was.
 * 0, or -1: the folder. */
static int
open_writer(struct sequencer *s, const struct checkpoint *c, uint64_t shown)
{
	int lost;

	s->begin = c->size;
	s->tries = 0;
	if (open_published(s, c, &lost) == -1) {
		if (!lost)
			return -1;
		if (!s->made_again)
			log_alarm("trail: the tiles do not meet the published checkpoint: they are made again from "
			    "the database");
		s->made_again = 1;
		s->begin = 0;
		if ((s->writer = tile_writer_new(s->trail, s->openings, 0)) == NULL)
			return -1;
	}
	if (s->begin < shown) {
		s->tries = 1;
		tile_writer_try(s->writer);
	}
	return 0;
}

/* The leaves gave every root: now they are written. */
static int
begin_writing(struct sequencer *s)
{
	drop_writer(s);
	s->tries = 0;
	if ((s->writer = tile_writer_new(s->trail, s->openings, s->begin)) != NULL)
		return 1;
	folder_trouble(s);
	return 0;
}

/* The other one may know less than what this one has published: its database was
 * restored, and this one's folder was not. */
static void
stand_by(struct sequencer *s)
{
	struct checkpoint c, kept;
	usec_t now = clock_monotonic();

	if (!s->stands_by)
		log_info("trail: another one works; this one stands by");
	s->stands_by = 1;
	if (now >= s->next_compare)
		s->next_compare = now + (is_one_log(s, &c, &kept) ? COMPARE_TIME : ALARM_TIME);
	/* whatever it refuses for: the other one tells how it stands */
	s->refused_since = 0;
	s->state = SEQUENCER_WAITS;
	s->next_look = now + LOOK_TIME;
}

static void
take_up(struct sequencer *s)
{
	struct checkpoint c, kept;
	int rc = take_locks(s);

	s->next_look = clock_monotonic() + LOOK_TIME;
	if (rc == 0) {
		stand_by(s);
		return;
	}
	s->stands_by = 0;
	if (rc == -1)
		database_trouble(s);
	if (rc == -1 || !is_one_log(s, &c, &kept))
		return;
	if (open_writer(s, &c, kept.size > c.size ? kept.size : c.size) == -1 || show_key(s) == -1) {
		folder_trouble(s);
		return;
	}
	s->published = c.size;
	s->state = SEQUENCER_FOLLOWS;
	s->next_look = 0;
	log_info("trail: %llu leaves are published, this one goes on", (unsigned long long)c.size);
}

/* --- checkpoints -------------------------------------------------------------------------- */

/* It is recorded.  -1: the folder. */
static int
publish(struct sequencer *s, const struct recorded *r)
{
	struct checkpoint c = { .size = r->size, .root = r->root };
	struct buf note = { 0 };
	int rc = -1;

	(void)str_copy(c.origin, sizeof(c.origin), s->conf->trail_origin);
	if (tile_writer_flush(s->writer) == 0 && checkpoint_sign(&c, s->signer, &note) == 0 &&
	    tiles_publish(s->trail, &c, note.data, note.len, r->signed_at) == 0)
		rc = 0;
	buf_free(&note);
	if (rc == -1) {
		folder_trouble(s);
		return -1;
	}
	s->published = r->size;
	log_debug("trail: checkpoint of %llu leaves", (unsigned long long)r->size);
	return 0;
}

static void
make_checkpoint(struct sequencer *s)
{
	const struct frontier *tree = tile_writer_tree(s->writer);
	struct recorded r = { .size = tree->size, .signed_at = clock_now() };

	s->next_checkpoint = clock_monotonic() + s->conf->trail_checkpoint_interval * USEC_PER_SEC;
	frontier_root(tree, &r.root);
	if (recorded_add(&s->link.db, &r) == -1)
		database_trouble(s);
	else
		(void)publish(s, &r);
}

/* --- growing ---------------------------------------------------------------------------------- */

/* The tree has just the size of a recorded checkpoint.  The last one is published
 * where that was not done; those before it lie in checkpoints/, or are lost with it. */
static int
meet(struct sequencer *s, const struct recorded *r, int last)
{
	struct hash root;

	frontier_root(tile_writer_tree(s->writer), &root);
	if (memcmp(root.b, r->root.b, SHA256_SIZE) != 0) {
		refuse(s, "the events of the database are not those that the checkpoint of %llu leaves was made of",
		    (unsigned long long)r->size);
		return -1;
	}
	return last && !s->tries && s->published < r->size ? publish(s, r) : 0;
}

/* After events_add or events_put, which returned result. */
static int
added(struct sequencer *s, int result)
{
	switch (result) {
	case 0:
		return 0;
	case EVENTS_TILES:
		folder_trouble(s);
		return -1;
	case EVENTS_LEAF:
		refuse(s, "a leaf of the database cannot be written; the log says which");
		return -1;
	default:
		database_trouble(s);
		return -1;
	}
}

/* The tiles have every leaf that has a number.  Those that were made again are in their
 * place before anything new is. */
static int
begin_work(struct sequencer *s)
{
	if (tile_writer_flush(s->writer) == -1) {
		folder_trouble(s);
		return 0;
	}
	s->state = SEQUENCER_WORKS;
	s->made_again = 0;
	s->refused_since = 0;
	s->why[0] = '\0';
	s->next_whole = 0;
	s->next_report = 0;
	return 1;
}

/* A batch of what the database numbered before; 1: and there is more. */
static int
follow(struct sequencer *s)
{
	uint64_t size = tile_writer_tree(s->writer)->size, count, to;
	struct recorded r[2];
	int n;

	if (events_count(&s->link.db, &count) == -1 || (n = recorded_from(&s->link.db, size + 1, r, 2)) == -1) {
		database_trouble(s);
		return 0;
	}
	if (s->tries && (n == 0 || size == count))
		return begin_writing(s);
	if (size == count)
		return begin_work(s);
	to = n > 0 ? r[0].size : count;
	if (to - size > EVENTS_BATCH)
		to = size + EVENTS_BATCH;
	if (added(s, events_add(&s->link.db, size, to, s->writer)) == -1)
		return 0;
	return n == 0 || to < r[0].size || meet(s, &r[0], n == 1) == 0;
}

/* Is there something to show, and is it time? */
static int
checkpoint_due(const struct sequencer *s)
{
	return tile_writer_tree(s->writer)->size > s->published && clock_monotonic() >= s->next_checkpoint;
}

/* Events are committed out of order: once in an interval, and before each checkpoint, those
 * that came late are looked for as well. */
static int
ask(struct sequencer *s)
{
	usec_t now = clock_monotonic();

	if (now >= s->next_whole || checkpoint_due(s)) {
		s->least = 0;
		s->next_whole = now + s->conf->trail_checkpoint_interval * USEC_PER_SEC;
	}
	return events_ask(&s->link.db, s->least);
}

/* In a backlog the server is at the next batch while this one is written; not where a
 * checkpoint is due, which needs the connection.  1: there is more. */
static int
work(struct sequencer *s)
{
	PGresult *res;
	long n = 0;
	int rc = s->asked ? 1 : is_uncontradicted(s);

	if (rc == 0)
		return 0;
	if (rc == -1 || (!s->asked && ask(s) == -1)) {
		database_trouble(s);
		return 0;
	}
	s->asked = 0;
	if ((res = events_take(&s->link.db, &n, &s->least)) == NULL) {
		database_trouble(s);
		return 0;
	}
	if (n == EVENTS_BATCH && clock_monotonic() < s->next_checkpoint)
		s->asked = events_ask(&s->link.db, s->least) == 0;
	rc = added(s, events_put(res, tile_writer_tree(s->writer)->size, s->writer));
	PQclear(res);
	if (rc == -1)
		return 0;
	if (!s->asked && checkpoint_due(s))
		make_checkpoint(s);
	return s->state == SEQUENCER_WORKS && n == EVENTS_BATCH;
}

/* --- the loop's part ----------------------------------------------------------------------------- */

static const char *
moment(usec_t t, char buf[TIME_SIZE])
{
	if (t == 0)
		return NULL;
	time_format(t, buf);
	return buf;
}

/* How it stands, for `muhur status'; by who has the lock alone. */
static void
report(struct sequencer *s)
{
	char now[TIME_SIZE], since[TIME_SIZE], unstamped[TIME_SIZE], size[24];
	const char *params[] = { now, moment(s->refused_since, since), s->refused_since == 0 ? NULL : s->why,
	    s->stamps.size == 0 ? NULL : size, moment(s->stamps.unstamped_since, unstamped) };

	if (clock_monotonic() < s->next_report)
		return;
	s->next_report = clock_monotonic() + REPORT_TIME;
	time_format(clock_now(), now);
	(void)snprintf(size, sizeof(size), "%llu", (unsigned long long)s->stamps.size);
	if (db_prepared_exec(&s->link.db, "trail_report", "UPDATE muhur.trail_state SET seen_at = $1, refused_since = $2, "
	    "why = $3, stamped_size = $4::bigint, stamped_at = (SELECT c.signed_at FROM muhur.trail_checkpoint c "
	    "WHERE c.size = $4::bigint), unstamped_since = $5", 5, params) == -1)
		database_trouble(s);
}

int
sequencer_step(struct sequencer *s)
{
	int more = 0;

	if (!link_up(&s->link)) {
		drop_writer(s);
		s->state = SEQUENCER_WAITS;
		s->next_look = 0;
		return 0;
	}
	if (s->connect != s->link.connects) {	/* the lock went with the old connection */
		s->lets_go = 0;
		begin_again(s, 0);
		s->next_compare = 0;
		s->connect = s->link.connects;
	}
	if (clock_monotonic() < s->next_look)
		return 0;
	if (s->state == SEQUENCER_WAITS || s->state == SEQUENCER_REFUSES)
		take_up(s);
	else if (s->state == SEQUENCER_FOLLOWS)
		more = follow(s);
	else
		more = work(s);
	if (s->state == SEQUENCER_FOLLOWS)
		more = 1;
	if (s->state == SEQUENCER_WORKS) {
		s->next_look = more ? 0 : clock_monotonic() + LOOK_TIME;
		if (!s->asked && stamps_look(&s->stamps, &s->link.db, s->conf, s->trail) == -1)
			database_trouble(s);
	}
	if (s->state != SEQUENCER_WAITS && !s->asked && link_up(&s->link))
		report(s);
	if (s->lets_go && link_up(&s->link))
		let_go(s);
	return more;
}

int
sequencer_timeout(const struct sequencer *s)
{
	usec_t left = (s->next_look - clock_monotonic() + 999) / 1000;
	int limit = left < 0 ? 0 : (int)left;

	return s->link.db.conn == NULL ? link_timeout(&s->link, (int)(LOOK_TIME / 1000)) : limit;
}
