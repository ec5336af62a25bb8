/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "muhurd/sched.h"

struct item_list {
	struct sched_item *first, **last;
};

/* Kept for the life of the process: there are as many as members, and one
 * whose queue runs empty must not win a turn by that. */
struct sched_member {
	char	 code[MEMBER_CODE_SIZE];
	uint64_t served;		/* number of its last turn, 0 never */
	struct item_list list[2];	/* [0] large, [1] small */
};

struct sched {
	struct sched_member **members;
	size_t	 nmembers;
	size_t	 length;
	uint64_t turn, order;
};

struct sched *
sched_new(void)
{
	return xcalloc(1, sizeof(struct sched));
}

void
sched_free(struct sched *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < s->nmembers; i++)
		free(s->members[i]);
	free(s->members);
	free(s);
}

static struct sched_member *
find_member(struct sched *s, const char *code)
{
	struct sched_member *m;
	size_t i;

	for (i = 0; i < s->nmembers; i++)
		if (strcmp(s->members[i]->code, code) == 0)
			return s->members[i];
	m = xcalloc(1, sizeof(*m));
	(void)str_copy(m->code, sizeof(m->code), code);
	for (i = 0; i < 2; i++)
		m->list[i].last = &m->list[i].first;
	s->members = xreallocarray(s->members, s->nmembers + 1, sizeof(*s->members));
	s->members[s->nmembers++] = m;
	return m;
}

void
sched_push(struct sched *s, const char *member, struct sched_item *item)
{
	struct item_list *l = &find_member(s, member)->list[item->small != 0];

	item->order = ++s->order;
	item->next = NULL;
	*l->last = item;
	l->last = &item->next;
	s->length++;
}

/* Which of a member's two lists would give its next item, NULL for none. */
static struct item_list *
eligible(struct sched_member *m, int large_ok)
{
	struct item_list *large = &m->list[0], *small = &m->list[1];

	if (!large_ok || large->first == NULL)
		return small->first != NULL ? small : NULL;
	if (small->first == NULL || large->first->order < small->first->order)
		return large;
	return small;
}

struct sched_item *
sched_next(struct sched *s, int large_ok)
{
	struct sched_member *best = NULL;
	struct item_list *l;
	struct sched_item *item;
	size_t i;

	for (i = 0; i < s->nmembers; i++) {
		if (eligible(s->members[i], large_ok) == NULL)
			continue;
		if (best == NULL || s->members[i]->served < best->served)
			best = s->members[i];
	}
	if (best == NULL)
		return NULL;
	l = eligible(best, large_ok);
	item = l->first;
	if ((l->first = item->next) == NULL)
		l->last = &l->first;
	item->next = NULL;
	best->served = ++s->turn;
	s->length--;
	return item;
}

size_t
sched_length(const struct sched *s)
{
	return s->length;
}
