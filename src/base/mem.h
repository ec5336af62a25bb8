/* SPDX-License-Identifier: ISC */
/*
 * Memory that must be there: small, bounded allocations of our own.  When
 * there is none the process ends loudly (fatal) and muhurd starts it anew;
 * sizes that a peer chose are bounded by base/limits.h before they come here.
 */
#ifndef MUHUR_BASE_MEM_H
#define MUHUR_BASE_MEM_H

#include <stddef.h>

void *xcalloc(size_t count, size_t size);
void *xreallocarray(void *p, size_t count, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Copy with truncation reported: 0, or -1 where src does not fit (dst is
 * then the empty string). */
int str_copy(char *dst, size_t dstsize, const char *src);

/* A byte buffer that grows; cap 0 means unlimited, else append past it
 * fails.  data is NUL-terminated past len.  Zero-initialise to start. */
struct buf {
	char	*data;
	size_t	 len;
	size_t	 size;	/* allocated */
	size_t	 cap;
};
int  buf_append(struct buf *b, const void *p, size_t n);	/* 0, -1 past cap */
int  buf_puts(struct buf *b, const char *s);
int  buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_reset(struct buf *b);	/* len 0, memory kept */
void buf_free(struct buf *b);

/* Lower-case hexadecimal; hex needs 2n+1 bytes. hex_decode: 0 or -1. */
void hex_encode(const void *p, size_t n, char *hex);
int  hex_decode(const char *hex, void *p, size_t n);

#endif
