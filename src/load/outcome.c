/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "load/outcome.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "load/array.h"
#include "load/authorization.h"
#include "load/registration.h"
#include "load/response.h"
#include "model/ident.h"
#include "pg/queue.h"
#include "pg/store.h"

#define TIME_END	INT64_C(253402300800000000)	/* 10000-01-01: RFC 3339 ends */
#define DATE_END	2932897				/* the same day, in days */

struct number { char s[24]; };

static const char *
number(long long n, struct number *buf)
{
	(void)snprintf(buf->s, sizeof(buf->s), "%lld", n);
	return buf->s;
}

/* NULL for 0, which no identity column gives. */
static const char *
reference(long long n, struct number *buf)
{
	return n == 0 ? NULL : number(n, buf);
}

static const char *
moment(usec_t t, char buf[TIME_SIZE])
{
	if (t <= 0 || t >= TIME_END)
		return NULL;
	time_format(t, buf);
	return buf;
}

static int
date_known(const struct header *h)
{
	return h != NULL && h->business_date >= 0 && h->business_date < DATE_END;
}

static const char *
text(const char *s)
{
	return s[0] == '\0' ? NULL : s;
}

/* Is t after its type's cut-off, on the day after D (R4)? */
static int
is_late(const struct conf *conf, const struct header *h, usec_t t)
{
	return date_known(h) && t >= conf_cutoff(conf, message_type_name(h->type), h->business_date);
}

usec_t
outcome_deadline(const struct conf *conf, const char *message_type, date_t business_date,
    usec_t received_at)
{
	date_t	day = business_date;
	usec_t	t;

	do
		t = conf_cutoff(conf, message_type, day++);
	while (t <= received_at);
	return t;
}

static int
write_state(struct db *db, const struct conf *conf, const struct outcome *o,
    enum submission_state from, enum submission_state to, usec_t now)
{
	const struct header	*h = o->header;
	const struct m_verdict	*v = o->verdict;
	struct number		 no, seq, count, replaces, repeat;
	char			 decided[TIME_SIZE], created[TIME_SIZE], signing[TIME_SIZE], date[DATE_SIZE];
	const char		*p[24] = { NULL };
	int			 late = is_late(conf, h, o->sub->received_at);

	p[0] = number(o->no, &no);
	p[1] = submission_state_name(from);
	p[2] = submission_state_name(to);
	p[3] = moment(now, decided);
	p[4] = o->counted ? "t" : "f";
	p[5] = o->reserves_id ? "t" : "f";
	p[6] = late ? "t" : "f";
	if (v != NULL) {
		p[7] = text(v->sha256);
		p[23] = text(v->material);
	}
	/* Before its signature held, the certificate is only a claim of whoever
	 * sent it: we sign notices, and must not name a signer in them then. */
	if (v != NULL && reasons_stage(&v->reasons) > STAGE_SIGNATURE) {
		p[8] = text(v->signer_subject);
		p[9] = text(v->signer_issuer);
		p[10] = text(v->signer_serial);
		p[11] = text(v->cert_sha256);
		p[12] = moment(v->signing_time, signing);
	}
	if (h != NULL) {
		p[13] = message_type_name(h->type);
		p[14] = h->message_id;
		p[15] = h->user;
		if (date_known(h)) {
			date_format(h->business_date, date);
			p[16] = date;
		}
		p[17] = number(h->sequence, &seq);
		p[18] = number(h->record_count, &count);
		p[19] = moment(h->created_at, created);
	}
	p[20] = reference(o->replaces, &replaces);
	p[21] = reference(o->repeat_of, &repeat);
	p[22] = o->member;
	if (db_prepared_exec(db, "load_state",
	    "UPDATE muhur.submission SET state = $3, decided_at = $4, counted = $5,"
	    " reserves_id = $6, late = $7, sha256 = $8, signer_subject = $9,"
	    " signer_issuer = $10, signer_serial = $11, signer_cert = $12,"
	    " signing_time = $13, message_type = $14, message_id = $15, user_code = $16,"
	    " business_date = $17, sequence = $18, record_count = $19, created_at = $20,"
	    " replaces = $21, repeat_of = $22, member_code = $23,"
	    " material = $24 WHERE no = $1 AND state = $2", 24, p) == 1)
		return 0;
	log_warnx("submission %s: its state could not be changed from %s", o->sub->id,
	    submission_state_name(from));
	return -1;
}

/* What else was found of a signature that held; of few documents there is any. */
static int
write_signature(struct db *db, const struct outcome *o)
{
	const struct m_verdict	*v = o->verdict;
	struct number		 no;
	char			 at[TIME_SIZE];
	const char		*p[6];

	if (v == NULL || reasons_stage(&v->reasons) <= STAGE_SIGNATURE ||
	    (v->policy[0] == '\0' && v->timestamp.state == TIMESTAMP_NONE))
		return 0;
	p[0] = number(o->no, &no);
	p[1] = text(v->policy);
	p[2] = v->timestamp.state != TIMESTAMP_NONE ? timestamp_state_name(v->timestamp.state) : NULL;
	p[3] = moment(v->timestamp.at, at);
	p[4] = text(v->timestamp.authority);
	p[5] = text(v->timestamp.why);
	return db_prepared_exec(db, "load_signature", "UPDATE muhur.submission SET"
	    " signature_policy = $2, timestamp_state = $3, timestamp_at = $4,"
	    " timestamp_authority = $5, timestamp_why = $6 WHERE no = $1", 6, p) == 1 ? 0 : -1;
}

static int
write_reasons(struct db *db, const struct outcome *o)
{
	struct number	 no, ordinal, line;
	const char	*p[6];
	size_t		 i;

	for (i = 0; o->reasons != NULL && i < o->reasons->n; i++) {
		const struct reason *r = &o->reasons->v[i];

		p[0] = number(o->no, &no);
		p[1] = number((long long)i + 1, &ordinal);
		p[2] = reason_info(r->code)->name;
		p[3] = number(r->line, &line);
		p[4] = r->path;
		p[5] = r->detail;
		if (db_prepared_exec(db, "load_reason", "INSERT INTO muhur.submission_reason "
		    "(submission, ordinal, code, line, path, detail) "
		    "VALUES ($1, $2, $3, $4, $5, $6)", 6, p) == -1)
			return -1;
	}
	return 0;
}

/* By which CRLs the signer's certificate was judged: muhur.crl keeps them. */
static int
write_crls(struct db *db, const struct outcome *o)
{
	const struct m_verdict	*v = o->verdict;
	struct number		 no;
	struct buf		 a = { 0 };
	const char		*p[2] = { number(o->no, &no), NULL };
	size_t			 i;
	long			 n;

	if (v == NULL || v->crls.n == 0)
		return 0;
	for (i = 0; i < v->crls.n; i++)
		array_add(&a, v->crls.sha256[i]);
	p[1] = array_end(&a);
	n = db_prepared_exec(db, "load_crls", "INSERT INTO muhur.submission_crl (submission, sha256) "
	    "SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING", 2, p);
	buf_free(&a);
	return n == -1 ? -1 : 0;
}

/* What is told of a submission in the trail: its digest, and whose word it is, as far
 * as that is known by then; by what it was judged; of a refusal, the codes; who decided, or what it meets. */
static const char event_sql[] =
    "INSERT INTO muhur.event (at, kind, actor, submission, detail) "
    "SELECT $1::timestamptz, $2, $3, s.no, jsonb_strip_nulls(jsonb_build_object("
    "'sha256', s.sha256, 'member', s.member_code, 'messageType', s.message_type, 'messageId', s.message_id,"
    "'businessDate', s.business_date, 'certificate', s.signer_cert,"
    "'signingTime', to_char(s.signing_time AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'),"
    "'material', s.material, 'reasons', $5::jsonb,"
    "'by', (SELECT b.id FROM muhur.submission b WHERE b.no = s.approved_by),"
    "'replaces', (SELECT b.id FROM muhur.submission b WHERE b.no = s.replaces),"
    "'repeatOf', (SELECT b.id FROM muhur.submission b WHERE b.no = s.repeat_of))) "
    "FROM muhur.submission s WHERE s.no = $4::bigint";

/* After its row says what was decided. */
static int
write_event(struct db *db, const struct outcome *o, enum submission_state to, usec_t now)
{
	struct number	 no;
	struct buf	 codes = { 0 };
	char		 when[TIME_SIZE];
	const char	*p[] = { moment(now, when), submission_state_name(to), o->actor, number(o->no, &no), NULL };
	size_t		 i;
	long		 n;

	if ((o->event == EV_REJECT || o->event == EV_EXPIRE) && o->reasons != NULL) {
		for (i = 0; i < o->reasons->n; i++)
			(void)buf_printf(&codes, "%s\"%s\"", i == 0 ? "[" : ",",
			    reason_info(o->reasons->v[i].code)->name);
		(void)buf_puts(&codes, i == 0 ? "[]" : "]");
		p[4] = codes.data;
	}
	n = db_prepared_exec(db, "load_event", event_sql, 5, p);
	buf_free(&codes);
	return n == 1 ? 0 : -1;
}

static int
write_notice(struct db *db, const struct outcome *o, const char *recipient,
    enum notice_level level, usec_t now)
{
	struct store_notice	n = { .kind = NK_ACKNOWLEDGEMENT, .recipient = recipient,
				    .level = level, .submission = o->no, .issued_at = now };
	char			name[FILE_NAME_SIZE];

	store_acknowledgement_name(o->sub->id, level, name);
	n.file_name = name;
	return store_notice(db, &n, NULL) == -1 ? -1 : 0;
}

/* Level (i) of the sources: received, then accepted, rejected or waiting (S2 A).
 * Who acts for another member reads the answer as well as that member does; what
 * is there already stands as it is. */
static int
write_notices(struct db *db, const struct outcome *o, enum notice_level level, usec_t now)
{
	char		 uploader[MEMBER_CODE_SIZE];
	const char	*to[2] = { o->member, uploader };
	size_t		 i, n;

	if (user_code_member(o->sub->user, uploader) == -1)
		return -1;
	n = strcmp(uploader, o->member) == 0 ? 1 : 2;
	for (i = 0; i < n; i++)
		if (write_notice(db, o, to[i], NL_RECEIVED, now) == -1 ||
		    write_notice(db, o, to[i], level, now) == -1)
			return -1;
	return store_notify(db, CHANNEL_NOTICE);
}

static int
write_replaced(struct db *db, const struct outcome *o, usec_t now)
{
	struct number	 old;
	char		 detail[64];
	const char	*p[3];

	if (submission_next(SUB_ACCEPTED, EV_REPLACE) != SUB_REPLACED)
		fatalx("submission: an accepted one cannot be replaced");
	p[0] = number(o->replaces, &old);
	p[1] = submission_state_name(SUB_ACCEPTED);
	p[2] = submission_state_name(SUB_REPLACED);
	if (db_prepared_exec(db, "load_replaced", "UPDATE muhur.submission SET state = $3 "
	    "WHERE no = $1 AND state = $2", 3, p) != 1) {
		log_warnx("submission %s: what it replaces is not in effect any more", o->sub->id);
		return -1;
	}
	(void)snprintf(detail, sizeof(detail), "{\"by\":\"%s\"}", o->sub->id);
	return store_event(db, now, p[2], o->actor, o->replaces, 0, detail);
}

/*
 * The last two of a day could be accepted at the same moment, each not seeing
 * the other.  So a member's first one of a type and day holds the day alone until
 * its commit; further ones, which cannot complete it, hold it together.
 */
static int
lock_day(struct db *db, const struct outcome *o, const char *date)
{
	struct number	 no;
	const char	*p[] = { o->member, date, number(o->no, &no), message_type_name(o->header->type) };

	return db_prepared_exec(db, "load_lock_day",
	    "SELECT CASE WHEN EXISTS (SELECT FROM muhur.submission WHERE member_code = $1"
	    "  AND business_date = $2::date AND state = 'accepted' AND no <> $3::bigint"
	    "  AND message_type = $4)"
	    " THEN pg_advisory_xact_lock_shared(hashtext('muhur.day'), $2::date - date '2000-01-01')"
	    " ELSE pg_advisory_xact_lock(hashtext('muhur.day'), $2::date - date '2000-01-01')"
	    " END", 4, p) == -1 ? -1 : 0;
}

/* A suspended member owes its reports too (R4), but cannot send them. */
static const char day_sql[] =
    "SELECT coalesce(bool_and(o.is_in), false),"
    " EXISTS (SELECT FROM muhur.reconcile_run WHERE business_date = $1::date) "
    "FROM muhur.owed($1::date) o JOIN muhur.member m ON m.code = o.member_code AND m.state = 'active'";

/* Reconcile when every report that is owed is in; a day that was reconciled
 * already, when anything of it changes. */
static int
queue_day(struct db *db, const struct conf *conf, const struct outcome *o, usec_t now)
{
	char		 date[DATE_SIZE];
	const char	*p[] = { date };
	PGresult	*res;
	int		 complete, ran;

	date_format(o->header->business_date, date);
	if (lock_day(db, o, date) == -1)
		return -1;
	if ((res = db_prepared(db, "load_day_complete", day_sql, 1, p)) == NULL)
		return -1;
	complete = PQgetvalue(res, 0, 0)[0] == 't';
	ran = PQgetvalue(res, 0, 1)[0] == 't';
	PQclear(res);
	if (!complete && !ran)
		return 0;
	return queue_add(db, o->header->business_date,
	    now + conf->reconcile_delay * USEC_PER_SEC,
	    o->replaces != 0 || ran ? "correction" : "complete");
}

/* Level (ii): what is wrong with its records, for the notice that it is accepted. */
static int
check_records(struct db *db, const struct outcome *o)
{
	struct number	 no;
	const char	*p[] = { number(o->no, &no) };

	return db_prepared_exec(db, "load_check_records", "SELECT muhur.check_records($1::bigint)", 1, p) == -1 ?
	    -1 : 0;
}

/* What an accepted message does beside its records, by its class. */
static int
take_effect(struct db *db, const struct conf *conf, const struct outcome *o, usec_t now)
{
	switch (message_type_class(o->header->type)) {
	case MC_DAY:
		/* before the day is locked: it takes its time */
		return check_records(db, o) == -1 ? -1 : queue_day(db, conf, o, now);
	case MC_AUTHORITY:
		if (authorization_event(db, o->actor, o->no, now) == -1)
			return -1;
		return authorization_report(db, o->member, o->no, now);
	case MC_RESPONSE:
		return response_apply(db, o->no, now);
	case MC_REGISTRATION:	/* who is unknown changes with it (R5) */
		return registration_answer(db, conf, o->no, now) == -1 ? -1 : queue_day(db, conf, o, now);
	case MC_DECISION:	/* approval_apply, by the caller */
		return 0;
	}
	return 0;
}

int
outcome_write(struct db *db, const struct conf *conf, const struct outcome *o,
    enum submission_state from, enum submission_state *to)
{
	usec_t	 now = clock_now();

	*to = submission_next(from, o->event);
	if (*to == SUB_STATE_COUNT)
		fatalx("submission %s: %s while %s is impossible", o->sub->id,
		    submission_event_name(o->event), submission_state_name(from));
	if (write_state(db, conf, o, from, *to, now) == -1 || write_signature(db, o) == -1 ||
	    write_crls(db, o) == -1 ||
	    write_event(db, o, *to, now) == -1)
		return -1;
	switch (o->event) {
	case EV_ACCEPT:
		if (o->replaces != 0 && write_replaced(db, o, now) == -1)
			return -1;
		if (write_notices(db, o, NL_ACCEPTED, now) == -1)
			return -1;
		return take_effect(db, conf, o, now);
	case EV_WAIT:
		return write_notices(db, o, NL_WAITING, now);
	case EV_REJECT:
		return write_reasons(db, o) == -1 ? -1 : write_notices(db, o, NL_REJECTED, now);
	case EV_REPEAT:
		return store_republish_submission(db, o->repeat_of) == -1 ? -1 : 0;
	default:
		return 0;
	}
}

int
outcome_settle(struct db *db, const struct conf *conf, const struct outcome *o,
    long long decided_by, enum submission_state *to)
{
	usec_t		 now = clock_now();
	char		 decided[TIME_SIZE];
	struct number	 no, by;
	const char	*p[] = { number(o->no, &no), NULL, moment(now, decided),
			    reference(decided_by, &by),
			    is_late(conf, o->header, o->decided_at) ? "t" : "f" };

	*to = submission_next(SUB_WAITING, o->event);
	if (*to == SUB_STATE_COUNT)
		fatalx("submission %s: %s while it waits is impossible", o->sub->id,
		    submission_event_name(o->event));
	p[1] = submission_state_name(*to);
	/* the directory, which drops what has waited too long, may not touch the rest */
	if ((decided_by != 0 ? db_prepared_exec(db, "settle", "UPDATE muhur.submission"
	    " SET state = $2, decided_at = $3, approved_by = $4, late = late OR $5::boolean"
	    " WHERE no = $1 AND state = 'waiting'", 5, p) :
	    db_prepared_exec(db, "settle_expired", "UPDATE muhur.submission"
	    " SET state = $2, decided_at = $3 WHERE no = $1 AND state = 'waiting'", 3, p)) != 1) {
		log_warnx("submission %s: it does not wait any more", o->sub->id);
		return -1;
	}
	if (write_event(db, o, *to, now) == -1)
		return -1;
	if (o->event == EV_EXPIRE)
		return write_reasons(db, o) == -1 ? -1 : write_notices(db, o, NL_REJECTED, now);
	if (o->event != EV_APPROVE)
		return 0;
	if (o->replaces != 0 && write_replaced(db, o, now) == -1)
		return -1;
	return write_notices(db, o, NL_ACCEPTED, now) == -1 ? -1 :
	    take_effect(db, conf, o, now);
}

int
outcome_operator(struct db *db, const struct outcome *o, enum submission_state from,
    enum submission_state *to)
{
	struct number	 no;
	char		 decided[TIME_SIZE];
	const char	*p[4];
	usec_t		 now = clock_now();

	*to = submission_next(from, o->event);
	if (*to == SUB_STATE_COUNT)
		fatalx("submission %s: %s while %s is impossible", o->sub->id,
		    submission_event_name(o->event), submission_state_name(from));
	p[0] = number(o->no, &no);
	p[1] = submission_state_name(from);
	p[2] = submission_state_name(*to);
	p[3] = *to == SUB_REJECTED ? moment(now, decided) : NULL;
	if (db_prepared_exec(db, "operator_state", "UPDATE muhur.submission SET state = $3, "
	    "decided_at = $4, operator_decision = NULL WHERE no = $1 AND state = $2", 4, p) != 1)
		return -1;
	if (write_event(db, o, *to, now) == -1)
		return -1;
	if (o->event != EV_REJECT)
		return 0;
	return write_reasons(db, o) == -1 ? -1 : write_notices(db, o, NL_REJECTED, now);
}
