/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <string.h>

#include "sftp/codec.h"

#define HANDLE_BYTES	4

/* What is left of the packet being parsed; bad stays set once it is. */
struct reader {
	const uint8_t	*p;
	size_t		 n;
	int		 bad;
};

static uint32_t
load32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void
store32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static uint8_t
get8(struct reader *r)
{
	if (r->bad || r->n < 1) {
		r->bad = 1;
		return 0;
	}
	r->n--;
	return *r->p++;
}

static uint32_t
get32(struct reader *r)
{
	uint32_t v;

	if (r->bad || r->n < 4) {
		r->bad = 1;
		return 0;
	}
	v = load32(r->p);
	r->p += 4;
	r->n -= 4;
	return v;
}

static uint64_t
get64(struct reader *r)
{
	uint64_t high = get32(r);

	return high << 32 | get32(r);
}

static struct sftp_str
get_str(struct reader *r)
{
	struct sftp_str s = { NULL, 0 };
	uint32_t len = get32(r);

	if (r->bad || len > r->n) {
		r->bad = 1;
		return s;
	}
	s.p = r->p;
	s.len = len;
	r->p += len;
	r->n -= len;
	return s;
}

static void
get_attrs(struct reader *r, struct sftp_attrs *a)
{
	uint32_t count;

	a->flags = get32(r);
	if (a->flags & ~(ATTR_SIZE | ATTR_UIDGID | ATTR_PERM | ATTR_TIME | ATTR_EXTENDED))
		r->bad = 1;
	if (a->flags & ATTR_SIZE)
		a->size = get64(r);
	if (a->flags & ATTR_UIDGID) {
		a->uid = get32(r);
		a->gid = get32(r);
	}
	if (a->flags & ATTR_PERM)
		a->perm = get32(r);
	if (a->flags & ATTR_TIME) {
		a->atime = get32(r);
		a->mtime = get32(r);
	}
	if (a->flags & ATTR_EXTENDED) {
		/* Each pair takes eight bytes at least, so this ends. */
		for (count = get32(r); count > 0 && !r->bad; count--) {
			(void)get_str(r);
			(void)get_str(r);
		}
	}
}

static int
str_is(const struct sftp_str *s, const char *name)
{
	return s->len == strlen(name) && memcmp(s->p, name, s->len) == 0;
}

static void
get_extended(struct reader *r, struct sftp_request *q)
{
	q->extension = get_str(r);
	if (r->bad)
		return;
	if (str_is(&q->extension, "posix-rename@openssh.com")) {
		q->extended = EXT_POSIX_RENAME;
		q->path = get_str(r);
		q->target = get_str(r);
	} else if (str_is(&q->extension, "hardlink@openssh.com")) {
		q->extended = EXT_HARDLINK;
		q->path = get_str(r);
		q->target = get_str(r);
	} else if (str_is(&q->extension, "statvfs@openssh.com")) {
		q->extended = EXT_STATVFS;
		q->path = get_str(r);
	} else if (str_is(&q->extension, "fstatvfs@openssh.com")) {
		q->extended = EXT_FSTATVFS;
		q->handle = get_str(r);
	} else if (str_is(&q->extension, "fsync@openssh.com")) {
		q->extended = EXT_FSYNC;
		q->handle = get_str(r);
	} else if (str_is(&q->extension, "limits@openssh.com")) {
		q->extended = EXT_LIMITS;
	} else {
		/* Its contents are for those who know it. */
		r->n = 0;
	}
}

int
sftp_frame(const uint8_t *p, size_t n, size_t *total)
{
	uint32_t len;

	*total = 0;
	if (n < 4)
		return 0;
	len = load32(p);
	if (len < 1 || len > SFTP_MAX_PACKET - 4)
		return -1;
	*total = (size_t)len + 4;
	return 0;
}

/* The fields after type and id, for the types that we know. */
static void
get_fields(struct reader *r, struct sftp_request *q)
{
	switch (q->type) {
	case FXP_OPEN:
		q->path = get_str(r);
		q->pflags = get32(r);
		get_attrs(r, &q->attrs);
		break;
	case FXP_CLOSE:
	case FXP_FSTAT:
	case FXP_READDIR:
		q->handle = get_str(r);
		break;
	case FXP_READ:
		q->handle = get_str(r);
		q->offset = get64(r);
		q->len = get32(r);
		break;
	case FXP_WRITE:
		q->handle = get_str(r);
		q->offset = get64(r);
		q->data = get_str(r);
		q->len = q->data.len;
		r->n = 0;	/* what may follow: see codec.h */
		break;
	case FXP_LSTAT:
	case FXP_STAT:
	case FXP_OPENDIR:
	case FXP_REMOVE:
	case FXP_RMDIR:
	case FXP_REALPATH:
	case FXP_READLINK:
		q->path = get_str(r);
		break;
	case FXP_SETSTAT:
	case FXP_MKDIR:
		q->path = get_str(r);
		get_attrs(r, &q->attrs);
		break;
	case FXP_FSETSTAT:
		q->handle = get_str(r);
		get_attrs(r, &q->attrs);
		break;
	case FXP_RENAME:
	case FXP_SYMLINK:
		q->path = get_str(r);
		q->target = get_str(r);
		break;
	case FXP_EXTENDED:
		get_extended(r, q);
		break;
	default:
		r->n = 0;
		break;
	}
}

int
sftp_parse(const uint8_t *p, size_t n, struct sftp_request *q)
{
	struct reader r = { p, n, 0 };

	memset(q, 0, sizeof(*q));
	q->type = get8(&r);
	q->id = get32(&r);
	if (q->type == FXP_INIT) {
		/* Name and value pairs may follow the version. */
		while (r.n > 0 && !r.bad) {
			(void)get_str(&r);
			(void)get_str(&r);
		}
	} else
		get_fields(&r, q);
	if (r.bad || r.n != 0)
		return -1;
	return 0;
}

int
sftp_parse_write_head(const uint8_t *p, size_t n, size_t total, struct sftp_request *q)
{
	struct reader r;
	size_t head;

	memset(q, 0, sizeof(*q));
	/* Our handles have four bytes, so a longer one is no handle of ours;
	 * it is refused here, before it is waited for. */
	head = 4 + 1 + 4 + 4 + HANDLE_BYTES + 8 + 4;
	if (total < head)
		return -1;
	if (n < head)
		return 0;
	r = (struct reader){ p + 4, head - 4, 0 };
	q->type = get8(&r);
	q->id = get32(&r);
	q->handle = get_str(&r);
	q->offset = get64(&r);
	q->len = get32(&r);
	if (r.bad || r.n != 0 || q->len > total - head)
		return -1;
	return (int)head;
}

int
sftp_handle_number(const struct sftp_str *h)
{
	uint32_t v;

	if (h->len != HANDLE_BYTES)
		return -1;
	v = load32(h->p);
	return v < SFTP_MAX_HANDLES ? (int)v : -1;
}

/* --- output ------------------------------------------------------------- */

int
sftp_out_full(const struct sftp_out *o)
{
	return o->len > SFTP_OUT_SIZE - SFTP_MAX_ANSWER;
}

uint8_t *
sftp_out_space(struct sftp_out *o, size_t *room)
{
	if (o->off > 0) {
		memmove(o->data, o->data + o->off, o->len);
		o->off = 0;
	}
	*room = o->len < SFTP_MAX_OUTPUT ? SFTP_MAX_OUTPUT - o->len : 0;
	return o->data + o->len;
}

void
sftp_out_add(struct sftp_out *o, size_t n)
{
	o->len += n;
}

void
sftp_out_sent(struct sftp_out *o, size_t n)
{
	o->off += n;
	o->len -= n;
	if (o->len == 0)
		o->off = 0;
}

/* Callers have made sure of the room (sftp_out_full); a packet that did not
 * fit all the same would be a fault of ours, and is cut off where it stands
 * rather than written past the end. */
static void
put_bytes(struct sftp_out *o, const void *p, size_t n)
{
	size_t room;

	if (o->off > 0)
		(void)sftp_out_space(o, &room);
	if (n > SFTP_OUT_SIZE - o->len)
		n = SFTP_OUT_SIZE - o->len;
	if (n > 0)
		memcpy(o->data + o->len, p, n);
	o->len += n;
}

static void
put32(struct sftp_out *o, uint32_t v)
{
	uint8_t b[4];

	store32(b, v);
	put_bytes(o, b, sizeof(b));
}

static void
put64(struct sftp_out *o, uint64_t v)
{
	put32(o, (uint32_t)(v >> 32));
	put32(o, (uint32_t)v);
}

static void
put_string(struct sftp_out *o, const char *s)
{
	size_t n = strlen(s);

	put32(o, (uint32_t)n);
	put_bytes(o, s, n);
}

/* Begin a packet; its length is set by end_packet. */
static size_t
begin_packet(struct sftp_out *o, uint8_t type)
{
	size_t mark, room;

	(void)sftp_out_space(o, &room);		/* so that the mark stays true */
	mark = o->len;
	put32(o, 0);
	put_bytes(o, &type, 1);
	return mark;
}

static void
end_packet(struct sftp_out *o, size_t mark)
{
	store32(o->data + mark, (uint32_t)(o->len - mark - 4));
}

static void
put_attr_fields(struct sftp_out *o, const struct sftp_attrs *a)
{
	put32(o, a->flags & ~ATTR_EXTENDED);
	if (a->flags & ATTR_SIZE)
		put64(o, a->size);
	if (a->flags & ATTR_UIDGID) {
		put32(o, a->uid);
		put32(o, a->gid);
	}
	if (a->flags & ATTR_PERM)
		put32(o, a->perm);
	if (a->flags & ATTR_TIME) {
		put32(o, a->atime);
		put32(o, a->mtime);
	}
}

void
sftp_put_version(struct sftp_out *o)
{
	static const char *const ext[][2] = {
		{ "posix-rename@openssh.com", "1" },
		{ "statvfs@openssh.com", "2" },
		{ "fstatvfs@openssh.com", "2" },
		{ "fsync@openssh.com", "1" },
		{ "limits@openssh.com", "1" },
	};
	size_t mark, i;

	mark = begin_packet(o, FXP_VERSION);
	put32(o, SFTP_VERSION);
	for (i = 0; i < sizeof(ext) / sizeof(ext[0]); i++) {
		put_string(o, ext[i][0]);
		put_string(o, ext[i][1]);
	}
	end_packet(o, mark);
}

void
sftp_put_status(struct sftp_out *o, uint32_t id, enum sftp_status st, const char *text)
{
	size_t mark = begin_packet(o, FXP_STATUS);

	put32(o, id);
	put32(o, (uint32_t)st);
	put_string(o, text);
	put_string(o, "en");
	end_packet(o, mark);
}

void
sftp_put_handle(struct sftp_out *o, uint32_t id, uint32_t handle)
{
	size_t mark = begin_packet(o, FXP_HANDLE);

	put32(o, id);
	put32(o, HANDLE_BYTES);
	put32(o, handle);
	end_packet(o, mark);
}

void
sftp_put_data_head(struct sftp_out *o, uint32_t id, uint32_t len)
{
	uint8_t type = FXP_DATA;

	put32(o, 1 + 4 + 4 + len);
	put_bytes(o, &type, 1);
	put32(o, id);
	put32(o, len);
}

void
sftp_put_attrs(struct sftp_out *o, uint32_t id, const struct sftp_attrs *a)
{
	size_t mark = begin_packet(o, FXP_ATTRS);

	put32(o, id);
	put_attr_fields(o, a);
	end_packet(o, mark);
}

size_t
sftp_name_begin(struct sftp_out *o, uint32_t id)
{
	size_t mark = begin_packet(o, FXP_NAME);

	put32(o, id);
	put32(o, 0);
	return mark;
}

int
sftp_name_add(struct sftp_out *o, size_t mark, const char *name,
    const char *longname, const struct sftp_attrs *a)
{
	/* Two lengths, and the attributes at their longest. */
	if (o->len - mark + strlen(name) + strlen(longname) + 8 + 32 > SFTP_MAX_ANSWER)
		return -1;
	put_string(o, name);
	put_string(o, longname);
	put_attr_fields(o, a);
	return 0;
}

void
sftp_name_end(struct sftp_out *o, size_t mark, uint32_t count)
{
	store32(o->data + mark + 4 + 1 + 4, count);
	end_packet(o, mark);
}

void
sftp_put_limits(struct sftp_out *o, uint32_t id, uint64_t packet, uint64_t rd,
    uint64_t wr, uint64_t handles)
{
	size_t mark = begin_packet(o, FXP_EXTENDED_REPLY);

	put32(o, id);
	put64(o, packet);
	put64(o, rd);
	put64(o, wr);
	put64(o, handles);
	end_packet(o, mark);
}

void
sftp_put_statvfs(struct sftp_out *o, uint32_t id, const uint64_t v[11])
{
	size_t mark = begin_packet(o, FXP_EXTENDED_REPLY), i;

	put32(o, id);
	for (i = 0; i < 11; i++)
		put64(o, v[i]);
	end_packet(o, mark);
}
