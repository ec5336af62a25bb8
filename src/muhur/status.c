/* SPDX-License-Identifier: ISC */
/*
 * muhur status: what a tired operator needs at night.  What is wrong comes
 * first, each with what to do about it; then the numbers.
 */
#include "config.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "muhur/cmd.h"
#include "muhur/crl.h"
#include "muhur/status.h"
#include "trail/note.h"

/* When waiting becomes trouble. */
#define WAIT_SUBMISSION		(10 * 60)	/* seconds, for a verdict, while there are verdicts */
#define WAIT_NOTICE		(10 * 60)	/* seconds, for its signature */
#define WAIT_JOB		(10 * 60)	/* seconds a due reconciliation waits */
#define WAIT_TRAIL		(2 * 60)	/* seconds an event waits for its number */
#define CRL_SOON		(24 * 3600)	/* seconds before nextUpdate */

struct status {
	struct cmd	*c;
	json_t		*o;		/* the whole, as --json prints it */
	json_t		*attention;	/* strings */
	usec_t		 now;
	char		 now_text[TIME_SIZE];
};

static void attend(struct status *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
attend(struct status *s, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	json_array_append_new(s->attention, json_string(line));
}

/* One row of numbers and texts into o[key]; the object is returned, borrowed. */
static json_t *
add_row(struct status *s, const char *key, const char *sql, int nparams, const char *const *params,
    const char *const *names)
{
	PGresult *res = cmd_query(s->c, sql, nparams, params);
	json_t *row = cmd_row_json(res, 0, names);

	PQclear(res);
	json_object_set_new(s->o, key, row);
	return row;
}

/* {"active": 4, "suspended": 1} from rows (name, number). */
static void
add_counts(struct status *s, const char *key, const char *sql)
{
	PGresult *res = cmd_query(s->c, sql, 0, NULL);
	json_t *o = json_object();
	int i;

	for (i = 0; i < PQntuples(res); i++)
		json_object_set_new(o, PQgetvalue(res, i, 0), json_integer(strtoll(PQgetvalue(res, i, 1), NULL, 10)));
	PQclear(res);
	json_object_set_new(s->o, key, o);
}

long long
status_number(const json_t *o, const char *key)
{
	return (long long)json_integer_value(json_object_get(o, key));
}

/* --- parts ------------------------------------------------------------------ */

static void
add_gateway(struct status *s)
{
	char *path = xasprintf("%s/port", cmd_conf(s->c)->state_dir), *text = NULL;
	json_t *o = json_object();
	size_t len;

	if (file_read_all(path, 64, &text, &len) == 0) {
		json_object_set_new(o, "running", json_true());
		json_object_set_new(o, "port", json_integer(strtol(text, NULL, 10)));
	} else {
		json_object_set_new(o, "running", errno == ENOENT ? json_false() : json_null());
		attend(s, errno == ENOENT ? "the gateway is not running: start muhurd (%s is absent)" :
		    "%s cannot be read: ask as another user", path);
	}
	json_object_set_new(s->o, "gateway", o);
	free(text);
	free(path);
}

/* A process that does not come up shows long before that: no verdict has been given since
 * the oldest came, for longer than any of what lies in the spool may take.  Of those before
 * it only the last few, which others worked at then, are of interest. */
static void
add_standstill(struct status *s, long long oldest)
{
	PGresult *res;

	if (oldest <= cmd_conf(s->c)->document_timeout + (status_number(json_object_get(s->o, "spool"), "bytes") >> 20))
		return;
	res = cmd_query(s->c, "SELECT FROM muhur.submission d, (SELECT no, received_at FROM muhur.submission "
	    "WHERE state = 'received' ORDER BY received_at LIMIT 1) o "
	    "WHERE d.no > o.no - 100 AND d.decided_at >= o.received_at LIMIT 1", 0, NULL);
	if (PQntuples(res) == 0)
		attend(s, "no verdict has been given for %lld s, and submissions wait: look for muhur-verify and muhur-load "
		    "in the gateway's log", oldest);
	PQclear(res);
}

static void
add_submissions(struct status *s)
{
	static const char *const names[] = { "#received", "#oldestSeconds", "#held", "#undecided", "#forApproval" };
	const char *params[] = { s->now_text };
	const json_t *row;

	add_counts(s, "submissions", "SELECT state, count(*) FROM muhur.submission GROUP BY 1 ORDER BY 1");
	row = add_row(s, "waiting", "SELECT count(*) FILTER (WHERE state = 'received'), "
	    "floor(extract(epoch FROM $1::timestamptz - min(received_at) FILTER (WHERE state = 'received')))::bigint, "
	    "count(*) FILTER (WHERE state = 'held'), "
	    "count(*) FILTER (WHERE state = 'held' AND operator_decision IS NULL), "
	    "count(*) FILTER (WHERE state = 'waiting') "
	    "FROM muhur.submission WHERE state IN ('received', 'held', 'waiting')", 1, params, names);
	if (status_number(row, "undecided") > 0)
		attend(s, "%lld submissions are held, their verification died twice: `muhur submission list --state held', "
		    "then `muhur submission retry ID' or `reject ID'", status_number(row, "undecided"));
	if (status_number(row, "oldestSeconds") > WAIT_SUBMISSION)
		attend(s, "a submission waits for its verdict since %lld minutes: look into the gateway's log",
		    status_number(row, "oldestSeconds") / 60);
	else
		add_standstill(s, status_number(row, "oldestSeconds"));
}

static void
add_notices(struct status *s)
{
	static const char *const names[] = { "#toSign", "#toSignOldestSeconds", "#toPublish", "#toPublishOldestSeconds", "#inOutbox" };
	const char *params[] = { s->now_text };
	const json_t *row;

	/* each from the index of what is on its way, and not from all that ever was */
	row = add_row(s, "notices", "SELECT a.n, floor(extract(epoch FROM $1::timestamptz - a.since))::bigint, "
	    "b.n, floor(extract(epoch FROM $1::timestamptz - b.since))::bigint, c.n FROM "
	    "(SELECT count(*) AS n, min(issued_at) AS since FROM muhur.notice WHERE sha256 IS NULL) a, "
	    /* what a rebuild shows again was signed long ago: since when it waits is not known */
	    "(SELECT count(*) AS n, min(signed_at) FILTER (WHERE outbox_until IS NULL) AS since FROM muhur.notice "
	    "  WHERE sha256 IS NOT NULL AND published_at IS NULL AND purged_at IS NULL) b, "
	    "(SELECT count(*) AS n FROM muhur.notice WHERE published_at IS NOT NULL AND archived_at IS NULL) c",
	    1, params, names);
	if (status_number(row, "toSignOldestSeconds") > WAIT_NOTICE)
		attend(s, "%lld notices wait for the signer, the oldest since %lld minutes: look for muhur-signer in the "
		    "gateway's log", status_number(row, "toSign"), status_number(row, "toSignOldestSeconds") / 60);
}

/* Members of whom no user has fetched a notice within fetch_within. */
static void
add_unfetched(struct status *s)
{
	static const char *const names[] = { "member", "state", "#notices", "#oldestSeconds", "oldest", "oldestSignedAt" };
	char within[24];
	const char *params[] = { s->now_text, within };
	json_t *list, *first;

	(void)snprintf(within, sizeof(within), "%d", cmd_conf(s->c)->fetch_within);
	list = cmd_array(cmd_query(s->c, "SELECT n.recipient, m.state, count(*), "
	    "floor(extract(epoch FROM $1::timestamptz - min(n.signed_at)))::bigint, "
	    "(array_agg(n.file_name ORDER BY n.signed_at, n.no))[1], " SQL_TIME("min(n.signed_at)") " "
	    "FROM muhur.notice_unfetched n JOIN muhur.member m ON m.code = n.recipient "
	    "WHERE n.archived_at IS NULL AND n.signed_at < $1::timestamptz - $2::bigint * interval '1 second' "
	    "GROUP BY n.recipient, m.state ORDER BY min(n.signed_at), n.recipient COLLATE \"C\"", 2, params), names);
	json_object_set_new(s->o, "unfetched", list);
	if ((first = json_array_get(list, 0)) != NULL)
		attend(s, "%zu members have not fetched all notices within %d hours, %s since the longest: tell them",
		    json_array_size(list), cmd_conf(s->c)->fetch_within / 3600,
		    json_string_value(json_object_get(first, "member")));
}

/* While a jump is not settled nothing is archived, see load/clockwatch.c. */
static void
add_clock(struct status *s)
{
	PGresult *res = cmd_query(s->c, "SELECT kind, detail ->> 'seconds', " SQL_TIME("at") " FROM muhur.event "
	    "WHERE kind IN ('clock-jumped', 'clock-settled') ORDER BY no DESC LIMIT 1", 0, NULL);
	long long seconds = 0;

	if (PQntuples(res) == 1 && strcmp(PQgetvalue(res, 0, 0), "clock-jumped") == 0) {
		seconds = strtoll(PQgetvalue(res, 0, 1), NULL, 10);
		attend(s, "the clock jumped by %lld s, now %.19sZ: nothing is archived until it is right, "
		    "or has run steadily (clock_settle)", seconds, PQgetvalue(res, 0, 2));
	}
	PQclear(res);
	json_object_set_new(s->o, "clockJump", json_integer(seconds));
}

static void
add_reconciliation(struct status *s)
{
	static const char *const job_names[] = { "#waiting", "#overdueSeconds" };
	static const char *const run_names[] = { "businessDate", "#version", "cause", "startedAt", "#pairs", "#breaks" };
	const char *params[] = { s->now_text };
	const json_t *row;

	row = add_row(s, "reconcileQueue", "SELECT count(*), "
	    "floor(extract(epoch FROM $1::timestamptz - min(not_before)))::bigint FROM muhur.reconcile_job",
	    1, params, job_names);
	if (status_number(row, "overdueSeconds") > WAIT_JOB)
		attend(s, "a reconciliation is due since %lld minutes: look for muhur-reconcile in the gateway's log",
		    status_number(row, "overdueSeconds") / 60);
	json_object_set_new(s->o, "lastRuns", cmd_array(cmd_query(s->c, "SELECT business_date, version, cause, "
	    SQL_TIME("started_at") ", pairs, breaks FROM muhur.reconcile_run ORDER BY no DESC LIMIT 5", 0, NULL), run_names));
}

/* The signed log: what the sequencer wrote of itself stands in trail_state. */
static void
add_trail(struct status *s)
{
	static const char *const names[] = { "#waiting", "#waitingOldestSeconds", "#leaves", "#checkpoint", "checkpointAt",
	    "refusedSince", "why", "#stamped", "stampedAt", "#unstampedSeconds" };
	const char *params[] = { s->now_text }, *since;
	const struct conf *conf = cmd_conf(s->c);
	const json_t *row;

	row = add_row(s, "trail", "SELECT (SELECT count(*) FROM muhur.trail_queue), "
	    "floor(extract(epoch FROM $1::timestamptz - (SELECT e.at FROM muhur.event e "
	    "  WHERE e.no = (SELECT min(event) FROM muhur.trail_queue))))::bigint, "
	    "(SELECT coalesce(max(leaf_index) + 1, 0) FROM muhur.trail_leaf), c.size, " SQL_TIME("c.signed_at") ", "
	    SQL_TIME("t.refused_since") ", t.why, t.stamped_size, " SQL_TIME("t.stamped_at") ", "
	    "floor(extract(epoch FROM $1::timestamptz - t.unstamped_since))::bigint "
	    "FROM muhur.trail_state t LEFT JOIN LATERAL (SELECT size, signed_at FROM muhur.trail_checkpoint "
	    "ORDER BY size DESC LIMIT 1) c ON true", 1, params, names);
	since = json_string_value(json_object_get(row, "refusedSince"));
	if (conf->trail_key == NULL)
		attend(s, "no trail is kept, %lld events wait: set trail_key", status_number(row, "waiting"));
	else if (since != NULL)
		attend(s, "the trail refuses to go on since %.19sZ: %s", since, json_string_value(json_object_get(row, "why")));
	else if (status_number(row, "waitingOldestSeconds") > WAIT_TRAIL)
		attend(s, "%lld events wait for the trail, the oldest since %lld minutes: look for muhur-sequencer in the "
		    "gateway's log", status_number(row, "waiting"), status_number(row, "waitingOldestSeconds") / 60);
	if (conf->tsa_url != NULL && status_number(row, "unstampedSeconds") > conf->trail_stamp_alarm)
		attend(s, "a checkpoint of the trail is without a time-stamp since %lld minutes: `muhur trail stamp'",
		    status_number(row, "unstampedSeconds") / 60);
}

#define DAYS_BACK	"7"	/* for how many closed days missing reports are told */

/* Each report that is owed of the day with its own cut-off, and in "missing" the
 * members of whom one is not in.  When the last one's cut-off is. */
static usec_t
add_reports(struct status *s, json_t *o, const char *day, date_t d)
{
	static const char *const names[] = { "member", "messageType", "?in" };
	const char *params[] = { day }, *last = "";
	json_t *reports, *missing = json_array(), *r;
	usec_t at, latest = conf_cutoff(cmd_conf(s->c), NULL, d);
	char cutoff[TIME_SIZE];
	size_t i, n = 0;

	reports = cmd_array(cmd_query(s->c, "SELECT member_code, message_type, is_in FROM muhur.owed($1) "
	    "ORDER BY member_code COLLATE \"C\", message_type COLLATE \"C\"", 1, params), names);
	json_array_foreach(reports, i, r) {
		at = conf_cutoff(cmd_conf(s->c), json_string_value(json_object_get(r, "messageType")), d);
		latest = i == 0 || at > latest ? at : latest;
		time_format(at, cutoff);
		json_object_set_new(r, "cutOff", json_string(cutoff));
		json_object_set_new(r, "cutOffPassed", json_boolean(s->now >= at));
		if (json_is_true(json_object_get(r, "in")))
			continue;
		n += s->now >= at;
		if (strcmp(last, json_string_value(json_object_get(r, "member"))) != 0)
			json_array_append(missing, json_object_get(r, "member"));
		last = json_string_value(json_object_get(r, "member"));
	}
	if (n > 0)
		attend(s, "%zu reports of %s are missing after their cut-off, of %s%s: they are breaks of R4; call them",
		    n, day, json_string_value(json_array_get(missing, 0)),
		    json_array_size(missing) > 1 ? " and others" : "");
	json_object_set_new(o, "missing", missing);
	json_object_set_new(o, "reports", reports);
	return latest;
}

/* The last closed day: when the last of its reports is due, and which are not in. */
static void
add_day(struct status *s)
{
	date_t d = last_closed_day(s->now);
	char day[DATE_SIZE], cutoff[TIME_SIZE];
	json_t *o = json_object();
	usec_t due;

	date_format(d, day);
	due = add_reports(s, o, day, d);
	time_format(due, cutoff);
	json_object_set_new(o, "businessDate", json_string(day));
	json_object_set_new(o, "cutOff", json_string(cutoff));
	json_object_set_new(o, "cutOffPassed", json_boolean(s->now >= due));
	json_object_set_new(s->o, "day", o);
}

/* Of the days before it what is owed still: a break of R4 stays open until the
 * report of its day has come. */
static void
add_earlier_days(struct status *s)
{
	static const char *const names[] = { "businessDate", "member", "messageType" };
	char day[DATE_SIZE];
	const char *params[] = { day };

	date_format(last_closed_day(s->now), day);
	json_object_set_new(s->o, "missingBefore", cmd_array(cmd_query(s->c, "SELECT d::date, o.member_code, o.message_type "
	    "FROM generate_series($1::date - " DAYS_BACK " + 1, $1::date - 1, interval '1 day') d, muhur.owed(d::date) o "
	    "WHERE NOT o.is_in ORDER BY d, o.member_code COLLATE \"C\", o.message_type COLLATE \"C\"", 1, params), names));
}

static void
add_certificates(struct status *s)
{
	static const char *const names[] = { "#expired", "#expireIn30Days", "first" };
	const char *params[] = { s->now_text };

	(void)add_row(s, "certificates", "SELECT count(*) FILTER (WHERE not_after < $1::timestamptz), "
	    "count(*) FILTER (WHERE not_after BETWEEN $1::timestamptz AND $1::timestamptz + interval '30 days'), "
	    "min(user_code) FILTER (WHERE not_after BETWEEN $1::timestamptz AND $1::timestamptz + interval '30 days') "
	    "FROM muhur.certificate WHERE muhur.certificate_state(state, good_until, $1::timestamptz) = 'good'", 1, params, names);
}

/* The CRL that ends first decides: without a current one nothing is accepted. */
static void
add_crl(struct status *s)
{
	const struct conf *conf = cmd_conf(s->c);
	struct crl_set set = { 0 };
	const struct crl *first = NULL;
	char text[TIME_SIZE];
	size_t i;

	if (!conf->require_crl)
		return;
	if (crl_in_force(conf, &set) == -1) {
		attend(s, "the CRLs cannot be read: every submission is refused without them");
		goto out;
	}
	for (i = 0; i < set.n; i++)
		if (first == NULL || set.v[i].next_update < first->next_update)
			first = &set.v[i];
	if (first == NULL) {
		attend(s, "there is no CRL with a next update: `muhur crl refresh', or put one into crl_file %s", conf->crl_file);
		goto out;
	}
	time_format(first->next_update, text);
	json_object_set_new(s->o, "crlNextUpdate", json_string(text));
	if (first->next_update + conf->crl_grace * USEC_PER_SEC <= s->now)
		attend(s, "the CRL of %s ended at %s: every submission is refused until a new one is there", first->issuer, text);
	else if (first->next_update - s->now < CRL_SOON * USEC_PER_SEC)
		attend(s, "the CRL of %s ends at %s: fetch the new one", first->issuer, text);
out:
	crl_set_free(&set);
}

/* What judged a submission belongs to it.  Of each list one row is looked at, the next in
 * the index: there is one for every submission. */
static void
add_crls_kept(struct status *s)
{
	static const char *const names[] = { "#kept", "#notKept" };
	const json_t *row;

	row = add_row(s, "crls", "WITH RECURSIVE u(sha256) AS (SELECT min(sha256) FROM muhur.submission_crl UNION ALL "
	    "SELECT (SELECT min(c.sha256) FROM muhur.submission_crl c WHERE c.sha256 > u.sha256) FROM u "
	    "WHERE u.sha256 IS NOT NULL) SELECT (SELECT count(*) FROM muhur.crl), (SELECT count(*) FROM u "
	    "WHERE u.sha256 IS NOT NULL AND NOT EXISTS (SELECT FROM muhur.crl k WHERE k.sha256 = u.sha256))",
	    0, NULL, names);
	if (status_number(row, "notKept") > 0)
		attend(s, "%lld CRLs that judged submissions are not kept: `muhur crl refresh' while they are in force",
		    status_number(row, "notKept"));
}

/* What the background pass, or a compression, found, and nobody has put right; and what
 * the last pass could not read. */
static void
add_archive(struct status *s)
{
	static const char *const names[] = { "#rotten", "first", "#unread", "verifiedAt" };
	const json_t *row;

	row = add_row(s, "archive", "SELECT r.n, r.first, (e.detail ->> 'unread')::bigint, " SQL_TIME("e.at") " "
	    "FROM (SELECT count(*) AS n, (array_agg(sha256 ORDER BY found_at, sha256))[1] AS first "
	    "  FROM muhur.rot WHERE healed_at IS NULL) r LEFT JOIN LATERAL (SELECT detail, at FROM muhur.event "
	    "  WHERE kind = 'archive-verified' ORDER BY no DESC LIMIT 1) e ON true", 0, NULL, names);
	if (status_number(row, "rotten") > 0)
		attend(s, "%lld documents in the store have rotted, %s first: restore them from a backup, then "
		    "`muhur archive verify'", status_number(row, "rotten"), json_string_value(json_object_get(row, "first")));
	if (status_number(row, "unread") > 0)
		attend(s, "%lld files or folders of the store could not be read by the pass that ended at %.19sZ: alarms in "
		    "the gateway's log name them; the next pass tells whether that is over", status_number(row, "unread"),
		    json_string_value(json_object_get(row, "verifiedAt")));
}

/* Bytes and files below a directory, one level of directories down. */
static int
measure(int dirfd, const char *name, int depth, long long *files, long long *bytes)
{
	struct dirent *e;
	struct stat st;
	DIR *dir;
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd == -1 || (dir = fdopendir(fd)) == NULL) {
		if (fd != -1)
			close(fd);
		return -1;
	}
	while ((e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.' || fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == -1)
			continue;	/* it has gone meanwhile */
		if (S_ISREG(st.st_mode)) {
			(*files)++;
			*bytes += (long long)st.st_size;
		} else if (S_ISDIR(st.st_mode) && depth > 0) {
			(void)measure(fd, e->d_name, depth - 1, files, bytes);
		}
	}
	closedir(dir);
	return 0;
}

static void
add_spool(struct status *s)
{
	char *path = xasprintf("%s/spool/received", cmd_conf(s->c)->state_dir);
	long long files = 0, bytes = 0;

	if (measure(AT_FDCWD, path, 1, &files, &bytes) == 0)
		json_object_set_new(s->o, "spool", json_pack("{s:I, s:I}", "files", (json_int_t)files,
		    "bytes", (json_int_t)bytes));
	else
		json_object_set_new(s->o, "spool", json_null());
	free(path);
}

static void
add_disk(struct status *s)
{
	const char *path = cmd_conf(s->c)->state_dir;
	struct statvfs f;

	if (statvfs(path, &f) == 0)
		json_object_set_new(s->o, "disk", json_pack("{s:I, s:I}",
		    "freeBytes", (json_int_t)(f.f_bavail * f.f_frsize),
		    "bytes", (json_int_t)(f.f_blocks * f.f_frsize)));
	else
		json_object_set_new(s->o, "disk", json_null());
}

/* What the published checkpoint says; nobody has verified it here. */
static void
add_published(struct status *s)
{
	char *path = xasprintf("%s/trail/checkpoint", cmd_conf(s->c)->state_dir), *text = NULL, *size;
	uint64_t n;
	size_t len;

	if (file_read_all(path, CHECKPOINT_MAX, &text, &len) == 0 && (size = strchr(text, '\n')) != NULL &&
	    size_parse(size + 1, strcspn(size + 1, "\n"), &n) == 0)
		json_object_set_new(s->o, "trail", json_pack("{s:I}", "checkpoint", (json_int_t)n));
	free(text);
	free(path);
}

static void
add_database_away(struct status *s)
{
	if (s->c->db.sqlstate[0] != '\0')
		attend(s, "the database of %s does not answer: nothing is lost, logins and notices wait; bring it back, "
		    "see \"The database is away\" in operations.md", s->c->conf_path);
	else
		attend(s, "the database was not asked, the password for it in %s cannot be read: ask as another user, or "
		    "name another configuration than %s with -c or MUHUR_CONF", cmd_conf(s->c)->secrets_dir,
		    s->c->conf_path);
	add_published(s);
}

static void
add_database(struct status *s)
{
	add_clock(s);
	add_counts(s, "members", "SELECT state, count(*) FROM muhur.member GROUP BY 1 ORDER BY 1");
	add_counts(s, "users", "SELECT state, count(*) FROM muhur.member_user GROUP BY 1 ORDER BY 1");
	add_submissions(s);
	add_notices(s);
	add_unfetched(s);
	add_reconciliation(s);
	add_day(s);
	add_earlier_days(s);
	add_certificates(s);
	add_crls_kept(s);
	add_trail(s);
	add_archive(s);
}

/* Whether the database is there: what needs none is told without it as well. */
static int
gather(struct status *s)
{
	int up = cmd_db_up(s->c);

	s->now = clock_now();
	time_format(s->now, s->now_text);
	json_object_set_new(s->o, "at", json_string(s->now_text));
	json_object_set(s->o, "attention", s->attention);
	add_gateway(s);
	add_spool(s);
	add_disk(s);
	json_object_set_new(s->o, "database", json_boolean(up));
	if (up)
		add_database(s);
	else
		add_database_away(s);
	add_crl(s);
	return up;
}

int
cmd_status(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "metrics", no_argument, NULL, 'm' },
		{ "day", required_argument, NULL, 'd' },
		{ NULL, 0, NULL, 0 }
	};
	struct status s = { .c = c };
	const char *day = NULL;
	int rc, ch, metrics = 0;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (ch == 'm')
			metrics = 1;
		else if (ch == 'd')
			day = optarg;
		else
			return cmd_usage(c);
	}
	if (optind != argc || (metrics && (day != NULL || c->json)))
		return cmd_usage(c);
	if (day != NULL)
		return summary_print(c, day);
	s.o = json_object();
	s.attention = json_array();
	rc = !gather(&s) ? EXIT_ENVIRONMENT : json_array_size(s.attention) > 0 ? EXIT_NO : EXIT_YES;
	if (metrics)
		metrics_print(c, s.o);
	else if (!c->json)
		status_print(s.o);
	if (c->json)
		cmd_json(s.o);
	else
		json_decref(s.o);
	json_decref(s.attention);
	return metrics ? EXIT_YES : rc;
}
