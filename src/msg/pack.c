/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "model/ident.h"
#include "msg/pack.h"

static void
put(struct buf *b, const void *p, size_t n)
{
	if (buf_append(b, p, n) == -1)
		fatalx("message larger than its buffer");
}

void
put_u8(struct buf *b, unsigned v)
{
	uint8_t u = (uint8_t)v;

	put(b, &u, sizeof(u));
}

void
put_u32(struct buf *b, uint32_t v)
{
	put(b, &v, sizeof(v));
}

void
put_i64(struct buf *b, int64_t v)
{
	put(b, &v, sizeof(v));
}

void
put_bytes(struct buf *b, const void *p, uint32_t len)
{
	put_u32(b, len);
	put(b, p, len);
}

void
put_decimal(struct buf *b, struct decimal d)
{
	put(b, &d.scaled, sizeof(d.scaled));
}

void
put_str(struct buf *b, const char *s)
{
	size_t n = strlen(s);
	uint16_t len = (uint16_t)n;

	if (n > UINT16_MAX)
		fatalx("string of %zu bytes in a message", n);
	put(b, &len, sizeof(len));
	put(b, s, n);
}

void
reader_init(struct reader *r, const void *p, size_t len)
{
	r->p = p;
	r->left = len;
	r->bad = 0;
}

int
reader_done(const struct reader *r)
{
	return r->bad || r->left != 0 ? -1 : 0;
}

/* Zeroes out where there are not n bytes left. */
static void
get(struct reader *r, void *out, size_t n)
{
	if (r->bad || n > r->left) {
		r->bad = 1;
		memset(out, 0, n);
		return;
	}
	memcpy(out, r->p, n);
	r->p += n;
	r->left -= n;
}

int
get_bool(struct reader *r)
{
	return (int)get_enum(r, 2);
}

unsigned
get_enum(struct reader *r, unsigned count)
{
	uint8_t v;

	get(r, &v, sizeof(v));
	if (v >= count) {
		r->bad = 1;
		v = 0;
	}
	return v;
}

uint32_t
get_u32(struct reader *r)
{
	uint32_t v;

	get(r, &v, sizeof(v));
	return v;
}

int64_t
get_i64(struct reader *r)
{
	int64_t v;

	get(r, &v, sizeof(v));
	return v;
}

int64_t
get_count(struct reader *r)
{
	int64_t v = get_i64(r);

	if (v < 0) {
		r->bad = 1;
		v = 0;
	}
	return v;
}

uint32_t
get_bytes(struct reader *r, void *p, size_t size)
{
	uint32_t len = get_u32(r);

	if (len > size) {
		r->bad = 1;
		return 0;
	}
	get(r, p, len);
	return r->bad ? 0 : len;
}

struct decimal
get_decimal(struct reader *r)
{
	struct decimal d, zero = { 0 };

	get(r, &d.scaled, sizeof(d.scaled));
	if (decimal_add(&zero, d) == -1) {
		r->bad = 1;
		d.scaled = 0;
	}
	return d;
}

void
get_str(struct reader *r, char *s, size_t size)
{
	uint16_t len;

	get(r, &len, sizeof(len));
	s[0] = '\0';
	if (len >= size) {
		r->bad = 1;
		return;
	}
	get(r, s, len);
	s[len] = '\0';
	if (strlen(s) != len)
		r->bad = 1;
	if (r->bad)
		s[0] = '\0';
}

void
get_text(struct reader *r, char *s, size_t size)
{
	get_str(r, s, size);
	if (!text_ok(s, strlen(s))) {
		r->bad = 1;
		s[0] = '\0';
	}
}

void
get_checked(struct reader *r, char *s, size_t size, int (*ok)(const char *),
    int flags)
{
	get_str(r, s, size);
	if ((s[0] == '\0' && (flags & MAY_BE_EMPTY)) || ok(s))
		return;
	r->bad = 1;
	s[0] = '\0';
}

int
sha256_hex_ok(const char *s)
{
	return strspn(s, "0123456789abcdef") == SHA256_HEX_SIZE - 1 &&
	    s[SHA256_HEX_SIZE - 1] == '\0';
}
