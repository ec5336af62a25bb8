/* SPDX-License-Identifier: ISC */
/* A state directory for one test, and files in it. */
#ifndef MUHUR_TESTS_UNIT_MUHURD_HELPER_H
#define MUHUR_TESTS_UNIT_MUHURD_HELPER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those that cmocka.h needs */
#include <cmocka.h>

#include <sys/stat.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/ident.h"
#include "muhurd/spool.h"
#include "muhurd/tree.h"

struct world {
	char		 path[64];
	struct tree	 tree;
};

static inline int
world_remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

static inline int
world_new(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	int fd;

	umask(0);
	/* not tmpfs of necessity: leases and O_TMPFILE are asked of a real disk */
	(void)snprintf(w->path, sizeof(w->path), "muhurd-test.XXXXXX");
	if (mkdtemp(w->path) == NULL ||
	    (fd = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1 ||
	    tree_open(&w->tree, fd) == -1)
		return -1;
	*state = w;
	return 0;
}

static inline int
world_free(void **state)
{
	struct world *w = *state;

	tree_close(&w->tree);
	(void)nftw(w->path, world_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(w);
	return 0;
}

static inline void
make_file(int dirfd, const char *name, const char *text)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(close(fd), 0);
}

static inline int
there(int dirfd, const char *name)
{
	return faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The whole of a path below dirfd; a static buffer. */
static inline const char *
content(int dirfd, const char *name)
{
	static char text[256];
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_int_not_equal(fd, -1);
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n >= 0);
	text[n] = '\0';
	(void)close(fd);
	return text;
}


static inline int
count_one(int dirfd, const char *name, void *arg)
{
	(void)dirfd;
	(void)name;
	++*(int *)arg;
	return 0;
}

static inline int
count(int dirfd)
{
	int n = 0;

	assert_int_equal(tree_each(dirfd, count_one, &n), 0);
	return n;
}

/* A submission of user, with a fresh id. */
static inline struct m_submission
submission(const char *user)
{
	struct m_submission m;

	memset(&m, 0, sizeof(m));
	uuid_v7(clock_now(), m.id);
	(void)str_copy(m.user, sizeof(m.user), user);
	m.received_at = spool_id_time(m.id);
	return m;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_new, world_free)

#endif
