/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "load/directory.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "load/array.h"
#include "load/outcome.h"
#include "model/ident.h"
#include "pg/store.h"

#define LOOKS_MAX	8	/* without looking at the channel again */
#define LOOK_INTERVAL	(3 * USEC_PER_SEC)	/* between looks without a notification */

static int
setup(struct db *db)
{
	/* See directory_begin_durable. */
	if (db_exec(db, "SET synchronous_commit = off", 0, NULL) == -1)
		return -1;
	return store_listen(db, CHANNEL_NOTICE) == -1 ||
	    store_listen(db, CHANNEL_ACCESS) == -1 ||
	    store_listen(db, CHANNEL_DECISION) == -1 ? -1 : 0;
}

void
directory_init(struct directory *d, const struct conf *conf, int channel, const char *password)
{
	memset(d, 0, sizeof(*d));
	d->conf = conf;
	d->clock_wall = clock_now;
	d->clock_boot = clock_boottime;
	msg_init(&d->chan, channel, ROLE_DIRECTORY, ROLE_MUHURD);
	link_init(&d->link, conf, "muhur_directory", password, setup);
}

void
directory_close(struct directory *d)
{
	free(d->nsigned);
	free(d->published);
	free(d->archived);
	given_free(&d->signing);
	given_free(&d->publishing);
	given_free(&d->expiring);
	given_free(&d->unarchived);
	given_free(&d->refused);
	free(d->rot);
	db_close(&d->link.db);
	free(d->link.password);
	msg_close(&d->chan);
}

int
directory_begin_durable(struct directory *d)
{
	return db_begin(&d->link.db) == -1 ||
	    db_exec(&d->link.db, "SET LOCAL synchronous_commit = on", 0, NULL) == -1 ? -1 : 0;
}

static int
broken(const char *what)
{
	log_warnx("muhurd: %s: out of place", what);
	return -1;
}

static int
send_state(struct directory *d, const struct m_submission_state *s, uint32_t tag)
{
	struct buf	 b = { 0 };
	int		 rc;

	put_m_submission_state(&b, s);
	rc = msg_send(&d->chan, M_SUB_STATE, tag, b.data, b.len, NULL, 0);
	buf_free(&b);
	return rc;
}

/* --- submissions received --------------------------------------------------- */

static int
insert_received(struct directory *d)
{
	struct buf	 a[6] = { { 0 } };
	char		 member[MEMBER_CODE_SIZE], when[TIME_SIZE];
	const char	*params[6];
	size_t		 i;
	long		 n;

	for (i = 0; i < d->nsubs; i++) {
		const struct m_submission *s = &d->subs[i].sub;

		(void)user_code_member(s->user, member);
		time_format(s->received_at, when);
		array_add(&a[0], s->id);
		array_add(&a[1], s->user);
		array_add(&a[2], member);
		array_add(&a[3], s->name);
		array_add_number(&a[4], s->size);
		array_add(&a[5], when);
	}
	for (i = 0; i < 6; i++)
		params[i] = array_end(&a[i]);
	n = db_prepared_exec(&d->link.db, "received",
	    "WITH i AS (INSERT INTO muhur.submission"
	    " (id, uploader, member_code, file_name, size, received_at)"
	    " SELECT id, uploader, member, name, size, at FROM unnest($1::uuid[], $2::text[],"
	    "  $3::text[], $4::text[], $5::bigint[], $6::timestamptz[])"
	    "  AS v (id, uploader, member, name, size, at) ORDER BY id"
	    " ON CONFLICT (id) DO NOTHING RETURNING no, uploader, file_name, size, received_at) "
	    "INSERT INTO muhur.event (at, kind, actor, submission, detail) "
	    "SELECT received_at, 'received', uploader, no, "
	    "jsonb_build_object('file', file_name, 'size', size) FROM i", 6, params);
	for (i = 0; i < 6; i++)
		buf_free(&a[i]);
	return n == -1 ? -1 : 0;
}

static int
read_states(struct directory *d, struct m_submission_state *states)
{
	struct buf	 ids = { 0 };
	const char	*params[1];
	PGresult	*res;
	size_t		 i;
	int		 row;

	for (i = 0; i < d->nsubs; i++)
		array_add(&ids, d->subs[i].sub.id);
	params[0] = array_end(&ids);
	res = db_prepared(&d->link.db, "states", "SELECT s.id, s.state, coalesce(s.sha256, ''), "
	    "coalesce(m.kind, '') FROM muhur.submission s LEFT JOIN muhur.member m ON m.code = left(s.uploader, -3) "
	    "WHERE s.id = ANY ($1::uuid[])", 1, params);
	buf_free(&ids);
	if (res == NULL)
		return -1;
	for (row = 0; row < PQntuples(res); row++) {
		for (i = 0; i < d->nsubs; i++) {
			if (strcmp(states[i].id, PQgetvalue(res, row, 0)) != 0)
				continue;
			states[i].state = submission_state_by_name(PQgetvalue(res, row, 1));
			states[i].retry_later = states[i].state == SUB_STATE_COUNT ||
			    str_copy(states[i].sha256, sizeof(states[i].sha256),
			    PQgetvalue(res, row, 2)) == -1;
			states[i].kind = member_kind_by_name(PQgetvalue(res, row, 3));
			if (states[i].retry_later)
				states[i].state = SUB_RECEIVED;
		}
	}
	PQclear(res);
	return 0;
}

/* Everything received in one go gets its row, if it has none, in one
 * statement; where the database is away muhurd asks again. */
static int
write_received(struct directory *d)
{
	static struct m_submission_state states[BATCH_MAX];
	size_t	 i;
	int	 rc = 0;

	if (d->nsubs == 0)
		return 0;
	for (i = 0; i < d->nsubs; i++) {
		memset(&states[i], 0, sizeof(states[i]));
		(void)str_copy(states[i].id, sizeof(states[i].id), d->subs[i].sub.id);
		states[i].state = SUB_RECEIVED;
		states[i].retry_later = 1;
	}
	if (link_up(&d->link) && (insert_received(d) == -1 || read_states(d, states) == -1))
		link_recover(&d->link);
	for (i = 0; i < d->nsubs && rc == 0; i++)
		rc = send_state(d, &states[i], d->subs[i].tag);
	d->nsubs = 0;
	return rc;
}

static int
on_received(struct directory *d, const struct msg *m)
{
	struct m_submission	*s = &d->subs[d->nsubs].sub;

	if (get_m_submission(m, s) == -1 || !user_code_ok(s->user))
		return broken("sub-received");
	d->subs[d->nsubs++].tag = m->tag;
	return d->nsubs == BATCH_MAX ? write_received(d) : 0;
}

/* --- held after its verification died twice ------------------------------------ */

static int
hold(struct directory *d, const char *id, struct m_submission_state *s)
{
	struct m_submission	 sub = { 0 };
	struct outcome		 o = { .sub = &sub, .event = EV_HOLD, .actor = "gateway" };
	const char		*params[] = { id };
	PGresult		*res;
	int			 rc = -1;

	if (directory_begin_durable(d) == -1)
		return -1;
	res = db_prepared(&d->link.db, "hold", "SELECT no, state, coalesce(sha256, '') "
	    "FROM muhur.submission WHERE id = $1::uuid FOR UPDATE", 1, params);
	if (res == NULL || PQntuples(res) != 1)
		goto out;
	s->state = submission_state_by_name(PQgetvalue(res, 0, 1));
	if (s->state == SUB_STATE_COUNT ||
	    str_copy(s->sha256, sizeof(s->sha256), PQgetvalue(res, 0, 2)) == -1 ||
	    str_copy(sub.id, sizeof(sub.id), id) == -1)
		goto out;
	o.no = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	if (s->state == SUB_RECEIVED &&
	    outcome_operator(&d->link.db, &o, SUB_RECEIVED, &s->state) == -1)
		goto out;
	rc = db_commit(&d->link.db);
out:
	PQclear(res);
	return rc;
}

static int
on_hold(struct directory *d, const struct msg *m)
{
	struct m_submission_state	s = { .state = SUB_RECEIVED };
	struct m_submission_id		id;

	if (get_m_submission_id(m, &id) == -1)
		return broken("sub-hold");
	if (write_received(d) == -1)		/* it may be among those */
		return -1;
	(void)str_copy(s.id, sizeof(s.id), id.id);
	if (!link_up(&d->link) || hold(d, id.id, &s) == -1) {
		link_recover(&d->link);
		s.state = SUB_RECEIVED;
		s.sha256[0] = '\0';
		s.retry_later = 1;
	} else if (s.state == SUB_HELD)
		log_alarm("submission %s: held: muhur submission retry or reject", id.id);
	return send_state(d, &s, m->tag);
}

/* --- messages -------------------------------------------------------------------- */

static int
on_login(struct directory *d, const struct msg *m)
{
	struct m_login_result	 r;
	struct m_login		 login;
	struct buf		 b = { 0 };
	int			 rc;

	if (get_m_login(m, &login) == -1)
		return broken("dir-login");
	login_judge(d, &login, &r);
	put_m_login_result(&b, &r);
	rc = msg_send(&d->chan, M_DIR_LOGIN_RESULT, m->tag, b.data, b.len, NULL, 0);
	buf_free(&b);
	return rc;
}

static int
on_next(struct directory *d, const struct msg *m)
{
	if (m->len != 0 || d->ncredits == CREDITS_MAX)
		return broken("notice-next");
	d->credits[d->ncredits++] = m->tag;
	return 0;
}

static int
on_signed(struct directory *d, const struct msg *m)
{
	d->nsigned = xreallocarray(d->nsigned, d->nnsigned + 1, sizeof(*d->nsigned));
	if (get_m_notice_file(m, &d->nsigned[d->nnsigned]) == -1)
		return broken("notice-signed");
	d->nnsigned++;
	return 0;
}

static int
on_published(struct directory *d, const struct msg *m)
{
	d->published = xreallocarray(d->published, d->npublished + 1, sizeof(*d->published));
	if (get_m_notice_published(m, &d->published[d->npublished]) == -1)
		return broken("notice-published");
	d->npublished++;
	return 0;
}

static int
on_archived(struct directory *d, const struct msg *m)
{
	d->archived = xreallocarray(d->archived, d->narchived + 1, sizeof(*d->archived));
	if (get_m_notice_id(m, &d->archived[d->narchived]) == -1)
		return broken("notice-archived");
	d->narchived++;
	return 0;
}

static int
on_failed(struct directory *d, const struct msg *m)
{
	struct m_notice_id	id;

	if (get_m_notice_id(m, &id) == -1)
		return broken("notice-failed");
	notices_failed(d, id.id);
	return 0;
}

static int
on_message(struct directory *d, const struct msg *m)
{
	switch (m->type) {
	case M_DIR_LOGIN:
		return on_login(d, m);
	case M_SUB_RECEIVED:
		return on_received(d, m);
	case M_SUB_HOLD:
		return on_hold(d, m);
	case M_NOTICE_NEXT:
		return on_next(d, m);
	case M_NOTICE_SIGNED:
		return on_signed(d, m);
	case M_NOTICE_FAILED:
		return on_failed(d, m);
	case M_NOTICE_PUBLISHED:
		return on_published(d, m);
	case M_DIR_REVIEW:
		return login_keep_review(d, m) == 0 ? 0 : broken("dir-review");
	case M_FETCHED:
		return fetched_keep(d, m) == 0 ? 0 : broken("fetched");
	case M_NOTICE_ARCHIVED:
		return on_archived(d, m);
	case M_DIR_COMPRESSED:
		return store_compressed(d, m) == 0 ? 0 : broken("dir-compressed");
	case M_DIR_PASS:
		return store_found(d, m) == 0 ? 0 : broken("dir-pass");
	default:
		return broken(msg_type_name(m->type));
	}
}

/* What stands in the channel now, a bounded part of it. */
static int
read_channel(struct directory *d)
{
	struct msg	 m;
	int		 i, rc = 0;

	for (i = 0; i < BATCH_MAX; i++) {
		if ((rc = msg_recv(&d->chan, &m)) != 1)
			break;
		rc = on_message(d, &m);
		msg_close_fds(&m);
		if (rc == -1)
			return -1;
	}
	if (rc == -1 && errno != 0)
		log_warn("muhurd");
	return rc == -1 ? -1 : 0;
}

/* --- the loop ------------------------------------------------------------------------ */

static void
on_notify(void *arg, const char *channel)
{
	struct directory	*d = arg;

	d->notified = 1;
	if (strcmp(channel, CHANNEL_NOTICE) == 0)
		d->look_sign = d->look_publish = 1;
	else if (strcmp(channel, CHANNEL_ACCESS) == 0)
		d->look_access = 1;
	else
		d->look_decision = 1;
}

static int
look_at_all(struct directory *d)
{
	if (clock_monotonic() < d->next_look)
		return 0;
	d->next_look = clock_monotonic() + LOOK_INTERVAL;
	d->look_sign = d->look_publish = d->look_decision = 1;
	if (clock_watch(d) == -1)
		return -1;
	if (d->steady.held)
		return 0;
	return notices_give_to_expire(d) == -1 || waiting_expire(d) == -1 ||
	    expiry_warn(d) == -1 || store_order(d) == -1 ? -1 : 0;
}

/* Everything that needs the database; -1 leaves what is unwritten for later. */
static int
work(struct directory *d)
{
	/* archived first: of one notice, what is told at once was archived and then shown again */
	if (notices_write_signed(d) == -1 || notices_write_archived(d) == -1 ||
	    notices_write_published(d) == -1 || store_write(d) == -1 || look_at_all(d) == -1)
		return -1;
	if (d->look_sign && notices_give_to_sign(d) == -1)
		return -1;
	if (d->look_publish && notices_give_to_publish(d) == -1)
		return -1;
	if (d->look_decision) {
		d->look_decision = 0;
		if (decisions_run(d) == -1)
			return -1;
	}
	if (d->look_access) {
		d->look_access = 0;
		if (msg_send(&d->chan, M_DIR_CHANGED, 0, NULL, 0, NULL, 0) == -1)
			log_warn("muhurd");
	}
	return login_answer_reviews(d) == -1 || fetched_write(d) == -1 ? -1 : 0;
}

/* A notification may come along with the answer to a query, our own COMMIT's
 * too; the socket is then not readable any more, so poll would not tell. */
static void
look(struct directory *d)
{
	int	 i;

	if (link_up(&d->link))
		link_input(&d->link, on_notify, d);
	for (i = 0; i < LOOKS_MAX; i++) {
		if (!link_up(&d->link))
			return;
		if (work(d) == -1) {
			link_recover(&d->link);
			return;
		}
		d->notified = 0;
		link_input(&d->link, on_notify, d);
		if (!d->notified)
			return;
	}
}

static int
timeout(const struct directory *d, int limit)
{
	usec_t	 left = (d->next_look - clock_monotonic() + 999) / 1000;

	if (d->link.db.conn == NULL)
		return link_timeout(&d->link, limit);
	if (left < 0)
		left = 0;
	return left < limit ? (int)left : limit;
}

int
directory_step(struct directory *d, int timeout_ms)
{
	struct pollfd	 pfd[2];

	pfd[0].fd = d->chan.fd;
	pfd[0].events = (short)(POLLIN | (msg_wants_write(&d->chan) ? POLLOUT : 0));
	pfd[1].fd = link_fd(&d->link);
	pfd[1].events = POLLIN;
	if (poll(pfd, 2, timeout(d, timeout_ms)) == -1)
		return errno == EINTR ? 0 : -1;
	if ((pfd[0].revents & POLLOUT) && msg_flush(&d->chan) == -1)
		return -1;
	if ((pfd[0].revents & (POLLIN | POLLHUP | POLLERR)) && read_channel(d) == -1)
		return -1;
	if (write_received(d) == -1)
		return -1;
	look(d);
	return 0;
}
