/* SPDX-License-Identifier: ISC */
/* What OpenSSL has to say. */
#ifndef MUHUR_XML_OPENSSL_H
#define MUHUR_XML_OPENSSL_H

/* Log "what: " and OpenSSL's last error as a warning; its queue is then empty. */
void openssl_log(const char *what);
/* For PEM_read_bio_*: OpenSSL would else ask on the terminal for the password of an
 * encrypted one.  Always fails. */
int openssl_no_password(char *buf, int size, int rwflag, void *arg);

#endif
