/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "document/extract.h"
#include "document/pass.h"
#include "document/stamps.h"
#include "xml/node.h"
#include "xml/pull.h"
#include "xml/schema.h"
#include "xml/skeleton.h"

struct pass {
	const struct document_settings *settings;
	const struct document_sink *sink;
	struct pull		*pull;
	struct c14n		*c14n;
	EVP_MD			*md;
	EVP_MD_CTX		*digest;
	unsigned char		 digest_value[EVP_MAX_MD_SIZE];
	unsigned		 digest_len;
	struct skeleton		*skeleton;
	struct schema_run	*schema;
	struct extract		*extract;
	struct reasons		 xml, content;
	size_t			 schema_errors;
	size_t			 text_len;	/* of the current text */
	char			 root[MESSAGE_TYPE_SIZE];
	/* ds:Signature */
	size_t			 signatures;	/* seen, wherever */
	int			 in_signature;	/* depth of the open one, 0 none */
	int			 in_unsigned;	/* depth of its UnsignedProperties, 0 none */
	int			 keep;		/* the open one goes to the skeleton */
	int			 misplaced;
	struct stamps		 stamps;
	long long		 children;	/* of the root, so far */
	long long		 position;	/* of the kept one among them, from 0 */
};

/* --- schema -------------------------------------------------------------- */

static void
on_invalid(void *arg, const char *message)
{
	struct pass *p = arg;
	char path[REASON_PATH_SIZE];

	if (++p->schema_errors > XML_MAX_SCHEMA_ERRORS)
		return;
	pull_path(p->pull, path);
	reasons_add(&p->content, SCHEMA_INVALID, pull_line(p->pull), path, "%s", message);
}

static int
validating(const struct pass *p)
{
	return p->schema != NULL && p->schema_errors < XML_MAX_SCHEMA_ERRORS;
}

/* The root decides by which schema and as what the document is read. */
static void
choose_schema(struct pass *p, const xmlChar *localname, const xmlChar *uri)
{
	const struct document_settings *s = p->settings;
	const char *name = (const char *)localname;
	enum message_type t = message_type_by_name(name);

	if (s->schemas == NULL)
		return;
	if (t != MT_COUNT &&
	    (uri == NULL || strcmp(message_type_namespace(t), (const char *)uri) != 0))
		t = MT_COUNT;
	if (t == MT_COUNT && !s->any_document) {
		on_invalid(p, "the root element is of no message that is taken here");
		return;
	}
	p->schema = schema_run_new(s->schemas, uri, on_invalid, p);
	if (p->schema == NULL) {
		on_invalid(p, "there is no schema for the root element's namespace");
		return;
	}
	if (t != MT_COUNT)
		p->extract = extract_new(t, p->pull, p->sink, &p->content);
}

/* --- ds:Signature -------------------------------------------------------- */

static int
is_element(const xmlChar *localname, const xmlChar *uri, const char *name, const char *ns)
{
	return uri != NULL && strcmp((const char *)localname, name) == 0 &&
	    strcmp((const char *)uri, ns) == 0;
}

/* UnsignedProperties where EN 319 132-1 4.3 has them.  Long-term signatures keep
 * whole revocation lists there, and countersignatures: they are allowed, never
 * trusted, and not kept but for their Ids and a few time-stamps, so that their size
 * does not matter.  Anywhere else the name means nothing: what stands there may be
 * signed. */
static int
are_unsigned(const struct pass *p, const xmlChar *localname, const xmlChar *uri, int depth)
{
	const xmlNode *open = skeleton_open(p->skeleton);

	return p->keep && depth == p->in_signature + 3 &&
	    is_element(localname, uri, "UnsignedProperties", XADES_NS) &&
	    node_is(open, XADES_NS, "QualifyingProperties") && node_is(open->parent, DSIG_NS, "Object");
}

/* Counts, and finds where a ds:Signature begins. */
static void
place_element(struct pass *p, const xmlChar *localname, const xmlChar *uri, int depth)
{
	int is_signature = is_element(localname, uri, "Signature", DSIG_NS);

	if (p->in_signature) {
		if (!p->in_unsigned && are_unsigned(p, localname, uri, depth))
			p->in_unsigned = depth;
		if (is_signature && !p->in_unsigned)
			p->signatures++;
		return;
	}
	if (is_signature) {
		p->signatures++;
		if (depth == 2)
			p->in_signature = depth;
		else
			p->misplaced = 1;	/* its root, or deeper in the content */
		if (depth == 2 && skeleton_signature(p->skeleton) == NULL) {
			p->keep = 1;
			p->position = p->children;
		}
	}
	if (depth == 2)
		p->children++;
}

int
pass_structure(const struct pass *p, struct reasons *rs)
{
	if (p->signatures == 0)
		reasons_add(rs, SIG_MISSING, 0, "", "there is no ds:Signature");
	else if (p->signatures > 1)
		reasons_add(rs, SIG_MULTIPLE, 0, "", "there are %zu ds:Signature elements", p->signatures);
	else if (p->misplaced)
		reasons_add(rs, SIG_COVERAGE, 0, "", "ds:Signature is not a child of the root element");
	else if (p->position != 0 && p->position != p->children - 1)
		reasons_add(rs, SIG_COVERAGE, 0, "",
		    "ds:Signature is neither the first nor the last child of the root element");
	else
		return 0;
	return -1;
}

static int
too_large(struct pass *p)
{
	return pull_refuse(p->pull, XML_FORBIDDEN, "ds:Signature is larger than %d bytes",
	    XML_MAX_SIGNATURE);
}

/* --- events -------------------------------------------------------------- */

/* Is what comes now a part of the skeleton's ds:Signature? */
static int
kept(const struct pass *p)
{
	return p->keep && !p->in_unsigned;
}

/* Of what is not signed only the Ids are kept, on an empty element: where one is
 * a signed element's as well, other programs may resolve the reference there.
 * dsig_read decides what an Id is, and counts them. */
static int
keep_ids(struct pass *p, int nb_attributes, const xmlChar **attributes)
{
	const xmlChar *ids[5 * 5];	/* Id, ID, id, iD, xml:id; five pointers each */
	int i, n = 0;

	for (i = 0; i < nb_attributes && n < 5; i++)
		if (xmlStrcasecmp(attributes[5 * i], BAD_CAST "id") == 0)
			memcpy(&ids[5 * n++], &attributes[5 * i], 5 * sizeof(*ids));
	if (n == 0)
		return 0;
	if (skeleton_start(p->skeleton, pull_line(p->pull), BAD_CAST "Unsigned", NULL, 0, NULL,
	    n, ids) == -1)
		return -1;
	return skeleton_end(p->skeleton);
}

static int
on_start(void *arg, const xmlChar *localname, const xmlChar *prefix, const xmlChar *uri,
    int nb_namespaces, const xmlChar **namespaces, int nb_attributes, const xmlChar **attributes)
{
	struct pass *p = arg;
	int depth = pull_depth(p->pull);

	p->text_len = 0;
	if (depth == 1) {
		(void)str_copy(p->root, sizeof(p->root), (const char *)localname);
		choose_schema(p, localname, uri);
	}
	place_element(p, localname, uri, depth);
	if ((depth == 1 || kept(p)) && skeleton_start(p->skeleton, pull_line(p->pull), localname, prefix,
	    nb_namespaces, namespaces, nb_attributes, attributes) == -1)
		return too_large(p);
	if (p->in_unsigned && keep_ids(p, nb_attributes, attributes) == -1)
		return too_large(p);
	if (p->in_unsigned)
		stamps_start(&p->stamps, depth - p->in_unsigned, localname, uri, nb_attributes, attributes);
	if (!p->in_signature && c14n_start(p->c14n, localname, prefix, uri, nb_namespaces, namespaces,
	    nb_attributes, attributes) == -1)
		return -1;
	if (validating(p))
		schema_start(p->schema, localname, prefix, uri, nb_namespaces, namespaces,
		    nb_attributes, attributes);
	if (!p->in_signature && p->extract != NULL && p->content.n == 0)
		return extract_start(p->extract, localname, uri, nb_attributes, attributes);
	return 0;
}

static int
on_end(void *arg, const xmlChar *localname, const xmlChar *prefix, const xmlChar *uri)
{
	struct pass *p = arg;
	int depth = pull_depth(p->pull);

	p->text_len = 0;
	if (validating(p))
		schema_end(p->schema, localname, prefix, uri);
	if (!p->in_signature) {
		if (c14n_end(p->c14n) == -1)
			return -1;
		if (p->extract != NULL && p->content.n == 0)
			return extract_end(p->extract);
		return 0;
	}
	if (kept(p))
		(void)skeleton_end(p->skeleton);
	if (p->in_unsigned)
		stamps_end(&p->stamps, depth - p->in_unsigned);
	if (depth == p->in_unsigned)
		p->in_unsigned = 0;
	if (depth == p->in_signature)
		p->in_signature = p->keep = 0;
	return 0;
}

static int
on_text(void *arg, const xmlChar *s, int len)
{
	struct pass *p = arg;

	if (validating(p))
		schema_text(p->schema, s, len);
	if (p->in_unsigned)
		stamps_text(&p->stamps, s, len);
	if (p->in_signature)
		return kept(p) && skeleton_text(p->skeleton, s, len) == -1 ? too_large(p) : 0;
	p->text_len += (size_t)len;
	if (p->settings->schemas != NULL && p->text_len > XML_MAX_TEXT)
		return pull_refuse(p->pull, XML_FORBIDDEN, "a text is longer than %d bytes", XML_MAX_TEXT);
	if (p->extract != NULL && p->content.n == 0)
		extract_text(p->extract, s, len);
	return c14n_text(p->c14n, s, len);
}

static int
on_comment(void *arg, const xmlChar *s)
{
	struct pass *p = arg;

	if (p->in_signature)
		return kept(p) && skeleton_comment(p->skeleton, s) == -1 ? too_large(p) : 0;
	return c14n_comment(p->c14n, s);
}

static int
on_pi(void *arg, const xmlChar *target, const xmlChar *data)
{
	struct pass *p = arg;

	if (p->in_signature)
		return kept(p) && skeleton_pi(p->skeleton, target, data) == -1 ? too_large(p) : 0;
	return c14n_pi(p->c14n, target, data);
}

static const struct pull_events events = { on_start, on_end, on_text, on_comment, on_pi };

static int
update(void *arg, const char *s, size_t n)
{
	struct pass *p = arg;

	if (EVP_DigestUpdate(p->digest, s, n) == 1)
		return 0;
	log_alarm("document: the digest failed");
	return -1;
}

/* --- the pass ------------------------------------------------------------ */

int
pass_run(struct pass *p)
{
	switch (pull_run(p->pull)) {
	case PULL_OK:
		break;
	case PULL_REFUSED:
		return 0;
	case PULL_ENDED:
	case PULL_FAILED:
		return -1;
	}
	if (EVP_DigestFinal_ex(p->digest, p->digest_value, &p->digest_len) != 1) {
		log_alarm("document: the digest failed");
		return -1;
	}
	if (p->extract != NULL && p->content.n == 0)
		return extract_finish(p->extract);
	return 0;
}

struct pass *
pass_new(int fd, const struct document_settings *s, const struct document_sink *sink,
    const struct dsig_demand *demand)
{
	struct pass *p = xcalloc(1, sizeof(*p));

	p->settings = s;
	p->sink = sink;
	p->pull = pull_new(fd, s->max_size, &events, p, &p->xml);
	pull_while_written(p->pull, s->more, s->more_arg);
	p->c14n = c14n_new(&demand->c14n, update, p);
	p->skeleton = skeleton_new();
	p->md = EVP_MD_fetch(NULL, dsig_digest_openssl(demand->digest), NULL);
	p->digest = EVP_MD_CTX_new();
	if (p->md == NULL || p->digest == NULL || EVP_DigestInit_ex2(p->digest, p->md, NULL) != 1) {
		log_alarm("document: OpenSSL gives no %s", dsig_digest_openssl(demand->digest));
		pass_free(p);
		return NULL;
	}
	return p;
}

void
pass_free(struct pass *p)
{
	if (p == NULL)
		return;
	extract_free(p->extract);
	schema_run_free(p->schema);	/* before the parser, whose names it holds */
	c14n_free(p->c14n);
	skeleton_free(p->skeleton);
	stamps_free(&p->stamps);
	pull_free(p->pull);
	EVP_MD_CTX_free(p->digest);
	EVP_MD_free(p->md);
	free(p);
}

const struct reasons *
pass_xml_reasons(const struct pass *p)
{
	return &p->xml;
}

const struct reasons *
pass_content_reasons(const struct pass *p)
{
	return &p->content;
}

xmlNode *
pass_signature(const struct pass *p)
{
	return skeleton_signature(p->skeleton);
}

const struct stamps *
pass_stamps(const struct pass *p)
{
	return &p->stamps;
}

const unsigned char *
pass_digest(const struct pass *p, size_t *len)
{
	*len = p->digest_len;
	return p->digest_value;
}

void
pass_sha256(const struct pass *p, char hex[SHA256_HEX_SIZE])
{
	unsigned char raw[SHA256_SIZE];

	pull_sha256(p->pull, raw);
	hex_encode(raw, sizeof(raw), hex);
}

long long
pass_size(const struct pass *p)
{
	return pull_size(p->pull);
}

const char *
pass_root(const struct pass *p)
{
	return p->root;
}
