/* SPDX-License-Identifier: ISC */
/*
 * One pass over a document: its events go to the canonicalisation and digest
 * (all but ds:Signature, as the enveloped-signature transform says), to the
 * skeleton (the root's start tag and ds:Signature), to the schema, and to the
 * extraction.  What the signature then proves is document_judge's.
 */
#ifndef MUHUR_DOCUMENT_PASS_H
#define MUHUR_DOCUMENT_PASS_H

#include <openssl/evp.h>

#include "document/pipeline.h"
#include "document/stamps.h"
#include "xml/dsig.h"

struct pass;
/* NULL with the cause logged.  The settings, sink and demand must outlive it. */
struct pass *pass_new(int fd, const struct document_settings *s,
    const struct document_sink *sink, const struct dsig_demand *demand);
void pass_free(struct pass *p);

/* 0: the file was read to its end; -1: our own trouble, or the sink's. */
int  pass_run(struct pass *p);

/* Of the XML stage: empty where the document is well-formed and allowed. */
const struct reasons *pass_xml_reasons(const struct pass *p);
/* SCHEMA_INVALID; or, where the schema held, CONTROL_TOTAL. */
const struct reasons *pass_content_reasons(const struct pass *p);
/* Where ds:Signature stands and how often: SIG_MISSING, SIG_MULTIPLE,
 * SIG_COVERAGE.  0 where it is one, first or last in the root. */
int  pass_structure(const struct pass *p, struct reasons *rs);
xmlNode *pass_signature(const struct pass *p);
/* The time-stamps among its unsigned properties. */
const struct stamps *pass_stamps(const struct pass *p);
/* Of the canonical document, by demand->digest. */
const unsigned char *pass_digest(const struct pass *p, size_t *len);
void pass_sha256(const struct pass *p, char hex[SHA256_HEX_SIZE]);
long long pass_size(const struct pass *p);
const char *pass_root(const struct pass *p);

#endif
