/* SPDX-License-Identifier: ISC */
/*
 * Canonical XML 1.0 (W3C REC-xml-c14n-20010315) and Exclusive XML
 * Canonicalization 1.0 (REC-xml-exc-c14n-20020718) of a whole document.
 * Since every ancestor of an element is in the output too, the namespaces
 * "rendered" by output ancestors are one stack, and xml:* attributes need not
 * be inherited.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "xml/c14n.h"

#define OUT_SIZE	(32 * 1024)

struct binding {
	char	*prefix;		/* "" is the default namespace */
	char	*uri;			/* "" undeclares it */
	int	 depth;			/* of the element it stands on */
};

struct binding_stack {
	struct binding	 v[XML_MAX_NS_IN_SCOPE + XML_MAX_NSDECLS];
	size_t		 n;
};

struct attribute {
	const xmlChar	*localname, *prefix, *uri, *value;
	size_t		 len;
};

struct open_element {
	const char	*prefix;	/* of the start tag, for the end tag */
	const char	*localname;
	char		*copy;		/* both point into it */
	size_t		 copy_size;
};

struct c14n {
	struct c14n_params	 params;
	int			(*write)(void *arg, const char *p, size_t n);
	void			*arg;
	int			 failed;
	int			 depth;
	int			 after_root;
	struct binding_stack	 scope;		/* declared by open elements; owns its strings */
	struct binding_stack	 rendered;	/* written by open elements; points into scope */
	struct open_element	 open[XML_MAX_DEPTH];
	struct binding		 pick[XML_MAX_NS_IN_SCOPE];	/* to write on this element */
	size_t			 npick;
	struct attribute	 attr[XML_MAX_ATTRIBUTES];
	size_t			 out_len;
	char			 out[OUT_SIZE];
};

/* --- output -------------------------------------------------------------- */

static void
flush(struct c14n *c)
{
	if (c->out_len > 0 && !c->failed && c->write(c->arg, c->out, c->out_len) == -1)
		c->failed = 1;
	c->out_len = 0;
}

static void
put(struct c14n *c, const void *p, size_t n)
{
	if (n > OUT_SIZE - c->out_len) {
		flush(c);
		if (n > OUT_SIZE) {
			if (!c->failed && c->write(c->arg, p, n) == -1)
				c->failed = 1;
			return;
		}
	}
	memcpy(c->out + c->out_len, p, n);
	c->out_len += n;
}

static void
put_str(struct c14n *c, const void *s)
{
	put(c, s, strlen(s));
}

static void
put_char(struct c14n *c, char ch)
{
	if (c->out_len == OUT_SIZE)
		flush(c);
	c->out[c->out_len++] = ch;
}

enum { IN_TEXT = 1, IN_ATTRIBUTE = 2, IN_OTHER = 4 };

/* Which characters are replaced where (Canonical XML 1.0, section 2.3). */
static const unsigned char escaped[256] = {
	['&'] = IN_TEXT | IN_ATTRIBUTE,
	['<'] = IN_TEXT | IN_ATTRIBUTE,
	['>'] = IN_TEXT,
	['"'] = IN_ATTRIBUTE,
	['\t'] = IN_ATTRIBUTE,
	['\n'] = IN_ATTRIBUTE,
	['\r'] = IN_TEXT | IN_ATTRIBUTE | IN_OTHER,
};

static void
put_escaped(struct c14n *c, const xmlChar *s, size_t len, int where)
{
	size_t i, start = 0;

	for (i = 0; i < len; i++) {
		if ((escaped[s[i]] & where) == 0)
			continue;
		put(c, s + start, i - start);
		start = i + 1;
		switch (s[i]) {
		case '&':
			put(c, "&amp;", 5);
			break;
		case '<':
			put(c, "&lt;", 4);
			break;
		case '>':
			put(c, "&gt;", 4);
			break;
		case '"':
			put(c, "&quot;", 6);
			break;
		case '\t':
			put(c, "&#x9;", 5);
			break;
		case '\n':
			put(c, "&#xA;", 5);
			break;
		default:
			put(c, "&#xD;", 5);
			break;
		}
	}
	put(c, s + start, len - start);
}

/* --- namespaces ---------------------------------------------------------- */

static const struct binding *
find(const struct binding_stack *s, const char *prefix)
{
	size_t i;

	for (i = s->n; i > 0; i--)
		if (strcmp(s->v[i - 1].prefix, prefix) == 0)
			return &s->v[i - 1];
	return NULL;
}

static int
push(struct binding_stack *s, char *prefix, char *uri, int depth)
{
	if (s->n == sizeof(s->v) / sizeof(s->v[0]))
		return -1;
	s->v[s->n++] = (struct binding){ .prefix = prefix, .uri = uri, .depth = depth };
	return 0;
}

/* Bring the element's declarations into scope. */
static int
declare(struct c14n *c, int nb, const xmlChar **ns)
{
	char *prefix, *uri;
	int i;

	if (nb > XML_MAX_NSDECLS || c->scope.n + (size_t)nb > XML_MAX_NS_IN_SCOPE)
		return -1;
	for (i = 0; i < nb; i++) {
		prefix = xstrdup(ns[2 * i] != NULL ? (const char *)ns[2 * i] : "");
		uri = xstrdup(ns[2 * i + 1] != NULL ? (const char *)ns[2 * i + 1] : "");
		if (push(&c->scope, prefix, uri, c->depth) == -1) {
			free(prefix);
			free(uri);
			return -1;
		}
	}
	return 0;
}

/* This prefix must be bound in the output at this element: write it unless an
 * output ancestor has already bound it so.  Only the default namespace can be
 * used with nothing in scope: it is then none. */
static int
want(struct c14n *c, const char *prefix)
{
	static char empty[] = "";
	const struct binding *in, *out;
	char *name = empty, *uri = empty;

	if (strcmp(prefix, "xml") == 0)
		return 0;
	if ((in = find(&c->scope, prefix)) != NULL) {
		name = in->prefix;
		uri = in->uri;
	} else if (*prefix != '\0')
		return 0;
	out = find(&c->rendered, prefix);
	if (strcmp(out != NULL ? out->uri : "", uri) == 0)
		return 0;
	if (c->npick == XML_MAX_NS_IN_SCOPE ||
	    push(&c->rendered, name, uri, c->depth) == -1)
		return -1;
	c->pick[c->npick++] = c->rendered.v[c->rendered.n - 1];
	return 0;
}

static int
want_exclusive(struct c14n *c, const xmlChar *prefix, int nb, const xmlChar **attributes)
{
	size_t k;
	int i;

	for (k = 0; k < c->params.nprefixes; k++)
		if (want(c, c->params.prefixes[k]) == -1)
			return -1;
	if (want(c, prefix != NULL ? (const char *)prefix : "") == -1)
		return -1;
	for (i = 0; i < nb; i++)
		if (attributes[5 * i + 1] != NULL &&
		    want(c, (const char *)attributes[5 * i + 1]) == -1)
			return -1;
	return 0;
}

static int
want_inclusive(struct c14n *c, int nb, const xmlChar **ns)
{
	int i;

	for (i = 0; i < nb; i++)
		if (want(c, ns[2 * i] != NULL ? (const char *)ns[2 * i] : "") == -1)
			return -1;
	return 0;
}

static int
by_prefix(const void *a, const void *b)
{
	return strcmp(((const struct binding *)a)->prefix, ((const struct binding *)b)->prefix);
}

static void
put_namespaces(struct c14n *c)
{
	size_t i;

	if (c->npick > 1)
		qsort(c->pick, c->npick, sizeof(c->pick[0]), by_prefix);
	for (i = 0; i < c->npick; i++) {
		put(c, " xmlns", 6);
		if (c->pick[i].prefix[0] != '\0') {
			put_char(c, ':');
			put_str(c, c->pick[i].prefix);
		}
		put(c, "=\"", 2);
		put_escaped(c, (const xmlChar *)c->pick[i].uri, strlen(c->pick[i].uri), IN_ATTRIBUTE);
		put_char(c, '"');
	}
}

/* --- attributes ---------------------------------------------------------- */

/* By namespace URI, then local name; without a namespace first. */
static int
attribute_cmp(const struct attribute *a, const struct attribute *b)
{
	int rc;

	if (a->uri != b->uri) {
		if (a->uri == NULL)
			return -1;
		if (b->uri == NULL)
			return 1;
		if ((rc = strcmp((const char *)a->uri, (const char *)b->uri)) != 0)
			return rc;
	}
	return strcmp((const char *)a->localname, (const char *)b->localname);
}

/* Insertion sort: few attributes, mostly in order already. */
static void
put_attributes(struct c14n *c, int nb, const xmlChar **attributes)
{
	struct attribute a;
	int i, k;

	for (i = 0; i < nb; i++) {
		a.localname = attributes[5 * i];
		a.prefix = attributes[5 * i + 1];
		a.uri = attributes[5 * i + 2];
		a.value = attributes[5 * i + 3];
		a.len = (size_t)(attributes[5 * i + 4] - attributes[5 * i + 3]);
		for (k = i; k > 0 && attribute_cmp(&a, &c->attr[k - 1]) < 0; k--)
			c->attr[k] = c->attr[k - 1];
		c->attr[k] = a;
	}
	for (i = 0; i < nb; i++) {
		put_char(c, ' ');
		if (c->attr[i].prefix != NULL) {
			put_str(c, c->attr[i].prefix);
			put_char(c, ':');
		}
		put_str(c, c->attr[i].localname);
		put(c, "=\"", 2);
		put_escaped(c, c->attr[i].value, c->attr[i].len, IN_ATTRIBUTE);
		put_char(c, '"');
	}
}

/* --- elements ------------------------------------------------------------ */

static void
put_name(struct c14n *c, const struct open_element *e)
{
	if (*e->prefix != '\0') {
		put_str(c, e->prefix);
		put_char(c, ':');
	}
	put_str(c, e->localname);
}

/* Keep the name for the end tag. */
static void
remember(struct open_element *e, const xmlChar *localname, const xmlChar *prefix)
{
	size_t lp = prefix != NULL ? strlen((const char *)prefix) : 0;
	size_t ll = strlen((const char *)localname);

	if (lp + ll + 2 > e->copy_size) {
		e->copy_size = lp + ll + 2 + 32;
		e->copy = xreallocarray(e->copy, e->copy_size, 1);
	}
	if (lp > 0)
		memcpy(e->copy, prefix, lp);
	e->copy[lp] = '\0';
	memcpy(e->copy + lp + 1, localname, ll + 1);
	e->prefix = e->copy;
	e->localname = e->copy + lp + 1;
}

int
c14n_start(struct c14n *c, const xmlChar *localname, const xmlChar *prefix,
    const xmlChar *uri, int nb_namespaces, const xmlChar **namespaces,
    int nb_attributes, const xmlChar **attributes)
{
	struct open_element *e;
	int rc;

	(void)uri;
	if (c->failed || c->depth == XML_MAX_DEPTH || nb_attributes > XML_MAX_ATTRIBUTES)
		goto fail;
	e = &c->open[c->depth++];
	remember(e, localname, prefix);
	c->npick = 0;
	if (declare(c, nb_namespaces, namespaces) == -1)
		goto fail;
	if (c->params.method == C14N_EXCLUSIVE)
		rc = want_exclusive(c, prefix, nb_attributes, attributes);
	else
		rc = want_inclusive(c, nb_namespaces, namespaces);
	if (rc == -1)
		goto fail;
	put_char(c, '<');
	put_name(c, e);
	put_namespaces(c);
	put_attributes(c, nb_attributes, attributes);
	put_char(c, '>');
	return c->failed ? -1 : 0;
fail:
	c->failed = 1;
	return -1;
}

int
c14n_end(struct c14n *c)
{
	struct binding *b;

	if (c->failed || c->depth == 0) {
		c->failed = 1;
		return -1;
	}
	put(c, "</", 2);
	put_name(c, &c->open[c->depth - 1]);
	put_char(c, '>');
	while (c->rendered.n > 0 && c->rendered.v[c->rendered.n - 1].depth == c->depth)
		c->rendered.n--;
	while (c->scope.n > 0 && c->scope.v[c->scope.n - 1].depth == c->depth) {
		b = &c->scope.v[--c->scope.n];
		free(b->prefix);
		free(b->uri);
	}
	if (--c->depth == 0) {
		c->after_root = 1;
		flush(c);
	}
	return c->failed ? -1 : 0;
}

int
c14n_text(struct c14n *c, const xmlChar *s, int len)
{
	if (c->depth > 0 && len > 0)
		put_escaped(c, s, (size_t)len, IN_TEXT);
	return c->failed ? -1 : 0;
}

/* Outside the root each stands on a line of its own (section 2.3). */
static void
put_before(struct c14n *c)
{
	if (c->depth == 0 && c->after_root)
		put_char(c, '\n');
}

static int
put_after(struct c14n *c)
{
	if (c->depth == 0 && !c->after_root)
		put_char(c, '\n');
	if (c->depth == 0)
		flush(c);
	return c->failed ? -1 : 0;
}

int
c14n_comment(struct c14n *c, const xmlChar *s)
{
	if (!c->params.with_comments)
		return c->failed ? -1 : 0;
	put_before(c);
	put(c, "<!--", 4);
	put_escaped(c, s, strlen((const char *)s), IN_OTHER);
	put(c, "-->", 3);
	return put_after(c);
}

int
c14n_pi(struct c14n *c, const xmlChar *target, const xmlChar *data)
{
	put_before(c);
	put(c, "<?", 2);
	put_str(c, target);
	if (data != NULL && *data != '\0') {
		put_char(c, ' ');
		put_escaped(c, data, strlen((const char *)data), IN_OTHER);
	}
	put(c, "?>", 2);
	return put_after(c);
}

/* --- life ---------------------------------------------------------------- */

struct c14n *
c14n_new(const struct c14n_params *params, int (*write)(void *arg, const char *p, size_t n),
    void *arg)
{
	struct c14n *c = xcalloc(1, sizeof(*c));
	size_t i;

	c->params = *params;
	if (c->params.nprefixes > XML_MAX_PREFIX_LIST)
		c->params.nprefixes = XML_MAX_PREFIX_LIST;
	for (i = 0; i < c->params.nprefixes; i++)
		c->params.prefixes[i] = xstrdup(params->prefixes[i]);
	c->write = write;
	c->arg = arg;
	return c;
}

void
c14n_free(struct c14n *c)
{
	size_t i;

	if (c == NULL)
		return;
	for (i = 0; i < c->params.nprefixes; i++)
		free(c->params.prefixes[i]);
	for (i = 0; i < c->scope.n; i++) {
		free(c->scope.v[i].prefix);
		free(c->scope.v[i].uri);
	}
	for (i = 0; i < XML_MAX_DEPTH; i++)
		free(c->open[i].copy);
	free(c);
}
