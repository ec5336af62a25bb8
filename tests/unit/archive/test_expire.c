/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "archive/expire.h"
#include "base/fdio.h"

/* SHA-256 of "abc" (FIPS 180-2, appendix B.1). */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static char	dir[] = "/tmp/muhur-expire.XXXXXX";
static int	boxes = -1, outbox = -1, archive = -1;

static const struct m_notice_publish notice = {
	.id = "018f0000-0000-7000-8000-000000000001", .recipient = "PLA",
	.file_name = "x.accepted.xml", .sha256 = ABC, .day = "2026-11-21",
};

static int
setup(void **state)
{
	int box;

	(void)state;
	/* not as root, for whom no mode is an obstacle */
	if (getuid() == 0 && seteuid(65534) == -1)
		return -1;
	(void)memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
	if (mkdtemp(dir) == NULL || (boxes = open(dir, O_RDONLY | O_DIRECTORY)) == -1)
		return -1;
	box = open_dir(boxes, "PLA");
	outbox = open_dir(box, "outbox");
	archive = open_dir(box, "archive");
	(void)close(box);
	return archive == -1 ||
	    file_write_durable(outbox, notice.file_name, "abc", 3, 0440) == -1 ? -1 : 0;
}

static int
teardown(void **state)
{
	char cmd[64];

	(void)state;
	(void)close(boxes);
	(void)close(outbox);
	(void)close(archive);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return seteuid(getuid()) == -1 ? -1 : system(cmd);
}

static int
there(int at, const char *name)
{
	struct stat st;

	return fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

#define IN_ARCHIVE	"2026-11-21/x.accepted.xml"

static void
test_moves(void **state)
{
	(void)state;
	assert_int_equal(expire_notice(boxes, &notice), 0);
	assert_false(there(outbox, notice.file_name));
	assert_true(there(archive, IN_ARCHIVE));
	/* again, as after a crash before the answer */
	assert_int_equal(expire_notice(boxes, &notice), 0);
	assert_true(there(archive, IN_ARCHIVE));
}

static void
test_published_again(void **state)
{
	(void)state;
	assert_int_equal(expire_notice(boxes, &notice), 0);
	/* the same file back in the outbox: rename(2) would leave both names */
	assert_int_equal(linkat(archive, IN_ARCHIVE, outbox, notice.file_name, 0), 0);
	assert_int_equal(expire_notice(boxes, &notice), 0);
	assert_false(there(outbox, notice.file_name));
	assert_true(there(archive, IN_ARCHIVE));
	/* and a copy */
	assert_int_equal(file_write_durable(outbox, notice.file_name, "abc", 3, 0440), 0);
	assert_int_equal(expire_notice(boxes, &notice), 0);
	assert_false(there(outbox, notice.file_name));
}

static void
test_wrong_bytes(void **state)
{
	(void)state;
	assert_int_equal(file_write_durable(outbox, notice.file_name, "abd", 3, 0440), 0);
	assert_int_equal(expire_notice(boxes, &notice), -1);
	assert_true(there(outbox, notice.file_name));
	assert_false(there(archive, IN_ARCHIVE));
}

static void
test_wrong_in_archive(void **state)
{
	int day = open_dir(archive, notice.day);

	(void)state;
	assert_int_equal(unlinkat(outbox, notice.file_name, 0), 0);
	assert_int_equal(expire_notice(boxes, &notice), -1);	/* gone */
	assert_int_equal(file_write_durable(day, notice.file_name, "abd", 3, 0440), 0);
	assert_int_equal(expire_notice(boxes, &notice), -1);
	(void)close(day);
}

static void
test_not_a_file(void **state)
{
	(void)state;
	assert_int_equal(unlinkat(outbox, notice.file_name, 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", outbox, notice.file_name), 0);
	assert_int_equal(expire_notice(boxes, &notice), -1);
	assert_int_equal(unlinkat(outbox, notice.file_name, 0), 0);
	assert_int_equal(mkfifoat(outbox, notice.file_name, 0600), 0);
	assert_int_equal(expire_notice(boxes, &notice), -1);
	assert_true(there(outbox, notice.file_name));
}

static void
test_names(void **state)
{
	struct m_notice_publish n = notice;

	(void)state;
	(void)snprintf(n.file_name, sizeof(n.file_name), "../outbox/x.accepted.xml");
	assert_int_equal(expire_notice(boxes, &n), -1);
	n = notice;
	(void)snprintf(n.day, sizeof(n.day), "..");
	assert_int_equal(expire_notice(boxes, &n), -1);
	n = notice;
	(void)snprintf(n.recipient, sizeof(n.recipient), "PLB");	/* has no box */
	assert_int_equal(expire_notice(boxes, &n), -1);
	n = notice;
	(void)snprintf(n.recipient, sizeof(n.recipient), "..");
	assert_int_equal(expire_notice(boxes, &n), -1);
	assert_true(there(outbox, notice.file_name));
}

static void
test_big_file(void **state)
{
	static char million[1000000];
	struct m_notice_publish n = notice;

	(void)state;
	/* SHA-256 of a million times "a" (FIPS 180-2, appendix B.3) */
	(void)snprintf(n.sha256, sizeof(n.sha256), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	memset(million, 'a', sizeof(million));
	million[999999] = 'b';
	assert_int_equal(file_write_durable(outbox, n.file_name, million, sizeof(million), 0440), 0);
	assert_int_equal(expire_notice(boxes, &n), -1);
	assert_true(there(outbox, n.file_name));
	million[999999] = 'a';
	assert_int_equal(file_write_durable(outbox, n.file_name, million, sizeof(million), 0440), 0);
	assert_int_equal(expire_notice(boxes, &n), 0);
	assert_false(there(outbox, n.file_name));
	assert_true(there(archive, IN_ARCHIVE));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		T(test_moves), T(test_published_again), T(test_wrong_bytes),
		T(test_wrong_in_archive), T(test_not_a_file), T(test_names), T(test_big_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
