/* SPDX-License-Identifier: ISC */
/* The key that --key and --cert name. */
#ifndef MUHUR_MUHUR_SIGN_KEY_H
#define MUHUR_MUHUR_SIGN_KEY_H

#include "document/sign.h"

/* key: a PEM file, or a pkcs11: URI, whose PIN comes from its pin-source or the terminal.
 * cert, chain (NULL for none): PEM files.  NULL, logged; signing_key_free. */
struct signing_key *sign_key_load(const char *key, const char *cert, const char *chain);

#endif
