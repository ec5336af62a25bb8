/* SPDX-License-Identifier: ISC */
/*
 * What a schema says of the records in a list, as tables.  A list is a child of
 * the root element and holds elements of one name and nothing else; a record
 * has attributes of simple types and no content.  Documents of millions of
 * records are made of these, and each record can be judged by itself: whatever
 * may follow the first one may follow the others.
 *
 * The tables say only which records are right.  Of all others nothing is known,
 * and libxml2 judges them.
 */
#ifndef MUHUR_XML_SHAPE_H
#define MUHUR_XML_SHAPE_H

#include <libxml/tree.h>

#define SHAPE_DOCS	8	/* a schema and what it includes */

/* A schema and what it includes directly, the schema first; NULL behind the last. */
struct shape_docs {
	const xmlDoc	*v[SHAPE_DOCS + 1];
};

struct shape;
/* The records in that list of that root; NULL where they are not of this kind.
 * The schema's documents must outlive the result. */
struct shape *shape_new(const struct shape_docs *docs, const xmlChar *root, const xmlChar *list);
void shape_free(struct shape *sh);
/* 1: a record of that name, in the schema's namespace and with these attributes
 * (as libxml2's startElementNs has them), is right as long as it has no content; 0: not known.
 * Names must live, and stay what they are, until shape_free. */
int  shape_accepts(struct shape *sh, const xmlChar *localname, int nb_attributes,
    const xmlChar **attributes);

#endif
