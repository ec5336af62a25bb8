/* SPDX-License-Identifier: ISC */
/*
 * A notice whose days in the outbox are over goes to the archive of its day
 * (S2 A: seven days in the depot, then archived and kept).
 */
#ifndef MUHUR_ARCHIVE_EXPIRE_H
#define MUHUR_ARCHIVE_EXPIRE_H

#include "msg/proto.h"

/* Move <boxes>/<recipient>/outbox/<file> to archive/<day>/, after its bytes
 * have been found to be what was signed.  Durable, and may be repeated: what
 * is in the archive already is done.  0, or -1 with the cause logged; what was
 * moved then is perhaps not durable, and is to be tried again. */
int expire_notice(int boxes, const struct m_notice_publish *notice);

#endif
