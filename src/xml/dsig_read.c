/* SPDX-License-Identifier: ISC */
/*
 * The structure of one ds:Signature.  Its elements are found by their place,
 * never by a search by Id or XPath, so that what is verified is what is read.
 */
#include "xml/dsig_read.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/mem.h"
#include "xml/node.h"

/* An element that is to have one attribute, Algorithm, and no content.  The
 * identifier is the caller's to free; NULL where reasons were added. */
static char *
read_algorithm(const xmlNode *n, int empty, const char *path, struct reasons *rs)
{
	char	*uri = node_attr(n, "Algorithm");

	if (uri != NULL && (!empty || node_first(n) == NULL) && !node_has_stray_text(n))
		return uri;
	reasons_add(rs, SIG_ALGORITHM, node_line(n), path, uri == NULL ?
	    "no Algorithm" : "%s with parameters, which are not allowed", uri);
	free(uri);
	return NULL;
}

/* A c14n method with what it allows inside: exclusive c14n one
 * InclusiveNamespaces (Exclusive XML Canonicalization 1.0, section 3). */
static int
read_c14n(const xmlNode *n, struct c14n_params *params, const char *path, struct reasons *rs)
{
	xmlNode	*inner = node_first(n);
	char	*uri, *list = NULL;
	int	 rc = -1;

	if ((uri = read_algorithm(n, 0, path, rs)) == NULL)
		return -1;
	if (alg_c14n(uri, &params->method) == -1) {
		reasons_add(rs, SIG_ALGORITHM, node_line(n), path,
		    "canonicalisation %s is not allowed", uri);
		goto out;
	}
	rc = 0;
	if (inner == NULL)
		goto out;
	if (params->method == C14N_EXCLUSIVE && node_next(inner) == NULL &&
	    node_is(inner, ALG_EXC_C14N, "InclusiveNamespaces") &&
	    node_first(inner) == NULL &&
	    (list = node_attr(inner, "PrefixList")) != NULL &&
	    alg_prefixes(list, params) == 0)
		goto out;
	reasons_add(rs, SIG_ALGORITHM, node_line(inner), path,
	    "parameters of the canonicalisation are not allowed, or too many");
	rc = -1;
out:
	free(list);
	free(uri);
	return rc;
}

/* XPath, XSLT and base64 choose or change what is signed: then it is not the
 * whole document.  Another unknown one is an algorithm we do not know. */
static enum reason_code
transform_reason(const char *uri)
{
	if (strstr(uri, "xpath") != NULL || strstr(uri, "xmldsig-filter2") != NULL ||
	    strstr(uri, "xslt") != NULL || strstr(uri, "base64") != NULL ||
	    strcmp(uri, ALG_ENVELOPED) == 0)
		return SIG_COVERAGE;
	return SIG_ALGORITHM;
}

/* The transform has no parameters (XML Signature 1.1, 6.6.4).  npm's xml-crypto
 * repeats the PrefixList of the c14n here, in a namespace named like the
 * transform: it means nothing, and so all verifiers pass over it. */
static int
is_enveloped(const xmlNode *transform, const char *uri)
{
	const xmlNode	*inner = node_first(transform);

	if (strcmp(uri, ALG_ENVELOPED) != 0)
		return 0;
	return inner == NULL || (node_is(inner, ALG_ENVELOPED, "InclusiveNamespaces") &&
	    node_first(inner) == NULL && node_next(inner) == NULL);
}

/* Transforms: enveloped-signature first where it is wanted, then at most one
 * c14n; none means inclusive c14n (XML Signature 1.1, 4.4.3.2). */
static int
read_transforms(const xmlNode *transforms, int enveloped, struct reference *r, struct reasons *rs)
{
	static const char	 path[] = PATH_REF "/ds:Transforms";
	xmlNode			*n;
	char			*uri;
	enum c14n_method	 method;
	int			 seen = 0;

	r->demand.c14n.method = C14N_INCLUSIVE;
	n = transforms != NULL ? node_first(transforms) : NULL;
	for (; n != NULL; n = node_next(n)) {
		if (!node_is(n, DSIG_NS, "Transform") || (uri = node_attr(n, "Algorithm")) == NULL) {
			reasons_add(rs, SIG_ALGORITHM, node_line(n), path, "no Algorithm");
			return -1;
		}
		if (enveloped && !seen && is_enveloped(n, uri)) {
			seen = 1;
		} else if (alg_c14n(uri, &method) == 0 && r->transform == NULL &&
		    (seen || !enveloped)) {
			r->transform = n;
			if (read_c14n(n, &r->demand.c14n, path, rs) == -1) {
				free(uri);
				return -1;
			}
		} else {
			reasons_add(rs, alg_c14n(uri, &method) == 0 ? SIG_COVERAGE :
			    transform_reason(uri), node_line(n), path,
			    "transform %s is not allowed here", uri);
			free(uri);
			return -1;
		}
		free(uri);
	}
	if (enveloped && !seen) {
		reasons_add(rs, SIG_COVERAGE, 0, path,
		    "the reference to the document has no enveloped-signature transform");
		return -1;
	}
	return 0;
}

static int
read_digest(const xmlNode *method, const xmlNode *value, struct reference *r, struct reasons *rs)
{
	unsigned char	*raw = NULL;
	char		*uri;
	int		 rc = -1;

	if ((uri = read_algorithm(method, 1, PATH_REF "/ds:DigestMethod", rs)) == NULL)
		return -1;
	if (alg_digest(uri, &r->demand.digest) == -1)
		reasons_add(rs, SIG_ALGORITHM, node_line(method),
		    PATH_REF "/ds:DigestMethod", "digest %s is not allowed", uri);
	else if (node_base64(value, sizeof(r->value), &raw, &r->len) == -1 ||
	    r->len != dsig_digest_size(r->demand.digest))
		reasons_add(rs, SIG_DIGEST, node_line(value),
		    PATH_REF "/ds:DigestValue", "not a digest of that method");
	else {
		memcpy(r->value, raw, r->len);
		r->line = node_line(value);
		rc = 0;
	}
	free(raw);
	free(uri);
	return rc;
}

/* The children of a Reference, in the order of the schema. */
static int
read_reference_body(const xmlNode *ref, int enveloped, struct reference *r, struct reasons *rs)
{
	xmlNode	*n = node_first(ref), *transforms = NULL, *method, *value;

	if (node_is(n, DSIG_NS, "Transforms")) {
		transforms = n;
		n = node_next(n);
	}
	method = n;
	value = n != NULL ? node_next(n) : NULL;
	if (!node_is(method, DSIG_NS, "DigestMethod") || !node_is(value, DSIG_NS, "DigestValue") ||
	    node_next(value) != NULL || node_has_stray_text(ref)) {
		reasons_add(rs, SIG_COVERAGE, node_line(ref), PATH_REF,
		    "not as XML Signature 1.1, 4.4.3 wants it");
		return -1;
	}
	r->present = 1;
	if (read_transforms(transforms, enveloped, r, rs) == -1)
		return -1;
	return read_digest(method, value, r, rs);
}

/* Which of the allowed references is it?  NULL with *why. */
static struct reference *
which_reference(struct dsig *d, const char *uri, const char *type, const char **why)
{
	int	is_properties = type != NULL && strcmp(type, XADES_TYPE) == 0;

	*why = "a reference without URI";
	if (uri == NULL)
		return NULL;
	*why = "a reference to the document with the type of SignedProperties";
	if (uri[0] == '\0')
		return is_properties ? NULL : &d->document;
	*why = "a reference to something else than the whole document";
	if (uri[0] == '#' && d->is_xades && is_properties && d->xades.id != NULL &&
	    strcmp(uri + 1, d->xades.id) == 0)
		return &d->properties;
	return NULL;
}

static int
read_reference(struct dsig *d, const xmlNode *ref, struct reasons *rs)
{
	char		*uri = node_attr(ref, "URI"), *type = node_attr(ref, "Type");
	struct reference *r;
	const char	*why;
	int		 rc = -1;

	r = which_reference(d, uri, type, &why);
	if (r != NULL && r->present) {
		why = "two references to the same";
		r = NULL;
	}
	if (r == NULL)
		reasons_add(rs, SIG_COVERAGE, node_line(ref), PATH_REF, "%s: \"%s\"",
		    why, uri != NULL ? uri : "");
	else
		rc = read_reference_body(ref, r == &d->document, r, rs);
	free(type);
	free(uri);
	return rc;
}

static int
read_methods(struct dsig *d, struct reasons *rs)
{
	struct dsig_demand	 scratch = { 0 };	/* xmlsec reads the prefixes itself */
	char			*uri = NULL;
	int			 rc;

	rc = read_c14n(d->c14n_method, &scratch.c14n, PATH_SI "/ds:CanonicalizationMethod", rs);
	dsig_demand_free(&scratch);
	uri = read_algorithm(d->signature_method, 1, PATH_SI "/ds:SignatureMethod", rs);
	if (uri == NULL)
		return -1;
	if ((d->alg = alg_signature(uri)) == NULL) {
		reasons_add(rs, SIG_ALGORITHM, node_line(d->signature_method),
		    PATH_SI "/ds:SignatureMethod", "%s is not allowed", uri);
		rc = -1;
	}
	free(uri);
	return rc;
}

static int
read_signed_info(struct dsig *d, struct reasons *rs)
{
	xmlNode	*n = node_first(d->signed_info);
	int	 rc = 0;

	d->c14n_method = n;
	d->signature_method = n != NULL ? node_next(n) : NULL;
	if (!node_is(d->c14n_method, DSIG_NS, "CanonicalizationMethod") ||
	    !node_is(d->signature_method, DSIG_NS, "SignatureMethod") ||
	    node_has_stray_text(d->signed_info)) {
		reasons_add(rs, SIG_ALGORITHM, node_line(d->signed_info), PATH_SI,
		    "its methods are missing (XML Signature 1.1, 4.4)");
		return -1;
	}
	if (read_methods(d, rs) == -1)
		rc = -1;
	for (n = node_next(d->signature_method); n != NULL; n = node_next(n)) {
		if (!node_is(n, DSIG_NS, "Reference")) {
			reasons_add(rs, SIG_COVERAGE, node_line(n), PATH_SI,
			    "%s is not expected here", (const char *)n->name);
			return -1;
		}
		if (read_reference(d, n, rs) == -1)
			return -1;
	}
	if (!d->document.present || (d->is_xades && !d->properties.present)) {
		reasons_add(rs, SIG_COVERAGE, node_line(d->signed_info), PATH_SI,
		    d->document.present ? "SignedProperties are not signed (EN 319 132-1, 4.4.2)" :
		    "no reference to the whole document");
		return -1;
	}
	return rc;
}

/* XML Signature 1.1, 4.2: SignedInfo, SignatureValue, KeyInfo?, Object*. */
static int
read_structure(struct dsig *d, const xmlNode *signature, struct reasons *rs)
{
	xmlNode	*n = node_first(signature);

	d->signed_info = n;
	d->value = n != NULL ? node_next(n) : NULL;
	if (!node_is(d->signed_info, DSIG_NS, "SignedInfo")) {
		reasons_add(rs, SIG_COVERAGE, node_line(signature), PATH_SIG, "no SignedInfo");
		return -1;
	}
	if (!node_is(d->value, DSIG_NS, "SignatureValue")) {
		reasons_add(rs, SIG_VALUE, node_line(signature), PATH_SIG, "no SignatureValue");
		return -1;
	}
	n = node_next(d->value);
	if (node_is(n, DSIG_NS, "KeyInfo"))
		n = node_next(n);
	while (node_is(n, DSIG_NS, "Object"))
		n = node_next(n);
	if (n != NULL || node_has_stray_text(signature)) {
		reasons_add(rs, SIG_COVERAGE, node_line(signature), PATH_SIG,
		    "not as XML Signature 1.1, 4.2 wants it");
		return -1;
	}
	return 0;
}

/* A Manifest would be validated by others differently from here, and
 * SignedProperties that are not the signed ones might be believed. */
static int
check_contents(const struct dsig *d, const xmlNode *signature, struct reasons *rs)
{
	const xmlNode	*n;
	const char	*what = NULL;

	for (n = signature; n != NULL && what == NULL; n = node_walk(n, signature)) {
		if (node_is(n, DSIG_NS, "Manifest"))
			what = "a ds:Manifest";
		else if (n != signature && node_is(n, DSIG_NS, "Signature"))
			what = "a signature within the signature";
		else if (node_is(n, XADES_NS, "SignedProperties") && n != d->xades.signed_properties)
			what = "SignedProperties that are not signed";
	}
	if (what == NULL)
		return 0;
	reasons_add(rs, SIG_COVERAGE, node_line(signature), PATH_SIG, "%s", what);
	return -1;
}

static int
is_id(const xmlAttr *a)
{
	if (a->ns != NULL)
		return strcmp((const char *)a->name, "id") == 0 &&
		    strcmp((const char *)a->ns->href, (const char *)XML_XML_NAMESPACE) == 0;
	return strcasecmp((const char *)a->name, "id") == 0;
}

static int
compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Append the Ids of one element; -1 where one is empty or they are too many. */
static int
collect_ids(const xmlNode *e, char **ids, size_t *n)
{
	const xmlAttr	*a;

	for (a = e->properties; a != NULL; a = a->next) {
		if (!is_id(a))
			continue;
		if (*n == XML_MAX_IDS || a->children == NULL || a->children->content == NULL)
			return -1;
		ids[(*n)++] = xstrdup((const char *)a->children->content);
	}
	return 0;
}

/* No two elements of the signature, nor the root, may carry the same Id. */
static int
check_ids(const xmlNode *signature, struct reasons *rs)
{
	const xmlNode	*e = signature->parent;
	char		*ids[XML_MAX_IDS];
	size_t		 n = 0, i;
	int		 bad = 0;

	if (e != NULL && e->type == XML_ELEMENT_NODE)
		bad |= collect_ids(e, ids, &n) == -1;
	for (e = signature; e != NULL && !bad; e = node_walk(e, signature))
		bad |= collect_ids(e, ids, &n) == -1;
	qsort(ids, n, sizeof(ids[0]), compare_strings);
	for (i = 1; i < n; i++)
		bad |= strcmp(ids[i - 1], ids[i]) == 0;
	for (i = 0; i < n; i++)
		free(ids[i]);
	if (bad)
		reasons_add(rs, SIG_COVERAGE, node_line(signature), PATH_SIG,
		    "the same Id twice, an empty one, or too many");
	return bad ? -1 : 0;
}

static void
add_certificate(struct dsig *d, const xmlNode *n)
{
	unsigned char		*der = NULL;
	const unsigned char	*p;
	size_t			 len;
	X509			*cert;

	if (node_base64(n, XML_MAX_CERTIFICATE, &der, &len) == -1)
		return;
	p = der;
	cert = d2i_X509(NULL, &p, (long)len);
	if (cert != NULL && p != der + len) {
		X509_free(cert);
		cert = NULL;
	}
	free(der);
	if (cert == NULL)
		return;
	if (d->ncerts == XML_MAX_CERTIFICATES) {
		d->too_many_certs = 1;
		X509_free(cert);
		return;
	}
	d->certs[d->ncerts++] = cert;
}

/* KeyInfo is not signed: only certificates count, and each is judged. */
static void
read_key_info(struct dsig *d, const xmlNode *signature)
{
	xmlNode	*info, *data, *n;

	if ((info = node_child(signature, DSIG_NS, "KeyInfo")) == NULL)
		return;
	for (data = node_first(info); data != NULL; data = node_next(data)) {
		if (!node_is(data, DSIG_NS, "X509Data"))
			continue;
		for (n = node_first(data); n != NULL; n = node_next(n))
			if (node_is(n, DSIG_NS, "X509Certificate"))
				add_certificate(d, n);
	}
}

/* The signer first: in XAdES the certificate that the properties name, both of
 * their lists where there are two, so that all who read one find the same. */
static void
order_certificates(struct dsig *d)
{
	X509	*cert;
	size_t	 i, j;

	for (i = 0; i < d->xades.ncerts && d->signer == NULL; i++) {
		for (j = 0; j < d->ncerts; j++) {
			if (!xades_cert_is(&d->xades.certs[i], d->certs[j]) ||
			    !xades_names(&d->xades, d->certs[j]))
				continue;
			cert = d->certs[j];
			d->certs[j] = d->certs[0];
			d->certs[0] = cert;
			d->signer = cert;
			break;
		}
	}
}

static int
check_value(const struct dsig *d, struct reasons *rs)
{
	unsigned char	*raw = NULL;
	size_t		 len;

	if (node_base64(d->value, XML_MAX_SIGNATURE_VALUE, &raw, &len) == -1) {
		reasons_add(rs, SIG_VALUE, node_line(d->value), PATH_VALUE, "not base64");
		return -1;
	}
	free(raw);
	return 0;
}

struct dsig *
dsig_read(xmlNode *signature, enum signature_profile profile, struct reasons *rs)
{
	struct dsig	*d = xcalloc(1, sizeof(*d));
	int		 bad = 0;

	d->is_xades = profile == PROFILE_XADES;
	if (read_structure(d, signature, rs) == -1) {
		dsig_free(d);
		return NULL;
	}
	bad |= check_ids(signature, rs) == -1;
	if (d->is_xades)
		bad |= xades_read(signature, &d->xades, rs) == -1;
	if (!bad)
		bad |= check_contents(d, signature, rs) == -1;
	bad |= read_signed_info(d, rs) == -1;
	bad |= check_value(d, rs) == -1;
	if (bad) {
		dsig_free(d);
		return NULL;
	}
	read_key_info(d, signature);
	order_certificates(d);
	return d;
}
