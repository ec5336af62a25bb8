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
