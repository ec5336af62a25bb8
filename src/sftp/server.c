/* SPDX-License-Identifier: ISC */
/* What we are towards an SSH client: host key, algorithms, options. */
#include "config.h"

#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/fdio.h"
#include "base/log.h"
#include "sftp/session.h"

#define HOST_KEY_MAX	(16 * 1024)	/* bytes of the key file */

/* Allow-lists.  No NIST curves for the exchange, no group exchange (it reads
 * a file of moduli), no group below 3072 bits, nothing with SHA-1 or CBC.
 * hmac-sha2-256 without ETM stays for libssh2, which knows no ETM. */
#define KEX	"curve25519-sha256,curve25519-sha256@libssh.org," \
		"diffie-hellman-group16-sha512,diffie-hellman-group18-sha512"
#define CIPHERS	"aes256-gcm@openssh.com,aes128-gcm@openssh.com," \
		"chacha20-poly1305@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr"
#define MACS	"hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256"
/* How a user may sign: not ssh-rsa, which is RSA with SHA-1, and no
 * certificates, whose contents libssh does not check. */
#define USER_KEYS "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384," \
		"rsa-sha2-512,rsa-sha2-256"

static void
ssh_log_line(int priority, const char *function, const char *text, void *arg)
{
	(void)priority;
	(void)arg;
	log_debug("libssh: %s: %s", function, text);
}

static ssh_key
load_host_key(void)
{
	char *pem = NULL;
	size_t len = 0;
	ssh_key key = NULL;

	if (fd_read_all(FD_HOST_KEY, HOST_KEY_MAX, &pem, &len) == -1) {
		log_alarm("the SSH host key cannot be read");
		return NULL;
	}
	if (ssh_pki_import_privkey_base64(pem, NULL, NULL, NULL, &key) != SSH_OK) {
		log_alarm("the SSH host key cannot be used: no private key without passphrase");
		key = NULL;
	}
	explicit_bzero(pem, len);
	free(pem);
	(void)close(FD_HOST_KEY);
	return key;
}

static const char *
host_key_algorithms(ssh_key key)
{
	switch (ssh_key_type(key)) {
	case SSH_KEYTYPE_ED25519:
		return "ssh-ed25519";
	case SSH_KEYTYPE_RSA:
		return "rsa-sha2-512,rsa-sha2-256";
	case SSH_KEYTYPE_ECDSA_P256:
		return "ecdsa-sha2-nistp256";
	case SSH_KEYTYPE_ECDSA_P384:
		return "ecdsa-sha2-nistp384";
	default:
		return NULL;
	}
}

static int
set_options(ssh_bind bind, ssh_key key)
{
	static const bool no = false;
	static const int rsa_bits = 2048;
	const char *algorithms = host_key_algorithms(key);
	const struct { enum ssh_bind_options_e option; const void *value; } options[] = {
		{ SSH_BIND_OPTIONS_PROCESS_CONFIG, &no },
		{ SSH_BIND_OPTIONS_BANNER, "Muhur" },
		{ SSH_BIND_OPTIONS_KEY_EXCHANGE, KEX },
		{ SSH_BIND_OPTIONS_CIPHERS_C_S, CIPHERS },
		{ SSH_BIND_OPTIONS_CIPHERS_S_C, CIPHERS },
		{ SSH_BIND_OPTIONS_HMAC_C_S, MACS },
		{ SSH_BIND_OPTIONS_HMAC_S_C, MACS },
		{ SSH_BIND_OPTIONS_PUBKEY_ACCEPTED_KEY_TYPES, USER_KEYS },
		{ SSH_BIND_OPTIONS_RSA_MIN_SIZE, &rsa_bits },
		{ SSH_BIND_OPTIONS_HOSTKEY_ALGORITHMS, algorithms },
	};
	size_t i;

	if (algorithms == NULL) {
		log_alarm("the SSH host key is of a kind not supported; use Ed25519");
		return -1;
	}
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (ssh_bind_options_set(bind, options[i].option, options[i].value) < 0) {
			log_alarm("libssh: option %d: %s", (int)options[i].option,
			    ssh_get_error(bind));
			return -1;
		}
	return 0;
}

static int
prepare_socket(int fd)
{
	/* Answers are small and awaited.  A peer that vanished is noticed within a
	 * minute: until then its upload is open, and nobody can go on with it.
	 * No TCP_USER_TIMEOUT: it also ends a client that was stopped (^Z) while
	 * it downloads. */
	static const struct { int level, option, value; } options[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, 30 },		/* seconds */
		{ IPPROTO_TCP, TCP_KEEPINTVL, 10 },		/* seconds */
		{ IPPROTO_TCP, TCP_KEEPCNT, 3 },
	};
	size_t i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (setsockopt(fd, options[i].level, options[i].option, &options[i].value,
		    sizeof(options[i].value)) == -1)
			log_warn("socket option %d", options[i].option);
	return set_nonblock(fd);
}

int
server_init(struct session *s)
{
	ssh_bind bind = NULL;
	ssh_key key = NULL;
	int rc = -1;

	if (ssh_init() != SSH_OK || (bind = ssh_bind_new()) == NULL ||
	    (s->ssh = ssh_new()) == NULL || (s->event = ssh_event_new()) == NULL) {
		log_alarm("libssh cannot be started");
		goto out;
	}
	(void)ssh_set_log_callback(ssh_log_line);
	(void)ssh_set_log_level(SSH_LOG_WARN);
	if ((key = load_host_key()) == NULL || set_options(bind, key) == -1)
		goto out;
	if (ssh_bind_options_set(bind, SSH_BIND_OPTIONS_IMPORT_KEY, key) < 0) {
		log_alarm("libssh: host key: %s", ssh_get_error(bind));
		goto out;
	}
	key = NULL;	/* bind owns it */
	if (prepare_socket(FD_PEER) == -1) {
		log_alarm("the connection's socket cannot be set up");
		goto out;
	}
	if (ssh_bind_accept_fd(bind, s->ssh, FD_PEER) != SSH_OK) {
		log_alarm("libssh: accepting: %s", ssh_get_error(bind));
		goto out;
	}
	/* Compressed input could be a bomb, and documents are small anyway. */
	if (ssh_options_set(s->ssh, SSH_OPTIONS_COMPRESSION, "no") < 0) {
		log_alarm("libssh: compression: %s", ssh_get_error(s->ssh));
		goto out;
	}
	ssh_set_blocking(s->ssh, 0);
	ssh_set_auth_methods(s->ssh, SSH_AUTH_METHOD_PUBLICKEY);
	rc = 0;
out:
	ssh_key_free(key);
	ssh_bind_free(bind);
	return rc;
}
