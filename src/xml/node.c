/* SPDX-License-Identifier: ISC */
#include "xml/node.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static xmlNode *
element_from(xmlNode *n)
{
	while (n != NULL && n->type != XML_ELEMENT_NODE)
		n = n->next;
	return n;
}

xmlNode *
node_first(const xmlNode *parent)
{
	return element_from(parent->children);
}

xmlNode *
node_next(const xmlNode *n)
{
	return element_from(n->next);
}

int
node_is(const xmlNode *n, const char *ns, const char *name)
{
	return n != NULL && n->type == XML_ELEMENT_NODE && n->ns != NULL &&
	    n->ns->href != NULL &&
	    strcmp((const char *)n->ns->href, ns) == 0 &&
	    strcmp((const char *)n->name, name) == 0;
}

xmlNode *
node_child(const xmlNode *parent, const char *ns, const char *name)
{
	xmlNode	*n;

	for (n = node_first(parent); n != NULL; n = node_next(n))
		if (node_is(n, ns, name))
			return n;
	return NULL;
}

xmlNode *
node_only_child(const xmlNode *parent, const char *ns, const char *name)
{
	xmlNode	*first = node_child(parent, ns, name), *n;

	for (n = first != NULL ? node_next(first) : NULL; n != NULL; n = node_next(n))
		if (node_is(n, ns, name))
			return NULL;
	return first;
}

xmlNode *
node_walk(const xmlNode *n, const xmlNode *top)
{
	xmlNode	*next;

	if ((next = node_first(n)) != NULL)
		return next;
	while (n != top) {
		if ((next = node_next(n)) != NULL)
			return next;
		n = n->parent;
	}
	return NULL;
}

long
node_line(const xmlNode *n)
{
	return (long)(intptr_t)n->_private;
}

static int
is_space(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

int
node_has_stray_text(const xmlNode *n)
{
	const xmlNode	*c;
	const xmlChar	*s;

	for (c = n->children; c != NULL; c = c->next) {
		if (c->type == XML_ENTITY_REF_NODE)
			return 1;
		if (c->type != XML_TEXT_NODE && c->type != XML_CDATA_SECTION_NODE)
			continue;
		for (s = c->content; s != NULL && *s != '\0'; s++)
			if (!is_space(*s))
				return 1;
	}
	return 0;
}

char *
node_attr(const xmlNode *n, const char *name)
{
	xmlChar	*value;
	char	*copy = NULL;

	value = xmlGetNoNsProp(n, (const xmlChar *)name);
	if (value != NULL) {
		copy = xstrdup((const char *)value);
		xmlFree(value);
	}
	return copy;
}

char *
node_text(const xmlNode *n)
{
	struct buf	 b = { 0 };
	const xmlNode	*c;
	size_t		 from = 0;
	char		*s;

	for (c = n->children; c != NULL; c = c->next) {
		switch (c->type) {
		case XML_TEXT_NODE:
		case XML_CDATA_SECTION_NODE:
			if (c->content != NULL)
				buf_puts(&b, (const char *)c->content);
			break;
		case XML_COMMENT_NODE:
		case XML_PI_NODE:
			break;
		default:
			buf_free(&b);
			return NULL;
		}
	}
	while (b.len > 0 && is_space((unsigned char)b.data[b.len - 1]))
		b.len--;
	while (from < b.len && is_space((unsigned char)b.data[from]))
		from++;
	s = xstrndup(b.data != NULL ? b.data + from : "", b.len - from);
	buf_free(&b);
	return s;
}

static int
base64_value(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* out takes 3 bytes for every 4 characters of s.  Returns the length or -1. */
static long
base64_decode(const char *s, unsigned char *out)
{
	uint32_t	 group = 0;
	unsigned	 have = 0, pad = 0;
	long		 n = 0;
	int		 v;

	for (; *s != '\0'; s++) {
		if (is_space((unsigned char)*s))
			continue;
		if (*s == '=') {
			if (++pad > 2)
				return -1;
			v = 0;
		} else if (pad > 0 || (v = base64_value((unsigned char)*s)) < 0)
			return -1;
		group = group << 6 | (uint32_t)v;
		if (++have < 4)
			continue;
		out[n++] = (unsigned char)(group >> 16);
		out[n++] = (unsigned char)(group >> 8);
		out[n++] = (unsigned char)group;
		have = 0;
		group = 0;
		if (pad > 0)
			n -= pad;
		if (pad > 0 && s[1] != '\0' && s[strspn(s + 1, " \t\r\n") + 1] != '\0')
			return -1;
	}
	return have == 0 ? n : -1;
}

int
text_base64(const char *text, size_t max, unsigned char **p, size_t *len)
{
	unsigned char	*out = xcalloc(strlen(text) / 4 + 1, 3);
	long		 got = base64_decode(text, out);

	if (got <= 0 || (size_t)got > max) {
		free(out);
		return -1;
	}
	*p = out;
	*len = (size_t)got;
	return 0;
}

int
node_base64(const xmlNode *n, size_t max, unsigned char **p, size_t *len)
{
	char	*text = node_text(n);
	int	 rc = text != NULL ? text_base64(text, max, p, len) : -1;

	free(text);
	return rc;
}
