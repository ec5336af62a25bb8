/* SPDX-License-Identifier: ISC */
/*
 * muhur-verify itself, in its sandbox, driven through its channel as muhurd
 * drives it; the records pipe is read as muhur-load reads it.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../xml/testpki.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/fdio.h"
#include "base/limits.h"
#include "base/log.h"
#include "document/pipeline.h"
#include "document/sign.h"
#include "model/ident.h"
#include "msg/proto.h"
#include "msg/stream.h"

#define DAY	86400L
#define WAIT_MS	30000

static char conf_path[] = "/tmp/muhur-test-verify.XXXXXX";
static EVP_PKEY *ca_key, *key;
static X509 *ca, *cert;
static struct signing_key *signer;
static int anchors, crls, schemas;

struct child { pid_t pid; struct msg_chan chan; struct m_submission sub; int pipe; };

static int
memory(const void *p, size_t n)
{
	int fd = memfd_create("test", 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write_full(fd, p, n), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static int
setup(void **unused)
{
	static const char conf[] = "sandbox = true\n";
	struct buf k = { 0 }, c = { 0 }, a = { 0 }, l = { 0 };
	X509_CRL *crl;
	int fd;

	(void)unused;
	assert_int_not_equal(fd = mkstemp(conf_path), -1);
	assert_int_equal(write_full(fd, conf, strlen(conf)), 0);
	close(fd);
	ca_key = pki_key("P-256", 0);
	ca = pki_cert("CA", ca_key, NULL, ca_key, PKI_CA, -10 * DAY, 10 * DAY);
	key = pki_key("RSA", 2048);
	cert = pki_cert("PLA001", key, ca, ca_key, PKI_SIGNER, -5 * DAY, 5 * DAY);
	crl = pki_crl(ca, ca_key, NULL, -DAY, DAY);
	pki_put_key(&k, key);
	pki_put_cert(&c, cert);
	pki_put_cert(&a, ca);
	pki_put_crl(&l, crl);
	assert_non_null(signer = signing_key_new(k.data, k.len, c.data, c.len));
	anchors = memory(a.data, a.len);
	crls = memory(l.data, l.len);
	schemas = open(TOP_SRCDIR "/schemas/xml", O_RDONLY | O_DIRECTORY);
	assert_int_not_equal(schemas, -1);
	X509_CRL_free(crl);
	buf_free(&k), buf_free(&c), buf_free(&a), buf_free(&l);
	return 0;
}

static int
teardown(void **unused)
{
	(void)unused;
	unlink(conf_path);
	signing_key_free(signer);
	X509_free(ca), X509_free(cert);
	EVP_PKEY_free(ca_key), EVP_PKEY_free(key);
	close(anchors), close(crls), close(schemas);
	return 0;
}

/* In the forked child: the descriptors at their places, and exec. */
_Noreturn static void
become(int channel)
{
	int from[FD_COUNT - FD_CHANNEL] = { channel, open(conf_path, O_RDONLY), schemas, anchors,
	    crls, -1, -1, -1, -1, -1, -1, -1 };
	int i, high[FD_COUNT - FD_CHANNEL];

	for (i = 0; i < FD_COUNT - FD_CHANNEL; i++)
		high[i] = fcntl(from[i], F_DUPFD, 100);
	for (i = 0; i < FD_COUNT - FD_CHANNEL; i++)
		if (high[i] == -1)
			close(FD_CHANNEL + i);
		else
			dup2(high[i], FD_CHANNEL + i);
	close_from(FD_COUNT);
	/* LeakSanitizer needs ptrace, which no sandbox of ours gives. */
	setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
	execl(MUHUR_VERIFY, "muhur-verify", (char *)NULL);
	_exit(127);
}

static void
start(struct child *c)
{
	struct msg m;
	int pair[2];

	memset(c, 0, sizeof(*c));
	assert_int_equal(msg_pair(pair), 0);
	assert_int_not_equal(c->pid = fork(), -1);
	if (c->pid == 0)
		become(pair[1]);
	close(pair[1]);
	msg_init(&c->chan, pair[0], ROLE_MUHURD, ROLE_VERIFY);
	assert_int_equal(msg_recv_wait(&c->chan, &m, WAIT_MS), 1);
	assert_int_equal(m.type, M_READY);
}

static void
give(struct child *c, const char *text, size_t len)
{
	struct buf b = { 0 };
	int p[2], fds[2];

	uuid_v7(clock_now(), c->sub.id);
	(void)str_copy(c->sub.user, sizeof(c->sub.user), "PLA001");
	(void)str_copy(c->sub.name, sizeof(c->sub.name), "a.xml");
	c->sub.size = (long long)len;
	c->sub.received_at = clock_now();
	put_m_submission(&b, &c->sub);
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	fds[0] = memory(text, len);
	fds[1] = p[1];
	c->pipe = p[0];
	assert_int_equal(msg_send(&c->chan, M_VERIFY, 0, b.data, b.len, fds, 2), 0);
	buf_free(&b);
}

/* The verdict, and a clean end. */
static void
finish(struct child *c, struct m_verdict *v)
{
	struct msg m;
	int status;

	assert_int_equal(msg_recv_wait(&c->chan, &m, WAIT_MS), 1);
	assert_int_equal(m.type, M_VERDICT);
	assert_int_equal(get_m_verdict(&m, v), 0);
	assert_string_equal(v->id, c->sub.id);
	assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	msg_close(&c->chan);
}

static char *
signed_report(int records, size_t *len)
{
	struct reasons rs = { .n = 0 };
	struct buf b = { 0 };
	char *text;
	int i, in, out = memory("", 0);

	buf_printf(&b, "<BalanceReport xmlns=\"urn:muhur:xsd:balance-report:1\"><Header>"
	    "<MessageId>M-1</MessageId><MessageType>BalanceReport</MessageType>"
	    "<SchemaVersion>1</SchemaVersion><SenderMemberCode>PLA</SenderMemberCode>"
	    "<UserCode>PLA001</UserCode><BusinessDate>2026-11-20</BusinessDate>"
	    "<CreatedAt>2026-11-21T01:02:03Z</CreatedAt><Sequence>1</Sequence>"
	    "<RecordCount>%d</RecordCount><ControlTotals><Total Asset=\"4H95J0R2X\" Qty=\"%d\"/>"
	    "</ControlTotals></Header><Balances>\n", records, records);
	for (i = 0; i < records; i++)
		buf_printf(&b, "<Bal Reg=\"%010d\" Cust=\"C%d\" Held=\"OWN\" Asset=\"4H95J0R2X\" Qty=\"1\"/>\n",
		    1000000000 + i, i);
	buf_puts(&b, "</Balances></BalanceReport>\n");
	in = memory(b.data, b.len);
	assert_int_equal(document_sign(in, out, signer, clock_now(), &rs), 0);
	assert_int_equal(rs.n, 0);
	assert_int_equal(fd_read_all(out, 1 << 28, &text, len), 0);
	close(in);
	close(out);
	buf_free(&b);
	return text;
}

static void
test_good(void **unused)
{
	struct stream_frame f;
	struct header h = { .type = MT_COUNT };
	struct m_verdict v;
	struct buf b = { 0 };
	struct rlimit cpu;
	struct child c;
	size_t len, lines = 0, i;
	char *text = signed_report(5000, &len);
	int end = 0;

	(void)unused;
	start(&c);
	give(&c, text, len);
	assert_int_equal(stream_read(c.pipe, &b, &f), 1);
	assert_int_equal(f.type, STREAM_HEADER);
	assert_int_equal(stream_get_header(&f, &h), 0);
	assert_string_equal(h.message_id, "M-1");
	assert_int_equal(prlimit(c.pid, RLIMIT_CPU, NULL, &cpu), 0);
	assert_int_equal(cpu.rlim_max, VERIFY_CPU_BASE);	/* no MiB of it */
	assert_int_equal(h.record_count, 5000);
	while (!end && stream_read(c.pipe, &b, &f) == 1) {
		end = f.type == STREAM_END;
		for (i = 0; f.type == STREAM_RECORDS && i < f.len; i++)
			lines += f.data[i] == '\n';
	}
	assert_true(end);
	assert_int_equal(lines, 5000);
	assert_int_equal(stream_read(c.pipe, &b, &f), 0);
	finish(&c, &v);
	assert_int_equal(v.reasons.n, 0);
	assert_int_equal(v.signature_valid, 1);
	assert_int_equal(strlen(v.sha256), 64);
	assert_int_equal(strlen(v.cert_sha256), 64);
	header_reset(&h);
	buf_free(&b);
	close(c.pipe);
	free(text);
}

/* Nobody reads: the verdict comes all the same, and soon. */
static void
test_reader_gone(void **unused)
{
	struct m_verdict v;
	struct child c;
	size_t len;
	char *text = signed_report(20000, &len);

	(void)unused;
	start(&c);
	give(&c, text, len);
	close(c.pipe);
	finish(&c, &v);
	assert_int_equal(v.reasons.n, 0);
	free(text);
}

static void
expect(const char *text, size_t len, enum reason_code code)
{
	struct m_verdict v;
	struct child c;

	start(&c);
	give(&c, text, len);
	finish(&c, &v);
	close(c.pipe);
	assert_int_equal(v.reasons.n, 1);
	assert_int_equal(v.reasons.v[0].code, code);
	assert_int_equal(v.signature_valid, 0);
}

/* What would make a parser open a file or a socket must not even try: in the
 * sandbox it would be the end of the process. */
static void
test_hostile(void **unused)
{
	static const char *const docs[] = {
	    "<!DOCTYPE a SYSTEM \"http://127.0.0.1/x\"><a/>",
	    "<!DOCTYPE a [<!ENTITY x SYSTEM \"/etc/passwd\">]><a>&x;</a>" };
	static const char *const malformed[] = {
	    "<?xml version=\"1.0\" encoding=\"ISO-2022-JP\"?><a/>",
	    "<?xml version=\"1.0\" encoding=\"windows-1254\"?><a/>", "", "\x89PNG\r\n" };
	static const char located[] = "<a xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
	    "xsi:schemaLocation=\"urn:x http://127.0.0.1/x.xsd\"/>";
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(docs) / sizeof(docs[0]); i++)
		expect(docs[i], strlen(docs[i]), XML_FORBIDDEN);
	for (i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++)
		expect(malformed[i], strlen(malformed[i]), XML_MALFORMED);
	expect(located, strlen(located), SIG_MISSING);
}

/* muhurd closes the channel of one that it does not need. */
static void
test_not_needed(void **unused)
{
	struct child c;
	int status;

	(void)unused;
	start(&c);
	msg_close(&c.chan);
	assert_int_equal(waitpid(c.pid, &status, 0), c.pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_reader_gone),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_not_needed),
	};

	log_init("test_verify", LOG_COMMAND, 0);
	clock_init(0);
	signal(SIGPIPE, SIG_IGN);
	if (document_init() == -1)
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
