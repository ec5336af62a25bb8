/* SPDX-License-Identifier: ISC */
/*
 * What documents are judged by, copied into the store: each file under its
 * SHA-256, and the listing of them (depot/material.h) under its own.
 */
#ifndef MUHUR_ARCHIVE_MATERIAL_H
#define MUHUR_ARCHIVE_MATERIAL_H

#include "base/clock.h"
#include "msg/proto.h"

struct keeper;
/* store, schemas: folders, stay the caller's. */
struct keeper *keeper_new(int store, int schemas);
void	keeper_free(struct keeper *k);
/* M_MATERIAL, whose descriptor is taken over.  0, or -1: a broken peer. */
int	keeper_take(struct keeper *k, struct msg *m);
/* The oldest whole set, where it is time: 1 it is kept, durably, *tag and *done are
 * to be told; 0 there is nothing to tell. */
int	keeper_step(struct keeper *k, usec_t now, uint32_t *tag, struct m_document *done);
/* When there is something to do, clock_monotonic; INT64_MAX never. */
usec_t	keeper_due(const struct keeper *k);

#endif
