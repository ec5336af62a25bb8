/* SPDX-License-Identifier: ISC */
/*
 * What goes out must be what a member would accept: digest and signature,
 * coverage, certificate's usage and term, schema.  It is read from the file, by
 * the parser that reads members' files, and knows nothing of how it was made.
 * Of a long notice what is written is read already while the rest is.
 */
#ifndef MUHUR_SIGNER_CHECK_H
#define MUHUR_SIGNER_CHECK_H

#include "signer/job.h"

/* A whole one, signed at that moment.  0 with f's size and SHA-256, or -1 (logged). */
int	check_file(const struct signer *s, const struct notice *n, int out, usec_t at, struct m_notice_file *f);

/* One that is going to be written to out, by a thread of its own.  NULL with the
 * cause logged where there can be none.  s and n must outlive it. */
struct check;
struct check *check_begin(const struct signer *s, const struct notice *n, int out);
/* So many bytes are in the file (document/xmlout.h). */
void	check_written(void *check, long long size);
/* It is whole, signed at that moment, or (built 0) never will be.  Waits for the
 * thread and frees; as check_file. */
int	check_end(struct check *c, int built, usec_t at, struct m_notice_file *f);

#endif
