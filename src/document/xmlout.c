/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "document/xmlout.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/fdio.h"
#include "base/log.h"

#define REPLACEMENT	"\xef\xbf\xbd"	/* U+FFFD */
#define SHORT		1024		/* bytes of a value: written in one piece */

static void
fail(struct xmlout *x, int error)
{
	if (x->error == 0)
		x->error = error;
}

static void
write_out(struct xmlout *x, const void *p, size_t n)
{
	if (x->error != 0 || n == 0)
		return;
	if (pwrite_full(x->fd, p, n, (off_t)x->size) == -1) {
		x->error = errno;
		return;
	}
	x->size += (long long)n;
	if (x->watch.written != NULL)
		x->watch.written(x->watch.arg, x->size);
}

static void
flush(struct xmlout *x)
{
	write_out(x, x->buf, x->n);
	x->n = 0;
}

/* Room for n bytes in one piece, of XMLOUT_BUFFER at most: where they go. */
static char *
room(struct xmlout *x, size_t n)
{
	if (n > sizeof(x->buf) - x->n)
		flush(x);
	return x->buf + x->n;
}

static void
put(struct xmlout *x, const void *p, size_t n)
{
	if (n > sizeof(x->buf) - x->n) {
		flush(x);
		if (n > sizeof(x->buf)) {
			write_out(x, p, n);
			return;
		}
	}
	memcpy(x->buf + x->n, p, n);
	x->n += n;
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

/* Bytes that stand for themselves in a text and in an attribute. */
static const unsigned char plain[256] = {
	[' '] = 1, ['!'] = 1, ['#' ... '%'] = 1, ['\'' ... ';'] = 1, ['='] = 1, ['?' ... '~'] = 1,
};

static const char *
escape_of(unsigned char c)
{
	switch (c) {
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '&':
		return "&amp;";
	case '"':
		return "&quot;";
	case '\t':
		return "&#9;";
	case '\n':
		return "&#10;";
	case '\r':
		return "&#13;";
	default:
		return NULL;
	}
}

/* The value escaped, and behind x->values as a parser reads it back. */
static void
put_value(struct xmlout *x, const char *value, size_t len)
{
	const unsigned char	*s = (const unsigned char *)value;
	const unsigned char	*end = s + len, *from;
	const char		*escape;
	size_t			 n;

	while (s < end) {
		for (from = s; s < end && plain[*s]; s++)
			;
		put(x, from, (size_t)(s - from));
		(void)buf_append(&x->values, from, (size_t)(s - from));
		if (s == end)
			return;
		escape = escape_of(*s);
		n = utf8_length(s);
		if (n == 0 || (escape == NULL && (*s < 0x20 || *s == 0x7f))) {
			puts_raw(x, REPLACEMENT);
			(void)buf_puts(&x->values, REPLACEMENT);
			s++;
			continue;
		}
		if (escape != NULL)
			puts_raw(x, escape);
		else
			put(x, s, n);
		(void)buf_append(&x->values, s, n);
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

static int
to_digest(void *arg, const char *p, size_t n)
{
	struct xmlout	*x = arg;

	return EVP_DigestUpdate(x->md, p, n) == 1 ? 0 : -1;
}

int
xmlout_init(struct xmlout *x, int fd, const EVP_MD *md, const struct xmlout_watch *watch)
{
	const struct c14n_params	 params = { .method = C14N_EXCLUSIVE };

	memset(x, 0, offsetof(struct xmlout, buf));
	x->fd = fd;
	if (watch != NULL)
		x->watch = *watch;
	x->c14n = c14n_new(&params, to_digest, x);
	x->md = EVP_MD_CTX_new();
	if (md == NULL || x->md == NULL || EVP_DigestInit_ex(x->md, md, NULL) != 1) {
		log_alarm("notice: the digest cannot be set up");
		return -1;
	}
	(void)buf_puts(&x->values, "");	/* there, also where all are empty */
	puts_raw(x, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
	return 0;
}

void
xmlout_free(struct xmlout *x)
{
	c14n_free(x->c14n);
	x->c14n = NULL;
	EVP_MD_CTX_free(x->md);
	x->md = NULL;
	buf_free(&x->values);
}

/* Before the root it is no text. */
static void
new_line(struct xmlout *x)
{
	static const char	blanks[1 + 2 * XMLOUT_DEPTH] = "\n                ";
	size_t			n = 1 + 2 * x->depth;

	put(x, blanks, n);
	if ((x->depth > 0 || x->has_children) &&
	    c14n_text(x->c14n, (const xmlChar *)blanks, (int)n) == -1)
		fail(x, EIO);
}

/* The start tag is complete; empty: the end tag, too. */
static void
close_tag(struct xmlout *x, const char *end)
{
	const xmlChar	*attributes[5 * XML_MAX_ATTRIBUTES], **a = attributes;
	const xmlChar	*values = (const xmlChar *)x->values.data;
	size_t		 from = 0;
	int		 i;

	for (i = 0; i < x->nattributes; i++, a += 5) {
		a[0] = x->names[i];
		a[1] = a[2] = NULL;
		a[3] = values + from;
		a[4] = values + x->ends[i];
		from = x->ends[i];
	}
	if (c14n_start(x->c14n, (const xmlChar *)x->open[x->depth - 1], NULL, NULL, x->nnamespaces,
	    x->namespaces, x->nattributes, attributes) == -1)
		fail(x, EIO);
	puts_raw(x, end);
	x->tag_open = 0;
}

void
xmlout_start(struct xmlout *x, const char *name)
{
	if (x->depth == XMLOUT_DEPTH) {
		fail(x, EOVERFLOW);
		return;
	}
	if (x->tag_open)
		close_tag(x, ">");
	new_line(x);
	put(x, "<", 1);
	puts_raw(x, name);
	x->open[x->depth++] = name;
	x->tag_open = 1;
	x->has_children = 0;
	x->nnamespaces = x->nattributes = 0;
	buf_reset(&x->values);
}

/* One that comes twice, or too late, is the program's mistake. */
static int
takes_attr(struct xmlout *x)
{
	if (x->tag_open && x->nattributes < XML_MAX_ATTRIBUTES)
		return 1;
	fail(x, EOVERFLOW);
	return 0;
}

/* Most values are short and stand for themselves. */
static void
put_plain_attr(struct xmlout *x, const char *name, const char *value, size_t len)
{
	size_t	 n = strlen(name);
	char	*p = room(x, n + len + 4);

	*p++ = ' ';
	p = mempcpy(p, name, n);
	*p++ = '=';
	*p++ = '"';
	p = mempcpy(p, value, len);
	*p++ = '"';
	x->n = (size_t)(p - x->buf);
	(void)buf_append(&x->values, value, len);
}

void
xmlout_namespace(struct xmlout *x, const char *uri)
{
	if (!takes_attr(x))
		return;
	puts_raw(x, " xmlns=\"");
	puts_raw(x, uri);
	put(x, "\"", 1);
	x->namespaces[0] = NULL;
	x->namespaces[1] = (const xmlChar *)uri;
	x->nnamespaces = 1;
}

void
xmlout_attr(struct xmlout *x, const char *name, const char *value)
{
	size_t	 n;

	if (!takes_attr(x))
		return;
	for (n = 0; plain[(unsigned char)value[n]]; n++)
		;
	if (value[n] == '\0' && n <= SHORT)
		put_plain_attr(x, name, value, n);
	else {
		put(x, " ", 1);
		puts_raw(x, name);
		put(x, "=\"", 2);
		put_value(x, value, strlen(value));
		put(x, "\"", 1);
	}
	x->names[x->nattributes] = (const xmlChar *)name;
	x->ends[x->nattributes++] = x->values.len;
}

/* All of the innermost element but its end tag. */
static void
before_end(struct xmlout *x)
{
	if (x->tag_open)
		close_tag(x, ">");
	x->depth--;
	if (x->has_children)
		new_line(x);
	if (c14n_end(x->c14n) == -1)
		fail(x, EIO);
	x->has_children = 1;
}

void
xmlout_end(struct xmlout *x)
{
	const char	*name;

	if (x->depth == 0)
		return;
	name = x->open[x->depth - 1];
	if (x->tag_open) {
		close_tag(x, "/>");
		x->depth--;
		if (c14n_end(x->c14n) == -1)
			fail(x, EIO);
		x->has_children = 1;
		return;
	}
	before_end(x);
	puts_raw(x, "</");
	puts_raw(x, name);
	put(x, ">", 1);
}

void
xmlout_text(struct xmlout *x, const char *name, const char *value, size_t max)
{
	xmlout_start(x, name);
	if (!x->tag_open)
		return;
	close_tag(x, ">");
	put_value(x, value, xmlout_cut(value, max));
	if (c14n_text(x->c14n, (const xmlChar *)x->values.data, (int)x->values.len) == -1)
		fail(x, EIO);
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
xmlout_digest(struct xmlout *x, unsigned char digest[EVP_MAX_MD_SIZE])
{
	while (x->depth > 1)
		xmlout_end(x);
	if (x->depth == 0)
		fail(x, EINVAL);
	else
		before_end(x);
	if (x->error == 0 && EVP_DigestFinal_ex(x->md, digest, NULL) != 1)
		fail(x, EIO);
	errno = x->error;
	return x->error == 0 ? 0 : -1;
}

void
xmlout_signature(struct xmlout *x, const struct buf *text)
{
	put(x, text->data, text->len);
}

int
xmlout_finish(struct xmlout *x)
{
	puts_raw(x, "</");
	puts_raw(x, x->open[0]);
	puts_raw(x, ">\n");
	flush(x);
	errno = x->error;
	return x->error == 0 ? 0 : -1;
}
