/* SPDX-License-Identifier: ISC */
/* Files and descriptors: whole reads and writes, durable renames. */
#ifndef MUHUR_BASE_FDIO_H
#define MUHUR_BASE_FDIO_H

#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Read until n bytes or end of file; returns the number read, -1 with errno. */
ssize_t read_full(int fd, void *p, size_t n);
/* Write all of n bytes; 0, or -1 with errno. Retries EINTR and, by poll, EAGAIN. */
int write_full(int fd, const void *p, size_t n);
/* The same at a place of a file, whatever its offset. */
ssize_t pread_full(int fd, void *p, size_t n, off_t at);
int pwrite_full(int fd, const void *p, size_t n, off_t at);

/* The whole of a small file, at most max bytes, from the start of fd whatever
 * its offset (pread).  *data is NUL-terminated and the caller's to free.
 * -1 with errno; EFBIG when it is larger. */
int fd_read_all(int fd, size_t max, char **data, size_t *len);
int file_read_all(const char *path, size_t max, char **data, size_t *len);

/* Are the two one file, whatever its names? */
static inline int
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}
/* n bytes that nobody can change any more, in a descriptor (O_CLOEXEC, the
 * caller's) that may be handed to anyone; name is for /proc.  -1 with errno. */
int fd_sealed(const char *name, const void *p, size_t n);

/* Write a new file and make it durable: temporary name beside it, fsync,
 * rename, fsync of the directory.  0, or -1 with errno. */
int file_write_durable(int dirfd, const char *name, const void *p, size_t n, mode_t mode);

/* Rename across directories and make both durable (the file itself must have
 * been fsync'd).  0, or -1 with errno. */
int rename_durable(int fromdir, const char *from, int todir, const char *to);
int fsync_dir(int dirfd);

/* Open a directory below dirfd, making it (mode 0750) when absent; neither
 * follows a symbolic link.  Descriptor is O_RDONLY|O_DIRECTORY|O_CLOEXEC.
 * *made, when not NULL, tells that it is new (its parent then needs fsync_dir). */
int open_dir(int dirfd, const char *name);
int make_dir(int dirfd, const char *name, mode_t mode, int *made);
/* Open one base name below dirfd without leaving it: openat2 with
 * RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS. */
int open_beneath(int dirfd, const char *name, int flags, mode_t mode);
/* The same, of a directory (".": dirfd itself), to be read from its beginning;
 * NULL with errno.  Close it with closedir. */
DIR *open_list(int dirfd, const char *name);

int set_nonblock(int fd);
int set_cloexec(int fd, int on);
/* Close every descriptor >= first. */
void close_from(int first);

#endif
