/* SPDX-License-Identifier: ISC */
#include "xml/openssl.h"

#include <openssl/err.h>

#include "base/log.h"

void
openssl_log(const char *what)
{
	char	text[256];

	ERR_error_string_n(ERR_peek_last_error(), text, sizeof(text));
	log_warnx("%s: %s", what, text);
	ERR_clear_error();
}

int
openssl_no_password(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1;
}
