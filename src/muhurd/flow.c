/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "depot/depot.h"
#include "model/ident.h"
#include "muhurd/disk.h"
#include "muhurd/flow.h"
#include "muhurd/pair.h"
#include "muhurd/spool.h"

#define BUCKETS		4096
#define ASKED_MAX	256	/* questions with the directory at once */
#define PAUSE_FIRST	USEC_PER_SEC
#define PAUSE_MOST	(60 * USEC_PER_SEC)
#define RESCAN_EVERY	(10 * USEC_PER_SEC)	/* while some of the spool is unknown */

struct queue {
	struct sched_item *first, **last;
};

struct flow {
	struct submission *bucket[BUCKETS];
	size_t		 known;
	struct queue	 ask;		/* FLOW_ASK, FLOW_HOLD */
	struct queue	 wait;		/* for not_before */
	size_t		 asked;		/* FLOW_ASKED, FLOW_HOLDING */
	int		 unknown;	/* the spool holds more than is known */
	int		 scanning;
	usec_t		 scan_at;
};

static void
queue_init(struct queue *q)
{
	q->first = NULL;
	q->last = &q->first;
}

static void
queue_add(struct queue *q, struct submission *s)
{
	s->item.next = NULL;
	*q->last = &s->item;
	q->last = &s->item.next;
}

static struct submission *
queue_take(struct queue *q)
{
	struct sched_item *i = q->first;

	if (i != NULL && (q->first = i->next) == NULL)
		q->last = &q->first;
	return (struct submission *)i;
}

struct flow *
flow_new(struct gateway *gw)
{
	struct flow *f = xcalloc(1, sizeof(*f));

	(void)gw;
	queue_init(&f->ask);
	queue_init(&f->wait);
	return f;
}

void
flow_free(struct flow *f)
{
	struct submission *s, *next;
	size_t i;

	if (f == NULL)
		return;
	for (i = 0; i < BUCKETS; i++)
		for (s = f->bucket[i]; s != NULL; s = next) {
			next = s->hash_next;
			free(s);
		}
	free(f);
}

/* --- the table ------------------------------------------------------------ */

static struct submission **
find(struct flow *f, const char *id)
{
	struct submission **p = &f->bucket[disk_lane(id) % BUCKETS];

	while (*p != NULL && strcmp((*p)->m.id, id) != 0)
		p = &(*p)->hash_next;
	return p;
}

static void
forget(struct flow *f, struct submission *s)
{
	struct submission **p = find(f, s->m.id);

	*p = s->hash_next;
	f->known--;
	free(s);
}

static void
add(struct gateway *gw, const struct m_submission *m)
{
	struct flow *f = gw->flow;
	struct submission **p = find(f, m->id), *s;

	if (*p != NULL)
		return;
	if (f->known >= FLOW_MAX_KNOWN) {
		f->unknown = 1;
		return;
	}
	s = xcalloc(1, sizeof(*s));
	s->m = *m;
	if (user_code_member(m->user, s->member) == -1)
		fatalx("flow: a user without a member");
	s->item.small = m->size < SCHED_SMALL;
	s->phase = FLOW_ASK;
	s->pause = PAUSE_FIRST;
	*p = s;
	f->known++;
	queue_add(&f->ask, s);
}

/* --- questions to the directory ------------------------------------------------- */

static void
ask_directory(struct gateway *gw)
{
	struct child *directory = children_of(gw, ROLE_DIRECTORY);
	struct flow *f = gw->flow;
	struct m_submission_id id;
	struct submission *s;

	if (gw->stopping || directory == NULL)
		return;
	while (f->asked < ASKED_MAX && (s = queue_take(&f->ask)) != NULL) {
		f->asked++;
		if (s->phase == FLOW_HOLD) {
			s->phase = FLOW_HOLDING;
			(void)str_copy(id.id, sizeof(id.id), s->m.id);
			GATEWAY_SEND(&directory->chan, M_SUB_HOLD, 0, m_submission_id, &id,
			    NULL, 0);
			continue;
		}
		s->phase = FLOW_ASKED;
		GATEWAY_SEND(&directory->chan, M_SUB_RECEIVED, 0, m_submission, &s->m,
		    NULL, 0);
	}
}

static void
wait_a_while(struct gateway *gw, struct submission *s)
{
	s->not_before = clock_monotonic() + s->pause;
	s->pause = longer_pause(s->pause, PAUSE_MOST);
	s->waiting = 1;
	queue_add(&gw->flow->wait, s);
}

struct conclude_job {
	struct disk_job	 job;
	struct gateway	*gw;
	struct m_submission m;
	char	 sha256[SHA256_HEX_SIZE];
	int	 rc, error;
};

static void
conclude_work(struct disk_job *job)
{
	struct conclude_job *c = (struct conclude_job *)job;

	c->rc = spool_conclude(&c->gw->tree, &c->m, c->sha256);
	c->error = errno;
}

static void
conclude_done(struct disk_job *job)
{
	struct conclude_job *c = (struct conclude_job *)job;
	struct submission *s = *find(c->gw->flow, c->m.id);

	if (c->rc == 0)
		forget(c->gw->flow, s);
	else {
		log_alarm("%s: cannot be put into the store: %s", c->m.id, strerror(c->error));
		wait_a_while(c->gw, s);
	}
	free(c);
}

/* Its fate is decided: into the store, out of the spool. */
static void
conclude(struct gateway *gw, struct submission *s)
{
	struct conclude_job *c = xcalloc(1, sizeof(*c));

	s->phase = FLOW_STORE;
	c->job.work = conclude_work;
	c->job.done = conclude_done;
	c->gw = gw;
	c->m = s->m;
	(void)str_copy(c->sha256, sizeof(c->sha256), s->sha256);
	disk_submit(gw->disk, disk_lane(s->m.id), &c->job);
}

void
flow_decided(struct gateway *gw, struct submission *s, const struct m_submission_state *st)
{
	if (st->retry_later) {
		flow_again(gw, s);
		return;
	}
	switch (st->state) {
	case SUB_RECEIVED:
		/* from a load worker it means: nothing was decided */
		flow_again(gw, s);
		return;
	case SUB_HELD:
		s->phase = FLOW_HELD;
		return;
	case SUB_ACCEPTED:
	case SUB_REJECTED:
	case SUB_WAITING:		/* for a person: the document is done with */
	case SUB_REPEATED:
	case SUB_REPLACED:
	case SUB_CANCELLED:
		log_info("%s: %s", s->m.id, submission_state_name(st->state));
		s->pause = PAUSE_FIRST;
		(void)str_copy(s->sha256, sizeof(s->sha256), st->sha256);
		conclude(gw, s);
		return;
	case SUB_STATE_COUNT:
		break;
	}
	fatalx("flow: a state that is none");
}

void
flow_again(struct gateway *gw, struct submission *s)
{
	log_info("%s: will be tried again in %lld s", s->m.id,
	    (long long)(s->pause / USEC_PER_SEC));
	/* from its row on: a database that crashed may have lost that */
	s->phase = FLOW_ASK;
	wait_a_while(gw, s);
}

void
flow_strike(struct gateway *gw, struct submission *s, int strikes)
{
	s->strikes += strikes;
	if (s->strikes >= FLOW_HOLD_AT) {
		log_alarm("%s (%s, \"%s\"): its processing failed again: held for the operator "
		    "(muhur submission retry|reject)", s->m.id, s->m.user, s->m.name);
		s->phase = FLOW_HOLD;
		queue_add(&gw->flow->ask, s);
		ask_directory(gw);
		return;
	}
	if (s->strikes < FLOW_CRASH) {
		flow_again(gw, s);
		return;
	}
	log_alarm("%s (%s, \"%s\"): its processing failed: one more try alone", s->m.id,
	    s->m.user, s->m.name);
	s->alone = 1;
	s->phase = FLOW_ASK;
	/* not at once: what killed one may be killing its siblings, and a
	 * second death so met would not be this document's fault */
	wait_a_while(gw, s);
}

int
flow_sub_state(struct gateway *gw, struct msg *m)
{
	struct flow *f = gw->flow;
	struct m_submission_state st;
	struct submission *s;
	enum flow_phase was;

	if (get_m_submission_state(m, &st) == -1 ||
	    (st.sha256[0] != '\0' && !depot_name_ok(st.sha256)))
		return -1;
	if ((s = *find(f, st.id)) == NULL) {
		f->unknown = 1;		/* decided about one that is not known here now */
		return 0;
	}
	was = s->phase;
	if (st.kind != MEMBER_UNKNOWN)
		s->m.kind = st.kind;
	if (was == FLOW_ASKED || was == FLOW_HOLDING)
		f->asked--;
	else if (was != FLOW_HELD || s->waiting)
		return 0;	/* on its way: what it meets there will tell it the same */
	if (st.retry_later) {
		s->phase = was == FLOW_HOLDING ? FLOW_HOLD : FLOW_ASK;
		wait_a_while(gw, s);
	} else if (st.state == SUB_RECEIVED) {
		if (was != FLOW_ASKED) {	/* the operator wants another try */
			s->strikes = s->alone = 0;
			s->pause = PAUSE_FIRST;
		}
		s->phase = FLOW_QUEUED;
		pair_queue(gw, s);
	} else
		flow_decided(gw, s, &st);
	ask_directory(gw);
	return 0;
}

void
flow_directory_gone(struct gateway *gw)
{
	struct flow *f = gw->flow;
	struct submission *s;
	size_t i;

	/* whatever it was asked is asked again */
	for (i = 0; i < BUCKETS; i++)
		for (s = f->bucket[i]; s != NULL; s = s->hash_next) {
			if (s->phase == FLOW_HOLDING)
				s->phase = FLOW_HOLD;
			else if (s->phase == FLOW_ASKED ||
			    (s->phase == FLOW_HELD && !s->waiting))
				s->phase = FLOW_ASK;
			else
				continue;
			queue_add(&f->ask, s);
		}
	f->asked = 0;
}

void
flow_directory_up(struct gateway *gw)
{
	ask_directory(gw);
}

/* --- the spool ------------------------------------------------------------------- */

struct scan_job {
	struct disk_job	 job;
	struct gateway	*gw;
	int	 durable;
	struct m_submission *list;
	size_t	 n;
	int	 more, rc, error;
};

static void
scan_work(struct disk_job *job)
{
	struct scan_job *j = (struct scan_job *)job;

	j->rc = spool_scan(&j->gw->tree, FLOW_MAX_KNOWN, j->durable, &j->list, &j->n, &j->more);
	j->error = errno;
}

static void
scan_done(struct disk_job *job)
{
	struct scan_job *j = (struct scan_job *)job;
	struct flow *f = j->gw->flow;
	size_t i;

	f->scanning = 0;
	f->scan_at = clock_monotonic() + RESCAN_EVERY;
	if (j->rc == -1) {
		log_alarm("the spool cannot be read: %s", strerror(j->error));
		f->unknown = 1;
	} else {
		f->unknown = j->more;
		for (i = 0; i < j->n; i++)
			add(j->gw, &j->list[i]);
		if (j->durable && j->n > 0)
			log_info("%zu submissions in the spool go on", j->n);
	}
	ask_directory(j->gw);
	free(j->list);
	free(j);
}

void
flow_rescan(struct gateway *gw, int durable)
{
	struct scan_job *j = xcalloc(1, sizeof(*j));

	j->job.work = scan_work;
	j->job.done = scan_done;
	j->gw = gw;
	j->durable = durable;
	gw->flow->scanning = 1;
	disk_submit(gw->disk, 0, &j->job);
}

void
flow_taken(struct gateway *gw, const struct m_submission *m)
{
	add(gw, m);
	ask_directory(gw);
}

/* --- time -------------------------------------------------------------------------- */

static void
wake(struct gateway *gw, struct submission *s)
{
	s->waiting = 0;
	switch (s->phase) {
	case FLOW_ASK:
	case FLOW_HOLD:
		queue_add(&gw->flow->ask, s);
		return;
	case FLOW_STORE:
		conclude(gw, s);
		return;
	default:
		fatalx("flow: %s waits in phase %d", s->m.id, (int)s->phase);
	}
}

void
flow_tick(struct gateway *gw, usec_t now)
{
	struct flow *f = gw->flow;
	struct queue due = f->wait;
	struct submission *s;

	if (gw->stopping)
		return;
	if (due.first == NULL)
		queue_init(&due);
	queue_init(&f->wait);
	while ((s = queue_take(&due)) != NULL) {
		if (now >= s->not_before)
			wake(gw, s);
		else
			queue_add(&f->wait, s);
	}
	ask_directory(gw);
	pairs_schedule(gw);
	if (f->unknown && !f->scanning && now >= f->scan_at && f->known < FLOW_MAX_KNOWN / 2)
		flow_rescan(gw, 0);
}
