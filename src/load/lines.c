/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "load/lines.h"

/* How many columns of muhur.notice_lines a kind of line has (model/notice.h). */
static const struct { const char *kind; int columns; } line_kinds[] = {
	{ "pair", 8 }, { "source", 7 }, { "break", 17 }, { "limit", 15 },
	{ "user", 4 }, { "right", 8 }, { "certificate", 8 }, { "record", 6 },
};

int
lines_flush(struct lines *l)
{
	int	 rc = 0;

	if (l->b.len > 0 && write_full(l->fd, l->b.data, l->b.len) == -1) {
		log_warn("notice lines");
		rc = -1;
	}
	buf_reset(&l->b);
	return rc;
}

int
lines_put(struct lines *l)
{
	return l->b.len >= LINES_CHUNK ? lines_flush(l) : 0;
}

static void
put_field(struct buf *b, const char *s)
{
	size_t	 n;

	for (;;) {
		n = strcspn(s, "\\\t\n\r");
		(void)buf_append(b, s, n);
		s += n;
		switch (*s++) {
		case '\0':
			return;
		case '\\':
			(void)buf_puts(b, "\\\\");
			break;
		case '\t':
			(void)buf_puts(b, "\\t");
			break;
		case '\n':
			(void)buf_puts(b, "\\n");
			break;
		default:
			(void)buf_puts(b, "\\r");
		}
	}
}

static int
put_line(void *arg, const PGresult *res)
{
	struct lines	*l = arg;
	size_t		 k;
	int		 i, columns = 0;

	for (k = 0; k < sizeof(line_kinds) / sizeof(line_kinds[0]); k++)
		if (strcmp(PQgetvalue(res, 0, 0), line_kinds[k].kind) == 0)
			columns = line_kinds[k].columns;
	if (columns == 0 || columns > PQnfields(res)) {
		log_warnx("notice lines: \"%s\" is no kind of line", PQgetvalue(res, 0, 0));
		return -1;
	}
	for (i = 0; i < columns; i++) {
		if (i > 0)
			(void)buf_append(&l->b, "\t", 1);
		if (PQgetisnull(res, 0, i))
			(void)buf_puts(&l->b, "\\N");
		else
			put_field(&l->b, PQgetvalue(res, 0, i));
	}
	(void)buf_append(&l->b, "\n", 1);
	return lines_put(l);
}

/* How many there were; -1 where they were not sent whole. */
static long long
send_all(struct lines *l, struct db *db, const char *notice_id, int scratch)
{
	const char	*params[] = { notice_id };
	PGresult	*res;
	long long	 count;
	date_t		 day;

	res = db_query(db, NULL, "SELECT r.no, r.business_date FROM muhur.notice n "
	    "JOIN muhur.reconcile_run r ON r.no = n.run "
	    "WHERE n.id = $1::uuid AND n.kind = 'CentralRegistryReport'", 1, params);
	if (res == NULL)
		return -1;
	if (PQntuples(res) == 1)
		count = date_parse(PQgetvalue(res, 0, 1), &day) == -1 ? -1 :
		    central_lines(db, strtoll(PQgetvalue(res, 0, 0), NULL, 10), day, scratch, l);
	else
		count = db_each_row(db, "SELECT * FROM muhur.notice_lines($1::uuid)", 1, params, put_line, l);
	PQclear(res);
	return count;
}

void
lines_send(struct db *db, const char *notice_id, int scratch, int fd)
{
	struct lines	 l = { .fd = fd };
	long long	 count = send_all(&l, db, notice_id, scratch);
	char		 end[32];

	if (count == -1)
		log_warnx("notice %s: its lines could not be sent whole", notice_id);
	else {
		(void)snprintf(end, sizeof(end), "\\.\t%lld\n", count);
		(void)buf_puts(&l.b, end);
		(void)lines_flush(&l);
	}
	buf_free(&l.b);
	(void)close(fd);
}
