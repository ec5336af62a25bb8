/* SPDX-License-Identifier: ISC */
/*
 * muhur archive purge: what a legal retention period ends.  The only command
 * that removes a document, and it says first what it would remove.  The rows
 * stay; the document's SHA-256 stands in an event, written before the file goes.
 */
#include "config.h"

#include <sys/stat.h>

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

#define PAGE	"1000"		/* rows a transaction */

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
	int		 store, boxes;
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

static void
mark(struct purge *p)
{
	long n;

	do {
		cmd_begin(p->c);
		n = cmd_exec(p->c, "WITH l AS MATERIALIZED (SELECT s.no FROM muhur.submission s WHERE " OLD_SUBMISSION
		    "AND s.purged_at IS NULL AND NOT " STAYS("s") " ORDER BY s.no LIMIT " PAGE " FOR UPDATE), "
		    "u AS (UPDATE muhur.submission SET purged_at = $3 WHERE no IN (SELECT no FROM l)"
		    " RETURNING no, sha256, file_name) "
		    "INSERT INTO muhur.event (at, kind, actor, submission, detail) SELECT $3::timestamptz, 'purged', "
		    "'operator', no, jsonb_build_object('sha256', sha256, 'file', file_name) FROM u ORDER BY no", 3, p->params);
		n += cmd_exec(p->c, "WITH l AS MATERIALIZED (SELECT n.no FROM muhur.notice n WHERE " OLD_NOTICE
		    "AND n.purged_at IS NULL AND NOT " STAYS("n") " ORDER BY n.no LIMIT " PAGE " FOR UPDATE), "
		    "u AS (UPDATE muhur.notice SET purged_at = $3 WHERE no IN (SELECT no FROM l)"
		    " RETURNING no, submission, sha256, file_name) "
		    "INSERT INTO muhur.event (at, kind, actor, submission, notice, detail) SELECT $3::timestamptz, "
		    "'purged', 'operator', submission, no, jsonb_build_object('sha256', sha256, 'file', file_name) "
		    "FROM u ORDER BY no", 3, p->params);
		cmd_commit(p->c);
		p->documents += n;
	} while (n > 0);
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

static int
remove_document(struct purge *p, const char *sha256)
{
	char path[DEPOT_PATH_SIZE], tmp[DEPOT_PATH_SIZE + 8];
	int rc;

	depot_path(sha256, DEPOT_ZSTD, path);
	/* what compressing it may have left after a crash (archive/compress.h) */
	(void)snprintf(tmp, sizeof(tmp), "%.2s/.%s.tmp", sha256, path + 3);
	rc = remove_file(p, p->store, tmp) | remove_file(p, p->store, path);
	depot_path(sha256, DEPOT_PLAIN, path);
	return rc | remove_file(p, p->store, path);
}

/* Of all that was ever purged: a run that was interrupted is ended by the next. */
static int
remove_marked(struct purge *p)
{
	PGresult *res;
	char *path;
	int i, rc = 0;

	res = cmd_query(p->c, "SELECT n.sha256, n.recipient || '/archive/' || n.day || '/' || n.file_name "
	    "FROM muhur.notice n WHERE n.purged_at IS NOT NULL AND n.day < $2::date AND NOT " STAYS("n")
	    " UNION ALL SELECT s.sha256, NULL FROM muhur.submission s WHERE s.purged_at IS NOT NULL AND " OLD_SUBMISSION
	    "AND NOT " STAYS("s"), 2, p->params);
	for (i = 0; i < PQntuples(res); i++) {
		path = PQgetvalue(res, i, 1);
		if (!PQgetisnull(res, i, 1))
			rc |= remove_file(p, p->boxes, path);
		rc |= remove_document(p, PQgetvalue(res, i, 0));
	}
	PQclear(res);
	return rc;
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
	return p->boxes == -1 ? -1 : 0;
}

static int
carry_out(struct purge *p)
{
	int rc;

	if (open_folders(p) == -1)
		return -1;
	mark(p);
	rc = remove_marked(p);
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
