/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "sftp/handle.h"

int
extents_add(struct extents *x, uint64_t from, uint64_t to)
{
	int first, last;

	if (from >= to)
		return 0;
	/* The ranges first..last-1 touch or overlap the new one. */
	for (first = x->n; first > 0 && x->e[first - 1].to >= from; first--)
		;
	for (last = first; last < x->n && x->e[last].from <= to; last++)
		;
	if (first == last) {
		if (x->n == SFTP_MAX_EXTENTS)
			return -1;
		memmove(&x->e[first + 1], &x->e[first],
		    (size_t)(x->n - first) * sizeof(x->e[0]));
		x->n++;
	} else {
		if (x->e[first].from < from)
			from = x->e[first].from;
		if (x->e[last - 1].to > to)
			to = x->e[last - 1].to;
		memmove(&x->e[first + 1], &x->e[last],
		    (size_t)(x->n - last) * sizeof(x->e[0]));
		x->n -= last - first - 1;
	}
	x->e[first].from = from;
	x->e[first].to = to;
	return 0;
}

void
extents_clip(struct extents *x, uint64_t size)
{
	while (x->n > 0 && x->e[x->n - 1].from >= size)
		x->n--;
	if (x->n > 0 && x->e[x->n - 1].to > size)
		x->e[x->n - 1].to = size;
}

uint64_t
extents_prefix(const struct extents *x)
{
	return x->n > 0 && x->e[0].from == 0 ? x->e[0].to : 0;
}

int
extents_have_gap(const struct extents *x, uint64_t size)
{
	return extents_prefix(x) != size;
}

void
handles_init(struct handles *hs)
{
	int i;

	memset(hs, 0, sizeof(*hs));
	for (i = 0; i < SFTP_MAX_HANDLES; i++) {
		hs->h[i].number = i;
		hs->h[i].fd = -1;
	}
}

int
handles_full(const struct handles *hs)
{
	int i;

	for (i = 0; i < SFTP_MAX_HANDLES; i++)
		if (hs->h[i].kind == H_FREE)
			return 0;
	return 1;
}

struct handle *
handle_new(struct handles *hs, enum handle_kind kind, const struct vpath *path)
{
	struct handle *h;
	int i;

	for (i = 0; i < SFTP_MAX_HANDLES; i++)
		if (hs->h[i].kind == H_FREE)
			break;
	if (i == SFTP_MAX_HANDLES)
		return NULL;
	h = &hs->h[i];
	memset(h, 0, sizeof(*h));
	h->kind = kind;
	h->number = i;
	h->path = *path;
	h->fd = -1;
	if (kind == H_UPLOAD || kind == H_FETCH)
		h->extents = xcalloc(1, sizeof(*h->extents));
	return h;
}

struct handle *
handle_get(struct handles *hs, int number)
{
	if (number < 0 || number >= SFTP_MAX_HANDLES || hs->h[number].kind == H_FREE)
		return NULL;
	return &hs->h[number];
}

struct handle *
handle_upload(struct handles *hs, const char *name)
{
	int i;

	for (i = 0; i < SFTP_MAX_HANDLES; i++)
		if (hs->h[i].kind == H_UPLOAD && strcmp(hs->h[i].path.name, name) == 0)
			return &hs->h[i];
	return NULL;
}

void
handle_free(struct handle *h)
{
	if (h->fd != -1)
		(void)close(h->fd);
	if (h->dir != NULL)
		(void)closedir(h->dir);
	free(h->extents);
	free(h->names);
	h->kind = H_FREE;
	h->fd = -1;
	h->dir = NULL;
	h->extents = NULL;
	h->names = NULL;
}
