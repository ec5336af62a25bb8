/* SPDX-License-Identifier: ISC */
/*
 * muhur trail stamp: a time-stamp (RFC 3161) beside every published checkpoint
 * that has none.  Run by a timer, outside the processes of the gateway: those
 * have no network.  The newest come first, so that after a long silence of the
 * authority the present is covered before the past.
 */
#include "config.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "document/pipeline.h"
#include "muhur/trail.h"
#include "muhur/tsa.h"
#include "trail/note.h"

#define LIMIT_DEFAULT	1000	/* stamps a run */
#define SIZE_DIGITS	20	/* of a checkpoint's size */

struct names { char **v; size_t n; };

struct run {
	struct cmd	*c;
	struct tsa	*tsa;
	int		 dir;		/* trail/checkpoints, locked */
	long		 limit, done;
	long		 failed;	/* that cannot be read or written; the others go on */
};

/* --- what is there ------------------------------------------------------------ */

static void
names_free(struct names *l)
{
	while (l->n > 0)
		free(l->v[--l->n]);
	free(l->v);
	l->v = NULL;
}

static int
is_day(const char *name)
{
	date_t d;

	return date_parse(name, &d) == 0;
}

static int
is_size(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= SIZE_DIGITS && name[strspn(name, "0123456789")] == '\0' &&
	    (len == 1 || name[0] != '0');
}

static int
is_stamp(const char *name)
{
	size_t len = strlen(name);
	char size[SIZE_DIGITS + 1];

	if (len <= 4 || len > SIZE_DIGITS + 4 || strcmp(name + len - 4, ".tsr") != 0)
		return 0;
	memcpy(size, name, len - 4);
	size[len - 4] = '\0';
	return is_size(size);
}

/* Numbers and days alike: the longer is the greater; the greatest comes first. */
static int
newest_first(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	size_t nx = strcspn(x, "."), ny = strcspn(y, ".");

	return nx != ny ? (nx < ny) - (nx > ny) : strncmp(y, x, nx);
}

/* 0, or -1 with the cause logged. */
static int
list(int dir, const char *what, int (*wanted)(const char *), struct names *l)
{
	struct dirent *e;
	DIR *d = open_list(dir, ".");
	int rc;

	if (d == NULL) {
		log_warn("%s", what);
		return -1;
	}
	while (errno = 0, (e = readdir(d)) != NULL)
		if (wanted(e->d_name)) {
			l->v = xreallocarray(l->v, l->n + 1, sizeof(*l->v));
			l->v[l->n++] = xstrdup(e->d_name);
		}
	if (errno != 0)
		log_warn("%s", what);
	rc = errno != 0 ? -1 : 0;
	(void)closedir(d);
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), newest_first);
	return rc;
}

/* --- one of them ---------------------------------------------------------------- */

static void
report(const struct run *r, const char *day, const char *size, const struct timestamp *t)
{
	char at[TIME_SIZE];

	time_format(t->at, at);
	if (r->c->json)
		cmd_json(json_pack("{s:s, s:s, s:s, s:s}", "day", day, "size", size, "time", at,
		    "authority", t->authority));
	else
		printf("checkpoints/%s/%s: stamped %.19sZ by %s\n", day, size, at, t->authority);
}

/* 0, or -1 where the authority is in trouble, so that there is no use to go on
 * (logged).  What is wrong with one checkpoint does not hold up the others. */
static int
stamp_one(struct run *r, int dir, const char *day, const char *size)
{
	char *name = xasprintf("%s.tsr", size), *note = NULL;
	struct timestamp t = { 0 };
	struct buf resp = { 0 };
	size_t len;
	int fd, rc = -1;

	if ((fd = open_beneath(dir, size, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0)) == -1 ||
	    fd_read_all(fd, CHECKPOINT_MAX, &note, &len) == -1) {
		log_warn("checkpoints/%s/%s: it has no stamp yet", day, size);
		r->failed++;
		rc = 0;
		goto out;
	}
	if (tsa_ask(r->tsa, note, len, &resp, &t) == -1)
		goto out;
	rc = 0;
	if (file_write_durable(dir, name, resp.data, resp.len, 0644) == -1) {
		log_warn("checkpoints/%s/%s", day, name);
		r->failed++;
		goto out;
	}
	report(r, day, size, &t);
	r->done++;
out:
	if (fd != -1)
		(void)close(fd);
	buf_free(&resp);
	free(note);
	free(name);
	return rc;
}

static int
has_stamp(const struct names *stamps, const char *size)
{
	return stamps->n > 0 &&
	    bsearch(&size, stamps->v, stamps->n, sizeof(*stamps->v), newest_first) != NULL;
}

/*
 * A day that is over and all stamped is not listed again: there are thousands of
 * checkpoints in each, for years, and this runs every minute.  A mark beside its
 * folder has the folder's time; where that is another one, something came since.
 */
static int
is_done(const struct run *r, const char *mark, const struct stat *folder)
{
	struct stat st;

	return fstatat(r->dir, mark, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_mtim.tv_sec == folder->st_mtim.tv_sec && st.st_mtim.tv_nsec == folder->st_mtim.tv_nsec;
}

static void
set_done(const struct run *r, const char *mark, const struct stat *folder)
{
	const struct timespec times[] = { folder->st_mtim, folder->st_mtim };

	if (file_write_durable(r->dir, mark, "", 0, 0644) == -1 ||
	    utimensat(r->dir, mark, times, AT_SYMLINK_NOFOLLOW) == -1)
		log_warn("checkpoints/%s", mark);
}

static int
stamp_listed(struct run *r, int dir, const char *day)
{
	struct names sizes = { 0 }, stamps = { 0 };
	int rc = -1;
	size_t i;

	if (list(dir, day, is_size, &sizes) == -1 || list(dir, day, is_stamp, &stamps) == -1)
		goto out;
	rc = 0;
	for (i = 0; rc == 0 && i < sizes.n && r->done + r->failed < r->limit; i++)
		if (!has_stamp(&stamps, sizes.v[i]))
			rc = stamp_one(r, dir, day, sizes.v[i]);
out:
	names_free(&sizes);
	names_free(&stamps);
	return rc;
}

static int
stamp_day(struct run *r, const char *day, int newest)
{
	char *mark = xasprintf(".%s.stamped", day);
	struct stat before;
	long seen = r->done + r->failed;
	int dir, rc = -1;

	if ((dir = openat(r->dir, day, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) == -1 ||
	    fstat(dir, &before) == -1)
		log_warn("checkpoints/%s", day);
	else if (!newest && is_done(r, mark, &before))
		rc = 0;
	else if ((rc = stamp_listed(r, dir, day)) == 0 && !newest && r->done + r->failed == seen)
		set_done(r, mark, &before);
	if (dir != -1)
		(void)close(dir);
	free(mark);
	return rc;
}

/* --- the run -------------------------------------------------------------------- */

/*
 * What an authority answers is read with no more rights than the folder needs:
 * root becomes its owner.  What is written then belongs to whom the rest belongs.
 */
static int
become_owner(int dir)
{
	struct stat st;

	if (fstat(dir, &st) == -1) {
		log_warn("trail/checkpoints");
		return -1;
	}
	if (geteuid() != 0 || st.st_uid == 0)
		return 0;
	if (setgroups(0, NULL) == -1 || setresgid(st.st_gid, st.st_gid, st.st_gid) == -1 ||
	    setresuid(st.st_uid, st.st_uid, st.st_uid) == -1) {
		log_warn("user %u", (unsigned)st.st_uid);
		return -1;
	}
	return 0;
}

/* Of two runs the second waits, and then does what is left. */
static int
open_checkpoints(struct run *r)
{
	char *path = xasprintf("%s/trail/checkpoints", r->c->conf->state_dir);
	int rc = -1;

	if ((r->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1) {
		if (errno == ENOENT) {
			log_warnx("%s: there are no checkpoints yet", path);
			rc = 1;
		} else
			log_warn("%s", path);
	} else if (become_owner(r->dir) == 0) {
		if (flock(r->dir, LOCK_EX) == 0 && faccessat(r->dir, ".", W_OK | X_OK, AT_EACCESS) == 0)
			rc = 0;
		else
			log_warn("%s: run this as root, or as the user whom it belongs to", path);
	}
	free(path);
	return rc;
}

static int
stamp_all(struct run *r)
{
	struct names days = { 0 };
	int rc;
	size_t i;

	if ((rc = list(r->dir, "trail/checkpoints", is_day, &days)) == 0)
		for (i = 0; rc == 0 && i < days.n && r->done + r->failed < r->limit; i++)
			rc = stamp_day(r, days.v[i], i == 0);
	names_free(&days);
	return rc;
}

static int
parse_limit(const char *s, long *limit)
{
	char *end;

	errno = 0;
	*limit = strtol(s, &end, 10);
	if (end != s && *end == '\0' && errno == 0 && *limit > 0)
		return 0;
	log_warnx("--limit %s: must be a number, 1 or more", s);
	return -1;
}

int
trail_stamp(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "limit", required_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 }
	};
	struct run r = { .c = c, .dir = -1, .limit = LIMIT_DEFAULT };
	int ch, rc = EXIT_ENVIRONMENT, opened;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (ch != 'l')
			return cmd_usage(c);
		if (parse_limit(optarg, &r.limit) == -1)
			return EXIT_USAGE;
	}
	if (optind != argc)
		return cmd_usage(c);
	if (document_init() == -1 || (r.tsa = tsa_open(cmd_conf(c))) == NULL)
		goto out;
	if ((opened = open_checkpoints(&r)) == 0)
		opened = stamp_all(&r);
	rc = opened == -1 || r.failed > 0 ? EXIT_ENVIRONMENT : EXIT_YES;
	if (!c->json && opened == 0)
		printf("%ld checkpoint%s stamped\n", r.done, r.done == 1 ? "" : "s");
out:
	tsa_close(r.tsa);
	if (r.dir != -1)
		(void)close(r.dir);
	return rc;
}
