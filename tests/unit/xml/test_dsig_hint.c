/* SPDX-License-Identifier: ISC */
/* The hint guesses from bytes; whatever they are, it must not run astray. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "xml/dsig.h"

#define EXC	"http://www.w3.org/2001/10/xml-exc-c14n#"
#define INC	"http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
#define ENV	"<ds:Transform Algorithm=\"" DSIG_NS "enveloped-signature\"/>"
#define HEAD	"<x/><ds:SignedInfo><ds:Reference URI='#other'><Transform Algorithm='" INC "'/>" \
		"<DigestMethod Algorithm='http://www.w3.org/2001/04/xmldsig-more#sha384'/></ds:Reference>" \
		"<ds:Reference Id='r' URI=''>"

static void
expect(const char *text, int in_head, enum c14n_method method, enum dsig_digest digest, size_t nprefixes)
{
	struct dsig_demand	 d;
	char			*copy = malloc(strlen(text));	/* no NUL behind it */

	assert_non_null(copy);
	memcpy(copy, text, strlen(text));
	if (in_head)
		dsig_hint(copy, strlen(text), NULL, 0, &d);
	else
		dsig_hint("<a>", 3, copy, strlen(text), &d);
	assert_int_equal(d.c14n.method, method);
	assert_int_equal(d.digest, digest);
	assert_int_equal(d.c14n.nprefixes, nprefixes);
	dsig_demand_free(&d);
	free(copy);
}

static void
test_found(void **state)
{
	static const char	none[] = HEAD ENV "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha512\"/>"
				    "</ds:Reference>";
	static const char	exclusive[] = HEAD ENV "<ds:Transform\n Algorithm = '" EXC "'>"
				    "<e:InclusiveNamespaces PrefixList=\"a #default  b\"/></ds:Transform>"
				    "<DigestMethod Algorithm='http://www.w3.org/2001/04/xmldsig-more#sha384'/></ds:Reference>";

	(void)state;
	expect(none, 0, C14N_INCLUSIVE, DSIG_SHA512, 0);
	expect(none, 1, C14N_INCLUSIVE, DSIG_SHA512, 0);
	expect(exclusive, 0, C14N_EXCLUSIVE, DSIG_SHA384, 3);
	expect(exclusive, 1, C14N_EXCLUSIVE, DSIG_SHA384, 3);
}

static void
test_nothing(void **state)
{
	static const char *const junk[] = { "", "<", "<ds:", "<Reference", "<Reference URI", "<Reference URI=",
	    "<Reference URI=\"", "<Reference URI='#a'/>", "</ds:Reference URI=''>", "Reference URI=\"\"" };
	size_t	i;

	(void)state;
	for (i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
		expect(junk[i], 0, C14N_EXCLUSIVE, DSIG_SHA256, 0);
		expect(junk[i], 1, C14N_EXCLUSIVE, DSIG_SHA256, 0);
	}
}

/* Every prefix of a good text: no reading past its end (under sanitizers). */
static void
test_cut(void **state)
{
	static const char	text[] = HEAD ENV "<Transform Algorithm='" EXC "'><InclusiveNamespaces PrefixList='a'/>"
				    "</Transform><DigestMethod Algorithm='x'/></ds:Reference>";
	struct dsig_demand	d;
	size_t			n;
	char			*copy;

	(void)state;
	for (n = 1; n < sizeof(text); n++) {
		copy = malloc(n);
		assert_non_null(copy);
		memcpy(copy, text, n);
		dsig_hint(copy, n, copy, n, &d);
		dsig_demand_free(&d);
		free(copy);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
