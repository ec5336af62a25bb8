/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "msg/proto.h"

#define UUID	"018f4b2e-7a10-7c3d-8e21-0123456789ab"
#define SHA	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static struct msg
of(const struct buf *b, size_t len)
{
	struct msg m = { .payload = (const uint8_t *)b->data, .len = len };

	return m;
}

/*
 * For one payload: what was packed comes out again; cut at any length it is
 * refused, and so it is with a byte more; with any one byte changed it is
 * refused or packs to just those bytes, and never harms us.
 */
#define CHECK(X, value) do {							\
	struct X in_ = value, out_;						\
	struct buf b_ = { 0 }, again_ = { 0 };					\
	struct msg m_;								\
	size_t i_;								\
	int bit_;								\
	put_##X(&b_, &in_);							\
	m_ = of(&b_, b_.len);							\
	assert_int_equal(get_##X(&m_, &out_), 0);				\
	put_##X(&again_, &out_);						\
	assert_int_equal(again_.len, b_.len);					\
	assert_memory_equal(again_.data, b_.data, b_.len);			\
	for (i_ = 0; i_ < b_.len; i_++) {					\
		uint8_t *cut_ = malloc(i_ + 1);	/* sanitizers see overreads */	\
		memcpy(cut_, b_.data, i_);					\
		m_.payload = cut_;						\
		m_.len = i_;							\
		assert_int_equal(get_##X(&m_, &out_), -1);			\
		free(cut_);							\
	}									\
	assert_int_equal(buf_append(&b_, "", 1), 0);				\
	m_ = of(&b_, b_.len);							\
	assert_int_equal(get_##X(&m_, &out_), -1);				\
	m_ = of(&b_, b_.len - 1);						\
	for (i_ = 0; i_ < b_.len - 1; i_++) {					\
		for (bit_ = 0; bit_ < 8; bit_++) {				\
			b_.data[i_] = (char)(b_.data[i_] ^ 1 << bit_);		\
			if (get_##X(&m_, &out_) == 0) {				\
				buf_reset(&again_);				\
				put_##X(&again_, &out_);			\
				assert_int_equal(again_.len, m_.len);		\
				assert_memory_equal(again_.data, b_.data, m_.len); \
			}							\
			b_.data[i_] = (char)(b_.data[i_] ^ 1 << bit_);		\
		}								\
	}									\
	buf_free(&b_);								\
	buf_free(&again_);							\
} while (0)

static void
test_box(void **state)
{
	struct m_login login = { .user = "PLA001", .algorithm = "ssh-ed25519", .key_len = 3,
	    .key = { 0, 1, 0xff }, .proved = 1 };
	struct m_peer peer = { "2001:db8::1", 65535 };
	struct m_rights may = { 1, 0, 1 };
	struct m_login_result yes = { 1, { 1, 1, 0 }, "PLA001", "PLA", "" };
	struct m_login_result no = { 0, { 0, 0, 0 }, "strange", "", "no such user" };
	struct m_box_open open_file = { BOX_INBOX, "", "", "g\xc3\xbcn.xml", BOX_WRITE | BOX_CREAT };
	struct m_box_open open_day = { BOX_ARCHIVE, "PLB", "2026-11-20", "", BOX_DIR };
	struct m_box_open tile = { BOX_TRAIL, "", "", "tile/0/x001/067.p/17", BOX_READ };
	struct m_box_name name = { "a.xml", { UINT64_MAX, 1, -1 } };
	struct m_box_rename names = { "a.part", "a", { 3, 2, INT64_MAX } };
	struct m_box_result result = { BOX_FAILURE };

	(void)state;
	CHECK(m_peer, peer);
	CHECK(m_login, login);
	CHECK(m_login_result, yes);
	CHECK(m_login_result, no);
	CHECK(m_rights, may);
	CHECK(m_box_open, open_file);
	CHECK(m_box_open, open_day);
	CHECK(m_box_open, tile);
	CHECK(m_box_name, name);
	CHECK(m_box_rename, names);
	CHECK(m_box_result, result);
}

static void
test_submission(void **state)
{
	struct m_submission s = { UUID, "PLA001", "a b.xml", INT64_MAX, -1, MEMBER_REGISTRY };
	struct m_submission_id id = { UUID };
	struct m_submission_state st = { UUID, SUB_REPLACED, SHA, 1, MEMBER_PLATFORM };
	struct m_submission_state unknown = { UUID, SUB_RECEIVED, "", 0, MEMBER_UNKNOWN };

	(void)state;
	CHECK(m_submission, s);
	CHECK(m_submission_id, id);
	CHECK(m_submission_state, st);
	CHECK(m_submission_state, unknown);
}

static struct m_verdict
verdict(void)
{
	struct m_verdict v = { .id = UUID, .sha256 = SHA, .signature_valid = 1,
	    .cert_sha256 = SHA, .signer_subject = "CN=A\xc5\x9f,C=TR", .signer_issuer = "CN=b",
	    .signer_serial = "0A", .signing_time = 1795000000000000, .policy = "1.2.3",
	    .timestamp = { TIMESTAMP_BAD, 1795000000000001, "CN=T", "expired" } };

	reasons_add(&v.reasons, CERT_EXPIRED, 0, NULL, "until 2020");
	reasons_add(&v.reasons, SCHEMA_INVALID, 12, "/BalanceReport", "Qty");
	v.crls.n = 2;
	(void)str_copy(v.crls.sha256[0], SHA256_HEX_SIZE, SHA);
	(void)str_copy(v.crls.sha256[1], SHA256_HEX_SIZE, SHA);
	(void)str_copy(v.material, SHA256_HEX_SIZE, SHA);
	return v;
}

static struct notice
notice(void)
{
	struct notice n = { .id = UUID, .kind = NK_ACKNOWLEDGEMENT, .recipient = "PLA",
	    .file_name = UUID ".rejected.xml", .issued_at = 1, .level = NL_REJECTED,
	    .submission_id = UUID, .submission_name = "a.xml", .submission_sha256 = SHA,
	    .submission_size = 5, .received_at = 2, .uploader = "PLA001", .message_id = "m",
	    .message_type = "BalanceReport", .signer_subject = "CN=a", .signer_issuer = "CN=b",
	    .signer_serial = "1", .record_count = 3, .late = 1, .breaks = 4, .findings = 1200 };

	reasons_add(&n.reasons, DUPLICATE, 3, "/x", "m");
	return n;
}

static void
test_notice(void **state)
{
	struct m_notice_id id = { UUID };
	struct m_notice_file file = { UUID, SHA, 77, 5 };
	struct m_notice_publish publish = { UUID, "PLA", "a.xml", SHA, "2026-11-20", 1 };
	struct m_notice_published published = { UUID, 1 };
	struct m_archived archived = { UUID, 1 };
	struct m_document document = { SHA };
	struct m_kept kept = { SHA, KEPT_ABSENT };
	struct m_material material = { 15, 1 };
	struct m_pass pass = { "", 1, 2, 3, INT64_MAX, 4 }, rot = { .rot = SHA };
	struct notice result = { .id = UUID, .kind = NK_DISCREPANCY_REPORT, .recipient = "SPK",
	    .file_name = "DiscrepancyReport.2026-11-20.1.xml", .business_date = 20777, .run = 1,
	    .line_count = 10000000 };

	(void)state;
	CHECK(m_verdict, verdict());
	CHECK(m_notice_id, id);
	CHECK(m_notice_file, file);
	CHECK(m_notice_publish, publish);
	CHECK(m_notice_published, published);
	CHECK(m_archived, archived);
	CHECK(m_document, document);
	CHECK(m_kept, kept);
	CHECK(m_material, material);
	CHECK(m_pass, pass);
	CHECK(m_pass, rot);
	CHECK(notice, notice());
	CHECK(notice, result);
}

static int
ranges_refused(long long a, long long b, long long c, long long d, long long size)
{
	struct m_fetched v = { "PLA", "n.xml", "PLA001", size, 1, { { { a, b }, { c, d } }, 2 } }, out;
	struct buf b_ = { 0 };
	struct msg m;
	int rc;

	put_m_fetched(&b_, &v);
	m = of(&b_, b_.len);
	rc = get_m_fetched(&m, &out);
	buf_free(&b_);
	return rc == -1;
}

static void
test_fetched(void **state)
{
	struct m_box_fetched none = { { .n = 0 } }, all = { { .n = FETCH_RANGES_MAX } };
	struct m_fetched one = { "PLA", "n.xml", "PLA001", INT64_MAX, 7, { { { 0, INT64_MAX } }, 1 } };
	struct m_fetched two = { "PLA", "n.xml", "SPK001", 9, 7, { { { 0, 3 }, { 5, 9 } }, 2 } };
	struct buf b = { 0 };
	struct msg m;
	int i;

	(void)state;
	for (i = 0; i < FETCH_RANGES_MAX; i++) {
		all.ranges.v[i].from = 2 * i;
		all.ranges.v[i].to = 2 * i + 1;
	}
	CHECK(m_box_fetched, none);
	CHECK(m_box_fetched, all);
	CHECK(m_fetched, one);
	CHECK(m_fetched, two);
	assert_false(ranges_refused(0, 3, 5, 9, 9));
	assert_true(ranges_refused(0, 3, 5, 9, 8));	/* beyond the file */
	assert_true(ranges_refused(0, 3, 3, 9, 9));	/* they touch */
	assert_true(ranges_refused(5, 9, 0, 3, 9));
	assert_true(ranges_refused(0, 3, 5, 5, 9));
	assert_true(ranges_refused(-1, 3, 5, 9, 9));
	/* nothing fetched is nothing to record; more than fit are none of ours */
	one.ranges.n = 0;
	put_m_fetched(&b, &one);
	m = of(&b, b.len);
	assert_int_equal(get_m_fetched(&m, &two), -1);
	buf_reset(&b);
	put_m_box_fetched(&b, &all);
	b.data[0]++;
	assert_int_equal(buf_append(&b, "\0\1\0\0\0\0\0\0\1\1\0\0\0\0\0\0", 16), 0);
	m = of(&b, b.len);
	assert_int_equal(get_m_box_fetched(&m, &none), -1);
	buf_free(&b);
}

static int
notice_refused(const struct notice *n)
{
	struct buf b = { 0 };
	struct notice out;
	struct msg m;
	int rc;

	put_notice(&b, n);
	m = of(&b, b.len);
	rc = get_notice(&m, &out);
	buf_free(&b);
	return rc == -1;
}

/* Nothing said against it, but no signature that holds: nobody's word. */
static void
test_unsigned_verdict(void **state)
{
	struct m_verdict v = verdict(), out;
	struct buf b = { 0 };
	struct msg m = { 0 };
	int i;

	(void)state;
	v.reasons.n = 0;
	for (i = 0; i < 3; i++) {
		v.signature_valid = i != 1;
		if (i == 2)
			v.cert_sha256[0] = '\0';
		buf_reset(&b);
		put_m_verdict(&b, &v);
		m.payload = (const uint8_t *)b.data;
		m.len = b.len;
		assert_int_equal(get_m_verdict(&m, &out), i == 0 ? 0 : -1);
	}
	buf_free(&b);
}

/* Fields that would go into XML, logs and file names. */
static void
test_fields(void **state)
{
	struct notice n = notice(), bad;

	(void)state;
	assert_false(notice_refused(&n));
#define REFUSED(field, text) do { \
	bad = n; \
	snprintf(bad.field, sizeof(bad.field), "%s", text); \
	assert_true(notice_refused(&bad)); \
} while (0)
	REFUSED(id, "");
	REFUSED(id, "018F4B2E-7A10-7C3D-8E21-0123456789AB");
	REFUSED(recipient, "../x");
	REFUSED(file_name, "a/b");
	REFUSED(file_name, "..");
	REFUSED(submission_name, "a\nb");
	REFUSED(submission_sha256, "");
	REFUSED(uploader, "PLA");
	REFUSED(message_id, "a b");
	REFUSED(message_type, "\xff");
	REFUSED(signer_serial, "\x1b[2J");
#undef REFUSED
	bad = n;
	bad.submission_size = -1;
	assert_true(notice_refused(&bad));
	/* names out of certificates are made harmless, not refused: the sender
	 * must get its answer */
	bad = n;
	snprintf(bad.signer_subject, sizeof(bad.signer_subject), "CN=a\nb\xff");
	assert_false(notice_refused(&bad));
}

/* A NUL inside a string would hide what follows it. */
static void
test_nul(void **state)
{
	static const uint8_t raw[] = { 3, 0, 'a', 0, 'b' };
	struct msg m = { .payload = raw, .len = sizeof(raw) };
	struct m_box_name name;

	(void)state;
	assert_int_equal(get_m_box_name(&m, &name), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_box),
		cmocka_unit_test(test_submission),
		cmocka_unit_test(test_notice),
		cmocka_unit_test(test_fetched),
		cmocka_unit_test(test_unsigned_verdict), cmocka_unit_test(test_fields),
		cmocka_unit_test(test_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
