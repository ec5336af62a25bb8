/* SPDX-License-Identifier: ISC */
/*
 * The command's frame: main.c finds the subcommand in one table and calls it
 * with its own argv (argv[0] is the subcommand's name).  Exit codes: 0 yes or
 * done, 1 no, 2 wrong use, 3 the environment failed.
 */
#ifndef MUHUR_MUHUR_CMD_H
#define MUHUR_MUHUR_CMD_H

#include <jansson.h>

#include "base/conf.h"
#include "base/mem.h"
#include "pg/db.h"

enum { EXIT_YES = 0, EXIT_NO = 1, EXIT_USAGE = 2, EXIT_ENVIRONMENT = 3 };

struct cmd {
	const char	*conf_path;	/* -c, else $MUHUR_CONF, else the installed one */
	int		 json;		/* --json, before or after the subcommand */
	struct conf	*conf;		/* cmd_conf */
	struct db	 db;		/* cmd_db */
	const char	*usage;		/* the subcommand's usage line(s) */
	int		 help;		/* --help: usage goes to standard output, exit 0 */
	char		 program[64];	/* argv[0] of a command: how getopt's complaints begin */
};
/* The configuration, read at first use; exits with 3 where it cannot. */
const struct conf *cmd_conf(struct cmd *c);
/* The database as role muhur_admin, connected at first use; exits with 3. */
struct db *cmd_db(struct cmd *c);
/* Is it there?  Where not, the cause is logged, and c->db's sqlstate "" says that the
 * password could not be read. */
int cmd_db_up(struct cmd *c);
/* Prints the usage on stderr; returns EXIT_USAGE (with --help: stdout, EXIT_YES). */
int cmd_usage(const struct cmd *c);
/* One JSON object and a newline on stdout; takes the reference. */
void cmd_json(json_t *o);
/* Columns of rows as JSON, one object a line, or as an aligned table with a
 * heading for people.  names: one per column, JSON's camelCase, after these
 * marks: '#' a number, '?' a boolean ("t"/"f"), '@' a JSON value, '*' words (in
 * JSON a list); and before them '-' for a column that is left out of the table,
 * '+' for one that is for CSV alone. */
void cmd_rows(const struct cmd *c, const PGresult *res, const char *const *names);
/* The same columns in the same order as CSV (RFC 4180), but for JSON values. */
void cmd_csv(const PGresult *res, const char *const *names);
/* One field of it, quoted where it must be.  A text that a spreadsheet would take
 * for a formula gets an apostrophe before it: members choose some of them. */
void cmd_csv_field(struct buf *b, const char *s);
/* One row as a JSON object; the same as lines "name: value" for people. */
json_t *cmd_row_json(const PGresult *res, int row, const char *const *names);
void cmd_record(const PGresult *res, int row, const char *const *names);
/* All rows as a JSON array of objects; clears res. */
json_t *cmd_array(PGresult *res, const char *const *names);

/* A moment in SQL as RFC 3339 text in UTC. */
#define SQL_TIME(col) "to_char(" col " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"

/* The second word of a command: muhur member ADD.  cmd_dispatch finds argv[1]
 * in verbs and calls it with argv + 1, its usage set. */
struct cmd_verb {
	const char	*name;
	int		(*run)(struct cmd *, int, char **);
	const char	*usage;		/* "member add CODE --kind KIND --name NAME"; with " ..." at
					 * its end run has verbs of its own, and tells of them */
};
int cmd_dispatch(struct cmd *c, int argc, char **argv, const struct cmd_verb *verbs, size_t n);

/* db_query and db_exec that end the command with 3 where they fail; a
 * transaction around a change and its event. */
PGresult *cmd_query(struct cmd *c, const char *sql, int nparams, const char *const *params);
long cmd_exec(struct cmd *c, const char *sql, int nparams, const char *const *params);
void cmd_begin(struct cmd *c);
void cmd_commit(struct cmd *c);
/* An event of the trail by actor "operator", in the transaction of the change;
 * submission: its number or NULL; takes the reference of detail, which gets the uid.  No
 * name of a person and no subject of a certificate in it: identity numbers stand in those. */
void cmd_event(struct cmd *c, const char *kind, const char *submission, json_t *detail);
/* Now, by the gateway's clock, as text for a parameter: TIME_SIZE bytes. */
const char *cmd_now(struct cmd *c, char *buf);
/* Whether muhurd runs, as far as state_dir tells: 0 where it certainly does not. */
int cmd_gateway_runs(struct cmd *c);
/* Complains and returns -1 where s is no date YYYY-MM-DD. */
int cmd_date_ok(const char *s);
/* The same where there is no member of this code. */
int cmd_member_ok(struct cmd *c, const char *code);
/* Complains and returns -1 where s is no registry number; it does not say s, which
 * may be an identity number and then belongs into no log. */
int cmd_registry_no_ok(const char *s);
/* A line that confirms a change: for people, or {"what": ..., "code": ...}. */
void cmd_done(const struct cmd *c, const char *did, const char *what);
/* In the transaction of a change of rights: a signed report of who may do what to
 * each of the members, a query of $1 = what (S2 E). */
void cmd_report_rights(struct cmd *c, const char *members, const char *what);
/* `member suspend', `user resume' and the like: argv[1], a "member" or a "user"
 * (what) that is from, becomes to, with an event.  An exit code. */
int cmd_set_state(struct cmd *c, int argc, char **argv, const char *what, const char *from,
    const char *to, const char *event);
/* The same in the open transaction, which it commits; argv[1] is there. */
int cmd_change_state(struct cmd *c, char **argv, const char *what, const char *from,
    const char *to, const char *event);
/* The folder of the store, the caller's to close; exits with 3. */
int cmd_store(struct cmd *c);
/* The document of that hash from the store to path ("-" or NULL: standard
 * output), its bytes compared with the hash.  A file that exists is not replaced,
 * one that would not be whole is not left.  fallback: where else it may lie, NULL for
 * nowhere.  An exit code. */
int cmd_copy_out(struct cmd *c, const char *sha256, const char *fallback, const char *path);

/* The schemas of that folder; NULL: those the configuration names, else the installed
 * ones.  NULL, logged; for schema_set_free.  seen, arg: as schema_set_load_seen has them,
 * or NULL. */
struct schema_set;
struct schema_set *cmd_schemas(struct cmd *c, const char *dir,
    void (*seen)(void *arg, const char *name, const void *data, size_t len), void *arg);

int cmd_sign(struct cmd *, int, char **);
int cmd_verify(struct cmd *, int, char **);
int cmd_c14n(struct cmd *, int, char **);
int cmd_sample(struct cmd *, int, char **);
int cmd_db_admin(struct cmd *, int, char **);
int cmd_member(struct cmd *, int, char **);
int cmd_user(struct cmd *, int, char **);
int cmd_role(struct cmd *, int, char **);
int cmd_crl(struct cmd *, int, char **);
int cmd_contract(struct cmd *, int, char **);
int cmd_parameter(struct cmd *, int, char **);
int cmd_submission(struct cmd *, int, char **);
int cmd_reconcile(struct cmd *, int, char **);
int cmd_break(struct cmd *, int, char **);
int cmd_investor(struct cmd *, int, char **);
int cmd_notice(struct cmd *, int, char **);
int cmd_archive(struct cmd *, int, char **);
int cmd_identity(struct cmd *, int, char **);
int cmd_trail(struct cmd *, int, char **);
int cmd_evidence(struct cmd *, int, char **);
int cmd_status(struct cmd *, int, char **);

#endif
