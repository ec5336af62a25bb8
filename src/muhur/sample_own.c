/* SPDX-License-Identifier: ISC */
/* What platforms hold themselves, what they list, and the registry's
 * reference data, as XML. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "muhur/sample.h"

#define LIRA	((__int128)INT64_C(10000000000) * INT64_C(1000000000000))	/* of 10^-22 */
#define CENT	((__int128)INT64_C(10000000000000000))	/* a hundredth, of 10^-18 */
#define STABLE		2	/* the asset with a weight of its own */
#define LISTED_FROM	"2025-01-02"

/* 23:59, noon and five in the afternoon. */
usec_t
sample_moment(const struct sample *s, int moment)
{
	return moment == 0 ? day_close(s->date) : istanbul_time(s->date, moment == 1 ? 12 : 17, 0);
}

/* Within the day somewhat less, then somewhat more, than at its end (m.41(2));
 * what was planted there came late. */
struct decimal
sample_wallet(const struct sample *s, int platform, int asset, int moment)
{
	struct decimal unit = sample_unit(asset), q = s->claimed[platform][OWN][asset];

	if (moment == 0)
		return s->wallet[platform][asset];
	q.scaled = q.scaled / unit.scaled * (moment == 1 ? 90 : 110) / 100 * unit.scaled;
	return q;
}

/* Of the platform itself (m.10(2)c): some units of what it lists. */
static struct decimal
house(const struct sample *s, int platform, int asset)
{
	uint64_t state = sample_mix(s, 'E' + (uint64_t)platform, (uint64_t)asset);
	struct decimal q;

	sample_quantity(&state, asset, &q);
	return q;
}

static void
wallet(FILE *f, const char *at, int hot, const char *owner, int asset, struct decimal q,
    struct sample_totals *t)
{
	char text[DECIMAL_SIZE];

	if (q.scaled == 0)
		return;
	sample_count(t, asset, q);
	if (f == NULL)
		return;
	decimal_format(q, text);
	fputs("    <Wal ", f);
	if (at != NULL)
		fprintf(f, "At=\"%s\" ", at);
	fprintf(f, "Wlt=\"%s\" Own=\"%s\" Asset=\"%s\" Qty=\"%s\"/>\n", hot ? "HOT" : "COLD", owner,
	    sample_assets[asset].dti, text);
}

static void
wallets(FILE *f, const struct sample *s, int platform, struct sample_totals *t)
{
	struct decimal q, hot, unit;
	char when[TIME_SIZE];
	const char *at;
	int moment, a;

	for (moment = 0; moment < MOMENTS; moment++) {
		time_format(sample_moment(s, moment), when);
		at = moment == 0 ? NULL : when;
		for (a = 0; a < NASSETS; a++) {
			unit = sample_unit(a);
			q = sample_wallet(s, platform, a, moment);
			hot.scaled = q.scaled / unit.scaled * 3 / 5 * unit.scaled;
			q.scaled -= hot.scaled;
			wallet(f, at, 1, "CUSTOMER", a, hot, t);
			wallet(f, at, 0, "CUSTOMER", a, q, t);
			if (a < NLISTED)
				wallet(f, at, 0, "HOUSE", a, house(s, platform, a), t);
		}
	}
}

/*
 * The liquid reserve (m.41(3), 42): for each hundred lira of customers' assets
 * in the platform's wallets three and a half in crypto-assets, whose parts stay
 * below the limits, three in deposits and funds; and a million besides.  One
 * planted short has one and a half in all, and one planted heavy has a single
 * asset that is a quarter of its parts or more.
 */
void
sample_reserve(const struct sample *s, int platform, struct sample_reserve *r)
{
	__int128 base = 0, crypto, unit;
	int a, parts = 0, mine, heavy = s->heavy_reserve[platform] - 1, brief = s->short_reserve[platform];

	memset(r, 0, sizeof(*r));
	for (a = 0; a < NASSETS; a++) {
		base += sample_value(s, platform, a, s->wallet[platform][a]) / 1000;
		parts += a == heavy ? 50 : sample_assets[a].reserve;
	}
	crypto = brief ? base * 10 : base * 35 + 1000000 * LIRA;
	for (a = 0; a < NASSETS; a++) {
		mine = a == heavy ? 50 : sample_assets[a].reserve;
		unit = sample_unit(a).scaled;
		r->crypto[a].scaled = crypto / parts * mine / sample_price(s, platform, a) / unit * unit;
	}
	r->lira.scaled = (brief ? base * 5 : base * 20 + 500000 * LIRA) / (LIRA / 100) * CENT;
	r->dollars.scaled = (brief ? 0 : base * 10) / (LIRA / 10000) * 100 / sample_usd(s) * CENT;
}

/* As the reference data has it. */
int
sample_weight(int asset)
{
	return asset == STABLE ? 95 : 80;
}

static long long
reserve(FILE *f, const struct sample *s, int platform, const char *at)
{
	struct sample_reserve r;
	char text[DECIMAL_SIZE];
	long long n = 2;
	int a;

	sample_reserve(s, platform, &r);
	for (a = 0; a < NASSETS; a++) {
		if (r.crypto[a].scaled == 0)
			continue;
		n++;
		decimal_format(r.crypto[a], text);
		if (f != NULL)
			fprintf(f, "    <Rsv %sKind=\"CRYPTO\" Asset=\"%s\" Qty=\"%s\"/>\n", at,
			    sample_assets[a].dti, text);
	}
	if (f == NULL)
		return n;
	decimal_format(r.lira, text);
	fprintf(f, "    <Rsv %sKind=\"DEPOSIT\" Ccy=\"TRY\" Qty=\"%s\"/>\n", at, text);
	decimal_format(r.dollars, text);
	fprintf(f, "    <Rsv %sKind=\"FUND\" Ccy=\"USD\" Qty=\"%s\"/>\n", at, text);
	return n;
}

int
sample_write_holding(const struct sample *s, int platform, const char *name)
{
	struct sample_totals totals = { 0 }, again = { 0 };
	char *path, when[TIME_SIZE], at[TIME_SIZE + 8];
	FILE *f;
	int moment;

	if ((f = sample_open(s, name, &path)) == NULL)
		return -1;
	wallets(NULL, s, platform, &totals);
	totals.records += MOMENTS * reserve(NULL, s, platform, "");
	sample_header(f, s, MT_HOLDING_REPORT, sample_platforms[platform], &totals);
	fputs("  <Wallets>\n", f);
	wallets(f, s, platform, &again);
	fputs("  </Wallets>\n  <Reserve>\n", f);
	for (moment = 0; moment < MOMENTS; moment++) {
		time_format(sample_moment(s, moment), when);
		snprintf(at, sizeof(at), "At=\"%s\" ", when);
		(void)reserve(f, s, platform, moment == 0 ? "" : at);
	}
	fputs("  </Reserve>\n</HoldingReport>\n", f);
	return sample_close(f, path);
}

int
sample_write_listing(const struct sample *s, int platform, const char *name)
{
	struct sample_totals totals = { .records = NLISTED };
	char *path, from[DATE_SIZE];
	date_t since;
	FILE *f;
	int a;

	if ((f = sample_open(s, name, &path)) == NULL)
		return -1;
	if (date_parse(LISTED_FROM, &since) == -1 || since > s->date)
		since = s->date;
	date_format(since, from);
	sample_header(f, s, MT_LISTING_NOTICE, sample_platforms[platform], &totals);
	fputs("  <Listings>\n", f);
	for (a = 0; a < NLISTED; a++)
		fprintf(f, "    <Lst Asset=\"%s\" Status=\"LISTED\" From=\"%s\"/>\n", sample_assets[a].dti, from);
	fputs("  </Listings>\n</ListingNotice>\n", f);
	return sample_close(f, path);
}

/* Holidays whose date is the same each year (Law 2429). */
static const char *const holidays[] = { "01-01", "04-23", "05-01", "05-19", "07-15", "08-30", "10-29" };
#define NHOLIDAYS	(sizeof(holidays) / sizeof(holidays[0]))

static void
rate(FILE *f, const char *currency, int64_t r)
{
	fprintf(f, "    <Rate Ccy=\"%s\" Try=\"%lld.%04lld\"/>\n", currency, (long long)(r / 10000),
	    (long long)(r % 10000));
}

int
sample_write_reference(const struct sample *s, const char *name)
{
	struct sample_totals totals = { .records = 2 + NASSETS + 4 + NHOLIDAYS };
	char *path, date[DATE_SIZE];
	const char *listed;
	size_t i;
	FILE *f;
	int a;

	if ((f = sample_open(s, name, &path)) == NULL)
		return -1;
	date_format(s->date, date);
	sample_header(f, s, MT_REFERENCE_DATA, "MKK", &totals);
	fputs("  <Reference>\n", f);
	rate(f, "USD", sample_usd(s));
	rate(f, "EUR", sample_usd(s) * 115 / 100);
	for (a = 0; a < NASSETS; a++) {
		listed = sample_assets[a].listed;
		fprintf(f, "    <Ast Asset=\"%s\" Cap=\"%s\" Listed=\"%.4s%s\"/>\n", sample_assets[a].dti,
		    sample_assets[a].cap, listed != NULL ? listed : date, listed != NULL ? listed + 4 : "-01-01");
	}
	fprintf(f, "    <Wgt Kind=\"CRYPTO\" Weight=\"0.%d\"/>\n"
	    "    <Wgt Kind=\"CRYPTO\" Asset=\"%s\" Weight=\"0.%d\"/>\n"
	    "    <Wgt Kind=\"DEPOSIT\" Weight=\"1\"/>\n    <Wgt Kind=\"FUND\" Weight=\"1\"/>\n",
	    sample_weight(0), sample_assets[STABLE].dti, sample_weight(STABLE));
	for (i = 0; i < NHOLIDAYS; i++)
		fprintf(f, "    <Day Date=\"%.4s-%s\" Kind=\"HOLIDAY\"/>\n", date, holidays[i]);
	fputs("  </Reference>\n</ReferenceData>\n", f);
	return sample_close(f, path);
}
