/* SPDX-License-Identifier: ISC */
/*
 * muhur archive verify: every document that the database names is in the store
 * and good, every notice in exactly one of outbox and archive, all that judged
 * is kept.  Without a database (--store): the names against the bytes alone.
 */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "depot/depot.h"
#include "muhur/archive.h"

#define PAGE		"5000"		/* rows a query */
#define CHUNK		(64 * 1024)
#define LOOKS		5		/* at a notice that may just be moved */
#define WAITS		50		/* of 0.1 s, for all whose move is not recorded yet */

struct verification {
	struct cmd	*c;
	int		 store, boxes;
	long long	 rate;		/* bytes a second; 0: as fast as it goes */
	usec_t		 began;
	char		*chunk;
	long long	 documents, bytes, notices, materials, findings, unknown;
	struct name_set	 known;		/* material: its listings, and what they name */
	int		 all_known;	/* every listing was read */
	struct name_set	 told;		/* that are no good */
	int		 waits;		/* that are left */
	const char	*checking;	/* of what a finding is told: "submission", ... */
};

/* One line: what is wrong, and with what. */
static void __attribute__((format(printf, 4, 5)))
finding(struct verification *v, const char *what, const char *name, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	v->findings++;
	if (v->c->json)
		cmd_json(json_pack("{s:s, s:s, s:s}", "finding", what, "name", name, "text", text));
	else
		printf("%s: %s: %s\n", what, name, text);
}

/* --- one document ---------------------------------------------------------------- */

static void
pace(struct verification *v)
{
	usec_t ahead;
	struct timespec t;

	if (v->rate == 0)
		return;
	ahead = v->bytes / v->rate * USEC_PER_SEC + v->bytes % v->rate * USEC_PER_SEC / v->rate -
	    (clock_monotonic() - v->began);
	if (ahead <= 0)
		return;
	t = (struct timespec){ .tv_sec = ahead / USEC_PER_SEC, .tv_nsec = ahead % USEC_PER_SEC * 1000 };
	(void)nanosleep(&t, NULL);
}

/* Read to its end: is it what sha256 says?  Closes f. */
static enum depot_state
read_all(struct verification *v, struct depot_file *f, const char *sha256)
{
	enum depot_state state = DEPOT_TROUBLE;
	char hex[SHA256_HEX_SIZE];
	ssize_t n;
	int saved;

	while ((n = depot_read(f, v->chunk, CHUNK)) > 0) {
		v->bytes += n;
		pace(v);
	}
	saved = errno;
	if (n == -1 && errno == EBADMSG)
		state = DEPOT_ROTTEN;
	else if (n == 0) {
		depot_digest(f, hex);
		state = strcmp(hex, sha256) == 0 ? DEPOT_GOOD : DEPOT_ROTTEN;
	}
	depot_close(f);
	v->documents++;
	errno = saved;
	return state;
}

static void
tell_state(struct verification *v, enum depot_state state, const char *sha256)
{
	if (state != DEPOT_GOOD)
		(void)name_set_add(&v->told, sha256);
	switch (state) {
	case DEPOT_GOOD:
		break;
	case DEPOT_ABSENT:
		finding(v, "missing", sha256, "%s: it is not in the store", v->checking);
		break;
	case DEPOT_ROTTEN:
		finding(v, "rotten", sha256, "%s: its bytes are not what its name says; restore it from a backup",
		    v->checking);
		break;
	case DEPOT_TROUBLE:
		finding(v, "unreadable", sha256, "%s: %s", v->checking, strerror(errno));
		break;
	}
}

static enum depot_state
look(struct verification *v, const char *sha256)
{
	struct depot_file *f;

	if ((f = depot_open(v->store, sha256)) != NULL)
		return read_all(v, f, sha256);
	return errno == ENOENT ? DEPOT_ABSENT : DEPOT_TROUBLE;
}

static enum depot_state
check(struct verification *v, const char *sha256)
{
	enum depot_state state = look(v, sha256);

	tell_state(v, state, sha256);
	return state;
}

/* --- documents that the database names ---------------------------------------------- */

/* One that is gone may have been purged since its row was read, hours ago. */
static void
check_document(struct verification *v, const char *sha256)
{
	enum depot_state state = look(v, sha256);

	if (state != DEPOT_ABSENT || archive_is_named(v->c, sha256))
		tell_state(v, state, sha256);
}

/* Each once, however many rows name it, in order of the names: the columns' own, in
 * which their indexes are (017-archive.sql). */
static void
check_documents(struct verification *v, const char *from, const char *to, const char *day)
{
	char last[SHA256_HEX_SIZE] = "";
	const char *params[] = { from, to, day, last };
	PGresult *res;
	int i, n;

	v->checking = "document";
	do {
		res = cmd_query(v->c, "SELECT d.sha256 FROM ("
		    "(SELECT sha256 FROM muhur.submission WHERE purged_at IS NULL AND sha256 > $4 AND "
		    SQL_DECIDED " AND ($1::timestamptz IS NULL OR received_at >= $1 AND received_at < $2::timestamptz)"
		    " ORDER BY sha256 LIMIT " PAGE ") UNION ALL "
		    "(SELECT sha256 FROM muhur.notice WHERE purged_at IS NULL AND sha256 > $4"
		    " AND ($3::date IS NULL OR day = $3) ORDER BY sha256 LIMIT " PAGE ")) d "
		    "GROUP BY 1 ORDER BY 1 LIMIT " PAGE, 4, params);
		n = PQntuples(res);
		for (i = 0; i < n; i++)
			check_document(v, PQgetvalue(res, i, 0));
		if (n > 0)
			(void)str_copy(last, sizeof(last), PQgetvalue(res, n - 1, 0));
		PQclear(res);
	} while (n > 0);
}

/* --- what had rotted ----------------------------------------------------------------- */

static void
heal(struct verification *v, const char *sha256, const char *why)
{
	char now[TIME_SIZE];
	const char *params[] = { sha256, cmd_now(v->c, now) };

	(void)cmd_exec(v->c, "UPDATE muhur.rot SET healed_at = $2 WHERE sha256 = $1", 2, params);
	if (!v->c->json)
		printf("healed: %s: it had rotted, and %s\n", sha256, why);
}

/* One that is gone and named by nothing was purged, where every listing is known. */
static void
check_rotten_one(struct verification *v, const char *sha256)
{
	enum depot_state state = depot_check(v->store, sha256, NULL);
	int named = state != DEPOT_ABSENT || archive_is_named(v->c, sha256) || name_set_has(&v->known, sha256);

	if (state == DEPOT_GOOD)
		heal(v, sha256, "is good again");
	else if (named && !name_set_has(&v->told, sha256))
		tell_state(v, state, sha256);
	else if (!named && v->all_known)
		heal(v, sha256, "is gone; nothing names it");
}

/* Whatever it is, material too, and whatever day is looked at. */
static void
check_rotten(struct verification *v)
{
	PGresult *res = cmd_query(v->c, "SELECT sha256 FROM muhur.rot WHERE healed_at IS NULL ORDER BY found_at, sha256",
	    0, NULL);
	int i;

	v->checking = "known to have rotted";
	for (i = 0; i < PQntuples(res); i++)
		check_rotten_one(v, PQgetvalue(res, i, 0));
	PQclear(res);
}

/* --- notices: one place each --------------------------------------------------------- */

enum place { IN_OUTBOX = 1, IN_ARCHIVE = 2 };

/* A look at both; a notice that is moved meanwhile is looked for once more. */
static int
places(const struct verification *v, const char *outbox, const char *archive, struct stat *st)
{
	int i, where = 0;

	for (i = 0; i < LOOKS; i++) {
		where = fstatat(v->boxes, outbox, st, AT_SYMLINK_NOFOLLOW) == 0 ? IN_OUTBOX : 0;
		if (fstatat(v->boxes, archive, st, AT_SYMLINK_NOFOLLOW) == 0)
			where |= IN_ARCHIVE;
		if (where == IN_OUTBOX || where == IN_ARCHIVE)
			break;
	}
	return where;
}

/* The store's own file, by a link, or one with the same bytes. */
static void
check_bytes(struct verification *v, const char *path, const char *sha256, const struct stat *st)
{
	char stored[DEPOT_PATH_SIZE];
	struct stat own;
	int fd;

	depot_path(sha256, DEPOT_PLAIN, stored);
	if (fstatat(v->store, stored, &own, AT_SYMLINK_NOFOLLOW) == 0 && same_file(&own, st))
		return;		/* read with the documents */
	if ((fd = open_beneath(v->boxes, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0)) == -1) {
		if (errno != ENOENT)	/* moved at this moment */
			finding(v, "unreadable", path, "%s", strerror(errno));
		return;
	}
	if (read_all(v, depot_of(fd, DEPOT_PLAIN), sha256) != DEPOT_GOOD)
		finding(v, "rotten", path, "it is not the notice that was signed");
}

/* Where it is by now, says the database; 0: it was purged or is to be shown again. */
static int
recorded(struct verification *v, const char *no)
{
	const char *params[] = { no };
	PGresult *res = cmd_query(v->c, "SELECT archived_at IS NOT NULL FROM muhur.notice WHERE no = $1::bigint "
	    "AND purged_at IS NULL AND published_at IS NOT NULL", 1, params);
	int place = PQntuples(res) == 0 ? 0 : PQgetvalue(res, 0, 0)[0] == 't' ? IN_ARCHIVE : IN_OUTBOX;

	PQclear(res);
	return place;
}

/* A move is recorded a moment after it.  In one place, is it another than is recorded? */
static int
is_misplaced(struct verification *v, const char *no, const char *outbox, const char *archive)
{
	const struct timespec moment = { .tv_nsec = 100 * 1000 * 1000 };
	struct stat st;
	int where, place;

	for (;;) {
		where = places(v, outbox, archive, &st);
		place = recorded(v, no);
		if (where == place || place == 0 || (where != IN_OUTBOX && where != IN_ARCHIVE))
			return 0;
		if (v->waits == 0)
			return 1;
		v->waits--;
		(void)nanosleep(&moment, NULL);
	}
}

static void
check_notice(struct verification *v, const PGresult *res, int row)
{
	const char *no = PQgetvalue(res, row, 0), *member = PQgetvalue(res, row, 1), *file = PQgetvalue(res, row, 2);
	char *outbox = xasprintf("%s/outbox/%s", member, file);
	char *archive = xasprintf("%s/archive/%s/%s", member, PQgetvalue(res, row, 3), file);
	int purged = PQgetvalue(res, row, 5)[0] == 't', where;
	int place = PQgetvalue(res, row, 6)[0] == 't' ? IN_ARCHIVE : IN_OUTBOX;
	struct stat st;

	where = places(v, outbox, archive, &st);
	v->notices++;
	if (purged && where != 0)
		finding(v, "left", where & IN_ARCHIVE ? archive : outbox, "its purge is at work, or was interrupted: do it again");
	else if (!purged && where == 0) {
		if (recorded(v, no) != 0)
			finding(v, "missing", archive, "it is neither in the outbox nor in the archive: `muhur notice rebuild'");
	} else if (where == (IN_OUTBOX | IN_ARCHIVE))
		finding(v, "twice", archive, "it is in the outbox as well");
	else if (!purged) {
		check_bytes(v, where == IN_OUTBOX ? outbox : archive, PQgetvalue(res, row, 4), &st);
		if (where != place && is_misplaced(v, no, outbox, archive))
			finding(v, "misplaced", where == IN_OUTBOX ? outbox : archive, where == IN_OUTBOX ?
			    "the database has it in the archive" : "the database has it in the outbox: `muhur notice rebuild'");
	}
	free(outbox);
	free(archive);
}

static void
check_notices(struct verification *v, const char *day)
{
	char last[24] = "0";
	const char *params[] = { day, last };
	PGresult *res;
	int i, n;

	do {
		/* what is to be shown again may be in either place for a moment */
		res = cmd_query(v->c, "SELECT no, recipient, file_name, day, sha256, purged_at IS NOT NULL, archived_at IS NOT NULL "
		    "FROM muhur.notice WHERE no > $2::bigint AND published_at IS NOT NULL "
		    "AND ($1::date IS NULL OR day = $1) ORDER BY no LIMIT " PAGE, 2, params);
		n = PQntuples(res);
		for (i = 0; i < n; i++)
			check_notice(v, res, i);
		if (n > 0)
			(void)str_copy(last, sizeof(last), PQgetvalue(res, n - 1, 0));
		PQclear(res);
	} while (n > 0);
}

/* --- material -------------------------------------------------------------------------- */

static int
check_material_file(void *arg, const char *sha256, const char *name)
{
	struct verification *v = arg;

	(void)name;
	if (name_set_add(&v->known, sha256))	/* most are in many listings */
		(void)check(v, sha256);
	return 0;
}

static void
check_listing(struct verification *v, const char *id)
{
	v->checking = "material";
	(void)name_set_add(&v->known, id);
	v->materials++;
	if (check(v, id) != DEPOT_GOOD) {
		v->all_known = 0;
		return;
	}
	if (archive_listing(v->store, id, check_material_file, v) != 0) {
		v->all_known = 0;
		finding(v, "wrong", id, "it is no listing of what judged");
	}
}

static void
check_materials(struct verification *v, const char *from, const char *to)
{
	const char *params[] = { from, to };
	PGresult *res;
	int i;

	res = cmd_query(v->c, "SELECT DISTINCT material FROM muhur.submission WHERE material IS NOT NULL "
	    "AND ($1::timestamptz IS NULL OR received_at >= $1 AND received_at < $2::timestamptz) ORDER BY 1",
	    2, params);
	for (i = 0; i < PQntuples(res); i++)
		check_listing(v, PQgetvalue(res, i, 0));
	PQclear(res);
}

/* --- what nobody names ------------------------------------------------------------------ */

/* Not wrong in itself: a notice that was signed twice leaves one of these, and one
 * that is being received is there a moment before its row. */
static int
unknown_name(void *arg, const char *path, const char *name)
{
	struct verification *v = arg;
	char sha256[SHA256_HEX_SIZE];

	if (strncmp(path, "held/", 5) == 0)
		return 0;
	if (depot_parse_name(name, sha256, NULL) && (name_set_has(&v->known, sha256) || archive_is_named(v->c, sha256)))
		return 0;
	v->unknown++;
	if (v->c->json)
		cmd_json(json_pack("{s:s, s:s}", "unknown", path, "text", "nothing names it"));
	else
		printf("unknown: %s: nothing names it\n", path);
	return 0;
}

/* Without a database: the names against the bytes. */
static int
check_name(void *arg, const char *path, const char *name)
{
	struct verification *v = arg;
	char sha256[SHA256_HEX_SIZE];
	int fd;

	if (strncmp(path, "held/", 5) == 0)
		return 0;
	if (!depot_parse_name(name, sha256, NULL)) {
		v->unknown++;
		if (!v->c->json)
			printf("unknown: %s: it is no document\n", path);
		return 0;
	}
	v->checking = "document";
	if ((fd = open_beneath(v->store, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0)) == -1) {
		if (errno != ENOENT)
			tell_state(v, DEPOT_TROUBLE, sha256);
		return 0;
	}
	tell_state(v, read_all(v, depot_of(fd, name[SHA256_HEX_SIZE - 1] == '.' ? DEPOT_ZSTD : DEPOT_PLAIN),
	    sha256), sha256);
	return 0;
}

/* --- the command --------------------------------------------------------------------------- */

static int
with_database(struct verification *v, const char *date)
{
	char from[TIME_SIZE], to[TIME_SIZE], *path;
	int rc = 0;

	if (date != NULL && archive_day(date, from, to) == -1)
		return -1;
	path = xasprintf("%s/boxes", cmd_conf(v->c)->state_dir);
	v->store = cmd_store(v->c);
	if ((v->boxes = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1) {
		log_warn("%s", path);
		exit(EXIT_ENVIRONMENT);
	}
	free(path);
	v->all_known = date == NULL;
	check_documents(v, date != NULL ? from : NULL, date != NULL ? to : NULL, date);
	check_notices(v, date);
	check_materials(v, date != NULL ? from : NULL, date != NULL ? to : NULL);
	if (date != NULL && v->documents == 0 && v->notices == 0 && v->findings == 0)
		archive_nothing_of(date);
	check_rotten(v);
	if (date == NULL)
		rc = archive_each_name(v->store, unknown_name, v);
	return rc;
}

static void
tell_sum(const struct verification *v)
{
	if (v->c->json)
		cmd_json(json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I}", "good", v->findings == 0, "documents",
		    (json_int_t)v->documents, "bytes", (json_int_t)v->bytes, "notices", (json_int_t)v->notices,
		    "materials", (json_int_t)v->materials, "unknown", (json_int_t)v->unknown, "findings",
		    (json_int_t)v->findings));
	else
		printf("%s: %lld documents read, %lld bytes; %lld notices, %lld listings of what judged; "
		    "%lld unknown files, %lld findings\n", v->findings == 0 ? "GOOD" : "NOT GOOD", v->documents,
		    v->bytes, v->notices, v->materials, v->unknown, v->findings);
}

static int
parse_rate(const char *s, long long *rate)
{
	char *end;

	errno = 0;
	*rate = strtoll(s, &end, 10);
	if (errno == 0 && end != s && *end == '\0' && *rate > 0 && *rate < 1LL << 40)
		return 0;
	log_warnx("--rate %s: is no number of bytes a second", s);
	return -1;
}

int
archive_verify(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "date", required_argument, NULL, 'd' },
		{ "rate", required_argument, NULL, 'r' },
		{ "store", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 }
	};
	struct verification v = { .c = c, .store = -1, .boxes = -1, .waits = WAITS };
	const char *date = NULL, *store = NULL;
	int ch, rc;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (ch) {
		case 'd': date = optarg; break;
		case 'r': if (parse_rate(optarg, &v.rate) == -1) return EXIT_USAGE; break;
		case 's': store = optarg; break;
		default: return cmd_usage(c);
		}
	}
	if (optind != argc || (date != NULL && (store != NULL || cmd_date_ok(date) == -1)))
		return cmd_usage(c);
	v.began = clock_monotonic();
	v.chunk = xcalloc(CHUNK, 1);
	if (store == NULL)
		rc = with_database(&v, date);
	else if ((v.store = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1) {
		log_warn("%s", store);
		rc = -1;
	} else
		rc = archive_each_name(v.store, check_name, &v);
	if (rc != -1)
		tell_sum(&v);
	free(v.chunk);
	name_set_free(&v.known);
	name_set_free(&v.told);
	if (v.boxes != -1)
		(void)close(v.boxes);
	if (v.store != -1)
		(void)close(v.store);
	return rc == -1 ? EXIT_ENVIRONMENT : v.findings == 0 ? EXIT_YES : EXIT_NO;
}
