/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"

/* timegm is the independent witness for the calendar. */
static usec_t
utc(int y, int m, int d, int hh, int mm, int ss)
{
	struct tm tm = { .tm_year = y - 1900, .tm_mon = m - 1, .tm_mday = d,
	    .tm_hour = hh, .tm_min = mm, .tm_sec = ss };

	return (usec_t)timegm(&tm) * USEC_PER_SEC;
}

static date_t
day(const char *s)
{
	date_t d;

	assert_int_equal(date_parse(s, &d), 0);
	return d;
}

static void
test_dates(void **state)
{
	static const char *const bad[] = { "", "2026-11-2", "2026-11-211", "2026/11/21",
	    "2026-13-01", "2026-00-01", "2026-01-00", "2026-04-31", "2026-02-29",
	    "1900-02-29", "2100-02-29", "0000-01-01", "-001-01-01", "2026-1a-01",
	    " 2026-01-01", "2026-01-01 " };
	char text[DATE_SIZE];
	date_t d;
	size_t i;

	(void)state;
	assert_int_equal(day("1970-01-01"), 0);
	assert_int_equal(day("1970-01-02"), 1);
	assert_int_equal(day("1969-12-31"), -1);
	assert_int_equal(day("2000-02-29") + 1, day("2000-03-01"));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(date_parse(bad[i], &d), -1);
	/* every day of 700 years: text and back, and timegm says the same */
	for (d = day("1600-01-01"); d < day("2300-01-01"); d++) {
		date_format(d, text);
		assert_int_equal(day(text), d);
		if (d % 97 == 0) {
			time_t t = (time_t)d * 86400;
			struct tm tm;
			char other[DATE_SIZE];

			assert_non_null(gmtime_r(&t, &tm));
			assert_int_equal(strftime(other, sizeof(other), "%Y-%m-%d", &tm), 10);
			assert_string_equal(text, other);
		}
	}
}

static void
test_time_format(void **state)
{
	char text[TIME_SIZE];

	(void)state;
	time_format(0, text);
	assert_string_equal(text, "1970-01-01T00:00:00.000000Z");
	time_format(-1, text);
	assert_string_equal(text, "1969-12-31T23:59:59.999999Z");
	time_format(utc(2026, 11, 21, 21, 27, 24) + 123456, text);
	assert_string_equal(text, "2026-11-21T21:27:24.123456Z");
}

static void
test_time_parse(void **state)
{
	static const struct { const char *text; int zoned; int y, m, d, hh, mm, ss, us; } good[] = {
		{ "2026-11-21T21:27:24Z", 1, 2026, 11, 21, 21, 27, 24, 0 },
		{ "2026-11-21T21:27:24.5Z", 1, 2026, 11, 21, 21, 27, 24, 500000 },
		{ "2026-11-21T21:27:24.1234569Z", 1, 2026, 11, 21, 21, 27, 24, 123456 },
		{ "2026-11-22T00:27:24+03:00", 1, 2026, 11, 21, 21, 27, 24, 0 },
		{ "2026-11-21T14:57:24-06:30", 1, 2026, 11, 21, 21, 27, 24, 0 },
		{ "2026-11-21T24:00:00Z", 1, 2026, 11, 22, 0, 0, 0, 0 },
		/* Istanbul: +03:00 all the year since 2016 ... */
		{ "2026-11-22T00:27:24", 0, 2026, 11, 21, 21, 27, 24, 0 },
		{ "2026-07-01T12:00:00.25", 0, 2026, 7, 1, 9, 0, 0, 250000 },
		/* ... and +02:00 in winter before */
		{ "2015-01-15T12:00:00", 0, 2015, 1, 15, 10, 0, 0, 0 },
		{ "9999-12-31T23:59:59.999999Z", 1, 9999, 12, 31, 23, 59, 59, 999999 },
		{ "9999-12-31T24:00:00", 0, 9999, 12, 31, 21, 0, 0, 0 },
		{ "0001-01-01T00:00:00Z", 1, 1, 1, 1, 0, 0, 0, 0 },
	};
	char text[TIME_SIZE];
	static const char *const bad[] = { "", "2026-11-21", "2026-11-21T", "2026-11-21 21:27:24Z",
	    "2026-11-21T21:27Z", "2026-11-21T21:27:60Z", "2026-11-21T25:00:00Z",
	    "2026-11-21T24:00:01Z", "2026-11-21T21:60:00Z", "2026-11-21T21:27:24.Z",
	    "2026-11-21T21:27:24+3:00", "2026-11-21T21:27:24+15:00", "2026-11-21T21:27:24+14:01",
	    "2026-11-21T21:27:24Zx", "2026-11-21T21:27:24+03:00x", "2026-02-30T00:00:00Z",
	    "2026-11-21T21:27:24+0300", "x026-11-21T21:27:24Z",
	    /* time_format() writes no year of five digits */
	    "9999-12-31T23:59:59-00:01", "9999-12-31T23:59:59-14:00", "9999-12-31T24:00:00Z",
	    /* the database knows no year 0 */
	    "0001-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+00:01" };
	usec_t t;
	size_t i;
	int zoned;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		zoned = -1;
		assert_int_equal(time_parse(good[i].text, &t, &zoned), 0);
		assert_int_equal(zoned, good[i].zoned);
		assert_true(t == utc(good[i].y, good[i].m, good[i].d, good[i].hh,
		    good[i].mm, good[i].ss) + good[i].us);
		time_format(t, text);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(time_parse(bad[i], &t, &zoned), -1);
}

/* m.33(2): day D is [D-1 23:59, D 23:59) in Istanbul, three hours east. */
static void
test_business_day(void **state)
{
	date_t d = day("2026-11-21");
	usec_t close = utc(2026, 11, 21, 20, 59, 0);

	(void)state;
	assert_true(day_close(d) == close);
	assert_int_equal(business_day(close - 1), d);
	assert_int_equal(business_day(close), d + 1);
	assert_int_equal(last_closed_day(close - 1), d - 1);
	assert_int_equal(last_closed_day(close), d);
	assert_true(istanbul_time(d + 1, 12, 0) == utc(2026, 11, 22, 9, 0, 0));
	/* midnight in Istanbul is 21:00 UTC of the day before */
	assert_int_equal(istanbul_date(utc(2026, 11, 21, 21, 0, 0)), d + 1);
	assert_int_equal(istanbul_date(utc(2026, 11, 21, 21, 0, 0) - 1), d);
}

static void
test_offset(void **state)
{
	usec_t real, moved, mono;

	(void)state;
	real = clock_now();
	assert_true(real > utc(2020, 1, 1, 0, 0, 0));
	clock_init(86400);
	moved = clock_now();
	assert_true(moved - real >= 86400 * USEC_PER_SEC);
	assert_true(moved - real < 86460 * USEC_PER_SEC);
	clock_init(0);
	mono = clock_monotonic();
	assert_true(clock_monotonic() >= mono);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_time_format),
		cmocka_unit_test(test_time_parse),
		cmocka_unit_test(test_business_day),
		cmocka_unit_test(test_offset),
	};

	clock_init(0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
