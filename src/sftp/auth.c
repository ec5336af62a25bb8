/* SPDX-License-Identifier: ISC */
/*
 * Who may come in: public keys only, and every decision is muhurd's (and the
 * directory's behind it), both when a client asks whether a key would do and
 * when libssh has checked a signature by it.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/ident.h"
#include "sftp/session.h"

static int
base64_value(int c)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = c != '\0' ? strchr(digits, c) : NULL;

	return p != NULL ? (int)(p - digits) : -1;
}

/* libssh gives a key's blob only in base64. Bytes, or -1. */
static int
base64_decode(const char *s, uint8_t *out, size_t size)
{
	uint32_t bits = 0;
	size_t n = 0;
	int have = 0, v;

	for (; *s != '\0' && *s != '='; s++) {
		if ((v = base64_value((unsigned char)*s)) == -1)
			return -1;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			if (n == size)
				return -1;
			out[n++] = (uint8_t)(bits >> have);
		}
	}
	return (int)n;
}

/* Key and its kind into m: 0, or -1 where it is none that we accept. */
static int
describe_key(ssh_key key, struct m_login *m)
{
	char *b64 = NULL;
	int n, rc = -1;

	switch (ssh_key_type(key)) {
	case SSH_KEYTYPE_ED25519:
	case SSH_KEYTYPE_ECDSA_P256:
	case SSH_KEYTYPE_ECDSA_P384:
	case SSH_KEYTYPE_RSA:
		break;
	default:
		/* Certificates among them: libssh hands them over unchecked. */
		goto out;
	}
	if (ssh_pki_export_pubkey_base64(key, &b64) != SSH_OK ||
	    (n = base64_decode(b64, m->key, sizeof(m->key))) <= 0)
		goto out;
	m->key_len = (uint32_t)n;
	if (str_copy(m->algorithm, sizeof(m->algorithm),
	    ssh_key_type_to_char(ssh_key_type(key))) == -1)
		goto out;
	rc = 0;
out:
	ssh_string_free_char(b64);
	return rc;
}

/* Ask muhurd, waiting: nothing else goes on in this process before login.
 * 1 yes, 0 no. */
static int
ask_muhurd(struct session *s, const struct m_login *login)
{
	struct m_login_result r;
	struct buf b = { 0 };
	struct msg m;
	usec_t left = s->login_until - clock_monotonic();
	int got;

	put_m_login(&b, login);
	if (msg_send(&s->chan, M_LOGIN, ++s->login_tag, b.data, b.len, NULL, 0) == -1)
		fatalx("muhurd is gone");
	buf_free(&b);
	got = msg_recv_wait(&s->chan, &m, left > 0 ? (int)(left / 1000) : 0);
	if (got == -1)
		fatalx("muhurd is gone");
	if (got == 0) {
		s->end = "the login took too long";
		return 0;
	}
	if (m.type != M_LOGIN_RESULT || m.tag != s->login_tag ||
	    get_m_login_result(&m, &r) == -1 ||
	    m.nfds != (r.ok && login->proved ? DIR_COUNT : 0))
		fatalx("muhurd sent what was not asked for (%s)", msg_type_name(m.type));
	if (!r.ok) {
		log_info("login of %s from %s refused: %s", login->user,
		    s->peer.address, r.why);
		return 0;
	}
	if (login->proved) {
		sftp_init(&s->sftp, s->conf, &s->chan, &r, m.fds);
		s->logged_in = 1;
		log_info("%s of %s logged in from %s%s", r.user, r.member,
		    s->peer.address, r.may.may_send ? "" : " (suspended: may only fetch)");
	}
	return 1;
}

static int
auth_pubkey(ssh_session ssh, const char *user, struct ssh_key_struct *key,
    char state, void *arg)
{
	struct session *s = arg;
	struct m_login login;

	(void)ssh;
	memset(&login, 0, sizeof(login));
	if (s->end != NULL || s->logged_in)
		return SSH_AUTH_DENIED;
	/* A wrong signature never comes here: libssh drops it without an
	 * answer, and the login time limit ends such a connection. */
	if (++s->tries > SFTP_MAX_AUTH_TRIES) {
		s->end = "too many keys were tried";
		return SSH_AUTH_DENIED;
	}
	if (state != SSH_PUBLICKEY_STATE_NONE && state != SSH_PUBLICKEY_STATE_VALID)
		return SSH_AUTH_DENIED;
	if (!user_code_ok(user) || str_copy(login.user, sizeof(login.user), user) == -1) {
		log_info("login from %s refused: \"%s\" is no user code",
		    s->peer.address, user);
		return SSH_AUTH_DENIED;
	}
	if (describe_key(key, &login) == -1) {
		log_info("login of %s from %s refused: a key of a kind not accepted",
		    user, s->peer.address);
		return SSH_AUTH_DENIED;
	}
	login.proved = state == SSH_PUBLICKEY_STATE_VALID;
	return ask_muhurd(s, &login) ? SSH_AUTH_SUCCESS : SSH_AUTH_DENIED;
}

void
auth_init(struct session *s)
{
	s->server_cb.auth_pubkey_function = auth_pubkey;
}
