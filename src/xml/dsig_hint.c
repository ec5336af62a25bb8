/* SPDX-License-Identifier: ISC */
/*
 * The hint: what the reference to the document probably demands, guessed
 * from bytes without parsing.  A wrong guess costs a second pass, nothing
 * else: dsig_read's demand decides.
 */
#include "config.h"

#include "xml/dsig.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "xml/alg.h"

struct span { const char *p, *end; };

static const char *
find(struct span s, const char *what)
{
	return s.p < s.end ? memmem(s.p, (size_t)(s.end - s.p), what, strlen(what)) : NULL;
}

/* The next start tag of that local name from s->p on; *tag is what stands
 * between its name and its '>', s->p moves behind its name. */
static int
next_tag(struct span *s, const char *name, struct span *tag)
{
	const char	*at, *local, *end;
	size_t		 n = strlen(name);

	while (s->p < s->end && (at = memchr(s->p, '<', (size_t)(s->end - s->p))) != NULL) {
		local = ++at;
		while (at < s->end && strchr(" \t\r\n/>", *at) == NULL) {
			if (*at++ == ':')
				local = at;
		}
		s->p = at;
		if ((size_t)(at - local) != n || memcmp(local, name, n) != 0)
			continue;
		if ((end = memchr(at, '>', (size_t)(s->end - at))) == NULL)
			return 0;
		tag->p = at;
		tag->end = end;
		return 1;
	}
	return 0;
}

/* The attribute's value as a copy; NULL where the tag has none. */
static char *
tag_attr(struct span tag, const char *name)
{
	const char	*at, *end;
	size_t		 n = strlen(name);

	while ((at = find(tag, name)) != NULL) {
		tag.p = at + n;
		if (strchr(" \t\r\n", at[-1]) == NULL)
			continue;
		while (tag.p < tag.end && strchr(" \t\r\n=", *tag.p) != NULL)
			tag.p++;
		if (tag.p == tag.end || (*tag.p != '"' && *tag.p != '\''))
			return NULL;
		end = memchr(tag.p + 1, *tag.p, (size_t)(tag.end - tag.p - 1));
		return end != NULL ? xstrndup(tag.p + 1, (size_t)(end - tag.p - 1)) : NULL;
	}
	return NULL;
}

/* The part of the text from a Reference with URI="" to the next one. */
static int
find_reference(struct span s, struct span *ref)
{
	struct span	 tag;
	char		*uri;
	const char	*end;
	int		 empty;

	while (next_tag(&s, "Reference", &tag)) {
		uri = tag_attr(tag, "URI");
		empty = uri != NULL && uri[0] == '\0';
		free(uri);
		if (!empty)
			continue;
		ref->p = s.p;
		end = find(s, "Reference>");
		ref->end = end != NULL ? end : s.end;
		return 1;
	}
	return 0;
}

static void
read_prefixes(struct span ref, struct dsig_demand *d)
{
	struct span	 tag;
	char		*list;

	if (!next_tag(&ref, "InclusiveNamespaces", &tag) ||
	    (list = tag_attr(tag, "PrefixList")) == NULL)
		return;
	(void)alg_prefixes(list, &d->c14n);
	free(list);
}

static int
hint_from(const char *p, size_t len, struct dsig_demand *d)
{
	struct span	 s, ref, scan, tag;
	char		*uri;

	if (len == 0)
		return 0;		/* p may be NULL then */
	s = (struct span){ p, p + len };
	if (!find_reference(s, &ref))
		return 0;
	d->c14n.method = C14N_INCLUSIVE;	/* where no Transform says another */
	for (scan = ref; next_tag(&scan, "Transform", &tag); ) {
		if ((uri = tag_attr(tag, "Algorithm")) != NULL)
			(void)alg_c14n(uri, &d->c14n.method);
		free(uri);
	}
	for (scan = ref; next_tag(&scan, "DigestMethod", &tag); ) {
		if ((uri = tag_attr(tag, "Algorithm")) != NULL)
			(void)alg_digest(uri, &d->digest);
		free(uri);
	}
	if (d->c14n.method == C14N_EXCLUSIVE)
		read_prefixes(ref, d);
	return 1;
}

void
dsig_hint(const char *head, size_t head_len, const char *tail, size_t tail_len,
    struct dsig_demand *d)
{
	memset(d, 0, sizeof(*d));
	d->c14n.method = C14N_EXCLUSIVE;
	d->digest = DSIG_SHA256;
	if (!hint_from(tail, tail_len, d))
		(void)hint_from(head, head_len, d);
}
