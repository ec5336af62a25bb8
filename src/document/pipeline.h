/* SPDX-License-Identifier: ISC */
/*
 * The one pass over a signed document, in bounded memory: one parser, one
 * stream of events; from it the SHA-256 of the raw bytes, the canonical form
 * and its digest, schema validation, header and records.  The small
 * ds:Signature subtree is kept and judged when it is complete.  So what was
 * signed is what was read, by construction.
 *
 * Records reach the sink before the verdict is known: the caller must not
 * let them take effect until document_judge has returned without reasons.
 */
#ifndef MUHUR_DOCUMENT_PIPELINE_H
#define MUHUR_DOCUMENT_PIPELINE_H

#include "base/clock.h"
#include "base/conf.h"
#include "base/limits.h"
#include "model/header.h"
#include "model/reason.h"
#include "model/record.h"
#include "model/timestamp.h"
#include "xml/c14n.h"
#include "xml/dsig.h"
#include "xml/schema.h"	/* schema_set_load, for callers */
#include "xml/trust.h"

/* libxml2, xmlsec and OpenSSL set up for this process; once, before the
 * sandbox.  0, or -1 with the cause logged. */
int  document_init(void);

struct document_settings {
	const struct trust	*trust;
	struct trust		*tsa;		/* who may make time-stamps; NULL: not judged */
	const struct schema_set	*schemas;	/* NULL: no schema stage (--signature-only) */
	enum signature_profile	 profile;
	usec_t	 at;			/* receipt: certificates are judged then */
	int	 require_crl;
	int	 signing_time_past;	/* seconds; < 0: the window is not judged */
	int	 signing_time_future;
	const struct signature_policy *policies;	/* that are taken; NULL: any */
	size_t	 npolicies;
	int64_t	 max_size;		/* bytes, 0 no limit */
	int	 any_document;		/* a root that is no submission's is right too (a
					 * notice); it then has no header and no records */
	/* Of a document that is still being written: pull_while_written, and what its
	 * signature will demand, without prefixes.  NULL both: it is whole. */
	int	(*more)(void *arg, long long at);
	void	*more_arg;
	const struct dsig_demand *demand;
};

/* Where header and records go.  Each returns 0, or -1 to end the pass (own
 * trouble: document_judge then returns -1).  header comes once, after schema
 * validation of the Header element's text; lines are whole COPY text lines
 * (msg/stream.h says of what).  restart: forget everything so far. */
struct document_sink {
	int	(*header)(void *arg, const struct header *h);
	int	(*records)(void *arg, enum record_kind kind, const char *lines, size_t len);
	int	(*restart)(void *arg);
	void	*arg;
};

struct document_verdict {
	struct reasons reasons;		/* empty: VALID. Only the first failing stage */
	char	 sha256[SHA256_HEX_SIZE];	/* raw bytes; always set on return 0 */
	long long size;
	int	 signature_valid;	/* XML, signature, certificate, signing time held */
	char	 cert_sha256[SHA256_HEX_SIZE];	/* "" unknown */
	char	 signer_subject[DN_SIZE];	/* RFC 4514 */
	char	 signer_issuer[DN_SIZE];
	char	 signer_serial[SERIAL_SIZE];
	usec_t	 signing_time;		/* 0 none */
	char	 policy[POLICY_OID_SIZE];	/* "" none, "implied", or its identifier, cut */
	struct timestamp timestamp;	/* told, and decides nothing */
	enum revocation revocation;
	struct crls_used crls;		/* by which that was judged */
	char	 root[MESSAGE_TYPE_SIZE];	/* root element's local name, "" unknown */
};

/* fd is read from its start to its end, at most twice.  sink may be NULL.
 * 0: *v is the verdict; -1: our own trouble (logged), nothing is known. */
int  document_judge(int fd, const struct document_settings *s,
    const struct document_sink *sink, struct document_verdict *v);

/* muhur c14n: the canonical bytes of a document to out, in bounded memory.
 * 0 (what is wrong with the document in rs), or -1: our own trouble. */
int  document_c14n(int fd, enum c14n_method method, int with_comments,
    int keep_signature, int out, struct reasons *rs);

#endif
