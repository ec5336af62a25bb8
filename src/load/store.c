/* SPDX-License-Identifier: ISC */
/*
 * The store, as the database sees it: which documents are to be compressed,
 * which have been, and what the background pass found.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "load/array.h"
#include "load/directory.h"
#include "pg/store.h"

#define PAUSE_FIRST	(1 * USEC_PER_SEC)	/* after trouble of ours: no disk space, say */
#define PAUSE_MOST	(600 * USEC_PER_SEC)
#define REFUSED_FOR	(3600 * USEC_PER_SEC)	/* a document that is gone, rotten or all trouble */

#define NOTICES_PAUSE	(USEC_PER_SEC / 2)
#define REFUSED_MAX	10000	/* of them: a store that is lost is not asked for each of its documents */

#define DECIDED	"state IN ('accepted', 'rejected', 'repeated', 'replaced', 'cancelled')"

/* --- from muhurd --------------------------------------------------------------- */

static void
keep_rot(struct directory *d, const char *sha256)
{
	d->rot = xreallocarray(d->rot, d->nrot + 1, sizeof(*d->rot));
	(void)str_copy(d->rot[d->nrot++].sha256, SHA256_HEX_SIZE, sha256);
}

/* The same one again after a pause; where that was the longest, others first: the
 * trouble may be this document's alone. */
static void
later(struct directory *d, const char *sha256)
{
	if (d->order_pause == PAUSE_MOST)
		given_add(&d->refused, sha256, REFUSED_FOR);
	d->order_pause = d->order_pause == 0 ? PAUSE_FIRST : longer_pause(d->order_pause, PAUSE_MOST);
	d->order_after = clock_monotonic() + d->order_pause;
}

int
store_compressed(struct directory *d, const struct msg *m)
{
	struct m_kept	 k;

	if (get_m_kept(m, &k) == -1)
		return -1;
	/* of a directory before this one: it will be ordered again */
	if (strcmp(k.sha256, d->order.sha256) != 0)
		return 0;
	d->order.sha256[0] = '\0';
	switch (k.result) {
	case KEPT_OK:
		d->kept = k;
		d->order_pause = 0;
		break;
	case KEPT_ROTTEN:
		keep_rot(d, k.sha256);
		given_add(&d->refused, k.sha256, REFUSED_FOR);
		break;
	case KEPT_ABSENT:
		given_add(&d->refused, k.sha256, REFUSED_FOR);
		break;
	default:
		later(d, k.sha256);
		break;
	}
	return 0;
}

int
store_found(struct directory *d, const struct msg *m)
{
	struct m_pass	 news;

	if (get_m_pass(m, &news) == -1)
		return -1;
	if (news.rot[0] != '\0')
		keep_rot(d, news.rot);
	else
		d->pass = news;
	d->pass_told = 1;
	d->pass_tag = m->tag;
	return 0;
}

/* --- to the database ------------------------------------------------------------ */

static int
write_shelved(struct directory *d, const char *sha256)
{
	char		 now[TIME_SIZE];
	const char	*params[] = { sha256, now };

	time_format(clock_now(), now);
	return db_prepared_exec(&d->link.db, "store_shelved", "UPDATE muhur.submission SET shelved_at = $2 "
	    "WHERE sha256 = $1 AND shelved_at IS NULL AND " DECIDED, 2, params) == -1 ? -1 : 0;
}

static int
write_kept(struct directory *d)
{
	if (d->kept.sha256[0] == '\0')
		return 0;
	if (write_shelved(d, d->kept.sha256) == -1)
		return -1;
	d->kept.sha256[0] = '\0';
	return store_order(d);		/* the next one */
}

/* Once for a document, and again after it was good between. */
static int
write_rot(struct directory *d)
{
	struct buf	 a = { 0 };
	char		 now[TIME_SIZE];
	const char	*params[2];
	size_t		 i;
	long		 n;

	if (d->nrot == 0)
		return 0;
	for (i = 0; i < d->nrot; i++)
		array_add(&a, d->rot[i].sha256);
	time_format(clock_now(), now);
	params[0] = array_end(&a);
	params[1] = now;
	if (directory_begin_durable(d) == -1) {
		buf_free(&a);
		return -1;
	}
	n = db_prepared_exec(&d->link.db, "store_rot",
	    "WITH r AS (INSERT INTO muhur.rot (sha256, found_at) "
	    "SELECT DISTINCT x, $2::timestamptz FROM unnest($1::text[]) x ORDER BY x "
	    "ON CONFLICT (sha256) DO UPDATE SET found_at = excluded.found_at, healed_at = NULL "
	    "WHERE rot.healed_at IS NOT NULL RETURNING sha256) "
	    "INSERT INTO muhur.event (at, kind, actor, detail) "
	    "SELECT $2, 'rot-found', 'gateway', jsonb_build_object('sha256', sha256) FROM r", 2, params);
	buf_free(&a);
	if (n == -1 || db_commit(&d->link.db) == -1)
		return -1;
	d->nrot = 0;
	return 0;
}

static int
write_pass(struct directory *d)
{
	char	 detail[256];

	if (d->pass.ended_at == 0)
		return 0;
	(void)snprintf(detail, sizeof(detail), "{\"documents\": %lld, \"bytes\": %lld, \"rotten\": %lld, "
	    "\"unread\": %lld}", d->pass.documents, d->pass.bytes, d->pass.rotten, d->pass.unread);
	if (directory_begin_durable(d) == -1 ||
	    store_event(&d->link.db, d->pass.ended_at, "archive-verified", "gateway", 0, 0, detail) == -1 ||
	    db_commit(&d->link.db) == -1)
		return -1;
	d->pass.ended_at = 0;
	return 0;
}

int
store_write(struct directory *d)
{
	if (write_kept(d) == -1 || write_rot(d) == -1 || write_pass(d) == -1)
		return -1;
	/* muhurd waits for it: tried again */
	if (d->pass_told && msg_send(&d->chan, M_DIR_PASS_KEPT, d->pass_tag, NULL, 0, NULL, 0) == -1)
		log_warn("muhurd");
	else
		d->pass_told = 0;
	return 0;
}

/* --- to muhurd -------------------------------------------------------------------- */

/* What was received before this moment is compressed. */
static usec_t
compress_before(const struct conf *conf, usec_t now)
{
	return conf->archive_compress_after > 0 ? now - conf->archive_compress_after * USEC_PER_SEC :
	    istanbul_time(istanbul_date(now), 0, 0);
}

/* $1 the moment, $2 what is refused. */
#define DUE	"FROM muhur.submission s WHERE shelved_at IS NULL AND purged_at IS NULL " \
	"AND received_at < $1::timestamptz AND sha256 IS NOT NULL AND " DECIDED \
	" AND sha256 <> ALL ($2::text[]) ORDER BY received_at LIMIT "
/* Its bytes are a notice's, which came back as a submission. */
#define IS_NOTICE(of)	"EXISTS (SELECT FROM muhur.notice n WHERE n.sha256 = " of ".sha256)"

/* The oldest that is due, 1; 0 none, or -1. */
static int
oldest(struct directory *d, const char *const *params, struct m_document *doc, int *notice)
{
	PGresult	*res;
	int		 rc = -1;

	res = db_prepared(&d->link.db, "store_to_compress", "SELECT sha256, " IS_NOTICE("s") " " DUE "1", 2, params);
	if (res == NULL)
		return -1;
	if (PQntuples(res) == 0)
		rc = 0;
	else if (str_copy(doc->sha256, sizeof(doc->sha256), PQgetvalue(res, 0, 0)) == 0) {
		*notice = PQgetvalue(res, 0, 1)[0] == 't';
		rc = 1;
	}
	PQclear(res);
	return rc;
}

/* The same, past what are notices: outboxes link to those as they are.  A member may send
 * back any number of them, and logins wait for this: so a hundred a look. */
static int
find_due(struct directory *d, struct m_document *doc)
{
	char		 before[TIME_SIZE], now[TIME_SIZE];
	struct buf	 given = { 0 };
	const char	*params[3] = { before, NULL, now };
	int		 rc, notice = 0;

	time_format(compress_before(d->conf, clock_now()), before);
	time_format(clock_now(), now);
	given_to_array(&d->refused, &given);
	params[1] = array_end(&given);
	rc = oldest(d, params, doc, &notice);
	if (rc == 1 && notice)
		rc = db_prepared_exec(&d->link.db, "store_notices", "UPDATE muhur.submission SET shelved_at = $3 "
		    "WHERE no IN (SELECT x.no FROM (SELECT no, sha256 " DUE "100) x WHERE " IS_NOTICE("x") ")",
		    3, params) == -1 ? -1 : oldest(d, params, doc, &notice);
	buf_free(&given);
	if (rc != 1 || !notice)
		return rc;
	d->next_look = clock_monotonic() + NOTICES_PAUSE;
	return 0;
}

int
store_order(struct directory *d)
{
	struct m_document	 doc = { "" };
	struct buf		 b = { 0 };
	int			 rc;

	if (d->steady.held || d->order.sha256[0] != '\0' || d->kept.sha256[0] != '\0' ||
	    clock_monotonic() < d->order_after)
		return 0;
	if (given_count(&d->refused) >= REFUSED_MAX)
		return 0;
	if ((rc = find_due(d, &doc)) != 1)
		return rc;
	d->order = doc;
	put_m_document(&b, &doc);
	rc = msg_send(&d->chan, M_COMPRESS, 0, b.data, b.len, NULL, 0);
	buf_free(&b);
	return rc;
}
