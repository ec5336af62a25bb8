/* SPDX-License-Identifier: ISC */
/* A store in a folder of its own, for the tests of src/archive. */
#ifndef TESTS_ARCHIVE_STORE_H
#define TESTS_ARCHIVE_STORE_H

#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/mem.h"
#include "depot/depot.h"
#include "depot/material.h"

static char	dir[] = "/tmp/muhur-store.XXXXXX";
static int	store = -1;

/* Not as root, for whom no mode is an obstacle. */
static inline int
store_setup(void **state)
{
	(void)state;
	if (getuid() == 0 && seteuid(65534) == -1)
		return -1;
	(void)memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
	return mkdtemp(dir) == NULL || (store = open(dir, O_RDONLY | O_DIRECTORY)) == -1 ? -1 : 0;
}

static inline int
store_teardown(void **state)
{
	char cmd[64];

	(void)state;
	(void)close(store);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return seteuid(getuid()) == -1 ? -1 : system(cmd);
}

/* n bytes that differ with seed, lines that compress; their SHA-256.  The caller's. */
static inline char *
bytes_of(int seed, size_t n, char sha256[SHA256_HEX_SIZE])
{
	struct material *m = material_new();
	char *p = xcalloc(n + 1, 1);
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = (char)('a' + (i / 7 + i * (size_t)seed) % 23);
	material_add(m, "x", p, n, sha256);
	material_free(m);
	return p;
}

static inline int
shelf_of(const char *sha256)
{
	char head[3] = { sha256[0], sha256[1], '\0' };

	return open_dir(store, head);
}

static inline void
put_document(const char *sha256, const char *suffix, const void *p, size_t n)
{
	char name[SHA256_HEX_SIZE + 8];
	int shelf = shelf_of(sha256);

	(void)snprintf(name, sizeof(name), "%.64s%.7s", sha256, suffix);
	if (shelf == -1 || file_write_durable(shelf, name, p, n, 0640) == -1)
		abort();
	(void)close(shelf);
}

static inline int
there(const char *sha256, enum depot_form form)
{
	char path[DEPOT_PATH_SIZE];
	struct stat st;

	depot_path(sha256, form, path);
	return fstatat(store, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* One byte in the middle of the file becomes another. */
static inline void
flip(const char *sha256, enum depot_form form)
{
	char path[DEPOT_PATH_SIZE], c;
	struct stat st;
	int fd;

	depot_path(sha256, form, path);
	if (fchmodat(store, path, 0640, 0) == -1)
		abort();
	fd = openat(store, path, O_RDWR);
	if (fd == -1 || fstat(fd, &st) == -1 || pread(fd, &c, 1, st.st_size / 2) != 1)
		abort();
	c ^= 1;
	if (pwrite(fd, &c, 1, st.st_size / 2) != 1)
		abort();
	(void)close(fd);
}

#endif
