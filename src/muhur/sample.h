/* SPDX-License-Identifier: ISC */
/*
 * The test market of `muhur sample'.  Everything follows from the seed by
 * integer arithmetic, line by line: a customer's lines are computed again
 * where they are needed and never kept, so a day of any size takes the same
 * memory.
 */
#ifndef MUHUR_MUHUR_SAMPLE_H
#define MUHUR_MUHUR_SAMPLE_H

#include <jansson.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/limits.h"
#include "model/decimal.h"
#include "model/header.h"

enum { PLA, PLB, NPLATFORMS };
enum { CUA, CUB, NCUSTODIANS, OWN = NCUSTODIANS, NPLACES };
enum { NLISTED = 10, NASSETS = 14 };	/* the rest only custodians report, when planted */
#define LINES_MAX	8		/* of one customer at one platform */

struct sample_asset {
	const char	*dti;
	int		 decimals;
	int64_t		 most;		/* whole units a customer has, less than this */
	int64_t		 price;		/* TRY, in 1/10000 */
};
extern const struct sample_asset sample_assets[NASSETS];
extern const char *const sample_platforms[NPLATFORMS];
extern const char *const sample_custodians[NCUSTODIANS];
int sample_contracted(int platform, int custodian);

struct sample_line {
	int		 place, asset;
	struct decimal	 quantity, locked;
};

struct plant {
	const char	*rule, *kind;
	int		 platform;		/* -1: none */
	char		 custodian[MEMBER_CODE_SIZE];	/* "": none */
	int		 asset;			/* -1: none */
	int		 quantities;		/* the two below mean something */
	struct decimal	 claimed, held;
	int		 extra;			/* a balance line of its own, by that customer */
	uint64_t	 customer;		/* of an extra or a split line */
};

struct sample {
	uint64_t	 seed, customers;
	long		 breaks;
	date_t		 date;
	const char	*dir;
	/* sums of the balances without what is planted, and their number */
	struct decimal	 claimed[NPLATFORMS][NPLACES][NASSETS];
	long long	 lines[NPLATFORMS];
	/* the first customer whose line of the key can be split; NONE */
	uint64_t	 splittable[NPLATFORMS][NPLACES][NASSETS];
	/* what is planted */
	struct plant	*plants;		/* nplants of them */
	long		 nplants;
	int		 split[NPLATFORMS][NPLACES][NASSETS];
	struct decimal	 held[NCUSTODIANS][NPLATFORMS][NASSETS];
	int		 left_out[NCUSTODIANS];	/* its report is missing */
};
#define NONE	UINT64_MAX

/* sample_market.c */
/* A number of the market's own for (a, b), the same for the same seed. */
uint64_t sample_mix(const struct sample *s, uint64_t a, uint64_t b);
uint64_t sample_next(uint64_t *state);
struct decimal sample_unit(int asset);		/* the smallest quantity */
int  sample_is_customer(const struct sample *s, int platform, uint64_t customer);
int  sample_lines(const struct sample *s, int platform, uint64_t customer,
    struct sample_line out[LINES_MAX]);
void sample_quantity(uint64_t *state, int asset, struct decimal *q);
void sample_registry_no(const struct sample *s, uint64_t customer, char out[11]);
void sample_customer_no(const char *member, uint64_t customer, char out[16]);
uint64_t sample_direct_customers(const struct sample *s);
void sample_add(struct sample *s);		/* fills claimed, lines, splittable */

/* sample_breaks.c: fills plants, split, held, left_out. */
void sample_plan(struct sample *s);
json_t *sample_breaks_json(const struct sample *s);

/* sample_write.c: 0, or -1 with the cause logged.  name is of the dir. */
int  sample_write_balances(const struct sample *s, int platform, const char *name);
int  sample_write_custody(const struct sample *s, int custodian, const char *name);

#endif
