/* SPDX-License-Identifier: ISC */
/*
 * Verification and loading: a fresh muhur-verify and a load worker, joined by
 * a pipe that muhurd hands to both, for one document.  As many at once as the
 * setting `workers'; the last slot is kept for small documents.
 */
#ifndef MUHUR_MUHURD_PAIR_H
#define MUHUR_MUHURD_PAIR_H

#include "muhurd/flow.h"
#include "muhurd/proc.h"

struct pairs;
struct pairs *pairs_new(struct gateway *gw);
void pairs_free(struct pairs *ps);

/* s waits here until it is given back to flow.c. */
void pair_queue(struct gateway *gw, struct submission *s);
/* Give waiting documents to free processes; keep the pool filled. */
void pairs_schedule(struct gateway *gw);
/* Is the pool of verify processes there? */
int  pairs_ready(struct gateway *gw);
/* New anchors or CRLs: processes that have read the old ones go, once free. */
void pairs_renew(struct gateway *gw);
/* A load worker without work, NULL for none. */
struct child *pairs_free_loader(struct gateway *gw);

/* How long a document of size bytes may be at work. */
usec_t pair_time(int timeout, int64_t size);
/* End what takes longer. */
void pairs_tick(struct gateway *gw, usec_t now);

int  pair_verdict(struct child *verify, struct msg *m);
int  pair_load_done(struct child *load, struct msg *m);
void pair_verify_up(struct child *verify);
void pair_verify_gone(struct child *verify, int crashed);
void pair_load_gone(struct child *load, int crashed);

#endif
