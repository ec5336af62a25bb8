/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/child.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sandbox.h"
#include "sftp/session.h"

#define START_WAIT_MS	10000	/* muhurd says for whom we are within this */
#define CLOSE_WAIT_MS	3000	/* a client goes by itself after the channel closed */
#define TELL_WAIT_MS	1000	/* muhurd takes our last words within this */
#define POLL_MAX_MS	5000

/* --- what libssh calls ---------------------------------------------------- */

static int
blocked(const struct session *s)
{
	return s->writing || s->sftp.broken != NULL || s->sftp.reading != NULL ||
	    s->sftp.pending.ask != ASK_NOTHING || sftp_out_full(&s->sftp.out);
}

static int
on_data(ssh_session ssh, ssh_channel channel, void *data, uint32_t len,
    int is_stderr, void *arg)
{
	struct session *s = arg;
	size_t n;

	(void)ssh;
	(void)channel;
	if (is_stderr || s->end != NULL)
		return (int)len;	/* nobody asked for it */
	/* libssh accepts more than it gave leave for; we do not. */
	if (len > SSH_WINDOW + SSH_WINDOW_STEP) {
		s->end = "the client ignores the window";
		return (int)len;
	}
	if (s->in_len > 0 || !s->served || blocked(s)) {
		s->left_over = 1;
		return 0;
	}
	n = sftp_input(&s->sftp, data, len);
	s->left_over = n < len;
	s->since_grown += n;
	s->active = clock_monotonic();
	return (int)n;
}

static void
on_eof(ssh_session ssh, ssh_channel channel, void *arg)
{
	struct session *s = arg;

	(void)ssh;
	(void)channel;
	s->eof = 1;
}

static void
on_close(ssh_session ssh, ssh_channel channel, void *arg)
{
	struct session *s = arg;

	(void)ssh;
	(void)channel;
	if (s->end == NULL)
		s->end = "the client closed";
}

static int
on_subsystem(ssh_session ssh, ssh_channel channel, const char *name, void *arg)
{
	struct session *s = arg;

	(void)ssh;
	(void)channel;
	if (s->served || strcmp(name, "sftp") != 0)
		return SSH_ERROR;
	s->served = 1;
	s->active = clock_monotonic();
	return SSH_OK;
}

/* This service has files only: no shell, no commands, no terminal. */
static int
on_shell(ssh_session ssh, ssh_channel channel, void *arg)
{
	(void)ssh;
	(void)channel;
	(void)arg;
	return SSH_ERROR;
}

static int
on_exec(ssh_session ssh, ssh_channel channel, const char *command, void *arg)
{
	(void)command;
	return on_shell(ssh, channel, arg);
}

static int
on_pty(ssh_session ssh, ssh_channel channel, const char *term, int w, int h,
    int pw, int ph, void *arg)
{
	(void)term;
	(void)w;
	(void)h;
	(void)pw;
	(void)ph;
	return on_shell(ssh, channel, arg);
}

static int
on_env(ssh_session ssh, ssh_channel channel, const char *name, const char *value, void *arg)
{
	(void)name;
	(void)value;
	return on_shell(ssh, channel, arg);
}

static ssh_channel
on_channel(ssh_session ssh, void *arg)
{
	struct session *s = arg;

	if (!s->logged_in || s->channel != NULL)
		return NULL;
	if ((s->channel = ssh_channel_new(ssh)) == NULL)
		return NULL;
	s->channel_cb.userdata = s;
	s->channel_cb.channel_data_function = on_data;
	s->channel_cb.channel_eof_function = on_eof;
	s->channel_cb.channel_close_function = on_close;
	s->channel_cb.channel_subsystem_request_function = on_subsystem;
	s->channel_cb.channel_shell_request_function = on_shell;
	s->channel_cb.channel_exec_request_function = on_exec;
	s->channel_cb.channel_pty_request_function = on_pty;
	s->channel_cb.channel_env_request_function = on_env;
	ssh_callbacks_init(&s->channel_cb);
	if (ssh_set_channel_callbacks(s->channel, &s->channel_cb) != SSH_OK)
		s->end = "libssh refused the callbacks";
	return s->channel;
}

/* --- the loop's parts ------------------------------------------------------ */

static int
on_muhurd(socket_t fd, int revents, void *arg)
{
	struct session *s = arg;

	(void)fd;
	(void)revents;
	s->chan_ready = 1;	/* read by the loop: libssh may be in the middle of something */
	return 0;
}

/* The member was suspended, or resumed, or a right given or withdrawn meanwhile. */
static int
set_rights(struct session *s, const struct msg *m)
{
	struct m_rights v;

	if (get_m_rights(m, &v) == -1)
		return -1;
	sftp_set_rights(&s->sftp, &v);
	return 0;
}

static void
read_muhurd(struct session *s)
{
	struct msg m;
	int rc;

	s->chan_ready = 0;
	while ((rc = msg_recv(&s->chan, &m)) == 1)
		if (!s->logged_in || (m.type == M_SESSION_RIGHTS ?
		    set_rights(s, &m) : sftp_answer(&s->sftp, &m)) == -1)
			fatalx("muhurd sent what was not asked for (%s)",
			    msg_type_name(m.type));
	if (rc == -1)
		s->end = "muhurd ended it";
}

/* Work on input that had to wait.  1: some of it went. */
static int
feed(struct session *s)
{
	size_t used, room = sizeof(s->in) - s->in_len;
	int n;

	if (!s->served || blocked(s))
		return 0;
	if (s->left_over && s->in_len < SSH_WINDOW_STEP) {
		/* libssh's share first joins what we keep.  Only once that is
		 * little: each read makes libssh grant a megabyte anew, however
		 * much it still holds, so many small ones have no end. */
		memmove(s->in, s->in + s->in_at, s->in_len);
		s->in_at = 0;
		n = ssh_channel_read_timeout(s->channel, s->in + s->in_len,
		    (uint32_t)room, 0, 0);
		if (n == SSH_ERROR) {
			s->end = "reading failed";
			return 0;
		}
		if (n > 0)
			s->in_len += (size_t)n;
		s->left_over = n > 0 && (size_t)n == room;
	}
	if (s->in_len == 0)
		return 0;
	used = sftp_input(&s->sftp, s->in + s->in_at, s->in_len);
	s->in_at += used;
	s->in_len -= used;
	s->since_grown += used;
	if (used > 0)
		s->active = clock_monotonic();
	return used > 0;
}

/* Asking libssh for much makes it offer the peer a window as large. */
static void
grow_window(struct session *s)
{
	int n;

	if (s->since_grown < SSH_WINDOW_STEP || s->in_len > 0 || s->left_over || s->eof)
		return;
	s->since_grown = 0;
	s->in_at = 0;
	n = ssh_channel_read_timeout(s->channel, s->in, sizeof(s->in), 0, 0);
	if (n > 0)
		s->in_len = (size_t)n;
	/* on_data may have kept something meanwhile, behind what n brought. */
}

/* Give output to libssh as far as it can send it on. 1: some of it went. */
static int
flush(struct session *s)
{
	uint32_t window;
	size_t n = s->sftp.out.len;
	int sent;

	if (n == 0 || s->channel == NULL || (ssh_get_status(s->ssh) & SSH_WRITE_PENDING))
		return 0;
	if ((window = ssh_channel_window_size(s->channel)) == 0)
		return 0;
	if (n > window)
		n = window;
	s->writing = 1;
	sent = ssh_channel_write(s->channel, s->sftp.out.data + s->sftp.out.off, (uint32_t)n);
	s->writing = 0;
	if (sent < 0) {
		if (s->end == NULL)
			s->end = "writing failed";
		return 0;
	}
	sftp_out_sent(&s->sftp.out, (size_t)sent);
	if (sent > 0)
		s->active = clock_monotonic();
	return sent > 0;
}

static void
work(struct session *s)
{
	int some;

	if (s->chan_ready)
		read_muhurd(s);
	if (!s->logged_in)
		return;
	do {
		some = feed(s);
		some |= sftp_pump(&s->sftp);
		some |= flush(s);
		if (s->sftp.broken != NULL && s->end == NULL)
			s->end = s->sftp.broken;
	} while (some && s->end == NULL);
	if (s->end == NULL && !blocked(s))
		grow_window(s);
	if (s->eof && s->end == NULL && !blocked(s) && s->sftp.out.len == 0)
		s->end = "the client is done";
}

/* Milliseconds until the next time limit; ends the session at one. */
static int
next_timeout(struct session *s)
{
	usec_t now = clock_monotonic(), until;

	until = s->logged_in ? s->active + s->conf->idle_timeout * USEC_PER_SEC :
	    s->login_until;
	if (now >= until && s->end == NULL)
		s->end = s->logged_in ? "it was idle too long" : "the login took too long";
	if (until - now > POLL_MAX_MS * 1000)
		return POLL_MAX_MS;
	return until > now ? (int)((until - now) / 1000) + 1 : 0;
}

static void
run(struct session *s)
{
	int timeout, rc;

	while (s->end == NULL) {
		if (msg_wants_write(&s->chan) && msg_flush(&s->chan) == -1)
			s->end = "muhurd ended it";
		timeout = next_timeout(s);
		if (s->end != NULL)
			break;
		/* Input that waits for nothing any more must not wait for poll. */
		if (s->left_over && s->served && !blocked(s))
			timeout = 0;
		rc = ssh_event_dopoll(s->event, msg_wants_write(&s->chan) ? 10 : timeout);
		work(s);
		/* A signature that libssh refuses gets no answer from it, and its
		 * client would wait for one until the time limit. */
		if (s->end == NULL && !s->logged_in &&
		    ssh_get_error_code(s->ssh) == SSH_FATAL) {
			log_info("connection from %s: %s", s->peer.address,
			    ssh_get_error(s->ssh));
			s->end = "key exchange or login failed";
		}
		if (s->end == NULL && rc == SSH_ERROR)
			s->end = "the connection was lost";
		if (s->end == NULL &&
		    (ssh_get_status(s->ssh) & (SSH_CLOSED | SSH_CLOSED_ERROR)))
			s->end = "the connection was closed";
	}
}

/* What muhurd is still to be told. */
static void
tell_last(struct session *s)
{
	struct pollfd p = { .fd = s->chan.fd, .events = POLLOUT };
	usec_t until = clock_monotonic() + TELL_WAIT_MS * 1000;

	while (msg_wants_write(&s->chan) && clock_monotonic() < until)
		if (poll(&p, 1, 100) == -1 || msg_flush(&s->chan) == -1)
			break;
}

/* Say good-bye so that clients do not take it for a fault. */
static void
finish(struct session *s)
{
	usec_t until = clock_monotonic() + CLOSE_WAIT_MS * 1000;

	log_info("%s from %s: %s", s->logged_in ? s->sftp.user : "connection",
	    s->peer.address, s->end);
	if (s->logged_in)
		sftp_end(&s->sftp);
	tell_last(s);
	if (s->channel != NULL && ssh_channel_is_open(s->channel)) {
		(void)ssh_channel_request_send_exit_status(s->channel, s->eof ? 0 : 1);
		(void)ssh_channel_send_eof(s->channel);
		(void)ssh_channel_close(s->channel);
		while (s->eof && clock_monotonic() < until && ssh_is_connected(s->ssh) &&
		    !(ssh_get_status(s->ssh) & (SSH_CLOSED | SSH_CLOSED_ERROR)))
			if (ssh_event_dopoll(s->event, 100) == SSH_ERROR)
				break;
	}
	if (!s->eof && ssh_is_connected(s->ssh))
		(void)ssh_session_set_disconnect_message(s->ssh, s->end);
	ssh_disconnect(s->ssh);
}

static void
await_start(struct session *s)
{
	struct msg m;
	int rc;

	rc = msg_recv_wait(&s->chan, &m, START_WAIT_MS);
	if (rc != 1 || m.type != M_SESSION_START || get_m_peer(&m, &s->peer) == -1)
		fatalx("muhurd did not say for whom this session is");
}

int
session_main(const struct conf *conf)
{
	/* Mostly the input buffer, whose pages are touched only when needed. */
	static struct session session;
	struct session *s = &session;

	s->conf = conf;
	msg_init(&s->chan, FD_CHANNEL, ROLE_SESSION, ROLE_MUHURD);
	await_start(s);
	tzset();	/* reads the zone's file, which cannot be opened later */
	if (server_init(s) == -1)
		return 3;
	s->active = clock_monotonic();
	s->login_until = s->active + conf->login_grace * USEC_PER_SEC;
	s->server_cb.userdata = s;
	s->server_cb.channel_open_request_session_function = on_channel;
	auth_init(s);
	ssh_callbacks_init(&s->server_cb);
	if (ssh_set_server_callbacks(s->ssh, &s->server_cb) != SSH_OK ||
	    ssh_event_add_fd(s->event, s->chan.fd, POLLIN, on_muhurd, s) != SSH_OK)
		fatalx("libssh: callbacks: %s", ssh_get_error(s->ssh));
	if (sandbox_enter(conf->sandbox, SB_STDIO | SB_PASSFD | SB_SOCKIO | SB_FILEIO |
	    SB_GETDENTS, NULL, 0) == -1)
		fatalx("the sandbox cannot be entered");
	if (msg_send(&s->chan, M_READY, 0, NULL, 0, NULL, 0) == -1)
		fatalx("muhurd is gone");
	/* Begins it; the loop goes on with it.  Only then libssh has something
	 * that the event can take over. */
	if (ssh_handle_key_exchange(s->ssh) == SSH_ERROR ||
	    ssh_event_add_session(s->event, s->ssh) != SSH_OK)
		s->end = "the key exchange failed";
	run(s);
	finish(s);
	return 0;
}
