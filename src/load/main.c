/* SPDX-License-Identifier: ISC */
/*
 * muhur-load: a worker that loads records and decides about submissions, or,
 * with -D, the directory.  Started by muhurd.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/child.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "load/directory.h"
#include "load/registration.h"
#include "load/worker.h"

#define SECRET_MAX	4096		/* bytes of a password's or key's file */
#define IDLE_MS		60000

/* libpq's SCRAM uses OpenSSL, which reads its configuration and sets up its
 * providers at first use: that must be before the sandbox. */
static void
crypto_setup(void)
{
	unsigned char	 out[32];

	if (OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) != 1 ||
	    EVP_Digest("", 0, out, NULL, EVP_sha256(), NULL) != 1 ||
	    RAND_bytes(out, sizeof(out)) != 1)
		fatalx("OpenSSL cannot be set up");
}

static void
read_identity_key(void)
{
	char	*hex = NULL;
	size_t	 len = 0;

	if (fd_read_all(FD_IDENTITY_KEY, SECRET_MAX, &hex, &len) == -1)
		fatal("identity key");
	if (registration_key(hex) == -1)
		fatalx("identity key: identity.key in the secrets_dir is not what `muhur db init' made");
	explicit_bzero(hex, len);
	free(hex);
}

static void
enter_sandbox(const struct conf *conf, unsigned more)
{
	struct sandbox_path	 path = { .fd = -1, .path = conf->db_host, .access = SB_READ | SB_WRITE };

	if (sandbox_enter(conf->sandbox, SB_STDIO | SB_PASSFD | SB_UNIX | SB_SOCKIO | more, &path, 1) == -1)
		exit(3);
}

static void
send_ready(struct msg_chan *chan)
{
	if (msg_send(chan, M_READY, 0, NULL, 0, NULL, 0) == -1)
		fatalx("muhurd is gone");
}

static void
run_worker(const struct conf *conf, const char *password)
{
	static struct worker	 w;

	worker_init(&w, conf, FD_CHANNEL, password, FD_SCRATCH);
	(void)link_up(&w.link);
	enter_sandbox(conf, SB_FILEIO);
	send_ready(&w.chan);
	while (worker_step(&w, IDLE_MS) == 0)
		;
	worker_close(&w);
	registration_forget_key();
}

static void
run_directory(const struct conf *conf, const char *password)
{
	static struct directory	 d;

	directory_init(&d, conf, FD_CHANNEL, password);
	(void)link_up(&d.link);
	enter_sandbox(conf, 0);
	send_ready(&d.chan);
	while (directory_step(&d, IDLE_MS) == 0)
		;
	directory_close(&d);
}

int
main(int argc, char *argv[])
{
	struct conf	*conf;
	char		*password = NULL;
	size_t		 len = 0;
	int		 i, directory = 0;

	for (i = 1; i < argc; i++)
		if (strcmp(argv[i], "-D") == 0)
			directory = 1;
	conf = child_init(directory ? "muhur-directory" : "muhur-load", argc, argv);
	if (fd_read_all(FD_DB_PASSWORD, SECRET_MAX, &password, &len) == -1)
		fatal("database password");
	crypto_setup();
	if (!directory)
		read_identity_key();
	(void)close(FD_DB_PASSWORD);
	(void)close(FD_IDENTITY_KEY);
	close_from(directory ? FD_SCRATCH : FD_SCRATCH + 1);
	if (directory)
		run_directory(conf, password);
	else
		run_worker(conf, password);
	explicit_bzero(password, len);
	free(password);
	conf_free(conf);
	return 0;
}
