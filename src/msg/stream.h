/* SPDX-License-Identifier: ISC */
/*
 * The records pipe from muhur-verify to muhur-load: frames of u8 type, u32
 * length, payload (at most STREAM_MAX_FRAME).
 *
 *   H  the header (packed struct header), before any record
 *   R  u8 record_kind, then whole lines in COPY text format: the record's
 *      number in the document (from 1), its line there, then the fields of
 *      record_info in order
 *   X  begin again: forget all records so far (the c14n hint was wrong)
 *   E  the end; after it the writer closes
 *
 * A pipe that ends without E belongs to a verify that died.
 */
#ifndef MUHUR_MSG_STREAM_H
#define MUHUR_MSG_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "model/header.h"
#include "model/record.h"

enum stream_type { STREAM_HEADER = 'H', STREAM_RECORDS = 'R', STREAM_RESTART = 'X', STREAM_END = 'E' };

/* Writer: 0, or -1 with errno (EPIPE: the reader is gone). */
int stream_write_header(int fd, const struct header *h);
int stream_write_records(int fd, enum record_kind kind, const void *lines, size_t len);
int stream_write_mark(int fd, enum stream_type type);

/* Reader: 1 a frame, 0 end of file, -1 errno (EPROTO: malformed). */
struct stream_frame {
	enum stream_type type;
	enum record_kind kind;		/* STREAM_RECORDS */
	const char	*data;		/* lines; in b, until the next read */
	size_t		 len;
};
int stream_read(int fd, struct buf *b, struct stream_frame *f);	/* blocking */
/* One read, which does not block where poll(2) found something to read; 2: the
 * frame is not whole yet.  r is zeroed at first; r->b is the caller's to free. */
struct stream_reader {
	struct buf	 b;		/* b.len bytes of the frame are there */
	int		 done;		/* a whole frame was handed out */
};
int stream_step(int fd, struct stream_reader *r, struct stream_frame *f);
/* Unpack an H frame; h must be zeroed or reset, and be reset by the caller. */
int stream_get_header(const struct stream_frame *f, struct header *h);

#endif
