/* SPDX-License-Identifier: ISC */
// xadesjs_sign.mjs PKI IN OUT: XAdES-BES with npm's xadesjs.
import fs from "node:fs";
import { Crypto } from "@peculiar/webcrypto";
import { DOMImplementation, DOMParser, XMLSerializer } from "@xmldom/xmldom";
import * as xadesjs from "xadesjs";
import xpath from "xpath";

const [pki, input, output] = process.argv.slice(2);
const engine = new Crypto();
xadesjs.Application.setEngine("NodeJS", engine);
xadesjs.setNodeDependencies({ DOMImplementation, DOMParser, XMLSerializer, xpath });

const SIGNERS = {
	rsa2048: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
	p256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
	p384: { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" },
};

function base64(file) {
	return fs.readFileSync(`${pki}/${file}`, "utf8").replace(/-----[A-Z ]+-----|\s/g, "");
}

async function sign(name, signer, document, how = {}, algorithm = SIGNERS[signer]) {
	const key = await engine.subtle.importKey("pkcs8", Buffer.from(base64(`${signer}.test-key`), "base64"),
	    algorithm, false, ["sign"]);
	const certificate = base64(`${signer}.pem`);
	const doc = xadesjs.Parse(fs.readFileSync(`${input}/${document}.xml`, "utf8"));
	const signed = new xadesjs.SignedXml();
	await signed.Sign(algorithm, key, doc, {
		references: [{ uri: "", hash: algorithm.hash, transforms: ["enveloped", "exc-c14n"] }],
		x509: [certificate],
		signingTime: { value: new Date("2026-01-15T08:55:00Z") },
		[how.v2 ? "signingCertificateV2" : "signingCertificate"]: certificate,
		...how.options,
	});
	fs.writeFileSync(`${output}/${name}`, '<?xml version="1.0" encoding="UTF-8"?>\n' + signed.toString());
	console.log(name);
}

const POLICY = {
	hash: "SHA-256",
	identifier: { qualifier: "OIDAsURN", value: "urn:oid:1.2.3.4.5", description: "A policy of the platform" },
	qualifiers: ["https://example.org/policy.pdf"],
};
const INCLUSIVE = { references: [{ uri: "", hash: "SHA-256", transforms: ["enveloped", "c14n"] }] };

await sign("good/xadesjs-xades-v1-rsa2048-balance.xml", "rsa2048", "balance");
await sign("good/xadesjs-xades-v2-rsa2048-balance.xml", "rsa2048", "balance", { v2: true });
await sign("good/xadesjs-xades-v1-p256-note.xml", "p256", "note");
await sign("good/xadesjs-xades-v2-p256-balance.xml", "p256", "balance", { v2: true });
await sign("good/xadesjs-xades-v2-p384-note.xml", "p384", "note", { v2: true });
await sign("good/xadesjs-xades-policy-rsa2048-note.xml", "rsa2048", "note", { options: { policy: POLICY } });
await sign("good/xadesjs-xades-policyimplied-p256-balance.xml", "p256", "balance", { v2: true, options: {
	policy: true, productionPlace: { city: "İstanbul", country: "TR" }, signerRole: { claimed: ["Yetkili"] } } });
await sign("good/xadesjs-xades-inclusive-p256-balance.xml", "p256", "balance", { options: INCLUSIVE });
await sign("good/xadesjs-xades-none-rsa2048-note.xml", "rsa2048", "note", { v2: true, options: {
	references: [{ uri: "", hash: "SHA-512", transforms: ["enveloped"] }] } });
await sign("bad/xadesjs-xades-pss-rsa2048-balance.SIG_ALGORITHM.xml", "rsa2048", "balance", { v2: true },
    { name: "RSA-PSS", hash: "SHA-256", saltLength: 32 });
// without the certificate among the properties it is no XAdES-BES
await sign("bad/xadesjs-xades-nocertificate-p256-note.SIG_COVERAGE.xml", "p256", "note", { options: {
	signingCertificate: undefined } });
// inclusive c14n under a root with a prefix and another default namespace: it gets that wrong
await sign("bad/xadesjs-xades-prefixedroot-p256-letter.SIG_DIGEST+SIG_VALUE.xml", "p256", "letter", { v2: true });
