/* SPDX-License-Identifier: ISC */
/* What moved between two days: movements and their netting (m.10(2)c, 33(1)). */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "muhur/sample.h"

static void
move(struct sample_move *m, const char *type, __int128 quantity, int reverses)
{
	m->type = type;
	m->quantity.scaled = quantity;
	m->reverses = reverses;
}

/* How a line came from the day before to this one: one to three movements
 * that add up to the difference, and what was locked of it apart (m.10(4)). */
int
sample_moves(const struct sample *s, int platform, uint64_t customer,
    const struct sample_line *l, struct sample_move out[MOVES_MAX])
{
	__int128 d = l->quantity.scaled - l->before.scaled, unit = sample_unit(l->asset).scaled, fee;
	uint64_t r = sample_mix(s, customer * NPLATFORMS + (uint64_t)platform,
	    (uint64_t)s->date * 64 + (uint64_t)l->asset * 4 + (uint64_t)l->place);
	const char *const in = r & 16 ? "BUY" : "TRANSFER_IN", *const away = r & 16 ? "SELL" : "TRANSFER_OUT";
	int n = 0;

	if (d == 0)
		return 0;
	fee = ((d < 0 ? -d : d) / unit / 500 + 1) * unit;
	if (r % 3 == 0) {
		move(&out[n++], d > 0 ? in : away, d, 0);
	} else if (r % 3 == 1) {
		move(&out[n++], "FEE", -fee, 0);
		if (d + fee != 0)
			move(&out[n++], d + fee > 0 ? in : away, d + fee, 0);
	} else {
		/* one that was booked by mistake, and its reversal (S2 section A) */
		move(&out[n++], in, fee, 0);
		move(&out[n++], "CORRECTION", -fee, 1);
		move(&out[n++], d > 0 ? in : away, d, 0);
	}
	d = l->locked.scaled - l->locked_before.scaled;
	if (d != 0)
		move(&out[n++], "LOCK", d, 0);
	return n;
}

/* One customer's net of one asset, over all places.  0 where nothing moved. */
static int
net_of(const struct sample_line *lines, int n, int first, struct decimal *open, struct decimal *close)
{
	int i, moved = 0, asset = lines[first].asset;

	open->scaled = close->scaled = 0;
	for (i = 0; i < n; i++) {
		if (lines[i].asset != asset)
			continue;
		if (i < first)
			return 0;	/* told of with the earlier line */
		sample_add_to(open, lines[i].before);
		sample_add_to(close, lines[i].quantity);
		moved |= decimal_cmp(lines[i].before, lines[i].quantity) != 0;
	}
	return moved;
}

void
sample_count(struct sample_totals *t, int asset, struct decimal q)
{
	sample_add_to(&t->sum[asset], q);
	t->occurs[asset]++;
	t->records++;
}

static void
count_move(struct sample *s, int platform, int asset, struct decimal open, struct decimal close)
{
	sample_count(&s->nets[platform], asset, close);
	close.scaled -= open.scaled;
	sample_count(&s->moves[platform], asset, close);
}

void
sample_count_moves(struct sample *s, int platform, uint64_t customer,
    const struct sample_line *lines, int n)
{
	struct sample_move moves[MOVES_MAX];
	struct sample_mover *m;
	struct decimal open, close;
	int i, j, count;

	for (i = 0; i < n; i++) {
		count = sample_moves(s, platform, customer, &lines[i], moves);
		for (j = 0; j < count; j++)
			sample_count(&s->moves[platform], lines[i].asset, moves[j].quantity);
		if (!net_of(lines, n, i, &open, &close))
			continue;
		sample_count(&s->nets[platform], lines[i].asset, close);
		m = &s->mover[platform][lines[i].asset];
		if (!m->any && decimal_cmp(open, close) != 0) {
			m->any = 1;
			m->customer = customer;
			m->open = open;
			m->close = close;
			for (j = i; sample_moves(s, platform, customer, &lines[j], moves) == 0; j++)
				;
			m->first = moves[0].quantity;
		}
	}
}

/* What that customer's planted lines of the asset come to; *first: of them. */
static struct decimal
planted(const struct sample_extra *v, long n, const struct sample_extra *key, long *first)
{
	struct decimal sum = { 0 };
	long i;

	*first = -1;
	for (i = 0; i < n; i++) {
		if (v[i].platform != key->platform || v[i].customer != key->customer || v[i].asset != key->asset)
			continue;
		if (*first == -1)
			*first = i;
		sample_add_to(&sum, v[i].quantity);
	}
	return sum;
}

int
sample_gone(const struct sample *s, const struct sample_extra *before)
{
	long first;

	(void)planted(s->extras, s->nextras, before, &first);
	return first == -1;
}

/* Calls for each planted line that was not there the day before, or is gone
 * since: with a market that has a day before, these moved as well. */
static void
extras(const struct sample *s, int platform, void (*each)(void *, const struct sample *,
    const struct sample_extra *, struct decimal, struct decimal), void *arg)
{
	const struct sample_extra *e;
	struct decimal open, close;
	long i, first;

	if (!s->after)
		return;
	for (i = 0; i < s->nextras; i++) {
		e = &s->extras[i];
		close = planted(s->extras, s->nextras, e, &first);
		if (e->platform != platform || first != i)
			continue;
		open = planted(s->extras_before, s->nextras_before, e, &first);
		if (decimal_cmp(open, close) != 0)
			each(arg, s, e, open, close);
	}
	for (i = 0; i < s->nextras_before; i++) {
		e = &s->extras_before[i];
		open = planted(s->extras_before, s->nextras_before, e, &first);
		if (e->platform != platform || first != i)
			continue;
		close.scaled = 0;
		if (sample_gone(s, e) && open.scaled != 0)
			each(arg, s, e, open, close);
	}
}

static void
count_extra(void *arg, const struct sample *s, const struct sample_extra *e, struct decimal open,
    struct decimal close)
{
	(void)s;
	count_move(arg, e->platform, e->asset, open, close);
}

/* The totals of the movements of the day that are left out go as well. */
static void
uncount_mover(struct sample *s, int platform, int asset)
{
	const struct sample_mover *m = &s->mover[platform][asset];
	struct sample_move moves[MOVES_MAX];
	struct sample_line lines[LINES_MAX];
	struct sample_walk w;
	struct decimal d;
	uint64_t customer;
	int i, j, n, count;

	sample_begin(&w, platform);
	while ((n = sample_customer(s, &w, &customer, lines)) > 0 && customer != m->customer)
		;
	for (i = 0; i < n; i++) {
		if (lines[i].asset != asset)
			continue;
		count = sample_moves(s, platform, customer, &lines[i], moves);
		for (j = 0; j < count; j++) {
			d.scaled = -moves[j].quantity.scaled;
			sample_add_to(&s->moves[platform].sum[asset], d);
			s->moves[platform].occurs[asset]--;
			s->moves[platform].records--;
		}
	}
	d.scaled = -m->close.scaled;
	sample_add_to(&s->nets[platform].sum[asset], d);
	s->nets[platform].occurs[asset]--;
	s->nets[platform].records--;
}

void
sample_count_extras(struct sample *s)
{
	int platform, asset;

	for (platform = 0; platform < NPLATFORMS; platform++) {
		extras(s, platform, count_extra, s);
		for (asset = 0; asset < NASSETS; asset++)
			if (s->unbooked[platform][asset])
				uncount_mover(s, platform, asset);
	}
}

struct out {
	FILE	*f;
	int	 platform;
	/* whose movement of which asset is being written, and how many were */
	uint64_t customer;
	int	 asset, nth;
	char	 date[DATE_SIZE];
};

static void
move_id(const struct out *o, int nth, char id[MESSAGE_ID_SIZE])
{
	snprintf(id, MESSAGE_ID_SIZE, "%.4s%.2s%.2s-%llu-%d-%d", o->date, o->date + 5, o->date + 8,
	    (unsigned long long)o->customer, o->asset, nth);
}

/* Within the business day, on whatever second; outside is a minute too late. */
static void
write_move(struct out *o, const struct sample *s, const struct sample_move *m, int outside)
{
	usec_t from = day_close(s->date - 1), to = day_close(s->date), at;
	uint64_t r = sample_mix(s, o->customer, (uint64_t)(o->asset * 16 + o->nth));
	char reg[11], cust[16], q[DECIMAL_SIZE], when[TIME_SIZE], id[MESSAGE_ID_SIZE], reversed[MESSAGE_ID_SIZE];

	at = from + (usec_t)(r % (uint64_t)((to - from) / USEC_PER_SEC)) * USEC_PER_SEC;
	time_format(outside ? to + 60 * USEC_PER_SEC : at, when);
	sample_registry_no(s, o->customer, reg);
	sample_customer_no(sample_platforms[o->platform], o->customer, cust);
	decimal_format(m->quantity, q);
	move_id(o, o->nth, id);
	fprintf(o->f, "    <Mov Id=\"%s\" Reg=\"%s\" Cust=\"%s\" Asset=\"%s\" Type=\"%s\" Qty=\"%s\" At=\"%s\"",
	    id, reg, cust, sample_assets[o->asset].dti, m->type, q, when);
	if (strncmp(m->type, "TRANSFER", 8) == 0)
		fprintf(o->f, " Tx=\"%016llx%016llx\"", (unsigned long long)r,
		    (unsigned long long)sample_mix(s, r, (uint64_t)s->date));
	if (m->reverses != 0) {
		move_id(o, o->nth - 1, reversed);
		fprintf(o->f, " Rev=\"%s\"", reversed);
	}
	fputs("/>\n", o->f);
	o->nth++;
}

static void
write_moves(struct out *o, const struct sample *s, const struct sample_line *lines, int n)
{
	struct sample_move moves[MOVES_MAX];
	int i, j, count, mine, asset;

	for (i = 0; i < n; i++) {
		asset = lines[i].asset;
		if (i == 0 || asset != o->asset)
			o->nth = 0;
		o->asset = asset;
		mine = s->mover[o->platform][asset].any && s->mover[o->platform][asset].customer == o->customer;
		if (mine && s->unbooked[o->platform][asset])
			continue;
		count = sample_moves(s, o->platform, o->customer, &lines[i], moves);
		for (j = 0; j < count; j++)
			write_move(o, s, &moves[j], mine && s->outside[o->platform][asset] && o->nth == 0);
	}
}

static void
write_extra_move(void *arg, const struct sample *s, const struct sample_extra *e, struct decimal open,
    struct decimal close)
{
	struct out *o = arg;
	struct sample_move m;

	o->customer = e->customer;
	o->asset = e->asset;
	o->nth = 0;
	move(&m, close.scaled > open.scaled ? "TRANSFER_IN" : "TRANSFER_OUT", close.scaled - open.scaled, 0);
	write_move(o, s, &m, 0);
}

static void
write_net(struct out *o, const struct sample *s, int asset, struct decimal open, struct decimal close,
    int wrong)
{
	char reg[11], cust[16], opened[DECIMAL_SIZE], net[DECIMAL_SIZE], closed[DECIMAL_SIZE];
	struct decimal d;

	d.scaled = close.scaled - open.scaled + (wrong ? sample_unit(asset).scaled : 0);
	sample_registry_no(s, o->customer, reg);
	sample_customer_no(sample_platforms[o->platform], o->customer, cust);
	decimal_format(open, opened);
	decimal_format(d, net);
	decimal_format(close, closed);
	fprintf(o->f, "    <Net Reg=\"%s\" Cust=\"%s\" Asset=\"%s\" Open=\"%s\" Net=\"%s\" Close=\"%s\"/>\n",
	    reg, cust, sample_assets[asset].dti, opened, net, closed);
}

static void
write_nets(struct out *o, const struct sample *s, const struct sample_line *lines, int n)
{
	struct decimal open, close;
	int i, mine, asset;

	for (i = 0; i < n; i++) {
		asset = lines[i].asset;
		mine = s->mover[o->platform][asset].any && s->mover[o->platform][asset].customer == o->customer;
		if (!net_of(lines, n, i, &open, &close) || (mine && s->unbooked[o->platform][asset]))
			continue;
		write_net(o, s, asset, open, close, mine && s->misnetted[o->platform][asset]);
	}
}

static void
write_extra_net(void *arg, const struct sample *s, const struct sample_extra *e, struct decimal open,
    struct decimal close)
{
	struct out *o = arg;

	o->customer = e->customer;
	write_net(o, s, e->asset, open, close, 0);
}

/* What the two reports of what moved do not have in common. */
struct flow {
	enum message_type	 type;
	const char		*list;		/* the element around its records */
	void	(*lines)(struct out *, const struct sample *, const struct sample_line *, int);
	void	(*extra)(void *, const struct sample *, const struct sample_extra *, struct decimal,
	    struct decimal);
};
static const struct flow movements = { MT_MOVEMENT_REPORT, "Movements", write_moves, write_extra_move };
static const struct flow nettings = { MT_NETTING_REPORT, "Nettings", write_nets, write_extra_net };

static int
write_flow(const struct flow *flow, const struct sample *s, int platform, const struct sample_totals *totals,
    const char *name)
{
	struct out o = { .platform = platform };
	struct sample_line lines[LINES_MAX];
	struct sample_walk w;
	char *path;
	int n;

	if ((o.f = sample_open(s, name, &path)) == NULL)
		return -1;
	date_format(s->date, o.date);
	sample_header(o.f, s, flow->type, sample_platforms[platform], totals);
	fprintf(o.f, "  <%s>\n", flow->list);
	sample_begin(&w, platform);
	while ((n = sample_customer(s, &w, &o.customer, lines)) > 0 && !ferror(o.f))
		flow->lines(&o, s, lines, n);
	extras(s, platform, flow->extra, &o);
	fprintf(o.f, "  </%s>\n</%s>\n", flow->list, message_type_name(flow->type));
	return sample_close(o.f, path);
}

int
sample_write_movements(const struct sample *s, int platform, const char *name)
{
	return write_flow(&movements, s, platform, &s->moves[platform], name);
}

int
sample_write_nettings(const struct sample *s, int platform, const char *name)
{
	return write_flow(&nettings, s, platform, &s->nets[platform], name);
}
