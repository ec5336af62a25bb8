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
#include "pg/db.h"

enum { EXIT_YES = 0, EXIT_NO = 1, EXIT_USAGE = 2, EXIT_ENVIRONMENT = 3 };

struct cmd {
	const char	*conf_path;	/* -c, else $MUHUR_CONF, else the installed one */
	int		 json;		/* --json, before or after the subcommand */
	struct conf	*conf;		/* cmd_conf */
	struct db	 db;		/* cmd_db */
	const char	*usage;		/* the subcommand's usage line(s) */
};
/* The configuration, read at first use; exits with 3 where it cannot. */
const struct conf *cmd_conf(struct cmd *c);
/* The database as role muhur_admin, connected at first use; exits with 3. */
struct db *cmd_db(struct cmd *c);
/* Prints the usage on stderr; returns EXIT_USAGE. */
int cmd_usage(const struct cmd *c);
/* One JSON object and a newline on stdout; takes the reference. */
void cmd_json(json_t *o);
/* Columns of rows as JSON, one object a line, or as an aligned table with a
 * heading for people.  names: one per column, JSON's camelCase; a column whose
 * name begins with '#' is a number, with '?' a boolean ("t"/"f"). */
void cmd_rows(const struct cmd *c, const PGresult *res, const char *const *names);

int cmd_sign(struct cmd *, int, char **);
int cmd_verify(struct cmd *, int, char **);
int cmd_c14n(struct cmd *, int, char **);
int cmd_sample(struct cmd *, int, char **);
int cmd_db_admin(struct cmd *, int, char **);
int cmd_member(struct cmd *, int, char **);
int cmd_user(struct cmd *, int, char **);
int cmd_contract(struct cmd *, int, char **);
int cmd_submission(struct cmd *, int, char **);
int cmd_reconcile(struct cmd *, int, char **);
int cmd_break(struct cmd *, int, char **);
int cmd_notice(struct cmd *, int, char **);
int cmd_status(struct cmd *, int, char **);

#endif
