/* SPDX-License-Identifier: ISC */
/*
 * What follows from the planted breaks: by the rules that add everything up,
 * R2 (m.10(2)c, 32(3)) and R6 to R8 (m.41), and from those of the day before.  The market's own quantities keep
 * every limit, and so do planted ones, but for sums that they take away at
 * custodians; what then breaks a limit is told in the manifest as well.
 */
#include "config.h"

#include <string.h>

#include "base/log.h"
#include "muhur/sample.h"

/* In 10^-16 of a lira. */
__int128
sample_value(const struct sample *s, int platform, int asset, struct decimal q)
{
	return q.scaled * sample_price(s, platform, asset) / 1000000;
}

static int
judged(const struct sample *s, int platform)
{
	int c;

	for (c = 0; c < NCUSTODIANS; c++)
		if (sample_contracted(platform, c) && s->left_out[c])
			return 0;
	return 1;
}

static struct plant *
find(struct sample *s, const char *rule, const char *kind, int platform, const char *custodian, int asset)
{
	struct plant *p;
	long i;

	for (i = 0; i < s->nplants; i++) {
		p = &s->plants[i];
		if (strcmp(p->rule, rule) == 0 && strcmp(p->kind, kind) == 0 && p->platform == platform &&
		    strcmp(p->custodian, custodian) == 0 && p->asset == asset)
			return p;
	}
	p = sample_new_plant(s, rule, kind, platform, custodian, asset);
	p->follows = 1;
	return p;
}

/* R2: all balances of the asset, and what is there. */
static void
total(struct sample *s, int platform, int asset)
{
	struct decimal balances = { 0 }, there = s->wallet[platform][asset];
	struct plant *p;
	int i;
	long n;

	for (i = 0; i < NPLACES; i++)
		sample_add_to(&balances, s->claimed[platform][i][asset]);
	for (n = 0; n < s->nextras; n++)
		if (s->extras[n].platform == platform && s->extras[n].asset == asset)
			sample_add_to(&balances, s->extras[n].quantity);
	for (i = 0; i < NCUSTODIANS; i++)
		sample_add_to(&there, s->held[i][platform][asset]);
	if (decimal_cmp(balances, there) == 0)
		return;
	p = find(s, "R2", "TOTAL_DIFFERENCE", platform, "", asset);
	p->has_claimed = p->has_held = 1;
	p->claimed = balances;
	p->held = there;
}

/* The values of R6 at a moment, by asset; custodians' are those of 23:59. */
struct values {
	__int128	 own[NASSETS], kept[NCUSTODIANS][NASSETS], all_kept[NASSETS];
	int		 small[NASSETS];
};

static void
take_values(const struct sample *s, int platform, int moment, struct values *v)
{
	/* 100,000 dollars in 10^-16 of a lira */
	const __int128 least = (__int128)100000 * sample_usd(s) * INT64_C(1000000000000);
	int a, c;

	memset(v, 0, sizeof(*v));
	for (a = 0; a < NASSETS; a++) {
		v->own[a] = sample_value(s, platform, a, sample_wallet(s, platform, a, moment));
		v->small[a] = v->own[a] < least;
		for (c = 0; c < NCUSTODIANS; c++) {
			if (!sample_contracted(platform, c))
				continue;
			v->kept[c][a] = sample_value(s, platform, a, s->held[c][platform][a]);
			v->all_kept[a] += v->kept[c][a];
		}
	}
}

/*
 * m.41(1), (2), (5): is own above the limit of own and kept?  Small assets are
 * left out of own, but for what they are above a tenth of everything.
 */
static int
above(__int128 big, __int128 small, __int128 kept, int moment)
{
	__int128 excess = small - (big + small + kept) / 10;

	if (excess > 0)
		big += excess;
	return big * (moment == 0 ? 20 : 10) > big + kept;
}

static int
platform_above(const struct values *v, int moment)
{
	__int128 big = 0, small = 0, kept = 0;
	int a;

	for (a = 0; a < NASSETS; a++) {
		*(v->small[a] ? &small : &big) += v->own[a];
		kept += v->all_kept[a];
	}
	return above(big, small, kept, moment);
}

/* own x part / whole; exact but for a part in 10^12. */
static __int128
part_of(__int128 own, __int128 part, __int128 whole)
{
	/* 40 bits of the quotient, of numbers that may have 100 */
	while (whole >> 80 != 0) {
		whole >>= 1;
		part >>= 1;
	}
	return (own >> 40) * ((part << 40) / whole);
}

/* R8, m.41(7): the platform's own part is divided as its custodians keep each
 * asset; what none of them keeps, as they keep everything. */
static int
custodian_above(const struct values *v, int custodian, int moment)
{
	__int128 big = 0, small = 0, kept = 0, everything = 0, own;
	int a;

	for (a = 0; a < NASSETS; a++) {
		kept += v->kept[custodian][a];
		everything += v->all_kept[a];
	}
	for (a = 0; a < NASSETS; a++) {
		if (v->all_kept[a] > 0)
			own = part_of(v->own[a], v->kept[custodian][a], v->all_kept[a]);
		else if (everything > 0)
			own = part_of(v->own[a], kept, everything);
		else
			own = v->own[a];
		*(v->small[a] ? &small : &big) += own;
	}
	return above(big, small, kept, moment);
}

static void
limits(struct sample *s, int platform)
{
	struct values v;
	const char *kind;
	int moment, c;

	for (moment = 0; moment < MOMENTS; moment++) {
		kind = moment == 0 ? "LIMIT_BREACH" : "INTRADAY_BREACH";
		take_values(s, platform, moment, &v);
		if (platform_above(&v, moment))
			(void)find(s, "R6", kind, platform, "", -1);
		/* of a platform with several custodians */
		for (c = 0; c < NCUSTODIANS && sample_contracted(platform, CUA); c++)
			if (custodian_above(&v, c, moment))
				(void)find(s, "R8", kind, platform, sample_custodians[c], -1);
	}
}

/* R5: what was planted the day before and is gone has moved on this one, under
 * a number that nobody was given, or of an asset that is not listed. */
static void
gone(struct sample *s, const struct sample_extra *e)
{
	struct plant *p;

	if (!sample_gone(s, e))
		return;
	if (!e->registered) {
		p = sample_new_plant(s, "R5", "UNKNOWN_REGISTRY_NO", e->platform, "", -1);
		p->customer = e->customer;
		p->follows = 1;
	}
	if (e->asset >= NLISTED)
		(void)find(s, "R5", "NOT_LISTED", e->platform, "", e->asset);
}

void
sample_go_on(struct sample *s, const struct sample *before)
{
	const struct plant *p;
	long i;
	int c;

	for (i = 0; i < before->nplants; i++) {
		p = &before->plants[i];
		for (c = NCUSTODIANS - 1; c >= 0 && strcmp(p->custodian, sample_custodians[c]) != 0; c--)
			;
		if (strcmp(p->rule, "R6") == 0 || strcmp(p->rule, "R8") == 0 ? !judged(s, p->platform) :
		    strcmp(p->rule, "R9") == 0 && s->left_out[c])
			(void)find(s, p->rule, p->kind, p->platform, p->custodian, -1);
	}
}

void
sample_follow(struct sample *s)
{
	int platform, asset;
	long i;

	for (platform = 0; platform < NPLATFORMS; platform++) {
		if (!judged(s, platform))
			continue;
		for (asset = 0; asset < NASSETS; asset++)
			total(s, platform, asset);
		limits(s, platform);
	}
	for (i = 0; i < s->nextras_before; i++)
		gone(s, &s->extras_before[i]);
}
