/* SPDX-License-Identifier: ISC */
#include "base/steady.h"

static int
apart(usec_t a, usec_t b)
{
	usec_t d = a > b ? a - b : b - a;

	return d > CLOCK_JUMP * USEC_PER_SEC;
}

void
steady_begin(struct steady *s, usec_t wall, usec_t boot, usec_t by)
{
	s->seen = wall - boot;
	s->accepted = s->seen - by;
	s->since = boot;
	s->held = apart(s->seen, s->accepted);
	if (!s->held)
		s->accepted = s->seen;
}

enum steady_news
steady_look(struct steady *s, usec_t wall, usec_t boot, usec_t settle)
{
	usec_t now = wall - boot;
	int jumped = apart(now, s->seen);

	s->seen = now;
	if (!s->held) {
		if (!jumped) {
			s->accepted = now;
			return STEADY_SAME;
		}
		s->held = 1;
		s->since = boot;
		return STEADY_JUMPED;
	}
	if (!apart(now, s->accepted)) {
		s->held = 0;
		return STEADY_BACK;
	}
	if (jumped) {
		s->since = boot;
		return STEADY_JUMPED;
	}
	if (boot - s->since < settle)
		return STEADY_SAME;
	s->held = 0;
	return STEADY_TAKEN;
}

usec_t
steady_by(const struct steady *s)
{
	return s->seen - s->accepted;
}
