/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/landlock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sandbox.h"

/*
 * Two filters are loaded, of which the kernel takes the stricter answer:
 *	outer	kills for every call that is neither promised nor harmless;
 *	inner	answers EPERM (or what the table of harmless calls says) to
 *		every call, and to every use of a call, that is not promised.
 * One alone cannot do it: libseccomp has no "otherwise" for the arguments of
 * one call.
 */

#define ALL		(~0U)
#define ANY		{ 0, 0, 0, 0 }	/* op 0 is no comparison: any arguments */
#define READING		(SB_RPATH | SB_WPATH | SB_PROC)
#define WRITING		(SB_WPATH | SB_PROC)
#define FILES		(SB_FILEIO | SB_WPATH | SB_PROC)
#define SOCKETS		(SB_PASSFD | SB_SOCKIO | SB_UNIX | SB_ACCEPT | SB_PROC)
#define THREADS		(SB_THREAD | SB_PROC)
/* Writing, making or cutting by an open call. */
#define O_NOT_READING	(O_ACCMODE | O_CREAT | O_TRUNC)

struct rule {
	int			 nr;
	unsigned		 promises;	/* any of these allows it */
	struct scmp_arg_cmp	 cmp;
};

static const struct rule rules[] = {
#define R(call, promises) { SCMP_SYS(call), promises, ANY }
#define C(call, promises, ...) { SCMP_SYS(call), promises, { __VA_ARGS__ } }
	/* descriptors one has */
	R(read, ALL), R(write, ALL), R(readv, ALL), R(writev, ALL), R(close, ALL),
	R(close_range, ALL), R(fstat, ALL), R(lseek, ALL), R(poll, ALL), R(ppoll, ALL),
	R(select, ALL), R(pselect6, ALL), R(epoll_create1, ALL), R(epoll_ctl, ALL),
	R(epoll_wait, ALL), R(epoll_pwait, ALL), R(eventfd2, ALL), R(pipe, ALL),
	R(pipe2, ALL), R(dup, ALL), R(dup2, ALL), R(dup3, ALL), R(pread64, ALL),
	R(fadvise64, ALL), R(fstatfs, ALL),
	C(fcntl, ALL, 1, SCMP_CMP_EQ, F_DUPFD, 0),
	C(fcntl, ALL, 1, SCMP_CMP_EQ, F_DUPFD_CLOEXEC, 0),
	C(fcntl, ALL, 1, SCMP_CMP_EQ, F_GETFD, 0),
	C(fcntl, ALL, 1, SCMP_CMP_EQ, F_SETFD, 0),
	C(fcntl, ALL, 1, SCMP_CMP_EQ, F_GETFL, 0),
	C(fcntl, ALL, 1, SCMP_CMP_EQ, F_SETFL, 0),
	C(fcntl, ALL, 1, SCMP_CMP_EQ, F_GETPIPE_SZ, 0),
	C(fcntl, ALL, 1, SCMP_CMP_EQ, F_SETPIPE_SZ, 0),
	R(fcntl, SB_LEASE | SB_PROC),
	C(fcntl, SB_FLOCK, 1, SCMP_CMP_EQ, F_GETLK, 0),
	C(fcntl, SB_FLOCK, 1, SCMP_CMP_EQ, F_SETLK, 0),
	C(fcntl, SB_FLOCK, 1, SCMP_CMP_EQ, F_SETLKW, 0),
	/* glibc's fstat; a name beside the flag tells no more than stat would */
	C(newfstatat, ALL, 3, SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH),
	C(statx, ALL, 2, SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH),
	C(ioctl, ALL, 1, SCMP_CMP_EQ, FIONREAD, 0),
	C(ioctl, ALL, 1, SCMP_CMP_EQ, FIONBIO, 0),
	/* memory; nothing may become executable */
	R(brk, ALL), R(munmap, ALL), R(mremap, ALL), R(madvise, ALL), R(mlock, ALL),
	R(mlock2, ALL), R(munlock, ALL), R(membarrier, ALL), R(mincore, ALL),
	C(mmap, ALL, 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
	C(mprotect, ALL, 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
	R(mmap, SB_PROC), R(mprotect, SB_PROC), R(memfd_create, SB_PROC),
	/* time, signals to oneself, oneself */
	R(clock_gettime, ALL), R(clock_getres, ALL), R(gettimeofday, ALL), R(time, ALL),
	R(times, ALL), R(nanosleep, ALL), R(clock_nanosleep, ALL), R(getitimer, ALL),
	R(setitimer, ALL), R(alarm, ALL), R(timerfd_create, ALL), R(timerfd_settime, ALL),
	R(timerfd_gettime, ALL), R(rt_sigaction, ALL), R(rt_sigprocmask, ALL),
	R(rt_sigreturn, ALL), R(rt_sigpending, ALL), R(rt_sigsuspend, ALL),
	R(rt_sigtimedwait, ALL), R(sigaltstack, ALL), R(signalfd4, ALL), R(pause, ALL),
	R(restart_syscall, ALL), R(exit, ALL), R(exit_group, ALL), R(futex, ALL),
	R(getrandom, ALL), R(getpid, ALL), R(gettid, ALL), R(getppid, ALL), R(getuid, ALL),
	R(geteuid, ALL), R(getgid, ALL), R(getegid, ALL), R(getresuid, ALL),
	R(getresgid, ALL), R(getgroups, ALL), R(getpgrp, ALL), R(getpgid, ALL),
	R(getsid, ALL), R(uname, ALL), R(sysinfo, ALL), R(getcpu, ALL), R(sched_yield, ALL),
	R(sched_getaffinity, ALL), R(getrusage, ALL), R(getrlimit, ALL), R(umask, ALL),
	C(prlimit64, ALL, 0, SCMP_CMP_EQ, 0, 0),
	C(prctl, ALL, 0, SCMP_CMP_EQ, PR_SET_NAME, 0),
	C(prctl, ALL, 0, SCMP_CMP_EQ, PR_GET_NAME, 0),
	/* names */
	C(open, READING, 1, SCMP_CMP_MASKED_EQ, O_NOT_READING, 0),
	C(openat, READING, 2, SCMP_CMP_MASKED_EQ, O_NOT_READING, 0),
	R(open, WRITING), R(openat, WRITING), R(creat, WRITING),
	R(openat2, READING),	/* its flags are in memory: Landlock stands behind it */
	R(stat, READING), R(lstat, READING), R(newfstatat, READING | SB_GETDENTS),
	R(statx, READING | SB_GETDENTS), R(access, READING), R(faccessat, READING),
	R(faccessat2, READING), R(readlink, READING), R(readlinkat, READING),
	R(getcwd, READING), R(statfs, READING), R(getdents64, READING | SB_GETDENTS),
	R(rename, WRITING), R(renameat, WRITING), R(renameat2, WRITING), R(unlink, WRITING),
	R(unlinkat, WRITING), R(mkdir, WRITING), R(mkdirat, WRITING), R(rmdir, WRITING),
	R(link, WRITING), R(linkat, WRITING), R(fchmod, WRITING), R(fchmodat, WRITING),
	R(chmod, WRITING), R(utimensat, WRITING), R(flock, WRITING | SB_FLOCK), R(truncate, WRITING),
	/* files that are open */
	R(pwrite64, FILES), R(preadv, FILES), R(pwritev, FILES), R(preadv2, FILES),
	R(pwritev2, FILES), R(ftruncate, FILES), R(fsync, FILES), R(fdatasync, FILES),
	R(sync_file_range, FILES), R(fallocate, FILES), R(copy_file_range, FILES),
	R(sendfile, FILES),
	C(utimensat, SB_FILEIO, 1, SCMP_CMP_EQ, 0, 0),	/* futimens */
	/* sockets that are open, and new ones; without an address to send to */
	R(sendmsg, SOCKETS), R(recvmsg, SOCKETS), R(sendmmsg, SOCKETS),
	R(recvmmsg, SOCKETS), R(recvfrom, SOCKETS), R(shutdown, SOCKETS),
	C(sendto, SOCKETS, 4, SCMP_CMP_EQ, 0, 0),
	R(getsockopt, SOCKETS), R(setsockopt, SOCKETS), R(getsockname, SOCKETS),
	R(getpeername, SOCKETS), R(accept, SB_ACCEPT | SB_PROC),
	R(accept4, SB_ACCEPT | SB_PROC),
	C(socket, SB_UNIX | SB_PROC, 0, SCMP_CMP_EQ, AF_UNIX, 0),
	R(connect, SB_UNIX | SB_PROC), R(socketpair, SB_PROC),
	/* threads: clone3 hides its flags, glibc then uses clone */
	C(clone, SB_THREAD, 0, SCMP_CMP_MASKED_EQ, CLONE_VM | CLONE_THREAD,
	    CLONE_VM | CLONE_THREAD),
	R(set_robust_list, THREADS), R(rseq, THREADS), R(set_tid_address, THREADS),
	/* muhurd: children, what they need to begin, and to confine themselves */
	R(clone, SB_PROC), R(clone3, SB_PROC), R(fork, SB_PROC), R(vfork, SB_PROC),
	R(execve, SB_PROC), R(execveat, SB_PROC), R(wait4, SB_PROC), R(waitid, SB_PROC),
	R(kill, SB_PROC), R(tgkill, SB_PROC), R(tkill, SB_PROC), R(pidfd_open, SB_PROC),
	R(pidfd_send_signal, SB_PROC), R(setresuid, SB_PROC), R(setresgid, SB_PROC),
	R(setuid, SB_PROC), R(setgid, SB_PROC), R(setreuid, SB_PROC), R(setregid, SB_PROC),
	R(setgroups, SB_PROC), R(setsid, SB_PROC), R(setpgid, SB_PROC), R(capget, SB_PROC),
	R(capset, SB_PROC), R(prctl, SB_PROC), R(seccomp, SB_PROC), R(prlimit64, SB_PROC),
	R(setrlimit, SB_PROC), R(arch_prctl, SB_PROC), R(chdir, SB_PROC), R(fchdir, SB_PROC),
	R(fchown, SB_PROC), R(fchownat, SB_PROC), R(landlock_create_ruleset, SB_PROC),
	R(landlock_add_rule, SB_PROC), R(landlock_restrict_self, SB_PROC),
#undef R
#undef C
};

/* Calls that libraries try and can do without: an answer instead of death.
 * ENOENT where a missing file is what a library expects to find. */
static const struct harmless { int nr; int error; struct scmp_arg_cmp cmp; } harmless[] = {
#define H(call, error) { SCMP_SYS(call), error, ANY }
	H(open, ENOENT), H(openat, ENOENT), H(openat2, ENOENT), H(stat, ENOENT),
	H(lstat, ENOENT), H(access, ENOENT), H(faccessat, ENOENT), H(faccessat2, ENOENT),
	H(readlink, ENOENT), H(readlinkat, ENOENT), H(statfs, ENOENT), H(getcwd, ENOENT),
	{ SCMP_SYS(newfstatat), ENOENT, { 3, SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, 0 } },
	{ SCMP_SYS(statx), ENOENT, { 2, SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, 0 } },
	H(clone3, ENOSYS), H(futex_waitv, ENOSYS), H(rseq, ENOSYS), H(memfd_create, EPERM),
	H(socket, EPERM), H(connect, EPERM), H(getsockopt, EPERM), H(setsockopt, EPERM),
	H(getsockname, EPERM), H(getpeername, EPERM), H(shutdown, EPERM), H(kill, EPERM),
	H(getpriority, EPERM), H(setpriority, EPERM), H(personality, EPERM),
	H(sched_setscheduler, EPERM), H(sched_getscheduler, EPERM), H(sched_getparam, EPERM),
	H(sched_setaffinity, EPERM), H(sched_get_priority_max, EPERM),
	H(sched_get_priority_min, EPERM), H(get_mempolicy, EPERM), H(mbind, EPERM),
	H(setrlimit, EPERM), H(set_robust_list, EPERM), H(getdents64, EPERM),
	H(flock, EPERM), H(fchmod, EPERM), H(ftruncate, EPERM), H(fallocate, EPERM),
	H(fsync, EPERM), H(fdatasync, EPERM), H(seccomp, EPERM),
	H(landlock_create_ruleset, EPERM), H(tgkill, EPERM), H(capget, EPERM),
#undef H
};

#define NRULES		(sizeof(rules) / sizeof(rules[0]))
#define NHARMLESS	(sizeof(harmless) / sizeof(harmless[0]))

/* Does a promise allow the call: 2 with any arguments, 1 with some, 0 not? */
static int
promised(int nr, unsigned promises)
{
	size_t i;
	int found = 0;

	for (i = 0; i < NRULES; i++)
		if (rules[i].nr == nr && (rules[i].promises & promises) != 0) {
			if (rules[i].cmp.op == 0)
				return 2;
			found = 1;
		}
	return found;
}

static int
add(scmp_filter_ctx ctx, uint32_t action, int nr, const struct scmp_arg_cmp *cmp)
{
	int rc;

	if (nr < 0)
		return 0;	/* a call this machine's architecture has not */
	if (cmp == NULL || cmp->op == 0)
		rc = seccomp_rule_add(ctx, action, nr, 0);
	else
		rc = seccomp_rule_add_array(ctx, action, nr, 1, cmp);
	return rc == 0 || rc == -EEXIST ? 0 : rc;
}

static int
build_outer(scmp_filter_ctx ctx, unsigned promises)
{
	size_t i;
	int rc = 0;

	for (i = 0; i < NRULES && rc == 0; i++)
		if ((rules[i].promises & promises) != 0)
			rc = add(ctx, SCMP_ACT_ALLOW, rules[i].nr, NULL);
	for (i = 0; i < NHARMLESS && rc == 0; i++)
		rc = add(ctx, SCMP_ACT_ALLOW, harmless[i].nr, NULL);
	return rc;
}

static int
build_inner(scmp_filter_ctx ctx, unsigned promises)
{
	struct scmp_arg_cmp self = { 0, SCMP_CMP_EQ, 0, 0 };
	size_t i;
	int rc = 0;

	for (i = 0; i < NRULES && rc == 0; i++) {
		if ((rules[i].promises & promises) == 0)
			continue;
		/* a condition beside a rule without one says nothing */
		if (rules[i].cmp.op != 0 && promised(rules[i].nr, promises) == 2)
			continue;
		rc = add(ctx, SCMP_ACT_ALLOW, rules[i].nr, &rules[i].cmp);
	}
	for (i = 0; i < NHARMLESS && rc == 0; i++) {
		/* EPERM is what this filter says anyway */
		if (harmless[i].error == EPERM || promised(harmless[i].nr, promises) == 2)
			continue;
		if (harmless[i].cmp.op == 0 && promised(harmless[i].nr, promises) == 1)
			continue;
		rc = add(ctx, SCMP_ACT_ERRNO((uint32_t)harmless[i].error), harmless[i].nr,
		    &harmless[i].cmp);
	}
	/* abort(3) and raise(3) */
	if (rc == 0 && (promises & SB_PROC) == 0) {
		self.datum_a = (scmp_datum_t)getpid();
		rc = add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), &self);
	}
	return rc;
}

static int
load_filter(uint32_t otherwise, unsigned promises,
    int (*build)(scmp_filter_ctx, unsigned))
{
	scmp_filter_ctx ctx;
	int rc;

	if ((ctx = seccomp_init(otherwise)) == NULL) {
		log_warnx("sandbox: seccomp: no memory");
		return -1;
	}
	rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (rc == 0)	/* a tree instead of a chain of comparisons */
		rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (rc == 0)
		rc = build(ctx, promises);
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	if (rc != 0) {
		errno = -rc;
		log_warn("sandbox: seccomp");
		return -1;
	}
	return 0;
}

#ifdef WITH_SANITIZERS
/* LeakSanitizer traces its own process, which no sandbox here allows: without
 * this it hangs or dies at exit.  Tests that enter none ask for it by name. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}

/* In the builds that tests use, say which call it was; the process ends by
 * SIGSYS all the same. */
#define OTHERWISE	SCMP_ACT_TRAP

static void
on_sigsys(int sig, siginfo_t *info, void *context)
{
	char *name;

	(void)context;
	name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, info->si_syscall);
	log_alarm("sandbox: call %d (%s) is forbidden here", info->si_syscall,
	    name == NULL ? "unknown" : name);
	(void)signal(sig, SIG_DFL);
	(void)raise(sig);
}

static void
watch(void)
{
	struct sigaction sa = { .sa_sigaction = on_sigsys,
	    .sa_flags = SA_SIGINFO | SA_NODEFER };

	(void)sigaction(SIGSYS, &sa, NULL);
}
#else
#define OTHERWISE	SCMP_ACT_KILL_PROCESS

static void
watch(void)
{
}
#endif

/* What the programs under muhurd's layer must reach before they have one of
 * their own: the loader, the libraries and their settings. */
static const struct sandbox_path child_paths[] = {
	{ -1, "/usr", SB_READ }, { -1, "/lib", SB_READ }, { -1, "/lib64", SB_READ },
	{ -1, "/etc/ld.so.cache", SB_READ }, { -1, "/etc/ssl", SB_READ },
	{ -1, "/etc/localtime", SB_READ }, { -1, "/etc/nsswitch.conf", SB_READ },
	{ -1, "/etc/passwd", SB_READ }, { -1, "/etc/group", SB_READ },
	{ -1, "/dev/null", SB_READ | SB_WRITE }, { -1, "/dev/urandom", SB_READ },
	{ -1, "/sys/devices/system/cpu", SB_READ },
#ifdef WITH_SANITIZERS
	{ -1, "/proc", SB_READ },	/* their runtime reads /proc/self/maps */
#endif
};
#define NCHILD_PATHS	(sizeof(child_paths) / sizeof(child_paths[0]))

static int
confine_files(unsigned promises, const struct sandbox_path *paths, size_t npaths)
{
	struct sandbox_path *all;
	size_t n = npaths;
	int exec = (promises & SB_PROC) != 0, rc;

	all = xcalloc(npaths + NCHILD_PATHS, sizeof(*all));
	if (npaths > 0)
		memcpy(all, paths, npaths * sizeof(*all));
	if (exec) {
		memcpy(all + npaths, child_paths, sizeof(child_paths));
		n += NCHILD_PATHS;
	}
	rc = landlock_enter(all, n, exec);
	free(all);
	return rc;
}

/* No core dumps, no debugger, no programs that raise privileges. */
static int
give_up_rights(void)
{
	struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) == -1 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1) {
		log_warn("sandbox: giving up rights");
		return -1;
	}
	return 0;
}

int
sandbox_enter(int on, unsigned promises, const struct sandbox_path *paths, size_t npaths)
{
#ifdef WITH_VALGRIND	/* it knows neither Landlock nor what it itself would ask for */
	log_alarm("sandbox: this build, for valgrind, has none");
	return 0;
#endif
	if (!on) {
		log_alarm("sandbox: switched off by the configuration (sandbox = false)");
		return 0;
	}
	if (give_up_rights() == -1 || confine_files(promises, paths, npaths) == -1)
		goto fail;
	watch();
	if (load_filter(OTHERWISE, promises, build_outer) == -1 ||
	    load_filter(SCMP_ACT_ERRNO(EPERM), promises, build_inner) == -1)
		goto fail;
	return 0;
fail:
	log_alarm("sandbox: cannot be entered here, so the process ends "
	    "(sandbox = false in muhur.conf runs without one)");
	return -1;
}
