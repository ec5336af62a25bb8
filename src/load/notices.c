/* SPDX-License-Identifier: ISC */
/* Notices on their way: to sign, signed, shown in the outbox, taken away. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "load/array.h"
#include "load/directory.h"

/* How long a notice may be at muhurd before it is given out once more: a
 * second signature is harmless, the first one wins. */
#define GIVEN_TIMEOUT	(120 * USEC_PER_SEC)
#define RETRY_DELAY	(5 * USEC_PER_SEC)	/* after a failure to sign */
#define ARCHIVE_DELAY	(3600 * USEC_PER_SEC)	/* after a failure to archive: an alarm each */
#define GIVE_MAX	200			/* publish or expire orders at once */
/* Orders of one kind that muhurd may have: fewer than those at which it would
 * listen to nothing more from here, answers to logins neither. */
#define AT_MUHURD_MAX	400
#define LINES_RATE	10000		/* lines a second, at the least: a tenth of what was seen */

/* How many more orders may go out now. */
static int
room_for(struct given_list *l)
{
	size_t	 n = given_count(l);

	if (n >= AT_MUHURD_MAX)
		return 0;
	return AT_MUHURD_MAX - n < GIVE_MAX ? (int)(AT_MUHURD_MAX - n) : GIVE_MAX;
}

/* The ids as an array. */
static const char *
given_array(struct given_list *l, struct buf *b)
{
	given_to_array(l, b);
	return array_end(b);
}

void
notices_failed(struct directory *d, const char *id)
{
	if (given_remove(&d->expiring, id)) {
		given_add(&d->unarchived, id, ARCHIVE_DELAY);
		return;
	}
	(void)given_remove(&d->signing, id);
	given_add(&d->signing, id, RETRY_DELAY);
}

/* --- to sign ------------------------------------------------------------- */

#define EPOCH(t) "(extract(epoch FROM " t ") * 1000000)::bigint"
enum to_sign_column {
	C_ID, C_KIND, C_RECIPIENT, C_FILE, C_ISSUED, C_LEVEL, C_SUB_ID, C_SUB_NAME,
	C_SUB_SHA, C_SUB_SIZE, C_RECEIVED, C_UPLOADER, C_MESSAGE_ID, C_MESSAGE_TYPE,
	C_SUBJECT, C_ISSUER, C_SERIAL, C_RECORDS, C_LATE, C_BREAKS, C_DATE, C_RUN,
	C_LINES, C_SUB_NO, C_FINDINGS
};
static const char to_sign_sql[] =
    "SELECT n.id, n.kind, n.recipient, n.file_name, " EPOCH("n.issued_at") ","
    " coalesce(n.level, ''), coalesce(s.id::text, ''), coalesce(s.file_name, ''),"
    " coalesce(s.sha256, ''), coalesce(s.size, 0), coalesce(" EPOCH("s.received_at") ", 0),"
    " coalesce(s.uploader, ''), coalesce(s.message_id, ''), coalesce(s.message_type, ''),"
    " coalesce(s.signer_subject, ''), coalesce(s.signer_issuer, ''), coalesce(s.signer_serial, ''),"
    " coalesce(s.record_count, 0), coalesce(s.late, false),"
    " CASE WHEN n.level = 'result' THEN coalesce(n.break_count, (SELECT count(*) FROM muhur.finding f"
    "  WHERE f.run = n.run AND f.status <> 'cured' AND s.no = ANY (f.submissions))) ELSE 0 END,"
    " coalesce(r.business_date, s.business_date, n.day), coalesce(r.version, n.version, 0),"
    " coalesce(n.line_count, (SELECT count(*) FROM muhur.notice_lines(n.id))), coalesce(s.no, 0),"
    " CASE WHEN n.level = 'accepted' THEN (SELECT coalesce(sum(c.n), 0) FROM muhur.record_finding_count c"
    "  WHERE c.submission = s.no) WHEN n.level = 'result' THEN (SELECT count(*)"
    "  FROM muhur.record_answer a WHERE a.submission = s.no) ELSE 0 END "
    /* few are chosen, in the order of the index notice_to_sign (020-copies), before anything
     * is joined; what takes long does not keep an answer waiting that is ready */
#define TO_SIGN_ORDER " ORDER BY coalesce(n.line_count, 0) > 100000, n.no"
    "FROM (SELECT * FROM muhur.notice n WHERE n.sha256 IS NULL AND n.copy_of IS NULL"
    " AND n.id <> ALL ($1::uuid[]) AND (n.submission IS NULL OR (SELECT x.sha256 FROM muhur.submission x"
    "  WHERE x.no = n.submission) IS NOT NULL)" TO_SIGN_ORDER " LIMIT $2) n "
    "LEFT JOIN muhur.submission s ON s.no = n.submission "
    "LEFT JOIN muhur.reconcile_run r ON r.no = n.run" TO_SIGN_ORDER;

static long long
column_number(const PGresult *res, int row, int column)
{
	return strtoll(PQgetvalue(res, row, column), NULL, 10);
}

static int
read_texts(const PGresult *res, int row, struct notice *n)
{
#define TEXT(field, column) str_copy(n->field, sizeof(n->field), PQgetvalue(res, row, column))
	return TEXT(id, C_ID) == -1 || TEXT(recipient, C_RECIPIENT) == -1 ||
	    TEXT(file_name, C_FILE) == -1 || TEXT(submission_id, C_SUB_ID) == -1 ||
	    TEXT(submission_name, C_SUB_NAME) == -1 || TEXT(submission_sha256, C_SUB_SHA) == -1 ||
	    TEXT(uploader, C_UPLOADER) == -1 || TEXT(message_id, C_MESSAGE_ID) == -1 ||
	    TEXT(message_type, C_MESSAGE_TYPE) == -1 || TEXT(signer_subject, C_SUBJECT) == -1 ||
	    TEXT(signer_issuer, C_ISSUER) == -1 || TEXT(signer_serial, C_SERIAL) == -1 ? -1 : 0;
#undef TEXT
}

static int
read_notice(const PGresult *res, int row, struct notice *n)
{
	memset(n, 0, sizeof(*n));
	n->kind = notice_kind_by_name(PQgetvalue(res, row, C_KIND));
	n->level = n->kind != NK_ACKNOWLEDGEMENT ? NL_RECEIVED :
	    notice_level_by_name(PQgetvalue(res, row, C_LEVEL));
	if (n->kind == NK_COUNT || n->level == NL_COUNT || read_texts(res, row, n) == -1 ||
	    date_parse(PQgetvalue(res, row, C_DATE), &n->business_date) == -1)
		return -1;
	n->issued_at = column_number(res, row, C_ISSUED);
	n->submission_size = column_number(res, row, C_SUB_SIZE);
	n->received_at = column_number(res, row, C_RECEIVED);
	n->record_count = column_number(res, row, C_RECORDS);
	n->late = PQgetvalue(res, row, C_LATE)[0] == 't';
	n->breaks = column_number(res, row, C_BREAKS);
	n->run = (int)column_number(res, row, C_RUN);
	n->line_count = column_number(res, row, C_LINES);
	n->findings = column_number(res, row, C_FINDINGS);
	return 0;
}

static int
read_reasons(struct db *db, const char *submission, struct notice *n)
{
	const char	*params[] = { submission };
	enum reason_code code;
	PGresult	*res;
	int		 i;

	res = db_prepared(db, "notice_reasons", "SELECT code, line, path, detail "
	    "FROM muhur.submission_reason WHERE submission = $1 ORDER BY ordinal", 1, params);
	if (res == NULL)
		return -1;
	for (i = 0; i < PQntuples(res); i++) {
		code = reason_by_name(PQgetvalue(res, i, 0));
		if (code == REASON_COUNT) {
			log_warnx("notice %s: %s is no reason code", n->id, PQgetvalue(res, i, 0));
			continue;
		}
		reasons_add(&n->reasons, code, (long)column_number(res, i, 1),
		    PQgetvalue(res, i, 2), "%s", PQgetvalue(res, i, 3));
	}
	PQclear(res);
	return 0;
}

/* Answers the oldest M_NOTICE_NEXT. */
static int
send_to_sign(struct directory *d, const struct notice *n)
{
	struct buf	 b = { 0 };
	int		 rc;

	put_notice(&b, n);
	rc = msg_send(&d->chan, M_NOTICE_TO_SIGN, d->credits[0], b.data, b.len, NULL, 0);
	buf_free(&b);
	memmove(d->credits, d->credits + 1, --d->ncredits * sizeof(d->credits[0]));
	given_add(&d->signing, n->id, GIVEN_TIMEOUT + n->line_count * (USEC_PER_SEC / LINES_RATE));
	return rc;
}

int
notices_give_to_sign(struct directory *d)
{
	struct buf	 given = { 0 };
	struct notice	 n;
	char		 limit[24];
	const char	*params[2];
	PGresult	*res;
	int		 i, rc = 0;

	if (d->ncredits == 0)
		return 0;
	(void)snprintf(limit, sizeof(limit), "%zu", d->ncredits);
	params[0] = given_array(&d->signing, &given);
	params[1] = limit;
	res = db_prepared(&d->link.db, "notice_to_sign", to_sign_sql, 2, params);
	buf_free(&given);
	if (res == NULL)
		return -1;
	/* Fewer than asked for: the next ones announce themselves. */
	d->look_sign = (size_t)PQntuples(res) == d->ncredits;
	for (i = 0; i < PQntuples(res) && rc == 0; i++) {
		if (read_notice(res, i, &n) == -1) {
			log_alarm("notice %s: cannot be built from its row", PQgetvalue(res, i, C_ID));
			given_add(&d->signing, PQgetvalue(res, i, C_ID), GIVEN_TIMEOUT);
			continue;
		}
		if (n.level == NL_REJECTED &&
		    read_reasons(&d->link.db, PQgetvalue(res, i, C_SUB_NO), &n) == -1)
			rc = -1;
		else
			rc = send_to_sign(d, &n);
	}
	PQclear(res);
	return rc;
}

/* --- signed: the first one wins ---------------------------------------------- */

/* Several rows at once are locked in the order of their numbers: whoever writes
 * some of them too (REPUBLISH in pg/store.c, the directory of a gateway before this
 * one) would else meet this in a deadlock. */
#define LOCKED(condition) "l AS MATERIALIZED (SELECT no FROM muhur.notice " \
	"WHERE " condition " ORDER BY no FOR UPDATE)"

static int
send_order(struct directory *d, enum msg_type type, const PGresult *res, int row,
    struct given_list *list)
{
	struct m_notice_publish	 p = { 0 };
	struct buf		 b = { 0 };
	int			 rc;

	if (str_copy(p.id, sizeof(p.id), PQgetvalue(res, row, 0)) == -1 ||
	    str_copy(p.recipient, sizeof(p.recipient), PQgetvalue(res, row, 1)) == -1 ||
	    str_copy(p.file_name, sizeof(p.file_name), PQgetvalue(res, row, 2)) == -1 ||
	    str_copy(p.sha256, sizeof(p.sha256), PQgetvalue(res, row, 3)) == -1 ||
	    str_copy(p.day, sizeof(p.day), PQgetvalue(res, row, 4)) == -1) {
		log_alarm("notice %s: unreadable row", PQgetvalue(res, row, 0));
		given_add(list, PQgetvalue(res, row, 0), GIVEN_TIMEOUT);
		return 0;
	}
	p.archived = type == M_NOTICE_PUBLISH && PQgetvalue(res, row, 5)[0] == 't';
	put_m_notice_publish(&b, &p);
	rc = msg_send(&d->chan, type, 0, b.data, b.len, NULL, 0);
	buf_free(&b);
	(void)given_remove(list, p.id);
	given_add(list, p.id, GIVEN_TIMEOUT);
	return rc;
}

static int
send_orders(struct directory *d, enum msg_type type, PGresult *res, struct given_list *list)
{
	int	 i, rc = 0;

	if (res == NULL)
		return -1;
	for (i = 0; i < PQntuples(res) && rc == 0; i++)
		rc = send_order(d, type, res, i, list);
	PQclear(res);
	return rc;
}

#define ORDER_COLUMNS "SELECT id, recipient, file_name, sha256, day, archived_at IS NOT NULL " \
	"FROM muhur.notice "

static int
update_signed(struct directory *d)
{
	struct buf	 id = { 0 }, sha = { 0 }, size = { 0 }, at = { 0 };
	char		 when[TIME_SIZE];
	const char	*params[4];
	size_t		 i;
	long		 n;

	for (i = 0; i < d->nnsigned; i++) {
		time_format(d->nsigned[i].signed_at, when);
		array_add(&id, d->nsigned[i].id);
		array_add(&sha, d->nsigned[i].sha256);
		array_add_number(&size, d->nsigned[i].size);
		array_add(&at, when);
	}
	params[0] = array_end(&id);
	params[1] = array_end(&sha);
	params[2] = array_end(&size);
	params[3] = array_end(&at);
	n = db_prepared_exec(&d->link.db, "notice_signed",
	    "WITH v AS (SELECT DISTINCT ON (id) id, sha, size, at FROM unnest($1::uuid[],"
	    " $2::text[], $3::bigint[], $4::timestamptz[]) AS v (id, sha, size, at)), "
	    /* and who gets the same document */
	    "w AS (SELECT n.no, v.sha, v.size, v.at FROM v JOIN muhur.notice n USING (id) UNION ALL"
	    " SELECT c.no, v.sha, v.size, v.at FROM v JOIN muhur.notice n USING (id)"
	    " JOIN muhur.notice c ON c.copy_of = n.no WHERE n.sha256 IS NULL), "
	    LOCKED("sha256 IS NULL AND no IN (SELECT no FROM w)") ", "
	    "u AS (UPDATE muhur.notice n SET sha256 = w.sha, size = w.size, signed_at = w.at "
	    " FROM w JOIN l USING (no) WHERE n.no = w.no"
	    " RETURNING n.no, n.submission, n.sha256, n.signed_at, n.file_name) "
	    "INSERT INTO muhur.event (at, kind, actor, submission, notice, detail) "
	    "SELECT signed_at, 'signed', 'gateway', submission, no, "
	    "jsonb_build_object('sha256', sha256, 'file', file_name) FROM u", 4, params);
	buf_free(&id);
	buf_free(&sha);
	buf_free(&size);
	buf_free(&at);
	return n == -1 ? -1 : 0;
}

/* The hash is durable before the outbox shows the file that bears it. */
int
notices_write_signed(struct directory *d)
{
	struct buf	 ids = { 0 };
	const char	*params[1];
	PGresult	*res;
	size_t		 i;

	if (d->nnsigned == 0)
		return 0;
	if (directory_begin_durable(d) == -1 || update_signed(d) == -1 ||
	    db_commit(&d->link.db) == -1)
		return -1;
	for (i = 0; i < d->nnsigned; i++) {
		(void)given_remove(&d->signing, d->nsigned[i].id);
		array_add(&ids, d->nsigned[i].id);
	}
	d->nnsigned = 0;
	params[0] = array_end(&ids);
	res = db_prepared(&d->link.db, "notice_winners", ORDER_COLUMNS
	    "WHERE (id = ANY ($1::uuid[]) OR copy_of IN (SELECT no FROM muhur.notice"
	    " WHERE id = ANY ($1::uuid[]))) AND sha256 IS NOT NULL AND published_at IS NULL ORDER BY no",
	    1, params);
	buf_free(&ids);
	return send_orders(d, M_NOTICE_PUBLISH, res, &d->publishing);
}

int
notices_give_to_publish(struct directory *d)
{
	struct buf	 given = { 0 };
	const char	*params[2];
	PGresult	*res;
	char		 limit[24];
	int		 room = room_for(&d->publishing);

	if (room == 0)		/* look_publish stays: the next answer makes room */
		return 0;
	(void)snprintf(limit, sizeof(limit), "%d", room);
	params[0] = given_array(&d->publishing, &given);
	params[1] = limit;
	res = db_prepared(&d->link.db, "notice_to_publish", ORDER_COLUMNS
	    "WHERE sha256 IS NOT NULL AND published_at IS NULL AND purged_at IS NULL AND id <> ALL ($1::uuid[]) "
	    "ORDER BY no LIMIT $2", 2, params);
	buf_free(&given);
	d->look_publish = res != NULL && PQntuples(res) == room;
	return send_orders(d, M_NOTICE_PUBLISH, res, &d->publishing);
}

/* --- shown, and taken away -------------------------------------------------------- */

#define RETENTION "$3::bigint * interval '1 second'"

int
notices_write_published(struct directory *d)
{
	struct buf	 ids = { 0 }, archived = { 0 };
	char		 now[TIME_SIZE], retention[24];
	const char	*params[4];
	long		 n;
	size_t		 i;

	if (d->npublished == 0)
		return 0;
	time_format(clock_now(), now);
	(void)snprintf(retention, sizeof(retention), "%lld", (long long)d->conf->outbox_retention);
	for (i = 0; i < d->npublished; i++) {
		array_add(&ids, d->published[i].id);
		array_add(&archived, d->published[i].archived ? "t" : "f");
	}
	params[0] = array_end(&ids);
	params[1] = now;
	params[2] = retention;
	params[3] = array_end(&archived);
	n = db_prepared_exec(&d->link.db, "notice_published",
	    "WITH " LOCKED("id = ANY ($1::uuid[]) AND sha256 IS NOT NULL AND published_at IS NULL"
	    " AND (id, archived_at IS NOT NULL) IN (SELECT * FROM unnest($1::uuid[], $4::boolean[]))")
	    /* a rebuilt outbox shows it for the time that was left, by a settled clock too,
	     * which works that out from when it was first shown */
	    " UPDATE muhur.notice SET published_at = least($2::timestamptz, outbox_until - " RETENTION "),"
	    " outbox_until = coalesce(outbox_until, $2 + " RETENTION ") "
	    "WHERE no IN (SELECT no FROM l)", 4, params);
	buf_free(&ids);
	buf_free(&archived);
	if (n == -1)
		return -1;
	/* one was put into the archive while a repeat wanted it in the outbox: once more */
	if ((size_t)n < d->npublished)
		d->look_publish = 1;
	for (i = 0; i < d->npublished; i++)
		(void)given_remove(&d->publishing, d->published[i].id);
	d->npublished = 0;
	return 0;
}

int
notices_write_archived(struct directory *d)
{
	struct buf	 ids = { 0 };
	char		 now[TIME_SIZE];
	const char	*params[2];
	long		 n;
	size_t		 i;

	if (d->narchived == 0)
		return 0;
	time_format(clock_now(), now);
	for (i = 0; i < d->narchived; i++)
		array_add(&ids, d->archived[i].id);
	params[0] = array_end(&ids);
	params[1] = now;
	n = db_prepared_exec(&d->link.db, "notice_archived",
	    "WITH " LOCKED("id = ANY ($1::uuid[]) AND published_at IS NOT NULL AND archived_at IS NULL")
	    ", u AS (UPDATE muhur.notice SET archived_at = $2 WHERE no IN (SELECT no FROM l)"
	    " RETURNING no, submission, sha256, file_name) "
	    "INSERT INTO muhur.event (at, kind, actor, submission, notice, detail) "
	    "SELECT $2, 'archived', 'gateway', submission, no, "
	    "jsonb_build_object('sha256', sha256, 'file', file_name) FROM u ORDER BY no", 2, params);
	buf_free(&ids);
	if (n == -1)
		return -1;
	for (i = 0; i < d->narchived; i++)
		(void)given_remove(&d->expiring, d->archived[i].id);
	d->narchived = 0;
	return 0;
}

/* Kept in the depot for 7 days, then archived (S2 A). */
int
notices_give_to_expire(struct directory *d)
{
	struct buf	 given = { 0 };
	char		 now[TIME_SIZE], limit[24];
	const char	*params[3];
	PGresult	*res;
	int		 room = room_for(&d->expiring);

	if (room == 0)
		return 0;
	time_format(clock_now(), now);
	(void)snprintf(limit, sizeof(limit), "%d", room);
	given_to_array(&d->unarchived, &given);
	params[0] = given_array(&d->expiring, &given);
	params[1] = now;
	params[2] = limit;
	res = db_prepared(&d->link.db, "notice_to_expire", ORDER_COLUMNS
	    "WHERE outbox_until <= $2 AND archived_at IS NULL AND published_at IS NOT NULL "
	    "AND id <> ALL ($1::uuid[]) ORDER BY outbox_until, no LIMIT $3", 3, params);
	buf_free(&given);
	return send_orders(d, M_NOTICE_EXPIRE, res, &d->expiring);
}
