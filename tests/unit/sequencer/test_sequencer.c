/* SPDX-License-Identifier: ISC */
/* Events become the log; what must not happen to it: another database's leaves, two at
 * once, another key; what may: its files are lost, its connection is. */
#include "unit/sequencer/log.h"

static char here[8192];
static struct note_verifier *verifier;

static void
work(const char *where)
{
	struct log l;

	log_open(&l, where);
	assert_int_equal(log_until(&l, done), 0);
	log_close(&l);
}

static int
trail_of(const char *where)
{
	int fd = open_folder(where, "trail");

	assert_int_not_equal(fd, -1);
	return fd;
}

static uint64_t
whole(const char *where)
{
	int fd = trail_of(where);
	uint64_t size = assert_whole(fd, verifier);

	close(fd);
	return size;
}

static void
opening_of(uint64_t index, struct buf *out)
{
	char path[TILE_PATH_SIZE], *file, *data, *line;
	uint64_t i;
	size_t len;

	tile_number(index / TILE_WIDTH, path);
	file = xasprintf("%s/openings/%s", here, path);
	assert_int_equal(file_read_all(file, OPENINGS_MAX, &data, &len), 0);
	for (line = data, i = index % TILE_WIDTH; i > 0; i--)
		line = strchr(line, '\n') + 1;
	(void)buf_append(out, line, strcspn(line, "\n"));
	free(data);
	free(file);
}

/* That leaf tells that event, as one that could not be written, and its opening opens it. */
static void
assert_unreadable(int trail, uint64_t index, long long event)
{
	struct tiles *t = tiles_open(trail, index + 1);
	struct buf opening = { 0 }, detail = { 0 };
	const char *text, *why;
	struct leaf l;
	size_t len;

	assert_int_equal(tiles_entry(t, index, &text, &len), 0);
	assert_int_equal(leaf_parse(text, len, &l, &why), 0);
	assert_string_equal(l.kind, LEAF_UNREADABLE);
	assert_string_equal(l.actor, "gateway");
	assert_string_equal(l.submission, "11111111-1111-4111-8111-111111111111");
	assert_int_equal(l.event, event);
	opening_of(index, &opening);
	assert_true(opening.len <= OPENING_MAX);
	assert_int_equal(leaf_opens(&l, opening.data, opening.len, &detail), 1);
	assert_non_null(strstr(detail.data, "\"actor\":\"operator\",\"at\":\"2026-11-26 10:00:00+00\",\"detail"));
	assert_non_null(strstr(detail.data, "\"kind\":\"x\"}"));
	buf_free(&opening);
	buf_free(&detail);
	tiles_close(t);
}

static void
test_rights(void **state)
{
	static const char *const denied[][2] = {
		{ "muhur_sequencer", "UPDATE muhur.event SET kind = 'x'" },
		{ "muhur_sequencer", "INSERT INTO muhur.event (at, kind, actor) VALUES (now(), 'x', 'x')" },
		{ "muhur_sequencer", "SELECT file_name FROM muhur.submission" },
		{ "muhur_sequencer", "SELECT sha256 FROM muhur.notice" },
		{ "muhur_sequencer", "SELECT FROM muhur.member" },
		{ "muhur_sequencer", "INSERT INTO muhur.trail_queue VALUES (1)" },
		{ "muhur_sequencer", "UPDATE muhur.trail_leaf SET event = 0" },
		{ "muhur_sequencer", "DELETE FROM muhur.trail_leaf" },
		{ "muhur_sequencer", "UPDATE muhur.trail_checkpoint SET root = ''" },
		{ "muhur_sequencer", "DELETE FROM muhur.trail_contradiction" },
		{ "muhur_load", "SELECT FROM muhur.trail_queue" },
		{ "muhur_load", "INSERT INTO muhur.trail_leaf VALUES (0, 0)" },
		{ "muhur_directory", "DELETE FROM muhur.trail_queue" },
		{ "muhur_reconcile", "UPDATE muhur.trail_state SET why = NULL" },
		{ "muhur_admin", "DELETE FROM muhur.trail_queue" },
		{ "muhur_admin", "INSERT INTO muhur.trail_checkpoint VALUES (1, sha256(''), now())" },
	};
	struct db db;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(denied) / sizeof(denied[0]); i++) {
		assert_int_equal(db_connect_role(&db, &conf, denied[i][0]), 0);
		if (db_query(&db, "42501", denied[i][1], 0, NULL) != NULL)
			fail_msg("%s: %s", denied[i][0], denied[i][1]);
		assert_string_equal(db.sqlstate, "42501");	/* insufficient_privilege */
		db_close(&db);
	}
}

/* What the program itself must not write is no event. */
static void
test_constraints(void **state)
{
	static const char *const refused[] = {
		"'x', 'operator', '[1]'", "'x', 'operator', '\"s\"'",
		"'X', 'operator', '{}'", "'', 'operator', '{}'", "'x', 'two words', '{}'", "'x', '', '{}'",
	};
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		(void)snprintf(text, sizeof(text), "INSERT INTO muhur.event (at, kind, actor, detail) VALUES (now(), %s)", refused[i]);
		if (db_query(&owner, "23514", text, 0, NULL) != NULL)
			fail_msg("%s", text);
	}
	sql("INSERT INTO muhur.event (at, kind, actor, detail) VALUES (now(), 'x', 'operator', "
	    "'{\"a\": \"1.5 \\\" 12345678901234567\", \"n\": -123456789012345, \"t\": true, \"z\": null}')");
}

/* What a leaf cannot hold holds up nothing: it becomes a leaf that says so, and what is
 * around it is as it would be. */
static void
test_unreadable(void **state)
{
	static const char *const odd[] = {
		"'{\"n\": 1.5}'", "'{\"a\": [{\"n\": -0.5}]}'", "'{\"n\": 123456789012345678901234567890}'", "'{\"n\": 1e300}'",
		"(repeat('{\"a\":', 40) || '1' || repeat('}', 40))::jsonb", "jsonb_build_object('a', repeat('\"', 600000))",
		"jsonb_build_object('a', repeat('x', 3000000))",
	};
	const size_t n = sizeof(odd) / sizeof(odd[0]);
	char query[512];
	uint64_t before;
	int trail;
	size_t i;

	(void)state;
	add_events(1);
	work(here);
	before = whole(here);
	for (i = 0; i < n; i++) {
		sql("INSERT INTO muhur.event (at, kind, actor, submission, detail) SELECT '2026-11-26 10:00:00+00', 'x', 'operator',"
		    " max(no), %s FROM muhur.submission", odd[i]);
		add_events(1);
	}
	work(here);
	trail = trail_of(here);
	for (i = 0; i < n; i++) {
		(void)snprintf(query, sizeof(query), "SELECT event FROM muhur.trail_leaf WHERE leaf_index = %llu",
		    (unsigned long long)before + 2 * i);
		assert_unreadable(trail, before + 2 * i, count(query));
	}
	close(trail);
	/* the same again from the database */
	shell("mv %s/trail %s/trail.then && mkdir %s/trail", here, here, here);
	work(here);
	shell("cmp %s/trail/checkpoint %s/trail.then/checkpoint && rm -r %s/trail.then", here, here, here);
	shell("rm -r %s", here);	/* later tests count on leaves that are as usual */
	sql("DELETE FROM muhur.trail_leaf; DELETE FROM muhur.trail_checkpoint; ALTER TABLE muhur.event DISABLE TRIGGER USER;"
	    "DELETE FROM muhur.event WHERE kind = 'x'; ALTER TABLE muhur.event ENABLE TRIGGER USER;"
	    "INSERT INTO muhur.trail_queue SELECT no FROM muhur.event");
}

static void
test_numbers(void **state)
{
	struct db late = { 0 };
	struct log l;
	long long first;

	(void)state;
	assert_int_equal(count("SELECT count(*) FROM muhur.trail_queue"), count("SELECT count(*) FROM muhur.event"));
	log_open(&l, here);
	assert_int_equal(log_until(&l, done), 0);
	(void)whole(here);
	assert_int_equal(count("SELECT count(*) FROM muhur.trail_queue"), 0);

	/* one that got its number of an event earlier, and is committed later */
	assert_int_equal(db_connect_role(&late, &conf, "muhur_load"), 0);
	assert_int_equal(db_begin(&late), 0);
	assert_int_equal(store_event(&late, clock_now(), "late", "gateway", 0, 0, "{\"n\":1}"), 0);
	add_events(300);
	assert_int_equal(log_until(&l, done), 0);
	first = (long long)whole(here);
	assert_int_equal(db_commit(&late), 0);
	db_close(&late);
	assert_int_equal(log_until(&l, done), 0);
	assert_int_equal(whole(here), first + 1);
	assert_int_equal(count("SELECT count(*) FROM muhur.trail_leaf l JOIN muhur.event e ON e.no = l.event "
	    "WHERE e.kind = 'late' AND l.leaf_index = (SELECT max(leaf_index) FROM muhur.trail_leaf)"), 1);

	/* it is looked for before each checkpoint, not in each second: that would step over all
	 * that was numbered since the last backup began */
	assert_int_equal(db_connect_role(&late, &conf, "muhur_load"), 0);
	assert_int_equal(db_begin(&late), 0);
	assert_int_equal(store_event(&late, clock_now(), "late", "gateway", 0, 0, "{}"), 0);
	add_events(1);
	l.s.next_look = 0;
	l.s.next_checkpoint = clock_monotonic() + 3600 * USEC_PER_SEC;
	assert_int_equal(sequencer_step(&l.s), 0);
	assert_int_equal(db_commit(&late), 0);
	db_close(&late);
	l.s.next_look = 0;
	assert_int_equal(sequencer_step(&l.s), 0);
	assert_int_equal(count("SELECT count(*) FROM muhur.trail_queue"), 1);
	l.s.next_look = l.s.next_checkpoint = 0;
	assert_int_equal(sequencer_step(&l.s), 0);
	assert_int_equal(l.s.published, first + 3);
	assert_int_equal(count("SELECT count(*) FROM muhur.trail_queue"), 0);

	/* its session is ended by the server */
	sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'muhur_sequencer'");
	add_events(10);
	assert_int_equal(log_until(&l, done), 0);
	assert_int_equal(whole(here), first + 13);
	log_close(&l);
}

/* A bound of what is looked at must not make it pass over anything: more than a batch. */
static void
test_backlog(void **state)
{
	(void)state;
	add_events(EVENTS_BATCH + EVENTS_BATCH / 2);
	work(here);
	assert_true(whole(here) > EVENTS_BATCH);
}

/* While one batch is written the next one is asked for; nothing is lost where the
 * process, or the connection, ends just then. */
static void
test_ahead(void **state)
{
	struct log l;
	int i, asked, end;

	(void)state;
	add_events(6 * EVENTS_BATCH);
	for (end = 0; end < 3; end++) {
		log_open(&l, here);
		assert_int_equal(log_until(&l, works), 0);
		for (i = asked = 0; i < 2; i++) {
			l.s.next_look = 0;
			l.s.next_checkpoint = clock_monotonic() + 3600 * USEC_PER_SEC;
			assert_int_equal(sequencer_step(&l.s), 1);
			asked += l.s.asked;
		}
		assert_int_equal(asked, 2);
		if (end == 1)	/* the server ends it, and it goes on */
			sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'muhur_sequencer'");
		if (end > 0)
			assert_int_equal(log_until(&l, done), 0);
		log_close(&l);
		if (end == 1)
			add_events(3 * EVENTS_BATCH);
	}
	(void)whole(here);
}

static void
test_quiet(void **state)
{
	struct log l;
	long long n = count("SELECT count(*) FROM muhur.trail_checkpoint");
	int i;

	(void)state;
	log_open(&l, here);
	assert_int_equal(log_until(&l, done), 0);
	for (i = 0; i < 5; i++) {
		l.s.next_look = l.s.next_checkpoint = 0;
		assert_int_equal(sequencer_step(&l.s), 0);
	}
	assert_int_equal(count("SELECT count(*) FROM muhur.trail_checkpoint"), n);
	/* not before the interval is over */
	add_events(1);
	l.s.next_look = 0;
	l.s.next_checkpoint = clock_monotonic() + 3600 * USEC_PER_SEC;
	(void)sequencer_step(&l.s);
	assert_int_equal(count("SELECT count(*) FROM muhur.trail_queue"), 0);
	assert_int_equal(count("SELECT count(*) FROM muhur.trail_checkpoint"), n);
	assert_int_equal(log_until(&l, done), 0);
	log_close(&l);
}

static void
test_one_works(void **state)
{
	char elsewhere[9000];
	struct log a, b, c;

	(void)state;
	(void)snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", folder);
	log_open(&a, here);
	log_open(&b, here);		/* the same folder */
	log_open(&c, elsewhere);	/* a folder of its own: the database's lock */
	assert_int_equal(log_until(&a, done), 0);
	assert_int_equal(log_until(&b, waits), 0);
	assert_int_equal(log_until(&c, waits), 0);
	add_events(20);
	assert_int_equal(log_until(&b, waits), 0);
	assert_int_equal(count("SELECT count(*) FROM muhur.trail_queue"), 20);
	assert_int_equal(log_until(&a, done), 0);
	log_close(&a);
	add_events(20);
	assert_int_equal(log_until(&b, done), 0);
	(void)whole(here);
	log_close(&b);
	/* it never had a log: the same one, from the database */
	assert_int_equal(log_until(&c, done), 0);
	log_close(&c);
	assert_int_equal(whole(elsewhere), whole(here));
	shell("cmp %s/trail/checkpoint %s/trail/checkpoint && diff -r %s/openings %s/openings && rm -r %s",
	    here, elsewhere, here, elsewhere, elsewhere);
}

#define KEEP(table, where) "CREATE TABLE public." table " AS SELECT * FROM muhur." table " WHERE " where ";" \
	"DELETE FROM muhur." table " WHERE " where ";"
#define PUT_BACK(table) "INSERT INTO muhur." table " SELECT * FROM public." table "; DROP TABLE public." table ";"

/* Until it met trouble with its folder. */
static void
meet_trouble(struct log *l)
{
	int i;

	l->s.next_alarm = 0;
	for (i = 0; i < STEPS_MAX && l->s.next_alarm == 0; i++) {
		l->s.next_look = l->s.next_checkpoint = 0;
		(void)sequencer_step(&l->s);
		usleep(1000);
	}
	assert_true(l->s.next_alarm > 0);
	assert_int_equal(l->s.state, SEQUENCER_WAITS);
}

/* Trouble that is one gateway's alone, with its folder or its key: another one goes on. */
static void
test_lets_go(void **state)
{
	char elsewhere[9000], *right = key;
	size_t right_len = key_len;
	struct log a, b;

	(void)state;
	(void)snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", folder);
	log_open(&a, here);
	log_open(&b, elsewhere);
	assert_int_equal(log_until(&a, done), 0);
	assert_int_equal(log_until(&b, waits), 0);
	shell("cd %s/trail && mv tile tile.then && touch tile", here);
	add_events(3);
	meet_trouble(&a);
	assert_int_equal(log_until(&b, done), 0);
	assert_int_equal(log_until(&a, waits), 0);
	log_close(&b);
	meet_trouble(&a);
	shell("cd %s/trail && rm tile && mv tile.then tile", here);
	assert_int_equal(log_until(&a, done), 0);
	(void)whole(here);
	log_close(&a);
	key = xstrdup("-----BEGIN PRIVATE KEY-----\n");
	key_len = strlen(key);
	log_open(&a, here);
	refused_for(&a, "must be an Ed25519 private key");
	assert_int_equal(count("SELECT count(*) FROM muhur.trail_state WHERE why LIKE '%Ed25519%'"), 1);
	free(key);
	key = right;
	key_len = right_len;
	log_open(&b, elsewhere);
	assert_int_equal(log_until(&b, done), 0);
	assert_int_equal(log_until(&a, waits), 0);
	assert_int_equal(count("SELECT count(*) FROM muhur.trail_state WHERE why IS NULL"), 1);
	log_close(&b);
	log_close(&a);
	shell("rm -r %s", elsewhere);
}

/* --- files that are lost ------------------------------------------------------------- */

static void
test_lost(void **state)
{
	static const char *const lost[] = { "trail/tile", "trail/tile/0", "trail/tile/entries", "openings", "trail",
	    "trail openings" };
	char before[9000];
	struct log l;
	size_t i;

	(void)state;
	(void)snprintf(before, sizeof(before), "%s/before", folder);
	for (i = 0; i < sizeof(lost) / sizeof(lost[0]); i++) {
		shell("rm -rf %s && cp -a %s %s && cd %s && rm -r %s", before, here, before, here, lost[i]);
		work(here);
		(void)whole(here);
		/* but for narrower partial tiles, which nobody needs */
		shell("cmp %s/trail/checkpoint %s/trail/checkpoint && ! diff -r %s/trail/tile %s/trail/tile | "
		    "grep -v '^Only in %s' && diff -r %s/openings %s/openings", here, before, here, before, before, here, before);
	}
	/* an older copy of the folder: it catches up */
	add_events(700);
	work(here);
	shell("rm -rf %s/now && mv %s %s/now && mv %s %s", folder, here, folder, before, here);
	work(here);
	(void)whole(here);
	shell("cmp %s/trail/checkpoint %s/now/trail/checkpoint && rm -r %s/now", here, folder, folder);
	/* made again, it must meet what is recorded: an event was changed meanwhile */
	sql("CREATE TABLE public.kept AS SELECT e.* FROM muhur.event e JOIN muhur.trail_leaf l ON l.event = e.no"
	    " WHERE l.leaf_index = 5; UPDATE muhur.event e SET detail = '{}' FROM public.kept k WHERE e.no = k.no");
	shell("cp -a %s %s && rm -r %s/trail/tile", here, before, here);
	log_open(&l, here);
	refused_for(&l, "are not those that the checkpoint");
	log_close(&l);
	/* what proves it stands: no tile was written over before a root was met, however many leaves
	 * come before the first that is recorded */
	shell("rm -r %s/trail && cp -a %s/trail %s && cd %s/trail/tile/entries && rm -r *.p && rm -r %s && cp -a %s %s",
	    here, before, here, here, before, here, before);
	sql(KEEP("trail_checkpoint", "size < (SELECT max(size) FROM muhur.trail_checkpoint)"));
	log_open(&l, here);
	refused_for(&l, "are not those that the checkpoint");
	log_close(&l);
	shell("diff -r %s/trail %s/trail && diff -r %s/openings %s/openings", here, before, here, before);
	sql("UPDATE muhur.event e SET detail = k.detail FROM public.kept k WHERE e.no = k.no; DROP TABLE public.kept;"
	    PUT_BACK("trail_checkpoint"));
	work(here);
	(void)whole(here);
	shell("rm -r %s", before);
}

/* What is no loss is trouble that passes: nothing is made again. */
static void
test_unreadable_tiles(void **state)
{
	struct log l;

	(void)state;
	log_open(&l, here);
	shell("mv %s/trail/tile %s/trail/tile.then && touch %s/trail/tile", here, here, here);
	meet_trouble(&l);
	assert_int_equal(l.s.made_again, 0);
	shell("cd %s/trail && rm tile && mv tile.then tile", here);
	assert_int_equal(log_until(&l, done), 0);
	assert_int_equal(l.s.begin, l.s.published);
	log_close(&l);
}

/* --- a database of yesterday ------------------------------------------------------------- */

static void
test_restored(void **state)
{
	struct log l;
	long long size = (long long)whole(here);
	char *before = NULL, *after = NULL, *path = xasprintf("%s/trail/checkpoint", here);
	size_t blen, alen;
	PGresult *res;

	(void)state;
	assert_int_equal(file_read_all(path, 4096, &before, &blen), 0);
	/* the last leaves and their checkpoint are not there; new events are */
	sql(KEEP("trail_leaf", "leaf_index >= %lld") KEEP("trail_checkpoint", "size > %lld"), size - 5, size - 5, size - 5, size - 5);
	add_events(3);
	log_open(&l, here);
	refused_for(&l, "restored from an earlier copy");
	assert_int_equal(count("SELECT count(*) FROM muhur.trail_queue"), 3);
	assert_int_equal(count("SELECT count(*) FROM muhur.trail_state WHERE refused_since IS NOT NULL AND why LIKE '%earlier copy%'"), 1);
	/* the newest file alone was put back, too, or is lost: the kept ones say what was shown, even
	 * where the clock was wrong once and a lesser one lies in a later day */
	shell("mv %s %s.then && mkdir %s/trail/checkpoints/2099-01-01 && touch %s/trail/checkpoints/2099-01-01/7",
	    path, path, here, here);
	l.s.state = SEQUENCER_WAITS;
	refused_for(&l, "restored from an earlier copy");
	assert_int_equal(count("SELECT count(*) FROM muhur.trail_queue"), 3);
	shell("mv %s.then %s && rm -r %s/trail/checkpoints/2099-01-01", path, path, here);
	/* as large as it was, by other leaves: what another gateway numbered since */
	sql("INSERT INTO muhur.trail_leaf SELECT %lld + i, 1000000 + i FROM generate_series(0, 9) i", size - 5);
	l.s.state = SEQUENCER_WAITS;
	refused_for(&l, "is not recorded in the database");
	sql("INSERT INTO muhur.trail_checkpoint VALUES (%lld, sha256('other'), now())", size);
	l.s.state = SEQUENCER_WAITS;
	refused_for(&l, "with another root");
	assert_int_equal(file_read_all(path, 4096, &after, &alen), 0);
	assert_int_equal(alen, blen);
	assert_memory_equal(before, after, blen);
	/* it keeps the lock: nobody else begins a second log of this name */
	assert_non_null(res = db_query_row(&owner, "SELECT pg_try_advisory_lock(hashtext('muhur.trail'), 0)", 0, NULL));
	assert_string_equal(PQgetvalue(res, 0, 0), "f");
	PQclear(res);
	/* the right copy after all: it goes on without being started again */
	sql("DELETE FROM muhur.trail_leaf WHERE leaf_index >= %lld; DELETE FROM muhur.trail_checkpoint WHERE size = %lld;"
	    PUT_BACK("trail_leaf") PUT_BACK("trail_checkpoint"), size - 5, size);
	assert_int_equal(log_until(&l, done), 0);
	log_close(&l);
	assert_int_equal(whole(here), size + 3);
	assert_int_equal(count("SELECT count(*) FROM muhur.trail_state WHERE refused_since IS NULL AND why IS NULL"), 1);
	free(before);
	free(after);
	free(path);
}

static void
test_keys(void **state)
{
	struct log l;
	char *right = key, *origin = conf.trail_origin, other[] = "other.example/trail";
	size_t right_len = key_len;

	(void)state;
	key = NULL;
	make_key("other.key");
	log_open(&l, here);
	refused_for(&l, "not one of trail_key and trail_origin");
	log_close(&l);
	free(key);
	key = xstrdup("-----BEGIN PRIVATE KEY-----\n");
	key_len = strlen(key);
	log_open(&l, here);
	refused_for(&l, "must be an Ed25519 private key");
	log_close(&l);
	free(key);
	key = right;
	key_len = right_len;
	conf.trail_origin = other;
	log_open(&l, here);
	refused_for(&l, "not one of trail_key and trail_origin");
	log_close(&l);
	conf.trail_origin = origin;
	shell("echo x >>%s/trail/checkpoint", here);
	log_open(&l, here);
	refused_for(&l, "not one of trail_key and trail_origin");
	shell("sed -i '$d' %s/trail/checkpoint", here);
	assert_int_equal(log_until(&l, done), 0);
	log_close(&l);
	(void)whole(here);
}

static void
look(struct stamps *st, int trail)
{
	st->next_look = 0;
	assert_int_equal(stamps_look(st, &owner, &conf, trail), 0);
}

static void
test_stamps(void **state)
{
	char url[] = "http://127.0.0.1:1/";
	struct stamps st = { 0 }, anew = { 0 };
	int trail = trail_of(here);
	long long size, before;

	(void)state;
	add_events(1);
	work(here);
	size = count("SELECT max(size) FROM muhur.trail_checkpoint");
	before = count("SELECT max(size) FROM muhur.trail_checkpoint WHERE size < (SELECT max(size) FROM muhur.trail_checkpoint)");
	/* nobody is asked, so nothing is missing */
	conf.trail_stamp_alarm = -1;
	look(&st, trail);
	assert_int_equal(st.next_alarm, 0);
	conf.tsa_url = url;
	look(&st, trail);
	assert_int_equal(st.size, 0);
	assert_true(st.next_alarm > 0);		/* told */
	/* the one before the last is stamped; a file that is none is passed over */
	shell("cd %s/trail/checkpoints && f=$(find . -name %lld) && touch $f.tsr && touch $f.tsr.tmp && touch 9.tsr", here, before);
	look(&st, trail);
	assert_int_equal(st.size, before);
	assert_true(st.unstamped_since > 0 && st.next_alarm > 0);
	/* the last one is young enough */
	conf.trail_stamp_alarm = 3600;
	look(&st, trail);
	assert_true(st.unstamped_since > 0);
	assert_int_equal(st.next_alarm, 0);
	shell("cd %s/trail/checkpoints && f=$(find . -name %lld) && touch $f.tsr", here, size);
	look(&st, trail);
	assert_int_equal(st.size, size);
	assert_int_equal(st.unstamped_since, 0);
	/* as after a restart; and where a later day has a lesser one, since the clock was wrong once */
	look(&anew, trail);
	assert_int_equal(anew.size, size);
	shell("cd %s/trail/checkpoints && mkdir 2099-01-01 && touch 2099-01-01/7 2099-01-01/7.tsr", here);
	anew.looked = 0;
	look(&anew, trail);
	assert_int_equal(anew.size, size);
	look(&st, trail);
	assert_int_equal(st.size, size);
	shell("rm -r %s/trail/checkpoints/2099-01-01 && find %s/trail/checkpoints -name '*.tsr*' -delete", here, here);
	conf.tsa_url = NULL;
	close(trail);
}

int
main(int argc, char *argv[])
{
	static char origin[] = "test.example/trail";
	struct buf vkey = { 0 };
	struct note_signer *signer;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_constraints),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_backlog),
		cmocka_unit_test(test_ahead),
		cmocka_unit_test(test_quiet),
		cmocka_unit_test(test_one_works),
		cmocka_unit_test(test_lets_go),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_unreadable_tiles),
		cmocka_unit_test(test_restored),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_stamps),
	};
	int rc;

	(void)argc;
	pgtest_begin(argv);
	log_init("test_sequencer", LOG_COMMAND, 0);
	clock_init(0);
	pgtest_conf(&conf);
	conf.trail_origin = origin;
	conf.trail_checkpoint_interval = 10;
	conf.trail_stamp_alarm = 3600;
	(void)snprintf(folder, sizeof(folder), "%s", conf.secrets_dir);
	(void)snprintf(here, sizeof(here), "%s/gateway", folder);
	install();
	make_key("trail.key");
	signer = note_signer_new(origin, key, key_len);
	note_signer_public(signer, &vkey);
	verifier = note_verifier_new(xstrndup(vkey.data, vkey.len));
	note_signer_free(signer);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	db_close(&owner);
	return rc;
}
