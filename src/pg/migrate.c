/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "pg/migrate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"

#define MIGRATION_FILE_MAX (16 * 1024 * 1024)	/* bytes */

/* NNN-name.sql, NNN from 001; 0 where it is none. */
static int
file_number(const char *name)
{
	size_t	 len = strlen(name);

	if (len < strlen("000-x.sql") || len >= MIGRATION_NAME_SIZE ||
	    strspn(name, "0123456789") != 3 || name[3] != '-' ||
	    strcmp(name + len - 4, ".sql") != 0)
		return 0;
	return (int)strtol(name, NULL, 10);
}

static char *
read_file(const struct conf *conf, const char *name, char sha256[SHA256_HEX_SIZE])
{
	unsigned char	 digest[SHA256_SIZE];
	char		*path, *data = NULL;
	size_t		 len = 0;

	path = xasprintf("%s/sql/%s", conf->schema_dir, name);
	if (file_read_all(path, MIGRATION_FILE_MAX, &data, &len) == -1) {
		log_warn("%s", path);
		goto out;
	}
	if (strlen(data) != len || EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL) != 1) {
		log_warnx("%s: not a text file", path);
		free(data);
		data = NULL;
		goto out;
	}
	hex_encode(digest, sizeof(digest), sha256);
out:
	free(path);
	return data;
}

static struct migration *
migration_add(struct migrations *m, const char *name)
{
	struct migration	*new;

	m->v = xreallocarray(m->v, m->n + 1, sizeof(*m->v));
	new = &m->v[m->n++];
	memset(new, 0, sizeof(*new));
	new->number = file_number(name);
	(void)str_copy(new->name, sizeof(new->name), name);
	return new;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(((const struct migration *)a)->name, ((const struct migration *)b)->name);
}

static int
read_files(struct migrations *m, const struct conf *conf)
{
	struct dirent	*entry;
	char		*path, *data;
	DIR		*dir = NULL;
	size_t		 i;
	int		 rc = -1;

	path = xasprintf("%s/sql", conf->schema_dir);
	if ((dir = opendir(path)) == NULL) {
		log_warn("%s", path);
		goto out;
	}
	while ((entry = readdir(dir)) != NULL)
		if (file_number(entry->d_name) > 0 && m->n < MIGRATIONS_MAX)
			(void)migration_add(m, entry->d_name);
	if (m->n == 0) {
		log_warnx("%s: holds no migrations", path);
		goto out;
	}
	qsort(m->v, m->n, sizeof(*m->v), compare);
	for (i = 0; i < m->n; i++) {
		if (i > 0 && m->v[i].number == m->v[i - 1].number) {
			log_warnx("%s: two migrations have number %d", path, m->v[i].number);
			goto out;
		}
		if ((data = read_file(conf, m->v[i].name, m->v[i].sha256)) == NULL)
			goto out;
		free(data);
	}
	rc = 0;
out:
	if (dir != NULL)
		(void)closedir(dir);
	free(path);
	return rc;
}

/* What the table says about the files, and of those that are gone. */
static int
read_applied(struct migrations *m, struct db *db)
{
	struct migration	*one;
	PGresult		*res;
	size_t			 i, files = m->n;
	int			 row;

	res = db_query(db, NULL, "SELECT name, sha256, number, "
	    "to_char(applied_at, 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') "
	    "FROM muhur.schema_migration ORDER BY number", 0, NULL);
	if (res == NULL)
		return -1;
	for (row = 0; row < PQntuples(res); row++) {
		one = NULL;
		for (i = 0; i < files && one == NULL; i++)
			if (strcmp(m->v[i].name, PQgetvalue(res, row, 0)) == 0)
				one = &m->v[i];
		if (one == NULL)
			one = migration_add(m, PQgetvalue(res, row, 0));
		one->differs = strcmp(one->sha256, PQgetvalue(res, row, 1)) != 0;
		if (one->differs)
			m->differing++;
		(void)str_copy(one->applied_at, sizeof(one->applied_at), PQgetvalue(res, row, 3));
		m->version = atoi(PQgetvalue(res, row, 2));
	}
	PQclear(res);
	for (i = 0; i < m->n; i++)
		if (m->v[i].applied_at[0] == '\0')
			m->pending++;
	return 0;
}

int
migrations_read(struct migrations *m, struct db *db, const struct conf *conf)
{
	PGresult	*res;
	int		 absent;

	memset(m, 0, sizeof(*m));
	if (read_files(m, conf) == -1)
		return -1;
	res = db_query(db, NULL, "SELECT to_regclass('muhur.schema_migration') IS NULL", 0, NULL);
	if (res == NULL)
		return -1;
	absent = strcmp(PQgetvalue(res, 0, 0), "t") == 0;
	PQclear(res);
	if (absent) {
		m->pending = m->n;
		return 0;
	}
	return read_applied(m, db);
}

void
migrations_free(struct migrations *m)
{
	free(m->v);
	memset(m, 0, sizeof(*m));
}

static int
apply_one(struct db *db, const struct conf *conf, const struct migration *m)
{
	char		*sql, sha256[SHA256_HEX_SIZE], number[16], when[TIME_SIZE];
	const char	*params[] = { number, m->name, sha256, when };
	int		 rc = -1;

	if ((sql = read_file(conf, m->name, sha256)) == NULL)
		return -1;
	(void)snprintf(number, sizeof(number), "%d", m->number);
	time_format(clock_now(), when);
	if (db_begin(db) == -1)
		goto out;
	if (db_script(db, m->name, sql) == -1 ||
	    db_exec(db, "INSERT INTO muhur.schema_migration (number, name, sha256, applied_at) "
	    "VALUES ($1, $2, $3, $4)", 4, params) == -1 || db_commit(db) == -1) {
		(void)db_rollback(db);
		goto out;
	}
	rc = 0;
out:
	free(sql);
	return rc;
}

static int
apply_pending(struct db *db, const struct conf *conf, const struct migrations *m,
    void (*done)(const struct migration *))
{
	size_t	 i;
	int	 count = 0;

	for (i = 0; i < m->n; i++) {
		if (m->v[i].differs) {
			log_warnx("%s: is not the file that was applied at %s; "
			    "nothing was run", m->v[i].name, m->v[i].applied_at);
			return -1;
		}
	}
	for (i = 0; i < m->n; i++) {
		if (m->v[i].applied_at[0] != '\0')
			continue;
		if (m->v[i].number < m->version) {
			log_warnx("%s: comes before number %d, which is applied already",
			    m->v[i].name, m->version);
			return -1;
		}
		if (apply_one(db, conf, &m->v[i]) == -1)
			return -1;
		if (done != NULL)
			done(&m->v[i]);
		count++;
	}
	return count;
}

int
migrations_apply(struct db *db, const struct conf *conf, void (*done)(const struct migration *))
{
	struct migrations	 m = { 0 };
	int			 count = -1;

	/* Given up when the connection ends; two commands then run one by one. */
	if (db_exec(db, "SELECT pg_advisory_lock(hashtext('muhur.schema_migration'))", 0, NULL) == -1)
		return -1;
	if (db_script(db, "muhur.schema_migration",
	    "CREATE TABLE IF NOT EXISTS muhur.schema_migration ("
	    "number integer PRIMARY KEY, name text NOT NULL UNIQUE, "
	    "sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'), "
	    "applied_at timestamptz NOT NULL)") == 0 &&
	    migrations_read(&m, db, conf) == 0)
		count = apply_pending(db, conf, &m, done);
	migrations_free(&m);
	(void)db_exec(db, "SELECT pg_advisory_unlock(hashtext('muhur.schema_migration'))", 0, NULL);
	return count;
}
