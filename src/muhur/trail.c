/* SPDX-License-Identifier: ISC */
/* muhur trail: the signature trail's checkpoints. */
#include "config.h"

#include "muhur/trail.h"

int
cmd_trail(struct cmd *c, int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
		{ "stamp", trail_stamp, "trail stamp [--limit N]" },
	};

	return cmd_dispatch(c, argc, argv, verbs, sizeof(verbs) / sizeof(verbs[0]));
}
