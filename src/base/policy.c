/* SPDX-License-Identifier: ISC */
#include "base/policy.h"

#include <string.h>

#include "base/mem.h"

const struct signature_policy signature_policies_default[SIGNATURE_POLICIES_DEFAULT] = {
	{ .oid = SIGNATURE_POLICY_P2 }, { .oid = SIGNATURE_POLICY_P3 }, { .oid = SIGNATURE_POLICY_P4 },
};

/* Two arcs at least, none empty or with a leading zero. */
static int
oid_ok(const char *s)
{
	size_t n;
	int arcs = 0;

	for (;; s += n + 1) {
		n = strspn(s, "0123456789");
		if (n == 0 || (n > 1 && s[0] == '0') || (s[n] != '.' && s[n] != '\0'))
			return 0;
		arcs++;
		if (s[n] == '\0')
			return arcs > 1;
	}
}

static int
parse_digest(const char *s, struct signature_policy *p)
{
	static const struct { const char *name; size_t len; } digests[] = {
		{ "sha256:", 32 }, { "sha384:", 48 }, { "sha512:", 64 },
	};
	size_t i, n;

	for (i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
		n = strlen(digests[i].name);
		if (strncmp(s, digests[i].name, n) != 0)
			continue;
		p->len = digests[i].len;
		return hex_decode(s + n, p->digest, p->len);
	}
	return -1;
}

int
signature_policy_parse(const char *text, struct signature_policy *p)
{
	const char *equals = strchr(text, '=');
	size_t n = equals != NULL ? (size_t)(equals - text) : strlen(text);

	memset(p, 0, sizeof(*p));
	if (n >= sizeof(p->oid))
		return -1;
	memcpy(p->oid, text, n);
	if (!oid_ok(p->oid))
		return -1;
	return equals != NULL ? parse_digest(equals + 1, p) : 0;
}
