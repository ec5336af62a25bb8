/* SPDX-License-Identifier: ISC */
/*
 * muhur-sequencer: numbers events, writes the log's tiles, signs its checkpoints.
 * It holds the trail's key and no other, a login that reads events and two columns
 * beside them, and two folders.  Its channel to muhurd says no more than that it is
 * ready and, by its end, that it is to stop.
 */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sandbox.h"
#include "msg/msg.h"
#include "sequencer/sequencer.h"

#define SECRET_MAX	16384	/* bytes of a password's or a key's file */

static char *
read_secret(int fd, const char *what, size_t *len)
{
	char *data;

	if (fd_read_all(fd, SECRET_MAX, &data, len) == -1)
		fatal("%s", what);
	(void)close(fd);
	return data;
}

/* Before the sandbox, so that libpq and OpenSSL have loaded what they load at
 * first use; the connection may fail, later ones too. */
static void
prepare(struct sequencer *s, const struct conf *conf)
{
	char *password, *key;
	size_t password_len, key_len;

	password = read_secret(FD_DB_PASSWORD, "the database password", &password_len);
	key = read_secret(FD_TRAIL_KEY, "trail_key", &key_len);
	sequencer_init(s, conf, password, key, key_len, FD_TRAIL, FD_OPENINGS);
	explicit_bzero(password, password_len);
	explicit_bzero(key, key_len);
	free(password);
	free(key);
	(void)link_up(&s->link);
}

static void
enter_sandbox(const struct conf *conf)
{
	const struct sandbox_path paths[] = {
		{ .fd = FD_TRAIL, .access = SB_READ | SB_WRITE },
		{ .fd = FD_OPENINGS, .access = SB_READ | SB_WRITE },
		{ .fd = -1, .path = conf->db_host, .access = SB_READ | SB_WRITE },
	};

	if (sandbox_enter(conf->sandbox, SB_STDIO | SB_PASSFD | SB_SOCKIO | SB_UNIX | SB_RPATH | SB_WPATH |
	    SB_FILEIO | SB_GETDENTS | SB_FLOCK, paths, sizeof(paths) / sizeof(paths[0])) == -1)
		exit(3);
}

/* muhurd sends nothing; its end of the channel going away means: stop. */
static void
read_channel(struct msg_chan *chan)
{
	struct msg m;
	int rc;

	while ((rc = msg_recv(chan, &m)) == 1) {
		msg_close_fds(&m);
		fatalx("muhurd sent %s, which is not for this process", msg_type_name(m.type));
	}
	if (rc == -1 && errno != 0)
		fatal("channel to muhurd");
	if (rc == -1)
		exit(0);
}

static void
wait_for_events(struct sequencer *s, struct msg_chan *chan, int timeout_ms)
{
	struct pollfd p[2] = {
		{ .fd = chan->fd, .events = (short)(POLLIN | (msg_wants_write(chan) ? POLLOUT : 0)) },
		{ .fd = link_fd(&s->link), .events = POLLIN },
	};

	if (poll(p, 2, timeout_ms) == -1) {
		if (errno == EINTR)
			return;
		fatal("poll");
	}
	if (p[0].revents & POLLOUT && msg_flush(chan) == -1)
		exit(0);
	if (p[0].revents & (POLLIN | POLLHUP | POLLERR))
		read_channel(chan);
	if (p[1].revents != 0)	/* most likely that the connection is gone */
		link_input(&s->link, NULL, NULL);
}

int
main(int argc, char *argv[])
{
	static struct sequencer s;
	struct msg_chan chan;
	struct conf *conf;
	int more;

	conf = child_init("muhur-sequencer", argc, argv);
	/* what is published may be listed by sessions, which muhurd hands its folders */
	umask(026);
	prepare(&s, conf);
	enter_sandbox(conf);
	msg_init(&chan, FD_CHANNEL, ROLE_SEQUENCER, ROLE_MUHURD);
	if (msg_send(&chan, M_READY, 0, NULL, 0, NULL, 0) == -1)
		fatalx("channel to muhurd");
	for (;;) {
		more = sequencer_step(&s);
		wait_for_events(&s, &chan, more ? 0 : sequencer_timeout(&s));
	}
}
