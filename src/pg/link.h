/* SPDX-License-Identifier: ISC */
/* The process's connection to the database, made again with back-off when the
 * database goes away. */
#ifndef MUHUR_PG_LINK_H
#define MUHUR_PG_LINK_H

#include "base/clock.h"
#include "base/conf.h"
#include "pg/db.h"

struct link {
	struct db		 db;
	const struct conf	*conf;
	const char		*role;		/* database role */
	char			*password;	/* owned */
	/* After each connect: LISTEN, settings.  0 or -1.  May be NULL. */
	int			(*setup)(struct db *db);
	usec_t			 next_try;	/* clock_monotonic */
	int			 delay_ms;	/* before the next try; 0 after success */
	unsigned		 connects;	/* how often it was made */
	int			 lost;		/* told as an alarm, not yet back */
	int			 spare;		/* the caller's: work goes on without it, so no alarm */
};

/* password: the text of the password file; copied without its line end. */
void link_init(struct link *l, const struct conf *conf, const char *role,
    const char *password, int (*setup)(struct db *db));
/* 1 where the connection stands, made now if it is time to try; else 0. */
int  link_up(struct link *l);
/* After a failed statement: leaves any transaction; a broken connection is
 * closed and will be made again. */
void link_recover(struct link *l);
int  link_fd(const struct link *l);		/* for poll; -1 while down */
/* Milliseconds until the next try, at most limit; limit while it stands. */
int  link_timeout(const struct link *l, int limit);
/* After POLLIN on link_fd: takes in notifications, calling on_notify with the
 * channel of each. */
void link_input(struct link *l, void (*on_notify)(void *arg, const char *channel), void *arg);

#endif
