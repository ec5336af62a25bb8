/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "muhurd/launch.h"
#include "muhurd/proc.h"
#include "muhurd/route.h"

#define MESSAGES_PER_TURN	16	/* of one child before the next one's */
#define ANSWERS_MAX		64	/* that a session leaves lying: then nothing new of it */
#define PAUSE_FIRST		(USEC_PER_SEC / 2)
#define PAUSE_MOST		(30 * USEC_PER_SEC)
#define STEADY			(60 * USEC_PER_SEC)	/* lived so long: a new start is quick */
#define EXIT_GRACE		2	/* seconds from a closed channel to SIGKILL */
#define VERIFY_MEMORY		(2ULL << 30)

/* One child that should always be there. */
struct fixed {
	enum role	 role;
	int		 index;
	struct child	*child;
	usec_t		 start_at;	/* clock_monotonic */
	usec_t		 pause;
};

struct children {
	struct child	*list;
	size_t		 count;
	struct fixed	*fixed;
	size_t		 nfixed;
};

static void
add_fixed(struct children *cs, enum role role, int index)
{
	struct fixed *f;

	cs->fixed = xreallocarray(cs->fixed, cs->nfixed + 1, sizeof(*cs->fixed));
	f = &cs->fixed[cs->nfixed++];
	memset(f, 0, sizeof(*f));
	f->role = role;
	f->index = index;
	f->pause = PAUSE_FIRST;
}

struct children *
children_new(struct gateway *gw)
{
	struct children *cs = xcalloc(1, sizeof(*cs));
	int i;

	add_fixed(cs, ROLE_DIRECTORY, 0);
	/* one more than documents at once, so that bulk lines find one */
	for (i = 0; i <= gw->conf->workers; i++)
		add_fixed(cs, ROLE_LOAD, i);
	add_fixed(cs, ROLE_SIGNER, 0);
	add_fixed(cs, ROLE_ARCHIVE, 0);
	add_fixed(cs, ROLE_RECONCILE, 0);
	if (gw->conf->trail_key != NULL)
		add_fixed(cs, ROLE_SEQUENCER, 0);
	add_fixed(cs, ROLE_LISTENER, 0);
	return cs;
}

void
children_free(struct children *cs)
{
	if (cs == NULL)
		return;
	free(cs->fixed);
	free(cs);
}

/* --- starting ------------------------------------------------------------ */

#define SCRATCH	".scratch"
#define OWN_MAX	3	/* descriptors that are opened for a role */

/* A directory given to a child is opened anew for it: reading one through a
 * shared descriptor would share the place reached. */
static int
reopen_dir(int dirfd)
{
	return openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* On <state_dir>'s disk, gone with the last process that has it open.  Not O_TMPFILE,
 * which not every file system has. */
static int
scratch_file(struct gateway *gw)
{
	int fd;

	(void)unlinkat(gw->tree.state, SCRATCH, 0);	/* of one that was killed here */
	fd = openat(gw->tree.state, SCRATCH, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd != -1 && unlinkat(gw->tree.state, SCRATCH, 0) == -1) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

/* The role's own descriptors; those in own[] are ours to close afterwards. */
static int
role_descriptors(struct gateway *gw, enum role role, int fds[FD_COUNT], int own[OWN_MAX])
{
	struct gateway_fds *g = &gw->fd;
	int first = -1, second = -1, third = -1, k;

	own[0] = own[1] = own[2] = -1;
	switch (role) {
	case ROLE_LISTENER:
		fds[FD_LISTEN] = g->listen;
		return 0;
	case ROLE_SESSION:
		fds[FD_HOST_KEY] = g->host_key;
		return 0;
	case ROLE_VERIFY:
	case ROLE_SIGNER:
		first = g->schemas;
		fds[FD_ANCHORS] = role == ROLE_VERIFY ? g->anchors : g->cert;
		fds[FD_CRL] = role == ROLE_VERIFY ? g->crl : g->key;
		fds[FD_TSA] = role == ROLE_VERIFY ? g->tsa : -1;
		fds[FD_CRL_FETCHED] = role == ROLE_VERIFY ? g->crls : -1;
		for (k = 1; role == ROLE_VERIFY && k < MEMBER_KIND_COUNT; k++)
			fds[FD_KIND_ANCHORS + k - 1] = g->kind_anchors[k];
		break;
	case ROLE_RECONCILE:
		second = g->rules;
		__attribute__((fallthrough));
	case ROLE_LOAD:
	case ROLE_DIRECTORY:
		fds[FD_DB_PASSWORD] = g->password[role];
		if (role == ROLE_LOAD)
			fds[FD_IDENTITY_KEY] = g->identity_key;
		if (role != ROLE_DIRECTORY && (fds[FD_SCRATCH] = own[2] = scratch_file(gw)) == -1)
			return -1;
		break;
	case ROLE_SEQUENCER:
		fds[FD_DB_PASSWORD] = g->password[role];
		fds[FD_TRAIL_KEY] = g->trail_key;
		if ((fds[FD_TRAIL] = own[0] = reopen_dir(gw->tree.trail)) == -1 ||
		    (fds[FD_OPENINGS] = own[1] = reopen_dir(gw->tree.openings)) == -1)
			return -1;
		return 0;
	case ROLE_ARCHIVE:
		first = gw->tree.boxes;
		second = gw->tree.store;
		third = g->schemas;
		break;
	case ROLE_MUHURD:
	case ROLE_COUNT:
		return -1;
	}
	if (first != -1 && (fds[FD_ROLE] = own[0] = reopen_dir(first)) == -1)
		return -1;
	if (second != -1 && (fds[FD_ROLE + 1] = own[1] = reopen_dir(second)) == -1)
		return -1;
	if (third != -1 && (fds[FD_ROLE + 2] = own[2] = reopen_dir(third)) == -1)
		return -1;
	return 0;
}

static void
role_arguments(struct gateway *gw, struct launch *l)
{
	static const char *const names[ROLE_COUNT] = {
		[ROLE_LISTENER] = "muhur-sftp", [ROLE_SESSION] = "muhur-sftp",
		[ROLE_VERIFY] = "muhur-verify", [ROLE_LOAD] = "muhur-load",
		[ROLE_DIRECTORY] = "muhur-load", [ROLE_RECONCILE] = "muhur-reconcile",
		[ROLE_SIGNER] = "muhur-signer", [ROLE_ARCHIVE] = "muhur-archive",
		[ROLE_SEQUENCER] = "muhur-sequencer",
	};
	size_t n = 0;

	l->argv[n++] = names[l->role];
	if (l->role == ROLE_SESSION)
		l->argv[n++] = "-s";
	if (l->role == ROLE_DIRECTORY)
		l->argv[n++] = "-D";
	if (gw->verbose)
		l->argv[n++] = "-v";
	l->argv[n] = NULL;
	l->program = gw->fd.program[l->role];
	l->own_uid = gw->own_uids;
	l->uid = gw->uid[l->role];
	/* these work in muhurd's folders through muhurd's group */
	l->gid = gw->gid[l->role == ROLE_ARCHIVE || l->role == ROLE_SEQUENCER ? ROLE_MUHURD : l->role];
	if (l->role == ROLE_SESSION)
		l->file_size = (unsigned long long)gw->conf->max_document_size;
	if (l->role == ROLE_VERIFY)
		l->cpu = VERIFY_CPU_BASE +
		    (unsigned long long)(gw->conf->max_document_size / DOCUMENT_RATE);
#ifndef WITH_SANITIZERS
	if (l->role == ROLE_VERIFY || l->role == ROLE_SESSION)
		l->memory = VERIFY_MEMORY;
#endif
}

struct child *
child_start(struct gateway *gw, enum role role, const int *more, size_t nmore)
{
	struct launch l = { .role = role };
	struct child *c = NULL;
	int pair[2] = { -1, -1 }, own[OWN_MAX] = { -1, -1, -1 }, i;
	pid_t pid = -1;

	for (i = 0; i < FD_COUNT; i++)
		l.fds[i] = -1;
	if (msg_pair(pair) == -1 || role_descriptors(gw, role, l.fds, own) == -1)
		goto out;
	l.fds[FD_CHANNEL] = pair[1];
	l.fds[FD_CONF] = gw->fd.conf;
	for (size_t k = 0; k < nmore; k++)
		if (more[k] != -1)
			l.fds[FD_ROLE + k] = more[k];
	role_arguments(gw, &l);
	if ((pid = launch(&l)) == -1)
		goto out;
	c = xcalloc(1, sizeof(*c));
	c->gw = gw;
	c->role = role;
	c->pid = pid;
	c->started = clock_monotonic();
	msg_init(&c->chan, pair[0], ROLE_MUHURD, role);
	pair[0] = -1;
	c->next = gw->children->list;
	gw->children->list = c;
	gw->children->count++;
	log_debug("%s[%ld] started", role_name(role), (long)pid);
out:
	if (c == NULL)
		log_alarm("%s cannot be started: %s", role_name(role), strerror(errno));
	for (i = 0; i < 2; i++)
		if (pair[i] != -1)
			(void)close(pair[i]);
	for (i = 0; i < OWN_MAX; i++)
		if (own[i] != -1)
			(void)close(own[i]);
	return c;
}

static void
start_due(struct gateway *gw, usec_t now)
{
	struct children *cs = gw->children;
	struct fixed *f;
	size_t i;

	for (i = 0; i < cs->nfixed; i++) {
		f = &cs->fixed[i];
		if (f->child != NULL || now < f->start_at)
			continue;
		if ((f->child = child_start(gw, f->role, NULL, 0)) == NULL) {
			f->start_at = now + f->pause;
			continue;
		}
		f->child->index = f->index;
	}
}

void
children_start_fixed(struct gateway *gw)
{
	start_due(gw, clock_monotonic());
}

/* --- looking --------------------------------------------------------------- */

struct child *
children_first(struct gateway *gw)
{
	return gw->children->list;
}

struct child *
children_of(struct gateway *gw, enum role role)
{
	struct child *c;

	for (c = gw->children->list; c != NULL; c = c->next)
		if (c->role == role && c->ready && !c->eof && !c->doomed)
			return c;
	return NULL;
}

int
children_ready(struct gateway *gw)
{
	struct children *cs = gw->children;
	size_t i;

	for (i = 0; i < cs->nfixed; i++)
		if (cs->fixed[i].child == NULL || !cs->fixed[i].child->ready)
			return 0;
	return 1;
}

size_t
children_count(struct gateway *gw)
{
	return gw->children->count;
}

/* --- ending ---------------------------------------------------------------- */

static void
kill_child(struct child *c)
{
	if (!c->reaped && kill(c->pid, SIGKILL) == -1 && errno != ESRCH)
		log_alarm("%s[%ld] cannot be killed: %s", role_name(c->role),
		    (long)c->pid, strerror(errno));
}

void
child_kill(struct child *c)
{
	c->doomed = 1;
	kill_child(c);
}

void
child_broken(struct child *c, const char *what)
{
	log_alarm("%s[%ld] broke the protocol (%s): killed", role_name(c->role),
	    (long)c->pid, what);
	child_kill(c);
}

void
child_unreached(struct msg_chan *chan, enum msg_type type)
{
	struct child *c = (struct child *)((char *)chan - offsetof(struct child, chan));
	int error = errno;

	/* its last messages count, and so does how it ended */
	if (error == EPIPE || error == ECONNRESET || c->doomed || c->eof || c->reaped)
		return;
	log_alarm("%s[%ld] cannot be told %s: %s: killed", role_name(c->role), (long)c->pid,
	    msg_type_name(type), strerror(error));
	child_kill(c);
}

void
child_end(struct child *c, int grace)
{
	usec_t at = clock_monotonic() + grace * USEC_PER_SEC;

	/* the other end reads its end of file; ours reads what is still on the way */
	if (!c->eof && c->chan.fd != -1)
		(void)shutdown(c->chan.fd, SHUT_WR);
	c->ending = 1;
	if (c->kill_at == 0 || at < c->kill_at)
		c->kill_at = at;
}

void
children_end_all(struct gateway *gw)
{
	struct child *c;
	usec_t now = clock_monotonic();
	int grace;

	grace = gw->stop_by > now ? (int)((gw->stop_by - now) / USEC_PER_SEC) : 0;
	for (c = gw->children->list; c != NULL; c = c->next)
		child_end(c, grace);
}

static void
forget_fixed(struct gateway *gw, struct child *c)
{
	struct children *cs = gw->children;
	usec_t now = clock_monotonic();
	struct fixed *f;
	size_t i;

	for (i = 0; i < cs->nfixed; i++) {
		f = &cs->fixed[i];
		if (f->child != c)
			continue;
		f->child = NULL;
		if (now - c->started >= STEADY)
			f->pause = PAUSE_FIRST;
		f->start_at = now + f->pause;
		f->pause = longer_pause(f->pause, PAUSE_MOST);
		if (!gw->stopping && c->role != ROLE_LISTENER)
			log_warnx("%s: starting again in %lld ms", role_name(c->role),
			    (long long)(f->start_at - now) / 1000);
	}
}

/* Say how it ended; 1 when by a fault. */
static int
report_end(const struct child *c)
{
	const char *name = role_name(c->role);
	int quiet = c->doomed || c->ending || c->gw->stopping;

	if (WIFSIGNALED(c->status)) {
		if (!quiet)
			log_alarm("%s[%ld] ended by signal %d (%s)", name, (long)c->pid,
			    WTERMSIG(c->status), strsignal(WTERMSIG(c->status)));
		return !quiet;
	}
	if (WEXITSTATUS(c->status) != 0 && !quiet)
		log_warnx("%s[%ld] ended with status %d", name, (long)c->pid,
		    WEXITSTATUS(c->status));
	else
		log_debug("%s[%ld] ended", name, (long)c->pid);
	/* 3: it gave up by itself, its surroundings failed (base/log.h, fatal) */
	return !quiet && WEXITSTATUS(c->status) != 0 && WEXITSTATUS(c->status) != 3;
}

/* --- the poll loop's part ---------------------------------------------------- */

/* One message; 1 go on, 0 nothing more now. */
static int
receive(struct child *c)
{
	struct msg m;
	int rc;

	errno = 0;
	if ((rc = msg_recv(&c->chan, &m)) == 0)
		return 0;
	if (rc == -1) {
		if (errno == EPROTO)
			child_broken(c, "a message that it may not send");
		else if (!c->eof) {
			c->eof = 1;
			if (c->kill_at == 0 && !c->reaped)
				c->kill_at = clock_monotonic() + EXIT_GRACE * USEC_PER_SEC;
		}
		return 0;
	}
	if (route_message(c, &m) == -1 && !c->doomed)
		child_broken(c, msg_type_name(m.type));
	msg_close_fds(&m);
	return 1;
}

/* Are its messages to wait?  A session that asks and does not read would pile
 * up our answers, and descriptors with them. */
static int
waits(const struct child *c)
{
	return c->paused || (c->role == ROLE_SESSION && c->chan.outq_len >= ANSWERS_MAX);
}

size_t
children_poll(struct gateway *gw, struct pollfd *pfds, size_t max)
{
	struct child *c;
	size_t n = 0;

	for (c = gw->children->list; c != NULL; c = c->next) {
		c->pfd = NULL;
		if (c->eof || c->doomed || n == max)
			continue;
		pfds[n].fd = c->chan.fd;
		pfds[n].events = (short)((waits(c) ? 0 : POLLIN) |
		    (msg_wants_write(&c->chan) ? POLLOUT : 0));
		pfds[n].revents = 0;
		/* a paused one that hangs up would only be reported again and again */
		if (pfds[n].events == 0)
			pfds[n].fd = -1;
		c->pfd = &pfds[n++];
	}
	return n;
}

void
children_serve(struct gateway *gw)
{
	struct child *c;
	int i;

	for (c = gw->children->list; c != NULL; c = c->next) {
		if (c->pfd == NULL || c->pfd->revents == 0)
			continue;
		if (c->pfd->revents & POLLOUT)
			(void)msg_flush(&c->chan);	/* a dead peer is found by reading */
		if ((c->pfd->revents & (POLLIN | POLLHUP | POLLERR)) == 0)
			continue;
		for (i = 0; i < MESSAGES_PER_TURN; i++)
			if (waits(c) || c->doomed || !receive(c))
				break;
	}
}

void
children_reap(struct gateway *gw)
{
	struct child *c;

	for (c = gw->children->list; c != NULL; c = c->next)
		if (!c->reaped && waitpid(c->pid, &c->status, WNOHANG) == c->pid)
			c->reaped = 1;
}

/* Ended children: their last messages, then their owner's farewell. */
static void
bury(struct gateway *gw)
{
	struct child *c, **prev = &gw->children->list;
	int crashed;

	while ((c = *prev) != NULL) {
		if (!c->reaped) {
			prev = &c->next;
			continue;
		}
		while (!c->doomed && !c->eof && receive(c))
			;
		crashed = report_end(c);
		forget_fixed(gw, c);
		/* a message just handled may have started children: find the place again */
		for (prev = &gw->children->list; *prev != c; prev = &(*prev)->next)
			;
		*prev = c->next;
		gw->children->count--;
		route_gone(c, crashed);
		msg_close(&c->chan);
		free(c);
		prev = &gw->children->list;
	}
}

void
children_tick(struct gateway *gw, usec_t now)
{
	struct child *c;

	bury(gw);
	for (c = gw->children->list; c != NULL; c = c->next)
		if (c->kill_at != 0 && now >= c->kill_at && !c->reaped) {
			kill_child(c);
			c->kill_at = now + USEC_PER_SEC;
		}
	if (!gw->stopping)
		start_due(gw, now);
}
