/* SPDX-License-Identifier: ISC */
/* muhur status, for people. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "muhur/status.h"

/* "accepted 12, rejected 1"; "none" for an empty object. */
static void
print_counts(const char *title, json_t *o)
{
	const char *key, *sep = "";
	json_t *value;

	printf("%-16s ", title);
	json_object_foreach(o, key, value) {
		printf("%s%s %lld", sep, key, (long long)json_integer_value(value));
		sep = ", ";
	}
	puts(*sep == '\0' ? "none" : "");
}

static void
print_unfetched(const json_t *list)
{
	const json_t *m;
	const char *state;
	size_t i;

	json_array_foreach(list, i, m) {
		state = json_string_value(json_object_get(m, "state"));
		printf("%-16s %s%s%s: %lld notices, the oldest %s of %.19sZ\n", i == 0 ? "not fetched" : "",
		    json_string_value(json_object_get(m, "member")), strcmp(state, "active") == 0 ? "" : ", ",
		    strcmp(state, "active") == 0 ? "" : state, status_number(m, "notices"),
		    json_string_value(json_object_get(m, "oldest")),
		    json_string_value(json_object_get(m, "oldestSignedAt")));
	}
}

static void
print_missing(const json_t *r, const char *when)
{
	printf("%-16s   %s %s, %s\n", "", json_string_value(json_object_get(r, "member")),
	    json_string_value(json_object_get(r, "messageType")), when);
}

static void
print_day(const json_t *o, const json_t *before)
{
	const json_t *reports = json_object_get(o, "reports"), *r;
	size_t i, in = 0;
	char when[64];

	json_array_foreach(reports, i, r)
		in += json_is_true(json_object_get(r, "in"));
	printf("%-16s %s, %zu of %zu reports are in%s\n", "business day",
	    json_string_value(json_object_get(o, "businessDate")), in, json_array_size(reports),
	    in < json_array_size(reports) ? "; not in yet:" : "");
	json_array_foreach(reports, i, r) {
		if (json_is_true(json_object_get(r, "in")))
			continue;
		(void)snprintf(when, sizeof(when), "cut-off %.19sZ%s", json_string_value(json_object_get(r, "cutOff")),
		    json_is_true(json_object_get(r, "cutOffPassed")) ? " (passed)" : "");
		print_missing(r, when);
	}
	if (json_array_size(before) > 0)
		printf("%-16s of earlier days, and missing still:\n", "");
	json_array_foreach(before, i, r)
		print_missing(r, json_string_value(json_object_get(r, "businessDate")));
}

static void
print_runs(const json_t *runs)
{
	const json_t *r;
	size_t i;

	if (json_array_size(runs) == 0)
		printf("%-16s none yet\n", "reconciliation");
	for (i = 0; i < json_array_size(runs); i++) {
		r = json_array_get(runs, i);
		printf("%-16s %s version %lld (%s): %lld pairs, %lld breaks\n", i == 0 ? "reconciliation" : "",
		    json_string_value(json_object_get(r, "businessDate")), status_number(r, "version"),
		    json_string_value(json_object_get(r, "cause")), status_number(r, "pairs"), status_number(r, "breaks"));
	}
}

static void
print_trail(const json_t *o)
{
	const char *at = json_string_value(json_object_get(o, "checkpointAt"));

	if (json_object_get(o, "leaves") == NULL) {	/* without the database */
		printf("%-16s published checkpoint of %lld\n", "trail", status_number(o, "checkpoint"));
		return;
	}
	printf("%-16s %lld leaves, ", "trail", status_number(o, "leaves"));
	if (at == NULL)
		printf("no checkpoint yet");
	else
		printf("checkpoint of %lld at %.19sZ", status_number(o, "checkpoint"), at);
	if (json_is_integer(json_object_get(o, "stamped")))
		printf(", time-stamped to %lld", status_number(o, "stamped"));
	printf("; %lld events wait%s\n", status_number(o, "waiting"),
	    json_is_string(json_object_get(o, "refusedSince")) ? "; REFUSED" : "");
}

/* What the database knows. */
static void
print_database(const json_t *s)
{
	const json_t *o;

	print_counts("members", json_object_get(s, "members"));
	print_counts("users", json_object_get(s, "users"));
	print_counts("submissions", json_object_get(s, "submissions"));
	o = json_object_get(s, "waiting");
	printf("%-16s %lld for a verdict, the oldest %lld s; %lld for an approval; %lld held\n", "waiting",
	    status_number(o, "received"), status_number(o, "oldestSeconds"), status_number(o, "forApproval"), status_number(o, "held"));
	o = json_object_get(s, "notices");
	printf("%-16s %lld to sign, %lld to publish, %lld in outboxes\n", "notices", status_number(o, "toSign"),
	    status_number(o, "toPublish"), status_number(o, "inOutbox"));
	print_unfetched(json_object_get(s, "unfetched"));
	print_day(json_object_get(s, "day"), json_object_get(s, "missingBefore"));
	print_runs(json_object_get(s, "lastRuns"));
	o = json_object_get(s, "certificates");
	printf("%-16s %lld expired, %lld expire within 30 days\n", "certificates", status_number(o, "expired"),
	    status_number(o, "expireIn30Days"));
}

void
status_print(const json_t *s)
{
	const json_t *o, *gateway = json_object_get(s, "gateway"), *attention = json_object_get(s, "attention");
	size_t i;

	for (i = 0; i < json_array_size(attention); i++)
		printf("ATTENTION: %s\n", json_string_value(json_array_get(attention, i)));
	if (i > 0)
		putchar('\n');
	if (json_is_true(json_object_get(gateway, "running")))
		printf("%-16s running, port %lld\n", "gateway", status_number(gateway, "port"));
	else
		printf("%-16s not running\n", "gateway");
	if (json_is_true(json_object_get(s, "database")))
		print_database(s);
	else
		printf("%-16s not reached\n", "database");
	if ((o = json_object_get(s, "trail")) != NULL)
		print_trail(o);
	o = json_object_get(s, "spool");
	if (json_is_object(o))
		printf("%-16s %lld files, %lld bytes\n", "spool", status_number(o, "files"), status_number(o, "bytes"));
	o = json_object_get(s, "disk");
	if (json_is_object(o))
		printf("%-16s %lld MiB free of %lld MiB\n", "disk", status_number(o, "freeBytes") >> 20,
		    status_number(o, "bytes") >> 20);
	printf("%-16s %s\n", "state", json_array_size(attention) == 0 ? "all is well" : "needs attention");
}
