/* SPDX-License-Identifier: ISC */
#include "model/timestamp.h"

static const char *const names[TIMESTAMP_STATE_COUNT] = {
	[TIMESTAMP_NONE]	= "none",
	[TIMESTAMP_NOT_JUDGED]	= "not-judged",
	[TIMESTAMP_GOOD]	= "good",
	[TIMESTAMP_BAD]		= "bad",
};

const char *
timestamp_state_name(enum timestamp_state s)
{
	return names[s];
}

/* Which of two is told: bad, then not judged, then good. */
static int
rank(enum timestamp_state s)
{
	static const int ranks[TIMESTAMP_STATE_COUNT] = {
		[TIMESTAMP_GOOD] = 1, [TIMESTAMP_NOT_JUDGED] = 2, [TIMESTAMP_BAD] = 3,
	};

	return ranks[s];
}

void
timestamp_merge(struct timestamp *all, const struct timestamp *one)
{
	if (rank(one->state) > rank(all->state) || (one->state == TIMESTAMP_GOOD &&
	    all->state == TIMESTAMP_GOOD && one->at < all->at))
		*all = *one;
}
