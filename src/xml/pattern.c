/* SPDX-License-Identifier: ISC */
/*
 * Glushkov's construction: each character or class of the pattern is a
 * position, and what may follow it is known while the text is read; a
 * quantified piece is read once for each time that it may stand.  Sets of
 * positions then become the states of the table.
 */
#include "xml/pattern.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define POSITIONS	192		/* of a pattern, its copies included */
#define STATES		256		/* of a table; 0 is the one that nothing leaves */
#define GROUPS		8		/* open at once */
#define ASCII		128
#define BYTES		256		/* all, also those that no pattern knows */

struct set {
	uint64_t w[POSITIONS / 64];
};

/* A piece of the pattern: where it may begin and end. */
struct part {
	struct set	 first, last;
	int		 empty;		/* it may be nothing */
};

struct reader {
	const char	*at;
	int		 depth;
	int		 failed;	/* not of the kind that is read here */
	int		 n;		/* positions so far */
	uint64_t	 takes[POSITIONS][ASCII / 64];
	struct set	 follow[POSITIONS];
};

struct pattern {
	unsigned char	 accepting[STATES];
	uint16_t	 next[STATES * BYTES];	/* where the next state's row begins in it */
};

static void
set_add(struct set *s, int i)
{
	s->w[i / 64] |= UINT64_C(1) << (i % 64);
}

static int
set_has(const struct set *s, int i)
{
	return s->w[i / 64] >> (i % 64) & 1;
}

static void
set_join(struct set *s, const struct set *more)
{
	size_t	 i;

	for (i = 0; i < POSITIONS / 64; i++)
		s->w[i] |= more->w[i];
}

/* --- characters ---------------------------------------------------------- */

static void
take(uint64_t *c, int from, int to)
{
	for (; from <= to; from++)
		c[from / 64] |= UINT64_C(1) << (from % 64);
}

static void
take_others(uint64_t *c)
{
	c[0] = ~c[0];
	c[1] = ~c[1];
}

static void
take_blanks(uint64_t *c)
{
	take(c, '\t', '\n');
	take(c, '\r', '\r');
	take(c, ' ', ' ');
}

/* One character as itself, -1 where it is none that stands for itself. */
static int
read_plain(struct reader *r, const char *special)
{
	int	 ch = (unsigned char)*r->at;

	if (ch == '\\') {
		ch = (unsigned char)*++r->at;
		if (ch == '\0' || strchr("\\|.-^?*+{}()[]", ch) == NULL)
			return -1;
	} else if (ch < ' ' || ch >= ASCII - 1 || strchr(special, ch) != NULL)
		return -1;
	r->at++;
	return ch;
}

/* \s and \S; 0 where it is another. */
static int
read_blanks(struct reader *r, uint64_t *c)
{
	uint64_t blanks[2] = { 0, 0 };

	if (r->at[0] != '\\' || (r->at[1] != 's' && r->at[1] != 'S'))
		return 0;
	take_blanks(blanks);
	if (r->at[1] == 'S')
		take_others(blanks);
	c[0] |= blanks[0];
	c[1] |= blanks[1];
	r->at += 2;
	return 1;
}

/* What stands in brackets; the opening one has been read. */
static int
read_class(struct reader *r, uint64_t *c)
{
	int	 from, to, not = *r->at == '^';

	r->at += not;
	do {
		if (read_blanks(r, c))
			continue;
		if ((from = to = read_plain(r, "^-[]")) == -1)
			return -1;
		if (*r->at == '-') {
			r->at++;
			if ((to = read_plain(r, "^-[]")) < from)
				return -1;
		}
		take(c, from, to);
	} while (*r->at != ']');
	r->at++;
	if (not)
		take_others(c);
	return 0;
}

static int
read_characters(struct reader *r, uint64_t *c)
{
	int	 ch;

	if (read_blanks(r, c))
		return 0;
	if (*r->at == '[') {
		r->at++;
		return read_class(r, c);
	}
	if ((ch = read_plain(r, ".|?*+{}()[]^$")) == -1)
		return -1;
	take(c, ch, ch);
	return 0;
}

/* --- pieces -------------------------------------------------------------- */

/* What more may follow what a ends with. */
static void
connect(struct reader *r, const struct part *a, const struct set *first)
{
	int	 i;

	for (i = 0; i < r->n; i++)
		if (set_has(&a->last, i))
			set_join(&r->follow[i], first);
}

static void
append(struct reader *r, struct part *a, const struct part *b)
{
	connect(r, a, &b->first);
	if (a->empty)
		set_join(&a->first, &b->first);
	if (!b->empty)
		a->last = (struct set){ { 0 } };
	set_join(&a->last, &b->last);
	a->empty = a->empty && b->empty;
}

static void
expect(struct reader *r, char ch)
{
	if (*r->at == ch)
		r->at++;
	else
		r->failed = 1;
}

static struct part read_branches(struct reader *r);

static struct part
read_atom(struct reader *r)
{
	struct part	 a = { .empty = 0 };

	if (*r->at == '(' && r->depth < GROUPS) {
		r->at++;
		r->depth++;
		a = read_branches(r);
		r->depth--;
		expect(r, ')');
		return a;
	}
	if (r->n == POSITIONS || read_characters(r, r->takes[r->n]) == -1) {
		r->failed = 1;
		return a;
	}
	set_add(&a.first, r->n);
	set_add(&a.last, r->n);
	r->n++;
	return a;
}

static int
read_number(struct reader *r)
{
	int	 n = 0;

	if (*r->at < '0' || *r->at > '9')
		r->failed = 1;
	for (; *r->at >= '0' && *r->at <= '9' && n <= POSITIONS; r->at++)
		n = 10 * n + (*r->at - '0');
	return n;
}

/* How often the piece before may stand; most is -1 for any number. */
static void
read_quantity(struct reader *r, int *least, int *most)
{
	static const char	 signs[] = "?*+";
	static const int	 bounds[][2] = { { 0, 1 }, { 0, -1 }, { 1, -1 } };
	const char		*sign = *r->at != '\0' ? strchr(signs, *r->at) : NULL;

	*least = *most = 1;
	if (sign != NULL) {
		*least = bounds[sign - signs][0];
		*most = bounds[sign - signs][1];
		r->at++;
	} else if (*r->at == '{') {
		r->at++;
		*least = *most = read_number(r);
		if (*r->at == ',') {
			r->at++;
			*most = *r->at == '}' ? -1 : read_number(r);
		}
		expect(r, '}');
		if (*most != -1 && (*most < *least || *most == 0))
			r->failed = 1;
	}
}

static struct part
read_piece(struct reader *r)
{
	const char	*begin = r->at;
	struct part	 whole, copy;
	const char	*end;
	int		 i, least, most;

	whole = read_atom(r);
	if (r->failed)
		return whole;
	read_quantity(r, &least, &most);
	if (whole.empty && (least != 1 || most != 1))
		r->failed = 1;		/* libxml2 counts what is nothing in its own way */
	end = r->at;
	if (least == 0)
		whole.empty = 1;
	if (most == -1 && least <= 1)
		connect(r, &whole, &whole.first);
	for (i = 1; i < (most == -1 ? least : most) && !r->failed; i++) {
		r->at = begin;
		copy = read_atom(r);
		if (i >= least)
			copy.empty = 1;
		if (most == -1 && i == least - 1)
			connect(r, &copy, &copy.first);
		append(r, &whole, &copy);
	}
	r->at = end;
	return whole;
}

static struct part
read_branches(struct reader *r)
{
	struct part	 all = { .empty = 0 }, branch, piece;

	for (;;) {
		branch = (struct part){ .empty = 1 };
		while (*r->at != '\0' && *r->at != '|' && *r->at != ')' && !r->failed) {
			piece = read_piece(r);
			append(r, &branch, &piece);
		}
		set_join(&all.first, &branch.first);
		set_join(&all.last, &branch.last);
		all.empty |= branch.empty;
		if (*r->at != '|' || r->failed)
			return all;
		r->at++;
	}
}

/* --- the table ----------------------------------------------------------- */

/* The state that stands for this set of positions; -1: there are too many. */
static int
state_of(const struct set *s, struct set *known, int *n)
{
	int	 i;

	for (i = 0; i < *n; i++)
		if (memcmp(&known[i], s, sizeof(*s)) == 0)
			return i;
	if (*n == STATES)
		return -1;
	known[*n] = *s;
	return (*n)++;
}

/* What may come next, as a list. */
struct choice {
	int	 v[POSITIONS];
	int	 n;
};

static void
list_of(const struct set *s, int positions, struct choice *out)
{
	int	 i;

	for (out->n = i = 0; i < positions; i++)
		if (set_has(s, i))
			out->v[out->n++] = i;
}

/* What of it takes ch. */
static void
step(const struct reader *r, const struct choice *may, int ch, struct set *out)
{
	int	 i;

	*out = (struct set){ { 0 } };
	for (i = 0; i < may->n; i++)
		if (r->takes[may->v[i]][ch / 64] >> (ch % 64) & 1)
			set_add(out, may->v[i]);
}

static int
fill(struct pattern *p, const struct reader *r, const struct part *whole)
{
	struct set	*known = xcalloc(STATES, sizeof(*known)), may, to;
	struct choice	 choice;
	int		 i, s, ch, next, n = 1, rc = -1;

	/* State 0 is no position at all, 1 the beginning, which is no set of
	 * positions either: it is told apart by one that no pattern has. */
	set_add(&known[n++], POSITIONS - 1);
	p->accepting[1] = (unsigned char)whole->empty;
	for (s = 1; s < n; s++) {
		may = s == 1 ? whole->first : (struct set){ { 0 } };
		for (i = 0; s > 1 && i < r->n; i++)
			if (set_has(&known[s], i)) {
				set_join(&may, &r->follow[i]);
				p->accepting[s] |= (unsigned char)set_has(&whole->last, i);
			}
		list_of(&may, r->n, &choice);
		for (ch = 0; ch < ASCII; ch++) {
			step(r, &choice, ch, &to);
			if ((next = state_of(&to, known, &n)) == -1)
				goto out;
			p->next[s * BYTES + ch] = (uint16_t)(next * BYTES);
		}
	}
	rc = 0;
out:
	free(known);
	return rc;
}

struct pattern *
pattern_new(const char *text)
{
	struct reader	*r = xcalloc(1, sizeof(*r));
	struct pattern	*p = xcalloc(1, sizeof(*p)), *out = NULL;
	struct part	 whole;

	r->at = text;
	whole = read_branches(r);
	if (!r->failed && *r->at == '\0' && r->n < POSITIONS && fill(p, r, &whole) == 0) {
		out = p;
		p = NULL;
	}
	free(r);
	free(p);
	return out;
}

void
pattern_free(struct pattern *p)
{
	free(p);
}

int
pattern_accepts(const struct pattern *p, const unsigned char *s, size_t len)
{
	size_t	 row = BYTES, i;	/* state 1 */

	for (i = 0; i < len; i++)
		row = p->next[row + s[i]];
	return p->accepting[row / BYTES];
}
