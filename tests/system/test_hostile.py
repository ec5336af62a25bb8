#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Documents that somebody would send who means harm.  Each gets its notice with
the right code, nothing of a refused one is kept, nobody crashes."""

import base64
import copy
import hashlib
import os
import re

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from lxml import etree

import lib

market = None

DS = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
BR = "urn:muhur:xsd:balance-report:1"
SIGNATURE = re.compile(rb"<ds:Signature .*</ds:Signature>", re.S)


def judge(cases, user="PLA001", limit=60):
    """Send all of (what, bytes, codes) and compare what comes back; [] is accepted."""
    market.seq += 1
    names = [f"h{os.getpid()}-{market.seq}-{n}.xml" for n in range(len(cases))]
    since = market.log_size()
    with market.sftp(user) as s:
        for name, (_, data, _) in zip(names, cases):
            lib.put(s, data.encode() if isinstance(data, str) else data, name)
    stem = names[0].rsplit("-", 1)[0]
    query = ("SELECT s.file_name, s.state, count(*) FILTER (WHERE n.level = 'received'),"
             " count(*) FILTER (WHERE n.level IN ('accepted', 'rejected')),"
             " (SELECT string_agg(DISTINCT r.code, ',' ORDER BY r.code) FROM muhur.submission_reason r WHERE r.submission = s.no),"
             " (SELECT count(*) FROM muhur.balance b WHERE b.submission = s.no)"
             " FROM muhur.submission s JOIN muhur.notice n ON n.submission = s.no AND n.published_at IS NOT NULL"
             f" WHERE s.file_name LIKE '{stem}-%' GROUP BY s.no")

    def all_answered():
        rows = {r[0]: r for r in market.sql(query)}
        return rows if len([r for r in rows.values() if r[3] == "1"]) == len(names) else None
    try:
        rows = lib.wait_for("every document has its answer", all_answered, limit)
    except AssertionError:
        rows = {r[0]: r for r in market.sql(query)}
    wrong = []
    for name, (what, _, codes) in zip(names, cases):
        r = rows.get(name, [name, "silence", "0", "0", "", "0"])
        want = "accepted" if not codes else "rejected"
        if r[1] != want or r[2:4] != ["1", "1"] or r[4] != ",".join(sorted(codes)):
            wrong.append((what, f"wanted {codes}", r))
        elif codes and r[5] != "0":
            wrong.append((what, "records of a refused document were kept", r))
    assert not wrong, "\n".join(map(str, wrong))
    market.sound(since)


# --- documents ------------------------------------------------------------------

def text(**kw):
    return market.balance_report(**kw)


def signed(xml=None, **kw):
    return market.sign(xml or text(**kw))


def parts(data):
    """The document without its signature, and the signature."""
    sig = SIGNATURE.search(data).group(0)
    return data.replace(sig, b""), sig


def first(data):
    """The same with its signature moved to the front."""
    body, sig = parts(data)
    return re.sub(rb"<BalanceReport[^>]*>", lambda m: m.group(0) + sig, body, count=1)


def resign(data, change=None, user="PLA001"):
    """Change a signed document's tree, then make its digests and value right again."""
    doc = etree.fromstring(data)
    sig = doc.find(f".//{{{DS}}}Signature")
    if change:
        change(doc, sig)

    def c14n(node):
        return etree.tostring(node, method="c14n", exclusive=True, with_comments=False)
    bare = copy.deepcopy(doc)
    inner = bare.find(f".//{{{DS}}}Signature")
    before, parent = inner.getprevious(), inner.getparent()
    tail = inner.tail or ""
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    parent.remove(inner)
    # a subtree's c14n in its own document: exclusive, so no ancestor matters
    info = sig.find(f"{{{DS}}}SignedInfo")
    for ref in info.findall(f"{{{DS}}}Reference"):
        what = c14n(bare) if ref.get("URI") == "" else \
            c14n(sig.find(f".//{{{XADES}}}SignedProperties"))
        ref.find(f"{{{DS}}}DigestValue").text = base64.b64encode(hashlib.sha256(what).digest()).decode()
    with open(f"{market.pki}/{user}.key", "rb") as f:
        key = serialization.load_pem_private_key(f.read(), None)
    r, s = utils.decode_dss_signature(key.sign(c14n(info), ec.ECDSA(hashes.SHA256())))
    sig.find(f"{{{DS}}}SignatureValue").text = base64.b64encode(
        r.to_bytes(32, "big") + s.to_bytes(32, "big")).decode()
    return etree.tostring(doc, xml_declaration=True, encoding="UTF-8")


def quick(xml, template):
    """Signed like the template, without a process for each; lxml writes it anew."""
    return resign(xml.encode().replace(b"</BalanceReport>", parts(template)[1] + b"</BalanceReport>"))


def wrapped():
    """signature wrapping (XSW 1 to 8) and signatures too many"""
    good = signed()
    body, sig = parts(good)
    evil = body.replace(b'Qty="1.5"', b'Qty="9.5"')
    inner = re.sub(rb"<\?xml[^>]*>\s*", b"", good)
    bare = re.sub(rb"<\?xml[^>]*>\s*", b"", body)

    def inside(data, what):
        return data.replace(b"</BalanceReport>", what + b"</BalanceReport>")

    def with_object(content):
        return sig.replace(b"</ds:Signature>", b"<ds:Object>" + content + b"</ds:Object></ds:Signature>")
    judge([
        # 1, 2: the original beside or inside, the evil one around
        ("original as a child", inside(evil, inner), ["SIG_COVERAGE"]),
        ("original as a child, signature outside", inside(evil, bare + sig), ["SIG_DIGEST"]),
        ("original in a ds:Object of the signature", inside(evil, with_object(bare)), ["SIG_DIGEST"]),
        ("signed original in a ds:Object", inside(evil, with_object(inner)), ["SIG_MULTIPLE"]),
        ("evil as the first child", inside(body, re.sub(rb"<\?xml[^>]*>", b"", evil) + sig), ["SIG_DIGEST"]),
        ("signature one level down", body.replace(b"</Balances>", sig + b"</Balances>"), ["SIG_COVERAGE"]),
        ("signature in the middle", body.replace(b"<Balances>", sig + b"<Balances>"), ["SIG_COVERAGE"]),
        ("signature around the document", sig.replace(b"</ds:Signature>", b"<ds:Object>" + bare +
                                                      b"</ds:Object></ds:Signature>"), ["SIG_COVERAGE"]),
        ("signature twice", inside(body, sig + sig), ["SIG_MULTIPLE"]),
        ("signature first and last", first(good).replace(b"</BalanceReport>", sig + b"</BalanceReport>"),
         ["SIG_MULTIPLE"]),
        ("second root", good.rstrip() + bare, ["XML_MALFORMED"]),
        ("text behind the root", good + b"x", ["XML_MALFORMED"]),
        ("a NUL and more behind the root", good + b"\0" + evil, ["XML_MALFORMED"]),
        ("evil in place", evil.replace(b"</BalanceReport>", sig + b"</BalanceReport>"), ["SIG_DIGEST"]),
        ("referenced by Id", inside(evil, good and sig.replace(b'URI=""', b'URI="#x"')), ["SIG_COVERAGE"]),
        ("xpointer", inside(evil, sig.replace(b'URI=""', b'URI="#xpointer(/)"')), ["SIG_COVERAGE"]),
        ("empty signature", inside(body, f'<ds:Signature xmlns:ds="{DS}"/>'.encode()), ["SIG_COVERAGE"]),
        ("signature of another namespace", inside(body, sig.replace(DS.encode(), b"urn:x#")), ["SIG_MISSING"]),
        ("first, as it is allowed", first(good), []),
        ("the next good one", signed(), []),
    ])


def signed_info():
    """what a right signature over the wrong things says: coverage, algorithms, keys"""
    def transform(uri, content=None):
        def change(doc, sig):
            t = sig.find(f".//{{{DS}}}Transforms")
            e = etree.SubElement(t, f"{{{DS}}}Transform", Algorithm=uri)
            if content is not None:
                e.append(etree.fromstring(content))
        return change

    def attribute(path, name, value):
        def change(doc, sig):
            sig.find("/".join(f"{{{DS}}}{p}" for p in path.split("/"))).set(name, value)
        return change

    def fake_properties(doc, sig):
        q = sig.find(f".//{{{XADES}}}QualifyingProperties")
        fake = copy.deepcopy(q)
        fake.find(f"{{{XADES}}}SignedProperties").set("Id", "other")
        q.getparent().append(fake)

    def unsigned(ident):
        def change(doc, sig):
            q = sig.find(f".//{{{XADES}}}QualifyingProperties")
            u = etree.SubElement(q, f"{{{XADES}}}UnsignedProperties")
            e = etree.SubElement(etree.SubElement(u, f"{{{XADES}}}UnsignedSignatureProperties"), f"{{{XADES}}}Any")
            e.append(copy.deepcopy(q.find(f"{{{XADES}}}SignedProperties")))
            if ident:
                e[0].set("Id", ident)
        return change

    def key_value(doc, sig):
        info = sig.find(f"{{{DS}}}KeyInfo")
        for child in list(info):
            info.remove(child)
        etree.SubElement(info, f"{{{DS}}}KeyName").text = "PLA001"
        value = etree.SubElement(etree.SubElement(info, f"{{{DS}}}KeyValue"), f"{{{DS}}}RSAKeyValue")
        etree.SubElement(value, f"{{{DS}}}Modulus").text = "AQAB"

    def extra_reference(doc, sig):
        info = sig.find(f"{{{DS}}}SignedInfo")
        ref = copy.deepcopy(info.find(f"{{{DS}}}Reference"))
        ref.set("URI", "http://127.0.0.1:1/")
        info.append(ref)

    def no_properties(doc, sig):
        info = sig.find(f"{{{DS}}}SignedInfo")
        info.remove(info.findall(f"{{{DS}}}Reference")[1])

    def comment_in_time(doc, sig):
        t = sig.find(f".//{{{XADES}}}SigningTime")
        c = etree.Comment("x")
        c.tail, t.text = t.text[4:], t.text[:4]
        t.append(c)
    more = "http://www.w3.org/2001/04/xmldsig-more#"
    judge([
        ("the way of these cases works", resign(signed()), []),
        ("XPath", resign(signed(), transform("http://www.w3.org/TR/1999/REC-xpath-19991116",
         f'<XPath xmlns="{DS}">not(ancestor-or-self::Balances)</XPath>')), ["SIG_COVERAGE"]),
        ("XPath filter 2", resign(signed(), transform("http://www.w3.org/2002/06/xmldsig-filter2")), ["SIG_COVERAGE"]),
        ("XSLT", resign(signed(), transform("http://www.w3.org/TR/1999/REC-xslt-19991116",
         '<x:stylesheet xmlns:x="http://www.w3.org/1999/XSL/Transform" version="1.0"/>')), ["SIG_COVERAGE"]),
        ("base64", resign(signed(), transform(DS + "base64")), ["SIG_COVERAGE"]),
        ("enveloped twice", resign(signed(), transform(DS + "enveloped-signature")), ["SIG_COVERAGE"]),
        ("HMAC", resign(signed(), attribute("SignedInfo/SignatureMethod", "Algorithm", DS + "hmac-sha1")),
         ["SIG_ALGORITHM"]),
        ("RSA-SHA1", resign(signed(), attribute("SignedInfo/SignatureMethod", "Algorithm", DS + "rsa-sha1")),
         ["SIG_ALGORITHM"]),
        ("the other key's algorithm", resign(signed(), attribute("SignedInfo/SignatureMethod", "Algorithm",
                                                                 more + "rsa-sha256")), ["SIG_VALUE"]),
        ("SHA-1", resign(signed(), attribute("SignedInfo/Reference/DigestMethod", "Algorithm", DS + "sha1")),
         ["SIG_ALGORITHM"]),
        ("a foreign reference", resign(signed(), extra_reference), ["SIG_COVERAGE"]),
        ("properties not signed", resign(signed(), no_properties), ["SIG_COVERAGE"]),
        ("a second QualifyingProperties", resign(signed(), fake_properties), ["SIG_COVERAGE"]),
        ("KeyValue alone", resign(signed(), key_value), ["CERT_UNTRUSTED"]),
        ("SignedProperties among the unsigned ones", resign(signed(), unsigned("other")), []),
        ("the same with the signed ones' Id", resign(signed(), unsigned(None)), ["SIG_COVERAGE"]),
        ("a comment within SigningTime", resign(signed(), comment_in_time), []),
        ("another user's signature", resign(signed(), user="PLA001").replace(b"<ds:SignatureValue>",
                                                                             b"<ds:SignatureValue>AAAA"), ["SIG_VALUE"]),
    ])


def parser():
    """entities, encodings, sizes and depths: refused quickly, the gateway goes on"""
    good = text()
    root = '<BalanceReport xmlns="urn:muhur:xsd:balance-report:1">'

    def dtd(inner):
        return good.replace("?>", "?>\n<!DOCTYPE x " + inner + ">", 1)
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    many = " ".join(f'a{n}="1"' for n in range(100000))
    names = "".join(f"<n{n}/>" for n in range(200000))
    judge([
        ("billion laughs", dtd(f'[<!ENTITY l0 "ha">{laughs}]').replace('"1.5"/>', '"&l9;"/>'), ["XML_FORBIDDEN"]),
        ("external entity", dtd('[<!ENTITY e SYSTEM "file:///etc/passwd">]'), ["XML_FORBIDDEN"]),
        ("parameter entity", dtd('[<!ENTITY % e SYSTEM "http://127.0.0.1:1/x">%e;]'), ["XML_FORBIDDEN"]),
        ("external DTD", dtd('SYSTEM "http://127.0.0.1:1/x.dtd"'), ["XML_FORBIDDEN"]),
        ("DTD behind a signature's file", dtd("[]") + "x", ["XML_FORBIDDEN"]),
        ("undeclared entity", good.replace('"1.5"', '"&x;"', 1), ["XML_MALFORMED"]),
        ("100,000 attributes", root + f"<Header {many}/></BalanceReport>", ["XML_FORBIDDEN"]),
        ("200,000 names", root + names + "</BalanceReport>", ["XML_FORBIDDEN"]),
        ("200,000 names in a signature", root + f'<s:Signature xmlns:s="{DS}">' + names +
         "</s:Signature></BalanceReport>", ["XML_FORBIDDEN"]),
        ("100 levels", root + "<a>" * 100 + "</a>" * 100 + "</BalanceReport>", ["XML_FORBIDDEN"]),
        ("1,000,000 levels", "<a>" * 1000000, ["XML_FORBIDDEN"]),
        ("1 MB attribute", good.replace('"1.5"', '"' + "1" * 1000000 + '"', 1), ["XML_FORBIDDEN"]),
        ("1 MB name", "<" + "a" * 1000000 + "/>", ["XML_FORBIDDEN"]),
        ("1 MB text", root + "<Header>" + "x" * 1000000 + "</Header></BalanceReport>", ["XML_FORBIDDEN"]),
        ("1 MB comment", "<a><!--" + "x" * 1000000 + "--></a>", ["XML_FORBIDDEN"]),
        ("1 MB PI", "<a><?p " + "x" * 1000000 + "?></a>", ["XML_FORBIDDEN"]),
        ("1 MB CDATA", "<a><![CDATA[" + "x" * 1000000 + "]]></a>", ["XML_FORBIDDEN"]),
        ("1 MB of blanks first", " " * 1000000 + "<a/>", ["XML_FORBIDDEN"]),
        ("200 namespaces", "<a " + " ".join(f'xmlns:p{n}="urn:{n}"' for n in range(200)) + "/>", ["XML_FORBIDDEN"]),
        ("relative namespace", '<a xmlns="x"/>', ["XML_FORBIDDEN"]),
        ("namespace with an ampersand", '<a xmlns="urn:x&amp;y"/>', ["XML_FORBIDDEN"]),
        ("invalid UTF-8", good.replace("C1", "C\udcff1").encode("utf-8", "surrogateescape"), ["XML_MALFORMED"]),
        ("overlong UTF-8", good.encode().replace(b"C1", b"C\xc0\xaf1"), ["XML_MALFORMED"]),
        ("a lone surrogate", good.encode().replace(b"C1", b"C\xed\xa0\x801"), ["XML_MALFORMED"]),
        ("NUL", good.encode().replace(b"C1", b"C\x001"), ["XML_MALFORMED"]),
        ("NUL by reference", good.replace("C1", "C&#0;1"), ["XML_MALFORMED"]),
        ("U+FFFE", good.replace("C1", "C\ufffe1"), ["XML_MALFORMED"]),
        ("UTF-7", good.replace("UTF-8", "UTF-7"), ["XML_MALFORMED"]),
        ("UTF-32", good.replace("UTF-8", "UTF-32").encode("utf-32"), ["XML_MALFORMED"]),
        ("EBCDIC", good.replace("UTF-8", "IBM037").encode("cp037"), ["XML_MALFORMED"]),
        ("UTF-16 said, UTF-8 sent", good.replace("UTF-8", "UTF-16"), ["XML_MALFORMED"]),
        ("UTF-16 cut in a character", good.replace("UTF-8", "UTF-16").encode("utf-16")[:-3], ["XML_MALFORMED"]),
        ("unsigned UTF-16", good.replace("UTF-8", "UTF-16").encode("utf-16"), ["SIG_MISSING"]),
        ("XML 1.1", good.replace('version="1.0"', 'version="1.1"'), ["XML_MALFORMED"]),
        ("gzip", b"\x1f\x8b\x08\x00" + bytes(100), ["XML_MALFORMED"]),
        ("zeros", bytes(1000), ["XML_MALFORMED"]),
        ("one byte", b"<", ["XML_MALFORMED"]),
        ("cut signature", signed()[:-300], ["XML_MALFORMED"]),
        ("undeclared prefix", good.replace("<Bal ", "<x:Bal "), ["XML_MALFORMED"]),
        ("attribute twice", good.replace('Qty="1.5"', 'Qty="1.5" Qty="1.5"'), ["XML_MALFORMED"]),
        ("300 KB signature", good.replace("</BalanceReport>", f'<s:Signature xmlns:s="{DS}">' +
         "<s:a>x</s:a>" * 30000 + "</s:Signature></BalanceReport>"), ["XML_FORBIDDEN"]),
    ])


def content():
    """signed nonsense: the schema's and the content's codes, nothing smuggled past them"""
    def line(**kw):
        f = dict(r="1000000001", c="C1", h="CUA", a="4H95J0R2X", q="1.5")
        f.update(kw)
        return [(f["r"], f["c"], f["h"], f["a"], f["q"])]

    template = signed()

    def attr(name, value):
        return quick(re.sub(f'(<Bal .*{name}=")[^"]*', lambda m: m.group(1) + value, text(), count=1), template)
    n = {"4H95J0R2X": "1.5"}
    bad = ["SCHEMA_INVALID"]
    foreign = f'<d:Foo xmlns:d="{DS}"><Bal Reg="evil" Cust="\\N" Held="CUA" Asset="4H95J0R2X" Qty="1.5"/></d:Foo>'
    total = '<Total Asset="4H95J0R2X" Qty="1.5"/>'
    judge([
        *((f"{name}={value!r}", attr(name, value), bad) for name, value in (
            ("Cust", "\\N"), ("Cust", "a&#9;b"), ("Cust", "a&#10;b"), ("Cust", "\\."), ("Cust", "C1'; DROP TABLE x;--"),
            ("Cust", "\u015e\u0130\u011e"), ("Cust", ""), ("Cust", "x" * 2000), ("Cust", " C1 "), ("Reg", "\u0661" * 10),
            ("Held", "OWNX\u0130"), ("Qty", "1e5"), ("Qty", "+1.5"), ("Qty", "1,5"), ("Qty", ".5"), ("Qty", "5."),
            ("Qty", "NaN"), ("Qty", "INF"), ("Qty", " 1.5"), ("Qty", "1" * 21), ("Qty", "0." + "1" * 19),
            ("Qty", "1" * 500), ("Qty", "--1"), ("Qty", "0x10"))),
        ("records in an element that the schema skips, last",
         first(signed(text(count=2, totals={"4H95J0R2X": "3"}).replace("</BalanceReport>", foreign + "</BalanceReport>"))),
         ["CONTROL_TOTAL"]),
        ("records in an element that the schema skips, first",
         signed(text(count=2, totals={"4H95J0R2X": "3"}).replace("<Header>", foreign + "<Header>", 1)),
         ["CONTROL_TOTAL"]),
        ("xsi:type", signed(text().replace("<Bal ", '<Bal xmlns:i="http://www.w3.org/2001/XMLSchema-instance" '
                                           'i:type="Price" ', 1)), bad),
        ("xsi:nil", signed(text().replace("<Balances>", '<Balances xmlns:i="http://www.w3.org/2001/XMLSchema-instance" '
                                          'i:nil="true">', 1)), bad),
        ("comment in a header's value", signed(text(message_id=f"CM-{os.getpid()}").replace("CM-", "C<!-- x -->M-")), []),
        ("CDATA in a header's value", signed(text(message_id=f"CD-{os.getpid()}").replace("CD-", "<![CDATA[CD]]>-")), []),
        ("CR LF throughout", signed(text().replace("\n", "\r\n")), []),
        ("CR in an attribute", attr("Cust", "C1&#13;"), bad),
        ("a header twice", signed(re.sub("(<Header>.*</Header>)", r"\1\1", text())), bad),
        ("no header", signed(re.sub("<Header>.*</Header>", "", text())), bad),
        ("header after records", signed(re.sub(r"(?s)(<Header>.*</Header>)(.*)(</BalanceReport>)", r"\2\1\3", text())), bad),
        ("unknown root", signed("<a xmlns='urn:x'/>"), bad),
        ("root of no namespace", signed(text().replace(f' xmlns="{BR}"', "")), bad),
        ("root of another namespace", signed(text().replace(BR, "urn:muhur:xsd:custody-report:1")), bad),
        ("MessageType of another", signed(text().replace("<MessageType>B", "<MessageType>C")), bad),
        ("total twice", signed(text().replace(total, total + total)), ["CONTROL_TOTAL"]),
        ("total of an absent asset", signed(text(totals={**n, "B1TC00000": "0"})), []),
        ("total missing", signed(text().replace(total, "")), ["CONTROL_TOTAL"]),
        ("total of -0", signed(text(lines=line(q="0")).replace('Qty="0"', 'Qty="-0"')), []),
        ("negative, 20 and 18 digits", signed(lines=line(q="-" + "9" * 20 + "." + "9" * 18)), []),
        ("two that cancel out", signed(lines=line(q="9" * 20) + line(c="C2", q="-" + "9" * 20)), []),
        ("sum over 20 digits", signed(text(lines=line(q="9" * 20) + line(c="C2", q="1"), totals={"4H95J0R2X": "1"})),
         ["CONTROL_TOTAL"]),
        ("count with zeros before", signed(text().replace("<RecordCount>1", "<RecordCount>01")), bad),
        ("count of 19 digits", signed(text(count=10 ** 18)), bad),
        ("the year 9999", signed(text(date="9999-12-31")), ["BUSINESS_DATE"]),
        ("the year 0001", signed(text(date="0001-01-01")), ["BUSINESS_DATE"]),
        ("no such day", signed(text(date="2026-02-30")), bad),
        ("a day of year 10000", signed(text(date="10000-01-01")), bad),
        ("sequence 10^18", signed(text(sequence=10 ** 18)), bad),
        ("replaces itself", signed(text(message_id=f"ME-{os.getpid()}", replaces=f"ME-{os.getpid()}")),
         ["REFERENCE_UNKNOWN"]),
        ("BOM", b"\xef\xbb\xbf" + signed(), []),
        ("UTF-16, signed", signed().decode().replace("UTF-8", "UTF-16", 1).encode("utf-16"), []),
        ("prefixes everywhere", signed(re.sub(r"<(/?)(?=[A-Z])", r"<\1m:", text()).replace(" xmlns=", " xmlns:m=")), []),
        ("half a character behind UTF-16", signed().decode().replace("UTF-8", "UTF-16", 1).encode("utf-16") + b"\n",
         ["XML_MALFORMED"]),
        ("a false hint behind the root", signed() + b'<!-- <Reference URI=""><Transform Algorithm="http://www.w3.org/'
         b'TR/2001/REC-xml-c14n-20010315"/><DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha512"/>'
         b"</Reference> -->", []),
        ("no records", signed(lines=[]), []),
    ])


with lib.Market() as market:
    lib.main(wrapped, signed_info, parser, content)
