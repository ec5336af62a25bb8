/* SPDX-License-Identifier: ISC */
/*
 * Outgoing XML, from typed fields only (model/notice.h).  The bulk lines are
 * parsed strictly: a field that is not of its type ends the build, so that
 * nothing but what the schema allows can get signed.  It is digested as it is
 * written; whether that is what a reader digests, the reader must say.
 */
#ifndef MUHUR_DOCUMENT_BUILD_H
#define MUHUR_DOCUMENT_BUILD_H

#include "base/clock.h"
#include "model/notice.h"
#include "xml/dsig.h"

struct signing_key;
struct xmlout_watch;

/* Write the notice to out (UTF-8, indented for people), signed as document/sign.h
 * says.  lines: a descriptor to read the bulk lines from until its end, -1 where
 * n->line_count is 0.  issuer: the name of the registry as the notice's
 * Issuer.  watch: of out (document/xmlout.h), may be NULL.  *signed_at: its
 * SigningTime.  0, or -1 with the cause logged; what out then holds is no notice. */
int  notice_build(const struct notice *n, const char *issuer, const struct signing_key *k,
    int lines, int out, const struct xmlout_watch *watch, usec_t *signed_at);
/* What a notice's signature demands of who reads it. */
struct dsig_demand notice_demand(const struct signing_key *k);

#endif
