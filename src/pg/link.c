/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "pg/link.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"

#define DELAY_FIRST	250	/* ms before the second try ... */
#define DELAY_MAX	10000	/* ... doubled up to this */

void
link_init(struct link *l, const struct conf *conf, const char *role,
    const char *password, int (*setup)(struct db *db))
{
	memset(l, 0, sizeof(*l));
	l->conf = conf;
	l->role = role;
	l->password = xstrndup(password, strcspn(password, "\r\n"));
	l->setup = setup;
}

static void
down(struct link *l)
{
	db_close(&l->db);
	l->delay_ms = l->delay_ms == 0 ? DELAY_FIRST : l->delay_ms * 2;
	if (l->delay_ms > DELAY_MAX)
		l->delay_ms = DELAY_MAX;
	l->next_try = clock_monotonic() + (usec_t)l->delay_ms * 1000;
	if (!l->lost && l->spare)
		log_warnx("database: no further connection as %s: work goes on, slower", l->role);
	else if (!l->lost)
		log_alarm("database: not reachable as %s; trying again", l->role);
	l->lost = 1;
}

int
link_up(struct link *l)
{
	if (l->db.conn != NULL && db_ok(&l->db))
		return 1;
	if (l->db.conn != NULL) {
		down(l);
		return 0;
	}
	if (clock_monotonic() < l->next_try)
		return 0;
	if (db_connect(&l->db, l->conf, l->role, l->password) == -1 ||
	    (l->setup != NULL && l->setup(&l->db) == -1)) {
		down(l);
		return 0;
	}
	if (l->lost)
		log_info("database: connected again as %s", l->role);
	l->lost = 0;
	l->connects++;
	l->delay_ms = 0;
	return 1;
}

void
link_recover(struct link *l)
{
	if (l->db.conn == NULL)
		return;
	if (!db_ok(&l->db) || db_rollback(&l->db) == -1)
		down(l);
}

int
link_fd(const struct link *l)
{
	return l->db.conn == NULL ? -1 : PQsocket(l->db.conn);
}

int
link_timeout(const struct link *l, int limit)
{
	usec_t	 left;

	if (l->db.conn != NULL)
		return limit;
	/* rounded up: poll would spin through the last millisecond */
	left = (l->next_try - clock_monotonic() + 999) / 1000;
	if (left < 0)
		left = 0;
	return left < limit ? (int)left : limit;
}

void
link_input(struct link *l, void (*on_notify)(void *arg, const char *channel), void *arg)
{
	PGnotify	*n;

	if (l->db.conn == NULL)
		return;
	if (PQconsumeInput(l->db.conn) != 1) {
		link_recover(l);
		return;
	}
	while ((n = PQnotifies(l->db.conn)) != NULL) {
		if (on_notify != NULL)
			on_notify(arg, n->relname);
		PQfreemem(n);
	}
}
