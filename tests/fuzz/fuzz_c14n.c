/* SPDX-License-Identifier: ISC */
/*
 * Every document that our parser takes must have the canonical form that
 * libxml2 makes of it on a DOM, byte for byte, in all variants at once.
 */
#include "config.h"

#include <libxml/c14n.h>
#include <libxml/uri.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "fuzz.h"
#include "xml/c14n.h"
#include "xml/pull.h"

#define PREFIXES_MAX	3

static const struct {
	enum c14n_method method;
	int		 with_comments;
	const char	*prefixes[PREFIXES_MAX];	/* PrefixList; "" is the default namespace */
} variants[] = {
	{ C14N_INCLUSIVE, 0, { NULL } },
	{ C14N_INCLUSIVE, 1, { NULL } },
	{ C14N_EXCLUSIVE, 0, { NULL } },
	{ C14N_EXCLUSIVE, 1, { NULL } },
	{ C14N_EXCLUSIVE, 0, { "a" } },
	{ C14N_EXCLUSIVE, 1, { "", "a", "b" } },
};
#define VARIANTS	(sizeof(variants) / sizeof(variants[0]))

struct run {
	struct c14n	*c14n[VARIANTS];
	struct buf	 out[VARIANTS];
	int		 odd_uri;	/* a namespace name that libxml2 finds no scheme in */
};

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_init("fuzz_c14n", LOG_COMMAND, 0);
	pull_setup();
	return 0;
}

/* --- our way: one parse feeds every variant ------------------------------- */

#define EACH(call) do {								\
	struct run *r = arg;							\
	size_t i;								\
	for (i = 0; i < VARIANTS; i++) {					\
		struct c14n *c = r->c14n[i];					\
		CHECK((call) == 0);						\
	}									\
} while (0)

/* libxml2 canonicalises no document with a relative namespace name, and takes
 * for one what it cannot parse; ours are URIs by their scheme alone. */
static int
odd_uri(const xmlChar *s)
{
	xmlURI *uri;
	int odd;

	if (s == NULL || *s == '\0')
		return 0;
	uri = xmlParseURI((const char *)s);
	odd = uri == NULL || uri->scheme == NULL;
	xmlFreeURI(uri);
	return odd;
}

static int
on_start(void *arg, const xmlChar *l, const xmlChar *p, const xmlChar *u, int nn,
    const xmlChar **n, int na, const xmlChar **a)
{
	int k;

	for (k = 0; k < nn; k++)
		((struct run *)arg)->odd_uri |= odd_uri(n[2 * k + 1]);
	EACH(c14n_start(c, l, p, u, nn, n, na, a));
	return 0;
}

static int
on_end(void *arg, const xmlChar *l, const xmlChar *p, const xmlChar *u)
{
	(void)l;
	(void)p;
	(void)u;
	EACH(c14n_end(c));
	return 0;
}

static int on_text(void *arg, const xmlChar *s, int n) { EACH(c14n_text(c, s, n)); return 0; }
static int on_comment(void *arg, const xmlChar *s) { EACH(c14n_comment(c, s)); return 0; }
static int on_pi(void *arg, const xmlChar *t, const xmlChar *d) { EACH(c14n_pi(c, t, d)); return 0; }

static const struct pull_events events = { on_start, on_end, on_text, on_comment, on_pi };

static int
to_buf(void *arg, const char *p, size_t n)
{
	return buf_append(arg, p, n);
}

static void
run_new(struct run *r)
{
	struct c14n_params params;
	size_t i;

	memset(r, 0, sizeof(*r));
	for (i = 0; i < VARIANTS; i++) {
		memset(&params, 0, sizeof(params));
		params.method = variants[i].method;
		params.with_comments = variants[i].with_comments;
		while (params.nprefixes < PREFIXES_MAX && variants[i].prefixes[params.nprefixes] != NULL) {
			params.prefixes[params.nprefixes] =
			    (char *)(uintptr_t)variants[i].prefixes[params.nprefixes];
			params.nprefixes++;
		}
		r->c14n[i] = c14n_new(&params, to_buf, &r->out[i]);
	}
}

static void
run_free(struct run *r)
{
	size_t i;

	for (i = 0; i < VARIANTS; i++) {
		c14n_free(r->c14n[i]);
		buf_free(&r->out[i]);
	}
}

/* 1 where the document is one. */
static int
stream(struct run *r, const uint8_t *data, size_t size)
{
	struct reasons rs = { .n = 0 };
	enum pull_status status;
	struct pull *p;
	int fd;

	if ((fd = memfd_create("fuzz", 0)) == -1 || write_full(fd, data, size) == -1)
		fatal("memfd");
	p = pull_new(fd, 0, &events, r, &rs);
	status = pull_run(p);
	CHECK(status == PULL_OK || status == PULL_REFUSED);
	CHECK((status == PULL_OK) == (rs.n == 0));
	CHECK(pull_size(p) == (long long)size);
	pull_free(p);
	close(fd);
	return status == PULL_OK;
}

/* --- libxml2's way -------------------------------------------------------- */

static void
compare(const struct run *r, size_t v, xmlDoc *dom)
{
	xmlChar *list[PREFIXES_MAX + 1] = { NULL }, *want = NULL;
	const char *prefix;
	size_t k;
	int n;

	for (k = 0; k < PREFIXES_MAX && (prefix = variants[v].prefixes[k]) != NULL; k++)
		list[k] = (xmlChar *)(uintptr_t)(*prefix == '\0' ? "#default" : prefix);
	n = xmlC14NDocDumpMemory(dom, NULL, variants[v].method == C14N_EXCLUSIVE ?
	    XML_C14N_EXCLUSIVE_1_0 : XML_C14N_1_0, k > 0 ? list : NULL, variants[v].with_comments,
	    &want);
	CHECK(n > 0 || r->odd_uri);
	if (n > 0 && (r->out[v].len != (size_t)n || memcmp(r->out[v].data, want, (size_t)n) != 0)) {
		fprintf(stderr, "variant %zu\n--- libxml2:\n%s\n--- ours:\n%s\n", v,
		    (const char *)want, r->out[v].data);
		abort();
	}
	xmlFree(want);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run r;
	xmlDoc *dom;
	size_t v;

	run_new(&r);
	if (stream(&r, data, size)) {
		dom = xmlReadMemory((const char *)data, (int)size, NULL, NULL,
		    XML_PARSE_NONET | XML_PARSE_NOENT);
		CHECK(dom != NULL);
		for (v = 0; v < VARIANTS; v++)
			compare(&r, v, dom);
		xmlFreeDoc(dom);
	}
	run_free(&r);
	return 0;
}
