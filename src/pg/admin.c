/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "pg/admin.h"

#include <sys/random.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"

#define SECRET_BYTES	32	/* of randomness in a password: 256 bits */
#define SECRET_SIZE	(2 * SECRET_BYTES + 1)
#define SECRET_FILE_MAX	4096

static const char *const roles[] = {
	"muhur_load", "muhur_directory", "muhur_reconcile", "muhur_admin", "muhur_identity", "muhur_sequencer"
};
#define NROLES (sizeof(roles) / sizeof(roles[0]))

/* Run "prefix" "identifier" "suffix", quoted by libpq. */
static int
exec_ident(struct db *db, const char *prefix, const char *ident, const char *suffix)
{
	char	*quoted, *sql;
	int	 rc;

	quoted = PQescapeIdentifier(db->conn, ident, strlen(ident));
	if (quoted == NULL) {
		log_warnx("%s: no identifier: %s", ident, PQerrorMessage(db->conn));
		return -1;
	}
	sql = xasprintf("%s %s %s", prefix, quoted, suffix);
	rc = db_exec(db, sql, 0, NULL) == -1 ? -1 : 0;
	free(sql);
	PQfreemem(quoted);
	return rc;
}

/* 1 a row came, 0 none, -1 trouble. */
static int
exists(struct db *db, const char *sql, const char *name)
{
	const char	*params[] = { name };
	PGresult	*res;
	int		 n;

	if ((res = db_query(db, NULL, sql, 1, params)) == NULL)
		return -1;
	n = PQntuples(res) > 0;
	PQclear(res);
	return n;
}

/* What the file holds, made and stored durably where there is none: a password
 * must be on disk before the server knows it, or nobody does. */
static char *
secret_file(int secrets, const char *name)
{
	unsigned char	 random[SECRET_BYTES];
	char		*secret = NULL, hex[SECRET_SIZE + 1];
	size_t		 len;
	int		 fd;

	fd = openat(secrets, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd != -1) {
		if (fd_read_all(fd, SECRET_FILE_MAX, &secret, &len) == -1)
			log_warn("%s", name);
		else
			secret[strcspn(secret, "\r\n")] = '\0';
		(void)close(fd);
		goto out;
	}
	if (errno != ENOENT) {
		log_warn("%s", name);
		goto out;
	}
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		log_warn("getrandom");
		goto out;
	}
	hex_encode(random, sizeof(random), hex);
	explicit_bzero(random, sizeof(random));
	(void)memcpy(hex + SECRET_SIZE - 1, "\n", 2);
	if (file_write_durable(secrets, name, hex, strlen(hex), 0600) == -1)
		log_warn("%s", name);
	else
		secret = xstrndup(hex, SECRET_SIZE - 1);
	explicit_bzero(hex, sizeof(hex));
out:
	if (secret != NULL && secret[0] == '\0') {
		log_warnx("%s: is empty", name);
		free(secret);
		secret = NULL;
	}
	return secret;
}

static void
secret_free(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

/* The server gets the SCRAM verifier, never the password (RFC 5803). */
static int
ensure_role(struct db *db, int secrets, const char *role)
{
	char	*name, *secret, *verifier = NULL, *literal = NULL, *suffix = NULL;
	int	 found, rc = -1;

	name = xasprintf("%s.password", role);
	secret = secret_file(secrets, name);
	free(name);
	if (secret == NULL)
		goto out;
	if ((found = exists(db, "SELECT FROM pg_roles WHERE rolname = $1", role)) == -1)
		goto out;
	if (!found && exec_ident(db, "CREATE ROLE", role, "") == -1)
		goto out;
	verifier = PQencryptPasswordConn(db->conn, secret, role, "scram-sha-256");
	if (verifier == NULL) {
		log_warnx("role %s: %s", role, PQerrorMessage(db->conn));
		goto out;
	}
	if ((literal = PQescapeLiteral(db->conn, verifier, strlen(verifier))) == NULL)
		goto out;
	suffix = xasprintf("LOGIN NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD %s", literal);
	rc = exec_ident(db, "ALTER ROLE", role, suffix);
out:
	secret_free(secret);
	PQfreemem(verifier);
	PQfreemem(literal);
	free(suffix);
	return rc;
}

/* A connection that breaks within a COPY leaves its last row in the server's log
 * unless that is terse: persons come by the one role, and are read by the other. */
static void
keep_log_terse(struct db *db)
{
	static const char *const sql[] = {
		"ALTER ROLE muhur_load SET log_error_verbosity = 'terse'",
		"ALTER ROLE muhur_identity SET log_error_verbosity = 'terse'",
	};
	PGresult	*res;
	size_t		 i;

	for (i = 0; i < sizeof(sql) / sizeof(sql[0]); i++) {
		res = db_query(db, "42501", sql[i], 0, NULL);
		PQclear(res);
		if (res != NULL)
			continue;
		log_warnx("log_error_verbosity is a superuser's to set: set it to terse in postgresql.conf, else the "
		    "server's log may hold identities");
		return;
	}
}

static int
open_secrets(const char *path)
{
	int	 fd;

	if (mkdir(path, 0700) == -1 && errno != EEXIST) {
		log_warn("%s", path);
		return -1;
	}
	if ((fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		log_warn("%s", path);
	return fd;
}

static char *
owner_password(const struct conf *conf)
{
	char	*path, *password = NULL;
	size_t	 len;

	path = xasprintf("%s/%s.password", conf->secrets_dir, conf->db_owner);
	if (file_read_all(path, SECRET_FILE_MAX, &password, &len) == -1)
		log_warn("%s", path);
	else
		password[strcspn(password, "\r\n")] = '\0';
	free(path);
	return password;
}

/* The key that identities are looked up by (load/registration.h).  The database
 * never sees it, and knows by its check value when it is another one. */
static int
ensure_identity_key(int secrets)
{
	char	*key = secret_file(secrets, "identity.key");
	int	 rc = key == NULL ? -1 : 0;

	secret_free(key);
	return rc;
}

/* In the maintenance database: what belongs to the whole cluster. */
static int
create_cluster_objects(const struct conf *conf, const char *password)
{
	struct db	 db = { 0 };
	size_t		 i;
	int		 secrets = -1, found, rc = -1;

	if ((secrets = open_secrets(conf->secrets_dir)) == -1)
		goto out;
	if (db_connect_to(&db, conf, "postgres", conf->db_owner, password) == -1)
		goto out;
	for (i = 0; i < NROLES; i++)
		if (ensure_role(&db, secrets, roles[i]) == -1)
			goto out;
	keep_log_terse(&db);
	if (ensure_identity_key(secrets) == -1)
		goto out;
	found = exists(&db, "SELECT FROM pg_database WHERE datname = $1", conf->db_name);
	/* Order of text is the same everywhere and for ever: C. */
	if (found == -1 || (!found && exec_ident(&db, "CREATE DATABASE", conf->db_name,
	    "TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'") == -1))
		goto out;
	rc = 0;
out:
	db_close(&db);
	if (secrets != -1)
		(void)close(secrets);
	return rc;
}

static int
create_schema(const struct conf *conf, struct db *db)
{
	size_t	 i;
	char	*to;
	int	 rc;

	if (exec_ident(db, "REVOKE ALL ON DATABASE", conf->db_name, "FROM PUBLIC") == -1)
		return -1;
	for (i = 0; i < NROLES; i++) {
		to = xasprintf("TO %s", roles[i]);
		rc = exec_ident(db, "GRANT CONNECT ON DATABASE", conf->db_name, to);
		free(to);
		if (rc == -1)
			return -1;
	}
	/* A reconciliation may keep intermediate results. */
	if (exec_ident(db, "GRANT TEMPORARY ON DATABASE", conf->db_name,
	    "TO muhur_reconcile") == -1)
		return -1;
	return db_script(db, "schema muhur",
	    "CREATE SCHEMA IF NOT EXISTS muhur;"
	    "REVOKE ALL ON SCHEMA muhur FROM PUBLIC;"
	    "ALTER DEFAULT PRIVILEGES IN SCHEMA muhur REVOKE ALL ON TABLES FROM PUBLIC;"
	    "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;");
}

int
admin_connect(struct db *db, const struct conf *conf)
{
	return db_connect_role(db, conf, conf->db_owner);
}

int
admin_create(const struct conf *conf)
{
	struct db	 db = { 0 };
	char		*password;
	int		 rc = -1;

	if ((password = owner_password(conf)) == NULL)
		return -1;
	if (create_cluster_objects(conf, password) == 0 &&
	    db_connect(&db, conf, conf->db_owner, password) == 0)
		rc = create_schema(conf, &db);
	db_close(&db);
	explicit_bzero(password, strlen(password));
	free(password);
	return rc;
}
