/* SPDX-License-Identifier: ISC */
/*
 * A member's drop-box over SFTP: requests in, answers out, and questions to
 * muhurd where a file is opened, taken, renamed or removed.  Nothing here
 * knows SSH: session.c brings the bytes and carries the answers away.
 *
 * Requests are answered in the order they came.  One that waits for muhurd,
 * or a READ whose data has not gone out yet, holds up those behind it, and so
 * in the end the client: that is the back-pressure.
 */
#ifndef MUHUR_SFTP_OPS_H
#define MUHUR_SFTP_OPS_H

#include <sys/stat.h>

#include "base/conf.h"
#include "msg/msg.h"
#include "msg/proto.h"
#include "sftp/codec.h"
#include "sftp/handle.h"

enum { DIR_INBOX, DIR_SENT, DIR_OUTBOX, DIR_ARCHIVE, DIR_COUNT };

/* What is asked of muhurd, and how to go on when it answers. */
enum ask {
	ASK_NOTHING, ASK_FETCH, ASK_UPLOAD, ASK_LIST, ASK_LOOK, ASK_SHRINK, ASK_TAKE,
	ASK_RENAME, ASK_REMOVE, ASK_DISCARD
};
struct pending {
	enum ask	 ask;
	uint32_t	 tag;
	uint32_t	 id;		/* of the client's request */
	struct vpath	 path, target;
	uint32_t	 pflags;
	uint64_t	 size;		/* ASK_SHRINK: wanted; ASK_TAKE: for the log */
};

struct sftp {
	const struct conf *conf;
	struct msg_chan	*chan;
	char		 user[USER_CODE_SIZE];
	char		 member[MEMBER_CODE_SIZE];
	struct m_rights	 may;
	int		 dir[DIR_COUNT];	/* owned */
	int		 begun;		/* VERSION was sent */
	const char	*broken;	/* the client broke the protocol: how; end it */
	struct handles	 handles;
	struct pending	 pending;
	uint32_t	 last_tag;
	/* the upload closed last under a partial name: what its renaming means */
	struct m_box_name parted;
	/* a WRITE whose data is arriving */
	struct handle	*writing;	/* NULL: none, or refused (data is dropped) */
	uint32_t	 write_id, write_left;
	uint32_t	 write_skip;	/* bytes behind the data that mean nothing */
	uint64_t	 write_at;
	const char	*write_error;	/* the answer when all has arrived */
	int		 write_status;
	int		 write_on;
	/* paths of files whose fetching was logged: a tree (tsearch), owned */
	void		*fetched;
	int		 fetched_n;
	/* a READ whose data is going out */
	struct handle	*reading;
	uint64_t	 read_at;
	uint32_t	 read_left;
	/* bytes of unfinished uploads (setting inbox_quota) */
	uint64_t	 inbox_bytes, inbox_grown;
	struct sftp_out	 out;
};

void sftp_init(struct sftp *s, const struct conf *conf, struct msg_chan *chan,
    const struct m_login_result *who, const int dir[DIR_COUNT]);
/* Take what can be taken of the n bytes that came; the rest is offered again. */
size_t sftp_input(struct sftp *s, const uint8_t *p, size_t n);
/* Go on with a READ's data where there is room.  1: something was put out. */
int sftp_pump(struct sftp *s);
/* What the user may do from now on; what is open and not for it any more is
 * refused at its next use. */
void sftp_set_rights(struct sftp *s, const struct m_rights *may);
/* An answer of muhurd.  0, or -1 where it answers nothing that was asked. */
int sftp_answer(struct sftp *s, struct msg *m);
/* The connection is over: unfinished uploads keep their contiguous part. */
void sftp_end(struct sftp *s);

/* --- between ops.c, upload.c and listing.c ------------------------------- */
/* answer.c */
void reply(struct sftp *s, uint32_t id, enum sftp_status st, const char *text);
void reply_ok(struct sftp *s, uint32_t id);
/* The answer where bytes may be lost on the disk. */
#define SEND_AGAIN	"the gateway could not store this file: send it again"
/* Where there is no room on it: what was sent stays. */
#define NO_SPACE	"the gateway has no space left; try again later"
/* errno of a failed call on a file of the box, told to client and log. */
void reply_errno(struct sftp *s, uint32_t id, const char *what, const struct vpath *v);
void ask_begin(struct sftp *s, enum ask ask, uint32_t id, const struct vpath *path);
void ask_open(struct sftp *s, enum box_folder folder, const struct vpath *path, int flags);
/* id: which file it must still be, NULL: whatever bears the name. */
void ask_name(struct sftp *s, enum msg_type type, const struct vpath *path,
    const struct file_id *id);
/* M_BOX_REMOVE as the connection ends: nobody waits for its answer. */
void tell_remove(struct sftp *s, const struct vpath *path, const struct file_id *id);
void ask_rename(struct sftp *s);
/* M_BOX_FETCHED, before what muhurd opened for reading as v, in answer to request
 * tag, is closed; x: what was read of it, NULL nothing; unsent: so much of that has
 * not gone out.  Only notices are told of. */
void tell_fetched(struct sftp *s, const struct vpath *v, uint32_t tag, const struct extents *x,
    size_t unsent);

/* upload.c */
void upload_open(struct sftp *s, uint32_t id, const struct vpath *v, uint32_t pflags);
void upload_opened(struct sftp *s, const struct pending *p, struct handle *h, uint64_t size);
void upload_write_begin(struct sftp *s, const struct sftp_request *r);
void upload_write(struct sftp *s, const uint8_t *p, size_t n);
void upload_write_end(struct sftp *s);
void upload_fsync(struct sftp *s, uint32_t id, struct handle *h);
void upload_close(struct sftp *s, uint32_t id, struct handle *h);
void upload_drop(struct sftp *s, struct handle *h);
/* SETSTAT: h may be NULL, then the name's own. */
void upload_setstat(struct sftp *s, uint32_t id, struct handle *h,
    const struct vpath *v, const struct sftp_attrs *a);
void upload_shrunk(struct sftp *s, const struct pending *p, int fd);
void upload_rename(struct sftp *s, uint32_t id, const struct vpath *from,
    const struct vpath *to, int over);
void upload_remove(struct sftp *s, uint32_t id, const struct vpath *v);

/* listing.c */
/* Attributes of what v names: 0, or -1 with errno (ENOENT: no such). */
int  list_stat(struct sftp *s, const struct vpath *v, struct sftp_attrs *a);
int  list_fstat(struct sftp *s, const struct handle *h, struct sftp_attrs *a);
/* Is it an unfinished (1) or a taken upload (2), or neither (0)? */
enum { UP_NONE, UP_UNFINISHED, UP_TAKEN };
int  list_upload_state(struct sftp *s, const char *name);
void list_open(struct sftp *s, uint32_t id, const struct vpath *v);
void list_opened(struct sftp *s, const struct pending *p, int fd);
/* The same where muhurd has nothing to add to what is at hand. */
void list_opened_alone(struct sftp *s, const struct pending *p);
void list_fill_attrs(struct sftp_attrs *a, const struct stat *st, int folder);
void list_read(struct sftp *s, uint32_t id, struct handle *h);
/* Of the user's inbox_quota, not of the disk. */
void list_statvfs(struct sftp *s, uint32_t id);
void list_longname(struct sftp *s, const char *name, const struct sftp_attrs *a,
    char *buf, size_t size);
/* Bytes in all unfinished uploads. */
uint64_t list_inbox_bytes(struct sftp *s);

/* remote.c: what muhurd opens for each look, since no descriptor of it is held */
/* Of what may not be seen now (any more)? */
int  remote_hidden(const struct sftp *s, const struct vpath *v);
int  remote_is(const struct vpath *v);
/* Have it opened for reading, a file or a folder. */
void remote_ask(struct sftp *s, enum ask ask, uint32_t id, const struct vpath *v);
/* ASK_LOOK: its attributes, and fd is closed. */
void remote_looked(struct sftp *s, const struct pending *p, int fd);
/* Bytes of the file that was opened for v: of a whole tile, given for a partial
 * one, only those. */
uint64_t remote_size(const struct vpath *v, int fd, const struct stat *st);
/* What of a folder is not read as a directory; NULL: nothing, read fd. */
char *remote_names(const struct vpath *v, int fd, const struct stat *st);
/* The next of h->names, to which h->names_at moves on when *next is put there.
 * 0, or -1 at their end. */
int  remote_next(const struct sftp *s, const struct handle *h, char name[FILE_NAME_SIZE],
    struct sftp_attrs *a, size_t *next);


#endif
