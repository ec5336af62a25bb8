/* SPDX-License-Identifier: ISC */
/*
 * muhur crl: fetches revocation lists, checks them, and swaps those in force in
 * one rename; then every enrolled certificate's state is what they say.  Run by
 * a timer, outside the processes that judge documents: those have no network.
 */
#include "config.h"

#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "document/pipeline.h"
#include "muhur/cmd.h"
#include "muhur/crl.h"
#include "muhur/enrol.h"
#include "muhur/fetch.h"

#define WHY_SIZE	768	/* an issuer's name and more */

struct refresh {
	struct cmd	*c;
	const struct conf *conf;
	struct trust	*trust[MEMBER_KIND_COUNT + 1];	/* the last: tsa_anchors; NULL: not set */
	struct crl_set	 set;
	int		 dir;		/* crl_dir, locked; -1 none */
	usec_t		 now;
	int		 changed, refused, failed;
};

/* --- what is in force -------------------------------------------------------- */

/* A file that is not there is empty. */
static int
take_file(struct crl_set *set, const char *path)
{
	char *pem;
	size_t len;
	int rc;

	if (file_read_all(path, CRL_MAX_FILE, &pem, &len) == -1) {
		if (errno == ENOENT)
			return 0;
		log_warn("%s", path);
		return -1;
	}
	rc = len == 0 ? 0 : crl_set_read(set, pem, len);
	if (rc == -1)
		log_warnx("%s: is no file of CRLs in PEM form", path);
	free(pem);
	return rc;
}

int
crl_in_force(const struct conf *conf, struct crl_set *set)
{
	char *path;
	int rc = 0;

	if (conf->crl_dir != NULL) {
		path = xasprintf("%s/%s", conf->crl_dir, CRL_FETCHED);
		rc = take_file(set, path);
		free(path);
	}
	return rc == -1 ? -1 : take_file(set, conf->crl_file);
}

/* --- refresh --------------------------------------------------------------- */

static void
report(struct refresh *r, const char *source, const char *result, const struct crl *crl, const char *why)
{
	char from[TIME_SIZE] = "", to[TIME_SIZE] = "";

	if (crl != NULL) {
		time_format(crl->this_update, from);
		time_format(crl->next_update, to);
	}
	if (r->c->json)
		cmd_json(json_pack("{s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?}", "source", source,
		    "result", result, "issuer", crl != NULL ? crl->issuer : NULL,
		    "number", crl != NULL && crl->number[0] != '\0' ? crl->number : NULL,
		    "thisUpdate", crl != NULL ? from : NULL, "nextUpdate", crl != NULL ? to : NULL,
		    "sha256", crl != NULL ? crl->sha256 : NULL, "reason", why));
	else if (why == NULL && crl != NULL)
		printf("%s: %s: number %s of %s, until %.19sZ\n", source, result,
		    crl->number[0] != '\0' ? crl->number : "-", crl->issuer, to);
	if (why != NULL)
		log_warnx("%s: %s", source, why);
}

/* Whose it is by the anchors of any kind of member; what is said is said by
 * those that come nearest to it. */
static int
judge(const struct refresh *r, const struct crl *crl, char why[WHY_SIZE])
{
	enum crl_signature best = CRL_ISSUER_UNKNOWN, one;
	int k, at = 0;

	for (k = 0; k <= MEMBER_KIND_COUNT; k++)
		if (r->trust[k] != NULL && (one = trust_crl_signature(r->trust[k], crl->x)) > best) {
			best = one;
			at = k;
		}
	return crl_judge(crl, r->trust[at], r->now, why, WHY_SIZE);
}

static int
load_trust(struct refresh *r)
{
	int k;

	for (k = 0; k < MEMBER_KIND_COUNT; k++)
		if ((r->trust[k] = enrol_trust(r->conf, (enum member_kind)k)) == NULL)
			return -1;
	if (r->conf->tsa_anchors != NULL && (r->trust[k] = enrol_anchors("tsa_anchors", r->conf->tsa_anchors)) == NULL)
		return -1;
	return 0;
}

/* An expired one is taken too, where it is newer: it still tells who is revoked. */
static void
take(struct refresh *r, const char *source, const char *data, size_t len)
{
	struct crl crl, shown;
	char why[WHY_SIZE];

	if (crl_read(&crl, data, len, why, sizeof(why)) == -1) {
		r->refused = 1;
		report(r, source, "refused", NULL, why);
		return;
	}
	shown = crl;		/* the set takes its CRL, not these texts */
	if (judge(r, &crl, why) == -1) {
		r->refused = 1;
		report(r, source, "refused", &shown, why);
		crl_free(&crl);
		return;
	}
	switch (crl_set_take(&r->set, &crl, why, sizeof(why))) {
	case CRL_TAKEN:
		r->changed = 1;
		report(r, source, "new", &shown, NULL);
		break;
	case CRL_HELD_ALREADY:
		report(r, source, "unchanged", &shown, NULL);
		break;
	case CRL_NOT_NEWER:
		r->refused = 1;
		report(r, source, "refused", &shown, why);
		break;
	}
	crl_free(&crl);
}

static void
fetch_all(struct refresh *r)
{
	struct fetch f = { .timeout = r->conf->crl_timeout, .max_size = r->conf->crl_max_size,
	    .limit = "crl_max_size" };
	struct crl_sources s = { 0 };
	struct buf body = { 0 };
	char why[WHY_SIZE];
	size_t i;

	crl_sources_find(r->c, &s);
	for (i = 0; i < s.n; i++) {
		f.local = !s.v[i].named_by_certificate;
		buf_reset(&body);
		if (fetch_url(&f, s.v[i].url, &body, why, sizeof(why)) == 0) {
			take(r, s.v[i].url, body.data, body.len);
			continue;
		}
		r->failed = 1;
		report(r, s.v[i].url, "failed", NULL, why);
	}
	buf_free(&body);
	crl_sources_free(&s);
}

/* What does not hold any more (the anchors may have changed) is left behind. */
static void
drop_unusable(struct refresh *r)
{
	struct crl_set kept = { 0 };
	char why[WHY_SIZE];
	size_t i;

	for (i = 0; i < r->set.n; i++) {
		if (judge(r, &r->set.v[i], why) == 0)
			(void)crl_set_take(&kept, &r->set.v[i], why, sizeof(why));
		else
			log_warnx("CRL of %s in force: %s: it is dropped", r->set.v[i].issuer, why);
	}
	crl_set_free(&r->set);
	r->set = kept;
}

/* Everything at once: a reader has the old ones or the new ones. */
static int
swap(struct refresh *r)
{
	struct buf pem = { 0 };
	int rc = 0;

	crl_set_write(&r->set, &pem);
	if (pem.len > CRL_MAX_FILE) {
		log_warnx("crl_dir %s: all CRLs together would be larger than %d bytes", r->conf->crl_dir, CRL_MAX_FILE);
		rc = -1;
	} else if (file_write_durable(r->dir, CRL_FETCHED, pem.data, pem.len, 0644) == -1) {
		log_warn("crl_dir %s: %s", r->conf->crl_dir, CRL_FETCHED);
		rc = -1;
	}
	buf_free(&pem);
	return rc;
}

/* Two at once would each write what it knows. */
static int
lock_dir(struct refresh *r)
{
	r->dir = open(r->conf->crl_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->dir == -1 || flock(r->dir, LOCK_EX | LOCK_NB) == -1) {
		if (r->dir != -1 && errno == EWOULDBLOCK)
			log_warnx("crl_dir %s: another refresh is at work", r->conf->crl_dir);
		else
			log_warn("crl_dir %s", r->conf->crl_dir);
		return -1;
	}
	return 0;
}

/* The swap comes before the database: documents must not wait for that. */
static int
refresh_all(struct refresh *r)
{
	int rc;

	if (r->conf->crl_dir != NULL && lock_dir(r) == -1)
		return EXIT_ENVIRONMENT;
	if (document_init() == -1 || load_trust(r) == -1 ||
	    crl_in_force(r->conf, &r->set) == -1)
		return EXIT_ENVIRONMENT;
	drop_unusable(r);
	if (r->conf->crl_dir != NULL) {
		fetch_all(r);
		if (r->changed && swap(r) == -1)
			return EXIT_ENVIRONMENT;
	}
	if ((rc = crl_write_states(r->c, &r->set)) == EXIT_ENVIRONMENT)
		return rc;
	return r->refused || rc == EXIT_NO ? EXIT_NO : r->failed ? EXIT_ENVIRONMENT : EXIT_YES;
}

static int
crl_refresh(struct cmd *c, int argc, char **argv)
{
	struct refresh r = { .c = c, .dir = -1 };
	int rc, k;

	(void)argv;
	if (argc != 1)
		return cmd_usage(c);
	r.conf = cmd_conf(c);
	r.now = clock_now();
	rc = refresh_all(&r);
	crl_set_free(&r.set);
	for (k = 0; k <= MEMBER_KIND_COUNT; k++)
		trust_free(r.trust[k]);
	if (r.dir != -1)
		(void)close(r.dir);
	return rc;
}

/* --- list -------------------------------------------------------------------- */

static int
crl_list(struct cmd *c, int argc, char **argv)
{
	char from[TIME_SIZE], to[TIME_SIZE];
	struct crl_set set = { 0 };
	const struct crl *crl;
	int revoked;
	size_t i;

	(void)argv;
	if (argc != 1)
		return cmd_usage(c);
	if (crl_in_force(cmd_conf(c), &set) == -1) {
		crl_set_free(&set);
		return EXIT_ENVIRONMENT;
	}
	for (i = 0; i < set.n; i++) {
		crl = &set.v[i];
		time_format(crl->this_update, from);
		time_format(crl->next_update, to);
		revoked = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl->x));
		if (revoked < 0)
			revoked = 0;
		if (c->json)
			cmd_json(json_pack("{s:s, s:s?, s:b, s:s, s:s, s:i, s:s}", "issuer", crl->issuer,
			    "number", crl->number[0] != '\0' ? crl->number : NULL, "delta", crl->delta,
			    "thisUpdate", from, "nextUpdate", to, "revoked", revoked, "sha256", crl->sha256));
		else
			printf("%s: number %s%s, from %.19sZ until %.19sZ, %d revoked\n", crl->issuer,
			    crl->number[0] != '\0' ? crl->number : "-", crl->delta ? " (delta)" : "", from, to, revoked);
	}
	crl_set_free(&set);
	return EXIT_YES;
}

/* One that was in force, as its issuer gave it out: DER. */
static int
crl_get(struct cmd *c, int argc, char **argv)
{
	const char *params[] = { argc > 1 ? argv[1] : NULL };
	unsigned char *der = NULL;
	int fd = -1, rc = EXIT_ENVIRONMENT;
	PGresult *res;
	size_t len;

	if (argc != 2 && argc != 3)
		return cmd_usage(c);
	res = cmd_query(c, "SELECT der FROM muhur.crl WHERE sha256 = $1", 1, params);
	if (PQntuples(res) == 0) {
		log_warnx("%s: no such CRL is kept", argv[1]);
		rc = EXIT_NO;
		goto out;
	}
	fd = argc == 2 || strcmp(argv[2], "-") == 0 ? dup(STDOUT_FILENO) :
	    open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if ((der = PQunescapeBytea((const unsigned char *)PQgetvalue(res, 0, 0), &len)) == NULL)
		fatalx("CRL %s: no memory", argv[1]);
	if (fd == -1 || write_full(fd, der, len) == -1)
		log_warn("%s", argc == 2 ? "standard output" : argv[2]);
	else
		rc = EXIT_YES;
out:
	if (fd != -1)
		(void)close(fd);
	PQfreemem(der);
	PQclear(res);
	return rc;
}

int
cmd_crl(struct cmd *c, int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
		{ "refresh", crl_refresh, "crl refresh" },
		{ "list", crl_list, "crl list" },
		{ "get", crl_get, "crl get SHA256 [OUT]" },
	};

	return cmd_dispatch(c, argc, argv, verbs, sizeof(verbs) / sizeof(verbs[0]));
}
