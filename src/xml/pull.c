/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <libxml/parserInternals.h>
#include <libxml/SAX2.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "xml/pull.h"
#include "xml/pull_encoding.h"

#define READ_SIZE	(128 * 1024)

struct pull {
	int			 fd;
	int64_t			 max_size;
	const struct pull_events *ev;
	void			*arg;
	struct reasons		*rs;
	xmlParserCtxt		*ctxt;
	EVP_MD_CTX		*md;
	unsigned char		 sha256[SHA256_SIZE];
	/* the reader's block */
	char			*block;
	size_t			 block_len, block_off;
	int			 eof;
	long long		 size;		/* bytes read so far */
	int			(*more)(void *arg, long long at);	/* NULL: it is whole */
	void			*more_arg;
	size_t			 silence;	/* bytes given since the last event */
	/* the open elements; names belong to the parser's dictionary */
	const xmlChar		*name[XML_MAX_DEPTH];
	int			 nsdecls[XML_MAX_DEPTH];
	int			 depth;
	int			 ns_in_scope;
	unsigned		 base_names;	/* the dictionary before the document */
	enum pull_status	 status;
};

static void (*progress)(long long bytes);

static xmlParserInput *
no_external_entity(const char *url, const char *id, xmlParserCtxt *ctxt)
{
	(void)url;
	(void)id;
	(void)ctxt;
	return NULL;
}

static void
no_message(void *ctx, const char *fmt, ...)
{
	(void)ctx;
	(void)fmt;
}

void
pull_setup(void)
{
	xmlInitParser();
	xmlSetExternalEntityLoader(no_external_entity);
	xmlSetGenericErrorFunc(NULL, no_message);
}

void
pull_on_progress(void (*report)(long long bytes))
{
	progress = report;
}

/* --- where we are -------------------------------------------------------- */

long
pull_line(const struct pull *p)
{
	/* libxml2 counts in an int, which a document of over 2^31 lines passes */
	return p->ctxt->input != NULL && p->ctxt->input->line > 0 ? p->ctxt->input->line : 0;
}

int
pull_depth(const struct pull *p)
{
	return p->depth;
}

void
pull_path(const struct pull *p, char path[REASON_PATH_SIZE])
{
	size_t len = 0, n;
	int i;

	path[0] = '\0';
	for (i = 0; i < p->depth; i++) {
		n = strlen((const char *)p->name[i]);
		if (len + 1 + n >= REASON_PATH_SIZE)
			break;
		path[len++] = '/';
		memcpy(path + len, p->name[i], n + 1);
		len += n;
	}
}

long long
pull_offset(const struct pull *p)
{
	return xmlByteConsumed(p->ctxt);
}

const char *
pull_encoding(const struct pull *p)
{
	if (p->ctxt->encoding != NULL)
		return (const char *)p->ctxt->encoding;
	return p->ctxt->input != NULL ? (const char *)p->ctxt->input->encoding : NULL;
}

void
pull_sha256(const struct pull *p, unsigned char digest[SHA256_SIZE])
{
	memcpy(digest, p->sha256, SHA256_SIZE);
}

long long
pull_size(const struct pull *p)
{
	return p->size;
}

/* --- refusing ------------------------------------------------------------ */

int
pull_refuse(struct pull *p, enum reason_code code, const char *fmt, ...)
{
	char path[REASON_PATH_SIZE], detail[REASON_DETAIL_SIZE];
	va_list ap;

	if (p->status != PULL_OK)	/* the first fault is the one that is told */
		return -1;
	va_start(ap, fmt);
	if (vsnprintf(detail, sizeof(detail), fmt, ap) < 0)
		detail[0] = '\0';
	va_end(ap);
	pull_path(p, path);
	reasons_add(p->rs, code, pull_line(p), path, "%s", detail);
	p->status = PULL_REFUSED;
	return -1;
}

/* In a callback only: the parser frees its input here. */
static void
stop(struct pull *p)
{
	if (p->status == PULL_OK)
		p->status = PULL_ENDED;
	xmlStopParser(p->ctxt);
}

/* Has the parser taken all that was read? */
static int
drained(const struct pull *p)
{
	const xmlParserInput *in = p->ctxt->input;

	return in != NULL && in->cur >= in->end && p->block_off >= p->block_len &&
	    (in->buf == NULL || in->buf->raw == NULL || xmlBufUse(in->buf->raw) == 0);
}

/* libxml2's messages end in a newline and may quote the document: one line,
 * and only what libxml2 says of the place.  At the document's end that is what it had
 * hoped for ("mandates value for attribute Re"), which leads away from the cause; but an
 * end tag that has another name is found when it has been taken. */
static void
on_error(void *arg, xmlError *error)
{
	struct pull *p = arg;
	char text[REASON_DETAIL_SIZE];
	size_t n;

	if (p->status != PULL_OK || error == NULL)
		return;
	if (error->code == XML_ERR_NO_MEMORY) {
		log_alarm("xml parser: out of memory");
		p->status = PULL_FAILED;
		return;
	}
	if (error->level < XML_ERR_ERROR && error->code != XML_WAR_UNKNOWN_VERSION)
		return;
	if (p->eof && p->size > 0 && drained(p) && error->code != XML_ERR_TAG_NAME_MISMATCH) {
		(void)pull_refuse(p, XML_MALFORMED, "the document ends at line %ld", pull_line(p));
		return;
	}
	n = 0;
	if (error->message != NULL) {
		n = strcspn(error->message, "\r\n");
		if (n >= sizeof(text))
			n = sizeof(text) - 1;
		memcpy(text, error->message, n);
	}
	text[n] = '\0';
	(void)pull_refuse(p, XML_MALFORMED, "%s", text);
}

/* --- reading ------------------------------------------------------------- */

/* To the brim, but at the document's end. */
static ssize_t
read_block(struct pull *p)
{
	ssize_t n, len = 0;
	int more = 1, told = 0;

	while (len < READ_SIZE && more == 1) {
		if ((n = read_full(p->fd, p->block + len, (size_t)(READ_SIZE - len))) == -1) {
			log_alarm("document: read: %s", strerror(errno));
			return -1;
		}
		if (n == 0 && told) {	/* nor will be: to ask again would go on for ever */
			log_alarm("document: what was written of it is not there");
			return -1;
		}
		told = 1;
		len += n;
		more = len == READ_SIZE || p->more == NULL ? 0 : p->more(p->more_arg, p->size + len);
	}
	return more == -1 ? -1 : len;
}

/* The next block into p->block.  0, or -1 our own trouble. */
static int
fill(struct pull *p)
{
	ssize_t n;

	p->block_off = p->block_len = 0;
	if (p->eof)
		return 0;
	if ((n = read_block(p)) == -1)
		return -1;
	if (n < READ_SIZE)
		p->eof = 1;
	p->block_len = (size_t)n;
	p->size += n;
	if (progress != NULL && p->size / PULL_PROGRESS > (p->size - n) / PULL_PROGRESS)
		progress(p->size);
	if (EVP_DigestUpdate(p->md, p->block, (size_t)n) != 1) {
		log_alarm("document: SHA-256 failed");
		return -1;
	}
	return 0;
}

static int
on_read(void *arg, char *buf, int len)
{
	struct pull *p = arg;
	size_t done = 0, n;

	/* Filled to the brim: libxml2 takes a short read badly. */
	while (done < (size_t)len) {
		if (p->status != PULL_OK)
			return 0;	/* ends the parse; no more of this document */
		if (p->block_off == p->block_len) {
			if (p->eof)
				break;
			if (fill(p) == -1) {
				p->status = PULL_FAILED;
				return 0;
			}
			if (p->max_size > 0 && p->size > p->max_size) {
				(void)pull_refuse(p, XML_FORBIDDEN, "the document is larger than %lld bytes",
				    (long long)p->max_size);
				return 0;
			}
			continue;
		}
		n = p->block_len - p->block_off;
		if (n > (size_t)len - done)
			n = (size_t)len - done;
		memcpy(buf + done, p->block + p->block_off, n);
		p->block_off += n;
		done += n;
	}
	p->silence += done;
	if (p->silence > XML_MAX_SILENCE) {
		(void)pull_refuse(p, XML_FORBIDDEN, "a tag, comment or value is longer than %d bytes",
		    XML_MAX_SILENCE);
		return 0;
	}
	return (int)done;
}

static int
on_close(void *arg)
{
	(void)arg;
	return 0;
}

/* --- events -------------------------------------------------------------- */

/* At every event.  1 where the event must not be passed on. */
static int
at_event(struct pull *p)
{
	p->silence = 0;
	if (p->status != PULL_OK) {
		xmlStopParser(p->ctxt);
		return 1;
	}
	if ((unsigned)xmlDictSize(p->ctxt->dict) > p->base_names + XML_MAX_NAMES) {
		(void)pull_refuse(p, XML_FORBIDDEN, "more than %d distinct names", XML_MAX_NAMES);
		stop(p);
		return 1;
	}
	return 0;
}

static void
on_doctype(void *arg, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
	struct pull *p = arg;

	(void)name;
	(void)external;
	(void)system;
	(void)pull_refuse(p, XML_FORBIDDEN, "a document type declaration");
	stop(p);
}

/* Canonical XML 1.0 section 2.1 refuses relative namespace URIs; characters
 * that no URI has would be written unescaped by common implementations. */
static int
namespace_uri_ok(const xmlChar *uri)
{
	const char *s = (const char *)uri;
	size_t n;

	if (s == NULL || *s == '\0')
		return 1;		/* xmlns="" */
	if (strpbrk(s, "&<>\" \t\r\n") != NULL)
		return 0;
	n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-.");
	return n > 0 && s[n] == ':' && ((s[0] | 0x20) >= 'a' && (s[0] | 0x20) <= 'z');
}

static int
check_start(struct pull *p, int nb_namespaces, const xmlChar **namespaces, int nb_attributes)
{
	int i;

	if (nb_attributes > XML_MAX_ATTRIBUTES)
		return pull_refuse(p, XML_FORBIDDEN, "more than %d attributes", XML_MAX_ATTRIBUTES);
	if (nb_namespaces > XML_MAX_NSDECLS)
		return pull_refuse(p, XML_FORBIDDEN, "more than %d namespace declarations",
		    XML_MAX_NSDECLS);
	if (p->ns_in_scope > XML_MAX_NS_IN_SCOPE)
		return pull_refuse(p, XML_FORBIDDEN, "more than %d namespaces in scope",
		    XML_MAX_NS_IN_SCOPE);
	for (i = 0; i < nb_namespaces; i++)
		if (!namespace_uri_ok(namespaces[2 * i + 1]))
			return pull_refuse(p, XML_FORBIDDEN, "a namespace name that is no absolute URI");
	return 0;
}

static void
on_start(void *arg, const xmlChar *localname, const xmlChar *prefix, const xmlChar *uri,
    int nb_namespaces, const xmlChar **namespaces, int nb_attributes, int nb_defaulted,
    const xmlChar **attributes)
{
	struct pull *p = arg;

	(void)nb_defaulted;
	if (at_event(p))
		return;
	if (p->depth == XML_MAX_DEPTH) {
		(void)pull_refuse(p, XML_FORBIDDEN, "elements nest deeper than %d", XML_MAX_DEPTH);
		stop(p);
		return;
	}
	p->name[p->depth] = localname;
	p->nsdecls[p->depth] = nb_namespaces;
	p->depth++;
	p->ns_in_scope += nb_namespaces;
	if (check_start(p, nb_namespaces, namespaces, nb_attributes) == -1 ||
	    p->ev->start(p->arg, localname, prefix, uri, nb_namespaces, namespaces, nb_attributes,
	    attributes) == -1)
		stop(p);
}

static void
on_end(void *arg, const xmlChar *localname, const xmlChar *prefix, const xmlChar *uri)
{
	struct pull *p = arg;

	if (at_event(p) || p->depth == 0)
		return;
	if (p->ev->end(p->arg, localname, prefix, uri) == -1) {
		stop(p);
		return;
	}
	p->depth--;
	p->ns_in_scope -= p->nsdecls[p->depth];
}

static void
on_text(void *arg, const xmlChar *s, int len)
{
	struct pull *p = arg;

	if (!at_event(p) && len > 0 && p->ev->text(p->arg, s, len) == -1)
		stop(p);
}

static void
on_comment(void *arg, const xmlChar *s)
{
	struct pull *p = arg;

	if (!at_event(p) && p->ev->comment(p->arg, s) == -1)
		stop(p);
}

static void
on_pi(void *arg, const xmlChar *target, const xmlChar *data)
{
	struct pull *p = arg;

	if (!at_event(p) && p->ev->pi(p->arg, target, data) == -1)
		stop(p);
}

/* Without a document type declaration every entity reference left is of an
 * undeclared one, which the parser reports; this is for certainty. */
static void
on_reference(void *arg, const xmlChar *name)
{
	struct pull *p = arg;

	(void)name;
	(void)pull_refuse(p, XML_FORBIDDEN, "an entity reference");
	stop(p);
}

/* getEntity stays unset: libxml2 knows the predefined five by itself and
 * reports every other name as undeclared. */
static const xmlSAXHandler handler = {
	.internalSubset = on_doctype,
	.reference = on_reference,
	.characters = on_text,
	.ignorableWhitespace = on_text,		/* the same: no guessing at blanks */
	.cdataBlock = on_text,
	.comment = on_comment,
	.processingInstruction = on_pi,
	.startElementNs = on_start,
	.endElementNs = on_end,
	.serror = on_error,
	.initialized = XML_SAX2_MAGIC,
};

/* --- life ---------------------------------------------------------------- */

struct pull *
pull_new(int fd, int64_t max_size, const struct pull_events *ev, void *arg, struct reasons *rs)
{
	struct pull *p = xcalloc(1, sizeof(*p));

	p->fd = fd;
	p->max_size = max_size;
	p->ev = ev;
	p->arg = arg;
	p->rs = rs;
	p->block = xcalloc(1, READ_SIZE);
	xmlSetGenericErrorFunc(NULL, no_message);	/* libxml2 has one for each thread */
	return p;
}

void
pull_while_written(struct pull *p, int (*more)(void *arg, long long at), void *arg)
{
	p->more = more;
	p->more_arg = arg;
}

void
pull_free(struct pull *p)
{
	if (p == NULL)
		return;
	if (p->ctxt != NULL) {
		xmlFreeDoc(p->ctxt->myDoc);
		p->ctxt->myDoc = NULL;
		xmlFreeParserCtxt(p->ctxt);
	}
	EVP_MD_CTX_free(p->md);
	free(p->block);
	free(p);
}

static int
prepare(struct pull *p)
{
	xmlSAXHandler sax = handler;

	if (lseek(p->fd, 0, SEEK_SET) == -1) {
		log_alarm("document: seek: %s", strerror(errno));
		return -1;
	}
	p->md = EVP_MD_CTX_new();
	if (p->md == NULL || EVP_DigestInit_ex(p->md, EVP_sha256(), NULL) != 1) {
		log_alarm("document: SHA-256 cannot be set up");
		return -1;
	}
	if (fill(p) == -1)
		return -1;
	p->ctxt = xmlCreateIOParserCtxt(&sax, p, on_read, on_close, p, XML_CHAR_ENCODING_NONE);
	if (p->ctxt == NULL || xmlCtxtUseOptions(p->ctxt, XML_PARSE_NONET | XML_PARSE_NOENT) != 0) {
		log_alarm("document: the parser cannot be set up");
		return -1;
	}
	p->base_names = (unsigned)xmlDictSize(p->ctxt->dict);
	return 0;
}

/* libxml2 takes a NUL behind the root element for the end of the input, and
 * leaves part of a character there alone: neither may stand in a document.
 * 1 where the parser left something, -1 our own trouble. */
static int
left_over(struct pull *p)
{
	if (!drained(p))
		return 1;
	if (fill(p) == -1)
		return -1;
	return p->block_len > 0;
}

static enum pull_status
parse(struct pull *p)
{
	int left;

	(void)xmlParseDocument(p->ctxt);
	if (p->status != PULL_OK)
		return p->status;
	if (!p->ctxt->wellFormed || !p->ctxt->nsWellFormed)
		(void)pull_refuse(p, XML_MALFORMED, "not well-formed");
	else if ((left = left_over(p)) == -1)
		p->status = PULL_FAILED;
	else if (left)
		(void)pull_refuse(p, XML_MALFORMED, "something stands behind the end of the document");
	return p->status;
}

enum pull_status
pull_run(struct pull *p)
{
	unsigned len = SHA256_SIZE;
	char fault[REASON_DETAIL_SIZE];

	if (prepare(p) == -1)
		return p->status = PULL_FAILED;
	if (p->max_size > 0 && p->size > p->max_size)
		(void)pull_refuse(p, XML_FORBIDDEN, "the document is larger than %lld bytes",
		    (long long)p->max_size);
	else if (encoding_check(p->block, p->block_len, fault) == -1)
		(void)pull_refuse(p, XML_MALFORMED, "%s", fault);
	else
		(void)parse(p);
	if (p->status != PULL_OK && p->status != PULL_REFUSED)
		return p->status;
	while (!p->eof)			/* hash what a refusal left unread */
		if (fill(p) == -1)
			return p->status = PULL_FAILED;
	if (EVP_DigestFinal_ex(p->md, p->sha256, &len) != 1) {
		log_alarm("document: SHA-256 failed");
		return p->status = PULL_FAILED;
	}
	return p->status;
}
