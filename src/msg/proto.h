/* SPDX-License-Identifier: ISC */
/*
 * Payloads of the messages in msg/msg.h, packed and unpacked strictly: a
 * string longer than its field, a bad enumeration value, bytes left over are
 * all -1 (a broken peer).  Each X has
 *	void put_X(struct buf *b, const struct X *);
 *	int  get_X(const struct msg *m, struct X *);
 */
#ifndef MUHUR_MSG_PROTO_H
#define MUHUR_MSG_PROTO_H

#include <sys/stat.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "model/crls.h"
#include "model/header.h"
#include "model/job.h"
#include "model/notice.h"
#include "model/reason.h"
#include "model/timestamp.h"
#include "msg/msg.h"

struct m_peer { char address[64]; int port; };

struct m_login {
	char	 user[USER_CODE_SIZE];
	char	 algorithm[64];			/* "ssh-ed25519", "rsa-sha2-512", ... */
	uint8_t	 key[SSH_MAX_KEY_BLOB];		/* RFC 4253 public key blob */
	uint32_t key_len;
	int	 proved;	/* 0: would this key do?  1: libssh checked the signature */
};
/* What a user may do now, beside fetching what is its member's own. */
struct m_rights {
	int	 may_send;		/* 0: a suspended member may only fetch (S2 N3) */
	int	 sees_trail;		/* compliance and regulator: the right Trail */
	int	 sees_archives;		/* the same: the right Archive, every member's */
};
struct m_login_result {
	int	 ok;
	struct m_rights may;
	char	 user[USER_CODE_SIZE];
	char	 member[MEMBER_CODE_SIZE];
	char	 why[128];			/* for the log, never for the peer */
};

enum box_folder { BOX_INBOX, BOX_SENT, BOX_OUTBOX, BOX_ARCHIVE,
    BOX_MEMBERS,	/* those that have an archive: BOX_DIR alone, see box_open */
    BOX_TRAIL, BOX_FOLDER_COUNT };
enum box_status { BOX_OK, BOX_NO_SUCH_FILE, BOX_DENIED, BOX_EXISTS, BOX_BUSY,
    BOX_FULL,		/* the user's limits */
    BOX_NO_SPACE,	/* the disk's */
    BOX_EMPTY, BOX_LOST, BOX_FAILURE };
enum { BOX_READ = 1, BOX_WRITE = 2, BOX_CREAT = 4, BOX_TRUNC = 8, BOX_EXCL = 16, BOX_DIR = 32 };
struct m_box_open {
	enum box_folder folder;
	char	 member[MEMBER_CODE_SIZE];	/* BOX_ARCHIVE of another member, else "" */
	char	 day[DATE_SIZE];		/* BOX_ARCHIVE only, else "" */
	char	 name[FILE_NAME_SIZE];		/* "" with BOX_DIR: the folder itself; BOX_TRAIL:
						 * a path below it (model/tilepath.h) */
	int	 flags;
};
/* Which bytes are meant, since another session may put others under a name;
 * ino 0: whatever bears the name; mtime 0: whoever has written on. */
struct file_id {
	uint64_t ino, dev;
	int64_t	 mtime;				/* nanoseconds; tells an inode used again, or written on */
};
struct m_box_name { char name[FILE_NAME_SIZE]; struct file_id id; };
struct m_box_rename { char from[FILE_NAME_SIZE]; char to[FILE_NAME_SIZE]; struct file_id id; };
struct m_box_result { enum box_status status; };

struct m_submission {
	char	 id[UUID_SIZE];
	char	 user[USER_CODE_SIZE];		/* who uploaded it */
	char	 name[FILE_NAME_SIZE];
	long long size;
	usec_t	 received_at;
	enum member_kind kind;			/* the uploader's member's */
};
struct m_submission_id { char id[UUID_SIZE]; };
struct m_submission_state {
	char	 id[UUID_SIZE];
	enum submission_state state;
	char	 sha256[SHA256_HEX_SIZE];	/* "" while unknown */
	int	 retry_later;			/* our own trouble (database): nothing was decided */
	enum member_kind kind;			/* the uploader's member's; of the directory */
};

struct m_verdict {
	char	 id[UUID_SIZE];
	char	 sha256[SHA256_HEX_SIZE];	/* of the file's bytes */
	int	 signature_valid;		/* everything up to STAGE_SIGNING_TIME held */
	char	 cert_sha256[SHA256_HEX_SIZE];	/* of the signer's certificate, DER; "" unknown */
	char	 signer_subject[DN_SIZE];
	char	 signer_issuer[DN_SIZE];
	char	 signer_serial[SERIAL_SIZE];
	usec_t	 signing_time;			/* 0: none (xmldsig profile) */
	char	 policy[POLICY_OID_SIZE];	/* "" none, "implied", or its OID */
	struct timestamp timestamp;
	struct reasons reasons;			/* all stages verify can judge */
	struct crls_used crls;			/* by which the certificate was judged */
	char	 material[SHA256_HEX_SIZE];	/* what it was judged by (depot/material.h); "" unknown */
};

struct m_notice_id { char id[UUID_SIZE]; };
struct m_notice_file { char id[UUID_SIZE]; char sha256[SHA256_HEX_SIZE]; long long size; usec_t signed_at; };
struct m_notice_publish {
	char	 id[UUID_SIZE];
	char	 recipient[MEMBER_CODE_SIZE];
	char	 file_name[FILE_NAME_SIZE];
	char	 sha256[SHA256_HEX_SIZE];	/* names it in the store */
	char	 day[DATE_SIZE];		/* its folder under /archive: Istanbul's date of issue */
	int	 archived;		/* M_NOTICE_PUBLISH: show it there, its days in the outbox are over */
};
struct m_notice_published { char id[UUID_SIZE]; int archived; };	/* of the order: it is there */
struct m_archived { char id[UUID_SIZE]; int ok; };

/* The store. */
struct m_document { char sha256[SHA256_HEX_SIZE]; };
enum kept_result { KEPT_OK, KEPT_LATER,		/* our trouble: again after a while */
    KEPT_ROTTEN, KEPT_ABSENT, KEPT_RESULT_COUNT };
struct m_kept { char sha256[SHA256_HEX_SIZE]; enum kept_result result; };
/* slot: which file it is (depot/material.h); last: none, the set is complete. */
#define MATERIAL_SLOTS_MAX	16
struct m_material { unsigned slot; int last; };
/* rot: a document that has rotted; "" the pass has ended, and the rest tells of it.
 * unread: documents, or folders of them, that could not be read. */
struct m_pass {
	char	 rot[SHA256_HEX_SIZE];
	usec_t	 ended_at;
	long long documents, bytes, rotten, unread;
};
/* Which bytes: in order, apart from each other, none empty; bytes from..to-1. */
struct byte_ranges {
	struct { long long from, to; } v[FETCH_RANGES_MAX];
	unsigned n;
};
/* Of a file that was opened for reading, all that was read until it was closed;
 * n 0: nothing. */
struct m_box_fetched { struct byte_ranges ranges; };
struct m_fetched {
	char	 recipient[MEMBER_CODE_SIZE];	/* whose box it lies in */
	char	 file_name[FILE_NAME_SIZE];
	char	 user[USER_CODE_SIZE];		/* who fetched it */
	long long size;				/* the file's */
	usec_t	 at;				/* when it was closed */
	struct byte_ranges ranges;		/* within size; n > 0 */
};

void file_id_of(const struct stat *st, struct file_id *id);
int  file_id_is(const struct file_id *id, const struct stat *st);

#define PROTO(X) \
	void put_##X(struct buf *b, const struct X *v); \
	int  get_##X(const struct msg *m, struct X *v);
PROTO(m_peer)
PROTO(m_login)
PROTO(m_login_result)
PROTO(m_rights)
PROTO(m_box_open)
PROTO(m_box_name)
PROTO(m_box_rename)
PROTO(m_box_result)
PROTO(m_submission)
PROTO(m_submission_id)
PROTO(m_submission_state)
PROTO(m_verdict)
PROTO(m_notice_id)
PROTO(m_notice_file)
PROTO(m_notice_publish)
PROTO(m_notice_published)
PROTO(m_archived)
PROTO(m_document)
PROTO(m_kept)
PROTO(m_material)
PROTO(m_pass)
PROTO(m_box_fetched)
PROTO(m_fetched)
PROTO(notice)
#undef PROTO

#endif
