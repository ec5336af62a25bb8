/* SPDX-License-Identifier: ISC */
/*
 * A records pipe as a verify that was taken over could write it: each frame
 * that the reader takes must be the one that our writer makes of it.
 */
#include "config.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "fuzz.h"
#include "msg/stream.h"

static int written;		/* what our writer makes of one frame */

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_init("fuzz_stream", LOG_COMMAND, 0);
	if ((written = memfd_create("written", 0)) == -1)
		fatal("memfd");
	return 0;
}

static void
check_header(const struct header *h)
{
	CHECK(h->type < MT_COUNT && h->record_count >= 0 && h->ntotals <= CONTROL_TOTALS_MAX);
	CHECK(strlen(h->message_id) < sizeof(h->message_id));
	CHECK(strlen(h->sender) < sizeof(h->sender) && strlen(h->user) < sizeof(h->user));
	CHECK(strlen(h->replaces) < sizeof(h->replaces));
}

/* 0, or -1 where it is a header's frame without a header in it. */
static int
write_again(const struct stream_frame *f)
{
	struct header h = { 0 };
	int rc = 0;

	switch (f->type) {
	case STREAM_HEADER:
		if ((rc = stream_get_header(f, &h)) == 0) {
			check_header(&h);
			CHECK(stream_write_header(written, &h) == 0);
		}
		header_reset(&h);
		break;
	case STREAM_RECORDS:
		CHECK(f->kind < REC_COUNT && f->len > 0 && f->data[f->len - 1] == '\n');
		CHECK(f->data[f->len] == '\0' && strlen(f->data) == f->len);
		CHECK(stream_write_records(written, f->kind, f->data, f->len) == 0);
		break;
	default:
		CHECK(f->type == STREAM_RESTART || f->type == STREAM_END);
		CHECK(stream_write_mark(written, f->type) == 0);
		break;
	}
	return rc;
}

/* p: where the frame stands in the input, of which left bytes are read. */
static void
compare(const uint8_t *p, size_t left)
{
	char *again;
	size_t len;

	CHECK(fd_read_all(written, 1 << 20, &again, &len) == 0);
	CHECK(len == left && memcmp(again, p, len) == 0);
	free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stream_frame f;
	struct buf b = { 0 };
	off_t at = 0, end;
	int fd, rc;

	if ((fd = memfd_create("fuzz", 0)) == -1 || write_full(fd, data, size) == -1 ||
	    lseek(fd, 0, SEEK_SET) == -1)
		fatal("memfd");
	while ((rc = stream_read(fd, &b, &f)) == 1) {
		if ((end = lseek(fd, 0, SEEK_CUR)) == -1 || ftruncate(written, 0) == -1 ||
		    lseek(written, 0, SEEK_SET) == -1)
			fatal("memfd");
		if (write_again(&f) == 0)
			compare(data + at, (size_t)(end - at));
		at = end;
	}
	CHECK(rc == -1 || (size_t)at == size);
	buf_free(&b);
	close(fd);
	return 0;
}
