/* SPDX-License-Identifier: ISC */
/* One small file from where a URL says (libcurl). */
#ifndef MUHUR_MUHUR_FETCH_H
#define MUHUR_MUHUR_FETCH_H

#include <stdint.h>

#include "base/mem.h"

struct fetch {
	int	 timeout;	/* seconds for all of it */
	int64_t	 max_size;	/* bytes */
	int	 local;		/* file: URLs are allowed */
};

/* http and https, with a few redirections to the same.  What came is appended
 * to out.  0, or -1: why not. */
int fetch_url(const struct fetch *f, const char *url, struct buf *out, char *why, size_t whysize);

#endif
