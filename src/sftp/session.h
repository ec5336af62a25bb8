/* SPDX-License-Identifier: ISC */
/*
 * One connection: SSH by libssh, in a process of its own, sandboxed before
 * the peer's first byte is read.  libssh's callbacks take and keep, they never
 * write: what is written is written by the loop, when libssh holds nothing
 * unsent and the peer's window allows it.
 */
#ifndef MUHUR_SFTP_SESSION_H
#define MUHUR_SFTP_SESSION_H

#include <libssh/libssh.h>
#include <libssh/callbacks.h>
#include <libssh/server.h>

#include "base/clock.h"
#include "sftp/ops.h"

/* libssh 0.10 gives a peer 1.2 MB of window, which a long line empties; it
 * grows to this when as much is asked to be read (SSH_WINDOW_STEP bytes on). */
#define SSH_WINDOW	(8 * 1024 * 1024)
#define SSH_WINDOW_STEP	(1024 * 1024)

struct session {
	const struct conf *conf;
	struct msg_chan	 chan;
	int		 chan_ready;	/* poll saw something in it */
	struct m_peer	 peer;
	ssh_session	 ssh;
	ssh_event	 event;
	ssh_channel	 channel;	/* the one; NULL before it is opened */
	struct ssh_server_callbacks_struct server_cb;
	struct ssh_channel_callbacks_struct channel_cb;
	usec_t		 login_until;	/* clock_monotonic */
	usec_t		 active;	/* last progress with the peer */
	int		 tries;		/* keys offered */
	uint32_t	 login_tag;
	int		 logged_in;
	int		 served;	/* the sftp subsystem was asked for */
	int		 eof;		/* the peer sends no more */
	const char	*end;		/* why the connection is to end, NULL: go on */
	struct sftp	 sftp;		/* once logged in */
	/* input that could not be worked on at once */
	int		 writing;	/* within ssh_channel_write: only keep */
	int		 left_over;	/* libssh keeps some */
	uint64_t	 since_grown;	/* bytes since the window grew last */
	size_t		 in_at, in_len;	/* what of in is not worked on */
	uint8_t		 in[SSH_WINDOW];
};

/* muhur-sftp -s */
int session_main(const struct conf *conf);
/* muhur-sftp */
int listener_main(const struct conf *conf);

/* auth.c: fills the callbacks that let a user in. */
void auth_init(struct session *s);
/* server.c: the SSH side of s is ready for the key exchange; 0 or -1, logged. */
int  server_init(struct session *s);

#endif
