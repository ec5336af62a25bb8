/* SPDX-License-Identifier: ISC */
/* Which breaks are planted where. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "muhur/sample.h"

struct planner {
	struct sample	*s;
	uint64_t	 random;
	int		 used[NPLATFORMS][NPLACES][NASSETS];
	int		 ones_sided;
	unsigned	 unknown;
};

static struct plant *
add_plant(struct sample *s, const char *rule, const char *kind, int platform,
    const char *custodian, int asset)
{
	struct plant *p = &s->plants[s->nplants++];

	p->rule = rule;
	p->kind = kind;
	p->platform = platform;
	p->asset = asset;
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
	const int all = NPLATFORMS * NCUSTODIANS * NASSETS;
	int i, k, start = (int)(sample_next(&pl->random) % (uint64_t)all);

	for (i = 0; i < all; i++) {
		k = (start + i * 17) % all;	/* 17 and 56 have no common factor */
		*asset = k % NASSETS;
		*place = k / NASSETS % NCUSTODIANS;
		*platform = k / NASSETS / NCUSTODIANS;
		if (pl->used[*platform][*place][*asset] ||
		    !want(pl->s, *platform, *place, *asset))
			continue;
		pl->used[*platform][*place][*asset] = 1;
		return 0;
	}
	return -1;
}

/* Compared by R1, and the platform reports it. */
static int
compared(const struct sample *s, int platform, int place, int asset)
{
	return sample_contracted(platform, place) && !s->left_out[place] &&
	    s->claimed[platform][place][asset].scaled > 0;
}

/* Compared by R1, and the platform does not report it. */
static int
unclaimed(const struct sample *s, int platform, int place, int asset)
{
	return sample_contracted(platform, place) && !s->left_out[place] &&
	    asset >= NLISTED && s->claimed[platform][place][asset].scaled == 0;
}

static int
can_split(const struct sample *s, int platform, int place, int asset)
{
	return sample_contracted(platform, place) &&
	    s->splittable[platform][place][asset] != NONE;
}

static int
no_contract(const struct sample *s, int platform, int place, int asset)
{
	(void)s;
	return !sample_contracted(platform, place) && asset < NLISTED;
}

/* R1: the custodian's quantity differs, by a thousandth or so. */
static int
plant_difference(struct planner *pl)
{
	struct sample *s = pl->s;
	struct decimal d, unit;
	struct plant *p;
	int platform, place, asset;

	if (free_key(pl, compared, &platform, &place, &asset) == -1)
		return -1;
	p = add_plant(s, "R1", "QUANTITY_DIFFERENCE", platform, sample_custodians[place], asset);
	p->quantities = 1;
	p->claimed = s->claimed[platform][place][asset];
	unit = sample_unit(asset);
	d.scaled = (p->claimed.scaled / unit.scaled / 1000 + 1) * unit.scaled;
	p->held = p->claimed;
	p->held.scaled += sample_next(&pl->random) % 2 ? d.scaled : -d.scaled;
	s->held[place][platform][asset] = p->held;
	return 0;
}

/* R1: only one side reports the asset, by turns the platform and the custodian. */
static int
plant_one_sided(struct planner *pl)
{
	struct sample *s = pl->s;
	struct plant *p;
	int platform, place, asset, by_platform = pl->ones_sided % 2 == 0;

	if (free_key(pl, by_platform ? compared : unclaimed, &platform, &place, &asset) == -1)
		return -1;
	pl->ones_sided++;
	p = add_plant(s, "R1", "QUANTITY_DIFFERENCE", platform, sample_custodians[place], asset);
	p->quantities = 1;
	p->claimed = s->claimed[platform][place][asset];
	if (!by_platform)
		sample_quantity(&pl->random, asset, &p->held);
	s->held[place][platform][asset] = p->held;
	return 0;
}

/* R5: one customer's balance stands in two lines of the same key. */
static int
plant_duplicate(struct planner *pl)
{
	struct sample *s = pl->s;
	struct sample_line lines[LINES_MAX];
	struct plant *p;
	int platform, place, asset, i, n;

	if (free_key(pl, can_split, &platform, &place, &asset) == -1)
		return -1;
	s->split[platform][place][asset] = 1;
	s->lines[platform]++;
	p = add_plant(s, "R5", "DUPLICATE_LINE", platform, sample_custodians[place], asset);
	p->customer = s->splittable[platform][place][asset];
	p->quantities = 1;
	n = sample_lines(s, platform, p->customer, lines);
	for (i = 0; i < n; i++) {
		if (lines[i].place == place && lines[i].asset == asset)
			p->claimed = lines[i].quantity;
	}
	return 0;
}

/* A balance of a customer who has nothing else. */
static void
extra_line(struct planner *pl, struct plant *p)
{
	p->extra = 1;
	p->quantities = 1;
	p->customer = pl->s->customers + (uint64_t)pl->s->nplants;
	sample_quantity(&pl->random, p->asset, &p->claimed);
	pl->s->lines[p->platform]++;
}

/* R5: a platform holds at a custodian that it has no contract with. */
static int
plant_no_contract(struct planner *pl)
{
	int platform, place, asset;

	if (free_key(pl, no_contract, &platform, &place, &asset) == -1)
		return -1;
	extra_line(pl, add_plant(pl->s, "R5", "NO_CONTRACT", platform,
	    sample_custodians[place], asset));
	return 0;
}

/* R5: a platform holds at a code that is no member's; never out of codes. */
static int
plant_unknown(struct planner *pl)
{
	char code[MEMBER_CODE_SIZE];

	pl->unknown = (pl->unknown + 1) % 100000000;	/* the code keeps its size */
	snprintf(code, sizeof(code), "YOK%u", pl->unknown);
	extra_line(pl, add_plant(pl->s, "R5", "UNKNOWN_CUSTODIAN",
	    (int)(sample_next(&pl->random) % NPLATFORMS), code,
	    (int)(sample_next(&pl->random) % NLISTED)));
	return 0;
}

static int (*const kinds[])(struct planner *) = {
	plant_difference, plant_one_sided, plant_duplicate, plant_no_contract, plant_unknown,
};
#define NKINDS	(long)(sizeof(kinds) / sizeof(kinds[0]))

void
sample_plan(struct sample *s)
{
	struct planner pl = { .s = s, .random = sample_mix(s, 'B', 0) };
	int c, p, a;
	long k;

	s->plants = xcalloc((size_t)s->breaks + 1, sizeof(s->plants[0]));
	for (c = 0; c < NCUSTODIANS; c++)
		for (p = 0; p < NPLATFORMS; p++)
			for (a = 0; a < NASSETS; a++)
				s->held[c][p][a] = s->claimed[p][c][a];
	/* R4 first: nothing can be compared with the report that is missing. */
	if (s->breaks > NKINDS) {
		s->left_out[CUB] = 1;
		add_plant(s, "R4", "REPORT_MISSING", -1, sample_custodians[CUB], -1);
	}
	/* Kinds take turns; one that finds no place any more is passed over. */
	for (k = 0; s->nplants < s->breaks; k++)
		(void)kinds[k % NKINDS](&pl);
}

static json_t *
quantity_json(const struct plant *p, struct decimal d)
{
	char buf[DECIMAL_SIZE];

	if (!p->quantities)
		return json_null();
	decimal_format(d, buf);
	return json_string(buf);
}

json_t *
sample_breaks_json(const struct sample *s)
{
	json_t *list = json_array(), *o;
	const struct plant *p;
	char reg[11], cust[16];
	long i;
	int own;

	for (i = 0; i < s->nplants; i++) {
		p = &s->plants[i];
		o = json_pack("{s:s, s:s, s:s?, s:s?, s:s?}", "rule", p->rule,
		    "kind", p->kind,
		    "platform", p->platform == -1 ? NULL : sample_platforms[p->platform],
		    "custodian", p->custodian[0] == '\0' ? NULL : p->custodian,
		    "asset", p->asset == -1 ? NULL : sample_assets[p->asset].dti);
		json_object_set_new(o, "platformQuantity", quantity_json(p, p->claimed));
		/* R5's lines are the platform's alone. */
		json_object_set_new(o, "custodianQuantity", strcmp(p->rule, "R1") == 0 ?
		    quantity_json(p, p->held) : json_null());
		own = strcmp(p->rule, "R5") == 0;
		if (own) {
			sample_registry_no(s, p->customer, reg);
			sample_customer_no(sample_platforms[p->platform], p->customer, cust);
			json_object_set_new(o, "registryNo", json_string(reg));
			json_object_set_new(o, "customerNo", json_string(cust));
		}
		json_array_append_new(list, o);
	}
	return list;
}
