/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "model/notice.h"

static const struct {
	const char	*name, *namespace, *schema;
} kinds[NK_COUNT] = {
	[NK_ACKNOWLEDGEMENT] = { "Acknowledgement",
	    "urn:muhur:xsd:acknowledgement:1", "acknowledgement-1.xsd" },
	[NK_RECONCILIATION_RESULT] = { "ReconciliationResult",
	    "urn:muhur:xsd:reconciliation-result:1", "reconciliation-result-1.xsd" },
	[NK_DISCREPANCY_REPORT] = { "DiscrepancyReport",
	    "urn:muhur:xsd:discrepancy-report:1", "discrepancy-report-1.xsd" },
	[NK_AUTHORIZATION_REPORT] = { "AuthorizationReport",
	    "urn:muhur:xsd:authorization-report:1", "authorization-report-1.xsd" },
	[NK_CERTIFICATE_EXPIRY] = { "CertificateExpiryNotice",
	    "urn:muhur:xsd:certificate-expiry-notice:1", "certificate-expiry-notice-1.xsd" },
	[NK_LIMIT_BREACH] = { "LimitBreachNotice",
	    "urn:muhur:xsd:limit-breach-notice:1", "limit-breach-notice-1.xsd" },
	[NK_CENTRAL_REGISTRY] = { "CentralRegistryReport",
	    "urn:muhur:xsd:central-registry-report:1", "central-registry-report-1.xsd" },
};

static const char *const levels[NL_COUNT] = {
	[NL_RECEIVED] = "received",
	[NL_ACCEPTED] = "accepted",
	[NL_REJECTED] = "rejected",
	[NL_WAITING] = "waiting",
	[NL_RESULT] = "result",
};

const char *
notice_kind_name(enum notice_kind k)
{
	return kinds[k].name;
}

enum notice_kind
notice_kind_by_name(const char *name)
{
	int k;

	for (k = 0; k < NK_COUNT; k++) {
		if (strcmp(kinds[k].name, name) == 0)
			break;
	}
	return (enum notice_kind)k;
}

const char *
notice_kind_namespace(enum notice_kind k)
{
	return kinds[k].namespace;
}

const char *
notice_kind_schema(enum notice_kind k)
{
	return kinds[k].schema;
}

const char *
notice_level_name(enum notice_level l)
{
	return levels[l];
}

enum notice_level
notice_level_by_name(const char *name)
{
	int l;

	for (l = 0; l < NL_COUNT; l++) {
		if (strcmp(levels[l], name) == 0)
			break;
	}
	return (enum notice_level)l;
}
