/* SPDX-License-Identifier: ISC */
/*
 * Why a submission was refused: symbolic, stable codes, one table
 * (contract: reason codes).  Codes belong to stages; only those of the first
 * failing stage are given to the member.
 */
#ifndef MUHUR_MODEL_REASON_H
#define MUHUR_MODEL_REASON_H

#include <stddef.h>

#include "base/limits.h"

enum reason_stage {
	STAGE_XML, STAGE_SIGNATURE, STAGE_CERTIFICATE, STAGE_SIGNING_TIME,
	STAGE_AUTHORITY, STAGE_SCHEMA, STAGE_CONTENT, STAGE_OURS, STAGE_NONE
};

enum reason_code {
	XML_MALFORMED, XML_FORBIDDEN,
	SIG_MISSING, SIG_MULTIPLE, SIG_COVERAGE, SIG_ALGORITHM, SIG_DIGEST, SIG_VALUE,
	CERT_UNTRUSTED, CERT_EXPIRED, CERT_REVOKED, CERT_REVOCATION_UNKNOWN, CERT_USAGE, CERT_NOT_ENROLLED,
	SIGNING_TIME,
	NOT_AUTHORISED, MEMBER_SUSPENDED,
	SCHEMA_INVALID,
	CONTROL_TOTAL, BUSINESS_DATE, DUPLICATE, REFERENCE_UNKNOWN,
	PROCESSING_FAILED,
	REASON_COUNT
};

/*
 * Does a document count that is refused at this stage?  By then its signature
 * held and its signer may act for the member; so its bytes, sent again, get the
 * first answer, and its MessageId is taken.  Bytes refused at any other stage
 * are judged anew and reserve nothing (contract: duplicates).
 */
int reason_stage_counts(enum reason_stage stage);

/* The texts are plain: no markup of XML, Markdown or mdoc. */
struct reason_info {
	const char	*name;		/* "SIG_DIGEST" */
	enum reason_stage stage;
	const char	*rule;		/* article or specification section */
	const char	*text_en;
	const char	*text_tr;
	const char	*action_en;	/* what the member does about it */
	const char	*action_tr;
};

const struct reason_info *reason_info(enum reason_code code);
/* REASON_COUNT where the name is none. */
enum reason_code reason_by_name(const char *name);

struct reason {
	enum reason_code code;
	long	 line;				/* 1-based, 0 unknown */
	char	 path[REASON_PATH_SIZE];	/* "" unknown */
	char	 detail[REASON_DETAIL_SIZE];	/* what was found, for people; no investor data */
};

/* A bounded list; past REASONS_MAX further ones of the same or a later stage
 * are dropped.  Zero-initialise to start. */
struct reasons {
	struct reason	 v[REASONS_MAX];
	size_t		 n;
};
void reasons_add(struct reasons *rs, enum reason_code code, long line,
    const char *path, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* The earliest failing stage, STAGE_NONE where the list is empty. */
enum reason_stage reasons_stage(const struct reasons *rs);
/* Keep only the reasons of the earliest stage, in order of code, line, path. */
void reasons_first_stage(struct reasons *rs);
int  reasons_has(const struct reasons *rs, enum reason_code code);

#endif
