/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/stat.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"

struct conf *
child_init(const char *progname, int argc, char *argv[])
{
	struct conf *conf;
	struct stat st;
	int i, verbose = 0;

	for (i = 1; i < argc; i++)
		if (strcmp(argv[i], "-v") == 0)
			verbose = 1;
	log_init(progname, LOG_DAEMON, verbose);
	/* One-letter flags only; those of its own the role reads itself. */
	for (i = 1; i < argc; i++)
		if (argv[i][0] != '-' || argv[i][1] == '\0' || argv[i][2] != '\0')
			fatalx("argument \"%s\": not known; muhurd starts this program",
			    argv[i]);
	if (fstat(FD_CHANNEL, &st) == -1 || !S_ISSOCK(st.st_mode))
		fatalx("descriptor %d is no channel; muhurd starts this program",
		    FD_CHANNEL);
	if (fstat(FD_CONF, &st) == -1 || !S_ISREG(st.st_mode))
		fatalx("descriptor %d is no configuration; muhurd starts this program",
		    FD_CONF);
	close_from(FD_COUNT);
	umask(027);
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		fatal("SIGPIPE");
	/* An operator's ^C goes to the whole foreground group; muhurd decides the
	 * order of stopping, and a child sees its channel closed. */
	if (signal(SIGINT, SIG_IGN) == SIG_ERR)
		fatal("SIGINT");
	if ((conf = conf_load_fd(FD_CONF)) == NULL)
		fatalx("the configuration cannot be used");
	/* it may name what the role has no need to know */
	(void)close(FD_CONF);
	clock_init(conf->clock_offset);
	return conf;
}
