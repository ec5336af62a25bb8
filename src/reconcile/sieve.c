/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/decimal.h"
#include "model/ident.h"
#include "pg/copy.h"
#include "reconcile/sieve.h"
#include "reconcile/sieve_line.h"
#include "sort/sorter.h"

#define FIELDS_MAX	8	/* of a row */
#define OUT_CHUNK	65536	/* bytes given to the server at once */
#define LARGE_DAY	500000	/* lines; from there a second connection reads as well */

/* Where lines come from: sieve_fields of the kind. */
struct source {
	enum sieve_kind	 kind;
	const char	*columns, *table, *where;	/* of the day and the reports that count */
};

/* A platform's reports. */
struct member {
	char	 code[MEMBER_CODE_SIZE];
	int	 closing_in, opening_in, movement_in, netting_in;
};

/* A customer's lines of one asset. */
struct roll {
	struct decimal_sum rolled;		/* closing - opening - movements */
	struct decimal_sum net_opening, net, net_closing;	/* less what they must be by the other reports */
	struct decimal_sum netted;		/* net_opening + net - net_closing, all by the netting report */
	size_t		 movements, nets;
};

struct sieve {
	struct db	*db;
	struct sorter	*sorter;
	struct member	*members;		/* by code */
	size_t		 nmembers;
	int		 ask_unknown;
	/* as the records pass */
	uint64_t	 registry;
	int		 known, named, doubtful, doubled;
	uint8_t		 key[SIEVE_KEY_MAX];
	size_t		 key_len;		/* 0: none */
	struct roll	 roll;
	uint8_t		 place[SIEVE_PLACE_MAX];
	size_t		 place_len;
	int		 placed;		/* place is the last closing balance's of this key */
	struct buf	 out;
};

#define KEY	"registry_no, member_code, asset, customer_no"

/* In the order in which connections take them: what is largest first. */
static const struct source sources[] = {
	{ SIEVE_CLOSING, KEY ", held_at, quantity", "balance", "" },
	{ SIEVE_OPENING, KEY ", quantity", "balance", "" },
	{ SIEVE_NET, KEY ", opening, net, closing", "netting", "" },
	{ SIEVE_MOVED, KEY ", quantity", "movement", " AND type <> 'LOCK'" },
	{ SIEVE_KNOWN, "registry_no", "registry_number", "" },
	{ SIEVE_NAMED, "registry_no", "custody_direct", "" },
	/* it changes no balance, but its customer is to be known */
	{ SIEVE_NAMED, "registry_no", "movement", " AND type = 'LOCK'" },
};
#define SOURCES	(sizeof(sources) / sizeof(sources[0]))

/* --- in ------------------------------------------------------------------------- */

/* What the loader lets in is as it must be: somebody else has written it.  Whose it
 * is may be told, not what: investors' numbers are in it. */
static int
odd_row(const struct source *from, const struct db_field *member)
{
	log_warnx("reconciliation: a record%s%.*s in muhur.%s has a form that none may have: was it written by hand?",
	    member != NULL ? " of " : "", member != NULL ? (int)member->len : 0, member != NULL ? member->text : "",
	    from->table);
	return -1;
}

static int
take_row(void *arg, size_t which, const char *text, size_t len)
{
	struct sieve *s = arg;
	const struct source *from = &sources[which];
	struct db_field f[FIELDS_MAX];
	uint8_t rec[SIEVE_LINE_MAX];
	size_t n;

	if (db_split(text, len, f, sieve_fields(from->kind)) == -1)
		return odd_row(from, NULL);
	if (sieve_line_put(from->kind, f, rec, &n) == -1)
		return odd_row(from, from->kind > SIEVE_NAMED ? &f[1] : NULL);
	if (sorter_add(s->sorter, rec, n) == 0)
		return 0;
	log_warn("reconciliation: the scratch file");
	return -1;
}

/* What stands in a query's text: the server's own, and no more than digits. */
static int
array_ok(const char *array)
{
	return array[strspn(array, "{,}0123456789")] == '\0';
}

/* The numbers that the registry has given: all of them for a large day; a small one asks
 * for its own. */
static char *
known_query(const struct source *from, const char *day, const char *in_effect, int large)
{
	static const char *const tables[] = { "balance", "movement", "netting", "custody_direct" };
	struct buf sql = { 0 };
	size_t i;

	(void)buf_printf(&sql, "COPY (SELECT %s FROM muhur.%s WHERE known_from <= '%s'", from->columns, from->table, day);
	for (i = 0; !large && i < sizeof(tables) / sizeof(tables[0]); i++)
		(void)buf_printf(&sql, "%sSELECT registry_no FROM muhur.%s WHERE business_date = '%s' AND submission = ANY ('%s')",
		    i == 0 ? " AND registry_no IN (" : " UNION ", tables[i], day, in_effect);
	(void)buf_puts(&sql, large ? ") TO STDOUT" : ")) TO STDOUT");
	return sql.data;
}

/* The query of a source; caller frees. */
static char *
source_query(const struct source *from, const struct run *run, const char *in_effect, const char *day_before, int large)
{
	char day[DATE_SIZE];

	date_format(run->business_date - (from->kind == SIEVE_OPENING), day);
	if (from->kind == SIEVE_KNOWN)
		return known_query(from, day, in_effect, large);
	return xasprintf("COPY (SELECT %s FROM muhur.%s WHERE business_date = '%s' AND submission = ANY ('%s')%s) TO STDOUT",
	    from->columns, from->table, day, from->kind == SIEVE_OPENING ? day_before : in_effect, from->where);
}

/* The same moment's state on another connection: 0 or -1. */
static int
join_snapshot(struct db *db, struct db *lane)
{
	PGresult *res = db_query_row(db, "SELECT format('SET TRANSACTION SNAPSHOT %L', pg_export_snapshot())", 0, NULL);
	int rc = -1;

	if (res != NULL && db_exec(lane, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", 0, NULL) != -1 &&
	    db_exec(lane, PQgetvalue(res, 0, 0), 0, NULL) != -1)
		rc = 0;
	PQclear(res);
	return rc;
}

/* How many lines the reports have, or -1. */
static long long
lines_in(struct db *db, const char *in_effect, const char *day_before)
{
	const char *params[] = { in_effect, day_before };

	return db_query_count(db, "SELECT coalesce(sum(record_count), 0) FROM muhur.submission "
	    "WHERE no = ANY ($1::bigint[] || $2::bigint[])", 2, params);
}

static int
read_all(struct sieve *s, const struct run_means *m, const struct run *run, const char *in_effect,
    const char *day_before)
{
	struct db *lanes[2] = { m->db };
	struct link *second;
	char *sql[SOURCES];
	long long lines;
	size_t i, n = 1;
	int rc, large;

	if (!array_ok(in_effect) || !array_ok(day_before))
		fatalx("reconciliation: the submissions' numbers are none");
	if ((lines = lines_in(m->db, in_effect, day_before)) == -1)
		return -1;
	large = lines >= LARGE_DAY;
	second = large ? m->lane : NULL;
	if (second != NULL && link_up(second) && join_snapshot(m->db, &second->db) == 0)
		lanes[n++] = &second->db;
	for (i = 0; i < SOURCES; i++)
		sql[i] = source_query(&sources[i], run, in_effect, day_before, large);
	rc = db_copy_out(lanes, n, (const char *const *)sql, SOURCES, take_row, s);
	for (i = 0; i < SOURCES; i++)
		free(sql[i]);
	if (second != NULL)
		link_recover(second);
	if (rc == 0 && (rc = sorter_sort(s->sorter)) == -1)
		log_warn("reconciliation: the scratch file");
	return rc;
}

/* Platforms, and which of their reports are in. */
static const char make_rolling[] =
	"CREATE TEMPORARY TABLE rolling ON COMMIT DROP AS "
	"SELECT e.member_code, bool_or(e.message_type = 'BalanceReport') AS closing_in, "
	"EXISTS (SELECT FROM pg_temp.day_before d WHERE d.member_code = e.member_code) AS opening_in, "
	"bool_or(e.message_type = 'MovementReport') AS movement_in, "
	"bool_or(e.message_type = 'NettingReport') AS netting_in "
	"FROM pg_temp.in_effect e WHERE e.message_type IN ('BalanceReport', 'MovementReport', 'NettingReport') "
	"GROUP BY e.member_code";

static int
read_members(struct sieve *s)
{
	PGresult *res;
	struct member *m;
	int i;

	if (db_exec(s->db, make_rolling, 0, NULL) == -1 || db_exec(s->db, "ANALYZE pg_temp.rolling", 0, NULL) == -1)
		return -1;
	res = db_query(s->db, NULL, "SELECT member_code, closing_in, opening_in, movement_in, netting_in "
	    "FROM pg_temp.rolling ORDER BY member_code COLLATE \"C\"", 0, NULL);
	if (res == NULL)
		return -1;
	s->members = xcalloc((size_t)PQntuples(res) + 1, sizeof(*s->members));
	for (i = 0; i < PQntuples(res); i++) {
		m = &s->members[s->nmembers++];
		(void)str_copy(m->code, sizeof(m->code), PQgetvalue(res, i, 0));
		m->closing_in = PQgetvalue(res, i, 1)[0] == 't';
		m->opening_in = PQgetvalue(res, i, 2)[0] == 't';
		m->movement_in = PQgetvalue(res, i, 3)[0] == 't';
		m->netting_in = PQgetvalue(res, i, 4)[0] == 't';
	}
	PQclear(res);
	return 0;
}

/* Before the registry gives its first number all are unknown: the whole day would be
 * written down for a rule that says nothing then. */
static int
read_unknown(struct sieve *s, const struct run *run)
{
	const char *params[] = { run->date_text };
	PGresult *res = db_query_row(s->db, "SELECT muhur.parameter('R5.registry', $1::date) IS DISTINCT FROM 'begun' "
	    "OR EXISTS (SELECT FROM muhur.registry_number WHERE known_from <= $1::date)", 1, params);

	if (res == NULL)
		return -1;
	s->ask_unknown = PQgetvalue(res, 0, 0)[0] == 't';
	PQclear(res);
	return 0;
}

/* --- a key ---------------------------------------------------------------------- */

/* A member against the key, whose first part is one. */
static int
by_code(const void *key, const void *member)
{
	const struct sieve *s = key;
	const struct member *m = member;
	size_t len = strlen(m->code);
	int c = memcmp(s->key, m->code, len < s->key_len ? len : s->key_len);

	return c != 0 || s->key[len] == '\t' ? c : 1;
}

static const struct member *
member_of(const struct sieve *s)
{
	static const struct member none;
	const struct member *m = bsearch(s, s->members, s->nmembers, sizeof(*s->members), by_code);

	return m != NULL ? m : &none;
}

/* sieve.h: roll. */
static int
key_doubtful(const struct sieve *s)
{
	const struct member *m = member_of(s);
	const struct roll *r = &s->roll;

	if (r->nets > 1)
		return 1;
	if (!decimal_sum_is_zero(&r->rolled) && m->closing_in && m->opening_in && m->movement_in)
		return 1;
	if (r->nets == 0)
		return r->movements > 0 && m->netting_in;
	return !decimal_sum_is_zero(&r->netted) || (!decimal_sum_is_zero(&r->net_opening) && m->opening_in) ||
	    (!decimal_sum_is_zero(&r->net_closing) && m->closing_in) || ((!decimal_sum_is_zero(&r->net) || r->movements == 0) && m->movement_in);
}

static void
end_key(struct sieve *s)
{
	if (s->key_len > 0 && !s->doubtful && key_doubtful(s))
		s->doubtful = 1;
	s->key_len = 0;
	s->placed = 0;
	s->roll = (struct roll){ 0 };
}

static void
take_closing(struct sieve *s, const struct sieve_line *l)
{
	if (s->placed && l->place_len == s->place_len && memcmp(l->place, s->place, l->place_len) == 0)
		s->doubled = 1;
	s->placed = 1;
	s->place_len = l->place_len;
	memcpy(s->place, l->place, l->place_len);
	decimal_sum_add(&s->roll.rolled, l->value[0]);
	decimal_sum_sub(&s->roll.net_closing, l->value[0]);
}

static void
take_net(struct roll *r, const struct decimal d[SIEVE_VALUES])
{
	r->nets++;
	decimal_sum_add(&r->net_opening, d[0]);
	decimal_sum_add(&r->net, d[1]);
	decimal_sum_add(&r->net_closing, d[2]);
	decimal_sum_add(&r->netted, d[0]);
	decimal_sum_add(&r->netted, d[1]);
	decimal_sum_sub(&r->netted, d[2]);
}

static void
take_line(struct sieve *s, const struct sieve_line *l)
{
	if (l->key_len != s->key_len || memcmp(l->key, s->key, l->key_len) != 0) {
		end_key(s);
		s->key_len = l->key_len;
		memcpy(s->key, l->key, l->key_len);
	}
	switch (l->kind) {
	case SIEVE_CLOSING:
		take_closing(s, l);
		break;
	case SIEVE_OPENING:
		decimal_sum_sub(&s->roll.rolled, l->value[0]);
		decimal_sum_sub(&s->roll.net_opening, l->value[0]);
		break;
	case SIEVE_MOVED:
		decimal_sum_sub(&s->roll.rolled, l->value[0]);
		decimal_sum_sub(&s->roll.net, l->value[0]);
		s->roll.movements++;
		break;
	default:
		take_net(&s->roll, l->value);
	}
}

/* --- out ------------------------------------------------------------------------ */

static int
end_registry(struct sieve *s)
{
	char no[REGISTRY_NO_SIZE];
	int unknown, rc = 0;

	end_key(s);
	unknown = s->ask_unknown && s->named && !s->known;
	if (s->doubtful || s->doubled || unknown) {
		registry_no_format(s->registry, no);
		(void)buf_printf(&s->out, "%s\t%c\t%c\t%c\n", no, s->doubtful ? 't' : 'f', s->doubled ? 't' : 'f',
		    unknown ? 't' : 'f');
		if (s->out.len >= OUT_CHUNK) {
			rc = db_copy_put(s->db, s->out.data, s->out.len);
			buf_reset(&s->out);
		}
	}
	s->known = s->named = s->doubtful = s->doubled = 0;
	return rc;
}

static int
take_record(struct sieve *s, const void *rec, size_t len)
{
	struct sieve_line l;

	if (sieve_line_get(rec, len, &l) == -1) {
		log_warnx("reconciliation: the scratch file has other bytes than were written");
		return -1;
	}
	if (l.registry != s->registry && end_registry(s) == -1)
		return -1;
	s->registry = l.registry;
	s->known |= l.kind == SIEVE_KNOWN;
	s->named |= l.kind != SIEVE_KNOWN && l.kind != SIEVE_OPENING;	/* of the day before */
	if (l.key_len > 0)
		take_line(s, &l);
	return 0;
}

static int
write_doubtful(struct sieve *s)
{
	const void *rec;
	size_t len;
	int rc;

	if (db_exec(s->db, "CREATE TEMPORARY TABLE doubtful (registry_no text NOT NULL, roll boolean NOT NULL, "
	    "doubled boolean NOT NULL, unknown boolean NOT NULL) ON COMMIT DROP", 0, NULL) == -1 ||
	    db_copy_in(s->db, "COPY pg_temp.doubtful FROM STDIN") == -1)
		return -1;
	while ((rc = sorter_next(s->sorter, &rec, &len)) == 1)
		if (take_record(s, rec, len) == -1)
			break;
	if (rc == -1)
		log_warn("reconciliation: the scratch file");
	if (rc != 0 || end_registry(s) == -1 || db_copy_put(s->db, s->out.data, s->out.len) == -1) {
		(void)db_copy_cancel(s->db, "not all could be read");
		return -1;
	}
	if (db_copy_end(s->db) == -1)
		return -1;
	return db_exec(s->db, "ANALYZE pg_temp.doubtful", 0, NULL) == -1 ? -1 : 0;
}

int
sieve_day(const struct run_means *m, const struct run *run, const char *in_effect, const char *day_before)
{
	struct sieve s = { .db = m->db };
	long long memory = db_work_mem(m->db);
	int rc = -1;

	if (memory == -1)
		return -1;
	s.sorter = sorter_new(m->scratch, (size_t)memory);
	if (read_members(&s) == 0 && read_unknown(&s, run) == 0 &&
	    read_all(&s, m, run, in_effect, day_before) == 0)
		rc = write_doubtful(&s);
	sorter_free(s.sorter);
	free(s.members);
	buf_free(&s.out);
	return rc;
}
