/* SPDX-License-Identifier: ISC */
/* The time-stamp authority that the configuration names (tsa_url, tsa_anchors). */
#ifndef MUHUR_MUHUR_TSA_H
#define MUHUR_MUHUR_TSA_H

#include "base/conf.h"
#include "base/mem.h"
#include "model/timestamp.h"
#include "xml/trust.h"

struct tsa;

/* Its anchors, with the revocation lists in force.  NULL: one cannot be read, or
 * there is no such setting (logged). */
struct trust *tsa_trust(const struct conf *conf);

/* Reads anchors and lists now: afterwards no file is opened.  conf stays the caller's and
 * must live longer.  NULL: a setting is missing, or what it names cannot be used
 * (logged, with what to do). */
struct tsa *tsa_open(const struct conf *conf);
void	tsa_close(struct tsa *tsa);

/* Ask for a time-stamp over data: a TimeStampResp, verified, appended to resp; t says
 * when and by whom.  0, or -1 (logged, with what to do). */
int	tsa_ask(struct tsa *tsa, const void *data, size_t len, struct buf *resp, struct timestamp *t);

#endif
