/* SPDX-License-Identifier: ISC */
/*
 * Streaming canonicalisation (Canonical XML 1.0, Exclusive XML
 * Canonicalization 1.0): fed with SAX2 events, writes the canonical bytes.
 * Memory: the open elements' namespaces, bounded by base/limits.h.
 */
#ifndef MUHUR_XML_C14N_H
#define MUHUR_XML_C14N_H

#include <libxml/parser.h>
#include <stddef.h>

#include "base/limits.h"

enum c14n_method { C14N_INCLUSIVE, C14N_EXCLUSIVE };

struct c14n_params {
	enum c14n_method method;
	int	 with_comments;
	/* exclusive only: InclusiveNamespaces PrefixList; "" is the default
	 * namespace ("#default").  Owned by whoever fills the struct. */
	char	*prefixes[XML_MAX_PREFIX_LIST];
	size_t	 nprefixes;
};

struct c14n;
/* write: 0, or -1 to end; it is called with some KiB at a time, and at the
 * latest when the root, or a comment or instruction after it, has ended.
 * params is copied. */
struct c14n *c14n_new(const struct c14n_params *params,
    int (*write)(void *arg, const char *p, size_t n), void *arg);
void c14n_free(struct c14n *c);
/* 0, or -1 where a limit was passed or write failed.  Names and namespace URIs are not
 * copied: they must live, and stay what they are, as long as there are calls. */
int  c14n_start(struct c14n *c, const xmlChar *localname, const xmlChar *prefix,
    const xmlChar *uri, int nb_namespaces, const xmlChar **namespaces,
    int nb_attributes, const xmlChar **attributes);	/* as libxml2's startElementNs */
int  c14n_end(struct c14n *c);
int  c14n_text(struct c14n *c, const xmlChar *s, int len);	/* also CDATA */
int  c14n_comment(struct c14n *c, const xmlChar *s);
int  c14n_pi(struct c14n *c, const xmlChar *target, const xmlChar *data);

#endif
