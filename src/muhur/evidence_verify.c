/* SPDX-License-Identifier: ISC */
/*
 * muhur evidence verify: is what a container says true?  No daemon, no database,
 * no network; a container may be anybody's, so it is read in the sandbox, with
 * nothing to open.
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
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "depot/material.h"
#include "document/pipeline.h"
#include "model/ident.h"
#include "muhur/evidence.h"
#include "muhur/evidence_check.h"
#include "muhur/temp.h"

#define WHY_SIZE	512

void
evidence_say(struct evidence_check *k, int ok, const char *what, const char *fmt, ...)
{
	char text[1024];
	json_t *detail;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_clean(text);
	if ((detail = json_string(text)) == NULL)
		detail = json_string("(not UTF-8)");
	json_array_append_new(k->checks, json_pack("{s:s, s:b, s:o}", "check", what, "ok", ok, "detail", detail));
	if (!ok)
		k->bad++;
}

void
evidence_note(struct evidence_check *k, const char *fmt, ...)
{
	char text[1024];
	json_t *note;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_clean(text);
	if ((note = json_string(text)) == NULL)
		note = json_string("(not UTF-8)");
	json_array_append_new(k->notes, note);
}

const char *
evidence_digest(const struct evidence_check *k, const char *name)
{
	size_t i;

	for (i = 0; i < asic_count(k->r); i++)
		if (strcmp(asic_entry(k->r, i), name) == 0)
			return k->sha256[i];
	return NULL;
}

struct trust *
evidence_anchors(struct evidence_check *k, const char *a, const char *b)
{
	struct buf pem = { 0 }, names = { 0 };
	struct trust *t = NULL;
	const char *name;
	size_t i;

	for (i = 0; i < asic_count(k->r); i++) {
		name = asic_entry(k->r, i);
		if ((strncmp(name, a, strlen(a)) == 0 || (b != NULL && strncmp(name, b, strlen(b)) == 0)) &&
		    asic_get(k->r, name, TRUST_MAX_ANCHORS, &pem) == 0) {
			buf_puts(&pem, "\n");
			buf_printf(&names, "%s%s", names.len > 0 ? ", " : "", name);
		}
	}
	if (pem.len > 0 && (t = trust_new(pem.data, pem.len)) == NULL)
		evidence_note(k, "%s: no certificates that can be used as anchors", names.data);
	buf_free(&names);
	buf_free(&pem);
	return t;
}

/* --- what is given from outside ---------------------------------------------------- */

struct options {
	const char	*trust, *key, *tsa, *schema_dir, *file;
	const char	*crl[16];
	int		 ncrl;
};

static int
parse(struct options *o, int argc, char **argv)
{
	static const struct option names[] = {
		{ "trust", required_argument, NULL, 't' }, { "key", required_argument, NULL, 'k' },
		{ "tsa", required_argument, NULL, 'T' }, { "crl", required_argument, NULL, 'r' },
		{ "schema-dir", required_argument, NULL, 's' }, { NULL, 0, NULL, 0 }
	};
	int ch;

	while ((ch = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (ch) {
		case 't': o->trust = optarg; break;
		case 'k': o->key = optarg; break;
		case 'T': o->tsa = optarg; break;
		case 's': o->schema_dir = optarg; break;
		case 'r':
			if (o->ncrl == (int)(sizeof(o->crl) / sizeof(o->crl[0]))) {
				log_warnx("--crl: more than %d files", o->ncrl);
				return -1;
			}
			o->crl[o->ncrl++] = optarg;
			break;
		default: return -1;
		}
	}
	if (optind + 1 != argc)
		return -1;
	o->file = argv[optind];
	return 0;
}

static int
load_anchors(const char *path, struct trust **t)
{
	char *pem = NULL;
	size_t len;

	if (path == NULL)
		return 0;
	if (file_read_all(path, TRUST_MAX_ANCHORS, &pem, &len) == -1) {
		log_warn("%s", path);
		return -1;
	}
	if ((*t = trust_new(pem, len)) == NULL)
		log_warnx("%s: holds no usable certificates", path);
	free(pem);
	return *t != NULL ? 0 : -1;
}

/* A verifier's key, or a file that has one. */
static int
load_key(const char *key, char **vkey)
{
	size_t len;

	if (key == NULL)
		return 0;
	if (access(key, F_OK) == -1 && strchr(key, '+') != NULL) {
		*vkey = xstrdup(key);
		return 0;
	}
	if (file_read_all(key, CHECKPOINT_MAX, vkey, &len) == -1) {
		log_warn("%s", key);
		return -1;
	}
	return 0;
}

static void
see_schema(void *arg, const char *name, const void *data, size_t len)
{
	char listed[MATERIAL_NAME_SIZE];

	material_add(arg, material_schema_name(name, listed), data, len, NULL);
}

static int
load_all(struct cmd *c, const struct options *o, struct evidence_check *k)
{
	char *pem;
	size_t len;
	int i;

	if (document_init() == -1 || load_anchors(o->trust, &k->trust) == -1 ||
	    load_anchors(o->trust, &k->trust_plain) == -1 ||
	    load_anchors(o->tsa, &k->tsa) == -1 || load_key(o->key, &k->vkey) == -1)
		return -1;
	for (i = 0; i < o->ncrl; i++) {
		if (file_read_all(o->crl[i], CRL_MAX_FILE, &pem, &len) == -1) {
			log_warn("%s", o->crl[i]);
			return -1;
		}
		buf_append(&k->crls, pem, len);
		buf_puts(&k->crls, "\n");
		free(pem);
	}
	k->schemas_seen = material_new();
	if ((k->schemas = cmd_schemas(c, o->schema_dir, see_schema, k->schemas_seen)) == NULL)
		return -1;
	return (k->temp = temp_file()) == -1 ? -1 : 0;
}

static int
open_container(const char *file)
{
	struct stat st;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd == -1 || fstat(fd, &st) == -1)
		log_warn("%s", file);
	else if (S_ISREG(st.st_mode))
		return fd;
	else
		log_warnx("%s: not a regular file", file);
	if (fd != -1)
		(void)close(fd);
	return -1;
}

/* --- the verdict --------------------------------------------------------------------- */

static int
digest_all(struct evidence_check *k)
{
	size_t i, n = asic_count(k->r);

	k->sha256 = xcalloc(n, sizeof(*k->sha256));
	for (i = 0; i < n; i++)
		if (asic_copy(k->r, asic_entry(k->r, i), -1, k->sha256[i]) == -1) {
			evidence_say(k, 0, "structure", "%s cannot be unpacked", asic_entry(k->r, i));
			return -1;
		}
	evidence_say(k, 1, "structure", "an ASiC-E container of %zu entries", n);
	return 0;
}

static int
read_story(struct evidence_check *k)
{
	struct buf text = { 0 };
	const char *id;
	json_error_t e;

	if (asic_get(k->r, "evidence.json", EVIDENCE_MAX_SMALL, &text) == 0)
		k->story = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &e);
	buf_free(&text);
	id = json_string_value(json_object_get(json_object_get(k->story, "submission"), "id"));
	if (json_integer_value(json_object_get(k->story, "v")) != 1 || id == NULL || !uuid_ok(id)) {
		evidence_say(k, 0, "story", "evidence.json is absent, or is none of version 1");
		return -1;
	}
	(void)str_copy(k->submission, sizeof(k->submission), id);
	return 0;
}

/* What evidence.json tells of the size of a document or notice; 0 nothing. */
static long long
told_size(const struct evidence_check *k, const char *name)
{
	const json_t *list = json_object_get(k->story, "notices"), *n;
	const char *document = json_string_value(json_object_get(k->story, "document")), *file;
	size_t i;

	if (document != NULL && strcmp(document, name) == 0)
		return json_integer_value(json_object_get(json_object_get(k->story, "submission"), "size"));
	json_array_foreach(list, i, n)
		if ((file = json_string_value(json_object_get(n, "file"))) != NULL && strcmp(file, name) == 0)
			return json_integer_value(json_object_get(n, "size"));
	return 0;
}

/* Looked at before anything large is unpacked. */
static int
check_sizes(struct evidence_check *k)
{
	const char *name;
	long long size;
	size_t i;

	for (i = 0; i < asic_count(k->r); i++) {
		name = asic_entry(k->r, i);
		size = asic_size(k->r, i);
		if (size > EVIDENCE_MAX_OTHER && size > told_size(k, name)) {
			evidence_say(k, 0, "structure", "%s has %lld bytes, more than evidence.json tells of", name, size);
			return -1;
		}
	}
	return 0;
}

/* Where no manifest holds, what is in it is anybody's: it is not worth a look.  Least of all
 * where there is none. */
static void
judge(struct evidence_check *k, int fd)
{
	char why[WHY_SIZE];

	if ((k->r = asic_open(fd, why, sizeof(why))) == NULL) {
		evidence_say(k, 0, "structure", "%s", why);
		return;
	}
	if (!asic_has(k->r, ASIC_MANIFEST)) {
		evidence_say(k, 0, ASIC_MANIFEST, "there is none");
		return;
	}
	if (read_story(k) == -1 || check_sizes(k) == -1 || digest_all(k) == -1)
		return;
	evidence_check_manifest(k);
	if (k->bad > 0) {
		evidence_note(k, "what is in it is not judged any further");
		return;
	}
	evidence_check_trail(k);
	evidence_check_story(k);
	evidence_check_parts(k);
	evidence_check_documents(k);
	evidence_check_certificates(k);
}

static int
report(const struct cmd *c, const char *file, struct evidence_check *k)
{
	const char *result = k->bad == 0 ? "VALID" : "INVALID";
	char *shown = xstrdup(file);
	json_t *v;
	size_t i;

	text_clean(shown);
	if (k->trouble) {
		log_warnx("%s: could not be judged", shown);
		free(shown);
		return EXIT_ENVIRONMENT;
	}
	if (c->json) {
		cmd_json(json_pack("{s:s, s:s, s:s?, s:O, s:O}", "file", shown, "result", result, "submission",
		    k->submission[0] != '\0' ? k->submission : NULL, "checks", k->checks, "notes", k->notes));
	} else {
		printf("%s: %s\n", shown, result);
		json_array_foreach(k->checks, i, v)
			printf("  %-6s %s: %s\n", json_is_true(json_object_get(v, "ok")) ? "ok" : "FAILED",
			    json_string_value(json_object_get(v, "check")), json_string_value(json_object_get(v, "detail")));
		json_array_foreach(k->notes, i, v)
			printf("  note   %s\n", json_string_value(v));
	}
	free(shown);
	return k->bad == 0 ? EXIT_YES : EXIT_NO;
}

int
evidence_verify(struct cmd *c, int argc, char **argv)
{
	struct evidence_check k = { .temp = -1, .checks = json_array(), .notes = json_array(), .events = json_array() };
	struct options o = { NULL };
	int fd = -1, rc = EXIT_ENVIRONMENT;

	if (parse(&o, argc, argv) == -1)
		return cmd_usage(c);
	if ((fd = open_container(o.file)) == -1 || load_all(c, &o, &k) == -1)
		goto out;
	if (sandbox_enter(1, SB_STDIO | SB_FILEIO, NULL, 0) == -1)
		goto out;
	judge(&k, fd);
	fd = -1;
	rc = report(c, o.file, &k);
out:
	if (fd != -1)
		(void)close(fd);
	asic_close(k.r);
	free(k.sha256);
	if (k.temp != -1)
		(void)close(k.temp);
	trust_free(k.trust);
	trust_free(k.trust_plain);
	trust_free(k.tsa);
	free(k.vkey);
	buf_free(&k.crls);
	buf_free(&k.named);
	schema_set_free(k.schemas);
	material_free(k.schemas_seen);
	json_decref(k.story);
	json_decref(k.checks);
	json_decref(k.notes);
	json_decref(k.events);
	return rc;
}
