/* SPDX-License-Identifier: ISC */
/*
 * The directory, muhur-load -D: who may come in, the rows of what was
 * received, notices to sign, to show and to take away, operators' decisions.
 * What comes in one go from muhurd is written in one transaction.
 */
#ifndef MUHUR_LOAD_DIRECTORY_H
#define MUHUR_LOAD_DIRECTORY_H

#include "base/mem.h"
#include "base/steady.h"
#include "load/given.h"
#include "msg/msg.h"
#include "msg/proto.h"
#include "pg/link.h"

#define BATCH_MAX	256	/* messages of one kind written together */
#define CREDITS_MAX	1024	/* M_NOTICE_NEXT outstanding */
#define REVIEW_PAUSE	(3 * USEC_PER_SEC)	/* before the next try, where one failed */

struct directory {
	const struct conf *conf;
	struct msg_chan	 chan;
	struct link	 link;
	/* taken from muhurd, to be written; kept while the database is away */
	struct { struct m_submission sub; uint32_t tag; } subs[BATCH_MAX];
	size_t		 nsubs;
	struct m_notice_file *nsigned;		/* arrays that grow */
	size_t		 nnsigned;
	struct m_notice_published *published;
	struct m_notice_id *archived;
	size_t		 npublished, narchived;
	struct m_fetched fetched[FETCHES_AT_ONCE];
	size_t		 nfetched;
	uint32_t	 fetched_tag;	/* of the last */
	/* notices */
	uint32_t	 credits[CREDITS_MAX];	/* tags of M_NOTICE_NEXT, oldest first */
	size_t		 ncredits;
	struct given_list signing, publishing, expiring;
	struct given_list unarchived;	/* could not be: not ordered for a while */
	int		 look_sign, look_publish, look_decision;	/* something may be there */
	int		 notified;	/* since the last look */
	usec_t		 next_look;		/* clock_monotonic: look at everything */
	/* the store (store.c) */
	struct m_document order;		/* at muhurd to be compressed; "" none */
	usec_t		 order_after;		/* clock_monotonic: no order before */
	usec_t		 order_pause;		/* of the next failure */
	struct given_list refused;		/* for a reason of its own: not ordered for a while */
	struct m_kept	 kept;			/* an answer that is to be written; "" none */
	struct m_document *rot;			/* array that grows: to be written */
	size_t		 nrot;
	struct m_pass	 pass;			/* to be written; ended_at 0: none */
	int		 pass_told;		/* the news with that tag are in rot or pass, */
	uint32_t	 pass_tag;		/* and muhurd waits for them to be written */
	/* sessions to be judged again; they wait while the database is away */
	struct m_login	 reviews[REVIEWS_MAX];
	uint32_t	 review_tags[REVIEWS_MAX];
	size_t		 nreviews;
	usec_t		 review_after;		/* clock_monotonic: the next try of this connection */
	unsigned	 review_connects;	/* link.connects at the last one */
	int		 look_access;	/* logins might now end otherwise: to be told */
	usec_t		 next_expiry;		/* and at certificates that end */
	/* clockwatch.c; tests have clocks of their own */
	usec_t		(*clock_wall)(void), (*clock_boot)(void);
	struct steady	 steady;
	enum steady_news steady_news;		/* not written yet */
	int		 steady_known;
};

void directory_init(struct directory *d, const struct conf *conf, int channel, const char *password);
void directory_close(struct directory *d);
/* Wait for and handle what comes, up to timeout_ms; 0, or -1 when muhurd is
 * gone (or broke the protocol, which is logged). */
int  directory_step(struct directory *d, int timeout_ms);
/* Within a transaction whose COMMIT waits for the disk (the session's others
 * do not: what they lose in a crash, muhurd tells again). 0 or -1. */
int  directory_begin_durable(struct directory *d);

/* login.c */
void login_judge(struct directory *d, const struct m_login *login, struct m_login_result *r);
/* M_DIR_REVIEW: kept until the next login_answer_reviews. 0 or -1 as msg_recv. */
int  login_keep_review(struct directory *d, const struct msg *m);
int  login_answer_reviews(struct directory *d);	/* 0, or -1 on a database error */

/* decisions.c: carry out what operators decided about held submissions. */
int  decisions_run(struct directory *d);

/* waiting.c: drop what has waited for its approval beyond the cut-off, each in a
 * transaction of its own. */
int  waiting_expire(struct directory *d);
/* clockwatch.c: d->steady.held tells whether the clock can be believed; 0, or -1 on
 * a database error. */
int  clock_watch(struct directory *d);
/* expiry.c: warn of certificates that end, now and then; 0, or -1 on a
 * database error. */
int  expiry_warn(struct directory *d);

/* store.c: documents to compress, what the background pass found.  The first two
 * take a message, and return -1 where it makes no sense; the others return 0, or
 * -1 on a database error (kept for later). */
int  store_compressed(struct directory *d, const struct msg *m);
int  store_found(struct directory *d, const struct msg *m);
int  store_write(struct directory *d);
int  store_order(struct directory *d);
/* fetched.c: M_FETCHED, kept until the next fetched_write; -1: out of place. */
int  fetched_keep(struct directory *d, const struct msg *m);
int  fetched_write(struct directory *d);	/* 0, or -1 on a database error */

/* notices.c: each returns 0, or -1 on a database error (kept for later). */
int  notices_write_signed(struct directory *d);
int  notices_write_published(struct directory *d);
int  notices_write_archived(struct directory *d);
int  notices_give_to_sign(struct directory *d);
int  notices_give_to_publish(struct directory *d);
int  notices_give_to_expire(struct directory *d);
/* Could not be signed, or archived, now: not given out again for a while. */
void notices_failed(struct directory *d, const char *id);

#endif
