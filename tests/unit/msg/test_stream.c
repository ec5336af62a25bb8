/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fdio.h"
#include "msg/stream.h"

/* A file stands for the pipe: the reader takes whatever gives bytes in order. */
static int
memory(void)
{
	int fd = memfd_create("stream", MFD_CLOEXEC);

	assert_int_not_equal(fd, -1);
	return fd;
}

static void
rewind_fd(int fd)
{
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
}

static void
write_sample(int fd)
{
	struct control_total totals[2] = { { "4H95J0R2X", { 5 } }, { "X9J9K872S", { -7 } } };
	struct header h = { .type = MT_CUSTODY_REPORT, .message_id = "m", .sender = "CUA",
	    .user = "CUA001", .business_date = 20777, .created_at = 99, .sequence = 3,
	    .replaces = "old", .record_count = 2, .totals = totals, .ntotals = 2 };

	assert_int_equal(stream_write_header(fd, &h), 0);
	assert_int_equal(stream_write_records(fd, REC_DIRECT, "1\t2\ta\n", 6), 0);
	assert_int_equal(stream_write_mark(fd, STREAM_RESTART), 0);
	assert_int_equal(stream_write_records(fd, REC_OMNIBUS, "1\t2\n2\t3\n", 8), 0);
	assert_int_equal(stream_write_mark(fd, STREAM_END), 0);
}

static void
test_order(void **state)
{
	struct buf b = { 0 };
	struct stream_frame f;
	struct header h = { 0 };
	int fd = memory();

	(void)state;
	write_sample(fd);
	rewind_fd(fd);
	assert_int_equal(stream_read(fd, &b, &f), 1);
	assert_int_equal(stream_get_header(&f, &h), 0);
	assert_int_equal(h.type, MT_CUSTODY_REPORT);
	assert_string_equal(h.user, "CUA001");
	assert_string_equal(h.replaces, "old");
	assert_int_equal(h.business_date, 20777);
	assert_int_equal(h.ntotals, 2);
	assert_string_equal(h.totals[1].asset, "X9J9K872S");
	assert_true(h.totals[1].quantity.scaled == -7);
	header_reset(&h);
	assert_int_equal(stream_read(fd, &b, &f), 1);
	assert_int_equal(f.type, STREAM_RECORDS);
	assert_int_equal(f.kind, REC_DIRECT);
	assert_int_equal(f.len, 6);
	assert_memory_equal(f.data, "1\t2\ta\n", 6);
	assert_int_equal(stream_read(fd, &b, &f), 1);
	assert_int_equal(f.type, STREAM_RESTART);
	assert_int_equal(stream_get_header(&f, &h), -1);
	assert_int_equal(stream_read(fd, &b, &f), 1);
	assert_int_equal(f.kind, REC_OMNIBUS);
	assert_int_equal(stream_read(fd, &b, &f), 1);
	assert_int_equal(f.type, STREAM_END);
	assert_int_equal(stream_read(fd, &b, &f), 0);
	buf_free(&b);
	close(fd);
}

/* What a verify that died leaves: never an end, never a half frame. */
static void
test_truncated(void **state)
{
	struct buf b = { 0 };
	struct stream_frame f;
	char *all;
	size_t len, n;
	int fd = memory(), cut, rc, ended;

	(void)state;
	write_sample(fd);
	assert_int_equal(fd_read_all(fd, 1 << 20, &all, &len), 0);
	for (n = 0; n < len; n++) {
		cut = memory();
		assert_int_equal(write_full(cut, all, n), 0);
		rewind_fd(cut);
		ended = 0;
		while ((rc = stream_read(cut, &b, &f)) == 1)
			ended |= f.type == STREAM_END;
		assert_false(ended);
		if (rc == -1)
			assert_int_equal(errno, EPROTO);
		close(cut);
	}
	free(all);
	buf_free(&b);
	close(fd);
}

/* A frame is put together from whatever pieces come, without waiting. */
static void
test_pieces(void **state)
{
	static const enum stream_type order[] = { STREAM_HEADER, STREAM_RECORDS, STREAM_RESTART,
	    STREAM_RECORDS, STREAM_END };
	struct stream_reader r = { 0 };
	struct stream_frame f;
	size_t len, n, seen = 0;
	int fd = memory(), p[2], rc;
	char *all;

	(void)state;
	write_sample(fd);
	assert_int_equal(fd_read_all(fd, 1 << 20, &all, &len), 0);
	assert_int_equal(pipe(p), 0);
	for (n = 0; n < len; n++) {
		assert_int_equal(write_full(p[1], all + n, 1), 0);
		rc = stream_step(p[0], &r, &f);
		assert_true(rc == 1 || rc == 2);
		if (rc == 1)
			assert_int_equal(f.type, order[seen++]);
	}
	assert_int_equal(seen, sizeof(order) / sizeof(order[0]));
	close(p[1]);
	assert_int_equal(stream_step(p[0], &r, &f), 0);
	close(p[0]);
	free(all);
	buf_free(&r.b);
	close(fd);
}

/* More lines than a frame holds are cut between lines. */
static void
test_split(void **state)
{
	const size_t line = 1000, count = 1000;
	char *lines = malloc(line * count), *back = malloc(line * count);
	struct buf b = { 0 };
	struct stream_frame f;
	size_t got = 0, frames = 0, i;
	int fd = memory();

	(void)state;
	assert_true(lines != NULL && back != NULL);
	memset(lines, 'x', line * count);
	for (i = 0; i < count; i++)
		lines[(i + 1) * line - 1] = '\n';
	assert_int_equal(stream_write_records(fd, REC_BALANCE, lines, line * count), 0);
	rewind_fd(fd);
	while (stream_read(fd, &b, &f) == 1) {
		assert_int_equal(f.len % line, 0);
		assert_true(got + f.len <= line * count);
		memcpy(back + got, f.data, f.len);
		got += f.len;
		frames++;
	}
	assert_int_equal(got, line * count);
	assert_true(frames > 1);
	assert_memory_equal(lines, back, got);
	memset(lines, 'x', line * count);
	assert_int_equal(stream_write_records(fd, REC_BALANCE, lines, line * count), -1);
	assert_int_equal(errno, EMSGSIZE);
	free(lines);
	free(back);
	buf_free(&b);
	close(fd);
}

static void
assert_malformed(const void *p, size_t n)
{
	struct buf b = { 0 };
	struct stream_frame f;
	int fd = memory();

	assert_int_equal(write_full(fd, p, n), 0);
	rewind_fd(fd);
	assert_int_equal(stream_read(fd, &b, &f), -1);
	assert_int_equal(errno, EPROTO);
	buf_free(&b);
	close(fd);
}

static void
test_malformed(void **state)
{
	(void)state;
	assert_malformed("Q\0\0\0\0", 5);			/* no such type */
	assert_malformed("E\1\0\0\0x", 6);			/* an end with payload */
	assert_malformed("R\0\0\0\0", 5);			/* no kind */
	assert_malformed("R\3\0\0\0\x7f""a\n", 8);		/* no such kind */
	assert_malformed("R\2\0\0\0\0a", 7);			/* no whole line */
	assert_malformed("R\4\0\0\0\0a\0\n", 9);		/* a NUL */
	assert_malformed("R\1\0\4\0", 5);			/* too long */
	assert_malformed("R\xff\xff\xff\xff", 5);
}

static void
test_reader_gone(void **state)
{
	int fds[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	assert_int_equal(stream_write_mark(fds[1], STREAM_END), -1);
	assert_int_equal(errno, EPIPE);
	close(fds[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_reader_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
