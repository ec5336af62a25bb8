/* SPDX-License-Identifier: ISC */
/*
 * SFTP version 3 packets (draft-ietf-secsh-filexfer-02, with OpenSSH's
 * extensions as its PROTOCOL file describes them).  Pure: bytes in, structs
 * out, and back; no descriptor, no allocation.  Parsing is strict: a field
 * that runs over its packet, bytes left over, or a packet longer than
 * SFTP_MAX_PACKET is an error, after which nothing that peer sends counts.
 * One exception: bytes behind a WRITE's data are passed over, since rclone
 * (Go's pkg/sftp) pads a file's last WRITE to the size of the others.
 */
#ifndef MUHUR_SFTP_CODEC_H
#define MUHUR_SFTP_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

#define SFTP_VERSION	3

enum sftp_type {
	FXP_INIT = 1, FXP_VERSION, FXP_OPEN, FXP_CLOSE, FXP_READ, FXP_WRITE,
	FXP_LSTAT, FXP_FSTAT, FXP_SETSTAT, FXP_FSETSTAT, FXP_OPENDIR,
	FXP_READDIR, FXP_REMOVE, FXP_MKDIR, FXP_RMDIR, FXP_REALPATH, FXP_STAT,
	FXP_RENAME, FXP_READLINK, FXP_SYMLINK,
	FXP_STATUS = 101, FXP_HANDLE, FXP_DATA, FXP_NAME, FXP_ATTRS,
	FXP_EXTENDED = 200, FXP_EXTENDED_REPLY
};

enum sftp_status {
	FX_OK, FX_EOF, FX_NO_SUCH_FILE, FX_PERMISSION_DENIED, FX_FAILURE,
	FX_BAD_MESSAGE, FX_NO_CONNECTION, FX_CONNECTION_LOST, FX_OP_UNSUPPORTED
};

/* pflags of OPEN */
enum {
	FXF_READ = 1, FXF_WRITE = 2, FXF_APPEND = 4, FXF_CREAT = 8,
	FXF_TRUNC = 16, FXF_EXCL = 32
};

/* flags of ATTRS */
#define ATTR_SIZE	0x00000001u
#define ATTR_UIDGID	0x00000002u
#define ATTR_PERM	0x00000004u
#define ATTR_TIME	0x00000008u
#define ATTR_EXTENDED	0x80000000u

struct sftp_attrs {
	uint32_t flags;
	uint64_t size;
	uint32_t uid, gid;
	uint32_t perm;
	uint32_t atime, mtime;
};

/* Bytes inside the packet that was parsed; not NUL-terminated. */
struct sftp_str {
	const uint8_t	*p;
	uint32_t	 len;
};

/* A request.  Which fields are set depends on the type; the rest is zero. */
struct sftp_request {
	uint8_t		 type;
	uint32_t	 id;		/* INIT: the client's version */
	struct sftp_str	 path;		/* also the first of two paths */
	struct sftp_str	 target;	/* RENAME, SYMLINK and their extensions */
	struct sftp_str	 handle;
	uint64_t	 offset;
	uint32_t	 len;		/* READ: wanted; WRITE: of the data */
	struct sftp_str	 data;		/* WRITE */
	uint32_t	 pflags;
	struct sftp_attrs attrs;
	struct sftp_str	 extension;	/* EXTENDED: its name */
	int		 extended;	/* EXTENDED: enum sftp_extension */
};

enum sftp_extension {
	EXT_UNKNOWN, EXT_POSIX_RENAME, EXT_STATVFS, EXT_FSTATVFS, EXT_FSYNC,
	EXT_LIMITS, EXT_HARDLINK
};

/* How long is the packet that begins at p (length field included)?  0: its
 * length field is not there yet; -1: no packet may be that long or empty. */
int sftp_frame(const uint8_t *p, size_t n, size_t *total);

/* One packet without its length field. 0, or -1 where it is malformed.
 * An unknown type gives 0 with type and id set, so that it can be refused. */
int sftp_parse(const uint8_t *p, size_t n, struct sftp_request *r);

/* The beginning of a WRITE whose data has not wholly arrived: p begins with
 * the length field, and the frame is total bytes long.  Returns the bytes
 * before the data, 0 where more are needed, -1 malformed; r->len is the
 * data's length, and what the frame holds beyond it is to be passed over. */
int sftp_parse_write_head(const uint8_t *p, size_t n, size_t total,
    struct sftp_request *r);

/* Output not yet given to the channel: at most SFTP_MAX_OUTPUT and one
 * answer.  A builder takes whole packets; callers ask sftp_out_full before
 * they begin one, so that one always fits. */
#define SFTP_OUT_SIZE	(SFTP_MAX_OUTPUT + 64 * 1024)
#define SFTP_MAX_ANSWER	(64 * 1024)	/* longest packet but DATA, which is streamed */
struct sftp_out {
	uint8_t	 data[SFTP_OUT_SIZE];
	size_t	 off, len;		/* data[off..off+len) is unsent */
};
int  sftp_out_full(const struct sftp_out *o);
/* Room at the end for raw bytes (DATA's contents), after compaction. */
uint8_t *sftp_out_space(struct sftp_out *o, size_t *room);
void sftp_out_add(struct sftp_out *o, size_t n);	/* n bytes were put there */
void sftp_out_sent(struct sftp_out *o, size_t n);

void sftp_put_version(struct sftp_out *o);
void sftp_put_status(struct sftp_out *o, uint32_t id, enum sftp_status st, const char *text);
void sftp_put_handle(struct sftp_out *o, uint32_t id, uint32_t handle);
void sftp_put_data_head(struct sftp_out *o, uint32_t id, uint32_t len);
void sftp_put_attrs(struct sftp_out *o, uint32_t id, const struct sftp_attrs *a);
/* NAME: begin, add while there is room (0, -1 full), end sets the count. */
size_t sftp_name_begin(struct sftp_out *o, uint32_t id);
int    sftp_name_add(struct sftp_out *o, size_t mark, const char *name,
    const char *longname, const struct sftp_attrs *a);
void   sftp_name_end(struct sftp_out *o, size_t mark, uint32_t count);
void sftp_put_limits(struct sftp_out *o, uint32_t id, uint64_t packet,
    uint64_t rd, uint64_t wr, uint64_t handles);
/* v: the eleven numbers of statvfs@openssh.com in its order. */
void sftp_put_statvfs(struct sftp_out *o, uint32_t id, const uint64_t v[11]);

/* A handle on the wire is four bytes, our number; -1 where h is none. */
int sftp_handle_number(const struct sftp_str *h);

#endif
