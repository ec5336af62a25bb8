/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "depot/depot.h"

int
depot_name_ok(const char *s)
{
	return strlen(s) == SHA256_HEX_SIZE - 1 &&
	    strspn(s, "0123456789abcdef") == SHA256_HEX_SIZE - 1;
}

int
depot_parse_name(const char *name, char sha256[SHA256_HEX_SIZE], enum depot_form *form)
{
	size_t n = strlen(name);

	if (n != SHA256_HEX_SIZE - 1 && (n != SHA256_HEX_SIZE + 3 || strcmp(name + n - 4, ".zst") != 0))
		return 0;
	if (form != NULL)
		*form = n == SHA256_HEX_SIZE - 1 ? DEPOT_PLAIN : DEPOT_ZSTD;
	memcpy(sha256, name, SHA256_HEX_SIZE - 1);
	sha256[SHA256_HEX_SIZE - 1] = '\0';
	return depot_name_ok(sha256);
}

void
depot_path(const char *sha256, enum depot_form form, char path[DEPOT_PATH_SIZE])
{
	int n = snprintf(path, DEPOT_PATH_SIZE, "%.2s/%s%s", sha256, sha256,
	    form == DEPOT_ZSTD ? ".zst" : "");

	if (n < 0 || (size_t)n >= DEPOT_PATH_SIZE)
		fatalx("store: a name that is none");
}

void
depot_tmp_path(const char *sha256, char path[DEPOT_TMP_PATH_SIZE])
{
	int n = snprintf(path, DEPOT_TMP_PATH_SIZE, "%.2s/.%s.zst.tmp", sha256, sha256);

	if (n < 0 || (size_t)n >= DEPOT_TMP_PATH_SIZE)
		fatalx("store: a name that is none");
}
