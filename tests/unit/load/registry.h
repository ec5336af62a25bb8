/* SPDX-License-Identifier: ISC */
/* A market with a registry, and RegistrationRequests of its members. */
#ifndef MUHUR_TESTS_LOAD_REGISTRY_H
#define MUHUR_TESTS_LOAD_REGISTRY_H

#include "unit/load/drive.h"

#include "load/registration.h"

#define KEY	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
/* d1..d9 are 100000001: the odd places' sum is 2, the even ones' 0, so d10 = 7*2 mod
 * 10 = 4 and d11 = 1+1+4 = 6. */
#define TCKN	"10000000146"

static struct desk desk;
static int invalid;		/* verify found that they break their schema */

/* --- the other ends ----------------------------------------------------------- */

static inline char *
text(const char *query)
{
	PGresult	*res = db_query_row(&owner, query, 0, NULL);
	char		*s;

	assert_non_null(res);
	s = xstrdup(PQgetvalue(res, 0, 0));
	PQclear(res);
	return s;
}

/* A document of that type by user, whose certificate is cert, with records; the
 * bytes' digest is sha256, SHA256_HEX_SIZE. */
static inline struct m_submission_state
document(const char *user, char cert, enum message_type type, enum record_kind kind,
    const char *message_id, const char *day, const char *records, char *sha256)
{
	struct m_submission	 s = receive(user);
	struct header		 h = header_of(type, user, message_id, 1);
	struct m_verdict	 v = fresh_verdict(&s, cert);

	h.business_date = the_day(day);
	(void)str_copy(sha256, SHA256_HEX_SIZE, v.sha256);
	if (invalid)
		reasons_add(&v.reasons, SCHEMA_INVALID, 1, NULL, "x");
	return load_lines(&desk, &s, &h, &v, kind, records);
}

/* A RegistrationRequest, accepted.  Certificates are as in registry_open. */
static inline void
ask_on(const char *day, const char *user, const char *message_id, const char *records)
{
	char	 sha256[SHA256_HEX_SIZE];
	char	 cert = strcmp(user, "PLA001") == 0 ? 'a' : strcmp(user, "PLB001") == 0 ? 'b' :
		    strcmp(user, "CUA001") == 0 ? 'c' : 'e';

	assert_int_equal(document(user, cert, MT_REGISTRATION_REQUEST, REC_INVESTOR, message_id, day,
	    records, sha256).state, SUB_ACCEPTED);
}

static inline void
ask(const char *user, const char *message_id, const char *records)
{
	ask_on(DAY, user, message_id, records);
}

/* at the acceptance, and later */
#define ANSWERS	"(SELECT * FROM muhur.record_finding UNION ALL SELECT * FROM muhur.record_answer)"

/* "CODE", or "CODE: why", of one record; several have a comma between. */
static inline char *
finding(const char *message_id, int record)
{
	char	*q = xasprintf("SELECT coalesce(string_agg(f.code || coalesce(': ' || f.detail, ''),"
		    " ', ' ORDER BY f.code), 'none') FROM " ANSWERS " f JOIN muhur.submission s ON s.no = f.submission"
		    " WHERE s.message_id = '%s' AND f.record_no = %d", message_id, record);
	char	*s = text(q);

	free(q);
	return s;
}

static inline void
assert_finding(const char *message_id, int record, const char *want)
{
	char	*s = finding(message_id, record);

	assert_string_equal(s, want);
	free(s);
}

/* The number a record was given, "" for none; the caller's to free. */
static inline char *
number(const char *message_id, int record)
{
	char	*q = xasprintf("SELECT coalesce(max(f.registry_no), '') FROM " ANSWERS " f"
		    " JOIN muhur.submission s ON s.no = f.submission"
		    " WHERE s.message_id = '%s' AND f.record_no = %d", message_id, record);
	char	*s = text(q);

	free(q);
	return s;
}

static inline void
assert_same_number(const char *a, int record_a, const char *b, int record_b)
{
	char	*x = number(a, record_a), *y = number(b, record_b);

	assert_int_equal(strlen(x), REGISTRY_NO_SIZE - 1);
	assert_string_equal(x, y);
	free(x);
	free(y);
}

/* nine digits and the two that make them a T.C. identity number */
static inline void
tckn(unsigned nine, char out[12])
{
	unsigned check;
	char	 s[24];

	for (check = 0; check < 100; check++) {
		(void)snprintf(s, sizeof(s), "%09u%02u", nine, check);
		assert_int_equal(str_copy(out, 12, s), 0);
		if (tckn_ok(out))
			return;
	}
	fail();
}

/* MKK is the registry.  PLA003 enters, PLA002 approves. */
static inline int
registry_open(void **state)
{
	(void)state;
	make_market();
	sql("INSERT INTO muhur.member (code, kind, name, created_at) VALUES ('MKK', 'registry', 'M', '" NOW "');"
	    "INSERT INTO muhur.member_user (code, member_code, created_at) VALUES"
	    " ('MKK001', 'MKK', '" NOW "'), ('PLA003', 'PLA', '" NOW "');"
	    "INSERT INTO muhur.certificate (sha256, user_code, der, subject, issuer, serial,"
	    "  not_before, not_after, enrolled_at) SELECT repeat(x.c, 64), x.u, '', 'CN=' || x.u, 'CN=CA', '01',"
	    " '2026-01-01', '2099-01-01', '" NOW "' FROM (VALUES ('e', 'MKK001'), ('f', 'PLA003')) AS x (c, u);"
	    "INSERT INTO muhur.user_right (user_code, member_code, message_type, step, valid_from) "
	    "SELECT u, left(u, 3), 'RegistrationRequest', s, '2026-01-01' FROM (VALUES ('PLA001'), ('PLB001'),"
	    " ('CUA001'), ('MKK001')) AS x (u), unnest(ARRAY['entry', 'approval']) s "
	    "UNION VALUES ('PLA003', 'PLA', 'RegistrationRequest', 'entry', timestamptz '2026-01-01'),"
	    " ('PLA002', 'PLA', 'RegistrationRequest', 'approval', '2026-01-01')");
	desk_open(&desk);
	assert_int_equal(registration_key(KEY), 0);
	return 0;
}

static inline int
registry_close(void **state)
{
	(void)state;
	desk_close(&desk);
	db_close(&owner);
	registration_forget_key();
	return 0;
}

#endif
