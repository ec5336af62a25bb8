/* SPDX-License-Identifier: ISC */
/*
 * A thin wrapper of libpq: connect with a role's password file, parameters
 * always out of line, SQLSTATE kept, every result checked.  search_path is
 * empty but for pg_catalog: SQL names its schema (muhur.submission).
 * The session's time zone is UTC, its DateStyle ISO, extra_float_digits 0.
 * A lock is waited for 30 seconds, by muhur_directory 3; then SQLSTATE 55P03.
 */
#ifndef MUHUR_PG_DB_H
#define MUHUR_PG_DB_H

#include <libpq-fe.h>

#include "base/conf.h"

#define DB_PREPARED_MAX 64	/* statements kept prepared in one connection */

struct db {
	PGconn		*conn;
	char		 sqlstate[6];	/* of the last failure, "" for none */
	/* names (by address: string literals) prepared in this connection */
	const char	*prepared[DB_PREPARED_MAX];
	size_t		 nprepared;
};

/* password: NUL-terminated, not kept.  0, or -1 with the cause logged. */
int  db_connect(struct db *db, const struct conf *conf, const char *role, const char *password);
/* The same, to a database other than conf's (`muhur db init': postgres). */
int  db_connect_to(struct db *db, const struct conf *conf, const char *dbname,
    const char *role, const char *password);
/* The same with <secrets_dir>/<role>.password: for the command. */
int  db_connect_role(struct db *db, const struct conf *conf, const char *role);
void db_close(struct db *db);
int  db_ok(const struct db *db);	/* the connection still stands */

/* Run one statement; params are text, NULL is SQL NULL.  The result (commands
 * or rows) is the caller's to PQclear; NULL on error, with SQLSTATE in db and
 * the cause logged unless it is one of quiet's (space-separated SQLSTATEs,
 * may be NULL). */
PGresult *db_query(struct db *db, const char *quiet, const char *sql, int nparams, const char *const *params);
/* db_query, demanding exactly one row; NULL otherwise (no row is not logged;
 * sqlstate is then ""). */
PGresult *db_query_row(struct db *db, const char *sql, int nparams, const char *const *params);
/* db_query_row, of one number that is never below 0; -1 where there is none. */
long long db_query_count(struct db *db, const char *sql, int nparams, const char *const *params);
/* db_query, result dropped: number of rows affected, or -1. */
long db_exec(struct db *db, const char *sql, int nparams, const char *const *params);
/* db_query, but parsed and planned once a connection.  name: a string literal,
 * one a statement. */
PGresult *db_prepared(struct db *db, const char *name, const char *sql, int nparams, const char *const *params);
long db_prepared_exec(struct db *db, const char *name, const char *sql, int nparams, const char *const *params);
/* The same in two steps, so that the server works meanwhile: nothing else may be
 * asked of the connection in between.  0 or -1; then db_take, as db_query's result. */
int  db_prepared_send(struct db *db, const char *name, const char *sql, int nparams, const char *const *params);
PGresult *db_take(struct db *db, const char *name);
/* Several statements in one text, without parameters (a migration's file).
 * 0 or -1 (logged). */
int  db_script(struct db *db, const char *name, const char *sql);
int  db_begin(struct db *db);
int  db_commit(struct db *db);
int  db_rollback(struct db *db);

/* The session's work_mem in bytes, or -1 (logged). */
long long db_work_mem(struct db *db);
/* A query of any size, row by row in bounded memory.  row returns 0, or -1 to
 * end early (then the query is cancelled).  Returns the row count or -1. */
long long db_each_row(struct db *db, const char *sql, int nparams, const char *const *params,
    int (*row)(void *arg, const PGresult *res), void *arg);

/* For the other files of this floor.  Notes the SQLSTATE of res, NULL: of a lost
 * connection, and logs it with what it was of, unless it is one of quiet's. */
void db_failed(struct db *db, const PGresult *res, const char *quiet, const char *sql);
/* What is still to come of a running query nobody wants: the server ends it as
 * failed (57014), at once. */
void db_cancel(struct db *db);

#endif
