/* SPDX-License-Identifier: ISC */
/*
 * Channels between processes: SOCK_SEQPACKET, one message a packet, with
 * descriptors.  The star's centre is muhurd.  msg.c holds the one table of
 * who may send what to whom; a message out of that table, malformed, or with
 * a wrong number of descriptors is a broken peer: the receiver's msg_recv
 * returns -1 with errno EPROTO, and muhurd then kills the child, a child ends.
 *
 * Packet: u16 type, u16 zero, u32 tag, payload; integers are in host order
 * (both ends are one machine and one build).  The tag pairs an answer with
 * its request; the asker chooses it.
 */
#ifndef MUHUR_MSG_MSG_H
#define MUHUR_MSG_MSG_H

#include <stddef.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/limits.h"

enum msg_type {
	/* any child -> muhurd */
	M_READY = 1,		/* sandboxed, loop entered; no payload */
	/* listener */
	M_SESSION_NEW,		/* L->P struct m_peer, fd: the accepted socket */
	M_SESSION_END,		/* P->L struct m_peer: that session is gone */
	/* session */
	M_SESSION_START,	/* P->S struct m_peer */
	M_LOGIN,		/* S->P struct m_login */
	M_LOGIN_RESULT,		/* P->S struct m_login_result; fds when ok and proved:
				 * inbox, sent, outbox, archive directories (O_RDONLY) */
	M_BOX_OPEN,		/* S->P struct m_box_open */
	M_BOX_OPENED,		/* P->S struct m_box_result; fd when status is 0 */
	M_BOX_TAKE,		/* S->P struct m_box_name: closed, fsync'd; take what id says */
	M_BOX_RENAME,		/* S->P struct m_box_rename; takes it when it becomes final */
	M_BOX_REMOVE,		/* S->P struct m_box_name */
	M_BOX_DONE,		/* P->S struct m_box_result; success means durable */
	/* directory */
	M_DIR_LOGIN,		/* P->D struct m_login */
	M_DIR_LOGIN_RESULT,	/* D->P struct m_login_result */
	M_SUB_RECEIVED,		/* P->D struct m_submission: make its row if it has none */
	M_SUB_HOLD,		/* P->D struct m_submission_id */
	M_SUB_STATE,		/* D->P struct m_submission_state: answer to both, and
				 * unasked when an operator decided (retry, reject) */
	M_NOTICE_NEXT,		/* P->D u32 in tag only: send one more notice when there is one */
	M_NOTICE_TO_SIGN,	/* D->P struct notice (model/notice.h), packed */
	M_NOTICE_SIGNED,	/* P->D struct m_notice_file: it is durable in the store */
	M_NOTICE_FAILED,	/* P->D struct m_notice_id: could not be signed or archived now, try later */
	M_NOTICE_PUBLISH,	/* D->P struct m_notice_publish: show it in the outbox */
	M_NOTICE_PUBLISHED,	/* P->D struct m_notice_published */
	M_NOTICE_EXPIRE,	/* D->P struct m_notice_publish: its days are over */
	M_NOTICE_ARCHIVED,	/* P->D struct m_notice_id */
	/* verify */
	M_VERIFY,		/* P->V struct m_submission; fds: document, records pipe (write end) */
	M_VERDICT,		/* V->P struct m_verdict */
	/* load worker */
	M_LOAD_BEGIN,		/* P->W struct m_submission; fd: records pipe (read end) */
	M_LOAD_VERDICT,		/* P->W struct m_verdict */
	M_LOAD_ABORT,		/* P->W struct m_submission_id: verify died; drop it */
	M_LOAD_DONE,		/* W->P struct m_submission_state; also answers M_LOAD_ABORT */
	M_LINES_SEND,		/* P->W struct m_notice_id; fd: pipe (write end) for bulk lines */
	M_LINES_DONE,		/* W->P struct m_notice_id */
	/* signer */
	M_SIGN,			/* P->G struct notice, packed; fds: output (an empty file,
				 * read-write), lines pipe (read end) where line_count > 0 */
	M_SIGNED,		/* G->P struct m_notice_file */
	M_SIGN_FAILED,		/* G->P struct m_notice_id */
	/* archive */
	M_ARCHIVE,		/* P->A struct m_notice_publish */
	M_ARCHIVED,		/* A->P struct m_archived */
	/* sessions that are in: would they be let in now? */
	M_DIR_CHANGED,		/* D->P no payload: what logins are judged by has changed */
	M_DIR_REVIEW,		/* P->D struct m_login, proved: of a session that is in */
	M_DIR_REVIEWED,		/* D->P struct m_login_result: what a login would get now;
				 * while the database is away the answer waits for it */
	/* the store; one order at a time */
	M_COMPRESS,		/* D->P struct m_document: keep it compressed from now on */
	M_COMPRESS_FILE,	/* P->A struct m_document */
	M_COMPRESSED,		/* A->P struct m_kept */
	M_DIR_COMPRESSED,	/* P->D struct m_kept */
	M_MATERIAL,		/* P->A struct m_material; fd: one file of what documents are judged by;
				 * tag: the set's number.  None in a set's last, which ends it. */
	M_MATERIAL_KEPT,	/* A->P struct m_document: the listing of the set with that tag */
	M_PASS,			/* A->P struct m_pass: news of the background pass, which waits */
	M_DIR_PASS,		/* P->D struct m_pass; tags count up */
	M_DIR_PASS_KEPT,	/* D->P no payload: the news with that tag are written */
	M_PASS_KEPT,		/* P->A no payload: the pass goes on */
	M_SESSION_RIGHTS,	/* P->S struct m_rights: from now on */
	/* downloads, recorded */
	M_BOX_FETCHED,		/* S->P struct m_box_fetched, tag of the M_BOX_OPEN: that file is closed */
	M_FETCHED,		/* P->D struct m_fetched; tags count up */
	M_FETCHED_KEPT,		/* D->P no payload: all up to that tag are written */
	M_TYPE_COUNT
};
const char *msg_type_name(enum msg_type type);

struct msg {
	enum msg_type	 type;
	uint32_t	 tag;
	const uint8_t	*payload;	/* in msg_chan's buffer: until the next msg_recv */
	size_t		 len;
	int		 fds[MSG_MAX_FDS];	/* owned by the receiver */
	int		 nfds;
};

/* One end of a channel. */
struct msg_chan {
	int		 fd;
	enum role	 self, peer;
	uint8_t		*in;		/* MSG_MAX_PAYLOAD + header */
	struct msg_out	*outq;		/* waiting for POLLOUT, oldest first */
	struct msg_out	*outq_tail;
	size_t		 outq_len;
};
int  msg_pair(int fds[2]);		/* both close-on-exec; 0 or -1 */
void msg_init(struct msg_chan *c, int fd, enum role self, enum role peer);
void msg_close(struct msg_chan *c);

/* Queue or send.  Descriptors in fds are dup'd or sent, and are closed by
 * this call in every case.  0, or -1 where the peer is gone, or so far
 * behind (MSG_MAX_QUEUE) that it is as good as gone (errno ENOBUFS). */
int  msg_send(struct msg_chan *c, enum msg_type type, uint32_t tag,
    const void *payload, size_t len, const int *fds, int nfds);
/* For poll: is there output waiting?  msg_flush after POLLOUT: 0 or -1. */
int  msg_wants_write(const struct msg_chan *c);
int  msg_flush(struct msg_chan *c);
/* 1 a message; 0 nothing now (EAGAIN); -1 end of file (errno 0) or trouble.
 * Descriptors beyond our own limit of open files count as EPROTO too: the
 * kernel drops them, and the message is worth nothing without them. */
int  msg_recv(struct msg_chan *c, struct msg *m);
/* The same, sending what is queued and waiting up to timeout_ms (-1: for
 * ever); 0 on time-out. */
int  msg_recv_wait(struct msg_chan *c, struct msg *m, int timeout_ms);
void msg_close_fds(struct msg *m);

#endif
