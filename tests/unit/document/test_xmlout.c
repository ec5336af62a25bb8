/* SPDX-License-Identifier: ISC */
/* What is written, and that its digest is that of the canonical form which
 * libxml2 makes of it. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <libxml/c14n.h>
#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "document/xmlout.h"

#define FFFD	"\xef\xbf\xbd"

static uint32_t seed = 7;

static unsigned
any(unsigned n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static struct xmlout *
begin(void)
{
	struct xmlout	*x = xcalloc(1, sizeof(*x));

	assert_int_equal(xmlout_init(x, memfd_create("xmlout", MFD_CLOEXEC), EVP_sha256(), NULL), 0);
	return x;
}

/* Ends the document, with text for a signature; what was written, the caller's to free. */
static char *
finish(struct xmlout *x, const char *text, unsigned char digest[EVP_MAX_MD_SIZE])
{
	struct buf	 b = { 0 };
	char		*out;
	size_t		 len;

	assert_int_equal(xmlout_digest(x, digest), 0);
	(void)buf_puts(&b, text);
	xmlout_signature(x, &b);
	assert_int_equal(xmlout_finish(x), 0);
	assert_int_equal(lseek(x->fd, 0, SEEK_SET), 0);
	assert_int_equal(fd_read_all(x->fd, 1 << 24, &out, &len), 0);
	close(x->fd);
	xmlout_free(x);
	free(x);
	buf_free(&b);
	return out;
}

/* By libxml2's own exclusive canonicalisation, of what the file says. */
static void
check_digest(const char *text, const unsigned char *digest)
{
	xmlDoc		*doc = xmlReadMemory(text, (int)strlen(text), NULL, NULL, XML_PARSE_NONET | XML_PARSE_HUGE);
	unsigned char	 md[EVP_MAX_MD_SIZE];
	xmlChar		*canonical = NULL;
	int		 n;

	if (doc == NULL)
		fail_msg("not well-formed: %.2000s", text);
	n = xmlC14NDocDumpMemory(doc, NULL, XML_C14N_EXCLUSIVE_1_0, NULL, 0, &canonical);
	assert_true(n > 0);
	assert_int_equal(EVP_Digest(canonical, (size_t)n, md, NULL, EVP_sha256(), NULL), 1);
	if (memcmp(md, digest, 32) != 0)
		fail_msg("another digest: %.2000s", text);
	xmlFree(canonical);
	xmlFreeDoc(doc);
}

/* The form that notices always had. */
static void
test_form(void **state)
{
	unsigned char	 digest[EVP_MAX_MD_SIZE];
	struct xmlout	*x = begin();
	char		*text;

	(void)state;
	xmlout_start(x, "Root");
	xmlout_namespace(x, "urn:x:1");
	xmlout_start(x, "Head");
	xmlout_text(x, "A", "t\t\n\r\"'<>&x", 99);
	xmlout_text(x, "B", "", 99);
	xmlout_text(x, "Cut", "\xc4\xb0\xc4\xb0", 3);
	xmlout_number(x, "N", -7);
	xmlout_end(x);
	xmlout_start(x, "None");
	xmlout_end(x);
	xmlout_start(x, "List");
	xmlout_start(x, "Z");
	xmlout_attr(x, "b", "t\t\n\r\"'<>&x");
	xmlout_attr(x, "a", "");
	xmlout_end(x);
	text = finish(x, "<S/>", digest);
	assert_string_equal(text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Root xmlns=\"urn:x:1\">\n  <Head>\n"
	    "    <A>t&#9;&#10;&#13;&quot;'&lt;&gt;&amp;x</A>\n    <B></B>\n    <Cut>\xc4\xb0</Cut>\n    <N>-7</N>\n  </Head>\n"
	    "  <None/>\n  <List>\n    <Z b=\"t&#9;&#10;&#13;&quot;'&lt;&gt;&amp;x\" a=\"\"/>\n  </List>\n<S/></Root>\n");
	free(text);
}

/* What XML cannot hold, in a text and in an attribute. */
static void
test_characters(void **state)
{
	static const struct { const char *from, *to; } cases[] = {
		{ "\xf0\x9f\x94\x8f\xf4\x8f\xbf\xbf\xc4\xb0\xe2\x82\xac", "\xf0\x9f\x94\x8f\xf4\x8f\xbf\xbf\xc4\xb0\xe2\x82\xac" },
		{ "\x01" "a\x1f" "b\x7f", FFFD "a" FFFD "b" FFFD },
		{ "\x80\xff\xc3", FFFD FFFD FFFD }, { "\xc0\xaf", FFFD FFFD }, { "\xe2\x82", FFFD FFFD },
		{ "\xed\xa0\x80", FFFD FFFD FFFD }, { "\xef\xbf\xbe\xef\xbf\xbf", FFFD FFFD FFFD FFFD FFFD FFFD },
		{ "\xf4\x90\x80\x80", FFFD FFFD FFFD FFFD }, { "\xc2\x85\xe2\x80\xa8", "\xc2\x85\xe2\x80\xa8" },
		{ "]]>", "]]&gt;" }, { "<!-- & -->", "&lt;!-- &amp; --&gt;" },
	};
	unsigned char	 digest[EVP_MAX_MD_SIZE];
	struct xmlout	*x;
	char		*text, *want;
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		x = begin();
		xmlout_start(x, "R");
		xmlout_attr(x, "a", cases[i].from);
		xmlout_text(x, "T", cases[i].from, 99);
		text = finish(x, "", digest);
		want = xasprintf("<R a=\"%s\">\n  <T>%s</T>\n</R>\n", cases[i].to, cases[i].to);
		assert_non_null(strstr(text, want));
		check_digest(text, digest);
		free(want);
		free(text);
	}
}

/* Around the length up to which a plain value is written in one piece, and over
 * the end of the writer's buffer wherever that falls. */
static void
test_lengths(void **state)
{
	static const struct { const char *from, *to; } ends[] = { { "x", "x" }, { "<", "&lt;" }, { "\xff", FFFD } };
	unsigned char	 digest[EVP_MAX_MD_SIZE];
	struct xmlout	*x = begin();
	struct buf	 want = { 0 };
	char		 value[1200], *text;
	size_t		 i, n;

	(void)state;
	xmlout_start(x, "R");
	for (i = n = 0; n <= 1100; n = n == 5 ? 1000 : n + 1, i++) {
		memset(value, 'v', n);
		(void)str_copy(value + n, sizeof(value) - n, ends[i % 3].from);
		xmlout_start(x, "A");
		xmlout_attr(x, "b", value);
		xmlout_attr(x, "a", "");
		xmlout_end(x);
		(void)buf_printf(&want, "  <A b=\"%.*s%s\" a=\"\"/>\n", (int)n, value, ends[i % 3].to);
	}
	text = finish(x, "", digest);
	assert_non_null(strstr(text, want.data));
	check_digest(text, digest);
	free(text);
	buf_free(&want);
}

static void
random_value(char *s, size_t max)
{
	static const char *const pieces[] = { "a", " ", "<", ">", "&", "\"", "'", "\t", "\n", "\r", "\r\n", "\xc4\xb0", "\xf0\x9f\x94\x8f",
		"&#9;", "]]>", "\x7f", "0123456789", "-" };
	size_t	n = 0, k = any(12);

	s[0] = '\0';
	for (; k > 0; k--) {
		if (any(4) == 0) {
			if (n + 2 > max)
				return;
			s[n++] = (char)(1 + any(255));
			s[n] = '\0';
		} else if (n + 16 < max) {
			(void)strcat(s, pieces[any(sizeof(pieces) / sizeof(pieces[0]))]);
			n = strlen(s);
		}
	}
}

static void
random_element(struct xmlout *x, int depth)
{
	static const char *const names[] = { "Bal", "a", "X-1", "Pair", "_b", "Reg" };
	static const char *const attributes[] = { "Reg", "Asset", "a", "B", "Z", "ab", "aB", "b1" };
	char	 value[512];
	unsigned i, n, first = any(8);

	random_value(value, sizeof(value));
	if (any(3) == 0) {
		xmlout_text(x, names[any(6)], value, 1 + any(40));
		return;
	}
	xmlout_start(x, names[any(6)]);
	if (any(20) == 0)
		xmlout_namespace(x, "urn:other");
	for (i = 0, n = any(9); i < n; i++) {
		xmlout_attr(x, attributes[(first + 3 * i) % 8], value);
		random_value(value, sizeof(value));
	}
	for (n = depth < XMLOUT_DEPTH - 1 ? any(4) : 0; n > 0; n--)
		random_element(x, depth + 1);
	xmlout_end(x);
}

static void
test_random(void **state)
{
	unsigned char	 digest[EVP_MAX_MD_SIZE];
	struct xmlout	*x;
	char		*text;
	int		 i, k;

	(void)state;
	for (i = 0; i < 2000; i++) {
		x = begin();
		xmlout_start(x, "Root");
		if (any(3) > 0)
			xmlout_namespace(x, "urn:x:1");
		if (any(3) == 0)
			xmlout_attr(x, "Total", "<1>");
		for (k = (int)any(5); k > 0; k--)
			random_element(x, 1);
		text = finish(x, "", digest);
		check_digest(text, digest);
		free(text);
	}
}

/* More than any buffer holds, in one value and in many. */
static void
test_large(void **state)
{
	unsigned char	 digest[EVP_MAX_MD_SIZE];
	struct xmlout	*x = begin();
	struct buf	 b = { 0 };
	char		*text;
	int		 i;

	(void)state;
	for (i = 0; i < 40000; i++)
		(void)buf_puts(&b, i % 100 == 0 ? "<\xc4\xb0" : "0123");
	xmlout_start(x, "Root");
	xmlout_start(x, "Long");
	xmlout_attr(x, "a", b.data);
	xmlout_end(x);
	xmlout_text(x, "Long", b.data, b.len);
	for (i = 0; i < 20000; i++) {
		xmlout_start(x, "Row");
		xmlout_attr(x, "b", "12345.678");
		xmlout_attr(x, "a", "x");
		xmlout_end(x);
	}
	text = finish(x, "", digest);
	check_digest(text, digest);
	free(text);
	buf_free(&b);
}

/* A mistake of the caller's, or a disk without room, is told at the end. */
static void
test_failures(void **state)
{
	unsigned char	 digest[EVP_MAX_MD_SIZE];
	struct xmlout	*x = begin();
	int		 i, fd;

	(void)state;
	xmlout_start(x, "Root");
	xmlout_text(x, "T", "v", 1);
	xmlout_attr(x, "late", "v");
	assert_int_equal(xmlout_digest(x, digest), -1);
	close(x->fd);
	xmlout_free(x);
	assert_int_equal(xmlout_init(x, -1, EVP_sha256(), NULL), 0);	/* nowhere to write */
	xmlout_start(x, "Root");
	for (i = 0; i < 20000; i++)
		xmlout_text(x, "T", "value", 9);
	assert_int_equal(xmlout_digest(x, digest), -1);
	xmlout_free(x);
	fd = memfd_create("xmlout", MFD_CLOEXEC);
	assert_int_equal(xmlout_init(x, fd, EVP_sha256(), NULL), 0);
	for (i = 0; i <= XMLOUT_DEPTH; i++)
		xmlout_start(x, "Deep");
	assert_int_equal(xmlout_digest(x, digest), -1);
	xmlout_free(x);
	assert_int_equal(xmlout_init(x, fd, NULL, NULL), -1);
	xmlout_free(x);
	close(fd);
	free(x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_characters),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_failures),
	};

	log_init("test_xmlout", LOG_COMMAND, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
