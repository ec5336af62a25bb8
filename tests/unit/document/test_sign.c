/* SPDX-License-Identifier: ISC */
/* document_sign, and that stock xmlsec1 accepts what it makes. */
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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../xml/testpki.h"
#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "document/sign.h"
#include "document/signature.h"
#include "xml/pull.h"
#include "xml/xmlsec.h"

#define DAY	86400L

static char	 dir[] = "/tmp/muhur-test-sign.XXXXXX";
static EVP_PKEY	*ca_key;
static X509	*ca;
static int	 have_xmlsec1;

static struct { const char *type; unsigned bits; EVP_PKEY *key; X509 *cert; struct signing_key *k; }
    signers[] = { { "RSA", 2048, NULL, NULL, NULL }, { "P-256", 0, NULL, NULL, NULL },
    { "P-384", 0, NULL, NULL, NULL } };
#define NSIGNERS (sizeof(signers) / sizeof(signers[0]))

static void
path_of(char *path, size_t size, const char *name)
{
	assert_true(snprintf(path, size, "%s/%s", dir, name) < (int)size);
}

static void
write_file(const char *name, const void *p, size_t n)
{
	char	path[128];
	int	fd;

	path_of(path, sizeof(path), name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write_full(fd, p, n), 0);
	close(fd);
}

static struct signing_key *
make_signing_key(EVP_PKEY *key, X509 *cert)
{
	struct buf		 k = { 0 }, c = { 0 };
	struct signing_key	*s;

	pki_put_key(&k, key);
	pki_put_cert(&c, cert);
	s = signing_key_new(k.data, k.len, c.data, c.len);
	buf_free(&k);
	buf_free(&c);
	return s;
}

static int
setup(void **state)
{
	struct buf	pem = { 0 };
	size_t		i;

	(void)state;
	log_init("test_sign", LOG_COMMAND, 0);
	clock_init(0);
	pull_setup();
	if (mkdtemp(dir) == NULL || xmlsec_setup() == -1)
		return -1;
	ca_key = pki_key("P-256", 0);
	ca = pki_cert("Test Root", ca_key, NULL, NULL, PKI_CA, -DAY, DAY);
	pki_put_cert(&pem, ca);
	write_file("trust.pem", pem.data, pem.len);
	buf_free(&pem);
	for (i = 0; i < NSIGNERS; i++) {
		signers[i].key = pki_key(signers[i].type, signers[i].bits);
		signers[i].cert = pki_cert(signers[i].type, signers[i].key, ca, ca_key,
		    PKI_SIGNER, -DAY, DAY);
		signers[i].k = make_signing_key(signers[i].key, signers[i].cert);
		if (signers[i].k == NULL)
			return -1;
	}
	have_xmlsec1 = system("xmlsec1 --version >/dev/null 2>&1") == 0;
	return 0;
}

static int
teardown(void **state)
{
	const char	*names[] = { "trust.pem", "in.xml", "out.xml", "log" };
	char		 path[128];
	size_t		 i;

	(void)state;
	for (i = 0; i < NSIGNERS; i++) {
		signing_key_free(signers[i].k);
		X509_free(signers[i].cert);
		EVP_PKEY_free(signers[i].key);
	}
	X509_free(ca);
	EVP_PKEY_free(ca_key);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path_of(path, sizeof(path), names[i]);
		(void)unlink(path);
	}
	return rmdir(dir);
}

/* document_sign's answer; *out, the caller's to free, is what was signed. */
static int
try_sign(const struct signing_key *k, const char *text, size_t n, struct reasons *rs, char **out)
{
	char	 in_path[128], out_path[128];
	size_t	 len;
	int	 in, out_fd, rc;

	*out = NULL;
	write_file("in.xml", text, n);
	path_of(in_path, sizeof(in_path), "in.xml");
	path_of(out_path, sizeof(out_path), "out.xml");
	in = open(in_path, O_RDONLY);
	out_fd = open(out_path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(in != -1 && out_fd != -1);
	memset(rs, 0, sizeof(*rs));
	rc = document_sign(in, out_fd, k, clock_now(), rs);
	if (rc == 0 && rs->n == 0)
		assert_int_equal(fd_read_all(out_fd, 64 << 20, out, &len), 0);
	close(in);
	close(out_fd);
	return rc;
}

/* Sign text; the signed bytes are the caller's to free, NULL where refused. */
static char *
sign(const struct signing_key *k, const char *text, size_t n, struct reasons *rs)
{
	char	*out;

	assert_int_equal(try_sign(k, text, n, rs, &out), 0);
	return out;
}

static int
xmlsec1_accepts(void)
{
	char	command[512];
	int	status;

	assert_true(snprintf(command, sizeof(command),
	    "xmlsec1 --verify --trusted-pem %s/trust.pem %s/out.xml >%s/log 2>&1",
	    dir, dir, dir) < (int)sizeof(command));
	status = system(command);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static const char *const documents[] = {
	"<a/>",
	"<a></a>",
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a>\n  <b x='1'>\xc4\xb0</b>\n</a>\n",
	"\xef\xbb\xbf<a>text</a>",
	"<!-- before --><p:a xmlns:p=\"urn:x\" xmlns=\"urn:y\" q=\"&lt;\"><b/></p:a  \n ><!-- after </a> -->\n<?pi x?>",
	"<p:a xmlns:p=\"urn:x\" y='/>'  />",
	"<a xmlns:ds=\"urn:other\" xml:lang=\"tr\" xml:space=\"preserve\"><ds:b>\r\n<![CDATA[<x>\r\n]]></ds:b></a>",
	"<ds:a xmlns:ds=\"urn:other\" Id=\"x\"/>",
};

static void
test_stock_xmlsec1(void **state)
{
	struct reasons	 rs;
	char		*out;
	size_t		 i, d;

	(void)state;
	if (!have_xmlsec1)
		skip();
	for (d = 0; d < sizeof(documents) / sizeof(documents[0]); d++) {
		for (i = 0; i < NSIGNERS; i++) {
			out = sign(signers[i].k, documents[d], strlen(documents[d]), &rs);
			assert_non_null(out);
			if (!xmlsec1_accepts())
				fail_msg("document %zu, signer %s", d, signers[i].type);
			free(out);
		}
	}
}

/* The original's bytes are all there, around the signature. */
static void
test_bytes_stay(void **state)
{
	struct reasons	 rs;
	char		*out, *sig, *end;
	const char	*text = "\xef\xbb\xbf<a>\r\n <b/></a >\n<!-- x -->";

	(void)state;
	out = sign(signers[0].k, text, strlen(text), &rs);
	assert_non_null(out);
	sig = strstr(out, "<ds:Signature ");
	end = strstr(out, "</ds:Signature>");
	assert_true(sig != NULL && end != NULL);
	end += strlen("</ds:Signature>");
	assert_memory_equal(out, text, (size_t)(sig - out));
	assert_string_equal(end, text + (sig - out));
	free(out);
}

static void
test_changed_is_refused(void **state)
{
	struct reasons	 rs;
	char		*out;

	(void)state;
	if (!have_xmlsec1)
		skip();
	out = sign(signers[1].k, "<a><b>1</b></a>", 15, &rs);
	assert_non_null(out);
	strstr(out, "1</b>")[0] = '2';
	write_file("out.xml", out, strlen(out));
	assert_false(xmlsec1_accepts());
	free(out);
}

static void
refused(const char *text, size_t n, enum reason_code code)
{
	struct reasons	 rs;
	char		*out = sign(signers[0].k, text, n, &rs);

	assert_null(out);
	if (!reasons_has(&rs, code))
		fail_msg("%s: %s", text, rs.n > 0 ? reason_info(rs.v[0].code)->name : "no reason");
}

static void
test_refused(void **state)
{
	static const char	utf16[] = "\xff\xfe<\0a\0/\0>\0";

	(void)state;
	refused("<a>", 3, XML_MALFORMED);
	refused("", 0, XML_MALFORMED);
	refused("<!DOCTYPE a><a/>", 16, XML_FORBIDDEN);
	refused("<a><ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"/></a>", 69, SIG_MULTIPLE);
	refused(utf16, sizeof(utf16) - 1, XML_FORBIDDEN);
	refused("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a/>", 47, XML_FORBIDDEN);
}

static void
test_keys_refused(void **state)
{
	EVP_PKEY	*weak = pki_key("RSA", 1024), *p521 = pki_key("P-521", 0);
	X509		*weak_cert, *p521_cert;

	(void)state;
	weak_cert = pki_cert("weak", weak, ca, ca_key, PKI_SIGNER, -DAY, DAY);
	p521_cert = pki_cert("p521", p521, ca, ca_key, PKI_SIGNER, -DAY, DAY);
	assert_null(make_signing_key(weak, weak_cert));
	assert_null(make_signing_key(p521, p521_cert));
	assert_null(make_signing_key(signers[0].key, signers[1].cert));
	assert_null(signing_key_new("", 0, "", 0));
	X509_free(weak_cert);
	X509_free(p521_cert);
	EVP_PKEY_free(weak);
	EVP_PKEY_free(p521);
}

/* Larger than any buffer: the second pass copies in blocks. */
static void
test_large(void **state)
{
	struct buf	 b = { 0 };
	struct reasons	 rs;
	char		*out;
	int		 i;

	(void)state;
	buf_puts(&b, "<a>");
	for (i = 0; i < 50000; i++)
		buf_printf(&b, "<b n=\"%d\">\xc5\x9f</b>\n", i);
	buf_puts(&b, "</a>");
	out = sign(signers[2].k, b.data, b.len, &rs);
	assert_non_null(out);
	assert_true(strlen(out) > b.len);
	if (have_xmlsec1)
		assert_true(xmlsec1_accepts());
	free(out);
	buf_free(&b);
}

/* --- a key that is elsewhere --------------------------------------------------- */

struct device {
	EVP_PKEY	*key;
	int		 fails, cuts, freed;
};

static int
device_ready(void *arg)
{
	return ((struct device *)arg)->fails ? -1 : 0;
}

/* What a token gives: PKCS#1 for RSA, r and s for ECDSA. */
static int
device_sign(void *arg, const struct signature_alg *alg, const unsigned char *md,
    size_t md_len, unsigned char *sig, size_t *sig_len)
{
	struct device		*d = arg;
	EVP_PKEY_CTX		*ctx = EVP_PKEY_CTX_new(d->key, NULL);
	unsigned char		 der[1024];
	const unsigned char	*p = der;
	size_t			 len = sizeof(der), field = ((size_t)EVP_PKEY_get_bits(d->key) + 7) / 8;
	ECDSA_SIG		*rs;

	if (d->fails)
		goto fail;
	assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_signature_md(ctx,
	    EVP_get_digestbyname(dsig_digest_openssl(alg->digest))), 1);
	assert_int_equal(EVP_PKEY_sign(ctx, der, &len, md, md_len), 1);
	if (EVP_PKEY_get_base_id(d->key) == EVP_PKEY_RSA)
		memcpy(sig, der, len);
	else {
		assert_non_null(rs = d2i_ECDSA_SIG(NULL, &p, (long)len));
		len = 2 * field;
		assert_true(len <= *sig_len);
		assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(rs), sig, (int)field), field);
		assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(rs), sig + field, (int)field), field);
		ECDSA_SIG_free(rs);
	}
	*sig_len = d->cuts ? len - 1 : len;
	EVP_PKEY_CTX_free(ctx);
	return 0;
fail:
	EVP_PKEY_CTX_free(ctx);
	return -1;
}

static void
device_free(void *arg)
{
	((struct device *)arg)->freed++;
}

/* What it signs verifies like that of a key here; what does not belong to the
 * certificate, or is cut short, does not leave. */
static void
test_remote(void **state)
{
	static const char	 text[] = "<a>1</a>";
	EVP_PKEY		*other;
	size_t			 i;

	(void)state;
	for (i = 0; i < NSIGNERS; i++) {
		struct device		 d = { .key = signers[i].key };
		const struct remote_key	 remote = { device_ready, device_sign, device_free, &d };
		struct reasons		 rs = { 0 };
		struct signing_key	*k;
		struct buf		 c = { 0 };
		char			*out;

		pki_put_cert(&c, signers[i].cert);
		assert_non_null(k = signing_key_new_remote(&remote, c.data, c.len));
		assert_int_equal(signing_key_ready(k), 0);
		assert_non_null(out = sign(k, text, strlen(text), &rs));
		if (have_xmlsec1)
			assert_true(xmlsec1_accepts());
		free(out);
		d.cuts = 1;
		assert_int_equal(try_sign(k, text, strlen(text), &rs, &out), -1);
		d.cuts = 0;
		other = d.key = pki_key(signers[i].type, signers[i].bits);
		assert_int_equal(try_sign(k, text, strlen(text), &rs, &out), -1);
		d.key = signers[i].key;
		d.fails = 1;
		assert_int_equal(signing_key_ready(k), -1);
		assert_int_equal(try_sign(k, text, strlen(text), &rs, &out), -1);
		assert_int_equal(rs.n, 0);	/* our trouble, not the document's */
		signing_key_free(k);
		assert_int_equal(d.freed, 1);
		/* it is taken over where nothing comes of it as well */
		assert_null(signing_key_new_remote(&remote, "x", 1));
		assert_int_equal(d.freed, 2);
		EVP_PKEY_free(other);
		buf_free(&c);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stock_xmlsec1),
		cmocka_unit_test(test_bytes_stay),
		cmocka_unit_test(test_changed_is_refused),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_keys_refused),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_remote),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
