/* SPDX-License-Identifier: ISC */
/*
 * The sequencer is killed at every step: before each question to the database and
 * before each call that changes a file, which is after the one before it.  The next one must make of what is left
 * the log that it would have been: the same bytes of every leaf, opening, checkpoint.
 */
#include "unit/sequencer/log.h"

#include <sys/wait.h>

#include <signal.h>

#define FIRST	100	/* leaves of before */
#define MORE	200	/* a whole tile and a partial one */

static int until_death;		/* calls until the process is killed; 0 it lives */

static void
step(void)
{
	if (until_death > 0 && --until_death == 0)
		(void)kill(getpid(), SIGKILL);
}

/* The linker sends calls of the code under test through here (--wrap). */
#define WRAP(type, name, params, args)			\
	type __real_##name params;			\
	type __wrap_##name params;			\
	type						\
	__wrap_##name params				\
	{						\
		step();					\
		return __real_##name args;		\
	}

WRAP(PGresult *, PQexecPrepared, (PGconn *conn, const char *name, int n, const char *const *values,
    const int *lengths, const int *formats, int format), (conn, name, n, values, lengths, formats, format))
WRAP(int, PQsendQueryPrepared, (PGconn *conn, const char *name, int n, const char *const *values,
    const int *lengths, const int *formats, int format), (conn, name, n, values, lengths, formats, format))
WRAP(PGresult *, PQgetResult, (PGconn *conn), (conn))
WRAP(int, renameat, (int from, const char *old, int to, const char *new), (from, old, to, new))
WRAP(int, unlinkat, (int dir, const char *name, int flags), (dir, name, flags))
WRAP(int, mkdirat, (int dir, const char *name, mode_t mode), (dir, name, mode))
WRAP(int, write_full, (int fd, const void *p, size_t n), (fd, p, n))

/* A killed process loses nothing that it wrote; the power is not cut here. */
int __wrap_fsync(int fd);
int
__wrap_fsync(int fd)
{
	(void)fd;
	step();
	return 0;
}

static int
all_published(const struct sequencer *s)
{
	return s->state == SEQUENCER_WORKS && s->published == FIRST + MORE;
}

/* In a process of its own, killed at its nth step: 1 where it came to its end. */
static int
run(const char *where, int nth)
{
	struct log l;
	pid_t pid;
	int status;

	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		log_open(&l, where);
		until_death = nth;
		if (log_until(&l, all_published) == -1)
			_exit(1);
		until_death = 0;
		log_close(&l);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGKILL);
		return 0;
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	return 1;
}

/* As it was with the first leaves, the rest in the queue. */
static void
go_back(const char *where)
{
	/* the killed one's session may live a moment longer */
	while (count("SELECT count(*) FROM pg_stat_activity WHERE usename = 'muhur_sequencer'") > 0)
		usleep(1000);
	sql("DELETE FROM muhur.trail_leaf WHERE leaf_index >= %d; DELETE FROM muhur.trail_checkpoint WHERE size > %d;"
	    "DELETE FROM muhur.trail_queue; INSERT INTO muhur.trail_queue SELECT e.no FROM muhur.event e"
	    " WHERE NOT EXISTS (SELECT FROM muhur.trail_leaf l WHERE l.event = e.no)", FIRST, FIRST);
	shell("rm -rf %s && cp -a %s/base %s", where, folder, where);
}

/* Each file that a reader of this size needs is the same, whatever else is left. */
static void
assert_same(const char *where, const char *reference, int nth)
{
	char command[16384];

	(void)snprintf(command, sizeof(command), "cd %s && find trail openings -type f | sort | while read -r f; do "
	    "cmp \"$f\" %s/\"$f\" || exit 1; done", reference, where);
	if (system(command) != 0)
		fail_msg("killed at its step %d, what came of it is another log", nth);
}

static void
test_kill(void **state)
{
	char where[8192], reference[8192];
	int nth;

	(void)state;
	(void)snprintf(where, sizeof(where), "%s/killed", folder);
	(void)snprintf(reference, sizeof(reference), "%s/reference", folder);
	go_back(reference);
	assert_int_equal(run(reference, 0), 1);
	/* the checkpoint of before stays where it is */
	shell("test $(find %s/trail/checkpoints -type f | wc -l) = 2", reference);
	for (nth = 1;; nth++) {
		go_back(where);
		if (run(where, nth) == 1)
			break;
		assert_int_equal(run(where, 0), 1);
		assert_same(where, reference, nth);
		assert_int_equal(count("SELECT count(*) FROM muhur.trail_leaf l WHERE l.leaf_index <>"
		    " (SELECT count(*) FROM muhur.event e WHERE e.no < l.event)"), 0);
		/* or killed again while it takes up the work */
		if (nth % 7 == 0) {
			go_back(where);
			assert_int_equal(run(where, nth), 0);
			(void)run(where, nth / 2);
			assert_int_equal(run(where, 0), 1);
			assert_same(where, reference, nth);
		}
	}
	assert_true(nth > 40);	/* it has that many steps at least: the calls are caught */
	print_message("killed at %d steps\n", nth - 1);
}

int
main(int argc, char *argv[])
{
	static char origin[] = "test.example/trail";
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_kill) };
	struct log l;
	char base[8192];
	int rc;

	(void)argc;
	pgtest_begin(argv);
	log_init("test_kill", LOG_COMMAND, 0);
	clock_init(0);
	pgtest_conf(&conf);
	conf.trail_origin = origin;
	conf.trail_checkpoint_interval = 10;
	(void)snprintf(folder, sizeof(folder), "%s", conf.secrets_dir);
	(void)snprintf(base, sizeof(base), "%s/base", folder);
	install();
	make_key("trail.key");
	add_events(FIRST - 1);	/* one is there */
	log_open(&l, base);
	if (log_until(&l, done) == -1)
		return 1;
	log_close(&l);
	add_events(MORE);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	db_close(&owner);
	return rc;
}
