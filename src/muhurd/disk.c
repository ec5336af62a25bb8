/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/eventfd.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "muhurd/disk.h"

struct job_list {
	struct disk_job	*first, **last;
};

struct disk_thread {
	struct disk	*disk;
	pthread_t	 thread;
	pthread_mutex_t	 lock;
	pthread_cond_t	 wake;
	struct job_list	 todo;
	int		 stop;
};

struct disk {
	int		 event;
	unsigned	 nthreads;
	size_t		 pending;	/* poll loop only */
	pthread_mutex_t	 lock;		/* of finished */
	struct job_list	 finished;
	struct disk_thread *threads;
};

static void
list_init(struct job_list *l)
{
	l->first = NULL;
	l->last = &l->first;
}

static void
list_add(struct job_list *l, struct disk_job *job)
{
	job->next = NULL;
	*l->last = job;
	l->last = &job->next;
}

static void
lock(pthread_mutex_t *m)
{
	if (pthread_mutex_lock(m) != 0)
		fatalx("disk: a lock is broken");
}

static void
unlock(pthread_mutex_t *m)
{
	if (pthread_mutex_unlock(m) != 0)
		fatalx("disk: a lock is broken");
}

/* Tell the poll loop; the counter saturates long after 2^60 jobs. */
static void
announce(struct disk *d)
{
	static const uint64_t one = 1;

	while (write(d->event, &one, sizeof(one)) == -1 && errno == EINTR)
		;
}

static void *
thread_main(void *arg)
{
	struct disk_thread *t = arg;
	struct disk_job *job;

	for (;;) {
		lock(&t->lock);
		while (t->todo.first == NULL && !t->stop)
			(void)pthread_cond_wait(&t->wake, &t->lock);
		if ((job = t->todo.first) != NULL &&
		    (t->todo.first = job->next) == NULL)
			t->todo.last = &t->todo.first;
		unlock(&t->lock);
		if (job == NULL)
			return NULL;
		job->work(job);
		lock(&t->disk->lock);
		list_add(&t->disk->finished, job);
		unlock(&t->disk->lock);
		announce(t->disk);
	}
}

struct disk *
disk_start(unsigned nthreads)
{
	struct disk *d = xcalloc(1, sizeof(*d));
	struct disk_thread *t;
	int error;

	list_init(&d->finished);
	d->threads = xcalloc(nthreads, sizeof(*d->threads));
	if ((d->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) == -1)
		goto fail;
	if ((errno = pthread_mutex_init(&d->lock, NULL)) != 0)
		goto fail;
	for (; d->nthreads < nthreads; d->nthreads++) {
		t = &d->threads[d->nthreads];
		t->disk = d;
		list_init(&t->todo);
		if ((error = pthread_mutex_init(&t->lock, NULL)) != 0 ||
		    (error = pthread_cond_init(&t->wake, NULL)) != 0 ||
		    (error = pthread_create(&t->thread, NULL, thread_main, t)) != 0) {
			disk_stop(d);
			errno = error;
			return NULL;
		}
	}
	return d;
fail:
	error = errno;
	if (d->event != -1)
		(void)close(d->event);
	free(d->threads);
	free(d);
	errno = error;
	return NULL;
}

int
disk_fd(const struct disk *d)
{
	return d->event;
}

size_t
disk_pending(const struct disk *d)
{
	return d->pending;
}

void
disk_submit(struct disk *d, uint64_t lane, struct disk_job *job)
{
	struct disk_thread *t = &d->threads[lane % d->nthreads];

	d->pending++;
	lock(&t->lock);
	list_add(&t->todo, job);
	(void)pthread_cond_signal(&t->wake);
	unlock(&t->lock);
}

void
disk_reap(struct disk *d)
{
	struct disk_job *job, *next;
	uint64_t count;

	while (read(d->event, &count, sizeof(count)) == -1 && errno == EINTR)
		;
	lock(&d->lock);
	job = d->finished.first;
	list_init(&d->finished);
	unlock(&d->lock);
	for (; job != NULL; job = next) {
		next = job->next;
		d->pending--;
		job->done(job);
	}
}

void
disk_stop(struct disk *d)
{
	struct disk_thread *t;
	unsigned i;

	if (d == NULL)
		return;
	for (i = 0; i < d->nthreads; i++) {
		t = &d->threads[i];
		lock(&t->lock);
		t->stop = 1;
		(void)pthread_cond_signal(&t->wake);
		unlock(&t->lock);
	}
	for (i = 0; i < d->nthreads; i++)
		(void)pthread_join(d->threads[i].thread, NULL);
	disk_reap(d);
	if (d->pending != 0)
		log_warnx("disk: %zu jobs were handed in while stopping", d->pending);
	for (i = 0; i < d->nthreads; i++) {
		(void)pthread_mutex_destroy(&d->threads[i].lock);
		(void)pthread_cond_destroy(&d->threads[i].wake);
	}
	(void)pthread_mutex_destroy(&d->lock);
	(void)close(d->event);
	free(d->threads);
	free(d);
}

/* FNV-1a. */
uint64_t
disk_lane(const char *name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
	return h;
}
