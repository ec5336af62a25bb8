/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "muhurd/tree.h"

int
tree_dir_existing(int dirfd, const char *name)
{
	return open_beneath(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
}

int
tree_dir(int dirfd, const char *name, mode_t mode)
{
	int fd, made;

	fd = tree_dir_existing(dirfd, name);
	if (fd != -1 || errno != ENOENT)
		return fd;
	if (make_dir(dirfd, name, mode, &made) == -1)
		return -1;
	if (made && fsync_dir(dirfd) == -1)
		return -1;
	return tree_dir_existing(dirfd, name);
}

int
tree_path(int dirfd, const char *const *names, size_t n, mode_t outer, mode_t innermost)
{
	int fd = dirfd, next, saved;
	size_t i;

	for (i = 0; i < n; i++) {
		next = tree_dir(fd, names[i], i + 1 < n ? outer : innermost);
		saved = errno;
		if (fd != dirfd)
			(void)close(fd);
		errno = saved;
		if ((fd = next) == -1)
			return -1;
	}
	return fd;
}

int
tree_open(struct tree *t, int state)
{
	static const char *const received[] = { "spool", "received" };

	t->state = state;
	t->received = t->store = t->tmp = t->boxes = t->trail = t->openings = -1;
	if ((t->received = tree_path(state, received, 2, TREE_PRIVATE, TREE_PRIVATE)) == -1)
		log_warn("state directory: spool/received");
	else if ((t->store = tree_dir(state, "store", TREE_SHARED)) == -1)
		log_warn("state directory: store");
	else if ((t->tmp = tree_dir(t->store, "tmp", TREE_PRIVATE)) == -1)
		log_warn("state directory: store/tmp");
	else if ((t->boxes = tree_dir(state, "boxes", TREE_SHARED)) == -1)
		log_warn("state directory: boxes");
	else if ((t->trail = tree_dir(state, "trail", TREE_OUTBOX)) == -1)
		log_warn("state directory: trail");
	else if ((t->openings = tree_dir(state, "openings", TREE_SHARED)) == -1)
		log_warn("state directory: openings");
	else
		return 0;
	return -1;
}

void
tree_close(struct tree *t)
{
	int *fds[] = { &t->state, &t->received, &t->store, &t->tmp, &t->boxes, &t->trail, &t->openings };
	size_t i;

	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (*fds[i] != -1)
			(void)close(*fds[i]);
		*fds[i] = -1;
	}
}

int
tree_renew_boxes(const struct tree *t)
{
	struct stat held, now;
	int fd, rc = -1, saved;

	if ((fd = tree_dir(t->state, "boxes", TREE_SHARED)) == -1)
		return -1;
	if (fstat(t->boxes, &held) == 0 && fstat(fd, &now) == 0) {
		if (same_file(&now, &held))
			rc = 0;
		else if (dup3(fd, t->boxes, O_CLOEXEC) != -1)
			rc = 1;
	}
	saved = errno;
	(void)close(fd);
	errno = saved;
	return rc;
}

int
tree_each(int dirfd, int (*fn)(int, const char *, void *), void *arg)
{
	struct dirent *e;
	DIR *dir;
	int rc = 0, saved;

	/* a description of its own: the place of a shared one would be shared too */
	if ((dir = open_list(dirfd, ".")) == NULL)
		return -1;
	for (;;) {
		errno = 0;
		if ((e = readdir(dir)) == NULL) {
			rc = errno != 0 ? -1 : rc;
			break;
		}
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if ((rc = fn(dirfd, e->d_name, arg)) != 0)
			break;
	}
	saved = errno;
	(void)closedir(dir);
	errno = saved;
	return rc;
}
