/* SPDX-License-Identifier: ISC */
/*
 * The skeleton of a signed document: a small DOM of the root's start tag
 * (namespaces and attributes) and its ds:Signature subtree.  In it SignedInfo
 * and SignedProperties canonicalise exactly as in the whole document, whose
 * other children are no ancestors of theirs.
 */
#ifndef MUHUR_XML_SKELETON_H
#define MUHUR_XML_SKELETON_H

#include <libxml/tree.h>

struct skeleton;
struct skeleton *skeleton_new(void);
void skeleton_free(struct skeleton *sk);

/* First the root's start, then every event of the ds:Signature subtree.  line:
 * where the start tag is, for node_line.  0, or -1 where the subtree is larger than XML_MAX_SIGNATURE. */
int skeleton_start(struct skeleton *sk, long line, const xmlChar *localname, const xmlChar *prefix,
    int nb_namespaces, const xmlChar **namespaces, int nb_attributes, const xmlChar **attributes);
int skeleton_end(struct skeleton *sk);
int skeleton_text(struct skeleton *sk, const xmlChar *s, int len);
int skeleton_comment(struct skeleton *sk, const xmlChar *s);
int skeleton_pi(struct skeleton *sk, const xmlChar *target, const xmlChar *data);

/* The ds:Signature element, NULL before it; the open element, NULL before the
 * root; owned by the skeleton. */
xmlNode *skeleton_signature(const struct skeleton *sk);
xmlNode *skeleton_open(const struct skeleton *sk);

#endif
