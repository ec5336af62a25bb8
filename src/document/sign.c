/* SPDX-License-Identifier: ISC */
/*
 * Signing in two passes: the first parses, canonicalises and digests, and
 * finds where the root ends; the second copies the bytes and puts the
 * signature there.  Both hash the raw bytes, so a file that changes between
 * them is not signed.
 */
#include "config.h"

#include "document/sign.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "document/signature.h"
#include "xml/c14n.h"
#include "xml/dsig.h"
#include "xml/pull.h"

#define COPY_SIZE	(256 * 1024)
#define END_TAG_MAX	(64 * 1024)	/* the root's end tag with its white space */

struct signing {
	struct pull	*pull;
	struct c14n	*c14n;
	EVP_MD_CTX	*md;
	char		*root;		/* its name with prefix */
	long long	 root_end;	/* offset behind it */
	unsigned char	 digest[EVP_MAX_MD_SIZE];	/* canonical form */
	unsigned char	 raw[SHA256_SIZE];		/* bytes as they are */
	/* where the signature goes, and where the rest begins */
	long long	 insert, resume;
};

static int
to_digest(void *arg, const char *p, size_t n)
{
	struct signing	*s = arg;

	return EVP_DigestUpdate(s->md, p, n) == 1 ? 0 : -1;
}

static int
on_start(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
    int nns, const xmlChar **ns, int nattr, const xmlChar **attr)
{
	struct signing	*s = arg;

	if (uri != NULL && strcmp((const char *)uri, DSIG_NS) == 0 &&
	    strcmp((const char *)name, "Signature") == 0)
		return pull_refuse(s->pull, SIG_MULTIPLE, "the document is signed already");
	if (pull_depth(s->pull) == 1 && s->root == NULL)
		s->root = xasprintf("%s%s%s", prefix != NULL ? (const char *)prefix : "",
		    prefix != NULL ? ":" : "", (const char *)name);
	if (c14n_start(s->c14n, name, prefix, uri, nns, ns, nattr, attr) == -1)
		return pull_refuse(s->pull, XML_FORBIDDEN, "too many namespaces in scope");
	return 0;
}

static int
on_end(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct signing	*s = arg;

	(void)name;
	(void)prefix;
	(void)uri;
	if (pull_depth(s->pull) == 1)
		s->root_end = pull_offset(s->pull);
	return c14n_end(s->c14n);
}

static int
on_text(void *arg, const xmlChar *text, int len)
{
	return c14n_text(((struct signing *)arg)->c14n, text, len);
}

static int
on_comment(void *arg, const xmlChar *text)
{
	return c14n_comment(((struct signing *)arg)->c14n, text);
}

static int
on_pi(void *arg, const xmlChar *target, const xmlChar *data)
{
	return c14n_pi(((struct signing *)arg)->c14n, target, data);
}

/* The signature is written in UTF-8 and so must the rest be: 1, 0, or -1. */
static int
is_utf8(int in, const struct pull *p)
{
	unsigned char	 head[4] = { 'x', 'x', 'x', 'x' };
	const char	*encoding = pull_encoding(p);

	if (encoding != NULL)
		return strcasecmp(encoding, "UTF-8") == 0;
	if (pread(in, head, sizeof(head), 0) == -1)
		return -1;
	return head[0] < 0xfe && memchr(head, '\0', sizeof(head)) == NULL;
}

/* 1 parsed and digested; 0 refused with reasons; -1 our own trouble. */
static int
first_pass(struct signing *s, int in, const struct signing_key *k, struct reasons *rs)
{
	const struct pull_events	 ev = { on_start, on_end, on_text, on_comment, on_pi };
	const struct c14n_params	 params = { .method = C14N_EXCLUSIVE };
	int				 utf8;

	s->md = EVP_MD_CTX_new();
	s->c14n = c14n_new(&params, to_digest, s);
	s->pull = pull_new(in, 0, &ev, s, rs);
	if (s->md == NULL || s->c14n == NULL || s->pull == NULL || EVP_DigestInit_ex(s->md,
	    EVP_get_digestbyname(dsig_digest_openssl(k->alg->digest)), NULL) != 1) {
		log_warnx("signing: out of memory");
		return -1;
	}
	switch (pull_run(s->pull)) {
	case PULL_OK:
		break;
	case PULL_REFUSED:
		return 0;
	case PULL_ENDED:
		log_warnx("signing: canonicalisation failed");
		return -1;
	case PULL_FAILED:
		return -1;
	}
	if ((utf8 = is_utf8(in, s->pull)) == -1) {
		log_warn("signing: read");
		return -1;
	}
	if (!utf8) {
		reasons_add(rs, XML_FORBIDDEN, 1, "", "only UTF-8 documents can be signed");
		return 0;
	}
	pull_sha256(s->pull, s->raw);
	return EVP_DigestFinal_ex(s->md, s->digest, NULL) == 1 ? 1 : -1;
}

/* Where the root's last tag begins.  "/>": an empty root, which is opened. */
static int
find_insertion(struct signing *s, int in)
{
	long long	 from = s->root_end > END_TAG_MAX ? s->root_end - END_TAG_MAX : 0;
	size_t		 len = (size_t)(s->root_end - from);
	char		*tail = xcalloc(1, END_TAG_MAX + 1), *tag;
	int		 rc = -1;

	if (s->root_end < 4 || pread(in, tail, len, from) != (ssize_t)len ||
	    tail[len - 1] != '>')
		goto out;
	s->resume = s->root_end;
	if (tail[len - 2] == '/') {
		s->insert = s->root_end - 2;
	} else {
		tag = memrchr(tail, '<', len);
		if (tag == NULL || tag[1] != '/')
			goto out;
		s->insert = s->resume = from + (tag - tail);
	}
	rc = 0;
out:
	if (rc == -1)
		log_warnx("signing: the end of the root element was not found");
	free(tail);
	return rc;
}

/* Copy bytes from..to (to -1: to the end), hashing all that is read. */
static int
copy(int in, long long from, long long to, int out, EVP_MD_CTX *md)
{
	char	*block = xcalloc(1, COPY_SIZE);
	size_t	 want;
	ssize_t	 n = 0;
	int	 rc = -1;

	while (to == -1 || from < to) {
		want = to != -1 && to - from < COPY_SIZE ? (size_t)(to - from) : COPY_SIZE;
		while ((n = pread(in, block, want, from)) == -1 && errno == EINTR)
			;
		if (n <= 0)
			break;
		if (EVP_DigestUpdate(md, block, (size_t)n) != 1)
			goto out;
		if (out != -1 && write_full(out, block, (size_t)n) == -1) {
			log_warn("signing: write");
			goto out;
		}
		from += n;
	}
	if (n == -1)
		log_warn("signing: read");
	else if (to == -1 || from == to)
		rc = 0;
	else
		log_warnx("signing: the document became shorter while it was signed");
out:
	free(block);
	return rc;
}

static int
second_pass(const struct signing *s, int in, const struct buf *signature, int out)
{
	EVP_MD_CTX	*md = EVP_MD_CTX_new();
	unsigned char	 raw[EVP_MAX_MD_SIZE];
	struct buf	 text = { 0 };
	int		 empty = s->insert != s->resume, rc = -1;

	if (md == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
		goto out;
	if (empty)
		buf_puts(&text, ">");
	buf_append(&text, signature->data, signature->len);
	if (empty)
		buf_printf(&text, "</%s>", s->root);
	if (copy(in, 0, s->insert, out, md) == -1)
		goto out;
	if (write_full(out, text.data, text.len) == -1) {
		log_warn("signing: write");
		goto out;
	}
	if (copy(in, s->insert, s->resume, -1, md) == -1 ||
	    copy(in, s->resume, -1, out, md) == -1 || EVP_DigestFinal_ex(md, raw, NULL) != 1)
		goto out;
	if (memcmp(raw, s->raw, SHA256_SIZE) != 0) {
		log_warnx("signing: the document changed while it was signed");
		goto out;
	}
	rc = 0;
out:
	buf_free(&text);
	EVP_MD_CTX_free(md);
	return rc;
}

int
document_sign(int in, int out, const struct signing_key *k, usec_t signing_time,
    struct reasons *rs)
{
	struct signing	 s = { .root_end = -1 };
	struct buf	 signature = { 0 };
	int		 rc;

	rc = first_pass(&s, in, k, rs);
	if (rc == 1) {
		rc = -1;
		if (find_insertion(&s, in) == 0 &&
		    signature_text(k, s.digest, signing_time, &signature) == 0)
			rc = second_pass(&s, in, &signature, out);
	}
	buf_free(&signature);
	pull_free(s.pull);
	c14n_free(s.c14n);
	EVP_MD_CTX_free(s.md);
	free(s.root);
	return rc;
}
