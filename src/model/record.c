/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "model/record.h"

static const struct record_info records[REC_COUNT] = {
	[REC_PRICE] = {
		.element = "Px", .table = "price", .type = MT_BALANCE_REPORT,
		.counted = 0, .asset_field = -1, .quantity_field = -1,
		.nfields = 3, .field = {
			{ "Asset", "asset", NULL },
			{ "Ccy", "currency", NULL },
			{ "Price", "price", NULL },
		},
	},
	[REC_BALANCE] = {
		.element = "Bal", .table = "balance", .type = MT_BALANCE_REPORT,
		.counted = 1, .asset_field = 3, .quantity_field = 4,
		.nfields = 6, .field = {
			{ "Reg", "registry_no", NULL },
			{ "Cust", "customer_no", NULL },
			{ "Held", "held_at", NULL },
			{ "Asset", "asset", NULL },
			{ "Qty", "quantity", NULL },
			{ "Lck", "locked", "0" },
		},
	},
	[REC_OMNIBUS] = {
		.element = "Omn", .table = "custody_omnibus", .type = MT_CUSTODY_REPORT,
		.counted = 1, .asset_field = 1, .quantity_field = 3,
		.nfields = 5, .field = {
			{ "Plat", "platform", NULL },
			{ "Asset", "asset", NULL },
			{ "Wlt", "wallet", NULL },
			{ "Qty", "quantity", NULL },
			{ "Pend", "pending", "0" },
		},
	},
	[REC_DIRECT] = {
		.element = "Dir", .table = "custody_direct", .type = MT_CUSTODY_REPORT,
		.counted = 1, .asset_field = 2, .quantity_field = 4,
		.nfields = 5, .field = {
			{ "Reg", "registry_no", NULL },
			{ "Cust", "customer_no", NULL },
			{ "Asset", "asset", NULL },
			{ "Wlt", "wallet", NULL },
			{ "Qty", "quantity", NULL },
		},
	},
	[REC_APPROVED] = {
		.element = "Target", .table = "approval_target", .type = MT_APPROVAL,
		.counted = 1, .asset_field = -1, .quantity_field = -1,
		.nfields = 2, .field = {
			{ "MessageId", "message_id", NULL },
			{ "SHA256", "sha256", NULL },
		},
	},
	[REC_CANCELLED] = {
		.element = "Target", .table = "approval_target", .type = MT_CANCELLATION,
		.counted = 1, .asset_field = -1, .quantity_field = -1,
		.nfields = 2, .field = {
			{ "MessageId", "message_id", NULL },
			{ "SHA256", "sha256", NULL },
		},
	},
	[REC_CHANGE] = {
		.element = "Change", .table = "authorization_change", .type = MT_AUTHORIZATION_CHANGE,
		.counted = 1, .asset_field = -1, .quantity_field = -1,
		.nfields = 7, .field = {
			{ "User", "user_code", NULL },
			{ "Action", "action", NULL },
			{ "Type", "message_type", NULL },
			{ "Step", "step", NULL },
			{ "Role", "role", NULL },
			{ "From", "valid_from", NULL },
			{ "Until", "valid_to", NULL },
		},
	},
};

const struct record_info *
record_info(enum record_kind kind)
{
	return &records[kind];
}

enum record_kind
record_by_element(enum message_type type, const char *element)
{
	int k;

	for (k = 0; k < REC_COUNT; k++) {
		if (records[k].type == type && strcmp(records[k].element, element) == 0)
			break;
	}
	return (enum record_kind)k;
}
