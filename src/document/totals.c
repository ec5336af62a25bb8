/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "document/totals.h"

#define SLOTS		(2 * CONTROL_TOTALS_MAX)	/* a power of two, at most half full */
#define DIFFERENCES_MAX	10				/* reasons given */
#define PATH_TOTALS	"Header/ControlTotals"

_Static_assert((SLOTS & (SLOTS - 1)) == 0, "SLOTS is not a power of two");

struct slot {
	char		 asset[ASSET_SIZE];	/* "" free */
	struct decimal_sum sum;			/* carry not 0: it is out of range */
};

struct totals {
	struct slot	 v[SLOTS];
	size_t		 n;
	int		 too_many;
	struct slot	*last;			/* the one found last: records come in runs */
};

/* FNV-1a; the keys are at most nine bytes of a document of bounded assets. */
static size_t
hash(const char *s, size_t len)
{
	uint32_t h = UINT32_C(2166136261);
	size_t i;

	for (i = 0; i < len; i++)
		h = (h ^ (unsigned char)s[i]) * UINT32_C(16777619);
	return h & (SLOTS - 1);
}

/* The asset's slot or the free one it would get. */
static const struct slot *
find(const struct totals *t, const char *asset, size_t len)
{
	size_t i = hash(asset, len);

	while (t->v[i].asset[0] != '\0' &&
	    (strncmp(t->v[i].asset, asset, len) != 0 || t->v[i].asset[len] != '\0'))
		i = (i + 1) & (SLOTS - 1);
	return &t->v[i];
}

struct totals *
totals_new(void)
{
	return xcalloc(1, sizeof(struct totals));
}

void
totals_free(struct totals *t)
{
	free(t);
}

int
totals_add(struct totals *t, const xmlChar *asset, size_t asset_len, const xmlChar *quantity,
    size_t quantity_len)
{
	const char *key = (const char *)asset;
	struct decimal d;
	struct slot *s = t->last;

	if (asset == NULL || asset_len == 0 || asset_len >= ASSET_SIZE || quantity == NULL ||
	    decimal_parse((const char *)quantity, quantity_len, &d) == -1)
		return -1;
	if (s == NULL || strncmp(s->asset, key, asset_len) != 0 || s->asset[asset_len] != '\0')
		s = &t->v[find(t, key, asset_len) - t->v];
	if (s->asset[0] == '\0') {
		if (t->n == CONTROL_TOTALS_MAX) {
			t->too_many = 1;
			return 0;
		}
		memcpy(s->asset, key, asset_len);
		t->n++;
	}
	t->last = s;
	decimal_sum_add(&s->sum, d);
	return 0;
}

static int
by_asset(const void *a, const void *b)
{
	return strcmp(((const struct control_total *)a)->asset,
	    ((const struct control_total *)b)->asset);
}

struct comparison { struct reasons *rs; size_t n; };

static void
differs(struct comparison *c, const char *asset, const char *declared, const char *found)
{
	if (c->n++ < DIFFERENCES_MAX)
		reasons_add(c->rs, CONTROL_TOTAL, 0, PATH_TOTALS,
		    "%s: the header declares %s, the records sum to %s", asset, declared, found);
}

static const char *
sum_text(const struct slot *s, char buf[DECIMAL_SIZE])
{
	if (s->sum.carry != 0)
		return "more than 20 digits";
	decimal_format(s->sum.low, buf);
	return buf;
}

/* What is declared, against the sums. */
static void
compare_declared(const struct totals *t, const struct control_total *d, size_t n,
    struct comparison *c)
{
	char declared[DECIMAL_SIZE], found[DECIMAL_SIZE];
	const struct slot *s;
	size_t i;

	for (i = 0; i < n; i++) {
		if (i > 0 && strcmp(d[i].asset, d[i - 1].asset) == 0) {
			differs(c, d[i].asset, "it twice", "one total");
			continue;
		}
		s = find(t, d[i].asset, strlen(d[i].asset));	/* a free slot's sum is 0 */
		if (s->sum.carry == 0 && decimal_cmp(d[i].quantity, s->sum.low) == 0)
			continue;
		decimal_format(d[i].quantity, declared);
		differs(c, d[i].asset, declared, sum_text(s, found));
	}
}

/* Sums, against what is not declared. */
static void
compare_found(const struct totals *t, const struct control_total *d, size_t n,
    struct comparison *c)
{
	struct control_total key;
	char found[DECIMAL_SIZE];
	size_t i;

	memset(&key, 0, sizeof(key));
	for (i = 0; i < SLOTS; i++) {
		if (t->v[i].asset[0] == '\0')
			continue;
		memcpy(key.asset, t->v[i].asset, sizeof(key.asset));
		if (n > 0 && bsearch(&key, d, n, sizeof(*d), by_asset) != NULL)
			continue;
		differs(c, key.asset, "nothing", sum_text(&t->v[i], found));
	}
}

void
totals_compare(const struct totals *t, const struct control_total *declared, size_t n,
    struct reasons *rs)
{
	struct comparison c = { .rs = rs, .n = 0 };
	struct control_total *d = NULL;

	if (n > 0) {
		d = xcalloc(n, sizeof(*d));
		memcpy(d, declared, n * sizeof(*d));
		qsort(d, n, sizeof(*d), by_asset);
	}
	if (t->too_many)
		reasons_add(rs, CONTROL_TOTAL, 0, PATH_TOTALS, "the records are of more than %d assets",
		    CONTROL_TOTALS_MAX);
	compare_declared(t, d, n, &c);
	if (!t->too_many)
		compare_found(t, d, n, &c);
	free(d);
}
