/* SPDX-License-Identifier: ISC */
/* Load workers, driven as muhurd and muhur-verify drive them. */
#ifndef MUHUR_TESTS_LOAD_DRIVE_H
#define MUHUR_TESTS_LOAD_DRIVE_H

#include "unit/load/market.h"

#include "load/worker.h"

/* A worker, and muhurd's end of its channel. */
struct desk { struct worker w; struct msg_chan parent; int scratch; };

static inline void
desk_open(struct desk *d)
{
	int	 fds[2];
	char	*path, *password;
	size_t	 len;

	path = xasprintf("%s/muhur_load.password", conf.secrets_dir);
	assert_int_equal(file_read_all(path, 1000, &password, &len), 0);
	assert_int_not_equal(d->scratch = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), -1);
	assert_int_equal(msg_pair(fds), 0);
	msg_init(&d->parent, fds[0], ROLE_MUHURD, ROLE_LOAD);
	worker_init(&d->w, &conf, fds[1], password, d->scratch);
	assert_int_equal(link_up(&d->w.link), 1);
	free(path);
	free(password);
}

static inline void
desk_close(struct desk *d)
{
	worker_close(&d->w);
	msg_close(&d->parent);
	assert_int_equal(close(d->scratch), 0);
}

static inline struct m_submission
receive(const char *user)
{
	struct m_submission	 s = upload(user);
	char			 member[MEMBER_CODE_SIZE];
	const char		*params[] = { s.id, s.user, member };

	assert_int_equal(user_code_member(user, member), 0);
	assert_int_equal(db_exec(&owner, "INSERT INTO muhur.submission (id, uploader,"
	    " member_code, file_name, size, received_at) VALUES ($1, $2, $3, 'r.xml', 1000, '"
	    NOW "')", 3, params), 1);
	return s;
}

/* sha: one hex digit, repeated; cert as in make_market. */
static inline struct m_verdict
verdict(const struct m_submission *s, char sha, char cert)
{
	struct m_verdict	 v = { .signature_valid = 1 };

	(void)str_copy(v.id, sizeof(v.id), s->id);
	memset(v.sha256, sha, SHA256_HEX_SIZE - 1);
	memset(v.cert_sha256, cert, SHA256_HEX_SIZE - 1);
	(void)str_copy(v.signer_subject, sizeof(v.signer_subject), "CN=PLA001");
	v.signing_time = the_time(NOW);
	return v;
}

/* Let the worker go on until it has an answer. */
static inline struct m_submission_state
answer(struct desk *d, enum msg_type type)
{
	struct m_submission_state	 s;
	struct msg			 m;
	int				 i, rc = 0;

	for (i = 0; i < 100 && rc == 0; i++) {
		assert_int_equal(worker_step(&d->w, 20), 0);
		rc = msg_recv(&d->parent, &m);
	}
	assert_int_equal(rc, 1);
	assert_int_equal(m.type, type);
	assert_int_equal(get_m_submission_state(&m, &s), 0);
	return s;
}

/* As far as what stands in the pipe leads it. */
static inline void
go_on(struct desk *d)
{
	int	 i;

	for (i = 0; i < 12; i++)
		assert_int_equal(worker_step(&d->w, 20), 0);
}

static inline int
begin(struct desk *d, const struct m_submission *s)
{
	struct buf	 b = { 0 };
	int		 p[2];

	assert_int_equal(pipe(p), 0);
	put_m_submission(&b, s);
	assert_int_equal(msg_send(&d->parent, M_LOAD_BEGIN, 1, b.data, b.len, &p[0], 1), 0);
	buf_free(&b);
	return p[1];
}

static inline void
give_verdict(struct desk *d, const struct m_verdict *v)
{
	struct buf	 b = { 0 };

	put_m_verdict(&b, v);
	assert_int_equal(msg_send(&d->parent, M_LOAD_VERDICT, 1, b.data, b.len, NULL, 0), 0);
	buf_free(&b);
}

/* Other bytes for each call; cert as in make_market. */
static inline struct m_verdict
fresh_verdict(const struct m_submission *s, char cert)
{
	struct m_verdict	 v = verdict(s, '0', cert);
	static int		 n;

	(void)snprintf(v.sha256, sizeof(v.sha256), "%064x", ++n);
	return v;
}

/* A header of a user of his own member, for DAY. */
static inline struct header
header_of(enum message_type type, const char *user, const char *message_id, long long records)
{
	struct header	 h = { .type = type, .sequence = 1, .record_count = records };

	h.business_date = the_day(DAY);
	h.created_at = the_time(NOW);
	(void)str_copy(h.message_id, sizeof(h.message_id), message_id);
	(void)str_copy(h.user, sizeof(h.user), user);
	assert_int_equal(user_code_member(user, h.sender), 0);
	return h;
}

/* The whole way of one document with records of one kind. */
static inline struct m_submission_state
load_lines(struct desk *d, const struct m_submission *s, const struct header *h, const struct m_verdict *v,
    enum record_kind kind, const char *lines)
{
	int	 fd = begin(d, s);

	assert_int_equal(stream_write_header(fd, h), 0);
	assert_int_equal(stream_write_records(fd, kind, lines, strlen(lines)), 0);
	assert_int_equal(stream_write_mark(fd, STREAM_END), 0);
	close(fd);
	give_verdict(d, v);
	return answer(d, M_LOAD_DONE);
}

/* A number that the query gives for the submission of that id, $1. */
static inline long long
count_of(const char *query, const char *id)
{
	const char	*params[] = { id };
	PGresult	*res = db_query_row(&owner, query, 1, params);
	long long	 n;

	assert_non_null(res);
	n = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	return n;
}

#endif
