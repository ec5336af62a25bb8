/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "pg/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/ident.h"

#define NUMBER_SIZE	24	/* a long long in text */

/* A number as a parameter; NULL for 0, which no identity column gives. */
static const char *
number(long long n, char buf[NUMBER_SIZE])
{
	if (n == 0)
		return NULL;
	(void)snprintf(buf, NUMBER_SIZE, "%lld", n);
	return buf;
}

int
store_notify(struct db *db, const char *channel)
{
	const char	*params[] = { channel };

	return db_prepared_exec(db, "store_notify",
	    "SELECT pg_notify($1, '')", 1, params) == -1 ? -1 : 0;
}

int
store_listen(struct db *db, const char *channel)
{
	char	*sql, *name;
	int	 rc;

	name = PQescapeIdentifier(db->conn, channel, strlen(channel));
	if (name == NULL)
		return -1;
	sql = xasprintf("LISTEN %s", name);
	rc = db_exec(db, sql, 0, NULL) == -1 ? -1 : 0;
	free(sql);
	PQfreemem(name);
	return rc;
}

int
store_event(struct db *db, usec_t at, const char *kind, const char *actor,
    long long submission, long long notice, const char *detail)
{
	char		 when[TIME_SIZE], s[NUMBER_SIZE], n[NUMBER_SIZE];
	const char	*params[6];

	time_format(at, when);
	params[0] = when;
	params[1] = kind;
	params[2] = actor;
	params[3] = number(submission, s);
	params[4] = number(notice, n);
	params[5] = detail == NULL ? "{}" : detail;
	return db_prepared_exec(db, "store_event",
	    "INSERT INTO muhur.event (at, kind, actor, submission, notice, detail) "
	    "VALUES ($1, $2, $3, $4, $5, $6)", 6, params) == -1 ? -1 : 0;
}

/* The no of the notice that has the name already. */
static int
existing_notice(struct db *db, const struct store_notice *n, long long *no)
{
	const char	*params[] = { n->recipient, n->file_name };
	PGresult	*res;
	int		 rc = -1;

	res = db_prepared(db, "store_notice_existing",
	    "SELECT no FROM muhur.notice WHERE recipient = $1 AND file_name = $2",
	    2, params);
	if (res != NULL && PQntuples(res) == 1) {
		*no = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
		rc = 0;
	}
	PQclear(res);
	return rc;
}

int
store_notice(struct db *db, const struct store_notice *n, long long *no)
{
	char		 id[UUID_SIZE], s[NUMBER_SIZE], r[NUMBER_SIZE];
	char		 when[TIME_SIZE], day[DATE_SIZE], lines[NUMBER_SIZE], breaks[NUMBER_SIZE];
	char		 copy[NUMBER_SIZE];
	const char	*params[12];
	PGresult	*res;
	long long	 made = 0;
	int		 rc;

	uuid_v7(clock_now(), id);
	time_format(n->issued_at, when);
	date_format(istanbul_date(n->issued_at), day);
	params[0] = id;
	params[1] = notice_kind_name(n->kind);
	params[2] = n->kind == NK_ACKNOWLEDGEMENT ? notice_level_name(n->level) : NULL;
	params[3] = n->recipient;
	params[4] = number(n->submission, s);
	params[5] = number(n->run, r);
	params[6] = n->file_name;
	params[7] = when;
	params[8] = day;
	(void)snprintf(lines, sizeof(lines), "%lld", n->line_count);
	(void)snprintf(breaks, sizeof(breaks), "%lld", n->break_count);
	params[9] = n->counted ? lines : NULL;
	params[10] = n->counted ? breaks : NULL;
	params[11] = number(n->copy_of, copy);
	res = db_prepared(db, "store_notice",
	    "INSERT INTO muhur.notice (id, kind, level, recipient, submission, run, "
	    "file_name, issued_at, day, line_count, break_count, copy_of) "
	    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) "
	    "ON CONFLICT (recipient, file_name) DO NOTHING RETURNING no", 12, params);
	if (res == NULL)
		return -1;
	rc = PQntuples(res);
	if (rc == 1)
		made = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	if (rc == 0 && no != NULL && existing_notice(db, n, &made) == -1)
		return -1;
	if (no != NULL)
		*no = made;
	return rc;
}

void
store_acknowledgement_name(const char *submission_id, enum notice_level level, char *name)
{
	int	 n;

	n = snprintf(name, FILE_NAME_SIZE, "%s.%s.xml", submission_id, notice_level_name(level));
	if (n < 0 || n >= FILE_NAME_SIZE)
		fatalx("notice: the name for %s is too long", submission_id);
}

/* A notice that is not signed yet will be published anyway.  Rows are locked in
 * the order of their numbers, as the directory does it. */
#define REPUBLISH(which) "WITH l AS MATERIALIZED (SELECT no FROM muhur.notice " \
	"WHERE sha256 IS NOT NULL AND purged_at IS NULL AND " which " ORDER BY no FOR UPDATE) " \
	"UPDATE muhur.notice SET published_at = NULL, " \
	"outbox_until = NULL, archived_at = NULL WHERE no IN (SELECT no FROM l)"

long
store_republish_submission(struct db *db, long long submission)
{
	char		 s[NUMBER_SIZE];
	const char	*params[] = { number(submission, s) };
	long		 n;

	n = db_prepared_exec(db, "store_republish_submission",
	    REPUBLISH("submission = $1"), 1, params);
	return n > 0 && store_notify(db, CHANNEL_NOTICE) == -1 ? -1 : n;
}

long
store_republish_notice(struct db *db, const char *id)
{
	const char	*params[] = { id };
	long		 n;

	n = db_prepared_exec(db, "store_republish_notice", REPUBLISH("id = $1"), 1, params);
	return n > 0 && store_notify(db, CHANNEL_NOTICE) == -1 ? -1 : n;
}
