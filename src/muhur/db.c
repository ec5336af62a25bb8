/* SPDX-License-Identifier: ISC */
/* muhur db: make the database and its roles, run migrations, say how it stands. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "muhur/cmd.h"
#include "pg/admin.h"
#include "pg/migrate.h"

static int quiet;	/* --json: one object at the end instead of a line each */

static void
print_applied(const struct migration *m)
{
	if (!quiet)
		printf("applied %s\n", m->name);
}

static int
connect_owner(struct cmd *c, struct db *db)
{
	if (admin_connect(db, cmd_conf(c)) == 0)
		return 0;
	log_warnx("database %s: no connection as its owner %s; has `muhur db init' been run?",
	    cmd_conf(c)->db_name, cmd_conf(c)->db_owner);
	return -1;
}

/* As the owner: what it did to the database is told in it. */
static int
record_migration(struct cmd *c, struct db *db, int count)
{
	char now[TIME_SIZE], *detail;
	const char *params[2] = { cmd_now(c, now), NULL };
	long n;

	params[1] = detail = xasprintf("{\"applied\":%d,\"uid\":%ld}", count, (long)getuid());
	n = db_exec(db, "INSERT INTO muhur.event (at, kind, actor, detail) VALUES ($1, 'database-migrated', "
	    "'operator', $2::jsonb)", 2, params);
	free(detail);
	return n == 1 ? count : -1;
}

static int
run_migrations(struct cmd *c)
{
	struct db	 db = { 0 };
	int		 count = -1;

	quiet = c->json;
	if (connect_owner(c, &db) == 0)
		count = migrations_apply(&db, cmd_conf(c), print_applied);
	if (count > 0)
		count = record_migration(c, &db, count);
	db_close(&db);
	if (count == -1)
		return EXIT_ENVIRONMENT;
	if (c->json)
		cmd_json(json_pack("{s:s, s:i}", "database", cmd_conf(c)->db_name, "applied", count));
	else if (count == 0)
		printf("database %s: nothing to do\n", cmd_conf(c)->db_name);
	return EXIT_YES;
}

static int
db_init(struct cmd *c, int argc, char **argv)
{
	(void)argv;
	if (argc != 1)
		return cmd_usage(c);
	if (admin_create(cmd_conf(c)) == -1)
		return EXIT_ENVIRONMENT;
	return run_migrations(c);
}

static int
db_migrate(struct cmd *c, int argc, char **argv)
{
	struct db	 db = { 0 };
	int		 rc;

	(void)argv;
	if (argc != 1)
		return cmd_usage(c);
	rc = connect_owner(c, &db);
	db_close(&db);
	/* a newer version may want roles and secrets that an older one had not */
	if (rc == -1 || admin_create(cmd_conf(c)) == -1)
		return EXIT_ENVIRONMENT;
	return run_migrations(c);
}

static const char *
standing(const struct migration *m)
{
	if (m->applied_at[0] == '\0')
		return "pending";
	return m->differs ? "changed" : "applied";
}

static void
print_status(const struct cmd *c, const char *database, const struct migrations *m)
{
	json_t	*list;
	size_t	 i;

	if (c->json) {
		list = json_array();
		for (i = 0; i < m->n; i++)
			(void)json_array_append_new(list, json_pack("{s:s, s:s, s:s}",
			    "name", m->v[i].name, "state", standing(&m->v[i]),
			    "appliedAt", m->v[i].applied_at));
		cmd_json(json_pack("{s:s, s:i, s:i, s:i, s:o}", "database", database,
		    "version", m->version, "pending", (int)m->pending,
		    "changed", (int)m->differing, "migrations", list));
		return;
	}
	printf("database %s: version %d, %zu pending%s\n", database, m->version, m->pending,
	    m->differing > 0 ? ", applied files have CHANGED" : "");
	for (i = 0; i < m->n; i++)
		printf("  %-8s %s%s%s\n", standing(&m->v[i]), m->v[i].name,
		    m->v[i].applied_at[0] != '\0' ? "  " : "", m->v[i].applied_at);
}

static int
db_status(struct cmd *c, int argc, char **argv)
{
	struct migrations	 m = { 0 };
	struct db		 db = { 0 };
	int			 rc = EXIT_ENVIRONMENT;

	(void)argv;
	if (argc != 1)
		return cmd_usage(c);
	if (connect_owner(c, &db) == 0 && migrations_read(&m, &db, cmd_conf(c)) == 0) {
		print_status(c, cmd_conf(c)->db_name, &m);
		rc = m.pending > 0 || m.differing > 0 ? EXIT_NO : EXIT_YES;
	}
	migrations_free(&m);
	db_close(&db);
	return rc;
}

int
cmd_db_admin(struct cmd *c, int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
		{ "init", db_init, "db init" },
		{ "migrate", db_migrate, "db migrate" },
		{ "status", db_status, "db status" },
	};

	return cmd_dispatch(c, argc, argv, verbs, sizeof(verbs) / sizeof(verbs[0]));
}
