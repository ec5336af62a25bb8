/* SPDX-License-Identifier: ISC */
/*
 * Sessions: one slot a connection.  Logins are relayed to the directory; what
 * it answers is kept here and judges every later request of that session.  It
 * is asked again about those that are in, when something has changed and
 * every REVIEW_EVERY seconds: whom it would not let in now is sent away.
 */
#ifndef MUHUR_MUHURD_SESSION_H
#define MUHUR_MUHURD_SESSION_H

#include "muhurd/proc.h"

struct sessions *sessions_new(struct gateway *gw);
void sessions_free(struct sessions *ss);

/* From the listener: a new connection.  0 or -1 as for route_message. */
int  sessions_connection(struct child *listener, struct msg *m);
/* From a session. */
int  session_message(struct child *c, struct msg *m);
void session_gone(struct child *c);
/* From the directory: an answer to a login; its end: all that wait fail. */
int  sessions_login_result(struct gateway *gw, struct msg *m);
void sessions_directory_gone(struct gateway *gw);
/* From the directory: logins may end otherwise now; judged again. */
void sessions_review(struct gateway *gw);
int  sessions_reviewed(struct gateway *gw, struct msg *m);
void sessions_tick(struct gateway *gw, usec_t now);
/* Stopping: hear no more requests; those at work are still answered. */
void sessions_stop(struct gateway *gw);
/* ... then they have grace seconds to end. */
void sessions_end(struct gateway *gw, int grace);

#endif
