/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/stat.h>

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
#define LOOK_MOST	512	/* checkpoints a look: the newest are stamped first */
#define ALARM_TIME	(3600 * USEC_PER_SEC)

/* Of the files <size><end> of a day; 0 or -1. */
static int
greatest_of_day(int days, const char *day, const char *end, uint64_t *greatest)
{
	DIR *d = open_list(days, day);
	struct dirent *e;
	uint64_t size;
	size_t len;
	int rc;

	if (d == NULL)
		return -1;
	while (errno = 0, (e = readdir(d)) != NULL) {
		len = strcspn(e->d_name, ".");
		if (strcmp(e->d_name + len, end) == 0 && size_parse(e->d_name, len, &size) == 0 && size > *greatest)
			*greatest = size;
	}
	rc = errno == 0 ? 0 : -1;
	(void)closedir(d);
	return rc;
}

int
stamps_greatest(int trail, const char *end, uint64_t *greatest)
{
	DIR *d = open_list(trail, "checkpoints");
	struct dirent *e;
	date_t date;
	int rc = 0;

	*greatest = 0;
	if (d == NULL && errno == ENOENT)
		return 0;
	while (errno = 0, d != NULL && rc == 0 && (e = readdir(d)) != NULL)
		if (date_parse(e->d_name, &date) == 0)
			rc = greatest_of_day(dirfd(d), e->d_name, end, greatest);
	if (d == NULL || errno != 0)
		rc = -1;
	if (rc == -1)
		log_warn("trail: checkpoints");
	if (d != NULL)
		(void)closedir(d);
	return rc;
}

static int
has_stamp(int trail, const struct recorded *r)
{
	char at[TIME_SIZE], path[TILE_PATH_SIZE];
	struct stat st;

	time_format(r->signed_at, at);
	(void)snprintf(path, sizeof(path), "checkpoints/%.10s/%llu.tsr", at, (unsigned long long)r->size);
	return fstatat(trail, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* st->size moves on to the newest of those since that has one.  0, or -1. */
static int
find_newest(struct stamps *st, struct db *db, int trail)
{
	struct recorded *v;
	int i, n;

	/* once: all that lie there, for years */
	if (!st->looked && stamps_greatest(trail, ".tsr", &st->size) == 0)
		st->looked = 1;
	v = xcalloc(LOOK_MOST, sizeof(*v));
	n = recorded_newest(db, st->size, v, LOOK_MOST);
	for (i = 0; i < n && !has_stamp(trail, &v[i]); i++)
		;
	if (i < n)
		st->size = v[i].size;
	free(v);
	return n == -1 ? -1 : 0;
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
	if (find_newest(st, db, trail) == -1 || (n = recorded_from(db, st->size + 1, &r, 1)) == -1)
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
