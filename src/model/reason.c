/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/ident.h"
#include "model/reason.h"

/*
 * The one table of reasons.  S0, S1 m.N and S2 X are the sources: MKK's KVMKS
 * slides, the Board's Communique III-35/B.2, the MKS business rules.
 */
static const struct reason_info table[REASON_COUNT] = {
	[XML_MALFORMED] = { "XML_MALFORMED", STAGE_XML,
	    "W3C XML 1.0 2.1; W3C Namespaces in XML 1.0 7",
	    "The file is not a well-formed XML document.",
	    "Dosya iyi biçimlendirilmiş bir XML belgesi değil.",
	    "Check that the upload was complete, then send the document again.",
	    "Yüklemenin eksiksiz olduğunu denetleyip belgeyi yeniden gönderin." },
	[XML_FORBIDDEN] = { "XML_FORBIDDEN", STAGE_XML,
	    "RFC 3470 4.9, 7; W3C XML Signature 1.1 8.1",
	    "The document uses an XML feature that is not accepted: a document type declaration, an entity, too deep a nesting or too large a part.",
	    "Belge kabul edilmeyen bir XML özelliği içeriyor: belge türü bildirimi, varlık, aşırı iç içelik veya aşırı büyük bir bölüm.",
	    "Write the document without DTD and entities, within the limits of the manual.",
	    "Belgeyi DTD ve varlık kullanmadan, kılavuzdaki sınırlar içinde hazırlayın." },
	[SIG_MISSING] = { "SIG_MISSING", STAGE_SIGNATURE,
	    "S2 A (every notification is signed); W3C XML Signature 1.1 4.1",
	    "The document carries no electronic signature where one is expected.",
	    "Belgede beklenen yerde elektronik imza yok.",
	    "Sign the document; the signature is the first or the last child of the root element.",
	    "Belgeyi imzalayın; imza, kök öğenin ilk veya son alt öğesi olmalıdır." },
	[SIG_MULTIPLE] = { "SIG_MULTIPLE", STAGE_SIGNATURE,
	    "S2 A; ETSI EN 319 132-1 4.3",
	    "The document carries more than one signature.",
	    "Belgede birden fazla imza var.",
	    "Send the document with exactly one signature.",
	    "Belgeyi tek bir imzayla gönderin." },
	[SIG_COVERAGE] = { "SIG_COVERAGE", STAGE_SIGNATURE,
	    "W3C XML Signature 1.1 4.4.3, 6.6.4, 8.1; ETSI EN 319 132-1 4.3",
	    "The signature does not cover the whole document and its signed properties, or it covers something else.",
	    "İmza, belgenin tamamını ve imzalı özelliklerini kapsamıyor ya da başka bir veriyi kapsıyor.",
	    "Sign with one reference URI=\"\" (enveloped-signature) and one reference to SignedProperties.",
	    "URI=\"\" (enveloped-signature) ve SignedProperties başvurularıyla imzalayın." },
	[SIG_ALGORITHM] = { "SIG_ALGORITHM", STAGE_SIGNATURE,
	    "RFC 9231 2; ETSI TS 119 312 5, 7; W3C XML Signature 1.1 6",
	    "An algorithm or key size of the signature is not allowed.",
	    "İmzada izin verilmeyen bir algoritma veya anahtar uzunluğu kullanılmış.",
	    "Use RSA of at least 2048 bits or ECDSA P-256 or P-384 with SHA-256, SHA-384 or SHA-512, and exclusive or inclusive c14n 1.0 without comments.",
	    "En az 2048 bit RSA veya P-256/P-384 ECDSA ile SHA-256, SHA-384 veya SHA-512; kanonikleştirme için yorumsuz exclusive ya da inclusive c14n 1.0 kullanın." },
	[SIG_DIGEST] = { "SIG_DIGEST", STAGE_SIGNATURE,
	    "W3C XML Signature 1.1 3.2.1 (reference validation)",
	    "The document differs from what was signed: a digest does not match.",
	    "Belge imzalanan hâlinden farklı: özet değeri uyuşmuyor.",
	    "Do not change the document after signing, also not its line ends or layout; `muhur c14n' shows the bytes that are digested.",
	    "İmzadan sonra belgeyi, satır sonları ve biçimi dahil, değiştirmeyin; özeti alınan baytları `muhur c14n' gösterir." },
	[SIG_VALUE] = { "SIG_VALUE", STAGE_SIGNATURE,
	    "W3C XML Signature 1.1 3.2.2 (signature validation)",
	    "The signature value was not made with the certificate's key.",
	    "İmza değeri, sertifikanın anahtarıyla oluşturulmamış.",
	    "Sign with the private key that belongs to the certificate in KeyInfo.",
	    "KeyInfo içindeki sertifikaya ait özel anahtarla imzalayın." },
	[CERT_UNTRUSTED] = { "CERT_UNTRUSTED", STAGE_CERTIFICATE,
	    "S2 A (access under the PKI); RFC 5280 6.1",
	    "The signer's certificate is missing, is not the one named by the signature, or does not lead to a trusted root.",
	    "İmzalayanın sertifikası yok, imzada belirtilen sertifika değil veya güvenilen bir köke ulaşmıyor.",
	    "Put the signer's certificate and its intermediate ones into KeyInfo as X509Certificate.",
	    "İmzalayanın sertifikasını ve ara sertifikaları KeyInfo içine X509Certificate olarak ekleyin." },
	[CERT_EXPIRED] = { "CERT_EXPIRED", STAGE_CERTIFICATE,
	    "S2 E (an expiring certificate is replaced); RFC 5280 4.1.2.5, 6.1.3",
	    "A certificate was not valid at the time of receipt: expired or not yet valid.",
	    "Bir sertifika teslim anında geçerli değildi: süresi dolmuş ya da henüz başlamamış.",
	    "Have a new certificate enrolled for the user and sign with it.",
	    "Kullanıcıya yeni bir sertifika tanımlatıp onunla imzalayın." },
	[CERT_REVOKED] = { "CERT_REVOKED", STAGE_CERTIFICATE,
	    "RFC 5280 6.3",
	    "A certificate was revoked before the time of receipt.",
	    "Bir sertifika teslim anından önce iptal edilmiş.",
	    "Sign with a certificate that is not revoked; have a new one enrolled.",
	    "İptal edilmemiş bir sertifikayla imzalayın; yeni sertifika tanımlatın." },
	[CERT_REVOCATION_UNKNOWN] = { "CERT_REVOCATION_UNKNOWN", STAGE_CERTIFICATE,
	    "RFC 5280 6.3.3",
	    "Whether the certificate is revoked cannot be told: no current revocation list of its issuer is at hand.",
	    "Sertifikanın iptal edilip edilmediği belirlenemiyor: yayıncısının güncel iptal listesi yok.",
	    "Send the document again later; if it lasts, ask the registry.",
	    "Belgeyi daha sonra yeniden gönderin; sorun sürerse MKK'ya başvurun." },
	[CERT_USAGE] = { "CERT_USAGE", STAGE_CERTIFICATE,
	    "RFC 5280 4.2.1.3 (nonRepudiation)",
	    "The certificate is not meant for signing documents: key usage nonRepudiation is missing.",
	    "Sertifika belge imzalamak için verilmemiş: inkâr edilemezlik (nonRepudiation) anahtar kullanımı yok.",
	    "Sign with a certificate for electronic signatures or seals.",
	    "Elektronik imza veya mühür sertifikasıyla imzalayın." },
	[CERT_NOT_ENROLLED] = { "CERT_NOT_ENROLLED", STAGE_CERTIFICATE,
	    "S2 A, S2 E (certificates are matched to members and users)",
	    "The certificate is not enrolled for any active user of a member.",
	    "Sertifika hiçbir üyenin etkin bir kullanıcısına tanımlı değil.",
	    "Have the certificate enrolled and assigned to the user, then send the document again.",
	    "Sertifikayı kullanıcıya tanımlatıp belgeyi yeniden gönderin." },
	[SIGNING_TIME] = { "SIGNING_TIME", STAGE_SIGNING_TIME,
	    "ETSI EN 319 132-1 5.2.1; S2 A (no forward-dated entries)",
	    "The signing time is missing, or too far before or after the time of receipt.",
	    "İmza zamanı yok ya da teslim anından kabul edilenden daha önce veya sonra.",
	    "Set the signing computer's clock and sign again.",
	    "İmzalama yapılan bilgisayarın saatini düzeltip yeniden imzalayın." },
	[NOT_AUTHORISED] = { "NOT_AUTHORISED", STAGE_AUTHORITY,
	    "S2 E (rights are held per message type)",
	    "The user who sent or signed the document may not send this message type for this member.",
	    "Belgeyi gönderen veya imzalayan kullanıcının bu üye adına bu mesaj tipini gönderme yetkisi yok.",
	    "Have the main authority grant the right, or send as the member and user that the header names.",
	    "Ana yetkiliden yetki alın ya da başlıkta yazan üye ve kullanıcıyla gönderin." },
	[MEMBER_SUSPENDED] = { "MEMBER_SUSPENDED", STAGE_AUTHORITY,
	    "S2 N3 (restrictions of a member's activity)",
	    "The member is suspended and may not send.",
	    "Üyenin faaliyeti durdurulmuş; bildirim gönderemez.",
	    "Notices can still be fetched; ask the registry about the suspension.",
	    "Bildirimler alınmaya devam edilebilir; durdurma için MKK'ya başvurun." },
	[SCHEMA_INVALID] = { "SCHEMA_INVALID", STAGE_SCHEMA,
	    "S1 m.32(2); W3C XML Schema 1.0 Part 1, 2.4",
	    "The document does not follow the schema of its message type.",
	    "Belge, mesaj tipinin şemasına uymuyor.",
	    "Check the document against the published schema before signing.",
	    "Belgeyi imzalamadan önce yayımlanan şemayla denetleyin." },
	[CONTROL_TOTAL] = { "CONTROL_TOTAL", STAGE_CONTENT,
	    "S1 m.32(3) (reports are compared)",
	    "The record count or a control total of the header differs from the records.",
	    "Başlıktaki kayıt sayısı veya bir kontrol toplamı kayıtlarla uyuşmuyor.",
	    "Count and add the records again; the detail names the asset and both values.",
	    "Kayıtları yeniden sayıp toplayın; ayrıntıda varlık ve iki değer yazar." },
	[BUSINESS_DATE] = { "BUSINESS_DATE", STAGE_CONTENT,
	    "S2 A (no forward-dated entries); S1 m.33(2) (the day ends at 23:59)",
	    "The business date is not a day that is already closed.",
	    "İş günü henüz kapanmamış bir gün.",
	    "Report a day after its end at 23:59 Europe/Istanbul.",
	    "Günü, Türkiye saatiyle 23:59'da kapandıktan sonra raporlayın." },
	[DUPLICATE] = { "DUPLICATE", STAGE_CONTENT,
	    "S2 A (after approval nothing is edited)",
	    "This MessageId was used before by the same sender for another document.",
	    "Bu MessageId, aynı gönderen tarafından daha önce başka bir belge için kullanılmış.",
	    "Use a new MessageId; to correct a report, name the old one in ReplacesMessageId.",
	    "Yeni bir MessageId kullanın; düzeltme için eskisini ReplacesMessageId alanında belirtin." },
	[REFERENCE_UNKNOWN] = { "REFERENCE_UNKNOWN", STAGE_CONTENT,
	    "S2 A (corrections refer to what they correct); S2 E",
	    "The document refers to a message, break or member code that does not exist or does not fit.",
	    "Belge, var olmayan veya uygun olmayan bir mesaja, farklılığa ya da üye koduna başvuruyor.",
	    "Correct the reference; the detail names it.",
	    "Başvuruyu düzeltin; ayrıntıda hangisi olduğu yazar." },
	[PROCESSING_FAILED] = { "PROCESSING_FAILED", STAGE_OURS,
	    "S2 A (whether a notification was accepted is always notified)",
	    "The gateway could not process the document; an operator closed it without judging its content.",
	    "Sistem belgeyi işleyemedi; operatör içeriği hakkında karar vermeden kapattı.",
	    "Ask the registry, then send the document again under a new MessageId.",
	    "MKK'ya danışıp belgeyi yeni bir MessageId ile yeniden gönderin." },
};

const struct reason_info *
reason_info(enum reason_code code)
{
	return &table[code];
}

enum reason_code
reason_by_name(const char *name)
{
	int i;

	for (i = 0; i < REASON_COUNT; i++) {
		if (strcmp(table[i].name, name) == 0)
			break;
	}
	return (enum reason_code)i;
}

/* Where the next reason goes; NULL when it has to be dropped. */
static struct reason *
place(struct reasons *rs, enum reason_stage stage)
{
	struct reason *latest = NULL;
	size_t i;

	if (rs->n < REASONS_MAX)
		return &rs->v[rs->n++];
	for (i = 0; i < rs->n; i++) {
		if (latest == NULL ||
		    table[rs->v[i].code].stage >= table[latest->code].stage)
			latest = &rs->v[i];
	}
	return table[latest->code].stage > stage ? latest : NULL;
}

void
reasons_add(struct reasons *rs, enum reason_code code, long line,
    const char *path, const char *fmt, ...)
{
	struct reason *r;
	va_list ap;

	if ((r = place(rs, table[code].stage)) == NULL)
		return;
	r->code = code;
	r->line = line;
	snprintf(r->path, sizeof(r->path), "%s", path != NULL ? path : "");
	va_start(ap, fmt);
	vsnprintf(r->detail, sizeof(r->detail), fmt, ap);
	va_end(ap);
	/* What a hostile document held ends in logs and in XML that we sign. */
	text_clean(r->path);
	text_clean(r->detail);
}

enum reason_stage
reasons_stage(const struct reasons *rs)
{
	enum reason_stage stage = STAGE_NONE;
	size_t i;

	for (i = 0; i < rs->n; i++) {
		if (table[rs->v[i].code].stage < stage)
			stage = table[rs->v[i].code].stage;
	}
	return stage;
}

static int
reason_cmp(const void *va, const void *vb)
{
	const struct reason *a = va, *b = vb;

	if (a->code != b->code)
		return a->code < b->code ? -1 : 1;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return strcmp(a->path, b->path);
}

void
reasons_first_stage(struct reasons *rs)
{
	enum reason_stage stage = reasons_stage(rs);
	size_t i, n = 0;

	for (i = 0; i < rs->n; i++) {
		if (table[rs->v[i].code].stage == stage)
			rs->v[n++] = rs->v[i];
	}
	rs->n = n;
	qsort(rs->v, n, sizeof(rs->v[0]), reason_cmp);
}

int
reasons_has(const struct reasons *rs, enum reason_code code)
{
	size_t i;

	for (i = 0; i < rs->n; i++) {
		if (rs->v[i].code == code)
			return 1;
	}
	return 0;
}
