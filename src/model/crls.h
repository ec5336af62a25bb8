/* SPDX-License-Identifier: ISC */
/* Which revocation lists somebody was judged by. */
#ifndef MUHUR_MODEL_CRLS_H
#define MUHUR_MODEL_CRLS_H

#include <stddef.h>

#include "base/limits.h"

struct crls_used {
	size_t	 n;
	char	 sha256[CRLS_USED_MAX][SHA256_HEX_SIZE];	/* of the DER; each once */
};

#endif
