/* SPDX-License-Identifier: ISC */
/*
 * SignatureTimeStamps: what is found of each is said, and the document is as good
 * or as bad as without it.  The tokens are made by an authority in this process.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/ts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../xml/testpki.h"
#include "base/fdio.h"
#include "base/log.h"
#include "document/pipeline.h"
#include "document/sign.h"

#define DAY	86400L
#define DS	"http://www.w3.org/2000/09/xmldsig#"
#define EXC	"http://www.w3.org/2001/10/xml-exc-c14n#"
#define INC	"http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
#define XADES	"http://uri.etsi.org/01903/v1.3.2#"

/* The namespaces and xml:lang come to SignatureValue in inclusive c14n only. */
static const char	 unsigned_text[] = "<q:a xmlns:q=\"urn:q\" xmlns=\"urn:d\" xml:lang=\"tr\"><b/></q:a>";

static usec_t		 now;		/* whole seconds: of receipt */
static EVP_PKEY		*ca_key, *root_key, *sub_key, *tsa_key;
static X509		*ca, *cert, *root, *sub, *tsa, *direct, *expired, *foreign_root, *foreign;
static struct trust	*trust, *anchors;
static char		*text, *value;	/* the signed document; its SignatureValue's text */

/* --- the authority ------------------------------------------------------- */

struct token {
	X509		*cert;
	const EVP_MD	*imprint, *signature;
	long		 after;		/* seconds from now that it tells */
	int		 without_certs;
};

static ASN1_INTEGER *
serial(struct TS_resp_ctx *ctx, void *arg)
{
	ASN1_INTEGER	*n = ASN1_INTEGER_new();

	(void)ctx, (void)arg;
	assert_int_equal(ASN1_INTEGER_set(n, 1), 1);
	return n;
}

static int
told(struct TS_resp_ctx *ctx, void *arg, long *sec, long *usec)
{
	const struct token	*k = arg;

	(void)ctx;
	*sec = (long)(now / USEC_PER_SEC) + k->after;
	*usec = 0;
	return 1;
}

static BIO *
request(const struct token *k, const char *data, size_t len)
{
	TS_REQ		*req = TS_REQ_new();
	TS_MSG_IMPRINT	*imprint = TS_MSG_IMPRINT_new();
	X509_ALGOR	*alg = X509_ALGOR_new();
	BIO		*bio = BIO_new(BIO_s_mem());
	unsigned char	 md[EVP_MAX_MD_SIZE];
	unsigned	 n;

	assert_int_equal(EVP_Digest(data, len, md, &n, k->imprint, NULL), 1);
	X509_ALGOR_set_md(alg, k->imprint);
	assert_int_equal(TS_MSG_IMPRINT_set_algo(imprint, alg), 1);
	assert_int_equal(TS_MSG_IMPRINT_set_msg(imprint, md, (int)n), 1);
	assert_int_equal(TS_REQ_set_version(req, 1), 1);
	assert_int_equal(TS_REQ_set_msg_imprint(req, imprint), 1);
	assert_int_equal(TS_REQ_set_cert_req(req, !k->without_certs), 1);
	assert_int_equal(i2d_TS_REQ_bio(bio, req), 1);
	X509_ALGOR_free(alg);
	TS_MSG_IMPRINT_free(imprint);
	TS_REQ_free(req);
	return bio;
}

static TS_RESP_CTX *
responder(struct token *k)
{
	TS_RESP_CTX	*ctx = TS_RESP_CTX_new();
	ASN1_OBJECT	*policy = OBJ_txt2obj("1.2.3.4.1", 1);
	STACK_OF(X509)	*chain = sk_X509_new_null();

	assert_int_equal(TS_RESP_CTX_set_signer_cert(ctx, k->cert), 1);
	assert_int_equal(TS_RESP_CTX_set_signer_key(ctx, tsa_key), 1);
	assert_int_equal(TS_RESP_CTX_set_signer_digest(ctx, k->signature), 1);
	assert_int_equal(TS_RESP_CTX_set_ess_cert_id_digest(ctx, EVP_sha256()), 1);
	assert_int_equal(TS_RESP_CTX_set_def_policy(ctx, policy), 1);
	assert_int_equal(TS_RESP_CTX_add_md(ctx, k->imprint), 1);
	assert_true(sk_X509_push(chain, sub) > 0);
	assert_int_equal(TS_RESP_CTX_set_certs(ctx, chain), 1);
	TS_RESP_CTX_set_serial_cb(ctx, serial, NULL);
	TS_RESP_CTX_set_time_cb(ctx, told, k);
	sk_X509_free(chain);
	ASN1_OBJECT_free(policy);
	return ctx;
}

static unsigned char *
der_token(struct token *k, const char *data, size_t len, int *n)
{
	TS_RESP_CTX	*ctx = responder(k);
	BIO		*bio = request(k, data, len);
	TS_RESP		*resp = TS_RESP_create_response(ctx, bio);
	unsigned char	*der = NULL;

	assert_non_null(resp);
	assert_non_null(TS_RESP_get_token(resp));
	assert_true((*n = i2d_PKCS7(TS_RESP_get_token(resp), &der)) > 0);
	TS_RESP_free(resp);
	TS_RESP_CTX_free(ctx);
	BIO_free(bio);
	return der;
}

static char *
base64(const unsigned char *der, int n)
{
	char	*out = xcalloc((size_t)n / 3 + 2, 4);

	(void)EVP_EncodeBlock((unsigned char *)out, der, n);
	return out;
}

/* Its base64 over the data. */
static char *
token_over(struct token k, char *data)
{
	unsigned char	*der;
	char		*out;
	int		 n;

	if (k.cert == NULL)
		k.cert = tsa;
	if (k.imprint == NULL)
		k.imprint = EVP_sha256();
	if (k.signature == NULL)
		k.signature = EVP_sha256();
	der = der_token(&k, data, strlen(data), &n);
	out = base64(der, n);
	OPENSSL_free(der);
	free(data);
	return out;
}

/* SignatureValue by exclusive and by inclusive c14n 1.0, written down. */
static char *
exclusive(void)
{
	return xasprintf("<ds:SignatureValue xmlns:ds=\"" DS "\">%s</ds:SignatureValue>", value);
}

static char *
inclusive(void)
{
	return xasprintf("<ds:SignatureValue xmlns=\"urn:d\" xmlns:ds=\"" DS "\" xmlns:q=\"urn:q\" "
	    "xml:lang=\"tr\">%s</ds:SignatureValue>", value);
}

static char *
token(struct token k)
{
	return token_over(k, exclusive());
}

/* --- documents ----------------------------------------------------------- */

#define METHOD(uri)	"<ds:CanonicalizationMethod Algorithm=\"" uri "\"/>"
#define STAMP(method)	"<xades:SignatureTimeStamp>" method "<xades:EncapsulatedTimeStamp>%s" \
	"</xades:EncapsulatedTimeStamp></xades:SignatureTimeStamp>"

/* One SignatureTimeStamp; t is freed. */
static char *
stamp(const char *method, char *t)
{
	char	*s = xasprintf("<xades:SignatureTimeStamp>%s<xades:EncapsulatedTimeStamp>%s"
		    "</xades:EncapsulatedTimeStamp></xades:SignatureTimeStamp>", method, t);

	free(t);
	return s;
}

static char *
join(char *a, char *b)
{
	char	*s = xasprintf("%s%s", a, b);

	free(a);
	free(b);
	return s;
}

/* The signed document with these unsigned signature properties, which are freed. */
static char *
document(char *properties)
{
	static const char	 end[] = "</xades:QualifyingProperties>";
	const char		*at = strstr(text, end);
	char			*s;

	assert_non_null(at);
	s = xasprintf("%.*s<xades:UnsignedProperties><xades:UnsignedSignatureProperties>%s"
	    "</xades:UnsignedSignatureProperties></xades:UnsignedProperties>%s", (int)(at - text), text,
	    properties, at);
	free(properties);
	return s;
}

static int
memory(const char *s)
{
	int	fd = memfd_create("document", 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write_full(fd, s, strlen(s)), 0);
	return fd;
}

static struct document_settings	 settings;

/* document is freed. */
static void
judge(char *document, struct document_verdict *v)
{
	int	fd = memory(document);

	assert_int_equal(document_judge(fd, &settings, NULL, v), 0);
	close(fd);
	free(document);
}

/* That the document is VALID and its time-stamps are that; why: a part of it. */
static void
expect(const char *what, char *properties, enum timestamp_state state, const char *why)
{
	struct document_verdict	 v;
	struct timestamp	*t = &v.timestamp;

	judge(document(properties), &v);
	if (v.reasons.n > 0)
		fail_msg("%s: %s: %s", what, reason_info(v.reasons.v[0].code)->name, v.reasons.v[0].detail);
	if (t->state != state || strstr(t->why, why) == NULL ||
	    (state == TIMESTAMP_GOOD) != (t->at != 0) || (state == TIMESTAMP_GOOD) != (t->authority[0] != '\0'))
		fail_msg("%s: %s %lld \"%s\" \"%s\"", what, timestamp_state_name(t->state),
		    (long long)t->at, t->authority, t->why);
}

/* --- set-up -------------------------------------------------------------- */

static struct trust *
make_anchors(X509 *a, X509 *b)
{
	struct buf	 pem = { 0 };
	struct trust	*t;

	pki_put_cert(&pem, a);
	if (b != NULL)
		pki_put_cert(&pem, b);
	t = trust_new(pem.data, pem.len);
	assert_non_null(t);
	buf_free(&pem);
	return t;
}

static X509 *
authority(const char *cn, X509 *issuer, EVP_PKEY *issuer_key, long to)
{
	X509	*c = pki_cert(cn, tsa_key, issuer, issuer_key, PKI_NO_REPUDIATION, -5 * DAY, to);

	pki_extend(&c, issuer, issuer_key, "extendedKeyUsage", "critical,timeStamping");
	return c;
}

static void
sign_document(void)
{
	EVP_PKEY		*key = pki_key("P-256", 0);
	struct buf		 k = { 0 }, c = { 0 };
	struct signing_key	*signer;
	struct reasons		 rs = { 0 };
	int			 in = memory(unsigned_text), out = memory("");
	size_t			 len;
	char			*from;

	cert = pki_cert("Signer", key, ca, ca_key, PKI_SIGNER, -5 * DAY, 5 * DAY);
	pki_put_key(&k, key);
	pki_put_cert(&c, cert);
	assert_non_null(signer = signing_key_new(k.data, k.len, c.data, c.len));
	assert_int_equal(document_sign(in, out, signer, now, &rs), 0);
	assert_int_equal(fd_read_all(out, 1 << 20, &text, &len), 0);
	assert_non_null(from = strstr(text, "<ds:SignatureValue>"));
	from += strlen("<ds:SignatureValue>");
	value = xstrndup(from, strcspn(from, "<"));
	signing_key_free(signer);
	EVP_PKEY_free(key);
	buf_free(&k);
	buf_free(&c);
	close(in);
	close(out);
}

static int
setup(void **state)
{
	(void)state;
	log_init("test_timestamps", LOG_COMMAND, 0);
	clock_init(0);
	if (document_init() == -1)
		return -1;
	now = clock_now() / USEC_PER_SEC * USEC_PER_SEC;
	ca_key = pki_key("P-256", 0);
	root_key = pki_key("P-256", 0);
	sub_key = pki_key("P-256", 0);
	tsa_key = pki_key("RSA", 2048);
	ca = pki_cert("Root", ca_key, NULL, NULL, PKI_CA, -10 * DAY, 10 * DAY);
	root = pki_cert("TSA root", root_key, NULL, NULL, PKI_CA, -10 * DAY, 10 * DAY);
	sub = pki_cert("TSA sub", sub_key, root, root_key, PKI_CA, -10 * DAY, 10 * DAY);
	tsa = authority("TSA", sub, sub_key, 5 * DAY);
	direct = authority("Direct TSA", root, root_key, 5 * DAY);
	expired = authority("Old TSA", sub, sub_key, -DAY);
	foreign_root = pki_cert("Foreign", root_key, NULL, NULL, PKI_CA, -10 * DAY, 10 * DAY);
	foreign = authority("Foreign TSA", foreign_root, root_key, 5 * DAY);
	trust = make_anchors(ca, NULL);
	anchors = make_anchors(root, NULL);
	sign_document();
	return 0;
}

static int
teardown(void **state)
{
	X509		*certs[] = { ca, cert, root, sub, tsa, direct, expired, foreign_root, foreign };
	EVP_PKEY	*keys[] = { ca_key, root_key, sub_key, tsa_key };
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(certs) / sizeof(certs[0]); i++)
		X509_free(certs[i]);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		EVP_PKEY_free(keys[i]);
	trust_free(trust);
	trust_free(anchors);
	free(text);
	free(value);
	return 0;
}

static int
reset(void **state)
{
	(void)state;
	memset(&settings, 0, sizeof(settings));
	settings.trust = trust;
	settings.tsa = anchors;
	settings.at = now;
	settings.any_document = 1;
	settings.signing_time_past = 172800;
	settings.signing_time_future = 300;
	return 0;
}

/* --- tests --------------------------------------------------------------- */

static void
test_good(void **state)
{
	struct document_verdict	 v;
	char			*half;

	(void)state;
	expect("none", xstrdup(""), TIMESTAMP_NONE, "");
	expect("exclusive", stamp(METHOD(EXC), token((struct token){ 0 })), TIMESTAMP_GOOD, "");
	expect("inclusive", stamp(METHOD(INC), token_over((struct token){ 0 }, inclusive())), TIMESTAMP_GOOD, "");
	expect("no c14n", stamp("", token_over((struct token){ 0 }, inclusive())), TIMESTAMP_GOOD, "");
	expect("SHA-512", stamp(METHOD(EXC), token((struct token){ .imprint = EVP_sha512(),
	    .signature = EVP_sha384() })), TIMESTAMP_GOOD, "");
	expect("of the root itself", stamp(METHOD(EXC), token((struct token){ .cert = direct })), TIMESTAMP_GOOD, "");
	expect("among what long-term signatures keep", join(xstrdup("<xades:CompleteCertificateRefs>A"
	    "<xades:CertRefs><a/></xades:CertRefs></xades:CompleteCertificateRefs>"), join(stamp(METHOD(EXC),
	    token((struct token){ 0 })), xstrdup("<xades:RevocationValues><xades:CRLValues>"
	    "<xades:EncapsulatedCRLValue>!</xades:EncapsulatedCRLValue></xades:CRLValues>"
	    "</xades:RevocationValues>"))), TIMESTAMP_GOOD, "");
	half = token((struct token){ 0 });
	expect("in lines, with a comment and CDATA", xasprintf("<xades:SignatureTimeStamp Id=\"x\">\n" METHOD(EXC)
	    "<xades:EncapsulatedTimeStamp Encoding=\"http://uri.etsi.org/01903/v1.2.2#DER\">\n%.*s\r\n<!-- = -->"
	    "<![CDATA[%s]]></xades:EncapsulatedTimeStamp>\n</xades:SignatureTimeStamp>", 64, half, half + 64),
	    TIMESTAMP_GOOD, "");
	free(half);
	judge(document(join(stamp(METHOD(EXC), token((struct token){ .after = -5 })), stamp(METHOD(EXC),
	    token((struct token){ .cert = direct, .after = -7 })))), &v);
	assert_int_equal(v.timestamp.state, TIMESTAMP_GOOD);
	assert_int_equal(v.timestamp.at, now - 7 * USEC_PER_SEC);
	assert_string_equal(v.timestamp.authority, "CN=Direct TSA,C=TR");
}

static void
test_imprint(void **state)
{
	(void)state;
	expect("of something else", stamp(METHOD(EXC), token_over((struct token){ 0 }, xstrdup("x"))),
	    TIMESTAMP_BAD, "message imprint mismatch");
	expect("of the value's text", stamp(METHOD(EXC), token_over((struct token){ 0 }, xstrdup(value))),
	    TIMESTAMP_BAD, "message imprint mismatch");
	expect("by another c14n", stamp(METHOD(INC), token((struct token){ 0 })), TIMESTAMP_BAD,
	    "message imprint mismatch");
	expect("c14n missing", stamp("", token((struct token){ 0 })), TIMESTAMP_BAD, "message imprint mismatch");
	expect("SHA-1", stamp(METHOD(EXC), token((struct token){ .imprint = EVP_sha1() })), TIMESTAMP_BAD,
	    "another digest");
	expect("signed by SHA-1", stamp(METHOD(EXC), token((struct token){ .signature = EVP_sha1() })),
	    TIMESTAMP_BAD, "another digest");
	expect("of tomorrow", stamp(METHOD(EXC), token((struct token){ .after = 301 })), TIMESTAMP_BAD,
	    "after receipt");
	expect("of a clock that is five minutes ahead", stamp(METHOD(EXC), token((struct token){ .after = 300 })),
	    TIMESTAMP_GOOD, "");
	expect("one of two", join(stamp(METHOD(EXC), token((struct token){ 0 })), stamp("",
	    token((struct token){ 0 }))), TIMESTAMP_BAD, "message imprint mismatch");
	expect("the other of two", join(stamp("", token((struct token){ 0 })), stamp(METHOD(EXC),
	    token((struct token){ 0 }))), TIMESTAMP_BAD, "message imprint mismatch");
}

static void
test_authority(void **state)
{
	struct token	 plain = { .without_certs = 1 };
	struct trust	*t;
	X509		*twin = X509_dup(tsa);
	struct buf	 pem = { 0 };
	X509_CRL	*crls[2];

	(void)state;
	expect("of a foreign root", stamp(METHOD(EXC), token((struct token){ .cert = foreign })), TIMESTAMP_BAD,
	    "certificate");
	expect("expired at receipt", stamp(METHOD(EXC), token((struct token){ .cert = expired,
	    .after = -2 * DAY })), TIMESTAMP_BAD, "certificate has expired");
	expect("who signed it is not there", stamp(METHOD(EXC), token(plain)), TIMESTAMP_BAD,
	    "signer certificate not found");
	/* the members' anchors vouch for no time-stamp, nor do those for a member */
	settings.tsa = trust;
	expect("of the members' root", stamp(METHOD(EXC), token((struct token){ 0 })), TIMESTAMP_BAD, "certificate");
	settings.tsa = t = make_anchors(root, sub);
	expect("the sub-CA is in the anchors' file", stamp(METHOD(EXC), token((struct token){ 0 })),
	    TIMESTAMP_GOOD, "");
	trust_free(t);
	pki_extend(&twin, sub, sub_key, "extendedKeyUsage", "critical,serverAuth");
	pki_put_cert(&pem, root);
	pki_put_cert(&pem, sub);
	pki_put_cert(&pem, twin);
	settings.tsa = t = trust_new(pem.data, pem.len);
	expect("a certificate of another purpose", stamp(METHOD(EXC), token(plain)), TIMESTAMP_BAD, "purpose");
	trust_free(t);
	buf_reset(&pem);
	settings.tsa = t = make_anchors(root, NULL);
	settings.require_crl = 0;
	crls[0] = pki_crl(root, root_key, NULL, -DAY, DAY);
	crls[1] = pki_crl(sub, sub_key, tsa, -DAY, DAY);
	pki_put_crl(&pem, crls[0]);
	assert_int_equal(trust_add_crls(t, pem.data, pem.len), 0);
	expect("no list of the sub-CA", stamp(METHOD(EXC), token((struct token){ 0 })), TIMESTAMP_BAD,
	    "unable to get certificate CRL");
	pki_put_crl(&pem, crls[1]);
	assert_int_equal(trust_add_crls(t, pem.data, pem.len), 0);
	expect("revoked", stamp(METHOD(EXC), token((struct token){ 0 })), TIMESTAMP_BAD, "certificate revoked");
	expect("another of that CA is not", stamp(METHOD(EXC), token((struct token){ .cert = direct })),
	    TIMESTAMP_GOOD, "");
	trust_free(t);
	X509_CRL_free(crls[1]);
	/* a list that is late, and not by more than the grace */
	settings.tsa = t = make_anchors(root, NULL);
	buf_reset(&pem);
	pki_put_crl(&pem, crls[0]);
	pki_put_crl(&pem, crls[1] = pki_crl(sub, sub_key, direct, -DAY, -3600));
	assert_int_equal(trust_add_crls(t, pem.data, pem.len), 0);
	expect("a late list", stamp(METHOD(EXC), token((struct token){ 0 })), TIMESTAMP_BAD, "CRL has expired");
	trust_set_crl_grace(t, 3000);
	expect("too late", stamp(METHOD(EXC), token((struct token){ 0 })), TIMESTAMP_BAD, "CRL has expired");
	trust_set_crl_grace(t, 7200);
	expect("in time", stamp(METHOD(EXC), token((struct token){ 0 })), TIMESTAMP_GOOD, "");
	expect("another fault all the same", stamp(METHOD(EXC), token((struct token){ .cert = expired,
	    .after = -2 * DAY })), TIMESTAMP_BAD, "certificate has expired");
	trust_free(t);
	X509_CRL_free(crls[0]);
	X509_CRL_free(crls[1]);
	X509_free(twin);
	buf_free(&pem);
}

/* One byte at a time of what the authority signed, and of its signature. */
static void
test_changed(void **state)
{
	struct token	 k = { tsa, EVP_sha256(), EVP_sha256(), 0, 0 };
	char		*data = exclusive();
	unsigned char	*der;
	int		 n, i, content = 0;

	(void)state;
	der = der_token(&k, data, strlen(data), &n);
	for (i = 0; i + 32 < n && content == 0; i++)	/* the imprint, in the TSTInfo */
		if (der[i] == 0x04 && der[i + 1] == 0x20)
			content = i;
	assert_true(content > 0);
	for (i = content - 60; i < content + 50; i += 7) {
		der[i] ^= 1;
		expect("its content", stamp(METHOD(EXC), base64(der, n)), TIMESTAMP_BAD, "");
		der[i] ^= 1;
	}
	for (i = n - 1; i > n - 250; i -= 31) {
		der[i] ^= 1;
		expect("its signature", stamp(METHOD(EXC), base64(der, n)), TIMESTAMP_BAD, "");
		der[i] ^= 1;
	}
	for (i = 0; i < n; i += n / 20)
		expect("cut", stamp(METHOD(EXC), base64(der, i)), TIMESTAMP_BAD, "");
	expect("nothing changed", stamp(METHOD(EXC), base64(der, n)), TIMESTAMP_GOOD, "");
	der = OPENSSL_realloc(der, (size_t)n + 1);
	der[n] = 0;
	expect("a byte behind it", stamp(METHOD(EXC), base64(der, n + 1)), TIMESTAMP_BAD, "no CMS SignedData");
	OPENSSL_free(der);
	free(data);
}

static char *
many(int n)
{
	char	*s = xstrdup("");

	while (n-- > 0)
		s = join(s, stamp(METHOD(EXC), token((struct token){ 0 })));
	return s;
}

static char *
large(size_t n)
{
	char	*s = xcalloc(1, n + 1);

	memset(s, 'A', n);
	return s;
}

static void
test_form(void **state)
{
	char	*t = token((struct token){ 0 });

	(void)state;
	expect("no base64", stamp(METHOD(EXC), xstrdup("&lt;")), TIMESTAMP_BAD, "not base64");
	expect("empty", stamp(METHOD(EXC), xstrdup("")), TIMESTAMP_BAD, "not base64");
	expect("no token", xstrdup("<xades:SignatureTimeStamp/>"), TIMESTAMP_BAD, "without a token");
	expect("no DER", stamp(METHOD(EXC), xstrdup("AAAA")), TIMESTAMP_BAD, "no CMS SignedData");
	expect("64 KiB", stamp(METHOD(EXC), large(100000)), TIMESTAMP_BAD, "not base64");
	expect("1 MiB", stamp(METHOD(EXC), large(1 << 20)), TIMESTAMP_BAD, "too large");
	expect("elements in the token", xasprintf(STAMP(METHOD(EXC)) , "<a/>"), TIMESTAMP_BAD, "holds elements");
	expect("two tokens", xasprintf("<xades:SignatureTimeStamp>" METHOD(EXC) "<xades:EncapsulatedTimeStamp>%s"
	    "</xades:EncapsulatedTimeStamp><xades:EncapsulatedTimeStamp>%s</xades:EncapsulatedTimeStamp>"
	    "</xades:SignatureTimeStamp>", t, t), TIMESTAMP_BAD, "more than one token");
	expect("Include", xasprintf(STAMP("<xades:Include URI=\"#x\"/>" METHOD(EXC)), t), TIMESTAMP_BAD,
	    "something else");
	expect("XMLTimeStamp", xstrdup("<xades:SignatureTimeStamp><xades:XMLTimeStamp/>"
	    "</xades:SignatureTimeStamp>"), TIMESTAMP_BAD, "something else");
	expect("in PEM", xasprintf("<xades:SignatureTimeStamp>" METHOD(EXC) "<xades:EncapsulatedTimeStamp "
	    "Encoding=\"http://uri.etsi.org/01903/v1.2.2#PER\">%s</xades:EncapsulatedTimeStamp>"
	    "</xades:SignatureTimeStamp>", t), TIMESTAMP_BAD, "not in DER");
	expect("an unknown c14n", xasprintf(STAMP(METHOD("urn:x")), t), TIMESTAMP_BAD, "urn:x is not allowed");
	expect("an empty c14n", xasprintf(STAMP(METHOD("")), t), TIMESTAMP_BAD, "cannot be read");
	expect("c14n twice", xasprintf(STAMP(METHOD(EXC) METHOD(EXC)), t), TIMESTAMP_BAD, "cannot be read");
	expect("PrefixList", xasprintf(STAMP("<ds:CanonicalizationMethod Algorithm=\"" EXC "\">"
	    "<e:InclusiveNamespaces xmlns:e=\"" EXC "\" PrefixList=\"q\"/></ds:CanonicalizationMethod>"), t),
	    TIMESTAMP_BAD, "holds elements");
	expect("as many as are judged", many(XML_MAX_TIMESTAMPS), TIMESTAMP_GOOD, "");
	expect("one more", many(XML_MAX_TIMESTAMPS + 1), TIMESTAMP_BAD, "more than 4");
	/* what stands elsewhere, or under another name, is none */
	expect("of another namespace", xasprintf("<SignatureTimeStamp>%s</SignatureTimeStamp>", t), TIMESTAMP_NONE, "");
	expect("further in", xasprintf("<xades:CounterSignature><xades:SignatureTimeStamp>%s"
	    "</xades:SignatureTimeStamp></xades:CounterSignature>", t), TIMESTAMP_NONE, "");
	expect("in another list", xasprintf("</xades:UnsignedSignatureProperties>"
	    "<xades:UnsignedDataObjectProperties>" STAMP(METHOD(EXC)) "</xades:UnsignedDataObjectProperties>"
	    "<xades:UnsignedSignatureProperties>", t), TIMESTAMP_NONE, "");
	free(t);
}

/* A time-stamp makes nothing better, and a document that is bad stays it. */
static void
test_never_better(void **state)
{
	struct document_verdict	 v;
	struct trust		*t = make_anchors(root, NULL);
	char			*changed;

	(void)state;
	settings.tsa = NULL;
	expect("no authority is trusted", stamp(METHOD(EXC), token((struct token){ 0 })), TIMESTAMP_NOT_JUDGED,
	    "no time-stamp authority");
	expect("nor looked at", many(XML_MAX_TIMESTAMPS + 1), TIMESTAMP_NOT_JUDGED, "no time-stamp authority");
	settings.tsa = anchors;
	changed = document(stamp(METHOD(EXC), token((struct token){ 0 })));
	*(strstr(changed, "<b/>") + 1) = 'c';
	judge(changed, &v);
	assert_true(reasons_has(&v.reasons, SIG_DIGEST));
	assert_int_equal(v.timestamp.state, TIMESTAMP_NOT_JUDGED);
	settings.at = now + 6 * DAY * USEC_PER_SEC;	/* the signer's certificate ended, and the authority's */
	judge(document(stamp(METHOD(EXC), token((struct token){ .cert = direct }))), &v);
	assert_true(reasons_has(&v.reasons, CERT_EXPIRED));
	assert_int_equal(v.timestamp.state, TIMESTAMP_BAD);
	reset(NULL);
	settings.trust = t;
	judge(document(stamp(METHOD(EXC), token((struct token){ 0 }))), &v);
	assert_true(reasons_has(&v.reasons, CERT_UNTRUSTED));
	assert_int_equal(v.timestamp.state, TIMESTAMP_GOOD);
	trust_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_good, reset),
		cmocka_unit_test_setup(test_imprint, reset),
		cmocka_unit_test_setup(test_authority, reset),
		cmocka_unit_test_setup(test_changed, reset),
		cmocka_unit_test_setup(test_form, reset),
		cmocka_unit_test_setup(test_never_better, reset),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
