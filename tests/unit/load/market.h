/* SPDX-License-Identifier: ISC */
/* A small market in the database, and the other ends of a load process. */
#ifndef MUHUR_TESTS_LOAD_MARKET_H
#define MUHUR_TESTS_LOAD_MARKET_H

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/ident.h"
#include "msg/msg.h"
#include "msg/proto.h"
#include "msg/stream.h"
#include "unit/pgtest.h"

#define DAY	"2026-11-20"
/* 21:00 in Istanbul on the day after DAY: DAY is closed, its cut-off passed. */
#define NOW	"2026-11-21T18:00:00Z"

static struct conf conf;
static struct db owner;		/* sees and may everything */

static inline void
sql(const char *text)
{
	assert_int_equal(db_script(&owner, text, text), 0);
}

static inline long long
count(const char *text)
{
	PGresult	*res = db_query_row(&owner, text, 0, NULL);
	long long	 n;

	assert_non_null(res);
	n = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	return n;
}

/* PLA, PLB platforms; CUA a custodian; certificates are a letter repeated. */
static inline void
make_market(void)
{
	pgtest_install(&conf);
	assert_int_equal(admin_connect(&owner, &conf), 0);
	sql("INSERT INTO muhur.member (code, kind, name, created_at) VALUES"
	    " ('PLA', 'platform', 'A', '" NOW "'), ('PLB', 'platform', 'B', '" NOW "'),"
	    " ('CUA', 'custodian', 'C', '" NOW "'), ('SPK', 'regulator', 'S', '" NOW "');"
	    "INSERT INTO muhur.member_user (code, member_code, created_at) VALUES"
	    " ('PLA001', 'PLA', '" NOW "'), ('PLA002', 'PLA', '" NOW "'),"
	    " ('PLB001', 'PLB', '" NOW "'), ('CUA001', 'CUA', '" NOW "');"
	    "INSERT INTO muhur.certificate (sha256, user_code, der, subject, issuer, serial,"
	    "  not_before, not_after, enrolled_at) "
	    "SELECT repeat(x.c, 64), x.u, '', 'CN=' || x.u, 'CN=CA', '01',"
	    " '2026-01-01', '2099-01-01', '" NOW "' FROM (VALUES ('a', 'PLA001'),"
	    " ('d', 'PLA002'), ('b', 'PLB001'), ('c', 'CUA001')) AS x (c, u);"
	    "INSERT INTO muhur.user_right (user_code, member_code, message_type, step, valid_from) "
	    "SELECT u, left(u, 3), t, s, '2026-01-01' FROM (VALUES ('PLA001', 'BalanceReport'),"
	    " ('PLB001', 'BalanceReport'), ('CUA001', 'CustodyReport')) AS x (u, t),"
	    " unnest(ARRAY['entry', 'approval']) s;"
	    "INSERT INTO muhur.contract (platform, custodian, valid_from) VALUES ('PLA', 'CUA', '2026-01-01')");
}

static inline date_t
the_day(const char *s)
{
	date_t	 d;

	assert_int_equal(date_parse(s, &d), 0);
	return d;
}

static inline usec_t
the_time(const char *s)
{
	usec_t	 t;
	int	 zoned;

	assert_int_equal(time_parse(s, &t, &zoned), 0);
	return t;
}

/* A submission uploaded by user, without a row yet. */
static inline struct m_submission
upload(const char *user)
{
	struct m_submission	 s = { .size = 1000, .received_at = the_time(NOW) };

	uuid_v7(clock_now(), s.id);
	(void)str_copy(s.user, sizeof(s.user), user);
	(void)str_copy(s.name, sizeof(s.name), "report \"1\".xml");
	return s;
}

#endif
