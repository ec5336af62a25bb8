/* SPDX-License-Identifier: ISC */
/* Inside of `muhur evidence verify': a container that is being judged. */
#ifndef MUHUR_MUHUR_EVIDENCE_CHECK_H
#define MUHUR_MUHUR_EVIDENCE_CHECK_H

#include <jansson.h>

#include "base/clock.h"
#include "muhur/asic.h"
#include "muhur/cmd.h"
#include "trail/note.h"
#include "xml/schema.h"
#include "xml/trust.h"

struct evidence_check {
	struct asic_reader	*r;
	char			(*sha256)[SHA256_HEX_SIZE];	/* of each entry, by its number */
	int			 temp;		/* a file for what is read twice */
	/* given from outside; NULL: what is in the container counts */
	struct trust		*trust, *tsa;
	struct trust		*trust_plain;	/* the same anchors, to which no list is added */
	char			*vkey;
	struct buf		 crls;		/* PEM, more of them */
	struct schema_set	*schemas;
	struct material		*schemas_seen;	/* their files */

	json_t			*story;
	json_t			*checks;	/* {check, ok, detail} */
	json_t			*notes;
	int			 bad;		/* checks that failed */
	int			 trouble;	/* our own: nothing is known */
	int			 own_tsa;	/* it is said that the container's own anchors count for stamps */

	/* what the leaves say */
	char			 submission[UUID_SIZE];
	usec_t			 received_at;	/* 0 unknown */
	struct buf		 named;		/* evidence_named: a line each */
	json_t			*events;	/* {file, kind, at, event, actor, notice, sha256, detail} */
};

/* One line of the verdict. */
void	evidence_say(struct evidence_check *k, int ok, const char *what, const char *fmt, ...)
	    __attribute__((format(printf, 4, 5)));
void	evidence_note(struct evidence_check *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* An entry's digest; NULL: there is no such entry. */
const char *evidence_digest(const struct evidence_check *k, const char *name);
/* Anchors: entries whose names begin with one of the two, NULL for none.  NULL: there
 * are none that can be used. */
struct trust *evidence_anchors(struct evidence_check *k, const char *a, const char *b);

/* A signature here was judged by the certificate of that SHA-256; role: "signer", "gateway" or
 * "tsa", as its file is named. */
void	evidence_named(struct evidence_check *k, const char *role, const char *sha256);
int	evidence_is_named(const struct evidence_check *k, const char *role, const char *sha256);

/* In this order.  There is a manifest. */
void	evidence_check_manifest(struct evidence_check *k);
void	evidence_check_trail(struct evidence_check *k);
void	evidence_check_story(struct evidence_check *k);
void	evidence_check_parts(struct evidence_check *k);
void	evidence_check_documents(struct evidence_check *k);
void	evidence_check_certificates(struct evidence_check *k);

#endif
