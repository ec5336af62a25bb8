/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "model/record.h"

static const struct record_info records[REC_COUNT] = {
	[REC_PRICE] = {
		.element = "Px", .table = "muhur.price", .type = MT_BALANCE_REPORT,
		.counted = 0, .asset_field = -1, .quantity_field = -1,
		.nfields = 3, .field = {
			{ "Asset", "asset", NULL, 0 },
			{ "Ccy", "currency", NULL, 0 },
			{ "Price", "price", NULL, 0 },
		},
	},
	[REC_BALANCE] = {
		.element = "Bal", .table = "muhur.balance", .may_be_many = 1, .type = MT_BALANCE_REPORT,
		.counted = 1, .asset_field = 3, .quantity_field = 4,
		.nfields = 6, .field = {
			{ "Reg", "registry_no", NULL, 0 },
			{ "Cust", "customer_no", NULL, 0 },
			{ "Held", "held_at", NULL, 0 },
			{ "Asset", "asset", NULL, 0 },
			{ "Qty", "quantity", NULL, 0 },
			{ "Lck", "locked", "0", 0 },
		},
	},
	[REC_OMNIBUS] = {
		.element = "Omn", .table = "muhur.custody_omnibus", .type = MT_CUSTODY_REPORT,
		.counted = 1, .asset_field = 1, .quantity_field = 3,
		.nfields = 5, .field = {
			{ "Plat", "platform", NULL, 0 },
			{ "Asset", "asset", NULL, 0 },
			{ "Wlt", "wallet", NULL, 0 },
			{ "Qty", "quantity", NULL, 0 },
			{ "Pend", "pending", "0", 0 },
		},
	},
	[REC_DIRECT] = {
		.element = "Dir", .table = "muhur.custody_direct", .type = MT_CUSTODY_REPORT,
		.counted = 1, .asset_field = 2, .quantity_field = 4,
		.nfields = 5, .field = {
			{ "Reg", "registry_no", NULL, 0 },
			{ "Cust", "customer_no", NULL, 0 },
			{ "Asset", "asset", NULL, 0 },
			{ "Wlt", "wallet", NULL, 0 },
			{ "Qty", "quantity", NULL, 0 },
		},
	},
	[REC_APPROVED] = {
		.element = "Target", .table = "muhur.approval_target", .type = MT_APPROVAL,
		.counted = 1, .asset_field = -1, .quantity_field = -1,
		.nfields = 2, .field = {
			{ "MessageId", "message_id", NULL, 0 },
			{ "SHA256", "sha256", NULL, 0 },
		},
	},
	[REC_CANCELLED] = {
		.element = "Target", .table = "muhur.approval_target", .type = MT_CANCELLATION,
		.counted = 1, .asset_field = -1, .quantity_field = -1,
		.nfields = 2, .field = {
			{ "MessageId", "message_id", NULL, 0 },
			{ "SHA256", "sha256", NULL, 0 },
		},
	},
	[REC_CHANGE] = {
		.element = "Change", .table = "muhur.authorization_change", .type = MT_AUTHORIZATION_CHANGE,
		.counted = 1, .asset_field = -1, .quantity_field = -1,
		.nfields = 7, .field = {
			{ "User", "user_code", NULL, 0 },
			{ "Action", "action", NULL, 0 },
			{ "Type", "message_type", NULL, 0 },
			{ "Step", "step", NULL, 0 },
			{ "Role", "role", NULL, 0 },
			{ "From", "valid_from", NULL, 1 },
			{ "Until", "valid_to", NULL, 1 },
		},
	},
	[REC_MOVEMENT] = {
		.element = "Mov", .table = "muhur.movement", .may_be_many = 1, .type = MT_MOVEMENT_REPORT,
		.counted = 1, .asset_field = 3, .quantity_field = 5,
		.nfields = 9, .field = {
			{ "Id", "movement_id", NULL, 0 },
			{ "Reg", "registry_no", NULL, 0 },
			{ "Cust", "customer_no", NULL, 0 },
			{ "Asset", "asset", NULL, 0 },
			{ "Type", "type", NULL, 0 },
			{ "Qty", "quantity", NULL, 0 },
			{ "At", "occurred_at", NULL, 1 },
			{ "Tx", "tx_hash", NULL, 0 },
			{ "Rev", "reverses_id", NULL, 0 },
		},
	},
	[REC_NETTING] = {
		.element = "Net", .table = "muhur.netting", .may_be_many = 1, .type = MT_NETTING_REPORT,
		.counted = 1, .asset_field = 2, .quantity_field = 5,
		.nfields = 6, .field = {
			{ "Reg", "registry_no", NULL, 0 },
			{ "Cust", "customer_no", NULL, 0 },
			{ "Asset", "asset", NULL, 0 },
			{ "Open", "opening", NULL, 0 },
			{ "Net", "net", NULL, 0 },
			{ "Close", "closing", NULL, 0 },
		},
	},
	[REC_WALLET] = {
		.element = "Wal", .table = "muhur.wallet", .type = MT_HOLDING_REPORT,
		.counted = 1, .asset_field = 3, .quantity_field = 4,
		.nfields = 5, .field = {
			{ "At", "as_of", NULL, 1 },
			{ "Wlt", "wallet", NULL, 0 },
			{ "Own", "owner", NULL, 0 },
			{ "Asset", "asset", NULL, 0 },
			{ "Qty", "quantity", NULL, 0 },
		},
	},
	[REC_RESERVE] = {
		.element = "Rsv", .table = "muhur.reserve", .type = MT_HOLDING_REPORT,
		.counted = 1, .asset_field = -1, .quantity_field = -1,
		.nfields = 5, .field = {
			{ "At", "as_of", NULL, 1 },
			{ "Kind", "kind", NULL, 0 },
			{ "Asset", "asset", NULL, 0 },
			{ "Ccy", "currency", NULL, 0 },
			{ "Qty", "quantity", NULL, 0 },
		},
	},
	[REC_LISTING] = {
		.element = "Lst", .table = "muhur.listing", .type = MT_LISTING_NOTICE,
		.counted = 1, .asset_field = -1, .quantity_field = -1,
		.nfields = 4, .field = {
			{ "Asset", "asset", NULL, 0 },
			{ "Status", "status", NULL, 0 },
			{ "From", "valid_from", NULL, 0 },
			{ "Reason", "reason", NULL, 0 },
		},
	},
	[REC_RATE] = {
		.element = "Rate", .table = "muhur.reference_rate", .type = MT_REFERENCE_DATA,
		.counted = 1, .asset_field = -1, .quantity_field = -1,
		.nfields = 2, .field = {
			{ "Ccy", "currency", NULL, 0 },
			{ "Try", "rate", NULL, 0 },
		},
	},
	[REC_ASSET] = {
		.element = "Ast", .table = "muhur.reference_asset", .type = MT_REFERENCE_DATA,
		.counted = 1, .asset_field = -1, .quantity_field = -1,
		.nfields = 5, .field = {
			{ "Asset", "asset", NULL, 0 },
			{ "Cap", "market_value_usd", NULL, 0 },
			{ "Listed", "listed_on", NULL, 0 },
			{ "Hold", "custody", "ANY", 0 },
			{ "Base", "reserve_base", "true", 0 },
		},
	},
	[REC_WEIGHT] = {
		.element = "Wgt", .table = "muhur.reference_weight", .type = MT_REFERENCE_DATA,
		.counted = 1, .asset_field = -1, .quantity_field = -1,
		.nfields = 3, .field = {
			{ "Kind", "kind", NULL, 0 },
			{ "Asset", "asset", NULL, 0 },
			{ "Weight", "weight", NULL, 0 },
		},
	},
	[REC_CALENDAR] = {
		.element = "Day", .table = "muhur.reference_day", .type = MT_REFERENCE_DATA,
		.counted = 1, .asset_field = -1, .quantity_field = -1,
		.nfields = 2, .field = {
			{ "Date", "day", NULL, 0 },
			{ "Kind", "kind", NULL, 0 },
		},
	},
	[REC_INVESTOR] = {
		.element = "Inv", .table = "muhur_identity.request", .type = MT_REGISTRATION_REQUEST,
		.counted = 1, .asset_field = -1, .quantity_field = -1,
		.nfields = 6, .field = {
			{ "Type", "identity_type", NULL, 0 },
			{ "No", "identity_no", NULL, 0 },
			{ "Ctry", "country", NULL, 0 },
			{ "Name", "name", NULL, 0 },
			{ "Birth", "birth_date", NULL, 0 },
			{ "Reg", "registry_no", NULL, 0 },
		},
	},
	[REC_RESPONSE] = {
		.element = "Rsp", .table = "muhur.response", .type = MT_DISCREPANCY_RESPONSE,
		.counted = 1, .asset_field = -1, .quantity_field = -1,
		.nfields = 4, .field = {
			{ "Break", "break_id", NULL, 0 },
			{ "Text", "explanation", NULL, 0 },
			{ "Qty", "quantity", NULL, 0 },
			{ "Ref", "reference", NULL, 0 },
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
