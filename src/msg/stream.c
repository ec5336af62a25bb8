/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

/* The payload of n bytes into b, NUL-terminated; 0 or -1. */
static int
read_payload(int fd, struct buf *b, size_t n)
{
	ssize_t got;

	if (b->size < n + 1) {
		b->data = xreallocarray(b->data, n + 1, 1);
		b->size = n + 1;
	}
	if ((got = read_full(fd, b->data, n)) == -1)
		return -1;
	if ((size_t)got != n)
		return malformed();
	b->data[n] = '\0';
	b->len = n;
	return 0;
}

int
stream_read(int fd, struct buf *b, struct stream_frame *f)
{
	uint8_t head[HEAD_SIZE];
	uint32_t len;
	ssize_t n;

	memset(f, 0, sizeof(*f));
	if ((n = read_full(fd, head, sizeof(head))) <= 0)
		return (int)n;
	if ((size_t)n != sizeof(head))
		return malformed();
	memcpy(&len, head + 1, sizeof(len));
	if (len > STREAM_MAX_FRAME)
		return malformed();
	if (read_payload(fd, b, len) == -1)
		return -1;
	f->type = head[0];
	f->data = b->data;
	f->len = len;
	switch (head[0]) {
	case STREAM_HEADER:
		return 1;
	case STREAM_RECORDS:
		if (len < 2 || (uint8_t)b->data[0] >= REC_COUNT ||
		    b->data[len - 1] != '\n' || memchr(b->data + 1, '\0', len - 1) != NULL)
			return malformed();
		f->kind = (enum record_kind)b->data[0];
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
