/* SPDX-License-Identifier: ISC */
/*
 * For unit tests that need a database: pgtest_begin as main's first call runs
 * the program anew under tests/unit/pgtest.sh, which gives it a private
 * PostgreSQL; pgtest_conf is a configuration that reaches it as the owner
 * (trusted over the socket; any password will do); pgtest_install does what
 * `muhur db init' does.  Call log_init and clock_init before.
 */
#ifndef MUHUR_TESTS_PGTEST_H
#define MUHUR_TESTS_PGTEST_H

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/fdio.h"
#include "pg/admin.h"
#include "pg/migrate.h"

static inline const char *
pgtest_srcdir(void)
{
	const char	*dir = getenv("srcdir");	/* set by automake's test driver */

	return dir == NULL ? "." : dir;
}

static inline void
pgtest_begin(char *argv[])
{
	char	 script[4096];

	if (getenv("PGTEST_DIR") != NULL)
		return;
	(void)snprintf(script, sizeof(script), "%s/tests/unit/pgtest.sh", pgtest_srcdir());
	execl("/bin/sh", "sh", script, argv[0], (char *)NULL);
	err(1, "%s", script);
}

/* Strings live as long as the process. */
static inline void
pgtest_conf(struct conf *conf)
{
	static char	 schemas[4096], database[] = "muhur";

	memset(conf, 0, sizeof(*conf));
	(void)snprintf(schemas, sizeof(schemas), "%s/schemas", pgtest_srcdir());
	conf->db_host = getenv("PGTEST_DIR");
	conf->db_port = atoi(getenv("PGTEST_PORT"));
	conf->db_name = database;
	conf->db_owner = getenv("PGTEST_OWNER");
	conf->secrets_dir = getenv("PGTEST_DIR");
	conf->schema_dir = schemas;
	conf->cutoff_hour = 12;
	conf->own_table_records = 1000000;
	conf->outbox_retention = 7 * 24 * 3600;
}

static inline void
pgtest_install(const struct conf *conf)
{
	struct db	 db = { 0 };
	int		 dir;

	dir = open(conf->secrets_dir, O_RDONLY | O_DIRECTORY);
	if (dir == -1 || file_write_durable(dir, "muhur_owner.password", "x\n", 2, 0600) == -1)
		err(1, "%s", conf->secrets_dir);
	close(dir);
	if (admin_create(conf) == -1 || admin_connect(&db, conf) == -1 ||
	    migrations_apply(&db, conf, NULL) == -1)
		errx(1, "the database could not be made");
	db_close(&db);
}

#endif
