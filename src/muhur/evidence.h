/* SPDX-License-Identifier: ISC */
/*
 * Evidence of one submission, for an auditor or a court: its file, its notices,
 * what they were judged by, and the proof that all of it stands in the trail, in
 * one container (asic.h).
 *
 * Its entries:
 *	index.html		the story, Turkish and English
 *	evidence.json		the same for programs
 *	document/<name>		the file as it was uploaded
 *	notices/<id>.<level>.xml
 *	certificates/<role>.pem	signer (where its signature held), gateway, tsa, each with its chain;
 *				of the latter two further ones: <role>-2.pem
 *	revocation/<sha256>.crl	the lists that the signer was judged by, DER
 *	material/...		anchors, lists and schemas as they judged it
 *	anchors/<which>.pem		the anchors at export: trust, tsa
 *	trail/checkpoint, .tsr, key, <index>.json	a proof for each event
 */
#ifndef MUHUR_MUHUR_EVIDENCE_H
#define MUHUR_MUHUR_EVIDENCE_H

#include <jansson.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "document/sign.h"
#include "muhur/asic.h"
#include "muhur/cmd.h"
#include "muhur/tsa.h"

struct evidence_means {		/* what an export closes containers with; each may be NULL */
	struct tsa		*tsa;
	struct signing_key	*key;
};

struct evidence {
	struct cmd	*c;
	const struct evidence_means *means;
	const char	*id;		/* the submission's */
	char		 no[24];	/* its number */
	json_t		*story;		/* evidence.json */
	struct asic	 files;
	int		 store;		/* folder */
};

/* SQL: when the first of a submission's file and notices was purged; NULL: none was. */
#define EVIDENCE_PURGED_AT(s)	"LEAST(" s ".purged_at, (SELECT min(n.purged_at) FROM muhur.notice n WHERE n.submission = " s ".no))"

/* Each adds its part of files and story.  An exit code; what is wrong is logged. */
int	evidence_story(struct evidence *e);		/* document, notices, what judged them */
int	evidence_certificates(struct evidence *e);
int	evidence_trail(struct evidence *e);
/* A certificate's SHA-256; is it issued and signed by that one? */
void	evidence_certificate_digest(const X509 *cert, char hex[SHA256_HEX_SIZE]);
int	evidence_issued(X509 *cert, X509 *by);

enum { TR, EN };		/* the languages of pages */
/* Text for XML and HTML, appended. */
void	evidence_escape(struct buf *b, const char *s);
/* A state, level or kind of event for people; of one that is not known its name. */
const char *evidence_word(const char *name, int language);
/* What closes a container. */
struct evidence_closing { int stamped, is_signed; };
/* index.html of a story. */
void	evidence_page(const json_t *story, const struct asic *files, struct evidence_closing closing, struct buf *html);

/* One submission into the container out, which must not be there yet; its SHA-256.  An exit code. */
int	evidence_export(struct cmd *c, const struct evidence_means *m, const char *id, const char *out,
	    char sha256[SHA256_HEX_SIZE]);
/* All of a member's from one day to another into the folder dir, which is made.  An exit code. */
int	evidence_range(struct cmd *c, const struct evidence_means *m, const char *member,
	    const char *from, const char *to, const char *dir);

/* The verbs. */
int	evidence_verify(struct cmd *c, int argc, char **argv);

#endif
