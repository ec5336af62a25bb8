/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "muhurd/launch.h"

/* Above every fixed number, while descriptors are moved to theirs. */
#define FD_ASIDE	64
#define FD_PROGRAM	FD_COUNT	/* first free one behind the fixed numbers */
#define CHILD_FILES	1024	/* RLIMIT_NOFILE of a child */
#define ENV_MAX		8

extern char **environ;

/* Nothing of muhurd's surroundings but what sanitizers need. */
static void
make_environment(const char *env[ENV_MAX])
{
	size_t n = 0;

	env[n++] = "PATH=/usr/bin:/bin";
	env[n++] = "LANG=C.UTF-8";
	env[n++] = "HOME=/nonexistent";
#ifdef WITH_SANITIZERS
	static const char *const names[] = { "ASAN_OPTIONS=", "UBSAN_OPTIONS=", "LSAN_OPTIONS=" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (char **e = environ; *e != NULL; e++)
			if (strncmp(*e, names[i], strlen(names[i])) == 0)
				env[n++] = *e;
#endif
	env[n] = NULL;
}

static _Noreturn void
give_up(const char *what)
{
	static const char head[] = "muhurd: a child could not be started: ";

	(void)!write(STDERR_FILENO, head, sizeof(head) - 1);
	(void)!write(STDERR_FILENO, what, strlen(what));
	(void)!write(STDERR_FILENO, "\n", 1);
	_exit(127);
}

static void
limit(int resource, unsigned long long value)
{
	struct rlimit r = { .rlim_cur = value, .rlim_max = value };
	struct rlimit now;

	if (value == 0)
		return;
#ifdef WITH_VALGRIND	/* it keeps descriptors and memory of its own in every process */
	return;
#endif
	/* without privilege a limit can only be lowered */
	if (getrlimit(resource, &now) == 0 && now.rlim_max < r.rlim_max)
		r.rlim_cur = r.rlim_max = now.rlim_max;
	if (setrlimit(resource, &r) == -1)
		give_up("setrlimit");
}

static void
reset_signals(void)
{
	struct sigaction sa;
	sigset_t none;
	int sig;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_DFL;
	for (sig = 1; sig < NSIG; sig++)
		(void)sigaction(sig, &sa, NULL);	/* EINVAL for some */
	/* a write past RLIMIT_FSIZE then is an error the child can report */
	sa.sa_handler = SIG_IGN;
	(void)sigaction(SIGXFSZ, &sa, NULL);
	(void)sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) == -1)
		give_up("sigprocmask");
}

/* Each descriptor to its fixed number, everything else closed.  Returns the
 * program's, which exec closes. */
static int
place_descriptors(const struct launch *l)
{
	int aside[FD_COUNT], program, i;

	if ((program = fcntl(l->program, F_DUPFD_CLOEXEC, FD_ASIDE)) == -1)
		give_up("descriptor of the program");
	for (i = FD_CHANNEL; i < FD_COUNT; i++) {
		aside[i] = -1;
		if (l->fds[i] != -1 &&
		    (aside[i] = fcntl(l->fds[i], F_DUPFD_CLOEXEC, FD_ASIDE)) == -1)
			give_up("descriptors");
	}
	for (i = FD_CHANNEL; i < FD_COUNT; i++) {
		if (aside[i] == -1)
			(void)close(i);
		else if (dup2(aside[i], i) == -1)
			give_up("descriptors");
	}
	if (dup3(program, FD_PROGRAM, O_CLOEXEC) == -1)
		give_up("descriptor of the program");
	/* closed here and not by exec, which lets muhurd go on a moment before
	 * it closes: a copy of an upload would then look like a second writer */
	if (syscall(SYS_close_range, FD_PROGRAM + 1, ~0U, 0) == -1)
		give_up("close_range");
	return FD_PROGRAM;
}

/* The role's own uid and no capability; raw calls, since the C library's
 * would want to tell threads that do not exist here. */
static void
become(const struct launch *l)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2];

	if (l->own_uid) {
		if (syscall(SYS_setgroups, 0, NULL) == -1 ||
		    syscall(SYS_setresgid, l->gid, l->gid, l->gid) == -1 ||
		    syscall(SYS_setresuid, l->uid, l->uid, l->uid) == -1)
			give_up("uid");
		memset(none, 0, sizeof(none));
		if (syscall(SYS_capset, &header, none) == -1)
			give_up("capset");
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		give_up("no_new_privs");
}

static _Noreturn void
child_side(const struct launch *l, const char *const *env, pid_t parent)
{
	int program;

	reset_signals();
	program = place_descriptors(l);
	limit(RLIMIT_NOFILE, CHILD_FILES);
	limit(RLIMIT_FSIZE, l->file_size);
	limit(RLIMIT_CPU, l->cpu);
	limit(RLIMIT_AS, l->memory);
	become(l);
	/* no child outlives muhurd; after the uid, whose change clears it */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1)
		give_up("parent's death signal");
	if (getppid() != parent)
		_exit(127);
	(void)syscall(SYS_execveat, program, "", l->argv, env, AT_EMPTY_PATH);
	give_up("execveat");
}

pid_t
launch(const struct launch *l)
{
	const char *env[ENV_MAX];
	pid_t parent = getpid(), pid;

	make_environment(env);
	/*
	 * Like fork, but this thread goes on only when the child has executed its
	 * program.  Until then the child has a copy of every descriptor, also of
	 * uploads that threads have opened for writing; were one handed to its
	 * session meanwhile, taking it could fail for a writer that is none.
	 */
	if ((pid = (pid_t)syscall(SYS_clone, CLONE_VFORK | SIGCHLD, 0, 0, 0, 0)) == 0)
		child_side(l, env, parent);
	return pid;
}
