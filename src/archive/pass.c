/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/pass.h"
#include "base/fdio.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "depot/depot.h"

#define CURSOR		".cursor"
#define CURSOR_HEAD	"muhur-archive-cursor 1\n"
#define CURSOR_MAX	1024		/* bytes */
#define CHUNK		(64 * 1024)	/* of a document, a step */
#define SMALL		4096		/* a document costs as much at least: opening it is work too */
#define NAMES_MAX	4096		/* of a shelf, listed at once */
#define NAME_SIZE	(SHA256_HEX_SIZE + 4)	/* <sha256>.zst */
#define SAVE_EVERY	(2 * USEC_PER_SEC)
#define LOCK_EVERY	(10 * USEC_PER_SEC)	/* is the other archive process gone? */
#define PASS_EVERY	(24 * 3600 * USEC_PER_SEC)
#define DUE_MOST	(60 * USEC_PER_SEC)	/* the clock may jump: look now and then */

/* What the cursor says. */
struct place {
	int		 reading;	/* else the pass has ended */
	usec_t		 started;	/* clock_now */
	char		 name[NAME_SIZE];	/* the last one that was read, "" none */
	long long	 documents, bytes, rotten, unread;
};

struct pass {
	int		 store;
	int64_t		 rate;
	int		 lock;		/* the store, locked; -1 not */
	usec_t		 due;		/* clock_monotonic */
	usec_t		 save_at;
	int		 save_failed;
	int		 untold;	/* there are news that are not written */
	/* the bucket */
	int64_t		 tokens;
	usec_t		 filled;
	struct place	 place;
	/* the next names of a shelf */
	char		(*names)[NAME_SIZE];
	size_t		 nnames, next;
	int		 shelf;		/* of names */
	int		 shelf_more;	/* there were more than NAMES_MAX */
	/* what is being read */
	struct depot_file *in;
	char		 name[NAME_SIZE];
	long long	 size;
	char		*chunk;
};

/* --- the cursor ------------------------------------------------------------------ */

static int
name_ok(const char *name)
{
	char sha256[SHA256_HEX_SIZE];

	return depot_parse_name(name, sha256, NULL);
}

static int
parse_cursor(const char *text, struct place *p)
{
	char state[8], started[TIME_SIZE + 1], name[NAME_SIZE + 1];
	int end = 0, zoned;

	memset(p, 0, sizeof(*p));
	if (strncmp(text, CURSOR_HEAD, strlen(CURSOR_HEAD)) != 0)
		return -1;
	text += strlen(CURSOR_HEAD);
	if (sscanf(text, "state %7s\nstarted %31s\nname %69s\ndocuments %18lld\nbytes %18lld\nrotten %18lld\n"
	    "unread %18lld\n%n",
	    state, started, name, &p->documents, &p->bytes, &p->rotten, &p->unread, &end) != 7 || text[end] != '\0')
		return -1;
	p->reading = strcmp(state, "reading") == 0;
	if ((!p->reading && strcmp(state, "ended") != 0) || time_parse(started, &p->started, &zoned) == -1 ||
	    p->documents < 0 || p->bytes < 0 || p->rotten < 0 || p->unread < 0)
		return -1;
	if (strcmp(name, "-") == 0)
		return 0;
	return name_ok(name) ? str_copy(p->name, sizeof(p->name), name) : -1;
}

static void
load_cursor(struct pass *p)
{
	char *text;
	size_t len;
	int fd = open_beneath(p->store, CURSOR, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);

	if (fd == -1) {
		if (errno != ENOENT)
			log_warn("store/" CURSOR ": the pass begins anew");
		return;
	}
	if (fd_read_all(fd, CURSOR_MAX, &text, &len) == -1) {
		log_warn("store/" CURSOR ": the pass begins anew");
		goto out;
	}
	if (strlen(text) != len || parse_cursor(text, &p->place) == -1) {
		log_warnx("store/" CURSOR ": is not readable: the pass begins anew");
		memset(&p->place, 0, sizeof(p->place));
	} else if (p->place.reading)
		log_info("the store is read on, behind %s", p->place.name[0] != '\0' ? p->place.name : "nothing");
	free(text);
out:
	(void)close(fd);
}

static void
save_cursor(struct pass *p, usec_t now)
{
	char started[TIME_SIZE], text[CURSOR_MAX];
	const struct place *l = &p->place;
	int n;

	time_format(l->started, started);
	n = snprintf(text, sizeof(text), CURSOR_HEAD "state %s\nstarted %s\nname %s\ndocuments %lld\n"
	    "bytes %lld\nrotten %lld\nunread %lld\n", l->reading ? "reading" : "ended", started,
	    l->name[0] != '\0' ? l->name : "-", l->documents, l->bytes, l->rotten, l->unread);
	p->save_at = now + SAVE_EVERY;
	if (n > 0 && file_write_durable(p->store, CURSOR, text, (size_t)n, 0640) == 0)
		p->save_failed = 0;
	else if (!p->save_failed) {
		log_alarm("store/" CURSOR ": %s: a restart would read again what was read", strerror(errno));
		p->save_failed = 1;
	}
}

/* --- names ------------------------------------------------------------------------ */

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* A shelf, wholly or from somewhere on: the pass goes on, and tells that it was none of all. */
static void
shelf_unread(struct pass *p, const char *head)
{
	log_alarm("store/%s: %s: not all of it is read in this pass", head, strerror(errno));
	p->place.unread++;
}

/* The smallest of the shelf that come after the place, at most NAMES_MAX of them. */
static void
list_shelf(struct pass *p)
{
	char head[3];
	struct dirent *e;
	DIR *dir;

	p->nnames = p->next = 0;
	p->shelf_more = 0;
	(void)snprintf(head, sizeof(head), "%02x", (unsigned)p->shelf);
	if ((dir = open_list(p->store, head)) == NULL) {
		if (errno != ENOENT)
			shelf_unread(p, head);
		return;
	}
	while (errno = 0, (e = readdir(dir)) != NULL) {
		if (!name_ok(e->d_name) || strncmp(e->d_name, head, 2) != 0 ||
		    strcmp(e->d_name, p->place.name) <= 0)
			continue;
		if (p->nnames == 2 * NAMES_MAX) {
			qsort(p->names, p->nnames, NAME_SIZE, by_name);
			p->nnames = NAMES_MAX;
			p->shelf_more = 1;
		}
		(void)str_copy(p->names[p->nnames++], NAME_SIZE, e->d_name);
	}
	if (errno != 0)
		shelf_unread(p, head);
	(void)closedir(dir);
	if (p->nnames > 0)
		qsort(p->names, p->nnames, NAME_SIZE, by_name);
	if (p->nnames > NAMES_MAX) {
		p->nnames = NAMES_MAX;
		p->shelf_more = 1;
	}
}

/* p->name; 0 at the end of the store. */
static int
next_name(struct pass *p)
{
	while (p->next == p->nnames) {
		if (!p->shelf_more && ++p->shelf > 0xff)
			return 0;
		list_shelf(p);
	}
	memcpy(p->name, p->names[p->next++], NAME_SIZE);
	return 1;
}

/* From the place on. */
static void
find_place(struct pass *p)
{
	unsigned shelf = 0;

	if (p->place.name[0] != '\0')
		(void)sscanf(p->place.name, "%2x", &shelf);
	p->shelf = (int)shelf - 1;
	p->nnames = p->next = 0;
	p->shelf_more = 0;
}

/* --- reading ----------------------------------------------------------------------- */

/* Compressed meanwhile: then its other form is read.  NULL with errno. */
static struct depot_file *
open_name(const struct pass *p)
{
	char sha256[SHA256_HEX_SIZE];
	enum depot_form form;
	struct depot_file *f;

	(void)depot_parse_name(p->name, sha256, &form);
	f = depot_open_form(p->store, sha256, form);
	return f == NULL && errno == ENOENT && form == DEPOT_PLAIN ?
	    depot_open_form(p->store, sha256, DEPOT_ZSTD) : f;
}

static void
close_document(struct pass *p, usec_t now)
{
	depot_close(p->in);
	p->in = NULL;
	memcpy(p->place.name, p->name, NAME_SIZE);
	if (p->size < SMALL)
		p->tokens -= SMALL - p->size;
	if (now >= p->save_at && !p->untold)
		save_cursor(p, now);
}

static int
rotten(struct pass *p, const char *why, struct m_pass *news)
{
	log_alarm("document %.64s: rot in the store: %s: restore it from a backup", p->name, why);
	p->place.rotten++;
	memset(news, 0, sizeof(*news));
	memcpy(news->rot, p->name, SHA256_HEX_SIZE - 1);
	p->untold = 1;
	return 1;
}

static void
unread(struct pass *p)
{
	log_alarm("document %.64s: cannot be read: %s", p->name, strerror(errno));
	p->place.unread++;
}

/* At its end, or where it cannot be read on (n -1). */
static int
end_document(struct pass *p, ssize_t n, struct m_pass *news)
{
	char hex[SHA256_HEX_SIZE];

	if (n == -1 && errno != EBADMSG && errno != EIO) {
		unread(p);
		return 0;
	}
	p->place.documents++;
	p->place.bytes += p->size;
	if (n == -1)
		return rotten(p, errno == EIO ? strerror(EIO) : "its compressed form is broken", news);
	depot_digest(p->in, hex);
	return strncmp(hex, p->name, SHA256_HEX_SIZE - 1) == 0 ? 0 :
	    rotten(p, "its bytes are not what its name says", news);
}

/* Bytes that may be read now; 0 where one has to wait, until p->due. */
static size_t
allowance(struct pass *p, usec_t now)
{
	int64_t want = p->rate < CHUNK ? p->rate : CHUNK;
	int64_t ms = (now - p->filled) / 1000;

	if (ms > 1000) {	/* no more than a second's worth is saved up */
		ms = 1000;
		p->filled = now;
	} else
		p->filled += ms * 1000;
	p->tokens += p->rate * ms / 1000;
	if (p->tokens > p->rate)
		p->tokens = p->rate;
	if (p->tokens >= want)
		return (size_t)want;
	p->due = now + (want - p->tokens) * 1000 / p->rate * 1000 + 1000;
	return 0;
}

static int
read_on(struct pass *p, usec_t now, struct m_pass *news)
{
	int any;
	ssize_t n;
	size_t most = allowance(p, now);

	if (most == 0)
		return 0;
	p->due = now;
	if ((n = depot_read(p->in, p->chunk, most)) > 0) {
		p->tokens -= n;
		p->size += n;
		return 0;
	}
	any = end_document(p, n, news);
	close_document(p, now);
	return any;
}

/* --- the pass ------------------------------------------------------------------------ */

struct pass *
pass_new(int store, int64_t rate)
{
	struct pass *p = xcalloc(1, sizeof(*p));

	p->store = store;
	p->rate = rate;
	p->lock = -1;
	p->filled = clock_monotonic();
	p->names = xcalloc(2 * NAMES_MAX, NAME_SIZE);
	p->chunk = xcalloc(CHUNK, 1);
	return p;
}

void
pass_free(struct pass *p)
{
	if (p == NULL)
		return;
	if (p->lock != -1 && p->place.reading && !p->untold)
		save_cursor(p, 0);
	depot_close(p->in);
	if (p->lock != -1)
		(void)close(p->lock);
	free(p->names);
	free(p->chunk);
	free(p);
}

/* Ours alone?  The lock is of an open file of its own: others have the store's
 * descriptor from the same parent. */
static int
take_lock(struct pass *p, usec_t now)
{
	int fd;

	if (p->lock != -1)
		return 1;
	p->due = now + LOCK_EVERY;
	if ((fd = open_beneath(p->store, ".", O_RDONLY | O_DIRECTORY, 0)) == -1 ||
	    flock(fd, LOCK_EX | LOCK_NB) == -1) {
		if (errno != EWOULDBLOCK)
			log_alarm("store: %s", strerror(errno));
		if (fd != -1)
			(void)close(fd);
		return 0;
	}
	p->lock = fd;
	load_cursor(p);
	find_place(p);
	return 1;
}

/* Has a pass begun, or is it time for one? */
static int
going(struct pass *p, usec_t monotonic)
{
	usec_t now = clock_now(), next = p->place.started + PASS_EVERY;

	if (p->place.reading)
		return 1;
	/* where the clock was put back nobody waits for it to catch up */
	if (p->place.started != 0 && now < next && now >= p->place.started) {
		p->due = monotonic + (next - now < DUE_MOST ? next - now : DUE_MOST);
		return 0;
	}
	memset(&p->place, 0, sizeof(p->place));
	p->place.reading = 1;
	p->place.started = now;
	find_place(p);
	save_cursor(p, monotonic);
	return 1;
}

static int
end_pass(struct pass *p, struct m_pass *news)
{
	p->place.reading = 0;
	p->place.name[0] = '\0';
	memset(news, 0, sizeof(*news));
	news->ended_at = clock_now();
	news->documents = p->place.documents;
	news->bytes = p->place.bytes;
	news->rotten = p->place.rotten;
	news->unread = p->place.unread;
	p->untold = 1;
	return 1;
}

int
pass_step(struct pass *p, usec_t monotonic, struct m_pass *news)
{
	if (p->untold || monotonic < p->due || !take_lock(p, monotonic) || !going(p, monotonic))
		return 0;
	p->due = monotonic;
	if (p->in != NULL)
		return read_on(p, monotonic, news);
	if (!next_name(p))
		return end_pass(p, news);
	p->size = 0;
	if ((p->in = open_name(p)) != NULL)
		return 0;
	memcpy(p->place.name, p->name, NAME_SIZE);
	if (errno == EIO || errno == EINVAL || errno == ELOOP) {
		p->place.documents++;
		return rotten(p, "it cannot be opened", news);
	}
	if (errno != ENOENT)	/* removed meanwhile */
		unread(p);
	return 0;
}

void
pass_kept(struct pass *p, usec_t monotonic)
{
	p->untold = 0;
	p->due = monotonic;
	if (!p->place.reading)
		save_cursor(p, monotonic);
}

usec_t
pass_due(const struct pass *p)
{
	return p->untold ? INT64_MAX : p->due;
}
