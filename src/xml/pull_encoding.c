/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "xml/pull_encoding.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DECLARATION_MAX	256	/* an XML declaration's longest, in characters */

static int
encoding_allowed(const char *s, size_t len)
{
	static const char *const names[] = { "UTF-8", "UTF8", "UTF-16", "UTF-16LE", "UTF-16BE",
	    "US-ASCII", "ASCII", "ISO-8859-1", "ISO-LATIN-1" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == len && strncasecmp(names[i], s, len) == 0)
			return 1;
	return 0;
}

/* The declaration as ASCII characters; returns their number, 0 where the first
 * bytes are of an encoding that is not taken at all. */
static size_t
head_ascii(const unsigned char *b, size_t len, char *out)
{
	size_t i, n = 0, step = 1, skip = 0;

	if (len >= 3 && memcmp(b, "\xef\xbb\xbf", 3) == 0)
		skip = 3;
	else if (len >= 2 && (memcmp(b, "\xff\xfe", 2) == 0 || memcmp(b, "\xfe\xff", 2) == 0)) {
		step = 2;
		skip = 2 + (b[0] == 0xfe);
	} else if (len >= 4 && memcmp(b, "<\0?\0", 4) == 0)
		step = 2;
	else if (len >= 4 && memcmp(b, "\0<\0?", 4) == 0) {
		step = 2;
		skip = 1;
	} else if (len < 1 || (b[0] != '<' && b[0] != ' ' && b[0] != '\t' && b[0] != '\r' && b[0] != '\n'))
		return 0;
	if (len >= 2 && b[0] == '<' && b[1] == '\0' && step == 1)
		return 0;		/* UCS-4 */
	if (len >= 4 && memcmp(b, "\xff\xfe\0\0", 4) == 0)
		return 0;
	for (i = skip; i < len && n < DECLARATION_MAX; i += step)
		out[n++] = b[i] < 0x80 ? (char)b[i] : '?';
	out[n] = '\0';
	return n;
}

/* Behind "encoding": its name and length, or -1 where that is malformed. */
static int
encoding_name(const char *e, const char **name, size_t *len)
{
	e += strspn(e, " \t\r\n");
	if (*e++ != '=')
		return -1;
	e += strspn(e, " \t\r\n");
	if (*e != '"' && *e != '\'')
		return -1;
	*name = e + 1;
	*len = strcspn(*name, "\"'");
	return 0;
}

int
encoding_check(const char *block, size_t len, char fault[REASON_DETAIL_SIZE])
{
	char head[DECLARATION_MAX + 1], *end;
	const char *e, *text = NULL;
	size_t n;

	if (head_ascii((const unsigned char *)block, len, head) == 0)
		text = len == 0 ? "the document is empty" : "not XML in UTF-8 or UTF-16";
	else if (strncmp(head, "<?xml", 5) != 0 || strchr(" \t\r\n", head[5]) == NULL)
		return 0;
	else if ((end = strstr(head, "?>")) == NULL)
		text = "the XML declaration does not end";
	else {
		*end = '\0';
		if ((e = strstr(head, "encoding")) == NULL)
			return 0;
		if (encoding_name(e + strlen("encoding"), &e, &n) == -1)
			text = "the XML declaration is wrong";
		else if (encoding_allowed(e, n))
			return 0;
		else
			(void)snprintf(fault, REASON_DETAIL_SIZE,
			    "encoding %.40s is not taken: UTF-8 and UTF-16 are", e);
	}
	if (text != NULL)
		(void)snprintf(fault, REASON_DETAIL_SIZE, "%s", text);
	return -1;
}
