/* SPDX-License-Identifier: ISC */
/* The outbox and the archive: links that appear and move on. */
#ifndef MUHUR_MUHURD_PUBLISH_H
#define MUHUR_MUHURD_PUBLISH_H

#include "muhurd/proc.h"

struct publish *publish_new(struct gateway *gw);
void publish_free(struct publish *p);

int  publish_notice(struct gateway *gw, struct msg *m);	/* M_NOTICE_PUBLISH */
int  publish_expire(struct gateway *gw, struct msg *m);	/* M_NOTICE_EXPIRE */
int  publish_archived(struct gateway *gw, struct msg *m);	/* M_ARCHIVED */
void publish_archive_gone(struct gateway *gw);
void publish_tick(struct gateway *gw, usec_t now);

#endif
