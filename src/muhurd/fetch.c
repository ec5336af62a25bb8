/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/ident.h"
#include "msg/proto.h"
#include "muhurd/fetch.h"

struct fetch_open {
	struct fetch_open *next;
	uint32_t	 tag;
	long long	 size;
	char		 recipient[MEMBER_CODE_SIZE];
	char		 file_name[FILE_NAME_SIZE];
};

/* To be recorded, packed: most have one range of many possible ones. */
struct fetch {
	struct fetch	*next;
	char		 member[MEMBER_CODE_SIZE];	/* of who fetched it */
	uint32_t	 tag;
	size_t		 len;
	uint8_t		 payload[];
};

struct fetches {
	struct fetch	*first, **last;		/* oldest first */
	struct fetch	*unsent;		/* the first that the directory has not; NULL none */
	size_t		 n, sent;
	uint32_t	 tag;
};

/* --- of one session ------------------------------------------------------------- */

void
fetch_opened(struct fetch_list *l, uint32_t tag, const char *recipient,
    const char *file_name, long long size)
{
	struct fetch_open *o = xcalloc(1, sizeof(*o));

	o->tag = tag;
	o->size = size;
	(void)str_copy(o->recipient, sizeof(o->recipient), recipient);
	(void)str_copy(o->file_name, sizeof(o->file_name), file_name);
	o->next = l->first;
	l->first = o;
	l->n++;
}

void
fetch_forget(struct fetch_list *l, const char *user)
{
	struct fetch_open *o;

	while ((o = l->first) != NULL) {
		/* its process was killed, or went before the file reached it */
		log_info("%s did not say what it fetched of %s", user, o->file_name);
		l->first = o->next;
		free(o);
	}
	l->n = 0;
}

/* --- to the directory ------------------------------------------------------------- */

struct fetches *
fetches_new(struct gateway *gw)
{
	struct fetches *f = xcalloc(1, sizeof(*f));

	(void)gw;
	f->last = &f->first;
	return f;
}

void
fetches_free(struct fetches *f)
{
	struct fetch *x;

	if (f == NULL)
		return;
	if (f->n > 0)
		log_alarm("%zu downloads are not recorded: the database was not there", f->n);
	while ((x = f->first) != NULL) {
		f->first = x->next;
		free(x);
	}
	free(f);
}

size_t
fetches_waiting(const struct gateway *gw)
{
	return gw->fetches->n;
}

static void
give(struct gateway *gw)
{
	struct child *directory = children_of(gw, ROLE_DIRECTORY);
	struct fetches *f = gw->fetches;

	while (directory != NULL && f->unsent != NULL && f->sent < FETCHES_AT_ONCE) {
		if (msg_send(&directory->chan, M_FETCHED, f->unsent->tag, f->unsent->payload,
		    f->unsent->len, NULL, 0) == -1) {
			child_unreached(&directory->chan, M_FETCHED);
			return;		/* when it is gone all are unsent again */
		}
		f->sent++;
		f->unsent = f->unsent->next;
	}
}

/* One member's users do not take the place of all others. */
static int
full(const struct fetches *f, const char *member)
{
	const struct fetch *x;
	size_t n = 0;

	if (f->n >= FETCHES_KEPT)
		return 1;
	if (f->n < FETCHES_OF_MEMBER)
		return 0;
	for (x = f->first; x != NULL; x = x->next)
		n += strcmp(x->member, member) == 0;
	return n >= FETCHES_OF_MEMBER;
}

static void
keep(struct gateway *gw, const struct m_fetched *v)
{
	struct fetches *f = gw->fetches;
	char member[MEMBER_CODE_SIZE] = "";
	struct buf b = { 0 };
	struct fetch *x;

	(void)user_code_member(v->user, member);
	if (full(f, member)) {
		log_warnx("%s fetched %s of %s: not recorded, since too many others wait for the database",
		    v->user, v->file_name, v->recipient);
		return;
	}
	put_m_fetched(&b, v);
	x = xcalloc(1, sizeof(*x) + b.len);
	x->tag = ++f->tag;
	x->len = b.len;
	(void)str_copy(x->member, sizeof(x->member), member);
	memcpy(x->payload, b.data, b.len);
	buf_free(&b);
	*f->last = x;
	f->last = &x->next;
	f->n++;
	if (f->unsent == NULL)
		f->unsent = x;
	give(gw);
}

int
fetch_closed(struct gateway *gw, struct fetch_list *l, const char *user, const struct msg *m)
{
	struct fetch_open **p, *o;
	struct m_box_fetched said;
	struct m_fetched v = { .at = clock_now() };

	if (get_m_box_fetched(m, &said) == -1)
		return -1;
	for (p = &l->first; (o = *p) != NULL && o->tag != m->tag; p = &o->next)
		;
	if (o == NULL || (said.ranges.n > 0 && said.ranges.v[said.ranges.n - 1].to > o->size))
		return -1;
	*p = o->next;
	l->n--;
	(void)str_copy(v.recipient, sizeof(v.recipient), o->recipient);
	(void)str_copy(v.file_name, sizeof(v.file_name), o->file_name);
	(void)str_copy(v.user, sizeof(v.user), user);
	v.size = o->size;
	v.ranges = said.ranges;
	free(o);
	if (v.ranges.n > 0)
		keep(gw, &v);
	return 0;
}

void
fetches_directory_up(struct gateway *gw)
{
	give(gw);
}

void
fetches_directory_gone(struct gateway *gw)
{
	gw->fetches->unsent = gw->fetches->first;
	gw->fetches->sent = 0;
}

int
fetches_kept(struct gateway *gw, const struct msg *m)
{
	struct fetches *f = gw->fetches;
	struct fetch *x;
	uint32_t tag = 0;

	/* in the order they were sent, so all before it are written as well */
	while (f->sent > 0 && tag != m->tag) {
		x = f->first;
		tag = x->tag;
		if ((f->first = x->next) == NULL)
			f->last = &f->first;
		f->n--;
		f->sent--;
		free(x);
	}
	if (m->len != 0 || tag != m->tag)
		return -1;
	give(gw);
	return 0;
}
