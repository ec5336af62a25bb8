/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "sequencer/events.h"
#include "sequencer/stamps.h"

#define LOOK_TIME	(30 * USEC_PER_SEC)
#define ALARM_TIME	(3600 * USEC_PER_SEC)

/* The last day before `before' ("" none) that has a folder. */
static int
day_before(int days, const char *before, char day[DATE_SIZE])
{
	DIR *d = open_list(days, ".");
	struct dirent *e;
	date_t date;

	day[0] = '\0';
	while (d != NULL && (e = readdir(d)) != NULL)
		if (date_parse(e->d_name, &date) == 0 && strcmp(e->d_name, day) > 0 &&
		    (before[0] == '\0' || strcmp(e->d_name, before) < 0))
			(void)str_copy(day, DATE_SIZE, e->d_name);
	if (d != NULL)
		(void)closedir(d);
	return day[0] != '\0';
}

/* Of the files <size><end>. */
static uint64_t
newest_of_day(int days, const char *day, const char *end)
{
	DIR *d = open_list(days, day);
	struct dirent *e;
	uint64_t size, newest = 0;
	size_t len;

	while (d != NULL && (e = readdir(d)) != NULL) {
		len = strcspn(e->d_name, ".");
		if (strcmp(e->d_name + len, end) == 0 && size_parse(e->d_name, len, &size) == 0 && size > newest)
			newest = size;
	}
	if (d != NULL)
		(void)closedir(d);
	return newest;
}

/* From the newest day back to the first with one: most often the last one. */
static uint64_t
newest(int trail, const char *end)
{
	char day[DATE_SIZE] = "", before[DATE_SIZE];
	uint64_t size = 0;
	int days;

	if ((days = open_beneath(trail, "checkpoints", O_RDONLY | O_DIRECTORY, 0)) == -1) {
		if (errno != ENOENT)
			log_warn("trail: checkpoints");
		return 0;
	}
	do
		(void)memcpy(before, day, sizeof(before));
	while (day_before(days, before, day) && (size = newest_of_day(days, day, end)) == 0);
	(void)close(days);
	return size;
}

uint64_t
stamps_newest(int trail)
{
	return newest(trail, ".tsr");
}

uint64_t
stamps_newest_checkpoint(int trail)
{
	return newest(trail, "");
}

int
stamps_look(struct stamps *st, struct db *db, const struct conf *conf, int trail)
{
	usec_t now = clock_monotonic();
	struct recorded r;
	int n;

	if (conf->tsa_url == NULL || now < st->next_look)
		return 0;
	st->next_look = now + LOOK_TIME;
	st->size = stamps_newest(trail);
	if ((n = recorded_from(db, st->size + 1, &r, 1)) == -1)
		return -1;
	st->unstamped_since = n == 1 ? r.signed_at : 0;
	if (n == 0 || clock_now() - r.signed_at <= conf->trail_stamp_alarm * USEC_PER_SEC) {
		st->next_alarm = 0;
		return 0;
	}
	if (now < st->next_alarm)
		return 0;
	st->next_alarm = now + ALARM_TIME;
	log_alarm("trail: the checkpoint of size %llu is without a time-stamp for %lld minutes: "
	    "does `muhur trail stamp' run, and does the authority answer?", (unsigned long long)r.size,
	    (long long)((clock_now() - r.signed_at) / (60 * USEC_PER_SEC)));
	return 0;
}
