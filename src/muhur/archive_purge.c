/* SPDX-License-Identifier: ISC */
/*
 * muhur archive purge: what a legal retention period ends.  The only command
 * that removes a document, and it says first what it would remove.  The rows
 * stay; the document's SHA-256 stands in an event, written before the file goes.
 *
 * A member may send the same bytes again at that moment: they get their row first,
 * then their place in the store, or none where they are there already.  So a file is
 * put aside, the database is asked once more, and only what nothing names then goes.
 */
#include "config.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "depot/depot.h"
#include "muhur/archive.h"

#define PAGE	"1000"		/* rows a transaction, or a query */
#define ASIDE	".purged"	/* in the store: what is between its place and its end */

/*
 * $1 the day's first moment, $2 the day.  A document goes when nothing younger has
 * the same bytes: neither a submission that came later or is not decided, nor a
 * notice that is to stay.
 */
#define STAYS(alias) "(EXISTS (SELECT FROM muhur.submission o WHERE o.sha256 = " alias ".sha256 AND o.purged_at IS NULL " \
	"AND (o.received_at >= $1::timestamptz OR NOT o." SQL_DECIDED ")) " \
	"OR EXISTS (SELECT FROM muhur.notice o WHERE o.sha256 = " alias ".sha256 AND o.purged_at IS NULL " \
	"AND (o.day >= $2::date OR o.archived_at IS NULL)))"
#define OLD_SUBMISSION "s.received_at < $1::timestamptz AND s.sha256 IS NOT NULL AND s." SQL_DECIDED " "
#define OLD_NOTICE "n.day < $2::date AND n.sha256 IS NOT NULL AND n.archived_at IS NOT NULL "

struct purge {
	struct cmd	*c;
	char		 before[TIME_SIZE];
	const char	*params[3];
	int		 store, boxes, aside;
	struct name_set	 material;	/* what judged, which stays whoever sent the same bytes */
	long		 documents;
	long long	 removed, bytes;
};

/* --- what it would be ------------------------------------------------------------- */

static long
show(struct purge *p)
{
	static const char *const names[] = { "kind", "day", "member", "id", "fileName", "#size", "-sha256" };
	PGresult *res;
	long n;
	int i;

	res = cmd_query(p->c, "SELECT 'submission', (s.received_at AT TIME ZONE 'Europe/Istanbul')::date, s.member_code,"
	    " s.id, s.file_name, s.size, s.sha256 FROM muhur.submission s WHERE " OLD_SUBMISSION
	    "AND s.purged_at IS NULL AND NOT " STAYS("s") " UNION ALL "
	    "SELECT 'notice', n.day, n.recipient, n.id, n.file_name, n.size, n.sha256 FROM muhur.notice n WHERE "
	    OLD_NOTICE "AND n.purged_at IS NULL AND NOT " STAYS("n") " ORDER BY 2, 1, 4", 2, p->params);
	n = PQntuples(res);
	for (i = 0; i < n; i++)
		p->bytes += strtoll(PQgetvalue(res, i, 5), NULL, 10);
	if (n > 0 || p->c->json)
		cmd_rows(p->c, res, names);
	PQclear(res);
	return n;
}

/* Old enough, and not to go: named, so that nobody believes it gone. */
static long
show_refused(struct purge *p)
{
	PGresult *res;
	long n;
	int i;

	res = cmd_query(p->c, "SELECT 'notice ' || n.id, CASE WHEN n.sha256 IS NULL THEN 'is not signed yet' "
	    "WHEN n.archived_at IS NULL THEN 'is still in the outbox of ' || n.recipient "
	    "ELSE 'its bytes are those of a younger document' END FROM muhur.notice n WHERE n.day < $2::date "
	    "AND n.purged_at IS NULL AND (n.sha256 IS NULL OR n.archived_at IS NULL OR " STAYS("n") ") UNION ALL "
	    "SELECT 'submission ' || s.id, CASE WHEN NOT s." SQL_DECIDED " THEN 'is ' || s.state "
	    "ELSE 'its bytes are those of a younger document' END FROM muhur.submission s "
	    "WHERE s.received_at < $1::timestamptz AND s.purged_at IS NULL AND (NOT s." SQL_DECIDED
	    " OR s.sha256 IS NOT NULL AND " STAYS("s") ") ORDER BY 1", 2, p->params);
	n = PQntuples(res);
	for (i = 0; i < n; i++)
		log_warnx("%s: stays: it %s", PQgetvalue(res, i, 0), PQgetvalue(res, i, 1));
	PQclear(res);
	return n;
}

/* --- rows, then files ---------------------------------------------------------------- */

/* A page of rows behind no, and their events; how many. */
static long
mark_page(struct purge *p, const char *sql, char no[24])
{
	const char *params[] = { p->params[0], p->params[1], p->params[2], no };
	PGresult *res;
	long n;

	cmd_begin(p->c);
	res = cmd_query(p->c, sql, 4, params);
	n = strtol(PQgetvalue(res, 0, 0), NULL, 10);
	if (n > 0)
		(void)str_copy(no, 24, PQgetvalue(res, 0, 1));
	PQclear(res);
	cmd_commit(p->c);
	return n;
}

static void
mark(struct purge *p)
{
	static const char *const sql[] = {
	    "WITH l AS MATERIALIZED (SELECT s.no FROM muhur.submission s WHERE s.no > $4::bigint AND " OLD_SUBMISSION
	    "AND s.purged_at IS NULL AND NOT " STAYS("s") " ORDER BY s.no LIMIT " PAGE " FOR UPDATE), "
	    "u AS (UPDATE muhur.submission SET purged_at = $3 WHERE no IN (SELECT no FROM l)"
	    " RETURNING no, sha256, file_name), "
	    "e AS (INSERT INTO muhur.event (at, kind, actor, submission, detail) SELECT $3::timestamptz, 'purged', "
	    "'operator', no, jsonb_build_object('sha256', sha256, 'file', file_name) FROM u ORDER BY no) "
	    "SELECT count(*), max(no) FROM u",
	    "WITH l AS MATERIALIZED (SELECT n.no FROM muhur.notice n WHERE n.no > $4::bigint AND " OLD_NOTICE
	    "AND n.purged_at IS NULL AND NOT " STAYS("n") " ORDER BY n.no LIMIT " PAGE " FOR UPDATE), "
	    "u AS (UPDATE muhur.notice SET purged_at = $3 WHERE no IN (SELECT no FROM l)"
	    " RETURNING no, submission, sha256, file_name), "
	    "e AS (INSERT INTO muhur.event (at, kind, actor, submission, notice, detail) SELECT $3::timestamptz, "
	    "'purged', 'operator', submission, no, jsonb_build_object('sha256', sha256, 'file', file_name) "
	    "FROM u ORDER BY no) "
	    "SELECT count(*), max(no) FROM u"
	};
	char no[24];
	size_t i;
	long n;

	for (i = 0; i < sizeof(sql) / sizeof(sql[0]); i++) {
		(void)str_copy(no, sizeof(no), "0");
		while ((n = mark_page(p, sql[i], no)) > 0)
			p->documents += n;
	}
}

/* Gone, durably; 0 also where it was gone before. */
static int
remove_file(struct purge *p, int dir, const char *path)
{
	char *parent = xstrdup(path), *slash = strrchr(parent, '/');
	struct stat st;
	int fd = -1, rc = -1;

	*slash = '\0';
	if ((fd = open_beneath(dir, parent, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0)) == -1 ||
	    fstatat(fd, slash + 1, &st, AT_SYMLINK_NOFOLLOW) == -1) {
		rc = errno == ENOENT ? 0 : -1;
		goto out;
	}
	if (unlinkat(fd, slash + 1, 0) == 0 && fsync(fd) == 0) {
		p->removed++;
		rc = 0;
	}
out:
	if (rc == -1)
		log_warn("%s", path);
	if (fd != -1)
		(void)close(fd);
	free(parent);
	return rc;
}

/* A file aside comes to its end, or back; 0 also where there is none.  Whoever found it
 * at its place before it was aside has its row by now. */
static int
settle(struct purge *p, const char *name)
{
	char head[3] = { name[0], name[1], '\0' }, sha256[SHA256_HEX_SIZE];
	struct stat st;
	int shelf, rc;

	if (!depot_parse_name(name, sha256, NULL) || fstatat(p->aside, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return 0;
	if (archive_is_named(p->c, sha256)) {
		if ((shelf = open_beneath(p->store, head, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0)) == -1)
			return -1;
		/* EEXIST: they have come anew; the same bytes */
		rc = linkat(p->aside, name, shelf, name, 0) == -1 && errno != EEXIST ? -1 : fsync(shelf);
		(void)close(shelf);
		log_warnx("%s: stays: it was received again meanwhile", name);
		if (rc == -1)
			return -1;
	} else
		p->removed++;
	return unlinkat(p->aside, name, 0) == -1 && errno != ENOENT ? -1 : fsync(p->aside);
}

static int
put_aside(struct purge *p, const char *path)
{
	return renameat(p->store, path, p->aside, path + 3) == -1 && errno != ENOENT ? -1 : 0;
}

/* In the order in which compressing it, which may be at work, cannot make it again:
 * without the plain form it does not begin, without its file it has nothing to rename. */
static int
remove_document(struct purge *p, const char *sha256)
{
	char plain[DEPOT_PATH_SIZE], zst[DEPOT_PATH_SIZE], tmp[DEPOT_TMP_PATH_SIZE];
	int rc;

	if (name_set_has(&p->material, sha256)) {
		log_warnx("%s: stays: documents were judged by it", sha256);
		return 0;
	}
	depot_path(sha256, DEPOT_PLAIN, plain);
	depot_path(sha256, DEPOT_ZSTD, zst);
	depot_tmp_path(sha256, tmp);
	rc = put_aside(p, plain);
	rc |= remove_file(p, p->store, tmp);
	rc |= put_aside(p, zst);
	rc |= settle(p, plain + 3);
	rc |= settle(p, zst + 3);
	if (rc != 0)
		log_warn("%s", sha256);
	return rc;
}

/* What a run before this one left aside. */
static int
settle_all(struct purge *p)
{
	struct dirent *e;
	DIR *dir;
	int rc = 0;

	if ((dir = open_list(p->aside, ".")) == NULL) {
		log_warn("store/" ASIDE);
		return -1;
	}
	while ((e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.' && settle(p, e->d_name) == -1) {
			log_warn("store/" ASIDE "/%s", e->d_name);
			rc = -1;
		}
	(void)closedir(dir);
	return rc;
}

/* A page of rows (no, SHA-256, path of a link in the boxes or NULL) behind no. */
static int
remove_page(struct purge *p, const char *sql, char no[24], int *rows)
{
	const char *params[] = { p->params[0], p->params[1], no };
	PGresult *res = cmd_query(p->c, sql, 3, params);
	int i, rc = 0;

	*rows = PQntuples(res);
	for (i = 0; i < *rows; i++) {
		if (!PQgetisnull(res, i, 2))
			rc |= remove_file(p, p->boxes, PQgetvalue(res, i, 2));
		rc |= remove_document(p, PQgetvalue(res, i, 1));
	}
	if (*rows > 0)
		(void)str_copy(no, 24, PQgetvalue(res, *rows - 1, 0));
	PQclear(res);
	return rc;
}

/* Of all that was ever purged: a run that was interrupted is ended by the next. */
static int
remove_marked(struct purge *p)
{
	static const char *const sql[] = {
	    "SELECT n.no, n.sha256, n.recipient || '/archive/' || n.day || '/' || n.file_name FROM muhur.notice n "
	    "WHERE n.no > $3::bigint AND n.purged_at IS NOT NULL AND n.day < $2::date AND NOT " STAYS("n")
	    " ORDER BY n.no LIMIT " PAGE,
	    "SELECT s.no, s.sha256, NULL FROM muhur.submission s WHERE s.no > $3::bigint AND s.purged_at IS NOT NULL AND "
	    OLD_SUBMISSION "AND NOT " STAYS("s") " ORDER BY s.no LIMIT " PAGE
	};
	char no[24];
	size_t i;
	int rows, rc = 0;

	for (i = 0; i < sizeof(sql) / sizeof(sql[0]); i++) {
		(void)str_copy(no, sizeof(no), "0");
		do
			rc |= remove_page(p, sql[i], no, &rows);
		while (rows > 0);
	}
	return rc;
}

/* --- what it works with ------------------------------------------------------------- */

static int
add_material(void *arg, const char *sha256, const char *name)
{
	(void)name;
	(void)name_set_add(arg, sha256);
	return 0;
}

/* Anybody can send an anchor or a schema as a document: it is rejected, and has a row.
 * 0, or -1: what a listing names is not known, and might go. */
static int
know_material(struct purge *p)
{
	PGresult *res = cmd_query(p->c, "SELECT DISTINCT material FROM muhur.submission WHERE material IS NOT NULL", 0, NULL);
	const char *id;
	int i, rc = 0;

	for (i = 0; i < PQntuples(res); i++) {
		id = PQgetvalue(res, i, 0);
		(void)name_set_add(&p->material, id);
		if (archive_listing(p->store, id, add_material, &p->material) != 0) {
			log_warnx("material %s: its listing cannot be read, so nothing is purged: restore it from a backup, "
			    "see `muhur archive verify'", id);
			rc = -1;
		}
	}
	PQclear(res);
	return rc;
}

/* Whoever runs this next is to be able to go on: it belongs to the store's owner. */
static int
open_aside(struct purge *p)
{
	struct stat st;
	int made = 0;

	if (fstat(p->store, &st) == -1 || make_dir(p->store, ASIDE, 0770, &made) == -1 ||
	    (p->aside = open_beneath(p->store, ASIDE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0)) == -1 ||
	    (made && ((geteuid() == 0 && fchown(p->aside, st.st_uid, st.st_gid) == -1) || fsync_dir(p->store) == -1))) {
		log_warn("store/" ASIDE);
		return -1;
	}
	return 0;
}

static int
open_folders(struct purge *p)
{
	char *path = xasprintf("%s/boxes", cmd_conf(p->c)->state_dir);

	p->store = cmd_store(p->c);
	p->boxes = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->boxes == -1)
		log_warn("%s", path);
	free(path);
	return p->boxes == -1 ? -1 : open_aside(p);
}

static int
carry_out(struct purge *p)
{
	int rc = -1;

	p->boxes = p->aside = -1;
	if (open_folders(p) == 0 && know_material(p) == 0) {
		rc = settle_all(p);
		mark(p);
		rc |= remove_marked(p);
	}
	name_set_free(&p->material);
	if (p->aside != -1)
		(void)close(p->aside);
	if (p->boxes != -1)
		(void)close(p->boxes);
	(void)close(p->store);
	return rc;
}

int
archive_purge(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "before", required_argument, NULL, 'b' },
		{ "yes", no_argument, NULL, 'y' },
		{ NULL, 0, NULL, 0 }
	};
	struct purge p = { .c = c };
	char now[TIME_SIZE];
	const char *day = NULL;
	long n, refused;
	int ch, yes = 0;
	date_t d;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (ch) {
		case 'b': day = optarg; break;
		case 'y': yes = 1; break;
		default: return cmd_usage(c);
		}
	}
	if (optind != argc || day == NULL || cmd_date_ok(day) == -1)
		return cmd_usage(c);
	p.params[2] = cmd_now(c, now);
	(void)date_parse(day, &d);
	if (d > istanbul_date(clock_now())) {
		log_warnx("--before %s: is not yet", day);
		return EXIT_USAGE;
	}
	time_format(istanbul_time(d, 0, 0), p.before);
	p.params[0] = p.before;
	p.params[1] = day;
	n = show(&p);
	refused = show_refused(&p);
	if (yes && carry_out(&p) != 0)
		return EXIT_ENVIRONMENT;
	if (c->json)
		cmd_json(json_pack("{s:b, s:I, s:I, s:I, s:I}", "purged", yes, "documents", (json_int_t)(yes ? p.documents : n),
		    "bytes", (json_int_t)p.bytes, "stay", (json_int_t)refused, "filesRemoved", (json_int_t)p.removed));
	else if (yes)
		printf("%ld documents from before %s were purged: %lld files are gone\n", p.documents, day, p.removed);
	else
		printf("%ld documents from before %s, %lld bytes, would be purged; nothing was removed: add --yes\n",
		    n, day, p.bytes);
	return refused == 0 ? EXIT_YES : EXIT_NO;
}
