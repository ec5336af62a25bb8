/* SPDX-License-Identifier: ISC */
/*
 * A signing key in hardware: a private key on a PKCS#11 token, named by an
 * RFC 7512 URI.  It signs digests there and never leaves it.  The URI must
 * not carry the PIN (pin-value): it would stand in arguments and files.
 */
#ifndef MUHUR_DOCUMENT_TOKEN_H
#define MUHUR_DOCUMENT_TOKEN_H

#include <stddef.h>

#include "document/sign.h"

#define TOKEN_PIN_MAX	256	/* bytes; tokens set lower limits */

/* Is it such a URI at all?  "pkcs11:" is its scheme. */
int  token_is_uri(const char *s);
/* *path: the file that pin-source names ("file:/path", or a bare path), for the
 * caller to free; NULL where the URI names none.  0, or -1 where the URI is none
 * that can be used (logged). */
int  token_pin_source(const char *uri, char **path);
/* The PIN of a file's text: its first line.  0, or -1 where it is empty or
 * too long (logged). */
int  token_pin(const char *text, size_t len, const char **pin, size_t *pin_len);

/*
 * Load the module (of the URI's module-path, or p11-kit's proxy, where it is
 * NULL) and make a key of the certificates in certs and the token's private
 * key.  pin, copied, may be NULL: then the token has a keypad of its own, or
 * needs none.  The token is not looked for until signing_key_ready or the first
 * signature, so this belongs before the sandbox and that into it.  timeout:
 * seconds, after which a token that does not answer ends the process by SIGALRM
 * (nothing less gets out of a module that hangs); 0 waits.  NULL with the cause
 * logged.
 */
struct signing_key *token_key_new(const char *uri, const char *module, const char *pin,
    size_t pin_len, unsigned timeout, const char *certs_pem, size_t certs_len);

#endif
