/* SPDX-License-Identifier: ISC */
/*
 * muhur status --metrics: for a collector of text files (node_exporter's), so
 * that no process here listens to one more port.  A value that is not known is
 * left out: it is not zero.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "muhur/status.h"

/* "# HELP" and "# TYPE" of a metric; all are gauges: what they count can go. */
static void
head(const char *name, const char *help)
{
	printf("# HELP muhur_%s %s\n# TYPE muhur_%s gauge\n", name, help, name);
}

static void
one(const char *name, const char *help, const json_t *value)
{
	if (value == NULL || json_is_null(value))
		return;
	head(name, help);
	printf("muhur_%s %lld\n", name, (long long)(json_is_boolean(value) ? json_is_true(value) :
	    json_integer_value(value)));
}

/* Values of labels are codes and words of ours: nothing to escape. */
static void
labelled(const char *name, const char *label, const char *value, long long n)
{
	printf("muhur_%s{%s=\"%s\"} %lld\n", name, label, value, n);
}

static void
counts(const char *name, const char *help, const char *label, json_t *o)
{
	const char *key;
	json_t *value;

	head(name, help);
	json_object_foreach(o, key, value)
		labelled(name, label, key, (long long)json_integer_value(value));
}

static void
unfetched(const json_t *list)
{
	const json_t *m;
	size_t i;

	head("outbox_unfetched", "Notices in the outbox that its member has not fetched in time (fetch_within).");
	json_array_foreach(list, i, m)
		labelled("outbox_unfetched", "member", json_string_value(json_object_get(m, "member")),
		    status_number(m, "notices"));
	head("outbox_unfetched_oldest_seconds", "Age of the oldest of them.");
	json_array_foreach(list, i, m)
		labelled("outbox_unfetched_oldest_seconds", "member",
		    json_string_value(json_object_get(m, "member")), status_number(m, "oldestSeconds"));
}

static void
notices(const json_t *o)
{
	head("notices", "Notices on their way and in outboxes.");
	labelled("notices", "stage", "to_sign", status_number(o, "toSign"));
	labelled("notices", "stage", "to_publish", status_number(o, "toPublish"));
	labelled("notices", "stage", "in_outbox", status_number(o, "inOutbox"));
	one("notices_to_sign_oldest_seconds", "Since when the oldest waits for its signature.",
	    json_object_get(o, "toSignOldestSeconds"));
	one("notices_to_publish_oldest_seconds", "Since when the oldest waits for its outbox.",
	    json_object_get(o, "toPublishOldestSeconds"));
}

static void
missing(const json_t *day)
{
	const json_t *reports = json_object_get(day, "reports"), *r;
	long long n[2] = { 0, 0 };
	size_t i;

	json_array_foreach(reports, i, r)
		if (!json_is_true(json_object_get(r, "in")))
			n[json_is_true(json_object_get(r, "cutOffPassed"))]++;
	head("reports_missing", "Reports of the last closed day that are not in.");
	labelled("reports_missing", "cutoff", "to_come", n[0]);
	labelled("reports_missing", "cutoff", "passed", n[1]);
}

/* A moment, in seconds since 1970. */
static void
moment(const char *name, const char *help, const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));
	usec_t t;
	int zoned;

	if (text == NULL || time_parse(text, &t, &zoned) == -1)
		return;
	head(name, help);
	printf("muhur_%s %lld\n", name, (long long)(t / USEC_PER_SEC));
}

/* NULL where the status has none. */
static void
trail(const json_t *o)
{
	if (o == NULL)
		return;
	one("trail_leaves", "Leaves of the signature trail.", json_object_get(o, "leaves"));
	one("trail_waiting", "Events that are no leaves yet.", json_object_get(o, "waiting"));
	one("trail_waiting_oldest_seconds", "Since when the oldest of them waits.",
	    json_object_get(o, "waitingOldestSeconds"));
	if (json_object_get(o, "refusedSince") != NULL) {
		head("trail_refused", "Whether the trail refuses to go on.");
		printf("muhur_trail_refused %d\n", json_is_string(json_object_get(o, "refusedSince")));
	}
	one("trail_checkpoint_leaves", "Leaves that the newest checkpoint covers.", json_object_get(o, "checkpoint"));
	moment("trail_checkpoint_timestamp_seconds", "When it was signed.", o, "checkpointAt");
	one("trail_unstamped_seconds", "Since when the oldest checkpoint without a time-stamp has none.",
	    json_object_get(o, "unstampedSeconds"));
}

/* {"open": 4} of all breaks. */
static void
breaks(struct cmd *c)
{
	PGresult *res = cmd_query(c, "SELECT s.state, count(b.id) FROM unnest(ARRAY['open', 'explained', 'cured']) s (state) "
	    "LEFT JOIN muhur.break b ON b.state = s.state GROUP BY s.state ORDER BY s.state", 0, NULL);
	int i;

	head("breaks", "Breaks that are not closed.");
	for (i = 0; i < PQntuples(res); i++)
		labelled("breaks", "state", PQgetvalue(res, i, 0), strtoll(PQgetvalue(res, i, 1), NULL, 10));
	PQclear(res);
}

/* What the database knows; breaks only here, since status does not count them. */
static void
database(struct cmd *c, const json_t *s)
{
	const json_t *waiting = json_object_get(s, "waiting"), *queue = json_object_get(s, "reconcileQueue");
	const json_t *o = json_object_get(s, "certificates"), *archive = json_object_get(s, "archive");

	counts("members", "Members.", "state", json_object_get(s, "members"));
	counts("users", "Users.", "state", json_object_get(s, "users"));
	counts("submissions", "Submissions.", "state", json_object_get(s, "submissions"));
	one("submissions_undecided", "Held submissions that no operator has decided about.",
	    json_object_get(waiting, "undecided"));
	one("submissions_oldest_seconds", "Since when the oldest waits for its verdict.",
	    json_object_get(waiting, "oldestSeconds"));
	notices(json_object_get(s, "notices"));
	unfetched(json_object_get(s, "unfetched"));
	one("reconcile_queue", "Reconciliations that wait.", json_object_get(queue, "waiting"));
	one("reconcile_overdue_seconds", "Since when the first of them is due.", json_object_get(queue, "overdueSeconds"));
	breaks(c);
	missing(json_object_get(s, "day"));
	one("certificates_expired", "Certificates in use that have expired.", json_object_get(o, "expired"));
	one("certificates_expiring", "Certificates that expire within 30 days.", json_object_get(o, "expireIn30Days"));
	one("clock_jump_seconds", "By how much the clock jumped, while nothing is archived for it; else 0.",
	    json_object_get(s, "clockJump"));
	one("archive_rotten", "Documents that have rotted in the store.", json_object_get(archive, "rotten"));
	one("archive_unread", "Files and folders of the store that the last pass could not read.",
	    json_object_get(archive, "unread"));
}

void
metrics_print(struct cmd *c, const json_t *s)
{
	const json_t *spool = json_object_get(s, "spool");

	one("up", "Whether the gateway runs.", json_object_get(json_object_get(s, "gateway"), "running"));
	one("database_up", "Whether the database answers.", json_object_get(s, "database"));
	head("attention", "Things that need an operator: muhur status says which.");
	printf("muhur_attention %zu\n", json_array_size(json_object_get(s, "attention")));
	if (json_is_true(json_object_get(s, "database")))
		database(c, s);
	moment("crl_next_update_timestamp_seconds", "When the CRL that ends first ends.", s, "crlNextUpdate");
	one("spool_files", "Documents that are not concluded.", json_object_get(spool, "files"));
	one("spool_bytes", "Their size.", json_object_get(spool, "bytes"));
	trail(json_object_get(s, "trail"));
}
