/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "depot/depot.h"
#include "model/ident.h"
#include "msg/proto.h"
#include "muhurd/disk.h"
#include "muhurd/notices.h"
#include "muhurd/pair.h"
#include "muhurd/publish.h"
#include "muhurd/spool.h"

/* Notices between "next" and "durable" at once: enough to keep the signer busy
 * while the disk works for earlier ones. */
#define WINDOW		8
#define PAUSE_FIRST	USEC_PER_SEC	/* after a failure; doubled while nothing comes out well */
#define PAUSE_MOST	(60 * USEC_PER_SEC)

enum entry_phase {
	ENTRY_FILE,	/* its file is being made (disk) */
	ENTRY_WAIT,	/* for the signer; where it has lines for a load worker, and for
			 * another's lines to be read */
	ENTRY_SIGNING,
	ENTRY_STORING	/* disk */
};

struct entry {
	struct notice	 n;
	enum entry_phase phase;
	int		 out;		/* -1 while not open */
	struct entry	*next;
};

struct notices {
	struct gateway	*gw;
	struct entry	*list;		/* oldest first */
	unsigned	 asked;		/* M_NOTICE_NEXT without an answer */
	uint32_t	 tag;
	usec_t		 ask_at, pause;	/* clock_monotonic: ask for none before; 0 at once */
};

struct notices *
notices_new(struct gateway *gw)
{
	struct notices *ns = xcalloc(1, sizeof(*ns));

	ns->gw = gw;
	return ns;
}

static void
entry_free(struct notices *ns, struct entry *e)
{
	struct entry **p;

	for (p = &ns->list; *p != e; p = &(*p)->next)
		;
	*p = e->next;
	if (e->out != -1)
		(void)close(e->out);
	free(e);
}

void
notices_free(struct notices *ns)
{
	if (ns == NULL)
		return;
	while (ns->list != NULL)
		entry_free(ns, ns->list);
	free(ns);
}

static struct entry *
find(struct notices *ns, const char *id, enum entry_phase phase)
{
	struct entry *e;

	for (e = ns->list; e != NULL; e = e->next)
		if (e->phase == phase && strcmp(e->n.id, id) == 0)
			return e;
	return NULL;
}

/* A whole outage must not be an alarm for each notice that waits: those that fail
 * meanwhile are one failure. */
static void
pause_asking(struct notices *ns)
{
	usec_t now = clock_monotonic();

	if (now < ns->ask_at)
		return;
	ns->pause = ns->pause == 0 ? PAUSE_FIRST : longer_pause(ns->pause, PAUSE_MOST);
	ns->ask_at = now + ns->pause;
}

/* It could not be signed now: the directory, whichever is there, gives it again
 * later. */
static void
failed(struct gateway *gw, struct entry *e)
{
	struct child *directory = children_of(gw, ROLE_DIRECTORY);
	struct m_notice_id id;

	if (directory != NULL) {
		(void)str_copy(id.id, sizeof(id.id), e->n.id);
		GATEWAY_SEND(&directory->chan, M_NOTICE_FAILED, 0, m_notice_id, &id, NULL, 0);
	}
	entry_free(gw->notices, e);
	pause_asking(gw->notices);
}

/* --- asking, and handing to the signer ---------------------------------------- */

static void
ask_more(struct gateway *gw)
{
	struct child *directory = children_of(gw, ROLE_DIRECTORY);
	struct notices *ns = gw->notices;
	struct entry *e;
	unsigned n = ns->asked;

	if (gw->stopping || directory == NULL || children_of(gw, ROLE_SIGNER) == NULL ||
	    clock_monotonic() < ns->ask_at)
		return;
	for (e = ns->list; e != NULL; e = e->next)
		n++;
	for (; n < WINDOW; n++) {
		ns->asked++;
		if (msg_send(&directory->chan, M_NOTICE_NEXT, ++ns->tag, NULL, 0, NULL, 0) == -1)
			child_unreached(&directory->chan, M_NOTICE_NEXT);
	}
}

/* A pipe for bulk lines, its write end with a load worker; the read end, or
 * -1 where none is free now. */
static int
lines_pipe(struct gateway *gw, const struct notice *n)
{
	struct child *load = pairs_free_loader(gw);
	struct m_notice_id id;
	int fds[2];

	if (load == NULL)
		return -1;
	if (pipe2(fds, O_CLOEXEC) == -1) {
		log_alarm("notice %s: a pipe: %s", n->id, strerror(errno));
		return -1;
	}
	load->busy = 1;
	(void)str_copy(id.id, sizeof(id.id), n->id);
	GATEWAY_SEND(&load->chan, M_LINES_SEND, 0, m_notice_id, &id, &fds[1], 1);
	return fds[0];
}

/* The signer takes one at a time, and a loader waits until its lines are read: a
 * second one at work would be one that loads no document. */
static int
lines_at_work(const struct notices *ns)
{
	const struct entry *e;

	for (e = ns->list; e != NULL; e = e->next)
		if (e->phase == ENTRY_SIGNING && e->n.line_count > 0)
			return 1;
	return 0;
}

static void
give_to_signer(struct gateway *gw, struct entry *e)
{
	struct child *signer = children_of(gw, ROLE_SIGNER);
	int fds[2], n = 1;

	if (signer == NULL || gw->stopping ||
	    (e->n.line_count > 0 && lines_at_work(gw->notices)))
		return;
	/* our own of out stays: it is what gets fsync'd and stored */
	if ((fds[0] = fcntl(e->out, F_DUPFD_CLOEXEC, 0)) == -1) {
		log_alarm("notice %s: %s", e->n.id, strerror(errno));
		return;
	}
	if (e->n.line_count > 0) {
		if ((fds[1] = lines_pipe(gw, &e->n)) == -1) {
			(void)close(fds[0]);
			return;
		}
		n = 2;
	}
	e->phase = ENTRY_SIGNING;
	GATEWAY_SEND(&signer->chan, M_SIGN, 0, notice, &e->n, fds, n);
}

static void
give_waiting(struct gateway *gw)
{
	struct entry *e;

	for (e = gw->notices->list; e != NULL; e = e->next)
		if (e->phase == ENTRY_WAIT)
			give_to_signer(gw, e);
}

struct file_job {
	struct disk_job	 job;
	struct gateway	*gw;
	struct entry	*e;		/* stays in the list while we are at work */
	int		 rc, error;
	struct m_notice_file file;	/* of storing */
};

static void
file_work(struct disk_job *job)
{
	struct file_job *f = (struct file_job *)job;

	f->rc = f->e->out = spool_tmp_file(&f->gw->tree, f->e->n.id);
	f->error = errno;
}

static void
file_done(struct disk_job *job)
{
	struct file_job *f = (struct file_job *)job;

	if (f->rc == -1) {
		log_alarm("notice %s: a file for it: %s", f->e->n.id, strerror(f->error));
		failed(f->gw, f->e);
	} else {
		f->e->phase = ENTRY_WAIT;
		give_to_signer(f->gw, f->e);
	}
	free(f);
}

static void
submit(struct gateway *gw, struct entry *e, enum entry_phase phase,
    void (*work)(struct disk_job *), void (*done)(struct disk_job *),
    const struct m_notice_file *file)
{
	struct file_job *f = xcalloc(1, sizeof(*f));

	f->job.work = work;
	f->job.done = done;
	f->gw = gw;
	f->e = e;
	if (file != NULL)
		f->file = *file;
	e->phase = phase;
	disk_submit(gw->disk, disk_lane(e->n.id), &f->job);
}

int
notices_to_sign(struct gateway *gw, struct msg *m)
{
	struct notices *ns = gw->notices;
	struct entry *e = xcalloc(1, sizeof(*e)), **p;

	e->out = -1;
	if (ns->asked == 0 || get_notice(m, &e->n) == -1 || !uuid_ok(e->n.id)) {
		free(e);
		return -1;
	}
	ns->asked--;
	for (p = &ns->list; *p != NULL; p = &(*p)->next)
		if (strcmp((*p)->n.id, e->n.id) == 0) {
			/* still at work, for a former directory or since long ago: what
			 * comes of that is the answer */
			free(e);
			return 0;
		}
	*p = e;
	submit(gw, e, ENTRY_FILE, file_work, file_done, NULL);
	return 0;
}

/* --- what the signer made -------------------------------------------------------- */

static void
store_work(struct disk_job *job)
{
	struct file_job *f = (struct file_job *)job;

	f->rc = spool_store_notice(&f->gw->tree, f->file.id, f->e->out, f->file.sha256,
	    f->file.size);
	f->error = errno;
}

static void
store_done(struct disk_job *job)
{
	struct file_job *f = (struct file_job *)job;
	struct gateway *gw = f->gw;
	struct child *directory = children_of(gw, ROLE_DIRECTORY);

	if (f->rc == -1) {
		log_alarm("notice %s: cannot be stored: %s", f->file.id, strerror(f->error));
		failed(gw, f->e);
	} else {
		if (directory != NULL)
			GATEWAY_SEND(&directory->chan, M_NOTICE_SIGNED, 0, m_notice_file,
			    &f->file, NULL, 0);
		entry_free(gw->notices, f->e);
		gw->notices->ask_at = gw->notices->pause = 0;
	}
	free(f);
	ask_more(gw);
}

int
notices_signed(struct gateway *gw, struct msg *m)
{
	struct m_notice_file file;
	struct entry *e;

	if (get_m_notice_file(m, &file) == -1 || !depot_name_ok(file.sha256) ||
	    (e = find(gw->notices, file.id, ENTRY_SIGNING)) == NULL)
		return -1;
	submit(gw, e, ENTRY_STORING, store_work, store_done, &file);
	give_waiting(gw);
	return 0;
}

static void
remove_work(struct disk_job *job)
{
	struct file_job *f = (struct file_job *)job;

	spool_tmp_remove(&f->gw->tree, f->e->n.id);
}

static void
remove_done(struct disk_job *job)
{
	struct file_job *f = (struct file_job *)job;

	failed(f->gw, f->e);
	ask_more(f->gw);
	free(f);
}

int
notices_sign_failed(struct gateway *gw, struct msg *m)
{
	struct m_notice_id id;
	struct entry *e;

	if (get_m_notice_id(m, &id) == -1 ||
	    (e = find(gw->notices, id.id, ENTRY_SIGNING)) == NULL)
		return -1;
	log_alarm("notice %s for %s could not be signed: it will be tried again", id.id,
	    e->n.recipient);
	submit(gw, e, ENTRY_STORING, remove_work, remove_done, NULL);
	give_waiting(gw);
	return 0;
}

void
notices_signer_gone(struct gateway *gw)
{
	struct entry *e;

	for (e = gw->notices->list; e != NULL; e = e->next)
		if (e->phase == ENTRY_SIGNING)
			submit(gw, e, ENTRY_STORING, remove_work, remove_done, NULL);
}

void
notices_directory_gone(struct gateway *gw)
{
	/* what is at work is told to the next one */
	gw->notices->asked = 0;
}

void
notices_tick(struct gateway *gw, usec_t now)
{
	give_waiting(gw);
	ask_more(gw);
	publish_tick(gw, now);
}
