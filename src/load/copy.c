/* SPDX-License-Identifier: ISC */
/* From the frames of the records pipe into the tables of the day. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "load/decide.h"
#include "load/registration.h"
#include "load/worker.h"
#include "pg/copy.h"

/* Our own trouble: nothing will be decided about this job now. */
static void
trouble(struct worker *w)
{
	w->job.trouble = 1;
	w->job.drain = 1;
	w->job.copying = 0;
	w->job.savepoint = 0;
	link_recover(&w->link);
}

/* A COPY failed.  Text that the database refuses (SQLSTATE classes 22, 23) is
 * no trouble of ours: records pass before the verdict, and this document may
 * yet turn out to break its schema. */
static void
copy_failed(struct worker *w)
{
	struct job	*j = &w->job;

	j->copying = 0;
	if (!db_ok(&w->link.db) || (strncmp(w->link.db.sqlstate, "22", 2) != 0 &&
	    strncmp(w->link.db.sqlstate, "23", 2) != 0)) {
		trouble(w);
		return;
	}
	j->unloadable = 1;
	j->drain = 1;
	(void)copy_forget(w);
}

int
copy_forget(struct worker *w)
{
	struct job	*j = &w->job;

	if (j->copying) {
		j->copying = 0;
		if (db_copy_cancel(&w->link.db, "forgotten") == -1) {
			trouble(w);
			return -1;
		}
	}
	j->own_table[0] = '\0';
	if (j->savepoint && db_exec(&w->link.db, "ROLLBACK TO SAVEPOINT records", 0, NULL) == -1) {
		trouble(w);
		return -1;
	}
	return 0;
}

int
copy_end(struct worker *w)
{
	struct job	*j = &w->job;

	if (!j->copying)
		return 0;
	j->copying = 0;
	if (db_copy_end(&w->link.db) == 0)
		return 0;
	copy_failed(w);
	return -1;
}

/* The day's partitions, made in a transaction of their own: their locks are
 * then not held while records flow. */
static int
ensure_day(struct worker *w, date_t day)
{
	char		 date[DATE_SIZE];
	const char	*params[] = { date };
	size_t		 i;

	/* the database may have been restored meanwhile, to an earlier moment */
	if (w->days_of != w->link.connects)
		w->ndays = 0;
	w->days_of = w->link.connects;
	for (i = 0; i < w->ndays && i < KNOWN_DAYS; i++)
		if (w->days[i] == day)
			return 0;
	date_format(day, date);
	if (db_prepared_exec(&w->link.db, "load_day",
	    "SELECT muhur.ensure_day($1)", 1, params) == -1)
		return -1;
	w->days[w->ndays++ % KNOWN_DAYS] = day;		/* the oldest gives way */
	return 0;
}

/* Is there any use in copying: the sender may send this, and it is not
 * decided yet.  1, 0, or -1 for our own trouble. */
static int
worth_copying(struct worker *w)
{
	struct job	*j = &w->job;
	struct reasons	 rs = { 0 };
	int		 rc;

	rc = authority_facts(&w->link.db, j->sub.id, &j->header, NULL, &j->facts);
	if (rc != 1)
		return rc;
	if (j->facts.state != SUB_RECEIVED)
		return 0;
	authority_judge(&j->facts, &j->header, NULL, &rs);
	decide_date(&j->header, j->sub.received_at, &rs);
	return rs.n == 0;
}

static int
open_savepoint(struct worker *w)
{
	if (w->job.savepoint)
		return 0;
	if (db_begin(&w->link.db) == -1 ||
	    db_exec(&w->link.db, "SAVEPOINT records", 0, NULL) == -1)
		return -1;
	w->job.savepoint = 1;
	return 0;
}

static void
on_header(struct worker *w, const struct stream_frame *f)
{
	struct job	*j = &w->job;
	char		 date[DATE_SIZE];
	int		 n, worth;

	if (j->have_header) {
		log_warnx("submission %s: a second header", j->sub.id);
		j->unloadable = j->drain = 1;
		return;
	}
	if (stream_get_header(f, &j->header) == -1) {
		log_warnx("submission %s: a malformed header frame", j->sub.id);
		header_reset(&j->header);
		j->unloadable = j->drain = 1;
		return;
	}
	j->have_header = 1;
	if (j->drain)
		return;
	if (!link_up(&w->link) || (worth = worth_copying(w)) == -1) {
		trouble(w);
		return;
	}
	if (!worth) {
		j->drain = 1;
		return;
	}
	/* A savepoint stands where the document is read for the second time. */
	if ((!j->savepoint && ensure_day(w, j->header.business_date) == -1) ||
	    open_savepoint(w) == -1) {
		trouble(w);
		return;
	}
	date_format(j->header.business_date, date);
	n = snprintf(j->prefix, sizeof(j->prefix), "%s\t%lld\t%s\t", date, j->facts.no,
	    j->facts.member);
	if (n < 0 || (size_t)n >= sizeof(j->prefix))
		fatalx("submission %s: prefix", j->sub.id);
	j->prefix_len = (size_t)n;
}

/*
 * The table of its own that a big submission has, made in this transaction: its
 * rows are written frozen, nobody else sees it until it is attached, and a
 * rollback drops it.  Frozen rows are seen by older snapshots, too, once they are
 * attached: who reads a day's records joins the submissions that it can see.
 */
struct own_params { char kind[32], day[DATE_SIZE], no[24]; const char *v[3]; };

static void
own_params(const struct job *j, enum record_kind kind, struct own_params *p)
{
	const char	*table = record_info(kind)->table, *dot = strchr(table, '.');

	if (dot == NULL || str_copy(p->kind, sizeof(p->kind), dot + 1) == -1)
		fatalx("%s: is no table of a schema", table);
	date_format(j->header.business_date, p->day);
	(void)snprintf(p->no, sizeof(p->no), "%lld", j->facts.no);
	p->v[0] = p->kind;
	p->v[1] = p->day;
	p->v[2] = p->no;
}

/* Where the submission is big, and may have one.  The header's word is enough: a
 * wrong one is refused (CONTROL_TOTAL).  0 or -1. */
static int
make_own_table(struct worker *w, enum record_kind kind)
{
	struct job		*j = &w->job;
	struct own_params	 p;
	PGresult		*res;
	int			 rc;

	if (j->own_table[0] != '\0' || !record_info(kind)->may_be_many ||
	    j->header.record_count <= w->conf->own_table_records)
		return 0;
	own_params(j, kind, &p);
	if ((res = db_prepared(&w->link.db, "load_own_table",
	    "SELECT muhur.own_table($1, $2::date, $3::bigint)", 3, p.v)) == NULL)
		return -1;
	/* NULL, here "": a day from before there were such tables */
	rc = str_copy(j->own_table, sizeof(j->own_table), PQgetvalue(res, 0, 0));
	PQclear(res);
	j->own_kind = kind;
	return rc;
}

int
copy_attach(struct worker *w)
{
	struct job		*j = &w->job;
	struct own_params	 p;

	if (j->own_table[0] == '\0')
		return 0;
	j->own_table[0] = '\0';
	own_params(j, j->own_kind, &p);
	return db_prepared_exec(&w->link.db, "load_attach_table",
	    "SELECT muhur.attach_table($1, $2::date, $3::bigint)", 3, p.v) == -1 ? -1 : 0;
}

static int
start_copy(struct worker *w, enum record_kind kind)
{
	const struct record_info *info = record_info(kind);
	struct buf		 sql = { 0 };
	size_t			 i;
	int			 rc, own;

	if (make_own_table(w, kind) == -1)
		return -1;
	own = w->job.own_table[0] != '\0' && w->job.own_kind == kind;
	(void)buf_printf(&sql, "COPY %s (business_date, submission, member_code, record_no, line",
	    own ? w->job.own_table : info->table);
	for (i = 0; i < info->nfields; i++)
		(void)buf_printf(&sql, ", %s", info->field[i].column);
	if (kind == REC_INVESTOR)
		(void)buf_puts(&sql, REGISTRATION_COLUMNS);
	(void)buf_printf(&sql, ") FROM STDIN%s", own ? " WITH (FREEZE)" : "");
	rc = db_copy_in(&w->link.db, sql.data);
	buf_free(&sql);
	return rc;
}

/* Every line with the day, the submission and the member before it. */
static void
prefix_lines(struct job *j, const char *p, size_t len)
{
	const char	*nl;
	size_t		 n;

	buf_reset(&j->lines);
	while (len > 0) {
		nl = memchr(p, '\n', len);
		n = nl == NULL ? len : (size_t)(nl - p) + 1;
		(void)buf_append(&j->lines, j->prefix, j->prefix_len);
		/* one with too few fields as it is: the database will refuse it */
		if (j->kind != REC_INVESTOR || registration_line(&j->lines, p, n) == -1)
			(void)buf_append(&j->lines, p, n);
		p += n;
		len -= n;
	}
}

static void
on_records(struct worker *w, const struct stream_frame *f)
{
	struct job	*j = &w->job;

	if (!j->have_header || record_info(f->kind)->type != j->header.type) {
		log_warnx("submission %s: records that its header does not announce", j->sub.id);
		(void)copy_forget(w);
		j->unloadable = j->drain = 1;
		return;
	}
	if (j->copying && j->kind != f->kind && copy_end(w) == -1)
		return;
	if (!j->copying) {
		if (start_copy(w, f->kind) == -1) {
			trouble(w);
			return;
		}
		j->copying = 1;
		j->kind = f->kind;
	}
	prefix_lines(j, f->data, f->len);
	if (db_copy_put(&w->link.db, j->lines.data, j->lines.len) == -1)
		trouble(w);
}

static void
on_restart(struct worker *w)
{
	struct job	*j = &w->job;

	header_reset(&j->header);
	j->have_header = 0;
	if (j->trouble)
		return;
	if (copy_forget(w) == -1)
		return;
	j->unloadable = 0;
	j->drain = 0;
}

void
copy_frame(struct worker *w, const struct stream_frame *f)
{
	switch (f->type) {
	case STREAM_HEADER:
		on_header(w, f);
		return;
	case STREAM_RECORDS:
		if (!w->job.drain)
			on_records(w, f);
		return;
	case STREAM_RESTART:
		on_restart(w);
		return;
	case STREAM_END:
		w->job.ended = 1;
		return;
	}
}
