/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <cmocka.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/sandbox.h"

#define KILLED	1000	/* run()'s answer where the process died by SIGSYS */

/* In the sandboxed child: a failed check is its exit status, the line. */
#define CHECK(x) do { if (!(x)) _exit(__LINE__ % 250 + 1); } while (0)
#define REFUSED(x, e) do { errno = 0; CHECK((x) == -1 && errno == (e)); } while (0)

static char	dir[] = "/tmp/muhur-sandbox.XXXXXX";
static char	path_a[64], path_b[64], path_sock[64];
static int	dir_fd = -1, b_fd = -1, sock_fd = -1;

static int
setup(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	(void)state;
	if (mkdtemp(dir) == NULL || (dir_fd = open(dir, O_RDONLY | O_DIRECTORY)) == -1)
		return -1;
	(void)snprintf(path_a, sizeof(path_a), "%s/a", dir);
	(void)snprintf(path_b, sizeof(path_b), "%s/b", dir);
	(void)snprintf(path_sock, sizeof(path_sock), "%s/sock", dir);
	if (make_dir(dir_fd, "a", 0700, NULL) == -1 || make_dir(dir_fd, "b", 0700, NULL) == -1)
		return -1;
	if ((b_fd = open(path_b, O_RDONLY | O_DIRECTORY)) == -1)
		return -1;
	if (file_write_durable(b_fd, "f", "data", 4, 0600) == -1)
		return -1;
	(void)memcpy(sun.sun_path, path_sock, strlen(path_sock));
	sock_fd = socket(AF_UNIX, SOCK_STREAM, 0);
	return bind(sock_fd, (struct sockaddr *)&sun, sizeof(sun)) == 0 &&
	    listen(sock_fd, 5) == 0 ? 0 : -1;
}

static int
teardown(void **state)
{
	char cmd[64];

	(void)state;
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd);
}

static int
run_with(unsigned promises, const struct sandbox_path *paths, size_t n, void (*f)(void))
{
	int status;
	pid_t pid;

	if ((pid = fork()) == 0) {
		log_init("sandboxed", LOG_COMMAND, 0);
		if (sandbox_enter(1, promises, paths, n) == -1)
			_exit(255);
		f();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? KILLED : -WTERMSIG(status);
	return WEXITSTATUS(status);
}

static int
run(unsigned promises, void (*f)(void))
{
	return run_with(promises, NULL, 0, f);
}

/* --- what every process may do, and what it is quietly refused ---------- */

static void
do_stdio(void)
{
	struct rlimit rl;
	struct stat st;
	struct utsname un;
	unsigned char rnd[16];
	void *p;
	int fds[2];
	char c;

	CHECK(pipe(fds) == 0 && write(fds[1], "x", 1) == 1 && read(fds[0], &c, 1) == 1);
	CHECK(set_nonblock(fds[0]) == 0 && dup(fds[0]) != -1);
	CHECK(fstat(dir_fd, &st) == 0 && S_ISDIR(st.st_mode));
	CHECK((p = malloc(8 << 20)) != NULL);
	memset(p, 1, 8 << 20);
	free(p);
	CHECK(RAND_bytes(rnd, sizeof(rnd)) == 1);
	CHECK(getpid() > 0 && getuid() == geteuid() && uname(&un) == 0);
	CHECK(getrlimit(RLIMIT_CORE, &rl) == 0 && rl.rlim_max == 0);
	CHECK(prctl(PR_SET_NAME, "name") == 0);
}

static void
do_harmless(void)
{
	struct termios t;
	struct stat st;
	char link[8];

	REFUSED(open("/etc/passwd", O_RDONLY), ENOENT);
	REFUSED(openat(dir_fd, "a", O_RDONLY), ENOENT);
	REFUSED(stat("/etc/passwd", &st), ENOENT);
	REFUSED(fstatat(dir_fd, "a", &st, 0), ENOENT);
	REFUSED(access("/etc/passwd", R_OK), ENOENT);
	REFUSED(readlink("/proc/self/exe", link, sizeof(link)), ENOENT);
	REFUSED(socket(AF_INET, SOCK_STREAM, 0), EPERM);
	REFUSED(socket(AF_UNIX, SOCK_STREAM, 0), EPERM);
	REFUSED(prctl(PR_SET_DUMPABLE, 1), EPERM);
	REFUSED(tcgetattr(0, &t), EPERM);
	REFUSED(setpriority(PRIO_PROCESS, 0, 1), EPERM);
	REFUSED(kill(getppid(), 0), EPERM);
	REFUSED(fcntl(b_fd, F_SETLEASE, F_RDLCK), EPERM);
	REFUSED(mprotect(NULL, 0, PROT_READ | PROT_EXEC), EPERM);
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	    MAP_FAILED && errno == EPERM);
}

static void do_fork(void) { (void)fork(); }
static void do_no_fork(void) { REFUSED(fork(), EPERM); }
static void do_exec(void) { (void)execl("/bin/true", "true", (char *)NULL); }
static void do_ptrace(void) { (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL); }
static void do_unlink(void) { (void)unlink("/nonexistent"); }
static void do_rename(void) { (void)rename("/nonexistent", "/nonexistent2"); }
static void do_setuid(void) { (void)!setuid(0); }
static void do_accept(void) { (void)accept4(sock_fd, NULL, NULL, 0); }
static void do_chdir(void) { (void)!chdir("/"); }
static void do_pwrite(void) { (void)!pwrite(1, "", 0, 0); }
static void do_sendmsg(void) { struct msghdr m = { 0 }; (void)sendmsg(sock_fd, &m, 0); }
static void do_io_uring(void) { (void)syscall(425, 1, NULL); }
static void do_abort(void) { abort(); }

static void
test_stdio(void **state)
{
	static void (*const deadly[])(void) = { do_fork, do_exec, do_ptrace, do_unlink,
	    do_rename, do_setuid, do_accept, do_chdir, do_pwrite, do_sendmsg, do_io_uring };
	size_t i;

	(void)state;
	assert_int_equal(run(SB_STDIO, do_stdio), 0);
	assert_int_equal(run(SB_STDIO, do_harmless), 0);
	for (i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		assert_int_equal(run(SB_STDIO, deadly[i]), KILLED);
	/* dying by one's own hand must remain possible */
	assert_int_equal(run(SB_STDIO, do_abort), -SIGABRT);
}

/* --- files --------------------------------------------------------------- */

static void
do_read_files(void)
{
	struct stat st;

	CHECK(openat(b_fd, "f", O_RDONLY) != -1);
	CHECK(open_beneath(b_fd, "f", O_RDONLY, 0) != -1);
	CHECK(fstatat(b_fd, "f", &st, 0) == 0);
	REFUSED(openat(b_fd, "f", O_WRONLY), EPERM);
	REFUSED(openat(b_fd, "new", O_RDONLY | O_CREAT, 0600), EPERM);
	REFUSED(open_beneath(b_fd, "f", O_RDWR, 0), EACCES);	/* Landlock's answer */
	REFUSED(open("/etc/passwd", O_RDONLY), EACCES);
	REFUSED(openat(dir_fd, "a", O_RDONLY | O_DIRECTORY), EACCES);
	REFUSED(open("/nonexistent", O_RDONLY), ENOENT);
}

static void
do_write_files(void)
{
	int a;

	CHECK((a = open(path_a, O_RDONLY | O_DIRECTORY)) != -1);
	CHECK(file_write_durable(a, "x", "1", 1, 0440) == 0);
	CHECK(file_write_durable(a, "x", "2", 1, 0440) == 0);
	CHECK(make_dir(a, "d", 0700, NULL) == 0);
	CHECK(rename_durable(b_fd, "moved", a, "moved") == 0);
	CHECK(linkat(a, "moved", b_fd, "moved", 0) == 0);
	CHECK(unlinkat(a, "moved", 0) == 0 && unlinkat(a, "d", AT_REMOVEDIR) == 0);
	CHECK(open_beneath(a, ".", O_RDWR | O_TMPFILE, 0600) != -1);
	REFUSED(openat(dir_fd, "outside", O_WRONLY | O_CREAT, 0600), EACCES);
}

static void do_symlink(void) { (void)!symlinkat("x", dir_fd, "y"); }

static void
do_fileio(void)
{
	char c = 0;

	CHECK(pwrite(b_fd, &c, 1, 0) == -1 && errno == EBADF);
	CHECK(fsync(b_fd) == 0 && futimens(b_fd, NULL) == 0);
	REFUSED(utimensat(dir_fd, "a", NULL, 0), EPERM);
	REFUSED(openat(b_fd, "f", O_RDONLY), ENOENT);
}

static void
do_list(void)
{
	struct stat st;
	char entries[1024];

	CHECK(syscall(SYS_getdents64, b_fd, entries, sizeof(entries)) > 0);
	CHECK(fstatat(b_fd, "f", &st, AT_SYMLINK_NOFOLLOW) == 0);
	REFUSED(openat(b_fd, "f", O_RDONLY), ENOENT);
}

static void
test_files(void **state)
{
	struct sandbox_path rd = { -1, path_b, SB_READ };
	struct sandbox_path wr[] = { { -1, path_a, SB_READ | SB_WRITE },
	    { b_fd, NULL, SB_READ | SB_WRITE }, { -1, "/nonexistent/dir", SB_WRITE } };

	(void)state;
	assert_int_equal(run_with(SB_STDIO | SB_RPATH, &rd, 1, do_read_files), 0);
	assert_int_equal(file_write_durable(b_fd, "moved", "m", 1, 0600), 0);
	assert_int_equal(run_with(SB_STDIO | SB_RPATH | SB_WPATH, wr, 3, do_write_files), 0);
	assert_int_equal(faccessat(b_fd, "moved", F_OK, 0), 0);
	assert_int_equal(run(SB_STDIO | SB_WPATH, do_symlink), KILLED);
	assert_int_equal(run(SB_STDIO | SB_FILEIO, do_fileio), 0);
	assert_int_equal(run(SB_STDIO | SB_GETDENTS, do_list), 0);
}

/* --- sockets and threads ------------------------------------------------- */

static void
do_unix(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(sun);
	struct stat st;
	int fd;

	(void)memcpy(sun.sun_path, path_sock, strlen(path_sock));
	CHECK((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) != -1);
	CHECK(connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&sun, &len) == 0);
	CHECK(send(fd, "x", 1, MSG_NOSIGNAL) == 1 && shutdown(fd, SHUT_RDWR) == 0);
	REFUSED(socket(AF_INET, SOCK_STREAM, 0), EPERM);
	REFUSED(socket(AF_NETLINK, SOCK_RAW, 0), EPERM);
	REFUSED(stat("/nonexistent/.pgpass", &st), ENOENT);
}

static void
do_passfd(void)
{
	char c = 'x';
	struct iovec iov = { &c, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	REFUSED(sendmsg(sock_fd, &m, MSG_NOSIGNAL), ENOTCONN);
	REFUSED(recvmsg(sock_fd, &m, MSG_DONTWAIT), EINVAL);
}

static void
do_accept_one(void)
{
	CHECK(set_nonblock(sock_fd) == 0);
	while (accept4(sock_fd, NULL, NULL, SOCK_CLOEXEC) != -1)
		continue;
	CHECK(errno == EAGAIN);
}

static void *
in_thread(void *arg)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned int n;

	/* a fresh arena and OpenSSL's per-thread state */
	free(malloc(100000));
	*(int *)arg = EVP_Digest("abc", 3, md, &n, EVP_sha256(), NULL) == 1 && n == 32;
	return NULL;
}

static void
do_thread(void)
{
	pthread_t t;
	int ok = 0;

	CHECK(pthread_create(&t, NULL, in_thread, &ok) == 0);
	CHECK(pthread_join(t, NULL) == 0 && ok == 1);
}

static void
test_sockets_and_threads(void **state)
{
	(void)state;
	assert_int_equal(run(SB_STDIO | SB_UNIX, do_unix), 0);
	assert_int_equal(run(SB_STDIO | SB_PASSFD, do_passfd), 0);
	assert_int_equal(run(SB_STDIO | SB_ACCEPT, do_accept_one), 0);
	assert_int_equal(run(SB_STDIO | SB_THREAD, do_thread), 0);
	assert_int_equal(run(SB_STDIO | SB_THREAD, do_no_fork), 0);
	assert_int_equal(run(SB_STDIO, do_thread), KILLED);
}

/* --- the parent: its children work and confine themselves ---------------- */

static void
do_children(void)
{
	int status;
	pid_t pid;

	if ((pid = fork()) == 0) {
		if (getuid() == 0 && (setresgid(59999, 59999, 59999) == -1 ||
		    setresuid(59999, 59999, 59999) == -1))
			_exit(2);
		if (sandbox_enter(1, SB_STDIO | SB_UNIX | SB_THREAD, NULL, 0) == -1)
			_exit(3);
		do_thread();
		(void)unlink("/nonexistent");
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	if ((pid = fork()) == 0) {
		(void)execl("/bin/sh", "sh", "-c", ": </usr/bin/env && ! (: </etc/hostname) 2>/dev/null"
		    " && exec /usr/bin/true", (char *)NULL);
		_exit(4);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	do_thread();
	CHECK(kill(getpid(), 0) == 0);
}

static void
do_lease(void)
{
	int fd = open(path_b, O_RDONLY | O_DIRECTORY);

	CHECK(fd == -1);
	CHECK(fcntl(b_fd, F_SETLEASE, F_RDLCK) == -1 && errno != EPERM);
}

static void
do_lock(void)
{
	struct flock l = { .l_type = F_RDLCK };

	CHECK(fcntl(b_fd, F_SETLK, &l) == 0 || errno == EISDIR || errno == EINVAL);
	REFUSED(fcntl(b_fd, F_SETLEASE, F_RDLCK), EPERM);
}

static void
do_no_lock(void)
{
	struct flock l = { .l_type = F_RDLCK };

	REFUSED(fcntl(b_fd, F_SETLK, &l), EPERM);
	REFUSED(fcntl(b_fd, F_SETLKW, &l), EPERM);
}

static void
test_parent(void **state)
{
	(void)state;
	assert_int_equal(run(SB_STDIO | SB_PROC, do_children), 0);
	assert_int_equal(run(SB_STDIO | SB_LEASE, do_lease), 0);
	assert_int_equal(run(SB_STDIO | SB_FLOCK, do_lock), 0);
	assert_int_equal(run(SB_STDIO | SB_RPATH | SB_WPATH | SB_FILEIO, do_no_lock), 0);
	assert_int_equal(run(SB_STDIO | SB_PROC, do_ptrace), KILLED);
}

static void
test_switched_off(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if ((pid = fork()) == 0) {
		(void)sandbox_enter(0, SB_STDIO, NULL, 0);
		_exit(access("/etc/passwd", R_OK) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stdio),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_sockets_and_threads),
		cmocka_unit_test(test_parent),
		cmocka_unit_test(test_switched_off),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
