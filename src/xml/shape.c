/* SPDX-License-Identifier: ISC */
/*
 * Only what is understood whole makes a table: every element and attribute of
 * the schema that is not named here ends the reading.
 */
#include "config.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "xml/node.h"
#include "xml/pattern.h"
#include "xml/shape.h"

#define XSD_NS		"http://www.w3.org/2001/XMLSchema"
#define PATTERNS	3	/* that one value has to match */
#define TYPE_DEPTH	4	/* restrictions of restrictions */

/* A simple type: all of these patterns, and not more bytes than that. */
struct value {
	const struct pattern	*match[PATTERNS];
	int			 n;
	size_t			 least, most;
};

/* What the schema calls it, and the parser, once that was met: the parser gives
 * the same name at the same place. */
struct name {
	const char	*text;
	const xmlChar	*met;
};

struct attribute {
	struct name	 name;
	int		 required;
	struct value	 value;
};

struct shape {
	struct name	 record;
	struct attribute attribute[XML_MAX_ATTRIBUTES];
	int		 n;
	uint64_t	 required;	/* a bit each */
	/* every pattern once, whoever uses it */
	struct pattern	*pattern[PATTERNS * XML_MAX_ATTRIBUTES];
	char		*text[PATTERNS * XML_MAX_ATTRIBUTES];
	int		 npatterns;
};

/*
 * The types of XML Schema that are used here.  Dates and times not as far as
 * libxml2 takes them, but without doubt: no blanks around, years of four digits,
 * no 29 February, no zone beyond ten hours.
 */
#define MONTH_DAY	"((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)"
#define YEAR		"[1-9][0-9]{3}-"
#define ZONE		"(Z|[+\\-]0[0-9]:[0-5][0-9])?"
static const struct { const char *name, *pattern; } builtin[] = {
	{ "string", NULL },
	{ "boolean", "true|false|0|1" },
	{ "date", YEAR MONTH_DAY ZONE },
	{ "dateTime", YEAR MONTH_DAY "T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?" ZONE },
};

/* --- reading the schema -------------------------------------------------- */

/* The attribute's text; NULL where there is none. */
static const char *
prop(const xmlNode *n, const char *name)
{
	const xmlAttr	*a;

	for (a = n->properties; a != NULL; a = a->next)
		if (a->ns == NULL && strcmp((const char *)a->name, name) == 0 && a->children != NULL &&
		    a->children->next == NULL && a->children->type == XML_TEXT_NODE)
			return (const char *)a->children->content;
	return NULL;
}

static int
prop_is(const xmlNode *n, const char *name, const char *value)
{
	const char	*v = prop(n, name);

	return v != NULL && strcmp(v, value) == 0;
}

/* Has n no attributes but those, which are separated by single blanks? */
static int
only_props(const xmlNode *n, const char *names)
{
	const xmlAttr	*a;
	const char	*p;
	size_t		 len;

	for (a = n->properties; a != NULL; a = a->next) {
		len = strlen((const char *)a->name);
		for (p = names; p != NULL && (strncmp(p, (const char *)a->name, len) != 0 ||
		    (p[len] != ' ' && p[len] != '\0')); )
			if ((p = strchr(p, ' ')) != NULL)
				p++;
		if (p == NULL || a->ns != NULL || prop(n, (const char *)a->name) == NULL)
			return 0;
	}
	return 1;
}

static int
is(const xmlNode *n, const char *name)
{
	return node_is(n, XSD_NS, name);
}

/* The first child, the next one after n, but for annotations. */
static const xmlNode *
next_of(const xmlNode *n)
{
	while (is(n, "annotation"))
		n = node_next(n);
	return n;
}

static const xmlNode *
first_in(const xmlNode *parent)
{
	return next_of(node_first(parent));
}

static const xmlNode *
after(const xmlNode *n)
{
	return next_of(node_next(n));
}

/* A type of that name in the schema or in what it includes. */
static const xmlNode *
find_type(const struct shape_docs *docs, const char *kind, const char *name)
{
	const xmlNode	*n;
	int		 i;

	for (i = 0; docs->v[i] != NULL; i++)
		for (n = first_in(xmlDocGetRootElement(docs->v[i])); n != NULL; n = after(n))
			if (is(n, kind) && prop_is(n, "name", name))
				return n;
	return NULL;
}

/* --- simple types -------------------------------------------------------- */

static int
add_pattern(struct shape *sh, struct value *v, const char *text)
{
	int	 i;

	for (i = 0; i < sh->npatterns; i++)
		if (strcmp(sh->text[i], text) == 0)
			break;
	if (v->n == PATTERNS || i == PATTERNS * XML_MAX_ATTRIBUTES)
		return -1;
	if (i == sh->npatterns) {
		if ((sh->pattern[i] = pattern_new(text)) == NULL)
			return -1;
		sh->text[i] = xstrdup(text);
		sh->npatterns++;
	}
	v->match[v->n++] = sh->pattern[i];
	return 0;
}

/* The values that are enumerated, of letters and the like, as one pattern. */
static int
add_enumeration(struct shape *sh, struct value *v, const xmlNode *n)
{
	static const char	 plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
	struct buf		 b = { 0 };
	const char		*one;
	int			 rc = 0;

	for (; n != NULL && rc == 0; n = after(n)) {
		one = prop(n, "value");
		if (!is(n, "enumeration") || !only_props(n, "value") || one == NULL || *one == '\0' ||
		    one[strspn(one, plain)] != '\0')
			rc = -1;
		else
			(void)buf_printf(&b, "%s%s", b.len > 0 ? "|" : "", one);
	}
	if (rc == 0)
		rc = add_pattern(sh, v, b.data);
	buf_free(&b);
	return rc;
}

/* Counted in bytes, of which a character has one at least; so only the least of
 * none or one is known to be the same of characters. */
static int
add_length(struct value *v, const char *name, const char *text)
{
	char		*end;
	unsigned long	 n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0')
		return -1;
	if (strcmp(name, "minLength") == 0) {
		if (n > 1)
			return -1;
		if (n > v->least)
			v->least = n;
		return 0;
	}
	if (n < v->most)
		v->most = n;
	return 0;
}

/* The facets of one restriction: enumerations, or one pattern, and lengths. */
static int
add_facets(struct shape *sh, struct value *v, const xmlNode *n)
{
	int	 patterns = 0;

	if (is(n, "enumeration"))
		return add_enumeration(sh, v, n);
	for (; n != NULL; n = after(n)) {
		if (!only_props(n, "value") || prop(n, "value") == NULL)
			return -1;
		if (is(n, "pattern")) {		/* a second one would be another choice */
			if (patterns++ > 0 || add_pattern(sh, v, prop(n, "value")) == -1)
				return -1;
		} else if (!is(n, "minLength") && !is(n, "maxLength"))
			return -1;
		else if (add_length(v, (const char *)n->name, prop(n, "value")) == -1)
			return -1;
	}
	return 0;
}

/* One of XML Schema's own types: 1 taken, 0 it is none, -1 it is another. */
static int
add_builtin(struct shape *sh, struct value *v, const xmlNode *n, const char *name)
{
	const char	*local = strchr(name, ':');
	size_t		 i;

	if (local == NULL)
		return 0;
	if (n->ns->prefix == NULL || strlen((const char *)n->ns->prefix) != (size_t)(local - name) ||
	    strncmp((const char *)n->ns->prefix, name, (size_t)(local - name)) != 0)
		return -1;
	for (i = 0; i < sizeof(builtin) / sizeof(builtin[0]); i++)
		if (strcmp(local + 1, builtin[i].name) == 0)
			return builtin[i].pattern == NULL || add_pattern(sh, v, builtin[i].pattern) == 0 ?
			    1 : -1;
	return -1;
}

/* The simple type of that name, as n, which uses it, understands the name. */
static int
add_type(struct shape *sh, struct value *v, const struct shape_docs *docs, const xmlNode *n,
    const char *name, int depth)
{
	const xmlNode	*type, *restriction;
	const char	*base;
	int		 rc;

	if (name == NULL || depth > TYPE_DEPTH)
		return -1;
	if ((rc = add_builtin(sh, v, n, name)) != 0)
		return rc == 1 ? 0 : -1;
	type = find_type(docs, "simpleType", name);
	if (type == NULL || !only_props(type, "name"))
		return -1;
	restriction = first_in(type);
	if (!is(restriction, "restriction") || after(restriction) != NULL ||
	    !only_props(restriction, "base"))
		return -1;
	base = prop(restriction, "base");
	if (add_type(sh, v, docs, restriction, base, depth + 1) == -1)
		return -1;
	return add_facets(sh, v, first_in(restriction));
}

/* --- records and lists --------------------------------------------------- */

static int
add_attribute(struct shape *sh, const struct shape_docs *docs, const xmlNode *n)
{
	struct attribute	*a = &sh->attribute[sh->n];

	if (sh->n == XML_MAX_ATTRIBUTES || !is(n, "attribute") || !only_props(n, "name type use") ||
	    (a->name.text = prop(n, "name")) == NULL || first_in(n) != NULL)
		return -1;
	a->required = prop_is(n, "use", "required");
	if (!a->required && prop(n, "use") != NULL && !prop_is(n, "use", "optional"))
		return -1;
	a->value.most = SIZE_MAX;
	if (add_type(sh, &a->value, docs, n, prop(n, "type"), 0) == -1)
		return -1;
	if (a->required)
		sh->required |= UINT64_C(1) << sh->n;
	sh->n++;
	return 0;
}

/* The elements in a type that is a sequence; NULL where it is not just that.
 * Attributes may stand behind. */
static const xmlNode *
sequence_of(const xmlNode *type, const char *props)
{
	const xmlNode	*seq, *n;

	if (type == NULL || !only_props(type, props))
		return NULL;
	seq = first_in(type);
	if (!is(seq, "sequence") || !only_props(seq, ""))
		return NULL;
	for (n = after(seq); n != NULL; n = after(n))
		if (!is(n, "attribute"))
			return NULL;
	return first_in(seq);
}

/* The declaration of the list among the root's children. */
static const xmlNode *
find_list(const xmlNode *schema, const xmlChar *root, const xmlChar *list)
{
	const xmlNode	*n, *type;

	if (!prop_is(schema, "elementFormDefault", "qualified") ||
	    !only_props(schema, "targetNamespace elementFormDefault attributeFormDefault version") ||
	    (prop(schema, "attributeFormDefault") != NULL &&
	    !prop_is(schema, "attributeFormDefault", "unqualified")))
		return NULL;
	for (n = first_in(schema); n != NULL; n = after(n))
		if (is(n, "element") && prop_is(n, "name", (const char *)root))
			break;
	if (n == NULL || !only_props(n, "name"))
		return NULL;
	type = first_in(n);
	if (!is(type, "complexType") || after(type) != NULL)
		return NULL;
	for (n = sequence_of(type, ""); n != NULL; n = after(n))
		if (is(n, "element") && prop_is(n, "name", (const char *)list))
			return n;
	return NULL;
}

/* Reads it all; 0, or -1 where it is of another kind. */
static int
read_records(struct shape *sh, const struct shape_docs *docs, const xmlChar *root,
    const xmlChar *list)
{
	const xmlNode	*schema = xmlDocGetRootElement(docs->v[0]), *n, *type;

	n = find_list(schema, root, list);
	if (n == NULL || !only_props(n, "name type minOccurs") || first_in(n) != NULL ||
	    prop(n, "type") == NULL)
		return -1;
	n = sequence_of(find_type(docs, "complexType", prop(n, "type")), "name");
	if (!is(n, "element") || after(n) != NULL || first_in(n) != NULL ||
	    !only_props(n, "name type minOccurs maxOccurs") || !prop_is(n, "maxOccurs", "unbounded") ||
	    (prop(n, "minOccurs") != NULL && !prop_is(n, "minOccurs", "0") && !prop_is(n, "minOccurs", "1")) ||
	    (sh->record.text = prop(n, "name")) == NULL || prop(n, "type") == NULL)
		return -1;
	type = find_type(docs, "complexType", prop(n, "type"));
	if (type == NULL || !only_props(type, "name"))
		return -1;
	for (n = first_in(type); n != NULL; n = after(n))
		if (add_attribute(sh, docs, n) == -1)
			return -1;
	return 0;
}

struct shape *
shape_new(const struct shape_docs *docs, const xmlChar *root, const xmlChar *list)
{
	struct shape	*sh = xcalloc(1, sizeof(*sh));

	if (read_records(sh, docs, root, list) == 0)
		return sh;
	shape_free(sh);
	return NULL;
}

void
shape_free(struct shape *sh)
{
	int	 i;

	if (sh == NULL)
		return;
	for (i = 0; i < sh->npatterns; i++) {
		pattern_free(sh->pattern[i]);
		free(sh->text[i]);
	}
	free(sh);
}

/* --- judging ------------------------------------------------------------- */

static int
value_accepted(const struct value *v, const xmlChar *s, size_t len)
{
	int	 i;

	if (len < v->least || len > v->most)
		return 0;
	for (i = 0; i < v->n; i++)
		if (!pattern_accepts(v->match[i], s, len))
			return 0;
	return 1;
}

static int
is_named(struct name *n, const xmlChar *name)
{
	if (n->met == name)
		return 1;
	if (strcmp(n->text, (const char *)name) != 0)
		return 0;
	n->met = name;
	return 1;
}

/* Looked for from hint on: they mostly come in the schema's order. */
static int
find_attribute(struct shape *sh, const xmlChar *name, int hint)
{
	int	 i;

	for (i = 0; i < sh->n; i++, hint++) {
		if (hint >= sh->n)
			hint = 0;
		if (is_named(&sh->attribute[hint].name, name))
			return hint;
	}
	return -1;
}

int
shape_accepts(struct shape *sh, const xmlChar *localname, int nb_attributes,
    const xmlChar **attributes)
{
	uint64_t	 missing = sh->required;
	const xmlChar	**a = attributes;
	int		 i, at = -1;

	if (!is_named(&sh->record, localname))
		return 0;
	for (i = 0; i < nb_attributes; i++, a += 5) {	/* name, prefix, URI, value, its end */
		if (a[2] != NULL || (at = find_attribute(sh, a[0], at + 1)) == -1 ||
		    !value_accepted(&sh->attribute[at].value, a[3], (size_t)(a[4] - a[3])))
			return 0;
		missing &= ~(UINT64_C(1) << at);
	}
	return missing == 0;
}
