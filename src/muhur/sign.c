/* SPDX-License-Identifier: ISC */
/* muhur sign: put an XAdES-BES signature into a document. */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "document/pipeline.h"
#include "document/sign.h"
#include "document/token.h"
#include "muhur/cmd.h"
#include "muhur/progress.h"
#include "muhur/sign_key.h"
#include "muhur/temp.h"

#define PEM_MAX		(1024 * 1024)
#define CTRL_C		3
#define SPOOL_BLOCK	(256 * 1024)

struct arguments { const char *key, *cert, *chain, *in, *out; };

static int
parse(int argc, char **argv, struct arguments *a)
{
	const char	*names[] = { "--key", "--cert", "--chain" };
	const char	**values[] = { &a->key, &a->cert, &a->chain };
	size_t		 j, len;
	int		 i;

	for (i = 1; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		for (j = 0; j < 3; j++) {
			len = strlen(names[j]);
			if (strncmp(argv[i], names[j], len) == 0 && argv[i][len] == '=') {
				*values[j] = argv[i] + len + 1;
				break;
			}
			if (strcmp(argv[i], names[j]) == 0 && i + 1 < argc) {
				*values[j] = argv[++i];
				break;
			}
		}
		if (j == 3)
			return -1;
	}
	if (argc - i != 2 || a->key == NULL || a->cert == NULL)
		return -1;
	a->in = argv[i];
	a->out = argv[i + 1];
	return 0;
}

static int
append_file(struct buf *b, const char *path)
{
	char	*data;
	size_t	 len;

	if (file_read_all(path, PEM_MAX, &data, &len) == -1) {
		log_warn("%s", path);
		return -1;
	}
	buf_append(b, data, len);
	buf_puts(b, "\n");
	OPENSSL_cleanse(data, len);
	free(data);
	return 0;
}

/* Asked for on the terminal, whatever standard input is.  ^C ends the line: as
 * a signal it would leave the terminal silent. */
static int
ask_pin(struct buf *b)
{
	static const char	 prompt[] = "PIN: ";
	struct termios		 old, quiet;
	char			 pin[TOKEN_PIN_MAX + 1];
	int			 tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	ssize_t			 n = -1;

	if (tty == -1 || tcgetattr(tty, &old) == -1) {
		log_warnx("no terminal to ask for the PIN: name its file in the URI, "
		    "pin-source=file:/...");
		goto out;
	}
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	quiet.c_cc[VEOL] = CTRL_C;
	/* silent before it asks */
	if (tcsetattr(tty, TCSAFLUSH, &quiet) == 0 &&
	    write_full(tty, prompt, sizeof(prompt) - 1) == 0)
		n = read(tty, pin, sizeof(pin));
	(void)tcsetattr(tty, TCSAFLUSH, &old);
	(void)write_full(tty, "\n", 1);
	if (n > 0 && pin[n - 1] == '\n')
		buf_append(b, pin, (size_t)n);
	else
		log_warnx("no PIN was given");
	OPENSSL_cleanse(pin, sizeof(pin));
out:
	if (tty != -1)
		close(tty);
	return b->len > 0 ? 0 : -1;
}

static struct signing_key *
load_token(const char *uri, const struct buf *certs)
{
	struct signing_key	*k = NULL;
	struct buf		 text = { 0 };
	char			*file;
	const char		*pin;
	size_t			 pin_len;

	if (token_pin_source(uri, &file) == 0 &&
	    (file != NULL ? append_file(&text, file) : ask_pin(&text)) == 0 &&
	    token_pin(text.data, text.len, &pin, &pin_len) == 0)
		k = token_key_new(uri, NULL, pin, pin_len, 0, certs->data, certs->len);
	if (k != NULL && signing_key_ready(k) == -1) {
		signing_key_free(k);
		k = NULL;
	}
	if (text.data != NULL)
		OPENSSL_cleanse(text.data, text.len);
	buf_free(&text);
	free(file);
	return k;
}

struct signing_key *
sign_key_load(const char *key_path, const char *cert, const char *chain)
{
	struct signing_key	*k = NULL;
	struct buf		 key = { 0 }, certs = { 0 };

	if (append_file(&certs, cert) == -1 ||
	    (chain != NULL && append_file(&certs, chain) == -1))
		goto out;
	if (token_is_uri(key_path))
		k = load_token(key_path, &certs);
	else if (append_file(&key, key_path) == 0)
		k = signing_key_new(key.data, key.len, certs.data, certs.len);
out:
	if (key.data != NULL)
		OPENSSL_cleanse(key.data, key.len);
	buf_free(&key);
	buf_free(&certs);
	return k;
}

static int
pour(int from, int to)
{
	char	*block = xcalloc(1, SPOOL_BLOCK);
	ssize_t	 n;

	while ((n = read_full(from, block, SPOOL_BLOCK)) > 0)
		if (write_full(to, block, (size_t)n) == -1)
			break;
	if (n != 0)
		log_warn("copy");
	free(block);
	return n == 0 ? 0 : -1;
}

/* The input is read twice, so what cannot be read twice is spooled first. */
static int
open_input(const char *path)
{
	int	fd, spool;

	fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1) {
		log_warn("%s", path);
		return -1;
	}
	if (lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	if ((spool = temp_file()) != -1 && pour(fd, spool) == -1) {
		close(spool);
		spool = -1;
	}
	close(fd);
	return spool;
}

/* Is it to be written into rather than replaced: standard output, a device? */
static int
is_special(const char *path)
{
	struct stat	st;

	return strcmp(path, "-") == 0 || (stat(path, &st) == 0 && !S_ISREG(st.st_mode));
}

/* OUT appears whole or not at all.  tmp is the caller's to free. */
static int
open_output(const char *path, char **tmp)
{
	mode_t	mask;
	int	fd;

	*tmp = NULL;
	if (is_special(path))
		return temp_file();
	*tmp = xasprintf("%s.XXXXXX", path);
	if ((fd = mkostemp(*tmp, O_CLOEXEC)) == -1) {
		log_warn("%s", path);
		free(*tmp);
		*tmp = NULL;
		return -1;
	}
	mask = umask(0);
	umask(mask);
	(void)fchmod(fd, 0666 & ~mask);
	return fd;
}

static int
finish_output(int fd, const char *path, const char *tmp)
{
	int	to, rc = -1;

	if (tmp != NULL) {
		if (fsync(fd) == 0 && rename(tmp, path) == 0)
			return 0;
		log_warn("%s", path);
		return -1;
	}
	to = strcmp(path, "-") == 0 ? dup(STDOUT_FILENO) : open(path, O_WRONLY | O_CLOEXEC);
	if (to == -1 || lseek(fd, 0, SEEK_SET) == -1)
		log_warn("%s", path);
	else
		rc = pour(fd, to);
	if (to != -1)
		close(to);
	return rc;
}

static int
report(const struct cmd *c, const struct arguments *a, const struct reasons *rs)
{
	json_t	*list;
	size_t	 i;

	if (c->json && strcmp(a->out, "-") != 0) {
		list = json_array();
		for (i = 0; i < rs->n; i++)
			json_array_append_new(list, json_string(reason_info(rs->v[i].code)->name));
		cmd_json(json_pack("{s:s, s:s, s:s, s:o}", "file", a->in, "output", a->out,
		    "result", rs->n == 0 ? "SIGNED" : "REFUSED", "reasons", list));
	}
	for (i = 0; i < rs->n; i++)
		log_warnx("%s: line %ld: %s: %s", a->in, rs->v[i].line,
		    reason_info(rs->v[i].code)->name, rs->v[i].detail);
	return rs->n == 0 ? EXIT_YES : EXIT_NO;
}

int
cmd_sign(struct cmd *c, int argc, char **argv)
{
	struct arguments	 a = { 0 };
	struct signing_key	*k = NULL;
	struct reasons		 rs = { 0 };
	char			*tmp = NULL;
	int			 in = -1, out = -1, done, rc = EXIT_ENVIRONMENT;

	if (parse(argc, argv, &a) == -1)
		return cmd_usage(c);
	if (document_init() == -1 || (k = sign_key_load(a.key, a.cert, a.chain)) == NULL ||
	    (in = open_input(a.in)) == -1 || (out = open_output(a.out, &tmp)) == -1)
		goto out;
	progress_setup();
	progress_begin(lseek(in, 0, SEEK_END));
	done = document_sign(in, out, k, clock_now(), &rs);
	progress_end();
	if (done == -1)
		goto out;
	if (rs.n == 0 && finish_output(out, a.out, tmp) == -1)
		goto out;
	rc = report(c, &a, &rs);
out:
	if (tmp != NULL && rc != EXIT_YES)
		(void)unlink(tmp);
	free(tmp);
	if (in != -1)
		close(in);
	if (out != -1)
		close(out);
	signing_key_free(k);
	return rc;
}
