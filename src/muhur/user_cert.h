/* SPDX-License-Identifier: ISC */
/* Certificates of users, from enrolment to their end. */
#ifndef MUHUR_MUHUR_USER_CERT_H
#define MUHUR_MUHUR_USER_CERT_H

#include "muhur/cmd.h"
#include "muhur/enrol.h"

#define KEY_FILE_MAX	(256 * 1024)	/* bytes of a certificate or key file */

/* The first certificate of the file at path: may it be enrolled for that user?
 * Its chain to the anchors of the member's kind, times, usage and key (enrol.h), and that no CRL at hand names it.
 * An exit code, EXIT_YES good; enrol_free(e) in every case. */
int user_cert_read(struct cmd *c, const char *user, const char *path, struct enrol_certificate *e);
/* It becomes the user's, and so does its key for logins, within the caller's
 * transaction.  EXIT_NO (said) where it, or its key, is another user's, or
 * where it was this one's and is at its end. */
int user_cert_store(struct cmd *c, const char *user, const char *path,
    const struct enrol_certificate *e, const char *now);
/* bytea as a text parameter; caller frees. */
char *user_bytea(const struct buf *b);

/* muhur user cert ... */
int user_cert(struct cmd *c, int argc, char **argv);

#endif
