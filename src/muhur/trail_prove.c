/* SPDX-License-Identifier: ISC */
/* muhur trail prove, muhur trail checkpoint. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "model/ident.h"
#include "muhur/trail.h"
#include "muhur/trail_log.h"
#include "muhur/trail_stamps.h"

/* What is looked for; proofs are written as they are found. */
struct search {
	const struct trail_log *log;
	struct tiles	*tiles, *proofs;	/* reading on, and aside */
	const struct checkpoint *head;
	const struct buf *note;
	long long	 event;			/* 0 none */
	const char	*submission;		/* NULL none */
	FILE		*out;
	uint64_t	 found;
};

static int
write_proof(struct search *s, uint64_t index)
{
	json_t *o = trail_proof(s->log, s->proofs, index, s->head, s->note);
	int rc;

	if (o == NULL)
		return -1;
	rc = json_dumpf(o, s->out, JSON_COMPACT) == 0 && fputc('\n', s->out) != EOF ? 0 : -1;
	if (rc == -1)
		log_warn("the proof cannot be written");
	json_decref(o);
	s->found++;
	return rc;
}

/* A submission has several leaves, an event one: 1 ends the search. */
static int
look(void *arg, uint64_t index, const char *text, size_t len)
{
	struct search *s = arg;
	struct leaf l;
	const char *why;

	if (leaf_parse(text, len, &l, &why) == -1)
		return 0;	/* `muhur trail verify' says so */
	if (s->event != 0 ? l.event != s->event : strcmp(l.submission, s->submission) != 0)
		return 0;
	if (write_proof(s, index) == -1)
		return -1;
	return s->event != 0;
}

static int
prove(struct search *s, const char *index)
{
	uint64_t i;
	int rc;

	s->tiles = tiles_open(s->log->dir, s->head->size);
	s->proofs = tiles_open(s->log->dir, s->head->size);
	if (index == NULL)
		rc = trail_each_leaf(s->tiles, 0, s->head->size, look, s);
	else if (size_parse(index, strlen(index), &i) == -1 || i >= s->head->size)
		rc = 0;
	else
		rc = write_proof(s, i);
	tiles_close(s->tiles);
	tiles_close(s->proofs);
	if (rc == -1)
		return EXIT_ENVIRONMENT;
	if (s->found == 0)
		log_warnx("no such leaf in the log of %llu leaves", (unsigned long long)s->head->size);
	return s->found > 0 ? EXIT_YES : EXIT_NO;
}

static int
prove_to(struct search *s, const char *index, const char *path)
{
	int rc;

	s->out = path == NULL || strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
	if (s->out == NULL) {
		log_warn("%s", path);
		return EXIT_ENVIRONMENT;
	}
	rc = prove(s, index);
	if (s->out != stdout && fclose(s->out) != 0) {
		log_warn("%s", path);
		rc = EXIT_ENVIRONMENT;
	}
	return rc;
}

int
trail_prove(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {
		TRAIL_PLACES_OPTIONS,
		{ "index", required_argument, NULL, 'i' },
		{ "submission", required_argument, NULL, 's' },
		{ "size", required_argument, NULL, 'z' },
		{ NULL, 0, NULL, 0 }
	};
	struct trail_places p = { 0 };
	struct trail_log l = { .dir = -1, .openings = -1, .store = -1 };
	struct checkpoint head;
	struct buf note = { 0 };
	struct search s = { .log = &l, .head = &head, .note = &note };
	const char *index = NULL, *out = NULL;
	uint64_t size = 0, event;
	int ch, rc;

	while ((ch = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
		if (ch == 'o')
			out = optarg;
		else if (ch == 'i')
			index = optarg;
		else if (ch == 's')
			s.submission = optarg;
		else if (ch == 'z' ? size_parse(optarg, strlen(optarg), &size) == -1 :
		    trail_place(&p, ch, optarg) == -1)
			return cmd_usage(c);
	}
	if (optind + 1 == argc && size_parse(argv[optind], strlen(argv[optind]), &event) == 0)
		s.event = (long long)event;
	if (argc - optind > 1 || (s.event > 0) + (index != NULL) + (s.submission != NULL) != 1 ||
	    (argc > optind && s.event == 0) || (s.submission != NULL && !uuid_ok(s.submission)))
		return cmd_usage(c);
	if ((rc = trail_log_open(c, &p, &l)) == EXIT_YES &&
	    (rc = trail_log_checkpoint(&l, size, &head, &note)) == EXIT_YES)
		rc = prove_to(&s, index, out);
	buf_free(&note);
	trail_log_close(&l);
	return rc;
}

/* --- checkpoint ------------------------------------------------------------------------ */

static int
show_checkpoint(struct cmd *c, const struct trail_log *l, const struct checkpoint *head,
    const struct buf *note, const struct stamp_rules *rules)
{
	char root[SHA256_HEX_SIZE], at[TIME_SIZE] = "";
	struct timestamp t;

	trail_stamp_of(l->dir, head->size, note, rules, &t);
	hex_encode(head->root.b, SHA256_SIZE, root);
	if (t.at != 0)
		time_format(t.at, at);
	if (c->json)
		cmd_json(json_pack("{s:s, s:I, s:s, s:s%, s:{s:s, s:s?, s:s?, s:s?}}", "origin", head->origin,
		    "size", (json_int_t)head->size, "root", root, "checkpoint", note->data, note->len, "timestamp",
		    "state", timestamp_state_name(t.state), "time", t.at != 0 ? at : NULL,
		    "authority", t.authority[0] != '\0' ? t.authority : NULL, "why", t.why[0] != '\0' ? t.why : NULL));
	else {
		printf("%.*s", (int)note->len, note->data);
		fprintf(stderr, "muhur: time-stamp: %s%s%s%s%s\n", timestamp_state_name(t.state), t.at != 0 ? ", " : "",
		    at, t.why[0] != '\0' ? ": " : "", t.why);
	}
	return t.state == TIMESTAMP_BAD ? EXIT_NO : EXIT_YES;
}

int
trail_checkpoint(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = { TRAIL_PLACES_OPTIONS, { NULL, 0, NULL, 0 } };
	struct trail_places p = { 0 };
	struct trail_log l = { .dir = -1, .openings = -1, .store = -1 };
	struct stamp_rules rules = { 0 };
	struct checkpoint head;
	struct buf note = { 0 };
	uint64_t size = 0;
	int ch, rc;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (trail_place(&p, ch, optarg) == -1)
			return cmd_usage(c);
	if (argc - optind > 1 || (optind < argc && (size_parse(argv[optind], strlen(argv[optind]), &size) == -1 ||
	    size == 0)))
		return cmd_usage(c);
	if ((rc = trail_log_open(c, &p, &l)) == EXIT_YES &&
	    (rc = trail_log_checkpoint(&l, size, &head, &note)) == EXIT_YES &&
	    (rc = trail_stamp_rules(c, &p, &rules)) == EXIT_YES)
		rc = show_checkpoint(c, &l, &head, &note, &rules);
	trust_free(rules.tsa);
	buf_free(&note);
	trail_log_close(&l);
	return rc;
}
