/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "model/header.h"

static const struct {
	const char	*name, *namespace, *schema, *sender;
	int		 has_target;
} types[MT_COUNT] = {
	[MT_BALANCE_REPORT] = { "BalanceReport",
	    "urn:muhur:xsd:balance-report:1", "balance-report-1.xsd", "platform", 0 },
	[MT_CUSTODY_REPORT] = { "CustodyReport",
	    "urn:muhur:xsd:custody-report:1", "custody-report-1.xsd", "custodian", 0 },
	[MT_APPROVAL] = { "Approval",
	    "urn:muhur:xsd:approval:1", "approval-1.xsd", NULL, 1 },
	[MT_CANCELLATION] = { "Cancellation",
	    "urn:muhur:xsd:cancellation:1", "cancellation-1.xsd", NULL, 1 },
	[MT_AUTHORIZATION_CHANGE] = { "AuthorizationChange",
	    "urn:muhur:xsd:authorization-change:1", "authorization-change-1.xsd", NULL, 0 },
};

const char *
message_type_name(enum message_type t)
{
	return types[t].name;
}

enum message_type
message_type_by_name(const char *name)
{
	int t;

	for (t = 0; t < MT_COUNT; t++) {
		if (strcmp(types[t].name, name) == 0)
			break;
	}
	return (enum message_type)t;
}

const char *
message_type_sender(enum message_type t)
{
	return types[t].sender;
}

int
message_type_has_target(enum message_type t)
{
	return types[t].has_target;
}

const char *
message_type_namespace(enum message_type t)
{
	return types[t].namespace;
}

const char *
message_type_schema(enum message_type t)
{
	return types[t].schema;
}

void
header_reset(struct header *h)
{
	free(h->totals);
	memset(h, 0, sizeof(*h));
}
