/* SPDX-License-Identifier: ISC */
/*
 * What a certificate and an SSH public key must be before they are enrolled
 * (domain: signature facts; S2 E), and the key's blob as SSH sends it
 * (RFC 4253 6.6, RFC 5656 3.1).
 */
#ifndef MUHUR_MUHUR_ENROL_H
#define MUHUR_MUHUR_ENROL_H

#include <stddef.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "xml/trust.h"

/* The anchors in the file at path, which the setting names; NULL with the cause logged. */
struct trust *enrol_anchors(const char *setting, const char *path);
/* The trust anchors and policies for members of that kind, those of all with
 * MEMBER_UNKNOWN; NULL with the cause logged. */
struct trust *enrol_trust(const struct conf *conf, enum member_kind kind);

struct enrol_certificate {
	char	 sha256[SHA256_HEX_SIZE];	/* of the DER */
	char	 subject[DN_SIZE];
	char	 issuer[DN_SIZE];
	char	 serial[SERIAL_SIZE];
	usec_t	 not_before, not_after;
	struct buf der;
	struct buf key;			/* the blob of its public key */
};

/* The first certificate of a PEM text, judged at time at.  what: its file's
 * name, for the complaints.  0; 1 where it may not be enrolled, or -1 own
 * trouble; both complained about.  enrol_free in every case. */
int  enrol_certificate(struct enrol_certificate *e, const char *what, const char *pem,
    size_t len, const struct trust *trust, usec_t at);
void enrol_free(struct enrol_certificate *e);

/* The blob of a line "ssh-ed25519 AAAA... comment" (also RSA >= 2048, P-256,
 * P-384).  0, or 1 where it is none (complained about). */
int  enrol_ssh_key(struct buf *blob, const char *what, const char *text);

#endif
