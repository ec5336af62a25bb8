/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "muhur/trail_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"

#define KEY_MAX	4096	/* bytes of a file that holds a verifier's key */

int
trail_place(struct trail_places *p, int option, const char *value)
{
	switch (option) {
	case 'D': p->dir = value; return 0;
	case 'K': p->key = value; return 0;
	case 'O': p->openings = value; return 0;
	case 'S': p->store = value; return 0;
	case 'T': p->tsa = value; return 0;
	default: return -1;
	}
}

/* --- opening ------------------------------------------------------------------- */

/* A folder that is named must be there; one of the configuration's may be missing, or
 * be for the gateway's eyes alone. */
static int
open_folder(const char *named, const char *state, const char *name, int *fd)
{
	char *path;
	int rc = 0;

	*fd = -1;
	if (named == NULL && state == NULL)
		return 0;
	path = named != NULL ? xstrdup(named) : xasprintf("%s/%s", state, name);
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd == -1 && (named != NULL || errno != ENOENT)) {
		rc = named == NULL && errno == EACCES ? 0 : -1;
		log_warn("%s", path);
	}
	free(path);
	return rc;
}

/* The key's text: given, of a file, or the log's own.  path: of the log. */
static int
read_key(const struct trail_places *p, const char *path, struct trail_log *l, char **text)
{
	size_t len;
	int fd, rc = 0;

	*text = NULL;
	if (p->key != NULL && strchr(p->key, '+') != NULL && access(p->key, F_OK) == -1) {
		*text = xstrdup(p->key);
		return 0;
	}
	if (p->key != NULL) {
		if ((rc = file_read_all(p->key, KEY_MAX, text, &len)) == -1)
			log_warn("%s", p->key);
		return rc;
	}
	l->key_from_log = 1;
	fd = open_beneath(l->dir, "key", O_RDONLY | O_NONBLOCK, 0);
	if (fd == -1 || fd_read_all(fd, KEY_MAX, text, &len) == -1) {
		log_warn("%s/key (another one: --key)", path);
		rc = -1;
	}
	if (fd != -1)
		(void)close(fd);
	return rc;
}

int
trail_log_open(struct cmd *c, const struct trail_places *p, struct trail_log *l)
{
	const char *state = p->dir == NULL ? cmd_conf(c)->state_dir : NULL;
	char *text = NULL, *path, *vkey;
	int rc = EXIT_ENVIRONMENT;

	memset(l, 0, sizeof(*l));
	l->dir = l->openings = l->store = -1;
	path = p->dir != NULL ? xstrdup(p->dir) : xasprintf("%s/trail", state);
	if ((l->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1) {
		log_warn("%s", path);
		goto out;
	}
	if (open_folder(p->openings, state, "openings", &l->openings) == -1 ||
	    open_folder(p->store, state, "store", &l->store) == -1 || read_key(p, path, l, &text) == -1)
		goto out;
	if ((l->key = note_verifier_new(text)) == NULL)
		goto out;
	vkey = text + strspn(text, " \t\r\n");
	vkey[strcspn(vkey, " \t\r\n")] = '\0';
	(void)str_copy(l->vkey, sizeof(l->vkey), vkey);
	rc = EXIT_YES;
out:
	free(text);
	free(path);
	return rc;
}

void
trail_log_close(struct trail_log *l)
{
	note_verifier_free(l->key);
	if (l->dir != -1)
		(void)close(l->dir);
	if (l->openings != -1)
		(void)close(l->openings);
	if (l->store != -1)
		(void)close(l->store);
	l->dir = l->openings = l->store = -1;
	l->key = NULL;
}

int
trail_trouble(int error)
{
	return error != ENOENT && error != EBADMSG && error != ERANGE && error != EFBIG &&
	    error != ELOOP && error != EISDIR && error != ENOTDIR && error != EXDEV && error != ESPIPE && error != ENXIO;
}

int
trail_log_checkpoint(const struct trail_log *l, uint64_t size, struct checkpoint *head,
    struct buf *note)
{
	size_t from = note->len;
	const char *why;
	char what[48] = "the newest checkpoint";

	if (size != 0)
		(void)snprintf(what, sizeof(what), "the checkpoint of %llu leaves", (unsigned long long)size);
	if (tiles_checkpoint(l->dir, size, note) == -1) {
		log_warn("%s", what);
		return trail_trouble(errno) ? EXIT_ENVIRONMENT : EXIT_NO;
	}
	if (checkpoint_open(note->data + from, note->len - from, l->key, head, &why) == -1) {
		log_warnx("%s: %s", what, why);
		return EXIT_NO;
	}
	if (size != 0 && head->size != size) {
		log_warnx("%s: it is one of %llu", what, (unsigned long long)head->size);
		return EXIT_NO;
	}
	return EXIT_YES;
}

int
trail_opening(int openings, uint64_t index, struct buf *out)
{
	char path[TILE_PATH_SIZE], *data = NULL, *line, *end;
	uint64_t skip = index % TILE_WIDTH;
	size_t len;
	int fd, rc = -1;

	tile_number(index / TILE_WIDTH, path);
	if ((fd = open_beneath(openings, path, O_RDONLY | O_NONBLOCK, 0)) == -1) {
		if (errno == ENOENT)
			return 1;
		goto out;
	}
	if (fd_read_all(fd, OPENINGS_MAX, &data, &len) == -1)
		goto out;
	for (line = data; (end = memchr(line, '\n', (size_t)(data + len - line))) != NULL && skip > 0; skip--)
		line = end + 1;
	rc = 1;
	if (end != NULL)
		rc = buf_append(out, line, (size_t)(end - line));
out:
	if (rc == -1)
		log_warn("openings/%s", path);
	if (fd != -1)
		(void)close(fd);
	free(data);
	return rc;
}

int
trail_each_leaf(struct tiles *t, uint64_t first, uint64_t size,
    int (*fn)(void *arg, uint64_t index, const char *text, size_t len), void *arg)
{
	const char *text;
	size_t len;
	int rc = 0;

	for (; rc == 0 && first < size; first++) {
		if (tiles_entry(t, first, &text, &len) == -1)
			return -1;
		rc = fn(arg, first, text, len);
	}
	return rc;
}
