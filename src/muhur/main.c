/* SPDX-License-Identifier: ISC */
/* muhur: the gateway's command.  Finds the subcommand in one table. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "muhur/cmd.h"

static const struct command {
	const char	*name;
	int		(*run)(struct cmd *, int, char **);
	const char	*summary;
	const char	*usage;		/* NULL: the verbs have their own */
} commands[] = {
	{ "member",	cmd_member,	"enrol, suspend and list members", NULL },
	{ "user",	cmd_user,	"enrol users with their certificates and keys", NULL },
	{ "role",	cmd_role,	"named groups of rights", NULL },
	{ "crl",	cmd_crl,	"fetch revocation lists, and what they say of certificates", NULL },
	{ "contract",	cmd_contract,	"which platform keeps assets at which custodian", NULL },
	{ "parameter",	cmd_parameter,	"what the rules of reconciliation are set to", NULL },
	{ "submission",	cmd_submission,	"what was received and what became of it", NULL },
	{ "reconcile",	cmd_reconcile,	"run and read reconciliations", NULL },
	{ "break",	cmd_break,	"what a reconciliation found", NULL },
	{ "investor",	cmd_investor,	"what a registry number has, over all members", NULL },
	{ "notice",	cmd_notice,	"what the gateway answered", NULL },
	{ "archive",	cmd_archive,	"every document that was received or signed", NULL },
	{ "evidence",	cmd_evidence,	"one submission's story, with its proofs, in one container", NULL },
	{ "trail",	cmd_trail,	"the signature trail: its checkpoints and their time-stamps", NULL },
	{ "identity",	cmd_identity,	"who investors are: the outside check, and one of them", NULL },
	{ "status",	cmd_status,	"what needs attention now", "status [--metrics | --day DATE]" },
	{ "sign",	cmd_sign,	"sign a document",
	    "sign --key KEY --cert CERT [--chain PEM] IN OUT" },
	{ "verify",	cmd_verify,	"verify signed documents",
	    "verify --trust PEM [--crl FILE]... [--at TIME] [--schema-dir DIR]\n"
	    "             [--signature-only] [--profile xades|xmldsig] [--policy OID]...\n"
	    "             [--tsa PEM] FILE..." },
	{ "c14n",	cmd_c14n,	"print the canonical bytes that are digested",
	    "c14n [--exclusive|--inclusive] [--with-comments] [--keep-signature] FILE" },
	{ "sample",	cmd_sample,	"make a test market's business day",
	    "sample --dir DIR [--customers N] [--breaks N] [--seed N] [--after N] --date DATE" },
	{ "db",		cmd_db_admin,	"make and upgrade the database", NULL },
};
#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

static void
print_help(FILE *out)
{
	size_t i;

	fprintf(out, "usage: muhur [-c FILE] [--json] COMMAND ...\n");
	for (i = 0; i < NCOMMANDS; i++)
		fprintf(out, "    %-12s %s\n", commands[i].name, commands[i].summary);
	fprintf(out, "muhur COMMAND --help, muhur(1)\n");
}

/*
 * Takes the global options out of argv wherever they stand.  Returns the new
 * argc, or -1 on wrong use.  Nothing after "--" is an option.
 */
static int
take_globals(struct cmd *c, int argc, char **argv, int *help, int *version)
{
	int in, out = 1;

	for (in = 1; in < argc; in++) {
		if (strcmp(argv[in], "--") == 0) {
			while (in < argc)
				argv[out++] = argv[in++];
			break;
		}
		if (strcmp(argv[in], "--json") == 0) {
			c->json = 1;
		} else if (strcmp(argv[in], "-c") == 0) {
			if (in + 1 == argc) {
				log_warnx("-c: a file name must follow");
				return -1;
			}
			c->conf_path = argv[++in];
		} else if (strcmp(argv[in], "--help") == 0 || strcmp(argv[in], "-h") == 0) {
			*help = 1;
		} else if (out == 1 && strcmp(argv[in], "--version") == 0) {
			*version = 1;	/* of the program; after a command it is that one's */
		} else {
			argv[out++] = argv[in];
		}
	}
	argv[out] = NULL;
	return out;
}

static const struct command *
find_command(const char *name)
{
	size_t i;

	for (i = 0; i < NCOMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

int
main(int argc, char *argv[])
{
	struct cmd c = { 0 };
	const struct command *command;
	int help = 0, version = 0, rc;

	log_init("muhur", LOG_COMMAND, 0);
	clock_init(0);
	c.conf_path = conf_default_path();
	if ((argc = take_globals(&c, argc, argv, &help, &version)) == -1)
		return EXIT_USAGE;
	if (version) {
		printf("muhur %s\n", PACKAGE_VERSION);
		return EXIT_YES;
	}
	if (argc < 2) {
		print_help(help ? stdout : stderr);
		return help ? EXIT_YES : EXIT_USAGE;
	}
	if ((command = find_command(argv[1])) == NULL) {
		log_warnx("%s: there is no such command; muhur --help lists them", argv[1]);
		return EXIT_USAGE;
	}
	c.usage = command->usage;
	c.help = help;
	if (help && command->usage != NULL) {
		cmd_usage(&c);
		return EXIT_YES;
	}
	if (command->usage != NULL) {	/* else cmd_dispatch does it */
		(void)snprintf(c.program, sizeof(c.program), "muhur: %s", command->name);
		argv[1] = c.program;
	}
	rc = command->run(&c, argc - 1, argv + 1);
	db_close(&c.db);
	conf_free(c.conf);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		log_warn("standard output");
		rc = EXIT_ENVIRONMENT;
	}
	return rc;
}
