/* SPDX-License-Identifier: ISC */
/*
 * The streaming canonicalisation against libxml2's own on a DOM, byte for
 * byte, over documents that a small deterministic generator makes.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <iconv.h>
#include <libxml/c14n.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "xml/c14n.h"
#include "xml/pull.h"

#define DOCUMENTS	6000

static uint64_t state;

static unsigned
rnd(unsigned n)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(state >> 33) % n;
}

/* --- the generator ------------------------------------------------------- */

#define PREFIXES 6		/* index 0 is the default namespace */
static const char *const prefixes[PREFIXES] = { "", "a", "b", "c", "ds", "x-1" };
static const char *const uris[] = { "urn:one", "urn:two", "http://x.example/3", "urn:one:b",
    "http://www.w3.org/2000/09/xmldsig#", "urn:d%C3" };
static const char *const names[] = { "a", "b", "Bal", "Total", "x", "_y", "A", "z.z", "\xc3\xb6ge" };
static const char *const texts[] = { "text", "&amp;", "&lt;", "&gt;", ">", "\r\n", "\r", "\n", "\t",
    "&#xD;", "&#10;", "&#x9;", "\"", "'", "&quot;", "&apos;", "\xc3\xa7\xc4\x9f\xc4\xb1", "  ",
    "&#x1F600;", "\xf0\x9f\x98\x80", "]", "&#38;#38;" };
static const char *const values[] = { "v", "&amp;", "&lt;", "&gt;", ">", "\r\n", "\r", "\n", "\t",
    "&#xD;", "&#10;", "&#x9;", "'", "&quot;", "&apos;", "\xc4\xb0", " ", "&#x1F600;", "&#38;amp;" };
static const char *const cdatas[] = { "<![CDATA[]]>", "<![CDATA[a\r\nb\rc\n]]>", "<![CDATA[<&>\"]]>",
    "<![CDATA[]]]]><![CDATA[>]]>" };
static const char *const comments[] = { "<!---->", "<!-- a\r\nb -->", "<!--<x>&amp;-->",
    "<!-- \xc3\xbc -->" };
static const char *const pis[] = { "<?go?>", "<?go  there?>", "<?p a\r\nb \xc4\x9f?>", "<?xml-stylesheet a=\"&amp;\"?>" };

#define COUNT(a) ((unsigned)(sizeof(a) / sizeof((a)[0])))
#define PICK(a) ((a)[rnd(COUNT(a))])

struct scope { const char *uri[PREFIXES]; };

static void
gen_value(struct buf *b)
{
	unsigned n = rnd(4);

	while (n-- > 0)
		buf_puts(b, PICK(values));
}

/* Declare some namespaces; the default one may be taken away again. */
static void
gen_namespaces(struct buf *b, struct scope *s)
{
	unsigned i;

	for (i = 0; i < PREFIXES; i++) {
		if (rnd(5) != 0)
			continue;
		s->uri[i] = i == 0 && rnd(3) == 0 ? "" : PICK(uris);
		if (i == 0)
			buf_printf(b, " xmlns=\"%s\"", s->uri[i]);
		else
			buf_printf(b, " xmlns:%s='%s'", prefixes[i], s->uri[i]);
	}
}

static void
gen_attributes(struct buf *b, const struct scope *s)
{
	static const char *const xmls[] = { " xml:lang=\"tr\"", " xml:space='preserve'",
	    " xml:base=\"http://b.example/\"" };
	struct { const char *uri, *name; } seen[8];
	unsigned n = rnd(6), i, k, have = 0;
	const char *name, *uri;

	while (n-- > 0) {
		i = rnd(PREFIXES);
		name = PICK(names);
		uri = i == 0 ? "" : s->uri[i];
		if (uri == NULL)
			continue;
		for (k = 0; k < have; k++)
			if (strcmp(seen[k].uri, uri) == 0 && strcmp(seen[k].name, name) == 0)
				break;
		if (k < have)
			continue;
		seen[have].uri = uri;
		seen[have++].name = name;
		buf_printf(b, "%s%s%s%s%s", rnd(4) == 0 ? "\n\t" : " ", prefixes[i], i == 0 ? "" : ":",
		    name, rnd(2) ? " =  \"" : "=\"");
		gen_value(b);
		buf_puts(b, "\"");
	}
	if (rnd(6) == 0)
		buf_puts(b, PICK(xmls));
}

static void
gen_misc(struct buf *b)
{
	buf_puts(b, rnd(2) ? PICK(comments) : PICK(pis));
}

static void
gen_element(struct buf *b, struct scope s, int depth)
{
	unsigned i, n;
	char name[64];

	buf_puts(b, "<");
	/* The prefix must be in scope after this element's declarations. */
	struct buf decls = { 0 };
	gen_namespaces(&decls, &s);
	do
		i = rnd(PREFIXES);
	while (i != 0 && s.uri[i] == NULL);
	snprintf(name, sizeof(name), "%s%s%s", prefixes[i], i == 0 ? "" : ":", PICK(names));
	buf_puts(b, name);
	if (rnd(2)) {
		gen_attributes(b, &s);
		buf_puts(b, decls.data != NULL ? decls.data : "");
	} else {
		buf_puts(b, decls.data != NULL ? decls.data : "");
		gen_attributes(b, &s);
	}
	buf_free(&decls);
	if (rnd(5) == 0) {
		buf_puts(b, rnd(2) ? "/>" : " />");
		return;
	}
	buf_puts(b, rnd(2) ? ">" : "\n>");
	for (n = rnd(6); n > 0; n--) {
		switch (rnd(6)) {
		case 0:
			gen_misc(b);
			break;
		case 1:
			buf_puts(b, PICK(cdatas));
			break;
		case 2: case 3:
			buf_puts(b, PICK(texts));
			break;
		default:
			if (depth < 6)
				gen_element(b, s, depth + 1);
			break;
		}
	}
	buf_printf(b, "</%s%s>", name, rnd(3) == 0 ? " " : "");
}

static void
gen_document(struct buf *b, int utf16)
{
	struct scope s = { { NULL } };
	unsigned n;

	if (utf16)
		buf_puts(b, "<?xml version=\"1.0\" encoding=\"UTF-16\"?>");
	else if (rnd(2))
		buf_puts(b, "<?xml version='1.0' encoding='utf-8'?>\r\n");
	for (n = rnd(3); n > 0; n--) {
		gen_misc(b);
		if (rnd(2))
			buf_puts(b, "\n");
	}
	gen_element(b, s, 1);
	for (n = rnd(3); n > 0; n--) {
		buf_puts(b, rnd(2) ? "\r\n" : "");
		gen_misc(b);
	}
}

/* UTF-8 to UTF-16 with a byte order mark. */
static void
to_utf16(struct buf *b, int big)
{
	iconv_t cd = iconv_open(big ? "UTF-16BE" : "UTF-16LE", "UTF-8");
	size_t in_left = b->len, out_left = 2 * b->len + 2, size = out_left;
	char *in = b->data, *out = malloc(size), *o = out + 2;

	assert_true(cd != (iconv_t)-1);
	memcpy(out, big ? "\xfe\xff" : "\xff\xfe", 2);
	out_left -= 2;
	assert_int_equal(iconv(cd, &in, &in_left, &o, &out_left), 0);
	iconv_close(cd);
	buf_reset(b);
	buf_append(b, out, size - out_left);
	free(out);
}

/* --- our way ------------------------------------------------------------- */

static int
to_buf(void *arg, const char *p, size_t n)
{
	return buf_append(arg, p, n);
}

static int
start(void *c, const xmlChar *l, const xmlChar *p, const xmlChar *u, int nn, const xmlChar **n,
    int na, const xmlChar **a)
{
	return c14n_start(c, l, p, u, nn, n, na, a);
}

static int
end(void *c, const xmlChar *l, const xmlChar *p, const xmlChar *u)
{
	(void)l;
	(void)p;
	(void)u;
	return c14n_end(c);
}

static int text(void *c, const xmlChar *s, int n) { return c14n_text(c, s, n); }
static int comment(void *c, const xmlChar *s) { return c14n_comment(c, s); }
static int pi(void *c, const xmlChar *t, const xmlChar *d) { return c14n_pi(c, t, d); }

static const struct pull_events events = { start, end, text, comment, pi };

static void
stream(const struct buf *doc, const struct c14n_params *params, struct buf *out)
{
	struct reasons rs = { .n = 0 };
	struct c14n *c = c14n_new(params, to_buf, out);
	struct pull *p;
	int fd = memfd_create("document", 0);

	assert_true(fd != -1);
	assert_int_equal(write(fd, doc->data, doc->len), (ssize_t)doc->len);
	p = pull_new(fd, 0, &events, c, &rs);
	if (pull_run(p) != PULL_OK)
		fail_msg("refused: %s\n%s", rs.n > 0 ? rs.v[0].detail : "?", doc->data);
	assert_int_equal(pull_size(p), doc->len);
	pull_free(p);
	c14n_free(c);
	close(fd);
}

/* --- the comparison ------------------------------------------------------ */

static void
compare(const struct buf *doc, struct c14n_params *params, unsigned number)
{
	xmlChar *want = NULL, *list[XML_MAX_PREFIX_LIST + 1];
	struct buf got = { 0 };
	xmlDoc *dom;
	size_t i;
	int n;

	for (i = 0; i < params->nprefixes; i++)
		list[i] = BAD_CAST(params->prefixes[i][0] == '\0' ? "#default" : params->prefixes[i]);
	list[i] = NULL;
	dom = xmlReadMemory(doc->data, (int)doc->len, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOENT);
	if (dom == NULL)
		fail_msg("not well-formed: %s", doc->data);
	n = xmlC14NDocDumpMemory(dom, NULL, params->method == C14N_EXCLUSIVE ? XML_C14N_EXCLUSIVE_1_0 :
	    XML_C14N_1_0, i > 0 ? list : NULL, params->with_comments, &want);
	if (n <= 0)
		fail_msg("libxml2 cannot: %s", doc->data);
	stream(doc, params, &got);
	if (got.len != (size_t)n || memcmp(got.data, want, got.len) != 0)
		fail_msg("document %u, method %d, comments %d, prefixes %zu\n%s\n--- libxml2:\n%s\n--- ours:\n%s",
		    number, params->method, params->with_comments, params->nprefixes, doc->data, want,
		    got.data);
	xmlFree(want);
	xmlFreeDoc(dom);
	buf_free(&got);
}

static void
test_generated(void **unused)
{
	struct c14n_params params;
	struct buf doc = { 0 };
	unsigned i, k, utf16, kinds[4] = { 0 };

	(void)unused;
	for (i = 0; i < DOCUMENTS; i++) {
		state = i * UINT64_C(0x9E3779B97F4A7C15) + 1;
		buf_reset(&doc);
		utf16 = rnd(8) == 0;
		gen_document(&doc, utf16 != 0);
		if (utf16)
			to_utf16(&doc, rnd(2) == 0);
		memset(&params, 0, sizeof(params));
		params.with_comments = rnd(2) == 0;
		params.method = i % 3 == 2 ? C14N_INCLUSIVE : C14N_EXCLUSIVE;
		if (i % 3 == 1)
			for (k = 0; k < PREFIXES; k++)
				if (rnd(2))
					params.prefixes[params.nprefixes++] = (char *)(uintptr_t)prefixes[k];
		compare(&doc, &params, i);
		kinds[i % 3]++;
		kinds[3] += utf16;
	}
	buf_free(&doc);
	print_message("%u exclusive, %u with PrefixList, %u inclusive; %u of them UTF-16\n", kinds[0],
	    kinds[1], kinds[2], kinds[3]);
}

/* The specification's own sentences, by hand. */
static void
test_examples(void **unused)
{
	static const struct {
		const char *in, *out;
		enum c14n_method method;
		int comments;
		const char *prefix;
	} t[] = {
	{ "<a xmlns:x='urn:x'><x:b/></a>", "<a><x:b xmlns:x=\"urn:x\"></x:b></a>", C14N_EXCLUSIVE, 0, NULL },
	{ "<a xmlns:x='urn:x'><x:b/></a>", "<a xmlns:x=\"urn:x\"><x:b></x:b></a>", C14N_INCLUSIVE, 0, NULL },
	{ "<a xmlns:x='urn:x'><x:b/></a>", "<a xmlns:x=\"urn:x\"><x:b></x:b></a>", C14N_EXCLUSIVE, 0, "x" },
	{ "<a xmlns='urn:x'><b xmlns=''/></a>", "<a xmlns=\"urn:x\"><b xmlns=\"\"></b></a>", C14N_EXCLUSIVE, 0, NULL },
	{ "<?p?><a/><!--c-->", "<?p?>\n<a></a>\n<!--c-->", C14N_INCLUSIVE, 1, NULL },
	{ "<!--c--><a/><?p?>", "<a></a>\n<?p?>", C14N_INCLUSIVE, 0, NULL },
	{ "<a b='&#13;\t&#9;&#10;\"&lt;&gt;'>&#13;\"&gt;</a>",
	    "<a b=\"&#xD; &#x9;&#xA;&quot;&lt;>\">&#xD;\"&gt;</a>", C14N_INCLUSIVE, 0, NULL },
	{ "<a z='1' y='2' p:b='3' xmlns:p='urn:0'/>", "<a xmlns:p=\"urn:0\" y=\"2\" z=\"1\" p:b=\"3\"></a>", C14N_EXCLUSIVE, 0, NULL },
	};
	struct c14n_params params;
	struct buf doc = { 0 }, out = { 0 };
	size_t i;

	(void)unused;
	for (i = 0; i < COUNT(t); i++) {
		memset(&params, 0, sizeof(params));
		params.method = t[i].method;
		params.with_comments = t[i].comments;
		if (t[i].prefix != NULL)
			params.prefixes[params.nprefixes++] = (char *)(uintptr_t)t[i].prefix;
		buf_reset(&doc);
		buf_reset(&out);
		buf_puts(&doc, t[i].in);
		stream(&doc, &params, &out);
		assert_string_equal(out.data, t[i].out);
	}
	buf_free(&doc);
	buf_free(&out);
}

static void
repeat(struct buf *b, const char *s, size_t n)
{
	while (n-- > 0)
		buf_puts(b, s);
}

/* Names, values and texts around the lengths up to which they are written in one
 * piece, with what is to be replaced at either end and in all of it. */
static void
test_lengths(void **unused)
{
	static const size_t at[] = { 1, 1024, 32 * 1024 / 7, 32 * 1024 };
	static const char *const fill[] = { "v", "&quot;", "&#13;", "\xc4\xb0" };
	struct c14n_params params = { .method = C14N_EXCLUSIVE };
	struct buf doc = { 0 };
	size_t i, k, n;

	(void)unused;
	for (i = 0; i < COUNT(at); i++)
		for (n = at[i] - 1; n <= at[i] + 1; n++)
			for (k = 0; k < COUNT(fill); k++) {
				buf_reset(&doc);
				buf_puts(&doc, "<a xmlns:p='urn:p'><b n");
				repeat(&doc, "x", n);
				buf_puts(&doc, "='&lt;' b='");
				repeat(&doc, fill[k], n);
				buf_puts(&doc, "' p:a='&lt;");
				repeat(&doc, fill[k], n / 8);	/* all of a tag has a limit */
				buf_puts(&doc, "&lt;'/>&gt;");
				repeat(&doc, fill[k], n);
				buf_puts(&doc, "&gt;</a>");
				compare(&doc, &params, (unsigned)(10 * i + k));
			}
	buf_free(&doc);
}

/* A replaced character wherever the end of what is written at once falls. */
static void
test_end(void **unused)
{
	struct c14n_params params = { .method = C14N_EXCLUSIVE };
	struct buf doc = { 0 };
	unsigned n;

	(void)unused;
	for (n = 0; n < 400; n++) {
		buf_reset(&doc);
		buf_puts(&doc, "<p:a xmlns:p='urn:p'>");
		repeat(&doc, "<x/>", 32 * 1024 / 7 - 20);	/* <x></x> */
		buf_puts(&doc, "<b");
		repeat(&doc, "x", n / 2);
		buf_puts(&doc, n % 2 == 0 ? " p:a='&quot;'/></p:a>" : " a='&quot;'/>&#13;</p:a>");
		compare(&doc, &params, n);
	}
	buf_free(&doc);
}

/* One element after the other: what is known of one is no use for the next one. */
static void
test_rows(void **unused)
{
	static const char *const rows[] = {
		"<r b='1' a='2'/>", "<r b='3' a='4'/>", "<r a='5' b='6'/>", "<r b='7'/>", "<r/>", "<r a='8' b='9' c='0'/>",
		"<r p:b='1' a='2'/>", "<r q:b='1' a='2'/>", "<r s:b='1' a='2'/>", "<r b='1' p:a='2'/>", "<r p:b='1' q:a='2'/>",
		"<r p:b='1' s:a='2'/>", "<r s:b='1' p:a='2'/>", "<r xmlns:p='urn:z' p:b='1' q:a='2'/>", "<b a='1' b='2'/>",
	};
	struct c14n_params params = { .method = C14N_EXCLUSIVE };
	struct buf doc = { 0 };
	unsigned i, k;

	(void)unused;
	for (i = 0; i < COUNT(rows); i++)
		for (k = 0; k < COUNT(rows); k++) {
			buf_reset(&doc);
			buf_printf(&doc, "<l xmlns:p='urn:p' xmlns:q='urn:p' xmlns:s='urn:a'>%s%s%s</l>", rows[i], rows[k],
			    rows[i]);
			compare(&doc, &params, i * COUNT(rows) + k);
		}
	buf_free(&doc);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_generated),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_rows),
	};

	log_init("test_c14n", LOG_COMMAND, 0);
	pull_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
