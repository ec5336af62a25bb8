/* SPDX-License-Identifier: ISC */
// xml_crypto_sign.mjs PKI IN OUT: documents signed with npm's xml-crypto, with
// its defaults but for what the gateway demands: the reference URI="" and a c14n.
import fs from "node:fs";
import crypto from "node:crypto";
import { SignedXml } from "xml-crypto";

const [pki, input, output] = process.argv.slice(2);
const DS = "http://www.w3.org/2000/09/xmldsig#";
const ENVELOPED = DS + "enveloped-signature";
const EXC = "http://www.w3.org/2001/10/xml-exc-c14n#";
const INC = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
const SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256";
const SHA512 = "http://www.w3.org/2001/04/xmlenc#sha512";
const RSA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
const RSA512 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512";
const XADES = "http://uri.etsi.org/01903/v1.3.2#";

const key = fs.readFileSync(`${pki}/rsa2048.test-key`, "utf8");
const certificate = fs.readFileSync(`${pki}/rsa2048.pem`, "utf8");

// how: transforms, c14n (of SignedInfo), method, digest, prefixes, byId, prefix, location, and xades
function sign(name, document, how = {}) {
	const xml = fs.readFileSync(`${input}/${document}.xml`, "utf8");
	const sig = new SignedXml({
		privateKey: key,
		publicCert: certificate,
		signatureAlgorithm: how.method ?? RSA256,
		canonicalizationAlgorithm: how.c14n ?? EXC,
		inclusiveNamespacesPrefixList: how.prefixes,
		...(how.xades && { objects: [{ content: properties() }] }),
	});
	sig.addReference({
		xpath: "/*",
		isEmptyUri: !how.byId,
		transforms: how.transforms ?? [ENVELOPED, EXC],
		digestAlgorithm: how.digest ?? SHA256,
		inclusiveNamespacesPrefixList: how.prefixes,
	});
	if (how.xades)
		sig.addReference({
			xpath: "//*[local-name(.)='SignedProperties']",
			type: "http://uri.etsi.org/01903#SignedProperties",
			transforms: [EXC],
			digestAlgorithm: SHA256,
		});
	sig.computeSignature(xml, {
		prefix: how.prefix,
		attrs: how.xades ? { Id: "sig-1" } : undefined,
		location: how.location,
	});
	fs.writeFileSync(`${output}/${name}`, sig.getSignedXml());
	console.log(name);
}

// XAdES-BES by hand, as a user of xml-crypto does it.
function properties() {
	const digest = crypto.createHash("sha256").update(new crypto.X509Certificate(certificate).raw).digest("base64");
	return `<xades:QualifyingProperties xmlns:xades="${XADES}" xmlns:ds="${DS}" Target="#sig-1">` +
	    `<xades:SignedProperties Id="sp-1"><xades:SignedSignatureProperties>` +
	    `<xades:SigningTime>2026-01-15T08:55:00Z</xades:SigningTime>` +
	    `<xades:SigningCertificateV2><xades:Cert><xades:CertDigest><ds:DigestMethod Algorithm="${SHA256}"/>` +
	    `<ds:DigestValue>${digest}</ds:DigestValue></xades:CertDigest></xades:Cert></xades:SigningCertificateV2>` +
	    `</xades:SignedSignatureProperties></xades:SignedProperties></xades:QualifyingProperties>`;
}

sign("good/xmlcrypto-xmldsig-exclusive-rsa2048-balance.xml", "balance");
sign("good/xmlcrypto-xmldsig-exclusive-rsa2048-note.xml", "note", { prefix: "ds", method: RSA512, digest: SHA512 });
sign("good/xmlcrypto-xmldsig-inclusive-rsa2048-note.xml", "note", { c14n: INC, transforms: [ENVELOPED, INC] });
sign("good/xmlcrypto-xmldsig-none-rsa2048-note.xml", "note", { c14n: INC, transforms: [ENVELOPED] });
sign("good/xmlcrypto-xmldsig-prefixlist-rsa2048-note.xml", "note", { prefixes: ["unused", "n"] });
sign("good/xmlcrypto-xmldsig-first-rsa2048-balance.xml", "balance",
    { location: { reference: "/*", action: "prepend" }, prefix: "ds" });
sign("good/xmlcrypto-xades-exclusive-rsa2048-balance.xml", "balance", { xades: true, prefix: "ds" });
// its own default is a reference by an Id that it gives the root
sign("bad/xmlcrypto-xmldsig-byid-rsa2048-note.SIG_COVERAGE.xml", "note", { byId: true });
sign("bad/xmlcrypto-xmldsig-pss-rsa2048-note.SIG_ALGORITHM.xml", "note",
    { method: "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1" });
// it signs the root element, not the document: what stands before it is left out
sign("bad/xmlcrypto-xmldsig-prolog-rsa2048-letter.SIG_DIGEST.xml", "letter");
