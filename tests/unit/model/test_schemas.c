/* SPDX-License-Identifier: ISC */
/* The XML formats: each schema compiles without a network, cites a source at
 * every type, element and attribute, and takes and refuses what it should. */
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

#define SIG	"<s:Signature xmlns:s='http://www.w3.org/2000/09/xmldsig#'><s:Any a='1'/></s:Signature>"
#define HEADER(type, count, totals) \
	"<Header><MessageId>m-1</MessageId><MessageType>" type "</MessageType>" \
	"<SchemaVersion>1</SchemaVersion><SenderMemberCode>PLA</SenderMemberCode>" \
	"<UserCode>PLA001</UserCode><BusinessDate>2026-11-20</BusinessDate>" \
	"<CreatedAt>2026-11-21T00:10:00+03:00</CreatedAt><Sequence>1</Sequence>" \
	"<RecordCount>" count "</RecordCount><ControlTotals>" totals "</ControlTotals></Header>"
#define BAL(body)	"<BalanceReport xmlns='urn:muhur:xsd:balance-report:1'>" body "</BalanceReport>"
#define CUS(body)	"<CustodyReport xmlns='urn:muhur:xsd:custody-report:1'>" body "</CustodyReport>"
#define ACK(body)	"<Acknowledgement xmlns='urn:muhur:xsd:acknowledgement:1'>" body "</Acknowledgement>"
#define RES(body)	"<ReconciliationResult xmlns='urn:muhur:xsd:reconciliation-result:1'>" body "</ReconciliationResult>"
#define DIS(body)	"<DiscrepancyReport xmlns='urn:muhur:xsd:discrepancy-report:1'>" body "</DiscrepancyReport>"
#define LIM(body)	"<LimitBreachNotice xmlns='urn:muhur:xsd:limit-breach-notice:1'>" body "</LimitBreachNotice>"
#define CEN(body)	"<CentralRegistryReport xmlns='urn:muhur:xsd:central-registry-report:1'>" body "</CentralRegistryReport>"
#define RUN1		"<BusinessDate>2026-11-20</BusinessDate><Run>1</Run>"
#define LIMIT(name, more) "<" name " Rule='R6' Src='m.41(1)' Plat='PLA' Num='5.1' Den='100' Ratio='0.051' Threshold='0.05' " more "/>"
#define CBAL(qty)	"<Balances><Bal Reg='1234567890' Asset='4H95J0R2X' Plat='PLA' Qty='" qty "' Lck='0' Total='3'/></Balances>"
#define BROKEN(more) \
	"<Breaks><Break Id='R1-0123456789ab' Rule='R1' Src='m.32(3)' Kind='QUANTITY_DIFFERENCE' Status='new' " \
	"FirstSeen='2026-11-20' " more "/></Breaks>"
#define EXP(body)	"<CertificateExpiryNotice xmlns='urn:muhur:xsd:certificate-expiry-notice:1'>" body "</CertificateExpiryNotice>"
#define ENDS(days)	"<TextTr>t</TextTr><TextEn>e</TextEn><Certificates><Certificate User='PLA001' SHA256='" SHA "' " \
	"Subject='CN=a' Issuer='CN=b' Serial='0a' NotAfter='2026-12-01T00:00:00Z' Days='" days "'/></Certificates>"
#define BHEAD		HEADER("BalanceReport", "1", "<Total Asset='4H95J0R2X' Qty='1.5'/>")
#define LINE(qty)	"<Bal Reg='1234567890' Cust='A1' Held='CUA' Asset='4H95J0R2X' Qty='" qty "'/>"
#define BALANCES(x)	"<Balances>" x "</Balances>"
#define UUID		"018f4b2e-7a10-7c3d-8e21-0123456789ab"
#define SHA		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define NHEAD(kind) \
	"<NoticeHeader><NoticeId>" UUID "</NoticeId><NoticeType>" kind "</NoticeType>" \
	"<SchemaVersion>1</SchemaVersion><Issuer>MKK</Issuer>" \
	"<RecipientMemberCode>PLA</RecipientMemberCode>" \
	"<IssuedAt>2026-11-21T09:00:00.000001Z</IssuedAt></NoticeHeader>"
#define SUBMISSION \
	"<Submission><SubmissionId>" UUID "</SubmissionId><FileName>\xc3\xb6zet.xml</FileName>" \
	"<FileSHA256>" SHA "</FileSHA256><Size>0</Size><ReceivedAt>2026-11-21T08:59:59Z</ReceivedAt>" \
	"<UploadedBy>PLA001</UploadedBy></Submission>"
#define ERROR \
	"<Errors><Error Code='SIG_DIGEST' Line='0' Path=''><TextTr>t</TextTr><TextEn>e</TextEn>" \
	"<Detail>d</Detail><Rule>r</Rule></Error></Errors>"
#define BREAK \
	"<Break Id='R1-0123456789ab' Rule='R1' Src='m.32(3)' Kind='QUANTITY_DIFFERENCE' Plat='PLA' " \
	"Cstd='CUA' Asset='4H95J0R2X' PlatQty='1' CstdQty='2' Diff='-1' Status='new' FirstSeen='2026-11-20'/>"

static const struct {
	const char	*schema;
	int		 valid;
	const char	*document;
} cases[] = {
	{ "balance-report-1.xsd", 1, BAL(BHEAD BALANCES(LINE("1.5"))) },
	{ "balance-report-1.xsd", 1, BAL(BHEAD BALANCES(LINE("1.5")) SIG) },
	{ "balance-report-1.xsd", 1, BAL(SIG BHEAD BALANCES(LINE("1.5"))) },
	{ "balance-report-1.xsd", 1, BAL(BHEAD "<Prices><Px Asset='4H95J0R2X' Ccy='TRY' Price='1'/></Prices>" BALANCES("")) },
	/* rule R5, not the schema, objects to a negative balance */
	{ "balance-report-1.xsd", 1, BAL(BHEAD BALANCES(LINE("-1.5"))) },
	{ "balance-report-1.xsd", 1, BAL(BHEAD BALANCES(LINE("99999999999999999999.999999999999999999"))) },
	{ "balance-report-1.xsd", 0, BAL(BHEAD BALANCES(LINE("199999999999999999999"))) },
	{ "balance-report-1.xsd", 0, BAL(BHEAD BALANCES(LINE("1.0000000000000000001"))) },
	{ "balance-report-1.xsd", 0, BAL(BHEAD BALANCES(LINE("1e3"))) },
	{ "balance-report-1.xsd", 0, BAL(BHEAD BALANCES(LINE("+1"))) },
	{ "balance-report-1.xsd", 0, BAL(BHEAD BALANCES(LINE(" 1"))) },
	{ "balance-report-1.xsd", 0, BAL(BHEAD BALANCES(LINE(""))) },
	{ "balance-report-1.xsd", 0, BAL(BHEAD BALANCES("<Bal Reg='1' Cust='A1' Held='CUA' Asset='4H95J0R2X' Qty='1'/>")) },
	{ "balance-report-1.xsd", 0, BAL(BHEAD BALANCES("<Bal Cust='A1' Held='CUA' Asset='4H95J0R2X' Qty='1'/>")) },
	{ "balance-report-1.xsd", 0, BAL(BHEAD BALANCES("<Bal Reg='1234567890' Cust='A1' Held='CUA' Asset='0H95J0R2X' Qty='1'/>")) },
	{ "balance-report-1.xsd", 0, BAL(BHEAD BALANCES("<Bal Reg='1234567890' Cust='A1' Held='CUA' Asset='AH95J0R2X' Qty='1'/>")) },
	{ "balance-report-1.xsd", 0, BAL(BHEAD BALANCES("<Bal Reg='1234567890' Cust='A1' Held='CUA' Asset='4H95J0R2X' Qty='1' X='1'/>")) },
	{ "balance-report-1.xsd", 0, BAL(BHEAD BALANCES("text")) },
	{ "balance-report-1.xsd", 0, BAL(BALANCES("")) },
	{ "balance-report-1.xsd", 0, BAL(BHEAD SIG BALANCES("")) },
	{ "balance-report-1.xsd", 0, BAL(BHEAD BALANCES("") "<x xmlns='urn:other'/>") },
	{ "balance-report-1.xsd", 0, BAL(HEADER("CustodyReport", "1", "") BALANCES("")) },
	{ "balance-report-1.xsd", 0, BAL(HEADER("BalanceReport", "-1", "") BALANCES("")) },
	{ "balance-report-1.xsd", 0, BAL(HEADER("BalanceReport", "01", "") BALANCES("")) },
	{ "custody-report-1.xsd", 1, CUS(HEADER("CustodyReport", "0", "") "<Omnibus/>") },
	{ "custody-report-1.xsd", 1, CUS(HEADER("CustodyReport", "2", "")
	    "<Omnibus><Omn Plat='PLA' Asset='4H95J0R2X' Wlt='HOT' Qty='1' Pend='0.5'/></Omnibus>"
	    "<DirectCustomers><Dir Reg='1234567890' Cust='C' Asset='4H95J0R2X' Wlt='COLD' Qty='1'/></DirectCustomers>" SIG) },
	{ "custody-report-1.xsd", 0, CUS(HEADER("CustodyReport", "1", "")
	    "<Omnibus><Omn Plat='PLA' Asset='4H95J0R2X' Wlt='HOT' Qty='-1'/></Omnibus>") },
	{ "custody-report-1.xsd", 0, CUS(HEADER("CustodyReport", "1", "")
	    "<Omnibus><Omn Plat='PLA' Asset='4H95J0R2X' Wlt='WARM' Qty='1'/></Omnibus>") },
	/* OWN is a place of holding and nobody's code */
	{ "custody-report-1.xsd", 0, CUS(HEADER("CustodyReport", "1", "")
	    "<Omnibus><Omn Plat='OWN' Asset='4H95J0R2X' Wlt='HOT' Qty='1'/></Omnibus>") },
	{ "custody-report-1.xsd", 1, CUS(HEADER("CustodyReport", "1", "")
	    "<Omnibus><Omn Plat='OWNS' Asset='4H95J0R2X' Wlt='HOT' Qty='1'/></Omnibus>") },
	{ "balance-report-1.xsd", 1, BAL(BHEAD BALANCES("<Bal Reg='1234567890' Cust='A1' Held='OWN' Asset='4H95J0R2X' Qty='1'/>")) },
	{ "acknowledgement-1.xsd", 1, ACK(NHEAD("Acknowledgement") "<Level>i</Level><Status>received</Status>" SUBMISSION SIG) },
	{ "acknowledgement-1.xsd", 1, ACK(NHEAD("Acknowledgement") "<Level>i</Level><Status>rejected</Status>" SUBMISSION
	    "<Signer><Subject>CN=a</Subject><Issuer>CN=b</Issuer><Serial>0A</Serial></Signer>" ERROR SIG) },
	{ "acknowledgement-1.xsd", 1, ACK(NHEAD("Acknowledgement") "<Level>iii</Level><Status>result</Status>" SUBMISSION
	    "<RecordCount>5</RecordCount><Late>false</Late><Breaks>0</Breaks>") },
	{ "acknowledgement-1.xsd", 1, ACK(NHEAD("Acknowledgement") "<Level>i</Level><Status>accepted</Status>" SUBMISSION
	    "<RecordCount>3</RecordCount><Late>true</Late><Records Total='1200'>"
	    "<Record No='1' Line='9' Code='NOT_LISTED' Detail='x' Reg='1000000001'/><Record No='1' Line='9' Code='NO_CONTRACT'/>"
	    "</Records>" SIG) },
	{ "acknowledgement-1.xsd", 0, ACK(NHEAD("Acknowledgement") "<Level>i</Level><Status>accepted</Status>" SUBMISSION
	    "<Records Total='1'/>") },
	{ "acknowledgement-1.xsd", 0, ACK(NHEAD("Acknowledgement") "<Level>i</Level><Status>accepted</Status>" SUBMISSION
	    "<Records><Record No='1' Line='9' Code='NOT_LISTED'/></Records>") },
	{ "acknowledgement-1.xsd", 0, ACK(NHEAD("Acknowledgement") "<Level>i</Level><Status>accepted</Status>" SUBMISSION
	    "<Records Total='1'><Record No='1' Line='9' Code='NOT_LISTED' Reg='x'/></Records>") },
	{ "acknowledgement-1.xsd", 0, ACK(NHEAD("Acknowledgement") "<Level>i</Level><Status>perhaps</Status>" SUBMISSION) },
	{ "acknowledgement-1.xsd", 0, ACK(NHEAD("Acknowledgement") "<Level>i</Level><Status>rejected</Status>" SUBMISSION "<Errors/>") },
	{ "reconciliation-result-1.xsd", 1, RES(NHEAD("ReconciliationResult") "<BusinessDate>2026-11-20</BusinessDate><Run>1</Run><Sources/>"
	    "<Pairs><Pair Plat='PLA' Cstd='CUA' Asset='4H95J0R2X' PlatQty='1' Status='missing'/></Pairs><Breaks>" BREAK "</Breaks>" SIG) },
	{ "reconciliation-result-1.xsd", 0, RES(NHEAD("ReconciliationResult") "<BusinessDate>2026-11-20</BusinessDate><Run>0</Run><Sources/><Pairs/><Breaks/>") },
	{ "discrepancy-report-1.xsd", 1, DIS(NHEAD("DiscrepancyReport") "<BusinessDate>2026-11-20</BusinessDate><Run>2</Run>"
	    "<Sources><Source SubmissionId='" UUID "' SHA256='" SHA "' Member='PLA' MessageType='BalanceReport' MessageId='m' FileName='a.xml'/></Sources>"
	    "<Breaks>" BREAK BREAK "</Breaks>") },
	{ "discrepancy-report-1.xsd", 0, DIS(NHEAD("DiscrepancyReport") "<BusinessDate>2026-02-30</BusinessDate><Run>2</Run><Sources/><Breaks/>") },
	/* what a break came from: submissions, and records where they can be told */
	{ "discrepancy-report-1.xsd", 1, DIS(NHEAD("DiscrepancyReport") RUN1 "<Sources/>"
	    BROKEN("State='explained' From='" UUID ":1,22 " UUID "' Expl='e'")) },
	{ "discrepancy-report-1.xsd", 0, DIS(NHEAD("DiscrepancyReport") RUN1 "<Sources/>" BROKEN("State='gone'")) },
	{ "discrepancy-report-1.xsd", 0, DIS(NHEAD("DiscrepancyReport") RUN1 "<Sources/>" BROKEN("From='" UUID ":'")) },
	{ "discrepancy-report-1.xsd", 0, DIS(NHEAD("DiscrepancyReport") RUN1 "<Sources/>" BROKEN("From='" UUID ":1,'")) },
	{ "discrepancy-report-1.xsd", 0, DIS(NHEAD("DiscrepancyReport") RUN1 "<Sources/>" BROKEN("From='17:1'")) },
	{ "reconciliation-result-1.xsd", 1, RES(NHEAD("ReconciliationResult") RUN1 "<Sources/><Pairs/><Breaks/><Limits>"
	    LIMIT("Limit", "Status='within'") LIMIT("Limit", "At='2026-11-20T09:00:00Z' Status='breach' Count='3' CureBy='2027-01-04'")
	    "</Limits>" SIG) },
	{ "reconciliation-result-1.xsd", 0, RES(NHEAD("ReconciliationResult") RUN1 "<Sources/><Pairs/><Breaks/><Limits>"
	    LIMIT("Limit", "Status='over'") "</Limits>") },
	{ "limit-breach-notice-1.xsd", 1, LIM(NHEAD("LimitBreachNotice") RUN1 "<Breaches>" LIMIT("Breach", "Status='breach' Detail='d'") "</Breaches>" SIG) },
	/* a notice of nothing is none */
	{ "limit-breach-notice-1.xsd", 0, LIM(NHEAD("LimitBreachNotice") RUN1 "<Breaches/>") },
	{ "limit-breach-notice-1.xsd", 0, LIM(NHEAD("DiscrepancyReport") RUN1 "<Breaches>" LIMIT("Breach", "Status='breach'") "</Breaches>") },
	{ "limit-breach-notice-1.xsd", 0, LIM(NHEAD("LimitBreachNotice") RUN1 "<Breaches>" LIMIT("Breach", "Status='breach' Count='-1'") "</Breaches>") },
	{ "central-registry-report-1.xsd", 1, CEN(NHEAD("CentralRegistryReport") RUN1 CBAL("1.5") SIG) },
	{ "central-registry-report-1.xsd", 1, CEN(SIG NHEAD("CentralRegistryReport") RUN1 "<Balances/>") },
	{ "central-registry-report-1.xsd", 0, CEN(NHEAD("CentralRegistryReport") RUN1 CBAL("1e3")) },
	{ "central-registry-report-1.xsd", 0, CEN(NHEAD("CentralRegistryReport") CBAL("1")) },
	{ "certificate-expiry-notice-1.xsd", 1, EXP(NHEAD("CertificateExpiryNotice") ENDS("30") SIG) },
	{ "certificate-expiry-notice-1.xsd", 0, EXP(NHEAD("CertificateExpiryNotice") ENDS("0") SIG) },
	{ "certificate-expiry-notice-1.xsd", 0, EXP(NHEAD("Acknowledgement") ENDS("30") SIG) },
};

static char *
schema_path(const char *name)
{
	const char *srcdir = getenv("srcdir");

	return xasprintf("%s/schemas/xml/%s", srcdir != NULL ? srcdir : ".", name);
}

static xmlExternalEntityLoader from_file;

static xmlParserInputPtr
no_network(const char *url, const char *id, xmlParserCtxtPtr ctxt)
{
	if (url == NULL || strstr(url, "://") != NULL)
		fail_msg("fetches %s", url);
	return from_file(url, id, ctxt);
}

static void
silent(void *arg, const char *fmt, ...)
{
	(void)arg;
	(void)fmt;
}

static xmlSchemaPtr
compile(const char *name)
{
	char *path = schema_path(name);
	xmlSchemaParserCtxtPtr ctxt = xmlSchemaNewParserCtxt(path);
	xmlSchemaPtr schema = xmlSchemaParse(ctxt);

	if (schema == NULL)
		fail_msg("%s does not compile", path);
	xmlSchemaFreeParserCtxt(ctxt);
	free(path);
	return schema;
}

static void
test_cases(void **state)
{
	xmlSchemaValidCtxtPtr valid;
	xmlSchemaPtr schema;
	xmlDocPtr doc;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		schema = compile(cases[i].schema);
		valid = xmlSchemaNewValidCtxt(schema);
		if (!cases[i].valid)
			xmlSchemaSetValidErrors(valid, silent, silent, NULL);
		doc = xmlReadMemory(cases[i].document, (int)strlen(cases[i].document),
		    "case.xml", NULL, XML_PARSE_NONET);
		assert_non_null(doc);
		rc = xmlSchemaValidateDoc(valid, doc);
		if ((rc == 0) != cases[i].valid)
			fail_msg("case %zu (%s): %s", i, cases[i].schema, cases[i].document);
		xmlFreeDoc(doc);
		xmlSchemaFreeValidCtxt(valid);
		xmlSchemaFree(schema);
	}
}

static int
is_xs(xmlNodePtr n, const char *name)
{
	return n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, name) == 0;
}

/* A type of its own inside an element is documented by the element. */
static int
needs_documentation(xmlNodePtr n)
{
	xmlChar *name;

	if (!is_xs(n, "element") && !is_xs(n, "attribute") && !is_xs(n, "simpleType") &&
	    !is_xs(n, "complexType") && !is_xs(n, "group"))
		return 0;
	if ((name = xmlGetProp(n, (const xmlChar *)"name")) == NULL)
		return 0;
	xmlFree(name);
	return 1;
}

static void
assert_documented(xmlNodePtr n, const char *file)
{
	xmlNodePtr a = xmlFirstElementChild(n), d;
	xmlChar *name = xmlGetProp(n, (const xmlChar *)"name"), *text;

	d = a != NULL && is_xs(a, "annotation") ? xmlFirstElementChild(a) : NULL;
	if (d == NULL || !is_xs(d, "documentation"))
		fail_msg("%s: %s has no documentation", file, name);
	text = xmlNodeGetContent(d);
	if (strlen((const char *)text) < 10)
		fail_msg("%s: %s says nothing", file, name);
	xmlFree(text);
	xmlFree(name);
}

static void
walk(xmlNodePtr n, const char *file)
{
	for (; n != NULL; n = n->next) {
		if (needs_documentation(n))
			assert_documented(n, file);
		walk(n->children, file);
	}
}

static void
test_documented(void **state)
{
	static const char *const files[] = { "common-1.xsd", "balance-report-1.xsd",
	    "custody-report-1.xsd", "acknowledgement-1.xsd", "reconciliation-result-1.xsd",
	    "discrepancy-report-1.xsd", "certificate-expiry-notice-1.xsd",
	    "limit-breach-notice-1.xsd", "central-registry-report-1.xsd" };
	xmlDocPtr doc;
	char *path;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		path = schema_path(files[i]);
		doc = xmlReadFile(path, NULL, XML_PARSE_NONET);
		assert_non_null(doc);
		walk(xmlDocGetRootElement(doc), files[i]);
		xmlFreeDoc(doc);
		free(path);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_documented),
	};
	int rc;

	xmlInitParser();
	from_file = xmlGetExternalEntityLoader();
	xmlSetExternalEntityLoader(no_network);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	xmlCleanupParser();
	return rc;
}
