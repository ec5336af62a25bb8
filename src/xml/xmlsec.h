/* SPDX-License-Identifier: ISC */
/*
 * xmlsec with OpenSSL, set up once for this process: nothing is ever loaded
 * from outside (no input callbacks, no key stores), and only the transforms
 * of the allow-list can run.  What xmlsec has to say goes to log_debug.
 */
#ifndef MUHUR_XML_XMLSEC_H
#define MUHUR_XML_XMLSEC_H

#include <libxml/tree.h>
#include <openssl/evp.h>

#include "base/mem.h"
#include "xml/c14n.h"

/* Before the sandbox; a second call does nothing.  0, or -1 (logged). */
int	xmlsec_setup(void);

/* The canonical bytes of node's subtree in its document, appended to out.
 * transform: an element with @Algorithm (CanonicalizationMethod, Transform),
 * allow-listed by the caller; NULL for inclusive c14n.  0, or -1. */
int	xmlsec_c14n(xmlNode *node, xmlNode *transform, struct buf *out);

/* SignedInfo canonicalised by its CanonicalizationMethod, SignatureValue
 * verified over it by its SignatureMethod with key.  The caller has
 * allow-listed both methods.  1 it verifies, 0 it does not, -1 own trouble. */
int	xmlsec_verify(xmlNode *signed_info, xmlNode *c14n_method,
	    xmlNode *signature_method, xmlNode *signature_value, EVP_PKEY *key);

#endif
