/* SPDX-License-Identifier: ISC */
/*
 * What the gateway answers, as typed fields: the database keeps these, the
 * signer builds the XML from these and from nothing else.
 */
#ifndef MUHUR_MODEL_NOTICE_H
#define MUHUR_MODEL_NOTICE_H

#include "base/clock.h"
#include "base/limits.h"
#include "model/reason.h"

enum notice_kind {
	NK_ACKNOWLEDGEMENT,		/* [kabul/ret bildirimi] about one submission */
	NK_RECONCILIATION_RESULT,	/* [mutabakat sonucu] a member's own lines */
	NK_DISCREPANCY_REPORT,		/* [farklilik bildirimi] to the regulator */
	NK_AUTHORIZATION_REPORT,	/* [yetki raporu] who may do what, to its member */
	NK_CERTIFICATE_EXPIRY,		/* [sertifika sure sonu bildirimi] a user's ends soon */
	NK_LIMIT_BREACH,		/* [limit asimi bildirimi] to the regulator and whom it concerns */
	NK_CENTRAL_REGISTRY,		/* [merkezi kaydi rapor] to the registry and the regulator */
	NK_COUNT
};
const char *notice_kind_name(enum notice_kind k);	/* "Acknowledgement" */
enum notice_kind notice_kind_by_name(const char *name);
const char *notice_kind_namespace(enum notice_kind k);	/* "urn:muhur:xsd:acknowledgement:1" */
const char *notice_kind_schema(enum notice_kind k);

/* Level of an acknowledgement (S2 A: i = received, accepted, rejected,
 * waiting; iii = result).  The name is part of the file's name. */
enum notice_level { NL_RECEIVED, NL_ACCEPTED, NL_REJECTED, NL_WAITING, NL_RESULT, NL_COUNT };
const char *notice_level_name(enum notice_level l);
enum notice_level notice_level_by_name(const char *name);

struct notice {
	char	 id[UUID_SIZE];
	enum notice_kind kind;
	char	 recipient[MEMBER_CODE_SIZE];
	char	 file_name[FILE_NAME_SIZE];	/* in the outbox */
	usec_t	 issued_at;
	/* NK_ACKNOWLEDGEMENT */
	enum notice_level level;
	char	 submission_id[UUID_SIZE];
	char	 submission_name[FILE_NAME_SIZE];	/* as uploaded */
	char	 submission_sha256[SHA256_HEX_SIZE];
	long long submission_size;
	usec_t	 received_at;
	char	 uploader[USER_CODE_SIZE];
	char	 message_id[MESSAGE_ID_SIZE];	/* "" where none could be trusted */
	char	 message_type[MESSAGE_TYPE_SIZE];
	char	 signer_subject[DN_SIZE];	/* "" where the signature did not verify */
	char	 signer_issuer[DN_SIZE];
	char	 signer_serial[SERIAL_SIZE];
	long long record_count;
	int	 late;			/* received after the cut-off (R4) */
	long long breaks;		/* NL_RESULT: breaks that its records are part of */
	struct reasons reasons;		/* NL_REJECTED */
	long long findings;		/* NL_ACCEPTED: what is wrong with single records, level (ii);
					 * the first RECORD_FINDINGS_MAX come as lines, of a
					 * RegistrationRequest all; NL_RESULT: what it was answered */
	/* the bulk kinds; an acknowledgement has lines only where it has findings */
	date_t	 business_date;
	int	 run;			/* version of the day's run, from 1 */
	long long line_count;		/* lines that come through the pipe; NK_CENTRAL_REGISTRY: at most,
					 * for to count them is to sum up all balances of the day */
};

/*
 * Bulk lines come to the signer as tab-separated text (COPY text format),
 * one line a record, fields in this order; "\N" is absent.  The last line, of
 * every kind, is "\." and how many came before it: what ends otherwise was cut.
 *  NK_ACKNOWLEDGEMENT, NL_ACCEPTED and NL_RESULT: kind ("record"), then
 *    record_no line code detail registry_no
 *  NK_RECONCILIATION_RESULT: kind ("source", "pair", "break" or "limit"), then
 *    source: submission_id sha256 member message_type message_id file_name; the recipient's own
 *    pair:  platform custodian asset platform_quantity custodian_quantity difference status(matched|break|missing)
 *    break: break_id rule rule_source(article) kind platform custodian asset platform_quantity custodian_quantity difference status(new|continuing|cured) first_seen detail
 *           state(open|explained|cured|closed) from("<submission id>[:record numbers]", separated by spaces) explanation
 *    limit: rule rule_source platform custodian asset at(absent: 23:59) numerator denominator ratio threshold
 *           status(within|breach|missing) occurrences cure_by detail
 *  NK_DISCREPANCY_REPORT: kind ("source" or "break"), then
 *    source: as above, of all members
 *    break:  as above
 *  NK_AUTHORIZATION_REPORT: kind ("user" or "right"), then
 *    user:  user_code state main_authority(true|false)
 *    right: user_code member message_type("-": to read only) step role since granted_by
 *  NK_CERTIFICATE_EXPIRY: kind ("certificate"), then
 *    user sha256 subject issuer serial not_after days
 *  NK_LIMIT_BREACH: kind ("limit"), then as above, the breaches alone
 *  NK_CENTRAL_REGISTRY: kind ("balance"), then
 *    registry_no asset platform quantity locked total(of the asset, over all platforms)
 */

#endif
