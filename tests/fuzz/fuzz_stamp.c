/* SPDX-License-Identifier: ISC */
/*
 * DER that closes a container, or comes from a time-stamp authority: an answer, a
 * token, a CMS signature, each over the same few bytes.  Nobody who is trusted made
 * one, so none is good; and what is said of it is one line of text.
 */
#include "config.h"

#include <string.h>

#include "base/log.h"
#include "document/cades.h"
#include "document/pipeline.h"
#include "fuzz.h"
#include "root.h"
#include "model/ident.h"
#include "xml/stamp.h"
#include "xml/tsp.h"

static const char over[] = "a manifest";	/* the corpus was made over that */

static struct trust *trust, *tsa;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_init("fuzz_stamp", LOG_COMMAND, 0);
	clock_init(0);
	if (document_init() == -1 || (trust = trust_new(root, strlen(root))) == NULL ||
	    (tsa = trust_new(root, strlen(root))) == NULL)
		fatalx("set-up");
	return 0;
}

static int
is_clean(const char *s)
{
	char *copy = xstrdup(s);
	int clean;

	text_clean(copy);
	clean = strcmp(copy, s) == 0;
	free(copy);
	return clean;
}

static void
try_stamp(const void *der, size_t len, struct trust *authorities)
{
	struct stamp_rules rules = { .tsa = authorities, .latest = INT64_MAX };
	struct timestamp t;

	stamp_judge_response(der, len, over, strlen(over), NULL, &rules, &t);
	CHECK(t.state == TIMESTAMP_BAD || (authorities == NULL && t.state == TIMESTAMP_NOT_JUDGED));
	CHECK(t.why[0] != '\0' && is_clean(t.why));
	rules.tsa = tsa;	/* a token is judged with anchors alone */
	stamp_judge_token(der, len, over, strlen(over), &rules, &t);
	CHECK(t.state == TIMESTAMP_BAD && t.why[0] != '\0' && is_clean(t.why));
}

static void
try_signature(const void *der, size_t len)
{
	struct cades_verdict v;

	CHECK(!cades_verify(der, len, over, strlen(over), trust, &v));
	CHECK(v.why[0] != '\0' && is_clean(v.why) && is_clean(v.signer));
	CHECK(!cades_verify(der, len, over, strlen(over), NULL, &v));
}

static void
no_more(void *n, X509 *cert)
{
	CHECK(cert != NULL);
	++*(size_t *)n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const void *der = size > 0 ? (const void *)data : "";
	struct buf token = { 0 };
	size_t n = 0;

	try_stamp(der, size, tsa);
	try_stamp(der, size, NULL);
	try_signature(der, size);
	if (tsp_token(der, size, &token) == 0)
		tsp_certificates(token.data, token.len, no_more, &n);
	buf_free(&token);
	return 0;
}
