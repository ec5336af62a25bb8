/* SPDX-License-Identifier: ISC */
/*
 * Checkpoints: C2SP tlog-checkpoint in a C2SP signed-note, Ed25519 (RFC 8032).
 */
#ifndef MUHUR_TRAIL_NOTE_H
#define MUHUR_TRAIL_NOTE_H

#include "base/clock.h"
#include "base/mem.h"
#include "trail/merkle.h"

#define ORIGIN_SIZE	129	/* bytes of a log's name */
#define CHECKPOINT_MAX	4096	/* bytes of a whole note */

struct checkpoint {
	char		 origin[ORIGIN_SIZE];
	uint64_t	 size;
	struct hash	 root;
};

/* Base64 as RFC 4648 4 has it.  decode: exactly n bytes, and only as encode writes
 * them; 0 or -1. */
void	base64_encode(const void *p, size_t n, struct buf *out);
int	base64_decode(const char *s, size_t len, void *p, size_t n);

/* A size as text has it: digits without a leading zero, up to INT64_MAX.  0 or -1. */
int	size_parse(const char *s, size_t len, uint64_t *n);

/* A log's name: 1..ORIGIN_SIZE - 1 printable ASCII characters, no space, no '+'. */
int	note_name_ok(const char *s);

struct note_signer;	/* name and private key */
struct note_verifier;	/* name and public key */

/* key: PEM of an Ed25519 private key.  NULL with the cause logged. */
struct note_signer *note_signer_new(const char *name, const char *key, size_t len);
void	note_signer_free(struct note_signer *s);
/* "<name>+<8 hex of the key id>+<base64 of 0x01 and the public key>", as C2SP
 * signed-note has verifier keys; no line end. */
void	note_signer_public(const struct note_signer *s, struct buf *out);

/* vkey: that text, white space around it is passed over.  NULL (logged). */
struct note_verifier *note_verifier_new(const char *vkey);
void	note_verifier_free(struct note_verifier *v);
const char *note_verifier_name(const struct note_verifier *v);

/* The whole note, which ends with a line end.  0 or -1 (logged). */
int	checkpoint_sign(const struct checkpoint *c, const struct note_signer *s, struct buf *out);
/* Strictly; lines behind the root (extensions) are allowed and passed over; other
 * keys' signatures too.  0; -1 with *why what is wrong (a literal). */
int	checkpoint_open(const char *note, size_t len, const struct note_verifier *v,
	    struct checkpoint *c, const char **why);

#endif
