/* SPDX-License-Identifier: ISC */
/*
 * What signatures are accepted: documents that stock xmlsec1 signs from
 * templates, in the forms that are allowed and in those that are not, and
 * what becomes of them when they are changed afterwards.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../xml/testpki.h"
#include "base/fdio.h"
#include "base/log.h"
#include "document/pipeline.h"

#define DAY	86400L
#define DS	"http://www.w3.org/2000/09/xmldsig#"
#define EXC	"http://www.w3.org/2001/10/xml-exc-c14n#"
#define INC	"http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
#define MORE	"http://www.w3.org/2001/04/xmldsig-more#"
#define SHA256	"http://www.w3.org/2001/04/xmlenc#sha256"
#define SHA384	MORE "sha384"
#define SHA512	"http://www.w3.org/2001/04/xmlenc#sha512"
#define T(uri)	"<ds:Transform Algorithm=\"" uri "\"/>"
#define ENV	T(DS "enveloped-signature")

static char		 dir[] = "/tmp/muhur-test-signatures.XXXXXX";
static struct trust	*trust;
static EVP_PKEY		*keys[4];
static X509		*certs[4];
enum { K_RSA, P256, P384, WEAK };
static const char *const names[] = { "rsa", "p256", "p384", "weak" };

/* A template; NULL fields take those of a plain XAdES-BES signature. */
struct form {
	int		 key;
	const char	*c14n;		/* of SignedInfo */
	const char	*method, *digest, *transforms, *sp_transforms, *time;
	int		 first;		/* first child of the root */
	int		 v1;		/* SigningCertificate */
	int		 other_cert;	/* whose certificate the properties name, + 1 */
	int		 other_list;	/* whose the other version's list names, + 1; 0: there is none */
	int		 xmldsig;	/* no XAdES properties */
	int		 no_sp_reference;
	const char	*more;		/* signed signature properties behind the certificate */
	const char	*policies[2];	/* that are taken; none: the defaults */
};

static void
path_of(char *path, size_t size, const char *name, const char *suffix)
{
	assert_true(snprintf(path, size, "%s/%s%s", dir, name, suffix) < (int)size);
}

static void
write_file(const char *name, const char *suffix, const void *p, size_t n)
{
	char	path[128];
	int	fd;

	path_of(path, sizeof(path), name, suffix);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write_full(fd, p, n), 0);
	close(fd);
}

static int
setup(void **state)
{
	EVP_PKEY	*ca_key = pki_key("P-256", 0);
	X509		*ca = pki_cert("Root", ca_key, NULL, NULL, PKI_CA, -DAY, DAY);
	struct buf	 b = { 0 };
	int		 i;

	(void)state;
	log_init("test_signatures", LOG_COMMAND, 0);
	clock_init(0);
	if (document_init() == -1 || mkdtemp(dir) == NULL)
		return -1;
	pki_put_cert(&b, ca);
	trust = trust_new(b.data, b.len);
	for (i = 0; i < 4; i++) {
		keys[i] = i == K_RSA ? pki_key("RSA", 2048) : i == WEAK ? pki_key("RSA", 1024) :
		    pki_key(i == P256 ? "P-256" : "P-384", 0);
		certs[i] = pki_cert(names[i], keys[i], ca, ca_key, PKI_SIGNER, -DAY, DAY);
		buf_reset(&b);
		pki_put_key(&b, keys[i]);
		write_file(names[i], ".key", b.data, b.len);
		buf_reset(&b);
		pki_put_cert(&b, certs[i]);
		write_file(names[i], ".pem", b.data, b.len);
	}
	buf_free(&b);
	X509_free(ca);
	EVP_PKEY_free(ca_key);
	return trust != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	char	command[128];
	int	i;

	(void)state;
	for (i = 0; i < 4; i++) {
		X509_free(certs[i]);
		EVP_PKEY_free(keys[i]);
	}
	trust_free(trust);
	assert_true(snprintf(command, sizeof(command), "rm -r %s", dir) < 128);
	return system(command);
}

static const char *
or_default(const char *s, const char *d)
{
	return s != NULL ? s : d;
}

static void
put_certificate(struct buf *b, X509 *cert, int v1)
{
	unsigned char	 md[EVP_MAX_MD_SIZE], b64[128];
	unsigned	 len;

	assert_int_equal(X509_digest(cert, EVP_sha256(), md, &len), 1);
	EVP_EncodeBlock(b64, md, (int)len);
	buf_printf(b, "<x:SigningCertificate%s><x:Cert><x:CertDigest><ds:DigestMethod Algorithm=\"" SHA256
	    "\"/><ds:DigestValue>%s</ds:DigestValue></x:CertDigest>", v1 ? "" : "V2", b64);
	if (v1)
		buf_printf(b, "<x:IssuerSerial><ds:X509IssuerName>CN=whatever</ds:X509IssuerName>"
		    "<ds:X509SerialNumber>%ld</ds:X509SerialNumber></x:IssuerSerial>",
		    ASN1_INTEGER_get(X509_get0_serialNumber(cert)));
	buf_printf(b, "</x:Cert></x:SigningCertificate%s>", v1 ? "" : "V2");
}

static void
put_properties(struct buf *b, const struct form *f)
{
	char	now[TIME_SIZE];

	time_format(clock_now(), now);
	buf_printf(b, "<ds:Object><x:QualifyingProperties xmlns:x=\"http://uri.etsi.org/01903/v1.3.2#\" "
	    "Target=\"#sig\"><x:SignedProperties Id=\"props\"><x:SignedSignatureProperties>"
	    "<x:SigningTime>%s</x:SigningTime>", or_default(f->time, now));
	put_certificate(b, certs[f->other_cert > 0 ? f->other_cert - 1 : f->key], f->v1);
	if (f->other_list > 0)
		put_certificate(b, certs[f->other_list - 1], !f->v1);
	buf_printf(b, "%s</x:SignedSignatureProperties></x:SignedProperties></x:QualifyingProperties></ds:Object>",
	    or_default(f->more, ""));
}

static void
put_signature(struct buf *b, const struct form *f)
{
	const char	*method = f->key == K_RSA || f->key == WEAK ? MORE "rsa-sha256" : MORE "ecdsa-sha256";

	buf_printf(b, "<ds:Signature xmlns:ds=\"" DS "\" Id=\"sig\"><ds:SignedInfo>"
	    "<ds:CanonicalizationMethod Algorithm=\"%s\"/><ds:SignatureMethod Algorithm=\"%s\"/>"
	    "<ds:Reference URI=\"\">%s<ds:DigestMethod Algorithm=\"%s\"/><ds:DigestValue/></ds:Reference>",
	    or_default(f->c14n, EXC), or_default(f->method, method),
	    or_default(f->transforms, "<ds:Transforms>" ENV T(EXC) "</ds:Transforms>"),
	    or_default(f->digest, SHA256));
	if (!f->xmldsig && !f->no_sp_reference)
		buf_printf(b, "<ds:Reference Type=\"http://uri.etsi.org/01903#SignedProperties\" "
		    "URI=\"#props\">%s<ds:DigestMethod Algorithm=\"%s\"/><ds:DigestValue/></ds:Reference>",
		    or_default(f->sp_transforms, "<ds:Transforms>" T(EXC) "</ds:Transforms>"),
		    or_default(f->digest, SHA256));
	buf_puts(b, "</ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data/></ds:KeyInfo>");
	if (!f->xmldsig)
		put_properties(b, f);
	buf_puts(b, "</ds:Signature>");
}

/* The signed document, the caller's to free. */
static char *
sign(const struct form *f)
{
	struct buf	 b = { 0 };
	char		 command[512], path[128], *text;
	size_t		 len;

	buf_puts(&b, "<q:a xmlns:q=\"urn:q\" xmlns=\"urn:d\" xmlns:r=\"urn:r\" xml:lang=\"tr\">");
	if (f->first)
		put_signature(&b, f);
	buf_puts(&b, "\n<b n=\"1\" q:m=\"&lt;\">text<!-- c --></b><?pi x?><r:c/>\n");
	if (!f->first)
		put_signature(&b, f);
	buf_puts(&b, "</q:a>\n");
	write_file("in", ".xml", b.data, b.len);
	buf_free(&b);
	assert_true(snprintf(command, sizeof(command),
	    "cd %s && xmlsec1 --sign --privkey-pem %s.key,%s.pem --output out.xml in.xml >log 2>&1",
	    dir, names[f->key], names[f->key]) < (int)sizeof(command));
	if (system(command) != 0)
		fail_msg("%s", command);
	path_of(path, sizeof(path), "out", ".xml");
	assert_int_equal(file_read_all(path, 1 << 20, &text, &len), 0);
	return text;
}

static struct signature_policy	 policies[2];
static size_t			 npolicies;	/* 0: the defaults */
static int			 any_policy;
static char			 said[POLICY_OID_SIZE];	/* of the last policy */

static void
judge(const char *text, enum signature_profile profile, struct document_verdict *v)
{
	struct document_settings	 s = { 0 };
	char				 path[128];
	int				 fd;

	s.policies = npolicies > 0 ? policies : signature_policies_default;
	s.npolicies = npolicies > 0 ? npolicies : SIGNATURE_POLICIES_DEFAULT;
	if (any_policy)
		s.policies = NULL;
	s.trust = trust;
	s.profile = profile;
	s.at = clock_now();
	s.signing_time_past = 172800;
	s.signing_time_future = 300;
	s.any_document = 1;
	write_file("judged", ".xml", text, strlen(text));
	path_of(path, sizeof(path), "judged", ".xml");
	fd = open(path, O_RDONLY);
	assert_int_equal(document_judge(fd, &s, NULL, v), 0);
	close(fd);
}

static void
expect(const char *what, const char *text, enum signature_profile profile, enum reason_code code)
{
	struct document_verdict	 v;
	struct reasons		*rs = &v.reasons;

	judge(text, profile, &v);
	(void)str_copy(said, sizeof(said), v.policy);
	if (code == REASON_COUNT ? rs->n != 0 : !reasons_has(rs, code))
		fail_msg("%s: %s: %s", what, rs->n > 0 ? reason_info(rs->v[0].code)->name : "no reason",
		    rs->n > 0 ? rs->v[0].detail : "");
}

static void
expect_form(const char *what, const struct form *f, enum reason_code code)
{
	char	*text = sign(f);

	for (npolicies = 0; npolicies < 2 && f->policies[npolicies] != NULL; npolicies++)
		assert_int_equal(signature_policy_parse(f->policies[npolicies], &policies[npolicies]), 0);
	expect(what, text, f->xmldsig ? PROFILE_XMLDSIG : PROFILE_XADES, code);
	npolicies = 0;
	free(text);
}

static void
test_accepted(void **state)
{
	char	istanbul[TIME_SIZE];

	(void)state;
	time_format(clock_now() + 3 * 3600 * USEC_PER_SEC, istanbul);	/* UTC+3, all year */
	*strchr(istanbul, '.') = '\0';
	expect_form("plain", &(struct form){ .key = K_RSA }, REASON_COUNT);
	expect_form("inclusive, v1", &(struct form){ .key = P256, .c14n = INC, .v1 = 1,
	    .transforms = "<ds:Transforms>" ENV T(INC) "</ds:Transforms>",
	    .sp_transforms = "<ds:Transforms>" T(INC) "</ds:Transforms>" }, REASON_COUNT);
	expect_form("no c14n, P-384", &(struct form){ .key = P384, .digest = SHA384,
	    .method = MORE "ecdsa-sha384", .sp_transforms = "",
	    .transforms = "<ds:Transforms>" ENV "</ds:Transforms>" }, REASON_COUNT);
	expect_form("PrefixList, first", &(struct form){ .key = K_RSA, .first = 1, .digest = SHA512,
	    .method = MORE "rsa-sha512", .transforms = "<ds:Transforms>" ENV
	    "<ds:Transform Algorithm=\"" EXC "\"><e:InclusiveNamespaces xmlns:e=\"" EXC
	    "\" PrefixList=\"r #default\"/></ds:Transform></ds:Transforms>" }, REASON_COUNT);
	expect_form("time without zone", &(struct form){ .key = P256, .time = istanbul }, REASON_COUNT);
	expect_form("xmldsig RSA", &(struct form){ .key = K_RSA, .xmldsig = 1 }, REASON_COUNT);
	expect_form("xmldsig P-256", &(struct form){ .key = P256, .xmldsig = 1, .c14n = INC }, REASON_COUNT);
	expect_form("xmldsig P-384", &(struct form){ .key = P384, .xmldsig = 1, .first = 1,
	    .method = MORE "ecdsa-sha512" }, REASON_COUNT);
}

static void
test_algorithms(void **state)
{
	(void)state;
	expect_form("SHA-1 digest", &(struct form){ .key = K_RSA, .digest = DS "sha1" }, SIG_ALGORITHM);
	expect_form("RSA-SHA1", &(struct form){ .key = K_RSA, .method = DS "rsa-sha1" }, SIG_ALGORITHM);
	expect_form("ECDSA-SHA1", &(struct form){ .key = P256, .method = MORE "ecdsa-sha1" }, SIG_ALGORITHM);
	expect_form("RSA-1024", &(struct form){ .key = WEAK }, SIG_ALGORITHM);
	expect_form("comments", &(struct form){ .key = K_RSA, .c14n = EXC "WithComments" }, SIG_ALGORITHM);
	expect_form("c14n 1.1", &(struct form){ .key = K_RSA, .c14n = "http://www.w3.org/2006/12/xml-c14n11" },
	    SIG_ALGORITHM);
	expect_form("comments in the document", &(struct form){ .key = K_RSA,
	    .transforms = "<ds:Transforms>" ENV T(INC "#WithComments") "</ds:Transforms>" }, SIG_ALGORITHM);
}

static void
test_coverage(void **state)
{
	char	*text;

	(void)state;
	expect_form("XPath", &(struct form){ .key = K_RSA, .transforms = "<ds:Transforms>" ENV
	    "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\">"
	    "<ds:XPath>not(self::text())</ds:XPath></ds:Transform></ds:Transforms>" }, SIG_COVERAGE);
	expect_form("unsigned properties", &(struct form){ .key = K_RSA, .no_sp_reference = 1 }, SIG_COVERAGE);
	expect_form("c14n twice", &(struct form){ .key = K_RSA,
	    .transforms = "<ds:Transforms>" ENV T(EXC) T(EXC) "</ds:Transforms>" }, SIG_COVERAGE);
	text = sign(&(struct form){ .key = K_RSA, .xmldsig = 1 });
	expect("no properties", text, PROFILE_XADES, SIG_COVERAGE);
	free(text);
	text = sign(&(struct form){ .key = K_RSA });
	expect("properties where none are wanted", text, PROFILE_XMLDSIG, SIG_COVERAGE);
	free(text);
}

/* One change of the text of a good XAdES signature. */
struct change { const char *from, *to; enum reason_code code; };

static char *
replace(const char *text, const char *from, const char *to)
{
	const char	*at = strstr(text, from);
	struct buf	 b = { 0 };

	if (at == NULL)
		fail_msg("%s is not there", from);
	buf_append(&b, text, (size_t)(at - text));
	buf_puts(&b, to);
	buf_puts(&b, at + strlen(from));
	return b.data;
}

static const struct change changes[] = {
	{ "URI=\"\"", "URI=\"#x\"", SIG_COVERAGE },
	{ "URI=\"\"", "", SIG_COVERAGE },
	{ "URI=\"#props\"", "URI=\"#other\"", SIG_COVERAGE },
	{ ENV T(EXC), ENV T("http://www.w3.org/2002/06/xmldsig-filter2"), SIG_COVERAGE },
	{ ENV, "<ds:Transform Algorithm=\"" DS "enveloped-signature\"><ds:XPath>1</ds:XPath></ds:Transform>",
	    SIG_COVERAGE },
	{ ENV, "<ds:Transform Algorithm=\"" DS "enveloped-signature\"><i:InclusiveNamespaces xmlns:i=\"" DS
	    "enveloped-signature\" PrefixList=\"a\"><b/></i:InclusiveNamespaces></ds:Transform>", SIG_COVERAGE },
	{ ENV, "<ds:Transform Algorithm=\"" DS "enveloped-signature\"><i:InclusiveNamespaces xmlns:i=\"" DS
	    "enveloped-signature\" PrefixList=\"a\"/><ds:XPath>1</ds:XPath></ds:Transform>", SIG_COVERAGE },
	/* read as XML Signature means it; but the text that was signed is another */
	{ ENV, "<ds:Transform Algorithm=\"" DS "enveloped-signature\"><i:InclusiveNamespaces xmlns:i=\"" DS
	    "enveloped-signature\" PrefixList=\"a\"/></ds:Transform>", SIG_VALUE },
	{ "URI=\"#props\"", "URI=\"http://example.org/\"", SIG_COVERAGE },
	{ " Type=\"http://uri.etsi.org/01903#SignedProperties\"", "", SIG_COVERAGE },
	{ "Target=\"#sig\"", "Target=\"#props\"", SIG_COVERAGE },
	{ "Id=\"sig\"", "Id=\"props\"", SIG_COVERAGE },
	{ "<ds:Object>", "<ds:Object><ds:Manifest/></ds:Object><ds:Object>", SIG_COVERAGE },
	{ "<ds:Object>", "<ds:Object><x:QualifyingProperties xmlns:x=\"http://uri.etsi.org/01903/v1.3.2#\"/>"
	    "</ds:Object><ds:Object>", SIG_COVERAGE },
	{ "<ds:Object>", "<ds:Object><x:SignedProperties xmlns:x=\"http://uri.etsi.org/01903/v1.3.2#\"/>"
	    "</ds:Object><ds:Object>", SIG_COVERAGE },
	{ "<ds:SignatureValue>", "text<ds:SignatureValue>", SIG_COVERAGE },
	{ "rsa-sha256\"/>", "rsa-sha256\"><ds:HMACOutputLength>1</ds:HMACOutputLength></ds:SignatureMethod>",
	    SIG_ALGORITHM },
	{ MORE "rsa-sha256", MORE "hmac-sha256", SIG_ALGORITHM },
	{ MORE "rsa-sha256", MORE "ecdsa-sha256", SIG_VALUE },
	{ MORE "rsa-sha256", MORE "rsa-sha512", SIG_VALUE },
	{ "<b n=\"1\"", "<b n=\"2\"", SIG_DIGEST },
	{ "<x:SigningTime>2", "<x:SigningTime>3", SIG_DIGEST },
	{ "<ds:SignatureValue>", "<ds:SignatureValue>AAAA", SIG_VALUE },
	{ "<ds:SignatureValue>", "<ds:SignatureValue>?", SIG_VALUE },
	{ "<ds:SignatureValue>", "<ds:SignatureValue Id=\"v\">", REASON_COUNT },
	{ "<ds:KeyInfo>", "<ds:KeyInfo><ds:KeyName>root</ds:KeyName><ds:RetrievalMethod URI=\"file:///etc/passwd\"/>",
	    REASON_COUNT },
	{ "</x:SignedProperties>", "</x:SignedProperties><x:UnsignedProperties><ds:Signature/>"
	    "<x:SignedProperties Id=\"z\"/></x:UnsignedProperties>", REASON_COUNT },
	{ "<ds:X509Certificate>", "<ds:X509Certificate>!", CERT_UNTRUSTED },
	{ "<?pi x?>", "<!-- another --><?pi x?>", REASON_COUNT },
};

/* The signature stands far down: the line is told all the same. */
static void
expect_line(const char *bad)
{
	struct document_verdict	 v;
	char			*far = xcalloc(1, strlen(bad) + 70001);
	size_t			 i;

	for (i = 0; bad[i] != '\0' && strncmp(bad + i, "<b n=", 5) != 0; i++)
		;
	memcpy(far, bad, i);
	memset(far + i, '\n', 70000);
	memcpy(far + i + 70000, bad + i, strlen(bad + i) + 1);
	judge(far, PROFILE_XADES, &v);
	assert_true(v.reasons.n > 0 && v.reasons.v[0].line > 70000);
	free(far);
}

static void
test_changes(void **state)
{
	char	*good = sign(&(struct form){ .key = K_RSA }), *bad;
	size_t	 i;

	(void)state;
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		bad = replace(good, changes[i].from, changes[i].to);
		expect(changes[i].to, bad, PROFILE_XADES, changes[i].code);
		if (changes[i].code == SIG_COVERAGE || changes[i].code == SIG_ALGORITHM)
			expect_line(bad);
		free(bad);
	}
	free(good);
}

/* With more certificates than are looked at no signature is tried, so none of
 * them is told as the signer's. */
static void
test_many_certificates(void **state)
{
	char			*good = sign(&(struct form){ .key = K_RSA }), *bad;
	struct buf		 b = { 0 };
	struct document_verdict	 v;
	int			 i;

	(void)state;
	buf_puts(&b, "<ds:KeyInfo><ds:X509Data>");
	for (i = 0; i < XML_MAX_CERTIFICATES + 1; i++) {
		unsigned char	*der = NULL, *b64;
		int		 n = i2d_X509(certs[P256], &der);

		b64 = xcalloc((size_t)n, 2);
		EVP_EncodeBlock(b64, der, n);
		buf_printf(&b, "<ds:X509Certificate>%s</ds:X509Certificate>", b64);
		OPENSSL_free(der);
		free(b64);
	}
	buf_puts(&b, "</ds:X509Data>");
	bad = replace(good, "<ds:KeyInfo>", b.data);
	judge(bad, PROFILE_XADES, &v);
	assert_true(reasons_has(&v.reasons, CERT_UNTRUSTED));
	assert_string_equal(v.signer_subject, "");
	buf_free(&b);
	free(bad);
	free(good);
}

static void
test_certificate(void **state)
{
	(void)state;
	expect_form("another certificate named", &(struct form){ .key = K_RSA, .other_cert = P256 + 1 },
	    CERT_UNTRUSTED);
	expect_form("by v1 and V2", &(struct form){ .key = K_RSA, .other_list = K_RSA + 1 }, REASON_COUNT);
	expect_form("another by v1 than by V2", &(struct form){ .key = K_RSA, .other_list = P256 + 1 }, CERT_UNTRUSTED);
	expect_form("another by V2 than by v1", &(struct form){ .key = K_RSA, .v1 = 1, .other_list = P256 + 1 },
	    CERT_UNTRUSTED);
	expect_form("another by v1, the signer's by V2", &(struct form){ .key = K_RSA, .v1 = 1,
	    .other_cert = P256 + 1, .other_list = K_RSA + 1 }, CERT_UNTRUSTED);
	expect_form("an old time", &(struct form){ .key = K_RSA, .time = "2020-01-01T00:00:00Z" },
	    SIGNING_TIME);
	expect_form("no time", &(struct form){ .key = K_RSA, .time = "yesterday" }, SIGNING_TIME);
}

#define POLICY(inner)	"<x:SignaturePolicyIdentifier>" inner "</x:SignaturePolicyIdentifier>"
#define ID(attributes, oid) "<x:SigPolicyId><x:Identifier" attributes ">" oid "</x:Identifier></x:SigPolicyId>"
#define HASH(uri, value) "<x:SigPolicyHash><ds:DigestMethod Algorithm=\"" uri "\"/><ds:DigestValue>" value \
	"</ds:DigestValue></x:SigPolicyHash>"
/* SHA-256 of nothing (FIPS 180-4), as a policy's text would have it */
#define EMPTY64		"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define EMPTY		"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SPID(id, hash)	POLICY("<x:SignaturePolicyId>" id hash "</x:SignaturePolicyId>")
#define GUIDE		HASH(SHA256, EMPTY64)
#define URN		" Qualifier=\"OIDAsURN\""

static const struct policy_case {
	const char		*what, *more;
	const char		*taken[2];
	enum reason_code	 code;
	const char		*policy;	/* what is said of it */
} policy_cases[] = {
	{ "P2 as a URN", SPID(ID(URN, "urn:oid:" SIGNATURE_POLICY_P2), GUIDE), { NULL }, REASON_COUNT,
	    SIGNATURE_POLICY_P2 },
	{ "P3, plain", SPID(ID(" Qualifier=\"OIDAsURI\"", SIGNATURE_POLICY_P3), GUIDE), { NULL }, REASON_COUNT,
	    SIGNATURE_POLICY_P3 },
	{ "P4, capitals, white space", SPID(ID("", " URN:OID:" SIGNATURE_POLICY_P4 "\n"), GUIDE), { NULL },
	    REASON_COUNT, SIGNATURE_POLICY_P4 },
	{ "with SHA-512", SPID(ID(URN, "urn:oid:" SIGNATURE_POLICY_P2), HASH(SHA512,
	    "z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==")),
	    { NULL }, REASON_COUNT, SIGNATURE_POLICY_P2 },
	{ "with what is for people", SPID(ID(URN, "urn:oid:" SIGNATURE_POLICY_P2), GUIDE
	    "<x:SigPolicyQualifiers><x:SigPolicyQualifier><x:SPURI>http://example.org/</x:SPURI>"
	    "</x:SigPolicyQualifier></x:SigPolicyQualifiers>"), { NULL }, REASON_COUNT, SIGNATURE_POLICY_P2 },
	{ "implied", POLICY("<x:SignaturePolicyImplied/>"), { NULL }, REASON_COUNT, "implied" },
	{ "the digest that is known", SPID(ID(URN, "urn:oid:" SIGNATURE_POLICY_P2), GUIDE),
	    { SIGNATURE_POLICY_P2 "=" EMPTY }, REASON_COUNT, SIGNATURE_POLICY_P2 },
	{ "one of two digests that are known", SPID(ID(URN, "urn:oid:1.2.3"), GUIDE), { "1.2.3=sha256:"
	    "0000000000000000000000000000000000000000000000000000000000000000", "1.2.3=" EMPTY },
	    REASON_COUNT, "1.2.3" },
	{ "another digest", SPID(ID(URN, "urn:oid:1.2.3"), GUIDE), { "1.2.3=sha256:"
	    "0000000000000000000000000000000000000000000000000000000000000000" }, SIG_ALGORITHM, "" },
	{ "a digest of another kind", SPID(ID(URN, "urn:oid:1.2.3"), GUIDE), { "1.2.3=sha384:"
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	    "00000000000000000000000000000000" }, SIG_ALGORITHM, "" },
	{ "a policy that is not taken", SPID(ID(URN, "urn:oid:1.2.3"), GUIDE), { NULL }, SIG_ALGORITHM, "" },
	{ "a default one where others are set", SPID(ID(URN, "urn:oid:" SIGNATURE_POLICY_P2), GUIDE),
	    { "1.2.3" }, SIG_ALGORITHM, "" },
	{ "one whose OID goes on", SPID(ID(URN, "urn:oid:" SIGNATURE_POLICY_P2 "1"), GUIDE), { NULL },
	    SIG_ALGORITHM, "" },
	{ "no OID", SPID(ID("", "http://example.org/policy"), GUIDE), { NULL }, SIG_ALGORITHM, "" },
	{ "an empty one", SPID(ID("", ""), GUIDE), { NULL }, SIG_ALGORITHM, "" },
	{ "SHA-1 of it", SPID(ID(URN, "urn:oid:" SIGNATURE_POLICY_P2), HASH(DS "sha1",
	    "2jmj7l5rSw0yVb/vlWAYkK/YBwk=")), { NULL }, SIG_ALGORITHM, "" },
	{ "half a digest", SPID(ID(URN, "urn:oid:" SIGNATURE_POLICY_P2), HASH(SHA256, "47DEQpj8HBSa")),
	    { NULL }, SIG_DIGEST, "" },
	{ "no digest", SPID(ID(URN, "urn:oid:" SIGNATURE_POLICY_P2), ""), { NULL }, SIG_COVERAGE, "" },
	{ "no digest value", SPID(ID(URN, "urn:oid:" SIGNATURE_POLICY_P2), "<x:SigPolicyHash><ds:DigestMethod "
	    "Algorithm=\"" SHA256 "\"/></x:SigPolicyHash>"), { NULL }, SIG_COVERAGE, "" },
	{ "no identifier", SPID("<x:SigPolicyId/>", GUIDE), { NULL }, SIG_COVERAGE, "" },
	{ "an identifier with elements", SPID(ID("", "<x:a/>" SIGNATURE_POLICY_P2), GUIDE), { NULL },
	    SIG_COVERAGE, "" },
	{ "nothing", POLICY(""), { NULL }, SIG_COVERAGE, "" },
	{ "implied and explicit", POLICY("<x:SignaturePolicyImplied/><x:SignaturePolicyId>"
	    ID("", SIGNATURE_POLICY_P2) GUIDE "</x:SignaturePolicyId>"), { NULL }, SIG_COVERAGE, "" },
	{ "two policies", SPID(ID("", SIGNATURE_POLICY_P2), GUIDE) SPID(ID("", SIGNATURE_POLICY_P3), GUIDE),
	    { NULL }, SIG_COVERAGE, "" },
	{ "of another namespace, which means nothing", "<SignaturePolicyIdentifier xmlns=\"urn:x\"/>", { NULL },
	    REASON_COUNT, "" },
};

static void
test_policies(void **state)
{
	const struct policy_case	*c;
	size_t				 i;

	(void)state;
	for (i = 0; i < sizeof(policy_cases) / sizeof(policy_cases[0]); i++) {
		struct form	 f = { .key = P256, .v1 = i % 2, .more = policy_cases[i].more };

		c = &policy_cases[i];
		f.policies[0] = c->taken[0];
		f.policies[1] = c->taken[1];
		expect_form(c->what, &f, c->code);
		if (strcmp(said, c->policy) != 0)
			fail_msg("%s: \"%s\"", c->what, said);
	}
	any_policy = 1;
	expect_form("any", &(struct form){ .key = P256, .more = SPID(ID(URN, "urn:oid:1.2.3"), GUIDE) }, REASON_COUNT);
	assert_string_equal(said, "1.2.3");
	expect_form("one without a digest", &(struct form){ .key = P256, .more = SPID(ID("", "1.2.3"), "") },
	    SIG_COVERAGE);
	any_policy = 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_algorithms),
		cmocka_unit_test(test_coverage),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_many_certificates),
		cmocka_unit_test(test_policies),
	};

	if (system("xmlsec1 --version >/dev/null 2>&1") != 0)
		return 77;
	return cmocka_run_group_tests(tests, setup, teardown);
}
