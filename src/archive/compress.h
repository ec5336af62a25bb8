/* SPDX-License-Identifier: ISC */
/*
 * A document of the store becomes its compressed form: written beside it, made
 * durable, read again and compared, renamed; only then the plain one goes.  A
 * crash at any point leaves at least one whole document, and doing it again ends
 * the same.  In steps, so that the process hears what else comes meanwhile.
 */
#ifndef MUHUR_ARCHIVE_COMPRESS_H
#define MUHUR_ARCHIVE_COMPRESS_H

#include "msg/proto.h"

struct compress;
/* store: the folder, stays the caller's. */
struct compress *compress_new(int store, const char *sha256);
/* A bounded part of the work: 1 there is more; 0 it has ended, as *result says.
 * What goes wrong is logged.  KEPT_OK is durable.  KEPT_LATER: our trouble (no
 * space, another archive process at the same document); it is whole in the old form,
 * the new one, or both. */
int	compress_step(struct compress *c, enum kept_result *result);
void	compress_free(struct compress *c);

#endif
