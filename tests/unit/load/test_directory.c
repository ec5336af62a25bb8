/* SPDX-License-Identifier: ISC */
/* The directory, driven as muhurd drives it. */
#include "unit/load/market.h"

#include "load/array.h"
#include "load/directory.h"

#define NEVER	INT64_C(3155760000)

static struct directory d;
static struct msg_chan parent;

static void
send_payload(enum msg_type type, uint32_t tag, struct buf *b)
{
	assert_int_equal(msg_send(&parent, type, tag, b->data, b->len, NULL, 0), 0);
	buf_free(b);
}

static int changes;		/* M_DIR_CHANGED seen: may come at any time */

static int
receive(struct msg *m)
{
	int	 rc;

	while ((rc = msg_recv(&parent, m)) == 1 && m->type == M_DIR_CHANGED)
		changes++;
	return rc;
}

/* The next message of that type; others may not come before it. */
static struct msg
expect(enum msg_type type)
{
	struct msg	 m;
	int		 i, rc = 0;

	for (i = 0; i < 100 && rc == 0; i++) {
		assert_int_equal(directory_step(&d, 20), 0);
		rc = receive(&m);
	}
	assert_int_equal(rc, 1);
	assert_string_equal(msg_type_name(m.type), msg_type_name(type));
	return m;
}

static void
expect_nothing(void)
{
	struct msg	 m;
	int		 i;

	for (i = 0; i < 3; i++) {
		assert_int_equal(directory_step(&d, 10), 0);
		assert_int_equal(receive(&m), 0);
	}
}

static struct m_login_result
login(const char *user, const char *key)
{
	struct m_login_result	 r;
	struct m_login		 l = { .proved = 1 };
	struct buf		 b = { 0 };
	struct msg		 m;

	(void)str_copy(l.user, sizeof(l.user), user);
	(void)str_copy(l.algorithm, sizeof(l.algorithm), "ssh-ed25519");
	l.key_len = (uint32_t)strlen(key);
	memcpy(l.key, key, l.key_len);
	put_m_login(&b, &l);
	send_payload(M_DIR_LOGIN, 5, &b);
	m = expect(M_DIR_LOGIN_RESULT);
	assert_int_equal(m.tag, 5);
	assert_int_equal(get_m_login_result(&m, &r), 0);
	return r;
}

static void
test_login(void **state)
{
	struct m_login_result	 r;

	(void)state;
	sql("INSERT INTO muhur.login_key (user_code, blob, certificate, enrolled_at) VALUES"
	    " ('PLA001', 'certkey', repeat('a', 64), '" NOW "'), ('PLA001', 'beside', NULL, '" NOW "'),"
	    " ('PLA002', 'second', NULL, '" NOW "')");
	r = login("PLA001", "certkey");
	assert_int_equal(r.ok, 1);
	assert_int_equal(r.may.may_send, 1);
	assert_string_equal(r.member, "PLA");
	assert_int_equal(login("PLA001", "beside").ok, 1);
	assert_int_equal(login("PLA001", "other").ok, 0);
	assert_int_equal(login("PLB001", "certkey").ok, 0);
	assert_int_equal(login("NOBODY", "certkey").ok, 0);
	assert_int_equal(login("x'; --", "certkey").ok, 0);
	assert_int_equal(login("PLA002", "second").ok, 0);	/* no right */
	assert_int_equal(count("SELECT count(*) FROM muhur.event WHERE kind = 'login'"), 2);
}

static void
test_login_states(void **state)
{
	struct m_login_result	 r;

	(void)state;
	sql("UPDATE muhur.member SET state = 'suspended' WHERE code = 'PLA'");
	r = login("PLA001", "certkey");
	assert_int_equal(r.ok, 1);
	assert_int_equal(r.may.may_send, 0);
	sql("UPDATE muhur.member SET state = 'closed' WHERE code = 'PLA'");
	assert_int_equal(login("PLA001", "certkey").ok, 0);
	sql("UPDATE muhur.member SET state = 'active' WHERE code = 'PLA';"
	    "UPDATE muhur.member_user SET state = 'suspended' WHERE code = 'PLA001'");
	assert_int_equal(login("PLA001", "certkey").ok, 0);
	sql("UPDATE muhur.member_user SET state = 'active' WHERE code = 'PLA001';"
	    "UPDATE muhur.certificate SET state = 'revoked' WHERE user_code = 'PLA001'");
	assert_int_equal(login("PLA001", "certkey").ok, 0);
	assert_int_equal(login("PLA001", "beside").ok, 0);
	sql("UPDATE muhur.certificate SET state = 'good', not_after = '2026-01-02' WHERE user_code = 'PLA001'");
	assert_int_equal(login("PLA001", "certkey").ok, 0);
	sql("UPDATE muhur.certificate SET not_after = '2099-01-01' WHERE user_code = 'PLA001'");
	assert_int_equal(login("PLA001", "certkey").ok, 1);
}

static void
ask_review(uint32_t tag, const char *user, const char *key)
{
	struct m_login	 l = { .proved = 1 };
	struct buf	 b = { 0 };

	(void)str_copy(l.user, sizeof(l.user), user);
	(void)str_copy(l.algorithm, sizeof(l.algorithm), "ssh-ed25519");
	l.key_len = (uint32_t)strlen(key);
	memcpy(l.key, key, l.key_len);
	put_m_login(&b, &l);
	send_payload(M_DIR_REVIEW, tag, &b);
}

static struct m_login_result
reviewed(uint32_t tag)
{
	struct m_login_result	 r;
	struct msg		 m = expect(M_DIR_REVIEWED);

	assert_int_equal(m.tag, tag);
	assert_int_equal(get_m_login_result(&m, &r), 0);
	return r;
}

/* What compliance and the regulator see is theirs alone, by right, while it is held,
 * and lets nobody send. */
static void
test_sight(void **state)
{
	static const char *const grants[] = {
		/* of another kind; for another member; that ended; that has not begun */
		"INSERT INTO muhur.user_right (user_code, member_code, message_type, step, valid_from)"
		    " VALUES ('PLA001', 'PLA', 'Trail', 'entry', '" NOW "'), ('PLA001', 'UYM', 'Archive', 'entry', '" NOW "')",
		"INSERT INTO muhur.user_right (user_code, member_code, message_type, step, valid_from)"
		    " VALUES ('UYM001', 'PLA', 'Trail', 'entry', '" NOW "')",
		"INSERT INTO muhur.user_right (user_code, member_code, message_type, step, valid_from, valid_to)"
		    " VALUES ('UYM001', 'UYM', 'Trail', 'entry', '" NOW "', '" NOW "'),"
		    " ('UYM001', 'UYM', 'Archive', 'entry', '2098-01-01', '2099-01-01')",
	};
	struct m_login_result	 r;
	size_t			 i;

	(void)state;
	sql("INSERT INTO muhur.member (code, kind, name, created_at) VALUES ('UYM', 'compliance', 'U', '" NOW "');"
	    "INSERT INTO muhur.member_user (code, member_code, created_at) VALUES ('UYM001', 'UYM', '" NOW "');"
	    "INSERT INTO muhur.certificate (sha256, user_code, der, subject, issuer, serial, not_before, not_after,"
	    " enrolled_at) VALUES (repeat('7', 64), 'UYM001', '', 'CN=U', 'CN=CA', 'F7', '2026-01-01', '2099-01-01', '" NOW "');"
	    "INSERT INTO muhur.login_key (user_code, blob, enrolled_at) VALUES ('UYM001', 'sees', '" NOW "');"
	    "INSERT INTO muhur.user_right (user_code, member_code, message_type, step, valid_from)"
	    " VALUES ('UYM001', 'UYM', '-', 'entry', '" NOW "')");
	for (i = 0; i < sizeof(grants) / sizeof(grants[0]); i++) {
		sql(grants[i]);
		r = login("PLA001", "certkey");
		assert_true(r.ok && !r.may.sees_trail && !r.may.sees_archives);
		r = login("UYM001", "sees");
		assert_true(r.ok && !r.may.sees_trail && !r.may.sees_archives);
	}
	/* both steps are given, one is held */
	sql("INSERT INTO muhur.user_right (user_code, member_code, message_type, step, valid_from)"
	    " SELECT 'UYM001', 'UYM', 'Trail', s, '" NOW "' FROM unnest(ARRAY['entry', 'approval']) s");
	assert_int_equal(count("SELECT count(*) FROM muhur.user_right WHERE step = 'approval'"
	    " AND message_type IN ('Trail', 'Archive')"), 0);
	r = login("UYM001", "sees");
	assert_true(r.ok && r.may.may_send && r.may.sees_trail && !r.may.sees_archives);
	/* by a role, as well */
	sql("INSERT INTO muhur.role (name, created_at) VALUES ('sight', '" NOW "');"
	    "INSERT INTO muhur.role_right (role, message_type, step, valid_from, granted_by)"
	    " VALUES ('sight', 'Archive', 'entry', '" NOW "', 'operator');"
	    "INSERT INTO muhur.user_role (user_code, member_code, role, valid_from, granted_by)"
	    " VALUES ('UYM001', 'UYM', 'sight', '" NOW "', 'operator'), ('PLA001', 'PLA', 'sight', '" NOW "', 'operator')");
	r = login("UYM001", "sees");
	assert_true(r.may.sees_trail && r.may.sees_archives);
	r = login("PLA001", "certkey");
	assert_false(r.may.sees_archives);
	assert_int_equal(count("SELECT count(*) FROM unnest(ARRAY['Trail', 'Archive']) t"
	    " WHERE muhur.may('UYM001', 'UYM', t, 'entry', now())"), 0);
	/* a suspended member's users still fetch */
	sql("UPDATE muhur.member SET state = 'suspended' WHERE code = 'UYM'");
	r = login("UYM001", "sees");
	assert_true(r.ok && !r.may.may_send && r.may.sees_trail && r.may.sees_archives);
	sql("UPDATE muhur.member SET state = 'active' WHERE code = 'UYM';"
	    "UPDATE muhur.user_right SET valid_to = '" NOW "' WHERE user_code = 'UYM001' AND message_type = 'Trail'");
	ask_review(1, "UYM001", "sees");
	r = reviewed(1);
	assert_true(r.ok && !r.may.sees_trail && r.may.sees_archives);
	sql("DELETE FROM muhur.user_role; DELETE FROM muhur.role_right; DELETE FROM muhur.role;"
	    "DELETE FROM muhur.user_right WHERE message_type IN ('Trail', 'Archive', '-')");
}

/* Who is in is judged as who comes, several at once, and no login is recorded. */
static void
test_review(void **state)
{
	struct m_login_result	 r;
	long long		 logins = count("SELECT count(*) FROM muhur.event WHERE kind = 'login'");
	uint32_t		 i;

	(void)state;
	ask_review(1, "PLA001", "certkey");
	ask_review(2, "PLA001", "gone");
	ask_review(3, "PLA002", "second");
	ask_review(4, "ZZZ001", "certkey");
	ask_review(5, "PLA001", "beside");
	r = reviewed(1);
	assert_int_equal(r.ok, 1);
	assert_int_equal(r.may.may_send, 1);
	assert_string_equal(r.member, "PLA");
	r = reviewed(2);
	assert_int_equal(r.ok, 0);
	assert_string_equal(r.user, "PLA001");
	assert_string_equal(r.why, "the key is not enrolled for this user");
	assert_string_equal(reviewed(3).why, "the user holds no right");
	assert_string_equal(reviewed(4).why, "no such user");
	assert_int_equal(reviewed(5).ok, 1);
	sql("UPDATE muhur.member SET state = 'suspended' WHERE code = 'PLA'");
	ask_review(6, "PLA001", "certkey");
	r = reviewed(6);
	assert_int_equal(r.ok, 1);
	assert_int_equal(r.may.may_send, 0);
	sql("UPDATE muhur.member SET state = 'active' WHERE code = 'PLA'");
	for (i = 0; i < REVIEWS_MAX; i++)
		ask_review(100 + i, "PLA001", "certkey");
	for (i = 0; i < REVIEWS_MAX; i++)
		assert_int_equal(reviewed(100 + i).ok, 1);
	assert_int_equal(count("SELECT count(*) FROM muhur.event WHERE kind = 'login'"), logins);
}

/* Each change of what a login is judged by is told, and nothing else is. */
static void
test_changes(void **state)
{
	static const char *const told[] = {
		"UPDATE muhur.member SET state = 'suspended' WHERE code = 'PLB'",
		"UPDATE muhur.member SET state = 'active' WHERE code = 'PLB'",
		"UPDATE muhur.member_user SET state = 'active' WHERE code = 'PLB001'",
		"UPDATE muhur.certificate SET state = 'good' WHERE user_code = 'PLB001'",
		"UPDATE muhur.certificate SET not_after = '2099-01-01' WHERE user_code = 'PLB001'",
		"UPDATE muhur.login_key SET certificate = NULL WHERE user_code = 'PLA002'",
		"DELETE FROM muhur.login_key WHERE user_code = 'PLB001'",
		"INSERT INTO muhur.user_right (user_code, member_code, message_type, step, valid_from)"
		    " VALUES ('PLB001', 'PLB', 'ListingNotice', 'entry', '" NOW "')",
		"UPDATE muhur.user_right SET valid_to = valid_from WHERE message_type = 'ListingNotice'",
	};
	size_t	 i;
	int	 before, n;

	(void)state;
	for (i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		expect_nothing();
		before = changes;
		sql(told[i]);
		for (n = 0; n < 100 && changes == before; n++)
			expect_nothing();
		if (changes == before)
			fail_msg("not told: %s", told[i]);
	}
	expect_nothing();
	before = changes;
	sql("UPDATE muhur.member SET name = 'B2' WHERE code = 'PLB'");
	expect_nothing();
	assert_int_equal(changes, before);
}

/* The gateway's clock shows this moment, and goes on. */
static void
set_clock(const char *s)
{
	usec_t	 t;
	int	 zoned;

	assert_int_equal(time_parse(s, &t, &zoned), 0);
	clock_init(0);
	clock_init((t - clock_now()) / USEC_PER_SEC);
}

static const char waiting[] = "SELECT coalesce(string_agg(file_name, ',' ORDER BY file_name), '') "
    "FROM muhur.submission WHERE file_name LIKE 'wait-%' AND state = 'waiting'";

/* At 12:00 in Istanbul, which is 09:00 UTC on every day of the year, what came
 * before is dropped; what came at that moment has until the next day's. */
static void
test_expiry(void **state)
{
	static const struct { const char *at, *left; } cases[] = {
		{ "2026-11-21T08:59:55Z", "wait-before,wait-midnight,wait-on" },
		{ "2026-11-21T09:00:01Z", "wait-on" },
		{ "2026-11-22T08:59:55Z", "wait-on" },
		/* something came before that is not decided yet */
		{ "2026-11-22T09:00:01Z", "wait-on" },
		{ "2026-11-22T09:09:59Z", "wait-on" },
		{ "2026-11-22T09:10:01Z", "" },
	};
	PGresult	*res;
	size_t		 i;

	(void)state;
	sql("INSERT INTO muhur.submission (id, uploader, member_code, file_name, size, received_at, state,"
	    " sha256, message_type, business_date) SELECT gen_random_uuid(), 'PLA001', 'PLA', n, 1,"
	    " t::timestamptz, 'waiting', repeat('7', 64), 'BalanceReport', b::date FROM (VALUES"
	    " ('wait-before', '2026-11-21T08:59:59Z', '2026-11-20'),"
	    " ('wait-on', '2026-11-21T09:00:00Z', '2026-11-20'),"
	    " ('wait-midnight', '2026-11-20T21:00:00Z', '2026-07-01')) AS x (n, t, b)");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set_clock(cases[i].at);
		if (i == 3)
			sql("INSERT INTO muhur.submission (id, uploader, member_code, file_name, size, received_at) VALUES"
			    " (gen_random_uuid(), 'PLA001', 'PLA', 'undecided', 1, '2026-11-22T08:59:59Z')");
		assert_int_equal(waiting_expire(&d), 0);
		res = db_query_row(&owner, waiting, 0, NULL);
		assert_non_null(res);
		assert_string_equal(PQgetvalue(res, 0, 0), cases[i].left);
		PQclear(res);
	}
	clock_init(0);
	assert_int_equal(count("SELECT count(*) FROM muhur.submission_reason r JOIN muhur.submission s"
	    " ON s.no = r.submission WHERE s.file_name LIKE 'wait-%' AND r.code = 'BUSINESS_DATE'"), 3);
	assert_int_equal(count("SELECT count(*) FROM muhur.notice n JOIN muhur.submission s"
	    " ON s.no = n.submission WHERE s.file_name LIKE 'wait-%' AND n.level = 'rejected'"), 3);
	sql("DELETE FROM muhur.notice WHERE submission IN (SELECT no FROM muhur.submission"
	    " WHERE file_name LIKE 'wait-%');"
	    "DELETE FROM muhur.submission WHERE file_name = 'undecided'");
}

/* Somebody's lock holds a login for seconds, not for as long as it likes. */
static void
test_locked(void **state)
{
	usec_t	 begin = clock_monotonic();

	(void)state;
	sql("BEGIN; LOCK TABLE muhur.member_user IN ACCESS EXCLUSIVE MODE");
	assert_int_equal(login("PLA001", "certkey").ok, 0);
	assert_in_range(clock_monotonic() - begin, USEC_PER_SEC, 15 * USEC_PER_SEC);
	sql("ROLLBACK");
	assert_int_equal(login("PLA001", "certkey").ok, 1);
}

static struct m_submission_state
received(const struct m_submission *s)
{
	struct m_submission_state	 st;
	struct buf			 b = { 0 };
	struct msg			 m;

	put_m_submission(&b, s);
	send_payload(M_SUB_RECEIVED, 9, &b);
	m = expect(M_SUB_STATE);
	assert_int_equal(m.tag, 9);
	assert_int_equal(get_m_submission_state(&m, &st), 0);
	assert_string_equal(st.id, s->id);
	return st;
}

static void
test_received_once(void **state)
{
	struct m_submission	 s = upload("PLA001"), t = upload("PLB001");
	struct m_submission_state st;
	struct buf		 b = { 0 };
	struct msg		 m;

	(void)state;
	assert_int_equal(received(&s).state, SUB_RECEIVED);
	assert_int_equal(received(&s).state, SUB_RECEIVED);
	assert_int_equal(count("SELECT count(*) FROM muhur.submission WHERE member_code = 'PLA'"), 1);
	assert_int_equal(count("SELECT count(*) FROM muhur.submission WHERE file_name = 'report \"1\".xml'"
	    " AND size = 1000 AND received_at = '" NOW "'"), 1);
	assert_int_equal(count("SELECT count(*) FROM muhur.event WHERE kind = 'received'"), 1);
	/* two at once, one of them known: one statement, both answered */
	put_m_submission(&b, &s);
	send_payload(M_SUB_RECEIVED, 1, &b);
	put_m_submission(&b, &t);
	send_payload(M_SUB_RECEIVED, 2, &b);
	m = expect(M_SUB_STATE);
	assert_int_equal(m.tag, 1);
	assert_int_equal(get_m_submission_state(&m, &st), 0);
	assert_int_equal(st.retry_later, 0);
	m = expect(M_SUB_STATE);
	assert_int_equal(m.tag, 2);
	assert_int_equal(count("SELECT count(*) FROM muhur.event WHERE kind = 'received'"), 2);
}

/* Held; the operator has it tried again; held; rejected. */
static void
test_hold_and_decide(void **state)
{
	struct m_submission		 s = upload("PLA001");
	struct m_submission_state	 st;
	struct m_submission_id		 id;
	struct buf			 b = { 0 };
	struct msg			 m;
	int				 i;

	(void)state;
	assert_int_equal(received(&s).state, SUB_RECEIVED);
	(void)str_copy(id.id, sizeof(id.id), s.id);
	for (i = 0; i < 2; i++) {
		put_m_submission_id(&b, &id);
		send_payload(M_SUB_HOLD, 3, &b);
		m = expect(M_SUB_STATE);
		assert_int_equal(m.tag, 3);
		assert_int_equal(get_m_submission_state(&m, &st), 0);
		assert_int_equal(st.state, SUB_HELD);
		expect_nothing();
		sql(i == 0 ? "UPDATE muhur.submission SET operator_decision = 'retry' WHERE state = 'held';"
		    "NOTIFY muhur_decision" :
		    "UPDATE muhur.submission SET operator_decision = 'reject', sha256 = repeat('7', 64)"
		    " WHERE state = 'held'; NOTIFY muhur_decision");
		m = expect(M_SUB_STATE);
		assert_int_equal(get_m_submission_state(&m, &st), 0);
		assert_int_equal(st.state, i == 0 ? SUB_RECEIVED : SUB_REJECTED);
	}
	assert_int_equal(count("SELECT count(*) FROM muhur.submission_reason r JOIN muhur.submission s"
	    " ON s.no = r.submission WHERE r.code = 'PROCESSING_FAILED' AND s.member_code = 'PLA'"), 1);
	assert_int_equal(count("SELECT count(*) FROM muhur.notice WHERE level = 'rejected'"), 1);
	assert_int_equal(count("SELECT count(*) FROM muhur.submission WHERE operator_decision IS NOT NULL"), 0);
}

static void
next(uint32_t tag)
{
	assert_int_equal(msg_send(&parent, M_NOTICE_NEXT, tag, NULL, 0, NULL, 0), 0);
}

/* Our own COMMIT brings its notification with it: no waiting for the next look. */
static void
test_own_notification(void **state)
{
	struct m_submission	 s = upload("PLB001");
	struct m_submission_id	 id;
	struct buf		 b = { 0 };
	usec_t			 before;
	struct msg		 m;
	int			 i, rc = 0;

	(void)state;
	(void)received(&s);
	(void)str_copy(id.id, sizeof(id.id), s.id);
	put_m_submission_id(&b, &id);
	send_payload(M_SUB_HOLD, 3, &b);
	(void)expect(M_SUB_STATE);
	sql("UPDATE muhur.submission SET operator_decision = 'reject', sha256 = repeat('8', 64)"
	    " WHERE state = 'held'");
	assert_int_equal(msg_send(&parent, M_NOTICE_NEXT, 50, NULL, 0, NULL, 0), 0);
	assert_int_equal(msg_send(&parent, M_NOTICE_NEXT, 51, NULL, 0, NULL, 0), 0);
	expect_nothing();
	d.next_look = clock_monotonic() + 10 * USEC_PER_SEC;
	sql("NOTIFY muhur_decision");
	before = clock_monotonic();
	(void)expect(M_SUB_STATE);
	for (i = 0; i < 2; i++) {
		for (rc = 0; rc == 0;) {
			rc = msg_recv(&parent, &m);
			if (rc == 0)
				assert_int_equal(directory_step(&d, 20000), 0);
		}
		assert_int_equal(rc, 1);
		assert_int_equal(m.type, M_NOTICE_TO_SIGN);
	}
	assert_true(clock_monotonic() - before < 5 * USEC_PER_SEC);
	assert_int_equal(count("SELECT count(*) FROM muhur.event WHERE kind = 'rejected'"
	    " AND detail->>'sha256' = repeat('8', 64)"), 1);
	sql("DELETE FROM muhur.notice WHERE recipient = 'PLB'");
	d.signing.n = 0;
}

/* Level (ii): the acceptance is told with the findings that were kept, and how many
 * there are; what was received, without. */
static void
test_findings(void **state)
{
	static const char *const levels[] = { "received", "accepted" };
	struct notice		 n;
	struct msg		 m;
	int			 i;

	(void)state;
	sql("WITH s AS (INSERT INTO muhur.submission (id, uploader, member_code, file_name, size, received_at, state, sha256,"
	    "  message_type, business_date) VALUES (gen_random_uuid(), 'PLB001', 'PLB', 'x.xml', 1, '" NOW "', 'accepted',"
	    "  repeat('e', 64), 'BalanceReport', '" DAY "') RETURNING no), "
	    "f AS (INSERT INTO muhur.record_finding (submission, record_no, line, code)"
	    "  SELECT no, r, r, 'NOT_LISTED' FROM s, generate_series(1, 3) r), "
	    "c AS (INSERT INTO muhur.record_finding_count (submission, code, n)"
	    "  SELECT no, c, k FROM s, (VALUES ('NOT_LISTED', 2000), ('NO_CONTRACT', 7)) x (c, k)) "
	    "INSERT INTO muhur.notice (id, kind, level, recipient, submission, file_name, issued_at, day)"
	    "  SELECT gen_random_uuid(), 'Acknowledgement', l, 'PLB', no, l, '" NOW "', '" DAY "'"
	    "  FROM s, (VALUES (1, 'received'), (2, 'accepted')) x (i, l) ORDER BY i; NOTIFY muhur_notice");
	next(60);	/* beside the one that test_notices left */
	for (i = 0; i < 2; i++) {
		m = expect(M_NOTICE_TO_SIGN);
		assert_int_equal(get_notice(&m, &n), 0);
		assert_string_equal(notice_level_name(n.level), levels[i]);
		assert_int_equal(n.line_count, i == 0 ? 0 : 3);
		assert_int_equal(n.findings, i == 0 ? 0 : 2007);
	}
	sql("DELETE FROM muhur.notice WHERE recipient = 'PLB'");
}

/* What takes long to sign does not keep a later answer waiting. */
static void
test_long_one(void **state)
{
	static const char *const names[] = { "short", "long" };
	struct notice		 n;
	struct msg		 m;
	int			 i;

	(void)state;
	sql("WITH s AS (INSERT INTO muhur.submission (id, uploader, member_code, file_name, size, received_at, state, sha256)"
	    "  VALUES (gen_random_uuid(), 'PLB001', 'PLB', 'y.xml', 1, '" NOW "', 'accepted', repeat('d', 64)) RETURNING no) "
	    "INSERT INTO muhur.notice (id, kind, level, recipient, submission, file_name, issued_at, day, line_count)"
	    "  SELECT gen_random_uuid(), 'Acknowledgement', 'accepted', 'PLB', no, f, '" NOW "', '" DAY "', n"
	    "  FROM s, (VALUES (1, 'long', 100001), (2, 'short', 100000)) x (i, f, n) ORDER BY i; NOTIFY muhur_notice");
	for (i = 0; i < 2; i++) {
		next(70 + (uint32_t)i);
		m = expect(M_NOTICE_TO_SIGN);
		assert_int_equal(get_notice(&m, &n), 0);
		assert_string_equal(n.file_name, names[i]);
	}
	sql("DELETE FROM muhur.notice WHERE recipient = 'PLB'");
	d.signing.n = 0;
}

/* Of many that wait only those are read that are given out, though the database has
 * not seen yet that they are many: the query orders as its index does. */
static void
test_many_to_sign(void **state)
{
	PGresult	*res;
	const char	*line;
	int		 i, found = 0;

	(void)state;
	sql("ANALYZE muhur.notice; INSERT INTO muhur.notice (id, kind, recipient, file_name, issued_at, day, line_count)"
	    " SELECT gen_random_uuid(), 'ReconciliationResult', 'PLB', 'm' || i, '" NOW "', '" DAY "', i * 100"
	    " FROM generate_series(1, 2000) i");
	res = db_query(&d.link.db, NULL, "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF)"
	    " EXECUTE notice_to_sign('{}', 8)", 0, NULL);
	assert_non_null(res);
	for (i = 0; i < PQntuples(res); i++) {
		line = PQgetvalue(res, i, 0);
		if (strstr(line, "Scan") != NULL && strstr(line, " on notice ") != NULL) {
			assert_non_null(strstr(line, "using notice_to_sign on notice n_1 (actual rows=8 loops=1)"));
			found++;
		}
	}
	assert_int_equal(found, 1);
	PQclear(res);
	sql("DELETE FROM muhur.notice WHERE recipient = 'PLB'");
}

static void
published(const char *id, int archived)
{
	struct m_notice_published	 p = { .archived = archived };
	struct buf			 b = { 0 };

	(void)str_copy(p.id, sizeof(p.id), id);
	put_m_notice_published(&b, &p);
	send_payload(M_NOTICE_PUBLISHED, 0, &b);
}

/* The two notices of the rejection: given once, oldest first, a failed one
 * later; signed twice, the first wins; shown; expired; archived. */
static void
test_notices(void **state)
{
	struct m_notice_publish	 p;
	struct m_notice_file	 f = { .size = 5, .signed_at = the_time(NOW) };
	struct m_notice_id	 id;
	struct notice		 n[2];
	struct buf		 b = { 0 };
	struct msg		 m;
	int			 i;

	(void)state;
	for (i = 0; i < 2; i++) {
		next(40 + (uint32_t)i);
		m = expect(M_NOTICE_TO_SIGN);
		assert_int_equal(m.tag, 40 + i);
		assert_int_equal(get_notice(&m, &n[i]), 0);
		assert_string_equal(n[i].recipient, "PLA");
		assert_string_equal(n[i].uploader, "PLA001");
		assert_string_equal(n[i].submission_name, "report \"1\".xml");
		assert_int_equal(n[i].received_at, the_time(NOW));
		assert_int_equal(n[i].line_count, 0);
	}
	assert_int_equal(n[0].level, NL_RECEIVED);
	assert_int_equal(n[0].reasons.n, 0);
	assert_int_equal(n[1].level, NL_REJECTED);
	assert_int_equal(n[1].reasons.n, 1);
	assert_int_equal(n[1].reasons.v[0].code, PROCESSING_FAILED);
	next(42);
	expect_nothing();		/* both are out */

	(void)str_copy(id.id, sizeof(id.id), n[1].id);
	put_m_notice_id(&b, &id);
	send_payload(M_NOTICE_FAILED, 0, &b);
	expect_nothing();		/* not at once */

	/* PLB gets the same document: nothing more is signed for it */
	sql("INSERT INTO muhur.notice (id, kind, level, recipient, file_name, issued_at, day, copy_of)"
	    " SELECT gen_random_uuid(), kind, level, 'PLB', file_name, issued_at, day, no FROM muhur.notice"
	    " WHERE level = 'received' AND sha256 IS NULL");
	d.look_sign = 1;
	d.next_look = 0;
	expect_nothing();

	(void)str_copy(f.id, sizeof(f.id), n[0].id);
	for (i = 0; i < 2; i++) {
		memset(f.sha256, i == 0 ? '1' : '2', SHA256_HEX_SIZE - 1);
		put_m_notice_file(&b, &f);
		send_payload(M_NOTICE_SIGNED, 0, &b);
		m = expect(M_NOTICE_PUBLISH);
		assert_int_equal(get_m_notice_publish(&m, &p), 0);
		assert_int_equal(p.sha256[0], '1');
		assert_string_equal(p.file_name, n[0].file_name);
		assert_string_equal(p.recipient, "PLA");
		m = expect(M_NOTICE_PUBLISH);
		assert_int_equal(get_m_notice_publish(&m, &p), 0);
		assert_int_equal(p.sha256[0], '1');
		assert_string_equal(p.recipient, "PLB");
	}
	assert_int_equal(count("SELECT count(*) FROM muhur.event e JOIN muhur.notice n ON n.no = e.notice"
	    " WHERE e.kind = 'signed' AND e.detail ->> 'sha256' = n.sha256 AND n.sha256 LIKE '11%'"), 2);
	sql("DELETE FROM muhur.notice WHERE copy_of IS NOT NULL");
	published(n[0].id, 0);
	expect_nothing();
	assert_int_equal(count("SELECT count(*) FROM muhur.notice WHERE published_at IS NOT NULL"
	    " AND outbox_until = published_at + interval '7 days'"), 1);

	sql("UPDATE muhur.notice SET outbox_until = '2026-01-01' WHERE published_at IS NOT NULL");
	d.next_look = 0;
	m = expect(M_NOTICE_EXPIRE);
	assert_int_equal(get_m_notice_publish(&m, &p), 0);
	assert_string_equal(p.id, n[0].id);
	d.next_look = 0;
	expect_nothing();		/* asked once */
	/* it could not be: not before an hour */
	(void)str_copy(id.id, sizeof(id.id), n[0].id);
	put_m_notice_id(&b, &id);
	send_payload(M_NOTICE_FAILED, 0, &b);
	d.next_look = 0;
	expect_nothing();
	assert_int_equal(d.expiring.n, 0);
	assert_int_equal(d.unarchived.n, 1);
	assert_in_range(d.unarchived.v[0].until - clock_monotonic(), 3500 * USEC_PER_SEC,
	    3600 * USEC_PER_SEC);
	d.unarchived.v[0].until = d.next_look = 0;
	(void)expect(M_NOTICE_EXPIRE);
	put_m_notice_id(&b, &id);
	send_payload(M_NOTICE_ARCHIVED, 0, &b);
	expect_nothing();
	assert_int_equal(count("SELECT count(*) FROM muhur.notice WHERE archived_at IS NOT NULL"), 1);
	/* once, whatever is said again */
	put_m_notice_id(&b, &id);
	send_payload(M_NOTICE_ARCHIVED, 0, &b);
	expect_nothing();
	assert_int_equal(count("SELECT count(*) FROM muhur.event e JOIN muhur.notice n ON n.no = e.notice"
	    " WHERE e.kind = 'archived' AND e.submission = n.submission"
	    " AND e.detail = jsonb_build_object('sha256', n.sha256, 'file', n.file_name)"), 1);
	/* its link was lost: made again where it was */
	sql("UPDATE muhur.notice SET published_at = NULL WHERE sha256 IS NOT NULL; NOTIFY muhur_notice");
	m = expect(M_NOTICE_PUBLISH);
	assert_int_equal(get_m_notice_publish(&m, &p), 0);
	assert_int_equal(p.archived, 1);
	published(n[0].id, 1);
	expect_nothing();
	assert_int_equal(count("SELECT count(*) FROM muhur.notice WHERE archived_at IS NOT NULL"
	    " AND published_at = '2025-12-25' AND outbox_until = '2026-01-01'"), 1);

	/* once more, and a repeat comes meanwhile: what has got into the archive is not what
	 * is wanted any more, and it is shown again at once */
	sql("UPDATE muhur.notice SET published_at = NULL WHERE sha256 IS NOT NULL; NOTIFY muhur_notice");
	(void)expect(M_NOTICE_PUBLISH);
	sql("UPDATE muhur.notice SET published_at = NULL, outbox_until = NULL, archived_at = NULL"
	    " WHERE sha256 IS NOT NULL; NOTIFY muhur_notice");
	expect_nothing();
	d.next_look = clock_monotonic() + 10 * USEC_PER_SEC;
	published(n[0].id, 1);
	m = expect(M_NOTICE_PUBLISH);
	assert_int_equal(count("SELECT count(*) FROM muhur.notice WHERE published_at IS NOT NULL"), 0);
	assert_int_equal(get_m_notice_publish(&m, &p), 0);
	assert_string_equal(p.id, n[0].id);
	assert_int_equal(p.archived, 0);
}

/* Several that are signed at once are locked in the order of their numbers: while the
 * first cannot be, nobody waits for the second. */
static void
test_signed_in_order(void **state)
{
	static const char *const ids[] = { "00000000-0000-7000-8000-000000000002",
	    "ffffffff-ffff-7fff-bfff-fffffffffff1" };
	struct m_notice_file	 f = { .size = 5, .signed_at = the_time(NOW) };
	struct db		 other = { 0 };
	struct buf		 b = { 0 };
	PGresult		*res;
	int			 i;

	(void)state;
	sql("INSERT INTO muhur.notice (id, kind, recipient, file_name, issued_at, day, line_count) VALUES"
	    " ('ffffffff-ffff-7fff-bfff-fffffffffff1', 'ReconciliationResult', 'PLB', '1', '" NOW "', '" DAY "', 100001),"
	    " ('00000000-0000-7000-8000-000000000002', 'ReconciliationResult', 'PLB', '2', '" NOW "', '" DAY "', 0)");
	sql("BEGIN; SELECT FROM muhur.notice WHERE file_name = '1' FOR UPDATE");
	assert_int_equal(admin_connect(&other, &conf), 0);
	assert_int_equal(PQsendQuery(other.conn, "SELECT pg_sleep(1);"
	    " SELECT FROM muhur.notice WHERE file_name = '2' FOR UPDATE NOWAIT"), 1);
	memset(f.sha256, '3', SHA256_HEX_SIZE - 1);
	for (i = 0; i < 2; i++) {
		(void)str_copy(f.id, sizeof(f.id), ids[i]);
		put_m_notice_file(&b, &f);
		send_payload(M_NOTICE_SIGNED, 0, &b);
	}
	assert_int_equal(directory_step(&d, 20), 0);	/* until its lock_timeout */
	for (i = 0; (res = PQgetResult(other.conn)) != NULL; PQclear(res))
		i += PQresultStatus(res) == PGRES_TUPLES_OK;
	db_close(&other);
	sql("ROLLBACK");
	assert_int_equal(i, 2);
	for (i = 0; i < 2; i++)
		(void)expect(M_NOTICE_PUBLISH);
	sql("DELETE FROM muhur.notice WHERE recipient = 'PLB'");
}

/* A repeat comes while the notice goes out of the outbox; that it is out, and then that
 * it is in again, is told at once. */
static void
test_shown_again(void **state)
{
	struct m_notice_publish	 p;
	struct m_notice_id	 id;
	struct buf		 b = { 0 };
	struct msg		 m;

	(void)state;
	sql("INSERT INTO muhur.notice (id, kind, recipient, file_name, issued_at, sha256, size, signed_at,"
	    " published_at, outbox_until, day) VALUES (gen_random_uuid(), 'ReconciliationResult', 'PLB', 'again.xml',"
	    " '" NOW "', repeat('1', 64), 1, '" NOW "', '2025-12-25', '2026-01-01', '2026-01-01')");
	d.next_look = 0;
	m = expect(M_NOTICE_EXPIRE);
	assert_int_equal(get_m_notice_publish(&m, &p), 0);
	assert_string_equal(p.file_name, "again.xml");
	(void)str_copy(id.id, sizeof(id.id), p.id);
	sql("UPDATE muhur.notice SET published_at = NULL, outbox_until = NULL"
	    " WHERE file_name = 'again.xml'; NOTIFY muhur_notice");
	(void)expect(M_NOTICE_PUBLISH);
	put_m_notice_id(&b, &id);
	send_payload(M_NOTICE_ARCHIVED, 0, &b);
	published(id.id, 0);
	expect_nothing();
	assert_int_equal(count("SELECT count(*) FROM muhur.notice WHERE file_name = 'again.xml'"
	    " AND published_at IS NOT NULL AND archived_at IS NULL"), 1);
	sql("DELETE FROM muhur.notice WHERE recipient = 'PLB'");
}

static long long size = 100;	/* of the file */

static void
fetched(uint32_t tag, const char *user, const char *file, long long from, long long to, int more)
{
	struct m_fetched	 f = { .recipient = "PLA", .size = size, .at = the_time(NOW) };
	struct buf		 b = { 0 };
	struct msg		 m;

	(void)str_copy(f.user, sizeof(f.user), user);
	(void)str_copy(f.file_name, sizeof(f.file_name), file);
	f.ranges.n = 1;
	f.ranges.v[0].from = from;
	f.ranges.v[0].to = to;
	put_m_fetched(&b, &f);
	send_payload(M_FETCHED, tag, &b);
	if (more)
		return;
	m = expect(M_FETCHED_KEPT);
	assert_int_equal(m.tag, tag);
	assert_int_equal(m.len, 0);
}

#define PIECES "SELECT count(*) FROM muhur.notice_fetch f, unnest(f.ranges)"
#define FETCHED(what) count("SELECT count(*) FROM muhur.event WHERE kind = 'fetched' AND " what)
/* Who fetched which bytes; pieces add up, and the trail has the first and the
 * one that made it whole. */
static void
test_fetched(void **state)
{
	int	 i;

	(void)state;
	sql("INSERT INTO muhur.notice (id, kind, recipient, file_name, issued_at, sha256, size,"
	    " signed_at, published_at, outbox_until, day) SELECT gen_random_uuid(),"
	    " 'ReconciliationResult', 'PLA', 'f' || i || '.xml', '" NOW "', repeat('1', 64), 100,"
	    " '" NOW "', '" NOW "', '2099-01-01', '2026-01-01' FROM generate_series(1, 2) AS i");
	fetched(1, "PLA001", "f1.xml", 0, 40, 1);
	fetched(2, "PLA001", "f1.xml", 60, 100, 0);
	assert_int_equal(count("SELECT bytes FROM muhur.notice_fetch"), 80);
	assert_int_equal(count("SELECT fetches FROM muhur.notice_fetch WHERE NOT whole AND whole_at IS NULL"), 2);
	assert_int_equal(FETCHED("detail @> '{\"whole\": false, \"user\": \"PLA001\"}'"), 1);
	assert_int_equal(count("SELECT count(*) FROM muhur.notice_unfetched WHERE file_name LIKE 'f_.xml'"), 2);
	for (i = 3; i < 6; i++)
		fetched((uint32_t)i, "PLA001", "f1.xml", 0, 30, 0);
	assert_int_equal(FETCHED("true"), 1);
	fetched(6, "PLA001", "f1.xml", 39, 61, 0);
	assert_int_equal(count("SELECT count(*) FROM muhur.notice_fetch WHERE whole AND bytes = 100"
	    " AND fetches = 6 AND whole_at = '" NOW "'"), 1);
	assert_int_equal(FETCHED("detail @> '{\"whole\": true, \"bytes\": 100, \"file\": \"f1.xml\"}'"
	    " AND actor = 'PLA001' AND detail ->> 'sha256' = repeat('1', 64)"), 1);
	fetched(7, "PLA001", "f1.xml", 0, 100, 0);
	assert_int_equal(FETCHED("true"), 2);
	/* what another member's user fetches is recorded, and is not its member's fetch */
	fetched(8, "PLB001", "f2.xml", 0, 100, 0);
	assert_int_equal(FETCHED("actor = 'PLB001'"), 1);
	assert_int_equal(count("SELECT count(*) FROM muhur.notice_unfetched WHERE file_name = 'f2.xml'"), 1);
	/* one of another size, and one that is none, are told and keep nothing else back */
	fetched(9, "PLA001", "none.xml", 0, 100, 1);
	sql("UPDATE muhur.notice SET size = 101 WHERE file_name = 'f2.xml'");
	fetched(10, "PLA001", "f2.xml", 0, 100, 1);
	fetched(11, "PLA001", "f1.xml", 0, 100, 0);
	assert_int_equal(count("SELECT count(*) FROM muhur.notice_fetch"), 2);
	assert_int_equal(count("SELECT fetches FROM muhur.notice_fetch WHERE user_code = 'PLA001'"), 8);
	sql("DELETE FROM muhur.notice_fetch");
	/* a row does not grow without end: the first ones are told in one go */
	sql("UPDATE muhur.notice SET size = 1000 WHERE file_name = 'f1.xml'");
	size = 1000;
	for (i = 0; i < 100; i++)
		fetched(20 + (uint32_t)i, "PLA001", "f1.xml", 3 * i, 3 * i + (i < 36 ? 1 : 2), i < 99);
	assert_int_equal(count(PIECES), 64);
	assert_int_equal(count("SELECT bytes FROM muhur.notice_fetch"), 128);
	fetched(200, "PLA001", "f1.xml", 900, 901, 0);
	fetched(201, "PLA001", "f1.xml", 990, 1000, 0);
	assert_int_equal(count(PIECES), 64);
	assert_int_equal(count("SELECT bytes FROM muhur.notice_fetch"), 136);
	/* and what makes it whole is not lost */
	fetched(202, "PLA001", "f1.xml", 0, 500, 0);
	fetched(203, "PLA001", "f1.xml", 500, 1000, 0);
	assert_int_equal(count("SELECT bytes FROM muhur.notice_fetch WHERE whole AND whole_at = '" NOW "'"), 1000);
	size = 100;
	sql("DELETE FROM muhur.notice_fetch; DELETE FROM muhur.notice WHERE kind = 'ReconciliationResult'");
}

/* Where the archive does not answer, what it is to take stays within bounds:
 * muhurd would else stop listening, and nobody could log in. */
static void
test_expire_bounded(void **state)
{
	struct msg	 m;
	int		 i, n = 0;

	(void)state;
	sql("INSERT INTO muhur.notice (id, kind, recipient, file_name, issued_at, sha256, size,"
	    " signed_at, published_at, outbox_until, day) SELECT gen_random_uuid(),"
	    " 'ReconciliationResult', 'PLA', 'n' || i || '.xml', '" NOW "', repeat('1', 64), 1,"
	    " '" NOW "', '" NOW "', '2026-01-01', '2026-01-01' FROM generate_series(1, 1500) AS i");
	for (i = 0; i < 20; i++) {
		d.next_look = 0;
		assert_int_equal(directory_step(&d, 5), 0);
		while (msg_recv(&parent, &m) == 1) {
			assert_string_equal(msg_type_name(m.type), "notice-expire");
			n++;
		}
	}
	assert_int_equal(n, 400);
	assert_int_equal(login("PLA001", "certkey").ok, 1);
	sql("DELETE FROM muhur.notice WHERE kind = 'ReconciliationResult'");
}

/* What muhurd tells while the database is away is written when it is back. */
static void
test_database_away(void **state)
{
	struct m_submission	 s = upload("PLB001");
	struct m_notice_id	 id;
	struct m_submission_state st;
	PGresult		*res;
	int			 i;

	(void)state;
	res = db_query_row(&owner, "SELECT id FROM muhur.notice WHERE sha256 IS NOT NULL", 0, NULL);
	assert_non_null(res);
	(void)str_copy(id.id, sizeof(id.id), PQgetvalue(res, 0, 0));
	PQclear(res);
	sql("ALTER ROLE muhur_directory NOLOGIN;"
	    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'muhur_directory'");
	published(id.id, 0);
	expect_nothing();
	st = received(&s);
	assert_int_equal(st.retry_later, 1);
	assert_int_equal(login("PLA001", "certkey").ok, 0);
	sql("ALTER ROLE muhur_directory LOGIN");
	usleep(600000);
	st = received(&s);
	if (st.retry_later) {		/* that was the attempt that connected */
		usleep(600000);
		st = received(&s);
	}
	assert_int_equal(st.retry_later, 0);
	assert_int_equal(count("SELECT count(*) FROM muhur.notice WHERE published_at IS NOT NULL"), 1);
	/* a session is neither sent away for it nor forgotten */
	sql("ALTER ROLE muhur_directory NOLOGIN;"
	    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'muhur_directory'");
	ask_review(7, "PLA001", "certkey");
	expect_nothing();
	sql("ALTER ROLE muhur_directory LOGIN");
	for (i = 0; i < 50 && d.link.db.conn == NULL; i++)
		assert_int_equal(directory_step(&d, 100), 0);
	assert_int_equal(reviewed(7).ok, 1);
}

static usec_t	wall, boot;
static usec_t wall_clock(void) { return wall; }
static usec_t boot_clock(void) { return boot; }

/* Looks at everything, time later and the wall clock moved by jump besides. */
static void
look_after(usec_t time, usec_t jump)
{
	boot += time;
	wall += time + jump;
	d.next_look = 0;
	assert_int_equal(directory_step(&d, 5), 0);
}

#define CLOCK_EVENTS(kind) count("SELECT count(*) FROM muhur.event WHERE kind = 'clock-" kind "'")
#define DAYS	(86400 * USEC_PER_SEC)

/* A clock that jumped archives nothing, before it is settled. */
static void
test_clock(void **state)
{
	struct msg	 m;

	(void)state;
	sql("DELETE FROM muhur.notice_fetch; UPDATE muhur.notice SET archived_at = '" NOW "' WHERE published_at IS NOT NULL;"
	    "INSERT INTO muhur.notice (id, kind, recipient, file_name, issued_at, sha256, size,"
	    " signed_at, published_at, outbox_until, day) VALUES (gen_random_uuid(),"
	    " 'ReconciliationResult', 'PLA', 'c.xml', '" NOW "', repeat('1', 64), 100,"
	    " '" NOW "', '2025-12-25', '2026-01-01', '2026-01-01'), (gen_random_uuid(),"
	    " 'ReconciliationResult', 'PLA', 'ahead.xml', '" NOW "', repeat('2', 64), 100,"
	    " '" NOW "', '2026-03-15', '2026-03-22', '2026-01-01')");
	conf.clock_settle = 600;
	d.clock_wall = wall_clock;
	d.clock_boot = boot_clock;
	boot = 1000 * USEC_PER_SEC;
	d.expiring.n = 0;		/* those of another test */
	/* a start behind the newest event */
	sql("INSERT INTO muhur.event (at, kind, actor) VALUES ('2026-03-01T00:00:00Z', 'x', 'gateway')");
	wall = the_time("2026-02-20T00:00:00Z");
	look_after(0, 0);
	look_after(10 * USEC_PER_SEC, 0);
	assert_int_equal(msg_recv(&parent, &m), 0);
	assert_int_equal(CLOCK_EVENTS("jumped"), 1);
	assert_int_equal(count("SELECT (detail ->> 'seconds')::bigint FROM muhur.event WHERE kind = 'clock-jumped'"),
	    -9 * 86400);
	/* started again: not forgotten, although its own event is the newest now */
	d.steady_known = 0;
	look_after(0, 0);
	assert_int_equal(d.steady.held, 1);
	assert_int_equal(msg_recv(&parent, &m), 0);
	look_after(0, 9 * DAYS);
	assert_int_equal(CLOCK_EVENTS("settled"), 1);
	/* ahead, and put right while the gateway was down */
	look_after(3 * USEC_PER_SEC, 20 * DAYS);
	d.steady_known = 0;
	look_after(3 * USEC_PER_SEC, 0);
	assert_int_equal(d.steady.held, 1);
	d.steady_known = 0;
	/* both it and the ends are written, or neither */
	sql("REVOKE UPDATE (outbox_until) ON muhur.notice FROM muhur_directory");
	look_after(3 * USEC_PER_SEC, -20 * DAYS);
	assert_int_equal(CLOCK_EVENTS("settled"), 1);
	sql("GRANT UPDATE (outbox_until) ON muhur.notice TO muhur_directory");
	look_after(0, 0);
	assert_int_equal(d.steady.held, 0);
	assert_int_equal(CLOCK_EVENTS("settled"), 2);
	/* what was published by a clock ahead of this one does not stay longer than it may */
	assert_int_equal(count("SELECT count(*) FROM muhur.notice WHERE outbox_until > '2026-03-08T01:00Z'"
	    " AND published_at IS NOT NULL AND archived_at IS NULL"), 0);
	assert_int_equal(count("SELECT count(*) FROM muhur.notice WHERE file_name = 'ahead.xml'"
	    " AND outbox_until >= '2026-03-08'"), 1);
	look_after(0, 0);
	m = expect(M_NOTICE_EXPIRE);
	m = expect(M_NOTICE_EXPIRE);
	sql("UPDATE muhur.notice SET archived_at = '" NOW "' WHERE file_name = 'ahead.xml'");
	/* while it runs */
	d.expiring.n = 0;
	look_after(3 * USEC_PER_SEC, 61 * USEC_PER_SEC);
	look_after(599 * USEC_PER_SEC, 0);
	assert_int_equal(msg_recv(&parent, &m), 0);
	assert_int_equal(d.steady.held, 1);
	look_after(USEC_PER_SEC, 0);
	assert_int_equal(CLOCK_EVENTS("settled"), 3);
	look_after(0, 0);
	m = expect(M_NOTICE_EXPIRE);
	/* a start after a day, and after more */
	sql("INSERT INTO muhur.event (at, kind, actor) VALUES ('2026-03-01T00:00:00Z', 'x', 'gateway')");
	d.steady_known = 0;
	wall = the_time("2026-03-01T23:59:00Z");
	look_after(0, 0);
	assert_int_equal(d.steady.held, 0);
	d.steady_known = 0;
	wall = the_time("2026-03-02T00:02:00Z");
	look_after(0, 0);
	assert_int_equal(d.steady.held, 1);
	look_after(600 * USEC_PER_SEC, 0);
	assert_int_equal(d.steady.held, 0);
	/* behind for so long that it is taken, then put right: what it cut short is not over */
	sql("UPDATE muhur.notice SET archived_at = NULL WHERE file_name = 'ahead.xml'");
	look_after(3 * USEC_PER_SEC, -400 * DAYS);
	look_after(600 * USEC_PER_SEC, 0);
	assert_int_equal(count("SELECT count(*) FROM muhur.notice WHERE outbox_until < '2025-12-01'"
	    " AND file_name = 'ahead.xml'"), 1);
	look_after(3 * USEC_PER_SEC, 400 * DAYS);
	look_after(600 * USEC_PER_SEC, 0);
	assert_int_equal(d.steady.held, 0);
	assert_int_equal(count("SELECT count(*) FROM muhur.notice WHERE file_name = 'ahead.xml'"
	    " AND outbox_until BETWEEN '2026-03-09' AND '2026-03-10'"), 1);
	while (msg_recv(&parent, &m) == 1)
		assert_string_equal(msg_type_name(m.type), "notice-expire");
	conf.clock_settle = 0;
	sql("DELETE FROM muhur.notice WHERE kind = 'ReconciliationResult'");
}

/* The answer to the order that is at work. */
static void
compressed(enum kept_result result)
{
	struct m_kept	 k = { .result = result };
	struct buf	 b = { 0 };

	(void)str_copy(k.sha256, sizeof(k.sha256), d.order.sha256);
	put_m_kept(&b, &k);
	send_payload(M_DIR_COMPRESSED, 0, &b);
}

/* The next order, which is answered; "" none. */
static const char *
ordered(int answered, enum kept_result result)
{
	static struct m_document	 doc;
	struct msg			 m;
	int				 i;

	memset(&doc, 0, sizeof(doc));
	d.next_look = 0;
	for (i = 0; i < 5 && doc.sha256[0] == '\0'; i++) {
		assert_int_equal(directory_step(&d, 5), 0);
		if (receive(&m) == 1) {
			assert_string_equal(msg_type_name(m.type), "compress");
			assert_int_equal(get_m_document(&m, &doc), 0);
		}
	}
	if (doc.sha256[0] != '\0' && answered)
		compressed(result);
	return doc.sha256;
}

#define X64(c)	c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c \
		c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c

/* What is decided and old enough, each document once, one at a time, oldest first. */
static void
test_compress(void **state)
{
	usec_t	 before;
	int	 i;

	(void)state;
	sql("DELETE FROM muhur.notice; UPDATE muhur.submission SET shelved_at = '" NOW "';"
	    "INSERT INTO muhur.submission (id, uploader, member_code, file_name, size, received_at, state, sha256)"
	    " SELECT gen_random_uuid(), 'PLA001', 'PLA', 'c' || s, 1, r::timestamptz, s, repeat(x, 64) FROM (VALUES"
	    " ('accepted', '1', '2026-11-20T10:00:00Z'), ('rejected', '2', '2026-11-20T09:00:00Z'),"
	    " ('repeated', '1', '2026-11-20T11:00:00Z'), ('received', '3', '2026-11-20T08:00:00Z'),"
	    " ('waiting', '4', '2026-11-20T08:00:00Z'), ('cancelled', '5', '2026-11-20T12:00:00Z'),"
	    " ('replaced', '6', '2026-11-20T13:00:00Z'), ('accepted', '7', '2026-11-20T20:59:59Z'),"
	    " ('accepted', '8', '2026-11-20T21:00:00Z')) AS x (s, x, r);"
	    /* a notice that came back */
	    "INSERT INTO muhur.notice (id, kind, recipient, file_name, issued_at, sha256, size, signed_at,"
	    " published_at, outbox_until, day) VALUES (gen_random_uuid(), 'ReconciliationResult', 'PLA', 'n.xml',"
	    " '" NOW "', repeat('6', 64), 1, '" NOW "', '" NOW "', '2999-01-01', '" DAY "')");
	set_clock("2026-11-21T20:59:00Z");	/* 23:59 in Istanbul, of the day behind the last one's */
	conf.archive_compress_after = 0;
	assert_string_equal(ordered(1, KEPT_OK), X64("2"));
	assert_string_equal(ordered(0, KEPT_OK), X64("1"));
	assert_string_equal(ordered(0, KEPT_OK), "");	/* one at a time */
	assert_string_equal(d.order.sha256, X64("1"));
	assert_int_equal(count("SELECT count(*) FROM muhur.submission WHERE shelved_at IS NOT NULL AND sha256 = repeat('2', 64)"), 1);
	/* our own trouble: not before some time has passed, and then the same */
	d.order.sha256[0] = '\0';
	before = clock_monotonic();
	assert_string_equal(ordered(1, KEPT_LATER), X64("1"));
	assert_string_equal(ordered(0, KEPT_OK), "");
	assert_true(d.order_after >= before + USEC_PER_SEC);
	d.order_after = 0;
	/* by a clock that is not believed nothing is, not even after the one at work */
	assert_string_equal(ordered(0, KEPT_OK), X64("1"));
	d.steady.held = 1;
	compressed(KEPT_OK);		/* both rows of it */
	assert_string_equal(ordered(0, KEPT_OK), "");
	assert_string_equal(d.order.sha256, "");
	d.steady.held = 0;
	/* one that cannot be holds nothing up */
	assert_string_equal(ordered(1, KEPT_ROTTEN), X64("5"));
	assert_string_equal(ordered(1, KEPT_ABSENT), X64("7"));
	assert_string_equal(ordered(0, KEPT_OK), "");	/* '8' is of Istanbul's 21st */
	assert_int_equal(count("SELECT count(*) FROM muhur.submission WHERE shelved_at IS NULL AND file_name LIKE 'c%'"
	    " AND sha256 IN (repeat('1', 64), repeat('6', 64))"), 0);
	assert_int_equal(count("SELECT count(*) FROM muhur.rot WHERE sha256 = repeat('5', 64)"), 1);
	set_clock("2026-11-21T21:00:01Z");
	assert_string_equal(ordered(1, KEPT_OK), X64("8"));
	assert_string_equal(ordered(0, KEPT_OK), "");
	/* nor does one whose trouble does not end: 1, 2, ... 512, 600 and once more */
	sql("UPDATE muhur.submission SET shelved_at = NULL WHERE sha256 IN (repeat('2', 64), repeat('8', 64))");
	for (i = 0; i < 12; i++) {
		assert_string_equal(ordered(1, KEPT_LATER), X64("2"));
		assert_string_equal(ordered(0, KEPT_OK), "");
		d.order_after = 0;
	}
	assert_string_equal(ordered(1, KEPT_OK), X64("8"));
	assert_string_equal(ordered(0, KEPT_OK), "");
	conf.archive_compress_after = NEVER;
	clock_init(0);
	sql("DELETE FROM muhur.notice; DELETE FROM muhur.submission WHERE file_name LIKE 'c%'");
}

/* A member sends back hundreds of its notices: a bounded part of them at once. */
static void
test_notices_back(void **state)
{
	(void)state;
	sql("INSERT INTO muhur.submission (id, uploader, member_code, file_name, size, received_at, state, sha256)"
	    " SELECT gen_random_uuid(), 'PLA001', 'PLA', 'c' || i, 1, '2026-11-20T10:00:00Z'::timestamptz + i * interval '1 second',"
	    " 'rejected', encode(sha256(i::text::bytea), 'hex') FROM generate_series(1, 250) i;"
	    "INSERT INTO muhur.notice (id, kind, recipient, file_name, issued_at, sha256, size, signed_at,"
	    " published_at, outbox_until, day) SELECT gen_random_uuid(), 'ReconciliationResult', 'PLA', s.file_name || '.xml',"
	    " '" NOW "', s.sha256, 1, '" NOW "', '" NOW "', '2999-01-01', '" DAY "' FROM muhur.submission s WHERE file_name LIKE 'c%';"
	    "INSERT INTO muhur.submission (id, uploader, member_code, file_name, size, received_at, state, sha256)"
	    " VALUES (gen_random_uuid(), 'PLA001', 'PLA', 'c', 1, '2026-11-20T12:00:00Z', 'accepted', repeat('a', 64))");
	set_clock("2026-11-21T21:00:01Z");
	conf.archive_compress_after = 0;
	d.next_look = 0;
	assert_int_equal(directory_step(&d, 5), 0);
	assert_int_equal(count("SELECT count(*) FROM muhur.submission WHERE shelved_at IS NOT NULL AND file_name LIKE 'c%'"), 100);
	assert_true(d.next_look <= clock_monotonic() + USEC_PER_SEC);
	assert_string_equal(ordered(0, KEPT_OK), "");
	assert_string_equal(ordered(1, KEPT_OK), X64("a"));
	assert_string_equal(ordered(0, KEPT_OK), "");
	assert_int_equal(count("SELECT count(*) FROM muhur.submission WHERE shelved_at IS NOT NULL AND file_name LIKE 'c%'"), 251);
	conf.archive_compress_after = NEVER;
	clock_init(0);
	sql("DELETE FROM muhur.notice; DELETE FROM muhur.submission WHERE file_name LIKE 'c%'");
}

/* Rot is a row and an event once; a pass is one event. */
static void
test_rot(void **state)
{
	struct m_pass		 rot = { .rot = X64("9") }, pass = { "", the_time(NOW), 10, 2000, 1, 3 };
	struct buf		 b = { 0 };
	struct msg		 m;
	int			 i;

	(void)state;
	for (i = 0; i < 3; i++) {
		put_m_pass(&b, &rot);
		send_payload(M_DIR_PASS, 7, &b);
		m = expect(M_DIR_PASS_KEPT);
		assert_int_equal(m.tag, 7);
		put_m_pass(&b, &pass);
		send_payload(M_DIR_PASS, 8, &b);
		m = expect(M_DIR_PASS_KEPT);
		assert_int_equal(m.tag, 8);
		expect_nothing();
		assert_int_equal(count("SELECT count(*) FROM muhur.rot WHERE sha256 = repeat('9', 64) AND healed_at IS NULL"), 1);
		assert_int_equal(count("SELECT count(*) FROM muhur.event WHERE kind = 'rot-found' AND detail ="
		    " jsonb_build_object('sha256', repeat('9', 64))"), i < 2 ? 1 : 2);
		assert_int_equal(count("SELECT count(*) FROM muhur.event WHERE kind = 'archive-verified' AND at = '" NOW "'"
		    " AND detail = '{\"documents\": 10, \"bytes\": 2000, \"rotten\": 1, \"unread\": 3}'"), i + 1);
		if (i == 1)	/* good again, and rotten once more */
			sql("UPDATE muhur.rot SET healed_at = '" NOW "'");
	}
}

static void
test_array(void **state)
{
	struct buf	 b = { 0 };

	(void)state;
	array_add(&b, "a\"b\\c");
	array_add(&b, "");
	assert_string_equal(array_end(&b), "{\"a\\\"b\\\\c\",\"\"}");
	buf_free(&b);
	array_add_number(&b, 1);
	array_add_number(&b, -2);
	assert_string_equal(array_end(&b), "{1,-2}");
	buf_free(&b);
	assert_string_equal(array_end(&b), "{}");
	buf_free(&b);
}

static int
setup(void **state)
{
	int	 fds[2];
	char	*path, *password;
	size_t	 len;

	(void)state;
	make_market();
	conf.archive_compress_after = NEVER;	/* but where it is tested */
	path = xasprintf("%s/muhur_directory.password", conf.secrets_dir);
	assert_int_equal(file_read_all(path, 1000, &password, &len), 0);
	assert_int_equal(msg_pair(fds), 0);
	msg_init(&parent, fds[0], ROLE_MUHURD, ROLE_DIRECTORY);
	directory_init(&d, &conf, fds[1], password);
	assert_int_equal(link_up(&d.link), 1);
	free(path);
	free(password);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	directory_close(&d);
	msg_close(&parent);
	db_close(&owner);
	return 0;
}

int
main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_array),
		cmocka_unit_test(test_login),
		cmocka_unit_test(test_login_states),
		cmocka_unit_test(test_review),
		cmocka_unit_test(test_sight),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_locked),
		cmocka_unit_test(test_received_once),
		cmocka_unit_test(test_own_notification),
		cmocka_unit_test(test_hold_and_decide),
		cmocka_unit_test(test_notices),
		cmocka_unit_test(test_signed_in_order),
		cmocka_unit_test(test_shown_again),
		cmocka_unit_test(test_fetched),
		cmocka_unit_test(test_findings),
		cmocka_unit_test(test_long_one),
		cmocka_unit_test(test_many_to_sign),
		cmocka_unit_test(test_expire_bounded),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_database_away),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_compress),
		cmocka_unit_test(test_notices_back),
		cmocka_unit_test(test_rot),
	};

	(void)argc;
	pgtest_begin(argv);
	log_init("test_directory", LOG_COMMAND, 0);
	clock_init(0);
	pgtest_conf(&conf);
	return cmocka_run_group_tests(tests, setup, teardown);
}
