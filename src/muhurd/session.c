/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/ident.h"
#include "msg/proto.h"
#include "muhurd/box.h"
#include "muhurd/disk.h"
#include "muhurd/fetch.h"
#include "muhurd/flow.h"
#include "muhurd/session.h"
#include "muhurd/spool.h"

#define REQUESTS_MAX	64	/* of one session at work; more wait in its channel */

struct slot {
	uint32_t	 serial;	/* names this session for ever; 0: slot is free */
	struct child	*child;
	struct m_peer	 peer;
	char		 user[USER_CODE_SIZE];	/* the one it named, "" none yet */
	int		 login;		/* a question is with the directory */
	uint32_t	 login_tag;	/* the session's */
	uint32_t	 login_no;	/* counts the questions: ours, for what answers late */
	struct m_login	 asked;		/* that question; then what let it in */
	struct box	*box;		/* logged in */
	unsigned	 requests;
	struct fetch_list fetching;	/* files it has open for reading */
	int		 due;		/* is to be judged again */
	int		 review;	/* that question is with the directory */
	int		 ended;		/* sent away: nothing it says is heard */
};

struct sessions {
	struct gateway	*gw;
	struct slot	*slots;
	size_t		 nslots;
	uint32_t	 serial;
	size_t		 reviews;	/* with the directory; at most REVIEWS_MAX */
	usec_t		 review_at;	/* clock_monotonic: judge all again */
};

struct sessions *
sessions_new(struct gateway *gw)
{
	struct sessions *ss = xcalloc(1, sizeof(*ss));

	ss->gw = gw;
	ss->nslots = (size_t)gw->conf->max_sessions;
	ss->slots = xcalloc(ss->nslots, sizeof(*ss->slots));
	return ss;
}

void
sessions_free(struct sessions *ss)
{
	if (ss == NULL)
		return;
	free(ss->slots);
	free(ss);
}

static struct slot *
find_slot(struct sessions *ss, uint32_t serial)
{
	size_t i;

	for (i = 0; i < ss->nslots; i++)
		if (ss->slots[i].serial == serial)
			return &ss->slots[i];
	return NULL;
}

static void
tell_listener(struct gateway *gw, const struct m_peer *peer)
{
	struct child *listener = children_of(gw, ROLE_LISTENER);

	if (listener != NULL)
		GATEWAY_SEND(&listener->chan, M_SESSION_END, 0, m_peer, peer, NULL, 0);
}

int
sessions_connection(struct child *listener, struct msg *m)
{
	struct gateway *gw = listener->gw;
	struct sessions *ss = gw->sessions;
	struct m_peer peer;
	struct slot *slot;
	int more[2] = { -1, m->fds[0] };	/* FD_HOST_KEY is there, FD_PEER */

	_Static_assert(FD_PEER == FD_ROLE + 1, "the peer's place");
	if (get_m_peer(m, &peer) == -1)
		return -1;
	if (gw->stopping || !gw->ready) {
		tell_listener(gw, &peer);
		return 0;
	}
	if ((slot = find_slot(ss, 0)) == NULL) {
		log_warnx("%s: no room for another session", peer.address);
		tell_listener(gw, &peer);
		return 0;
	}
	if ((slot->child = child_start(gw, ROLE_SESSION, more, 2)) == NULL) {
		tell_listener(gw, &peer);
		return 0;
	}
	if (++ss->serial == 0)
		ss->serial++;
	slot->serial = ss->serial;
	slot->peer = peer;
	slot->child->owner = slot;
	GATEWAY_SEND(&slot->child->chan, M_SESSION_START, 0, m_peer, &peer, NULL, 0);
	return 0;
}

void
session_gone(struct child *c)
{
	struct slot *slot = c->owner;

	if (slot == NULL)
		return;
	tell_listener(c->gw, &slot->peer);
	fetch_forget(&slot->fetching, slot->user);
	box_unref(slot->box);
	memset(slot, 0, sizeof(*slot));
	c->owner = NULL;
}

/* --- login ------------------------------------------------------------------ */

static void
answer_login(struct slot *slot, const struct m_login_result *r, const int *fds, int nfds)
{
	slot->login = 0;
	GATEWAY_SEND(&slot->child->chan, M_LOGIN_RESULT, slot->login_tag, m_login_result,
	    r, fds, nfds);
}

static void
refuse_login(struct slot *slot, const char *why)
{
	struct m_login_result r;

	memset(&r, 0, sizeof(r));
	(void)str_copy(r.user, sizeof(r.user), slot->user);
	(void)str_copy(r.why, sizeof(r.why), why);
	answer_login(slot, &r, NULL, 0);
}

/* A session names one user once; it asks about several keys, one at a time,
 * and about none after it is in. */
static int
login(struct slot *slot, struct msg *m)
{
	struct gateway *gw = slot->child->gw;
	struct child *directory;
	struct m_login l;

	if (slot->login || slot->box != NULL || get_m_login(m, &l) == -1)
		return -1;
	slot->login_tag = m->tag;
	slot->asked = l;
	if (!user_code_ok(l.user)) {
		refuse_login(slot, "no user code");
		return 0;
	}
	if (slot->user[0] != '\0' && strcmp(slot->user, l.user) != 0) {
		refuse_login(slot, "another user was named before");
		return 0;
	}
	(void)str_copy(slot->user, sizeof(slot->user), l.user);
	if ((directory = children_of(gw, ROLE_DIRECTORY)) == NULL) {
		refuse_login(slot, "the directory is not available");
		return 0;
	}
	slot->login = 1;
	slot->login_no++;
	if (msg_send(&directory->chan, M_DIR_LOGIN, slot->serial, m->payload, m->len,
	    NULL, 0) == -1) {
		child_unreached(&directory->chan, M_DIR_LOGIN);
		refuse_login(slot, "the directory does not listen");
	}
	return 0;
}

struct folders_job {
	struct disk_job	 job;
	struct gateway	*gw;
	uint32_t	 serial, login_no;
	struct box	*box;
	struct m_login_result result;
	int		 rc, error;
};

static void
folders_work(struct disk_job *job)
{
	struct folders_job *f = (struct folders_job *)job;

	f->rc = box_folders(f->box, &f->gw->tree);
	f->error = errno;
}

static void
folders_done(struct disk_job *job)
{
	struct folders_job *f = (struct folders_job *)job;
	struct slot *slot = find_slot(f->gw->sessions, f->serial);
	int fds[4], from[4], i;

	/* gone, or refused meanwhile, or that was the answer to an earlier login */
	if (slot == NULL || !slot->login || slot->login_no != f->login_no)
		goto out;
	if (f->rc == -1) {
		log_alarm("box of %s: %s", f->box->user, strerror(f->error));
		refuse_login(slot, "the box cannot be opened");
		goto out;
	}
	from[0] = f->box->inbox;
	from[1] = f->box->sent;
	from[2] = f->box->outbox;
	from[3] = f->box->archive;
	/* opened anew: the session lists them, and a descriptor's place is shared */
	for (i = 0; i < 4; i++)
		if ((fds[i] = openat(from[i], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1) {
			log_alarm("box of %s: %s", f->box->user, strerror(errno));
			while (--i >= 0)
				(void)close(fds[i]);
			refuse_login(slot, "the box cannot be opened");
			goto out;
		}
	slot->box = box_ref(f->box);
	answer_login(slot, &f->result, fds, 4);
out:
	box_unref(f->box);
	free(f);
}

int
sessions_login_result(struct gateway *gw, struct msg *m)
{
	struct m_login_result r;
	char member[MEMBER_CODE_SIZE];
	struct folders_job *f;
	struct slot *slot;

	if (get_m_login_result(m, &r) == -1)
		return -1;
	if (m->tag == 0 || (slot = find_slot(gw->sessions, m->tag)) == NULL || !slot->login)
		return 0;	/* the session has gone */
	if (r.ok && (strcmp(r.user, slot->user) != 0 ||
	    user_code_member(r.user, member) == -1 || strcmp(r.member, member) != 0))
		return -1;
	if (!r.ok)
		log_info("%s: %s may not come in: %s", slot->peer.address, slot->user, r.why);
	if (!r.ok || !slot->asked.proved) {
		answer_login(slot, &r, NULL, 0);
		return 0;
	}
	log_info("%s: %s is in%s", slot->peer.address, r.user,
	    r.may.may_send ? "" : ", may only fetch");
	f = xcalloc(1, sizeof(*f));
	f->job.work = folders_work;
	f->job.done = folders_done;
	f->gw = gw;
	f->serial = slot->serial;
	f->login_no = slot->login_no;
	f->result = r;
	f->box = box_new(r.user, r.member, &r.may);
	disk_submit(gw->disk, disk_lane(r.user), &f->job);
	return 0;
}

void
sessions_directory_gone(struct gateway *gw)
{
	struct sessions *ss = gw->sessions;
	size_t i;

	/* one whose folders are being opened might still be let in, but refusing
	 * it is no harm: the client comes again */
	for (i = 0; i < ss->nslots; i++)
		if (ss->slots[i].serial != 0 && ss->slots[i].login)
			refuse_login(&ss->slots[i], "the directory has ended");
	for (i = 0; i < ss->nslots; i++) {
		ss->slots[i].due |= ss->slots[i].review;
		ss->slots[i].review = 0;
	}
	ss->reviews = 0;
}

/* --- judged again -------------------------------------------------------------- */

/* Ask about those that are due, a bounded number at once. */
static void
ask_reviews(struct gateway *gw)
{
	struct sessions *ss = gw->sessions;
	struct child *directory = children_of(gw, ROLE_DIRECTORY);
	struct slot *slot;
	size_t i;

	for (i = 0; i < ss->nslots && directory != NULL && !directory->doomed; i++) {
		slot = &ss->slots[i];
		if (slot->box == NULL || !slot->due || slot->review || slot->ended)
			continue;
		if (ss->reviews == REVIEWS_MAX)
			break;
		slot->due = 0;
		slot->review = 1;
		ss->reviews++;
		GATEWAY_SEND(&directory->chan, M_DIR_REVIEW, slot->serial, m_login,
		    &slot->asked, NULL, 0);
	}
}

void
sessions_review(struct gateway *gw)
{
	struct sessions *ss = gw->sessions;
	size_t i;

	ss->review_at = clock_monotonic() + REVIEW_EVERY * USEC_PER_SEC;
	/* those too that are being let in: what they were judged by may be old */
	for (i = 0; i < ss->nslots; i++)
		ss->slots[i].due = ss->slots[i].serial != 0;
	ask_reviews(gw);
}

void
sessions_tick(struct gateway *gw, usec_t now)
{
	if (now >= gw->sessions->review_at)
		sessions_review(gw);
	else
		ask_reviews(gw);
}

/* Judged by at once, and told to the session, which hides what it has open. */
static void
change_rights(struct slot *slot, const struct m_rights *may)
{
	const struct box *b = slot->box;
	int sent = b->may_send, trail = b->sees_trail, archives = b->sees_archives;

	if (!box_set_rights(slot->box, may))
		return;
	if (sent != may->may_send)
		log_info("%s: %s %s", slot->peer.address, slot->user,
		    may->may_send ? "may send again" : "may only fetch from now on");
	if (trail != may->sees_trail)
		log_info("%s: %s %s", slot->peer.address, slot->user,
		    may->sees_trail ? "sees the trail from now on" : "sees the trail no more");
	if (archives != may->sees_archives)
		log_info("%s: %s %s", slot->peer.address, slot->user, may->sees_archives ?
		    "sees all archives from now on" : "sees its own archive alone from now on");
	GATEWAY_SEND(&slot->child->chan, M_SESSION_RIGHTS, 0, m_rights, may, NULL, 0);
}

int
sessions_reviewed(struct gateway *gw, struct msg *m)
{
	struct sessions *ss = gw->sessions;
	struct m_login_result r;
	struct slot *slot;

	if (ss->reviews == 0 || m->tag == 0 || get_m_login_result(m, &r) == -1)
		return -1;
	ss->reviews--;
	if ((slot = find_slot(ss, m->tag)) == NULL)
		return 0;	/* the session has gone */
	if (!slot->review || strcmp(r.user, slot->user) != 0)
		return -1;
	slot->review = 0;
	if (!r.ok) {
		log_info("%s: %s is sent away: %s", slot->peer.address, slot->user, r.why);
		slot->ended = 1;
		child_end(slot->child, REVIEW_GRACE);
	} else
		change_rights(slot, &r.may);
	return 0;
}

/* --- requests ------------------------------------------------------------------ */

struct box_job {
	struct disk_job	 job;
	struct gateway	*gw;
	uint32_t	 serial, tag;
	enum msg_type	 type;
	struct box	*box;
	union {
		struct m_box_open   open;
		struct m_box_name   name;
		struct m_box_rename rename;
	};
	struct m_submission sub;
	struct m_box_result result;
	int		 fd;		/* to be passed, -1 none */
	long long	 size;		/* of a notice that is opened; -1: it is something else */
	int		 taken;
};

/* Is it a notice that was opened? */
static long long
notice_size(const struct m_box_open *o, int fd)
{
	struct stat st;

	if (fd == -1 || (o->flags & BOX_DIR) != 0 ||
	    (o->folder != BOX_OUTBOX && o->folder != BOX_ARCHIVE) || fstat(fd, &st) == -1)
		return -1;
	return (long long)st.st_size;
}

static void
box_work(struct disk_job *job)
{
	struct box_job *b = (struct box_job *)job;
	const struct tree *t = &b->gw->tree;
	struct box_limits limits = { b->gw->conf->inbox_quota, b->gw->conf->inbox_max_files };

	switch (b->type) {
	case M_BOX_OPEN:
		b->result.status = box_open(b->box, &limits, &b->open, &b->fd);
		b->size = notice_size(&b->open, b->fd);
		break;
	case M_BOX_TAKE:
		b->result.status = box_take(b->box, t, &b->name, &b->sub, &b->taken);
		break;
	case M_BOX_RENAME:
		b->result.status = box_rename(b->box, t, &b->rename, &b->sub, &b->taken);
		break;
	default:
		b->result.status = box_remove(b->box, &b->name);
		break;
	}
}

static void
box_done(struct disk_job *job)
{
	struct box_job *b = (struct box_job *)job;
	struct slot *slot = find_slot(b->gw->sessions, b->serial);

	if (b->taken) {
		log_info("%s: taken from %s, %lld bytes, \"%s\"", b->sub.id, b->sub.user,
		    b->sub.size, b->sub.name);
		flow_taken(b->gw, &b->sub);
	}
	if (slot != NULL) {
		if (b->type == M_BOX_OPEN && b->size >= 0)
			fetch_opened(&slot->fetching, b->tag, b->open.member[0] != '\0' ?
			    b->open.member : b->box->member, b->open.name, b->size);
		GATEWAY_SEND(&slot->child->chan, b->type == M_BOX_OPEN ? M_BOX_OPENED : M_BOX_DONE,
		    b->tag, m_box_result, &b->result, &b->fd, b->fd != -1);
		slot->requests--;
		slot->child->paused = b->gw->stopping || slot->requests >= REQUESTS_MAX;
	} else if (b->fd != -1)
		(void)close(b->fd);
	box_unref(b->box);
	free(b);
}

static int
request(struct slot *slot, struct msg *m)
{
	struct gateway *gw = slot->child->gw;
	struct box_job *b = xcalloc(1, sizeof(*b));
	int rc;

	if (m->type == M_BOX_OPEN)
		rc = get_m_box_open(m, &b->open);
	else if (m->type == M_BOX_RENAME)
		rc = get_m_box_rename(m, &b->rename);
	else
		rc = get_m_box_name(m, &b->name);
	/* no session has more open than that, and none forgets to say that it closed one */
	if (rc == -1 || slot->fetching.n > SFTP_MAX_HANDLES) {
		free(b);
		return -1;
	}
	b->job.work = box_work;
	b->job.done = box_done;
	b->gw = gw;
	b->serial = slot->serial;
	b->tag = m->tag;
	b->type = m->type;
	b->fd = -1;
	b->size = -1;
	b->box = box_ref(slot->box);
	if (m->type == M_BOX_TAKE || m->type == M_BOX_RENAME) {
		uuid_v7(clock_now(), b->sub.id);
		b->sub.received_at = spool_id_time(b->sub.id);
		(void)str_copy(b->sub.user, sizeof(b->sub.user), slot->box->user);
	}
	slot->requests++;
	slot->child->paused = slot->requests >= REQUESTS_MAX;
	disk_submit(gw->disk, disk_lane(slot->box->user), &b->job);
	return 0;
}

int
session_message(struct child *c, struct msg *m)
{
	struct slot *slot = c->owner;

	if (slot == NULL)
		return -1;
	/* at its good-bye, too */
	if (m->type == M_BOX_FETCHED)
		return fetch_closed(c->gw, &slot->fetching, slot->user, m);
	if (slot->ended)
		return 0;	/* it could not know yet */
	switch (m->type) {
	case M_LOGIN:
		return login(slot, m);
	case M_BOX_OPEN:
	case M_BOX_TAKE:
	case M_BOX_RENAME:
	case M_BOX_REMOVE:
		/* nothing but a login before the login */
		return slot->box == NULL ? -1 : request(slot, m);
	default:
		return -1;
	}
}

void
sessions_stop(struct gateway *gw)
{
	struct sessions *ss = gw->sessions;
	size_t i;

	for (i = 0; i < ss->nslots; i++)
		if (ss->slots[i].serial != 0)
			ss->slots[i].child->paused = 1;
}

void
sessions_end(struct gateway *gw, int grace)
{
	struct sessions *ss = gw->sessions;
	size_t i;

	for (i = 0; i < ss->nslots; i++)
		if (ss->slots[i].serial != 0)
			child_end(ss->slots[i].child, grace);
}
