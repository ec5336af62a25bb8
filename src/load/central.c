/* SPDX-License-Identifier: ISC */
/*
 * The lines of a CentralRegistryReport (III-35/B.2 m.32(3)): each investor's
 * whole of an asset at each platform, and over all platforms.  The balances come
 * as the server has them, are sorted by registry number, asset and platform, and
 * are then added up as they pass.
 */
#include "config.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "load/lines.h"
#include "model/decimal.h"
#include "model/ident.h"
#include "pg/copy.h"
#include "sort/sorter.h"

#define FIELDS		5	/* of a row: registry number, asset, platform, quantity, locked */
#define CODE_MAX	255	/* bytes of an asset or a platform; none is nearly as long */

/* A balance.  As a record for the sorter: the registry number, its highest byte
 * first; asset and platform, each with its NUL; quantity and locked. */
struct part {
	uint64_t	 registry;
	const char	*asset, *platform;
	struct decimal	 quantity, locked;
};
#define RECORD_MAX	(sizeof(uint64_t) + 2 * (CODE_MAX + 1) + 2 * sizeof(struct decimal))

/* Of one registry number and asset: a line a platform. */
struct holding {
	char		 platform[CODE_MAX + 1];
	struct decimal_sum  quantity, locked;
};

struct central {
	struct sorter	*sorter;
	struct lines	*out;
	long long	 count;
	uint64_t	 registry;
	char		 asset[CODE_MAX + 1];
	struct holding	*holdings;	/* array that grows: of that registry number and asset */
	size_t		 n, max;
	struct decimal_sum  total;
};

/* --- in ------------------------------------------------------------------------- */

static size_t
put_code(uint8_t *rec, const struct db_field *f)
{
	memcpy(rec, f->text, f->len);
	rec[f->len] = '\0';
	return f->len + 1;
}

static int
take_row(void *arg, size_t which, const char *text, size_t len)
{
	uint8_t rec[RECORD_MAX];
	struct central *c = arg;
	struct db_field f[FIELDS];
	struct decimal sums[2];
	uint64_t registry;
	size_t n = sizeof(registry);

	(void)which;
	if (db_split(text, len, f, FIELDS) == -1 || registry_no_parse(f[0].text, f[0].len, &registry) == -1 ||
	    f[1].len > CODE_MAX || f[2].len > CODE_MAX ||
	    decimal_parse(f[3].text, f[3].len, &sums[0]) == -1 ||
	    decimal_parse(f[4].text, f[4].len, &sums[1]) == -1) {
		log_warnx("notice lines: a record in muhur.balance has a form that none may have: was it written by hand?");
		return -1;
	}
	registry = htobe64(registry);
	memcpy(rec, &registry, sizeof(registry));
	n += put_code(rec + n, &f[1]);
	n += put_code(rec + n, &f[2]);
	memcpy(rec + n, sums, sizeof(sums));
	if (sorter_add(c->sorter, rec, n + sizeof(sums)) == 0)
		return 0;
	log_warn("notice lines: the scratch file");
	return -1;
}

/* --- out ------------------------------------------------------------------------ */

/* A code's end, or NULL where it has none before end. */
static const char *
behind_code(const char *code, const char *end)
{
	const char *nul = memchr(code, '\0', (size_t)(end - code));

	return nul != NULL && nul - code <= CODE_MAX ? nul + 1 : NULL;
}

/* From what take_row made: 0, or -1 where it is something else. */
static int
read_part(const void *rec, size_t len, struct part *p)
{
	const char *at = rec, *end = at + len;

	if (len < sizeof(p->registry))
		return -1;
	memcpy(&p->registry, at, sizeof(p->registry));
	p->registry = be64toh(p->registry);
	p->asset = at + sizeof(p->registry);
	if ((p->platform = behind_code(p->asset, end)) == NULL || (at = behind_code(p->platform, end)) == NULL ||
	    (size_t)(end - at) != sizeof(p->quantity) + sizeof(p->locked))
		return -1;
	memcpy(&p->quantity, at, sizeof(p->quantity));
	memcpy(&p->locked, at + sizeof(p->quantity), sizeof(p->locked));
	return 0;
}

/* What a notice can say of it: muhur.quantity_text. */
static void
put_sum(struct buf *b, const struct decimal_sum *s, char end)
{
	static const char most[] = "99999999999999999999.999999999999999999";
	char text[DECIMAL_SIZE];

	if (s->carry != 0) {
		(void)buf_puts(b, s->carry < 0 ? "-" : "");
		(void)buf_puts(b, most);
	} else {
		decimal_format(s->low, text);
		(void)buf_puts(b, text);
	}
	(void)buf_append(b, &end, 1);
}

/* The lines of what has been added up. */
static int
put_holdings(struct central *c)
{
	struct buf *b = &c->out->b;
	char registry[REGISTRY_NO_SIZE], head[REGISTRY_NO_SIZE + CODE_MAX + 32];
	int n;
	size_t i;

	registry_no_format(c->registry, registry);
	n = snprintf(head, sizeof(head), "balance\t%s\t%s\t", registry, c->asset);
	for (i = 0; i < c->n; i++) {
		(void)buf_append(b, head, (size_t)n);
		(void)buf_puts(b, c->holdings[i].platform);
		(void)buf_append(b, "\t", 1);
		put_sum(b, &c->holdings[i].quantity, '\t');
		put_sum(b, &c->holdings[i].locked, '\t');
		put_sum(b, &c->total, '\n');
	}
	c->count += (long long)c->n;
	c->n = 0;
	c->total = (struct decimal_sum){ 0 };
	return lines_put(c->out);
}

/* The holding that the part belongs to: its own platform's, the last or a new one. */
static struct holding *
holding_of(struct central *c, const struct part *p)
{
	struct holding *h;

	if (c->n > 0 && strcmp(c->holdings[c->n - 1].platform, p->platform) == 0)
		return &c->holdings[c->n - 1];
	if (c->n == c->max) {
		c->max = c->max == 0 ? 16 : 2 * c->max;
		c->holdings = xreallocarray(c->holdings, c->max, sizeof(*c->holdings));
	}
	h = &c->holdings[c->n++];
	memset(h, 0, sizeof(*h));
	(void)str_copy(h->platform, sizeof(h->platform), p->platform);
	return h;
}

static int
put_all(struct central *c)
{
	struct holding *h;
	struct part p;
	const void *rec;
	size_t len;
	int rc;

	while ((rc = sorter_next(c->sorter, &rec, &len)) == 1) {
		if (read_part(rec, len, &p) == -1) {
			errno = EIO;
			rc = -1;
			break;
		}
		if (c->n > 0 && (p.registry != c->registry || strcmp(p.asset, c->asset) != 0) && put_holdings(c) == -1)
			return -1;
		c->registry = p.registry;
		(void)str_copy(c->asset, sizeof(c->asset), p.asset);
		h = holding_of(c, &p);
		decimal_sum_add(&h->quantity, p.quantity);
		decimal_sum_add(&h->locked, p.locked);
		decimal_sum_add(&c->total, p.quantity);
	}
	if (rc == -1) {
		log_warn("notice lines: the scratch file");
		return -1;
	}
	return put_holdings(c);
}

long long
central_lines(struct db *db, long long run, date_t day, int scratch, struct lines *l)
{
	struct central c = { .out = l };
	char sql[256], date[DATE_SIZE];
	long long memory = db_work_mem(db);

	if (memory == -1)
		return -1;
	date_format(day, date);
	(void)snprintf(sql, sizeof(sql), "COPY (SELECT registry_no, asset, platform, quantity, locked "
	    "FROM muhur.central_part WHERE run = %lld AND business_date = '%s') TO STDOUT", run, date);
	c.sorter = sorter_new(scratch, (size_t)memory);
	if (db_copy_out(&db, 1, &(const char *){ sql }, 1, take_row, &c) == -1)
		c.count = -1;
	else if (sorter_sort(c.sorter) == -1) {
		log_warn("notice lines: the scratch file");
		c.count = -1;
	} else if (put_all(&c) == -1)
		c.count = -1;
	sorter_free(c.sorter);
	free(c.holdings);
	return c.count;
}
