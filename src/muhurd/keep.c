/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "depot/material.h"
#include "msg/proto.h"
#include "muhurd/keep.h"

#define SETS_MAX	32	/* that wait to be kept: each is some open files */
#define KNOWN_MAX	8	/* ids that judgements may still name, newest last */

_Static_assert(MATERIAL_SLOTS <= MATERIAL_SLOTS_MAX, "a message must be able to name each");

struct material_set {
	uint32_t	 tag;
	int		 fds[MATERIAL_SLOTS];	/* -1: there is none */
	struct material_set *next;
};

struct keep {
	struct m_document order;	/* at the archive process; "" none */
	struct material_set *sets;	/* not kept yet, oldest first */
	size_t		 nsets;
	uint32_t	 tag;		/* of the newest */
	char		 known[KNOWN_MAX][SHA256_HEX_SIZE];
	char		 asked[SHA256_HEX_SIZE];	/* named by a judgement, not known */
	int		 news;		/* of the background pass, to be written */
	struct m_pass	 pass;
	uint32_t	 pass_tag;
};

struct keep *
keep_new(struct gateway *gw)
{
	(void)gw;
	return xcalloc(1, sizeof(struct keep));
}

static void
drop_oldest(struct keep *k)
{
	struct material_set *s = k->sets;
	size_t i;

	k->sets = s->next;
	k->nsets--;
	for (i = 0; i < MATERIAL_SLOTS; i++)
		if (s->fds[i] != -1)
			(void)close(s->fds[i]);
	free(s);
}

void
keep_free(struct keep *k)
{
	if (k == NULL)
		return;
	while (k->sets != NULL)
		drop_oldest(k);
	free(k);
}

/* --- compressing ------------------------------------------------------------------ */

static void
answer(struct gateway *gw, const char *sha256, enum kept_result result)
{
	struct child *directory = children_of(gw, ROLE_DIRECTORY);
	struct m_kept a = { .result = result };

	if (directory == NULL)
		return;		/* it will order again */
	(void)str_copy(a.sha256, sizeof(a.sha256), sha256);
	GATEWAY_SEND(&directory->chan, M_DIR_COMPRESSED, 0, m_kept, &a, NULL, 0);
}

int
keep_order(struct gateway *gw, struct msg *m)
{
	struct child *archive = children_of(gw, ROLE_ARCHIVE);
	struct keep *k = gw->keep;
	struct m_document d;

	if (get_m_document(m, &d) == -1)
		return -1;
	/* a directory that ended may have left an order behind */
	if (strcmp(k->order.sha256, d.sha256) == 0)
		return 0;
	if (archive == NULL || gw->stopping || k->order.sha256[0] != '\0') {
		answer(gw, d.sha256, KEPT_LATER);
		return 0;
	}
	k->order = d;
	GATEWAY_SEND(&archive->chan, M_COMPRESS_FILE, 0, m_document, &d, NULL, 0);
	return 0;
}

static int
compressed(struct gateway *gw, struct msg *m)
{
	struct keep *k = gw->keep;
	struct m_kept a;

	if (get_m_kept(m, &a) == -1 || strcmp(a.sha256, k->order.sha256) != 0)
		return -1;
	k->order.sha256[0] = '\0';
	if (a.result == KEPT_ABSENT)
		log_alarm("document %s: the database names it and the store does not have it", a.sha256);
	answer(gw, a.sha256, a.result);
	return 0;
}

/* --- what documents are judged by ---------------------------------------------------- */

static void
send_set(struct gateway *gw, const struct material_set *s)
{
	struct child *archive = children_of(gw, ROLE_ARCHIVE);
	struct m_material m = { 0 };
	int fd;

	if (archive == NULL || gw->stopping)
		return;
	for (m.slot = 0; m.slot < MATERIAL_SLOTS; m.slot++) {
		if (s->fds[m.slot] == -1)
			continue;
		if ((fd = fcntl(s->fds[m.slot], F_DUPFD_CLOEXEC, 0)) == -1) {
			log_alarm("material: %s", strerror(errno));
			return;		/* the archive process waits for its end, and gets a new one */
		}
		GATEWAY_SEND(&archive->chan, M_MATERIAL, s->tag, m_material, &m, &fd, 1);
	}
	m.slot = 0;
	m.last = 1;
	GATEWAY_SEND(&archive->chan, M_MATERIAL, s->tag, m_material, &m, NULL, 0);
}

void
keep_material(struct gateway *gw)
{
	const struct gateway_fds *f = &gw->fd;
	struct keep *k = gw->keep;
	struct material_set *s = xcalloc(1, sizeof(*s)), **end;
	int from[MATERIAL_SLOTS], i;

	for (i = 0; i < MATERIAL_SLOTS; i++)
		from[i] = -1;
	from[MATERIAL_ANCHORS] = f->anchors;
	from[MATERIAL_CRL] = f->crl;
	from[MATERIAL_CRLS] = f->crls;
	from[MATERIAL_TSA] = f->tsa;
	for (i = 1; i < MEMBER_KIND_COUNT; i++)
		from[MATERIAL_KIND + i] = f->kind_anchors[i];
	for (i = 0; i < MATERIAL_SLOTS; i++) {
		s->fds[i] = from[i] == -1 ? -1 : fcntl(from[i], F_DUPFD_CLOEXEC, 0);
		if (from[i] != -1 && s->fds[i] == -1)
			log_alarm("material: %s", strerror(errno));
	}
	if (k->nsets == SETS_MAX) {
		log_alarm("material: the archive process keeps nothing: the oldest of what judged "
		    "documents is not kept");
		drop_oldest(k);
	}
	s->tag = ++k->tag;
	for (end = &k->sets; *end != NULL; end = &(*end)->next)
		;
	*end = s;
	k->nsets++;
	send_set(gw, s);
}

static int
known(const struct keep *k, const char *id)
{
	size_t i;

	for (i = 0; i < KNOWN_MAX; i++)
		if (strcmp(k->known[i], id) == 0)
			return 1;
	return 0;
}

void
keep_judged_by(struct gateway *gw, const char *id)
{
	struct keep *k = gw->keep;

	if (id[0] == '\0' || known(k, id) || strcmp(k->asked, id) == 0 || k->sets != NULL)
		return;
	(void)str_copy(k->asked, sizeof(k->asked), id);
	log_info("what documents are judged by has changed: it is kept");
	keep_material(gw);
}

static int
material_kept(struct gateway *gw, struct msg *m)
{
	struct keep *k = gw->keep;
	struct m_document d;

	if (get_m_document(m, &d) == -1 || m->tag == 0 || m->tag > k->tag)
		return -1;
	if (k->sets == NULL || m->tag < k->sets->tag)
		return 0;	/* it was given up, see keep_material */
	if (m->tag > k->sets->tag)
		return -1;	/* they are kept one after the other */
	drop_oldest(k);
	if (!known(k, d.sha256)) {
		memmove(k->known[0], k->known[1], sizeof(k->known) - sizeof(k->known[0]));
		(void)str_copy(k->known[KNOWN_MAX - 1], SHA256_HEX_SIZE, d.sha256);
		log_info("material %s is kept", d.sha256);
	}
	if (k->sets == NULL && k->asked[0] != '\0' && !known(k, k->asked)) {
		log_alarm("material %s judged a document and is not kept: a file was changed in place?", k->asked);
		k->asked[0] = '\0';
	}
	return 0;
}

/* --- what the background pass found --------------------------------------------------- */

static void
send_news(struct gateway *gw)
{
	struct child *directory = children_of(gw, ROLE_DIRECTORY);

	if (gw->keep->news && directory != NULL)
		GATEWAY_SEND(&directory->chan, M_DIR_PASS, gw->keep->pass_tag, m_pass, &gw->keep->pass, NULL, 0);
}

static int
pass(struct gateway *gw, struct msg *m)
{
	struct keep *k = gw->keep;

	if (k->news || get_m_pass(m, &k->pass) == -1)
		return -1;
	if (k->pass.rot[0] == '\0')
		log_info("the store was read: %lld documents, %lld bytes, %lld of them rotten",
		    k->pass.documents, k->pass.bytes, k->pass.rotten);
	k->news = 1;
	k->pass_tag++;
	send_news(gw);
	return 0;
}

int
keep_pass_kept(struct gateway *gw, struct msg *m)
{
	struct child *archive = children_of(gw, ROLE_ARCHIVE);
	struct keep *k = gw->keep;

	/* of an archive process before this one, or of one that told it twice */
	if (!k->news || m->tag != k->pass_tag)
		return 0;
	k->news = 0;
	if (archive != NULL && msg_send(&archive->chan, M_PASS_KEPT, 0, NULL, 0, NULL, 0) == -1)
		child_unreached(&archive->chan, M_PASS_KEPT);
	return 0;
}

void
keep_directory_up(struct gateway *gw)
{
	send_news(gw);
}

int
keep_message(struct gateway *gw, struct msg *m)
{
	switch (m->type) {
	case M_COMPRESSED:
		return compressed(gw, m);
	case M_MATERIAL_KEPT:
		return material_kept(gw, m);
	case M_PASS:
		return pass(gw, m);
	default:
		return -1;
	}
}

void
keep_archive_up(struct gateway *gw)
{
	const struct material_set *s;

	if (gw->keep->tag == 0) {
		keep_material(gw);
		return;
	}
	for (s = gw->keep->sets; s != NULL; s = s->next)
		send_set(gw, s);
}

void
keep_archive_gone(struct gateway *gw)
{
	struct keep *k = gw->keep;

	k->news = 0;		/* the next one comes to them again */
	if (k->order.sha256[0] == '\0')
		return;
	answer(gw, k->order.sha256, KEPT_LATER);
	k->order.sha256[0] = '\0';
}
