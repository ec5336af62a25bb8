/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "muhur/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "xml/pull.h"

#define MIB	(1024LL * 1024)
#define WIDTH	40	/* columns, at least those of the longest line */

static long long total;
static int shown;

static void
show(long long bytes)
{
	char line[WIDTH + 1];

	if (total > 0)
		(void)snprintf(line, sizeof(line), "%lld of %lld MiB read", bytes / MIB, total / MIB);
	else
		(void)snprintf(line, sizeof(line), "%lld MiB read", bytes / MIB);
	(void)fprintf(stderr, "\r%-*s", WIDTH, line);
	shown = 1;
}

void
progress_setup(void)
{
	if (isatty(STDERR_FILENO))
		pull_on_progress(show);
}

void
progress_begin(long long size)
{
	total = size;
}

void
progress_leaves(long long done, long long all)
{
	static int terminal = -1;

	if (terminal == -1)
		terminal = isatty(STDERR_FILENO);
	if (!terminal)
		return;
	(void)fprintf(stderr, "\r%lld of %lld leaves", done, all);
	shown = 1;
}

void
progress_end(void)
{
	if (shown)
		(void)fprintf(stderr, "\r%*s\r", WIDTH, "");
	shown = 0;
}
