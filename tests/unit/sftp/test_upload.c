/* SPDX-License-Identifier: ISC */
/* What a session asks of muhurd when the disk fails under an upload, and how far
 * an upload may grow. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those that cmocka.h needs */
#include <cmocka.h>

#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "sftp/ops.h"

static int failing;

/* In libc's place: fails once, as the kernel does, when told to. */
int
fsync(int fd)
{
	if (failing) {
		failing = 0;
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

struct world {
	struct conf	 conf;
	struct msg_chan	 chan, muhurd;
	struct sftp	 s;
	struct handle	*h;
	uint64_t	 ino;
};

static int
setup(void **state)
{
	static const struct m_login_result who = { .user = "PLA001", .member = "PLA", .may = { .may_send = 1 } };
	static const int none[DIR_COUNT] = { -1, -1, -1, -1 };
	struct world *w = xcalloc(1, sizeof(*w));
	char name[] = "upload-test.XXXXXX";
	struct vpath v;
	struct stat st;
	int pair[2];

	if (msg_pair(pair) == -1 || vpath_parse((const uint8_t *)"/inbox/a.xml", 12, &v) == -1)
		return -1;
	msg_init(&w->chan, pair[0], ROLE_SESSION, ROLE_MUHURD);
	msg_init(&w->muhurd, pair[1], ROLE_MUHURD, ROLE_SESSION);
	sftp_init(&w->s, &w->conf, &w->chan, &who, none);
	w->h = handle_new(&w->s.handles, H_UPLOAD, &v);
	if ((w->h->fd = mkstemp(name)) == -1 || write(w->h->fd, "abc", 3) != 3 ||
	    fstat(w->h->fd, &st) == -1)
		return -1;
	/* stays linked: a nameless one is told apart */
	if (extents_add(w->h->extents, 0, 3) == -1)
		return -1;
	w->h->end = 3;
	w->h->written = 1;
	w->ino = st.st_ino;
	(void)unlink("upload-test.file");
	if (rename(name, "upload-test.file") == -1)
		return -1;
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	sftp_end(&w->s);
	msg_close(&w->chan);
	msg_close(&w->muhurd);
	(void)unlink("upload-test.file");
	free(w);
	return 0;
}

/* muhurd is asked to remove this very file, whatever was written on it. */
static void
assert_removal(struct world *w)
{
	struct m_box_name n;
	struct msg m;

	assert_int_equal(msg_recv(&w->muhurd, &m), 1);
	assert_int_equal(m.type, M_BOX_REMOVE);
	assert_int_equal(get_m_box_name(&m, &n), 0);
	assert_string_equal(n.name, "a.xml");
	assert_true(n.id.ino == w->ino && n.id.mtime == 0);
}

/* The last answer put out: its text. */
static void
assert_answer(const struct sftp *s, const char *text)
{
	assert_non_null(memmem(s->out.data + s->out.off, s->out.len, text, strlen(text)));
}

static void
answer(struct world *w, enum box_status status)
{
	struct m_box_result r = { status };
	struct buf b = { 0 };
	struct msg m;

	put_m_box_result(&b, &r);
	assert_int_equal(msg_send(&w->muhurd, M_BOX_DONE, w->s.pending.tag, b.data, b.len,
	    NULL, 0), 0);
	buf_free(&b);
	assert_int_equal(msg_recv(&w->chan, &m), 1);
	assert_int_equal(sftp_answer(&w->s, &m), 0);
}

static void
whole(void **state)
{
	struct world *w = *state;
	struct m_box_name n;
	struct msg m;

	upload_close(&w->s, 1, w->h);
	assert_int_equal(msg_recv(&w->muhurd, &m), 1);
	assert_int_equal(m.type, M_BOX_TAKE);
	assert_int_equal(get_m_box_name(&m, &n), 0);
	assert_true(n.id.ino == w->ino && n.id.mtime != 0);
	answer(w, BOX_LOST);
	assert_answer(&w->s, SEND_AGAIN);
}

/* The disk's limits are not the user's: nothing that the user removes helps. */
static void
full_disk(void **state)
{
	struct world *w = *state;
	struct msg m;

	upload_close(&w->s, 1, w->h);
	assert_int_equal(msg_recv(&w->muhurd, &m), 1);
	answer(w, BOX_NO_SPACE);
	assert_answer(&w->s, NO_SPACE);
}

static void
failing_close(void **state)
{
	struct world *w = *state;

	failing = 1;
	upload_close(&w->s, 1, w->h);
	assert_removal(w);
	assert_int_equal(w->s.out.len, 0);
	answer(w, BOX_OK);
	assert_answer(&w->s, SEND_AGAIN);
}

/* A later fsync that succeeds makes nothing good. */
static void
failing_fsync(void **state)
{
	struct world *w = *state;

	failing = 1;
	upload_fsync(&w->s, 1, w->h);
	assert_answer(&w->s, SEND_AGAIN);
	sftp_out_sent(&w->s.out, w->s.out.len);
	upload_fsync(&w->s, 2, w->h);
	assert_answer(&w->s, SEND_AGAIN);
	upload_close(&w->s, 3, w->h);
	assert_removal(w);
	answer(w, BOX_NO_SUCH_FILE);
}

static void
failing_end(void **state)
{
	struct world *w = *state;

	failing = 1;
	sftp_end(&w->s);
	assert_removal(w);
}

/* Begun anew by another connection. */
static void
nameless(void **state)
{
	struct world *w = *state;
	struct msg m;

	assert_int_equal(unlink("upload-test.file"), 0);
	upload_close(&w->s, 1, w->h);
	assert_int_equal(msg_recv(&w->muhurd, &m), 0);
	assert_answer(&w->s, "nothing of it is taken");
}

/* --- how far an upload may grow ----------------------------------------------- */

#define INBOX	"upload-test.inbox"

/* An inbox with a.xml of 3 bytes, and b.xml, which is empty and returned. */
static struct handle *
make_inbox(struct world *w)
{
	struct handle *b;
	struct vpath v;

	assert_int_equal(vpath_parse((const uint8_t *)"/inbox/b.xml", 12, &v), 0);
	assert_int_equal(mkdir(INBOX, 0700), 0);
	assert_true((w->s.dir[DIR_INBOX] = open(INBOX, O_RDONLY | O_DIRECTORY)) != -1);
	assert_int_equal(rename("upload-test.file", INBOX "/a.xml"), 0);
	assert_non_null(b = handle_new(&w->s.handles, H_UPLOAD, &v));
	assert_true((b->fd = open(INBOX "/b.xml", O_RDWR | O_CREAT | O_EXCL, 0600)) != -1);
	w->conf.max_document_size = 1000;
	w->conf.inbox_quota = 100;
	w->s.inbox_bytes = 3;		/* as upload_open counts it */
	return b;
}

static int
teardown_inbox(void **state)
{
	(void)unlink(INBOX "/a.xml");
	(void)unlink(INBOX "/b.xml");
	(void)rmdir(INBOX);
	return teardown(state);
}

/* One byte written there: was it taken? */
static int
write_one(struct world *w, struct handle *h, uint64_t at)
{
	const uint8_t number[4] = { 0, 0, 0, (uint8_t)h->number };
	const struct sftp_request r = { .handle = { number, sizeof(number) }, .offset = at, .len = 1 };

	sftp_out_sent(&w->s.out, w->s.out.len);
	upload_write_begin(&w->s, &r);
	upload_write(&w->s, (const uint8_t *)"x", 1);
	upload_write_end(&w->s);
	return w->s.write_error == NULL;
}

static void
set_length(struct world *w, struct handle *h, uint64_t size)
{
	const struct sftp_attrs a = { .flags = ATTR_SIZE, .size = size };

	sftp_out_sent(&w->s.out, w->s.out.len);
	upload_setstat(&w->s, 1, h, NULL, &a);
}

static void
assert_length(const struct handle *h, off_t size)
{
	struct stat st;

	assert_int_equal(fstat(h->fd, &st), 0);
	assert_int_equal(st.st_size, size);
}

/* Written or reserved, by whichever handle: it all counts, until it is given back. */
static void
quota(void **state)
{
	struct world *w = *state;
	struct handle *b = make_inbox(w);

	set_length(w, w->h, 60);
	assert_length(w->h, 60);
	set_length(w, b, 41);
	assert_answer(&w->s, "fill the box");
	assert_length(b, 0);
	set_length(w, b, 40);
	assert_length(b, 40);
	assert_true(write_one(w, b, 39));
	assert_false(write_one(w, b, 40));
	assert_answer(&w->s, "fill the box");
	assert_length(b, 40);
	set_length(w, w->h, 59);
	set_length(w, b, 41);
	assert_length(b, 41);
	set_length(w, b, 1001);
	assert_answer(&w->s, "larger than this gateway takes");
}

/* What another connection has removed is in nobody's sum: it stays as it is. */
static void
quota_nameless(void **state)
{
	struct world *w = *state;
	struct handle *b = make_inbox(w);

	assert_int_equal(unlink(INBOX "/a.xml"), 0);
	set_length(w, w->h, 4);
	assert_answer(&w->s, "nothing of it is taken");
	assert_true(write_one(w, w->h, 2));
	assert_false(write_one(w, w->h, 3));
	assert_answer(&w->s, "nothing of it is taken");
	assert_length(w->h, 3);
	/* here it counts until it is closed */
	set_length(w, b, 98);
	assert_answer(&w->s, "fill the box");
	set_length(w, b, 97);
	assert_length(b, 97);
}

/* What is refused for its gaps is cut at the first one, like any other. */
static void
gaps(void **state)
{
	struct world *w = *state;
	struct stat st;
	int n = 0;

	(void)make_inbox(w);
	w->conf.inbox_quota = 1000;
	while (write_one(w, w->h, (uint64_t)(4 + 2 * n)))
		n++;
	assert_answer(&w->s, "too many gaps");
	assert_int_equal(n, SFTP_MAX_EXTENTS - 1);	/* and the 3 bytes */
	upload_close(&w->s, 1, w->h);
	assert_answer(&w->s, "not taken");
	assert_int_equal(stat(INBOX "/a.xml", &st), 0);
	assert_int_equal(st.st_size, 3);
}

/* The member was suspended while its user sends: what came stays to be gone on
 * with, nothing more comes, and nothing is taken. */
static void
suspended_meanwhile(void **state)
{
	static const uint8_t four[] = { 0, 0, 0, 0 };
	struct sftp_request r = { .type = FXP_WRITE, .id = 1, .offset = 3, .len = 3,
	    .handle = { four, 4 }, .data = { (const uint8_t *)"def", 3 } };
	struct world *w = *state;
	struct stat st;
	struct msg m;

	assert_int_equal(w->h->number, 0);
	w->s.may.may_send = 0;
	upload_write_begin(&w->s, &r);
	upload_write(&w->s, r.data.p, r.data.len);
	upload_write_end(&w->s);
	assert_answer(&w->s, "the member is suspended");
	sftp_out_sent(&w->s.out, w->s.out.len);
	upload_setstat(&w->s, 2, w->h, &w->h->path, &(struct sftp_attrs){ .flags = ATTR_SIZE });
	assert_answer(&w->s, "the member is suspended");
	sftp_out_sent(&w->s.out, w->s.out.len);
	upload_close(&w->s, 3, w->h);
	assert_answer(&w->s, "the member is suspended");
	assert_int_equal(msg_recv(&w->muhurd, &m), 0);
	assert_int_equal(stat("upload-test.file", &st), 0);
	assert_int_equal(st.st_size, 3);
}

#define TEST(f)		cmocka_unit_test_setup_teardown(f, setup, teardown)
#define TEST_INBOX(f)	cmocka_unit_test_setup_teardown(f, setup, teardown_inbox)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(whole), TEST(full_disk), TEST(failing_close), TEST(failing_fsync),
		TEST(failing_end), TEST(nameless), TEST(suspended_meanwhile),
		TEST_INBOX(quota), TEST_INBOX(quota_nameless), TEST_INBOX(gaps),
	};

	log_init("test_upload", LOG_COMMAND, 0);
	return cmocka_run_group_tests_name("sftp/upload", tests, NULL, NULL);
}
