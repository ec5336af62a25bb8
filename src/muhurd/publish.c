/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "depot/depot.h"
#include "model/ident.h"
#include "msg/proto.h"
#include "muhurd/disk.h"
#include "muhurd/flow.h"
#include "muhurd/publish.h"
#include "muhurd/spool.h"

#define AT_ONCE		1024	/* above it the directory has to wait */
#define PAUSE_FIRST	USEC_PER_SEC
#define PAUSE_MOST	(60 * USEC_PER_SEC)

enum item_phase {
	ITEM_DISK,	/* a disk job has it */
	ITEM_RETRY,	/* our trouble: again at not_before */
	ITEM_READY,	/* expiring: waits for the archive process */
	ITEM_SENT	/* the archive process has it */
};

struct item {
	struct disk_job	 job;
	struct gateway	*gw;
	struct m_notice_publish p;
	int		 expire;	/* out of the outbox; else into it */
	enum item_phase	 phase;
	int		 rc, error;
	int		 absent;	/* the store does not have it */
	usec_t		 not_before, pause;
	struct item	*next;
};

struct publish {
	struct item	*list;
	size_t		 count;
};

struct publish *
publish_new(struct gateway *gw)
{
	(void)gw;
	return xcalloc(1, sizeof(struct publish));
}

static void
item_free(struct publish *pb, struct item *it)
{
	struct item **p;

	for (p = &pb->list; *p != it; p = &(*p)->next)
		;
	*p = it->next;
	pb->count--;
	free(it);
}

void
publish_free(struct publish *pb)
{
	if (pb == NULL)
		return;
	while (pb->list != NULL)
		item_free(pb, pb->list);
	free(pb);
}

static void
tell_directory(struct gateway *gw, enum msg_type type, const char *id)
{
	struct child *directory = children_of(gw, ROLE_DIRECTORY);
	struct m_notice_id n;

	if (directory == NULL)
		return;		/* it will ask again */
	(void)str_copy(n.id, sizeof(n.id), id);
	GATEWAY_SEND(&directory->chan, type, 0, m_notice_id, &n, NULL, 0);
}

static void
tell_published(struct gateway *gw, const struct m_notice_publish *p)
{
	struct child *directory = children_of(gw, ROLE_DIRECTORY);
	struct m_notice_published done = { .archived = p->archived };

	if (directory == NULL)
		return;
	(void)str_copy(done.id, sizeof(done.id), p->id);
	GATEWAY_SEND(&directory->chan, M_NOTICE_PUBLISHED, 0, m_notice_published, &done, NULL, 0);
}

/* Nothing more from the directory while there is too much of this. */
static void
throttle(struct gateway *gw)
{
	struct child *directory = children_of(gw, ROLE_DIRECTORY);

	if (directory != NULL)
		directory->paused = gw->publish->count >= AT_ONCE;
}

static void
give_to_archive(struct gateway *gw)
{
	struct child *archive = children_of(gw, ROLE_ARCHIVE);
	struct item *it;

	if (archive == NULL || gw->stopping)
		return;
	for (it = gw->publish->list; it != NULL; it = it->next)
		if (it->phase == ITEM_READY) {
			it->phase = ITEM_SENT;
			GATEWAY_SEND(&archive->chan, M_ARCHIVE, 0, m_notice_publish, &it->p,
			    NULL, 0);
		}
}

static void
item_work(struct disk_job *job)
{
	struct item *it = (struct item *)job;
	const struct tree *t = &it->gw->tree;
	char path[DEPOT_PATH_SIZE];
	struct stat st;

	it->rc = it->expire ? spool_archive_day(t, &it->p) : spool_publish(t, &it->p);
	it->error = errno;
	if (it->rc == 0 || it->expire || it->error != ENOENT)
		return;
	depot_path(it->p.sha256, DEPOT_PLAIN, path);
	it->absent = fstatat(t->store, path, &st, AT_SYMLINK_NOFOLLOW) == -1 && errno == ENOENT;
}

static void
item_end(struct gateway *gw, struct item *it)
{
	item_free(gw->publish, it);
	throttle(gw);
}

static void
item_done(struct disk_job *job)
{
	struct item *it = (struct item *)job;
	struct gateway *gw = it->gw;

	if (it->rc == -1 && it->absent) {
		log_alarm("notice %s of %s: outbox: the store does not have it", it->p.file_name,
		    it->p.recipient);
		/* the directory gives it again in a while, unless it is purged */
		item_end(gw, it);
		return;
	}
	if (it->rc == -1) {
		log_alarm("notice %s of %s: %s: %s", it->p.file_name, it->p.recipient,
		    it->expire ? "archive" : "outbox", strerror(it->error));
		it->phase = ITEM_RETRY;
		it->not_before = clock_monotonic() + it->pause;
		it->pause = longer_pause(it->pause, PAUSE_MOST);
		return;
	}
	if (it->expire) {
		it->phase = ITEM_READY;
		give_to_archive(gw);
		return;
	}
	tell_published(gw, &it->p);
	item_end(gw, it);
}

static void
submit(struct item *it)
{
	it->phase = ITEM_DISK;
	it->job.work = item_work;
	it->job.done = item_done;
	disk_submit(it->gw->disk, disk_lane(it->p.id), &it->job);
}

static int
accept_item(struct gateway *gw, struct msg *m, int expire)
{
	struct publish *pb = gw->publish;
	struct m_notice_publish p;
	struct item *it;
	date_t day;

	/* names that become paths are judged here, whoever sends them */
	if (get_m_notice_publish(m, &p) == -1 || !uuid_ok(p.id) ||
	    !member_code_ok(p.recipient) || !file_name_ok(p.file_name) ||
	    !depot_name_ok(p.sha256) || date_parse(p.day, &day) == -1)
		return -1;
	/* at work already; or on its way out while a repeat wants it in again, and
	 * would lose it a moment later: the directory gives it once more */
	for (it = pb->list; it != NULL; it = it->next)
		if (strcmp(it->p.id, p.id) == 0)
			return 0;
	it = xcalloc(1, sizeof(*it));
	it->gw = gw;
	it->p = p;
	it->expire = expire;
	it->pause = PAUSE_FIRST;
	it->next = pb->list;
	pb->list = it;
	pb->count++;
	throttle(gw);
	submit(it);
	return 0;
}

int
publish_notice(struct gateway *gw, struct msg *m)
{
	return accept_item(gw, m, 0);
}

int
publish_expire(struct gateway *gw, struct msg *m)
{
	return accept_item(gw, m, 1);
}

int
publish_archived(struct gateway *gw, struct msg *m)
{
	struct m_archived a;
	struct item *it;

	if (get_m_archived(m, &a) == -1)
		return -1;
	for (it = gw->publish->list; it != NULL; it = it->next)
		if (it->phase == ITEM_SENT && strcmp(it->p.id, a.id) == 0)
			break;
	if (it == NULL)
		return -1;
	if (a.ok)
		tell_directory(gw, M_NOTICE_ARCHIVED, a.id);
	else {
		log_alarm("notice %s of %s: could not be archived: it will be tried again "
		    "in an hour", it->p.file_name, it->p.recipient);
		tell_directory(gw, M_NOTICE_FAILED, a.id);
	}
	item_end(gw, it);
	return 0;
}

void
publish_archive_gone(struct gateway *gw)
{
	struct item *it;

	for (it = gw->publish->list; it != NULL; it = it->next)
		if (it->phase == ITEM_SENT)
			it->phase = ITEM_READY;
}

void
publish_tick(struct gateway *gw, usec_t now)
{
	struct item *it;

	if (gw->stopping)
		return;
	for (it = gw->publish->list; it != NULL; it = it->next)
		if (it->phase == ITEM_RETRY && now >= it->not_before)
			submit(it);
	give_to_archive(gw);
}
