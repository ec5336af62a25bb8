/* SPDX-License-Identifier: ISC */
/* Answers to the client, and what is asked of muhurd on the way to one. */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "sftp/ops.h"

/* --- answers ------------------------------------------------------------ */

void
reply(struct sftp *s, uint32_t id, enum sftp_status st, const char *text)
{
	sftp_put_status(&s->out, id, st, text);
}

void
reply_ok(struct sftp *s, uint32_t id)
{
	reply(s, id, FX_OK, "");
}

void
reply_errno(struct sftp *s, uint32_t id, const char *what, const struct vpath *v)
{
	int e = errno;

	switch (e) {
	case ENOENT:
		reply(s, id, FX_NO_SUCH_FILE, "no such file");
		return;
	case ENOSPC:
	case EDQUOT:
		reply(s, id, FX_FAILURE, NO_SPACE);
		break;
	case EFBIG:
		reply(s, id, FX_FAILURE, "larger than this gateway takes");
		return;
	default:
		reply(s, id, FX_FAILURE, "the gateway failed; its operator can see why");
		break;
	}
	errno = e;
	log_alarm("%s %s of %s: %s", what, v->text, s->user, strerror(e));
}

/* What muhurd's answer is to the client; *text is never NULL. */
static enum sftp_status
box_answer(enum box_status st, const char **text)
{
	switch (st) {
	case BOX_OK:
		*text = "";
		return FX_OK;
	case BOX_NO_SUCH_FILE:
		*text = "no such file";
		return FX_NO_SUCH_FILE;
	case BOX_DENIED:
		*text = "not allowed here";
		return FX_PERMISSION_DENIED;
	case BOX_EXISTS:
		*text = "a file of that name exists";
		break;
	case BOX_BUSY:
		*text = "another connection is at work on this file";
		break;
	case BOX_FULL:
		*text = "too many unfinished uploads, or they fill the box: remove some of /inbox";
		break;
	case BOX_NO_SPACE:
		*text = NO_SPACE;
		break;
	case BOX_EMPTY:
		*text = "nothing was written: an empty file is not taken";
		break;
	case BOX_LOST:
		*text = SEND_AGAIN;
		break;
	case BOX_FAILURE:
		*text = "the gateway failed; its operator can see why";
		break;
	}
	return FX_FAILURE;
}

static void
reply_box(struct sftp *s, uint32_t id, enum box_status st)
{
	const char *text;
	enum sftp_status code = box_answer(st, &text);

	reply(s, id, code, text);
}

/* --- questions to muhurd -------------------------------------------------- */

void
ask_begin(struct sftp *s, enum ask ask, uint32_t id, const struct vpath *path)
{
	memset(&s->pending, 0, sizeof(s->pending));
	s->pending.ask = ask;
	s->pending.id = id;
	s->pending.path = *path;
	s->pending.tag = ++s->last_tag;
}

static void
ask_send(struct sftp *s, enum msg_type type, struct buf *b)
{
	if (msg_send(s->chan, type, s->pending.tag, b->data, b->len, NULL, 0) == -1)
		fatalx("muhurd is gone");
	buf_free(b);
}

void
ask_open(struct sftp *s, enum box_folder folder, const struct vpath *path, int flags)
{
	struct m_box_open m = { .folder = folder, .flags = flags };
	struct buf b = { 0 };

	/* The sizes are the same on both sides. */
	(void)str_copy(m.member, sizeof(m.member), folder == BOX_ARCHIVE ? path->member : "");
	(void)str_copy(m.day, sizeof(m.day), folder == BOX_ARCHIVE ? path->day : "");
	(void)str_copy(m.name, sizeof(m.name), path->name);
	put_m_box_open(&b, &m);
	ask_send(s, M_BOX_OPEN, &b);
}

void
ask_name(struct sftp *s, enum msg_type type, const struct vpath *path,
    const struct file_id *id)
{
	struct m_box_name m = { 0 };
	struct buf b = { 0 };

	(void)str_copy(m.name, sizeof(m.name), path->name);
	if (id != NULL)
		m.id = *id;
	put_m_box_name(&b, &m);
	ask_send(s, type, &b);
}

void
tell_remove(struct sftp *s, const struct vpath *path, const struct file_id *id)
{
	struct m_box_name m = { .id = *id };
	struct buf b = { 0 };

	(void)str_copy(m.name, sizeof(m.name), path->name);
	put_m_box_name(&b, &m);
	if (msg_send(s->chan, M_BOX_REMOVE, ++s->last_tag, b.data, b.len, NULL, 0) == -1)
		log_alarm("%s of %s is still there, but its bytes may be lost", path->text,
		    s->user);
	buf_free(&b);
}

void
tell_fetched(struct sftp *s, const struct vpath *v, uint32_t tag, const struct extents *x,
    size_t unsent)
{
	struct m_box_fetched m = { { .n = 0 } };
	struct buf b = { 0 };
	const int n = x != NULL ? x->n : 0;
	uint64_t end = n > 0 ? x->e[n - 1].to : 0;

	if (vpath_in_trail(v) || vpath_is_dir(v))
		return;		/* of notices, whoever they are of */
	/* Most clients read in order, so it is the end that is missing.  To others
	 * this may be unjust, but never gives what nobody has. */
	end = end > unsent ? end - unsent : 0;
	for (; m.ranges.n < FETCH_RANGES_MAX && (int)m.ranges.n < n; m.ranges.n++) {
		if (x->e[m.ranges.n].from >= end)
			break;
		m.ranges.v[m.ranges.n].from = (long long)x->e[m.ranges.n].from;
		m.ranges.v[m.ranges.n].to = (long long)(x->e[m.ranges.n].to < end ?
		    x->e[m.ranges.n].to : end);
	}
	put_m_box_fetched(&b, &m);
	if (msg_send(s->chan, M_BOX_FETCHED, tag, b.data, b.len, NULL, 0) == -1 && m.ranges.n > 0)
		log_warnx("%s fetched %s: not recorded, muhurd is gone", s->user, v->text);
	buf_free(&b);
}

void
ask_rename(struct sftp *s)
{
	struct m_box_rename m = { 0 };
	struct buf b = { 0 };

	(void)str_copy(m.from, sizeof(m.from), s->pending.path.name);
	(void)str_copy(m.to, sizeof(m.to), s->pending.target.name);
	if (strcmp(s->parted.name, m.from) == 0)
		m.id = s->parted.id;
	put_m_box_rename(&b, &m);
	ask_send(s, M_BOX_RENAME, &b);
}

/* muhurd opened what was asked for: a handle for it. */
static void
opened(struct sftp *s, const struct pending *p, int fd)
{
	struct handle *h;
	struct stat st;

	if (fstat(fd, &st) == -1) {
		reply_errno(s, p->id, "looking at", &p->path);
		if (p->ask == ASK_FETCH)
			tell_fetched(s, &p->path, p->tag, NULL, 0);
		(void)close(fd);
		return;
	}
	h = handle_new(&s->handles, p->ask == ASK_FETCH ? H_FETCH : H_UPLOAD, &p->path);
	if (h == NULL)
		fatalx("no handle is left for what was opened");
	h->fd = fd;
	if (p->ask == ASK_FETCH) {
		h->size = remote_size(&p->path, fd, &st);
		h->tag = p->tag;
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	} else {
		upload_opened(s, p, h, (uint64_t)st.st_size);
	}
	sftp_put_handle(&s->out, p->id, (uint32_t)h->number);
}

/* The file is taken or renamed, or it is not. */
static void
done(struct sftp *s, const struct pending *p, enum box_status st)
{
	enum sftp_status code;
	const char *text;

	if (p->ask == ASK_DISCARD) {
		if (st != BOX_OK && st != BOX_NO_SUCH_FILE)
			log_alarm("%s of %s is still there, but its bytes may be lost",
			    p->path.text, s->user);
		reply(s, p->id, FX_FAILURE, SEND_AGAIN);
		return;
	}
	code = box_answer(st, &text);
	if (p->ask == ASK_TAKE && st == BOX_OK)
		log_info("%s sent %s, %llu bytes", s->user, p->path.name,
		    (unsigned long long)p->size);
	else if (p->ask == ASK_TAKE)
		log_warnx("%s sent %s, but it is not taken: %s", s->user, p->path.name, text);
	reply(s, p->id, code, text);
}

int
sftp_answer(struct sftp *s, struct msg *m)
{
	struct pending p = s->pending;
	struct m_box_result r;
	int opening, fd;

	opening = p.ask == ASK_FETCH || p.ask == ASK_UPLOAD || p.ask == ASK_LIST ||
	    p.ask == ASK_LOOK || p.ask == ASK_SHRINK;
	if (p.ask == ASK_NOTHING || m->tag != p.tag ||
	    m->type != (opening ? M_BOX_OPENED : M_BOX_DONE) ||
	    get_m_box_result(m, &r) == -1 ||
	    m->nfds != (opening && r.status == BOX_OK ? 1 : 0)) {
		msg_close_fds(m);
		return -1;
	}
	s->pending.ask = ASK_NOTHING;
	if (!opening) {
		done(s, &p, r.status);
		return 0;
	}
	if (r.status == BOX_NO_SUCH_FILE && p.ask == ASK_LIST &&
	    (p.path.kind == VP_ROOT || p.path.kind == VP_ARCHIVE)) {
		list_opened_alone(s, &p);
		return 0;
	}
	if (r.status != BOX_OK) {
		reply_box(s, p.id, r.status);
		return 0;
	}
	fd = m->fds[0];
	m->nfds = 0;
	if (p.ask == ASK_FETCH || p.ask == ASK_UPLOAD)
		opened(s, &p, fd);
	else if (p.ask == ASK_LIST)
		list_opened(s, &p, fd);
	else if (p.ask == ASK_LOOK)
		remote_looked(s, &p, fd);
	else
		upload_shrunk(s, &p, fd);
	return 0;
}
