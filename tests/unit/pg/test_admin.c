/* SPDX-License-Identifier: ISC */
/* db init and migrate against a real server; the queue; the transition table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/job.h"
#include "pg/admin.h"
#include "pg/copy.h"
#include "pg/migrate.h"
#include "pg/queue.h"
#include "pg/store.h"
#include "unit/pgtest.h"

static struct conf conf;

static void
write_owner_password(void)
{
	int	 dir = open(conf.secrets_dir, O_RDONLY | O_DIRECTORY);

	assert_int_not_equal(dir, -1);
	assert_int_equal(file_write_durable(dir, "muhur_owner.password", "x\n", 2, 0600), 0);
	close(dir);
}

static void
test_init_twice(void **state)
{
	struct migrations	 m = { 0 };
	struct db		 db = { 0 };
	struct stat		 st;
	char			*path;
	int			 first;

	(void)state;
	write_owner_password();
	assert_int_equal(admin_create(&conf), 0);
	assert_int_equal(admin_connect(&db, &conf), 0);
	first = migrations_apply(&db, &conf, NULL);
	assert_true(first >= 4);
	path = xasprintf("%s/muhur_load.password", conf.secrets_dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 65);
	free(path);

	assert_int_equal(admin_create(&conf), 0);
	assert_int_equal(migrations_apply(&db, &conf, NULL), 0);
	assert_int_equal(migrations_read(&m, &db, &conf), 0);
	assert_int_equal(m.n, (size_t)first);
	assert_int_equal(m.pending, 0);
	assert_int_equal(m.differing, 0);
	assert_int_equal(m.version, m.v[m.n - 1].number);
	migrations_free(&m);
	db_close(&db);
}

static void
test_changed_file(void **state)
{
	struct migrations	 m = { 0 };
	struct db		 db = { 0 };

	(void)state;
	assert_int_equal(admin_connect(&db, &conf), 0);
	assert_int_equal(db_exec(&db, "UPDATE muhur.schema_migration SET sha256 = "
	    "repeat('0', 64) WHERE number = 1", 0, NULL), 1);
	assert_int_equal(migrations_apply(&db, &conf, NULL), -1);
	assert_int_equal(migrations_read(&m, &db, &conf), 0);
	assert_int_equal(m.differing, 1);
	assert_int_equal(m.v[0].differs, 1);
	/* back to the file's own digest */
	const char *params[] = { m.v[0].sha256 };
	assert_int_equal(db_exec(&db, "UPDATE muhur.schema_migration SET sha256 = $1 "
	    "WHERE number = 1", 1, params), 1);
	migrations_free(&m);
	assert_int_equal(migrations_apply(&db, &conf, NULL), 0);
	db_close(&db);
}

/* Its recipient would be shown whatever the store holds by that name. */
#define SIGNED_NOTICE	"INSERT INTO muhur.notice (id, kind, recipient, file_name, issued_at, day," \
	" sha256) VALUES (gen_random_uuid(), 'Acknowledgement', 'PLA', 'x', now(), now(), 'x')"

/* No role but the owner alters, empties or deletes. */
static void
test_least_rights(void **state)
{
	static const char *const denied[][2] = {
		{ "muhur_load", "DELETE FROM muhur.balance" },
		{ "muhur_load", "UPDATE muhur.event SET kind = ''" },
		{ "muhur_load", "TRUNCATE muhur.balance" },
		{ "muhur_load", "SELECT FROM muhur.login_key" },
		{ "muhur_load", "SELECT FROM muhur.balance" },
		{ "muhur_load", "CREATE TABLE muhur.x ()" },
		{ "muhur_load", "UPDATE muhur.submission SET operator_decision = 'reject'" },
		{ "muhur_load", SIGNED_NOTICE },
		{ "muhur_reconcile", SIGNED_NOTICE },
		{ "muhur_directory", SIGNED_NOTICE },
		{ "muhur_directory", "SELECT FROM muhur.balance" },
		{ "muhur_directory", "UPDATE muhur.member SET state = 'active'" },
		{ "muhur_directory", "UPDATE muhur.submission SET sha256 = ''" },
		{ "muhur_reconcile", "UPDATE muhur.submission SET state = 'rejected'" },
		{ "muhur_reconcile", "DELETE FROM muhur.finding" },
		{ "muhur_admin", "UPDATE muhur.submission SET state = 'rejected'" },
		{ "muhur_admin", "DELETE FROM muhur.event" },
		{ "muhur_admin", "INSERT INTO muhur.submission_transition VALUES ('a','b','c')" },
	};
	struct db	 db;
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(denied) / sizeof(denied[0]); i++) {
		assert_int_equal(db_connect_role(&db, &conf, denied[i][0]), 0);
		assert_null(db_query(&db, "42501", denied[i][1], 0, NULL));
		assert_string_equal(db.sqlstate, "42501");	/* insufficient_privilege */
		db_close(&db);
	}
}

static void
test_transitions_are_the_models(void **state)
{
	struct db	 db;
	PGresult	*res;
	const char	*params[2];
	const char	*want;
	int		 s, e, next, count = 0;

	(void)state;
	assert_int_equal(db_connect_role(&db, &conf, "muhur_admin"), 0);
	for (s = 0; s < SUB_STATE_COUNT; s++) {
		for (e = 0; e < EV_COUNT; e++) {
			next = submission_next((enum submission_state)s, (enum submission_event)e);
			params[0] = submission_state_name((enum submission_state)s);
			params[1] = submission_event_name((enum submission_event)e);
			res = db_query_row(&db, "SELECT next FROM muhur.submission_transition "
			    "WHERE state = $1 AND event = $2", 2, params);
			want = next == SUB_STATE_COUNT ? NULL :
			    submission_state_name((enum submission_state)next);
			if (want == NULL) {
				assert_null(res);
				continue;
			}
			assert_non_null(res);
			assert_string_equal(PQgetvalue(res, 0, 0), want);
			PQclear(res);
			count++;
		}
	}
	res = db_query_row(&db, "SELECT count(*) FROM muhur.submission_transition", 0, NULL);
	assert_non_null(res);
	assert_int_equal(atoi(PQgetvalue(res, 0, 0)), count);
	PQclear(res);
	db_close(&db);
}

static long
waiting(struct db *db)
{
	PGresult	*res;
	long		 n;

	res = db_query_row(db, "SELECT count(*) FROM muhur.reconcile_job", 0, NULL);
	assert_non_null(res);
	n = atol(PQgetvalue(res, 0, 0));
	PQclear(res);
	return n;
}

/* What is queued while a run is on survives the run's end. */
static void
test_queue(void **state)
{
	const char	*begin = "BEGIN ISOLATION LEVEL REPEATABLE READ";
	struct queue_job job, other;
	struct db	 a, b, c;
	usec_t		 now = clock_now();
	date_t		 day;

	(void)state;
	assert_int_equal(date_parse("2026-11-20", &day), 0);
	assert_int_equal(db_connect_role(&a, &conf, "muhur_reconcile"), 0);
	assert_int_equal(db_connect_role(&b, &conf, "muhur_reconcile"), 0);
	assert_int_equal(db_connect_role(&c, &conf, "muhur_load"), 0);
	assert_int_equal(queue_add(&c, day, now + USEC_PER_SEC, "complete"), 0);
	assert_int_equal(queue_take(&a, now, &job), 0);		/* not due */
	assert_int_equal(queue_add(&c, day, now, "complete"), 0);

	assert_int_equal(db_exec(&a, begin, 0, NULL), 0);
	assert_int_equal(queue_take(&a, now + USEC_PER_SEC, &job), 1);
	assert_int_equal(job.business_date, day);
	assert_string_equal(job.cause, "complete");
	assert_int_equal(db_exec(&b, begin, 0, NULL), 0);
	assert_int_equal(queue_take(&b, now + USEC_PER_SEC, &other), 0);	/* the same day */
	assert_int_equal(db_commit(&b), 0);
	assert_int_equal(queue_add(&c, day, now, "correction"), 0);
	assert_int_equal(queue_done(&a, &job), 0);
	assert_int_equal(db_commit(&a), 0);

	assert_int_equal(waiting(&a), 1);
	assert_int_equal(db_exec(&b, begin, 0, NULL), 0);
	assert_int_equal(queue_take(&b, now, &other), 1);
	assert_string_equal(other.cause, "correction");
	assert_int_equal(queue_done(&b, &other), 0);
	assert_int_equal(db_commit(&b), 0);
	assert_int_equal(waiting(&a), 0);
	db_close(&a);
	db_close(&b);
	db_close(&c);
}

#define MANY	"20000000"	/* rows of 1 kB: more than half a minute, as many are sent */

static int
enough(void *arg, const PGresult *res)
{
	(void)res;
	return ++*(int *)arg == 3 ? -1 : 0;
}

static int
enough_text(void *arg, size_t which, const char *text, size_t len)
{
	assert_int_equal(which, 0);
	assert_int_equal(text[len - 1], '\n');
	return ++*(int *)arg == 3 ? -1 : 0;
}

/* Where nobody reads on, the query ends, and the connection is good for the next. */
static void
test_cancelled(void **state)
{
	struct db	 db = { 0 };
	usec_t		 since = clock_monotonic();
	int		 rows = 0;

	(void)state;
	assert_int_equal(admin_connect(&db, &conf), 0);
	assert_int_equal(db_copy_out(&(struct db *){ &db }, 1, &(const char *){ "COPY (SELECT repeat('x', 1000), "
	    "generate_series(1, " MANY ")) TO STDOUT" }, 1, enough_text, &rows), -1);
	assert_int_equal(rows, 3);
	rows = 0;
	assert_int_equal(db_exec(&db, "SELECT 1", 0, NULL), 1);
	assert_int_equal(db_each_row(&db, "SELECT repeat('x', 1000), generate_series(1, " MANY ")", 0,
	    NULL, enough, &rows), -1);
	assert_int_equal(rows, 3);
	assert_int_equal(db_exec(&db, "SELECT 1", 0, NULL), 1);
	assert_true(clock_monotonic() - since < 10 * USEC_PER_SEC);
	db_close(&db);
}

struct rows { long long sum[3]; size_t n[3]; };

static int
add_row(void *arg, size_t which, const char *text, size_t len)
{
	struct rows	*r = arg;

	assert_int_equal(text[len - 1], '\n');
	r->sum[which] += strtoll(text, NULL, 10);
	r->n[which]++;
	return 0;
}

/* Of several queries each is read whole, whichever connection takes it; where one
 * fails the others end early, and both connections are good for the next. */
static void
test_lanes(void **state)
{
	static const char *const good[] = { "COPY (SELECT generate_series(1, 100000)) TO STDOUT",
	    "COPY (SELECT generate_series(1, 3)) TO STDOUT", "COPY (SELECT 1 WHERE false) TO STDOUT" };
	static const char *const bad[] = { "COPY (SELECT repeat('x', 1000), generate_series(1, " MANY ")) TO STDOUT",
	    "COPY (SELECT 1 / (3 - generate_series(1, 3))) TO STDOUT", "COPY (SELECT 1) TO STDOUT" };
	static const char *const lost[] = { "COPY (SELECT repeat('x', 1000), generate_series(1, " MANY ")) TO STDOUT",
	    "COPY (SELECT pg_terminate_backend(pg_backend_pid())) TO STDOUT", "COPY (SELECT 1) TO STDOUT" };
	struct db	 a = { 0 }, b = { 0 }, *both[] = { &a, &b };
	struct rows	 r = { 0 };
	usec_t		 since = clock_monotonic();
	size_t		 lanes;

	(void)state;
	assert_int_equal(admin_connect(&a, &conf), 0);
	assert_int_equal(admin_connect(&b, &conf), 0);
	for (lanes = 1; lanes <= 2; lanes++) {
		memset(&r, 0, sizeof(r));
		assert_int_equal(db_copy_out(both, lanes, good, 3, add_row, &r), 0);
		assert_true(r.n[0] == 100000 && r.sum[0] == 5000050000 && r.n[1] == 3 && r.sum[1] == 6 && r.n[2] == 0);
		assert_int_equal(db_copy_out(both, lanes, good, 0, add_row, &r), 0);
	}
	memset(&r, 0, sizeof(r));
	assert_int_equal(db_copy_out(both, 2, bad, 3, add_row, &r), -1);
	assert_int_equal(r.n[2], 0);
	assert_int_equal(db_exec(&a, "SELECT 1", 0, NULL), 1);
	assert_int_equal(db_exec(&b, "SELECT 1", 0, NULL), 1);
	assert_int_equal(db_copy_out(both, 2, lost, 3, add_row, &r), -1);
	assert_int_equal(db_exec(&a, "SELECT 1", 0, NULL), 1);
	assert_false(db_ok(&b));
	assert_int_equal(db_copy_out(&both[1], 1, good, 3, add_row, &r), -1);
	assert_true(clock_monotonic() - since < 10 * USEC_PER_SEC);
	db_close(&a);
	db_close(&b);
}

struct cut { struct db *db; int how; };

static int
cut_off(void *arg, size_t which, const char *text, size_t len)
{
	struct cut	*c = arg;

	(void)which;
	(void)text;
	(void)len;
	if (c->db->conn != NULL && db_ok(c->db))
		(void)shutdown(PQsocket(c->db->conn), c->how);
	return 0;
}

/* The server is gone without a word, in the middle of the rows ... */
static void
test_cut_off(void **state)
{
	static const char *const sql[] = { "COPY (SELECT repeat('x', 1000), generate_series(1, " MANY ")) TO STDOUT",
	    "COPY (SELECT 1) TO STDOUT" };
	static const char *const slow[] = { "COPY (SELECT generate_series(1, 3)) TO STDOUT", "COPY (SELECT pg_sleep(60)) TO STDOUT" };
	static const int how[] = { SHUT_RD, SHUT_RDWR };
	struct db	 a = { 0 }, b = { 0 }, *both[] = { &a, &b };
	struct cut	 c = { .db = &a };
	size_t		 i;

	(void)state;
	(void)alarm(60);
	for (i = 0; i < 2; i++) {
		c.how = how[i];
		assert_int_equal(admin_connect(&a, &conf), 0);
		assert_int_equal(admin_connect(&b, &conf), 0);
		assert_int_equal(db_copy_out(both, i + 1, sql, i + 1, cut_off, &c), -1);
		assert_false(db_ok(&a));
		assert_int_equal(db_exec(&b, "SELECT 1", 0, NULL), 1);
		db_close(&a);
		db_close(&b);
	}
	/* ... or before the first of them */
	assert_int_equal(admin_connect(&a, &conf), 0);
	assert_int_equal(admin_connect(&b, &conf), 0);
	c.db = &b;
	assert_int_equal(db_copy_out(both, 2, slow, 2, cut_off, &c), -1);
	assert_false(db_ok(&b));
	assert_int_equal(db_exec(&a, "SELECT 1", 0, NULL), 1);
	db_close(&a);
	db_close(&b);
	(void)alarm(0);
}

static void
test_split(void **state)
{
	struct db_field	 f[3];

	(void)state;
	assert_int_equal(db_split("a\t\tbc\n", 6, f, 3), 0);
	assert_true(f[0].len == 1 && f[1].len == 0 && f[2].len == 2 && memcmp(f[2].text, "bc", 2) == 0);
	assert_int_equal(db_split("a\t\t", 3, f, 3), 0);
	assert_int_equal(f[2].len, 0);
	assert_int_equal(db_split("a\tb\n", 4, f, 3), -1);
	assert_int_equal(db_split("a\tb\tc\td\n", 8, f, 3), -1);
	assert_int_equal(db_split("", 0, f, 1), 0);
	assert_int_equal(db_split("", 0, f, 2), -1);
}

int
main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init_twice),
		cmocka_unit_test(test_changed_file),
		cmocka_unit_test(test_least_rights),
		cmocka_unit_test(test_transitions_are_the_models),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_lanes),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_split),
	};

	(void)argc;
	pgtest_begin(argv);
	log_init("test_admin", LOG_COMMAND, 0);
	clock_init(0);
	pgtest_conf(&conf);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
