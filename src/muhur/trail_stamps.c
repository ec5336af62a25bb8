/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "muhur/trail_stamps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "document/pipeline.h"

#define CLOCK_SKEW	(300 * USEC_PER_SEC)	/* that an authority's clock may be before ours */

int
trail_stamp_rules(struct cmd *c, const struct trail_places *p, struct stamp_rules *r)
{
	const char *path = p->tsa != NULL || p->dir != NULL ? p->tsa : cmd_conf(c)->tsa_anchors;
	char *pem = NULL;
	size_t len;
	int rc = EXIT_ENVIRONMENT;

	memset(r, 0, sizeof(*r));
	r->latest = clock_now() + CLOCK_SKEW;
	if (document_init() == -1)
		return EXIT_ENVIRONMENT;
	if (path == NULL)
		return EXIT_YES;
	if (file_read_all(path, TRUST_MAX_ANCHORS, &pem, &len) == -1)
		log_warn("%s", path);
	else if ((r->tsa = trust_new(pem, len)) == NULL)
		log_warnx("%s: holds no usable certificates", path);
	else
		rc = EXIT_YES;
	free(pem);
	return rc;
}

void
trail_stamp_in(int dir, const char *day, uint64_t size, const struct buf *note,
    const struct stamp_rules *r, struct timestamp *t)
{
	char path[TILE_PATH_SIZE], *der = NULL;
	size_t len;
	int fd;

	memset(t, 0, sizeof(*t));
	(void)snprintf(path, sizeof(path), "checkpoints/%.10s/%llu.tsr", day, (unsigned long long)size);
	if ((fd = open_beneath(dir, path, O_RDONLY | O_NONBLOCK, 0)) == -1 && errno == ENOENT) {
		t->state = TIMESTAMP_NONE;
		return;
	}
	if (fd == -1 || fd_read_all(fd, STAMP_MAX_TOKEN, &der, &len) == -1) {
		t->state = TIMESTAMP_BAD;
		(void)snprintf(t->why, sizeof(t->why), "it cannot be read: %s", strerror(errno));
	} else
		stamp_judge_response(der, len, note->data, note->len, NULL, r, t);
	if (fd != -1)
		(void)close(fd);
	free(der);
}

struct looking {
	int		 dir;
	uint64_t	 size;
	const struct buf *note;
	const struct stamp_rules *r;
	struct timestamp *t;
};

/* A size that was published twice, at the turn of a day, may be stamped once. */
static int
look(void *arg, const char *day, uint64_t size, int stamped)
{
	struct looking *l = arg;

	if (size != l->size || !stamped)
		return size > l->size;
	trail_stamp_in(l->dir, day, size, l->note, l->r, l->t);
	return 1;
}

void
trail_stamp_of(int dir, uint64_t size, const struct buf *note, const struct stamp_rules *r,
    struct timestamp *t)
{
	struct looking l = { dir, size, note, r, t };

	memset(t, 0, sizeof(*t));
	t->state = TIMESTAMP_NONE;
	(void)tiles_each_checkpoint(dir, look, &l);
}
