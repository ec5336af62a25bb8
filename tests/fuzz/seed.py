#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Writes seeds that are tedious by hand.  msg and stream: one good packet of
each type of message, one good frame of each type, and a few bad ones.  document:
signatures of unusual form, around the certificate of document/balance.xml; they
are not valid, but are read as far as that goes.  Usage: seed.py"""
import base64
import hashlib
import pathlib
import re
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
SRC = HERE.parent.parent / "src"

UUID = "018f4b2e-7a10-7c3d-8e21-0123456789ab"
SHA = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
DAY = 20777  # 2026-11-20


def enum(header, name):
    """The enumerators of a header's enum, by their names."""
    text = re.sub(r"/\*.*?\*/", "", (SRC / header).read_text(), flags=re.S)
    body = re.search(r"enum %s\s*{(.*?)}" % name, text, re.S).group(1)
    values, number = {}, 0
    for item in filter(None, map(str.strip, body.split(","))):
        key, _, value = map(str.strip, item.partition("="))
        number = int(value) if value else number
        values[key] = number
        number += 1
    return values


TYPE = enum("msg/msg.h", "msg_type")
ROLE = enum("base/conf.h", "role")
REASON = enum("model/reason.h", "reason_code")
TIMESTAMP = enum("model/timestamp.h", "timestamp_state")


def u8(v): return struct.pack("=B", v)
def u32(v): return struct.pack("=I", v)
def i64(*v): return struct.pack("=%dq" % len(v), *v)
def raw(b): return u32(len(b)) + b


def text(*strings):
    data = (s.encode() for s in strings)
    return b"".join(struct.pack("=H", len(s)) + s for s in data)


def reasons(*rs):
    return u8(len(rs)) + b"".join(
        u8(REASON[code]) + i64(line) + text(path, detail) for code, line, path, detail in rs)


PEER = text("2001:db8::1") + u32(65535)
LOGIN = text("PLA001", "ssh-ed25519") + raw(b"\0\1\xff") + u8(1)
RIGHTS = u8(1) + u8(0) + u8(1)
LOGIN_RESULT = u8(1) + RIGHTS + text("PLA001", "PLA", "")
FILE_ID = i64(-1, 1, 1795000000000000000)
SUBMISSION = text(UUID, "PLA001", "g\u00fcn.xml") + i64(4849, 1795000000000000) + u8(1)
STATE = text(UUID) + u8(3) + text(SHA) + u8(0) + u8(2)
VERDICT = (text(UUID, SHA) + u8(1) + text(SHA, "CN=A\u015f,C=TR", "CN=b", "0A") +
           i64(1795000000000000) +
           text("1.2.3") + u8(TIMESTAMP["TIMESTAMP_BAD"]) + i64(0) + text("", "expired") +
           reasons(("CERT_EXPIRED", 0, "", "until 2020"),
                   ("SCHEMA_INVALID", 12, "/BalanceReport", "Qty")) + u8(1) + text(SHA, SHA))
NOTICE_FILE = text(UUID, SHA) + i64(77, 5)
PUBLISH = text(UUID, "PLA", UUID + ".accepted.xml", SHA, "2026-11-20") + u8(1)
RANGES = u32(2) + i64(0, 100, 200, 4849)
ACKNOWLEDGEMENT = (
    text(UUID) + u8(0) + text("PLA", UUID + ".rejected.xml") + i64(1) + u8(2) +
    text(UUID, "a.xml", SHA) + i64(5, 2) +
    text("PLA001", "m", "BalanceReport", "CN=a", "CN=b", "1") +
    i64(3) + u8(1) + i64(4) + reasons(("DUPLICATE", 3, "/x", "m")) + i64(0, 0, 0))
DISCREPANCY = (
    text(UUID) + u8(2) + text("SPK", "DiscrepancyReport.2026-11-20.1.xml") + i64(1) + u8(0) +
    text("", "", "") + i64(0, 0) + text("", "", "", "", "", "") +
    i64(0) + u8(0) + i64(0) + reasons() + i64(DAY, 1, 10000000))

# type, sender, receiver, descriptors, payload: as in the tables of msg.c and msg.h
P, S, D, L = "MUHURD", "SESSION", "DIRECTORY", "LOAD"
MESSAGES = [
    ("READY", "VERIFY", P, 0, b""),
    ("SESSION_NEW", "LISTENER", P, 1, PEER),
    ("SESSION_END", P, "LISTENER", 0, PEER),
    ("SESSION_START", P, S, 0, PEER),
    ("LOGIN", S, P, 0, LOGIN),
    ("LOGIN_RESULT", P, S, 4, LOGIN_RESULT),
    ("BOX_OPEN", S, P, 0, u8(0) + text("", "", "g\u00fcn.xml") + u32(6)),
    ("BOX_OPENED", P, S, 1, u8(0)),
    ("BOX_TAKE", S, P, 0, text("a.xml") + FILE_ID),
    ("BOX_RENAME", S, P, 0, text("a.part", "a") + FILE_ID),
    ("BOX_REMOVE", S, P, 0, text("a.xml") + i64(0, 0, 0)),
    ("BOX_DONE", P, S, 0, u8(8)),
    ("DIR_LOGIN", P, D, 0, LOGIN),
    ("DIR_LOGIN_RESULT", D, P, 0, u8(0) + u8(0) + u8(0) + u8(0) + text("strange", "", "no such user")),
    ("SUB_RECEIVED", P, D, 0, SUBMISSION),
    ("SUB_HOLD", P, D, 0, text(UUID)),
    ("SUB_STATE", D, P, 0, STATE),
    ("NOTICE_NEXT", P, D, 0, b""),
    ("NOTICE_TO_SIGN", D, P, 0, DISCREPANCY),
    ("NOTICE_SIGNED", P, D, 0, NOTICE_FILE),
    ("NOTICE_FAILED", P, D, 0, text(UUID)),
    ("NOTICE_PUBLISH", D, P, 0, PUBLISH),
    ("NOTICE_PUBLISHED", P, D, 0, text(UUID) + u8(1)),
    ("NOTICE_EXPIRE", D, P, 0, PUBLISH),
    ("NOTICE_ARCHIVED", P, D, 0, text(UUID)),
    ("VERIFY", P, "VERIFY", 2, SUBMISSION),
    ("VERDICT", "VERIFY", P, 0, VERDICT),
    ("LOAD_BEGIN", P, L, 1, SUBMISSION),
    ("LOAD_VERDICT", P, L, 0, VERDICT),
    ("LOAD_ABORT", P, L, 0, text(UUID)),
    ("LOAD_DONE", L, P, 0, text(UUID) + u8(0) + text("") + u8(1)),
    ("LINES_SEND", P, L, 1, text(UUID)),
    ("LINES_DONE", L, P, 0, text(UUID)),
    ("SIGN", P, "SIGNER", 3, ACKNOWLEDGEMENT),
    ("SIGNED", "SIGNER", P, 0, NOTICE_FILE),
    ("SIGN_FAILED", "SIGNER", P, 0, text(UUID)),
    ("ARCHIVE", P, "ARCHIVE", 0, PUBLISH),
    ("ARCHIVED", "ARCHIVE", P, 0, text(UUID) + u8(1)),
    ("DIR_CHANGED", D, P, 0, b""),
    ("DIR_REVIEW", P, D, 0, LOGIN),
    ("DIR_REVIEWED", D, P, 0, LOGIN_RESULT),
    ("SESSION_RIGHTS", P, S, 0, RIGHTS),
    ("COMPRESS", D, P, 0, text(SHA)),
    ("COMPRESS_FILE", P, "ARCHIVE", 0, text(SHA)),
    ("COMPRESSED", "ARCHIVE", P, 0, text(SHA) + u8(1)),
    ("DIR_COMPRESSED", P, D, 0, text(SHA) + u8(0)),
    ("MATERIAL", P, "ARCHIVE", 1, u8(5) + u8(0)),
    ("MATERIAL_KEPT", "ARCHIVE", P, 0, text(SHA)),
    ("PASS", "ARCHIVE", P, 0, text("") + i64(1795000000000000, 10, 20, 1, 0)),
    ("DIR_PASS", P, D, 0, text(SHA) + i64(0, 0, 0, 0, 0)),
    ("DIR_PASS_KEPT", D, P, 0, b""),
    ("PASS_KEPT", P, "ARCHIVE", 0, b""),
    ("BOX_FETCHED", S, P, 0, RANGES),
    ("FETCHED", P, D, 0, text("PLA", UUID + ".accepted.xml", "PLA001") + i64(4849, 1795000000000000) + RANGES),
    ("FETCHED_KEPT", D, P, 0, b""),
]


def packet(type_, sender, receiver, fds, payload):
    return (bytes([ROLE["ROLE_" + sender], ROLE["ROLE_" + receiver], fds]) +
            struct.pack("=HHI", TYPE["M_" + type_], 0, 7) + payload)


def messages():
    assert {"M_" + m[0] for m in MESSAGES} == set(TYPE) - {"M_TYPE_COUNT"}
    seeds = {m[0].lower().replace("_", "-"): packet(*m) for m in MESSAGES}
    seeds["bad-sender"] = packet("VERDICT", L, P, 0, VERDICT)
    seeds["bad-fds"] = packet("SIGN", P, "SIGNER", 5, ACKNOWLEDGEMENT)
    seeds["bad-string"] = packet("LOGIN", S, P, 0, b"\xff\xff" + LOGIN)
    seeds["bad-nul"] = packet("BOX_TAKE", S, P, 0, text("a\0b") + FILE_ID)
    seeds["bad-utf8"] = packet("SUB_RECEIVED", P, D, 0, SUBMISSION.replace(b"\xc3\xbc", b"\xc3n"))
    seeds["bad-user"] = packet("SUB_RECEIVED", P, D, 0, SUBMISSION.replace(b"PLA001", b"PLA000"))
    seeds["bad-uuid"] = packet("SUB_HOLD", P, D, 0, text(UUID.upper()))
    seeds["bad-day"] = packet("ARCHIVE", P, "ARCHIVE", 0, PUBLISH.replace(b"2026-11-20", b"2026-02-29"))
    seeds["bad-rest"] = packet("ARCHIVED", "ARCHIVE", P, 0, text(UUID) + u8(1) + b"\0")
    ready = packet("READY", "VERIFY", P, 0, b"")
    seeds["bad-zero"] = ready[:5] + b"\1" + ready[6:]
    seeds["bad-head"] = ready[:-1]
    return seeds


def frame(letter, data=b""):
    return letter.encode() + u32(len(data)) + data


def frames():
    quantity = (5 * 10**18).to_bytes(16, sys.byteorder, signed=True)
    negative = (-7).to_bytes(16, sys.byteorder, signed=True)
    fields = u8(1) + text("m", "CUA", "CUA001") + i64(DAY, 99, 3) + text("old") + i64(2)
    head = fields + u32(2) + text("4H95J0R2X") + quantity + text("X9J9K872S") + negative
    rows = u8(3) + b"1\t2\ta\n"
    return {
        "header": frame("H", head),
        "records": frame("R", rows),
        "restart": frame("X"),
        "end": frame("E"),
        "whole": frame("H", head) + frame("R", rows) + frame("X") +
                 frame("R", u8(2) + b"1\t2\t\\N\n2\t3\t\\N\n") + frame("E"),
        "bad-type": frame("Q"),
        "bad-kind": frame("R", u8(127) + b"a\n"),
        "bad-line": frame("R", u8(0) + b"a"),
        "bad-nul": frame("R", u8(0) + b"a\0\n"),
        "bad-end": frame("E", b"x"),
        "bad-total": frame("H", head[:-1] + b"\x7f"),
        "bad-count": frame("H", fields + u32(2049)),
        "bad-sender": frame("H", fields.replace(b"CUA", b"C\nA") + u32(0)),
        "bad-day": frame("H", fields.replace(i64(DAY), i64(2**40)) + u32(0)),
        "no-totals": frame("H", fields + u32(0)),
        "bad-length": b"R" + u32(256 * 1024 + 1),
        "cut": frame("R", rows)[:-3],
    }


# --- documents ---------------------------------------------------------------

DSIG = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
SHA256, SHA512 = ("http://www.w3.org/2001/04/xmlenc#sha%d" % n for n in (256, 512))


def der_parts(der):
    """The elements within the one that der begins with, each whole."""
    def head(at):
        n, size = der[at + 1], 2
        if n & 0x80:
            size += n & 0x7f
            n = int.from_bytes(der[at + 2:at + size], "big")
        return size, n
    at, n = head(0)
    end, parts = at + n, []
    while at < end:
        size, n = head(at)
        parts.append(der[at:at + size + n])
        at += size + n
    return parts


def der(tag, data):
    assert len(data) < 256
    return bytes([tag]) + (bytes([len(data)]) if len(data) < 128 else bytes([0x81, len(data)])) + data


def b64(data):
    return base64.b64encode(data).decode()


def reference(uri, transforms, digest=SHA256, type_=""):
    return (f'<ds:Reference URI="{uri}"{type_}><ds:Transforms>{transforms}</ds:Transforms>'
            f'<ds:DigestMethod Algorithm="{digest}"/><ds:DigestValue>{b64(bytes(int(digest[-3:]) // 8))}</ds:DigestValue></ds:Reference>')


def transform(uri, inner=""):
    return f'<ds:Transform Algorithm="{uri}">{inner}</ds:Transform>'


def document(certificates, issuer_serial="", v2=True, c14n=EXCLUSIVE, prefixes="", signed="", content="",
             unsigned="", objects="", transforms="", policy=""):
    digest = b64(hashlib.sha256(certificates[0]).digest())
    version = "V2" if v2 else ""
    enveloped = transform(DSIG + "enveloped-signature")
    return f"""<BalanceReport xmlns="urn:muhur:xsd:balance-report:1">{content}<ds:Signature xmlns:ds="{DSIG}" Id="s">
<ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{c14n}">{prefixes}</ds:CanonicalizationMethod>
<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"/>
{reference("", enveloped + transforms + transform(c14n, prefixes))}
{reference("#p", transform(c14n), type_=' Type="http://uri.etsi.org/01903#SignedProperties"')}{signed}</ds:SignedInfo>
<ds:SignatureValue>{"A" * 86}==</ds:SignatureValue>
<ds:KeyInfo><ds:X509Data>{"".join(f"<ds:X509Certificate>{b64(c)}</ds:X509Certificate>" for c in certificates)}</ds:X509Data></ds:KeyInfo>
<ds:Object><q:QualifyingProperties xmlns:q="{XADES}" Target="#s"><q:SignedProperties Id="p"><q:SignedSignatureProperties>
<q:SigningTime>2026-11-21T22:31:24</q:SigningTime><q:SigningCertificate{version}><q:Cert><q:CertDigest>
<ds:DigestMethod Algorithm="{SHA256}"/><ds:DigestValue>{digest}</ds:DigestValue></q:CertDigest>{issuer_serial}</q:Cert>
</q:SigningCertificate{version}>{policy}</q:SignedSignatureProperties></q:SignedProperties>{unsigned}</q:QualifyingProperties></ds:Object>
{objects}</ds:Signature></BalanceReport>
""".encode()


def plain(change=("", "")):
    """XML-DSig without XAdES and without a certificate, with one thing changed."""
    text = f"""<a><ds:Signature xmlns:ds="{DSIG}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"/>
<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>
{reference("", transform(DSIG + "enveloped-signature") + transform(EXCLUSIVE))}</ds:SignedInfo>
<ds:SignatureValue>AAAA</ds:SignatureValue></ds:Signature></a>
"""
    assert change[0] in text
    return text.replace(*change, 1).encode()


def plain_documents():
    method = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
    enveloped = transform(DSIG + "enveloped-signature")
    return {
        "no-certificate": plain(),
        "hmac": plain((method, DSIG + "hmac-sha1")),
        "parameters": plain((f'{method}"/>', f'{method}"><ds:HMACOutputLength>0</ds:HMACOutputLength></ds:SignatureMethod>')),
        "no-algorithm": plain((f' Algorithm="{method}"', "")),
        "no-method": plain((f'<ds:SignatureMethod Algorithm="{method}"/>', "")),
        "with-comments": plain((f'{EXCLUSIVE}"/>', f'{EXCLUSIVE}WithComments"/>')),
        "sha1": plain((SHA256, DSIG + "sha1")),
        "cut-digest": plain(("A=</ds:DigestValue>", "</ds:DigestValue>")),
        "not-enveloped": plain((enveloped, "")),
        "enveloped-twice": plain((enveloped, enveloped * 2)),
        "base64": plain((enveloped, transform(DSIG + "base64"))),
        "no-reference": plain((reference("", enveloped + transform(EXCLUSIVE)), "")),
        "stray-text": plain(("</ds:SignedInfo>", "text</ds:SignedInfo>")),
        "misplaced": b"<x>" + plain() + b"</x>",
        "two-signatures": plain(("</a>", "<b><ds:Signature xmlns:ds='%s'/></b></a>" % DSIG)),
        "in-the-middle": plain(("</a>", "<b/></a>")).replace(b"<a>", b"<a><b/>"),
    }


def documents():
    text = (HERE / "corpus/document/balance.xml").read_text()
    certificate = base64.b64decode(re.search("<ds:X509Certificate>([^<]*)", text).group(1))
    _, serial, _, issuer = der_parts(der_parts(certificate)[0])[:4]
    name = der(0x30, der(0xa4, issuer))
    v2 = b64(der(0x30, name + serial))
    v1 = int.from_bytes(der_parts(b"\x30" + bytes([len(serial)]) + serial)[0][2:], "big")
    one = [certificate]
    decoy = reference("", transform(INCLUSIVE), SHA512)
    return {
        "issuer-serial-v2.xml": document(one, f"<q:IssuerSerialV2>{v2}</q:IssuerSerialV2>"),
        "issuer-serial-v1.xml": document(one, "<q:IssuerSerial><ds:X509IssuerName>CN=a</ds:X509IssuerName>"
                                         f"<ds:X509SerialNumber>{v1}</ds:X509SerialNumber></q:IssuerSerial>", v2=False),
        "inclusive.xml": document(one, c14n=INCLUSIVE),
        "prefix-list.xml": document(one, prefixes=f'<InclusiveNamespaces xmlns="{EXCLUSIVE}" PrefixList="ds #default q"/>'),
        # the guess is made from the first of these, the signature says another
        "wrong-guess.xml": document(one, content=f"<!-- {decoy} -->"),
        "many-certificates.xml": document(one * 9),
        "unsigned-properties.xml": document(one, unsigned='<q:UnsignedProperties Id="u"><q:UnsignedSignatureProperties>'
                                            '<q:CounterSignature><ds:Signature Id="s"/></q:CounterSignature>'
                                            '</q:UnsignedSignatureProperties></q:UnsignedProperties>'),
        "policy.xml": document(one, policy="<q:SignaturePolicyIdentifier><q:SignaturePolicyId><q:SigPolicyId>"
                               '<q:Identifier Qualifier="OIDAsURN">urn:oid:2.16.792.1.61.0.1.5070.3.1.1</q:Identifier>'
                               f'</q:SigPolicyId><q:SigPolicyHash><ds:DigestMethod Algorithm="{SHA256}"/><ds:DigestValue>'
                               f"{b64(bytes(32))}</ds:DigestValue></q:SigPolicyHash></q:SignaturePolicyId>"
                               "</q:SignaturePolicyIdentifier>"),
        "policy-implied.xml": document(one, policy="<q:SignaturePolicyIdentifier><q:SignaturePolicyImplied/>"
                                       "</q:SignaturePolicyIdentifier>"),
        "manifest.xml": document(one, objects='<ds:Object xml:id="o"><ds:Manifest Id="m"/></ds:Object>'),
        "nested-signature.xml": document(one, objects="<ds:Object><ds:Signature/></ds:Object>"),
        "two-references.xml": document(one, signed=reference("", transform(EXCLUSIVE))),
        "foreign-reference.xml": document(one, signed=reference("http://127.0.0.1/x", "")),
        "xpath.xml": document(one, transforms=transform("http://www.w3.org/TR/1999/REC-xpath-19991116",
                              "<ds:XPath>true()</ds:XPath>")),
        "correction.xml": (HERE / "corpus/document/unsigned.xml").read_bytes().replace(
            b"</Sequence>", b"</Sequence><ReplacesMessageId>PLA-20261120-1</ReplacesMessageId>"),
    }


# One of each further type, with every record and attribute that it has; unsigned,
# and read to the end all the same.
SECTIONS = {
    "MovementReport": '<Movements><Mov Id="m-1" Reg="1000000001" Cust="C1" Asset="4H95J0R2X" Type="TRANSFER_OUT" Qty="-0.5"'
                      ' At="2026-11-20T10:00:00" Tx="0xab" Rev="m-0"/></Movements>',
    "NettingReport": '<Nettings><Net Reg="1000000001" Cust="C1" Asset="4H95J0R2X" Open="1" Net="-0.5" Close="0.5"/></Nettings>',
    "HoldingReport": '<Wallets><Wal At="2026-11-20T12:00:00+03:00" Wlt="HOT" Own="CUSTOMER" Asset="4H95J0R2X" Qty="1"/></Wallets>'
                     '<Reserve><Rsv At="2026-11-20T09:00:00Z" Kind="CRYPTO" Asset="4H95J0R2X" Qty="1"/>'
                     '<Rsv Kind="DEPOSIT" Ccy="TRY" Qty="100"/></Reserve>',
    "ListingNotice": '<Listings><Lst Asset="4H95J0R2X" Status="DELISTED" From="2026-11-21" Reason="x"/></Listings>',
    "ReferenceData": '<Reference><Rate Ccy="USD" Try="40.25"/><Ast Asset="4H95J0R2X" Cap="1" Listed="2009-01-03" Hold="NONE"'
                     ' Base="false"/><Wgt Kind="CRYPTO" Asset="4H95J0R2X" Weight="0.5"/><Day Date="2026-11-20" Kind="HOLIDAY"/>'
                     '</Reference>',
    "RegistrationRequest": '<Investors><Inv Type="FOREIGN" No="X1" Ctry="DE" Name="\u015eule" Birth="1980-01-02" Reg="1000000001"/>'
                           '</Investors>',
    "DiscrepancyResponse": '<Responses><Rsp Break="R1-0123456789ab" Text="x" Qty="-1.5" Ref="y"/></Responses>',
}
TOTALS = {"MovementReport": "-0.5", "NettingReport": "0.5", "HoldingReport": "1"}


def reports():
    seeds = {}
    for kind, body in SECTIONS.items():
        dashed = re.sub("(?<=[a-z])(?=[A-Z])", "-", kind).lower()
        total = f'<Total Asset="4H95J0R2X" Qty="{TOTALS[kind]}"/>' if kind in TOTALS else ""
        count = len(re.findall("/>", body))
        seeds[dashed + ".xml"] = (
            f'<{kind} xmlns="urn:muhur:xsd:{dashed}:1"><Header><MessageId>m-1</MessageId><MessageType>{kind}</MessageType>'
            "<SchemaVersion>1</SchemaVersion><SenderMemberCode>PLA</SenderMemberCode><UserCode>PLA001</UserCode>"
            "<BusinessDate>2026-11-20</BusinessDate><CreatedAt>2026-11-21T00:10:00</CreatedAt><Sequence>1</Sequence>"
            f"<RecordCount>{count}</RecordCount><ControlTotals>{total}</ControlTotals></Header>\n{body}</{kind}>\n").encode()
    return seeds


for name, seeds in (("document", documents() | reports() | {k + ".xml": v for k, v in plain_documents().items()}), ("msg", messages()), ("stream", frames())):
    folder = HERE / "corpus" / name
    folder.mkdir(parents=True, exist_ok=True)
    for file, data in seeds.items():
        (folder / file).write_bytes(data)
