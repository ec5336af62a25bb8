/* SPDX-License-Identifier: ISC */
/*
 * How payloads are written and read, for this folder only.  Integers stand
 * in host order, a string as u16 length and its bytes.  A reader that has
 * seen anything wrong stays bad: check once, at the end, with reader_done.
 */
#ifndef MUHUR_MSG_PACK_H
#define MUHUR_MSG_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "model/decimal.h"

void put_u8(struct buf *b, unsigned v);
void put_u32(struct buf *b, uint32_t v);
void put_i64(struct buf *b, int64_t v);
void put_bytes(struct buf *b, const void *p, uint32_t len);	/* u32 length first */
void put_decimal(struct buf *b, struct decimal d);
void put_str(struct buf *b, const char *s);

struct reader {
	const uint8_t	*p;
	size_t		 left;
	int		 bad;
};
void reader_init(struct reader *r, const void *p, size_t len);
int  reader_done(const struct reader *r);	/* 0 all read and right, else -1 */

/* Each gives a harmless value where the reader is or becomes bad. */
int	 get_bool(struct reader *r);
unsigned get_enum(struct reader *r, unsigned count);	/* 0 .. count - 1 */
uint32_t get_u32(struct reader *r);
int64_t	 get_i64(struct reader *r);
int64_t	 get_count(struct reader *r);		/* an i64 that is not negative */
uint32_t get_bytes(struct reader *r, void *p, size_t size);
struct decimal get_decimal(struct reader *r);
/* A string that fits size with its NUL and holds none. */
void	 get_str(struct reader *r, char *s, size_t size);
/* ... and is text that may go to logs and into XML. */
void	 get_text(struct reader *r, char *s, size_t size);
/* ... and is what ok says, or empty where that is allowed. */
enum { MAY_BE_EMPTY = 1 };
void	 get_checked(struct reader *r, char *s, size_t size,
	    int (*ok)(const char *), int flags);
int	 sha256_hex_ok(const char *s);

#endif
