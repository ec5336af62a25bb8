/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "document/stamps.h"

#include <string.h>

#include "xml/dsig.h"

#define XADES_DER	"http://uri.etsi.org/01903/v1.2.2#DER"

static int
is(const xmlChar *localname, const xmlChar *uri, const char *name, const char *ns)
{
	return uri != NULL && strcmp((const char *)localname, name) == 0 &&
	    strcmp((const char *)uri, ns) == 0;
}

/* The one that is open; NULL where there are too many to be kept. */
static struct stamp *
current(struct stamps *st)
{
	return st->in_stamp && st->n <= XML_MAX_TIMESTAMPS ? &st->v[st->n - 1] : NULL;
}

static void
odd(struct stamp *s, const char *why)
{
	if (s->odd == NULL)
		s->odd = why;
	buf_free(&s->token);
}

/* An attribute without a namespace, cut to size: none that is known is so long. */
static int
attribute(const char *name, int n, const xmlChar **at, char *value, size_t size)
{
	size_t	len;
	int	i;

	for (i = 0; i < n; i++, at += 5) {
		if (at[2] != NULL || strcmp((const char *)at[0], name) != 0)
			continue;
		len = (size_t)(at[4] - at[3]) < size ? (size_t)(at[4] - at[3]) : size - 1;
		memcpy(value, at[3], len);
		value[len] = '\0';
		return 1;
	}
	return 0;
}

/* A child of the time-stamp (XAdESTimeStampType): one token over what 5.3 says,
 * with a canonicalisation that has no parameters. */
static void
start_child(struct stamps *st, struct stamp *s, const xmlChar *localname, const xmlChar *uri, int n,
    const xmlChar **at)
{
	char	encoding[STAMP_URI_SIZE];

	if (is(localname, uri, "CanonicalizationMethod", DSIG_NS)) {
		if (s->c14n[0] != '\0' || !attribute("Algorithm", n, at, s->c14n, sizeof(s->c14n)) ||
		    s->c14n[0] == '\0')
			odd(s, "its CanonicalizationMethod cannot be read");
	} else if (is(localname, uri, "EncapsulatedTimeStamp", XADES_NS)) {
		if (st->tokens++ > 0)
			odd(s, "more than one token in a SignatureTimeStamp");
		else if (attribute("Encoding", n, at, encoding, sizeof(encoding)) &&
		    strcmp(encoding, XADES_DER) != 0)
			odd(s, "its token is not in DER");
		st->in_token = 1;
	} else
		odd(s, "it holds something else than one token over the signature value "
		    "(EN 319 132-1, 5.3)");
}

void
stamps_start(struct stamps *st, int level, const xmlChar *localname, const xmlChar *uri,
    int nb_attributes, const xmlChar **attributes)
{
	struct stamp	*s = current(st);

	if (level == 1)
		st->in_list = is(localname, uri, "UnsignedSignatureProperties", XADES_NS);
	else if (level == 2 && st->in_list && is(localname, uri, "SignatureTimeStamp", XADES_NS)) {
		st->in_stamp = 1;
		st->tokens = 0;
		st->n++;
	} else if (level == 3 && s != NULL)
		start_child(st, s, localname, uri, nb_attributes, attributes);
	else if (level > 3 && s != NULL)
		odd(s, "its token or its canonicalisation holds elements");
}

void
stamps_end(struct stamps *st, int level)
{
	struct stamp	*s = current(st);

	if (level == 2 && s != NULL && st->tokens == 0)
		odd(s, "a SignatureTimeStamp without a token");
	if (level <= 3)
		st->in_token = 0;
	if (level <= 2)
		st->in_stamp = 0;
	if (level <= 1)
		st->in_list = 0;
}

void
stamps_text(struct stamps *st, const xmlChar *text, int len)
{
	struct stamp	*s = current(st);

	if (s == NULL || !st->in_token || s->odd != NULL)
		return;
	s->token.cap = STAMP_MAX_TEXT;
	if (buf_append(&s->token, text, (size_t)len) == -1)
		odd(s, "its token is too large");
}

void
stamps_free(struct stamps *st)
{
	size_t	i;

	for (i = 0; i < XML_MAX_TIMESTAMPS; i++)
		buf_free(&st->v[i].token);
}
