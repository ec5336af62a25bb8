/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "document/build.h"
#include "signer/check.h"

#define TOLERANCE	3600	/* seconds between signing and the check */

struct check {
	const struct signer	*s;
	const struct notice	*n;
	int			 out;
	struct document_settings settings;
	struct dsig_demand	 demand;
	struct document_verdict	 verdict;
	int			 rc;		/* document_judge's */
	/* of a file that is being written */
	pthread_t		 thread;
	pthread_mutex_t		 lock;
	pthread_cond_t		 moved;		/* size or state */
	long long		 size;
	enum { WRITING, WHOLE, GIVEN_UP } state;
};

static struct check *
new_check(const struct signer *s, const struct notice *n, int out)
{
	struct check *c = xcalloc(1, sizeof(*c));

	c->s = s;
	c->n = n;
	c->out = out;
	c->settings.trust = s->trust;
	c->settings.schemas = s->schemas;
	c->settings.profile = PROFILE_XADES;
	c->settings.signing_time_past = c->settings.signing_time_future = TOLERANCE;
	c->settings.any_document = 1;
	return c;
}

static void
judge(struct check *c)
{
	c->rc = document_judge(c->out, &c->settings, NULL, &c->verdict);
}

/* What came of it, into f. */
static int
conclude(const struct check *c, struct m_notice_file *f)
{
	const struct document_verdict *v = &c->verdict;
	size_t i;

	if (c->rc == -1)
		return -1;
	for (i = 0; i < v->reasons.n; i++)
		log_alarm("notice %s: own check: %s: line %ld: %s: %s", c->n->id,
		    reason_info(v->reasons.v[i].code)->name, v->reasons.v[i].line,
		    v->reasons.v[i].path, v->reasons.v[i].detail);
	if (v->reasons.n > 0 || strcmp(v->root, notice_kind_name(c->n->kind)) != 0)
		return -1;
	(void)str_copy(f->sha256, sizeof(f->sha256), v->sha256);
	f->size = v->size;
	return 0;
}

int
check_file(const struct signer *s, const struct notice *n, int out, usec_t at, struct m_notice_file *f)
{
	struct check *c = new_check(s, n, out);
	int rc;

	c->settings.at = at;
	judge(c);
	rc = conclude(c, f);
	free(c);
	return rc;
}

/* --- while it is written ----------------------------------------------------------- */

static int
more(void *arg, long long at)
{
	struct check *c = arg;
	int rc;

	(void)pthread_mutex_lock(&c->lock);
	while (c->size <= at && c->state == WRITING)
		(void)pthread_cond_wait(&c->moved, &c->lock);
	rc = c->state == GIVEN_UP ? -1 : c->size > at;
	(void)pthread_mutex_unlock(&c->lock);
	return rc;
}

static void *
run(void *arg)
{
	judge(arg);
	return NULL;
}

static void
free_check(struct check *c)
{
	(void)pthread_cond_destroy(&c->moved);
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}

struct check *
check_begin(const struct signer *s, const struct notice *n, int out)
{
	struct check *c = new_check(s, n, out);

	c->demand = notice_demand(s->key);
	c->settings.demand = &c->demand;
	c->settings.more = more;
	c->settings.more_arg = c;
	(void)pthread_mutex_init(&c->lock, NULL);
	(void)pthread_cond_init(&c->moved, NULL);
	if ((errno = pthread_create(&c->thread, NULL, run, c)) == 0)
		return c;
	log_warn("notice %s: a thread for its check", n->id);
	free_check(c);
	return NULL;
}

void
check_written(void *check, long long size)
{
	struct check *c = check;

	(void)pthread_mutex_lock(&c->lock);
	c->size = size;
	(void)pthread_cond_signal(&c->moved);
	(void)pthread_mutex_unlock(&c->lock);
}

int
check_end(struct check *c, int built, usec_t at, struct m_notice_file *f)
{
	int rc;

	(void)pthread_mutex_lock(&c->lock);
	c->settings.at = at;	/* looked at when all has been read */
	c->state = built ? WHOLE : GIVEN_UP;
	(void)pthread_cond_signal(&c->moved);
	(void)pthread_mutex_unlock(&c->lock);
	(void)pthread_join(c->thread, NULL);
	rc = built ? conclude(c, f) : -1;
	free_check(c);
	return rc;
}
