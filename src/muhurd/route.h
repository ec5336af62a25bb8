/* SPDX-License-Identifier: ISC */
/* Which part of muhurd a child's message, and its end, belongs to. */
#ifndef MUHUR_MUHURD_ROUTE_H
#define MUHUR_MUHURD_ROUTE_H

#include "muhurd/proc.h"

/* 0, or -1: the child broke the protocol. */
int  route_message(struct child *c, struct msg *m);
/* c is freed afterwards. */
void route_gone(struct child *c, int crashed);

#endif
