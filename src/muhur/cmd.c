/* SPDX-License-Identifier: ISC */
/* What every subcommand needs: settings, database, events, second words. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "depot/depot.h"
#include "model/cutoffs.h"
#include "model/ident.h"
#include "muhur/cmd.h"

#define ADMIN_ROLE	"muhur_admin"

const struct conf *
cmd_conf(struct cmd *c)
{
	if (c->conf == NULL) {
		c->conf = conf_load(c->conf_path);
		if (c->conf == NULL || cutoffs_check(c->conf) == -1) {
			log_warnx("%s: cannot be used as configuration; name another "
			    "with -c or MUHUR_CONF", c->conf_path);
			exit(EXIT_ENVIRONMENT);
		}
		if (c->conf->clock_offset != 0)
			clock_init(c->conf->clock_offset);
	}
	return c->conf;
}

int
cmd_db_up(struct cmd *c)
{
	return c->db.conn != NULL || db_connect_role(&c->db, cmd_conf(c), ADMIN_ROLE) == 0;
}

struct db *
cmd_db(struct cmd *c)
{
	if (!cmd_db_up(c)) {
		log_warnx("database: no connection as %s by %s; name another configuration "
		    "with -c or MUHUR_CONF, or see `muhur db status'", ADMIN_ROLE, c->conf_path);
		exit(EXIT_ENVIRONMENT);
	}
	return &c->db;
}

static void
print_usage(FILE *out, const char *usage, int first)
{
	fprintf(out, "%s muhur %s\n", first ? "usage:" : "      ", usage);
}

int
cmd_usage(const struct cmd *c)
{
	print_usage(c->help ? stdout : stderr, c->usage, 1);
	return c->help ? EXIT_YES : EXIT_USAGE;
}

static int
has_verbs(const struct cmd_verb *v)
{
	size_t len = strlen(v->usage);

	return len > 4 && strcmp(v->usage + len - 4, " ...") == 0;
}

int
cmd_dispatch(struct cmd *c, int argc, char **argv, const struct cmd_verb *verbs, size_t n)
{
	size_t i;

	for (i = 0; argc > 1 && i < n; i++) {
		if (strcmp(argv[1], verbs[i].name) != 0)
			continue;
		c->usage = verbs[i].usage;
		(void)snprintf(c->program, sizeof(c->program), "muhur: %s %s", argv[0], argv[1]);
		argv[1] = c->program;
		return c->help && !has_verbs(&verbs[i]) ? cmd_usage(c) : verbs[i].run(c, argc - 1, argv + 1);
	}
	if (argc > 1)
		log_warnx("%s %s: there is no such command", argv[0], argv[1]);
	for (i = 0; i < n; i++)
		print_usage(c->help ? stdout : stderr, verbs[i].usage, i == 0);
	return c->help ? EXIT_YES : EXIT_USAGE;
}

PGresult *
cmd_query(struct cmd *c, const char *sql, int nparams, const char *const *params)
{
	PGresult *res = db_query(cmd_db(c), NULL, sql, nparams, params);

	if (res == NULL)
		exit(EXIT_ENVIRONMENT);		/* db_query has said why */
	return res;
}

long
cmd_exec(struct cmd *c, const char *sql, int nparams, const char *const *params)
{
	long n = db_exec(cmd_db(c), sql, nparams, params);

	if (n == -1)
		exit(EXIT_ENVIRONMENT);
	return n;
}

void
cmd_begin(struct cmd *c)
{
	if (db_begin(cmd_db(c)) == -1)
		exit(EXIT_ENVIRONMENT);
}

void
cmd_commit(struct cmd *c)
{
	if (db_commit(cmd_db(c)) == -1)
		exit(EXIT_ENVIRONMENT);
}

void
cmd_event(struct cmd *c, const char *kind, const char *submission, json_t *detail)
{
	char now[TIME_SIZE];
	char *text;
	const char *params[] = { cmd_now(c, now), kind, submission, NULL };

	if (detail == NULL)
		detail = json_object();
	/* whose shell it was */
	json_object_set_new(detail, "uid", json_integer((json_int_t)getuid()));
	params[3] = text = json_dumps(detail, JSON_COMPACT | JSON_SORT_KEYS);
	if (text == NULL)
		fatalx("event: no memory");
	cmd_exec(c, "INSERT INTO muhur.event (at, kind, actor, submission, detail) "
	    "VALUES ($1, $2, 'operator', $3, $4::jsonb)", 4, params);
	free(text);
	json_decref(detail);
}

const char *
cmd_now(struct cmd *c, char *buf)
{
	(void)cmd_conf(c);		/* the clock's offset */
	time_format(clock_now(), buf);
	return buf;
}

int
cmd_gateway_runs(struct cmd *c)
{
	char *path = xasprintf("%s/port", cmd_conf(c)->state_dir);
	int there = access(path, F_OK) == 0 || errno != ENOENT;

	free(path);
	return there;
}

int
cmd_date_ok(const char *s)
{
	date_t d;

	if (date_parse(s, &d) == 0)
		return 0;
	log_warnx("%s: is no date; write YYYY-MM-DD", s);
	return -1;
}

int
cmd_member_ok(struct cmd *c, const char *code)
{
	const char *params[] = { code };
	PGresult *res = cmd_query(c, "SELECT FROM muhur.member WHERE code = $1", 1, params);
	int there = PQntuples(res) > 0;

	PQclear(res);
	if (there)
		return 0;
	log_warnx("%s: is no member; `muhur member list'", code);
	return -1;
}

int
cmd_registry_no_ok(const char *s)
{
	if (registry_no_ok(s))
		return 0;
	log_warnx("that is no registry number: it has %d digits", REGISTRY_NO_SIZE - 1);
	return -1;
}

void
cmd_done(const struct cmd *c, const char *did, const char *what)
{
	if (c->json)
		cmd_json(json_pack("{s:s, s:s}", "did", did, "what", what));
	else
		printf("%s: %s\n", what, did);
}

void
cmd_report_rights(struct cmd *c, const char *members, const char *what)
{
	char now[TIME_SIZE], day[DATE_SIZE], *sql;
	const char *params[] = { what, cmd_now(c, now), day };

	date_format(istanbul_date(clock_now()), day);
	sql = xasprintf("SELECT muhur.report_rights(m, $2::timestamptz, $3::date) FROM (%s ORDER BY 1) AS x (m)", members);
	PQclear(cmd_query(c, sql, 3, params));
	free(sql);
}

int
cmd_set_state(struct cmd *c, int argc, char **argv, const char *what, const char *from,
    const char *to, const char *event)
{
	if (argc != 2)
		return cmd_usage(c);
	cmd_begin(c);
	return cmd_change_state(c, argv, what, from, to, event);
}

int
cmd_change_state(struct cmd *c, char **argv, const char *what, const char *from,
    const char *to, const char *event)
{
	static const char *const change[] = {
		"UPDATE muhur.member SET state = $3 WHERE code = $1 AND state = $2",
		"SELECT FROM muhur.member_user u WHERE u.code = $1 AND u.state = $2 "
		    "AND muhur.set_user_state(u.code, $3, 'operator', $4::timestamptz)"
	};
	static const char *const look[] = {
		"SELECT state FROM muhur.member WHERE code = $1",
		"SELECT state FROM muhur.member_user WHERE code = $1"
	};
	char now[TIME_SIZE];
	const char *params[] = { argv[1], from, to, cmd_now(c, now) };
	int user = strcmp(what, "user") == 0;
	PGresult *res;

	if (cmd_exec(c, change[user], user ? 4 : 3, params) == 1) {
		cmd_event(c, event, NULL, json_pack("{s:s}", what, argv[1]));
		if (user)
			cmd_report_rights(c, "SELECT left($1, -3)", argv[1]);
		cmd_commit(c);
		cmd_done(c, to, argv[1]);
		return EXIT_YES;
	}
	res = cmd_query(c, look[user], 1, params);
	if (PQntuples(res) == 0)
		log_warnx("%s: is no %s; `muhur %s list'", argv[1], what, what);
	else
		log_warnx("%s: is %s, and only what is %s can become %s", argv[1], PQgetvalue(res, 0, 0), from, to);
	PQclear(res);
	return EXIT_NO;
}

int
cmd_store(struct cmd *c)
{
	char *path = xasprintf("%s/store", cmd_conf(c)->state_dir);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1) {
		log_warn("%s", path);
		exit(EXIT_ENVIRONMENT);
	}
	free(path);
	return fd;
}

/* From the store, or else from the file fallback; NULL, the cause logged. */
static struct depot_file *
open_document(struct cmd *c, const char *sha256, const char *fallback)
{
	struct depot_file *f = NULL;
	const char *from = fallback;
	int fd;

	errno = ENOENT;
	if (sha256 != NULL) {
		fd = cmd_store(c);
		f = depot_open(fd, sha256);
		(void)close(fd);
		if (f == NULL && (errno != ENOENT || fallback == NULL))
			from = sha256;
	}
	if (f == NULL && from != NULL && from == fallback &&
	    (fd = open(fallback, O_RDONLY | O_CLOEXEC)) != -1)
		f = depot_of(fd, DEPOT_PLAIN);
	if (f == NULL)
		log_warn("%s", from != NULL ? from : "document");
	return f;
}

/* Copies all of it; 0, or -1 with the cause logged. */
static int
copy_all(struct depot_file *in, const char *from, int out, const char *to)
{
	char *chunk = xcalloc(1, 1 << 16);
	ssize_t n;
	int rc = -1;

	while ((n = depot_read(in, chunk, 1 << 16)) > 0)
		if (write_full(out, chunk, (size_t)n) == -1) {
			log_warn("%s", to);
			goto out;
		}
	if (n == -1 && errno == EBADMSG)
		log_warnx("%s: its compressed form is broken; restore the file from a backup", from);
	else if (n == -1)
		log_warn("%s", from);
	else
		rc = 0;
out:
	free(chunk);
	return rc;
}

int
cmd_copy_out(struct cmd *c, const char *sha256, const char *fallback, const char *path)
{
	const char *what = sha256 != NULL ? sha256 : fallback;
	char hex[SHA256_HEX_SIZE];
	struct depot_file *in;
	int out = -1, made = 0, rc = EXIT_ENVIRONMENT;

	if ((in = open_document(c, sha256, fallback)) == NULL)
		goto out;
	if (path == NULL || strcmp(path, "-") == 0) {
		path = "standard output";
		out = dup(STDOUT_FILENO);
	} else {
		out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
		made = out != -1;
	}
	if (out == -1) {
		if (errno == EEXIST)
			log_warnx("%s: exists already; it is not replaced", path);
		else
			log_warn("%s", path);
		goto out;
	}
	if (copy_all(in, what, out, path) == -1)
		goto out;
	depot_digest(in, hex);
	if (sha256 != NULL && strcmp(hex, sha256) != 0) {
		log_warnx("%s: its bytes do not have the recorded SHA-256; do not use "
		    "this copy, restore the file from a backup", sha256);
		goto out;
	}
	if (close(out) == -1) {
		out = -1;
		log_warn("%s", path);
		goto out;
	}
	out = -1;
	rc = EXIT_YES;
out:
	depot_close(in);
	if (out != -1)
		close(out);
	if (made && rc != EXIT_YES)
		(void)unlink(path);
	return rc;
}
