/* SPDX-License-Identifier: ISC */
/* Notices of every kind through signer_run, and through the whole process in
 * its sandbox; the self-check validates each against its schema. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../xml/testpki.h"
#include "base/child.h"
#include "base/fdio.h"
#include "base/log.h"
#include "msg/msg.h"
#include "msg/proto.h"
#include "signer/job.h"

#define DAY	86400L
#define SUBMISSION "0193a0f0-0000-7000-8000-000000000001"
#define NOTICE	"0193a0f0-0000-7000-8000-000000000002"
#define HASH	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static int	 cert_fd = -1, key_fd = -1, schemas_fd = -1, conf_fd = -1;
static struct signer s;

static int
file_of(const void *p, size_t n)
{
	char	path[] = "/tmp/muhur-test-signer.XXXXXX";
	int	fd = mkstemp(path);

	if (fd == -1 || unlink(path) == -1 || write_full(fd, p, n) == -1 ||
	    lseek(fd, 0, SEEK_SET) == -1)
		fatal("temporary file");
	return fd;
}

static int
setup(void **state)
{
	const char	*src = getenv("srcdir"), *conf = "# all defaults\n";
	struct buf	 certs = { 0 }, pem = { 0 };
	EVP_PKEY	*root_key = pki_key("P-256", 0), *key = pki_key("P-384", 0);
	X509		*root, *cert;
	char		*path;

	(void)state;
	log_init("test_signer", LOG_COMMAND, 0);
	clock_init(0);
	root = pki_cert("Root", root_key, NULL, NULL, PKI_CA, -DAY, DAY);
	cert = pki_cert("Gateway \xc4\xb0", key, root, root_key, PKI_SIGNER, -DAY, DAY);
	pki_put_cert(&certs, cert);
	pki_put_key(&pem, key);
	cert_fd = file_of(certs.data, certs.len);
	key_fd = file_of(pem.data, pem.len);
	conf_fd = file_of(conf, strlen(conf));
	path = xasprintf("%s/schemas/xml", src != NULL ? src : "..");
	schemas_fd = open(path, O_RDONLY | O_DIRECTORY);
	free(path);
	X509_free(root);
	X509_free(cert);
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(key);
	buf_free(&certs);
	buf_free(&pem);
	if (schemas_fd == -1)
		return -1;
	return signer_setup(&s, cert_fd, key_fd, schemas_fd);
}

static int
setup_threads(void **state)
{
	if (setup(state) == -1)
		return -1;
	s.check_from = 1;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	signer_reset(&s);
	close(cert_fd);
	close(key_fd);
	close(schemas_fd);
	close(conf_fd);
	return 0;
}

static void
acknowledgement(struct notice *n, enum notice_level level)
{
	memset(n, 0, sizeof(*n));
	str_copy(n->id, sizeof(n->id), NOTICE);
	n->kind = NK_ACKNOWLEDGEMENT;
	str_copy(n->recipient, sizeof(n->recipient), "PLA");
	str_copy(n->file_name, sizeof(n->file_name), SUBMISSION ".x.xml");
	n->issued_at = clock_now();
	n->level = level;
	str_copy(n->submission_id, sizeof(n->submission_id), SUBMISSION);
	str_copy(n->submission_name, sizeof(n->submission_name), "g\xc3\xbcn <&\"'> ]]>.xml");
	str_copy(n->submission_sha256, sizeof(n->submission_sha256), HASH);
	n->submission_size = 12345;
	n->received_at = clock_now();
	str_copy(n->uploader, sizeof(n->uploader), "PLA001");
	str_copy(n->message_id, sizeof(n->message_id), "M-1");
	str_copy(n->message_type, sizeof(n->message_type), "BalanceReport");
	str_copy(n->signer_subject, sizeof(n->signer_subject), "CN=A\\, B,C=TR");
	str_copy(n->signer_issuer, sizeof(n->signer_issuer), "CN=Sub CA");
	str_copy(n->signer_serial, sizeof(n->signer_serial), "1f");
	n->record_count = 7;
}

/* Lines from a descriptor, which is closed.  The signed text, the caller's to
 * free; NULL where it failed. */
static char *
run_from(const struct notice *n, int lines)
{
	struct m_notice_file	 f;
	char			*text = NULL;
	size_t			 len;
	int			 out = file_of("", 0);

	if (signer_run(&s, n, out, lines, &f) == 0) {
		assert_int_equal(fd_read_all(out, 1 << 20, &text, &len), 0);
		assert_int_equal(f.size, len);
		assert_string_equal(f.id, n->id);
		assert_int_equal(strlen(f.sha256), 64);
	}
	close(out);
	if (lines != -1)
		close(lines);
	return text;
}

/* The lines just as they are, from a pipe. */
static char *
run_raw(const struct notice *n, const char *lines)
{
	int	 p[2];

	assert_int_equal(pipe(p), 0);
	assert_int_equal(write_full(p[1], lines, strlen(lines)), 0);
	close(p[1]);
	return run_from(n, p[0]);
}

/* What is sent of these lines: the last one tells how many they are. */
static char *
with_last_line(const char *lines)
{
	const char	*c;
	int		 count = 0;

	for (c = lines; *c != '\0'; c++)
		count += *c == '\n';
	return xasprintf("%s\\.\t%d\n", lines, count);
}

static char *
run(const struct notice *n, const char *lines)
{
	char	*all, *text;

	if (lines == NULL)
		return run_from(n, -1);
	all = with_last_line(lines);
	text = run_raw(n, all);
	free(all);
	return text;
}

/* The same of more than a pipe holds. */
static char *
run_from_file(const struct notice *n, const char *lines)
{
	char	*all = with_last_line(lines), *text;

	text = run_from(n, file_of(all, strlen(all)));
	free(all);
	return text;
}

static void
test_levels(void **state)
{
	struct notice	n;
	int		level;
	char		*text;

	(void)state;
	for (level = 0; level < NL_COUNT; level++) {
		acknowledgement(&n, (enum notice_level)level);
		n.late = level == NL_ACCEPTED;
		if (level == NL_REJECTED) {
			n.signer_subject[0] = n.message_id[0] = n.message_type[0] = '\0';
			reasons_add(&n.reasons, SCHEMA_INVALID, 12, "/a/b", "d");
			str_copy(n.reasons.v[0].detail, sizeof(n.reasons.v[0].detail), "found <x>\x01");
			reasons_add(&n.reasons, CONTROL_TOTAL, 0, "", "%s", "");
		}
		text = run(&n, NULL);
		assert_non_null(text);
		assert_non_null(strstr(text, "g\xc3\xbcn &lt;&amp;&quot;'&gt; ]]&gt;.xml"));
		assert_non_null(strstr(text, "<Issuer>Gateway \xc4\xb0</Issuer>"));
		if (level == NL_REJECTED) {
			assert_non_null(strstr(text, "Code=\"SCHEMA_INVALID\" Line=\"12\" Path=\"/a/b\""));
			assert_non_null(strstr(text, "found &lt;x&gt;\xef\xbf\xbd"));
			assert_null(strstr(text, "<Signer>"));
		}
		free(text);
	}
}

/* Every reason's texts fit the schema. */
static void
test_every_reason(void **state)
{
	struct notice	n;
	int		code;
	char		*text;

	(void)state;
	acknowledgement(&n, NL_REJECTED);
	for (code = 0; code < REASON_COUNT; code++) {
		memset(&n.reasons, 0, sizeof(n.reasons));
		reasons_add(&n.reasons, (enum reason_code)code, 1, "/x", "d");
		text = run(&n, NULL);
		assert_non_null(text);
		free(text);
	}
}

static const char good_result[] =
    "source\t" SUBMISSION "\t" HASH "\tPLA\tBalanceReport\tM-1\ta & b.xml\n"
    "pair\tPLA\tCUA\t4H95J0R2X\t1.5\t1.25\t0.25\tbreak\n"
    "pair\tPLA\tCUB\t4H95J0R2X\t1\t\\N\t\\N\tmissing\n"
    "break\tB-1\tR1\tS1 m.32(3)\tQUANTITY_DIFFERENCE\tPLA\tCUA\t4H95J0R2X\t1.5\t1.25\t0.25\tnew\t2026-11-20\ttab \\t back \\\\ <&>"
    "\texplained\t" SUBMISSION ":1,20\t\"late\"\n"
    "break\tB-2\tR4\tS1 m.32(1)\tMISSING_REPORT\t\\N\tCUB\t\\N\t\\N\t\\N\t\\N\tcontinuing\t2026-11-19\t\\N"
    "\topen\t\\N\t\\N\n"
    "limit\tR6\tIII-35/B.2 m.41(1)\tPLA\t\\N\t\\N\t\\N\t4\t100\t0.04\t0.05\twithin\t\\N\t\\N\t\\N\n";

static void
bulk(struct notice *n, enum notice_kind kind, long long count)
{
	acknowledgement(n, NL_RECEIVED);
	n->kind = kind;
	n->run = 2;
	n->line_count = count;
	assert_int_equal(date_parse("2026-11-20", &n->business_date), 0);
}

static void
test_bulk(void **state)
{
	struct notice	n;
	char		*text;

	(void)state;
	bulk(&n, NK_RECONCILIATION_RESULT, 6);
	text = run(&n, good_result);
	assert_non_null(text);
	assert_non_null(strstr(text, "Detail=\"tab &#9; back \\ &lt;&amp;&gt;\""));
	assert_non_null(strstr(text, "PlatQty=\"1\" Status=\"missing\""));
	assert_non_null(strstr(text, "SHA256=\"" HASH "\" Member=\"PLA\" MessageType=\"BalanceReport\" "
	    "MessageId=\"M-1\" FileName=\"a &amp; b.xml\""));
	assert_non_null(strstr(text, "State=\"explained\" From=\"" SUBMISSION ":1,20\" Expl=\"&quot;late&quot;\""));
	assert_non_null(strstr(text, "<Limit Rule=\"R6\" Src=\"III-35/B.2 m.41(1)\" Plat=\"PLA\" Num=\"4\" Den=\"100\" "
	    "Ratio=\"0.04\" Threshold=\"0.05\" Status=\"within\"/>"));
	free(text);
	bulk(&n, NK_RECONCILIATION_RESULT, 0);
	text = run(&n, NULL);
	assert_non_null(text);
	assert_non_null(strstr(text, "<Pairs/>"));
	assert_non_null(strstr(text, "<Breaks/>"));
	assert_non_null(strstr(text, "<Limits/>"));
	free(text);
	bulk(&n, NK_DISCREPANCY_REPORT, 2);
	text = run(&n, "source\t" SUBMISSION "\t" HASH "\tPLA\tBalanceReport\tM-1\ta b.xml\n"
	    "break\tB-2\tR4\tS1 m.32(1)\tMISSING_REPORT\tPLA\tCUB\t\\N\t\\N\t\\N\t\\N\tcured\t2026-11-19\t\\N\tclosed\t" SUBMISSION " " SUBMISSION ":7\t\\N\n");
	assert_non_null(text);
	free(text);
}

#define BREACH(at, num, count, cure) "limit\tR12\tIII-35/B.2 m.48(2)\tPLA\tCUA\t4H95J0R2X\t" at "\t" num \
	"\t100\t0.04\t0.05\tbreach\t" count "\t" cure "\td\n"
#define BALANCE(reg, qty) "balance\t" reg "\t4H95J0R2X\tPLA\t" qty "\t0\t3\n"

/* The kinds with one list. */
static void
test_one_list(void **state)
{
	static const char *const bad[] = {
		BREACH("2026-11-20", "4", "3", "2027-01-04"), BREACH("2026-11-20T09:00:00", "4", "3", "2027-01-04"),
		BREACH("\\N", "4.", "3", "2027-01-04"), BREACH("\\N", "1e3", "3", "2027-01-04"),
		BREACH("\\N", "4.1234567890123456789", "3", "2027-01-04"), BREACH("\\N", "-", "3", "2027-01-04"),
		BREACH("\\N", "4", "03", "2027-01-04"), BREACH("\\N", "4", "-1", "2027-01-04"),
		BREACH("\\N", "4", "3", "2027-02-30"), BALANCE("1234567890", "1"), "",
	};
	static const char *const bad_balances[] = {
		BALANCE("123456789", "1"), BALANCE("123456789a", "1"), BALANCE("1234567890", "1e3"),
		BALANCE("1234567890", "\\N"), BREACH("\\N", "4", "3", "2027-01-04"),
	};
	struct notice	n;
	char		*text;
	size_t		i;

	(void)state;
	bulk(&n, NK_LIMIT_BREACH, 1);
	text = run(&n, BREACH("2026-11-20T09:00:00Z", "123456789012345678901234567890.5", "3", "2027-01-04"));
	assert_non_null(text);
	assert_non_null(strstr(text, "<Breach Rule=\"R12\" Src=\"III-35/B.2 m.48(2)\" Plat=\"PLA\" Cstd=\"CUA\" "
	    "Asset=\"4H95J0R2X\" At=\"2026-11-20T09:00:00Z\" Num=\"123456789012345678901234567890.5\" Den=\"100\" "
	    "Ratio=\"0.04\" Threshold=\"0.05\" Status=\"breach\" Count=\"3\" CureBy=\"2027-01-04\" Detail=\"d\"/>"));
	free(text);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(run(&n, bad[i]));
	n.line_count = 0;	/* a notice of no breach */
	assert_null(run(&n, NULL));
	bulk(&n, NK_CENTRAL_REGISTRY, 2);
	text = run(&n, BALANCE("1234567890", "1") BALANCE("1234567890", "-2.5"));
	assert_non_null(text);
	assert_non_null(strstr(text, "<Bal Reg=\"1234567890\" Asset=\"4H95J0R2X\" Plat=\"PLA\" Qty=\"-2.5\" Lck=\"0\" "
	    "Total=\"3\"/>"));
	free(text);
	n.line_count = 1;
	for (i = 0; i < sizeof(bad_balances) / sizeof(bad_balances[0]); i++)
		assert_null(run(&n, bad_balances[i]));
	n.line_count = 0;	/* a day without balances is told too */
	text = run(&n, NULL);
	assert_non_null(text);
	free(text);
}

#define ENDS(user, serial, not_after, days) \
	"certificate\t" user "\t" HASH "\tCN=A <&> B\tCN=Sub\t" serial "\t" not_after "\t" days "\n"

static void
test_expiry(void **state)
{
	static const char *const bad[] = {
		ENDS("PLA", "0a", "2026-12-01T00:00:00Z", "7"), ENDS("PLA001", "x", "2026-12-01T00:00:00Z", "7"),
		ENDS("PLA001", "0a", "2026-12-01", "7"), ENDS("PLA001", "0a", "2026-12-01T00:00:00", "7"),
		ENDS("PLA001", "0a", "2026-12-01T00:00:00Z", "0"), ENDS("PLA001", "0a", "2026-12-01T00:00:00Z", "-7"),
		"source\t" SUBMISSION "\t" HASH "\tPLA\tBalanceReport\tM-1\ta b.xml\n", "",
	};
	struct notice	n;
	char		*text;
	size_t		i;

	(void)state;
	bulk(&n, NK_CERTIFICATE_EXPIRY, 1);
	n.run = 0;
	text = run(&n, ENDS("PLA001", "0a", "2026-12-01T00:00:00Z", "7"));
	assert_non_null(text);
	assert_non_null(strstr(text, "<Certificate User=\"PLA001\" SHA256=\"" HASH "\" Subject=\"CN=A &lt;&amp;&gt; B\" "
	    "Issuer=\"CN=Sub\" Serial=\"0a\" NotAfter=\"2026-12-01T00:00:00Z\" Days=\"7\"/>"));
	assert_null(strstr(text, "BusinessDate"));
	free(text);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(run(&n, bad[i]));
	n.line_count = 0;	/* a warning of nothing */
	assert_null(run(&n, NULL));
}

/* Whatever a text holds: the digest that was worked out while it was written is
 * that of what a reader finds, or there would be no notice. */
static void
test_characters(void **state)
{
	static const char	odd[] = "\\t\\n\\r \"'<>& ]]> \xc4\xb0 \xf0\x9f\x94\x8f \xff\x01\xed\xa0\x80 \xc3";
	static const char	is[] = "&#9;&#10;&#13; &quot;'&lt;&gt;&amp; ]]&gt; \xc4\xb0 \xf0\x9f\x94\x8f "
	    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd";
	struct notice		n;
	char			*text, *lines, *want;

	(void)state;
	lines = xasprintf("break\tB-1\tR1\t%s\tX\tPLA\tCUA\t\\N\t\\N\t\\N\t\\N\tnew\t2026-11-20\t%s\topen\t\\N\t%s\n", odd,
	    odd, odd);
	bulk(&n, NK_DISCREPANCY_REPORT, 1);
	text = run(&n, lines);
	assert_non_null(text);
	want = xasprintf("Src=\"%s\" Kind=\"X\" Plat=\"PLA\" Cstd=\"CUA\" Status=\"new\" FirstSeen=\"2026-11-20\" Detail=\"%s\" "
	    "State=\"open\" Expl=\"%s\"/>", is, is, is);
	assert_non_null(strstr(text, want));
	free(text);
	free(want);
	free(lines);
	acknowledgement(&n, NL_REJECTED);
	reasons_add(&n.reasons, SCHEMA_INVALID, 1, "/x", "d");
	(void)str_copy(n.reasons.v[0].detail, sizeof(n.reasons.v[0].detail), "\t\n\r \"'<>& ]]> \xf0\x9f\x94\x8f \xff\x7f");
	text = run(&n, NULL);
	assert_non_null(text);
	assert_non_null(strstr(text, "<Detail>&#9;&#10;&#13; &quot;'&lt;&gt;&amp; ]]&gt; \xf0\x9f\x94\x8f \xef\xbf\xbd\xef\xbf\xbd</Detail>"));
	free(text);
}

/* What was cut off on its way is never signed. */
static void
test_last_line(void **state)
{
#define TWO	BALANCE("1234567890", "1") BALANCE("1234567891", "1")
	static const char *const bad[] = {
		"", TWO, TWO "\\.", TWO "\\.\t2", TWO "\\.\n", TWO "\\.\t\n", TWO "\\.\t1\n", TWO "\\.\t3\n",
		TWO "\\.\t02\n", TWO "\\.\t2\t\n", TWO "\\.\t2\n\\.\t2\n", BALANCE("1234567890", "1") "\\.\t2\n",
		TWO "\\.\t2\n" BALANCE("1234567892", "1"), "\\.\t2\n" TWO,
	};
	static const char good[] = TWO "\\.\t2\n";
	struct notice	n;
	char		*text;
	size_t		i;

	(void)state;
	bulk(&n, NK_CENTRAL_REGISTRY, 2);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(run_raw(&n, bad[i]));
	/* of this kind the most is known before; of others how many there are */
	for (n.line_count = 1; n.line_count < 4; n.line_count++) {
		text = run_raw(&n, good);
		assert_int_equal(text != NULL, n.line_count >= 2);
		free(text);
	}
	for (n.line_count = 5; n.line_count < 8; n.line_count++) {
		n.kind = NK_RECONCILIATION_RESULT;
		text = run(&n, good_result);
		assert_int_equal(text != NULL, n.line_count == 6);
		free(text);
	}
}

/* A line comes in parts, as long as it is not too long; so does one behind it. */
static void
test_long_lines(void **state)
{
	static const size_t	sizes[] = { 60000, 65536, 131072, 190000, 300000 };
	struct notice		n;
	char			*detail, *lines, *text;
	size_t			i;

	(void)state;
	bulk(&n, NK_DISCREPANCY_REPORT, 2);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		detail = xcalloc(1, sizes[i] + 1);
		memset(detail, 'd', sizes[i]);
		lines = xasprintf("break\tB-1\tR1\tS1\tX\tPLA\tCUA\t\\N\t\\N\t\\N\t\\N\tnew\t2026-11-20\t%s\topen\t\\N\t\\N\n"
		    "break\tB-2\tR1\tS1\tX\tPLA\tCUA\t\\N\t\\N\t\\N\t\\N\tnew\t2026-11-20\tlast\topen\t\\N\t\\N\n", detail);
		text = run_from_file(&n, lines);
		assert_int_equal(text != NULL, sizes[i] < 192 * 1024);
		if (text != NULL)
			assert_non_null(strstr(text, "Detail=\"last\""));
		free(text);
		free(lines);
		free(detail);
	}
}

/* Of every kind that may say nothing. */
static void
test_no_lines(void **state)
{
	static const enum notice_kind kinds[] = { NK_RECONCILIATION_RESULT, NK_DISCREPANCY_REPORT, NK_AUTHORIZATION_REPORT,
		NK_CENTRAL_REGISTRY };
	struct notice	n;
	char		*text;
	size_t		i;

	(void)state;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		bulk(&n, kinds[i], 0);
		text = run(&n, NULL);
		assert_non_null(text);
		assert_non_null(strstr(text, "/>\n<ds:Signature"));
		free(text);
		text = run(&n, "");
		assert_non_null(text);
		free(text);
	}
}

/* Past where the own check has tables: the same limits hold. */
static void
test_long_notice(void **state)
{
	static const char *const bad[] = {
		BALANCE("123456789", "1"), BALANCE("1234567890", "1e3"), BALANCE("1234567890", "123456789012345678901"),
		BALANCE("1234567890", "1.1234567890123456789"), BALANCE("1234567890", "1."), BALANCE("1234567890", "-"),
		BALANCE("1234567890", ""), BALANCE("1234567890", "\\N"), BALANCE("1234567890", "1\t2"),
	};
	struct notice	n;
	struct buf	b = { 0 };
	char		*text;
	size_t		i, good;

	(void)state;
	for (i = 0; i < 200; i++)
		(void)buf_printf(&b, BALANCE("%010zu", "-%zu.5"), i, i);
	good = b.len;
	(void)buf_puts(&b, BALANCE("9999999999", "12345678901234567890.123456789012345678"));
	bulk(&n, NK_CENTRAL_REGISTRY, 201);
	text = run_from_file(&n, b.data);
	assert_non_null(text);
	assert_non_null(strstr(text, "<Bal Reg=\"9999999999\" Asset=\"4H95J0R2X\" Plat=\"PLA\" "
	    "Qty=\"12345678901234567890.123456789012345678\" Lck=\"0\" Total=\"3\"/>\n  </Balances>\n<ds:Signature "));
	free(text);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		b.len = good;
		(void)buf_puts(&b, bad[i]);
		assert_null(run_from_file(&n, b.data));
	}
	buf_free(&b);
}

#define OPEN "\topen\t\\N\t\\N\n"
#define FROM(from) "break\tB-1\tR1\tS1\tX\tPLA\tCUA\t\\N\t\\N\t\\N\t\\N\tnew\t2026-11-20\t\\N\topen\t" from "\t\\N\n"

/* The longest there is: 128 sources with 100 record numbers each. */
static void
test_long_line(void **state)
{
	struct notice	n;
	struct buf	b = { 0 };
	char		*text;
	int		 i, k;

	(void)state;
	buf_puts(&b, "break\tB-1\tR1\tS1\tX\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\tnew\t2026-11-20\t\\N\topen\t");
	for (i = 0; i < 128; i++) {
		buf_puts(&b, i == 0 ? SUBMISSION : " " SUBMISSION);
		for (k = 0; k < 100; k++)
			buf_printf(&b, "%c%d", k == 0 ? ':' : ',', 999999900 + k);
	}
	buf_puts(&b, "\t\\N\n");
	bulk(&n, NK_DISCREPANCY_REPORT, 1);
	text = run_from_file(&n, b.data);
	assert_non_null(text);
	assert_non_null(strstr(text, ",999999999\"/>"));
	free(text);
	buf_free(&b);
}

#define FOUND(no, line, code, detail, reg) "record\t" no "\t" line "\t" code "\t" detail "\t" reg "\n"

/* Level (ii) within accepted: the findings that were kept, and how many there are. */
static void
test_findings(void **state)
{
	static const char *const bad[] = {
		FOUND("0", "1", "NOT_LISTED", "d", "1000000001"), FOUND("x", "1", "NOT_LISTED", "d", "1000000001"),
		FOUND("1", "0", "NOT_LISTED", "d", "1000000001"), FOUND("1", "1", "not listed", "d", "1000000001"),
		FOUND("1", "1", "NOT_LISTED", "d", "100000000"), FOUND("1", "1", "NOT_LISTED", "d", "100000000x"),
		"record\t1\t1\tNOT_LISTED\td\n", "pair\tPLA\tCUA\t4H95J0R2X\t1\t1\t0\tmatched\n", "",
	};
	struct notice	n;
	char		*text;
	size_t		i;

	(void)state;
	acknowledgement(&n, NL_ACCEPTED);
	n.line_count = n.findings = 2;
	text = run(&n, FOUND("1", "12", "NO_CONTRACT", "with <CUB>", "\\N") FOUND("7", "18", "UNKNOWN_REGISTRY_NO", "\\N", "1000000001"));
	assert_non_null(text);
	assert_non_null(strstr(text, "<Records Total=\"2\">"));
	assert_non_null(strstr(text, "<Record No=\"1\" Line=\"12\" Code=\"NO_CONTRACT\" Detail=\"with &lt;CUB&gt;\"/>"));
	assert_non_null(strstr(text, "<Record No=\"7\" Line=\"18\" Code=\"UNKNOWN_REGISTRY_NO\" Reg=\"1000000001\"/>"));
	assert_non_null(strstr(text, "<Level>i</Level>"));
	free(text);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		n.line_count = n.findings = 1;
		assert_null(run(&n, bad[i]));
	}
	/* as many lines as are kept of so many findings, and only where it is accepted */
	n.line_count = 1;
	n.findings = 2;
	assert_null(run(&n, FOUND("1", "1", "NOT_LISTED", "d", "1000000001")));
	acknowledgement(&n, NL_RESULT);
	n.line_count = n.findings = 1;
	assert_null(run(&n, FOUND("1", "1", "NOT_LISTED", "d", "1000000001")));
	/* none: the notice as it always was */
	acknowledgement(&n, NL_ACCEPTED);
	text = run(&n, NULL);
	assert_non_null(text);
	assert_null(strstr(text, "<Records"));
	free(text);
}

/* The first thousand of more. */
static void
test_findings_max(void **state)
{
	struct buf	lines = { 0 };
	struct notice	n;
	char		*text;
	int		i;

	(void)state;
	for (i = 1; i <= RECORD_FINDINGS_MAX; i++)
		(void)buf_printf(&lines, "record\t%d\t%d\tNOT_LISTED\t\\N\t\\N\n", i, i);
	acknowledgement(&n, NL_ACCEPTED);
	n.line_count = RECORD_FINDINGS_MAX;
	n.findings = 1234567;
	text = run(&n, lines.data);
	assert_non_null(text);
	assert_non_null(strstr(text, "<Records Total=\"1234567\">"));
	assert_non_null(strstr(text, "<Record No=\"1000\" Line=\"1000\" Code=\"NOT_LISTED\"/>"));
	free(text);
	buf_free(&lines);
}

/* Who asked for numbers gets all of them, in the result those that came later. */
static void
test_answers(void **state)
{
	static const enum notice_level levels[] = { NL_ACCEPTED, NL_RESULT };
	struct buf	lines = { 0 };
	struct notice	n;
	char		*text;
	int		i;

	(void)state;
	for (i = 1; i <= RECORD_FINDINGS_MAX + 1; i++)
		(void)buf_printf(&lines, "record\t%d\t%d\tREGISTERED\t\\N\t1000000001\n", i, i);
	for (i = 0; i < 2; i++) {
		acknowledgement(&n, levels[i]);
		n.line_count = n.findings = RECORD_FINDINGS_MAX + 1;
		assert_null(run(&n, lines.data));
		(void)str_copy(n.message_type, sizeof(n.message_type), "RegistrationRequest");
		text = run(&n, lines.data);
		assert_non_null(text);
		assert_non_null(strstr(text, "<Records Total=\"1001\">"));
		assert_non_null(strstr(text, "<Record No=\"1001\" Line=\"1001\" Code=\"REGISTERED\" Reg=\"1000000001\"/>"));
		free(text);
	}
	buf_free(&lines);
}

/* A line that is not of its type ends the build: nothing gets signed. */
static void
test_bad_lines(void **state)
{
	static const char *const bad[] = {
		"",
		"pair\tPLA\tCUA\t4H95J0R2X\t1\t1\t0\tmatched",
		"pair\tPLA\tCUA\t4H95J0R2X\t1\t1\t0\n",
		"pair\tPLA\tCUA\t4H95J0R2X\t1\t1\t0\tmatched\tmore\n",
		"pair\tpla\tCUA\t4H95J0R2X\t1\t1\t0\tmatched\n",
		"pair\tPLA\t\\N\t4H95J0R2X\t1\t1\t0\tmatched\n",
		"pair\tPLA\tCUA\t4H95J0R2X\t1e3\t1\t0\tmatched\n",
		"pair\tPLA\tCUA\t4H95J0R2X\t1\t1\t0\tequal\n",
		"source\t" SUBMISSION "\t" HASH "\tPLA\tBalanceReport\tM-1\n",
		"source\t" SUBMISSION "\t" HASH "\tPLA\tBalanceReport\tM-1\t../x\n",
		"other\tx\n",
		"\n",
		"pair\tPLA\\x\tCUA\t4H95J0R2X\t1\t1\t0\tmatched\n",
		"break\tB-1\tR0\tS1\tX\tPLA\tCUA\t\\N\t\\N\t\\N\t\\N\tnew\t2026-11-20\t\\N" OPEN,
		"break\tB-1\tR1\tS1\tX\tPLA\tCUA\t\\N\t\\N\t\\N\t\\N\tnew\t2026-02-30\t\\N" OPEN,
		FROM(""), FROM(SUBMISSION " "), FROM(SUBMISSION ":"), FROM(SUBMISSION ":1,"), FROM(SUBMISSION ":,1"),
		FROM(SUBMISSION ":1;2"), FROM(SUBMISSION "  " SUBMISSION), FROM("7:1"), FROM(SUBMISSION ":1234567890123456789"),
	};
	struct notice	n;
	size_t		i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		bulk(&n, NK_RECONCILIATION_RESULT, 1);
		assert_null(run(&n, bad[i]));
	}
	bulk(&n, NK_RECONCILIATION_RESULT, 2);	/* a pair after a break */
	assert_null(run(&n, "break\tB-1\tR1\tS1\tX\tPLA\tCUA\t\\N\t\\N\t\\N\t\\N\tnew\t2026-11-20\t\\N" OPEN
	    "pair\tPLA\tCUA\t4H95J0R2X\t1\t1\t0\tmatched\n"));
}

static void
test_bad_fields(void **state)
{
	struct notice	n;

	(void)state;
	acknowledgement(&n, NL_RECEIVED);
	n.id[0] = 'X';
	assert_null(run(&n, NULL));
	acknowledgement(&n, NL_REJECTED);	/* without a reason */
	assert_null(run(&n, NULL));
	acknowledgement(&n, NL_RECEIVED);
	str_copy(n.submission_sha256, sizeof(n.submission_sha256), "00");
	assert_null(run(&n, NULL));
	bulk(&n, NK_DISCREPANCY_REPORT, 0);
	n.run = 0;
	assert_null(run(&n, NULL));
}

/* What signer_setup says of a certificate; the text it logged, the caller's to
 * free. */
static char *
set_up_with(enum pki_kind kind, long from, long to, int *rc)
{
	struct signer	 other;
	struct buf	 cert_pem = { 0 }, key_pem = { 0 };
	EVP_PKEY	*key = pki_key("P-256", 0);
	X509		*cert = pki_cert("Gateway", key, NULL, NULL, kind, from, to);
	char		*text;
	size_t		 len;
	int		 cert_in, key_in, saved = dup(STDERR_FILENO), log = file_of("", 0);

	pki_put_cert(&cert_pem, cert);
	pki_put_key(&key_pem, key);
	cert_in = file_of(cert_pem.data, cert_pem.len);
	key_in = file_of(key_pem.data, key_pem.len);
	assert_int_not_equal(dup2(log, STDERR_FILENO), -1);
	*rc = signer_setup(&other, cert_in, key_in, schemas_fd);
	assert_int_not_equal(dup2(saved, STDERR_FILENO), -1);
	if (*rc == 0)
		signer_reset(&other);
	assert_int_equal(lseek(log, 0, SEEK_SET), 0);
	assert_int_equal(fd_read_all(log, 1 << 16, &text, &len), 0);
	close(saved);
	close(log);
	close(cert_in);
	close(key_in);
	X509_free(cert);
	EVP_PKEY_free(key);
	buf_free(&cert_pem);
	buf_free(&key_pem);
	return text;
}

/* A certificate that cannot do is told of at the start, not at a notice. */
static void
test_certificate(void **state)
{
	static const struct {
		enum pki_kind	 kind;
		long		 from, to;
		int		 rc;
		const char	*says;		/* "" nothing at all */
	} cases[] = {
		{ PKI_SIGNER, -DAY, 31 * DAY, 0, "" },
		{ PKI_SIGNER, -DAY, 29 * DAY, 0, "in 28 days: renew it" },
		{ PKI_SIGNER, -2 * DAY, -DAY, 0, "CERT_EXPIRED" },
		{ PKI_SIGNER, DAY, 90 * DAY, 0, "CERT_EXPIRED" },
		{ PKI_NO_REPUDIATION, -DAY, 90 * DAY, -1, "CERT_USAGE" },
		{ PKI_PLAIN, -DAY, 90 * DAY, -1, "CERT_USAGE" },
		{ PKI_CA, -DAY, 90 * DAY, -1, "CERT_USAGE" },
		{ PKI_NO_REPUDIATION, -2 * DAY, -DAY, -1, "CERT_USAGE" },
	};
	size_t	 i;
	char	*text;
	int	 rc;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text = set_up_with(cases[i].kind, cases[i].from, cases[i].to, &rc);
		assert_int_equal(rc, cases[i].rc);
		if (cases[i].says[0] == '\0')
			assert_string_equal(text, "");
		else
			assert_non_null(strstr(text, cases[i].says));
		free(text);
	}
}

/* Exec the real program with exactly the descriptors that muhurd gives. */
static pid_t
start_process(int channel)
{
	const int	from[FD_COUNT] = { -1, -1, -1, channel, conf_fd, schemas_fd, cert_fd, key_fd,
			    -1, -1 };
	int		high[FD_COUNT], i;
	pid_t		pid = fork();

	if (pid != 0)
		return pid;
	for (i = 3; i < FD_COUNT; i++)
		high[i] = fcntl(from[i], F_DUPFD, 64);
	for (i = 3; i < FD_COUNT; i++)
		(void)dup2(high[i], i);
	close_from(FD_COUNT);
	(void)setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
	execl("src/signer/muhur-signer", "muhur-signer", (char *)NULL);
	_exit(127);
}

static void
test_process(void **state)
{
	struct msg_chan	 c;
	struct msg	 m;
	struct notice	 n;
	struct buf	 b = { 0 };
	struct m_notice_file f;
	struct m_notice_id id;
	char		*lines[] = { NULL, with_last_line(good_result), xstrdup("junk\n"),
			    /* as long as it says it may be: a thread checks it, under the filter */
			    with_last_line(BALANCE("1234567890", "1")), xstrdup("junk\n") };
	int		 pair[2], fds[2], p[2], status, i;
	pid_t		 pid;

	(void)state;
	assert_int_equal(msg_pair(pair), 0);
	pid = start_process(pair[1]);
	assert_true(pid > 0);
	close(pair[1]);
	msg_init(&c, pair[0], ROLE_MUHURD, ROLE_SIGNER);
	assert_int_equal(msg_recv_wait(&c, &m, 30000), 1);
	assert_int_equal(m.type, M_READY);
	/* several at once: an acknowledgement, bulk notices, some that must fail */
	for (i = 0; i < 5; i++) {
		acknowledgement(&n, NL_ACCEPTED);
		if (i > 0)
			bulk(&n, i < 3 ? NK_RECONCILIATION_RESULT : NK_CENTRAL_REGISTRY, i < 3 ? 6 : 1000000);
		buf_reset(&b);
		put_notice(&b, &n);
		fds[0] = file_of("", 0);
		if (i > 0) {
			assert_int_equal(pipe(p), 0);
			assert_int_equal(write_full(p[1], lines[i], strlen(lines[i])), 0);
			close(p[1]);
			fds[1] = p[0];
		}
		assert_int_equal(msg_send(&c, M_SIGN, 100 + (unsigned)i, b.data, b.len, fds,
		    i > 0 ? 2 : 1), 0);
	}
	for (i = 0; i < 5; i++) {
		assert_int_equal(msg_recv_wait(&c, &m, 30000), 1);
		assert_int_equal(m.tag, 100 + i);
		assert_int_equal(m.type, i == 2 || i == 4 ? M_SIGN_FAILED : M_SIGNED);
		if (m.type == M_SIGNED)
			assert_int_equal(get_m_notice_file(&m, &f), 0);
		else
			assert_int_equal(get_m_notice_id(&m, &id), 0);
		free(lines[i]);
	}
	buf_free(&b);
	msg_close(&c);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_every_reason),
		cmocka_unit_test(test_bulk),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_one_list),
		cmocka_unit_test(test_characters),
		cmocka_unit_test(test_last_line),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_no_lines),
		cmocka_unit_test(test_long_notice),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_findings),
		cmocka_unit_test(test_findings_max),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_bad_fields),
		cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_process),
	};

	/* checked when they are written, and while they are */
	return cmocka_run_group_tests(tests, setup, teardown) +
	    cmocka_run_group_tests(tests, setup_threads, teardown);
}
