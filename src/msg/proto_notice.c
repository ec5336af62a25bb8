/* SPDX-License-Identifier: ISC */
/* Payloads about what is said of a document: verdicts and notices. */
#include <string.h>

#include "model/ident.h"
#include "msg/pack.h"
#include "msg/proto.h"

static int
date_text_ok(const char *s)
{
	date_t d;

	return date_parse(s, &d) == 0;
}

/* A name out of a certificate: its issuer chose the bytes. */
static void
put_dn(struct buf *b, const char *dn)
{
	char s[DN_SIZE];

	if (str_copy(s, sizeof(s), dn) == -1)
		s[0] = '\0';
	text_clean(s);
	put_str(b, s);
}

static void
put_reasons(struct buf *b, const struct reasons *rs)
{
	size_t i;

	put_u8(b, (unsigned)rs->n);
	for (i = 0; i < rs->n; i++) {
		put_u8(b, rs->v[i].code);
		put_i64(b, rs->v[i].line);
		put_str(b, rs->v[i].path);
		put_str(b, rs->v[i].detail);
	}
}

static void
get_reasons(struct reader *r, struct reasons *rs)
{
	size_t i;

	rs->n = get_enum(r, REASONS_MAX + 1);
	for (i = 0; i < rs->n; i++) {
		rs->v[i].code = (enum reason_code)get_enum(r, REASON_COUNT);
		rs->v[i].line = (long)get_count(r);
		get_text(r, rs->v[i].path, sizeof(rs->v[i].path));
		get_text(r, rs->v[i].detail, sizeof(rs->v[i].detail));
	}
}

static void
put_timestamp(struct buf *b, const struct timestamp *t)
{
	put_u8(b, (uint8_t)t->state);
	put_i64(b, t->at);
	put_dn(b, t->authority);
	put_str(b, t->why);
}

static void
get_timestamp(struct reader *r, struct timestamp *t)
{
	t->state = (enum timestamp_state)get_enum(r, TIMESTAMP_STATE_COUNT);
	t->at = get_i64(r);
	get_text(r, t->authority, sizeof(t->authority));
	get_text(r, t->why, sizeof(t->why));
}

static void
put_crls(struct buf *b, const struct crls_used *c)
{
	size_t i;

	put_u8(b, (unsigned)c->n);
	for (i = 0; i < c->n; i++)
		put_str(b, c->sha256[i]);
}

static void
get_crls(struct reader *r, struct crls_used *c)
{
	size_t i;

	c->n = get_enum(r, CRLS_USED_MAX + 1);
	for (i = 0; i < c->n; i++)
		get_checked(r, c->sha256[i], sizeof(c->sha256[i]), sha256_hex_ok, 0);
}

void
put_m_verdict(struct buf *b, const struct m_verdict *v)
{
	put_str(b, v->id);
	put_str(b, v->sha256);
	put_u8(b, v->signature_valid != 0);
	put_str(b, v->cert_sha256);
	put_dn(b, v->signer_subject);
	put_dn(b, v->signer_issuer);
	put_str(b, v->signer_serial);
	put_i64(b, v->signing_time);
	put_str(b, v->policy);
	put_timestamp(b, &v->timestamp);
	put_reasons(b, &v->reasons);
	put_crls(b, &v->crls);
	put_str(b, v->material);
}

int
get_m_verdict(const struct msg *m, struct m_verdict *v)
{
	struct reader r;

	memset(v, 0, sizeof(*v));
	reader_init(&r, m->payload, m->len);
	get_checked(&r, v->id, sizeof(v->id), uuid_ok, 0);
	get_checked(&r, v->sha256, sizeof(v->sha256), sha256_hex_ok, 0);
	v->signature_valid = get_bool(&r);
	get_checked(&r, v->cert_sha256, sizeof(v->cert_sha256), sha256_hex_ok, MAY_BE_EMPTY);
	get_text(&r, v->signer_subject, sizeof(v->signer_subject));
	get_text(&r, v->signer_issuer, sizeof(v->signer_issuer));
	get_text(&r, v->signer_serial, sizeof(v->signer_serial));
	v->signing_time = get_i64(&r);
	get_text(&r, v->policy, sizeof(v->policy));
	get_timestamp(&r, &v->timestamp);
	get_reasons(&r, &v->reasons);
	get_crls(&r, &v->crls);
	get_checked(&r, v->material, sizeof(v->material), sha256_hex_ok, MAY_BE_EMPTY);
	/* without a reason against it there is a signature that holds, and its
	 * certificate is known: else the document would be nobody's word */
	if (v->reasons.n == 0 && (!v->signature_valid || v->cert_sha256[0] == '\0'))
		return -1;
	return reader_done(&r);
}

void
put_m_notice_id(struct buf *b, const struct m_notice_id *v)
{
	put_str(b, v->id);
}

int
get_m_notice_id(const struct msg *m, struct m_notice_id *v)
{
	struct reader r;

	memset(v, 0, sizeof(*v));
	reader_init(&r, m->payload, m->len);
	get_checked(&r, v->id, sizeof(v->id), uuid_ok, 0);
	return reader_done(&r);
}

void
put_m_notice_file(struct buf *b, const struct m_notice_file *v)
{
	put_str(b, v->id);
	put_str(b, v->sha256);
	put_i64(b, v->size);
	put_i64(b, v->signed_at);
}

int
get_m_notice_file(const struct msg *m, struct m_notice_file *v)
{
	struct reader r;

	memset(v, 0, sizeof(*v));
	reader_init(&r, m->payload, m->len);
	get_checked(&r, v->id, sizeof(v->id), uuid_ok, 0);
	get_checked(&r, v->sha256, sizeof(v->sha256), sha256_hex_ok, 0);
	v->size = get_count(&r);
	v->signed_at = get_i64(&r);
	return reader_done(&r);
}

void
put_m_notice_publish(struct buf *b, const struct m_notice_publish *v)
{
	put_str(b, v->id);
	put_str(b, v->recipient);
	put_str(b, v->file_name);
	put_str(b, v->sha256);
	put_str(b, v->day);
	put_u8(b, v->archived != 0);
}

int
get_m_notice_publish(const struct msg *m, struct m_notice_publish *v)
{
	struct reader r;

	memset(v, 0, sizeof(*v));
	reader_init(&r, m->payload, m->len);
	get_checked(&r, v->id, sizeof(v->id), uuid_ok, 0);
	get_checked(&r, v->recipient, sizeof(v->recipient), member_code_ok, 0);
	get_checked(&r, v->file_name, sizeof(v->file_name), file_name_ok, 0);
	get_checked(&r, v->sha256, sizeof(v->sha256), sha256_hex_ok, 0);
	get_checked(&r, v->day, sizeof(v->day), date_text_ok, 0);
	v->archived = get_bool(&r);
	return reader_done(&r);
}

void
put_m_notice_published(struct buf *b, const struct m_notice_published *v)
{
	put_str(b, v->id);
	put_u8(b, v->archived != 0);
}

int
get_m_notice_published(const struct msg *m, struct m_notice_published *v)
{
	struct reader r;

	memset(v, 0, sizeof(*v));
	reader_init(&r, m->payload, m->len);
	get_checked(&r, v->id, sizeof(v->id), uuid_ok, 0);
	v->archived = get_bool(&r);
	return reader_done(&r);
}

void
put_m_archived(struct buf *b, const struct m_archived *v)
{
	put_str(b, v->id);
	put_u8(b, v->ok != 0);
}

int
get_m_archived(const struct msg *m, struct m_archived *v)
{
	struct reader r;

	memset(v, 0, sizeof(*v));
	reader_init(&r, m->payload, m->len);
	get_checked(&r, v->id, sizeof(v->id), uuid_ok, 0);
	v->ok = get_bool(&r);
	return reader_done(&r);
}

void
put_notice(struct buf *b, const struct notice *v)
{
	put_str(b, v->id);
	put_u8(b, v->kind);
	put_str(b, v->recipient);
	put_str(b, v->file_name);
	put_i64(b, v->issued_at);
	put_u8(b, v->level);
	put_str(b, v->submission_id);
	put_str(b, v->submission_name);
	put_str(b, v->submission_sha256);
	put_i64(b, v->submission_size);
	put_i64(b, v->received_at);
	put_str(b, v->uploader);
	put_str(b, v->message_id);
	put_str(b, v->message_type);
	put_dn(b, v->signer_subject);
	put_dn(b, v->signer_issuer);
	put_str(b, v->signer_serial);
	put_i64(b, v->record_count);
	put_u8(b, v->late != 0);
	put_i64(b, v->breaks);
	put_reasons(b, &v->reasons);
	put_i64(b, v->findings);
	put_i64(b, v->business_date);
	put_i64(b, v->run);
	put_i64(b, v->line_count);
}

/* The part of an acknowledgement about its submission: whole for that kind,
 * absent for the others. */
static void
get_notice_submission(struct reader *r, struct notice *v)
{
	int flags = v->kind == NK_ACKNOWLEDGEMENT ? 0 : MAY_BE_EMPTY;

	get_checked(r, v->submission_id, sizeof(v->submission_id), uuid_ok, flags);
	get_checked(r, v->submission_name, sizeof(v->submission_name), file_name_ok, flags);
	get_checked(r, v->submission_sha256, sizeof(v->submission_sha256), sha256_hex_ok, flags);
	v->submission_size = get_count(r);
	v->received_at = get_i64(r);
	get_checked(r, v->uploader, sizeof(v->uploader), user_code_ok, flags);
	get_checked(r, v->message_id, sizeof(v->message_id), message_id_ok, MAY_BE_EMPTY);
	get_text(r, v->message_type, sizeof(v->message_type));
	get_text(r, v->signer_subject, sizeof(v->signer_subject));
	get_text(r, v->signer_issuer, sizeof(v->signer_issuer));
	get_text(r, v->signer_serial, sizeof(v->signer_serial));
	v->record_count = get_count(r);
	v->late = get_bool(r);
	v->breaks = get_count(r);
}

int
get_notice(const struct msg *m, struct notice *v)
{
	struct reader r;
	int64_t date, run;

	memset(v, 0, sizeof(*v));
	reader_init(&r, m->payload, m->len);
	get_checked(&r, v->id, sizeof(v->id), uuid_ok, 0);
	v->kind = (enum notice_kind)get_enum(&r, NK_COUNT);
	get_checked(&r, v->recipient, sizeof(v->recipient), member_code_ok, 0);
	get_checked(&r, v->file_name, sizeof(v->file_name), file_name_ok, 0);
	v->issued_at = get_i64(&r);
	v->level = (enum notice_level)get_enum(&r, NL_COUNT);
	get_notice_submission(&r, v);
	get_reasons(&r, &v->reasons);
	v->findings = get_count(&r);
	date = get_i64(&r);
	run = get_count(&r);
	v->line_count = get_count(&r);
	if (date < INT32_MIN || date > INT32_MAX || run > INT32_MAX)
		return -1;
	v->business_date = (date_t)date;
	v->run = (int)run;
	return reader_done(&r);
}
