/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "trail/leaf.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/ident.h"

#define DEPTH_MAX	32	/* of an event's detail */

/*
 * Kinds of events that show which bytes they are about, and of those the ones
 * whose bytes are in the store.  Not the rest: what was refused may be unsigned,
 * and what is unsigned may be guessed.
 */
static const struct {
	const char	*kind;
	int		 stored;
} shown[] = {
	{ "accepted",	1 },
	{ "waiting",	1 },	/* for a second user's approval */
	{ "signed",	1 },
	{ "fetched",	1 },
	{ "archived",	1 },
	{ "purged",	0 },
	{ "rot-found",	0 },
	{ "crl-kept",	0 },	/* in the database */
};
#define NSHOWN (sizeof(shown) / sizeof(shown[0]))

int
leaf_kind_stored(const char *kind)
{
	size_t i;

	for (i = 0; i < NSHOWN; i++)
		if (strcmp(shown[i].kind, kind) == 0)
			return shown[i].stored;
	return -1;
}

/* --- canonical JSON ------------------------------------------------------------ */

/* As RFC 8785 3.2.2.2 writes strings: what must be escaped, and nothing else. */
static void
put_string(const char *s, size_t len, struct buf *out)
{
	static const char code[] = "btn?fr";	/* 0x08 to 0x0d */
	size_t i, from = 0;
	unsigned char c;

	(void)buf_puts(out, "\"");
	for (i = 0; i < len; i++) {
		c = (unsigned char)s[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		(void)buf_append(out, s + from, i - from);
		from = i + 1;
		if (c >= 0x20)
			(void)buf_printf(out, "\\%c", c);
		else if (c >= 0x08 && c <= 0x0d && c != 0x0b)
			(void)buf_printf(out, "\\%c", code[c - 0x08]);
		else
			(void)buf_printf(out, "\\u%04x", c);
	}
	(void)buf_append(out, s + from, len - from);
	(void)buf_puts(out, "\"");
}

static int put_json(json_t *v, unsigned depth, struct buf *out);

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
put_object(json_t *o, unsigned depth, struct buf *out)
{
	size_t n = 0, i, count = json_object_size(o);
	const char **keys = xcalloc(count, sizeof(*keys)), *key;
	json_t *v;
	int rc = 0;

	json_object_foreach(o, key, v)
		keys[n++] = key;
	qsort(keys, n, sizeof(*keys), by_bytes);
	(void)buf_puts(out, "{");
	for (i = 0; i < n && rc == 0; i++) {
		if (i > 0)
			(void)buf_puts(out, ",");
		put_string(keys[i], strlen(keys[i]), out);
		(void)buf_puts(out, ":");
		rc = put_json(json_object_get(o, keys[i]), depth, out);
	}
	(void)buf_puts(out, "}");
	free(keys);
	return rc;
}

static int
put_array(json_t *a, unsigned depth, struct buf *out)
{
	size_t i;

	(void)buf_puts(out, "[");
	for (i = 0; i < json_array_size(a); i++) {
		if (i > 0)
			(void)buf_puts(out, ",");
		if (put_json(json_array_get(a, i), depth, out) == -1)
			return -1;
	}
	(void)buf_puts(out, "]");
	return 0;
}

/* 0; -1: a real number, which has no one text, or too deep. */
static int
put_json(json_t *v, unsigned depth, struct buf *out)
{
	if (depth == DEPTH_MAX)
		return -1;
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return put_object(v, depth + 1, out);
	case JSON_ARRAY:
		return put_array(v, depth + 1, out);
	case JSON_STRING:
		put_string(json_string_value(v), json_string_length(v), out);
		return 0;
	case JSON_INTEGER:
		return buf_printf(out, "%lld", (long long)json_integer_value(v));
	case JSON_TRUE:
		return buf_puts(out, "true");
	case JSON_FALSE:
		return buf_puts(out, "false");
	case JSON_NULL:
		return buf_puts(out, "null");
	default:	/* JSON_REAL */
		return -1;
	}
}

/* --- leaf ---------------------------------------------------------------------- */

/* 1..size - 1 of [A-Za-z0-9_-]. */
static int
word_ok(const char *s, size_t size)
{
	size_t len = strlen(s);

	return len > 0 && len < size && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-_"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == len;
}

static int
sha256_ok(const char *s)
{
	return strlen(s) == SHA256_HEX_SIZE - 1 &&
	    strspn(s, "0123456789abcdef") == SHA256_HEX_SIZE - 1;
}

static const char *
odd_field(const struct leaf *l)
{
	if (l->event < 1)
		return "event";
	if (!word_ok(l->kind, sizeof(l->kind)))
		return "kind";
	if (!word_ok(l->actor, sizeof(l->actor)))
		return "actor";
	if (l->submission[0] != '\0' && !uuid_ok(l->submission))
		return "submission";
	if (l->notice[0] != '\0' && !uuid_ok(l->notice))
		return "notice";
	return NULL;
}

int
leaf_commit(struct leaf *l, const char *detail, const unsigned char *salt, struct buf *opening)
{
	static const char before[] = "{\"detail\":";
	char hex[2 * LEAF_SALT_SIZE + 1];
	const char *odd, *sha256;
	size_t from = opening->len + sizeof(before) - 1;
	json_error_t e;
	json_t *o;
	int rc = -1;

	l->sha256[0] = '\0';
	o = json_loads(detail, JSON_REJECT_DUPLICATES, &e);
	if ((odd = odd_field(l)) != NULL) {
		log_warnx("event %lld: its %s cannot stand in a leaf", l->event, odd);
		goto out;
	}
	(void)buf_puts(opening, before);
	if (!json_is_object(o) || put_json(o, 0, opening) == -1) {
		log_warnx("event %lld: its detail is no JSON object, or has a number in it that is no integer",
		    l->event);
		goto out;
	}
	hash_bytes(salt, LEAF_SALT_SIZE, opening->data + from, opening->len - from, &l->detail);
	hex_encode(salt, LEAF_SALT_SIZE, hex);
	(void)buf_printf(opening, ",\"salt\":\"%s\"}", hex);
	sha256 = json_string_value(json_object_get(o, "sha256"));
	if (leaf_kind_stored(l->kind) != -1 && sha256 != NULL && sha256_ok(sha256))
		(void)str_copy(l->sha256, sizeof(l->sha256), sha256);
	rc = 0;
out:
	json_decref(o);
	return rc;
}

void
leaf_text(const struct leaf *l, struct buf *out)
{
	char at[TIME_SIZE], detail[SHA256_HEX_SIZE];

	time_format(l->at, at);
	hex_encode(l->detail.b, SHA256_SIZE, detail);
	(void)buf_printf(out, "{\"actor\":\"%s\",\"at\":\"%s\",\"detail\":\"%s\",\"event\":%lld,\"kind\":\"%s\"",
	    l->actor, at, detail, l->event, l->kind);
	if (l->notice[0] != '\0')
		(void)buf_printf(out, ",\"notice\":\"%s\"", l->notice);
	if (l->sha256[0] != '\0')
		(void)buf_printf(out, ",\"sha256\":\"%s\"", l->sha256);
	if (l->submission[0] != '\0')
		(void)buf_printf(out, ",\"submission\":\"%s\"", l->submission);
	(void)buf_puts(out, ",\"v\":1}");
}

/* --- reading ------------------------------------------------------------------- */

struct reader {
	const char	*at, *end;
};

/* That text stands here: it is passed. */
static int
skip(struct reader *r, const char *s)
{
	size_t len = strlen(s);

	if ((size_t)(r->end - r->at) < len || memcmp(r->at, s, len) != 0)
		return 0;
	r->at += len;
	return 1;
}

/* What is before the next quotation mark. */
static int
string(struct reader *r, char *out, size_t size)
{
	const char *quote = memchr(r->at, '"', (size_t)(r->end - r->at));
	size_t len = quote != NULL ? (size_t)(quote - r->at) : size;

	if (len >= size || memchr(r->at, '\0', len) != NULL)
		return 0;
	memcpy(out, r->at, len);
	out[len] = '\0';
	r->at = quote + 1;
	return 1;
}

static int
number(struct reader *r, long long *n)
{
	const char *from = r->at;

	*n = 0;
	for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
		if (*n > (LLONG_MAX - 9) / 10)
			return 0;
		*n = *n * 10 + (*r->at - '0');
	}
	return r->at > from && *from != '0';
}

/* A field that may be missing. */
static int
maybe(struct reader *r, const char *name, char *out, size_t size)
{
	out[0] = '\0';
	return !skip(r, name) || (string(r, out, size) && out[0] != '\0');
}

static int
time_exact(const char *s, usec_t *t)
{
	char again[TIME_SIZE];
	int zoned;

	if (time_parse(s, t, &zoned) == -1)
		return 0;
	time_format(*t, again);
	return strcmp(s, again) == 0;
}

int
leaf_parse(const char *text, size_t len, struct leaf *l, const char **why)
{
	struct reader r = { text, text + len };
	char at[TIME_SIZE], detail[SHA256_HEX_SIZE];

	memset(l, 0, sizeof(*l));
	*why = "is no leaf of version 1 in its canonical form";
	if (!skip(&r, "{\"actor\":\"") || !string(&r, l->actor, sizeof(l->actor)) ||
	    !skip(&r, ",\"at\":\"") || !string(&r, at, sizeof(at)) ||
	    !skip(&r, ",\"detail\":\"") || !string(&r, detail, sizeof(detail)) ||
	    !skip(&r, ",\"event\":") || !number(&r, &l->event) ||
	    !skip(&r, ",\"kind\":\"") || !string(&r, l->kind, sizeof(l->kind)) ||
	    !maybe(&r, ",\"notice\":\"", l->notice, sizeof(l->notice)) ||
	    !maybe(&r, ",\"sha256\":\"", l->sha256, sizeof(l->sha256)) ||
	    !maybe(&r, ",\"submission\":\"", l->submission, sizeof(l->submission)) ||
	    !skip(&r, ",\"v\":1}") || r.at != r.end)
		return -1;
	if (odd_field(l) != NULL || !time_exact(at, &l->at) ||
	    hex_decode(detail, l->detail.b, SHA256_SIZE) == -1) {
		*why = "has a field that is not what it should be";
		return -1;
	}
	if (l->sha256[0] != '\0' && (!sha256_ok(l->sha256) || leaf_kind_stored(l->kind) == -1)) {
		*why = "shows a SHA-256 that its kind does not show";
		return -1;
	}
	*why = NULL;
	return 0;
}

/* {"detail":D,"salt":"S"} with D as put_json writes it: into text, and the salt. */
static int
take_opening(json_t *o, struct buf *text, unsigned char salt[LEAF_SALT_SIZE])
{
	json_t *detail = json_object_get(o, "detail");
	const char *hex = json_string_value(json_object_get(o, "salt"));

	if (json_object_size(o) != 2 || !json_is_object(detail) || hex == NULL ||
	    hex_decode(hex, salt, LEAF_SALT_SIZE) == -1)
		return -1;
	return put_json(detail, 0, text);
}

/* What the detail says of the bytes must be what the leaf shows. */
static int
shows_the_same(const struct leaf *l, json_t *detail)
{
	const char *sha256 = json_string_value(json_object_get(detail, "sha256"));

	if (l->sha256[0] != '\0')
		return sha256 != NULL && strcmp(l->sha256, sha256) == 0;
	return leaf_kind_stored(l->kind) == -1 || sha256 == NULL || !sha256_ok(sha256);
}

int
leaf_opens(const struct leaf *l, const char *opening, size_t len, struct buf *detail)
{
	unsigned char salt[LEAF_SALT_SIZE];
	struct buf text = { 0 };
	struct hash h;
	json_t *o = json_loadb(opening, len, JSON_REJECT_DUPLICATES, NULL);
	int ok = 0;

	if (take_opening(o, &text, salt) == 0) {
		hash_bytes(salt, sizeof(salt), text.data, text.len, &h);
		ok = memcmp(h.b, l->detail.b, SHA256_SIZE) == 0 &&
		    shows_the_same(l, json_object_get(o, "detail"));
	}
	if (ok && detail != NULL)
		(void)buf_append(detail, text.data, text.len);
	buf_free(&text);
	json_decref(o);
	return ok;
}
