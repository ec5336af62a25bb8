/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fdio.h"

static char	dir[] = "/tmp/muhur-fdio.XXXXXX";
static int	dirfd_ = -1;

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	dirfd_ = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dirfd_ == -1 ? -1 : 0;
}

static int
teardown(void **state)
{
	char cmd[64];

	(void)state;
	(void)close(dirfd_);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd);
}

static void
test_pipe(void **state)
{
	static char out[300000], in[300000];
	int p[2], status;
	pid_t pid;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 7 + i / 256);
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(set_nonblock(p[0]), 0);
	assert_int_equal(set_nonblock(p[1]), 0);
	/* more than the pipe holds: both ends must wait for each other */
	if ((pid = fork()) == 0) {
		(void)close(p[0]);
		_exit(write_full(p[1], out, sizeof(out)) == 0 ? 0 : 1);
	}
	(void)close(p[1]);
	assert_int_equal(read_full(p[0], in, sizeof(in)), sizeof(in));
	assert_memory_equal(in, out, sizeof(in));
	assert_int_equal(read_full(p[0], in, 1), 0);
	(void)close(p[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
test_write_durable(void **state)
{
	struct stat st;
	char *data;
	size_t len;
	int fd;
	mode_t mask = umask(077);

	(void)state;
	assert_int_equal(file_write_durable(dirfd_, "f", "one", 3, 0440), 0);
	assert_int_equal(fstatat(dirfd_, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0440);
	/* again: replaced as a whole */
	assert_int_equal(file_write_durable(dirfd_, "f", "second", 6, 0600), 0);
	fd = openat(dirfd_, "f", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(lseek(fd, 3, SEEK_SET), 3);
	assert_int_equal(fd_read_all(fd, 6, &data, &len), 0);
	assert_int_equal(len, 6);
	assert_string_equal(data, "second");
	free(data);
	errno = 0;
	assert_int_equal(fd_read_all(fd, 5, &data, &len), -1);
	assert_int_equal(errno, EFBIG);
	assert_null(data);
	(void)close(fd);
	assert_int_equal(file_write_durable(dirfd_, "absent/f", "x", 1, 0600), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(file_read_all("/nonexistent/file", 10, &data, &len), -1);
	assert_int_equal(errno, ENOENT);
	umask(mask);
}

static void
test_directories(void **state)
{
	int made = -1, d, e;

	(void)state;
	d = open_dir(dirfd_, "d");
	assert_true(d >= 0);
	assert_int_equal(make_dir(dirfd_, "d", 0750, &made), 0);
	assert_int_equal(made, 0);
	assert_int_equal(make_dir(dirfd_, "e", 0750, &made), 0);
	assert_int_equal(made, 1);
	e = open_dir(dirfd_, "e");
	assert_true(e >= 0);
	assert_int_equal(symlinkat("d", dirfd_, "link"), 0);
	assert_int_equal(open_dir(dirfd_, "link"), -1);
	assert_int_equal(make_dir(dirfd_, "link", 0750, NULL), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(file_write_durable(d, "x", "x", 1, 0600), 0);
	assert_int_equal(rename_durable(d, "x", e, "y"), 0);
	assert_int_equal(faccessat(e, "y", F_OK, 0), 0);
	assert_int_equal(faccessat(d, "x", F_OK, 0), -1);
	assert_int_equal(rename_durable(d, "x", e, "y"), -1);
	assert_int_equal(errno, ENOENT);
	(void)close(d);
	(void)close(e);
}

static void
test_beneath(void **state)
{
	int d, fd;

	(void)state;
	d = open_dir(dirfd_, "b");
	assert_true(d >= 0);
	assert_int_equal(open_beneath(d, "../f", O_RDONLY, 0), -1);
	assert_int_equal(open_beneath(d, "/etc/passwd", O_RDONLY, 0), -1);
	assert_int_equal(symlinkat("/etc/passwd", d, "evil"), 0);
	assert_int_equal(open_beneath(d, "evil", O_RDONLY, 0), -1);
	assert_int_equal(errno, ELOOP);
	fd = open_beneath(d, "new", O_RDWR | O_CREAT | O_EXCL, 0640);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(set_cloexec(fd, 0), 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	(void)close(fd);
	/* a mode without a need for one is no fault */
	fd = open_beneath(d, "new", O_RDONLY, 0640);
	assert_true(fd >= 0);
	(void)close(fd);
	(void)close(d);
}

/* A list of its own place, of what is a directory beneath. */
static void
test_list(void **state)
{
	int d, round;
	DIR *list;

	(void)state;
	d = open_dir(dirfd_, "l");
	assert_true(d >= 0);
	assert_int_equal(file_write_durable(d, "file", "x", 1, 0600), 0);
	assert_int_equal(symlinkat(".", d, "link"), 0);
	for (round = 0; round < 2; round++) {
		struct dirent *e;
		int n = 0;

		assert_non_null(list = open_list(round == 0 ? d : dirfd_, round == 0 ? "." : "l"));
		while ((e = readdir(list)) != NULL)
			n += strcmp(e->d_name, "file") == 0 || strcmp(e->d_name, "link") == 0;
		assert_int_equal(n, 2);
		assert_int_equal(closedir(list), 0);
	}
	assert_null(open_list(d, "file"));
	assert_int_equal(errno, ENOTDIR);
	assert_null(open_list(d, "none"));
	assert_int_equal(errno, ENOENT);
	assert_null(open_list(d, "link"));
	assert_int_equal(errno, ENOTDIR);
	assert_null(open_list(d, ".."));
	(void)close(d);
}

static void
test_close_from(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if ((pid = fork()) == 0) {
		int fd = fcntl(dirfd_, F_DUPFD, 20);

		close_from(20);
		_exit(fcntl(fd, F_GETFD) == -1 && errno == EBADF &&
		    fcntl(dirfd_, F_GETFD) != -1 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_write_durable),
		cmocka_unit_test(test_directories),
		cmocka_unit_test(test_beneath),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_close_from),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
