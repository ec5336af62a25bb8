/* SPDX-License-Identifier: ISC */
/* Who has what in the test market. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "muhur/sample.h"

const struct sample_asset sample_assets[NASSETS] = {
	{ "4H95J0R2X",  8,     3, 39000000000 },	/* Bitcoin */
	{ "X9J9K872S", 18,    40,  1300000000 },	/* Ether */
	{ "ZFP9K2W9F",  6, 90000,      420000 },	/* Tether USD */
	{ "HWRGLMT9T", 18,   120,   360000000 },	/* BNB */
	{ "20J63Z4N3",  9,   400,    65000000 },	/* Solana */
	{ "L6GTZC9G4",  6, 50000,      950000 },	/* XRP */
	{ "820B7G1NL",  8, 90000,       68000 },	/* Dogecoin */
	{ "HWGL1C2CK",  6, 60000,      210000 },	/* Cardano */
	{ "M3Z631TN4", 18,  2000,     6300000 },	/* Avalanche */
	{ "C4SRNZD8K",  7, 80000,      110000 },	/* Stellar Lumen */
	/* not listed by any platform of the market */
	{ "WTX0G7K46",  8,   200,    40000000 },	/* Litecoin */
	{ "P5B46MFPP", 10,  4000,     1000000 },	/* Polkadot */
	{ "DC83NXWML", 18,  4000,      800000 },	/* NEAR */
	{ "DHQPD433B",  8, 90000,       60000 },	/* Hedera */
};
const char *const sample_platforms[NPLATFORMS] = { "PLA", "PLB" };
const char *const sample_custodians[NCUSTODIANS] = { "CUA", "CUB" };

int
sample_contracted(int platform, int custodian)
{
	return platform == PLA || custodian == CUB;
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

/* Half of the customers are PLA's alone, a third PLB's, the rest are at both. */
int
sample_is_customer(const struct sample *s, int platform, uint64_t customer)
{
	uint64_t r = sample_mix(s, 'C', customer) % 100;

	return platform == PLA ? r < 50 || r >= 85 : r >= 50;
}

static int
pick_place(uint64_t *state, int platform)
{
	uint64_t r = sample_next(state) % 100;

	if (r < 4)
		return OWN;		/* m.41(1): the platform keeps the small part */
	if (platform == PLA)
		return r < 55 ? CUA : CUB;
	return CUB;
}

static struct sample_line
make_line(uint64_t *state, int asset, int place)
{
	struct sample_line l = { .asset = asset, .place = place };
	struct decimal unit = sample_unit(asset);

	sample_quantity(state, asset, &l.quantity);
	if (sample_next(state) % 20 == 0)
		l.locked.scaled = l.quantity.scaled / unit.scaled / 4 * unit.scaled;
	return l;
}

/* One to four assets, each at one place and now and then at two. */
int
sample_lines(const struct sample *s, int platform, uint64_t customer,
    struct sample_line out[LINES_MAX])
{
	uint64_t state = sample_mix(s, 'L' + (uint64_t)platform, customer);
	int i, place, asset, n = 0, assets = 1 + (int)(sample_next(&state) % 4);

	asset = (int)(sample_next(&state) % NLISTED);
	for (i = 0; i < assets; i++) {
		place = pick_place(&state, platform);
		out[n++] = make_line(&state, asset, place);
		if (place != OWN && sample_next(&state) % 16 == 0)
			out[n++] = make_line(&state, asset, OWN);
		/* 3 has no factor in common with NLISTED: all differ. */
		asset = (asset + 3) % NLISTED;
	}
	return n;
}

/* Ten digits, another for each customer: 7368787 has no factor in common
 * with 9 * 10^9. */
void
sample_registry_no(const struct sample *s, uint64_t customer, char out[11])
{
	const uint64_t range = UINT64_C(9000000000);
	uint64_t no;

	no = (s->seed % range + customer % range * 7368787 % range) % range;
	snprintf(out, 11, "%llu", (unsigned long long)(no + UINT64_C(1000000000)));
}

void
sample_customer_no(const char *member, uint64_t customer, char out[16])
{
	static const char letters[] = "ABCDEFGHJKLMNPRSTUVYZ";

	snprintf(out, 16, "%c%c%09llu%c", member[0], member[2],
	    (unsigned long long)(customer % UINT64_C(1000000000)),
	    letters[customer * 7 % (sizeof(letters) - 1)]);
}

/* Customers that a custodian has by itself (m.24(2)). */
uint64_t
sample_direct_customers(const struct sample *s)
{
	return s->customers / 50 + 1;
}

static void
add_line(struct sample *s, int platform, uint64_t customer, const struct sample_line *l)
{
	struct decimal unit = sample_unit(l->asset);

	if (decimal_add(&s->claimed[platform][l->place][l->asset], l->quantity) == -1)
		fatalx("sample: a sum has more than 20 integer digits");
	s->lines[platform]++;
	if (s->splittable[platform][l->place][l->asset] == NONE &&
	    l->quantity.scaled >= 2 * unit.scaled)
		s->splittable[platform][l->place][l->asset] = customer;
}

void
sample_add(struct sample *s)
{
	struct sample_line lines[LINES_MAX];
	uint64_t customer;
	int platform, i, n;

	memset(s->splittable, 0xff, sizeof(s->splittable));
	for (platform = 0; platform < NPLATFORMS; platform++) {
		for (customer = 0; customer < s->customers; customer++) {
			if (!sample_is_customer(s, platform, customer))
				continue;
			n = sample_lines(s, platform, customer, lines);
			for (i = 0; i < n; i++)
				add_line(s, platform, customer, &lines[i]);
		}
	}
}
