/* SPDX-License-Identifier: ISC */
/*
 * The schemas of what members send beside balances and custody, each attribute
 * of each record in turn: left out, and with every form that its type does not
 * have.  What is right and wrong stands in the table, from common-1.xsd and the
 * schemas' own types; that the table knows every attribute is checked against
 * the one table of records (model/record.h).
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libxml/parser.h>
#include <libxml/xmlschemas.h>

#include "base/mem.h"
#include "model/header.h"
#include "model/record.h"

#define VALUES	12

struct attribute {
	const char	*name;
	int		 required;
	const char	*good[VALUES];		/* the first stands in every document */
	const char	*bad[VALUES];
};
struct record {
	enum message_type type;
	const char	*section, *element;
	int		 optional;		/* the section may be absent */
	struct attribute a[RECORD_MAX_FIELDS];
};

/* 20 integer and 18 fraction digits are the most; one more of either is wrong. */
#define D20	"99999999999999999999"
#define D18	"999999999999999999"
#define QTY_FORMS_BAD "", "1e5", "+1", "1,5", ".5", "5.", " 1", "NaN", D20 "0", "0." D18 "0"
#define QTY(name, required) { name, required, { "1.5", "0", D20 "." D18 }, { QTY_FORMS_BAD, "-1" } }
#define SIGNED(name, required) { name, required, { "-1.5", "0", "-" D20 "." D18, D20 }, { QTY_FORMS_BAD, "--1" } }
#define REG	{ "Reg", 1, { "1000000001", "0000000000" }, { "", "100000001", "10000000011", "100000000A", " 1000000001" } }
#define CUST	{ "Cust", 1, { "C1", "a.b_c/d-9", "1234567890123456789012345678901234" }, \
	{ "", "12345678901234567890123456789012345", "a b", "a&#9;b", "C1\xc5\x9f", "a'" } }
#define ASSET(required) { "Asset", required, { "4H95J0R2X", "X9J9K872S" }, \
	{ "", "4H95J0R2", "4H95J0R2XX", "0H95J0R2X", "4h95j0r2x", "AH95J0R2X", "BTC" } }
/* with and without a zone, to 9 digits of a second */
#define MOMENT(required) { "At", required, \
	{ "2026-11-20T10:00:00+03:00", "2026-11-20T10:00:00", "2026-11-20T07:00:00Z", "2026-11-20T10:00:00.123456789" }, \
	{ "", "2026-11-20", "10:00:00", "2026-11-20T10:00", "2026-02-30T10:00:00", "2026-11-20T25:00:00", \
	  "2026-11-20 10:00:00", "2026-11-20T10:00:00.1234567890", "now" } }
#define DATE(name, required) { name, required, { "2026-11-20", "2024-02-29" }, \
	{ "", "2026-02-29", "2026-13-01", "20.11.2026", "2026-11-20Z", "2026-11-20T00:00:00", "26-11-20" } }
#define CURRENCY(required) { "Ccy", required, { "USD", "TRY" }, { "", "US", "USDT", "usd", "U1D" } }
#define WALLET	{ "Wlt", 1, { "HOT", "COLD" }, { "", "hot", "WARM", "HOT " } }
#define RESERVE_KIND { "Kind", 1, { "CRYPTO", "DEPOSIT", "FUND" }, { "", "crypto", "CASH", "BOND" } }
/* identifiers of messages and of movements: 36 of these */
#define MOVEMENT_ID(name, required) { name, required, { "m-1", "A.b_9", "123456789012345678901234567890123456" }, \
	{ "", "1234567890123456789012345678901234567", "a b", "a/b", "\xc5\x9f" } }

static const struct record records[] = {
	{ MT_MOVEMENT_REPORT, "Movements", "Mov", 0, {
		MOVEMENT_ID("Id", 1), REG, CUST, ASSET(1),
		{ "Type", 1, { "BUY", "SELL", "TRANSFER_IN", "TRANSFER_OUT", "FEE", "LOCK", "CORRECTION" },
		    { "", "buy", "TRANSFER", "UNLOCK", "BUY " } },
		SIGNED("Qty", 1), MOMENT(1),
		{ "Tx", 0, { "0xabCD", "a:b_c-9" }, { "", "a b", "a/b", "a&#10;b" } },
		MOVEMENT_ID("Rev", 0),
	} },
	{ MT_NETTING_REPORT, "Nettings", "Net", 0, {
		REG, CUST, ASSET(1), SIGNED("Open", 1), SIGNED("Net", 1), SIGNED("Close", 1),
	} },
	{ MT_HOLDING_REPORT, "Wallets", "Wal", 0, {
		MOMENT(0), WALLET, { "Own", 1, { "CUSTOMER", "HOUSE" }, { "", "customer", "CLIENT" } },
		ASSET(1), QTY("Qty", 1),
	} },
	{ MT_HOLDING_REPORT, "Reserve", "Rsv", 1, {
		MOMENT(0), RESERVE_KIND, ASSET(0), CURRENCY(0), QTY("Qty", 1),
	} },
	{ MT_LISTING_NOTICE, "Listings", "Lst", 0, {
		ASSET(1), { "Status", 1, { "LISTED", "DELISTED" }, { "", "listed", "SUSPENDED" } }, DATE("From", 1),
		{ "Reason", 0, { "yeni varl\xc4\xb1k", "x" }, { "" } },
	} },
	{ MT_REFERENCE_DATA, "Reference", "Rate", 0, { CURRENCY(1), QTY("Try", 1), } },
	{ MT_REFERENCE_DATA, "Reference", "Ast", 0, {
		ASSET(1), QTY("Cap", 0), DATE("Listed", 0),
		{ "Hold", 0, { "ANY", "NONE" }, { "", "none", "SOME" } },
		{ "Base", 0, { "true", "false" }, { "", "1", "0", "TRUE", "yes" } },
	} },
	{ MT_REFERENCE_DATA, "Reference", "Wgt", 0, {
		RESERVE_KIND, ASSET(0),
		/* a fraction: never above 1 */
		{ "Weight", 1, { "0.5", "0", "1", "1.000", "0." D18 },
		    { "", "1.1", "2", "-0.5", "00.5", ".5", "1.000000000000000001", "0." D18 "0", "5e-1" } },
	} },
	{ MT_REFERENCE_DATA, "Reference", "Day", 0, {
		DATE("Date", 1), { "Kind", 1, { "WORKDAY", "HOLIDAY" }, { "", "workday", "SUNDAY" } },
	} },
	{ MT_REGISTRATION_REQUEST, "Investors", "Inv", 0, {
		{ "Type", 1, { "TCKN", "VKN", "FOREIGN" }, { "", "tckn", "PASSPORT" } },
		/* its check digits are no matter of form */
		{ "No", 1, { "10000000146", "U1234567", "1" },
		    { "", "abc", "1 2", "123456789012345678901234567890123", "\xc4\xb0" } },
		{ "Ctry", 0, { "DE" }, { "", "D", "DEU", "de", "D1" } },
		{ "Name", 1, { "\xc5\x9eule \xc4\xb0lker", "A" }, { "" } },
		DATE("Birth", 0),
		{ "Reg", 0, { "1000000001" }, { "", "100000001", "10000000011", "x" } },
	} },
	{ MT_DISCREPANCY_RESPONSE, "Responses", "Rsp", 0, {
		{ "Break", 1, { "R1-0123456789ab", "R3-0123456789ab0123456789ab" },
		    { "", "R1 0123", "R1/0123456789ab", "R1-012345678901234567890123456789" } },
		{ "Text", 1, { "a\xc3\xa7\xc4\xb1klama" }, { "" } },
		SIGNED("Qty", 0), { "Ref", 0, { "defter 12/3" }, { "" } },
	} },
};
#define NRECORDS (sizeof(records) / sizeof(records[0]))

/* --- documents --------------------------------------------------------------- */

static void
put_head(struct buf *b, enum message_type t, const char *type)
{
	buf_printf(b, "<%s xmlns='%s'><Header><MessageId>m-1</MessageId><MessageType>%s</MessageType>"
	    "<SchemaVersion>1</SchemaVersion><SenderMemberCode>PLA</SenderMemberCode><UserCode>PLA001</UserCode>"
	    "<BusinessDate>2026-11-20</BusinessDate><CreatedAt>2026-11-21T00:10:00</CreatedAt><Sequence>1</Sequence>"
	    "<RecordCount>1</RecordCount><ControlTotals/></Header>",
	    message_type_name(t), message_type_namespace(t), type);
}

/* Of a type with a section that must be there: it, empty, before another one. */
static void
put_other_section(struct buf *b, const struct record *r)
{
	if (r->optional)
		buf_puts(b, "<Wallets/>");
}

/* The record with attribute i changed to value, or left out where it is NULL;
 * i -1: nothing; full: optional ones as well. */
static void
put_record(struct buf *b, const struct record *r, int full, int i, const char *value)
{
	int k;

	buf_printf(b, "<%s", r->element);
	for (k = 0; k < RECORD_MAX_FIELDS && r->a[k].name != NULL; k++) {
		if (k == i && value != NULL)
			buf_printf(b, " %s=\"%s\"", r->a[k].name, value);
		else if (k != i && (full || r->a[k].required))
			buf_printf(b, " %s=\"%s\"", r->a[k].name, r->a[k].good[0]);
	}
}

/* A document of one record; extra goes into its tag, content into it. */
static char *
document(const struct record *r, int full, int i, const char *value, const char *extra, const char *content)
{
	struct buf b = { 0 };

	put_head(&b, r->type, message_type_name(r->type));
	put_other_section(&b, r);
	buf_printf(&b, "<%s>", r->section);
	put_record(&b, r, full, i, value);
	buf_printf(&b, "%s>%s</%s></%s></%s>", extra, content, r->element, r->section, message_type_name(r->type));
	return b.data;
}

/* --- judging -------------------------------------------------------------------- */

static void
silent(void *arg, const char *fmt, ...)
{
	(void)arg;
	(void)fmt;
}

static xmlSchemaPtr schemas[MT_COUNT];

static int
compile_all(void **state)
{
	const char *srcdir = getenv("srcdir");
	xmlSchemaParserCtxtPtr ctxt;
	char *path;
	size_t i;

	(void)state;
	for (i = 0; i < NRECORDS; i++) {
		if (schemas[records[i].type] != NULL)
			continue;
		path = xasprintf("%s/schemas/xml/%s", srcdir != NULL ? srcdir : ".",
		    message_type_schema(records[i].type));
		ctxt = xmlSchemaNewParserCtxt(path);
		schemas[records[i].type] = xmlSchemaParse(ctxt);
		xmlSchemaFreeParserCtxt(ctxt);
		free(path);
		if (schemas[records[i].type] == NULL)
			return -1;
	}
	return 0;
}

static int
free_all(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < MT_COUNT; i++)
		xmlSchemaFree(schemas[i]);
	return 0;
}

/* Takes the text. */
static void
judge(enum message_type t, char *text, int want)
{
	xmlSchemaValidCtxtPtr valid = xmlSchemaNewValidCtxt(schemas[t]);
	xmlDocPtr doc = xmlReadMemory(text, (int)strlen(text), "case.xml", "UTF-8", XML_PARSE_NONET);

	if (doc == NULL)
		fail_msg("not well-formed: %s", text);
	xmlSchemaSetValidErrors(valid, silent, silent, NULL);
	if ((xmlSchemaValidateDoc(valid, doc) == 0) != want)
		fail_msg("is %s: %s", want ? "refused" : "taken", text);
	xmlFreeDoc(doc);
	xmlSchemaFreeValidCtxt(valid);
	free(text);
}

/* --- cases ------------------------------------------------------------------------ */

static void
test_attributes(void **state)
{
	const struct record *r;
	const struct attribute *a;
	int i, v;

	(void)state;
	for (r = records; r < records + NRECORDS; r++) {
		judge(r->type, document(r, 1, -1, NULL, "", ""), 1);
		judge(r->type, document(r, 0, -1, NULL, "", ""), 1);
		for (i = 0; i < RECORD_MAX_FIELDS && r->a[i].name != NULL; i++) {
			a = &r->a[i];
			judge(r->type, document(r, 1, i, NULL, "", ""), !a->required);
			for (v = 0; v < VALUES && a->good[v] != NULL; v++)
				judge(r->type, document(r, 1, i, a->good[v], "", ""), 1);
			for (v = 0; v < VALUES && a->bad[v] != NULL; v++)
				judge(r->type, document(r, 1, i, a->bad[v], "", ""), 0);
		}
	}
}

/* Lengths that are too long for a literal here: a name of 200 characters, texts
 * of 512, a transaction of 128 (common-1.xsd, ShortText). */
static void
test_lengths(void **state)
{
	static const struct { enum record_kind kind; const char *attribute; int most; } lengths[] = {
		{ REC_INVESTOR, "Name", 200 }, { REC_MOVEMENT, "Tx", 128 }, { REC_LISTING, "Reason", 512 },
		{ REC_RESPONSE, "Text", 512 }, { REC_RESPONSE, "Ref", 512 },
	};
	char value[600];
	const struct record *r;
	size_t k;
	int i;

	(void)state;
	for (k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++) {
		for (r = records; strcmp(r->element, record_info(lengths[k].kind)->element) != 0; r++)
			;
		for (i = 0; strcmp(r->a[i].name, lengths[k].attribute) != 0; i++)
			;
		memset(value, 'x', sizeof(value));
		value[lengths[k].most] = '\0';
		judge(r->type, document(r, 1, i, value, "", ""), 1);
		value[lengths[k].most] = 'x';
		value[lengths[k].most + 1] = '\0';
		judge(r->type, document(r, 1, i, value, "", ""), 0);
		/* nothing is said by blanks alone */
		judge(r->type, document(r, 1, i, " &#9;&#10; ", "", ""), 0);
		if (lengths[k].kind != REC_MOVEMENT) {
			judge(r->type, document(r, 1, i, "&#10; x", "", ""), 1);
			judge(r->type, document(r, 1, i, "x&#10;y &#10;", "", ""), 1);
		}
	}
}

static void
test_records(void **state)
{
	const struct record *r;

	(void)state;
	for (r = records; r < records + NRECORDS; r++) {
		judge(r->type, document(r, 1, -1, NULL, " Colour='red'", ""), 0);
		judge(r->type, document(r, 1, -1, NULL, " xmlns:o='urn:o' o:Qty='1'", ""), 0);
		judge(r->type, document(r, 1, -1, NULL, " xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='true'", ""), 0);
		judge(r->type, document(r, 1, -1, NULL, "", "text"), 0);
		judge(r->type, document(r, 1, -1, NULL, "", "<x/>"), 0);
	}
}

/* What stands around the records: sections in their order, once each, and no
 * other message's records or type. */
static void
test_sections(void **state)
{
	const struct record *r;
	struct buf b;
	const char *name;
	int other;

	(void)state;
	for (r = records; r < records + NRECORDS; r++) {
		name = message_type_name(r->type);
#define DOCUMENT(want, told, ...) do { \
	b = (struct buf){ 0 }; \
	put_head(&b, r->type, told); \
	put_other_section(&b, r); \
	buf_printf(&b, __VA_ARGS__); \
	buf_printf(&b, "</%s>", name); \
	judge(r->type, b.data, want); \
} while (0)
		DOCUMENT(1, name, "<%s/>", r->section);
		DOCUMENT(r->optional, name, "%s", "");
		DOCUMENT(0, name, "<%s/><%s/>", r->section, r->section);
		DOCUMENT(0, name, "<%s>text</%s>", r->section, r->section);
		DOCUMENT(0, name, "<%s a='1'/>", r->section);
		DOCUMENT(0, name, "<%s><Bal/></%s>", r->section, r->section);
		DOCUMENT(0, name, "<%s/><Header/>", r->section);
		/* the signature stands first or last; what it holds is judged by other means */
		DOCUMENT(1, name, "<%s/><s:Signature xmlns:s='http://www.w3.org/2000/09/xmldsig#'/>", r->section);
		DOCUMENT(0, name, "<%s/><x xmlns='urn:other'/>", r->section);
		for (other = 0; other < MT_COUNT; other++)
			if (other != (int)r->type)
				DOCUMENT(0, message_type_name((enum message_type)other), "<%s/>", r->section);
#undef DOCUMENT
	}
}

/* Reference data of all kinds, in any order; wallets before the reserve. */
static void
test_order(void **state)
{
	struct buf b = { 0 };

	(void)state;
	put_head(&b, MT_REFERENCE_DATA, "ReferenceData");
	buf_puts(&b, "<Reference><Day Date='2026-11-20' Kind='HOLIDAY'/><Rate Ccy='USD' Try='40'/>"
	    "<Wgt Kind='FUND' Weight='1'/><Ast Asset='4H95J0R2X'/><Rate Ccy='EUR' Try='45'/></Reference></ReferenceData>");
	judge(MT_REFERENCE_DATA, b.data, 1);
	b = (struct buf){ 0 };
	put_head(&b, MT_HOLDING_REPORT, "HoldingReport");
	buf_puts(&b, "<Reserve/><Wallets/></HoldingReport>");
	judge(MT_HOLDING_REPORT, b.data, 0);
}

/* Every record of these types, and every one of its attributes, stands above. */
static void
test_table(void **state)
{
	const struct record_info *info;
	const struct record *r;
	size_t i, kinds = 0;
	int k;

	(void)state;
	for (k = 0; k < REC_COUNT; k++) {
		info = record_info((enum record_kind)k);
		if (info->type < MT_MOVEMENT_REPORT)
			continue;
		kinds++;
		for (r = records; r < records + NRECORDS; r++)
			if (r->type == info->type && strcmp(r->element, info->element) == 0)
				break;
		if (r == records + NRECORDS)
			fail_msg("%s of %s has no case", info->element, message_type_name(info->type));
		for (i = 0; i < info->nfields; i++) {
			assert_non_null(r->a[i].name);
			assert_string_equal(r->a[i].name, info->field[i].attribute);
			/* what is never absent has no value for that */
			if (r->a[i].required)
				assert_null(info->field[i].absent);
		}
		assert_true(i == RECORD_MAX_FIELDS || r->a[i].name == NULL);
	}
	assert_int_equal(kinds, NRECORDS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_order),
	};

	xmlInitParser();
	return cmocka_run_group_tests(tests, compile_all, free_all);
}
