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

void
depot_path(const char *sha256, enum depot_form form, char path[DEPOT_PATH_SIZE])
{
	int n = snprintf(path, DEPOT_PATH_SIZE, "%.2s/%s%s", sha256, sha256,
	    form == DEPOT_ZSTD ? ".zst" : "");

	if (n < 0 || (size_t)n >= DEPOT_PATH_SIZE)
		fatalx("store: a name that is none");
}
