/* SPDX-License-Identifier: ISC */
/* Header, records and control totals out of the events, without schema or
 * signature: what the schema would refuse must be safe here too. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

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
run(const char *doc, int fail)
{
	struct run *r = xcalloc(1, sizeof(*r));
	struct document_sink sink = { on_header, on_records, NULL, r };
	int fd = memfd_create("document", 0);

	assert_true(fd != -1);
	assert_int_equal(write(fd, doc, strlen(doc)), (ssize_t)strlen(doc));
	r->fail = fail;
	r->pull = pull_new(fd, 0, &events, r, &r->xml);
	r->extract = extract_new(MT_BALANCE_REPORT, r->pull, &sink, &r->rs);
	r->rc = pull_run(r->pull) == PULL_OK ? extract_finish(r->extract) : -1;
	extract_free(r->extract);
	pull_free(r->pull);
	close(fd);
	return r;
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
	};

	log_init("test_extract", LOG_COMMAND, 0);
	clock_init(0);
	pull_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
