/* SPDX-License-Identifier: ISC */
/* Who has what in the test market. */
#include "config.h"

#include <string.h>

#include "base/log.h"
#include "muhur/sample.h"

/* A platform keeps at most so many thousandths of what the customers of any
 * asset have (by the quantities around which they walk: a tenth more of the one
 * and less of the other is still below the 5 % of m.41(1)). */
#define OWN_PART	35
/* Days between two changes of a line, and how far from its base it goes: a tenth. */
#define WALK_DAYS	8
#define WALK_STEPS	1000

const struct sample_asset sample_assets[NASSETS] = {
	{ "4H95J0R2X",  8,     3, 39000000000, "1900000000000", "2010-07-17", 18 },	/* Bitcoin */
	{ "X9J9K872S", 18,    40,  1300000000, "420000000000", "2015-08-07", 18 },	/* Ether */
	{ "ZFP9K2W9F",  6, 90000,      420000, "170000000000", "2015-02-25", 16 },	/* Tether USD */
	{ "HWRGLMT9T", 18,   120,   360000000, "130000000000", "2017-07-25", 14 },	/* BNB */
	{ "20J63Z4N3",  9,   400,    65000000, "95000000000", "2020-04-10", 12 },	/* Solana */
	{ "L6GTZC9G4",  6, 50000,      950000, "140000000000", "2013-08-04", 10 },	/* XRP */
	{ "820B7G1NL",  8, 90000,       68000, "30000000000", "2013-12-15", 0 },	/* Dogecoin */
	{ "HWGL1C2CK",  6, 60000,      210000, "22000000000", "2017-10-01", 0 },	/* Cardano */
	{ "M3Z631TN4", 18,  2000,     6300000, "9000000000", NULL, 7 },	/* Avalanche; new in this market */
	{ "C4SRNZD8K",  7, 80000,      110000, "4200000000", "2014-08-05", 5 },	/* Stellar Lumen; small */
	/* not listed by any platform of the market */
	{ "WTX0G7K46",  8,   200,    40000000, "8000000000", "2013-04-28", 0 },	/* Litecoin */
	{ "P5B46MFPP", 10,  4000,     1000000, "6000000000", "2020-08-19", 0 },	/* Polkadot */
	{ "DC83NXWML", 18,  4000,      800000, "3000000000", "2020-10-14", 0 },	/* NEAR */
	{ "DHQPD433B",  8, 90000,       60000, "7000000000", "2019-09-17", 0 },	/* Hedera */
};
const char *const sample_platforms[NPLATFORMS] = { "PLA", "PLB" };
const char *const sample_custodians[NCUSTODIANS] = { "CUA", "CUB" };

int
sample_contracted(int platform, int custodian)
{
	return platform == PLA || custodian == CUB;
}

int
sample_whole(const struct sample *s, int platform)
{
	int c;

	for (c = 0; c < NCUSTODIANS; c++)
		if (sample_contracted(platform, c) && s->left_out[c])
			return 0;
	return 1;
}

/* SplitMix64: the next number of the stream whose state is *state. */
uint64_t
sample_next(uint64_t *state)
{
	uint64_t z;

	*state += UINT64_C(0x9e3779b97f4a7c15);
	z = *state;
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint64_t
sample_mix(const struct sample *s, uint64_t a, uint64_t b)
{
	uint64_t state = s->seed;

	state = sample_next(&state) ^ a;
	state = sample_next(&state) ^ b;
	return sample_next(&state);
}

struct decimal
sample_unit(int asset)
{
	struct decimal d = { 1 };
	int i;

	for (i = sample_assets[asset].decimals; i < 18; i++)
		d.scaled *= 10;
	return d;
}

void
sample_quantity(uint64_t *state, int asset, struct decimal *q)
{
	const struct sample_asset *a = &sample_assets[asset];
	struct decimal unit = sample_unit(asset);
	int64_t units_in_one = 1;
	int i;

	for (i = 0; i < a->decimals; i++)
		units_in_one *= 10;
	q->scaled = (__int128)(sample_next(state) % (uint64_t)a->most) * units_in_one;
	q->scaled += (__int128)(1 + sample_next(state) % (uint64_t)(units_in_one - 1));
	q->scaled *= unit.scaled;
}

/* Each platform quotes its own, some hundredths apart; days differ as well. */
int64_t
sample_price(const struct sample *s, int platform, int asset)
{
	int64_t p = sample_assets[asset].price;

	p = p * (int64_t)(99 + sample_mix(s, 'P' + (uint64_t)platform, (uint64_t)asset) % 3) / 100;
	return p * (int64_t)(980 + sample_mix(s, 'p' + (uint64_t)asset * 256, (uint64_t)s->date) % 41) / 1000;
}

int64_t
sample_usd(const struct sample *s)
{
	return 420000 + (int64_t)(sample_mix(s, 'U', (uint64_t)s->date) % 5000);
}

/* Half of the customers are PLA's alone, a third PLB's, the rest are at both. */
static int
is_customer(const struct sample *s, int platform, uint64_t customer)
{
	uint64_t r = sample_mix(s, 'C', customer) % 100;

	return platform == PLA ? r < 50 || r >= 85 : r >= 50;
}

/* The quantity on a day: base and up to a tenth more or less, another every
 * WALK_DAYS days.  The lines do not change on the same day. */
static struct decimal
walk(const struct sample *s, uint64_t line, int asset, struct decimal base, date_t date)
{
	struct decimal unit = sample_unit(asset), d = { 0 };
	int64_t age = (int64_t)date + INT32_MAX + (int64_t)(sample_mix(s, 'W', line) % WALK_DAYS);
	int64_t step;

	step = (int64_t)(sample_mix(s, line, (uint64_t)(age / WALK_DAYS)) % (2 * WALK_STEPS + 1)) - WALK_STEPS;
	d.scaled = base.scaled / unit.scaled * step / (10 * WALK_STEPS) * unit.scaled;
	d.scaled += base.scaled;
	return d;
}

/* Held at the platform itself, where that keeps its part small. */
static int
own_place(struct sample_walk *w, int asset, struct decimal q)
{
	if ((w->own[asset] + q.scaled) * 1000 > (w->all[asset] + q.scaled) * OWN_PART)
		return 0;
	w->own[asset] += q.scaled;
	return 1;
}

static int
pick_place(uint64_t *state, struct sample_walk *w, int asset, struct decimal q)
{
	uint64_t r = sample_next(state) % 100, c = sample_next(state) % 100;

	if (r < 8 && own_place(w, asset, q))
		return OWN;
	return w->platform == PLA && c < 55 ? CUA : CUB;
}

/* How the line of that base looks on the day; its number is one of the market's. */
static struct sample_line
make_line(const struct sample *s, uint64_t number, int asset, int place, struct decimal base)
{
	struct sample_line l = { .asset = asset, .place = place, .base = base };
	struct decimal unit = sample_unit(asset);

	l.quantity = walk(s, number, asset, base, s->date);
	l.before = walk(s, number, asset, base, s->date - 1);
	if (number % 20 == 0) {
		l.locked.scaled = l.quantity.scaled / unit.scaled / 4 * unit.scaled;
		l.locked_before.scaled = l.before.scaled / unit.scaled / 4 * unit.scaled;
	}
	return l;
}

/* One to four assets, each at one place and now and then at two. */
static int
make_lines(const struct sample *s, struct sample_walk *w, uint64_t customer,
    struct sample_line out[LINES_MAX])
{
	uint64_t state = sample_mix(s, 'L' + (uint64_t)w->platform, customer);
	int i, place, asset, n = 0, assets = 1 + (int)(sample_next(&state) % 4);
	struct decimal q;

	asset = (int)(sample_next(&state) % NLISTED);
	for (i = 0; i < assets; i++) {
		sample_quantity(&state, asset, &q);
		place = pick_place(&state, w, asset, q);
		out[n++] = make_line(s, sample_next(&state), asset, place, q);
		w->all[asset] += q.scaled;
		if (place != OWN && sample_next(&state) % 16 == 0) {
			sample_quantity(&state, asset, &q);
			if (own_place(w, asset, q)) {
				w->all[asset] += q.scaled;
				out[n++] = make_line(s, sample_next(&state), asset, OWN, q);
			}
		}
		/* 3 has no factor in common with NLISTED: all differ. */
		asset = (asset + 3) % NLISTED;
	}
	return n;
}

void
sample_begin(struct sample_walk *w, int platform)
{
	memset(w, 0, sizeof(*w));
	w->platform = platform;
}

int
sample_customer(const struct sample *s, struct sample_walk *w, uint64_t *customer,
    struct sample_line out[LINES_MAX])
{
	while (w->next < s->customers) {
		*customer = w->next++;
		if (is_customer(s, w->platform, *customer))
			return make_lines(s, w, *customer, out);
	}
	return 0;
}

void
sample_add_to(struct decimal *sum, struct decimal d)
{
	if (decimal_add(sum, d) == -1)
		fatalx("sample: a sum has more than 20 integer digits");
}

static void
add_line(struct sample *s, int platform, uint64_t customer, const struct sample_line *l)
{
	struct decimal unit = sample_unit(l->asset);

	sample_add_to(&s->claimed[platform][l->place][l->asset], l->quantity);
	sample_add_to(&s->base[platform][l->place][l->asset], l->base);
	s->lines[platform]++;
	if (s->splittable[platform][l->place][l->asset] == NONE &&
	    l->quantity.scaled >= 2 * unit.scaled)
		s->splittable[platform][l->place][l->asset] = customer;
}

void
sample_add(struct sample *s)
{
	struct sample_line lines[LINES_MAX];
	struct sample_walk w;
	uint64_t customer;
	int platform, i, n;

	memset(s->splittable, 0xff, sizeof(s->splittable));
	for (platform = 0; platform < NPLATFORMS; platform++) {
		sample_begin(&w, platform);
		while ((n = sample_customer(s, &w, &customer, lines)) > 0) {
			for (i = 0; i < n; i++)
				add_line(s, platform, customer, &lines[i]);
			sample_count_moves(s, platform, customer, lines, n);
		}
	}
}
