/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "pg/db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fdio.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"

#define PASSWORD_MAX	4096	/* bytes of a password file */

/* What every session is: no path to search, UTC, ISO dates; see db.h. */
#define SESSION_OPTIONS	"-c search_path= -c timezone=UTC -c datestyle=ISO,YMD " \
	"-c extra_float_digits=0 -c client_min_messages=warning -c bytea_output=hex"

/* Somebody's ALTER TABLE must not hold a process for as long as it likes: a
 * statement that fails so (55P03) is our own trouble, tried again like one that
 * met no database.  Logins wait behind each other, so theirs is short. */
#define LOCK_TIMEOUT		" -c lock_timeout=30s"
#define LOCK_TIMEOUT_LOGIN	" -c lock_timeout=3s"

/* The server's messages end in a newline and may have several lines: a log
 * line has one. */
static void
message_first_line(const char *msg, char *out, size_t outsize)
{
	size_t	 n;

	if (msg == NULL)
		msg = "";
	n = strcspn(msg, "\n");
	if (n >= outsize)
		n = outsize - 1;
	memcpy(out, msg, n);
	out[n] = '\0';
}

static void
on_notice(void *arg, const char *message)
{
	char	 line[512];

	(void)arg;
	message_first_line(message, line, sizeof(line));
	log_warnx("database: %s", line);
}

static int
is_quiet(const char *quiet, const char *sqlstate)
{
	return quiet != NULL && sqlstate[0] != '\0' && strstr(quiet, sqlstate) != NULL;
}

/* Keep the SQLSTATE of a failed result (or lost connection) and log why. */
void
db_failed(struct db *db, const PGresult *res, const char *quiet, const char *sql)
{
	const char	*state = NULL;
	char		 line[512], what[81];

	if (res != NULL)
		state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	if (state == NULL || str_copy(db->sqlstate, sizeof(db->sqlstate), state) == -1)
		(void)str_copy(db->sqlstate, sizeof(db->sqlstate), "08006");
	if (is_quiet(quiet, db->sqlstate))
		return;
	message_first_line(res != NULL && PQresultErrorMessage(res)[0] != '\0' ?
	    PQresultErrorMessage(res) : PQerrorMessage(db->conn), line, sizeof(line));
	message_first_line(sql, what, sizeof(what));
	log_warnx("database: %s: %s (SQLSTATE %s)", what, line, db->sqlstate);
}

int
db_connect_to(struct db *db, const struct conf *conf, const char *dbname,
    const char *role, const char *password)
{
	char		 port[16], line[512];
	const char	*keys[12], *values[12];
	int		 n = 0;

	memset(db, 0, sizeof(*db));
	(void)snprintf(port, sizeof(port), "%d", conf->db_port);
#define PARAM(k, v) do { keys[n] = (k); values[n++] = (v); } while (0)
	PARAM("host", conf->db_host);
	PARAM("port", port);
	PARAM("dbname", dbname);
	PARAM("user", role);
	PARAM("password", password);
	PARAM("application_name", log_progname());
	PARAM("client_encoding", "UTF8");
	PARAM("connect_timeout", "10");
	PARAM("sslmode", "disable");	/* a unix socket: nothing to encrypt */
	PARAM("gssencmode", "disable");
	PARAM("options", strcmp(role, "muhur_directory") == 0 ?
	    SESSION_OPTIONS LOCK_TIMEOUT_LOGIN : SESSION_OPTIONS LOCK_TIMEOUT);
	PARAM(NULL, NULL);
#undef PARAM
	db->conn = PQconnectdbParams(keys, values, 0);
	if (db->conn == NULL)
		fatalx("database: out of memory");
	if (PQstatus(db->conn) != CONNECTION_OK) {
		message_first_line(PQerrorMessage(db->conn), line, sizeof(line));
		log_warnx("database %s as %s: %s", dbname, role, line);
		db_close(db);
		(void)str_copy(db->sqlstate, sizeof(db->sqlstate), "08001");
		return -1;
	}
	(void)PQsetNoticeProcessor(db->conn, on_notice, NULL);
	return 0;
}

int
db_connect(struct db *db, const struct conf *conf, const char *role, const char *password)
{
	return db_connect_to(db, conf, conf->db_name, role, password);
}

int
db_connect_role(struct db *db, const struct conf *conf, const char *role)
{
	char	*path = NULL, *password = NULL;
	size_t	 len = 0;
	int	 rc = -1;

	memset(db, 0, sizeof(*db));
	path = xasprintf("%s/%s.password", conf->secrets_dir, role);
	if (file_read_all(path, PASSWORD_MAX, &password, &len) == -1) {
		log_warn("%s", path);
		goto out;
	}
	password[strcspn(password, "\r\n")] = '\0';
	rc = db_connect(db, conf, role, password);
out:
	if (password != NULL)
		explicit_bzero(password, len);
	free(password);
	free(path);
	return rc;
}

void
db_close(struct db *db)
{
	if (db->conn != NULL)
		PQfinish(db->conn);
	memset(db, 0, sizeof(*db));
}

int
db_ok(const struct db *db)
{
	return db->conn != NULL && PQstatus(db->conn) == CONNECTION_OK;
}

static PGresult *
check_result(struct db *db, PGresult *res, const char *quiet, const char *sql)
{
	switch (PQresultStatus(res)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
		db->sqlstate[0] = '\0';
		return res;
	default:
		db_failed(db, res, quiet, sql);
		PQclear(res);
		return NULL;
	}
}

PGresult *
db_query(struct db *db, const char *quiet, const char *sql, int nparams, const char *const *params)
{
	if (db->conn == NULL) {
		(void)str_copy(db->sqlstate, sizeof(db->sqlstate), "08003");
		return NULL;
	}
	return check_result(db, PQexecParams(db->conn, sql, nparams, NULL, params,
	    NULL, NULL, 0), quiet, sql);
}

PGresult *
db_query_row(struct db *db, const char *sql, int nparams, const char *const *params)
{
	PGresult	*res;

	if ((res = db_query(db, NULL, sql, nparams, params)) == NULL)
		return NULL;
	if (PQresultStatus(res) == PGRES_TUPLES_OK && PQntuples(res) == 1)
		return res;
	if (PQntuples(res) > 1)
		log_warnx("database: %.80s: %d rows where one was asked for", sql, PQntuples(res));
	PQclear(res);
	return NULL;
}

static long
affected(PGresult *res)
{
	const char	*s;
	long		 n;

	if (res == NULL)
		return -1;
	s = PQcmdTuples(res);
	n = s[0] == '\0' ? 0 : strtol(s, NULL, 10);
	PQclear(res);
	return n;
}

long
db_exec(struct db *db, const char *sql, int nparams, const char *const *params)
{
	return affected(db_query(db, NULL, sql, nparams, params));
}

/* 0 when name stands prepared in this connection, else -1. */
static int
prepare(struct db *db, const char *name, const char *sql)
{
	PGresult	*res;
	size_t		 i;

	for (i = 0; i < db->nprepared; i++)
		if (db->prepared[i] == name)
			return 0;
	if (db->nprepared == DB_PREPARED_MAX)
		fatalx("database: %s: too many prepared statements", name);
	res = check_result(db, PQprepare(db->conn, name, sql, 0, NULL), NULL, sql);
	if (res == NULL)
		return -1;
	PQclear(res);
	db->prepared[db->nprepared++] = name;
	return 0;
}

PGresult *
db_prepared(struct db *db, const char *name, const char *sql, int nparams, const char *const *params)
{
	if (db->conn == NULL) {
		(void)str_copy(db->sqlstate, sizeof(db->sqlstate), "08003");
		return NULL;
	}
	if (prepare(db, name, sql) == -1)
		return NULL;
	return check_result(db, PQexecPrepared(db->conn, name, nparams, params,
	    NULL, NULL, 0), NULL, sql);
}

int
db_prepared_send(struct db *db, const char *name, const char *sql, int nparams, const char *const *params)
{
	if (db->conn == NULL) {
		(void)str_copy(db->sqlstate, sizeof(db->sqlstate), "08003");
		return -1;
	}
	if (prepare(db, name, sql) == -1)
		return -1;
	if (PQsendQueryPrepared(db->conn, name, nparams, params, NULL, NULL, 0) == 1)
		return 0;
	db_failed(db, NULL, NULL, sql);
	return -1;
}

/* The last result is the one that counts, as PQexecPrepared has it. */
PGresult *
db_take(struct db *db, const char *name)
{
	PGresult	*res, *last = NULL;

	while (db->conn != NULL && (res = PQgetResult(db->conn)) != NULL) {
		PQclear(last);
		last = res;
	}
	if (last != NULL)
		return check_result(db, last, NULL, name);
	db_failed(db, NULL, NULL, name);
	return NULL;
}

long
db_prepared_exec(struct db *db, const char *name, const char *sql, int nparams, const char *const *params)
{
	return affected(db_prepared(db, name, sql, nparams, params));
}

int
db_script(struct db *db, const char *name, const char *sql)
{
	PGresult	*res;

	if (db->conn == NULL)
		return -1;
	res = check_result(db, PQexec(db->conn, sql), NULL, name);
	PQclear(res);
	return res == NULL ? -1 : 0;
}

int
db_begin(struct db *db)
{
	return db_exec(db, "BEGIN", 0, NULL) == -1 ? -1 : 0;
}

/* A COMMIT of a failed transaction is answered "ROLLBACK", with success. */
int
db_commit(struct db *db)
{
	PGresult	*res;
	int		 rc = -1;

	if ((res = db_query(db, NULL, "COMMIT", 0, NULL)) == NULL)
		return -1;
	if (strcmp(PQcmdStatus(res), "COMMIT") == 0)
		rc = 0;
	else
		log_warnx("database: COMMIT: the transaction had failed");
	PQclear(res);
	return rc;
}

int
db_rollback(struct db *db)
{
	if (!db_ok(db))
		return -1;
	if (PQtransactionStatus(db->conn) == PQTRANS_IDLE)
		return 0;
	return db_exec(db, "ROLLBACK", 0, NULL) == -1 ? -1 : 0;
}

void
db_cancel(struct db *db)
{
	PGcancel	*c = PQgetCancel(db->conn);
	char		 why[256] = "";

	if (c == NULL || PQcancel(c, why, sizeof(why)) != 1)
		log_warnx("database: cancelling: %s", why);
	PQfreeCancel(c);
}

long long
db_query_count(struct db *db, const char *sql, int nparams, const char *const *params)
{
	PGresult	*res = db_query_row(db, sql, nparams, params);
	long long	 n = -1;

	if (res != NULL)
		n = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	return n;
}

long long
db_work_mem(struct db *db)
{
	return db_query_count(db, "SELECT pg_size_bytes(current_setting('work_mem'))", 0, NULL);
}

long long
db_each_row(struct db *db, const char *sql, int nparams, const char *const *params,
    int (*row)(void *arg, const PGresult *res), void *arg)
{
	PGresult	*res;
	long long	 count = 0;
	int		 rc = 0;

	if (db->conn == NULL)
		return -1;
	if (PQsendQueryParams(db->conn, sql, nparams, NULL, params, NULL, NULL, 0) != 1 ||
	    PQsetSingleRowMode(db->conn) != 1) {
		db_failed(db, NULL, NULL, sql);
		return -1;
	}
	while ((res = PQgetResult(db->conn)) != NULL) {
		switch (PQresultStatus(res)) {
		case PGRES_SINGLE_TUPLE:
			if (rc != 0)
				break;
			if ((rc = row(arg, res)) == 0)
				count++;
			else
				db_cancel(db);
			break;
		case PGRES_TUPLES_OK:
			break;
		default:
			db_failed(db, res, rc != 0 ? "57014" : NULL, sql);
			rc = -1;
		}
		PQclear(res);
		if (!db_ok(db))
			return -1;
	}
	return rc != 0 ? -1 : count;
}
