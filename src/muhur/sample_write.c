/* SPDX-License-Identifier: ISC */
/* The day's reports as XML, streamed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "muhur/sample.h"

static void
add(struct decimal *sum, struct decimal d)
{
	if (decimal_add(sum, d) == -1)
		fatalx("sample: a sum has more than 20 integer digits");
}

/* totals: per asset; listed where the asset occurs. */
static void
write_header(FILE *f, const struct sample *s, enum message_type type,
    const char *member, int nth, long long records,
    const struct decimal *totals, const int *occurs)
{
	char date[DATE_SIZE], created[TIME_SIZE], q[DECIMAL_SIZE];
	const char *name = message_type_name(type);
	int a;

	date_format(s->date, date);
	/* Made in the night after the day's end, one member after another. */
	time_format(day_close(s->date) + (30 + nth * 7) * 60 * USEC_PER_SEC, created);
	fprintf(f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%s xmlns=\"%s\">\n"
	    "  <Header>\n    <MessageId>%s-%.4s%.2s%.2s-%llx</MessageId>\n"
	    "    <MessageType>%s</MessageType>\n    <SchemaVersion>1</SchemaVersion>\n"
	    "    <SenderMemberCode>%s</SenderMemberCode>\n    <UserCode>%s001</UserCode>\n"
	    "    <BusinessDate>%s</BusinessDate>\n    <CreatedAt>%s</CreatedAt>\n"
	    "    <Sequence>1</Sequence>\n    <RecordCount>%lld</RecordCount>\n"
	    "    <ControlTotals>\n", name, message_type_namespace(type), member,
	    date, date + 5, date + 8, (unsigned long long)s->seed, name, member,
	    member, date, created, records);
	for (a = 0; a < NASSETS; a++) {
		if (!occurs[a])
			continue;
		decimal_format(totals[a], q);
		fprintf(f, "      <Total Asset=\"%s\" Qty=\"%s\"/>\n", sample_assets[a].dti, q);
	}
	fputs("    </ControlTotals>\n  </Header>\n", f);
}

static FILE *
open_file(const struct sample *s, const char *name, char **path)
{
	FILE *f;

	*path = xasprintf("%s/%s", s->dir, name);
	if ((f = fopen(*path, "we")) == NULL)
		log_warn("%s", *path);
	return f;
}

static int
close_file(FILE *f, char *path)
{
	int bad = ferror(f), rc = 0;

	if (fclose(f) != 0 || bad) {
		log_warn("%s", path);
		rc = -1;
	}
	free(path);
	return rc;
}

static void
write_balance(FILE *f, const struct sample *s, int platform, uint64_t customer,
    const char *held, int asset, struct decimal quantity, struct decimal locked)
{
	char reg[11], cust[16], q[DECIMAL_SIZE];

	sample_registry_no(s, customer, reg);
	sample_customer_no(sample_platforms[platform], customer, cust);
	decimal_format(quantity, q);
	fprintf(f, "    <Bal Reg=\"%s\" Cust=\"%s\" Held=\"%s\" Asset=\"%s\" Qty=\"%s\"",
	    reg, cust, held, sample_assets[asset].dti, q);
	if (locked.scaled != 0) {
		decimal_format(locked, q);
		fprintf(f, " Lck=\"%s\"", q);
	}
	fputs("/>\n", f);
}

static void
write_customer(FILE *f, const struct sample *s, int platform, uint64_t customer)
{
	struct sample_line lines[LINES_MAX], *l;
	struct decimal half, unit, none = { 0 };
	const char *held;
	int i, n = sample_lines(s, platform, customer, lines);

	for (i = 0; i < n; i++) {
		l = &lines[i];
		held = l->place == OWN ? "OWN" : sample_custodians[l->place];
		if (s->split[platform][l->place][l->asset] &&
		    s->splittable[platform][l->place][l->asset] == customer) {
			unit = sample_unit(l->asset);
			half.scaled = l->quantity.scaled / unit.scaled / 2 * unit.scaled;
			write_balance(f, s, platform, customer, held, l->asset, half, none);
			l->quantity.scaled -= half.scaled;
		}
		write_balance(f, s, platform, customer, held, l->asset, l->quantity, l->locked);
	}
}

/* Each platform quotes its own prices (m.42(4)), some hundredths apart. */
static void
write_prices(FILE *f, const struct sample *s, int platform)
{
	struct decimal price;
	char p[DECIMAL_SIZE];
	int a;

	fputs("  <Prices>\n", f);
	for (a = 0; a < NLISTED; a++) {
		price.scaled = sample_assets[a].price;
		price.scaled = price.scaled *
		    (__int128)(9900 + sample_mix(s, 'P' + (uint64_t)platform, (uint64_t)a) % 200) / 10000;
		price.scaled *= INT64_C(100000000000000);	/* from 1/10000 to 10^-18 */
		decimal_format(price, p);
		fprintf(f, "    <Px Asset=\"%s\" Ccy=\"TRY\" Price=\"%s\"/>\n",
		    sample_assets[a].dti, p);
	}
	fputs("  </Prices>\n", f);
}

static void
balance_totals(const struct sample *s, int platform, struct decimal *totals, int *occurs)
{
	const struct plant *p;
	int a, place;
	long i;

	for (a = 0; a < NASSETS; a++)
		for (place = 0; place < NPLACES; place++)
			add(&totals[a], s->claimed[platform][place][a]);
	for (i = 0; i < s->nplants; i++) {
		p = &s->plants[i];
		if (p->extra && p->platform == platform)
			add(&totals[p->asset], p->claimed);
	}
	for (a = 0; a < NASSETS; a++)
		occurs[a] = totals[a].scaled != 0;
}

int
sample_write_balances(const struct sample *s, int platform, const char *name)
{
	struct decimal totals[NASSETS] = { 0 }, none = { 0 };
	int occurs[NASSETS] = { 0 };
	const struct plant *p;
	uint64_t customer;
	char *path;
	FILE *f;
	long i;

	if ((f = open_file(s, name, &path)) == NULL) {
		free(path);
		return -1;
	}
	balance_totals(s, platform, totals, occurs);
	write_header(f, s, MT_BALANCE_REPORT, sample_platforms[platform], platform,
	    s->lines[platform], totals, occurs);
	write_prices(f, s, platform);
	fputs("  <Balances>\n", f);
	for (customer = 0; customer < s->customers && !ferror(f); customer++) {
		if (sample_is_customer(s, platform, customer))
			write_customer(f, s, platform, customer);
	}
	for (i = 0; i < s->nplants; i++) {
		p = &s->plants[i];
		if (p->extra && p->platform == platform)
			write_balance(f, s, platform, p->customer, p->custodian,
			    p->asset, p->claimed, none);
	}
	fputs("  </Balances>\n</BalanceReport>\n", f);
	return close_file(f, path);
}

/* What goes to the hot wallet: about 4 of 100 (m.26(6): at most 5). */
static struct decimal
hot_part(struct decimal held, int asset)
{
	struct decimal unit = sample_unit(asset), hot;

	hot.scaled = held.scaled / unit.scaled * 4 / 100 * unit.scaled;
	return hot;
}

/* Writes the omnibus lines of a platform, or only counts them where f is
 * NULL. */
static long long
omnibus(FILE *f, const struct sample *s, int custodian, int platform, int asset)
{
	struct decimal held = s->held[custodian][platform][asset], hot, cold, pending;
	const char *dti = sample_assets[asset].dti, *plat = sample_platforms[platform];
	char q[DECIMAL_SIZE];
	long long n = 0;

	hot = hot_part(held, asset);
	cold.scaled = held.scaled - hot.scaled;
	pending = hot_part(hot, asset);
	if (hot.scaled > 0 && ++n && f != NULL) {
		decimal_format(hot, q);
		fprintf(f, "    <Omn Plat=\"%s\" Asset=\"%s\" Wlt=\"HOT\" Qty=\"%s\"", plat, dti, q);
		if (pending.scaled > 0 && sample_mix(s, 'H' + (uint64_t)platform, (uint64_t)asset) % 3 == 0) {
			decimal_format(pending, q);
			fprintf(f, " Pend=\"%s\"", q);
		}
		fputs("/>\n", f);
	}
	if (cold.scaled > 0 && ++n && f != NULL) {
		decimal_format(cold, q);
		fprintf(f, "    <Omn Plat=\"%s\" Asset=\"%s\" Wlt=\"COLD\" Qty=\"%s\"/>\n", plat, dti, q);
	}
	return n;
}

static long long
omnibus_all(FILE *f, const struct sample *s, int custodian, struct decimal *totals)
{
	long long n = 0;
	int platform, asset;

	for (platform = 0; platform < NPLATFORMS; platform++) {
		for (asset = 0; asset < NASSETS; asset++) {
			n += omnibus(f, s, custodian, platform, asset);
			if (totals != NULL)
				add(&totals[asset], s->held[custodian][platform][asset]);
		}
	}
	return n;
}

/* Direct customers have registry numbers past the platforms' customers. */
static long long
direct_all(FILE *f, const struct sample *s, int custodian, struct decimal *totals)
{
	uint64_t i, customer, state, n = sample_direct_customers(s);
	const char *member = sample_custodians[custodian];
	char reg[11], cust[16], q[DECIMAL_SIZE];
	struct decimal d;
	int asset;

	for (i = 0; i < n; i++) {
		customer = s->customers + (uint64_t)s->breaks + 1 + i * NCUSTODIANS + (uint64_t)custodian;
		state = sample_mix(s, 'D', customer);
		asset = (int)(sample_next(&state) % NLISTED);
		sample_quantity(&state, asset, &d);
		if (totals != NULL)
			add(&totals[asset], d);
		if (f == NULL)
			continue;
		sample_registry_no(s, customer, reg);
		sample_customer_no(member, customer, cust);
		decimal_format(d, q);
		fprintf(f, "    <Dir Reg=\"%s\" Cust=\"%s\" Asset=\"%s\" Wlt=\"COLD\" Qty=\"%s\"/>\n",
		    reg, cust, sample_assets[asset].dti, q);
	}
	return (long long)n;
}

int
sample_write_custody(const struct sample *s, int custodian, const char *name)
{
	struct decimal totals[NASSETS] = { 0 };
	int a, occurs[NASSETS] = { 0 };
	long long records;
	char *path;
	FILE *f;

	if ((f = open_file(s, name, &path)) == NULL) {
		free(path);
		return -1;
	}
	records = omnibus_all(NULL, s, custodian, totals);
	records += direct_all(NULL, s, custodian, totals);
	for (a = 0; a < NASSETS; a++)
		occurs[a] = totals[a].scaled != 0;
	write_header(f, s, MT_CUSTODY_REPORT, sample_custodians[custodian],
	    NPLATFORMS + custodian, records, totals, occurs);
	fputs("  <Omnibus>\n", f);
	omnibus_all(f, s, custodian, NULL);
	fputs("  </Omnibus>\n  <DirectCustomers>\n", f);
	direct_all(f, s, custodian, NULL);
	fputs("  </DirectCustomers>\n</CustodyReport>\n", f);
	return close_file(f, path);
}
