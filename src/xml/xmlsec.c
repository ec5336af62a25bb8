/* SPDX-License-Identifier: ISC */
#include "xml/xmlsec.h"

#include <xmlsec/xmlsec.h>
#include <xmlsec/buffer.h>
#include <xmlsec/errors.h>
#include <xmlsec/io.h>
#include <xmlsec/keys.h>
#include <xmlsec/nodeset.h>
#include <xmlsec/openssl/app.h>
#include <xmlsec/openssl/crypto.h>
#include <xmlsec/openssl/evp.h>
#include <xmlsec/transforms.h>

#include "base/log.h"

static int	ready;

static void
on_error(const char *file, int line, const char *func, const char *object,
    const char *subject, int reason, const char *msg)
{
	(void)file;
	(void)line;
	log_debug("xmlsec: %s: %s: %s: %d: %s", func != NULL ? func : "",
	    object != NULL ? object : "", subject != NULL ? subject : "",
	    reason, msg != NULL ? msg : "");
}

int
xmlsec_setup(void)
{
	if (ready)
		return 0;
	if (xmlSecInit() < 0 || xmlSecCheckVersion() != 1) {
		log_warnx("xmlsec: cannot be initialised, or is of another version");
		return -1;
	}
	xmlSecErrorsSetCallback(on_error);
	if (xmlSecOpenSSLAppInit(NULL) < 0 || xmlSecOpenSSLInit() < 0) {
		log_warnx("xmlsec: its OpenSSL part cannot be initialised");
		return -1;
	}
	/* A reference must never make xmlsec open a file or a connection. */
	xmlSecIOCleanupCallbacks();
	ready = 1;
	return 0;
}

/* The only transforms that a signature's own elements can bring to life. */
static int
allow(xmlSecTransformCtx *ctx)
{
	const xmlSecTransformId	allowed[] = {
		xmlSecTransformInclC14NGetKlass(),
		xmlSecTransformExclC14NGetKlass(),
		xmlSecOpenSSLTransformRsaSha256GetKlass(),
		xmlSecOpenSSLTransformRsaSha384GetKlass(),
		xmlSecOpenSSLTransformRsaSha512GetKlass(),
		xmlSecOpenSSLTransformEcdsaSha256GetKlass(),
		xmlSecOpenSSLTransformEcdsaSha384GetKlass(),
		xmlSecOpenSSLTransformEcdsaSha512GetKlass(),
	};
	size_t	i;

	for (i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (xmlSecPtrListAdd(&ctx->enabledTransforms, (void *)allowed[i]) < 0)
			return -1;
	ctx->enabledUris = xmlSecTransformUriTypeNone;
	return 0;
}

static xmlSecTransformCtx *
new_ctx(void)
{
	xmlSecTransformCtx	*ctx;

	ctx = xmlSecTransformCtxCreate();
	if (ctx != NULL && allow(ctx) == -1) {
		xmlSecTransformCtxDestroy(ctx);
		ctx = NULL;
	}
	return ctx;
}

int
xmlsec_c14n(xmlNode *node, xmlNode *transform, struct buf *out)
{
	xmlSecTransformCtx	*ctx = NULL;
	xmlSecTransformPtr	 t;
	xmlSecNodeSetPtr	 nodes = NULL;
	int			 rc = -1;

	if ((ctx = new_ctx()) == NULL)
		goto out;
	if (transform != NULL)
		t = xmlSecTransformCtxNodeRead(ctx, transform, xmlSecTransformUsageAny);
	else
		t = xmlSecTransformCtxCreateAndAppend(ctx, xmlSecTransformInclC14NGetKlass());
	if (t == NULL)
		goto out;
	if ((nodes = xmlSecNodeSetGetChildren(node->doc, node, 1, 0)) == NULL)
		goto out;
	if (xmlSecTransformCtxXmlExecute(ctx, nodes) < 0 || ctx->result == NULL)
		goto out;
	rc = buf_append(out, xmlSecBufferGetData(ctx->result),
	    xmlSecBufferGetSize(ctx->result));
out:
	if (nodes != NULL)
		xmlSecNodeSetDestroy(nodes);
	if (ctx != NULL)
		xmlSecTransformCtxDestroy(ctx);
	return rc;
}

/* xmlsec's key around a public key, which gets one reference more. */
static xmlSecKey *
wrap_key(EVP_PKEY *pkey)
{
	xmlSecKey	*key = NULL;
	xmlSecKeyData	*data;

	if (EVP_PKEY_up_ref(pkey) != 1)
		return NULL;
	if ((data = xmlSecOpenSSLEvpKeyAdopt(pkey)) == NULL) {
		EVP_PKEY_free(pkey);
		return NULL;
	}
	if ((key = xmlSecKeyCreate()) == NULL || xmlSecKeySetValue(key, data) < 0) {
		xmlSecKeyDataDestroy(data);
		if (key != NULL)
			xmlSecKeyDestroy(key);
		return NULL;
	}
	return key;
}

int
xmlsec_verify(xmlNode *signed_info, xmlNode *c14n_method,
    xmlNode *signature_method, xmlNode *signature_value, EVP_PKEY *pkey)
{
	xmlSecTransformCtx	*ctx = NULL;
	xmlSecTransformPtr	 c14n, method;
	xmlSecNodeSetPtr	 nodes = NULL;
	xmlSecKey		*key = NULL;
	int			 rc = -1;

	if ((ctx = new_ctx()) == NULL || (key = wrap_key(pkey)) == NULL)
		goto out;
	c14n = xmlSecTransformCtxNodeRead(ctx, c14n_method, xmlSecTransformUsageC14NMethod);
	method = xmlSecTransformCtxNodeRead(ctx, signature_method,
	    xmlSecTransformUsageSignatureMethod);
	if (c14n == NULL || method == NULL)
		goto out;
	method->operation = xmlSecTransformOperationVerify;
	rc = 0;		/* from here on a failure is the signature's */
	if (xmlSecTransformSetKey(method, key) < 0)
		goto out;
	nodes = xmlSecNodeSetGetChildren(signed_info->doc, signed_info, 1, 0);
	if (nodes == NULL || xmlSecTransformCtxXmlExecute(ctx, nodes) < 0)
		goto out;
	if (xmlSecTransformVerifyNodeContent(method, signature_value, ctx) < 0)
		goto out;
	rc = method->status == xmlSecTransformStatusOk;
out:
	if (nodes != NULL)
		xmlSecNodeSetDestroy(nodes);
	if (key != NULL)
		xmlSecKeyDestroy(key);
	if (ctx != NULL)
		xmlSecTransformCtxDestroy(ctx);
	return rc;
}
