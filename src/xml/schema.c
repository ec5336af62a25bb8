/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlschemas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/reason.h"
#include "xml/node.h"
#include "xml/pull.h"
#include "xml/schema.h"
#include "xml/shape.h"

#define SCHEMA_MAX_SIZE	(1024 * 1024)	/* bytes of one file; ours, not a peer's */
#define SCHEMA_MAX	64		/* files */
#define XSD_NS		"http://www.w3.org/2001/XMLSchema"
#define BASE		"schemas/"	/* what relative locations are resolved against */
#define SHAPE_FROM	64	/* records of a list, from which on tables are worth making */

struct schema {
	char		*name;		/* of the file */
	char		*uri;		/* target namespace; NULL: for inclusion only */
	xmlDoc		*doc;		/* the compiled schema points into it */
	xmlSchema	*compiled;
};

struct schema_set {
	struct schema	 v[SCHEMA_MAX];
	size_t		 n;
};

/* --- loading ------------------------------------------------------------- */

static int loading = -1;	/* the directory, while schemas are compiled */
static schema_seen_fn *loading_seen;
static void *loading_arg;

static void
tell_seen(const char *name, const void *data, size_t len)
{
	if (loading_seen != NULL)
		loading_seen(loading_arg, name, data, len);
}

/* xs:include of a file of the same directory, and of nothing else. */
static xmlParserInput *
include_entity(const char *url, const char *id, xmlParserCtxt *ctxt)
{
	xmlParserInputBuffer *buf;
	xmlParserInput *in = NULL;
	char *data = NULL;
	size_t len;
	int fd = -1;

	(void)id;
	if (url == NULL || strncmp(url, BASE, strlen(BASE)) != 0)
		goto out;
	if ((fd = open_beneath(loading, url + strlen(BASE), O_RDONLY | O_CLOEXEC, 0)) == -1 ||
	    fd_read_all(fd, SCHEMA_MAX_SIZE, &data, &len) == -1) {
		log_warnx("schema %s: %s", url + strlen(BASE), strerror(errno));
		goto out;
	}
	tell_seen(url + strlen(BASE), data, len);
	if ((buf = xmlParserInputBufferCreateMem(data, (int)len, XML_CHAR_ENCODING_NONE)) == NULL)
		goto out;
	if ((in = xmlNewIOInputStream(ctxt, buf, XML_CHAR_ENCODING_NONE)) == NULL) {
		xmlFreeParserInputBuffer(buf);
		goto out;
	}
	in->filename = (char *)xmlStrdup((const xmlChar *)url);
out:
	if (fd != -1)
		close(fd);
	free(data);
	return in;
}

static void
log_schema_error(void *arg, xmlError *e)
{
	const char *m = e != NULL && e->message != NULL ? e->message : "?";

	log_warnx("schema %s: line %d: %.*s", (const char *)arg, e != NULL ? e->line : 0,
	    (int)strcspn(m, "\r\n"), m);
}

static int
compile(struct schema *s, const char *data, size_t len)
{
	xmlSchemaParserCtxt *ctxt = NULL;
	xmlNode *root;
	char *url = NULL;
	int rc = -1;

	url = xasprintf(BASE "%s", s->name);
	s->doc = xmlReadMemory(data, (int)len, url, NULL, XML_PARSE_NONET);
	if (s->doc == NULL || (root = xmlDocGetRootElement(s->doc)) == NULL || root->ns == NULL ||
	    !xmlStrEqual(root->ns->href, BAD_CAST XSD_NS) ||
	    !xmlStrEqual(root->name, BAD_CAST "schema")) {
		log_warnx("schema %s: not an XML schema", s->name);
		goto out;
	}
	s->uri = (char *)xmlGetNoNsProp(root, BAD_CAST "targetNamespace");
	if (s->uri != NULL) {
		if ((ctxt = xmlSchemaNewDocParserCtxt(s->doc)) == NULL)
			goto out;
		xmlSchemaSetParserStructuredErrors(ctxt, log_schema_error, s->name);
		if ((s->compiled = xmlSchemaParse(ctxt)) == NULL) {
			log_warnx("schema %s: does not compile", s->name);
			goto out;
		}
	}
	rc = 0;
out:
	xmlSchemaFreeParserCtxt(ctxt);
	free(url);
	return rc;
}

static int
load_file(struct schema_set *set, int dirfd, const char *name)
{
	char *data = NULL;
	size_t len;
	int fd, rc = -1;

	if ((fd = open_beneath(dirfd, name, O_RDONLY | O_CLOEXEC, 0)) == -1 ||
	    fd_read_all(fd, SCHEMA_MAX_SIZE, &data, &len) == -1)
		log_warn("schema %s", name);
	else {
		tell_seen(name, data, len);
		set->v[set->n].name = xstrdup(name);
		rc = compile(&set->v[set->n++], data, len);
	}
	if (fd != -1)
		close(fd);
	free(data);
	return rc;
}

static int
is_schema(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 4 && e->d_name[0] != '.' && strcmp(e->d_name + n - 4, ".xsd") == 0;
}

struct schema_set *
schema_set_load(int dirfd)
{
	return schema_set_load_seen(dirfd, NULL, NULL);
}

struct schema_set *
schema_set_load_seen(int dirfd, schema_seen_fn *seen, void *arg)
{
	struct schema_set *set = xcalloc(1, sizeof(*set)), *out = NULL;
	xmlExternalEntityLoader previous;
	struct dirent **list = NULL;
	int i, n;

	pull_setup();
	previous = xmlGetExternalEntityLoader();
	xmlSetExternalEntityLoader(include_entity);
	loading = dirfd;
	loading_seen = seen;
	loading_arg = arg;
	if ((n = scandirat(dirfd, ".", &list, is_schema, alphasort)) == -1) {
		log_warn("schemas");
		goto out;
	}
	if (n > SCHEMA_MAX) {
		log_warnx("schemas: more than %d files", SCHEMA_MAX);
		goto out;
	}
	for (i = 0; i < n; i++)
		if (load_file(set, dirfd, list[i]->d_name) == -1)
			goto out;
	if (schema_set_count(set) == 0) {
		log_warnx("schemas: there are none in that directory");
		goto out;
	}
	out = set;
	set = NULL;
out:
	loading = -1;
	loading_seen = NULL;
	xmlSetExternalEntityLoader(previous);
	for (i = 0; i < n; i++)
		free(list[i]);
	free(list);
	schema_set_free(set);
	return out;
}

void
schema_set_free(struct schema_set *set)
{
	size_t i;

	if (set == NULL)
		return;
	for (i = 0; i < set->n; i++) {
		if (set->v[i].compiled != NULL)
			xmlSchemaFree(set->v[i].compiled);
		xmlFreeDoc(set->v[i].doc);
		xmlFree(set->v[i].uri);
		free(set->v[i].name);
	}
	free(set);
}

size_t
schema_set_count(const struct schema_set *set)
{
	size_t i, n = 0;

	for (i = 0; i < set->n; i++)
		n += set->v[i].compiled != NULL;
	return n;
}

/* --- validating ---------------------------------------------------------- */

/* A record that the tables found right.  libxml2 hears of it only where it turns
 * out to have content, and then has that to judge, for which the attributes do not
 * matter: those of the list's first such record do for all. */
struct held {
	int		 is;
	const xmlChar	*localname, *prefix, *uri;
	int		 n;		/* of the first one; -1: there was none yet */
	const xmlChar	*attributes[5 * XML_MAX_ATTRIBUTES];
	struct buf	 values;
};

struct schema_run {
	xmlSchemaValidCtxt	*ctxt;
	xmlSchemaSAXPlugStruct	*plug;
	xmlSAXHandler		*sax;		/* the validator's handlers ... */
	void			*sax_arg;	/* ... and their argument */
	void			(*invalid)(void *arg, const char *message);
	void			*arg;
	/* the open list of records, a child of the root */
	const char		*uri;		/* the schema's namespace ... */
	const xmlChar		*met;		/* ... and as the parser has it */
	struct shape_docs	 docs;
	int			 depth;
	const xmlChar		*root, *list;	/* list: NULL where it is of another namespace */
	int			 records;	/* so far, up to SHAPE_FROM */
	struct shape		*shape;		/* NULL: libxml2 judges all of it */
	struct held		 held;
};

/* Where the value that the message quotes from v on ends, its closing quote: the
 * last that some of libxml2's words follow, since it may hold quotes itself. */
static const char *
value_end(const char *v, const char *const *words)
{
	const char *e = NULL, *p;

	for (; *words != NULL; words++)
		for (p = v; (p = strstr(p, *words)) != NULL; p++)
			if (e == NULL || p > e)
				e = p;
	return e;
}

/*
 * The value that failed may be an investor's: it is left out, the sender knows
 * where to look.  A facet's message is "...: The value 'x' is not ...", that of
 * a type "...: 'x' is not a valid value of ...".
 */
static void
without_value(const char *message, char *out, size_t size)
{
	static const char facet[] = "The value '", type[] = "': '";
	static const char *const after_facet[] = { "' is ", "' has ", NULL };
	static const char *const after_type[] = { "' is not a valid value of ", NULL };
	const char *v, *e;

	if ((v = strstr(message, type)) != NULL &&
	    (e = value_end(v + strlen(type), after_type)) != NULL)
		(void)snprintf(out, size, "%.*s': The value%s", (int)(v - message), message, e + 1);
	else if ((v = strstr(message, facet)) == NULL)
		(void)snprintf(out, size, "%s", message);
	else if ((e = value_end(v + strlen(facet), after_facet)) == NULL)
		(void)snprintf(out, size, "%.*sThe value is wrong", (int)(v - message), message);
	else
		(void)snprintf(out, size, "%.*sThe value%s", (int)(v - message), message, e + 1);
	out[strcspn(out, "\r\n")] = '\0';
}

static void
on_invalid(void *arg, xmlError *e)
{
	struct schema_run *r = arg;
	char text[REASON_DETAIL_SIZE];

	without_value(e != NULL && e->message != NULL ? e->message : "invalid", text, sizeof(text));
	r->invalid(r->arg, text);
}

/* The schema and what it includes, as they were read. */
static void
gather_docs(struct schema_run *r, const struct schema_set *set, const struct schema *s)
{
	const xmlNode *n = xmlDocGetRootElement(s->doc);
	char *file;
	size_t i, at = 0;

	r->docs.v[at++] = s->doc;
	for (n = node_child(n, XSD_NS, "include"); n != NULL; n = node_next(n)) {
		if (!node_is(n, XSD_NS, "include") || (file = node_attr(n, "schemaLocation")) == NULL)
			continue;
		for (i = 0; i < set->n && at < SHAPE_DOCS; i++)
			if (strcmp(set->v[i].name, file) == 0)
				r->docs.v[at++] = set->v[i].doc;
		free(file);
	}
}

struct schema_run *
schema_run_new(const struct schema_set *set, const xmlChar *uri,
    void (*invalid)(void *arg, const char *message), void *arg)
{
	struct schema_run *r;
	size_t i;

	for (i = 0; i < set->n; i++)
		if (set->v[i].compiled != NULL && uri != NULL &&
		    strcmp(set->v[i].uri, (const char *)uri) == 0)
			break;
	if (i == set->n)
		return NULL;
	r = xcalloc(1, sizeof(*r));
	r->invalid = invalid;
	r->arg = arg;
	if ((r->ctxt = xmlSchemaNewValidCtxt(set->v[i].compiled)) == NULL)
		fatalx("schema: out of memory");
	xmlSchemaSetValidStructuredErrors(r->ctxt, on_invalid, r);
	r->uri = set->v[i].uri;
	r->met = uri;
	gather_docs(r, set, &set->v[i]);
	/* With no handler of ours beneath, the plug hands out the validator's. */
	if ((r->plug = xmlSchemaSAXPlug(r->ctxt, &r->sax, &r->sax_arg)) == NULL)
		fatalx("schema: the validator cannot be plugged in");
	return r;
}

static void
keep_attributes(struct held *h, int n, const xmlChar **attributes)
{
	size_t len = 0;
	int i;

	h->n = n;
	buf_reset(&h->values);
	for (i = 0; i < n; i++)
		(void)buf_append(&h->values, attributes[5 * i + 3],
		    (size_t)(attributes[5 * i + 4] - attributes[5 * i + 3]));
	for (i = 0; i < n; i++) {
		memcpy(&h->attributes[5 * i], &attributes[5 * i], 3 * sizeof(*attributes));
		h->attributes[5 * i + 3] = (const xmlChar *)h->values.data + len;
		len += (size_t)(attributes[5 * i + 4] - attributes[5 * i + 3]);
		h->attributes[5 * i + 4] = (const xmlChar *)h->values.data + len;
	}
}

static void
hold(struct held *h, const xmlChar *localname, const xmlChar *prefix, const xmlChar *uri, int n,
    const xmlChar **attributes)
{
	h->is = 1;
	h->localname = localname;
	h->prefix = prefix;
	h->uri = uri;
	if (h->n == -1)
		keep_attributes(h, n, attributes);
}

/* It has content, and so is not right: libxml2 says how. */
static void
release(struct schema_run *r)
{
	struct held *h = &r->held;

	if (!h->is)
		return;
	h->is = 0;
	r->sax->startElementNs(r->sax_arg, h->localname, h->prefix, h->uri, 0, NULL, h->n, 0,
	    h->attributes);
}

/* Keeps to the open list.  1 where this is a record of it that is right. */
static int
is_known(struct schema_run *r, const xmlChar *localname, const xmlChar *uri, int nb_namespaces,
    int nb_attributes, const xmlChar **attributes)
{
	int i, ours = uri == r->met || (uri != NULL && strcmp((const char *)uri, r->uri) == 0);

	if (r->depth == 1)
		r->root = localname;
	if (r->depth == 2) {
		r->list = ours ? localname : NULL;
		r->records = 0;
		shape_free(r->shape);
		r->shape = NULL;
		r->held.n = -1;
		for (i = 0; i < nb_attributes; i++)	/* xsi:type may make another list of it */
			if (attributes[5 * i + 2] != NULL)
				r->list = NULL;
	}
	if (r->depth != 3 || r->list == NULL)
		return 0;
	if (r->records < SHAPE_FROM && ++r->records == SHAPE_FROM)
		r->shape = shape_new(&r->docs, r->root, r->list);
	return r->shape != NULL && ours && nb_namespaces == 0 && nb_attributes <= XML_MAX_ATTRIBUTES &&
	    shape_accepts(r->shape, localname, nb_attributes, attributes);
}

void
schema_start(struct schema_run *r, const xmlChar *localname, const xmlChar *prefix,
    const xmlChar *uri, int nb_namespaces, const xmlChar **namespaces, int nb_attributes,
    const xmlChar **attributes)
{
	release(r);
	r->depth++;
	if (is_known(r, localname, uri, nb_namespaces, nb_attributes, attributes))
		hold(&r->held, localname, prefix, uri, nb_attributes, attributes);
	else
		r->sax->startElementNs(r->sax_arg, localname, prefix, uri, nb_namespaces, namespaces,
		    nb_attributes, 0, attributes);
}

void
schema_end(struct schema_run *r, const xmlChar *localname, const xmlChar *prefix, const xmlChar *uri)
{
	r->depth--;
	if (r->held.is)
		r->held.is = 0;
	else
		r->sax->endElementNs(r->sax_arg, localname, prefix, uri);
}

void
schema_text(struct schema_run *r, const xmlChar *s, int len)
{
	release(r);
	r->sax->characters(r->sax_arg, s, len);
}

void
schema_run_free(struct schema_run *r)
{
	if (r == NULL)
		return;
	(void)xmlSchemaSAXUnplug(r->plug);	/* before the context it points to */
	xmlSchemaFreeValidCtxt(r->ctxt);
	shape_free(r->shape);
	buf_free(&r->held.values);
	free(r);
}
