/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "model/ident.h"
#include "msg/pack.h"
#include "msg/proto.h"

/*
 * Names that a peer of the network chose (a login's user, a file in a
 * request) are only bounded here: whoever judges them answers the peer with
 * an error, and a strange name must not look like a broken process.
 */

void
put_m_peer(struct buf *b, const struct m_peer *v)
{
	put_str(b, v->address);
	put_u32(b, (uint32_t)v->port);
}

int
get_m_peer(const struct msg *m, struct m_peer *v)
{
	struct reader r;
	uint32_t port;

	memset(v, 0, sizeof(*v));
	reader_init(&r, m->payload, m->len);
	get_text(&r, v->address, sizeof(v->address));
	port = get_u32(&r);
	if (port > UINT16_MAX)
		return -1;
	v->port = (int)port;
	return reader_done(&r);
}

void
put_m_login(struct buf *b, const struct m_login *v)
{
	put_str(b, v->user);
	put_str(b, v->algorithm);
	put_bytes(b, v->key, v->key_len);
	put_u8(b, v->proved != 0);
}

int
get_m_login(const struct msg *m, struct m_login *v)
{
	struct reader r;

	memset(v, 0, sizeof(*v));
	reader_init(&r, m->payload, m->len);
	get_str(&r, v->user, sizeof(v->user));
	get_str(&r, v->algorithm, sizeof(v->algorithm));
	v->key_len = get_bytes(&r, v->key, sizeof(v->key));
	v->proved = get_bool(&r);
	return reader_done(&r);
}

static void
put_rights(struct buf *b, const struct m_rights *v)
{
	put_u8(b, v->may_send != 0);
	put_u8(b, v->sees_trail != 0);
	put_u8(b, v->sees_archives != 0);
}

static void
get_rights(struct reader *r, struct m_rights *v)
{
	v->may_send = get_bool(r);
	v->sees_trail = get_bool(r);
	v->sees_archives = get_bool(r);
}

void
put_m_login_result(struct buf *b, const struct m_login_result *v)
{
	char why[sizeof(v->why)];

	/* It may repeat what a peer of the network said. */
	if (str_copy(why, sizeof(why), v->why) == -1)
		why[0] = '\0';
	text_clean(why);
	put_u8(b, v->ok != 0);
	put_rights(b, &v->may);
	put_str(b, v->user);
	put_str(b, v->member);
	put_str(b, why);
}

int
get_m_login_result(const struct msg *m, struct m_login_result *v)
{
	struct reader r;
	int flags;

	memset(v, 0, sizeof(*v));
	reader_init(&r, m->payload, m->len);
	v->ok = get_bool(&r);
	get_rights(&r, &v->may);
	/* A refused login may be of a user that cannot be. */
	flags = v->ok ? 0 : MAY_BE_EMPTY;
	if (v->ok)
		get_checked(&r, v->user, sizeof(v->user), user_code_ok, 0);
	else
		get_str(&r, v->user, sizeof(v->user));
	get_checked(&r, v->member, sizeof(v->member), member_code_ok, flags);
	get_text(&r, v->why, sizeof(v->why));
	return reader_done(&r);
}

void
put_m_rights(struct buf *b, const struct m_rights *v)
{
	put_rights(b, v);
}

int
get_m_rights(const struct msg *m, struct m_rights *v)
{
	struct reader r;

	memset(v, 0, sizeof(*v));
	reader_init(&r, m->payload, m->len);
	get_rights(&r, v);
	return reader_done(&r);
}

void
put_m_box_open(struct buf *b, const struct m_box_open *v)
{
	put_u8(b, v->folder);
	put_str(b, v->member);
	put_str(b, v->day);
	put_str(b, v->name);
	put_u32(b, (uint32_t)v->flags);
}

int
get_m_box_open(const struct msg *m, struct m_box_open *v)
{
	const uint32_t all = BOX_READ | BOX_WRITE | BOX_CREAT | BOX_TRUNC | BOX_EXCL | BOX_DIR;
	struct reader r;
	uint32_t flags;

	memset(v, 0, sizeof(*v));
	reader_init(&r, m->payload, m->len);
	v->folder = (enum box_folder)get_enum(&r, BOX_FOLDER_COUNT);
	get_str(&r, v->member, sizeof(v->member));
	get_str(&r, v->day, sizeof(v->day));
	get_str(&r, v->name, sizeof(v->name));
	flags = get_u32(&r);
	if ((flags & ~all) != 0)
		return -1;
	v->flags = (int)flags;
	return reader_done(&r);
}

void
file_id_of(const struct stat *st, struct file_id *id)
{
	id->ino = st->st_ino;
	id->dev = st->st_dev;
	id->mtime = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

int
file_id_is(const struct file_id *id, const struct stat *st)
{
	struct file_id now;

	file_id_of(st, &now);
	return id->ino == 0 ||
	    (id->ino == now.ino && id->dev == now.dev &&
	    (id->mtime == 0 || id->mtime == now.mtime));
}

static void
put_file_id(struct buf *b, const struct file_id *v)
{
	put_i64(b, (int64_t)v->ino);
	put_i64(b, (int64_t)v->dev);
	put_i64(b, v->mtime);
}

static void
get_file_id(struct reader *r, struct file_id *v)
{
	v->ino = (uint64_t)get_i64(r);
	v->dev = (uint64_t)get_i64(r);
	v->mtime = get_i64(r);
}

void
put_m_box_name(struct buf *b, const struct m_box_name *v)
{
	put_str(b, v->name);
	put_file_id(b, &v->id);
}

int
get_m_box_name(const struct msg *m, struct m_box_name *v)
{
	struct reader r;

	memset(v, 0, sizeof(*v));
	reader_init(&r, m->payload, m->len);
	get_str(&r, v->name, sizeof(v->name));
	get_file_id(&r, &v->id);
	return reader_done(&r);
}

void
put_m_box_rename(struct buf *b, const struct m_box_rename *v)
{
	put_str(b, v->from);
	put_str(b, v->to);
	put_file_id(b, &v->id);
}

int
get_m_box_rename(const struct msg *m, struct m_box_rename *v)
{
	struct reader r;

	memset(v, 0, sizeof(*v));
	reader_init(&r, m->payload, m->len);
	get_str(&r, v->from, sizeof(v->from));
	get_str(&r, v->to, sizeof(v->to));
	get_file_id(&r, &v->id);
	return reader_done(&r);
}

void
put_m_box_result(struct buf *b, const struct m_box_result *v)
{
	put_u8(b, v->status);
}

int
get_m_box_result(const struct msg *m, struct m_box_result *v)
{
	struct reader r;

	memset(v, 0, sizeof(*v));
	reader_init(&r, m->payload, m->len);
	v->status = (enum box_status)get_enum(&r, BOX_FAILURE + 1);
	return reader_done(&r);
}

void
put_m_submission(struct buf *b, const struct m_submission *v)
{
	put_str(b, v->id);
	put_str(b, v->user);
	put_str(b, v->name);
	put_i64(b, v->size);
	put_i64(b, v->received_at);
	put_u8(b, v->kind);
}

int
get_m_submission(const struct msg *m, struct m_submission *v)
{
	struct reader r;

	memset(v, 0, sizeof(*v));
	reader_init(&r, m->payload, m->len);
	get_checked(&r, v->id, sizeof(v->id), uuid_ok, 0);
	get_checked(&r, v->user, sizeof(v->user), user_code_ok, 0);
	get_checked(&r, v->name, sizeof(v->name), file_name_ok, 0);
	v->size = get_count(&r);
	v->received_at = get_i64(&r);
	v->kind = (enum member_kind)get_enum(&r, MEMBER_KIND_COUNT);
	return reader_done(&r);
}

void
put_m_submission_id(struct buf *b, const struct m_submission_id *v)
{
	put_str(b, v->id);
}

int
get_m_submission_id(const struct msg *m, struct m_submission_id *v)
{
	struct reader r;

	memset(v, 0, sizeof(*v));
	reader_init(&r, m->payload, m->len);
	get_checked(&r, v->id, sizeof(v->id), uuid_ok, 0);
	return reader_done(&r);
}

void
put_m_submission_state(struct buf *b, const struct m_submission_state *v)
{
	put_str(b, v->id);
	put_u8(b, v->state);
	put_str(b, v->sha256);
	put_u8(b, v->retry_later != 0);
	put_u8(b, v->kind);
}

int
get_m_submission_state(const struct msg *m, struct m_submission_state *v)
{
	struct reader r;

	memset(v, 0, sizeof(*v));
	reader_init(&r, m->payload, m->len);
	get_checked(&r, v->id, sizeof(v->id), uuid_ok, 0);
	v->state = (enum submission_state)get_enum(&r, SUB_STATE_COUNT);
	get_checked(&r, v->sha256, sizeof(v->sha256), sha256_hex_ok, MAY_BE_EMPTY);
	v->retry_later = get_bool(&r);
	v->kind = (enum member_kind)get_enum(&r, MEMBER_KIND_COUNT);
	return reader_done(&r);
}
