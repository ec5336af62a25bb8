/* SPDX-License-Identifier: ISC */
/* muhur evidence: containers that tell one submission's story and prove it. */
#include "config.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "document/cades.h"
#include "document/pipeline.h"
#include "model/ident.h"
#include "muhur/evidence.h"
#include "muhur/sign_key.h"
#include "xml/tsp.h"

/* --- one container ----------------------------------------------------------------- */

static int
close_by_stamp(struct evidence *e)
{
	struct buf manifest = { 0 }, resp = { 0 }, token = { 0 };
	struct timestamp t = { 0 };
	int rc = EXIT_ENVIRONMENT;

	if (e->means->tsa == NULL)
		return EXIT_YES;
	asic_manifest(&e->files, ASIC_TIMESTAMP, "application/vnd.etsi.timestamp-token", &manifest);
	if (tsa_ask(e->means->tsa, manifest.data, manifest.len, &resp, &t) == -1)
		goto out;
	if (tsp_token(resp.data, resp.len, &token) == -1)
		fatalx("time-stamp: its token cannot be taken out");
	asic_add(&e->files, ASIC_MANIFEST, "text/xml", manifest.data, manifest.len);
	asic_add(&e->files, ASIC_TIMESTAMP, "application/vnd.etsi.timestamp-token", token.data, token.len);
	rc = EXIT_YES;
out:
	buf_free(&manifest);
	buf_free(&resp);
	buf_free(&token);
	return rc;
}

static int
close_by_signature(struct evidence *e)
{
	const char *name = e->means->tsa != NULL ? ASIC_MANIFEST2 : ASIC_MANIFEST;
	struct buf manifest = { 0 }, der = { 0 };
	int rc = EXIT_ENVIRONMENT;

	if (e->means->key == NULL)
		return EXIT_YES;
	asic_manifest(&e->files, ASIC_SIGNATURE, "application/x-pkcs7-signature", &manifest);
	if (cades_sign(e->means->key, manifest.data, manifest.len, clock_now(), &der) == 0) {
		asic_add(&e->files, name, "text/xml", manifest.data, manifest.len);
		asic_add(&e->files, ASIC_SIGNATURE, "application/x-pkcs7-signature", der.data, der.len);
		rc = EXIT_YES;
	}
	buf_free(&manifest);
	buf_free(&der);
	return rc;
}

static void
add_pages(struct evidence *e)
{
	char *json = json_dumps(e->story, JSON_INDENT(1) | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
	struct evidence_closing closing = { e->means->tsa != NULL, e->means->key != NULL };
	struct buf html = { 0 };

	if (json == NULL)
		fatalx("evidence: no memory");
	asic_add(&e->files, "evidence.json", "application/json", json, strlen(json));
	evidence_page(e->story, &e->files, closing, &html);
	asic_add(&e->files, "index.html", "text/html", html.data, html.len);
	buf_free(&html);
	free(json);
}

static void
remember(struct evidence *e, const char *sha256)
{
	cmd_begin(e->c);
	cmd_event(e->c, "evidence-exported", e->no, json_pack("{s:s, s:s}", "submission", e->id, "sha256", sha256));
	cmd_commit(e->c);
}

static char *unfinished;	/* a container that nobody is to find yet */

static void
drop_unfinished(void)
{
	if (unfinished != NULL)
		(void)unlink(unfinished);
	free(unfinished);
	unfinished = NULL;
}

/* Nobody has a container of which the trail does not know: its event comes first. */
static int
hand_out(struct evidence *e, const char *out, char sha256[SHA256_HEX_SIZE])
{
	static int once;
	int rc;

	if (once++ == 0 && atexit(drop_unfinished) != 0)	/* the database's failure ends us */
		fatalx("evidence: no memory");
	if ((unfinished = asic_write(&e->files, out, sha256)) == NULL)
		return EXIT_ENVIRONMENT;
	remember(e, sha256);
	rc = asic_show(unfinished, out) == 0 ? EXIT_YES : EXIT_ENVIRONMENT;
	drop_unfinished();
	return rc;
}

/* Both as of one moment: what is decided meanwhile is in neither. */
static int
gather(struct evidence *e)
{
	int rc;

	cmd_exec(e->c, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", 0, NULL);
	if ((rc = evidence_story(e)) == EXIT_YES)
		rc = evidence_trail(e);
	cmd_commit(e->c);
	return rc;
}

int
evidence_export(struct cmd *c, const struct evidence_means *m, const char *id, const char *out,
    char sha256[SHA256_HEX_SIZE])
{
	struct evidence e = { .c = c, .means = m, .id = id, .story = json_object(), .store = -1 };
	struct stat st;
	int rc;

	/* the trail has the SHA-256 of what is there */
	if (lstat(out, &st) == 0) {
		log_warnx("%s: exists already", out);
		return EXIT_ENVIRONMENT;
	}
	e.store = cmd_store(c);
	if ((rc = gather(&e)) != EXIT_YES || (rc = evidence_certificates(&e)) != EXIT_YES)
		goto out;
	add_pages(&e);
	if ((rc = close_by_stamp(&e)) != EXIT_YES || (rc = close_by_signature(&e)) != EXIT_YES)
		goto out;
	rc = hand_out(&e, out, sha256);
out:
	if (e.store != -1)
		(void)close(e.store);
	asic_free(&e.files);
	json_decref(e.story);
	return rc;
}

/* --- the command --------------------------------------------------------------------- */

struct arguments { const char *out, *member, *from, *to, *key, *cert, *chain; };

static int
parse(struct arguments *a, int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' }, { "member", required_argument, NULL, 'm' },
		{ "from", required_argument, NULL, 'f' }, { "to", required_argument, NULL, 't' },
		{ "key", required_argument, NULL, 'k' }, { "cert", required_argument, NULL, 'c' },
		{ "chain", required_argument, NULL, 'h' }, { NULL, 0, NULL, 0 }
	};
	int ch;

	while ((ch = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
		switch (ch) {
		case 'o': a->out = optarg; break;
		case 'm': a->member = optarg; break;
		case 'f': a->from = optarg; break;
		case 't': a->to = optarg; break;
		case 'k': a->key = optarg; break;
		case 'c': a->cert = optarg; break;
		case 'h': a->chain = optarg; break;
		default: return -1;
		}
	}
	if (a->out == NULL || (a->key == NULL) != (a->cert == NULL) || (a->chain != NULL && a->cert == NULL))
		return -1;
	if (a->member == NULL)
		return optind + 1 == argc && a->from == NULL && a->to == NULL ? 0 : -1;
	return optind == argc && a->from != NULL && a->to != NULL && cmd_date_ok(a->from) == 0 &&
	    cmd_date_ok(a->to) == 0 ? 0 : -1;
}

/* What closes a container: at least one of the two. */
static int
get_means(struct cmd *c, const struct arguments *a, struct evidence_means *m)
{
	if (cmd_conf(c)->tsa_url == NULL && a->key == NULL) {
		log_warnx("nothing to close the container with: set tsa_url and tsa_anchors in the configuration, "
		    "or sign it with --key and --cert");
		return -1;
	}
	if (document_init() == -1 ||
	    (c->conf->tsa_url != NULL && (m->tsa = tsa_open(c->conf)) == NULL) ||
	    (a->key != NULL && (m->key = sign_key_load(a->key, a->cert, a->chain)) == NULL))
		return -1;
	return 0;
}

static int
export(struct cmd *c, int argc, char **argv)
{
	struct evidence_means m = { NULL, NULL };
	struct arguments a = { NULL };
	char sha256[SHA256_HEX_SIZE];
	int rc = EXIT_ENVIRONMENT;

	if (parse(&a, argc, argv) == -1)
		return cmd_usage(c);
	if (get_means(c, &a, &m) == -1)
		goto out;
	if (a.member != NULL) {
		rc = evidence_range(c, &m, a.member, a.from, a.to, a.out);
		goto out;
	}
	if ((rc = evidence_export(c, &m, argv[optind], a.out, sha256)) != EXIT_YES)
		goto out;
	if (c->json)
		cmd_json(json_pack("{s:s, s:s, s:s}", "submission", argv[optind], "file", a.out, "sha256", sha256));
	else
		printf("%s: evidence of %s, SHA-256 %s\n", a.out, argv[optind], sha256);
out:
	tsa_close(m.tsa);
	signing_key_free(m.key);
	return rc;
}

int
cmd_evidence(struct cmd *c, int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
		{ "export", export, "evidence export SUBMISSION -o X.asice [--key KEY --cert CERT [--chain PEM]]\n"
		    "             evidence export --member CODE --from DATE --to DATE -o DIR [--key ...]" },
		{ "verify", evidence_verify, "evidence verify [--trust PEM] [--key VKEY|FILE] [--tsa PEM] [--crl FILE]...\n"
		    "             [--schema-dir DIR] X.asice" },
	};

	return cmd_dispatch(c, argc, argv, verbs, sizeof(verbs) / sizeof(verbs[0]));
}
