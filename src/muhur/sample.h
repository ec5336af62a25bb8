/* SPDX-License-Identifier: ISC */
/*
 * The test market of `muhur sample'.  Everything follows from the seed by
 * integer arithmetic, line by line: a customer's lines are computed again
 * where they are needed and never kept, so a day of any size takes the same
 * memory.
 *
 * Days fit together.  A line's place is the same every day, and its quantity
 * walks with the date around that of the seed, so that one day's balances are
 * the day before's and its movements (m.33(1)).
 *
 * Quantities are in struct decimal; prices in 1/10000 of a lira; values in
 * 10^-22 of a lira, the product of the two.
 */
#ifndef MUHUR_MUHUR_SAMPLE_H
#define MUHUR_MUHUR_SAMPLE_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/limits.h"
#include "model/decimal.h"
#include "model/header.h"

enum { PLA, PLB, NPLATFORMS };
enum { CUA, CUB, NCUSTODIANS, OWN = NCUSTODIANS, NPLACES };
enum { NLISTED = 10, NASSETS = 14 };	/* the rest only where planted */
#define LINES_MAX	8		/* of one customer at one platform */
#define SAMPLE_CUSTOMERS_MAX	UINT64_C(1000000000)	/* customer numbers have nine digits */
#define SAMPLE_BREAKS_MAX	100000

struct sample_asset {
	const char	*dti;
	int		 decimals;
	int64_t		 most;		/* whole units a customer has, less than this */
	int64_t		 price;		/* TRY, in 1/10000 */
	const char	*cap;		/* market value, USD */
	const char	*listed;	/* its first listing; NULL: 1 January of the day's year */
	int		 reserve;	/* parts of a platform's reserve */
};
extern const struct sample_asset sample_assets[NASSETS];
extern const char *const sample_platforms[NPLATFORMS];
extern const char *const sample_custodians[NCUSTODIANS];
int sample_contracted(int platform, int custodian);

/* What a platform says of one customer, place and asset; the end of the day
 * and that of the day before. */
struct sample_line {
	int		 place, asset;
	struct decimal	 base;		/* around which the quantity walks */
	struct decimal	 quantity, locked;
	struct decimal	 before, locked_before;
};

/* A platform's customers in order.  What they have of each asset so far
 * decides where the next one's is held: platforms keep a small part (m.41(1)). */
struct sample_walk {
	int		 platform;
	uint64_t	 next;
	__int128	 all[NLISTED], own[NLISTED];
};

/* A sum for each asset that occurs in the records of a report. */
struct sample_totals {
	struct decimal	 sum[NASSETS];
	long long	 occurs[NASSETS];	/* of the records */
	long long	 records;
};

/* A line that is there because of a planted fault, of a customer with no other. */
struct sample_extra {
	int		 platform, asset;
	char		 held[MEMBER_CODE_SIZE];	/* as the balance report says */
	struct decimal	 quantity;
	uint64_t	 customer;
	int		 registered;
};

struct plant {
	const char	*rule, *kind;
	int		 follows;		/* from others; nothing of its own was planted */
	int		 platform;		/* -1: none */
	char		 custodian[MEMBER_CODE_SIZE];	/* "": none */
	int		 asset;			/* -1: none */
	int		 has_claimed, has_held;	/* the two below mean something */
	struct decimal	 claimed, held;
	uint64_t	 customer;		/* whose record it is; NONE */
};

struct sample {
	uint64_t	 seed, customers;
	long		 breaks;
	int		 after;			/* the day before was exchanged, */
	long		 breaks_before;		/* with so many breaks */
	date_t		 date;
	const char	*dir;
	/* sums of the balances without what is planted, and their number */
	struct decimal	 claimed[NPLATFORMS][NPLACES][NASSETS];
	struct decimal	 base[NPLATFORMS][NPLACES][NASSETS];
	long long	 lines[NPLATFORMS];
	struct sample_totals	moves[NPLATFORMS], nets[NPLATFORMS];
	/* the first customer whose line of the key can be split; NONE */
	uint64_t	 splittable[NPLATFORMS][NPLACES][NASSETS];
	/* the first customer whose balance of the asset moves on the day, if any */
	struct sample_mover {
		int		 any;
		uint64_t	 customer;
		struct decimal	 open, close;
		struct decimal	 first;	/* its first movement */
	} mover[NPLATFORMS][NASSETS];
	/* what is planted */
	struct plant	*plants;		/* nplants of them, the first nfaults planted */
	long		 nplants, nfaults, plants_size;
	struct sample_extra	*extras;
	long		 nextras;
	struct sample_extra	*extras_before;	/* of the day before */
	long		 nextras_before;
	int		 split[NPLATFORMS][NPLACES][NASSETS];
	struct decimal	 held[NCUSTODIANS][NPLATFORMS][NASSETS];
	struct decimal	 wallet[NPLATFORMS][NASSETS];	/* customers' own, 23:59 */
	int		 unbooked[NPLATFORMS][NASSETS];	/* the mover's movements are left out */
	int		 misnetted[NPLATFORMS][NASSETS];	/* its net is wrong by one unit */
	int		 outside[NPLATFORMS][NASSETS];	/* its first movement is not of the day */
	int		 left_out[NCUSTODIANS];	/* its report is missing */
	int		 too_hot[NCUSTODIANS];
	int		 short_reserve[NPLATFORMS];
	int		 heavy_reserve[NPLATFORMS];	/* 1 + the asset; 0: none */
};
#define NONE	UINT64_MAX

/* sample_market.c */
/* A number of the market's own for (a, b), the same for the same seed. */
uint64_t sample_mix(const struct sample *s, uint64_t a, uint64_t b);
uint64_t sample_next(uint64_t *state);
struct decimal sample_unit(int asset);		/* the smallest quantity */
void sample_quantity(uint64_t *state, int asset, struct decimal *q);
/* of a platform (m.42(4)), on the day */
int64_t sample_price(const struct sample *s, int platform, int asset);
int64_t sample_usd(const struct sample *s);	/* TRY, in 1/10000 */
/* The platform's next customer and its lines: their number, or 0 at the end. */
void sample_begin(struct sample_walk *w, int platform);
int  sample_customer(const struct sample *s, struct sample_walk *w, uint64_t *customer,
    struct sample_line out[LINES_MAX]);
void sample_add_to(struct decimal *sum, struct decimal d);	/* fatal where it is too large */
void sample_add(struct sample *s);		/* fills claimed to mover */

/* All sides of the platform's totals are in: R2, and R6 to R8, are judged. */
int  sample_whole(const struct sample *s, int platform);

/* sample_people.c: who the customers are. */
void sample_registry_no(const struct sample *s, uint64_t customer, char out[11]);
void sample_customer_no(const char *member, uint64_t customer, char out[16]);
/* A custodian has customers of its own (m.24(2)), so many; the nth of one. */
uint64_t sample_direct_customers(const struct sample *s);
uint64_t sample_direct_customer(const struct sample *s, int custodian, uint64_t nth);
/* The nth of those with an extra line; the market knows all, the registry
 * only those that are registered. */
uint64_t sample_extra_customer(const struct sample *s, long nth, int registered);
int  sample_write_registration(const struct sample *s, const char *name);

/* sample_flow.c: what moved. */
#define MOVES_MAX	4		/* of one line on one day */
struct sample_move {
	const char	*type;
	struct decimal	 quantity;
	int		 reverses;	/* the one before it */
};
int  sample_moves(const struct sample *s, int platform, uint64_t customer,
    const struct sample_line *l, struct sample_move out[MOVES_MAX]);
/* Adds a customer's movements and nets of the day to the totals. */
void sample_count_moves(struct sample *s, int platform, uint64_t customer,
    const struct sample_line *lines, int n);
void sample_count_extras(struct sample *s);
/* Is a line of the day before not there any more? */
int  sample_gone(const struct sample *s, const struct sample_extra *before);
int  sample_write_movements(const struct sample *s, int platform, const char *name);
int  sample_write_nettings(const struct sample *s, int platform, const char *name);

/* sample_breaks.c: fills what is planted. */
void sample_plan(struct sample *s);
struct plant *sample_new_plant(struct sample *s, const char *rule, const char *kind, int platform,
    const char *custodian, int asset);

/* sample_limits.c: adds what follows from what was planted. */
void sample_follow(struct sample *s);
/* A limit that was broken the day before, and that a missing report keeps from
 * being judged on this one, is still broken. */
void sample_go_on(struct sample *s, const struct sample *before);
__int128 sample_value(const struct sample *s, int platform, int asset, struct decimal q);
/* In wallets of the platform's own at one of the moments of its report; 0 is 23:59. */
#define MOMENTS		3
struct decimal sample_wallet(const struct sample *s, int platform, int asset, int moment);
usec_t sample_moment(const struct sample *s, int moment);
/* sample_own.c: a platform's liquid reserve: crypto-assets, a deposit in TRY, a
 * fund in USD.  Weights in hundredths. */
struct sample_reserve {
	struct decimal	 crypto[NASSETS], lira, dollars;
};
void sample_reserve(const struct sample *s, int platform, struct sample_reserve *r);
int  sample_weight(int asset);
/* sample_write.c: what a custodian keeps of an asset for a platform; pending
 * is of hot.  And for the nth of its own customers. */
struct sample_kept {
	struct decimal	 hot, cold, pending;
};
struct sample_kept sample_kept(const struct sample *s, int custodian, int platform, int asset);
struct decimal sample_direct(const struct sample *s, int custodian, uint64_t nth, int *asset);

/* sample_manifest.c: the manifest, or NULL with the cause logged. */
void sample_note_file(json_t *files, enum message_type type, const char *member, const char *name);
json_t *sample_write_manifest(const struct sample *s, json_t *files);

/* sample_own.c, sample_write.c: 0, or -1 with the cause logged.  name is of
 * the dir. */
int  sample_write_balances(const struct sample *s, int platform, const char *name);
int  sample_write_custody(const struct sample *s, int custodian, const char *name);
int  sample_write_holding(const struct sample *s, int platform, const char *name);
int  sample_write_listing(const struct sample *s, int platform, const char *name);
int  sample_write_reference(const struct sample *s, const char *name);

/* What every report begins and ends with. */
FILE *sample_open(const struct sample *s, const char *name, char **path);
int  sample_close(FILE *f, char *path);
void sample_header(FILE *f, const struct sample *s, enum message_type type,
    const char *member, const struct sample_totals *totals);
void sample_count(struct sample_totals *t, int asset, struct decimal q);

#endif
