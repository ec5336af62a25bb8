/* SPDX-License-Identifier: ISC */
/*
 * One ds:Signature, judged.  The whole document never stands in memory: its
 * digest comes from the streaming pass; here is only the skeleton, a small
 * DOM of the root's start tag (namespaces, attributes) with the ds:Signature
 * subtree, without its UnsignedProperties, as its only child.  SignedInfo and
 * SignedProperties canonicalise in it exactly as in the full document.
 */
#ifndef MUHUR_XML_DSIG_H
#define MUHUR_XML_DSIG_H

#include <libxml/tree.h>
#include <openssl/x509.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/policy.h"
#include "model/reason.h"
#include "xml/c14n.h"

#define DSIG_NS		"http://www.w3.org/2000/09/xmldsig#"
#define XADES_NS	"http://uri.etsi.org/01903/v1.3.2#"

enum dsig_digest { DSIG_SHA256, DSIG_SHA384, DSIG_SHA512 };
const char *dsig_digest_openssl(enum dsig_digest d);	/* "SHA256": for EVP_MD_fetch */
size_t dsig_digest_size(enum dsig_digest d);

/* What the reference to the document (URI="") demands of the streaming pass. */
struct dsig_demand {
	struct c14n_params	 c14n;		/* prefixes owned: dsig_demand_free */
	enum dsig_digest	 digest;
};
void dsig_demand_free(struct dsig_demand *d);
int  dsig_demand_equal(const struct dsig_demand *a, const struct dsig_demand *b);
/* An untrusted guess from the bytes of a file's head or tail, made before the
 * pass; exclusive c14n and SHA-256 where nothing is found.  dsig_read's demand
 * is compared with it afterwards. */
void dsig_hint(const char *head, size_t head_len, const char *tail, size_t tail_len, struct dsig_demand *d);

struct dsig;
/* Structure, allow-lists and coverage of the signature (contract: what
 * signatures are accepted).  signature: the ds:Signature element in the
 * skeleton, which must outlive the result.  NULL where reasons were added
 * (SIG_COVERAGE, SIG_ALGORITHM, SIG_VALUE for an undecodable value). */
struct dsig *dsig_read(xmlNode *signature, enum signature_profile profile, struct reasons *rs);
const struct dsig_demand *dsig_demand(const struct dsig *d);
/* The signer's certificate (from SignedProperties' SigningCertificate among
 * KeyInfo's, in the xmldsig profile the first whose key verifies) and the others;
 * both owned by d.  NULL where KeyInfo holds none, or more than are looked at. */
X509 *dsig_certificate(const struct dsig *d);
STACK_OF(X509) *dsig_others(const struct dsig *d);
/* ds:SignatureValue, in the skeleton. */
xmlNode *dsig_value(const struct dsig *d);
usec_t dsig_signing_time(const struct dsig *d);		/* 0: none */
/* Its signature policy, as xades_policy_judge says: SIG_ALGORITHM for one that is
 * not in the list, since it is a name that no allow-list has. */
const char *dsig_policy(const struct dsig *d, const struct signature_policy *list, size_t n,
    struct reasons *rs);
/* digest: of the canonical document without ds:Signature, from the pass.
 * Adds SIG_DIGEST (document, SignedProperties), SIG_VALUE, SIG_COVERAGE,
 * CERT_UNTRUSTED where the SigningCertificate digest is of another one. */
void dsig_verify(struct dsig *d, const unsigned char *digest, size_t len, struct reasons *rs);
void dsig_free(struct dsig *d);

#endif
