/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "xml/pull_encoding.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"

#define NAME_SHOWN	40	/* as much of an encoding's name goes into a reason */

/* What the first bytes say: a byte order mark, or how wide a character is and
 * which half of it comes first. */
enum form { FORM_BYTES = 1, FORM_UTF8_BOM = 2, FORM_UTF16LE = 4, FORM_UTF16BE = 8 };

static const struct {
	const char *name;
	int forms;
} taken[] = {
	{ "UTF-8", FORM_BYTES | FORM_UTF8_BOM },
	{ "UTF8", FORM_BYTES | FORM_UTF8_BOM },
	{ "UTF-16", FORM_UTF16LE | FORM_UTF16BE },
	{ "UTF-16LE", FORM_UTF16LE },
	{ "UTF-16BE", FORM_UTF16BE },
	{ "US-ASCII", FORM_BYTES },
	{ "ASCII", FORM_BYTES },
	{ "ISO-8859-1", FORM_BYTES },
	{ "ISO-LATIN-1", FORM_BYTES },
};

/* Is the declared encoding taken, and the document's?  Another one than the
 * declared is a fatal error (XML 1.0, 4.3.3).  libxml2 passes over it, or reads
 * on in the declared one behind the declaration: programs would read different
 * characters in the same bytes. */
static int
check_name(const char *s, size_t len, enum form form, char fault[REASON_DETAIL_SIZE])
{
	int shown = (int)(len < NAME_SHOWN ? len : NAME_SHOWN);
	size_t i;

	for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (strlen(taken[i].name) == len && strncasecmp(taken[i].name, s, len) == 0)
			break;
	if (i == sizeof(taken) / sizeof(taken[0]))
		(void)snprintf(fault, REASON_DETAIL_SIZE,
		    "encoding %.*s is not taken: UTF-8 and UTF-16 are", shown, s);
	else if ((taken[i].forms & (int)form) == 0)
		(void)snprintf(fault, REASON_DETAIL_SIZE,
		    "the XML declaration says %.*s, the bytes are of another encoding", shown, s);
	else
		return 0;
	return -1;
}

/* The declaration as ASCII characters; returns their number, 0 where the first
 * bytes are of an encoding that is not taken at all. */
static size_t
head_ascii(const unsigned char *b, size_t len, char *out, enum form *form)
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
	for (i = skip; i < len && n < XML_MAX_DECLARATION; i += step)
		out[n++] = b[i] < 0x80 ? (char)b[i] : '?';
	out[n] = '\0';
	if (step == 2)		/* the half that is kept is the low one */
		*form = skip % 2 == 0 ? FORM_UTF16LE : FORM_UTF16BE;
	else
		*form = skip == 3 ? FORM_UTF8_BOM : FORM_BYTES;
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
	char head[XML_MAX_DECLARATION + 1], *end;
	const char *e, *text = NULL;
	enum form form;
	size_t n;

	if (head_ascii((const unsigned char *)block, len, head, &form) == 0)
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
		else
			return check_name(e, n, form, fault);
	}
	(void)snprintf(fault, REASON_DETAIL_SIZE, "%s", text);
	return -1;
}
