/* SPDX-License-Identifier: ISC */
/* muhurd's poll loop, from the first child to the last one's end. */
#ifndef MUHUR_MUHURD_LOOP_H
#define MUHUR_MUHURD_LOOP_H

#include "muhurd/gateway.h"

/* Block the signals that the loop reads from a descriptor; before threads. */
int  loop_signals(void);	/* the descriptor, or -1 with errno */
/* Returns when everything has ended: 0 asked to stop, 3 the gateway failed. */
int  loop_run(struct gateway *gw, int signals);

#endif
