/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"

#define ZONE			"Europe/Istanbul"
#define SEC_PER_DAY		INT64_C(86400)
/* m.33(2): the day's end. */
#define CLOSE_HOUR		23
#define CLOSE_MINUTE		59
/* xs:dateTime: zones reach from -14:00 to +14:00. */
#define ZONE_MAX_HOURS		14
/* 0001-01-01: the database knows no year 0.  10000-01-01: RFC 3339 and
 * time_format() end before it. */
#define TIME_BEGIN		(INT64_C(-62135596800) * USEC_PER_SEC)
#define TIME_END		(INT64_C(253402300800) * USEC_PER_SEC)

static int64_t	offset;		/* microseconds added to the system's clock */

void
clock_init(int64_t offset_s)
{
	struct tm tm;
	time_t probe;

	offset = offset_s * USEC_PER_SEC;
	if (setenv("TZ", ZONE, 1) == -1)
		fatal("TZ");
	tzset();
	/* Without its file glibc takes the zone for UTC and says nothing: ask for
	 * a moment of which the answer is known (2020-01-01T00:00Z is 03:00). */
	probe = 1577836800;
	if (localtime_r(&probe, &tm) == NULL || tm.tm_gmtoff != 3 * 3600)
		fatalx("time zone " ZONE ": not known here; on Debian: apt-get install tzdata");
	if (offset_s != 0)
		log_warnx("clock: moved by %lld seconds (clock_offset)",
		    (long long)offset_s);
}

static usec_t
read_clock(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) == -1)
		fatal("clock");
	return (usec_t)ts.tv_sec * USEC_PER_SEC + ts.tv_nsec / 1000;
}

usec_t
clock_now(void)
{
	return read_clock(CLOCK_REALTIME) + offset;
}

usec_t
clock_monotonic(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

usec_t
clock_boottime(void)
{
	return read_clock(CLOCK_BOOTTIME);
}

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* The Gregorian calendar repeats every 400 years (146097 days).  Counted from
 * a 1 March, the leap day is the last of its year and the months' lengths
 * follow (153 m + 2) / 5.  719468 days lie from 0000-03-01 to 1970-01-01. */
static int64_t
days_from_civil(int64_t y, int m, int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = floor_div(y, 400);
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void
civil_from_days(int64_t days, int64_t *y, int *m, int *d)
{
	int64_t era, doe, yoe, doy, mp;

	days += 719468;
	era = floor_div(days, 146097);
	doe = days - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = yoe + era * 400 + (*m <= 2);
}

void
date_format(date_t date, char *buf)
{
	int64_t y;
	int m, d;

	civil_from_days(date, &y, &m, &d);
	if (y < 0 || y > 9999)
		fatalx("date %d is out of the calendar", (int)date);
	(void)snprintf(buf, DATE_SIZE, "%04u-%02u-%02u", (unsigned)y % 10000,
	    (unsigned)m % 100, (unsigned)d % 100);
}

void
time_format(usec_t t, char *buf)
{
	int64_t day, rest, sec;
	char date[DATE_SIZE];

	day = floor_div(t, SEC_PER_DAY * USEC_PER_SEC);
	rest = t - day * SEC_PER_DAY * USEC_PER_SEC;
	sec = rest / USEC_PER_SEC;
	date_format((date_t)day, date);
	(void)snprintf(buf, TIME_SIZE, "%sT%02u:%02u:%02u.%06uZ", date,
	    (unsigned)(sec / 3600) % 100, (unsigned)(sec / 60 % 60),
	    (unsigned)(sec % 60), (unsigned)(rest % USEC_PER_SEC));
}

/* Exactly n digits; -1 where they are not there. */
static int
digits(const char *s, int n)
{
	int i, v = 0;

	for (i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		v = v * 10 + (s[i] - '0');
	}
	return v;
}

static int
month_length(int y, int m)
{
	static const int length[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0))
		return 29;
	return length[m - 1];
}

/* The date at the beginning of s (10 characters are read). */
static int
parse_date(const char *s, date_t *date)
{
	int y, m, d;

	if ((y = digits(s, 4)) < 1 || s[4] != '-' || (m = digits(s + 5, 2)) < 1 ||
	    m > 12 || s[7] != '-' || (d = digits(s + 8, 2)) < 1 ||
	    d > month_length(y, m))
		return -1;
	*date = (date_t)days_from_civil(y, m, d);
	return 0;
}

int
date_parse(const char *s, date_t *d)
{
	date_t date;

	if (strlen(s) != DATE_SIZE - 1 || parse_date(s, &date) == -1)
		return -1;
	*d = date;
	return 0;
}

/* hh:mm:ss[.f+]; *end is set behind it.  24:00:00 is the next day's start
 * (XML Schema part 2, 3.2.7). */
static int
parse_clock(const char *s, usec_t *t, const char **end)
{
	int h, m, sec, scale = 100000, n = 0;
	usec_t frac = 0;

	if ((h = digits(s, 2)) < 0 || h > 24 || s[2] != ':' ||
	    (m = digits(s + 3, 2)) < 0 || m > 59 || s[5] != ':' ||
	    (sec = digits(s + 6, 2)) < 0 || sec > 59)
		return -1;
	s += 8;
	if (*s == '.') {
		for (s++; *s >= '0' && *s <= '9'; s++, n++, scale /= 10)
			frac += (usec_t)(*s - '0') * scale;
		if (n == 0)
			return -1;
	}
	if (h == 24 && (m != 0 || sec != 0 || frac != 0))
		return -1;
	*t = ((usec_t)h * 3600 + m * 60 + sec) * USEC_PER_SEC + frac;
	*end = s;
	return 0;
}

/* "Z" or +hh:mm, to the end of the text; *east in seconds. */
static int
parse_zone(const char *s, int *east)
{
	int h, m;

	if ((s[0] == 'Z' || s[0] == 'z') && s[1] == '\0') {
		*east = 0;
		return 0;
	}
	if ((s[0] != '+' && s[0] != '-') || strlen(s) != 6 || s[3] != ':' ||
	    (h = digits(s + 1, 2)) < 0 || (m = digits(s + 4, 2)) < 0 || m > 59 ||
	    h > ZONE_MAX_HOURS || (h == ZONE_MAX_HOURS && m != 0))
		return -1;
	*east = (h * 3600 + m * 60) * (s[0] == '-' ? -1 : 1);
	return 0;
}

int
time_parse(const char *s, usec_t *t, int *zoned)
{
	const char *rest;
	date_t date;
	usec_t in_day, whole, at;
	int east = 0;

	if (strnlen(s, DATE_SIZE) < DATE_SIZE || parse_date(s, &date) == -1 ||
	    (s[10] != 'T' && s[10] != 't') || parse_clock(s + 11, &in_day, &rest) == -1 ||
	    (*rest != '\0' && parse_zone(rest, &east) == -1))
		return -1;
	if (*rest != '\0')
		at = (date * SEC_PER_DAY - east) * USEC_PER_SEC + in_day;
	else {
		/* The hour and minute in Istanbul; the rest is added to them. */
		whole = in_day / (60 * USEC_PER_SEC);
		at = istanbul_time(date, (int)(whole / 60), (int)(whole % 60)) +
		    in_day % (60 * USEC_PER_SEC);
	}
	/* a zone in the east in the first year; in the west, or 24:00, in the last */
	if (at < TIME_BEGIN || at >= TIME_END)
		return -1;
	*t = at;
	*zoned = *rest != '\0';
	return 0;
}

usec_t
istanbul_time(date_t date, int hour, int minute)
{
	struct tm tm = { 0 };
	int64_t y;
	int m, d;

	civil_from_days(date, &y, &m, &d);
	tm.tm_year = (int)(y - 1900);
	tm.tm_mon = m - 1;
	tm.tm_mday = d;
	tm.tm_hour = hour;
	tm.tm_min = minute;
	tm.tm_isdst = -1;
	return (usec_t)mktime(&tm) * USEC_PER_SEC;
}

date_t
istanbul_date(usec_t t)
{
	time_t sec = (time_t)floor_div(t, USEC_PER_SEC);
	struct tm tm;

	if (localtime_r(&sec, &tm) == NULL)
		fatal("time %lld", (long long)t);
	return (date_t)days_from_civil((int64_t)tm.tm_year + 1900, tm.tm_mon + 1,
	    tm.tm_mday);
}

usec_t
day_close(date_t d)
{
	return istanbul_time(d, CLOSE_HOUR, CLOSE_MINUTE);
}

date_t
business_day(usec_t t)
{
	date_t d = istanbul_date(t);

	return t >= day_close(d) ? d + 1 : d;
}

date_t
last_closed_day(usec_t t)
{
	return business_day(t) - 1;
}
