/* SPDX-License-Identifier: ISC */
/*
 * XAdES-BES (ETSI EN 319 132-1, TS 101 903 v1.3.2): what the signature says
 * about itself.  Here it is judged which properties stand there and where;
 * dsig.c sees to it that a reference really covers them.
 */
#ifndef MUHUR_XML_XADES_H
#define MUHUR_XML_XADES_H

#include <libxml/tree.h>
#include <openssl/x509.h>

#include "base/clock.h"
#include "base/policy.h"
#include "model/reason.h"
#include "xml/dsig.h"

#define XADES_TYPE	"http://uri.etsi.org/01903#SignedProperties"

/* DigestMethod and DigestValue (DigestAlgAndValueType). */
struct xades_digest {
	enum dsig_digest type;
	unsigned char	 value[EVP_MAX_MD_SIZE];
	size_t		 len;
};

/* One Cert of SigningCertificate (v1) or SigningCertificateV2. */
struct xades_cert {
	int		 v2;
	struct xades_digest digest;
	char		*serial;	/* v1, decimal; NULL absent */
	unsigned char	*issuer_serial;	/* V2, DER; NULL absent */
	size_t		 issuer_serial_len;
};

/* SignaturePolicyIdentifier (EN 319 132-1, 5.2.9). */
struct xades_policy {
	int		 present;
	char		*id;		/* NULL: implied; an OID without "urn:oid:" */
	struct xades_digest digest;	/* SigPolicyHash */
	long		 line;
};

struct xades {
	xmlNode		*signed_properties;
	char		*id;		/* its Id */
	usec_t		 signing_time;	/* 0: none, or no time */
	struct xades_cert certs[XML_MAX_CERTIFICATES];
	size_t		 ncerts;
	struct xades_policy policy;
};

/* Find and read the SignedProperties of this signature: its one Object with
 * QualifyingProperties whose Target names the signature.  0, or -1 where
 * reasons were added.  x is zeroed first; xades_reset in either case. */
int	xades_read(const xmlNode *signature, struct xades *x, struct reasons *rs);
void	xades_reset(struct xades *x);
/* Does that Cert name the certificate? */
int	xades_cert_is(const struct xades_cert *xc, X509 *cert);
/* Does each of the lists that stand there, v1 and V2, name the certificate? */
int	xades_names(const struct xades *x, X509 *cert);
/* Is the policy one of the n that are taken?  list NULL: that is not judged.
 * What is to be said of it: "" for none, "implied", or its identifier.  NULL where
 * a reason was added. */
const char *xades_policy_judge(const struct xades_policy *p, const struct signature_policy *list,
	    size_t n, struct reasons *rs);

#endif
