/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "pg/copy.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

/* --- in ------------------------------------------------------------------------- */

int
db_copy_in(struct db *db, const char *sql)
{
	PGresult	*res;
	int		 rc = -1;

	if (db->conn == NULL)
		return -1;
	res = PQexec(db->conn, sql);
	if (PQresultStatus(res) == PGRES_COPY_IN)
		rc = 0;
	else
		db_failed(db, res, NULL, sql);
	PQclear(res);
	return rc;
}

int
db_copy_put(struct db *db, const char *data, size_t len)
{
	size_t	 n;

	for (; len > 0; data += n, len -= n) {
		n = len > (1 << 20) ? (1 << 20) : len;
		if (PQputCopyData(db->conn, data, (int)n) != 1) {
			db_failed(db, NULL, NULL, "COPY data");
			return -1;
		}
	}
	return 0;
}

/* Take the results that end a COPY FROM. */
static int
copy_results(struct db *db, const char *quiet)
{
	PGresult	*res;
	int		 rc = 0;

	while ((res = PQgetResult(db->conn)) != NULL) {
		if (PQresultStatus(res) != PGRES_COMMAND_OK) {
			if (rc == 0)
				db_failed(db, res, quiet, "COPY");
			rc = -1;
		}
		PQclear(res);
		if (!db_ok(db))
			return -1;
	}
	return rc;
}

int
db_copy_end(struct db *db)
{
	if (PQputCopyEnd(db->conn, NULL) != 1) {
		db_failed(db, NULL, NULL, "COPY end");
		return -1;
	}
	return copy_results(db, NULL);
}

/* The server ends the COPY as failed (57014): that is the wish here. */
int
db_copy_cancel(struct db *db, const char *why)
{
	if (PQputCopyEnd(db->conn, why) != 1) {
		db_failed(db, NULL, NULL, "COPY cancel");
		return -1;
	}
	(void)copy_results(db, "57014");
	return db_ok(db) ? 0 : -1;
}

/* --- out ------------------------------------------------------------------------ */

struct lane {
	struct db	*db;
	size_t		 which;		/* of the queries */
	enum { IDLE, ASKED, COPYING, ENDING } state;
};

struct copies {
	struct lane	*lanes;
	size_t		 n;
	const char *const *sql;
	size_t		 nsql, next;
	copy_row	*row;
	void		*arg;
	int		 failed;	/* the rest is not wanted */
};

/* Nothing more is begun, and what runs is cancelled. */
static void
fail(struct copies *c)
{
	size_t i;

	if (c->failed)
		return;
	c->failed = 1;
	for (i = 0; i < c->n; i++)
		if ((c->lanes[i].state == ASKED || c->lanes[i].state == COPYING) && db_ok(c->lanes[i].db))
			db_cancel(c->lanes[i].db);
}

static void
begin(struct copies *c, struct lane *l)
{
	if (c->failed || c->next == c->nsql)
		return;
	l->which = c->next++;
	if (l->db->conn == NULL || PQsendQuery(l->db->conn, c->sql[l->which]) != 1) {
		if (l->db->conn != NULL)
			db_failed(l->db, NULL, NULL, c->sql[l->which]);
		fail(c);
		return;
	}
	l->state = ASKED;
}

/* The results that are there already: 1, or 0 where more has to come. */
static int
take_results(struct copies *c, struct lane *l)
{
	PGresult *res;

	while (!PQisBusy(l->db->conn)) {
		if ((res = PQgetResult(l->db->conn)) == NULL) {
			l->state = IDLE;
			return 1;
		}
		switch (PQresultStatus(res)) {
		case PGRES_COPY_OUT:
			l->state = COPYING;
			PQclear(res);
			return 1;
		case PGRES_COMMAND_OK:
			break;
		default:
			db_failed(l->db, res, c->failed ? "57014" : NULL, c->sql[l->which]);
			l->state = ENDING;
			fail(c);
		}
		PQclear(res);
	}
	return 0;
}

/* The rows that are there already; as take_results. */
static int
take_rows(struct copies *c, struct lane *l)
{
	char *text = NULL;
	int n;

	while ((n = PQgetCopyData(l->db->conn, &text, 1)) > 0) {
		if (!c->failed && c->row(c->arg, l->which, text, (size_t)n) == -1)
			fail(c);
		PQfreemem(text);
	}
	/* of a connection that is gone no more will ever come */
	if (n == 0 && db_ok(l->db))
		return 0;
	l->state = ENDING;	/* -2 as well: the result then says why */
	return 1;
}

static void
go_on(struct copies *c, struct lane *l)
{
	int more = 1;

	while (more) {
		if (l->state == IDLE)
			begin(c, l);
		if (l->state == IDLE)
			return;
		more = l->state == COPYING ? take_rows(c, l) : take_results(c, l);
	}
}

/* Until some lane has more to read: 0, or -1 where none is at work. */
static int
wait_for_input(struct copies *c, struct pollfd *pfds)
{
	size_t i, busy = 0;

	for (i = 0; i < c->n; i++) {
		pfds[i].fd = c->lanes[i].state != IDLE ? PQsocket(c->lanes[i].db->conn) : -1;
		pfds[i].events = POLLIN;
		pfds[i].revents = 0;
		busy += c->lanes[i].state != IDLE;
	}
	if (busy == 0)
		return -1;
	if (poll(pfds, (nfds_t)c->n, -1) == -1 && errno != EINTR)
		fatal("poll");
	for (i = 0; i < c->n; i++)
		/* where it fails the next result says so */
		if (pfds[i].revents != 0)
			(void)PQconsumeInput(c->lanes[i].db->conn);
	return 0;
}

int
db_copy_out(struct db *const *lanes, size_t nlanes, const char *const *sql, size_t nsql, copy_row *row, void *arg)
{
	struct copies c = { .n = nlanes, .sql = sql, .nsql = nsql, .row = row, .arg = arg };
	struct pollfd *pfds = xcalloc(nlanes, sizeof(*pfds));
	size_t i;

	c.lanes = xcalloc(nlanes, sizeof(*c.lanes));
	for (i = 0; i < nlanes; i++)
		c.lanes[i].db = lanes[i];
	do {
		for (i = 0; i < nlanes; i++)
			go_on(&c, &c.lanes[i]);
	} while (wait_for_input(&c, pfds) == 0);
	free(c.lanes);
	free(pfds);
	return c.failed ? -1 : 0;
}

int
db_split(const char *text, size_t len, struct db_field *f, size_t n)
{
	const char	*end = text + len, *tab;
	size_t		 i;

	if (len > 0 && end[-1] == '\n')
		end--;
	for (i = 0; i + 1 < n; i++, text = tab + 1) {
		if ((tab = memchr(text, '\t', (size_t)(end - text))) == NULL)
			return -1;
		f[i] = (struct db_field){ .text = text, .len = (size_t)(tab - text) };
	}
	f[i] = (struct db_field){ .text = text, .len = (size_t)(end - text) };
	return memchr(text, '\t', f[i].len) == NULL ? 0 : -1;
}
