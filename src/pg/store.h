/* SPDX-License-Identifier: ISC */
/*
 * Operations on the tables that several processes and the command share.
 * Each works within the caller's transaction, if there is one; numbers 0 and
 * pointers NULL stand for SQL NULL.  All return -1 on a database error, which
 * is logged and leaves its SQLSTATE in db.
 */
#ifndef MUHUR_PG_STORE_H
#define MUHUR_PG_STORE_H

#include "base/clock.h"
#include "base/limits.h"
#include "model/notice.h"
#include "pg/db.h"

/* Channels of NOTIFY.  A notification only wakes: what is to be done stands
 * in the tables, and every listener looks there by itself now and then. */
#define CHANNEL_NOTICE		"muhur_notice"		/* a notice is to be signed or published */
#define CHANNEL_DECISION	"muhur_decision"	/* an operator decided about a held one */
#define CHANNEL_ACCESS		"muhur_access"		/* who may come in has changed (by trigger) */
#define CHANNEL_JOB		"muhur_job"		/* a day is to be reconciled */
int  store_notify(struct db *db, const char *channel);
int  store_listen(struct db *db, const char *channel);

/* The trail's event.  kind: "received", "accepted", "reconciled", ...; actor:
 * a user code, "operator" or "gateway"; submission and notice: their no, 0 for
 * none; detail: a JSON object's text, NULL for {}. */
int  store_event(struct db *db, usec_t at, const char *kind, const char *actor,
    long long submission, long long notice, const char *detail);

struct store_notice {
	enum notice_kind kind;
	enum notice_level level;	/* NK_ACKNOWLEDGEMENT only */
	const char	*recipient;
	long long	 submission;	/* its no; 0 but for acknowledgements */
	long long	 run;		/* reconcile_run.no; 0 but for bulk kinds and NL_RESULT */
	const char	*file_name;
	usec_t		 issued_at;
	int		 counted;	/* the next two are known; else they are counted when it is signed */
	long long	 line_count;	/* of its bulk lines */
	long long	 break_count;	/* NL_RESULT: breaks that its records are part of */
	long long	 copy_of;	/* no of the notice whose document this recipient gets too; 0 */
};
/* A notice "to sign", with a fresh id.  Returns 1 when it was made, 0 when
 * this recipient has one of that name already (it stands as it is).  *no, when
 * not NULL, is the notice's either way. */
int  store_notice(struct db *db, const struct store_notice *n, long long *no);
/* "<submission id>.<level>.xml" into name (FILE_NAME_SIZE). */
void store_acknowledgement_name(const char *submission_id, enum notice_level level, char *name);

/* Show the notices of a submission (its no), or one notice (its id), in the
 * outbox again for the full time.  Returns how many. */
long store_republish_submission(struct db *db, long long submission);
long store_republish_notice(struct db *db, const char *id);

#endif
