/* SPDX-License-Identifier: ISC */
/*
 * A small writer of XML: elements and attributes by name, values escaped, so
 * that no value can become markup.  What XML cannot hold (control characters,
 * bytes that are not UTF-8) is written as U+FFFD.  Errors stick: the first is
 * kept and everything after it is dropped; xmlout_finish reports it.
 *
 * As it writes it works out the digest of the document's canonical form: the
 * same events that a parser would read from it go to xml/c14n.h.
 */
#ifndef MUHUR_DOCUMENT_XMLOUT_H
#define MUHUR_DOCUMENT_XMLOUT_H

#include <openssl/evp.h>
#include <stddef.h>

#include "base/limits.h"
#include "base/mem.h"
#include "xml/c14n.h"

#define XMLOUT_BUFFER	(64 * 1024)
#define XMLOUT_DEPTH	8

/* Hears, of each part that is written, how many bytes are in the file now. */
struct xmlout_watch {
	void	(*written)(void *arg, long long size);
	void	*arg;
};

struct xmlout {
	int		 fd;
	long long	 size;		/* of what has been written */
	struct xmlout_watch watch;	/* written NULL: nobody */
	int		 error;		/* errno of the first failure */
	int		 tag_open;	/* a start tag waits for its attributes' end */
	int		 has_children;	/* of the innermost open element */
	size_t		 depth;
	const char	*open[XMLOUT_DEPTH];
	/* the canonical form */
	struct c14n	*c14n;
	EVP_MD_CTX	*md;
	const xmlChar	*namespaces[2];	/* of the open tag: prefix and URI */
	int		 nnamespaces, nattributes;
	const xmlChar	*names[XML_MAX_ATTRIBUTES];
	size_t		 ends[XML_MAX_ATTRIBUTES];	/* in values */
	struct buf	 values;	/* as a parser would give them, one behind the other */
	size_t		 n;
	char		 buf[XMLOUT_BUFFER];
};

/* fd is the file where it writes, from its start and whatever its offset; md what
 * the canonical form is digested by; watch may be NULL.  In every
 * case xmlout_free comes last.  0, or -1 with the cause logged. */
int	xmlout_init(struct xmlout *x, int fd, const EVP_MD *md, const struct xmlout_watch *watch);
void	xmlout_free(struct xmlout *x);

/* Element and attribute names and namespaces are the program's own and are not
 * copied.  The namespace is that of the element and those in it without another. */
void	xmlout_start(struct xmlout *x, const char *name);
void	xmlout_namespace(struct xmlout *x, const char *uri);
void	xmlout_attr(struct xmlout *x, const char *name, const char *value);
void	xmlout_end(struct xmlout *x);
/* <name>value</name>; value is cut after max bytes, at a character. */
void	xmlout_text(struct xmlout *x, const char *name, const char *value, size_t max);
void	xmlout_number(struct xmlout *x, const char *name, long long value);

/*
 * Closes what is open but the root, whose end tag comes with xmlout_finish, and
 * gives the digest of the whole as it is without what xmlout_signature then puts
 * before that tag.  0, or -1 with errno.
 */
int	xmlout_digest(struct xmlout *x, unsigned char digest[EVP_MAX_MD_SIZE]);
void	xmlout_signature(struct xmlout *x, const struct buf *text);
/* 0, or -1 with errno. */
int	xmlout_finish(struct xmlout *x);

/* The longest prefix of s of at most max bytes that ends at a character. */
size_t	xmlout_cut(const char *s, size_t max);

#endif
