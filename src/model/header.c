/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "model/header.h"

static const struct {
	const char	*name, *namespace, *schema;
	const char	*senders;	/* kinds of members, a blank between; NULL: any */
	enum message_class class;
} types[MT_COUNT] = {
	[MT_BALANCE_REPORT] = { "BalanceReport",
	    "urn:muhur:xsd:balance-report:1", "balance-report-1.xsd", "platform", MC_DAY },
	[MT_CUSTODY_REPORT] = { "CustodyReport",
	    "urn:muhur:xsd:custody-report:1", "custody-report-1.xsd", "custodian", MC_DAY },
	[MT_APPROVAL] = { "Approval",
	    "urn:muhur:xsd:approval:1", "approval-1.xsd", NULL, MC_DECISION },
	[MT_CANCELLATION] = { "Cancellation",
	    "urn:muhur:xsd:cancellation:1", "cancellation-1.xsd", NULL, MC_DECISION },
	[MT_AUTHORIZATION_CHANGE] = { "AuthorizationChange",
	    "urn:muhur:xsd:authorization-change:1", "authorization-change-1.xsd", NULL, MC_AUTHORITY },
	[MT_MOVEMENT_REPORT] = { "MovementReport",
	    "urn:muhur:xsd:movement-report:1", "movement-report-1.xsd", "platform", MC_DAY },
	[MT_NETTING_REPORT] = { "NettingReport",
	    "urn:muhur:xsd:netting-report:1", "netting-report-1.xsd", "platform", MC_DAY },
	[MT_HOLDING_REPORT] = { "HoldingReport",
	    "urn:muhur:xsd:holding-report:1", "holding-report-1.xsd", "platform", MC_DAY },
	[MT_LISTING_NOTICE] = { "ListingNotice",
	    "urn:muhur:xsd:listing-notice:1", "listing-notice-1.xsd", "platform", MC_DAY },
	[MT_REFERENCE_DATA] = { "ReferenceData",
	    "urn:muhur:xsd:reference-data:1", "reference-data-1.xsd", "registry", MC_DAY },
	[MT_REGISTRATION_REQUEST] = { "RegistrationRequest",
	    "urn:muhur:xsd:registration-request:1", "registration-request-1.xsd",
	    "platform custodian registry", MC_REGISTRATION },
	[MT_DISCREPANCY_RESPONSE] = { "DiscrepancyResponse",
	    "urn:muhur:xsd:discrepancy-response:1", "discrepancy-response-1.xsd",
	    "platform custodian", MC_RESPONSE },
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

int
message_type_may_be_from(enum message_type t, const char *kind)
{
	const char *s = types[t].senders;
	size_t n, len = strlen(kind);

	if (s == NULL)
		return 1;
	for (; *s != '\0'; s += n + (s[n] == ' ')) {
		n = strcspn(s, " ");
		if (n == len && strncmp(s, kind, n) == 0)
			return 1;
	}
	return 0;
}

enum message_class
message_type_class(enum message_type t)
{
	return types[t].class;
}

int
message_type_has_target(enum message_type t)
{
	return types[t].class == MC_DECISION;
}

int
message_type_is_sight(const char *name)
{
	return strcmp(name, "Archive") == 0 || strcmp(name, "Trail") == 0;
}

int
message_kind_has_sight(const char *kind)
{
	return strcmp(kind, "compliance") == 0 || strcmp(kind, "regulator") == 0;
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
