#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Signatures that other programs made, and ours as they see them: the corpus's
fixtures (tests/corpus/README.md) at their fixed time, stock xmlsec1 now."""

import base64
import glob
import hashlib
import json
import os
import re
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

import lib
from forge import DS, ENC, EXC, INC, MORE, XADES

CORPUS = os.path.join(lib.TOP, "tests", "corpus")
PKI = os.path.join(CORPUS, "pki")
SCHEMAS = os.path.join(lib.TOP, "schemas", "xml")
AT = "2026-01-15T09:00:00Z"
SIGNED_AT = "2026-01-15T08:55:00"
KEYS = ("rsa2048", "p256", "p384")
TOOLS = ("jdk", "xmlcrypto", "xadesjs")

NS = {"ds": DS, "x": XADES}
UNSIGNED = (f'<UnsignedProperties xmlns="{XADES}"><UnsignedSignatureProperties><SignatureTimeStamp>'
            '<EncapsulatedTimeStamp>AAAA</EncapsulatedTimeStamp></SignatureTimeStamp></UnsignedSignatureProperties>'
            '</UnsignedProperties>')
DIGESTS = {"sha256": ENC + "sha256", "sha384": MORE + "sha384", "sha512": ENC + "sha512"}

work = None


def read(*path):
    with open(os.path.join(*path), "rb") as f:
        return f.read()


def certificate(path):
    return x509.load_pem_x509_certificate(read(path))


def source(document):
    """One that the recipes sign."""
    return os.path.join(CORPUS, "recipes", "in", document + ".xml")


def der(cert):
    return cert.public_bytes(serialization.Encoding.DER)


class Case:
    """A document with its name, and how it is judged: profile and key stand in the name."""

    def __init__(self, name, data, profile, key, is_report):
        self.name, self.data, self.profile, self.key, self.is_report = name, data, profile, key, is_report

    def changed(self, what, data):
        return Case(self.name + ": " + what, data, self.profile, self.key, self.is_report)


def fixtures(folder):
    """[(fixture, its codes)]: <tool>-<profile>-<variety>-<key>-<document>[.<codes>].xml"""
    found = []
    for path in sorted(p for tool in TOOLS for p in glob.glob(os.path.join(CORPUS, folder, f"{tool}-*.xml"))):
        stem, *codes = os.path.basename(path)[:-len(".xml")].split(".")
        _, profile, _, key, document = stem.split("-")
        found.append((Case(os.path.basename(path), read(path), profile, key, document == "balance"),
                      codes[0].split("+") if codes else []))
    return found


def verify(cases, at=AT, profile=None, signature_only=None):
    """What muhur verify says of each, in their order; one process for those judged alike."""
    groups = {}
    for n, case in enumerate(cases):
        path = os.path.join(work, f"{n}.xml")
        with open(path, "wb") as f:
            f.write(case.data)
        only = not case.is_report if signature_only is None else signature_only
        groups.setdefault((profile or case.profile, only), []).append(path)
    said = {}
    for (profile_, only), paths in groups.items():
        out = lib.run(os.path.join(lib.BIN, "muhur"), "--json", "verify", "--trust", f"{PKI}/trust.pem", "--crl",
                      f"{PKI}/crl.pem", "--at", at, "--profile", profile_,
                      *(["--signature-only"] if only else ["--schema-dir", SCHEMAS]), *paths, ok=(0, 1)).stdout
        for line in out.splitlines():
            verdict = json.loads(line)
            said[verdict["file"]] = verdict
    return [said[os.path.join(work, f"{n}.xml")] for n in range(len(cases))]


def expect(cases, codes, **kw):
    """codes: of each case, [] for VALID."""
    wrong = [(case.name, f"wanted {sorted(want)}", v["result"], v["reasons"])
             for case, want, v in zip(cases, codes, verify(cases, **kw))
             if (v["result"] == "VALID") != (not want) or sorted(v["reasons"]) != sorted(want)]
    assert not wrong, "\n".join(map(str, wrong))


def expect_signer(cases):
    """VALID, by the certificate of the key in the name, over these very bytes."""
    for case, v in zip(cases, verify(cases)):
        cert = certificate(f"{PKI}/{case.key}.pem")
        assert v["result"] == "VALID" and v["reasons"] == [] and v["revocation"] == "good", (case.name, v)
        assert v["sha256"] == hashlib.sha256(case.data).hexdigest(), case.name
        signer = v["signer"]
        assert signer["certificateSha256"] == hashlib.sha256(der(cert)).hexdigest(), (case.name, signer)
        assert signer["subject"] == cert.subject.rfc4514_string(), (case.name, signer)
        assert signer["issuer"] == cert.issuer.rfc4514_string(), (case.name, signer)
        assert int(signer["serial"], 16) == cert.serial_number, (case.name, signer)
        if case.profile == "xmldsig":
            assert v["signingTime"] is None, (case.name, v)
        else:
            assert v["signingTime"].startswith(SIGNED_AT), (case.name, v)


def xmlsec_agrees(judged):
    """judged: [(case, its codes)].  xmlsec1 says OK to what has no codes, and to nothing else."""
    path = os.path.join(work, "xmlsec.xml")
    for case, codes in judged:
        with open(path, "wb") as f:
            f.write(case.data)
        p = lib.run("xmlsec1", "--verify", "--trusted-pem", f"{PKI}/root.pem", "--untrusted-pem", f"{PKI}/subca.pem",
                    "--verification-gmt-time", AT.replace("T", " ").rstrip("Z"),
                    "--enabled-key-data", "x509", "--id-attr:Id", f"{XADES}:SignedProperties", path, ok=None)
        assert (p.returncode == 0) == (not codes), (case.name, codes, p.stderr)


# --- one change at a time ---------------------------------------------------------

def text_of(data):
    code = "utf-16-be" if data.startswith(b"\xfe\xff") else "utf-8"
    return data.decode(code), code


def other(char):
    """Another character of base64's alphabet, whose low bits stay inside the value."""
    return "B" if char == "A" else "A"


def swap(text, at):
    return text[:at] + other(text[at]) + text[at + 1:]


def find(pattern, text):
    return re.search(pattern, text, re.S).start(1)


def certificate_end(text, cert):
    """Where the value of the certificate's own signature stands."""
    for m in re.finditer(r"X509Certificate>([^<]+)<", text):
        if base64.b64decode(m.group(1).replace("&#13;", "")) == der(cert):
            return m.end(1) - len(re.search(r"[^A-Za-z0-9+/]*$", m.group(1)).group(0)) - 8
    raise AssertionError("the signer's certificate is not in KeyInfo")


def signs_namespace(method, prefix):
    """Does this c14n (None: inclusive) write a namespace that nothing uses?"""
    if method is None or method.get("Algorithm") == INC:
        return True
    listed = method.find(f"{{{EXC}}}InclusiveNamespaces")
    return listed is not None and prefix in listed.get("PrefixList").split()


def namespace_codes(case, prefix):
    """What changes with the URI of the root's unused prefix: Canonical XML 1.0, 2.3
    takes it into every subtree, Exclusive XML Canonicalization, 1.1 into none."""
    info = etree.fromstring(case.data).find(".//ds:SignedInfo", NS)
    codes = set()
    if signs_namespace(info.find("ds:CanonicalizationMethod", NS), prefix):
        codes.add("SIG_VALUE")
    for ref in info.findall("ds:Reference", NS):
        methods = [t for t in ref.findall("ds:Transforms/ds:Transform", NS) if "c14n" in t.get("Algorithm")]
        if signs_namespace(methods[0] if methods else None, prefix):
            codes.add("SIG_DIGEST")
    return codes


def changes(case):
    """[(changed document, its codes)], each a character away from the good one; and a time-stamp more,
    as who keeps a signature for long adds it."""
    text, code = text_of(case.data)
    prefix, uri = ("app", "urn:platform:export") if case.is_report else ("unused", "urn:example:unused")
    found = [("content", text.replace('Qty="1.25"', 'Qty="1.26"').replace("41 TRY", "42 TRY"), ["SIG_DIGEST"]),
             ("SignatureValue", swap(text, find(r"SignatureValue[^>]*>\s*([A-Za-z0-9+/])", text)), ["SIG_VALUE"]),
             ("DigestValue", swap(text, find(r'Reference[^>]* URI="".*?DigestValue[^>]*>([A-Za-z0-9+/])', text)),
              ["SIG_DIGEST", "SIG_VALUE"]),
             ("certificate", swap(text, certificate_end(text, certificate(f"{PKI}/{case.key}.pem"))),
              ["CERT_UNTRUSTED"]),
             ("namespace", text.replace(uri, uri + "s", 1), namespace_codes(case, prefix))]
    if case.profile == "xades":
        at = find(r"SigningTime>....-..-..T..:..:.(\d)", text)
        found.append(("SigningTime", text[:at] + ("1" if text[at] == "0" else "0") + text[at + 1:], ["SIG_DIGEST"]))
        found.append(("UnsignedProperties", re.sub(r"</[a-z:]*SignedProperties>", r"\g<0>" + UNSIGNED, text), []))
    for what, bad, _ in found:
        assert bad != text, (case.name, what)
    return [(case.changed(what, bad.encode(code)), codes) for what, bad, codes in found]


# --- fixtures -------------------------------------------------------------------

def good_fixtures():
    """files signed with the JDK, xml-crypto and xadesjs are VALID, by the right signer"""
    cases = [case for case, _ in fixtures("good")]
    made = {tuple(case.name.split("-")[:2]) for case in cases}
    assert made == {("jdk", "xmldsig"), ("jdk", "xades"), ("xmlcrypto", "xmldsig"), ("xmlcrypto", "xades"),
                    ("xadesjs", "xades")}, made
    assert {case.key for case in cases} == set(KEYS)
    expect_signer(cases)


def good_fixtures_xmlsec():
    """stock xmlsec1 says the same of them, and of what an unused namespace's change does to each"""
    for case, _ in fixtures("good"):
        xmlsec_agrees([(case, []), *((c, codes) for c, codes in changes(case) if c.name.endswith(": namespace"))])


def changed_fixtures():
    """a character changed in each part of each: INVALID, with exactly its codes"""
    cases, codes = zip(*(c for case, _ in fixtures("good") for c in changes(case)))
    assert any(not c for c in codes), "no change that a signature does not cover"
    expect(cases, codes)


def bad_fixtures():
    """what these tools sign otherwise, often by default, is refused with its code"""
    cases, codes = zip(*fixtures("bad"))
    expect(cases, codes)


def other_profile():
    """each profile refuses what was made for the other; a schema, what is no message"""
    cases = [case for case, _ in fixtures("good")]
    for profile in ("xmldsig", "xades"):
        others = [c for c in cases if c.profile != profile]
        expect(others, [["SIG_COVERAGE"]] * len(others), profile=profile)
    free = [c for c in cases if not c.is_report]
    expect(free, [["SCHEMA_INVALID"]] * len(free), signature_only=False)


def other_times():
    """the fixed time matters: signing time and certificates are judged at --at"""
    cases = [case for case, _ in fixtures("good")]
    reports = [c for c in cases if c.is_report]
    expect(reports, [["SIGNING_TIME"] if c.profile == "xades" else [] for c in reports], at="2026-01-18T09:00:00Z")
    expect(cases, [["CERT_EXPIRED", "CERT_REVOCATION_UNKNOWN"]] * len(cases), at="2025-12-31T09:00:00Z")


# --- signed now, with xmlsec1 ---------------------------------------------------------

def c14n_element(name, how):
    uri, prefixes = how
    inner = "" if prefixes is None else f'<ec:InclusiveNamespaces xmlns:ec="{EXC}" PrefixList="{prefixes}"/>'
    return f'<ds:{name} Algorithm="{uri}">{inner}</ds:{name}>'


# name: (c14n of SignedInfo, of the references; None for no transform)
C14N = {"exclusive": ((EXC, None), (EXC, None)), "inclusive": ((INC, None), (INC, None)),
        "none": ((INC, None), None), "prefixlist": ((EXC, "unused e"), (EXC, "unused m #default"))}


def asn1(tag, *parts):
    content = b"".join(parts)
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x80 | (size.bit_length() + 7) // 8]) + \
        size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag]) + length + content


def issuer_serial_v2(cert):
    """RFC 5035, 4: SEQUENCE { GeneralNames { [4] Name }, INTEGER }, in base64."""
    serial = cert.serial_number.to_bytes(cert.serial_number.bit_length() // 8 + 1, "big")
    names = asn1(0x30, asn1(0xa4, cert.issuer.public_bytes()))
    return base64.b64encode(asn1(0x30, names, asn1(0x02, serial))).decode()


def properties(cert, digest, time, v2):
    """QualifyingProperties of XAdES-BES: v2 is EN 319 132-1's, else TS 101 903's."""
    value = base64.b64encode(hashlib.new(digest, der(cert)).digest()).decode()
    if v2:
        name, serial = "SigningCertificateV2", f"<x:IssuerSerialV2>{issuer_serial_v2(cert)}</x:IssuerSerialV2>"
    else:
        name = "SigningCertificate"
        serial = (f"<x:IssuerSerial><ds:X509IssuerName>{cert.issuer.rfc4514_string()}</ds:X509IssuerName>"
                  f"<ds:X509SerialNumber>{cert.serial_number}</ds:X509SerialNumber></x:IssuerSerial>")
    return (f'<ds:Object><x:QualifyingProperties xmlns:x="{XADES}" Target="#S"><x:SignedProperties Id="SP">'
            f"<x:SignedSignatureProperties><x:SigningTime>{time}</x:SigningTime><x:{name}><x:Cert><x:CertDigest>"
            f'<ds:DigestMethod Algorithm="{DIGESTS[digest]}"/><ds:DigestValue>{value}</ds:DigestValue></x:CertDigest>'
            f"{serial}</x:Cert></x:{name}></x:SignedSignatureProperties></x:SignedProperties>"
            f"</x:QualifyingProperties></ds:Object>")


def template(cert, digest, c14n, xades=None):
    """A ds:Signature for xmlsec1 to fill in; xades: (signing time, v2)."""
    kind = "rsa" if isinstance(cert.public_key(), rsa.RSAPublicKey) else "ecdsa"
    info, refs = C14N[c14n]
    transform = "" if refs is None else c14n_element("Transform", refs)
    end = f'<ds:DigestMethod Algorithm="{DIGESTS[digest]}"/><ds:DigestValue/></ds:Reference>'
    sp = ('<ds:Reference Type="http://uri.etsi.org/01903#SignedProperties" URI="#SP">'
          + (f"<ds:Transforms>{transform}</ds:Transforms>" if transform else "") + end)
    return (f'<ds:Signature xmlns:ds="{DS}" Id="S"><ds:SignedInfo>{c14n_element("CanonicalizationMethod", info)}'
            f'<ds:SignatureMethod Algorithm="{MORE}{kind}-{digest}"/><ds:Reference URI=""><ds:Transforms>'
            f'<ds:Transform Algorithm="{DS}enveloped-signature"/>{transform}</ds:Transforms>{end}'
            f'{sp if xades else ""}</ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:KeyName>k</ds:KeyName>'
            f'<ds:X509Data/></ds:KeyInfo>{properties(cert, digest, *xades) if xades else ""}</ds:Signature>')


def with_signature(xml, signature, first):
    if first:
        return re.sub(r"<[A-Za-z:]+ [^>]*>", lambda m: m.group(0) + signature, xml, count=1)
    at = xml.rindex("</")
    return xml[:at] + signature + xml[at:]


def xmlsec_sign(xml, key, cert, digest, c14n, xades=None, first=False, chain=()):
    """The document as bytes, signed by stock xmlsec1."""
    src, dst = os.path.join(work, "template.xml"), os.path.join(work, "signed.xml")
    with open(src, "w") as f:
        f.write(with_signature(xml, template(certificate(cert), digest, c14n, xades), first))
    lib.run("xmlsec1", "--sign", "--privkey-pem", ",".join([key, cert, *chain]), "--id-attr:Id",
            f"{XADES}:SignedProperties", "--output", dst, src)
    return read(dst)


def xmlsec_matrix(profile):
    """Every key, hash and c14n; the signature first and last, the chain in KeyInfo or not, in turn."""
    cases = []
    for key in KEYS:
        for digest in DIGESTS:
            for c14n in C14N:
                n = len(cases)
                document = "balance" if n % 3 == 0 else "letter"
                data = xmlsec_sign(
                    read(source(document)).decode(), f"{PKI}/{key}.test-key",
                    f"{PKI}/{key}.pem", digest, c14n, first=n % 2 == 0, chain=[f"{PKI}/subca.pem"] if n % 5 else [],
                    xades=(SIGNED_AT + "Z", n % 4 > 1) if profile == "xades" else None)
                cases.append(Case(f"xmlsec1-{profile}-{c14n}-{digest}-{key}", data, profile, key,
                                  document == "balance"))
    return cases


def xmlsec_accepted(profile):
    cases = xmlsec_matrix(profile)
    expect_signer(cases)
    bad, codes = zip(*(c for case in cases for c in changes(case)))
    expect(bad, codes)


def xmlsec_xmldsig():
    """stock xmlsec1 --sign, XML-DSig: RSA, P-256, P-384; SHA-256, -384, -512; every c14n"""
    xmlsec_accepted("xmldsig")


def xmlsec_xades():
    """stock xmlsec1 --sign, XAdES-BES with SigningCertificate and V2: the same"""
    xmlsec_accepted("xades")


# --- ours, judged by xmlsec1 --------------------------------------------------------

def ours_by_xmlsec():
    """muhur sign, any document, every kind of key: xmlsec1 verifies it, and refuses a changed one"""
    for key in KEYS:
        for document in ("balance", "letter", "note"):
            out = os.path.join(work, "ours.xml")
            lib.run(os.path.join(lib.BIN, "muhur"), "sign", "--key", f"{PKI}/{key}.test-key", "--cert",
                    f"{PKI}/{key}.pem", *(["--chain", f"{PKI}/subca.pem"] if document == "note" else []),
                    source(document), out)
            case = Case(f"{key} {document}", read(out), "xades", key, document == "balance")
            xmlsec_agrees([(case, []), *changes(case)])


# --- through the gateway --------------------------------------------------------------

def market_key(market, user):
    return f"{market.pki}/{user}.key", f"{market.pki}/{user}.pem"


def exchange(market, user, c14n, xades, **kw):
    """A report of the user signed by xmlsec1: changed it is refused and nothing of it is kept, the
    next one is accepted and its record is kept."""
    def signed():
        return xmlsec_sign(market.balance_report(user=user), *market_key(market, user), "sha256", c14n,
                           xades=xades, chain=[f"{market.pki}/subca.pem"], **kw)
    before = market.records()
    bad = signed().replace(b'Qty="1.5"', b'Qty="2.5"', 1)
    assert market.exchange(bad, user) == ("rejected", ["SIG_DIGEST"])
    assert market.records() == before
    assert market.exchange(signed(), user) == ("accepted", [])
    assert market.records() == before + 1


def through_the_gateway():
    """reports signed by xmlsec1 are accepted over SFTP, under the profile that is set"""
    with lib.Market() as market:
        now = lib.run("date", "-u", "+%Y-%m-%dT%H:%M:%SZ").stdout.strip()
        exchange(market, "PLA001", "exclusive", (now, True))
        # as the JDK's users do it: inclusive everywhere, SigningCertificate with IssuerSerial
        exchange(market, "PLB001", "inclusive", (now, False), first=True)
        plain = xmlsec_sign(market.balance_report(), *market_key(market, "PLA001"), "sha256", "none")
        assert market.exchange(plain) == ("rejected", ["SIG_COVERAGE"])
        market.set_conf("signature_profile", "xmldsig")
        market.stop()
        market.start()
        exchange(market, "PLB001", "none", None)


with tempfile.TemporaryDirectory(prefix="others.", dir=os.environ.get("MUHUR_TEST_DIR")) as work:
    lib.main(good_fixtures, good_fixtures_xmlsec, changed_fixtures, bad_fixtures, other_profile, other_times,
             xmlsec_xmldsig, xmlsec_xades, ours_by_xmlsec, through_the_gateway)
