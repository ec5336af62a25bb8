/* SPDX-License-Identifier: ISC */
/*
 * The real muhurd, in its sandbox, with a stand-in for every role program:
 * documents that kill what works on them, children that die, stopping.
 * MUHURD and FAKE_CHILD are the programs' paths (from the build).
 */
#include "config.h"

#include "muhurd/helper.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <time.h>

#include "base/fdio.h"
#include "msg/proto.h"
#include "muhurd/pair.h"
#include "muhurd/proc.h"

#define SHA	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

struct gateway_run {
	struct world	*world;
	pid_t		 pid;
	char		 log[PATH_MAX];
};

static void
doze(void)
{
	static const struct timespec t = { .tv_nsec = 20 * 1000 * 1000 };

	(void)nanosleep(&t, NULL);
}

/* condition becomes true within seconds, or the test fails. */
#define WAIT_FOR(condition, seconds) do {			\
	time_t end_ = time(NULL) + (seconds) + 1;		\
	while (!(condition) && time(NULL) <= end_)		\
		doze();						\
	assert_true(condition);					\
} while (0)

static char *
log_text(const struct gateway_run *g)
{
	char *text = NULL;
	size_t len;

	if (file_read_all(g->log, 1 << 20, &text, &len) == -1)
		return xstrdup("");
	return text;
}

static int
logged(const struct gateway_run *g, const char *what)
{
	char *text = log_text(g);
	int found = strstr(text, what) != NULL;

	free(text);
	return found;
}

/* The pid in "<role>[<pid>] <what>", the last such line; 0 none. */
static pid_t
logged_pid(const struct gateway_run *g, const char *role, const char *what)
{
	char *text = log_text(g), *p, *end;
	long pid = 0, n;
	size_t len = strlen(role);

	for (p = text; (p = strstr(p, role)) != NULL; p += len) {
		if (p[len] != '[')
			continue;
		n = strtol(p + len + 1, &end, 10);
		if (strncmp(end, "] ", 2) == 0 && strncmp(end + 2, what, strlen(what)) == 0)
			pid = n;
	}
	free(text);
	return (pid_t)pid;
}

static void
write_world_with(struct world *w, const char *settings)
{
	static const char *const files[] = { "key", "cert", "trust", "crl", "host",
	    "secrets/muhur_load.password", "secrets/muhur_directory.password",
	    "secrets/muhur_reconcile.password", "secrets/identity.key" };
	static const char *const dirs[] = { "secrets", "schemas", "schemas/xml",
	    "schemas/rules", "libexec" };
	static const char *const programs[] = { "sftp", "verify", "load", "reconcile",
	    "signer", "archive", "sequencer" };
	char name[64], *text;
	size_t i;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		assert_int_equal(mkdirat(w->tree.state, dirs[i], 0755), 0);
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		make_file(w->tree.state, files[i], "x");
	for (i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		(void)snprintf(name, sizeof(name), "libexec/muhur-%s", programs[i]);
		assert_int_equal(symlinkat(FAKE_CHILD, w->tree.state, name), 0);
	}
	text = xasprintf("%s%s", settings,
	    "state_dir = \".\"\nlibexec_dir = \"libexec\"\nschema_dir = \"schemas\"\n"
	    "secrets_dir = \"secrets\"\nlog_file = \"log\"\npid_file = \"pid\"\n"
	    "listen_address = \"127.0.0.1\"\nlisten_port = 0\nhost_key = \"host\"\n"
	    "trust_anchors = \"trust\"\ncrl_file = \"crl\"\nsigning_key = \"key\"\n"
	    "signing_cert = \"cert\"\nworkers = 2\n");
	make_file(w->tree.state, "muhur.conf", text);
	free(text);
}

static void
write_world(struct world *w)
{
	write_world_with(w, "");
}

static void
start(struct gateway_run *g, struct world *w)
{
	char conf[PATH_MAX];
	int fd;

	memset(g, 0, sizeof(*g));
	g->world = w;
	(void)snprintf(conf, sizeof(conf), "%s/muhur.conf", w->path);
	(void)snprintf(g->log, sizeof(g->log), "%s/log", w->path);
	assert_int_not_equal(g->pid = fork(), -1);
	if (g->pid != 0)
		return;
	/* LeakSanitizer does not live under seccomp */
	(void)setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
	fd = open(g->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	(void)dup2(fd, STDERR_FILENO);
	(void)dup2(fd, STDIN_FILENO);	/* nothing that children are to have */
	(void)execl(MUHURD, "muhurd", "-f", "-v", "-c", conf, (char *)NULL);
	_exit(127);
}

/* Exit status, or -1 where it does not end within seconds (then killed). */
static int
ended(struct gateway_run *g, int seconds)
{
	time_t end = time(NULL) + seconds + 1;
	int status;
	pid_t pid;

	while ((pid = waitpid(g->pid, &status, WNOHANG)) == 0 && time(NULL) <= end)
		doze();
	if (pid == g->pid)
		return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	(void)kill(g->pid, SIGKILL);
	(void)waitpid(g->pid, &status, 0);
	return -1;
}

static struct m_submission
spooled(struct world *w, const char *name, const char *text)
{
	struct m_submission m = submission("PLA001");
	char path[400];

	(void)snprintf(path, sizeof(path), "%s.%s", m.id, m.user);
	assert_int_equal(mkdirat(w->tree.received, path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s.%s/%s", m.id, m.user, name);
	make_file(w->tree.received, path, text);
	return m;
}

static int
held(struct world *w, const struct m_submission *m)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "held/%s", m->id);
	return there(w->tree.store, path);
}

/* What was in the spool goes on; what kills its processes gets one more try
 * alone, is held, and goes when the operator says so. */
static void
documents(void **state)
{
	struct world *w = *state;
	struct m_submission crash, load, broken, again;
	struct gateway_run g;

	write_world(w);
	crash = spooled(w, "crash.xml", "kills verify");
	(void)spooled(w, "good.xml", "good");
	load = spooled(w, "loadcrash.xml", "kills load");
	broken = spooled(w, "broken.xml", "makes verify answer for another");
	again = spooled(w, "again.xml", "nothing can be decided at first");
	start(&g, w);
	WAIT_FOR(there(w->tree.state, "port"), 20);
	WAIT_FOR(there(w->tree.store, "aa/" SHA), 20);
	WAIT_FOR(held(w, &again), 20);	/* its row was asked for once more */
	WAIT_FOR(held(w, &crash) && held(w, &load) && held(w, &broken), 30);
	WAIT_FOR(count(w->tree.received) == 0, 5);
	assert_string_equal(content(w->tree.store, "aa/" SHA), "good");
	assert_true(logged(&g, "input is /dev/null, the configuration is closed"));
	assert_true(logged(&g, "one more try alone"));
	assert_true(logged(&g, "held for the operator"));
	assert_true(logged(&g, "broke the protocol"));
	/* one stand-in does not end by itself: 5 seconds, then force */
	assert_int_equal(kill(g.pid, SIGTERM), 0);
	assert_int_equal(ended(&g, 8), 0);
	assert_false(there(w->tree.state, "port"));
}

static void
time_for_a_document(void **state)
{
	(void)state;
	assert_int_equal(pair_time(60, 0), 60 * USEC_PER_SEC);
	assert_int_equal(pair_time(60, 1024 * 1024), 61 * USEC_PER_SEC);
	assert_int_equal(pair_time(60, INT64_C(1) << 42), (60 + (1 << 22)) * USEC_PER_SEC);
}

/* What stands still at its work does not hold the gateway: one more try alone,
 * then held; a load worker that stands still as well is replaced. */
static void
standstill(void **state)
{
	struct world *w = *state;
	struct m_submission stop;
	struct gateway_run g;

	write_world_with(w, "document_timeout = 1\n");
	stop = spooled(w, "stop.xml", "verify stops");
	(void)spooled(w, "stopboth.xml", "load stops as well");
	start(&g, w);
	WAIT_FOR(logged(&g, "took too long: killed"), 20);
	(void)spooled(w, "good.xml", "good");
	WAIT_FOR(logged(&g, "does not answer: killed"), 10);
	WAIT_FOR(held(w, &stop), 30);
	assert_true(logged(&g, "one more try alone"));
	assert_true(there(w->tree.state, "port"));
	assert_int_equal(kill(g.pid, SIGTERM), 0);
	assert_int_equal(ended(&g, 8), 0);
	/* it waits for another try, not for the operator */
	assert_int_equal(count(w->tree.received), 2);
}

/* A child that dies comes again, later each time; a second muhurd does not
 * start beside the first; new revocation lists renew the pool. */
static void
deaths(void **state)
{
	struct world *w = *state;
	struct gateway_run g, second;
	pid_t first, verify;

	write_world(w);
	start(&g, w);
	WAIT_FOR(there(w->tree.state, "port"), 20);
	first = logged_pid(&g, "signer", "is ready");
	assert_int_not_equal(first, 0);
	assert_int_equal(kill(first, SIGKILL), 0);
	WAIT_FOR(logged_pid(&g, "signer", "is ready") != first, 10);
	assert_true(logged(&g, "signer: starting again in 5"));	/* 500 ms */
	first = logged_pid(&g, "signer", "is ready");
	assert_int_equal(kill(first, SIGKILL), 0);
	WAIT_FOR(logged_pid(&g, "signer", "is ready") != first, 10);
	assert_true(logged(&g, "signer: starting again in 1"));	/* 1000 ms, or 999 */
	assert_true(there(w->tree.state, "port"));

	start(&second, w);
	assert_int_equal(ended(&second, 10), 3);
	assert_true(logged(&g, "another muhurd works there"));

	verify = logged_pid(&g, "verify", "is ready");
	assert_int_equal(kill(g.pid, SIGHUP), 0);
	WAIT_FOR(logged_pid(&g, "verify", "is ready") != verify, 10);
	WAIT_FOR(kill(verify, 0) == -1 && errno == ESRCH, 10);

	/* without its listener a gateway is none */
	first = logged_pid(&g, "listener", "is ready");
	assert_int_equal(kill(first, SIGKILL), 0);
	assert_int_equal(ended(&g, 8), 3);
	assert_true(logged(&g, "the listener has ended: the gateway stops"));
	assert_false(there(w->tree.state, "port"));
}

/* What the operator writes into the file meanwhile is for the next start. */
static void
edited(void **state)
{
	struct world *w = *state;
	struct gateway_run g;
	pid_t first;
	int fd;

	write_world(w);
	start(&g, w);
	WAIT_FOR(there(w->tree.state, "port"), 20);
	assert_int_not_equal(fd = openat(w->tree.state, "muhur.conf", O_WRONLY | O_APPEND), -1);
	assert_int_equal(write_full(fd, "nonsense = 1\n", 13), 0);
	(void)close(fd);
	first = logged_pid(&g, "signer", "is ready");
	assert_int_equal(kill(first, SIGKILL), 0);
	WAIT_FOR(logged_pid(&g, "signer", "is ready") != first, 10);
	assert_int_equal(kill(g.pid, SIGTERM), 0);
	assert_int_equal(ended(&g, 8), 0);
	start(&g, w);
	assert_int_equal(ended(&g, 8), 1);
}

/* What is leaving the outbox does not come in before it is out. */
static void
opposite_orders(void **state)
{
	struct world *w = *state;
	struct gateway_run g;

	write_world(w);
	assert_int_equal(mkdirat(w->tree.store, "aa", 0770), 0);
	make_file(w->tree.store, "aa/" SHA, "good");
	(void)spooled(w, "both.xml", "good");
	start(&g, w);
	WAIT_FOR(logged(&g, "published at last"), 20);
	assert_false(logged(&g, "published too early"));
	assert_string_equal(content(w->tree.boxes, "PLA/outbox/both.xml"), "good");
	assert_int_equal(kill(g.pid, SIGTERM), 0);
	assert_int_equal(ended(&g, 8), 0);
}

/* What the store does not have is not asked of it again and again: it may have
 * been purged meanwhile, which the directory knows. */
static void
absent(void **state)
{
	static const struct timespec t = { .tv_sec = 2 };
	struct world *w = *state;
	struct gateway_run g;

	write_world(w);
	(void)spooled(w, "stopabsent.xml", "good");	/* never verified */
	start(&g, w);
	WAIT_FOR(logged(&g, "absent.xml of PLA: outbox: the store does not have it"), 20);
	assert_int_equal(mkdirat(w->tree.store, "aa", 0770), 0);
	make_file(w->tree.store, "aa/" SHA, "good");
	(void)nanosleep(&t, NULL);
	assert_false(there(w->tree.boxes, "PLA/outbox/absent.xml"));
	/* as the directory gives it again */
	WAIT_FOR(there(w->tree.boxes, "PLA/outbox/absent.xml"), 10);
	assert_int_equal(kill(g.pid, SIGTERM), 0);
	assert_int_equal(ended(&g, 8), 0);
}

/* All boxes at once: they are made again, and who works in them begins anew. */
static void
boxes_removed(void **state)
{
	struct world *w = *state;
	struct gateway_run g;

	write_world_with(w, "sent_listing = 1\n");
	start(&g, w);
	WAIT_FOR(there(w->tree.state, "port"), 20);
	assert_int_equal(unlinkat(w->tree.state, "boxes", AT_REMOVEDIR), 0);
	WAIT_FOR(logged(&g, "boxes: the folder was removed"), 5);
	assert_true(there(w->tree.state, "boxes"));
	WAIT_FOR(logged(&g, "archive: starting again"), 10);
	assert_int_equal(kill(g.pid, SIGTERM), 0);
	assert_int_equal(ended(&g, 8), 0);
}

/* A session that reads no answers cannot pile them up here. */
static void
deaf_session(void **state)
{
	static const char what[] = "without an answer read: ";
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct world *w = *state;
	struct gateway_run g;
	char *text, *p;
	int fd;

	write_world(w);
	start(&g, w);
	WAIT_FOR(there(w->tree.state, "port"), 20);
	in.sin_port = htons((uint16_t)atoi(content(w->tree.state, "port")));
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_not_equal(fd = socket(AF_INET, SOCK_STREAM, 0), -1);
	assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	WAIT_FOR(logged(&g, what), 30);
	text = log_text(&g);
	assert_non_null(p = strstr(text, what));
	/* what stands in sockets, in muhurd, and at work; all of them were 10000 */
	assert_in_range(atoi(p + strlen(what)), 64, 3000);
	free(text);
	(void)close(fd);
	assert_int_equal(kill(g.pid, SIGTERM), 0);
	assert_int_equal(ended(&g, 8), 0);
}

/* One that reads nothing until its queue is full would miss what it is told;
 * one that has ended is left to those that hear its last words. */
static void
unreached(void **state)
{
	struct m_box_result r = { BOX_OK };
	struct child c = { .role = ROLE_SESSION };
	int pair[2], status, i;

	(void)state;
	assert_int_equal(msg_pair(pair), 0);
	if ((c.pid = fork()) == 0)
		for (;;)
			(void)pause();
	assert_int_not_equal(c.pid, -1);
	msg_init(&c.chan, pair[0], ROLE_MUHURD, ROLE_SESSION);
	for (i = 0; i < MSG_MAX_QUEUE && !c.doomed; i++)
		GATEWAY_SEND(&c.chan, M_BOX_DONE, 0, m_box_result, &r, NULL, 0);
	assert_false(c.doomed);
	for (; i < MSG_MAX_QUEUE + 10000 && !c.doomed; i++)
		GATEWAY_SEND(&c.chan, M_BOX_DONE, 0, m_box_result, &r, NULL, 0);
	assert_true(c.doomed);
	assert_int_equal(waitpid(c.pid, &status, 0), c.pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	msg_close(&c.chan);
	(void)close(pair[1]);
	/* ended */
	assert_int_equal(msg_pair(pair), 0);
	msg_init(&c.chan, pair[0], ROLE_MUHURD, ROLE_SESSION);
	c.doomed = 0;
	c.reaped = 1;
	(void)close(pair[1]);
	GATEWAY_SEND(&c.chan, M_BOX_DONE, 0, m_box_result, &r, NULL, 0);
	assert_false(c.doomed);
	msg_close(&c.chan);
}

/* How often the log says it. */
static int
times_logged(const struct gateway_run *g, const char *what)
{
	char *text = log_text(g), *p;
	int n = 0;

	for (p = text; (p = strstr(p, what)) != NULL; p += strlen(what))
		n++;
	free(text);
	return n;
}

/* The directory ends while a notice is being signed, and the next one gives it out
 * too: it is signed once, and that is told to the one that is there. */
static void
another_directory(void **state)
{
	struct world *w = *state;
	struct m_submission m;
	struct gateway_run g;
	char signed_line[64];
	pid_t first;

	write_world(w);
	m = spooled(w, "sign.xml", "a notice is to be signed");
	(void)snprintf(signed_line, sizeof(signed_line), "%s is signed", m.id);
	start(&g, w);
	WAIT_FOR(logged(&g, "sign.xml is at the signer"), 20);
	first = logged_pid(&g, "directory", "is ready");
	assert_int_equal(kill(first, SIGKILL), 0);
	WAIT_FOR(logged(&g, signed_line), 10);
	assert_int_not_equal(logged_pid(&g, "directory", "is ready"), first);
	doze();
	assert_int_equal(times_logged(&g, "is at the signer"), 1);
	assert_string_equal(content(w->tree.store, "aa/" SHA), "xyz");
	assert_int_equal(kill(g.pid, SIGTERM), 0);
	assert_int_equal(ended(&g, 8), 0);
}

/* While signing fails it is tried in goes of a few, with growing pauses; when one
 * is signed the others follow at once. */
static void
signer_fails(void **state)
{
	struct world *w = *state;
	struct gateway_run g;
	usec_t since;

	write_world(w);
	(void)spooled(w, "signlater.xml", "all its notices fail at first");
	start(&g, w);
	WAIT_FOR(logged(&g, "could not be signed"), 20);
	since = clock_monotonic();
	WAIT_FOR(logged(&g, "is signed"), 10);
	/* 16 have failed, 8 in a go: pauses of 1 and 2 seconds */
	assert_true(clock_monotonic() - since > 2 * USEC_PER_SEC);
	assert_int_equal(times_logged(&g, "could not be signed"), 16);
	WAIT_FOR(times_logged(&g, "is signed") == 60 - 16, 3);
	assert_int_equal(kill(g.pid, SIGTERM), 0);
	assert_int_equal(ended(&g, 8), 0);
}

/* Lines of notices wait for the signer in one load worker: the others load. */
static void
lines(void **state)
{
	struct world *w = *state;
	struct gateway_run g;

	write_world(w);
	(void)spooled(w, "signlines.xml", "four notices with lines");
	start(&g, w);
	/* of three load workers, before the first is signed */
	WAIT_FOR(logged(&g, "lines of "), 20);
	WAIT_FOR(logged(&g, "is signed"), 20);
	assert_in_range(times_logged(&g, "lines of "), 1, 2);
	WAIT_FOR(times_logged(&g, "is signed") == 4, 20);
	assert_int_equal(times_logged(&g, "lines of "), 4);
	assert_int_equal(kill(g.pid, SIGTERM), 0);
	assert_int_equal(ended(&g, 8), 0);
}

/* kill -9: no child is left, and the next one goes on with the spool. */
static void
sudden_death(void **state)
{
	struct world *w = *state;
	struct gateway_run g;
	pid_t load;

	write_world(w);
	start(&g, w);
	WAIT_FOR(there(w->tree.state, "port"), 20);
	load = logged_pid(&g, "load", "is ready");
	assert_int_equal(kill(g.pid, SIGKILL), 0);
	assert_int_equal(ended(&g, 5), 128 + SIGKILL);
	WAIT_FOR(kill(load, 0) == -1 && errno == ESRCH, 5);
	(void)spooled(w, "good.xml", "good");
	start(&g, w);
	WAIT_FOR(there(w->tree.store, "aa/" SHA), 20);
	assert_int_equal(kill(g.pid, SIGINT), 0);
	assert_int_equal(ended(&g, 8), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(documents), cmocka_unit_test(time_for_a_document), TEST(standstill),
		TEST(deaths), TEST(edited), TEST(opposite_orders), TEST(absent), TEST(boxes_removed),
		TEST(another_directory), TEST(signer_fails), TEST(lines),
		TEST(deaf_session), TEST(sudden_death), cmocka_unit_test(unreached),
	};

	log_init("test_gateway", LOG_COMMAND, 0);
	return cmocka_run_group_tests_name("muhurd/gateway", tests, NULL, NULL);
}
