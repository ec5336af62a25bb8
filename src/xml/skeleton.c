/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <libxml/parser.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "xml/skeleton.h"

struct skeleton {
	xmlDoc	*doc;
	xmlNode	*root;
	xmlNode	*signature;
	xmlNode	*at;		/* the open element */
	size_t	 size;		/* of the subtree, roughly as in the document */
};

/* libxml2 returns NULL where it got no memory: ours to fail loudly. */
static void *
must(void *p)
{
	if (p == NULL)
		fatalx("skeleton: out of memory");
	return p;
}

static int
grow(struct skeleton *sk, size_t n)
{
	sk->size += n;
	return sk->size > XML_MAX_SIGNATURE ? -1 : 0;
}

struct skeleton *
skeleton_new(void)
{
	struct skeleton *sk = xcalloc(1, sizeof(*sk));

	sk->doc = must(xmlNewDoc(BAD_CAST "1.0"));
	return sk;
}

void
skeleton_free(struct skeleton *sk)
{
	if (sk == NULL)
		return;
	xmlFreeDoc(sk->doc);
	free(sk);
}

xmlNode *
skeleton_signature(const struct skeleton *sk)
{
	return sk->signature;
}

xmlNode *
skeleton_open(const struct skeleton *sk)
{
	return sk->at;
}

static size_t
start_size(const xmlChar *localname, int nb_namespaces, const xmlChar **ns, int nb_attributes,
    const xmlChar **at)
{
	size_t n = 2 * strlen((const char *)localname) + 16;
	int i;

	for (i = 0; i < 2 * nb_namespaces; i++)
		n += ns[i] != NULL ? strlen((const char *)ns[i]) + 8 : 8;
	for (i = 0; i < nb_attributes; i++)
		n += strlen((const char *)at[5 * i]) + (size_t)(at[5 * i + 4] - at[5 * i + 3]) + 16;
	return n;
}

static void
add_attribute(struct skeleton *sk, xmlNode *node, const xmlChar *const a[5])
{
	xmlNs *ns = NULL;
	xmlChar *value = must(xmlStrndup(a[3], (int)(a[4] - a[3])));

	if (a[1] != NULL)
		ns = must(xmlSearchNs(sk->doc, node, a[1]));
	(void)must(xmlNewNsProp(node, ns, a[0], value));
	xmlFree(value);
}

int
skeleton_start(struct skeleton *sk, long line, const xmlChar *localname, const xmlChar *prefix,
    int nb_namespaces, const xmlChar **namespaces, int nb_attributes, const xmlChar **attributes)
{
	xmlNode *node;
	xmlNs *ns;
	int i;

	if (sk->root != NULL && grow(sk, start_size(localname, nb_namespaces, namespaces,
	    nb_attributes, attributes)) == -1)
		return -1;
	node = must(xmlNewDocNode(sk->doc, NULL, localname, NULL));
	node->_private = (void *)(intptr_t)line;
	if (sk->root == NULL) {
		xmlDocSetRootElement(sk->doc, node);
		sk->root = node;
	} else {
		(void)must(xmlAddChild(sk->at, node));
		if (sk->signature == NULL)
			sk->signature = node;
	}
	for (i = 0; i < nb_namespaces; i++)	/* xmlns="" has the URI "" */
		(void)must(xmlNewNs(node, namespaces[2 * i + 1] != NULL ? namespaces[2 * i + 1] :
		    BAD_CAST "", namespaces[2 * i]));
	ns = xmlSearchNs(sk->doc, node, prefix);
	if (prefix != NULL || (ns != NULL && ns->href != NULL && ns->href[0] != '\0'))
		xmlSetNs(node, must(ns));
	for (i = 0; i < nb_attributes; i++)
		add_attribute(sk, node, attributes + 5 * i);
	sk->at = node;
	return 0;
}

int
skeleton_end(struct skeleton *sk)
{
	sk->at = sk->at->parent;
	return 0;
}

int
skeleton_text(struct skeleton *sk, const xmlChar *s, int len)
{
	xmlNode *last;

	if (grow(sk, (size_t)len + 8) == -1)	/* 8: each piece costs a search for the end */
		return -1;
	last = sk->at->last;
	if (last != NULL && last->type == XML_TEXT_NODE) {
		if (xmlTextConcat(last, s, len) == -1)
			fatalx("skeleton: out of memory");
	} else
		(void)must(xmlAddChild(sk->at, must(xmlNewDocTextLen(sk->doc, s, len))));
	return 0;
}

int
skeleton_comment(struct skeleton *sk, const xmlChar *s)
{
	if (grow(sk, strlen((const char *)s) + 7) == -1)
		return -1;
	(void)must(xmlAddChild(sk->at, must(xmlNewDocComment(sk->doc, s))));
	return 0;
}

int
skeleton_pi(struct skeleton *sk, const xmlChar *target, const xmlChar *data)
{
	if (grow(sk, strlen((const char *)target) + (data != NULL ? strlen((const char *)data) : 0) +
	    5) == -1)
		return -1;
	(void)must(xmlAddChild(sk->at, must(xmlNewDocPI(sk->doc, target, data))));
	return 0;
}
