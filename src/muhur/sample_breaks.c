/* SPDX-License-Identifier: ISC */
/* Which breaks are planted where. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "muhur/sample.h"

struct planner {
	struct sample	*s;
	uint64_t	 random;	/* of the turn: one that finds no place changes no other */
	int		 used[NPLATFORMS][NPLACES][NASSETS];
	int		 ones_sided, r3s;
	unsigned	 unknown;
};

struct plant *
sample_new_plant(struct sample *s, const char *rule, const char *kind, int platform,
    const char *custodian, int asset)
{
	struct plant *p;

	if (s->nplants == s->plants_size) {
		s->plants_size = s->plants_size * 2 + 64;
		s->plants = xreallocarray(s->plants, (size_t)s->plants_size, sizeof(s->plants[0]));
	}
	p = &s->plants[s->nplants++];
	memset(p, 0, sizeof(*p));
	p->rule = rule;
	p->kind = kind;
	p->platform = platform;
	p->asset = asset;
	p->customer = NONE;
	if (str_copy(p->custodian, sizeof(p->custodian), custodian) == -1)
		fatalx("sample: %s: too long a code", custodian);
	return p;
}

/*
 * A key that nothing is planted at, chosen by the seed among those that want
 * accepts.  0, or -1 where none is left.
 */
static int
free_key(struct planner *pl, int (*want)(const struct sample *, int, int, int),
    int *platform, int *place, int *asset)
{
	const int all = NPLATFORMS * NPLACES * NASSETS;
	int i, k, start = (int)(sample_next(&pl->random) % (uint64_t)all);

	for (i = 0; i < all; i++) {
		k = (start + i * 17) % all;	/* 17 and 84 have no common factor */
		*asset = k % NASSETS;
		*place = k / NASSETS % NPLACES;
		*platform = k / NASSETS / NPLACES;
		if (pl->used[*platform][*place][*asset] ||
		    !want(pl->s, *platform, *place, *asset))
			continue;
		pl->used[*platform][*place][*asset] = 1;
		return 0;
	}
	return -1;
}

/* R1 compares the pair. */
static int
pair(const struct sample *s, int platform, int place)
{
	return place != OWN && sample_contracted(platform, place) && !s->left_out[place];
}

/* Compared by R1, and the platform reports it. */
static int
compared(const struct sample *s, int platform, int place, int asset)
{
	return pair(s, platform, place) && s->claimed[platform][place][asset].scaled > 0;
}

/* Compared by R1, and the platform does not report it. */
static int
unclaimed(const struct sample *s, int platform, int place, int asset)
{
	return pair(s, platform, place) && asset >= NLISTED;
}

static int
can_split(const struct sample *s, int platform, int place, int asset)
{
	return place != OWN && sample_contracted(platform, place) && asset < NLISTED &&
	    s->splittable[platform][place][asset] != NONE;
}

static int
no_contract(const struct sample *s, int platform, int place, int asset)
{
	(void)s;
	return place != OWN && !sample_contracted(platform, place) && asset < NLISTED;
}

static int
own_wallet(const struct sample *s, int platform, int place, int asset)
{
	return place == OWN && asset < NLISTED && sample_whole(s, platform);
}

/* R1: the custodian's quantity differs, by a thousandth or so. */
static int
plant_difference(struct planner *pl)
{
	struct sample *s = pl->s;
	struct decimal d, unit;
	int platform, place, asset;

	if (free_key(pl, compared, &platform, &place, &asset) == -1)
		return -1;
	(void)sample_new_plant(s, "R1", "QUANTITY_DIFFERENCE", platform, sample_custodians[place], asset);
	unit = sample_unit(asset);
	d.scaled = (s->claimed[platform][place][asset].scaled / unit.scaled / 1000 + 1) * unit.scaled;
	s->held[place][platform][asset].scaled += sample_next(&pl->random) % 2 ? d.scaled : -d.scaled;
	return 0;
}

/* R1: only one side reports the asset, by turns the platform and the custodian. */
static int
plant_one_sided(struct planner *pl)
{
	struct sample *s = pl->s;
	int platform, place, asset, by_platform = pl->ones_sided % 2 == 0;

	if (free_key(pl, by_platform ? compared : unclaimed, &platform, &place, &asset) == -1)
		return -1;
	pl->ones_sided++;
	(void)sample_new_plant(s, "R1", "QUANTITY_DIFFERENCE", platform, sample_custodians[place], asset);
	if (by_platform)
		s->held[place][platform][asset].scaled = 0;
	else
		sample_quantity(&pl->random, asset, &s->held[place][platform][asset]);
	return 0;
}

/* R2: customers' own wallets at the platform hold a thousandth more than balances say. */
static int
plant_wallet(struct planner *pl)
{
	struct sample *s = pl->s;
	struct decimal all = { 0 }, unit;
	int platform, place, asset;

	if (free_key(pl, own_wallet, &platform, &place, &asset) == -1)
		return -1;
	unit = sample_unit(asset);
	for (place = 0; place < NPLACES; place++)
		sample_add_to(&all, s->claimed[platform][place][asset]);
	s->wallet[platform][asset].scaled += (all.scaled / unit.scaled / 1300 + 3) * unit.scaled;
	(void)sample_new_plant(s, "R2", "TOTAL_DIFFERENCE", platform, "", asset);
	return 0;
}

/* Whose break it is; both values as the rule has them. */
static void
name_mover(struct sample *s, struct plant *p, __int128 claimed, __int128 held)
{
	p->customer = s->mover[p->platform][p->asset].customer;
	p->has_claimed = p->has_held = 1;
	p->claimed.scaled = claimed;
	p->held.scaled = held;
}

/* A platform and asset with a movement that nothing is planted at. */
static int
free_mover(struct planner *pl, int *platform, int *asset)
{
	const int all = NPLATFORMS * NLISTED;
	int i, k, start = (int)(sample_next(&pl->random) % (uint64_t)all);
	const struct sample *s = pl->s;

	for (i = 0; i < all; i++) {
		k = (start + i) % all;
		*asset = k % NLISTED;
		*platform = k / NLISTED;
		if (s->mover[*platform][*asset].any && !s->unbooked[*platform][*asset] &&
		    !s->misnetted[*platform][*asset] && !s->outside[*platform][*asset])
			return 0;
	}
	return -1;
}

/* R3: what is netted is not what moved; and where there is a day before, by
 * turns, what moved is in neither report. */
static int
plant_flow(struct planner *pl)
{
	struct sample *s = pl->s;
	const struct sample_mover *m;
	int platform, asset;
	__int128 net;

	if (free_mover(pl, &platform, &asset) == -1)
		return -1;
	m = &s->mover[platform][asset];
	net = m->close.scaled - m->open.scaled;
	if (s->after && pl->r3s++ % 2 == 0) {
		s->unbooked[platform][asset] = 1;
		name_mover(s, sample_new_plant(s, "R3", "ROLL_FORWARD", platform, "", asset),
		    m->close.scaled, m->open.scaled);
	} else {
		s->misnetted[platform][asset] = 1;
		name_mover(s, sample_new_plant(s, "R3", "NETTING_DIFFERENCE", platform, "", asset),
		    net + sample_unit(asset).scaled, net);
	}
	return 0;
}

/* R5: a movement of another business day. */
static int
plant_outside(struct planner *pl)
{
	struct sample *s = pl->s;
	struct plant *p;
	int platform, asset;

	if (free_mover(pl, &platform, &asset) == -1)
		return -1;
	s->outside[platform][asset] = 1;
	p = sample_new_plant(s, "R5", "OUTSIDE_DAY", platform, "", asset);
	p->customer = s->mover[platform][asset].customer;
	p->has_claimed = 1;
	p->claimed = s->mover[platform][asset].first;
	return 0;
}

/* R5: one customer's balance stands in two lines of the same key. */
static int
plant_duplicate(struct planner *pl)
{
	struct sample *s = pl->s;
	struct sample_line lines[LINES_MAX];
	struct sample_walk w;
	struct plant *p;
	uint64_t customer;
	int platform, place, asset, i, n;

	if (free_key(pl, can_split, &platform, &place, &asset) == -1)
		return -1;
	s->split[platform][place][asset] = 1;
	s->lines[platform]++;
	p = sample_new_plant(s, "R5", "DUPLICATE_LINE", platform, sample_custodians[place], asset);
	p->customer = s->splittable[platform][place][asset];
	p->has_claimed = 1;
	sample_begin(&w, platform);
	while ((n = sample_customer(s, &w, &customer, lines)) > 0 && customer != p->customer)
		;
	for (i = 0; i < n; i++) {
		if (lines[i].place == place && lines[i].asset == asset)
			p->claimed = lines[i].quantity;
	}
	return 0;
}

/* A balance line of a customer who has nothing else, or such lines before. */
static struct sample_extra *
extra_line(struct sample *s, int platform, const char *held, int asset, uint64_t customer)
{
	struct sample_extra *e;

	s->extras = xreallocarray(s->extras, (size_t)s->nextras + 1, sizeof(s->extras[0]));
	e = &s->extras[s->nextras++];
	memset(e, 0, sizeof(*e));
	e->platform = platform;
	e->asset = asset;
	e->customer = customer;
	e->registered = 1;
	(void)str_copy(e->held, sizeof(e->held), held);
	return e;
}

/* R5: a line that is a fault by itself. */
static struct sample_extra *
plant_line(struct planner *pl, const char *kind, int platform, const char *held, int asset)
{
	struct sample *s = pl->s;
	struct sample_extra *e;
	struct plant *p;

	e = extra_line(s, platform, held, asset, sample_extra_customer(s, s->nextras, 1));
	sample_quantity(&pl->random, asset, &e->quantity);
	p = sample_new_plant(s, "R5", kind, platform, held, asset);
	p->customer = e->customer;
	p->has_claimed = 1;
	p->claimed = e->quantity;
	return e;
}

/* R5: a platform holds at a custodian that it has no contract with. */
static int
plant_no_contract(struct planner *pl)
{
	int platform, place, asset;

	if (free_key(pl, no_contract, &platform, &place, &asset) == -1)
		return -1;
	(void)plant_line(pl, "NO_CONTRACT", platform, sample_custodians[place], asset);
	return 0;
}

/* R5: a platform holds at a code that is no member's; never out of codes. */
static int
plant_unknown(struct planner *pl)
{
	char code[MEMBER_CODE_SIZE];

	pl->unknown = (pl->unknown + 1) % 100000000;	/* the code keeps its size */
	snprintf(code, sizeof(code), "YOK%u", pl->unknown);
	(void)plant_line(pl, "UNKNOWN_CUSTODIAN", (int)(sample_next(&pl->random) % NPLATFORMS), code,
	    (int)(sample_next(&pl->random) % NLISTED));
	return 0;
}

/* The custodian keeps what the line says, so that nothing but the line is wrong. */
static void
keep(struct sample *s, const struct sample_extra *e)
{
	int c;

	for (c = 0; c < NCUSTODIANS; c++)
		if (strcmp(e->held, sample_custodians[c]) == 0)
			s->held[c][e->platform][e->asset].scaled += e->quantity.scaled;
}

/* R5: a customer whose registry number nobody was given. */
static int
plant_unregistered(struct planner *pl)
{
	struct sample *s = pl->s;
	struct sample_extra *e;
	struct plant *p;
	int platform, place, asset;

	if (free_key(pl, compared, &platform, &place, &asset) == -1)
		return -1;
	e = plant_line(pl, "UNKNOWN_REGISTRY_NO", platform, sample_custodians[place], asset);
	e->registered = 0;
	e->customer = sample_extra_customer(s, s->nextras - 1, 0);
	keep(s, e);
	/* the break is of the customer, not of the line */
	p = &s->plants[s->nplants - 1];
	p->customer = e->customer;
	p->custodian[0] = '\0';
	p->asset = -1;
	p->has_claimed = 0;
	return 0;
}

/* Nobody has it yet at the platform, which has not listed it: one break for
 * all places. */
static int
unlisted(const struct sample *s, int platform, int place, int asset)
{
	long i;

	for (i = 0; i < s->nextras; i++)
		if (s->extras[i].platform == platform && s->extras[i].asset == asset)
			return 0;
	return unclaimed(s, platform, place, asset);
}

/* R5: an asset that the platform has not listed. */
static int
plant_unlisted(struct planner *pl)
{
	struct sample *s = pl->s;
	int platform, place, asset;

	if (free_key(pl, unlisted, &platform, &place, &asset) == -1)
		return -1;
	keep(s, plant_line(pl, "NOT_LISTED", platform, sample_custodians[place], asset));
	s->plants[s->nplants - 1].custodian[0] = '\0';
	return 0;
}

/* R5: a balance below zero, of one ten thousandth of what is there and a unit. */
static int
plant_negative(struct planner *pl)
{
	struct sample *s = pl->s;
	struct sample_extra *e;
	struct decimal unit;
	int platform, place, asset;

	if (free_key(pl, compared, &platform, &place, &asset) == -1)
		return -1;
	e = plant_line(pl, "NEGATIVE_BALANCE", platform, sample_custodians[place], asset);
	unit = sample_unit(asset);
	e->quantity.scaled = -(s->base[platform][place][asset].scaled / unit.scaled / 10000 + 1) * unit.scaled;
	s->plants[s->nplants - 1].claimed = e->quantity;
	s->plants[s->nplants - 1].custodian[0] = '\0';
	keep(s, e);
	return 0;
}

static int
planted(const struct sample *s, const char *rule, int platform, const char *custodian)
{
	long i;

	for (i = 0; i < s->nplants; i++)
		if (strcmp(s->plants[i].rule, rule) == 0 && s->plants[i].platform == platform &&
		    strcmp(s->plants[i].custodian, custodian) == 0)
			return 1;
	return 0;
}

/*
 * R6: one customer's lines at the platform itself, of each asset 15 % of what
 * custodians keep and at least 130,000 dollars, so that no asset is small
 * (m.41(5)).  The same on every day: by base quantities, and by the lowest of
 * prices, 97 % of the usual ones.
 */
static int
plant_own(struct planner *pl)
{
	struct sample *s = pl->s;
	struct sample_extra *e;
	int platform, asset, c, i;
	__int128 kept, unit, least;
	uint64_t customer = 0;

	platform = (int)(sample_next(&pl->random) % NPLATFORMS);
	for (i = 0; i < NPLATFORMS && (planted(s, "R6", platform, "") || !sample_whole(s, platform)); i++)
		platform = (platform + 1) % NPLATFORMS;
	if (i == NPLATFORMS)
		return -1;
	for (asset = 0; asset < NLISTED; asset++) {
		unit = sample_unit(asset).scaled;
		for (kept = 0, c = 0; c < NCUSTODIANS; c++)
			kept += s->base[platform][c][asset].scaled;
		if (kept == 0)
			continue;
		if (customer == 0)
			customer = sample_extra_customer(s, s->nextras, 1);
		e = extra_line(s, platform, "OWN", asset, customer);
		e->quantity.scaled = kept / unit * 15 / 100 * unit;
		least = (__int128)130000 * 43 * 10000 * 100 / 97 * 1000000000 / sample_assets[asset].price + 1;
		least = least * 1000000000 / unit * unit;
		if (e->quantity.scaled < least)
			e->quantity.scaled = least;
		s->wallet[platform][asset].scaled += e->quantity.scaled;
	}
	if (customer == 0)
		return -1;
	(void)sample_new_plant(s, "R6", "LIMIT_BREACH", platform, "", -1);
	return 0;
}

/* R9: most of what a custodian keeps is in hot wallets. */
static int
plant_hot(struct planner *pl)
{
	struct sample *s = pl->s;
	int i, c = (int)(sample_next(&pl->random) % NCUSTODIANS);

	for (i = 0; i < NCUSTODIANS && (s->too_hot[c] || s->left_out[c]); i++)
		c = (c + 1) % NCUSTODIANS;
	if (i == NCUSTODIANS)
		return -1;
	s->too_hot[c] = 1;
	(void)sample_new_plant(s, "R9", "HOT_WALLET", -1, sample_custodians[c], -1);
	return 0;
}

/* R10: the reserve is half of what it must be.  Where there are a million lira
 * of customers' assets at least, so that it can be divided. */
static int
plant_reserve(struct planner *pl)
{
	struct sample *s = pl->s;
	int i, a, p = (int)(sample_next(&pl->random) % NPLATFORMS);
	__int128 base;

	for (i = 0; i < NPLATFORMS; i++, p = (p + 1) % NPLATFORMS) {
		for (base = 0, a = 0; a < NLISTED; a++)
			base += sample_value(s, p, a, s->claimed[p][OWN][a]);
		if (s->short_reserve[p] || base / INT64_C(10000000000000000) / 1000000 < 1000000)
			continue;
		s->short_reserve[p] = 1;
		(void)sample_new_plant(s, "R10", "RESERVE_SHORT", p, "", -1);
		return 0;
	}
	return -1;
}

/* R11: too much of one asset in the reserve. */
static int
plant_heavy(struct planner *pl)
{
	struct sample *s = pl->s;
	int i, a, p = (int)(sample_next(&pl->random) % NPLATFORMS);

	for (i = 0; i < NPLATFORMS && s->heavy_reserve[p]; i++)
		p = (p + 1) % NPLATFORMS;
	if (i == NPLATFORMS)
		return -1;
	a = (int)(sample_next(&pl->random) % NLISTED);
	s->heavy_reserve[p] = 1 + a;
	(void)sample_new_plant(s, "R11", "COMPOSITION", p, "", a);
	return 0;
}

static int (*const kinds[])(struct planner *) = {
	plant_difference, plant_one_sided, plant_duplicate, plant_no_contract, plant_unknown,
	plant_wallet, plant_unregistered, plant_unlisted, plant_negative, plant_flow, plant_outside,
	plant_own, plant_hot, plant_reserve, plant_heavy,
};
#define NKINDS	(long)(sizeof(kinds) / sizeof(kinds[0]))

/* R4: of six or seven breaks one is a missing report; of more, with every
 * second seed, since little of a platform is judged without its custodian's. */
static int
report_missing(const struct sample *s)
{
	return s->breaks > 5 && (s->breaks < 8 || sample_mix(s, 'B', UINT64_MAX) % 2 == 0);
}

static void
fill_values(struct sample *s)
{
	struct plant *p;
	long i;
	int c;

	for (i = 0; i < s->nplants; i++) {
		p = &s->plants[i];
		if (strcmp(p->rule, "R1") != 0)
			continue;
		for (c = 0; strcmp(p->custodian, sample_custodians[c]) != 0; c++)
			;
		p->has_claimed = p->has_held = 1;
		p->claimed = s->claimed[p->platform][c][p->asset];
		p->held = s->held[c][p->platform][p->asset];
	}
}

void
sample_plan(struct sample *s)
{
	struct planner pl = { .s = s };
	int c, p, a;
	long k;

	for (p = 0; p < NPLATFORMS; p++) {
		for (a = 0; a < NASSETS; a++) {
			s->wallet[p][a] = s->claimed[p][OWN][a];
			for (c = 0; c < NCUSTODIANS; c++)
				s->held[c][p][a] = s->claimed[p][c][a];
		}
	}
	/* R4 first: nothing can be compared with the report that is missing. */
	if (report_missing(s)) {
		s->left_out[CUA] = 1;
		(void)sample_new_plant(s, "R4", "REPORT_MISSING", -1, sample_custodians[CUA], -1);
	}
	/* Kinds take turns; one that finds no place any more is passed over. */
	for (k = 0; s->nplants < s->breaks; k++) {
		pl.random = sample_mix(s, 'B', (uint64_t)k);
		(void)kinds[k % NKINDS](&pl);
	}
	s->nfaults = s->nplants;
	fill_values(s);
}
