/* SPDX-License-Identifier: ISC */
/* muhur trail: the published log and its checkpoints. */
#include "config.h"

#include "muhur/trail.h"

int
cmd_trail(struct cmd *c, int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
		{ "verify", trail_verify, "trail verify [--dir DIR] [--key VKEY|FILE] [--openings DIR] [--store DIR]\n"
		    "             [--tsa PEM] [--from SIZE] [--to SIZE] [--checkpoint FILE]... [--proof FILE]...\n"
		    "             [--require-stamps] [--stamp-grace SECONDS] [--stamp-late SECONDS]" },
		{ "prove", trail_prove, "trail prove EVENT | --index N | --submission ID\n"
		    "             [--dir DIR] [--key VKEY|FILE] [--openings DIR] [--size SIZE] [-o FILE]" },
		{ "checkpoint", trail_checkpoint, "trail checkpoint [--dir DIR] [--key VKEY|FILE] [--tsa PEM] [SIZE]" },
		{ "stamp", trail_stamp, "trail stamp [--limit N]" },
	};

	return cmd_dispatch(c, argc, argv, verbs, sizeof(verbs) / sizeof(verbs[0]));
}
