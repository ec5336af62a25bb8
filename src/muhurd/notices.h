/* SPDX-License-Identifier: ISC */
/*
 * Notices, from typed fields to a signed file in the store (publish.c goes on
 * from there).  The directory process says what is to be signed and records
 * what was; the same one may come twice.
 */
#ifndef MUHUR_MUHURD_NOTICES_H
#define MUHUR_MUHURD_NOTICES_H

#include "muhurd/proc.h"

struct notices *notices_new(struct gateway *gw);
void notices_free(struct notices *ns);

int  notices_to_sign(struct gateway *gw, struct msg *m);	/* from the directory */
int  notices_signed(struct gateway *gw, struct msg *m);		/* from the signer */
int  notices_sign_failed(struct gateway *gw, struct msg *m);

void notices_directory_gone(struct gateway *gw);
void notices_signer_gone(struct gateway *gw);
/* Ask for work, give it to whoever is free; after a child came up, and on time. */
void notices_tick(struct gateway *gw, usec_t now);

#endif
