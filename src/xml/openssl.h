/* SPDX-License-Identifier: ISC */
/* What OpenSSL has to say. */
#ifndef MUHUR_XML_OPENSSL_H
#define MUHUR_XML_OPENSSL_H

/* Log "what: " and OpenSSL's last error as a warning; its queue is then empty. */
void openssl_log(const char *what);

#endif
