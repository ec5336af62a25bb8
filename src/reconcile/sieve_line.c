/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <endian.h>
#include <string.h>

#include "model/ident.h"
#include "reconcile/sieve_line.h"

/*
 * The registry number, its highest byte first; how much of a line it is (that without
 * a key before the others); the key's length and the key; the kind; a closing
 * balance's place's length and place; the values.
 */
enum { BARE_KNOWN = SIEVE_KNOWN, BARE_NAMED = SIEVE_NAMED, WITH_KEY };

#define KEY_PARTS	3

static size_t
values_of(enum sieve_kind kind)
{
	return kind == SIEVE_NET ? SIEVE_VALUES : kind > SIEVE_NAMED ? 1 : 0;
}

size_t
sieve_fields(enum sieve_kind kind)
{
	return kind <= SIEVE_NAMED ? 1 : 1 + KEY_PARTS + (kind == SIEVE_CLOSING) + values_of(kind);
}

static int
put_key(const struct db_field *parts, uint8_t *rec, size_t *n)
{
	size_t i, len = 0;

	for (i = 0; i < KEY_PARTS; i++)
		len += parts[i].len + 1;
	if (len > SIEVE_KEY_MAX)
		return -1;
	rec[(*n)++] = (uint8_t)len;
	for (i = 0; i < KEY_PARTS; i++) {
		memcpy(rec + *n, parts[i].text, parts[i].len);
		*n += parts[i].len;
		rec[(*n)++] = '\t';	/* COPY escapes it within a field */
	}
	return 0;
}

static int
put_place(const struct db_field *place, uint8_t *rec, size_t *n)
{
	if (place->len > SIEVE_PLACE_MAX)
		return -1;
	rec[(*n)++] = (uint8_t)place->len;
	memcpy(rec + *n, place->text, place->len);
	*n += place->len;
	return 0;
}

static int
put_value(const struct db_field *value, uint8_t *rec, size_t *n)
{
	struct decimal d;

	if (decimal_parse(value->text, value->len, &d) == -1)
		return -1;
	memcpy(rec + *n, &d, sizeof(d));
	*n += sizeof(d);
	return 0;
}

int
sieve_line_put(enum sieve_kind kind, const struct db_field *f, uint8_t rec[SIEVE_LINE_MAX], size_t *len)
{
	uint64_t registry;
	size_t n = sizeof(registry), i;

	if (registry_no_parse(f->text, f->len, &registry) == -1)
		return -1;
	registry = htobe64(registry);
	memcpy(rec, &registry, sizeof(registry));
	f++;
	rec[n++] = (uint8_t)(kind <= SIEVE_NAMED ? kind : WITH_KEY);
	if (kind > SIEVE_NAMED) {
		if (put_key(f, rec, &n) == -1)
			return -1;
		f += KEY_PARTS;
		rec[n++] = (uint8_t)kind;
	}
	if (kind == SIEVE_CLOSING && put_place(f++, rec, &n) == -1)
		return -1;
	for (i = 0; i < values_of(kind); i++)
		if (put_value(f++, rec, &n) == -1)
			return -1;
	*len = n;
	return 0;
}

/* A length and as many bytes; NULL where they are not there, or more than most. */
static const uint8_t *
get_text(const uint8_t **p, const uint8_t *end, size_t most, size_t *len)
{
	const uint8_t *text;

	if (*p == end || (*len = **p) > most || *len > (size_t)(end - *p) - 1)
		return NULL;
	text = *p + 1;
	*p = text + *len;
	return text;
}

static int
get_keyed(const uint8_t *p, const uint8_t *end, struct sieve_line *line)
{
	if ((line->key = get_text(&p, end, SIEVE_KEY_MAX, &line->key_len)) == NULL || line->key_len == 0 ||
	    p == end || *p <= SIEVE_NAMED || *p >= SIEVE_KINDS)
		return -1;
	line->kind = *p++;
	if (line->kind == SIEVE_CLOSING &&
	    (line->place = get_text(&p, end, SIEVE_PLACE_MAX, &line->place_len)) == NULL)
		return -1;
	if ((size_t)(end - p) != values_of(line->kind) * sizeof(line->value[0]))
		return -1;
	memcpy(line->value, p, (size_t)(end - p));
	return 0;
}

int
sieve_line_get(const uint8_t *rec, size_t len, struct sieve_line *line)
{
	const uint8_t *p = rec + sizeof(line->registry), *end = rec + len;

	if (len <= sizeof(line->registry))
		return -1;
	memcpy(&line->registry, rec, sizeof(line->registry));
	line->registry = be64toh(line->registry);
	line->key_len = line->place_len = 0;
	if (*p == WITH_KEY)
		return get_keyed(p + 1, end, line);
	line->kind = *p;
	return *p < WITH_KEY && p + 1 == end ? 0 : -1;
}
