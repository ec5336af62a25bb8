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
 * Notices quote it; `make refusals' writes it into doc/refusals.md and
 * doc/muhur.1, and `make check' fails where they say something else.
 */
static const struct reason_info table[REASON_COUNT] = {
	[XML_MALFORMED] = { "XML_MALFORMED", STAGE_XML,
	    "W3C XML 1.0 2.1; W3C Namespaces in XML 1.0 7",
	    "The file is not a well-formed XML document, ends too early, or is in an encoding that is not accepted.",
	    "Dosya iyi biçimlendirilmiş bir XML belgesi değil, eksik ya da kabul edilmeyen bir karakter kodlamasında.",
	    "Check that the whole file was uploaded and that it is well-formed; the detail names the fault. Then send the document again.",
	    "Dosyanın tamamının yüklendiğini ve iyi biçimlendirilmiş olduğunu denetleyin; hata, ayrıntıda belirtilir. Ardından belgeyi yeniden gönderin." },
	[XML_FORBIDDEN] = { "XML_FORBIDDEN", STAGE_XML,
	    "RFC 3470 4.13, 7 (entities); W3C Canonical XML 1.0 2.1 (namespace names; the limits are the gateway's own)",
	    "The document uses an XML feature that is not accepted (a document type declaration, an entity, a namespace name that is no absolute URI), or passes a limit of size, number or depth.",
	    "Belge kabul edilmeyen bir XML özelliği (belge türü bildirimi, varlık, mutlak URI olmayan ad alanı adı) içeriyor ya da boyut, sayı veya derinlik sınırlarından birini aşıyor.",
	    "Write the document without DTD and entities, within the limits that muhur(1) lists; the detail names what was found.",
	    "Belgeyi DTD ve varlık kullanmadan, muhur(1) kılavuzunda sayılan sınırlar içinde hazırlayın; neyin bulunduğu ayrıntıda belirtilir." },
	[SIG_MISSING] = { "SIG_MISSING", STAGE_SIGNATURE,
	    "S2 A (every notification is signed); W3C XML Signature 1.1 4.2",
	    "The document carries no electronic signature.",
	    "Belgede elektronik imza bulunmuyor.",
	    "Sign the document; ds:Signature is the first or the last child of the root element.",
	    "Belgeyi imzalayın; ds:Signature, kök öğenin ilk veya son alt öğesi olmalıdır." },
	[SIG_MULTIPLE] = { "SIG_MULTIPLE", STAGE_SIGNATURE,
	    "S2 A (a notification is stored with its signature; that it is one is the gateway's own rule)",
	    "The document carries more than one signature.",
	    "Belgede birden fazla elektronik imza var.",
	    "Send the document with exactly one signature.",
	    "Belgeyi tek bir imzayla gönderin." },
	[SIG_COVERAGE] = { "SIG_COVERAGE", STAGE_SIGNATURE,
	    "W3C XML Signature 1.1 4.4.3, 6.6.4, 8.1; ETSI EN 319 132-1 4.3, 4.4.2",
	    "The signature does not cover the whole document and its own signed properties, covers something else, or does not stand where it has to.",
	    "İmza, belgenin tamamını ve kendi imzalı özelliklerini kapsamıyor, başka bir veriyi kapsıyor ya da bulunması gereken yerde değil.",
	    "Sign with one reference URI=\"\" (enveloped-signature) and one to SignedProperties, and with no others; ds:Signature is the first or the last child of the root element.",
	    "Biri URI=\"\" (enveloped-signature), diğeri SignedProperties için olmak üzere yalnızca iki referansla imzalayın; ds:Signature, kök öğenin ilk veya son alt öğesi olmalıdır." },
	[SIG_ALGORITHM] = { "SIG_ALGORITHM", STAGE_SIGNATURE,
	    "RFC 9231 2; ETSI TS 119 312 5, 7; W3C XML Signature 1.1 6; ETSI EN 319 132-1 5.2.9",
	    "An algorithm, the key size or the signature policy of the signature is not allowed.",
	    "İmzada izin verilmeyen bir algoritma, anahtar uzunluğu veya imza politikası kullanılmış.",
	    "Use RSA of at least 2048 bits or ECDSA P-256 or P-384 with SHA-256, SHA-384 or SHA-512, and exclusive or inclusive c14n 1.0 without comments; name no signature policy, or one that the registry takes.",
	    "En az 2048 bit RSA ya da P-256 veya P-384 ECDSA ile SHA-256, SHA-384 veya SHA-512; kanonikleştirme için yorumsuz exclusive veya inclusive c14n 1.0 kullanın; imza politikası belirtmeyin ya da MKK'nın kabul ettiği birini belirtin." },
	[SIG_DIGEST] = { "SIG_DIGEST", STAGE_SIGNATURE,
	    "W3C XML Signature 1.1 3.2.1 (reference validation)",
	    "The document differs from what was signed: a digest does not match.",
	    "Belge, imzalanan hâlinden farklı: bir özet değeri uyuşmuyor.",
	    "Do not change the document after signing, not even its line ends or layout; \"muhur c14n\" shows the bytes that are digested.",
	    "İmzaladıktan sonra belgeyi, satır sonları ve biçimi dahil, değiştirmeyin; özeti alınan baytları \"muhur c14n\" komutu gösterir." },
	[SIG_VALUE] = { "SIG_VALUE", STAGE_SIGNATURE,
	    "W3C XML Signature 1.1 3.2.2 (signature validation)",
	    "The signature value does not verify with the certificate's key: another key made it, or SignedInfo was changed after signing.",
	    "İmza değeri sertifikanın anahtarıyla doğrulanamıyor: başka bir anahtarla oluşturulmuş ya da SignedInfo imzalandıktan sonra değiştirilmiş.",
	    "Sign with the private key that belongs to the certificate in KeyInfo, and leave ds:Signature as it is afterwards.",
	    "KeyInfo içindeki sertifikaya ait özel anahtarla imzalayın ve imzaladıktan sonra ds:Signature öğesini değiştirmeyin." },
	[CERT_UNTRUSTED] = { "CERT_UNTRUSTED", STAGE_CERTIFICATE,
	    "S2 A (access under the PKI); RFC 5280 6.1; ETSI EN 319 132-1 5.2.2",
	    "The signer's certificate is missing, is not the one that the signature names, or does not lead to a trusted root.",
	    "İmzalayanın sertifikası yok, imzada belirtilen sertifika değil ya da güvenilen bir köke ulaşmıyor.",
	    "Sign with a certificate of an authority that the registry trusts, named in SigningCertificate or SigningCertificateV2; put it and its intermediate ones into KeyInfo as X509Certificate.",
	    "MKK'nın güvendiği bir sertifika hizmet sağlayıcısının verdiği, SigningCertificate veya SigningCertificateV2 içinde belirtilen sertifikayla imzalayın; onu ve ara sertifikaları KeyInfo içine X509Certificate olarak ekleyin." },
	[CERT_EXPIRED] = { "CERT_EXPIRED", STAGE_CERTIFICATE,
	    "S2 E (an expiring certificate is replaced); RFC 5280 4.1.2.5, 6.1.3",
	    "The signer's certificate or one of its issuers' was not valid at the time of receipt: expired or not yet valid.",
	    "İmzalayanın sertifikası veya üst sertifikalarından biri teslim anında geçerli değildi: süresi dolmuş ya da henüz başlamamış.",
	    "Have a new certificate enrolled for the user and sign with it.",
	    "Kullanıcı için yeni bir sertifika tanımlatıp belgeyi onunla imzalayın." },
	[CERT_REVOKED] = { "CERT_REVOKED", STAGE_CERTIFICATE,
	    "RFC 5280 6.1.3, 6.3",
	    "The signer's certificate or one of its issuers' was revoked before the time of receipt.",
	    "İmzalayanın sertifikası veya üst sertifikalarından biri teslim anından önce iptal edilmiş.",
	    "Have a new certificate enrolled for the user and sign with it.",
	    "Kullanıcı için yeni bir sertifika tanımlatıp belgeyi onunla imzalayın." },
	[CERT_REVOCATION_UNKNOWN] = { "CERT_REVOCATION_UNKNOWN", STAGE_CERTIFICATE,
	    "RFC 5280 6.3.3",
	    "Whether the certificate is revoked cannot be told: the gateway holds no current revocation list of its issuer.",
	    "Sertifikanın iptal edilip edilmediği belirlenemiyor: sistemde, sertifikayı yayınlayanın güncel iptal listesi yok.",
	    "Send the same document again later; if it lasts, ask the registry.",
	    "Aynı belgeyi daha sonra yeniden gönderin; sorun sürerse MKK'ya başvurun." },
	[CERT_USAGE] = { "CERT_USAGE", STAGE_CERTIFICATE,
	    "RFC 5280 4.2.1.3 (nonRepudiation), 4.2.1.9 (cA)",
	    "The certificate is not meant for signing documents: its key usage lacks nonRepudiation, or it is a certification authority's.",
	    "Sertifika belge imzalamaya uygun değil: anahtar kullanımında inkâr edilemezlik (nonRepudiation) yok ya da sertifika bir sertifika hizmet sağlayıcısına ait.",
	    "Sign with a user's certificate for electronic signatures or seals.",
	    "Elektronik imza veya elektronik mühür için verilmiş bir kullanıcı sertifikasıyla imzalayın." },
	[CERT_NOT_ENROLLED] = { "CERT_NOT_ENROLLED", STAGE_CERTIFICATE,
	    "S2 A, S2 E (certificates are matched to members and users)",
	    "The certificate is enrolled for no active user: nobody enrolled it, it was withdrawn, or its user is suspended.",
	    "Sertifika etkin bir kullanıcıya tanımlı değil: hiç tanımlanmamış, tanımı geri alınmış ya da kullanıcısı askıya alınmış.",
	    "Have the certificate enrolled for the user, or the user resumed; the same document may then be sent again.",
	    "Sertifikayı kullanıcıya tanımlatın ya da kullanıcının askıya alınma durumunu kaldırtın; ardından aynı belge yeniden gönderilebilir." },
	[SIGNING_TIME] = { "SIGNING_TIME", STAGE_SIGNING_TIME,
	    "ETSI EN 319 132-1 5.2.1; S2 A (no forward-dated entries)",
	    "The signing time is missing, or lies too far before or after the time of receipt: 48 hours before and 5 minutes after are allowed where the registry sets nothing else.",
	    "İmza zamanı yok ya da teslim anından izin verilenden daha önce veya daha sonra: MKK başka bir değer belirlemedikçe en çok 48 saat öncesi ve 5 dakika sonrası kabul edilir.",
	    "Set the signing computer's clock, sign again, and send the file soon after; a time without a zone is read as Istanbul's.",
	    "İmzalama yapılan bilgisayarın saatini ayarlayıp yeniden imzalayın ve dosyayı gecikmeden gönderin; saat dilimi yazılmamış zaman, İstanbul saati sayılır." },
	[NOT_AUTHORISED] = { "NOT_AUTHORISED", STAGE_AUTHORITY,
	    "S2 E (rights are held per message type)",
	    "The user who sent or signed the document may not send this message type for this member.",
	    "Belgeyi gönderen veya imzalayan kullanıcının bu mesaj tipini bu üye adına gönderme yetkisi yok.",
	    "Have the main authority grant the right, or send and sign as the member and user that the header names; the detail says what does not fit.",
	    "Ana yetkiliden yetki alın ya da belgeyi, başlıkta yazan üye ve kullanıcı olarak imzalayıp gönderin; neyin uymadığı ayrıntıda belirtilir." },
	[MEMBER_SUSPENDED] = { "MEMBER_SUSPENDED", STAGE_AUTHORITY,
	    "S2 N3 (restrictions of a member's activity)",
	    "The member is suspended and may not send.",
	    "Üyenin faaliyeti durdurulmuş; bildirim gönderemez.",
	    "Notices can still be fetched; ask the registry about the suspension.",
	    "MKK bildirimleri alınmaya devam edilebilir; faaliyet durdurma hakkında MKK'ya başvurun." },
	[SCHEMA_INVALID] = { "SCHEMA_INVALID", STAGE_SCHEMA,
	    "S1 m.32(2); W3C XML Schema 1.0 Part 1, 5.2",
	    "The document does not follow the schema of its message type.",
	    "Belge, mesaj tipinin şemasına uymuyor.",
	    "Correct each place that is given by line and path; check the document against the published schema before signing it.",
	    "Satır ve yol ile gösterilen her yeri düzeltin; belgeyi imzalamadan önce yayımlanan şemayla denetleyin." },
	[CONTROL_TOTAL] = { "CONTROL_TOTAL", STAGE_CONTENT,
	    "S1 m.32(3) (reports are compared; counts and totals are the gateway's own rule)",
	    "The record count or a control total of the header differs from the records.",
	    "Başlıktaki kayıt sayısı veya bir kontrol toplamı kayıtlarla uyuşmuyor.",
	    "Count and add the records again; the detail gives both values and, for a total, the asset.",
	    "Kayıtları yeniden sayıp toplayın; ayrıntıda iki değer ve toplamlarda ilgili varlık belirtilir." },
	[BUSINESS_DATE] = { "BUSINESS_DATE", STAGE_CONTENT,
	    "S2 A (no forward-dated entries; no effect without approval); S1 m.33(2) (the day ends at 23:59)",
	    "The business date is not yet closed, or lies too far in the past, or the entry was not approved before the cut-off.",
	    "Bildirilen iş günü henüz kapanmamış ya da çok eski veya giriş, son saate kadar onaylanmadı.",
	    "Report a day after its end at 23:59 Europe/Istanbul; the detail names the last closed day. What was not approved in time has to be entered again.",
	    "Günü, Türkiye saatiyle 23:59'da kapandıktan sonra bildirin; en son kapanan gün ayrıntıda belirtilir. Zamanında onaylanmayan girişi yeniden yapın." },
	[DUPLICATE] = { "DUPLICATE", STAGE_CONTENT,
	    "S2 A (after approval nothing is edited)",
	    "This MessageId was used before by the same sender for another document.",
	    "Bu MessageId, aynı gönderen tarafından daha önce başka bir belge için kullanılmış.",
	    "Use a new MessageId; to correct a report, name the old one in ReplacesMessageId.",
	    "Yeni bir MessageId kullanın; bir raporu düzeltmek için eskisini ReplacesMessageId alanında belirtin." },
	[REFERENCE_UNKNOWN] = { "REFERENCE_UNKNOWN", STAGE_CONTENT,
	    "S2 A (corrections refer to what they correct); S2 E (codes of members)",
	    "The document refers to a message, break or member code that does not exist, does not fit, or is not in effect.",
	    "Belge; var olmayan, uygun olmayan veya yürürlükte olmayan bir mesaja, farklılığa ya da üye koduna referans veriyor.",
	    "Correct the reference; the detail names it.",
	    "Referansı düzeltin; hangisi olduğu ayrıntıda belirtilir." },
	[PROCESSING_FAILED] = { "PROCESSING_FAILED", STAGE_OURS,
	    "S2 A (whether a notification was accepted is always notified)",
	    "The gateway could not process the document; an operator closed it without judging its content.",
	    "Sistem belgeyi işleyemedi; operatör, içeriği hakkında karar vermeden işlemi kapattı.",
	    "Ask the registry, then send the document again.",
	    "MKK'ya danıştıktan sonra belgeyi yeniden gönderin." },
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

int
reason_stage_counts(enum reason_stage stage)
{
	return stage > STAGE_AUTHORITY && stage < STAGE_OURS;
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
