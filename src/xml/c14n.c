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
#define ESCAPE_MAX	sizeof("&quot;")	/* bytes that one may become, with the NUL behind */
#define SHORT		1024		/* bytes of a name, a value: all at once */

/* As libxml2's startElementNs has them, five pointers each. */
enum { LOCALNAME, PREFIX, URI, VALUE, VALUE_END, PER_ATTRIBUTE };

struct binding {
	const char	*prefix;	/* "" is the default namespace */
	const char	*uri;		/* "" undeclares it */
	int		 depth;		/* of the element it stands on */
};

struct binding_stack {
	struct binding	 v[XML_MAX_NS_IN_SCOPE + XML_MAX_NSDECLS];
	size_t		 n;
};

struct open_element {
	const xmlChar	*prefix, *localname;	/* of the start tag, for the end tag */
};

struct attribute {
	const xmlChar	*localname, *uri;
	size_t		 len;		/* of the localname */
};

struct c14n {
	struct c14n_params	 params;
	int			(*write)(void *arg, const char *p, size_t n);
	void			*arg;
	int			 failed;
	int			 depth;
	int			 after_root;
	struct binding_stack	 scope;		/* declared by open elements */
	struct binding_stack	 rendered;	/* written by open elements */
	struct open_element	 open[XML_MAX_DEPTH];
	struct binding		 pick[XML_MAX_NS_IN_SCOPE];	/* to write on this element */
	size_t			 npick;
	struct attribute	 attr[XML_MAX_ATTRIBUTES];	/* the last element's, as they came ... */
	int			 order[XML_MAX_ATTRIBUTES];	/* ... and as they were written */
	int			 nattr;
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

static const char *
escape_of(xmlChar ch)
{
	switch (ch) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\t':
		return "&#x9;";
	case '\n':
		return "&#xA;";
	default:
		return "&#xD;";
	}
}

/* Room for n bytes in one piece, of OUT_SIZE at most: where they go. */
static char *
room(struct c14n *c, size_t n)
{
	if (n > OUT_SIZE - c->out_len)
		flush(c);
	return c->out + c->out_len;
}

static void
wrote_to(struct c14n *c, const char *end)
{
	c->out_len = (size_t)(end - c->out);
}

/* Copies up to the first one that is to be replaced; how many that are. */
static size_t
copy_plain(char *out, const xmlChar *s, size_t len, int where)
{
	size_t i;

	for (i = 0; i < len && (escaped[s[i]] & where) == 0; i++)
		out[i] = (char)s[i];
	return i;
}

/* What is left, which begins with such a one; where what is written of it ends. */
static char *
write_rest(char *out, const xmlChar *s, size_t len, int where)
{
	size_t n;

	while (len > 0) {
		out = stpcpy(out, escape_of(*s));
		n = copy_plain(out, ++s, --len, where);
		out += n;
		s += n;
		len -= n;
	}
	return out;
}

/* To out, which has room for ESCAPE_MAX times as much; where what is written ends. */
static inline char *
write_escaped(char *out, const xmlChar *s, size_t len, int where)
{
	size_t n = copy_plain(out, s, len, where);

	return n == len ? out + n : write_rest(out + n, s + n, len - n, where);
}

static void
put_escaped(struct c14n *c, const xmlChar *s, size_t len, int where)
{
	size_t part;
	char *p;

	for (; len > 0; s += part, len -= part) {
		part = len < OUT_SIZE / ESCAPE_MAX ? len : OUT_SIZE / ESCAPE_MAX;
		p = room(c, part * ESCAPE_MAX);
		wrote_to(c, write_escaped(p, s, part, where));
	}
}

/* --- namespaces ---------------------------------------------------------- */

static const char none[] = "";

/* "" where there is none; always the same one. */
static const char *
text_of(const xmlChar *s)
{
	return s != NULL ? (const char *)s : none;
}

/* The parser has the same text mostly at the same place. */
static int
same(const char *a, const char *b)
{
	return a == b || strcmp(a, b) == 0;
}

static const struct binding *
find(const struct binding_stack *s, const char *prefix)
{
	size_t i;

	for (i = s->n; i > 0; i--)
		if (same(s->v[i - 1].prefix, prefix))
			return &s->v[i - 1];
	return NULL;
}

static int
push(struct binding_stack *s, const char *prefix, const char *uri, int depth)
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
	int i;

	if (nb > XML_MAX_NSDECLS || c->scope.n + (size_t)nb > XML_MAX_NS_IN_SCOPE)
		return -1;
	for (i = 0; i < nb; i++)
		if (push(&c->scope, text_of(ns[2 * i]), text_of(ns[2 * i + 1]), c->depth) == -1)
			return -1;
	return 0;
}

/* This prefix must be bound in the output at this element: write it unless an
 * output ancestor has already bound it so.  Only the default namespace can be
 * used with nothing in scope: it is then none. */
static int
want(struct c14n *c, const char *prefix)
{
	const struct binding *in, *out;
	const char *name = none, *uri = none;

	if (prefix != none && strcmp(prefix, "xml") == 0)
		return 0;
	if ((in = find(&c->scope, prefix)) != NULL) {
		name = in->prefix;
		uri = in->uri;
	} else if (*prefix != '\0')
		return 0;
	out = find(&c->rendered, prefix);
	if (same(out != NULL ? out->uri : none, uri))
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
	if (want(c, text_of(prefix)) == -1)
		return -1;
	for (i = 0; i < nb; i++)
		if (attributes[PER_ATTRIBUTE * i + PREFIX] != NULL &&
		    want(c, (const char *)attributes[PER_ATTRIBUTE * i + PREFIX]) == -1)
			return -1;
	return 0;
}

static int
want_inclusive(struct c14n *c, int nb, const xmlChar **ns)
{
	int i;

	for (i = 0; i < nb; i++)
		if (want(c, text_of(ns[2 * i])) == -1)
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

/* Has the element the attributes that the one before had, in that order?  Records in
 * a row mostly have, and the parser has their names at the same place. */
static int
as_before(const struct c14n *c, int nb, const xmlChar **attributes)
{
	int i;

	for (i = 0; i < nb && i < c->nattr; i++)
		if (c->attr[i].localname != attributes[PER_ATTRIBUTE * i + LOCALNAME] ||
		    c->attr[i].uri != attributes[PER_ATTRIBUTE * i + URI])
			return 0;
	return nb == c->nattr;
}

/* Insertion sort: few attributes, mostly in order already. */
static void
sort_attributes(struct c14n *c, int nb, const xmlChar **attributes)
{
	int i, k;

	if (as_before(c, nb, attributes))
		return;
	c->nattr = nb;
	for (i = 0; i < nb; i++, attributes += PER_ATTRIBUTE) {
		c->attr[i].localname = attributes[LOCALNAME];
		c->attr[i].uri = attributes[URI];
		c->attr[i].len = strlen((const char *)attributes[LOCALNAME]);
		for (k = i; k > 0 && attribute_cmp(&c->attr[i], &c->attr[c->order[k - 1]]) < 0; k--)
			c->order[k] = c->order[k - 1];
		c->order[k] = i;
	}
}

/* With a prefix, or in pieces. */
static void
put_other_attribute(struct c14n *c, const xmlChar **a, size_t len)
{
	put_char(c, ' ');
	if (a[PREFIX] != NULL) {
		put_str(c, a[PREFIX]);
		put_char(c, ':');
	}
	put_str(c, a[LOCALNAME]);
	put(c, "=\"", 2);
	put_escaped(c, a[VALUE], len, IN_ATTRIBUTE);
	put_char(c, '"');
}

static void
put_attribute(struct c14n *c, const xmlChar **a, size_t name_len)
{
	size_t len = (size_t)(a[VALUE_END] - a[VALUE]);
	char *p;

	if (a[PREFIX] != NULL || name_len > SHORT || len > SHORT) {
		put_other_attribute(c, a, len);
		return;
	}
	p = room(c, name_len + ESCAPE_MAX * len + 4);
	*p++ = ' ';
	p = mempcpy(p, a[LOCALNAME], name_len);
	*p++ = '=';
	*p++ = '"';
	p = write_escaped(p, a[VALUE], len, IN_ATTRIBUTE);
	*p++ = '"';
	wrote_to(c, p);
}

/* --- elements ------------------------------------------------------------ */

static void
put_name(struct c14n *c, const struct open_element *e)
{
	if (e->prefix != NULL) {
		put_str(c, e->prefix);
		put_char(c, ':');
	}
	put_str(c, e->localname);
}

int
c14n_start(struct c14n *c, const xmlChar *localname, const xmlChar *prefix,
    const xmlChar *uri, int nb_namespaces, const xmlChar **namespaces,
    int nb_attributes, const xmlChar **attributes)
{
	struct open_element *e;
	int i, rc;

	(void)uri;
	if (c->failed || c->depth == XML_MAX_DEPTH || nb_attributes > XML_MAX_ATTRIBUTES)
		goto fail;
	e = &c->open[c->depth++];
	e->localname = localname;
	e->prefix = prefix;
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
	sort_attributes(c, nb_attributes, attributes);
	for (i = 0; i < nb_attributes; i++)
		put_attribute(c, attributes + PER_ATTRIBUTE * c->order[i],
		    c->attr[c->order[i]].len);
	put_char(c, '>');
	return c->failed ? -1 : 0;
fail:
	c->failed = 1;
	return -1;
}

int
c14n_end(struct c14n *c)
{
	if (c->failed || c->depth == 0) {
		c->failed = 1;
		return -1;
	}
	put(c, "</", 2);
	put_name(c, &c->open[c->depth - 1]);
	put_char(c, '>');
	while (c->rendered.n > 0 && c->rendered.v[c->rendered.n - 1].depth == c->depth)
		c->rendered.n--;
	while (c->scope.n > 0 && c->scope.v[c->scope.n - 1].depth == c->depth)
		c->scope.n--;
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
	free(c);
}
