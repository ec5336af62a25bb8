/* SPDX-License-Identifier: ISC */
/*
 * Children: started by fork and execveat with the descriptors of base/child.h
 * and nothing else, reaped, restarted with growing pauses, ended.  A child's
 * life ends for the rest of muhurd with one call of route_gone, after the last
 * message it sent has been handled.
 */
#ifndef MUHUR_MUHURD_PROC_H
#define MUHUR_MUHURD_PROC_H

#include <poll.h>
#include <stddef.h>

#include "msg/msg.h"
#include "muhurd/gateway.h"

struct child {
	struct gateway	*gw;
	enum role	 role;
	pid_t		 pid;
	struct msg_chan	 chan;
	int		 index;		/* which of its role's (load), else 0 */
	int		 ready;		/* sent M_READY */
	int		 eof;		/* its end of the channel is closed */
	int		 reaped, status;	/* of waitpid */
	int		 doomed;	/* killed by us: whatever it says is not heard */
	int		 ending;	/* asked to finish: however it does is no fault */
	int		 busy;		/* verify, load: has work, or is not to get any */
	int		 paused;	/* its messages wait: its owner has enough to do */
	usec_t		 started;	/* clock_monotonic */
	usec_t		 kill_at;	/* SIGKILL then, 0 never */
	struct pollfd	*pfd;		/* of this round, NULL when not polled */
	void		*owner;		/* the session's slot, the pairing, ... */
	struct child	*next;
};

struct children *children_new(struct gateway *gw);
void children_free(struct children *cs);

/* Start one; more: further descriptors at FD_ROLE.. (dup'd; -1 skips a number),
 * nothing is closed here.  NULL with the cause logged. */
struct child *child_start(struct gateway *gw, enum role role, const int *more, size_t nmore);
/* End it now: SIGKILL, its messages unheard; route_gone follows. */
void child_kill(struct child *c);
/* It has broken the protocol: said, then child_kill. */
void child_broken(struct child *c, const char *what);
/* Close our end: it finishes by itself, by force after grace seconds. */
void child_end(struct child *c, int grace);

/* Fixed children: load workers, directory, reconcile, signer, archive,
 * listener. */
void children_start_fixed(struct gateway *gw);
/* The role's child (the first), NULL while there is none that is ready. */
struct child *children_of(struct gateway *gw, enum role role);
struct child *children_first(struct gateway *gw);
/* Are all fixed ones ready? */
int  children_ready(struct gateway *gw);

/* The poll loop's part: descriptors to poll, then what poll found, then time. */
size_t children_poll(struct gateway *gw, struct pollfd *pfds, size_t max);
size_t children_count(struct gateway *gw);
void children_serve(struct gateway *gw);
void children_reap(struct gateway *gw);	/* SIGCHLD came */
void children_tick(struct gateway *gw, usec_t now);
/* Close all channels (stopping). */
void children_end_all(struct gateway *gw);

#endif
