/* SPDX-License-Identifier: ISC */
/*
 * Header and records out of the stream of events, after the schema has seen
 * each of them: the header into struct header, records into COPY text lines
 * (msg/stream.h says of what), sums for the control totals.
 */
#ifndef MUHUR_DOCUMENT_EXTRACT_H
#define MUHUR_DOCUMENT_EXTRACT_H

#include "document/pipeline.h"
#include "xml/pull.h"

struct extract;
/* For one document of type t.  sink may be NULL: everything is still judged.
 * What is wrong although the schema let it pass is added to rs as
 * SCHEMA_INVALID, and extraction then ends.  p, sink and rs must outlive it. */
struct extract *extract_new(enum message_type t, struct pull *p,
    const struct document_sink *sink, struct reasons *rs);
void extract_free(struct extract *e);

/* Events outside ds:Signature.  0, or -1 where the sink failed. */
int extract_start(struct extract *e, const xmlChar *localname, const xmlChar *uri,
    int nb_attributes, const xmlChar **attributes);
int extract_end(struct extract *e);
void extract_text(struct extract *e, const xmlChar *s, int len);

/* The document has ended and its schema held: send the last lines, compare
 * RecordCount and ControlTotals with the records; CONTROL_TOTAL is added to rs
 * where they differ.  0, or -1 where the sink failed. */
int extract_finish(struct extract *e);

#endif
