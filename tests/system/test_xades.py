#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""XAdES as Turkish signers make it: e-Fatura's BES with SigningCertificate (v1),
the profiles P2 to P4 with their policy, and time-stamps; and what is refused of it."""

import base64
import contextlib
import datetime
import hashlib
import json
import os
import re

from lxml import etree

import forge
import lib
import pki
import tsa
from forge import DS, ENC, EXC, INC, MORE, XADES, algorithm, all_of, certificate_v1, policy, signed_property, signer, signing_time
from tsa import stamp, with_unsigned

market = None
pla = None		# of P-256
plb = None		# of RSA-2048
own_tsa = None		# trusted once trust_tsa was called

P2, P3, P4 = (f"2.16.792.1.61.0.1.5070.3.{n}.1" for n in (1, 2, 3))
COVERAGE, ALGORITHM, DIGEST, UNTRUSTED = ["SIG_COVERAGE"], ["SIG_ALGORITHM"], ["SIG_DIGEST"], ["CERT_UNTRUSTED"]
IMPLIED = "<xades:SignaturePolicyIdentifier><xades:SignaturePolicyImplied/></xades:SignaturePolicyIdentifier>"


@contextlib.contextmanager
def setting(**kw):
    """The gateway runs with these settings, and with what it had again afterwards."""
    with open(market.conf, encoding="utf-8") as f:
        old = f.read()
    market.stop()
    for key, value in kw.items():
        market.set_conf(key, value)
    try:
        market.start()
        yield
    finally:
        market.stop()
        with open(market.conf, "w", encoding="utf-8") as f:
            f.write(old)
        market.start()


def kept(names, columns):
    """[columns of each submission], in the order of the names."""
    rows = {r[0]: r[1:] for r in market.sql(
        f"SELECT file_name, {columns} FROM muhur.submission WHERE file_name IN ('" + "', '".join(names) + "')")}
    return [rows[n] for n in names]


def key_value(_, sig):
    """KeyValue and X509SubjectName before the certificate, as e-Fatura has them."""
    info, numbers = sig.find(forge.ds("KeyInfo")), plb.cert.public_key().public_numbers()

    def number(n):
        return base64.b64encode(n.to_bytes((n.bit_length() + 7) // 8, "big")).decode()
    info.insert(0, etree.fromstring(
        f'<ds:KeyValue xmlns:ds="{DS}"><ds:RSAKeyValue><ds:Modulus>{number(numbers.n)}</ds:Modulus>'
        f"<ds:Exponent>{number(numbers.e)}</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"))
    name = etree.fromstring(f'<ds:X509SubjectName xmlns:ds="{DS}">{plb.cert.subject.rfc4514_string()}</ds:X509SubjectName>')
    info.find(forge.ds("X509Data")).insert(0, name)


def enveloped_alone(_, sig):
    """The document's reference without a c14n transform, which then is inclusive."""
    t = sig.find(forge.ds("SignedInfo/Reference/Transforms"))
    t.remove(t[1])


def role(name, text="PLA900"):
    inner = f"<xades:ClaimedRoles><xades:ClaimedRole>{text}</xades:ClaimedRole></xades:ClaimedRoles>"
    return signed_property(f"<xades:{name}>{inner}</xades:{name}>")


def e_fatura():
    """e-Fatura's form: BES, inclusive c14n, SigningCertificate with IssuerSerial, KeyValue, a role"""
    shape = all_of(certificate_v1(plb.cert), role("SignerRole", "Tedarik\u00e7i"), key_value, enveloped_alone,
                   algorithm("SignedInfo/CanonicalizationMethod", INC),
                   algorithm("SignedInfo/Reference[2]/Transforms/Transform", INC))
    plb.judge([
        ("RSA-SHA256", plb.forged(shape), []),
        ("RSA-SHA512", plb.forged(all_of(shape, algorithm("SignedInfo/SignatureMethod", MORE + "rsa-sha512"),
                                         algorithm("SignedInfo/Reference/DigestMethod", ENC + "sha512"))), []),
        ("first in the document", forge.resign(forge.first(plb.signed()), shape, plb.key), []),
        ("a record changed afterwards", plb.forged(shape).replace(b'Qty="1.5"', b'Qty="2.5"'), DIGEST),
    ])


def certificates():
    """SigningCertificate v1 and V2: whatever stands there must name the signer"""
    other = forge.load_cert(f"{market.pki}/PLA900.pem")
    serial = pla.cert.serial_number
    pla.judge([
        ("v1", pla.forged(certificate_v1(pla.cert)), []),
        ("v1, the issuer's name written another way", pla.forged(certificate_v1(pla.cert, issuer="CN=x, O=y, C=TR")), []),
        ("v1, the serial with leading zeros", pla.forged(certificate_v1(pla.cert, serial=f"00{serial}")), []),
        ("v1 and V2", pla.forged(certificate_v1(pla.cert, beside=True)), []),
        ("v1 of another certificate", pla.forged(certificate_v1(other)), UNTRUSTED),
        ("v1 with another's serial", pla.forged(certificate_v1(pla.cert, serial=other.serial_number)), UNTRUSTED),
        ("v1 with the serial in hexadecimal", pla.forged(certificate_v1(pla.cert, serial=f"{serial:x}")), UNTRUSTED),
        ("v1 by SHA-1", pla.forged(certificate_v1(pla.cert, digest=DS + "sha1")), ALGORITHM),
        ("v1 of another beside V2 of the signer", pla.forged(certificate_v1(other, beside=True)), UNTRUSTED),
        ("v1 of the signer beside V2 of another", pla.forged(all_of(signer(pla.cert, digest_of=other),
                                                                    certificate_v1(pla.cert, beside=True))), UNTRUSTED),
    ])


def key_info():
    """several certificates in KeyInfo, in any order and in several X509Data"""
    sub, root, other = pki.authority(market)[1], pki.authority(market, "root")[1], plb.cert

    def listed(*certs, apart=False):
        def change(_, sig):
            info = sig.find(forge.ds("KeyInfo"))
            info.clear()
            data = etree.SubElement(info, forge.ds("X509Data"))
            for n, c in enumerate(certs):
                if apart and n > 0:
                    data = etree.SubElement(info, forge.ds("X509Data"))
                etree.SubElement(data, forge.ds("X509Certificate")).text = forge.der64(c)
        return change
    pla.judge([
        ("the chain", pla.forged(listed(pla.cert, sub, root)), []),
        ("the chain backwards", pla.forged(listed(root, sub, pla.cert)), []),
        ("each in an X509Data", pla.forged(listed(sub, pla.cert, root, apart=True)), []),
        ("another user's as well", pla.forged(listed(other, pla.cert)), []),
        ("the signer's twice", pla.forged(listed(pla.cert, pla.cert)), []),
        ("eight", pla.forged(listed(*[sub] * 7, pla.cert)), []),
        ("nine", pla.forged(listed(*[sub] * 8, pla.cert)), UNTRUSTED),
        ("another user's alone", pla.forged(listed(other)), ["SIG_VALUE"]),
    ])


def roles():
    """claimed roles give no right and take none"""
    pla.judge([
        ("SignerRole", pla.forged(role("SignerRole")), []),
        ("SignerRoleV2", pla.forged(role("SignerRoleV2")), []),
        ("certified roles that are none", pla.forged(signed_property(
            "<xades:SignerRole><xades:CertifiedRoles><xades:CertifiedRole>AAAA</xades:CertifiedRole>"
            "</xades:CertifiedRoles></xades:SignerRole>")), []),
        ("a place and a commitment", pla.forged(all_of(signed_property(
            "<xades:SignatureProductionPlace><xades:City>Ankara</xades:City></xades:SignatureProductionPlace>"))), []),
        ("the role of whom the header names", forge.resign(market.sign(pla.text(), "PLB001"), role("SignerRole", "PLA001"),
                                                           plb.key), ["NOT_AUTHORISED"]),
    ])


def policies():
    """explicit policies (EPES): those of the list, by any of their writings; no other"""
    taken = [
        ("P2", pla.forged(policy(f"urn:oid:{P2}")), P2),
        ("P3, with SigningCertificate", pla.forged(all_of(certificate_v1(pla.cert), policy(f"urn:oid:{P3}"))), P3),
        ("P4, the OID alone", pla.forged(policy(P4, qualifier=' Qualifier="OIDAsURI"')), P4),
        ("P2, no qualifier, SHA-512", pla.forged(policy(P2, bytes(64), ENC + "sha512", "")), P2),
        ("implied", pla.forged(signed_property(IMPLIED)), "implied"),
        ("none", pla.forged(), ""),
    ]
    names = pla.judge([(what, data, []) for what, data, _ in taken])
    assert [p for p, in kept(names[:len(taken)], "coalesce(signature_policy, '')")] == [p for _, _, p in taken]
    names = pla.judge([
        ("unknown", pla.forged(policy("urn:oid:1.2.3")), ALGORITHM),
        ("P1 has none: its OID is not taken", pla.forged(policy("urn:oid:2.16.792.1.61.0.1.5070.3.0.1")), ALGORITHM),
        ("P2's OID and more", pla.forged(policy(f"urn:oid:{P2}.1")), ALGORITHM),
        ("a URL", pla.forged(policy("http://www.example.org/policy", qualifier="")), ALGORITHM),
        ("empty", pla.forged(policy("")), ALGORITHM),
        ("SigPolicyHash by SHA-1", pla.forged(policy(f"urn:oid:{P2}", bytes(20), DS + "sha1")), ALGORITHM),
        ("SigPolicyHash of half a digest", pla.forged(policy(f"urn:oid:{P2}", bytes(16))), DIGEST),
        ("no SigPolicyHash", pla.forged(all_of(policy(f"urn:oid:{P2}"), lambda d, s: [
            e.getparent().remove(e) for e in s.findall(f".//{{{XADES}}}SigPolicyHash")])), COVERAGE),
        ("two policies", pla.forged(all_of(policy(f"urn:oid:{P2}"), policy(f"urn:oid:{P3}"))), COVERAGE),
        ("implied and explicit", pla.forged(all_of(policy(f"urn:oid:{P2}"), signed_property(IMPLIED))), COVERAGE),
        ("the policy changed after signing", pla.forged(policy(f"urn:oid:{P2}")).replace(
            P2.encode(), P3.encode()), DIGEST),
    ])
    foreign = pla.forged(policy("urn:oid:1.2.3"))
    found = verify(foreign)
    assert (found["result"], found["policy"], found["policyJudged"]) == ("VALID", "1.2.3", False), found
    assert verify(foreign, "--policy", P2, "--policy", "1.2.3")["policyJudged"]
    assert verify(foreign, "--policy", P2, ok=(1,))["reasons"] == ALGORITHM
    notice = pla.decisions(names[:1])[names[0]]
    assert "1.2.3" in etree.tostring(etree.fromstring(notice.data), encoding="unicode"), "the notice names the policy"


def policy_setting():
    """signature_policies: the digest of a policy's text, other policies, none"""
    guide = hashlib.sha256(b"guide").digest()
    known = pla.forged(policy(f"urn:oid:{P2}", guide))
    with setting(signature_policies=f'{{"{P2}=sha256:{guide.hex()}", "1.2.3"}}'):
        pla.judge([
            ("the text that is known", known, []),
            ("another text", pla.forged(policy(f"urn:oid:{P2}")), ALGORITHM),
            ("by another digest", pla.forged(policy(f"urn:oid:{P2}", hashlib.sha512(b"guide").digest(),
                                                    ENC + "sha512")), ALGORITHM),
            ("another policy that is taken", pla.forged(policy("urn:oid:1.2.3")), []),
            ("one of the defaults that is not", pla.forged(policy(f"urn:oid:{P3}")), ALGORITHM),
        ])
    with setting(signature_policies="{}"):
        pla.judge([("none is taken", pla.forged(policy(f"urn:oid:{P2}")), ALGORITHM),
                   ("implied", pla.forged(signed_property(IMPLIED)), [])])


def verify(data, *options, ok=(0,)):
    path = os.path.join(market.dir, "verified.xml")
    with open(path, "wb") as f:
        f.write(data)
    out = lib.run(os.path.join(market.bin, "muhur"), "--json", "verify", "--trust", f"{market.pki}/trust.pem", "--signature-only",
                  *options, path, ok=ok).stdout
    return json.loads(out)


def stamped(data, method=EXC, by=None, **kw):
    return with_unsigned(data, stamp((by or own_tsa).over(data, method or INC, **kw), method))


def fresh(token):
    """A new document with that token in its time-stamp."""
    return with_unsigned(pla.forged(), stamp(token))


def trust_tsa():
    """The gateway runs with the authority's root and list from now on."""
    with open(market.conf, encoding="utf-8") as f:
        if "tsa_anchors" in f.read():
            return
    market.stop()
    market.set_conf("tsa_anchors", '"TSACA.pem"')
    with open(f"{market.pki}/crl.pem", "ab") as f:
        f.write(pki.crl(own_tsa.ca, 1))
    market.start()


def stamps():
    """T-level: a SignatureTimeStamp that verifies, in every form; what was found is kept"""
    trust_tsa()
    before, since = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0), market.log_size()
    bare = pla.forged()
    long_term = with_unsigned(bare, stamp(own_tsa.over(bare)), "<x:CompleteCertificateRefs/>",
                              "<x:CertificateValues><x:EncapsulatedX509Certificate>", "A" * 3000000,
                              "</x:EncapsulatedX509Certificate></x:CertificateValues><x:RevocationValues/>",
                              f'<a:ArchiveTimeStamp xmlns:a="{XADES}">A</a:ArchiveTimeStamp>')
    p3 = pla.forged(all_of(certificate_v1(pla.cert), policy(f"urn:oid:{P3}")))
    good = [
        ("exclusive", stamped(pla.forged())),
        ("inclusive", stamped(pla.forged(), INC)),
        ("no c14n, which is inclusive", stamped(pla.forged(), None)),
        ("SHA-512", stamped(pla.forged(), digest="sha512")),
        ("profile P3", stamped(p3)),
        ("two of them", with_unsigned(bare2 := pla.forged(), stamp(own_tsa.over(bare2)), stamp(own_tsa.over(bare2)))),
        ("among three megabytes of a long-term signature", long_term),
    ]
    names = pla.judge([(what, data, []) for what, data in good])[:len(good)]
    for (what, _), row in zip(good, kept(names, "timestamp_state, timestamp_at >= "
                                         f"'{before.isoformat()}', timestamp_authority, coalesce(timestamp_why, '')")):
        assert row == ["good", "t", "CN=TSA,C=TR", ""], (what, row)
    assert len(re.findall(r"time-stamp of .*, by CN=TSA,C=TR", market.log(since))) == len(good)
    ident = kept(names[:1], "id")[0][0]
    shown = market.json("submission", "show", ident)[0]
    assert shown["timestampState"] == "good" and shown["timestampAuthority"] == "CN=TSA,C=TR", shown
    ca = os.path.join(market.dir, "TSACA.pem")
    assert verify(good[0][1])["timestamp"]["state"] == "not-judged"
    found = verify(good[4][1], "--tsa", ca)
    assert found["result"] == "VALID" and found["policy"] == P3 and found["timestamp"]["state"] == "good", found
    assert found["timestamp"]["time"] >= before.strftime("%Y-%m-%dT%H:%M:%S"), found


def bad_stamps():
    """time-stamps that do not verify: said, logged, kept, and no reason to refuse; nothing else is made better"""
    trust_tsa()
    since, bare = market.log_size(), pla.forged()
    token = own_tsa.over(bare)
    foreign = tsa.Tsa(market, "FOREIGNTSA")
    old = tsa.Tsa(market, "OLDTSA", own_tsa.ca, not_before=pki.now() - 9 * pki.DAY, not_after=pki.now() - pki.MINUTE)
    middle = len(token) // 2

    def damaged(at):
        return token[:at] + bytes([token[at] ^ 1]) + token[at + 1:]
    cases = [
        ("of another signature", with_unsigned(pla.forged(), stamp(token)), "message imprint mismatch"),
        ("of the document", with_unsigned(data := pla.forged(), stamp(own_tsa.token(data))), "message imprint mismatch"),
        ("by another c14n", with_unsigned(data := pla.forged(), stamp(own_tsa.over(data), INC)), "message imprint mismatch"),
        ("of a foreign authority", stamped(pla.forged(), by=foreign), "certificate"),
        ("of an expired authority", stamped(pla.forged(), by=old), "expired"),
        ("SHA-1", stamped(pla.forged(), digest="sha1"), "another digest"),
        ("a byte changed", fresh(damaged(middle)), ""),
        ("its last byte changed", fresh(damaged(len(token) - 1)), ""),
        ("cut", fresh(token[:middle]), "no CMS SignedData"),
        ("a byte too many", fresh(token + b"\0"), "no CMS SignedData"),
        ("no base64", fresh("*"), "not base64"),
        ("a certificate for a token", fresh(pla.cert.public_bytes(forge.serialization.Encoding.DER)),
         "no CMS SignedData"),
        ("larger than any", fresh("A" * 200000), "too large"),
        ("five", with_unsigned(data := pla.forged(), *[stamp(own_tsa.over(data))] * 5), "more than 4"),
        ("a good one and a bad one", with_unsigned(data := pla.forged(), stamp(own_tsa.over(data)), stamp(token)),
         "message imprint mismatch"),
    ]
    names = pla.judge([(what, data, []) for what, data, _ in cases])[:len(cases)]
    for (what, _, why), row in zip(cases, kept(names, "timestamp_state, timestamp_at, timestamp_authority, timestamp_why")):
        assert row[:3] == ["bad", "", ""] and why in row[3] and row[3], (what, row)
    assert market.log(since).count("does not verify, and does not count") == len(cases)
    found = verify(cases[0][1], "--tsa", os.path.join(market.dir, "TSACA.pem"))
    assert found["result"] == "VALID" and found["timestamp"]["state"] == "bad", found


def never_better():
    """a good time-stamp saves no document: certificates and SigningTime are judged at receipt"""
    trust_tsa()
    expired = pki.issue(market, "GONE", not_after=pki.now() - pki.MINUTE)
    late = (pki.now() - 3 * pki.DAY).strftime("%Y-%m-%dT%H:%M:%SZ")

    def by(key, cert):
        return pla.forged(signer(forge.load_cert(cert)), forge.load_key(key))
    names = pla.judge([
        ("an expired certificate", stamped(by(*expired)), ["CERT_EXPIRED"]),
        ("a certificate of nobody", stamped(by(*pki.issue(market, "NOBODY"))), ["CERT_NOT_ENROLLED"]),
        ("an old SigningTime", stamped(pla.forged(signing_time(late))), ["SIGNING_TIME"]),
        ("an unknown policy", stamped(pla.forged(policy("urn:oid:1.2.3"))), ALGORITHM),
        ("a changed record", stamped(pla.forged()).replace(b'Qty="1.5"', b'Qty="2.5"'), DIGEST),
    ])
    assert [s for s, in kept(names[:5], "coalesce(timestamp_state, '')")] == ["good", "good", "good", "", ""]


def revoked_authority():
    """an authority's certificate that is revoked, or whose revocation cannot be told: its time-stamps are bad"""
    trust_tsa()
    others = [pem for name, pem in pki.crls(market).items() if name != "TSACA"]
    serial = forge.load_cert(own_tsa.cert).serial_number
    for what, more, why in (("revoked", [pki.crl(own_tsa.ca, 2, [serial])], "certificate revoked"),
                            ("no list", [], "unable to get certificate CRL")):
        with pki.with_crls(market, [*others, *more]):
            names = pla.judge([(what, stamped(pla.forged()), [])])
            row = kept(names[:1], "timestamp_state, timestamp_why")[0]
            assert row[0] == "bad" and why in row[1], (what, row)


def not_judged():
    """without tsa_anchors time-stamps are not judged; with a file that is not there the gateway does not start"""
    names = pla.judge([("good", stamped(pla.forged()), []), ("bad", fresh("AAAA"), [])])
    assert [s for s, in kept(names[:2], "timestamp_state")] == ["not-judged"] * 2
    market.stop()
    with open(market.conf, encoding="utf-8") as f:
        old = f.read()
    market.set_conf("tsa_anchors", '"pki/absent.pem"')
    since = market.log_size()
    try:
        assert lib.run(lib.MARKET, "start", market.dir, ok=None, timeout=lib.LIMIT).returncode != 0
        assert "tsa_anchors" in market.log(since), market.log(since)
    finally:
        with open(market.conf, "w", encoding="utf-8") as f:
            f.write(old)
        market.start()


if __name__ == "__main__":
    with lib.Market() as market:
        pla, plb = forge.Forge(market), forge.Forge(market, "PLB001")
        own_tsa = tsa.Tsa(market, "TSA")
        lib.main(e_fatura, certificates, key_info, roles, policies, policy_setting, not_judged, stamps, bad_stamps,
                 never_better, revoked_authority)
