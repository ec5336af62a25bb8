/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "msg/pack.h"
#include "msg/stream.h"

#define HEAD_SIZE	5	/* u8 type, u32 length */

static int
write_frame(int fd, enum stream_type type, const void *first, size_t first_len,
    const void *rest, size_t rest_len)
{
	uint32_t len = (uint32_t)(first_len + rest_len);
	uint8_t head[HEAD_SIZE + 1];

	/* first is at most the kind of the records: one write less a frame. */
	head[0] = (uint8_t)type;
	memcpy(head + 1, &len, sizeof(len));
	memcpy(head + HEAD_SIZE, first, first_len);
	if (write_full(fd, head, HEAD_SIZE + first_len) == -1)
		return -1;
	return rest_len > 0 ? write_full(fd, rest, rest_len) : 0;
}

int
stream_write_header(int fd, const struct header *h)
{
	struct buf b = { .cap = STREAM_MAX_FRAME };
	size_t i;
	int rc;

	put_u8(&b, h->type);
	put_str(&b, h->message_id);
	put_str(&b, h->sender);
	put_str(&b, h->user);
	put_i64(&b, h->business_date);
	put_i64(&b, h->created_at);
	put_i64(&b, h->sequence);
	put_str(&b, h->replaces);
	put_i64(&b, h->record_count);
	put_u32(&b, (uint32_t)h->ntotals);
	for (i = 0; i < h->ntotals; i++) {
		put_str(&b, h->totals[i].asset);
		put_decimal(&b, h->totals[i].quantity);
	}
	rc = write_frame(fd, STREAM_HEADER, "", 0, b.data, b.len);
	buf_free(&b);
	return rc;
}

int
stream_write_records(int fd, enum record_kind kind, const void *lines, size_t len)
{
	const char *p = lines, *end;
	uint8_t k = (uint8_t)kind;
	size_t n;

	for (; len > 0; p += n, len -= n) {
		n = len;
		if (n > STREAM_MAX_FRAME - 1) {
			end = memrchr(p, '\n', STREAM_MAX_FRAME - 1);
			if (end == NULL) {
				errno = EMSGSIZE;
				return -1;
			}
			n = (size_t)(end - p) + 1;
		}
		if (write_frame(fd, STREAM_RECORDS, &k, 1, p, n) == -1)
			return -1;
	}
	return 0;
}

int
stream_write_mark(int fd, enum stream_type type)
{
	return write_frame(fd, type, "", 0, NULL, 0);
}

static int
malformed(void)
{
	errno = EPROTO;
	return -1;
}

/* What stands in a whole frame; data has a NUL behind it. */
static int
decode(uint8_t type, const char *data, size_t len, struct stream_frame *f)
{
	f->type = type;
	f->data = data;
	f->len = len;
	switch (type) {
	case STREAM_HEADER:
		return 1;
	case STREAM_RECORDS:
		if (len < 2 || (uint8_t)data[0] >= REC_COUNT ||
		    data[len - 1] != '\n' || memchr(data + 1, '\0', len - 1) != NULL)
			return malformed();
		f->kind = (enum record_kind)data[0];
		f->data++;
		f->len--;
		return 1;
	case STREAM_RESTART:
	case STREAM_END:
		return len == 0 ? 1 : malformed();
	default:
		return malformed();
	}
}

/* How long the frame is, as far as is known; -1 malformed. */
static ssize_t
frame_size(const struct buf *b)
{
	uint32_t len;

	if (b->len < HEAD_SIZE)
		return HEAD_SIZE;
	memcpy(&len, b->data + 1, sizeof(len));
	return len > STREAM_MAX_FRAME ? malformed() : (ssize_t)(HEAD_SIZE + len);
}

int
stream_step(int fd, struct stream_reader *r, struct stream_frame *f)
{
	struct buf *b = &r->b;
	ssize_t size, got;

	memset(f, 0, sizeof(*f));
	if (r->done)
		b->len = 0;
	r->done = 0;
	if ((size = frame_size(b)) == -1)
		return -1;
	if (b->size < (size_t)size + 1) {
		b->data = xreallocarray(b->data, (size_t)size + 1, 1);
		b->size = (size_t)size + 1;
	}
	if ((got = read(fd, b->data + b->len, (size_t)size - b->len)) == -1)
		return errno == EINTR || errno == EAGAIN ? 2 : -1;
	if (got == 0)
		return b->len == 0 ? 0 : malformed();
	b->len += (size_t)got;
	if ((size = frame_size(b)) == -1)
		return -1;
	if (b->len < (size_t)size)
		return 2;
	r->done = 1;
	b->data[b->len] = '\0';
	return decode((uint8_t)b->data[0], b->data + HEAD_SIZE, b->len - HEAD_SIZE, f);
}

int
stream_read(int fd, struct buf *b, struct stream_frame *f)
{
	struct stream_reader r = { .b = *b };
	int rc;

	r.b.len = 0;
	while ((rc = stream_step(fd, &r, f)) == 2)
		;
	*b = r.b;
	return rc;
}

int
stream_get_header(const struct stream_frame *f, struct header *h)
{
	struct reader r;
	size_t i;
	int64_t date;

	if (f->type != STREAM_HEADER)
		return malformed();
	reader_init(&r, f->data, f->len);
	h->type = (enum message_type)get_enum(&r, MT_COUNT);
	get_text(&r, h->message_id, sizeof(h->message_id));
	get_text(&r, h->sender, sizeof(h->sender));
	get_text(&r, h->user, sizeof(h->user));
	date = get_i64(&r);
	h->created_at = get_i64(&r);
	h->sequence = get_i64(&r);
	get_text(&r, h->replaces, sizeof(h->replaces));
	h->record_count = get_count(&r);
	h->ntotals = get_u32(&r);
	if (r.bad || h->ntotals > CONTROL_TOTALS_MAX || date < INT32_MIN || date > INT32_MAX) {
		h->ntotals = 0;
		return malformed();
	}
	h->business_date = (date_t)date;
	h->totals = xcalloc(h->ntotals + 1, sizeof(h->totals[0]));
	for (i = 0; i < h->ntotals; i++) {
		get_text(&r, h->totals[i].asset, sizeof(h->totals[i].asset));
		h->totals[i].quantity = get_decimal(&r);
	}
	return reader_done(&r) == 0 ? 0 : malformed();
}
