/* SPDX-License-Identifier: ISC */
/*
 * muhur identity: the outside check, and who is behind a registry number.  The
 * one command that connects as muhur_identity, who alone reads identities; but
 * for `show', and what the check's program is told, no person is named.
 */
#include "config.h"

#include <sys/resource.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "muhur/cmd.h"
#include "muhur/identity_check.h"

#define ROLE	"muhur_identity"

/* cmd_db, as the role that may.  Persons stand in memory from here on: no core. */
static void
connect_identity(struct cmd *c)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) == -1) {
		log_warn("identity: core dumps cannot be turned off");
		exit(EXIT_ENVIRONMENT);
	}
	if (c->db.conn == NULL && db_connect_role(&c->db, cmd_conf(c), ROLE) == -1)
		exit(EXIT_ENVIRONMENT);
}

/* --- check ------------------------------------------------------------------- */

struct asked { long long no; char version[16]; int answered; };

struct check {
	struct cmd	*c;
	char		 began[TIME_SIZE], at[TIME_SIZE];
	struct asked	 asked[IDENTITY_CHECK_BATCH];
	int		 n;
	long long	 total, accepted, refused, unknown, results;
};

static void
put_field(struct buf *b, const char *s, const char *end)
{
	const unsigned char *p;

	/* a name may hold what XML lets in, and a line may not */
	for (p = (const unsigned char *)s; *p != '\0'; p++)
		(void)buf_append(b, *p < 0x20 || *p == 0x7f ? " " : (const char *)p, 1);
	(void)buf_puts(b, end);
}

/* The next of those that wait, as lines for the program. */
static void
take_batch(struct check *k, struct buf *question)
{
	char limit[16];
	const char *params[] = { k->began, cmd_now(k->c, k->at), limit };
	PGresult *res;
	int i;

	(void)snprintf(limit, sizeof(limit), "%d", IDENTITY_CHECK_BATCH);
	res = cmd_query(k->c, "SELECT no, identity_type, country, identity_no, name, birth_date, version "
	    "FROM muhur_identity.ask($1::timestamptz, $2::timestamptz, $3::integer)", 3, params);
	for (i = 0; i < PQntuples(res) && i < IDENTITY_CHECK_BATCH; i++) {
		k->asked[i].no = strtoll(PQgetvalue(res, i, 0), NULL, 10);
		k->asked[i].answered = 0;
		(void)str_copy(k->asked[i].version, sizeof(k->asked[i].version), PQgetvalue(res, i, 6));
		put_field(question, PQgetvalue(res, i, 0), "\t");
		put_field(question, PQgetvalue(res, i, 1), "\t");
		put_field(question, PQgetvalue(res, i, 2), "\t");
		put_field(question, PQgetvalue(res, i, 3), "\t");
		put_field(question, PQgetvalue(res, i, 4), "\t");
		put_field(question, PQgetvalue(res, i, 5), "\n");
	}
	k->n = i;
	k->total += i;
	PQclear(res);
}

static int
compare_asked(const void *a, const void *b)
{
	const struct asked *x = a, *y = b;

	return (x->no > y->no) - (x->no < y->no);
}

static void
store_answer(struct check *k, const struct identity_answer *a, const struct asked *asked)
{
	char no[24];
	const char *params[] = { no, asked->version, a->verdict, a->text, k->at };
	PGresult *res;

	(void)snprintf(no, sizeof(no), "%lld", a->no);
	res = cmd_query(k->c, "SELECT muhur_identity.answer($1::bigint, $2::integer, $3, $4, $5::timestamptz)", 5, params);
	if (PQntuples(res) == 1 && PQgetvalue(res, 0, 0)[0] == 't') {
		if (strcmp(a->verdict, "accepted") == 0)
			k->accepted++;
		else if (strcmp(a->verdict, "refused") == 0)
			k->refused++;
	}
	PQclear(res);
}

/* Every line is looked at before any counts.  0 or -1 (logged). */
static int
parse_answers(struct check *k, char *text, struct identity_answer *answers, struct asked **whom, int *n)
{
	struct asked key = { 0 };
	char *line, *next;

	for (line = text, *n = 0; *line != '\0'; line = next) {
		next = line + strcspn(line, "\n");
		if (*next != '\0')
			*next++ = '\0';
		if (*n == k->n || identity_answer_parse(line, &answers[*n]) == -1)
			return -1;
		key.no = answers[*n].no;
		whom[*n] = bsearch(&key, k->asked, (size_t)k->n, sizeof(key), compare_asked);
		if (whom[*n] == NULL || whom[*n]->answered)
			return -1;
		whom[(*n)++]->answered = 1;
	}
	return 0;
}

static int
store_answers(struct check *k, char *text)
{
	struct identity_answer *answers = xcalloc(IDENTITY_CHECK_BATCH, sizeof(*answers));
	struct asked **whom = xcalloc(IDENTITY_CHECK_BATCH, sizeof(*whom));
	const char *params[] = { k->at };
	PGresult *res;
	int i, n, rc;

	if ((rc = parse_answers(k, text, answers, whom, &n)) == -1)
		log_alarm("identity check: %s: its answer %d is none to what it was asked; all of it is asked again",
		    cmd_conf(k->c)->identity_check.v[0], n + 1);
	else {
		(void)cmd_now(k->c, k->at);
		cmd_begin(k->c);
		for (i = 0; i < n; i++)
			store_answer(k, &answers[i], whom[i]);
		res = cmd_query(k->c, "SELECT muhur_identity.answered($1::timestamptz)", 1, params);
		k->results += strtoll(PQgetvalue(res, 0, 0), NULL, 10);
		PQclear(res);
		cmd_commit(k->c);
	}
	free(answers);
	free(whom);
	return rc;
}

static int
check_batch(struct check *k)
{
	const struct conf *conf = cmd_conf(k->c);
	struct buf question = { 0 }, answer = { 0 };
	int rc = 0;

	take_batch(k, &question);
	if (k->n > 0) {
		rc = identity_program(conf->identity_check.v, &question, conf->identity_check_timeout,
		    (size_t)k->n * IDENTITY_ANSWER_MAX, &answer);
		if (rc == 0 && answer.data != NULL && strlen(answer.data) == answer.len)
			rc = store_answers(k, answer.data);
		else if (rc == 0 && answer.data != NULL) {
			log_alarm("identity check: %s: its answer is no text; all of it is asked again", conf->identity_check.v[0]);
			rc = -1;
		}
	}
	buf_free(&question);
	buf_free(&answer);
	return rc;
}

/* One at a time: a second one would ask the same once more. */
static int
alone(struct cmd *c)
{
	PGresult *res = cmd_query(c, "SELECT pg_try_advisory_lock(hashtextextended('muhur_identity.check', 0))", 0, NULL);
	int yes = PQgetvalue(res, 0, 0)[0] == 't';

	PQclear(res);
	return yes;
}

static int
identity_check(struct cmd *c, int argc, char **argv)
{
	static struct check k;
	int rc = 0;

	(void)argv;
	if (argc != 1)
		return cmd_usage(c);
	if (cmd_conf(c)->identity_check.n == 0) {
		log_warnx("identity check: no program is set (identity_check)");
		return EXIT_NO;
	}
	connect_identity(c);
	if (!alone(c)) {
		log_warnx("identity check: another one is at work");
		return EXIT_NO;
	}
	k.c = c;
	(void)cmd_now(c, k.began);
	do
		rc = check_batch(&k);
	while (rc == 0 && k.n == IDENTITY_CHECK_BATCH);
	k.unknown = k.total - k.accepted - k.refused;
	if (c->json)
		cmd_json(json_pack("{s:I, s:I, s:I, s:I, s:I}", "asked", (json_int_t)k.total, "accepted",
		    (json_int_t)k.accepted, "refused", (json_int_t)k.refused, "open", (json_int_t)k.unknown,
		    "results", (json_int_t)k.results));
	else
		printf("asked %lld: accepted %lld, refused %lld, open %lld; submissions with their result: %lld\n",
		    k.total, k.accepted, k.refused, k.unknown, k.results);
	return rc == 0 ? EXIT_YES : EXIT_ENVIRONMENT;
}

/* --- list, show -------------------------------------------------------------------- */

static int
identity_list(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "state", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 }
	};
	static const char *const names[] = { "#identity", "registryNo", "type", "civilState", "taxState",
	    "askedAt", "answeredAt" };
	const char *params[1] = { NULL };
	PGresult *res;
	int ch;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (ch != 's')
			return cmd_usage(c);
		params[0] = optarg;
	}
	if (optind != argc)
		return cmd_usage(c);
	if (params[0] != NULL && strcmp(params[0], "asked") != 0 && strcmp(params[0], "accepted") != 0 &&
	    strcmp(params[0], "refused") != 0) {
		log_warnx("%s: is no state; asked, accepted or refused", params[0]);
		return EXIT_USAGE;
	}
	connect_identity(c);
	res = cmd_query(c, "SELECT no, registry_no, identity_type, civil_state, tax_state, " SQL_TIME("asked_at") ", "
	    SQL_TIME("answered_at") " FROM muhur_identity.identity WHERE $1::text IS NULL OR state = $1 ORDER BY no",
	    1, params);
	cmd_rows(c, res, names);
	PQclear(res);
	return EXIT_YES;
}

static int
identity_show(struct cmd *c, int argc, char **argv)
{
	static const char *const names[] = { "registryNo", "knownFrom", "type", "number", "country", "name",
	    "birthDate", "civilState", "taxState", "*members" };
	char now[TIME_SIZE];
	const char *params[2];
	PGresult *res;
	int rc = EXIT_YES;

	if (argc != 2)
		return cmd_usage(c);
	if (cmd_registry_no_ok(argv[1]) == -1)
		return EXIT_USAGE;
	connect_identity(c);
	params[0] = argv[1];
	params[1] = cmd_now(c, now);
	res = cmd_query(c, "SELECT registry_no, known_from, identity_type, identity_no, country, name, birth_date, "
	    "civil_state, tax_state, array_to_string(members, ' ') FROM muhur_identity.show($1, $2::timestamptz)",
	    2, params);
	if (PQntuples(res) == 0) {
		log_warnx("%s: no investor has this registry number", argv[1]);
		rc = EXIT_NO;
	} else if (c->json)
		cmd_json(cmd_row_json(res, 0, names));
	else
		cmd_record(res, 0, names);
	PQclear(res);
	return rc;
}

int
cmd_identity(struct cmd *c, int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
		{ "check", identity_check, "identity check" },
		{ "list", identity_list, "identity list [--state asked|accepted|refused]" },
		{ "show", identity_show, "identity show REGISTRYNO" },
	};

	return cmd_dispatch(c, argc, argv, verbs, sizeof(verbs) / sizeof(verbs[0]));
}
