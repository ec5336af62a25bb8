/* SPDX-License-Identifier: ISC */
/*
 * muhurd: the gateway's parent.  It owns the state directory and the children;
 * it parses no document, talks to no database, and never reads a key.
 */
#include "config.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/cutoffs.h"
#include "muhurd/disk.h"
#include "muhurd/fetch.h"
#include "muhurd/flow.h"
#include "muhurd/keep.h"
#include "muhurd/loop.h"
#include "muhurd/notices.h"
#include "muhurd/pair.h"
#include "muhurd/proc.h"
#include "muhurd/publish.h"
#include "muhurd/session.h"
#include "muhurd/setup.h"

#define DISK_THREADS	8
#define FILES_WANTED	65536	/* RLIMIT_NOFILE, where the hard limit allows */

enum { EXIT_DONE = 0, EXIT_INVALID = 1, EXIT_WRONG_USE = 2, EXIT_ENVIRONMENT = 3 };

struct options {
	int		 foreground, check, verbose;
	const char	*conf;
};

static int
usage(void)
{
	(void)fprintf(stderr, "usage: muhurd [-fnv] [-c file]\n");
	return EXIT_WRONG_USE;
}

static int
parse_options(int argc, char *argv[], struct options *o)
{
	int ch;

	while ((ch = getopt(argc, argv, "c:fnv")) != -1) {
		switch (ch) {
		case 'c':
			o->conf = optarg;
			break;
		case 'f':
			o->foreground = 1;
			break;
		case 'n':
			o->check = 1;
			break;
		case 'v':
			o->verbose = 1;
			break;
		default:
			return -1;
		}
	}
	return optind == argc ? 0 : -1;
}

static void
raise_file_limit(void)
{
	struct rlimit r;
	rlim_t hard;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1)
		return;
	hard = r.rlim_max;
	if (hard < FILES_WANTED) {
		/* only with CAP_SYS_RESOURCE; else what there is has to do */
		r.rlim_cur = r.rlim_max = FILES_WANTED;
		if (setrlimit(RLIMIT_NOFILE, &r) == 0)
			return;
		r.rlim_max = hard;
	}
	r.rlim_cur = hard < FILES_WANTED ? hard : FILES_WANTED;
	if (setrlimit(RLIMIT_NOFILE, &r) == -1)
		log_warn("raising the limit of open files");
}

/* Descriptors 0 to 2 are there, whoever started us; 0, which children inherit
 * and nobody reads, is no terminal and no pipe of the starter's. */
static int
have_standard_descriptors(void)
{
	int fd;

	do
		if ((fd = open("/dev/null", O_RDWR)) == -1)
			return -1;
	while (fd <= STDERR_FILENO);
	if (dup2(fd, STDIN_FILENO) == -1)
		return -1;
	(void)close(fd);
	return 0;
}

/* Away from the terminal: 0, 1 to nowhere, 2 to the log file.  Returns in the
 * new process only. */
static int
daemonise(const struct conf *conf)
{
	int log = -1, null = -1, rc = -1;

	log = open(conf->log_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
	if (log == -1 || (null = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1) {
		log_warn("log_file: %s", conf->log_file);
		goto out;
	}
	switch (fork()) {
	case -1:
		log_warn("going to the background");
		goto out;
	case 0:
		break;
	default:
		_exit(EXIT_DONE);
	}
	if (setsid() == -1 || chdir("/") == -1 || dup2(null, STDIN_FILENO) == -1 ||
	    dup2(null, STDOUT_FILENO) == -1 || dup2(log, STDERR_FILENO) == -1) {
		log_warn("going to the background");
		goto out;
	}
	rc = 0;
out:
	if (log != -1)
		(void)close(log);
	if (null != -1)
		(void)close(null);
	return rc;
}

/* The pid file's descriptor: at the end it can only be emptied, its folder is
 * out of reach then.  -2: none is wanted. */
static int
write_pid_file(const char *path)
{
	char text[16];
	int fd, n;

	if (path == NULL || path[0] == '\0')
		return -2;
	n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0644);
	if (fd == -1 || write_full(fd, text, (size_t)n) == -1) {
		log_warn("pid_file: %s", path);
		if (fd != -1)
			(void)close(fd);
		return -1;
	}
	return fd;
}

static void
free_parts(struct gateway *gw)
{
	sessions_free(gw->sessions);
	fetches_free(gw->fetches);
	publish_free(gw->publish);
	keep_free(gw->keep);
	notices_free(gw->notices);
	pairs_free(gw->pairs);
	flow_free(gw->flow);
	children_free(gw->children);
	tree_close(&gw->tree);
	conf_free(gw->conf);
}

static int
run(struct gateway *gw, int pid_file)
{
	int signals, rc;

	if ((signals = loop_signals()) == -1) {
		log_warn("signals");
		return EXIT_ENVIRONMENT;
	}
	if (setup_drop_root(gw) == -1 || setup_sandbox(gw) == -1 ||
	    tree_open(&gw->tree, gw->tree.state) == -1)
		return EXIT_ENVIRONMENT;
	if ((gw->disk = disk_start(DISK_THREADS)) == NULL) {
		log_warn("threads");
		return EXIT_ENVIRONMENT;
	}
	gw->children = children_new(gw);
	gw->flow = flow_new(gw);
	gw->pairs = pairs_new(gw);
	gw->notices = notices_new(gw);
	gw->publish = publish_new(gw);
	gw->keep = keep_new(gw);
	gw->fetches = fetches_new(gw);
	gw->sessions = sessions_new(gw);
	rc = loop_run(gw, signals);
	(void)close(signals);
	free_parts(gw);
	/* last: who watches it may start the next one now */
	if (pid_file >= 0 && ftruncate(pid_file, 0) == -1)
		log_warn("pid_file");
	return rc;
}

int
main(int argc, char *argv[])
{
	struct options o = { .conf = NULL };
	struct gateway gw;
	int pid_file;

	if (have_standard_descriptors() == -1 || parse_options(argc, argv, &o) == -1)
		return usage();
	log_init("muhurd", o.check ? LOG_COMMAND : LOG_DAEMON, o.verbose);
	umask(0);	/* every mode is given where the file is made */
	memset(&gw, 0, sizeof(gw));
	setup_init(&gw);
	if (o.conf == NULL)
		o.conf = conf_default_path();
	if ((gw.conf = conf_load(o.conf)) == NULL)
		return EXIT_INVALID;
	if (cutoffs_check(gw.conf) == -1)
		return EXIT_INVALID;
	gw.verbose = o.verbose;
	if (setup_users(&gw) == -1 || setup_files(&gw) == -1)
		return EXIT_INVALID;
	if (o.check) {
		(void)printf("%s: the configuration is valid\n", o.conf);
		return EXIT_DONE;
	}
	clock_init(gw.conf->clock_offset);
	raise_file_limit();
	if (setup_state(&gw) == -1 || setup_listen(&gw) == -1 ||
	    (!o.foreground && daemonise(gw.conf) == -1) ||
	    /* in the foreground its starter knows the process without the file */
	    ((pid_file = write_pid_file(gw.conf->pid_file)) == -1 && !o.foreground))
		return EXIT_ENVIRONMENT;
	return run(&gw, pid_file);
}
