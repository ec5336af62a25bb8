/* SPDX-License-Identifier: ISC */
/*
 * document_judge over documents signed here: what is accepted, in which order
 * faults are told, where ds:Signature may stand, and a hint that misleads.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../xml/testpki.h"
#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "document/pipeline.h"
#include "document/sign.h"

#define DAY	86400L
#define NOW	clock_now()

static EVP_PKEY *ca_key, *key;
static X509 *ca, *cert, *expired;
static struct signing_key *signer, *expired_signer;
static struct trust *trust;
static struct schema_set *schemas;

static const char head[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<BalanceReport xmlns=\"urn:muhur:xsd:balance-report:1\"><Header><MessageId>M-1</MessageId>"
    "<MessageType>BalanceReport</MessageType><SchemaVersion>1</SchemaVersion>"
    "<SenderMemberCode>PLA</SenderMemberCode><UserCode>PLA001</UserCode>"
    "<BusinessDate>2026-11-20</BusinessDate><CreatedAt>2026-11-21T01:02:03Z</CreatedAt>"
    "<Sequence>1</Sequence><RecordCount>1</RecordCount><ControlTotals>"
    "<Total Asset=\"4H95J0R2X\" Qty=\"1.5\"/></ControlTotals></Header>\n<Balances>\n";
static const char bal[] = "<Bal Reg=\"1000000001\" Cust=\"C1\" Held=\"OWN\" Asset=\"4H95J0R2X\" Qty=\"1.5\"/>";
static const char foot[] = "</Balances>\n</BalanceReport>\n";

/* --- set-up -------------------------------------------------------------- */

static struct signing_key *
make_signer(X509 *c)
{
	struct buf k = { 0 }, p = { 0 };
	struct signing_key *s;

	pki_put_key(&k, key);
	pki_put_cert(&p, c);
	s = signing_key_new(k.data, k.len, p.data, p.len);
	assert_non_null(s);
	buf_free(&k);
	buf_free(&p);
	return s;
}

static int
setup(void **unused)
{
	struct buf pem = { 0 };
	int fd = open(TOP_SRCDIR "/schemas/xml", O_RDONLY | O_DIRECTORY);

	(void)unused;
	assert_int_not_equal(fd, -1);
	schemas = schema_set_load(fd);
	assert_non_null(schemas);
	close(fd);
	ca_key = pki_key("P-256", 0);
	ca = pki_cert("CA", ca_key, NULL, ca_key, PKI_CA, -10 * DAY, 10 * DAY);
	key = pki_key("P-256", 0);
	cert = pki_cert("PLA001", key, ca, ca_key, PKI_SIGNER, -5 * DAY, 5 * DAY);
	expired = pki_cert("PLA001", key, ca, ca_key, PKI_SIGNER, -5 * DAY, -DAY);
	signer = make_signer(cert);
	expired_signer = make_signer(expired);
	pki_put_cert(&pem, ca);
	trust = trust_new(pem.data, pem.len);
	assert_non_null(trust);
	buf_free(&pem);
	return 0;
}

static int
teardown(void **unused)
{
	(void)unused;
	signing_key_free(signer);
	signing_key_free(expired_signer);
	trust_free(trust);
	schema_set_free(schemas);
	X509_free(ca);
	X509_free(cert);
	X509_free(expired);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(key);
	return 0;
}

/* --- documents ----------------------------------------------------------- */

static char *
document(const char *a, const char *b, const char *c)
{
	return xasprintf("%s%s%s", a, b, c);
}

static int
memory(const char *text, size_t len)
{
	int fd = memfd_create("document", 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write_full(fd, text, len), 0);
	return fd;
}

/* The signed text; unsigned_text is freed. */
static char *
sign_at(char *unsigned_text, const struct signing_key *k, usec_t t)
{
	struct reasons rs = { .n = 0 };
	int in = memory(unsigned_text, strlen(unsigned_text)), out = memory("", 0);
	char *text;
	size_t len;

	assert_int_equal(document_sign(in, out, k, t, &rs), 0);
	assert_int_equal(rs.n, 0);
	assert_int_equal(fd_read_all(out, 1 << 26, &text, &len), 0);
	close(in);
	close(out);
	free(unsigned_text);
	return text;
}

static char *
good(void)
{
	return sign_at(document(head, bal, foot), signer, NOW);
}

/* Replace the first occurrence; s is freed. */
static char *
replace(char *s, const char *from, const char *to)
{
	char *at = strstr(s, from), *out;

	assert_non_null(at);
	out = xasprintf("%.*s%s%s", (int)(at - s), s, to, at + strlen(from));
	free(s);
	return out;
}

/* The same with a text of its own, freed too. */
static char *
replace_with(char *s, const char *from, char *to)
{
	char *out = replace(s, from, to);

	free(to);
	return out;
}

/* The signature's text cut out of s (shortened in place). */
static char *
cut_signature(char *s)
{
	char *from = strstr(s, "<ds:Signature "), *to = strstr(s, "</ds:Signature>"), *sig;

	assert_non_null(from);
	assert_non_null(to);
	to += strlen("</ds:Signature>");
	sig = xstrndup(from, (size_t)(to - from));
	memmove(from, to, strlen(to) + 1);
	return sig;
}

/* --- judging ------------------------------------------------------------- */

struct seen { char id[MESSAGE_ID_SIZE]; int headers, restarts; struct buf lines; int fail; };

static int
on_header(void *arg, const struct header *h)
{
	struct seen *s = arg;

	(void)str_copy(s->id, sizeof(s->id), h->message_id);
	s->headers++;
	return s->fail ? -1 : 0;
}

static int
on_records(void *arg, enum record_kind kind, const char *lines, size_t len)
{
	struct seen *s = arg;

	assert_int_equal(kind, REC_BALANCE);
	return buf_append(&s->lines, lines, len);
}

static int
on_restart(void *arg)
{
	struct seen *s = arg;

	s->restarts++;
	s->headers = 0;
	buf_reset(&s->lines);
	return 0;
}

static struct document_settings settings;

static int
judge(const char *text, struct seen *seen, struct document_verdict *v)
{
	struct document_sink sink = { on_header, on_records, on_restart, seen };
	int fd = memory(text, strlen(text)), rc;

	rc = document_judge(fd, &settings, &sink, v);
	close(fd);
	return rc;
}

static int
reset(void **unused)
{
	(void)unused;
	memset(&settings, 0, sizeof(settings));
	settings.trust = trust;
	settings.schemas = schemas;
	settings.at = NOW;
	settings.signing_time_past = 172800;
	settings.signing_time_future = 300;
	return 0;
}

/* text is freed.  code REASON_COUNT: VALID. */
static void
expect(const char *what, char *text, enum reason_code code)
{
	struct seen seen = { .id = "" };
	struct document_verdict v;
	size_t i;

	assert_int_equal(judge(text, &seen, &v), 0);
	assert_int_equal(strlen(v.sha256), 64);
	assert_int_equal(v.size, strlen(text));
	if (code == REASON_COUNT ? v.reasons.n != 0 : !reasons_has(&v.reasons, code))
		fail_msg("%s: %s: %s", what, v.reasons.n > 0 ? reason_info(v.reasons.v[0].code)->name :
		    "VALID", v.reasons.n > 0 ? v.reasons.v[0].detail : "");
	for (i = 0; i < v.reasons.n; i++)
		assert_int_equal(reason_info(v.reasons.v[i].code)->stage, reason_info(code)->stage);
	assert_int_equal(v.signature_valid, code == REASON_COUNT ||
	    reason_info(code)->stage > STAGE_SIGNING_TIME);
	buf_free(&seen.lines);
	free(text);
}

static void
test_valid(void **unused)
{
	struct seen seen = { .id = "" };
	struct document_verdict v;
	char *text = good();

	(void)unused;
	assert_int_equal(judge(text, &seen, &v), 0);
	assert_int_equal(v.reasons.n, 0);
	assert_int_equal(v.signature_valid, 1);
	assert_string_equal(v.root, "BalanceReport");
	assert_string_equal(v.signer_subject, "CN=PLA001,C=TR");
	assert_string_equal(v.signer_issuer, "CN=CA,C=TR");
	assert_int_equal(strlen(v.cert_sha256), 64);
	assert_int_equal(seen.headers, 1);
	assert_string_equal(seen.id, "M-1");
	assert_int_equal(seen.restarts, 0);
	assert_string_equal(seen.lines.data, "1\t4\t1000000001\tC1\tOWN\t4H95J0R2X\t1.5\t0\n");
	seen.fail = 1;
	assert_int_equal(judge(text, &seen, &v), -1);
	buf_free(&seen.lines);
	free(text);
}

/* Several faults at once: only the first stage's are told. */
static void
test_order(void **unused)
{
	char *bad_schema = document(head, "<Bal Reg=\"x\"/>", foot);
	char *bad_total = document(head, "", foot);
	char *t;

	(void)unused;
	expect("unsigned", document(head, bal, foot), SIG_MISSING);
	expect("unsigned, schema", xstrdup(bad_schema), SIG_MISSING);
	t = sign_at(xstrdup(bad_schema), signer, NOW);
	expect("malformed, schema", document(t, "<", ""), XML_MALFORMED);
	expect("schema", xstrdup(t), SCHEMA_INVALID);
	expect("digest, schema", replace(t, "M-1", "M-2"), SIG_DIGEST);
	expect("expired, schema, total", sign_at(xstrdup(bad_schema), expired_signer, NOW), CERT_EXPIRED);
	expect("signing time, schema", sign_at(xstrdup(bad_schema), signer, NOW - 3 * DAY * USEC_PER_SEC),
	    SIGNING_TIME);
	expect("signing time", sign_at(document(head, bal, foot), signer, NOW + 600 * USEC_PER_SEC),
	    SIGNING_TIME);
	expect("total", sign_at(xstrdup(bad_total), signer, NOW), CONTROL_TOTAL);
	expect("digest, total", replace(sign_at(xstrdup(bad_total), signer, NOW), "<Balances>\n",
	    "<Balances>"), SIG_DIGEST);
	expect("DTD, unsigned", document("<!DOCTYPE a><a>", "", "</a>"), XML_FORBIDDEN);
	expect("not XML", xstrdup("hello"), XML_MALFORMED);
	expect("empty", xstrdup(""), XML_MALFORMED);
	free(bad_schema);
	free(bad_total);
}

static void
test_roots(void **unused)
{
	(void)unused;
	expect("unknown root", sign_at(xstrdup("<a/>"), signer, NOW), SCHEMA_INVALID);
	expect("no submission", sign_at(xstrdup("<Acknowledgement xmlns=\"urn:muhur:xsd:acknowledgement:1\"/>"),
	    signer, NOW), SCHEMA_INVALID);
	expect("wrong namespace", sign_at(xstrdup("<BalanceReport xmlns=\"urn:muhur:xsd:custody-report:1\"/>"),
	    signer, NOW), SCHEMA_INVALID);
	settings.schemas = NULL;
	settings.any_document = 1;
	expect("any", sign_at(xstrdup("<a/>"), signer, NOW), REASON_COUNT);
	expect("any", sign_at(xstrdup("<a><Signature xmlns=\"urn:x\"/></a>"), signer, NOW), REASON_COUNT);
}

/* First or last child of the root, exactly one. */
static void
test_places(void **unused)
{
	char *t = good(), *sig = cut_signature(t);

	(void)unused;
	expect("last", replace_with(xstrdup(t), "</BalanceReport>", xasprintf("%s</BalanceReport>", sig)),
	    REASON_COUNT);
	expect("first", replace_with(xstrdup(t), "<Header>", xasprintf("%s<Header>", sig)), REASON_COUNT);
	expect("middle", replace_with(xstrdup(t), "<Balances>", xasprintf("%s<Balances>", sig)), SIG_COVERAGE);
	expect("nested", replace_with(xstrdup(t), "</Balances>", xasprintf("%s</Balances>", sig)), SIG_COVERAGE);
	expect("two", replace_with(xstrdup(t), "</BalanceReport>", xasprintf("%s%s</BalanceReport>", sig, sig)),
	    SIG_MULTIPLE);
	expect("two, one nested", replace(replace_with(xstrdup(t), "</BalanceReport>", xasprintf("%s</BalanceReport>", sig)), "</Balances>", "<Signature xmlns="
	    "\"http://www.w3.org/2000/09/xmldsig#\"/></Balances>"), SIG_MULTIPLE);
	expect("one in the other", replace(replace_with(xstrdup(t), "</BalanceReport>", xasprintf("%s</BalanceReport>", sig)), "</ds:Signature>",
	    "<ds:Object><ds:Signature/></ds:Object></ds:Signature>"), SIG_MULTIPLE);
	expect("the root", xstrdup(sig), SIG_COVERAGE);
	expect("none", xstrdup(t), SIG_MISSING);
	free(t);
	free(sig);
}

/* Comments are not digested here: one can mislead the
 * hint, and must then cost a second pass and nothing else. */
static void
test_hint(void **unused)
{
	static const char decoy[] = "<!--<ds:Signature><ds:SignedInfo><ds:Reference URI=\"\"><ds:Transforms>"
	    "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>"
	    "<ds:Transform Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315\"/></ds:Transforms>"
	    "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha512\"/></ds:Reference>"
	    "</ds:SignedInfo></ds:Signature>-->";
	struct seen seen = { .id = "" };
	struct document_verdict v;
	char *t = good(), *misleading = replace_with(document(t, decoy, ""), "\n<BalanceReport",
	    xasprintf("%s\n<BalanceReport", decoy));

	(void)unused;
	assert_int_equal(judge(misleading, &seen, &v), 0);
	assert_int_equal(v.reasons.n, 0);
	assert_int_equal(seen.restarts, 1);
	assert_int_equal(seen.headers, 1);
	assert_string_equal(seen.lines.data, "1\t4\t1000000001\tC1\tOWN\t4H95J0R2X\t1.5\t0\n");
	buf_free(&seen.lines);
	free(misleading);
	free(t);
}

/* Each byte of a signed document changed: never VALID but where nothing that
 * is signed changed, never anything but a verdict. */
static void
test_flips(void **unused)
{
	struct seen seen = { .id = "" };
	struct document_verdict v;
	char *t = good();
	size_t i, n = strlen(t), from = (size_t)(strstr(t, "<Header>") - t);
	size_t to = (size_t)(strstr(t, "<ds:Signature ") - t);

	(void)unused;
	for (i = 0; i < n; i += i < to ? 1 : 7) {
		char was = t[i];

		t[i] ^= 1;
		assert_int_equal(judge(t, &seen, &v), 0);
		/* a quote turned into another character, or a digit: all are signed */
		if (i >= from && i < to && v.reasons.n == 0)
			fail_msg("valid with byte %zu changed from %c to %c", i, was, t[i]);
		t[i] = was;
	}
	assert_int_equal(judge(t, &seen, &v), 0);
	assert_int_equal(v.reasons.n, 0);
	buf_free(&seen.lines);
	free(t);
}

static void
test_limits(void **unused)
{
	char *big = xcalloc(1, 300000), *t = good();

	(void)unused;
	memset(big, 'x', XML_MAX_TEXT + 1);
	expect("long text", replace(document(head, bal, foot), "M-1", big), XML_FORBIDDEN);
	memset(big, 'A', 270000);
	expect("large signature", replace_with(xstrdup(t), "</ds:Signature>", xasprintf("<ds:Object>%s</ds:Object></ds:Signature>", big)), XML_FORBIDDEN);
	/* whole revocation lists among them */
	expect("large unsigned properties", replace_with(xstrdup(t), "</xades:SignedProperties>",
	    xasprintf("</xades:SignedProperties><xades:UnsignedProperties><xades:x>%s</xades:x>"
	    "</xades:UnsignedProperties>", big)), REASON_COUNT);
	/* what is signed is not unsigned by its name */
	expect("so called ones", replace(xstrdup(t), "</xades:SignedSignatureProperties>",
	    "<xades:UnsignedProperties/></xades:SignedSignatureProperties>"), SIG_DIGEST);
	expect("so called ones", replace(xstrdup(t), "</ds:SignedInfo>",
	    "<xades:UnsignedProperties xmlns:xades=\"http://uri.etsi.org/01903/v1.3.2#\"/></ds:SignedInfo>"),
	    SIG_COVERAGE);
	settings.max_size = (int64_t)strlen(t);
	expect("as large as may be", xstrdup(t), REASON_COUNT);
	settings.max_size--;
	expect("too large", t, XML_FORBIDDEN);
	free(big);
}

/* Where a sender's tools found the schema is their affair: nothing is opened. */
static void
test_schema_location(void **unused)
{
	(void)unused;
	expect("schemaLocation", sign_at(replace(document(head, bal, foot), "<BalanceReport xmlns=",
	    "<BalanceReport xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation="
	    "\"urn:muhur:xsd:balance-report:1 balance-report-1.xsd\" xmlns="), signer, NOW), REASON_COUNT);
	expect("another's schemaLocation", sign_at(replace(document(head, bal, foot), "<BalanceReport xmlns=",
	    "<BalanceReport xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation="
	    "\"urn:x http://127.0.0.1:9/x.xsd\" xmlns="), signer, NOW), REASON_COUNT);
}

/* A notice must be possible whatever the certificate says of itself. */
static void
test_odd_serial(void **unused)
{
	X509 *odd = pki_cert("PLA001", key, ca, ca_key, PKI_SIGNER, -DAY, DAY);
	struct seen seen = { .id = "" };
	struct document_verdict v;
	struct signing_key *k;
	char *t;

	(void)unused;
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(odd), -1), 1);
	assert_true(X509_sign(odd, ca_key, EVP_sha256()) > 0);
	k = make_signer(odd);
	t = sign_at(document(head, bal, foot), k, NOW);
	assert_int_equal(judge(t, &seen, &v), 0);
	assert_string_equal(v.signer_subject, "CN=PLA001,C=TR");
	assert_string_equal(v.signer_serial, "");
	buf_free(&seen.lines);
	free(t);
	signing_key_free(k);
	X509_free(odd);
}

/* At most 20 faults of the schema, each with its place. */
static void
test_schema_errors(void **unused)
{
	struct seen seen = { .id = "" };
	struct document_verdict v;
	struct buf b = { 0 };
	char *t;
	int i;

	(void)unused;
	buf_puts(&b, head);
	for (i = 0; i < 500; i++)
		buf_puts(&b, "<Bal Reg=\"secret\" Cust=\"C1\" Held=\"OWN\" Asset=\"4H95J0R2X\" Qty=\"1\"/>\n");
	buf_puts(&b, foot);
	t = sign_at(xstrdup(b.data), signer, NOW);
	assert_int_equal(judge(t, &seen, &v), 0);
	assert_int_equal(v.reasons.n, 20);
	assert_int_equal(v.signature_valid, 1);
	assert_int_equal(seen.headers, 1);
	assert_null(seen.lines.data);
	for (i = 0; i < 20; i++) {
		assert_int_equal(v.reasons.v[i].code, SCHEMA_INVALID);
		assert_int_equal(v.reasons.v[i].line, 4 + i);
		assert_string_equal(v.reasons.v[i].path, "/BalanceReport/Balances/Bal");
		assert_null(strstr(v.reasons.v[i].detail, "secret"));
		assert_non_null(strstr(v.reasons.v[i].detail, "Reg"));
	}
	buf_free(&b);
	free(t);
}

/* Neither a facet's message nor a type's says the value: it may be a person's. */
static void
test_schema_values(void **unused)
{
	static const char request[] = "<RegistrationRequest xmlns=\"urn:muhur:xsd:registration-request:1\"><Header>"
	    "<MessageId>M-1</MessageId><MessageType>RegistrationRequest</MessageType><SchemaVersion>1</SchemaVersion>"
	    "<SenderMemberCode>PLA</SenderMemberCode><UserCode>PLA001</UserCode>"
	    "<BusinessDate>2026-11-20</BusinessDate><CreatedAt>2026-11-21T01:02:03Z</CreatedAt>"
	    "<Sequence>1</Sequence><RecordCount>5</RecordCount><ControlTotals/></Header><Investors>";
	static const char *const people[] = {
		"<Inv Type=\"TCKN\" No=\"10000000146\" Name=\"N\" Birth=\"secret\"/>",
		"<Inv Type=\"TCKN\" No=\"10000000146\" Name=\"N\" Birth=\"' is not a valid value of secret\"/>",
		"<Inv Type=\"TCKN\" No=\"10000000146\" Name=\"N\" Birth=\": 'secret': 'secret'\"/>",
		"<Inv Type=\"secret\" No=\"10000000146\" Name=\"N\"/>",
		"<Inv Type=\"TCKN\" No=\"secret' is secret\" Name=\"N\"/>",
	};
	static const char *const what[] = { "Birth", "Birth", "Birth", "Type", "No" };
	struct seen seen = { .id = "" };
	struct document_verdict v;
	struct buf b = { 0 };
	size_t i;
	char *t;

	(void)unused;
	buf_puts(&b, request);
	for (i = 0; i < 5; i++)
		buf_puts(&b, people[i]);
	buf_puts(&b, "</Investors></RegistrationRequest>");
	t = sign_at(xstrdup(b.data), signer, NOW);
	assert_int_equal(judge(t, &seen, &v), 0);
	assert_int_equal(v.reasons.n, 5);
	for (i = 0; i < 5; i++) {
		assert_int_equal(v.reasons.v[i].code, SCHEMA_INVALID);
		assert_null(strstr(v.reasons.v[i].detail, "secret"));
		assert_non_null(strstr(v.reasons.v[i].detail, what[i]));
		assert_non_null(strstr(v.reasons.v[i].detail, "The value is not "));
	}
	buf_free(&b);
	buf_free(&seen.lines);
	free(t);
}

/* muhur c14n's function against the digest: what it prints is what is signed. */
static void
test_c14n(void **unused)
{
	char *t = good(), *a = document(head, bal, foot), *c1, *c2;
	struct reasons rs = { .n = 0 };
	int in1 = memory(t, strlen(t)), in2 = memory(a, strlen(a)), out1 = memory("", 0), out2 = memory("", 0);
	size_t n1, n2;

	(void)unused;
	assert_int_equal(document_c14n(in1, C14N_EXCLUSIVE, 0, 0, out1, &rs), 0);
	assert_int_equal(document_c14n(in2, C14N_EXCLUSIVE, 0, 0, out2, &rs), 0);
	assert_int_equal(rs.n, 0);
	assert_int_equal(fd_read_all(out1, 1 << 20, &c1, &n1), 0);
	assert_int_equal(fd_read_all(out2, 1 << 20, &c2, &n2), 0);
	assert_string_equal(c1, c2);
	free(c1);
	free(c2);
	free(t);
	free(a);
	close(in1), close(in2), close(out1), close(out2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_valid, reset),
		cmocka_unit_test_setup(test_order, reset),
		cmocka_unit_test_setup(test_roots, reset),
		cmocka_unit_test_setup(test_places, reset),
		cmocka_unit_test_setup(test_hint, reset),
		cmocka_unit_test_setup(test_flips, reset),
		cmocka_unit_test_setup(test_limits, reset),
		cmocka_unit_test_setup(test_schema_errors, reset),
		cmocka_unit_test_setup(test_schema_values, reset),
		cmocka_unit_test_setup(test_schema_location, reset),
		cmocka_unit_test_setup(test_odd_serial, reset),
		cmocka_unit_test_setup(test_c14n, reset),
	};

	log_init("test_pipeline", LOG_COMMAND, 0);
	clock_init(0);
	if (document_init() == -1)
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
