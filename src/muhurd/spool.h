/* SPDX-License-Identifier: ISC */
/*
 * Taking an upload, what was taken and not yet concluded, and the store.
 * Every function blocks on the disk: call it from a disk job.  Each is safe to
 * repeat after a crash between any two of its steps.
 */
#ifndef MUHUR_MUHURD_SPOOL_H
#define MUHUR_MUHURD_SPOOL_H

#include <stddef.h>

#include "base/clock.h"
#include "msg/proto.h"
#include "muhurd/tree.h"

/* The moment inside a UUIDv7 (RFC 9562 5.7), in microseconds, whole
 * milliseconds: received_at of a submission is its id's moment, so that the
 * name of its folder is enough to know both again. */
usec_t spool_id_time(const char *uuid);

/*
 * Take the upload `name' of a user's inbox as `m->name': make sure that no
 * writer is left, move it to received/<m->id>.<m->user>/, make it durable,
 * list it in `sent'.  m->size is set.  BOX_OK means on stable storage.
 * BOX_BUSY: somebody still writes, or the name bears another file than `id', or
 * one that was written since; BOX_NO_SUCH_FILE; BOX_DENIED: it has gaps or
 * is empty; BOX_NO_SPACE and BOX_FAILURE: our trouble, and the log has it.  On
 * these the upload is in the inbox as before.
 * BOX_LOST: it could not be made durable.  A write that failed is reported by
 * one fsync only, the next one succeeds over lost bytes; so the upload is gone
 * from inbox and spool, and its sender has to send it again.
 */
enum box_status spool_take(const struct tree *t, int inbox, int sent, const char *name,
    const struct file_id *id, struct m_submission *m);

/* A taken document for reading; -1 with errno. */
int spool_open(const struct tree *t, const struct m_submission *m);

/* Move a document whose fate is decided into the store as sha256 (hex), or,
 * where that is "" or other bytes bear that name, as held/<id>; then forget it
 * here.  0 or -1 with errno; 0 with an alarm where it is gone from both. */
int spool_conclude(const struct tree *t, const struct m_submission *m, const char *sha256);

/* What is in received, oldest first, at most max of it.  durable: fsync all of
 * it (at start: a crash may have come before that).  Leftovers of crashes are
 * removed, anything else that does not belong is named in the log; what is just
 * being taken is passed over.  *list is
 * the caller's to free.  *more tells that there was more than max.  0 or -1. */
int spool_scan(const struct tree *t, size_t max, int durable, struct m_submission **list,
    size_t *n, int *more);

/* Is it the bytes of fd that the folder shelf of the store holds as sha256?  1, 0, or
 * -1 with errno. */
int spool_same(int fd, int shelf, const char *sha256);

/* Empty store/tmp: at start, before anybody works there. */
void spool_clean_tmp(const struct tree *t);
/* A new file for the signer, store/tmp/<id>.  Its descriptor, or -1 with errno. */
int spool_tmp_file(const struct tree *t, const char *id);
void spool_tmp_remove(const struct tree *t, const char *id);
/* store/tmp/<id>, open as out, becomes store/<sha256>, durable, read-only;
 * size is what it must have.  0, or -1 with errno: ESTALE where another file bears
 * the first name, EBADMSG where another document bears the second, or for the size. */
int spool_store_notice(const struct tree *t, const char *id, int out, const char *sha256,
    long long size);
/* Link a stored document into a member's outbox, out of its day's archive where it
 * was there, or where p->archived into that archive; durable.  0 or -1 with errno. */
int spool_publish(const struct tree *t, const struct m_notice_publish *p);
/* Make boxes/<member>/archive/<day> for the archive process. */
int spool_archive_day(const struct tree *t, const struct m_notice_publish *p);

#endif
