/* SPDX-License-Identifier: ISC */
#include "document/xmlout.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/fdio.h"

static void
flush(struct xmlout *x)
{
	if (x->error == 0 && x->n > 0 && write_full(x->fd, x->buf, x->n) == -1)
		x->error = errno;
	x->n = 0;
}

static void
put(struct xmlout *x, const char *p, size_t n)
{
	size_t	part;

	while (n > 0) {
		if (x->n == sizeof(x->buf))
			flush(x);
		part = sizeof(x->buf) - x->n < n ? sizeof(x->buf) - x->n : n;
		memcpy(x->buf + x->n, p, part);
		x->n += part;
		p += part;
		n -= part;
	}
}

static void
puts_raw(struct xmlout *x, const char *s)
{
	put(x, s, strlen(s));
}

/* The length of the UTF-8 character at s (RFC 3629); 0 where it is none. */
static size_t
utf8_length(const unsigned char *s)
{
	uint32_t	c = s[0];
	size_t		n, i;

	if (c < 0x80)
		return 1;
	n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	if (c < 0xc2 || c > 0xf4)
		return 0;
	c &= 0xffu >> (n + 1);
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if ((n == 3 && c < 0x800) || (n == 4 && c < 0x10000) || c > 0x10ffff ||
	    (c >= 0xd800 && c <= 0xdfff) || c == 0xfffe || c == 0xffff)
		return 0;
	return n;
}

static void
put_escaped(struct xmlout *x, const char *value, size_t len)
{
	const unsigned char	*s = (const unsigned char *)value;
	const unsigned char	*end = s + len;
	size_t			 n;

	while (s < end) {
		n = utf8_length(s);
		if (n == 0 || (*s < 0x20 && strchr("\t\n\r", *s) == NULL) || *s == 0x7f) {
			puts_raw(x, "\xef\xbf\xbd");
			s++;
			continue;
		}
		switch (*s) {
		case '<':
			puts_raw(x, "&lt;");
			break;
		case '>':
			puts_raw(x, "&gt;");
			break;
		case '&':
			puts_raw(x, "&amp;");
			break;
		case '"':
			puts_raw(x, "&quot;");
			break;
		case '\t':
			puts_raw(x, "&#9;");
			break;
		case '\n':
			puts_raw(x, "&#10;");
			break;
		case '\r':
			puts_raw(x, "&#13;");
			break;
		default:
			put(x, (const char *)s, n);
		}
		s += n;
	}
}

size_t
xmlout_cut(const char *s, size_t max)
{
	size_t	n = strlen(s);

	if (n <= max)
		return n;
	for (n = max; n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80; n--)
		;
	return n;
}

void
xmlout_init(struct xmlout *x, int fd)
{
	x->fd = fd;
	x->error = x->tag_open = x->has_children = 0;
	x->depth = x->n = 0;
	puts_raw(x, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
}

static void
new_line(struct xmlout *x)
{
	size_t	i;

	put(x, "\n", 1);
	for (i = 0; i < x->depth; i++)
		put(x, "  ", 2);
}

void
xmlout_start(struct xmlout *x, const char *name)
{
	if (x->depth == XMLOUT_DEPTH) {
		if (x->error == 0)
			x->error = EOVERFLOW;
		return;
	}
	if (x->tag_open)
		put(x, ">", 1);
	new_line(x);
	put(x, "<", 1);
	puts_raw(x, name);
	x->open[x->depth++] = name;
	x->tag_open = 1;
	x->has_children = 0;
}

void
xmlout_attr(struct xmlout *x, const char *name, const char *value)
{
	put(x, " ", 1);
	puts_raw(x, name);
	put(x, "=\"", 2);
	put_escaped(x, value, strlen(value));
	put(x, "\"", 1);
}

void
xmlout_end(struct xmlout *x)
{
	const char	*name;

	if (x->depth == 0)
		return;
	name = x->open[--x->depth];
	if (x->tag_open) {
		puts_raw(x, "/>");
	} else {
		if (x->has_children)
			new_line(x);
		puts_raw(x, "</");
		puts_raw(x, name);
		put(x, ">", 1);
	}
	x->tag_open = 0;
	x->has_children = 1;
}

void
xmlout_text(struct xmlout *x, const char *name, const char *value, size_t max)
{
	xmlout_start(x, name);
	put(x, ">", 1);
	x->tag_open = 0;
	put_escaped(x, value, xmlout_cut(value, max));
	xmlout_end(x);
}

void
xmlout_number(struct xmlout *x, const char *name, long long value)
{
	char	s[24];

	(void)snprintf(s, sizeof(s), "%lld", value);
	xmlout_text(x, name, s, sizeof(s));
}

int
xmlout_finish(struct xmlout *x)
{
	while (x->depth > 0)
		xmlout_end(x);
	put(x, "\n", 1);
	flush(x);
	errno = x->error;
	return x->error == 0 ? 0 : -1;
}
