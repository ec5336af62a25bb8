/* SPDX-License-Identifier: ISC */
/* The decision about one submission: everything that is known is put together
 * under the lock on the member, then committed or rolled back as one. */
#include "config.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "load/approval.h"
#include "load/authorization.h"
#include "load/decide.h"
#include "load/outcome.h"
#include "load/response.h"
#include "load/worker.h"
#include "model/ident.h"

enum step { STEP_AGAIN, STEP_DONE, STEP_FAILED };

/* The records are all there, and good to be committed. */
static int
loaded(const struct job *j)
{
	return j->savepoint && j->have_header && j->ended && !j->drain && !j->unloadable;
}

/*
 * Take back the records; the advisory locks taken after the savepoint go with
 * them, so whoever calls this has to lock and judge anew.
 */
static enum step
forget(struct worker *w)
{
	if (copy_forget(w) == -1)
		return STEP_FAILED;
	w->job.drain = 1;
	return STEP_AGAIN;
}

static int
write_outcome(struct worker *w, struct outcome *o, const struct target *target,
    struct m_submission_state *answer)
{
	struct job	*j = &w->job;
	struct db	*db = &w->link.db;

	o->no = j->facts.no;
	o->sub = &j->sub;
	o->member = j->facts.member;
	o->verdict = &j->verdict;
	o->actor = j->sub.user;
	if (outcome_write(db, w->conf, o, SUB_RECEIVED, &answer->state) == -1 ||
	    (target != NULL && approval_apply(db, w->conf, o, target) == -1) ||
	    copy_attach(w) == -1 || db_commit(db) == -1)
		return -1;
	j->savepoint = 0;
	(void)str_copy(answer->sha256, sizeof(answer->sha256), j->verdict.sha256);
	return 0;
}

/* It is decided already: say so, change nothing. */
static enum step
already_decided(struct worker *w, struct m_submission_state *answer)
{
	answer->state = w->job.facts.state;
	(void)str_copy(answer->sha256, sizeof(answer->sha256), w->job.facts.sha256);
	w->job.savepoint = 0;
	return db_rollback(&w->link.db) == -1 ? STEP_FAILED : STEP_DONE;
}

/* Judged good, but what came through the pipe cannot be: an operator's. */
static enum step
hold(struct worker *w, struct m_submission_state *answer)
{
	struct outcome	 o = { .event = EV_HOLD };

	log_alarm("submission %s: held: its records could not be loaded although "
	    "it was found valid", w->job.sub.id);
	return write_outcome(w, &o, NULL, answer) == -1 ? STEP_FAILED : STEP_DONE;
}

/* An entry takes effect at once where one person may do both steps and has done
 * both; what decides about another one never waits itself. */
static int
must_wait(const struct facts *f, const struct header *h)
{
	return !message_type_has_target(h->type) && (f->needs_two || !f->may_approve);
}

static void
judge(const struct job *j, const struct header *h, const struct references *refs,
    struct reasons *rs)
{
	*rs = j->verdict.reasons;
	/* Only a signature that verified makes the header somebody's word. */
	authority_judge(&j->facts, h, &j->verdict, rs);
	if (h != NULL) {
		decide_date(h, j->sub.received_at, rs);
		decide_content(h, refs, rs);
	}
	reasons_first_stage(rs);
}

/* The changes that wait, now approved.  What cannot be is answered to the Approval,
 * in whose file those lines are not.  0 or -1. */
static int
apply_target(struct db *db, const struct target *t, usec_t at, struct reasons *rs)
{
	struct reasons	 found = { 0 };
	size_t		 i;

	if (authorization_apply(db, t->no, t->user, at, &found) == -1)
		return -1;
	for (i = 0; i < found.n; i++)
		reasons_add(rs, found.v[i].code, 0, "Targets/Target", "%s, line %ld: %s",
		    t->message_id, found.v[i].line, found.v[i].detail);
	return 0;
}

/* What it decides about, changes or explains, by its records.  0 or -1. */
static int
try_records(struct worker *w, const struct header *h, struct target *t, struct reasons *rs)
{
	struct job	*j = &w->job;
	struct db	*db = &w->link.db;
	usec_t		 at = j->sub.received_at;

	if (message_type_class(h->type) == MC_RESPONSE)
		return response_judge(db, j->facts.no, rs);
	if (message_type_class(h->type) == MC_AUTHORITY)
		return must_wait(&j->facts, h) ? 0 :
		    authorization_apply(db, j->facts.no, h->user, at, rs);
	if (approval_target(db, w->conf, &j->facts, h, t) == -1)
		return -1;
	approval_judge(h, t, rs);
	if (rs->n == 0 && h->type == MT_APPROVAL &&
	    message_type_by_name(t->message_type) == MT_AUTHORIZATION_CHANGE)
		return apply_target(db, t, at, rs);
	return 0;
}

/* Where something is wrong the records are taken back, and with them what was
 * tried; what was found then is kept. */
static int
judge_records(struct worker *w, const struct header *h, struct target *t, struct reasons *rs)
{
	struct job		*j = &w->job;
	enum message_class	 class = message_type_class(h->type);

	if (class != MC_DECISION && class != MC_AUTHORITY && class != MC_RESPONSE)
		return 0;
	if (loaded(j) && try_records(w, h, t, &j->faults) == -1)
		return -1;
	*rs = j->faults;
	reasons_first_stage(rs);
	return 0;
}

static enum step
decide(struct worker *w, const struct header *h, const struct references *refs,
    struct m_submission_state *answer)
{
	struct job	*j = &w->job;
	struct outcome	 o = { 0 };
	struct target	 target;
	struct reasons	 rs;

	judge(j, h, refs, &rs);
	if (rs.n == 0 && h != NULL && judge_records(w, h, &target, &rs) == -1)
		return STEP_FAILED;
	if (rs.n > 0) {
		if (loaded(j))
			return forget(w);
		o.event = EV_REJECT;
		o.reasons = &rs;
		o.counted = j->verdict.signature_valid && reason_stage_counts(reasons_stage(&rs));
	} else if (!loaded(j)) {
		if (j->unloadable || !j->have_header || !j->ended)
			return hold(w, answer);
		/* It was not worth loading when it came; now it is. */
		return STEP_FAILED;
	} else {
		o.event = must_wait(&j->facts, h) ? EV_WAIT : EV_ACCEPT;
		o.counted = 1;
		o.replaces = refs->replaced.no;
	}
	o.header = h;
	o.reserves_id = o.counted && h != NULL && !reasons_has(&rs, DUPLICATE);
	return write_outcome(w, &o, o.event == EV_ACCEPT && message_type_has_target(h->type) ?
	    &target : NULL, answer) == -1 ? STEP_FAILED : STEP_DONE;
}

static enum step
repeat(struct worker *w, const struct references *refs, struct m_submission_state *answer)
{
	struct outcome	 o = { .event = EV_REPEAT, .repeat_of = refs->same_bytes.no };

	if (loaded(&w->job))
		return forget(w);
	return write_outcome(w, &o, NULL, answer) == -1 ? STEP_FAILED : STEP_DONE;
}

/* A sender that the uploader may act for is another member: both are locked, in
 * one order for all. */
static int
lock_members(struct worker *w, const char *uploader, const struct header *h)
{
	struct db	*db = &w->link.db;
	const char	*sender = h != NULL ? h->sender : uploader;
	int		 order = strcmp(uploader, sender);

	if (decide_lock(db, order < 0 ? uploader : sender) == -1)
		return -1;
	return order == 0 ? 0 : decide_lock(db, order < 0 ? sender : uploader);
}

static enum step
step(struct worker *w, const char *member, struct m_submission_state *answer)
{
	struct job		*j = &w->job;
	struct db		*db = &w->link.db;
	const struct header	*h = j->have_header && j->verdict.signature_valid ? &j->header : NULL;
	struct references	 refs;

	if (lock_members(w, member, h) == -1)
		return STEP_FAILED;
	switch (authority_facts(db, j->sub.id, h, &j->verdict, &j->facts)) {
	case 1:
		break;
	case 0:
		log_warnx("submission %s: has no row yet", j->sub.id);
		return STEP_FAILED;
	default:
		return STEP_FAILED;
	}
	if (j->facts.state != SUB_RECEIVED)
		return already_decided(w, answer);
	if (decide_references(db, &j->facts, h, j->verdict.sha256, &refs) == -1)
		return STEP_FAILED;
	if (refs.same_bytes.no != 0)
		return repeat(w, &refs, answer);
	return decide(w, h, &refs, answer);
}

/* In the open transaction: decide, at most twice (forget says why). */
static int
settle(struct worker *w, struct m_submission_state *answer)
{
	char		 member[MEMBER_CODE_SIZE];
	enum step	 s;

	if (user_code_member(w->job.sub.user, member) == -1)
		return -1;
	if (w->job.savepoint && !loaded(&w->job) && copy_forget(w) == -1)
		return -1;
	s = step(w, member, answer);
	if (s == STEP_AGAIN)
		s = step(w, member, answer);
	return s == STEP_DONE ? 0 : -1;
}

void
verdict_conclude(struct worker *w, struct m_submission_state *answer)
{
	struct job	*j = &w->job;

	memset(answer, 0, sizeof(*answer));
	(void)str_copy(answer->id, sizeof(answer->id), j->sub.id);
	answer->state = SUB_RECEIVED;
	answer->retry_later = 1;
	if (!j->trouble && j->copying)
		(void)copy_end(w);
	if (j->trouble || !link_up(&w->link))
		return;
	if (!j->savepoint && db_begin(&w->link.db) == -1) {
		link_recover(&w->link);
		return;
	}
	if (settle(w, answer) == -1) {
		j->savepoint = 0;
		link_recover(&w->link);
		answer->state = SUB_RECEIVED;
		answer->sha256[0] = '\0';
		return;
	}
	answer->retry_later = 0;
}
