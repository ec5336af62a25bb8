/* SPDX-License-Identifier: ISC */
/* `muhur crl': the CRLs in force, and what they say of enrolled certificates. */
#ifndef MUHUR_MUHUR_CRL_H
#define MUHUR_MUHUR_CRL_H

#include "muhur/cmd.h"
#include "xml/crl.h"

/* What is in force: the CRLs of crl_dir, and those of crl_file that none of
 * them has overtaken.  Whether they may be used is not asked.  0 or -1 (logged). */
int  crl_in_force(const struct conf *conf, struct crl_set *set);

/* crl_urls.c: where CRLs are to be fetched: crl_urls, and, when told so, what
 * enrolled certificates and sub-CAs name.  Caller frees all. */
struct crl_source { char *url; int named_by_certificate; };
struct crl_sources { struct crl_source *v; size_t n; };
void crl_sources_find(struct cmd *c, struct crl_sources *s);
void crl_sources_free(struct crl_sources *s);

/* crl_states.c: the enrolled certificate whose DER that field holds; NULL where
 * it cannot be read.  X509_free. */
X509 *crl_enrolled(const PGresult *res, int row, int column);

/* crl_states.c: in one transaction the CRLs are kept, and the state of each
 * enrolled certificate is what they say.  An exit code. */
int  crl_write_states(struct cmd *c, const struct crl_set *set);

#endif
