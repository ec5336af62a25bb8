/* SPDX-License-Identifier: ISC */
/*
 * Making the database: the login roles with their secrets, the database
 * itself, the schema.  Everything may be repeated; what stands is kept and
 * put right.  Done as conf->db_owner, who may create roles and databases.
 */
#ifndef MUHUR_PG_ADMIN_H
#define MUHUR_PG_ADMIN_H

#include "base/conf.h"
#include "pg/db.h"

/* Roles (with passwords in secrets_dir), the identity key beside these, database,
 * schema, in this order.
 * 0, or -1 with the cause logged.  Migrations come after (pg/migrate.h). */
int  admin_create(const struct conf *conf);
/* Connect as the owner to the gateway's database. */
int  admin_connect(struct db *db, const struct conf *conf);

#endif
