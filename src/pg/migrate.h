/* SPDX-License-Identifier: ISC */
/*
 * Migrations: <schema_dir>/sql/NNN-name.sql in the order of their numbers,
 * each in one transaction that also records number, name and the SHA-256 of
 * the file in muhur.schema_migration.  A file that changed or vanished after
 * it was applied is an error: nothing is run.
 */
#ifndef MUHUR_PG_MIGRATE_H
#define MUHUR_PG_MIGRATE_H

#include "base/conf.h"
#include "base/limits.h"
#include "pg/db.h"

#define MIGRATIONS_MAX		1000	/* 000..999 */
#define MIGRATION_NAME_SIZE	100

struct migration {
	int	 number;
	char	 name[MIGRATION_NAME_SIZE];	/* of the file */
	char	 sha256[SHA256_HEX_SIZE];	/* of the file; "" where it is gone */
	char	 applied_at[40];		/* "" where it is pending */
	int	 differs;			/* applied, but the file is another or gone */
};
struct migrations {
	struct migration	*v;
	size_t			 n;
	size_t			 pending, differing;
	int			 version;	/* the highest applied, 0 none */
};

/* Files and table compared.  db: as the owner.  0, or -1 with the cause
 * logged; migrations_free in either case (zero-initialise first). */
int  migrations_read(struct migrations *m, struct db *db, const struct conf *conf);
void migrations_free(struct migrations *m);
/* Apply what is pending, one at a time under a lock, calling done (may be
 * NULL) after each.  The number applied, or -1 with the cause logged. */
int  migrations_apply(struct db *db, const struct conf *conf,
    void (*done)(const struct migration *m));

#endif
