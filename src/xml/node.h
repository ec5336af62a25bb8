/* SPDX-License-Identifier: ISC */
/*
 * Small readers of a DOM subtree, for the ds:Signature skeleton only.  They
 * look at elements, at attributes without a namespace, and at text, in which
 * comments and processing instructions do not count (they are not signed).
 */
#ifndef MUHUR_XML_NODE_H
#define MUHUR_XML_NODE_H

#include <libxml/tree.h>
#include <stddef.h>

/* The first child element, the next sibling element; NULL where none is. */
xmlNode *node_first(const xmlNode *parent);
xmlNode *node_next(const xmlNode *n);
/* Is n an element of that namespace and local name?  n may be NULL. */
int	 node_is(const xmlNode *n, const char *ns, const char *name);
/* The first child element of that name. */
xmlNode *node_child(const xmlNode *parent, const char *ns, const char *name);
/* The same, where there is no second one: another program may read the other. */
xmlNode *node_only_child(const xmlNode *parent, const char *ns, const char *name);
/* The element after n in document order within top; NULL at the end. */
xmlNode *node_walk(const xmlNode *n, const xmlNode *top);
/* The line of its start tag in the document, as skeleton_start was told; xmlGetLineNo
 * would end at 65535. */
long	 node_line(const xmlNode *n);
/* Text beside the child elements other than white space? */
int	 node_has_stray_text(const xmlNode *n);

/* Both are the caller's to free() and NUL-terminated.  node_attr: NULL where
 * there is no such attribute; node_text: NULL where n has a child element;
 * leading and trailing white space is left out. */
char	*node_attr(const xmlNode *n, const char *name);
char	*node_text(const xmlNode *n);
/* Base64 text (RFC 4648, white space allowed anywhere) of at least one and at
 * most max bytes; *p is the caller's to free().  0, or -1. */
int	 node_base64(const xmlNode *n, size_t max, unsigned char **p, size_t *len);
/* The same of text that stands in no node. */
int	 text_base64(const char *text, size_t max, unsigned char **p, size_t *len);

#endif
