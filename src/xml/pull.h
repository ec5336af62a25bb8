/* SPDX-License-Identifier: ISC */
/*
 * The one parser set-up: a document is pulled once from a descriptor through
 * libxml2's SAX2 interface, its raw bytes are hashed as they pass, and the
 * limits of base/limits.h hold at every event.  Nothing but XML 1.0 without a
 * document type declaration comes through; encodings are UTF-8, UTF-16,
 * US-ASCII and ISO-8859-1, which libxml2 converts without opening a file.
 */
#ifndef MUHUR_XML_PULL_H
#define MUHUR_XML_PULL_H

#include <libxml/parser.h>
#include <stdint.h>

#include "base/limits.h"
#include "model/reason.h"

/* libxml2 for this process: no external entity, no text on standard error.
 * Before the sandbox; more than once does no harm. */
void pull_setup(void);

/* For this process: report hears, each PULL_PROGRESS bytes, how much of the
 * document that is being read has been.  NULL, as at the start: nobody does. */
#define PULL_PROGRESS	(16 * 1024 * 1024)
void pull_on_progress(void (*report)(long long bytes));

/* Each returns 0 to go on, -1 to end the parse.  CDATA comes as text; a text
 * node may come in several calls.  Strings live until the call returns, names
 * and namespace URIs until pull_free. */
struct pull_events {
	int	(*start)(void *arg, const xmlChar *localname, const xmlChar *prefix,
		    const xmlChar *uri, int nb_namespaces, const xmlChar **namespaces,
		    int nb_attributes, const xmlChar **attributes);	/* as startElementNs */
	int	(*end)(void *arg, const xmlChar *localname, const xmlChar *prefix,
		    const xmlChar *uri);
	int	(*text)(void *arg, const xmlChar *s, int len);
	int	(*comment)(void *arg, const xmlChar *s);
	int	(*pi)(void *arg, const xmlChar *target, const xmlChar *data);
};

struct pull;
/* fd is read from its start and must be seekable; max_size in bytes, 0 for no
 * limit.  ev, arg and rs must outlive the result. */
struct pull *pull_new(int fd, int64_t max_size, const struct pull_events *ev, void *arg,
    struct reasons *rs);
void pull_free(struct pull *p);

/* A document that is still being written: at its end so far, the first at bytes of
 * it, more waits: 1 there is more, and it can be read; 0 it is whole, -1 it never will be (logged). */
void pull_while_written(struct pull *p, int (*more)(void *arg, long long at), void *arg);

/* Parse the whole document, once.  PULL_OK: well-formed, every event passed on.
 * PULL_REFUSED: a reason was added (XML_MALFORMED, XML_FORBIDDEN, or that of
 * pull_refuse).  PULL_ENDED: a callback returned -1 without pull_refuse.
 * PULL_FAILED: our own trouble (reading, memory), logged.  After OK and
 * REFUSED the file has been read and hashed to its end. */
enum pull_status { PULL_OK, PULL_REFUSED, PULL_ENDED, PULL_FAILED };
enum pull_status pull_run(struct pull *p);

/* For callbacks.  The open elements count from 1, the root; in start and end
 * the element itself is among them.  The path is like /BalanceReport/Header. */
long pull_line(const struct pull *p);
int  pull_depth(const struct pull *p);
void pull_path(const struct pull *p, char path[REASON_PATH_SIZE]);
/* Refuse the document here: adds the reason with line and path and returns -1,
 * which the callback then returns. */
int  pull_refuse(struct pull *p, enum reason_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Bytes of the document consumed so far: in end, those up to and including
 * the end tag (an empty-element tag's: up to its end).  Exact where the
 * document is UTF-8; -1 unknown. */
long long pull_offset(const struct pull *p);
/* The encoding declared or detected, NULL where neither: UTF-8 then. */
const char *pull_encoding(const struct pull *p);

/* After PULL_OK and PULL_REFUSED: of all raw bytes of the file. */
void pull_sha256(const struct pull *p, unsigned char digest[SHA256_SIZE]);
long long pull_size(const struct pull *p);

#endif
