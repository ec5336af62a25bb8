/* SPDX-License-Identifier: ISC */
/*
 * Signature policies that are taken (XAdES SignaturePolicyIdentifier, ETSI
 * EN 319 132-1 5.2.9): the OID of each and, where it is known, the digest of the
 * document that states the policy.
 */
#ifndef MUHUR_BASE_POLICY_H
#define MUHUR_BASE_POLICY_H

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

/* Turkey's profiles P2, P3 and P4 for electronic signatures (BTK's guide). */
#define SIGNATURE_POLICY_P2	"2.16.792.1.61.0.1.5070.3.1.1"
#define SIGNATURE_POLICY_P3	"2.16.792.1.61.0.1.5070.3.2.1"
#define SIGNATURE_POLICY_P4	"2.16.792.1.61.0.1.5070.3.3.1"

struct signature_policy {
	char	 oid[POLICY_OID_SIZE];	/* dotted decimal */
	uint8_t	 digest[POLICY_DIGEST_SIZE];
	size_t	 len;		/* 32, 48 or 64: by SHA-256, -384 or -512; 0: any digest will do */
};

/* Those that are taken where nothing else is set: the three above. */
#define SIGNATURE_POLICIES_DEFAULT	3
extern const struct signature_policy signature_policies_default[SIGNATURE_POLICIES_DEFAULT];

/* "OID", or "OID=sha256:HEX" (sha384, sha512).  0, or -1 where it is neither. */
int signature_policy_parse(const char *text, struct signature_policy *p);

#endif
