#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Signatures that are wrong, or right over the wrong things.  Each document gets
its notice with the exact code, and nothing of a refused one is kept."""

import base64
import datetime
import re

from lxml import etree

import forge
import lib
import pki
from forge import DS, ENC, EXC, INC, MORE, PSS, XADES, algorithm, all_of, inside, key_info, signer, signing_time, transform

market = None
pla = None

COVERAGE, ALGORITHM, DIGEST, VALUE = ["SIG_COVERAGE"], ["SIG_ALGORITHM"], ["SIG_DIGEST"], ["SIG_VALUE"]
UNTRUSTED, MALFORMED, TIME = ["CERT_UNTRUSTED"], ["XML_MALFORMED"], ["SIGNING_TIME"]


def swap(data, pattern, group=1):
    """One character of what the group matches becomes another of base64's or a digit."""
    m = re.search(pattern, data, re.S)
    at = m.start(group)
    old = data[at:at + 1]
    new = next(c for c in (b"1", b"2") if c != old) if old.isdigit() else next(c for c in (b"A", b"B") if c != old)
    return data[:at] + new + data[at + 1:]


def changed():
    """one byte changed after signing, wherever it is"""
    def in_certificate(data, find):
        m = re.search(rb"<ds:X509Certificate>([^<]*)<", data)
        der = bytearray(base64.b64decode(m.group(1)))
        at = find(bytes(der))
        der[at] ^= 1
        return data[:m.start(1)] + base64.b64encode(bytes(der)) + data[m.end(1):]
    point = pla.cert.public_key().public_numbers()
    x = point.x.to_bytes(32, "big")
    pla.judge([
        ("a record", pla.signed().replace(b'Qty="1.5"', b'Qty="2.5"', 1), DIGEST),
        ("a blank between records", pla.signed().replace(b"/>\n</Bal", b"/> \n</Bal"), DIGEST),
        ("a line's end", pla.signed().replace(b"</Header>\n", b"</Header>\n\n"), DIGEST),
        ("an attribute's name", pla.signed().replace(b"Cust=", b"Cvst="), DIGEST),
        ("the header", pla.signed().replace(b"<Sequence>", b"<Sequence>9"), DIGEST),
        ("the root's namespace", pla.signed().replace(b"balance-report:1", b"balance-report:2"), DIGEST),
        ("a namespace further in", pla.signed().replace(b"<Balances>", b'<Balances xmlns="urn:x">'), DIGEST),
        ("SigningTime", swap(pla.signed(), rb"<xades:SigningTime>20(\d)"), DIGEST),
        ("the certificate's digest among the signed properties",
         swap(pla.signed(), rb"<xades:CertDigest>.*?<ds:DigestValue>(.)"), DIGEST),
        ("the document's digest", swap(pla.signed(), rb"<ds:DigestValue>(.)"), [*DIGEST, *VALUE]),
        ("SignatureValue", swap(pla.signed(), rb"<ds:SignatureValue>(.)"), VALUE),
        ("SignatureValue, empty", re.sub(rb"(<ds:SignatureValue>)[^<]*", rb"\1", pla.signed()), VALUE),
        ("SignatureValue, no base64", re.sub(rb"(<ds:SignatureValue>)", rb"\1&#42;", pla.signed()), VALUE),
        ("SignatureValue, longer", pla.signed().replace(b"<ds:SignatureValue>", b"<ds:SignatureValue>AAAA"), VALUE),
        ("the certificate's name", in_certificate(pla.signed(), lambda der: der.index(b"PLA001")), UNTRUSTED),
        ("the certificate's key", in_certificate(pla.signed(), lambda der: der.index(x) + 31), VALUE),
        ("the certificate's own signature", in_certificate(pla.signed(), lambda der: len(der) - 1), UNTRUSTED),
        ("the certificate's first byte", in_certificate(pla.signed(), lambda der: 0), UNTRUSTED),
        ("the signature of another document", inside(forge.parts(pla.signed())[0], forge.parts(pla.signed())[1]), DIGEST),
        ("the signature of another kind of document",
         inside(forge.parts(pla.signed())[0], forge.parts(market.sign(market.custody_report(), "CUA001"))[1]), DIGEST),
    ])


def explained():
    """SIG_DIGEST says which digest the document has, and which it claims, and where"""
    document = pla.signed().replace(b'Qty="1.5"', b'Qty="2.5"', 1)
    (element, value), (properties, same) = forge.digests(etree.fromstring(document))
    assert value != element.text and same == properties.text
    names = pla.judge([("changed", document, DIGEST)])
    error, = pla.decisions(names)[names[0]].all("Error")
    assert error.get("Line") == str(document[:document.index(element.text.encode())].count(b"\n") + 1)
    detail = next(e.text for e in error if e.tag.endswith("}Detail"))
    assert f"is {value}," in detail and detail.endswith(f"says {element.text}"), (detail, value, element.text)


def same_meaning():
    """what canonicalisation takes away may be changed, and only that"""
    cut = pla.signed(message_id="CUT-1")
    pla.judge([
        ("a comment", pla.signed().replace(b"<Balances>", b"<Balances><!-- c -->"), []),
        ("a comment within a value", cut.replace(b"<MessageId>CUT", b"<MessageId>CU<!-- -->T"), []),
        ("CDATA for text", pla.signed().replace(b"<Sequence>", b"<Sequence><![CDATA[]]>"), []),
        ("a character by its number", pla.signed().replace(b'Cust="C1"', b'Cust="&#67;&#x31;"'), []),
        ("the order of attributes", pla.signed().replace(b'Cust="C1" Held="CUA"', b"Held='CUA'   Cust='C1'"), []),
        ("a tag's blanks", pla.signed().replace(b"</Header>", b"</Header  >"), []),
        ("an unused namespace, under exclusive c14n", pla.signed().replace(b"<Header>", b'<Header xmlns:u="urn:u">'), []),
        ("blanks behind the root", pla.signed() + b"\n \n", []),
        ("a comment behind the root", pla.signed() + b"<!-- c -->", []),
        ("a processing instruction behind the root", pla.signed() + b"<?p x?>", DIGEST),
        ("a processing instruction before it", pla.signed().replace(b"?>", b"?><?p x?>", 1), DIGEST),
        ("a processing instruction within", pla.signed().replace(b"<Balances>", b"<Balances><?p x?>"), DIGEST),
        ("xml:space", pla.signed().replace(b"<Balances>", b'<Balances xml:space="preserve">'), DIGEST),
        ("an unused namespace, under inclusive c14n", pla.forged(algorithm(
            "SignedInfo/Reference/Transforms/Transform[2]", INC)).replace(b"<Header>", b'<Header xmlns:u="urn:u">'), DIGEST),
    ])
    assert market.sql("SELECT state FROM muhur.submission WHERE message_id = 'CUT-1'") == [["accepted"]]


def wrapped():
    """signature wrapping (XSW 1 to 8), signatures too many, content that is not signed"""
    good = pla.signed()
    body, sig = forge.parts(good)
    evil = body.replace(b'Qty="1.5"', b'Qty="9.5"')
    inner, plain = forge.bare(good), forge.bare(body)

    def with_object(content, attributes=b""):
        return sig.replace(b"</ds:Signature>", b"<ds:Object" + attributes + b">" + content + b"</ds:Object></ds:Signature>")
    records = b'<Bal Reg="1000000002" Cust="EVIL" Held="CUA" Asset="4H95J0R2X" Qty="7"/>'
    pla.judge([
        # XSW 1, 2: the original beside or inside, the evil one around
        ("original as a child", inside(evil, inner), COVERAGE),
        ("original as a child, signature outside", inside(evil, plain + sig), DIGEST),
        # XSW 3, 4: siblings, or the evil one inside the original
        ("evil as the first child", inside(body, forge.bare(evil) + sig), DIGEST),
        # XSW 5, 6: the signature beside or around
        ("signature one level down", body.replace(b"</Balances>", sig + b"</Balances>"), COVERAGE),
        ("signature around the document", with_object(plain), COVERAGE),
        # XSW 7, 8: within a ds:Object or an element the schema skips
        ("original in a ds:Object of the signature", inside(evil, with_object(plain)), DIGEST),
        ("signed original in a ds:Object", inside(evil, with_object(inner)), ["SIG_MULTIPLE"]),
        ("records in a ds:Object, of no effect", inside(body, with_object(b'<x xmlns="urn:muhur:xsd:balance-report:1">'
                                                                          + records + b"</x>")), []),
        ("records behind the signature", inside(good, records), COVERAGE),
        ("records before the first signature", forge.first(good).replace(b"<ds:Signature", records + b"<ds:Signature", 1),
         COVERAGE),
        ("records that are not signed", good.replace(b"<Balances>", b"<Balances>" + records), DIGEST),
        ("records of another prefix", good.replace(b"<Balances>", b'<Balances><m:Bal xmlns:m="urn:muhur:xsd:balance-report:1"'
                                                   + records[4:]), DIGEST),
        ("records of another namespace", good.replace(b"<Balances>", b'<Balances><Bal xmlns="urn:x"' + records[4:]), DIGEST),
        ("signature in the middle", body.replace(b"<Balances>", sig + b"<Balances>"), COVERAGE),
        ("signature twice", inside(body, sig + sig), ["SIG_MULTIPLE"]),
        ("signature first and last", inside(forge.first(good), sig), ["SIG_MULTIPLE"]),
        ("two signers", inside(good, forge.parts(market.sign(pla.text(), "PLB001"))[1]), ["SIG_MULTIPLE"]),
        ("second root", good.rstrip() + plain, MALFORMED),
        ("text behind the root", good + b"x", MALFORMED),
        ("a NUL and more behind the root", good + b"\0" + evil, MALFORMED),
        ("evil in place", inside(evil, sig), DIGEST),
        ("referenced by Id", inside(evil, sig.replace(b'URI=""', b'URI="#x"')), COVERAGE),
        ("xpointer", inside(evil, sig.replace(b'URI=""', b'URI="#xpointer(/)"')), COVERAGE),
        ("empty signature", inside(body, f'<ds:Signature xmlns:ds="{DS}"/>'.encode()), COVERAGE),
        ("signature of another namespace", inside(body, sig.replace(DS.encode(), b"urn:x#")), ["SIG_MISSING"]),
        ("signature under another prefix", pla.signed().replace(b"ds:", b"q:").replace(b"xmlns:ds", b"xmlns:q"), [*DIGEST, *VALUE]),
        ("no signature at all", pla.text(), ["SIG_MISSING"]),
        ("first, as it is allowed", forge.first(pla.signed()), []),
    ])
    assert market.sql("SELECT count(*) FROM muhur.balance WHERE customer_no = 'EVIL'") == [["0"]]


def references():
    """a right signature over the wrong things, or too few, or too many"""
    def attribute(path, name, value, which=0):
        def change(_, sig):
            sig.findall(forge.ds(path))[which].set(name, value)
        return change

    def fake_properties(_, sig):
        q = sig.find(f".//{{{XADES}}}QualifyingProperties")
        fake = etree.fromstring(etree.tostring(q))
        fake.find(forge.xades("SignedProperties")).set("Id", "other")
        q.getparent().append(fake)

    def typed_only(_, sig):
        """The reference's Type says SignedProperties, but it leads to an Object beside them."""
        etree.SubElement(sig, forge.ds("Object"), Id="fake").append(
            etree.fromstring(etree.tostring(sig.find(f".//{{{XADES}}}SignedSignatureProperties"))))
        sig.findall(forge.ds("SignedInfo/Reference"))[1].set("URI", "#fake")

    def fake_in_object(_, sig):
        """SignedProperties that nobody signed, alone in an Object."""
        o = etree.SubElement(sig, forge.ds("Object"))
        o.append(etree.fromstring(etree.tostring(sig.find(f".//{{{XADES}}}SignedProperties"))))
        o[0].set("Id", "other")

    def same_id(_, sig):
        etree.SubElement(sig, forge.ds("Object"), Id=sig.find(f".//{{{XADES}}}SignedProperties").get("Id"))

    def unsigned_object(_, sig):
        etree.SubElement(sig, forge.ds("Object"), Id="o1").text = "x"
        ref = etree.fromstring(etree.tostring(sig.findall(forge.ds("SignedInfo/Reference"))[1]))
        ref.set("URI", "#o1")
        ref.attrib.pop("Type")
        sig.find(forge.ds("SignedInfo")).append(ref)

    def manifest(_, sig):
        o = etree.SubElement(sig, forge.ds("Object"))
        etree.SubElement(o, forge.ds("Manifest")).append(
            etree.fromstring(etree.tostring(sig.find(forge.ds("SignedInfo/Reference")))))

    def unsigned(ident):
        def change(_, sig):
            q = sig.find(f".//{{{XADES}}}QualifyingProperties")
            u = etree.SubElement(q, forge.xades("UnsignedProperties"))
            e = etree.SubElement(etree.SubElement(u, forge.xades("UnsignedSignatureProperties")), forge.xades("Any"))
            e.append(etree.fromstring(etree.tostring(q.find(forge.xades("SignedProperties")))))
            if ident:
                e[0].set("Id", ident)
        return change

    def extra(uri):
        def change(_, sig):
            info = sig.find(forge.ds("SignedInfo"))
            ref = etree.fromstring(etree.tostring(info.find(forge.ds("Reference"))))
            ref.set("URI", uri)
            info.append(ref)
        return change

    def without(which):
        def change(_, sig):
            info = sig.find(forge.ds("SignedInfo"))
            info.remove(info.findall(forge.ds("Reference"))[which])
        return change

    def no_uri(_, sig):
        sig.find(forge.ds("SignedInfo/Reference")).attrib.pop("URI")

    def not_enveloped(_, sig):
        t = sig.find(forge.ds("SignedInfo/Reference/Transforms"))
        t.remove(t[0])

    def twice(name, change=None, first=False):
        """A signed property once more, beside itself; changed, so that it matters which one is read."""
        def add(_, sig):
            e = sig.find(f".//{{{XADES}}}{name}")
            again = etree.fromstring(etree.tostring(e))
            if change:
                change(again)
            (e.addprevious if first else e.addnext)(again)
        return add

    def years_ago(e):
        for t in e.iter(forge.xades("SigningTime")):
            t.text = "2001-01-01T00:00:00Z"

    def of_another(e):
        for d in e.iter(forge.ds("DigestValue")):
            d.text = base64.b64encode(bytes(32)).decode()

    def comment_in_time(_, sig):
        t = sig.find(f".//{{{XADES}}}SigningTime")
        c = etree.Comment("x")
        c.tail, t.text = t.text[4:], t.text[:4]
        t.append(c)
    xpath = f'<XPath xmlns="{DS}">not(ancestor-or-self::Balances)</XPath>'
    xslt = '<x:stylesheet xmlns:x="http://www.w3.org/1999/XSL/Transform" version="1.0"/>'
    pla.judge([
        ("the way of these cases works", pla.forged(), []),
        ("XPath", pla.forged(transform("http://www.w3.org/TR/1999/REC-xpath-19991116", xpath)), COVERAGE),
        ("XPath filter 2", pla.forged(transform("http://www.w3.org/2002/06/xmldsig-filter2")), COVERAGE),
        ("XSLT", pla.forged(transform("http://www.w3.org/TR/1999/REC-xslt-19991116", xslt)), COVERAGE),
        ("base64", pla.forged(transform(DS + "base64")), COVERAGE),
        ("XPath over the signed properties", pla.forged(transform(
            "http://www.w3.org/TR/1999/REC-xpath-19991116", xpath, which=1)), COVERAGE),
        ("enveloped twice", pla.forged(transform(DS + "enveloped-signature")), COVERAGE),
        ("c14n twice", pla.forged(transform(INC)), COVERAGE),
        ("an unknown transform", pla.forged(transform("urn:x")), ALGORITHM),
        ("the decrypt transform", pla.forged(transform("http://www.w3.org/2002/07/decrypt#XML")), ALGORITHM),
        ("not enveloped", pla.forged(not_enveloped), COVERAGE),
        ("another file", pla.forged(extra("http://127.0.0.1:1/")), COVERAGE),
        ("a local file", pla.forged(extra("file:///etc/passwd")), COVERAGE),
        ("the document twice", pla.forged(extra("")), COVERAGE),
        ("no URI", pla.forged(no_uri), COVERAGE),
        ("an unsigned ds:Object", pla.forged(unsigned_object), COVERAGE),
        ("a manifest", pla.forged(manifest), COVERAGE),
        ("the document not signed", pla.forged(without(0)), COVERAGE),
        ("properties not signed", pla.forged(without(1)), COVERAGE),
        ("another Type for the properties", pla.forged(attribute("SignedInfo/Reference", "Type", "urn:x", 1)), COVERAGE),
        ("only the Type matches", pla.forged(typed_only), COVERAGE),
        ("SignedProperties in an Object beside", pla.forged(fake_in_object), COVERAGE),
        ("a second QualifyingProperties", pla.forged(fake_properties), COVERAGE),
        ("an Object with the properties' Id", pla.forged(same_id), COVERAGE),
        ("Target of another signature", pla.forged(lambda d, s: s.find(
            f".//{{{XADES}}}QualifyingProperties").set("Target", "#x")), COVERAGE),
        ("SignedProperties among the unsigned ones", pla.forged(unsigned("other")), []),
        ("the same with the signed ones' Id", pla.forged(unsigned(None)), COVERAGE),
        ("SigningTime twice", pla.forged(twice("SigningTime", years_ago)), TIME),
        ("SigningTime twice, the good one last", pla.forged(twice("SigningTime", years_ago, first=True)), TIME),
        ("SignedSignatureProperties twice", pla.forged(twice("SignedSignatureProperties", years_ago)), COVERAGE),
        ("the signing certificate twice", pla.forged(twice("SigningCertificateV2", of_another)), COVERAGE),
        ("its digest twice", pla.forged(twice("CertDigest", of_another)), COVERAGE),
        ("two certificates named, the signer's second", pla.forged(twice("Cert", of_another, first=True)), []),
        ("an Object more, with anything", pla.forged(lambda d, s: etree.SubElement(s, forge.ds("Object")).append(
            etree.Element("x"))), []),
        ("a comment within SigningTime", pla.forged(comment_in_time), []),
    ])


def algorithms():
    """algorithms and keys: refused by name, allowed by the list"""
    c14n, method = "SignedInfo/CanonicalizationMethod", "SignedInfo/SignatureMethod"
    digest, last = "SignedInfo/Reference/DigestMethod", "SignedInfo/Reference/Transforms/Transform[2]"

    def no_c14n(_, sig):
        t = sig.find(forge.ds("SignedInfo/Reference/Transforms"))
        t.remove(t[1])

    def hmac_length(_, sig):
        algorithm(method, MORE + "hmac-sha256")(_, sig)
        etree.SubElement(sig.find(forge.ds(method)), forge.ds("HMACOutputLength")).text = "8"

    def with_key(kind):
        key, cert = pki.issue(market, kind.replace("-", "").upper(), key=kind)
        return forge.load_key(key), forge.load_cert(cert)
    rsa1024, cert1024 = with_key("rsa-1024")
    dsa2048, certdsa = with_key("dsa-2048")
    p521, cert521 = with_key("p-521")
    k256, certk = with_key("secp256k1")
    rsa2048, cert2048 = with_key("rsa-2048")
    mac = base64.b64decode(forge.der64(pla.cert))
    pla.judge([
        ("SHA-384", pla.forged(algorithm(digest, MORE + "sha384")), []),
        ("SHA-512, ECDSA with SHA-512", pla.forged(all_of(algorithm(digest, ENC + "sha512"),
                                                          algorithm(method, MORE + "ecdsa-sha512"))), []),
        ("no c14n transform: inclusive", pla.forged(no_c14n), []),
        ("inclusive c14n", pla.forged(all_of(algorithm(last, INC), algorithm(c14n, INC))), []),
        ("inclusive c14n with comments", pla.forged(algorithm(last, INC + "#WithComments")), ALGORITHM),
        ("exclusive c14n with comments", pla.forged(algorithm(last, EXC + "WithComments")), ALGORITHM),
        ("SignedInfo's c14n with comments", pla.forged(algorithm(c14n, EXC + "WithComments")), ALGORITHM),
        ("c14n 1.1", pla.forged(algorithm(last, "http://www.w3.org/2006/12/xml-c14n11")), ALGORITHM),
        ("unknown c14n", pla.forged(algorithm(c14n, "urn:x")), ALGORITHM),
        ("SHA-1 digest", pla.forged(algorithm(digest, DS + "sha1")), ALGORITHM),
        ("MD5 digest", pla.forged(algorithm(digest, MORE + "md5")), ALGORITHM),
        ("unknown digest", pla.forged(algorithm(digest, "urn:x")), ALGORITHM),
        ("HMAC-SHA1 with the certificate as its key", pla.forged(algorithm(method, DS + "hmac-sha1"), mac), ALGORITHM),
        ("HMAC-SHA256 with the certificate as its key", pla.forged(algorithm(method, MORE + "hmac-sha256"), mac), ALGORITHM),
        ("HMAC cut to 8 bits", pla.forged(hmac_length, mac), ALGORITHM),
        ("ECDSA-SHA1", pla.forged(algorithm(method, MORE + "ecdsa-sha1")), ALGORITHM),
        ("RSA-SHA1", pla.forged(all_of(algorithm(method, DS + "rsa-sha1"), signer(cert2048)), rsa2048), ALGORITHM),
        ("RSA-1024", pla.forged(all_of(algorithm(method, MORE + "rsa-sha256"), signer(cert1024)), rsa1024), ALGORITHM),
        ("DSA", pla.forged(all_of(algorithm(method, "http://www.w3.org/2009/xmldsig11#dsa-sha256"), signer(certdsa)),
                           dsa2048), ALGORITHM),
        ("RSA-PSS", pla.forged(all_of(algorithm(method, PSS + "sha256-rsa-MGF1"), signer(cert2048)), rsa2048), ALGORITHM),
        ("P-521", pla.forged(all_of(algorithm(method, MORE + "ecdsa-sha512"), signer(cert521)), p521), ALGORITHM),
        ("secp256k1", pla.forged(signer(certk), k256), ALGORITHM),
        ("unknown signature method", pla.forged(algorithm(method, "urn:x")), ALGORITHM),
        ("no signature method", pla.forged().replace(b' Algorithm="' + (MORE + "ecdsa-sha256").encode() + b'"', b""),
         ALGORITHM),
        ("the other key's algorithm", pla.forged(algorithm(method, MORE + "ecdsa-sha256")).replace(
            b"#ecdsa-sha256", b"#rsa-sha256"), VALUE),
        ("another hash than was signed with", pla.forged().replace(b"#ecdsa-sha256", b"#ecdsa-sha384"), VALUE),
    ])


def keys():
    """KeyInfo: only certificates count, and the signer is the one the signature names"""
    other = forge.load_cert(f"{market.pki}/PLB001.pem")
    mine = forge.der64(pla.cert)
    data = f'<X509Data xmlns="{DS}"><X509Certificate>{{}}</X509Certificate></X509Data>'
    value = (f'<KeyValue xmlns="{DS}"><ECKeyValue xmlns="http://www.w3.org/2009/xmldsig11#">'
             '<NamedCurve URI="urn:oid:1.2.840.10045.3.1.7"/><PublicKey>' +
             base64.b64encode(forge.point(pla.cert)).decode() + "</PublicKey></ECKeyValue></KeyValue>")
    retrieval = f'<RetrievalMethod xmlns="{DS}" URI="http://127.0.0.1:1/c" Type="{DS}rawX509Certificate"/>'
    name = f'<KeyName xmlns="{DS}">PLA001</KeyName>'
    pla.judge([
        ("KeyValue alone", pla.forged(key_info(value)), UNTRUSTED),
        ("KeyName alone", pla.forged(key_info(name)), UNTRUSTED),
        ("RetrievalMethod alone", pla.forged(key_info(retrieval)), UNTRUSTED),
        ("RetrievalMethod to the certificate in the document",
         pla.forged(all_of(key_info(f'<RetrievalMethod xmlns="{DS}" URI="#c"/>'), lambda d, s: s.append(etree.fromstring(
             f'<Object xmlns="{DS}" Id="c">{data.format(mine)}</Object>')))), UNTRUSTED),
        ("no KeyInfo", pla.forged(lambda d, s: s.remove(s.find(forge.ds("KeyInfo")))), UNTRUSTED),
        ("empty X509Data", pla.forged(key_info(f'<X509Data xmlns="{DS}"/>')), UNTRUSTED),
        ("a certificate that is none", pla.forged(key_info(data.format("TW9yZQ=="))), UNTRUSTED),
        ("the certificate and more behind it", pla.forged(key_info(data.format(base64.b64encode(
            base64.b64decode(mine) + b"x").decode()))), UNTRUSTED),
        ("KeyName, KeyValue and RetrievalMethod beside the certificate",
         pla.forged(key_info(name, value, retrieval, data.format(mine))), []),
        ("others' certificates before it", pla.forged(key_info(data.format(forge.der64(other)), data.format(mine))), []),
        ("nine certificates", pla.forged(key_info(*[data.format(mine)] * 9)), UNTRUSTED),
        ("SigningCertificate of another certificate", pla.forged(signer(pla.cert, digest_of=other)), UNTRUSTED),
        ("the same, with that certificate beside", pla.forged(signer(pla.cert, [other], digest_of=other)), UNTRUSTED),
        ("no SigningCertificate", pla.forged(lambda d, s: s.find(f".//{{{XADES}}}SignedSignatureProperties").remove(
            s.find(f".//{{{XADES}}}SigningCertificateV2"))), COVERAGE),
        ("a key that is not the certificate's", pla.forged(None, forge.load_key(f"{market.pki}/CUA900.key")), VALUE),
        ("another's key and certificate, this one named",
         pla.forged(signer(other, digest_of=pla.cert), forge.load_key(f"{market.pki}/PLB001.key")), VALUE),
    ])


def times():
    """SigningTime: 48 h before to 5 min after receipt; without a zone it is Istanbul's"""
    now = datetime.datetime.now(datetime.timezone.utc)
    minutes = datetime.timedelta(minutes=1)

    def at(shift, zone=datetime.timezone.utc, text=None):
        t = (now + shift).astimezone(zone)
        return pla.forged(signing_time(text or t.strftime("%Y-%m-%dT%H:%M:%S") + (
            "" if zone is None or zone is lib.ISTANBUL else "Z")))
    pla.judge([
        ("47 h 50 min ago", at(-(48 * 60 - 10) * minutes), []),
        ("48 h 1 min ago", at(-(48 * 60 + 1) * minutes), TIME),
        ("in 4 min", at(4 * minutes), []),
        ("in 10 min", at(10 * minutes), TIME),
        ("in a year", at(365 * 24 * 60 * minutes), TIME),
        ("now, by the clock in Istanbul without a zone", at(0 * minutes, lib.ISTANBUL), []),
        ("in 10 min, by the clock in Istanbul without a zone", at(10 * minutes, lib.ISTANBUL), TIME),
        ("47 h 50 min ago, by the clock in Istanbul without a zone", at(-(48 * 60 - 10) * minutes, lib.ISTANBUL), []),
        ("48 h 1 min ago, by the clock in Istanbul without a zone", at(-(48 * 60 + 1) * minutes, lib.ISTANBUL), TIME),
        ("with an offset", at(0 * minutes, None, now.astimezone(datetime.timezone(datetime.timedelta(hours=-5)))
                              .strftime("%Y-%m-%dT%H:%M:%S-05:00")), []),
        ("with fractions", at(0 * minutes, None, now.strftime("%Y-%m-%dT%H:%M:%S.123456Z")), []),
        ("no SigningTime", pla.forged(signing_time(None)), TIME),
        ("empty", pla.forged(signing_time("")), TIME),
        ("no time", pla.forged(signing_time("yesterday")), TIME),
        ("31 February", pla.forged(signing_time("2026-02-31T00:00:00Z")), TIME),
        ("the year 0001", pla.forged(signing_time("0001-01-01T00:00:00Z")), TIME),
        ("the year 9999", pla.forged(signing_time("9999-12-31T23:59:59Z")), TIME),
        ("the year 9999 in the far west, by then 10000 in UTC", pla.forged(signing_time("9999-12-31T23:59:59-14:00")), TIME),
        ("the end of the year 9999", pla.forged(signing_time("9999-12-31T24:00:00Z")), TIME),
        ("the year 0001 in the far east", pla.forged(signing_time("0001-01-01T00:00:00+14:00")), TIME),
        ("the year 10000", pla.forged(signing_time("10000-01-01T00:00:00Z")), TIME),
        ("a leap second", pla.forged(signing_time("2016-12-31T23:59:60Z")), TIME),
        ("in a zone that is none", at(0 * minutes, None, now.astimezone(datetime.timezone(datetime.timedelta(
            hours=14, minutes=1))).strftime("%Y-%m-%dT%H:%M:%S+14:01")), TIME),
        ("in the farthest zones", at(0 * minutes, None, now.astimezone(datetime.timezone(datetime.timedelta(
            hours=-14))).strftime("%Y-%m-%dT%H:%M:%S-14:00")), []),
        ("the end of yesterday as 24:00", at(0 * minutes, None, (now - datetime.timedelta(days=1))
                                             .strftime("%Y-%m-%dT24:00:00Z")), []),
    ])


if __name__ == "__main__":
    with lib.Market() as market:
        pla = forge.Forge(market)
        lib.main(changed, explained, same_meaning, wrapped, references, algorithms, keys, times)
