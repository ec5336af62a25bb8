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
	const char *limit;	/* the setting that max_size is; NULL: a limit of ours */
	/* where post is not NULL: it is sent, by POST, and no redirection is followed */
	const void *post;
	size_t	 post_len;
	const char *post_type;	/* its media type */
	const char *accept;	/* what is wanted; NULL anything */
};

/* http and https; without post with a few redirections to the same.  What came is appended
 * to out.  0, or -1: why not. */
int fetch_url(const struct fetch *f, const char *url, struct buf *out, char *why, size_t whysize);

#endif
