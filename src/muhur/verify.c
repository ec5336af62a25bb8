/* SPDX-License-Identifier: ISC */
/*
 * muhur verify: what the gateway's verification says of a file, for anybody:
 * no daemon, no database, no network.  The same code in the same sandbox.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sandbox.h"
#include "document/pipeline.h"
#include "model/ident.h"
#include "muhur/cmd.h"
#include "muhur/progress.h"

#define PEM_MAX_SIZE	(64 * 1024 * 1024)
#define CRL_FILES_MAX	64
#define POLICIES_MAX	64
/* The gateway's defaults (muhur.conf(5)); judged where --at names the receipt. */
#define TIME_PAST	172800
#define TIME_FUTURE	300

struct options {
	const char	*trust;
	const char	*tsa;
	const char	*crl[CRL_FILES_MAX];
	int		 ncrl;
	const char	*schema_dir;
	struct signature_policy policies[POLICIES_MAX];
	int		 signature_only;
	int		 at_given;
	struct document_settings s;
};

/* --- what is read before the sandbox --------------------------------------- */

/* Anchors of a file, with the lists of all --crl. */
static int
load_trust(const struct options *o, const char *anchors, struct trust **out)
{
	struct trust *t = NULL;
	char *pem = NULL;
	size_t len;
	int i, rc = -1;

	if (file_read_all(anchors, PEM_MAX_SIZE, &pem, &len) == -1) {
		log_warn("%s", anchors);
		goto out;
	}
	if ((t = trust_new(pem, len)) == NULL) {
		log_warnx("%s: holds no usable certificates", anchors);
		goto out;
	}
	for (i = 0; i < o->ncrl; i++) {
		free(pem);
		pem = NULL;
		if (file_read_all(o->crl[i], PEM_MAX_SIZE, &pem, &len) == -1) {
			log_warn("%s", o->crl[i]);
			goto out;
		}
		if (trust_add_crls(t, pem, len) == -1) {
			log_warnx("%s: holds no usable revocation list", o->crl[i]);
			goto out;
		}
	}
	*out = t;
	t = NULL;
	rc = 0;
out:
	free(pem);
	trust_free(t);
	return rc;
}

/* A directory of .xsd files, or one that has them in its xml/. */
static int
open_schema_dir(const char *dir)
{
	char *sub = xasprintf("%s/xml", dir);
	int fd = open(sub, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1)
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(sub);
	return fd;
}

/* Of a program that stands in a build tree or was moved with its prefix. */
static int
open_schemas_nearby(void)
{
	static const char *const places[] = { "../share/muhur/schemas", "../../schemas",
	    "../../../schemas" };
	char exe[PATH_MAX], *path, *slash;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	size_t i;
	int fd = -1;

	if (n <= 0)
		return -1;
	exe[n] = '\0';
	if ((slash = strrchr(exe, '/')) != NULL)
		*slash = '\0';
	for (i = 0; i < sizeof(places) / sizeof(places[0]) && fd == -1; i++) {
		path = xasprintf("%s/%s", exe, places[i]);
		fd = open_schema_dir(path);
		free(path);
	}
	return fd;
}

/* --schema-dir, else those the configuration names, else the installed ones. */
struct schema_set *
cmd_schemas(struct cmd *c, const char *named, void (*seen)(void *, const char *, const void *, size_t), void *arg)
{
	struct schema_set *set;
	const char *dir = named;
	int fd = -1;

	if (dir != NULL)
		fd = open_schema_dir(dir);
	else if (access(c->conf_path, R_OK) == 0)
		fd = open_schema_dir(dir = cmd_conf(c)->schema_dir);
	else if ((fd = open_schema_dir(dir = MUHUR_DATADIR "/schemas")) == -1)
		fd = open_schemas_nearby();
	if (fd == -1) {
		log_warn("%s", dir);
		if (named == NULL)
			log_warnx("no schemas: name them with --schema-dir%s", strcmp(c->program, "muhur: verify") == 0 ?
			    ", or use --signature-only" : "");
		return NULL;
	}
	set = schema_set_load_seen(fd, seen, arg);
	close(fd);
	return set;
}

/* Reading the named files, and nothing else. */
static int
enter_sandbox(int n, char **files)
{
	struct sandbox_path *paths = xcalloc((size_t)n, sizeof(*paths));
	int i, rc;

	for (i = 0; i < n; i++)
		paths[i] = (struct sandbox_path){ .fd = -1, .path = files[i], .access = SB_READ };
	rc = sandbox_enter(1, SB_STDIO | SB_RPATH, paths, (size_t)n);
	free(paths);
	return rc;
}

/* --- printing ------------------------------------------------------------ */

static json_t *
text_or_null(const char *s)
{
	return *s != '\0' ? json_string(s) : json_null();
}

static json_t *
signer_json(const struct document_verdict *v)
{
	if (v->cert_sha256[0] == '\0')
		return json_null();
	return json_pack("{s:s, s:s, s:s, s:s}", "subject", v->signer_subject, "issuer",
	    v->signer_issuer, "serial", v->signer_serial, "certificateSha256", v->cert_sha256);
}

static json_t *
timestamp_json(const struct timestamp *t)
{
	char at[TIME_SIZE] = "";

	if (t->state == TIMESTAMP_NONE)
		return json_null();
	if (t->at != 0)
		time_format(t->at, at);
	return json_pack("{s:s, s:o, s:o, s:o}", "state", timestamp_state_name(t->state), "time",
	    text_or_null(at), "authority", text_or_null(t->authority), "why", text_or_null(t->why));
}

/* reasons: each code once, in order; details: all of them. */
static void
add_reasons(json_t *o, const struct reasons *rs)
{
	json_t *codes = json_array(), *details = json_array();
	size_t i;

	for (i = 0; i < rs->n; i++) {
		const struct reason *r = &rs->v[i];
		const struct reason_info *info = reason_info(r->code);

		if (i == 0 || r->code != rs->v[i - 1].code)
			json_array_append_new(codes, json_string(info->name));
		json_array_append_new(details, json_pack("{s:s, s:o, s:o, s:s, s:s}", "code", info->name,
		    "line", r->line > 0 ? json_integer(r->line) : json_null(), "path",
		    text_or_null(r->path), "detail", r->detail, "text", info->text_en));
	}
	json_object_set_new(o, "reasons", codes);
	json_object_set_new(o, "details", details);
}

static void
print_json(const char *file, const struct document_verdict *v, int policies)
{
	char when[TIME_SIZE] = "";
	json_t *o = json_object();

	if (v->signing_time != 0)
		time_format(v->signing_time, when);
	json_object_set_new(o, "file", json_string(file));
	json_object_set_new(o, "result", json_string(v->reasons.n == 0 ? "VALID" : "INVALID"));
	add_reasons(o, &v->reasons);
	json_object_set_new(o, "sha256", json_string(v->sha256));
	json_object_set_new(o, "size", json_integer(v->size));
	json_object_set_new(o, "root", text_or_null(v->root));
	json_object_set_new(o, "signer", signer_json(v));
	json_object_set_new(o, "signingTime", text_or_null(when));
	json_object_set_new(o, "policy", text_or_null(v->policy));
	json_object_set_new(o, "policyJudged", json_boolean(policies));
	json_object_set_new(o, "timestamp", timestamp_json(&v->timestamp));
	json_object_set_new(o, "revocation", json_string(revocation_name(v->revocation)));
	cmd_json(o);
}

static void
print_reason(const struct reason *r)
{
	const struct reason_info *info = reason_info(r->code);

	printf("  %s", info->name);
	if (r->line > 0)
		printf(" at line %ld", r->line);
	if (r->path[0] != '\0')
		printf(" in %s", r->path);
	printf(": %s\n", r->detail[0] != '\0' ? r->detail : info->text_en);
}

static void
print_timestamp(const struct timestamp *t)
{
	char at[TIME_SIZE];

	if (t->state == TIMESTAMP_GOOD) {
		time_format(t->at, at);
		printf("  time-stamp  %s, by %s\n", at, t->authority);
	} else if (t->state != TIMESTAMP_NONE)
		printf("  time-stamp  %s: %s\n", t->state == TIMESTAMP_BAD ?
		    "does not verify, and does not count" : "not judged", t->why);
}

static void
print_text(const char *file, const struct document_verdict *v, int crls, int policies)
{
	char when[TIME_SIZE];
	size_t i;

	printf("%s: %s\n", file, v->reasons.n == 0 ? "VALID" : "INVALID");
	for (i = 0; i < v->reasons.n; i++)
		print_reason(&v->reasons.v[i]);
	if (v->reasons.n > 0)
		printf("  what to do: %s\n", reason_info(v->reasons.v[0].code)->action_en);
	if (v->cert_sha256[0] != '\0')
		printf("  %s%s\n  issuer      %s\n  serial      %s\n",
		    reasons_stage(&v->reasons) <= STAGE_SIGNATURE ? "claims to be from " : "signer      ",
		    v->signer_subject, v->signer_issuer, v->signer_serial);
	if (v->signing_time != 0) {
		time_format(v->signing_time, when);
		printf("  signed at   %s\n", when);
	}
	if (v->policy[0] != '\0')
		printf("  policy      %s%s\n", v->policy, policies ? "" :
		    " (whether it is taken is not judged: none was given with --policy)");
	print_timestamp(&v->timestamp);
	printf("  SHA-256     %s\n", v->sha256);
	if (crls == 0)
		printf("  revocation  not judged: no revocation list was given with --crl\n");
	else
		printf("  revocation  %s\n", v->revocation == REVOCATION_NOT_JUDGED ? "not judged" :
		    revocation_name(v->revocation));
}

/* --- the command --------------------------------------------------------- */

static int
verify_file(struct cmd *c, const struct options *o, const char *file)
{
	struct document_verdict *v = NULL;
	struct stat st;
	char *shown = NULL;
	int fd, judged, rc = EXIT_ENVIRONMENT;

	if ((fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1 || fstat(fd, &st) == -1) {
		log_warn("%s", file);
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		log_warnx("%s: not a regular file", file);
		goto out;
	}
	v = xcalloc(1, sizeof(*v));
	progress_begin(st.st_size);
	judged = document_judge(fd, &o->s, NULL, v);
	progress_end();
	if (judged == -1) {
		log_warnx("%s: could not be judged", file);
		goto out;
	}
	shown = xstrdup(file);
	text_clean(shown);	/* a name may hold anything, a line saying VALID as well */
	if (c->json)
		print_json(shown, v, o->s.policies != NULL);
	else
		print_text(shown, v, o->ncrl, o->s.policies != NULL);
	rc = v->reasons.n == 0 ? EXIT_YES : EXIT_NO;
out:
	if (fd != -1)
		close(fd);
	free(shown);
	free(v);
	return rc;
}

/* 0, or -1 on wrong use (said). */
static int
take_option(struct options *o, int opt)
{
	int zoned;

	switch (opt) {
	case 't':
		o->trust = optarg;
		return 0;
	case 'T':
		o->tsa = optarg;
		return 0;
	case 'r':
		if (o->ncrl == CRL_FILES_MAX) {
			log_warnx("--crl: more than %d files", CRL_FILES_MAX);
			return -1;
		}
		o->crl[o->ncrl++] = optarg;
		return 0;
	case 'y':
		if (o->s.npolicies < POLICIES_MAX &&
		    signature_policy_parse(optarg, &o->policies[o->s.npolicies]) == 0) {
			o->s.npolicies++;
			return 0;
		}
		log_warnx("--policy: \"%s\" is neither an OID nor OID=sha256:HEX, or they are too many",
		    optarg);
		return -1;
	case 'a':
		o->at_given = 1;
		if (time_parse(optarg, &o->s.at, &zoned) == 0)
			return 0;
		log_warnx("--at: \"%s\" is no RFC 3339 time", optarg);
		return -1;
	case 's':
		o->schema_dir = optarg;
		return 0;
	case 'o':
		o->signature_only = 1;
		return 0;
	case 'p':
		o->s.profile = strcmp(optarg, "xmldsig") == 0 ? PROFILE_XMLDSIG : PROFILE_XADES;
		if (o->s.profile == PROFILE_XMLDSIG || strcmp(optarg, "xades") == 0)
			return 0;
		log_warnx("--profile: xades or xmldsig, not \"%s\"", optarg);
		return -1;
	default:
		return -1;
	}
}

static int
parse(struct options *o, int argc, char **argv)
{
	static const struct option names[] = {
		{ "trust", required_argument, NULL, 't' }, { "crl", required_argument, NULL, 'r' },
		{ "at", required_argument, NULL, 'a' }, { "schema-dir", required_argument, NULL, 's' },
		{ "signature-only", no_argument, NULL, 'o' },
		{ "profile", required_argument, NULL, 'p' },
		{ "policy", required_argument, NULL, 'y' },
		{ "tsa", required_argument, NULL, 'T' }, { NULL, 0, NULL, 0 }
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "", names, NULL)) != -1)
		if (take_option(o, opt) == -1)
			return -1;
	if (o->trust == NULL || optind == argc)
		return -1;
	/* Offline the receipt is known only where --at tells it; a notice of last
	 * year is as valid as it was. */
	o->s.signing_time_past = o->at_given && !o->signature_only ? TIME_PAST : -1;
	o->s.signing_time_future = TIME_FUTURE;
	o->s.policies = o->s.npolicies > 0 ? o->policies : NULL;
	o->s.any_document = 1;
	o->s.require_crl = o->ncrl > 0;
	return 0;
}

int
cmd_verify(struct cmd *c, int argc, char **argv)
{
	struct options o = { .trust = NULL };
	struct schema_set *schemas = NULL;
	struct trust *trust = NULL, *tsa = NULL;
	int i, one, rc = EXIT_ENVIRONMENT;

	o.s.at = clock_now();
	if (parse(&o, argc, argv) == -1)
		return cmd_usage(c);
	if (document_init() == -1 || load_trust(&o, o.trust, &trust) == -1 ||
	    (o.tsa != NULL && load_trust(&o, o.tsa, &tsa) == -1))
		goto out;
	if (!o.signature_only && (schemas = cmd_schemas(c, o.schema_dir, NULL, NULL)) == NULL)
		goto out;
	o.s.trust = trust;
	o.s.tsa = tsa;
	o.s.schemas = schemas;
	progress_setup();
	if (enter_sandbox(argc - optind, argv + optind) == -1)
		goto out;
	rc = EXIT_YES;
	for (i = optind; i < argc; i++) {
		one = verify_file(c, &o, argv[i]);
		if (one == EXIT_ENVIRONMENT || rc == EXIT_YES)
			rc = one;
	}
out:
	trust_free(trust);
	trust_free(tsa);
	schema_set_free(schemas);
	return rc;
}
