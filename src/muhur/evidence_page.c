/* SPDX-License-Identifier: ISC */
/*
 * index.html of an evidence: its story for people, in Turkish and in English.
 * XHTML, so that every parser reads it; no script, nothing from elsewhere, and
 * all that comes from a file or a member is escaped.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "model/reason.h"
#include "muhur/evidence.h"

typedef const char *const both[2];

void
evidence_escape(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++)
		switch (*s) {
		case '<': buf_puts(b, "&lt;"); break;
		case '>': buf_puts(b, "&gt;"); break;
		case '&': buf_puts(b, "&amp;"); break;
		case '"': buf_puts(b, "&quot;"); break;
		case '\'': buf_puts(b, "&#39;"); break;
		default:
			/* XML has no other control characters */
			if ((unsigned char)*s >= 0x20 || *s == '\t' || *s == '\n')
				buf_append(b, s, 1);
			else
				buf_puts(b, "?");
		}
}

static const char *
get(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

/* --- words ---------------------------------------------------------------------------- */

static const struct { const char *name; both text; } words[] = {
	/* states and levels */
	{ "received", { "alındı", "received" } },
	{ "accepted", { "kabul edildi", "accepted" } },
	{ "rejected", { "reddedildi", "rejected" } },
	{ "waiting", { "onay bekliyor", "waiting for approval" } },
	{ "repeated", { "aynı dosyanın tekrarı", "a repeat of the same file" } },
	{ "replaced", { "düzeltmeyle değiştirildi", "replaced by a correction" } },
	{ "cancelled", { "iptal edildi", "cancelled" } },
	{ "held", { "bekletildi", "held" } },
	{ "result", { "sonuç", "result" } },
	/* events */
	{ "signed", { "bildirim imzalandı", "notice signed" } },
	{ "fetched", { "bildirim indirildi", "notice fetched" } },
	{ "archived", { "bildirim arşivlendi", "notice archived" } },
	{ "operator-decision", { "işletmen kararı", "operator's decision" } },
	{ "evidence-exported", { "kanıt dosyası verildi", "evidence exported" } },
	{ "unreadable", { "yazılamayan olay", "an event that could not be written as it was" } },
	{ "purged", { "saklama süresi sonunda silindi", "removed at the end of its retention" } },
};

const char *
evidence_word(const char *name, int l)
{
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].name, name) == 0)
			return words[i].text[l];
	return name;
}

static void
row(struct buf *b, const char *what, const char *value)
{
	if (*value == '\0')
		return;
	buf_printf(b, "<tr><th scope=\"row\">%s</th><td>", what);
	evidence_escape(b, value);
	buf_puts(b, "</td></tr>\n");
}

static void
heading(struct buf *b, int l, both text)
{
	buf_printf(b, "<h3>%s</h3>\n", text[l]);
}

/* --- parts ----------------------------------------------------------------------------- */

static void
summary(struct buf *b, const json_t *s, int l)
{
	buf_puts(b, "<p class=\"lead\">");
	if (l == TR) {
		evidence_escape(b, get(s, "member"));
		buf_puts(b, " kodlu kurumun ");
		evidence_escape(b, get(s, "uploader"));
		buf_puts(b, " kodlu kullanıcısı, ");
		evidence_escape(b, get(s, "receivedAt"));
		buf_puts(b, " anında ");
		evidence_escape(b, get(s, "fileName"));
		buf_puts(b, " adlı dosyayı gönderdi. Sonuç: <strong>");
	} else {
		buf_puts(b, "User ");
		evidence_escape(b, get(s, "uploader"));
		buf_puts(b, " of ");
		evidence_escape(b, get(s, "member"));
		buf_puts(b, " sent the file ");
		evidence_escape(b, get(s, "fileName"));
		buf_puts(b, " at ");
		evidence_escape(b, get(s, "receivedAt"));
		buf_puts(b, ". The verdict: <strong>");
	}
	evidence_escape(b, evidence_word(get(s, "state"), l));
	buf_puts(b, "</strong>.</p>\n");
	buf_puts(b, l == TR ? "<p>* ile işaretlenen, kanıt dosyasını yapanın sözüdür; imza izi onu kanıtlamaz.</p>\n" :
	    "<p>What is marked with * is the word of whoever made this container; the signature trail does not prove it.</p>\n");
}

static void
submission(struct buf *b, const json_t *story, int l)
{
	static const struct { const char *key; both text; } rows[] = {
		{ "id", { "Gönderim no", "Submission" } },
		{ "fileName", { "Dosya adı", "File name" } },
		{ "sha256", { "Dosyanın SHA-256 özeti", "SHA-256 of the file" } },
		{ "member", { "Üye", "Member" } },
		{ "memberName", { "Üyenin adı*", "Member's name*" } },
		{ "uploader", { "Gönderen kullanıcı", "Sent by user" } },
		{ "userCode", { "Belgedeki kullanıcı*", "User in the document*" } },
		{ "messageType", { "Mesaj türü", "Message type" } },
		{ "messageId", { "Mesaj no", "MessageId" } },
		{ "businessDate", { "İş günü", "Business day" } },
		{ "receivedAt", { "Alındığı an", "Received at" } },
		{ "decidedAt", { "Karar anı", "Decided at" } },
		{ "replaces", { "Düzelttiği gönderim", "It corrects" } },
		{ "replacedBy", { "Düzelten gönderim", "Corrected by" } },
		{ "repeatOf", { "Tekrarı olduğu gönderim", "It repeats" } },
		{ "decidedBy", { "Onaylayan ya da iptal eden", "Approved or cancelled by" } },
	};
	static both title = { "Kim, neyi, ne zaman gönderdi", "Who sent what, when" };
	const json_t *s = json_object_get(story, "submission");
	size_t i;

	heading(b, l, title);
	buf_puts(b, "<table>\n");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		row(b, rows[i].text[l], get(s, rows[i].key));
	row(b, l == TR ? "Kanıt dosyasındaki yeri" : "In this container", get(story, "document"));
	buf_puts(b, "</table>\n");
}

static void
signature(struct buf *b, const json_t *story, int l)
{
	static const struct { const char *key; both text; } rows[] = {
		{ "signerSubject", { "İmzalayan", "Signer" } },
		{ "signerIssuer", { "Sertifikayı veren", "Certificate issued by" } },
		{ "signerSerial", { "Sertifika seri no", "Certificate serial number" } },
		{ "signerCertificate", { "Sertifikanın SHA-256 özeti", "SHA-256 of the certificate" } },
		{ "signingTime", { "İmzadaki zaman", "Signing time, as the signer says" } },
		{ "signaturePolicy", { "İmza politikası", "Signature policy" } },
		{ "timestampAt", { "İmzadaki zaman damgası*", "Time-stamp in the signature*" } },
		{ "timestampAuthority", { "Zaman damgasını veren*", "Time-stamp by*" } },
	};
	static both title = { "İmza ve sertifika", "Signature and certificate" };
	static both none = { "Dosyada, güvenilebilecek bir imza yoktu.", "The file had no signature that could be believed." };
	const json_t *s = json_object_get(story, "submission"), *crls = json_object_get(story, "crls"), *crl;
	size_t i;

	heading(b, l, title);
	if (get(s, "signerSubject")[0] == '\0')
		buf_printf(b, "<p>%s</p>\n", none[l]);
	buf_puts(b, "<table>\n");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		row(b, rows[i].text[l], get(s, rows[i].key));
	json_array_foreach(crls, i, crl) {
		row(b, l == TR ? "Bakılan iptal listesi" : "Revocation list looked at",
		    get(crl, "issuer")[0] != '\0' ? get(crl, "issuer") : get(crl, "sha256"));
		row(b, l == TR ? "listenin tarihi" : "of", get(crl, "thisUpdate"));
	}
	buf_puts(b, "</table>\n");
}

static void
reason(struct buf *b, const json_t *r, int l)
{
	enum reason_code code = reason_by_name(get(r, "code"));
	json_int_t line = json_integer_value(json_object_get(r, "line"));

	buf_puts(b, "<li><strong>");
	evidence_escape(b, get(r, "code"));
	buf_puts(b, "</strong>");
	if (code != REASON_COUNT) {
		buf_puts(b, ": ");
		evidence_escape(b, l == TR ? reason_info(code)->text_tr : reason_info(code)->text_en);
		buf_puts(b, l == TR ? " Kural: " : " Rule: ");
		evidence_escape(b, reason_info(code)->rule);
		buf_puts(b, ".");
	}
	if (line > 0)
		buf_printf(b, l == TR ? " Satır %lld." : " Line %lld.", (long long)line);
	if (get(r, "path")[0] != '\0') {
		buf_puts(b, " <code>");
		evidence_escape(b, get(r, "path"));
		buf_puts(b, "</code>");
	}
	if (get(r, "detail")[0] != '\0') {
		buf_puts(b, " <span lang=\"en\">");
		evidence_escape(b, get(r, "detail"));
		buf_puts(b, "</span>");
	}
	if (line > 0 || get(r, "path")[0] != '\0' || get(r, "detail")[0] != '\0')
		buf_puts(b, "*");
	buf_puts(b, "</li>\n");
}

static void
verdict(struct buf *b, const json_t *story, int l)
{
	static both title = { "Karar", "Verdict" };
	const json_t *list = json_object_get(story, "reasons"), *r;
	size_t i;

	heading(b, l, title);
	buf_puts(b, "<p>");
	evidence_escape(b, evidence_word(get(json_object_get(story, "submission"), "state"), l));
	buf_puts(b, "</p>\n");
	if (json_array_size(list) == 0)
		return;
	buf_puts(b, "<ul>\n");
	json_array_foreach(list, i, r)
		reason(b, r, l);
	buf_puts(b, "</ul>\n");
}

static void
notices(struct buf *b, const json_t *story, int l)
{
	static both title = { "Verilen bildirimler", "Notices" };
	static both none = { "Bu gönderimin kendi bildirimi yoktur.", "This submission has no notice of its own." };
	static both head = {
		"<tr><th>Bildirim</th><th>Kime*</th><th>İmza anı</th><th>Yayın anı*</th><th>SHA-256</th></tr>\n",
		"<tr><th>Notice</th><th>To*</th><th>Signed at</th><th>Published at*</th><th>SHA-256</th></tr>\n" };
	const json_t *list = json_object_get(story, "notices"), *n;
	size_t i;

	heading(b, l, title);
	if (json_array_size(list) == 0) {
		buf_printf(b, "<p>%s</p>\n", none[l]);
		return;
	}
	buf_printf(b, "<table>\n%s", head[l]);
	json_array_foreach(list, i, n) {
		buf_puts(b, "<tr><td>");
		evidence_escape(b, evidence_word(get(n, "level"), l));
		buf_puts(b, "<br/><code>");
		evidence_escape(b, get(n, "file"));
		buf_puts(b, "</code></td><td>");
		evidence_escape(b, get(n, "recipient"));
		buf_puts(b, "</td><td>");
		evidence_escape(b, get(n, "signedAt"));
		buf_puts(b, "</td><td>");
		evidence_escape(b, get(n, "publishedAt"));
		buf_puts(b, "</td><td><code>");
		evidence_escape(b, get(n, "sha256"));
		buf_puts(b, "</code></td></tr>\n");
	}
	buf_puts(b, "</table>\n");
}

static void
events(struct buf *b, const json_t *story, int l)
{
	static both head = {
		"<tr><th>Yaprak</th><th>Zaman</th><th>Olay</th><th>Kim</th><th>SHA-256</th></tr>\n",
		"<tr><th>Leaf</th><th>Time</th><th>Event</th><th>By</th><th>SHA-256</th></tr>\n" };
	const json_t *list = json_object_get(story, "events"), *e;
	size_t i;

	buf_printf(b, "<table>\n%s", head[l]);
	json_array_foreach(list, i, e) {
		buf_printf(b, "<tr><td>%lld</td><td>", (long long)json_integer_value(json_object_get(e, "index")));
		evidence_escape(b, get(e, "at"));
		buf_puts(b, "</td><td>");
		evidence_escape(b, evidence_word(get(e, "kind"), l));
		buf_puts(b, "</td><td>");
		evidence_escape(b, get(e, "actor"));
		buf_puts(b, "</td><td><code>");
		evidence_escape(b, get(e, "sha256"));
		buf_puts(b, "</code></td></tr>\n");
	}
	buf_puts(b, "</table>\n");
}

static void
trail(struct buf *b, const json_t *story, int l)
{
	static both title = { "İmza izi neyi kanıtlar", "What the signature trail proves" };
	static both text = {
		"<p>Ağ geçidindeki her olay, yalnızca eklenebilen bir kayıt defterinde (RFC 9162 Merkle ağacı) bir yapraktır. "
		"Defterin kökü düzenli olarak imzalanır",
		"<p>Every event of the gateway is a leaf of a log that only grows (a Merkle tree as in RFC 9162). The root of the log is "
		"signed regularly" };
	static both stamp = { " ve bu imzalı kök bağımsız bir makamca zaman damgalanmıştır",
		", and an independent authority has time-stamped this signed root" };
	static both proof = {
		". Aşağıdaki olayların her birinin bu defterde bulunduğu, yanındaki dosyayla kanıtlanır: sonradan eklenemez, "
		"değiştirilemez, çıkarılamazlar; yoksa kök başka olurdu. Zamanlar UTC'dir.</p>\n",
		". That each of the events below stands in this log is proved by a file of its own: they cannot have been added, "
		"changed or removed later, else the root would be another. Times are UTC.</p>\n" };
	static both no_stamp = {
		"<p><strong>Bu kökün zaman damgası yoktur</strong>: ne zamandan beri var olduğunu yalnızca ağ geçidi söyler.</p>\n",
		"<p><strong>This root has no time-stamp</strong>: since when it exists the gateway alone says.</p>\n" };
	const json_t *c = json_object_get(story, "checkpoint");

	heading(b, l, title);
	buf_puts(b, text[l]);
	if (get(c, "stampedAt")[0] != '\0')
		buf_puts(b, stamp[l]);
	buf_puts(b, proof[l]);
	events(b, story, l);
	buf_puts(b, "<table>\n");
	row(b, l == TR ? "Defter" : "Log", get(c, "origin"));
	buf_printf(b, "<tr><th scope=\"row\">%s</th><td>%lld</td></tr>\n", l == TR ? "Yaprak sayısı" : "Leaves",
	    (long long)json_integer_value(json_object_get(c, "size")));
	row(b, l == TR ? "Kök" : "Root", get(c, "root"));
	row(b, l == TR ? "Defterin anahtarı" : "The log's key", get(c, "key"));
	row(b, l == TR ? "Zaman damgası" : "Time-stamp", get(c, "stampedAt"));
	buf_puts(b, "</table>\n");
	if (get(c, "stampedAt")[0] == '\0')
		buf_puts(b, no_stamp[l]);
}

static int
has(const struct asic *files, const char *name)
{
	return asic_find(files, name) != NULL;
}

static void
how(struct buf *b, const json_t *story, const struct asic *files, struct evidence_closing closing, int l)
{
	static both title = { "Nasıl doğrulanır", "How to verify" };
	static both one = {
		"<p>Tek komutla, çevrimdışı; güvenilen sertifikaları, defterin anahtarını ve zaman damgası makamını siz verin (bu "
		"dosyadakiler, dosyayı yapanın sözüdür):</p>\n",
		"<p>With one command, offline; give the certificates that you trust, the log's key and the time-stamp authority "
		"yourself (those in this file are the word of whoever made it):</p>\n" };
	static both tools = { "<p>Ya da her yerde bulunan araçlarla, dosyayı açtıktan sonra:</p>\n",
		"<p>Or with tools that are everywhere, after unpacking:</p>\n" };
	const json_t *list = json_object_get(story, "notices");

	heading(b, l, title);
	buf_puts(b, one[l]);
	buf_puts(b, "<pre>muhur evidence verify --trust trust.pem --key VKEY --tsa tsa.pem X.asice</pre>\n");
	buf_puts(b, tools[l]);
	buf_puts(b, "<pre>sha256sum ");
	evidence_escape(b, get(story, "document"));
	if (json_array_size(list) > 0) {
		buf_puts(b, "\nxmlsec1 --verify --trusted-pem root.pem ");
		evidence_escape(b, get(json_array_get(list, 0), "file"));
	}
	if (has(files, "certificates/signer.pem")) {
		buf_puts(b, "\nxmlsec1 --verify --trusted-pem root.pem --untrusted-pem sub-ca.pem ");
		evidence_escape(b, get(story, "document"));
	}
	if (has(files, "trail/checkpoint.tsr"))
		buf_puts(b, "\nopenssl ts -verify -in trail/checkpoint.tsr -data trail/checkpoint -CAfile tsa.pem");
	if (closing.stamped)
		buf_puts(b, "\nopenssl ts -verify -token_in -in " ASIC_TIMESTAMP " -data " ASIC_MANIFEST " -CAfile tsa.pem");
	if (closing.is_signed)
		buf_printf(b, "\nopenssl cms -verify -binary -cades -inform DER -in " ASIC_SIGNATURE " -content %s"
		    " -CAfile trust.pem -purpose any -out /dev/null", closing.stamped ? ASIC_MANIFEST2 : ASIC_MANIFEST);
	buf_puts(b, "</pre>\n");
}

static void
listing(struct buf *b, const struct asic *files, int l)
{
	static both title = { "Bu dosyanın içindekiler", "What is in this container" };
	size_t i;

	heading(b, l, title);
	buf_puts(b, "<pre>");
	for (i = 0; i < files->n; i++)
		buf_printf(b, "%s  %s\n", files->v[i].sha256, files->v[i].name);
	buf_puts(b, "</pre>\n");
}

static void
story_in(struct buf *b, const json_t *story, const struct asic *files, struct evidence_closing closing, int l)
{
	buf_printf(b, "<section lang=\"%s\" id=\"%s\">\n<h2>%s</h2>\n", l == TR ? "tr" : "en", l == TR ? "tr" : "en",
	    l == TR ? "Kanıt dosyası" : "Evidence");
	summary(b, json_object_get(story, "submission"), l);
	submission(b, story, l);
	signature(b, story, l);
	verdict(b, story, l);
	notices(b, story, l);
	trail(b, story, l);
	how(b, story, files, closing, l);
	listing(b, files, l);
	buf_puts(b, "</section>\n");
}

void
evidence_page(const json_t *story, const struct asic *files, struct evidence_closing closing, struct buf *b)
{
	buf_puts(b, "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"tr\">\n<head>\n"
	    "<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width\"/>\n<title>");
	evidence_escape(b, get(json_object_get(story, "submission"), "fileName"));
	buf_puts(b, " – kanıt / evidence</title>\n<style>\n"
	    "body{font:11pt/1.45 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111}\n"
	    "table{border-collapse:collapse;width:100%;margin:.5rem 0 1rem}\n"
	    "th,td{border:1px solid #bbb;padding:.25rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}\n"
	    "th[scope=row]{width:16rem;background:#f4f4f4}\npre,code{font:9pt/1.4 monospace;overflow-wrap:anywhere}\n"
	    "pre{white-space:pre-wrap;background:#f4f4f4;padding:.5rem}\n.lead{font-size:12pt}\n"
	    "@media print{body{margin:0;max-width:none}section{break-before:page}tr{break-inside:avoid}}\n"
	    "</style>\n</head>\n<body>\n<p><a href=\"#tr\">Türkçe</a> · <a href=\"#en\">English</a></p>\n");
	story_in(b, story, files, closing, TR);
	story_in(b, story, files, closing, EN);
	buf_puts(b, "</body>\n</html>\n");
}
