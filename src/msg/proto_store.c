/* SPDX-License-Identifier: ISC */
/* Payloads about the store. */
#include <string.h>

#include "msg/pack.h"
#include "msg/proto.h"

void
put_m_document(struct buf *b, const struct m_document *v)
{
	put_str(b, v->sha256);
}

int
get_m_document(const struct msg *m, struct m_document *v)
{
	struct reader r;

	memset(v, 0, sizeof(*v));
	reader_init(&r, m->payload, m->len);
	get_checked(&r, v->sha256, sizeof(v->sha256), sha256_hex_ok, 0);
	return reader_done(&r);
}

void
put_m_kept(struct buf *b, const struct m_kept *v)
{
	put_str(b, v->sha256);
	put_u8(b, v->result);
}

int
get_m_kept(const struct msg *m, struct m_kept *v)
{
	struct reader r;

	memset(v, 0, sizeof(*v));
	reader_init(&r, m->payload, m->len);
	get_checked(&r, v->sha256, sizeof(v->sha256), sha256_hex_ok, 0);
	v->result = (enum kept_result)get_enum(&r, KEPT_RESULT_COUNT);
	return reader_done(&r);
}

void
put_m_material(struct buf *b, const struct m_material *v)
{
	put_u8(b, v->slot);
	put_u8(b, v->last != 0);
}

int
get_m_material(const struct msg *m, struct m_material *v)
{
	struct reader r;

	memset(v, 0, sizeof(*v));
	reader_init(&r, m->payload, m->len);
	v->slot = get_enum(&r, MATERIAL_SLOTS_MAX);
	v->last = get_bool(&r);
	return reader_done(&r);
}

void
put_m_pass(struct buf *b, const struct m_pass *v)
{
	put_str(b, v->rot);
	put_i64(b, v->ended_at);
	put_i64(b, v->documents);
	put_i64(b, v->bytes);
	put_i64(b, v->rotten);
	put_i64(b, v->unread);
}

int
get_m_pass(const struct msg *m, struct m_pass *v)
{
	struct reader r;

	memset(v, 0, sizeof(*v));
	reader_init(&r, m->payload, m->len);
	get_checked(&r, v->rot, sizeof(v->rot), sha256_hex_ok, 1);
	v->ended_at = get_count(&r);
	v->documents = get_count(&r);
	v->bytes = get_count(&r);
	v->rotten = get_count(&r);
	v->unread = get_count(&r);
	return reader_done(&r);
}
