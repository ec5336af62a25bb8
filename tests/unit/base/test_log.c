/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <errno.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fdio.h"
#include "base/log.h"

static char	text[20000];

/* Run f in a child with its standard error in text; returns the exit status. */
static int
capture(void (*f)(void))
{
	int p[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(p), 0);
	if ((pid = fork()) == 0) {
		(void)dup2(p[1], STDERR_FILENO);
		(void)close(p[0]);
		(void)close(p[1]);
		f();
		_exit(0);
	}
	(void)close(p[1]);
	n = read_full(p[0], text, sizeof(text) - 1);
	assert_true(n >= 0);
	text[n] = '\0';
	(void)close(p[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
say_command(void)
{
	log_init("muhur", LOG_COMMAND, 0);
	errno = ENOENT;
	log_warn("%s", "file");
	log_debug("never shown");
	log_warnx("a\nmuhur: forged\x1b[31m\xc2\x9b \xc3\xbc\\");
}

static void
test_command(void **state)
{
	(void)state;
	assert_int_equal(capture(say_command), 0);
	assert_string_equal(text, "muhur: file: No such file or directory\n"
	    "muhur: a\\x0amuhur: forged\\x1b[31m\\xc2\\x9b \xc3\xbc\\\\\n");
}

static void
say_daemon(void)
{
	log_init("muhur-test", LOG_DAEMON, 1);
	log_debug("one");
	log_alarm("two");
}

static void
test_daemon(void **state)
{
	char *line;

	(void)state;
	assert_int_equal(capture(say_daemon), 0);
	/* 2026-11-21T21:27:24.123Z muhur-test[1]: */
	assert_int_equal(text[10], 'T');
	assert_int_equal(text[23], 'Z');
	assert_non_null(line = strstr(text, "Z muhur-test["));
	assert_non_null(strstr(text, "]: debug: one\n"));
	assert_non_null(strstr(text, "]: alarm: two\n"));
}

static void
say_long(void)
{
	static char big[50000];

	memset(big, '\n', sizeof(big) - 1);
	log_init("muhur", LOG_COMMAND, 0);
	log_warnx("%s", big);
}

static void
test_long(void **state)
{
	(void)state;
	assert_int_equal(capture(say_long), 0);
	assert_true(strlen(text) <= 4096);
	assert_int_equal(text[strlen(text) - 1], '\n');
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void
say_fatal(void)
{
	log_init("muhur", LOG_COMMAND, 0);
	errno = EIO;
	fatal("disk");
}

static void
test_fatal(void **state)
{
	(void)state;
	assert_int_equal(capture(say_fatal), 3);
	assert_string_equal(text, "muhur: disk: Input/output error\n");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_daemon),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_fatal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
