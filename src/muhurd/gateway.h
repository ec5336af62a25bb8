/* SPDX-License-Identifier: ISC */
/*
 * What muhurd's parts share: the configuration, the descriptors opened while
 * everything could still be opened, and the parts themselves.  One instance,
 * alive from start to end.
 */
#ifndef MUHUR_MUHURD_GATEWAY_H
#define MUHUR_MUHURD_GATEWAY_H

#include <sys/types.h>

#include "base/clock.h"
#include "base/conf.h"
#include "msg/msg.h"
#include "muhurd/tree.h"

/* Descriptors for children, opened at set-up (setup.c), -1 where absent. */
struct gateway_fds {
	int	 conf;
	int	 listen;
	int	 host_key;
	int	 schemas;		/* <schema_dir>/xml */
	int	 rules;			/* <schema_dir>/rules */
	int	 anchors, crl, tsa;	/* reopened at SIGHUP through their folders: */
	int	 anchors_dir, crl_dir, tsa_dir;
	int	 kind_anchors[MEMBER_KIND_COUNT], kind_dir[MEMBER_KIND_COUNT];	/* the same */
	int	 crls, crls_dir;	/* CRL_FETCHED, reopened when it was replaced */
	int	 cert, key;		/* the signer's; key: of a token the PIN's file */
	int	*token;			/* O_PATH: what the token's module may read, then write */
	size_t	 ntoken, ntoken_read;
	int	 password[ROLE_COUNT];	/* load, directory, reconcile, sequencer */
	int	 trail_key;		/* sequencer; -1: there is none */
	int	 identity_key;		/* load */
	int	 program[ROLE_COUNT];	/* O_PATH, for execveat */
};

struct children;
struct disk;
struct fetches;
struct flow;
struct notices;
struct pairs;
struct keep;
struct publish;
struct sessions;

struct gateway {
	struct conf	*conf;
	int		 verbose;
	int		 own_uids;	/* started as root: each role has its own */
	uid_t		 uid[ROLE_COUNT];
	gid_t		 gid[ROLE_COUNT];
	struct gateway_fds fd;
	struct tree	 tree;
	int		 port;		/* that the listener serves */
	int		 ready;		/* <state_dir>/port is written */
	int		 stopping;
	int		 failed;	/* the listener is dead: exit status 3 */
	usec_t		 stop_by;	/* clock_monotonic: then SIGKILL */
	usec_t		 crls_at;	/* CRL_FETCHED is looked at again */
	int		 sweeping;	/* sweep.c */
	usec_t		 sweep_at;
	struct children	*children;
	struct disk	*disk;
	struct flow	*flow;
	struct pairs	*pairs;
	struct notices	*notices;
	struct publish	*publish;
	struct keep	*keep;
	struct fetches	*fetches;
	struct sessions	*sessions;
};

/* A message to the child with this channel could not be sent (errno): where it
 * does not read, or its channel is broken, it is killed, since it would never
 * learn what it was told; one that has ended is found by reading. */
void child_unreached(struct msg_chan *chan, enum msg_type type);

/* A put_X'd payload, sent to a child; descriptors as in msg_send. */
#define GATEWAY_SEND(chan, type, tag, name, value, fds, nfds) do {		\
	struct buf send_buf = { 0 };						\
	put_##name(&send_buf, (value));						\
	if (msg_send((chan), (type), (tag), send_buf.data, send_buf.len,	\
	    (fds), (nfds)) == -1)						\
		child_unreached((chan), (type));				\
	buf_free(&send_buf);							\
} while (0)

#endif
