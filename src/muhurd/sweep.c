/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "muhurd/disk.h"
#include "muhurd/proc.h"
#include "muhurd/session.h"
#include "muhurd/sweep.h"

#define EVERY_MOST	30	/* seconds between two sweeps */
#define END_GRACE	5	/* seconds for who holds what is gone */

struct sweep {
	ino_t	*pending;	/* inodes of what is not concluded */
	size_t	 npending, size;
	time_t	 now;
	int	 sent_listing;
};

static int
note_file(int dirfd, const char *name, void *arg)
{
	struct sweep *s = arg;
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : -1;
	if (s->npending == s->size) {
		s->size = s->size == 0 ? 64 : s->size * 2;
		s->pending = xreallocarray(s->pending, s->size, sizeof(*s->pending));
	}
	s->pending[s->npending++] = st.st_ino;
	return 0;
}

/* Call fn for each name of dirfd/name; a folder that is not there is empty. */
static int
each_below(int dirfd, const char *name, int (*fn)(int, const char *, void *), void *arg)
{
	int fd, rc;

	if ((fd = tree_dir_existing(dirfd, name)) == -1)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	rc = tree_each(fd, fn, arg);
	(void)close(fd);
	return rc;
}

static int
note_folder(int dirfd, const char *name, void *arg)
{
	return each_below(dirfd, name, note_file, arg);
}

static int
by_inode(const void *a, const void *b)
{
	ino_t x = *(const ino_t *)a, y = *(const ino_t *)b;

	return x < y ? -1 : x > y;
}

static int
sweep_file(int dirfd, const char *name, void *arg)
{
	struct sweep *s = arg;
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : -1;
	/* the last change of the inode: its links, of which the one into the store
	 * came when it was concluded.  More than, not equal: one that was taken
	 * after the pending ones were noted is too young in any case. */
	if (s->now - st.st_ctime <= s->sent_listing || (s->npending > 0 &&
	    bsearch(&st.st_ino, s->pending, s->npending, sizeof(ino_t), by_inode) != NULL))
		return 0;
	if (unlinkat(dirfd, name, 0) == -1 && errno != ENOENT)
		return -1;
	return 0;
}

static int
sweep_user(int dirfd, const char *name, void *arg)
{
	int fd, rc;

	if ((fd = tree_dir_existing(dirfd, name)) == -1)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	rc = each_below(fd, "sent", sweep_file, arg);
	(void)close(fd);
	return rc;
}

static int
sweep_member(int dirfd, const char *name, void *arg)
{
	int fd, rc;

	if ((fd = tree_dir_existing(dirfd, name)) == -1)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	rc = each_below(fd, "users", sweep_user, arg);
	(void)close(fd);
	return rc;
}

int
sweep_sent(const struct tree *t, time_t now, int sent_listing)
{
	struct sweep s = { .now = now, .sent_listing = sent_listing };
	int rc = -1;

	if (tree_each(t->received, note_folder, &s) == -1)
		goto out;
	if (s.npending > 1)
		qsort(s.pending, s.npending, sizeof(*s.pending), by_inode);
	rc = tree_each(t->boxes, sweep_member, &s);
out:
	free(s.pending);
	return rc;
}

struct sweep_job {
	struct disk_job	 job;
	struct gateway	*gw;
	int		 rc, error;
	int		 renewed;	/* the folder of all boxes is another one */
};

static void
sweep_work(struct disk_job *job)
{
	struct sweep_job *j = (struct sweep_job *)job;

	if ((j->renewed = j->rc = tree_renew_boxes(&j->gw->tree)) != -1)
		j->rc = sweep_sent(&j->gw->tree, time(NULL), j->gw->conf->sent_listing);
	j->error = errno;
}

/* Those that hold the old one, or folders in it, begin anew. */
static void
boxes_renewed(struct gateway *gw)
{
	struct child *c;

	log_alarm("boxes: the folder was removed: what should be in it, `muhur notice rebuild --archive' puts there");
	sessions_end(gw, END_GRACE);
	for (c = children_first(gw); c != NULL; c = c->next)
		if (c->role == ROLE_ARCHIVE)
			child_end(c, END_GRACE);
}

static void
sweep_done(struct disk_job *job)
{
	struct sweep_job *j = (struct sweep_job *)job;
	int every = j->gw->conf->sent_listing / 4;

	if (j->rc == -1)
		log_warnx("boxes: %s", strerror(j->error));
	if (j->renewed == 1 && !j->gw->stopping)
		boxes_renewed(j->gw);
	if (every < 1)
		every = 1;
	if (every > EVERY_MOST)
		every = EVERY_MOST;
	j->gw->sweep_at = clock_monotonic() + every * USEC_PER_SEC;
	j->gw->sweeping = 0;
	free(j);
}

void
sweep_tick(struct gateway *gw, usec_t now)
{
	struct sweep_job *j;

	if (gw->stopping || gw->sweeping || now < gw->sweep_at)
		return;
	j = xcalloc(1, sizeof(*j));
	j->job.work = sweep_work;
	j->job.done = sweep_done;
	j->gw = gw;
	gw->sweeping = 1;
	disk_submit(gw->disk, disk_lane("sweep"), &j->job);
}
