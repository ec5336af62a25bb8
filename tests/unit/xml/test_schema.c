/* SPDX-License-Identifier: ISC */
/*
 * Records that tables judge against the same records judged by libxml2: the
 * first ones of a list are always its own.  And patterns as tables against
 * libxml2's regular expressions.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <libxml/xmlregexp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "xml/node.h"
#include "xml/pattern.h"
#include "xml/pull.h"
#include "xml/schema.h"
#include "xml/shape.h"

#define BEFORE	80	/* records, after which tables are in use */

static struct schema_set *set;
static uint32_t		 seed = 1;

static unsigned
any(unsigned n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

/* --- judging a document -------------------------------------------------- */

struct judged {
	struct schema_run	*run;
	struct buf		 said;
};

static void
invalid(void *arg, const char *message)
{
	(void)buf_printf(&((struct judged *)arg)->said, "%s\n", message);
}

static int
start(void *arg, const xmlChar *l, const xmlChar *p, const xmlChar *u, int nn, const xmlChar **n,
    int na, const xmlChar **a)
{
	struct judged *j = arg;

	if (j->run == NULL)
		assert_non_null(j->run = schema_run_new(set, u, invalid, j));
	schema_start(j->run, l, p, u, nn, n, na, a);
	return 0;
}

static int
end(void *arg, const xmlChar *l, const xmlChar *p, const xmlChar *u)
{
	schema_end(((struct judged *)arg)->run, l, p, u);
	return 0;
}

static int
text(void *arg, const xmlChar *t, int n)
{
	schema_text(((struct judged *)arg)->run, t, n);
	return 0;
}

static int
aside(void *arg, const xmlChar *t)
{
	(void)arg, (void)t;
	return 0;
}

static int
instruction(void *arg, const xmlChar *t, const xmlChar *d)
{
	(void)arg, (void)t, (void)d;
	return 0;
}

/* What is said of the document, the caller's to free; NULL: it is not well-formed. */
static char *
judge(const char *doc)
{
	static const struct pull_events	 events = { start, end, text, aside, instruction };
	struct reasons	 rs = { 0 };
	struct judged	 j = { 0 };
	struct pull	*p;
	char		*said;
	int		 ok, fd = memfd_create("schema", MFD_CLOEXEC);

	assert_int_equal(write(fd, doc, strlen(doc)), (ssize_t)strlen(doc));
	p = pull_new(fd, 0, &events, &j, &rs);
	ok = pull_run(p) == PULL_OK;
	said = ok ? xstrdup(j.said.len > 0 ? j.said.data : "") : NULL;
	schema_run_free(j.run);
	pull_free(p);
	buf_free(&j.said);
	close(fd);
	return said;
}

/* --- documents with a list ----------------------------------------------- */

struct kind {
	const char	*root, *list, *before, *good, *after;
};

#define HEADER(type) "<NoticeHeader><NoticeId>0193a0f0-0000-7000-8000-000000000002</NoticeId><NoticeType>" type \
	"</NoticeType><SchemaVersion>1</SchemaVersion><Issuer>x</Issuer><RecipientMemberCode>PLA</RecipientMemberCode>" \
	"<IssuedAt>2026-11-20T10:00:00Z</IssuedAt></NoticeHeader>"
#define SENT(type) "<Header><MessageId>M-1</MessageId><MessageType>" type "</MessageType><SchemaVersion>1</SchemaVersion>" \
	"<SenderMemberCode>PLA</SenderMemberCode><UserCode>PLA001</UserCode><BusinessDate>2026-11-20</BusinessDate>" \
	"<CreatedAt>2026-11-21T10:00:00Z</CreatedAt><Sequence>1</Sequence><RecordCount>0</RecordCount><ControlTotals/></Header>"

static const struct kind kinds[] = {
	{ "CentralRegistryReport", "Balances", "<CentralRegistryReport xmlns='urn:muhur:xsd:central-registry-report:1'>"
	    HEADER("CentralRegistryReport") "<BusinessDate>2026-11-20</BusinessDate><Run>1</Run><Balances>",
	    "<Bal Reg='1234567890' Asset='4H95J0R2X' Plat='PLA' Qty='-1.5' Lck='0' Total='12345678901234567890.123456789012345678'/>\n",
	    "</Balances></CentralRegistryReport>" },
	{ "ReconciliationResult", "Pairs", "<ReconciliationResult xmlns='urn:muhur:xsd:reconciliation-result:1'>"
	    HEADER("ReconciliationResult") "<BusinessDate>2026-11-20</BusinessDate><Run>1</Run><Sources/><Pairs>",
	    "<Pair Plat='PLA' Cstd='CUA' Asset='4H95J0R2X' PlatQty='1' Diff='-0.5' Status='missing'/> ",
	    "</Pairs><Breaks/><Limits/></ReconciliationResult>" },
	{ "LimitBreachNotice", "Breaches", "<LimitBreachNotice xmlns='urn:muhur:xsd:limit-breach-notice:1'>"
	    HEADER("LimitBreachNotice") "<BusinessDate>2026-11-20</BusinessDate><Run>1</Run><Breaches>",
	    "<Breach Rule='R12' Src='m.48' Plat='PLA' At='2026-11-20T09:00:00Z' Num='4' Den='100' Ratio='0.04' Status='breach' "
	    "Count='3' CureBy='2027-01-04' Detail='d'/>", "</Breaches></LimitBreachNotice>" },
	{ "MovementReport", "Movements", "<m:MovementReport xmlns:m='urn:muhur:xsd:movement-report:1' "
	    "xmlns='urn:muhur:xsd:movement-report:1'>" SENT("MovementReport") "<Movements>",
	    "<m:Mov Id='m-1' Reg='1234567890' Cust='c/1' Asset='4H95J0R2X' Type='BUY' Qty='2' At='2026-11-20T10:00:00.25+03:00' "
	    "Tx='0xab:1' />", "</Movements></m:MovementReport>" },
};
#define KINDS	(sizeof(kinds) / sizeof(kinds[0]))

static char *
judge_record(const struct kind *k, const char *record, int before)
{
	struct buf	 b = { 0 };
	char		*said;
	int		 i;

	(void)buf_puts(&b, k->before);
	for (i = 0; i < before; i++)
		(void)buf_puts(&b, k->good);
	(void)buf_printf(&b, "%s%s%s", record, k->good, k->after);
	said = judge(b.data);
	buf_free(&b);
	return said;
}

/* The same is said of the record wherever it stands; 1 where nothing is. */
static int
same_judgement(const struct kind *k, const char *record)
{
	char	*first = judge_record(k, record, 0), *later = judge_record(k, record, BEFORE);
	int	 right = first != NULL && *first == '\0';

	if ((first == NULL) != (later == NULL) || (first != NULL && strcmp(first, later) != 0))
		fail_msg("%s\nfirst: %s\nlater: %s", record, first != NULL ? first : "-", later != NULL ? later : "-");
	free(first);
	free(later);
	return right;
}

#define BAL(more, content) "<Bal Reg='1234567890' Asset='4H95J0R2X' Plat='PLA' Qty='1' Lck='0' Total='3'" more ">" content "</Bal>"

/* What has content, another name, other attributes: only tables could get it wrong. */
static void
test_forms(void **state)
{
	static const struct { const char *record; int right; } cases[] = {
		{ BAL("", ""), 1 }, { BAL("", "<!-- c -->"), 1 }, { BAL("", "<?p i?>"), 1 }, { "<!-- c -->", 1 },
		{ BAL("", "x"), 0 }, { BAL("", "<Bal/>"), 0 }, { BAL("", "<![CDATA[x]]>"), 0 }, { BAL("", "\n<x:y xmlns:x='u:v'/>"), 0 },
		{ BAL("", " "), -1 }, { BAL("", BAL("", "")), 0 }, { BAL(" Cust='c'", ""), 0 }, { BAL(" xml:lang='tr'", ""), 0 },
		{ BAL(" xmlns:q='urn:q' q:Reg='1'", ""), 0 }, { BAL(" xmlns:q='urn:q'", ""), 1 }, { BAL(" xmlns='urn:q'", ""), 0 },
		{ BAL(" xmlns=''", ""), 0 }, { BAL(" xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='true'", ""), 0 },
		{ BAL(" xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:type='Bal'", ""), 1 },
		{ BAL(" xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:type='Balances'", ""), -1 },
		{ "<b:Bal xmlns:b='urn:muhur:xsd:central-registry-report:1' Total='3' Lck='0' Qty='1' Plat='PLA' Asset='4H95J0R2X' "
		    "Reg='1234567890'/>", 1 },
		{ "<Bal Reg='1234567890' Asset='4H95J0R2X' Plat='PLA' Qty='1' Lck='0'/>", 0 }, { "<Bal/>", 0 }, { "<Bal2/>", 0 },
		{ "<Bal Reg='&#49;234567890' Asset='4H95J0R2X' Plat='PLA' Qty='1' Lck='0' Total='3'/>", 1 },
		{ "<Bal Reg='123456789&#x661;' Asset='4H95J0R2X' Plat='PLA' Qty='1' Lck='0' Total='3'/>", 0 },
		{ "<Bal Reg=' 1234567890' Asset='4H95J0R2X' Plat='PLA' Qty='1' Lck='0' Total='3'/>", 0 },
		{ "<Bal Reg='1234567890&#10;' Asset='4H95J0R2X' Plat='PLA' Qty='1' Lck='0' Total='3'/>", 0 },
		{ "<Bal Reg='1234567890&amp;' Asset='4H95J0R2X' Plat='PLA' Qty='1' Lck='0' Total='3'/>", 0 },
		{ "x", 0 }, { "</Balances><Balances>", 0 },
	};
	size_t	 i;
	int	 right;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		right = same_judgement(&kinds[0], cases[i].record);
		if (cases[i].right != -1 && right != cases[i].right)
			fail_msg("%s: %d", cases[i].record, right);
	}
}

/* Content in a record whose name and attributes are written in another way than the
 * list's first ones: libxml2 gets those of a first one. */
static void
test_content(void **state)
{
	static const char	*const contents[] = { "x", " ", "<![CDATA[]]>", "<!-- c -->x", "<x/>", "<m:Mov/>y<Mov/>", "<a><b/>z</a>" };
	static const struct { size_t kind; const char *begin, *end; } cases[] = {
		{ 1, "<Pair CstdQty='7' Status='break' Asset='4H95J0R2X' Cstd='CUB' Plat='PLB'>", "</Pair>" },
		{ 3, "<Mov Id='m-2' Reg='1234567891' Cust='c/2' Asset='4H95J0R2X' Type='SELL' Qty='3' At='2026-11-20T10:00:00'>",
		    "</Mov>" },
		{ 3, "<m:Mov Id='m-2' Reg='1234567891' Cust='c/2' Asset='4H95J0R2X' Type='SELL' Qty='3' At='2026-11-20T10:00:00'>",
		    "</m:Mov>" },
	};
	char			*record;
	size_t			 i, k;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (k = 0; k < sizeof(contents) / sizeof(contents[0]); k++) {
			record = xasprintf("%s%s%s", cases[i].begin, contents[k], cases[i].end);
			(void)same_judgement(&kinds[cases[i].kind], record);
			free(record);
		}
}

/* A character of the record replaced, removed or added. */
static void
mutate(char *s, size_t size)
{
	static const char	with[] = "0123456789ABZOWNabz.-+:TZ '<>&=/_ \t\xc4\xb0";
	size_t			n = strlen(s), at = any((unsigned)n);

	switch (any(3)) {
	case 0:
		s[at] = with[any(sizeof(with) - 1)];
		break;
	case 1:
		memmove(s + at, s + at + 1, n - at);
		break;
	default:
		if (n + 1 < size) {
			memmove(s + at + 1, s + at, n - at + 1);
			s[at] = with[any(sizeof(with) - 1)];
		}
	}
}

static void
test_mutations(void **state)
{
	char	 record[512];
	size_t	 k;
	int	 i, n, right, total = 0;

	(void)state;
	for (k = 0; k < KINDS; k++) {
		assert_int_equal(same_judgement(&kinds[k], kinds[k].good), 1);
		for (i = right = 0; i < 300; i++) {
			(void)str_copy(record, sizeof(record), kinds[k].good);
			for (n = 1 + (int)any(3); n > 0; n--)
				mutate(record, sizeof(record));
			right += same_judgement(&kinds[k], record);
		}
		assert_true(right > 3);	/* some are harmless */
		total += right;
	}
	assert_true(total < 4 * 300 / 2);
}

/* Dates and moments are XML Schema's own types, which have rules of their own. */
static void
test_moments(void **state)
{
	static const char *const zones[] = { "", "Z", "+03:00", "-11:30", "+14:00", "+14:01", "-15:00", "+3:00" };
	char	 record[512];
	int	 i, right = 0;

	(void)state;
	for (i = 0; i < 700; i++) {
		(void)snprintf(record, sizeof(record), "<m:Mov Id='m-1' Reg='1234567890' Cust='c' Asset='4H95J0R2X' Type='BUY' "
		    "Qty='2' At='%s%04u-%02u-%02uT%02u:%02u:%02u%s%s'/>", any(40) == 0 ? "-" : "",
		    any(30) == 0 ? 0 : 2020 + any(9), any(14), any(2) == 0 ? 27 + any(6) : any(30), any(10) == 0 ? 22 + any(4) : any(24),
		    any(10) == 0 ? 58 + any(4) : any(60), any(10) == 0 ? 58 + any(4) : any(60), any(3) == 0 ? ".5" : "", zones[any(8)]);
		right += same_judgement(&kinds[3], record);
	}
	assert_true(right > 100 && right < 600);
	for (i = 0; i < 200; i++) {
		(void)snprintf(record, sizeof(record), "<Breach Rule='R1' Src='s' Status='within' CureBy='%04u-%02u-%02u'/>",
		    2023 + any(3), any(14), 26 + any(7));
		(void)same_judgement(&kinds[2], record);
	}
}

/* Texts are counted in characters, and may hold any. */
static void
test_lengths(void **state)
{
	static const char *const characters[] = { "x", "\xc4\xb0", "\xf0\x9f\x94\x8f", "&lt;", "&#9;" };
	static const int	 lengths[] = { 0, 1, 511, 512, 513 };
	struct buf		 b = { 0 };
	size_t			 c, l;
	int			 i;

	(void)state;
	for (c = 0; c < 5; c++)
		for (l = 0; l < 5; l++) {
			buf_reset(&b);
			(void)buf_puts(&b, "<Breach Rule='R1' Status='within' Src='");
			for (i = 0; i < lengths[l]; i++)
				(void)buf_puts(&b, characters[c]);
			(void)buf_puts(&b, "'/>");
			assert_int_equal(same_judgement(&kinds[2], b.data), lengths[l] >= 1 && lengths[l] <= 512);
		}
	buf_free(&b);
}

/* A list that must not be empty is not, where tables took all but the first. */
static void
test_least(void **state)
{
	char	*said;

	(void)state;
	assert_int_equal(same_judgement(&kinds[2], ""), 1);
	said = judge("<LimitBreachNotice xmlns='urn:muhur:xsd:limit-breach-notice:1'>" HEADER("LimitBreachNotice")
	    "<BusinessDate>2026-11-20</BusinessDate><Run>1</Run><Breaches></Breaches></LimitBreachNotice>");
	assert_non_null(said);
	assert_string_not_equal(said, "");
	free(said);
}

/* --- a list that names its own type ---------------------------------------- */

static const char derived[] = "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' xmlns='urn:test' targetNamespace='urn:test'"
	" elementFormDefault='qualified'>"
	"<xs:simpleType name='any'><xs:restriction base='xs:string'/></xs:simpleType>"
	"<xs:simpleType name='one'><xs:restriction base='any'><xs:enumeration value='1'/></xs:restriction></xs:simpleType>"
	"<xs:complexType name='record'><xs:attribute name='a' type='any' use='required'/></xs:complexType>"
	"<xs:complexType name='few'><xs:complexContent><xs:restriction base='record'>"
	"<xs:attribute name='a' type='one' use='required'/></xs:restriction></xs:complexContent></xs:complexType>"
	"<xs:complexType name='list'><xs:sequence><xs:element name='r' type='record' maxOccurs='unbounded'/></xs:sequence>"
	"</xs:complexType>"
	"<xs:complexType name='narrow'><xs:complexContent><xs:restriction base='list'><xs:sequence>"
	"<xs:element name='r' type='few' maxOccurs='unbounded'/></xs:sequence></xs:restriction></xs:complexContent></xs:complexType>"
	"<xs:element name='Root'><xs:complexType><xs:sequence><xs:element name='L' type='list'/></xs:sequence></xs:complexType>"
	"</xs:element></xs:schema>";

/* Many records, the last one right in the list's own type alone. */
static char *
judge_list(const char *attribute)
{
	struct buf	 b = { 0 };
	char		*said;
	int		 i;

	(void)buf_printf(&b, "<Root xmlns='urn:test' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'><L%s>", attribute);
	for (i = 0; i < BEFORE; i++)
		(void)buf_puts(&b, "<r a='1'/>");
	(void)buf_puts(&b, "<r a='2'/></L></Root>");
	said = judge(b.data);
	assert_non_null(said);
	buf_free(&b);
	return said;
}

static void
test_own_type(void **state)
{
	struct schema_set	*before = set;
	char			 dir[] = "/tmp/muhur-schema.XXXXXX", *said;
	int			 fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_not_equal(fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), -1);
	assert_int_equal(file_write_durable(fd, "derived-1.xsd", derived, strlen(derived), 0600), 0);
	assert_non_null(set = schema_set_load(fd));
	said = judge_list("");
	assert_string_equal(said, "");
	free(said);
	said = judge_list(" xsi:type='narrow'");
	assert_string_not_equal(said, "");
	free(said);
	schema_set_free(set);
	set = before;
	assert_int_equal(unlinkat(fd, "derived-1.xsd", 0), 0);
	close(fd);
	assert_int_equal(rmdir(dir), 0);
}

/* --- the schemas' own shapes and patterns -------------------------------- */

static char *
schema_path(const char *name)
{
	const char	*src = getenv("srcdir");

	return xasprintf("%s/schemas/xml/%s", src != NULL ? src : ".", name);
}

static xmlDoc *
read_schema(const char *name)
{
	char	*path = schema_path(name);
	int	 fd = open(path, O_RDONLY | O_CLOEXEC);
	xmlDoc	*doc = xmlReadFd(fd, path, NULL, XML_PARSE_NONET);

	assert_non_null(doc);
	close(fd);
	free(path);
	return doc;
}

/* Records that come in millions have tables; those that cannot have none. */
static void
test_shapes(void **state)
{
	static const struct { const char *file, *root, *list; int is; } cases[] = {
		{ "central-registry-report-1.xsd", "CentralRegistryReport", "Balances", 1 },
		{ "balance-report-1.xsd", "BalanceReport", "Balances", 1 },
		{ "balance-report-1.xsd", "BalanceReport", "Prices", 1 },
		{ "custody-report-1.xsd", "CustodyReport", "Omnibus", 1 },
		{ "custody-report-1.xsd", "CustodyReport", "DirectCustomers", 1 },
		{ "movement-report-1.xsd", "MovementReport", "Movements", 1 },
		{ "netting-report-1.xsd", "NettingReport", "Nettings", 1 },
		{ "holding-report-1.xsd", "HoldingReport", "Wallets", 1 },
		{ "reconciliation-result-1.xsd", "ReconciliationResult", "Pairs", 1 },
		{ "reconciliation-result-1.xsd", "ReconciliationResult", "Sources", 1 },
		{ "reconciliation-result-1.xsd", "ReconciliationResult", "Breaks", 0 },	/* an xs:list */
		{ "reconciliation-result-1.xsd", "ReconciliationResult", "NoticeHeader", 0 },
		{ "balance-report-1.xsd", "BalanceReport", "Header", 0 },
		{ "balance-report-1.xsd", "BalanceReport", "Bal", 0 },
		{ "balance-report-1.xsd", "Other", "Balances", 0 },
	};
	struct shape_docs	 docs = { { NULL } };
	struct shape		*sh;
	xmlDoc			*schema, *common = read_schema("common-1.xsd");
	size_t			 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		docs.v[0] = schema = read_schema(cases[i].file);
		docs.v[1] = common;
		sh = shape_new(&docs, BAD_CAST cases[i].root, BAD_CAST cases[i].list);
		if ((sh != NULL) != cases[i].is)
			fail_msg("%s/%s", cases[i].root, cases[i].list);
		shape_free(sh);
		docs.v[1] = NULL;	/* its types are in what it includes */
		assert_null(shape_new(&docs, BAD_CAST cases[i].root, BAD_CAST cases[i].list));
		xmlFreeDoc(schema);
	}
	xmlFreeDoc(common);
}

static const char *const samples[] = {
	"", "PLA", "OWN", "OWNER", "PLA001", "CUB990", "4H95J0R2X", "1234567890", "-12.5", "12345678901234567890.123456789012345678",
	"0", "0.25", "1.000", "0193a0f0-0000-7000-8000-000000000002", "2026-11-20", "2026-11-20T10:00:00.5+03:00", "M-1_x.y", "R12",
	"TRY", "MISSING_REPORT", "BalanceReport", " x ", "a/b-c:d", "0193a0f0-0000-7000-8000-000000000002:1,2", "\t\n",
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
};

static int
ascii(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s >= 0x80)
			return 0;
	return 1;
}

/* Of ASCII a table knows just what the pattern takes. */
static void
compare(const char *pattern, const struct pattern *p, xmlRegexp *re, const char *s)
{
	int	 table = pattern_accepts(p, (const unsigned char *)s, strlen(s));
	int	 known = xmlRegexpExec(re, BAD_CAST s) == 1;

	if (table != known && (table || ascii(s)))
		fail_msg("pattern %s: \"%s\": %d, libxml2: %d", pattern, s, table, known);
}

/* 1 where the pattern has a table. */
static int
check_pattern(const char *pattern)
{
	struct pattern	*p = pattern_new(pattern);
	xmlRegexp	*re = xmlRegexpCompile(BAD_CAST pattern);
	char		 s[256];
	size_t		 i;
	int		 k, n;

	assert_non_null(re);
	for (i = 0; p != NULL && i < sizeof(samples) / sizeof(samples[0]); i++)
		for (k = 0; k < 60; k++) {
			(void)str_copy(s, sizeof(s), samples[i]);
			for (n = (int)any(4); n > 0 && *s != '\0'; n--)
				mutate(s, sizeof(s));
			compare(pattern, p, re, s);
		}
	xmlRegFreeRegexp(re);
	pattern_free(p);
	return p != NULL;
}

/* All patterns of all schemas have tables, but that of a user code, whose digits may
 * belong to either part of it. */
static void
test_patterns(void **state)
{
	char		*path = schema_path("");
	DIR		*dir = opendir(path);
	struct dirent	*e;
	xmlDoc		*doc;
	const xmlNode	*n, *root;
	char		*value;
	int		 all = 0, tables = 0;

	(void)state;
	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL) {
		if (strstr(e->d_name, ".xsd") == NULL)
			continue;
		doc = read_schema(e->d_name);
		root = xmlDocGetRootElement(doc);
		for (n = root; n != NULL; n = node_walk(n, root)) {
			if (!node_is(n, "http://www.w3.org/2001/XMLSchema", "pattern"))
				continue;
			value = node_attr(n, "value");
			all++;
			tables += check_pattern(value);
			free(value);
		}
		xmlFreeDoc(doc);
	}
	closedir(dir);
	free(path);
	assert_true(all > 20);
	assert_int_equal(tables, all - 1);
}

/* Quantifiers, branches and classes that the schemas do not happen to have. */
static void
test_syntax(void **state)
{
	static const char *const known[] = {
		"a*", "(a|b)*x", "(ab){2,3}", "(ab){2,}", "a{0,2}b", "(a|)b", "|a", "a?b?c?", "[^a]", "[^0-9a]{2}", "\\.\\-\\\\",
		"[\\-.]+", "((a|b)(c|d)){1,2}", "[ -~]*", "", "(a+|b){2}", "a b",
	}, *const unknown[] = {
		"\\p{L}", ".", "a{0}", "a{2,1}", "[a-z-[aeiou]]", "[", "[]", "(", "a)", "(((((((((a)))))))))", "a{1,500}", "(a{15}){15}", "\xc4\xb0",
		"\\d", "[a\\d]", "\\w", "a{", "a{x}", "*", "a**", "[z-a]", "\\", "[\\i]", "^a$", "(a?){3}", "(a*b*)*",
	};
	size_t	 i;

	(void)state;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!check_pattern(known[i]))
			fail_msg("%s has no table", known[i]);
	for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		if (pattern_new(unknown[i]) != NULL)
			fail_msg("%s has a table", unknown[i]);
}

static int
setup(void **state)
{
	char	*path = schema_path("");
	int	 fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	free(path);
	log_init("test_schema", LOG_COMMAND, 0);
	set = schema_set_load(fd);
	close(fd);
	return set != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	schema_set_free(set);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_content),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_moments),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_least),
		cmocka_unit_test(test_own_type),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_syntax),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
