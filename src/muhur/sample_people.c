/* SPDX-License-Identifier: ISC */
/* Who the customers of the test market are: made up, with numbers that pass
 * the checks of S2 section G. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "muhur/sample.h"

#define RANGE		UINT64_C(9000000000)	/* of registry numbers */
#define TCKN_RANGE	UINT64_C(900000000)	/* divides RANGE */

static const char *const given[] = {
	"Ayşe", "Mehmet", "Zeynep", "Ali", "Elif", "Mustafa", "Çiğdem", "Hasan", "Gülşen", "İbrahim",
	"Şule", "Ömer", "Nazlı", "Uğur", "Büşra", "Emre", "Özlem", "Barış", "Ceren", "Yiğit",
};
static const char *const family[] = {
	"Yılmaz", "Kaya", "Demir", "Şahin", "Çelik", "Yıldız", "Yıldırım", "Öztürk", "Aydın", "Özdemir",
	"Arslan", "Doğan", "Kılıç", "Aslan", "Çetin", "Kara", "Koç", "Kurt", "Özkan", "Şimşek", "Güneş",
};
static const char *const trade[] = { "Ticaret", "Yazılım", "İnşaat", "Gıda", "Tekstil", "Lojistik", "Danışmanlık" };
static const char *const countries[] = { "DE", "NL", "AZ", "GB", "US", "KZ" };
#define PICK(list, n)	(list)[(n) % (sizeof(list) / sizeof((list)[0]))]

/* Another number below RANGE for each customer: 7368787 has no factor in
 * common with it. */
static uint64_t
place_of(const struct sample *s, uint64_t customer)
{
	return (s->seed % RANGE + customer % RANGE * 7368787 % RANGE) % RANGE;
}

void
sample_registry_no(const struct sample *s, uint64_t customer, char out[11])
{
	snprintf(out, 11, "%llu", (unsigned long long)(place_of(s, customer) + UINT64_C(1000000000)));
}

void
sample_customer_no(const char *member, uint64_t customer, char out[16])
{
	static const char letters[] = "ABCDEFGHJKLMNPRSTUVYZ";

	snprintf(out, 16, "%c%c%09llu%c", member[0], member[2],
	    (unsigned long long)(customer % UINT64_C(1000000000)),
	    letters[customer * 7 % (sizeof(letters) - 1)]);
}

uint64_t
sample_direct_customers(const struct sample *s)
{
	return s->customers / 50 + 1;
}

uint64_t
sample_direct_customer(const struct sample *s, int custodian, uint64_t nth)
{
	return s->customers + nth * NCUSTODIANS + (uint64_t)custodian;
}

uint64_t
sample_extra_customer(const struct sample *s, long nth, int registered)
{
	return sample_direct_customer(s, 0, sample_direct_customers(s)) + (uint64_t)nth * 2 + (registered ? 0 : 1);
}

/* T.C. identity number: nine digits and the two that check them. */
static void
tckn(uint64_t nine, char out[12])
{
	int d[9], i, odd = 0, even = 0, tenth;

	snprintf(out, 12, "%09llu", (unsigned long long)nine);
	for (i = 0; i < 9; i++) {
		d[i] = out[i] - '0';
		*(i % 2 == 0 ? &odd : &even) += d[i];
	}
	tenth = ((7 * odd - even) % 10 + 10) % 10;
	out[9] = (char)('0' + tenth);
	out[10] = (char)('0' + (odd + even + tenth) % 10);
	out[11] = '\0';
}

/* Tax number [vergi kimlik numarasi]: nine digits and one that checks them. */
static void
vkn(uint64_t nine, char out[12])
{
	int i, c, n, sum = 0;

	snprintf(out, 12, "%09llu", (unsigned long long)nine);
	for (i = 1; i <= 9; i++) {
		c = (out[9 - i] - '0' + i) % 10;
		if (c != 0) {
			n = c * (1 << i) % 9;
			sum += n == 0 ? 9 : n;
		}
	}
	out[9] = (char)('0' + (10 - sum % 10) % 10);
	out[10] = '\0';
}

/* An identity goes with its registry number, whatever the seed. */
static void
write_investor(FILE *f, const struct sample *s, uint64_t customer)
{
	uint64_t place = place_of(s, customer), state = place, r = sample_next(&state), n;
	char reg[11], no[24];

	sample_registry_no(s, customer, reg);
	n = sample_next(&state);
	if (r % 100 < 3) {
		vkn(place % UINT64_C(1000000000), no);
		fprintf(f, "    <Inv Type=\"VKN\" No=\"%s\" Name=\"%s %s A.Ş.\" Reg=\"%s\"/>\n", no,
		    PICK(family, n), PICK(trade, n / 64), reg);
		return;
	}
	fputs("    <Inv ", f);
	if (r % 100 < 5) {
		fprintf(f, "Type=\"FOREIGN\" No=\"P%010llu\" Ctry=\"%s\"", (unsigned long long)place,
		    PICK(countries, n / 4096));
	} else {
		tckn(place % TCKN_RANGE + UINT64_C(100000000), no);
		fprintf(f, "Type=\"TCKN\" No=\"%s\"", no);
	}
	fprintf(f, " Name=\"%s %s\" Birth=\"%d-%02d-%02d\" Reg=\"%s\"/>\n", PICK(given, n / 64),
	    PICK(family, n), 1945 + (int)(n / 4096 % 60), 1 + (int)(n / 262144 % 12),
	    1 + (int)(n / 4194304 % 28), reg);
}

static int
was_there(const struct sample *s, const struct sample_extra *e)
{
	long i;

	for (i = 0; i < s->nextras_before; i++)
		if (s->extras_before[i].customer == e->customer)
			return 1;
	return 0;
}

/* R6's extra lines are many of one customer, one after another. */
static uint64_t
extras(FILE *f, const struct sample *s)
{
	const struct sample_extra *e;
	uint64_t n = 0;
	long i;

	for (i = 0; i < s->nextras; i++) {
		e = &s->extras[i];
		if (!e->registered || was_there(s, e) || (i > 0 && e[-1].customer == e->customer))
			continue;
		n++;
		if (f != NULL)
			write_investor(f, s, e->customer);
	}
	return n;
}

/*
 * The registry's own request: whom it gave which number before.  All who have
 * something, but for those whose number is planted as unknown; a day after
 * another one tells of those alone who have come since.
 */
int
sample_write_registration(const struct sample *s, const char *name)
{
	struct sample_totals totals = { 0 };
	uint64_t i, all;
	char *path;
	FILE *f;

	if ((f = sample_open(s, name, &path)) == NULL)
		return -1;
	all = s->after ? 0 : sample_direct_customer(s, 0, sample_direct_customers(s));
	totals.records = (long long)(all + extras(NULL, s));
	sample_header(f, s, MT_REGISTRATION_REQUEST, "MKK", &totals);
	fputs("  <Investors>\n", f);
	for (i = 0; i < all && !ferror(f); i++)
		write_investor(f, s, i);
	(void)extras(f, s);
	fputs("  </Investors>\n</RegistrationRequest>\n", f);
	return sample_close(f, path);
}
