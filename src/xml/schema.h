/* SPDX-License-Identifier: ISC */
/*
 * XML schemas (XSD 1.0), compiled once, and their validation as a consumer of
 * the one stream of events: libxml2's own streaming validator is fed with the
 * same SAX2 events as everything else, so it never reads the document itself.
 * Of a long list's records it gets only those that tables made from the same
 * schema (xml/shape.h) do not know to be right.
 */
#ifndef MUHUR_XML_SCHEMA_H
#define MUHUR_XML_SCHEMA_H

#include <libxml/parser.h>

struct schema_set;
/* All *.xsd of a directory that have a target namespace; those without one are
 * for xs:include, which finds files of this directory only.  Before the
 * sandbox; calls pull_setup.  NULL with the cause logged. */
struct schema_set *schema_set_load(int dirfd);
/* The same, and seen is told of each file and the bytes that were read of it, as
 * often as they were read. */
typedef void schema_seen_fn(void *arg, const char *name, const void *data, size_t len);
struct schema_set *schema_set_load_seen(int dirfd, schema_seen_fn *seen, void *arg);
void schema_set_free(struct schema_set *set);
/* The number of namespaces known. */
size_t schema_set_count(const struct schema_set *set);

struct schema_run;
/* A validation by the schema of that namespace, a name of the parser's; NULL where
 * none is known.
 * invalid is called for every fault, from within schema_start, schema_text and
 * schema_end, with one line of text without the document's values. */
struct schema_run *schema_run_new(const struct schema_set *set, const xmlChar *uri,
    void (*invalid)(void *arg, const char *message), void *arg);
/* Names and namespace URIs must live until schema_run_free. */
void schema_start(struct schema_run *r, const xmlChar *localname, const xmlChar *prefix,
    const xmlChar *uri, int nb_namespaces, const xmlChar **namespaces, int nb_attributes,
    const xmlChar **attributes);
void schema_end(struct schema_run *r, const xmlChar *localname, const xmlChar *prefix,
    const xmlChar *uri);
void schema_text(struct schema_run *r, const xmlChar *s, int len);
void schema_run_free(struct schema_run *r);

#endif
