/* SPDX-License-Identifier: ISC */
/*
 * The kinds of records that submissions carry, each one short XML element
 * with attributes, each one row of a table of the same day (schemas/sql).
 * One table here tells the extractor which attribute becomes which column
 * and the loader which columns to COPY.
 */
#ifndef MUHUR_MODEL_RECORD_H
#define MUHUR_MODEL_RECORD_H

#include <stddef.h>

#include "model/header.h"

enum record_kind {
	REC_PRICE,		/* BalanceReport: <Px Asset Ccy Price> */
	REC_BALANCE,		/* BalanceReport: <Bal Reg Cust Held Asset Qty Lck> */
	REC_OMNIBUS,		/* CustodyReport: <Omn Plat Asset Wlt Qty Pend> */
	REC_DIRECT,		/* CustodyReport: <Dir Reg Cust Asset Wlt Qty> */
	REC_APPROVED,		/* Approval: <Target MessageId SHA256> */
	REC_CANCELLED,		/* Cancellation: the same */
	REC_CHANGE,		/* AuthorizationChange: <Change User Action Type Step Role From Until> */
	REC_MOVEMENT,		/* MovementReport: <Mov Id Reg Cust Asset Type Qty At Tx Rev> */
	REC_NETTING,		/* NettingReport: <Net Reg Cust Asset Open Net Close> */
	REC_WALLET,		/* HoldingReport: <Wal At Wlt Own Asset Qty> */
	REC_RESERVE,		/* HoldingReport: <Rsv At Kind Asset Ccy Qty> */
	REC_LISTING,		/* ListingNotice: <Lst Asset Status From Reason> */
	REC_RATE,		/* ReferenceData: <Rate Ccy Try> */
	REC_ASSET,		/* ReferenceData: <Ast Asset Cap Listed Hold Base> */
	REC_WEIGHT,		/* ReferenceData: <Wgt Kind Asset Weight> */
	REC_CALENDAR,		/* ReferenceData: <Day Date Kind> */
	REC_INVESTOR,		/* RegistrationRequest: <Inv Type No Ctry Name Birth Reg> */
	REC_RESPONSE,		/* DiscrepancyResponse: <Rsp Break Text Qty Ref> */
	REC_COUNT
};

#define RECORD_MAX_FIELDS 9
struct record_field {
	const char	*attribute;	/* XML attribute's local name */
	const char	*column;
	const char	*absent;	/* value where the attribute is absent; NULL = SQL NULL */
	int		 moment;	/* a point in time, Istanbul's where it has no zone: given on in UTC */
};
struct record_info {
	const char	*element;	/* local name, in the message's namespace */
	const char	*table;		/* "muhur.balance" */
	int		 may_be_many;	/* a table with partitions that can be attached */
	enum message_type type;
	int		 counted;	/* counts in RecordCount */
	int		 asset_field, quantity_field;	/* enter the control totals; -1: none */
	size_t		 nfields;
	struct record_field field[RECORD_MAX_FIELDS];
};
const struct record_info *record_info(enum record_kind kind);
/* REC_COUNT where the element is no record of that message type. */
enum record_kind record_by_element(enum message_type type, const char *element);

#endif
