/* SPDX-License-Identifier: ISC */
/* muhur c14n: the canonical bytes that are digested. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sandbox.h"
#include "document/pipeline.h"
#include "muhur/cmd.h"

int
cmd_c14n(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "exclusive", no_argument, NULL, 'x' }, { "inclusive", no_argument, NULL, 'i' },
		{ "with-comments", no_argument, NULL, 'c' }, { "keep-signature", no_argument, NULL, 'k' },
		{ NULL, 0, NULL, 0 }
	};
	struct reasons rs = { .n = 0 };
	enum c14n_method method = C14N_EXCLUSIVE;
	int comments = 0, keep = 0, opt, fd;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'x')
			method = C14N_EXCLUSIVE;
		else if (opt == 'i')
			method = C14N_INCLUSIVE;
		else if (opt == 'c')
			comments = 1;
		else if (opt == 'k')
			keep = 1;
		else
			return cmd_usage(c);
	}
	if (optind + 1 != argc)
		return cmd_usage(c);
	if ((fd = open(argv[optind], O_RDONLY | O_CLOEXEC)) == -1) {
		log_warn("%s", argv[optind]);
		return EXIT_ENVIRONMENT;
	}
	if (document_init() == -1 || sandbox_enter(1, SB_STDIO, NULL, 0) == -1 ||
	    document_c14n(fd, method, comments, keep, STDOUT_FILENO, &rs) == -1) {
		close(fd);
		return EXIT_ENVIRONMENT;
	}
	close(fd);
	if (rs.n == 0)
		return EXIT_YES;
	log_warnx("%s: %s: line %ld: %s", argv[optind], reason_info(rs.v[0].code)->name, rs.v[0].line,
	    rs.v[0].detail);
	return EXIT_NO;
}
