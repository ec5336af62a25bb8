/* SPDX-License-Identifier: ISC */
/* The header every submission carries (domain: message types). */
#ifndef MUHUR_MODEL_HEADER_H
#define MUHUR_MODEL_HEADER_H

#include "base/clock.h"
#include "base/limits.h"
#include "model/decimal.h"

enum message_type {
	MT_BALANCE_REPORT,	/* [musteri bakiye raporu], from a platform */
	MT_CUSTODY_REPORT,	/* [saklama bakiye raporu], from a custodian */
	MT_APPROVAL,		/* [onay], of what waits */
	MT_CANCELLATION,	/* [iptal], of what waits */
	MT_AUTHORIZATION_CHANGE,	/* [yetkilendirme], from a main authority */
	MT_MOVEMENT_REPORT,	/* [hareket raporu], from a platform */
	MT_NETTING_REPORT,	/* [netlestirme raporu], from a platform */
	MT_HOLDING_REPORT,	/* [platform cuzdan raporu], from a platform */
	MT_LISTING_NOTICE,	/* [listeleme bildirimi], from a platform */
	MT_REFERENCE_DATA,	/* [referans veri], from the registry's own users */
	MT_REGISTRATION_REQUEST,	/* [sicil talebi], from platforms and custodians */
	MT_DISCREPANCY_RESPONSE,	/* [farklilik aciklamasi], from a party of a break */
	MT_COUNT
};
/* What an accepted one does. */
enum message_class {
	MC_DAY,		/* it is an input of its business day's reconciliation; can be corrected */
	MC_DECISION,	/* it names an earlier message (MessageId, SHA-256), to decide about
			 * it; the right is for that one's type */
	MC_AUTHORITY,	/* it changes who may do what */
	MC_REGISTRATION,	/* it asks for registry numbers, which the day's run knows then */
	MC_RESPONSE	/* it explains breaks */
};
/* "BalanceReport"; MT_COUNT where the name is none. */
const char *message_type_name(enum message_type t);
enum message_type message_type_by_name(const char *name);
/* May a member of that kind ("platform") send it? */
int message_type_may_be_from(enum message_type t, const char *kind);
enum message_class message_type_class(enum message_type t);
/* Is it of class MC_DECISION? */
int message_type_has_target(enum message_type t);
/* "Trail" and "Archive": rights that are held as those for message types are, by
 * users of members of some kinds, and are of no message (schemas/sql/019-sight.sql). */
int message_type_is_sight(const char *name);
int message_kind_has_sight(const char *kind);
/* Target namespace and schema file, e.g. "urn:muhur:xsd:balance-report:1",
 * "balance-report-1.xsd". The root element's name is the type's name. */
const char *message_type_namespace(enum message_type t);
const char *message_type_schema(enum message_type t);

struct control_total {
	char		 asset[ASSET_SIZE];
	struct decimal	 quantity;
};

struct header {
	enum message_type type;
	char	 message_id[MESSAGE_ID_SIZE];
	char	 sender[MEMBER_CODE_SIZE];	/* SenderMemberCode */
	char	 user[USER_CODE_SIZE];		/* UserCode */
	date_t	 business_date;
	usec_t	 created_at;
	long long sequence;			/* 1..: order of one day's reports of one type */
	char	 replaces[MESSAGE_ID_SIZE];	/* ReplacesMessageId, "" for none */
	long long record_count;
	/* what the header declares; the records' own sums are compared with it */
	struct control_total *totals;		/* owned, ntotals */
	size_t	 ntotals;
};
void header_reset(struct header *h);	/* frees totals, zeroes */

#endif
