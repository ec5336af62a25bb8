/* SPDX-License-Identifier: ISC */
/*
 * What follows from the planted breaks: by the rules that add everything up,
 * R2 (m.10(2)c, 32(3)) and R6 to R8 (m.41), and from those of the day before.
 * The market's own quantities keep every limit, and so do planted ones, but for
 * sums that they take away at custodians; what then breaks a limit is told in
 * the manifest as well.
 */
#include "config.h"

#include <string.h>

#include "base/log.h"
#include "muhur/sample.h"

__int128
sample_value(const struct sample *s, int platform, int asset, struct decimal q)
{
	return q.scaled * sample_price(s, platform, asset);
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
	/* 100,000 dollars */
	const __int128 least = (__int128)100000 * sample_usd(s) * INT64_C(1000000000000000000);
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

/* Both sides of a limit, as the break has them: in lira, truncated. */
static void
fill(struct plant *p, __int128 numerator, __int128 denominator)
{
	p->has_claimed = p->has_held = 1;
	p->claimed.scaled = numerator / 10000;
	p->held.scaled = denominator / 10000;
}

/* What of a platform's own part is in assets that are small, and what is not;
 * what custodians keep; and fractions of 10^-22, in 2^-40. */
struct ratio {
	__int128	 big, small, kept;
	uint64_t	 big_rest, small_rest;
};

static void
add_own(struct ratio *r, int small, __int128 own, uint64_t rest)
{
	uint64_t *sum = small ? &r->small_rest : &r->big_rest;

	*sum += rest;
	*(small ? &r->small : &r->big) += own + (__int128)(*sum >> 40);
	*sum &= (UINT64_C(1) << 40) - 1;
}

/*
 * m.41(1), (2), (5): is own above the limit of own and kept?  Small assets are
 * left out of own, but for what they are above a tenth of everything.  All
 * moments of a day are one break, with the greatest ratio.
 */
static void
judge(struct sample *s, const struct ratio *r, int moment, const char *rule, int platform, const char *custodian)
{
	__int128 own = r->big, excess = r->small - (r->big + r->small + r->kept) / 10;
	const char *kind = moment == 0 ? "LIMIT_BREACH" : "INTRADAY_BREACH";
	struct plant *p;

	if (excess > 0)
		own += excess;
	if (own <= (own + r->kept) / (moment == 0 ? 20 : 10))
		return;
	p = find(s, rule, kind, platform, custodian, -1);
	/* prices and custodians' part are the day's: more own, a greater ratio */
	if (!p->has_claimed || own / 10000 > p->claimed.scaled)
		fill(p, own, own + r->kept);
}

static void
platform_limit(struct sample *s, int platform, const struct values *v, int moment)
{
	struct ratio r = { 0 };
	int a;

	for (a = 0; a < NASSETS; a++) {
		add_own(&r, v->small[a], v->own[a], 0);
		r.kept += v->all_kept[a];
	}
	judge(s, &r, moment, "R6", platform, "");
}

/* own x part / whole, where part is none greater, bit by bit since the product
 * has more than 128; *rest is what is left, in 2^-40. */
static __int128
part_of(__int128 own, __int128 part, __int128 whole, uint64_t *rest)
{
	__int128 q = 0, r = 0;
	int bit;

	*rest = 0;
	for (bit = 126; bit >= -40; bit--) {
		r *= 2;
		if (bit >= 0 && (own >> bit & 1) != 0)
			r += part;
		if (bit >= 0)
			q = q * 2 + r / whole;
		else
			*rest = *rest * 2 + (uint64_t)(r / whole);
		r %= whole;
	}
	return q;
}

/* R8, m.41(7): the platform's own part is divided as its custodians keep each
 * asset; what none of them keeps, as they keep everything. */
static void
custodian_limit(struct sample *s, int platform, int custodian, const struct values *v, int moment)
{
	__int128 everything = 0, own;
	struct ratio r = { 0 };
	uint64_t rest;
	int a;

	for (a = 0; a < NASSETS; a++) {
		r.kept += v->kept[custodian][a];
		everything += v->all_kept[a];
	}
	for (a = 0; a < NASSETS; a++) {
		rest = 0;
		if (v->all_kept[a] > 0)
			own = part_of(v->own[a], v->kept[custodian][a], v->all_kept[a], &rest);
		else if (everything > 0)
			own = part_of(v->own[a], r.kept, everything, &rest);
		else
			own = v->own[a];
		add_own(&r, v->small[a], own, rest);
	}
	judge(s, &r, moment, "R8", platform, sample_custodians[custodian]);
}

static void
limits(struct sample *s, int platform)
{
	struct values v;
	int moment, c;

	for (moment = 0; moment < MOMENTS; moment++) {
		take_values(s, platform, moment, &v);
		platform_limit(s, platform, &v, moment);
		/* of a platform with several custodians */
		for (c = 0; c < NCUSTODIANS && sample_contracted(platform, CUA); c++)
			custodian_limit(s, platform, c, &v, moment);
	}
}

/* The values of R9, m.26(6), (8): what is pending is left out; of customers of
 * its own at the mean of both platforms' prices. */
static void
fill_hot(struct sample *s, int custodian)
{
	__int128 hot = 0, all = 0, v;
	struct sample_kept k;
	struct decimal d;
	uint64_t i;
	int p, a;

	for (p = 0; p < NPLATFORMS; p++) {
		for (a = 0; a < NASSETS && sample_contracted(p, custodian); a++) {
			k = sample_kept(s, custodian, p, a);
			k.hot.scaled -= k.pending.scaled;
			hot += 2 * sample_value(s, p, a, k.hot);
			all += 2 * (sample_value(s, p, a, k.hot) + sample_value(s, p, a, k.cold));
		}
	}
	for (i = 0; i < sample_direct_customers(s); i++) {
		d = sample_direct(s, custodian, i, &a);
		v = sample_value(s, PLA, a, d) + sample_value(s, PLB, a, d);
		all += v;
		if (s->too_hot[custodian])
			hot += v;
	}
	fill(find(s, "R9", "HOT_WALLET", -1, sample_custodians[custodian], -1), hot / 2, all / 2);
}

/* Those of R10 and R11, m.41(3), (4), 42. */
static void
fill_reserve(struct sample *s, int platform)
{
	__int128 crypto = 0, weighted = 0, base = 0, v;
	int a, heavy = s->heavy_reserve[platform] - 1;
	struct sample_reserve r;

	sample_reserve(s, platform, &r);
	for (a = 0; a < NASSETS; a++) {
		v = sample_value(s, platform, a, r.crypto[a]);
		crypto += v;
		weighted += v * sample_weight(a);
		base += sample_value(s, platform, a, s->wallet[platform][a]);
	}
	weighted += (r.lira.scaled * 10000 + r.dollars.scaled * sample_usd(s)) * 100;
	if (s->short_reserve[platform])
		fill(find(s, "R10", "RESERVE_SHORT", platform, "", -1), weighted / 100, base);
	if (heavy >= 0)
		fill(find(s, "R11", "COMPOSITION", platform, "", heavy),
		    sample_value(s, platform, heavy, r.crypto[heavy]), crypto);
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
		if (strcmp(p->rule, "R6") == 0 || strcmp(p->rule, "R8") == 0 ? !sample_whole(s, p->platform) :
		    strcmp(p->rule, "R9") == 0 && s->left_out[c])
			(void)find(s, p->rule, p->kind, p->platform, p->custodian, -1);
	}
}

void
sample_follow(struct sample *s)
{
	int platform, asset, c;
	long i;

	for (c = 0; c < NCUSTODIANS; c++)
		if (s->too_hot[c])
			fill_hot(s, c);
	for (platform = 0; platform < NPLATFORMS; platform++) {
		fill_reserve(s, platform);
		if (!sample_whole(s, platform))
			continue;
		for (asset = 0; asset < NASSETS; asset++)
			total(s, platform, asset);
		limits(s, platform);
	}
	for (i = 0; i < s->nextras_before; i++)
		gone(s, &s->extras_before[i]);
}
