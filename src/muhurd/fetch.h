/* SPDX-License-Identifier: ISC */
/*
 * Downloads, recorded: which file of whose box a session was given is known
 * here, which of its bytes it read only the session knows and says when it
 * closes it.  What is to be recorded stays here until the directory has
 * written it.
 */
#ifndef MUHUR_MUHURD_FETCH_H
#define MUHUR_MUHURD_FETCH_H

#include "muhurd/proc.h"

/* The files that one session has open for reading. */
struct fetch_open;
struct fetch_list { struct fetch_open *first; int n; };

/* A file of recipient's box was given to the session, in answer to its
 * request tag; size in bytes. */
void fetch_opened(struct fetch_list *l, uint32_t tag, const char *recipient,
    const char *file_name, long long size);
/* M_BOX_FETCHED: user has closed it.  0, or -1 where it had no such file or not
 * that many bytes. */
int  fetch_closed(struct gateway *gw, struct fetch_list *l, const char *user,
    const struct msg *m);
/* The session is gone: what it did not close is not known and not recorded. */
void fetch_forget(struct fetch_list *l, const char *user);

struct fetches *fetches_new(struct gateway *gw);
void fetches_free(struct fetches *f);
size_t fetches_waiting(const struct gateway *gw);
void fetches_directory_up(struct gateway *gw);
void fetches_directory_gone(struct gateway *gw);
/* M_FETCHED_KEPT. 0 or -1 as for route_message. */
int  fetches_kept(struct gateway *gw, const struct msg *m);

#endif
