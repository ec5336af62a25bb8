/* SPDX-License-Identifier: ISC */
#include "document/lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/ident.h"

#define LINE_MAX_BYTES	(192 * 1024)	/* a break's sources: 128 with 100 record numbers each */
#define READ_BLOCK	(64 * 1024)
#define FIELDS_MAX	16
#define TEXT_MAX	2000	/* bytes of a text for people; the schema takes 2048 characters */
#define FIGURE_MAX	64	/* characters of a limit's figure */

enum { DIGIT = 1, UPPER = 2, HEX = 4, ALNUM = 8, LINE = 16, DASH = 32 };

static const unsigned char	classes[256] = {
	['0' ... '9'] = DIGIT | HEX | ALNUM,
	['A' ... 'Z'] = UPPER | ALNUM,
	['a' ... 'f'] = HEX | ALNUM,
	['g' ... 'z'] = ALNUM,
	['_'] = LINE,
	['-'] = DASH,
};

/* How many characters of these classes s begins with. */
static size_t
span_of(const char *s, int which)
{
	size_t	n;

	for (n = 0; classes[(unsigned char)s[n]] & which; n++)
		;
	return n;
}

/* 1..max characters, all of these classes. */
static int
consists_of(const char *s, size_t max, int which)
{
	size_t	n = span_of(s, which);

	return s[n] == '\0' && n >= 1 && n <= max;
}

/* A plain decimal: digits, and a fraction of at most 18; how many of both (the
 * point counts, too) that are in all, 0 where it is none. */
static size_t
decimal_length(const char *s, size_t *whole)
{
	size_t	part = 0;

	s += *s == '-';
	*whole = span_of(s, DIGIT);
	s += *whole;
	if (*s == '.') {
		part = span_of(s + 1, DIGIT);
		if (part < 1 || part > 18)
			return 0;
		s += ++part;
	}
	return *s == '\0' && *whole >= 1 ? *whole + part : 0;
}

/* What model/decimal.h holds. */
static int
quantity_ok(const char *s)
{
	size_t	whole;

	return decimal_length(s, &whole) > 0 && whole <= 20;
}

static int
date_ok(const char *s)
{
	date_t	d;

	return date_parse(s, &d) == 0;
}

static int
sha256_ok(const char *s)
{
	return strlen(s) == SHA256_HEX_SIZE - 1 &&
	    consists_of(s, SHA256_HEX_SIZE - 1, HEX);
}

static int
break_id_ok(const char *s)
{
	return consists_of(s, BREAK_ID_SIZE - 1, ALNUM | DASH);
}

static int
rule_ok(const char *s)
{
	return s[0] == 'R' && s[1] != '0' && consists_of(s + 1, 2, DIGIT);
}

static int
break_kind_ok(const char *s)
{
	return s[0] != '_' && consists_of(s, 32, UPPER | LINE);
}

static int
type_name_ok(const char *s)
{
	return (s[0] < '0' || s[0] > '9') && consists_of(s, MESSAGE_TYPE_SIZE - 1, ALNUM);
}

static int
short_text_ok(const char *s)
{
	return s[0] != '\0' && strlen(s) <= 512;
}

static int
serial_ok(const char *s)
{
	return consists_of(s, SERIAL_SIZE - 1, HEX);
}

static int
moment_ok(const char *s)
{
	usec_t	t;
	int	zoned;

	return time_parse(s, &t, &zoned) == 0 && zoned;
}

static int
days_ok(const char *s)
{
	return s[0] != '0' && consists_of(s, 2, DIGIT);
}

static int
ordinal_ok(const char *s)
{
	return s[0] != '0' && consists_of(s, 18, DIGIT);
}

static int
pair_status_ok(const char *s)
{
	return strcmp(s, "matched") == 0 || strcmp(s, "break") == 0 || strcmp(s, "missing") == 0;
}

static int
break_status_ok(const char *s)
{
	return strcmp(s, "new") == 0 || strcmp(s, "continuing") == 0 || strcmp(s, "cured") == 0;
}

/* One "<submission id>[:record number,...]"; the end of it, or NULL. */
static const char *
skip_source(const char *s)
{
	char	id[UUID_SIZE];
	size_t	n = strcspn(s, ": ");

	if (n >= sizeof(id))
		return NULL;
	memcpy(id, s, n);
	id[n] = '\0';
	if (!uuid_ok(id))
		return NULL;
	s += n;
	if (*s != ':')
		return s;
	do {
		n = span_of(++s, DIGIT);
		if (n < 1 || n > 18)
			return NULL;
		s += n;
	} while (*s == ',');
	return s;
}

/* Sources, separated by single spaces. */
static int
break_from_ok(const char *s)
{
	while ((s = skip_source(s)) != NULL && *s == ' ')
		s++;
	return s != NULL && *s == '\0';
}

/* A plain decimal of any size: ratios and amounts are worked out here. */
static int
figure_ok(const char *s)
{
	size_t	whole, n = decimal_length(s, &whole);

	return n > 0 && n <= FIGURE_MAX;
}

static int
count_ok(const char *s)
{
	return consists_of(s, 18, DIGIT) && (s[0] != '0' || s[1] == '\0');
}

static int
one_of(const char *s, const char *a, const char *b)
{
	return strcmp(s, a) == 0 || strcmp(s, b) == 0;
}

static int
break_state_ok(const char *s)
{
	return one_of(s, "open", "explained") || one_of(s, "cured", "closed");
}

static int
limit_status_ok(const char *s)
{
	return one_of(s, "within", "breach") || strcmp(s, "missing") == 0;
}

static int
state_ok(const char *s)
{
	return one_of(s, "active", "suspended");
}

static int
boolean_ok(const char *s)
{
	return one_of(s, "true", "false");
}

static int
step_ok(const char *s)
{
	return one_of(s, "entry", "approval");
}

static int
right_type_ok(const char *s)
{
	return strcmp(s, "-") == 0 || type_name_ok(s);
}

static int
role_ok(const char *s)
{
	return consists_of(s, 32, ALNUM | LINE | DASH);
}

static int
actor_ok(const char *s)
{
	return strcmp(s, "operator") == 0 || user_code_ok(s);
}

struct field {
	const char	*attribute;
	int		(*ok)(const char *);	/* NULL: text for people */
	int		 optional;		/* may be \N */
};
struct record {
	const char	*name;		/* first field of the line */
	const char	*list, *element;
	size_t		 nfields;
	struct field	 field[FIELDS_MAX];
};

static const struct record pair = { "pair", "Pairs", "Pair", 7, {
	{ "Plat", member_code_ok, 0 }, { "Cstd", member_code_ok, 0 }, { "Asset", asset_ok, 0 },
	{ "PlatQty", quantity_ok, 1 }, { "CstdQty", quantity_ok, 1 }, { "Diff", quantity_ok, 1 },
	{ "Status", pair_status_ok, 0 } } };
static const struct record source = { "source", "Sources", "Source", 6, {
	{ "SubmissionId", uuid_ok, 0 }, { "SHA256", sha256_ok, 0 },
	{ "Member", member_code_ok, 0 }, { "MessageType", type_name_ok, 0 },
	{ "MessageId", message_id_ok, 0 }, { "FileName", file_name_ok, 0 } } };
static const struct record breaks = { "break", "Breaks", "Break", 16, {
	{ "Id", break_id_ok, 0 }, { "Rule", rule_ok, 0 }, { "Src", short_text_ok, 0 },
	{ "Kind", break_kind_ok, 0 }, { "Plat", member_code_ok, 1 }, { "Cstd", member_code_ok, 1 },
	{ "Asset", asset_ok, 1 }, { "PlatQty", quantity_ok, 1 }, { "CstdQty", quantity_ok, 1 },
	{ "Diff", quantity_ok, 1 }, { "Status", break_status_ok, 0 },
	{ "FirstSeen", date_ok, 0 }, { "Detail", NULL, 1 }, { "State", break_state_ok, 0 },
	{ "From", break_from_ok, 1 }, { "Expl", NULL, 1 } } };
#define LIMIT_FIELDS { \
	{ "Rule", rule_ok, 0 }, { "Src", short_text_ok, 0 }, { "Plat", member_code_ok, 1 }, \
	{ "Cstd", member_code_ok, 1 }, { "Asset", asset_ok, 1 }, { "At", moment_ok, 1 }, \
	{ "Num", figure_ok, 1 }, { "Den", figure_ok, 1 }, { "Ratio", figure_ok, 1 }, \
	{ "Threshold", figure_ok, 1 }, { "Status", limit_status_ok, 0 }, { "Count", count_ok, 1 }, \
	{ "CureBy", date_ok, 1 }, { "Detail", NULL, 1 } }
static const struct record limit = { "limit", "Limits", "Limit", 14, LIMIT_FIELDS };
static const struct record breach = { "limit", "Breaches", "Breach", 14, LIMIT_FIELDS };
static const struct record balance = { "balance", "Balances", "Bal", 6, {
	{ "Reg", registry_no_ok, 0 }, { "Asset", asset_ok, 0 }, { "Plat", member_code_ok, 0 },
	{ "Qty", quantity_ok, 0 }, { "Lck", quantity_ok, 0 }, { "Total", quantity_ok, 0 } } };

static const struct record finding = { "record", "Records", "Record", 5, {
	{ "No", ordinal_ok, 0 }, { "Line", ordinal_ok, 0 }, { "Code", break_kind_ok, 0 },
	{ "Detail", NULL, 1 }, { "Reg", registry_no_ok, 1 } } };
static const struct record user = { "user", "Users", "User", 3, {
	{ "Code", user_code_ok, 0 }, { "State", state_ok, 0 }, { "MainAuthority", boolean_ok, 0 } } };
static const struct record right = { "right", "Rights", "Right", 7, {
	{ "User", user_code_ok, 0 }, { "Member", member_code_ok, 0 }, { "Type", right_type_ok, 0 },
	{ "Step", step_ok, 0 }, { "Role", role_ok, 1 }, { "Since", moment_ok, 0 },
	{ "By", actor_ok, 0 } } };

static const struct record certificate = { "certificate", "Certificates", "Certificate", 7, {
	{ "User", user_code_ok, 0 }, { "SHA256", sha256_ok, 0 }, { "Subject", short_text_ok, 0 },
	{ "Issuer", short_text_ok, 0 }, { "Serial", serial_ok, 0 }, { "NotAfter", moment_ok, 0 },
	{ "Days", days_ok, 0 } } };

/* The lists of each kind, in their order. */
#define LISTS_MAX	4
static const struct record *const lists[NK_COUNT][LISTS_MAX + 1] = {
	[NK_ACKNOWLEDGEMENT] = { &finding },
	[NK_RECONCILIATION_RESULT] = { &source, &pair, &breaks, &limit },
	[NK_DISCREPANCY_REPORT] = { &source, &breaks },
	[NK_AUTHORIZATION_REPORT] = { &user, &right },
	[NK_CERTIFICATE_EXPIRY] = { &certificate },
	[NK_LIMIT_BREACH] = { &breach },
	[NK_CENTRAL_REGISTRY] = { &balance },
};

struct reader {
	struct xmlout		*x;
	const struct record	*const *list;	/* in this order */
	int			 nlists;
	int			 at;		/* index of the open list */
	long long		 count;
	int			 ended;		/* the last line has come */
	long long		 total;		/* of what the only list shows a part; 0: that is told nowhere */
};

/* COPY text format: undo the escapes in place.  0, or -1 for an unknown one. */
static int
unescape(char *s)
{
	static const char	from[] = "bfnrtv\\", to[] = "\b\f\n\r\t\v\\";
	const char		*p;
	char			*out = s;

	for (; *s != '\0'; s++) {
		if (*s != '\\') {
			*out++ = *s;
			continue;
		}
		if (*++s == '\0' || (p = strchr(from, *s)) == NULL)
			return -1;
		*out++ = to[p - from];
	}
	*out = '\0';
	return 0;
}

/* Split at tabs; "\N" becomes NULL.  0, or -1. */
static int
split(char *line, char **field, size_t want)
{
	size_t	n = 0;
	char	*tab;
	int	plain = strchr(line, '\\') == NULL;	/* nothing to undo in it */

	for (; line != NULL; line = tab) {
		if ((tab = strchr(line, '\t')) != NULL)
			*tab++ = '\0';
		if (n == want)
			return -1;
		if (!plain && strcmp(line, "\\N") == 0)
			field[n++] = NULL;
		else if (plain || unescape(line) == 0)
			field[n++] = line;
		else
			return -1;
	}
	return n == want ? 0 : -1;
}

/* A list's element is written also where it has no lines. */
static void
advance_to(struct reader *r, int which)
{
	char	total[24];

	while (r->at < which) {
		if (r->at >= 0)
			xmlout_end(r->x);
		r->at++;
		if (r->at >= r->nlists)
			continue;
		xmlout_start(r->x, r->list[r->at]->list);
		if (r->total > 0) {
			(void)snprintf(total, sizeof(total), "%lld", r->total);
			xmlout_attr(r->x, "Total", total);
		}
	}
}

/* The last line, which says how many came before it. */
static int
end_lines(struct reader *r, const char *count)
{
	char	came[24];

	(void)snprintf(came, sizeof(came), "%lld", r->count);
	if (strcmp(count, came) != 0) {
		log_warnx("notice: %lld lines came where %s were sent", r->count, count);
		return -1;
	}
	r->ended = 1;
	return 0;
}

static int
write_line(struct reader *r, char *line)
{
	const struct record	*rec;
	char			*field[FIELDS_MAX], *rest = strchr(line, '\t');
	int			 which;
	size_t			 i;

	if (rest == NULL || r->ended)
		return -1;
	*rest++ = '\0';
	if (strcmp(line, "\\.") == 0)
		return end_lines(r, rest);
	for (which = 0; which < r->nlists; which++)
		if (strcmp(line, r->list[which]->name) == 0)
			break;
	if (which == r->nlists || which < r->at)
		return -1;
	rec = r->list[which];
	if (split(rest, field, rec->nfields) == -1)
		return -1;
	for (i = 0; i < rec->nfields; i++) {
		if (field[i] == NULL ? !rec->field[i].optional :
		    rec->field[i].ok != NULL && !rec->field[i].ok(field[i])) {
			log_warnx("notice: line %lld: %s is not of its type", r->count + 1,
			    rec->field[i].attribute);
			return -1;
		}
	}
	advance_to(r, which);
	xmlout_start(r->x, rec->element);
	for (i = 0; i < rec->nfields; i++) {
		if (field[i] == NULL || (rec->field[i].ok == NULL && field[i][0] == '\0'))
			continue;
		if (rec->field[i].ok == NULL)
			field[i][xmlout_cut(field[i], TEXT_MAX)] = '\0';
		xmlout_attr(r->x, rec->field[i].attribute, field[i]);
	}
	xmlout_end(r->x);
	r->count++;
	return 0;
}

/* All whole lines of data; what is left of it then stands at its beginning. */
static int
take_lines(struct reader *r, char *data, size_t *len)
{
	char	*line = data, *nl;
	size_t	 left = *len;

	while (left > 0 && (nl = memchr(line, '\n', left)) != NULL) {
		*nl = '\0';
		if (strlen(line) != (size_t)(nl - line) || write_line(r, line) == -1) {
			log_warnx("notice: line %lld is malformed", r->count + 1);
			return -1;
		}
		left -= (size_t)(nl + 1 - line);
		line = nl + 1;
	}
	if (left > LINE_MAX_BYTES) {
		log_warnx("notice: line %lld is too long", r->count + 1);
		return -1;
	}
	if (left > 0)
		memmove(data, line, left);
	*len = left;
	return 0;
}

static int
read_lines(struct reader *r, int fd)
{
	char	*data = xcalloc(1, LINE_MAX_BYTES + READ_BLOCK);
	size_t	 len = 0;	/* at most LINE_MAX_BYTES, of a line whose end is to come */
	ssize_t	 n;
	int	 rc = -1;

	while ((n = read(fd, data + len, READ_BLOCK)) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			log_warn("notice: lines");
			goto out;
		}
		len += (size_t)n;
		if (take_lines(r, data, &len) == -1)
			goto out;
	}
	if (len > 0 || !r->ended)
		log_warnx("notice: its lines are cut off behind the %lldth", r->count);
	else
		rc = 0;
out:
	free(data);
	return rc;
}

int
lines_write(struct xmlout *x, const struct notice *n, int fd)
{
	struct reader	r = { .x = x, .at = -1, .total = n->findings };

	for (r.list = lists[n->kind]; r.list[r.nlists] != NULL; r.nlists++)
		;
	if (fd != -1 && read_lines(&r, fd) == -1)
		return -1;
	if (n->kind == NK_CENTRAL_REGISTRY ? r.count > n->line_count : r.count != n->line_count) {
		log_warnx("notice: %lld lines came where %lld were announced", r.count, n->line_count);
		return -1;
	}
	advance_to(&r, r.nlists);
	return 0;
}
