/* SPDX-License-Identifier: ISC */
/*
 * What the sieve sorts: a line as a byte string, in whose order (memcmp) lines of
 * one registry number come together, in them those of one customer's asset at one
 * platform, and in these the balances of one place.
 */
#ifndef MUHUR_RECONCILE_SIEVE_LINE_H
#define MUHUR_RECONCILE_SIEVE_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "model/decimal.h"
#include "pg/copy.h"

#define SIEVE_KEY_MAX	255	/* bytes; a customer number is the longest of its parts */
#define SIEVE_PLACE_MAX	64	/* bytes of where a balance is held */
#define SIEVE_VALUES	3	/* at most */
#define SIEVE_LINE_MAX	(sizeof(uint64_t) + 4 + SIEVE_KEY_MAX + SIEVE_PLACE_MAX + SIEVE_VALUES * sizeof(struct decimal))

/* Of the first two there is no more than the registry number. */
enum sieve_kind {
	SIEVE_KNOWN,	/* the registry has given it */
	SIEVE_NAMED,	/* a report has it */
	SIEVE_CLOSING,	/* a balance of the day; its place; its quantity */
	SIEVE_OPENING,	/* of the day before; its quantity */
	SIEVE_MOVED,	/* a movement; its quantity */
	SIEVE_NET,	/* a netting line; opening, net, closing */
	SIEVE_KINDS
};

struct sieve_line {
	uint64_t	 registry;
	enum sieve_kind	 kind;
	const uint8_t	*key;		/* member, asset and customer, a tab behind each */
	size_t		 key_len;	/* 0: none */
	const uint8_t	*place;
	size_t		 place_len;
	struct decimal	 value[SIEVE_VALUES];
};

/* How many fields a row has: registry number; then, of a line with a key, member, asset
 * and customer; a closing balance's place; its values. */
size_t	sieve_fields(enum sieve_kind kind);
/* The bytes of such a row, their number in *len: 0, or -1 where a field has a form
 * that none may have. */
int	sieve_line_put(enum sieve_kind kind, const struct db_field *f, uint8_t rec[SIEVE_LINE_MAX], size_t *len);
/* From these: key and place are in rec.  0, or -1 where they are something else. */
int	sieve_line_get(const uint8_t *rec, size_t len, struct sieve_line *line);

#endif
