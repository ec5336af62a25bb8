/* SPDX-License-Identifier: ISC */
/* Header, records and control totals out of the events, without schema or
 * signature: what the schema would refuse must be safe here too. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "document/extract.h"
#include "model/record.h"

#define NS	"urn:muhur:xsd:balance-report:1"
#define HEAD(count, totals) \
	"<BalanceReport xmlns='" NS "'>\n<Header><MessageId>M-1</MessageId>" \
	"<MessageType>BalanceReport</MessageType><SchemaVersion>1</SchemaVersion>" \
	"<SenderMemberCode>PLA</SenderMemberCode><UserCode>PLA001</UserCode>" \
	"<BusinessDate>2026-11-20</BusinessDate><CreatedAt>2026-11-21T01:02:03Z</CreatedAt>" \
	"<Sequence>7</Sequence><RecordCount>" count "</RecordCount>" \
	"<ControlTotals>" totals "</ControlTotals></Header>\n"
#define BAL(asset, qty) \
	"<Bal Reg='1' Cust='c' Held='OWN' Asset='" asset "' Qty='" qty "'/>"
#define TAIL "</BalanceReport>"

struct run {
	struct pull	*pull;
	struct extract	*extract;
	struct reasons	 rs, xml;
	struct header	 header;
	int		 headers;
	struct buf	 lines[REC_COUNT];
	int		 fail;			/* the sink fails */
	int		 rc;
};

static int
start(void *arg, const xmlChar *l, const xmlChar *p, const xmlChar *u, int nn, const xmlChar **n,
    int na, const xmlChar **a)
{
	(void)p, (void)nn, (void)n;
	return extract_start(((struct run *)arg)->extract, l, u, na, a);
}

static int
end(void *arg, const xmlChar *l, const xmlChar *p, const xmlChar *u)
{
	(void)l, (void)p, (void)u;
	return extract_end(((struct run *)arg)->extract);
}

static int
text(void *arg, const xmlChar *s, int n)
{
	extract_text(((struct run *)arg)->extract, s, n);
	return 0;
}

static int comment(void *arg, const xmlChar *s) { (void)arg, (void)s; return 0; }
static int pi(void *arg, const xmlChar *t, const xmlChar *d) { (void)arg, (void)t, (void)d; return 0; }
static const struct pull_events events = { start, end, text, comment, pi };

static int
on_header(void *arg, const struct header *h)
{
	struct run *r = arg;

	r->header = *h;		/* totals stay the extractor's */
	r->headers++;
	return r->fail ? -1 : 0;
}

static int
on_records(void *arg, enum record_kind kind, const char *lines, size_t len)
{
	struct run *r = arg;

	assert_int_equal(r->headers, 1);
	assert_int_equal(lines[len - 1], '\n');
	return r->fail ? -1 : buf_append(&r->lines[kind], lines, len);
}

static struct run *
run_type(enum message_type type, const char *doc, int fail)
{
	struct run *r = xcalloc(1, sizeof(*r));
	struct document_sink sink = { on_header, on_records, NULL, r };
	int fd = memfd_create("document", 0);

	assert_true(fd != -1);
	assert_int_equal(write(fd, doc, strlen(doc)), (ssize_t)strlen(doc));
	r->fail = fail;
	r->pull = pull_new(fd, 0, &events, r, &r->xml);
	r->extract = extract_new(type, r->pull, &sink, &r->rs);
	r->rc = pull_run(r->pull) == PULL_OK ? extract_finish(r->extract) : -1;
	extract_free(r->extract);
	pull_free(r->pull);
	close(fd);
	return r;
}

static struct run *
run(const char *doc, int fail)
{
	return run_type(MT_BALANCE_REPORT, doc, fail);
}

static void
done(struct run *r)
{
	int k;

	for (k = 0; k < REC_COUNT; k++)
		buf_free(&r->lines[k]);
	free(r);
}

static void
test_whole(void **unused)
{
	struct run *r = run(HEAD("3", "<Total Asset='AAA' Qty='3.5'/><Total Asset='BBB' Qty='-1'/>")
	    "<Prices><Px Asset='AAA' Ccy='TRY' Price='2.50'/></Prices>\n<Balances>\n"
	    "<Bal Qty='1.5' Reg='10' Cust='c1' Held='OWN' Asset='AAA' Lck='0.5'/>\n"
	    "<!-- between --><Bal Reg='11' Cust='c2' Held='CUA' Asset='AAA' Qty='2'/>\n"
	    "<Bal Reg='12' Cust='c3' Held='CUA' Asset='BBB' Qty='-1.000'/></Balances>" TAIL, 0);
	usec_t created;
	date_t date;
	int zoned;

	(void)unused;
	assert_int_equal(r->rc, 0);
	assert_int_equal(r->rs.n, 0);
	assert_int_equal(r->headers, 1);
	assert_int_equal(r->header.type, MT_BALANCE_REPORT);
	assert_string_equal(r->header.message_id, "M-1");
	assert_string_equal(r->header.sender, "PLA");
	assert_string_equal(r->header.user, "PLA001");
	assert_string_equal(r->header.replaces, "");
	assert_int_equal(r->header.sequence, 7);
	assert_int_equal(r->header.record_count, 3);
	assert_int_equal(date_parse("2026-11-20", &date), 0);
	assert_int_equal(r->header.business_date, date);
	assert_int_equal(time_parse("2026-11-21T01:02:03Z", &created, &zoned), 0);
	assert_int_equal(r->header.created_at, created);
	assert_int_equal(r->header.ntotals, 2);
	assert_string_equal(r->lines[REC_PRICE].data, "1\t3\tAAA\tTRY\t2.50\n");
	assert_string_equal(r->lines[REC_BALANCE].data,
	    "2\t5\t10\tc1\tOWN\tAAA\t1.5\t0.5\n"
	    "3\t6\t11\tc2\tCUA\tAAA\t2\t0\n"
	    "4\t7\t12\tc3\tCUA\tBBB\t-1.000\t0\n");
	done(r);
}

/* A field that ends a line or a column would become another record. */
static void
test_copy_escapes(void **unused)
{
	struct run *r = run(HEAD("1", "<Total Asset='A' Qty='1'/>")
	    "<Balances><Bal Reg='\\N' Cust='a&#9;b&#10;c&#13;d\\.e' Held='\xc3\xbc' Asset='A' Qty='1'/>"
	    "</Balances>" TAIL, 0);

	(void)unused;
	assert_int_equal(r->rs.n, 0);
	assert_string_equal(r->lines[REC_BALANCE].data,
	    "1\t3\t\\\\N\ta\\tb\\nc\\rd\\\\.e\t\xc3\xbc\tA\t1\t0\n");
	done(r);
}

/* Text is one value across comments, instructions, CDATA and references. */
static void
test_split_text(void **unused)
{
	struct run *r = run("<BalanceReport xmlns='" NS "'><Header>"
	    "<MessageId>M<!-- x -->-<![CDATA[1]]><?p?>&#50;</MessageId><SenderMemberCode>\n PL<!---->A "
	    "</SenderMemberCode><UserCode>PLA001</UserCode><RecordCount>0</RecordCount></Header>" TAIL, 0);

	(void)unused;
	assert_int_equal(r->rs.n, 0);
	assert_string_equal(r->header.message_id, "M-12");
	assert_string_equal(r->header.sender, "PLA");
	done(r);
}

static void
expect(const char *what, const char *doc, enum reason_code code)
{
	struct run *r = run(doc, 0);

	if (code == REASON_COUNT ? r->rs.n != 0 : r->rs.n == 0 || r->rs.v[0].code != code)
		fail_msg("%s: %s", what, r->rs.n > 0 ? r->rs.v[0].detail : "no reason");
	done(r);
}

static void
test_totals(void **unused)
{
	(void)unused;
	expect("nothing", HEAD("0", "") TAIL, REASON_COUNT);
	expect("declared zero", HEAD("0", "<Total Asset='A' Qty='0'/>") TAIL, REASON_COUNT);
	expect("equal by value", HEAD("2", "<Total Asset='A' Qty='0.30'/>")
	    "<B>" BAL("A", "0.1") BAL("A", "0.2") "</B>" TAIL, REASON_COUNT);
	expect("18 digits", HEAD("2", "<Total Asset='A' Qty='0.000000000000000003'/>")
	    "<B>" BAL("A", "0.000000000000000001") BAL("A", "0.000000000000000002") "</B>" TAIL,
	    REASON_COUNT);
	expect("count", HEAD("2", "<Total Asset='A' Qty='1'/>") "<B>" BAL("A", "1") "</B>" TAIL,
	    CONTROL_TOTAL);
	expect("sum", HEAD("1", "<Total Asset='A' Qty='1'/>") "<B>" BAL("A", "1.000000000000000001")
	    "</B>" TAIL, CONTROL_TOTAL);
	expect("not declared", HEAD("1", "") "<B>" BAL("A", "1") "</B>" TAIL, CONTROL_TOTAL);
	expect("not declared zero", HEAD("1", "") "<B>" BAL("A", "0") "</B>" TAIL, CONTROL_TOTAL);
	expect("not there", HEAD("0", "<Total Asset='A' Qty='1'/>") TAIL, CONTROL_TOTAL);
	expect("twice", HEAD("1", "<Total Asset='A' Qty='1'/><Total Asset='A' Qty='1'/>") "<B>"
	    BAL("A", "1") "</B>" TAIL, CONTROL_TOTAL);
	expect("prefix of another", HEAD("2", "<Total Asset='A' Qty='1'/><Total Asset='AB' Qty='2'/>")
	    "<B>" BAL("A", "1") BAL("AB", "2") "</B>" TAIL, REASON_COUNT);
	expect("out of range", HEAD("2", "<Total Asset='A' Qty='99999999999999999999'/>") "<B>"
	    BAL("A", "99999999999999999999") BAL("A", "1") "</B>" TAIL, CONTROL_TOTAL);
}

static void
test_faults(void **unused)
{
	(void)unused;
	expect("no header", "<BalanceReport xmlns='" NS "'/>", SCHEMA_INVALID);
	expect("record first", "<BalanceReport xmlns='" NS "'><B>" BAL("A", "1") "</B>" TAIL,
	    SCHEMA_INVALID);
	expect("no quantity", HEAD("1", "") "<B><Bal Asset='A'/></B>" TAIL, SCHEMA_INVALID);
	expect("wrong quantity", HEAD("1", "") "<B>" BAL("A", "1e3") "</B>" TAIL, SCHEMA_INVALID);
	expect("long asset", HEAD("1", "") "<B>" BAL("ABCDEFGHIJ", "1") "</B>" TAIL, SCHEMA_INVALID);
	expect("wrong date", "<BalanceReport xmlns='" NS "'><Header><BusinessDate>2026-02-30"
	    "</BusinessDate></Header>" TAIL, SCHEMA_INVALID);
	expect("wrong type", "<BalanceReport xmlns='" NS "'><Header><MessageType>CustodyReport"
	    "</MessageType></Header>" TAIL, SCHEMA_INVALID);
	expect("another namespace is no record", HEAD("0", "") "<B><Bal xmlns='urn:x' Qty='x'/></B>"
	    TAIL, REASON_COUNT);
	expect("nor what stands in one, which the schema skips", HEAD("1", "<Total Asset='A' Qty='1'/>")
	    "<x:B xmlns:x='urn:x'>" BAL("A", "1") "</x:B>" TAIL, CONTROL_TOTAL);
	expect("a section behind one counts", HEAD("1", "<Total Asset='A' Qty='1'/>")
	    "<x:B xmlns:x='urn:x'>" BAL("A", "1") "</x:B><B>" BAL("A", "1") "</B>" TAIL, REASON_COUNT);
}

/* More assets than are summed, and more totals than are kept. */
static void
test_bounds(void **unused)
{
	struct buf b = { .data = NULL };
	struct run *r;
	int i;

	(void)unused;
	buf_puts(&b, HEAD("2049", "") "<B>");
	for (i = 0; i <= CONTROL_TOTALS_MAX; i++)
		buf_printf(&b, "<Bal Asset='A%d' Qty='1'/>", i);
	buf_puts(&b, "</B>" TAIL);
	expect("too many assets", b.data, CONTROL_TOTAL);
	buf_reset(&b);
	buf_puts(&b, "<BalanceReport xmlns='" NS "'><Header><ControlTotals>");
	for (i = 0; i <= CONTROL_TOTALS_MAX; i++)
		buf_printf(&b, "<Total Asset='A%d' Qty='1'/>", i);
	buf_puts(&b, "</ControlTotals></Header>" TAIL);
	expect("too many totals", b.data, SCHEMA_INVALID);
	buf_reset(&b);
	/* Many lines come in several calls, whole and in order. */
	buf_puts(&b, HEAD("5000", "<Total Asset='A' Qty='5000'/>") "<B>");
	for (i = 0; i < 5000; i++)
		buf_puts(&b, BAL("A", "1"));
	buf_puts(&b, "</B>" TAIL);
	r = run(b.data, 0);
	assert_int_equal(r->rs.n, 0);
	assert_non_null(strstr(r->lines[REC_BALANCE].data, "\n5000\t3\t1\tc\tOWN\tA\t1\t0\n"));
	done(r);
	r = run(b.data, 1);
	assert_int_equal(r->rc, -1);
	done(r);
	buf_free(&b);
}

/* --- every kind of record ------------------------------------------------------ */

static struct run *
run_records(enum message_type t, const char *count, const char *totals, const char *records)
{
	const char *name = message_type_name(t);
	struct buf b = { 0 };
	struct run *r;

	buf_printf(&b, "<%s xmlns='%s'><Header><MessageId>M-1</MessageId><MessageType>%s</MessageType>"
	    "<SenderMemberCode>PLA</SenderMemberCode><UserCode>PLA001</UserCode><BusinessDate>2026-11-20</BusinessDate>"
	    "<Sequence>1</Sequence><RecordCount>%s</RecordCount><ControlTotals>%s</ControlTotals></Header>"
	    "<S>\n%s</S></%s>", name, message_type_namespace(t), name, count, totals, records, name);
	r = run_type(t, b.data, 0);
	buf_free(&b);
	return r;
}

/* A document of type t with these records, and what of them is one kind's. */
static void
expect_lines(enum message_type t, const char *count, const char *totals, const char *records,
    enum record_kind kind, const char *lines)
{
	struct run *r = run_records(t, count, totals, records);

	if (r->rc != 0 || r->rs.n != 0)
		fail_msg("%s: %s", records, r->rs.n > 0 ? r->rs.v[0].detail : "failed");
	assert_int_equal(r->header.type, t);
	assert_non_null(r->lines[kind].data);
	assert_string_equal(r->lines[kind].data, lines);
	done(r);
}

/* A moment without a zone is Istanbul's (UTC+3); all are given on in UTC, to the
 * microsecond (common-1.xsd, Moment). */
static void
test_movements(void **unused)
{
	(void)unused;
	/* 2 - 0.5 - 0.25 - 0.125 = 1.125 with their signs */
	expect_lines(MT_MOVEMENT_REPORT, "4", "<Total Asset='A' Qty='1.125'/>",
	    "<Mov Rev='m0' Tx='0xab' At='2026-11-20T10:00:00' Qty='2' Type='BUY' Asset='A' Cust='C' Reg='1' Id='m1'/>\n"
	    "<Mov Id='m2' Reg='2' Cust='D' Asset='A' Type='SELL' Qty='-0.50' At='2026-11-20T07:00:00Z'/>\n"
	    "<Mov Id='m3' Reg='2' Cust='D' Asset='A' Type='FEE' Qty='-0.25' At='2026-11-20T02:30:00.123456789-04:30'/>\n"
	    "<Mov Id='m4' Reg='2' Cust='D' Asset='A' Type='LOCK' Qty='-0.125' At='2026-11-20T00:00:00'/>\n",
	    REC_MOVEMENT,
	    "1\t2\tm1\t1\tC\tA\tBUY\t2\t2026-11-20T07:00:00.000000Z\t0xab\tm0\n"
	    "2\t3\tm2\t2\tD\tA\tSELL\t-0.50\t2026-11-20T07:00:00.000000Z\t\\N\t\\N\n"
	    "3\t4\tm3\t2\tD\tA\tFEE\t-0.25\t2026-11-20T07:00:00.123456Z\t\\N\t\\N\n"
	    "4\t5\tm4\t2\tD\tA\tLOCK\t-0.125\t2026-11-19T21:00:00.000000Z\t\\N\t\\N\n");
}

/* The control total of a netting is over what the customers have in the end. */
static void
test_nettings(void **unused)
{
	(void)unused;
	expect_lines(MT_NETTING_REPORT, "2", "<Total Asset='A' Qty='3.5'/>",
	    "<Net Reg='1' Cust='C' Asset='A' Open='1' Net='0.5' Close='1.5'/>\n"
	    "<Net Close='2' Net='-7' Open='9' Asset='A' Cust='D' Reg='2'/>\n",
	    REC_NETTING, "1\t2\t1\tC\tA\t1\t0.5\t1.5\n" "2\t3\t2\tD\tA\t9\t-7\t2\n");
}

/* The reserve counts as records and in no total: its amounts are of currencies too. */
static void
test_holdings(void **unused)
{
	static const char both[] =
	    "<Wal Wlt='HOT' Own='CUSTOMER' Asset='A' Qty='1'/>\n"
	    "<Wal At='2026-11-20T12:00:00' Wlt='COLD' Own='HOUSE' Asset='A' Qty='2'/>\n"
	    "<Rsv Kind='DEPOSIT' Ccy='TRY' Qty='100.00'/>\n"
	    "<Rsv At='2026-11-20T12:00:00Z' Kind='CRYPTO' Asset='A' Qty='5'/>\n";

	(void)unused;
	expect_lines(MT_HOLDING_REPORT, "4", "<Total Asset='A' Qty='3'/>", both, REC_WALLET,
	    "1\t2\t\\N\tHOT\tCUSTOMER\tA\t1\n"
	    "2\t3\t2026-11-20T09:00:00.000000Z\tCOLD\tHOUSE\tA\t2\n");
	expect_lines(MT_HOLDING_REPORT, "4", "<Total Asset='A' Qty='3'/>", both, REC_RESERVE,
	    "3\t4\t\\N\tDEPOSIT\t\\N\tTRY\t100.00\n"
	    "4\t5\t2026-11-20T12:00:00.000000Z\tCRYPTO\tA\t\\N\t5\n");
}

static void
test_listings(void **unused)
{
	(void)unused;
	expect_lines(MT_LISTING_NOTICE, "2", "",
	    "<Lst Asset='A' Status='LISTED' From='2026-11-21' Reason='yeni\xc4\x9f'/>\n"
	    "<Lst Asset='B' Status='DELISTED' From='2026-11-20'/>\n",
	    REC_LISTING, "1\t2\tA\tLISTED\t2026-11-21\tyeni\xc4\x9f\n" "2\t3\tB\tDELISTED\t2026-11-20\t\\N\n");
}

/* Kinds that alternate keep their numbers and lines; what is absent is what the
 * schema says: any custodian can hold it, and it counts in the reserve's base. */
static void
test_reference(void **unused)
{
	static const char all[] =
	    "<Rate Ccy='USD' Try='40.1'/>\n<Ast Asset='A'/>\n<Wgt Kind='FUND' Weight='1'/>\n"
	    "<Day Date='2026-11-23' Kind='HOLIDAY'/>\n<Rate Ccy='EUR' Try='45'/>\n"
	    "<Ast Base='false' Hold='NONE' Listed='2026-01-02' Cap='5000000000' Asset='B'/>\n"
	    "<Wgt Kind='CRYPTO' Asset='A' Weight='0.5'/>\n";

	(void)unused;
	expect_lines(MT_REFERENCE_DATA, "7", "", all, REC_RATE, "1\t2\tUSD\t40.1\n5\t6\tEUR\t45\n");
	expect_lines(MT_REFERENCE_DATA, "7", "", all, REC_ASSET,
	    "2\t3\tA\t\\N\t\\N\tANY\ttrue\n6\t7\tB\t5000000000\t2026-01-02\tNONE\tfalse\n");
	expect_lines(MT_REFERENCE_DATA, "7", "", all, REC_WEIGHT, "3\t4\tFUND\t\\N\t1\n7\t8\tCRYPTO\tA\t0.5\n");
	expect_lines(MT_REFERENCE_DATA, "7", "", all, REC_CALENDAR, "4\t5\t2026-11-23\tHOLIDAY\n");
}

static void
test_investors(void **unused)
{
	(void)unused;
	expect_lines(MT_REGISTRATION_REQUEST, "2", "",
	    "<Inv Type='TCKN' No='10000000146' Name='\xc5\x9eule' Birth='1980-01-02'/>\n"
	    "<Inv Reg='1000000001' Name='A\\B' Ctry='DE' No='X1' Type='FOREIGN'/>\n",
	    REC_INVESTOR,
	    "1\t2\tTCKN\t10000000146\t\\N\t\xc5\x9eule\t1980-01-02\t\\N\n"
	    "2\t3\tFOREIGN\tX1\tDE\tA\\\\B\t\\N\t1000000001\n");
}

static void
test_responses(void **unused)
{
	(void)unused;
	expect_lines(MT_DISCREPANCY_RESPONSE, "2", "",
	    "<Rsp Break='R1-0123456789ab' Text='ge&#231; kay&#305;t' Qty='-1.5' Ref='12/3'/>\n"
	    "<Rsp Text='t' Break='R3-0123456789ab'/>\n",
	    REC_RESPONSE,
	    "1\t2\tR1-0123456789ab\tge\xc3\xa7 kay\xc4\xb1t\t-1.5\t12/3\n"
	    "2\t3\tR3-0123456789ab\tt\t\\N\t\\N\n");
}

static void
expect_fault(enum message_type t, const char *totals, const char *records, enum reason_code code)
{
	struct run *r = run_records(t, "1", totals, records);

	if (r->rs.n == 0 || r->rs.v[0].code != code)
		fail_msg("%s: %s", records, r->rs.n > 0 ? r->rs.v[0].detail : "no reason");
	done(r);
}

static void
test_further_faults(void **unused)
{
	char longest[1200];

	(void)unused;
	/* which quantity is summed: not the opening, not the net */
	expect_fault(MT_NETTING_REPORT, "<Total Asset='A' Qty='1'/>",
	    "<Net Reg='1' Cust='C' Asset='A' Open='1' Net='1' Close='2'/>", CONTROL_TOTAL);
	expect_fault(MT_MOVEMENT_REPORT, "<Total Asset='A' Qty='2'/>",
	    "<Mov Id='m' Reg='1' Cust='C' Asset='A' Type='SELL' Qty='-2' At='2026-11-20T10:00:00'/>", CONTROL_TOTAL);
	expect_fault(MT_HOLDING_REPORT, "<Total Asset='A' Qty='1'/>", "<Rsv Kind='CRYPTO' Asset='A' Qty='1'/>",
	    CONTROL_TOTAL);
	expect_fault(MT_REFERENCE_DATA, "<Total Asset='A' Qty='1'/>", "<Ast Asset='A'/>", CONTROL_TOTAL);
	expect_fault(MT_LISTING_NOTICE, "", "", CONTROL_TOTAL);
	/* moments that the schema would refuse */
	expect_fault(MT_MOVEMENT_REPORT, "",
	    "<Mov Id='m' Reg='1' Cust='C' Asset='A' Type='BUY' Qty='0' At='2026-02-30T10:00:00'/>", SCHEMA_INVALID);
	expect_fault(MT_HOLDING_REPORT, "<Total Asset='A' Qty='0'/>",
	    "<Wal At='' Wlt='HOT' Own='HOUSE' Asset='A' Qty='0'/>", SCHEMA_INVALID);
	(void)snprintf(longest, sizeof(longest), "<Wal At='%1100s' Wlt='HOT' Own='HOUSE' Asset='A' Qty='0'/>", "x");
	expect_fault(MT_HOLDING_REPORT, "<Total Asset='A' Qty='0'/>", longest, SCHEMA_INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_copy_escapes),
		cmocka_unit_test(test_split_text),
		cmocka_unit_test(test_totals),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_movements),
		cmocka_unit_test(test_nettings),
		cmocka_unit_test(test_holdings),
		cmocka_unit_test(test_listings),
		cmocka_unit_test(test_reference),
		cmocka_unit_test(test_investors),
		cmocka_unit_test(test_responses),
		cmocka_unit_test(test_further_faults),
	};

	log_init("test_extract", LOG_COMMAND, 0);
	clock_init(0);
	pull_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
