/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "depot/depot.h"
#include "msg/proto.h"
#include "muhurd/keep.h"
#include "muhurd/pair.h"
#include "muhurd/spool.h"

#define PAUSE_FIRST	(USEC_PER_SEC / 4)
#define PAUSE_MOST	(30 * USEC_PER_SEC)
#define PAUSE_ALARM	(4 * USEC_PER_SEC)	/* several have ended in a row by then */
#define SPENT_GRACE	10	/* seconds a verify may take to end after its verdict */

struct pair {
	struct submission *s;		/* NULL: the slot is free */
	struct child	*verify;	/* until its verdict or its end */
	struct child	*load;
	int		 large;
	int		 strikes;	/* verify died: to be counted at the end */
	usec_t		 deadline;	/* clock_monotonic */
	enum { IN_TIME, LATE, STUCK } time;	/* verify was killed; load as well */
};

struct pairs {
	struct sched	*queue;
	struct submission *alone;	/* those that are tried alone, a list by item */
	struct pair	*slots;
	size_t		 nslots;
	size_t		 running, large;
	int		 alone_runs;
	usec_t		 start_at, pause;	/* of the next verify, where they die early */
};

struct pairs *
pairs_new(struct gateway *gw)
{
	struct pairs *ps = xcalloc(1, sizeof(*ps));

	ps->queue = sched_new();
	ps->nslots = (size_t)gw->conf->workers;
	ps->slots = xcalloc(ps->nslots, sizeof(*ps->slots));
	ps->pause = PAUSE_FIRST;
	return ps;
}

void
pairs_free(struct pairs *ps)
{
	if (ps == NULL)
		return;
	sched_free(ps->queue);
	free(ps->slots);
	free(ps);
}

static struct child *
free_child(struct gateway *gw, enum role role)
{
	struct child *c;

	for (c = children_first(gw); c != NULL; c = c->next)
		if (c->role == role && c->ready && !c->busy && !c->eof && !c->doomed &&
		    !c->ending && !c->reaped)
			return c;
	return NULL;
}

struct child *
pairs_free_loader(struct gateway *gw)
{
	return free_child(gw, ROLE_LOAD);
}

void
pair_queue(struct gateway *gw, struct submission *s)
{
	struct sched_item **p;

	if (!s->alone)
		sched_push(gw->pairs->queue, s->member, &s->item);
	else {
		for (p = (struct sched_item **)&gw->pairs->alone; *p != NULL; p = &(*p)->next)
			;
		s->item.next = NULL;
		*p = &s->item;
	}
	pairs_schedule(gw);
}

/* --- the pool ------------------------------------------------------------------ */

/* As many fresh ones as documents can be at work at once. */
static void
fill_pool(struct gateway *gw)
{
	struct pairs *ps = gw->pairs;
	struct child *c;
	size_t fresh = 0;

	for (c = children_first(gw); c != NULL; c = c->next)
		if (c->role == ROLE_VERIFY && !c->busy && !c->eof && !c->doomed && !c->ending)
			fresh++;
	while (fresh < ps->nslots && clock_monotonic() >= ps->start_at) {
		if (child_start(gw, ROLE_VERIFY, NULL, 0) == NULL) {
			ps->start_at = clock_monotonic() + ps->pause;
			return;
		}
		fresh++;
	}
}

int
pairs_ready(struct gateway *gw)
{
	return free_child(gw, ROLE_VERIFY) != NULL;
}

void
pairs_renew(struct gateway *gw)
{
	struct child *c;

	for (c = children_first(gw); c != NULL; c = c->next)
		if (c->role == ROLE_VERIFY && !c->busy)
			child_end(c, 1);
	gw->pairs->start_at = 0;
	fill_pool(gw);
}

void
pair_verify_up(struct child *verify)
{
	verify->gw->pairs->pause = PAUSE_FIRST;
}

/* --- giving work ------------------------------------------------------------------ */

static struct submission *
next_document(struct pairs *ps)
{
	struct submission *s = ps->alone;

	if (ps->alone_runs || ps->running == ps->nslots)
		return NULL;
	if (s == NULL)
		return (struct submission *)sched_next(ps->queue, ps->large + 1 < ps->nslots);
	if (ps->running > 0)
		return NULL;	/* it gets the gateway for itself: the others finish first */
	ps->alone = (struct submission *)s->item.next;
	return s;
}

usec_t
pair_time(int timeout, int64_t size)
{
	return (timeout + size / DOCUMENT_RATE) * USEC_PER_SEC;
}

static void
start_pair(struct gateway *gw, struct submission *s, struct child *verify,
    struct child *load, int document, const int pipe_fds[2])
{
	struct pairs *ps = gw->pairs;
	struct pair *p = ps->slots;
	int fds[2] = { document, pipe_fds[1] };

	while (p->s != NULL)
		p++;
	memset(p, 0, sizeof(*p));
	p->s = s;
	p->verify = verify;
	p->load = load;
	p->large = !s->item.small;
	p->deadline = clock_monotonic() + pair_time(gw->conf->document_timeout, s->m.size);
	ps->running++;
	ps->large += (size_t)p->large;
	ps->alone_runs = s->alone;
	verify->busy = load->busy = 1;
	verify->owner = load->owner = p;
	log_debug("%s: verify[%ld], load[%ld]", s->m.id, (long)verify->pid, (long)load->pid);
	/* the reader first, so that the writer has one */
	GATEWAY_SEND(&load->chan, M_LOAD_BEGIN, 0, m_submission, &s->m, &pipe_fds[0], 1);
	GATEWAY_SEND(&verify->chan, M_VERIFY, 0, m_submission, &s->m, fds, 2);
}

void
pairs_schedule(struct gateway *gw)
{
	struct pairs *ps = gw->pairs;
	struct child *verify, *load;
	struct submission *s;
	int document, pipe_fds[2];

	if (gw->stopping)
		return;
	fill_pool(gw);
	while ((verify = free_child(gw, ROLE_VERIFY)) != NULL &&
	    (load = free_child(gw, ROLE_LOAD)) != NULL && (s = next_document(ps)) != NULL) {
		if ((document = spool_open(&gw->tree, &s->m)) == -1) {
			log_alarm("%s: the spool: %s", s->m.id, strerror(errno));
			flow_again(gw, s);
			continue;
		}
		if (pipe2(pipe_fds, O_CLOEXEC) == -1) {
			log_alarm("%s: a pipe: %s", s->m.id, strerror(errno));
			(void)close(document);
			flow_again(gw, s);
			return;
		}
		start_pair(gw, s, verify, load, document, pipe_fds);
		fill_pool(gw);
	}
}

/* --- what comes of it ------------------------------------------------------------- */

/* The slot is free again; returns the submission. */
static struct submission *
release(struct gateway *gw, struct pair *p)
{
	struct submission *s = p->s;
	struct pairs *ps = gw->pairs;

	if (p->verify != NULL) {
		p->verify->owner = NULL;
		child_kill(p->verify);
	}
	if (p->load != NULL) {
		p->load->owner = NULL;
		p->load->busy = 0;
	}
	ps->running--;
	ps->large -= (size_t)p->large;
	ps->alone_runs = 0;
	memset(p, 0, sizeof(*p));
	return s;
}

int
pair_verdict(struct child *verify, struct msg *m)
{
	struct pair *p = verify->owner;
	struct m_verdict v;

	if (p == NULL)	/* its pair has ended before it */
		return verify->busy ? 0 : -1;
	if (get_m_verdict(m, &v) == -1 || strcmp(v.id, p->s->m.id) != 0)
		return -1;
	keep_judged_by(verify->gw, v.material);
	verify->owner = NULL;
	p->verify = NULL;
	child_end(verify, SPENT_GRACE);
	(void)msg_send(&p->load->chan, M_LOAD_VERDICT, 0, m->payload, m->len, NULL, 0);
	return 0;
}

int
pair_load_done(struct child *load, struct msg *m)
{
	struct gateway *gw = load->gw;
	struct pair *p = load->owner;
	struct m_submission_state st;
	struct submission *s;
	int strikes;

	if (p == NULL || get_m_submission_state(m, &st) == -1 ||
	    (st.sha256[0] != '\0' && !depot_name_ok(st.sha256)) ||
	    strcmp(st.id, p->s->m.id) != 0)
		return -1;
	strikes = p->strikes;
	s = release(gw, p);
	/* a decided one stays decided, whatever died meanwhile */
	if (strikes > 0 && (st.retry_later || st.state == SUB_RECEIVED))
		flow_strike(gw, s, strikes);
	else
		flow_decided(gw, s, &st);
	pairs_schedule(gw);
	return 0;
}

void
pair_verify_gone(struct child *verify, int crashed)
{
	struct gateway *gw = verify->gw;
	struct pair *p = verify->owner;
	struct m_submission_id id;

	if (!verify->ready && !verify->ending && !gw->stopping) {
		/* it never came up: the next would do no better at once */
		gw->pairs->start_at = clock_monotonic() + gw->pairs->pause;
		if (gw->pairs->pause < PAUSE_ALARM && gw->pairs->pause * 2 >= PAUSE_ALARM)
			log_alarm("verify does not come up: documents wait until it does");
		gw->pairs->pause = longer_pause(gw->pairs->pause, PAUSE_MOST);
	}
	if (p == NULL)
		return;
	/* dead without a verdict, whatever the reason (broken ones too) */
	p->verify = NULL;
	p->strikes = crashed || verify->doomed ? FLOW_CRASH : 1;
	if (gw->stopping)
		return;
	(void)str_copy(id.id, sizeof(id.id), p->s->m.id);
	GATEWAY_SEND(&p->load->chan, M_LOAD_ABORT, 0, m_submission_id, &id, NULL, 0);
}

void
pair_load_gone(struct child *load, int crashed)
{
	struct gateway *gw = load->gw;
	struct pair *p = load->owner;
	struct submission *s;
	int strikes, stuck;

	if (p == NULL)
		return;
	p->load = NULL;
	strikes = p->strikes;
	stuck = p->time == STUCK;
	s = release(gw, p);
	if (gw->stopping)
		return;
	/* A worker that lost its database gives up by itself: not this document's
	 * fault.  One that was killed because it heard nothing waits for the
	 * database most likely, and verify may have waited for it: counted as
	 * little as giving up, so that it ends all the same. */
	if (stuck)
		strikes = 1;
	else if (crashed || load->doomed)
		strikes += FLOW_CRASH;
	if (strikes > 0)
		flow_strike(gw, s, strikes);
	else
		flow_again(gw, s);
	pairs_schedule(gw);
}

/* --- time ------------------------------------------------------------------------- */

static void
late(struct gateway *gw, struct pair *p, usec_t now)
{
	p->time = LATE;
	p->deadline = now + gw->conf->document_timeout * USEC_PER_SEC;
	if (p->verify == NULL) {
		/* a load worker that decides is given its time: the answer to an abort
		 * could cross the decision */
		log_warnx("%s: load[%ld] takes long to decide", p->s->m.id, (long)p->load->pid);
		return;
	}
	log_alarm("%s (%s, \"%s\"): verify[%ld] took too long: killed", p->s->m.id, p->s->m.user,
	    p->s->m.name, (long)p->verify->pid);
	child_kill(p->verify);	/* its end has load told to give up */
}

void
pairs_tick(struct gateway *gw, usec_t now)
{
	struct pairs *ps = gw->pairs;
	struct pair *p;
	size_t i;

	for (i = 0; i < ps->nslots; i++) {
		p = &ps->slots[i];
		if (p->s == NULL || now < p->deadline || p->time == STUCK)
			continue;
		if (p->time == IN_TIME) {
			late(gw, p, now);
			continue;
		}
		log_alarm("%s: load[%ld] does not answer: killed", p->s->m.id,
		    (long)p->load->pid);
		p->time = STUCK;
		child_kill(p->load);
	}
}
