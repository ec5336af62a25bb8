/* SPDX-License-Identifier: ISC */
#include "document/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "document/lines.h"
#include "document/signature.h"
#include "document/xmlout.h"
#include "model/header.h"
#include "model/ident.h"
#include "xml/dsig.h"

/* Bytes; the schema counts at least as many characters (common-1.xsd). */
#define SHORT_TEXT	512
#define LONG_TEXT	2048

static void
write_time(struct xmlout *x, const char *name, usec_t t)
{
	char	s[TIME_SIZE];

	time_format(t, s);
	xmlout_text(x, name, s, sizeof(s));
}

static void
write_header(struct xmlout *x, const struct notice *n, const char *issuer)
{
	xmlout_start(x, "NoticeHeader");
	xmlout_text(x, "NoticeId", n->id, UUID_SIZE);
	xmlout_text(x, "NoticeType", notice_kind_name(n->kind), SHORT_TEXT);
	xmlout_text(x, "SchemaVersion", "1", 1);
	xmlout_text(x, "Issuer", issuer, SHORT_TEXT);
	xmlout_text(x, "RecipientMemberCode", n->recipient, MEMBER_CODE_SIZE);
	write_time(x, "IssuedAt", n->issued_at);
	xmlout_end(x);
}

static void
write_submission(struct xmlout *x, const struct notice *n)
{
	xmlout_start(x, "Submission");
	xmlout_text(x, "SubmissionId", n->submission_id, UUID_SIZE);
	xmlout_text(x, "FileName", n->submission_name, SHORT_TEXT);
	xmlout_text(x, "FileSHA256", n->submission_sha256, SHA256_HEX_SIZE);
	xmlout_number(x, "Size", n->submission_size);
	write_time(x, "ReceivedAt", n->received_at);
	xmlout_text(x, "UploadedBy", n->uploader, USER_CODE_SIZE);
	if (n->message_id[0] != '\0')
		xmlout_text(x, "MessageId", n->message_id, MESSAGE_ID_SIZE);
	if (n->message_type[0] != '\0')
		xmlout_text(x, "MessageType", n->message_type, MESSAGE_TYPE_SIZE);
	xmlout_end(x);
}

static void
write_reason(struct xmlout *x, const struct reason *r)
{
	const struct reason_info	*info = reason_info(r->code);
	char				 line[24];

	(void)snprintf(line, sizeof(line), "%ld", r->line);
	xmlout_start(x, "Error");
	xmlout_attr(x, "Code", info->name);
	xmlout_attr(x, "Line", line);
	xmlout_attr(x, "Path", r->path);
	xmlout_text(x, "TextTr", info->text_tr, LONG_TEXT);
	xmlout_text(x, "TextEn", info->text_en, LONG_TEXT);
	if (info->action_tr != NULL)
		xmlout_text(x, "ActionTr", info->action_tr, LONG_TEXT);
	if (info->action_en != NULL)
		xmlout_text(x, "ActionEn", info->action_en, LONG_TEXT);
	if (r->detail[0] != '\0')
		xmlout_text(x, "Detail", r->detail, LONG_TEXT);
	xmlout_text(x, "Rule", info->rule, LONG_TEXT);
	xmlout_end(x);
}

static void
write_errors(struct xmlout *x, const struct notice *n)
{
	size_t	i;

	xmlout_start(x, "Errors");
	for (i = 0; i < n->reasons.n; i++)
		write_reason(x, &n->reasons.v[i]);
	xmlout_end(x);
}

static int
write_acknowledgement(struct xmlout *x, const struct notice *n, int lines)
{

	xmlout_text(x, "Level", n->level == NL_RESULT ? "iii" : "i", SHORT_TEXT);
	xmlout_text(x, "Status", notice_level_name(n->level), SHORT_TEXT);
	write_submission(x, n);
	if (n->signer_subject[0] != '\0' && n->signer_issuer[0] != '\0' &&
	    n->signer_serial[0] != '\0') {
		xmlout_start(x, "Signer");
		xmlout_text(x, "Subject", n->signer_subject, SHORT_TEXT);
		xmlout_text(x, "Issuer", n->signer_issuer, SHORT_TEXT);
		xmlout_text(x, "Serial", n->signer_serial, SERIAL_SIZE);
		xmlout_end(x);
	}
	if (n->level == NL_ACCEPTED || n->level == NL_RESULT)
		xmlout_number(x, "RecordCount", n->record_count);
	if (n->late)
		xmlout_text(x, "Late", "true", SHORT_TEXT);
	if (n->level == NL_RESULT)
		xmlout_number(x, "Breaks", n->breaks);
	if (n->level == NL_REJECTED)
		write_errors(x, n);
	return n->line_count > 0 ? lines_write(x, n, lines) : 0;
}

static void
write_expiry(struct xmlout *x)
{
	xmlout_text(x, "TextTr", "Sertifikanın süresi doluyor. Süresi dolduktan sonra onunla imzalanan bildirimler "
	    "reddedilir (CERT_EXPIRED) ve anahtarıyla oturum açılamaz. Yeni bir sertifika alın ve kullanıcıya "
	    "atanması için MKK'ya iletin; eskisi bir süre daha geçerli kalır.", LONG_TEXT);
	xmlout_text(x, "TextEn", "The certificate ends soon. After that what is signed with it is refused "
	    "(CERT_EXPIRED), and its key does not log in. Get a new certificate and give it to the registry to be "
	    "assigned to the user; the old one stays good for a while.", LONG_TEXT);
}

static int
hex_ok(const char *s, size_t min, size_t max)
{
	size_t	n = strspn(s, "0123456789abcdefABCDEF");

	return s[n] == '\0' && n >= min && n <= max;
}

static int
is_registration(const struct notice *n)
{
	enum message_type type = message_type_by_name(n->message_type);

	return type != MT_COUNT && message_type_class(type) == MC_REGISTRATION;
}

/* The first ones of what is wrong; who asked for registry numbers is answered whole,
 * and again when what was asked elsewhere is known.  -1 where there may be none. */
static long long
findings_shown(const struct notice *n)
{
	if (n->findings == 0)
		return 0;
	if (n->findings < 0 || (n->level != NL_ACCEPTED && (n->level != NL_RESULT || !is_registration(n))))
		return -1;
	return n->findings < RECORD_FINDINGS_MAX || is_registration(n) ? n->findings : RECORD_FINDINGS_MAX;
}

/* What the notice must be for its kind; NULL where it is, else what is not. */
static const char *
wrong_field(const struct notice *n)
{
	if (!uuid_ok(n->id))
		return "id";
	if ((unsigned)n->kind >= NK_COUNT)
		return "kind";
	if (!member_code_ok(n->recipient))
		return "recipient";
	if (n->kind == NK_CERTIFICATE_EXPIRY)
		return n->line_count < 1 ? "line count" : NULL;
	if (n->kind != NK_ACKNOWLEDGEMENT)
		return n->run < 1 ? "run" :
		    n->line_count < (n->kind == NK_LIMIT_BREACH) ? "line count" : NULL;
	if ((unsigned)n->level >= NL_COUNT)
		return "level";
	if (!uuid_ok(n->submission_id) || !file_name_ok(n->submission_name) ||
	    !hex_ok(n->submission_sha256, SHA256_HEX_SIZE - 1, SHA256_HEX_SIZE - 1))
		return "submission";
	if (n->submission_size < 0 || n->record_count < 0 || n->breaks < 0)
		return "count";
	if (!user_code_ok(n->uploader))
		return "uploader";
	if (n->message_id[0] != '\0' && !message_id_ok(n->message_id))
		return "message id";
	if (n->signer_serial[0] != '\0' && !hex_ok(n->signer_serial, 1, SERIAL_SIZE - 1))
		return "signer's serial";
	if (n->level == NL_REJECTED && (n->reasons.n == 0 || n->reasons.n > REASONS_MAX))
		return "reasons";
	if (findings_shown(n) == -1)
		return "findings";
	return n->line_count != findings_shown(n) ? "line count" : NULL;
}

static int
write_notice(struct xmlout *x, const struct notice *n, const char *issuer, int lines)
{
	char	date[DATE_SIZE];

	xmlout_start(x, notice_kind_name(n->kind));
	xmlout_namespace(x, notice_kind_namespace(n->kind));
	write_header(x, n, issuer);
	if (n->kind == NK_ACKNOWLEDGEMENT)
		return write_acknowledgement(x, n, lines);
	if (n->kind == NK_CERTIFICATE_EXPIRY)
		write_expiry(x);
	else {
		date_format(n->business_date, date);
		xmlout_text(x, "BusinessDate", date, sizeof(date));
		xmlout_number(x, "Run", n->run);
	}
	return lines_write(x, n, lines);
}

/* What has been written gets its signature as the root's last child. */
static int
sign_written(struct xmlout *x, const struct notice *n, const struct signing_key *k, usec_t at)
{
	unsigned char	digest[EVP_MAX_MD_SIZE];
	struct buf	signature = { 0 };
	int		rc = -1;

	if (xmlout_digest(x, digest) == -1) {
		log_warn("notice %s: write", n->id);
		return -1;
	}
	if (signature_text(k, digest, at, &signature) == 0) {
		xmlout_signature(x, &signature);
		if ((rc = xmlout_finish(x)) == -1)
			log_warn("notice %s: write", n->id);
	}
	buf_free(&signature);
	return rc;
}

int
notice_build(const struct notice *n, const char *issuer, const struct signing_key *k, int lines,
    int out, const struct xmlout_watch *watch, usec_t *signed_at)
{
	struct xmlout	*x;
	const char	*wrong = wrong_field(n);
	int		 rc = -1;

	if (wrong != NULL) {
		log_warnx("notice %.36s: %s: not as it must be", n->id, wrong);
		return -1;
	}
	x = xcalloc(1, sizeof(*x));
	if (xmlout_init(x, out, EVP_get_digestbyname(dsig_digest_openssl(k->alg->digest)), watch) == 0 &&
	    write_notice(x, n, issuer, lines) == 0) {
		*signed_at = clock_now();
		rc = sign_written(x, n, k, *signed_at);
	}
	xmlout_free(x);
	free(x);
	return rc;
}

struct dsig_demand
notice_demand(const struct signing_key *k)
{
	return (struct dsig_demand){ .c14n = { .method = C14N_EXCLUSIVE }, .digest = k->alg->digest };
}
