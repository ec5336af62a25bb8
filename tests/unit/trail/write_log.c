/* SPDX-License-Identifier: ISC */
/*
 * write_log TRAIL OPENINGS KEY ORIGIN FROM: grows a log behind size FROM by what
 * is on standard input, one event a line,
 *	at kind actor submission|- notice|- salt detail
 * and "flush": checkpoint then, at the time of the last event.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fdio.h"
#include "base/log.h"
#include "trail/tiles.h"

static struct note_signer *signer;
static const char *origin;
static int dir;

static void
field(char *line, char **rest, char *out, size_t size)
{
	char *space = strchr(line, ' ');

	if (space == NULL)
		fatalx("%s: a field is missing", line);
	*space = '\0';
	if (str_copy(out, size, strcmp(line, "-") == 0 ? "" : line) == -1)
		fatalx("%s: is too long", line);
	*rest = space + 1;
}

static usec_t
add(struct tile_writer *w, char *line)
{
	struct leaf l = { .event = (long long)tile_writer_tree(w)->size + 1 };
	char at[TIME_SIZE], hex[2 * LEAF_SALT_SIZE + 1];
	unsigned char salt[LEAF_SALT_SIZE];
	struct buf text = { 0 }, opening = { 0 };
	int zoned;

	field(line, &line, at, sizeof(at));
	field(line, &line, l.kind, sizeof(l.kind));
	field(line, &line, l.actor, sizeof(l.actor));
	field(line, &line, l.submission, sizeof(l.submission));
	field(line, &line, l.notice, sizeof(l.notice));
	field(line, &line, hex, sizeof(hex));
	if (time_parse(at, &l.at, &zoned) == -1 || hex_decode(hex, salt, sizeof(salt)) == -1 ||
	    leaf_commit(&l, line, salt, &opening) == -1)
		fatalx("%s: cannot be a leaf", line);
	leaf_text(&l, &text);
	if (tile_writer_add(w, text.data, text.len, opening.data, opening.len) == -1)
		fatalx("cannot be written");
	buf_free(&text);
	buf_free(&opening);
	return l.at;
}

static void
publish(struct tile_writer *w, usec_t at)
{
	struct checkpoint c = { .size = tile_writer_tree(w)->size };
	struct buf note = { 0 };

	(void)str_copy(c.origin, sizeof(c.origin), origin);
	frontier_root(tile_writer_tree(w), &c.root);
	if (tile_writer_flush(w) == -1 || checkpoint_sign(&c, signer, &note) == -1 ||
	    tiles_publish(dir, &c, note.data, note.len, at) == -1)
		fatalx("cannot be published");
	buf_free(&note);
}

int
main(int argc, char *argv[])
{
	struct tile_writer *w;
	struct buf key = { 0 };
	char *pem, *line = NULL;
	usec_t last = 0;
	size_t len, room = 0;
	int openings;

	log_init("write_log", LOG_COMMAND, 0);
	clock_init(0);
	if (argc != 6)
		fatalx("usage: write_log TRAIL OPENINGS KEY ORIGIN FROM");
	dir = open(argv[1], O_RDONLY | O_DIRECTORY);
	openings = open(argv[2], O_RDONLY | O_DIRECTORY);
	if (dir == -1 || openings == -1 || file_read_all(argv[3], 4096, &pem, &len) == -1)
		fatal("%s", argv[1]);
	origin = argv[4];
	if ((signer = note_signer_new(origin, pem, len)) == NULL ||
	    (w = tile_writer_new(dir, openings, strtoull(argv[5], NULL, 10))) == NULL)
		return 1;
	note_signer_public(signer, &key);
	(void)buf_puts(&key, "\n");
	if (file_write_durable(dir, "key", key.data, key.len, 0644) == -1)
		fatal("key");
	while (getline(&line, &room, stdin) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, "flush") == 0)
			publish(w, last);
		else
			last = add(w, line);
	}
	free(line);
	free(pem);
	buf_free(&key);
	note_signer_free(signer);
	tile_writer_free(w);
	return 0;
}
