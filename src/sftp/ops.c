/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "sftp/ops.h"

static void	op_open(struct sftp *, const struct sftp_request *);
static void	op_close(struct sftp *, const struct sftp_request *);
static void	op_read(struct sftp *, const struct sftp_request *);
static void	op_write(struct sftp *, const struct sftp_request *);
static void	op_stat(struct sftp *, const struct sftp_request *);
static void	op_fstat(struct sftp *, const struct sftp_request *);
static void	op_setstat(struct sftp *, const struct sftp_request *);
static void	op_fsetstat(struct sftp *, const struct sftp_request *);
static void	op_opendir(struct sftp *, const struct sftp_request *);
static void	op_readdir(struct sftp *, const struct sftp_request *);
static void	op_remove(struct sftp *, const struct sftp_request *);
static void	op_denied(struct sftp *, const struct sftp_request *);
static void	op_realpath(struct sftp *, const struct sftp_request *);
static void	op_rename(struct sftp *, const struct sftp_request *);
static void	op_extended(struct sftp *, const struct sftp_request *);

/* Every request of version 3; all are allowed in the one state there is,
 * after INIT (run_request). */
static const struct op {
	uint8_t		 type;
	void		(*run)(struct sftp *, const struct sftp_request *);
} ops[] = {
	{ FXP_OPEN,	op_open },
	{ FXP_CLOSE,	op_close },
	{ FXP_READ,	op_read },
	{ FXP_WRITE,	op_write },
	{ FXP_LSTAT,	op_stat },	/* there are no symbolic links */
	{ FXP_FSTAT,	op_fstat },
	{ FXP_SETSTAT,	op_setstat },
	{ FXP_FSETSTAT,	op_fsetstat },
	{ FXP_OPENDIR,	op_opendir },
	{ FXP_READDIR,	op_readdir },
	{ FXP_REMOVE,	op_remove },
	{ FXP_MKDIR,	op_denied },
	{ FXP_RMDIR,	op_denied },
	{ FXP_REALPATH,	op_realpath },
	{ FXP_STAT,	op_stat },
	{ FXP_RENAME,	op_rename },
	{ FXP_READLINK,	op_denied },
	{ FXP_SYMLINK,	op_denied },
	{ FXP_EXTENDED,	op_extended },
};

/* --- requests ------------------------------------------------------------ */

/* The path of a request, or an answer that there is none and -1. */
static int
get_path(struct sftp *s, uint32_t id, const struct sftp_str *str, struct vpath *v)
{
	if (vpath_parse(str->p, str->len, v) == 0) {
		if (remote_hidden(s, v))
			v->kind = VP_NONE;
		return 0;
	}
	reply(s, id, FX_NO_SUCH_FILE, "no such file: the path is too long or not text");
	return -1;
}

/* Before anything is opened: opening may make a file, or begin one anew. */
static int
room_for_handle(struct sftp *s, uint32_t id)
{
	if (!handles_full(&s->handles))
		return 1;
	reply(s, id, FX_FAILURE, "too many files are open in this connection");
	return 0;
}

static struct handle *
get_handle(struct sftp *s, const struct sftp_request *r)
{
	struct handle *h = handle_get(&s->handles, sftp_handle_number(&r->handle));

	if (h == NULL)
		reply(s, r->id, FX_FAILURE, "no such handle");
	return h;
}

/* A handle, but not of what was withdrawn since it was opened. */
static struct handle *
get_seen(struct sftp *s, const struct sftp_request *r)
{
	struct handle *h = get_handle(s, r);

	if (h == NULL || !remote_hidden(s, &h->path))
		return h;
	reply(s, r->id, FX_PERMISSION_DENIED, "the right to see this was withdrawn");
	return NULL;
}

/* Is what is refused there at all?  Else the answer says so.  What muhurd alone
 * could tell is refused without looking. */
static int
is_there(struct sftp *s, uint32_t id, const struct vpath *v)
{
	struct sftp_attrs a;

	if (remote_is(v) || list_stat(s, v, &a) == 0)
		return 1;
	reply_errno(s, id, "looking at", v);
	return 0;
}

static void
op_open(struct sftp *s, const struct sftp_request *r)
{
	const uint32_t sends = FXF_WRITE | FXF_APPEND | FXF_CREAT | FXF_TRUNC;
	struct vpath v;

	if (get_path(s, r->id, &r->path, &v) == -1 || !room_for_handle(s, r->id))
		return;
	if (vpath_is_dir(&v)) {
		reply(s, r->id, FX_FAILURE, "this is a folder");
		return;
	}
	if (v.kind == VP_INBOX_FILE || ((r->pflags & sends) && v.in_inbox)) {
		upload_open(s, r->id, &v, r->pflags);
		return;
	}
	if (r->pflags & sends) {
		reply(s, r->id, FX_PERMISSION_DENIED, "files can be put into /inbox only");
		return;
	}
	if (v.kind == VP_NONE || !(r->pflags & FXF_READ)) {
		reply(s, r->id, FX_NO_SUCH_FILE, "no such file");
		return;
	}
	remote_ask(s, ASK_FETCH, r->id, &v);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void
forget_fetched(struct sftp *s)
{
	tdestroy(s->fetched, free);
	s->fetched = NULL;
	s->fetched_n = 0;
}

/* A client may fetch one file hundreds of times a second: one line tells it. */
static int
first_fetch(struct sftp *s, const char *path)
{
	if (tfind(path, &s->fetched, by_name) != NULL)
		return 0;
	if (s->fetched_n == SFTP_FETCHED_KEPT)
		forget_fetched(s);
	if (tsearch(xstrdup(path), &s->fetched, by_name) == NULL)
		fatalx("no memory for names");
	s->fetched_n++;
	return 1;
}

static void
end_fetch(struct sftp *s, const struct handle *h, size_t unsent)
{
	if (h->bytes > 0 && first_fetch(s, h->path.text))
		log_info("%s fetched %s, %llu bytes", s->user, h->path.text,
		    (unsigned long long)h->bytes);
	tell_fetched(s, &h->path, h->tag, h->extents, unsent);
}

static void
op_close(struct sftp *s, const struct sftp_request *r)
{
	struct handle *h = get_handle(s, r);

	if (h == NULL)
		return;
	if (h->kind == H_UPLOAD) {
		upload_close(s, r->id, h);
		return;
	}
	if (h->kind == H_FETCH)
		end_fetch(s, h, 0);
	handle_free(h);
	reply_ok(s, r->id);
}

static void
op_read(struct sftp *s, const struct sftp_request *r)
{
	struct handle *h = get_seen(s, r);
	uint64_t n = r->len;

	if (h == NULL)
		return;
	if (h->kind != H_FETCH) {
		reply(s, r->id, FX_PERMISSION_DENIED,
		    h->kind == H_UPLOAD ? "uploads cannot be read back" : "this is a folder");
		return;
	}
	if (n > SFTP_MAX_DATA)
		n = SFTP_MAX_DATA;
	if (r->offset >= h->size) {
		reply(s, r->id, FX_EOF, "end of file");
		return;
	}
	if (n > h->size - r->offset)
		n = h->size - r->offset;
	sftp_put_data_head(&s->out, r->id, (uint32_t)n);
	h->bytes += n;
	s->reading = n > 0 ? h : NULL;
	s->read_at = r->offset;
	s->read_left = (uint32_t)n;
}

int
sftp_pump(struct sftp *s)
{
	uint8_t *p;
	size_t room;
	ssize_t n;
	int some = 0;

	while (s->reading != NULL) {
		p = sftp_out_space(&s->out, &room);
		if (room == 0)
			break;
		if (room > s->read_left)
			room = s->read_left;
		n = pread(s->reading->fd, p, room, (off_t)s->read_at);
		if (n <= 0) {
			/* The answer's length is out already: there is no way
			 * to say it but to end the connection. */
			log_alarm("reading %s for %s: %s", s->reading->path.text,
			    s->user, n == 0 ? "it became shorter" : strerror(errno));
			s->broken = "a file could not be read";
			s->reading = NULL;
			break;
		}
		sftp_out_add(&s->out, (size_t)n);
		(void)extents_add(s->reading->extents, s->read_at, s->read_at + (uint64_t)n);
		s->read_at += (uint64_t)n;
		s->read_left -= (uint32_t)n;
		some = 1;
		if (s->read_left == 0)
			s->reading = NULL;
	}
	return some;
}

/* A WRITE that arrived whole; the long way (sftp_input) does the same. */
static void
op_write(struct sftp *s, const struct sftp_request *r)
{
	upload_write_begin(s, r);
	upload_write(s, r->data.p, r->data.len);
	upload_write_end(s);
}

static void
reply_attrs(struct sftp *s, uint32_t id, int rc, const struct sftp_attrs *a,
    const struct vpath *v)
{
	if (rc == -1)
		reply_errno(s, id, "looking at", v);
	else
		sftp_put_attrs(&s->out, id, a);
}

static void
op_stat(struct sftp *s, const struct sftp_request *r)
{
	struct sftp_attrs a;
	struct vpath v;

	if (get_path(s, r->id, &r->path, &v) == -1)
		return;
	if (remote_is(&v))
		remote_ask(s, ASK_LOOK, r->id, &v);
	else
		reply_attrs(s, r->id, list_stat(s, &v, &a), &a, &v);
}

static void
op_fstat(struct sftp *s, const struct sftp_request *r)
{
	struct handle *h = get_seen(s, r);
	struct sftp_attrs a;

	if (h != NULL)
		reply_attrs(s, r->id, list_fstat(s, h, &a), &a, &h->path);
}

static void
op_setstat(struct sftp *s, const struct sftp_request *r)
{
	struct vpath v;

	if (get_path(s, r->id, &r->path, &v) == -1)
		return;
	if (v.kind == VP_INBOX_FILE)
		upload_setstat(s, r->id, NULL, &v, &r->attrs);
	else if (is_there(s, r->id, &v))
		reply(s, r->id, FX_PERMISSION_DENIED, "this cannot be changed");
}

static void
op_fsetstat(struct sftp *s, const struct sftp_request *r)
{
	struct handle *h = get_handle(s, r);

	if (h == NULL)
		return;
	if (h->kind == H_UPLOAD)
		upload_setstat(s, r->id, h, &h->path, &r->attrs);
	else
		reply(s, r->id, FX_PERMISSION_DENIED, "this cannot be changed");
}

static void
op_opendir(struct sftp *s, const struct sftp_request *r)
{
	struct vpath v;

	if (get_path(s, r->id, &r->path, &v) == 0 && room_for_handle(s, r->id))
		list_open(s, r->id, &v);
}

static void
op_readdir(struct sftp *s, const struct sftp_request *r)
{
	struct handle *h = get_seen(s, r);

	if (h == NULL)
		return;
	if (h->kind != H_LISTING)
		reply(s, r->id, FX_FAILURE, "this is no folder");
	else
		list_read(s, r->id, h);
}

static void
op_remove(struct sftp *s, const struct sftp_request *r)
{
	struct vpath v;

	if (get_path(s, r->id, &r->path, &v) == -1)
		return;
	if (v.kind == VP_INBOX_FILE)
		upload_remove(s, r->id, &v);
	else if (is_there(s, r->id, &v))
		reply(s, r->id, FX_PERMISSION_DENIED,
		    "this cannot be removed; notices leave /outbox by themselves");
}

static void
op_denied(struct sftp *s, const struct sftp_request *r)
{
	struct sftp_attrs a;
	struct vpath v;

	if (get_path(s, r->id, &r->path, &v) == -1)
		return;
	if (r->type == FXP_MKDIR && vpath_is_dir(&v) && !remote_is(&v) &&
	    list_stat(s, &v, &a) == 0)
		reply(s, r->id, FX_FAILURE, "this folder exists");
	else if (r->type == FXP_MKDIR || r->type == FXP_RMDIR)
		reply(s, r->id, FX_PERMISSION_DENIED, "the folders here are fixed");
	else
		reply(s, r->id, FX_PERMISSION_DENIED, "there are no links here");
}

static void
op_realpath(struct sftp *s, const struct sftp_request *r)
{
	struct sftp_attrs a;
	struct vpath v;
	size_t mark;

	if (get_path(s, r->id, &r->path, &v) == -1)
		return;
	memset(&a, 0, sizeof(a));
	mark = sftp_name_begin(&s->out, r->id);
	(void)sftp_name_add(&s->out, mark, v.text, v.text, &a);
	sftp_name_end(&s->out, mark, 1);
}

static void
op_rename(struct sftp *s, const struct sftp_request *r)
{
	struct vpath from, to;

	if (get_path(s, r->id, &r->path, &from) == -1 ||
	    get_path(s, r->id, &r->target, &to) == -1)
		return;
	upload_rename(s, r->id, &from, &to, r->type == FXP_EXTENDED);
}

static void
op_extended(struct sftp *s, const struct sftp_request *r)
{
	struct handle *h;
	struct vpath v;

	switch ((enum sftp_extension)r->extended) {
	case EXT_POSIX_RENAME:
		op_rename(s, r);
		break;
	case EXT_STATVFS:
		if (get_path(s, r->id, &r->path, &v) == -1)
			break;
		if (is_there(s, r->id, &v))
			list_statvfs(s, r->id);
		break;
	case EXT_FSTATVFS:
		if (get_handle(s, r) != NULL)
			list_statvfs(s, r->id);
		break;
	case EXT_FSYNC:
		if ((h = get_handle(s, r)) != NULL)
			upload_fsync(s, r->id, h);
		break;
	case EXT_LIMITS:
		sftp_put_limits(&s->out, r->id, SFTP_MAX_PACKET, SFTP_MAX_DATA,
		    SFTP_MAX_DATA, SFTP_MAX_HANDLES);
		break;
	case EXT_HARDLINK:
		reply(s, r->id, FX_PERMISSION_DENIED, "there are no links here");
		break;
	case EXT_UNKNOWN:
		reply(s, r->id, FX_OP_UNSUPPORTED, "this extension is not known here");
		break;
	}
}

/* --- input --------------------------------------------------------------- */

static void
run_request(struct sftp *s, const struct sftp_request *r)
{
	size_t i;

	if ((r->type == FXP_INIT) == s->begun) {
		s->broken = s->begun ? "a second INIT" : "a request before INIT";
		return;
	}
	if (r->type == FXP_INIT) {
		if (r->id < SFTP_VERSION) {
			s->broken = "SFTP older than version 3";
			return;
		}
		s->begun = 1;
		sftp_put_version(&s->out);
		return;
	}
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (ops[i].type == r->type) {
			ops[i].run(s, r);
			return;
		}
	reply(s, r->id, FX_OP_UNSUPPORTED, "this request is not of SFTP version 3");
}

/* The next request at p: bytes used, 0 where more must arrive or s is broken. */
static size_t
next_request(struct sftp *s, const uint8_t *p, size_t n)
{
	struct sftp_request r;
	size_t total;
	int head;

	if (sftp_frame(p, n, &total) == -1) {
		s->broken = "a packet of impossible length";
		return 0;
	}
	if (total == 0)
		return 0;
	if (n >= total) {
		if (sftp_parse(p + 4, total - 4, &r) == -1) {
			s->broken = "a malformed packet";
			return 0;
		}
		run_request(s, &r);
		return s->broken == NULL ? total : 0;
	}
	/* A WRITE goes to the file as it arrives. */
	if (n < 5 || p[4] != FXP_WRITE || !s->begun)
		return 0;
	if ((head = sftp_parse_write_head(p, n, total, &r)) == -1) {
		s->broken = "a malformed WRITE";
		return 0;
	}
	if (head > 0) {
		upload_write_begin(s, &r);
		s->write_skip = (uint32_t)(total - (size_t)head - r.len);
	}
	return (size_t)head;
}

size_t
sftp_input(struct sftp *s, const uint8_t *p, size_t n)
{
	size_t used = 0, k;

	while (s->broken == NULL && s->pending.ask == ASK_NOTHING &&
	    s->reading == NULL && !sftp_out_full(&s->out)) {
		if (s->write_on) {
			k = n - used < s->write_left ? n - used : s->write_left;
			upload_write(s, p + used, k);
			used += k;
			k = n - used < s->write_skip ? n - used : s->write_skip;
			s->write_skip -= (uint32_t)k;
			used += k;
			if (s->write_left > 0 || s->write_skip > 0)
				break;
			upload_write_end(s);
			continue;
		}
		if ((k = next_request(s, p + used, n - used)) == 0)
			break;
		used += k;
		(void)sftp_pump(s);
	}
	return used;
}

void
sftp_init(struct sftp *s, const struct conf *conf, struct msg_chan *chan,
    const struct m_login_result *who, const int dir[DIR_COUNT])
{
	memset(s, 0, sizeof(*s));
	s->conf = conf;
	s->chan = chan;
	(void)str_copy(s->user, sizeof(s->user), who->user);
	(void)str_copy(s->member, sizeof(s->member), who->member);
	s->may = who->may;
	memcpy(s->dir, dir, sizeof(s->dir));
	handles_init(&s->handles);
}

void
sftp_set_rights(struct sftp *s, const struct m_rights *may)
{
	s->may = *may;
}

void
sftp_end(struct sftp *s)
{
	int i;

	s->reading = NULL;
	s->writing = NULL;
	for (i = 0; i < SFTP_MAX_HANDLES; i++) {
		if (s->handles.h[i].kind == H_UPLOAD)
			upload_drop(s, &s->handles.h[i]);
		else if (s->handles.h[i].kind == H_FETCH) {
			end_fetch(s, &s->handles.h[i], s->out.len);
			handle_free(&s->handles.h[i]);
		} else if (s->handles.h[i].kind != H_FREE)
			handle_free(&s->handles.h[i]);
	}
	forget_fetched(s);
	for (i = 0; i < DIR_COUNT; i++) {
		if (s->dir[i] != -1)
			(void)close(s->dir[i]);
		s->dir[i] = -1;
	}
}
