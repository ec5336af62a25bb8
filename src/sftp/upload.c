/* SPDX-License-Identifier: ISC */
/* What is done to /inbox: uploads from their opening until muhurd has them. */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/ident.h"
#include "sftp/ops.h"

/* The box is summed up anew when this session has added so much to it, since
 * other connections of the same user fill it too, and before anything is
 * refused, since uploads leave it. */
#define QUOTA_RECOUNT	(16 * 1024 * 1024)

#define SUSPENDED	"the member is suspended: its users may fetch, not send"
#define BAD_NAME	"this name may not be used: 1 to 200 bytes of UTF-8, no " \
			"control character, no dot at its beginning, no slash at its end"
#define SENT		"this file was sent and taken; to send anew, overwrite it as a whole"
#define TOO_LARGE	"the document is larger than this gateway takes"
#define FULL		"unfinished uploads fill the box: remove some of /inbox"
#define REPLACED	"another connection has removed this upload or begun it anew: " \
			"nothing of it is taken"

static uint64_t
count_box(struct sftp *s)
{
	struct handle *h;
	struct stat st;
	int i;

	s->inbox_bytes = list_inbox_bytes(s);
	s->inbox_grown = 0;
	/* what has no name any more takes its room until it is closed */
	for (i = 0; i < SFTP_MAX_HANDLES; i++) {
		h = &s->handles.h[i];
		if (h->kind == H_UPLOAD && fstat(h->fd, &st) == 0 && st.st_nlink == 0)
			s->inbox_bytes += (uint64_t)st.st_size;
	}
	return s->inbox_bytes;
}

/* Is there room for n bytes more?  Then they are counted. */
static int
box_takes(struct sftp *s, uint64_t n)
{
	const uint64_t quota = (uint64_t)s->conf->inbox_quota;

	if (s->inbox_grown > QUOTA_RECOUNT || s->inbox_bytes + s->inbox_grown + n > quota)
		(void)count_box(s);
	if (s->inbox_bytes + s->inbox_grown + n > quota)
		return 0;
	s->inbox_grown += n;
	return 1;
}

void
upload_open(struct sftp *s, uint32_t id, const struct vpath *v, uint32_t pflags)
{
	int state, flags = BOX_WRITE;

	if (v->kind != VP_INBOX_FILE) {
		reply(s, id, FX_PERMISSION_DENIED, BAD_NAME);
		return;
	}
	state = list_upload_state(s, v->name);
	if (state == UP_NONE && !(pflags & FXF_CREAT))
		reply(s, id, FX_NO_SUCH_FILE, "no such file");
	else if (!(pflags & FXF_WRITE))
		reply(s, id, FX_PERMISSION_DENIED, "uploads cannot be read back");
	else if (!s->may.may_send)
		reply(s, id, FX_PERMISSION_DENIED, SUSPENDED);
	else if (state == UP_TAKEN && !(pflags & FXF_TRUNC) &&
	    (pflags & (FXF_CREAT | FXF_EXCL)) != (FXF_CREAT | FXF_EXCL))
		reply(s, id, FX_PERMISSION_DENIED, SENT);
	else if (handle_upload(&s->handles, v->name) != NULL)
		reply(s, id, FX_FAILURE, "this upload is open already");
	/* beginning anew gives bytes back, so it is always possible */
	else if (count_box(s) >= (uint64_t)s->conf->inbox_quota &&
	    !(state == UP_UNFINISHED && (pflags & FXF_TRUNC)))
		reply(s, id, FX_FAILURE, FULL);
	else {
		if ((pflags & FXF_CREAT) || state == UP_TAKEN)
			flags |= BOX_CREAT;
		if (pflags & FXF_TRUNC)
			flags |= BOX_TRUNC;
		if ((pflags & FXF_EXCL) && (pflags & FXF_CREAT))
			flags |= BOX_EXCL;
		ask_begin(s, ASK_UPLOAD, id, v);
		s->pending.pflags = pflags;
		ask_open(s, BOX_INBOX, v, flags);
	}
}

/* Its bytes may change from now on. */
static void
forget_parted(struct sftp *s, const char *name)
{
	if (strcmp(s->parted.name, name) == 0)
		memset(&s->parted, 0, sizeof(s->parted));
}

void
upload_opened(struct sftp *s, const struct pending *p, struct handle *h, uint64_t size)
{
	forget_parted(s, p->path.name);
	h->append = (p->pflags & FXF_APPEND) != 0;
	h->end = size;
	/* What an earlier connection left was cut to its contiguous part. */
	(void)extents_add(h->extents, 0, h->end);
}

/* --- writing ------------------------------------------------------------- */

static void
refuse_write(struct sftp *s, enum sftp_status st, const char *why)
{
	if (s->writing != NULL)
		s->writing->failed = 1;
	s->writing = NULL;
	s->write_status = (int)st;
	s->write_error = why;
}

/* Why the upload may not become `end' bytes long, or NULL.  Where it may, what it
 * grows is counted. */
static const char *
no_growth(struct sftp *s, const struct handle *h, uint64_t end)
{
	struct stat st;

	if (end <= h->end)
		return NULL;
	/* nobody sees it any more, so it must not grow */
	if (fstat(h->fd, &st) == 0 && st.st_nlink == 0)
		return REPLACED;
	return box_takes(s, end - h->end) ? NULL : FULL;
}

/* May n bytes be written at s->write_at? */
static void
check_size(struct sftp *s, const struct handle *h, uint32_t n)
{
	const uint64_t max = (uint64_t)s->conf->max_document_size;
	const char *why;

	if (s->write_at > max || n > max - s->write_at)
		refuse_write(s, FX_FAILURE, TOO_LARGE);
	else if ((why = no_growth(s, h, s->write_at + n)) != NULL)
		refuse_write(s, FX_FAILURE, why);
}

void
upload_write_begin(struct sftp *s, const struct sftp_request *r)
{
	struct handle *h = handle_get(&s->handles, sftp_handle_number(&r->handle));

	s->write_on = 1;
	s->write_id = r->id;
	s->write_left = r->len;
	s->write_skip = 0;
	s->write_at = r->offset;
	s->write_error = NULL;
	s->writing = NULL;
	if (h == NULL)
		refuse_write(s, FX_FAILURE, "no such handle");
	else if (h->kind != H_UPLOAD)
		refuse_write(s, FX_PERMISSION_DENIED, "this was opened for reading");
	else if (h->failed)
		refuse_write(s, FX_FAILURE, "an earlier write failed; begin again");
	else if (!s->may.may_send)		/* since it was opened; what is there stays */
		refuse_write(s, FX_PERMISSION_DENIED, SUSPENDED);
	else {
		s->writing = h;
		if (h->append)
			s->write_at = h->end;
		check_size(s, h, r->len);
	}
}

void
upload_write(struct sftp *s, const uint8_t *p, size_t n)
{
	struct handle *h = s->writing;
	ssize_t k;

	s->write_left -= (uint32_t)n;
	while (h != NULL && n > 0) {
		k = pwrite(h->fd, p, n, (off_t)s->write_at);
		if (k == -1 && errno == EINTR)
			continue;
		if (k == -1) {
			refuse_write(s, FX_FAILURE, errno == ENOSPC || errno == EDQUOT ?
			    NO_SPACE : "the gateway failed; its operator can see why");
			log_alarm("writing %s of %s: %s", h->path.name, s->user,
			    strerror(errno));
			return;
		}
		/* first what is so whatever follows: keep_prefix knows the file by it */
		h->written = 1;
		h->bytes += (uint64_t)k;
		if (s->write_at + (uint64_t)k > h->end)
			h->end = s->write_at + (uint64_t)k;
		if (extents_add(h->extents, s->write_at, s->write_at + (uint64_t)k) == -1) {
			refuse_write(s, FX_FAILURE, "the upload has too many gaps; write it in order");
			return;
		}
		p += k;
		n -= (size_t)k;
		s->write_at += (uint64_t)k;
	}
}

void
upload_write_end(struct sftp *s)
{
	s->write_on = 0;
	s->writing = NULL;
	if (s->write_error != NULL)
		reply(s, s->write_id, (enum sftp_status)s->write_status, s->write_error);
	else
		reply_ok(s, s->write_id);
}

/* An fsync failed, and a later one would succeed all the same: what reached
 * the disk is not known any more. */
static void
lose(const struct sftp *s, struct handle *h)
{
	log_alarm("syncing %s of %s: %s", h->path.text, s->user, strerror(errno));
	h->failed = h->lost = 1;
}

void
upload_fsync(struct sftp *s, uint32_t id, struct handle *h)
{
	if (h->kind == H_UPLOAD && !h->lost && fsync(h->fd) == -1)
		lose(s, h);
	if (h->kind == H_UPLOAD && h->lost)
		reply(s, id, FX_FAILURE, SEND_AGAIN);
	else
		reply_ok(s, id);
}

/* --- the end of an upload ------------------------------------------------ */

/* Cut what follows the first gap, unless another connection has gone on with
 * this file meanwhile.  0, or -1 with errno. */
static int
keep_prefix(struct handle *h)
{
	struct stat st;

	if (fstat(h->fd, &st) == -1)
		return -1;
	if ((uint64_t)st.st_size != h->end || !extents_have_gap(h->extents, h->end))
		return 0;
	return ftruncate(h->fd, (off_t)extents_prefix(h->extents));
}

/* Leave it as one that can be gone on with; -1: it cannot, it is lost. */
static int
leave_unfinished(struct sftp *s, struct handle *h)
{
	/* Synced as well: it may become final by a mere renaming later. */
	if (!h->lost && (keep_prefix(h) == -1 || (h->written && fsync(h->fd) == -1)))
		lose(s, h);
	if (h->lost)
		return -1;
	if (h->written)
		log_info("%s left %s unfinished", s->user, h->path.name);
	return 0;
}

/* The file itself, whoever has written on meanwhile. */
static struct file_id
identity(int fd)
{
	struct file_id id = { .ino = UINT64_MAX };
	struct stat st;

	if (fstat(fd, &st) == 0)
		file_id_of(&st, &id);
	id.mtime = 0;
	return id;
}

void
upload_drop(struct sftp *s, struct handle *h)
{
	struct file_id id = identity(h->fd);

	if (leave_unfinished(s, h) == -1)
		tell_remove(s, &h->path, &id);
	handle_free(h);
}

/* Have it removed, and then say that it is to be sent again. */
static void
discard(struct sftp *s, uint32_t id, const struct vpath *v, int fd)
{
	struct file_id file = identity(fd);

	ask_begin(s, ASK_DISCARD, id, v);
	ask_name(s, M_BOX_REMOVE, v, &file);
}

/* It is not taken: why, where it is not lost. */
static void
close_untaken(struct sftp *s, uint32_t id, struct handle *h, const char *why)
{
	if (leave_unfinished(s, h) == -1)
		discard(s, id, &h->path, h->fd);
	else
		reply(s, id, FX_FAILURE, why);
	handle_free(h);
}

void
upload_close(struct sftp *s, uint32_t id, struct handle *h)
{
	struct vpath v = h->path;
	struct file_id written;
	struct stat st;

	if (h->failed) {
		close_untaken(s, id, h, "an earlier write failed: the file is not taken");
		return;
	}
	/* Where an earlier connection brought all but the close, its client goes on
	 * with it, has nothing to write, and believes our success: it is taken. */
	if (!h->written && h->end == 0) {
		handle_free(h);
		reply_ok(s, id);
		return;
	}
	if (!s->may.may_send) {
		close_untaken(s, id, h, SUSPENDED);
		return;
	}
	if (fsync(h->fd) == -1 || fstat(h->fd, &st) == -1) {
		lose(s, h);
		close_untaken(s, id, h, SEND_AGAIN);
		return;
	}
	if (extents_have_gap(h->extents, (uint64_t)st.st_size)) {
		close_untaken(s, id, h,
		    "the upload has a gap: what comes before it is kept, nothing is taken");
		return;
	}
	handle_free(h);
	/* Whoever began it anew has another file now; and once the last descriptor
	 * is closed, that one's number may be given to a new file. */
	if (st.st_nlink == 0) {
		reply(s, id, FX_FAILURE, REPLACED);
		return;
	}
	file_id_of(&st, &written);
	if (st.st_size == 0 || file_name_is_partial(v.name)) {
		(void)str_copy(s->parted.name, sizeof(s->parted.name), v.name);
		s->parted.id = written;
		reply_ok(s, id);
		return;
	}
	ask_begin(s, ASK_TAKE, id, &v);
	s->pending.size = (uint64_t)st.st_size;
	ask_name(s, M_BOX_TAKE, &v, &written);
}

/* --- attributes ---------------------------------------------------------- */

static void
set_size(struct sftp *s, uint32_t id, struct handle *h, uint64_t size)
{
	const char *why;

	if (!s->may.may_send) {
		reply(s, id, FX_PERMISSION_DENIED, SUSPENDED);
		return;
	}
	if (size > (uint64_t)s->conf->max_document_size)
		why = TOO_LARGE;
	else
		why = no_growth(s, h, size);
	if (why != NULL) {
		reply(s, id, FX_FAILURE, why);
		return;
	}
	if (ftruncate(h->fd, (off_t)size) == -1) {
		reply_errno(s, id, "cutting", &h->path);
		return;
	}
	/* Bytes that only a larger size brought are not written ones. */
	extents_clip(h->extents, size);
	h->end = size;
	reply_ok(s, id);
}

void
upload_setstat(struct sftp *s, uint32_t id, struct handle *h, const struct vpath *v,
    const struct sftp_attrs *a)
{
	struct sftp_attrs now;
	int state;

	if (h == NULL)
		h = handle_upload(&s->handles, v->name);
	state = h != NULL ? UP_UNFINISHED : list_upload_state(s, v->name);
	/* Times and modes are ours, but clients end an upload by setting them. */
	if (state == UP_NONE)
		reply(s, id, FX_NO_SUCH_FILE, "no such file");
	else if (!(a->flags & ATTR_SIZE))
		reply_ok(s, id);
	else if (h != NULL)
		set_size(s, id, h, a->size);
	else if (list_stat(s, v, &now) == -1)
		reply_errno(s, id, "looking at", v);
	else if (a->size == now.size)
		reply_ok(s, id);
	else if (state == UP_TAKEN)
		reply(s, id, FX_PERMISSION_DENIED, SENT);
	else if (!s->may.may_send)
		reply(s, id, FX_PERMISSION_DENIED, SUSPENDED);
	else if (a->size > now.size)
		reply(s, id, FX_FAILURE, "a file that is not open cannot be made longer");
	else {
		ask_begin(s, ASK_SHRINK, id, v);
		s->pending.size = a->size;
		ask_open(s, BOX_INBOX, v, BOX_WRITE);
	}
}

void
upload_shrunk(struct sftp *s, const struct pending *p, int fd)
{
	forget_parted(s, p->path.name);
	if (ftruncate(fd, (off_t)p->size) == -1)
		reply_errno(s, p->id, "cutting", &p->path);
	else if (fsync(fd) == -1) {
		log_alarm("syncing %s of %s: %s", p->path.text, s->user, strerror(errno));
		discard(s, p->id, &p->path, fd);
	} else
		reply_ok(s, p->id);
	(void)close(fd);
}

/* --- names --------------------------------------------------------------- */

void
upload_rename(struct sftp *s, uint32_t id, const struct vpath *from,
    const struct vpath *to, int over)
{
	int from_state, to_state;

	if (from->kind != VP_INBOX_FILE) {
		reply(s, id, from->kind == VP_NONE ? FX_NO_SUCH_FILE : FX_PERMISSION_DENIED,
		    from->kind == VP_NONE ? "no such file" : "this cannot be renamed");
		return;
	}
	if (to->kind != VP_INBOX_FILE) {
		reply(s, id, FX_PERMISSION_DENIED, to->in_inbox ? BAD_NAME :
		    "an upload can be renamed within /inbox only");
		return;
	}
	from_state = list_upload_state(s, from->name);
	to_state = list_upload_state(s, to->name);
	if (from_state == UP_NONE)
		reply(s, id, FX_NO_SUCH_FILE, "no such file");
	else if (from_state == UP_TAKEN)
		reply(s, id, FX_PERMISSION_DENIED, SENT);
	else if (!s->may.may_send)
		reply(s, id, FX_PERMISSION_DENIED, SUSPENDED);
	else if (handle_upload(&s->handles, from->name) != NULL ||
	    handle_upload(&s->handles, to->name) != NULL)
		reply(s, id, FX_FAILURE, "the file is open; close it before renaming");
	else if (strcmp(from->name, to->name) == 0)
		reply_ok(s, id);
	else if (to_state == UP_UNFINISHED && !over)
		reply(s, id, FX_FAILURE, "a file of that name exists");
	else {
		/* To muhurd renaming is replacing, as it is to POSIX. */
		ask_begin(s, ASK_RENAME, id, from);
		s->pending.target = *to;
		ask_rename(s);
	}
}

void
upload_remove(struct sftp *s, uint32_t id, const struct vpath *v)
{
	int state = list_upload_state(s, v->name);

	if (state == UP_NONE)
		reply(s, id, FX_NO_SUCH_FILE, "no such file");
	else if (state == UP_TAKEN)
		reply(s, id, FX_PERMISSION_DENIED,
		    "this file was sent and taken; it leaves /inbox by itself");
	else if (!s->may.may_send)
		reply(s, id, FX_PERMISSION_DENIED, SUSPENDED);
	else if (handle_upload(&s->handles, v->name) != NULL)
		reply(s, id, FX_FAILURE, "the file is open; close it before removing");
	else {
		ask_begin(s, ASK_REMOVE, id, v);
		ask_name(s, M_BOX_REMOVE, v, NULL);
	}
}
