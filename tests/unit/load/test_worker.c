/* SPDX-License-Identifier: ISC */
/* A load worker, driven as muhurd and muhur-verify drive it. */
#include "unit/load/drive.h"

static struct desk desk;

/* --- what it is given ---------------------------------------------------------- */

static struct header
balance_header(const char *message_id)
{
	struct header	 h = { .type = MT_BALANCE_REPORT, .sequence = 1, .record_count = 2 };

	h.business_date = the_day(DAY);
	h.created_at = the_time(NOW);
	(void)str_copy(h.message_id, sizeof(h.message_id), message_id);
	(void)str_copy(h.sender, sizeof(h.sender), "PLA");
	(void)str_copy(h.user, sizeof(h.user), "PLA001");
	return h;
}

static void
put_records(int fd)
{
	static const char balances[] =
	    "1\t10\tR1\tC1\tCUA\t4H95J0R2X\t1.5\t0\n"
	    "2\t11\tR2\tC2\tOWN\t4H95J0R2X\t20000000000000000000.000000000000000001\t0.5\n";
	static const char prices[] = "1\t8\t4H95J0R2X\tTRY\t100.25\n";

	assert_int_equal(stream_write_records(fd, REC_PRICE, prices, strlen(prices)), 0);
	assert_int_equal(stream_write_records(fd, REC_BALANCE, balances, strlen(balances)), 0);
}

/* The whole way of one document. */
static struct m_submission_state
load(const struct m_submission *s, const struct header *h, const struct m_verdict *v)
{
	int	 fd = begin(&desk, s);

	assert_int_equal(worker_step(&desk.w, 100), 0);
	if (h != NULL)
		assert_int_equal(stream_write_header(fd, h), 0);
	put_records(fd);
	assert_int_equal(stream_write_mark(fd, STREAM_END), 0);
	close(fd);
	give_verdict(&desk, v);
	return answer(&desk, M_LOAD_DONE);
}

static long long
balances_of(const char *id)
{
	char		*q = xasprintf("SELECT count(*) FROM muhur.balance b JOIN muhur.submission s "
			    "ON s.no = b.submission WHERE s.id = '%s'", id);
	long long	 n = count(q);

	free(q);
	return n;
}

static void
assert_reason(const char *id, const char *code)
{
	char		*q = xasprintf("SELECT count(*) FROM muhur.submission_reason r JOIN muhur.submission s "
			    "ON s.no = r.submission WHERE s.id = '%s' AND r.code = '%s'", id, code);

	assert_int_equal(count(q), 1);
	free(q);
	/* the first failing stage only: here always one code */
	q = xasprintf("SELECT count(DISTINCT code) FROM muhur.submission_reason r JOIN muhur.submission s "
	    "ON s.no = r.submission WHERE s.id = '%s'", id);
	assert_int_equal(count(q), 1);
	free(q);
}

static void
assert_notices(const char *id, const char *levels)
{
	const char	*params[] = { id };
	PGresult	*res;

	res = db_query_row(&owner, "SELECT coalesce(string_agg(n.level, ',' ORDER BY n.no), '') "
	    "FROM muhur.notice n JOIN muhur.submission s ON s.no = n.submission WHERE s.id = $1::uuid",
	    1, params);
	assert_non_null(res);
	assert_string_equal(PQgetvalue(res, 0, 0), levels);
	PQclear(res);
}

/* --- tests ------------------------------------------------------------------------- */

static struct m_submission first;	/* accepted, MessageId m1, bytes 1 */

static void
test_accept(void **state)
{
	struct header			 h = balance_header("m1");
	struct m_verdict		 v;
	struct m_submission_state	 s;
	PGresult			*res;

	(void)state;
	first = receive("PLA001");
	v = verdict(&first, '1', 'a');
	s = load(&first, &h, &v);
	assert_int_equal(s.state, SUB_ACCEPTED);
	assert_int_equal(s.retry_later, 0);
	assert_string_equal(s.sha256, v.sha256);
	assert_int_equal(balances_of(first.id), 2);
	assert_notices(first.id, "received,accepted");
	assert_int_equal(count("SELECT count(*) FROM muhur.event WHERE kind = 'accepted'"), 1);
	assert_int_equal(count("SELECT count(*) FROM muhur.price_20261120"), 1);
	/* CUA has sent nothing yet */
	assert_int_equal(count("SELECT count(*) FROM muhur.reconcile_job"), 0);
	res = db_query_row(&owner, "SELECT member_code, registry_no, quantity, locked, record_no, line "
	    "FROM muhur.balance_20261120 WHERE held_at = 'OWN'", 0, NULL);
	assert_non_null(res);
	assert_string_equal(PQgetvalue(res, 0, 0), "PLA");
	assert_string_equal(PQgetvalue(res, 0, 1), "R2");
	assert_string_equal(PQgetvalue(res, 0, 2), "20000000000000000000.000000000000000001");
	assert_string_equal(PQgetvalue(res, 0, 3), "0.500000000000000000");
	assert_string_equal(PQgetvalue(res, 0, 4), "2");
	assert_string_equal(PQgetvalue(res, 0, 5), "11");
	PQclear(res);
	res = db_query_row(&owner, "SELECT late, counted, reserves_id, sequence FROM muhur.submission", 0, NULL);
	assert_non_null(res);
	assert_string_equal(PQgetvalue(res, 0, 0), "t");	/* 21:00 is past 12:00 */
	assert_string_equal(PQgetvalue(res, 0, 1), "t");
	assert_string_equal(PQgetvalue(res, 0, 2), "t");
	PQclear(res);
}

/* A retry after the answer was lost changes nothing. */
static void
test_decided_already(void **state)
{
	struct header			 h = balance_header("m1");
	struct m_verdict		 v = verdict(&first, '1', 'a');
	struct m_submission_state	 s;

	(void)state;
	s = load(&first, &h, &v);
	assert_int_equal(s.state, SUB_ACCEPTED);
	assert_string_equal(s.sha256, v.sha256);
	assert_int_equal(balances_of(first.id), 2);
	assert_notices(first.id, "received,accepted");
}

static void
test_same_bytes(void **state)
{
	struct m_submission		 sub = receive("PLA001");
	struct header			 h = balance_header("m1");
	struct m_verdict		 v = verdict(&sub, '1', 'a');
	struct m_submission_state	 s;

	(void)state;
	sql("UPDATE muhur.notice SET sha256 = repeat('9', 64), size = 1, signed_at = '" NOW "',"
	    " published_at = '" NOW "', outbox_until = '" NOW "', archived_at = '" NOW "'");
	/* too old by now: the original's word stands all the same */
	reasons_add(&v.reasons, SIGNING_TIME, 0, NULL, "old");
	v.signature_valid = 0;
	s = load(&sub, &h, &v);
	assert_int_equal(s.state, SUB_REPEATED);
	assert_int_equal(balances_of(sub.id), 0);
	assert_notices(sub.id, "");
	assert_int_equal(count("SELECT count(*) FROM muhur.notice WHERE published_at IS NULL"
	    " AND archived_at IS NULL AND outbox_until IS NULL"), 2);
	assert_int_equal(count("SELECT count(*) FROM muhur.submission a JOIN muhur.submission b"
	    " ON a.repeat_of = b.no WHERE b.message_id = 'm1'"), 1);
}

static void
test_same_message_id(void **state)
{
	struct m_submission		 sub = receive("PLA001"), again = receive("PLA001");
	struct header			 h = balance_header("m1");
	struct m_verdict		 v = verdict(&sub, '2', 'a');
	struct m_submission_state	 s;

	(void)state;
	s = load(&sub, &h, &v);
	assert_int_equal(s.state, SUB_REJECTED);
	assert_reason(sub.id, "DUPLICATE");
	assert_notices(sub.id, "received,rejected");
	assert_int_equal(balances_of(sub.id), 0);
	/* those bytes again: the same answer, not a new one */
	v = verdict(&again, '2', 'a');
	s = load(&again, &h, &v);
	assert_int_equal(s.state, SUB_REPEATED);
	assert_notices(again.id, "");
}

/* Bytes of PLA from a user of PLB; PLB's own under the same MessageId are fine. */
static void
test_other_member(void **state)
{
	struct m_submission		 stolen = receive("PLB001"), own = receive("PLB001");
	struct header			 h = balance_header("m1");
	struct m_verdict		 v = verdict(&stolen, '1', 'a');
	struct m_submission_state	 s;

	(void)state;
	s = load(&stolen, &h, &v);
	assert_int_equal(s.state, SUB_REJECTED);
	assert_reason(stolen.id, "NOT_AUTHORISED");
	(void)str_copy(h.sender, sizeof(h.sender), "PLB");
	(void)str_copy(h.user, sizeof(h.user), "PLB001");
	v = verdict(&own, '3', 'b');
	s = load(&own, &h, &v);
	assert_int_equal(s.state, SUB_ACCEPTED);
}

static void
test_not_authorised(void **state)
{
	static const struct { const char *sender, *user; char cert; const char *code; } cases[] = {
		{ "PLB", "PLB001", 'a', "NOT_AUTHORISED" },	/* another sender */
		{ "PLA", "PLA002", 'd', "NOT_AUTHORISED" },	/* no right */
		{ "PLA", "PLA002", 'a', "NOT_AUTHORISED" },	/* signed by a colleague */
		{ "PLA", "PLA001", 'b', "NOT_AUTHORISED" },	/* another member's certificate */
		{ "PLA", "PLA009", 'a', "NOT_AUTHORISED" },	/* no such user */
		{ "PLA", "PLA001", 'f', "CERT_NOT_ENROLLED" },
	};
	struct m_submission		 sub;
	struct m_submission_state	 s;
	struct m_verdict		 v;
	struct header			 h;
	size_t				 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sub = receive("PLA001");
		h = balance_header("m2");
		(void)str_copy(h.sender, sizeof(h.sender), cases[i].sender);
		(void)str_copy(h.user, sizeof(h.user), cases[i].user);
		v = verdict(&sub, '4', cases[i].cert);
		s = load(&sub, &h, &v);
		assert_int_equal(s.state, SUB_REJECTED);
		assert_reason(sub.id, cases[i].code);
		assert_int_equal(balances_of(sub.id), 0);
	}
}

/* Refused for its certificate, and after enrolment the same bytes are judged
 * anew, with the same MessageId. */
static void
test_judged_anew(void **state)
{
	struct m_submission		 before = receive("PLA001"), after = receive("PLA001");
	struct header			 h = balance_header("m3");
	struct m_verdict		 v = verdict(&before, '5', 'e');
	struct m_submission_state	 s;

	(void)state;
	s = load(&before, &h, &v);
	assert_int_equal(s.state, SUB_REJECTED);
	assert_reason(before.id, "CERT_NOT_ENROLLED");
	sql("INSERT INTO muhur.certificate (sha256, user_code, der, subject, issuer, serial,"
	    " not_before, not_after, enrolled_at) VALUES (repeat('e', 64), 'PLA001', '', 'CN=x',"
	    " 'CN=CA', '02', '2026-01-01', '2027-01-01', '" NOW "')");
	v = verdict(&after, '5', 'e');
	s = load(&after, &h, &v);
	assert_int_equal(s.state, SUB_ACCEPTED);
	assert_int_equal(balances_of(after.id), 2);
}

static void
test_suspended(void **state)
{
	struct m_submission		 sub = receive("PLA001"), later = receive("PLA001");
	struct header			 h = balance_header("m4");
	struct m_verdict		 v = verdict(&sub, '6', 'a');
	struct m_submission_state	 s;

	(void)state;
	sql("UPDATE muhur.member SET state = 'suspended' WHERE code = 'PLA'");
	s = load(&sub, &h, &v);
	assert_int_equal(s.state, SUB_REJECTED);
	assert_reason(sub.id, "MEMBER_SUSPENDED");
	sql("UPDATE muhur.member SET state = 'active' WHERE code = 'PLA'");
	v = verdict(&later, '6', 'a');
	s = load(&later, &h, &v);
	assert_int_equal(s.state, SUB_ACCEPTED);
}

/* What verify found comes first; records that came before are gone. */
static void
test_verify_refuses(void **state)
{
	struct m_submission		 sub = receive("PLA001");
	struct header			 h = balance_header("m5");
	struct m_verdict		 v = verdict(&sub, '7', 'f');
	struct m_submission_state	 s;

	(void)state;
	v.signature_valid = 0;
	v.cert_sha256[0] = '\0';
	reasons_add(&v.reasons, SIG_DIGEST, 0, NULL, "changed");
	s = load(&sub, &h, &v);
	assert_int_equal(s.state, SUB_REJECTED);
	assert_reason(sub.id, "SIG_DIGEST");
	/* nobody's signature: the notices, which we sign, name no signer */
	assert_int_equal(count("SELECT count(*) FROM muhur.submission WHERE sha256 = repeat('7', 64)"
	    " AND signer_subject IS NULL AND signing_time IS NULL"), 1);
	assert_int_equal(balances_of(sub.id), 0);
	assert_int_equal(count("SELECT count(*) FROM muhur.submission WHERE message_id = 'm5'"), 0);
	/* nothing of it is reserved */
	sub = receive("PLA001");
	v = verdict(&sub, '8', 'a');
	s = load(&sub, &h, &v);
	assert_int_equal(s.state, SUB_ACCEPTED);
}

/* Policy and time-stamps are kept of a signature that held, and decide nothing. */
static void
test_signature_facts(void **state)
{
	struct header		 h = balance_header("s1");
	struct m_submission	 sub = receive("PLA001");
	struct m_verdict	 v = verdict(&sub, '0', 'a');

	(void)state;
	v.sha256[0] = '3';		/* other bytes than all before */
	(void)str_copy(v.policy, sizeof(v.policy), "1.2.3");
	v.timestamp.state = TIMESTAMP_BAD;
	(void)str_copy(v.timestamp.why, sizeof(v.timestamp.why), "expired");
	assert_int_equal(load(&sub, &h, &v).state, SUB_ACCEPTED);
	assert_int_equal(count("SELECT count(*) FROM muhur.submission WHERE message_id = 's1'"
	    " AND signature_policy = '1.2.3' AND timestamp_state = 'bad' AND timestamp_why = 'expired'"
	    " AND timestamp_at IS NULL AND timestamp_authority IS NULL"), 1);
	sub = receive("PLA001");
	h = balance_header("s2");
	v = verdict(&sub, '0', 'a');
	v.sha256[0] = '1';
	v.timestamp.state = TIMESTAMP_GOOD;
	v.timestamp.at = the_time(NOW);
	(void)str_copy(v.timestamp.authority, sizeof(v.timestamp.authority), "CN=T");
	assert_int_equal(load(&sub, &h, &v).state, SUB_ACCEPTED);
	assert_int_equal(count("SELECT count(*) FROM muhur.submission WHERE message_id = 's2'"
	    " AND signature_policy IS NULL AND timestamp_state = 'good' AND timestamp_why IS NULL"
	    " AND timestamp_at = '" NOW "' AND timestamp_authority = 'CN=T'"), 1);
	sub = receive("PLA001");
	v = verdict(&sub, '0', 'a');
	v.sha256[0] = '2';
	v.signature_valid = 0;
	v.timestamp.state = TIMESTAMP_NOT_JUDGED;
	reasons_add(&v.reasons, SIG_VALUE, 0, NULL, "changed");
	assert_int_equal(load(&sub, &h, &v).state, SUB_REJECTED);
	assert_int_equal(count("SELECT count(*) FROM muhur.submission WHERE sha256 = '2' || repeat('0', 63)"
	    " AND timestamp_state IS NULL"), 1);
}

/* Not XML at all: no header, no records, no end. */
static void
test_no_header(void **state)
{
	struct m_submission		 sub = receive("PLA001");
	struct m_verdict		 v = verdict(&sub, '9', 'a');
	struct m_submission_state	 s;
	int				 fd = begin(&desk, &sub);

	(void)state;
	v.signature_valid = 0;
	v.cert_sha256[0] = '\0';
	v.signing_time = 0;
	reasons_add(&v.reasons, XML_MALFORMED, 1, NULL, "no element");
	close(fd);
	give_verdict(&desk, &v);
	s = answer(&desk, M_LOAD_DONE);
	assert_int_equal(s.state, SUB_REJECTED);
	assert_reason(sub.id, "XML_MALFORMED");
	assert_notices(sub.id, "received,rejected");
}

static void
test_business_date(void **state)
{
	struct m_submission		 sub = receive("PLA001");
	struct header			 h = balance_header("m6");
	struct m_verdict		 v = verdict(&sub, 'a', 'a');
	struct m_submission_state	 s;

	(void)state;
	h.business_date++;	/* closes at 23:59, three hours after receipt */
	s = load(&sub, &h, &v);
	assert_int_equal(s.state, SUB_REJECTED);
	assert_reason(sub.id, "BUSINESS_DATE");
}

static void
test_correction(void **state)
{
	struct m_submission		 sub = receive("PLA001"), third = receive("PLA001");
	struct header			 h = balance_header("m7");
	struct m_verdict		 v = verdict(&sub, 'b', 'a');
	struct m_submission_state	 s;

	(void)state;
	(void)str_copy(h.replaces, sizeof(h.replaces), "m1");
	s = load(&sub, &h, &v);
	assert_int_equal(s.state, SUB_ACCEPTED);
	assert_int_equal(count("SELECT count(*) FROM muhur.submission a JOIN muhur.submission b ON"
	    " a.replaces = b.no WHERE b.message_id = 'm1' AND b.state = 'replaced'"
	    " AND a.message_id = 'm7' AND b.member_code = 'PLA'"), 1);
	/* m1 is not in effect any more */
	(void)str_copy(h.message_id, sizeof(h.message_id), "m8");
	v = verdict(&third, 'c', 'a');
	s = load(&third, &h, &v);
	assert_int_equal(s.state, SUB_REJECTED);
	assert_reason(third.id, "REFERENCE_UNKNOWN");
}

/* verify stands still, in the middle of a frame even, and is given up; the next
 * try succeeds. */
static void
test_abort(void **state)
{
	static const char		 half[] = { STREAM_RECORDS, 100, 0, 0, 0, REC_BALANCE, '1' };
	struct m_submission		 sub = receive("PLA001");
	struct m_submission_id		 id;
	struct header			 h = balance_header("m9");
	struct m_verdict		 v = verdict(&sub, 'd', 'a');
	struct m_submission_state	 s;
	struct buf			 b = { 0 };
	int				 fd = begin(&desk, &sub);

	(void)state;
	assert_int_equal(stream_write_header(fd, &h), 0);
	put_records(fd);
	assert_int_equal(write(fd, half, sizeof(half)), sizeof(half));
	(void)str_copy(id.id, sizeof(id.id), sub.id);
	go_on(&desk);
	put_m_submission_id(&b, &id);
	assert_int_equal(msg_send(&desk.parent, M_LOAD_ABORT, 1, b.data, b.len, NULL, 0), 0);
	buf_free(&b);
	s = answer(&desk, M_LOAD_DONE);
	assert_int_equal(s.state, SUB_RECEIVED);
	assert_int_equal(balances_of(sub.id), 0);
	close(fd);
	s = load(&sub, &h, &v);
	assert_int_equal(s.state, SUB_ACCEPTED);
	assert_int_equal(balances_of(sub.id), 2);
}

/* The hint was wrong: everything comes a second time. */
static void
test_restart(void **state)
{
	struct m_submission		 sub = receive("PLA001");
	struct header			 h = balance_header("m10");
	struct m_verdict		 v = verdict(&sub, 'e', 'a');
	struct m_submission_state	 s;
	int				 fd = begin(&desk, &sub), i;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_int_equal(stream_write_header(fd, &h), 0);
		put_records(fd);
		if (i == 0)
			assert_int_equal(stream_write_mark(fd, STREAM_RESTART), 0);
	}
	assert_int_equal(stream_write_mark(fd, STREAM_END), 0);
	close(fd);
	give_verdict(&desk, &v);
	s = answer(&desk, M_LOAD_DONE);
	assert_int_equal(s.state, SUB_ACCEPTED);
	assert_int_equal(balances_of(sub.id), 2);
}

/* Text that no column takes: refused with verify's reason; where verify found
 * nothing, held for an operator. */
static void
test_unloadable(void **state)
{
	static const char bad[] = "1\t10\tR1\tC1\tCUA\t4H95J0R2X\tnonsense\t0\n";
	struct header			 h = balance_header("m11");
	struct m_submission		 sub;
	struct m_verdict		 v;
	struct m_submission_state	 s;
	int				 fd, valid;

	(void)state;
	for (valid = 0; valid < 2; valid++) {
		sub = receive("PLA001");
		v = verdict(&sub, valid ? 'f' : '0', 'a');
		if (!valid)
			reasons_add(&v.reasons, SCHEMA_INVALID, 10, "/BalanceReport", "Qty");
		else
			(void)str_copy(h.message_id, sizeof(h.message_id), "m12");
		fd = begin(&desk, &sub);
		assert_int_equal(stream_write_header(fd, &h), 0);
		assert_int_equal(stream_write_records(fd, REC_BALANCE, bad, strlen(bad)), 0);
		assert_int_equal(stream_write_mark(fd, STREAM_END), 0);
		close(fd);
		give_verdict(&desk, &v);
		s = answer(&desk, M_LOAD_DONE);
		assert_int_equal(s.state, valid ? SUB_HELD : SUB_REJECTED);
		assert_int_equal(balances_of(sub.id), 0);
		if (!valid)
			assert_reason(sub.id, "SCHEMA_INVALID");
	}
}

/* The day is complete with the custodian's report; then corrections queue it. */
static void
test_complete(void **state)
{
	static const char omnibus[] = "1\t10\tPLA\t4H95J0R2X\tCOLD\t1.5\t0\n";
	struct m_submission		 sub = receive("CUA001");
	struct header			 h = balance_header("m1");
	struct m_verdict		 v = verdict(&sub, '1', 'c');
	struct m_submission_state	 s;
	int				 fd;

	(void)state;
	assert_int_equal(count("SELECT count(*) FROM muhur.reconcile_job"), 0);
	h.type = MT_CUSTODY_REPORT;
	(void)str_copy(h.sender, sizeof(h.sender), "CUA");
	(void)str_copy(h.user, sizeof(h.user), "CUA001");
	fd = begin(&desk, &sub);
	assert_int_equal(stream_write_header(fd, &h), 0);
	assert_int_equal(stream_write_records(fd, REC_OMNIBUS, omnibus, strlen(omnibus)), 0);
	assert_int_equal(stream_write_mark(fd, STREAM_END), 0);
	close(fd);
	give_verdict(&desk, &v);
	s = answer(&desk, M_LOAD_DONE);
	assert_int_equal(s.state, SUB_ACCEPTED);
	assert_int_equal(count("SELECT count(*) FROM muhur.reconcile_job WHERE cause = 'complete'"
	    " AND business_date = '" DAY "'"), 1);
	/* SPK has no contract and PLB none: neither is waited for. */
}

/* The connection is cut between header and verdict: nothing is decided, and
 * the next try succeeds. */
static void
test_database_away(void **state)
{
	struct m_submission		 sub = receive("PLA001");
	struct header			 h = balance_header("m13");
	struct m_verdict		 v = verdict(&sub, '2', 'a');
	struct m_submission_state	 s;
	int				 fd = begin(&desk, &sub);

	(void)state;
	memset(v.sha256, '5', 8);	/* other bytes than any before */
	assert_int_equal(stream_write_header(fd, &h), 0);
	put_records(fd);
	go_on(&desk);
	sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'muhur_load'");
	assert_int_equal(stream_write_mark(fd, STREAM_END), 0);
	close(fd);
	give_verdict(&desk, &v);
	s = answer(&desk, M_LOAD_DONE);
	assert_int_equal(s.retry_later, 1);
	assert_int_equal(s.state, SUB_RECEIVED);
	assert_int_equal(balances_of(sub.id), 0);
	usleep(300000);
	assert_int_equal(worker_step(&desk.w, 20), 0);	/* connects again */
	s = load(&sub, &h, &v);
	assert_int_equal(s.state, SUB_ACCEPTED);
	assert_int_equal(balances_of(sub.id), 2);
}

/* A database restored to an earlier moment has not the days that were seen. */
static void
test_restored(void **state)
{
	struct m_submission		 sub = receive("PLA001"), next = receive("PLA001");
	struct header			 h = balance_header("m14");
	struct m_verdict		 v = verdict(&sub, '3', 'a');
	PGresult			*res;
	unsigned			 connects;
	int				 i;

	(void)state;
	res = db_query_row(&desk.w.link.db, "SHOW lock_timeout", 0, NULL);
	assert_non_null(res);
	assert_string_equal(PQgetvalue(res, 0, 0), "30s");
	PQclear(res);
	h.business_date = the_day("2026-11-19");
	memset(v.sha256, '6', 8);
	assert_int_equal(load(&sub, &h, &v).state, SUB_ACCEPTED);
	sql("DROP TABLE muhur.price_20261119, muhur.balance_20261119,"
	    " muhur.custody_omnibus_20261119, muhur.custody_direct_20261119;"
	    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'muhur_load'");
	connects = desk.w.link.connects;
	for (i = 0; i < 250 && desk.w.link.connects == connects; i++) {
		assert_int_equal(worker_step(&desk.w, 20), 0);
		usleep(20000);
	}
	assert_int_equal(desk.w.link.connects, connects + 1);
	(void)str_copy(h.message_id, sizeof(h.message_id), "m15");
	v = verdict(&next, '3', 'a');
	memset(v.sha256, '7', 8);
	assert_int_equal(load(&next, &h, &v).state, SUB_ACCEPTED);
	assert_int_equal(balances_of(next.id), 2);
}

/* What muhurd's request for a notice's lines gives, the caller's to free. */
static char *
lines_of(const char *notice)
{
	struct m_notice_id	 id;
	struct buf		 b = { 0 };
	struct msg		 m;
	char			*text;
	size_t			 len;
	int			 out, i, rc = 0;

	(void)str_copy(id.id, sizeof(id.id), notice);
	/* a file in place of the pipe, which would have to be read meanwhile */
	assert_int_not_equal(out = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), -1);
	put_m_notice_id(&b, &id);
	assert_int_equal(msg_send(&desk.parent, M_LINES_SEND, 7, b.data, b.len, &(int){ dup(out) }, 1), 0);
	buf_free(&b);
	for (i = 0; i < 10 && rc == 0; i++) {
		assert_int_equal(worker_step(&desk.w, 20), 0);
		rc = msg_recv(&desk.parent, &m);
	}
	assert_int_equal(rc, 1);
	assert_int_equal(m.type, M_LINES_DONE);
	assert_int_equal(m.tag, 7);
	assert_int_equal(fd_read_all(out, (size_t)64 << 20, &text, &len), 0);
	assert_int_equal(close(out), 0);
	return text;
}

static void
test_lines(void **state)
{
	char			*text;
	PGresult		*res;

	(void)state;
	sql("INSERT INTO muhur.reconcile_run (business_date, version, cause, started_at)"
	    " VALUES ('" DAY "', 1, 'complete', '" NOW "');"
	    "INSERT INTO muhur.pair SELECT max(no), 'PLA', 'CUA', 'B', 1.50, NULL, NULL, 'missing' FROM muhur.reconcile_run;"
	    "INSERT INTO muhur.pair SELECT max(no), 'PLA', 'CUA', 'A', 2, 2, 0, 'matched' FROM muhur.reconcile_run;"
	    "INSERT INTO muhur.pair SELECT max(no), 'PLB', 'CUA', 'A', 2, 2, 0, 'matched' FROM muhur.reconcile_run;"
	    "INSERT INTO muhur.break (id, rule, rule_source, kind, key, platform, first_seen, last_seen)"
	    " VALUES ('R4-1', 'R4', 'm.32(1)', 'missing', 'k', 'PLA', '" DAY "', '" DAY "');"
	    "INSERT INTO muhur.finding (run, break_id, status, first_seen, detail, submissions)"
	    " SELECT max(no), 'R4-1', 'new', date '" DAY "', E'a\\tb', '{}' FROM muhur.reconcile_run;"
	    "INSERT INTO muhur.finding_party (run, member_code, break_id) SELECT max(no), 'PLA', 'R4-1' FROM muhur.reconcile_run;"
	    "INSERT INTO muhur.notice (id, kind, recipient, run, file_name, issued_at, day)"
	    " SELECT '01999999-0000-7000-8000-000000000000', 'ReconciliationResult', 'PLA', max(no),"
	    " 'x.xml', '" NOW "', '" DAY "' FROM muhur.reconcile_run");
	text = lines_of("01999999-0000-7000-8000-000000000000");
	assert_string_equal(text,
	    "pair\tPLA\tCUA\tA\t2\t2\t0\tmatched\n"
	    "pair\tPLA\tCUA\tB\t1.5\t\\N\t\\N\tmissing\n"
	    "break\tR4-1\tR4\tm.32(1)\tmissing\tPLA\t\\N\t\\N\t\\N\t\\N\t\\N\tnew\t" DAY "\ta\\tb\topen\t\\N\t\\N\n"
	    "\\.\t3\n");
	free(text);
	res = db_query_row(&owner, "SELECT count(*) FROM muhur.notice_lines('01999999-0000-7000-8000-000000000000')", 0, NULL);
	assert_string_equal(PQgetvalue(res, 0, 0), "3");
	PQclear(res);
}

/* A CentralRegistryReport's go another way, and are the same lines. */
static void
test_central_lines(void **state)
{
	char			*text;
	PGresult		*res;

	(void)state;
	sql("INSERT INTO muhur.reconcile_run (business_date, version, cause, started_at)"
	    " VALUES ('" DAY "', 2, 'complete', '" NOW "');"
	    "DELETE FROM muhur.balance WHERE submission = (SELECT max(no) FROM muhur.submission);"
	    "INSERT INTO muhur.reconcile_input SELECT (SELECT max(no) FROM muhur.reconcile_run), max(no) FROM muhur.submission;"
	    "INSERT INTO muhur.balance (business_date, submission, member_code, record_no, line, registry_no, customer_no, held_at,"
	    " asset, quantity, locked) SELECT '" DAY "', (SELECT max(no) FROM muhur.submission), v.m, 1, 1, v.r, 'c', v.h, v.a, v.q, v.l"
	    " FROM (VALUES ('PLB', '1000000002', 'OWN', 'B', 1.50, 0), ('PLA', '1000000002', 'OWN', 'B', -3, 0.25),"
	    " ('PLA', '1000000002', 'CUA', 'B', 1, 0.25), ('PLA', '1000000010', 'OWN', 'A', 7, 0),"
	    " ('PLA', '1000000001', 'OWN', 'B', 99999999999999999999.5, 0), ('PLB', '1000000001', 'OWN', 'B', 99999999999999999999, 0)"
	    ") AS v (m, r, h, a, q, l);"
	    "INSERT INTO muhur.notice (id, kind, recipient, run, file_name, issued_at, day)"
	    " SELECT '01999999-0000-7000-8000-000000000001', 'CentralRegistryReport', 'PLA', max(no),"
	    " 'y.xml', '" NOW "', '" DAY "' FROM muhur.reconcile_run");
	text = lines_of("01999999-0000-7000-8000-000000000001");
	assert_string_equal(text,
	    "balance\t1000000001\tB\tPLA\t99999999999999999999.5\t0\t99999999999999999999.999999999999999999\n"
	    "balance\t1000000001\tB\tPLB\t99999999999999999999\t0\t99999999999999999999.999999999999999999\n"
	    "balance\t1000000002\tB\tPLA\t-2\t0.5\t-0.5\n"
	    "balance\t1000000002\tB\tPLB\t1.5\t0\t-0.5\n"
	    "balance\t1000000010\tA\tPLA\t7\t0\t7\n"
	    "\\.\t5\n");
	free(text);
	/* more than memory holds */
	sql("INSERT INTO muhur.balance (business_date, submission, member_code, record_no, line, registry_no, customer_no, held_at,"
	    " asset, quantity, locked) SELECT '" DAY "', (SELECT max(no) FROM muhur.submission), CASE WHEN i % 3 = 0 THEN 'PLA' ELSE 'PLB' END,"
	    " i, i, (1000000000 + i * 7919 % 50021)::text, 'c', 'OWN', 'A' || i % 2, (i - 60000) / 7::numeric, i"
	    " FROM generate_series(1, 120000) i");
	text = lines_of("01999999-0000-7000-8000-000000000001");
	assert_true(lseek(desk.scratch, 0, SEEK_END) == 0);
	res = db_query_row(&owner, "SELECT string_agg(concat_ws(E'\\t', f1, f2, f3, f4, f5, f6, f7) || E'\\n', '') || E'\\\\.\\t' || count(*) || E'\\n'"
	    " FROM muhur.notice_lines('01999999-0000-7000-8000-000000000001')", 0, NULL);
	assert_string_equal(PQgetvalue(res, 0, 0), text);
	PQclear(res);
	free(text);
}

static int
setup(void **state)
{
	(void)state;
	make_market();
	desk_open(&desk);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	desk_close(&desk);
	db_close(&owner);
	return 0;
}

int
main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accept),
		cmocka_unit_test(test_decided_already),
		cmocka_unit_test(test_same_bytes),
		cmocka_unit_test(test_same_message_id),
		cmocka_unit_test(test_other_member),
		cmocka_unit_test(test_not_authorised),
		cmocka_unit_test(test_judged_anew),
		cmocka_unit_test(test_suspended),
		cmocka_unit_test(test_verify_refuses),
		cmocka_unit_test(test_no_header),
		cmocka_unit_test(test_business_date),
		cmocka_unit_test(test_correction),
		cmocka_unit_test(test_abort),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_unloadable),
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_database_away),
		cmocka_unit_test(test_restored),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_central_lines),
		cmocka_unit_test(test_signature_facts),
	};

	(void)argc;
	pgtest_begin(argv);
	log_init("test_worker", LOG_COMMAND, 0);
	clock_init(0);
	pgtest_conf(&conf);
	return cmocka_run_group_tests(tests, setup, teardown);
}
