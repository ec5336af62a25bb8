/* SPDX-License-Identifier: ISC */
/*
 * A stand-in for muhurd, so that stock clients can talk to the real listener
 * and the real sessions without database, signer or spool:
 *
 *	fake_muhurd MUHUR-SFTP CONF HOSTKEY PUBKEY BOXES USER [suspended|sees]
 *
 * PUBKEY is an OpenSSH public key file; its key, and no other, may log in as
 * USER.  BOXES gets inbox/ sent/ outbox/ archive/ taken/ trail/ others/: the last
 * two are what a user who "sees" may, others/<member>/<day>/.  Prints the port, and
 * ends when standard input does; a byte from it withdraws the sight of all who are
 * in (the first) and gives it back (the next).
 */
#include "config.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/ident.h"
#include "model/tilepath.h"
#include "msg/msg.h"
#include "msg/proto.h"

#define SESSIONS_MAX	64

enum { D_INBOX, D_SENT, D_OUTBOX, D_ARCHIVE, D_TAKEN, D_TRAIL, D_OTHERS, D_COUNT };
static const char *const dir_names[D_COUNT] = { "inbox", "sent", "outbox", "archive", "taken",
    "trail", "others" };

static const char *program, *conf_path, *key_path, *user;
static int suspended;
static int sees;
static int dirs[D_COUNT];
static uint8_t key[SSH_MAX_KEY_BLOB];
static size_t key_len;
static int taken_no;

struct child {
	pid_t		 pid;
	struct msg_chan	 chan;
	struct m_peer	 peer;
	int		 logged_in;
};
static struct child listener, sessions[SESSIONS_MAX];

/* "ssh-ed25519 AAAA... comment" */
static void
load_key(const char *path)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *text, *p;
	const char *d;
	uint32_t bits = 0;
	size_t len;
	int have = 0;

	if (file_read_all(path, 16384, &text, &len) == -1)
		fatal("%s", path);
	if ((p = strchr(text, ' ')) == NULL)
		fatalx("%s: no public key", path);
	for (p++; *p != '\0' && (d = strchr(digits, *p)) != NULL; p++) {
		bits = bits << 6 | (uint32_t)(d - digits);
		have += 6;
		if (have >= 8) {
			have -= 8;
			key[key_len++] = (uint8_t)(bits >> have);
		}
	}
	free(text);
}

/* fork and exec with the descriptors of base/child.h in place. */
static void
start(struct child *c, enum role role, int fd5, int fd6)
{
	int pair[2], fds[4], i, conf;
	char *argv[] = { (char *)"muhur-sftp", (char *)(role == ROLE_SESSION ? "-s" : "-v"), NULL };

	if (msg_pair(pair) == -1 || (conf = open(conf_path, O_RDONLY | O_CLOEXEC)) == -1)
		fatal("starting");
	if ((c->pid = fork()) == -1)
		fatal("fork");
	if (c->pid == 0) {
		fds[0] = fcntl(pair[1], F_DUPFD, 32);
		fds[1] = fcntl(conf, F_DUPFD, 32);
		fds[2] = fcntl(fd5, F_DUPFD, 32);
		fds[3] = fd6 == -1 ? -1 : fcntl(fd6, F_DUPFD, 32);
		for (i = 0; i < 4; i++)
			if (fds[i] != -1 && dup2(fds[i], 3 + i) == -1)
				_exit(3);
		execv(program, argv);
		_exit(3);
	}
	close(pair[1]);
	close(conf);
	set_nonblock(pair[0]);
	msg_init(&c->chan, pair[0], ROLE_MUHURD, role);
}

static void
send_result(struct child *c, enum msg_type type, uint32_t tag, enum box_status st, int fd)
{
	struct m_box_result r = { st };
	struct buf b = { 0 };

	put_m_box_result(&b, &r);
	if (msg_send(&c->chan, type, tag, b.data, b.len, &fd, fd != -1) == -1)
		log_warnx("a session is gone");
	buf_free(&b);
}

static enum box_status
status_of(int e)
{
	switch (e) {
	case 0:		return BOX_OK;
	case ENOENT:	return BOX_NO_SUCH_FILE;
	case EEXIST:	return BOX_EXISTS;
	case ENODATA:	return BOX_EMPTY;
	default:	return BOX_FAILURE;
	}
}

static void
on_login(struct child *c, const struct msg *m)
{
	struct m_login l;
	struct m_login_result r = { 0 };
	struct buf b = { 0 };
	int fds[D_TAKEN], i, n = 0;

	if (get_m_login(m, &l) == -1)
		fatalx("bad login message");
	r.ok = strcmp(l.user, user) == 0 && l.key_len == key_len &&
	    memcmp(l.key, key, key_len) == 0;
	r.may.may_send = !suspended;
	r.may.sees_trail = r.may.sees_archives = sees;
	(void)str_copy(r.user, sizeof(r.user), l.user);
	(void)user_code_member(l.user, r.member);
	(void)str_copy(r.why, sizeof(r.why), r.ok ? "" : "not that key");
	if (r.ok && l.proved) {
		for (i = 0; i < D_TAKEN; i++)
			fds[n++] = fcntl(dirs[i], F_DUPFD_CLOEXEC, 0);
		c->logged_in = 1;
	}
	put_m_login_result(&b, &r);
	if (msg_send(&c->chan, M_LOGIN_RESULT, m->tag, b.data, b.len, fds, n) == -1)
		log_warnx("a session is gone");
	buf_free(&b);
}

/* The text that muhurd gives for BOX_MEMBERS. */
static int
members(void)
{
	int fd = memfd_create("members", MFD_CLOEXEC), copy = openat(dirs[D_OTHERS], ".", O_RDONLY | O_DIRECTORY);
	struct dirent *e;
	struct stat st;
	DIR *d;

	if (fd == -1 || copy == -1 || (d = fdopendir(copy)) == NULL)
		fatal("listing members");
	while ((e = readdir(d)) != NULL)
		if (member_code_ok(e->d_name) && fstatat(dirs[D_OTHERS], e->d_name, &st, 0) == 0)
			(void)dprintf(fd, "%s %lld 0\n", e->d_name, (long long)st.st_mtime);
	(void)closedir(d);
	return fd;
}

/* As muhurd: what a session should never have asked for is fatal here. */
static int
open_sight(const struct m_box_open *o)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, fd;
	char path[512], whole[TILE_PATH_SIZE];

	if ((o->flags & ~(BOX_READ | BOX_DIR)) != 0)
		fatalx("asked to write what is only read");
	errno = ENOENT;
	if (!sees)
		return -1;
	if (o->folder == BOX_MEMBERS)
		return members();
	if (o->folder == BOX_ARCHIVE) {
		(void)snprintf(path, sizeof(path), "%s/%s/%s", o->member, o->day, o->name);
		return openat(dirs[D_OTHERS], path, flags);
	}
	if (trail_path_ok(o->name) != ((o->flags & BOX_DIR) != 0 ? 2 : 1))
		fatalx("asked for what the log cannot have: %s", o->name);
	if ((fd = openat(dirs[D_TRAIL], o->name[0] != '\0' ? o->name : ".", flags)) == -1 && errno == ENOENT &&
	    trail_path_partial(o->name, whole) != -1)
		fd = openat(dirs[D_TRAIL], whole, flags);
	return fd;
}

static void
on_open(struct child *c, const struct msg *m)
{
	struct m_box_open o;
	int fd, flags = O_CLOEXEC | O_NOFOLLOW;
	char path[512];

	if (get_m_box_open(m, &o) == -1)
		fatalx("bad open message");
	if (o.folder == BOX_TRAIL || o.folder == BOX_MEMBERS || o.member[0] != '\0') {
		fd = open_sight(&o);
		send_result(c, M_BOX_OPENED, m->tag, fd == -1 ? status_of(errno) : BOX_OK, fd);
		return;
	}
	if (o.flags & BOX_DIR)
		(void)snprintf(path, sizeof(path), "%s", o.day);
	else if (o.day[0] != '\0')
		(void)snprintf(path, sizeof(path), "%s/%s", o.day, o.name);
	else
		(void)snprintf(path, sizeof(path), "%s", o.name);
	flags |= (o.flags & BOX_WRITE) ? O_RDWR : O_RDONLY;
	flags |= (o.flags & BOX_DIR) ? O_DIRECTORY : 0;
	flags |= (o.flags & BOX_CREAT) ? O_CREAT : 0;
	flags |= (o.flags & BOX_TRUNC) ? O_TRUNC : 0;
	flags |= (o.flags & BOX_EXCL) ? O_EXCL : 0;
	fd = openat(dirs[o.folder], path, flags, 0640);
	send_result(c, M_BOX_OPENED, m->tag, fd == -1 ? status_of(errno) : BOX_OK, fd);
}

/* Taken: moved to taken/<no>.<name>, listed in sent/. */
static int
take(const char *from, const char *name)
{
	char to[512];
	struct stat st;

	if (fstatat(dirs[D_INBOX], from, &st, 0) == -1)
		return -1;
	if (st.st_size == 0) {
		errno = ENODATA;
		return strcmp(from, name) == 0 ? 0 : -1;
	}
	(void)snprintf(to, sizeof(to), "%06d.%s", ++taken_no, name);
	if (renameat(dirs[D_INBOX], from, dirs[D_TAKEN], to) == -1)
		return -1;
	(void)unlinkat(dirs[D_INBOX], name, 0);
	(void)unlinkat(dirs[D_SENT], name, 0);
	return linkat(dirs[D_TAKEN], to, dirs[D_SENT], name, 0);
}

static void
on_names(struct child *c, const struct msg *m)
{
	struct m_box_name n;
	struct m_box_rename r;
	int rc;

	if (m->type == M_BOX_RENAME) {
		if (get_m_box_rename(m, &r) == -1)
			fatalx("bad rename message");
		if (file_name_is_partial(r.from) && !file_name_is_partial(r.to))
			rc = take(r.from, r.to);
		else
			rc = renameat(dirs[D_INBOX], r.from, dirs[D_INBOX], r.to);
	} else {
		if (get_m_box_name(m, &n) == -1)
			fatalx("bad name message");
		rc = m->type == M_BOX_TAKE ? take(n.name, n.name) :
		    unlinkat(dirs[D_INBOX], n.name, 0);
	}
	send_result(c, M_BOX_DONE, m->tag, rc == -1 ? status_of(errno) : BOX_OK, -1);
}

static void
end_session(struct child *c)
{
	struct buf b = { 0 };
	int status;

	msg_close(&c->chan);
	(void)waitpid(c->pid, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		log_warnx("a session died: status %d", status);
	c->pid = 0;
	put_m_peer(&b, &c->peer);
	if (msg_send(&listener.chan, M_SESSION_END, 0, b.data, b.len, NULL, 0) == -1)
		fatalx("the listener is gone");
	buf_free(&b);
}

static void
on_session(struct child *c)
{
	struct msg m;
	int rc;

	while ((rc = msg_recv(&c->chan, &m)) == 1) {
		if (m.type != M_READY && m.type != M_LOGIN && !c->logged_in)
			fatalx("asked before login: %s", msg_type_name(m.type));
		switch (m.type) {
		case M_READY:	break;
		case M_LOGIN:	on_login(c, &m); break;
		case M_BOX_OPEN: on_open(c, &m); break;
		case M_BOX_FETCHED: break;
		default:	on_names(c, &m); break;
		}
	}
	if (rc == -1)
		end_session(c);
}

static void
on_listener(void)
{
	struct child *c;
	struct buf b = { 0 };
	struct msg m;
	int rc, host_key;

	while ((rc = msg_recv(&listener.chan, &m)) == 1) {
		if (m.type != M_SESSION_NEW)
			continue;
		for (c = sessions; c < sessions + SESSIONS_MAX && c->pid != 0; c++)
			;
		if (c == sessions + SESSIONS_MAX)
			fatalx("too many sessions");
		memset(c, 0, sizeof(*c));
		if (get_m_peer(&m, &c->peer) == -1 ||
		    (host_key = open(key_path, O_RDONLY | O_CLOEXEC)) == -1)
			fatal("new session");
		start(c, ROLE_SESSION, host_key, m.fds[0]);
		close(host_key);
		msg_close_fds(&m);
		buf_reset(&b);
		put_m_peer(&b, &c->peer);
		if (msg_send(&c->chan, M_SESSION_START, 0, b.data, b.len, NULL, 0) == -1)
			log_warnx("a session is gone");
	}
	buf_free(&b);
	if (rc == -1)
		fatalx("the listener died");
}

/* Everybody's sight ends, or begins again. */
static void
toggle_sight(void)
{
	struct m_rights may = { .may_send = !suspended };
	struct buf b = { 0 };
	struct child *c;
	char byte;

	if (read(0, &byte, 1) != 1)
		fatal("standard input");
	sees = may.sees_trail = may.sees_archives = !sees;
	put_m_rights(&b, &may);
	for (c = sessions; c < sessions + SESSIONS_MAX; c++)
		if (c->pid != 0 && c->logged_in &&
		    msg_send(&c->chan, M_SESSION_RIGHTS, 0, b.data, b.len, NULL, 0) == -1)
			log_warnx("a session is gone");
	buf_free(&b);
	printf("%d\n", sees);
	fflush(stdout);
}

static int
listen_on_loopback(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(fd, 64) == -1 || getsockname(fd, (struct sockaddr *)&sin, &len) == -1)
		fatal("listening");
	printf("%d\n", ntohs(sin.sin_port));
	fflush(stdout);
	return fd;
}

static void
loop(void)
{
	struct pollfd p[SESSIONS_MAX + 2];
	struct child *who[SESSIONS_MAX + 2];
	nfds_t n, i;
	struct child *c;

	for (;;) {
		p[0] = (struct pollfd){ .fd = 0, .events = POLLIN };
		p[1] = (struct pollfd){ .fd = listener.chan.fd, .events = POLLIN };
		n = 2;
		for (c = sessions; c < sessions + SESSIONS_MAX; c++)
			if (c->pid != 0) {
				p[n] = (struct pollfd){ .fd = c->chan.fd, .events = POLLIN };
				who[n++] = c;
			}
		if (poll(p, n, -1) == -1 && errno != EINTR)
			fatal("poll");
		if (p[0].revents & POLLIN)
			toggle_sight();
		else if (p[0].revents != 0)
			return;
		for (i = 2; i < n; i++)
			if (p[i].revents != 0)
				on_session(who[i]);
		if (p[1].revents != 0)
			on_listener();
	}
}

int
main(int argc, char *argv[])
{
	int i, fd;

	log_init("fake_muhurd", LOG_DAEMON, 0);
	if (argc != 7 && argc != 8)
		fatalx("usage: fake_muhurd MUHUR-SFTP CONF HOSTKEY PUBKEY BOXES USER [suspended|sees]");
	program = argv[1];
	conf_path = argv[2];
	key_path = argv[3];
	load_key(argv[4]);
	if (chdir(argv[5]) == -1)
		fatal("%s", argv[5]);
	user = argv[6];
	suspended = argc == 8 && strcmp(argv[7], "suspended") == 0;
	sees = argc == 8 && strcmp(argv[7], "sees") == 0;
	for (i = 0; i < D_COUNT; i++) {
		(void)mkdir(dir_names[i], 0750);
		if ((dirs[i] = open(dir_names[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
			fatal("%s", dir_names[i]);
	}
	fd = listen_on_loopback();
	start(&listener, ROLE_LISTENER, fd, -1);
	close(fd);
	loop();
	return 0;
}
