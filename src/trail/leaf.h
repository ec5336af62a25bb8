/* SPDX-License-Identifier: ISC */
/*
 * One event of the trail as a leaf of the log, and what opens it.
 *
 * A leaf is canonical JSON (keys sorted by bytes, no white space, integers
 * and strings only), version 1:
 *	actor		user code, "operator" or "gateway"
 *	at		RFC 3339, UTC, six fraction digits
 *	detail		hex of SHA-256(salt || the canonical text of the event's detail)
 *	event		the event's number
 *	kind		e.g. "received", "accepted", "signed"
 *	notice		its id; absent where there is none
 *	sha256		hex, of the bytes it is about; only for kinds whose bytes nobody
 *			can guess: signed documents
 *	submission	its id; absent where there is none
 *	v		1
 * Detail may hold what a member wrote (file names, reasons): so the leaf has
 * its salted hash alone.  The opening {"detail":...,"salt":"<32 hex>"} stays with
 * the gateway and goes into evidence, one event at a time.
 */
#ifndef MUHUR_TRAIL_LEAF_H
#define MUHUR_TRAIL_LEAF_H

#include "base/clock.h"
#include "base/mem.h"
#include "trail/merkle.h"

#define LEAF_SALT_SIZE	16	/* raw bytes */
#define LEAF_KIND_SIZE	41
#define OPENING_MAX	(1024 * 1024)	/* bytes of one opening */
#define LEAF_MAX	65535	/* bytes: C2SP tlog-tiles has a 16-bit length */
/* The kind of a leaf whose event cannot be written as leaves are: its detail has the
 * texts of the event's columns "at", "kind", "actor" and "detail", or "<column>-sha256". */
#define LEAF_UNREADABLE	"unreadable"

struct leaf {
	long long	 event;
	usec_t		 at;
	char		 kind[LEAF_KIND_SIZE];
	char		 actor[USER_CODE_SIZE];
	char		 submission[UUID_SIZE];		/* "" none */
	char		 notice[UUID_SIZE];		/* "" none */
	char		 sha256[SHA256_HEX_SIZE];	/* "" none */
	struct hash	 detail;			/* the salted hash */
};

/* Does that kind show the SHA-256 of the bytes it is about?  1: and they are in the
 * store; 0: they are not there, or not any more; -1: it shows none. */
int	leaf_kind_stored(const char *kind);

/* l has the other fields.  detail: JSON text of an object, salt: LEAF_SALT_SIZE bytes.  Sets l->detail, and
 * l->sha256 from detail's "sha256" where the kind is one that shows it.  opening:
 * the canonical text {"detail":...,"salt":...} is appended; strings as RFC 8785 has
 * them, keys sorted by bytes.  0; -1 (logged): no JSON object, a number in it is no
 * integer, or another field of l cannot be. */
int	leaf_commit(struct leaf *l, const char *detail, const unsigned char *salt, struct buf *opening);
/* Its canonical bytes are appended. */
void	leaf_text(const struct leaf *l, struct buf *out);
/* Strictly: exactly what leaf_text would write; *why is a literal.  0 or -1. */
int	leaf_parse(const char *text, size_t len, struct leaf *l, const char **why);
/* Does the opening (leaf_commit's, white space and order of keys may differ) open that
 * leaf, and does the leaf show what it should of it?  1 or 0.  detail,
 * where not NULL: its canonical text is appended. */
int	leaf_opens(const struct leaf *l, const char *opening, size_t len, struct buf *detail);

#endif
