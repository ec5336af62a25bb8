/* SPDX-License-Identifier: ISC */
/*
 * What a process promises never to do: a seccomp filter (libseccomp, default
 * action kill, EPERM for a few harmless calls that libraries try) together
 * with Landlock rules for the file system (all access rights of the newest
 * ABI the kernel knows, newer constants defined by us).  Entered once, before
 * the first byte from a peer is read.  Fails closed: where the kernel cannot
 * give the sandbox, the process ends; `sandbox = false' in muhur.conf runs
 * without it and is logged as an alarm at start.
 */
#ifndef MUHUR_BASE_SANDBOX_H
#define MUHUR_BASE_SANDBOX_H

#include <stddef.h>

/* Promises, after OpenBSD's pledge(2); the filter allows the union. */
enum {
	SB_STDIO	= 1 << 0,	/* memory, clocks, read/write/poll/close/fstat/lseek/dup on open descriptors */
	SB_PASSFD	= 1 << 1,	/* sendmsg and recvmsg on the channel, with descriptors */
	SB_RPATH	= 1 << 2,	/* open for reading, stat, getdents; what Landlock rules allow */
	SB_WPATH	= 1 << 3,	/* create, write, rename, unlink, mkdir, link; what rules allow */
	SB_FILEIO	= 1 << 4,	/* pread, pwrite, ftruncate, fsync, futimens on open descriptors */
	SB_GETDENTS	= 1 << 5,	/* list open directories, fstatat below them */
	SB_SOCKIO	= 1 << 6,	/* send, recv, getsockopt on connected sockets; no new ones */
	SB_ACCEPT	= 1 << 7,	/* accept4 on an open listener */
	SB_UNIX		= 1 << 8,	/* socket(AF_UNIX) and connect: libpq */
	SB_THREAD	= 1 << 9,	/* clone for threads, set_robust_list, rseq */
	SB_PROC		= 1 << 10,	/* muhurd only: fork, execveat, wait4, kill, setresuid, prctl, and all a child needs before its own filter */
	SB_LEASE	= 1 << 11,	/* fcntl F_SETLEASE */
	SB_FLOCK	= 1 << 12,	/* lock open files: fcntl F_SETLK and its like, flock */
};

/*
 * A process and all it executes stay under its filter and its rules, so those
 * of muhurd (SB_PROC) hold every promise, and its rules must cover what its
 * children open by themselves: the system's libraries and settings are added
 * by SB_PROC, the role programs and the schemas muhurd names (SB_READ: under
 * SB_PROC what may be read and not written may be executed as well).  What a
 * child gets as an open descriptor needs no rule; opening beneath a directory
 * descriptor does.  Without SB_RPATH a call that opens or looks at a name
 * finds nothing (ENOENT); any other promise not made is EPERM for calls that
 * libraries try, and the end of the process (SIGSYS) for the rest.
 * Enter before making threads: others would stay outside.
 */
enum { SB_READ = 1, SB_WRITE = 2 };	/* write: make, rename, remove beneath as well */
struct sandbox_path {
	int	 fd;		/* directory or file descriptor ... */
	const char *path;	/* ... or, where fd is -1, a path (skipped when absent) */
	int	 access;
};

/* 0, or -1 with the cause logged; the caller must then exit.  on = 0: do
 * nothing but say so. Sets no_new_privs, no core dumps, and not dumpable. */
int sandbox_enter(int on, unsigned promises, const struct sandbox_path *paths, size_t npaths);

#endif
