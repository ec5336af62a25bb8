/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "base/landlock.h"
#include "base/log.h"

/*
 * The kernel's interface, written out: Debian 12's <linux/landlock.h> ends at
 * ABI 2 while the running kernel may know more.  Documentation:
 * userspace-api/landlock in the kernel's sources.
 */
#define CREATE_RULESET_VERSION	(1U << 0)
#define RULE_PATH_BENEATH	1

#define FS_EXECUTE	(UINT64_C(1) << 0)
#define FS_WRITE_FILE	(UINT64_C(1) << 1)
#define FS_READ_FILE	(UINT64_C(1) << 2)
#define FS_READ_DIR	(UINT64_C(1) << 3)
#define FS_REMOVE_DIR	(UINT64_C(1) << 4)
#define FS_REMOVE_FILE	(UINT64_C(1) << 5)
#define FS_MAKE_CHAR	(UINT64_C(1) << 6)
#define FS_MAKE_DIR	(UINT64_C(1) << 7)
#define FS_MAKE_REG	(UINT64_C(1) << 8)
#define FS_MAKE_SOCK	(UINT64_C(1) << 9)
#define FS_MAKE_FIFO	(UINT64_C(1) << 10)
#define FS_MAKE_BLOCK	(UINT64_C(1) << 11)
#define FS_MAKE_SYM	(UINT64_C(1) << 12)
#define FS_REFER	(UINT64_C(1) << 13)	/* ABI 2 */
#define FS_TRUNCATE	(UINT64_C(1) << 14)	/* ABI 3 */
#define FS_IOCTL_DEV	(UINT64_C(1) << 15)	/* ABI 5 */
#define NET_BIND_TCP	(UINT64_C(1) << 0)	/* ABI 4 */
#define NET_CONNECT_TCP	(UINT64_C(1) << 1)	/* ABI 4 */
#define SCOPE_ABSTRACT_UNIX_SOCKET (UINT64_C(1) << 0)	/* ABI 6 */
#define SCOPE_SIGNAL	(UINT64_C(1) << 1)	/* ABI 6 */

/* Without REFER (ABI 2) no file could move between two directories. */
#define ABI_NEEDED	2

struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

struct path_beneath_attr {
	uint64_t allowed_access;
	int32_t	 parent_fd;
} __attribute__((packed));

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset	444
#define SYS_landlock_add_rule		445
#define SYS_landlock_restrict_self	446
#endif

/* All that a kernel of this ABI can refuse, and how long its struct is. */
static size_t
all_rights(int abi, struct ruleset_attr *attr)
{
	attr->handled_access_fs = FS_REFER | (FS_REFER - 1);
	attr->handled_access_net = 0;
	attr->scoped = 0;
	if (abi >= 3)
		attr->handled_access_fs |= FS_TRUNCATE;
	if (abi >= 4)
		attr->handled_access_net = NET_BIND_TCP | NET_CONNECT_TCP;
	if (abi >= 5)
		attr->handled_access_fs |= FS_IOCTL_DEV;
	if (abi >= 6)
		attr->scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
	if (abi < 4)
		return sizeof(attr->handled_access_fs);
	if (abi < 6)
		return 2 * sizeof(uint64_t);
	return sizeof(*attr);
}

static uint64_t
rights(int access, int exec, int is_dir)
{
	uint64_t r = 0;

	if ((access & SB_READ) != 0)
		r |= FS_READ_FILE | FS_READ_DIR;
	if (exec && access == SB_READ)
		r |= FS_EXECUTE;
	if ((access & SB_WRITE) != 0)
		r |= FS_WRITE_FILE | FS_TRUNCATE | FS_REMOVE_DIR | FS_REMOVE_FILE |
		    FS_MAKE_DIR | FS_MAKE_REG | FS_REFER;
	if (!is_dir)	/* the kernel refuses rights that a file cannot have */
		r &= FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE;
	return r;
}

static int
add_rule(int ruleset, uint64_t handled, const struct sandbox_path *p, int exec)
{
	struct path_beneath_attr attr;
	struct stat st;
	int fd = p->fd, rc = -1;

	if (fd == -1 && (fd = open(p->path, O_PATH | O_CLOEXEC)) == -1) {
		if (errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP ||
		    errno == ENAMETOOLONG)
			return 0;	/* what is not there cannot be used */
		log_warn("sandbox: %s", p->path);
		return -1;
	}
	if (fstat(fd, &st) == -1) {
		log_warn("sandbox: descriptor %d", fd);
		goto out;
	}
	attr.parent_fd = fd;
	attr.allowed_access = rights(p->access, exec, S_ISDIR(st.st_mode)) & handled;
	if (attr.allowed_access != 0 &&
	    syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &attr, 0) == -1) {
		log_warn("sandbox: Landlock rule for %s",
		    p->path != NULL ? p->path : "a descriptor");
		goto out;
	}
	rc = 0;
out:
	if (fd != p->fd)
		(void)close(fd);
	return rc;
}

int
landlock_enter(const struct sandbox_path *paths, size_t npaths, int exec)
{
	struct ruleset_attr attr;
	size_t i, size;
	long abi;
	int fd = -1, rc = -1;

	abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
	if (abi == -1) {
		log_warn("sandbox: this kernel has no Landlock, or it is not enabled");
		return -1;
	}
	if (abi < ABI_NEEDED) {
		log_warnx("sandbox: this kernel's Landlock is ABI %ld, %d is needed "
		    "(Linux 5.19)", abi, ABI_NEEDED);
		return -1;
	}
	size = all_rights((int)abi, &attr);
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (fd == -1) {
		log_warn("sandbox: Landlock");
		goto out;
	}
	for (i = 0; i < npaths; i++)
		if (add_rule(fd, attr.handled_access_fs, &paths[i], exec) == -1)
			goto out;
	if (syscall(SYS_landlock_restrict_self, fd, 0) == -1) {
		log_warn("sandbox: Landlock");
		goto out;
	}
	rc = 0;
out:
	if (fd != -1)
		(void)close(fd);
	return rc;
}
