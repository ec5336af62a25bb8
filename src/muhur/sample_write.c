/* SPDX-License-Identifier: ISC */
/* The day's balances of platforms and custodians as XML, streamed. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "muhur/sample.h"

/* Minutes after the end of the day: members make their reports in the night,
 * one after another. */
static int
made_after(const char *member)
{
	int i;

	for (i = 0; i < NPLATFORMS; i++)
		if (strcmp(member, sample_platforms[i]) == 0)
			return 30 + i * 7;
	for (i = 0; i < NCUSTODIANS; i++)
		if (strcmp(member, sample_custodians[i]) == 0)
			return 30 + (NPLATFORMS + i) * 7;
	return 5;
}

/* Identifiers are unique for their sender: type, day and seed. */
static void
message_id(const struct sample *s, enum message_type type, const char *member, char id[MESSAGE_ID_SIZE])
{
	char date[DATE_SIZE], upper[4] = "";
	const char *name = message_type_name(type);
	int i;

	date_format(s->date, date);
	for (i = 0; i < 3; i++)
		upper[i] = (char)(name[i] >= 'a' && name[i] <= 'z' ? name[i] - 'a' + 'A' : name[i]);
	snprintf(id, MESSAGE_ID_SIZE, "%s-%s-%.4s%.2s%.2s-%llx", member, upper, date, date + 5, date + 8,
	    (unsigned long long)s->seed);
}

void
sample_header(FILE *f, const struct sample *s, enum message_type type,
    const char *member, const struct sample_totals *totals)
{
	char date[DATE_SIZE], created[TIME_SIZE], q[DECIMAL_SIZE], id[MESSAGE_ID_SIZE];
	const char *name = message_type_name(type);
	int a;

	date_format(s->date, date);
	time_format(day_close(s->date) + made_after(member) * 60 * USEC_PER_SEC, created);
	message_id(s, type, member, id);
	fprintf(f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%s xmlns=\"%s\">\n"
	    "  <Header>\n    <MessageId>%s</MessageId>\n"
	    "    <MessageType>%s</MessageType>\n    <SchemaVersion>1</SchemaVersion>\n"
	    "    <SenderMemberCode>%s</SenderMemberCode>\n    <UserCode>%s001</UserCode>\n"
	    "    <BusinessDate>%s</BusinessDate>\n    <CreatedAt>%s</CreatedAt>\n"
	    "    <Sequence>1</Sequence>\n    <RecordCount>%lld</RecordCount>\n"
	    "    <ControlTotals>\n", name, message_type_namespace(type), id, name, member,
	    member, date, created, totals->records);
	for (a = 0; a < NASSETS; a++) {
		if (totals->occurs[a] == 0)
			continue;
		decimal_format(totals->sum[a], q);
		fprintf(f, "      <Total Asset=\"%s\" Qty=\"%s\"/>\n", sample_assets[a].dti, q);
	}
	fputs("    </ControlTotals>\n  </Header>\n", f);
}

FILE *
sample_open(const struct sample *s, const char *name, char **path)
{
	FILE *f;

	*path = xasprintf("%s/%s", s->dir, name);
	if ((f = fopen(*path, "we")) == NULL) {
		log_warn("%s", *path);
		free(*path);
	}
	return f;
}

int
sample_close(FILE *f, char *path)
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
write_customer(FILE *f, const struct sample *s, int platform, uint64_t customer,
    struct sample_line *lines, int n)
{
	struct sample_line *l;
	struct decimal half, unit, none = { 0 };
	const char *held;
	int i;

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
		write_balance(f, s, platform, customer, held, l->asset, l->quantity,
		    l->locked.scaled <= l->quantity.scaled ? l->locked : none);
	}
}

/* A platform's own prices (m.42(4)), of what it lists and of what it, or a
 * custodian for it, reports all the same. */
static void
write_prices(FILE *f, const struct sample *s, int platform, const struct sample_totals *totals)
{
	struct decimal price;
	char p[DECIMAL_SIZE];
	int a, c, reported;

	fputs("  <Prices>\n", f);
	for (a = 0; a < NASSETS; a++) {
		reported = a < NLISTED || totals->occurs[a] > 0;
		for (c = 0; c < NCUSTODIANS; c++)
			reported |= s->held[c][platform][a].scaled != 0;
		if (!reported)
			continue;
		price.scaled = sample_price(s, platform, a);
		price.scaled *= INT64_C(100000000000000);	/* from 1/10000 to 10^-18 */
		decimal_format(price, p);
		fprintf(f, "    <Px Asset=\"%s\" Ccy=\"TRY\" Price=\"%s\"/>\n", sample_assets[a].dti, p);
	}
	fputs("  </Prices>\n", f);
}

static void
balance_totals(const struct sample *s, int platform, struct sample_totals *t)
{
	const struct sample_extra *e;
	int a, place;
	long i;

	for (a = 0; a < NLISTED; a++)
		for (place = 0; place < NPLACES; place++)
			if (s->claimed[platform][place][a].scaled != 0)
				sample_count(t, a, s->claimed[platform][place][a]);
	t->records = s->lines[platform];
	for (i = 0; i < s->nextras; i++) {
		e = &s->extras[i];
		if (e->platform == platform)
			sample_count(t, e->asset, e->quantity);
	}
}

int
sample_write_balances(const struct sample *s, int platform, const char *name)
{
	struct sample_totals totals = { 0 };
	struct sample_line lines[LINES_MAX];
	struct decimal none = { 0 };
	struct sample_walk w;
	uint64_t customer;
	char *path;
	FILE *f;
	long i;
	int n;

	if ((f = sample_open(s, name, &path)) == NULL)
		return -1;
	balance_totals(s, platform, &totals);
	sample_header(f, s, MT_BALANCE_REPORT, sample_platforms[platform], &totals);
	write_prices(f, s, platform, &totals);
	fputs("  <Balances>\n", f);
	sample_begin(&w, platform);
	while ((n = sample_customer(s, &w, &customer, lines)) > 0 && !ferror(f))
		write_customer(f, s, platform, customer, lines, n);
	for (i = 0; i < s->nextras; i++)
		if (s->extras[i].platform == platform)
			write_balance(f, s, platform, s->extras[i].customer, s->extras[i].held,
			    s->extras[i].asset, s->extras[i].quantity, none);
	fputs("  </Balances>\n</BalanceReport>\n", f);
	return sample_close(f, path);
}

/* What goes to the hot wallet: about 4 of 100 (m.26(6): at most 5). */
static struct decimal
hot_part(struct decimal held, int asset, int percent)
{
	struct decimal unit = sample_unit(asset), hot;

	hot.scaled = held.scaled / unit.scaled * percent / 100 * unit.scaled;
	return hot;
}

struct sample_kept
sample_kept(const struct sample *s, int custodian, int platform, int asset)
{
	struct decimal held = s->held[custodian][platform][asset];
	struct sample_kept k = { .hot = hot_part(held, asset, s->too_hot[custodian] ? 60 : 4) };

	k.cold.scaled = held.scaled - k.hot.scaled;
	if (sample_mix(s, 'H' + (uint64_t)platform, (uint64_t)asset) % 3 == 0)
		k.pending = hot_part(k.hot, asset, 4);
	return k;
}

/* Counts the omnibus lines of a platform and asset, and writes them where f
 * is not NULL. */
static void
omnibus(FILE *f, const struct sample *s, int custodian, int platform, int asset, struct sample_totals *t)
{
	struct sample_kept k = sample_kept(s, custodian, platform, asset);
	const char *dti = sample_assets[asset].dti, *plat = sample_platforms[platform];
	char q[DECIMAL_SIZE];

	if (k.hot.scaled > 0)
		sample_count(t, asset, k.hot);
	if (k.cold.scaled > 0)
		sample_count(t, asset, k.cold);
	if (f != NULL && k.hot.scaled > 0) {
		decimal_format(k.hot, q);
		fprintf(f, "    <Omn Plat=\"%s\" Asset=\"%s\" Wlt=\"HOT\" Qty=\"%s\"", plat, dti, q);
		if (k.pending.scaled > 0) {
			decimal_format(k.pending, q);
			fprintf(f, " Pend=\"%s\"", q);
		}
		fputs("/>\n", f);
	}
	if (f != NULL && k.cold.scaled > 0) {
		decimal_format(k.cold, q);
		fprintf(f, "    <Omn Plat=\"%s\" Asset=\"%s\" Wlt=\"COLD\" Qty=\"%s\"/>\n", plat, dti, q);
	}
}

static void
omnibus_all(FILE *f, const struct sample *s, int custodian, struct sample_totals *t)
{
	int platform, asset;

	for (platform = 0; platform < NPLATFORMS; platform++)
		for (asset = 0; asset < NASSETS; asset++)
			omnibus(f, s, custodian, platform, asset, t);
}

struct decimal
sample_direct(const struct sample *s, int custodian, uint64_t nth, int *asset)
{
	uint64_t state = sample_mix(s, 'D', sample_direct_customer(s, custodian, nth));
	struct decimal d;

	*asset = (int)(sample_next(&state) % NLISTED);
	sample_quantity(&state, *asset, &d);
	return d;
}

/* A planted R9 has the custodian's own customers in hot wallets too. */
static void
direct_all(FILE *f, const struct sample *s, int custodian, struct sample_totals *t)
{
	uint64_t i, customer, n = sample_direct_customers(s);
	const char *member = sample_custodians[custodian];
	char reg[11], cust[16], q[DECIMAL_SIZE];
	struct decimal d;
	int asset;

	for (i = 0; i < n; i++) {
		customer = sample_direct_customer(s, custodian, i);
		d = sample_direct(s, custodian, i, &asset);
		sample_count(t, asset, d);
		if (f == NULL)
			continue;
		sample_registry_no(s, customer, reg);
		sample_customer_no(member, customer, cust);
		decimal_format(d, q);
		fprintf(f, "    <Dir Reg=\"%s\" Cust=\"%s\" Asset=\"%s\" Wlt=\"%s\" Qty=\"%s\"/>\n",
		    reg, cust, sample_assets[asset].dti, s->too_hot[custodian] ? "HOT" : "COLD", q);
	}
}

int
sample_write_custody(const struct sample *s, int custodian, const char *name)
{
	struct sample_totals totals = { 0 }, again = { 0 };
	char *path;
	FILE *f;

	if ((f = sample_open(s, name, &path)) == NULL)
		return -1;
	omnibus_all(NULL, s, custodian, &totals);
	direct_all(NULL, s, custodian, &totals);
	sample_header(f, s, MT_CUSTODY_REPORT, sample_custodians[custodian], &totals);
	fputs("  <Omnibus>\n", f);
	omnibus_all(f, s, custodian, &again);
	fputs("  </Omnibus>\n  <DirectCustomers>\n", f);
	direct_all(f, s, custodian, &again);
	fputs("  </DirectCustomers>\n</CustodyReport>\n", f);
	return sample_close(f, path);
}
