/* SPDX-License-Identifier: ISC */
/*
 * muhur trail verify: is a published log whole, does it grow only, and are the
 * documents that it speaks of still the same?  For anybody who has its files:
 * no database, no daemon, no network.
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fdio.h"
#include "base/log.h"
#include "muhur/progress.h"
#include "muhur/trail.h"
#include "muhur/trail_check.h"

#define FILES_MAX	64
#define FINDINGS_MAX	1000	/* that are told; more are counted */
#define PROOF_MAX	(16 * 1024 * 1024)	/* bytes of a file of proofs */
#define WHY_MAX		1024
#define LATE_DEFAULT	(7 * 86400)	/* an authority that is away longer is not overlooked */

/*
 * What is found:
 * checkpoint-bad	a checkpoint cannot be read, or the key did not sign it
 * forked		two signed checkpoints contradict each other
 * truncated		leaves that were signed for are not there any more
 * rewritten		the leaves have another root than was signed
 * leaf-changed		a leaf's bytes have another hash than its tile has
 * leaf-malformed	a leaf is not in its canonical form
 * event-twice	one event has two leaves
 * tile-changed		a tile is not what the tiles below it make, or holds not what it should
 * tile-missing		a tile is not there
 * payload-changed	a document has other bytes than its leaf shows
 * payload-missing	a document is not in the store, and was not purged
 * opening-changed	what opens a leaf does not
 * opening-missing	what opens a leaf is not there
 * stamp-bad		a time-stamp does not verify, is over other bytes or earlier than a leaf
 * stamp-late		events are much older than the first time-stamp over them
 * stamp-missing	a checkpoint has none
 * proof-bad		a proof does not hold
 */
void
finding(struct check *k, const char *what, const char *where, const char *fmt, ...)
{
	char why[WHY_MAX];
	va_list ap;

	if (k->findings++ >= FINDINGS_MAX)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	progress_end();
	if (k->list != NULL)
		(void)json_array_append_new(k->list, json_pack("{s:s, s:s, s:s}", "what", what, "where", where,
		    "why", why));
	else
		printf("%s: %s: %s\n", what, where, why);
}

/* --- options ------------------------------------------------------------------------ */

struct options {
	struct trail_places p;
	const char	*files[FILES_MAX], *proofs[FILES_MAX];
	size_t		 nfiles, nproofs;
	uint64_t	 from, to;	/* 0 none */
	int		 require_stamps;
	uint64_t	 grace, late;
	int		 grace_given, late_given;
};

static int
add_file(const char **v, size_t *n, const char *path)
{
	if (*n == FILES_MAX) {
		log_warnx("%s: more than %d files", path, FILES_MAX);
		return -1;
	}
	v[(*n)++] = path;
	return 0;
}

static int
take_seconds(const char *value, uint64_t *seconds, int *given)
{
	*given = 1;
	return size_parse(value, strlen(value), seconds) == -1 || *seconds > INT32_MAX ? -1 : 0;
}

static int
take_option(struct options *o, int ch, const char *value)
{
	switch (ch) {
	case 'c':
		return add_file(o->files, &o->nfiles, value);
	case 'p':
		return add_file(o->proofs, &o->nproofs, value);
	case 'f':
		return size_parse(value, strlen(value), &o->from);
	case 't':
		return size_parse(value, strlen(value), &o->to);
	case 'r':
		o->require_stamps = 1;
		return 0;
	case 'g':
		return take_seconds(value, &o->grace, &o->grace_given);
	case 'l':
		return take_seconds(value, &o->late, &o->late_given);
	default:
		return trail_place(&o->p, ch, value);
	}
}

static int
parse(struct cmd *c, int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
		TRAIL_PLACES_OPTIONS,
		{ "checkpoint", required_argument, NULL, 'c' },
		{ "proof", required_argument, NULL, 'p' },
		{ "from", required_argument, NULL, 'f' },
		{ "to", required_argument, NULL, 't' },
		{ "require-stamps", no_argument, NULL, 'r' },
		{ "stamp-grace", required_argument, NULL, 'g' },
		{ "stamp-late", required_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 }
	};
	int ch;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (take_option(o, ch, optarg) == -1)
			return cmd_usage(c);
	if (optind != argc || (o->to != 0 && o->from > o->to))
		return cmd_usage(c);
	return EXIT_YES;
}

/* Where the gateway asks for stamps, checkpoints must have them.  That they are late
 * is a finding for others: an operator knows when the authority was away. */
static void
set_stamps(struct cmd *c, const struct options *o, struct check *k)
{
	const struct conf *conf = o->p.dir == NULL ? cmd_conf(c) : NULL;

	k->require_stamps = o->require_stamps || o->grace_given || (conf != NULL && conf->tsa_url != NULL);
	k->grace = o->grace_given ? (long)o->grace : conf != NULL ? conf->trail_stamp_alarm : 3600;
	k->late = o->late_given ? (long)o->late : o->require_stamps ? LATE_DEFAULT : -1;
	k->no_times = conf != NULL && conf->clock_offset != 0;
}

/* --- proofs ------------------------------------------------------------------------- */

static void
take_proof(struct check *k, const char *path, const json_t *proof)
{
	struct checkpoint head;
	struct leaf l;
	const char *why;

	if (trail_proof_check(proof, k->log->key, &head, &l, NULL, &why) == -1)
		finding(k, "proof-bad", path, "%s", why);
	else
		heads_take(k, &head, path);
}

static int
take_proofs(struct check *k, const struct options *o)
{
	char *text = NULL;
	json_t *proof;
	size_t i, len, at, used, n;
	json_error_t e;

	for (i = 0; i < o->nproofs; i++) {
		if (file_read_all(o->proofs[i], PROOF_MAX, &text, &len) == -1) {
			log_warn("%s", o->proofs[i]);
			return -1;
		}
		for (at = n = 0; at < len; at += used) {		/* one a line */
			used = strcspn(text + at, "\n") + 1;
			if (used == 1)
				continue;
			proof = json_loadb(text + at, used - 1 < len - at ? used - 1 : len - at,
			    JSON_REJECT_DUPLICATES, &e);
			take_proof(k, o->proofs[i], proof);
			json_decref(proof);
			n++;
		}
		if (n == 0)
			finding(k, "proof-bad", o->proofs[i], "there is no proof in it");
		free(text);
	}
	return 0;
}

/* --- all of it ------------------------------------------------------------------------ */

/* All checkpoints, also those that must be of this log. */
static int
take_heads(struct check *k, const struct options *o)
{
	size_t i;

	if (heads_load(k) == -1)
		return -1;
	for (i = 0; i < o->nfiles; i++)
		if (heads_take_file(k, o->files[i]) == -1)
			return -1;
	return take_proofs(k, o);
}

/* Those from elsewhere are met by leaves that are read, or are more than the log has. */
static int
within(const struct check *k, const struct options *o)
{
	const struct head *h;
	size_t i;

	for (i = 0; i < k->nheads; i++) {
		h = &k->heads[i];
		if (h->file == NULL || (h->size >= o->from && (o->to == 0 || h->size <= o->to || h->size > k->size)))
			continue;
		log_warnx("%s: is of %llu leaves: with this --from and --to it is not checked", h->file,
		    (unsigned long long)h->size);
		return 0;
	}
	return 1;
}

/* EXIT_YES also with findings. */
static int
run(struct check *k, const struct options *o)
{
	k->from = o->from;
	if (take_heads(k, o) == -1)
		return EXIT_ENVIRONMENT;
	if (!within(k, o))
		return EXIT_USAGE;
	heads_merge(k);
	if ((o->from != 0 && !heads_have(k, o->from)) || (o->to != 0 && !heads_have(k, o->to))) {
		finding(k, "checkpoint-bad", "checkpoints/", "there is none of %llu leaves",
		    (unsigned long long)(o->from != 0 && !heads_have(k, o->from) ? o->from : o->to));
		k->from = k->size;
		return EXIT_YES;
	}
	if (o->from > k->size) {	/* one from elsewhere, and truncated */
		k->from = k->size;
		return EXIT_YES;
	}
	k->newest = k->size;
	if (o->to != 0 && o->to < k->size)
		k->size = o->to;
	if (k->size == 0) {
		if (k->findings == 0)
			finding(k, "checkpoint-bad", "checkpoints/", "there is none");
		return EXIT_YES;
	}
	return check_leaves(k) == -1 ? EXIT_ENVIRONMENT : EXIT_YES;
}

static int
times_compared(const struct check *k)
{
	return k->stamped > 0 && !k->no_times;
}

static void
tell(const struct check *k)
{
	const char *result = k->findings == 0 ? "VALID" : "INVALID";
	const char *name = note_verifier_name(k->log->key);

	if (k->list != NULL) {
		cmd_json(json_pack("{s:s, s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:{s:b, s:I, s:I}, s:b, s:{s:I, s:I, s:I, s:b, s:o}, "
		    "s:I, s:I, s:O}", "result", result, "origin", name, "key", k->log->vkey, "keyFromLog", k->log->key_from_log,
		    "from", (json_int_t)k->from, "size", (json_int_t)k->size, "checkpoints", (json_int_t)k->nheads, "kept",
		    (json_int_t)k->nkept, "payloads", "read", k->log->store != -1, "good", (json_int_t)k->payloads.good, "purged",
		    (json_int_t)k->payloads.gone, "openings", k->log->openings != -1, "timestamps",
		    "present", (json_int_t)k->stamped, "good", (json_int_t)k->stamps_good, "excused", (json_int_t)k->excused, "judged",
		    k->stamps.tsa != NULL, "withinSeconds", times_compared(k) ?
		    json_integer((json_int_t)(k->worst / USEC_PER_SEC)) : json_null(),
		    "tilesBehind", (json_int_t)k->beyond, "findingCount", (json_int_t)k->findings, "findings", k->list));
		return;
	}
	printf("%s\n", k->log->vkey);
	if (k->log->key_from_log)
		printf("this key is the log's own: compare it with the one that you were given\n");
	printf("%llu leaves from %llu on, %zu checkpoints\n", (unsigned long long)(k->size - k->from),
	    (unsigned long long)k->from, k->nheads);
	if (k->nkept == 0)
		printf("no older checkpoints are here, against which a log that was rewritten would show: "
		    "copy checkpoints/ as well\n");
	if (k->log->store != -1)
		printf("%llu documents are as their leaves show, %llu were purged\n",
		    (unsigned long long)k->payloads.good, (unsigned long long)k->payloads.gone);
	else
		printf("documents were not read: --store\n");
	if (k->log->openings == -1)
		printf("openings were not read: --openings\n");
	if (k->beyond > 0)
		printf("%llu files of tiles are of leaves behind the last checkpoint, and were not checked\n",
		    (unsigned long long)k->beyond);
	printf("%llu time-stamps%s\n", (unsigned long long)k->stamped,
	    k->stamped == 0 || k->stamps.tsa != NULL ? "" : ", which fit; whose they are was not judged: --tsa");
	if (k->excused > 0)
		printf("%llu checkpoints are without one, within --stamp-grace\n", (unsigned long long)k->excused);
	if (k->no_times)
		printf("their times were not compared with those of events: clock_offset is set\n");
	else if (times_compared(k))
		printf("events under them were %lld seconds old at most, by what they tell, when stamped\n",
		    (long long)(k->worst / USEC_PER_SEC));
	if (k->findings > FINDINGS_MAX)
		printf("%llu more findings\n", (unsigned long long)(k->findings - FINDINGS_MAX));
	printf("%s\n", result);
}

int
trail_verify(struct cmd *c, int argc, char **argv)
{
	struct options o = { 0 };
	struct trail_log l = { .dir = -1, .openings = -1, .store = -1 };
	struct check k = { .c = c, .log = &l };
	int rc;

	if ((rc = parse(c, argc, argv, &o)) != EXIT_YES)
		return rc;
	k.list = c->json ? json_array() : NULL;
	if ((rc = trail_log_open(c, &o.p, &l)) == EXIT_YES &&
	    (rc = trail_stamp_rules(c, &o.p, &k.stamps)) == EXIT_YES) {
		set_stamps(c, &o, &k);
		if ((rc = run(&k, &o)) == EXIT_YES) {
			tell(&k);
			rc = k.findings == 0 ? EXIT_YES : EXIT_NO;
		}
	}
	trust_free(k.stamps.tsa);
	json_decref(k.list);
	free(k.heads);
	free(k.events);
	free(k.there);
	trail_log_close(&l);
	return rc;
}
