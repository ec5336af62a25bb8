/* SPDX-License-Identifier: ISC */
/* Paths: what a client may write, and what it then means. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sftp/path.h"

static void
expect(const char *in, const char *text, enum vpath_kind kind, const char *day,
    const char *name)
{
	struct vpath v;

	assert_int_equal(vpath_parse((const uint8_t *)in, strlen(in), &v), 0);
	assert_string_equal(v.text, text);
	assert_int_equal(v.kind, kind);
	assert_string_equal(v.day, day);
	assert_string_equal(v.name, name);
}

static void
normalises(void **state)
{
	(void)state;
	expect("", "/", VP_ROOT, "", "");
	expect(".", "/", VP_ROOT, "", "");
	expect("/..", "/", VP_ROOT, "", "");
	expect("../../..", "/", VP_ROOT, "", "");
	expect("inbox", "/inbox", VP_INBOX, "", "");
	expect("//inbox//", "/inbox", VP_INBOX, "", "");
	expect("/./inbox/./../outbox/", "/outbox", VP_OUTBOX, "", "");
	expect("archive/2026-11-01/../2026-11-02", "/archive/2026-11-02", VP_DAY,
	    "2026-11-02", "");
	expect("/inbox/../inbox/a.xml", "/inbox/a.xml", VP_INBOX_FILE, "", "a.xml");
}

static void
classifies(void **state)
{
	(void)state;
	expect("/outbox/n.xml", "/outbox/n.xml", VP_OUTBOX_FILE, "", "n.xml");
	expect("/archive", "/archive", VP_ARCHIVE, "", "");
	expect("/archive/2026-02-28/n.xml", "/archive/2026-02-28/n.xml", VP_ARCHIVE_FILE,
	    "2026-02-28", "n.xml");
	expect("/sent", "/sent", VP_NONE, "", "");
	expect("/inboxes", "/inboxes", VP_NONE, "", "");
	expect("/inbox/a/b", "/inbox/a/b", VP_NONE, "", "");
	expect("/inbox/.a", "/inbox/.a", VP_NONE, "", "");
	expect("/inbox/...", "/inbox/...", VP_NONE, "", "");
	expect("/etc/passwd", "/etc/passwd", VP_NONE, "", "");
	expect("/archive/2026-02-30", "/archive/2026-02-30", VP_NONE, "", "");
	expect("/archive/2026-02-281", "/archive/2026-02-281", VP_NONE, "2026-02-28", "");
	expect("/inbox/a/", "/inbox/a", VP_NONE, "", "");
	expect("/inbox/a/.", "/inbox/a", VP_NONE, "", "");
	expect("/inbox/a/b/..", "/inbox/a", VP_NONE, "", "");
	expect("/inbox/a..", "/inbox/a..", VP_INBOX_FILE, "", "a..");
	expect("/outbox/a//", "/outbox/a", VP_NONE, "", "");
	expect("/archive/2026-02-28/a/", "/archive/2026-02-28/a", VP_NONE, "2026-02-28", "");
	expect("/archive/2026-02-28/", "/archive/2026-02-28", VP_DAY, "2026-02-28", "");
	expect("/archive/x", "/archive/x", VP_NONE, "", "");
	expect("/archive/2026-02-28/a/b", "/archive/2026-02-28/a/b", VP_NONE, "2026-02-28", "");
}

static void
expect_member(const char *in, enum vpath_kind kind, const char *member, const char *day, const char *name)
{
	struct vpath v;

	assert_int_equal(vpath_parse((const uint8_t *)in, strlen(in), &v), 0);
	assert_int_equal(v.kind, kind);
	assert_int_equal(vpath_is_others(&v), kind != VP_NONE);
	if (kind != VP_NONE)
		assert_string_equal(v.member, member);
	assert_string_equal(v.day, day);
	assert_string_equal(v.name, name);
}

static void
others_archives(void **state)
{
	(void)state;
	expect_member("/archive/PLB", VP_MEMBER, "PLB", "", "");
	expect_member("archive/PLB/", VP_MEMBER, "PLB", "", "");
	expect_member("/archive/PLB/2026-02-28", VP_DAY, "PLB", "2026-02-28", "");
	expect_member("/archive/ABCDEFGHIJKL/2026-02-28/n.xml", VP_ARCHIVE_FILE, "ABCDEFGHIJKL",
	    "2026-02-28", "n.xml");
	expect_member("/archive/PLA/../PLB/2026-02-28", VP_DAY, "PLB", "2026-02-28", "");
	expect_member("/archive/plb", VP_NONE, "", "", "");
	expect_member("/archive/PL", VP_NONE, "", "", "");
	expect_member("/archive/OWN", VP_NONE, "", "", "");
	expect_member("/archive/ABCDEFGHIJKLM", VP_NONE, "", "", "");
	expect_member("/archive/PLB/x", VP_NONE, "", "", "");
	expect_member("/archive/PLB/PLB", VP_NONE, "", "", "");
	expect_member("/archive/PLB/outbox/n.xml", VP_NONE, "", "", "");
	expect_member("/archive/PLB%00/2026-02-28", VP_NONE, "", "", "");
	expect_member("/archive/PLB/2026-02-30", VP_NONE, "", "", "");
	expect_member("/archive/PLB/2026-02-28/n.xml/", VP_NONE, "", "2026-02-28", "");
}

static void
trail(void **state)
{
	static const char *const none[] = { "/trail/x", "/trail/key/", "/trail/key/.", "/trail/checkpoint/..x",
	    "/trail/tile/0/x001/x002/067.p/256", "/trail/checkpoints/2026-11-26/1.tmp", "/trails", "/Trail",
	    "/trail/\xc3\xb6", "/trail/%2e%2e/key", "/trail/tile\\0", "/trail/openings/000", "/trail/tile/0/x000" };
	char longest[SFTP_PATH_SIZE];
	struct vpath v;
	size_t i;

	(void)state;
	expect("/trail", "/trail", VP_TRAIL, "", "");
	expect("trail//", "/trail", VP_TRAIL, "", "");
	expect("/trail/tile/0/x001/..", "/trail/tile/0", VP_TRAIL, "", "tile/0");
	expect("/trail/checkpoint", "/trail/checkpoint", VP_TRAIL_FILE, "", "checkpoint");
	expect("/trail/tile/entries/x001/x234/067.p/17", "/trail/tile/entries/x001/x234/067.p/17",
	    VP_TRAIL_FILE, "", "tile/entries/x001/x234/067.p/17");
	expect("/trail/tile/entries/x001/x234/067.p/", "/trail/tile/entries/x001/x234/067.p",
	    VP_TRAIL, "", "tile/entries/x001/x234/067.p");
	expect("/trail/checkpoints/2026-11-26/1234.tsr", "/trail/checkpoints/2026-11-26/1234.tsr",
	    VP_TRAIL_FILE, "", "checkpoints/2026-11-26/1234.tsr");
	expect("/trail/../inbox/key", "/inbox/key", VP_INBOX_FILE, "", "key");
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		assert_int_equal(vpath_parse((const uint8_t *)none[i], strlen(none[i]), &v), 0);
		if (v.kind != VP_NONE || v.name[0] != '\0')
			fail_msg("%s is %d", none[i], v.kind);
	}
	memset(longest, '1', sizeof(longest));
	memcpy(longest, "/trail/checkpoints/2026-11-26/", 30);
	assert_int_equal(vpath_parse((const uint8_t *)longest, sizeof(longest) - 1, &v), 0);
	assert_int_equal(v.kind, VP_NONE);
	assert_int_equal(vpath_parse((const uint8_t *)"/trail/key\0", 11, &v), -1);
}

static void
refuses(void **state)
{
	char longest[SFTP_PATH_SIZE + 8], name[FILE_NAME_SIZE + 8];
	struct vpath v;

	(void)state;
	assert_int_equal(vpath_parse((const uint8_t *)"/inbox/a\0b", 10, &v), -1);
	memset(longest, 'a', sizeof(longest));
	assert_int_equal(vpath_parse((const uint8_t *)longest, SFTP_PATH_SIZE - 1, &v), -1);
	/* With the slash before it that is one byte less than the NUL leaves. */
	assert_int_equal(vpath_parse((const uint8_t *)longest, SFTP_PATH_SIZE - 2, &v), 0);
	assert_int_equal(v.kind, VP_NONE);
	/* A name of 200 bytes may be, of 201 not. */
	memset(name, 'n', sizeof(name));
	memcpy(name, "/inbox/", 7);
	assert_int_equal(vpath_parse((const uint8_t *)name, 7 + 200, &v), 0);
	assert_int_equal(v.kind, VP_INBOX_FILE);
	assert_int_equal(vpath_parse((const uint8_t *)name, 7 + 201, &v), 0);
	assert_int_equal(v.kind, VP_NONE);
	assert_int_equal(v.in_inbox, 1);
	assert_int_equal(vpath_parse((const uint8_t *)"/inbox/\xc3\x28", 9, &v), 0);
	assert_int_equal(v.kind, VP_NONE);
	assert_int_equal(vpath_parse(NULL, 0, &v), 0);
	assert_int_equal(v.kind, VP_ROOT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normalises),
		cmocka_unit_test(classifies),
		cmocka_unit_test(others_archives),
		cmocka_unit_test(trail),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
