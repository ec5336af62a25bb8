/* SPDX-License-Identifier: ISC */
/* ASiCManifest (ETSI EN 319 162-1 A.4): made and read. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "muhur/asic.h"
#include "trail/note.h"

#define ASIC_NS		"http://uri.etsi.org/02918/v1.2.1#"
#define DS_NS		"http://www.w3.org/2000/09/xmldsig#"
#define SHA256_URI	"http://www.w3.org/2001/04/xmlenc#sha256"

/* Names are of asic_name_ok: nothing in them needs escaping, for XML or for URIs. */
void
asic_manifest(const struct asic *a, const char *reference, const char *type, struct buf *xml)
{
	unsigned char md[SHA256_SIZE];
	size_t i;

	buf_puts(xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<asic:ASiCManifest xmlns:asic=\"" ASIC_NS
	    "\" xmlns:ds=\"" DS_NS "\">\n");
	buf_printf(xml, "<asic:SigReference MimeType=\"%s\" URI=\"%s\"/>\n", type, reference);
	for (i = 0; i < a->n; i++) {
		if (strncmp(a->v[i].name, "META-INF/", 9) == 0)
			continue;
		buf_printf(xml, "<asic:DataObjectReference MimeType=\"%s\" URI=\"%s\"%s>"
		    "<ds:DigestMethod Algorithm=\"" SHA256_URI "\"/><ds:DigestValue>", a->v[i].type, a->v[i].name,
		    strcmp(a->v[i].name, "index.html") == 0 ? " Rootfile=\"true\"" : "");
		(void)hex_decode(a->v[i].sha256, md, sizeof(md));
		base64_encode(md, sizeof(md), xml);
		buf_puts(xml, "</ds:DigestValue></asic:DataObjectReference>\n");
	}
	buf_puts(xml, "</asic:ASiCManifest>\n");
}

/* --- reading -------------------------------------------------------------------- */

static int
is(const xmlNode *n, const char *ns, const char *name)
{
	return n->type == XML_ELEMENT_NODE && n->ns != NULL && strcmp((const char *)n->ns->href, ns) == 0 &&
	    strcmp((const char *)n->name, name) == 0;
}

static xmlNode *
next_element(xmlNode *n)
{
	while (n != NULL && n->type != XML_ELEMENT_NODE)
		n = n->next;
	return n;
}

static int
take_uri(xmlNode *n, char *out, size_t size)
{
	xmlChar *uri = xmlGetNoNsProp(n, BAD_CAST "URI");
	int rc = -1;

	if (uri != NULL && asic_name_ok((const char *)uri))
		rc = str_copy(out, size, (const char *)uri);
	xmlFree(uri);
	return rc;
}

static int
take_digest(xmlNode *n, char hex[SHA256_HEX_SIZE])
{
	unsigned char md[SHA256_SIZE];
	xmlChar *alg = NULL, *value = NULL;
	int rc = -1;

	if (n != NULL && is(n, DS_NS, "DigestMethod")) {
		alg = xmlGetNoNsProp(n, BAD_CAST "Algorithm");
		n = next_element(n->next);
	}
	if (alg != NULL && strcmp((const char *)alg, SHA256_URI) == 0 && n != NULL && is(n, DS_NS, "DigestValue") &&
	    (value = xmlNodeGetContent(n)) != NULL && next_element(n->next) == NULL &&
	    base64_decode((const char *)value, strlen((const char *)value), md, sizeof(md)) == 0) {
		hex_encode(md, sizeof(md), hex);
		rc = 0;
	}
	xmlFree(alg);
	xmlFree(value);
	return rc;
}

static int
take_reference(xmlNode *n, struct asic_refs *refs)
{
	struct asic_ref *r;

	refs->v = xreallocarray(refs->v, refs->n + 1, sizeof(*refs->v));
	r = &refs->v[refs->n];
	if (take_uri(n, r->name, sizeof(r->name)) == -1 || take_digest(next_element(n->children), r->sha256) == -1)
		return -1;
	refs->n++;
	return 0;
}

static const char *
take_manifest(xmlNode *root, struct asic_refs *refs)
{
	xmlNode *n;

	if (root == NULL || !is(root, ASIC_NS, "ASiCManifest"))
		return "it is no ASiCManifest (EN 319 162-1 A.4)";
	n = next_element(root->children);
	if (n == NULL || !is(n, ASIC_NS, "SigReference") ||
	    take_uri(n, refs->reference, sizeof(refs->reference)) == -1)
		return "its SigReference names nothing that a container may have";
	for (n = next_element(n->next); n != NULL; n = next_element(n->next))
		if (!is(n, ASIC_NS, "DataObjectReference") || take_reference(n, refs) == -1)
			return "a DataObjectReference is not as it should be: a name, and a SHA-256";
	return NULL;
}

int
asic_read_manifest(const char *xml, size_t len, struct asic_refs *refs, const char **why)
{
	xmlDoc *doc = NULL;

	memset(refs, 0, sizeof(*refs));
	*why = "it is no XML";
	if (memmem(xml, len, "<!DOCTYPE", 9) != NULL)
		*why = "it has a DTD";
	else if (len <= INT32_MAX && (doc = xmlReadMemory(xml, (int)len, NULL, NULL,
	    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING)) != NULL)
		*why = doc->intSubset != NULL ? "it has a DTD" : take_manifest(xmlDocGetRootElement(doc), refs);
	xmlFreeDoc(doc);
	return *why == NULL ? 0 : -1;
}

void
asic_refs_free(struct asic_refs *refs)
{
	free(refs->v);
	refs->v = NULL;
	refs->n = 0;
}
