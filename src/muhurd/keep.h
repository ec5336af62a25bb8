/* SPDX-License-Identifier: ISC */
/*
 * What the archive process does to the store: compressing, on the directory's
 * order; keeping the files that documents are judged by; telling of rot.
 */
#ifndef MUHUR_MUHURD_KEEP_H
#define MUHUR_MUHURD_KEEP_H

#include "muhurd/proc.h"

struct keep *keep_new(struct gateway *gw);
void keep_free(struct keep *k);

int  keep_order(struct gateway *gw, struct msg *m);	/* M_COMPRESS */
int  keep_pass_kept(struct gateway *gw, struct msg *m);	/* M_DIR_PASS_KEPT */
int  keep_message(struct gateway *gw, struct msg *m);	/* from the archive process */

/* The files that verify processes get from now on are to be kept.  What was handed
 * out before and is not kept yet stays open until it is. */
void keep_material(struct gateway *gw);
/* A judgement came, made with the material of that id ("" unknown): where it is not
 * known, files have changed unnoticed (schemas, say), and are kept as they are now. */
void keep_judged_by(struct gateway *gw, const char *id);
void keep_directory_up(struct gateway *gw);
void keep_archive_up(struct gateway *gw);
void keep_archive_gone(struct gateway *gw);

#endif
