/* SPDX-License-Identifier: ISC */
/*
 * Stands in for every role program in test_gateway: speaks the protocol, and
 * what it does to a document is said by the document's name.
 */
#include "config.h"

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/ident.h"
#include "msg/proto.h"

#define LATER	60	/* notices of "signlater", of which the signer first fails at so many */
#define LATER_FAILED	16
#define LINES	4	/* notices of "signlines" */
#define SHA	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static struct msg_chan chan;

#define SEND(type, name, value) do {						\
	struct buf b = { 0 };							\
	put_##name(&b, (value));						\
	if (msg_send(&chan, (type), 0, b.data, b.len, NULL, 0) == -1)		\
		_exit(4);							\
	buf_free(&b);								\
} while (0)

static enum role
who(int argc, char *argv[])
{
	static const struct { const char *name, *flag; enum role role; } names[] = {
		{ "muhur-sftp", "-s", ROLE_SESSION }, { "muhur-sftp", NULL, ROLE_LISTENER },
		{ "muhur-load", "-D", ROLE_DIRECTORY }, { "muhur-load", NULL, ROLE_LOAD },
		{ "muhur-verify", NULL, ROLE_VERIFY }, { "muhur-signer", NULL, ROLE_SIGNER },
		{ "muhur-archive", NULL, ROLE_ARCHIVE },
		{ "muhur-reconcile", NULL, ROLE_RECONCILE },
		{ "muhur-sequencer", NULL, ROLE_SEQUENCER },
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(argv[0], names[i].name) == 0 && (names[i].flag == NULL ||
		    (argc > 1 && strcmp(argv[1], names[i].flag) == 0)))
			return names[i].role;
	_exit(5);
}

static void
state(enum msg_type type, const char *id, enum submission_state s, const char *sha, int later)
{
	struct m_submission_state st = { .state = s, .retry_later = later };

	(void)str_copy(st.id, sizeof(st.id), id);
	(void)str_copy(st.sha256, sizeof(st.sha256), sha);
	SEND(type, m_submission_state, &st);
}

static void
let_in(const struct msg *m)
{
	struct m_login_result r = { .ok = 1, .may = { .may_send = 1 }, .user = "PLA001", .member = "PLA" };
	struct buf b = { 0 };

	put_m_login_result(&b, &r);
	if (msg_send(&chan, M_DIR_LOGIN_RESULT, m->tag, b.data, b.len, NULL, 0) == -1)
		_exit(4);
	buf_free(&b);
}

/* Out of the outbox and into it at once; the latter again when it is out. */
static void
opposite_orders(const struct msg *m)
{
	static struct m_notice_publish p = { .recipient = "PLA", .file_name = "both.xml",
	    .sha256 = SHA, .day = "2026-11-21" };
	static int archived;
	struct m_submission sub;

	switch (m->type) {
	case M_SUB_RECEIVED:
		if (get_m_submission(m, &sub) == -1 || strcmp(sub.name, "both.xml") != 0)
			return;
		(void)str_copy(p.id, sizeof(p.id), sub.id);
		SEND(M_NOTICE_EXPIRE, m_notice_publish, &p);
		break;
	case M_NOTICE_ARCHIVED:
		archived = 1;
		break;
	case M_NOTICE_PUBLISHED:
		log_info("published %s", archived ? "at last" : "too early");
		return;
	default:
		return;
	}
	SEND(M_NOTICE_PUBLISH, m_notice_publish, &p);
}

/* A notice for a "sign" document, or LATER of them for "signlater", LINES with lines
 * for "signlines"; its name tells the signer what to do. */
static void
to_sign(const struct msg *m)
{
	static struct m_submission sub;
	static int credits, given;
	struct m_notice_file f;
	struct notice *n;
	int want;

	if (m->type == M_NOTICE_NEXT)
		credits++;
	else if (m->type == M_SUB_RECEIVED && sub.id[0] == '\0' &&
	    (get_m_submission(m, &sub) == -1 || strncmp(sub.name, "sign", 4) != 0))
		memset(&sub, 0, sizeof(sub));
	else if (m->type == M_NOTICE_SIGNED && get_m_notice_file(m, &f) == 0)
		log_info("%s is signed", f.id);
	if (sub.id[0] == '\0')
		return;
	n = xcalloc(1, sizeof(*n));
	n->kind = NK_CERTIFICATE_EXPIRY;
	(void)str_copy(n->id, sizeof(n->id), sub.id);
	(void)str_copy(n->recipient, sizeof(n->recipient), "PLA");
	(void)str_copy(n->file_name, sizeof(n->file_name), sub.name);
	want = strncmp(sub.name, "signlater", 9) == 0 ? LATER : 1;
	if (strncmp(sub.name, "signlines", 9) == 0) {
		n->line_count = 1;
		want = LINES;
	}
	for (; credits > 0 && given < want; credits--, given++) {
		if (given > 0)
			uuid_v7(clock_now(), n->id);
		SEND(M_NOTICE_TO_SIGN, notice, n);
	}
	free(n);
}

/* Signs, at its leisure; "signlater" quickly, but the first LATER_FAILED not. */
static void
sign(const struct msg *m)
{
	struct m_notice_file f = { .sha256 = SHA, .size = 3 };
	static int failed;
	struct m_notice_id id;
	struct notice *n = xcalloc(1, sizeof(*n));
	int later;

	if (m->type != M_SIGN || get_notice(m, n) == -1)
		_exit(4);
	log_info("%s is at the signer", n->file_name);
	later = strncmp(n->file_name, "signlater", 9) == 0;
	(void)str_copy(id.id, sizeof(id.id), n->id);
	(void)str_copy(f.id, sizeof(f.id), n->id);
	if (!later)
		(void)sleep(n->line_count > 0 ? 1 : 3);
	if (later && failed++ < LATER_FAILED)
		SEND(M_SIGN_FAILED, m_notice_id, &id);
	else if (write(m->fds[0], "xyz", 3) != 3)
		_exit(4);
	else
		SEND(M_SIGNED, m_notice_file, &f);
	free(n);
}

/* Into the outbox what the store does not have, and the same once more. */
static void
publish_absent(const struct msg *m)
{
	struct m_notice_publish p = { .recipient = "PLA", .file_name = "absent.xml",
	    .sha256 = SHA, .day = "2026-11-21" };
	struct m_submission sub;

	if (m->type != M_SUB_RECEIVED || get_m_submission(m, &sub) == -1 ||
	    strcmp(sub.name, "stopabsent.xml") != 0)
		return;
	(void)str_copy(p.id, sizeof(p.id), sub.id);
	SEND(M_NOTICE_PUBLISH, m_notice_publish, &p);
	(void)sleep(4);
	SEND(M_NOTICE_PUBLISH, m_notice_publish, &p);
}

static void
archive(const struct msg *m)
{
	struct m_notice_publish p;
	struct m_archived a = { .ok = 1 };

	if (m->type == M_MATERIAL)
		return;
	if (get_m_notice_publish(m, &p) == -1)
		_exit(4);
	(void)usleep(300000);
	(void)str_copy(a.id, sizeof(a.id), p.id);
	SEND(M_ARCHIVED, m_archived, &a);
}

static void
directory(const struct msg *m)
{
	static int again;
	struct m_submission sub;
	struct m_submission_id id;

	if (m->type == M_DIR_LOGIN)
		let_in(m);
	opposite_orders(m);
	to_sign(m);
	publish_absent(m);
	/* asked a second time about "again" it knows more */
	if (m->type == M_SUB_RECEIVED && get_m_submission(m, &sub) == 0 &&
	    strncmp(sub.name, "sign", 4) != 0)
		state(M_SUB_STATE, sub.id, strncmp(sub.name, "again", 5) == 0 && again++ > 0 ?
		    SUB_REJECTED : SUB_RECEIVED, "", 0);
	if (m->type == M_SUB_HOLD && get_m_submission_id(m, &id) == 0) {
		state(M_SUB_STATE, id.id, SUB_HELD, "", 0);
		/* and at once the operator rejects it */
		state(M_SUB_STATE, id.id, SUB_REJECTED, "", 0);
	}
}

static void
verify(const struct msg *m)
{
	struct m_verdict *v = xcalloc(1, sizeof(*v));
	struct m_submission sub;

	if (get_m_submission(m, &sub) == -1)
		_exit(4);
	if (strncmp(sub.name, "crash", 5) == 0)
		(void)raise(SIGKILL);
	if (strncmp(sub.name, "stop", 4) == 0)
		(void)raise(SIGSTOP);
	if (strncmp(sub.name, "broken", 6) == 0)
		(void)str_copy(v->id, sizeof(v->id), "00000000-0000-7000-8000-000000000000");
	else
		(void)str_copy(v->id, sizeof(v->id), sub.id);
	(void)str_copy(v->sha256, sizeof(v->sha256), SHA);
	(void)str_copy(v->cert_sha256, sizeof(v->cert_sha256), SHA);
	v->signature_valid = 1;
	SEND(M_VERDICT, m_verdict, v);
	free(v);
	(void)sleep(1);		/* its death is not what is waited for */
	_exit(0);
}

/* As long as the signer has not read them, which it never does here. */
static void
send_lines(const struct msg *m)
{
	struct m_notice_id id;
	struct pollfd p = { .fd = m->fds[0], .events = 0 };

	if (get_m_notice_id(m, &id) == -1)
		_exit(4);
	log_info("lines of %s wait", id.id);
	while (poll(&p, 1, -1) == -1 && errno == EINTR)
		;
	SEND(M_LINES_DONE, m_notice_id, &id);
}

static void
load(const struct msg *m)
{
	static int later;
	struct m_submission_id id;
	struct m_submission sub;
	struct m_verdict *v;

	switch (m->type) {
	case M_LOAD_BEGIN:
		if (get_m_submission(m, &sub) == -1)
			_exit(4);
		if (strncmp(sub.name, "loadcrash", 9) == 0)
			(void)raise(SIGKILL);
		later = strncmp(sub.name, "again", 5) == 0;
		if (strcmp(sub.name, "stopboth.xml") == 0)
			(void)raise(SIGSTOP);
		break;
	case M_LOAD_VERDICT:
		v = xcalloc(1, sizeof(*v));
		if (get_m_verdict(m, v) == 0)
			state(M_LOAD_DONE, v->id, later ? SUB_RECEIVED : SUB_ACCEPTED,
			    later ? "" : v->sha256, later);
		free(v);
		break;
	case M_LINES_SEND:
		send_lines(m);
		break;
	case M_LOAD_ABORT:
		if (get_m_submission_id(m, &id) == 0)
			state(M_LOAD_DONE, id.id, SUB_RECEIVED, "", 1);
		break;
	default:
		break;
	}
}

/* Asks for its inbox again and again, and reads no answer. */
static void
session_without_ears(void)
{
	struct m_login l = { .user = "PLA001", .algorithm = "ssh-ed25519", .key_len = 1,
	    .proved = 1 };
	struct m_box_open o = { .folder = BOX_INBOX, .flags = BOX_READ | BOX_DIR };
	struct buf ask = { 0 };
	struct msg m;
	int n = 0, idle;

	SEND(M_LOGIN, m_login, &l);
	if (msg_recv_wait(&chan, &m, -1) != 1 || m.type != M_SESSION_START ||
	    msg_recv_wait(&chan, &m, -1) != 1 || m.type != M_LOGIN_RESULT)
		_exit(4);
	put_m_box_open(&ask, &o);
	for (idle = 0; idle < 50 && n < 10000; idle++) {
		if (msg_flush(&chan) == -1)
			_exit(4);
		for (; n < 10000 && !msg_wants_write(&chan); n++, idle = 0)
			if (msg_send(&chan, M_BOX_OPEN, 1, ask.data, ask.len, NULL, 0) == -1)
				_exit(4);
		(void)usleep(20000);
	}
	log_info("without an answer read: %d questions", n);
	_exit(0);
}

static void
listen_once(void)
{
	struct pollfd p[2] = { { .fd = FD_LISTEN, .events = POLLIN },
	    { .fd = FD_CHANNEL, .events = POLLIN } };
	struct m_peer peer = { .address = "127.0.0.1", .port = 1 };
	struct buf b = { 0 };
	int fd;

	while (poll(p, 2, -1) == -1 && errno == EINTR)
		;
	if (p[0].revents == 0 || (fd = accept4(FD_LISTEN, NULL, NULL, SOCK_CLOEXEC)) == -1)
		return;
	put_m_peer(&b, &peer);
	if (msg_send(&chan, M_SESSION_NEW, 0, b.data, b.len, &fd, 1) == -1)
		_exit(4);
	buf_free(&b);
}

static void
surroundings(void)
{
	char input[64] = "";

	(void)!readlink("/proc/self/fd/0", input, sizeof(input) - 1);
	log_info("input is %s, the configuration is %s", input,
	    fcntl(FD_CONF, F_GETFD) == -1 ? "closed" : "open");
}

int
main(int argc, char *argv[])
{
	enum role role = who(argc, argv);
	struct msg m;

	conf_free(child_init(argv[0], argc, argv));
	surroundings();
	msg_init(&chan, FD_CHANNEL, role, ROLE_MUHURD);
	if (msg_send(&chan, M_READY, 0, NULL, 0, NULL, 0) == -1)
		_exit(4);
	if (role == ROLE_LISTENER)
		listen_once();
	if (role == ROLE_SESSION)
		session_without_ears();
	while (msg_recv_wait(&chan, &m, -1) == 1) {
		if (role == ROLE_DIRECTORY)
			directory(&m);
		else if (role == ROLE_VERIFY)
			verify(&m);
		else if (role == ROLE_LOAD)
			load(&m);
		else if (role == ROLE_ARCHIVE)
			archive(&m);
		else if (role == ROLE_SIGNER)
			sign(&m);
		msg_close_fds(&m);
	}
	/* one that will not go has to be killed */
	if (role == ROLE_ARCHIVE)
		for (;;)
			(void)pause();
	_exit(0);
}
