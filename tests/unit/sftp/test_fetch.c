/* SPDX-License-Identifier: ISC */
/* What a session says of the bytes that it gave out. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those that cmocka.h needs */
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "sftp/ops.h"

#define SIZE	(1024 * 1024)

struct world {
	struct conf	 conf;
	struct msg_chan	 chan, muhurd;
	struct sftp	 s;
	struct handle	*h;
};

static uint8_t packet[64];
static size_t packet_len;

static void
put32(uint32_t v)
{
	v = htonl(v);
	memcpy(packet + packet_len, &v, 4);
	packet_len += 4;
}

static void
begin(uint8_t type)
{
	packet_len = 4;
	packet[packet_len++] = type;
}

static void
sent(struct world *w)
{
	uint32_t len = htonl((uint32_t)packet_len - 4);

	memcpy(packet, &len, 4);
	assert_int_equal(sftp_input(&w->s, packet, packet_len), packet_len);
	assert_null(w->s.broken);
}

/* All that is out has gone to the client. */
static void
drain(struct world *w)
{
	do
		sftp_out_sent(&w->s.out, w->s.out.len);
	while (sftp_pump(&w->s));
	sftp_out_sent(&w->s.out, w->s.out.len);
}

static void
ask_read(struct world *w, uint64_t at, uint32_t n)
{
	begin(FXP_READ);
	put32(1);
	put32(4);		/* a handle is its number */
	put32((uint32_t)w->h->number);
	put32((uint32_t)(at >> 32));
	put32((uint32_t)at);
	put32(n);
	sent(w);
}

static void
ask_close(struct world *w)
{
	begin(FXP_CLOSE);
	put32(2);
	put32(4);
	put32((uint32_t)w->h->number);
	sent(w);
}

static struct byte_ranges
told(struct world *w)
{
	struct m_box_fetched f;
	struct msg m;

	assert_int_equal(msg_recv(&w->muhurd, &m), 1);
	assert_int_equal(m.type, M_BOX_FETCHED);
	assert_int_equal(m.tag, 77);
	assert_int_equal(get_m_box_fetched(&m, &f), 0);
	assert_int_equal(msg_recv(&w->muhurd, &m), 0);
	return f.ranges;
}

static int
open_file(struct world *w, const char *path)
{
	char name[] = "fetch-test.XXXXXX";
	struct vpath v;

	if (vpath_parse((const uint8_t *)path, strlen(path), &v) == -1)
		return -1;
	w->h = handle_new(&w->s.handles, H_FETCH, &v);
	if ((w->h->fd = mkstemp(name)) == -1 || ftruncate(w->h->fd, SIZE) == -1 || unlink(name) == -1)
		return -1;
	w->h->size = SIZE;
	w->h->tag = 77;
	return 0;
}

static int
setup(void **state)
{
	static const struct m_login_result who = { .user = "PLA001", .member = "PLA", .may = { .may_send = 1 } };
	static const int none[DIR_COUNT] = { -1, -1, -1, -1 };
	struct world *w = xcalloc(1, sizeof(*w));
	int pair[2];

	if (msg_pair(pair) == -1)
		return -1;
	msg_init(&w->chan, pair[0], ROLE_SESSION, ROLE_MUHURD);
	msg_init(&w->muhurd, pair[1], ROLE_MUHURD, ROLE_SESSION);
	sftp_init(&w->s, &w->conf, &w->chan, &who, none);
	begin(FXP_INIT);
	put32(3);
	sent(w);
	drain(w);
	*state = w;
	return open_file(w, "/outbox/a.xml");
}

static int
teardown(void **state)
{
	struct world *w = *state;

	sftp_end(&w->s);
	msg_close(&w->chan);
	msg_close(&w->muhurd);
	free(w);
	return 0;
}

/* In order and not, overlapping, beyond the end. */
static void
ranges(void **state)
{
	struct world *w = *state;
	struct byte_ranges r;
	int i;

	for (i = 0; i < 3; i++) {
		ask_read(w, (uint64_t)i * 1000, 1000);
		drain(w);
	}
	ask_read(w, 500000, 10);
	drain(w);
	ask_read(w, 499990, 15);
	drain(w);
	ask_read(w, SIZE - 5, 100);
	drain(w);
	ask_read(w, SIZE, 100);
	drain(w);
	ask_close(w);
	r = told(w);
	assert_int_equal(r.n, 3);
	assert_int_equal(r.v[0].from, 0);
	assert_int_equal(r.v[0].to, 3000);
	assert_int_equal(r.v[1].from, 499990);
	assert_int_equal(r.v[1].to, 500010);
	assert_int_equal(r.v[2].from, SIZE - 5);
	assert_int_equal(r.v[2].to, SIZE);
}

static void
nothing(void **state)
{
	struct world *w = *state;

	ask_close(w);
	assert_int_equal(told(w).n, 0);
}

/* Of more pieces than are told the first ones count, and nothing breaks. */
static void
many(void **state)
{
	struct world *w = *state;
	struct byte_ranges r;
	int i;

	for (i = 0; i < 2 * SFTP_MAX_EXTENTS; i++) {
		ask_read(w, (uint64_t)i * 10, 1);
		drain(w);
	}
	ask_close(w);
	r = told(w);
	assert_int_equal(r.n, FETCH_RANGES_MAX);
	assert_int_equal(r.v[FETCH_RANGES_MAX - 1].from, 10 * (FETCH_RANGES_MAX - 1));
}

/* The connection is lost: what it still held nobody has. */
static void
lost(void **state)
{
	struct world *w = *state;
	struct byte_ranges r;
	size_t unsent;

	ask_read(w, 0, 100000);
	drain(w);
	ask_read(w, 100000, 255 * 1024);	/* more than fits: half way */
	unsent = w->s.out.len;
	assert_non_null(w->s.reading);
	assert_in_range(unsent, 1, SFTP_MAX_OUTPUT);
	sftp_end(&w->s);
	r = told(w);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.v[0].from, 0);
	/* the answer's head is among what was not sent */
	assert_in_range(r.v[0].to, 100000 - 64, 100000);
}

/* Fetch n bytes of path: how many lines the log has of it.  It is told each time. */
static int
logged(struct world *w, const char *path, uint32_t n)
{
	char line[1024] = "";
	int fds[2], err = dup(STDERR_FILENO);
	ssize_t len;

	assert_int_equal(open_file(w, path), 0);
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	assert_int_not_equal(dup2(fds[1], STDERR_FILENO), -1);
	if (n > 0)
		ask_read(w, 0, n);
	drain(w);
	ask_close(w);
	drain(w);
	assert_int_not_equal(dup2(err, STDERR_FILENO), -1);
	len = read(fds[0], line, sizeof(line) - 1);
	close(err);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(told(w).n, n > 0);
	assert_true(len <= 0 || strstr(line, path) != NULL);
	return len > 0;
}

/* The log has a file's first fetching; of very many files some are named again. */
static void
log_lines(void **state)
{
	struct world *w = *state;
	char path[64];
	int i;

	assert_int_equal(logged(w, "/outbox/b.xml", 0), 0);
	assert_int_equal(logged(w, "/outbox/b.xml", 10), 1);
	assert_int_equal(logged(w, "/outbox/c.xml", 10), 1);
	for (i = 0; i < 10; i++)
		assert_int_equal(logged(w, i % 2 ? "/outbox/b.xml" : "/outbox/c.xml", 20), 0);
	assert_int_equal(logged(w, "/archive/2026-11-01/b.xml", 10), 1);
	for (i = 3; i < SFTP_FETCHED_KEPT; i++) {
		(void)snprintf(path, sizeof(path), "/outbox/%d.xml", i);
		assert_int_equal(logged(w, path, 1), 1);
	}
	assert_int_equal(logged(w, "/outbox/b.xml", 10), 0);
	assert_int_equal(logged(w, "/outbox/d.xml", 10), 1);
	assert_int_equal(w->s.fetched_n, 1);
	assert_int_equal(logged(w, "/outbox/b.xml", 10), 1);
}

/* Another member's, only looked at: muhurd, which opened it, hears that it is
 * closed; of what is no notice it hears nothing. */
static void
looked_at(void **state)
{
	static const char *const paths[] = { "/archive/PLB/2026-11-20/a.xml",
	    "/archive/PLB/2026-11-20", "/trail/key" };
	struct world *w = *state;
	struct m_box_fetched f;
	struct m_box_result r = { BOX_OK };
	struct msg m, answer;
	struct buf b = { 0 };
	size_t i;

	w->s.may.sees_archives = w->s.may.sees_trail = 1;
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		begin(FXP_STAT);
		put32(3);
		put32((uint32_t)strlen(paths[i]));
		memcpy(packet + packet_len, paths[i], strlen(paths[i]));
		packet_len += strlen(paths[i]);
		sent(w);
		assert_int_equal(msg_recv(&w->muhurd, &m), 1);
		assert_int_equal(m.type, M_BOX_OPEN);
		answer = (struct msg){ .type = M_BOX_OPENED, .tag = m.tag, .nfds = 1,
		    .fds = { dup(w->h->fd) } };
		buf_reset(&b);
		put_m_box_result(&b, &r);
		answer.payload = (const uint8_t *)b.data;
		answer.len = b.len;
		assert_int_equal(sftp_answer(&w->s, &answer), 0);
		drain(w);
		assert_int_equal(msg_recv(&w->muhurd, &m), i == 0);
		if (i > 0)
			continue;
		assert_int_equal(m.type, M_BOX_FETCHED);
		assert_int_equal(m.tag, answer.tag);
		assert_int_equal(get_m_box_fetched(&m, &f), 0);
		assert_int_equal(f.ranges.n, 0);
	}
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ranges, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(many, setup, teardown),
		cmocka_unit_test_setup_teardown(lost, setup, teardown),
		cmocka_unit_test_setup_teardown(log_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(looked_at, setup, teardown),
	};

	log_init("test_fetch", LOG_COMMAND, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
