/* SPDX-License-Identifier: ISC */
/* What was downloaded. */
#include <string.h>

#include "model/ident.h"
#include "msg/pack.h"
#include "msg/proto.h"

static void
put_ranges(struct buf *b, const struct byte_ranges *v)
{
	unsigned i;

	put_u32(b, v->n);
	for (i = 0; i < v->n; i++) {
		put_i64(b, v->v[i].from);
		put_i64(b, v->v[i].to);
	}
}

/* In order, apart from each other, none empty. */
static void
get_ranges(struct reader *r, struct byte_ranges *v)
{
	long long last = -1;
	uint32_t n = get_u32(r), i;

	if (n > FETCH_RANGES_MAX)
		r->bad = 1;
	for (i = 0; i < n && !r->bad; i++) {
		v->v[i].from = get_count(r);
		v->v[i].to = get_count(r);
		if (v->v[i].from <= last || v->v[i].to <= v->v[i].from)
			r->bad = 1;
		last = v->v[i].to;
	}
	v->n = r->bad ? 0 : n;
}

void
put_m_box_fetched(struct buf *b, const struct m_box_fetched *v)
{
	put_ranges(b, &v->ranges);
}

int
get_m_box_fetched(const struct msg *m, struct m_box_fetched *v)
{
	struct reader r;

	memset(v, 0, sizeof(*v));
	reader_init(&r, m->payload, m->len);
	get_ranges(&r, &v->ranges);
	return reader_done(&r);
}

void
put_m_fetched(struct buf *b, const struct m_fetched *v)
{
	put_str(b, v->recipient);
	put_str(b, v->file_name);
	put_str(b, v->user);
	put_i64(b, v->size);
	put_i64(b, v->at);
	put_ranges(b, &v->ranges);
}

int
get_m_fetched(const struct msg *m, struct m_fetched *v)
{
	struct reader r;

	memset(v, 0, sizeof(*v));
	reader_init(&r, m->payload, m->len);
	get_checked(&r, v->recipient, sizeof(v->recipient), member_code_ok, 0);
	get_checked(&r, v->file_name, sizeof(v->file_name), file_name_ok, 0);
	get_checked(&r, v->user, sizeof(v->user), user_code_ok, 0);
	v->size = get_count(&r);
	v->at = get_i64(&r);
	get_ranges(&r, &v->ranges);
	if (v->ranges.n == 0 || v->ranges.v[v->ranges.n - 1].to > v->size)
		return -1;
	return reader_done(&r);
}
