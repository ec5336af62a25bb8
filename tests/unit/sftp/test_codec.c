/* SPDX-License-Identifier: ISC */
/* SFTP packets: every request whole, cut at every byte, and with bytes left
 * over; every answer byte by byte. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sftp/codec.h"

#define BYTES(s) (const uint8_t *)(s), sizeof(s) - 1

/* draft-ietf-secsh-filexfer-02, sections 4 to 6: type, id 7, then fields. */
static const struct {
	const char	*what;
	const uint8_t	*p;
	size_t		 n;
} requests[] = {
	{ "open", BYTES("\003\0\0\0\007\0\0\0\002/a\0\0\0\032\0\0\0\004\0\0\001\244") },
	{ "close", BYTES("\004\0\0\0\007\0\0\0\004\0\0\0\001") },
	{ "read", BYTES("\005\0\0\0\007\0\0\0\004\0\0\0\001\0\0\0\001\0\0\0\002\0\0\200\0") },
	{ "lstat", BYTES("\007\0\0\0\007\0\0\0\002/a") },
	{ "fstat", BYTES("\010\0\0\0\007\0\0\0\004\0\0\0\001") },
	{ "setstat", BYTES("\011\0\0\0\007\0\0\0\002/a\0\0\0\017" "\0\0\0\0\0\0\0\005"
	    "\0\0\0\001\0\0\0\002" "\0\0\001\244" "\0\0\0\003\0\0\0\004") },
	{ "fsetstat", BYTES("\012\0\0\0\007\0\0\0\004\0\0\0\001\200\0\0\0\0\0\0\001"
	    "\0\0\0\001a\0\0\0\001b") },
	{ "opendir", BYTES("\013\0\0\0\007\0\0\0\001/") },
	{ "readdir", BYTES("\014\0\0\0\007\0\0\0\004\0\0\0\001") },
	{ "remove", BYTES("\015\0\0\0\007\0\0\0\002/a") },
	{ "mkdir", BYTES("\016\0\0\0\007\0\0\0\002/a\0\0\0\0") },
	{ "rmdir", BYTES("\017\0\0\0\007\0\0\0\002/a") },
	{ "realpath", BYTES("\020\0\0\0\007\0\0\0\001.") },
	{ "stat", BYTES("\021\0\0\0\007\0\0\0\002/a") },
	{ "rename", BYTES("\022\0\0\0\007\0\0\0\002/a\0\0\0\002/b") },
	{ "readlink", BYTES("\023\0\0\0\007\0\0\0\002/a") },
	{ "symlink", BYTES("\024\0\0\0\007\0\0\0\002/a\0\0\0\002/b") },
	{ "posix-rename", BYTES("\310\0\0\0\007\0\0\0\030posix-rename@openssh.com"
	    "\0\0\0\002/a\0\0\0\002/b") },
	{ "statvfs", BYTES("\310\0\0\0\007\0\0\0\023statvfs@openssh.com\0\0\0\002/a") },
	{ "fstatvfs", BYTES("\310\0\0\0\007\0\0\0\024fstatvfs@openssh.com\0\0\0\004\0\0\0\001") },
	{ "fsync", BYTES("\310\0\0\0\007\0\0\0\021fsync@openssh.com\0\0\0\004\0\0\0\001") },
	{ "limits", BYTES("\310\0\0\0\007\0\0\0\022limits@openssh.com") },
	{ "hardlink", BYTES("\310\0\0\0\007\0\0\0\024hardlink@openssh.com"
	    "\0\0\0\002/a\0\0\0\002/b") },
};
static const uint8_t write_request[] = "\006\0\0\0\007\0\0\0\004\0\0\0\001"
    "\0\0\0\0\0\0\0\011" "\0\0\0\003abc";
#define WRITE_LEN (sizeof(write_request) - 1)

static void
whole_cut_and_longer(void **state)
{
	struct sftp_request r;
	uint8_t more[256];
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		assert_int_equal(sftp_parse(requests[i].p, requests[i].n, &r), 0);
		assert_int_equal(r.type, requests[i].p[0]);
		assert_int_equal(r.id, 7);
		for (n = 0; n < requests[i].n; n++) {
			/* Cut within its name an extension is another's. */
			if (requests[i].p[0] == FXP_EXTENDED && n >= 9)
				continue;
			assert_int_equal(sftp_parse(requests[i].p, n, &r), -1);
		}
		memcpy(more, requests[i].p, requests[i].n);
		more[requests[i].n] = 0;
		assert_int_equal(sftp_parse(more, requests[i].n + 1, &r), -1);
	}
}

static void
fields(void **state)
{
	struct sftp_request r;

	(void)state;
	assert_int_equal(sftp_parse(requests[0].p, requests[0].n, &r), 0);
	assert_int_equal(r.path.len, 2);
	assert_memory_equal(r.path.p, "/a", 2);
	assert_int_equal(r.pflags, FXF_WRITE | FXF_CREAT | FXF_TRUNC);
	assert_int_equal(r.attrs.flags, ATTR_PERM);
	assert_int_equal(r.attrs.perm, 0644);
	assert_int_equal(sftp_parse(requests[2].p, requests[2].n, &r), 0);
	assert_int_equal(sftp_handle_number(&r.handle), 1);
	assert_int_equal(r.offset, (UINT64_C(1) << 32) + 2);
	assert_int_equal(r.len, 32768);
	assert_int_equal(sftp_parse(requests[5].p, requests[5].n, &r), 0);
	assert_int_equal(r.attrs.size, 5);
	assert_int_equal(r.attrs.uid, 1);
	assert_int_equal(r.attrs.gid, 2);
	assert_int_equal(r.attrs.atime, 3);
	assert_int_equal(r.attrs.mtime, 4);
}

static void
writes(void **state)
{
	struct sftp_request r;
	uint8_t framed[64] = { 0 };
	size_t n, head = 4 + WRITE_LEN - 3;

	(void)state;
	assert_int_equal(sftp_parse(write_request, WRITE_LEN, &r), 0);
	assert_int_equal(r.offset, 9);
	assert_int_equal(r.len, 3);
	assert_memory_equal(r.data.p, "abc", 3);
	for (n = 0; n < WRITE_LEN; n++)
		assert_int_equal(sftp_parse(write_request, n, &r), -1);
	memcpy(framed + 4, write_request, WRITE_LEN);
	framed[3] = WRITE_LEN;
	for (n = 5; n < head; n++)
		assert_int_equal(sftp_parse_write_head(framed, n, 4 + WRITE_LEN, &r), 0);
	assert_int_equal(sftp_parse_write_head(framed, head, 4 + WRITE_LEN, &r), head);
	assert_int_equal(r.id, 7);
	assert_int_equal(r.offset, 9);
	assert_int_equal(r.len, 3);
	/* Padding behind the data, as rclone sends it; but never too little. */
	assert_int_equal(sftp_parse(framed + 4, WRITE_LEN + 5, &r), 0);
	assert_int_equal(r.len, 3);
	assert_int_equal(sftp_parse_write_head(framed, head, 4 + WRITE_LEN + 5, &r), head);
	assert_int_equal(sftp_parse_write_head(framed, head, 4 + WRITE_LEN - 1, &r), -1);
	assert_int_equal(sftp_parse_write_head(framed, head, head - 1, &r), -1);
	framed[4 + 1 + 4 + 3] = 5;	/* a handle that is none of ours */
	assert_int_equal(sftp_parse_write_head(framed, head, 4 + WRITE_LEN, &r), -1);
}

static void
frames(void **state)
{
	size_t total;

	(void)state;
	assert_int_equal(sftp_frame((const uint8_t *)"\0\0\0", 3, &total), 0);
	assert_int_equal(total, 0);
	assert_int_equal(sftp_frame((const uint8_t *)"\0\0\0\005", 4, &total), 0);
	assert_int_equal(total, 9);
	assert_int_equal(sftp_frame((const uint8_t *)"\0\0\0\0", 4, &total), -1);
	assert_int_equal(sftp_frame((const uint8_t *)"\377\377\377\377", 4, &total), -1);
	/* SFTP_MAX_PACKET is 0x40400. */
	assert_int_equal(sftp_frame((const uint8_t *)"\0\004\003\374", 4, &total), 0);
	assert_int_equal(sftp_frame((const uint8_t *)"\0\004\003\375", 4, &total), -1);
}

static void
hostile(void **state)
{
	struct sftp_request r;

	(void)state;
	/* A million attribute pairs that are not there. */
	assert_int_equal(sftp_parse(BYTES("\012\0\0\0\007\0\0\0\004\0\0\0\001"
	    "\200\0\0\0\377\377\377\377"), &r), -1);
	/* Attribute flags of later versions. */
	assert_int_equal(sftp_parse(BYTES("\016\0\0\0\007\0\0\0\002/a\0\0\0\020"), &r), -1);
	assert_int_equal(sftp_parse(BYTES("\021\0\0\0\007\377\377\377\377/a"), &r), -1);
	/* Unknown ones can be answered. */
	assert_int_equal(sftp_parse(BYTES("\115\0\0\0\007xyz"), &r), 0);
	assert_int_equal(r.id, 7);
	assert_int_equal(sftp_parse(BYTES("\310\0\0\0\007\0\0\0\001x12345"), &r), 0);
	assert_int_equal(r.extended, EXT_UNKNOWN);
	assert_int_equal(sftp_parse(BYTES("\001\0\0\0\003"), &r), 0);
	assert_int_equal(sftp_parse(BYTES("\001\0\0\0\003\0\0\0\001a\0\0\0\001b"), &r), 0);
	assert_int_equal(sftp_parse(BYTES("\001\0\0\0\003\0\0\0\001a"), &r), -1);
}

static void
answers(void **state)
{
	static struct sftp_out o;
	struct sftp_attrs a = { .flags = ATTR_SIZE | ATTR_PERM, .size = 258, .perm = 0100444 };
	size_t mark;

	(void)state;
	sftp_put_status(&o, 7, FX_EOF, "eof");
	assert_int_equal(o.len, 26);
	assert_memory_equal(o.data, "\0\0\0\026\145\0\0\0\007\0\0\0\001\0\0\0\003eof\0\0\0\002en", 26);
	sftp_out_sent(&o, 10);
	assert_int_equal(o.len, 16);
	sftp_out_sent(&o, 16);
	sftp_put_handle(&o, 7, 5);
	assert_memory_equal(o.data, "\0\0\0\015\146\0\0\0\007\0\0\0\004\0\0\0\005", 17);
	sftp_out_sent(&o, o.len);
	sftp_put_data_head(&o, 7, 3);
	assert_int_equal(o.len, 13);
	assert_memory_equal(o.data, "\0\0\0\014\147\0\0\0\007\0\0\0\003", 13);
	sftp_out_sent(&o, o.len);
	sftp_put_attrs(&o, 7, &a);
	assert_int_equal(o.len, 25);
	assert_memory_equal(o.data, "\0\0\0\025\151\0\0\0\007\0\0\0\005\0\0\0\0\0\0\001\002\0\0\201\044", 25);
	sftp_out_sent(&o, o.len);
	a.flags = 0;
	mark = sftp_name_begin(&o, 7);
	assert_int_equal(sftp_name_add(&o, mark, "a", "bc", &a), 0);
	sftp_name_end(&o, mark, 1);
	assert_memory_equal(o.data, "\0\0\0\030\150\0\0\0\007\0\0\0\001\0\0\0\001a\0\0\0\002bc\0\0\0\0", 28);
}

/* A NAME answer ends before its limit, and then the output is full. */
static void
room(void **state)
{
	static struct sftp_out o;
	struct sftp_attrs a = { .flags = ATTR_SIZE | ATTR_UIDGID | ATTR_PERM | ATTR_TIME };
	char name[201], longname[300];
	uint32_t n = 0;
	size_t mark, left;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[200] = '\0';
	memset(longname, 'l', sizeof(longname) - 1);
	longname[299] = '\0';
	while (!sftp_out_full(&o)) {
		mark = sftp_name_begin(&o, 1);
		while (sftp_name_add(&o, mark, name, longname, &a) == 0)
			n++;
		sftp_name_end(&o, mark, n);
		assert_true(o.len - mark <= SFTP_MAX_ANSWER);
		assert_true(n > 100);
	}
	assert_true(o.len <= SFTP_OUT_SIZE);
	(void)sftp_out_space(&o, &left);
	assert_int_equal(left, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_cut_and_longer),
		cmocka_unit_test(fields),
		cmocka_unit_test(writes),
		cmocka_unit_test(frames),
		cmocka_unit_test(hostile),
		cmocka_unit_test(answers),
		cmocka_unit_test(room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
