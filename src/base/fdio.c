/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/mem.h"

/* Wait until fd is ready; 0, or -1 with errno. */
static int
wait_for(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	while (poll(&pfd, 1, -1) == -1)
		if (errno != EINTR)
			return -1;
	return 0;
}

ssize_t
read_full(int fd, void *p, size_t n)
{
	char *d = p;
	size_t done = 0;
	ssize_t r;

	while (done < n) {
		r = read(fd, d + done, n - done);
		if (r == 0)
			break;
		if (r > 0)
			done += (size_t)r;
		else if (errno == EAGAIN) {
			if (wait_for(fd, POLLIN) == -1)
				return -1;
		} else if (errno != EINTR)
			return -1;
	}
	return (ssize_t)done;
}

int
write_full(int fd, const void *p, size_t n)
{
	const char *s = p;
	size_t done = 0;
	ssize_t r;

	while (done < n) {
		r = write(fd, s + done, n - done);
		if (r >= 0)
			done += (size_t)r;
		else if (errno == EAGAIN) {
			if (wait_for(fd, POLLOUT) == -1)
				return -1;
		} else if (errno != EINTR)
			return -1;
	}
	return 0;
}

ssize_t
pread_full(int fd, void *p, size_t n, off_t at)
{
	char *s = p;
	size_t done = 0;
	ssize_t r = 1;

	while (done < n && r != 0) {
		if ((r = pread(fd, s + done, n - done, at + (off_t)done)) > 0)
			done += (size_t)r;
		else if (r == -1 && errno != EINTR)
			return -1;
	}
	return (ssize_t)done;
}

int
pwrite_full(int fd, const void *p, size_t n, off_t at)
{
	const char *s = p;
	size_t done = 0;
	ssize_t r;

	while (done < n) {
		if ((r = pwrite(fd, s + done, n - done, at + (off_t)done)) >= 0)
			done += (size_t)r;
		else if (errno != EINTR)
			return -1;
	}
	return 0;
}

int
fd_read_all(int fd, size_t max, char **data, size_t *len)
{
	struct buf b = { 0 };
	char part[8192];
	ssize_t r;

	*data = NULL;
	*len = 0;
	b.cap = max;
	if (buf_append(&b, "", 0) == -1)
		return -1;
	for (;;) {
		r = pread(fd, part, sizeof(part), (off_t)b.len);
		if (r == -1 && errno == EINTR)
			continue;
		if (r == -1)
			goto fail;
		if (r == 0)
			break;
		/* a cap of 0 would mean "unlimited" to the buffer */
		if (max == 0 || buf_append(&b, part, (size_t)r) == -1) {
			errno = EFBIG;
			goto fail;
		}
	}
	explicit_bzero(part, sizeof(part));	/* passwords come this way too */
	*data = b.data;
	*len = b.len;
	return 0;
fail:
	explicit_bzero(part, sizeof(part));
	buf_free(&b);
	return -1;
}

int
file_read_all(const char *path, size_t max, char **data, size_t *len)
{
	int fd, rc, saved;

	*data = NULL;
	*len = 0;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) == -1)
		return -1;
	rc = fd_read_all(fd, max, data, len);
	saved = errno;
	(void)close(fd);
	errno = saved;
	return rc;
}

int
fd_sealed(const char *name, const void *p, size_t n)
{
	int fd, saved;

	if ((fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING)) == -1)
		return -1;
	if (write_full(fd, p, n) == 0 && fcntl(fd, F_ADD_SEALS,
	    F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0)
		return fd;
	saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

/* ".NAME.<16 hex>.tmp": cannot meet another process's, nor a real name. */
static char *
temporary_name(const char *name)
{
	uint64_t r;

	if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
		return NULL;
	return xasprintf(".%s.%016llx.tmp", name, (unsigned long long)r);
}

int
file_write_durable(int dirfd, const char *name, const void *p, size_t n, mode_t mode)
{
	char *tmp = NULL;
	int fd = -1, rc = -1, saved;

	if ((tmp = temporary_name(name)) == NULL)
		goto out;
	fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd == -1)
		goto out;
	/* The wanted mode, whatever the umask. */
	if (write_full(fd, p, n) == -1 || fchmod(fd, mode) == -1 || fsync(fd) == -1)
		goto out;
	/* Some file systems report a lost write here only. */
	rc = close(fd);
	fd = -1;
	if (rc == -1)
		goto out;
	rc = -1;
	if (renameat(dirfd, tmp, dirfd, name) == -1)
		goto out;
	free(tmp);
	tmp = NULL;
	if (fsync_dir(dirfd) == -1)
		goto out;
	rc = 0;
out:
	saved = errno;
	if (fd != -1)
		(void)close(fd);
	if (tmp != NULL)
		(void)unlinkat(dirfd, tmp, 0);
	free(tmp);
	errno = saved;
	return rc;
}

int
rename_durable(int fromdir, const char *from, int todir, const char *to)
{
	if (renameat(fromdir, from, todir, to) == -1)
		return -1;
	/* The new name first: a crash between the two shows the file twice, never
	 * not at all. */
	if (fsync_dir(todir) == -1)
		return -1;
	if (fromdir != todir && fsync_dir(fromdir) == -1)
		return -1;
	return 0;
}

int
fsync_dir(int dirfd)
{
	int fd, rc, saved;

	/* AT_FDCWD has no descriptor to sync. */
	if (dirfd != AT_FDCWD)
		return fsync(dirfd);
	if ((fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return -1;
	rc = fsync(fd);
	saved = errno;
	(void)close(fd);
	errno = saved;
	return rc;
}

int
open_beneath(int dirfd, const char *name, int flags, mode_t mode)
{
	struct open_how how = { 0 };
	long fd;

	how.flags = (uint64_t)(unsigned)flags | O_CLOEXEC | O_NOCTTY;
	/* openat2 refuses a mode that would not be used */
	if ((flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE)
		how.mode = mode & 07777;
	how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
#ifdef WITH_VALGRIND	/* which has no openat2: nothing hostile is let near such a build */
	return openat(dirfd, name, (int)how.flags | O_NOFOLLOW, (mode_t)how.mode);
#endif
	do {
		fd = syscall(SYS_openat2, dirfd, name, &how, sizeof(how));
		/* EAGAIN: a rename elsewhere made ".." unsafe to judge; try again */
	} while (fd == -1 && (errno == EINTR || errno == EAGAIN));
	return (int)fd;
}

int
make_dir(int dirfd, const char *name, mode_t mode, int *made)
{
	struct stat st;

	if (made != NULL)
		*made = 0;
	if (mkdirat(dirfd, name, mode) == 0) {
		if (made != NULL)
			*made = 1;
		return 0;
	}
	if (errno != EEXIST)
		return -1;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return -1;
	}
	return 0;
}

int
open_dir(int dirfd, const char *name)
{
	int fd, made;

	fd = open_beneath(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd != -1 || errno != ENOENT)
		return fd;
	if (make_dir(dirfd, name, 0750, &made) == -1)
		return -1;
	if (made && fsync_dir(dirfd) == -1)
		return -1;
	return open_beneath(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
}

DIR *
open_list(int dirfd, const char *name)
{
	int fd = open_beneath(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0), saved;
	DIR *d;

	if (fd == -1)
		return NULL;
	if ((d = fdopendir(fd)) == NULL) {
		saved = errno;
		(void)close(fd);
		errno = saved;
	}
	return d;
}

int
set_nonblock(int fd)
{
	int flags;

	if ((flags = fcntl(fd, F_GETFL)) == -1)
		return -1;
	return fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ? -1 : 0;
}

int
set_cloexec(int fd, int on)
{
	return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) == -1 ? -1 : 0;
}

void
close_from(int first)
{
	closefrom(first);
}
