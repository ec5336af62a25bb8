/* SPDX-License-Identifier: ISC */
/* The one parser set-up: what it lets through, what it refuses and where. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "xml/pull.h"

#define OK REASON_COUNT

struct seen {
	struct pull	*pull;
	int		 starts, ends, deepest;
	struct buf	 text;
	int		 end_at;		/* end the parse at this start */
	int		 refuse_at;		/* refuse there */
};

static int
start(void *arg, const xmlChar *l, const xmlChar *p, const xmlChar *u, int nn, const xmlChar **n,
    int na, const xmlChar **a)
{
	struct seen *s = arg;

	(void)l, (void)p, (void)u, (void)nn, (void)n, (void)na, (void)a;
	if (++s->starts == s->end_at)
		return -1;
	if (s->starts == s->refuse_at)
		return pull_refuse(s->pull, SIG_MULTIPLE, "here");
	if (pull_depth(s->pull) > s->deepest)
		s->deepest = pull_depth(s->pull);
	return 0;
}

static int
end(void *arg, const xmlChar *l, const xmlChar *p, const xmlChar *u)
{
	(void)l, (void)p, (void)u;
	((struct seen *)arg)->ends++;
	return 0;
}

static int
text(void *arg, const xmlChar *t, int n)
{
	return buf_append(&((struct seen *)arg)->text, t, (size_t)n);
}

static int comment(void *arg, const xmlChar *t) { (void)arg, (void)t; return 0; }
static int pi(void *arg, const xmlChar *t, const xmlChar *d) { (void)arg, (void)t, (void)d; return 0; }

static const struct pull_events events = { start, end, text, comment, pi };

static enum pull_status
run(const void *doc, size_t len, int64_t max, struct seen *seen, struct reasons *rs)
{
	unsigned char want[SHA256_SIZE], got[SHA256_SIZE];
	enum pull_status status;
	int fd = memfd_create("document", 0);

	assert_true(fd != -1);
	assert_int_equal(write(fd, doc, len), (ssize_t)len);
	memset(rs, 0, sizeof(*rs));
	seen->pull = pull_new(fd, max, &events, seen, rs);
	status = pull_run(seen->pull);
	if (status == PULL_OK || status == PULL_REFUSED) {
		/* Whatever was wrong, the hash is of the whole file. */
		SHA256(doc, len, want);
		pull_sha256(seen->pull, got);
		assert_memory_equal(want, got, sizeof(want));
		assert_int_equal(pull_size(seen->pull), len);
	}
	pull_free(seen->pull);
	close(fd);
	return status;
}

static void
expect(const char *what, const void *doc, size_t len, enum reason_code code)
{
	struct seen seen = { .starts = 0 };
	struct reasons rs;
	enum pull_status status = run(doc, len, 0, &seen, &rs);

	if (code == OK && status != PULL_OK)
		fail_msg("%s: refused: %s", what, rs.n > 0 ? rs.v[0].detail : "?");
	if (code != OK && (status != PULL_REFUSED || rs.n != 1 || rs.v[0].code != code))
		fail_msg("%s: %s instead of %s", what, rs.n > 0 ? rs.v[0].detail : "nothing",
		    reason_info(code)->name);
	buf_free(&seen.text);
}

static void
test_small(void **unused)
{
	static const struct { const char *doc; enum reason_code code; } t[] = {
	{ "<a/>", OK },
	{ "\xef\xbb\xbf<a/>", OK },
	{ "  <a/>\n", OK },
	{ "<?xml version='1.0' encoding=\"ISO-8859-1\"?><a>\xfc</a>", OK },
	{ "<a x='&lt;&amp;&quot;&apos;&gt;'>&lt;&amp;&gt;</a>", OK },
	{ "<a xmlns='urn:a' xmlns:b='http://b'><b:c xmlns=''/></a>", OK },
	{ "", XML_MALFORMED },
	{ " ", XML_MALFORMED },
	{ "<a>", XML_MALFORMED },
	{ "<a/><b/>", XML_MALFORMED },
	{ "<a></b>", XML_MALFORMED },
	{ "<a x='1' x='2'/>", XML_MALFORMED },
	{ "<a xmlns:p='urn:1' xmlns:q='urn:1' p:x='1' q:x='2'/>", XML_MALFORMED },
	{ "<p:a/>", XML_MALFORMED },
	{ "<a p:x='1'/>", XML_MALFORMED },
	{ "<a>&none;</a>", XML_MALFORMED },
	{ "<a>&#0;</a>", XML_MALFORMED },
	{ "<a>\x01</a>", XML_MALFORMED },
	{ "<a>\xff</a>", XML_MALFORMED },
	{ "<a>]]></a>", XML_MALFORMED },
	{ "PK\x03\x04", XML_MALFORMED },
	{ "<?xml version='1.1'?><a/>", XML_MALFORMED },
	{ "<?xml version='1.0' encoding='windows-1254'?><a/>", XML_MALFORMED },
	{ "<?xml version='1.0' encoding='IBM037'?><a/>", XML_MALFORMED },
	{ "<?xml version='1.0' encoding='UTF-16'?><a/>", XML_MALFORMED },
	{ "\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?><a/>", OK },
	{ "\xef\xbb\xbf<?xml version='1.0' encoding='ISO-8859-1'?><a/>", XML_MALFORMED },
	{ "<?xml version='1.0' encoding='", XML_MALFORMED },
	{ "L\x6f\xa7\x94", XML_MALFORMED },
	{ "<!DOCTYPE a><a/>", XML_FORBIDDEN },
	{ "<!DOCTYPE a SYSTEM 'http://127.0.0.1/x.dtd'><a/>", XML_FORBIDDEN },
	{ "<!DOCTYPE a [<!ENTITY b 'bb'>]><a>&b;</a>", XML_FORBIDDEN },
	{ "<!DOCTYPE a [<!ENTITY % b SYSTEM 'file:///etc/passwd'>%b;]><a/>", XML_FORBIDDEN },
	{ "<a xmlns='relative'/>", XML_FORBIDDEN },
	{ "<a xmlns:b='../x'/>", XML_FORBIDDEN },
	{ "<a xmlns:b='http://x?a&amp;b'/>", XML_FORBIDDEN },
	};
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		expect(t[i].doc, t[i].doc, strlen(t[i].doc), t[i].code);
	expect("UCS-4", "\0\0\0<\0\0\0a\0\0\0/\0\0\0>", 16, XML_MALFORMED);
	expect("UTF-16", "\xff\xfe<\0a\0/\0>\0", 10, OK);
	expect("UTF-16 without a mark", "\0<\0?\0x\0m\0l\0?\0>", 14, XML_MALFORMED);
}

static size_t
put_utf16(char *out, const char *ascii, int big)
{
	size_t i;

	for (i = 0; ascii[i] != '\0'; i++) {
		out[2 * i + !!big] = ascii[i];
		out[2 * i + !big] = '\0';
	}
	return 2 * i;
}

/* A declaration in one byte order that names the other.  libxml2 would read on in
 * the other one, 90 bytes from the start: here just where the declaration ends. */
static void
test_byte_order(void **unused)
{
	static const struct { const char *encoding; int declared, rest; enum reason_code code; } t[] = {
	{ "UTF-16", 0, 0, OK },
	{ "UTF-16", 1, 1, OK },
	{ "UTF-16LE", 0, 0, OK },
	{ "UTF-16BE", 1, 1, OK },
	{ "UTF-16LE", 1, 0, XML_MALFORMED },
	{ "UTF-16BE", 0, 1, XML_MALFORMED },
	};
	char declaration[64], doc[256];
	size_t i, n;

	(void)unused;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		n = (size_t)snprintf(declaration, sizeof(declaration),
		    "<?xml version='1.0' encoding='%s'?>", t[i].encoding);
		(void)snprintf(declaration + n, sizeof(declaration) - n, "%*s", (int)(45 - n), "");
		n = 2 + put_utf16(doc + 2, declaration, t[i].declared);
		memcpy(doc, t[i].declared ? "\xfe\xff" : "\xff\xfe", 2);
		n += put_utf16(doc + n, "<a/>", t[i].rest);
		expect(t[i].encoding, doc, n, t[i].code);
	}
}

/* The encoding that is not taken is named, and nothing else of the document. */
static void
test_encoding_named(void **unused)
{
	static const char doc[] = "<?xml version='1.0' encoding='KOI8-R' standalone='yes'?><a/>";
	struct seen seen = { .starts = 0 };
	struct reasons rs;

	(void)unused;
	assert_int_equal(run(doc, strlen(doc), 0, &seen, &rs), PULL_REFUSED);
	assert_int_equal(rs.v[0].code, XML_MALFORMED);
	assert_string_equal(rs.v[0].detail, "encoding KOI8-R is not taken: UTF-8 and UTF-16 are");
}

/* libxml2 itself ends at a NUL, and says nothing of half a character. */
static void
test_behind_the_end(void **unused)
{
#define T(d, c)	{ d, sizeof(d) - 1, c }
	static const struct { const char *doc; size_t len; enum reason_code code; } t[] = {
	T("<a/>\0", XML_MALFORMED),
	T("<a/>\n\0<b/>", XML_MALFORMED),
	T("<a/><!-- c -->\0x", XML_MALFORMED),
	T("<a/>\xc3", XML_MALFORMED),
	T("\xff\xfe<\0a\0/\0>\0", OK),
	T("\xff\xfe<\0a\0/\0>\0\n\0", OK),
	T("\xff\xfe<\0a\0/\0>\0\n", XML_MALFORMED),
	T("\xff\xfe<\0a\0/\0>\0\x3d\xd8", XML_MALFORMED),
	T("\xff\xfe<\0a\0/\0>\0\0\0<\0b\0/\0>\0", XML_MALFORMED),
	};
#undef T
	static const size_t sizes[] = { 131071, 131072, 131073, 262144 };	/* of the blocks read */
	char *doc = xcalloc(1, 262146);
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		expect(t[i].doc, t[i].doc, t[i].len, t[i].code);
	memset(doc, ' ', 262146);
	memcpy(doc, "<a/>", 4);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		expect("blanks", doc, sizes[i], OK);
		doc[sizes[i]] = '\0';
		expect("a NUL behind blanks", doc, sizes[i] + 1, XML_MALFORMED);
		doc[sizes[i]] = ' ';
	}
	free(doc);
}

static void
nested(struct buf *b, int depth)
{
	int i;

	for (i = 0; i < depth; i++)
		buf_puts(b, "<a>");
	for (i = 0; i < depth; i++)
		buf_puts(b, "</a>");
}

/* n times each, with the number where '#' stands. */
static void
numbered(struct buf *b, const char *before, const char *each, const char *after, int n)
{
	int i;

	buf_puts(b, before);
	for (i = 0; i < n; i++)
		buf_printf(b, "%.*s%x%s", (int)strcspn(each, "#"), each, i,
		    each[strcspn(each, "#")] != '\0' ? strchr(each, '#') + 1 : "");
	buf_puts(b, after);
}

static void
limit(const char *what, const char *before, const char *each, const char *after, int n)
{
	struct buf b = { .data = NULL };

	numbered(&b, before, each, after, n);
	expect(what, b.data, b.len, OK);
	buf_reset(&b);
	numbered(&b, before, each, after, n + 1);
	expect(what, b.data, b.len, XML_FORBIDDEN);
	buf_free(&b);
}

static void
test_limits(void **unused)
{
	struct buf b = { .data = NULL };
	struct seen seen = { .starts = 0 };
	struct reasons rs;

	(void)unused;
	nested(&b, XML_MAX_DEPTH);
	expect("depth", b.data, b.len, OK);
	buf_reset(&b);
	nested(&b, XML_MAX_DEPTH + 1);
	expect("depth", b.data, b.len, XML_FORBIDDEN);
	limit("attributes", "<a", " b#=''", "/>", XML_MAX_ATTRIBUTES);
	limit("namespaces", "<a", " xmlns:b#='urn:x'", "/>", XML_MAX_NSDECLS);
	/* Prefixes and a few names of the parser's own are counted too. */
	buf_reset(&b);
	numbered(&b, "<a>", "<b#/>", "</a>", XML_MAX_NAMES - 16);
	expect("names", b.data, b.len, OK);
	buf_reset(&b);
	numbered(&b, "<a>", "<b#/>", "</a>", XML_MAX_NAMES + 1);
	expect("names", b.data, b.len, XML_FORBIDDEN);
	buf_reset(&b);
	for (int i = 0; i < 5; i++) {
		buf_printf(&b, "<b%d", i);
		for (int k = 0; k < 30; k++)
			buf_printf(&b, " xmlns:p%d_%d='urn:x'", i, k);
		buf_puts(&b, ">");
	}
	expect("namespaces in scope", b.data, b.len, XML_FORBIDDEN);
	assert_int_equal(run("<a>12345</a>", 12, 12, &seen, &rs), PULL_OK);
	assert_int_equal(run("<a>123456</a>", 13, 12, &seen, &rs), PULL_REFUSED);
	assert_int_equal(rs.v[0].code, XML_FORBIDDEN);
	buf_free(&seen.text);
	buf_free(&b);
}

/* Much data and no event: an attribute, a comment, one endless name. */
static void
test_silence(void **unused)
{
	static const char *const head[] = { "<a b='", "<a><!--", "<a", "<a><b ", "<?p ", "<a>&" };
	static const char fill[] = { 'x', 'x', 'x', ' ', 'x', 'x' };
	size_t i, n = 8 * XML_MAX_SILENCE;
	char *doc = malloc(n);

	(void)unused;
	for (i = 0; i < sizeof(fill); i++) {
		memset(doc, fill[i], n);
		memcpy(doc, head[i], strlen(head[i]));
		struct seen seen = { .starts = 0 };
		struct reasons rs;

		assert_int_equal(run(doc, n, 0, &seen, &rs), PULL_REFUSED);
		assert_int_equal(rs.n, 1);
	}
	free(doc);
}

/* Two million names no longer hang, and end soon. */
static void
test_hostile(void **unused)
{
	struct buf b = { .data = NULL };

	(void)unused;
	numbered(&b, "<a>", "<n#/>", "</a>", 200000);
	expect("many names", b.data, b.len, XML_FORBIDDEN);
	buf_reset(&b);
	numbered(&b, "<a ", "b#='' ", "/>", 100000);
	expect("many attributes", b.data, b.len, XML_FORBIDDEN);
	buf_reset(&b);
	buf_puts(&b, "<a>");
	for (int i = 0; i < 100000; i++)
		buf_puts(&b, "&#65;");
	buf_puts(&b, "</a>");
	expect("many references", b.data, b.len, OK);
	buf_free(&b);
}

/* Blocks end anywhere: a large document with text that crosses them. */
static void
test_large(void **unused)
{
	struct buf b = { .data = NULL };
	struct seen seen = { .starts = 0 };
	struct reasons rs;
	size_t i, sum = 0;

	(void)unused;
	buf_puts(&b, "<a>");
	for (i = 0; i < 100000; i++) {
		buf_printf(&b, "<b>%zu\xc3\xbc</b>", i);
		sum += (size_t)(i < 10 ? 1 : i < 100 ? 2 : i < 1000 ? 3 : i < 10000 ? 4 : 5) + 2;
	}
	buf_puts(&b, "</a>");
	assert_int_equal(run(b.data, b.len, 0, &seen, &rs), PULL_OK);
	assert_int_equal(seen.starts, 100001);
	assert_int_equal(seen.ends, 100001);
	assert_int_equal(seen.deepest, 2);
	assert_int_equal(seen.text.len, sum);
	buf_free(&seen.text);
	/* cut anywhere it is malformed */
	for (i = 0; i < 50; i++) {
		struct seen s = { .starts = 0 };

		assert_int_equal(run(b.data, 1 + i * (b.len - 2) / 50, 0, &s, &rs), PULL_REFUSED);
		assert_int_equal(rs.v[0].code, XML_MALFORMED);
		buf_free(&s.text);
	}
	buf_free(&b);
}

/* Cut off, it says that, and not what it lacks there. */
static void
test_cut(void **unused)
{
	static const char doc[] = "<a xmlns='urn:1' b='c'>\n<?p i?>\n<Reg No='1'>2</Reg>\n<d>&lt;\n</d>\n</a>";
	static const struct { const char *doc, *detail; } whole[] = {
		{ "<a></b>", "mismatch" },
		{ "<a b='1' b='2'/>", "redefined" },
		{ "<a/>x", "content" },
		{ "", "empty" },
	};
	struct seen seen = { .starts = 0 };
	struct reasons rs;
	char want[64];
	size_t i, n, line = 1;

	(void)unused;
	for (n = 1; n < strlen(doc); n++) {
		line += doc[n - 1] == '\n';
		assert_int_equal(run(doc, n, 0, &seen, &rs), PULL_REFUSED);
		(void)snprintf(want, sizeof(want), "the document ends at line %zu", line);
		assert_string_equal(rs.v[0].detail, want);
	}
	for (i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		assert_int_equal(run(whole[i].doc, strlen(whole[i].doc), 0, &seen, &rs), PULL_REFUSED);
		assert_non_null(strstr(rs.v[0].detail, whole[i].detail));
	}
	buf_free(&seen.text);
}

static void
test_callbacks(void **unused)
{
	static const char doc[] = "<a>\n<b>\n<c/></b></a>";
	struct seen seen = { .refuse_at = 3 };
	struct reasons rs;

	(void)unused;
	assert_int_equal(run(doc, strlen(doc), 0, &seen, &rs), PULL_REFUSED);
	assert_int_equal(rs.n, 1);
	assert_int_equal(rs.v[0].code, SIG_MULTIPLE);
	assert_int_equal(rs.v[0].line, 3);
	assert_string_equal(rs.v[0].path, "/a/b/c");
	buf_free(&seen.text);
	memset(&seen, 0, sizeof(seen));
	seen.end_at = 2;
	assert_int_equal(run(doc, strlen(doc), 0, &seen, &rs), PULL_ENDED);
	assert_int_equal(seen.starts, 2);
	buf_free(&seen.text);
}

static int reports;
static long long reported;

static void
report(long long bytes)
{
	reports++;
	reported = bytes;
}

static void
test_progress(void **unused)
{
	struct buf b = { 0 };
	char value[4096];
	int i;

	(void)unused;
	memset(value, 'x', sizeof(value));
	buf_puts(&b, "<a>");
	for (i = 0; b.len < 2 * (size_t)PULL_PROGRESS + 1; i++) {
		buf_puts(&b, "<b>");
		buf_append(&b, value, sizeof(value));
		buf_puts(&b, "</b>");
	}
	buf_puts(&b, "</a>");
	pull_on_progress(report);
	expect("long", b.data, b.len, OK);
	pull_on_progress(NULL);
	assert_int_equal(reports, 2);
	assert_true(reported >= 2 * (long long)PULL_PROGRESS && reported <= (long long)b.len);
	expect("nobody listens", b.data, b.len, OK);
	assert_int_equal(reports, 2);
	buf_free(&b);
}

/* A document that grows while it is read: a byte more each time that it is asked for, up to the last of
 * them; then it is whole (0), never will be (-1), or is said to be longer than it is (1). */
struct growing { int fd, then; const char *doc; };

static int
grow(void *arg, long long at)
{
	struct growing *g = arg;

	if (g->doc[at] == '\0')
		return g->then;
	assert_int_equal(pwrite(g->fd, g->doc + at, 1, (off_t)at), 1);
	return 1;
}

static void
test_growing(void **unused)
{
	static const enum pull_status want[] = { PULL_FAILED, PULL_OK, PULL_FAILED };
	struct growing g = { .doc = "<a b='1'>text</a>" };
	struct seen seen;
	struct reasons rs;

	(void)unused;
	for (g.then = -1; g.then <= 1; g.then++) {
		g.fd = memfd_create("document", 0);
		seen = (struct seen){ .starts = 0 };
		memset(&rs, 0, sizeof(rs));
		seen.pull = pull_new(g.fd, 0, &events, &seen, &rs);
		pull_while_written(seen.pull, grow, &g);
		(void)alarm(60);
		assert_int_equal(pull_run(seen.pull), want[g.then + 1]);
		(void)alarm(0);
		pull_free(seen.pull);
		buf_free(&seen.text);
		close(g.fd);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_byte_order),
		cmocka_unit_test(test_encoding_named),
		cmocka_unit_test(test_behind_the_end),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_callbacks),
		cmocka_unit_test(test_progress),
		cmocka_unit_test(test_growing),
	};

	log_init("test_pull", LOG_COMMAND, 0);
	pull_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
