/* SPDX-License-Identifier: ISC */
/*
 * Set-up, in this order: users and files while everything can still be
 * opened; then the state directory, the socket, log and pid file; then root is
 * given up and the sandbox entered.  Each says on the log what is wrong and
 * returns -1.
 */
#ifndef MUHUR_MUHURD_SETUP_H
#define MUHUR_MUHURD_SETUP_H

#include "muhurd/gateway.h"

/* All descriptors of gw to -1. */
void setup_init(struct gateway *gw);
/* Uids and gids of roles. */
int  setup_users(struct gateway *gw);
/* Keys, certificates, CRLs, passwords and the identity key, schemas, programs: opened, not read. */
int  setup_files(struct gateway *gw);
/* The state directory, made, owned by muhurd's user and locked. */
int  setup_state(struct gateway *gw);
/* The listening socket; gw->port. */
int  setup_listen(struct gateway *gw);

/* To muhurd's user with CAP_SETUID, CAP_SETGID and CAP_KILL only (privs.c). */
int  setup_drop_root(struct gateway *gw);
int  setup_sandbox(struct gateway *gw);

/* Anchors and CRLs once more by their names (SIGHUP); what cannot be opened
 * stays as it was.  1 where anything was opened anew. */
int  setup_reopen_trust(struct gateway *gw);
/* Was CRL_FETCHED replaced?  Then 1, and it is opened anew. */
int  setup_crls_changed(struct gateway *gw);

#endif
