/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "load/given.h"

#include <stdlib.h>
#include <string.h>

#include "load/array.h"

void
given_add(struct given_list *l, const char *name, usec_t duration)
{
	l->v = xreallocarray(l->v, l->n + 1, sizeof(*l->v));
	(void)str_copy(l->v[l->n].name, sizeof(l->v[l->n].name), name);
	l->v[l->n++].until = clock_monotonic() + duration;
}

int
given_remove(struct given_list *l, const char *name)
{
	size_t	 i;
	int	 found = 0;

	for (i = 0; i < l->n; i++)
		if (strcmp(l->v[i].name, name) == 0) {
			l->v[i--] = l->v[--l->n];
			found = 1;
		}
	return found;
}

size_t
given_count(struct given_list *l)
{
	usec_t	 now = clock_monotonic();
	size_t	 i;

	for (i = 0; i < l->n; i++)
		if (l->v[i].until <= now)
			l->v[i--] = l->v[--l->n];
	return l->n;
}

void
given_to_array(struct given_list *l, struct buf *b)
{
	size_t	 i, n = given_count(l);

	for (i = 0; i < n; i++)
		array_add(b, l->v[i].name);
}

void
given_free(struct given_list *l)
{
	free(l->v);
	l->v = NULL;
	l->n = 0;
}
