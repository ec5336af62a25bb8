/* SPDX-License-Identifier: ISC */
/* What roles and kinds of members are called, in the configuration and elsewhere. */
#include "config.h"

#include <string.h>

#include "base/conf.h"

static const char *const role_names[ROLE_COUNT] = {
	[ROLE_MUHURD]	 = "muhurd",
	[ROLE_LISTENER]	 = "listener",
	[ROLE_SESSION]	 = "session",
	[ROLE_VERIFY]	 = "verify",
	[ROLE_LOAD]	 = "load",
	[ROLE_DIRECTORY] = "directory",
	[ROLE_RECONCILE] = "reconcile",
	[ROLE_SIGNER]	 = "signer",
	[ROLE_ARCHIVE]	 = "archive",
	[ROLE_SEQUENCER] = "sequencer",
};

const char *
role_name(enum role role)
{
	if ((unsigned)role >= ROLE_COUNT)
		return "unknown";
	return role_names[role];
}

static const char *const member_kinds[MEMBER_KIND_COUNT] = {
	[MEMBER_UNKNOWN]    = "unknown",
	[MEMBER_PLATFORM]   = "platform",
	[MEMBER_CUSTODIAN]  = "custodian",
	[MEMBER_REGULATOR]  = "regulator",
	[MEMBER_COMPLIANCE] = "compliance",
	[MEMBER_REGISTRY]   = "registry",
};

const char *
member_kind_name(enum member_kind kind)
{
	return member_kinds[(unsigned)kind < MEMBER_KIND_COUNT ? kind : MEMBER_UNKNOWN];
}

enum member_kind
member_kind_by_name(const char *name)
{
	int k;

	for (k = MEMBER_KIND_COUNT - 1; k > MEMBER_UNKNOWN; k--)
		if (strcmp(member_kinds[k], name) == 0)
			break;
	return (enum member_kind)k;
}
