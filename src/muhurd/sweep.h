/* SPDX-License-Identifier: ISC */
/*
 * Taken uploads stay listed in /inbox for a while, since clients look at what
 * they just sent; the sweep removes them from sent/ when their submission is
 * concluded and the setting sent_listing has passed.  It also finds out where
 * somebody has removed the folder of all boxes.
 */
#ifndef MUHUR_MUHURD_SWEEP_H
#define MUHUR_MUHURD_SWEEP_H

#include <time.h>

#include "muhurd/gateway.h"
#include "muhurd/tree.h"

/* Once through all boxes; blocks on the disk.  now is the file system's time:
 * file times know nothing of clock_offset.  0, or -1 with errno. */
int sweep_sent(const struct tree *t, time_t now, int sent_listing);
/* Submit it to the disk when it is time again. */
void sweep_tick(struct gateway *gw, usec_t now);

#endif
