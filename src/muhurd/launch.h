/* SPDX-License-Identifier: ISC */
/*
 * From fork to execveat: what a child's process does to itself before it
 * becomes a role program.  muhurd has threads, so everything is laid out
 * before the fork and the child makes async-signal-safe calls only.
 */
#ifndef MUHUR_MUHURD_LAUNCH_H
#define MUHUR_MUHURD_LAUNCH_H

#include <stddef.h>
#include <sys/types.h>

#include "base/child.h"
#include "muhurd/gateway.h"

struct launch {
	enum role	 role;
	const char	*argv[4];
	int		 program;	/* O_PATH */
	int		 fds[FD_COUNT];	/* from FD_CHANNEL on; -1: none */
	int		 own_uid;
	uid_t		 uid;
	gid_t		 gid;
	unsigned long long file_size;	/* RLIMIT_FSIZE, 0 as it is */
	unsigned long long cpu;		/* RLIMIT_CPU, seconds, 0 as it is */
	unsigned long long memory;	/* RLIMIT_AS, bytes, 0 as it is */
};

/* The child's pid, or -1 with errno.  Descriptors stay the caller's. */
pid_t launch(const struct launch *l);

#endif
