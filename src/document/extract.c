/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "document/extract.h"
#include "document/totals.h"
#include "model/ident.h"

#define LINES_SIZE	(64 * 1024)	/* lines gathered before they go to the sink */

enum header_field {
	HF_MESSAGE_ID, HF_MESSAGE_TYPE, HF_SCHEMA_VERSION, HF_SENDER, HF_USER, HF_DATE,
	HF_CREATED, HF_SEQUENCE, HF_REPLACES, HF_COUNT, HF_TOTALS, HF_NONE
};

static const char *const header_fields[HF_NONE] = {
	"MessageId", "MessageType", "SchemaVersion", "SenderMemberCode", "UserCode", "BusinessDate",
	"CreatedAt", "Sequence", "ReplacesMessageId", "RecordCount", "ControlTotals"
};

struct extract {
	enum message_type	 type;
	struct pull		*pull;
	const struct document_sink *sink;
	struct reasons		*rs;
	int			 off;		/* a fault was found: nothing more is taken */
	/* header */
	struct header		 header;
	int			 in_section;	/* the open child of the root is the message's own */
	int			 in_header, header_done;
	enum header_field	 field;
	struct buf		 text;
	int			 text_over;
	/* records */
	const xmlChar		*last_name;	/* of the parser's dictionary ... */
	enum record_kind	 last_kind;	/* ... and the kind it is */
	enum record_kind	 kind;		/* of the lines gathered */
	struct buf		 lines;
	long long		 number;	/* records so far, of all kinds */
	long long		 counted;
	struct totals		*totals;
};

/* --- faults -------------------------------------------------------------- */

static void fault(struct extract *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
fault(struct extract *e, const char *fmt, ...)
{
	char path[REASON_PATH_SIZE], detail[REASON_DETAIL_SIZE];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(detail, sizeof(detail), fmt, ap) < 0)
		detail[0] = '\0';
	va_end(ap);
	pull_path(e->pull, path);
	reasons_add(e->rs, SCHEMA_INVALID, pull_line(e->pull), path, "%s", detail);
	e->off = 1;
}

/* --- text ---------------------------------------------------------------- */

static int
is_blank(xmlChar c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The schema's collapsed types let blanks stand around a value. */
static void
trim(const xmlChar **s, size_t *len)
{
	while (*len > 0 && is_blank(**s)) {
		(*s)++;
		(*len)--;
	}
	while (*len > 0 && is_blank((*s)[*len - 1]))
		(*len)--;
}

static void
put(struct buf *b, const void *p, size_t n)
{
	(void)buf_append(b, p, n);	/* no cap: cannot fail */
}

static void
put_number(struct buf *b, long long n)
{
	char digits[24];
	size_t i = sizeof(digits);

	do
		digits[--i] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	put(b, digits + i, sizeof(digits) - i);
}

/* COPY's text format: backslash, and the characters that end a field or line. */
static void
put_escaped(struct buf *b, const xmlChar *s, size_t len)
{
	static const char special[] = "\b\f\n\r\t\v\\", letter[] = "bfnrtv\\";
	const char *c;
	char pair[2] = { '\\', 0 };
	size_t i, start = 0;

	for (i = 0; i < len; i++) {
		if (s[i] > '\r' && s[i] != '\\')
			continue;
		if ((c = s[i] != '\0' ? strchr(special, s[i]) : NULL) == NULL)
			continue;
		put(b, s + start, i - start);
		pair[1] = letter[c - special];
		put(b, pair, 2);
		start = i + 1;
	}
	put(b, s + start, len - start);
}

/* --- header -------------------------------------------------------------- */

static int
whole_number(const char *s, long long min, long long *n)
{
	char *end;

	if (*s < '0' || *s > '9')
		return -1;
	errno = 0;
	*n = strtoll(s, &end, 10);
	return *end != '\0' || errno != 0 || *n < min ? -1 : 0;
}

static int
copy_if(int ok, char *dst, size_t size, const char *s)
{
	return ok ? str_copy(dst, size, s) : -1;
}

/* 0, or -1 where the text is not what the element is for. */
static int
set_field(struct extract *e, const char *s)
{
	struct header *h = &e->header;
	long long n;
	int zoned;

	switch (e->field) {
	case HF_MESSAGE_ID:
		return copy_if(message_id_ok(s), h->message_id, sizeof(h->message_id), s);
	case HF_MESSAGE_TYPE:
		return strcmp(s, message_type_name(e->type)) == 0 ? 0 : -1;
	case HF_SCHEMA_VERSION:
		return whole_number(s, 1, &n);
	case HF_SENDER:
		return copy_if(member_code_ok(s), h->sender, sizeof(h->sender), s);
	case HF_USER:
		return copy_if(user_code_ok(s), h->user, sizeof(h->user), s);
	case HF_DATE:
		return date_parse(s, &h->business_date);
	case HF_CREATED:
		return time_parse(s, &h->created_at, &zoned);
	case HF_SEQUENCE:
		return whole_number(s, 1, &h->sequence);
	case HF_REPLACES:
		return copy_if(message_id_ok(s), h->replaces, sizeof(h->replaces), s);
	case HF_COUNT:
		return whole_number(s, 0, &h->record_count);
	case HF_TOTALS:
	case HF_NONE:
		break;
	}
	return 0;
}

static void
start_field(struct extract *e, const xmlChar *localname)
{
	int f;

	for (f = 0; f < HF_NONE; f++)
		if (strcmp(header_fields[f], (const char *)localname) == 0)
			break;
	e->field = (enum header_field)f;
	buf_reset(&e->text);
	e->text_over = 0;
}

static void
end_field(struct extract *e)
{
	const xmlChar *s;
	size_t len;
	char *text;

	if (e->field < HF_TOTALS) {
		s = (const xmlChar *)(e->text.data != NULL ? e->text.data : "");
		len = e->text.len;
		trim(&s, &len);
		text = xstrndup((const char *)s, len);
		if (e->text_over || strlen(text) != len || set_field(e, text) == -1)
			fault(e, "the value of %s is wrong", header_fields[e->field]);
		free(text);
	}
	e->field = HF_NONE;
}

/* The value of an attribute without a prefix; NULL where absent. */
static const xmlChar *
attribute(const char *name, int nb, const xmlChar **a, size_t *len)
{
	const xmlChar *s;
	int i;

	for (i = 0; i < nb; i++)
		if (a[5 * i + 1] == NULL && strcmp((const char *)a[5 * i], name) == 0) {
			s = a[5 * i + 3];
			*len = (size_t)(a[5 * i + 4] - s);
			trim(&s, len);
			return s;
		}
	return NULL;
}

static void
add_declared_total(struct extract *e, int nb, const xmlChar **a)
{
	struct header *h = &e->header;
	const xmlChar *asset, *qty;
	struct control_total t;
	size_t asset_len = 0, qty_len = 0;

	memset(&t, 0, sizeof(t));
	asset = attribute("Asset", nb, a, &asset_len);
	qty = attribute("Qty", nb, a, &qty_len);
	if (asset == NULL || asset_len == 0 || asset_len >= sizeof(t.asset) || qty == NULL ||
	    decimal_parse((const char *)qty, qty_len, &t.quantity) == -1) {
		fault(e, "a control total without a right asset and quantity");
		return;
	}
	if (h->ntotals == CONTROL_TOTALS_MAX) {
		fault(e, "more than %d control totals", CONTROL_TOTALS_MAX);
		return;
	}
	memcpy(t.asset, asset, asset_len);
	if ((h->ntotals & (h->ntotals - 1)) == 0)	/* a power of two: full */
		h->totals = xreallocarray(h->totals, h->ntotals == 0 ? 1 : 2 * h->ntotals,
		    sizeof(*h->totals));
	h->totals[h->ntotals++] = t;
}

static int
end_header(struct extract *e)
{
	const struct header *h = &e->header;

	e->in_header = 0;
	if (h->message_id[0] == '\0' || h->sender[0] == '\0' || h->user[0] == '\0') {
		fault(e, "the header is incomplete");
		return 0;
	}
	e->header_done = 1;
	if (e->sink == NULL || e->sink->header == NULL)
		return 0;
	return e->sink->header(e->sink->arg, h);
}

/* --- records ------------------------------------------------------------- */

static int
send_lines(struct extract *e)
{
	int rc = 0;

	if (e->lines.len > 0 && e->sink != NULL && e->sink->records != NULL)
		rc = e->sink->records(e->sink->arg, e->kind, e->lines.data, e->lines.len);
	buf_reset(&e->lines);
	return rc;
}

static enum record_kind
kind_of(struct extract *e, const xmlChar *localname)
{
	if (localname != e->last_name) {
		e->last_name = localname;
		e->last_kind = record_by_element(e->type, (const char *)localname);
	}
	return e->last_kind;
}

/* A point in time, in UTC; what has no zone is Istanbul's (common-1.xsd, Moment). */
static void
put_moment(struct extract *e, const struct record_field *f, const xmlChar *value, size_t len)
{
	char text[XML_MAX_FIELD + 1], utc[TIME_SIZE];
	usec_t t;
	int zoned;

	memcpy(text, value, len);
	text[len] = '\0';
	if (time_parse(text, &t, &zoned) == -1) {
		fault(e, "the value of %s is wrong", f->attribute);
		return;
	}
	time_format(t, utc);
	put(&e->lines, utc, strlen(utc));
}

/* One field of the line; value NULL: as record_info says of absent ones. */
static void
put_field(struct extract *e, const struct record_field *f, const xmlChar *value, size_t len)
{
	put(&e->lines, "\t", 1);
	if (value != NULL && f->moment)
		put_moment(e, f, value, len);
	else if (value != NULL)
		put_escaped(&e->lines, value, len);
	else if (f->absent != NULL)
		put(&e->lines, f->absent, strlen(f->absent));
	else
		put(&e->lines, "\\N", 2);
}

static int
record(struct extract *e, enum record_kind kind, int nb, const xmlChar **a)
{
	const struct record_info *info = record_info(kind);
	const xmlChar *value[RECORD_MAX_FIELDS];
	size_t len[RECORD_MAX_FIELDS] = { 0 }, i;

	if (!e->header_done) {
		fault(e, "a record before the header");
		return 0;
	}
	for (i = 0; i < info->nfields; i++) {
		value[i] = attribute(info->field[i].attribute, nb, a, &len[i]);
		if (len[i] > XML_MAX_FIELD) {
			fault(e, "%s is too long", info->field[i].attribute);
			return 0;
		}
	}
	if (info->counted)
		e->counted++;
	if (info->counted && info->asset_field >= 0 && info->quantity_field >= 0 &&
	    totals_add(e->totals, value[info->asset_field], len[info->asset_field],
	    value[info->quantity_field], len[info->quantity_field]) == -1) {
		fault(e, "a record without a right asset and quantity");
		return 0;
	}
	if ((kind != e->kind || e->lines.len >= LINES_SIZE) && send_lines(e) == -1)
		return -1;
	e->kind = kind;
	put_number(&e->lines, ++e->number);
	put(&e->lines, "\t", 1);
	put_number(&e->lines, pull_line(e->pull));
	for (i = 0; i < info->nfields; i++)
		put_field(e, &info->field[i], value[i], len[i]);
	put(&e->lines, "\n", 1);
	return 0;
}

/* --- events -------------------------------------------------------------- */

/* Root 1, sections 2, header elements and records 3, totals 4.  Beside the
 * sections the schema lets anything of the signature's namespace stand, and
 * skips it: nothing in there is a record. */
int
extract_start(struct extract *e, const xmlChar *localname, const xmlChar *uri, int nb_attributes,
    const xmlChar **attributes)
{
	int depth = pull_depth(e->pull);
	enum record_kind kind;
	int ours = uri != NULL && strcmp((const char *)uri, message_type_namespace(e->type)) == 0;

	if (depth == 2)
		e->in_section = ours;
	if (e->off || depth < 2 || !ours || !e->in_section)
		return 0;
	if (depth == 2)
		e->in_header = !e->header_done && strcmp((const char *)localname, "Header") == 0;
	else if (e->in_header && depth == 3)
		start_field(e, localname);
	else if (e->in_header && depth == 4 && e->field == HF_TOTALS)
		add_declared_total(e, nb_attributes, attributes);
	else if (!e->in_header && depth == 3 && (kind = kind_of(e, localname)) != REC_COUNT)
		return record(e, kind, nb_attributes, attributes);
	return 0;
}

int
extract_end(struct extract *e)
{
	int depth = pull_depth(e->pull);

	if (e->off || !e->in_header)
		return 0;
	if (depth == 3)
		end_field(e);
	else if (depth == 2)
		return end_header(e);
	return 0;
}

void
extract_text(struct extract *e, const xmlChar *s, int len)
{
	if (e->off || !e->in_header || e->field >= HF_TOTALS || pull_depth(e->pull) != 3)
		return;
	if (e->text.len + (size_t)len > XML_MAX_FIELD)
		e->text_over = 1;
	else
		put(&e->text, s, (size_t)len);
}

int
extract_finish(struct extract *e)
{
	const struct header *h = &e->header;

	if (e->off)
		return 0;
	if (send_lines(e) == -1)
		return -1;
	if (!e->header_done) {
		fault(e, "there is no header");
		return 0;
	}
	if (e->counted != h->record_count)
		reasons_add(e->rs, CONTROL_TOTAL, 0, "Header/RecordCount",
		    "RecordCount says %lld, the document holds %lld records",
		    h->record_count, e->counted);
	totals_compare(e->totals, h->totals, h->ntotals, e->rs);
	return 0;
}

/* --- life ---------------------------------------------------------------- */

struct extract *
extract_new(enum message_type t, struct pull *p, const struct document_sink *sink,
    struct reasons *rs)
{
	struct extract *e = xcalloc(1, sizeof(*e));

	e->type = t;
	e->pull = p;
	e->sink = sink;
	e->rs = rs;
	e->field = HF_NONE;
	e->last_kind = REC_COUNT;
	e->kind = REC_COUNT;
	e->header.type = t;
	e->totals = totals_new();
	return e;
}

void
extract_free(struct extract *e)
{
	if (e == NULL)
		return;
	header_reset(&e->header);
	buf_free(&e->text);
	buf_free(&e->lines);
	totals_free(e->totals);
	free(e);
}
